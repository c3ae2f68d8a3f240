"""Decision trees (CART).

`Grower` (in `mlcourse.classical.growing`) grows them, `Trees` (in `mlcourse.classical.nodes`) is what is grown.

References
----------
Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees. Wadsworth.
"""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.utils import Bunch

from mlcourse.classical.base import Estimator
from mlcourse.classical.growing import Grower, Level
from mlcourse.classical.nodes import Trees, importances, prune, pruning_path

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor", "Grower", "Level", "SingleTree", "TreeEstimator", "Trees"]


class TreeEstimator(Estimator):
    """What trees for classes and trees for numbers share."""

    def __init__(
        self,
        criterion="squares",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        categorical_features=None,
        random_state=None,
    ):
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.categorical_features = categorical_features
        self.random_state = random_state

    def _grower(self, X, y, k, weight):
        """Return a grower with this estimator's parameters, checked."""
        self._check_integer("max_depth", optional=True)
        self._check_integer("min_samples_split", at_least=2)
        self._check_integer("min_samples_leaf")
        d = X.shape[1]
        return Grower(
            X,
            y,
            k,
            weight,
            {"gini": "squares"}.get(self.criterion, self.criterion),
            self.max_depth,
            self.min_samples_split,
            self.min_samples_leaf,
            self._count_of_features(d),
            self._categorical(d),
            self._random(),
        )

    def _count_of_features(self, d):
        named = {None: d, "sqrt": max(1, int(d**0.5)), "log2": max(1, int(np.log2(d)))}
        wanted = self.max_features
        if wanted is None or (isinstance(wanted, str) and wanted in named):
            return named[wanted]
        if isinstance(wanted, numbers.Integral) and not isinstance(wanted, bool) and wanted >= 1:
            return min(int(wanted), d)
        if isinstance(wanted, numbers.Real) and 0 < wanted <= 1:
            return max(1, int(wanted * d))
        self._refuse("max_features", "a positive integer, a share in (0, 1], 'sqrt', 'log2' or None")

    def _categorical(self, d):
        if self.categorical_features is None:
            return ()
        chosen = np.atleast_1d(self.categorical_features)
        if chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= d:
            self._refuse("categorical_features", f"column numbers from 0 to {d - 1}, or None")
        return tuple(np.unique(chosen).tolist())


class SingleTree(TreeEstimator):
    """A tree grown on all rows."""

    def __init__(
        self,
        criterion="squares",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        categorical_features=None,
        random_state=None,
        ccp_alpha=0.0,
    ):
        super().__init__(
            criterion, max_depth, min_samples_split, min_samples_leaf, max_features, categorical_features, random_state
        )
        self.ccp_alpha = ccp_alpha

    def _fit_tree(self, X, y, k, sample_weight):
        weight = None
        if sample_weight is not None:
            weight = self._sample_weight(X, sample_weight)
            X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
        self._check_between("ccp_alpha", 0, np.inf)
        tree = self._grower(X, y, k, weight).grow(np.arange(len(X))[None])
        self.tree_ = prune(tree, self.ccp_alpha) if self.ccp_alpha else tree
        self.max_features_ = self._count_of_features(X.shape[1])
        return self

    def apply(self, X):
        """Return the number of the leaf, (n,), where each row of `X` arrives."""
        X = self._new_data(X)
        return self.tree_.leaves(X)[0]

    @property
    def feature_importances_(self):
        """The share of each feature in all that the cuts gain, (d,)."""
        return importances(self.tree_, self.n_features_in_)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """Return the values of `ccp_alpha` at which branches of the whole tree fall off, and the impurity that is left at each.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)
        sample_weight : array_like of shape (n,), optional

        Returns
        -------
        Bunch with ``ccp_alphas`` and ``impurities``, ndarrays of shape (m,)
        """
        whole = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight)
        return Bunch(**dict(zip(("ccp_alphas", "impurities"), pruning_path(whole.tree_), strict=True)))

    def get_depth(self):
        """Return the largest number of cuts that a row passes."""
        return int(self.tree_.depth.max())

    def get_n_leaves(self):
        """Return the number of leaves."""
        return int((self.tree_.feature < 0).sum())


class DecisionTreeClassifier(ClassifierMixin, SingleTree):
    """A tree of questions, each chosen so that the two answers divide the classes as well as one question can.

    Parameters
    ----------
    criterion : {"gini", "entropy"}
        What a cut lowers: the chance that two rows of a node differ in class, or the uncertainty of the class.
    max_depth : int, optional
        Most questions in a row; None asks until the leaves are pure.
    min_samples_split : int
        Nodes with fewer rows are leaves.
    min_samples_leaf : int
        No leaf has fewer rows.
    max_features : int, float, {"sqrt", "log2"}, optional
        How many features, drawn at random, each node may choose from: a number, or a share of all. None: all.
    categorical_features : array_like of int, optional
        Columns whose values are names, not sizes; a question about them is whether the value belongs to a set.
    random_state : int, RandomState or None
        Draws the features; without `max_features` nothing is random, and of equally good cuts the first is taken.
    ccp_alpha : float
        The price of a leaf: branches whose cuts lower the impurity of all rows by less than this, on average, are pruned.

    Attributes
    ----------
    tree_ : Trees
    classes_ : ndarray of shape (n_classes,)
    feature_importances_ : ndarray of shape (n_features,)
    n_features_in_ : int

    References
    ----------
    Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees. Wadsworth.

    Examples
    --------
    >>> X, y = [[1.0, 0.0], [2.0, 1.0], [4.0, 0.0]], ["low", "low", "high"]
    >>> tree = DecisionTreeClassifier().fit(X, y)
    >>> print(tree.tree_.feature[0], tree.tree_.threshold[0], tree.predict([[9.0, 1.0]]))
    0 3.0 ['high']
    """

    def __init__(
        self,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        categorical_features=None,
        random_state=None,
        ccp_alpha=0.0,
    ):
        super().__init__(
            criterion,
            max_depth,
            min_samples_split,
            min_samples_leaf,
            max_features,
            categorical_features,
            random_state,
            ccp_alpha,
        )

    def fit(self, X, y, sample_weight=None):
        """Grow the tree on `X` (n, d) and the classes `y` (n,)."""
        X, codes = self._training_classes(X, y)
        self._check_choice("criterion", ("gini", "entropy"))
        return self._fit_tree(X, codes, len(self.classes_), sample_weight)

    def predict_proba(self, X):
        """Return the share of each class in the leaf of each row, (n, n_classes)."""
        leaf = self.apply(X)
        return self.tree_.value[leaf]

    def predict(self, X):
        """Return the most frequent class of the leaf of each row, (n,)."""
        share = self.predict_proba(X).round(12)  # shares that differ by rounding tie, and the first class wins
        return self.classes_[share.argmax(axis=1)]


class DecisionTreeRegressor(RegressorMixin, SingleTree):
    """A tree of questions, each chosen so that the target varies as little as possible among rows with the same answer.

    Parameters
    ----------
    criterion : {"squares"}
        The squared distance from the mean of the leaf.
    max_depth, min_samples_split, min_samples_leaf, max_features, categorical_features, random_state, ccp_alpha
        As in `DecisionTreeClassifier`.

    Attributes
    ----------
    tree_ : Trees
    feature_importances_ : ndarray of shape (n_features,)
    n_features_in_ : int

    References
    ----------
    Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees. Wadsworth.

    Examples
    --------
    >>> tree = DecisionTreeRegressor(max_depth=1).fit([[1.0], [2.0], [4.0]], [10.0, 12.0, 30.0])
    >>> tree.predict([[0.0], [9.0]])
    array([11., 30.])
    """

    def fit(self, X, y, sample_weight=None):
        """Grow the tree on `X` (n, d) and the target `y` (n,)."""
        X, y = self._training_data(X, y)
        self._check_choice("criterion", ("squares",))
        return self._fit_tree(X, y, 0, sample_weight)

    def predict(self, X):
        """Return the mean target of the leaf of each row, (n,)."""
        leaf = self.apply(X)
        return self.tree_.value[leaf, 0]
