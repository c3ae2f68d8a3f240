"""Grade on the workers of a Dask cluster: the same graders as on one machine, started by each of its workers."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import platform
import queue
import secrets
import socket
import sys
import threading
import time

from mlcourse.grading.apart import why_no_set
from mlcourse.grading.jobs import Graders, GradingError, engine_version, rejected, some_at_a_time
from mlcourse.grading.sandbox import why_no_bubblewrap

CONNECT_SECONDS = 5
NO_WORKERS_SECONDS = 600
_LARGE_TASK = "distributed.admin.large-graph-warning-threshold"
_LARGEST_TASK = "64 MiB"  # a notebook may have 20 MB, and Dask would warn of 10
_GO_ON = "start it again and give the same command with --resume"
_lock = threading.Lock()
_runs = {}  # in a Dask worker: the graders of each run


def grade_on_cluster(submissions, seed, address, *, sandbox="bubblewrap", exercise_set=None):
    """Grade many submissions on the workers of a Dask cluster; see `mlcourse.grading.jobs.grade_all`.

    A submission is tried elsewhere where its Dask worker ends. One that ends several of them is tried once more alone, and
    then rejected.

    Parameters
    ----------
    submissions : iterable of Submission
        They are read here, a few at a time, and sent.
    seed : int
    address : str
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.
    sandbox : {"bubblewrap", "none"}
        On the workers.
    exercise_set : str, optional

    Yields
    ------
    tuple of (Submission, SubmissionMark)
        In the order in which they are done.

    Raises
    ------
    GradingError
        If there is no scheduler at the address, its workers cannot grade, or it goes away.
    """
    settings = {"seed": seed, "sandbox": sandbox, "exercise_set": exercise_set}
    with _connected(address) as client:
        engine = _engine(exercise_set)
        _check_workers(client, address, engine, sandbox, exercise_set)
        run = secrets.token_hex(8)
        executor = client.get_executor(pure=False)

        def submit(submission):
            task = (grade_here, run, submission.read(), settings, engine)
            try:
                return executor.submit(*task)
            except Exception as error:
                raise _gone(address) from error

        def places():
            return 2 * _threads(client) + 1

        try:
            lost, waiting = [], _Patience(client, address)
            for submission, future in some_at_a_time(submissions, submit, places, waiting):
                if _killed_workers(future):
                    lost.append(submission)
                else:
                    yield submission, _result(future, address)
            for submission, future in some_at_a_time(lost, submit, lambda: 1, waiting):
                if _killed_workers(future):
                    yield submission, rejected(submission, settings, "every Dask worker that it was sent to ended")
                else:
                    yield submission, _result(future, address)
        finally:
            with contextlib.suppress(Exception):  # the cluster may be gone
                executor.shutdown(wait=False)
                if client.status == "running":
                    client.run(end_here, run)


def grade_here(run, submission, settings, engine):
    """In a Dask worker: grade a submission in a grader process of this run."""
    with _lock:
        if run not in _runs:
            problem = _problem(engine, settings["sandbox"], settings["exercise_set"])
            if problem:
                raise GradingError(f"{socket.gethostname()}: {problem}")
            _runs[run] = Graders()
        graders = _runs[run]
    return graders.grade(submission, settings)


def end_here(run):
    """In a Dask worker: end the grader processes of this run."""
    with _lock:
        graders = _runs.pop(run, None)
    if graders is not None:
        graders.close()


@contextlib.contextmanager
def _connected(address):
    try:
        import dask
        import distributed  # noqa: F401
    except ModuleNotFoundError as error:
        raise GradingError(f"--cluster needs Dask ({error}): pip install 'mlcourse[cluster]'") from None
    with _quiet("distributed", "distributed.client"), dask.config.set({_LARGE_TASK: _LARGEST_TASK}):
        client = _client(address)
        try:
            yield client
        finally:
            client.close(timeout=CONNECT_SECONDS)


def _client(address):
    """Connect, in another thread: Dask's own limit of time does not hold where something else listens and says nothing."""
    from distributed import Client

    answer = queue.SimpleQueue()

    def connect():
        try:
            answer.put(Client(address, timeout=CONNECT_SECONDS, set_as_default=False))
        except Exception as error:  # whatever listens at that address may say anything
            answer.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        client = answer.get(timeout=2 * CONNECT_SECONDS)
    except queue.Empty:
        client = TimeoutError("it does not answer")
    if isinstance(client, Exception):
        why = f" ({_first_line(client)})" if isinstance(client, OSError | ValueError) else ""
        raise GradingError(
            f"--cluster {address}: no Dask scheduler answers there{why}; "
            "give the address that the scheduler printed when it started, such as tcp://10.0.0.5:8786"
        )
    return client


@contextlib.contextmanager
def _quiet(*names):
    """Let Dask log nothing: what goes wrong is said in our own words."""
    loggers = {name: logging.getLogger(name) for name in names}
    levels = {name: logger.level for name, logger in loggers.items()}
    for logger in loggers.values():
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, logger in loggers.items():
            logger.setLevel(levels[name])


def _check_workers(client, address, engine, sandbox, exercise_set):
    """Refuse to start while any worker would give other marks, or none."""
    pythons = {worker: about["host"]["python"] for worker, about in client.get_versions()["workers"].items()}
    if not pythons:
        raise GradingError(
            f"the cluster at {address} has no workers; start some, wait until they are there, and try again"
        )
    mine = platform.python_version_tuple()[:2]
    odd = {worker: version for worker, version in pythons.items() if tuple(version.split(".")[:2]) != mine}
    problems = {worker: f"Python {version} instead of {'.'.join(mine)}" for worker, version in odd.items()}
    if not problems:
        found = client.run(_problem_of_worker(), engine, sandbox, exercise_set, on_error="return")
        problems = {worker: str(problem) for worker, problem in found.items() if problem}
    if problems:
        lines = "\n".join(f"  {worker}: {problem}" for worker, problem in problems.items())
        raise GradingError(
            f"some workers of {address} cannot be used:\n{lines}\nMend them or stop them, and try again."
        )


def _problem_of_worker():
    # A function within a function is sent as it is, so that it works where mlcourse is missing.
    def problem(engine, sandbox, exercise_set):
        import socket
        import sys

        try:
            from mlcourse.grading.cluster import _problem

            found = _problem(engine, sandbox, exercise_set)
        except ImportError as error:
            found = f"mlcourse cannot be imported by {sys.executable} ({error}); install the same version there"
        return found and f"{socket.gethostname()}: {found}"

    return problem


def _problem(engine, sandbox, exercise_set):
    """Why this machine would give other marks than the one that has `engine`; an empty string if it would not."""
    try:
        here = _engine(exercise_set)
    except OSError as error:
        return f"the exercises are not there ({error}); a file of your own must be at the same path on every worker"
    if here != engine:
        return (
            f"another mlcourse or other checks ({_short(here, engine)} there, {_short(engine, here)} here); "
            "install the same version, or copy your own exercises"
        )
    why = why_no_bubblewrap() if sandbox == "bubblewrap" else ""
    if not why and (why := why_no_set(exercise_set, sandbox)):
        return why
    return why and f"{why}. Or add --sandbox none, which protects the worker from nothing."


def _engine(exercise_set):
    """The version of every set that may be asked for."""
    from mlcourse.exercises import exercise_sets

    return {name: engine_version(name) for name in ([exercise_set] if exercise_set else exercise_sets())}


def _short(first, second):
    """Name what the first has that differs from the second."""
    return next((f"{name}: {version}" for name, version in first.items() if second.get(name) != version), "fewer sets")


class _Patience:
    """To be called while nothing is done: says that there are no workers, and gives up when that lasts too long."""

    def __init__(self, client, address):
        self._client, self._address, self._since = client, address, None

    def __call__(self):
        now = time.monotonic()
        self._since = None if _threads(self._client) else self._since or now
        if self._since is None:
            return
        if now - self._since >= NO_WORKERS_SECONDS:
            raise GradingError(
                f"the cluster at {self._address} has had no workers for {NO_WORKERS_SECONDS} s; what was graded is kept: "
                "start some and give the same command with --resume"
            )
        print(f"the cluster at {self._address} has no workers now; waiting for some", file=sys.stderr, flush=True)


def _threads(client):
    """How many submissions the workers can grade at a time."""
    try:
        return sum(client.nthreads().values())
    except Exception:  # the scheduler is gone, and the tasks will say so
        return 1


def _killed_workers(future):
    from distributed.scheduler import KilledWorker

    return not future.cancelled() and isinstance(future.exception(), KilledWorker)


def _gone(address):
    return GradingError(f"the cluster at {address} is gone; what was graded is kept: {_GO_ON}")


def _result(future, address):
    try:
        return future.result()
    except concurrent.futures.CancelledError:
        raise _gone(address) from None
    except GradingError as error:
        raise GradingError(f"a worker that came later cannot be used: {error}") from None
    except Exception as error:
        raise GradingError(
            f"the cluster at {address} failed ({type(error).__name__}: {_first_line(error)}); what was graded is kept: {_GO_ON}"
        ) from error


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
