"""Nearest neighbors and naive Bayes equal scikit-learn's and the plain loop, and keep their invariances."""

import numpy as np
import pytest
import sklearn.naive_bayes
import sklearn.neighbors
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.classical import GaussianNB, KNeighborsClassifier, KNeighborsRegressor, MultinomialNB
from mlcourse.classical.neighbors import nearest_rows

seeds = st.integers(0, 10_000)


def tiny(seed):
    """Some tables have repeated rows, constant columns, or values far from zero."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(5, 40)), int(rng.integers(1, 5))
    X, y = rng.normal(size=(n, d)), rng.integers(0, 3, n)
    y[:3] = 0, 1, 2
    if seed % 5 == 0:
        X[n // 2 :] = X[: n - n // 2]
    if seed % 7 == 0 and d > 1:
        X[:, 0] = 2
    return X + (100 if seed % 11 == 0 else 0), y, rng.normal(size=(15, d)) + (100 if seed % 11 == 0 else 0)


# ---- nearest neighbors


def loop_neighbors(X, y, probe, k):
    """The plain loop: sort all known rows by distance, count the classes of the first k."""
    said = []
    for row in probe:
        near = sorted(range(len(X)), key=lambda i: ((X[i] - row) ** 2).sum())[:k]
        said.append(max(set(y), key=lambda c: (sum(y[i] == c for i in near), -c)))
    return np.array(said)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbors_equal_scikit_learns_on_200_tiny_problems(weights):
    for seed in range(200):
        X, y, probe = tiny(seed)
        if seed % 5 == 0:  # repeated rows: either may be the last neighbor, so that only distances are determined
            X, y = X[: len(X) // 2], y[: len(X) // 2]
        k = int(np.random.default_rng(seed).integers(1, len(X)))
        options = {"n_neighbors": k, "weights": weights}
        ours = KNeighborsClassifier(**options).fit(X, y)
        reference = sklearn.neighbors.KNeighborsClassifier(**options, algorithm="brute").fit(X, y)
        for mine, theirs in zip(ours.kneighbors(probe), reference.kneighbors(probe), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-6, err_msg=f"seed {seed}")
        np.testing.assert_allclose(ours.predict_proba(probe), reference.predict_proba(probe), atol=1e-6)
        if weights == "uniform":
            np.testing.assert_array_equal(ours.predict(probe), reference.predict(probe))
        regressor = KNeighborsRegressor(**options).fit(X, X[:, 0])
        wanted = sklearn.neighbors.KNeighborsRegressor(**options, algorithm="brute").fit(X, X[:, 0])
        np.testing.assert_allclose(regressor.predict(probe), wanted.predict(probe), atol=1e-6)
        np.testing.assert_allclose(ours.kneighbors()[0], reference.kneighbors()[0], atol=1e-5)


def test_neighbors_equal_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, y, probe = tiny(seed)
        k = 1 + seed % 4 if seed % 5 else 1
        if k == 1 and seed % 5 == 0:
            y[len(X) // 2 :] = y[: len(X) - len(X) // 2]
        np.testing.assert_array_equal(
            KNeighborsClassifier(k).fit(X, y).predict(probe), loop_neighbors(X, y, probe, k), f"seed {seed}"
        )


def test_where_rows_tie_the_distances_equal_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 4, (30, 2)).astype(float)
        reference = sklearn.neighbors.NearestNeighbors(n_neighbors=6, algorithm="brute").fit(X).kneighbors(X)[0]
        np.testing.assert_allclose(nearest_rows(X, X, 6)[0], reference, atol=1e-7)


def test_a_known_row_decides_alone_when_distances_weigh():
    model = KNeighborsClassifier(3, weights="distance").fit([[0.0], [0.1], [0.2]], [0, 1, 1])
    assert model.predict_proba([[0.0]]).tolist() == [[1, 0]]


@given(seeds, st.sampled_from([0.25, 8.0]))
def test_neighbors_do_not_depend_on_row_order_unit_or_origin(seed, factor):
    X, _, probe = tiny(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = nearest_rows(probe, X, 3)[0], nearest_rows(factor * probe + 1, factor * X[order] + 1, 3)[0]
    np.testing.assert_allclose(factor * first, second, atol=1e-9)


@given(seeds)
def test_repeating_every_row_is_asking_half_as_many(seed):
    X, y, probe = tiny(seed)
    if seed % 5:
        first = KNeighborsClassifier(2).fit(X, y).predict_proba(probe)
        second = KNeighborsClassifier(4).fit(np.repeat(X, 2, axis=0), np.repeat(y, 2)).predict_proba(probe)
        np.testing.assert_allclose(first, second)


def test_more_neighbors_than_rows_are_refused():
    with pytest.raises(ValueError, match=r"n_neighbors = 5, n_samples_fit = 3.*ask for fewer"):
        KNeighborsClassifier().fit(np.eye(3), [0, 1, 2]).predict(np.eye(3))


# ---- naive Bayes


def loop_gaussian(X, y, probe):
    """The plain loop: for each class multiply the densities of all features."""
    said = []
    for row in probe:
        scores = []
        for c in range(3):
            mine, p = X[y == c], (y == c).mean()
            for j, value in enumerate(row):
                variance = mine[:, j].var() + 1e-3 * X.var(axis=0).max()
                p *= np.exp(-((value - mine[:, j].mean()) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
            scores.append(p)
        said.append(np.array(scores) / sum(scores))
    return np.array(said)


def test_gaussian_naive_bayes_equals_scikit_learn_on_200_tiny_problems():
    for seed in range(200):
        X, y, probe = tiny(seed)
        ours, reference = GaussianNB().fit(X, y), sklearn.naive_bayes.GaussianNB().fit(X, y)
        np.testing.assert_allclose(ours.theta_, reference.theta_)
        np.testing.assert_allclose(ours.var_, reference.var_, rtol=1e-6, atol=1e-12, err_msg=f"seed {seed}")
        wanted = reference.predict_log_proba(probe)
        np.testing.assert_allclose(
            ours.predict_log_proba(probe), wanted, rtol=1e-5, atol=1e-5 * (1 + abs(wanted).max())
        )
        np.testing.assert_allclose(ours.class_prior_, reference.class_prior_)


def test_gaussian_naive_bayes_equals_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, y, _ = tiny(seed)
        found = GaussianNB(var_smoothing=1e-3).fit(X, y).predict_proba(X[:4])
        np.testing.assert_allclose(found, loop_gaussian(X, y, X[:4]), atol=1e-6, err_msg=f"seed {seed}")


@given(seeds, st.sampled_from([0.25, 8.0]))
def test_gaussian_naive_bayes_does_not_depend_on_row_order_repetition_unit_or_origin(seed, factor):
    X, y, probe = tiny(seed)
    rows = np.random.default_rng(seed).permutation(np.tile(np.arange(len(X)), 2))
    first, second = GaussianNB(1e-3).fit(X, y), GaussianNB(1e-3).fit(factor * X[rows] + 3, y[rows])
    np.testing.assert_allclose(first.predict_proba(probe), second.predict_proba(factor * probe + 3), atol=1e-7)


def test_without_smoothing_a_constant_feature_is_refused():
    with pytest.raises(ValueError, match="infinite density there; drop constant features or raise var_smoothing"):
        GaussianNB(var_smoothing=0).fit([[0.0, 1], [0, 2], [0, 3]], [0, 0, 1])


def loop_multinomial(X, y, alpha):
    """The plain loop: count the words of each class."""
    table = []
    for c in sorted(set(y)):
        counts = [alpha + sum(X[i, j] for i in range(len(X)) if y[i] == c) for j in range(X.shape[1])]
        table.append([np.log(count / sum(counts)) for count in counts])
    return np.array(table)


@pytest.mark.parametrize("fit_prior", [True, False])
def test_multinomial_naive_bayes_equals_scikit_learn_and_the_plain_loop_on_200_tiny_problems(fit_prior):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(0, 5, (int(rng.integers(1, 20)), int(rng.integers(1, 6)))), None
        y = rng.integers(0, 3, len(X))
        alpha = float(rng.choice([0.01, 1.0, 3.0]))
        ours = MultinomialNB(alpha, fit_prior=fit_prior).fit(X, y)
        reference = sklearn.naive_bayes.MultinomialNB(alpha=alpha, fit_prior=fit_prior).fit(X, y)
        np.testing.assert_allclose(
            ours.feature_log_prob_, reference.feature_log_prob_, atol=1e-12, err_msg=f"seed {seed}"
        )
        np.testing.assert_allclose(ours.feature_log_prob_, loop_multinomial(X, y, alpha), atol=1e-12)
        np.testing.assert_allclose(ours.predict_log_proba(X), reference.predict_log_proba(X), atol=1e-9)


@given(seeds)
def test_multinomial_naive_bayes_does_not_depend_on_row_order(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 5, (12, 4)), np.arange(12) % 3
    order = rng.permutation(12)
    first, second = MultinomialNB().fit(X, y), MultinomialNB().fit(X[order], y[order])
    np.testing.assert_allclose(first.feature_log_prob_, second.feature_log_prob_)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="Negative values in data passed to MultinomialNB"):
        MultinomialNB().fit([[-1, 2], [1, 0]], [0, 1])
