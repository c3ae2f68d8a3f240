"""Tensor: a NumPy array that remembers how it was computed, so that `backward` can find every derivative.

Each operation stands beside its derivative: `record` takes the result and, for each operand, a function that turns the gradient of
the result into the gradient of the operand (a vector–Jacobian product). Operands may be broadcast; `backward` sums a gradient over the
axes that NumPy repeated, so no operation has to think of it.

References
----------
Griewank, A. and Walther, A. (2008). Evaluating Derivatives, 2nd edition, chapter 3. SIAM.
Baydin, A. G., Pearlmutter, B. A., Radul, A. A. and Siskind, J. M. (2018). Automatic differentiation in machine learning: a survey.
Journal of Machine Learning Research 18(153).
"""

from __future__ import annotations

import itertools
import math
import threading
from contextlib import contextmanager
from operator import attrgetter

import numpy as np

from mlcourse.shapes import ShapeError, check_shapes

_clock = itertools.count()


class _Mode(threading.local):
    recording = True


_mode = _Mode()


@contextmanager
def no_grad():
    """Compute without remembering, as in evaluation: faster, and nothing is kept for `backward`.

    Use it as a context or as a decorator of a function.

    Examples
    --------
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = w * 2
    >>> y.requires_grad
    False
    """
    before, _mode.recording = _mode.recording, False
    try:
        yield
    finally:
        _mode.recording = before


class Tensor:
    """An array of 32-bit floats with a gradient.

    Parameters
    ----------
    data : array_like
        Numbers. An array that already has the right type is not copied.
    requires_grad : bool
        Whether `backward` is to leave a gradient in ``grad``.
    dtype : numpy dtype
        ``np.float64`` where precision counts, as in `gradient_check`.

    Attributes
    ----------
    data : ndarray
    grad : ndarray or None
        The sum of all gradients that `backward` brought here; of the shape of ``data``.

    Examples
    --------
    >>> w = Tensor([[1.0, 2.0]], requires_grad=True)
    >>> loss = ((w * 3 - 1) ** 2).sum()
    >>> loss.backward()
    >>> loss.item(), w.grad
    (29.0, array([[12., 30.]], dtype=float32))
    """

    __slots__ = ("__weakref__", "_parents", "_pullback", "_time", "data", "grad", "requires_grad")
    __array_ufunc__ = None  # NumPy leaves `array * tensor` to the tensor

    def __init__(self, data, requires_grad=False, dtype=np.float32):
        self.data = np.asarray(data.data if isinstance(data, Tensor) else data, dtype)
        self.grad = None
        self.requires_grad = requires_grad
        self._parents, self._pullback, self._time = (), None, next(_clock)

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)

    # -------------------------------------------------------------------------------------------------- the chain rule

    def backward(self, gradient=None):
        """Add to ``grad`` of every tensor that asked for it the derivative of this one with respect to it.

        Parameters
        ----------
        gradient : array_like, optional
            Of something computed from this tensor, with its shape; a scalar needs none.

        Raises
        ------
        ShapeError
            If this tensor is no scalar and `gradient` is missing, or has another shape.
        RuntimeError
            If nothing that this tensor was computed from requires a gradient.
        """
        flow = {self: self._first_gradient(gradient)}
        for node in self._newest_first():
            gradient = flow.pop(node)
            for parent, part in zip(node._parents, node._pullback(gradient), strict=True):
                if parent.requires_grad:
                    part = _fit(part, parent.data)
                    flow[parent] = flow[parent] + part if parent in flow else part
        for leaf, gradient in flow.items():
            leaf.grad = gradient.copy() if leaf.grad is None else leaf.grad + gradient  # an array of its own

    def _newest_first(self):
        """All results behind this one, itself included: a result is younger than its operands, so none comes too early."""
        found, waiting = set(), [self]
        while waiting:
            node = waiting.pop()
            if node._parents and node not in found:
                found.add(node)
                waiting.extend(node._parents)
        return sorted(found, key=attrgetter("_time"), reverse=True)

    def _first_gradient(self, gradient):
        if not self.requires_grad:
            raise RuntimeError(
                "backward: nothing behind this tensor requires a gradient; was it made inside no_grad, "
                "from .data, or only from tensors without requires_grad=True?"
            )
        if gradient is None and self.size != 1:
            raise ShapeError(
                f"backward needs one number to differentiate; this tensor has shape {self.shape}\n"
                "  hint: reduce it with .sum() or .mean(), or pass backward a gradient of that shape"
            )
        gradient = np.ones_like(self.data) if gradient is None else np.array(gradient, self.dtype)
        if gradient.shape != self.shape:
            raise ShapeError(f"backward cannot take a gradient of shape {gradient.shape}: the tensor has {self.shape}")
        return gradient

    # ------------------------------------------------------------------------------------------------ arithmetic

    def __add__(self, other):
        other = as_tensor(other, like=self)
        return record(_apply(np.add, self, other), (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other):
        other = as_tensor(other, like=self)
        return record(_apply(np.subtract, self, other), (self, lambda g: g), (other, lambda g: -g))

    def __mul__(self, other):
        other = as_tensor(other, like=self)
        x, y = self.data, other.data
        return record(_apply(np.multiply, self, other), (self, lambda g: g * y), (other, lambda g: g * x))

    def __truediv__(self, other):
        other = as_tensor(other, like=self)
        y = other.data
        ratio = _apply(np.divide, self, other)
        return record(ratio, (self, lambda g: g / y), (other, lambda g: -g * ratio / y))

    def __pow__(self, k):
        if not np.isscalar(k):
            raise TypeError(
                f"Tensor ** k takes a number k; got {type(k).__name__}. For a tensor k use (k * x.log()).exp()"
            )
        x, k = self.data, k.item() if isinstance(k, np.generic) else k
        return record(_power(x, k), (self, lambda g: g * (k * _power(x, k - 1)) if k else np.zeros_like(x)))

    def __neg__(self):
        return record(-self.data, (self, lambda g: -g))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return as_tensor(other, like=self) - self

    def __rtruediv__(self, other):
        return as_tensor(other, like=self) / self

    def __matmul__(self, other):
        other = as_tensor(other, like=self)
        a, b = self.data, other.data
        if a.ndim > 2 and b.ndim == 2 and a.shape[-1] == len(b):  # one large product instead of many small ones
            return (self.reshape(math.prod(a.shape[:-1]), a.shape[-1]) @ other).reshape(*a.shape[:-1], b.shape[1])
        try:
            product = a @ b
        except ValueError:
            raise _misfit_of_matmul(a, b) from None
        A = (
            a[None, :] if a.ndim == 1 else a
        )  # (..., n, k): a vector on the left is a row, and its axis n is summed away like
        B = b[:, None] if b.ndim == 1 else b  # (..., k, m): a broadcast one; on the right it is a column
        matrix = (*np.broadcast_shapes(A.shape[:-2], B.shape[:-2]), A.shape[-2], B.shape[-1])

        def gradient_of_right(g):
            dB = A.swapaxes(-1, -2) @ g.reshape(matrix)
            return dB[..., 0] if b.ndim == 1 else dB

        return record(product, (self, lambda g: g.reshape(matrix) @ B.swapaxes(-1, -2)), (other, gradient_of_right))

    def __rmatmul__(self, other):
        return as_tensor(other, like=self) @ self

    # ------------------------------------------------------------------------------------------ functions of each number

    def exp(self):
        """e to the power of each number."""
        y = np.exp(self.data)
        return record(y, (self, lambda g: g * y))

    def log(self):
        """Natural logarithm; -inf at 0 and NaN below, as in NumPy."""
        x = self.data
        return record(np.log(x), (self, lambda g: g / x))

    def sqrt(self):
        """Square root; its derivative at 0 is infinite."""
        y = np.sqrt(self.data)
        return record(y, (self, lambda g: g / (2 * y)))

    def abs(self):
        """Distance from 0; the derivative at 0 counts as 0."""
        x = self.data
        return record(np.abs(x), (self, lambda g: g * np.sign(x)))

    def tanh(self):
        """Hyperbolic tangent, from -1 to 1."""
        y = np.tanh(self.data)
        return record(y, (self, lambda g: g * (1 - y * y)))

    def sigmoid(self):
        """1 / (1 + exp(-x)), from 0 to 1, in a form that cannot overflow."""
        y = 0.5 * np.tanh(0.5 * self.data) + 0.5
        return record(y, (self, lambda g: g * (y * (1 - y))))

    def relu(self):
        """The larger of x and 0; the derivative at 0 counts as 0."""
        y = np.maximum(self.data, 0)
        return record(y, (self, lambda g: g * (y > 0)))

    # ------------------------------------------------------------------------------------------------ reductions

    def sum(self, axis=None, keepdims=False):
        """Sum along an axis or several; along all of them by default."""
        x = self.data
        return record(
            x.sum(axis=axis, keepdims=keepdims),
            (self, lambda g: np.broadcast_to(_with_axes(g, axis, keepdims), x.shape)),
        )

    def mean(self, axis=None, keepdims=False):
        """Sum divided by how many numbers went into it."""
        x, total = self.data, self.sum(axis, keepdims)
        return total * (total.size / x.size if x.size else math.nan)

    def max(self, axis=None, keepdims=False):
        """The largest number along the axes; equal largest ones share the gradient equally."""
        x = self.data
        largest = x.max(axis=axis, keepdims=True)

        def pullback(g):
            hit = x == largest
            return _with_axes(g, axis, keepdims) * (hit / hit.sum(axis=axis, keepdims=True, dtype=x.dtype))

        return record(largest if keepdims else largest.squeeze(axis), (self, pullback))

    def min(self, axis=None, keepdims=False):
        """The smallest number along the axes; see `max`."""
        return -(-self).max(axis, keepdims)

    # ------------------------------------------------------------------------------------------------ shapes and selections

    def reshape(self, *shape):
        """The same numbers in the same order, in another shape; one size may be -1, what is left."""
        x = self.data
        return record(x.reshape(*shape), (self, lambda g: g.reshape(x.shape)))

    def transpose(self, *axes):
        """Axes in the given order; without axes, in reverse order."""
        axes = axes or tuple(reversed(range(self.ndim)))
        return record(self.data.transpose(axes), (self, lambda g: g.transpose(np.argsort(axes))))

    T = property(lambda self: self.transpose())

    def __getitem__(self, index):
        x = self.data

        def pullback(g):
            spread = np.zeros_like(x, order="C")
            if _repeats(index):  # an element that was selected twice gets both gradients
                place = np.arange(x.size).reshape(x.shape)[index]
                np.add.at(spread.reshape(-1), place.ravel(), g.ravel())  # far faster in one dimension than in more
            else:
                spread[index] = g
            return spread

        return record(x[index], (self, pullback))

    # ------------------------------------------------------------------------------------------------ the array behind it

    def numpy(self):
        """The array itself, no copy."""
        return self.data

    def item(self):
        """The only number, as a Python float."""
        return self.data.item()

    def detach(self):
        """The same numbers, without a past."""
        return Tensor(self.data, dtype=self.dtype)

    def __len__(self):
        return len(self.data)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.data, dtype) if copy else np.asarray(self.data, dtype)

    def __repr__(self):
        text = repr(self.data).removeprefix("array(").removesuffix(")").replace("\n ", "\n  ")
        return f"Tensor({text}{', requires_grad=True' if self.requires_grad else ''})"


def record(data, *operands):
    """Make the tensor that holds the result of an operation and remembers its operands.

    Parameters
    ----------
    data : ndarray
        The result.
    *operands : tuple of (Tensor, callable)
        An operand, and the function that turns the gradient of the result into the gradient of this operand. It must not change
        the gradient in place, for others read it too; it is called only if the operand requires a gradient.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> def square(x):
    ...     return record(x.data**2, (x, lambda g: 2 * x.data * g))
    >>> x = Tensor(3.0, requires_grad=True)
    >>> square(x).backward()
    >>> x.grad.item()
    6.0
    """
    return record_jointly(
        data,
        [x for x, _ in operands],
        lambda g: [derivative(g) if x.requires_grad else None for x, derivative in operands],
    )


def record_jointly(data, operands, pullback):
    """Like `record`, for operands whose gradients share most of the work.

    Parameters
    ----------
    data : ndarray
        The result.
    operands : sequence of Tensor
    pullback : callable
        Turns the gradient of the result into the gradients of all operands; one that is not needed may be None.

    Returns
    -------
    Tensor
    """
    data = np.asarray(data)
    result = Tensor(data, _mode.recording and any(x.requires_grad for x in operands), data.dtype)
    if result.requires_grad:
        result._parents, result._pullback = operands, pullback
    return result


def as_tensor(x, like=None):
    """Return `x` as a Tensor; an array is converted to the type of the tensor `like`, or to 32 bits.

    Examples
    --------
    >>> as_tensor([1, 2])
    Tensor([1., 2.], dtype=float32)
    """
    return x if isinstance(x, Tensor) else Tensor(x, dtype=np.float32 if like is None else like.dtype)


def concatenate(tensors, axis=0):
    """Join tensors along an axis that they have.

    Examples
    --------
    >>> concatenate([Tensor([1, 2]), Tensor([3])]).data
    array([1., 2., 3.], dtype=float32)
    """
    tensors = list(tensors)
    ends = np.cumsum([x.shape[axis] for x in tensors])[:-1]
    return record_jointly(np.concatenate([x.data for x in tensors], axis), tensors, lambda g: np.split(g, ends, axis))


def stack(tensors, axis=0):
    """Join tensors of one shape along a new axis.

    Examples
    --------
    >>> stack([Tensor([1, 2]), Tensor([3, 4])]).shape
    (2, 2)
    """
    tensors = list(tensors)
    return record_jointly(np.stack([x.data for x in tensors], axis), tensors, lambda g: list(np.moveaxis(g, axis, 0)))


def where(condition, x, y):
    """Take numbers from `x` where the condition holds, otherwise from `y`.

    Examples
    --------
    >>> x = Tensor([-1.0, 2.0])
    >>> where(x.data > 0, x, 0.1 * x).data
    array([-0.1,  2. ], dtype=float32)
    """
    like = x if isinstance(x, Tensor) else y
    x, y = as_tensor(x, like), as_tensor(y, like)
    return record(
        np.where(condition, x.data, y.data),
        (x, lambda g: np.where(condition, g, 0)),
        (y, lambda g: np.where(condition, 0, g)),
    )


def _fit(gradient, operand):
    """Sum a gradient over the axes along which its operand was repeated, so that it has the operand's shape and type."""
    if gradient.shape != operand.shape:
        new = gradient.ndim - operand.ndim
        stretched = tuple(i + new for i, size in enumerate(operand.shape) if size == 1)
        gradient = gradient.sum(axis=(*range(new), *stretched), keepdims=True).reshape(operand.shape)
    return gradient if gradient.dtype == operand.dtype else gradient.astype(operand.dtype)


def _with_axes(g, axis, keepdims):
    return g if keepdims or axis is None else np.expand_dims(g, axis)


def _power(x, k):
    """NumPy is fast for -1, 0.5, 1 and 2, and hundreds of times slower for other exponents than a few products."""
    if isinstance(k, int) and 2 < k <= 8:
        half = _power(x, k // 2)
        return half * half * x if k % 2 else half * half
    return x**k


def _repeats(index):
    """Whether an index can select one element more than once: only arrays of integers can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, (list, np.ndarray)) and np.asarray(part).dtype != bool for part in parts)


def _apply(operation, x, y):
    try:
        return operation(x.data, y.data)
    except ValueError:
        raise _misfit(operation.__name__, x.shape, y.shape) from None


def _misfit(name, x, y):
    axis = next(i for i in range(-1, -1 - min(len(x), len(y)), -1) if x[i] != y[i] and 1 not in (x[i], y[i]))
    return ShapeError(
        f"{name} cannot combine shapes {x} and {y}\n"
        f"  axis {axis} has sizes {x[axis]} and {y[axis]}: they must be equal, or one of them 1\n"
        "  hint: shapes are lined up at their last axes; insert an axis of size 1 with reshape or x[:, None]"
    )


def _misfit_of_matmul(a, b):
    if 0 in (a.ndim, b.ndim):
        return ShapeError(f"matmul cannot combine shapes {a.shape} and {b.shape}\n  hint: for a scalar use *, not @")
    left = "inner" if a.ndim == 1 else "_ " * (a.ndim - 2) + "rows inner"
    right = "inner" if b.ndim == 1 else "_ " * (b.ndim - 2) + "inner columns"
    try:
        check_shapes(
            "matmul", left=(a, left), right=(b, right), hint="transpose the one whose axes are in the other order"
        )
    except ShapeError as error:
        return error
    return _misfit("matmul", a.shape[:-2], b.shape[:-2])
