"""Gaussian mixtures and principal components equal scikit-learn's and the plain loop, and keep their invariances."""

import numpy as np
import pytest
import sklearn.decomposition
import sklearn.mixture
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical import PCA, GaussianMixture

seeds = st.integers(0, 10_000)
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def tiny_mixture(seed):
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(6, 50)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    X = rng.normal(size=(n, d)) + 3 * rng.integers(0, k, n)[:, None]
    if seed % 5 == 0:
        X = X.round()  # repeated rows
    return X, X[:k] + 0.01 * rng.normal(size=(k, d))


def reference_mixture(X, means, reg, **options):
    k = len(means)
    covariance = np.cov(X.T, bias=True).reshape(X.shape[1], -1) + reg * np.eye(X.shape[1])
    start = {"weights_init": np.full(k, 1 / k), "precisions_init": np.repeat(np.linalg.inv(covariance)[None], k, 0)}
    options = {"init_params": "random", "random_state": 0, "means_init": means} | start | options
    return sklearn.mixture.GaussianMixture(k, **options).fit(X)


@quiet
def test_mixtures_equal_scikit_learns_from_the_same_start_on_200_tiny_problems():
    for seed in range(200):
        X, means = tiny_mixture(seed)
        ours = GaussianMixture(len(means), means_init=means, reg_covar=1e-3, max_iter=20).fit(X)
        reference = reference_mixture(X, means, 1e-3, reg_covar=1e-3, max_iter=20)
        for name in ("weights_", "means_", "covariances_", "lower_bound_"):
            found, wanted = getattr(ours, name), getattr(reference, name)
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6, err_msg=f"seed {seed} {name}")
        np.testing.assert_allclose(ours.score_samples(X), reference.score_samples(X), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(ours.predict_proba(X), reference.predict_proba(X), atol=1e-6)
        assert (ours.n_iter_, ours.converged_) == (reference.n_iter_, reference.converged_)
        np.testing.assert_allclose(ours.bic(X), reference.bic(X), rtol=1e-4, atol=1e-2)
        np.testing.assert_allclose(ours.aic(X), reference.aic(X), rtol=1e-4, atol=1e-2)


def loop_turn(X, weights, means, covariances, reg):
    """The plain loop: one turn of expectation and maximization, row by row and component by component."""
    share = np.zeros((len(X), len(weights)))
    for i, x in enumerate(X):
        for j, (w, m, S) in enumerate(zip(weights, means, covariances, strict=True)):
            power = -0.5 * (x - m) @ np.linalg.solve(S, x - m)
            share[i, j] = w * np.exp(power) / np.sqrt(np.linalg.det(2 * np.pi * S))
        share[i] /= share[i].sum()
    size = share.sum(axis=0)
    means = np.array([sum(s * x for s, x in zip(share[:, j], X, strict=True)) / size[j] for j in range(len(size))])
    covariances = [
        sum(s * np.outer(x - m, x - m) for s, x in zip(share[:, j], X, strict=True)) / size[j] + reg * np.eye(len(m))
        for j, m in enumerate(means)
    ]
    return size / len(X), means, np.array(covariances)


@quiet
def test_two_turns_equal_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, means = tiny_mixture(seed)
        X = X[:12]
        covariance = np.cov(X.T, bias=True).reshape(X.shape[1], -1) + 0.1 * np.eye(X.shape[1])
        now = np.full(len(means), 1 / len(means)), means, np.repeat(covariance[None], len(means), 0)
        for _ in range(2):
            now = loop_turn(X, *now, 0.1)
        ours = GaussianMixture(len(means), means_init=means, reg_covar=0.1, tol=0, max_iter=2).fit(X)
        for name, wanted in zip(("weights_", "means_", "covariances_"), now, strict=True):
            np.testing.assert_allclose(getattr(ours, name), wanted, atol=1e-8, err_msg=f"seed {seed} {name}")


@quiet
@given(seeds)
def test_no_turn_lowers_the_likelihood(seed):
    X, means = tiny_mixture(seed)
    bounds = [
        GaussianMixture(len(means), means_init=means, reg_covar=0, tol=0, max_iter=turns).fit(X + 0).lower_bound_
        for turns in (1, 2, 3, 4)
        if len(np.unique(X, axis=0)) > 3 * X.shape[1] * len(means) and seed % 5
    ]
    assert (np.diff(bounds) > -1e-9).all()


@quiet
@given(seeds, st.sampled_from([0.5, 4.0]))
def test_mixtures_do_not_depend_on_row_order_repetition_or_origin(seed, factor):
    X, means = tiny_mixture(seed)
    options = {"n_components": len(means), "max_iter": 5, "tol": 0}
    first = GaussianMixture(means_init=means, reg_covar=1e-2, **options).fit(X)
    rows = np.random.default_rng(seed).permutation(np.tile(np.arange(len(X)), 2))
    moved = GaussianMixture(means_init=factor * means + 9, reg_covar=1e-2 * factor**2, **options).fit(
        factor * X[rows] + 9
    )
    np.testing.assert_allclose(factor * first.means_ + 9, moved.means_, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(factor**2 * first.covariances_, moved.covariances_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.weights_, moved.weights_, atol=1e-5)


def test_weights_are_learned_and_k_means_finds_a_good_start():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=900), rng.normal(size=100) + 9])[:, None]
    model = GaussianMixture(2, random_state=0).fit(X)
    assert sorted(model.weights_) == pytest.approx([0.1, 0.9], abs=0.01)
    reference = sklearn.mixture.GaussianMixture(2, random_state=0).fit(X)
    assert model.score(X) == pytest.approx(reference.score(X), abs=1e-4)


def test_a_collapsed_component_says_what_to_do():
    X = np.column_stack([np.arange(9.0), np.zeros(9)])
    with pytest.raises(ValueError, match=r"collapsed onto a point or a plane.*raise reg_covar"):
        GaussianMixture(2, reg_covar=0, random_state=0).fit(X)


def test_a_mixture_says_when_it_has_not_converged():
    X = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.warns(ConvergenceWarning, match="not converged after max_iter=1 turns"):
        GaussianMixture(3, max_iter=1, random_state=0).fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "n_components must be an integer of at least 1"),
        ({"n_components": 9}, "n_samples=4 must be at least n_components=9"),
        (
            {"n_components": 2, "means_init": np.zeros((3, 4))},
            r"means_init must be finite, of shape \(n_components 2, features 4\)",
        ),
        ({"reg_covar": -1}, "reg_covar must be a number from 0"),
    ],
)
def test_bad_parameters_of_mixtures_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**params).fit(np.eye(4))


# ---- principal components


def tiny_table(seed):
    """Tall and wide tables, with dependent columns, constant columns and values far from zero."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 20)), int(rng.integers(1, 8))
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d)
    if seed % 4 == 0:
        X[:, -1] = X[:, 0]
    if seed % 5 == 0:
        X[:, 0] = 3
    return X + (100 if seed % 7 == 0 else 0)


def test_components_equal_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        X = tiny_table(seed)
        if np.ptp(X, axis=0).max() == 0:  # scikit-learn divides zero by zero; ours says 0
            assert (PCA().fit(X).explained_variance_ratio_ == 0).all()
            continue
        k = int(np.random.default_rng(seed).integers(1, min(X.shape) + 1))
        ours, reference = PCA(k).fit(X), sklearn.decomposition.PCA(k, svd_solver="full").fit(X)
        scale = 1 + reference.explained_variance_[0]
        np.testing.assert_allclose(
            ours.explained_variance_, reference.explained_variance_, atol=1e-9 * scale, err_msg=f"seed {seed}"
        )
        np.testing.assert_allclose(ours.explained_variance_ratio_, reference.explained_variance_ratio_, atol=1e-9)
        np.testing.assert_allclose(ours.singular_values_, reference.singular_values_, atol=1e-5 * scale)
        np.testing.assert_allclose(ours.mean_, reference.mean_)
        clear = reference.explained_variance_ > 1e-6 * scale  # directions without variance are free to turn
        np.testing.assert_allclose(ours.components_[clear], reference.components_[clear], atol=1e-6)
        np.testing.assert_allclose(ours.transform(X)[:, clear], reference.transform(X)[:, clear], atol=1e-6 * scale)
        back = ours.inverse_transform(ours.transform(X))
        np.testing.assert_allclose(back, reference.inverse_transform(reference.transform(X)), atol=1e-6 * scale)


def test_a_share_of_the_variance_and_whitening_equal_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        X, share = tiny_table(seed), float(np.random.default_rng(seed).uniform(0.2, 0.99))
        if np.ptp(X, axis=0).max() == 0:
            continue
        reference = sklearn.decomposition.PCA(share, whiten=True, svd_solver="full").fit(X)
        ours = PCA(share, whiten=True).fit(X)
        assert ours.n_components_ == reference.n_components_, seed
        np.testing.assert_allclose(ours.transform(X), reference.transform(X), atol=1e-5)
        np.testing.assert_allclose(
            ours.inverse_transform(ours.transform(X)), reference.inverse_transform(reference.transform(X)), atol=1e-6
        )


def loop_first_direction(X):
    """The plain loop: turn a direction towards where the rows vary, again and again (power iteration)."""
    A = X - X.mean(axis=0)
    direction = np.ones(X.shape[1]) / X.shape[1] ** 0.5 + 0.01 * np.arange(X.shape[1])
    for _ in range(300):
        direction = sum(row * (row @ direction) for row in A)
        direction /= np.linalg.norm(direction)
    return direction * np.sign(direction[abs(direction).argmax()])


def test_the_first_direction_equals_the_plain_loop():
    for seed in range(12):
        X = np.random.default_rng(seed).normal(size=(8, 3)) * [3, 1, 0.5]
        np.testing.assert_allclose(PCA(1).fit(X).components_[0], loop_first_direction(X), atol=1e-6)


@given(seeds, st.sampled_from([0.5, 8.0]))
def test_components_do_not_depend_on_row_order_unit_or_origin(seed, factor):
    X = tiny_table(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = PCA(1).fit(X), PCA(1).fit(factor * X[order] + 5)
    np.testing.assert_allclose(factor**2 * first.explained_variance_, second.explained_variance_, rtol=1e-7, atol=1e-9)
    variance = PCA().fit(X).explained_variance_
    if len(variance) == 1 or variance[1] < 0.9 * variance[0]:
        np.testing.assert_allclose(abs(first.components_), abs(second.components_), atol=1e-5)


@given(seeds)
def test_repeated_rows_leave_the_directions(seed):
    X = tiny_table(seed)
    np.testing.assert_allclose(
        PCA().fit(X).explained_variance_ratio_[:1],
        PCA().fit(np.repeat(X, 2, axis=0)).explained_variance_ratio_[:1],
        atol=1e-9,
    )


@pytest.mark.parametrize("wanted", [0, 5, 1.0, -0.5, "mle", True])
def test_bad_numbers_of_components_are_refused(wanted):
    with pytest.raises(ValueError, match=r"n_components must be an integer from 1 to min\(n, d\) = 4, a share"):
        PCA(wanted).fit(np.eye(4))
