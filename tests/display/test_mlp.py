"""The figures of the multilayer perceptron draw what they say."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlcourse.display import mlp


def texts(ax):
    return {text.get_text() for text in ax.texts}


def test_classes_have_markers_of_their_own(ax):
    mlp.draw_classes(ax, np.arange(6.0).reshape(3, 2), np.array([0, 1, 1]), ("zero", "one"))
    zero, one = ax.collections
    assert zero.get_offsets().tolist() == [[0, 1]]
    assert len(one.get_offsets()) == 2
    assert not np.array_equal(zero.get_paths()[0].vertices, one.get_paths()[0].vertices)
    assert ax.get_legend_handles_labels()[1] == ["zero", "one"]


def test_boundary_of_regions_lies_where_the_score_is_zero(ax):
    mlp.draw_regions(ax, lambda points: points[:, 0] - 0.5)
    boundary = ax.collections[-1].get_paths()[0].vertices
    np.testing.assert_allclose(boundary[:, 0], 0.5, atol=1e-6)


def test_grid_is_moved_point_by_point(ax):
    mlp.draw_grid(ax, lambda points: points + 10, extent=1, lines=3)
    assert len(ax.lines) == 6
    assert min(line.get_xdata().min() for line in ax.lines) == pytest.approx(9)


def test_folding_puts_two_points_of_xor_on_one_place():
    axes = Figure().subplots(1, 2)
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    hidden = lambda p: np.column_stack([p.sum(1), np.maximum(p.sum(1) - 1, 0)])  # noqa: E731
    mlp.draw_folding(axes, X, np.array([0, 1, 1, 0]), hidden)
    assert texts(axes[0]) == {"00", "01", "10", "11"}
    assert texts(axes[1]) == {"00", "01 and 10", "11"}
    line = axes[1].lines[-1]
    np.testing.assert_allclose(line.get_xdata() - 2 * line.get_ydata(), 0.5)


def test_linear_layer_names_all_shapes(ax):
    mlp.draw_linear_layer(ax, 32, 64, 10)
    assert {"(32, 64)", "(64, 10)", "(10,)", "(32, 10)", "X", "W", "b", "Z"} <= texts(ax)


def test_two_layers_name_all_gradients(ax):
    mlp.draw_two_layers(ax, 32, 64, 16, 10)
    shown = texts(ax)
    assert {"(32, 64)", "(32, 16)", "(32, 10)", "dH = dZ₂ W₂ᵀ", "dZ₂ = (P − Y) / n"} <= shown
    assert sum(text.startswith("dW") for text in shown) == 2


def test_signals_count_layers_from_one(ax):
    mlp.draw_signals(ax, {"He": [1, 1, 1], "small": [0.1, 0.01, 0.001]})
    assert ax.lines[1].get_xdata().tolist() == [1, 2, 3]
    assert ax.get_yscale() == "log"
    assert ax.lines[0].get_marker() != ax.lines[1].get_marker()


def test_pairs_draw_every_block_and_the_means(ax):
    values = np.array([[0.8, 0.9], [0.6, 1.0]])
    mlp.draw_pairs(ax, ("a", "b"), values)
    assert len(ax.lines) == 4
    heights = sorted(segment[0][1] for segment in ax.collections[0].get_segments())
    assert heights == pytest.approx([0.7, 0.95])
