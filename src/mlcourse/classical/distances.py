"""Distances between all rows of two tables, in blocks that fit the memory."""

from __future__ import annotations

import numpy as np

BLOCK = 1 << 18  # distances computed at once: 2 MB


def squared_distances(A, B, B_squared=None):
    """Return the squared Euclidean distance of every row of `A` to every row of `B`.

    ``‖a - b‖² = ‖a‖² - 2 a·b + ‖b‖²`` needs one matrix product for all pairs; rounding may leave small negative numbers, which become 0.

    Parameters
    ----------
    A : ndarray of shape (m, d)
    B : ndarray of shape (n, d)
    B_squared : ndarray of shape (n,), optional
        The squared lengths of the rows of `B`, if they are known.

    Returns
    -------
    ndarray of shape (m, n)

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [1.0, 0.0]]))
    array([[25.,  1.]])
    """
    D = A @ (-2 * B.T)
    D += (A * A).sum(axis=1)[:, None]
    D += (B * B).sum(axis=1) if B_squared is None else B_squared
    return np.maximum(D, 0, out=D)


def blocks(n_rows, n_columns):
    """Return slices that cut a table of distances into blocks of rows of about `BLOCK` numbers.

    Examples
    --------
    >>> blocks(5, BLOCK // 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = max(1, BLOCK // max(n_columns, 1))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
