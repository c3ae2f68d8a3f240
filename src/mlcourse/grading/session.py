"""One submission's worker: run its cells, call its functions, start it again when it dies, and stop when its time is used up."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import struct
import threading
import time

from mlcourse.grading import sandbox
from mlcourse.grading.codec import CodecError, decode, encode, parse
from mlcourse.grading.engine import Outcome

MAX_MESSAGE = 32 << 20
CELL_SECONDS = 8.0
CELLS_SECONDS = 16.0
TOTAL_SECONDS = 40.0
START_SECONDS = 20.0
_GRACE = 0.7
WALL_FACTOR = 3
_LOOK_SECONDS = 0.1
_ANSWER, _TOO_LONG = object(), object()
_PASSES = 3
_RESTARTS = 30


class WorkerDied(Exception):
    """The student's process ended, or was ended; the message says why."""


class WorkerFailed(WorkerDied):
    """It ended by itself, or its messages are too long or not ours: what does that may be something else than the request."""


class Worker:
    """The other end of one worker process: a request goes there, data come back.

    A request is charged the time that it would have taken on an idle machine: the wall time, without the time in which the worker waited
    for a processor, and with the CPU time of the processes that it started. So a busy machine takes no marks from anybody.

    Parameters
    ----------
    kind : {"bubblewrap", "none"}
        The sandbox.
    memory : int
        Bytes that all its processes together may use.

    Attributes
    ----------
    spent : float
        Seconds charged so far.

    Raises
    ------
    mlcourse.grading.sandbox.SandboxError
        If the worker does not start: none of the student's code has run then.
    """

    def __init__(self, kind, memory=sandbox.MEMORY):
        self.spent = self._waited = 0.0
        self._child = sandbox.Child(kind, memory)
        self._requests, self._answers = queue.SimpleQueue(), queue.SimpleQueue()
        threading.Thread(target=self._exchange, daemon=True).start()
        try:
            self._requests.put(_packed(self._child.limits()))
            self.ask("defined", START_SECONDS, names=[])
        except WorkerDied as error:
            self.close()
            raise sandbox.SandboxError(f"the worker does not start: {error} (`mlcourse doctor` says why)") from None
        self._child.started()
        self._waited = self._child.waited()

    def ask(self, do, seconds, **arguments):
        """Send one request and return the answer, a dict.

        Raises
        ------
        WorkerDied
            If the process ends, uses up its time, or answers with anything but our messages.
        """
        name = secrets.token_hex(8)
        self._requests.put(_packed({"id": name, "do": do, "with": arguments, "seconds": seconds}))
        self._requests.put(_ANSWER)
        body = self._wait(seconds)
        if body is None:
            raise WorkerFailed(self._child.why_ended())
        if body is _TOO_LONG:
            raise WorkerFailed(f"it returned more than {MAX_MESSAGE >> 20} MB")
        try:
            message = parse(body)
        except (CodecError, ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or message.get("id") != name:
            raise WorkerFailed("it wrote to the grader's channel")
        return message

    def processes(self):
        """How many processes there are, with those that the student's code started; 0 if nobody knows."""
        return self._child.processes()

    def close(self):
        """End the process and everything that it started."""
        self._child.stop()  # first: a worker whose input ends goes by itself, and what it started could not be found any more
        self._requests.put(None)

    def _wait(self, seconds):
        """Wait for an answer as long as the request has time; None if there will be none."""
        start, waited, others = time.monotonic(), self._waited, 0.0
        try:
            while True:
                with contextlib.suppress(queue.Empty):
                    return self._answers.get(timeout=_LOOK_SECONDS)
                others += self._child.cpu_of_others()
                wall = time.monotonic() - start
                if (
                    self._charge(wall, self._child.waited() - waited, others) > seconds + _GRACE
                    or wall > WALL_FACTOR * seconds + _GRACE
                ):
                    raise WorkerDied(f"it ran longer than {seconds:.3g} s")
        finally:
            self._waited = self._child.waited()  # between requests it sleeps and does not wait for a processor
            self.spent += self._charge(time.monotonic() - start, self._waited - waited, others)

    def _charge(self, wall, waited, others):
        """Seconds to charge for a request, of the wall time, what of it the worker waited, and the CPU time of what it started."""
        return wall - waited + others

    def _exchange(self):
        """Write and read what the queues ask for. It may have to wait for ever, so that a thread does it that nobody waits for."""
        with self._child.stdin as into, self._child.stdout as out:
            try:
                while (wanted := self._requests.get()) is not None:
                    if wanted is _ANSWER:
                        self._answers.put(_read_message(out))
                    else:
                        _write(into, wanted)
            except OSError:
                self._answers.put(None)


def _packed(message):
    data = json.dumps(message).encode()
    return struct.pack(">I", len(data)) + data


def _write(pipe, data):
    left = memoryview(data)
    while left:
        left = left[pipe.write(left) :]


def _read_message(pipe):
    """The body of a message; None at the end."""
    head = _read(pipe, 4)
    if head is None:
        return None
    size = struct.unpack(">I", head)[0]
    return _TOO_LONG if size > MAX_MESSAGE else _read(pipe, size)


def _read(pipe, size):
    data = bytearray()
    while len(data) < size:
        piece = pipe.read(min(size - len(data), 1 << 20))
        if not piece:
            return None
        data += piece
    return bytes(data)


class Session:
    """A submission's code, running.

    Parameters
    ----------
    cells : list of str
        The code cells, in order.
    kind : {"bubblewrap", "none"}
        The sandbox.

    Attributes
    ----------
    errors : dict of int to str
        What went wrong in the cells, by their index.
    spent : float
        Seconds charged so far, for everything.
    """

    def __init__(self, cells, kind):
        self._cells, self.kind = cells, kind
        self._mode = ["whole"] * len(cells)
        self.errors = {}
        self.spent = 0.0
        self._spent_on_cells = 0.0
        self._worker = None
        self._processes_of_cells = 0
        self._starts = 0
        self._has_fallen_back = False
        self._until = time.monotonic() + WALL_FACTOR * TOTAL_SECONDS

    def defined(self, names):
        """Return those of `names` that the student's code has bound, each with whether it can be called."""
        try:
            answer = self._ask("defined", CELL_SECONDS, names=list(names))
        except WorkerDied as error:
            self.errors.setdefault(0, str(error))
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
        return self._outcome("call", seconds, name=name, args=arguments, kwargs=keywords, use=use)

    def read(self, name, seconds):
        """Get the value of a name, as `call` does."""
        return self._outcome("read", seconds, name=name)

    def show(self, name, seconds):
        """Get what a person is shown of a manual answer, a text or the bytes of an image, as `call` does."""
        return self._outcome("show", seconds, name=name)

    def clear(self):
        """To be called between two answers: end the worker if an answer left processes behind, which the next one would pay for."""
        if self._worker is not None and self._worker.processes() > self._processes_of_cells:
            self.close()

    def close(self):
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _outcome(self, do, seconds, **arguments):
        try:
            return outcome_of(self._ask(do, seconds, **arguments)), True
        except WorkerDied as error:
            return Outcome(error="Stopped", error_text=str(error), error_bases=("Stopped",)), False

    def _ask(self, do, seconds, **arguments):
        """Ask the worker. Where it fails, ask a new one, once in a session, that has run only the definitions of all cells: a cell may
        have left something behind that ends the program later.
        """
        try:
            answer = self._ask_once(do, seconds, **arguments)
            if self._has_fallen_back or not _wanted_the_end(answer):
                return answer
            self.close()
        except WorkerFailed:
            if self._has_fallen_back:
                raise
        self._has_fallen_back = True
        before, self._mode = self._mode, ["definitions" if mode == "whole" else mode for mode in self._mode]
        try:
            return self._ask_once(do, seconds, **arguments)
        except WorkerDied:
            self._mode = before
            raise

    def _ask_once(self, do, seconds, **arguments):
        try:
            worker = self._ready()
            with self._charged(worker):
                return worker.ask(do, min(seconds, self._left()), **arguments)
        except WorkerDied:
            self.close()
            raise

    def _left(self):
        """Seconds that the submission has left."""
        left = min(TOTAL_SECONDS - self.spent, self._until - time.monotonic())
        if left <= 0:
            raise WorkerDied("the submission's time was used up")
        return left

    @contextlib.contextmanager
    def _charged(self, worker):
        before = worker.spent
        try:
            yield
        finally:
            self.spent += worker.spent - before

    def _ready(self):
        """The worker with the cells run: a new one if there is none."""
        while self._worker is None:
            self._left()
            self._starts += 1
            if self._starts > _RESTARTS:
                raise WorkerDied("it ended its process too often")
            self._worker = Worker(self.kind)
            self._run_cells()
            if self._worker is not None:
                self._processes_of_cells = self._worker.processes()
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
        self._run_less_when_late(number)
        if self._mode[number] == "never":
            return False
        definitions = self._mode[number] == "definitions"
        before = self.spent
        try:
            with self._charged(self._worker):
                seconds = min(CELL_SECONDS, max(0.5, CELLS_SECONDS - self._spent_on_cells), self._left())
                source = self._cells[number]
                answer = self._worker.ask("run", seconds, source=source, number=number + 1, definitions=definitions)
        except WorkerDied as error:
            self.errors[number] = f"cell {number + 1} stopped the program: {error}"
            self._mode[number] = "never" if definitions else "definitions"
            self.close()
            return False
        finally:
            self._spent_on_cells += self.spent - before
        if "error" not in answer:
            if not definitions:
                self.errors.pop(number, None)
            return True
        if answer.get("error") == "OutOfTime":
            self._mode[number] = "never" if definitions else "definitions"
        self.errors[number] = f"cell {number + 1} raised {_text(answer, 'error')}: {_text(answer, 'text')}"
        return False

    def _run_less_when_late(self, number):
        """Once the time of all cells is used up, run only definitions; when that takes long too, nothing."""
        late = self._spent_on_cells - CELLS_SECONDS
        if late > CELLS_SECONDS / 2:
            self._mode[number] = "never"
            self.errors[number] = f"cell {number + 1} was not run: the time of all cells was used up"
        elif late > 0 and self._mode[number] == "whole":
            self._mode[number] = "definitions"
            self.errors[number] = (
                f"of cell {number + 1} only functions, classes and imports were run: the time of all cells was used up"
            )


class SessionRunner:
    """Uses one answer of a session, as `mlcourse.grading.run` expects; after it stopped the program once, no more."""

    def __init__(self, session, exercise):
        self._session, self._exercise = session, exercise
        self._left = exercise.seconds
        self._stopped = None

    def call(self, args, kwargs):
        """Use the answer; return an `Outcome`."""
        if self._stopped is None and self._left <= 0:
            text = f"all cases together ran longer than {self._exercise.seconds:g} s"
            self._stopped = Outcome(error="OutOfTime", error_text=text, error_bases=("OutOfTime",))
        if self._stopped is not None:
            return self._stopped
        before, exercise = self._session.spent, self._exercise
        if exercise.answer == "value" and exercise.use is None:
            outcome, alive = self._session.read(exercise.name, self._left)
        else:
            outcome, alive = self._session.call(exercise.name, args, kwargs, self._left, exercise.use_source)
        self._left -= self._session.spent - before
        if not alive or outcome.error == "OutOfTime":
            self._stopped = outcome
        return outcome


def _wanted_the_end(answer):
    """Whether something was raised that ends a program, such as SystemExit, which a thread can raise in another."""
    bases = answer.get("bases")
    return "error" in answer and isinstance(bases, list) and not {"Exception", "OutOfTime"} & {str(b) for b in bases}


def outcome_of(answer):
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
        return Outcome(error="Unreadable", error_text=str(error), error_bases=("Unreadable",))


def _text(answer, key):
    value = answer.get(key)
    return value[:500] if isinstance(value, str) else ""
