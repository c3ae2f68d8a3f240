"""What the sandbox promises: nothing to write to but three small folders, nothing to read but Python, limits for the whole family."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mlcourse.grading import cgroup, sandbox
from mlcourse.grading import worker as worker_program
from mlcourse.grading.codec import decode, encode
from mlcourse.grading.session import Worker, WorkerDied

why = sandbox.why_no_bubblewrap()
needs_sandbox = pytest.mark.skipif(bool(why), reason=why or "bubblewrap works")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the processes are read from /proc")
KINDS = [pytest.param("bubblewrap", marks=needs_sandbox), "none"]
SECOND = 1.0


def ask(kind, source, argument=0, seconds=20, memory=sandbox.MEMORY):
    """Define `probe` in a worker, call it, and return its value, or the exception as data."""
    worker = Worker(kind, memory)
    try:
        defined = worker.ask("run", seconds, source=source, number=1, definitions=False)
        assert "error" not in defined, defined
        answer = worker.ask("call", seconds, name="probe", args=[encode(argument)], kwargs={})
    finally:
        worker.close()
    return answer if "error" in answer else decode(answer["value"])


@pytest.fixture
def no_group(monkeypatch):
    monkeypatch.setattr(cgroup, "place", lambda: None)


# what the student sees


@needs_sandbox
def test_only_three_folders_can_be_written_to_and_they_are_small():
    source = """
import os

def probe(n):
    writable = []
    for folder, folders, _ in os.walk("/"):
        folders[:] = [name for name in folders if not os.path.join(folder, name).startswith("/proc/")]
        try:
            path = os.path.join(folder, "probe")
            open(path, "x").close()
            os.remove(path)
            writable.append(folder)
        except OSError:
            pass
    room = [os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize for folder in writable]
    return writable, room
"""
    writable, room = ask("bubblewrap", source)
    three = ("/dev/shm", "/home/student", "/tmp")
    outermost = [folder for folder in writable if not folder.startswith(tuple(f"{other}/" for other in three))]
    assert sorted(outermost) == sorted(three)  # below /tmp is this package itself, where its clone is there
    assert set(room) == {sandbox.DISK}


@needs_sandbox
def test_no_setting_of_the_kernel_can_be_opened_for_writing():
    source = """
import os

def probe(n):
    opened = []
    for folder, folders, files in os.walk("/proc"):
        folders[:] = [name for name in folders if not (folder == "/proc" and name.isdigit() and name != "1")]
        for name in files:
            try:
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK))
                opened.append(os.path.join(folder, name))
            except OSError:
                pass
    return [path for path in opened if not path.startswith("/proc/1/")], os.path.exists("/sys")
"""
    assert ask("bubblewrap", source) == ([], False)


@needs_sandbox
def test_every_mount_is_read_only_or_small_or_a_device():
    source = "def probe(n):\n    return open('/proc/self/mountinfo').read()"
    lines = [line.split() for line in ask("bubblewrap", source).splitlines()]
    writable = {fields[4]: fields[fields.index("-") + 3] for fields in lines if "rw" in fields[5].split(",")}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}
    assert set(writable) - devices == {"/tmp", "/home/student", "/dev/shm"}
    for folder in set(writable) - devices:
        assert f"size={sandbox.DISK >> 10}k" in writable[folder]
    assert all("nosuid" in fields[5] for fields in lines)


@needs_sandbox
def test_nothing_of_the_grader_is_visible(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_SECRET", "secret")
    canary = tmp_path / "canary"
    canary.write_text("alive")
    source = """
import glob, os, socket

def probe(path):
    ours = {name: os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
            if os.path.lexists(f"/proc/self/fd/{name}")}
    return {
        "canary": os.path.exists(path),
        "environment": sorted(os.environ),
        "environment of process 1": open("/proc/1/environ", "rb").read(),
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "descriptors": sorted({target.partition(":")[0] for target in ours.values()}),
        "interfaces": open("/proc/net/dev").read().count(":"),
        "host": socket.gethostname(),
        "user": os.getuid(),
        "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")],
        "etc": sorted(os.listdir("/etc")),
        "homes": os.listdir("/home"),
    }
"""
    seen = ask("bubblewrap", source, str(canary))
    assert not seen["canary"]
    assert set(seen["environment"]) == {*sandbox._VARIABLES, "PYTHONPATH", "PWD"}
    assert seen["environment of process 1"] == b""
    assert seen["processes"] == [1, 2]
    assert set(seen["descriptors"]) <= {"pipe", "/dev/null", "/proc/2/fd"}
    assert seen["interfaces"] == 1  # the loopback
    assert (seen["host"], seen["user"]) == ("grader", 65534)
    assert set(seen["capabilities"]) == {"0" * 16}
    assert set(seen["etc"]) <= {"alternatives", "ld.so.cache", "localtime"}
    assert seen["homes"] == ["student"]


@needs_sandbox
def test_checks_and_solutions_are_nowhere():
    source = """
import os, sys

def probe(n):
    import mlcourse
    files = [os.path.join(folder, name) for folder, folders, names in os.walk("/") for name in names
             if not folder.startswith(("/proc", "/usr/share"))]
    hidden = ("/mlcourse/exercises/", "/mlcourse/grading/", "/mlcourse/authoring/", "/solutions/", "/tests/grading/")
    return mlcourse.__version__, len(files) > 1000, [path for path in files if any(part in path for part in hidden)]
"""
    version, enough, found = ask("bubblewrap", source, seconds=60)
    assert version
    assert enough
    assert found == []


def test_every_copy_of_the_package_is_hidden(monkeypatch, tmp_path):
    """Also one that is installed beside the one that runs, in another folder of the import path or of the interpreter."""
    folders = [
        tmp_path / "venv/lib/python3.11/site-packages/mlcourse",
        tmp_path / "base/lib/python3.12/dist-packages/mlcourse",
        tmp_path / "elsewhere/mlcourse",
    ]
    for folder in folders:
        (folder / "exercises/math/__pycache__").mkdir(parents=True)
    monkeypatch.setattr(sandbox.sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr(sandbox.sys, "base_prefix", str(tmp_path / "base"))
    monkeypatch.setattr(sandbox, "import_path", lambda: (str(tmp_path / "elsewhere"),))
    hidden = sandbox.private_folders.__wrapped__()
    assert {str(folder / "exercises") for folder in folders} <= set(hidden)


def test_a_clone_inside_the_environment_is_not_shown(monkeypatch, tmp_path):
    """`pip install -e git+…` puts the whole repository, with the solutions, into the environment."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "src/mlcourse/solutions").mkdir(parents=True)
    monkeypatch.setattr(sandbox.sys, "prefix", str(tmp_path))
    shown = sandbox.python_folders.__wrapped__()
    assert str(tmp_path / "lib") in shown
    assert not any((tmp_path / "src").is_relative_to(folder) for folder in shown)


def test_the_import_path_has_no_folder_of_the_teacher(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox.sys, "path", ["", str(tmp_path), "relative", *sys.path])
    path = sandbox.import_path.__wrapped__()
    assert str(tmp_path) not in path
    assert all(os.path.isabs(entry) for entry in path)
    assert str(sandbox.PACKAGE.parent) in path


# limits


ONE_PROCESS = "def probe(n):\n    held = []\n    while True: held.append(bytearray(10**7))"
MANY_PROCESSES = """
import os, time

def probe(n):
    children = []
    for _ in range(10):
        children.append(os.fork())
        if children[-1] == 0:
            held = bytearray(6 * 10**7)
            time.sleep(2)
            os._exit(0)
    return sum(os.waitpid(child, 0)[1] == 9 for child in children)
"""


@needs_sandbox
@pytest.mark.parametrize("by", ["the kernel", "the watch"])
def test_memory_is_limited(by, monkeypatch):
    limited_by(by, monkeypatch)
    start = time.monotonic()
    with pytest.raises(WorkerDied, match="used more than 200 MB of memory"):
        ask("bubblewrap", ONE_PROCESS, memory=200 << 20)
    assert time.monotonic() - start < 15


@needs_sandbox
@pytest.mark.parametrize("by", ["the kernel", "the watch"])
def test_memory_is_limited_for_all_processes_together(by, monkeypatch):
    """No one of them has too much; the kernel ends as many as it must, and with version 2 all."""
    limited_by(by, monkeypatch)
    try:
        ended = ask("bubblewrap", MANY_PROCESSES, memory=200 << 20)
    except WorkerDied as error:
        assert str(error) == "it used more than 200 MB of memory"
    else:
        assert by == "the kernel"
        assert ended >= 10 - 200 // 60


def limited_by(by, monkeypatch):
    if by == "the watch":
        monkeypatch.setattr(cgroup, "place", lambda: None)
    elif cgroup.place() is None:
        pytest.skip(cgroup.why_no_groups())


@needs_sandbox
@pytest.mark.skipif(cgroup.place() is None, reason=cgroup.why_no_groups() or "groups can be made")
@pytest.mark.parametrize(
    "body",
    [
        "for i in range(4): open(f'/tmp/{i}', 'wb').write(bytes(3 * 10**7))",
        "import mmap\n    m = mmap.mmap(-1, 10**8)\n    for i in range(0, 10**8, 4096): m[i] = 1",
        "import socket\n    held = []\n    for _ in range(110):\n        held += [socket.socketpair()]\n"
        "        for end in held[-1]:\n            end.setblocking(False)\n            try:\n"
        "                while True: end.send(bytes(4096))\n"
        "            except OSError: pass",
        "import os\n    n = 0\n    while True:\n        n += 1\n        os.mkdir(f'/tmp/{n}')",
    ],
    ids=["files", "shared mapping", "sockets", "empty folders"],
)
def test_memory_outside_of_processes_counts_as_well(body):
    """Each of these holds more than 40 MB."""
    source = f"def probe(n):\n    {body}\n    return 'it got all of it'"
    with pytest.raises(WorkerDied, match="used more than 40 MB"):
        outcome = ask("bubblewrap", source, memory=40 << 20)
        pytest.fail(f"the memory was not limited: {outcome}")


@needs_sandbox
@pytest.mark.parametrize("by", ["the kernel", "the watch"])
def test_processes_are_limited(by, monkeypatch):
    limited_by(by, monkeypatch)
    source = """
import os, time

def probe(n):
    for count in range(500):
        try:
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
        except OSError:
            return count
    time.sleep(1)
    return 500
"""
    try:
        started = ask("bubblewrap", source)
    except WorkerDied as error:
        assert by == "the watch"
        assert "more than 64 processes" in str(error)
    else:
        assert started < sandbox.PROCESSES


@needs_sandbox
def test_nothing_is_left_after_the_end():
    worker = Worker("bubblewrap")
    source = "import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(100)"
    worker.ask("run", 5, source=source, number=1, definitions=False)
    family = sandbox.descendants(worker._child._process.pid, 100)
    assert len(family) == 8
    group = worker._child._group
    worker.close()
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < until, "a process is left"
        time.sleep(0.01)
    if group is not None:
        cgroup._remove_leftover(1.0)
        assert not any(folder.exists() for folder in group._folders())


@needs_sandbox
def test_everything_dies_with_the_grader():
    program = (
        "import sys, time\nfrom mlcourse.grading.session import Worker\nfrom mlcourse.grading.sandbox import descendants\n"
        "worker = Worker('bubblewrap')\nprint(*descendants(worker._child._process.pid, 9), flush=True)\ntime.sleep(60)"
    )
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    family = [int(word) for word in grader.stdout.readline().split()]
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    grader.stdout.close()
    assert len(family) == 3
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < until, "a process is left"
        time.sleep(0.01)


# time


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", ["while True: pass", "import time\n    time.sleep(60)"], ids=["computes", "sleeps"])
def test_a_call_ends_in_time(kind, body):
    start = time.monotonic()
    try:
        answer = ask(kind, f"def probe(n):\n    {body}", seconds=SECOND)
    except WorkerDied as error:
        assert str(error) == "it ran longer than 1 s"
    else:
        assert answer["error"] == "OutOfTime"
    assert time.monotonic() - start < 3 * SECOND + 3


@needs_sandbox
def test_the_work_of_other_processes_counts():
    """Two processes that compute use up the time twice as fast, although the first one only waits for them."""
    source = """
import os

def probe(n):
    for _ in range(2):
        if os.fork() == 0:
            while True: pass
    os.wait()
"""
    worker = Worker("bubblewrap")
    worker.ask("run", 5, source=source, number=1, definitions=False)
    start = time.monotonic()
    with pytest.raises(WorkerDied, match="longer than 4 s"):
        worker.ask("call", 4, name="probe", args=[encode(0)], kwargs={})
    wall = time.monotonic() - start
    worker.close()
    assert wall < 4
    assert worker.spent > 4


@needs_sandbox
def test_a_busy_machine_takes_no_time_from_a_student():
    """With many hungry neighbors a call takes much longer, but what it is charged stays near its own work."""
    source = """
import time

def probe(n):
    end = time.process_time() + 0.4
    while time.process_time() < end: pass
    return "done"
"""
    worker = Worker("bubblewrap")
    worker.ask("run", 5, source=source, number=1, definitions=False)
    hungry = [  # each of its own session, or Linux would give all of them together the share of one
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
        for _ in range(3 * os.cpu_count())
    ]
    try:
        time.sleep(0.5)
        before, start = worker.spent, time.monotonic()
        answer = worker.ask("call", 1, name="probe", args=[encode(0)], kwargs={})
        wall, charged = time.monotonic() - start, worker.spent - before
    finally:
        for process in hungry:
            process.kill()
            process.wait()
        worker.close()
    assert decode(answer["value"]) == "done"
    assert wall > 0.7, "the machine was not busy, so the test shows nothing"
    assert 0.3 < charged < 0.4 + (wall - 0.4) / 2


# without bubblewrap, and on other systems


def test_limits_of_a_plain_worker():
    if sys.platform == "win32":
        pytest.skip("Windows has no such limits")
    source = "import resource\ndef probe(n):\n    return [resource.getrlimit(getattr(resource, name))[0] for name in n]"
    names = [name for name in sandbox.LIMITS if name not in ("RLIMIT_NPROC", "RLIMIT_AS")]
    assert ask("none", source, names) == [sandbox.LIMITS[name] for name in names]


@needs_linux
def test_memory_of_a_plain_worker_is_watched():
    with pytest.raises(WorkerDied, match="used more than 200 MB of memory"):
        ask("none", ONE_PROCESS, memory=200 << 20)


def test_a_plain_worker_gets_no_secrets(monkeypatch):
    monkeypatch.setenv("GRADER_SECRET", "secret")
    assert ask("none", "import os\ndef probe(n):\n    return 'GRADER_SECRET' in os.environ") is False


@needs_linux
def test_what_a_plain_worker_started_ends_with_it():
    worker = Worker("none")
    source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(100)"
    worker.ask("run", 5, source=source, number=1, definitions=False)
    family = sandbox.descendants(worker._child._process.pid, 100)
    assert len(family) == 2
    worker.close()
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() and "Z" not in _state(pid) for pid in family):
        assert time.monotonic() < until, "a process is left"
        time.sleep(0.01)


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_plain_worker_that_holds_the_channel_does_not_stop_the_grader():
    """What has slipped away keeps the pipe open: the grader goes on all the same."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    worker = Worker("none")
    source = (
        "import os, time\n"
        "if os.fork() == 0:\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(3)\n    os._exit(0)\n"
        "os.wait()"
    )
    worker.ask("run", 5, source=source, number=1, definitions=False)
    start = time.monotonic()
    worker.close()
    assert time.monotonic() - start < 2


def test_worker_without_what_only_posix_has(monkeypatch, tmp_path):
    """As on Windows: no process groups, no /proc, no select on pipes, no non-blocking pipes."""
    for name in ("killpg", "set_blocking", "geteuid", "setsid", "sysconf"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(sandbox.sys, "platform", "win32")
    monkeypatch.setattr(sandbox, "PROC", tmp_path / "nothing")
    assert ask("none", "def probe(n):\n    return n + 1", 1) == 2
    with pytest.raises(WorkerDied, match=r"longer than 0\.3 s"):
        ask("none", "import time\ndef probe(n):\n    time.sleep(60)", seconds=0.3)
    big = "x" * (3 << 20)
    assert ask("none", "def probe(n):\n    return n", big) == big


def test_worker_program_without_what_only_posix_has(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.delattr(worker_program.signal, "setitimer", raising=False)
    worker_program.limit_resources(sandbox.LIMITS)

    class Student:
        def __getattr__(self, name):
            return lambda **arguments: {"did": name}

    assert worker_program.answer(Student(), {"do": "run", "with": {}, "seconds": 1}) == {"did": "run"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os\ndef probe(n): os._exit(0)", "it ended its own process"),
        ("import os\ndef probe(n):\n    for d in range(3, 20):\n        try: os.write(d, b'\\xff' * 8)\n        except OSError: pass",
         "it returned more than 32 MB"),
        ("import os\ndef probe(n):\n    for d in range(3, 20):\n        try: os.write(d, b'\\0\\0\\0\\2{}')\n        except OSError: pass",
         "it wrote to the grader's channel"),
    ],
)  # fmt: skip
def test_a_worker_that_breaks_the_protocol(source, words):
    with pytest.raises(WorkerDied) as caught:
        ask("none", source)
    assert str(caught.value) == words


def test_a_worker_that_does_not_listen():
    """It keeps the answer and the next question is larger than the pipe: the grader must not wait for ever."""
    worker = Worker("none")
    source = "import os, time\ndef probe(n):\n    time.sleep(60)"
    worker.ask("run", 5, source=source, number=1, definitions=False)
    with pytest.raises(WorkerDied):
        worker.ask("call", 0.2, name="probe", args=[encode(0)], kwargs={})
    with pytest.raises(WorkerDied):
        worker.ask("call", 0.2, name="probe", args=[encode("x" * (1 << 20))], kwargs={})
    start = time.monotonic()
    worker.close()
    assert time.monotonic() - start < 2


def test_many_workers_leave_no_threads_and_no_descriptors():
    Worker("none").close()
    time.sleep(0.2)
    threads = threading.active_count()
    for _ in range(10):
        Worker("none").close()
    until = time.monotonic() + 5
    while threading.active_count() > threads:
        assert time.monotonic() < until, "threads are left"
        time.sleep(0.01)
    if Path("/proc/self/fd").exists():
        descriptors = len(os.listdir("/proc/self/fd"))
        Worker("none").close()
        time.sleep(0.3)
        assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_a_worker_that_cannot_start_is_no_fault_of_the_student(monkeypatch):
    monkeypatch.setattr(sandbox, "WORKER", Path("nowhere.py"))
    with pytest.raises(sandbox.SandboxError, match="mlcourse doctor"):
        Worker("none")


@needs_linux
@pytest.mark.parametrize(
    ("kind", "release", "limited"),
    [
        pytest.param("bubblewrap", "6.1.0-18-amd64", True, marks=needs_sandbox),
        pytest.param("bubblewrap", "5.10.0-28-amd64", False, marks=needs_sandbox),
        ("none", "6.1.0-18-amd64", False),
    ],
)
def test_processes_are_limited_one_by_one_only_where_the_kernel_counts_those_of_a_sandbox_apart(
    kind, release, limited, no_group, monkeypatch
):
    """Elsewhere the limit would be on all that the teacher runs."""
    monkeypatch.setattr(sandbox.os, "uname", lambda: type("Names", (), {"release": release}))
    child = sandbox.Child(kind)
    try:
        assert ("RLIMIT_NPROC" in child.limits()) == limited
    finally:
        child.stop()
        child.stdin.close()
        child.stdout.close()


def test_unknown_kind():
    with pytest.raises(ValueError, match="must be 'bubblewrap' or 'none'; got 'docker'"):
        sandbox.Child("docker")


# control groups


def test_place_with_version_1(tmp_path):
    for name in ("memory/user/7", "pids", "cpuacct"):
        (tmp_path / name).mkdir(parents=True)
    memberships = "8:pids:/\n4:memory:/user/7\n2:cpu,cpuacct:/\n0::/\n"
    place = cgroup._find(tmp_path, memberships)
    assert place == cgroup.Place(1, tmp_path / "memory/user/7", tmp_path / "pids", tmp_path / "cpuacct")


def version_2(root, own, **controllers):
    """A fake hierarchy of version 2; `controllers` says what each folder above hands down."""
    (root / own).mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory pids")
    for folder in (root / own, *(root / own).parents):
        if folder.is_relative_to(root):
            (folder / "cgroup.procs").write_text("")
            (folder / "cgroup.subtree_control").write_text(controllers.get(folder.name.replace(".", "_"), ""))


def test_place_with_version_2_is_the_nearest_folder_that_hands_the_limits_down(tmp_path):
    version_2(tmp_path, "user.slice/app.slice/terminal.scope", app_slice="cpu memory pids", user_slice="memory pids")
    folder = tmp_path / "user.slice/app.slice"
    assert cgroup._find(tmp_path, "0::/user.slice/app.slice/terminal.scope\n") == cgroup.Place(
        2, folder, folder, folder
    )


def test_no_place_with_version_2_where_nothing_is_handed_down_or_ours_to_write(tmp_path, monkeypatch):
    version_2(tmp_path, "user.slice/session.scope", user_slice="cpu")
    with pytest.raises(cgroup.CgroupError, match="no control group above"):
        cgroup._find(tmp_path, "0::/user.slice/session.scope\n")
    (tmp_path / "user.slice/cgroup.subtree_control").write_text("memory pids")
    monkeypatch.setattr(cgroup.os, "access", lambda path, mode: False)
    with pytest.raises(cgroup.CgroupError, match="ours to write"):
        cgroup._find(tmp_path, "0::/user.slice/session.scope\n")


def test_no_place_without_control_groups(tmp_path):
    with pytest.raises(cgroup.CgroupError, match="there are no control groups for memory, pids, cpuacct"):
        cgroup._find(tmp_path, "")


def test_group_of_version_2(tmp_path):
    """On a fake folder: which files are written, and how the counters are read."""
    group = cgroup.Group(cgroup.Place(2, tmp_path, tmp_path, tmp_path), 1 << 30, 64)
    (folder,) = group._folders()
    group.add(4711)
    written = {file.name: file.read_text() for file in folder.iterdir()}
    assert written == {
        "memory.max": "1073741824", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "64", "cgroup.procs": "4711",
    }  # fmt: skip
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 0\n")
    (folder / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    assert not group.ran_out_of_memory()
    assert group.seconds() == 1.5
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 2\n")
    assert group.ran_out_of_memory()


@pytest.mark.skipif(cgroup.place() is None, reason=cgroup.why_no_groups() or "groups can be made")
def test_groups_of_graders_that_were_killed_are_removed():
    place = cgroup.place()
    done = subprocess.Popen([sys.executable, "-c", "pass"])
    done.wait()
    stale, living = place.memory / f"mlcourse-{done.pid}-0", place.memory / f"mlcourse-{os.getpid()}-0"
    stale.mkdir()
    living.mkdir()
    try:
        cgroup._remove_stale(place)
        assert not stale.exists()
        assert living.exists(), "the group of a grader that runs was removed"
    finally:
        living.rmdir()


@needs_sandbox
def test_where_no_group_can_be_made_the_processes_are_watched(no_group):
    worker = Worker("bubblewrap")
    child = worker._child
    assert child._group is None
    assert child._watch.is_alive()
    assert json.dumps(child.limits())
    worker.close()
