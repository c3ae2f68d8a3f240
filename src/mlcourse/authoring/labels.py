"""The numbers of figures, equations and theorems, as the site counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import Directive, parse_blocks, read_notebook

_EQUATION = re.compile(r"^\$\$\s*\((?P<label>[\w:.-]+)\)\s*$")
_TARGET = re.compile(r"^\((?P<label>[\w:.-]+)\)=\s*$")
_HEADING = re.compile(r"^#+ (?P<title>.+)$")


@dataclass(frozen=True)
class Label:
    """Something that can be referred to: its kind, its number or title, and its address on the site."""

    kind: str
    text: str
    url: str


class Labels(dict):
    """Every label of the chapters, by name."""

    def __init__(self, course):
        super().__init__()
        self._course = course
        for chapter in course.chapters:
            self._read(chapter)

    def _read(self, chapter):
        self._counts = {}
        for cell in read_notebook(chapter.path)[1]:
            if cell.kind == "markdown":
                self._read_text(cell.source.split("\n"), cell.line, chapter)
            elif "figure" in cell.metadata.get("mystnb", {}):
                self._number("fig", cell.metadata["mystnb"]["figure"].get("name"), chapter, cell.line)

    def _read_text(self, lines, line, chapter):
        for block in parse_blocks(lines, line, chapter.path):
            if not isinstance(block, Directive):
                self._read_lines(block, chapter)
            elif block.name == "math":
                if "label" in block.options:
                    self._number("eq", block.options["label"], chapter, block.line)
            elif block.name == "figure":
                self._number("fig", block.options.get("name"), chapter, block.line)
            elif block.name.startswith("prf:"):
                if block.name != "prf:proof":
                    self._number(block.name, block.options.get("label"), chapter, block.line)
                self._read_text(block.body, block.body_line, chapter)
            elif block.name != "code-block":
                self._read_text(block.body, block.body_line, chapter)

    def _read_lines(self, block, chapter):
        target = None
        for line in block.lines:
            if match := _EQUATION.match(line):
                self._number("eq", match["label"], chapter, block.line)
            elif match := _TARGET.match(line):
                target = match["label"]
            elif target and (match := _HEADING.match(line)):
                self._add(target, Label("ref", match["title"], self._url(chapter, target)), chapter, block.line)
                target = None

    def _number(self, kind, label, chapter, line):
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if label is None:
            return
        number = f"{chapter.number}.{self._counts[kind]}"
        prefix = {"eq": "equation-"}.get(kind, "")
        self._add(label, Label(kind, number, self._url(chapter, prefix + label)), chapter, line)

    def _add(self, name, label, chapter, line):
        if name in self:
            raise SourceError(
                chapter.path, line, f"the label {name!r} is used twice", "begin labels with the chapter's name"
            )
        self[name] = label

    def _url(self, chapter, anchor):
        return f"{self._course.page_url(f'book/{chapter.slug}')}#{anchor}"
