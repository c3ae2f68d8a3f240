"""Nearest neighbors: the answer for a row is the answer of the known rows that are closest to it.

References
----------
Cover, T. and Hart, P. (1967). Nearest neighbor pattern classification. IEEE Transactions on Information Theory 13.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import blocks, squared_distances


def nearest_rows(A, B, k):
    """Return the `k` rows of `B` that are nearest to each row of `A`, nearest first.

    Parameters
    ----------
    A : ndarray of shape (m, d)
    B : ndarray of shape (n, d)
    k : int
        At most n.

    Returns
    -------
    distance : ndarray of shape (m, k)
    index : ndarray of int of shape (m, k)
        Of equally distant rows the first comes first, except that any of them may be the last one taken.

    Examples
    --------
    >>> nearest_rows(np.array([[0.0]]), np.array([[5.0], [-1.0], [2.0]]), 2)
    (array([[1., 2.]]), array([[1, 2]]))
    """
    mean = B.mean(axis=0)
    A, B = A - mean, B - mean  # the squares of the distance formula stay small
    length = (B * B).sum(axis=1)
    distance, index = np.empty((len(A), k)), np.empty((len(A), k), np.intp)
    for block in blocks(len(A), len(B)):
        D = squared_distances(A[block], B, length)
        near = np.sort(D.argpartition(k - 1, axis=1)[:, :k], axis=1)
        exact = ((A[block, None] - B[near]) ** 2).sum(axis=2)
        order = exact.argsort(axis=1, kind="stable")
        distance[block] = np.sqrt(np.take_along_axis(exact, order, axis=1))
        index[block] = np.take_along_axis(near, order, axis=1)
    return distance, index


class Neighbors(Estimator):
    """What both kinds of nearest neighbors share."""

    def __init__(self, n_neighbors=5, weights="uniform"):
        self.n_neighbors = n_neighbors
        self.weights = weights

    def _remember(self, X):
        self._check_integer("n_neighbors")
        self._check_choice("weights", ("uniform", "distance"))
        self.n_samples_fit_, self._rows = len(X), X

    def kneighbors(self, X=None, n_neighbors=None):
        """Return distances and numbers of the nearest known rows, both (n, n_neighbors); of the known rows themselves for None.

        A known row is then no neighbor of itself.
        """
        check_is_fitted(self)
        k, known = n_neighbors or self.n_neighbors, X is None
        X = self._rows if known else self._new_data(X)
        if k + known > self.n_samples_fit_:
            raise ValueError(
                f"{type(self).__name__}: Expected n_neighbors <= n_samples_fit, but n_neighbors = {k}, "
                f"n_samples_fit = {self.n_samples_fit_}, n_samples = {len(X)}; ask for fewer neighbors or bring more rows"
            )
        distance, index = nearest_rows(X, self._rows, k + known)
        if not known:
            return distance, index
        itself = index == np.arange(len(X))[:, None]
        itself[~itself.any(axis=1), -1] = True  # more than k rows at no distance
        return distance[~itself].reshape(-1, k), index[~itself].reshape(-1, k)

    def _voices(self, X):
        """Return the neighbors of each row and the share each has in the answer, both (n, n_neighbors)."""
        distance, index = self.kneighbors(X)
        weight = np.ones_like(distance)
        if self.weights == "distance":
            at_once = distance == 0
            with np.errstate(divide="ignore"):
                weight = np.where(at_once.any(axis=1, keepdims=True), at_once, 1 / distance)
        return index, weight / weight.sum(axis=1, keepdims=True)


class KNeighborsClassifier(ClassifierMixin, Neighbors):
    """The class that most of the nearest known rows have.

    Parameters
    ----------
    n_neighbors : int
    weights : {"uniform", "distance"}
        Whether all neighbors count alike, or each by the inverse of its distance.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_samples_fit_ : int
    n_features_in_ : int

    References
    ----------
    Cover, T. and Hart, P. (1967). Nearest neighbor pattern classification. IEEE Transactions on Information Theory 13.

    Examples
    --------
    >>> model = KNeighborsClassifier(3).fit([[0.0], [1.0], [2.0], [9.0]], ["a", "a", "b", "b"])
    >>> print(model.predict([[0.2]]), model.predict_proba([[8.0]]).round(2))
    ['a'] [[0.33 0.67]]
    """

    def fit(self, X, y):
        """Remember the rows of `X` (n, d) and their classes `y` (n,)."""
        X, self._codes = self._training_classes(X, y)
        self._remember(X)
        return self

    def predict_proba(self, X):
        """Return the share of each class among the neighbors, (n, n_classes)."""
        index, weight = self._voices(X)
        n, k = len(index), len(self.classes_)
        place = np.arange(n)[:, None] * k + self._codes[index]
        return np.bincount(place.ravel(), weight.ravel(), n * k).reshape(n, k)

    def predict(self, X):
        """Return the class with the largest share among the neighbors, (n,)."""
        share = self.predict_proba(X).round(12)  # shares that differ by rounding tie, and the first class wins
        return self.classes_[share.argmax(axis=1)]


class KNeighborsRegressor(RegressorMixin, Neighbors):
    """The mean target of the nearest known rows.

    Parameters
    ----------
    n_neighbors : int
    weights : {"uniform", "distance"}
        Whether all neighbors count alike, or each by the inverse of its distance.

    Attributes
    ----------
    n_samples_fit_ : int
    n_features_in_ : int

    References
    ----------
    Cover, T. (1968). Estimation by the nearest neighbor rule. IEEE Transactions on Information Theory 14.

    Examples
    --------
    >>> KNeighborsRegressor(2).fit([[0.0], [1.0], [5.0]], [1.0, 3.0, 9.0]).predict([[0.4]])
    array([2.])
    """

    def fit(self, X, y):
        """Remember the rows of `X` (n, d) and their targets `y` (n,)."""
        X, self._targets = self._training_data(X, y)
        self._remember(X)
        return self

    def predict(self, X):
        """Return the mean target of the neighbors, (n,)."""
        index, weight = self._voices(X)
        return (weight * self._targets[index]).sum(axis=1)
