"""k-means: clusters as sets of rows around their means.

References
----------
Lloyd, S. (1982). Least squares quantization in PCM. IEEE Transactions on Information Theory 28.
Arthur, D. and Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import blocks, squared_distances


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Estimator):
    """Divide rows among k centers: each row goes to the nearest center, each center to the mean of its rows, until nothing moves.

    Parameters
    ----------
    n_clusters : int
    init : {"k-means++", "random"} or array_like of shape (n_clusters, n_features)
        Where the centers start: rows drawn with a chance that grows with the squared distance to those drawn before; any rows; or here.
    n_init : int
        How many starts are tried; the one with the least `inertia_` is kept. Given centers are tried once.
    max_iter : int
    tol : float
        Stop when the squared moves of all centers add up to at most this share of the mean variance of the features; 0: when nothing moves.
    random_state : int, RandomState or None
        Draws the starts.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    labels_ : ndarray of shape (n_samples,)
    inertia_ : float
        Sum of the squared distances of the rows to their centers.
    n_iter_ : int
    n_features_in_ : int

    References
    ----------
    Lloyd, S. (1982). Least squares quantization in PCM. IEEE Transactions on Information Theory 28.

    Examples
    --------
    >>> model = KMeans(2, random_state=0).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> print(np.sort(model.cluster_centers_[:, 0]), model.inertia_)
    [0.5 8.5] 1.0
    """

    def __init__(self, n_clusters=8, init="k-means++", n_init=1, max_iter=300, tol=1e-4, random_state=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None):
        """Find the centers for the rows of `X` (n, d)."""
        X = self._training_table(X)
        self._check_parameters(X)
        rng, mean = self._random(), X.mean(axis=0)
        columns = np.ones((X.shape[1] + 1, len(X)))  # features first, and a row of ones that counts
        np.subtract(
            X.T, mean[:, None], out=columns[:-1]
        )  # centered, for the squares of the distance formula to stay small
        limit = self.tol * columns[:-1].var(axis=1).mean()
        starts = self._starts(columns[:-1].T, mean, rng)
        runs = [lloyd(columns, start, self.max_iter, limit) for start in starts]
        centers, self.labels_, self.inertia_, self.n_iter_, done = min(runs, key=lambda run: run[2])
        self.cluster_centers_ = centers + mean
        if (found := len(np.unique(self.labels_))) < self.n_clusters:
            self._warn(f"only {found} of {self.n_clusters} clusters have rows: there are too few different rows")
        if not done:
            self._warn(f"the centers still moved after max_iter={self.max_iter} steps; raise max_iter or tol")
        return self

    def predict(self, X):
        """Return the nearest center of each row, (n,)."""
        X = self._new_data(X)
        return squared_distances(X, self.cluster_centers_).argmin(axis=1)

    def transform(self, X):
        """Return the distance of each row to each center, (n, n_clusters)."""
        X = self._new_data(X)
        return np.sqrt(squared_distances(X, self.cluster_centers_))

    def score(self, X, y=None):
        """Return minus the sum of the squared distances of the rows of `X` to their nearest centers."""
        X = self._new_data(X)
        return -float(squared_distances(X, self.cluster_centers_).min(axis=1).sum())

    def _warn(self, what):
        warnings.warn(f"KMeans: {what}", ConvergenceWarning, stacklevel=3)

    def _check_parameters(self, X):
        self._check_integer("n_clusters")
        self._check_integer("n_init")
        self._check_integer("max_iter")
        self._check_between("tol", 0, np.inf)
        if len(X) < self.n_clusters:
            raise ValueError(
                f"KMeans: n_samples={len(X)} should be >= n_clusters={self.n_clusters}; ask for fewer clusters"
            )

    def _starts(self, X, mean, rng):
        if isinstance(self.init, str):
            self._check_choice("init", ("k-means++", "random"))
            draw = plus_plus if self.init == "k-means++" else draw_rows
            return [draw(X, self.n_clusters, rng) for _ in range(self.n_init)]
        centers = np.asarray(self.init, float)
        if centers.shape != (self.n_clusters, X.shape[1]) or not np.isfinite(centers).all():
            raise ValueError(
                f"KMeans: init of shape {centers.shape} must hold finite numbers in the shape "
                f"(n_clusters {self.n_clusters}, features {X.shape[1]}), or be 'k-means++' or 'random'"
            )
        return [centers - mean]

    @property
    def _n_features_out(self):
        return len(self.cluster_centers_)


def lloyd(columns, centers, max_iter, limit):
    """Move the centers until their squared moves add up to at most `limit`.

    Parameters
    ----------
    columns : ndarray of shape (d + 1, n)
        Features, and a row of ones.
    centers : ndarray of shape (k, d)
    max_iter : int
    limit : float

    Returns
    -------
    centers : ndarray of shape (k, d)
    labels : ndarray of int of shape (n,)
    inertia : float
    n_iter : int
    done : bool
        False if `max_iter` steps were not enough.
    """
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        sums = sums_of_clusters(columns, centers)  # (k, d + 1); the last column counts
        if not sums[:, -1].all():
            sums = refill(columns, sums, *nearest_center(columns, centers))
        new = sums[:, :-1] / sums[:, -1:]
        moved = ((new - centers) ** 2).sum()
        centers = new
        if moved <= limit:
            break
    labels, distance = nearest_center(columns, centers)
    return centers, labels, float(distance.sum()), n_iter, bool(moved <= limit)


def scores(columns, centers):
    """Return ``‖c‖² - 2 x·c`` for blocks of rows, as (slice, (k, rows)): squared distances but for ``‖x‖²``."""
    table = np.hstack([-2 * centers, (centers**2).sum(axis=1)[:, None]])  # (k, d + 1)
    for block in blocks(columns.shape[1], len(centers) + len(columns)):
        yield block, table @ columns[:, block]


def sums_of_clusters(columns, centers):
    """Return the sum of the rows that are nearest to each center, and their number, (k, d + 1).

    The table of zeros and ones that says which row belongs to which center makes all sums by one product.
    """
    sums = np.zeros((len(centers), len(columns)))
    for block, score in scores(columns, centers):
        belongs = (score == score.min(axis=0)).astype(float)
        part = belongs @ columns[:, block].T
        if part[:, -1].sum() > score.shape[1]:  # a row between two centers belongs to the first
            belongs = (score.argmin(axis=0) == np.arange(len(centers))[:, None]).astype(float)
            part = belongs @ columns[:, block].T
        sums += part
    return sums


def nearest_center(columns, centers):
    """Return the nearest center of each row and the squared distance to it, both (n,)."""
    labels = np.empty(columns.shape[1], np.intp)
    for block, score in scores(columns, centers):
        labels[block] = score.argmin(axis=0)
    distance = np.zeros(len(labels))
    for column, coordinate in zip(columns[:-1], centers.T, strict=True):
        distance += (column - coordinate[labels]) ** 2
    return labels, distance


def refill(columns, sums, labels, distance):
    """Give every center without rows the row that is farthest from its own center."""
    farthest = np.argsort(-distance, kind="stable")
    for center, row in zip(np.flatnonzero(sums[:, -1] == 0), farthest, strict=False):
        if sums[labels[row], -1] > 1:
            sums[labels[row]] -= columns[:, row]
        sums[center] = columns[:, row]
    return sums


def plus_plus(X, k, rng):
    """Draw k rows, each with a chance proportional to its squared distance from the nearest row drawn before.

    As the authors advise, several candidates are drawn each time and the one that helps most is taken.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    k : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (k, d)
    """
    length, tries = (X * X).sum(axis=1), 2 + int(np.log(k))
    chosen = [int(rng.integers(len(X)))]
    nearest = squared_distances(X[chosen], X, length)[0]
    while len(chosen) < k:
        running = nearest.cumsum()
        candidates = np.searchsorted(running, rng.random(tries) * running[-1]).clip(max=len(X) - 1)
        distance = np.minimum(squared_distances(X[candidates], X, length), nearest)  # (tries, n)
        best = distance.sum(axis=1).argmin()
        chosen.append(int(candidates[best]))
        nearest = distance[best]
    return X[chosen]


def draw_rows(X, k, rng):
    """Draw k different rows."""
    return X[rng.choice(len(X), k, replace=False)]
