"""One submission's worker: run its cells, call its functions, start it again when it dies, and stop when its time is used up."""

from __future__ import annotations

import json
import os
import secrets
import struct
import time

from mlcourse.grading import sandbox
from mlcourse.grading.codec import CodecError, decode, encode
from mlcourse.grading.engine import Outcome

MAX_MESSAGE = 32 << 20
CELL_SECONDS = 8.0
CELLS_SECONDS = 16.0
TOTAL_SECONDS = 40.0
START_SECONDS = 20.0
_GRACE = 0.7
_PASSES = 3
_RESTARTS = 30


class WorkerDied(Exception):
    """The student's process ended, or was ended; the message says why."""


class Worker:
    """The other end of one worker process: a request goes there, data come back."""

    def __init__(self, kind):
        self._process = sandbox.start(kind)
        self._watch = sandbox.Watch(self._process)
        if kind == "bubblewrap":
            self._watch.start()
        os.set_blocking(self._process.stdout.fileno(), False)
        os.set_blocking(self._process.stdin.fileno(), False)
        self._buffer = b""
        self._write(sandbox.LIMITS, time.monotonic() + START_SECONDS)
        self.ask("defined", START_SECONDS, names=[])

    def ask(self, do, seconds, **arguments):
        """Send one request and return the answer, a dict.

        Raises
        ------
        WorkerDied
            If the process ends, does not answer in time, or answers with anything but our messages.
        """
        until = time.monotonic() + seconds + _GRACE
        name = secrets.token_hex(8)
        self._write({"id": name, "do": do, "with": arguments, "seconds": seconds}, until)
        size = struct.unpack(">I", self._read(4, until, seconds))[0]
        if size > MAX_MESSAGE:
            raise WorkerDied(f"it returned more than {MAX_MESSAGE >> 20} MB")
        try:
            message = json.loads(self._read(size, until, seconds))
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or message.get("id") != name:
            raise WorkerDied("it wrote to the grader's channel")
        return message

    def close(self):
        self._watch.close()
        sandbox.stop(self._process)

    def _write(self, message, until):
        data = json.dumps(message).encode()
        data = struct.pack(">I", len(data)) + data
        while data:
            try:
                data = data[os.write(self._process.stdin.fileno(), data) :]
            except BlockingIOError:
                if not sandbox.wait_writable(self._process.stdin.fileno(), until):
                    raise WorkerDied("it does not listen") from None
            except OSError:
                raise WorkerDied(self._why()) from None

    def _read(self, size, until, seconds):
        while len(self._buffer) < size:
            if not sandbox.wait_readable(self._process.stdout.fileno(), until):
                raise WorkerDied(f"it ran longer than {seconds:.3g} s")
            piece = os.read(self._process.stdout.fileno(), 1 << 20)
            if not piece:
                raise WorkerDied(self._why())
            self._buffer += piece
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _why(self):
        return self._watch.reason or "it ended its own process"


class Session:
    """A submission's code, running.

    Parameters
    ----------
    cells : list of str
        The code cells, in order.
    kind : {"bubblewrap", "none"}
        The sandbox.
    """

    def __init__(self, cells, kind):
        self._cells, self._kind = cells, kind
        self._mode = ["whole"] * len(cells)
        self.errors = {}
        self._worker = None
        self._starts = 0
        self._until = time.monotonic() + TOTAL_SECONDS
        self._cells_until = time.monotonic() + CELLS_SECONDS

    def defined(self, names):
        """Return those of `names` that the student's code has bound, each with whether it can be called."""
        try:
            answer = self._ready().ask("defined", CELL_SECONDS, names=list(names))
        except WorkerDied as error:
            self._drop()
            self.errors[0] = str(error)
            return {}
        bound, callable_ = (
            answer.get(key) if isinstance(answer.get(key), list) else [] for key in ("names", "callable")
        )
        return {name: name in callable_ for name in names if name in bound}

    def call(self, name, args, kwargs, seconds, use=None):
        """Call a function of the student's with data; return an `Outcome`, and whether the process survived.

        `use` is the source of the function that uses the answer, where the exercise has one.
        """
        arguments = [encode(value) for value in args]
        keywords = {key: encode(value) for key, value in kwargs.items()}
        return self._ask("call", seconds, name=name, args=arguments, kwargs=keywords, use=use)

    def read(self, name, seconds):
        """Get the value of a name, as `call` does."""
        return self._ask("read", seconds, name=name)

    def show(self, name, seconds):
        """Get what a person is shown of a manual answer, a text or the bytes of an image, as `call` does."""
        return self._ask("show", seconds, name=name)

    def _ask(self, do, seconds, **arguments):
        seconds = min(seconds, self._until - time.monotonic())
        try:
            if seconds <= 0:
                raise WorkerDied("the submission's time was used up")
            return _outcome(self._ready().ask(do, seconds, **arguments)), True
        except WorkerDied as error:
            self._drop()
            return Outcome(error="Stopped", error_text=str(error), error_bases=("Stopped",)), False

    def close(self):
        self._drop()

    def _drop(self):
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _ready(self):
        """The worker with the cells run: a new one if there is none."""
        while self._worker is None:
            self._starts += 1
            if self._starts > _RESTARTS:
                raise WorkerDied("it ended its process too often")
            self._worker = Worker(self._kind)
            self._run_cells()
        return self._worker

    def _run_cells(self):
        """Run the cells, and those that failed once more while that helps: they may stand in another order than they need."""
        waiting = list(range(len(self._cells)))
        for _ in range(_PASSES):
            failed = []
            for number in waiting:
                if self._mode[number] != "never" and not self._run_cell(number):
                    if self._worker is None:
                        return
                    failed.append(number)
            if not failed or failed == waiting:
                return
            waiting = failed

    def _run_cell(self, number):
        """Run one cell; if it ends the process, remember to run less of it next time."""
        definitions = self._mode[number] == "definitions"
        seconds = min(CELL_SECONDS, max(0.5, self._cells_until - time.monotonic()))
        try:
            source = self._cells[number]
            answer = self._worker.ask("run", seconds, source=source, number=number + 1, definitions=definitions)
        except WorkerDied as error:
            self.errors[number] = f"cell {number + 1} stopped the program: {error}"
            self._mode[number] = "never" if definitions else "definitions"
            self._drop()
            return False
        if "error" not in answer:
            if not definitions:
                self.errors.pop(number, None)
            return True
        if answer.get("error") == "OutOfTime":
            self._mode[number] = "never" if definitions else "definitions"
        self.errors[number] = f"cell {number + 1} raised {_text(answer, 'error')}: {_text(answer, 'text')}"
        return False


class SessionRunner:
    """Uses one answer of a session, as `mlcourse.grading.run` expects; after it stopped the program once, no more."""

    def __init__(self, session, exercise):
        self._session, self._exercise = session, exercise
        self._left = exercise.seconds
        self.stopped = None

    def call(self, args, kwargs):
        if self.stopped is not None:
            return self.stopped
        start, seconds = time.monotonic(), max(self._left, 0.2)
        if self._exercise.answer == "value" and self._exercise.use is None:
            outcome, alive = self._session.read(self._exercise.name, seconds)
        else:
            outcome, alive = self._session.call(self._exercise.name, args, kwargs, seconds, self._exercise.use_source)
        self._left -= time.monotonic() - start
        if not alive or outcome.error == "OutOfTime":
            self.stopped = outcome
        return outcome


def _outcome(answer):
    """Read an answer as an `Outcome`; a value that is no plain data is an error of its own."""
    if "error" in answer:
        bases = answer.get("bases")
        bases = tuple(str(base)[:80] for base in bases[:20]) if isinstance(bases, list) else ()
        return Outcome(
            error=_text(answer, "error"), error_text=_text(answer, "text"), error_line=_text(answer, "line"), error_bases=bases
        )  # fmt: skip
    changed = answer.get("changed")
    changed = tuple(str(name)[:60] for name in changed[:20]) if isinstance(changed, list) else ()
    try:
        return Outcome(value=decode(answer.get("value")), changed=changed)
    except CodecError as error:
        return Outcome(error="ValueError", error_text=str(error), error_bases=("ValueError",))


def _text(answer, key):
    value = answer.get(key)
    return value[:500] if isinstance(value, str) else ""
