"""Points of the plane in groups: easy for k-means, and hard for it in one way each."""

from __future__ import annotations

import numpy as np

_ROUND = ((-6, 0), (-2, 5), (3, 4), (5, -2), (-1, -4))
_NESTED = ((-6, 1), (-4, -2), (-7, -3), (5, 3), (7, 0), (4, -1))


def make_clusters(kind, n=300, seed=0):
    """Draw points of the plane that lie in known groups.

    Parameters
    ----------
    kind : {"round", "nested", "elongated", "unequal", "units", "rings"}
        Five round groups; six in two groups of three; three long ones side by side; a wide one between two small ones; two round ones
        whose first feature is measured in another unit, so that its numbers are large; a ring around a round one.
    n : int
        Number of points.
    seed : int

    Returns
    -------
    X : ndarray of shape (n, 2)
    groups : ndarray of int of shape (n,)
        Which group each point was drawn from.

    Examples
    --------
    >>> X, groups = make_clusters("round")
    >>> print(X.shape, np.bincount(groups))
    (300, 2) [60 60 60 60 60]
    """
    kinds = {
        "round": _round,
        "nested": _nested,
        "elongated": _elongated,
        "unequal": _unequal,
        "units": _units,
        "rings": _rings,
    }
    if kind not in kinds:
        raise ValueError(f"make_clusters: kind must be {' or '.join(map(repr, kinds))}; got {kind!r}")
    return kinds[kind](n, np.random.default_rng(seed))


def _around(centers, n, rng, shares=None):
    """Draw standard normal steps from the centers, each of which has its share of the points."""
    k = len(centers)
    ends = np.round(np.cumsum(np.full(k, 1 / k) if shares is None else shares) * n).astype(int)
    groups = np.repeat(np.arange(k), np.diff(ends, prepend=0))
    return np.array(centers, float)[groups], rng.normal(size=(n, 2)), groups


def _round(n, rng):
    center, step, groups = _around(_ROUND, n, rng)
    return center + step, groups


def _nested(n, rng):
    center, step, groups = _around(_NESTED, n, rng)
    return center + 0.45 * step, groups


def _elongated(n, rng):
    center, step, groups = _around([(3, -2.5), (0, 0), (-3, 2.5)], n, rng)
    return center + step * [3.0, 0.4], groups


def _unequal(n, rng):
    center, step, groups = _around([(-6, 0), (0, 0), (6, 0)], n, rng, shares=(0.1, 0.8, 0.1))
    return center + step * np.array([0.5, 2.2, 0.5])[groups, None], groups


def _units(n, rng):
    center, step, groups = _around([(0, -3), (0, 3)], n, rng)
    return (center + step) * [100.0, 1.0], groups


def _rings(n, rng):
    center, step, groups = _around([(0, 0), (0, 0)], n, rng, shares=(0.3, 0.7))
    angle = rng.uniform(0, 2 * np.pi, n)
    ring = 5 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.35 * step
    return np.where(groups[:, None] == 1, ring, center + 0.8 * step), groups
