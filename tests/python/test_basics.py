"""Digits are those of Python, and distances are counted in neighboring floats."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.python.basics import digits, steps_from


@given(st.integers(), st.integers(2, 36))
def test_digits_are_read_back_by_int(n, base):
    assert int(digits(n, base), base) == n


@given(st.integers())
def test_digits_are_those_of_format(n):
    assert [digits(n, base) for base in (2, 8, 10, 16)] == [format(n, code) for code in "bodx"]


@pytest.mark.parametrize("base", [-2, 0, 1, 37])
def test_other_bases_are_refused(base):
    with pytest.raises(ValueError, match=f"base must be 2 to 36; got {base}"):
        digits(5, base)


@given(st.floats(1e-300, 1e300))
def test_a_step_is_a_neighbor(x):
    assert steps_from(x, str(x)) == pytest.approx(0, abs=0.5)
    assert steps_from(math.nextafter(x, math.inf), repr(x)) == pytest.approx(1, abs=0.5)
