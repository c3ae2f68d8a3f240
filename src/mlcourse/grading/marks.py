"""What grading a submission yields: plain data, which the gradebook stores and every report is made from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True)
class CaseMark:
    """One public case: what a student may read of it."""

    label: str
    passed: bool
    kind: str = ""
    message: str = ""
    inputs: str = ""


@dataclass(frozen=True)
class ExerciseMark:
    """The mark of one exercise.

    Attributes
    ----------
    name, title : str
    points, max_points : float
        Earned, and possible.
    status : {"graded", "missing", "manual"}
        ``"missing"``: the notebook has no such function. ``"manual"``: a person must read the answer.
    public : tuple of CaseMark
        The cases that the notebook's own check runs.
    class_passed, class_cases : int
        How many of the class's own cases passed, and how many there were; their inputs are shown to nobody.
    diagnosis : str
        What is wrong, in a sentence, or an empty string.
    mistake : str
        The name of the wrong answer that the results are equal to, or an empty string.
    hint : str
        The next hint.
    answer : str
        The text that a person must read, where the status is ``"manual"``.
    image : str
        The figure that a person must look at, a PNG image in base64.
    """

    name: str
    title: str
    points: float
    max_points: float
    status: str
    public: tuple[CaseMark, ...] = ()
    class_passed: int = 0
    class_cases: int = 0
    diagnosis: str = ""
    mistake: str = ""
    hint: str = ""
    answer: str = ""
    image: str = ""


@dataclass(frozen=True)
class SubmissionMark:
    """The marks of one submission.

    Attributes
    ----------
    student : str
        As the folder or the file names them.
    exercise_set : str
        Such as ``math/vectors``.
    status : {"graded", "rejected"}
        ``"rejected"``: the file could not be read as a notebook; `reason` says why.
    reason : str
    exercises : tuple of ExerciseMark
    notes : tuple of str
        What the student should know besides: a cell that failed, an answer that ran too long.
    digest : str
        SHA-256 of the submitted file.
    seed : int
        The class's seed.
    seconds : float
        Wall time that grading took.
    """

    student: str
    exercise_set: str
    status: str
    reason: str = ""
    exercises: tuple[ExerciseMark, ...] = ()
    notes: tuple[str, ...] = ()
    digest: str = ""
    seed: int = 0
    seconds: float = 0.0

    @property
    def points(self):
        return round(sum(exercise.points for exercise in self.exercises), 2)

    @property
    def max_points(self):
        return sum(exercise.max_points for exercise in self.exercises)

    def to_data(self):
        """Return plain dicts and lists, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_data(cls, data):
        """Read back what `to_data` returned."""
        exercises = tuple(
            ExerciseMark(**{**e, "public": tuple(CaseMark(**case) for case in e["public"])}) for e in data["exercises"]
        )
        return cls(**{**data, "exercises": exercises, "notes": tuple(data["notes"])})
