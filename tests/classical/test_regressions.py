"""Logistic regression, ridge and lasso equal scikit-learn's and the plain loop, and keep their invariances."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical import Lasso, LogisticRegression, Ridge, logistic

seeds = st.integers(0, 10_000)


def tiny(seed):
    """Tall and wide tables, dependent and constant columns, repeated rows, two to four classes, some of them separable."""
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(4, 25)), int(rng.integers(1, 6)), int(rng.integers(2, 5))
    X, codes = rng.normal(size=(n, d)), np.arange(n) % k
    if seed % 3 == 0:
        X[:, 0] += 2 * codes
    if seed % 4 == 0:
        X[:, -1] = X[:, 0]
    if seed % 5 == 0:
        X[n // 2 :] = X[: n - n // 2]
    if seed % 7 == 0:
        X[:, 0] = 1
    return X, codes, X @ rng.normal(size=d) + rng.normal(size=n)


def loop_logistic(X, y, C, steps=3000):
    """The plain loop: gradient descent on the loss of two classes."""
    w, b = np.zeros(X.shape[1]), 0.0
    size = 1 / (1 + C * (1 + (X**2).sum(axis=1)).sum() / 4)
    for _ in range(steps):
        slope_w, slope_b = w.copy(), 0.0
        for x, t in zip(X, y, strict=True):
            p = 1 / (1 + np.exp(-(w @ x + b)))
            slope_w, slope_b = slope_w + C * (p - t) * x, slope_b + C * (p - t)
        w, b = w - size * slope_w, b - size * slope_b
    return w, b


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_logistic_regression_equals_scikit_learn_on_200_tiny_problems(fit_intercept):
    for seed in range(200):
        X, y, _ = tiny(seed)
        options = {"C": [0.1, 1.0, 10.0][seed % 3], "fit_intercept": fit_intercept}
        ours = LogisticRegression(tol=1e-10, **options).fit(X, y)
        reference = sklearn.linear_model.LogisticRegression(tol=1e-10, max_iter=20_000, **options).fit(X, y)
        np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-4, err_msg=f"seed {seed}")
        np.testing.assert_allclose(ours.predict_proba(X), reference.predict_proba(X), atol=1e-4, err_msg=f"seed {seed}")
        if len(ours.classes_) == 2 and not (seed % 7 == 0 and not fit_intercept):
            np.testing.assert_allclose(ours.intercept_, reference.intercept_, atol=1e-3)


def test_logistic_regression_equals_the_plain_loop():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(8, 2)), np.arange(8) % 2
        w, b = loop_logistic(X, y, 0.5)
        model = LogisticRegression(C=0.5).fit(X, y)
        np.testing.assert_allclose(model.coef_[0], w, atol=1e-4)
        np.testing.assert_allclose(model.intercept_, b, atol=1e-4)


def test_conjugate_gradients_lead_where_the_solved_hessian_leads_on_200_tiny_problems(monkeypatch):
    for seed in range(200):
        X, y, _ = tiny(seed)
        direct = LogisticRegression().fit(X, y).predict_proba(X)
        with monkeypatch.context() as patch:
            patch.setattr(logistic, "DIRECT", 0)
            np.testing.assert_allclose(
                LogisticRegression().fit(X, y).predict_proba(X), direct, atol=1e-6, err_msg=f"seed {seed}"
            )


def test_the_slope_of_the_loss_is_zero_on_200_tiny_problems():
    for seed in range(200):
        X, y, _ = tiny(seed)
        model = LogisticRegression(C=2.0).fit(X, y)
        P = model.predict_proba(X)
        wrong = P - (y[:, None] == model.classes_)
        slope = (wrong[:, 1:].T if P.shape[1] == 2 else wrong.T) @ X * 2 + model.coef_
        assert abs(slope).max() < 1e-5, seed
        assert abs(wrong.sum(axis=0)).max() < 1e-5


@given(seeds)
def test_logistic_regression_does_not_depend_on_row_order_and_repetition_is_a_larger_c(seed):
    X, y, _ = tiny(seed)
    rows = np.random.default_rng(seed).permutation(np.tile(np.arange(len(X)), 2))
    first, second = LogisticRegression(C=2.0).fit(X, y), LogisticRegression(C=1.0).fit(X[rows], y[rows])
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X), atol=1e-6)


@given(seeds, st.sampled_from([0.5, 4.0]))
def test_units_can_be_made_good_by_c(seed, factor):
    X, y, _ = tiny(seed)
    first, second = LogisticRegression(C=1.0).fit(X, y), LogisticRegression(C=factor**-2).fit(factor * X, y)
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(factor * X), atol=1e-6)


def test_separable_classes_and_a_weak_penalty_converge():
    X = np.linspace(-3, 3, 20)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression(C=1e6).fit(X, X[:, 0] > 0)
    assert model.score(X, X[:, 0] > 0) == 1
    assert np.isfinite(model.coef_).all()


def test_logistic_regression_says_when_it_has_not_converged():
    X, y, _ = tiny(1)
    with pytest.warns(ConvergenceWarning, match="not converged after max_iter=1 steps"):
        LogisticRegression(max_iter=1).fit(X, y)


def test_one_class_is_refused_with_the_usual_cause():
    with pytest.raises(ValueError, match=r"needs samples of at least 2 classes.*sorted by class before it was split"):
        LogisticRegression().fit(np.eye(3), [1, 1, 1])


# ---- ridge and lasso


def loop_ridge(X, y, alpha, steps=4000):
    """The plain loop: gradient descent on the centered data."""
    X, y, w = X - X.mean(axis=0), y - y.mean(), np.zeros(X.shape[1])
    size = 1 / (alpha + (X**2).sum())
    for _ in range(steps):
        w = w - size * (sum((w @ x - t) * x for x, t in zip(X, y, strict=True)) + alpha * w)
    return w


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_equals_scikit_learn_on_200_tiny_problems(fit_intercept):
    for seed in range(200):
        X, _, y = tiny(seed)
        options = {"alpha": [0.01, 1.0, 30.0][seed % 3], "fit_intercept": fit_intercept}
        ours, reference = Ridge(**options).fit(X, y), sklearn.linear_model.Ridge(**options).fit(X, y)
        np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-8, err_msg=f"seed {seed}")
        np.testing.assert_allclose(ours.intercept_, reference.intercept_, atol=1e-8)


def test_ridge_equals_the_plain_loop():
    for seed in (1, 2, 11):
        X, _, y = tiny(seed)
        np.testing.assert_allclose(Ridge(2.0).fit(X, y).coef_, loop_ridge(X, y, 2.0), atol=1e-6)


def test_ridge_without_a_price_is_least_squares():
    X, _, y = tiny(4)
    np.testing.assert_allclose(
        Ridge(0).fit(X, y).coef_, sklearn.linear_model.LinearRegression().fit(X, y).coef_, atol=1e-8
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_lasso_equals_scikit_learn_on_200_tiny_problems(fit_intercept):
    for seed in range(200):
        X, _, y = tiny(seed)
        options = {
            "alpha": [0.01, 0.1, 1.0][seed % 3],
            "fit_intercept": fit_intercept,
            "max_iter": 100_000,
            "tol": 1e-12,
        }
        ours, reference = Lasso(**options).fit(X, y), sklearn.linear_model.Lasso(**options).fit(X, y)
        np.testing.assert_allclose(ours.predict(X), reference.predict(X), atol=1e-5, err_msg=f"seed {seed}")
        if seed % 4:  # without a repeated column the coefficients are determined
            np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-5, err_msg=f"seed {seed}")
            np.testing.assert_array_equal(abs(ours.coef_) > 1e-5, abs(reference.coef_) > 1e-5)


def loop_lasso(X, y, alpha, rounds=400):
    """The plain loop: set one coefficient after the other to its best value."""
    X, y, w = X - X.mean(axis=0), y - y.mean(), np.zeros(X.shape[1])
    for _ in range(rounds):
        for j in range(len(w)):
            pull = X[:, j] @ (y - X @ w + X[:, j] * w[j])
            w[j] = np.sign(pull) * max(abs(pull) - alpha * len(y), 0) / ((X[:, j] ** 2).sum() or 1)
    return w


def test_lasso_equals_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, _, y = tiny(seed)
        found = Lasso(0.1, tol=1e-14, max_iter=100_000).fit(X, y)
        w = loop_lasso(X, y, 0.1, 100)
        np.testing.assert_allclose(
            found.predict(X) - y.mean(), (X - X.mean(axis=0)) @ w, atol=1e-2, err_msg=f"seed {seed}"
        )


@pytest.mark.parametrize("model", [Ridge(0.5), Lasso(0.05, tol=1e-12, max_iter=100_000)], ids=str)
@given(seeds)
def test_row_order_and_origin_do_not_matter(model, seed):
    X, _, y = tiny(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = model.fit(X, y).predict(X), model.fit(X[order] + 5, y[order] + 7).predict(X + 5)
    np.testing.assert_allclose(first + 7, second, atol=1e-5)


@given(seeds)
def test_repeating_every_row_doubles_the_price_of_ridge_and_leaves_lasso(seed):
    X, _, y = tiny(seed)
    X2, y2 = np.repeat(X, 2, axis=0), np.repeat(y, 2)
    np.testing.assert_allclose(Ridge(0.5).fit(X, y).predict(X), Ridge(1.0).fit(X2, y2).predict(X), atol=1e-7)
    lasso = Lasso(0.05, tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(lasso.fit(X, y).predict(X), lasso.fit(X2, y2).predict(X), atol=1e-5)


def test_lasso_knows_how_far_it_is_from_the_best():
    X, _, y = tiny(2)
    rough, fine = Lasso(0.01, tol=1e-2).fit(X, y), Lasso(0.01, tol=1e-13, max_iter=100_000).fit(X, y)

    def loss(model):
        return ((y - model.predict(X)) ** 2).mean() / 2 + 0.01 * abs(model.coef_).sum()

    assert -1e-12 <= loss(rough) - loss(fine) <= rough.dual_gap_ + 1e-12


def test_lasso_says_when_it_has_not_converged():
    X, _, y = tiny(2)
    with pytest.warns(ConvergenceWarning, match="not converged after max_iter=1 rounds"):
        Lasso(1e-6, max_iter=1, tol=1e-14).fit(X, y)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LogisticRegression(C=0), "C must be a positive number; got 0"),
        (LogisticRegression(max_iter=0), "max_iter must be an integer of at least 1"),
        (Ridge(alpha=-1), "alpha must be a number from 0 to inf; got -1"),
        (Lasso(tol="x"), "tol must be a number from 0"),
    ],
)
def test_bad_parameters_are_refused_at_fit(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(np.eye(2), [0, 1])
