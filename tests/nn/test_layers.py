"""Every layer equals torch's with the same parameters, forward and backward; gradients of all parameters pass finite differences."""

import itertools

import numpy as np
import pytest
import torch

from mlcourse import nn
from mlcourse.autograd import Tensor, causal_mask, gradient_check
from mlcourse.shapes import ShapeError

DOUBLE = {"dtype": torch.float64}


def compare(ours, theirs, pairs, *inputs, run=None, places=10, differences=True):
    """Copy our parameters into torch's (`pairs`: name there, name here, function that changes the layout) and compare everything.

    Then compare the gradients of inputs and parameters with finite differences.
    """
    ours.to(np.float64)
    own, other = dict(ours.named_parameters()), dict(theirs.named_parameters())
    assert {name for _, name, _ in pairs} == set(own), "a parameter is not compared"
    with torch.no_grad():
        for name, ours_name, layout in pairs:
            other[name].copy_(torch.tensor(layout(own[ours_name].data)))
    x = [Tensor(array, True, np.float64) for array in inputs]
    t = [torch.tensor(array, requires_grad=True, **DOUBLE) for array in inputs]
    y, z = ours(*x), (run or theirs)(*t)
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=10.0**-places)
    weights = np.random.default_rng(0).normal(size=y.shape)
    y.backward(weights)
    z.backward(torch.tensor(weights))
    for a, b in zip(x, t, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), atol=10.0**-places)
    for name, ours_name, layout in pairs:
        np.testing.assert_allclose(
            layout(own[ours_name].grad), other[name].grad.numpy(), atol=10.0**-places, err_msg=ours_name
        )
    if differences:
        gradient_check(lambda *_: ours(*x), *x, *ours.parameters())


def same(array):
    return array


LINEAR = [("weight", "weight", np.transpose), ("bias", "bias", same)]
PLAIN = [("weight", "weight", same), ("bias", "bias", same)]


def random_sizes(seed, n, smallest=1):
    rng = np.random.default_rng(seed)
    return rng, *(int(size) for size in rng.integers(smallest, 5, n))


def test_layers_with_parameters():
    for seed in range(200):
        rng, n, c, d, k, h = random_sizes(seed, 5)
        images, rows = rng.normal(size=(n + 1, c, h + 2, k + 2)), rng.normal(size=(n + 1, k, d))
        few = {"differences": seed < 5}
        compare(nn.Linear(d, k, rng=rng), torch.nn.Linear(d, k, **DOUBLE), LINEAR, rows, **few)
        bare = nn.Linear(d, k, bias=False, rng=rng), torch.nn.Linear(d, k, bias=False, **DOUBLE)
        compare(*bare, LINEAR[:1], rows, **few)
        compare(nn.Conv2d(c, d, 2, 2, 1, rng=rng), torch.nn.Conv2d(c, d, 2, 2, 1, **DOUBLE), PLAIN, images, **few)
        few = {"differences": 2 <= seed < 7, "places": 8}
        compare(nn.LayerNorm(d + 1), torch.nn.LayerNorm(d + 1, **DOUBLE), PLAIN, rng.normal(size=(n, k, d + 1)), **few)
        compare(nn.BatchNorm(c), torch.nn.BatchNorm2d(c, **DOUBLE), PLAIN, images, **few)


def test_layers_without_parameters():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6))
    pairs = [
        (nn.ReLU(), torch.nn.ReLU()),
        (nn.LeakyReLU(0.1), torch.nn.LeakyReLU(0.1)),
        (nn.GELU(), torch.nn.GELU(approximate="tanh")),
        (nn.Tanh(), torch.nn.Tanh()),
        (nn.Sigmoid(), torch.nn.Sigmoid()),
        (nn.MaxPool(2), torch.nn.MaxPool2d(2)),
        (nn.MaxPool(3, 1), torch.nn.MaxPool2d(3, 1)),
        (nn.AveragePool(2), torch.nn.AvgPool2d(2)),
        (nn.Flatten(), torch.nn.Flatten()),
    ]
    for ours, theirs in pairs:
        compare(ours, theirs, [], x)


def test_embedding_equals_torch():
    ours, theirs = nn.Embedding(6, 3, rng=0).to(np.float64), torch.nn.Embedding(6, 3, **DOUBLE)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(ours.weight.data))
    index = np.array([[0, 5, 5], [2, 0, 5]])
    ((ours(index) ** 2).sum()).backward()
    (theirs(torch.tensor(index)) ** 2).sum().backward()
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy())


@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 2, 5)])
def test_batch_norm_keeps_the_running_averages_of_torch(shape):
    rng = np.random.default_rng(0)
    ours = nn.BatchNorm(3, momentum=0.3)
    theirs = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(3, momentum=0.3)
    for _ in range(5):
        x = rng.normal(2, 3, size=shape).astype(np.float32)
        np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours.running_variance, theirs.running_var.numpy(), rtol=1e-5)
    ours.eval(), theirs.eval()
    before = ours.state_dict()
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), atol=1e-5)
    assert all(np.array_equal(before[name], array) for name, array in ours.state_dict().items())
    np.testing.assert_allclose(
        ours(x[:1]).data, ours(x).data[:1], atol=1e-6
    )  # one example does not depend on the others


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("given", [False, True])
def test_recurrent_layers(kind, given):
    for seed in range(100):
        rng, n, T, d, k = random_sizes(seed, 4)
        ours, theirs = (
            getattr(nn, kind)(d, k, rng=rng).to(np.float64),
            getattr(torch.nn, kind)(d, k, batch_first=True, **DOUBLE),
        )
        biases = [b.data for b in ours.biases] + [np.zeros_like(ours.biases[0].data)]
        arrays = (ours.input_weight.data.T, ours.state_weight.data.T, *biases[:2])
        with torch.no_grad():
            for parameter, array in zip(theirs.parameters(), arrays, strict=True):
                parameter.copy_(torch.tensor(array))
        x = rng.normal(size=(n, T, d))
        states = [rng.normal(size=(n, k)) for _ in range(1 + (kind == "LSTM"))]
        own = [Tensor(s, True, np.float64) for s in states]
        other = [torch.tensor(s[None], requires_grad=True) for s in states]
        unpack = (lambda s: tuple(s)) if kind == "LSTM" else (lambda s: s[0])
        y, last = ours(x, unpack(own)) if given else ours(x)
        z, end = theirs(torch.tensor(x), unpack(other)) if given else theirs(torch.tensor(x))
        last, end = (last, end) if kind == "LSTM" else ([last], [end])
        np.testing.assert_allclose(y.data, z.detach().numpy(), atol=1e-12)
        for a, b in zip(last, end, strict=True):
            np.testing.assert_allclose(a.data, b[0].detach().numpy(), atol=1e-12)
        ((y**2).sum() + sum((s**3).sum() for s in last)).backward()
        ((z**2).sum() + sum((s**3).sum() for s in end)).backward()
        theirs_grads = [p.grad.numpy() for p in theirs.parameters()]
        np.testing.assert_allclose(ours.input_weight.grad, theirs_grads[0].T, atol=1e-10)
        np.testing.assert_allclose(ours.state_weight.grad, theirs_grads[1].T, atol=1e-10)
        for bias, expected in zip(ours.biases, theirs_grads[2:], strict=False):
            np.testing.assert_allclose(bias.grad, expected, atol=1e-10)
        for a, b in zip(own, other, strict=True) if given else ():
            np.testing.assert_allclose(a.grad, b.grad[0].numpy(), atol=1e-10)
        if seed < 3:
            gradient_check(lambda *_, x=x, layer=ours: layer(x)[0], *ours.parameters())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_sequence_in_two_parts_gives_the_same_as_in_one(kind):
    layer, x = getattr(nn, kind)(3, 4, rng=0), np.random.default_rng(0).normal(size=(2, 6, 3))
    whole, _ = layer(x)
    first, state = layer(x[:, :4])
    second, _ = layer(x[:, 4:], state)
    np.testing.assert_allclose(np.concatenate([first.data, second.data], 1), whole.data, atol=1e-6)


def split_heads(parts):
    return lambda layer: np.concatenate([getattr(layer, part).weight.data.T for part in parts])


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("kind", ["itself", "context", "causal", "padding"])
def test_multi_head_attention(seed, kind):
    rng, n, queries, keys, heads, e = random_sizes(seed, 5)
    d = heads * e
    ours, theirs = (
        nn.MultiHeadAttention(d, heads, rng).to(np.float64),
        torch.nn.MultiheadAttention(d, heads, batch_first=True, **DOUBLE),
    )
    three = [ours.query, ours.key, ours.value]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(np.concatenate([layer.weight.data.T for layer in three])))
        theirs.in_proj_bias.copy_(torch.tensor(np.concatenate([layer.bias.data for layer in three])))
        theirs.out_proj.weight.copy_(torch.tensor(ours.output.weight.data.T))
        theirs.out_proj.bias.copy_(torch.tensor(ours.output.bias.data))
    x, context = rng.normal(size=(n, queries, d)), rng.normal(size=(n, keys, d))
    a, b = Tensor(x, True, np.float64), torch.tensor(x, requires_grad=True)
    c, f = (
        (a, b)
        if kind in ("itself", "causal")
        else (Tensor(context, True, np.float64), torch.tensor(context, requires_grad=True))
    )
    mask, options = None, {}
    if kind == "causal":
        mask, options = causal_mask(queries), {"attn_mask": torch.tensor(~causal_mask(queries))}
    if kind == "padding":
        there = rng.random((n, keys)) < 0.5
        there[:, 0] = True
        mask, options = there[:, None, None, :], {"key_padding_mask": torch.tensor(~there)}
    y, (z, _) = ours(a, None if c is a else c, mask), theirs(b, f, f, **options)
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=1e-10)
    weights = rng.normal(size=y.shape)
    y.backward(weights)
    z.backward(torch.tensor(weights))
    np.testing.assert_allclose(a.grad, b.grad.numpy(), atol=1e-10)
    if c is not a:
        np.testing.assert_allclose(c.grad, f.grad.numpy(), atol=1e-10)
    np.testing.assert_allclose(
        np.concatenate([layer.weight.grad.T for layer in three]), theirs.in_proj_weight.grad.numpy(), atol=1e-10
    )
    np.testing.assert_allclose(
        np.concatenate([layer.bias.grad for layer in three]), theirs.in_proj_bias.grad.numpy(), atol=1e-10
    )
    np.testing.assert_allclose(ours.output.weight.grad.T, theirs.out_proj.weight.grad.numpy(), atol=1e-10)
    if seed == 0:
        gradient_check(lambda *_: ours(a, None if c is a else c, mask), a, *ours.parameters())


def test_block_equals_the_pre_norm_layer_of_torch():
    ours = nn.Block(8, 2, hidden=12, rng=0).to(np.float64)
    theirs = torch.nn.TransformerEncoderLayer(
        8,
        2,
        12,
        0.0,
        lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        batch_first=True,
        norm_first=True,
        **DOUBLE,
    )
    own = dict(ours.named_parameters())
    joined = {
        f"self_attn.in_proj_{kind}": np.concatenate(
            [own[f"attention.{part}.{kind}"].data.T for part in ("query", "key", "value")]
        )
        for kind in ("weight", "bias")
    }
    names = {
        "self_attn.out_proj": "attention.output",
        "linear1": "network.layers.0",
        "linear2": "network.layers.2",
        "norm1": "norm1",
        "norm2": "norm2",
    }
    state = joined | {f"{a}.{kind}": own[f"{b}.{kind}"].data.T for a, b in names.items() for kind in ("weight", "bias")}
    theirs.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    x = np.random.default_rng(0).normal(size=(3, 5, 8))
    a, b = Tensor(x, True, np.float64), torch.tensor(x, requires_grad=True)
    y, z = ours(a, causal_mask(5)), theirs(b, src_mask=torch.tensor(~causal_mask(5)))
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=1e-10)
    (y**2).sum().backward()
    (z**2).sum().backward()
    np.testing.assert_allclose(a.grad, b.grad.numpy(), atol=1e-9)
    for theirs_name, name in names.items():
        expected = dict(theirs.named_parameters())[f"{theirs_name}.weight"].grad.numpy()
        np.testing.assert_allclose(own[f"{name}.weight"].grad.T, expected, atol=1e-9)


def dense():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 2, rng=1))


def convolutional():
    features = nn.Conv2d(2, 3, 3, padding=1, rng=0), nn.BatchNorm(3), nn.GELU(), nn.AveragePool(2)
    return nn.Sequential(*features, nn.Flatten(), nn.Linear(12, 2, rng=1))


def transformer():
    return nn.Block(4, 2, rng=0)


@pytest.mark.parametrize(("make", "shape"), [(dense, (2, 3)), (convolutional, (3, 2, 4, 4)), (transformer, (2, 3, 4))])
def test_gradients_of_whole_models_pass_finite_differences(make, shape):
    model = make().to(np.float64)
    x = Tensor(np.random.default_rng(0).normal(size=shape), True, np.float64)
    assert gradient_check(lambda *_: model(x), x, *model.parameters()) < 1e-6


@pytest.mark.parametrize("make", [
    lambda: nn.Linear(3, 2), lambda: nn.Conv2d(3, 4, 2), lambda: nn.MaxPool(2), lambda: nn.AveragePool(2), lambda: nn.LayerNorm(3),
    lambda: nn.BatchNorm(3), lambda: nn.BatchNorm(3).eval(), lambda: nn.Dropout(0.5), lambda: nn.Flatten(), lambda: nn.ReLU(),
    lambda: nn.RNN(3, 4), lambda: nn.LSTM(3, 4), lambda: nn.GRU(3, 4), lambda: nn.MultiHeadAttention(4, 2), lambda: nn.Block(4, 2),
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(3, 2)),
])  # fmt: skip
def test_for_every_shape_a_layer_works_or_says_its_name_and_the_shape(make):
    layer = make()
    names = [type(module).__name__ for _, module in layer.named_modules()]
    for axes in range(5):
        for shape in itertools.product([0, 1, 3, 4], repeat=axes):
            try:
                layer(np.zeros(shape))
            except ShapeError as error:
                assert str(error).startswith(tuple(names)), str(error)
                assert "scalar" in str(error) or str(shape) in str(error) or len(names) > 1
            except ValueError as error:  # one value per channel is too little, whatever the shape
                assert isinstance(layer, nn.BatchNorm)
                assert "more than one value per channel" in str(error)


def test_dropout_only_in_training_and_repeatable():
    x = Tensor(np.ones((50, 50)))
    assert (nn.Dropout(0.5, rng=1)(x).data == nn.Dropout(0.5, rng=1)(x).data).all()
    layer = nn.Dropout(0.5, rng=1)
    assert (layer(x).data != layer(x).data).any()
    assert layer.eval()(x) is x
    assert nn.Dropout(0.0)(x) is x


def test_weights_begin_as_documented_and_repeat_with_the_generator():
    W = nn.Linear(400, 300, rng=0).weight.data
    assert abs(W).max() <= 1 / 20
    assert W.var() == pytest.approx(1 / (3 * 400), rel=0.02)
    assert nn.Conv2d(4, 50, 5, rng=0).weight.data.var() == pytest.approx(1 / (3 * 100), rel=0.05)
    assert nn.Embedding(300, 100, rng=0).weight.data.var() == pytest.approx(1, rel=0.02)
    for make in (
        lambda rng: nn.Block(8, 2, rng=rng),
        lambda rng: nn.LSTM(3, 4, rng=rng),
        lambda rng: nn.Sequential(nn.Linear(2, 2, rng=rng), nn.Linear(2, 2, rng=rng)),
    ):
        one, two = make(np.random.default_rng(5)).state_dict(), make(np.random.default_rng(5)).state_dict()
        assert all(np.array_equal(one[name], two[name]) for name in one)
    model = nn.Sequential(nn.Linear(2, 2, rng=(rng := np.random.default_rng(0))), nn.Linear(2, 2, rng=rng))
    assert not np.array_equal(model.layers[0].weight.data, model.layers[1].weight.data)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: nn.Conv2d(3, 4, 3)(np.ones((2, 1, 8, 8))),
            ShapeError,
            ["Conv2d(3 -> 4", "(n 2, in 1,", "in must be 3"],
        ),
        (lambda: nn.LayerNorm(4)(np.ones((2, 3))), ShapeError, ["LayerNorm(4) cannot take x", "d must be 4"]),
        (lambda: nn.BatchNorm(4)(np.ones((2, 3))), ShapeError, ["BatchNorm(4) cannot take x", "channels must be 4"]),
        (lambda: nn.BatchNorm(3)(np.ones((1, 3))), ValueError, ["BatchNorm(3)", "more than one value", "eval()"]),
        (lambda: nn.Embedding(10, 4)(np.array([11])), IndexError, ["Embedding(10 rows of 4)", "from 0 to 9", "got 11"]),
        (lambda: nn.Embedding(10, 4)(Tensor([1.0])), TypeError, ["integers"]),
        (lambda: nn.LSTM(3, 4)(np.ones((2, 5, 2))), ShapeError, ["LSTM(3 -> 4) cannot take x", "inputs must be 3"]),
        (lambda: nn.LSTM(3, 4)(np.ones((5, 3))), ShapeError, ["expected 3 axes: (n, time, inputs)"]),
        (
            lambda: nn.GRU(3, 4)(np.ones((2, 5, 3)), np.ones((3, 4))),
            ShapeError,
            ["GRU(3 -> 4) cannot take state", "n must be 2"],
        ),
        (lambda: nn.MultiHeadAttention(10, 4), ValueError, ["multiple of heads", "d=10", "heads=4"]),
        (lambda: nn.MultiHeadAttention(8, 0), ValueError, ["heads=0"]),
        (
            lambda: nn.MultiHeadAttention(8, 2)(np.ones((2, 3, 6))),
            ShapeError,
            ["MultiHeadAttention(d=8, heads=2) cannot take x", "queries 3, d 6", "d must be 8"],
        ),
        (lambda: nn.MultiHeadAttention(8, 2)(np.ones((2, 3, 8)), np.ones((3, 3, 8))), ShapeError, ["n must be 2"]),
        (lambda: nn.LSTM(3, 4)(np.ones((2, 5, 3)), np.ones((2, 4))), TypeError, ["the pair (state, cell)", "ndarray"]),
        (lambda: nn.RNN(3, 4)(np.ones((2, 0, 3))), ShapeError, ["RNN(3 -> 4) needs at least one time", "(2, 0, 3)"]),
        (lambda: nn.Flatten()(np.ones(())), ShapeError, ["Flatten() cannot take a scalar"]),
        (lambda: nn.Linear(0, 3), ValueError, ["at least 1", "(0, 3)"]),
        (lambda: nn.Conv2d(1, 2, 3, stride=0)(np.ones((1, 1, 8, 8))), ValueError, ["Conv2d(1 -> 2", "got 0 and 0"]),
        (lambda: nn.MaxPool(0)(np.ones((1, 1, 8, 8))), ValueError, ["MaxPool(size=0", "at least 1"]),
        (lambda: nn.Dropout(1.5), ValueError, ["from 0 to 1", "1.5"]),
        (lambda: nn.MaxPool(3)(Tensor(np.ones((1, 1, 2, 2)))), ShapeError, ["MaxPool(size=3, stride=3)", "2 × 2"]),
    ],
)
def test_errors_say_what_came_and_what_to_do(make, error, words):
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
