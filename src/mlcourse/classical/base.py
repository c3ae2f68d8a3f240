"""What every estimator of this part shares: checks of data and parameters, so that a class body is the algorithm."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from mlcourse.shapes import check_shapes


class Estimator(BaseEstimator):
    """A scikit-learn estimator that checks its data with scikit-learn's own words and error types.

    A subclass writes ``fit`` and ``predict`` (or ``transform``), begins the first with `_training_data`, `_training_classes` or
    `_training_table` and the second with `_new_data`, and mixes in what it is, such as `sklearn.base.RegressorMixin`, before this class.
    """

    def _training_data(self, X, y):
        """Return finite float arrays of shapes (n, d) and (n,); remember ``n_features_in_`` and ``feature_names_in_``."""
        X, y = self._validated(X, y, y_numeric=True)
        return X, y.astype(np.float64, copy=False)

    def _training_classes(self, X, y, at_least=1):
        """Return a finite float array (n, d) and the classes as numbers 0, 1, …, (n,); remember the classes in ``classes_``."""
        X, y = self._validated(X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < at_least:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least {at_least} classes; all {len(y)} values of y are "
                f"{self.classes_[0]!r}, one class. Was the data sorted by class before it was split?"
            )
        return X, codes

    def _training_table(self, X, **checks):
        """Return a finite float array of shape (n, d), for an estimator that learns without a target."""
        return self._validated(X, **checks)

    def _new_data(self, X):
        """Return a float array with as many columns as ``fit`` saw; raise NotFittedError before ``fit``."""
        check_is_fitted(self)
        return self._validated(X, reset=False)

    def _sample_weight(self, X, sample_weight):
        """Return weights of shape (n,), none negative, not all zero; ones for None."""
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.any():
            raise ValueError(f"{type(self).__name__}: all sample weights are zero; at least one must be positive")
        return weight

    def _random(self):
        """Return the source of random numbers that ``random_state`` names."""
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))

    def _validated(self, X, y="no_validation", reset=True, **checks):
        try:
            return validate_data(self, X, y, dtype=np.float64, reset=reset, **checks)
        except ValueError as error:
            self._explain_shapes(X, y, reset, error)
            raise

    def _explain_shapes(self, X, y, reset, error):
        """Raise a ShapeError that shows the axes, if they are to blame for scikit-learn's error."""
        name = type(self).__name__
        try:
            np.shape(X), np.shape(y)
        except ValueError:  # rows of different lengths: scikit-learn's words are clear
            return
        if not reset:
            cause = "prepare new data exactly as the data that fit saw: the same columns in the same order"
            check_shapes(name, hint=f"{error} ({cause})", X=(X, f"samples {self.n_features_in_}"))
            return
        arrays = {"X": (X, "samples features")}
        if y is not None and not isinstance(y, str):
            arrays["y"] = (y, "samples _" if np.ndim(y) == 2 else "samples")
        cause = "rows of X are samples, and y has one value for each; were they filtered or split separately?"
        check_shapes(name, hint=f"{error} ({cause})", **arrays)

    def _check_choice(self, name, choices):
        value = getattr(self, name)
        if not isinstance(value, str) or value not in choices:
            self._refuse(name, " or ".join(map(repr, choices)))

    def _check_positive(self, name, kind=numbers.Real, optional=False):
        value = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 < value < np.inf:
            wanted = "a positive integer" if kind is numbers.Integral else "a positive number"
            self._refuse(name, wanted + " or None" * optional)

    def _check_integer(self, name, at_least=1, optional=False):
        value = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
            self._refuse(name, f"an integer of at least {at_least}" + " or None" * optional)

    def _check_between(self, name, low, high):
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not low <= value <= high:
            self._refuse(name, f"a number from {low} to {high}")

    def _refuse(self, name, wanted):
        raise ValueError(f"{type(self).__name__}: {name} must be {wanted}; got {getattr(self, name)!r}")
