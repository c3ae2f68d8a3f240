"""Values travel unchanged; anything else than our messages is refused, whatever it is."""

import contextlib
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlcourse.grading import difference
from mlcourse.grading.codec import CodecError, Opaque, decode, encode

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
)
DATA = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "int",
                    "float",
                    "list",
                    "set",
                    "dict",
                    "array",
                    "scalar",
                    "objects",
                    "bytes",
                    "opaque",
                    "frame",
                    "read",
                    "x",
                ]
            ),
            inner,
            max_size=2,
        ),
    ),
    max_leaves=12,
)


def travel(value):
    return decode(json.loads(json.dumps(encode(value))))


@given(DATA)
def test_plain_data_travel(value):
    back = travel(value)
    assert back == value
    assert type(back) is type(value)


@given(
    arrays.arrays(
        st.sampled_from(["f8", "f4", "i8", "u1", "?", "c16", "<i2", ">f8"]),
        arrays.array_shapes(min_dims=0, min_side=0, max_dims=4),
    )
)
def test_arrays_travel(array):
    back = travel(array)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array, equal_nan=array.dtype.kind in "fc")


@pytest.mark.parametrize(
    "value",
    [
        np.float32(1.5),
        np.int64(-3),
        np.True_,
        np.array(["ab", "c"]),
        {1, 2},
        frozenset({3}),
        1 + 2j,
        float("inf"),
        (),
        [[]],
        {},
    ],
)
def test_other_values_travel(value):
    assert difference(value, travel(value)) is None


def test_tables_travel():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 6])
    assert travel(frame).equals(frame)
    assert travel(frame["a"]).equals(frame["a"])


def test_what_is_no_data_becomes_opaque():
    class Evil(dict.__class__):
        pass

    for value in (object(), len, lambda: 1, Evil, iter([])):
        assert isinstance(travel(value), Opaque)
    assert travel(object()) != travel(object())


def test_subclasses_travel_as_what_they_are_made_of():
    class Number(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    class Items(list):
        def __iter__(self):
            return iter([1, 2, 3])

    assert travel(Number(2)) == 2
    assert travel(Number(2)) != 3
    assert travel(Items([7])) == [7]


def test_a_list_in_itself_is_refused():
    circle = []
    circle.append(circle)
    with pytest.raises(CodecError, match="nested"):
        encode(circle)


@given(JSON)
def test_nothing_but_an_error_comes_of_other_messages(message):
    with contextlib.suppress(CodecError):
        decode(message)


@pytest.mark.parametrize(
    "message",
    [
        {"int": "f" * 5000},
        {"array": ["O", [1], "AAAAAAAAAAA="]},
        {"array": ["f8", [10**9, 10**9], ""]},
        {"array": ["f8", [-1], ""]},
        {"array": ["V8", [1], "AAAAAAAAAAA="]},
        {"array": ["f8,i4", [1], "AAAAAAAAAAA="]},
        {"array": ["f8", [1] * 40, "AAAAAAAAAAA="]},
        {"set": [{"list": []}]},
        {"dict": [[{"list": []}, None]]},
        {"decode": None},
        {"__init__": None},
        {"list": [None] * 300_000},
        3.5,
        {},
        {"list": 1},
        {"int": "zz"},
    ],
)
def test_hostile_messages(message):
    with pytest.raises(CodecError):
        decode(message)
