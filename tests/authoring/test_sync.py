"""Derived files are equal to what is derived now, the same every time, and say what is stale."""

import json
import re
import shutil

import nbformat
import pytest

from mlcourse.authoring.course import Course
from mlcourse.authoring.sync import derive, sync
from mlcourse.cli import main
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def derived(course):
    return derive(course)


def cells_of(derived, kind=None):
    for path, content in derived.items():
        for cell in json.loads(content)["cells"]:
            if kind in (None, cell["cell_type"]):
                yield path, cell, "".join(cell["source"])


def test_committed_files_are_up_to_date(course):
    assert sync(course, check=True) == []


def test_deriving_twice_gives_the_same_bytes(course, derived):
    assert derive(Course(course.root)) == derived


def test_notebooks_are_valid_and_hold_no_outputs(derived):
    for content in derived.values():
        nbformat.validate(nbformat.reads(content, as_version=4))
    for path, cell, _ in cells_of(derived, "code"):
        assert cell["outputs"] == [], path
        assert cell["execution_count"] is None, path


def test_cell_ids_are_unique_in_a_notebook(derived):
    for content in derived.values():
        ids = [cell["id"] for cell in json.loads(content)["cells"]]
        assert len(ids) == len(set(ids))


def test_an_edit_changes_no_other_cells_id(sources):
    before = derive(Course(sources))
    path = sources / "book/math/vectors.md"
    path.write_text(path.read_text().replace("## Summary", "## Summary\n\nOne more sentence.", 1))
    after = derive(Course(sources))
    name = next(p for p in before if str(p) == "notebooks/math/vectors.ipynb")
    old, new = ({cell["id"] for cell in json.loads(d[name])["cells"]} for d in (before, after))
    assert len(new - old) == 1


def test_no_myst_is_left(derived):
    pattern = re.compile(r"\{[a-z:]+\}`|^:{3,}|^`{3,}\{|^\([\w-]+\)=", re.MULTILINE)
    for path, _, text in cells_of(derived, "markdown"):
        without_code = re.sub(r"^```.*?^```$|`+[^`\n]+`+", "", text, flags=re.MULTILINE | re.DOTALL)
        assert not pattern.search(without_code), f"{path}: {pattern.search(without_code)}"


def test_the_first_code_cell_installs_this_version(derived, course):
    for path, content in derived.items():
        code = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
        if code:
            source = "".join(code[0]["source"])
            assert f"{course.repository}@v{course.version}" in source, path
            assert "except ModuleNotFoundError" in source, path


def test_exercises_hold_no_solution(course, derived):
    for path, _, text in cells_of(derived):
        if path.parts[0] == "exercises":
            assert "# solution" not in text
            assert "# end solution" not in text
            assert "#| " not in text


def test_index_lists_every_chapter_in_order(course, derived):
    text = next(content for path, content in derived.items() if path.name == "index.ipynb")
    places = [text.index(f"{chapter.slug}.ipynb") for chapter in course.chapters]
    assert places == sorted(places)


def test_check_names_each_stale_file_and_the_cure(sources, monkeypatch, capsys):
    for name in ("notebooks", "exercises"):
        shutil.copytree(ROOT / name, sources / name)
    monkeypatch.chdir(sources)
    assert main(["sync", "--check"]) == 0
    (sources / "notebooks/math/vectors.ipynb").write_text("{}")
    (sources / "notebooks/math/gone.ipynb").write_text("{}")
    (sources / "exercises/python/numpy.ipynb").unlink()
    assert main(["sync", "--check"]) == 1
    shown = capsys.readouterr().err
    for name in ("notebooks/math/vectors.ipynb", "notebooks/math/gone.ipynb", "exercises/python/numpy.ipynb"):
        assert f"stale: {name}" in shown
    assert "make sync" in shown
    assert main(["sync"]) == 0
    assert main(["sync", "--check"]) == 0


def test_unknown_directive_stops_the_command_with_its_line(sources, monkeypatch, capsys):
    path = sources / "book/math/vectors.md"
    path.write_text(path.read_text() + "\n:::{mystery}\n:::\n")
    monkeypatch.chdir(sources)
    assert main(["sync"]) == 1
    line = path.read_text().splitlines().index(":::{mystery}") + 1
    assert f"book/math/vectors.md:{line}: the directive {{mystery}} has no notebook form" in capsys.readouterr().err


def test_extensions_are_those_of_the_site(course):
    from mlcourse.authoring.myst import EXTENSIONS

    assert set(course.config["parse"]["myst_enable_extensions"]) == EXTENSIONS


def test_nothing_is_derived_while_nothing_has_changed(sources, monkeypatch):
    from mlcourse.authoring import sync as module

    assert sync(Course(sources))
    calls = []
    monkeypatch.setattr(module, "derive", lambda course: calls.append(1) or derive(course))
    assert sync(Course(sources)) == []
    assert calls == []
    target = sources / "exercises/math/vectors.ipynb"
    target.write_text(target.read_text() + " ")
    assert sync(Course(sources)) == ["exercises/math/vectors.ipynb"]
    chapter = sources / "book/math/vectors.md"
    chapter.write_text(chapter.read_text() + "\nOne more sentence.\n")
    assert sync(Course(sources)) == ["notebooks/math/vectors.ipynb"]
    assert len(calls) == 2
