"""The book's text: prose without markup, the same in a checkout and in an installed package."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from mlcourse.data import book, load_book_text
from tests.conftest import ROOT

CHAPTERS = sorted(path.relative_to(ROOT / "book").with_suffix("").as_posix() for path in ROOT.glob("book/[a-z]*/*.md"))

CHAPTER = """---
mlcourse: {minutes: 5}
---
# On *lists*

(place)=
A {term}`vector <vectors>` and a {term}`norm`; see {doc}`/book/math/vectors` and {doc}`the chapter </book/x>` {cite:p}`a1998b`.
It costs $x^2$ steps, **at most**, so `a * b * c` is fine and 2 * 3 * 4 too.

$$
x = 1
$$ (eq-x)

```{code-cell} ipython3
x = "no prose"
```

| a | b |
|:--|:--|

:::{think} Why?
Because [of this](https://example.org/x).
:::

:::{quiz} What is it?
:name: what-is-it
- [ ] Wrong.
  > It is not.
- [x] Right
:::

:::{exercises}
:::

1. First
2. Second
"""


def test_plain_text_keeps_what_a_reader_reads_and_nothing_else():
    assert book.plain_text(CHAPTER).split("\n") == [
        "On lists", "",
        "A vector and a norm; see and the chapter.",
        "It costs steps, at most, so a * b * c is fine and 2 * 3 * 4 too.", "",
        "Why?", "Because of this.", "",
        "What is it?", "", "Wrong.", "It is not.", "Right", "",
        "First", "Second", "",
    ]  # fmt: skip


def test_every_chapter_is_in_the_book_in_the_order_of_names():
    assert load_book_text() == "\n".join(load_book_text(name) for name in CHAPTERS)
    assert all(len(load_book_text(name).split()) > 1000 for name in CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_markup_is_left(name):
    text = load_book_text(name)
    left = [
        word
        for word in ("{term}", "{doc}", "{cite", ":::", "code-cell", "mystnb", "$$", "import numpy")
        if word in text
    ]
    assert left == []
    assert re.findall(r"\n\n\n|[ \t]\n|  ", text) == []


def test_an_unknown_chapter_is_refused_by_name():
    with pytest.raises(LookupError, match=r"no chapter 'math/nothing'; the chapters are .*math/vectors"):
        load_book_text("math/nothing")


def test_without_the_chapters_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(book, "_INSTALLED", tmp_path / "a")
    monkeypatch.setattr(book, "_CHECKED_OUT", tmp_path / "b")
    with pytest.raises(FileNotFoundError, match="install mlcourse from its repository"):
        load_book_text()


def included():
    """What the wheel takes from outside the package: source folder and place."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]


def test_the_wheel_carries_every_part_that_has_chapters():
    parts = {name.split("/")[0] for name in CHAPTERS}
    chapters = {source: place for source, place in included().items() if source.startswith("book/")}
    assert chapters == {f"book/{part}": f"mlcourse/data/book/{part}" for part in parts}


def test_a_package_laid_out_as_the_wheel_has_the_same_text(tmp_path):
    shutil.copytree(ROOT / "src/mlcourse", tmp_path / "mlcourse", ignore=shutil.ignore_patterns("__pycache__"))
    for source, place in included().items():
        shutil.copytree(ROOT / source, tmp_path / place)
    code = "from mlcourse.data import load_book_text; import sys; sys.stdout.buffer.write(load_book_text().encode())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert done.stdout.decode() == load_book_text()
