"""Chapters have the shape that the guide gives: sections, figures, questions, terms, size."""

import re

import pytest

from mlcourse.authoring.course import Course
from mlcourse.authoring.myst import Directive, parse_blocks, read_notebook
from tests.conftest import ROOT

COURSE = Course(ROOT)
each_chapter = pytest.mark.parametrize("chapter", COURSE.chapters, ids=lambda chapter: chapter.slug)
SECTIONS = ["On real data", "When it breaks", "Summary", "What to remember", "Quiz", "Exercises", "Going further"]


def directives(chapter):
    for cell in read_notebook(chapter.path)[1]:
        if cell.kind == "markdown":
            yield from (
                b for b in parse_blocks(cell.source.split("\n"), cell.line, chapter.path) if isinstance(b, Directive)
            )


@each_chapter
def test_sections_are_there_in_order(chapter):
    headings = re.findall(r"^## (.+)$", chapter.path.read_text(), re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    assert 4 <= len(headings) - len(SECTIONS) <= 8, "lessons"


@each_chapter
def test_opening_says_what_the_reader_will_be_able_to_do(chapter):
    text = chapter.path.read_text()
    opening = text[: text.index("\n## ")]
    assert "**You will be able to**" in opening
    assert 3 <= len(re.findall(r"^- ", opening, re.MULTILINE)) <= 6


@each_chapter
def test_questions(chapter):
    names = [block.name for block in directives(chapter)]
    assert 2 <= names.count("think") <= 4
    assert 5 <= names.count("quiz") <= 10
    assert names.count("pretest") == 1
    assert names.count("exercises") == 1


@each_chapter
def test_figures_have_description_caption_and_name(chapter):
    for cell in read_notebook(chapter.path)[1]:
        if cell.kind == "code" and "plt.subplots" in cell.source:
            options = cell.metadata.get("mystnb", {})
            where = f"{chapter.path}:{cell.line}"
            assert len(options.get("image", {}).get("alt", "")) > 20, where
            assert options.get("figure", {}).get("caption"), where
            assert options["figure"]["name"].startswith("fig-"), where


@each_chapter
def test_size(chapter):
    cells = read_notebook(chapter.path)[1]
    assert 15 <= sum(cell.kind == "code" for cell in cells) <= 80
    words = sum(len(cell.source.split()) for cell in cells)
    assert 4000 <= words <= 16000, words


def test_glossary_has_60_terms_in_alphabetical_order():
    text = (ROOT / "book/glossary.md").read_text()
    body = text[text.index("{glossary}") :]
    terms = re.findall(r"^([A-Za-z][^\n]*)\n  ", body, re.MULTILINE)
    assert len(terms) >= 60
    assert [t.lower() for t in terms] == sorted(t.lower() for t in terms)


def test_every_reference_is_cited():
    keys = re.findall(r"^@\w+\{([^,]+),", (ROOT / "book/references.bib").read_text(), re.MULTILINE)
    text = "".join(path.read_text() for path in (ROOT / "book").rglob("*.md"))
    assert len(keys) == len(set(keys))
    assert [key for key in keys if key not in text] == []
