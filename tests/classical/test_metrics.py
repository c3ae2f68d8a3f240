"""Scores equal scikit-learn's."""

import numpy as np
import pytest
import sklearn.metrics

from mlcourse.classical import metrics
from mlcourse.shapes import ShapeError

NAMES = ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"]
each_metric = pytest.mark.parametrize("name", NAMES)


@each_metric
@pytest.mark.parametrize("seed", range(20))
def test_equals_scikit_learn(name, seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.normal(size=(2, rng.integers(2, 30)))
    assert getattr(metrics, name)(y_true, y_pred) == pytest.approx(getattr(sklearn.metrics, name)(y_true, y_pred))


@pytest.mark.parametrize("y_pred", [[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
def test_r2_of_a_constant_target_follows_scikit_learn(y_pred):
    assert metrics.r2_score([2.0, 2.0, 2.0], y_pred) == sklearn.metrics.r2_score([2.0, 2.0, 2.0], y_pred)


def test_r2_needs_two_values():
    with pytest.raises(ValueError, match="at least two values"):
        metrics.r2_score([1.0], [1.0])


@each_metric
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error"),
    [
        (np.zeros((3, 1)), np.zeros(3), ShapeError),  # would broadcast to (3, 3)
        (np.zeros(3), np.zeros(4), ShapeError),
        ([], [], ValueError),
        ([1.0, np.nan], [1.0, 1.0], ValueError),
        (["1", "2"], [1.0, 2.0], TypeError),
    ],
)
def test_bad_input_is_refused(name, y_true, y_pred, error):
    with pytest.raises(error, match=name):
        getattr(metrics, name)(y_true, y_pred)
