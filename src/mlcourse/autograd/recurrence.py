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

__all__ = ["gru", "lstm", "rnn"]


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
    T, n, k = *x.shape[:2], len(Wh)
    inputs = _rows(x.data) @ Wx.data
    inputs += b.data
    inputs = inputs.reshape(T, n, k)
    h = _states(T, h0)
    for t in range(T):
        a = h[t] @ Wh.data
        a += inputs[t]
        np.tanh(a, out=h[t + 1])

    def pullback(g):
        slope = 1 - h[1:] ** 2
        da, dh, WhT = np.empty_like(slope), np.zeros((n, k), g.dtype), Wh.data.T.copy()
        for t in reversed(range(T)):
            dh += g[t]
            np.multiply(dh, slope[t], out=da[t])
            dh = da[t] @ WhT
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
    T, n, k = *x.shape[:2], len(Wh)
    scale = np.full(4 * k, 0.5, x.dtype)  # sigmoid(a) = ½ tanh(½ a) + ½, so one tanh serves all four gates
    scale[2 * k : 3 * k] = 1
    shift = 1 - scale
    shift[2 * k : 3 * k] = 0
    inputs = _rows(x.data) @ (Wx.data * scale)
    inputs += b.data * scale
    gates = inputs.reshape(T, n, 4 * k)
    Wh_scaled = Wh.data * scale
    h, c = _states(T, h0), _states(T, c0)
    tanh_c, product = np.empty((T, n, k), x.dtype), np.empty((n, 4 * k), x.dtype)
    for t in range(T):
        a = gates[t]
        np.matmul(h[t], Wh_scaled, out=product)
        a += product
        np.tanh(a, out=a)
        a *= scale
        a += shift
        i, f, g, o = (a[:, j * k : (j + 1) * k] for j in range(4))
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * g
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])

    def pullback(grad):
        i, f, g, o = (gates[..., j * k : (j + 1) * k] for j in range(4))
        factor = np.empty((T, n, 4, k), x.dtype)  # dc or dh times this is the gradient of a gate before its activation
        np.multiply(g * i, 1 - i, out=factor[:, :, 0])
        np.multiply(c[:-1] * f, 1 - f, out=factor[:, :, 1])
        np.multiply(i, 1 - g * g, out=factor[:, :, 2])
        np.multiply(h[1:], 1 - o, out=factor[:, :, 3])
        from_h = o * (1 - tanh_c**2)
        da, WhT = factor, Wh.data.T.copy()  # the products take the place of the factors
        dh, dc = np.zeros((n, k), x.dtype), grad[T].copy()
        for t in reversed(range(T)):
            dh += grad[t]
            dc += dh * from_h[t]
            da[t, :, :3] *= dc[:, None]
            da[t, :, 3] *= dh
            dc *= f[t]
            dh = da[t].reshape(n, 4 * k) @ WhT
        da = da.reshape(T, n, 4 * k)
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
    T, n, k = *x.shape[:2], len(Wh)
    inputs = _rows(x.data) @ Wx.data
    inputs += bx.data
    inputs = inputs.reshape(T, n, 3 * k)
    h = _states(T, h0)
    rz, m, q3 = np.empty((T, n, 2 * k), x.dtype), np.empty((T, n, k), x.dtype), np.empty((T, n, k), x.dtype)
    for t in range(T):
        q = h[t] @ Wh.data
        q += bh.data
        a = rz[t]
        np.add(inputs[t, :, : 2 * k], q[:, : 2 * k], out=a)
        a *= 0.5
        np.tanh(a, out=a)
        a *= 0.5
        a += 0.5
        q3[t] = q[:, 2 * k :]
        np.multiply(a[:, :k], q3[t], out=m[t])
        m[t] += inputs[t, :, 2 * k :]
        np.tanh(m[t], out=m[t])
        np.subtract(h[t], m[t], out=h[t + 1])
        h[t + 1] *= a[:, k:]
        h[t + 1] += m[t]

    def pullback(g):
        r, z = rz[..., :k], rz[..., k:]
        to_z = (h[:-1] - m) * z * (1 - z)
        to_m = (1 - z) * (1 - m * m)
        to_r = q3 * r * (1 - r)
        dp, dq = np.empty((T, n, 3 * k), x.dtype), np.empty((T, n, 3 * k), x.dtype)
        dh, WhT = np.zeros((n, k), x.dtype), Wh.data.T.copy()
        for t in reversed(range(T)):
            dh += g[t]
            p = dp[t]
            np.multiply(dh, to_m[t], out=p[:, 2 * k :])
            np.multiply(dh, to_z[t], out=p[:, k : 2 * k])
            np.multiply(p[:, 2 * k :], to_r[t], out=p[:, :k])
            dq[t, :, : 2 * k] = p[:, : 2 * k]
            np.multiply(p[:, 2 * k :], r[t], out=dq[t, :, 2 * k :])
            dh *= z[t]
            dh += dq[t] @ WhT
        dWx, _, dbx = _weight_gradients(dp, x, h)
        _, dWh, dbh = _weight_gradients(dq, x, h)
        return _input_gradient(dp, x, Wx), dh, dWx, dWh, dbx, dbh

    return record_jointly(h[1:], (x, h0, Wx, Wh, bx, bh), pullback)


def _states(T, first):
    states = np.empty((T + 1, *first.shape), first.dtype)
    states[0] = first.data
    return states


def _rows(x):
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])


def _input_gradient(da, x, Wx):
    return (_rows(da) @ Wx.data.T).reshape(x.shape) if x.requires_grad else None


def _weight_gradients(da, x, h):
    """Gradients of Wx, Wh and the bias from those of the sums that they went into; h holds one state more than da."""
    da = _rows(da)
    return _rows(x.data).T @ da, _rows(h[:-1]).T @ da, np.ones(len(da), da.dtype) @ da
