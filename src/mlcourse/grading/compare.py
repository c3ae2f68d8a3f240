"""Compare an expected result with the one that came, and say how they differ."""

from __future__ import annotations

import numbers
from dataclasses import dataclass

import numpy as np

KINDS = ("raised", "no error", "wrong type", "wrong shape", "wrong dtype", "not finite", "changed input", "wrong value")
"""The order in which a person looks, and so the order in which faults are reported."""

_DTYPE_NAMES = {
    "b": "a boolean",
    "i": "an integer",
    "u": "an integer",
    "f": "a float",
    "c": "a complex",
    "U": "a string",
    "O": "an object",
}


@dataclass(frozen=True)
class Difference:
    """How a result differs from the expected one: a kind from `KINDS`, and a sentence."""

    kind: str
    message: str


def difference(expected, got, *, rtol=1e-6, atol=1e-9):
    """Return how `got` differs from `expected`, or None if it does not.

    The first fault in the order of `KINDS` is reported: the type before the shape, the shape before the dtype,
    the dtype before values. Numbers may differ by ``atol + rtol * abs(expected)``; an int is accepted for an
    equal float, but not a float for an int.

    Parameters
    ----------
    expected, got : object
        Numbers, strings, booleans, None, arrays, and tuples, lists, dicts and sets of them.
    rtol, atol : float
        Relative and absolute tolerance.

    Returns
    -------
    Difference or None

    Examples
    --------
    >>> difference(np.zeros(3), np.zeros((3, 1))).message
    'expected an array of shape (3,), got shape (3, 1)'
    >>> difference(1.0, 1.0 + 1e-12) is None
    True
    """
    with np.errstate(all="ignore"):
        return _difference(expected, got, "", rtol, atol)


def _difference(expected, got, place, rtol, atol):
    if got is None and expected is not None:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got None; is a `return` missing?")
    if got is Ellipsis:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got the placeholder `...`")
    if isinstance(expected, np.ndarray) and expected.ndim:
        return _array_difference(expected, got, place, rtol, atol)
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got[()]
    if isinstance(expected, (bool, np.bool_)):
        return _plain_difference(expected, got, place, isinstance(got, (bool, np.bool_)))
    if isinstance(expected, numbers.Number):
        return _number_difference(expected, got, place, rtol, atol)
    if isinstance(expected, (tuple, list)):
        return _sequence_difference(expected, got, place, rtol, atol)
    if isinstance(expected, dict):
        return _dict_difference(expected, got, place, rtol, atol)
    return _plain_difference(expected, got, place, isinstance(got, type(expected)))


def describe_type(value):
    """Name the type of a value as a learner would: 'an array of shape (3,)', 'a number', 'a list of 4'."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.ndim else "a number"
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if isinstance(value, numbers.Integral):
        return "an int"
    if isinstance(value, numbers.Number):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, (tuple, list, dict, set)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"a {type(value).__name__}"


def describe(value, limit=60):
    """Show a value in at most `limit` characters."""
    if isinstance(value, np.ndarray):
        text = " ".join(np.array2string(value, precision=4, threshold=6, edgeitems=2).split())
        if len(text) > limit:
            text = f"array of shape {value.shape}, {value.dtype}"
    elif isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_, numbers.Integral)):
        text = f"{float(value):.6g}"
    elif isinstance(value, np.generic):
        text = repr(value.item())
    else:
        text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _number_difference(expected, got, place, rtol, atol):
    if isinstance(got, (bool, np.bool_)) or not isinstance(got, numbers.Number):
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    if isinstance(expected, numbers.Integral) and not isinstance(got, numbers.Integral):
        return Difference("wrong type", f"{place}expected an int, got the {type(got).__name__} {describe(got)}")
    if np.isfinite(expected) and not np.isfinite(got):
        return Difference("not finite", f"{place}expected {describe(expected)}, got {describe(got)}")
    if not np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True):
        return Difference("wrong value", f"{place}expected {describe(expected)}, got {describe(got)}")
    return None


def _plain_difference(expected, got, place, same_type):
    if not same_type:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    if got != expected:
        return Difference("wrong value", f"{place}expected {describe(expected)}, got {describe(got)}")
    return None


def _array_difference(expected, got, place, rtol, atol):
    if not isinstance(got, np.ndarray):
        return Difference("wrong type", f"{place}expected a NumPy array, got {describe_type(got)}")
    if got.shape != expected.shape:
        return Difference("wrong shape", f"{place}expected an array of shape {expected.shape}, got shape {got.shape}")
    kinds = [_DTYPE_NAMES.get(array.dtype.kind, array.dtype.kind) for array in (expected, got)]
    if kinds[0] != kinds[1]:
        return Difference("wrong dtype", f"{place}expected {kinds[0]} array, got {got.dtype} values")
    if expected.dtype.kind not in "fc":
        wrong = np.asarray(got != expected)
    else:
        if (np.isfinite(expected) & ~np.isfinite(got)).any():
            count = int((np.isfinite(expected) & ~np.isfinite(got)).sum())
            return Difference("not finite", f"{place}{count} of {got.size} values are NaN or infinite")
        wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    index = ", ".join(map(str, first))
    return Difference(
        "wrong value",
        f"{place}{int(wrong.sum())} of {got.size} values differ; the first is at [{index}]: "
        f"expected {describe(expected[first])}, got {describe(got[first])}",
    )


def _sequence_difference(expected, got, place, rtol, atol):
    if not isinstance(got, type(expected)):
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    if len(got) != len(expected):
        return Difference("wrong shape", f"{place}expected {len(expected)} items, got {len(got)}")
    return _first(
        _difference(e, g, f"{place}item {i}: ", rtol, atol) for i, (e, g) in enumerate(zip(expected, got, strict=True))
    )


def _dict_difference(expected, got, place, rtol, atol):
    if not isinstance(got, dict):
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing or extra:
        parts = [f"missing {missing}"] * bool(missing) + [f"unexpected {extra}"] * bool(extra)
        return Difference("wrong shape", f"{place}the keys differ: {', '.join(parts)}")
    return _first(_difference(expected[key], got[key], f"{place}[{key!r}]: ", rtol, atol) for key in expected)


def _first(differences):
    """The difference that a person would look at first."""
    found = [d for d in differences if d is not None]
    return min(found, key=lambda d: KINDS.index(d.kind), default=None)
