"""Automatic differentiation in NumPy: `Value` for one number (read it first), `Tensor` for arrays, and functions made for networks.

>>> from mlcourse.autograd import Tensor
>>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
array([2., 4., 6.], dtype=float32)
"""

from mlcourse.autograd.convolution import average_pool, conv2d, max_pool
from mlcourse.autograd.functional import (
    attention,
    batch_norm,
    causal_mask,
    dropout,
    embedding,
    gelu,
    layer_norm,
    leaky_relu,
    linear,
    log_softmax,
    normalize,
    softmax,
)
from mlcourse.autograd.gradient_check import GradientError, gradient_check
from mlcourse.autograd.recurrence import gru, lstm, rnn
from mlcourse.autograd.tensor import Tensor, as_tensor, concatenate, no_grad, record, record_jointly, stack, where
from mlcourse.autograd.value import Value

__all__ = [
    "GradientError",
    "Tensor",
    "Value",
    "as_tensor",
    "attention",
    "average_pool",
    "batch_norm",
    "causal_mask",
    "concatenate",
    "conv2d",
    "dropout",
    "embedding",
    "gelu",
    "gradient_check",
    "gru",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lstm",
    "max_pool",
    "no_grad",
    "normalize",
    "record",
    "record_jointly",
    "rnn",
    "softmax",
    "stack",
    "where",
]
