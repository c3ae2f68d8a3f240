"""Logistic regression, binary and softmax, by Newton's method.

References
----------
Cox, D. (1958). The regression analysis of binary sequences. Journal of the Royal Statistical Society B 20.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator


class LogisticRegression(ClassifierMixin, Estimator):
    """Probabilities of classes whose logarithms are, up to a constant, linear functions of the features.

    It minimizes ``C Σ -log p(class of the row) + ½ ‖coef‖²``; the intercepts cost nothing.

    Parameters
    ----------
    C : float
        The larger, the weaker the pull of the coefficients towards zero.
    fit_intercept : bool
    tol : float
        Stop when no entry of the gradient, divided by C and the number of rows, is larger.
    max_iter : int
        Most steps of Newton's method; it rarely needs ten.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        For two classes one line, which speaks for the second; for more a line for each.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
    n_features_in_ : int

    References
    ----------
    Cox, D. (1958). The regression analysis of binary sequences. Journal of the Royal Statistical Society B 20.

    Examples
    --------
    >>> model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> print(model.predict([[0.5], [2.5]]), model.predict_proba([[1.5]]).round(3))
    [0 1] [[0.5 0.5]]
    """

    def __init__(self, C=1.0, fit_intercept=True, tol=1e-8, max_iter=100):
        self.C = C
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X, y):
        """Learn the coefficients from `X` (n, d) and the classes `y` (n,)."""
        X, codes = self._training_classes(X, y, at_least=2)
        self._check_positive("C")
        self._check_positive("tol")
        self._check_integer("max_iter")
        k = 1 if len(self.classes_) == 2 else len(self.classes_)
        target = codes[:, None] == (np.arange(k) if k > 1 else [1])  # (n, k)
        A = np.hstack([X, np.ones((len(X), 1))]) if self.fit_intercept else X
        W = self._newton(A, target.astype(float))
        d = X.shape[1]
        self.coef_, self.intercept_ = W[:, :d].copy(), W[:, d].copy() if self.fit_intercept else np.zeros(k)
        return self

    def decision_function(self, X):
        """Return the linear functions, (n,) for two classes, (n, n_classes) for more."""
        X = self._new_data(X)
        values = X @ self.coef_.T + self.intercept_
        return values[:, 0] if values.shape[1] == 1 else values

    def predict_proba(self, X):
        """Return the probability of each class, (n, n_classes)."""
        values = self.decision_function(X)
        return probabilities(np.column_stack([np.zeros(len(values)), values]) if values.ndim == 1 else values)

    def predict(self, X):
        """Return the most probable class, (n,)."""
        values = self.decision_function(X)
        best = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        return self.classes_[best]

    def _newton(self, A, target):
        """Return the weights, (k, columns of A): step to the minimum of the quadratic that touches the loss, until the slope is zero."""
        k, n = target.shape[1], len(A)
        W, penalty = np.zeros((k, A.shape[1])), np.ones(A.shape[1]) / self.C
        penalty[A.shape[1] - self.fit_intercept :] = 0
        loss, P = self._loss(A, target, W, penalty)
        for step in range(self.max_iter + 1):
            self.n_iter_ = step
            gradient = (P - target).T @ A + penalty * W  # (k, columns)
            if abs(gradient).max() <= self.tol * n:
                return W
            direction = newton_direction(A, P, gradient, penalty)
            size = 1.0
            while size > 1e-10:  # the quadratic may promise too much
                new_loss, new_P = self._loss(A, target, W - size * direction, penalty)
                if new_loss <= loss - 1e-4 * size * (gradient * direction).sum():
                    break
                size /= 2
            else:
                return W  # no smaller loss can be told from rounding errors
            W, loss, P = W - size * direction, new_loss, new_P
        warnings.warn(
            f"LogisticRegression: not converged after max_iter={self.max_iter} steps; raise max_iter, or lower C",
            ConvergenceWarning,
            stacklevel=3,
        )
        return W

    def _loss(self, A, target, W, penalty):
        """Return the loss and the probabilities, (n, k)."""
        Z = A @ W.T
        cost = 0.5 * (penalty * W * W).sum()
        if Z.shape[1] == 1:
            growth = np.exp(-abs(Z))
            P = np.where(Z >= 0, 1, growth) / (1 + growth)
            return cost + (np.maximum(Z, 0) - target * Z + np.log1p(growth)).sum(), P
        Z -= Z.max(axis=1, keepdims=True)
        total = np.exp(Z).sum(axis=1, keepdims=True)
        return cost + np.log(total).sum() - (target * Z).sum(), np.exp(Z) / total


def newton_direction(A, P, gradient, penalty):
    """Return Hessian⁻¹ gradient, (k, columns); the Hessian is ``AᵀDA`` with ``D = P(δ - P)``, plus the penalty.

    Up to `DIRECT` unknowns the Hessian is built and solved; beyond, conjugate gradients need its products alone.

    References
    ----------
    Hestenes, M. and Stiefel, E. (1952). Methods of conjugate gradients for solving linear systems. Journal of Research of the
    National Bureau of Standards 49.
    """
    k, columns = gradient.shape
    if k * columns > DIRECT:
        return conjugate_gradients(lambda V: curvature(A, P, V) + penalty * V, gradient)
    H = np.zeros((k, columns, k, columns))
    for i in range(k):
        for j in range(i + 1):
            weight = P[:, i] * ((i == j) - P[:, j])
            H[i, :, j] = H[j, :, i] = (A * weight[:, None]).T @ A
    H = H.reshape(k * columns, -1)
    H[np.diag_indices(k * columns)] += np.tile(penalty, k) + 1e-12 * (1 + np.trace(H) / len(H))
    return np.linalg.solve(H, gradient.ravel()).reshape(k, columns)


DIRECT = 600


def curvature(A, P, V):
    """Return the Hessian of the log-likelihood times `V`, (k, columns)."""
    Z = A @ V.T
    PZ = P * Z
    return (PZ - P * PZ.sum(axis=1, keepdims=True)).T @ A if P.shape[1] > 1 else (PZ * (1 - P)).T @ A


def conjugate_gradients(product, b, steps=200):
    """Return x with ``product(x) ≈ b``, to a hundred-thousandth of the length of `b`."""
    x, rest = np.zeros_like(b), b.copy()
    way, square = rest.copy(), (rest * rest).sum()
    goal = 1e-10 * square
    for _ in range(steps):
        if square <= goal:
            break
        image = product(way)
        step = square / (way * image).sum()
        x += step * way
        rest -= step * image
        before, square = square, (rest * rest).sum()
        way = rest + square / before * way
    return x


def probabilities(values):
    """Return the softmax of each line."""
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)
