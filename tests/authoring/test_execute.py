"""Chapters are executed once for their code and the package's, in parallel, and a failing cell has a place."""

import pytest

from mlcourse.authoring import execute as module
from mlcourse.authoring.course import Chapter, Facts
from mlcourse.authoring.errors import SourceError

CHAPTER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# Title

Prose.

```{code-cell} ipython3
print(1 + 1)
```
"""


class TinyCourse:
    """A course of one chapter, with what `execute` asks of it."""

    def __init__(self, root):
        self.root = root
        self.config = {"execute": {"timeout": 30}}
        path = root / "book/part/chapter.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.chapters = (Chapter("part/chapter", "Title", path, Facts(1, (), 1, 1, "none"), 1),)
        (root / "src/mlcourse").mkdir(parents=True, exist_ok=True)
        (root / "requirements.lock").write_text("a==1\n")

    def write(self, text):
        self.chapters[0].path.write_text(text)
        return module.execute(self)


def test_what_is_executed_again(tmp_path):
    course = TinyCourse(tmp_path)
    assert course.write(CHAPTER) == ["part/chapter"]
    assert course.write(CHAPTER) == []
    assert course.write(CHAPTER.replace("Prose.", "Other prose.")) == [], "a prose edit executed cells"
    assert course.write(CHAPTER.replace("1 + 1", "1 + 2")) == ["part/chapter"]


def test_only_a_chapter_that_uses_the_code_is_executed_again(tmp_path):
    course = TinyCourse(tmp_path)
    used, other = tmp_path / "src/mlcourse/used.py", tmp_path / "src/mlcourse/other.py"
    for path in (tmp_path / "src/mlcourse/__init__.py", used, other):
        path.write_text("")
    text = CHAPTER.replace("print", "if False:\n    import mlcourse.used\nprint")
    assert course.write(text) == ["part/chapter"]
    other.write_text("x = 1\n")
    assert course.write(text) == []
    used.write_text("x = 1\n")
    assert course.write(text) == ["part/chapter"]
    used.write_text("x = 1  # a comment counts: `show_source` would show it\n")
    assert course.write(text) == ["part/chapter"]
    (tmp_path / "requirements.lock").write_text("a==2\n")
    assert course.write(text) == ["part/chapter"]
    assert course.write(text) == []


def test_jupyter_book_finds_the_new_outputs_and_not_the_old_ones(tmp_path):
    from jupyter_cache import get_cache

    course = TinyCourse(tmp_path)
    course.write(CHAPTER)
    (tmp_path / "requirements.lock").write_text("a==2\n")
    course.write(CHAPTER)
    (record,) = get_cache(str(tmp_path / module.CACHE)).list_cache_records()
    assert record.data["execution_seconds"] > 0


def test_outputs_that_somebody_else_kept_are_not_trusted(tmp_path):
    """`jupyter-book build` alone keeps outputs too, but not for which code of the package they are."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    course = TinyCourse(tmp_path)
    course.write(CHAPTER)
    cache = get_cache(str(tmp_path / module.CACHE))
    notebook = cache.get_cache_bundle(cache.list_cache_records()[0].pk).nb
    bundle = CacheBundleIn(notebook, str(course.chapters[0].path), data={"execution_seconds": 1})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    assert course.write(CHAPTER) == ["part/chapter"]


def test_a_chapter_is_not_even_parsed_while_nothing_has_changed(tmp_path, monkeypatch):
    course = TinyCourse(tmp_path)
    course.write(CHAPTER)

    def parse(path):
        raise AssertionError(f"{path} was parsed")

    monkeypatch.setattr(module, "read_notebook", parse)
    assert course.write(CHAPTER) == []
    with pytest.raises(AssertionError, match="was parsed"):
        course.write(CHAPTER.replace("Prose.", "Other prose."))


def test_outputs_that_were_deleted_are_made_again(tmp_path):
    from jupyter_cache import get_cache

    course = TinyCourse(tmp_path)
    course.write(CHAPTER)
    get_cache(str(tmp_path / module.CACHE)).remove_cache(1)
    assert course.write(CHAPTER) == ["part/chapter"]


def test_a_chapter_that_reads_the_book_is_executed_again_when_any_text_changes(tmp_path):
    course = TinyCourse(tmp_path)
    reads = CHAPTER.replace("print(1 + 1)", "from mlcourse.data import load_book_text\nprint(len(load_book_text()))")
    assert course.write(reads) == ["part/chapter"]
    assert course.write(reads) == []
    assert course.write(reads.replace("Prose.", "Other prose.")) == ["part/chapter"]
    (tmp_path / "book/part/another.md").write_text("# Another chapter\n")
    assert module.execute(course) == ["part/chapter"]
    assert module.execute(course) == []


def test_a_chapter_that_shows_figures_of_a_gpu_is_executed_again_when_they_change(tmp_path):
    course = TinyCourse(tmp_path)
    shows = CHAPTER.replace("print(1 + 1)", "print('device_figures')")
    assert course.write(shows) == ["part/chapter"]
    assert course.write(shows) == []
    results = tmp_path / "benchmarks/results/gpu-a.json"
    results.parent.mkdir(parents=True)
    results.write_text("{}")
    assert course.write(shows) == ["part/chapter"]
    assert course.write(shows) == []
    assert course.write(CHAPTER) == ["part/chapter"]
    results.write_text("[]")
    assert course.write(CHAPTER) == []


def test_failing_cell_has_file_line_and_error(tmp_path):
    course = TinyCourse(tmp_path)
    with pytest.raises(SourceError) as caught:
        course.write(CHAPTER.replace("print(1 + 1)", "1 / 0"))
    assert caught.value.line == 11
    assert "ZeroDivisionError: division by zero" in str(caught.value)


def test_figures_are_drawn_whatever_backend_the_shell_has_set(tmp_path, monkeypatch):
    from jupyter_cache import get_cache

    monkeypatch.setenv("MPLBACKEND", "agg")
    course = TinyCourse(tmp_path)
    course.write(CHAPTER.replace("print(1 + 1)", "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()"))
    cache = get_cache(str(tmp_path / module.CACHE))
    notebook = cache.get_cache_bundle(cache.list_cache_records()[0].pk).nb
    (code,) = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert "image/png" in code.outputs[0].data


def test_a_build_that_fails_fails_again(tmp_path, monkeypatch):
    """Sphinx warns about a page only when it reads it, so what was read must be forgotten."""
    from types import SimpleNamespace

    from mlcourse.authoring import build

    read = tmp_path / "_build/.doctrees/page.doctree"
    read.parent.mkdir(parents=True)
    read.write_text("x")
    monkeypatch.setattr(build, "Course", lambda root: None)
    monkeypatch.setattr(build, "stamp", lambda course: "")
    monkeypatch.setattr(build, "sync", lambda course: [])
    monkeypatch.setattr(build, "execute", lambda course: [])
    monkeypatch.setattr(build, "prepare", lambda root: None)
    monkeypatch.setattr(build.subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=1))
    assert build.build(tmp_path) == 1
    assert not read.exists()
