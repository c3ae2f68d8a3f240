"""LinearRegression equals scikit-learn's on hundreds of tiny problems, keeps its invariances and refuses bad input clearly."""

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlcourse.classical import LinearRegression
from mlcourse.classical.linear_model import center, solve_small, triangle
from mlcourse.data import load_diabetes

SOLVERS = ("qr", "normal", "gradient")
each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_direct_solver = pytest.mark.parametrize("solver", ["qr", "normal"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([LinearRegression(fit_intercept=i, solver=s) for s in SOLVERS for i in (True, False)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def tiny_problem(seed):
    """One of six kinds: plain, wide, one sample, dependent columns, a repeated column, a constant column."""
    rng = np.random.default_rng(seed)
    kind = seed % 6
    n, d = int(rng.integers(2, 9)), int(rng.integers(1, 6))
    n = {0: d + n, 1: max(1, d - 1), 2: 1}.get(kind, n)
    X = rng.integers(-4, 5, (n, d)).astype(float) if rng.random() < 0.3 else rng.normal(size=(n, d))
    if kind == 3:
        X = rng.normal(size=(n, min(2, d))) @ rng.normal(size=(min(2, d), d))
    if kind == 4:
        X = np.column_stack([X, X[:, 0]])
    if kind == 5:
        X[:, 0] = 3.0
    return X, rng.normal(size=n)


@each_direct_solver
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_equals_scikit_learn_on_300_tiny_problems(solver, fit_intercept):
    for seed in range(300):
        X, y = tiny_problem(seed)
        ours = LinearRegression(fit_intercept=fit_intercept, solver=solver).fit(X, y)
        reference = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, y)
        close = {"rtol": 1e-6, "atol": 1e-7 * (1 + np.linalg.norm(reference.coef_)), "err_msg": f"seed {seed}"}
        np.testing.assert_allclose(ours.coef_, reference.coef_, **close)
        np.testing.assert_allclose(ours.intercept_, reference.intercept_, **close)
        np.testing.assert_allclose(ours.predict(X), reference.predict(X), **close)


def test_gradient_descent_equals_scikit_learn_on_200_tiny_problems_even_without_a_unique_solution():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n, d = int(rng.integers(2, 9)), int(rng.integers(1, 6))
        rank = min(n - 1, d)
        U, V = np.linalg.qr(center(rng.normal(size=(n, rank)))[0])[0], np.linalg.qr(rng.normal(size=(d, rank)))[0]
        X = U * rng.uniform(0.3, 2, rank) @ V.T + rng.normal(size=d)  # well conditioned, so that it converges quickly
        y = rng.normal(size=n)
        ours = LinearRegression(solver="gradient", tol=1e-12).fit(X, y)
        reference = sklearn.linear_model.LinearRegression().fit(X, y)
        np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-7, err_msg=f"seed {seed}")
        np.testing.assert_allclose(ours.intercept_, reference.intercept_, atol=1e-7, err_msg=f"seed {seed}")


@each_direct_solver
def test_equals_scikit_learn_on_the_diabetes_table(solver):
    data = load_diabetes()
    ours = LinearRegression(solver=solver).fit(data.X, data.y)
    reference = sklearn.linear_model.LinearRegression().fit(data.X, data.y)
    np.testing.assert_allclose(ours.coef_, reference.coef_, rtol=1e-8)
    assert ours.score(data.X, data.y) == pytest.approx(reference.score(data.X, data.y))


@each_solver
@pytest.mark.parametrize("seed", range(5))
def test_no_small_change_of_the_coefficients_lowers_the_loss(solver, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    model = LinearRegression(solver=solver).fit(X, y)
    best = ((y - model.predict(X)) ** 2).mean()
    for _ in range(20):
        change, shift = rng.normal(scale=1e-2, size=3), rng.normal(scale=1e-2)
        assert ((y - X @ (model.coef_ + change) - model.intercept_ - shift) ** 2).mean() > best


@each_solver
def test_residuals_are_orthogonal_to_the_columns_and_sum_to_zero(solver):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    residual = y - LinearRegression(solver=solver, tol=1e-12).fit(X, y).predict(X)
    np.testing.assert_allclose(X.T @ residual, 0, atol=1e-9)
    assert abs(residual.sum()) < 1e-9


problems = st.integers(0, 10_000).map(lambda seed: tiny_problem(6 * seed))  # kind 0: more rows than columns


@settings(max_examples=60, deadline=None)
@given(problems, st.integers(0, 1000), st.sampled_from(["qr", "normal"]))
def test_row_order_does_not_matter(problem, seed, solver):
    X, y = problem
    order = np.random.default_rng(seed).permutation(len(y))
    first, second = LinearRegression(solver=solver).fit(X, y), LinearRegression(solver=solver).fit(X[order], y[order])
    np.testing.assert_allclose(first.predict(X), second.predict(X), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(problems, st.floats(0.01, 100), st.sampled_from(["qr", "normal"]))
def test_other_units_divide_the_coefficient_and_keep_the_predictions(problem, factor, solver):
    X, y = problem
    first = LinearRegression(solver=solver).fit(X, y)
    scaled = X * np.where(np.arange(X.shape[1]) == 0, factor, 1.0)
    second = LinearRegression(solver=solver).fit(scaled, y)
    np.testing.assert_allclose(first.predict(X), second.predict(scaled), atol=1e-6)
    if np.linalg.matrix_rank(center(X)[0]) == X.shape[1]:
        np.testing.assert_allclose(first.coef_[0], second.coef_[0] * factor, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(problems, st.integers(2, 4), st.sampled_from(["qr", "normal"]))
def test_repeating_every_row_changes_nothing(problem, times, solver):
    X, y = problem
    first = LinearRegression(solver=solver).fit(X, y)
    second = LinearRegression(solver=solver).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(first.predict(X), second.predict(X), atol=1e-6)


@each_direct_solver
def test_shifting_the_target_moves_only_the_intercept(solver):
    X, y = tiny_problem(0)
    first, second = LinearRegression(solver=solver).fit(X, y), LinearRegression(solver=solver).fit(X, y + 7)
    np.testing.assert_allclose(first.coef_, second.coef_, atol=1e-9)
    assert second.intercept_ == pytest.approx(first.intercept_ + 7)


def test_qr_keeps_the_digits_that_the_normal_equations_lose():
    t = np.linspace(0, 1, 60)
    X = np.vander(t, 10)[:, :-1]
    true = np.ones(9)
    error = {s: np.abs(LinearRegression(solver=s).fit(X, X @ true + 1).coef_ - true).max() for s in ("qr", "normal")}
    assert error["qr"] < 1e-7
    assert error["normal"] > 1e-4


def test_qr_copes_with_units_a_million_times_apart():
    X, y = np.random.default_rng(0).normal(size=(100, 2)), np.arange(100.0)
    scale = np.array([1.0, 1e7])
    plain, scaled = LinearRegression().fit(X, y), LinearRegression().fit(X * scale, y)
    np.testing.assert_allclose(scaled.coef_ * scale, plain.coef_, rtol=1e-8)


@each_solver
def test_a_constant_column_gets_no_coefficient(solver):
    model = LinearRegression(solver=solver).fit(np.full((7, 1), 0.1), np.arange(7.0))
    assert model.coef_[0] == 0
    assert model.intercept_ == 3


def test_gradient_descent_keeps_its_history_and_agrees_with_qr():
    data = load_diabetes()
    X = StandardScaler().fit_transform(data.X)
    model = LinearRegression(solver="gradient").fit(X, data.y)
    assert model.loss_history_.shape == (model.n_iter_ + 1,)
    assert model.loss_history_[0] == pytest.approx(data.y.var())
    assert (np.diff(model.loss_history_) <= 1e-9).all()
    assert model.loss_history_[-1] == pytest.approx(((data.y - model.predict(X)) ** 2).mean())
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, data.y).coef_, atol=1e-3)


def test_learning_rate_limit_is_two_over_the_largest_eigenvalue():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    limit = 2 / np.linalg.eigvalsh(2 / 40 * center(X)[0].T @ center(X)[0])[-1]
    LinearRegression(solver="gradient", learning_rate=0.99 * limit).fit(X, y)
    with pytest.raises(ValueError, match="diverges on these data; it must be below"):
        LinearRegression(solver="gradient", learning_rate=1.01 * limit).fit(X, y)


def test_gradient_descent_says_when_it_has_not_converged():
    data = load_diabetes()
    with pytest.warns(ConvergenceWarning, match="max_iter=50 steps; scale the columns"):
        LinearRegression(solver="gradient", max_iter=50).fit(data.X, data.y)


def test_direct_solvers_have_no_history_and_refitting_forgets():
    X, y = tiny_problem(0)
    model = LinearRegression(solver="gradient", max_iter=3).set_params(solver="qr").fit(X, y)
    assert model.n_iter_ == 1
    wide = np.column_stack([X, X])
    assert model.fit(wide, y).n_features_in_ == wide.shape[1]


@each_solver
def test_works_in_pipelines_searches_and_clones(solver):
    data = load_diabetes()
    model = LinearRegression(solver=solver, tol=1e-4)
    assert clone(model).get_params() == model.get_params()
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(), StandardScaler(), model)
    grid = {"polynomialfeatures__degree": [1], "linearregression__fit_intercept": [True, False]}
    search = GridSearchCV(pipeline, grid, cv=3)
    search.fit(data.X[:, :3], data.y)
    assert search.best_params_["linearregression__fit_intercept"] is True
    assert cross_val_score(pipeline.set_params(polynomialfeatures__degree=1), data.X, data.y).mean() > 0.4


def test_remembers_the_names_of_the_columns():
    table = load_diabetes().frame()
    model = LinearRegression().fit(table[["bmi", "bp"]], table["progression"])
    assert list(model.feature_names_in_) == ["bmi", "bp"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[["bp", "bmi"]])


def test_does_not_change_its_input():
    X, y = tiny_problem(0)
    before = X.copy(), y.copy()
    for solver in SOLVERS:
        LinearRegression(solver=solver).fit(X, y).predict(X)
    assert np.array_equal(X, before[0])
    assert np.array_equal(y, before[1])


X, Y = np.eye(3), np.arange(3.0)


@pytest.mark.parametrize(
    ("bad_X", "bad_y", "message"),
    [
        ([["a", "b"]], [1.0], "could not convert string to float"),
        (pd.DataFrame({"name": ["x", "y"]}), [1.0, 2.0], "could not convert string to float"),
        ([[np.nan, 1.0]], [1.0], "Input X contains NaN"),
        ([[np.inf, 1.0]], [1.0], "Input X contains infinity"),
        (X, [1.0, np.nan, 2.0], "Input y contains NaN"),
        (np.empty((0, 2)), np.empty(0), "0 sample"),
        (np.empty((3, 0)), Y, "0 feature"),
        (X[0], Y, "Expected 2D array, got 1D array instead"),
        (X, Y[:2], "inconsistent numbers of samples: \\[3, 2\\]"),
        (X, ["a", "b", "c"], "could not convert string to float"),
        (X * 1j, Y, "Complex data not supported"),
    ],
)
def test_bad_data_are_refused_in_clear_words(bad_X, bad_y, message):
    with pytest.raises(ValueError, match=message):
        LinearRegression().fit(bad_X, bad_y)


def test_wrong_number_of_features_says_both_numbers():
    with pytest.raises(ValueError, match="X has 2 features, but LinearRegression is expecting 3 features"):
        LinearRegression().fit(X, Y).predict(X[:, :2])


def test_predict_before_fit_is_refused():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        LinearRegression().predict(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "svd"}, "solver must be 'qr' or 'normal' or 'gradient'; got 'svd'"),
        ({"solver": None}, "solver must be"),
        ({"solver": "gradient", "learning_rate": 0}, "learning_rate must be a positive number or None; got 0"),
        ({"solver": "gradient", "learning_rate": "fast"}, "learning_rate must be a positive number or None"),
        ({"solver": "gradient", "max_iter": 1.5}, "max_iter must be a positive integer; got 1.5"),
        ({"solver": "gradient", "tol": -1}, "tol must be a positive number; got -1"),
        ({"solver": "gradient", "tol": float("nan")}, "tol must be a positive number; got nan"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with pytest.raises(ValueError, match=message):
        LinearRegression(**params).fit(X, Y)


@pytest.mark.parametrize(
    ("n", "d", "rows"), [(5, 3, 1000), (2, 4, 1000), (4000, 3, 1000), (4321, 5, 1000), (100, 30, 10)]
)
def test_triangle_in_blocks_equals_numpy_up_to_signs(n, d, rows):
    table = np.random.default_rng(0).normal(size=(n, d))
    np.testing.assert_allclose(
        abs(triangle(table[:, :-1], table[:, -1], rows)), abs(np.linalg.qr(table, mode="r")), atol=1e-10
    )


def test_center_is_exact_for_constant_columns():
    centered, mean = center(np.column_stack([np.full(1000, 0.1), np.arange(1000.0)]))
    assert (centered[:, 0] == 0).all()
    np.testing.assert_allclose(mean, [0.1, 499.5])


def test_solve_small_returns_the_shortest_solution():
    A = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(solve_small(A, np.array([5.0, 10.0]), (9, 2)), [1, 2])
