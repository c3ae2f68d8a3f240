"""Naive Bayes: Bayes' rule, as if the features of a row were independent within its class.

References
----------
Maron, M. (1961). Automatic indexing: an experimental inquiry. Journal of the ACM 8.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_non_negative

from mlcourse.classical.base import Estimator


class NaiveBayes(ClassifierMixin, Estimator):
    """What both kinds share: a class is scored by ``log P(class) + Σ log P(feature | class)``."""

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class, (n, n_classes)."""
        score = self._scores(self._new_data(X))
        score -= score.max(axis=1, keepdims=True)
        return score - np.log(np.exp(score).sum(axis=1, keepdims=True))

    def predict_proba(self, X):
        """Return the probability of each class, (n, n_classes)."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Return the most probable class of each row, (n,)."""
        X = self._new_data(X)
        return self.classes_[self._scores(X).argmax(axis=1)]

    def _members(self, codes):
        """Return the table of zeros and ones, (n_classes, n), that says which row has which class."""
        return (codes == np.arange(len(self.classes_))[:, None]).astype(float)


class GaussianNB(NaiveBayes):
    """Within a class, every feature is normally distributed.

    Parameters
    ----------
    var_smoothing : float
        This share of the largest variance of a feature is added to all variances, so that none is zero.

    Attributes
    ----------
    theta_, var_ : ndarray of shape (n_classes, n_features)
        Means and variances.
    class_count_, class_prior_ : ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    John, G. and Langley, P. (1995). Estimating continuous distributions in Bayesian classifiers. UAI.

    Examples
    --------
    >>> model = GaussianNB().fit([[0.0], [2.0], [7.0], [9.0]], [0, 0, 1, 1])
    >>> print(model.theta_[:, 0], model.var_[:, 0].round(3), model.predict([[3.0]]))
    [1. 8.] [1. 1.] [0]
    """

    def __init__(self, var_smoothing=1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y):
        """Learn means and variances from `X` (n, d) and the classes `y` (n,)."""
        X, codes = self._training_classes(X, y)
        self._check_between("var_smoothing", 0, np.inf)
        members = self._members(codes)
        self.class_count_ = members.sum(axis=1)
        self.class_prior_ = self.class_count_ / len(X)
        self._origin = X.mean(axis=0)
        X = X - self._origin
        means = members @ X / self.class_count_[:, None]
        self.theta_ = means + self._origin
        smallest = self.var_smoothing * (X * X).mean(axis=0).max()
        X -= means[codes]
        X *= X
        if smallest == 0 and not X.any():
            smallest = 1.0  # nothing varies: any variance says the same
        self.var_ = members @ X / self.class_count_[:, None] + smallest
        if not (self.var_ > 0).all():
            raise ValueError(
                "GaussianNB: with var_smoothing=0, a feature that does not vary within a class has an infinite density there; "
                "drop constant features or raise var_smoothing"
            )
        return self

    def _scores(self, X):
        """Expand ``(x - μ)²``, and the sum over the features is two matrix products."""
        X, mean = X - self._origin, self.theta_ - self._origin
        score = (X * X) @ (-0.5 / self.var_).T
        score += X @ (mean / self.var_).T
        score += np.log(self.class_prior_) - 0.5 * (np.log(2 * np.pi * self.var_) + mean**2 / self.var_).sum(axis=1)
        return score


class MultinomialNB(NaiveBayes):
    """Features are counts, such as words of a text; each class draws them with probabilities of its own.

    Parameters
    ----------
    alpha : float
        Added to every count, so that what a class has never shown is not impossible.
    fit_prior : bool
        Whether classes are as probable as they are frequent, or all alike.

    Attributes
    ----------
    feature_log_prob_ : ndarray of shape (n_classes, n_features)
    class_log_prior_ : ndarray of shape (n_classes,)
    feature_count_ : ndarray of shape (n_classes, n_features)
    class_count_ : ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    McCallum, A. and Nigam, K. (1998). A comparison of event models for naive Bayes text classification. AAAI Workshop.

    Examples
    --------
    >>> model = MultinomialNB().fit([[3, 0], [1, 1], [0, 4]], ["first", "first", "second"])
    >>> print(np.exp(model.feature_log_prob_).round(3).tolist(), model.predict([[0, 2]]))
    [[0.714, 0.286], [0.167, 0.833]] ['second']
    """

    def __init__(self, alpha=1.0, fit_prior=True):
        self.alpha = alpha
        self.fit_prior = fit_prior

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.classifier_tags.poor_score = True  # on scikit-learn's blobs, which are no counts
        return tags

    def fit(self, X, y):
        """Count in the rows of `X` (n, d), none negative, for each of the classes `y` (n,)."""
        X, codes = self._training_classes(X, y)
        check_non_negative(X, "MultinomialNB (input X)")
        self._check_positive("alpha")
        members = self._members(codes)
        self.class_count_, self.feature_count_ = members.sum(axis=1), members @ X
        smooth = self.feature_count_ + self.alpha
        self.feature_log_prob_ = np.log(smooth) - np.log(smooth.sum(axis=1, keepdims=True))
        share = self.class_count_ / len(X) if self.fit_prior else np.full(len(self.classes_), 1 / len(self.classes_))
        self.class_log_prior_ = np.log(share)
        return self

    def _scores(self, X):
        check_non_negative(X, "MultinomialNB (input X)")
        return X @ self.feature_log_prob_.T + self.class_log_prior_
