"""The checks of the chapter on the multilayer perceptron."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from mlcourse.grading import Case, Difference, Exercise, Mistake, difference

# --- count_parameters ------------------------------------------------------------------------------------------------------


def _sizes_cases(rng):
    yield Case("64 pixels, 128 hidden units, 10 classes", [64, 128, 10])
    yield Case("a single layer", [5, 3])
    yield Case("one input, one output", [1, 1])
    yield Case("random sizes", [int(size) for size in rng.integers(2, 50, size=5)])


def _sizes_oracle(sizes):
    from mlcourse import nn

    layers = [nn.Linear(inputs, outputs, rng=0) for inputs, outputs in pairwise(sizes)]
    return sum(parameter.size for parameter in nn.Sequential(*layers).parameters())


def forgets_the_biases(sizes):
    return sum(d * k for d, k in pairwise(sizes))


def a_bias_for_every_input(sizes):
    return sum(d * (k + 1) for d, k in pairwise(sizes))


def multiplies_all_sizes(sizes):
    return int(np.prod(sizes))


def a_bias_for_every_layer(sizes):
    return sum(d * k + 1 for d, k in pairwise(sizes))


def counts_units(sizes):
    return sum(sizes[1:])


COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    title="How many parameters?",
    points=3,
    minutes=5,
    difficulty=1,
    hints=(
        "Take one layer first, with d inputs and k outputs: which shapes have its weights and its biases?",
        "`zip(sizes, sizes[1:])` yields the inputs and outputs of each layer.",
    ),
    cases=_sizes_cases,
    oracle=_sizes_oracle,
    mistakes=(
        Mistake(
            forgets_the_biases,
            "The weights are counted and the biases are not: each unit adds a number of its own to its sum.",
        ),
        Mistake(
            a_bias_for_every_input,
            "There is a bias for every input of a layer here. A bias belongs to a unit, that is, to an output.",
        ),
        Mistake(
            multiplies_all_sizes,
            "All sizes are multiplied. Layers follow one another, so that their parameters add up.",
        ),
        Mistake(
            a_bias_for_every_layer,
            "Each layer got one bias. It has one for each of its units.",
        ),
        Mistake(
            counts_units, "This counts the units. Each of them has a weight for every input of its layer, and a bias."
        ),
    ),
)


# --- linear_forward --------------------------------------------------------------------------------------------------------


def _linear_cases(rng):
    yield Case("as many units as inputs and rows", rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=3))
    yield Case("six rows, four inputs, two units", rng.normal(size=(6, 4)), rng.normal(size=(4, 2)), rng.normal(size=2))
    yield Case("one row", rng.normal(size=(1, 4)), rng.normal(size=(4, 3)), rng.normal(size=3))
    yield Case(
        "a sequence of five words in each of two texts",
        rng.normal(size=(2, 5, 3)),
        rng.normal(size=(3, 4)),
        rng.normal(size=4),
    )


def _linear_oracle(X, W, b):
    return np.einsum("...d,dk->...k", X, W) + b


def without_bias(X, W, b):
    return X @ W


def adds_all_biases_to_each(X, W, b):
    return X @ W + b.sum()


def weights_in_the_layout_of_torch(X, W, b):
    return X @ W.T + b


def a_bias_for_each_row(X, W, b):
    return X @ W + b[:, None]


def examples_in_columns(X, W, b):
    return (X @ W + b).T


LINEAR_FORWARD = Exercise(
    name="linear_forward",
    title="A linear layer",
    points=3,
    minutes=5,
    difficulty=1,
    hints=(
        "Write the shapes of X and W side by side. Which axis do they have in common, and in which order do they stand?",
        "`X @ W` adds up over the last axis of X; b has the shape of one row of the result, and broadcasting does the rest.",
    ),
    cases=_linear_cases,
    oracle=_linear_oracle,
    mistakes=(
        Mistake(without_bias, "The biases are missing: an input of zeros must give b."),
        Mistake(
            adds_all_biases_to_each,
            "The sum of all biases was added to every output. Unit j has the bias b[j].",
        ),
        Mistake(
            weights_in_the_layout_of_torch,
            "W was transposed. PyTorch stores weights as (outputs, inputs); here they are (inputs, outputs).",
            "raised",
        ),
        Mistake(
            a_bias_for_each_row,
            "The biases were laid along the rows, so that each example gets a bias instead of each unit.",
            "raised",
        ),
        Mistake(
            examples_in_columns,
            "The result is transposed: examples are rows, also behind the layer.",
            "wrong shape",
        ),
    ),
)


# --- gelu_with_slope -------------------------------------------------------------------------------------------------------


def _gelu_cases(rng):
    yield Case("three numbers", np.array([-1.0, 0.0, 2.0]))
    yield Case("a batch of hidden units", rng.normal(size=(4, 3)) * 2)
    yield Case("far from zero", np.array([-30.0, -6.0, 6.0, 30.0]))
    yield Case("around the lowest point", np.linspace(-1, -0.5, 5) + 0.01 * rng.normal())


def _gelu_oracle(z):
    from scipy.special import erf

    def value(z):
        return z * (1 + erf(z / np.sqrt(2))) / 2

    return value(z), (value(z + 1e-5) - value(z - 1e-5)) / 2e-5


def _normal():
    from scipy.stats import norm

    return norm


def slope_without_the_product_rule(z):
    norm = _normal()
    return z * norm.cdf(z), norm.cdf(z)


def density_without_z(z):
    norm = _normal()
    return z * norm.cdf(z), norm.cdf(z) + norm.pdf(z)


def relu_and_its_slope(z):
    return np.maximum(0.0, z), (z > 0).astype(float)


def probability_without_z(z):
    norm = _normal()
    return norm.cdf(z), norm.pdf(z)


def approximation_by_sigmoid(z):
    gate = 1 / (1 + np.exp(-1.702 * z))
    return z * gate, gate + 1.702 * z * gate * (1 - gate)


GELU_WITH_SLOPE = Exercise(
    name="gelu_with_slope",
    title="GELU and its derivative",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "GELU is a product of two functions of z. Which rule differentiates a product?",
        "The derivative of the distribution function is the density: `norm.cdf` and `norm.pdf` of scipy.stats.",
    ),
    cases=_gelu_cases,
    oracle=_gelu_oracle,
    rtol=1e-5,
    atol=1e-7,
    mistakes=(
        Mistake(
            slope_without_the_product_rule,
            "The value is right. The slope keeps the first term of the product rule only: the probability depends on z, too.",
        ),
        Mistake(
            density_without_z,
            "The value is right. In the slope, the derivative of the probability must be multiplied by the other factor.",
        ),
        Mistake(relu_and_its_slope, "This is ReLU: it lets z through or not, with nothing in between."),
        Mistake(
            probability_without_z,
            "This is the probability and its derivative. GELU multiplies the probability by z.",
        ),
        Mistake(
            approximation_by_sigmoid,
            "This is the approximation by a sigmoid, which is off in the second digit. The exercise asks for the exact function.",
        ),
    ),
)


# --- he_network ------------------------------------------------------------------------------------------------------------


def _he_cases(rng):
    seed = int(rng.integers(1000))
    yield Case("64 - 256 - 10", [64, 256, 10], seed)
    yield Case("two layers of one shape", [150, 150, 150], seed)
    yield Case("a wide layer and a narrow one", [300, 40, 200], seed)


def _he_layers(sizes, seed, deviation, draw=None, biases=np.zeros):
    rng = np.random.default_rng(seed)
    draw = draw or (lambda rng, d, k: rng.normal(0, deviation(d, k), (d, k)))
    return [(draw(rng, d, k), biases(k)) for d, k in pairwise(sizes)]


def _he_oracle(sizes, seed):
    return _he_layers(sizes, seed, lambda d, k: (2 / d) ** 0.5)


def _compare_starts(expected, got):
    """Any draw with the right statistics is right."""
    wanted = [(W.shape, b.shape) for W, b in expected]
    found = _shapes(got)
    if found is None:
        return difference(expected, got) or Difference("wrong type", "expected a list of pairs of arrays")
    if found != wanted:
        return Difference("wrong shape", f"expected weights and biases of shapes {wanted}, got {found}")
    if not all(np.isfinite(W).all() for W, _ in got):
        return Difference("not finite", "a weight is NaN or infinite")
    for number, ((W, _), (own, b)) in enumerate(zip(expected, got, strict=True), 1):
        wanted, found = (2 / len(W)) ** 0.5, float(np.std(own))
        if np.any(b):
            return Difference("wrong value", f"layer {number}: the biases should begin at zero")
        if abs(np.mean(own)) > 0.1 * wanted:
            return Difference(
                "wrong value", f"layer {number}: the mean of the weights is {np.mean(own):.3g}, not near 0"
            )
        if abs(found / wanted - 1) > 0.06:
            return Difference(
                "wrong value", f"layer {number}: the standard deviation of the weights is {found:.4f}, not {wanted:.4f}"
            )
    for (V, _), (W, _) in pairwise(got):
        if V.shape == W.shape and np.array_equal(V, W):
            return Difference("wrong value", "two layers have the very same weights")
    return None


def _shapes(layers):
    """The shapes of weights and biases, layer by layer; None if these are no pairs of arrays."""
    pairs = isinstance(layers, (list, tuple)) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in layers
    )
    if not pairs or not all(isinstance(array, np.ndarray) for pair in layers for array in pair):
        return None
    return [(W.shape, b.shape) for W, b in layers]


def variance_for_deviation(sizes, seed):
    return _he_layers(sizes, seed, lambda d, k: 2 / d)


def made_for_tanh(sizes, seed):
    return _he_layers(sizes, seed, lambda d, k: (1 / d) ** 0.5)


def counts_the_outputs(sizes, seed):
    return _he_layers(sizes, seed, lambda d, k: (2 / k) ** 0.5)


def one_seed_for_all_layers(sizes, seed):
    return [_he_layers([d, k], seed, lambda d, k: (2 / d) ** 0.5)[0] for d, k in pairwise(sizes)]


def all_weights_positive(sizes, seed):
    return _he_layers(sizes, seed, None, lambda rng, d, k: rng.uniform(0, (6 / d) ** 0.5, (d, k)))


def all_weights_zero(sizes, seed):
    return _he_layers(sizes, seed, None, lambda rng, d, k: np.zeros((d, k)))


def transposed_weights(sizes, seed):
    return _he_layers(sizes, seed, None, lambda rng, d, k: rng.normal(0, (2 / d) ** 0.5, (k, d)))


HE_NETWORK = Exercise(
    name="he_network",
    title="A start for ReLU",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "One generator for the whole network, made once from the seed; each layer draws from where the last one stopped.",
        "`rng.normal` takes the standard deviation. The variance should be 2 over the number of inputs.",
        "`list_of_layers.append((rng.normal(0, ..., size=(d, k)), np.zeros(k)))` for each pair of neighboring sizes.",
    ),
    cases=_he_cases,
    oracle=_he_oracle,
    compare=_compare_starts,
    mistakes=(
        Mistake(
            variance_for_deviation,
            "The weights are far too small: the variance 2/d was given to `rng.normal` as the standard deviation.",
        ),
        Mistake(
            made_for_tanh,
            "The variance is 1/d, which suits tanh. ReLU drops half of the mean square, and He's start makes up for it.",
        ),
        Mistake(
            counts_the_outputs,
            "The variance was computed from the number of outputs. In the forward pass a unit adds up its inputs.",
        ),
        Mistake(
            one_seed_for_all_layers,
            "Every layer made a generator of its own from the same seed, so that layers of one shape have the same weights.",
        ),
        Mistake(
            all_weights_positive,
            "All weights are positive. They need mean zero, or every unit of a layer does nearly the same.",
        ),
        Mistake(
            all_weights_zero,
            "All weights are zero: every unit of a layer gets the same gradient, and they stay alike forever.",
        ),
        Mistake(
            transposed_weights,
            "The weights have shape (outputs, inputs). In this book they are (inputs, outputs), so that `X @ W` works.",
            "wrong shape",
        ),
    ),
)


# --- cross_entropy_of_logits -----------------------------------------------------------------------------------------------


def _entropy_cases(rng):
    yield Case("four examples, three classes", rng.normal(size=(4, 3)), np.array([0, 2, 1, 2]))
    yield Case("a network that knows nothing", np.zeros((3, 10)), np.array([7, 0, 3]))
    yield Case("large logits", np.array([[1000.0, 990.0], [-1000.0, -1003.0]]), np.array([1, 0]))
    yield Case("two examples on different scales", np.array([[900.0, 897.0], [0.5, -0.5]]), np.array([0, 1]))
    yield Case("one example", rng.normal(size=(1, 5)) * 3, np.array([int(rng.integers(5))]))


def _entropy_oracle(logits, labels):
    from scipy.special import log_softmax

    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def _log_softmax(logits):
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _chosen(values, labels):
    return values[np.arange(len(labels)), labels]


def overflows(logits, labels):
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        P = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return -np.log(_chosen(P, labels)).mean()


def one_maximum_for_all_rows(logits, labels):
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shifted = logits - logits.max()
        return -(_chosen(shifted, labels) - np.log(np.exp(shifted).sum(axis=1))).mean()


def sums_over_examples(logits, labels):
    return -_chosen(_log_softmax(logits), labels).sum()


def forgets_the_maximum_outside(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=1)) - _chosen(logits, labels)).mean()


def softmax_of_softmax(logits, labels):
    return -_chosen(_log_softmax(np.exp(_log_softmax(logits))), labels).mean()


def in_bits(logits, labels):
    return -_chosen(_log_softmax(logits), labels).mean() / np.log(2)


def most_probable_class(logits, labels):
    return -_log_softmax(logits).max(axis=1).mean()


CROSS_ENTROPY_OF_LOGITS = Exercise(
    name="cross_entropy_of_logits",
    title="Cross-entropy that does not overflow",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "What is the largest number that you may put into `np.exp`? How can you make sure that none is larger than 0?",
        "Subtract from each row its own maximum: the probabilities stay the same. Then stay with logarithms to the end.",
        "The loss of a row is log(sum(exp(shifted row))) minus the shifted logit of its label; the result is their mean.",
    ),
    cases=_entropy_cases,
    oracle=_entropy_oracle,
    mistakes=(
        Mistake(
            overflows,
            "It is right for small logits. For large ones `np.exp` overflows, or all probabilities are 0, and the logarithm "
            "cannot bring them back.",
            "not finite",
        ),
        Mistake(
            one_maximum_for_all_rows,
            "The maximum of the whole table was subtracted. In a row far below it all exponentials are 0; each row needs its own.",
            "not finite",
        ),
        Mistake(sums_over_examples, "The losses are added up over the examples. The mean is asked for."),
        Mistake(
            forgets_the_maximum_outside,
            "The maximum is subtracted inside the logarithm and not added again outside, or not from the label's logit.",
        ),
        Mistake(
            softmax_of_softmax,
            "The softmax was applied twice. It makes all answers look uncertain: this loss can't come near 0.",
        ),
        Mistake(in_bits, "The logarithm has base 2. In this course losses use the natural logarithm."),
        Mistake(
            most_probable_class,
            "This takes the probability of the largest logit of each row. What counts is the probability of the label.",
        ),
    ),
)


# --- mlp_forward -----------------------------------------------------------------------------------------------------------


def _layers(rng, *sizes):
    return [(rng.normal(size=(d, k)), rng.normal(size=k)) for d, k in pairwise(sizes)]


def _forward_cases(rng):
    yield Case("one hidden layer", rng.normal(size=(5, 3)), _layers(rng, 3, 4, 2))
    yield Case("two hidden layers", rng.normal(size=(4, 2)), _layers(rng, 2, 5, 3, 3))
    yield Case("no hidden layer", rng.normal(size=(6, 3)), _layers(rng, 3, 4))
    yield Case("one example, one output", rng.normal(size=(1, 3)), _layers(rng, 3, 6, 1))
    yield Case("layers of one size", rng.normal(size=(6, 3)), _layers(rng, 3, 3, 3, 3))


def _forward_oracle(X, layers):
    from mlcourse.autograd import Tensor

    x = Tensor(X, dtype=np.float64)
    for number, (W, b) in enumerate(layers, 1):
        x = x @ W + b
        x = x.relu() if number < len(layers) else x
    return x.data


def _run_layers(X, layers, before=lambda x: x, between=lambda x: np.maximum(0, x), last=lambda x: x):
    x = X
    for number, (W, b) in enumerate(layers, 1):
        x = before(x) @ W + b
        x = between(x) if number < len(layers) else last(x)
    return x


def relu_after_the_last_layer(X, layers):
    return _run_layers(X, layers, last=lambda x: np.maximum(0, x))


def no_activation(X, layers):
    return _run_layers(X, layers, between=lambda x: x)


def relu_on_the_inputs(X, layers):
    return _run_layers(X, layers, before=lambda x: np.maximum(0, x))


def probabilities_instead_of_logits(X, layers):
    return np.exp(_log_softmax(_run_layers(X, layers)))


def tanh_between(X, layers):
    return _run_layers(X, layers, between=np.tanh)


def bends_before_the_bias(X, layers):
    x = X
    for number, (W, b) in enumerate(layers, 1):
        x = np.maximum(0, x @ W) + b if number < len(layers) else x @ W + b
    return x


MLP_FORWARD = Exercise(
    name="mlp_forward",
    title="The forward pass",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "Carry one array through the layers: what comes out of one goes into the next.",
        "Between two layers, negative numbers become 0. How do you notice in the loop that a layer is the last one?",
        "Treat `layers[:-1]` in the loop, with ReLU, and the last layer after it, without.",
    ),
    cases=_forward_cases,
    oracle=_forward_oracle,
    mistakes=(
        Mistake(
            relu_after_the_last_layer,
            "There is a ReLU after the last layer, too: no logit can be negative, and where all are cut off, nothing can be "
            "learned.",
        ),
        Mistake(no_activation, "There is no ReLU between the layers, so that together they are one linear layer."),
        Mistake(
            relu_on_the_inputs,
            "The inputs went through a ReLU before the first layer: everything negative in the data is lost.",
        ),
        Mistake(
            probabilities_instead_of_logits,
            "The result was turned into probabilities. The loss does that itself; here the logits are asked for.",
        ),
        Mistake(tanh_between, "The activation between the layers is tanh. The exercise asks for ReLU."),
        Mistake(
            bends_before_the_bias,
            "The ReLU comes before the bias is added. A unit first adds up everything, its bias included.",
        ),
    ),
)


# --- tanh_gradients --------------------------------------------------------------------------------------------------------


def _gradient_cases(rng):
    def case(label, n, d, h, k):
        (W1, b1), (W2, b2) = _layers(rng, d, h, k)
        return Case(label, rng.normal(size=(n, d)), rng.normal(size=(n, k)), 0.5 * W1, b1, W2, b2)

    yield case("five examples, 3 - 4 - 2", 5, 3, 4, 2)
    yield case("one output", 4, 2, 3, 1)
    yield case("one example", 1, 3, 2, 3)
    yield case("all sizes equal", 3, 3, 3, 3)


def _gradient_oracle(X, Y, W1, b1, W2, b2):
    from mlcourse import nn

    parameters = [nn.Parameter(p, np.float64) for p in (W1, b1, W2, b2)]
    first, bias1, second, bias2 = parameters
    loss = nn.mse_loss((X @ first + bias1).tanh() @ second + bias2, Y)
    loss.backward()
    return loss.item(), *(parameter.grad for parameter in parameters)


def _backward(X, Y, W1, b1, W2, b2, divisor=np.size, slope=lambda Z1, H: 1 - H**2, factor=2, bias=np.sum):
    Z1 = X @ W1 + b1
    H = np.tanh(Z1)
    error = H @ W2 + b2 - Y
    dZ2 = factor * error / divisor(Y)
    dZ1 = dZ2 @ W2.T * slope(Z1, H)
    return np.mean(error**2), X.T @ dZ1, bias(dZ1, axis=0), H.T @ dZ2, bias(dZ2, axis=0)


def skips_the_activation(*args):
    return _backward(*args, slope=lambda Z1, H: 1)


def slope_of_the_wrong_number(*args):
    return _backward(*args, slope=lambda Z1, H: 1 - Z1**2)


def slope_of_relu(*args):
    return _backward(*args, slope=lambda Z1, H: Z1 > 0)


def divides_by_examples_only(*args):
    return _backward(*args, divisor=len)


def forgets_the_two(*args):
    return _backward(*args, factor=1)


def averages_the_biases(*args):
    return _backward(*args, bias=np.mean)


def gradient_of_biases_as_rows(*args):
    loss, dW1, db1, dW2, db2 = _backward(*args)
    return loss, dW1, db1[None, :], dW2, db2[None, :]


TANH_GRADIENTS = Exercise(
    name="tanh_gradients",
    title="Two layers, backwards",
    points=8,
    minutes=30,
    difficulty=4,
    hints=(
        "Begin at the end: the loss is a mean of n · k squares. What is its derivative by one number of the output?",
        "Through a linear layer a gradient G passes as Xᵀ G to the weights, as the sum of its rows to the bias, and as G Wᵀ to "
        "the input.",
        "Between the two layers, multiply by the slope of tanh, which is 1 minus the square of its output H.",
    ),
    cases=_gradient_cases,
    oracle=_gradient_oracle,
    mistakes=(
        Mistake(
            skips_the_activation,
            "The gradients of the second layer are right. On the way to the first one, the slope of tanh is missing.",
        ),
        Mistake(
            slope_of_the_wrong_number,
            "The slope of tanh was computed from what goes into tanh. The formula 1 - h² needs what comes out.",
        ),
        Mistake(
            slope_of_relu,
            "The slope is that of ReLU, as in the chapter. This network has tanh in its hidden layer.",
        ),
        Mistake(
            divides_by_examples_only,
            "The error was divided by the number of rows. The loss is a mean over all numbers of the output, n times k of them.",
        ),
        Mistake(
            forgets_the_two, "All gradients are half of what they should be: the derivative of a square has a factor 2."
        ),
        Mistake(
            averages_the_biases,
            "The gradients of the biases are averaged over the examples. The mean is already in the gradient of the loss; "
            "here the rows are added up.",
        ),
        Mistake(
            gradient_of_biases_as_rows,
            "The gradients of the biases have shape (1, k). A gradient has the shape of its parameter.",
            "wrong shape",
        ),
    ),
)


# --- repair_training_loop --------------------------------------------------------------------------------------------------


def _loop_cases(rng):
    def case(label, n, d, k, steps):
        W, b = _layers(rng, d, k)[0]
        return Case(label, rng.normal(size=(n, d)), rng.integers(k, size=n), W, b, 0.5, steps)

    yield case("five steps", 8, 3, 3, 5)
    yield case("one step", 6, 2, 3, 1)
    yield case("twenty steps with two classes", 10, 2, 2, 20)


def _loop_oracle(X, y, W, b, learning_rate, steps):
    W, b, losses = W.copy(), b.copy(), []
    for _ in range(steps):
        log_p = _log_softmax(X @ W + b)
        losses.append(-_chosen(log_p, y).mean())
        G = np.exp(log_p)
        G[np.arange(len(y)), y] -= 1
        W -= learning_rate * X.T @ G / len(y)
        b -= learning_rate * G.mean(axis=0)
    return np.array(losses)


def _loop(X, y, W, b, learning_rate, steps, forget=True, twice=False, forget_late=False, after=False):
    from mlcourse import nn
    from mlcourse.autograd import softmax

    weight, bias = nn.Parameter(W, np.float64), nn.Parameter(b, np.float64)
    optimizer = nn.SGD([weight, bias], lr=learning_rate)

    def current():
        output = X @ weight + bias
        return nn.cross_entropy(softmax(output) if twice else output, y)

    losses = []
    for _ in range(steps):
        loss = current()
        if forget:
            optimizer.zero_grad()
        loss.backward()
        if forget_late:
            optimizer.zero_grad()
        optimizer.step()
        losses.append(current().item() if after else loss.item())
    return np.array(losses)


def forgets_nothing_and_two_softmaxes(*args):
    return _loop(*args, forget=False, twice=True)


def still_forgets_nothing(*args):
    return _loop(*args, forget=False)


def still_two_softmaxes(*args):
    return _loop(*args, twice=True)


def forgets_before_the_step(*args):
    return _loop(*args, forget=False, forget_late=True)


def loss_after_the_step(*args):
    return _loop(*args, after=True)


def uphill(X, y, W, b, learning_rate, steps):
    return _loop_oracle(X, y, W, b, -learning_rate, steps)


REPAIR_TRAINING_LOOP = Exercise(
    name="repair_training_loop",
    title="Repair: a loop with two faults",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Which four lines does every training loop have? Compare with the function `_step` of the chapter.",
        "What does `backward` do to a gradient that is already there?",
        "The other fault is in the line of the loss: what does `cross_entropy` take, probabilities or logits?",
    ),
    cases=_loop_cases,
    oracle=_loop_oracle,
    mistakes=(
        Mistake(
            forgets_nothing_and_two_softmaxes,
            "Both faults are still there: one is in how the loss is computed, the other in what happens to gradients between "
            "two steps.",
            planted=True,
        ),
        Mistake(
            still_forgets_nothing,
            "The loss is right. From the second step on the gradients of all earlier steps are still in `.grad`, and are added.",
        ),
        Mistake(
            still_two_softmaxes,
            "The gradients are forgotten now. The loss still gets probabilities, and applies a second softmax to them.",
        ),
        Mistake(
            forgets_before_the_step,
            "The gradients are forgotten between `backward` and `step`, so that the step has nothing to go by.",
            "raised",
        ),
        Mistake(
            loss_after_the_step,
            "The training is right, but the losses were noted after each step. They should be those before it.",
        ),
        Mistake(uphill, "The loss grows: the gradient is added where it should be subtracted."),
    ),
)


# --- predict_first_numbers -------------------------------------------------------------------------------------------------

_RIGHT = {
    "first_loss_of_10_classes": 2.3026,
    "loss_0.7_after_adding_5_to_all_logits": 0.7,
    "shape_of_column_minus_vector": (100, 100),
    "mean_square_after_4_relu_layers": 1.0,
    "gradient_of_a_dead_unit": 0.0,
    "steps_of_an_epoch": 22,
}


def _number_cases(rng):
    yield Case("your six predictions")


@cache
def _number_oracle():
    """Measured, with the package and with NumPy."""
    from mlcourse import nn
    from mlcourse.autograd import Tensor

    logits, labels = np.array([[0.0, np.log(np.exp(0.7) - 1)]]), [0]
    shifted = nn.cross_entropy(Tensor(logits + 5, dtype=np.float64), labels).item()
    x = Tensor([[1.0, 2.0]])
    weight = nn.Parameter([[-1.0], [-1.0]])
    (x @ weight).relu().sum().backward()
    rng = np.random.default_rng(0)
    squares = []
    for _ in range(40):
        h = 4 * rng.normal(size=(20, 256))
        for _ in range(4):
            h = np.maximum(0, h @ rng.normal(0, 1 / 16, (256, 256)))
        squares.append(np.mean(h**2))
    return {
        "first_loss_of_10_classes": round(nn.cross_entropy(np.zeros((5, 10)), [3, 1, 4, 1, 5]).item(), 4),
        "loss_0.7_after_adding_5_to_all_logits": round(shifted, 6),
        "shape_of_column_minus_vector": (np.zeros((100, 1)) - np.zeros(100)).shape,
        "mean_square_after_4_relu_layers": float(np.round(np.mean(squares))),
        "gradient_of_a_dead_unit": float(np.abs(weight.grad).max()),
        "steps_of_an_epoch": len(nn.DataLoader(np.zeros(1347), batch_size=64)),
    }


def _compare_numbers(expected, got):
    """Name the predictions that are wrong, without giving the answers away."""
    if not isinstance(got, dict) or set(got) != set(expected):
        return difference(expected, got)
    plain = {key: tuple(value) if isinstance(value, (list, np.ndarray)) else value for key, value in got.items()}
    wrong = [key for key in expected if difference(expected[key], plain[key], rtol=0.005) is not None]
    if not wrong:
        return None
    return Difference("wrong value", f"{len(wrong)} of 6 predictions differ from what was measured: {', '.join(wrong)}")


def first_loss_is_one():
    return {**_RIGHT, "first_loss_of_10_classes": 1.0}


def first_loss_in_bits():
    return {**_RIGHT, "first_loss_of_10_classes": 3.3219}


def loss_falls_with_larger_logits():
    return {**_RIGHT, "loss_0.7_after_adding_5_to_all_logits": -4.3}


def column_stays():
    return {**_RIGHT, "shape_of_column_minus_vector": (100, 1)}


def signal_is_kept():
    return {**_RIGHT, "mean_square_after_4_relu_layers": 16.0}


def only_the_default_fades():
    return {**_RIGHT, "mean_square_after_4_relu_layers": 4.0}


def small_gradient_is_left():
    return {**_RIGHT, "gradient_of_a_dead_unit": 0.01}


def last_batch_is_dropped():
    return {**_RIGHT, "steps_of_an_epoch": 21}


PREDICT_FIRST_NUMBERS = Exercise(
    name="predict_first_numbers",
    title="Predict: six numbers before you measure",
    points=4,
    minutes=12,
    difficulty=3,
    hints=(
        "A network that knows nothing gives each class the same probability. What is minus its logarithm?",
        "Softmax divides exponentials by their sum. What does a common factor do there?",
        "A layer of d inputs with weights of variance 1/d keeps the mean square of the signal. What does the ReLU after it do?",
    ),
    cases=_number_cases,
    oracle=_number_oracle,
    compare=_compare_numbers,
    mistakes=(
        Mistake(
            first_loss_is_one,
            "The loss of knowing nothing depends on the number of classes; 1 would be that of e classes.",
        ),
        Mistake(first_loss_in_bits, "This is the logarithm to base 2. Losses use the natural logarithm."),
        Mistake(
            loss_falls_with_larger_logits,
            "If all logits grow by the same number, the right class gains nothing on the others.",
        ),
        Mistake(
            column_stays,
            "(100, 1) and (100,) are lined up at their last axes: 1 meets 100, and is stretched; the other one gets a new axis.",
        ),
        Mistake(
            signal_is_kept,
            "Variance 1/d keeps the mean square through the linear layer. The ReLU behind it then drops the negative half.",
        ),
        Mistake(
            only_the_default_fades,
            "The mean square is halved in each of the four layers, not in two of them (16 is a mean square, not its root).",
        ),
        Mistake(
            small_gradient_is_left, "The slope of ReLU left of zero is not small. It is zero, and so is the product."
        ),
        Mistake(
            last_batch_is_dropped,
            "1,347 examples are 21 full batches of 64 and three examples more. The loader does not drop them.",
        ),
    ),
)


# --- early_stopping --------------------------------------------------------------------------------------------------------


def _stopping_cases(rng):
    noisy = 1 / np.arange(1, 31) + 0.01 * np.arange(30) + 0.05 * rng.normal(size=30)
    yield Case("down, then up", [2.0, 1.0, 0.5, 0.6, 0.7, 0.8, 0.9], 3)
    yield Case("a second valley after it has stopped", [1.0, 0.8, 0.9, 0.95, 0.99, 0.2, 0.1], 2)
    yield Case("a pause, then a better epoch", [1.0, 0.9, 0.95, 0.92, 0.7, 0.75, 0.8, 0.9], 3)
    yield Case("equal losses", [1.0, 0.5, 0.5, 0.5, 0.5, 0.5], 3)
    yield Case("it improves to the end", [3.0, 2.0, 1.0], 2)
    yield Case("thirty noisy epochs", [float(value) for value in noisy], 4)


def _stopping_oracle(losses, patience):
    running = np.minimum.accumulate(losses)
    last = next((e for e in range(patience, len(losses)) if running[e] == running[e - patience]), len(losses) - 1)
    return int(np.argmin(losses[: last + 1])) + 1, last + 1


def _stop(losses, patience, better=lambda loss, best: loss < best, slack=0):
    best, best_epoch, epoch = np.inf, 0, 0
    for epoch, loss in enumerate(losses, 1):
        if better(loss, best):
            best, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience + slack:
            break
    return best_epoch, epoch


def counts_epochs_from_zero(losses, patience):
    best, last = _stop(losses, patience)
    return best - 1, last - 1


def one_epoch_too_patient(losses, patience):
    return _stop(losses, patience, slack=1)


def looks_into_the_future(losses, patience):
    return int(np.argmin(losses)) + 1, _stop(losses, patience)[1]


def takes_the_last_of_equal_ones(losses, patience):
    return _stop(losses, patience, better=lambda loss, best: loss <= best)


def waits_for_rises_in_a_row(losses, patience):
    rises, epoch = 0, 1
    for epoch in range(2, len(losses) + 1):
        rises = rises + 1 if losses[epoch - 1] >= losses[epoch - 2] else 0
        if rises >= patience:
            break
    return int(np.argmin(losses[:epoch])) + 1, epoch


def keeps_the_last_model(losses, patience):
    last = _stop(losses, patience)[1]
    return last, last


EARLY_STOPPING = Exercise(
    name="early_stopping",
    title="When to stop",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Go through the epochs one by one, as a training loop does, and remember two things: the lowest loss and its epoch.",
        "After an epoch that was no improvement, compare its number with that of the best one.",
        "`break` ends the loop; the epoch at which it ended is the second number.",
    ),
    cases=_stopping_cases,
    oracle=_stopping_oracle,
    mistakes=(
        Mistake(counts_epochs_from_zero, "Both numbers are too small by one: the first epoch has the number 1."),
        Mistake(
            one_epoch_too_patient,
            "It goes on for one epoch more than the patience allows. Stop at the epoch that is `patience` after the best one.",
        ),
        Mistake(
            looks_into_the_future,
            "The best epoch was sought among all losses, also those after the stop. At that moment nobody knows them.",
        ),
        Mistake(
            takes_the_last_of_equal_ones,
            "An equal loss counts as an improvement here. A loss that does not fall is no reason to wait longer.",
        ),
        Mistake(
            waits_for_rises_in_a_row,
            "Each loss is compared with the one before it. A loss that goes up and down above the best one would never end the "
            "training; compare with the best.",
        ),
        Mistake(
            keeps_the_last_model,
            "The first number is the epoch at which it stopped. The parameters that are kept are those of the best epoch.",
        ),
    ),
)


# --- both_divergences ------------------------------------------------------------------------------------------------------


def _distribution(rng, k):
    p = rng.uniform(0.1, 1, k)
    return p / p.sum()


def _divergence_cases(rng):
    yield Case("four outcomes", _distribution(rng, 4), _distribution(rng, 4))
    yield Case("equal distributions", np.full(5, 0.2), np.full(5, 0.2))
    yield Case("an outcome that p does not have", np.array([0.5, 0.5, 0.0]), _distribution(rng, 3))
    yield Case("an outcome that q leaves out", _distribution(rng, 3), np.array([0.3, 0.7, 0.0]))
    yield Case("an outcome that neither has", np.array([0.4, 0.6, 0.0]), np.array([0.1, 0.9, 0.0]))


def _divergence_oracle(p, q):
    from scipy.stats import entropy

    return float(entropy(p, q)), float(entropy(q, p))


def _terms(p, q, log=np.log):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * (log(p) - log(q)), 0.0).sum()


def the_other_way_round(p, q):
    return _terms(q, p), _terms(p, q)


def zero_times_log_zero(p, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (p * np.log(p / q)).sum(), (q * np.log(q / p)).sum()


def divergences_in_bits(p, q):
    return _terms(p, q, np.log2), _terms(q, p, np.log2)


def adds_a_small_number(p, q):
    p, q = p + 1e-9, q + 1e-9
    return _terms(p, q), _terms(q, p)


def cross_entropies(p, q):
    def one(p, q):
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.where(p > 0, p * np.log(q), 0.0).sum()

    return one(p, q), one(q, p)


def only_where_both_are_positive(p, q):
    both = (p > 0) & (q > 0)
    p, q = p[both], q[both]
    return (p * np.log(p / q)).sum(), (q * np.log(q / p)).sum()


BOTH_DIVERGENCES = Exercise(
    name="both_divergences",
    title="Forward and reverse",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Write one function for a single direction and call it twice, with the arguments exchanged.",
        "Which outcomes contribute to the sum over p log(p/q)? Only those with p > 0; leave out the others before you take "
        "logarithms.",
        "Among these, an outcome with q = 0 makes the sum infinite: `np.log` of 0 is -inf, which is just what is needed.",
    ),
    cases=_divergence_cases,
    oracle=_divergence_oracle,
    mistakes=(
        Mistake(
            the_other_way_round,
            "The two numbers are exchanged: the forward divergence weighs the logarithms by p, the reverse one by q.",
            "not finite",
        ),
        Mistake(
            zero_times_log_zero,
            "An outcome of probability 0 contributed 0 · log 0, which is nan. By convention, and as a limit, it is 0.",
            "not finite",
        ),
        Mistake(divergences_in_bits, "The logarithm has base 2. In this course divergences are in nats."),
        Mistake(
            adds_a_small_number,
            "A small number was added to all probabilities. It hides what should be infinite: an outcome that the other "
            "distribution excludes.",
        ),
        Mistake(
            cross_entropies,
            "These are the cross-entropies. Each is larger than the divergence by an entropy, and not 0 for equal distributions.",
        ),
        Mistake(
            only_where_both_are_positive,
            "Outcomes that only one distribution has were left out. They make one of the two divergences infinite.",
        ),
    ),
)


# --- train_on_wines --------------------------------------------------------------------------------------------------------


@cache
def _wines():
    from sklearn.datasets import load_wine

    return load_wine(return_X_y=True)


def _wine_cases(rng):
    X, y = _wines()
    order = rng.permutation(len(y))
    train, test = order[:118], order[118:]
    yield Case("60 wines", X[train], y[train], X[test])
    for cultivar in (0, 2):
        chosen = test[y[test] == cultivar]
        yield Case(f"wines of cultivar {cultivar} only", X[train], y[train], X[chosen])


def _wine_oracle(X_train, y_train, X_test):
    """The true cultivars, looked up in the whole table."""
    X, y = _wines()
    return np.array([y[(row == X).all(axis=1)][0] for row in X_test])


def _compare_wines(expected, got):
    if not isinstance(got, np.ndarray):
        return difference(expected, got)
    if got.shape != expected.shape:
        return Difference(
            "wrong shape",
            f"expected one class number for each of {len(expected)} wines, got an array of shape {got.shape}",
        )
    right = float(np.mean(got == expected))
    if right >= 0.88:
        return None
    return Difference("wrong value", f"{right:.0%} of {len(expected)} wines are right; at least 88 % are asked for")


def _train_wines(X_train, y_train, epochs=60, outputs=3):
    from mlcourse import nn

    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(X_train.shape[1], 16, rng=rng), nn.ReLU(), nn.Linear(16, outputs, rng=rng))
    batches = nn.DataLoader(X_train, y_train, batch_size=16, rng=rng)
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    nn.fit(model, nn.cross_entropy, optimizer, batches, epochs=epochs, progress=False)
    return model


def _scaled(X_train, X):
    return (X - X_train.mean(axis=0)) / X_train.std(axis=0)


def features_in_their_own_units(X_train, y_train, X_test):
    return _train_wines(X_train, y_train, epochs=5)(X_test).data.argmax(axis=1)


def the_most_frequent_cultivar(X_train, y_train, X_test):
    return np.full(len(X_test), np.bincount(y_train).argmax())


def test_rows_by_their_own_statistics(X_train, y_train, X_test):
    model = _train_wines(_scaled(X_train, X_train), y_train)
    return model(_scaled(X_test, X_test)).data.argmax(axis=1)


def logits_instead_of_classes(X_train, y_train, X_test):
    return _train_wines(_scaled(X_train, X_train), y_train)(_scaled(X_train, X_test)).data


def scales_the_training_rows_only(X_train, y_train, X_test):
    return _train_wines(_scaled(X_train, X_train), y_train)(X_test).data.argmax(axis=1)


CLASSIFY_WINES = Exercise(
    name="train_on_wines",
    title="A network of your own",
    points=8,
    minutes=35,
    difficulty=4,
    hints=(
        "Look at the columns first: proline goes up to 1,680, hue stays below 2. What does a network make of that?",
        "Standardize with the means and standard deviations of the training rows, and the test rows with the same numbers.",
        "A network 13-16-3 with ReLU, Adam with a learning rate of 0.01, batches of 16 and 50 epochs is enough. The classes "
        "are `argmax(axis=1)` of the logits.",
    ),
    cases=_wine_cases,
    oracle=_wine_oracle,
    compare=_compare_wines,
    seconds=40,
    mistakes=(
        Mistake(
            features_in_their_own_units,
            "The features went in with their own units, so that proline, with values up to 1,680, drowned all others.",
        ),
        Mistake(
            the_most_frequent_cultivar,
            "Every wine got the most frequent class. That is the baseline, and the network should beat it.",
        ),
        Mistake(
            test_rows_by_their_own_statistics,
            "The test rows were standardized by their own means. If they are all of one cultivar, that removes what sets it "
            "apart from the others.",
        ),
        Mistake(
            logits_instead_of_classes,
            "These are the logits, three for each wine. The number of the largest one is the class.",
            "wrong shape",
        ),
        Mistake(
            scales_the_training_rows_only,
            "The training rows were standardized and the test rows were not: the network meets them in other units.",
        ),
    ),
)


EXERCISES = [
    COUNT_PARAMETERS,
    LINEAR_FORWARD,
    GELU_WITH_SLOPE,
    HE_NETWORK,
    CROSS_ENTROPY_OF_LOGITS,
    MLP_FORWARD,
    TANH_GRADIENTS,
    REPAIR_TRAINING_LOOP,
    PREDICT_FIRST_NUMBERS,
    EARLY_STOPPING,
    BOTH_DIVERGENCES,
    CLASSIFY_WINES,
]
