"""Recurrent layers equal torch's over whole sequences, forward and backward, last states included."""

import numpy as np
import pytest
import torch

from mlcourse.autograd import gru, lstm, rnn
from tests.autograd.oracle import equals_torch

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def run_torch(kind, x, states, Wx, Wh, bx, bh):
    """torch's own layer as a function of its parameters."""
    layer = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](
        len(Wx), len(Wh), dtype=torch.float64
    )
    state = tuple(s[None] for s in states) if kind == "lstm" else states[0][None]
    parameters = dict(
        zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), (Wx.T, Wh.T, bx, bh), strict=True)
    )
    output, last = torch.func.functional_call(layer, parameters, (x, state))
    return torch.cat([output, last[1]]) if kind == "lstm" else output


def plain(kind, x, states, Wx, Wh, bx, bh):
    """The formulas, one step after the other, with operations of Tensor or torch alike."""
    h, c, k, out = states[0], states[-1], len(Wh), []
    for t in range(len(x)):
        p, q = x[t] @ Wx + bx, h @ Wh + bh
        a = p + q
        if kind == "rnn":
            h = a.tanh()
        elif kind == "lstm":
            i, f, g, o = (
                a[:, :k].sigmoid(),
                a[:, k : 2 * k].sigmoid(),
                a[:, 2 * k : 3 * k].tanh(),
                a[:, 3 * k :].sigmoid(),
            )
            c = f * c + i * g
            h = o * c.tanh()
        else:
            r, z = a[:, :k].sigmoid(), a[:, k : 2 * k].sigmoid()
            m = (p[:, 2 * k :] + r * q[:, 2 * k :]).tanh()
            h = (1 - z) * m + z * h
        out.append(h)
    return torch.stack([*out, c] if kind == "lstm" else out)


def ours(kind, x, states, Wx, Wh, bx, bh):
    if kind == "gru":
        return gru(x, *states, Wx, Wh, bx, bh)
    return {"rnn": rnn, "lstm": lstm}[kind](x, *states, Wx, Wh, bx + bh)


@pytest.mark.parametrize("kind", GATES)
def test_equals_torch_and_the_plain_loop(kind):
    n_states = 2 if kind == "lstm" else 1
    for seed in range(200):
        rng = np.random.default_rng(seed)
        T, n, d, k = (int(size) for size in rng.integers(1, 5, 4))
        width = GATES[kind] * k
        shapes = [(T, n, d), *[(n, k)] * n_states, (d, width), (k, width), (width,), (width,)]
        arrays = [rng.normal(size=shape) * rng.choice([0.5, 2]) for shape in shapes]

        def call(run):
            return lambda x, *rest: run(kind, x, rest[:n_states], *rest[n_states:])

        equals_torch(call(ours), call(run_torch), *arrays, differences=seed < 10, note=f"seed {seed}")
        equals_torch(call(ours), call(plain), *arrays, differences=False, note=f"seed {seed}")


@pytest.mark.parametrize("kind", GATES)
def test_the_inputs_and_gradients_of_others_are_not_changed(kind):
    from mlcourse.autograd import Tensor

    rng, width = np.random.default_rng(0), GATES[kind] * 2
    states = [Tensor(rng.normal(size=(3, 2)), True) for _ in range(2 if kind == "lstm" else 1)]
    rest = [Tensor(rng.normal(size=shape), True) for shape in [(5, width), (2, width), (width,), (width,)]]
    x = Tensor(rng.normal(size=(4, 3, 5)), True)
    before = [t.data.copy() for t in (x, *states, *rest)]
    y = ours(kind, x, states, *rest)
    gradient = rng.normal(size=y.shape).astype(np.float32)
    kept = gradient.copy()
    y.backward(gradient)
    first = [t.grad.copy() for t in (x, *states, *rest)]
    y.backward(gradient)
    np.testing.assert_array_equal(gradient, kept)
    for tensor, data, grad in zip((x, *states, *rest), before, first, strict=True):
        np.testing.assert_array_equal(tensor.data, data)
        np.testing.assert_allclose(tensor.grad, 2 * grad, rtol=1e-6)
