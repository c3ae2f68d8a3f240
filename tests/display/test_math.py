"""The figures of the mathematics chapters: they draw what they are given, in the colors that follow the theme."""

import matplotlib
import numpy as np
import pytest

from mlcourse import ShapeError
from mlcourse.display import COLORS, INK
from mlcourse.display import math as figures

matplotlib.use("Agg")


def test_the_plane_shows_squares_as_squares(ax):
    figures.draw_plane(ax, (-1.5, 3.5), (-1, 2))
    assert ax.get_aspect() == 1
    assert ax.get_xticks().tolist() == [-1, 0, 1, 2, 3]
    assert ax.get_yticks().tolist() == [-1, 0, 1, 2]


def test_an_arrow_leads_from_its_start_to_its_tip_and_is_labeled_in_its_color(ax):
    figures.draw_arrow(ax, [3, 1], start=(1, 2), color=COLORS[1], label="u", at=1, dashed=True)
    arrow, label = ax.texts
    assert (tuple(arrow.xyann), tuple(arrow.xy)) == ((1, 2), (4, 3))
    assert (label.get_text(), label.get_color(), tuple(label.xy)) == ("u", COLORS[1], (4, 3))


def test_the_right_angle_is_a_square_at_the_corner(ax):
    figures.draw_right_angle(ax, (1, 1), (0, 5), (-2, 0), size=0.5)
    assert np.allclose(ax.lines[0].get_xydata(), [[1, 1.5], [0.5, 1.5], [0.5, 1]])
    assert ax.lines[0].get_color() == INK


@pytest.mark.parametrize(
    ("first", "second", "degrees"), [((1, 0), (0, 1), 90), ((1, 1), (1, -1), -90), ((-1, 0.1), (-1, -0.1), 11.42)]
)
def test_the_arc_goes_the_short_way_round(ax, first, second, degrees):
    figures.draw_angle(ax, first, second, "θ", radius=2)
    x, y = ax.lines[0].get_xydata().T
    turned = np.degrees(np.unwrap(np.arctan2(y, x)))
    assert turned[-1] - turned[0] == pytest.approx(degrees, abs=0.01)
    assert np.allclose(np.hypot(x, y), 2)


@pytest.mark.parametrize("p", [0.5, 1, 2, 4, np.inf])
def test_every_point_of_a_unit_ball_has_norm_1(ax, p):
    points = figures.draw_unit_ball(ax, p, label="ball")
    sizes = np.abs(points).max(axis=1) if p == np.inf else np.sum(np.abs(points) ** p, axis=1) ** (1 / p)
    assert np.allclose(sizes, 1)


def test_the_parallelogram_is_drawn_to_scale():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot(projection="3d")
    figures.draw_parallelogram_in_space(ax, [2, 0, 0], [1, 1, 0], [0, 0, 3])
    assert [text.get_text() for text in ax.texts] == ["u", "v", "u × v"]
    spans = [np.ptp(limits) for limits in (ax.get_xlim(), ax.get_ylim(), ax.get_zlim())]
    assert np.allclose(spans, [3, 1, 3], rtol=0.1)
    plt.close("all")


def test_images_stand_in_rows_with_one_scale_of_gray():
    import matplotlib.pyplot as plt

    images = np.arange(7 * 9.0).reshape(7, 9)
    axes = figures.show_images(images, list("abcdefg"), columns=4)
    assert [ax.get_title() for ax in axes] == list("abcdefg")
    assert np.array_equal(axes[2].images[0].get_array(), images[2].reshape(3, 3))
    assert {ax.images[0].get_clim() for ax in axes} == {(0.0, 62.0)}
    assert figures.show_images(images)[0].get_title() == ""
    plt.close("all")


def test_an_image_as_vector_shows_every_value_three_times():
    import matplotlib.pyplot as plt

    picture, table, bars = figures.show_image_as_vector(np.arange(16), name="q")
    assert np.array_equal(picture.images[0].get_array(), np.arange(16).reshape(4, 4))
    assert [text.get_text() for text in table.texts] == [str(value) for value in range(16)]
    assert [bar.get_height() for bar in bars.patches] == list(range(16))
    assert bars.get_ylabel() == "q[i]"
    plt.close("all")


def test_similarities_are_labeled_in_the_middle_of_each_group(ax):
    figures.draw_similarities(ax, np.eye(5), ["a", "a", "a", "b", "b"], limits=(-1, 1))
    assert ax.get_xticks().tolist() == [1, 3.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.images[0].get_clim() == (-1, 1)


def test_intervals_stand_from_top_to_bottom(ax):
    figures.draw_intervals(ax, ["first", "second"], [0.4, 0.6], [0.3, 0.5], [0.7, 0.65])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    (bars,) = ax.containers[0].lines[2]
    assert np.allclose([segment[:, 0] for segment in bars.get_segments()], [[0.3, 0.7], [0.5, 0.65]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.show_images(np.zeros((2, 60))), "square|s × s"),
        (lambda: figures.show_images(np.zeros(64)), "show_images cannot take images"),
        (lambda: figures.show_image_as_vector(np.zeros(60)), "s × s"),
        (lambda: figures.draw_similarities(None, np.eye(3), [0, 1]), "draw_similarities cannot take labels"),
        (lambda: figures.draw_intervals(None, ["a"], [1, 2], [0, 1], [2, 3]), "draw_intervals cannot take values"),
        (lambda: figures.draw_arrow(None, [1, 2, 3]), "draw_arrow cannot take vector"),
    ],
)
def test_bad_input_gets_a_message_that_names_it(call, message):
    with pytest.raises(ShapeError, match=message):
        call()
