"""Compare an expected result with the one that came, and say how they differ."""

from __future__ import annotations

import cmath
import contextlib
import numbers
import sys
from dataclasses import dataclass
from itertools import islice

from mlcourse.grading.codec import Opaque

KERNEL_FAULTS = (
    "refused", "compile error", "launch", "crash", "trap", "out of bounds", "misaligned", "read only", "local memory",
    "divergent barrier", "early exit", "deadlock", "warp function", "async copy", "race", "uninitialized", "not written",
)  # fmt: skip
"""What a kernel in CUDA C++ may do wrong, whatever it computes."""

KINDS = (
    "raised", "no error", *KERNEL_FAULTS, "wrong type", "wrong shape", "wrong dtype", "not finite", "changed input", "wrong value",
    "depends on the order", "too many sectors", "bank conflicts",
)  # fmt: skip
"""The order in which a person looks, and so the order in which faults are reported."""

OWN_WORDS = ("raised", *KERNEL_FAULTS, "too many sectors", "bank conflicts")
"""The kinds whose message repeats what the learner's own code, or what ran it, has said."""

_MOST_NAMED = 5


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
        Numbers, strings, booleans, None, arrays, pandas tables and columns, PyTorch tensors, and tuples, lists, dicts and
        sets of them. `got` may be anything: what cannot be compared differs.
    rtol, atol : float
        Relative and absolute tolerance.

    Returns
    -------
    Difference or None

    Examples
    --------
    >>> import numpy as np
    >>> difference(np.zeros(3), np.zeros((3, 1))).message
    'expected an array of shape (3,), got shape (3, 1)'
    >>> difference(1.0, 1.0 + 1e-12) is None
    True
    """
    try:
        with _without_warnings():
            return difference_at(expected, got, "", rtol, atol)
    except Exception as error:
        return Difference("wrong value", f"it cannot be compared with the expected result ({type(error).__name__})")


def difference_at(expected, got, place, rtol, atol):
    if got is None and expected is not None:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got None; is a `return` missing?")
    if got is Ellipsis:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got the placeholder `...`")
    if is_a("torch", "Tensor", expected):
        return _arrays().tensor_difference(expected, got, place, rtol, atol)
    if is_a("pandas", "DataFrame", expected):
        return _arrays().frame_difference(expected, got, place, rtol, atol)
    if is_a("pandas", "Series", expected) or is_a("pandas", "Index", expected):
        return _arrays().column_difference(expected, got, place, rtol, atol)
    if is_a("numpy", "ndarray", expected) and expected.ndim:
        return _arrays().array_difference(expected, got, place, rtol, atol)
    if is_a("numpy", "ndarray", expected):
        expected = expected[()]
    if is_a("numpy", "ndarray", got) and got.ndim == 0:
        got = got[()]
    if _is_bool(expected):
        return _plain_difference(expected, got, place, _is_bool(got))
    if isinstance(expected, numbers.Number) and not is_a("numpy", "timedelta64", expected):
        return _number_difference(expected, got, place, rtol, atol)
    if isinstance(expected, (tuple, list)):
        return _sequence_difference(expected, got, place, rtol, atol)
    if isinstance(expected, dict):
        return _dict_difference(expected, got, place, rtol, atol)
    return _plain_difference(expected, got, place, isinstance(got, type(expected)))


def _arrays():
    """The comparison of arrays, which needs NumPy: it is loaded with the first array."""
    from mlcourse.grading import compare_arrays

    return compare_arrays


def _without_warnings():
    numpy = sys.modules.get("numpy")
    return contextlib.nullcontext() if numpy is None else numpy.errstate(all="ignore")


def is_a(module, name, value):
    """Tell whether a value is of a library's class, without importing the library."""
    return module in sys.modules and isinstance(value, getattr(sys.modules[module], name))


def _is_bool(value):
    return isinstance(value, bool) or is_a("numpy", "bool_", value)


def _is_number(value):
    """Tell whether a value is a number of Python or of NumPy; True and False, and spans of time, are none."""
    if _is_bool(value) or is_a("numpy", "timedelta64", value):
        return False
    return isinstance(value, (int, float, complex)) or is_a("numpy", "number", value)


def describe_type(value):
    """Name the type of a value as a learner would: 'an array of shape (3,)', 'a number', 'a list of 4'."""
    if is_a("numpy", "ndarray", value):
        return f"an array of shape {value.shape}" if value.ndim else "a number"
    if is_a("torch", "Tensor", value):
        return f"a PyTorch tensor of shape {tuple(value.shape)}"
    if is_a("pandas", "DataFrame", value):
        return f"a DataFrame of {_count(len(value), 'row')} and {_count(value.shape[1], 'column')}"
    if is_a("pandas", "Series", value) or is_a("pandas", "Index", value):
        return f"{'a Series' if is_a('pandas', 'Series', value) else 'an Index'} of {_count(len(value), 'value')}"
    if isinstance(value, Opaque):
        return f"an object of type {value.type_name}"
    if _is_bool(value):
        return "True or False"
    if isinstance(value, int) or is_a("numpy", "integer", value):
        return "an int"
    if _is_number(value):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, (tuple, list, dict, set, frozenset)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"an object of type {type(value).__name__}"


def describe(value, limit=60):
    """Show a value in at most `limit` characters, in a time that does not depend on its size."""
    text = " ".join(_text(value, limit, 0)[: 20 * limit].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(value, limit, depth):
    if depth > _MOST_NAMED:
        return "…"
    if is_a("numpy", "ndarray", value):
        return _arrays().array_text(value, limit)
    if isinstance(value, (str, bytes)):
        return repr(value[: 4 * limit])
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral) and not depth:
        return f"{float(value):.6g}"
    if is_a("numpy", "generic", value) and not depth:
        return repr(value.item())
    if type(value) in (tuple, list, set, frozenset):
        return _items_text(value, (_text(item, limit, depth + 1) for item in value), limit)
    if type(value) is dict:
        items = (f"{_text(k, limit, depth + 1)}: {_text(v, limit, depth + 1)}" for k, v in value.items())
        return _items_text(value, items, limit)
    if is_a("torch", "Tensor", value) or is_a("pandas", "DataFrame", value) or is_a("pandas", "Series", value):
        return describe_type(value)
    return repr(value)


def _items_text(value, items, limit):
    """Write a container as Python does, but not more of it than is shown."""
    open_, close = {list: "[]", tuple: "()", dict: "{}", set: "{}", frozenset: "{}"}[type(value)]
    if not value:
        return repr(value)
    parts, size = [], 0
    for item in islice(items, limit):
        parts.append(item)
        size += len(item)
        if size > limit:
            break
    text = open_ + ", ".join(parts) + ("," if type(value) is tuple and len(value) == 1 else "") + close
    return f"frozenset({text})" if type(value) is frozenset else text


def _count(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _number_difference(expected, got, place, rtol, atol):
    if not _is_number(got):
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    both_whole = isinstance(expected, numbers.Integral) and isinstance(got, numbers.Integral)
    if isinstance(expected, numbers.Integral) and not both_whole:
        return Difference("wrong type", f"{place}expected an int, got the {type(got).__name__} {describe(got)}")
    if not both_whole and _finite(expected) and not _finite(got):
        return Difference("not finite", f"{place}expected {describe(expected)}, got {describe(got)}")
    if not (int(got) == int(expected) if both_whole else _close(expected, got, rtol, atol)):
        return Difference("wrong value", f"{place}expected {describe(expected)}, got {describe(got)}")
    return None


def _finite(number):
    return isinstance(number, int) or cmath.isfinite(number)


def _close(expected, got, rtol, atol):
    try:
        expected, got = complex(expected), complex(got)
        if expected == got or (cmath.isnan(expected) and cmath.isnan(got)):
            return True
        return cmath.isfinite(expected) and cmath.isfinite(got) and abs(got - expected) <= atol + rtol * abs(expected)
    except OverflowError:  # an int beyond every float
        return False


def _plain_difference(expected, got, place, same_type):
    if not same_type:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    if got != expected and not (is_missing(expected) and is_missing(got)):
        return Difference("wrong value", f"{place}expected {describe(expected)}, got {describe(got)}")
    return None


def is_missing(value):
    if value is None or ((isinstance(value, float) or is_a("numpy", "floating", value)) and value != value):
        return True
    if is_a("numpy", "datetime64", value) or is_a("numpy", "timedelta64", value):
        return bool(sys.modules["numpy"].isnat(value))
    return "pandas" in sys.modules and (value is sys.modules["pandas"].NaT or value is sys.modules["pandas"].NA)


def _sequence_difference(expected, got, place, rtol, atol):
    if not isinstance(got, type(expected)):
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    if len(got) != len(expected):
        return Difference("wrong shape", f"{place}expected {len(expected)} items, got {len(got)}")
    return first_of(
        difference_at(e, g, f"{place}item {i}: ", rtol, atol)
        for i, (e, g) in enumerate(zip(expected, got, strict=True))
    )


def _dict_difference(expected, got, place, rtol, atol):
    if not isinstance(got, dict):
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing or extra:
        return Difference("wrong shape", f"{place}the keys differ: {missing_and_extra(missing, extra)}")
    return first_of(difference_at(expected[key], got[key], f"{place}[{key!r}]: ", rtol, atol) for key in expected)


def missing_and_extra(missing, extra):
    return ", ".join(
        f"{word} {_named(names)}" for word, names in (("missing", missing), ("unexpected", extra)) if names
    )


def _named(names):
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"[{', '.join(describe(name) for name in names[:_MOST_NAMED])}]{more}"


def first_of(differences):
    """The difference that a person would look at first."""
    found = [d for d in differences if d is not None]
    return min(found, key=lambda d: KINDS.index(d.kind), default=None)
