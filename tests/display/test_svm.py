"""The pictures of support vector machines show what they say."""

import numpy as np
import pytest

from mlcourse.display import svm


def test_each_class_has_its_marker_color_and_name(ax):
    svm.draw_classes(ax, np.arange(8.0).reshape(4, 2), np.array([1, -1, 1, -1]))
    first, second = ax.lines
    assert (first.get_label(), second.get_label()) == ("class −1", "class +1")
    assert first.get_marker() != second.get_marker()
    assert first.get_color() != second.get_color()
    assert first.get_xdata().tolist() == [2, 6]


def test_several_classes_take_the_given_names(ax):
    svm.draw_classes(ax, np.eye(3)[:, :2], np.array([0, 1, 2]), names=["a", "b", "c"])
    assert [line.get_label() for line in ax.lines] == ["a", "b", "c"]


def test_the_boundary_lies_where_the_function_is_zero(ax):
    ax.set(xlim=(-2, 2), ylim=(-1, 1))
    svm.draw_street(ax, lambda points: points[:, 0] - 0.5, levels=(0,), fill=False)
    (path,) = ax.collections[-1].get_paths()
    np.testing.assert_allclose(path.vertices[:, 0], 0.5, atol=1e-9)
    assert ax.get_xlim() == (-2, 2)


def test_points_without_a_class_stay_empty(ax):
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    svm.draw_regions(ax, lambda points: np.where(points[:, 0] > 0, 1, -1))
    filled = np.vstack([path.vertices for path in ax.collections[0].get_paths()])
    assert filled[:, 0].min() > -0.02


def test_rings_are_at_the_points(ax):
    svm.ring(ax, np.array([[1.0, 2.0]]))
    assert ax.lines[0].get_xydata().tolist() == [[1, 2]]


def test_distance_names_point_foot_and_normal(ax):
    svm.draw_distance(ax)
    texts = " ".join(text.get_text() for text in ax.texts)
    assert all(name in texts for name in (r"\mathbf{w}", r"\mathbf{x}_0", r"\Vert"))
    dashed = next(line for line in ax.lines if line.get_linestyle() == "--").get_xydata()
    plane = ax.lines[0].get_xydata()
    assert (dashed[1] - dashed[0]) @ (plane[1] - plane[0]) == pytest.approx(0)


@pytest.mark.parametrize(("gradient", "expected"), [((1.1, -0.6), 0.7), ((0.3, -0.1), None), ((2.0, 0.0), 0.7)])
def test_a_step_ends_at_the_best_point_or_at_the_edge(ax, gradient, expected):
    K = np.array([[1.0, 0.35], [0.35, 1.0]])
    best, step = svm.draw_box(ax, (0.3, -0.2), ((0, 1), (-1, 0)), gradient, K, ("i", "j"))
    assert best == pytest.approx((gradient[0] - gradient[1]) / 1.3)
    assert step == pytest.approx(best if expected is None else expected)
    places = {line.get_label(): line.get_xydata()[0] for line in ax.lines if line.get_label() != "sum unchanged"}
    assert places["clipped to the box"].sum() == pytest.approx(0.1)


def test_the_lift_shows_every_sample_twice(ax):
    y = np.array([-1, 1, 1])
    svm.draw_lift(ax, np.array([[0.1, 0.0], [1.0, 0.0], [0.0, 1.0]]), y, 0.5)
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_label().startswith("class")) == 2 * len(y)


def test_the_tube_has_its_two_edges(ax):
    svm.draw_tube(ax, np.arange(3.0), np.ones(3), 0.25)
    assert [line.get_ydata()[0] for line in ax.lines] == [1, 0.75, 1.25]


def test_scores_frame_the_best_cell_and_write_all(ax):
    svm.draw_scores(ax, np.array([[0.2, 0.95], [0.9, 0.93]]), [1, 10], [0.1, 1], ("C", "γ"), floor=0.8)
    assert [text.get_text() for text in ax.texts] == ["20.0%", "95.0%", "90.0%", "93.0%"]
    assert ax.patches[0].get_xy() == (pytest.approx(0.53), pytest.approx(-0.45))
    assert ax.images[0].get_clim()[0] == 0.8
