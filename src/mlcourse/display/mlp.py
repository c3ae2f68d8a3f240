"""Figures of the chapter on the multilayer perceptron: folded planes, regions of classes, shapes, signals by depth."""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import GRID, INK, PAPER

MARKERS = "os^Dv"
"""One marker for each class, so that color never stands alone."""


def draw_classes(ax, X, y, names=None, size=16):
    """Draw points of the plane, each class with a color and a marker of its own.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : ndarray of shape (n, 2)
    y : ndarray of shape (n,)
        From 0 to 4.
    names : sequence of str, optional
        For the legend, by class.
    size : float
        Of a marker, in square points.
    """
    for k in np.unique(y):
        label = None if names is None else names[k]
        ax.scatter(*X[y == k].T, s=size, color=f"C{k}", marker=MARKERS[k], edgecolor=PAPER, linewidth=0.4, label=label)


def draw_regions(ax, score, extent=1.25, resolution=201):
    """Tint the plane by the class that a model prefers, and draw the boundary.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    score : callable
        Takes points of shape (m, 2), returns m numbers: positive where class 1 is preferred.
    extent : float
        The picture goes from minus this to plus this in both directions.
    resolution : int
        Points along a side.
    """
    side = np.linspace(-extent, extent, resolution)
    a, b = np.meshgrid(side, side)
    values = score(np.column_stack([a.ravel(), b.ravel()]).astype(np.float32)).reshape(a.shape)
    bound = np.abs(values).max() + 1
    ax.contourf(a, b, values, levels=[-bound, 0, bound], colors=["C0", "C1"], alpha=0.22)
    ax.contour(a, b, values, levels=[0], colors=INK, linewidths=1.2)
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")


def draw_grid(ax, transform=lambda points: points, extent=1.1, lines=23):
    """Draw the lines of a square grid of the plane, each point moved by a function.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    transform : callable
        Takes points of shape (m, 2), returns where they go, of the same shape.
    extent : float
        The grid goes from minus this to plus this in both directions.
    lines : int
        In each direction.
    """
    fine = np.linspace(-extent, extent, 240)
    for at in np.linspace(-extent, extent, lines):
        for points in (np.column_stack([fine, np.full(240, at)]), np.column_stack([np.full(240, at), fine])):
            ax.plot(*transform(points.astype(np.float32)).T, color=GRID, linewidth=0.6, zorder=0)


def draw_folding(axes, X, y, hidden):
    """Draw the four points of XOR in the plane of the inputs and in that of two hidden units, with the line that separates them there.

    Parameters
    ----------
    axes : pair of matplotlib.axes.Axes
    X : ndarray of shape (4, 2)
    y : ndarray of shape (4,)
    hidden : callable
        From points (m, 2) to hidden activations (m, 2).
    """
    names = ("$y = 0$", "$y = 1$")
    for ax, move, title in zip(
        axes, (lambda p: p, hidden), ("inputs: no line separates", "hidden units: a line separates"), strict=True
    ):
        draw_grid(ax, lambda p, move=move: move(p + 0.5), extent=0.75, lines=11)
        draw_classes(ax, move(X), y, names, size=90)
        ax.set(title=title, aspect="equal")
    offsets = {}
    for point, target in zip(X, hidden(X), strict=True):
        offsets.setdefault(tuple(target), []).append("".join(f"{int(value)}" for value in point))
        axes[0].annotate(f"{int(point[0])}{int(point[1])}", point, (6, 6), textcoords="offset points")
    for target, codes in offsets.items():
        axes[1].annotate(" and ".join(codes), target, (6, 6), textcoords="offset points")
    line = np.array([-0.2, 1.6])
    axes[1].plot(line, (line - 0.5) / 2, "--", color=INK, linewidth=1.4, label="$h_1 - 2h_2 = 1/2$")
    axes[0].set(xlabel="$x_1$", ylabel="$x_2$")
    axes[1].set(xlabel="$h_1$", ylabel="$h_2$", xlim=(-0.25, 2.7), ylim=(-0.35, 1.7))


def draw_linear_layer(ax, n, d, k):
    """Draw the shapes in ``X W + b = Z``; a row of X and a column of W meet in one number of Z.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    n, d, k : int
        Examples, inputs, outputs; the drawing is not to scale.
    """
    from matplotlib.patches import Rectangle

    tall, wide, narrow, low = 2.6, 1.9, 1.1, 0.26
    boxes = [  # name, shape, left, top, width, height, color
        ("X", f"({n}, {d})", 0.0, tall, wide, tall, "C0"),
        ("W", f"({d}, {k})", 2.9, tall, narrow, wide, "C2"),
        ("b", f"({k},)", 4.9, tall, narrow, low, "C3"),
        ("Z", f"({n}, {k})", 6.9, tall, narrow, tall, "C1"),
    ]
    for name, shape, left, top, width, height, color in boxes:
        ax.add_patch(Rectangle((left, top - height), width, height, facecolor=color, alpha=0.25))
        ax.add_patch(Rectangle((left, top - height), width, height, fill=False, edgecolor=color))
        ax.text(left + width / 2, top + 0.12, name, ha="center", va="bottom", weight="bold", color=color, fontsize=13)
        ax.text(left + width / 2, top - height - 0.12, shape, ha="center", va="top", family="monospace", fontsize=9)
    row, column = 1.5, 0.35
    marks = [((0, row), wide, 0.2), ((2.9 + column, tall - wide), 0.2, wide), ((6.9 + column, row), 0.2, 0.2)]
    for corner, width, height in marks:
        ax.add_patch(Rectangle(corner, width, height, facecolor="C4", alpha=0.85))
    ax.add_patch(Rectangle((4.9 + column, tall - low), 0.2, low, facecolor="C4", alpha=0.85))
    for x, sign in ((2.4, "·"), (4.45, "+"), (6.45, "=")):
        ax.text(x, row, sign, ha="center", va="center", fontsize=16)
    ax.text(-0.12, row + 0.1, "one example", ha="right", va="center", color="C4", fontsize=10)
    ax.set(xlim=(-1.9, 8.2), ylim=(-0.55, tall + 0.6), aspect="equal")
    ax.axis("off")


def draw_two_layers(ax, n, d, h, k):
    """Draw the forward pass of a network with one hidden layer, and below it the gradients on their way back.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    n, d, h, k : int
        Examples, inputs, hidden units, classes.
    """
    steps = [
        ("X", f"({n}, {d})", ""),
        ("Z₁", f"({n}, {h})", "W₁, b₁"),
        ("H", f"({n}, {h})", "ReLU"),
        ("Z₂", f"({n}, {k})", "W₂, b₂"),
        ("L", "()", "softmax,\n$-$log p"),
    ]
    gradients = ["", "dZ₁ = dH ⊙ [Z₁ > 0]", "dH = dZ₂ W₂ᵀ", "dZ₂ = (P − Y) / n", "1"]
    box = {"boxstyle": "round,pad=0.45", "facecolor": PAPER, "linewidth": 1.4}
    for i, ((name, shape, label), gradient) in enumerate(zip(steps, gradients, strict=True)):
        x = 2.4 * i
        ax.text(x, 1.0, name, ha="center", va="center", fontsize=13, bbox={**box, "edgecolor": "C0"})
        ax.text(x, 0.52, shape, ha="center", va="center", family="monospace", fontsize=8.5)
        if i:
            forward = {"arrowstyle": "-|>", "color": "C0", "linewidth": 1.5}
            ax.annotate("", (x - 0.42, 1.0), (x - 1.98, 1.0), arrowprops=forward)
            ax.text(x - 1.2, 1.14, label, ha="center", va="bottom", fontsize=9.5)
            ax.text(x, -0.5, gradient, ha="center", va="center", fontsize=9.5, color="C1")
        if i > 1:
            back = {"arrowstyle": "-|>", "color": "C1", "linewidth": 1.5, "linestyle": "--"}
            ax.annotate("", (x - 2.35, -0.15), (x - 0.05, -0.15), arrowprops=back)
    for i, text in ((1, "dW₁ = Xᵀ dZ₁\ndb₁ = Σ rows dZ₁"), (3, "dW₂ = Hᵀ dZ₂\ndb₂ = Σ rows dZ₂")):
        down = {"arrowstyle": "-|>", "color": "C1", "linewidth": 1.2}
        ax.annotate("", (2.4 * i, -1.1), (2.4 * i, -0.68), arrowprops=down)
        ax.text(2.4 * i, -1.16, text, ha="center", va="top", fontsize=9.5, color="C1")
    ax.set(xlim=(-0.9, 10.4), ylim=(-1.95, 1.75))
    ax.axis("off")


def draw_signals(ax, curves):
    """Draw one number per layer on a logarithmic scale, a line for each start.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    curves : dict of str to sequence of float
        The typical size in layers 1, 2, ..., by name.
    """
    for number, (name, values) in enumerate(curves.items()):
        style = ("-", "--", "-.", ":")[number % 4]
        layers = np.arange(1, len(values) + 1)
        ax.semilogy(layers, values, style, marker=MARKERS[number % 5], color=f"C{number}", markersize=4, label=name)
    ax.set_xlabel("layer")


def draw_pairs(ax, names, values):
    """Draw scores of several models on the same blocks: a thin line for each block, and a bar for each mean.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : sequence of str
        Of the models.
    values : ndarray of shape (blocks, models)
    """
    places = np.arange(len(names))
    for row in values:
        ax.plot(places, row, "-", color=GRID, linewidth=1)
    for place in places:
        ax.plot(np.full(len(values), place), values[:, place], MARKERS[place], color=f"C{place}", markersize=5)
    ax.hlines(values.mean(axis=0), places - 0.22, places + 0.22, color=INK, linewidth=2.5, label="mean")
    ax.set_xticks(places, names)
    ax.set_xlim(-0.5, len(names) - 0.5)
