"""What a least-squares fit with an intercept says about itself: standard errors, leverage, influence, collinearity."""

from __future__ import annotations

import numpy as np

from mlcourse.shapes import as_numbers, check_shapes


def leverage(X):
    """Return how strongly each row pulls its own prediction: the diagonal of the hat matrix.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Features, without the column of ones. With the ones, the columns must be independent.

    Returns
    -------
    ndarray of shape (n,)
        Values from 1/n to 1; their sum is ``d + 1``.

    Raises
    ------
    ValueError
        If columns are linearly dependent, or there are fewer than ``d + 1`` rows.

    Examples
    --------
    >>> leverage([[0.0], [1.0], [2.0]]).round(3)
    array([0.833, 0.333, 0.833])
    """
    Q, _ = np.linalg.qr(_design_matrix("leverage", X))  # (n, d + 1); the hat matrix is Q Qᵀ
    return (Q**2).sum(axis=1)


def cooks_distance(X, y):
    """Return how far all predictions move when a row is left out, in units of the noise.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Features, without the column of ones.
    y : array_like of shape (n,)
        n must be at least ``d + 2``.

    Returns
    -------
    ndarray of shape (n,)
        Infinite for a row of leverage 1: without it the fit is not determined.

    References
    ----------
    Cook, R. D. (1977). Detection of influential observation in linear regression. Technometrics 19(1).

    Examples
    --------
    >>> cooks_distance([[0.0], [1.0], [2.0], [9.0]], [0.0, 1.0, 2.0, 4.0]).round(2)
    array([ 0.53,  0.  ,  0.29, 32.33])
    """
    residual, variance, Z = _fit("cooks_distance", X, y)
    h = leverage(X)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = residual**2 * h / (Z.shape[1] * variance * (1 - h) ** 2)
    return np.where(1 - h > 1e-12, distance, np.inf)


def standard_errors(X, y):
    """Return the estimated standard deviation of the intercept and of each coefficient.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Features, without the column of ones.
    y : array_like of shape (n,)
        n must be at least ``d + 2``.

    Returns
    -------
    ndarray of shape (d + 1,)
        The intercept first. They hold if errors are independent and have the same variance.

    Examples
    --------
    >>> standard_errors([[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0]).round(3)
    array([0.373, 0.289])
    """
    _, variance, Z = _fit("standard_errors", X, y)
    R = np.linalg.qr(Z, mode="r")
    inverse = np.linalg.inv(R)  # (ZᵀZ)⁻¹ = R⁻¹ R⁻ᵀ
    return np.sqrt(variance * (inverse**2).sum(axis=1))


def variance_inflation(X):
    """Return by what factor the other columns inflate the variance of each coefficient.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Features, without the column of ones.

    Returns
    -------
    ndarray of shape (d,)
        At least 1; equal to 1 for a column uncorrelated with all others.

    Examples
    --------
    >>> variance_inflation([[1.0, 1.0], [2.0, 2.0], [3.0, 2.0], [4.0, 4.0]]).round(2)
    array([6.79, 6.79])
    """
    _design_matrix("variance_inflation", X)
    correlation = np.corrcoef(np.asarray(X, float), rowvar=False).reshape(np.shape(X)[1], -1)
    return np.diag(np.linalg.inv(correlation))


def _design_matrix(where, X):
    X = as_numbers(where, "X", X, "n d")
    n, d = X.shape
    Z = np.column_stack([np.ones(n), X])
    if np.linalg.matrix_rank(Z / np.maximum(np.linalg.norm(Z, axis=0), np.finfo(float).tiny)) < d + 1:
        raise ValueError(
            f"{where}: with the column of ones, the {d + 1} columns of X {X.shape} must be linearly independent; "
            "drop constant or redundant columns, or bring more rows"
        )
    return Z


def _fit(where, X, y):
    """Residuals, the estimate of the noise's variance, and the design matrix."""
    Z, y = _design_matrix(where, X), as_numbers(where, "y", y, "n")
    check_shapes(where, X=(X, "n d"), y=(y, "n"))
    n, p = Z.shape
    if n <= p:
        raise ValueError(f"{where}: needs more rows than parameters to see the noise; got {n} rows for {p} parameters")
    Q, _ = np.linalg.qr(Z)
    residual = y - Q @ (Q.T @ y)
    return residual, residual @ residual / (n - p), Z
