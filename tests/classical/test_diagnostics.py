"""Diagnostics equal statsmodels'."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

from mlcourse.classical import LinearRegression
from mlcourse.classical.diagnostics import cooks_distance, leverage, standard_errors, variance_inflation
from mlcourse.data import load_diabetes
from mlcourse.shapes import ShapeError


def problem(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 6))
    n = d + 2 + int(rng.integers(0, 20))
    return rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4, d), rng.normal(size=n)


diabetes = load_diabetes()
each_problem = pytest.mark.parametrize(("X", "y"), [*(problem(seed) for seed in range(25)), (diabetes.X, diabetes.y)])


@each_problem
def test_equal_statsmodels(X, y):
    fit = sm.OLS(y, sm.add_constant(X)).fit()
    influence = fit.get_influence()
    np.testing.assert_allclose(leverage(X), influence.hat_matrix_diag, rtol=1e-7)
    np.testing.assert_allclose(cooks_distance(X, y), influence.cooks_distance[0], rtol=1e-5)
    np.testing.assert_allclose(standard_errors(X, y), fit.bse, rtol=1e-6)
    expected = [variance_inflation_factor(sm.add_constant(X), j + 1) for j in range(X.shape[1])]
    np.testing.assert_allclose(variance_inflation(X), expected, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_leave_one_out_residual_needs_no_second_fit(seed):
    X, y = problem(seed)
    for i in range(len(y)):
        keep = np.arange(len(y)) != i
        left_out = y[i] - LinearRegression().fit(X[keep], y[keep]).predict(X[[i]])[0]
        residual = y[i] - LinearRegression().fit(X, y).predict(X[[i]])[0]
        if np.linalg.matrix_rank(X[keep] - X[keep].mean(axis=0)) == X.shape[1]:
            assert left_out == pytest.approx(residual / (1 - leverage(X)[i]), rel=1e-6, abs=1e-8)


def test_leverages_sum_to_the_number_of_parameters():
    assert leverage(diabetes.X).sum() == pytest.approx(11)


def test_a_row_that_alone_determines_a_coefficient_has_infinite_influence():
    X = np.column_stack([np.eye(6)[:, 0], np.arange(6.0)])
    assert np.isinf(cooks_distance(X, np.arange(6.0) ** 2)[0])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((9, 1)), np.arange(9.0), "linearly independent"),
        (np.ones((3, 2)) * np.arange(3)[:, None], np.arange(3.0), "linearly independent"),
        (np.eye(3)[:, :2], np.arange(3.0), "more rows than parameters"),
        ([["a"], ["b"]], [1, 2], "real numbers"),
        ([[1.0], [np.nan], [2.0]], [1, 2, 3], "NaN"),
        (np.arange(5.0), np.arange(5.0), "1 axis|expected 2 axes"),
    ],
)
@pytest.mark.parametrize("function", [cooks_distance, standard_errors])
def test_bad_input_is_refused(function, X, y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        function(X, y)


def test_rows_of_X_and_y_must_match():
    with pytest.raises(ShapeError, match="cannot take y of shape"):
        standard_errors(diabetes.X, diabetes.y[:-1])
