"""Read MyST sources: cells with their line numbers, and the directives inside a text cell."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import lru_cache

from myst_nb.core.read import MystMetadataParsingError, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from mlcourse.authoring.errors import SourceError

EXTENSIONS = {"attrs_inline", "colon_fence", "deflist", "dollarmath", "substitution"}
"""The MyST extensions that chapters may use; a test keeps `_config.yml` equal."""

_OPEN = re.compile(r"^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w:-]+)\}[ ]*(?P<argument>.*)$")
_CODE_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})")
_OPTION = re.compile(r"^:(?P<key>[\w-]+):[ ]*(?P<value>.*)$")


@dataclass(frozen=True)
class Cell:
    """One cell of a MyST notebook; `line` is where its first line stands in the file, from 1."""

    kind: str
    source: str
    metadata: dict
    line: int

    @property
    def tags(self):
        return self.metadata.get("tags", [])


@dataclass(frozen=True)
class Text:
    """Lines outside any directive."""

    lines: list[str]
    line: int


@dataclass(frozen=True)
class Directive:
    """A directive: its name, argument, options and body; `body_line` is where the body begins."""

    name: str
    argument: str
    options: dict[str, str]
    body: list[str]
    line: int
    body_line: int


def read_notebook(path):
    """Read a MyST notebook as the site reads it.

    Returns
    -------
    NotebookNode
        Without its source map, so that it can be executed and cached.
    tuple of Cell
    """
    notebook, cells = _parse(path, path.read_text(encoding="utf-8"))
    return copy.deepcopy(notebook), cells


@lru_cache(maxsize=1000)
def _parse(path, text):
    config = MdParserConfig(enable_extensions=EXTENSIONS)
    try:
        notebook = read_myst_markdown_notebook(text, config, add_source_map=True, path=path)
    except MystMetadataParsingError as error:
        number = int(match[1]) if (match := re.search(r"line (\d+)", str(error))) else 1
        raise SourceError(path, number, str(error), "mend the options of this cell: they are YAML") from None
    lines = text.splitlines()
    starts = notebook.metadata.pop("source_map")
    cells = [
        Cell(cell.cell_type, cell.source, dict(cell.metadata), _first_line(lines, cell, start))
        for cell, start in zip(notebook.cells, starts, strict=True)
    ]
    return notebook, tuple(cells)


def _first_line(lines, cell, start):
    """MyST-NB counts code cells from their fence and text cells from the end of the cell before."""
    first = cell.source.split("\n")[0]
    return next((number for number in range(start, len(lines)) if lines[number] == first), start) + 1


def parse_blocks(lines, first_line, path):
    """Split the lines of a text cell into text and directives; code blocks are text.

    Parameters
    ----------
    lines : list of str
    first_line : int
        Where they begin in the file.
    path : Path
        The file, for errors.

    Returns
    -------
    list of Text or Directive
    """
    blocks, i, text_start = [], 0, 0

    def flush(end):
        if any(line.strip() for line in lines[text_start:end]):
            blocks.append(Text(lines[text_start:end], first_line + text_start))

    while i < len(lines):
        opening = _OPEN.match(lines[i])
        plain = None if opening else _CODE_FENCE.match(lines[i])
        if not (opening or plain):
            i += 1
            continue
        end = _closing(lines, i, (opening or plain)["fence"], path, first_line)
        if opening:
            flush(i)
            blocks.append(_directive(lines, i, end, opening, first_line))
            text_start = end + 1
        i = end + 1
    flush(len(lines))
    return blocks


def _closing(lines, start, fence, path, first_line):
    """The line that closes a fence: the same characters, alone."""
    for i in range(start + 1, len(lines)):
        stripped = lines[i].rstrip()
        if stripped == fence:
            return i
    raise SourceError(
        path, first_line + start, f"`{lines[start].strip()}` is never closed", f"end it with a line `{fence}`"
    )


def _directive(lines, start, end, opening, first_line):
    body, options = lines[start + 1 : end], {}
    skipped = 0
    while body and (option := _OPTION.match(body[0])):
        options[option["key"]] = option["value"].strip()
        body, skipped = body[1:], skipped + 1
    line = first_line + start
    return Directive(opening["name"], opening["argument"].strip(), options, body, line, line + 1 + skipped)
