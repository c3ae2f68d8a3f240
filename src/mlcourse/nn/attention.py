"""Attention with several heads, and the block that transformers are stacked from."""

from __future__ import annotations

import numpy as np

import mlcourse.autograd as A
from mlcourse.nn.layers import GELU, Dropout, LayerNorm, Linear, Sequential
from mlcourse.nn.module import Module
from mlcourse.shapes import check_shapes


class MultiHeadAttention(Module):
    """Each position gathers from the others what it asks for, in several independent ways at once.

    Parameters
    ----------
    d : int
        Features of a position; a multiple of `heads`.
    heads : int
    rng : Generator or int, optional

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(2, 7, 16))
    >>> MultiHeadAttention(16, heads=4, rng=0)(x, mask=A.causal_mask(7)).shape
    (2, 7, 16)
    """

    def __init__(self, d, heads, rng=None):
        if heads < 1 or d % heads:
            raise ValueError(f"MultiHeadAttention: d must be a multiple of heads; got d={d}, heads={heads}")
        rng = np.random.default_rng(rng)
        self.heads = heads
        self.query, self.key, self.value, self.output = (Linear(d, d, rng=rng) for _ in range(4))

    def forward(self, x, context=None, mask=None):
        """Let x look at the context, or at itself.

        Parameters
        ----------
        x : Tensor of shape (n, queries, d)
        context : Tensor of shape (n, keys, d), optional
            By default x: self-attention.
        mask : ndarray of bool, optional
            True where a query may look at a key; of shape (queries, keys), or (n, 1, queries, keys) to differ in the batch.

        Returns
        -------
        Tensor of shape (n, queries, d)
        """
        context = x if context is None else context
        hint, weight = "sequences are (n, length, d): a single one becomes x[None]", (self.query.weight, "d _")
        check_shapes(self, hint=hint, weight=weight, x=(x, "n queries d"), context=(context, "n keys d"))
        q, k, v = self._split(self.query(x)), self._split(self.key(context)), self._split(self.value(context))
        y = A.attention(q, k, v, mask, where=self)  # (n, heads, queries, d / heads)
        n, heads, queries, e = y.shape
        return self.output(y.transpose(0, 2, 1, 3).reshape(n, queries, heads * e))

    def _split(self, x):
        n, length, d = x.shape
        return x.reshape(n, length, self.heads, d // self.heads).transpose(0, 2, 1, 3)

    def __repr__(self):
        return f"MultiHeadAttention(d={self.query.weight.shape[0]}, heads={self.heads})"


class Block(Module):
    """Transformer block: attention, then a network for each position; each is normalized first and added to what came in.

    Parameters
    ----------
    d : int
    heads : int
    hidden : int, optional
        Units between the two linear layers of the network; by default 4 d.
    dropout : float
        Of what is added.
    rng : Generator or int, optional

    References
    ----------
    Xiong, R. et al. (2020). On layer normalization in the transformer architecture. ICML.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(2, 7, 16))
    >>> Block(16, heads=4, rng=0)(A.Tensor(x), mask=A.causal_mask(7)).shape
    (2, 7, 16)
    """

    def __init__(self, d, heads, hidden=None, dropout=0.0, rng=None):
        rng, hidden = np.random.default_rng(rng), hidden or 4 * d
        self.norm1, self.attention = LayerNorm(d), MultiHeadAttention(d, heads, rng)
        self.norm2 = LayerNorm(d)
        self.network = Sequential(Linear(d, hidden, rng=rng), GELU(), Linear(hidden, d, rng=rng))
        self.dropout = Dropout(dropout, rng)

    def forward(self, x, mask=None):
        x = x + self.dropout(self.attention(self.norm1(x), mask=mask))
        return x + self.dropout(self.network(self.norm2(x)))
