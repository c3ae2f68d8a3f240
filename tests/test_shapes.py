"""`check_shapes` and `as_numbers` say what came, what was expected and what to do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse import ShapeError, check_shapes
from mlcourse.shapes import as_numbers


def test_sizes_of_named_axes_come_back():
    assert check_shapes("f", X=(np.zeros((4, 3)), "n d"), w=(np.zeros(3), "d")) == {"n": 4, "d": 3}


def test_message_has_both_shapes_the_axis_and_a_hint():
    with pytest.raises(ShapeError) as caught:
        check_shapes("predict", X=(np.zeros((442, 10)), "n d"), w=(np.zeros(9), "d"))
    assert str(caught.value).splitlines() == [
        "predict cannot take w of shape (9,)",
        "  X  (n 442, d 10)",
        "  w  (d 9)          d must be 10, as in X",
        "  hint: one of the two was built for other data; print both shapes where they are made",
    ]


def test_own_hint_replaces_the_general_one():
    with pytest.raises(ShapeError, match="hint: transpose x"):
        check_shapes("f", x=(np.zeros(3), "4"), hint="transpose x")


@pytest.mark.parametrize(
    ("shape", "axes", "hint"),
    [
        ((3,), "n d", r"x\[None, :\]"),
        ((3, 1), "n", r"x\.ravel\(\)"),
        ((), "n", "reshape it there"),
        ((2, 2), "", "a scalar"),
    ],
)
def test_wrong_number_of_axes_comes_with_the_usual_cure(shape, axes, hint):
    with pytest.raises(ShapeError, match=hint):
        check_shapes("f", x=(np.zeros(shape), axes))


def test_fixed_and_free_axes():
    assert check_shapes("f", x=(np.zeros((2, 3, 4)), "2 _ c")) == {"c": 4}
    with pytest.raises(ShapeError, match="this axis must be 3"):
        check_shapes("cross", u=(np.zeros(2), "3"))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_accepts_exactly_the_products_that_numpy_accepts(n, d, e):
    X, w = np.ones((n, d)), np.ones(e)
    if d == e:
        assert (X @ w).shape == (check_shapes("f", X=(X, "n d"), w=(w, "d"))["n"],)
    else:
        with pytest.raises(ShapeError):
            check_shapes("f", X=(X, "n d"), w=(w, "d"))


def test_numbers_are_copied_to_float():
    given_array = np.array([1, 2])
    array = as_numbers("f", "x", given_array, "n")
    array[0] = 9
    assert array.dtype == float
    assert given_array[0] == 1


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (["a"], TypeError, "f: x must hold real numbers; got values of type str"),
        ([1j], TypeError, "complex"),
        ([None], TypeError, "NoneType"),
        ([], ValueError, "empty"),
        ([1, np.nan], ValueError, r"1 NaN or infinite values of 2, the first at \[1\]"),
        ([np.inf], ValueError, "NaN or infinite"),
        ([[1, 2], [3]], ShapeError, "different lengths"),
        ([[1, 2]], ShapeError, "expected 1 axis"),
    ],
)
def test_bad_numbers(value, error, words):
    with pytest.raises(error, match=words):
        as_numbers("f", "x", value, "n")
