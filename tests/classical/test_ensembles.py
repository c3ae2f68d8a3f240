"""Forests: the trees they are made of are scikit-learn's, their samples are drawn with replacement, their scores are as good."""

import numpy as np
import pytest
import sklearn.ensemble
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.classical import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    ensembles,
)
from tests.classical.test_trees import tiny_classes, tiny_numbers

PAIRS = [
    (RandomForestClassifier, DecisionTreeClassifier, tiny_classes),
    (RandomForestRegressor, DecisionTreeRegressor, tiny_numbers),
]


def said(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.parametrize(("forest", "tree", "tiny"), PAIRS)
def test_without_chance_every_tree_is_the_decision_tree_on_200_tiny_problems(forest, tree, tiny):
    for seed in range(200):
        X, y = tiny(seed)
        ours = forest(3, bootstrap=False, max_features=None).fit(X, y)
        np.testing.assert_allclose(said(ours, X), said(tree().fit(X, y), X), err_msg=f"seed {seed}")


def loop_forest(model, X, y, probe):
    """The plain loop: draw rows, grow a tree, add what it says."""
    rng, n = model._random(), len(X)
    rows = rng.integers(0, n, (model.n_estimators, n))
    total = 0
    for line in rows:
        total = total + DecisionTreeRegressor().fit(X[line], y[line]).predict(probe)
    return total / model.n_estimators


def test_a_forest_equals_the_plain_loop_over_trees_on_200_tiny_problems():
    for seed in range(200):
        X, y = tiny_numbers(seed)
        probe = np.random.default_rng(seed).normal(size=(20, X.shape[1]))
        model = RandomForestRegressor(4, random_state=seed).fit(X, y)
        np.testing.assert_allclose(model.predict(probe), loop_forest(model, X, y, probe), err_msg=f"seed {seed}")


def test_scores_on_new_rows_equal_scikit_learns_over_200_tiny_problems():
    ours, reference = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(450, 5))
        y = (X[:, 0] + X[:, 1] ** 2 + 0.5 * rng.normal(size=450) > 0.7).astype(int)
        for model, scores in ((RandomForestClassifier, ours), (sklearn.ensemble.RandomForestClassifier, reference)):
            scores.append(model(4, random_state=seed).fit(X[:50], y[:50]).score(X[50:], y[50:]))
    difference = np.array(ours) - reference
    assert abs(difference.mean()) < 3 * difference.std() / 200**0.5 + 1e-9
    assert abs(difference.mean()) < 0.015


def test_scores_of_regression_equal_scikit_learns_over_200_tiny_problems():
    ours, reference = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(90, 4))
        y = X[:, 0] + X[:, 1] ** 2 + 0.3 * rng.normal(size=90)
        for model, scores in ((RandomForestRegressor, ours), (sklearn.ensemble.RandomForestRegressor, reference)):
            scores.append(model(4, max_features=2, random_state=seed).fit(X[:50], y[:50]).score(X[50:], y[50:]))
    difference = np.array(ours) - reference
    assert abs(difference.mean()) < 3 * difference.std() / 200**0.5 + 1e-9


def test_each_tree_sees_about_63_percent_of_the_rows():
    n = 500
    model = RandomForestRegressor(20, random_state=0).fit(np.arange(n)[:, None], np.arange(n))
    leaves = np.concatenate([trees.n_trees * [(trees.feature < 0).sum() / trees.n_trees] for trees in model.trees_])
    assert leaves.mean() / n == pytest.approx(1 - np.exp(-1), abs=0.02)


def test_features_are_drawn_anew_for_each_node():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 6)), rng.integers(0, 2, 200)
    model = RandomForestClassifier(200, max_features=1, max_depth=2, bootstrap=False, random_state=0).fit(X, y)
    trees = model.trees_[0]
    roots = np.bincount(trees.feature[trees.depth == 0], minlength=6)
    assert (roots > 0).all()
    assert set(range(6)) <= set(trees.feature[trees.depth == 1])
    left, right = trees.feature[trees.left[trees.depth == 0]], trees.feature[trees.left[trees.depth == 0] + 1]
    assert (left != right).mean() > 0.6


@pytest.mark.parametrize("forest", [RandomForestClassifier, RandomForestRegressor])
def test_how_many_trees_grow_at_once_changes_nothing_but_the_draws(forest, monkeypatch):
    X, y = tiny_classes(7)
    whole = said(forest(7, bootstrap=False, max_features=None).fit(X, y), X)
    monkeypatch.setattr(ensembles, "TOGETHER", 2 * len(X))
    model = forest(7, bootstrap=False, max_features=None).fit(X, y)
    assert [trees.n_trees for trees in model.trees_] == [2, 2, 2, 1]
    np.testing.assert_allclose(said(model, X), whole)


@given(st.integers(0, 10_000), st.sampled_from([0.5, 4.0, 1024.0]))
def test_units_of_the_features_do_not_matter(seed, factor):
    X, y = tiny_classes(seed)
    first = RandomForestClassifier(5, random_state=seed).fit(X, y)
    second = RandomForestClassifier(5, random_state=seed).fit(factor * X, y)
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(factor * X))


@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter_where_all_of_them_are_used(seed):
    X, y = tiny_numbers(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    options = {"n_estimators": 2, "bootstrap": False, "max_features": None}
    first, second = RandomForestRegressor(**options).fit(X, y), RandomForestRegressor(**options).fit(X[order], y[order])
    np.testing.assert_allclose(first.predict(X), second.predict(X), rtol=1e-9, atol=1e-9)


@given(st.integers(0, 10_000))
def test_repeating_every_row_changes_nothing_where_all_of_them_are_used(seed):
    X, y = tiny_classes(seed)
    options = {"n_estimators": 2, "bootstrap": False, "max_features": None}
    first = RandomForestClassifier(**options).fit(X, y)
    second = RandomForestClassifier(**options).fit(np.repeat(X, 2, axis=0), np.repeat(y, 2))
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X))


def test_importances_add_up_to_one_and_find_the_feature_that_matters():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    model = RandomForestClassifier(30, random_state=0).fit(X, X[:, 2] > 0)
    assert model.feature_importances_.sum() == pytest.approx(1)
    assert model.feature_importances_.argmax() == 2


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_estimators": 0}, "n_estimators must be an integer of at least 1; got 0"),
        ({"criterion": "squares"}, "criterion must be 'gini' or 'entropy'"),
        ({"max_features": -1}, "max_features must be a positive integer, a share"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with pytest.raises(ValueError, match=message):
        RandomForestClassifier(**params).fit(np.eye(2), [0, 1])
