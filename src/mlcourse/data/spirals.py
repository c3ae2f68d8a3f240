"""Two spirals: points of two classes that no straight line separates."""

from __future__ import annotations

import numpy as np


def make_spirals(n, *, turns=1.35, noise=0.02, rng=None):
    """Draw points on two spirals that wind around each other.

    Parameters
    ----------
    n : int
        Points of both classes together; they alternate.
    turns : float
        How often each spiral goes around the center.
    noise : float
        Standard deviation of the normal noise added to both coordinates; the spirals end at distance 1 from the center.
    rng : Generator or int, optional

    Returns
    -------
    X : ndarray of shape (n, 2), float32
    y : ndarray of shape (n,), int
        0 or 1.

    Raises
    ------
    ValueError
        If `n` is not positive, or `noise` is negative.

    Examples
    --------
    >>> X, y = make_spirals(6, rng=0)
    >>> X.shape, y.tolist()
    ((6, 2), [0, 1, 0, 1, 0, 1])
    """
    if n < 1 or noise < 0:
        raise ValueError(f"make_spirals: needs n of at least 1 and noise of at least 0; got n={n} and noise={noise}")
    rng = np.random.default_rng(rng)
    y = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.01, 1, n))
    angle = 2 * np.pi * turns * radius + np.pi * y
    X = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return (X + noise * rng.normal(size=X.shape)).astype(np.float32), y
