"""Values travel unchanged; anything else than our messages is refused, whatever it is."""

import contextlib
import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlcourse.grading import difference
from mlcourse.grading.codec import MAX_BYTES, CodecError, Opaque, _Decoder, decode, encode, parse

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
TAGS = [name.removeprefix("_read_") for name in vars(_Decoder) if name.startswith("_read_")]
TAGS += ["list", "tuple", "set", "frozenset", "decode", "count", "x"]
ARRAYS = st.sampled_from(["<f8", "|b1", "<M8[ns]", "|O", "V8", "f8,i4", "<U3", "", "<f8 "]).map(
    lambda dtype: {"array": [dtype, [1], "AAAAAAAAAAA="]}
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(TAGS),
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
        {"list": [{"set": []}] * 50_000},
        {"list": [{"array": ["<f8", [0], ""]}] * 50_000},
        {"list": [{"frame": [{"list": []}, {"array": ["<i8", [0], ""]}, []]}] * 1000},
        {"list": ["x" * (MAX_BYTES // 2)] * 3},
        {"objects": ["U", [1000], ["x" * 10**6] + [""] * 999]},
        {"objects": ["U", [1], [3]]},
        {"set": [{"int": f"{i * (2**61 - 1):x}"} for i in range(1000)]},
        {"dict": [[{"int": f"{i * (2**61 - 1):x}"}, None] for i in range(1000)]},
        {"array": ["<M8[9999y]", [1], "AAAAAAAAAAA="]},
        {"time": ["Timestamp", "9" * 50]},
        {"time": ["Period", "2026"]},
        {"missing": "all"},
        {"tensor": ["float32", True, {"list": []}]},
        {"series": [None, {"array": ["<i8", [1], "AAAAAAAAAAA="]}, {"array": ["<i8", [0], ""]}, ""]},
        {"opaque": {"list": []}},
        3.5,
        {},
        {"list": 1},
        {"int": "zz"},
    ],
)
def test_hostile_messages(message):
    with pytest.raises(CodecError):
        decode(message)


def test_a_refusal_is_none_of_the_errors_that_an_exercise_may_ask_for():
    assert CodecError.__mro__[1:] == (Exception, BaseException, object)


def test_a_message_that_would_be_large_in_memory_is_refused_before_it_is_read():
    start, bomb = time.perf_counter(), b"[" + b"[]," * 10_000_000 + b"[]]"
    with pytest.raises(CodecError, match="brackets and commas"):
        parse(bomb)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    "data", [b'"' + b'\\"' * 1_000_000, b'"' * 1_000_001, b"\\" * 1_000_000 + b'"', b'{"a": "' + b"," * 2_000_000]
)
def test_quotation_marks_cost_no_time(data):
    start = time.perf_counter()
    with pytest.raises(ValueError):
        parse(data)
    assert time.perf_counter() - start < 2


def test_brackets_and_commas_inside_strings_are_free():
    assert len(parse(json.dumps(['[{,\\"' * 500_000]).encode())[0]) == 2_500_000


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_an_error(data):
    with contextlib.suppress(CodecError, ValueError, RecursionError):
        assert parse(data, 20) == json.loads(data)


def test_large_values_are_refused_before_they_are_copied():
    for value in (np.broadcast_to(0.0, (2**20, 2**20)), pd.RangeIndex(10**9), list(range(10**6))):
        with pytest.raises(CodecError):
            encode(value)
