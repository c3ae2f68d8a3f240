"""Pictures of differentiation: computation graphs and what flows back in them, shapes of gradients, memory that a graph keeps."""

from __future__ import annotations

import tracemalloc

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from mlcourse.display.python import canvas, draw_cells
from mlcourse.display.style import COLORS, GRID, INK, PAPER

__all__ = [
    "MemoryLog",
    "draw_broadcast_backward",
    "draw_graph",
    "draw_index_backward",
    "draw_jacobians",
    "draw_ladder",
    "draw_matmul_backward",
    "draw_network",
]


def draw_graph(ax, places, *, passed_on=None):
    """Draw the graph of some Values: their numbers and local derivatives, or how far a backward pass has come.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    places : dict of Value to tuple of (float, float, str)
        Where the center of each Value is drawn, and its name. The result is the one that was made last.
    passed_on : int, optional
        How many Values, from the result on, have handed their derivative to what they were made from. Without it, the numbers of
        the computation itself are drawn.
    """
    order = sorted(places, key=lambda value: value.time, reverse=True)
    done = order[: passed_on or 0]
    flow = dict.fromkeys(order, 0.0)
    flow[order[0]] = 1.0
    for value in order:
        x, y, _ = places[value]
        for operand, derivative in value.made_from:
            start, active = places[operand][:2], value in done
            text = f"{derivative:g}"
            if active:
                flow[operand] += flow[value] * derivative
                text = f"{flow[value]:g} · {derivative:g}"
            if passed_on is None or active:
                _draw_edge(ax, start, (x, y), text, back=active)
            else:
                _draw_edge(ax, start, (x, y), "", faint=True)
    for value, (x, y, name) in places.items():
        if passed_on is None:
            text, color = f"{name} = {value.data:g}", 0
        else:
            text, color = f"{name}: {flow[value]:g}", 2 if value in done else 1 if flow[value] else -1
        _draw_node(ax, x, y, text, color)
    xs, ys, _ = zip(*places.values(), strict=True)
    canvas(ax, max(xs) + 0.75, max(ys) + 0.45, left=min(xs) - 0.75, top=min(ys) - 0.45)


def _draw_node(ax, x, y, text, color, width=1.3, height=0.5):
    box = (x - width / 2, y - height / 2)
    ax.add_patch(Rectangle(box, width, height, facecolor=PAPER, linewidth=0, zorder=3))
    if color >= 0:
        ax.add_patch(Rectangle(box, width, height, facecolor=COLORS[color], alpha=0.25, linewidth=0, zorder=4))
    edge = {"edgecolor": INK, "linewidth": 1.2} if color >= 0 else {"edgecolor": GRID, "linewidth": 1}
    ax.add_patch(Rectangle(box, width, height, fill=False, zorder=5, **edge))
    ax.text(x, y, text, ha="center", va="center", fontsize=9.5, zorder=6)


def _draw_edge(ax, start, end, text, *, back=False, faint=False, bend=0.0):
    color = GRID if faint else COLORS[1] if back else INK
    look = {"arrowstyle": "<|-" if back else "-|>", "mutation_scale": 12, "linewidth": 2 if back else 1.2}
    ends = [_border(start, end), _border(end, start)]
    path = {"connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(*ends, color=color, zorder=2, **look, **path))
    if text:
        middle = [(a + b) / 2 for a, b in zip(*ends, strict=True)]
        card = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.2}
        ax.text(*middle, text, ha="center", va="center", fontsize=8.5, color=color, bbox=card, zorder=4)


def _border(center, other, width=1.3, height=0.5):
    """Where the line from the center of a node to another one leaves its box."""
    dx, dy = other[0] - center[0], other[1] - center[1]
    scale = min(width / 2 / abs(dx) if dx else np.inf, height / 2 / abs(dy) if dy else np.inf)
    return center[0] + scale * dx, center[1] + scale * dy


def draw_ladder(ax, doublings):
    """Draw ``v = v + v`` repeated: two edges between neighbors, and below each the number of paths that lead to it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    doublings : int
    """
    for k in range(doublings + 1):
        _draw_node(ax, 2 * k, 0, f"$v_{k}$", 0, width=0.7, height=0.7)
        paths = f"{2**k} path{'s' if k else ''}"
        ax.text(2 * k, 0.75, paths, ha="center", va="center", fontsize=9)
        for bend in (-0.45, 0.45) if k else ():
            look = {"arrowstyle": "-|>", "mutation_scale": 11, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
            y = np.sign(-bend) * -0.2
            ends = (2 * k - 1.65, y), (2 * k - 0.35, y)
            ax.add_patch(FancyArrowPatch(*ends, color=INK, connectionstyle=f"arc3,rad={bend}", **look))
    canvas(ax, 2 * doublings + 0.6, 1.1, left=-0.6, top=-0.7)


def draw_jacobians(ax, sizes):
    """Draw a product of Jacobians, and what it costs to multiply it from the left and from the right.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    sizes : sequence of int
        The sizes of the input, of each intermediate vector, and of the output, in boxes.
    """
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))[::-1]
    tall = max(rows for rows, _ in shapes)
    plans = [
        ("from the left, as reverse mode does", [(shapes[0][0], columns) for _, columns in shapes], 2),
        ("from the right, as forward mode does", [(rows, sizes[0]) for rows, _ in shapes][::-1], 1),
    ]
    wide = 0
    for row, (title, results, color) in enumerate(plans):
        top, left = row * (tall + 3.4), 0.0
        ax.text(0, top - 1.1, title, ha="left", va="center", fontsize=10)
        for rows, columns in shapes:
            left = _draw_table(ax, rows, columns, left, top, 0) + 0.8
        for number, (rows, columns) in enumerate(results):
            sign = "→" if number else "gives"
            ax.text(left + (0.75 if number else 0.9), top + 0.5, sign, ha="center", va="center", fontsize=9)
            left = _draw_table(ax, rows, columns, left + (1.5 if number else 2.2), top, color)
        wide = max(wide, left)
    canvas(ax, wide + 0.2, 2 * tall + 4.4, left=-0.3, top=-1.7)


def _draw_table(ax, rows, columns, left, top, color, text=None):
    ax.add_patch(Rectangle((left, top), columns, rows, facecolor=COLORS[color], alpha=0.25, linewidth=0))
    ax.add_patch(Rectangle((left, top), columns, rows, fill=False, edgecolor=INK, linewidth=1.1))
    below = f"{rows}×{columns}" if text is None else text
    ax.text(left + columns / 2, top + rows + 0.45, below, ha="center", va="center", fontsize=8.5)
    return left + columns


def draw_broadcast_backward(ax, x, b, g):
    """Draw ``x + b`` with the repetitions that broadcasting makes, and below how the gradient is summed over them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : ndarray of shape (n, 1)
    b : ndarray of shape (d,)
    g : ndarray of shape (n, d)
        The gradient of the sum.
    """
    n, d = g.shape
    canvas(ax, 3 * d + 4.2, 2 * n + 3.4, left=-0.2, top=-1.2)
    ghosts_of_x, ghosts_of_b = np.ones((n, d), bool), np.ones((n, d), bool)
    ghosts_of_x[:, 0], ghosts_of_b[0] = False, False
    parts = [(x + 0 * g, ghosts_of_x, 0, f"x {x.shape}"), (b + 0 * g, ghosts_of_b, 1, f"b {b.shape}")]
    parts.append((x + b, np.zeros((n, d), bool), 2, f"y {g.shape}"))
    for number, (values, ghosts, color, text) in enumerate(parts):
        left = number * (d + 2)
        draw_cells(ax, _whole(values), at=(left, 0), colors=color, dashed=ghosts)
        ax.text(left + d / 2, -0.6, text, ha="center", va="center", fontsize=9.5, family="monospace")
        if number < 2:
            ax.text(left + d + 1, n / 2, "+="[number], ha="center", va="center", fontsize=15)
    top = n + 2.6
    ax.text(2 * d + 4 + d / 2, top - 0.6, "gradient of y", ha="center", va="center", fontsize=9.5)
    draw_cells(ax, _whole(g), at=(2 * d + 4, top), colors=2)
    draw_cells(ax, _whole(g.sum(axis=1, keepdims=True)), at=(d - 1, top), colors=0)
    ax.text(d - 0.5, top - 0.6, "gradient of x", ha="center", va="center", fontsize=9.5)
    draw_cells(ax, _whole(g.sum(axis=0)[None]), at=(d + 2, top + n - 1), colors=1)
    ax.text(d + 2 + d / 2, top + n - 1.6, "gradient of b", ha="center", va="center", fontsize=9.5)
    arrows = [
        ((2 * d + 3.9, top + 0.5), (d + 0.15, top + 0.5)),
        ((2 * d + 3.9, top + n - 0.5), (2 * d + 2.1, top + n - 0.5)),
    ]
    for ends in arrows:
        _draw_back_arrow(ax, *ends)
    ax.text(d + 1.2, top + 0.15, "sum along each row", ha="left", va="center", fontsize=9, color=COLORS[1])
    ax.text(
        d + 2 + d / 2, top + n + 0.45, "sum down each column", ha="center", va="center", fontsize=9, color=COLORS[1]
    )


def _whole(values):
    return np.asarray(values).astype(int)


def _draw_back_arrow(ax, start, end):
    look = {"arrowstyle": "-|>", "mutation_scale": 12, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=COLORS[1], zorder=6, **look))


def draw_matmul_backward(ax, n, d, k):
    """Draw ``Y = X W`` and its two gradients as rectangles, so that the shapes show which product is possible.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    n, d, k : int
        Sizes of the axes: samples, inputs, outputs.
    """
    names = {n: "n", d: "d", k: "k"}
    G, dX, dW = r"$\overline{\mathbf{Y}}$", r"$\overline{\mathbf{X}}$", r"$\overline{\mathbf{W}}$"
    X, W, Y = r"$\mathbf{X}$", r"$\mathbf{W}$", r"$\mathbf{Y}$"
    rows = [
        [(X, n, d, 0), (W, d, k, 1), (Y, n, k, 2)],
        [(G, n, k, 2), (r"$\mathbf{W}^\top$", k, d, 1), (dX, n, d, 0)],
        [(r"$\mathbf{X}^\top$", d, n, 0), (G, n, k, 2), (dW, d, k, 1)],
    ]
    top, wide = 0.0, 0.0
    for parts in rows:
        left, tall = 1.0, max(part[1] for part in parts)
        for number, (name, high, across, color) in enumerate(parts):
            y = top + (tall - high) / 2
            _draw_table(ax, high, across, left, y, color, text=names[across])
            ax.text(left + across / 2, y + high / 2, name, ha="center", va="center", fontsize=13)
            ax.text(left - 0.35, y + high / 2, names[high], ha="center", va="center", fontsize=8.5)
            left += across + 1.9
            if number < 2:
                ax.text(left - 1.3, top + tall / 2, ("·", "=")[number], ha="center", va="center", fontsize=16)
        top, wide = top + tall + 1.6, max(wide, left)
    canvas(ax, wide - 1.5, top - 0.8, left=0, top=-0.4)


def draw_index_backward(ax, x, index, g):
    """Draw ``y = x[index]`` and how the gradient returns to the places it was taken from; what was taken twice gets both.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : ndarray of shape (n,)
    index : sequence of int
    g : ndarray of shape (len(index),)
        The gradient of ``y``.
    """
    spread = np.zeros(len(x))
    np.add.at(spread, list(index), g)
    wide = len(x) + 4
    panels = [
        (0, x, x[list(index)], "x", "x[index]", False),
        (wide, spread, g, "gradient of x", "gradient of x[index]", True),
    ]
    for left, upper, lower, above, below, back in panels:
        inset = left + (len(x) - len(index)) / 2
        draw_cells(ax, _whole(upper)[None], at=(left, 0), colors=0)
        draw_cells(ax, _whole(lower)[None], at=(inset, 3), colors=2)
        ax.text(left + len(x) / 2, -0.55, above, ha="center", va="center", fontsize=9.5)
        ax.text(left + len(x) / 2, 4.55, below, ha="center", va="center", fontsize=9.5)
        for place, source in enumerate(index):
            ends = [(left + source + 0.5, 1.08), (inset + place + 0.5, 2.92)]
            look = {"arrowstyle": "<|-" if back else "-|>", "mutation_scale": 11, "shrinkA": 0, "shrinkB": 0}
            style = {"color": COLORS[1], "linewidth": 1.8} if back else {"color": INK, "linewidth": 1.2}
            ax.add_patch(FancyArrowPatch(*ends, **look, **style))
    canvas(ax, wide + len(x) + 0.2, 5.0, left=-0.2, top=-1.0)


def draw_network(ax, n, sizes):
    """Draw the graph of a network with one hidden layer: arrays with their shapes forward, gradients of the same shapes back.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    n : int
        Samples.
    sizes : tuple of (int, int, int)
        Inputs, hidden units, outputs.
    """
    d, hidden, k = sizes
    line = [
        ("X", (n, d), -1),
        ("X W₁ + b₁", (n, hidden), 0),
        ("H = tanh", (n, hidden), 0),
        ("H W₂ + b₂", (n, k), 0),
        ("loss", (), 2),
    ]
    places = [(1.0 + 2.7 * number, 1.5) for number in range(len(line))]
    for number, ((text, shape, color), (x, y)) in enumerate(zip(line, places, strict=True)):
        _draw_node(ax, x, y, text, color, width=1.7, height=0.7)
        ax.text(x, y + 0.62, str(shape).replace(" ", ""), ha="center", va="center", fontsize=8.5, family="monospace")
        if number:
            _draw_pair(ax, (places[number - 1][0] + 0.87, y), (x - 0.87, y), back=number > 1)
    leaves = [
        ("W₁", (d, hidden), 1, -0.75),
        ("b₁", (hidden,), 1, 0.75),
        ("W₂", (hidden, k), 3, -0.75),
        ("b₂", (k,), 3, 0.75),
    ]
    for text, shape, number, shift in leaves:
        x, y = places[number]
        _draw_node(ax, x + shift, y - 1.8, text, 1, width=0.8, height=0.6)
        above = str(shape).replace(" ", "")
        ax.text(x + shift, y - 2.35, above, ha="center", va="center", fontsize=8.5, family="monospace")
        _draw_pair(ax, (x + shift, y - 1.48), (x + shift * 0.55, y - 0.37))
    canvas(ax, places[-1][0] + 1.1, 2.5, left=-0.1, top=-1.2)


def _draw_pair(ax, start, end, *, back=True):
    """An arrow forward, and beside it one back."""
    (dx, dy), look = np.subtract(end, start), {"mutation_scale": 10, "shrinkA": 0, "shrinkB": 0}
    aside = 0.1 * np.array([dy, -dx]) / np.hypot(dx, dy) if back else np.zeros(2)
    ax.add_patch(FancyArrowPatch(start + aside, end + aside, color=INK, arrowstyle="-|>", linewidth=1.2, **look))
    if back:
        ax.add_patch(
            FancyArrowPatch(end - aside, start - aside, color=COLORS[1], arrowstyle="-|>", linewidth=1.6, **look)
        )


class MemoryLog:
    """Megabytes that Python and NumPy hold more than at the start; a context, for measuring slows everything down.

    Attributes
    ----------
    megabytes : list of float
        What each call of `note` found.

    Examples
    --------
    >>> with MemoryLog() as log:
    ...     kept = np.ones(1_000_000)
    ...     log.note()
    >>> round(log.megabytes[0])
    8
    """

    def __init__(self):
        self.megabytes = []

    def __enter__(self):
        tracemalloc.start()
        self._start = tracemalloc.get_traced_memory()[0]
        return self

    def note(self):
        """Write down what is held now."""
        self.megabytes.append((tracemalloc.get_traced_memory()[0] - self._start) / 1e6)

    def __exit__(self, *error):
        tracemalloc.stop()
