"""The exercises of the course and their checks: one module per chapter.

In a notebook::

    from mlcourse.exercises import check, hint

    check(cosine_similarity)   # points, each case, what is wrong
    hint(cosine_similarity)    # the next hint
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from mlcourse.grading import Exercise, LocalRunner, run

__all__ = ["check", "exercise_set", "exercise_sets", "find", "hint"]

_hints_given: dict[str, int] = {}


def exercise_sets():
    """Name every exercise set, such as ``math/vectors``, in alphabetical order."""
    here = Path(__file__).parent
    modules = [path.relative_to(here).with_suffix("") for path in here.glob("*/*.py") if path.stem != "__init__"]
    return sorted(module.as_posix().replace("_", "-") for module in modules)


@cache
def exercise_set(name):
    """Load the exercises of one chapter.

    Parameters
    ----------
    name : str
        Part and chapter, such as ``"math/vectors"``.

    Returns
    -------
    tuple of Exercise
        In the order of the notebook.

    Raises
    ------
    LookupError
        If there is no such set.
    """
    if name not in exercise_sets():
        raise LookupError(f"there is no exercise set {name!r}; the sets are {', '.join(exercise_sets())}")
    module = importlib.import_module(f"{__name__}.{name.replace('/', '.').replace('-', '_')}")
    return tuple(module.EXERCISES)


def find(name):
    """Find an exercise by the name of the function it asks for.

    Raises
    ------
    LookupError
        If no exercise asks for such a function; the message lists names that are close.
    """
    by_name = {exercise.name: exercise for key in exercise_sets() for exercise in exercise_set(key)}
    if name in by_name:
        return by_name[name]
    import difflib

    close = difflib.get_close_matches(name, by_name, n=3)
    advice = f"did you mean {' or '.join(close)}?" if close else "keep the name that the exercise gives"
    raise LookupError(f"no exercise asks for a function named {name!r}; {advice}")


def check(function):
    """Check your answer to an exercise; the result shows itself as a card.

    Parameters
    ----------
    function : callable
        The function (or class) you wrote, under the name that the exercise gives it.

    Returns
    -------
    mlcourse.grading.Result
        With ``points``, ``passed``, ``cases`` and ``diagnosis``.

    Examples
    --------
    >>> def cosine_similarity(u, v):
    ...     return u @ v
    >>> check(cosine_similarity).passed
    False
    """
    return run(_exercise_of(function, "check"), LocalRunner(function))


def hint(function):
    """Show the next hint for an exercise; every call gives one more.

    Parameters
    ----------
    function : callable or str
        Your function, or its name.
    """
    exercise = find(function) if isinstance(function, str) else _exercise_of(function, "hint")
    given = min(_hints_given.get(exercise.name, 0) + 1, len(exercise.hints))
    _hints_given[exercise.name] = given
    left = len(exercise.hints) - given
    print(f"Hint {given} of {len(exercise.hints)}: {exercise.hints[given - 1]}")
    print(f"({left} more: call hint again)" if left else "(that was the last one)")


def _exercise_of(function, caller) -> Exercise:
    name = getattr(function, "__name__", None)
    if not callable(function) or name is None:
        raise TypeError(
            f"{caller} takes the function you wrote, such as {caller}(cosine_similarity); "
            f"got a {type(function).__name__}. Leave out the parentheses after the function's name."
        )
    return find(name)
