"""Hostile, broken and odd submissions: each gets the marks that its functions deserve, and does no harm."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from mlcourse.cli import main
from mlcourse.grading.classroom import grade_class
from mlcourse.grading.grade import grade
from mlcourse.grading.sandbox import why_no_bubblewrap
from mlcourse.grading.submissions import Submission

needs_sandbox = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")

IMPORT = "import numpy as np"
UNIT = """def unit_vector(x):
    x = np.asarray(x, dtype=float)
    length = np.sqrt(x @ x)
    if length == 0:
        raise ValueError("no direction")
    return x / length"""
AREA = """def triangle_area_3d(a, b, c):
    a, b, c = (np.asarray(p, dtype=float) for p in (a, b, c))
    return float(np.linalg.norm(np.cross(b - a, c - a)) / 2)"""
GOOD = [IMPORT, UNIT, AREA]
BOTH, NEITHER, ONLY_AREA, ONLY_UNIT = (True, True), (False, False), (False, True), (True, False)


def bad_unit(body):
    """The function of the first exercise with another body; the second exercise is right."""
    return [IMPORT, "def unit_vector(x):\n" + "\n".join("    " + line for line in body.splitlines()), AREA]


CORPUS = {
    # benign but unusual
    "as it should be": (GOOD, BOTH),
    "reversed cells": (GOOD[::-1], BOTH),
    "import comes last": ([UNIT, AREA, IMPORT], BOTH),
    "a cell fails between": ([IMPORT, "1 / 0", UNIT, "undefined_name", AREA], BOTH),
    "a cell fails after the definition": ([IMPORT, UNIT + "\n1 / 0", AREA], BOTH),
    "defined twice, the last one counts": ([IMPORT, "def unit_vector(x):\n    return x", UNIT, AREA], BOTH),
    "magics and shell": ([IMPORT, "%matplotlib inline\n!ls\n?np", "%%bash\nrm -rf /", UNIT, AREA], BOTH),
    "calls check and hint": ([*GOOD, "from mlcourse.exercises import check, hint\ncheck(unit_vector)\nhint(unit_vector)"], BOTH),
    "prints a lot": ([*GOOD, "print('x' * 10**7)"], BOTH),
    "deletes its imports": ([*GOOD, "import sys\nsys.path.clear()"], BOTH),
    "a class with __call__": ([IMPORT, "class U:\n    def __call__(self, x):\n        return None\nunit_vector = U()", AREA], ONLY_AREA),
    "nothing but prose": ([], NEITHER),
    "a syntax error in one cell": ([IMPORT, "def unit_vector(x:\n    return", AREA], ONLY_AREA),
    "name is no function": ([IMPORT, "unit_vector = 3", AREA], ONLY_AREA),
    # resources
    "endless loop in a function": (bad_unit("while True: pass"), ONLY_AREA),
    "endless loop that swallows interrupts": (
        bad_unit("while True:\n    try:\n        while True: pass\n    except BaseException: pass"), ONLY_AREA),
    "endless loop in a cell": ([*GOOD, "while True: pass"], BOTH),
    "endless recursion": (bad_unit("return unit_vector(x)"), ONLY_AREA),
    "eats memory": (bad_unit("rows = []\nwhile True: rows.append(bytearray(10**7))"), ONLY_AREA),
    "eats memory in many processes": (
        bad_unit("import os\nfor _ in range(20): os.fork()\nrows = [bytearray(2 * 10**8)]\nimport time; time.sleep(60)"), ONLY_AREA),
    "fork bomb": (bad_unit("import os\nwhile True: os.fork()"), ONLY_AREA),
    "fork bomb in a cell": ([*GOOD, "import os\nwhile True: os.fork()"], BOTH),
    "fills the disk": (bad_unit("open('/tmp/big', 'wb').write(bytes(10**9))"), ONLY_AREA),
    "returns a huge array": (bad_unit("return np.zeros(10**8)"), ONLY_AREA),
    "returns a huge nested list": (bad_unit("return [[[0] * 100] * 100] * 100"), ONLY_AREA),
    "returns itself in itself": (bad_unit("l = []\nl.append(l)\nreturn l"), ONLY_AREA),
    "a regular expression that never ends": (bad_unit("import re\nreturn re.match(r'(a+)+$', 'a' * 40 + 'b')"), ONLY_AREA),
    # processes
    "exits": (bad_unit("import os; os._exit(0)"), ONLY_AREA),
    "exits in a cell": ([*GOOD, "import os; os._exit(1)"], BOTH),
    "sys.exit in a cell": ([IMPORT, "import sys; sys.exit(0)", UNIT, AREA], BOTH),
    "kills its parent": ([*GOOD, "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"], BOTH),
    "kills everything": ([*GOOD, "import os\nos.kill(-1, 9)"], BOTH),
    "closes all descriptors": ([*GOOD, "import os\nos.closerange(0, 256)"], BOTH),
    "crashes": (bad_unit("import ctypes; ctypes.string_at(0)"), ONLY_AREA),
    "leaves a daemon behind": ([*GOOD, "import os\nif os.fork() == 0:\n    os.setsid()\n    import time; time.sleep(300)"], BOTH),
    # forging
    "equal to everything": (
        bad_unit("class E:\n    def __eq__(self, o): return True\n    def __array__(self, *a): return np.ones(3)\nreturn E()"), ONLY_AREA),
    "an array that agrees with all": (
        bad_unit("class A(np.ndarray):\n    __eq__ = lambda s, o: np.True_\n    __ne__ = None\nreturn np.ones(3).view(A)"),
        ONLY_AREA),
    "patches numpy": (
        [IMPORT, "np.isclose = lambda *a, **k: np.True_\nnp.allclose = np.isclose", "def unit_vector(x):\n    return x / 2", AREA],
        ONLY_AREA),
    "patches the codec": (
        [IMPORT, "import sys\nfor m in list(sys.modules.values()):\n    if hasattr(m, 'encode') and hasattr(m, 'MAX_DEPTH'):\n"
         "        m.encode = lambda v, depth=0: {'passed': True}", "def unit_vector(x):\n    return x", AREA], NEITHER),
    "writes into the channel": (
        [IMPORT, "import os, json, struct\nd = json.dumps({'id': 'x', 'value': 1}).encode()\n"
         "for fd in range(3, 20):\n    try: os.write(fd, struct.pack('>I', len(d)) + d)\n    except OSError: pass", UNIT, AREA], BOTH),
    "asks the oracle": (
        bad_unit("from mlcourse.exercises import find\nreturn find('unit_vector').oracle(x)"), ONLY_AREA),
    "reads the solution": (
        bad_unit("import glob\nreturn open(glob.glob('/**/solutions/math/vectors.md', recursive=True)[0]).read()"), ONLY_AREA),
    "looks for the expected value in the caller": (
        bad_unit("import sys\nf = sys._getframe()\nwhile f:\n    for v in f.f_locals.values():\n"
                 "        if isinstance(v, dict) and 'expected' in v: return v['expected']\n    f = f.f_back\nreturn None"), ONLY_AREA),
    "shadows numpy with a file": ([*GOOD, "open('numpy.py', 'w').write('raise SystemExit')\nopen('codec.py', 'w').write('')"], BOTH),
    # network, host and secrets
    "calls the network": (bad_unit("import socket\nsocket.create_connection(('127.0.0.1', 22), 2)\nreturn x"), ONLY_AREA),
    "reads variables": (bad_unit("import os\nreturn os.environ['GRADER_SECRET']"), ONLY_AREA),
    "reads the passwords": (bad_unit("return open('/etc/passwd').read()"), ONLY_AREA),
}  # fmt: skip


def notebook(cells, **about):
    code = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None} for c in cells]
    metadata = {"mlcourse": {"exercises": "math/vectors", **about}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": code}).encode()


def workers_left():
    if sys.platform != "linux":
        return []
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if b"/grader/worker.py" in line:
            found.append(entry.name)
    return found


def gone_within(seconds, before):
    """Tell whether all workers but those of `before` end in time: a kernel needs a moment for hundreds of processes."""
    until = time.monotonic() + seconds
    while set(workers_left()) - before:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@needs_sandbox
@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_SECRET", "secret")
    canary = tmp_path / "canary"
    canary.write_text("alive")
    cells, deserved = CORPUS[name]
    before = set(workers_left())
    start = time.monotonic()
    mark = grade(Submission("ann", "vectors.ipynb", notebook(cells)), seed=7)
    seconds = time.monotonic() - start
    by_name = {exercise.name: exercise for exercise in mark.exercises}
    got = tuple(by_name[key].points == by_name[key].max_points for key in ("unit_vector", "triangle_area_3d"))
    assert mark.status == "graded"
    assert got == deserved, [
        (e.name, e.points, e.diagnosis) for e in mark.exercises if e.points or e.status == "graded"
    ] + list(mark.notes)
    assert seconds < 50
    assert canary.read_text() == "alive"
    assert "secret" not in json.dumps(mark.to_data()).replace("GRADER_SECRET", "")
    assert gone_within(5, before), "a process is left"


@needs_sandbox
def test_class_from_the_command_line(tmp_path, capsys):
    for student, cells in {"ann": GOOD, "bob": bad_unit("return x"), "cy": bad_unit("while True: pass")}.items():
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "vectors.ipynb").write_bytes(notebook(cells))
    (tmp_path / "in/dan").mkdir()
    (tmp_path / "in/dan/vectors.ipynb").write_text("{")
    out = tmp_path / "out"
    assert main(["grade", str(tmp_path / "in"), "--out", str(out), "--seed", "5", "--jobs", "2"]) == 0
    shown = capsys.readouterr().out
    assert "3 submissions graded, 1 rejected" in shown
    assert "dan: it is not a Jupyter notebook" in shown
    for name in ("gradebook.sqlite", "grades.csv", "grades.json", "junit.xml", "canvas.csv", "class-report.html"):
        assert (out / name).stat().st_size > 0
    assert len(list((out / "feedback").iterdir())) == 4
    start = time.monotonic()
    again = grade_class(tmp_path / "in", out)
    assert time.monotonic() - start < 3, "unchanged submissions were graded again"
    assert {mark.student: mark.points for mark in again}["ann"] == 8


@needs_sandbox
def test_neighbors_of_a_hostile_submission_are_unchanged(tmp_path):
    def points(folder):
        return {m.student: m.points for m in grade_class(folder, tmp_path / f"out-{folder.name}", seed=3, jobs=2)}

    for folder, middle in (("calm", GOOD), ("wild", CORPUS["fork bomb in a cell"][0])):
        for student, cells in {"a": GOOD, "m": middle, "z": GOOD}.items():
            (tmp_path / folder / student).mkdir(parents=True)
            (tmp_path / folder / student / "vectors.ipynb").write_bytes(notebook(cells))
    calm, wild = points(tmp_path / "calm"), points(tmp_path / "wild")
    assert (calm["a"], calm["z"]) == (wild["a"], wild["z"])


def test_without_bubblewrap_the_grader_refuses_and_says_why(tmp_path, monkeypatch, capsys):
    (tmp_path / "ann.ipynb").write_bytes(notebook(GOOD))
    monkeypatch.setattr("mlcourse.grading.classroom.why_no_bubblewrap", lambda: "bubblewrap is not installed")
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert "bubblewrap is not installed" in shown
    assert "--sandbox none" in shown


def test_with_no_sandbox_it_says_what_is_not_protected(tmp_path, capsys):
    (tmp_path / "vectors.ipynb").write_bytes(notebook(GOOD))
    assert main(["grade", str(tmp_path / "vectors.ipynb"), "--out", str(tmp_path / "out"), "--sandbox", "none"]) == 0
    captured = capsys.readouterr()
    assert "read, change and delete your files" in captured.err
    assert "1 submissions graded, 0 rejected" in captured.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no file or folder nowhere"),
        ([".", "--exercise", "math/nothing"], "there is no exercise set 'math/nothing'"),
    ],
)
def test_wrong_arguments(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["grade", *arguments, "--sandbox", "none"]) == 2
    assert words in capsys.readouterr().err


@needs_sandbox
def test_feedback_says_what_is_wrong_but_not_what_the_class_cases_are():
    right_in_public = bad_unit("if len(x) != 3: return x\nreturn x")
    mark = grade(Submission("ann", "vectors.ipynb", notebook(right_in_public)), seed=11)
    unit = mark.exercises[0]
    assert unit.class_cases > len(unit.public) > 0
    assert unit.diagnosis
    assert os.linesep.join(case.inputs for case in unit.public)
