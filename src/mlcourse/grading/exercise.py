"""What an exercise is: its card, its cases, the expected results and the wrong answers people give."""

from __future__ import annotations

import functools
import inspect
import random
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlcourse.grading.compare import KINDS, describe


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

    @property
    def inputs(self):
        """The inputs, as the card shows them where the answer is wrong."""
        named = [f"{key}={describe(value)}" for key, value in self.kwargs.items()]
        return ", ".join([*map(describe, self.args), *named])

    def __repr__(self):
        return f"Case({self.label!r})"


@dataclass(frozen=True, eq=False)
class Mistake:
    """A plausible wrong answer and what to tell the person who gives it.

    Parameters
    ----------
    answer : object
        The wrong function, class or value.
    says : str
        The diagnosis: what was probably done, and why it is wrong. It never shows the solution.
    kind : str
        How the check sees it first, one of `KINDS`.
    planted : bool
        True for the broken code that an exercise hands out: unchanged, it earns nothing.
    """

    answer: object
    says: str
    kind: str = "wrong value"
    planted: bool = False

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Mistake: kind must be one of {', '.join(KINDS)}; got {self.kind!r}")

    @property
    def name(self):
        """A name for reports: that of the wrong function or class, else the first words of the diagnosis."""
        return getattr(self.answer, "__name__", None) or " ".join(self.says.split()[:6])


ANSWERS = ("function", "class", "value", "manual")
"""What an exercise may ask for; see `Exercise`."""


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise and everything that its check needs.

    Parameters
    ----------
    name : str
        The function, class or variable that the learner writes; unique in the whole course.
    title : str
        The heading on its card.
    points, minutes, difficulty : int
        The card; difficulty goes from 1 to 5.
    hints : tuple of str
        Up to three, from gentle to almost the answer.
    cases : callable
        ``cases(rng)`` yields `Case` objects drawn from a `numpy.random.Generator`, or as `draws_with` says.
    oracle : callable
        The expected result, computed independently of the solution; it takes the inputs of a case.
    mistakes : tuple of Mistake
        At least three wrong answers.
    rtol, atol : float
        Tolerances for numbers, as in `numpy.isclose`.
    compare : callable, optional
        ``compare(expected, got)`` replaces the standard comparison where several results are right, or where a result is good
        enough (an accuracy above a threshold, say); it returns None or a `Difference`.
    answer : {"function", "class", "value", "manual"}
        What the learner writes. A value is data under a name, such as a string of CUDA C++ source. A manual answer is read by a
        person: text under a name, or a function that returns a Matplotlib figure.
    use : callable, optional
        ``use(answer, *args, **kwargs)`` does with the answer what a case says and returns the result as plain data: it makes an
        object of the learner's class and calls its methods, takes the first items of a generator, trains a model and
        predicts. Without it the answer is called. Its source travels to the process of the learner's code, so that it
        must be a ``def`` that imports what it needs inside.
    apart : bool
        Whether `use` runs in a process in which the learner's code has not run, as it must where the answer is a text that is
        compiled: for a class, the answer is taken from the one sandbox as data, and given to `use` in another.
    alike : callable, optional
        ``alike(first, second)`` says whether two results come from the same mistake; by default they do if they are equal within the
        tolerances.
    ready : callable, optional
        ``ready()`` makes ready what all answers share, before any is used; it raises a RuntimeError that says what to do where the machine
        lacks what they need. ``ready(*answers)`` makes ready known wrong answers, all at a time.
    seconds : float
        Computing time that all cases of a class grading may take together.
    draws_with : {"numpy", "python"}
        What `cases` draws from: with ``"python"`` from a `random.Random`, so that an exercise in plain Python can be checked
        where there is no NumPy, such as on a page.
    rubric : str
        For a manual answer: what the person who reads it looks for. Learners do not see it.

    Examples
    --------
    A class, and how it is used:

    >>> def use(answer, values):
    ...     total = answer()
    ...     for value in values:
    ...         total.add(value)
    ...     return total.value
    >>> class Total:
    ...     value = 0
    ...     def add(self, value):
    ...         self.value += value
    >>> use(Total, [1, 2, 3])
    6
    """

    name: str
    title: str
    points: int
    minutes: int
    difficulty: int
    hints: tuple[str, ...]
    cases: Callable[..., Iterable[Case]] | None = None
    oracle: Callable | None = None
    mistakes: tuple[Mistake, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    compare: Callable | None = None
    answer: str = "function"
    use: Callable | None = None
    apart: bool = False
    alike: Callable | None = None
    ready: Callable | None = None
    seconds: float = 4.0
    draws_with: str = "numpy"
    rubric: str = ""

    def __post_init__(self):
        if not 1 <= self.difficulty <= 5:
            raise ValueError(f"{self.name}: difficulty must be 1 to 5; got {self.difficulty}")
        if not 1 <= len(self.hints) <= 3:
            raise ValueError(f"{self.name}: give one to three hints; got {len(self.hints)}")
        if self.answer not in ANSWERS:
            raise ValueError(f"{self.name}: answer must be one of {', '.join(ANSWERS)}; got {self.answer!r}")
        if self.draws_with not in ("numpy", "python"):
            raise ValueError(f"{self.name}: draws_with must be numpy or python; got {self.draws_with!r}")
        if self.manual:
            self._check_manual()
        elif self.cases is None or self.oracle is None or len(self.mistakes) < 3:
            raise ValueError(
                f"{self.name}: cases, an oracle and at least three wrong answers are needed; got {len(self.mistakes)} wrong answers"
            )
        if self.answer == "class" and self.use is None:
            raise ValueError(f"{self.name}: say in `use` what the check does with the class")
        if self.apart and (self.answer != "value" or self.use is None):
            raise ValueError(
                f"{self.name}: only a value is used apart, and only by `use`; got the answer {self.answer!r}"
            )
        if self.use is not None:
            _check_use(self.name, self.use)

    def _check_manual(self):
        if self.cases is not None or self.oracle is not None or self.mistakes or self.use is not None:
            raise ValueError(f"{self.name}: a person reads a manual answer: leave out cases, oracle, mistakes and use")
        if not self.rubric.strip():
            raise ValueError(f"{self.name}: say in `rubric` what the person who reads the answer looks for")

    @property
    def manual(self):
        """Whether a person marks it."""
        return self.answer == "manual"

    def generator(self, seed):
        """Return what `cases` draws from, a new one for a seed (an int, or a tuple of ints)."""
        if self.draws_with == "python":
            return random.Random(repr(seed))
        import numpy as np

        return np.random.default_rng(seed)

    @functools.cached_property
    def use_source(self):
        """The source of `use`, or None."""
        return None if self.use is None else textwrap.dedent(inspect.getsource(self.use))

    def result_of(self, answer, args, kwargs):
        """Use an answer as the exercise says, and return what comes of it."""
        if self.use is not None:
            return self.use(answer, *args, **kwargs)
        return answer if self.answer == "value" else answer(*args, **kwargs)


def _check_use(name, use):
    """See that the source of `use` is enough to run it elsewhere."""
    if not inspect.isfunction(use) or use.__name__ == "<lambda>":
        raise ValueError(f"{name}: `use` must be a function written with def, for its source is sent; got {use!r}")
    outside = inspect.getclosurevars(use)
    needed = sorted({*outside.globals, *outside.nonlocals})
    if needed:
        raise ValueError(
            f"{name}: `use` takes {', '.join(needed)} from outside; import or define it inside the function"
        )
