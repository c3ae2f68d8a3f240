"""Figures of the mathematics chapters: vectors on a grid and in space, images of digits, tables of similarities.

Every function draws into Matplotlib axes that it is given, or returns the new axes, and computes nothing that a chapter teaches.
"""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import COLORS, GRID, INK
from mlcourse.shapes import as_numbers, check_shapes


def draw_plane(ax, x, y):
    """Prepare axes for geometry: one length for both directions, a grid with step 1, and lines through the origin.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : tuple of float
        The smallest and the largest coordinate shown.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_plane(Figure().subplots(), (-1, 3), (-1, 2)).get_aspect()
    1.0
    """
    ax.set(xlim=x, ylim=y, aspect="equal", xticks=_whole_numbers(x), yticks=_whole_numbers(y))
    ax.grid(color=GRID, linewidth=0.6)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def draw_arrow(ax, vector, start=(0, 0), *, color=COLORS[0], label="", at=0.5, offset=(6, 6), dashed=False):
    """Draw a vector of the plane as an arrow.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    vector, start : array_like of shape (2,)
        The components, and the point that the arrow leaves from.
    color : str
    label : str
        Text beside the arrow, in its color.
    at : float
        Where along the arrow the label stands: 0 at its start, 1 at its tip.
    offset : tuple of float
        From there to the middle of the label, in points (1/72 inch).
    dashed : bool
        For arrows that help to construct others.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_arrow(Figure().subplots(), [2, 1], label="u")
    """
    vector, start = as_numbers("draw_arrow", "vector", vector, "2"), as_numbers("draw_arrow", "start", start, "2")
    style = {"arrowstyle": "-|>,head_width=0.28,head_length=0.6", "color": color, "linewidth": 1.4 if dashed else 2.2}
    if dashed:
        style["linestyle"] = (0, (4, 3))
    ax.annotate("", start + vector, start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})
    if label:
        place = start + at * vector
        ax.annotate(label, place, xytext=offset, textcoords="offset points", color=color, ha="center", va="center")


def draw_right_angle(ax, corner, first, second, size=0.3):
    """Mark a right angle with a small square.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    corner : array_like of shape (2,)
    first, second : array_like of shape (2,)
        The directions of its two sides; their lengths do not matter.
    size : float
        Side of the square, in the units of the axes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_right_angle(Figure().subplots(), (0, 0), (1, 0), (0, 1))
    """
    corner, first, second = (np.asarray(point, dtype=float) for point in (corner, first, second))
    a, b = size * first / np.hypot(*first), size * second / np.hypot(*second)
    path = np.array([corner + a, corner + a + b, corner + b])
    ax.plot(*path.T, color=INK, linewidth=1.1, solid_joinstyle="miter")


def draw_angle(ax, first, second, label="", *, corner=(0, 0), radius=0.8, color=INK):
    """Mark the angle from one direction to another, the short way round, with an arc.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    first, second : array_like of shape (2,)
        Directions of the two sides.
    label : str
    corner : array_like of shape (2,)
    radius : float
        In the units of the axes.
    color : str

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_angle(Figure().subplots(), (1, 0), (0, 1), "θ")
    """
    start = np.arctan2(first[1], first[0])
    turn = (np.arctan2(second[1], second[0]) - start + np.pi) % (2 * np.pi) - np.pi
    along = start + turn * np.linspace(0, 1, 60)
    ax.plot(corner[0] + radius * np.cos(along), corner[1] + radius * np.sin(along), color=color, linewidth=1.2)
    middle = start + turn / 2
    place = (corner[0] + (radius + 0.3) * np.cos(middle), corner[1] + (radius + 0.3) * np.sin(middle))
    if label:
        ax.text(*place, label, color=color, ha="center", va="center")


def draw_unit_ball(ax, p, *, color=COLORS[0], linestyle="-", label=None):
    """Draw the vectors of the plane whose p-norm is 1.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    p : float
        Positive; `numpy.inf` for the largest absolute value.
    color, linestyle, label
        As in `matplotlib.axes.Axes.plot`.

    Returns
    -------
    ndarray of shape (401, 2)
        The points of the curve.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> points = draw_unit_ball(Figure().subplots(), 1)
    >>> np.abs(points).sum(axis=1).round(6).max()
    np.float64(1.0)
    """
    around = np.linspace(0, 2 * np.pi, 401)
    points = np.stack([np.cos(around), np.sin(around)], axis=1)
    size = np.abs(points).max(axis=1) if p == np.inf else np.sum(np.abs(points) ** p, axis=1) ** (1 / p)
    points /= size[:, None]
    ax.plot(*points.T, color=color, linestyle=linestyle, label=label)
    return points


def draw_parallelogram_in_space(ax, u, v, normal, labels=("u", "v", "u × v")):
    """Draw two vectors of space, the parallelogram they span, and a third vector on it.

    Parameters
    ----------
    ax : mpl_toolkits.mplot3d.axes3d.Axes3D
    u, v, normal : array_like of shape (3,)
    labels : tuple of str
        At the tips of the three arrows.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot(projection="3d")
    >>> draw_parallelogram_in_space(ax, [2, 0, 0], [0, 1, 0], [0, 0, 2])
    """
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    u, v, normal = (
        as_numbers("draw_parallelogram_in_space", n, x, "3") for n, x in (("u", u), ("v", v), ("normal", normal))
    )
    corners = np.array([np.zeros(3), u, u + v, v])
    ax.add_collection3d(
        Poly3DCollection([corners], facecolor=COLORS[2], alpha=0.18, edgecolor=COLORS[2], linestyle="--")
    )
    for vector, color, label in zip((u, v, normal), COLORS[:3], labels, strict=True):
        ax.quiver(0, 0, 0, *vector, color=color, arrow_length_ratio=0.3 / np.linalg.norm(vector), linewidth=2.2)
        ax.text(*(vector + 0.25 * vector / np.linalg.norm(vector)), label, color=color, ha="center", va="center")
    points = np.vstack([corners, normal])
    low, high = points.min(axis=0), points.max(axis=0)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    ax.set_box_aspect(high - low)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.set_major_locator(_every_whole_number())
        axis._axinfo["grid"]["color"] = GRID


def show_images(images, titles=(), *, columns=10, limits=None, size=0.95, cmap="gray_r"):
    """Show small square images, such as digits given as vectors, side by side.

    Parameters
    ----------
    images : array_like of shape (n, s * s)
        In each row one image, line by line.
    titles : list or tuple of str
        One for each image, or none.
    columns : int
        Images in a row of the figure.
    limits : tuple of float, optional
        The values with the first and the last color; by default the smallest and the largest of all images.
    size : float
        Width of an image in inches.
    cmap : str
        By default small values are paper and large values ink.

    Returns
    -------
    list of matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If the number of values in a row is not the square of a whole number.

    Examples
    --------
    >>> len(show_images(np.zeros((3, 64)), ["a", "b", "c"]))
    3
    """
    import matplotlib.pyplot as plt

    images = as_numbers("show_images", "images", images, "n pixels")
    side = round(images.shape[1] ** 0.5)
    check_shapes(
        "show_images", images=(images, f"n {side * side}"), hint="an image of s × s pixels is a row of s * s values"
    )
    low, high = limits or (images.min(), images.max())
    rows = -(-len(images) // columns)
    height = size * (1.3 if titles else 1.08)
    figure, grid = plt.subplots(rows, columns, figsize=(size * columns, height * rows), squeeze=False)
    axes = list(grid.flat[: len(images)])
    for unused in grid.flat[len(images) :]:
        unused.set_axis_off()
    for ax, image, title in zip(axes, images, titles or [""] * len(images), strict=True):
        ax.imshow(image.reshape(side, side), vmin=low, vmax=high, cmap=cmap)
        ax.set_title(title, fontsize=9, pad=3)
        _frame(ax)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=1 - 0.24 / (height * rows), wspace=0.12, hspace=0.35)
    return axes


def show_image_as_vector(x, name="x"):
    """Show one image three times: as a picture, as its table of values, and as the bars of the vector it is.

    Parameters
    ----------
    x : array_like of shape (s * s,)
        An image, line by line.
    name : str
        The name of the vector on the axis.

    Returns
    -------
    list of matplotlib.axes.Axes

    Examples
    --------
    >>> len(show_image_as_vector(np.arange(64)))
    3
    """
    import matplotlib.pyplot as plt

    x = as_numbers("show_image_as_vector", "x", x, "pixels")
    side = round(x.size**0.5)
    check_shapes(
        "show_image_as_vector", x=(x, str(side * side)), hint="an image of s × s pixels is a vector of s * s values"
    )
    figure = plt.figure(figsize=(6.4, 4.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.6, 1))
    picture, table, bars = (
        figure.add_subplot(grid[0, 0]),
        figure.add_subplot(grid[0, 1]),
        figure.add_subplot(grid[1, :]),
    )
    picture.imshow(x.reshape(side, side), cmap="gray_r")
    table.imshow(np.zeros((side, side)), alpha=0)
    for position, value in enumerate(x):
        table.text(position % side, position // side, f"{value:g}", ha="center", va="center", fontsize=9)
    for ax, title in ((picture, f"{side} × {side} pixels"), (table, f"{x.size} numbers")):
        ax.set_title(title)
        _frame(ax)
    bars.bar(np.arange(x.size), x, color=COLORS[0], width=0.8)
    for line in range(side, x.size, side):
        bars.axvline(line - 0.5, color=GRID, linewidth=0.8)
    bars.set(xlabel="component $i$ (lines between the rows of the image)", ylabel=f"{name}[i]", xlim=(-1, x.size))
    return [picture, table, bars]


def draw_similarities(ax, values, labels, *, limits=(0, 1), title="cosine similarity"):
    """Draw a table of similarities as a heat map whose rows and columns come in groups.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array_like of shape (n, n)
    labels : array_like of shape (n,)
        The group of each row; equal labels must be neighbors.
    limits : tuple of float
        The values with the first and the last color.
    title : str
        What the values are, beside the color bar.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_similarities(Figure().subplots(), np.eye(4), [0, 0, 1, 1])
    """
    values, labels = as_numbers("draw_similarities", "values", values, "n m"), np.asarray(labels)
    check_shapes("draw_similarities", values=(values, "n n"), labels=(labels, "n"))
    shown = ax.imshow(values, vmin=limits[0], vmax=limits[1])
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    middles = (starts + np.r_[starts[1:], len(labels)]) / 2 - 0.5
    for start in starts[1:]:
        ax.axhline(start - 0.5, color=GRID, linewidth=0.8)
        ax.axvline(start - 0.5, color=GRID, linewidth=0.8)
    names = [str(label) for label in labels[starts]]
    ax.set_xticks(middles, names)
    ax.set_yticks(middles, names)
    ax.tick_params(length=0)
    ax.figure.colorbar(shown, ax=ax, label=title, shrink=0.85)


def draw_intervals(ax, names, values, low, high):
    """Draw estimates with their intervals, one line each, the first at the top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : sequence of str
    values, low, high : array_like of shape (n,)
        The estimate, and the ends of its interval.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_intervals(Figure().subplots(), ["a", "b"], [0.5, 0.7], [0.4, 0.6], [0.6, 0.8])
    """
    values, low, high = (
        as_numbers("draw_intervals", n, x, "n") for n, x in (("values", values), ("low", low), ("high", high))
    )
    check_shapes("draw_intervals", names=(names, "n"), values=(values, "n"), low=(low, "n"), high=(high, "n"))
    height = np.arange(len(values))
    ax.errorbar(values, height, xerr=[values - low, high - values], fmt="o", color=COLORS[0], capsize=4)
    ax.set_yticks(height, list(names))
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def _frame(ax):
    """A thin frame and no ticks: what an image needs on paper of its own color."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=GRID, linewidth=0.8)


def _whole_numbers(limits):
    return np.arange(np.ceil(limits[0]), np.floor(limits[1]) + 1)


def _every_whole_number():
    from matplotlib.ticker import MultipleLocator

    return MultipleLocator(1)
