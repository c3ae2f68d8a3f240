"""Recurrent layers over a whole sequence: each as one function, with back-propagation through time written out.

Sequences have shape (time, n, features) here. The products with the inputs are done for all times at once, so the loop over time
holds only what really depends on the step before. Back-propagation first computes, for all times at once, what each gate's
gradient is to be multiplied with; then its loop holds one matrix product and a few multiplications.

References
----------
Werbos, P. J. (1990). Backpropagation through time: what it does and how to do it. Proceedings of the IEEE 78(10).
Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8).
Cho, K. et al. (2014). Learning phrase representations using RNN encoder–decoder for statistical machine translation. EMNLP.
"""

from __future__ import annotations

import numpy as np

from mlcourse.autograd.tensor import record_jointly


def rnn(x, h0, Wx, Wh, b):
    """Elman's network: ``h[t] = tanh(x[t] Wx + h[t-1] Wh + b)``.

    Parameters
    ----------
    x : Tensor of shape (time, n, d)
    h0 : Tensor of shape (n, k)
    Wx : Tensor of shape (d, k)
    Wh : Tensor of shape (k, k)
    b : Tensor of shape (k,)

    Returns
    -------
    Tensor of shape (time, n, k)
        The state after each step.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> one = Tensor([[1.0]])
    >>> rnn(Tensor([[[1.0]], [[0.0]]]), Tensor([[0.0]]), one, one, Tensor([0.0])).data.ravel().round(4)
    array([0.7616, 0.642 ], dtype=float32)
    """
    inputs = _inputs(x, Wx, b)
    h = _states(h0, len(x.data))
    for t in range(len(inputs)):
        h[t + 1] = np.tanh(inputs[t] + h[t] @ Wh.data)

    def pullback(g):
        slope = 1 - h[1:] ** 2
        da, dh = np.empty_like(slope), np.zeros_like(h[0])
        for t in reversed(range(len(da))):
            dh += g[t]
            da[t] = dh * slope[t]
            dh = da[t] @ Wh.data.T
        return _input_gradient(da, x, Wx), dh, *_weight_gradients(da, x, h)

    return record_jointly(h[1:], (x, h0, Wx, Wh, b), pullback)


def lstm(x, h0, c0, Wx, Wh, b):
    """Long short-term memory: a cell c that is kept, forgotten and written by gates, and the state h that it shows.

    With ``i, f, g, o`` the four quarters of ``x[t] Wx + h[t-1] Wh + b``, the second last through tanh, the others through the sigmoid::

        c[t] = f · c[t-1] + i · g
        h[t] = o · tanh(c[t])

    Parameters
    ----------
    x : Tensor of shape (time, n, d)
    h0, c0 : Tensor of shape (n, k)
    Wx : Tensor of shape (d, 4 k)
    Wh : Tensor of shape (k, 4 k)
    b : Tensor of shape (4 k,)

    Returns
    -------
    Tensor of shape (time + 1, n, k)
        The state after each step, and below them the last cell.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> zero, W = Tensor([[0.0]]), Tensor([[1.0, 1.0, 1.0, 1.0]])
    >>> lstm(Tensor([[[1.0]]]), zero, zero, W, W, Tensor(np.zeros(4))).data.ravel().round(4)
    array([0.3696, 0.5568], dtype=float32)
    """
    T, k = len(x.data), len(Wh)
    gates = _inputs(x, Wx, b)  # (time, n, 4 k), and soon what comes out of the gates
    i, f, g, o = (gates[..., j * k : (j + 1) * k] for j in range(4))
    h, c, tanh_c = _states(h0, T), _states(c0, T), np.empty_like(i)
    for t in range(T):
        gates[t] += h[t] @ Wh.data
        np.tanh(g[t], out=g[t])
        _sigmoid(gates[t, :, : 2 * k])
        _sigmoid(o[t])
        c[t + 1] = f[t] * c[t] + i[t] * g[t]
        tanh_c[t] = np.tanh(c[t + 1])
        h[t + 1] = o[t] * tanh_c[t]

    def pullback(grad):
        to_i, to_f, to_g = g * i * (1 - i), c[:-1] * f * (1 - f), i * (1 - g * g)  # dc times this is da
        to_o, to_c = h[1:] * (1 - o), o * (1 - tanh_c**2)  # dh times this is da, and a part of dc
        da = np.empty_like(gates)
        dh, dc = np.zeros_like(h[0]), grad[T].copy()
        for t in reversed(range(T)):
            dh += grad[t]
            dc += dh * to_c[t]
            np.concatenate([dc * to_i[t], dc * to_f[t], dc * to_g[t], dh * to_o[t]], axis=1, out=da[t])
            dc *= f[t]
            dh = da[t] @ Wh.data.T
        return _input_gradient(da, x, Wx), dh, dc, *_weight_gradients(da, x, h)

    return record_jointly(np.concatenate([h[1:], c[-1:]]), (x, h0, c0, Wx, Wh, b), pullback)


def gru(x, h0, Wx, Wh, bx, bh):
    """Gated recurrent unit: the new state is a mixture of the old one and a candidate.

    With ``p = x[t] Wx + bx`` and ``q = h[t-1] Wh + bh``, each in three parts::

        r = sigmoid(p₁ + q₁)                how much of the old state the candidate sees
        z = sigmoid(p₂ + q₂)                how much of the old state stays
        m = tanh(p₃ + r · q₃)               the candidate
        h[t] = (1 - z) · m + z · h[t-1]

    Parameters
    ----------
    x : Tensor of shape (time, n, d)
    h0 : Tensor of shape (n, k)
    Wx : Tensor of shape (d, 3 k)
    Wh : Tensor of shape (k, 3 k)
    bx, bh : Tensor of shape (3 k,)

    Returns
    -------
    Tensor of shape (time, n, k)
        The state after each step.

    Examples
    --------
    >>> from mlcourse.autograd import Tensor
    >>> zero, W, b = Tensor([[0.0]]), Tensor([[1.0, 1.0, 1.0]]), Tensor(np.zeros(3))
    >>> gru(Tensor([[[1.0]]]), zero, W, W, b, b).data.ravel().round(4)
    array([0.2048], dtype=float32)
    """
    T, k = len(x.data), len(Wh)
    p = _inputs(x, Wx, bx)  # (time, n, 3 k), and soon r, z and m
    q = np.empty_like(p)
    r, z, m = (p[..., j * k : (j + 1) * k] for j in range(3))
    h = _states(h0, T)
    for t in range(T):
        q[t] = h[t] @ Wh.data + bh.data
        p[t, :, : 2 * k] += q[t, :, : 2 * k]
        _sigmoid(p[t, :, : 2 * k])
        m[t] = np.tanh(m[t] + r[t] * q[t, :, 2 * k :])
        h[t + 1] = (1 - z[t]) * m[t] + z[t] * h[t]

    def pullback(g):
        to_m, to_z = (
            (1 - z) * (1 - m * m),
            (h[:-1] - m) * z * (1 - z),
        )  # dh times this is the gradient of the sum inside
        to_r = q[..., 2 * k :] * r * (1 - r)  # that of m's sum times this
        dp, dq, dh = np.empty_like(p), np.empty_like(p), np.zeros_like(h[0])
        for t in reversed(range(T)):
            dh += g[t]
            dm = dh * to_m[t]
            both = [dm * to_r[t], dh * to_z[t]]
            np.concatenate([*both, dm], axis=1, out=dp[t])
            np.concatenate([*both, dm * r[t]], axis=1, out=dq[t])
            dh = dh * z[t] + dq[t] @ Wh.data.T
        dWx, _, dbx = _weight_gradients(dp, x, h)
        _, dWh, dbh = _weight_gradients(dq, x, h)
        return _input_gradient(dp, x, Wx), dh, dWx, dWh, dbx, dbh

    return record_jointly(h[1:], (x, h0, Wx, Wh, bx, bh), pullback)


def _inputs(x, W, b):
    """``x W + b`` for all times at once."""
    return (_rows(x.data) @ W.data + b.data).reshape(*x.shape[:2], W.shape[1])


def _states(first, T):
    states = np.empty((T + 1, *first.shape), first.dtype)
    states[0] = first.data
    return states


def _sigmoid(a):
    """Of every number, in place: ½ tanh(½ a) + ½, which cannot overflow."""
    a *= 0.5
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5


def _rows(x):
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])


def _input_gradient(da, x, Wx):
    return (_rows(da) @ Wx.data.T).reshape(x.shape) if x.requires_grad else None


def _weight_gradients(da, x, h):
    """Gradients of Wx, Wh and the bias from those of the sums that they went into; h holds one state more than da."""
    da = _rows(da)
    return _rows(x.data).T @ da, _rows(h[:-1]).T @ da, np.ones(len(da), da.dtype) @ da
