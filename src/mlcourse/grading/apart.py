"""Use an answer that is compiled, such as the source of a kernel, in a worker of its own.

The source is data in the student's worker, and leaves it as data. What it becomes when it is compiled and run shares nothing with the
student's Python, which may have replaced the very functions that compile and watch it, and it finds the whole of the memory that a
submission may use.
"""

from __future__ import annotations

import functools

from mlcourse.grading.codec import CodecError, encode
from mlcourse.grading.engine import Outcome
from mlcourse.grading.session import WALL_FACTOR, Worker, WorkerDied, outcome_of

APART_SECONDS = 80.0
"""Computing time of all compiled answers of a submission together; each has the `seconds` of its exercise."""

_TRY_SECONDS = 60.0
_ANSWER = "answer"


class Compiler(Worker):
    """A worker that does little itself: it waits for a compiler, and for what that has made.

    A request is charged the CPU time of these, or what they should have needed of it if they slept.
    """

    def _charge(self, wall, waited, others):
        return max(others, wall / WALL_FACTOR)


class ApartRunner:
    """Uses one answer, as `mlcourse.grading.run` expects; after it stopped the program once, no more.

    Parameters
    ----------
    read : Outcome
        The answer as the student's worker gave it.
    use_source : str
        The source of what uses it: see `Exercise`.
    kind : {"bubblewrap", "none"}
        The sandbox.
    seconds : float
        Computing time of all calls.

    Attributes
    ----------
    spent : float
        Seconds charged so far.
    """

    def __init__(self, read, use_source, kind, seconds):
        self._read, self._use_source, self._kind, self._seconds = read, use_source, kind, seconds
        self._worker = None
        self._stopped = read if read.error is not None else None
        self.spent = 0.0

    def call(self, args, kwargs):
        """Use the answer; return an `Outcome`."""
        if self._stopped is not None:
            return self._stopped
        try:
            outcome = self._ask(args, kwargs)
        except WorkerDied as error:
            outcome = Outcome(error="Stopped", error_text=str(error), error_bases=("Stopped",))
        if outcome.error in ("OutOfTime", "Stopped"):
            self._stopped = outcome
        return outcome

    def _ask(self, args, kwargs):
        left = self._seconds - self.spent
        if left <= 0:
            raise WorkerDied(f"all cases together ran longer than {self._seconds:.3g} s")
        if self._worker is None:
            self._worker = Compiler(self._kind)
            self._worker.ask("bind", left, name=_ANSWER, value=_encoded(self._read.value))
        arguments, keywords = [encode(value) for value in args], {key: encode(value) for key, value in kwargs.items()}
        before = self._worker.spent
        try:
            answer = self._worker.ask("call", left, name=_ANSWER, args=arguments, kwargs=keywords, use=self._use_source)
        finally:
            self.spent += self._worker.spent - before
        return outcome_of(answer)

    def close(self):
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _encoded(value):
    try:
        return encode(value)
    except CodecError as error:
        raise WorkerDied(f"the answer cannot be used: {error}") from None


@functools.cache
def why_no_kernels(kind):
    """Return why kernels cannot be compiled and run in a sandbox of this kind here, or an empty string if they can."""
    from mlcourse.gpu import KernelError
    from mlcourse.grading.kernels import TINY, ready, tiny_case, use_source

    try:
        ready()
    except KernelError as error:
        return str(error)
    runner = ApartRunner(Outcome(value=TINY), use_source(), kind, _TRY_SECONDS)
    try:
        outcome = runner.call((), tiny_case())
    finally:
        runner.close()
    faults = outcome.value["faults"] if outcome.error is None else [{"message": outcome.error_text}]
    return f"kernels do not run in the sandbox: {faults[0]['message']}" if faults else ""


def why_no_set(name, kind):
    """Return why the answers of an exercise set cannot be compiled here, or an empty string; of no set (None), nothing is known."""
    from mlcourse.exercises import exercise_set

    if name is None or not any(exercise.apart for exercise in exercise_set(name)):
        return ""
    return why_no_kernels(kind)
