"""Grading on a Dask cluster: workers may die, and what cannot work is refused with a reason."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import dask
import psutil
import pytest
from distributed import Client, LocalCluster, WorkerPlugin

from mlcourse.cli import main
from mlcourse.grading import cluster as cluster_module
from mlcourse.grading import jobs as jobs_module
from mlcourse.grading.classroom import grade_class
from mlcourse.grading.cluster import grade_on_cluster
from mlcourse.grading.gradebook import Gradebook
from mlcourse.grading.jobs import GRADER_FAULT, GradingError, grade_all
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import notebook
from tests.grading.test_jobs import a_class, answering, by_student, graders, gradings, needs_sandbox, wait_for

pytestmark = needs_sandbox


OPTIONS = {"processes": True, "dashboard_address": None, "silence_logs": "CRITICAL", "memory_limit": 0}


@pytest.fixture
def cluster():
    """Two Dask workers, each a process of its own that is started again when it ends; a task may end one of them."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        running = LocalCluster(n_workers=2, threads_per_worker=1, **OPTIONS)
    with running:
        yield running


def on_workers(cluster, code):
    """Run Python code in every Dask worker, and in those that come later."""

    class Run(WorkerPlugin):
        name = "run"

        def __init__(self, code):
            self.code = code

        def setup(self, worker):
            exec(self.code, {})

    with Client(cluster) as client:
        client.register_plugin(Run(code))


def hand_in(folder, students):
    for who, what in students.items():
        (folder / who).mkdir(parents=True)
        (folder / who / "week.ipynb").write_bytes(answering(who, what))
    return folder


def refusal(address, **options):
    with pytest.raises(GradingError) as error:
        list(grade_on_cluster(a_class(ann="work"), 3, address, **options))
    return str(error.value)


def test_a_worker_that_is_killed_costs_nothing(cluster, checks, tmp_path):
    """Kill -9 in the middle of a grading: one row for each submission, and the marks are those of one machine."""
    students = {f"s{i}": "slow" for i in range(8)} | {"bad": "nothing"}
    folder = hand_in(tmp_path / "in", students)
    (folder / "odd").mkdir()
    (folder / "odd/week.ipynb").write_text("{")

    def kill():
        wait_for(lambda: checks.with_name("graded.txt").exists())
        worker = cluster.workers[0].process.pid
        wait_for(lambda: [child for grader in graders(worker) for child in grader.children()])
        os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    there = grade_class(folder, tmp_path / "there", seed=3, exercise_set=str(checks), cluster=cluster.scheduler_address)
    killer.join()
    counts = gradings(checks)
    here = grade_class(folder, tmp_path / "here", seed=3, exercise_set=str(checks), jobs=2)

    def plain(marks):
        return {(m.student, m.status, m.reason, m.points, m.exercises, m.digest, m.seed) for m in marks}

    assert len(there) == 10
    assert plain(there) == plain(here)
    with Gradebook(tmp_path / "there/gradebook.sqlite") as book:
        assert [len(book.history(who, "week")) for who in [*students, "odd"]] == [1] * 10
        assert plain(book.latest()) == plain(there)
    assert sorted(counts.values())[:-2] == [4] * 7, "only what the killed worker was at may be graded again"
    assert graders() == []


def test_what_ends_its_workers_is_rejected_and_the_others_go_on(cluster, checks):
    submissions = a_class(a="work", b="kill the host", c="work", d="kill the grader", e="work")
    marks = by_student(grade_on_cluster(submissions, 3, cluster.scheduler_address, exercise_set=str(checks)))
    assert [marks[who].points for who in "ace"] == [2, 2, 2]
    assert marks["b"].reason.startswith(GRADER_FAULT)
    assert "every Dask worker that it was sent to ended" in marks["b"].reason
    assert "ended 2 times, the last time by SIGKILL" in marks["d"].reason
    assert gradings(checks)["b"] <= 2 * 2 * 4, "it is tried on two workers, and once more alone"


def test_threads_of_one_worker_grade_side_by_side(checks):
    submissions = a_class(**dict.fromkeys("abcdef", "slow"))
    with LocalCluster(n_workers=1, threads_per_worker=3, **OPTIONS) as one:
        marks = by_student(grade_on_cluster(submissions, 3, one.scheduler_address, exercise_set=str(checks)))
    assert [marks[who].points for who in "abcdef"] == [2] * 6
    assert set(gradings(checks).values()) == {4}


def test_stopping_ends_what_the_workers_do(cluster, checks):
    generator = grade_on_cluster(
        a_class(a="work", b="hang", c="hang"), 3, cluster.scheduler_address, exercise_set=str(checks)
    )
    next(generator)
    assert graders()
    generator.close()
    wait_for(lambda: not graders(), 5)
    marks = by_student(grade_on_cluster(a_class(a="work"), 3, cluster.scheduler_address, exercise_set=str(checks)))
    assert marks["a"].points == 2, "the workers are free for the next run"


def test_a_worker_that_is_left_by_its_run_ends_its_graders(cluster, checks):
    """Kill -9 of a Dask worker ends the graders that it started, and the students' code with them."""
    generator = grade_on_cluster(a_class(a="work", b="hang"), 3, cluster.scheduler_address, exercise_set=str(checks))
    next(generator)
    for worker in cluster.workers.values():
        family = graders(worker.process.pid)
        os.kill(worker.process.pid, signal.SIGKILL)
        assert not psutil.wait_procs(family, timeout=5)[1]
    generator.close()


def test_no_scheduler_at_the_address(tmp_path, capsys, monkeypatch):
    assert cluster_module.CONNECT_SECONDS <= 10
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = ["nonsense", "tcp://127.0.0.1:1", f"tcp://127.0.0.1:{silent.getsockname()[1]}"]
        for address in addresses:
            start = time.monotonic()
            message = refusal(address)
            assert time.monotonic() - start < 5
            assert message.startswith(f"--cluster {address}: no Dask scheduler answers there")
            assert "such as tcp://10.0.0.5:8786" in message
    folder = hand_in(tmp_path / "in", {"ann": "work"})
    assert main(["grade", str(folder), "--out", str(tmp_path / "out"), "--cluster", "nonsense"]) == 2
    assert "mlcourse grade: --cluster nonsense: no Dask scheduler" in capsys.readouterr().err


def test_no_workers():
    with LocalCluster(n_workers=0, dashboard_address=None) as empty:
        assert "has no workers; start some" in refusal(empty.scheduler_address)


def test_a_cluster_that_loses_all_workers_is_waited_for_and_given_up(cluster, checks, monkeypatch, capsys):
    monkeypatch.setattr(jobs_module, "_WAIT_SECONDS", 1)
    monkeypatch.setattr(cluster_module, "NO_WORKERS_SECONDS", 2)
    generator = grade_on_cluster(a_class(a="work", b="hang"), 3, cluster.scheduler_address, exercise_set=str(checks))
    next(generator)
    cluster.scale(0)
    with pytest.raises(GradingError, match="has had no workers for 2 s; what was graded is kept: start some"):
        next(generator)
    assert "has no workers now; waiting for some" in capsys.readouterr().err


def test_workers_that_cannot_do_the_same_are_refused(cluster, checks):
    """Each fault is found before the one that was planted earlier."""
    module = "import mlcourse.grading.cluster as c\n"
    for code, words in {
        "c.why_no_bubblewrap = lambda: 'no bwrap there'": "no bwrap there. Or add --sandbox none",
        "c.engine_version = lambda name: '0.0.9'": "another mlcourse or other checks (",
        "c.engine_version = lambda name: open('/missing/week.py')": "must be at the same path on every worker",
        "import sys; sys.modules['mlcourse.grading.cluster'] = None": "mlcourse cannot be imported by",
    }.items():
        on_workers(cluster, module + code)
        message = refusal(cluster.scheduler_address)
        assert message.count(words) == message.count(socket.gethostname()) == 2, message
        assert all(worker in message for worker in cluster.scheduler_info["workers"])
        assert message.endswith("Mend them or stop them, and try again.")
    assert not checks.with_name("graded.txt").exists()


def test_a_worker_that_comes_later_is_looked_at_too(cluster, checks):
    generator = grade_on_cluster(
        a_class(**{f"s{i}": "slow" for i in range(20)}), 3, cluster.scheduler_address, exercise_set=str(checks)
    )
    next(generator)
    on_workers(cluster, "import mlcourse.grading.cluster as c; c.why_no_bubblewrap = lambda: 'no bwrap there'")
    cluster.scale(3)
    with pytest.raises(GradingError, match=r"a worker that came later cannot be used: .*no bwrap there"):
        list(generator)


def test_a_scheduler_that_goes_away_ends_the_run_and_keeps_what_is_done(checks, tmp_path, capsys):
    students = {f"s{i}": "slow" for i in range(12)}
    folder = hand_in(tmp_path / "in", students)
    with contextlib.ExitStack() as stack:
        address = _cluster_of_commands(stack, tmp_path)
        killer = threading.Thread(target=_kill_after_a_grading, args=(checks, stack.scheduler))
        killer.start()
        command = ["grade", str(folder), "--exercise", str(checks), "--out", str(tmp_path / "out"), "--seed", "3"]
        assert main([*command, "--cluster", address]) == 2
        killer.join()
    assert f"the cluster at {address} is gone; what was graded is kept: start it again" in capsys.readouterr().err
    with Gradebook(tmp_path / "out/gradebook.sqlite") as book:
        done = {mark.student for mark in book.latest()}
    assert 0 < len(done) < len(students)
    assert main([*command, "--resume"]) == 0
    with Gradebook(tmp_path / "out/gradebook.sqlite") as book:
        assert [mark.points for mark in book.latest()] == [2] * 12
        assert [len(book.history(who, "week")) for who in students] == [1] * 12


def _kill_after_a_grading(checks, scheduler):
    wait_for(lambda: checks.with_name("graded.txt").exists() and max(gradings(checks).values()) == 4)
    time.sleep(0.5)
    scheduler.kill()


def _cluster_of_commands(stack, folder):
    """Start a scheduler and a worker as the recipe of the book does; return the address."""
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    shared = ["--scheduler-file", str(file), "--no-dashboard"]
    stack.scheduler = stack.enter_context(
        subprocess.Popen([*dask, *shared, "--host", "127.0.0.1", "--port", "0"], **options)
    )
    stack.callback(stack.scheduler.kill)
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", *shared, "--nthreads", "1", "--death-timeout", "5"]
    process = stack.enter_context(subprocess.Popen(worker, **options))
    stack.callback(process.terminate)
    with Client(scheduler_file=str(file), timeout=20) as client:
        client.wait_for_workers(1, timeout=20)
        return client.scheduler.address


def test_hostile_submissions_get_the_same_marks_as_on_this_machine(cluster, checks):
    answer = "def answer(x):\n    return ['', 'work', x]"
    cells = {
        "exits": [answer, "import os\nos._exit(1)"],
        "kills": [answer, "import os\nos.kill(-1, 9)"],
        "loops": ["def answer(x):\n    while True: pass"],
        "looks": ["def answer(x):\n    import glob\n    return ['', 'work', open(glob.glob('/**/week.py')[0]).read()]"],
    }
    submissions = [Submission(name, "week.ipynb", notebook(code)) for name, code in cells.items()]
    here = by_student(grade_all(submissions, 5, jobs=2, exercise_set=str(checks)))
    there = by_student(grade_on_cluster(submissions, 5, cluster.scheduler_address, exercise_set=str(checks)))
    points = {"exits": 2, "kills": 2, "loops": 0, "looks": 0}
    assert {name: mark.points for name, mark in here.items()} == points
    assert {name: mark.points for name, mark in there.items()} == points
