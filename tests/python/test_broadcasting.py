"""The broadcasting rules agree with NumPy's on any shapes, and the messages say what a person needs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse import ShapeError
from mlcourse.python.broadcasting import broadcast_shape, explain_broadcast

shapes = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple)
many_shapes = st.lists(shapes, max_size=4)


@given(many_shapes)
def test_agrees_with_numpy_on_shape_and_on_failure(many):
    try:
        expected = np.broadcast_shapes(*many)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast_shape(*many)
    else:
        assert broadcast_shape(*many) == expected


@given(many_shapes)
def test_explanation_has_the_result_or_a_failing_axis(many):
    text = explain_broadcast(**{f"x{i}": shape for i, shape in enumerate(many)})
    try:
        expected = broadcast_shape(*many)
    except ShapeError as error:
        assert "✗" in text
        assert str(error).split("axis -")[1].split()[0] in text
    else:
        result = next(line for line in text.splitlines() if line.startswith("result"))
        assert tuple(map(int, result.split()[1:])) == expected


@given(shapes, shapes)
def test_order_of_operands_does_not_matter(a, b):
    def outcome(*given_shapes):
        try:
            return broadcast_shape(*given_shapes)
        except ShapeError:
            return "error"

    assert outcome(a, b) == outcome(b, a)


def test_explains_arrays_and_scalars_by_name():
    text = explain_broadcast(X=np.zeros((7, 3)), factor=2.0, column=np.zeros((7, 1)))
    assert "factor is repeated along axes -2 and -1" in text
    assert "column is repeated along axis -1" in text
    assert explain_broadcast(a=(2, 3), b=(2, 3)).endswith("nothing is repeated")


def test_every_failing_axis_is_named():
    text = explain_broadcast(a=(4, 3), b=(2, 5), c=(1, 1))
    assert "axis -2: a has 4, b has 2;" in text
    assert "axis -1: a has 3, b has 5;" in text


def test_error_names_the_last_failing_axis_and_both_sizes():
    with pytest.raises(ShapeError, match="axis -1 has the sizes 3 and 7") as caught:
        broadcast_shape((5, 3), (7, 7))
    assert "cannot combine (5, 3) and (7, 7)" in str(caught.value)


@pytest.mark.parametrize("bad", [3, "33", (2.0, 3), (-1,), (True, 2), None])
def test_what_is_not_a_shape_is_refused(bad):
    with pytest.raises(TypeError, match="shape"):
        broadcast_shape((2, 3), bad)


def test_a_list_is_no_operand_to_explain():
    with pytest.raises(TypeError, match="names is a list"):
        explain_broadcast(names=["a", "b"])
