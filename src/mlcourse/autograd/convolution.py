"""Convolution and pooling of images.

Images have shape (n, channels, height, width), as everywhere; their memory is in the order (channels, n, height, width). Then every
shifted copy of all images is made of whole rows, a convolution is one matrix product per block of images, and what follows
(an activation, pooling) keeps that order without being told.
"""

from __future__ import annotations

import numpy as np

from mlcourse.autograd.tensor import as_tensor, record
from mlcourse.shapes import ShapeError, check_shapes

BLOCK = 1 << 18  # numbers that are unfolded at once: they stay in the processor's cache


def conv2d(x, weight, bias=None, stride=1, padding=0, where="conv2d"):
    """Slide filters over images; at every place the dot product of a filter and what it covers.

    Parameters
    ----------
    x : Tensor of shape (n, in, height, width)
    weight : Tensor of shape (out, in, kernel height, kernel width)
    bias : Tensor of shape (out,), optional
    stride : int
        How far a filter moves.
    padding : int
        Rows and columns of zeros around each image.

    Returns
    -------
    Tensor of shape (n, out, (height + 2 padding - kernel height) // stride + 1, likewise for width)

    Raises
    ------
    ShapeError
        If the channels differ, or the filter is larger than the padded image.

    References
    ----------
    Chellapilla, K., Puri, S. and Simard, P. (2006). High performance convolutional neural networks for document processing.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> image = Tensor(np.arange(9).reshape(1, 1, 3, 3))
    >>> conv2d(image, Tensor([[[[1, -1]]]])).data[0, 0]
    array([[-1., -1.],
           [-1., -1.],
           [-1., -1.]], dtype=float32)
    """
    x = as_tensor(x, weight)
    _check_images(where, x, weight, stride, padding)
    n, c, h, w = x.shape
    o, _, kh, kw = weight.shape
    ho, wo = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    images = np.pad(x.data.transpose(1, 0, 2, 3), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = _windows(kh, kw, stride, ho, wo)
    W = weight.data.reshape(o, c * kh * kw)
    per_block = max(1, BLOCK // (c * kh * kw * ho * wo))
    blocks = [slice(start, min(start + per_block, n)) for start in range(0, n, per_block)]

    def unfold(block):
        """(c · kh · kw, images · ho · wo): a column holds what the filters cover at one place."""
        columns = np.empty((c, kh, kw, block.stop - block.start, ho, wo), images.dtype)
        for (i, j), window in windows.items():
            columns[:, i, j] = images[:, block][window]
        return columns.reshape(c * kh * kw, -1)

    Y = np.empty((o, n, ho * wo), images.dtype)
    for block in blocks:
        Y[:, block] = (W @ unfold(block)).reshape(o, -1, ho * wo)
    if bias is not None:
        Y += bias.data[:, None, None]

    def channels_first(g):
        return g.transpose(1, 0, 2, 3).reshape(o, n, ho * wo)

    def gradient_of_x(g):
        g, spread = channels_first(g), np.zeros_like(images)
        for block in blocks:
            columns = (W.T @ g[:, block].reshape(o, -1)).reshape(c, kh, kw, -1, ho, wo)
            for (i, j), window in windows.items():
                spread[:, block][window] += columns[:, i, j]
        return spread[:, :, padding : padding + h, padding : padding + w].transpose(1, 0, 2, 3)

    def gradient_of_weight(g):
        g = channels_first(g)
        parts = (g[:, block].reshape(o, -1) @ unfold(block).T for block in blocks)
        return sum(parts, np.zeros_like(W)).reshape(weight.shape)

    operands = [(x, gradient_of_x), (weight, gradient_of_weight)]
    if bias is not None:
        operands.append((bias, lambda g: channels_first(g).sum(axis=(1, 2))))
    return record(Y.reshape(o, n, ho, wo).transpose(1, 0, 2, 3), *operands)


def max_pool(x, size=2, stride=None, where="max_pool"):
    """The largest number of each window; where several are equal, the first of them gets the gradient.

    Parameters
    ----------
    x : Tensor of shape (n, channels, height, width)
    size : int
        Height and width of a window.
    stride : int, optional
        How far a window moves; by default its size. Rows and columns that fill no window are left out.

    Returns
    -------
    Tensor of shape (n, channels, (height - size) // stride + 1, likewise for width)

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> max_pool(Tensor(np.arange(16).reshape(1, 1, 4, 4))).data[0, 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """
    x, stride = as_tensor(x), size if stride is None else stride
    windows = _windows_of_pool(where, x, size, stride)
    parts = [x.data[window] for window in windows]  # the first number of every window, the second, …
    largest = parts[0].copy(order="K")
    for part in parts[1:]:
        np.maximum(largest, part, out=largest)

    def pullback(g):
        spread = np.zeros_like(x.data)
        free = np.ones_like(largest, bool)
        for window, part in zip(windows, parts, strict=True):
            hit = part == largest
            hit &= free
            free ^= hit
            spread[window] += g * hit
        return spread

    return record(largest, (x, pullback))


def average_pool(x, size=2, stride=None, where="average_pool"):
    """The mean of each window; parameters and shapes as in `max_pool`.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> average_pool(Tensor(np.arange(16).reshape(1, 1, 4, 4))).data[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """
    x, stride = as_tensor(x), size if stride is None else stride
    windows = _windows_of_pool(where, x, size, stride)
    mean = sum(x.data[window] for window in windows) * x.dtype.type(1 / size**2)

    def pullback(g):
        spread, g = np.zeros_like(x.data), g * (1 / size**2)
        for window in windows:
            spread[window] += g
        return spread

    return record(mean, (x, pullback))


def _windows(height, width, stride, rows, cols):
    """For each place in a window the index that takes, from all images, the numbers at this place of the windows."""
    return {
        (i, j): (..., slice(i, i + stride * rows, stride), slice(j, j + stride * cols, stride))
        for i in range(height)
        for j in range(width)
    }


def _windows_of_pool(where, x, size, stride):
    if size < 1 or stride < 1:
        raise ValueError(f"{where}: size and stride must be at least 1; got {size} and {stride}")
    check_shapes(where, x=(x, "n channels height width"))
    h, w = x.shape[2:]
    if size > min(h, w):
        raise ShapeError(
            f"{where} cannot take x of shape {x.shape}\n  its images are {h} × {w}, smaller than the window of {size} × {size}\n"
            "  hint: pool less often, or use a smaller window"
        )
    return _windows(size, size, stride, (h - size) // stride + 1, (w - size) // stride + 1).values()


def _check_images(where, x, weight, stride, padding):
    if stride < 1 or padding < 0:
        raise ValueError(f"{where}: stride must be at least 1 and padding at least 0; got {stride} and {padding}")
    hint = "images are (n, channels, height, width): a missing axis comes by reshape, channels that are last move by transpose(0, 3, 1, 2)"
    check_shapes(where, hint=hint, weight=(weight, "out in kh kw"), x=(x, "n in height width"))
    (h, w), (kh, kw) = x.shape[2:], weight.shape[2:]
    if kh > h + 2 * padding or kw > w + 2 * padding:
        raise ShapeError(
            f"{where} cannot take x of shape {x.shape}\n"
            f"  its images are {h} × {w}, with padding {h + 2 * padding} × {w + 2 * padding}; the filter is {kh} × {kw}\n"
            f"  hint: add padding, or use fewer or smaller layers before this one"
        )
