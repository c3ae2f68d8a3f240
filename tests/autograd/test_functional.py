"""Every fused function equals torch's, forward and backward, on 200 random tiny problems and in degenerate cases."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mlcourse.autograd import (
    Tensor,
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
from mlcourse.shapes import ShapeError
from tests.autograd.oracle import equals_torch


def problems(number=200):
    for seed in range(number):
        yield seed, np.random.default_rng(seed)


def sizes(rng, n, smallest=1, largest=5):
    return tuple(int(s) for s in rng.integers(smallest, largest, n))


def test_linear():
    for seed, rng in problems():
        lead = sizes(rng, rng.integers(0, 4), smallest=0 if seed % 7 == 0 else 1)
        d, k = sizes(rng, 2)
        arrays = rng.normal(size=(*lead, d)), rng.normal(size=(d, k)), rng.normal(size=k)
        close = {"differences": seed < 20, "note": f"seed {seed}"}
        equals_torch(linear, lambda x, W, b: F.linear(x, W.T, b), *arrays, **close)
        equals_torch(linear, lambda x, W: x @ W, *arrays[:2], **close)


def test_softmax_and_its_logarithm_along_any_axis():
    for seed, rng in problems():
        shape = sizes(rng, rng.integers(1, 4))
        axis = int(rng.integers(-len(shape), len(shape)))
        x = rng.normal(size=shape) * 10 ** rng.integers(0, 3)
        close = {"differences": seed < 20, "note": f"seed {seed}"}
        equals_torch(lambda x, axis=axis: softmax(x, axis), lambda x, axis=axis: x.softmax(axis), x, **close)
        equals_torch(lambda x, axis=axis: log_softmax(x, axis), lambda x, axis=axis: x.log_softmax(axis), x, **close)


def test_gelu():
    for seed, rng in problems():
        x = rng.normal(size=sizes(rng, rng.integers(0, 4))) * 3
        equals_torch(gelu, lambda x: F.gelu(x, approximate="tanh"), x, differences=seed < 20)


def test_leaky_relu():
    for seed, rng in problems():
        x = rng.normal(size=sizes(rng, rng.integers(0, 4)))
        equals_torch(lambda x: leaky_relu(x, 0.2), lambda x: F.leaky_relu(x, 0.2), x, differences=seed < 20)


def test_layer_norm():
    for seed, rng in problems():
        *lead, d = sizes(rng, rng.integers(1, 5))
        x = rng.normal(size=(*lead, d))
        if seed % 5 == 0:
            x[...] = 2.0  # constant rows
        arrays = x, rng.normal(size=d), rng.normal(size=d)
        equals_torch(
            layer_norm, lambda x, w, b: F.layer_norm(x, w.shape, w, b), *arrays,
            differences=seed % 5 > 0 and seed < 20, places=8, note=f"seed {seed}",
        )  # fmt: skip


def test_batch_norm_in_training_and_in_evaluation():
    for seed, rng in problems():
        n, c, h, w = sizes(rng, 4)
        shape = (n + 1, c) if seed % 2 else (n + 1, c, h, w)
        x = rng.normal(size=shape)
        if seed % 10 == 1:
            x[:, 0] = 3.0
        arrays = x, rng.normal(size=c), rng.normal(size=c)
        close = {"differences": seed < 20 and seed % 10 != 1, "places": 8, "note": f"seed {seed}"}
        equals_torch(
            lambda *a: batch_norm(*a)[0],
            lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
            *arrays,
            **close,
        )
        _, mean, variance = batch_norm(*(Tensor(a, dtype=np.float64) for a in arrays))
        axes = (0, *range(2, x.ndim))
        np.testing.assert_allclose(mean, x.mean(axis=axes), atol=1e-12)
        np.testing.assert_allclose(variance, x.var(axis=axes), atol=1e-12)
        equals_torch(
            lambda x, w, b, m=mean, v=variance: normalize(x, w, b, m, v),
            lambda x, w, b, m=mean, v=variance: F.batch_norm(x, torch.tensor(m), torch.tensor(v), w, b),
            *arrays,
            **close,
        )


def test_embedding_with_repeated_rows():
    for seed, rng in problems():
        rows, d = sizes(rng, 2)
        index = rng.integers(0, rows, sizes(rng, rng.integers(0, 4), smallest=0 if seed % 7 == 0 else 1))
        equals_torch(
            lambda W, i=index: embedding(W, i),
            lambda W, i=index: F.embedding(torch.tensor(i), W),
            rng.normal(size=(rows, d)),
            differences=seed < 20,
        )


@pytest.mark.parametrize("size", [1, 60])
def test_attention(size):
    """With scores of size 60 rows must be shifted before exp; both ways are tested."""
    for seed, rng in problems():
        *lead, queries, keys, e, f = sizes(rng, 4 + rng.integers(0, 3))
        q, k, v = (rng.normal(size=(*lead, n, m)) for n, m in ((queries, e), (keys, e), (keys, f)))
        mask = None
        if seed % 2:
            mask = rng.random((queries, keys) if seed % 4 == 1 else (*lead, queries, keys)) < 0.6
            mask[..., 0] |= ~mask.any(axis=-1)
        torch_mask = None if mask is None else torch.tensor(mask)
        equals_torch(
            lambda q, k, v, m=mask: attention(q, k, v, m),
            lambda q, k, v, m=torch_mask: F.scaled_dot_product_attention(q, k, v, m),
            q * size, k * size, v, differences=seed < 20 and size == 1, places=8, note=f"seed {seed}",
        )  # fmt: skip


def test_attention_with_scores_beyond_what_exp_can_hold():
    q, k, v = Tensor([[1e4], [-1e4]]), Tensor([[1e4], [-1e4]]), Tensor([[1.0], [2.0]])
    assert attention(q, k, v).data.tolist() == [[1], [2]]
    assert attention(q, k, v, mask=causal_mask(2)).data.tolist() == [[1], [2]]
    assert attention(Tensor([[200.0], [-200.0]]), Tensor([[1.0]]), Tensor([[7.0]])).data.tolist() == [[7], [7]]


def test_what_a_mask_hides_changes_nothing_and_gets_no_gradient():
    rng = np.random.default_rng(0)
    q, k, v = (Tensor(rng.normal(size=(5, 3)), requires_grad=True) for _ in range(3))
    attention(q, k, v, causal_mask(5))[:2].sum().backward()
    assert (k.grad[2:] == 0).all()
    assert (v.grad[2:] == 0).all()
    later = Tensor(np.where(np.arange(5)[:, None] < 2, v.data, 1e6))
    np.testing.assert_array_equal(
        attention(q, k, later, causal_mask(5)).data[:2], attention(q, k, v, causal_mask(5)).data[:2]
    )


def test_dropout_keeps_the_mean_and_drops_gradient_and_number_together():
    rng = np.random.default_rng(0)
    x = Tensor(np.ones((200, 200)), requires_grad=True)
    y = dropout(x, 0.3, rng)
    y.sum().backward()
    assert set(np.unique(y.data.round(5))) == {np.float32(0), np.float32(1 / 0.7).round(5)}
    assert abs(y.data.mean() - 1) < 0.01
    np.testing.assert_array_equal(x.grad, y.data)
    assert (dropout(x, 1, rng).data == 0).all()
    assert (dropout(x, 0, rng).data == 1).all()


def test_functions_take_32_bits_and_keep_them():
    x, w = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    made = [
        gelu(x),
        softmax(x),
        log_softmax(x),
        layer_norm(x, w, w),
        batch_norm(x, w, w)[0],
        dropout(x, 0.5, np.random.default_rng(0)),
    ]
    made += [
        attention(x, x, x),
        linear(x, Tensor(np.ones((3, 2))), Tensor(np.ones(2))),
        normalize(x, w, w, np.zeros(3), np.ones(3)),
    ]
    assert {y.dtype for y in made[:-1]} == {np.dtype(np.float32)}


ones = lambda *shape: Tensor(np.ones(shape))  # noqa: E731


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: linear(ones(64, 128), ones(64, 10), where="Linear(64 -> 10)"),
            ShapeError,
            ["Linear(64 -> 10) cannot take x of shape (64, 128)", "(in 64, out 10)", "in must be 64", "hint: "],
        ),
        (lambda: linear(ones(), ones(3, 2)), ShapeError, ["linear"]),
        (lambda: linear(ones(2, 5, 4), ones(3, 2)), ShapeError, ["(batch 2, 5, in 4)"]),
        (lambda: layer_norm(ones(4, 3), ones(4), ones(4)), ShapeError, ["layer_norm", "d must be 4"]),
        (lambda: batch_norm(ones(4, 3), ones(4), ones(4)), ShapeError, ["batch_norm", "channels must be 4"]),
        (lambda: batch_norm(ones(4, 3, 2), ones(3), ones(3)), ShapeError, ["expected 4 axes"]),
        (lambda: embedding(ones(4, 3), np.array([0, 4])), IndexError, ["from 0 to 3", "got 4"]),
        (lambda: embedding(ones(4, 3), np.array([-1])), IndexError, ["got -1"]),
        (lambda: embedding(ones(4, 3), np.array([0.0])), TypeError, ["integers", "float64", "astype(int)"]),
        (lambda: attention(ones(4, 3), ones(4, 2), ones(4, 3)), ShapeError, ["e must be 3, as in q"]),
        (lambda: attention(ones(4, 3), ones(4, 3), ones(5, 3)), ShapeError, ["keys must be 4, as in k"]),
        (lambda: attention(ones(3), ones(3), ones(3)), ShapeError, ["expected 2 axes"]),
        (lambda: attention(*[ones(4, 3)] * 3, mask=np.ones((4, 4))), TypeError, ["True and False", "float64"]),
        (
            lambda: attention(*[ones(4, 3)] * 3, mask=np.ones((4, 5), bool)),
            ShapeError,
            ["mask of shape (4, 5)", "(queries 4, keys 4)"],
        ),
        (lambda: attention(*[ones(4, 3)] * 3, mask=np.zeros((4, 4), bool)), ValueError, ["hides every key"]),
    ],
)
def test_errors_say_what_came_and_what_to_do(make, error, words):
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
