"""The checks of the chapter on optimizers."""

from functools import partial
from itertools import combinations

import numpy as np

from mlcourse.grading import Case, Exercise, Mistake
from mlcourse.grading.patterns import predictions_difference, refusing

# --- momentum_step ---------------------------------------------------------------------------------------------------------


def _momentum_cases(rng):
    yield Case("three parameters, a velocity from before", *rng.normal(size=(3, 3)), 0.1, 0.9)
    yield Case("the first step, from rest", rng.normal(size=4), np.zeros(4), rng.normal(size=4), 0.5, 0.8)
    yield Case("a matrix of weights", *rng.normal(size=(3, 2, 3)), 0.01, 0.5)
    yield Case("no momentum", *rng.normal(size=(3, 2)), 0.1, 0.0)
    yield Case("no gradient: the velocity carries on", rng.normal(size=3), rng.normal(size=3), np.zeros(3), 0.1, 0.9)


def _momentum_oracle(w, velocity, gradient, learning_rate, beta):
    """One row for every entry: (w, v, g) is mapped to the new (w, v) by a matrix."""
    step = np.array([[1, -learning_rate * beta, -learning_rate], [0, beta, 1]])
    new = step @ np.stack([w.ravel(), velocity.ravel(), gradient.ravel()])
    return new[0].reshape(w.shape), new[1].reshape(w.shape)


def averages_instead_of_adding(w, velocity, gradient, learning_rate, beta):
    velocity = beta * velocity + (1 - beta) * gradient
    return w - learning_rate * velocity, velocity


def steps_with_the_old_velocity(w, velocity, gradient, learning_rate, beta):
    return w - learning_rate * velocity, beta * velocity + gradient


def puts_the_rate_into_the_velocity(w, velocity, gradient, learning_rate, beta):
    velocity = beta * velocity + learning_rate * gradient
    return w - velocity, velocity


def goes_uphill(w, velocity, gradient, learning_rate, beta):
    velocity = beta * velocity + gradient
    return w + learning_rate * velocity, velocity


def changes_the_arrays_in_place(w, velocity, gradient, learning_rate, beta):
    velocity *= beta
    velocity += gradient
    w -= learning_rate * velocity
    return w, velocity


def never_slows_down(w, velocity, gradient, learning_rate, beta):
    velocity = velocity + gradient
    return w - learning_rate * velocity, velocity


MOMENTUM_STEP = Exercise(
    name="momentum_step",
    title="One step of momentum",
    points=3,
    minutes=8,
    difficulty=1,
    hints=(
        "Two lines: the new velocity first, then the new parameters from it.",
        "The velocity shrinks to beta times itself, and the gradient is added to it, whole.",
    ),
    cases=_momentum_cases,
    oracle=_momentum_oracle,
    mistakes=(
        Mistake(
            averages_instead_of_adding,
            "The gradient enters with the weight 1 - beta. That is the average of Adam; here the gradient is added whole, "
            "so that steps become up to 1 / (1 - beta) times as long.",
        ),
        Mistake(
            steps_with_the_old_velocity,
            "The parameters moved by the velocity from before, so each gradient takes effect one step late.",
        ),
        Mistake(
            puts_the_rate_into_the_velocity,
            "The learning rate was multiplied into the velocity. Then a change of the rate would take effect only slowly; "
            "in this chapter and in PyTorch the velocity holds gradients, and the rate is applied to it at the end.",
        ),
        Mistake(goes_uphill, "The velocity adds up gradients, which point uphill. The step goes against it."),
        Mistake(
            changes_the_arrays_in_place,
            "The results are right, but the caller's arrays were changed: operations such as `*=` and `-=` work in place.",
            "changed input",
        ),
        Mistake(never_slows_down, "The old velocity is kept whole. Without the factor beta it never dies out."),
    ),
)


# --- nesterov_step ---------------------------------------------------------------------------------------------------------


def _nesterov_oracle(u, velocity, gradient, learning_rate, beta):
    """By way of the parameters that are not stored: u is the place ahead of them."""
    theta = u + learning_rate * beta * velocity
    new_velocity = beta * velocity + gradient
    new_theta = theta - learning_rate * new_velocity
    return new_theta - learning_rate * beta * new_velocity, new_velocity


def plain_momentum(u, velocity, gradient, learning_rate, beta):
    velocity = beta * velocity + gradient
    return u - learning_rate * velocity, velocity


def keeps_the_direction_as_velocity(u, velocity, gradient, learning_rate, beta):
    direction = gradient + beta * (beta * velocity + gradient)
    return u - learning_rate * direction, direction


def adds_the_whole_velocity(u, velocity, gradient, learning_rate, beta):
    velocity = beta * velocity + gradient
    return u - learning_rate * (gradient + velocity), velocity


def moves_ahead_before_the_step(u, velocity, gradient, learning_rate, beta):
    ahead = u - learning_rate * beta * velocity
    velocity = beta * velocity + gradient
    return ahead - learning_rate * velocity, velocity


NESTEROV_STEP = Exercise(
    name="nesterov_step",
    title="One step of Nesterov",
    points=3,
    minutes=10,
    difficulty=2,
    hints=(
        "The velocity is the same as with momentum. Only the direction of the step is another one.",
        "With the place ahead stored, the direction is the gradient plus beta times a velocity. The old or the new one?",
    ),
    cases=_momentum_cases,
    oracle=_nesterov_oracle,
    mistakes=(
        Mistake(
            plain_momentum,
            "This is momentum without the look ahead: the step goes along the new velocity alone. It is also what comes out "
            "if the gradient is added to beta times the *old* velocity, for that sum is the new one.",
        ),
        Mistake(
            keeps_the_direction_as_velocity,
            "The step is right, but its direction was kept as the velocity, so the look ahead would pile up from step to step.",
        ),
        Mistake(
            adds_the_whole_velocity,
            "The new velocity is added whole to the gradient. It will be shortened to beta times itself before the next "
            "gradient, and the look ahead has to expect that.",
        ),
        Mistake(
            moves_ahead_before_the_step,
            "The parameters that come in are already the place ahead, where the gradient was taken. Moving ahead along the "
            "old velocity once more looks too far.",
        ),
    ),
)


# --- adagrad_way -----------------------------------------------------------------------------------------------------------


def _adagrad_cases(rng):
    yield Case("two parameters, three steps", rng.normal(size=2), rng.normal(size=(3, 2)), 0.1, 1e-8)
    scales = np.array([100.0, 1.0, 0.01])
    yield Case("gradients of very different size", np.zeros(3), rng.normal(size=(4, 3)) * scales, 0.5, 1e-8)
    rare = np.zeros((5, 2))
    rare[:, 0], rare[3, 1] = rng.normal(size=5), rng.uniform(1, 2)
    yield Case("a parameter whose gradient is zero until the fourth step", np.ones(2), rare, 0.1, 1e-8)
    yield Case("an epsilon that can be seen", rng.normal(size=3), 0.1 * rng.normal(size=(3, 3)), 0.1, 0.05)
    yield Case("no steps", rng.normal(size=2), np.empty((0, 2)), 0.1, 1e-8)


def _adagrad_oracle(w, gradients, learning_rate, eps):
    steps = gradients / (np.sqrt(np.cumsum(gradients**2, axis=0)) + eps)
    return np.vstack([w, w - learning_rate * np.cumsum(steps, axis=0)])


def _adaptive_way(w, gradients, direction):
    way, kept = [w.copy()], np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        change, kept = direction(g, kept, t)
        way.append(way[-1] - change)
    return np.array(way)


def divides_by_the_mean_square(w, gradients, learning_rate, eps):
    return _adaptive_way(
        w, gradients, lambda g, s, t: (learning_rate * g / (np.sqrt((s + g * g) / t) + eps), s + g * g)
    )


def leaves_out_the_root(w, gradients, learning_rate, eps):
    return _adaptive_way(w, gradients, lambda g, s, t: (learning_rate * g / (s + g * g + eps), s + g * g))


def one_scale_for_all(w, gradients, learning_rate, eps):
    return _adaptive_way(
        w, gradients, lambda g, s, t: (learning_rate * g / (np.sqrt(np.sum(s + g * g)) + eps), s + g * g)
    )


def epsilon_below_the_root(w, gradients, learning_rate, eps):
    return _adaptive_way(w, gradients, lambda g, s, t: (learning_rate * g / np.sqrt(s + g * g + eps), s + g * g))


def forgets_the_earlier_gradients(w, gradients, learning_rate, eps):
    return _adaptive_way(w, gradients, lambda g, s, t: (learning_rate * g / (np.abs(g) + eps), s))


def divides_by_the_sum_from_before(w, gradients, learning_rate, eps):
    return _adaptive_way(w, gradients, lambda g, s, t: (learning_rate * g / (np.sqrt(s) + eps), s + g * g))


def returns_only_the_end(w, gradients, learning_rate, eps):
    return _adagrad_oracle(w, gradients, learning_rate, eps)[-1]


ADAGRAD_WAY = Exercise(
    name="adagrad_way",
    title="The way of AdaGrad",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Keep one array of sums, zeros at first, of the shape of w. What comes first in a step: adding to it or dividing by it?",
        "The squares go in first: s = s + g², then w = w - learning_rate · g / (√s + eps). Append a copy of w after every step.",
    ),
    cases=_adagrad_cases,
    oracle=_adagrad_oracle,
    mistakes=(
        Mistake(
            divides_by_the_mean_square,
            "The squares were averaged over the steps. AdaGrad adds them up, and that is why its steps fade.",
        ),
        Mistake(leaves_out_the_root, "The sum of squares has the square of a gradient's unit: its root is missing."),
        Mistake(
            one_scale_for_all,
            "All parameters were divided by one common number. Each parameter has a sum of its own.",
        ),
        Mistake(
            epsilon_below_the_root,
            "Epsilon was added below the root. It is added to the root; below it, it would count with its own root, "
            "which is far larger.",
        ),
        Mistake(
            forgets_the_earlier_gradients,
            "Each gradient was divided by its own size only, so every step is as long as the first. The squares of earlier "
            "steps must be kept.",
        ),
        Mistake(
            divides_by_the_sum_from_before,
            "The gradient was divided before its own square was added: the first step divides by epsilon alone and is enormous.",
        ),
        Mistake(
            returns_only_the_end,
            "Only the last place came back; the whole way is asked for, start included.",
            "wrong shape",
        ),
    ),
)


# --- adam_way --------------------------------------------------------------------------------------------------------------


def _adam_cases(rng):
    yield Case("two parameters, four steps", rng.normal(size=2), rng.normal(size=(4, 2)), 0.1, 0.9, 0.999, 1e-8)
    yield Case("one step", rng.normal(size=3), rng.normal(size=(1, 3)), 0.01, 0.9, 0.999, 1e-8)
    yield Case("other memories", rng.normal(size=2), rng.normal(size=(6, 2)), 0.1, 0.5, 0.8, 1e-8)
    yield Case("an epsilon that can be seen", rng.normal(size=2), 0.1 * rng.normal(size=(3, 2)), 0.1, 0.9, 0.99, 0.05)
    yield Case("a gradient that is always zero", np.ones(2), np.zeros((3, 2)), 0.1, 0.9, 0.999, 1e-8)


def _adam_oracle(w, gradients, learning_rate, beta1, beta2, eps):
    """With the averages as weighted means: the corrected average is the mean with weights that sum to 1."""
    way = [w]
    for t in range(1, len(gradients) + 1):
        age = np.arange(t)[::-1]
        m = np.average(gradients[:t], axis=0, weights=beta1**age)
        s = np.average(gradients[:t] ** 2, axis=0, weights=beta2**age)
        way.append(way[-1] - learning_rate * m / (np.sqrt(s) + eps))
    return np.array(way)


def _adam(
    w, gradients, learning_rate, beta1, beta2, eps, correct=lambda m, s, t, b1, b2: (m / (1 - b1**t), s / (1 - b2**t))
):
    way, m, s = [w.copy()], np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
        m_hat, s_hat = correct(m, s, t, beta1, beta2)
        way.append(way[-1] - learning_rate * m_hat / (np.sqrt(s_hat) + eps))
    return np.array(way)


def does_not_correct(*args):
    return _adam(*args, correct=lambda m, s, t, b1, b2: (m, s))


def corrects_the_mean_only(*args):
    return _adam(*args, correct=lambda m, s, t, b1, b2: (m / (1 - b1**t), s))


def corrects_without_the_power(*args):
    return _adam(*args, correct=lambda m, s, t, b1, b2: (m / (1 - b1), s / (1 - b2)))


def counts_steps_from_zero(*args):
    with np.errstate(divide="ignore", invalid="ignore"):
        return _adam(*args, correct=lambda m, s, t, b1, b2: (m / (1 - b1 ** (t - 1)), s / (1 - b2 ** (t - 1))))


def exchanges_the_betas(w, gradients, learning_rate, beta1, beta2, eps):
    return _adam(w, gradients, learning_rate, beta2, beta1, eps)


def adds_whole_gradients(w, gradients, learning_rate, beta1, beta2, eps):
    way, m, s = [w.copy()], np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m, s = beta1 * m + g, beta2 * s + g * g
        way.append(way[-1] - learning_rate * (m / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + eps))
    return np.array(way)


def epsilon_below_the_root_of_adam(w, gradients, learning_rate, beta1, beta2, eps):
    way, m, s = [w.copy()], np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
        way.append(way[-1] - learning_rate * (m / (1 - beta1**t)) / np.sqrt(s / (1 - beta2**t) + eps))
    return np.array(way)


ADAM_WAY = Exercise(
    name="adam_way",
    title="The way of Adam",
    points=5,
    minutes=20,
    difficulty=3,
    hints=(
        "Keep two arrays, zeros at first: the average of the gradients, and the average of their squares.",
        "Count the steps from 1: `for t, g in enumerate(gradients, start=1)`. The corrected averages are new arrays; what is "
        "kept stays uncorrected.",
        "m_hat = m / (1 - beta1**t), s_hat = s / (1 - beta2**t), and the step is learning_rate · m_hat / (√s_hat + eps).",
    ),
    cases=_adam_cases,
    oracle=_adam_oracle,
    mistakes=(
        Mistake(
            does_not_correct,
            "There is no bias correction. The averages begin at zero and are too small at first, so that early steps have the "
            "wrong length.",
        ),
        Mistake(
            corrects_the_mean_only,
            "Only the average of the gradients was corrected. That of the squares began at zero too.",
        ),
        Mistake(
            corrects_without_the_power,
            "The correction lacks its power: 1 - beta is right for the first step and too small for all others.",
        ),
        Mistake(
            counts_steps_from_zero,
            "At the first step the power was 0, and 1 - beta**0 is zero: the averages were divided by it. The first step has "
            "number 1.",
            "not finite",
        ),
        Mistake(
            exchanges_the_betas,
            "The two betas are exchanged: the first belongs to the gradients, the second to the squares.",
        ),
        Mistake(
            adds_whole_gradients,
            "The gradients enter the averages whole, without the weights 1 - beta, so these are decaying sums. The correction "
            "is made for averages.",
        ),
        Mistake(
            epsilon_below_the_root_of_adam,
            "Epsilon was added below the root; it is added to the root.",
        ),
    ),
)


# --- adamw_step ------------------------------------------------------------------------------------------------------------


def _adamw_cases(rng):
    def state(n, t):
        return rng.normal(size=n), 0.1 * rng.normal(size=n), rng.uniform(0.01, 0.1, n), t, rng.normal(size=n)

    yield Case("the eleventh step", *state(3, 11), 0.01, 0.1)
    yield Case("the first step", rng.normal(size=2) + 3, np.zeros(2), np.zeros(2), 1, rng.normal(size=2), 0.1, 0.5)
    yield Case("no decay", *state(2, 5), 0.1, 0.0)
    yield Case(
        "no gradient: only the decay is left", np.array([2.0, -3]), np.zeros(2), np.zeros(2), 4, np.zeros(2), 0.1, 0.3
    )


def _adamw_oracle(w, m, s, t, gradient, learning_rate, weight_decay):
    new_m = m + 0.1 * (gradient - m)
    new_s = s + 0.001 * (gradient**2 - s)
    length = learning_rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    scaled = new_m / (np.sqrt(new_s) + 1e-8 * np.sqrt(1 - 0.999**t))
    return w - learning_rate * weight_decay * w - length * scaled, new_m, new_s


def _adamw(w, m, s, t, gradient, learning_rate, decayed=lambda w: w, penalty=0.0):
    g = gradient + penalty * w
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
    step = learning_rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return decayed(w) - step, m, s


def puts_the_penalty_into_the_gradient(w, m, s, t, gradient, learning_rate, weight_decay):
    return _adamw(w, m, s, t, gradient, learning_rate, penalty=weight_decay)


def decays_without_the_rate(w, m, s, t, gradient, learning_rate, weight_decay):
    return _adamw(w, m, s, t, gradient, learning_rate, lambda w: (1 - weight_decay) * w)


def decays_after_the_step(w, m, s, t, gradient, learning_rate, weight_decay):
    moved, m, s = _adamw(w, m, s, t, gradient, learning_rate)
    return moved * (1 - learning_rate * weight_decay), m, s


def does_not_decay(w, m, s, t, gradient, learning_rate, weight_decay):
    return _adamw(w, m, s, t, gradient, learning_rate)


def grows_instead_of_decaying(w, m, s, t, gradient, learning_rate, weight_decay):
    return _adamw(w, m, s, t, gradient, learning_rate, lambda w: (1 + learning_rate * weight_decay) * w)


def keeps_the_corrected_averages(w, m, s, t, gradient, learning_rate, weight_decay):
    w, m, s = _adamw(w, m, s, t, gradient, learning_rate, lambda w: (1 - learning_rate * weight_decay) * w)
    return w, m / (1 - 0.9**t), s / (1 - 0.999**t)


ADAMW_STEP = Exercise(
    name="adamw_step",
    title="One step of AdamW",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "The decay and Adam's step are independent of each other: the averages must not see the decay.",
        "First shrink w by the factor 1 - learning_rate · weight_decay, then subtract Adam's step, computed from the gradient alone.",
    ),
    cases=_adamw_cases,
    oracle=_adamw_oracle,
    mistakes=(
        Mistake(
            puts_the_penalty_into_the_gradient,
            "The decay was added to the gradient. That is Adam with an L2 penalty: it enters the averages and is divided by "
            "the size of the gradients.",
        ),
        Mistake(
            decays_without_the_rate,
            "The weights shrink by weight_decay itself; the learning rate is missing in the factor, so a schedule would not "
            "reach the decay.",
        ),
        Mistake(
            decays_after_the_step,
            "The decay was applied to the moved weights, so it shortens Adam's step as well. The weights from before the step "
            "are what decays.",
        ),
        Mistake(does_not_decay, "There is no decay: this is a step of Adam."),
        Mistake(grows_instead_of_decaying, "The weights grow where they should shrink: look at the sign of the decay."),
        Mistake(
            keeps_the_corrected_averages,
            "The weights are right, but the corrected averages were kept. The next step would correct them again.",
        ),
    ),
)


# --- largest_stable_rate ---------------------------------------------------------------------------------------------------


def _hessian(rng, n):
    A = rng.normal(size=(n, n))
    return A @ A.T + np.diag(rng.uniform(0.5, 5, n))


def _rate_cases(rng):
    yield Case("a valley along the axes, no momentum", np.diag([1.0, rng.uniform(20, 30)]), 0.0)
    yield Case("three parameters, no momentum", _hessian(rng, 3), 0.0)
    yield Case("momentum 0.9", _hessian(rng, 3), 0.9)
    yield Case("one parameter, momentum 0.5", np.array([[rng.uniform(2, 4)]]), 0.5)
    yield Case("a saddle", np.diag([2.0, -1.0]), 0.0, raises=ValueError)
    yield Case("a direction without curvature", np.array([[1.0, 1.0], [1.0, 1.0]]), 0.0, raises=ValueError)


def _rate_oracle(H, beta):
    """Bisection on the spectral radius of the matrix that one step applies to (error, error before)."""
    identity, zero = np.eye(len(H)), np.zeros_like(H)

    def converges(rate):
        step = np.block([[(1 + beta) * identity - rate * H, -beta * identity], [identity, zero]])
        return np.abs(np.linalg.eigvals(step)).max() < 1

    low, high = 0.0, 8 / np.trace(H) * len(H)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if converges(middle) else (low, middle)
    return low


def _no_minimum(H, beta):
    values = np.linalg.eigvalsh(H)
    return values[0] <= 1e-9 * abs(values[-1])


@refusing(_no_minimum)
def half_the_limit(H, beta):
    return (1 + beta) / np.linalg.eigvalsh(H)[-1]


@refusing(_no_minimum)
def looks_at_the_flattest_direction(H, beta):
    return 2 * (1 + beta) / np.linalg.eigvalsh(H)[0]


@refusing(_no_minimum)
def leaves_momentum_out(H, beta):
    return 2 / np.linalg.eigvalsh(H)[-1]


@refusing(_no_minimum)
def divides_by_one_minus_beta(H, beta):
    return 2 * (1 - beta) / np.linalg.eigvalsh(H)[-1]


@refusing(_no_minimum)
def largest_entry_of_the_diagonal(H, beta):
    return 2 * (1 + beta) / np.diag(H).max()


@refusing(_no_minimum)
def best_rate_not_largest(H, beta):
    values = np.linalg.eigvalsh(H)
    return 2 * (1 + beta) / (values[0] + values[-1])


def takes_a_saddle_for_a_minimum(H, beta):
    return 2 * (1 + beta) / np.linalg.eigvalsh(H)[-1]


LARGEST_STABLE_RATE = Exercise(
    name="largest_stable_rate",
    title="The largest learning rate that converges",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Which curvature decides? `np.linalg.eigvalsh` returns the eigenvalues of a symmetric matrix, the smallest first.",
        "Without momentum the limit is 2 / λmax; with momentum the theorem of the chapter has a factor in front. A smallest "
        "eigenvalue that is not clearly positive means that there is no single minimum.",
    ),
    cases=_rate_cases,
    oracle=_rate_oracle,
    rtol=1e-5,
    mistakes=(
        Mistake(
            half_the_limit,
            "This rate is half of the limit: there the steepest direction is done in one step. Up to twice as much it zigzags, "
            "but converges.",
        ),
        Mistake(
            looks_at_the_flattest_direction,
            "The flattest direction would bear this rate; in the steepest one the steps explode.",
        ),
        Mistake(leaves_momentum_out, "Without momentum it is right. With momentum the limit is larger."),
        Mistake(
            divides_by_one_minus_beta,
            "Steps along a constant gradient become 1 / (1 - beta) times as long, but at the limit the gradient changes its sign "
            "in every step, and there momentum damps: the limit grows.",
        ),
        Mistake(
            largest_entry_of_the_diagonal,
            "The diagonal holds the curvatures along the axes. The steepest direction may lie between them; take eigenvalues.",
        ),
        Mistake(
            best_rate_not_largest,
            "Without momentum this is the best rate, at which the factors of the two ends are equal; asked for is the largest "
            "that converges.",
        ),
        Mistake(
            takes_a_saddle_for_a_minimum,
            "With a curvature that is zero or negative there is no single minimum to converge to: raise ValueError.",
            "no error",
        ),
    ),
)


# --- clip_by_global_norm ---------------------------------------------------------------------------------------------------


def _clip_cases(rng):
    yield Case("two arrays that are too long", [10 * rng.normal(size=3), 10 * rng.normal(size=(2, 2))], 1.0)
    yield Case("short enough already", [0.01 * rng.normal(size=3), 0.01 * rng.normal(size=2)], 1.0)
    yield Case("each short enough, together too long", [np.array([0.8, 0.0]), np.array([[0.0, 0.8]])], 1.0)
    yield Case("one large, one small", [np.array([300.0, 400.0]), np.array([rng.uniform(0.1, 0.2)])], 5.0)
    yield Case("all zero", [np.zeros(2), np.zeros((1, 2))], 1.0)


def _clip_oracle(gradients, max_norm):
    flat = np.concatenate([g.ravel() for g in gradients])
    norm = float(np.linalg.norm(flat))
    factor = 1.0 if norm <= max_norm else max_norm / norm
    return [factor * g for g in gradients], norm


def clips_each_array(gradients, max_norm):
    clipped = [g * min(1.0, max_norm / (np.linalg.norm(g) + 1e-300)) for g in gradients]
    return clipped, _clip_oracle(gradients, max_norm)[1]


def clips_each_number(gradients, max_norm):
    return [np.clip(g, -max_norm, max_norm) for g in gradients], _clip_oracle(gradients, max_norm)[1]


def stretches_short_ones(gradients, max_norm):
    norm = _clip_oracle(gradients, max_norm)[1]
    return [g * (max_norm / norm if norm else 1.0) for g in gradients], norm


def adds_the_norms(gradients, max_norm):
    norm = float(sum(np.linalg.norm(g) for g in gradients))
    return [g * (max_norm / norm if norm > max_norm else 1.0) for g in gradients], norm


def returns_the_norm_after(gradients, max_norm):
    clipped, norm = _clip_oracle(gradients, max_norm)
    return clipped, min(norm, max_norm)


def clips_in_place(gradients, max_norm):
    norm = _clip_oracle(gradients, max_norm)[1]
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / norm
    return gradients, norm


def forgets_the_root_of_the_norm(gradients, max_norm):
    norm = float(sum(np.sum(g * g) for g in gradients))
    return [g * (max_norm / norm if norm > max_norm else 1.0) for g in gradients], norm


CLIP_BY_GLOBAL_NORM = Exercise(
    name="clip_by_global_norm",
    title="Clip all gradients together",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "How long would the gradients be as one vector? Its squared length is the sum of all squares of all arrays.",
        "If that length is above max_norm, multiply every array by max_norm / norm, into new arrays; if not, leave them.",
    ),
    cases=_clip_cases,
    oracle=_clip_oracle,
    mistakes=(
        Mistake(
            clips_each_array,
            "Each array was clipped by itself. That changes their proportions, and so the direction of the step.",
        ),
        Mistake(
            clips_each_number,
            "Single numbers were cut off at max_norm. That changes the direction, and leaves long vectors long.",
        ),
        Mistake(
            stretches_short_ones,
            "Gradients that were short enough came back longer. Clipping only shortens: near a minimum, gradients must be "
            "allowed to be small.",
        ),
        Mistake(
            adds_the_norms,
            "The lengths of the arrays were added. As one vector they are shorter: squares add, lengths don't.",
        ),
        Mistake(returns_the_norm_after, "The gradients are right; the norm asked for is the one before clipping."),
        Mistake(clips_in_place, "The gradients of the caller were changed in place.", "changed input"),
        Mistake(
            forgets_the_root_of_the_norm, "The sum of all squares is the square of the length: its root is missing."
        ),
    ),
)


# --- scheduled_rate --------------------------------------------------------------------------------------------------------


def _schedule_cases(rng):
    yield Case("the first step", 0, 100, 10, 0.1)
    yield Case("in the warm-up", int(rng.integers(3, 8)), 100, 10, 0.1)
    yield Case("at the peak", 10, 100, 10, 0.3)
    yield Case("on the cosine", int(rng.integers(20, 50)), 100, 10, 0.1)
    yield Case("near the end", int(rng.integers(80, 95)), 100, 10, 0.1)
    yield Case("at the end", 100, 100, 10, 0.1)
    yield Case("after the end", int(rng.integers(120, 150)), 100, 10, 0.1)
    yield Case("no warm-up", 0, 50, 0, 0.2)
    yield Case("a warm-up that never ends", 5, 20, 20, 0.1, raises=ValueError)


def _schedule_oracle(step, steps, warmup, peak):
    """With cos² of half the angle in place of (1 + cos) / 2."""
    rising = (step + 1) / warmup if step < warmup else np.inf
    angle = np.clip((step - warmup) / (steps - warmup), 0, 1) * np.pi / 2
    return float(peak * min(rising, np.cos(angle) ** 2))


def _endless_warmup(step, steps, warmup, peak):
    return warmup >= steps


def _scheduled(step, steps, warmup, peak, rising=None, falling=None):
    if step < warmup:
        return float(peak * (rising or (lambda: (step + 1) / warmup))())
    done = min(1.0, (step - warmup) / (steps - warmup))
    return float(peak * (falling or (lambda done: 0.5 * (1 + np.cos(np.pi * done))))(done))


@refusing(_endless_warmup)
def begins_at_zero(step, steps, warmup, peak):
    return _scheduled(step, steps, warmup, peak, rising=lambda: step / warmup)


@refusing(_endless_warmup)
def cosine_from_the_very_start(step, steps, warmup, peak):
    return _scheduled(
        step, steps, warmup, peak, falling=lambda done: 0.5 * (1 + np.cos(np.pi * min(1.0, step / steps)))
    )


@refusing(_endless_warmup)
def falls_along_a_line(step, steps, warmup, peak):
    return _scheduled(step, steps, warmup, peak, falling=lambda done: 1 - done)


@refusing(_endless_warmup)
def a_quarter_of_the_wave(step, steps, warmup, peak):
    return _scheduled(step, steps, warmup, peak, falling=lambda done: np.cos(np.pi * done / 2))


@refusing(_endless_warmup)
def rises_again_after_the_end(step, steps, warmup, peak):
    if step < warmup:
        return peak * (step + 1) / warmup
    return float(peak * 0.5 * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))))


@refusing(_endless_warmup)
def leaves_the_peak_out(step, steps, warmup, peak):
    return _scheduled(step, steps, warmup, 1.0)


def warms_up_for_ever(step, steps, warmup, peak):
    return float(peak * (step + 1) / warmup) if step < warmup else _schedule_oracle(step, steps, warmup, peak)


SCHEDULED_RATE = Exercise(
    name="scheduled_rate",
    title="Warm-up and cosine",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Two cases: before `warmup` a line, from there on half a cosine. Which fraction of the second part is done?",
        "The first step, number 0, already has the rate peak / warmup; step number `warmup` has the peak.",
        "done = (step - warmup) / (steps - warmup), at most 1; then peak · (1 + cos(π · done)) / 2.",
    ),
    cases=_schedule_cases,
    oracle=_schedule_oracle,
    mistakes=(
        Mistake(
            begins_at_zero,
            "The first step has the rate 0 and is wasted. The line goes through peak / warmup at step 0.",
        ),
        Mistake(
            cosine_from_the_very_start,
            "The cosine was stretched over all steps. It begins at its top where the warm-up ends; so there is a jump there.",
        ),
        Mistake(falls_along_a_line, "After the peak it falls along a straight line, not along a cosine."),
        Mistake(
            a_quarter_of_the_wave,
            "A quarter of a wave was used, which ends steeply. Half a wave, from 1 to -1, lifted and halved, ends flat.",
        ),
        Mistake(
            rises_again_after_the_end, "After the last step the rate rises again, as cosines do. It must stay at zero."
        ),
        Mistake(leaves_the_peak_out, "This is the fraction of the peak; the peak rate itself is missing as a factor."),
        Mistake(
            warms_up_for_ever,
            "A warm-up as long as the whole run, or longer, leaves no room for the cosine: raise ValueError.",
            "no error",
        ),
    ),
)


# --- minibatch_variance ----------------------------------------------------------------------------------------------------


def _variance_cases(rng):
    yield Case("six examples, two parameters, batches of 2", rng.normal([3, -2], size=(6, 2)), 2)
    yield Case("one parameter, batches of 3", rng.normal(size=(7, 1)), 3)
    yield Case("batches of one example", rng.normal(size=(5, 3)), 1)
    yield Case("all examples in one batch", rng.normal(size=(4, 2)), 4)
    yield Case("all gradients equal", np.full((5, 2), rng.normal()), 2)
    yield Case("a batch larger than the data", rng.normal(size=(3, 2)), 4, raises=ValueError)
    yield Case("an empty batch", rng.normal(size=(3, 2)), 0, raises=ValueError)


def _variance_oracle(gradients, batch_size):
    """Every batch there is."""
    mean = gradients.mean(axis=0)
    batches = combinations(range(len(gradients)), batch_size)
    return float(np.mean([np.sum((gradients[list(rows)].mean(axis=0) - mean) ** 2) for rows in batches]))


def _no_batch(gradients, batch_size):
    return not 1 <= batch_size <= len(gradients)


def _spread(gradients):
    return float(np.sum((gradients - gradients.mean(axis=0)) ** 2) / len(gradients))


@refusing(_no_batch)
def draws_with_repetition(gradients, batch_size):
    return _spread(gradients) / batch_size


@refusing(_no_batch)
def corrects_by_n(gradients, batch_size):
    n = len(gradients)
    return _spread(gradients) / batch_size * (n - batch_size) / n


@refusing(_no_batch)
def divides_by_the_square_of_the_batch(gradients, batch_size):
    n = len(gradients)
    return _spread(gradients) / batch_size**2 * (n - batch_size) / (n - 1)


@refusing(_no_batch)
def averages_over_the_parameters(gradients, batch_size):
    n, p = gradients.shape
    return _spread(gradients) / p / batch_size * (n - batch_size) / (n - 1)


@refusing(_no_batch)
def forgets_to_subtract_the_mean(gradients, batch_size):
    n = len(gradients)
    return float(np.sum(gradients**2) / n / batch_size * (n - batch_size) / (n - 1))


@refusing(_no_batch)
def corrects_twice(gradients, batch_size):
    n = len(gradients)
    return _spread(gradients) * n / (n - 1) / batch_size * (n - batch_size) / (n - 1)


def takes_any_batch_size(gradients, batch_size):
    n = len(gradients)
    return _spread(gradients) / max(batch_size, 1) * (n - batch_size) / (n - 1)


MINIBATCH_VARIANCE = Exercise(
    name="minibatch_variance",
    title="How noisy is a mini-batch?",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "First the spread of single gradients: the mean, over the examples, of the squared distance from the mean gradient.",
        "Divide by the batch size, and correct for drawing without repetition: the result is 0 if the batch is everything.",
        "The correction is (n - B) / (n - 1), with the spread divided by n.",
    ),
    cases=_variance_cases,
    oracle=_variance_oracle,
    mistakes=(
        Mistake(
            draws_with_repetition,
            "This is right for draws with repetition. Without, a batch of all examples has no error at all.",
        ),
        Mistake(
            corrects_by_n,
            "With batches of one example nothing is left to correct, but your correction is below 1 there: look at its "
            "denominator.",
        ),
        Mistake(
            divides_by_the_square_of_the_batch,
            "There is a 1 / B² in front of the mean of B draws, but their B variances add up above it.",
        ),
        Mistake(
            averages_over_the_parameters,
            "The squared distance of two vectors is the sum over their entries; you took the mean over the parameters.",
        ),
        Mistake(
            forgets_to_subtract_the_mean,
            "The squares were taken of the gradients themselves. The error is measured from their mean.",
        ),
        Mistake(
            corrects_twice,
            "Once too often divided by n - 1: with the spread divided by n - 1, the correction would be (n - B) / n.",
        ),
        Mistake(
            takes_any_batch_size,
            "A batch has at least one example and at most all of them: refuse other sizes with ValueError.",
            "no error",
        ),
    ),
)


# --- repair_adam -----------------------------------------------------------------------------------------------------------


def _repair_cases(rng):
    yield Case("one step", rng.normal(size=3), rng.normal(size=(1, 3)), 0.1)
    yield Case("two steps", rng.normal(size=3), rng.normal(size=(2, 3)), 0.1)
    yield Case("twenty steps", rng.normal(size=2), rng.normal(size=(20, 2)) + 0.5, 0.01)
    yield Case(
        "a constant gradient: every step is as long as the rate", np.zeros(2), np.full((8, 2), rng.uniform(2, 3)), 0.25
    )


def _repair_oracle(w, gradients, learning_rate):
    return _adam_oracle(w, gradients, learning_rate, 0.9, 0.999, 1e-8)[-1]


def _repaired(correct):
    def answer(w, gradients, learning_rate):
        return _adam(w, gradients, learning_rate, 0.9, 0.999, 1e-8, correct)[-1]

    return answer


def _named(name, answer):
    answer.__name__ = name
    return answer


the_power_is_missing = _named("the_power_is_missing", _repaired(lambda m, s, t, b1, b2: (m / (1 - b1), s / (1 - b2))))
only_the_mean_is_repaired = _named(
    "only_the_mean_is_repaired", _repaired(lambda m, s, t, b1, b2: (m / (1 - b1**t), s / (1 - b2)))
)
only_the_squares_are_repaired = _named(
    "only_the_squares_are_repaired", _repaired(lambda m, s, t, b1, b2: (m / (1 - b1), s / (1 - b2**t)))
)
correction_removed = _named("correction_removed", _repaired(lambda m, s, t, b1, b2: (m, s)))
multiplies_by_the_step = _named(
    "multiplies_by_the_step", _repaired(lambda m, s, t, b1, b2: (m / ((1 - b1) * t), s / ((1 - b2) * t)))
)
power_is_one_too_large = _named(
    "power_is_one_too_large", _repaired(lambda m, s, t, b1, b2: (m / (1 - b1 ** (t + 1)), s / (1 - b2 ** (t + 1))))
)


REPAIR_ADAM = Exercise(
    name="repair_adam",
    title="Repair: Adam whose steps get shorter",
    points=4,
    minutes=12,
    difficulty=3,
    hints=(
        "Feed it a constant gradient. How long should each step be, and how long is it?",
        "The averages after t steps are too small by 1 - betaᵗ. Which t do the two corrections use?",
    ),
    cases=_repair_cases,
    oracle=_repair_oracle,
    mistakes=(
        Mistake(
            the_power_is_missing,
            "The first step is right and the others are not: the corrections do not know which step it is.",
            planted=True,
        ),
        Mistake(only_the_mean_is_repaired, "The correction of the squares still does not know which step it is."),
        Mistake(
            only_the_squares_are_repaired,
            "The correction of the average gradient still does not know which step it is.",
        ),
        Mistake(
            correction_removed,
            "Without any correction even the first step has the wrong length; it was right before.",
        ),
        Mistake(
            multiplies_by_the_step,
            "The averages do not grow in proportion to the number of steps: beta has to be raised to that power.",
        ),
        Mistake(
            power_is_one_too_large,
            "The power is one too large. After the first gradient the average has the weight 1 - beta.",
        ),
    ),
)


# --- predict_optimizers ----------------------------------------------------------------------------------------------------

_RIGHT = {
    "largest_rate": 0.25,
    "largest_rate_with_momentum": 0.475,
    "more_steps": 100.0,
    "more_steps_with_momentum": 10.0,
    "variance_of_larger_batches": 0.25,
    "first_step_of_adam": 0.01,
    "decay_of_loud_weights_under_adam": "slower",
    "decay_of_loud_weights_under_adamw": "the same",
}


def _prediction_oracle():
    """Computed or simulated, not typed."""
    curvatures = np.diag([8.0, 0.5])
    per_digit = [1 / np.log((k + 1) / (k - 1)) for k in (100.0, 10_000.0)]
    per_digit_with_momentum = [1 / np.log((k**0.5 + 1) / (k**0.5 - 1)) for k in (100.0, 10_000.0)]
    adam = _adam_oracle(np.zeros(1), np.array([[-250.0]]), 0.01, 0.9, 0.999, 1e-8)
    words = {}
    for name, step in (("adam", puts_the_penalty_into_the_gradient), ("adamw", _adamw_oracle)):
        loud, quiet = (_simulated_decay(step, size) for size in (100.0, 1.0))
        words[name] = "the same" if abs(loud - quiet) < 0.05 else "slower" if loud > quiet else "faster"
    return {
        "largest_rate": round(_rate_oracle(curvatures, 0.0), 6),
        "largest_rate_with_momentum": round(_rate_oracle(curvatures, 0.9), 6),
        "more_steps": per_digit[1] / per_digit[0],
        "more_steps_with_momentum": per_digit_with_momentum[1] / per_digit_with_momentum[0],
        "variance_of_larger_batches": 16 / 64,
        "first_step_of_adam": float(adam[1, 0]),
        "decay_of_loud_weights_under_adam": words["adam"],
        "decay_of_loud_weights_under_adamw": words["adamw"],
    }


def _simulated_decay(step, size):
    rng = np.random.default_rng(0)
    w, m, s = np.ones(200), np.zeros(200), np.zeros(200)
    for t in range(1, 301):
        w, m, s = step(w, m, s, t, size * rng.normal(size=200), 0.002, 1.0)
    return w.mean()


def the_inverse_is_the_limit():
    return {**_RIGHT, "largest_rate": 0.125}


def momentum_lowers_the_limit():
    return {**_RIGHT, "largest_rate_with_momentum": 0.025}


def the_root_without_momentum():
    return {**_RIGHT, "more_steps": 10.0}


def momentum_does_not_help():
    return {**_RIGHT, "more_steps_with_momentum": 100.0}


def the_root_of_the_batch():
    return {**_RIGHT, "variance_of_larger_batches": 0.5}


def the_gradient_counts_for_adam():
    return {**_RIGHT, "first_step_of_adam": 2.5}


def adam_steps_with_the_gradient():
    return {**_RIGHT, "first_step_of_adam": -0.01}


def the_penalty_is_a_decay():
    return {**_RIGHT, "decay_of_loud_weights_under_adam": "the same"}


def decoupled_decay_depends_on_gradients():
    return {**_RIGHT, "decay_of_loud_weights_under_adamw": "slower"}


PREDICT_OPTIMIZERS = Exercise(
    name="predict_optimizers",
    title="Predict before you measure",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "The first four follow from the two theorems on quadratics. For the ratios, compare 1.15 κ with 1.15 √κ.",
        "For Adam's first step, put t = 1 into the corrected averages; mind in which direction a step goes.",
        "Under Adam everything in the gradient is divided by its typical size; AdamW's decay is not in the gradient.",
    ),
    cases=lambda rng: [Case("your eight predictions")],
    oracle=_prediction_oracle,
    compare=partial(predictions_difference, rtol=0.02),
    mistakes=(
        Mistake(
            the_inverse_is_the_limit,
            "At 1/8 the steepest direction is done in one step. How far beyond can one go until it no longer shrinks?",
        ),
        Mistake(
            momentum_lowers_the_limit,
            "Momentum makes steps longer along a constant gradient. At the limit the gradient alternates, and momentum damps it.",
        ),
        Mistake(
            the_root_without_momentum,
            "The root of the condition number is what momentum achieves; plain descent has no root.",
        ),
        Mistake(momentum_does_not_help, "With the best momentum the steps grow with the root of the condition number."),
        Mistake(
            the_root_of_the_batch,
            "The length of the error falls with the root of the batch size; the question is about the variance.",
        ),
        Mistake(
            the_gradient_counts_for_adam,
            "Adam divides by the size of the gradient: whether it is 250 or 0.25 makes no difference to the first step.",
        ),
        Mistake(
            adam_steps_with_the_gradient,
            "The size is right. A negative gradient means that the loss falls to the right.",
        ),
        Mistake(
            the_penalty_is_a_decay,
            "That holds under SGD. Adam divides the penalty, as a part of the gradient, by the size of the gradients.",
        ),
        Mistake(
            decoupled_decay_depends_on_gradients,
            "AdamW multiplies the weights by a factor that knows nothing of the gradients.",
        ),
    ),
)


# --- tuning_report ---------------------------------------------------------------------------------------------------------

TUNING_REPORT = Exercise(
    name="tuning_report",
    title="A fair comparison of your own",
    points=8,
    minutes=45,
    difficulty=5,
    answer="manual",
    hints=(
        "Before computing, decide on paper: which rates, which seeds for tuning, which other seeds for the result, and what you "
        "would call a difference.",
        "Tune every method separately for both tables. Is the best rate inside the grid? How far apart are single seeds?",
        "What does dividing by √s do to a table whose columns have different units? Which part of that does standardizing "
        "the columns do already, and for whom?",
    ),
    rubric=(
        "Two points each. (1) A fair procedure that is stated: the same grid effort for each method and table, the best rate "
        "inside the grid, several seeds, other seeds for the final numbers. (2) Numbers with their spread over seeds, and no "
        "claim about differences smaller than it. (3) The finding: on the standardized table the tuned methods are about level; "
        "on the raw table AdamW is clearly better than SGD and momentum; standardizing helps more than any optimizer. "
        "(4) The reason: units stretch the valley along the axes, which is what a scale for every parameter cures, but the scale "
        "acts on steps and not on the table, so correlated columns and saturated units remain; and a limit of the study, such as "
        "one small network, 169 held-out rows, or a fixed number of epochs. One point where a part is there without a number."
    ),
)


EXERCISES = [
    MOMENTUM_STEP,
    NESTEROV_STEP,
    ADAGRAD_WAY,
    ADAM_WAY,
    ADAMW_STEP,
    LARGEST_STABLE_RATE,
    CLIP_BY_GLOBAL_NORM,
    SCHEDULED_RATE,
    MINIBATCH_VARIANCE,
    REPAIR_ADAM,
    PREDICT_OPTIMIZERS,
    TUNING_REPORT,
]
