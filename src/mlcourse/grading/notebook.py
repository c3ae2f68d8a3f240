"""Mark a whole exercise notebook, on the machine and with the trust of the person who wrote it."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

from mlcourse.grading.engine import HandedIn, Result, Unchecked, check_answer
from mlcourse.grading.report import REMAINS
from mlcourse.grading.submissions import NotebookError, exercise_set_of, read_notebook
from mlcourse.grading.worker import parse_cell


@dataclass(frozen=True)
class NotebookReport:
    """The marks of one notebook: what the check found for each exercise, or None where the answer is missing."""

    key: str
    exercises: tuple
    results: dict[str, Result | HandedIn | Unchecked | None]
    problems: tuple[str, ...]

    @property
    def points(self):
        return sum(result.points for result in self.results.values() if result is not None)

    @property
    def passed(self):
        """Whether every check passed, and every answer for a person to read is written."""
        return all(_done(result) for result in self.results.values())

    def __str__(self):
        lines = [f"{self.key}: {self.points:g} of {sum(e.points for e in self.exercises)} points"]
        for number, exercise in enumerate(self.exercises, 1):
            result = self.results[exercise.name]
            mark = "✎" if exercise.manual and _done(result) else "✓" if _done(result) else "✗"
            earned = result.points if result is not None else 0
            points = f"up to {exercise.points}" if exercise.manual else f"{earned:g} of {exercise.points}"
            lines.append(f"  {mark} {number:>2}. {exercise.title}: {points}")
            lines += [f"         {text}" for text in _why(exercise, result)]
        lines += [f"  note: {problem}" for problem in self.problems]
        return "\n".join([*lines, REMAINS])


def check_notebook(path, key=None):
    """Run the code cells of an exercise notebook in order and check every exercise of its set.

    The code runs in this process: use it for your own notebook. A cell that fails does not stop the others.

    Parameters
    ----------
    path : str or Path
    key : str, optional
        The exercise set, or the path of a file of exercises; by default the notebook says which it is.

    Returns
    -------
    NotebookReport

    Raises
    ------
    NotebookError
        If the file is missing, is not a notebook, or belongs to no exercise set.
    """
    from mlcourse.exercises import CHECK_SECONDS, exercise_set, exercise_sets, set_name
    from mlcourse.exercises.records import record

    path = Path(path)
    if not path.is_file():
        raise NotebookError(
            f"there is no file {path}; give the path of an exercise notebook, such as exercises/math/vectors.ipynb"
        )
    try:
        notebook = read_notebook(path.read_bytes())
        key = key or exercise_set_of(notebook, path.resolve().as_posix(), exercise_sets())
    except NotebookError as error:
        raise NotebookError(f"{path}: {error}") from None
    try:
        exercises = exercise_set(key)
    except LookupError as error:
        raise NotebookError(error) from None
    names, problems = _execute(notebook.cells)
    results = {}
    for exercise in exercises:
        answer = names.get(exercise.name)
        there = callable(answer) if exercise.answer in ("function", "class") else exercise.name in names
        results[exercise.name] = result = check_answer(exercise, answer, CHECK_SECONDS) if there else None
        if result is not None and not isinstance(result, Unchecked):
            record(exercise.name, result.points, result.answered)
    return NotebookReport(set_name(key), exercises, results, tuple(problems))


def _execute(cells):
    """Run the code cells; return the names they define and what went wrong."""
    names, problems = {"__name__": "__main__"}, []
    for number, source in enumerate(cells, 1):
        try:
            with contextlib.redirect_stdout(io.StringIO()), _without_windows():
                exec(compile(parse_cell(source), f"<cell {number}>", "exec"), names)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            problems.append(f"cell {number} raised {type(error).__name__}: {' '.join(str(error).split())}")
    return names, problems


@contextlib.contextmanager
def _without_windows():
    """Let Matplotlib draw without opening windows, and leave the environment as it was."""
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"
    try:
        yield
    finally:
        os.environ.pop("MPLBACKEND")
        if before is not None:
            os.environ["MPLBACKEND"] = before


def _done(result):
    if isinstance(result, HandedIn):
        return result.answered
    return result is not None and result.passed


def _why(exercise, result):
    if result is None:
        what = exercise.answer if exercise.answer in ("function", "class") else "answer"
        return [f"there is no {what} named {exercise.name} in the notebook"]
    if _done(result):
        return ["a person reads it"] if exercise.manual else []
    if isinstance(result, Unchecked):
        return [f"not checked: {' '.join(result.why.split())}"]
    if not result.answered:
        return [result.fault if exercise.manual and result.fault else "not started"]
    return [result.diagnosis]
