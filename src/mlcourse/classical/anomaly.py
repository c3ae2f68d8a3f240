"""Anomalies: rows that are easily set apart (isolation forest), or that lie less densely than their neighbors (local outlier factor).

References
----------
Liu, F., Ting, K. and Zhou, Z.-H. (2008). Isolation forest. ICDM.
Breunig, M., Kriegel, H.-P., Ng, R. and Sander, J. (2000). LOF: identifying density-based local outliers. SIGMOD.
"""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import OutlierMixin

from mlcourse.classical.base import Estimator
from mlcourse.classical.growing import keep
from mlcourse.classical.neighbors import nearest_rows
from mlcourse.classical.nodes import join_levels, level_of_leaves

TOGETHER = 1 << 16  # rows times trees that walk down at once


class Detector(OutlierMixin, Estimator):
    """What both detectors share: scores below the offset are anomalies."""

    def _offset(self, scores, usual):
        """Return the limit such that the wanted share of the scores lies below, or the usual one."""
        if isinstance(self.contamination, str) and self.contamination == "auto":
            return usual
        wanted = self.contamination
        if isinstance(wanted, bool) or not isinstance(wanted, numbers.Real) or not 0 < wanted <= 0.5:
            self._refuse("contamination", "'auto' or a number in (0, 0.5]")
        return float(np.percentile(scores(), 100 * wanted))


class IsolationForest(Detector):
    """Trees that ask at random; a row that is soon alone in its node is an anomaly.

    Parameters
    ----------
    n_estimators : int
    max_samples : int or {"auto"}
        How many rows, drawn without replacement, each tree sees; ``"auto"`` is 256, or all if there are fewer.
    contamination : float or {"auto"}
        The share of the training rows to call anomalies; ``"auto"`` calls those with a score below -0.5.
    random_state : int, RandomState or None
        Draws rows, features and cuts.

    Attributes
    ----------
    trees_ : Trees
        In the leaves, ``value`` is the path's length, with the expected rest of it where several rows are left.
    offset_ : float
    max_samples_ : int
    n_features_in_ : int

    References
    ----------
    Liu, F., Ting, K. and Zhou, Z.-H. (2008). Isolation forest. ICDM.

    Examples
    --------
    >>> model = IsolationForest(random_state=0).fit([[0.0], [0.1], [0.2], [0.3], [9.0]])
    >>> model.predict([[0.15], [8.0]])
    array([ 1, -1])
    """

    def __init__(self, n_estimators=100, max_samples="auto", contamination="auto", random_state=None):
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X, y=None):
        """Grow the trees on `X` (n, d)."""
        X = self._training_table(X)
        self._check_integer("n_estimators")
        self.max_samples_ = min(len(X), 256)
        if self.max_samples != "auto":
            self._check_integer("max_samples")
            self.max_samples_ = min(len(X), int(self.max_samples))
        rng, size = self._random(), self.max_samples_
        rows = [rng.choice(len(X), size, replace=False) for _ in range(self.n_estimators)]
        self.trees_ = isolate(X, np.array(rows), rng)
        self.offset_ = self._offset(lambda: self._scores(X), -0.5)
        return self

    def score_samples(self, X):
        """Return minus the anomaly score of each row, (n,): -1 for the clearest anomalies, -0.5 for rows of average depth."""
        return self._scores(self._new_data(X))

    def decision_function(self, X):
        """Return the score above the offset, (n,); negative for anomalies."""
        scores = self.score_samples(X)
        return scores - self.offset_

    def predict(self, X):
        """Return -1 for anomalies and 1 for all other rows, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _scores(self, X):
        step = max(1, TOGETHER // self.n_estimators)
        starts = range(0, len(X), step)
        depth = np.concatenate([self.trees_.value[self.trees_.leaves(X[s : s + step]), 0].mean(axis=0) for s in starts])
        usual = float(path_length(np.array([self.max_samples_]))[0])
        return -(2.0 ** -(depth / usual if usual else np.ones_like(depth)))


def isolate(X, rows, rng):
    """Grow a tree on each line of `rows`: cut every node at a random place of a random feature, until rows are alone or deep enough.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    rows : ndarray of int of shape (trees, r)
    rng : numpy.random.Generator

    Returns
    -------
    Trees
    """
    n_trees, size = rows.shape
    row, slot = rows.ravel(), np.repeat(np.arange(n_trees), size)  # slot: a row's node within the level, in order
    levels, n_nodes, deepest = [], n_trees, int(np.ceil(np.log2(max(size, 2))))
    while True:
        depth, count = len(levels), np.bincount(slot)
        nodes = level_of_leaves(depth, (depth + path_length(count))[:, None], count.astype(float), np.zeros(len(count)))
        levels.append(nodes)
        feature, cut = random_cuts(X[row], count.cumsum() - count, rng)
        asks = feature >= 0
        if depth == deepest or not asks.any():
            return join_levels(levels, {})
        nodes.feature, nodes.threshold = feature, cut
        nodes.left[asks] = n_nodes + 2 * np.arange(asks.sum())
        n_nodes += 2 * asks.sum()
        row, slot = keep(asks, row, slot)
        slot = 2 * slot + (X[row, feature[asks][slot]] > cut[asks][slot])
        order = slot.argsort(kind="stable")
        row, slot = row[order], slot[order]


def random_cuts(values, starts, rng):
    """Return for each node a feature that varies among its rows and a place between its extremes; -1 and 0 where none varies.

    Parameters
    ----------
    values : ndarray of shape (rows, d)
        The rows of all nodes, node by node.
    starts : ndarray of int of shape (nodes,)
        Where the rows of each node begin.
    rng : numpy.random.Generator

    Returns
    -------
    feature, cut : ndarray of shape (nodes,)
    """
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)  # (nodes, d)
    varies = high > low
    feature = np.where(varies, rng.random(low.shape), -1).argmax(axis=1)
    chosen = np.arange(len(feature)), feature
    low, high, varies = low[chosen], high[chosen], varies[chosen]
    cut = np.minimum(
        rng.uniform(low, high), np.nextafter(high, low)
    )  # below the largest, so that neither side is empty
    return np.where(varies, feature, -1), np.where(varies, cut, 0)


def path_length(size):
    """Return the expected number of random cuts that set a row apart from `size` - 1 others (that of a search in a binary tree).

    Examples
    --------
    >>> path_length(np.array([1, 2, 256])).round(2)
    array([ 0.  ,  1.  , 10.24])
    """
    size = np.asarray(size, float)
    many = np.maximum(size, 3)
    length = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(size > 2, length, np.where(size == 2, 1.0, 0.0))


class LocalOutlierFactor(Detector):
    """Rows are anomalies if their neighbors have nearer neighbors than they have themselves.

    Parameters
    ----------
    n_neighbors : int
        If there are not so many other rows, all of them are taken.
    contamination : float or {"auto"}
        The share of the rows to call anomalies; ``"auto"`` calls those with a factor above 1.5.

    Attributes
    ----------
    negative_outlier_factor_ : ndarray of shape (n_samples,)
        About -1 for rows as dense as their neighbors; the lower, the more abnormal.
    offset_ : float
    n_neighbors_ : int
    n_features_in_ : int

    References
    ----------
    Breunig, M., Kriegel, H.-P., Ng, R. and Sander, J. (2000). LOF: identifying density-based local outliers. SIGMOD.

    Examples
    --------
    >>> LocalOutlierFactor(2).fit_predict([[0.0], [1.0], [2.0], [3.0], [30.0]])
    array([ 1,  1,  1,  1, -1])
    """

    def __init__(self, n_neighbors=20, contamination="auto"):
        self.n_neighbors = n_neighbors
        self.contamination = contamination

    def fit(self, X, y=None):
        """Compare the density around each row of `X` (n, d) with that around its neighbors."""
        X = self._training_table(X, ensure_min_samples=2)
        self._check_integer("n_neighbors")
        k = self.n_neighbors_ = min(int(self.n_neighbors), len(X) - 1)
        distance, index = others(X, k)
        reach = np.maximum(distance, distance[index, -1])  # inside its neighborhood a row is as far as the edge
        density = 1 / (reach.mean(axis=1) + 1e-10)
        self.negative_outlier_factor_ = -density[index].mean(axis=1) / density
        self.offset_ = self._offset(lambda: self.negative_outlier_factor_, -1.5)
        return self

    def fit_predict(self, X, y=None):
        """Return -1 for the rows of `X` that are anomalies and 1 for all others, (n,)."""
        self.fit(X)
        return np.where(self.negative_outlier_factor_ < self.offset_, -1, 1)


def others(X, k):
    """Return distances and numbers of the `k` other rows that are nearest to each row, both (n, k)."""
    distance, index = nearest_rows(X, X, k + 1)
    itself = index == np.arange(len(X))[:, None]
    itself[~itself.any(axis=1), -1] = True  # more than k rows at no distance
    return distance[~itself].reshape(-1, k), index[~itself].reshape(-1, k)
