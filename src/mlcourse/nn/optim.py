"""Optimizers: how a step follows from a gradient. Each ``update`` is the method's formula.

A parameter is updated in place and in pieces, so small that all arrays of the formula stay in the processor's cache.
"""

from __future__ import annotations

import math

import numpy as np

from mlcourse.shapes import ShapeError

PIECE = 1 << 14  # numbers that are updated at a time


class Optimizer:
    """What all optimizers share. A subclass names its `slots` (arrays that it keeps, zero at first) and writes ``update``.

    Parameters
    ----------
    parameters : iterable of Parameter
        Such as ``model.parameters()``.
    lr : float
        Learning rate; may be changed at any time.
    weight_decay : float
        Strength of an L2 penalty: this times the parameter is added to its gradient.
    """

    slots = ()

    def __init__(self, parameters, lr, weight_decay=0.0):
        name, self.parameters = type(self).__name__, list(dict.fromkeys(parameters))
        if not self.parameters:
            raise ValueError(f"{name}: there are no parameters; does the model keep its layers in attributes?")
        for option, value in (("lr", lr), ("weight_decay", weight_decay)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}: {option} must be a finite number from 0 on; got {value}")
        self.lr, self.weight_decay, self.steps = lr, weight_decay, 0
        self._ends = np.cumsum(
            [p.size for p in self.parameters]
        )  # where the numbers of each parameter end in what is kept
        self._kept = {name: np.zeros(self._ends[-1], self.parameters[0].dtype) for name in self.slots}

    def step(self):
        """Change every parameter that has a gradient.

        Raises
        ------
        RuntimeError
            If none has one.
        TypeError
            If a parameter has been converted to another type since the optimizer was made.
        """
        if all(p.grad is None for p in self.parameters):
            raise RuntimeError(f"{type(self).__name__}.step: no parameter has a gradient; call loss.backward() first")
        self.steps += 1
        for p, end in zip(self.parameters, self._ends, strict=True):
            if p.grad is not None:
                self._step_of_one(p, [kept[end - p.size : end] for kept in self._kept.values()])

    def _step_of_one(self, p, kept):
        if any(array.dtype != p.dtype for array in kept):
            raise TypeError(
                f"{type(self).__name__}.step: a parameter is {p.dtype}, the optimizer was made for {kept[0].dtype}; "
                "make the optimizer after model.to(dtype)"
            )
        p.data = np.asarray(p.data, order="C")  # in another order reshape would copy, and the copy would be changed
        arrays = [p.data.reshape(-1), p.grad.reshape(-1), *kept]
        for start in range(0, p.size, PIECE):
            self.update(*(array[start : start + PIECE] for array in arrays))

    def update(self, w, g, *kept):
        """Change a piece `w` of a parameter in place, by its gradient `g`, which must stay as it is, and what is kept of it."""
        raise NotImplementedError

    def _decay(self, w, g):
        """Return the gradient of the loss and its penalty."""
        return g + self.weight_decay * w if self.weight_decay else g

    def zero_grad(self):
        """Forget the gradients, so that the next ones do not add up with them."""
        for p in self.parameters:
            p.grad = None

    def state_dict(self):
        """Return copies of what the next step depends on besides parameters, gradients and settings: it continues a saved run.

        Examples
        --------
        >>> from mlcourse.nn import Parameter
        >>> SGD([Parameter([1.0, 2.0])]).state_dict()
        {'steps': 0, 'velocity': array([0., 0.], dtype=float32)}
        """
        return {"steps": self.steps} | {name: kept.copy() for name, kept in self._kept.items()}

    def load_state_dict(self, state):
        """Take over what `state_dict` returned, of the same method for parameters of the same shapes in the same order.

        Parameters
        ----------
        state : mapping
            From `state_dict` or ``np.load(path)``.

        Raises
        ------
        KeyError
            If it belongs to another method.
        ShapeError
            If it belongs to another model. Nothing has been changed then.
        """
        where, wanted = f"{type(self).__name__}.load_state_dict", {"steps", *self.slots}
        if set(state) != wanted:
            raise KeyError(
                f"{where}: expected {sorted(wanted)}, got {sorted(state)}; was it saved by another optimizer?"
            )
        for name, kept in self._kept.items():
            if np.shape(state[name]) != kept.shape:
                raise ShapeError(
                    f"{where}: {name} has {np.size(state[name])} numbers, the parameters have {kept.size}\n"
                    "  hint: make the optimizer with the parameters of the model that was saved, all of them"
                )
        for name, kept in self._kept.items():
            kept[...] = state[name]
        self.steps = int(state["steps"])


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    Parameters
    ----------
    parameters : iterable of Parameter
    lr : float
    momentum : float
        How much of the velocity is left after a step.
    nesterov : bool
        Look ahead along the velocity.
    weight_decay : float

    References
    ----------
    Polyak, B. T. (1964). Some methods of speeding up the convergence of iteration methods. USSR Computational Mathematics 4(5).
    Sutskever, I., Martens, J., Dahl, G. and Hinton, G. (2013). On the importance of initialization and momentum in deep learning. ICML.

    Examples
    --------
    >>> from mlcourse.nn import Parameter
    >>> w = Parameter([4.0])
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([2.], dtype=float32)
    """

    slots = ("velocity",)

    def __init__(self, parameters, lr=0.01, momentum=0.0, nesterov=False, weight_decay=0.0):
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum")
        self.momentum, self.nesterov = momentum, nesterov
        super().__init__(parameters, lr, weight_decay)

    def update(self, w, g, v):
        g = self._decay(w, g)
        if self.momentum:
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        w -= self.lr * g


class AdaGrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far: what changed little may still change much.

    References
    ----------
    Duchi, J., Hazan, E. and Singer, Y. (2011). Adaptive subgradient methods for online learning and stochastic optimization.
    Journal of Machine Learning Research 12.
    """

    slots = ("squares",)

    def __init__(self, parameters, lr=0.01, eps=1e-10, weight_decay=0.0):
        self.eps = eps
        super().__init__(parameters, lr, weight_decay)

    def update(self, w, g, s):
        g = self._decay(w, g)
        s += g * g
        w -= self.lr * g / (np.sqrt(s) + self.eps)


class RMSProp(Optimizer):
    """Like `AdaGrad`, with a running average in place of the sum, so that steps do not fade.

    References
    ----------
    Tieleman, T. and Hinton, G. (2012). Lecture 6.5, RMSProp. Neural Networks for Machine Learning, Coursera.
    """

    slots = ("squares", "velocity")

    def __init__(self, parameters, lr=0.01, alpha=0.99, eps=1e-8, momentum=0.0, weight_decay=0.0):
        self.alpha, self.eps, self.momentum = alpha, eps, momentum
        super().__init__(parameters, lr, weight_decay)

    def update(self, w, g, s, v):
        g = self._decay(w, g)
        s += (1 - self.alpha) * (g * g - s)
        step = g / (np.sqrt(s) + self.eps)
        if self.momentum:
            v *= self.momentum
            v += step
            step = v
        w -= self.lr * step


class Adam(Optimizer):
    """Running averages of the gradient and of its square, both corrected for having begun at zero.

    Parameters
    ----------
    parameters : iterable of Parameter
    lr : float
    betas : pair of float
        How much of the two averages is kept at each step.
    eps : float
        Added to the root, against division by zero.
    weight_decay : float

    References
    ----------
    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
    """

    slots = ("mean", "squares")

    def __init__(self, parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.betas, self.eps = betas, eps
        super().__init__(parameters, lr, weight_decay)

    def update(self, w, g, m, s):
        g, (b1, b2) = self._decay(w, g), self.betas
        m += (1 - b1) * (g - m)
        s += (1 - b2) * (g * g - s)
        m_hat = m / (1 - b1**self.steps)
        s_hat = s / (1 - b2**self.steps)
        w -= self.lr * m_hat / (np.sqrt(s_hat) + self.eps)


class AdamW(Adam):
    """Adam with a decay of the weights that does not pass through the averages: they shrink by ``lr * weight_decay`` at each step.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.
    """

    def __init__(self, parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def _decay(self, w, g):
        w *= 1 - self.lr * self.weight_decay
        return g


def clip_gradients(parameters, max_norm):
    """Shorten all gradients by one factor if together they are longer than `max_norm`; return their length before.

    References
    ----------
    Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural networks. ICML.

    Examples
    --------
    >>> from mlcourse.nn import Parameter
    >>> w = Parameter([3.0, 4.0])
    >>> (w * w).sum().backward()
    >>> clip_gradients([w], 1.0), w.grad.round(3)
    (10.0, array([0.6, 0.8], dtype=float32))
    """
    given = [parameter for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(parameter.grad, parameter.grad)) for parameter in given))
    if norm > max_norm:
        for parameter in given:
            parameter.grad = parameter.grad * parameter.dtype.type(max_norm / norm)
    return norm


# -------------------------------------------------------------------------------------------------------------- schedules


def step_decay(every, factor=0.1):
    """Schedule: multiply the learning rate by `factor` after `every` steps, and again, and again.

    A schedule is a function of the number of steps done so far; its value times the first learning rate is the learning rate.

    Examples
    --------
    >>> [step_decay(10, 0.5)(step) for step in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    return lambda step: float(factor ** (step // every))


def exponential_decay(factor):
    """Schedule: multiply the learning rate by `factor` at every step.

    Examples
    --------
    >>> exponential_decay(0.5)(3)
    0.125
    """
    return lambda step: float(factor**step)


def warmup_cosine(steps, warmup=0, last=0.0):
    """Schedule: up in a straight line for `warmup` steps, then down along half a cosine to `last` at the end of `steps`.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2017). SGDR: stochastic gradient descent with warm restarts. ICLR.

    Examples
    --------
    >>> schedule = warmup_cosine(100, warmup=10)
    >>> [round(schedule(step), 2) for step in (0, 4, 10, 55, 100, 200)]
    [0.1, 0.5, 1.0, 0.5, 0.0, 0.0]
    """
    if not 0 <= warmup < steps:
        raise ValueError(f"warmup_cosine: warmup must be from 0 to less than steps; got warmup={warmup}, steps={steps}")

    def schedule(step):
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / (steps - warmup))
        return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * done))

    return schedule
