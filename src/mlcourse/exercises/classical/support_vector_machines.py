"""The checks of the chapter on support vector machines."""

from functools import cache
from itertools import combinations

import numpy as np

from mlcourse.grading import Case, Difference, Exercise, Mistake, difference


def _labels(rng, n):
    """Both classes, in random order."""
    return rng.permutation(np.where(np.arange(n) % 2, 1, -1))


def _rbf(A, B, gamma):
    return np.exp(-gamma * ((A[:, None] - B) ** 2).sum(axis=2))


# --- hyperplane_margin -----------------------------------------------------------------------------------------------------


def _margin_cases(rng):
    w, b = rng.uniform(1, 3, 3) * rng.choice([-1, 1], 3), float(rng.uniform(0.5, 1.5))
    X = rng.normal(size=(9, 3)) * 2
    yield Case("a hyperplane that separates", X, np.where(X @ w + b > 0, 1, -1), w, b)
    y = np.where(X @ w + b > 0, 1, -1)
    y[np.argmax(abs(X @ w + b))] *= -1
    yield Case("one sample far on the wrong side", X, y, w, b)
    yield Case("random labels", X, _labels(rng, 9), w, -b)
    yield Case("one feature", np.array([[1.0], [4.0], [6.0]]), np.array([-1, 1, 1]), np.array([0.5]), -1.5)
    yield Case("no direction: w is zero", X, y, np.zeros(3), b, raises=ValueError)


def _margin_oracle(X, y, w, b):
    """By the foot of the perpendicular from each sample."""
    signed = []
    for x, label in zip(X, y, strict=True):
        foot = x - (w @ x + b) / (w @ w) * w
        side = 1 if w @ x + b >= 0 else -1
        signed.append(label * side * np.linalg.norm(x - foot))
    return float(min(signed))


def _values(X, y, w, b):
    if not w.any():
        raise ValueError("w is zero")
    return y * (X @ w + b)


def without_the_length_of_w(X, y, w, b):
    return _values(X, y, w, b).min()


def squared_length_of_w(X, y, w, b):
    return _values(X, y, w, b).min() / (w @ w)


def distances_without_labels(X, y, w, b):
    return abs(_values(X, y, w, b)).min() / np.linalg.norm(w)


def both_sides_of_the_street(X, y, w, b):
    return 2 * _values(X, y, w, b).min() / np.linalg.norm(w)


def hyperplane_through_the_origin(X, y, w, b):
    return _values(X, y, w, 0.0).min() / np.linalg.norm(w)


def average_distance(X, y, w, b):
    return _values(X, y, w, b).mean() / np.linalg.norm(w)


def divides_by_zero_length(X, y, w, b):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (y * (X @ w + b)).min() / np.linalg.norm(w)


HYPERPLANE_MARGIN = Exercise(
    name="hyperplane_margin",
    title="The margin of a hyperplane",
    points=3,
    minutes=6,
    difficulty=1,
    hints=(
        "The signed distance of one sample is its value f(x) divided by a length. Which length?",
        "Multiply the values by the labels before you look for the smallest, so that the wrong side becomes negative.",
    ),
    cases=_margin_cases,
    oracle=_margin_oracle,
    mistakes=(
        Mistake(
            without_the_length_of_w,
            "These are values of f, not distances: with 2w and 2b the hyperplane is the same, and your result doubles.",
        ),
        Mistake(
            squared_length_of_w,
            "The values are divided by the square of the length of w; a distance needs the length itself.",
        ),
        Mistake(
            distances_without_labels,
            "The labels play no part: a sample on the wrong side counts as if it were on the right one. The margin must "
            "become negative there.",
        ),
        Mistake(
            both_sides_of_the_street,
            "This is the width of the whole street. The margin goes from the hyperplane to the closest sample.",
        ),
        Mistake(
            hyperplane_through_the_origin,
            "The intercept b is missing, so the distances belong to a parallel hyperplane through the origin.",
        ),
        Mistake(average_distance, "This is the mean of the signed distances. The margin is that of the worst sample."),
        Mistake(
            divides_by_zero_length,
            "With w = 0 there is no hyperplane, and dividing by its length gives nan or infinity. Refuse it with ValueError.",
            "no error",
        ),
    ),
)


# --- svm_subgradient -------------------------------------------------------------------------------------------------------


def _subgradient_cases(rng):
    X, y = rng.normal(size=(10, 3)), _labels(rng, 10)
    yield Case("a random point", X, y, 0.7, rng.normal(size=3), float(rng.normal()))
    yield Case("w and b zero: all samples are in the street", X, y, 2.0, np.zeros(3), 0.0)
    apart = X[:, :1] + 4 * y[:, None]
    yield Case("all samples beyond the margin", apart, y, 1.5, np.array([2.0]), 0.0)
    yield Case(
        "right side, but in the street", y[:, None] * rng.uniform(0.2, 0.8, (10, 1)), y, 0.5, np.array([1.0]), 0.0
    )
    exact = np.array([[2.0], [-1.0], [0.5]])
    yield Case("two samples exactly at 1, one below", exact, np.array([1, -1, 1]), 3.0, np.array([2.0 / 3]), -1 / 3)


def _subgradient_oracle(X, y, C, w, b):
    value, slope_w, slope_b = 0.5 * float(w @ w), w.copy(), 0.0
    for x, label in zip(X, y, strict=True):
        short = 1 - label * (float(w @ x) + b)
        if short > 1e-9:
            value, slope_w, slope_b = value + C * short, slope_w - C * label * x, slope_b - C * float(label)
    return value, slope_w, slope_b


def _terms(X, y, w, b):
    short = 1 - y * (X @ w + b)
    return np.maximum(0, short), short > 1e-9


def averages_the_losses(X, y, C, w, b):
    hinge, inside = _terms(X, y, w, b)
    C = C / len(y)
    return 0.5 * w @ w + C * hinge.sum(), w - C * X[inside].T @ y[inside], -C * float(y[inside].sum())


def all_samples_pull(X, y, C, w, b):
    hinge, _ = _terms(X, y, w, b)
    return 0.5 * w @ w + C * hinge.sum(), w - C * X.T @ y, -C * float(y.sum())


def only_mistakes_pull(X, y, C, w, b):
    hinge, _ = _terms(X, y, w, b)
    wrong = y * (X @ w + b) < 0
    return 0.5 * w @ w + C * hinge.sum(), w - C * X[wrong].T @ y[wrong], -C * float(y[wrong].sum())


def penalty_without_a_slope(X, y, C, w, b):
    hinge, inside = _terms(X, y, w, b)
    return 0.5 * w @ w + C * hinge.sum(), -C * X[inside].T @ y[inside], -C * float(y[inside].sum())


def uphill_on_the_hinge(X, y, C, w, b):
    hinge, inside = _terms(X, y, w, b)
    return 0.5 * w @ w + C * hinge.sum(), w + C * X[inside].T @ y[inside], C * float(y[inside].sum())


def pays_back_beyond_the_margin(X, y, C, w, b):
    _, inside = _terms(X, y, w, b)
    short = 1 - y * (X @ w + b)
    return 0.5 * w @ w + C * short.sum(), w - C * X[inside].T @ y[inside], -C * float(y[inside].sum())


def intercept_does_not_move(X, y, C, w, b):
    hinge, inside = _terms(X, y, w, b)
    return 0.5 * w @ w + C * hinge.sum(), w - C * X[inside].T @ y[inside], 0.0


SVM_SUBGRADIENT = Exercise(
    name="svm_subgradient",
    title="The primal and its slopes",
    points=5,
    minutes=12,
    difficulty=2,
    hints=(
        "Compute the slacks of all samples first. Those that are positive belong to the sum, in the value and in the slopes alike.",
        "A sample in the street contributes -C y x to the slope by w, and -C y to the slope by b. What does the first term of "
        "the objective contribute?",
        "`X[inside].T @ y[inside]` adds the rows of the samples in the street, each with its label.",
    ),
    cases=_subgradient_cases,
    oracle=_subgradient_oracle,
    mistakes=(
        Mistake(
            averages_the_losses,
            "The losses are averaged. This objective adds them: C is the price of each unit of slack.",
        ),
        Mistake(
            all_samples_pull,
            "The value is right, but all samples contribute to the slopes. Beyond the margin the hinge is flat.",
        ),
        Mistake(
            only_mistakes_pull,
            "Only samples on the wrong side contribute to the slopes, as in a perceptron. The hinge is already rising within "
            "the street.",
        ),
        Mistake(
            penalty_without_a_slope,
            "The slope of the first term is missing: without it nothing keeps w short.",
        ),
        Mistake(
            uphill_on_the_hinge,
            "The slopes of the hinge have the wrong sign: a step against them would push samples into the street.",
        ),
        Mistake(
            pays_back_beyond_the_margin,
            "Samples beyond the margin have a negative loss in your value: they are paid for being far away. The hinge ends at 0.",
        ),
        Mistake(
            intercept_does_not_move,
            "The slope by b is always 0. The value depends on b through every sample in the street.",
        ),
    ),
)


# --- rbf_gram --------------------------------------------------------------------------------------------------------------


def _gram_cases(rng):
    A = rng.normal(size=(5, 3))
    yield Case("five and four samples", A, rng.normal(size=(4, 3)), 0.4)
    yield Case("a table with itself", A, A.copy(), 1.3)
    yield Case("one feature, a narrow kernel", rng.normal(size=(4, 1)), rng.normal(size=(6, 1)), 3.0)
    yield Case("a single pair", rng.normal(size=(1, 2)), rng.normal(size=(1, 2)), 0.5)


def _gram_oracle(A, B, gamma):
    from sklearn.metrics.pairwise import rbf_kernel

    return rbf_kernel(A, B, gamma=gamma)


def _squares(A, B):
    return ((A[:, None] - B) ** 2).sum(axis=2)


def distance_not_squared(A, B, gamma):
    return np.exp(-gamma * np.sqrt(_squares(A, B)))


def grows_with_distance(A, B, gamma):
    return np.exp(gamma * _squares(A, B))


def gamma_as_a_width(A, B, gamma):
    return np.exp(-_squares(A, B) / (2 * gamma**2))


def other_table_in_the_rows(A, B, gamma):
    return np.exp(-gamma * _squares(A, B)).T


def cross_term_once(A, B, gamma):
    return np.exp(-gamma * ((A**2).sum(axis=1)[:, None] - A @ B.T + (B**2).sum(axis=1)))


def average_over_features(A, B, gamma):
    return np.exp(-gamma * _squares(A, B) / (2 * A.shape[1]))


def a_kernel_for_each_feature(A, B, gamma):
    return np.exp(-gamma * (A[:, None] - B) ** 2)


RBF_GRAM = Exercise(
    name="rbf_gram",
    title="A kernel matrix without loops",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "The squared distance of two rows is |a|² - 2 a·b + |b|². All dot products a·b together are one matrix product.",
        "The squared lengths of A belong to the rows of the result, those of B to its columns: shapes (m, 1) and (n,).",
    ),
    cases=_gram_cases,
    oracle=_gram_oracle,
    mistakes=(
        Mistake(distance_not_squared, "The exponent holds the distance itself. The kernel wants its square."),
        Mistake(grows_with_distance, "Your kernel grows with the distance: the exponent has lost its minus."),
        Mistake(
            gamma_as_a_width,
            "gamma is used as the width of a bell curve, d²/(2·gamma²). Here it is a factor: gamma·d².",
        ),
        Mistake(
            other_table_in_the_rows,
            "Rows and columns are exchanged: row i of the result belongs to row i of A.",
            "wrong shape",
        ),
        Mistake(
            cross_term_once,
            "The mixed term of the square is there once. Multiplying out (a - b)² gives it twice.",
        ),
        Mistake(
            average_over_features,
            "The squared distance is divided by the number of features (and by 2). The kernel uses the full sum.",
        ),
        Mistake(
            a_kernel_for_each_feature,
            "The result has an entry for every feature. Sum the squared differences over the features before the exponential.",
            "wrong shape",
        ),
    ),
)


# --- quadratic_features ----------------------------------------------------------------------------------------------------


def _feature_cases(rng):
    yield Case("two features", rng.normal(size=(5, 2)))
    yield Case("three features", rng.normal(size=(6, 3)))
    yield Case("one feature", rng.normal(size=(4, 1)))
    yield Case("a sample at the origin", np.vstack([np.zeros(2), rng.normal(size=(3, 2))]))


def _feature_oracle(X):
    """The kernels that the dot products of the rows must be."""
    return np.array([[(float(x @ z) + 1) ** 2 for z in X] for x in X])


def _compare_features(expected, got):
    if not isinstance(got, np.ndarray):
        return difference(expected, got)
    if got.ndim != 2 or len(got) != len(expected):
        return Difference(
            "wrong shape", f"expected a table with {len(expected)} rows; got an array of shape {got.shape}"
        )
    if not np.isfinite(got).all():
        return Difference("not finite", "some features are nan or infinite")
    if np.allclose(got @ got.T, expected, rtol=1e-6, atol=1e-9):
        return None
    i, j = np.unravel_index(abs(got @ got.T - expected).argmax(), expected.shape)
    return Difference(
        "wrong value",
        f"the dot product of rows {i} and {j} of your table is {got[i] @ got[j]:.4g}, but their kernel is {expected[i, j]:.4g}",
    )


def _features(X, product, linear, constant):
    d = X.shape[1]
    pairs = [product * X[:, i] * X[:, j] for i, j in combinations(range(d), 2)]
    return np.column_stack([X**2, *pairs, linear * X, np.full(len(X), constant)])


def products_without_the_root(X):
    return _features(X, 1, np.sqrt(2), 1)


def linear_terms_without_the_root(X):
    return _features(X, np.sqrt(2), 1, 1)


def no_roots_at_all(X):
    return _features(X, 1, 1, 1)


def factor_two_instead_of_its_root(X):
    return _features(X, 2, 2, 1)


def without_the_constant(X):
    return _features(X, np.sqrt(2), np.sqrt(2), 1)[:, :-1]


def squares_without_products(X):
    return np.column_stack([X**2, np.sqrt(2) * X, np.ones(len(X))])


def the_kernel_itself(X):
    return (X @ X.T + 1) ** 2


QUADRATIC_FEATURES = Exercise(
    name="quadratic_features",
    title="The features behind a kernel",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Multiply out (x₁z₁ + … + x_d z_d + 1)² and collect the terms: squares, mixed products, linear terms, a constant.",
        "A term 2·(something of x)·(the same of z) is a product of two equal features. Which number times itself is 2?",
        "There are d squares, d(d-1)/2 mixed products, d linear features and one constant.",
    ),
    cases=_feature_cases,
    oracle=_feature_oracle,
    compare=_compare_features,
    mistakes=(
        Mistake(
            linear_terms_without_the_root,
            "The squares and the mixed products are right; the linear features are too small. In the square of a sum, they stand "
            "with a factor of 2.",
        ),
        Mistake(
            products_without_the_root,
            "The mixed products are too small. Each of them occurs twice when the square is multiplied out.",
        ),
        Mistake(
            no_roots_at_all,
            "These are the usual polynomial features, without weights. Their dot product is another kernel, in which mixed and linear "
            "terms count half.",
        ),
        Mistake(
            factor_two_instead_of_its_root,
            "A factor of 2 in each feature becomes 4 in the dot product, where both samples bring it.",
        ),
        Mistake(
            without_the_constant,
            "All dot products are too small by 1: the feature that is the same for all is missing.",
        ),
        Mistake(squares_without_products, "The mixed products of two different features are missing."),
        Mistake(
            the_kernel_itself,
            "This is the matrix of the kernels. Asked for are the features, whose dot products that matrix holds.",
        ),
    ),
)


# --- kernel_decision -------------------------------------------------------------------------------------------------------


def _decision_cases(rng):
    S = rng.normal(size=(4, 2))
    beta = rng.uniform(0.3, 1.5, 4) * [1, -1, 1, -1]
    yield Case("four support vectors, three new samples", S, beta, 0.3, 0.8, rng.normal(size=(3, 2)))
    yield Case("one new sample", S, beta, -0.4, 0.5, rng.normal(size=(1, 2)))
    yield Case("the support vectors themselves", S, beta, 0.1, 1.5, S.copy())
    yield Case("a sample far from all others", S, beta, 0.25, 2.0, np.array([[30.0, -40.0], [0.1, 0.2]]))


def _decision_oracle(support, beta, b, gamma, X_new):
    from scipy.spatial.distance import cdist

    return np.exp(-gamma * cdist(X_new, support) ** 2) @ beta + b


def loses_the_intercept(support, beta, b, gamma, X_new):
    return _rbf(X_new, support, gamma) @ beta


def signs_instead_of_values(support, beta, b, gamma, X_new):
    return np.sign(_rbf(X_new, support, gamma) @ beta + b)


def coefficients_without_their_sign(support, beta, b, gamma, X_new):
    return _rbf(X_new, support, gamma) @ abs(beta) + b


def one_weight_vector(support, beta, b, gamma, X_new):
    return X_new @ (beta @ support) + b


def intercept_for_each_support_vector(support, beta, b, gamma, X_new):
    return (_rbf(X_new, support, gamma) + b) @ beta


def a_value_for_each_pair(support, beta, b, gamma, X_new):
    return _rbf(X_new, support, gamma) * beta + b


KERNEL_DECISION = Exercise(
    name="kernel_decision",
    title="From dual coefficients to decisions",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "The value at a new sample is a sum over the support vectors: coefficient times kernel. Then the intercept, once.",
        "With the kernels as a matrix of shape (m, s), new samples in the rows, the sums are one product with beta.",
    ),
    cases=_decision_cases,
    oracle=_decision_oracle,
    mistakes=(
        Mistake(
            loses_the_intercept, "The intercept b is missing. Far from all support vectors it is all that remains."
        ),
        Mistake(
            signs_instead_of_values,
            "These are the signs, that is, the predicted classes. Return the values themselves.",
        ),
        Mistake(
            coefficients_without_their_sign,
            "The coefficients have lost their sign. It says which class a support vector speaks for.",
        ),
        Mistake(
            one_weight_vector,
            "You added up the support vectors to one vector w. That is right for the linear kernel only: w lives in the space of "
            "the features.",
        ),
        Mistake(
            intercept_for_each_support_vector,
            "The intercept was added to every kernel, and so is multiplied by the coefficients. It is added once, at the end.",
        ),
        Mistake(
            a_value_for_each_pair,
            "The result has a number for each pair of new sample and support vector. Sum over the support vectors.",
            "wrong shape",
        ),
    ),
)


# --- kkt_violations --------------------------------------------------------------------------------------------------------


def _kkt_table(rng, n, C):
    """A Gram matrix, labels, multipliers of all three kinds and an intercept, with values on both sides of 1 in each kind."""
    y = _labels(rng, n)
    K = _rbf(*[rng.normal(size=(n, 2))] * 2, 0.7)
    alpha = rng.permutation(np.resize([0.0, C, C / 2], n))
    return K, y, alpha, float(rng.normal() * 0.3)


def _kkt_cases(rng):
    K, y, alpha, b = _kkt_table(rng, 30, 1.0)
    yield Case("thirty samples, a small tolerance", K, y, alpha, b, 1.0, 1e-3)
    K, y, alpha, b = _kkt_table(rng, 30, 0.6)
    yield Case("thirty samples, a large tolerance", K, y, alpha, b, 0.6, 0.4)
    y = np.array([1, -1, 1, -1])
    yield Case("every kind of sample in its place", np.eye(4), y, np.array([1.0, 1.0, 0.0, 0.0]), 0.0, 1.0, 1.5)
    K = np.diag([1.0, 1.0, 3.0, 1.0, 1.5])
    y, alpha = np.array([1, -1, 1, 1, -1]), np.array([0.5, 0.5, 1.0, 1.0, 1.0])
    yield Case("values beyond the margin", K, y, alpha, 0.0, 1.0, 0.01)


def _kkt_oracle(K, y, alpha, b, C, tol):
    found = []
    for i in range(len(y)):
        value = y[i] * (sum(alpha[j] * y[j] * K[i, j] for j in range(len(y))) + b)
        too_low = alpha[i] < C and value < 1 - tol
        too_high = alpha[i] > 0 and value > 1 + tol
        if too_low or too_high:
            found.append(i)
    return np.array(found, dtype=int)


def _compare_indices(expected, got):
    if not isinstance(got, np.ndarray):
        return difference(expected, got)
    if got.ndim != 1:
        return Difference("wrong shape", f"expected indices in an array with one axis; got the shape {got.shape}")
    if got.dtype.kind not in "iu":
        return Difference("wrong dtype", f"expected indices, that is, integers; got {got.dtype}")
    missing, extra = np.setdiff1d(expected, got), np.setdiff1d(got, expected)
    if len(missing):
        return Difference("wrong value", f"sample {missing[0]} violates the conditions and is not in your result")
    if len(extra):
        return Difference("wrong value", f"sample {extra[0]} is in your result and satisfies the conditions")
    return difference(expected, got)


def _violating(value, alpha, C, tol, low=lambda alpha, C: alpha < C, high=lambda alpha, C: alpha > 0):
    return np.flatnonzero((low(alpha, C) & (value < 1 - tol)) | (high(alpha, C) & (value > 1 + tol)))


def without_tolerance(K, y, alpha, b, C, tol):
    return _violating(y * (K @ (alpha * y) + b), alpha, C, 0.0)


def forgets_the_labels_in_the_sum(K, y, alpha, b, C, tol):
    return _violating(y * (K @ alpha + b), alpha, C, tol)


def value_of_f_without_the_label(K, y, alpha, b, C, tol):
    return _violating(K @ (alpha * y) + b, alpha, C, tol)


def only_samples_in_the_street(K, y, alpha, b, C, tol):
    return _violating(y * (K @ (alpha * y) + b), alpha, C, tol, high=lambda alpha, C: alpha < 0)


def bounded_ones_are_free(K, y, alpha, b, C, tol):
    return _violating(y * (K @ (alpha * y) + b), alpha, C, tol, low=lambda alpha, C: alpha <= C)


def free_ones_only(K, y, alpha, b, C, tol):
    free = (alpha > 0) & (alpha < C)
    return np.flatnonzero(free & (abs(y * (K @ (alpha * y) + b) - 1) > tol))


def a_mask_instead_of_indices(K, y, alpha, b, C, tol):
    mask = np.zeros(len(y), bool)
    mask[_violating(y * (K @ (alpha * y) + b), alpha, C, tol)] = True
    return mask


KKT_VIOLATIONS = Exercise(
    name="kkt_violations",
    title="Who violates the optimality conditions?",
    points=6,
    minutes=15,
    difficulty=3,
    hints=(
        "Compute the values y · f(x) of all samples. Then go through the table of the three kinds of multipliers in the chapter.",
        "A value below 1 is allowed for one kind of multiplier only, and a value above 1 for one kind only. Which?",
        "Too low: `(alpha < C) & (value < 1 - tol)`. The other condition mirrors it. `np.flatnonzero` turns a mask into indices.",
    ),
    cases=_kkt_cases,
    oracle=_kkt_oracle,
    compare=_compare_indices,
    mistakes=(
        Mistake(
            without_tolerance, "The tolerance is not used, so samples a hair from their place are reported as well."
        ),
        Mistake(
            forgets_the_labels_in_the_sum,
            "The values were computed with the multipliers alone. In f, each is multiplied by the label of its sample.",
        ),
        Mistake(
            value_of_f_without_the_label,
            "You compared f(x) with 1. For class -1 the margin lies at -1: multiply by the label first.",
        ),
        Mistake(
            only_samples_in_the_street,
            "Only values below 1 are reported. A support vector beyond the margin violates the conditions too: its multiplier "
            "should be 0.",
        ),
        Mistake(
            bounded_ones_are_free,
            "Samples with alpha = C and a value below 1 are reported. That is where they belong: they pay the full price.",
        ),
        Mistake(
            free_ones_only,
            "Only multipliers strictly between 0 and C were looked at. Those at 0 and at C have a condition each, too.",
        ),
        Mistake(
            a_mask_instead_of_indices,
            "This is a mask with an entry for each sample. Return the indices of the violating ones.",
            "wrong dtype",
        ),
    ),
)


# --- clipped_step ----------------------------------------------------------------------------------------------------------


def _step_cases(rng):
    y = np.array([1, -1, 1, -1, 1])
    K = _rbf(*[rng.normal(size=(5, 2))] * 2, 0.8)
    start = np.array([0.2, -0.3, 0.5, -0.6, 0.2]) * 0.1
    yield Case("the top of the parabola is in the box", K, y, start, 0, 1, 10.0)
    yield Case("beta_i arrives at its upper edge", K, y, np.array([0.05, -0.08, 0.02, -0.04, 0.05]), 4, 3, 0.12)
    yield Case("beta_j arrives at its lower edge", K, y, np.array([0.1, -0.24, 0.1, -0.2, 0.24]), 0, 1, 0.25)
    yield Case("both of class -1: i from below up to 0", *_rises_to_zero(rng), 1, 3, 0.9)
    yield Case("both of class +1", K, y, np.array([0.05, -0.4, 0.35, -0.1, 0.1]), 0, 2, 0.5)
    twin = K.copy()
    twin[1], twin[:, 1] = twin[0], twin[:, 0]
    twin[1, 1] = twin[0, 0]
    yield Case("two equal samples of different classes", twin, y, start, 0, 1, 0.4)
    yield Case("the pull is the other way: nothing moves", K, y, start, 1, 0, 1.0)


def _rises_to_zero(rng):
    """A kernel matrix, labels and coefficients for which sample 1, of class -1, would rise above 0."""
    y, beta = np.array([1, -1, 1, -1, 1]), np.array([0.1, -0.05, 0.1, -0.4, 0.25])
    while True:
        X = rng.normal(size=(5, 2))
        K = 4 * _rbf(X, X, 0.8)
        pull = y - K @ beta
        if pull[1] - pull[3] > 0.2 * (K[1, 1] + K[3, 3] - 2 * K[1, 3]):
            return K, y, beta


def _step_oracle(K, y, beta, i, j, C):
    """Fit the parabola to three values of the objective."""

    def objective(t):
        moved = beta.copy()
        moved[i] += t
        moved[j] -= t
        return y @ moved - 0.5 * moved @ K @ moved

    first, second, third = objective(0.0), objective(1.0), objective(2.0)
    bend = third - 2 * second + first
    slope = second - first - bend / 2
    room = min(max(0, C * y[i]) - beta[i], beta[j] - min(0, C * y[j]))
    t = 0.0 if slope <= 0 else room if bend > -1e-9 else min(room, slope / -bend)
    result = beta.copy()
    result[i] += t
    result[j] -= t
    return result


def _take(
    K, y, beta, i, j, C, curvature=lambda K, i, j: K[i, i] + K[j, j] - 2 * K[i, j], room=None, other=-1, copy=True
):
    pull = y - K @ beta
    bend = max(curvature(K, i, j), 1e-12)
    step = max((pull[i] - pull[j]) / bend, 0.0)
    rooms = (max(0.0, C * y[i]) - beta[i], beta[j] - min(0.0, C * y[j])) if room is None else room(beta, i, j, C)
    step = min(step, *rooms)
    result = beta.copy() if copy else beta
    result[i] += step
    result[j] += other * step
    return result


def beyond_the_box(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, room=lambda beta, i, j, C: (1e6, 1e6))


def clips_only_the_first(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, room=lambda beta, i, j, C: (max(0.0, C * y[i]) - beta[i], 1e6))


def one_box_for_both_classes(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, room=lambda beta, i, j, C: (C - beta[i], beta[j] + C))


def curvature_with_a_plus(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, curvature=lambda K, i, j: K[i, i] + K[j, j] + 2 * K[i, j])


def mixed_term_once(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, curvature=lambda K, i, j: K[i, i] + K[j, j] - K[i, j])


def both_in_the_same_direction(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, other=1)


def works_on_the_callers_array(K, y, beta, i, j, C):
    return _take(K, y, beta, i, j, C, copy=False)


def walks_downhill_too(K, y, beta, i, j, C):
    pull, bend = y - K @ beta, max(K[i, i] + K[j, j] - 2 * K[i, j], 1e-12)
    step = min((pull[i] - pull[j]) / bend, max(0.0, C * y[i]) - beta[i], beta[j] - min(0.0, C * y[j]))
    result = beta.copy()
    result[i] += step
    result[j] -= step
    return result


CLIPPED_STEP = Exercise(
    name="clipped_step",
    title="Two variables, one step",
    points=6,
    minutes=20,
    difficulty=4,
    hints=(
        "Four numbers are needed: the difference of the two pulls, the curvature, and how much room each of the two has.",
        "Class +1 has the range from 0 to C, class -1 from -C to 0. `i` rises towards its upper end, `j` falls towards its lower one.",
        "If the curvature is 0, the parabola is a straight line, and the step goes as far as there is room. Dividing by "
        "`max(curvature, 1e-12)` does that by itself.",
    ),
    cases=_step_cases,
    oracle=_step_oracle,
    rtol=1e-5,
    atol=1e-7,
    mistakes=(
        Mistake(beyond_the_box, "The step goes to the top of the parabola even where that lies outside of the box."),
        Mistake(
            clips_only_the_first,
            "beta_i stays in its range, but beta_j leaves its own: the step must respect the room of both.",
        ),
        Mistake(
            one_box_for_both_classes,
            "Both coefficients were given the range from -C to C. A coefficient has the sign of its class, or is 0.",
        ),
        Mistake(
            curvature_with_a_plus,
            "The curvature has the mixed kernel with a plus. It is the squared distance of two samples.",
        ),
        Mistake(
            mixed_term_once,
            "In the curvature the mixed kernel stands once; in the square of a difference it stands twice.",
        ),
        Mistake(
            both_in_the_same_direction,
            "Both coefficients moved in the same direction, so their sum has changed, and the equality constraint is broken.",
        ),
        Mistake(
            works_on_the_callers_array,
            "The values are right, but the caller's coefficients were overwritten. Work on a copy.",
            "changed input",
        ),
        Mistake(
            walks_downhill_too,
            "Where the pull of i is below that of j, you stepped backward, without a look at the room in that direction. Then "
            "nothing should move.",
        ),
    ),
)


# --- repair_gamma ----------------------------------------------------------------------------------------------------------


def _gamma_cases(rng):
    X = rng.normal(size=(6, 2)) * [1, 2] + [0, 3]
    yield Case("six and three samples", X, rng.normal(size=(3, 2)) * [1, 2] + [0, 3])
    yield Case("new samples close together", X, np.array([[0.1, 3.0], [0.2, 3.1]]))
    yield Case("a single new sample", X, np.array([[0.5, 2.0]]))
    yield Case("three features", rng.normal(size=(5, 3)), 2 * rng.normal(size=(4, 3)))


def _gamma_oracle(X_train, X_new):
    from sklearn.metrics.pairwise import rbf_kernel

    return rbf_kernel(X_new, X_train, gamma=float(1 / (X_train.shape[1] * np.var(X_train))))


def gamma_of_the_new_samples(X_train, X_new):
    return _rbf(X_new, X_train, 1 / (X_new.shape[1] * X_new.var()))


def gamma_of_all_samples(X_train, X_new):
    return _rbf(X_new, X_train, 1 / (X_new.shape[1] * np.vstack([X_train, X_new]).var()))


def standard_deviation_for_variance(X_train, X_new):
    return _rbf(X_new, X_train, 1 / (X_new.shape[1] * X_train.std()))


def number_of_features_forgotten(X_train, X_new):
    return _rbf(X_new, X_train, 1 / X_train.var())


def variance_of_each_feature(X_train, X_new):
    return _rbf(X_new, X_train, 1 / X_train.var(axis=0).sum())


def training_samples_in_the_rows(X_train, X_new):
    return _rbf(X_train, X_new, 1 / (X_new.shape[1] * X_train.var()))


REPAIR_GAMMA = Exercise(
    name="repair_gamma",
    title="Repair: a kernel that depends on who else is there",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "A sample's decision must not depend on which other new samples come with it. What in this function does?",
        "The multipliers were found with one gamma. Which table was it computed from?",
    ),
    cases=_gamma_cases,
    oracle=_gamma_oracle,
    mistakes=(
        Mistake(
            gamma_of_the_new_samples,
            "gamma is computed from the new samples. The machine was trained with another one, and each batch of new samples gets "
            "its own.",
            planted=True,
        ),
        Mistake(
            gamma_of_all_samples,
            "gamma is computed from training and new samples together: better hidden, but the same fault.",
        ),
        Mistake(
            standard_deviation_for_variance,
            "The width is computed from the standard deviation; the rule uses the variance.",
        ),
        Mistake(number_of_features_forgotten, "The number of features has gone from the rule 1 / (d · variance)."),
        Mistake(
            variance_of_each_feature,
            "You added up the variances of the columns. The rule takes the variance of all values of the table, whose columns may "
            "have different means.",
        ),
        Mistake(
            training_samples_in_the_rows,
            "The kernels are right, but the training samples stand in the rows. The new samples belong there.",
            "wrong shape",
        ),
    ),
)


# --- repair_smo ------------------------------------------------------------------------------------------------------------


def _smo_cases(rng):
    y = np.array([1, -1] * 5)
    X = 0.7 * rng.normal(size=(10, 2)) + 0.7 * y[:, None]
    for label, C in (("a small C, most steps are clipped", 0.3), ("C = 1", 1.0), ("a large C", 20.0)):
        yield Case(label, _rbf(X, X, 0.5), y, C)
    yield Case("four samples", _rbf(X[:4], X[:4], 0.5), y[:4], 0.8)


def _smo_oracle(K, y, C):
    from sklearn.svm import SVC

    machine = SVC(kernel="precomputed", C=C, tol=1e-9).fit(K, y)
    beta = np.zeros(len(y))
    beta[machine.support_] = machine.dual_coef_[0]
    return beta


def _smo(K, y, C, *, pulls=lambda i, j, step, K: step * (K[i] - K[j]), signs=True, steps=4000):
    low, high = (np.minimum(0.0, C * y), np.maximum(0.0, C * y)) if signs else (np.full(len(y), -C), np.full(len(y), C))
    beta, pull = np.zeros(len(y)), y.astype(float)
    for _ in range(steps):
        i = np.where(beta < high, pull, -np.inf).argmax()
        j = np.where(beta > low, pull, np.inf).argmin()
        if pull[i] - pull[j] < 1e-7:
            break
        best = (pull[i] - pull[j]) / (K[i, i] + K[j, j] - 2 * K[i, j])
        room_i, room_j = high[i] - beta[i], beta[j] - low[j]
        step = min(best, room_i, room_j)
        beta[i] = high[i] if step == room_i else beta[i] + step
        beta[j] = low[j] if step == room_j else beta[j] - step
        pull = pull - pulls(i, j, step, K)
    return beta


def clips_each_by_itself_and_late(K, y, C):
    low, high = np.minimum(0.0, C * y), np.maximum(0.0, C * y)
    beta, pull = np.zeros(len(y)), y.astype(float)
    for _ in range(4000):
        i = np.where(beta < high, pull, -np.inf).argmax()
        j = np.where(beta > low, pull, np.inf).argmin()
        if pull[i] - pull[j] < 1e-7:
            break
        step = (pull[i] - pull[j]) / (K[i, i] + K[j, j] - 2 * K[i, j])
        pull -= step * (K[i] - K[j])
        beta[i] = min(beta[i] + step, high[i])
        beta[j] = max(beta[j] - step, low[j])
    return beta


def _only(i, j, change):
    return np.where(np.isin(np.arange(len(change)), [i, j]), change, 0.0)


def pulls_of_the_pair_alone(K, y, C):
    return _smo(K, y, C, pulls=lambda i, j, step, K: _only(i, j, step * (K[i] - K[j])))


def pulls_follow_only_i(K, y, C):
    return _smo(K, y, C, pulls=lambda i, j, step, K: step * K[i])


def range_of_both_signs(K, y, C):
    return _smo(K, y, C, signs=False)


def a_single_step(K, y, C):
    return _smo(K, y, C, steps=1)


def multipliers_without_signs(K, y, C):
    return abs(_smo(K, y, C))


REPAIR_SMO = Exercise(
    name="repair_smo",
    title="Repair: a solver that loses its way",
    points=6,
    minutes=20,
    difficulty=4,
    hints=(
        "After every step, `pull` should equal `y - K @ beta`. Print the largest difference, and see when it appears for the first time.",
        "Compare a step that ends within the box with one that reaches its edge: the first is right in all three places.",
        "Both coefficients and the pulls must take one and the same step. When is it known how long it is?",
    ),
    cases=_smo_cases,
    oracle=_smo_oracle,
    rtol=1e-3,
    atol=1e-4,
    mistakes=(
        Mistake(
            clips_each_by_itself_and_late,
            "The pulls are updated with the step before clipping, which the coefficients do not take. And each of the two is "
            "clipped by itself, so that their sum does not stay 0.",
            planted=True,
        ),
        Mistake(
            pulls_of_the_pair_alone,
            "Only the pulls of i and j are updated. A step changes f, and with it the pulls of all samples.",
        ),
        Mistake(
            pulls_follow_only_i,
            "The pulls follow the change of beta_i, but not that of beta_j, which moves at the same time.",
        ),
        Mistake(
            range_of_both_signs,
            "Coefficients of the wrong sign are allowed. The range ends at 0 for both classes, on different sides.",
        ),
        Mistake(a_single_step, "The loop ends after one step. It should go on until no pair violates the conditions."),
        Mistake(
            multipliers_without_signs,
            "The signs of the coefficients are lost. They carry the class, and must add up to 0.",
        ),
    ),
)


# --- predict_svm_effects ---------------------------------------------------------------------------------------------------

_EFFECTS = {
    "support_vectors_if_C_is_100_times_larger": "fewer",
    "support_vectors_if_gamma_is_100_times_larger": "more",
    "training_accuracy_if_gamma_is_100_times_larger": "higher",
    "predictions_if_a_sample_beyond_the_margin_is_deleted": "same",
    "predictions_if_features_are_doubled_and_gamma_is_quartered": "same",
    "predictions_if_every_row_is_repeated_and_C_is_halved": "same",
    "support_vectors_of_SVR_if_epsilon_is_doubled": "fewer",
}


def _svm_effect_cases(rng):
    yield Case("your seven predictions")


@cache
def _svm_effect_oracle():
    """Measured with scikit-learn on two moons, and on a noisy sine."""
    from sklearn.datasets import make_moons
    from sklearn.svm import SVC, SVR

    X, y = make_moons(120, noise=0.25, random_state=0)
    fresh = make_moons(300, noise=0.25, random_state=1)[0]

    def fit(C=1.0, gamma=1.0, X=X, y=y):
        return SVC(C=C, gamma=gamma, tol=1e-8).fit(X, y)

    def count(now, before):
        return "same" if now == before else "more" if now > before else "fewer"

    def alike(first, second):
        return "same" if np.allclose(first, second, atol=1e-4) else "different"

    base = fit()
    spectator = int(np.setdiff1d(np.arange(len(y)), base.support_)[0])
    rest = np.arange(len(y)) != spectator
    values = base.decision_function(fresh)
    sine = np.linspace(0, 6, 60)[:, None]
    target = np.sin(sine[:, 0]) + 0.3 * np.sin(17 * sine[:, 0])
    tubes = [len(SVR(epsilon=epsilon, C=10, gamma=0.5).fit(sine, target).support_) for epsilon in (0.1, 0.2)]
    narrow = fit(gamma=100.0)
    higher = narrow.score(X, y) > base.score(X, y)
    return {
        "support_vectors_if_C_is_100_times_larger": count(len(fit(C=100.0).support_), len(base.support_)),
        "support_vectors_if_gamma_is_100_times_larger": count(len(narrow.support_), len(base.support_)),
        "training_accuracy_if_gamma_is_100_times_larger": "higher" if higher else "lower",
        "predictions_if_a_sample_beyond_the_margin_is_deleted": alike(
            fit(X=X[rest], y=y[rest]).decision_function(fresh), values
        ),
        "predictions_if_features_are_doubled_and_gamma_is_quartered": alike(
            fit(gamma=0.25, X=2 * X).decision_function(2 * fresh), values
        ),
        "predictions_if_every_row_is_repeated_and_C_is_halved": alike(
            fit(C=0.5, X=np.vstack([X, X]), y=np.r_[y, y]).decision_function(fresh), values
        ),
        "support_vectors_of_SVR_if_epsilon_is_doubled": count(tubes[1], tubes[0]),
    }


def _compare_svm_effects(expected, got):
    """Name the predictions that differ, without giving the answers away."""
    if not isinstance(got, dict) or set(got) != set(expected):
        return difference(expected, got)
    wrong = [key for key in expected if got[key] != expected[key]]
    if not wrong:
        return None
    return Difference("wrong value", f"{len(wrong)} of 7 predictions differ from what was measured: {', '.join(wrong)}")


def a_higher_price_makes_more_support_vectors():
    return {**_EFFECTS, "support_vectors_if_C_is_100_times_larger": "more"}


def narrow_kernels_need_fewer():
    return {**_EFFECTS, "support_vectors_if_gamma_is_100_times_larger": "fewer"}


def narrow_kernels_fail_in_training():
    return {**_EFFECTS, "training_accuracy_if_gamma_is_100_times_larger": "lower"}


def every_sample_counts():
    return {**_EFFECTS, "predictions_if_a_sample_beyond_the_margin_is_deleted": "different"}


def units_always_matter():
    return {**_EFFECTS, "predictions_if_features_are_doubled_and_gamma_is_quartered": "different"}


def copies_count_twice():
    return {**_EFFECTS, "predictions_if_every_row_is_repeated_and_C_is_halved": "different"}


def a_wide_tube_catches_more():
    return {**_EFFECTS, "support_vectors_of_SVR_if_epsilon_is_doubled": "more"}


PREDICT_SVM_EFFECTS = Exercise(
    name="predict_svm_effects",
    title="Predict: prices, widths, copies, tubes",
    points=5,
    minutes=12,
    difficulty=3,
    hints=(
        "For C: which samples are support vectors, in terms of the street? And what does a higher price do to the street?",
        "For the doubled features: what happens to the squared distance, and what to the exponent of the kernel?",
        "For the repeated rows: write the primal objective of the doubled table. Which C gives the old one?",
    ),
    cases=_svm_effect_cases,
    oracle=_svm_effect_oracle,
    compare=_compare_svm_effects,
    seconds=12,
    mistakes=(
        Mistake(
            a_higher_price_makes_more_support_vectors,
            "Support vectors are the samples in or on the edge of the street (or beyond it, on the wrong side). A higher price "
            "narrows the street.",
        ),
        Mistake(
            narrow_kernels_need_fewer,
            "With a narrow kernel hardly any sample is similar to another one, so none can speak for its neighbors.",
        ),
        Mistake(
            narrow_kernels_fail_in_training,
            "On the samples it was trained with, a narrow kernel knows each by heart. It fails on new ones.",
        ),
        Mistake(
            every_sample_counts,
            "A sample beyond the margin has the multiplier 0, and the other multipliers stay optimal without it.",
        ),
        Mistake(
            units_always_matter,
            "Units matter if gamma stays as it is. Here the squared distances grow by a factor that the new gamma takes back.",
        ),
        Mistake(
            copies_count_twice,
            "Each copy pays for its slack, and half the price twice is the whole price: the objective is the same.",
        ),
        Mistake(
            a_wide_tube_catches_more,
            "In regression the samples within the tube have no coefficient. A wider tube leaves fewer outside.",
        ),
    ),
)


# --- vote_by_pairs ---------------------------------------------------------------------------------------------------------


def _vote_cases(rng):
    yield Case("three classes", rng.normal(size=(12, 3)), 3)
    yield Case("four classes", rng.normal(size=(15, 6)), 4)
    yield Case("two classes", rng.normal(size=(5, 1)), 2)
    yield Case("a circle: every class wins once", np.array([[-1.0, 2.0, -0.5], [-3.0, 0.2, -0.1]]), 3)
    strong = np.array([[5.0, -0.1, -0.1], [-0.1, -0.1, 8.0]])
    yield Case("one large value against two small ones", strong, 3)
    yield Case("values of exactly 0", np.zeros((2, 3)), 3)


def _vote_oracle(values, n_classes):
    result = []
    for row in values:
        wins = dict.fromkeys(range(n_classes), 0)
        for value, (first, second) in zip(row, combinations(range(n_classes), 2), strict=True):
            wins[second if value > 0 else first] += 1
        result.append(min(wins, key=lambda label: (-wins[label], label)))
    return np.array(result)


def _count(values, n_classes, pairs=None, wins=lambda value: value > 0):
    votes = np.zeros((len(values), n_classes), int)
    for value, (first, second) in zip(values.T, pairs or combinations(range(n_classes), 2), strict=True):
        votes[:, second] += wins(value)
        votes[:, first] += ~wins(value)
    return votes


def votes_for_the_wrong_one(values, n_classes):
    return _count(values, n_classes, wins=lambda value: value <= 0).argmax(axis=1)


def largest_pair_value(values, n_classes):
    pairs = np.array(list(combinations(range(n_classes), 2)))
    best = abs(values).argmax(axis=1)
    return pairs[best, (values[np.arange(len(values)), best] > 0).astype(int)]


def adds_up_the_values(values, n_classes):
    sums = np.zeros((len(values), n_classes))
    for value, (first, second) in zip(values.T, combinations(range(n_classes), 2), strict=True):
        sums[:, second] += value
        sums[:, first] -= value
    return sums.argmax(axis=1)


def ties_go_to_the_last(values, n_classes):
    votes = _count(values, n_classes)
    return n_classes - 1 - votes[:, ::-1].argmax(axis=1)


def zero_speaks_for_the_second(values, n_classes):
    return _count(values, n_classes, wins=lambda value: value >= 0).argmax(axis=1)


def returns_the_votes(values, n_classes):
    return _count(values, n_classes)


VOTE_BY_PAIRS = Exercise(
    name="vote_by_pairs",
    title="From pairs to classes",
    points=4,
    minutes=12,
    difficulty=3,
    hints=(
        "`itertools.combinations(range(n_classes), 2)` yields the pairs in the order of the columns.",
        "Keep a table of votes of shape (m, n_classes), and add one vote for each pair and row.",
        "`argmax` along the classes returns the first of several largest entries, which is the tie rule that is asked for.",
    ),
    cases=_vote_cases,
    oracle=_vote_oracle,
    mistakes=(
        Mistake(
            votes_for_the_wrong_one,
            "The votes go to the losers: a positive value speaks for the second class of the pair.",
        ),
        Mistake(
            largest_pair_value,
            "The pair with the largest value decides alone. Each pair has one vote, whatever the size of its value.",
        ),
        Mistake(
            adds_up_the_values,
            "You added the values instead of counting votes, so one pair with a large value outvotes two others.",
        ),
        Mistake(ties_go_to_the_last, "Ties go to the largest class number. They should go to the smallest."),
        Mistake(
            zero_speaks_for_the_second, "A value of exactly 0 went to the second class. It should speak for the first."
        ),
        Mistake(
            returns_the_votes,
            "These are the votes of all classes. Return the number of the winning class.",
            "wrong shape",
        ),
    ),
)


# --- classify_wines --------------------------------------------------------------------------------------------------------


@cache
def _wines():
    from sklearn.datasets import load_wine

    return load_wine(return_X_y=True)


def _wine_cases(rng):
    X, y = _wines()
    order = rng.permutation(len(y))
    train, new = order[:98], order[98:]
    yield Case("98 wines to learn from, 80 new ones", X[train], y[train], X[new])
    for label in (0, 2):
        chosen = new[y[new] == label]
        yield Case(f"new wines of one grower only (class {label})", X[train], y[train], X[chosen])


def _wine_oracle(X_train, y_train, X_new):
    """The true labels: the rows are looked up in the whole table."""
    X, y = _wines()
    return np.array([y[np.flatnonzero((row == X).all(axis=1))[0]] for row in X_new])


def _compare_wines(expected, got):
    if not isinstance(got, np.ndarray) or got.shape != expected.shape:
        return difference(expected, got)
    mistakes, allowed = int((got != expected).sum()), max(2, round(0.1 * len(expected)))
    if mistakes <= allowed:
        return None
    return Difference("wrong value", f"{mistakes} of {len(expected)} new wines are wrong; at most {allowed} may be")


def _fit_wines(X_train, y_train, **settings):
    from sklearn.svm import SVC

    return SVC(**settings).fit(X_train, y_train)


def units_as_they_are(X_train, y_train, X_new):
    return _fit_wines(X_train, y_train).predict(X_new)


def _scaler(X):
    return X.mean(axis=0), X.std(axis=0)


def each_part_scaled_by_itself(X_train, y_train, X_new):
    (a, s), (b, t) = _scaler(X_train), _scaler(X_new)
    return _fit_wines((X_train - a) / s, y_train).predict((X_new - b) / t)


def one_class_for_all(X_train, y_train, X_new):
    return np.full(len(X_new), np.bincount(y_train).argmax())


def nearest_wine_in_raw_units(X_train, y_train, X_new):
    return y_train[((X_new[:, None] - X_train) ** 2).sum(axis=2).argmin(axis=1)]


def two_growers_only(X_train, y_train, X_new):
    center, spread = _scaler(X_train)
    machine = _fit_wines((X_train - center) / spread, y_train == 1)
    return machine.predict((X_new - center) / spread).astype(int)


def numbers_from_one(X_train, y_train, X_new):
    center, spread = _scaler(X_train)
    return _fit_wines((X_train - center) / spread, y_train).predict((X_new - center) / spread) + 1


CLASSIFY_WINES = Exercise(
    name="classify_wines",
    title="A table of your own: wines",
    points=8,
    minutes=30,
    difficulty=5,
    hints=(
        "Look at the table first: its columns, their units, their spreads, the sizes of the classes. What does a kernel see?",
        "Put the scaling and the machine into one pipeline, so that new wines are treated exactly as the training wines were.",
        "Search C and gamma by cross-validation on the training wines. Many settings will do; the baseline that you must beat is "
        "the most frequent class.",
    ),
    cases=_wine_cases,
    oracle=_wine_oracle,
    compare=_compare_wines,
    seconds=30,
    mistakes=(
        Mistake(
            units_as_they_are,
            "This behaves like a machine on raw units: proline, in the hundreds, decides alone, and the other twelve "
            "measurements are not heard.",
        ),
        Mistake(
            each_part_scaled_by_itself,
            "The new wines seem to be scaled by their own mean and spread. If all of them come from one grower, that moves them "
            "to the middle of the table.",
        ),
        Mistake(
            one_class_for_all,
            "Every new wine gets the most frequent class, which is what the baseline does. A machine does it, too, if only the "
            "training wines were scaled, or if gamma is much too large, or C much too small.",
        ),
        Mistake(
            nearest_wine_in_raw_units,
            "This behaves like the nearest neighbor in raw units, where one column with large numbers decides who is near.",
        ),
        Mistake(
            two_growers_only,
            "Your machine tells class 1 from the rest and never answers 2. There are three growers.",
        ),
        Mistake(
            numbers_from_one,
            "The classes are counted from 1. Return them as they are in y_train: 0, 1 and 2.",
        ),
    ),
)


EXERCISES = [
    HYPERPLANE_MARGIN,
    SVM_SUBGRADIENT,
    RBF_GRAM,
    KERNEL_DECISION,
    QUADRATIC_FEATURES,
    KKT_VIOLATIONS,
    VOTE_BY_PAIRS,
    REPAIR_GAMMA,
    PREDICT_SVM_EFFECTS,
    CLIPPED_STEP,
    REPAIR_SMO,
    CLASSIFY_WINES,
]
