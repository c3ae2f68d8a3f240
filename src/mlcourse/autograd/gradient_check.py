"""Compare the gradients of `backward` with finite differences."""

from __future__ import annotations

import numpy as np

from mlcourse.autograd.tensor import Tensor, no_grad


class GradientError(AssertionError):
    """A gradient that finite differences contradict."""


def gradient_check(function, *inputs, step=1e-6, tolerance=1e-6):
    """Check the gradients of a function against central differences, and return the largest deviation.

    The function's result is multiplied by fixed random numbers and summed, so that one backward pass tests all of it. Every number of
    every input is then moved up and down by `step`. At a kink, such as that of relu at 0, the two cannot agree.

    Parameters
    ----------
    function : callable
        Takes the inputs, returns a Tensor; the same each time, so without dropout.
    *inputs : Tensor
        64-bit, with ``requires_grad=True``. To check the parameters of a module, pass them and let the function ignore them:
        ``gradient_check(lambda *_: model(x), *model.parameters())``.
    step : float
    tolerance : float
        Allowed deviation, relative to the largest number of the gradient or to 1.

    Returns
    -------
    float
        The largest deviation, relative in the same way.

    Raises
    ------
    GradientError
        If a deviation is larger than `tolerance`; the message says which input, where, and both numbers.
    TypeError
        If an input is not a 64-bit Tensor that requires a gradient.

    Examples
    --------
    >>> x = Tensor([0.5, -2.0], requires_grad=True, dtype=np.float64)
    >>> gradient_check(lambda x: (x * x).exp(), x) < 1e-8
    True
    """
    for number, x in enumerate(inputs):
        if not isinstance(x, Tensor) or x.dtype != np.float64 or not x.requires_grad:
            raise TypeError(
                f"gradient_check: input {number} must be a Tensor with dtype=np.float64 and requires_grad=True; 32 bits are too few "
                "for differences. Make it so, or convert a module with model.to(np.float64)"
            )
        x.grad = None
    result = function(*inputs)
    weights = np.random.default_rng(0).normal(size=result.shape)
    result.backward(weights)
    analytic = [np.zeros(x.shape) if x.grad is None else x.grad for x in inputs]

    def value():
        with no_grad():
            return float(np.sum(function(*inputs).data * weights))

    worst = 0.0
    for number, (x, gradient) in enumerate(zip(inputs, analytic, strict=True)):
        numeric = _differences(value, x, step)
        deviation = np.abs(gradient - numeric) / max(1.0, np.abs(numeric).max(initial=0))
        if not (deviation <= tolerance).all():  # "not all" rather than "any", so that NaN is found too
            at = np.unravel_index(np.argmax(deviation), x.shape)
            place = f"[{', '.join(map(str, at))}]" if at else ""
            raise GradientError(
                f"gradient_check: the gradient of input {number}{place} is {gradient[at]:.6g}, "
                f"finite differences say {numeric[at]:.6g}; largest deviation {deviation.max():.1e}, allowed {tolerance:.0e}"
            )
        worst = max(worst, float(deviation.max(initial=0)))
    return worst


def _differences(value, x, step):
    kept, numeric = x.data, np.empty(x.shape)
    for at in np.ndindex(x.shape):
        sides = []
        for moved in (kept[at] + step, kept[at] - step):
            x.data = kept.copy()
            x.data[at] = moved
            sides.append(value())
        numeric[at] = (sides[0] - sides[1]) / (2 * step)
    x.data = kept
    return numeric
