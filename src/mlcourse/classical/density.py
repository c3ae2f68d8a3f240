"""DBSCAN: clusters as regions where rows lie close together.

References
----------
Ester, M., Kriegel, H.-P., Sander, J. and Xu, X. (1996). A density-based algorithm for discovering clusters in large spatial databases with
noise. KDD.
"""

from __future__ import annotations

import numbers
from itertools import pairwise, product

import numpy as np
from sklearn.base import ClusterMixin

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import BLOCK, blocks, squared_distances

KEEP = 1 << 20  # pairs of neighbors that are remembered


class DBSCAN(ClusterMixin, Estimator):
    """Core rows have many neighbors; a cluster is what can be reached from core row to core row, with the neighbors; the rest is noise.

    Parameters
    ----------
    eps : float
        Rows at most this far apart are neighbors.
    min_samples : int
        A row with at least so many neighbors, itself included, is a core row.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Clusters in the order of their first core row; -1 for noise. A neighbor of several clusters belongs to the first of them.
    core_sample_indices_ : ndarray of int
    n_features_in_ : int

    References
    ----------
    Ester, M., Kriegel, H.-P., Sander, J. and Xu, X. (1996). A density-based algorithm for discovering clusters in large spatial
    databases with noise. KDD.

    Examples
    --------
    >>> DBSCAN(eps=1.0, min_samples=2).fit([[0.0], [1.0], [5.0], [9.0], [9.5]]).labels_
    array([ 0,  0, -1,  1,  1])
    """

    def __init__(self, eps=0.5, min_samples=5):
        self.eps = eps
        self.min_samples = min_samples

    def fit(self, X, y=None):
        """Find the clusters of the rows of `X` (n, d)."""
        X = self._training_table(X)
        self._check_positive("eps")
        self._check_positive("min_samples", numbers.Integral)
        count = np.ones(len(X), int)  # a row is its own neighbor
        kept, n_pairs = [], 0
        for i, j in neighbor_pairs(X, self.eps):
            count += np.bincount(i, minlength=len(X)) + np.bincount(j, minlength=len(X))
            n_pairs += len(i)
            if n_pairs <= KEEP:
                kept.append((i, j))
        core = count >= self.min_samples
        pairs = kept if n_pairs <= KEEP else neighbor_pairs(X, self.eps)  # too many to keep: found again
        self.labels_ = connect(pairs, core)
        self.core_sample_indices_ = np.flatnonzero(core)
        return self


def connect(pairs, core):
    """Return the cluster of each row, (n,), from all pairs of neighbors and the mask of core rows.

    Every core row points to a row of its cluster with a smaller number, or to itself. Where two neighbors arrive at different roots, the
    larger root is made to point to the smaller, until all neighbors agree.

    Parameters
    ----------
    pairs : iterable of (ndarray, ndarray)
        Each pair once, in any order.
    core : ndarray of bool of shape (n,)

    Returns
    -------
    ndarray of int of shape (n,)
    """
    n, borders = len(core), []
    root = np.arange(n)
    for i, j in pairs:
        both = core[i] & core[j]
        join(root, i[both], j[both])
        for a, b in ((i, j), (j, i)):
            at_border = ~core[a] & core[b]
            borders.append((a[at_border], b[at_border]))
    labels = np.where(core, root, n)
    for row, neighbor in borders:
        np.minimum.at(labels, row, root[neighbor])
    place = np.unique(labels, return_inverse=True)[1]
    return np.where(labels == n, -1, place)


def join(root, a, b):
    """Let the rows `a` and `b`, pair by pair, arrive at the same root; `root` is changed."""
    while True:
        low, high = root[a], root[b]
        apart = low != high
        if not apart.any():
            return
        a, b, low, high = a[apart], b[apart], low[apart], high[apart]
        np.minimum.at(root, np.maximum(low, high), np.minimum(low, high))
        while (root != root[root]).any():
            root[:] = root[root]


def neighbor_pairs(X, eps):
    """Yield all pairs of rows of `X` at most `eps` apart, each once, as blocks of two arrays of row numbers."""
    d = X.shape[1]
    cells = np.ceil((np.ptp(X, axis=0) + 1) / eps) + 3
    return pairs_on_grid(X, eps) if d <= 3 and cells.prod() < 2**62 else pairs_by_table(X, eps)


def pairs_by_table(X, eps):
    """Find neighbors among all distances, a block of rows at a time."""
    n, length = len(X), (X * X).sum(axis=1)
    doubt = 1e-13 * length.max()  # what rounding can do to the expanded square
    for block in blocks(n, n):
        D = squared_distances(X[block], X[block.start :], length[block.start :])
        i, j = np.divmod(np.flatnonzero(eps * eps + doubt >= D), n - block.start)
        doubtful = D[i, j] > eps * eps - doubt
        i, j = i + block.start, j + block.start
        near = i < j
        near[doubtful] &= close(X, i[doubtful], j[doubtful], eps)
        yield i[near], j[near]


def pairs_on_grid(X, eps):
    """Find neighbors among the rows of a cell and the cells around it, on a grid whose cells are as wide as `eps`.

    The cells have numbers such that the neighbor in a given direction has the cell's own number plus a constant. With the rows
    sorted by cell, the rows of a cell are found by bisection.
    """
    n, d = X.shape
    cell = np.floor((X - X.min(axis=0)) / eps).astype(np.int64) + 1
    stride = np.cumprod(np.append(1, cell.max(axis=0)[:-1] + 2))
    number = cell @ stride
    order = np.argsort(number, kind="stable")
    number = number[order]
    for direction in product((-1, 0, 1), repeat=d):
        shift = np.dot(direction, stride)
        if shift < 0:  # the other half of the pairs
            continue
        first, last = np.searchsorted(number, number + shift), np.searchsorted(number, number + shift, side="right")
        if shift == 0:
            first = np.arange(1, n + 1)  # in its own cell, a row meets those behind it
        ends = np.maximum(last - first, 0).cumsum()
        cuts = np.append(0, np.searchsorted(ends, np.arange(BLOCK, ends[-1] + BLOCK, BLOCK), side="right"))
        for start, stop in pairwise(np.unique(np.append(cuts, n))):
            count = np.maximum(last - first, 0)[start:stop]
            i = np.repeat(np.arange(start, stop), count)
            j = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count) + np.repeat(first[start:stop], count)
            i, j = order[i], order[j]
            near = close(X, i, j, eps)
            yield i[near], j[near]


def close(X, i, j, eps):
    """Return for pairs of rows whether they are at most `eps` apart."""
    return sum((column[i] - column[j]) ** 2 for column in X.T) <= eps * eps
