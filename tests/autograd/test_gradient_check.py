"""gradient_check finds wrong gradients, each kind of them, and says where they are."""

import numpy as np
import pytest

from mlcourse.autograd import GradientError, Tensor, gradient_check, record


def tensor(*values):
    return Tensor(values, requires_grad=True, dtype=np.float64)


WRONG = {
    "sign": lambda x: record(x.data**2, (x, lambda g: -2 * x.data * g)),
    "factor": lambda x: record(x.data**2, (x, lambda g: x.data * g)),
    "one element": lambda x: record(x.data**2, (x, lambda g: 2 * x.data * g * (np.arange(x.size) != 1))),
    "slightly": lambda x: record(x.data**2, (x, lambda g: 2.0001 * x.data * g)),
    "none at all": lambda x: record(x.data**2, (x, lambda g: 0 * g)),
    "not a number": lambda x: record(x.data**2, (x, lambda g: np.nan * g)),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_gradient_is_found(mistake):
    with pytest.raises(GradientError, match=r"input 1\[.\] is .*, finite differences say"):
        gradient_check(lambda a, x: a * WRONG[mistake](x), tensor(1.0), tensor(0.3, -0.7, 1.1))


def test_the_message_names_the_worst_place():
    with pytest.raises(GradientError, match=r"input 0\[1\]"):
        gradient_check(WRONG["one element"], tensor(0.3, -0.7, 1.1))


def test_a_right_gradient_passes_and_the_inputs_stay_as_they_were():
    x = tensor(0.3, -0.7)
    before = x.data
    assert gradient_check(lambda x: (x.exp() * x).sum(), x) < 1e-8
    assert x.data is before
    assert x.data.tolist() == [0.3, -0.7]


def test_inputs_that_are_not_used_have_gradient_zero():
    assert gradient_check(lambda x, _: x * x, tensor(1.0), tensor(2.0)) < 1e-8


@pytest.mark.parametrize("bad", [Tensor([1.0], requires_grad=True), Tensor([1.0], dtype=np.float64), np.ones(2)])
def test_inputs_that_cannot_be_checked_are_refused(bad):
    with pytest.raises(TypeError, match="dtype=np"):
        gradient_check(lambda x: x, bad)
