"""Differences are found, and reported in the order in which a person looks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlcourse.grading import KINDS, difference

DATA = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.floats(-1e6, 1e6), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
    max_leaves=6,
)


@given(DATA)
def test_equal_data_do_not_differ(value):
    assert difference(value, value) is None


@given(arrays.arrays(float, arrays.array_shapes(max_dims=3, max_side=3), elements=st.floats(-1e6, 1e6)))
def test_equal_arrays_do_not_differ_and_changed_ones_do(array):
    assert difference(array, array.copy()) is None
    changed = array.copy()
    changed.flat[0] += 1 + abs(changed.flat[0])
    assert difference(array, changed).kind == "wrong value"


@pytest.mark.parametrize(
    ("expected", "got", "kind", "words"),
    [
        (np.zeros(2), None, "wrong type", "got None; is a `return` missing?"),
        (1.0, ..., "wrong type", "placeholder"),
        (np.zeros(2), [0.0, 0.0], "wrong type", "expected a NumPy array, got a list of 2"),
        (1.0, "1", "wrong type", "expected a number, got a string"),
        (1.0, True, "wrong type", "got True or False"),
        (True, 1, "wrong type", "expected True or False"),
        (3, 3.0, "wrong type", "expected an int"),
        ((1, 2), [1, 2], "wrong type", "expected a tuple of 2"),
        ((1, 2), (1, 2, 3), "wrong shape", "expected 2 items, got 3"),
        ({"a": 1}, {"b": 1}, "wrong shape", r"missing \['a'\], unexpected \['b'\]"),
        (np.zeros((2, 3)), np.zeros((3, 2)), "wrong shape", r"shape \(2, 3\), got shape \(3, 2\)"),
        (np.array([0.5]), np.array([0]), "wrong dtype", "expected a float array, got int64"),
        (np.array([1]), np.array([1.0]), "wrong dtype", "expected an integer array, got float64"),
        (np.array([1.0, 2.0]), np.array([1.0, np.nan]), "not finite", "1 of 2 values"),
        (1.0, np.inf, "not finite", "got inf"),
        (1.0, 1.1, "wrong value", "expected 1, got 1.1"),
        (
            np.array([[1.0, 2.0]]),
            np.array([[1.0, 3.0]]),
            "wrong value",
            r"1 of 2 values differ; the first is at \[0, 1\]: expected 2, got 3",
        ),
        ("a", "b", "wrong value", "expected 'a', got 'b'"),
        ([1.0, "x"], [2.0, 5], "wrong type", "item 1"),
    ],
)
def test_what_is_wrong(expected, got, kind, words):
    found = difference(expected, got)
    assert found.kind == kind
    import re

    assert re.search(words, found.message), found.message


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (2.0, 2),
        (2.0, np.float32(2)),
        (2.0, np.array(2.0)),
        (np.nan, np.nan),
        (3, np.int64(3)),
        (True, np.True_),
        (np.zeros(2), np.zeros(2, "f4")),
    ],
)
def test_what_is_accepted(expected, got):
    assert difference(expected, got) is None


def test_kinds_are_in_the_order_of_the_guide():
    order = ["raised", "wrong type", "wrong shape", "wrong dtype", "not finite", "changed input", "wrong value"]
    assert [kind for kind in KINDS if kind in order] == order
