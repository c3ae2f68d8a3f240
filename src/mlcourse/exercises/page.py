"""Run and check an answer on an exercise page: the Python side, inside the reader's browser.

The engine and the exercises are those of the notebook. What differs is around them: nothing here can end code that runs too long, so
the page is told when the learner's code begins and ends, and stops Python from outside.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import linecache
import traceback

from mlcourse.exercises import exercise_set
from mlcourse.grading import report
from mlcourse.grading.engine import HandedIn, LocalRunner, check_answer, run
from mlcourse.grading.worker import parse_cell, without_course_calls

YOURS, BEFORE = "your code", "the code before yours"
MAX_SHOWN = 20_000
"""How many characters of output the page shows."""


class Output:
    """A file that hands what is printed to the page, line by line, up to `MAX_SHOWN` characters.

    Parameters
    ----------
    write : callable
        Takes a text.
    """

    def __init__(self, write):
        self._write, self._line, self._left = write, "", MAX_SHOWN

    def write(self, text):
        self._line += text[: self._left]
        if self._left and len(text) >= self._left:
            self._line += "\n… more than that is not shown\n"
        self._left = max(self._left - len(text), 0)
        if "\n" in self._line or len(self._line) > 1000:
            self.flush()
        return len(text)

    def flush(self):
        if self._line:
            self._write(self._line)
        self._line = ""

    def isatty(self):
        return False


def answer(request, write, clock):
    """Run the code of an exercise, and check it if that is asked for.

    Parameters
    ----------
    request : dict
        ``set`` and ``name`` of the exercise, ``before`` (code that runs first), ``code`` (the learner's), and ``check`` (bool).
    write : callable
        Takes a piece of the output.
    clock : callable
        Called with True when the learner's code begins and with False when it ends.

    Returns
    -------
    dict
        ``error``: the traceback, or ""; if there is something to check, ``card`` (HTML), ``points``, ``passed`` and ``answered``.

    Examples
    --------
    >>> request = {"set": "math/vectors", "name": "unit_vector", "before": "", "code": "6 * 7", "check": False}
    >>> printed = []
    >>> answer(request, printed.append, lambda running: None), printed
    ({'error': ''}, ['42\\n'])
    """
    output = Output(write)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        names, error = _run(request, clock)
        found = {"error": error}
        if request["check"]:
            found |= _check(request, names, clock)
        output.flush()
    return found


def _run(request, clock):
    """Execute the cells in names of their own; return those, and the traceback of what went wrong."""
    names = {"__name__": "__main__", "__builtins__": builtins}
    try:
        _execute(request["before"], BEFORE, names)
        with _counted(clock):
            _execute(request["code"], YOURS, names)
    except BaseException as error:
        return names, _trimmed(error)
    return names, ""


def _execute(source, name, names):
    """Run a cell; the value of an expression at the learner's end is shown, as in a notebook."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        tree = without_course_calls(parse_cell(source))
    except SyntaxError as error:
        error.filename = name
        raise
    last = tree.body.pop() if name == YOURS and tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), names)
        if value is not None:
            print(repr(value))


def _check(request, names, clock):
    exercise = next(each for each in exercise_set(request["set"]) if each.name == request["name"])
    given = names.get(exercise.name)
    there = callable(given) if exercise.answer in ("function", "class") else exercise.name in names
    if not there:
        return {"missing": _missing(exercise)}
    if exercise.manual:
        result = check_answer(exercise, given)
        card = report.handed_in_as_html(result)
    else:
        result = run(exercise, _Counted(given, exercise, clock))
        card = report.as_html(result, stuck="The hints are below.")
    answered = bool(result.answered)
    return {
        "card": card,
        "points": result.points,
        "passed": result.passed,
        "answered": answered,
        "manual": isinstance(result, HandedIn),
    }


def _missing(exercise):
    what = exercise.answer if exercise.answer in ("function", "class") else "value"
    return f"There is nothing to check yet: your code defines no {what} named {exercise.name}."


class _Counted(LocalRunner):
    """Uses the answer, and says to the page when that begins and ends."""

    def __init__(self, answer, exercise, clock):
        super().__init__(answer, exercise)
        self._clock = clock

    def call(self, args, kwargs):
        with _counted(self._clock):
            return super().call(args, kwargs)


@contextlib.contextmanager
def _counted(clock):
    clock(True)
    try:
        yield
    finally:
        clock(False)


def _trimmed(error):
    """The traceback without the frames that are not the learner's."""
    shown = traceback.TracebackException.from_exception(error)
    for part in (shown, shown.__cause__, shown.__context__):
        if part is not None:
            part.stack = traceback.StackSummary.from_list([f for f in part.stack if f.filename in (YOURS, BEFORE)])
    return "".join(shown.format())[-MAX_SHOWN:]
