"""k-means: clusters as sets of rows around their means.

References
----------
Lloyd, S. (1982). Least squares quantization in PCM. IEEE Transactions on Information Theory 28.
Arthur, D. and Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA.
Sculley, D. (2010). Web-scale k-means clustering. WWW.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import blocks, squared_distances


class Centers(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Estimator):
    """What both kinds of k-means share: a start, and clusters as the rows that have the same nearest center."""

    def predict(self, X):
        """Return the nearest center of each row, (n,)."""
        X = self._new_data(X)
        return self._nearest(X)[0]

    def transform(self, X):
        """Return the distance of each row to each center, (n, n_clusters)."""
        X = self._new_data(X)
        mean = self.cluster_centers_.mean(axis=0)
        D = squared_distances(X - mean, self.cluster_centers_ - mean)
        return np.sqrt(D, out=D)

    def score(self, X, y=None):
        """Return minus the sum of the squared distances of the rows of `X` to their nearest centers."""
        X = self._new_data(X)
        return -float(self._nearest(X)[1].sum())

    def _nearest(self, X):
        mean = self.cluster_centers_.mean(axis=0)
        return nearest_center(centered(X, mean), self.cluster_centers_ - mean)

    def _start(self, X, rng):
        """Return the centers to begin with, (n_clusters, d)."""
        if isinstance(self.init, str):
            self._check_choice("init", ("k-means++", "random"))
            return (plus_plus if self.init == "k-means++" else draw_rows)(X, self.n_clusters, rng)
        centers = np.array(self.init, float)
        if centers.shape != (self.n_clusters, X.shape[1]) or not np.isfinite(centers).all():
            raise ValueError(
                f"{type(self).__name__}: init of shape {centers.shape} must hold finite numbers in the shape "
                f"(n_clusters {self.n_clusters}, features {X.shape[1]}), or be 'k-means++' or 'random'"
            )
        return centers

    def _check_counts(self, X):
        self._check_integer("n_clusters")
        self._check_integer("max_iter")
        if len(X) < self.n_clusters:
            raise ValueError(
                f"{type(self).__name__}: n_samples={len(X)} should be >= n_clusters={self.n_clusters}; ask for fewer clusters"
            )

    @property
    def _n_features_out(self):
        return len(self.cluster_centers_)


class KMeans(Centers):
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
        self._check_counts(X)
        self._check_integer("n_init")
        self._check_between("tol", 0, np.inf)
        rng, mean = self._random(), X.mean(axis=0)
        columns = centered(X, mean)
        limit = self.tol * columns[:-1].var(axis=1).mean()
        n_starts = self.n_init if isinstance(self.init, str) else 1
        starts = [self._start(X, rng) - mean for _ in range(n_starts)]
        runs = [lloyd(columns, start, self.max_iter, limit) for start in starts]
        centers, self.labels_, self.inertia_, self.n_iter_, done = min(runs, key=lambda run: run[2])
        self.cluster_centers_ = centers + mean
        if (found := len(np.unique(self.labels_))) < self.n_clusters:
            self._warn(f"only {found} of {self.n_clusters} clusters have rows: there are too few different rows")
        if not done:
            self._warn(f"the centers still moved after max_iter={self.max_iter} steps; raise max_iter or tol")
        return self

    def _warn(self, what):
        warnings.warn(f"KMeans: {what}", ConvergenceWarning, stacklevel=3)


class MiniBatchKMeans(Centers):
    """k-means that looks at a few rows at a time: every center is the mean of all rows that it was ever given.

    Parameters
    ----------
    n_clusters : int
    init : {"k-means++", "random"} or array_like of shape (n_clusters, n_features)
        As in `KMeans`; the start is drawn from as many rows as three batches have.
    batch_size : int
        How many rows, drawn with replacement, each step looks at.
    max_iter : int
        The most steps, counted in passes over the table.
    max_no_improvement : int
        Stop after so many steps in a row that do not lower the inertia of the batches, smoothed over about one pass.
    random_state : int, RandomState or None
        Draws the start and the batches.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    counts_ : ndarray of shape (n_clusters,)
        How many rows each center was given.
    labels_ : ndarray of shape (n_samples,)
        Of all rows after `fit`, of the last batch after `partial_fit`.
    inertia_ : float
        Sum of the squared distances of the same rows to their centers.
    n_steps_ : int
    n_iter_ : int
        The passes over the table that these steps amount to.
    n_features_in_ : int

    References
    ----------
    Sculley, D. (2010). Web-scale k-means clustering. WWW.

    Examples
    --------
    >>> model = MiniBatchKMeans(2, batch_size=10, random_state=0).fit([[0.0], [0.0], [8.0], [8.0]])
    >>> np.sort(model.cluster_centers_[:, 0]).round(3)
    array([0., 8.])
    """

    def __init__(
        self, n_clusters=8, init="k-means++", batch_size=1024, max_iter=100, max_no_improvement=10, random_state=None
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.max_no_improvement = max_no_improvement
        self.random_state = random_state

    def fit(self, X, y=None):
        """Find the centers for the rows of `X` (n, d)."""
        X = self._training_table(X)
        self._check_parameters(X)
        rng, n = self._random(), len(X)
        some = rng.choice(n, min(n, 3 * max(self.batch_size, self.n_clusters)), replace=False)
        self._begin(X[some], rng)
        newest = min(1.0, 2 * self.batch_size / (n + 1))  # the weight of a batch in the smoothed inertia
        smooth, least, waited = None, np.inf, 0
        for _ in range(max(1, self.max_iter * n // self.batch_size)):
            inertia = self._step(X[rng.integers(0, n, self.batch_size)]).mean()
            smooth = inertia if smooth is None else (1 - newest) * smooth + newest * inertia
            least, waited = min(smooth, least), 0 if smooth < least else waited + 1
            if waited >= self.max_no_improvement:
                break
        return self._finish(X, passes=-(-self.n_steps_ * self.batch_size // n))

    def partial_fit(self, X, y=None):
        """Take one step, with the rows of `X` (n, d) as the batch; the first call also draws the start from them."""
        first = not hasattr(self, "counts_")
        X = self._validated(X, reset=first)
        if first:
            self._check_parameters(X)
            self._begin(X, self._random())
        self._step(X)
        return self._finish(X, passes=self.n_steps_)

    def _begin(self, X, rng):
        self.cluster_centers_ = self._start(X, rng)
        self.counts_, self.n_steps_ = np.zeros(self.n_clusters), 0

    def _step(self, batch):
        """Move each center by what its rows of the batch change in the mean; return the squared distances before, (rows,)."""
        mean = batch.mean(axis=0)
        columns, centers = centered(batch, mean), self.cluster_centers_ - mean
        labels, distance = nearest_center(columns, centers)
        belongs = (labels == np.arange(self.n_clusters)[:, None]).astype(float)
        sums = belongs @ columns.T  # (k, d + 1); the last column counts
        self.counts_ += sums[:, -1]
        away = sums[:, :-1] - sums[:, -1:] * centers  # sum of the ways from the center to its rows
        self.cluster_centers_ += away / np.maximum(self.counts_, 1)[:, None]
        self.n_steps_ += 1
        return distance

    def _finish(self, X, passes):
        self.labels_, distance = self._nearest(X)
        self.inertia_, self.n_iter_ = float(distance.sum()), passes
        return self

    def _check_parameters(self, X):
        self._check_counts(X)
        self._check_integer("batch_size")
        self._check_integer("max_no_improvement")


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


def centered(X, mean):
    """Return the features of `X` (n, d) as lines, less `mean`, so that their squares stay small; and a line of ones that counts rows."""
    columns = np.ones((X.shape[1] + 1, len(X)))
    np.subtract(X.T, mean[:, None], out=columns[:-1])
    return columns


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
