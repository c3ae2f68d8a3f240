"""Principal component analysis.

References
----------
Hotelling, H. (1933). Analysis of a complex of statistical variables into principal components. Journal of Educational Psychology 24.
"""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import blocks


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """The orthogonal directions along which the rows vary most, and the rows in these coordinates.

    Parameters
    ----------
    n_components : int or float, optional
        How many directions are kept; a number in (0, 1): as many as account for that share of the variance. None: all min(n, d).
    whiten : bool
        Whether the coordinates are divided by their standard deviations.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features)
        Directions of length 1, by falling variance; the entry of each that is largest in size is positive.
    explained_variance_ : ndarray of shape (n_components_,)
    explained_variance_ratio_ : ndarray of shape (n_components_,)
    singular_values_ : ndarray of shape (n_components_,)
        Of the centered table.
    mean_ : ndarray of shape (n_features,)
    n_components_ : int
    n_features_in_ : int

    References
    ----------
    Pearson, K. (1901). On lines and planes of closest fit to systems of points in space. Philosophical Magazine 2.
    Hotelling, H. (1933). Analysis of a complex of statistical variables into principal components. Journal of Educational Psychology 24.

    Examples
    --------
    >>> model = PCA(1).fit([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    >>> print(model.components_.round(3), model.explained_variance_ratio_)
    [[0.447 0.894]] [1.]
    """

    def __init__(self, n_components=None, whiten=False):
        self.n_components = n_components
        self.whiten = whiten

    def fit(self, X, y=None):
        """Find the directions for `X` (n, d)."""
        X = self._training_table(X, ensure_min_samples=2)
        n, d = X.shape
        self._check_parameters(min(n, d))
        self.mean_ = X.mean(axis=0)
        values, directions = principal_axes(X, self.mean_)
        variance = values / (n - 1)
        total = variance.sum()
        ratio = variance / total if total > 0 else np.zeros_like(variance)
        k = self._count(ratio)
        self.n_components_, self.components_ = k, fix_signs(directions[:k])
        self.explained_variance_, self.explained_variance_ratio_ = variance[:k], ratio[:k]
        self.singular_values_ = np.sqrt(values[:k])
        return self

    def transform(self, X):
        """Return the coordinates of each row along the directions, (n, n_components_)."""
        X = self._new_data(X)
        Z = X @ self.components_.T
        Z -= self.mean_ @ self.components_.T
        return Z / self._scale() if self.whiten else Z

    def inverse_transform(self, X):
        """Return the rows, (n, d), that have the coordinates `X`, (n, n_components_)."""
        Z = np.asarray(X, float)
        return (Z * self._scale() if self.whiten else Z) @ self.components_ + self.mean_

    def _scale(self):
        return np.maximum(np.sqrt(self.explained_variance_), np.finfo(float).eps)

    def _count(self, ratio):
        wanted = self.n_components
        if wanted is None:
            return len(ratio)
        if isinstance(wanted, numbers.Integral):
            return int(wanted)
        return min(len(ratio), int(np.searchsorted(ratio.cumsum(), wanted, side="right")) + 1)

    def _check_parameters(self, largest):
        wanted = self.n_components
        whole = isinstance(wanted, numbers.Integral) and not isinstance(wanted, bool) and 1 <= wanted <= largest
        share = isinstance(wanted, numbers.Real) and not isinstance(wanted, numbers.Integral) and 0 < wanted < 1
        if not (wanted is None or whole or share):
            self._refuse(
                "n_components", f"an integer from 1 to min(n, d) = {largest}, a share between 0 and 1, or None"
            )

    @property
    def _n_features_out(self):
        return self.n_components_


def principal_axes(X, mean):
    """Return the squared singular values of a table without its mean, falling, and the directions that belong to them, as lines.

    With ``A = X - mean``, the directions are the eigenvectors of ``AᵀA``, which is small where there are many rows, and the sum over
    blocks of rows. Where there are more columns than rows, a singular value decomposition never builds the large square.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    mean : ndarray of shape (d,)

    Returns
    -------
    values : ndarray of shape (min(n, d),)
    directions : ndarray of shape (min(n, d), d)

    Examples
    --------
    >>> values, directions = principal_axes(np.array([[3.0, 0.0], [-1.0, 0.0], [1.0, 1.0], [1.0, -1.0]]), np.array([1.0, 0.0]))
    >>> print(values, abs(directions).tolist())
    [8. 2.] [[1.0, 0.0], [0.0, 1.0]]
    """
    n, d = X.shape
    if n < d:
        _, singular, directions = np.linalg.svd(X - mean, full_matrices=False)
        return singular**2, directions
    square = np.zeros((d, d))
    for block in blocks(n, d):
        A = X[block] - mean
        square += A.T @ A
    values, vectors = np.linalg.eigh(square)
    return np.maximum(values[::-1], 0), vectors.T[::-1]


def fix_signs(directions):
    """Turn each line so that its entry of the largest size is positive."""
    largest = abs(directions).argmax(axis=1)
    return directions * np.where(directions[np.arange(len(directions)), largest] < 0, -1.0, 1.0)[:, None]
