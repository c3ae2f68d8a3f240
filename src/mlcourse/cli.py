"""The command line: `mlcourse check` and `grade`, and for authors `sync`, `book` and `links`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from mlcourse import __version__

_NEEDS_BOOK = "this command needs the tools for authors: pip install -e '.[book]' in a clone of the repository"


def main(arguments=None):
    """Run one command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="mlcourse", description="The interactive course: check exercises, derive notebooks, build the book."
    )
    parser.add_argument("--version", action="version", version=f"mlcourse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="mark the exercises in a notebook")
    check.add_argument("notebook", help="the notebook, such as exercises/math/vectors.ipynb")
    check.add_argument(
        "--exercise", metavar="SET", help="the exercise set, or a file of exercises (by default the notebook says)"
    )
    check.set_defaults(run=_check)

    grade = commands.add_parser("grade", help="grade a class: submissions in, gradebook and feedback pages out")
    grade.add_argument("submissions", type=Path, help="a folder of <student>/<notebook>.ipynb, a zip, or one notebook")
    grade.add_argument(
        "--exercise",
        metavar="SET",
        help="the exercise set, such as math/vectors, or the path of a Python file of your own (default: the notebook says)",
    )
    grade.add_argument(
        "--seed", type=_not_negative, help="the class's seed (default: that of the earlier run, or a random one)"
    )
    grade.add_argument("--out", type=Path, default=Path("grades"), help="where the results go (default: grades)")
    grade.add_argument("--resume", action="store_true", help="go on with an interrupted run; all its marks stay")
    where = grade.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=_positive, metavar="N", help="submissions at a time (default: the cores and memory decide)"
    )
    where.add_argument("--cluster", metavar="ADDRESS", help="grade on the Dask cluster with this scheduler")
    grade.add_argument(
        "--sandbox", choices=("bubblewrap", "none"), default="bubblewrap", help="how the students' code is confined"
    )
    grade.set_defaults(run=_grade)

    export = commands.add_parser("export", help="write the exercises, or a class's marks, for another system")
    export.add_argument("system", choices=("nbgrader",), help="the system that they are for")
    export.add_argument(
        "--set", nargs="+", default=[], metavar="SET", help="exercise sets, such as math/vectors (default: all)"
    )
    export.add_argument(
        "--grades", type=Path, metavar="FOLDER", help="write the marks that `mlcourse grade` left here to its gradebook"
    )
    export.add_argument(
        "--out", type=Path, default=Path("nbgrader-course"), help="its course directory (default: nbgrader-course)"
    )
    export.set_defaults(run=_export)

    adjust = commands.add_parser("adjust", help="give or take points in a gradebook, with who and why")
    adjust.add_argument("out", type=Path, help="the folder that `mlcourse grade` wrote")
    adjust.add_argument("student", nargs="?", help="as in grades.csv")
    adjust.add_argument("exercise_set", nargs="?", metavar="set", help="such as math/vectors")
    adjust.add_argument("points", nargs="?", type=float, help="negative to take points away, such as -2.5")
    adjust.add_argument("--exercise", default="", help="the one exercise that is meant")
    adjust.add_argument("--by", required=True, metavar="NAME", help="who decides")
    adjust.add_argument("--why", metavar="TEXT", help="the reason, which the student reads")
    adjust.add_argument(
        "--from", dest="table", type=Path, metavar="CSV", help="take the points of a filled-in to-read.csv"
    )
    adjust.set_defaults(run=_adjust)

    progress = commands.add_parser("progress", help="show how far you are in the exercises and quizzes")
    progress.add_argument(
        "--import", dest="file", metavar="FILE", help="first take in what the site's page “Your progress” saved"
    )
    progress.set_defaults(run=_progress)

    doctor = commands.add_parser("doctor", help="say what the course and grading need here, and what is missing")
    doctor.set_defaults(run=_doctor)

    sync = commands.add_parser("sync", help="derive notebooks/ and exercises/ from book/ and solutions/")
    sync.add_argument("--check", action="store_true", help="write nothing; fail if a derived file is stale")
    sync.set_defaults(run=_sync)

    book = commands.add_parser("book", help="derive, execute and build the site into _build/html")
    book.set_defaults(run=_book)

    links = commands.add_parser("links", help="check the links of the built site")
    links.add_argument(
        "--external", action="store_true", help="also ask other hosts for the pages that are linked there"
    )
    links.set_defaults(run=_links)
    return parser


def _check(options):
    from mlcourse.grading.notebook import NotebookError, check_notebook

    try:
        report = check_notebook(options.notebook, options.exercise)
    except NotebookError as error:
        print(f"mlcourse check: {error}", file=sys.stderr)
        return 2
    print(report)
    return 0 if report.passed else 1


def _grade(options):
    from mlcourse.grading.classroom import grade_class, summary
    from mlcourse.grading.gradebook import GradebookError
    from mlcourse.grading.jobs import GradingError
    from mlcourse.grading.sandbox import SandboxError
    from mlcourse.grading.submissions import NotebookError

    try:
        with _term_like_ctrl_c():
            marks = grade_class(
                options.submissions, options.out, exercise_set=options.exercise, seed=options.seed, jobs=options.jobs,
                cluster=options.cluster, sandbox=options.sandbox, resume=options.resume,
            )  # fmt: skip
    except (NotebookError, SandboxError, GradebookError, GradingError) as error:
        print(f"mlcourse grade: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            f"stopped; the marks given so far are in {options.out}: to go on, give the same command with --resume",
            file=sys.stderr,
        )
        return 130
    print(summary(marks, options.out))
    return 0


def _export(options):
    from mlcourse.grading.nbgrader import NbgraderError, import_grades

    if options.grades is None:
        return _authoring(_run_export, options)
    try:
        scores = import_grades(options.grades, options.out)
    except NbgraderError as error:
        print(f"mlcourse export: {error}", file=sys.stderr)
        return 2
    print("\n".join(f"{student}: {name}: {points:g} points" for (student, name), points in scores.items()))
    print(f"{len(scores)} submissions are in nbgrader's gradebook of {options.out}")
    return 0


def _run_export(options):
    from mlcourse.authoring.course import Course, find_root
    from mlcourse.grading.nbgrader import NbgraderError, export_course

    try:
        files = export_course(Course(find_root()), options.out, options.set)
    except (LookupError, NbgraderError) as error:
        print(f"mlcourse export: {error}", file=sys.stderr)
        return 2
    print("\n".join(f"written: {path}" for path in files))
    return 0


def _adjust(options):
    from mlcourse.grading.adjust import adjust_from_table, adjust_one
    from mlcourse.grading.gradebook import GradebookError
    from mlcourse.grading.reading import ReadingError

    one = (options.student, options.exercise_set, options.points, options.why)
    given = [value is not None for value in one]
    if not (all(given) if options.table is None else not any(given)):
        print(
            "mlcourse adjust: give either student, set, points and --why, or --from to-read.csv;\n"
            '  for example: mlcourse adjust grades anna math/vectors -2 --by "B. Lee" --why "a day late"',
            file=sys.stderr,
        )
        return 2
    try:
        if options.table is not None:
            readings = adjust_from_table(options.out, options.table, by=options.by)
            print(f"{len(readings)} answers read; reports in {options.out} are written anew")
            return 0
        student, exercise_set, points, why = one
        total = adjust_one(
            options.out, student, exercise_set, points, by=options.by, why=why, exercise=options.exercise
        )
        print(f"{student} has {total:g} points in {exercise_set} now; reports in {options.out} are written anew")
        return 0
    except (GradebookError, ReadingError, LookupError, ValueError) as error:
        print(f"mlcourse adjust: {error}", file=sys.stderr)
        return 2


def _progress(options):
    from mlcourse.exercises import progress
    from mlcourse.exercises.site_file import SiteFileError, import_site_file

    try:
        if options.file:
            print(import_site_file(options.file))
    except SiteFileError as error:
        print(f"mlcourse progress: {error}", file=sys.stderr)
        return 2
    print(progress())
    return 0


def _doctor(options):
    try:
        from mlcourse.grading.doctor import as_text, examine, works_here
    except ImportError as error:
        print(f"problem  packages  {error}; install the course again: pip install --upgrade mlcourse")
        return 1
    findings = examine()
    print(as_text(findings))
    return 0 if works_here(findings) else 1


@contextlib.contextmanager
def _term_like_ctrl_c():
    """Let SIGTERM end the command as Ctrl-C does: what is done is kept."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _positive(text):
    return _at_least(1, text)


def _not_negative(text):
    return _at_least(0, text)


def _at_least(least, text):
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number; got {text!r}") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}; got {number}")
    return number


def _sync(options):
    return _authoring(_run_sync, options)


def _book(options):
    return _authoring(_run_book, options)


def _links(options):
    return _authoring(_run_links, options)


def _authoring(command, options):
    """Run an author's command: its tools are an extra, and its faults have a file and a line."""
    from mlcourse.authoring import start_fast

    start_fast()
    try:
        import mlcourse.authoring.sync  # noqa: F401
        from mlcourse.authoring.errors import SourceError
    except ModuleNotFoundError as error:
        print(f"mlcourse: {error}; {_NEEDS_BOOK}", file=sys.stderr)
        return 2
    try:
        return command(options)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1


def _run_sync(options):
    from mlcourse.authoring.course import Course, find_root
    from mlcourse.authoring.sync import sync

    stale = sync(Course(find_root()), check=options.check)
    if options.check and stale:
        print("\n".join(f"stale: {path}" for path in stale), file=sys.stderr)
        print("  fix: run `make sync` (or `mlcourse sync`) and commit what it writes", file=sys.stderr)
        return 1
    print("\n".join(f"written: {path}" for path in stale) or "everything is up to date")
    return 0


def _run_book(options):
    from mlcourse.authoring.build import build
    from mlcourse.authoring.course import find_root

    return build(find_root())


def _run_links(options):
    from mlcourse.authoring.course import Course, find_root
    from mlcourse.authoring.links import report

    course = Course(find_root())
    text, broken = report(course, course.root / "_build/html", external=options.external)
    print(text)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
