"""Random forests: many trees, each on its own sample of the rows, that vote.

References
----------
Breiman, L. (2001). Random forests. Machine Learning 45.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from mlcourse.classical.nodes import importances
from mlcourse.classical.trees import TreeEstimator

TOGETHER = 1 << 16  # rows of all trees that are grown at once


class Forest(TreeEstimator):
    """What forests for classes and forests for numbers share."""

    def __init__(
        self,
        n_estimators=100,
        criterion="squares",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        bootstrap=True,
        categorical_features=None,
        random_state=None,
    ):
        super().__init__(
            criterion, max_depth, min_samples_split, min_samples_leaf, max_features, categorical_features, random_state
        )
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap

    def _fit_forest(self, X, y, k):
        self._check_integer("n_estimators")
        grower, n = self._grower(X, y, k, None), len(X)
        together = max(1, TOGETHER // n)
        self.trees_ = []
        for first in range(0, self.n_estimators, together):
            trees = min(together, self.n_estimators - first)
            rows = np.tile(np.arange(n), (trees, 1))
            if self.bootstrap:  # drawn with replacement: a tree sees about 63 % of the rows
                rows = grower.rng.integers(0, n, (trees, n))
            self.trees_.append(grower.grow(rows))
        return self

    def _mean_value(self, X):
        """Return the mean over all trees of what their leaves say, (n, k)."""
        X = self._new_data(X)
        step = max(1, TOGETHER // self.n_estimators)
        blocks = [X[start : start + step] for start in range(0, len(X), step)]
        sums = [sum(trees.value[trees.leaves(block)].sum(axis=0) for trees in self.trees_) for block in blocks]
        return np.concatenate(sums) / self.n_estimators

    @property
    def feature_importances_(self):
        """The share of each feature in all that the cuts of all trees gain, (d,)."""
        return np.mean([importances(trees, self.n_features_in_) for trees in self.trees_], axis=0)


class RandomForestClassifier(ClassifierMixin, Forest):
    """Decision trees that differ because each sees other rows and may choose from other features; their shares are averaged.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    max_features : int, float, {"sqrt", "log2"}, optional
        How many features, drawn anew for every node, a cut may choose from.
    bootstrap : bool
        Whether each tree learns from as many rows as there are, drawn with replacement, or from all of them.
    criterion, max_depth, min_samples_split, min_samples_leaf, categorical_features
        Of each tree, as in `DecisionTreeClassifier`.
    random_state : int, RandomState or None
        Draws rows and features.

    Attributes
    ----------
    trees_ : list of Trees
        Each holds several trees that were grown together.
    classes_ : ndarray of shape (n_classes,)
    feature_importances_ : ndarray of shape (n_features,)
    n_features_in_ : int

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45.

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]], [0, 0, 0, 1, 1, 1]
    >>> RandomForestClassifier(20, random_state=0).fit(X, y).predict([[0.5], [8.5]])
    array([0, 1])
    """

    def __init__(
        self,
        n_estimators=100,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features="sqrt",
        bootstrap=True,
        categorical_features=None,
        random_state=None,
    ):
        super().__init__(
            n_estimators,
            criterion,
            max_depth,
            min_samples_split,
            min_samples_leaf,
            max_features,
            bootstrap,
            categorical_features,
            random_state,
        )

    def fit(self, X, y):
        """Grow the trees on `X` (n, d) and the classes `y` (n,)."""
        X, codes = self._training_classes(X, y)
        self._check_choice("criterion", ("gini", "entropy"))
        return self._fit_forest(X, codes, len(self.classes_))

    def predict_proba(self, X):
        """Return the mean of the trees' shares of each class, (n, n_classes)."""
        return self._mean_value(X)

    def predict(self, X):
        """Return the class with the largest mean share, (n,)."""
        share = self._mean_value(X)
        return self.classes_[share.argmax(axis=1)]


class RandomForestRegressor(RegressorMixin, Forest):
    """Regression trees that differ because each sees other rows; their predictions are averaged.

    Parameters
    ----------
    n_estimators, max_features, bootstrap, random_state
        As in `RandomForestClassifier`; by default a cut may choose from all features.
    criterion, max_depth, min_samples_split, min_samples_leaf, categorical_features
        Of each tree, as in `DecisionTreeRegressor`.

    Attributes
    ----------
    trees_ : list of Trees
        Each holds several trees that were grown together.
    feature_importances_ : ndarray of shape (n_features,)
    n_features_in_ : int

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45.

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]], [1.0, 1.0, 1.0, 5.0, 5.0, 5.0]
    >>> RandomForestRegressor(50, random_state=0).fit(X, y).predict([[0.0], [9.0]]).round(1)
    array([1. , 4.8])
    """

    def fit(self, X, y):
        """Grow the trees on `X` (n, d) and the target `y` (n,)."""
        X, y = self._training_data(X, y)
        self._check_choice("criterion", ("squares",))
        return self._fit_forest(X, y, 0)

    def predict(self, X):
        """Return the mean of the trees' predictions, (n,)."""
        return self._mean_value(X)[:, 0]
