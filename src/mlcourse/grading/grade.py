"""Grade submissions: each in a worker of its own, each exercise on the public cases and on the class's own."""

from __future__ import annotations

import base64
import concurrent.futures
import dataclasses
import multiprocessing
import time

import numpy as np

from mlcourse.grading.engine import run
from mlcourse.grading.marks import CaseMark, ExerciseMark, SubmissionMark
from mlcourse.grading.session import Session, SessionRunner
from mlcourse.grading.submissions import NotebookError, exercise_set_of, read_notebook
from mlcourse.grading.worker import MAX_TEXT

GRADER_FAULT = "the grader failed on this submission"
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
        Which set it is; by default the notebook says so.

    Returns
    -------
    SubmissionMark
        Always: what cannot be read is a mark with the status ``"rejected"`` and a reason.
    """
    from mlcourse.exercises import exercise_set as load
    from mlcourse.exercises import exercise_sets

    start = time.perf_counter()
    key = exercise_set or ""
    try:
        if submission.problem:
            raise NotebookError(submission.problem)
        notebook = read_notebook(submission.data)
        key = exercise_set or exercise_set_of(notebook, submission.file_name, exercise_sets())
    except NotebookError as error:
        return SubmissionMark(submission.student, key, "rejected", str(error), digest=submission.digest, seed=seed)
    session = Session(list(notebook.cells), sandbox)
    try:
        marks = tuple(_grade_exercises(load(key), session, seed))
    finally:
        session.close()
    return SubmissionMark(
        submission.student, key, "graded",
        exercises=marks,
        notes=tuple(text for _, text in sorted(session.errors.items())),
        digest=submission.digest,
        seed=seed,
        seconds=round(time.perf_counter() - start, 3),
    )  # fmt: skip


def grade_all(submissions, seed, *, jobs=1, sandbox="bubblewrap", exercise_set=None):
    """Grade many submissions, several at a time; yield (submission, mark) in the order in which they are done.

    What goes wrong with one is in its own mark: a grader process that dies is replaced and the submission tried once more, alone.
    """
    arguments = {"sandbox": sandbox, "exercise_set": exercise_set}
    if jobs == 1:
        for submission in submissions:
            yield submission, _guarded(submission, seed, arguments)
        return
    context = multiprocessing.get_context("spawn")
    lost = []
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures = {pool.submit(_guarded, submission, seed, arguments): submission for submission in submissions}
        try:
            for future in concurrent.futures.as_completed(futures):
                try:
                    yield futures[future], future.result()
                except concurrent.futures.process.BrokenProcessPool:
                    lost.append(futures[future])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for submission in lost:
        yield submission, _guarded(submission, seed, arguments)


def _guarded(submission, seed, arguments):
    """Grade; a fault of the grader's own becomes a rejected mark that says so, and the others go on."""
    try:
        return grade(submission, seed, **arguments)
    except Exception as error:
        reason = f"{GRADER_FAULT} ({type(error).__name__}: {error}); this is not the student's fault"
        key = arguments["exercise_set"] or ""
        return SubmissionMark(submission.student, key, "rejected", reason, digest=submission.digest, seed=seed)


def _grade_exercises(exercises, session, seed):
    defined = session.defined([exercise.name for exercise in exercises])
    seeds = [0, *(np.random.SeedSequence([seed, draw]) for draw in range(CLASS_DRAWS))]
    for exercise in exercises:
        callable_ = defined.get(exercise.name)
        if callable_ is None or (not callable_ and exercise.answer in ("function", "class")):
            yield _missing(exercise)
        elif exercise.manual:
            yield _to_read(exercise, session)
        else:
            result = run(exercise, SessionRunner(session, exercise), seeds)
            public = len(list(exercise.cases(np.random.default_rng(0))))
            yield _exercise_mark(exercise, result, public)


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
    return next(case.fault.message for case in result.cases if not case.passed)
