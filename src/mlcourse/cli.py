"""The command line: `mlcourse check`, and for authors `sync` and `book`."""

from __future__ import annotations

import argparse
import sys

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
