"""Convolution and pooling equal torch's, forward and backward, with every stride and padding, ties included."""

import numpy as np
import pytest
import torch.nn.functional as F

from mlcourse.autograd import Tensor, average_pool, conv2d, convolution, max_pool
from mlcourse.shapes import ShapeError
from tests.autograd.oracle import equals_torch


def plain_conv2d(x, weight, bias, stride, padding):
    """The definition, one number after the other."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, _, h, w), (o, _, kh, kw) = x.shape, weight.shape
    y = np.empty((n, o, (h - kh) // stride + 1, (w - kw) // stride + 1))
    for image, filter_, i, j in np.ndindex(y.shape):
        window = x[image, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
        y[image, filter_, i, j] = (window * weight[filter_]).sum() + bias[filter_]
    return y


@pytest.mark.parametrize(("block", "problems"), [(1, 50), (100, 50), (convolution.BLOCK, 200)])
def test_convolution(block, problems, monkeypatch):
    """Blocks of one image, of a few, and all at once."""
    monkeypatch.setattr(convolution, "BLOCK", block)
    for seed in range(problems):
        rng = np.random.default_rng(seed)
        n, c, o, kh, kw = (int(size) for size in rng.integers(1, 5, 5))
        padding, stride = int(rng.integers(0, 3)), int(rng.integers(1, 4))
        h, w = (max(1, size - 2 * padding) + int(rng.integers(0, 4)) for size in (kh, kw))
        arrays = rng.normal(size=(n, c, h, w)), rng.normal(size=(o, c, kh, kw)), rng.normal(size=o)
        close = {"differences": seed < 10, "note": f"seed {seed}"}
        equals_torch(
            lambda x, W, b, s=stride, p=padding: conv2d(x, W, b, s, p),
            lambda x, W, b, s=stride, p=padding: F.conv2d(x, W, b, s, p),
            *arrays,
            **close,
        )
        ours = conv2d(*(Tensor(a, dtype=np.float64) for a in arrays), stride, padding).data
        np.testing.assert_allclose(ours, plain_conv2d(*arrays, stride, padding), atol=1e-10)


def test_convolution_without_bias_and_of_no_images():
    rng = np.random.default_rng(0)
    equals_torch(conv2d, F.conv2d, rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(4, 3, 2, 3)))
    equals_torch(conv2d, F.conv2d, np.zeros((0, 3, 4, 5)), rng.normal(size=(4, 3, 2, 3)))


@pytest.mark.parametrize("ties", [False, True])
def test_pooling(ties):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n, c, size, stride = (int(s) for s in rng.integers(1, 4, 4))
        shape = n, c, *(size + rng.integers(0, 5, 2))
        x = rng.integers(0, 2, shape).astype(float) if ties else rng.normal(size=shape)
        close = {"differences": seed < 20 and not ties, "note": f"seed {seed}"}
        equals_torch(
            lambda x, k=size, s=stride: max_pool(x, k, s), lambda x, k=size, s=stride: F.max_pool2d(x, k, s), x, **close
        )
        equals_torch(
            lambda x, k=size, s=stride: average_pool(x, k, s),
            lambda x, k=size, s=stride: F.avg_pool2d(x, k, s),
            x,
            **close,
        )


def test_the_stride_of_pooling_is_its_size_unless_given():
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 7))
    equals_torch(lambda x: max_pool(x, 3), lambda x: F.max_pool2d(x, 3), x)
    equals_torch(lambda x: average_pool(x, 3), lambda x: F.avg_pool2d(x, 3), x)


def test_a_chain_of_layers_keeps_the_memory_order():
    """The trick behind the speed: what follows a convolution works in the order (channels, n, height, width)."""
    x = conv2d(Tensor(np.ones((3, 2, 8, 8))), Tensor(np.ones((5, 2, 3, 3))), padding=1)
    for y in (x, x.relu(), max_pool(x.relu()), average_pool(x)):
        assert y.data.transpose(1, 0, 2, 3).flags.c_contiguous


def images(*shape):
    return Tensor(np.ones(shape))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: conv2d(images(2, 3, 8, 8), images(4, 1, 3, 3)),
            ["conv2d cannot take x", "in must be 1, as in weight", "(n 2, in 3"],
        ),
        (lambda: conv2d(images(2, 8, 8), images(4, 1, 3, 3)), ["(2, 8, 8)", "expected 4 axes", "reshape"]),
        (lambda: conv2d(images(2, 1, 2, 8), images(4, 1, 3, 3)), ["2 × 8", "3 × 3", "padding"]),
        (lambda: max_pool(images(2, 1, 2, 8), 3), ["max_pool", "2 × 8", "3 × 3"]),
        (lambda: average_pool(images(8, 8)), ["average_pool", "expected 4 axes"]),
    ],
)
def test_errors_say_what_came_and_what_to_do(make, words):
    with pytest.raises(ShapeError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
