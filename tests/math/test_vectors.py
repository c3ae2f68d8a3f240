"""Vectors against NumPy, SciPy and scikit-learn, and by the laws they must obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import distance as scipy_distance
from sklearn.metrics import pairwise

from mlcourse import ShapeError
from mlcourse.math import vectors

numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))
pairs = st.integers(1, 8).flatmap(
    lambda d: st.tuples(arrays(float, d, elements=numbers), arrays(float, d, elements=numbers))
)
quickly = settings(deadline=None, max_examples=50)  # a busy machine is no failure
nonzero_pairs = pairs.filter(lambda pair: all(np.abs(x).max() > 1e-3 for x in pair))


@quickly
@given(pairs)
def test_dot_norms_and_distances_are_those_of_numpy(pair):
    u, v = pair
    assert vectors.dot(u, v) == pytest.approx(np.dot(u, v), abs=1e-6)
    for p in (1, 2, 3, 1.5, np.inf):
        assert vectors.norm(u, p) == pytest.approx(np.linalg.norm(u, p))
        assert vectors.distance(u, v, p) == pytest.approx(np.linalg.norm(u - v, p))


@quickly
@given(pairs)
def test_norms_obey_their_three_laws(pair):
    u, v = pair
    for p in (1, 2, np.inf):
        assert vectors.norm(-3 * u, p) == pytest.approx(3 * vectors.norm(u, p))
        assert vectors.norm(u + v, p) <= (vectors.norm(u, p) + vectors.norm(v, p)) * (1 + 1e-12)
        assert (vectors.norm(u, p) == 0) == (not u.any())


@quickly
@given(pairs)
def test_cauchy_schwarz(pair):
    u, v = pair
    assert abs(vectors.dot(u, v)) <= vectors.norm(u) * vectors.norm(v) * (1 + 1e-12)


@quickly
@given(nonzero_pairs)
def test_cosine_and_angle_agree_with_scipy_and_with_each_other(pair):
    u, v = pair
    cosine = vectors.cosine_similarity(u, v)
    assert -1 <= cosine <= 1
    assert cosine == pytest.approx(1 - scipy_distance.cosine(u, v), abs=1e-9)
    assert np.cos(vectors.angle(u, v)) == pytest.approx(cosine, abs=1e-9)
    assert vectors.cosine_similarity(7 * u, 0.1 * v) == pytest.approx(cosine, abs=1e-9)
    assert vectors.norm(vectors.normalize(u)) == pytest.approx(1)


@quickly
@given(nonzero_pairs)
def test_the_parts_add_up_are_orthogonal_and_no_multiple_is_nearer(pair):
    x, direction = pair
    parallel, orthogonal = vectors.decompose(x, direction)
    scale = np.linalg.norm(x)
    assert np.allclose(parallel + orthogonal, x, atol=1e-9 * scale)
    assert abs(vectors.dot(orthogonal, vectors.normalize(direction))) <= 1e-9 * scale
    best = np.linalg.lstsq(direction[:, None], x, rcond=None)[0]
    assert np.allclose(parallel, direction * best, atol=1e-9 * scale)
    for t in (best - 0.1, best + 0.1, 0.0):
        assert vectors.norm(orthogonal) <= vectors.distance(x, t * direction) * (1 + 1e-9)


@quickly
@given(arrays(float, 3, elements=numbers), arrays(float, 3, elements=numbers))
def test_cross_is_that_of_numpy_and_orthogonal(u, v):
    product = vectors.cross(u, v)
    assert np.allclose(product, np.cross(u, v))
    assert np.allclose(vectors.cross(v, u), -product)
    assert product @ product == pytest.approx((u @ u) * (v @ v) - (u @ v) ** 2, rel=1e-6, abs=1e-3)


def test_cosines_of_a_table_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    X, q = rng.normal(size=(50, 7)), rng.normal(size=7)
    expected = pairwise.cosine_similarity(X, q[None, :])[:, 0]
    assert np.allclose(vectors.cosines(X, q), expected)
    assert np.array_equal(vectors.nearest_by_cosine(X, q, k=50), np.argsort(-expected, kind="stable"))
    assert vectors.nearest_by_cosine(X, 2 * X[17]).tolist() == [17]
    assert np.allclose(np.linalg.norm(vectors.unit_rows(X), axis=1), 1)


def test_equally_similar_rows_come_in_their_order():
    assert vectors.nearest_by_cosine([[0, 1], [1, 0], [4, 0], [2, 0]], [3, 0], k=3).tolist() == [1, 2, 3]


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 1e307])
def test_huge_and_tiny_vectors_neither_overflow_nor_vanish(scale):
    tolerance = 1e-3 if scale < 1e-300 else 1e-12  # subnormal numbers have few digits
    u, v = np.array([3.0, 4.0, 0.0]) * scale, np.array([4.0, 3.0, 0.0]) * scale
    assert vectors.norm(u) == pytest.approx(5 * scale, rel=tolerance)
    assert np.allclose(vectors.normalize(u), [0.6, 0.8, 0], atol=tolerance)
    assert vectors.cosine_similarity(u, v) == pytest.approx(0.96, abs=tolerance)
    assert vectors.cosines([u], v) == pytest.approx([0.96], abs=tolerance)
    assert np.allclose(vectors.project(u, v), 0.96 * v, rtol=tolerance, atol=0)


@pytest.mark.parametrize("theta", [0.0, 1e-15, 1e-9, 1e-4, 1.0, np.pi / 2, np.pi - 1e-9, np.pi])
def test_angle_is_accurate_from_zero_to_pi(theta):
    assert vectors.angle([2.0, 0.0], [np.cos(theta), np.sin(theta)]) == pytest.approx(theta, rel=1e-9, abs=2e-16)


def test_small_integers_do_not_wrap_around():
    u = np.array([200, 100], dtype=np.uint8)
    assert vectors.dot(u, u) == 50_000
    assert vectors.distance(u[::-1], u) == pytest.approx(100 * np.sqrt(2))


def test_inputs_stay_as_they_were():
    X, q = np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([1.0, 2.0])
    copies = X.copy(), q.copy()
    vectors.cosines(X, q), vectors.decompose(q, X[0]), vectors.normalize(q), vectors.unit_rows(X)
    assert np.array_equal(X, copies[0]) and np.array_equal(q, copies[1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vectors.dot([1, 2], [1, 2, 3]), ShapeError, "dot cannot take v"),
        (lambda: vectors.dot([[1, 2]], [1, 2]), ShapeError, "dot cannot take u"),
        (lambda: vectors.dot(["1"], [2]), TypeError, "dot: u must hold real numbers"),
        (lambda: vectors.norm([]), ValueError, "norm: x is empty"),
        (lambda: vectors.norm([1.0, np.nan]), ValueError, "norm: x has 1 NaN"),
        (lambda: vectors.norm([1.0], p=0.5), ValueError, "p must be at least 1"),
        (lambda: vectors.norm([1.0], p=np.nan), ValueError, "p must be at least 1"),
        (lambda: vectors.normalize([0, 0]), ValueError, "normalize: x is the zero vector"),
        (lambda: vectors.cosine_similarity([1, 0], [0, 0]), ValueError, "cosine_similarity: v is the zero vector"),
        (lambda: vectors.angle([0, 0], [1, 0]), ValueError, "angle: u is the zero vector"),
        (lambda: vectors.project([1, 0], [0, 0]), ValueError, "project: direction is the zero vector"),
        (lambda: vectors.decompose([1, 0, 0], [1, 0]), ShapeError, "decompose cannot take direction"),
        (lambda: vectors.cross([1, 2], [3, 4]), ShapeError, "cross cannot take u"),
        (lambda: vectors.cosines([[1, 2]], [1, 2, 3]), ShapeError, "cosines cannot take q"),
        (lambda: vectors.unit_rows([[1, 2], [0, 0]]), ValueError, "row 1 of X is zero"),
        (lambda: vectors.nearest_by_cosine([[1, 2]], [1, 2], k=2), ValueError, "k must be from 1"),
        (lambda: vectors.nearest_by_cosine([[1, 2]], [1, 2], k=0), ValueError, "k must be from 1"),
    ],
)
def test_bad_input_gets_a_message_that_names_it(call, error, message):
    with pytest.raises(error, match=message):
        call()
