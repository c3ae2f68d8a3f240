"""Run a learner's function on the cases of an exercise and judge what comes back."""

from __future__ import annotations

import contextlib
import copy
import linecache
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

from mlcourse.grading import report
from mlcourse.grading.compare import KINDS, Difference, describe, difference
from mlcourse.grading.timeout import OutOfTime, time_limit
from mlcourse.grading.worker import to_read

_PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Outcome:
    """What one call did: it returned `value`, or it raised `error` (the name of the exception, its text and line)."""

    value: object = None
    error: str | None = None
    error_text: str = ""
    error_line: str = ""
    error_bases: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class LocalRunner:
    """Uses the learner's answer in this process.

    It is one way to use an answer that the grader does not trust; another, in a sandbox, has the same method.

    Parameters
    ----------
    answer : object
        The function, class or value that the learner wrote.
    exercise : Exercise
        What asks for it.
    seconds : float, optional
        How long all calls together may take; no limit by default.
    """

    def __init__(self, answer, exercise, seconds=None):
        self._answer, self._exercise, self._seconds = answer, exercise, seconds
        self._left = seconds
        self._stopped = None

    def call(self, args, kwargs):
        """Use the answer on copies of the inputs and return an `Outcome`."""
        if self._stopped is not None:
            return self._stopped
        args, kwargs = copy.deepcopy((args, kwargs))
        before = copy.deepcopy((args, kwargs))
        limit = contextlib.nullcontext() if self._left is None else time_limit(self._left)
        start = time.monotonic()
        try:
            with limit:
                value = _copied(self._exercise.result_of(self._answer, args, kwargs))
        except KeyboardInterrupt:
            raise
        except OutOfTime as error:
            self._stopped = Outcome(
                error="OutOfTime",
                error_text=f"it ran longer than {self._seconds:g} s; is there a loop that never ends?",
                error_line=_line_of(error, self._exercise),
                error_bases=("OutOfTime",),
            )
            return self._stopped
        except BaseException as error:
            bases = tuple(base.__name__ for base in type(error).__mro__)
            text, line = " ".join(str(error).split()), _line_of(error, self._exercise)
            outcome = Outcome(error=bases[0], error_text=text, error_line=line, error_bases=bases)
            if bases[0] == "OutOfTime":  # what `use` started took too long
                self._stopped = outcome
            return outcome
        finally:
            if self._left is not None:
                self._left -= time.monotonic() - start
        return Outcome(value=value, changed=_changed(before, (args, kwargs)))


@dataclass(frozen=True)
class CaseResult:
    """How one case went; `fault` is None when it passed."""

    label: str
    inputs: str
    fault: Difference | None

    @property
    def passed(self):
        return self.fault is None


@dataclass(frozen=True)
class Result:
    """What a check found: points, each case, and the diagnosis."""

    exercise: object
    cases: tuple[CaseResult, ...]
    started: bool = True
    recognized: object = None
    better: bool = True

    @property
    def passed(self):
        return all(case.passed for case in self.cases)

    @property
    def answered(self):
        """Whether the learner has begun."""
        return self.started

    @property
    def points(self):
        """Points earned: in proportion to the cases passed; nothing for what is no better than the code as it was handed out."""
        if not self.started or not self.better:
            return 0.0
        return round(self.exercise.points * sum(case.passed for case in self.cases) / len(self.cases), 2)

    @property
    def fault(self):
        """The fault that a person would look at first, or None."""
        faults = [case.fault for case in self.cases if not case.passed]
        return min(faults, key=lambda fault: KINDS.index(fault.kind), default=None)

    @property
    def diagnosis(self):
        """One sentence: the known mistake, if the results are exactly those of one, else the first fault."""
        if self.passed:
            return ""
        return self.recognized.says if self.recognized is not None else self.fault.message

    def __repr__(self):
        return report.as_text(self)

    def _repr_html_(self):
        return report.as_html(self)


@dataclass(frozen=True)
class HandedIn:
    """An answer that a person will read: how many words it has, or whether it draws a figure."""

    exercise: object
    words: int = 0
    drawn: bool = False
    fault: str = ""
    passed = False
    points = 0.0

    @property
    def answered(self):
        """Whether there is something to read."""
        return self.drawn or self.words > 0

    def __repr__(self):
        return report.handed_in_as_text(self)

    def _repr_html_(self):
        return report.handed_in_as_html(self)


@dataclass(frozen=True)
class Unchecked:
    """An answer that this machine cannot check; `why` says what it lacks, and what to do."""

    exercise: object
    why: str
    passed = False
    answered = True
    points = 0.0

    def __repr__(self):
        return report.unchecked_as_text(self)

    def _repr_html_(self):
        return report.unchecked_as_html(self)


def check_answer(exercise, answer, seconds=None):
    """Check an answer in this process on the public cases.

    Parameters
    ----------
    exercise : Exercise
    answer : object
        The function, class or value that the learner wrote.
    seconds : float, optional
        How long it may run; no limit by default.

    Returns
    -------
    Result, HandedIn or Unchecked
    """
    try:
        if exercise.ready is not None:
            exercise.ready()
    except RuntimeError as error:
        return Unchecked(exercise, str(error))
    if not exercise.manual:
        return run(exercise, LocalRunner(answer, exercise, seconds))
    try:
        with contextlib.nullcontext() if seconds is None else time_limit(seconds):
            shown = to_read(answer)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return HandedIn(exercise, fault=f"it raised {type(error).__name__}: {' '.join(str(error).split())}")
    return HandedIn(exercise, drawn=True) if isinstance(shown, bytes) else HandedIn(exercise, words=len(shown.split()))


def run(exercise, runner, seeds=(0,)):
    """Check a function against an exercise.

    Parameters
    ----------
    exercise : Exercise
        What to check.
    runner : LocalRunner
        Calls the learner's function; anything with the same ``call(args, kwargs)`` will do.
    seeds : sequence of int
        The cases are drawn once from each seed.

    Returns
    -------
    Result
    """
    return run_drawn(Drawn(exercise, seeds), runner)


class Drawn:
    """The cases of an exercise, drawn from seeds, with what is known of them: it is computed when it is needed, and once.

    Parameters
    ----------
    exercise : Exercise
    seeds : sequence of int, or of tuples of int

    Attributes
    ----------
    cases : tuple of Case
    """

    def __init__(self, exercise, seeds):
        self.exercise = exercise
        self.cases = tuple(case for seed in seeds for case in exercise.cases(exercise.generator(seed)))
        self._expected, self._of_mistakes = {}, {}

    def expected(self, i):
        """The expected result of a case."""
        if i not in self._expected:
            args, kwargs = copy.deepcopy((self.cases[i].args, self.cases[i].kwargs))
            self._expected[i] = self.exercise.oracle(*args, **kwargs)
        return self._expected[i]

    def outcomes_of(self, mistake):
        """What a known mistake does in each case."""
        if mistake not in self._of_mistakes:
            runner = LocalRunner(mistake.answer, self.exercise)
            self._of_mistakes[mistake] = [runner.call(case.args, case.kwargs) for case in self.cases]
        return self._of_mistakes[mistake]


def run_drawn(drawn, runner):
    """Check an answer on cases that are drawn already; see `run`."""
    judging = Judging(drawn)
    for case in drawn.cases:
        judging.take(runner.call(case.args, case.kwargs))
    return judging.result()


class Judging:
    """Judges the outcomes of one answer, case by case in their order, and keeps of a wrong one only what is wrong with it.

    Parameters
    ----------
    drawn : Drawn
    """

    def __init__(self, drawn):
        self._drawn = drawn
        self._faults, self._errors = [], []
        self._right = []  # outcomes before the first fault: they are as large as the expected results, and no larger
        self._alike = None

    def take(self, outcome):
        """Judge the outcome of the next case."""
        self._faults.append(_judge(self._drawn, len(self._faults), outcome))
        self._errors.append(outcome.error)
        self._right.append(outcome)
        if any(self._faults):
            self._compare_with_mistakes()

    def _compare_with_mistakes(self):
        """For each mistake and each case: does it do what the learner's answer did?"""
        exercise = self._drawn.exercise
        if self._alike is None:
            self._alike = {mistake: [] for mistake in exercise.mistakes}
            if exercise.ready is not None:
                exercise.ready(*(mistake.answer for mistake in exercise.mistakes))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a wrong answer may well divide by zero
            for mistake, alike in self._alike.items():
                others = self._drawn.outcomes_of(mistake)
                alike += [_same(exercise, others[len(alike) + i], outcome) for i, outcome in enumerate(self._right)]
        self._right.clear()

    def result(self):
        """Return the `Result` of all cases."""
        cases = tuple(
            CaseResult(case.label, case.inputs if fault else "", fault)
            for case, fault in zip(self._drawn.cases, self._faults, strict=True)
        )
        started = not all(error == "NotImplementedError" for error in self._errors)
        recognized = _recognized(self._drawn, self._alike, self._faults) if started and any(self._faults) else None
        better = not any(self._faults) or _better_than_handed_out(self._drawn, self._faults)
        return Result(self._drawn.exercise, cases, started, recognized, better)


def _judge(drawn, i, outcome):
    """The first fault of one call, or None."""
    case = drawn.cases[i]
    if case.raises is not None:
        return _judge_error(case, outcome)
    if outcome.error in ("OutOfTime", "Stopped"):
        return Difference("raised", f"{outcome.error_text}{outcome.error_line}")
    if outcome.error is not None:
        return Difference("raised", f"it raised {outcome.error}: {outcome.error_text}{outcome.error_line}".rstrip(": "))
    fault = _compare(drawn.exercise, drawn.expected(i), outcome.value)
    changed = [name for name in _names(case.args, case.kwargs) if name in outcome.changed]
    if changed and (fault is None or fault.kind == "wrong value"):
        return Difference("changed input", f"it changed its input {' and '.join(changed)}; work on a copy")
    return fault


def _judge_error(case, outcome):
    wanted = case.raises.__name__
    if outcome.error is None:
        return Difference("no error", f"expected {wanted}, but it returned {describe(outcome.value)}")
    if wanted not in outcome.error_bases:
        return Difference("raised", f"expected {wanted}, but it raised {outcome.error}: {outcome.error_text}")
    return None


def _compare(exercise, expected, got):
    try:
        if exercise.compare is not None:
            return exercise.compare(expected, got)
        return difference(expected, got, rtol=exercise.rtol, atol=exercise.atol)
    except Exception as error:  # of an exercise's own `compare`, on a result that its author did not think of
        return Difference("wrong value", f"it cannot be compared with the expected result ({type(error).__name__})")


def _recognized(drawn, alike, faults):
    """The known mistake that behaves like the learner's answer, if there is one.

    It does so in every case; or in every case that asks for a result, whatever either does where an error is asked for.
    """
    asking = [i for i, case in enumerate(drawn.cases) if case.raises is None]
    exact = (mistake for mistake, same in alike.items() if all(same))
    but_for_errors = (mistake for mistake, same in alike.items() if all(same[i] for i in asking))
    return next(exact, None) or (next(but_for_errors, None) if any(faults[i] for i in asking) else None)


def _better_than_handed_out(drawn, faults):
    """Whether a case passes that the broken code fails which the exercise handed out; True if it handed out none.

    What broken code returns may depend on the machine in its last digits, so that it cannot be told by its results alone.
    """
    planted = [mistake for mistake in drawn.exercise.mistakes if mistake.planted]
    if not planted:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = drawn.outcomes_of(planted[0])
        return any(fault is None and _judge(drawn, i, outcomes[i]) is not None for i, fault in enumerate(faults))


def _same(exercise, first, second):
    if (first.error, first.changed) != (second.error, second.changed):
        return False
    if first.error is not None:
        return True
    if exercise.alike is not None:
        try:
            return exercise.alike(first.value, second.value)
        except Exception:  # a result that its author did not think of is that of no known mistake
            return False
    return difference(first.value, second.value, rtol=exercise.rtol, atol=exercise.atol) is None


def _changed(before, after):
    pairs = zip(_names(*before), [*before[0], *before[1].values()], [*after[0], *after[1].values()], strict=True)
    return tuple(name for name, old, new in pairs if difference(old, new, rtol=0, atol=0) is not None)


def _names(args, kwargs):
    """What the inputs of a call are called in messages."""
    return [*(f"number {i + 1}" for i in range(len(args))), *kwargs]


def _copied(value):
    """A copy, as what comes back may be changed by the next call; some things cannot be copied."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _line_of(error, exercise):
    """The learner's own line: the last one that is neither in an installed library, nor in this package, nor in the exercise's `use`."""
    if exercise.apart:
        return ""  # it is no Python
    use = getattr(exercise.use, "__code__", None)
    own = [
        (frame.f_code, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code is not use and not frame.f_code.co_filename.startswith(_PACKAGE)
    ]
    own = [(code, line) for code, line in own if "site-packages" not in code.co_filename]
    text = linecache.getline(own[-1][0].co_filename, own[-1][1]).strip() if own else ""
    return f" (in line {own[-1][1]}: {text})" if text else ""
