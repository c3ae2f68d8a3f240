"""The figures of the chapter on clustering draw what they say."""

import numpy as np
import pytest
from scipy.spatial import Voronoi
from sklearn.metrics import silhouette_samples

from mlcourse.display import clustering
from mlcourse.display.style import GRID

X = np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [5.0, 1.0], [9.0, 9.0]])
labels = np.array([0, 0, 1, 1, -1])


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_clusters_differ_in_color_and_marker_and_noise_is_gray(ax):
    clustering.draw_clusters(ax, X, labels, centers=[[0.5, 0], [4.5, 0.5]])
    noise, first, second, centers = ax.collections
    assert [len(c.get_offsets()) for c in (noise, first, second, centers)] == [1, 2, 2, 2]
    assert not np.array_equal(first.get_facecolor(), second.get_facecolor())
    assert not np.array_equal(first.get_paths()[0].vertices.shape, second.get_paths()[0].vertices.shape)
    from matplotlib.colors import to_rgb

    assert tuple(noise.get_facecolor()[0][:3]) == to_rgb(GRID)


def test_borders_are_the_edges_of_the_voronoi_diagram(ax):
    centers = np.random.default_rng(0).uniform(-3, 3, (6, 2))
    ax.set(xlim=(-5, 5), ylim=(-5, 5))
    clustering.draw_borders(ax, centers)
    diagram = Voronoi(centers)
    assert len(ax.lines) == len(diagram.ridge_points)
    for line in ax.lines:
        middle = line.get_xydata().mean(axis=0)
        distance = np.sort(np.linalg.norm(centers - middle, axis=1))
        assert distance[0] == pytest.approx(distance[1], rel=1e-6)
    finite = [pair for pair, ends in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True) if -1 not in ends]
    assert finite, "the example has an edge between two corners"
    for ends in (e for e in diagram.ridge_vertices if -1 not in e):
        corners = diagram.vertices[ends]
        assert any(
            np.abs(np.sort(line.get_xydata(), axis=0) - np.sort(corners, axis=0)).max() < 0.03 for line in ax.lines
        )
    assert ax.get_xlim() == (-5, 5)


def test_moves_are_arrows_for_the_centers_that_moved(ax):
    clustering.draw_moves(ax, np.array([[0.0, 0], [3, 3]]), np.array([[2.0, 0], [3, 3]]))
    assert len(ax.texts) == 1 and tuple(ax.texts[0].xy) == (2, 0)


def test_sums_by_product_show_ones_and_sizes(ax):
    clustering.draw_sums_by_product(ax, [0, 2, 1, 1, 0], 3, 2)
    shown = texts(ax)
    assert shown.count("1") == 5 + 1, "a one for each row, and the size of cluster 2"
    assert shown.count("2") == 2
    assert any("(3, 5)" in text for text in shown)


def test_strips_have_a_dot_for_each_value_and_a_line_at_the_median(ax):
    clustering.draw_strips(ax, {"a": [1, 2, 6], "b": [4, 4, 4, 10]}, unit=2)
    dots, median = ax.lines[0], ax.lines[1]
    assert dots.get_xdata().tolist() == [0.5, 1, 3] and median.get_xdata().tolist() == [1, 1]
    assert len(ax.lines[2].get_xdata()) == 4
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_silhouette_of_a_point_returns_the_distances_that_it_draws(ax):
    rng = np.random.default_rng(1)
    points, groups = rng.normal(size=(12, 2)), np.repeat([0, 1, 2], 4)
    a, b = clustering.draw_silhouette_of_point(ax, points, groups, 5)
    assert (b - a) / max(a, b) == pytest.approx(silhouette_samples(points, groups)[5])
    assert len(ax.lines) == 3 + 4


def test_silhouettes_are_sorted_and_the_line_is_their_mean(ax):
    values = np.array([0.2, 0.8, -0.1, 0.5])
    clustering.draw_silhouettes(ax, values, np.array([0, 0, 1, 1]))
    assert len(ax.collections) == 2 and texts(ax) == ["0", "1"]
    assert ax.lines[0].get_xdata()[0] == pytest.approx(values.mean())
    assert ax.collections[1].get_paths()[0].vertices[:, 0].min() == pytest.approx(-0.1)


def test_counts_are_written_into_their_cells_and_zeros_are_not(ax):
    clustering.draw_counts(ax, np.array([[5, 0], [1, 3]]), ["a", "b"], [0, 1])
    assert sorted(texts(ax)) == ["1", "3", "5"]
    place = {text.get_text(): text.get_position() for text in ax.texts}
    assert place["3"] == (1, 1) and place["1"] == (0, 1)


def test_band_holds_the_percentiles(ax):
    samples = np.arange(101.0)[:, None] * [1, 2]
    clustering.draw_band(ax, [1, 2], samples, "runs", "C0", "o")
    assert ax.lines[0].get_ydata().tolist() == [50, 100]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == 5 and heights.max() == 190


def test_hidden_ticks_keep_both_directions_equal(ax):
    clustering.hide_ticks([ax])
    assert ax.get_aspect() == 1 and not len(ax.get_xticks())
