"""Differences are found, and reported in the order in which a person looks."""

import time

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlcourse.grading import KINDS, difference
from mlcourse.grading.codec import Opaque
from mlcourse.grading.compare import describe

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 6])

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
        (1.0, Opaque("deque"), "wrong type", "got an object of type deque"),
        (1.0, 1 << 4000, "wrong value", "expected 1, got 1318"),
        (10**9, 10**9 + 1, "wrong value", "expected 1000000000, got 1000000001"),
        (1.0, np.timedelta64(1, "s"), "wrong type", "expected a number"),
        ({1: 2}, dict.fromkeys(range(1000)), "wrong shape", r"unexpected \[0, 2, 3, 4, 5\] and 994 more"),
        (
            np.zeros(2),
            torch.zeros(2),
            "wrong type",
            r"got a PyTorch tensor of shape \(2,\); convert it with .numpy\(\)",
        ),
        (torch.zeros(2), np.zeros(2), "wrong type", r"expected a PyTorch tensor, got an array of shape \(2,\)"),
        (
            torch.zeros(2, 3),
            torch.zeros(3, 2),
            "wrong shape",
            r"expected a tensor of shape \(2, 3\), got shape \(3, 2\)",
        ),
        (
            torch.zeros(2),
            torch.zeros(2, dtype=torch.int64),
            "wrong dtype",
            "expected a float tensor, got torch.int64 values",
        ),
        (torch.zeros(2), torch.tensor([0.0, torch.nan]), "not finite", "1 of 2 values"),
        (torch.zeros(2), torch.tensor([0.0, 1.0]), "wrong value", r"the first is at \[1\]: expected 0, got 1"),
        (TABLE, {"a": 1}, "wrong type", "expected a DataFrame, got a dict of 1"),
        (TABLE, TABLE["a"], "wrong type", "expected a DataFrame, got a Series of 2 values"),
        (
            TABLE,
            TABLE[:1],
            "wrong shape",
            "expected a DataFrame of 2 rows and 2 columns, got a DataFrame of 1 row and 2 columns",
        ),
        (
            TABLE,
            TABLE.rename(columns={"a": "c"}),
            "wrong shape",
            r"the columns differ: missing \['a'\], unexpected \['c'\]",
        ),
        (TABLE, TABLE[["b", "a"]], "wrong shape", r"in another order: expected \['a', 'b'\], got \['b', 'a'\]"),
        (
            TABLE,
            TABLE.reset_index(drop=True),
            "wrong value",
            r"in the index: 2 of 2 values differ; the first is at \[0\]: expected 5, got 0",
        ),
        (
            TABLE,
            TABLE.astype({"a": float}),
            "wrong dtype",
            r"column 'a': expected an integer column, got a float column \(float64\)",
        ),
        (TABLE, TABLE.assign(b="x"), "wrong value", r"column 'b': 1 of 2 values differ; the first is at \[1\]"),
        (TABLE["a"], TABLE["a"].to_numpy(), "wrong type", "expected a Series, got an array"),
        (TABLE["b"], TABLE["b"].astype("category"), "wrong dtype", "expected a text column, got a categorical column"),
        (TABLE.index, [5, 6], "wrong type", "expected an Index, got a list of 2"),
        (np.array(["2026-01-01"], "M8[D]"), np.array(["2026-01-02"], "M8[D]"), "wrong value", "1 of 1 values differ"),
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
        (np.array(2.0), 2.0),
        (np.eye(2), np.ma.array(np.eye(2))),
        (2**100, 2**100),
        (1.0, 1),
        (np.array(["NaT"], "M8[ns]"), np.array(["NaT"], "M8[s]")),
        (torch.ones(2), torch.ones(2, dtype=torch.bfloat16, requires_grad=True)),
        (TABLE, TABLE.copy()),
        (TABLE, TABLE.rename_axis("rows")),
        (pd.Series([1.0, None]), pd.Series([1.0 + 1e-12, float("nan")])),
        (pd.Series(["x", None]), pd.Series(np.array(["x", np.nan], dtype=object))),
        (pd.Series([1, None], dtype="Int64"), pd.Series([1, None], dtype="Int64")),
        (pd.RangeIndex(3), pd.Index([0, 1, 2])),
    ],
)
def test_what_is_accepted(expected, got):
    assert difference(expected, got) is None


def test_kinds_are_in_the_order_of_the_guide():
    order = ["raised", "wrong type", "wrong shape", "wrong dtype", "not finite", "changed input", "wrong value"]
    assert [kind for kind in KINDS if kind in order] == order


def _circle():
    items = []
    items.append(items)
    return items


class Hostile:
    """Fails wherever a comparison may look."""

    def fail(self, *others):
        raise RuntimeError

    __eq__ = __ne__ = __len__ = __iter__ = __array__ = __float__ = __repr__ = __bool__ = fail
    __hash__ = None


@pytest.mark.parametrize(
    "expected",
    [
        1.0,
        3,
        "a",
        True,
        [1.0],
        (1,),
        {1: 2},
        {1},
        np.zeros(2),
        np.array(["a"]),
        np.zeros(2, object),
        TABLE,
        TABLE["a"],
        torch.zeros(2),
    ],
)
@pytest.mark.parametrize(
    "got",
    [Hostile(), [Hostile()], _circle(), 1 << 10_000, np.array([None, {}, [1]], dtype=object), np.zeros((2**31, 0)), Opaque("x"),
     {1: Hostile()}, pd.Series([[1], {2}]), pd.DataFrame({0: [np.zeros(2), None]}), np.zeros(2, "M8[s]"), complex("nan"),
     float("inf"), "x" * 10**6],
    ids=range(14),
)  # fmt: skip
def test_anything_can_be_compared(expected, got):
    assert difference(expected, got) is not None


@pytest.mark.parametrize(
    "value",
    ["a " * 10**7, b"x" * 10**7, list(range(10**6)), {i: "y" * 100 for i in range(10**5)}, [[[["x" * 10**6] * 100] * 100] * 100] * 100,
     np.array(["x" * 10**6] * 10, dtype=object), np.zeros((1000, 1000)), [np.zeros(10)] * 10**5,
     {"a": {"b": [1, (2,), {3}, frozenset(), "c"]}}],
    ids=range(9),
)  # fmt: skip
def test_a_description_takes_no_time(value):
    start = time.perf_counter()
    assert 0 < len(describe(value)) <= 60
    assert time.perf_counter() - start < 0.5


@given(DATA)
def test_descriptions_of_small_values_are_those_of_python(value):
    expected = f"{value:.6g}" if isinstance(value, float) else " ".join(repr(value).split())
    if len(expected) <= 60 and expected.count("[") + expected.count("{") < 5:
        assert describe(value) == expected
