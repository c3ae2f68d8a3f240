"""Grade submissions: each in a worker of its own, each exercise on the public cases and on the class's own."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import time

from mlcourse.grading.apart import APART_SECONDS, ApartRunner, why_no_kernels
from mlcourse.grading.engine import Drawn, Judging
from mlcourse.grading.marks import CaseMark, ExerciseMark, SubmissionMark
from mlcourse.grading.sandbox import SandboxError
from mlcourse.grading.session import Session, SessionRunner
from mlcourse.grading.submissions import NotebookError, exercise_set_of, read_notebook
from mlcourse.grading.worker import MAX_TEXT

PNG = b"\x89PNG\r\n\x1a\n"
MAX_IMAGE = 4 << 20
CLASS_DRAWS = 3
"""How often the cases are drawn anew from the class's seed, besides the public draw."""


def grade(submission, seed, sandbox="bubblewrap", exercise_set=None):
    """Grade one submission.

    Parameters
    ----------
    submission : Submission
    seed : int
        The class's seed.
    sandbox : {"bubblewrap", "none"}
    exercise_set : str, optional
        Which set it is, a name or the path of a teacher's file; by default the notebook says so.

    Returns
    -------
    SubmissionMark
        Always: what cannot be read is a mark with the status ``"rejected"`` and a reason.
    """
    from mlcourse.exercises import exercise_set as load
    from mlcourse.exercises import exercise_sets, set_name

    start = time.perf_counter()
    wanted = exercise_set or ""
    try:
        if submission.problem:
            raise NotebookError(submission.problem)
        notebook = read_notebook(submission.data)
        wanted = wanted or exercise_set_of(notebook, submission.file_name, exercise_sets())
    except NotebookError as error:
        key = set_name(wanted)
        return SubmissionMark(submission.student, key, "rejected", str(error), digest=submission.digest, seed=seed)
    exercises = load(wanted)
    _make_ready(exercises, sandbox)
    session = Session(list(notebook.cells), sandbox)
    try:
        marks = tuple(_grade_exercises(exercises, session, seed))
    finally:
        session.close()
    return SubmissionMark(
        submission.student, set_name(wanted), "graded",
        exercises=marks,
        notes=(*_another_set(notebook, wanted), *(text for _, text in sorted(session.errors.items()))),
        digest=submission.digest,
        seed=seed,
        seconds=round(time.perf_counter() - start, 3),
    )  # fmt: skip


def _make_ready(exercises, sandbox):
    """Make ready what answers share; rather no marks than marks by a machine that lacks what they need."""
    for exercise in exercises:
        if exercise.ready is not None:
            exercise.ready()
    if any(exercise.apart for exercise in exercises) and (why := why_no_kernels(sandbox)):
        raise SandboxError(why)


def _grade_exercises(exercises, session, seed):
    """Grade the exercises: first the public cases of all, whose messages the student reads, then the class's own.

    So nothing that an answer has seen of the class's cases can be in a message of another one. Answers that are compiled are read
    before, and used in workers of their own afterwards.
    """
    defined = session.defined([exercise.name for exercise in exercises])
    there = [exercise for exercise in exercises if _is_there(exercise, defined)]
    manual = {exercise: _to_read(exercise, session) for exercise in there if exercise.manual}
    read = {exercise: session.read(exercise.name, exercise.seconds)[0] for exercise in there if exercise.apart}
    checked = {e: (Judging(_drawn(e, seed)), SessionRunner(session, e)) for e in there if not e.manual and not e.apart}
    for own in (False, True):
        for exercise, (judging, runner) in checked.items():
            for case in _part(exercise, seed, own):
                judging.take(runner.call(case.args, case.kwargs))
            session.clear()
    results = {exercise: judging.result() for exercise, (judging, _) in checked.items()}
    if read:
        session.close()
        results |= _results_apart(read, seed, session.kind)
    for exercise in exercises:
        if exercise in results:
            yield _exercise_mark(exercise, results[exercise], len(_drawn(exercise, None).cases))
        else:
            yield manual.get(exercise) or _missing(exercise)


def _results_apart(read, seed, sandbox):
    """The results of answers that are compiled, each in a worker of its own."""
    results, left = {}, APART_SECONDS
    for exercise, outcome in read.items():
        judging = Judging(_drawn(exercise, seed))
        with contextlib.closing(
            ApartRunner(outcome, exercise.use_source, sandbox, min(exercise.seconds, left))
        ) as runner:
            for case in _drawn(exercise, seed).cases:
                judging.take(runner.call(case.args, case.kwargs))
        left -= runner.spent
        results[exercise] = judging.result()
    return results


def _is_there(exercise, defined):
    needs_call = exercise.answer in ("function", "class")
    return exercise.name in defined and (defined[exercise.name] or not needs_call)


def _part(exercise, seed, own):
    """The class's own cases, or the public ones."""
    cases, public = _drawn(exercise, seed).cases, len(_drawn(exercise, None).cases)
    return cases[public:] if own else cases[:public]


@functools.lru_cache(maxsize=512)
def _drawn(exercise, seed):
    """The public cases, and the class's own if there is a seed; the next submission gets the same."""
    own = () if seed is None else ((seed, draw) for draw in range(CLASS_DRAWS))
    return Drawn(exercise, (0, *own))


def _another_set(notebook, wanted):
    """A note where the teacher named a set and the notebook says that it is of another."""
    declared = notebook.about.get("exercises")
    if isinstance(declared, str) and declared not in ("", wanted) and not wanted.endswith(".py"):
        yield f"the notebook says that it is of {declared[:80]}, and it was graded as {wanted}"


def _missing(exercise):
    return ExerciseMark(exercise.name, exercise.title, 0.0, exercise.points, "missing", hint=exercise.hints[0])


def _to_read(exercise, session):
    """The mark of a manual answer: the answer itself, which waits for a person."""
    outcome, _ = session.show(exercise.name, exercise.seconds)
    mark = ExerciseMark(exercise.name, exercise.title, 0.0, exercise.points, "manual")
    if outcome.error is not None:
        return dataclasses.replace(mark, diagnosis=f"it cannot be shown: {outcome.error}: {outcome.error_text}")
    if isinstance(outcome.value, bytes) and outcome.value.startswith(PNG) and len(outcome.value) <= MAX_IMAGE:
        return dataclasses.replace(mark, image=base64.b64encode(outcome.value).decode())
    if isinstance(outcome.value, str):
        return (
            dataclasses.replace(mark, answer=outcome.value[:MAX_TEXT]) if outcome.value.strip() else _missing(exercise)
        )
    return dataclasses.replace(mark, diagnosis="it cannot be shown: it is neither a text nor a figure of at most 4 MB")


def _exercise_mark(exercise, result, n_public):
    public, hidden = result.cases[:n_public], result.cases[n_public:]
    shown = tuple(
        CaseMark(case.label, True) if case.passed
        else CaseMark(case.label, False, case.fault.kind, case.fault.message, case.inputs)
        for case in public
    )  # fmt: skip
    passed_in_public = all(case.passed for case in public)
    return ExerciseMark(
        exercise.name, exercise.title, result.points, exercise.points, "graded",
        public=shown,
        class_passed=sum(case.passed for case in hidden),
        class_cases=len(hidden),
        diagnosis=_diagnosis(result, passed_in_public),
        mistake=result.recognized.name if result.recognized is not None else "",
        hint="" if result.passed else exercise.hints[0],
    )  # fmt: skip


def _diagnosis(result, passed_in_public):
    """What is wrong, without the inputs and the expected results of the class's own cases."""
    if result.passed:
        return ""
    if not result.started:
        return "not started"
    if result.recognized is not None:
        return result.recognized.says
    if passed_in_public:
        kinds = {case.fault.kind for case in result.cases if not case.passed}
        return f"right on the public cases, but not on all of the class's own ({', '.join(sorted(kinds))})"
    no_better = "" if result.better else " (no case passes yet that the code as it was handed out did not pass)"
    return next(case.fault.message for case in result.cases if not case.passed) + no_better
