"""Files that are no notebooks, odd names, links and zips: each is rejected with a reason or graded, and nobody else's is touched."""

import gzip
import io
import json
import os
import time
import tracemalloc
import unicodedata
import zipfile

import pytest

from mlcourse.grading.submissions import MAX_BYTES, NotebookError, exercise_set_of, find_submissions, read_notebook
from tests.grading.corpus.harness import GOOD, UNIT, code, notebook

NOTEBOOK = notebook(GOOD)
KNOWN = ["classical/linear-regression", "math/vectors", "python/numpy"]
ODD_NAMES = {
    "a new line": "ann\nlee", "quotes": "a'b\"c`d", "markup": "<b>ann<b>", "right to left": "\u202enna\u2069",
    "an emoji": "🦊", "a formula": "=1+1",
    "a long name": "x" * 200, "spaces": "  ann  ", "an option": "--help", "a drive": "C:\\ann", "no UTF-8": os.fsdecode(b"\xff\xfe"),
    "a device of Windows": "CON", "a tab and a bell": "a\tb\a", "percent": "%00%2e%2e", "a dollar": "$HOME ${x} $(id)", "two dots": "ann..",
}  # fmt: skip


def zipped(*entries, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


NO_NOTEBOOKS = {
    "empty": b"",
    "white space": b" \n\t ",
    "NUL bytes": bytes(1000),
    "truncated": NOTEBOOK[:-40],
    "two in one": NOTEBOOK * 2,
    "Latin-1": NOTEBOOK.replace(b"no direction", "Länge".encode("latin-1")),
    "half of UTF-16": NOTEBOOK.decode().encode("utf-16")[:-1],
    "a zip": zipped(("vectors.ipynb", NOTEBOOK)),
    "gzip": gzip.compress(NOTEBOOK),
    "HTML": b"<!DOCTYPE html><html><body>Log in to download</body></html>",
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "Python": UNIT.encode(),
    "a number": b"3",
    "a giant int": b'{"cells": ' + b"9" * 10_000 + b"}",
    "null": b"null",
    "a list": b"[]",
    "no cells": b'{"metadata": {}}',
    "cells of a wrong type": b'{"cells": {"0": {}}}',
    "worksheets of a wrong type": b'{"worksheets": {"cells": []}}',
    "deep": b"[" * 100_000,
    "deep in a cell": b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "single quotes": str(json.loads(NOTEBOOK)).encode(),
    "control characters in a string": NOTEBOOK.replace(b"\\n", b"\n"),
    "a comma too many": NOTEBOOK[:-1] + b",}",
    "a link of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "a merge that failed": b"<<<<<<< HEAD\n" + NOTEBOOK + b"\n=======\n{}\n>>>>>>> x\n",
    "too many cells": notebook(["x = 1"] * 2001),
    "a bomb of empty lists": b'{"cells": [' + b"[]," * 6_000_000 + b"[]]}",
    "a bomb of quotation marks": b'{"cells": ["' + b'\\"' * 5_000_000 + b"," * 5_000_000,
    "a bomb of short numbers": b'{"cells": [' + b"0," * 9_000_000 + b"0]}",
}


@pytest.mark.parametrize("name", NO_NOTEBOOKS)
def test_no_notebooks(name):
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(NotebookError) as raised:
        read_notebook(NO_NOTEBOOKS[name])
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 10 < len(str(raised.value)) < 300
    assert seconds < 10
    assert peak < 200 << 20


@pytest.mark.parametrize(
    "declared",
    [
        3,
        [],
        {},
        None,
        "",
        "x" * 10**6,
        "../../etc/passwd",
        "math/../math/vectors",
        "/math/vectors",
        "math/vectors\0",
        "MATH/VECTORS",
        ["math/vectors"],
    ],
    ids=range(12),
)
def test_a_forged_exercise_set_is_no_exercise_set(declared):
    found = read_notebook(notebook([], metadata={"mlcourse": {"exercises": declared}}))
    with pytest.raises(NotebookError) as raised:
        exercise_set_of(found, "homework.ipynb", KNOWN)
    assert len(str(raised.value)) < 300
    assert exercise_set_of(found, "vectors-Copy1 (2).ipynb", KNOWN) == "math/vectors"


def test_a_check_cell_costs_no_time_whatever_is_in_it():
    start = time.perf_counter()
    evil = ["check(" * 100_000 + "\n x", " " * 1_000_000 + "x", "\n" * 500_000 + "check(", "%%" * 100_000]
    assert (
        len(read_notebook(notebook([code(source, metadata={"tags": ["check", "setup"]}) for source in evil])).cells)
        == 3
    )
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_students(name, tmp_path):
    folder = tmp_path / ODD_NAMES[name]
    folder.mkdir()
    (folder / "vectors.ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "zoe").mkdir()
    (tmp_path / "zoe/vectors.ipynb").write_bytes(NOTEBOOK)
    found = find_submissions(tmp_path)
    assert sorted(s.student for s in found) == sorted([ODD_NAMES[name], "zoe"])
    assert all(s.data == NOTEBOOK for s in found)


def test_names_that_look_alike_are_different_students(tmp_path):
    names = ["Ann", "ann", "Müller", unicodedata.normalize("NFD", "Müller"), "ａnn"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "vectors.ipynb").write_bytes(NOTEBOOK)
    assert sorted(s.student for s in find_submissions(tmp_path)) == sorted(names)


def test_odd_things_in_a_folder(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    inside = tmp_path / "in"
    for name in ("ann", "bob", "cy", "dan", "eve"):
        (inside / name).mkdir(parents=True)
    (inside / "ann/vectors.ipynb").symlink_to(tmp_path / "secret.txt")
    (inside / "bob/folder.ipynb").mkdir()
    (inside / "cy/vectors.IPYNB").write_bytes(NOTEBOOK)
    (inside / "dan/vectors.ipynb.txt").write_bytes(NOTEBOOK)
    (inside / "eve/loop").symlink_to(inside)
    (inside / "fred").symlink_to(tmp_path)
    (inside / "null.ipynb").symlink_to("/dev/zero")
    os.mkfifo(inside / "pipe.ipynb")
    found = {s.student: s for s in find_submissions(inside)}
    assert sorted(found) == ["ann", "bob", "cy", "dan", "eve", "fred", "null", "pipe"]
    assert found["cy"].data == found["dan"].data == NOTEBOOK
    assert all(found[name].problem and not found[name].data for name in found if name not in ("cy", "dan"))


def test_folders_without_end(tmp_path):
    deep = tmp_path / "ann"
    for _ in range(900):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (tmp_path / "ann/d/vectors.ipynb").write_bytes(NOTEBOOK)
    assert [s.problem for s in find_submissions(tmp_path)] == [""]


def students(tmp_path, *entries, **options):
    (tmp_path / "all.zip").write_bytes(zipped(*entries, **options))
    return [(s.student, bool(s.problem)) for s in find_submissions(tmp_path / "all.zip")]


def test_folders_in_a_zip_do_not_name_other_students(tmp_path):
    """Moodle and Canvas name the first folder; those below are the student's own choice."""
    own, evil = (
        "Ann_1_assignsubmission_file_/vectors.ipynb",
        "Eve_2_assignsubmission_file_/Ann_1_assignsubmission_file_/vectors.ipynb",
    )
    assert students(tmp_path, (own, NOTEBOOK), (evil, b"{}")) == [("Ann", False), ("Eve", False)]
    assert students(tmp_path, ("ann/v.ipynb", NOTEBOOK), ("eve/ann/v.ipynb", b"")) == [("ann", False), ("eve", False)]
    assert (
        students(
            tmp_path, ("Eve_2_assignsubmission_file_/a/v.ipynb", b""), ("Eve_2_assignsubmission_file_/b/v.ipynb", b"")
        )
        == [("Eve", False)] * 2
    )


def test_a_zip_of_a_whole_folder_and_one_made_on_windows(tmp_path):
    assert students(tmp_path, ("class/ann/v.ipynb", NOTEBOOK), ("class/bob/v.ipynb", NOTEBOOK)) == [
        ("ann", False),
        ("bob", False),
    ]
    assert students(tmp_path, ("ann\\v.ipynb", NOTEBOOK), ("bob\\deep\\v.ipynb", NOTEBOOK)) == [
        ("ann", False),
        ("bob", False),
    ]


def test_odd_entries_of_a_zip(tmp_path):
    link = zipfile.ZipInfo("link/v.ipynb")
    link.external_attr = 0o120777 << 16
    assert students(tmp_path, ("ann/v.ipynb", NOTEBOOK), (link, b"/etc/passwd")) == [("ann", False), ("link", True)]
    assert students(tmp_path, ("ann/v.ipynb", NOTEBOOK), ("../evil/v.ipynb", b""), ("/abs/v.ipynb", b"")) == [
        ("abs", False),
        ("ann", False),
    ]
    assert students(tmp_path, ("ann/v.ipynb", NOTEBOOK), compression=zipfile.ZIP_LZMA) == [("ann", True)]
    bomb = ("eve/v.ipynb", bytes(MAX_BYTES + 1))
    assert students(tmp_path, ("ann/v.ipynb", NOTEBOOK), bomb, compression=zipfile.ZIP_DEFLATED) == [
        ("ann", False),
        ("eve", True),
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_encrypted_entry_a_broken_one_and_a_name_twice(tmp_path):
    data = bytearray(
        zipped(("ann/v.ipynb", NOTEBOOK), ("bob/v.ipynb", NOTEBOOK), ("cy/v.ipynb", NOTEBOOK), ("cy/v.ipynb", b"{}"))
    )
    places = [data.index(b"PK\x01\x02", start) for start in (0, data.index(b"PK\x01\x02") + 1)]
    data[places[0] + 8] |= 1  # encrypted
    data[data.index(b"bob/v.ipynb") + 30] ^= 1  # one bit of the contents
    (tmp_path / "all.zip").write_bytes(data)
    found = [(s.student, bool(s.problem)) for s in find_submissions(tmp_path / "all.zip")]
    assert found == [("ann", True), ("bob", True), ("cy", False), ("cy", False)]
