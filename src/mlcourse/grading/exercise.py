"""What an exercise is: its card, its cases, the expected results and the wrong answers people give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlcourse.grading.compare import KINDS


class Case:
    """One call of the learner's function.

    Parameters
    ----------
    label : str
        What the case is about, as the learner reads it.
    *args, **kwargs
        The inputs: plain data (numbers, strings, arrays, containers of them), for they may travel to another process.
    raises : type of Exception, optional
        The exception that the function must raise on these inputs, where it must raise one.

    Examples
    --------
    >>> Case("the norm of a zero vector", [0.0, 0.0]).args
    ([0.0, 0.0],)
    """

    def __init__(self, label, *args, raises=None, **kwargs):
        self.label, self.args, self.kwargs, self.raises = label, args, kwargs, raises

    def __repr__(self):
        return f"Case({self.label!r})"


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer and what to tell the person who gives it.

    Parameters
    ----------
    answer : callable
        The wrong function.
    says : str
        The diagnosis: what was probably done, and why it is wrong. It never shows the solution.
    kind : str
        How the check sees it first, one of `KINDS`.
    planted : bool
        True for the broken code that an exercise hands out: unchanged, it earns nothing.
    """

    answer: Callable
    says: str
    kind: str = "wrong value"
    planted: bool = False

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Mistake: kind must be one of {', '.join(KINDS)}; got {self.kind!r}")


@dataclass(frozen=True)
class Exercise:
    """One exercise and everything that its check needs.

    Parameters
    ----------
    name : str
        The function that the learner writes; unique in the whole course.
    title : str
        The heading on its card.
    points, minutes, difficulty : int
        The card; difficulty goes from 1 to 5.
    hints : tuple of str
        Up to three, from gentle to almost the answer.
    cases : callable
        ``cases(rng)`` yields `Case` objects drawn from a `numpy.random.Generator`.
    oracle : callable
        The expected result, computed independently of the solution; it takes the inputs of a case.
    mistakes : tuple of Mistake
        At least three wrong answers.
    rtol, atol : float
        Tolerances for numbers, as in `numpy.isclose`.
    compare : callable, optional
        ``compare(expected, got)`` replaces the standard comparison where several results are right;
        it returns None or a `Difference`.
    """

    name: str
    title: str
    points: int
    minutes: int
    difficulty: int
    hints: tuple[str, ...]
    cases: Callable[..., Iterable[Case]]
    oracle: Callable
    mistakes: tuple[Mistake, ...]
    rtol: float = 1e-6
    atol: float = 1e-9
    compare: Callable | None = None

    def __post_init__(self):
        if not 1 <= self.difficulty <= 5:
            raise ValueError(f"{self.name}: difficulty must be 1 to 5; got {self.difficulty}")
        if not 1 <= len(self.hints) <= 3:
            raise ValueError(f"{self.name}: give one to three hints; got {len(self.hints)}")
        if len(self.mistakes) < 3:
            raise ValueError(f"{self.name}: at least three wrong answers are needed; got {len(self.mistakes)}")
