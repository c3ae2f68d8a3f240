"""The checks of the chapter on tensors and automatic differentiation."""

import itertools
import math
from functools import cache

import numpy as np

from mlcourse.data.bundled import read_table
from mlcourse.grading import Case, Difference, Exercise, Mistake

# --- neuron_gradients ------------------------------------------------------------------------------------------------------


def _neuron_cases(rng):
    def numbers(n):
        return rng.normal(size=n).round(3).tolist()

    for label, n in (("two inputs", 2), ("five inputs", 5), ("one input", 1)):
        yield Case(label, numbers(n), numbers(n), *numbers(1), target=float(rng.choice([-1.0, 1.0])))
    yield Case("all weights zero, so that the output is that of the bias", [0.0, 0.0], numbers(2), 0.4, target=-1.0)


def _neuron_oracle(w, x, b, target):
    """The imaginary part of the loss at an imaginary step, which is exact: nothing is subtracted."""

    def slope(w, b):
        return float(((np.tanh(np.dot(w, x) + b) - target) ** 2).imag / 1e-30)

    w = np.array(w, complex)
    return [slope(w + 1e-30j * unit, b) for unit in np.eye(len(w))], slope(w, b + 1e-30j)


def _neuron(w, x, b, target):
    """Output, error and the derivative of the loss by what goes into the tanh."""
    out = math.tanh(sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b)
    return out, out - target, 2 * (out - target) * (1 - out**2)


def loses_the_two(w, x, b, target):
    flow = _neuron(w, x, b, target)[2] / 2
    return [flow * xi for xi in x], flow


def skips_the_tanh(w, x, b, target):
    flow = 2 * _neuron(w, x, b, target)[1]
    return [flow * xi for xi in x], flow


def multiplies_with_the_weights(w, x, b, target):
    flow = _neuron(w, x, b, target)[2]
    return [flow * wi for wi in w], flow


def same_for_all_weights(w, x, b, target):
    flow = _neuron(w, x, b, target)[2]
    return [flow for _ in x], flow


def tanh_without_the_square(w, x, b, target):
    out, error, _ = _neuron(w, x, b, target)
    flow = 2 * error * (1 - out)
    return [flow * xi for xi in x], flow


def one_number_for_all(w, x, b, target):
    flow = _neuron(w, x, b, target)[2]
    return flow * sum(x), flow


NEURON_GRADIENTS = Exercise(
    name="neuron_gradients",
    title="A neuron, backward by hand",
    points=3,
    minutes=10,
    difficulty=1,
    hints=(
        "Name the intermediate results: s = w · x + b, then o = tanh(s), then e = o - target, then the loss e². Go back through "
        "them one by one.",
        "From the loss to e the local derivative is 2e, from e to o it is 1, from o to s it is 1 - o². The product of the three "
        "is what arrives at s.",
    ),
    cases=_neuron_cases,
    oracle=_neuron_oracle,
    mistakes=(
        Mistake(loses_the_two, "Everything is half of what it should be: the square at the end has the derivative 2e."),
        Mistake(
            skips_the_tanh,
            "The way back leads through the tanh as well, and its local derivative is missing. Without it, the neuron would be "
            "linear.",
        ),
        Mistake(
            multiplies_with_the_weights,
            "The local derivative of wᵢxᵢ by wᵢ is the other factor. You multiplied with wᵢ, and so computed the gradient of the "
            "inputs.",
        ),
        Mistake(
            same_for_all_weights,
            "What arrives at the sum is right. On the way to each weight there is one more operation, the product with its input.",
        ),
        Mistake(tanh_without_the_square, "The derivative of tanh is 1 minus the square of its output, not 1 minus it."),
        Mistake(
            one_number_for_all,
            "Every weight has a derivative of its own; you added them up into one number.",
            "wrong type",
        ),
    ),
)


# --- Scalar ----------------------------------------------------------------------------------------------------------------


def _scalar_cases(rng):
    def numbers(n):
        return rng.uniform(0.5, 3, n).round(3).tolist()

    yield Case("x + y", numbers(2), [("+", 0, 1)])
    yield Case("x · y", numbers(2), [("*", 0, 1)])
    yield Case("x · x", numbers(1), [("*", 0, 0)])
    yield Case("log x", numbers(1), [("log", 0)])
    yield Case("log(x · y) + x", numbers(2), [("*", 0, 1), ("log", 2), ("+", 3, 0)])
    program = [("*", 0, 1), ("+", 3, 2), ("log", 4), ("*", 5, 4), ("+", 6, 0), ("*", 7, 7), ("+", 8, 3)]
    yield Case("seven operations on three numbers", numbers(3), program)


def _use_scalar(answer, numbers, program):
    """Compute what the program says (operations, each on earlier numbers), and go back from the last result."""
    values = [answer(number) for number in numbers]
    for name, *places in program:
        operands = [values[place] for place in places]
        if name == "log":
            values.append(operands[0].log())
        else:
            values.append(operands[0] + operands[1] if name == "+" else operands[0] * operands[1])
    values[-1].backward()
    return {"values": [value.data for value in values], "derivatives": [value.grad for value in values]}


def _scalar_oracle(numbers, program):
    """Forward mode: for each number a pass of its own, in which that number moves."""
    values = list(numbers)
    for name, *places in program:
        operands = [values[place] for place in places]
        values.append({"+": sum, "*": math.prod, "log": lambda one: math.log(one[0])}[name](operands))

    def derivative(start):
        moves = [float(place == start) for place in range(len(values))]
        for place, (name, i, *rest) in enumerate(program, len(numbers)):
            j = rest[0] if rest else i
            by_name = {
                "+": moves[i] + moves[j],
                "*": moves[i] * values[j] + values[i] * moves[j],
                "log": moves[i] / values[i],
            }
            moves[place] += by_name[name]
        return moves[-1]

    return {"values": values, "derivatives": [derivative(place) for place in range(len(values))]}


class _Scalar:
    """What the wrong answers have in common: all of it is right."""

    clock = itertools.count()

    def __init__(self, data, made_from=()):
        self.data, self.grad, self.made_from = data, 0.0, made_from
        self.time = next(self.clock)

    def backward(self):
        behind, found = [self], {self}
        for scalar in behind:
            for operand, _ in scalar.made_from:
                if operand not in found:
                    found.add(operand)
                    behind.append(operand)
        flow = dict.fromkeys(sorted(behind, key=lambda scalar: -scalar.time), 0.0)
        flow[self] = 1.0
        for scalar, arrived in flow.items():
            scalar.grad += arrived
            for operand, derivative in scalar.made_from:
                flow[operand] += arrived * derivative

    def __add__(self, other):
        return type(self)(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return type(self)(self.data * other.data, [(self, other.data), (other, self.data)])

    def log(self):
        return type(self)(math.log(self.data), [(self, 1 / self.data)])


class _OwnFactor(_Scalar):
    def __mul__(self, other):
        return type(self)(self.data * other.data, [(self, self.data), (other, other.data)])


class _OneOperand(_Scalar):
    def __mul__(self, other):
        return type(self)(self.data * other.data, [(self, other.data)])


class _ProductLikeASum(_Scalar):
    def __mul__(self, other):
        return type(self)(self.data * other.data, [(self, 1.0), (other, 1.0)])


class _SumForgets(_Scalar):
    def __add__(self, other):
        return type(self)(self.data + other.data)


class _EachOperandOnce(_Scalar):
    def __mul__(self, other):
        return type(self)(self.data * other.data, list({self: other.data, other: self.data}.items()))


class _LogOfTheResult(_Scalar):
    def log(self):
        result = math.log(self.data)
        return type(self)(result, [(self, 1 / result)])


class _PlainNumbers(_Scalar):
    def __add__(self, other):
        return self.data + other.data


SCALAR = Exercise(
    name="Scalar",
    title="A number that remembers",
    points=5,
    minutes=15,
    difficulty=2,
    hints=(
        "A result is a new `Scalar`. Its second argument lists its operands, each with the local derivative: how fast the result "
        "changes with this operand.",
        "The local derivatives of a sum are 1 and 1. Those of a product are each the other factor. That of log x is 1/x.",
        "The list has the form `[(self, …), (other, …)]`, with a number in place of each `…`.",
    ),
    cases=_scalar_cases,
    oracle=_scalar_oracle,
    answer="class",
    use=_use_scalar,
    mistakes=(
        Mistake(
            _OwnFactor,
            "In a product, each operand got its own value as the local derivative. x · y changes with x as fast as y is large.",
        ),
        Mistake(
            _OneOperand,
            "A product remembers its first operand only, and nothing ever arrives at the second.",
        ),
        Mistake(
            _ProductLikeASum, "A product has the local derivatives of a sum, 1 and 1. They should be the other factors."
        ),
        Mistake(
            _SumForgets,
            "A sum does not say what it was made from, so the way back ends there.",
        ),
        Mistake(
            _EachOperandOnce,
            "The operands are kept in a dictionary. In x · x both entries have the same key, and one of the two contributions is "
            "lost.",
        ),
        Mistake(
            _LogOfTheResult,
            "The derivative of log x is 1 divided by x; you divided by the logarithm.",
        ),
        Mistake(
            _PlainNumbers,
            "A sum is a plain number, and plain numbers remember nothing. Return a new `Scalar`.",
            "raised",
        ),
    ),
)


# --- backward_order --------------------------------------------------------------------------------------------------------


def _order_cases(rng):
    yield Case("a chain", {"x": [], "a": ["x"], "b": ["a"], "c": ["b"]}, "c")
    yield Case("a short and a long way", {"x": [], "a": ["x"], "b": ["a"], "z": ["a", "b"]}, "z")
    yield Case("the long way first", {"x": [], "a": ["x"], "b": ["a"], "c": ["b"], "z": ["c", "x"]}, "z")
    yield Case("an operand used twice", {"x": [], "y": [], "s": ["x", "x"], "z": ["s", "y"]}, "z")
    others = {"x": [], "y": [], "a": ["x"], "unused": ["x", "y"], "z": ["a"], "later": ["z"]}
    yield Case("nodes that the result does not depend on", others, "z")
    yield Case("keys in no order", {"z": ["b", "a"], "b": ["a"], "x": [], "c": ["x"], "a": ["c"]}, "z")
    graph = {0: [], 1: []}
    for node in range(2, 14):
        graph[node] = [node - 1, *rng.integers(0, node, 1).tolist()]
    yield Case("14 nodes, drawn by chance", graph, 13)
    chain = {0: []} | {node: [node - 1] for node in range(1, 5000)}
    yield Case("a chain of 5,000", chain, 4999)


def _order_facts(operands, result):
    return {node: sorted(set(operands[node]), key=str) for node in _reached(operands, result)}


def _order_difference(expected, got):
    if not isinstance(got, (list, tuple)):
        return Difference("wrong type", f"expected a list of nodes, got {type(got).__name__}")
    place = {node: number for number, node in enumerate(got)}
    if len(place) < len(got):
        return Difference(
            "wrong value", f"a node stands in the list more than once: {len(got)} entries, {len(place)} nodes"
        )
    strange = [node for node in got if node not in expected]
    if strange:
        return Difference("wrong value", f"the result does not depend on {strange[0]!r}, which is in the list")
    missing = [node for node in expected if node not in place]
    if missing:
        return Difference("wrong value", f"{missing[0]!r} is missing, and {len(missing) - 1} others")
    for node, operands in expected.items():
        for operand in operands:
            if place[operand] < place[node]:
                return Difference("wrong value", f"{operand!r} stands before {node!r}, which uses it")
    return None


def _reached(operands, result):
    """All nodes behind the result, in the order in which a walk in breadth finds them."""
    found = [result]
    seen = {result}
    for node in found:
        for operand in operands[node]:
            if operand not in seen:
                seen.add(operand)
                found.append(operand)
    return found


def as_a_walk_finds_them(operands, result):
    return _reached(operands, result)


def operands_first(operands, result):
    behind = set(_reached(operands, result))
    return [node for node in operands if node in behind]


def all_nodes_of_the_graph(operands, result):
    return list(reversed(operands))


def calls_itself(operands, result):
    order, found = [], set()

    def visit(node):
        if node not in found:
            found.add(node)
            for operand in operands[node]:
                visit(operand)
            order.append(node)

    visit(result)
    return order[::-1]


def lists_a_node_for_each_use(operands, result):
    behind = set(_reached(operands, result))
    return [node for node in reversed(operands) if node in behind for _ in range(max(1, len(operands[node])))]


def by_the_order_of_the_keys(operands, result):
    behind = set(_reached(operands, result))
    return [node for node in reversed(operands) if node in behind]


def without_the_result(operands, result):
    behind = set(_reached(operands, result))
    return [node for node in reversed(operands) if node in behind and node != result]


def in_depth_before_its_operands(operands, result):
    order, waiting, found = [], [result], set()
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            order.append(node)
            waiting.extend(operands[node])
    return order


BACKWARD_ORDER = Exercise(
    name="backward_order",
    title="The order of a backward pass",
    points=5,
    minutes=25,
    difficulty=4,
    hints=(
        "Two steps: find all nodes behind the result, with a list that grows while you walk along it; then bring them into order.",
        "Count for each of these nodes how often the others use it. A node may go into the result when all of its uses have gone. "
        "The result itself has none.",
        "Keep a list of the nodes that are ready. Take one, append it to the order, and lower the count of each of its operands "
        "by one; an operand whose count reaches zero is ready.",
    ),
    cases=_order_cases,
    oracle=_order_facts,
    compare=_order_difference,
    mistakes=(
        Mistake(
            as_a_walk_finds_them,
            "The nodes are in the order in which a walk from the result meets them. A node that is reached on a short and on a "
            "long way then comes before something that uses it.",
        ),
        Mistake(
            operands_first,
            "That is the order of the computation, operands first. Backward it has to be reversed.",
        ),
        Mistake(
            all_nodes_of_the_graph,
            "The list holds all nodes of the graph, also those that the result does not depend on.",
        ),
        Mistake(
            calls_itself,
            "The order is right, but the function calls itself once for every node of a chain, and Python's stack is not as deep "
            "as that. Keep a list of your own.",
            "raised",
        ),
        Mistake(
            lists_a_node_for_each_use,
            "Some nodes stand in the list several times. Each would pass on what it has each time.",
        ),
        Mistake(
            by_the_order_of_the_keys,
            "The keys of the dictionary were taken in reverse. Nothing says that they come in the order of the computation.",
        ),
        Mistake(without_the_result, "The result itself is missing; the backward pass starts with it."),
        Mistake(
            in_depth_before_its_operands,
            "Each node was appended when it was first met, in depth. The order is right only if a node is appended after "
            "everything that uses it.",
        ),
    ),
)


# --- repair_accumulation ---------------------------------------------------------------------------------------------------


def _accumulation_cases(rng):
    def derivatives(n):
        return rng.uniform(0.5, 2, n).round(3).tolist()

    a, b, c, d = derivatives(4)
    yield Case("a chain of three", [[], [(0, a)], [(1, b)]])
    yield Case("two ways from 0 to 3", [[], [(0, a)], [(0, b)], [(1, c), (2, d)]])
    yield Case("an operation that uses a number twice", [[], [(0, a), (0, a)], [(1, b)]])
    yield Case("a short and a long way", [[], [(0, a)], [(1, b)], [(1, c), (2, d)]])
    yield Case("a number that the result does not depend on", [[], [], [(0, a)], [(0, b), (1, c)], [(2, d)]])


def _accumulation_oracle(made_from):
    """Solve the linear equations v̄ = e + Dᵀ v̄ at once."""
    n = len(made_from)
    D = np.zeros((n, n))
    for number, operands in enumerate(made_from):
        for operand, derivative in operands:
            D[number, operand] += derivative
    return np.linalg.solve(np.eye(n) - D.T, np.eye(n)[-1]).tolist()


def overwrites(made_from):
    flow = [0.0] * len(made_from)
    flow[-1] = 1.0
    for number in reversed(range(len(made_from))):
        for operand, derivative in made_from[number]:
            flow[operand] = flow[number] * derivative
    return flow


def goes_forward(made_from):
    flow = [0.0] * len(made_from)
    flow[-1] = 1.0
    for number in range(len(made_from)):
        for operand, derivative in made_from[number]:
            flow[operand] += flow[number] * derivative
    return flow


def forgets_what_arrived(made_from):
    flow = [0.0] * len(made_from)
    flow[-1] = 1.0
    for number in reversed(range(len(made_from))):
        for operand, derivative in made_from[number]:
            flow[operand] += derivative
    return flow


def starts_with_ones(made_from):
    flow = [1.0] * len(made_from)
    for number in reversed(range(len(made_from))):
        for operand, derivative in made_from[number]:
            flow[operand] += flow[number] * derivative
    return flow


def multiplies_the_contributions(made_from):
    flow = [0.0] * len(made_from)
    flow[-1] = 1.0
    touched = set()
    for number in reversed(range(len(made_from))):
        for operand, derivative in made_from[number]:
            part = flow[number] * derivative
            flow[operand] = flow[operand] * part if operand in touched else part
            touched.add(operand)
    return flow


def takes_the_larger(made_from):
    flow = [0.0] * len(made_from)
    flow[-1] = 1.0
    for number in reversed(range(len(made_from))):
        for operand, derivative in made_from[number]:
            flow[operand] = max(flow[operand], flow[number] * derivative)
    return flow


REPAIR_ACCUMULATION = Exercise(
    name="repair_accumulation",
    title="Repair: right on chains, wrong elsewhere",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "Run it by hand on the smallest graph in which a number is used twice: `[[], [(0, 2.0), (0, 2.0)]]`.",
        "What is in `flow[operand]` when the second contribution arrives, and where does it go?",
    ),
    cases=_accumulation_cases,
    oracle=_accumulation_oracle,
    mistakes=(
        Mistake(
            overwrites,
            "A second contribution overwrites the first. What comes from all results that used a number has to be added.",
            planted=True,
        ),
        Mistake(
            goes_forward,
            "The loop runs in the order of the computation. Then a number passes on what it has before anything has arrived.",
        ),
        Mistake(
            forgets_what_arrived,
            "The local derivatives are added, but not multiplied with what arrived at the result: the chain rule is missing.",
        ),
        Mistake(
            starts_with_ones,
            "Every number starts with 1, as if it were the result. Only the last one does.",
        ),
        Mistake(
            multiplies_the_contributions, "Along a path derivatives are multiplied; those of different paths are added."
        ),
        Mistake(takes_the_larger, "Of several contributions the largest is kept. They have to be added."),
    ),
)


# --- unbroadcast -----------------------------------------------------------------------------------------------------------


def _unbroadcast_cases(rng):
    for shape, own in (
        ((3, 4), (4,)),
        ((3, 4), (3, 1)),
        ((3, 4), (3, 4)),
        ((2, 3), ()),
        ((2, 3, 4), (3, 1)),
        ((5, 2, 3), (1, 2, 1)),
    ):
        yield Case(f"gradient of shape {shape} for an operand of shape {own}", rng.normal(size=shape), own)


def _unbroadcast_oracle(g, shape):
    """Number the entries of the operand, broadcast the numbers, and sum by number."""
    size = math.prod(shape)
    number = np.broadcast_to(np.arange(size).reshape(shape), g.shape)
    return np.bincount(number.ravel(), weights=g.ravel(), minlength=size).reshape(shape)


def _stretched(g, shape):
    new = g.ndim - len(shape)
    return (*range(new), *(axis + new for axis, size in enumerate(shape) if size == 1 and g.shape[axis + new] > 1))


def averages(g, shape):
    return g.mean(axis=_stretched(g, shape), keepdims=True).reshape(shape) if _stretched(g, shape) else g


def only_axes_in_front(g, shape):
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


def only_axes_of_size_one(g, shape):
    new = g.ndim - len(shape)
    return g.sum(axis=tuple(axis for axis in _stretched(g, shape) if axis >= new), keepdims=True)


def drops_the_axes(g, shape):
    return g.sum(axis=_stretched(g, shape))


def takes_the_first(g, shape):
    index = tuple(slice(0, 1) if axis in _stretched(g, shape) else slice(None) for axis in range(g.ndim))
    return g[index].reshape(shape)


def the_sum_of_everything(g, shape):
    return np.full(shape, g.sum()) if g.shape != tuple(shape) else g


UNBROADCAST = Exercise(
    name="unbroadcast",
    title="What was repeated is summed",
    points=5,
    minutes=20,
    difficulty=3,
    hints=(
        "Line up the two shapes at their last axes. Along which axes was the operand repeated?",
        "There are two kinds: axes in front that the operand does not have, and axes in which it has size 1. The result must have "
        "its shape, so an axis of size 1 stays.",
        "Sum over both kinds with `keepdims=True`, and `reshape` to the operand's shape at the end.",
    ),
    cases=_unbroadcast_cases,
    oracle=_unbroadcast_oracle,
    mistakes=(
        Mistake(
            averages,
            "The repetitions were averaged. A number that is used four times receives four contributions, and their sum.",
        ),
        Mistake(
            only_axes_in_front,
            "Axes that were put in front are summed, but not those in which the operand has size 1.",
            "wrong shape",
        ),
        Mistake(
            only_axes_of_size_one,
            "Axes in which the operand has size 1 are summed, but not those that it does not have at all.",
            "wrong type",
        ),
        Mistake(
            drops_the_axes,
            "The sums are right, but axes of size 1 have disappeared: (3, 1) became (3,), and would be broadcast to something else.",
            "wrong shape",
        ),
        Mistake(takes_the_first, "One repetition was taken and the others were left out. All of them contribute."),
        Mistake(
            the_sum_of_everything,
            "The gradient was summed over all axes, also those along which the operand was not repeated.",
        ),
    ),
)


# --- linear_backward -------------------------------------------------------------------------------------------------------


def _linear_cases(rng):
    for label, n, d, k in (
        ("5 samples, 4 inputs, 3 outputs", 5, 4, 3),
        ("as many outputs as inputs", 4, 3, 3),
        ("one sample", 1, 3, 2),
        ("all sizes equal", 3, 3, 3),
    ):
        yield Case(label, rng.normal(size=(n, k)), rng.normal(size=(n, d)), rng.normal(size=(d, k)))


def _linear_oracle(g, X, W):
    return np.einsum("nk,dk->nd", g, W), np.einsum("nd,nk->dk", X, g), np.einsum("nk->k", g)


def weights_not_transposed(g, X, W):
    return g @ W, X.T @ g, g.sum(axis=0)


def weight_gradient_transposed(g, X, W):
    return g @ W.T, g.T @ X, g.sum(axis=0)


def bias_gradient_not_summed(g, X, W):
    return g @ W.T, X.T @ g, g


def bias_gradient_averaged(g, X, W):
    return g @ W.T, X.T @ g, g.mean(axis=0)


def bias_summed_over_the_outputs(g, X, W):
    return g @ W.T, X.T @ g, g.sum(axis=1)


def all_averaged(g, X, W):
    return g @ W.T, X.T @ g / len(g), g.mean(axis=0)


LINEAR_BACKWARD = Exercise(
    name="linear_backward",
    title="A linear layer, backward",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Each gradient has the shape of what it belongs to. Write the shapes below each other, and see which products are possible.",
        "The bias was broadcast over the samples: shape (k,) became (n, k).",
        "Write Y_ij = Σ_m X_im W_mj + b_j, and ask for each of X_im, W_mj and b_j in which entries of Y it occurs.",
    ),
    cases=_linear_cases,
    oracle=_linear_oracle,
    mistakes=(
        Mistake(
            weights_not_transposed,
            "The gradient of X is computed with W as it is. The shapes (n, k) and (d, k) fit only if W is transposed, or by chance "
            "if d equals k.",
            "raised",
        ),
        Mistake(
            weight_gradient_transposed,
            "The gradient of W has the shape (k, d), the transpose of W's.",
            "wrong shape",
        ),
        Mistake(
            bias_gradient_not_summed,
            "The gradient of b has a row for every sample. b was repeated for each of them, so their contributions are summed.",
            "wrong shape",
        ),
        Mistake(
            bias_gradient_averaged,
            "The gradient of b is averaged over the samples. A mean in the loss has divided by n already, and is contained in g.",
        ),
        Mistake(
            bias_summed_over_the_outputs,
            "The gradient of b is summed over the outputs, and there is one number for each sample. It should be the other way "
            "round.",
            "wrong shape",
        ),
        Mistake(
            all_averaged,
            "The gradients of W and b are divided by the number of samples. Whether the loss is a mean is not this layer's "
            "business: g knows.",
        ),
    ),
)


# --- max_backward ----------------------------------------------------------------------------------------------------------


def _max_cases(rng):
    def case(label, x):
        return Case(label, rng.uniform(1, 2, len(x)), x)

    yield case("no ties", rng.permuted(np.arange(12.0)).reshape(3, 4))
    yield case("two winners in a row", np.array([[3.0, 7.0, 7.0], [1.0, 0.0, -1.0]]))
    yield case("all equal", np.full((2, 4), 2.5))
    yield case("one column", rng.normal(size=(4, 1)))
    yield case("negative numbers", -rng.uniform(1, 9, (3, 5)))


def _max_oracle(g, x):
    rows = []
    for slope, row in zip(g.tolist(), x.tolist(), strict=True):
        winners = [place for place, value in enumerate(row) if value == max(row)]
        rows.append([slope / len(winners) if place in winners else 0.0 for place in range(len(row))])
    return np.array(rows)


def the_first_winner_takes_all(g, x):
    spread = np.zeros(x.shape)
    spread[np.arange(len(x)), x.argmax(axis=1)] = g
    return spread


def every_winner_takes_all(g, x):
    return g[:, None] * (x == x.max(axis=1, keepdims=True))


def forgets_the_gradient(g, x):
    hit = x == x.max(axis=1, keepdims=True)
    return hit / hit.sum(axis=1, keepdims=True)


def the_maximum_of_the_table(g, x):
    hit = x == x.max()
    return g[:, None] * hit / hit.sum()


def shares_among_all(g, x):
    return np.repeat(g[:, None] / x.shape[1], x.shape[1], axis=1)


def times_the_value(g, x):
    hit = x == x.max(axis=1, keepdims=True)
    return g[:, None] * x * hit / hit.sum(axis=1, keepdims=True)


MAX_BACKWARD = Exercise(
    name="max_backward",
    title="The maximum, backward, with ties",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Mark the winners: a table of True and False with the shape of x. `keepdims=True` keeps the maximum in line with its row.",
        "Each row divides its own gradient by its own number of winners.",
    ),
    cases=_max_cases,
    oracle=_max_oracle,
    mistakes=(
        Mistake(
            the_first_winner_takes_all, "In a tie, the first winner gets everything. Here the winners share equally."
        ),
        Mistake(
            every_winner_takes_all,
            "In a tie, each winner gets the whole gradient, so more flows back than arrived. Divide by the number of winners.",
        ),
        Mistake(
            forgets_the_gradient,
            "The shares are right, but they are not multiplied with the gradient that arrived at the maximum.",
        ),
        Mistake(
            the_maximum_of_the_table,
            "The winners are those of the whole table. Every row has a maximum, and a gradient of its own.",
        ),
        Mistake(
            shares_among_all,
            "The gradient is divided among all numbers of the row. The losers do not move the maximum.",
        ),
        Mistake(
            times_the_value,
            "The winner's gradient is multiplied with its value. The local derivative of the maximum by its winner is 1.",
        ),
    ),
)


# --- logsumexp_with_gradient -----------------------------------------------------------------------------------------------


def _logsumexp_cases(rng):
    yield Case("small numbers", rng.normal(size=(3, 4)))
    yield Case("numbers around a thousand", 1000 + rng.normal(size=(2, 3)))
    yield Case("rows far apart", np.array([[900.0], [0.0], [-900.0]]) + rng.normal(size=(3, 3)))
    yield Case("a winner by far", np.array([[0.0, 500.0, -500.0], [3.0, 3.0, 2.0]]))
    yield Case("one column", rng.normal(size=(3, 1)) * 10)


def _logsumexp_oracle(x):
    from scipy.special import logsumexp, softmax

    return logsumexp(x, axis=1), softmax(x, axis=1)


def _quiet(answer):
    """Let a wrong answer overflow in silence."""

    def quiet(x):
        with np.errstate(all="ignore"):
            return answer(x)

    quiet.__name__ = answer.__name__
    return quiet


@_quiet
def as_the_formula_stands(x):
    e = np.exp(x)
    return np.log(e.sum(axis=1)), e / e.sum(axis=1, keepdims=True)


@_quiet
def one_shift_for_the_table(x):
    e = np.exp(x - x.max())
    return np.log(e.sum(axis=1)) + x.max(), e / e.sum(axis=1, keepdims=True)


def forgets_the_shift(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.log(e.sum(axis=1)), e / e.sum(axis=1, keepdims=True)


def gradient_not_divided(x):
    m = x.max(axis=1, keepdims=True)
    e = np.exp(x - m)
    return np.log(e.sum(axis=1)) + m[:, 0], e


def gradient_is_the_logarithm(x):
    m = x.max(axis=1, keepdims=True)
    value = np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]
    return value, x - value[:, None]


def keeps_a_column(x):
    m = x.max(axis=1, keepdims=True)
    e = np.exp(x - m)
    s = e.sum(axis=1, keepdims=True)
    return np.log(s) + m, e / s


def shifts_in_place(x):
    m = x.max(axis=1, keepdims=True)
    x -= m
    e = np.exp(x)
    return np.log(e.sum(axis=1)) + m[:, 0], e / e.sum(axis=1, keepdims=True)


LOGSUMEXP_WITH_GRADIENT = Exercise(
    name="logsumexp_with_gradient",
    title="Log-sum-exp and its gradient, without overflow",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Subtract something from each row before `exp`, so that the largest exponent is 0; add it again after the logarithm.",
        "Derive the gradient with the chain rule: 1 divided by the sum, times the one term of the sum that contains the number.",
    ),
    cases=_logsumexp_cases,
    oracle=_logsumexp_oracle,
    mistakes=(
        Mistake(
            as_the_formula_stands,
            "`exp` overflows for numbers above 709. Shift each row by its largest number first.",
            "not finite",
        ),
        Mistake(
            one_shift_for_the_table,
            "The whole table is shifted by its largest number. A row far below it underflows to zero, and the logarithm of zero is "
            "minus infinity. Every row needs a shift of its own.",
            "not finite",
        ),
        Mistake(forgets_the_shift, "The gradient is right. The value is that of the shifted row: add the shift again."),
        Mistake(
            gradient_not_divided,
            "The value is right. The gradient holds the exponentials; the derivative of the logarithm divides them by their sum.",
        ),
        Mistake(
            gradient_is_the_logarithm,
            "The second result is the logarithm of the softmax; the gradient is the softmax itself.",
        ),
        Mistake(
            keeps_a_column,
            "The numbers are right, but the value of each row should have shape (n,), not (n, 1).",
            "wrong shape",
        ),
        Mistake(shifts_in_place, "The results are right, but `-=` shifted the caller's table.", "changed input"),
    ),
)


# --- central_gradient ------------------------------------------------------------------------------------------------------


def _difference_cases(rng):
    yield Case("the sum of fourth powers", "sum of fourth powers", rng.uniform(0.5, 2, 4), 1e-2)
    yield Case("a product of five", "product", rng.uniform(0.5, 2, 5), 1e-3)
    yield Case("a table", "sum of cubes of the row sums", rng.uniform(0.5, 1, (2, 3)), 1e-2)
    yield Case("one number", "sum of fourth powers", rng.uniform(1, 2, 1), 1e-2)
    yield Case("whole numbers", "sum of fourth powers", rng.integers(1, 4, 3), 1e-2)


def _use_central_gradient(answer, name, x, h):
    import numpy as np

    functions = {
        "sum of fourth powers": lambda x: float((np.asarray(x, float) ** 4).sum()),
        "product": lambda x: float(np.prod(x)),
        "sum of cubes of the row sums": lambda x: float((x.sum(axis=1) ** 3).sum()),
    }
    return answer(functions[name], x, h)


def _difference_oracle(name, x, h):
    """The central differences of these polynomials, worked out."""
    x = x.astype(float)
    if name == "sum of fourth powers":
        return 4 * x**3 + 4 * x * h**2
    if name == "product":
        return np.prod(x) / x
    return np.repeat(3 * x.sum(axis=1, keepdims=True) ** 2 + h**2, x.shape[1], axis=1)


def _differences(f, x, h, formula):
    """Fill in a formula of f moved up, f moved down, and f here, for each place."""
    x = x.astype(float)
    gradient = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[at] += h
        down[at] -= h
        gradient[at] = formula(f(up), f(down), f(x))
    return gradient


def forward_only(f, x, h):
    return _differences(f, x, h, lambda up, down, here: (up - here) / h)


def divides_by_h(f, x, h):
    return _differences(f, x, h, lambda up, down, here: (up - down) / h)


def moves_all_at_once(f, x, h):
    x = x.astype(float)
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


def down_minus_up(f, x, h):
    return _differences(f, x, h, lambda up, down, here: (down - up) / (2 * h))


def flattens(f, x, h):
    return _differences(f, x, h, lambda up, down, here: (up - down) / (2 * h)).ravel()


def stays_in_whole_numbers(f, x, h):
    gradient = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[at] = x[at] + h
        down[at] = x[at] - h
        gradient[at] = (f(up) - f(down)) / (2 * h)
    return gradient


def leaves_x_moved(f, x, h):
    gradient = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        here = x[at]
        x[at] = here + h
        up = f(x)
        x[at] = here - h
        gradient[at] = (up - f(x)) / (2 * h)
    return gradient


CENTRAL_GRADIENT = Exercise(
    name="central_gradient",
    title="A gradient by central differences",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "`np.ndindex(x.shape)` goes through all places of an array of any shape.",
        "For each place, make two copies of x as floats, move this place by h up in one and down in the other, and call f on both.",
    ),
    cases=_difference_cases,
    oracle=_difference_oracle,
    use=_use_central_gradient,
    atol=1e-8,
    mistakes=(
        Mistake(
            forward_only,
            "This is the forward difference, f(x + h) - f(x). Its error goes with h, that of the central one with h².",
        ),
        Mistake(divides_by_h, "Everything is twice too large: from x - h to x + h the distance is 2h."),
        Mistake(
            moves_all_at_once,
            "All places are moved at once, which gives one number: the sum of all partial derivatives. Move one place at a time.",
        ),
        Mistake(down_minus_up, "The sign is wrong: f at x + h comes first."),
        Mistake(
            flattens, "The numbers are right, but a gradient has the shape of x, also if x is a table.", "wrong shape"
        ),
        Mistake(
            stays_in_whole_numbers,
            "An array of whole numbers cannot hold x + h; NumPy cuts the fraction off without a word. Convert to floats first.",
        ),
        Mistake(
            leaves_x_moved,
            "x is changed in place and not put back. Already the second partial derivative is taken at another point, and the "
            "caller's array is spoiled.",
            "changed input",
        ),
    ),
)


# --- predict_gradients -----------------------------------------------------------------------------------------------------


def _prediction_cases(rng):
    yield Case("your eight predictions")


@cache
def _measured_predictions():
    from mlcourse.autograd import Tensor

    calls = itertools.count(1)
    _differences(lambda x: next(calls) * 0.0, np.zeros(1000), 1e-6, lambda up, down, here: 0.0)
    evaluations = next(calls) - 1 - 1000  # `_differences` asks for f(x) as well, once for each place

    def tensor(*numbers):
        return Tensor(numbers, requires_grad=True, dtype=np.float64)

    X, W, b = Tensor(np.ones((50, 8))), Tensor(np.ones((8, 3)), requires_grad=True), tensor(0, 0, 0)
    (X @ W + b).sum().backward()
    five, three, tied, taken, logits = tensor(5), tensor(3), tensor(2, 7, 7), tensor(0, 0, 0), tensor(1, 2, 3)
    for _ in range(3):
        (five * five).sum().backward()
    (three * three.detach()).sum().backward()
    tied.max().backward()
    taken[np.array([0, 0, 2])].sum().backward()
    (logits.exp().sum().log() - logits[1]).backward()
    return {
        "evaluations": evaluations,
        "shape_of_bias_gradient": b.grad.shape,
        "bias_gradient": float(b.grad[0]),
        "after_three_backward_passes": float(five.grad[0]),
        "with_detach": float(three.grad[0]),
        "tied_maximum": tied.grad.tolist(),
        "repeated_index": taken.grad.tolist(),
        "sum_of_softmax_gradient": round(float(logits.grad.sum()), 12) + 0.0,
    }


def _predictions(**changed):
    right = {
        "evaluations": 2000,
        "shape_of_bias_gradient": (3,),
        "bias_gradient": 50,
        "after_three_backward_passes": 30,
        "with_detach": 3,
        "tied_maximum": [0, 0.5, 0.5],
        "repeated_index": [2, 0, 1],
        "sum_of_softmax_gradient": 0,
    }
    return lambda: right | changed


PREDICT_GRADIENTS = Exercise(
    name="predict_gradients",
    title="Predict before you measure",
    points=5,
    minutes=15,
    difficulty=2,
    hints=(
        "Draw the graph of each row. How often is each number used, and what arrives at it from each use?",
        "Contributions are added: those of several uses, of several repetitions, and of several calls of `backward`.",
    ),
    cases=_prediction_cases,
    oracle=lambda: dict(_measured_predictions()),
    mistakes=(
        Mistake(
            _predictions(evaluations=1001),
            "1,001 evaluations are enough for forward differences, which use the value at the place itself for all. Central "
            "differences need two for each parameter.",
        ),
        Mistake(
            _predictions(bias_gradient=1),
            "Each entry of b was used in all 50 rows, with the local derivative 1 each time. A mean would divide; this is a sum.",
        ),
        Mistake(
            _predictions(shape_of_bias_gradient=(50, 3)),
            "The gradient of b has the shape of b, for otherwise b could not be changed by it. The rows are summed.",
            "wrong shape",
        ),
        Mistake(
            _predictions(after_three_backward_passes=10),
            "Nobody cleared the gradient: each call of `backward` adds to what is there.",
        ),
        Mistake(
            _predictions(with_detach=6),
            "`detach` cuts one of the two ways. What is left is a product with a constant 3.",
        ),
        Mistake(
            _predictions(tied_maximum=[0, 1, 1]),
            "The two winners share the gradient 1 in this package; they do not get 1 each.",
        ),
        Mistake(
            _predictions(repeated_index=[1, 0, 1]),
            "Place 0 was taken twice and gets both contributions.",
        ),
        Mistake(
            _predictions(sum_of_softmax_gradient=1),
            "The probabilities add up to 1, but from the right class 1 is subtracted.",
        ),
    ),
)


# --- fit_softmax -----------------------------------------------------------------------------------------------------------


@cache
def _table(name):
    table = read_table(name)
    return table[:, :-1], table[:, -1].astype(int)


def _softmax_cases(rng):
    def some(name, n, columns):
        X, y = _table(name)
        rows = rng.choice(len(y), n, replace=False)
        return X[np.ix_(rows, columns)], y[rows]

    X, y = some("iris.csv", 40, [0, 1, 2, 3])
    yield Case("40 irises, standardized", (X - X.mean(axis=0)) / X.std(axis=0), y, 3, 0.5, 20)
    yield Case("one step", *some("iris.csv", 15, [2, 3]), 3, 0.1, 1)
    X, y = some("wine_data.csv", 30, [0, 6, 9])
    yield Case("30 wines, standardized", (X - X.mean(axis=0)) / X.std(axis=0), y, 3, 1.0, 30)
    X, y = some("wine_data.csv", 30, [4, 12])
    yield Case("wines as they are, with values up to a thousand", X, y, 3, 0.05, 10)
    yield Case("no step", *some("iris.csv", 5, [0]), 3, 0.1, 0)


def _softmax_oracle(X, y, n_classes, learning_rate, steps):
    from mlcourse.autograd import Tensor, log_softmax

    W = Tensor(np.zeros((X.shape[1], n_classes)), requires_grad=True, dtype=np.float64)
    b = Tensor(np.zeros(n_classes), requires_grad=True, dtype=np.float64)
    data, losses = Tensor(X, dtype=np.float64), []
    for _ in range(steps):
        loss = -log_softmax(data @ W + b)[np.arange(len(y)), y].mean()
        W.grad = b.grad = None
        loss.backward()
        W.data, b.data = W.data - learning_rate * W.grad, b.data - learning_rate * b.grad
        losses.append(loss.item())
    return W.data, b.data, np.array(losses)


def _fit_softmax(X, y, n_classes, learning_rate, steps, *, shift=True, gradient=None, bias=True, late=False):
    """Softmax regression with something changed."""
    W, b, losses = np.zeros((X.shape[1], n_classes)), np.zeros(n_classes), []
    one_hot = np.eye(n_classes)[y]

    def probabilities():
        Z = X @ W + b
        Z = Z - Z.max(axis=1, keepdims=True) if shift else Z
        return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True), Z

    def loss():
        _, Z = probabilities()
        return np.mean(np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(y)), y])

    with np.errstate(all="ignore"):
        for _ in range(steps):
            if not late:
                losses.append(loss())
            G = (probabilities()[0] - one_hot) / len(y) if gradient is None else gradient(probabilities()[0], one_hot)
            W = W - learning_rate * X.T @ G
            b = b - learning_rate * G.sum(axis=0) if bias else b
            if late:
                losses.append(loss())
    return W, b, np.array(losses)


def not_shifted(*args):
    return _fit_softmax(*args, shift=False)


def summed_over_the_samples(*args):
    return _fit_softmax(*args, gradient=lambda P, one_hot: P - one_hot)


def climbs_the_loss(*args):
    return _fit_softmax(*args, gradient=lambda P, one_hot: (one_hot - P) / len(P))


def forgets_the_truth(*args):
    return _fit_softmax(*args, gradient=lambda P, one_hot: P / len(P))


def leaves_the_bias(*args):
    return _fit_softmax(*args, bias=False)


def losses_after_the_step(*args):
    return _fit_softmax(*args, late=True)


def only_the_right_class(*args):
    return _fit_softmax(*args, gradient=lambda P, one_hot: (P - one_hot) * one_hot / len(P))


FIT_SOFTMAX = Exercise(
    name="fit_softmax",
    title="Softmax regression without an engine",
    points=6,
    minutes=30,
    difficulty=4,
    hints=(
        "Each step: logits, probabilities, loss, gradient of the logits, gradients of W and b, new W and b.",
        "The gradient of the logits is (probability - truth) / n; `np.eye(n_classes)[y]` holds the truth as rows of zeros and one 1.",
        "From there on it is a linear layer, backward. Shift the logits of each row by their maximum before `exp`, and compute the "
        "loss as log-sum-exp minus the right logit.",
    ),
    cases=_softmax_cases,
    oracle=_softmax_oracle,
    rtol=1e-5,
    atol=1e-7,
    mistakes=(
        Mistake(
            not_shifted,
            "The logits were not shifted before `exp`. With features in the hundreds it overflows, and everything becomes nan.",
            "not finite",
        ),
        Mistake(
            summed_over_the_samples,
            "The gradient is summed over the samples. The loss is a mean, so its gradient is divided by n.",
        ),
        Mistake(climbs_the_loss, "The loss grows: the sign of the gradient is wrong. It is probability minus truth."),
        Mistake(
            forgets_the_truth,
            "The gradient of the logits holds the probabilities only. For the right class, 1 has to be subtracted.",
        ),
        Mistake(leaves_the_bias, "W is right at first, but b stays zero. It is a parameter too."),
        Mistake(
            losses_after_the_step,
            "The losses are those after each step. Asked are those with which the step's gradient was computed, so the first is "
            "the loss of the start, log 3.",
        ),
        Mistake(
            only_the_right_class,
            "Only the logit of the right class gets a gradient. The others get their probability: they should become smaller.",
        ),
    ),
)


# --- own_operation ---------------------------------------------------------------------------------------------------------


def _own_cases(rng):
    yield Case("five numbers", rng.normal(size=5))
    yield Case("a table", rng.normal(size=(3, 4)) * 2)
    yield Case("one number without an axis", np.array(rng.normal()))
    yield Case("from -1000 to 1000", np.array([-1000.0, -30.0, -0.7, 0.4, 30.0, 1000.0]) + rng.uniform(0, 0.1, 6))


def _use_own_operation(answer, x):
    """The result, its gradient for random weights, and the same by central differences."""
    import numpy as np

    from mlcourse.autograd import Tensor

    def at(numbers):
        point = Tensor(numbers, requires_grad=True, dtype=np.float64)
        return point, answer(point)

    with np.errstate(all="ignore"):
        point, result = at(x)
        if not isinstance(result, Tensor):
            return {"returned": str(type(result)).split("'")[1]}
        weights = np.random.default_rng(0).uniform(0.5, 2, result.shape)
        result.backward(weights)
        found = {"shape": result.shape, "value": result.data.copy(), "gradient": np.array(point.grad)}
        if result.shape == x.shape:
            (_, up), (_, down) = at(x + 1e-6), at(x - 1e-6)
            found["differences"] = weights * (up.data - down.data) / 2e-6
    return found


def _own_difference(expected, got):
    x = expected
    if "returned" in got:
        return Difference("wrong type", f"expected a Tensor, made by `record`; got {got['returned']}")
    if got["shape"] != x.shape:
        return Difference(
            "wrong shape", f"the result has shape {got['shape']}, expected that of the operand, {x.shape}"
        )
    for name in ("value", "gradient"):
        if not np.isfinite(got[name]).all():
            bad = x[~np.isfinite(got[name])].flat[0]
            return Difference("not finite", f"the {name} at {bad:.4g} is not finite")
    deviation = np.abs(got["gradient"] - got["differences"]) / np.maximum(1, np.abs(got["differences"]))
    if deviation.max() > 1e-5:
        at = np.unravel_index(deviation.argmax(), x.shape)
        return Difference(
            "wrong value",
            f"at {x[at]:.4g} the gradient is {got['gradient'][at]:.5g}, central differences say {got['differences'][at]:.5g}",
        )
    return _too_easy(x, got["value"])


def _too_easy(x, value):
    """What one must not get away with: a straight line, or an operation that the package has."""
    if x.size > 2 and x.ndim == 1 and np.abs(x).max() < 100:
        line = np.polyfit(x, value, 1)
        if np.allclose(np.polyval(line, x), value, rtol=1e-7, atol=1e-9):
            return Difference(
                "wrong value", "on these numbers the operation is a straight line; choose one that is curved"
            )
    known = {
        "exp": np.exp,
        "tanh": np.tanh,
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "relu": lambda x: np.maximum(x, 0),
        "abs": np.abs,
        "x²": np.square,
        "x³": lambda x: x**3,
    }
    with np.errstate(all="ignore"):
        same = [name for name, function in known.items() if np.allclose(function(x), value, rtol=1e-9)]
    return Difference("wrong value", f"`Tensor` has this operation already: {same[0]}") if same and x.size > 2 else None


def _own(value, slope):
    """An operation as an answer, from its value and its derivative."""

    def operation(x):
        from mlcourse.autograd import record

        return record(value(x.data), (x, slope(x.data)))

    return operation


def _softplus_slope(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def ignores_the_gradient(x):
    return _own(lambda x: np.logaddexp(0, x), lambda x: lambda g: _softplus_slope(x))(x)


def another_slope(x):
    return _own(lambda x: np.logaddexp(0, x), lambda x: lambda g: g * (1 - _softplus_slope(x)))(x)


def overflows(x):
    return _own(lambda x: np.log(1 + np.exp(x)), lambda x: lambda g: g * _softplus_slope(x))(x)


def returns_an_array(x):
    return np.logaddexp(0, x.data)


def without_record(x):
    from mlcourse.autograd import Tensor

    return Tensor(np.logaddexp(0, x.data), dtype=np.float64)


def a_straight_line(x):
    return _own(lambda x: 3 * x + 1, lambda x: lambda g: 3 * g)(x)


def an_operation_that_exists(x):
    return _own(np.tanh, lambda x: lambda g: g * (1 - np.tanh(x) ** 2))(x)


def sums_the_result(x):
    from mlcourse.autograd import record

    return record(np.logaddexp(0, x.data).sum(keepdims=True), (x, lambda g: g * _softplus_slope(x.data)))


OWN_OPERATION = Exercise(
    name="own_operation",
    title="An operation of your own",
    points=6,
    minutes=30,
    difficulty=4,
    hints=(
        "Choose a smooth function of one number whose derivative you can write down: softplus log(1 + eˣ), swish x · sigmoid(x), "
        "a sine, an arc tangent, log(1 + x²).",
        "`record(value, (x, pullback))`: the value is an array; `pullback(g)` returns g times the derivative, place by place.",
        "`exp` of a large number overflows. `np.logaddexp(0, x)` is log(1 + eˣ) without that, and a sigmoid is "
        "0.5 · tanh(x / 2) + 0.5.",
    ),
    cases=_own_cases,
    oracle=lambda x: x,
    use=_use_own_operation,
    compare=_own_difference,
    mistakes=(
        Mistake(
            ignores_the_gradient,
            "The pullback returns the derivative and ignores `g`, the gradient that arrives. That is right only if the operation "
            "is the last one before a sum.",
        ),
        Mistake(
            another_slope, "The derivative belongs to another function. Run `gradient_check` on it, at random points."
        ),
        Mistake(
            overflows,
            "log(1 + eˣ), written as it stands, is infinite from x = 710 on. `np.logaddexp` computes the same without overflow.",
            "not finite",
        ),
        Mistake(
            returns_an_array,
            "The result is an array and has no past. `record` makes the tensor that remembers its operand.",
            "wrong type",
        ),
        Mistake(
            without_record,
            "The result is a new tensor without a past, so nothing flows back through it. `record` connects it with its operand.",
            "raised",
        ),
        Mistake(
            a_straight_line,
            "A straight line has the same derivative everywhere and is no test of a pullback. Choose a curve.",
        ),
        Mistake(
            an_operation_that_exists, "The gradient is right, but `Tensor.tanh` exists. Choose one that is missing."
        ),
        Mistake(
            sums_the_result,
            "The result is a single number. Asked is an operation on each number by itself, so that the shape stays.",
            "wrong shape",
        ),
    ),
)


EXERCISES = [
    NEURON_GRADIENTS,
    SCALAR,
    REPAIR_ACCUMULATION,
    BACKWARD_ORDER,
    CENTRAL_GRADIENT,
    UNBROADCAST,
    LINEAR_BACKWARD,
    MAX_BACKWARD,
    LOGSUMEXP_WITH_GRADIENT,
    PREDICT_GRADIENTS,
    FIT_SOFTMAX,
    OWN_OPERATION,
]
