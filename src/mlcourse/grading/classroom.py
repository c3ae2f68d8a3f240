"""`mlcourse grade`: a class's submissions in, a gradebook, files for other systems and feedback pages out.

The folder of results holds personal data, and the class's seed, from which the class's own cases can be drawn. So it is made for its
owner alone, and so is every file in it.
"""

from __future__ import annotations

import functools
import os
import secrets
import sqlite3
import sys
from collections import defaultdict
from contextlib import closing, contextmanager
from pathlib import Path

from tqdm import tqdm

from mlcourse.grading import exports
from mlcourse.grading.apart import why_no_set
from mlcourse.grading.class_report import report_page
from mlcourse.grading.feedback import feedback_page, file_name, visible
from mlcourse.grading.gradebook import Gradebook
from mlcourse.grading.gradebook import waiting as to_read
from mlcourse.grading.jobs import GRADER_FAULT, GradingError, default_jobs, engine_version, grade_all
from mlcourse.grading.reading import reading_page, write_table
from mlcourse.grading.sandbox import SandboxError, why_no_bubblewrap
from mlcourse.grading.submissions import NotebookError, exercise_set_of, find_submissions, read_notebook

UNPROTECTED = """\
Without the sandbox the students' code runs as you. It can read, change and delete your files, use the network, go on running after
the grading, and use all memory. Marks are still computed outside it. Use this for submissions that you trust."""
_LOCK_SECONDS = 600
_LONGEST_LIST = 20


def grade_class(
    source, out, *, exercise_set=None, seed=None, jobs=None, cluster=None, sandbox="bubblewrap", resume=False
):
    """Grade a class and write everything into `out`.

    Submissions that were graded before, unchanged, with the same seed and the same checks, are not graded again. Each mark is
    in the gradebook as soon as it is known, and the reports are written at the end, also where the run is interrupted.

    Parameters
    ----------
    source : Path
        Submissions, as `find_submissions` takes them. Of several notebooks of one student for one exercise set, that with
        the most points counts.
    out : Path
        The folder of results; it may hold those of an earlier run.
    exercise_set : str, optional
        A name, or the path of a teacher's file; by default each notebook says which set it is.
    seed : int, optional
        The class's seed; by default that of the earlier run, or a new random one.
    jobs : int, optional
        How many at a time; by default as many as this machine has cores and memory for.
    cluster : str, optional
        The address of a Dask scheduler, whose workers then grade.
    sandbox : {"bubblewrap", "none"}
    resume : bool
        Go on with an interrupted run: whatever it marked stays, be it with older checks.

    Returns
    -------
    list of SubmissionMark
        The marks of all submissions of this run.

    Raises
    ------
    NotebookError
        If there is nothing to grade.
    SandboxError
        If the sandbox cannot be used here.
    GradingError
        If there is no such exercise set, there is nothing to resume, or the cluster cannot be used.
    """
    _check_exercise_set(exercise_set)
    _check_sandbox(sandbox, cluster)
    if cluster is None and (why := why_no_set(exercise_set, sandbox)):
        raise SandboxError(why)
    submissions = _handed_in(source, out)
    if resume:
        _check_resume(out, seed)
    seed = class_seed(out, seed)
    with _gradebook(out) as book:
        run = _Run(book, exercise_set, seed, resume)
        waiting = [submission for submission in submissions if not run.knows(submission)]
        graded = _graded(waiting, seed, jobs, cluster, sandbox=sandbox, exercise_set=exercise_set)
        try:
            with closing(graded):
                for _, mark in _progress(graded, len(waiting)):
                    run.record(mark)
        finally:
            write_current_reports(book, out, seed, run.standing)
    return run.marks


class _Run:
    """What one run knows of the marks: those from before, and those that it gave."""

    def __init__(self, book, exercise_set, seed, resume):
        self._book, self._exercise_set, self._seed, self._resume = book, exercise_set, seed, resume
        self._version = functools.cache(engine_version)
        self._before = {(mark.student, mark.exercise_set): mark for mark in book.latest(seed=seed)}
        self._of_file = defaultdict(list)
        for mark in self._before.values():
            self._of_file[mark.student, mark.digest].append(mark)
        self._files = set()
        self._counting = {}
        self.marks = []

    def knows(self, submission):
        """Whether this very file has a mark that stays; if so, take it over."""
        submission = submission.read()
        self._files.add((submission.student, submission.digest))
        mark = self._mark_of(submission)
        if mark is not None:
            self.marks.append(mark)
            self._counting[mark.student, mark.exercise_set] = mark
        return mark is not None

    def record(self, mark):
        """Add a mark to the gradebook, unless a better one of this run or a real one from before is there."""
        from mlcourse.exercises import set_name

        self.marks.append(mark)
        key = (mark.student, mark.exercise_set)
        before, counting = self._before.get(key), self._counting.get(key)
        if counting is not None and _rank(counting) >= _rank(mark):
            return
        if _grader_failed(mark) and before is not None and not _grader_failed(before):
            return
        self._counting[key] = mark
        if mark != before:
            wanted = self._exercise_set
            by_this = wanted if wanted and set_name(wanted) == mark.exercise_set else mark.exercise_set
            self._book.record(mark, self._version(by_this))

    def standing(self, marks):
        """Leave out rejections that no longer stand: the file is gone, or it is graded now."""
        students = {student for student, _ in self._files}
        open_ = self._files - {(mark.student, mark.digest) for mark in self.marks if mark.status == "graded"}
        return [m for m in marks if m.exercise_set or m.student not in students or (m.student, m.digest) in open_]

    def _mark_of(self, submission):
        from mlcourse.exercises import exercise_sets, set_name

        marks = self._of_file.get((submission.student, submission.digest), ())
        refused = [m for m in marks if m.status == "rejected" and not _grader_failed(m)]
        if refused and self._resume:
            return refused[0]
        if submission.problem or not marks:
            return None
        try:
            notebook = read_notebook(submission.data)
            wanted = self._exercise_set or exercise_set_of(notebook, submission.file_name, exercise_sets())
        except NotebookError:
            return None
        key = set_name(wanted)
        if self._resume:
            return next((m for m in marks if m.exercise_set == key and m.status == "graded"), None)
        return self._book.cached(submission.student, key, submission.digest, self._seed, self._version(wanted))


def _rank(mark):
    return mark.status == "graded", mark.points, mark.digest


def _grader_failed(mark):
    return mark.status == "rejected" and mark.reason.startswith(GRADER_FAULT)


def _graded(submissions, seed, jobs, cluster, **settings):
    """The generator of (submission, mark), from this machine or from a cluster."""
    if cluster is None or not submissions:
        return grade_all(submissions, seed, jobs=jobs or default_jobs(), **settings)
    from mlcourse.grading.cluster import grade_on_cluster

    return grade_on_cluster(submissions, seed, cluster, **settings)


def _progress(graded, total):
    """Show how far the grading is: a bar in a terminal, elsewhere at most ten lines."""
    for number, pair in enumerate(tqdm(graded, total=total, desc="grading", unit="submission", disable=None), 1):
        yield pair
        if not sys.stderr.isatty() and number * 10 // total > (number - 1) * 10 // total:
            print(f"graded {number} of {total}", file=sys.stderr, flush=True)


def _handed_in(source, out):
    """The submissions, unread; the folder of results may lie among them."""
    found = find_submissions(source, read=False)
    if Path(out).resolve().parent != Path(source).resolve():
        return found
    return [submission for submission in found if submission.student != Path(out).name]


def write_current_reports(book, out, seed, standing=list):
    """Write the reports from what the gradebook holds now, one process at a time: the last one has everything.

    Parameters
    ----------
    book : Gradebook
    out : Path
    seed : int
    standing : callable
        Selects from the gradebook's marks those that belong into the reports.
    """
    with _alone(out):
        write_reports(standing(book.latest(seed=seed)), book.adjustments(), out)


def write_reports(marks, adjustments, out):
    """Write the files that are made from the gradebook."""
    with _private():
        exports.grades_csv(out / "grades.csv", marks, adjustments)
        exports.grades_json(out / "grades.json", marks, adjustments)
        exports.junit_xml(out / "junit.xml", marks, adjustments)
        exports.canvas_csv(out / "canvas.csv", marks, adjustments)
        exports.gradescope(out / "gradescope", marks, adjustments)
        exports.nbgrader_csv(out / "nbgrader.csv", marks, adjustments)
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
    with _private():
        out.mkdir(parents=True, exist_ok=True)
        with _alone(out):
            kept = _kept_seed(out)
            seed = seed if seed is not None else kept if kept is not None else secrets.randbits(63)
            if seed != kept:
                exports.write_whole(out / "class-seed.txt", f"{seed}\n".encode())
    return seed


def _kept_seed(out):
    file = out / "class-seed.txt"
    try:
        return int(file.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        raise GradingError(f"{file} holds no number; remove it, or write the class's seed into it") from None


@contextmanager
def _private():
    """Make new files and folders readable for their owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _alone(out):
    """Keep other graders out: SQLite locks a file on every system, and the lock ends with the process."""
    with _private(), closing(sqlite3.connect(out / "lock", timeout=_LOCK_SECONDS, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _gradebook(out):
    with _private():
        return Gradebook(out / "gradebook.sqlite")


def _check_exercise_set(name):
    from mlcourse.exercises import exercise_set

    try:
        if name is not None:
            exercise_set(name)
    except LookupError as error:
        raise GradingError(str(error)) from None


def _check_sandbox(sandbox, cluster):
    if sandbox == "none":
        print(UNPROTECTED, file=sys.stderr)
    elif cluster is None and (why := why_no_bubblewrap()):
        raise SandboxError(
            f"{why}\nTo grade without protection all the same, add --sandbox none; it says what is then not protected."
        )


def _check_resume(out, seed):
    kept = _kept_seed(out)
    if kept is None or not (out / "gradebook.sqlite").is_file():
        raise GradingError(f"there is no run in {out} to go on with; give its folder with --out, or leave out --resume")
    if seed not in (None, kept):
        raise GradingError(
            f"the run in {out} has another seed than --seed {seed}; leave out --seed to go on with it, "
            "or leave out --resume to grade everybody with the new seed"
        )


def summary(marks, out):
    """What a run found and where to look next, for the terminal."""
    rejected = [mark for mark in marks if mark.status == "rejected"]
    graded = [mark for mark in marks if mark.status == "graded"]
    possible = [mark for mark in graded if mark.max_points]
    lines = [f"{len(graded)} submissions graded, {len(rejected)} rejected"]
    if possible:
        share = sum(mark.points / mark.max_points for mark in possible) / len(possible)
        lines[0] += f"; mean share of the points: {share:.0%}"
    lines += _listed("rejected", [f"{visible(mark.student)}: {visible(mark.reason)}" for mark in rejected])
    lines += _listed("several notebooks for one set, of which the best counts", _several(graded))
    lines += _listed(f"a person must read (see {out / 'to-read.html'})", _to_read(graded, out))
    return "\n".join([
        *lines,
        f"next: open {out / 'class-report.html'}; marks are in {out / 'grades.csv'}, "
        f"a page for each student in {out / 'feedback'}",
    ])  # fmt: skip


def _several(marks):
    count = defaultdict(int)
    for mark in marks:
        count[mark.student, mark.exercise_set] += 1
    return [f"{visible(student)}: {name} ({number})" for (student, name), number in count.items() if number > 1]


def _to_read(marks, out):
    with _gradebook(out) as book:
        adjustments = book.adjustments()
    count = defaultdict(int)
    for mark in marks:
        for exercise in to_read(mark, adjustments):
            count[mark.exercise_set, exercise.title] += 1
    return [f"{name}: {title} ({number} answers)" for (name, title), number in count.items()]


def _listed(title, items):
    if not items:
        return []
    more = [f"… and {len(items) - _LONGEST_LIST} more"] if len(items) > _LONGEST_LIST else []
    return [f"{title}:", *(f"  {item}" for item in [*items[:_LONGEST_LIST], *more])]
