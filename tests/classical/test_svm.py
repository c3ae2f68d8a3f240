"""Support vector machines reach scikit-learn's optimum and keep their invariances; the plain loop is in `test_svm_lessons`."""

import warnings

import numpy as np
import pytest
import sklearn.svm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical import SVC, SVR, svm
from mlcourse.classical.svm import KernelRows

seeds = st.integers(0, 10_000)
KERNELS = (
    {"kernel": "rbf", "gamma": 0.5},
    {"kernel": "rbf"},
    {"kernel": "linear"},
    {"kernel": "poly", "degree": 2, "coef0": 1.0},
)
each_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=str)


def tiny(seed, classes=2):
    """Some tables have repeated rows, with the same class or another; some lie on a grid; some classes overlap wholly."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2 * classes, 25)), int(rng.integers(1, 5))
    y = np.arange(n) % classes
    X = rng.normal(size=(n, d)) + (seed % 3) * y[:, None]
    if seed % 4 == 0:
        X = X.round()
    if seed % 5 == 0:
        X[n // 2 :] = X[: n - n // 2]
    return X, y, float(rng.choice([0.1, 1.0, 10.0]))


def dual_objective(model, X, sign):
    """Of a classifier for two classes; the smaller, the better."""
    coef = np.zeros(len(X))
    coef[model.support_] = model.dual_coef_[0]
    K = SVC(kernel=model.kernel, gamma=model.gamma, degree=model.degree, coef0=model.coef0)
    K._start(X)
    return 0.5 * coef @ K._kernel(X, X) @ coef - (sign * coef).sum()


@each_kernel
def test_the_classifier_reaches_scikit_learns_optimum_on_200_tiny_problems(kernel):
    for seed in range(200):
        X, y, C = tiny(seed)
        ours = SVC(C=C, tol=1e-7, **kernel).fit(X, y)
        reference = sklearn.svm.SVC(C=C, tol=1e-7, **kernel).fit(X, y)
        found, wanted = (dual_objective(model, X, 2 * y - 1) for model in (ours, reference))
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-8), seed
        np.testing.assert_allclose(
            ours.decision_function(X), reference.decision_function(X), atol=1e-4, rtol=1e-4, err_msg=f"seed {seed}"
        )
        np.testing.assert_allclose(ours.intercept_, reference.intercept_, atol=1e-4, rtol=1e-4)
        coef = ours.dual_coef_[0]
        assert abs(coef.sum()) < 1e-9 * (1 + abs(coef).sum())
        assert (abs(coef) <= C * (1 + 1e-12)).all()


def test_several_classes_vote_as_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        X, y, C = tiny(seed, classes=int(3 + seed % 2))
        probe = X + 0.123  # away from ties
        ours, reference = SVC(C=C, tol=1e-6).fit(X, y), sklearn.svm.SVC(C=C, tol=1e-6).fit(X, y)
        raw = sklearn.svm.SVC(C=C, tol=1e-6, decision_function_shape="ovo").fit(X, y).decision_function(probe)
        sure = (abs(raw) > 1e-3).all(axis=1)
        np.testing.assert_array_equal(ours.predict(probe)[sure], reference.predict(probe)[sure], err_msg=f"seed {seed}")
        np.testing.assert_allclose(
            ours.decision_function(probe)[sure], reference.decision_function(probe)[sure], atol=1e-3
        )


def primal_objective(model, X, y):
    """Of a regression; the smaller, the better."""
    K = SVR(kernel=model.kernel, gamma=model.gamma, degree=model.degree, coef0=model.coef0)
    K._start(X)
    coef = model.dual_coef_[0]
    norm = coef @ K._kernel(X[model.support_], X[model.support_]) @ coef
    return norm / 2 + model.C * np.maximum(abs(y - model.predict(X)) - model.epsilon, 0).sum()


@each_kernel
def test_regression_equals_scikit_learns_on_200_tiny_problems(kernel):
    """Where every coefficient is at its bound, a whole interval of intercepts is optimal: then the optimum has to be equal."""
    unique = 0
    for seed in range(200):
        X, y, C = tiny(seed)
        y = y + np.random.default_rng(seed).normal(size=len(y))
        options = {"C": C, "epsilon": [0.0, 0.1, 0.5][seed % 3], "tol": 1e-6, **kernel}
        ours, reference = SVR(**options).fit(X, y), sklearn.svm.SVR(**options).fit(X, y)
        found, wanted = primal_objective(ours, X, y), primal_objective(reference, X, y)
        assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6 * C * len(X)), seed
        shift = ours.intercept_ - reference.intercept_
        if (abs(ours.dual_coef_) < 0.999 * C).any():
            unique += 1
            np.testing.assert_allclose(shift, 0, atol=1e-4 * max(1, abs(ours.intercept_[0])), err_msg=f"seed {seed}")
        np.testing.assert_allclose(
            ours.predict(X) - shift, reference.predict(X), atol=1e-4, rtol=1e-4, err_msg=f"seed {seed}"
        )
        assert abs(ours.dual_coef_.sum()) < 1e-8 * C * len(X)
    assert unique > 150


def test_optimality_conditions_hold_on_200_tiny_problems():
    for seed in range(200):
        X, y, C = tiny(seed)
        model = SVC(C=C, tol=1e-6).fit(X, y)
        margin, size = model.decision_function(X) * (2 * y - 1), np.zeros(len(X))
        size[model.support_] = abs(model.dual_coef_[0])
        slack = 1e-4
        assert (margin[size == 0] >= 1 - slack).all()
        assert (margin[size == C] <= 1 + slack).all()
        np.testing.assert_allclose(margin[(size > 0) & (size < C)], 1, atol=slack)


@given(seeds)
def test_the_order_of_rows_does_not_matter(seed):
    X, y, C = tiny(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    first, second = SVC(C=C, tol=1e-8).fit(X, y), SVC(C=C, tol=1e-8).fit(X[order], y[order])
    np.testing.assert_allclose(first.decision_function(X), second.decision_function(X), atol=1e-4)


@given(seeds, st.sampled_from([0.25, 4.0]))
def test_the_unit_and_the_origin_do_not_matter_to_the_default_kernel(seed, factor):
    X, y, C = tiny(seed)
    first, second = SVC(C=C, tol=1e-8).fit(X, y), SVC(C=C, tol=1e-8).fit(factor * X, y)
    np.testing.assert_allclose(first.decision_function(X), second.decision_function(factor * X), atol=1e-4)


@given(seeds)
def test_repeating_every_row_is_doubling_the_price(seed):
    X, y, C = tiny(seed)
    first = SVC(C=2 * C, gamma=0.7, tol=1e-8).fit(X, y)
    second = SVC(C=C, gamma=0.7, tol=1e-8).fit(np.repeat(X, 2, axis=0), np.repeat(y, 2))
    np.testing.assert_allclose(first.decision_function(X), second.decision_function(X), atol=1e-4)


@pytest.mark.parametrize("model", [SVC(), SVR()], ids=str)
def test_a_kernel_matrix_too_large_to_keep_gives_the_same_machine(model, monkeypatch):
    X, y, _ = tiny(2)
    whole = model.fit(X, y).predict(X)
    monkeypatch.setattr(svm, "WHOLE", 3 * len(X))
    rows = KernelRows(lambda A: A @ X.T, X)
    assert rows.whole is None
    np.testing.assert_allclose([rows[i] for i in range(len(X))], X @ X.T)
    assert len(rows.known) <= 3
    np.testing.assert_allclose(whole, model.fit(X, y).predict(X))


def test_the_weights_of_features_exist_for_the_linear_kernel_alone():
    X, y, _ = tiny(4)
    reference = sklearn.svm.SVC(kernel="linear", tol=1e-7).fit(X, y)
    np.testing.assert_allclose(SVC(kernel="linear", tol=1e-7).fit(X, y).coef_, reference.coef_, atol=1e-4)
    with pytest.raises(AttributeError, match="only with kernel='linear'; the kernel is 'rbf'"):
        _ = SVC().fit(X, y).coef_


def test_it_says_when_it_stopped_early():
    X, y, _ = tiny(2)
    with pytest.warns(ConvergenceWarning, match="stopped after 1 steps, before tol=0.001 was reached"):
        SVC(max_iter=1).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"C": 0}, "C must be a positive number; got 0"),
        ({"kernel": "cubic"}, "kernel must be 'linear' or 'poly'"),
        ({"gamma": "large"}, "gamma must be 'scale' or 'auto'"),
        ({"gamma": -1.0}, "gamma must be a positive number"),
        ({"degree": 1.5}, "degree must be an integer of at least 0"),
        ({"tol": 0}, "tol must be a positive number"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        SVC(**params).fit(np.eye(2), [0, 1])
