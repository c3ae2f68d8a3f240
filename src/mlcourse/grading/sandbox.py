"""Start the student's process where it can do no harm: bubblewrap on Linux, and a plain process where the teacher insists.

In bubblewrap the student's code has no network and no terminal, sees no other processes and no files but the system's and Python's,
can write only into three small folders in memory, has no rights, and is refused the system calls in `mlcourse.grading.seccomp`.
Memory and processes of all that it starts are limited by a control group (`mlcourse.grading.cgroup`); where none can be made, `Watch`
looks after them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

from mlcourse.grading import cgroup, seccomp

WORKER = Path(__file__).with_name("worker.py")
CODEC = Path(__file__).with_name("codec.py")
PACKAGE = Path(__file__).parents[1]
PROC = Path("/proc")
PYTHON = os.path.realpath(sys.executable)
LIMITS = {
    "RLIMIT_AS": 6 << 30,  # PyTorch reserves much more than it uses; what is used is limited for all processes together
    "RLIMIT_CORE": 0,
    "RLIMIT_CPU": 60,
    "RLIMIT_FSIZE": 64 << 20,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_NPROC": 64,
}
MEMORY = 1 << 30
PROCESSES = 64
DISK = 64 << 20
_TRY_SECONDS = 30
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/nix/store")
_SYSTEM_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_WRITABLE = ("/tmp", "/home/student", "/dev/shm")
_PRIVATE = ("exercises", "grading", "authoring")
_OPTIONS = ("-P", "-s", "-S", "-B")
_VARIABLES = {
    "HOME": "/home/student",
    "LANG": "C.UTF-8",
    "LOGNAME": "student",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
}
_KEPT_VARIABLES = (
    "HOME", "LOGNAME", "PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE",
)  # fmt: skip


class SandboxError(RuntimeError):
    """The sandbox cannot be used here; the message says why and what to do."""


@functools.cache
def bubblewrap_command():
    """The command that runs the program after it in a world of its own.

    The package's own checks are hidden, so that expected results cannot be read there. Everything dies with the grader.
    """
    command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
    command += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "grader"]
    for folder in (*_SYSTEM, *_SYSTEM_FILES):
        command += ["--ro-bind-try", folder, folder]
    command += ["--proc", "/proc", "--remount-ro", "/proc"]  # for root's processes may write to /proc/sys
    for device in _DEVICES:
        command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    command += ["--symlink", "/proc/self/fd", "/dev/fd"]
    for folder in _WRITABLE:
        command += ["--size", str(DISK), "--tmpfs", folder]
    for path in (*python_folders(), PYTHON):
        command += ["--ro-bind", path, path]
    for folder in private_folders():
        command += ["--tmpfs", folder, "--remount-ro", folder]
    for file in (WORKER, CODEC):
        command += ["--ro-bind", str(file), f"/grader/{file.name}"]
    compiled = importlib.util.cache_from_source(str(CODEC))
    command += ["--ro-bind-try", compiled, f"/grader/__pycache__/{Path(compiled).name}"]
    for name, value in {**_VARIABLES, "PYTHONPATH": os.pathsep.join(import_path())}.items():
        command += ["--setenv", name, value]
    if not seccomp.program():
        command += ["--disable-userns"]
    return (*command, "--chdir", "/home/student", "--remount-ro", "/")


@functools.cache
def python_folders():
    """What Python needs to start and to import: the interpreter, its library, the installed packages, this package."""
    numpy = importlib.util.find_spec("numpy")
    folders = {PACKAGE, Path(numpy.origin).parents[1]} if numpy else {PACKAGE}
    folders |= {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {Path(prefix, name) for prefix in (sys.prefix, sys.base_prefix) for name in ("lib", "lib64")}
    folders |= {folder.resolve() for folder in folders}
    wanted = [f for f in folders if f.is_dir() and not _is_below(f, map(Path, _SYSTEM))]
    return tuple(sorted(str(f) for f in wanted if not _is_below(f, (other for other in wanted if other != f))))


@functools.cache
def import_path():
    """Where the student's code imports from: of the grader's own path what is installed, and this package."""
    visible = [Path(folder) for folder in (*python_folders(), *_SYSTEM)]
    installed = [entry for entry in sys.path if os.path.isabs(entry) and _is_below(Path(entry), visible)]
    return (*installed, str(PACKAGE.parent))


@functools.cache
def private_folders():
    """The folders with checks and expected results, in every copy of this package that is visible in the sandbox."""
    copies = {PACKAGE, *(Path(folder) / PACKAGE.name for folder in import_path())}
    for prefix in {sys.prefix, sys.base_prefix, "/usr", "/usr/local"}:
        copies |= set(Path(prefix).glob(f"lib*/python3*/*-packages/{PACKAGE.name}"))
    folders = {(copy / name).resolve() for copy in copies for name in _PRIVATE}
    return tuple(sorted(str(folder) for folder in folders if folder.is_dir()))


def _is_below(path, folders):
    return any(path.is_relative_to(folder) for folder in folders)


@functools.cache
def why_no_bubblewrap():
    """Return why bubblewrap cannot be used here, or an empty string if it can."""
    if sys.platform != "linux":
        return f"bubblewrap exists for Linux only, and this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (Debian, Ubuntu: apt-get install bubblewrap)"
    complaint = try_bubblewrap()
    return f"bubblewrap does not work here: {complaint} (`mlcourse doctor` says what to do)" if complaint else ""


def try_bubblewrap():
    """Start Python in bubblewrap; return what bubblewrap complains of, or an empty string."""
    try:
        process, group = _start_in_bubblewrap([PYTHON, *_OPTIONS, "-c", "pass"], MEMORY, subprocess.PIPE)
    except OSError as error:
        return str(error)
    try:
        errors = process.communicate(timeout=_TRY_SECONDS)[1].decode(errors="replace").strip()
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"it did not start within {_TRY_SECONDS} s"
    finally:
        if group is not None:
            group.remove()
    return (errors[:500] or f"it ended with the status {process.returncode}") if process.returncode else ""


class Child:
    """A worker's process: its pipes, what it uses, and its end.

    Parameters
    ----------
    kind : {"bubblewrap", "none"}
        The sandbox.
    memory : int
        Bytes that all its processes together may use.

    Attributes
    ----------
    stdin, stdout : file
        Unbuffered pipes. Whoever reads and writes them closes them.
    """

    def __init__(self, kind, memory=MEMORY):
        if kind not in ("bubblewrap", "none"):
            raise ValueError(f"sandbox must be 'bubblewrap' or 'none'; got {kind!r}")
        self._kind, self._memory = kind, memory
        if kind == "bubblewrap":
            command = [PYTHON, *_OPTIONS, f"/grader/{WORKER.name}"]
            self._process, self._group = _start_in_bubblewrap(command, memory, subprocess.DEVNULL)
        else:
            self._process, self._group = _start_plainly(), None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        self._schedule, self._others = None, 0.0
        self._watch = Watch(self._process, memory) if self._group is None and sys.platform == "linux" else None
        if self._watch is not None:
            self._watch.start()

    def limits(self):
        """The limits that the worker sets for each of its processes."""
        limits = dict(LIMITS)
        if self._kind == "none" or self._group is not None or not _processes_are_counted_apart():
            limits.pop("RLIMIT_NPROC")  # it would count what the same user runs elsewhere
        return limits

    def started(self):
        """To be called when the worker is ready and has started nothing yet: find the process that runs the student's code."""
        family = descendants(self._process.pid, PROCESSES)
        if len(family) == (3 if self._kind == "bubblewrap" else 1):  # bubblewrap itself runs twice
            with contextlib.suppress(OSError):
                self._schedule = open(PROC / f"{family[-1]}/schedstat", "rb", buffering=0)  # noqa: SIM115
            self.cpu_of_others()

    def processes(self):
        """How many processes there are; 0 if nobody knows."""
        return len(descendants(self._process.pid, PROCESSES))

    def waited(self):
        """Seconds that the worker wanted to run and had to wait, because other programs had the processors; 0 if nobody knows."""
        return self._times()[1]

    def cpu_of_others(self):
        """CPU time used since the last call by all that the worker has started; 0 if nobody knows."""
        own = self._times()[0]
        if not own:
            return 0.0
        before = self._others
        self._others = max(before, self._all_cpu() - own)
        return self._others - before

    def _times(self):
        """Seconds that the worker's main thread ran, and that it waited for a processor."""
        try:
            ran, waited, _ = os.pread(self._schedule.fileno(), 100, 0).split()
            return int(ran) / 1e9, int(waited) / 1e9
        except (AttributeError, OSError, ValueError):
            return 0.0, 0.0

    def _all_cpu(self):
        if self._group is not None:
            return self._group.seconds()
        return sum(map(cpu_seconds, descendants(self._process.pid, PROCESSES)))

    def why_ended(self):
        """Say why the process is no longer there."""
        if self._group is not None and self._group.ran_out_of_memory():
            return f"it used more than {self._memory >> 20} MB of memory"
        return self._watch.reason if self._watch is not None and self._watch.reason else "it ended its own process"

    def stop(self):
        """End the worker and everything that it started."""
        if self._watch is not None:
            self._watch.close()
        if self._kind == "none":
            kill(descendants(self._process.pid, 10 * PROCESSES))
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        if self._schedule is not None:
            self._schedule.close()
        if self._group is not None:
            self._group.remove()


def _start_in_bubblewrap(program, memory, stderr):
    """Start a program in bubblewrap, in a control group if one can be made; return the process, and the group or None."""
    with _pipe() as (rules, rules_in), _pipe() as (told, tell), _pipe() as (wait, go):
        rules_in.write(seccomp.program())
        rules_in.close()
        passed = {"--info-fd": tell.fileno(), "--block-fd": wait.fileno()}
        if seccomp.program():
            passed["--seccomp"] = rules.fileno()
        options = [word for option, descriptor in passed.items() for word in (option, str(descriptor))]
        process = subprocess.Popen(
            [*bubblewrap_command(), *_compiled_once(), *options, *program],
            env={}, bufsize=0, start_new_session=True, pass_fds=passed.values(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
        tell.close()
        group = _limit(told, memory)
        go.write(b"go")
    return process, group


def _compiled_once():
    """Options that show what this process has compiled for all kernels, so that no worker compiles it again."""
    build = sys.modules.get("mlcourse.gpu.executor.build")
    if build is None or not (folder := build.runtime_folder()).is_dir():
        return ()
    return ("--ro-bind", str(folder), f"{_VARIABLES['HOME']}/.cache/mlcourse/gpu/{folder.name}")


@contextlib.contextmanager
def _pipe():
    out, into = os.pipe()
    with open(out, "rb", buffering=0) as reader, open(into, "wb", buffering=0) as writer:
        yield reader, writer


def _limit(told, memory):
    """Put the process that bubblewrap tells of, and waits with, into a control group; return the group, or None."""
    text = b""
    while b"}" not in text and (piece := told.read(4096)):
        text += piece
    found = re.search(rb'"child-pid": *([0-9]+)', text)
    if found is None or cgroup.place() is None:
        return None
    try:
        group = cgroup.Group(cgroup.place(), memory, PROCESSES)
    except OSError:
        return None
    try:
        group.add(int(found[1]))
    except OSError:
        group.remove()
        return None
    return group


def _start_plainly():
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    changed = {name: value for name, value in _VARIABLES.items() if name not in kept}
    return subprocess.Popen(
        [sys.executable, *_OPTIONS, str(WORKER)],
        env={**kept, **changed, "PYTHONPATH": os.pathsep.join(import_path())}, bufsize=0, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _processes_are_counted_apart():
    """Tell whether the kernel counts a user's processes in each namespace apart (Linux 5.14 and later)."""
    return tuple(map(int, re.findall(r"[0-9]+", os.uname().release)[:2])) >= (5, 14)


class Watch(threading.Thread):
    """Ends a worker when it and all its descendants together use more memory or processes than they may (Linux only)."""

    def __init__(self, process, memory, interval=0.05):
        super().__init__(daemon=True)
        self._process, self._memory, self._interval = process, memory, interval
        self._done = threading.Event()
        self.reason = ""

    def run(self):
        while not self._done.wait(self._interval) and self._process.poll() is None:
            family = descendants(self._process.pid, PROCESSES + 1)
            self.reason = self._fault(family)
            if self.reason:
                kill(family)
                return

    def _fault(self, family):
        if len(family) > PROCESSES:
            return f"it started more than {PROCESSES} processes"
        if sum(map(resident_memory, family)) > self._memory and sum(map(own_memory, family)) > self._memory:
            return f"it used more than {self._memory >> 20} MB of memory"
        return ""

    def close(self):
        self._done.set()


def kill(pids):
    """End processes."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def descendants(pid, most):
    """The process and those below it, `most` at the most."""
    found, waiting = [], [pid]
    while waiting and len(found) < most:
        current = waiting.pop()
        found.append(current)
        for task in _tasks(current):
            try:
                waiting += map(int, (PROC / f"{current}/task/{task}/children").read_text().split())
            except OSError:
                continue
    return found


def _tasks(pid):
    try:
        return os.listdir(PROC / f"{pid}/task")
    except OSError:
        return []


def resident_memory(pid):
    """Bytes of a process in memory; quick to read, but pages that processes share count for each of them."""
    try:
        return int((PROC / f"{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def own_memory(pid):
    """Bytes of a process in memory, where a page that processes share counts in part for each."""
    try:
        text = (PROC / f"{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:")), 0)


def cpu_seconds(pid):
    """CPU time of a process, and of those that it started and that have ended."""
    try:
        fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
