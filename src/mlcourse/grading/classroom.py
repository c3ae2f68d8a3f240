"""`mlcourse grade`: a class's submissions in, a gradebook, files for other systems and feedback pages out."""

from __future__ import annotations

import hashlib
import secrets
import sys
from pathlib import Path

from tqdm import tqdm

from mlcourse import __version__
from mlcourse.grading import exports
from mlcourse.grading.class_report import report_page
from mlcourse.grading.feedback import feedback_page, file_name, visible
from mlcourse.grading.grade import GRADER_FAULT, grade_all
from mlcourse.grading.gradebook import Gradebook
from mlcourse.grading.reading import reading_page, write_table
from mlcourse.grading.sandbox import SandboxError, why_no_bubblewrap
from mlcourse.grading.submissions import NotebookError, exercise_set_of, find_submissions, read_notebook

UNPROTECTED = """\
Without the sandbox the students' code runs as you. It can read, change and delete your files, use the network, go on running after
the grading, and use all memory. Marks are still computed outside it. Use this for submissions that you trust."""


def grade_class(source, out, *, exercise_set=None, seed=None, jobs=1, sandbox="bubblewrap"):
    """Grade a class and write everything into `out`.

    Submissions that were graded before, with the same seed and unchanged, are not graded again.

    Parameters
    ----------
    source : Path
        Submissions, as `find_submissions` takes them.
    out : Path
        The folder of results; it may hold those of an earlier run.
    exercise_set : str, optional
    seed : int, optional
        The class's seed; by default that of the earlier run, or a new random one.
    jobs : int
    sandbox : {"bubblewrap", "none"}

    Returns
    -------
    list of SubmissionMark
        The marks of all submissions of this run.

    Raises
    ------
    NotebookError
        If there is nothing to grade, or no such exercise set.
    SandboxError
        If the sandbox cannot be used here.
    """
    _check_exercise_set(exercise_set)
    _check_sandbox(sandbox)
    submissions = find_submissions(source)
    out.mkdir(parents=True, exist_ok=True)
    seed = class_seed(out, seed)
    marks = []
    with Gradebook(out / "gradebook.sqlite") as book:
        waiting = []
        for submission in submissions:
            known = _cached(book, submission, exercise_set, seed)
            (marks if known else waiting).append(known or submission)
        graded = grade_all(waiting, seed, jobs=jobs, sandbox=sandbox, exercise_set=exercise_set)
        try:
            for _, mark in tqdm(graded, total=len(waiting), desc="grading", unit="submission", disable=not waiting):
                if not mark.reason.startswith(GRADER_FAULT):  # it must not replace an earlier mark
                    book.record(mark, engine_version(mark.exercise_set))
                marks.append(mark)
        finally:
            write_reports(_current(book.latest(seed=seed), marks), book.adjustments(), out)
    return marks


def write_reports(marks, adjustments, out):
    """Write the files that are made from the gradebook."""
    exports.grades_csv(out / "grades.csv", marks, adjustments)
    exports.grades_json(out / "grades.json", marks, adjustments)
    exports.junit_xml(out / "junit.xml", marks, adjustments)
    exports.canvas_csv(out / "canvas.csv", marks, adjustments)
    exports.gradescope(out / "gradescope", marks, adjustments)
    (out / "feedback").mkdir(exist_ok=True)
    for mark in marks:
        page = feedback_page(mark, adjustments)
        exports.write_whole(out / "feedback" / file_name(mark.student, mark.exercise_set), page.encode())
    exports.write_whole(out / "class-report.html", report_page(marks, adjustments).encode())
    if any(exercise.status == "manual" for mark in marks for exercise in mark.exercises):
        exports.write_whole(out / "to-read.html", reading_page(marks, adjustments).encode())
        write_table(out / "to-read.csv", marks, adjustments)


def class_seed(out, seed):
    """Return the seed to use, and keep it beside the results: another run must draw the same cases."""
    file = out / "class-seed.txt"
    if seed is None:
        seed = int(file.read_text()) if file.exists() else secrets.randbits(63)
    file.write_text(f"{seed}\n")
    return seed


def _check_exercise_set(name):
    from mlcourse.exercises import exercise_sets

    if name is not None and name not in exercise_sets():
        raise NotebookError(f"there is no exercise set {name!r}; the sets are {', '.join(exercise_sets())}")


def _check_sandbox(sandbox):
    if sandbox == "none":
        print(UNPROTECTED, file=sys.stderr)
    elif why := why_no_bubblewrap():
        raise SandboxError(
            f"{why}\nTo grade without protection all the same, add --sandbox none; it says what is then not protected."
        )


def _cached(book, submission, exercise_set, seed):
    from mlcourse.exercises import exercise_sets

    if submission.problem:
        return None
    try:
        key = exercise_set or exercise_set_of(read_notebook(submission.data), submission.file_name, exercise_sets())
    except NotebookError:
        return None
    return book.cached(submission.student, key, submission.digest, seed, engine_version(key))


def engine_version(exercise_set):
    """What marks depend on besides the submission and the seed: the checks of the set, and the code that runs them."""
    package = Path(__file__).parents[1]
    files = sorted((package / "grading").glob("*.py"))
    if exercise_set:
        files.append(package / "exercises" / f"{exercise_set.replace('-', '_')}.py")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{__version__}-{digest[:16]}"


def _current(recorded, marks):
    """Leave out rejections of files that are no longer among the submissions."""
    now = {(mark.student, mark.digest) for mark in marks}
    return [mark for mark in recorded if mark.exercise_set or (mark.student, mark.digest) in now]


def summary(marks, out: Path):
    """What a run found, for the terminal."""
    rejected = [mark for mark in marks if mark.status == "rejected"]
    graded = [mark for mark in marks if mark.status == "graded"]
    lines = [f"{len(graded)} submissions graded, {len(rejected)} rejected; results are in {out}"]
    if graded:
        mean = sum(mark.points / mark.max_points for mark in graded) / len(graded)
        lines.append(f"mean share of the points: {mean:.0%}")
    lines += [f"rejected: {visible(mark.student)}: {visible(mark.reason)}" for mark in rejected]
    return "\n".join(lines)
