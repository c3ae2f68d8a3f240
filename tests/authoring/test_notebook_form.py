"""MyST becomes plain Markdown: nothing is lost, nothing that only MyST understands is left."""

import pytest

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import Cell
from mlcourse.authoring.notebook_form import NotebookForm, notes_text


@pytest.fixture(scope="module")
def form(course):
    return NotebookForm(course)


@pytest.fixture
def plain(form, course):
    path = course.by_slug["math/vectors"].path

    def convert(text, notes=None):
        return form.chapter_text(Cell("markdown", text, {}, 1), path, {} if notes is None else notes)

    return convert


@pytest.mark.parametrize(
    ("myst", "expected"),
    [
        (":::{note}\nMind *this*.\n:::", "> **Note.** Mind *this*."),
        ("```{warning}\nMind.\n```", "> **Warning.** Mind."),
        (":::{seealso}\nThere.\n:::", "> **See also.** There."),
        (":::{admonition} A title\n:class: tip\nText.\n:::", "> **A title.** Text."),
        (":::{margin}\nBeside.\n:::", "> **Aside.** Beside."),
        (":::{prf:proof}\nShort.\n:::", "> **Proof.** Short. ∎"),
        (":::{prf:definition} Norm\nA length.\n:::", "> **Definition** (Norm)**.** A length."),
        (":::{dropdown} More\nText.\n:::", "<details><summary>More</summary>\n\nText.\n\n</details>"),
        (":::{code-block} bash\nls {eq}`x`\n:::", "```bash\nls {eq}`x`\n```"),
        ("```{math}\na = b\n```", "$$\na = b\n$$"),
        ("::::{tab-set}\n:::{tab-item} A\none\n:::\n:::{tab-item} B\ntwo\n:::\n::::", "**A**\n\none\n\n**B**\n\ntwo"),
        ("Text\n\n(my-target)=\n## Heading", "Text\n\n## Heading"),
        ("```python\n{eq}`kept`\n```", "```python\n{eq}`kept`\n```"),
        ("Inline ``{eq}`x` `` stays.", "Inline ``{eq}`x` `` stays."),
    ],
)
def test_directives(plain, myst, expected):
    assert plain(myst) == expected


def test_nested_directives_become_nested_quotes(plain):
    text = plain("::::{note}\nBefore.\n\n:::{tip}\nInside.\n:::\n::::")
    assert text == "> **Note.** Before.\n>\n> > **Tip.** Inside."


def test_term_links_to_the_glossary_of_the_site(plain, course):
    assert plain("A {term}`dot product`.") == f"A [dot product]({course.page_url('book/glossary')}#term-dot-product)."
    assert plain("{term}`Dots <dot product>`").startswith("[Dots](")
    assert plain("{term}`Dot product`").endswith("#term-dot-product)")


def test_role_may_break_over_lines(plain):
    assert plain("a {term}`dot\nproduct`").startswith("a [dot product](")


def test_document_link_has_the_title(plain):
    assert plain("{doc}`/book/python/numpy`").startswith("[")
    assert plain("{doc}`arrays </book/python/numpy>`").startswith("[arrays](")


def test_footnotes_are_numbered_and_collected(plain):
    notes = {}
    assert plain("One[^a], two[^b].\n\n[^a]: First,\n  long.\n[^b]: Second.", notes).count("<sup>[") == 2
    end = notes_text(notes)
    assert '<a id="note-a"></a><sup>1</sup> First, long.' in end
    assert end.index("First") < end.index("Second")


def test_think(plain):
    think = plain(":::{think} Why?\nBecause.\n:::")
    assert think.startswith("> **Stop and think.** Why?")
    assert "Because." in think


@pytest.mark.parametrize(
    ("myst", "line", "words"),
    [
        ("fine\n\n:::{mystery}\n:::", 3, "{mystery} has no notebook form"),
        (":::{note}\nnever closed", 1, "never closed"),
        ("one\ntwo {pep}`8`", 2, "{pep} has no notebook form"),
        ("{eq}`eq-nowhere`", 1, "'eq-nowhere', which does not exist"),
        ("{cite:p}`nobody1900nothing`", 1, "not in book/references.bib"),
        ("{doc}`/book/math/nothing`", 1, "does not exist"),
        ("{term}`no such term`", 1, "is not in book/glossary.md"),
        ("::::{note}\n:::{quiz} Which?\n:name: which\n:::\n::::", 2, "{quiz} stands inside another block"),
        ("::::{note}\n:::{tip}\ninner {nope}`x`\n:::\n::::", 3, "{nope}"),
    ],
)
def test_what_has_no_form_is_an_error_with_its_line(plain, myst, line, words):
    with pytest.raises(SourceError) as caught:
        plain(myst)
    assert caught.value.line == line
    assert words in str(caught.value)
    assert "fix:" in str(caught.value)
