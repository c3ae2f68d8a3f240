"""The version in each page's footer: which sources it was built from, so that a report about it can be placed.

The optimizing step writes it, after Sphinx: a new commit costs one pass over the files and no page is rendered for it. It has the date of
the commit and not of the build, so that the same sources give the same bytes.
"""

from __future__ import annotations

import subprocess
from datetime import date
from html import escape
from pathlib import Path

_DIGITS = 7


def stamp(course):
    """Return the line of HTML that says which version a page has.

    Parameters
    ----------
    course : Course

    Returns
    -------
    str
        The course's version; if its folder is a clone, also the commit, linked, its date, and whether files have changed since.
    """
    version = f"Version {escape(course.version)}"
    commit = _git(course.root, "show", "--no-patch", "--format=%H %cs", "HEAD")
    if commit is None or not _is_own_repository(course.root):
        return version
    sha, day = commit.split()
    link = f'<a href="{escape(course.repository)}/tree/{sha}">{sha[:_DIGITS]}</a>'
    changed = ", with changes since" if _git(course.root, "status", "--porcelain", "--untracked-files=no") else ""
    return f'{version}, commit {link} of <time datetime="{day}">{_in_words(day)}</time>{changed}'


def _is_own_repository(root):
    """A copy without git may lie inside the repository of something else."""
    top = _git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top).resolve() == root.resolve()


def _git(root, *arguments):
    """What git answers, or None if it cannot."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, encoding="utf-8")
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _in_words(day):
    then = date.fromisoformat(day)
    return f"{then:%B} {then.day}, {then.year}"
