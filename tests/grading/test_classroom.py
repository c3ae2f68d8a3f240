"""A class is graded: what stays from before, what is graded again, how a run goes on, and what the teacher reads."""

import contextlib
import csv
import json
import os
import re
import stat
import subprocess
import sys

import pytest

from mlcourse.cli import main
from mlcourse.grading import classroom
from mlcourse.grading.classroom import grade_class, summary
from mlcourse.grading.gradebook import Gradebook
from mlcourse.grading.jobs import GRADER_FAULT, GradingError
from mlcourse.grading.marks import ExerciseMark, SubmissionMark
from tests.grading.corpus.harness import notebook
from tests.grading.test_jobs import answering, gradings, needs_sandbox

RIGHT = "def answer(x):\n    return ['', 'work', x]"
WRONG = "def answer(x):\n    return ['', 'work', -1]"


def hand_in(folder, **cells):
    """Write a notebook of one cell for each student; None takes it away, bytes are written as they are."""
    for student, cell in cells.items():
        path = folder / student / "week.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if cell is not None:
            path.write_bytes(cell if isinstance(cell, bytes) else notebook([cell]))
    return folder


def history(out, student, exercise_set="week"):
    with Gradebook(out / "gradebook.sqlite") as book:
        return [(mark.status, mark.points) for mark in book.history(student, exercise_set)]


def reported(out):
    """The students of grades.csv with their points."""
    rows = csv.DictReader((out / "grades.csv").read_text("utf-8-sig").splitlines())
    return {row["student"]: float(row["points"]) for row in rows}


@pytest.fixture
def grade_week(tmp_path, checks):
    """Grade what is in the folder ``in`` into ``out``; options may be added."""

    def run(**options):
        options = {"seed": 3, "jobs": 2, "exercise_set": str(checks), **options}
        marks = grade_class(tmp_path / "in", tmp_path / "out", **options)
        return {mark.student: (mark.status, mark.points) for mark in marks}

    return run


@needs_sandbox
def test_only_what_changed_is_graded_again(tmp_path, checks, grade_week):
    hand_in(tmp_path / "in", ann=RIGHT, bob=WRONG, cy=b"{")
    assert grade_week() == {"ann": ("graded", 2), "bob": ("graded", 0), "cy": ("rejected", 0)}
    assert grade_week() == {"ann": ("graded", 2), "bob": ("graded", 0), "cy": ("rejected", 0)}
    out = tmp_path / "out"
    assert [len(history(out, who)) for who in ("ann", "bob", "cy")] == [1, 1, 1]
    hand_in(tmp_path / "in", bob=RIGHT)
    assert grade_week()["bob"] == ("graded", 2)
    assert [len(history(out, who)) for who in ("ann", "bob", "cy")] == [1, 2, 1]
    assert grade_week(seed=4)["ann"] == ("graded", 2)
    assert history(out, "ann") == [("graded", 2), ("graded", 2)]
    checks.write_text(checks.read_text() + "# other checks\n")
    assert grade_week(seed=4)["ann"] == ("graded", 2)
    assert len(history(out, "ann")) == 3


@needs_sandbox
def test_resume_keeps_what_older_checks_marked(tmp_path, checks, grade_week):
    hand_in(tmp_path / "in", ann=RIGHT, cy=b"{")
    grade_week()
    checks.write_text(checks.read_text() + "# other checks\n")
    hand_in(tmp_path / "in", bob=RIGHT)
    assert set(grade_week(resume=True, seed=None)) == {"ann", "bob", "cy"}
    assert [len(history(tmp_path / "out", who)) for who in ("ann", "bob", "cy")] == [1, 1, 1]


@needs_sandbox
def test_resume_tries_what_the_grader_failed_on_again(tmp_path, checks, grade_week):
    hand_in(tmp_path / "in", ann=answering("ann", "kill the grader"), bob=RIGHT)
    assert grade_week()["ann"] == ("rejected", 0)
    assert reported(tmp_path / "out") == {"ann": 0, "bob": 2}
    checks.write_text(checks.read_text().replace("os.getpid(), signal.SIGKILL", "os.getpid(), 0"))
    assert grade_week(resume=True) == {"ann": ("graded", 2), "bob": ("graded", 2)}
    assert reported(tmp_path / "out") == {"ann": 2, "bob": 2}
    assert history(tmp_path / "out", "bob") == [("graded", 2)]


@needs_sandbox
def test_a_fault_of_the_grader_does_not_replace_a_mark(tmp_path, checks, grade_week):
    hand_in(tmp_path / "in", ann=RIGHT)
    grade_week()
    hand_in(tmp_path / "in", ann=answering("ann", "kill the grader"))
    assert grade_week()["ann"] == ("rejected", 0)
    assert history(tmp_path / "out", "ann") == [("graded", 2)]
    assert reported(tmp_path / "out") == {"ann": 2}


def test_resume_without_a_run_says_what_to_do(tmp_path, capsys):
    hand_in(tmp_path / "in", ann=b"{")
    command = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--sandbox", "none"]
    assert main([*command, "--resume"]) == 2
    assert f"there is no run in {tmp_path / 'out'} to go on with; give its folder with --out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*command, "--seed", "5"]) == 0
    assert main([*command, "--resume", "--seed", "6"]) == 2
    assert "has another seed than --seed 6; leave out --seed" in capsys.readouterr().err
    assert (tmp_path / "out/class-seed.txt").read_text() == "5\n"
    assert main([*command, "--resume", "--seed", "5"]) == main([*command, "--resume"]) == 0


@pytest.mark.parametrize("arguments", [["--jobs", "2", "--cluster", "tcp://x:1"], ["--jobs", "0"], ["--seed", "-1"]])
def test_options_that_make_no_sense(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["grade", "in", *arguments])
    assert stop.value.code == 2
    assert arguments[-2] in capsys.readouterr().err


def test_a_broken_seed_file(tmp_path):
    hand_in(tmp_path / "in", ann=b"{")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/class-seed.txt").write_text("x")
    with pytest.raises(GradingError, match="holds no number; remove it"):
        grade_class(tmp_path / "in", tmp_path / "out", sandbox="none")


def test_the_seed_is_kept(tmp_path):
    out = tmp_path / "out"
    first = classroom.class_seed(out, None)
    assert classroom.class_seed(out, None) == first
    assert classroom.class_seed(out, 5) == 5
    assert classroom.class_seed(out, None) == 5


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_results_are_for_their_owner_alone(tmp_path):
    hand_in(tmp_path / "in", ann=b"{")
    before = os.umask(0o022)
    try:
        grade_class(tmp_path / "in", tmp_path / "out", sandbox="none")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    written = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert len(written) > 8
    assert [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@needs_sandbox
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_several_notebooks_the_best_counts(tmp_path, grade_week, names):
    folder = hand_in(tmp_path / "in", ann=None)
    for name, cell in zip(names, (RIGHT, WRONG), strict=True):
        (folder / "ann" / f"{name}.ipynb").write_bytes(notebook([cell]))
    (folder / "ann" / "c.ipynb").write_text("{")
    for _ in range(2):
        grade_week()
        assert reported(tmp_path / "out") == {"ann": 2}
    with Gradebook(tmp_path / "out/gradebook.sqlite") as book:
        assert [mark.points for mark in book.latest()] == [2]


def test_a_rejection_is_gone_once_its_file_is(tmp_path):
    def rejected():
        marks = grade_class(tmp_path / "in", tmp_path / "out", sandbox="none", jobs=1)
        assert [mark.student for mark in marks] == ["ann", "bob"]
        return [row["reason"] for row in json.loads((tmp_path / "out/grades.json").read_text())["submissions"]]

    hand_in(tmp_path / "in", ann=b"{", bob=b"[]")
    assert len(rejected()) == 2
    hand_in(tmp_path / "in", ann=b"")
    assert sum("empty" in reason for reason in rejected()) == 1
    assert len(rejected()) == 2
    one = tmp_path / "in/ann"
    grade_class(one, tmp_path / "out", sandbox="none", jobs=1)
    assert "bob" in reported(tmp_path / "out"), "those who are not in this run stay"


def test_the_folder_of_results_is_no_student(tmp_path):
    hand_in(tmp_path, ann=b"{")
    for _ in range(2):
        marks = grade_class(tmp_path, tmp_path / "grades", sandbox="none", jobs=1)
        assert [mark.student for mark in marks] == ["ann"]


@needs_sandbox
def test_two_commands_at_once_over_the_same_class(tmp_path, checks):
    students = [f"s{i}" for i in range(5)]
    hand_in(tmp_path / "in", **{who: answering(who, "slow") for who in students}, odd=b"{")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "mlcourse.cli", "grade", str(tmp_path / "in"), "--exercise", str(checks)]
    command += ["--out", str(out), "--jobs", "1"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all("5 submissions graded, 1 rejected" in text for text, _ in said)
    seed = int((out / "class-seed.txt").read_text())
    with Gradebook(out / "gradebook.sqlite") as book:
        assert [(m.student, m.points, m.seed) for m in book.latest()] == [
            ("odd", 0, seed),
            *((s, 2, seed) for s in students),
        ]
    assert reported(out) == {"odd": 0, **dict.fromkeys(students, 2)}
    assert len(json.loads((out / "grades.json").read_text())["submissions"]) == 6
    assert (out / "class-report.html").read_text().rstrip().endswith("</html>")
    assert not list(out.rglob("*.tmp"))
    assert set(gradings(checks).values()) <= {4, 8}


@needs_sandbox
def test_two_graders_with_half_a_class_each_leave_reports_of_all(tmp_path, checks):
    for half, students in (("one", "abc"), ("two", "def")):
        hand_in(tmp_path / half, **{who: answering(who) for who in students})
    command = [sys.executable, "-m", "mlcourse.cli", "grade", "--exercise", str(checks), "--out", str(tmp_path / "out")]
    both = [subprocess.Popen([*command, str(tmp_path / half)], stdout=subprocess.DEVNULL) for half in ("one", "two")]
    assert [process.wait(120) for process in both] == [0, 0]
    assert reported(tmp_path / "out") == dict.fromkeys("abcdef", 2)


def a_mark(student, status="graded", reason=""):
    marks = (ExerciseMark("f", "Write f", 1, 2, "graded"),) if status == "graded" else ()
    return SubmissionMark(student, "math/vectors", status, reason, marks)


def test_summary_says_what_was_found_and_where_to_look(tmp_path):
    bad = [a_mark(f"r{i}", "rejected", "it is \x1b[31mbroken") for i in range(25)]
    text = summary([a_mark("ann"), a_mark("bob"), a_mark("bob"), a_mark("cy"), *bad], tmp_path)
    lines = text.splitlines()
    assert lines[0] == "4 submissions graded, 25 rejected; mean share of the points: 50%"
    assert "  … and 5 more" in lines
    assert "\x1b" not in text
    assert "  bob: math/vectors (2)" in lines
    assert lines[-1].startswith(f"next: open {tmp_path / 'class-report.html'}; ")
    assert str(tmp_path / "feedback") in lines[-1]
    assert "  r0: it is" in text


def test_summary_names_the_exercises_that_wait_for_a_person(tmp_path):
    manual = ExerciseMark("why", "Say why", 0, 2, "manual")
    marks = [SubmissionMark(who, "math/vectors", "graded", exercises=(manual,)) for who in ("ann", "bob")]
    text = summary(marks, tmp_path)
    assert f"a person must read (see {tmp_path / 'to-read.html'}):\n  math/vectors: Say why (2 answers)" in text
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.record(marks[0])
        book.adjust("ann", "math/vectors", 2, "B. Lee", "well said", "why")
    assert "Say why (1 answers)" in summary(marks, tmp_path)


def test_progress_is_ten_lines_where_there_is_no_terminal(capsys):
    assert list(classroom._progress(iter(range(37)), 37)) == list(range(37))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "graded 37 of 37"
    assert all(re.fullmatch(r"graded \d+ of 37", line) for line in lines)


def _until_closed(descriptor):
    with os.fdopen(descriptor, "rb", buffering=0) as file, contextlib.suppress(OSError):
        while data := file.read(1000):
            yield data.decode()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_progress_is_a_bar_in_a_terminal():
    code = "from mlcourse.grading.classroom import _progress; print(sum(_progress(iter(range(37)), 37)))"
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    shown = "".join(_until_closed(ours))
    assert done.stdout.strip() == "666"
    assert "grading: 100%" in shown
    assert "37/37" in shown
    assert "graded 37" not in shown


def test_a_fault_of_the_grader_is_told_from_other_rejections():
    assert classroom._grader_failed(a_mark("ann", "rejected", f"{GRADER_FAULT} (x)"))
    assert not classroom._grader_failed(a_mark("ann", "rejected", "it is empty"))
