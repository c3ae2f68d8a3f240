"""Spread the grading of a class over processes of this machine; `mlcourse.grading.cluster` spreads it over others.

Each submission is graded in a grader process, which starts the worker that holds the student's code. A grader grades one submission after
another, so what the checks import is imported once. Where a grader ends, its submission is tried once more in a new one.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from mlcourse import __version__
from mlcourse.exercises import set_name
from mlcourse.grading import sandbox as confinement
from mlcourse.grading.grade import grade
from mlcourse.grading.marks import SubmissionMark

GRADER_FAULT = "the grader failed on this submission"
SUBMISSION_SECONDS = 300.0
"""More than any submission may need: a grader that takes longer is ended."""

_TRIES = 2
_IDLE_SECONDS = 120.0
_WAIT_SECONDS = 30.0
_STOP_SECONDS = 3.0
_GRADER_BYTES = 256 << 20
_COMMAND = ("-P", "-c", "from mlcourse.grading.jobs import serve; serve()")


class GradingError(Exception):
    """A class cannot be graded as it was asked for; the message says why and what to do."""


class Stopped(Exception):
    """The grading was ended while this submission was graded."""


def grade_all(submissions, seed, *, jobs=1, sandbox="bubblewrap", exercise_set=None):
    """Grade many submissions, several at a time.

    What goes wrong with one is in its own mark, and the others go on. When the generator is closed, every process that
    it started ends.

    Parameters
    ----------
    submissions : iterable of Submission
        They may be unread: a grader reads its own.
    seed : int
    jobs : int
        How many at a time.
    sandbox : {"bubblewrap", "none"}
    exercise_set : str, optional

    Yields
    ------
    tuple of (Submission, SubmissionMark)
        In the order in which they are done.
    """
    settings = {"seed": seed, "sandbox": sandbox, "exercise_set": exercise_set}
    graders = Graders()
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        tasks = some_at_a_time(submissions, lambda s: pool.submit(graders.grade, s, settings), lambda: jobs + 1)
        for submission, future in tasks:
            yield submission, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        graders.close()


def some_at_a_time(submissions, submit, most, waiting=lambda: None):
    """Submit each, with no more than ``most()`` under way, so that memory stays flat; yield (submission, done future).

    `waiting` is called whenever nothing was done for half a minute.
    """
    running = {}
    for submission in submissions:
        running[submit(submission)] = submission
        while len(running) >= most():
            yield from _finished(running, waiting)
    while running:
        yield from _finished(running, waiting)


def _finished(running, waiting):
    done, _ = concurrent.futures.wait(running, _WAIT_SECONDS, concurrent.futures.FIRST_COMPLETED)
    if not done:
        waiting()
    for future in done:
        yield running.pop(future), future


def default_jobs():
    """How many submissions this machine can grade at a time: one for each core that it may use and has the memory for."""
    fitting = _free_memory() // (confinement.MEMORY + _GRADER_BYTES)
    return max(1, min(_usable_cores(), fitting))


def _usable_cores():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _words("/sys/fs/cgroup/cpu.max") or ["max", "100000"]
    return cores if quota == "max" else min(cores, max(1, int(quota) // int(period)))


def _free_memory():
    """Bytes that new processes may use; where the system does not say, enough for one job for each core."""
    free = [(confinement.MEMORY + _GRADER_BYTES) * (os.cpu_count() or 1)]
    meminfo = _words("/proc/meminfo")
    if "MemAvailable:" in meminfo:
        free = [int(meminfo[meminfo.index("MemAvailable:") + 1]) << 10]
    limit, used = _words("/sys/fs/cgroup/memory.max"), _words("/sys/fs/cgroup/memory.current")
    if limit and used and limit != ["max"]:
        free.append(int(limit[0]) - int(used[0]))
    return min(free)


def _words(path):
    try:
        return Path(path).read_text().split()
    except OSError:
        return []


def engine_version(exercise_set):
    """What marks depend on besides the submission and the seed: the checks of the set, and the code that runs them."""
    package = Path(__file__).parents[1]
    files = sorted((package / "grading").glob("*.py"))
    if exercise_set.endswith(".py"):
        files.append(Path(exercise_set))
    elif exercise_set:
        files.append(package / "exercises" / f"{exercise_set.replace('-', '_')}.py")
    if any(b"mlcourse.grading.kernels" in path.read_bytes() for path in files[-1:]):
        files += sorted(path for path in (package / "gpu").rglob("*") if path.suffix in (".py", ".h", ".cpp"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{__version__}-{digest[:16]}"


def rejected(submission, settings, why):
    """The mark of a submission that the grader could not grade, through no fault that it knows of in the notebook."""
    reason = f"{GRADER_FAULT} ({why}); a person must look at it"
    key, digest = set_name(settings["exercise_set"] or ""), submission.read().digest
    return SubmissionMark(submission.student, key, "rejected", reason, digest=digest, seed=settings["seed"])


class Graders:
    """The grader processes of one run on one machine: one for each thread that grades."""

    def __init__(self):
        self._lock = threading.Lock()
        self._of_thread = {}
        self._closed = False

    def grade(self, submission, settings):
        """Grade a submission in this thread's grader.

        Returns
        -------
        SubmissionMark
            A rejected one if the grader ends twice.

        Raises
        ------
        Stopped
            If `close` was called.
        """
        with self._lock:
            if self._closed:
                raise Stopped
            grader = self._of_thread.setdefault(threading.get_ident(), Grader())
        return grader.grade(submission, settings)

    def close(self):
        """End the processes, whatever they do, with all that they started."""
        with self._lock:
            self._closed = True
        for grader in self._of_thread.values():
            grader.let_go()
        for grader in self._of_thread.values():
            grader.wait()


class Grader:
    """A process that grades one submission at a time; it is started when it is needed, and again after it ended."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process = None
        self._closed = False

    def grade(self, submission, settings):
        """Grade a submission; see `Graders.grade`."""
        why = ""
        for _ in range(_TRIES):
            process = self._running()
            out_of_time = threading.Event()
            clock = threading.Timer(SUBMISSION_SECONDS, _end_late, (process, out_of_time))
            clock.start()
            try:
                pickle.dump((submission, settings), process.stdin)
                process.stdin.flush()
                return pickle.load(process.stdout)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):
                why = f"its process ended {_TRIES} times, the last time {self._why_ended(process)}"
            finally:
                clock.cancel()
            if out_of_time.is_set():
                why = f"it took longer than {SUBMISSION_SECONDS:g} s"
                break
        return rejected(submission, settings, why)

    def let_go(self):
        """Tell the process to end, and start no other."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()

    def wait(self):
        """Wait for the end of a process that was told to end."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS + 1)
        _end(self._process)

    def _running(self):
        """The process: a new one if there is none, or if it ended because it had nothing to do."""
        with self._lock:
            if self._closed:
                raise Stopped
            if self._process is None or self._process.poll() is not None:
                if self._process is not None:
                    _end(self._process)
                # Ctrl-C in the terminal is for the process that has the gradebook, so the grader has a session of its own.
                self._process = subprocess.Popen(
                    [sys.executable, *_COMMAND],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                )  # fmt: skip
            return self._process

    def _why_ended(self, process):
        with self._lock:
            if self._closed:
                raise Stopped from None
            code = _end(process)
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with the status {code}"


def _end(process):
    """End a process, if it has not ended, and close the pipes to it."""
    process.kill()
    code = process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # there may be something left to write
            pipe.close()
    return code


def _end_late(process, out_of_time):
    out_of_time.set()
    process.kill()


def serve():
    """Be a grader: grade what comes on the standard input, until that is closed or nothing came for a while."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    requests = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, threading.get_ident()), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, queue.Empty, BrokenPipeError):
        while True:
            submission, settings = requests.get(timeout=_IDLE_SECONDS)
            pickle.dump(_guarded(submission, settings), answers)
            answers.flush()
    os._exit(0)  # without waiting for the thread that listens


def _listen(requests, main_thread):
    """Pass requests on; when no more can come, interrupt the grading: who asked for it is gone, or wants it to end."""
    with os.fdopen(os.dup(0), "rb") as pipe, contextlib.suppress(EOFError, OSError):
        while True:
            requests.put(pickle.load(pipe))
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread, signal.SIGINT)
        time.sleep(_STOP_SECONDS)
    os._exit(1)


def _guarded(submission, settings):
    """Grade; a fault of the grader's own becomes a rejected mark that says so."""
    try:
        return grade(submission.read(), **settings)
    except Exception as error:
        return rejected(submission, settings, f"{type(error).__name__}: {error}")
