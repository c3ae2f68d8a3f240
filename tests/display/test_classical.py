"""The figures of the classical part draw what they say."""

import numpy as np
import pytest

from mlcourse.classical.diagnostics import cooks_distance, leverage
from mlcourse.display import classical

rng = np.random.default_rng(0)


def labels(ax):
    return [text for text in ax.get_legend_handles_labels()[1]]


def test_line_fit_has_a_residual_for_every_point(ax):
    x = np.arange(5.0)
    classical.draw_line_fit(ax, x, x**2, 4, -2)
    assert len(ax.collections[0].get_segments()) == 5
    assert ax.lines[-1].get_ydata().tolist() == [-2, 14]


def test_line_fit_without_residuals(ax):
    classical.draw_line_fit(ax, np.arange(5.0), np.arange(5.0), 1, 0, show_residuals=False)
    assert not ax.collections


def test_shapes_name_all_four_parts(ax):
    classical.draw_shapes(ax, 442, 10)
    texts = [text.get_text() for text in ax.texts]
    assert {"y", "X", "w", "b", "(442, 10)", "(442,)", "(10,)", "()"} <= set(texts)


def test_projection_draws_five_arrows(ax):
    classical.draw_projection(ax)
    assert sum(text.arrow_patch is not None for text in ax.texts if hasattr(text, "arrow_patch")) == 5


def test_bowl_is_centered_on_its_minimum(ax):
    classical.draw_bowl(ax, lambda a, b: (a - 1) ** 2 + 4 * (b - 2) ** 2, (1, 2), 3, 1, ("a", "b"))
    assert ax.get_xlim() == (-2, 4)
    assert ax.get_ylim() == (1, 3)
    assert labels(ax) == ["minimum"]


def test_residuals_show_the_mean_of_each_slice(ax):
    fitted = np.arange(40.0)
    classical.draw_residuals(ax, fitted, np.sign(fitted - 19.5), bins=4)
    mean = next(line for line in ax.lines if line.get_label() == "mean of a slice")
    assert mean.get_ydata().tolist() == [-1, -1, 1, 1]


def test_qq_points_are_sorted_and_on_the_line_for_normal_quantiles(ax):
    from scipy.stats import norm

    classical.draw_qq(ax, rng.permutation(norm.ppf((np.arange(500) + 0.5) / 500)))
    line, points = ax.lines
    np.testing.assert_allclose(points.get_ydata(), line.get_ydata(), atol=0.02)


def test_influence_curves_are_curves_of_equal_cooks_distance(ax):
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    h, D = leverage(X), cooks_distance(X, y)
    s = np.sqrt(D * 3 * (1 - h) / h)  # the size of the studentized residual, from Cook's distance
    classical.draw_influence(ax, h, s, 3, levels=(0.5,))
    curve = ax.lines[0]
    at, value = curve.get_xdata()[50], curve.get_ydata()[50]
    assert value**2 * at / (3 * (1 - at)) == pytest.approx(0.5)


def test_intervals_separate_those_that_contain_zero(ax):
    classical.draw_intervals(
        ax, ["a", "b", "c"], np.array([1.0, -2, 0.5]), np.array([0.5, -3, -1]), np.array([1.5, -1, 2])
    )
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
    assert labels(ax) == ["interval leaves out 0", "interval contains 0"]
