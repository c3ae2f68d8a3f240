"""The exercises of the course and their checks: one module per chapter.

In a notebook::

    from mlcourse.exercises import check, hint, progress

    check(cosine_similarity)   # points, each case, what is wrong
    hint(cosine_similarity)    # the next hint
    progress()                 # all exercise sets, and what to do next
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from mlcourse.exercises.records import progress, record
from mlcourse.grading import Exercise, Unchecked, check_answer

__all__ = ["check", "exercise_set", "exercise_sets", "find", "hint", "progress", "set_name"]

CHECK_SECONDS = 10.0
"""How long `check` lets an answer run."""

_hints_given: dict[str, int] = {}


def exercise_sets():
    """Name every exercise set, such as ``math/vectors``, in alphabetical order."""
    here = Path(__file__).parent
    modules = [path.relative_to(here).with_suffix("") for path in here.glob("*/*.py") if path.stem != "__init__"]
    return sorted(module.as_posix().replace("_", "-") for module in modules)


@cache
def exercise_set(name):
    """Load the exercises of one chapter, or a teacher's own.

    Parameters
    ----------
    name : str
        Part and chapter, such as ``"math/vectors"``; or the path of a Python file that ends in ``.py`` and defines ``EXERCISES``.

    Returns
    -------
    tuple of Exercise
        In the order of the notebook.

    Raises
    ------
    LookupError
        If there is no such set, or the file cannot be used.
    """
    if name.endswith(".py"):
        return _from_file(Path(name))
    if name not in exercise_sets():
        raise LookupError(f"there is no exercise set {name!r}; the sets are {', '.join(exercise_sets())}")
    module = importlib.import_module(f"{__name__}.{name.replace('/', '.').replace('-', '_')}")
    return tuple(module.EXERCISES)


def set_name(name):
    """Return what a set is called in gradebooks and reports: its name, or the name of a teacher's file without ``.py``.

    Examples
    --------
    >>> set_name("math/vectors"), set_name("/home/lee/private/week-3.py")
    ('math/vectors', 'week-3')
    """
    return Path(name).stem if name.endswith(".py") else name


def _from_file(path):
    """Run a teacher's file and take its exercises."""
    if not path.is_file():
        raise LookupError(f"there is no file {path}; give a Python file that defines EXERCISES")
    spec = importlib.util.spec_from_file_location(f"private_exercises_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        exercises = tuple(module.EXERCISES)
    except AttributeError as error:
        raise LookupError(f"{path} defines no EXERCISES, a list of mlcourse.grading.Exercise ({error})") from error
    except Exception as error:
        raise LookupError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    strangers = [item for item in exercises if not isinstance(item, Exercise)]
    if strangers or not exercises:
        what = type(strangers[0]).__name__ if strangers else "nothing"
        raise LookupError(f"EXERCISES in {path} must hold mlcourse.grading.Exercise objects; it holds {what}")
    return exercises


def find(name):
    """Find an exercise by the name of the function it asks for.

    Raises
    ------
    LookupError
        If no exercise asks for such a function; the message lists names that are close.
    ImportError
        If it may be in a set whose libraries are not installed.
    """
    names, missing = [], None
    for key in exercise_sets():
        try:
            exercises = exercise_set(key)
        except ModuleNotFoundError as error:  # a page that runs Python has only the libraries that it needs
            missing = error
            continue
        for exercise in exercises:
            if exercise.name == name:
                return exercise
            names.append(exercise.name)
    if missing is not None:
        raise ImportError(
            f"the exercise {name!r} may be in a set that needs {missing.name}; install it first"
        ) from missing
    import difflib

    close = difflib.get_close_matches(name, names, n=3)
    advice = f"did you mean {' or '.join(close)}?" if close else "keep the name that the exercise gives"
    raise LookupError(f"no exercise asks for a function named {name!r}; {advice}")


def check(*answer):
    """Check your answer to an exercise; the result shows itself as a card.

    An answer that runs longer than `CHECK_SECONDS` in all its cases together is ended. The points are kept for `progress`.

    Parameters
    ----------
    *answer
        The function or class you wrote, under the name that the exercise gives it; or, where the exercise asks for a text or
        another value, its name and the value: ``check("reading", reading)``.

    Returns
    -------
    mlcourse.grading.Result
        With ``points``, ``passed``, ``cases`` and ``diagnosis``; for an answer that a person reads, `mlcourse.grading.HandedIn`;
        on a machine without what a check needs, such as a C++ compiler, `mlcourse.grading.Unchecked`.

    Raises
    ------
    TypeError
        If it is called with anything else.
    LookupError
        If no exercise asks for an answer of this name.

    Examples
    --------
    >>> def cosine_similarity(u, v):
    ...     return u @ v
    >>> check(cosine_similarity).passed
    False
    """
    exercise, answer = _exercise_and_answer(answer)
    result = check_answer(exercise, answer, CHECK_SECONDS)
    if not isinstance(result, Unchecked):
        record(exercise.name, result.points, result.answered)
    return result


def hint(function):
    """Show the next hint for an exercise; every call gives one more.

    Parameters
    ----------
    function : callable or str
        Your function or class, or the name that the exercise gives.
    """
    exercise = find(function) if isinstance(function, str) else _exercise_of(function, "hint")
    given = min(_hints_given.get(exercise.name, 0) + 1, len(exercise.hints))
    _hints_given[exercise.name] = given
    left = len(exercise.hints) - given
    print(f"Hint {given} of {len(exercise.hints)}: {exercise.hints[given - 1]}")
    print(f"({left} more: call hint again)" if left else "(that was the last one)")


def _exercise_and_answer(answer):
    if len(answer) == 2 and isinstance(answer[0], str):
        return find(answer[0]), answer[1]
    if len(answer) == 2:
        raise TypeError(
            f'check takes a name and a value, such as check("reading", reading); got a {type(answer[0]).__name__} for the name'
        )
    if len(answer) != 1:
        raise TypeError(f"check takes your function, or a name and a value; got {len(answer)} arguments")
    exercise = _exercise_of(answer[0], "check")
    if exercise.answer == "value":
        raise TypeError(f'this exercise asks for a value: check("{exercise.name}", {exercise.name})')
    return exercise, answer[0]


def _exercise_of(function, caller) -> Exercise:
    name = getattr(function, "__name__", None)
    if not callable(function) or name is None:
        raise TypeError(
            f"{caller} takes the function you wrote, such as {caller}(cosine_similarity); "
            f"got a {type(function).__name__}. Leave out the parentheses after the function's name; "
            f'where an exercise asks for a text, give its name first: {caller}("reading"{", reading" * (caller == "check")}).'
        )
    return find(name)
