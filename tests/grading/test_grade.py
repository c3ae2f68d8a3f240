"""A class is graded from the command line; one submission never affects another. Single cases are in `corpus`, by class of attack."""

import csv
import os
import time

import pytest

from mlcourse.cli import main
from mlcourse.grading.classroom import grade_class
from mlcourse.grading.feedback import file_name
from mlcourse.grading.grade import grade
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import GOOD, bad_unit, forged, needs_sandbox, notebook

HOSTILE = {
    "fork bomb": [*GOOD, "import os\nwhile True: os.fork()"],
    "kills everything": [*GOOD, "import os\nos.kill(-1, 9)"],
    "memory": bad_unit("rows = []\nwhile True: rows.append(bytearray(10**7))"),
    "endless": bad_unit("while True: pass"),
    "bomb": forged({"list": [{"set": []}] * 50_000}),
    "start-up files": [*GOOD, "import os\nopen(os.path.expanduser('~/sitecustomize.py'), 'w').write('1/0')"],
    "full disk": [*GOOD, "for i in range(9): open(f'/tmp/{i}', 'wb').write(bytes(6 * 10**7))"],
    "other set": notebook(GOOD, metadata={"mlcourse": {"exercises": "../../etc/passwd", "points": 99}}),
    "<script>alert(1)</script>\n": bad_unit("raise RuntimeError('<script>alert(1)</script>')"),
    "=1+1": b"[" * 10**5,
    os.fsdecode(b"\xff\xfe"): GOOD,
    "empty": b"",
}
NEIGHBORS = [f"{before} neighbor" for before in ("", "a", "f", "l", "z")]


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


def hand_in(folder, submissions):
    for student, cells in submissions.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "vectors.ipynb").write_bytes(cells if isinstance(cells, bytes) else notebook(cells))
    return folder


@needs_sandbox
def test_neighbors_of_hostile_submissions_are_unchanged(tmp_path):
    """Good submissions have the same marks, rows and pages, and take as long, whoever hands in beside them."""
    good = dict.fromkeys(NEIGHBORS, GOOD)
    calm, wild = hand_in(tmp_path / "calm", good), hand_in(tmp_path / "wild", good | HOSTILE)
    seen = {}
    for folder in (calm, wild):
        out = tmp_path / f"out-{folder.name}"
        marks = {mark.student: mark for mark in grade_class(folder, out, seed=3, jobs=2)}
        with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
            rows = {row["student"]: row for row in csv.DictReader(file)}
        assert len(rows) == len(marks) == len(list(folder.iterdir()))
        assert max(marks[name].seconds for name in NEIGHBORS) < 15
        pages = {name: (out / "feedback" / file_name(name, "math/vectors")).read_text() for name in NEIGHBORS}
        seen[folder.name] = [
            ({k: v for k, v in rows[n].items() if k != "time"}, pages[n], marks[n].points) for n in NEIGHBORS
        ]
    assert seen["calm"] == seen["wild"]
    assert marks["fork bomb"].points == marks["kills everything"].points == marks["full disk"].points == 8
    assert marks["memory"].points == marks["endless"].points == 5
    assert [marks[name].status for name in ("=1+1", "empty")] == ["rejected"] * 2


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
