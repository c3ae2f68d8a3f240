"""The functions that the chapter on decision trees builds step by step equal the package's fast ones."""

import ast

import numpy as np
import pytest

from mlcourse.authoring.myst import read_notebook
from mlcourse.classical import DecisionTreeClassifier, DecisionTreeRegressor
from mlcourse.classical.nodes import prune
from tests.classical.test_trees import impurity, subset_impurity, tiny_classes, tiny_numbers
from tests.conftest import ROOT


def functions_of(path):
    """Run the imports, functions and constants of a chapter's cells, and nothing else."""
    namespace = {}
    for cell in read_notebook(path)[1]:
        if cell.kind == "code":
            kept = [node for node in ast.parse(cell.source).body if _defines(node)]
            exec(compile(ast.Module(kept, []), str(path), "exec"), namespace)
    return namespace


def _defines(node):
    constant = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom) or constant


@pytest.fixture(scope="module")
def lesson():
    return functions_of(ROOT / "book/classical/decision-trees.md")


@pytest.mark.parametrize("search", ["best_cut_by_definition", "best_cut_by_sums"])
def test_trees_of_the_lesson_are_the_packages_on_200_tiny_problems(lesson, search):
    for seed in range(200):
        X, y = tiny_classes(seed)
        k = y.max() + 1
        classes = np.unique(y)
        tree = lesson["as_tuples"](DecisionTreeClassifier().fit(X, y).tree_)
        grown = lesson["grow"](X, y, k, lesson[search])
        assert _leaves_of(grown, classes) == tree, seed


def _leaves_of(tree, classes):
    """Drop from the counts in the leaves the classes that do not occur in the data: the package does not know them."""
    if isinstance(tree, list):
        return [tree[c] for c in classes]
    return (*tree[:2], *(_leaves_of(part, classes) for part in tree[2:]))


def test_one_prediction_after_another_is_what_the_package_predicts(lesson):
    for seed in range(50):
        X, y = tiny_classes(seed)
        model = DecisionTreeClassifier(max_depth=3).fit(X, y)
        said = [model.classes_[lesson["predict_one"](model.tree_, x)] for x in X]
        assert said == model.predict(X).tolist()


def test_impurities_and_gains_of_the_lesson(lesson):
    for seed in range(50):
        X, y = tiny_classes(seed)
        model = DecisionTreeClassifier(max_depth=1).fit(X, y)
        if model.tree_.feature[0] < 0:
            continue
        counts = (model.tree_.value * model.tree_.size[:, None])[1:].round()
        gain = lesson["gain"](lesson["gini"], *counts)
        np.testing.assert_allclose(gain * len(y), model.tree_.gain[0], atol=1e-9)
        assert lesson["gain"](lesson["entropy"], *counts) > -1e-12
        assert lesson["gain"](lesson["error"], *counts) > -1e-12


def test_sorting_categories_finds_what_trying_every_set_finds(lesson):
    for seed in range(100):
        rng = np.random.default_rng(seed)
        code = np.append(rng.integers(0, 6, 24), np.arange(6))
        y = rng.normal(size=30) if seed % 2 else rng.integers(0, 2, 30).astype(float)
        least, tried = lesson["best_set_by_trying"](code, y)
        found, left = lesson["best_set_by_sorting"](code, y)
        assert tried == 31
        np.testing.assert_allclose(found, least, atol=1e-9)
        np.testing.assert_allclose(found, subset_impurity(code, y, "squares"), atol=1e-9)
        side = np.isin(code, left)
        np.testing.assert_allclose(found, impurity(y[side], "squares") + impurity(y[~side], "squares"), atol=1e-9)


def test_the_recursion_of_the_lesson_is_the_income_of_the_pruned_tree(lesson):
    for seed in range(100):
        X, y = tiny_numbers(seed)
        tree = DecisionTreeRegressor().fit(X, y).tree_
        for alpha in np.random.default_rng(seed).uniform(0, y.var() + 0.1, 5):
            kept = prune(tree, alpha)
            income = kept.gain.sum() / len(y) - alpha * (kept.feature >= 0).sum()
            np.testing.assert_allclose(lesson["net_income"](tree, alpha), income, atol=1e-9)


def rising(rents):
    """Drop rents that repeat the one before: branches that fall together, or gain nothing."""
    return rents[np.append(True, np.diff(rents) > 1e-7 * rents[1:] + 1e-12)]


def test_the_path_of_the_lesson_is_the_packages(lesson):
    for seed in range(100):
        X, y = tiny_numbers(seed)
        model = DecisionTreeRegressor().fit(X, y)
        found = np.array([alpha for alpha, _ in lesson["pruning_path"](model.tree_)])
        wanted = model.cost_complexity_pruning_path(X, y).ccp_alphas
        np.testing.assert_allclose(rising(found), rising(wanted), rtol=1e-6, atol=1e-12, err_msg=f"seed {seed}")
