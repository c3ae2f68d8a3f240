"""What every estimator of this part shares: checks of data and parameters, so that a class body is the algorithm."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data


class Estimator(BaseEstimator):
    """A scikit-learn estimator that checks its data with scikit-learn's own words and error types.

    A subclass writes ``fit`` and ``predict`` (or ``transform``), begins the first with `_training_data` or `_training_table`
    and the second with `_new_data`, and mixes in what it is, such as `sklearn.base.RegressorMixin`, before this class.
    """

    def _training_data(self, X, y):
        """Return finite float arrays of shapes (n, d) and (n,); remember ``n_features_in_`` and ``feature_names_in_``."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        return X, y.astype(np.float64, copy=False)

    def _training_table(self, X):
        """Return a finite float array of shape (n, d), for an estimator that learns without a target."""
        return validate_data(self, X, dtype=np.float64)

    def _new_data(self, X):
        """Return a float array with as many columns as ``fit`` saw; raise NotFittedError before ``fit``."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False)

    def _check_choice(self, name, choices):
        value = getattr(self, name)
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{type(self).__name__}: {name} must be {' or '.join(map(repr, choices))}; got {value!r}")

    def _check_positive(self, name, kind=numbers.Real, optional=False):
        value = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 < value < np.inf:
            wanted = "a positive integer" if kind is numbers.Integral else "a positive number"
            wanted += " or None" if optional else ""
            raise ValueError(f"{type(self).__name__}: {name} must be {wanted}; got {value!r}")
