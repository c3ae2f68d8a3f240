"""Scores of predictions and of clusterings, from scratch."""

from __future__ import annotations

import numpy as np

from mlcourse.classical.distances import blocks, squared_distances
from mlcourse.shapes import as_numbers, check_shapes


def mean_squared_error(y_true, y_pred):
    """Return the mean of the squared errors, in the squared unit of the target.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)

    Returns
    -------
    float

    Examples
    --------
    >>> mean_squared_error([3.0, 5.0], [2.0, 7.0])
    2.5
    """
    y_true, y_pred = _pair("mean_squared_error", y_true, y_pred)
    return float(((y_true - y_pred) ** 2).mean())


def root_mean_squared_error(y_true, y_pred):
    """Return the square root of the mean squared error, in the unit of the target.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)

    Returns
    -------
    float

    Examples
    --------
    >>> root_mean_squared_error([3.0, 5.0], [0.0, 1.0]) == 12.5**0.5
    True
    """
    y_true, y_pred = _pair("root_mean_squared_error", y_true, y_pred)
    return float(((y_true - y_pred) ** 2).mean() ** 0.5)


def mean_absolute_error(y_true, y_pred):
    """Return the mean size of the errors, in the unit of the target.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)

    Returns
    -------
    float

    Examples
    --------
    >>> mean_absolute_error([3.0, 5.0], [2.0, 7.0])
    1.5
    """
    y_true, y_pred = _pair("mean_absolute_error", y_true, y_pred)
    return float(abs(y_true - y_pred).mean())


def r2_score(y_true, y_pred):
    """Return the share of the target's variation that the predictions account for.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,), n ≥ 2
        The order matters: the variation is that of `y_true`.

    Returns
    -------
    float
        1 for perfect predictions, 0 for the mean of `y_true`, negative for worse. If `y_true` is constant: 1 or 0.

    Examples
    --------
    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    y_true, y_pred = _pair("r2_score", y_true, y_pred)
    if len(y_true) < 2:
        raise ValueError("r2_score needs at least two values; one value has no variation to account for")
    residual = ((y_true - y_pred) ** 2).sum()
    total = ((y_true - y_true.mean()) ** 2).sum()
    if np.ptp(y_true) == 0:
        return 1.0 if residual == 0 else 0.0
    return float(1 - residual / total)


def silhouette_samples(X, labels):
    """Return how much nearer each row is to its own cluster than to the next one: ``(b - a) / max(a, b)``.

    Here ``a`` is the mean distance to the other rows of its cluster, and ``b`` the mean distance to the rows of the nearest other
    cluster. A row that is alone in its cluster gets 0.

    Parameters
    ----------
    X : array_like of shape (n, d)
    labels : array_like of shape (n,)
        From 2 to n - 1 different ones.

    Returns
    -------
    ndarray of shape (n,)
        From -1 (the row lies in another cluster) by 0 (on the border) to 1 (deep in its own).

    References
    ----------
    Rousseeuw, P. (1987). Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. Journal of
    Computational and Applied Mathematics 20.

    Examples
    --------
    >>> silhouette_samples([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1]).round(3)
    array([0.882, 0.867, 0.867, 0.882])
    """
    X, codes, members = _clusters("silhouette_samples", X, labels)
    size = members.sum(axis=0)
    silhouette = np.empty(len(X))
    for block in blocks(len(X), len(X)):
        D = np.sqrt(squared_distances(X[block], X))
        np.fill_diagonal(D[:, block], 0)  # from a row to itself
        total = D @ members  # (rows, k): sums of distances to the rows of each cluster
        own = np.arange(len(D)), codes[block]
        a = total[own] / np.maximum(size[codes[block]] - 1, 1)
        total[own] = np.inf
        b = (total / size).min(axis=1)
        silhouette[block] = (b - a) / np.where(np.maximum(a, b) > 0, np.maximum(a, b), 1)
    return np.where(size[codes] > 1, silhouette, 0)


def silhouette_score(X, labels):
    """Return the mean of `silhouette_samples`: near 1 for compact clusters far apart, near 0 for clusters that run into each other.

    Parameters
    ----------
    X : array_like of shape (n, d)
    labels : array_like of shape (n,)
        From 2 to n - 1 different ones.

    Returns
    -------
    float

    Examples
    --------
    >>> round(silhouette_score([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1]), 3)
    0.875
    """
    return float(silhouette_samples(X, labels).mean())


def davies_bouldin_score(X, labels):
    """Return how wide clusters are beside the gap to their worst neighbor, on average: the lower, the better separated.

    The width of a cluster is the mean distance of its rows to their mean. Two clusters are compared by the sum of their widths
    divided by the distance between their means; each cluster counts with its largest such ratio.

    Parameters
    ----------
    X : array_like of shape (n, d)
    labels : array_like of shape (n,)
        From 2 to n - 1 different ones.

    Returns
    -------
    float

    References
    ----------
    Davies, D. and Bouldin, D. (1979). A cluster separation measure. IEEE Transactions on Pattern Analysis and Machine Intelligence 1.

    Examples
    --------
    >>> davies_bouldin_score([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1])
    0.125
    """
    X, codes, members = _clusters("davies_bouldin_score", X, labels)
    size = members.sum(axis=0)
    means = members.T @ X / size[:, None]
    width = members.T @ np.linalg.norm(X - means[codes], axis=1) / size
    gap = np.sqrt(((means[:, None] - means) ** 2).sum(axis=2))  # (k, k)
    if np.allclose(width, 0) or np.allclose(gap, 0):
        return 0.0
    gap[gap == 0] = np.inf  # a cluster is not compared with itself
    return float(((width[:, None] + width) / gap).max(axis=1).mean())


def adjusted_rand_score(labels_true, labels_pred):
    """Return how well two clusterings agree, whatever their labels are called: 1 if they are the same, about 0 by chance.

    A pair of rows is together or apart in each of the two. The number of pairs that are together in both is compared with what it
    would be on average if the labels of one were shuffled.

    Parameters
    ----------
    labels_true, labels_pred : array_like of shape (n,)

    Returns
    -------
    float
        At most 1; negative where they agree less than by chance.

    References
    ----------
    Hubert, L. and Arabie, P. (1985). Comparing partitions. Journal of Classification 2.

    Examples
    --------
    >>> adjusted_rand_score([0, 0, 1, 1], ["b", "b", "a", "a"])
    1.0
    >>> adjusted_rand_score([0, 0, 1, 1], [0, 1, 0, 1])
    -0.5
    """
    first, second = _codes("adjusted_rand_score", labels_true=labels_true, labels_pred=labels_pred)
    together = _pairs(first.astype(np.int64) * (second.max() + 1) + second)
    in_first, in_second, all_pairs = _pairs(first), _pairs(second), len(first) * (len(first) - 1) / 2
    above_chance = together * all_pairs - in_first * in_second
    most = (in_first + in_second) / 2 * all_pairs - in_first * in_second
    return float(above_chance / most) if most else 1.0


def _pairs(codes):
    """Return how many pairs of rows have the same code."""
    count = np.unique(codes, return_counts=True)[1].astype(float)
    return (count * (count - 1) / 2).sum()


def _clusters(where, X, labels):
    """Return the centered rows, (n, d), the number of each row's cluster, (n,), and the same as a table of zeros and ones, (n, k)."""
    X = as_numbers(where, "X", X, "n d")
    check_shapes(where, X=(X, "n d"), labels=(labels, "n"))
    (codes,) = _codes(where, labels=labels)
    k = codes.max() + 1
    if not 2 <= k <= len(X) - 1:
        raise ValueError(
            f"{where}: the number of different labels must be from 2 to n - 1 = {len(X) - 1}; got {k}. "
            "These scores compare clusters with each other, and rows with others of their cluster"
        )
    return X - X.mean(axis=0), codes, (codes[:, None] == np.arange(k)).astype(float)


def _codes(where, **labelings):
    """Return each labeling with its labels numbered 0, 1, …"""
    check_shapes(where, **{name: (labels, "n") for name, labels in labelings.items()})
    if not all(map(len, labelings.values())):
        raise ValueError(f"{where}: there are no labels; it needs at least one row")
    return [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in labelings.values()]


def _pair(where, y_true, y_pred):
    y_true, y_pred = as_numbers(where, "y_true", y_true, "n"), as_numbers(where, "y_pred", y_pred, "n")
    check_shapes(where, y_true=(y_true, "n"), y_pred=(y_pred, "n"))
    return y_true, y_pred
