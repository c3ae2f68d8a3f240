"""Losses: one number that says how far predictions are from targets. Targets are arrays; they get no gradient.

All of them refuse what would be computed without complaint and mean nothing: (n, 1) against (n,), which would be broadcast to
(n, n), labels that do not exist, NaN and infinity.
"""

from __future__ import annotations

import math

import numpy as np

from mlcourse.autograd import as_tensor, record
from mlcourse.autograd.functional import check_index
from mlcourse.shapes import check_shapes


def mse_loss(prediction, target):
    """Mean squared error.

    Parameters
    ----------
    prediction : Tensor
    target : array_like
        Of the same shape.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If a number is NaN or infinite, or there is none.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> mse_loss(Tensor([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """
    prediction, target = _checked("mse_loss", prediction, target)
    error = prediction.data - target
    return record(np.vdot(error, error) / error.size, (prediction, lambda g: error * (2 * g / error.size)))


def cross_entropy(logits, labels):
    """Mean of -log(probability of the right class), where the softmax of the logits gives the probabilities.

    Parameters
    ----------
    logits : Tensor of shape (..., classes)
    labels : array_like of int, shape (...,)
        From 0 to classes - 1.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    ShapeError
        If the labels do not have the shape of the logits without its last axis.
    TypeError, IndexError
        If labels are no integers, or outside the classes.
    ValueError
        If a logit is NaN or infinite, or there is none.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> round(cross_entropy(Tensor([[0.0, 0.0], [0.0, 100.0]]), [0, 1]).item(), 4)
    0.3466
    """
    logits, labels = as_tensor(logits), np.asarray(labels)
    check_labels("cross_entropy", logits, labels)
    check_index("cross_entropy", "labels", labels, logits.shape[-1])
    _check_numbers("cross_entropy", "logits", logits.data)
    labels, n = labels.ravel(), labels.size
    z = logits.data.reshape(n, logits.shape[-1])
    z = z - z.max(axis=1, keepdims=True)
    right = np.arange(n), labels
    chosen = z[right]
    p = np.exp(z, out=z)
    total = p @ np.ones(p.shape[1], p.dtype)
    loss = (np.log(total) - chosen).mean()

    def pullback(g):  # (softmax - one-hot) / n
        d = p / total[:, None]
        d[right] -= 1
        d *= g / n
        return d.reshape(logits.shape)

    return record(loss, (logits, pullback))


def binary_cross_entropy(logits, targets):
    """Mean of -log(probability of what happened), where the sigmoid of a logit is the probability of 1.

    Parameters
    ----------
    logits : Tensor
    targets : array_like
        From 0 to 1, of the same shape.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If a logit is NaN or infinite, a target is not from 0 to 1, or there is none.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> round(binary_cross_entropy(Tensor([0.0, 1000.0]), [1, 1]).item(), 4)
    0.3466
    """
    logits, y = _checked("binary_cross_entropy", logits, targets)
    if y.min() < 0 or y.max() > 1:
        raise ValueError(f"binary_cross_entropy: targets must be from 0 to 1; got {y.min():g} to {y.max():g}")
    z = logits.data
    loss = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))  # log(1 + exp(z)) - z y, without overflow
    return record(loss.mean(), (logits, lambda g: (0.5 * np.tanh(0.5 * z) + 0.5 - y) * (g / y.size)))


def kl_divergence(log_q, p):
    """Mean over the rows of ``sum(p · (log p - log q))``: what it costs to take q for the distribution when it is p.

    Parameters
    ----------
    log_q : Tensor of shape (..., outcomes)
        Logarithms of probabilities, such as `mlcourse.autograd.log_softmax` returns.
    p : array_like of shape (..., outcomes)
        Probabilities; each row adds up to 1. It gets no gradient.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If a number is NaN or infinite, or the rows of `p` are no distributions.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> round(kl_divergence(Tensor(np.log([[0.5, 0.5]])), [[1.0, 0.0]]).item(), 4)
    0.6931
    """
    log_q, p = _checked("kl_divergence", log_q, p)
    if p.min() < 0 or np.abs(p.sum(axis=-1) - 1).max() > 1e-3:
        raise ValueError("kl_divergence: each row of p must hold probabilities that add up to 1; apply softmax first")
    n = math.prod(p.shape[:-1])
    log_p = np.log(np.where(p > 0, p, 1))  # 0 · log 0 counts as 0
    return record((p * (log_p - log_q.data)).sum() / n, (log_q, lambda g: p * (-g / n)))


def check_labels(where, logits, labels):
    """Raise unless there is one label for every row of logits."""
    if logits.ndim and labels.shape == logits.shape[:-1]:
        return
    hint = "the last axis of the logits holds the classes; the labels have the shape of what is before it"
    if labels.shape == logits.shape:
        hint = "labels are class numbers, not one-hot rows: use labels.argmax(-1)"
    elif labels.shape == (*logits.shape[:-1], 1):
        hint = "the labels have an axis of size 1: use labels[:, 0]"
    lead = _axes(max(logits.ndim, 1) - 1)
    check_shapes(where, hint=hint, logits=(logits, f"{lead} classes"), labels=(labels, lead))


def _checked(where, prediction, target):
    """Prediction as a tensor and target as an array of its type, after all checks that the two need."""
    prediction = as_tensor(prediction)
    target = np.asarray(target, prediction.dtype)
    if prediction.shape != target.shape:
        hint = "print both shapes; they must be equal, for broadcasting would compare each number with all"
        if prediction.shape == (*target.shape, 1):
            hint = "the predictions have an axis of size 1, and broadcasting would compare each with all: use prediction[:, 0]"
        axes = _axes(prediction.ndim)
        check_shapes(where, hint=hint, prediction=(prediction, axes), target=(target, axes))
    _check_numbers(where, "prediction", prediction.data)
    _check_numbers(where, "target", target)
    return prediction, target


def _axes(number):
    return " ".join(f"axis{i}" if i else "n" for i in range(number))


def _check_numbers(where, name, array):
    if array.size == 0:
        raise ValueError(f"{where}: {name} is empty (shape {array.shape}); a mean needs at least one number")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{where}: {name} has {(~np.isfinite(array)).sum()} NaN or infinite values of {array.size}; "
            "look for a learning rate that is too high, a division by zero or the logarithm of zero"
        )
