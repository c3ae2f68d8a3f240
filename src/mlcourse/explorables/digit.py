"""The network of the explorable `digit` in NumPy: what the page computes in JavaScript, to compare the two."""

from __future__ import annotations

import base64

import numpy as np

from mlcourse.explorables import modules
from mlcourse.shapes import check_shapes


def scores(images):
    """Return the ten scores of each image.

    Parameters
    ----------
    images : ndarray of shape (n, 64)
        Values from 0 (paper) to 1 (ink), line by line.

    Returns
    -------
    ndarray of shape (n, 10)

    Raises
    ------
    ShapeError
        If the images have another shape.

    Examples
    --------
    >>> scores(np.zeros((3, 64))).shape
    (3, 10)
    """
    images = np.asarray(images, dtype=float)
    check_shapes("scores", images=(images, "n 64"))
    first, second, last = (_unpack(layer) for layer in modules.data("digit")["layers"])
    x = images.reshape(-1, 1, 8, 8)
    for weights, bias in (first, second):
        x = np.maximum(_convolve(x, weights) + bias[:, None, None], 0)
    n, channels, _, _ = x.shape
    pooled = x.reshape(n, channels, 4, 2, 4, 2).max(axis=(3, 5))
    weights, bias = last
    return pooled.reshape(n, -1) @ weights.T + bias


def _unpack(layer):
    weights = np.frombuffer(base64.b64decode(layer["weights"]), dtype=np.int8).reshape(layer["shape"])
    return weights * layer["scale"], np.array(layer["bias"])


def _convolve(x, weights):
    """Every output channel at every pixel: the sum over input channels and a neighborhood of 3 × 3."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("ncrspq,ocpq->nors", windows, weights)
