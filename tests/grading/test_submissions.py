"""Submissions are found in folders, zips and files; odd and hostile files are problems with a reason, never exceptions."""

import json
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.grading.submissions import MAX_BYTES, NotebookError, exercise_set_of, find_submissions, read_notebook

KNOWN = ["classical/linear-regression", "math/vectors", "python/numpy"]
CELL = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None}
NOTEBOOK = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL]})


def write(path, text=NOTEBOOK):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def found(source):
    return [(s.student, s.file_name, bool(s.problem)) for s in find_submissions(source)]


def test_folder_of_students(tmp_path):
    write(tmp_path / "ann/vectors.ipynb")
    write(tmp_path / "bob/deeper/vectors.ipynb")
    write(tmp_path / "ann/.ipynb_checkpoints/vectors.ipynb")
    (tmp_path / "cy").mkdir()
    assert found(tmp_path) == [("ann", "vectors.ipynb", False), ("bob", "vectors.ipynb", False), ("cy", "", True)]


def test_flat_folder_as_canvas_makes_it(tmp_path):
    write(tmp_path / "ann.ipynb")
    write(tmp_path / "bobsmith_LATE_123_456_vectors.ipynb")
    assert found(tmp_path) == [("ann", "ann.ipynb", False), ("bobsmith", "vectors.ipynb", False)]


def test_zip_as_moodle_makes_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("Ann Lee_123_assignsubmission_file_/vectors.ipynb", NOTEBOOK)
        archive.writestr("Bob_124_assignsubmission_file/vectors.ipynb", NOTEBOOK)
        archive.writestr("../../evil.ipynb", NOTEBOOK)
        archive.writestr("__MACOSX/._vectors.ipynb", "x")
    students = [s.student for s in find_submissions(tmp_path / "all.zip")]
    assert students == ["Ann Lee", "Bob"]
    assert not (tmp_path.parent / "evil.ipynb").exists()


def test_one_file(tmp_path):
    write(tmp_path / "vectors.ipynb")
    assert found(tmp_path / "vectors.ipynb") == [("vectors", "vectors.ipynb", False)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_links_pipes_and_giants_are_not_read(tmp_path):
    write(tmp_path / "secret.txt", "secret")
    for name in ("a", "b", "c"):
        (tmp_path / "in" / name).mkdir(parents=True)
    (tmp_path / "in/a/vectors.ipynb").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(tmp_path / "in/b/vectors.ipynb")
    with open(tmp_path / "in/c/vectors.ipynb", "wb") as file:
        file.truncate(MAX_BYTES + 1)
    submissions = find_submissions(tmp_path / "in")
    assert [s.data for s in submissions] == [b"", b"", b""]
    assert [word in s.problem for s, word in zip(submissions, ("link", "regular", "MB"), strict=True)] == [True] * 3


def test_nothing_to_grade(tmp_path):
    for source in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NotebookError):
            find_submissions(source)
    (tmp_path / "bad.zip").write_text("no zip")
    with pytest.raises(NotebookError, match="not a zip"):
        find_submissions(tmp_path / "bad.zip")


@pytest.mark.parametrize(
    "data",
    [
        NOTEBOOK.encode("utf-8-sig"),
        NOTEBOOK.replace("x = 1", "x = 1\\r\\n").encode(),
        json.dumps(
            {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = ", "1"]}]}]}
        ).encode(),
        json.dumps(
            {"cells": [CELL, 3, {"cell_type": 7}, {"cell_type": "code", "source": {}}, {"cell_type": "markdown"}]}
        ).encode(),
    ],
)
def test_unusual_notebooks_are_read(data):
    assert [cell.strip() for cell in read_notebook(data).cells] == ["x = 1"]


@given(st.one_of(st.binary(max_size=50), st.text(max_size=50).map(str.encode)))
def test_any_bytes_are_a_notebook_or_an_error(data):
    try:
        read_notebook(data)
    except NotebookError as error:
        assert str(error)


KEYS = ["cells", "cell_type", "source", "metadata", "tags", "mlcourse", "worksheets", "input", "exercises", "chapter"]


@given(st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=5)), lambda v: st.one_of(
    st.lists(v, max_size=3),
    st.dictionaries(st.sampled_from(KEYS), v, max_size=4),
)))  # fmt: skip
def test_any_json_is_a_notebook_or_an_error(content):
    try:
        notebook = read_notebook(json.dumps(content).encode())
        exercise_set_of(notebook, "vectors.ipynb", KNOWN)
    except NotebookError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("about", "name", "key"),
    [
        ({"exercises": "math/vectors"}, "odd.ipynb", "math/vectors"),
        ({}, "vectors.ipynb", "math/vectors"),
        ({}, "vectors (2).ipynb", "math/vectors"),
        ({}, "my_linear-regression_final.ipynb", "classical/linear-regression"),
        ({"exercises": ["x"]}, "exercises/python/numpy.ipynb", "python/numpy"),
    ],
)
def test_exercise_set(about, name, key):
    content = {"metadata": {"mlcourse": about}, "cells": []}
    assert exercise_set_of(read_notebook(json.dumps(content).encode()), name, KNOWN) == key


def test_unknown_exercise_set():
    with pytest.raises(NotebookError, match="belongs to no exercise set"):
        exercise_set_of(read_notebook(b'{"cells": []}'), "eigenvectors.ipynb", KNOWN)
