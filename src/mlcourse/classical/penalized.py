"""Linear regression with a price on large coefficients: ridge and lasso.

References
----------
Hoerl, A. and Kennard, R. (1970). Ridge regression: biased estimation for nonorthogonal problems. Technometrics 12.
Tibshirani, R. (1996). Regression shrinkage and selection via the lasso. Journal of the Royal Statistical Society B 58.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator
from mlcourse.classical.linear_model import center, solve_small


class Penalized(RegressorMixin, Estimator):
    """What both share: centering takes care of the intercept, which costs nothing."""

    def fit(self, X, y):
        """Learn ``coef_`` and ``intercept_`` from `X` of shape (n, d) and `y` of shape (n,)."""
        X, y = self._training_data(X, y)
        self._check_between("alpha", 0, np.inf)
        X_mean, y_mean = np.zeros(X.shape[1]), 0.0
        if self.fit_intercept:
            (X, X_mean), (y, y_mean) = center(X), center(y)
        self.coef_ = self._solve(X, y)
        self.intercept_ = float(y_mean - X_mean @ self.coef_)
        return self

    def predict(self, X):
        """Return the predictions, of shape (n,), for `X` of shape (n, d)."""
        X = self._new_data(X)
        return X @ self.coef_ + self.intercept_


class Ridge(Penalized):
    """Least squares plus ``alpha ‖coef‖²``: it shrinks all coefficients, those of poorly determined directions most.

    Parameters
    ----------
    alpha : float
        The price; 0 for least squares.
    fit_intercept : bool

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    n_features_in_ : int

    References
    ----------
    Hoerl, A. and Kennard, R. (1970). Ridge regression: biased estimation for nonorthogonal problems. Technometrics 12.

    Examples
    --------
    >>> Ridge(alpha=2.0).fit([[-1.0], [0.0], [1.0]], [-4.0, 0.0, 4.0]).coef_
    array([2.])
    """

    def __init__(self, alpha=1.0, fit_intercept=True):
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def _solve(self, X, y):
        n, d = X.shape
        if self.alpha == 0:
            return solve_small(X, y, X.shape)
        if d <= n:
            return np.linalg.solve(X.T @ X + self.alpha * np.eye(d), X.T @ y)
        return X.T @ np.linalg.solve(X @ X.T + self.alpha * np.eye(n), y)  # the same, from the smaller square


class Lasso(Penalized):
    """Least squares plus a price on the sum of the coefficients' sizes, which makes many of them exactly zero.

    It minimizes ``‖y - X coef‖² / (2 n) + alpha Σ |coef|``, one coefficient at a time.

    Parameters
    ----------
    alpha : float
        The price.
    fit_intercept : bool
    max_iter : int
        Most rounds through all coefficients.
    tol : float
        Stop when the loss is certain to be within `tol` times ``‖y‖² / n`` of the least possible one (the duality gap).

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    n_iter_ : int
    dual_gap_ : float
    n_features_in_ : int

    References
    ----------
    Tibshirani, R. (1996). Regression shrinkage and selection via the lasso. Journal of the Royal Statistical Society B 58.
    Friedman, J., Hastie, T. and Tibshirani, R. (2010). Regularization paths for generalized linear models via coordinate descent.
    Journal of Statistical Software 33.

    Examples
    --------
    >>> Lasso(alpha=1.0).fit([[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [-4.0, 1.0, 4.0]).coef_
    array([2.5, 0. ])
    """

    def __init__(self, alpha=1.0, fit_intercept=True, max_iter=1000, tol=1e-4):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def _solve(self, X, y):
        self._check_integer("max_iter")
        self._check_between("tol", 0, np.inf)
        n, d = X.shape
        price, w = self.alpha * n, np.zeros(d)
        gram, slope = X.T @ X, X.T @ y  # slope: Xᵀ(y - Xw), kept up to date
        for turn in range(1, self.max_iter + 1):
            self.n_iter_ = turn
            for j in np.flatnonzero(gram.diagonal() > 0):
                wanted = slope[j] + gram[j, j] * w[j]  # what w[j] would be without a price, times gram[j, j]
                new = np.sign(wanted) * max(abs(wanted) - price, 0) / gram[j, j]
                if new != w[j]:
                    slope -= gram[j] * (new - w[j])
                    w[j] = new
            self.dual_gap_ = duality_gap(X, y, w, price) / n
            if self.dual_gap_ <= self.tol * (y @ y) / n:
                return w
        warnings.warn(
            f"Lasso: not converged after max_iter={self.max_iter} rounds; raise max_iter, alpha or tol, or scale the features",
            ConvergenceWarning,
            stacklevel=3,
        )
        return w


def duality_gap(X, y, w, price):
    """Return an upper bound of how far ``½‖y - Xw‖² + price Σ|w|`` lies above its minimum.

    The residual, shrunk until no feature's product with it exceeds the price, is a point of the dual problem.
    """
    residual = y - X @ w
    steepest = abs(X.T @ residual).max(initial=0)
    shrink = min(1.0, price / steepest) if steepest > 0 else 1.0
    dual = shrink * residual
    return 0.5 * residual @ residual + price * abs(w).sum() - 0.5 * (y @ y - (y - dual) @ (y - dual))
