"""Layers: each keeps its parameters and calls one function of `mlcourse.autograd`, where the method itself stands.

Weights start as uniform random numbers of variance 1 / (3 · inputs), PyTorch's choice too: nothing grows, and in a few layers little fades.
`rng` is a `numpy.random.Generator`, or a seed; give all layers of a model one generator, for equal seeds make equal weights.

References
----------
LeCun, Y., Bottou, L., Orr, G. B. and Müller, K.-R. (1998). Efficient BackProp. In Neural Networks: Tricks of the Trade. Springer.
"""

from __future__ import annotations

import math

import numpy as np

import mlcourse.autograd as A
from mlcourse.nn.module import Module, Parameter
from mlcourse.shapes import ShapeError


def uniform(rng, fan_in, *shape):
    """Parameter of uniform random numbers between ± 1 / √fan_in."""
    if min(shape) < 1:
        raise ValueError(f"the sizes of a layer must be at least 1; got weights of shape {shape}")
    bound = 1 / math.sqrt(fan_in)
    return Parameter(np.random.default_rng(rng).uniform(-bound, bound, shape))


class Sequential(Module):
    """Modules one after the other.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    >>> model(np.zeros((5, 64))).shape
    (5, 10)
    >>> model
    Sequential(
      layers.0: Linear(64 -> 32)
      layers.1: ReLU()
      layers.2: Linear(32 -> 10)
    )
    """

    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Linear(Module):
    """``x @ weight + bias``: every output is a weighted sum of all inputs.

    Parameters
    ----------
    inputs, outputs : int
        Sizes of the last axis, before and after.
    bias : bool
    rng : Generator or int, optional

    Attributes
    ----------
    weight : Parameter of shape (inputs, outputs)
    bias : Parameter of shape (outputs,), or None

    Examples
    --------
    >>> Linear(3, 2, rng=0)(np.ones((4, 3))).shape
    (4, 2)
    """

    def __init__(self, inputs, outputs, bias=True, rng=None):
        rng = np.random.default_rng(rng)
        self.weight = uniform(rng, inputs, inputs, outputs)
        self.bias = uniform(rng, inputs, outputs) if bias else None

    def forward(self, x):
        return A.linear(x, self.weight, self.bias, where=self)

    def __repr__(self):
        return f"Linear({self.weight.shape[0]} -> {self.weight.shape[1]})"


class Conv2d(Module):
    """Filters that slide over images; see `mlcourse.autograd.conv2d` for shapes.

    Parameters
    ----------
    inputs, outputs : int
        Channels, before and after.
    kernel : int
        Height and width of a filter.
    stride, padding : int
    bias : bool
    rng : Generator or int, optional

    Attributes
    ----------
    weight : Parameter of shape (outputs, inputs, kernel, kernel)
    bias : Parameter of shape (outputs,), or None

    Examples
    --------
    >>> Conv2d(1, 6, kernel=3, padding=1, rng=0)(np.zeros((2, 1, 8, 8))).shape
    (2, 6, 8, 8)
    """

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0, bias=True, rng=None):
        rng, fan_in = np.random.default_rng(rng), inputs * kernel * kernel
        self.weight = uniform(rng, fan_in, outputs, inputs, kernel, kernel)
        self.bias = uniform(rng, fan_in, outputs) if bias else None
        self.stride, self.padding = stride, padding

    def forward(self, x):
        return A.conv2d(x, self.weight, self.bias, self.stride, self.padding, where=self)

    def __repr__(self):
        outputs, inputs, kernel, _ = self.weight.shape
        return f"Conv2d({inputs} -> {outputs}, kernel={kernel}, stride={self.stride}, padding={self.padding})"


class MaxPool(Module):
    """The largest number of each window; see `mlcourse.autograd.max_pool`."""

    pool = staticmethod(A.max_pool)

    def __init__(self, size=2, stride=None):
        self.size, self.stride = size, size if stride is None else stride

    def forward(self, x):
        return self.pool(x, self.size, self.stride, where=self)

    def __repr__(self):
        return f"{type(self).__name__}(size={self.size}, stride={self.stride})"


class AveragePool(MaxPool):
    """The mean of each window; see `mlcourse.autograd.average_pool`."""

    pool = staticmethod(A.average_pool)


class Embedding(Module):
    """A table with a row of numbers, learned, for each word or item; normal random numbers at first.

    Parameters
    ----------
    rows : int
        How many words there are.
    d : int
        Length of a row.
    rng : Generator or int, optional

    Attributes
    ----------
    weight : Parameter of shape (rows, d)

    Examples
    --------
    >>> Embedding(1000, 16, rng=0)(np.array([[3, 5, 3]])).shape
    (1, 3, 16)
    """

    def __init__(self, rows, d, rng=None):
        self.weight = Parameter(np.random.default_rng(rng).normal(size=(rows, d)))

    def forward(self, index):
        return A.embedding(self.weight, index, where=self)

    def __repr__(self):
        return f"Embedding({self.weight.shape[0]} rows of {self.weight.shape[1]})"


class LayerNorm(Module):
    """Rows of mean 0 and variance 1, then scaled and shifted; see `mlcourse.autograd.layer_norm`."""

    def __init__(self, d, eps=1e-5):
        self.weight, self.bias, self.eps = Parameter(np.ones(d)), Parameter(np.zeros(d)), eps

    def forward(self, x):
        return A.layer_norm(x, self.weight, self.bias, self.eps, where=self)

    def __repr__(self):
        return f"LayerNorm({len(self.weight)})"


class BatchNorm(Module):
    """Channels of mean 0 and variance 1 over the batch, then scaled and shifted; see `mlcourse.autograd.batch_norm`.

    In training it measures each batch and keeps running averages, which it uses in evaluation: then an example's result
    does not depend on the batch it is in.

    Parameters
    ----------
    channels : int
        Size of the second axis.
    momentum : float
        Weight of the newest batch in the running averages.
    eps : float

    Examples
    --------
    >>> layer = BatchNorm(3)
    >>> y = layer(np.random.default_rng(0).normal(5, 2, (100, 3)))
    >>> bool(abs(y.data.mean()) < 1e-6), layer.running_mean.round(1)
    (True, array([0.5, 0.5, 0.5], dtype=float32))
    """

    buffers = ("running_mean", "running_variance")

    def __init__(self, channels, momentum=0.1, eps=1e-5):
        self.weight, self.bias = Parameter(np.ones(channels)), Parameter(np.zeros(channels))
        self.running_mean, self.running_variance = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        if not self.training:
            return A.normalize(
                x, self.weight, self.bias, self.running_mean, self.running_variance, self.eps, where=self
            )
        y, mean, variance = A.batch_norm(x, self.weight, self.bias, self.eps, where=self)
        m = y.size // len(mean)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_variance += self.momentum * (variance * (m / (m - 1)) - self.running_variance)
        return y

    def __repr__(self):
        return f"BatchNorm({len(self.weight)})"


class Dropout(Module):
    """In training, zeros with probability `p`; in evaluation, nothing. See `mlcourse.autograd.dropout`."""

    def __init__(self, p=0.5, rng=None):
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, from 0 to 1; got {p}")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, x):
        return A.dropout(x, self.p, self.rng) if self.training and self.p else x

    def __repr__(self):
        return f"Dropout({self.p})"


class Flatten(Module):
    """Everything but the first axis in one row: (n, channels, height, width) becomes (n, channels · height · width)."""

    def forward(self, x):
        x = A.as_tensor(x)
        if x.ndim == 0:
            raise ShapeError("Flatten() cannot take a scalar: the first axis counts the examples")
        return x.reshape(len(x), math.prod(x.shape[1:]))


class ReLU(Module):
    """Negative numbers become 0."""

    def forward(self, x):
        return A.as_tensor(x).relu()


class LeakyReLU(Module):
    """Negative numbers become small; see `mlcourse.autograd.leaky_relu`."""

    def __init__(self, slope=0.01):
        self.slope = slope

    def forward(self, x):
        return A.leaky_relu(x, self.slope)


class GELU(Module):
    """A smooth relative of ReLU; see `mlcourse.autograd.gelu`."""

    def forward(self, x):
        return A.gelu(x)


class Tanh(Module):
    """Numbers between -1 and 1."""

    def forward(self, x):
        return A.as_tensor(x).tanh()


class Sigmoid(Module):
    """Numbers between 0 and 1."""

    def forward(self, x):
        return A.as_tensor(x).sigmoid()
