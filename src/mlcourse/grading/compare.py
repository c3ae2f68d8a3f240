"""Compare an expected result with the one that came, and say how they differ."""

from __future__ import annotations

import numbers
import sys
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mlcourse.grading.codec import Opaque

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
    "M": "a date",
    "m": "a time span",
}
_NUMBERS = (int, float, complex, np.number)
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
    >>> difference(np.zeros(3), np.zeros((3, 1))).message
    'expected an array of shape (3,), got shape (3, 1)'
    >>> difference(1.0, 1.0 + 1e-12) is None
    True
    """
    try:
        with np.errstate(all="ignore"):
            return _difference(expected, got, "", rtol, atol)
    except Exception as error:
        return Difference("wrong value", f"it cannot be compared with the expected result ({type(error).__name__})")


def _difference(expected, got, place, rtol, atol):
    if got is None and expected is not None:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got None; is a `return` missing?")
    if got is Ellipsis:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got the placeholder `...`")
    if _is("torch", "Tensor", expected):
        return _tensor_difference(expected, got, place, rtol, atol)
    if _is("pandas", "DataFrame", expected):
        return _frame_difference(expected, got, place, rtol, atol)
    if _is("pandas", "Series", expected) or _is("pandas", "Index", expected):
        return _column_difference(expected, got, place, rtol, atol)
    if isinstance(expected, np.ndarray) and expected.ndim:
        return _array_difference(expected, got, place, rtol, atol)
    if isinstance(expected, np.ndarray):
        expected = expected[()]
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got[()]
    if isinstance(expected, (bool, np.bool_)):
        return _plain_difference(expected, got, place, isinstance(got, (bool, np.bool_)))
    if isinstance(expected, numbers.Number) and not isinstance(expected, np.timedelta64):
        return _number_difference(expected, got, place, rtol, atol)
    if isinstance(expected, (tuple, list)):
        return _sequence_difference(expected, got, place, rtol, atol)
    if isinstance(expected, dict):
        return _dict_difference(expected, got, place, rtol, atol)
    return _plain_difference(expected, got, place, isinstance(got, type(expected)))


def _is(module, name, value):
    """Tell whether a value is of a library's class, without importing the library."""
    return module in sys.modules and isinstance(value, getattr(sys.modules[module], name))


def describe_type(value):
    """Name the type of a value as a learner would: 'an array of shape (3,)', 'a number', 'a list of 4'."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.ndim else "a number"
    if _is("torch", "Tensor", value):
        return f"a PyTorch tensor of shape {tuple(value.shape)}"
    if _is("pandas", "DataFrame", value):
        return f"a DataFrame of {_count(len(value), 'row')} and {_count(value.shape[1], 'column')}"
    if _is("pandas", "Series", value) or _is("pandas", "Index", value):
        return f"{'a Series' if _is('pandas', 'Series', value) else 'an Index'} of {_count(len(value), 'value')}"
    if isinstance(value, Opaque):
        return f"an object of type {value.type_name}"
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if isinstance(value, (int, np.integer)):
        return "an int"
    if isinstance(value, _NUMBERS):
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
    if isinstance(value, np.ndarray):
        return _array_text(value, limit)
    if isinstance(value, (str, bytes)):
        return repr(value[: 4 * limit])
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_, numbers.Integral)) and not depth:
        return f"{float(value):.6g}"
    if isinstance(value, np.generic) and not depth:
        return repr(value.item())
    if type(value) in (tuple, list, set, frozenset):
        return _items_text(value, (_text(item, limit, depth + 1) for item in value), limit)
    if type(value) is dict:
        items = (f"{_text(k, limit, depth + 1)}: {_text(v, limit, depth + 1)}" for k, v in value.items())
        return _items_text(value, items, limit)
    if _is("torch", "Tensor", value) or _is("pandas", "DataFrame", value) or _is("pandas", "Series", value):
        return describe_type(value)
    return repr(value)


def _array_text(value, limit):
    if value.dtype.kind in "OU":
        return f"array of shape {value.shape}, {value.dtype}"
    text = " ".join(np.array2string(value, precision=4, threshold=6, edgeitems=2).split())
    return text if len(text) <= limit else f"array of shape {value.shape}, {value.dtype}"


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
    if isinstance(got, (bool, np.bool_, np.timedelta64)) or not isinstance(got, _NUMBERS):
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
    return isinstance(number, int) or bool(np.isfinite(number))


def _close(expected, got, rtol, atol):
    try:
        return bool(
            np.isclose(got if not isinstance(got, int) else float(got), expected, rtol=rtol, atol=atol, equal_nan=True)
        )
    except OverflowError:  # an int beyond every float
        return False


def _plain_difference(expected, got, place, same_type):
    if not same_type:
        return Difference("wrong type", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    if got != expected and not (_is_missing(expected) and _is_missing(got)):
        return Difference("wrong value", f"{place}expected {describe(expected)}, got {describe(got)}")
    return None


def _array_difference(expected, got, place, rtol, atol):
    if not isinstance(got, np.ndarray):
        advice = "; convert it with .numpy()" if _is("torch", "Tensor", got) else ""
        return Difference("wrong type", f"{place}expected a NumPy array, got {describe_type(got)}{advice}")
    got = np.asarray(got)  # of a subclass only the data count
    if got.shape != expected.shape:
        return Difference("wrong shape", f"{place}expected an array of shape {expected.shape}, got shape {got.shape}")
    kinds = [_DTYPE_NAMES.get(array.dtype.kind, array.dtype.kind) for array in (expected, got)]
    if kinds[0] != kinds[1]:
        return Difference("wrong dtype", f"{place}expected {kinds[0]} array, got {got.dtype} values")
    return _values_difference(expected, got, place, rtol, atol)


def _values_difference(expected, got, place, rtol, atol):
    """Compare arrays of one shape and kind value by value; missing values are equal to missing values."""
    if expected.dtype.kind in "fc":
        lost = np.isfinite(expected) & ~np.isfinite(got)
        if lost.any():
            return Difference("not finite", f"{place}{int(lost.sum())} of {got.size} values are NaN or infinite")
        wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    elif expected.dtype.kind == "O":
        wrong = np.array(
            [_item_differs(e, g, rtol, atol) for e, g in zip(expected.flat, got.flat, strict=True)], dtype=bool
        )
        wrong = wrong.reshape(expected.shape)
    else:
        wrong = np.asarray(got != expected)
        if expected.dtype.kind in "mM":
            wrong &= ~(np.isnat(got) & np.isnat(expected))
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    index = ", ".join(map(str, first))
    return Difference(
        "wrong value",
        f"{place}{int(wrong.sum())} of {got.size} values differ; the first is at [{index}]: "
        f"expected {describe(expected[first])}, got {describe(got[first])}",
    )


def _item_differs(expected, got, rtol, atol):
    if _is_missing(expected) or _is_missing(got):
        return not (_is_missing(expected) and _is_missing(got))
    return _difference(expected, got, "", rtol, atol) is not None


def _is_missing(value):
    if value is None or (isinstance(value, (float, np.floating)) and value != value):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return "pandas" in sys.modules and (value is sys.modules["pandas"].NaT or value is sys.modules["pandas"].NA)


def _tensor_difference(expected, got, place, rtol, atol):
    if not _is("torch", "Tensor", got):
        return Difference("wrong type", f"{place}expected a PyTorch tensor, got {describe_type(got)}")
    if tuple(got.shape) != tuple(expected.shape):
        shapes = f"expected a tensor of shape {tuple(expected.shape)}, got shape {tuple(got.shape)}"
        return Difference("wrong shape", f"{place}{shapes}")
    arrays = [_tensor_array(tensor) for tensor in (expected, got)]
    kinds = [_DTYPE_NAMES.get(array.dtype.kind, array.dtype.kind) for array in arrays]
    if kinds[0] != kinds[1]:
        return Difference("wrong dtype", f"{place}expected {kinds[0]} tensor, got {got.dtype} values")
    return _values_difference(*arrays, place, rtol, atol)


def _tensor_array(tensor):
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if plain.is_floating_point() and plain.element_size() < 4:  # NumPy has no bfloat16
        plain = plain.float()
    return plain.numpy()


def _frame_difference(expected, got, place, rtol, atol):
    if not _is("pandas", "DataFrame", got):
        return Difference("wrong type", f"{place}expected a DataFrame, got {describe_type(got)}")
    if got.shape != expected.shape:
        return Difference("wrong shape", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    columns = [list(table.columns) for table in (expected, got)]
    if columns[0] != columns[1]:
        return Difference("wrong shape", f"{place}{_names_difference(*columns)}")
    found = [_labels_difference(expected.index, got.index, place)]
    for i, name in enumerate(columns[0]):
        here = f"{place}column {describe(name)}: "
        found.append(_column_values_difference(expected.iloc[:, i], got.iloc[:, i], here, rtol, atol))
    return _first(found)


def _names_difference(expected, got):
    missing, extra = [n for n in expected if n not in got], [n for n in got if n not in expected]
    if missing or extra:
        return f"the columns differ: {_missing_and_extra(missing, extra)}"
    return f"the columns are in another order: expected {describe(expected)}, got {describe(got)}"


def _column_difference(expected, got, place, rtol, atol):
    """Compare two pandas Series, or two Index objects."""
    kind = "Series" if _is("pandas", "Series", expected) else "Index"
    if not _is("pandas", kind, got):
        return Difference(
            "wrong type", f"{place}expected {'a Series' if kind == 'Series' else 'an Index'}, got {describe_type(got)}"
        )
    if len(got) != len(expected):
        return Difference("wrong shape", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    labels = _labels_difference(expected.index, got.index, place) if kind == "Series" else None
    return _first([labels, _column_values_difference(expected, got, place, rtol, atol)])


def _labels_difference(expected, got, place):
    found = _column_values_difference(expected, got, f"{place}in the index: ", 0, 0)
    return None if found is None else Difference("wrong value", found.message)


def _column_values_difference(expected, got, place, rtol, atol):
    kinds = [_kind_of_column(column) for column in (expected, got)]
    if kinds[0] != kinds[1]:
        return Difference("wrong dtype", f"{place}expected {kinds[0]} column, got {kinds[1]} column ({got.dtype})")
    arrays = [column.to_numpy() for column in (expected, got)]
    if arrays[0].dtype.kind != arrays[1].dtype.kind and not {a.dtype.kind for a in arrays} <= set("iuf"):
        arrays = [array.astype(object) for array in arrays]
    return _values_difference(*arrays, place, rtol, atol)


def _kind_of_column(column):
    types = sys.modules["pandas"].api.types
    dtype = column.dtype
    if isinstance(dtype, sys.modules["pandas"].CategoricalDtype):
        return "a categorical"
    if types.is_bool_dtype(dtype):
        return "a boolean"
    if types.is_integer_dtype(dtype):
        return "an integer"
    if types.is_float_dtype(dtype):
        return "a float"
    if types.is_complex_dtype(dtype):
        return "a complex"
    if types.is_datetime64_any_dtype(dtype):
        return "a date"
    return "a time span" if types.is_timedelta64_dtype(dtype) else "a text"


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
        return Difference("wrong shape", f"{place}the keys differ: {_missing_and_extra(missing, extra)}")
    return _first(_difference(expected[key], got[key], f"{place}[{key!r}]: ", rtol, atol) for key in expected)


def _missing_and_extra(missing, extra):
    return ", ".join(
        f"{word} {_named(names)}" for word, names in (("missing", missing), ("unexpected", extra)) if names
    )


def _named(names):
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"[{', '.join(describe(name) for name in names[:_MOST_NAMED])}]{more}"


def _first(differences):
    """The difference that a person would look at first."""
    found = [d for d in differences if d is not None]
    return min(found, key=lambda d: KINDS.index(d.kind), default=None)
