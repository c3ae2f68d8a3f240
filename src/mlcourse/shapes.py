"""Shape checks whose messages say what came, what was expected and what to do."""

from __future__ import annotations

import numpy as np


class ShapeError(ValueError):
    """Arrays whose shapes do not fit together."""


def check_shapes(where, *, hint=None, **arrays):
    """Check that arrays have the shapes they are declared to have, and name the culprit if not.

    Every array is given with the names of its axes. A name stands for one size, the same wherever
    the name appears; a number stands for itself; `_` stands for any size.

    Parameters
    ----------
    where : str
        What is about to use the arrays; the message begins with it.
    hint : str, optional
        What to do about it, appended to the message.
    **arrays : tuple of (array_like, str)
        For each argument its value and its axes, such as ``X=(X, "n d")``. A scalar has axes ``""``.

    Returns
    -------
    dict of str to int
        The size of every named axis.

    Raises
    ------
    ShapeError
        If an array has another number of axes than declared, or two sizes of one name differ.

    Examples
    --------
    >>> X, w = np.zeros((442, 10)), np.zeros(9)
    >>> check_shapes("scale", X=(X, "n d"))
    {'n': 442, 'd': 10}
    >>> check_shapes("predict", X=(X, "n d"), w=(w, "d"))
    Traceback (most recent call last):
        ...
    mlcourse.shapes.ShapeError: predict cannot take w of shape (9,)
      X  (n 442, d 10)
      w  (d 9)          d must be 10, as in X
      hint: one of the two was built for other data; print both shapes where they are made
    """
    sizes, origin, rows = {}, {}, []
    for name, (value, axes) in arrays.items():
        shape, axes = np.shape(value), axes.split()
        if len(shape) != len(axes):
            rows.append((name, _plain(shape), f"expected {_count(len(axes))}: ({', '.join(axes)})"))
            _fail(where, name, shape, rows, hint or _rank_hint(len(shape), len(axes)))
        rows.append((name, _labeled(axes, shape), ""))
        for axis, size in zip(axes, shape, strict=True):
            wanted = int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
            origin.setdefault(axis, name)
            if axis != "_" and size != wanted:
                reason = (
                    f"this axis must be {wanted}"
                    if axis.isdigit()
                    else f"{axis} must be {wanted}, as in {origin[axis]}"
                )
                rows[-1] = (*rows[-1][:2], reason)
                _fail(
                    where,
                    name,
                    shape,
                    rows,
                    hint or "one of the two was built for other data; print both shapes where they are made",
                )
    sizes.pop("_", None)
    return sizes


def _fail(where, name, shape, rows, hint):
    width = max(len(row[0]) for row in rows)
    column = max(len(row[1]) for row in rows)
    lines = [f"  {name:<{width}}  {shape_text:<{column}}  {reason}".rstrip() for name, shape_text, reason in rows]
    raise ShapeError("\n".join([f"{where} cannot take {name} of shape {shape}", *lines, f"  hint: {hint}"]))


def _labeled(axes, shape):
    parts = [
        str(size) if axis.isdigit() or axis == "_" else f"{axis} {size}" for axis, size in zip(axes, shape, strict=True)
    ]
    return f"({', '.join(parts)})"


def _plain(shape):
    return "(" + ", ".join(map(str, shape)) + ")"


def _count(n_axes):
    return "a scalar" if n_axes == 0 else "1 axis" if n_axes == 1 else f"{n_axes} axes"


def _rank_hint(found, expected):
    if found == 1 and expected == 2:
        return "for one sample use x[None, :] (a row), for one feature x[:, None] (a column)"
    if found == 2 and expected == 1:
        return "a table with one column becomes a vector with x[:, 0] or x.ravel()"
    return "print the shape where the array is made; reshape it there"


def as_numbers(where, name, value, axes):
    """Return `value` as an array of finite floats with the declared axes, or say what is wrong with it.

    Parameters
    ----------
    where : str
        The function that was called.
    name : str
        Its argument.
    value : array_like
        What came.
    axes : str
        The names of its axes, as in `check_shapes`.

    Returns
    -------
    ndarray of float

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ShapeError
        If the number of axes or a fixed size is wrong.
    ValueError
        If the array is empty, or has NaN or infinite values.

    Examples
    --------
    >>> as_numbers("norm", "x", [3, 4], "n")
    array([3., 4.])
    >>> as_numbers("norm", "x", ["3", "4"], "n")
    Traceback (most recent call last):
        ...
    TypeError: norm: x must hold real numbers; got values of type str. Convert them first, for example with np.asarray(x, float)
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ShapeError(
            f"{where}: the rows of {name} have different lengths; every row needs the same number of values"
        ) from None
    if array.dtype.kind not in "biuf":
        kind = type(array.flat[0]).__name__ if array.size else array.dtype.name
        kind = kind.removesuffix("_")
        raise TypeError(
            f"{where}: {name} must hold real numbers; got values of type {kind}. "
            f"Convert them first, for example with np.asarray({name}, float)"
        )
    check_shapes(where, **{name: (array, axes)})
    if array.size == 0:
        raise ValueError(f"{where}: {name} is empty (shape {array.shape}); it needs at least one value")
    array = array.astype(float)
    bad = ~np.isfinite(array)
    if bad.any():
        first = ", ".join(map(str, np.argwhere(bad)[0])) if array.ndim else ""
        place = f", the first at [{first}]" if first else ""
        raise ValueError(
            f"{where}: {name} has {int(bad.sum())} NaN or infinite values of {array.size}{place}; remove or replace them first"
        )
    return array
