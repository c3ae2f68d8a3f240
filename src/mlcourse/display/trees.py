"""Figures of trees: the tree itself, its regions, the search for a cut, the integers of a level, and what pruning weighs."""

from __future__ import annotations

import numpy as np

from mlcourse.display.python import canvas, draw_cells
from mlcourse.display.style import COLORS, GRID, INK

__all__ = ["draw_chord", "draw_cost_lines", "draw_cut_search", "draw_keys", "draw_regions", "draw_tree"]

MARKERS = "os^Dv"


def draw_tree(ax, tree, feature_names, class_names=None):
    """Draw a tree: questions in the nodes, shares of the classes as bars, counts or means in the leaves.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    tree : mlcourse.classical.trees.Trees
        One tree.
    feature_names : sequence of str
    class_names : sequence of str, optional
        None for a tree that predicts numbers.
    """
    place, bottom = _places(tree), -0.6
    for node, (x, y) in place.items():
        if tree.feature[node] < 0:
            bottom = min(bottom, y - 0.6)
            _draw_leaf(ax, tree, node, x, y, class_names)
            continue
        left = tree.left[node]
        for child, answer, align in ((left, "yes", "right"), (left + 1, "no", "left")):
            ax.plot([x, place[child][0]], [y - 0.16, place[child][1] + 0.3], color=GRID, linewidth=1.5, zorder=0)
            if node == 0:
                middle = (x + place[child][0]) / 2
                ax.text(middle, y - 0.4, f" {answer} ", ha=align, va="center", fontsize=9)
        question = f"{feature_names[tree.feature[node]]} ≤ {tree.threshold[node]:.4g}"
        ax.text(x, y + 0.02, question, ha="center", va="bottom", fontsize=9)
        if class_names is not None:
            _draw_shares(ax, tree.value[node], x, y - 0.14)
    n_leaves = sum(tree.feature[node] < 0 for node in place)
    ax.set(xlim=(-0.6, n_leaves - 0.4), ylim=(bottom, 0.35))
    ax.axis("off")


def _places(tree):
    """Return the place of each node that can be reached: leaves side by side, each parent above the middle of its children."""
    place, n_leaves = {}, 0

    def visit(node, depth):
        nonlocal n_leaves
        if tree.feature[node] < 0:
            place[node] = (float(n_leaves), -depth)
            n_leaves += 1
            return
        left = tree.left[node]
        visit(left, depth + 1)
        visit(left + 1, depth + 1)
        place[node] = ((place[left][0] + place[left + 1][0]) / 2, -depth)

    visit(0, 0)
    return place


def _draw_leaf(ax, tree, node, x, y, class_names):
    if class_names is None:
        text = f"{tree.value[node, 0]:.4g}\n({tree.size[node]:.0f})"
    else:
        _draw_shares(ax, tree.value[node], x, y + 0.1)
        counts = (tree.value[node] * tree.size[node]).round().astype(int)
        text = f"{class_names[tree.value[node].argmax()]}\n({' · '.join(map(str, counts))})"
    ax.text(x, y + 0.06, text, ha="center", va="top", fontsize=9)


def _draw_shares(ax, shares, x, y, width=0.7, height=0.1):
    """A bar of a node's classes; each class has its color and its place from left to right."""
    from matplotlib.patches import Rectangle

    left = x - width / 2
    for c, share in enumerate(shares):
        if share > 0:
            ax.add_patch(Rectangle((left, y), share * width, height, facecolor=COLORS[c], alpha=0.75))
        left += share * width
    ax.add_patch(Rectangle((x - width / 2, y), width, height, fill=False, edgecolor=INK, linewidth=0.8))


def draw_regions(ax, tree, X, y, class_names=None, label=True):
    """Draw the rectangles into which a tree of two features divides the plane, and the samples.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    tree : mlcourse.classical.trees.Trees
        One tree for classes.
    X : ndarray of shape (n, 2)
    y : ndarray of int of shape (n,)
    class_names : sequence of str, optional
        For the legend; without them there is none.
    label : bool
        Whether to write the class into the larger rectangles.
    """
    from matplotlib.patches import Rectangle

    margin = 0.05 * np.ptp(X, axis=0)
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    for corner, opposite, node in _boxes(tree, low, high):
        c, (width, height) = int(tree.value[node].argmax()), opposite - corner
        ax.add_patch(Rectangle(corner, width, height, facecolor=COLORS[c], alpha=0.22, linewidth=0))
        ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=INK, linewidth=0.7))
        if label and width > 0.12 * (high - low)[0] and height > 0.12 * (high - low)[1]:
            ax.text(*(opposite - 0.02 * (high - low)), str(c), ha="right", va="top", fontsize=18, color=COLORS[c])
    for c in np.unique(y):
        name = None if class_names is None else class_names[c]
        ax.plot(*X[y == c].T, MARKERS[c], color=COLORS[c], markersize=3.5, label=name)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))


def _boxes(tree, low, high, node=0):
    """Yield lower corner, upper corner and number of each leaf."""
    f, threshold = tree.feature[node], tree.threshold[node]
    if f < 0:
        yield low, high, node
        return
    cut = np.clip(threshold, low[f], high[f])
    below, above = high.copy(), low.copy()
    below[f] = above[f] = cut
    yield from _boxes(tree, low, below, tree.left[node])
    yield from _boxes(tree, above, high, tree.left[node] + 1)


def draw_chord(ax, impurity, left, right, weight, color="C0"):
    """Draw an impurity of two classes as a curve, the chord between two children, and their gain as the gap between the two.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    impurity : callable
        Of an array of two shares.
    left, right : float
        Share of the second class in the two children.
    weight : float
        Share of the parent's rows that go to the left child.
    color : str
    """
    shares = np.linspace(0, 1, 201)
    value = lambda p: impurity(np.array([1 - p, p]))  # noqa: E731
    parent = weight * left + (1 - weight) * right
    mean = weight * value(left) + (1 - weight) * value(right)
    ax.plot(shares, [value(p) for p in shares], color=color)
    ax.plot([left, right], [value(left), value(right)], "o--", color=INK, linewidth=1.2, markersize=5, label="children")
    ax.plot(parent, value(parent), "s", color=color, markersize=8, label="parent")
    ax.plot(parent, mean, "D", color="C1", markersize=7, label="mean of the children")
    if value(parent) - mean > 1e-9:
        ax.plot([parent, parent], [mean, value(parent)], color="C1", linewidth=3, zorder=0)
        ax.text(parent + 0.04, mean, "gain", ha="left", va="top", color=COLORS[1])
    ax.set(xlabel="share of class 1", ylim=(-0.03, None))


def draw_cut_search(axes, x, y, thresholds, gains, class_names):
    """Draw the values of one feature by class, and below them the gain of every cut.

    Parameters
    ----------
    axes : sequence of two matplotlib.axes.Axes
        Above and below, with a shared horizontal axis.
    x : ndarray of shape (n,)
    y : ndarray of int of shape (n,)
    thresholds, gains : ndarray of shape (m,)
    class_names : sequence of str
    """
    above, below = axes
    best = gains.argmax()
    for c, name in enumerate(class_names):
        height = c + 0.5 * (np.arange((y == c).sum()) % 7 / 6 - 0.5)
        above.plot(x[y == c], height, MARKERS[c], color=COLORS[c], markersize=3.5, label=name)
    above.set_yticks(range(len(class_names)), class_names)
    below.plot(thresholds, gains, color=INK, linewidth=1.2, drawstyle="steps-mid")
    below.plot(thresholds[best], gains[best], "D", color="C1", markersize=7)
    for ax in axes:
        ax.axvline(thresholds[best], color="C1", linewidth=1.2, linestyle="--", zorder=0)


def draw_keys(ax, slot, rank, y, n_ranks, k):
    """Draw how the rows of a level are packed into integers, sorted once, and counted.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    slot, rank, y : ndarray of int of shape (n,)
        Node within the level, rank of the feature's value, and class of each row.
    n_ranks, k : int
        How many ranks and classes there are.
    """
    key = (slot * n_ranks + rank) * k + y
    order = key.argsort(kind="stable")
    ones = np.concatenate([(y[order] * (slot[order] == s))[slot[order] == s].cumsum() for s in np.unique(slot)])
    canvas(ax, len(y) + 0.1, 9.3, left=-3.4, top=-0.1)
    lines = [("node", slot, 0), ("rank", rank, 1), ("class", y, 2), ("key", key, 3)]
    for line, (name, values, top) in enumerate(lines):
        _label(ax, name, top)
        draw_cells(ax, [values], at=(0, top), colors=[[s if line == 0 else -1 for s in slot]])
    ax.annotate("", (len(y) / 2, 5.2), (len(y) / 2, 4.15), arrowprops={"arrowstyle": "-|>", "color": INK})
    ax.text(len(y) / 2 + 0.3, 4.65, "sort", ha="left", va="center", fontsize=10)
    by_node = [[int(s) for s in slot[order]]]
    for name, values, top in (
        ("key, sorted", key[order], 5.3),
        ("class", y[order], 6.3),
        ("class 1 so far", ones, 7.3),
    ):
        _label(ax, name, top)
        draw_cells(ax, [values], at=(0, top), colors=by_node)
    for i in np.flatnonzero((np.diff(slot[order]) == 0) & (np.diff(rank[order]) > 0)) + 1:
        ax.plot([i, i], [8.4, 8.8], color=COLORS[3], linewidth=2)
    _label(ax, "possible cuts", 8.1, COLORS[3])


def _label(ax, text, top, color=INK):
    ax.text(-0.25, top + 0.53, text, ha="right", va="center", fontsize=9.5, color=color)


def draw_cost_lines(ax, alphas, risks, leaves):
    """Draw risk plus alpha per leaf of nested trees as lines, and their lower envelope.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    alphas : ndarray of shape (m,)
        Where each tree, from the largest to the root alone, begins to be the best one.
    risks, leaves : ndarray of shape (m,)
    """
    end = 1.25 * alphas[-1]
    at = np.array([0, end])
    for number, (risk, n_leaves) in enumerate(zip(risks, leaves, strict=True)):
        ax.plot(at, risk + at * n_leaves, color=GRID, linewidth=1.2, label="one tree" if number == 0 else None)
    corners = np.append(alphas, end)
    lowest = (risks[:, None] + corners * leaves[:, None]).min(axis=0)
    ax.plot(corners, lowest, color="C0", linewidth=2.5, label="the best tree")
    ax.plot(alphas[1:], lowest[1:-1], "o", color="C1", markersize=6, label="a branch is cut off")
    for start, stop, n_leaves in zip(corners[:-1], corners[1:], leaves, strict=True):
        if stop - start > 0.08 * end:
            middle = (start + stop) / 2
            height = (risks[:, None] + middle * leaves[:, None]).min()
            ax.text(
                middle, height - 0.03 * risks[-1], f"{n_leaves}", ha="center", va="top", fontsize=9.5, color=COLORS[0]
            )
    ax.set(xlim=(0, end), ylim=(0, 1.25 * lowest[-1]))
