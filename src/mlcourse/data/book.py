"""The prose of this book: the corpus of every chapter that works with text."""

from __future__ import annotations

import re
from pathlib import Path

_INSTALLED = Path(__file__).parent / "book"
_CHECKED_OUT = Path(__file__).parents[3] / "book"
_TITLED = ("think", "quiz", "margin", "admonition", "dropdown")
_FENCED = re.compile(r"^ *(?P<mark>`{3,}|~{3,}).*?^ *(?P=mark)`* *$\n?", re.MULTILINE | re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r"^\$\$.*?\$\$.*?$\n?", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"^:{3,}(?:\{(?P<name>[\w:-]+)\} *(?P<title>.*))?$")
_NO_PROSE = re.compile(r"^(?:\||\+\+\+|:[\w-]+:|\([\w-]+\)=)")
_MARKER = re.compile(r"^ *(?:#+ |> ?|- \[[ x]\] |- |\d+\. )+")
_TITLED_ROLE = re.compile(r"\{[\w:]+\}`([^`<]+?) *<[^`>]*>`")
_TERM = re.compile(r"\{term\}`([^`]+)`")
_ROLE = re.compile(r" ?\{[\w:]+\}`[^`]*`")
_INLINE_FORMULA = re.compile(r" ?\$[^$\n]+\$")
_CODE = re.compile(r"(`+)(.+?)\1")
_LINK = re.compile(r"!?\[([^\]]+)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w*])")


def load_book_text(chapter=None):
    """Load the prose of this book: what its chapters say, without code, formulas, tables and markup.

    In a checkout of the repository it is read from the folder ``book``; an installed package carries the chapters with it.
    It grows with the book, so let results that depend on it be computed, not typed.

    Parameters
    ----------
    chapter : str, optional
        Part and chapter, such as ``"math/vectors"``; by default all chapters, in alphabetical order of these names.

    Returns
    -------
    str
        One line for each paragraph, heading and item of a list, with an empty line between blocks.

    Raises
    ------
    LookupError
        If there is no such chapter.
    FileNotFoundError
        If the package was installed without the chapters.

    Examples
    --------
    >>> load_book_text("math/vectors").splitlines()[0]
    'Vectors'
    """
    folder = _folder()
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.glob("[a-z]*/*.md")}
    if chapter is not None and chapter not in files:
        raise LookupError(f"there is no chapter {chapter!r}; the chapters are {', '.join(sorted(files))}")
    names = sorted(files) if chapter is None else [chapter]
    return "\n".join(plain_text(files[name].read_text(encoding="utf-8")) for name in names)


def _folder():
    for folder in (_INSTALLED, _CHECKED_OUT):
        if any(folder.glob("[a-z]*/*.md")):
            return folder
    raise FileNotFoundError(
        f"the chapters of the book are neither in {_INSTALLED} nor in {_CHECKED_OUT}; "
        "install mlcourse from its repository, or work in a checkout of it"
    )


def plain_text(markdown):
    """Take the prose out of a chapter.

    Parameters
    ----------
    markdown : str
        A chapter in MyST Markdown.

    Returns
    -------
    str

    Examples
    --------
    >>> print(plain_text("# Title\\n\\nA {term}`vector <vector>` **x** has length $d$, see `len`.\\n\\n- [x] Right."), end="")
    Title
    <BLANKLINE>
    A vector x has length, see len.
    <BLANKLINE>
    Right.
    """
    for pattern in (_FRONT_MATTER, _FENCED, _FORMULA):
        markdown = pattern.sub("", markdown)
    lines = [_plain_line(line) for line in markdown.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _plain_line(line):
    directive = _DIRECTIVE.match(line)
    if directive:
        name = directive["name"] or ""
        line = directive["title"] if name in _TITLED or name.startswith("prf:") else ""
    if _NO_PROSE.match(line):
        return ""
    line = _MARKER.sub("", line)
    line = _TERM.sub(r"\1", _TITLED_ROLE.sub(r"\1", line))
    line = _INLINE_FORMULA.sub("", _ROLE.sub("", line))
    between = _CODE.split(line)  # text, ticks, code, text, ticks, code, …, text
    between[::3] = [_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text)) for text in between[::3]]
    between[1::3] = [""] * len(between[1::3])
    return re.sub(r" {2,}", " ", "".join(between)).strip()
