"""The command line: `mlcourse check` and `grade`, and for authors `sync` and `book`."""

from __future__ import annotations

import argparse
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
    check.set_defaults(run=_check)

    grade = commands.add_parser("grade", help="grade a class: submissions in, gradebook and feedback pages out")
    grade.add_argument("submissions", type=Path, help="a folder of <student>/<notebook>.ipynb, a zip, or one notebook")
    grade.add_argument(
        "--exercise", metavar="SET", help="the exercise set, such as math/vectors (by default the notebook says)"
    )
    grade.add_argument(
        "--seed", type=int, help="the class's seed (by default that of the earlier run, or a random one)"
    )
    grade.add_argument("--jobs", type=_positive, default=1, help="how many submissions at a time")
    grade.add_argument("--out", type=Path, default=Path("grades"), help="where the results go (default: grades)")
    grade.add_argument(
        "--sandbox", choices=("bubblewrap", "none"), default="bubblewrap", help="how the students' code is confined"
    )
    grade.set_defaults(run=_grade)

    sync = commands.add_parser("sync", help="derive notebooks/ and exercises/ from book/ and solutions/")
    sync.add_argument("--check", action="store_true", help="write nothing; fail if a derived file is stale")
    sync.set_defaults(run=_sync)

    book = commands.add_parser("book", help="derive, execute and build the site into _build/html")
    book.set_defaults(run=_book)
    return parser


def _check(options):
    from mlcourse.grading.notebook import NotebookError, check_notebook

    try:
        report = check_notebook(options.notebook)
    except NotebookError as error:
        print(f"mlcourse check: {error}", file=sys.stderr)
        return 2
    print(report)
    return 0 if report.passed else 1


def _grade(options):
    from mlcourse.grading.classroom import grade_class, summary
    from mlcourse.grading.gradebook import GradebookError
    from mlcourse.grading.sandbox import SandboxError
    from mlcourse.grading.submissions import NotebookError

    try:
        marks = grade_class(
            options.submissions, options.out,
            exercise_set=options.exercise, seed=options.seed, jobs=options.jobs, sandbox=options.sandbox,
        )  # fmt: skip
    except (NotebookError, SandboxError, GradebookError) as error:
        print(f"mlcourse grade: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; what is graded is kept: give the same command again to go on", file=sys.stderr)
        return 130
    print(summary(marks, options.out))
    return 0


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


def _sync(options):
    return _authoring(_run_sync, options)


def _book(options):
    return _authoring(_run_book, options)


def _authoring(command, options):
    """Run an author's command: its tools are an extra, and its faults have a file and a line."""
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


if __name__ == "__main__":
    sys.exit(main())
