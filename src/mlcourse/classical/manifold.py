"""t-SNE: a map on which rows that are neighbors stay neighbors.

References
----------
van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9.
"""

from __future__ import annotations

import numpy as np

from mlcourse.classical.base import Estimator
from mlcourse.classical.decomposition import PCA
from mlcourse.classical.distances import squared_distances

TINY = np.float32(1e-12)
EXAGGERATED = 250  # steps during which the attraction is multiplied


class TSNE(Estimator):
    """Points in the plane, moved until the chances to be neighbors there are those in the table; exact, for up to some thousand rows.

    Parameters
    ----------
    n_components : int
    perplexity : float
        How many neighbors a row has, roughly; less than the number of rows.
    early_exaggeration : float
        By what the attraction is multiplied during the first 250 steps.
    learning_rate : float or {"auto"}
        ``"auto"``: n_samples / early_exaggeration / 4, at least 50.
    max_iter : int
    init : {"pca", "random"} or array_like of shape (n_samples, n_components)
    random_state : int, RandomState or None
        Draws a random start.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components)
    kl_divergence_ : float
        How far the chances on the map are from those in the table.
    n_iter_ : int
    learning_rate_ : float
    n_features_in_ : int

    References
    ----------
    van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9.

    Examples
    --------
    >>> X = np.repeat([[0.0, 0.0], [9.0, 9.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 2))
    >>> Y = TSNE(perplexity=5, random_state=0).fit_transform(X)
    >>> bool(np.linalg.norm(Y[:10].mean(axis=0) - Y[10:].mean(axis=0)) > 2 * Y[:10].std())
    True
    """

    def __init__(
        self,
        n_components=2,
        perplexity=30.0,
        early_exaggeration=12.0,
        learning_rate="auto",
        max_iter=1000,
        init="pca",
        random_state=None,
    ):
        self.n_components = n_components
        self.perplexity = perplexity
        self.early_exaggeration = early_exaggeration
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.init = init
        self.random_state = random_state

    def fit(self, X, y=None):
        """Move the points for the rows of `X` (n, d) to their places."""
        X = self._training_table(X, ensure_min_samples=2)
        self._check_parameters(X)
        P, Y = joint_chances(X, self.perplexity), self._start(X)
        first = min(EXAGGERATED, self.max_iter)
        P *= self.early_exaggeration  # draws clusters together while they can still pass each other
        Y = descend(P, Y, first, 0.5, self.learning_rate_)
        P /= self.early_exaggeration
        Y = descend(P, Y, self.max_iter - first, 0.8, self.learning_rate_)
        self.embedding_, self.kl_divergence_, self.n_iter_ = Y, divergence(P, Y), self.max_iter
        return self

    def fit_transform(self, X, y=None):
        """Return the points, (n, n_components), for the rows of `X` (n, d)."""
        return self.fit(X).embedding_

    def _check_parameters(self, X):
        self._check_integer("n_components")
        self._check_integer("max_iter")
        self._check_positive("perplexity")
        self._check_positive("early_exaggeration")
        if self.perplexity >= len(X):
            raise ValueError(
                f"TSNE: perplexity ({self.perplexity}) must be less than n_samples ({len(X)}): a row has only the others for neighbors"
            )
        if isinstance(self.learning_rate, str):
            self._check_choice("learning_rate", ("auto",))
            self.learning_rate_ = max(len(X) / self.early_exaggeration / 4, 50.0)
        else:
            self._check_positive("learning_rate")
            self.learning_rate_ = float(self.learning_rate)

    def _start(self, X):
        shape = len(X), self.n_components
        if not isinstance(self.init, str):
            start = np.asarray(self.init, np.float32)
            if start.shape != shape or not np.isfinite(start).all():
                self._refuse(
                    "init", f"'pca', 'random' or finite numbers of shape (samples {shape[0]}, n_components {shape[1]})"
                )
            return start.copy()
        self._check_choice("init", ("pca", "random"))
        if self.init == "random" or self.n_components > min(X.shape):
            return 1e-4 * self._random().standard_normal(shape, dtype=np.float32)
        Y = PCA(self.n_components).fit(X).transform(X)
        return (Y * (1e-4 / (Y[:, 0].std() or 1))).astype(np.float32)


def joint_chances(X, perplexity):
    """Return the chances that two rows are neighbors, (n, n), in single precision; they add up to 1.

    Around each row lies a normal density, as wide as makes the entropy of its neighbors the logarithm of the perplexity; the width is
    found by bisection, for all rows at once.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    perplexity : float
    """
    n = len(X)
    D = squared_distances(X - X.mean(axis=0), X - X.mean(axis=0))
    np.fill_diagonal(D, np.inf)
    D -= D.min(axis=1, keepdims=True)  # a common factor of the line, and no underflow
    np.fill_diagonal(D, 0)
    scale = D.mean() or 1.0
    low, high, narrow = np.zeros(n), np.full(n, np.inf), np.full(n, 1 / scale)
    for _ in range(100):
        P = np.exp(-D * narrow[:, None])
        np.fill_diagonal(P, 0)
        total = P.sum(axis=1)
        entropy = np.log(total) + narrow * np.einsum("ij,ij->i", P, D) / total
        wide = entropy > np.log(perplexity)
        if (abs(entropy - np.log(perplexity)) < 1e-5).all():
            break
        low, high = np.where(wide, narrow, low), np.where(wide, high, narrow)
        narrow = np.where(np.isinf(high), np.minimum(2 * narrow, 1e300), (low + high) / 2)
    P /= total[:, None]
    return np.maximum((P + P.T) / (2 * n), TINY).astype(np.float32)


def descend(P, Y, steps, momentum, rate):
    """Return the points after some steps of gradient descent with momentum; a coordinate that keeps its direction takes larger steps.

    Parameters
    ----------
    P : ndarray of shape (n, n)
    Y : ndarray of shape (n, k)
    steps : int
    momentum, rate : float
    """
    speed, gain = np.zeros_like(Y), np.ones_like(Y)
    buffers = np.empty_like(P), np.empty_like(P)
    for _ in range(steps):
        slope = gradient(P, Y, *buffers)
        keeps = speed * slope < 0  # steps go against the slope
        gain = np.maximum(np.where(keeps, gain + 0.2, gain * 0.8), 0.01).astype(Y.dtype)
        speed = momentum * speed - rate * gain * slope
        Y = Y + speed
    return Y


def gradient(P, Y, kernel, force):
    """Return the slope of the divergence, (n, k); `kernel` and `force`, (n, n), are overwritten.

    On the map a heavy-tailed kernel ``w = 1 / (1 + ‖yᵢ - yⱼ‖²)`` says how near two points are, and ``q = w / Σw``. The slope at yᵢ
    is ``4 Σⱼ (pᵢⱼ - qᵢⱼ) wᵢⱼ (yᵢ - yⱼ)``: attraction as in the table, repulsion as on the map.
    """
    length = (Y * Y).sum(axis=1)
    np.matmul(Y, -2 * Y.T, out=kernel)
    kernel += length[:, None] + 1
    kernel += length
    np.maximum(kernel, 1, out=kernel)  # rounding must not make distances negative
    np.reciprocal(kernel, out=kernel)
    np.fill_diagonal(kernel, 0)
    np.multiply(kernel, -1 / kernel.sum(), out=force)
    force += P
    force *= kernel
    return 4 * (force.sum(axis=1)[:, None] * Y - force @ Y)


def divergence(P, Y):
    """Return the Kullback–Leibler divergence of the chances on the map from those in the table."""
    W = 1 / (1 + squared_distances(Y.astype(float), Y.astype(float)))
    np.fill_diagonal(W, 0)
    Q = np.maximum(W / W.sum(), TINY)
    apart = ~np.eye(len(P), dtype=bool)
    P = P.astype(float)
    return float((P * np.log(P / Q))[apart].sum())
