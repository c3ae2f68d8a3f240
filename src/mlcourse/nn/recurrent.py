"""Recurrent layers: parameters around the functions of `mlcourse.autograd.recurrence`, where the formulas stand.

Sequences have shape (n, time, features), as for attention; only the functions underneath have time first.
"""

from __future__ import annotations

import numpy as np

import mlcourse.autograd as A
from mlcourse.nn.layers import uniform
from mlcourse.nn.module import Module
from mlcourse.shapes import ShapeError, check_shapes


class RNN(Module):
    """Recurrent network of Elman: the new state is tanh of a linear function of the input and the state before.

    Parameters
    ----------
    inputs : int
        Features of the input at each time.
    units : int
        Size of the state.
    rng : Generator or int, optional

    Examples
    --------
    >>> outputs, state = RNN(3, 5, rng=0)(np.zeros((2, 7, 3)))
    >>> outputs.shape, state.shape
    ((2, 7, 5), (2, 5))
    """

    gates, n_biases = 1, 1

    def __init__(self, inputs, units, rng=None):
        rng, width = np.random.default_rng(rng), self.gates * units
        self.input_weight = uniform(rng, units, inputs, width)
        self.state_weight = uniform(rng, units, units, width)
        self.biases = [uniform(rng, units, width) for _ in range(self.n_biases)]

    def forward(self, x, state=None):
        """Run over whole sequences.

        Parameters
        ----------
        x : Tensor of shape (n, time, inputs)
        state : Tensor of shape (n, units), optional
            To begin with; zeros if it is missing. For `LSTM` a pair of them.

        Returns
        -------
        outputs : Tensor of shape (n, time, units)
        state : Tensor of shape (n, units), or a pair of them
            After the last step; pass it on to continue, after ``detach()`` to stop gradients there.
        """
        x, h = self._prepare(x, state)
        outputs = self.run(x, h, *self._weights())
        return outputs.transpose(1, 0, 2), outputs[-1]

    run = staticmethod(A.rnn)

    def _weights(self):
        return self.input_weight, self.state_weight, *self.biases

    def _prepare(self, x, *states):
        x, weight = A.as_tensor(x, self.input_weight), (self.input_weight, "inputs _")
        hint = "sequences are (n, time, inputs): a single one becomes x[None], one number at each time x[..., None]"
        check_shapes(self, hint=hint, input_weight=weight, x=(x, "n time inputs"))
        if x.shape[1] == 0:
            raise ShapeError(f"{self} needs at least one time; x has shape {x.shape}")
        zeros = np.zeros((len(x), len(self.state_weight)))
        states = [A.as_tensor(zeros if state is None else state, x) for state in states]
        for state in states:
            check_shapes(
                self, x=(x, "n time inputs"), state_weight=(self.state_weight, "units _"), state=(state, "n units")
            )
        return x.transpose(1, 0, 2), *states

    def __repr__(self):
        return f"{type(self).__name__}({len(self.input_weight)} -> {len(self.state_weight)})"


class LSTM(RNN):
    """Long short-term memory: gates decide what a cell keeps, forgets and shows. Its state is the pair of state and cell.

    Parameters and shapes as in `RNN`.

    Examples
    --------
    >>> outputs, (state, cell) = LSTM(3, 5, rng=0)(np.zeros((2, 7, 3)))
    >>> outputs.shape, state.shape, cell.shape
    ((2, 7, 5), (2, 5), (2, 5))
    """

    gates = 4

    def forward(self, x, state=None):
        if state is not None and not (isinstance(state, (tuple, list)) and len(state) == 2):
            raise TypeError(f"{self}: its state is the pair (state, cell); got {type(state).__name__}")
        x, h, c = self._prepare(x, *((None, None) if state is None else state))
        outputs = A.lstm(x, h, c, *self._weights())  # (time + 1, n, units): the last row is the cell
        return outputs[:-1].transpose(1, 0, 2), (outputs[-2], outputs[-1])


class GRU(RNN):
    """Gated recurrent unit: the new state is a mixture of the old one and a candidate. Parameters and shapes as in `RNN`.

    Examples
    --------
    >>> outputs, state = GRU(3, 5, rng=0)(np.zeros((2, 7, 3)))
    >>> outputs.shape, state.shape
    ((2, 7, 5), (2, 5))
    """

    gates, n_biases = 3, 2
    run = staticmethod(A.gru)
