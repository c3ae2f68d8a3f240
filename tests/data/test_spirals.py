"""The two spirals wind around each other, repeat with the seed, and refuse what makes no sense."""

import numpy as np
import pytest

from mlcourse.data import make_spirals


def test_without_noise_each_spiral_is_the_other_one_turned_by_half_a_circle():
    X, y = make_spirals(400, noise=0, rng=0)
    radius, angle = np.hypot(*X.T), np.arctan2(X[:, 1], X[:, 0])
    turned = angle - 2 * np.pi * 1.35 * radius - np.pi * y
    np.testing.assert_allclose(np.cos(turned), 1, atol=1e-5)
    assert radius.max() <= 1 + 1e-6
    assert y.sum() == 200


def test_no_line_does_much_better_than_chance():
    from sklearn.linear_model import LogisticRegression

    X, y = make_spirals(1000, rng=0)
    assert LogisticRegression(C=100).fit(X, y).score(X, y) < 0.75


def test_noise_and_seed():
    X, _ = make_spirals(50, noise=0.1, rng=3)
    again, _ = make_spirals(50, noise=0.1, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(X, again)
    exact, _ = make_spirals(50, noise=0, rng=3)
    assert 0.05 < (X - exact).std() < 0.15


@pytest.mark.parametrize("options", [{"n": 0}, {"n": 5, "noise": -1}])
def test_impossible_requests(options):
    with pytest.raises(ValueError, match="make_spirals"):
        make_spirals(**options)
