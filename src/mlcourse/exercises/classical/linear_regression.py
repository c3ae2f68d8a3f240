"""The checks of the chapter on linear regression."""

from functools import cache, wraps

import numpy as np

from mlcourse.grading import Case, Difference, Exercise, Mistake, difference
from mlcourse.grading.patterns import refusing


def _with_and_without_refusal(answer, says, impossible, kind="wrong value"):
    """A wrong answer as two mistakes: one refuses the inputs that have no result, one does not."""

    @wraps(answer)
    def refusing_nothing(*args):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return answer(*args)

    refusing_nothing.__name__ += "_and_refuses_nothing"
    says_more = f"{says} Besides, inputs that have no result must be refused with ValueError."
    return Mistake(refusing(impossible)(answer), says, kind), Mistake(refusing_nothing, says_more, "no error")


def _with_ones(X):
    return np.column_stack([np.ones(len(X)), X])


def _solve(A, y):
    return np.linalg.solve(A.T @ A, A.T @ y)


def _table(rng, n, d, noise=1.0):
    """Features that are neither centered nor equally scaled, and a target that depends on them."""
    X = rng.normal(size=(n, d)) * rng.uniform(0.5, 3, d) + rng.uniform(1, 4, d)
    return X, X @ rng.uniform(1, 3, d) + 5 + noise * rng.normal(size=n)


# --- add_intercept_column --------------------------------------------------------------------------------------------------


def _intercept_column_cases(rng):
    yield Case("four samples, two features", rng.normal(size=(4, 2)))
    yield Case("one feature", rng.normal(size=(5, 1)))
    yield Case("one sample", rng.normal(size=(1, 3)))
    yield Case("as many samples as features", rng.normal(size=(3, 3)))


def _intercept_column_oracle(X):
    return np.array([[1.0, *row] for row in X])


def ones_at_the_end(X):
    return np.column_stack([X, np.ones(len(X))])


def zeros_instead_of_ones(X):
    return np.column_stack([np.zeros(len(X)), X])


def a_row_of_ones(X):
    return np.vstack([np.ones(X.shape[1]), X])


def overwrites_the_first_feature(X):
    X[:, 0] = 1
    return X


ADD_INTERCEPT_COLUMN = Exercise(
    name="add_intercept_column",
    title="The column of ones",
    points=3,
    minutes=5,
    difficulty=1,
    hints=(
        "The result has one column more than X and as many rows. Which shape must the new part have?",
        "`np.ones(len(X))` is the new column; `np.column_stack` puts columns side by side.",
    ),
    cases=_intercept_column_cases,
    oracle=_intercept_column_oracle,
    mistakes=(
        Mistake(
            ones_at_the_end,
            "The ones are in the last column. The exercise wants the intercept first, so the ones come first.",
        ),
        Mistake(
            zeros_instead_of_ones,
            "The new column holds zeros. Whatever coefficient it gets, it adds nothing: there is no intercept.",
        ),
        Mistake(
            a_row_of_ones,
            "You added a row, that is, another sample. The intercept needs one more column.",
            "wrong shape",
        ),
        Mistake(
            overwrites_the_first_feature,
            "The ones replaced the first feature, which is lost, in the result and in the caller's own table.",
            "wrong shape",
        ),
    ),
)


# --- root_mean_squared_error -----------------------------------------------------------------------------------------------


def _rmse_cases(rng):
    y = rng.normal(100, 20, 6)
    yield Case("random errors", y, y + rng.normal(size=6) * 10)
    yield Case("every prediction too high by the same amount", y, y + rng.uniform(2, 5))
    yield Case("three predictions too high, one far off", np.zeros(4), np.array([1.0, 1, 1, rng.uniform(5, 9)]))
    yield Case("one sample", np.array([3.0]), np.array([3 + rng.uniform(2, 4)]))
    yield Case("targets of shape (6, 1), predictions of shape (6,)", y[:, None], y + 1, raises=ValueError)


def _rmse_oracle(y_true, y_pred):
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(y_true, y_pred))


def _different_shapes(y_true, y_pred):
    return np.shape(y_true) != np.shape(y_pred)


def without_the_root(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


def mean_of_absolute_errors(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred))


def root_of_the_sum(y_true, y_pred):
    return np.sqrt(np.sum((y_true - y_pred) ** 2))


def standard_deviation_of_errors(y_true, y_pred):
    return np.std(y_true - y_pred)


def broadcasts_to_a_square(y_true, y_pred):
    return np.sqrt(np.mean((y_true - y_pred) ** 2))


ROOT_MEAN_SQUARED_ERROR = Exercise(
    name="root_mean_squared_error",
    title="An error in the unit of the target",
    points=3,
    minutes=8,
    difficulty=1,
    hints=(
        "Read the name from right to left: error, squared, mean, root.",
        "Before the arithmetic, compare `y_true.shape` with `y_pred.shape`; `(6, 1)` minus `(6,)` is a table of 36 "
        "numbers.",
    ),
    cases=_rmse_cases,
    oracle=_rmse_oracle,
    mistakes=(
        *_with_and_without_refusal(
            without_the_root,
            "This is the mean squared error: its unit is the square of the target's. The root is missing.",
            _different_shapes,
        ),
        *_with_and_without_refusal(
            mean_of_absolute_errors,
            "This is the mean absolute error. The RMSE squares before it averages, and takes the root at the end.",
            _different_shapes,
        ),
        *_with_and_without_refusal(
            root_of_the_sum,
            "The squares are summed, not averaged, so the result grows with the number of samples.",
            _different_shapes,
        ),
        *_with_and_without_refusal(
            standard_deviation_of_errors,
            "The standard deviation subtracts the mean error first, so that a model that is always too high by 5 "
            "looks perfect.",
            _different_shapes,
        ),
        Mistake(
            broadcasts_to_a_square,
            "Shapes (6, 1) and (6,) were broadcast to (6, 6): every target was compared with every prediction. "
            "The result looks plausible and is wrong, so different shapes must be refused.",
            "no error",
        ),
    ),
)


# --- fit_line_by_hand ------------------------------------------------------------------------------------------------------


def _line_cases(rng):
    x = rng.uniform(1, 9, 7)
    yield Case("points exactly on a line", x, 3 - 2 * x)
    yield Case("a noisy cloud", x, 2 + 0.5 * x + rng.normal(size=7))
    yield Case("two points", np.array([1.0, 4.0]), rng.uniform(1, 5, 2) * [1, 3])
    yield Case("large values far from zero", 2000 + x, 300 + 2 * x + rng.normal(size=7))
    yield Case("all x equal", np.full(4, 2.5), rng.normal(size=4), raises=ValueError)


def _line_oracle(x, y):
    slope, intercept = np.polynomial.Polynomial.fit(x, y, 1).convert().coef[::-1]
    return float(slope), float(intercept)


def _slope(x, y):
    return np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2)


def _no_slope(x, y):
    return np.ptp(x) == 0


def intercept_before_slope(x, y):
    return y.mean() - _slope(x, y) * x.mean(), _slope(x, y)


def divides_by_the_spread_of_y(x, y):
    slope = np.sum((x - x.mean()) * (y - y.mean())) / np.sum((y - y.mean()) ** 2)
    return slope, y.mean() - slope * x.mean()


@refusing(_no_slope)
def forgets_to_center(x, y):
    slope = np.sum(x * y) / np.sum(x * x)
    return slope, y.mean() - slope * x.mean()


def mixes_n_and_n_minus_one(x, y):
    slope = np.cov(x, y)[0, 1] / np.var(x)
    return slope, y.mean() - slope * x.mean()


def divides_by_zero(x, y):
    with np.errstate(invalid="ignore", divide="ignore"):
        return _slope(x, y), y.mean() - _slope(x, y) * x.mean()


FIT_LINE_BY_HAND = Exercise(
    name="fit_line_by_hand",
    title="The best line, in closed form",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "Center both arrays first; then the slope is a ratio of two sums, and the intercept follows from the means.",
        "Numerator: the sum of (x - mean of x)(y - mean of y). Denominator: the sum of (x - mean of x)². When is it "
        "zero?",
    ),
    cases=_line_cases,
    oracle=_line_oracle,
    rtol=1e-5,
    atol=1e-7,
    mistakes=(
        *_with_and_without_refusal(
            intercept_before_slope,
            "The two numbers are right, in the wrong order: slope first, then intercept.",
            _no_slope,
        ),
        *_with_and_without_refusal(
            divides_by_the_spread_of_y,
            "The denominator holds the spread of y. That is the slope for predicting x from y, not y from x.",
            _no_slope,
        ),
        Mistake(
            forgets_to_center,
            "The sums use x and y as they are. That is the slope of a line forced through the origin; center first.",
        ),
        *_with_and_without_refusal(
            mixes_n_and_n_minus_one,
            "`np.cov` divides by n - 1 and `np.var` by n, so the slope is too steep by n / (n - 1). Use the same "
            "divisor in both.",
            _no_slope,
        ),
        Mistake(
            divides_by_zero,
            "If all x are equal, no slope is better than another, and 0 / 0 gives nan. Refuse such data with "
            "ValueError.",
            "no error",
        ),
    ),
)


# --- fit_normal_equations --------------------------------------------------------------------------------------------------


def _normal_cases(rng):
    yield Case("eight samples, three features", *_table(rng, 8, 3))
    yield Case("one feature", *_table(rng, 6, 1))
    yield Case("a target without noise", *_table(rng, 7, 2, noise=0))
    yield Case("as many samples as coefficients", *_table(rng, 4, 3))


def _normal_oracle(X, y):
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(X, y)
    return np.array([model.intercept_, *model.coef_])


def without_an_intercept(X, y):
    return _solve(X, y)


def intercept_last(X, y):
    return np.roll(_solve(_with_ones(X), y), -1)


def intercept_is_the_mean_of_y(X, y):
    return np.array([y.mean(), *_solve(X - X.mean(axis=0), y - y.mean())])


def n_on_one_side_only(X, y):
    A = _with_ones(X)
    return np.linalg.solve(A.T @ A / len(y), A.T @ y)


def returns_a_column(X, y):
    return _solve(_with_ones(X), y[:, None])


FIT_NORMAL_EQUATIONS = Exercise(
    name="fit_normal_equations",
    title="The normal equations",
    points=5,
    minutes=10,
    difficulty=2,
    hints=(
        "Build the design matrix with a column of ones first. What shape have its product with itself, and the "
        "right-hand side?",
        "With design matrix A, solve (AᵀA) w = Aᵀy by `np.linalg.solve`; there is no need to compute an inverse.",
    ),
    cases=_normal_cases,
    oracle=_normal_oracle,
    rtol=1e-5,
    atol=1e-6,
    mistakes=(
        Mistake(
            without_an_intercept,
            "There is no intercept: the table went into the equations without a column of ones, which forces the fit "
            "through the origin.",
            "wrong shape",
        ),
        Mistake(
            intercept_last, "The values are right, but the intercept stands at the end. It should be the first entry."
        ),
        Mistake(
            intercept_is_the_mean_of_y,
            "The coefficients are right. The mean of y is the intercept for centered features; for the original "
            "ones, move it back to where they are zero.",
        ),
        Mistake(
            n_on_one_side_only,
            "One side of the equations is divided by n and the other is not, so everything is n times too large.",
        ),
        Mistake(
            returns_a_column,
            "The result is a table with one column. Give `solve` a right-hand side of shape (d + 1,), and it returns "
            "that shape.",
            "wrong shape",
        ),
    ),
)


# --- gradient_of_mse -------------------------------------------------------------------------------------------------------


def _gradient_cases(rng):
    X, y = _table(rng, 6, 3)
    yield Case("a random point", X, y, rng.normal(size=3), rng.normal())
    yield Case("all parameters zero", X, y, np.zeros(3), 0.0)
    yield Case("one feature", *_table(rng, 5, 1), rng.normal(size=1), rng.normal())
    yield Case("one sample", *_table(rng, 1, 2), rng.normal(size=2), rng.normal())
    best = _solve(_with_ones(X), y)
    yield Case("at the minimum", X, y, best[1:], float(best[0]))


def _gradient_oracle(X, y, w, b):
    """Central differences, which are exact for a quadratic up to rounding."""

    def loss(theta):
        return np.mean((y - X @ theta[1:] - theta[0]) ** 2)

    theta = np.array([b, *w])
    steps = np.eye(len(theta))
    slopes = np.array([(loss(theta + step) - loss(theta - step)) / 2 for step in steps])
    return slopes[1:], float(slopes[0])


def _error(X, y, w, b):
    return X @ w + b - y


def points_uphill_instead_of_being_the_gradient(X, y, w, b):
    return -2 / len(y) * X.T @ _error(X, y, w, b), -2 * np.mean(_error(X, y, w, b))


def loses_the_factor_two(X, y, w, b):
    return X.T @ _error(X, y, w, b) / len(y), np.mean(_error(X, y, w, b))


def sums_instead_of_averaging(X, y, w, b):
    return 2 * X.T @ _error(X, y, w, b), 2 * np.sum(_error(X, y, w, b))


def averages_one_part_only(X, y, w, b):
    return 2 / len(y) * X.T @ _error(X, y, w, b), 2 * np.sum(_error(X, y, w, b))


def forgets_b_in_the_prediction(X, y, w, b):
    error = X @ w - y
    return 2 / len(y) * X.T @ error, 2 * np.mean(error)


def returns_a_gradient_for_every_sample(X, y, w, b):
    error = _error(X, y, w, b)
    return 2 * X * error[:, None], 2 * np.mean(error)


GRADIENT_OF_MSE = Exercise(
    name="gradient_of_mse",
    title="The gradient, intercept included",
    points=5,
    minutes=12,
    difficulty=3,
    hints=(
        "Write the loss as a mean of squared errors, with error = X w + b - y, and use the chain rule.",
        "The derivative of one squared error by w_j is 2 · error · X_ij, and by b it is 2 · error. Then average over "
        "the samples.",
        "The sum over samples in the first formula is a product of the transposed table with the vector of errors.",
    ),
    cases=_gradient_cases,
    oracle=_gradient_oracle,
    atol=1e-7,
    mistakes=(
        Mistake(
            points_uphill_instead_of_being_the_gradient,
            "Both parts have the wrong sign: gradient descent would climb. Check the sign of the error's derivative.",
        ),
        Mistake(
            loses_the_factor_two,
            "Both parts are half of what they should be: the derivative of a square brings a factor of 2.",
        ),
        Mistake(
            sums_instead_of_averaging,
            "The loss is a mean over samples, so its gradient is one as well: the division by n is missing.",
        ),
        Mistake(
            averages_one_part_only,
            "The derivatives by w are right; the one by b is summed over the samples and not averaged.",
        ),
        Mistake(
            forgets_b_in_the_prediction,
            "The errors were computed without the intercept b: the gradient is right only where b is zero.",
        ),
        Mistake(
            returns_a_gradient_for_every_sample,
            "The first part has one row per sample: the contributions have not been averaged into one gradient of "
            "the shape of w.",
            "wrong shape",
        ),
    ),
)


# --- fit_by_gradient_descent -----------------------------------------------------------------------------------------------


def _limit(X):
    return 2 / np.linalg.eigvalsh(2 / len(X) * X.T @ X)[-1]


def _centered_table(rng, n, d):
    X, y = _table(rng, n, d)
    return X - X.mean(axis=0), y - y.mean()


def _descent_cases(rng):
    X, y = _centered_table(rng, 8, 2)
    yield Case("one small step", X, y, 0.2 * _limit(X), 1)
    yield Case("five steps", X, y, 0.4 * _limit(X), 5)
    yield Case("a learning rate just below the limit", X, y, 0.95 * _limit(X), 6)
    yield Case("no step at all", X, y, 0.1 * _limit(X), 0)
    X, y = _centered_table(rng, 9, 3)
    yield Case("three features, many steps", X, y, 0.5 * _limit(X), 400)
    yield Case("a learning rate just above the limit", X, y, 1.05 * _limit(X), 5, raises=ValueError)


def _descent_oracle(X, y, learning_rate, steps):
    """The closed form in the eigenvectors of the Hessian, without any step."""
    n = len(y)
    values, vectors = np.linalg.eigh(2 / n * X.T @ X)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    start = vectors.T @ -best
    way = [best + vectors @ ((1 - learning_rate * values) ** t * start) for t in range(steps + 1)]
    return way[-1], np.array([np.mean((y - X @ w) ** 2) for w in way])


def _descend(X, y, learning_rate, steps):
    way = [np.zeros(X.shape[1])]
    for _ in range(steps):
        way.append(way[-1] - learning_rate * 2 / len(y) * X.T @ (X @ way[-1] - y))
    return way[-1], np.array([np.mean((y - X @ w) ** 2) for w in way])


def _beyond_the_limit(X, y, learning_rate, steps):
    return learning_rate >= _limit(X)


def history_without_the_start(X, y, learning_rate, steps):
    w, losses = _descend(X, y, learning_rate, steps)
    return w, losses[1:]


def climbs(X, y, learning_rate, steps):
    with np.errstate(over="ignore", invalid="ignore"):
        return _descend(X, y, -learning_rate, steps)


@refusing(lambda X, y, learning_rate, steps: learning_rate >= _limit(X) / 2)
def refuses_rates_above_half_the_limit(X, y, learning_rate, steps):
    return _descend(X, y, learning_rate, steps)


@refusing(lambda X, y, learning_rate, steps: learning_rate >= 2 / np.linalg.eigvalsh(X.T @ X)[-1])
def limit_without_two_over_n(X, y, learning_rate, steps):
    return _descend(X, y, learning_rate, steps)


def never_refuses(X, y, learning_rate, steps):
    return _descend(X, y, learning_rate, steps)


FIT_BY_GRADIENT_DESCENT = Exercise(
    name="fit_by_gradient_descent",
    title="Downhill, within the speed limit",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "Three parts: refuse a learning rate that is too large, take the steps, and keep the loss before the first "
        "and after every step.",
        "The limit is 2 divided by the largest eigenvalue of the Hessian 2 XᵀX / n; `np.linalg.eigvalsh` returns "
        "eigenvalues in ascending order.",
        "Each step subtracts learning_rate · 2/n · Xᵀ(X w - y) from w; the history has steps + 1 entries.",
    ),
    cases=_descent_cases,
    oracle=_descent_oracle,
    mistakes=(
        *_with_and_without_refusal(
            history_without_the_start,
            "The history misses the loss at the start, before the first step: it has steps entries and should have "
            "steps + 1.",
            _beyond_the_limit,
            kind="wrong shape",
        ),
        *_with_and_without_refusal(
            climbs,
            "The loss grows from step to step: the gradient is added where it should be subtracted.",
            _beyond_the_limit,
        ),
        Mistake(
            refuses_rates_above_half_the_limit,
            "Learning rates between 1/λmax and 2/λmax were refused. They make the steepest direction zigzag, but it "
            "still shrinks.",
            "raised",
        ),
        Mistake(
            limit_without_two_over_n,
            "A learning rate that converges was refused: the limit was computed from XᵀX, but the Hessian of the "
            "mean squared error is 2 XᵀX / n.",
            "raised",
        ),
        Mistake(
            never_refuses,
            "A learning rate above the limit was accepted, although the loss grows with it in every step.",
            "no error",
        ),
    ),
)


# --- repair_r_squared ------------------------------------------------------------------------------------------------------


def _r2_cases(rng):
    y = rng.normal(50, 10, 8)
    yield Case("a fair model", y, y + rng.normal(size=8) * 4)
    yield Case("predictions too high by a constant", y, y + rng.uniform(3, 6))
    yield Case("worse than the mean", y, y[::-1] + rng.normal(size=8))
    yield Case("perfect predictions", y, y.copy())
    yield Case("predictions at half the true spread", y, y.mean() + 0.5 * (y - y.mean()) + rng.normal(size=8))


def _r2_oracle(y_true, y_pred):
    from sklearn.metrics import r2_score

    return float(r2_score(y_true, y_pred))


def variation_of_the_predictions(y_true, y_pred):
    return 1 - np.sum((y_true - y_pred) ** 2) / np.sum((y_pred - y_pred.mean()) ** 2)


def variation_around_the_wrong_mean(y_true, y_pred):
    return 1 - np.sum((y_true - y_pred) ** 2) / np.sum((y_true - y_pred.mean()) ** 2)


def squared_correlation(y_true, y_pred):
    return np.corrcoef(y_true, y_pred)[0, 1] ** 2


def forgives_a_constant_error(y_true, y_pred):
    return 1 - np.var(y_true - y_pred) / np.var(y_true)


def variation_around_zero(y_true, y_pred):
    return 1 - np.sum((y_true - y_pred) ** 2) / np.sum(y_true**2)


def divides_by_n_and_by_n_minus_one(y_true, y_pred):
    return 1 - np.mean((y_true - y_pred) ** 2) / np.var(y_true, ddof=1)


REPAIR_R_SQUARED = Exercise(
    name="repair_r_squared",
    title="Repair: a score that flatters",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "R² compares the model's squared errors with those of a baseline. Which baseline, and whose mean is it?",
        "Follow the denominator: it should not change when only the predictions change.",
    ),
    cases=_r2_cases,
    oracle=_r2_oracle,
    mistakes=(
        Mistake(
            variation_of_the_predictions,
            "The denominator measures the variation of the predictions. The baseline is the mean of the true values, "
            "so their variation belongs there.",
            planted=True,
        ),
        Mistake(
            variation_around_the_wrong_mean,
            "The true values are in the denominator now, but around the mean of the predictions. The baseline "
            "predicts the mean of the true values.",
        ),
        Mistake(
            squared_correlation,
            "This is the squared correlation. It forgives every shift and scale of the predictions, and can never be "
            "negative.",
        ),
        Mistake(
            forgives_a_constant_error,
            "The variance of the errors ignores their mean: predictions that are all too high by 5 would count as "
            "perfect.",
        ),
        Mistake(variation_around_zero, "The variation of the true values is taken around zero, not around their mean."),
        Mistake(
            divides_by_n_and_by_n_minus_one,
            "Errors are averaged with n and the variation with n - 1. Use plain sums, or the same divisor for both.",
        ),
    ),
)


# --- standardize_split -----------------------------------------------------------------------------------------------------


def _split_cases(rng):
    spread = np.array([1.0, 5.0])
    yield Case("two features", rng.normal(size=(6, 2)) * spread + 3, rng.normal(size=(4, 2)) * spread + 6)
    yield Case("a test set of one row", rng.normal(size=(5, 2)) * spread, rng.normal(size=(1, 2)) + 4)
    yield Case("test values far outside the training range", rng.uniform(0, 1, (6, 2)), rng.uniform(50, 60, (3, 2)))
    constant = np.column_stack([rng.normal(size=5), np.full(5, 7.0)])
    yield Case(
        "a feature that is constant in training", constant, np.column_stack([rng.normal(size=3), [7.0, 8.0, 9.0]])
    )


def _split_oracle(X_train, X_test):
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test)


def _unless_zero(spread):
    return np.where(spread == 0, 1, spread)


def statistics_of_all_rows(X_train, X_test):
    both = np.vstack([X_train, X_test])
    center, spread = both.mean(axis=0), _unless_zero(both.std(axis=0))
    return (X_train - center) / spread, (X_test - center) / spread


def each_part_by_itself(X_train, X_test):
    return tuple((X - X.mean(axis=0)) / _unless_zero(X.std(axis=0)) for X in (X_train, X_test))


def leaves_the_test_rows_as_they_are(X_train, X_test):
    return (X_train - X_train.mean(axis=0)) / _unless_zero(X_train.std(axis=0)), X_test


def one_mean_for_the_whole_table(X_train, X_test):
    center, spread = X_train.mean(), X_train.std()
    return (X_train - center) / spread, (X_test - center) / spread


def divisor_n_minus_one(X_train, X_test):
    center, spread = X_train.mean(axis=0), _unless_zero(X_train.std(axis=0, ddof=1))
    return (X_train - center) / spread, (X_test - center) / spread


def scales_in_place(X_train, X_test):
    center, spread = X_train.mean(axis=0), _unless_zero(X_train.std(axis=0))
    for X in (X_train, X_test):
        X -= center
        X /= spread
    return X_train, X_test


def divides_by_a_zero_spread(X_train, X_test):
    center, spread = X_train.mean(axis=0), X_train.std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (X_train - center) / spread, (X_test - center) / spread


STANDARDIZE_SPLIT = Exercise(
    name="standardize_split",
    title="Repair: a leak in the preprocessing",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "At the moment of prediction, which rows exist?",
        "The mean and the standard deviation are learned like coefficients: from the training rows alone, then used "
        "for both parts.",
    ),
    cases=_split_cases,
    oracle=_split_oracle,
    mistakes=(
        Mistake(
            statistics_of_all_rows,
            "Mean and standard deviation were computed with the test rows included, so the training part depends on "
            "data it must not know.",
            planted=True,
        ),
        Mistake(
            each_part_by_itself,
            "The test rows are scaled by their own statistics. The same patient then gets other values depending on "
            "who else is in the test set, "
            "and the model's coefficients no longer fit them.",
        ),
        Mistake(
            leaves_the_test_rows_as_they_are,
            "The test rows are not scaled at all, so the model meets them in other units than it was fitted in.",
        ),
        Mistake(
            one_mean_for_the_whole_table,
            "One mean and one standard deviation were used for all features; each column needs its own.",
        ),
        Mistake(
            divisor_n_minus_one,
            "The standard deviation has the divisor n - 1. The exercise, like most scalers, uses n.",
        ),
        Mistake(
            scales_in_place,
            "The result is right, but the tables of the caller were changed: whoever uses them next finds other "
            "numbers. Make new arrays.",
            "changed input",
        ),
        Mistake(
            divides_by_a_zero_spread,
            "A feature that is constant in the training rows has standard deviation 0, and dividing by it gives nan "
            "or infinity. Only center it.",
            "not finite",
        ),
    ),
)


# --- predict_effect_of_units -----------------------------------------------------------------------------------------------

_RIGHT = {
    "slope_if_bmi_is_divided_by_10": 100.0,
    "intercept_if_5_is_added_to_bmi": -168.0,
    "r2_if_bmi_is_divided_by_10": 0.34,
    "slopes_if_the_column_is_repeated": (5.0, 5.0),
    "slope_if_every_row_is_repeated": 10.0,
    "standard_error_if_every_row_is_repeated": "smaller",
}


def _effect_cases(rng):
    yield Case("your six predictions")


@cache
def _effect_oracle():
    """Measured on data made to have slope 10, intercept -118 and R² 0.34."""
    import statsmodels.api as sm
    from sklearn.linear_model import LinearRegression

    x = np.linspace(18, 42, 25)
    pattern = np.sin(7 * x)
    noise = pattern - LinearRegression().fit(x[:, None], pattern).predict(x[:, None])
    y = 10 * x - 118 + noise * np.sqrt((1 / 0.34 - 1) * np.var(10 * x) / np.var(noise))

    def fit(*columns, y=y):
        X = np.column_stack(columns)
        return LinearRegression().fit(X, y), X

    scaled, X_scaled = fit(x / 10)
    twice = np.repeat(x, 2), np.repeat(y, 2)
    errors = [sm.OLS(target, sm.add_constant(column)).fit().bse[1] for column, target in ((x, y), twice)]
    return {
        "slope_if_bmi_is_divided_by_10": round(float(scaled.coef_[0]), 6),
        "intercept_if_5_is_added_to_bmi": round(float(fit(x + 5)[0].intercept_), 6),
        "r2_if_bmi_is_divided_by_10": round(float(scaled.score(X_scaled, y)), 6),
        "slopes_if_the_column_is_repeated": tuple(float(c) for c in fit(x, x)[0].coef_.round(6)),
        "slope_if_every_row_is_repeated": round(float(fit(twice[0], y=twice[1])[0].coef_[0]), 6),
        "standard_error_if_every_row_is_repeated": "smaller" if errors[1] < errors[0] else "larger",
    }


def _compare_effects(expected, got):
    """Name the predictions that are wrong, without giving the answers away."""
    if not isinstance(got, dict) or set(got) != set(expected):
        return difference(expected, got)
    plain = {key: tuple(value) if isinstance(value, (list, np.ndarray)) else value for key, value in got.items()}
    wrong = [key for key in expected if difference(expected[key], plain[key], rtol=1e-4) is not None]
    if not wrong:
        return None
    return Difference("wrong value", f"{len(wrong)} of 6 predictions differ from what was measured: {', '.join(wrong)}")


def slope_scales_with_the_column():
    return {**_RIGHT, "slope_if_bmi_is_divided_by_10": 1.0}


def intercept_moves_with_the_column():
    return {**_RIGHT, "intercept_if_5_is_added_to_bmi": -68.0}


def intercept_stays():
    return {**_RIGHT, "intercept_if_5_is_added_to_bmi": -118.0}


def score_depends_on_units():
    return {**_RIGHT, "r2_if_bmi_is_divided_by_10": 0.034}


def repeated_column_keeps_its_slope():
    return {**_RIGHT, "slopes_if_the_column_is_repeated": (10.0, 10.0)}


def repeated_rows_double_the_slope():
    return {**_RIGHT, "slope_if_every_row_is_repeated": 20.0}


def copies_bring_no_false_certainty():
    return {**_RIGHT, "standard_error_if_every_row_is_repeated": "same"}


PREDICT_EFFECT_OF_UNITS = Exercise(
    name="predict_effect_of_units",
    title="Predict: other units, copied columns, copied rows",
    points=4,
    minutes=10,
    difficulty=3,
    hints=(
        "The predictions of the model do not change in the first five questions. What must the coefficients do so "
        "that they stay the same?",
        "For the intercept: write w · (bmi + 5) + b', and choose b' so that the prediction is what it was before.",
        "For the standard error: the formula does not know that half of the rows are copies. It sees n twice as large.",
    ),
    cases=_effect_cases,
    oracle=_effect_oracle,
    compare=_compare_effects,
    mistakes=(
        Mistake(
            slope_scales_with_the_column,
            "If the values of bmi become ten times smaller, a slope that became smaller as well would shrink the "
            "predictions a hundredfold.",
        ),
        Mistake(
            intercept_moves_with_the_column,
            "Adding 5 to bmi adds 5 slopes to the predictions, and the intercept has to take them back, not add to "
            "them.",
        ),
        Mistake(
            intercept_stays,
            "With the old intercept, all predictions would be higher by 5 slopes after adding 5 to bmi.",
        ),
        Mistake(
            score_depends_on_units,
            "R² compares predictions with targets, and neither changes when the feature gets other units.",
        ),
        Mistake(
            repeated_column_keeps_its_slope,
            "With the old slope on both copies, every prediction would rise twice as fast. The two slopes share the "
            "old one.",
        ),
        Mistake(
            repeated_rows_double_the_slope,
            "Copying every row doubles both sums in the slope's formula, so their ratio stays.",
        ),
        Mistake(
            copies_bring_no_false_certainty,
            "They should not, for copies carry no information. But the formula takes the rows for independent, and "
            "its standard error falls as n grows.",
        ),
    ),
)


# --- residual_report -------------------------------------------------------------------------------------------------------

RESIDUAL_REPORT = Exercise(
    name="residual_report",
    title="Read a residual plot",
    points=4,
    minutes=15,
    difficulty=3,
    answer="manual",
    hints=(
        "Cover the single points and follow the squares, the means of the slices. Where would they lie if a line were the "
        "right shape?",
        "Then follow the dashed lines, and compare their distance at the left and at the right. Which numbers of a "
        "regression rest on equal spread?",
        "How does the area of a disk depend on its radius? Which column does the table lack, and which figure would you "
        "draw again to see that it helped?",
    ),
    rubric=(
        "One point each. (1) The means of the slices bend, above zero at both ends and below it in the middle: the truth "
        "is curved, a line has the wrong shape. (2) The spread is larger for large nuclei (part of it is the curve), so "
        "that standard errors, or one interval for all predictions, are wrong. (3) What follows for predictions: too small at "
        "both ends, one even negative, and R² near 1 does not exclude that. (4) A remedy that fits, such as a column with "
        "the squared radius or logarithms of both, and a way to see that it helped: residuals drawn again, or an error on "
        "held-out rows. Half a point where the claim is right and neither the figure nor a number is named."
    ),
)


# --- coefficient_intervals -------------------------------------------------------------------------------------------------


def _interval_cases(rng):
    yield Case("seven samples, two features", *_table(rng, 7, 2))
    yield Case("one feature", *_table(rng, 6, 1))
    yield Case("more samples", *_table(rng, 25, 3, noise=3))
    yield Case("one degree of freedom", *_table(rng, 4, 2))
    yield Case("as many samples as coefficients", *_table(rng, 3, 2), raises=ValueError)


def _interval_oracle(X, y):
    import statsmodels.api as sm

    return np.asarray(sm.OLS(y, np.column_stack([np.ones(len(X)), X])).fit().conf_int(alpha=0.05))


def _intervals(X, y, df, quantile=0.975, errors=lambda variance: variance**0.5):
    from scipy import stats

    A = _with_ones(X)
    w = _solve(A, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.sum((y - A @ w) ** 2) / np.float64(df)
        se = errors(variance * np.diag(np.linalg.inv(A.T @ A)))
    width = se * (stats.norm.ppf(0.975) if quantile is None else stats.t.ppf(quantile, df))
    return np.column_stack([w - width, w + width])


def _no_freedom(X, y):
    return len(y) <= X.shape[1] + 1


def normal_instead_of_t(X, y):
    return _intervals(X, y, len(y) - X.shape[1] - 1, quantile=None)


@refusing(_no_freedom)
def forgets_to_count_the_intercept(X, y):
    return _intervals(X, y, len(y) - X.shape[1])


@refusing(_no_freedom)
def takes_the_fit_for_free(X, y):
    return _intervals(X, y, len(y))


def one_sided(X, y):
    return _intervals(X, y, len(y) - X.shape[1] - 1, quantile=0.95)


def variance_as_standard_error(X, y):
    return _intervals(X, y, len(y) - X.shape[1] - 1, errors=lambda variance: variance)


def sees_noise_where_none_is_left(X, y):
    return _intervals(X, y, len(y) - X.shape[1] - 1)


COEFFICIENT_INTERVALS = Exercise(
    name="coefficient_intervals",
    title="Confidence intervals for coefficients",
    points=6,
    minutes=20,
    difficulty=4,
    hints=(
        "You need three things: the coefficients, their standard errors, and the quantile of the t distribution. How "
        "many degrees of freedom are there?",
        "Estimate the noise's variance by the sum of squared residuals over n - p, with p = d + 1; multiply by the "
        "diagonal of (AᵀA)⁻¹; take roots.",
        "For 95 % in the middle, 2.5 % lie beyond each end: `stats.t.ppf(0.975, n - p)`.",
    ),
    cases=_interval_cases,
    oracle=_interval_oracle,
    rtol=1e-5,
    atol=1e-7,
    mistakes=(
        *_with_and_without_refusal(
            normal_instead_of_t,
            "The quantile is that of the normal distribution, 1.96. The noise was estimated from few residuals; the "
            "t distribution accounts for it.",
            _no_freedom,
        ),
        Mistake(
            forgets_to_count_the_intercept,
            "The degrees of freedom are too many by one: the intercept is an estimated parameter as well.",
        ),
        Mistake(
            takes_the_fit_for_free,
            "The squared residuals are divided by n. The fit has made them smaller than the errors; the divisor is n "
            "minus the number of parameters.",
        ),
        *_with_and_without_refusal(
            one_sided,
            "The quantile 0.95 leaves 5 % beyond each end, and so 90 % between them. It should be 2.5 % at each end.",
            _no_freedom,
        ),
        *_with_and_without_refusal(
            variance_as_standard_error,
            "The intervals are built from variances. A standard error is the root of a variance.",
            _no_freedom,
        ),
        Mistake(
            sees_noise_where_none_is_left,
            "With as many parameters as samples the fit passes through every point: the residuals say nothing about "
            "the noise, and this must be refused.",
            "no error",
        ),
    ),
)


# --- cross_validated_rmse --------------------------------------------------------------------------------------------------


@cache
def _wine():
    from sklearn.datasets import load_wine

    table = load_wine(as_frame=True).data
    return table[["alcohol", "hue", "flavanoids"]].to_numpy(), table["color_intensity"].to_numpy()


def _folds_cases(rng):
    yield Case("eleven samples in three folds", *_table(rng, 11, 2), 3)
    yield Case("one feature, two folds", *_table(rng, 7, 1), 2)
    X, y = _wine()
    rows = rng.choice(len(y), 32, replace=False)
    yield Case("color of 32 wines from alcohol, hue and flavanoids, five folds", X[rows], y[rows], 5)
    X, y = _table(rng, 12, 2)
    order = np.argsort(y)
    yield Case("rows sorted by the target", X[order], y[order], 3)
    yield Case("leave one out", *_table(rng, 8, 2), 8)


def _folds_oracle(X, y, n_folds):
    from sklearn.dummy import DummyRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import root_mean_squared_error
    from sklearn.model_selection import KFold, cross_val_predict

    folds = KFold(n_folds)
    return tuple(
        float(root_mean_squared_error(y, cross_val_predict(m, X, y, cv=folds)))
        for m in (LinearRegression(), DummyRegressor())
    )


def _parts(y, n_folds):
    for test in np.array_split(np.arange(len(y)), n_folds):
        yield np.setdiff1d(np.arange(len(y)), test), test


def _predict(X_train, y_train, X_test):
    A, B = _with_ones(X_train), _with_ones(X_test)
    return B @ np.linalg.lstsq(A, y_train, rcond=None)[0]


def _root(errors):
    return np.sqrt(np.mean(np.concatenate(errors) ** 2))


def mean_of_the_fold_scores(X, y, n_folds):
    model = [_root([y[b] - _predict(X[a], y[a], X[b])]) for a, b in _parts(y, n_folds)]
    return np.mean(model), np.mean([_root([y[b] - y[a].mean()]) for a, b in _parts(y, n_folds)])


def baseline_knows_all_targets(X, y, n_folds):
    return _root([y[b] - _predict(X[a], y[a], X[b]) for a, b in _parts(y, n_folds)]), np.std(y)


def fitted_on_all_rows(X, y, n_folds):
    return _root([y - _predict(X, y, X)]), np.std(y)


def trained_on_the_held_out_fold(X, y, n_folds):
    parts = list(_parts(y, n_folds))
    model = _root([y[a] - _predict(X[b], y[b], X[a]) for a, b in parts])
    return model, _root([y[a] - y[b].mean() for a, b in parts])


def every_kth_row(X, y, n_folds):
    number = np.arange(len(y)) % n_folds
    parts = [(np.flatnonzero(number != k), np.flatnonzero(number == k)) for k in range(n_folds)]
    return _root([y[b] - _predict(X[a], y[a], X[b]) for a, b in parts]), _root([y[b] - y[a].mean() for a, b in parts])


def no_intercept_in_the_model(X, y, n_folds):
    model = [y[b] - X[b] @ np.linalg.lstsq(X[a], y[a], rcond=None)[0] for a, b in _parts(y, n_folds)]
    return _root(model), _root([y[b] - y[a].mean() for a, b in _parts(y, n_folds)])


CROSS_VALIDATED_RMSE = Exercise(
    name="cross_validated_rmse",
    title="An honest score on your own",
    points=8,
    minutes=30,
    difficulty=5,
    hints=(
        "Loop over the folds. In each, everything that is learned (coefficients, and the baseline's mean) comes from "
        "the rows outside the fold.",
        "`np.array_split(np.arange(n), n_folds)` gives the folds; `np.setdiff1d` or a boolean mask gives the other "
        "rows.",
        "Collect one error per row and model, from the fold in which the row was held out. The root of the mean "
        "comes at the very end, over all n rows.",
    ),
    cases=_folds_cases,
    oracle=_folds_oracle,
    rtol=1e-5,
    mistakes=(
        Mistake(
            mean_of_the_fold_scores,
            "An RMSE was computed in each fold and these were averaged. Collect the errors of all rows first, then "
            "take one mean and one root.",
        ),
        Mistake(
            baseline_knows_all_targets,
            "The model's score is right, but the baseline predicts the mean of all targets, held-out rows included. "
            "Use the mean of the training rows.",
        ),
        Mistake(
            fitted_on_all_rows, "Model and baseline were fitted on all rows, so every row helped to predict itself."
        ),
        Mistake(
            trained_on_the_held_out_fold,
            "The roles are swapped: the model was fitted on the one fold and scored on all the others.",
        ),
        Mistake(
            every_kth_row,
            "The folds hold every k-th row. That is a valid split, but the exercise asks for blocks of consecutive "
            "rows, as `np.array_split` makes them.",
        ),
        Mistake(
            no_intercept_in_the_model,
            "The baseline is right, but the model has no intercept: its predictions are forced through the origin.",
        ),
    ),
)


EXERCISES = [
    ADD_INTERCEPT_COLUMN,
    ROOT_MEAN_SQUARED_ERROR,
    FIT_LINE_BY_HAND,
    FIT_NORMAL_EQUATIONS,
    GRADIENT_OF_MSE,
    FIT_BY_GRADIENT_DESCENT,
    REPAIR_R_SQUARED,
    STANDARDIZE_SPLIT,
    PREDICT_EFFECT_OF_UNITS,
    RESIDUAL_REPORT,
    COEFFICIENT_INTERVALS,
    CROSS_VALIDATED_RMSE,
]
