"""Reverse-mode differentiation in its smallest form: a number, how it was made, and the chain rule. Read it before `Tensor`."""

import itertools
import math

_clock = itertools.count()


class Value:
    """A number that remembers the numbers it was computed from, and its derivative with respect to each of them.

    Examples
    --------
    >>> x, y = Value(3), Value(4)
    >>> z = x * y + x**2
    >>> z.backward()
    >>> z.data, x.grad, y.grad
    (21.0, 10.0, 3.0)
    """

    def __init__(self, data, made_from=()):
        self.data = float(data)
        self.grad = 0.0
        self.made_from = made_from  # pairs: a Value, and the derivative of this number with respect to it
        self.time = next(_clock)

    def __add__(self, other):
        other = _value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        other = _value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, k):
        return Value(self.data**k, [(self, k * self.data ** (k - 1) if k else 0.0)])

    def exp(self):
        y = math.exp(self.data)
        return Value(y, [(self, y)])

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, [(self, 1 - y**2)])

    def relu(self):
        return Value(max(self.data, 0.0), [(self, float(self.data > 0))])

    def backward(self):
        """Add to ``grad`` of every Value behind this one the derivative of this one with respect to it."""
        flow = dict.fromkeys(self._newest_first(), 0.0) | {self: 1.0}  # what has arrived at each Value so far
        for value, arrived in flow.items():
            value.grad += arrived
            for operand, derivative in value.made_from:
                flow[operand] += arrived * derivative  # the chain rule; several ways to the result add up

    def _newest_first(self):
        """This Value and all behind it; a result is younger than its operands, so that none comes too early."""
        behind, found = [self], {self}
        for value in behind:  # the list grows while we walk along it: no recursion, however long the computation was
            new = {operand for operand, _ in value.made_from} - found
            found |= new
            behind += new
        return sorted(behind, key=lambda value: value.time, reverse=True)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -_value(other)

    def __truediv__(self, other):
        return self * _value(other) ** -1

    __radd__, __rmul__ = __add__, __mul__  # 1 + x is x + 1; then 1 - x and 1 / x
    __rsub__, __rtruediv__ = (lambda self, other: _value(other) - self), (lambda self, other: _value(other) / self)


def _value(number):
    return number if isinstance(number, Value) else Value(number)
