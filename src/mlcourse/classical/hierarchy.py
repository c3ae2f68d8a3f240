"""Agglomerative clustering: begin with every row alone, join the two clusters that are closest, again and again.

References
----------
Murtagh, F. (1983). A survey of recent advances in hierarchical clustering algorithms. The Computer Journal 26.
Lance, G. and Williams, W. (1967). A general theory of classificatory sorting strategies. The Computer Journal 9.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import ClusterMixin

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import blocks, squared_distances


class AgglomerativeClustering(ClusterMixin, Estimator):
    """Join the two closest clusters until as many are left as wanted.

    Parameters
    ----------
    n_clusters : int
    linkage : {"ward", "complete", "average", "single"}
        How far apart two clusters are: by how much joining them raises the sum of squared distances to the means (as a distance: the
        square root of twice that); or the largest, mean or smallest distance between their rows.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Clusters in the order of their first row.
    children_ : ndarray of int of shape (n_samples - 1, 2)
        What each merge joins: rows below n_samples, earlier merges from n_samples on.
    distances_ : ndarray of shape (n_samples - 1,)
        How far apart the two were; it never falls.
    n_features_in_ : int

    References
    ----------
    Ward, J. (1963). Hierarchical grouping to optimize an objective function. Journal of the American Statistical Association 58.
    Murtagh, F. (1983). A survey of recent advances in hierarchical clustering algorithms. The Computer Journal 26.

    Examples
    --------
    >>> model = AgglomerativeClustering(2).fit([[0.0], [1.0], [5.0], [5.5]])
    >>> print(model.labels_, model.children_.tolist())
    [0 0 1 1] [[2, 3], [0, 1], [4, 5]]
    """

    def __init__(self, n_clusters=2, linkage="ward"):
        self.n_clusters = n_clusters
        self.linkage = linkage

    def fit(self, X, y=None):
        """Join the rows of `X` (n, d) step by step."""
        X = self._training_table(X, ensure_min_samples=2)
        self._check_choice("linkage", ("ward", "complete", "average", "single"))
        self._check_integer("n_clusters")
        if self.n_clusters > len(X):
            self._refuse("n_clusters", f"at most the number of rows, {len(X)}")
        D = distance_table(X)
        if self.linkage != "ward":
            np.sqrt(D, out=D)
        merges = nearest_neighbor_chain(D, self.linkage)
        merges = merges[np.argsort(merges[:, 2], kind="stable")]
        self.distances_ = np.sqrt(merges[:, 2]) if self.linkage == "ward" else merges[:, 2]
        self.children_, self.labels_ = number_merges(merges[:, :2].astype(int), len(X), self.n_clusters)
        return self


def distance_table(X):
    """Return the squared distances between all rows of `X` (n, d) as (n, n), with infinity from a row to itself."""
    n = len(X)
    X = X - X.mean(axis=0)
    length = (X * X).sum(axis=1)
    D = np.empty((n, n))
    for block in blocks(n, n):
        D[block] = squared_distances(X[block], X, length)
        i, j = np.nonzero(D[block] < 1e-9 * length.max())  # too small for the expanded square
        D[i + block.start, j] = ((X[i + block.start] - X[j]) ** 2).sum(axis=1)
    np.fill_diagonal(D, np.inf)
    return D


def nearest_neighbor_chain(D, linkage):
    """Return all merges as lines (cluster, cluster, distance), in the order in which the chain finds them.

    Go from a cluster to the nearest one, from there to the nearest one, …: distances fall until two clusters are each other's nearest.
    These may be joined at once: with these linkages, no later merge comes between them. A cluster goes by the number of one of its rows.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances, infinite from a row to itself; it is overwritten. A merge changes one line and one column.
    linkage : str

    Returns
    -------
    ndarray of shape (n - 1, 3)
    """
    n = len(D)
    size, alive = np.ones(n), np.ones(n, bool)
    update, merges, chain = UPDATES[linkage], np.empty((n - 1, 3)), []
    for merge in range(n - 1):
        if not chain:
            chain.append(int(alive.argmax()))
        while True:
            row = D[chain[-1]]
            nearest = int(row.argmin())
            if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
                break
            chain.append(nearest)
        a, b = sorted((chain.pop(), chain.pop()))
        height = D[a, b]
        merges[merge] = a, b, height
        joined = update(D[a], D[b], height, size[a], size[b], size)
        joined[a] = joined[b] = np.inf
        D[b] = D[:, b] = joined  # b now stands for both
        D[a] = D[:, a] = np.inf
        size[b] += size[a]
        alive[a] = False
    return merges


# The distance of a merged cluster to all others, from the distances of its two parts (Lance and Williams).
UPDATES = {
    "ward": lambda da, db, height, a, b, size: ((a + size) * da + (b + size) * db - height * size) / (a + b + size),
    "average": lambda da, db, height, a, b, size: (a * da + b * db) / (a + b),
    "complete": lambda da, db, height, a, b, size: np.maximum(da, db),
    "single": lambda da, db, height, a, b, size: np.minimum(da, db),
}


def number_merges(pairs, n, n_clusters):
    """Return merges by the numbers of what they join, (n - 1, 2), and the clusters of the rows before the last merges, (n,)."""
    root, number = list(range(n)), list(range(n))
    children, labels = [], None

    def find(row):
        while root[row] != row:
            root[row] = root[root[row]]
            row = root[row]
        return row

    for merge, (a, b) in enumerate(pairs.tolist()):
        if merge == n - n_clusters:
            labels = [find(row) for row in range(n)]
        a, b = find(a), find(b)
        children.append(sorted((number[a], number[b])))
        root[a] = b
        number[b] = n + merge
    labels = labels or [find(row) for row in range(n)]
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    return np.array(children), first.argsort().argsort()[place]
