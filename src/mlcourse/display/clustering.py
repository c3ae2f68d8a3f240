"""Figures of the chapter on clustering: groups of points, borders between centers, silhouettes, tables of counts."""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import COLORS, GRID, INK, PAPER

MARKERS = ("o", "s", "^", "D", "v", "P")


def draw_clusters(ax, X, labels, centers=None, size=14):
    """Draw points of the plane, each cluster with a color and a marker of its own, and the centers as crosses.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : ndarray of shape (n, 2)
    labels : ndarray of int of shape (n,)
        Points with a negative label belong to no cluster and are gray.
    centers : ndarray of shape (k, 2), optional
    size : float
        Area of a marker.
    """
    for label in np.unique(labels):
        color, marker = (COLORS[label % 6], MARKERS[label % 6]) if label >= 0 else (GRID, ".")
        ax.scatter(*X[labels == label].T, s=size, color=color, marker=marker, linewidths=0, alpha=0.75)
    if centers is not None:
        draw_centers(ax, centers)


def draw_centers(ax, centers):
    """Draw centers as large crosses that stand out from the points below them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    centers : ndarray of shape (k, 2)
    """
    ax.scatter(*np.transpose(centers), s=130, color=INK, marker="X", edgecolors=PAPER, linewidths=1.5, zorder=4)


def draw_borders(ax, centers, reach=100.0):
    """Draw the lines between the regions that are nearest to each center; the limits of the axes stay.

    The border of two regions is that part of the line halfway between their centers where no third center is nearer.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    centers : ndarray of shape (k, 2)
    reach : float
        How far to follow the lines.
    """
    limits = ax.get_xlim(), ax.get_ylim()
    along = np.linspace(-reach, reach, 20001)[:, None]
    for i, a in enumerate(centers):
        for b in centers[i + 1 :]:
            across = (b - a) / np.linalg.norm(b - a)
            line = (a + b) / 2 + along * [-across[1], across[0]]
            distance = ((line[:, None] - centers) ** 2).sum(axis=2)
            border = ((line - a) ** 2).sum(axis=1) <= distance.min(axis=1) + 1e-9
            if border.any():
                ends = line[np.flatnonzero(border)[[0, -1]]]
                ax.plot(*ends.T, color=INK, linewidth=0.9, linestyle="--", zorder=1)
    ax.set(xlim=limits[0], ylim=limits[1])


def draw_moves(ax, before, after):
    """Draw an arrow from where each center was to where it is.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    before, after : ndarray of shape (k, 2)
    """
    for start, end in zip(before, after, strict=True):
        if np.linalg.norm(end - start) > 0.15:
            arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", end, start, arrowprops=arrow, zorder=5)
    ax.scatter(*np.transpose(before), s=60, facecolors=PAPER, edgecolors=INK, marker="X", linewidths=1, zorder=3)


def hide_ticks(axes):
    """Take the ticks off axes whose coordinates mean nothing, and make both directions equally long.

    Parameters
    ----------
    axes : iterable of matplotlib.axes.Axes
    """
    for ax in axes:
        ax.set(xticks=[], yticks=[], aspect="equal")


def draw_sums_by_product(ax, labels, k, d):
    """Draw how a table of zeros and ones makes the sums and the sizes of all clusters by one product.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    labels : sequence of int
        The cluster of each row.
    k, d : int
        Clusters and features.
    """
    n = len(labels)
    one_hot = np.arange(k)[:, None] == np.asarray(labels)
    top, left, gap = 0.0, 0.0, 3.0
    _draw_cells(ax, (left, top), k, n, lambda row, column: COLORS[row] if one_hot[row, column] else None)
    ax.text(left + n / 2, -0.5, f"who belongs where\n({k}, {n})", ha="center", va="bottom", fontsize=9)
    ax.text(left + n + gap / 2, k / 2, "@", ha="center", va="center", fontsize=14)
    left += n + gap
    color_of_row = lambda row, column: COLORS[labels[row]] if column < d else GRID  # noqa: E731
    _draw_cells(ax, (left, top), n, d + 1, color_of_row, alpha=0.35)
    ax.text(left + (d + 1) / 2, -0.5, f"rows and ones\n({n}, {d} + 1)", ha="center", va="bottom", fontsize=9)
    for row in range(n):
        ax.text(left + d + 0.5, row + 0.5, "1", ha="center", va="center", fontsize=9)
    ax.text(left + d + 1 + gap / 2, k / 2, "=", ha="center", va="center", fontsize=14)
    left += d + 1 + gap
    _draw_cells(ax, (left, top), k, d + 1, lambda row, column: COLORS[row] if column < d else GRID, alpha=0.7)
    ax.text(left + (d + 1) / 2, -0.5, f"sums and sizes\n({k}, {d} + 1)", ha="center", va="bottom", fontsize=9)
    for row, size in enumerate(one_hot.sum(axis=1)):
        ax.text(left + d + 0.5, row + 0.5, str(size), ha="center", va="center", fontsize=9)
    ax.set(xlim=(-1, left + d + 3), ylim=(n + 0.3, -1.9), aspect="equal")
    ax.axis("off")


def _draw_cells(ax, corner, rows, columns, color_of, alpha=0.7):
    from matplotlib.patches import Rectangle

    left, top = corner
    for row in range(rows):
        for column in range(columns):
            place, color = (left + column, top + row), color_of(row, column)
            if color is not None:
                ax.add_patch(Rectangle(place, 1, 1, facecolor=color, alpha=alpha, linewidth=0))
            ax.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=GRID, linewidth=0.8))


def draw_strips(ax, values_by_name, unit=1.0):
    """Draw one row of dots for each name, and a line at its median.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values_by_name : dict of str to array_like of shape (m,)
    unit : float
        What the values are divided by.
    """
    names = list(values_by_name)
    for row, name in enumerate(names):
        values = np.asarray(values_by_name[name]) / unit
        height = row + np.random.default_rng(row).uniform(-0.28, 0.28, len(values))
        ax.plot(values, height, MARKERS[row % 6], color=COLORS[row % 6], markersize=3.5, alpha=0.6)
        ax.plot([np.median(values)] * 2, [row - 0.38, row + 0.38], color=INK, linewidth=2)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)


def draw_silhouette_of_point(ax, X, labels, i):
    """Draw lines from one point to its own cluster, and to the other cluster that is nearest on average.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : ndarray of shape (n, 2)
    labels : ndarray of int of shape (n,)
    i : int
        The point.

    Returns
    -------
    tuple of float
        The two mean distances that are drawn: to its own cluster and to the other.
    """
    distance = np.linalg.norm(X - X[i], axis=1)
    own = (labels == labels[i]) & (np.arange(len(X)) != i)
    others = [label for label in np.unique(labels) if label != labels[i]]
    nearest = min(others, key=lambda label: distance[labels == label].mean())
    for group, style in ((own, "-"), (labels == nearest, ":")):
        for point in X[group]:
            ax.plot(*np.transpose([X[i], point]), style, color=INK, linewidth=0.9, alpha=0.7, zorder=1)
    draw_clusters(ax, X, labels, size=26)
    ax.scatter(*X[i], s=90, facecolors="none", edgecolors=INK, linewidths=2, zorder=4)
    return distance[own].mean(), distance[labels == nearest].mean()


def draw_silhouettes(ax, values, labels):
    """Draw the silhouettes of all points as lines, cluster by cluster, each cluster sorted.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : ndarray of shape (n,)
    labels : ndarray of int of shape (n,)
    """
    top = 0
    for label in np.unique(labels):
        own = np.sort(values[labels == label])[::-1]
        ax.fill_betweenx(
            top + np.arange(len(own)), 0, own, step="mid", color=COLORS[label % 6], alpha=0.75, linewidth=0
        )
        ax.text(-0.02, top + len(own) / 2, str(label), ha="right", va="center", fontsize=9)
        top += len(own) + len(values) // 40
    ax.axvline(values.mean(), color=INK, linewidth=1.2, linestyle="--")
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(yticks=[], ylim=(top, -len(values) // 40), xlabel="silhouette")


def draw_counts(ax, table, rows, columns):
    """Draw a table of counts as a heat map with its numbers.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : ndarray of int of shape (r, c)
    rows, columns : sequence of str
        Names.
    """
    shade = np.sqrt(table / table.max())
    ax.imshow(shade, vmin=0, vmax=1, aspect="auto")
    for (i, j), count in np.ndenumerate(table):
        if count:
            color = "white" if shade[i, j] < 0.55 else "black"
            ax.text(j, i, str(count), ha="center", va="center", fontsize=8.5, color=color)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)


def draw_band(ax, x, samples, name, color, marker, low=5, high=95):
    """Draw the mean of repeated measurements with a band that holds most of them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : sequence of float
    samples : ndarray of shape (repeats, len(x))
    name, color, marker : str
    low, high : float
        Percentiles of the band.
    """
    ax.fill_between(x, *np.percentile(samples, [low, high], axis=0), color=color, alpha=0.2, linewidth=0)
    ax.plot(x, np.mean(samples, axis=0), marker=marker, color=color, markersize=5, label=name)
