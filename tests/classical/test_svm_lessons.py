"""The loops of the chapter on support vector machines, run as they stand in it, equal the package and scikit-learn."""

import ast

import numpy as np
import pytest
import sklearn.svm
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.multiclass import OneVsRestClassifier

from mlcourse.authoring.myst import read_notebook
from mlcourse.classical import SVC
from mlcourse.classical.distances import squared_distances
from tests.classical.test_svm import tiny
from tests.conftest import ROOT

CHAPTER = ROOT / "book/classical/support-vector-machines.md"


@pytest.fixture(scope="module")
def lesson():
    """The functions and imports of the chapter, by name."""
    names = {"np": np, "SVC": SVC}
    for cell in read_notebook(CHAPTER)[1]:
        if cell.kind == "code":
            kept = [
                node
                for node in ast.parse(cell.source).body
                if isinstance(node, ast.FunctionDef)
                or (isinstance(node, ast.ImportFrom) and node.module in ("itertools", "scipy.optimize"))
            ]
            exec(compile(ast.Module(kept, []), str(CHAPTER), "exec"), names)
    return names


def dense(model, n):
    beta = np.zeros(n)
    beta[model.support_] = model.dual_coef_[0]
    return beta


def separable(seed):
    rng = np.random.default_rng(seed)
    y = np.repeat([-1, 1], 6)
    return rng.normal(size=(12, 2)) + 4 * y[:, None], y


def test_a_perceptron_separates_and_the_widest_street_is_wider(lesson):
    for seed in range(40):
        X, y = separable(seed)
        w, b = lesson["widest_street"](X, y)
        v, c = lesson["perceptron"](X, y, np.random.default_rng(seed))
        assert 0 < lesson["margin"](X, y, v, c) <= lesson["margin"](X, y, w, b) * (1 + 1e-6)
        machine = SVC(kernel="linear", C=1e6, tol=1e-8).fit(X, y)
        np.testing.assert_allclose([*w, b], [*machine.coef_[0], machine.intercept_[0]], atol=1e-4, err_msg=f"{seed}")


def test_subgradient_descent_comes_within_a_percent_of_the_optimum(lesson):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = np.repeat([-1, 1], 20)
        X = rng.normal(size=(40, 3)) + 0.6 * y[:, None]
        machine = SVC(kernel="linear", C=0.2, tol=1e-8).fit(X, y)
        lowest = lesson["primal"](X, y, 0.2, machine.coef_[0], machine.intercept_[0])
        way = [lesson["primal"](X, y, 0.2, w, b) for w, b in lesson["descend"](X, y, 0.2, 200, rng)]
        assert min(way) >= lowest * (1 - 1e-6)
        assert min(way[-50:]) <= lowest * 1.01, seed


def test_a_general_solver_finds_the_same_dual_solution(lesson):
    for seed in range(20):
        X, codes, C = tiny(seed)
        y = 2 * codes - 1
        K = rbf_kernel(X, gamma=0.5)
        beta = lesson["solve_dual"](K, y, C)
        machine = SVC(C=C, gamma=0.5, tol=1e-8).fit(X, y)
        np.testing.assert_allclose(K @ beta, K @ dense(machine, len(X)), atol=2e-3, err_msg=f"{seed}")


def test_the_feature_map_has_the_quadratic_kernel(lesson):
    X = np.random.default_rng(0).normal(size=(30, 2))
    np.testing.assert_allclose(lesson["phi"](X) @ lesson["phi"](X).T, (X @ X.T + 1) ** 2)


def test_kernels_by_loops_equal_the_package_and_scikit_learn(lesson):
    rng = np.random.default_rng(0)
    for d in (1, 3, 10):
        A, B = rng.normal(size=(7, d)), rng.normal(size=(5, d))
        K = lesson["rbf_by_loops"](A, B, 0.7)
        np.testing.assert_allclose(K, np.exp(-0.7 * squared_distances(A, B)))
        np.testing.assert_allclose(K, rbf_kernel(A, B, gamma=0.7))


def test_smo_by_loops_equals_the_package_and_scikit_learn_on_200_tiny_problems(lesson):
    for seed in range(200):
        X, codes, C = tiny(seed)
        X, y = X[:14], 2 * codes[:14] - 1
        K = rbf_kernel(X, gamma=0.8)
        beta, b, history = lesson["smo_loop"](K.tolist(), y.tolist(), C, 1e-6)
        assert (np.diff(history) > -1e-12).all()
        assert abs(beta.sum()) < 1e-9
        assert (beta * y >= 0).all()
        assert (beta * y <= C).all()
        for machine in (SVC, sklearn.svm.SVC):
            reference = machine(C=C, gamma=0.8, tol=1e-6).fit(X, y)
            np.testing.assert_allclose(K @ beta, K @ dense(reference, len(X)), atol=1e-4, err_msg=f"seed {seed}")
            if ((beta != 0) & (abs(beta) != C)).any():  # else an interval of intercepts is optimal
                assert b == pytest.approx(reference.intercept_[0], abs=1e-4)


def test_both_ways_to_more_classes_equal_scikit_learns(lesson):
    for seed in range(20):
        X, y, C = tiny(seed, classes=3)
        probe = X + 0.123
        settings = {"C": C, "gamma": 0.5, "tol": 1e-6}
        rest = lesson["one_versus_rest"](X, y, probe, **settings)
        library = OneVsRestClassifier(sklearn.svm.SVC(**settings)).fit(X, y)
        np.testing.assert_allclose(rest, library.decision_function(probe), atol=1e-3, err_msg=f"{seed}")
        votes = lesson["one_versus_one"](X, y, probe, **settings)
        assert (votes.sum(axis=1) == 3).all()
        np.testing.assert_array_equal(votes.argmax(axis=1), SVC(**settings).fit(X, y).predict(probe))
