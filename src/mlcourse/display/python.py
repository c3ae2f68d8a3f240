"""Pictures of arrays: memory and strides, selections, reductions, broadcasting, einsum, and images."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from mlcourse.display.style import COLORS, GRID, INK, PAPER
from mlcourse.python.broadcasting import broadcast_shape
from mlcourse.shapes import check_shapes

__all__ = [
    "canvas",
    "draw_block",
    "draw_broadcast",
    "draw_cells",
    "draw_confusion",
    "draw_einsum",
    "draw_memory",
    "draw_reduction",
    "draw_selection",
    "mark_pixels",
    "show_images",
]


def draw_cells(ax, values, *, at=(0, 0), colors=0, dashed=False, hatch=None):
    """Draw a table as boxes with their values, its first row at the top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        One that `canvas` prepared.
    values : array_like of shape (rows, columns)
        What is written into the boxes.
    at : tuple of float
        Left and top edge, in boxes.
    colors : int or array_like of int
        A number of the palette for each box (broadcast to the shape of `values`); -1 for an empty box.
    dashed : bool or array_like of bool
        Boxes with a dashed edge and faint text: values that exist only as repetitions.
    hatch : str, optional
        A Matplotlib hatch for the colored boxes.
    """
    values = np.asarray(values)
    check_shapes("draw_cells", values=(values, "rows columns"))
    colors, dashed = np.broadcast_to(colors, values.shape), np.broadcast_to(dashed, values.shape)
    for (row, column), value in np.ndenumerate(values):
        x, y, color, ghost = at[0] + column, at[1] + row, colors[row, column], dashed[row, column]
        if color >= 0:
            ax.add_patch(Rectangle((x, y), 1, 1, facecolor=COLORS[color], alpha=0.12 if ghost else 0.28, linewidth=0))
        if color >= 0 and hatch:
            ax.add_patch(
                Rectangle((x, y), 1, 1, fill=False, edgecolor=COLORS[color], alpha=0.35, linewidth=0, hatch=hatch)
            )
        edge = (
            {"edgecolor": GRID, "linewidth": 0.8}
            if color < 0
            else {"edgecolor": INK, "linewidth": 0.8 if ghost else 1.2, "zorder": 3}
        )
        ax.add_patch(Rectangle((x, y), 1, 1, fill=False, linestyle=":" if ghost else "-", **edge))
        ax.text(
            x + 0.5, y + 0.53, str(value), ha="center", va="center", fontsize=9, alpha=0.6 if ghost else 1, zorder=5
        )


def canvas(ax, width, height, *, left=0.0, top=0.0):
    """Prepare axes for a drawing: the unit is a box, y points down, nothing but the drawing is shown.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    width, height : float
        Right and lower edge, in boxes.
    left, top : float
        Left and upper edge.
    """
    ax.set(xlim=(left, width), ylim=(height, top), aspect="equal")
    ax.axis("off")


def draw_memory(ax, array, *, title="", color_by=0):
    """Draw a table above the memory it reads: one box per value of the memory's owner, and one arrow per stride.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    array : ndarray of shape (rows, columns)
        Any array or view; what it does not read of the owner's memory stays empty.
    title : str
        What stands above the table.
    color_by : {0, 1}
        The axis whose index gives a box its color.
    """
    check_shapes("draw_memory", array=(array, "rows columns"))
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    memory, rows, columns = owner.ravel(order="K"), *array.shape
    start = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    index = np.indices(array.shape)
    place = (start + index[0] * array.strides[0] + index[1] * array.strides[1]) // array.itemsize
    strip_colors = np.full((1, memory.size), -1)
    strip_colors[0, place] = index[color_by]
    down = rows + 1.5
    canvas(ax, max(columns, memory.size, 12) + 0.1, down + 2.2, left=-0.1, top=-0.9)
    draw_cells(ax, array, colors=index[color_by])
    draw_cells(ax, memory[None], at=(0, down), colors=strip_colors)
    for number in range(memory.size):
        ax.text(number + 0.5, down + 1.35, f"+{number * array.itemsize}", ha="center", va="center", fontsize=8)
    ax.text(0, down + 1.85, "memory, with the distance from its first byte", ha="left", va="center", fontsize=9)
    ax.text(-0.05, -0.45, title, ha="left", va="center", fontsize=10)
    notes = [f"axis {axis} ({line}): {array.strides[axis]:+d} bytes" for axis, line in ((0, "solid"), (1, "dashed"))]
    for y, note in zip((0.5, 1.5), notes, strict=True):
        ax.text(columns + 0.8, y, note, ha="left", va="center", fontsize=9.5)
    _draw_strides(ax, array, place, down)


def _draw_strides(ax, array, place, down):
    for axis, (row, column) in enumerate([(1, 0), (0, 1)]):
        if array.shape[axis] == 1 or not array.strides[axis]:
            continue
        start, end = (place[0, 0] + 0.5, down - 0.05), (place[row, column] + 0.5, down - 0.05)
        bend = -0.35 if end[0] > start[0] else 0.35
        look = {"arrowstyle": "-|>", "mutation_scale": 11, "linewidth": 1.7, "linestyle": "--" if axis else "-"}
        path = {"connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 0}
        ax.add_patch(FancyArrowPatch(start, end, color=COLORS[axis], zorder=4, **look, **path))


def draw_selection(ax, array, index, text):
    """Draw which values an index selects: plain boxes for a view, hatched ones for a copy.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    array : ndarray of shape (rows, columns)
    index : object
        What stands between the brackets, such as ``np.s_[1:3, ::2]``.
    text : str
        The expression; the title adds the shape of its result.
    """
    check_shapes("draw_selection", array=(array, "rows columns"))
    selected = np.full(array.shape, False)
    selected[index] = True
    result = array[index]
    view = isinstance(result, np.ndarray) and np.shares_memory(result, array)
    canvas(ax, array.shape[1] + 0.1, array.shape[0] + 0.1, left=-0.1, top=-0.1)
    draw_cells(ax, array, colors=np.where(selected, 0 if view else 1, -1), hatch=None if view else "////")
    ax.set_title(f"{text}\n{'view' if view else 'copy'} of shape {np.shape(result)}", fontsize=9.5, family="monospace")


def draw_reduction(ax, array, axis):
    """Draw the sum of a table along one axis: an arrow along the axis that disappears, and the result where it ends.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    array : ndarray of shape (rows, columns)
    axis : {0, 1}
    """
    rows, columns = check_shapes("draw_reduction", array=(array, "rows columns")).values()
    canvas(ax, columns + (2.6 if axis else 0.1), rows + (0.1 if axis else 2.6), left=-0.6, top=-0.6)
    groups = np.indices(array.shape)[1 - axis]
    draw_cells(ax, array, colors=groups)
    result = array.sum(axis=axis, keepdims=True)
    draw_cells(
        ax, result, at=(columns + 1.4, 0) if axis else (0, rows + 1.4), colors=groups[:, :1] if axis else groups[:1]
    )
    for number in range(array.shape[1 - axis]):
        line = ((columns + 0.1, number + 0.5), (columns + 1.3, number + 0.5))
        start, end = line if axis else ((number + 0.5, rows + 0.1), (number + 0.5, rows + 1.3))
        ax.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="-|>", mutation_scale=11, color=INK, linewidth=1.2, shrinkA=0, shrinkB=0
            )
        )
    ax.set_anchor("N")
    ax.set_title(f"a.sum(axis={axis})\n{array.shape} → {array.sum(axis=axis).shape}", fontsize=9.5, family="monospace")


def draw_broadcast(ax, a, b, *, title=""):
    """Draw ``a + b`` with the repetitions that broadcasting only pretends: dotted boxes have no memory of their own.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    a, b : ndarray with one or two axes
    title : str
        What stands above the picture.
    """
    rows, columns = broadcast_shape(a.shape, b.shape)
    canvas(ax, 3 * columns + 4.1, rows + 0.75, left=-0.1, top=-0.9)
    for number, (array, sign) in enumerate([(a, "+"), (b, "="), (a + b, "")]):
        left = number * (columns + 2)
        full = np.broadcast_to(array, (rows, columns))
        own = np.zeros((rows, columns), bool)
        own[tuple(slice(size) for size in (1, *array.shape)[-2:])] = True
        draw_cells(ax, full, at=(left, 0), colors=number, dashed=~own)
        ax.text(
            left + columns / 2, rows + 0.45, str(array.shape), ha="center", va="center", fontsize=9, family="monospace"
        )
        ax.text(left + columns + 1, rows / 2, sign, ha="center", va="center", fontsize=15)
    ax.text(-0.05, -0.5, title, ha="left", va="center", fontsize=9.5)


def draw_block(ax, shape, *, at=(0, 0), color=0, labels=("", "", "")):
    """Draw an array with three axes as a block of cells: axis 0 goes down, axis 1 to the right, axis 2 into the page.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        One whose y axis points down and whose unit is a box.
    shape : tuple of three int
    at : tuple of float
        Left and top edge of the front face.
    color : int
        A number of the palette.
    labels : tuple of three str
        Names of the axes, written at their edges.
    """
    down, right, deep = shape
    step = np.array([0.45, -0.45])
    x, y = at
    front = [np.array([x + j, y + i]) for i in range(down) for j in range(right)]
    faces = [(corner, (1, 0), (0, 1), 0.28) for corner in front]
    faces += [(np.array([x + j, y]) + k * step, (1, 0), step, 0.14) for j in range(right) for k in range(deep)]
    faces += [(np.array([x + right, y + i]) + k * step, step, (0, 1), 0.45) for i in range(down) for k in range(deep)]
    for corner, first, second, alpha in faces:
        corners = [corner, corner + first, corner + first + np.asarray(second), corner + second]
        ax.add_patch(Polygon(corners, facecolor=COLORS[color], alpha=alpha, linewidth=0))
        ax.add_patch(Polygon(corners, fill=False, edgecolor=INK, linewidth=0.8))
    ax.text(x - 0.2, y + down / 2, labels[0], ha="right", va="center", fontsize=9.5)
    ax.text(x + right / 2, y + down + 0.45, labels[1], ha="center", va="center", fontsize=9.5)
    edge = np.array([x + right, y + down]) + step * deep / 2
    ax.text(edge[0] + 0.2, edge[1] + 0.3, labels[2], ha="left", va="center", fontsize=9.5)


def draw_einsum(ax, subscripts, sizes):
    """Draw an einsum as rectangles with a letter at every edge: letters that the result lacks are summed and marked.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    subscripts : str
        Such as ``"ij,jk->ik"``; up to three letters an operand.
    sizes : dict of str to int
        The size of every letter, in boxes.
    """
    operands, result = subscripts.split("->")
    parts = [*operands.split(","), result]
    width, tallest = 0.6, 0.0
    for number, letters in enumerate(parts):
        sign = "=" if number == len(parts) - 1 else "×" if number else ""
        if sign:
            ax.text(width, 1.6, sign, ha="center", va="center", fontsize=14)
            width += 1.8
        width, bottom = _draw_operand(ax, letters, sizes, width, result)
        tallest = max(tallest, bottom)
    canvas(ax, max(width, 16), max(tallest, 5.2), left=-0.2, top=-1.2)
    ax.set_anchor("N")
    ax.set_title(subscripts, fontsize=10.5, family="monospace")


def _draw_operand(ax, letters, sizes, left, result):
    """Draw one operand; return where the next begins, and the lowest edge."""
    if not letters:
        ax.plot(left + 0.2, 1.6, "o", color=COLORS[0])
        return left + 1.4, 1.6
    stack = sizes[letters[0]] if len(letters) == 3 else 1
    rows = letters[-2] if len(letters) > 1 else letters
    columns = letters[-1] if len(letters) > 1 else None
    high, wide = sizes[rows], sizes[columns] if columns else 1
    for layer in reversed(range(stack)):
        corner = (left + 0.35 * layer, -0.35 * layer)
        ax.add_patch(Rectangle(corner, wide, high, facecolor=PAPER, linewidth=0))
        ax.add_patch(Rectangle(corner, wide, high, facecolor=COLORS[0], alpha=0.22, linewidth=0))
        ax.add_patch(Rectangle(corner, wide, high, fill=False, edgecolor=INK, linewidth=1))
    _draw_letter(ax, rows, left - 0.4, high / 2, result)
    if columns:
        _draw_letter(ax, columns, left + wide / 2, high + 0.5, result)
    if stack > 1:
        _draw_letter(ax, letters[0], left + wide + 0.35 * stack, high - 0.35 * stack, result)
    return left + wide + 0.35 * stack + 0.9, high + 1.0


def _draw_letter(ax, letter, x, y, result):
    summed = letter not in result
    box = (
        {"boxstyle": "circle,pad=0.15", "facecolor": "none", "edgecolor": COLORS[1], "linewidth": 1.4}
        if summed
        else None
    )
    ax.text(x, y, letter, ha="center", va="center", fontsize=11, color=COLORS[1] if summed else INK, bbox=box)


def show_images(axes, images, titles=None, **options):
    """Show one image in each of the axes.

    Parameters
    ----------
    axes : array_like of matplotlib.axes.Axes
    images : ndarray of shape (n, height, width)
    titles : sequence of n str, optional
    **options
        For `matplotlib.axes.Axes.imshow`, such as ``vmin=0``.
    """
    axes = np.ravel(axes)
    check_shapes("show_images", axes=(axes, "n"), images=(images, "n _ _"))
    for ax, image, title in zip(axes, images, titles or [""] * len(axes), strict=True):
        ax.imshow(image, interpolation="nearest", **options)
        ax.set_title(title, fontsize=9.5)
        ax.axis("off")


def mark_pixels(ax, mask):
    """Put a cross on the pixels of an image where a mask is true; its outline keeps it legible on any color and theme.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mask : ndarray of bool, shape (height, width)
    """
    check_shapes("mark_pixels", mask=(mask, "height width"))
    rows, columns = np.nonzero(mask)
    ax.plot(columns, rows, "x", color=PAPER, markersize=8, markeredgewidth=3.5)
    ax.plot(columns, rows, "x", color=INK, markersize=6.5, markeredgewidth=1.5)


def draw_confusion(ax, counts):
    """Draw a confusion matrix: the stronger the color, the more samples; zeros stay empty.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    counts : ndarray of shape (k, k)
        Row: true class; column: predicted class.
    """
    k = check_shapes("draw_confusion", counts=(counts, "k k"))["k"]
    strength = 0.08 + 0.5 * counts / max(counts.max(), 1)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            ax.add_patch(
                Rectangle(
                    (j - 0.5, i - 0.5), 1, 1, facecolor=COLORS[0 if i == j else 1], alpha=strength[i, j], linewidth=0
                )
            )
            ax.text(j, i, str(count), ha="center", va="center", fontsize=9)
    ax.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), aspect="equal", xticks=range(k), yticks=range(k))
    ax.set(xlabel="predicted class", ylabel="true class")
