"""Grading spread over processes: nothing is lost, nothing is graded twice, and every process ends with its grader."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from mlcourse.grading import jobs as jobs_module
from mlcourse.grading.jobs import GRADER_FAULT, Stopped, default_jobs, grade_all, rejected, some_at_a_time
from mlcourse.grading.sandbox import why_no_bubblewrap
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import notebook

needs_sandbox = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")


def answering(who, what="work"):
    return notebook([f"def answer(x):\n    return [{who!r}, {what!r}, x]"])


def a_class(**students):
    return [Submission(who, "week.ipynb", answering(who, what)) for who, what in students.items()]


def gradings(checks):
    """How often the comparison ran for each student; a whole grading runs it four times."""
    lines = checks.with_name("graded.txt").read_text().split()
    return {who: lines.count(who) for who in set(lines)}


def graders(of=None):
    """The grader processes below a process, this one by default."""
    found = []
    for process in psutil.Process(of).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any("mlcourse.grading.jobs" in word for word in process.cmdline()):
                found.append(process)
    return found


def by_student(pairs):
    pairs = list(pairs)
    assert len({submission.student for submission, _ in pairs}) == len(pairs)
    return {submission.student: mark for submission, mark in pairs}


def wait_for(condition, seconds=20):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
    return found


@needs_sandbox
def test_marks_do_not_depend_on_the_number_of_jobs(checks):
    submissions = a_class(**{f"s{i}": "work" for i in range(6)}, bad="wrong")
    one, three = (by_student(grade_all(submissions, 3, jobs=n, exercise_set=str(checks))) for n in (1, 3))
    assert {who: (m.status, m.points) for who, m in one.items()} == {
        who: (m.status, m.points) for who, m in three.items()
    }
    assert [m.points for m in one.values()] == [2] * 7
    assert set(gradings(checks).values()) == {8}
    assert graders() == []


@needs_sandbox
def test_a_grader_that_is_killed_is_replaced_and_nothing_is_lost(checks):
    def kill_one():
        wait_for(lambda: checks.with_name("graded.txt").exists() and graders())[0].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    marks = by_student(grade_all(a_class(**dict.fromkeys("abcdef", "slow")), 3, jobs=2, exercise_set=str(checks)))
    killer.join()
    assert {who: (m.status, m.points) for who, m in marks.items()} == dict.fromkeys("abcdef", ("graded", 2))
    counts = sorted(gradings(checks).values())
    assert counts[:5] == [4] * 5, "only what the killed grader was at may be done again"
    assert counts[5] <= 8


@needs_sandbox
def test_what_kills_its_grader_twice_is_rejected_and_the_others_go_on(checks):
    submissions = a_class(a="work", b="kill the grader", c="work")
    marks = by_student(grade_all(submissions, 3, jobs=2, exercise_set=str(checks)))
    assert [marks[who].points for who in "ac"] == [2, 2]
    assert marks["b"].status == "rejected"
    assert marks["b"].reason.startswith(GRADER_FAULT)
    assert "ended 2 times, the last time by SIGKILL" in marks["b"].reason
    assert marks["b"].digest == submissions[1].digest
    assert gradings(checks)["b"] == 2


def test_a_fault_of_the_grader_becomes_a_rejection_that_says_so(monkeypatch):
    def broken(submission, **settings):
        raise RuntimeError("the grader is broken")

    monkeypatch.setattr(jobs_module, "grade", broken)
    submission = a_class(a="work")[0]
    mark = jobs_module._guarded(submission, {"seed": 3, "exercise_set": None})
    assert (mark.student, mark.status, mark.digest, mark.seed) == ("a", "rejected", submission.digest, 3)
    assert mark.reason == f"{GRADER_FAULT} (RuntimeError: the grader is broken); a person must look at it"


@needs_sandbox
def test_a_grader_that_hangs_is_ended(checks, monkeypatch):
    monkeypatch.setattr(jobs_module, "SUBMISSION_SECONDS", 3.0)
    marks = by_student(grade_all(a_class(a="hang", b="work"), 3, jobs=2, exercise_set=str(checks)))
    assert "it took longer than 3 s" in marks["a"].reason
    assert marks["b"].points == 2
    assert gradings(checks)["a"] == 1


@needs_sandbox
@pytest.mark.parametrize("what", ["work", "hang"])
def test_closing_the_generator_ends_every_process_at_once(checks, what):
    def family():
        return psutil.Process().children(recursive=True)

    before = {process.pid for process in family()}
    generator = grade_all(a_class(a="work", b="slow", c=what), 3, jobs=2, exercise_set=str(checks))
    next(generator)
    start = time.monotonic()
    generator.close()
    assert time.monotonic() - start < 4
    assert {process.pid for process in family()} <= before


@needs_sandbox
def test_graders_end_with_the_process_that_started_them(checks, tmp_path):
    """The one that holds the gradebook is killed; what it started notices and ends, the students' code too."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ann.ipynb").write_bytes(notebook(["import time\ntime.sleep(7)", "answer = 1"]))
    command = [
        sys.executable,
        "-m",
        "mlcourse.cli",
        "grade",
        str(folder),
        "--exercise",
        str(checks),
        "--out",
        str(tmp_path / "out"),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: [child for grader in graders(process.pid) for child in grader.children()])
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    gone, left = psutil.wait_procs(family, timeout=5)
    assert not left
    assert len(gone) >= 2


@needs_sandbox
def test_closed_graders_start_no_more(checks):
    graders_ = jobs_module.Graders()
    graders_.close()
    with pytest.raises(Stopped):
        graders_.grade(a_class(a="work")[0], {"seed": 1, "sandbox": "bubblewrap", "exercise_set": str(checks)})


def test_a_grader_without_work_ends():
    code = "from mlcourse.grading import jobs; jobs._IDLE_SECONDS = 0.1; jobs.serve()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.wait(20) == 0


def test_only_a_few_submissions_are_under_way():
    taken, done = [], []

    def submissions():
        for number in range(50):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(3) as pool:
        for number, future in some_at_a_time(submissions(), lambda n: pool.submit(lambda: n * n), lambda: 4):
            done.append(number)
            assert future.result() == number**2
            assert len(taken) - len(done) <= 4
    assert sorted(done) == list(range(50))


def test_waiting_is_told(monkeypatch):
    monkeypatch.setattr(jobs_module, "_WAIT_SECONDS", 0.05)
    told = []
    with ThreadPoolExecutor(1) as pool:
        list(some_at_a_time([1], lambda n: pool.submit(time.sleep, 0.3), lambda: 2, lambda: told.append(1)))
    assert told


def test_unread_submissions_are_read_by_their_grader(tmp_path):
    path = tmp_path / "ann.ipynb"
    path.write_text("{")
    marks = by_student(grade_all([Submission("ann", "ann.ipynb", path=path)], 3, jobs=1))
    assert marks["ann"].status == "rejected"
    assert marks["ann"].digest == Submission("ann", "", b"{").digest
    assert "not a Jupyter notebook" in marks["ann"].reason


def test_names_that_are_no_unicode_come_back_as_they_are():
    mark = rejected(Submission("a\udc80", "x", b"1"), {"seed": 2**70, "exercise_set": None}, "why")
    assert (mark.student, mark.seed) == ("a\udc80", 2**70)
    [(_, mark)] = grade_all([Submission("a\udc80", "x.ipynb", b"1")], 2**70, jobs=1)
    assert (mark.student, mark.seed, mark.status) == ("a\udc80", 2**70, "rejected")


@pytest.mark.parametrize(
    ("files", "jobs"),
    [
        ({}, 8),
        ({"/sys/fs/cgroup/cpu.max": "max 100000"}, 8),
        ({"/sys/fs/cgroup/cpu.max": "250000 100000"}, 2),
        ({"/sys/fs/cgroup/cpu.max": "50000 100000"}, 1),
        ({"/proc/meminfo": "MemTotal: 1 kB MemAvailable: 4000000 kB"}, 3),
        ({"/proc/meminfo": "MemTotal: 1 kB MemAvailable: 4 kB"}, 1),
        ({"/sys/fs/cgroup/memory.max": "4000000000", "/sys/fs/cgroup/memory.current": "1000000000"}, 2),
        ({"/sys/fs/cgroup/memory.max": "max", "/sys/fs/cgroup/memory.current": "1000000000"}, 8),
    ],
)
def test_default_jobs_are_the_cores_that_have_the_memory(files, jobs, monkeypatch):
    monkeypatch.setattr(jobs_module, "_words", lambda path: files.get(path, "").split())
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert default_jobs() == jobs


@needs_sandbox
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_is_done_and_goes_on(checks, tmp_path, number):
    from mlcourse.grading.gradebook import Gradebook

    students = [f"s{i:02}" for i in range(16)]
    for who in students:
        (tmp_path / "in" / who).mkdir(parents=True)
        (tmp_path / "in" / who / "week.ipynb").write_bytes(answering(who, "slow"))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "mlcourse.cli", "grade", str(tmp_path / "in"), "--exercise", str(checks)]
    command += ["--out", str(out), "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: (out / "gradebook.sqlite").exists() and checks.with_name("graded.txt").exists())
        wait_for(lambda: max(gradings(checks).values()) == 4)
        time.sleep(0.3)
        family = psutil.Process(process.pid).children(recursive=True)
        start = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert "to go on, give the same command with --resume" in said
    assert "Traceback" not in said
    assert not psutil.wait_procs(family, timeout=2)[1]
    with Gradebook(out / "gradebook.sqlite") as book:
        done = {mark.student for mark in book.latest()}
    assert 0 < len(done) < len(students)
    assert {entry["student"] for entry in json.loads((out / "grades.json").read_text())["submissions"]} == done
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    with Gradebook(out / "gradebook.sqlite") as book:
        assert [(m.student, m.points) for m in book.latest()] == [(who, 2) for who in students]
        assert all(len(book.history(who, "week")) == 1 for who in students)
    assert all(gradings(checks)[who] == 4 for who in done), "what was done was graded again"
