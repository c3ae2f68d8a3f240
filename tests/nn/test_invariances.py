"""What must not change a result, or must change it in a known way, for random sizes and numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import autograd as A
from mlcourse import nn
from mlcourse.autograd import Tensor

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)
often = settings(max_examples=100, deadline=None)


def same(a, b, places=9):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=10.0**-places)


def numbers(seed, *shape):
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True, dtype=np.float64)


LAYERS = {
    "dense": (lambda: nn.Sequential(nn.Linear(4, 5, rng=0), nn.GELU(), nn.LayerNorm(5), nn.Linear(5, 2, rng=1)), (4,)),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(2, 3, 2, padding=1, rng=0), nn.MaxPool(2), nn.Flatten()),
        (2, 4, 3),
    ),
    "lstm": (lambda: nn.LSTM(3, 4, rng=0), (5, 3)),
    "gru": (lambda: nn.GRU(3, 4, rng=0), (5, 3)),
    "block": (lambda: nn.Block(4, 2, rng=0), (5, 4)),
    "batch norm in evaluation": (lambda: nn.BatchNorm(4).eval(), (4,)),
}


@pytest.mark.parametrize("name", LAYERS)
@often
@given(seed=seeds, n=st.integers(2, 5))
def test_an_example_gives_the_same_alone_in_another_place_and_twice(name, seed, n):
    make, shape = LAYERS[name]
    model, x = make().to(np.float64), numbers(seed, n, *shape)
    order = np.random.default_rng(seed).integers(0, n, n + 2)  # another order, some left out, some repeated

    def run(x):
        result = model(x)
        return result[0] if isinstance(result, tuple) else result

    same(run(x[order]), run(x).data[order])
    same(run(x[:1]), run(x).data[:1])


@often
@given(seed=seeds, n=sizes, classes=sizes, shift=st.floats(-50, 50))
def test_softmax_and_cross_entropy_forget_what_is_added_to_all_logits(seed, n, classes, shift):
    z = numbers(seed, n, classes)
    labels = np.random.default_rng(seed).integers(0, classes, n)
    same(A.softmax(z + shift), A.softmax(z))
    same(nn.cross_entropy(z + shift, labels), nn.cross_entropy(z, labels))
    nn.cross_entropy(z, labels).backward()
    same(z.grad.sum(axis=1), 0)


@often
@given(seed=seeds, n=sizes, classes=sizes)
def test_losses_of_repeated_or_reordered_examples_stay(seed, n, classes):
    rng, z = np.random.default_rng(seed), numbers(seed, n, classes)
    labels, target, order = rng.integers(0, classes, n), rng.random((n, classes)), rng.permutation(n)
    for changed in (order, np.r_[order, order]):
        same(nn.cross_entropy(z[changed], labels[changed]), nn.cross_entropy(z, labels))
        same(nn.mse_loss(z[changed], target[changed]), nn.mse_loss(z, target))
        same(nn.binary_cross_entropy(z[changed], target[changed]), nn.binary_cross_entropy(z, target))


@often
@given(seed=seeds, n=sizes, keys=sizes, e=sizes)
def test_attention_forgets_the_order_of_keys_and_repeats(seed, n, keys, e):
    q, k, v = numbers(seed, n, e), numbers(seed + 1, keys, e), numbers(seed + 2, keys, 3)
    order = np.random.default_rng(seed).permutation(keys)
    same(A.attention(q, k[order], v[order]), A.attention(q, k, v))
    twice = np.r_[order, order]
    same(A.attention(q, k[twice], v[twice]), A.attention(q, k, v))


@often
@given(seed=seeds, n=sizes, d=st.integers(2, 6), scale=st.floats(0.1, 100), shift=st.floats(-10, 10))
def test_normalization_forgets_shift_and_scale(seed, n, d, scale, shift):
    x, w, b = numbers(seed, n, d), numbers(1, d), numbers(2, d)
    same(A.layer_norm(x * scale + shift, w, b, eps=0), A.layer_norm(x, w, b, eps=0), places=6)
    x = numbers(seed, d, n)
    w, b = numbers(1, n), numbers(2, n)
    same(A.batch_norm(x * scale + shift, w, b, eps=0)[0], A.batch_norm(x, w, b, eps=0)[0], places=6)


@often
@given(seed=seeds, down=st.integers(0, 3), right=st.integers(0, 3))
def test_a_convolution_of_a_moved_image_is_moved(seed, down, right):
    rng = np.random.default_rng(seed)
    x, W = rng.normal(size=(1, 2, 4, 4)), rng.normal(size=(3, 2, 3, 3))
    here, there = np.zeros((1, 2, 12, 12)), np.zeros((1, 2, 12, 12))
    here[:, :, 3:7, 3:7] = x
    there[:, :, 3 + down : 7 + down, 3 + right : 7 + right] = x
    y, z = (A.conv2d(Tensor(image, dtype=np.float64), Tensor(W, dtype=np.float64)).data for image in (here, there))
    same(np.roll(y, (down, right), axis=(2, 3)), z)


@often
@given(seed=seeds, factor=st.floats(0.1, 10), name=st.sampled_from(["AdaGrad", "RMSProp", "Adam"]))
def test_adaptive_steps_do_not_depend_on_the_scale_of_the_loss(seed, factor, name):
    rng = np.random.default_rng(seed)
    one, other = (nn.Parameter(np.zeros(3), dtype=np.float64) for _ in range(2))
    optimizers = [getattr(nn, name)([w], lr=0.1, eps=0.0) for w in (one, other)]
    for _ in range(5):
        one.grad = rng.normal(size=3)
        other.grad = one.grad * factor
        for optimizer in optimizers:
            optimizer.step()
    same(one, other)
