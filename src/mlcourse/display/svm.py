"""Support vector machines in pictures: streets between two classes, the box of a step, a lifted plane, tubes, tables of scores."""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import GRID, INK, PAPER

__all__ = [
    "draw_box",
    "draw_classes",
    "draw_distance",
    "draw_lift",
    "draw_regions",
    "draw_scores",
    "draw_street",
    "draw_tube",
]

MARKERS = ("o", "s", "^", "D", "v", "P")


def draw_classes(ax, X, y, *, names=None, size=5, alpha=0.85):
    """Draw points of two or more classes, each with its color and marker.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : ndarray of shape (n, 2)
    y : ndarray of shape (n,)
        The classes; the smallest is drawn as circles.
    names : sequence of str, optional
        For the legend, one for each class in ascending order.
    size, alpha : float
        Of the markers.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> draw_classes(ax, np.eye(2), np.array([-1, 1]))
    >>> len(ax.lines)
    2
    """
    classes = np.unique(y)
    for number, label in enumerate(classes):
        name = (
            names[number]
            if names is not None
            else f"class {label:+d}".replace("-", "−")
            if len(classes) == 2
            else f"class {label}"
        )
        points = X[y == label]
        ax.plot(*points.T, MARKERS[number], color=f"C{number}", markersize=size, alpha=alpha, linewidth=0, label=name)


def draw_street(ax, f, *, levels=(-1, 0, 1), fill=True, points=160):
    """Draw where a decision function is 0 (the boundary) and ±1 (the margins) within the axes' limits.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With the limits that the picture shall have.
    f : callable
        ``f(points)`` returns the values (m,) at points (m, 2).
    levels : sequence of float
        The dashed lines, but for 0, which is solid.
    fill : bool
        Whether the two sides get the colors of their classes.
    points : int
        Of the grid in each direction.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> draw_street(ax, lambda points: points[:, 0] - 0.5, levels=(0,))
    >>> ax.get_xlim() == (0, 1)
    True
    """
    xlim, ylim = ax.get_xlim(), ax.get_ylim()
    a, b = np.meshgrid(np.linspace(*xlim, points), np.linspace(*ylim, points))
    values = f(np.column_stack([a.ravel(), b.ravel()])).reshape(a.shape)
    if fill:
        for number, side in enumerate((values < 0, values >= 0)):
            ax.contourf(a, b, side.astype(float), levels=[0.5, 1.5], colors=f"C{number}", alpha=0.13)
    styles = ["-" if level == 0 else "--" for level in levels]
    widths = [1.8 if level == 0 else 1.1 for level in levels]
    ax.contour(a, b, values, levels=levels, colors=INK, linestyles=styles, linewidths=widths)
    ax.set(xlim=xlim, ylim=ylim)


def ring(ax, points, *, label="support vector", size=10):
    """Draw a ring around points, such as the support vectors (m, 2)."""
    ax.plot(*points.T, "o", fillstyle="none", color=INK, markersize=size, markeredgewidth=1.1, linewidth=0, label=label)


def draw_regions(ax, predict, *, points=200):
    """Fill the axes with the color of the predicted class; points without a class (a negative number) stay empty.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With the limits that the picture shall have.
    predict : callable
        ``predict(points)`` returns the classes 0, 1, … (m,) of points (m, 2).
    points : int
        Of the grid in each direction.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_regions(Figure().subplots(), lambda points: (points[:, 0] > 0.5).astype(int))
    """
    xlim, ylim = ax.get_xlim(), ax.get_ylim()
    a, b = np.meshgrid(np.linspace(*xlim, points), np.linspace(*ylim, points))
    label = predict(np.column_stack([a.ravel(), b.ravel()])).reshape(a.shape)
    for number in np.unique(label[label >= 0]):
        inside = (label == number).astype(float)
        ax.contourf(a, b, inside, levels=[0.5, 1.5], colors=f"C{number}", alpha=0.16)
        ax.contour(a, b, inside, levels=[0.5], colors=INK, linewidths=0.8)
    ax.set(xlim=xlim, ylim=ylim)


def draw_distance(ax):
    """Draw the way from a point to its foot on the hyperplane, along the normal vector w.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    """
    w = np.array([0.6, 0.8])  # of length 1
    along, origin = np.array([-0.8, 0.6]), np.array([2.0, 1.4])
    line = np.array([origin - 2.6 * along, origin + 2.2 * along])
    ax.plot(*line.T, color=INK)
    ax.text(*(line[1] + [0.08, 0.12]), r"$\mathbf{w}^\top\mathbf{x} + b = 0$", ha="left")
    foot = origin + 0.9 * along
    point, start = foot + 1.9 * w, origin - 1.3 * along
    arrow = {"arrowstyle": "-|>", "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", start + 1.1 * w, start, arrowprops={**arrow, "color": "C2"})
    ax.text(*(start + 1.1 * w + [0.1, 0.0]), r"$\mathbf{w}$", color="C2", fontsize=14)
    ax.plot(*np.array([foot, point]).T, "--", color="C1")
    ax.text(
        *(foot + 0.95 * w + [0.12, -0.12]),
        r"$r = \dfrac{\mathbf{w}^\top\mathbf{x} + b}{\Vert\mathbf{w}\Vert}$",
        color="C1",
        fontsize=13,
    )
    corner = np.array([foot + 0.18 * w, foot + 0.18 * (w - along), foot - 0.18 * along])
    ax.plot(*corner.T, color=INK, linewidth=1)
    for place, name, offset in ((point, r"$\mathbf{x}$", (0.1, 0.08)), (foot, r"$\mathbf{x}_0$", (-0.32, -0.24))):
        ax.plot(*place, "o", color=INK, markersize=6)
        ax.text(*(place + offset), name, fontsize=14)
    ax.text(3.6, 3.55, "positive side", color="C1", ha="center", fontsize=10)
    ax.text(0.9, 0.75, "negative side", color="C0", ha="center", fontsize=10)
    ax.set(xlim=(-0.3, 4.6), ylim=(-0.4, 4.1), aspect="equal")
    ax.axis("off")


def draw_box(ax, start, box, gradient, hessian, names):
    """Draw the two variables of a step: their box, the line on which their sum stays, level lines, the best point and the clipped one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    start : tuple of float
        The two coefficients before the step.
    box : tuple of tuple of float
        The range of each of the two.
    gradient : tuple of float
        Of the objective at `start`.
    hessian : ndarray of shape (2, 2)
        The part of the kernel matrix, so that the objective has the second derivatives ``-hessian``.
    names : tuple of str
        Of the axes.

    Returns
    -------
    tuple of float
        The step that would be best, and the one that stays in the box.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_box(Figure().subplots(), (0, 0), ((0, 1), (-1, 0)), (1.5, -1.5), np.eye(2), ("i", "j"))
    (1.5, 1.0)
    """
    from matplotlib.patches import Rectangle

    start, gradient, direction = np.asarray(start, float), np.asarray(gradient, float), np.array([1.0, -1.0])
    (low_i, high_i), (low_j, high_j) = box
    best = float(gradient @ direction / (direction @ hessian @ direction))
    step = float(min(best, high_i - start[0], start[1] - low_j))
    spread = np.array([high_i - low_i, high_j - low_j])
    xlim, ylim = (
        (low_i - 0.35 * spread[0], high_i + 0.85 * spread[0]),
        (low_j - 0.85 * spread[1], high_j + 0.35 * spread[1]),
    )
    a, b = np.meshgrid(np.linspace(*xlim, 120), np.linspace(*ylim, 120))
    move = np.stack([a - start[0], b - start[1]], axis=-1)
    value = move @ gradient - 0.5 * np.einsum("...i,ij,...j->...", move, hessian, move)
    ax.contour(a, b, value, levels=9, colors=GRID, linewidths=1, linestyles="-")
    ax.add_patch(Rectangle((low_i, low_j), *spread, fill=False, edgecolor=INK, linewidth=1.5))
    ends = start + np.array([[-3.0], [3.0]]) * spread.max() * direction
    ax.plot(*ends.T, color="C2", linewidth=1.2, label="sum unchanged")
    for t, marker, color, name in (
        (0, "o", INK, "before"),
        (best, "X", "C1", "best on the line"),
        (step, "s", "C0", "clipped to the box"),
    ):
        ax.plot(*(start + t * direction), marker, color=color, markersize=8, linewidth=0, label=name)
    ax.set(xlabel=names[0], ylabel=names[1], xlim=xlim, ylim=ylim, aspect="equal")
    return best, step


_VIEW = np.array([[0.95, -0.45, 0.0], [0.16, 0.30, 1.0]])


def draw_lift(ax, X, y, height):
    """Draw points of a plane, the same points lifted to the paraboloid ``z = x₁² + x₂²``, and a level plane that cuts it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : ndarray of shape (n, 2)
        Coordinates of a size around 1.
    y : ndarray of shape (n,)
        Two classes.
    height : float
        Of the cutting plane.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_lift(Figure().subplots(), np.eye(2), np.array([-1, 1]), 0.5)
    """
    see = lambda points: np.asarray(points, float) @ _VIEW.T  # noqa: E731
    ground = -1.6
    reach = 1.15 * abs(X).max()
    square = [(-reach, -reach), (reach, -reach), (reach, reach), (-reach, reach)]
    for z, color, name in ((ground, GRID, "the plane of the data"), (height, "C2", "a plane in the space of features")):
        corners = see([(*corner, z) for corner in square])
        ax.fill(*corners.T, color=color, alpha=0.25, linewidth=0)
        ink = INK if color == GRID else color
        ax.text(*(corners[0] + [0.1, -0.05]), name, color=ink, ha="right", va="top", fontsize=9.5)
    angle = np.linspace(0, 2 * np.pi, 100)
    for radius in np.sqrt(np.linspace(0.15, abs(X * X).sum(axis=1).max(), 6)):
        circle = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.full(100, radius**2)])
        ax.plot(*see(circle).T, color=GRID, linewidth=0.8)
    for z, alpha, size in ((np.full(len(X), ground), 0.45, 4), ((X * X).sum(axis=1), 0.95, 5)):
        draw_classes(ax, see(np.column_stack([X, z])), y, size=size, alpha=alpha)
    circle = np.column_stack([height**0.5 * np.cos(angle), height**0.5 * np.sin(angle)])
    for z in (height, ground):
        ax.plot(*see(np.column_stack([circle, np.full(100, z)])).T, color=INK, linewidth=1.6)
    ax.axis("off")
    ax.set_aspect("equal")


def draw_tube(ax, x, f, epsilon):
    """Draw a function and the tube of half height epsilon around it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : ndarray of shape (m,)
        Where to draw, in ascending order.
    f : ndarray of shape (m,)
        The values there.
    epsilon : float

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_tube(Figure().subplots(), np.arange(3.0), np.zeros(3), 0.5)
    """
    ax.fill_between(x, f - epsilon, f + epsilon, color="C0", alpha=0.15, linewidth=0, label="tube")
    ax.plot(x, f, color="C0", label="f(x)")
    for edge in (f - epsilon, f + epsilon):
        ax.plot(x, edge, "--", color="C0", linewidth=1)


def draw_scores(ax, scores, rows, columns, labels, *, floor=0.0):
    """Draw a table of accuracies as a heat map with the numbers in it, and a frame around the best.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    scores : ndarray of shape (r, c)
    rows, columns : sequence of float
        The settings.
    labels : tuple of str
        What the rows and the columns are.
    floor : float
        Scores up to this one share the darkest color.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw_scores(Figure().subplots(), np.array([[0.5, 0.9]]), [1], [1, 10], ("C", "gamma"))
    """
    from matplotlib.patches import Rectangle

    scores = np.asarray(scores)
    floor = max(floor, scores.min())
    middle = (floor + scores.max()) / 2
    shown = ax.imshow(scores, aspect="auto", vmin=floor)
    for (r, c), score in np.ndenumerate(scores):  # on the heat map itself, which is the same in both themes
        ax.text(
            c, r, f"{score:.1%}", ha="center", va="center", fontsize=9, color="#111111" if score > middle else "#f4f4f4"
        )
    r, c = np.unravel_index(scores.argmax(), scores.shape)
    ax.add_patch(Rectangle((c - 0.47, r - 0.45), 0.94, 0.9, fill=False, edgecolor="C1", linewidth=2.5))
    ax.set(ylabel=labels[0], xlabel=labels[1])
    ax.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
    ax.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
    ax.spines[:].set_edgecolor(PAPER)
    ax.figure.colorbar(shown, ax=ax, label="accuracy")
