"""Scores of predictions, from scratch."""

from __future__ import annotations

import numpy as np

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


def _pair(where, y_true, y_pred):
    y_true, y_pred = as_numbers(where, "y_true", y_true, "n"), as_numbers(where, "y_pred", y_pred, "n")
    check_shapes(where, y_true=(y_true, "n"), y_pred=(y_pred, "n"))
    return y_true, y_pred
