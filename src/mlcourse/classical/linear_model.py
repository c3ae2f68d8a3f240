"""Linear models, from scratch."""

from __future__ import annotations

import numbers
import warnings

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator


class LinearRegression(RegressorMixin, Estimator):
    """Least squares: the linear function of the features with the smallest mean squared error.

    Parameters
    ----------
    fit_intercept : bool
        False forces the prediction for a row of zeros to be zero.
    solver : {"qr", "normal", "gradient"}
        ``"qr"`` is accurate and the default. ``"normal"`` solves the normal equations: fastest for many rows, with half the
        correct digits where columns are nearly dependent. ``"gradient"`` is gradient descent from zero, with a history.
        All three lead to the shortest of all best coefficient vectors where columns are linearly dependent.
    learning_rate : float, optional
        Step size of ``"gradient"``. It must be below ``2 / λmax``, with ``λmax`` the largest eigenvalue of ``2 XᵀX / n`` (``X`` centered
        if an intercept is fitted); None takes ``1 / λmax``.
    max_iter : int
        Steps of ``"gradient"``, at most.
    tol : float
        ``"gradient"`` stops when the gradient's norm is below `tol` times ``2 ‖X‖ ‖y‖ / n``, the largest it could be at the start.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if ``X`` was a table with column names.
    n_iter_ : int
        Steps taken; 1 for the direct solvers.
    loss_history_ : ndarray of shape (n_iter_ + 1,)
        Only for ``"gradient"``: the mean squared error at zero and after each step.

    References
    ----------
    Golub, G. (1965). Numerical methods for solving linear least squares problems. Numerische Mathematik 7.

    Examples
    --------
    >>> X, y = [[1.0], [2.0], [3.0]], [3.0, 5.0, 7.0]
    >>> model = LinearRegression().fit(X, y)
    >>> print(model.coef_.round(6), round(model.intercept_, 6))
    [2.] 1.0
    >>> model.predict([[10.0]]).round(6)
    array([21.])
    """

    def __init__(self, fit_intercept=True, solver="qr", learning_rate=None, max_iter=10_000, tol=1e-8):
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X, y):
        """Learn ``coef_`` and ``intercept_`` from `X` of shape (n, d) and `y` of shape (n,)."""
        X, y = self._training_data(X, y)
        self._check_choice("solver", ("qr", "normal", "gradient"))
        X_mean, y_mean = np.zeros(X.shape[1]), 0.0
        if self.fit_intercept:  # centered data need no intercept
            (X, X_mean), (y, y_mean) = center(X), center(y)
        self.coef_ = getattr(self, f"_solve_{self.solver}")(X, y)
        self.intercept_ = float(y_mean - X_mean @ self.coef_)
        return self

    def predict(self, X):
        """Return the predictions, of shape (n,), for `X` of shape (n, d)."""
        X = self._new_data(X)
        return X @ self.coef_ + self.intercept_

    def _solve_qr(self, X, y):
        self.n_iter_ = 1
        d = X.shape[1]
        R = triangle(X, y)  # of X, and Qᵀy in the last column
        return solve_small(R[:d, :d], R[:d, d], X.shape)

    def _solve_normal(self, X, y):
        self.n_iter_ = 1
        return solve_small(X.T @ X, X.T @ y, X.shape)

    def _solve_gradient(self, X, y):
        step, n = self._step_size(X), len(y)
        small = self.tol * 2 / n * np.linalg.norm(X) * np.linalg.norm(y)
        coef = np.zeros(X.shape[1])
        error, losses = -y, [y @ y / n]
        for _ in range(self.max_iter):
            gradient = 2 / n * (X.T @ error)  # (d,)
            coef -= step * gradient
            error = X @ coef - y  # (n,)
            losses.append(error @ error / n)
            if np.linalg.norm(gradient) <= small:
                break
        else:
            self._warn_not_converged()
        self.loss_history_, self.n_iter_ = np.array(losses), len(losses) - 1
        return coef

    def _step_size(self, X):
        self._check_positive("max_iter", numbers.Integral)
        self._check_positive("tol")
        self._check_positive("learning_rate", optional=True)
        largest = np.linalg.eigvalsh(X.T @ X)[-1] * 2 / len(X)
        if self.learning_rate is None:
            return 1 / largest if largest > 0 else 1.0
        if self.learning_rate * largest >= 2:
            raise ValueError(
                f"LinearRegression: learning_rate={self.learning_rate} diverges on these data; it must be below "
                f"2 / λmax = {2 / largest:.3g}. Scale the columns (StandardScaler), or pass a smaller one"
            )
        return self.learning_rate

    def _warn_not_converged(self):
        warnings.warn(
            f"LinearRegression: gradient descent had not converged after max_iter={self.max_iter} steps; "
            "scale the columns (StandardScaler) or raise max_iter",
            ConvergenceWarning,
            stacklevel=4,
        )


def center(values):
    """Subtract the mean of each column; return the centered values and the means.

    The mean is computed around the first row, so that a constant column becomes exactly zero, not a column of rounding errors.

    Parameters
    ----------
    values : ndarray of shape (n,) or (n, d)

    Returns
    -------
    centered : ndarray, as `values`
    mean : ndarray of shape () or (d,)

    Examples
    --------
    >>> center(np.full(3, 0.1))[0]
    array([0., 0., 0.])
    """
    first = values[0]
    values = values - first
    rest = values.mean(axis=0)
    values -= rest
    return values, first + rest


def triangle(X, y, rows=1000):
    """Return R of a QR decomposition of `X` with `y` as one more column, made from blocks of rows that stay in the processor's cache.

    If ``A = Q₁ R₁`` and ``B = Q₂ R₂``, then A stacked on B has the same R as R₁ stacked on R₂, which is much shorter.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    rows : int
        Of a block; raised to ``4 d`` for wide tables.

    Returns
    -------
    ndarray of shape (min(n, d + 1), d + 1)
        Upper triangular; its rows are unique up to their signs if the columns are independent.

    References
    ----------
    Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal parallel and sequential QR and LU factorizations.
    SIAM Journal on Scientific Computing 34(1).

    Examples
    --------
    >>> abs(triangle(np.array([[3.0], [4.0]]), np.array([0.0, 5.0]))).round(6)
    array([[5., 4.],
           [0., 3.]])
    """
    rows = max(rows, 4 * X.shape[1])
    starts = range(0, len(X), rows)
    blocks = (np.column_stack([X[start : start + rows], y[start : start + rows]]) for start in starts)
    R = [np.linalg.qr(block, mode="r") for block in blocks]
    return R[0] if len(R) == 1 else np.linalg.qr(np.vstack(R), mode="r")


def solve_small(A, b, shape):
    """Return the shortest `w` that makes ``A w`` come closest to `b`.

    Where columns of a table of the given shape are dependent, rounding leaves singular values of about ``max(shape) * eps`` times
    the largest instead of zeros; those below it are taken for zeros, as `numpy.linalg.lstsq` does.

    Parameters
    ----------
    A : ndarray of shape (r, d)
        Small: R of a QR decomposition, or XᵀX.
    b : ndarray of shape (r,)
    shape : tuple of int
        The shape of the table that `A` was made from.

    Returns
    -------
    ndarray of shape (d,)

    Examples
    --------
    >>> solve_small(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([2.0, 0.0]), (5, 2)).round(6)
    array([1., 1.])
    """
    return np.linalg.lstsq(A, b, rcond=max(shape) * np.finfo(float).eps)[0]
