"""Addresses that were published go on working: a page that moves leaves a page behind that leads to the new one."""

from __future__ import annotations

import posixpath

from mlcourse.authoring.course import line_of
from mlcourse.authoring.errors import SourceError

PUBLISHED = "book/addresses.txt"
"""Every page that was ever there; `mlcourse sync` adds to it."""
REDIRECTS = "book/redirects.yml"
"""Where the pages that are gone have moved."""

_HEADER = "# Every page that was ever published. `make sync` adds new ones; a page that is gone needs a line in redirects.yml.\n"
# Without JavaScript the meta element leads on, and the place within the page is lost.
_PAGE = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>This page has moved</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex"><link rel="canonical" href="{canonical}">
<script>location.replace("{target}" + location.search + location.hash)</script>
<noscript><meta http-equiv="refresh" content="0; url={target}"></noscript>
</head><body><main><h1>This page has moved</h1><p><a href="{target}">Go to its new address</a></p></main></body></html>
"""


def read_redirects(course):
    """Return where each page that has moved is now.

    Parameters
    ----------
    course : Course

    Returns
    -------
    dict of str to str
        Old page to new page, both as in `_toc.yml`.

    Raises
    ------
    SourceError
        If a target does not exist or is itself a redirect, or if a page is still where it is said to have moved from.
    """
    path = course.root / REDIRECTS
    redirects = course.read_yaml(REDIRECTS) or {} if path.exists() else {}
    if not isinstance(redirects, dict):
        raise SourceError(path, 1, "these are not redirects", "write one a line: `book/old/page: book/new/page`")
    for old, new in redirects.items():
        problem = _problem(course, redirects, old, new)
        if problem:
            raise SourceError(path, line_of(path, str(old)), *problem)
    return redirects


def _problem(course, redirects, old, new):
    """What is wrong with a redirect and what to do about it, or None."""
    for page in (old, new):
        if not str(page).startswith("book/") or str(page).endswith((".html", ".md")):
            return f"{page!r} is not a page", "write pages as in _toc.yml, such as book/math/vectors"
    if old in course.pages:
        return f"{old} has not moved: it is in _toc.yml", "take the redirect or the page out"
    if new in redirects:
        chain = [old, new]
        while chain[-1] in redirects and chain.count(chain[-1]) == 1:
            chain.append(redirects[chain[-1]])
        if chain[-1] in redirects:
            return f"redirects go in a circle: {' → '.join(chain)}", "lead one of them to a page"
        return f"{new} has moved too: {' → '.join(chain)}", f"write `{old}: {chain[-1]}`"
    if new not in course.pages:
        return f"{old} leads to {new}, which does not exist", f"the pages are {', '.join(course.pages)}"
    return None


def write_redirects(course, site):
    """Write a page at every old address that leads to the new one, with the place in the page that was asked for.

    Where a chapter has moved, the page of its exercises has moved with it.

    Parameters
    ----------
    course : Course
    site : Path
        The built site; Sphinx has removed the redirects of the build before.

    Returns
    -------
    list of Path
        The pages written.
    """
    written = []
    redirects = read_redirects(course)
    exercises = {f"book/{chapter.slug}": f"exercises/{chapter.slug}" for chapter in course.chapters}
    moved = {
        old.replace("book/", "exercises/", 1): exercises[new] for old, new in redirects.items() if new in exercises
    }
    for old, new in {**redirects, **moved}.items():
        path = site / f"{old}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        target = posixpath.relpath(f"{new}.html", posixpath.dirname(old))
        path.write_text(_PAGE.format(target=target, canonical=course.page_url(new)), encoding="utf-8")
        written.append(path)
    return written


def keep_addresses(course, *, check=False):
    """Add new pages to the list of all that were ever published, or only compare.

    Returns
    -------
    list of str
        The list's file, if it lacked a page.

    Raises
    ------
    SourceError
        If a page that was published is gone and nothing leads on from its address.
    """
    path = course.root / PUBLISHED
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    published = [line for line in lines if line and not line.startswith("#")]
    redirects = read_redirects(course)
    for page in published:
        if page not in course.pages and page not in redirects:
            raise SourceError(
                path,
                line_of(path, page),
                f"{page} was published and is gone, and so are the readers who come from a link",
                f"write `{page}: <where it is now>` into {REDIRECTS}; if it was never published, remove this line",
            )
    if set(course.pages) <= set(published):
        return []
    if not check:
        path.write_text(_HEADER + "\n".join(sorted({*published, *course.pages})) + "\n", encoding="utf-8")
    return [PUBLISHED]
