"""Figures of the chapter on optimizers: surfaces with the ways that methods take on them, learning rates, and runs."""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import GRID, INK

_LOOKS = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ((0, (5, 1)), "v"), ((0, (1, 1)), "P"))


def draw_surface(ax, surface, x, y, *, n_levels=12, minima=()):
    """Draw the level lines of a loss of two parameters, closer together where it is low, and mark its minima.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    surface : callable
        ``surface(a, b)``, for arrays of the two parameters.
    x, y : tuple of float
        The two ends of each axis.
    n_levels : int
    minima : sequence of tuple of float
    """
    a, b = np.meshgrid(np.linspace(*x, 160), np.linspace(*y, 160))
    height = surface(a, b)
    low, high = height.min(), height.max()
    levels = low + (high - low) * np.linspace(0, 1, n_levels + 1)[1:] ** 3
    ax.contour(a, b, height, levels=levels, colors=GRID, linewidths=1)
    for number, place in enumerate(minima):
        ax.plot(*place, "+", color=INK, markersize=11, markeredgewidth=2, label="minimum" if number == 0 else None)
    ax.set(xlim=x, ylim=y)


def draw_ways(ax, ways, *, marker_every=1):
    """Draw the ways of several methods, each with its own color, line and marker; a square frame marks where they start.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    ways : dict of str to ndarray of shape (steps + 1, 2)
    marker_every : int
        Steps from one marker to the next.
    """
    for number, (name, way) in enumerate(ways.items()):
        line, marker = _LOOKS[number % len(_LOOKS)]
        ax.plot(
            *np.asarray(way).T, linestyle=line, marker=marker, markevery=marker_every, markersize=4, linewidth=1.4,
            color=f"C{number % 6}", label=name,
        )  # fmt: skip
    first = next(iter(ways.values()))[0]
    ax.plot(*first, "s", markersize=10, markerfacecolor="none", markeredgecolor=INK)


def draw_rates(ax, losses):
    """Draw a loss against the learning rate, a line for each method, with a ring around its lowest point.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    losses : dict of str to dict of float to float
        For each method the loss at each learning rate.
    """
    for number, (name, found) in enumerate(losses.items()):
        line, marker = _LOOKS[number % len(_LOOKS)]
        rates, values = np.array(sorted(found.items())).T
        color = f"C{number % 6}"
        ax.plot(rates, values, linestyle=line, marker=marker, markersize=5, linewidth=1.6, color=color, label=name)
        best = values.argmin()
        ax.plot(rates[best], values[best], "o", markersize=12, markerfacecolor="none", markeredgecolor=color)
    ax.set(xscale="log", yscale="log")


def draw_runs(ax, scores):
    """Draw the scores of single runs as dots, a row for each method, with a bar at the mean.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    scores : dict of str to (dict of str to ndarray)
        For each method, its scores under each setting; at most two settings, the same for all methods.
    """
    looks = (("o", "C0"), ("x", "C1"))
    rows = np.arange(len(scores))[::-1]
    for row, settings in zip(rows, scores.values(), strict=True):
        for number, (name, values) in enumerate(settings.items()):
            marker, color = looks[number]
            height = row + 0.17 - 0.34 * number
            label = name if row == rows[0] else None
            ax.plot(values, np.full(len(values), height), marker, color=color, markersize=5, alpha=0.7, label=label)
            ax.plot([np.mean(values)] * 2, [height - 0.14, height + 0.14], color=INK, linewidth=2)
    ax.set_yticks(rows, list(scores))
