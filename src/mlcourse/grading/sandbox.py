"""Start the student's process where it can do no harm: bubblewrap on Linux, and a plain process where the teacher insists."""

from __future__ import annotations

import functools
import os
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
PACKAGE = Path(__file__).parents[1]
LIMITS = {
    "RLIMIT_AS": 6 << 30,  # PyTorch reserves much more than it uses; what is used is watched by `Watch`
    "RLIMIT_CORE": 0,
    "RLIMIT_CPU": 60,
    "RLIMIT_FSIZE": 64 << 20,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_NPROC": 64,
}
MEMORY = 1 << 30
PROCESSES = 64
DISK = 64 << 20
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_PRIVATE = ("exercises", "grading", "authoring")
_VARIABLES = {
    "HOME": "/home/student",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
}


class SandboxError(RuntimeError):
    """The sandbox cannot be used here; the message says why and what to do."""


def bubblewrap_command():
    """The command that runs the program after it in a world of its own.

    No network, no other processes, a read-only system, an empty home of limited size, no capabilities, no variables; the package's own
    checks are hidden, so that expected results cannot be read there. Everything dies with the grader.
    """
    command = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--disable-userns"]
    command += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "grader"]
    for folder in _SYSTEM:
        command += ["--ro-bind-try", folder, folder]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/tmp", "/home/student"):
        command += ["--size", str(DISK), "--tmpfs", folder]
    for folder in _python_folders():
        command += ["--ro-bind", folder, folder]
    for name in _PRIVATE:
        command += ["--tmpfs", str(PACKAGE / name)]
    for file in (WORKER, WORKER.with_name("codec.py")):
        command += ["--ro-bind", str(file), f"/grader/{file.name}"]
    for name, value in _VARIABLES.items():
        command += ["--setenv", name, value]
    return [*command, "--chdir", "/home/student", "--remount-ro", "/"]


def _python_folders():
    """What Python needs to start and to import: the interpreter, its library, the installed packages, this package."""
    folders = {sys.prefix, sys.base_prefix, str(PACKAGE), *sysconfig.get_paths().values()}
    real = {str(Path(folder).resolve()) for folder in folders if Path(folder).is_dir()} | folders
    wanted = sorted(f for f in real if Path(f).is_dir() and not f.startswith(("/usr/", "/bin", "/lib")))
    return [f for f in wanted if not any(f != other and Path(f).is_relative_to(other) for other in wanted)]


@functools.cache
def why_no_bubblewrap():
    """Return why bubblewrap cannot be used here, or an empty string if it can."""
    if sys.platform != "linux":
        return f"bubblewrap exists for Linux only, and this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (Debian, Ubuntu: apt-get install bubblewrap)"
    try:
        done = _try_bubblewrap({})
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    if done.returncode == 0:
        return ""
    return f"bubblewrap does not work here: {done.stderr.strip()[:300]} {_advice(done.stderr)}".strip()


def _try_bubblewrap(identity):
    command = [*bubblewrap_command(), sys.executable, "-I", "-c", "import encodings"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env={}, **identity)


def _advice(text):
    if "user namespace" in text or "uid map" in text or "Operation not permitted" in text:
        return (
            "(The system forbids user namespaces. Ubuntu 23.10 and later: allow bwrap in AppArmor. "
            "In a container: start it with permission for nested namespaces, or grade outside it.)"
        )
    return ""


def start(kind):
    """Start a worker.

    Parameters
    ----------
    kind : {"bubblewrap", "none"}

    Returns
    -------
    subprocess.Popen
        With pipes to its standard input and output; it leads a process group of its own.
    """
    if kind == "bubblewrap":
        command = [*bubblewrap_command(), sys.executable, "-I", "-B", f"/grader/{WORKER.name}"]
        variables = {}
    elif kind == "none":
        command = [sys.executable, "-I", "-B", str(WORKER)]
        variables = {**os.environ, **{k: v for k, v in _VARIABLES.items() if k not in ("HOME", "PATH")}}
    else:
        raise ValueError(f"sandbox must be 'bubblewrap' or 'none'; got {kind!r}")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    identity = nobody() if kind == "bubblewrap" else {}
    return subprocess.Popen(command, env=variables, start_new_session=True, **pipes, **identity)


@functools.cache
def nobody():
    """Who starts bubblewrap when the grader is root: nobody, for the system does not limit root's processes.

    Where nobody may not read Python's folders (root's own home, say), root does it, and the number of processes is only watched.
    """
    if os.geteuid() != 0:
        return {}
    identity = {"user": 65534, "group": 65534, "extra_groups": []}
    return identity if _try_bubblewrap(identity).returncode == 0 else {}


def stop(process):
    """End a worker and everything that it started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    else:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        pipe.close()


class Watch(threading.Thread):
    """Ends a worker when it and all its descendants together use more memory or processes than they may (Linux only)."""

    def __init__(self, process, memory=MEMORY, interval=0.05):
        super().__init__(daemon=True)
        self._process, self._memory, self._interval = process, memory, interval
        self._done = threading.Event()
        self.reason = ""

    def run(self):
        while not self._done.wait(self._interval) and self._process.poll() is None:
            self.reason = self._fault(descendants(self._process.pid, PROCESSES + 1))
            if self.reason:
                self._process.kill()
                return

    def _fault(self, family):
        if len(family) > PROCESSES:
            return f"it started more than {PROCESSES} processes"
        if sum(map(resident_memory, family)) > self._memory and sum(map(own_memory, family)) > self._memory:
            return f"it used more than {self._memory >> 20} MB of memory"
        return ""

    def close(self):
        self._done.set()


def descendants(pid, most):
    """The process and those below it, `most` at the most."""
    found, waiting = [], [pid]
    while waiting and len(found) < most:
        current = waiting.pop()
        found.append(current)
        for task in _tasks(current):
            try:
                waiting += map(int, Path(f"/proc/{current}/task/{task}/children").read_text().split())
            except OSError:
                continue
    return found


def _tasks(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def resident_memory(pid):
    """Bytes of a process in memory; quick to read, but pages that processes share count for each of them."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def own_memory(pid):
    """Bytes of a process in memory, where a page that processes share counts in part for each."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:")), 0)


def wait_readable(descriptor, until):
    """Wait until a pipe has data; False when the time is up."""
    left = until - time.monotonic()
    return left > 0 and bool(select.select([descriptor], [], [], left)[0])


def wait_writable(descriptor, until):
    """Wait until a pipe takes data; False when the time is up."""
    left = until - time.monotonic()
    return left > 0 and bool(select.select([], [descriptor], [], left)[1])
