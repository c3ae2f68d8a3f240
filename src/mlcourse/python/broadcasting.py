"""The broadcasting rules of NumPy, written out, with messages that name the axis that does not fit."""

from __future__ import annotations

from numbers import Integral

from mlcourse.shapes import ShapeError

HINT = (
    "write the names of the axes under the sizes; insert an axis of size 1 where an array lacks one, as in x[:, None]"
)


def broadcast_shape(*shapes):
    """Return the shape that arrays of these shapes have together.

    Shapes are lined up at their last axes; an axis that a shape lacks counts as size 1; along every axis the sizes
    must be equal, or 1, and the size that is not 1 is the size of the result.

    Parameters
    ----------
    *shapes : tuple of int
        One shape for each array.

    Returns
    -------
    tuple of int

    Raises
    ------
    ShapeError
        If the sizes of an axis differ and neither is 1; the message names the last such axis and the sizes.
    TypeError
        If a shape is not a tuple or a list of ints that are 0 or more.

    References
    ----------
    Harris, C. R. et al. (2020). Array programming with NumPy. Nature 585, 357-362.

    Examples
    --------
    >>> broadcast_shape((7, 1, 3), (5, 3))
    (7, 5, 3)
    >>> broadcast_shape((7, 3), (7,))
    Traceback (most recent call last):
        ...
    mlcourse.shapes.ShapeError: broadcast_shape cannot combine (7, 3) and (7,)
      axis    -2  -1
      (7, 3)   7   3
      (7,)     ·   7
      axis -1 has the sizes 3 and 7: they must be equal, or one of them 1
      hint: write the names of the axes under the sizes; insert an axis of size 1 where an array lacks one, as in x[:, None]
    """
    shapes = [_checked(shape) for shape in shapes]
    n_axes = max(map(len, shapes), default=0)
    result = ()
    for axis in range(-1, -n_axes - 1, -1):
        sizes = [shape[axis] for shape in shapes if len(shape) >= -axis]
        not_one = set(sizes) - {1}
        if len(not_one) > 1:
            raise ShapeError(_conflict(shapes, axis))
        result = (not_one.pop() if not_one else 1, *result)
    return result


def explain_broadcast(**operands):
    """Show as text how NumPy lines operands up, what it repeats, or which axis does not fit.

    It explains and never raises because shapes do not fit: it is made for the moment after an error.

    Parameters
    ----------
    **operands : ndarray, number, or tuple of int
        Arrays under their names; a tuple is taken as a shape.

    Returns
    -------
    str
        A row for each operand, with a dot where it lacks an axis, and a row for the result.

    Raises
    ------
    TypeError
        If an operand is neither an array, nor a number, nor a shape.

    Examples
    --------
    >>> print(explain_broadcast(X=(7, 3), mean=(3,)))
    axis    -2  -1
    X        7   3
    mean     ·   3
    result   7   3
    mean is repeated along axis -2
    >>> print(explain_broadcast(X=(7, 3), c=(7,)))
    axis    -2  -1
    X        7   3
    c        ·   7
    result   7   ✗
    axis -1: X has 3, c has 7; sizes must be equal, or one of them 1
    """
    shapes = {name: _shape_of(name, value) for name, value in operands.items()}
    n_axes = max(map(len, shapes.values()), default=0)
    axes = range(-n_axes, 0)
    result = [_together(shapes.values(), axis) for axis in axes]
    rows = [*((name, _aligned(shape, n_axes)) for name, shape in shapes.items()), ("result", result)]
    notes = [_misfit(shapes, axis) for axis, size in zip(axes, result, strict=True) if size == "✗"] or _repeats(
        shapes, result, axes
    )
    return "\n".join([*_table(axes, rows), *notes])


def _together(shapes, axis):
    try:
        return broadcast_shape(*(shape[axis:][:1] for shape in shapes if len(shape) >= -axis))[0]
    except ShapeError:
        return "✗"


def _conflict(shapes, axis):
    n_axes = max(map(len, shapes))
    table = _table(range(-n_axes, 0), [(str(shape), _aligned(shape, n_axes)) for shape in shapes])
    sizes = dict.fromkeys(shape[axis] for shape in shapes if len(shape) >= -axis and shape[axis] != 1)
    lines = [
        *table,
        f"axis {axis} has the sizes {' and '.join(map(str, sizes))}: they must be equal, or one of them 1",
        f"hint: {HINT}",
    ]
    return f"broadcast_shape cannot combine {' and '.join(map(str, shapes))}\n" + "\n".join(
        f"  {line}" for line in lines
    )


def _misfit(shapes, axis):
    sizes = [f"{name} has {shape[axis]}" for name, shape in shapes.items() if len(shape) >= -axis and shape[axis] != 1]
    return f"axis {axis}: {', '.join(sizes)}; sizes must be equal, or one of them 1"


def _repeats(shapes, result, axes):
    notes = []
    for name, shape in shapes.items():
        stretched = [str(a) for a in axes if result[a] != 1 and (len(shape) < -a or shape[a] == 1)]
        if stretched:
            notes.append(
                f"{name} is repeated along {'axis' if len(stretched) == 1 else 'axes'} {' and '.join(stretched)}"
            )
    return notes or ["nothing is repeated"]


def _aligned(shape, n_axes):
    return ["·"] * (n_axes - len(shape)) + list(shape)


def _table(axes, rows):
    rows = [("axis", list(axes)), *rows]
    names = max(len(name) for name, _ in rows)
    width = max(len(str(size)) for _, sizes in rows for size in sizes) if axes else 0
    return [f"{name:<{names}}" + "".join(f"  {size!s:>{width}}" for size in sizes) for name, sizes in rows]


def _shape_of(name, value):
    if isinstance(value, tuple):
        return _checked(value)
    if hasattr(value, "shape"):
        return tuple(value.shape)
    if isinstance(value, (int, float, complex)):
        return ()
    raise TypeError(
        f"explain_broadcast takes arrays, numbers and shapes; {name} is a {type(value).__name__}. Try np.asarray({name})"
    )


def _checked(shape):
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"a shape is a tuple such as (7, 3) or (7,); got the {type(shape).__name__} {shape!r}")
    if any(isinstance(size, bool) or not isinstance(size, Integral) or size < 0 for size in shape):
        raise TypeError(f"the sizes of a shape are ints that are 0 or more; got {shape!r}")
    return tuple(map(int, shape))
