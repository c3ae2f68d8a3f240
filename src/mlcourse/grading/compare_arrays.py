"""Compare NumPy arrays, PyTorch tensors and pandas tables; `mlcourse.grading.compare` loads this file when there is one to compare."""

from __future__ import annotations

import sys

import numpy as np

from mlcourse.grading.compare import (
    Difference,
    describe,
    describe_type,
    difference_at,
    first_of,
    is_a,
    is_missing,
    missing_and_extra,
)

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


def array_text(value, limit):
    if value.dtype.kind in "OU":
        return f"array of shape {value.shape}, {value.dtype}"
    text = " ".join(np.array2string(value, precision=4, threshold=6, edgeitems=2).split())
    return text if len(text) <= limit else f"array of shape {value.shape}, {value.dtype}"


def array_difference(expected, got, place, rtol, atol):
    if not isinstance(got, np.ndarray):
        advice = "; convert it with .numpy()" if is_a("torch", "Tensor", got) else ""
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
    if is_missing(expected) or is_missing(got):
        return not (is_missing(expected) and is_missing(got))
    return difference_at(expected, got, "", rtol, atol) is not None


def tensor_difference(expected, got, place, rtol, atol):
    if not is_a("torch", "Tensor", got):
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


def frame_difference(expected, got, place, rtol, atol):
    if not is_a("pandas", "DataFrame", got):
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
    return first_of(found)


def _names_difference(expected, got):
    missing, extra = [n for n in expected if n not in got], [n for n in got if n not in expected]
    if missing or extra:
        return f"the columns differ: {missing_and_extra(missing, extra)}"
    return f"the columns are in another order: expected {describe(expected)}, got {describe(got)}"


def column_difference(expected, got, place, rtol, atol):
    """Compare two pandas Series, or two Index objects."""
    kind = "Series" if is_a("pandas", "Series", expected) else "Index"
    if not is_a("pandas", kind, got):
        return Difference(
            "wrong type", f"{place}expected {'a Series' if kind == 'Series' else 'an Index'}, got {describe_type(got)}"
        )
    if len(got) != len(expected):
        return Difference("wrong shape", f"{place}expected {describe_type(expected)}, got {describe_type(got)}")
    labels = _labels_difference(expected.index, got.index, place) if kind == "Series" else None
    return first_of([labels, _column_values_difference(expected, got, place, rtol, atol)])


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
