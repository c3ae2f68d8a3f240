"""What many banks of exercises need: wrong answers that refuse what has no result, and predictions compared with what was measured."""

from __future__ import annotations

from functools import wraps

from mlcourse.grading.compare import Difference, difference


def refusing(impossible):
    """Make a wrong answer refuse, with ValueError, the inputs that have no result: its mistake is another one.

    Parameters
    ----------
    impossible : callable
        Takes the inputs and tells whether they have no result.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> @refusing(lambda values: not values)
    ... def sum_for_mean(values):
    ...     return sum(values)
    >>> sum_for_mean([])
    Traceback (most recent call last):
        ...
    ValueError: there is no result for these inputs
    """

    def decorate(answer):
        @wraps(answer)
        def refuses(*args):
            if impossible(*args):
                raise ValueError("there is no result for these inputs")
            return answer(*args)

        return refuses

    return decorate


def predictions_difference(expected, got, rtol=1e-6, atol=1e-9):
    """Count the right predictions and name one that is wrong, without giving it away: a `compare` for an exercise.

    Parameters
    ----------
    expected : dict
        What was measured, by the names of the predictions.
    got : object
        What the learner predicted.
    rtol, atol : float
        As in `numpy.isclose`.

    Returns
    -------
    Difference or None

    Examples
    --------
    >>> predictions_difference({"first": 1, "second": 2}, {"first": 1, "second": 3}).message
    '1 of 2 predictions are right; look again at `second`'
    """
    if not isinstance(got, dict) or set(got) != set(expected):
        return difference(expected, got)
    wrong = [key for key in expected if difference(expected[key], got[key], rtol=rtol, atol=atol) is not None]
    if not wrong:
        return None
    right = len(expected) - len(wrong)
    return Difference("wrong value", f"{right} of {len(expected)} predictions are right; look again at `{wrong[0]}`")
