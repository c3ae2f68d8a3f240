"""The directive `explorable` in a chapter's sources: its form in the notebook, and what is refused."""

import json
import re

import pytest

from mlcourse.authoring.course import Course
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.explorables import split_at_explorables
from mlcourse.authoring.myst import Cell
from mlcourse.authoring.sync import derive
from mlcourse.explorables import NAMES, about
from tests.conftest import ROOT

USED = {
    name: path.relative_to(ROOT / "book").with_suffix("").as_posix()
    for path in (ROOT / "book").rglob("*.md")
    for name in re.findall(r"^:::\{explorable\} (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def split(text, path=ROOT / "book/x.md"):
    return list(split_at_explorables(Cell("markdown", text, {}, 10), path))


def test_every_explorable_is_on_a_page():
    assert set(USED) == set(NAMES)


@pytest.mark.parametrize("name", [name for name, page in USED.items() if page != "index"])
def test_notebook_has_question_code_and_words(name, course):
    notebook = json.loads((ROOT / f"notebooks/{USED[name]}.ipynb").read_text())
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    place = cells.index(("code", f'from mlcourse.explorables import show\n\nshow("{name}")'))
    kind, text = cells[place - 1]
    assert kind == "markdown" and about(name)["question"] in text
    kind, text = cells[place + 1]
    assert kind == "markdown" and "<details><summary>In words</summary>" in text


def test_a_cell_is_cut_with_its_lines():
    text = "before\n\n:::{explorable} projection\nwords\n:::\n\nafter\n:::{explorable} digit\nmore\n:::"
    cells = split(text)
    assert [(c.kind, c.line) for c in cells if c.source.strip()] == [
        ("markdown", 10),
        ("markdown", 12),
        ("code", 12),
        ("markdown", 12),
        ("markdown", 15),
        ("markdown", 17),
        ("code", 17),
        ("markdown", 17),
    ]
    sources = [c.source for c in cells]
    assert (
        sources[0] == "before\n" and sources[3] == ":::{explorable} projection\nwords\n:::" and sources[4] == "\nafter"
    )


def test_a_cell_without_explorables_stays_whole():
    assert [c.source for c in split("one\n\n:::{note}\ntwo\n:::\nthree")] == ["one\n\n:::{note}\ntwo\n:::\nthree"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ":::{explorable} projektion\nwords\n:::",
            r"x\.md:10.*there is no explorable 'projektion'; did you mean 'projection'",
        ),
        ("\n:::{explorable} digit\n:::", r"x\.md:11.*has no text for readers who cannot see it"),
    ],
)
def test_faults_are_refused_with_their_place(text, message):
    with pytest.raises(SourceError, match=message):
        split(text)


def test_a_chapter_with_a_fault_is_not_derived(sources):
    path = sources / "book/math/vectors.md"
    path.write_text(path.read_text().replace(":::{explorable} projection", ":::{explorable} projektion"))
    with pytest.raises(SourceError, match=r"vectors\.md:\d+"):
        derive(Course(sources))
