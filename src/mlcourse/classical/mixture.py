"""Gaussian mixtures, fitted by expectation and maximization in turns.

References
----------
Dempster, A., Laird, N. and Rubin, D. (1977). Maximum likelihood from incomplete data via the EM algorithm. Journal of the Royal Statistical
Society B 39.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import DensityMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator
from mlcourse.classical.kmeans import KMeans


class GaussianMixture(DensityMixin, Estimator):
    """Rows drawn from several normal distributions: each has a weight, a mean and a covariance, and each row a share in each of them.

    Parameters
    ----------
    n_components : int
    tol : float
        Stop when a turn raises the mean log-likelihood of a row by less than this.
    reg_covar : float
        Added to the variances, so that no component can collapse onto a point.
    max_iter : int
    means_init : array_like of shape (n_components, n_features), optional
        Start from these means, equal weights and the covariance of all rows; None starts from the clusters of `KMeans`.
    random_state : int, RandomState or None
        Draws the start of `KMeans`.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
    means_ : ndarray of shape (n_components, n_features)
    covariances_ : ndarray of shape (n_components, n_features, n_features)
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Mean log-likelihood of a row before the last turn.
    n_features_in_ : int

    References
    ----------
    Dempster, A., Laird, N. and Rubin, D. (1977). Maximum likelihood from incomplete data via the EM algorithm. Journal of the Royal
    Statistical Society B 39.

    Examples
    --------
    >>> model = GaussianMixture(2, random_state=0).fit([[0.0], [0.2], [0.4], [8.0], [9.0]])
    >>> print(np.sort(model.means_[:, 0]).round(3), np.sort(model.weights_).round(3))
    [0.2 8.5] [0.4 0.6]
    """

    def __init__(self, n_components=1, tol=1e-3, reg_covar=1e-6, max_iter=100, means_init=None, random_state=None):
        self.n_components = n_components
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.means_init = means_init
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn weights, means and covariances from `X` (n, d)."""
        X = self._training_table(X, ensure_min_samples=2)
        self._check_parameters(X)
        columns = np.ascontiguousarray(X.T)  # (d, n)
        self._start(X, columns)
        self.converged_, self.lower_bound_ = False, -np.inf
        for turn in range(1, self.max_iter + 1):
            self.n_iter_ = turn
            log_density = self._log_densities(columns)
            before, self.lower_bound_ = self.lower_bound_, float(log_sum(log_density).mean())
            self._maximize(columns, shares(log_density))
            if abs(self.lower_bound_ - before) < self.tol:
                self.converged_ = True
                break
        else:
            warnings.warn(
                f"GaussianMixture: not converged after max_iter={self.max_iter} turns; raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def score_samples(self, X):
        """Return the log-density of each row, (n,)."""
        X = self._new_data(X)
        return log_sum(self._log_densities(X.T))

    def score(self, X, y=None):
        """Return the mean log-density of the rows."""
        return float(self.score_samples(X).mean())

    def predict_proba(self, X):
        """Return the share of each component in each row, (n, n_components)."""
        X = self._new_data(X)
        return shares(self._log_densities(X.T)).T

    def predict(self, X):
        """Return the component with the largest share in each row, (n,)."""
        X = self._new_data(X)
        return self._log_densities(X.T).argmax(axis=0)

    def bic(self, X):
        """Return the Bayesian information criterion, the lower the better: -2 log-likelihood + parameters × log(rows)."""
        return -2 * self.score(X) * len(X) + self._n_parameters() * float(np.log(len(X)))

    def aic(self, X):
        """Return Akaike's information criterion, the lower the better: -2 log-likelihood + 2 × parameters."""
        return -2 * self.score(X) * len(X) + 2 * self._n_parameters()

    def _n_parameters(self):
        k, d = self.means_.shape
        return k * d + k * d * (d + 1) // 2 + k - 1

    def _start(self, X, columns):
        k, n = self.n_components, len(X)
        if self.means_init is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                seed = int(self._random().integers(2**31 - 1))
                labels = KMeans(k, random_state=seed).fit(X).labels_
            self._maximize(columns, (labels == np.arange(k)[:, None]).astype(float))
            return
        self.means_ = np.array(self.means_init, float)
        if self.means_.shape != (k, X.shape[1]) or not np.isfinite(self.means_).all():
            self._refuse("means_init", f"finite, of shape (n_components {k}, features {X.shape[1]})")
        self.weights_ = np.full(k, 1 / k)
        _, _, covariance = estimate(columns, np.ones((1, n)), self.reg_covar)
        self.covariances_ = np.repeat(covariance, k, axis=0)

    def _log_densities(self, columns):
        """Expectation: return log(weight × density) of each component at each row, (k, n).

        With ``Σ = L Lᵀ`` the squared distance ``(x - μ)ᵀ Σ⁻¹ (x - μ)`` is the squared length of ``L⁻¹ (x - μ)``.
        """
        d, n = columns.shape
        result = np.empty((len(self.means_), n))
        for j, (weight, mean, covariance) in enumerate(zip(self.weights_, self.means_, self.covariances_, strict=True)):
            L = self._cholesky(covariance)
            whitened = np.linalg.inv(L) @ (columns - mean[:, None])  # (d, n)
            np.einsum("dn,dn->n", whitened, whitened, out=result[j])
            result[j] += d * np.log(2 * np.pi) + 2 * np.log(np.diag(L)).sum() - 2 * np.log(weight)
        result *= -0.5
        return result

    def _maximize(self, columns, share):
        """Maximization: weights, means and covariances from the shares, (k, n)."""
        self.weights_, self.means_, self.covariances_ = estimate(columns, share, self.reg_covar)

    def _cholesky(self, covariance):
        try:
            return np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise ValueError(
                "GaussianMixture: a component collapsed onto a point or a plane, and its covariance cannot be inverted; "
                f"raise reg_covar (it is {self.reg_covar}), scale the features, or ask for fewer than {self.n_components} components"
            ) from None

    def _check_parameters(self, X):
        self._check_integer("n_components")
        self._check_integer("max_iter")
        self._check_between("tol", 0, np.inf)
        self._check_between("reg_covar", 0, np.inf)
        if len(X) < self.n_components:
            raise ValueError(
                f"GaussianMixture: n_samples={len(X)} must be at least n_components={self.n_components}; ask for fewer components"
            )


def estimate(columns, share, reg_covar):
    """Return weights (k,), means (k, d) and covariances (k, d, d) of rows that belong to components by shares.

    Parameters
    ----------
    columns : ndarray of shape (d, n)
    share : ndarray of shape (k, n)
    reg_covar : float
    """
    size = share.sum(axis=1) + 10 * np.finfo(float).eps
    means = share @ columns.T / size[:, None]
    covariances = np.empty((len(size), len(columns), len(columns)))
    for j, mean in enumerate(means):
        away = columns - mean[:, None]
        covariances[j] = (away * share[j]) @ away.T / size[j] + reg_covar * np.eye(len(columns))
    return size / size.sum(), means, covariances


def log_sum(log_values):
    """Return the logarithm of the sum over the first axis, without overflow."""
    top = log_values.max(axis=0)
    return top + np.log(np.exp(log_values - top).sum(axis=0))


def shares(log_values):
    """Return the share of each value in the sum over the first axis, from the logarithms of the values."""
    values = np.exp(log_values - log_values.max(axis=0))
    values /= values.sum(axis=0)
    return values
