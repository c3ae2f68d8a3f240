"""Solutions are taken out as their markers say, and wrong markers are errors with their line."""

import pytest

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.exercises import exercise_cells, take_out_solution

SOLVED = '''def f(x):
    """Doc."""
    # solution
    y = 2 * x
    return y
    # end solution'''


def test_solution_becomes_an_error_that_says_so():
    starter = take_out_solution(SOLVED, "x.md", 1)
    assert "2 * x" not in starter
    assert '"""Doc."""' in starter
    names = {}
    exec(starter, names)
    with pytest.raises(NotImplementedError, match="f is not written yet"):
        names["f"](1)


def test_starter_lines_are_handed_out_with_their_indentation():
    lines = ["def f(x):", "    # solution", "    return 2 * x", "    # starter"]
    lines += ["    #| if x:", "    #|     return x", "    #|", "    #| return 3", "    # end solution"]
    source = "\n".join(lines)
    assert take_out_solution(source, "x.md", 1) == "def f(x):\n    if x:\n        return x\n\n    return 3"


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("def f():\n    # solution\n    return 1", 12, "never ended"),
        ("def f():\n    # end solution", 12, "without a beginning"),
        ("def f():\n    # solution\n    # solution\n    # end solution", 13, "inside a solution"),
        ("# solution\nprint(1)\n# end solution", 11, "must define the function"),
    ],
)
def test_wrong_markers(source, line, words):
    with pytest.raises(SourceError, match=words) as caught:
        take_out_solution(source, "x.md", 11)
    assert caught.value.line == line


NOTEBOOK = """---
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# Title

:::{exercise} f
:::

Write f.

```{code-cell} ipython3
def f(x):
    # solution
    return x
    # end solution
```
"""


def walk(tmp_path, text, known=("f",)):
    path = tmp_path / "x.md"
    path.write_text(text)
    return list(exercise_cells(path, list(known)))


def test_exercises_are_found(tmp_path):
    found = [(announced, asked) for _, announced, asked in walk(tmp_path, NOTEBOOK)]
    assert found == [("f", None), (None, "f")]


@pytest.mark.parametrize(
    ("change", "known", "words"),
    [
        (("{exercise} f", "{exercise} g"), ("f",), "'g' has no check"),
        (("def f", "def g"), ("f",), "belongs to no announced exercise"),
        (("    # solution\n", ""), ("f",), "without a beginning|has no code cell"),
        (("", ""), ("f", "g"), "no solution for g"),
    ],
)
def test_solutions_and_checks_that_do_not_agree(tmp_path, change, known, words):
    with pytest.raises(SourceError, match=words):
        for cell, _, asked in walk(tmp_path, NOTEBOOK.replace(*change), known):
            if asked:
                take_out_solution(cell.source, "x.md", 1)


def test_cells_tagged_solution_are_left_out(tmp_path):
    text = (
        NOTEBOOK
        + '\n+++ {"tags": ["solution"]}\n\nExplained.\n\n```{code-cell} ipython3\n:tags: [solution]\n\nf(1)\n```\n'
    )
    assert len(walk(tmp_path, text)) == 2
