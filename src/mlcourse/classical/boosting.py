"""Boosting: trees grown one after the other, each on what the ones before got wrong.

References
----------
Freund, Y. and Schapire, R. (1997). A decision-theoretic generalization of on-line learning and an application to boosting. Journal of
Computer and System Sciences 55.
Friedman, J. (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from mlcourse.classical.base import Estimator
from mlcourse.classical.growing import TIE, middle
from mlcourse.classical.logistic import probabilities
from mlcourse.classical.trees import DecisionTreeClassifier

LEAST_CURVATURE = 1e-3  # of the loss on either side of a cut


class AdaBoostClassifier(ClassifierMixin, Estimator):
    """Small trees that vote by their merit; each learns from rows that weigh the more, the more often they were misclassified.

    Parameters
    ----------
    n_estimators : int
        Most trees; fewer if one makes no mistake, or is no better than guessing.
    learning_rate : float
        The merit of every tree is multiplied by it.
    max_depth : int
        Of each tree; 1 asks a single question.

    Attributes
    ----------
    estimators_ : list of DecisionTreeClassifier
    estimator_weights_, estimator_errors_ : ndarray of shape (trees,)
        Merits, and weighted shares of misclassified rows.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    Freund, Y. and Schapire, R. (1997). A decision-theoretic generalization of on-line learning and an application to boosting. Journal
    of Computer and System Sciences 55.
    Hastie, T., Rosset, S., Zhu, J. and Zou, H. (2009). Multi-class AdaBoost. Statistics and Its Interface 2.

    Examples
    --------
    >>> model = AdaBoostClassifier(3).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 1, 0])
    >>> print(model.predict([[0.0], [1.0], [2.0], [3.0]]), model.estimator_errors_.round(3))
    [0 1 1 0] [0.25  0.167 0.2  ]
    """

    def __init__(self, n_estimators=50, learning_rate=1.0, max_depth=1):
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth

    def fit(self, X, y):
        """Grow the trees on `X` (n, d) and the classes `y` (n,)."""
        X, codes = self._training_classes(X, y)
        self._check_integer("n_estimators")
        self._check_positive("learning_rate")
        k, weight = len(self.classes_), np.full(len(X), 1 / len(X))
        self.estimators_, merits, errors = [], [], []
        for _ in range(self.n_estimators):
            tree = DecisionTreeClassifier(max_depth=self.max_depth).fit(X, codes, weight)
            wrong = tree.predict(X) != codes
            error = float(weight[wrong].sum())
            guesses, perfect = error >= 1 - 1 / k - 1e-12, error <= 0
            if guesses and self.estimators_:
                break
            merit = 1.0 if guesses or perfect else self.learning_rate * (np.log((1 - error) / error) + np.log(k - 1))
            self.estimators_.append(tree)
            merits.append(merit)
            errors.append(error)
            if guesses or perfect:
                break
            weight = weight * np.exp(merit * wrong)
            weight /= weight.sum()
        self.estimator_weights_, self.estimator_errors_ = np.array(merits), np.array(errors)
        return self

    def decision_function(self, X):
        """Return the mean vote for each class, (n, n_classes); for two classes that for the second, (n,)."""
        X = self._new_data(X)
        votes, k = np.zeros((len(X), len(self.classes_))), len(self.classes_)
        for tree, merit in zip(self.estimators_, self.estimator_weights_, strict=True):
            votes += merit * np.where(tree.predict(X)[:, None] == np.arange(k), 1, -1 / max(k - 1, 1))
        votes /= self.estimator_weights_.sum()
        return 2 * votes[:, 1] if k == 2 else votes

    def predict_proba(self, X):
        """Return the probability of each class, (n, n_classes), were the votes half its logarithmic odds."""
        votes, k = self.decision_function(X), len(self.classes_)
        if k == 2:
            return probabilities(np.column_stack([-votes, votes]) / 2)
        return probabilities(votes / max(k - 1, 1))

    def predict(self, X):
        """Return the class with the most votes, (n,)."""
        votes = self.decision_function(X)
        best = (votes > 0).astype(int) if votes.ndim == 1 else votes.argmax(axis=1)
        return self.classes_[best]


class GradientBoosting(Estimator):
    """What both kinds share: trees on bins that follow slope and curvature of the loss."""

    def __init__(self, n_estimators=100, learning_rate=0.1, max_depth=3, max_bins=128, l2_regularization=0.0):
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.max_bins = max_bins
        self.l2_regularization = l2_regularization

    def _boost(self, X, start, derivatives):
        """Grow trees, each for minus the slope; `derivatives` takes the sums so far, (n, k), and returns slopes and curvatures."""
        self._check_integer("n_estimators")
        self._check_integer("max_depth")
        self._check_integer("max_bins", at_least=2)
        self._check_positive("learning_rate")
        self._check_between("l2_regularization", 0, np.inf)
        self._cuts = [bin_edges(column, self.max_bins) for column in X.T]
        codes, self._start = self._bins(X), start
        total = np.tile(start, (len(X), 1))
        self.trees_ = []
        for _ in range(self.n_estimators):
            slopes, curvatures = derivatives(total)
            trees = []
            for c in range(len(start)):
                tree, leaf = grow_on_bins(
                    codes, slopes[:, c], curvatures[:, c], self.max_depth, self.max_bins, self.l2_regularization
                )
                tree.value *= self.learning_rate
                total[:, c] += tree.value[leaf]
                trees.append(tree)
            self.trees_.append(trees)
        return self

    def _bins(self, X):
        """Return the number of the bin of each value, features first, (d, n)."""
        return np.stack([np.searchsorted(cuts, column) for cuts, column in zip(self._cuts, X.T, strict=True)])

    def _totals(self, X):
        X = self._new_data(X)
        codes, total = self._bins(X), np.tile(self._start, (len(X), 1))
        for trees in self.trees_:
            for c, tree in enumerate(trees):
                total[:, c] += tree.value[tree.leaves(codes)]
        return total


class GradientBoostingRegressor(RegressorMixin, GradientBoosting):
    """A sum of small trees, each fitted to the errors of the sum before it.

    Parameters
    ----------
    n_estimators : int
    learning_rate : float
        The share of each tree that is added.
    max_depth : int
    max_bins : int
        The values of a feature are put into at most so many bins, by quantiles; cuts lie between bins.
    l2_regularization : float
        Shrinks the leaves: added to the number of their rows.

    Attributes
    ----------
    trees_ : list of lists of BinTree
    n_features_in_ : int

    References
    ----------
    Friedman, J. (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29.
    Chen, T. and Guestrin, C. (2016). XGBoost: a scalable tree boosting system. KDD.

    Examples
    --------
    >>> model = GradientBoostingRegressor(1, learning_rate=0.5, max_depth=1).fit([[0.0], [1.0], [2.0]], [0.0, 0.0, 9.0])
    >>> model.predict([[0.0], [2.0]])
    array([1.5, 6. ])
    """

    def fit(self, X, y):
        """Grow the trees on `X` (n, d) and the target `y` (n,)."""
        X, y = self._training_data(X, y)
        ones = np.ones((len(y), 1))
        return self._boost(X, np.array([y.mean()]), lambda total: (total - y[:, None], ones))

    def predict(self, X):
        """Return the sum of the trees, (n,)."""
        return self._totals(X)[:, 0]


class GradientBoostingClassifier(ClassifierMixin, GradientBoosting):
    """Sums of small trees, the logarithms of the classes' probabilities up to a constant; each tree a Newton step on the log-loss.

    Parameters
    ----------
    n_estimators : int
        Of steps; with more than two classes each has a tree for every class.
    learning_rate : float
        The share of each tree that is added.
    max_depth : int
    max_bins : int
        The values of a feature are put into at most so many bins, by quantiles; cuts lie between bins.
    l2_regularization : float
        Shrinks the leaves: added to the curvature of the loss.

    Attributes
    ----------
    trees_ : list of lists of BinTree
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    Friedman, J., Hastie, T. and Tibshirani, R. (2000). Additive logistic regression: a statistical view of boosting. Annals of
    Statistics 28.
    Chen, T. and Guestrin, C. (2016). XGBoost: a scalable tree boosting system. KDD.

    Examples
    --------
    >>> model = GradientBoostingClassifier(20).fit([[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "yes", "no"])
    >>> model.predict([[0.2], [1.9]])
    array(['no', 'yes'], dtype='<U3')
    """

    def fit(self, X, y):
        """Grow the trees on `X` (n, d) and the classes `y` (n,)."""
        X, codes = self._training_classes(X, y, at_least=2)
        k = len(self.classes_)
        share = np.bincount(codes) / len(codes)
        if k == 2:
            start, target = np.log(share[1:] / share[:1]), codes[:, None] == [1]
        else:
            start, target = np.log(share), codes[:, None] == np.arange(k)

        def derivatives(total):
            P = self._probabilities(total)[:, -len(start) :]
            return P - target, P * (1 - P)

        return self._boost(X, start, derivatives)

    def decision_function(self, X):
        """Return the sums, (n,) for two classes, (n, n_classes) for more."""
        total = self._totals(X)
        return total[:, 0] if total.shape[1] == 1 else total

    def predict_proba(self, X):
        """Return the probability of each class, (n, n_classes)."""
        return self._probabilities(self._totals(X))

    def predict(self, X):
        """Return the most probable class, (n,)."""
        total = self._totals(X)
        best = (total[:, 0] > 0).astype(int) if total.shape[1] == 1 else total.argmax(axis=1)
        return self.classes_[best]

    def _probabilities(self, total):
        if total.shape[1] == 1:
            total = np.column_stack([np.zeros(len(total)), total[:, 0]])
        return probabilities(total)


@dataclass
class BinTree:
    """A tree of full depth: the node m of a level has the children 2m and 2m + 1 on the next.

    Attributes
    ----------
    feature, cut : list of ndarray
        For each level and node: bins up to the cut go left. A node that is not cut sends everything left.
    value : ndarray of shape (2 ** depth,)
    """

    feature: list
    cut: list
    value: np.ndarray

    def leaves(self, codes):
        """Return the leaf, (n,), of each row of `codes`, (d, n)."""
        node, place = np.zeros(codes.shape[1], np.intp), np.arange(codes.shape[1])
        for feature, cut in zip(self.feature, self.cut, strict=True):
            node = 2 * node + (codes.take(feature[node] * codes.shape[1] + place) > cut[node])
        return node


def grow_on_bins(codes, slope, curvature, depth, bins, l2):
    """Grow a tree that lowers the quadratic ``Σ slope · f + ½ curvature · f²`` of the rows' values f; return it and the rows' leaves.

    A leaf with the sums G and H takes ``f = -G / (H + l2)``, which lowers the quadratic by ``½ G² / (H + l2)``. These sums, for every
    feature and every bin of all nodes of a level, are the histograms; of two siblings one is counted, the other is the rest.
    """
    n = codes.shape[1]
    node, rows = np.zeros(n, np.intp), np.arange(n)
    tree = BinTree([], [], None)
    G, H = histograms(codes, node, slope, curvature, 1, bins)
    for level in range(depth):
        nodes = 2**level
        feature, cut = best_bins(G, H, l2)
        tree.feature.append(feature)
        tree.cut.append(cut)
        node = 2 * node + (codes.take(feature[node] * n + rows) > cut[node])
        if level + 1 < depth:
            count = np.bincount(node, minlength=2 * nodes).reshape(nodes, 2)
            small = count.argmin(axis=1)  # of the two siblings
            counted = (small[node // 2] == node % 2).nonzero()[0]
            part = histograms(codes[:, counted], node[counted] // 2, slope[counted], curvature[counted], nodes, bins)
            G, H = (siblings(whole, piece, small) for whole, piece in zip((G, H), part, strict=True))
    G, H = np.bincount(node, slope, 2**depth), np.bincount(node, curvature, 2**depth)
    tree.value = -G / np.where(H + l2 > 0, H + l2, 1)
    return tree, node


def histograms(codes, node, slope, curvature, nodes, bins):
    """Return the sums of slopes and curvatures in each node, feature and bin, both (nodes, d, bins)."""
    G, H = np.empty((2, nodes, len(codes), bins))
    base = node * bins
    for f, code in enumerate(codes):
        place = base + code
        G[:, f] = np.bincount(place, slope, nodes * bins).reshape(nodes, bins)
        H[:, f] = np.bincount(place, curvature, nodes * bins).reshape(nodes, bins)
    return G, H


def siblings(whole, piece, small):
    """Return the histograms of both children of each node from its own and that of its smaller child."""
    both = np.empty((len(whole), 2, *whole.shape[1:]))
    at = np.arange(len(whole))
    both[at, small], both[at, 1 - small] = piece, whole - piece
    return both.reshape(-1, *whole.shape[1:])


def best_bins(G, H, l2):
    """Return the feature and the bin after which to cut each node; feature 0 after its last bin where no cut gains anything."""
    nodes, _, bins = G.shape
    left_G, left_H = G.cumsum(axis=2), H.cumsum(axis=2)
    G, H = left_G[:, :, -1:], left_H[:, :, -1:]
    right_G, right_H = G - left_G, H - left_H
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = left_G**2 / (left_H + l2) + right_G**2 / (right_H + l2) - G**2 / (H + l2)
    gain[~((left_H >= LEAST_CURVATURE) & (right_H >= LEAST_CURVATURE))] = 0
    gain = gain.reshape(nodes, -1)
    most = gain.max(axis=1)
    best = (gain >= (most * (1 - TIE))[:, None]).argmax(axis=1)  # the first of equally good cuts
    gains = most > 1e-12 * (1 + abs(G[:, 0, 0]))
    return np.where(gains, best // bins, 0), np.where(gains, best % bins, bins)


def bin_edges(column, bins):
    """Return the values between at most `bins` bins: halfway between neighbors, or quantiles where there are more different values."""
    distinct = np.unique(column)
    if len(distinct) <= bins:
        return middle(distinct[:-1], distinct[1:])
    return np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1], method="midpoint"))
