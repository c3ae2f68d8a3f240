"""Functions whose derivative is worked out as a whole: faster than a chain of operations of `Tensor`, and as exact.

Every function takes `where`, the name that stands in front of its error messages; a layer passes itself.
"""

from __future__ import annotations

import math

import numpy as np

from mlcourse.autograd.tensor import as_tensor, record, record_jointly
from mlcourse.shapes import ShapeError, check_shapes


def linear(x, weight, bias=None, where="linear"):
    """Return ``x @ weight + bias`` for x with any number of leading axes, as one matrix product.

    Parameters
    ----------
    x : Tensor of shape (..., in)
    weight : Tensor of shape (in, out)
    bias : Tensor of shape (out,), optional

    Returns
    -------
    Tensor of shape (..., out)

    Raises
    ------
    ShapeError
        If the last axis of `x` does not fit the weight.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> linear(Tensor([[1, 2]]), Tensor([[1, 0, 2], [0, 1, 2]]), Tensor([0, 0, 1])).data
    array([[1., 2., 7.]], dtype=float32)
    """
    x, W = as_tensor(x, weight), weight.data
    if x.ndim == 0 or x.shape[-1] != W.shape[0]:
        axes = _leading(x, "in")
        hint = f"the last axis of x holds the features: build the layer for {x.shape[-1] if x.ndim else 1} of them, or transpose x"
        check_shapes(where, hint=hint, weight=(W, "in out"), x=(x.data, axes))
    X = x.data.reshape(math.prod(x.shape[:-1]), W.shape[0])  # (n, in)
    Y = X @ W
    if bias is not None:
        Y += bias.data

    def rows(g):
        return g.reshape(Y.shape)

    operands = [(x, lambda g: (rows(g) @ W.T).reshape(x.shape)), (weight, lambda g: X.T @ rows(g))]
    if bias is not None:
        operands.append((bias, rows))  # backward adds up the rows, as after every broadcast
    return record(Y.reshape(*x.shape[:-1], W.shape[1]), *operands)


def softmax(x, axis=-1):
    """Exponentials divided by their sum along an axis: positive numbers that add up to 1.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> softmax(Tensor([0.0, 0.0, 200.0, 200.0])).data
    array([0. , 0. , 0.5, 0.5], dtype=float32)
    """
    x = as_tensor(x)
    p = _softmax(x.data, axis)
    return record(p, (x, lambda g: p * (g - (g * p).sum(axis=axis, keepdims=True))))


def log_softmax(x, axis=-1):
    """Logarithm of `softmax`, exact also where softmax rounds to zero.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> log_softmax(Tensor([0.0, 200.0])).data
    array([-200.,    0.], dtype=float32)
    """
    x = as_tensor(x)
    y = x.data - x.data.max(axis=axis, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))
    return record(y, (x, lambda g: g - np.exp(y) * g.sum(axis=axis, keepdims=True)))


def gelu(x):
    """Gaussian error linear unit in its form with tanh: x times about the probability that a normal number is below x.

    References
    ----------
    Hendrycks, D. and Gimpel, K. (2016). Gaussian error linear units (GELUs). arXiv:1606.08415.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> gelu(Tensor([-3.0, 0.0, 3.0])).data.round(3)
    array([-0.004,  0.   ,  2.996], dtype=float32)
    """
    x = as_tensor(x)
    a, k, c = x.data, math.sqrt(2 / math.pi), 0.044715
    t = np.tanh(k * (a + c * (a * a * a)))

    def pullback(g):
        slope = k * (1 + 3 * c * (a * a))  # of k (a + c a³)
        return g * (0.5 * (1 + t) + 0.5 * a * (1 - t * t) * slope)

    return record(0.5 * a * (1 + t), (x, pullback))


def leaky_relu(x, slope=0.01):
    """Positive numbers as they are, negative ones times a small slope.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> leaky_relu(Tensor([-1.0, 2.0]), 0.1).data
    array([-0.1,  2. ], dtype=float32)
    """
    x = as_tensor(x)
    factor = np.where(x.data > 0, x.dtype.type(1), x.dtype.type(slope))
    return record(x.data * factor, (x, lambda g: g * factor))


def layer_norm(x, weight, bias, eps=1e-5, where="layer_norm"):
    """Give every row mean 0 and variance 1, then multiply by the weight and add the bias.

    Parameters
    ----------
    x : Tensor of shape (..., d)
    weight, bias : Tensor of shape (d,)
    eps : float
        Added to the variance, so that a constant row becomes 0.

    Returns
    -------
    Tensor of shape (..., d)

    References
    ----------
    Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization. arXiv:1607.06450.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> layer_norm(Tensor([[1.0, 3.0], [5.0, 5.0]]), Tensor([1, 1]), Tensor([0, 0])).data.round(3)
    array([[-1.,  1.],
           [ 0.,  0.]], dtype=float32)
    """
    x = as_tensor(x, weight)
    d = len(weight)
    if x.ndim == 0 or x.shape[-1] != d:
        check_shapes(where, weight=(weight.data, "d"), x=(x.data, _leading(x, "d")))
    h, _, _, pullback = _standardize(x.data, -1, eps)
    y = h * weight.data
    y += bias.data
    return record(y, (x, lambda g: pullback(g * weight.data)), (weight, lambda g: g * h), (bias, lambda g: g))


def batch_norm(x, weight, bias, eps=1e-5, where="batch_norm"):
    """Give every channel mean 0 and variance 1 over the batch, then multiply by the weight and add the bias.

    Parameters
    ----------
    x : Tensor of shape (n, channels) or (n, channels, height, width)
    weight, bias : Tensor of shape (channels,)
    eps : float

    Returns
    -------
    y : Tensor, as `x`
    mean, variance : ndarray of shape (channels,)
        Of this batch; the variance is divided by the number of values.

    Raises
    ------
    ShapeError
        If `x` has another number of axes or channels.
    ValueError
        If there is only one value per channel, or none.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by reducing internal covariate shift. ICML.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> y, mean, variance = batch_norm(Tensor([[1.0, 0.0], [3.0, 8.0]]), Tensor([1, 1]), Tensor([0, 0]))
    >>> y.data.round(3), mean, variance
    (array([[-1., -1.],
           [ 1.,  1.]], dtype=float32), array([2., 4.], dtype=float32), array([ 1., 16.], dtype=float32))
    """
    x = as_tensor(x, weight)
    _check_channels(where, x, weight)
    if x.size < 2 * x.shape[1]:
        raise ValueError(f"{where} needs more than one value per channel in training; use a larger batch, or eval()")
    axes, column = (0, *range(2, x.ndim)), (-1,) + (1,) * (x.ndim - 2)
    h, mean, variance, pullback = _standardize(x.data, axes, eps)
    w = weight.data.reshape(column)
    y = h * w
    y += bias.data.reshape(column)
    sums = (weight, lambda g: (g * h).sum(axis=axes)), (bias, lambda g: g.sum(axis=axes))
    return record(y, (x, lambda g: pullback(g * w)), *sums), mean.ravel(), variance.ravel()


def normalize(x, weight, bias, mean, variance, eps=1e-5, where="normalize"):
    """Batch normalization with a mean and a variance that are already known, as in evaluation; shapes as in `batch_norm`."""
    x = as_tensor(x, weight)
    _check_channels(where, x, weight)
    shape = (-1,) + (1,) * (x.ndim - 2)
    scale = weight * (1 / np.sqrt(variance + eps))
    return x * scale.reshape(shape) + (bias - scale * mean).reshape(shape)


def dropout(x, p, rng):
    """Set each number to 0 with probability `p` and divide the others by ``1 - p``, which keeps the mean.

    References
    ----------
    Srivastava, N., Hinton, G., Krizhevsky, A., Sutskever, I. and Salakhutdinov, R. (2014). Dropout: a simple way to prevent neural
    networks from overfitting. Journal of Machine Learning Research 15.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> dropout(Tensor([1.0, 1.0, 1.0, 1.0]), 0.5, np.random.default_rng(0)).data
    array([2., 2., 2., 0.], dtype=float32)
    """
    x = as_tensor(x)
    kept = (rng.random(x.shape, np.float32) >= p) * x.dtype.type(1 / (1 - p) if p < 1 else 0)
    return record(x.data * kept, (x, lambda g: g * kept))


def embedding(weight, index, where="embedding"):
    """Rows of a table, one for each number of an array.

    Parameters
    ----------
    weight : Tensor of shape (rows, d)
    index : array_like of int
        Of any shape; numbers from 0 to rows - 1.

    Returns
    -------
    Tensor of shape (*index.shape, d)

    Raises
    ------
    TypeError
        If the numbers are not integers.
    IndexError
        If a number is outside the table.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> embedding(Tensor([[0, 1], [2, 3]]), [1, 1, 0]).data
    array([[2., 3.],
           [2., 3.],
           [0., 1.]], dtype=float32)
    """
    index = np.asarray(index)
    check_index(where, "index", index, len(weight))
    return weight[index]


def attention(q, k, v, mask=None, where="attention"):
    """Scaled dot-product attention: for each query the average of the values, weighted by how well their keys match.

    Parameters
    ----------
    q : Tensor of shape (..., queries, e)
    k : Tensor of shape (..., keys, e)
    v : Tensor of shape (..., keys, f)
    mask : ndarray of bool, optional
        True where a query may look at a key; any shape that broadcasts to (..., queries, keys). Each query needs at least one key.

    Returns
    -------
    Tensor of shape (..., queries, f)

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> q, k, v = Tensor([[1.0, 0.0]]), Tensor([[9.0, 0.0], [0.0, 9.0]]), Tensor([[1.0], [5.0]])
    >>> attention(q, k, v).data.round(2)
    array([[1.01]], dtype=float32)
    >>> attention(q, k, v, mask=np.array([False, True])).data
    array([[5.]], dtype=float32)
    """
    q, k, v = as_tensor(q), as_tensor(k), as_tensor(v)
    Q, K, V = q.data, k.data, v.data
    if not (Q.ndim == K.ndim == V.ndim > 1 and Q.shape[-1] == K.shape[-1] and K.shape[-2] == V.shape[-2]):
        lead = "_ " * (Q.ndim - 2)
        check_shapes(where, q=(Q, lead + "queries e"), k=(K, lead + "keys e"), v=(V, lead + "keys f"))
    if K.shape[-2] == 0:
        raise ShapeError(f"{where} needs at least one key; k has shape {K.shape}")
    scale = 1 / math.sqrt(Q.shape[-1])
    A = scale * (Q @ K.swapaxes(-1, -2))  # (..., queries, keys)
    if mask is not None:
        A = np.where(_check_mask(where, mask, A), A, -np.inf)
    A = _softmax(A, -1)
    Y = A @ V

    def pullback(g):
        dA = g @ V.swapaxes(-1, -2)
        dA -= (g * Y).sum(axis=-1, keepdims=True)  # which are the row sums of dA · A (Dao et al., 2022)
        dA *= scale * A
        return dA @ K, dA.swapaxes(-1, -2) @ Q, A.swapaxes(-1, -2) @ g

    return record_jointly(Y, (q, k, v), pullback)


def causal_mask(length):
    """Mask for `attention` by which each position may look at itself and what comes before it.

    Examples
    --------
    >>> causal_mask(3).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    return np.tri(length, dtype=bool)


def check_index(where, name, index, rows):
    """Raise unless `index` holds integers from 0 to ``rows - 1``; the message names the first that does not fit."""
    if index.dtype.kind not in "iu":
        raise TypeError(f"{where}: {name} must hold integers; got {index.dtype}. Convert it with {name}.astype(int)")
    if index.size and (index.min() < 0 or index.max() >= rows):
        bad = index[(index < 0) | (index >= rows)].flat[0]
        raise IndexError(f"{where}: {name} must be from 0 to {rows - 1}, for there are {rows}; got {bad}")


def _softmax(x, axis):
    y = np.exp(x - x.max(axis=axis, keepdims=True))  # to subtract the largest changes nothing, and exp cannot overflow
    y /= y.sum(axis=axis, keepdims=True)
    return y


def _check_mask(where, mask, A):
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(
            f"{where}: mask must hold True and False; got {mask.dtype}. Write it as a condition, such as tokens != 0"
        )
    try:
        np.broadcast_to(mask, A.shape)
    except ValueError:
        *lead, queries, keys = A.shape
        raise ShapeError(
            f"{where} cannot take mask of shape {mask.shape}\n"
            f"  scores  ({''.join(f'{size}, ' for size in lead)}queries {queries}, keys {keys})\n"
            "  hint: a mask has shape (queries, keys), or (n, 1, queries, keys) to differ in the batch"
        ) from None
    if not mask.any(axis=-1).all():
        raise ValueError(f"{where}: mask hides every key from some query; each query needs at least one key")
    return mask


def _standardize(x, axes, eps):
    """Mean 0 and variance 1 along axes; also mean and variance, and what turns the gradient of the result into that of `x`."""

    def means(array):
        return array.mean(axis=axes, keepdims=True)

    mean = means(x)
    h = x - mean
    variance = means(h * h)
    scale = 1 / np.sqrt(variance + eps)
    h *= scale
    return h, mean, variance, lambda g: scale * (g - means(g) - h * means(g * h))


def _leading(x, last):
    """Names of the axes of x, of which only the last matters."""
    return " ".join([*("batch", *"_" * x.ndim)[: x.ndim - 1], last])


def _check_channels(where, x, weight):
    if x.ndim not in (2, 4) or x.shape[1] != len(weight):
        axes = "n channels height width" if x.ndim > 2 else "n channels"
        check_shapes(where, weight=(weight.data, "channels"), x=(x.data, axes))
