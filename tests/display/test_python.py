"""The pictures of arrays show what the arrays are: values, offsets, repetitions, shapes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from mlcourse import ShapeError
from mlcourse.display import python as draw
from mlcourse.display.style import COLORS, GRID, INK, PAPER


def texts(ax):
    return [text.get_text() for text in ax.texts]


def filled(ax):
    return [p for p in ax.patches if isinstance(p, Rectangle) and p.get_fill()]


def test_cells_write_every_value_and_fill_the_colored_ones(ax):
    draw.draw_cells(ax, [[1, 2, 3], [4, 5, 6]], colors=[[0, -1, -1], [-1, 1, -1]])
    assert texts(ax) == list("123456")
    assert len(filled(ax)) == 2


def test_memory_lists_values_in_the_order_of_addresses(ax):
    array = np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3))
    draw.draw_memory(ax, array, title="F")
    assert texts(ax)[:6] == ["0", "1", "2", "3", "4", "5"]
    assert texts(ax)[6:12] == ["0", "3", "1", "4", "2", "5"]
    assert texts(ax)[12:18] == ["+0", "+2", "+4", "+6", "+8", "+10"]
    assert texts(ax)[-2:] == ["axis 0 (solid): +2 bytes", "axis 1 (dashed): +4 bytes"]


@pytest.mark.parametrize(
    ("index", "n_read"), [(np.s_[:, :], 12), (np.s_[1:, ::2], 4), (np.s_[::-1, ::-1], 12), (np.s_[2:, 1:2], 1)]
)
def test_memory_of_a_view_is_its_owners_and_only_what_it_reads_is_filled(ax, index, n_read):
    view = np.arange(12.0).reshape(3, 4)[index]
    draw.draw_memory(ax, view)
    assert len(filled(ax)) == 2 * n_read
    assert sum(text.startswith("+") for text in texts(ax)) == 12


def test_memory_of_a_broadcast_row_is_one_row(ax):
    draw.draw_memory(ax, np.broadcast_to(np.array([10, 20, 30]), (4, 3)), color_by=1)
    assert texts(ax)[-2] == "axis 0 (solid): +0 bytes"
    assert sum(isinstance(p, FancyArrowPatch) for p in ax.patches) == 1


@pytest.mark.parametrize(
    ("index", "title"),
    [
        (np.s_[1], "view of shape (4,)"),
        (np.s_[1:, ::2], "view of shape (2, 2)"),
        ([0, 2], "copy of shape (2, 4)"),
        (([0, 1], [2, 3]), "copy of shape (2,)"),
        (np.s_[1, 2], "copy of shape ()"),
    ],
)
def test_selection_says_view_or_copy(ax, index, title):
    draw.draw_selection(ax, np.arange(12).reshape(3, 4), index, "a[…]")
    assert title in ax.get_title()


@pytest.mark.parametrize(("axis", "sums"), [(0, ["12", "15", "18", "21"]), (1, ["6", "22", "38"])])
def test_reduction_shows_the_sums(ax, axis, sums):
    draw.draw_reduction(ax, np.arange(12).reshape(3, 4), axis)
    assert texts(ax)[12:] == sums
    assert sum(isinstance(p, FancyArrowPatch) for p in ax.patches) == len(sums)


def test_broadcast_draws_repetitions_dotted(ax):
    draw.draw_broadcast(ax, np.zeros((3, 1), int), np.arange(4))
    dotted = [p for p in ax.patches if isinstance(p, Rectangle) and p.get_linestyle() == ":"]
    assert len(dotted) == 9 + 8
    assert {"(3, 1)", "(4,)", "(3, 4)"} <= set(texts(ax))


def test_broadcast_refuses_what_numpy_refuses(ax):
    with pytest.raises(ShapeError):
        draw.draw_broadcast(ax, np.zeros((3, 2)), np.zeros(3))


def test_block_has_a_face_for_every_visible_cell(ax):
    draw.draw_block(ax, (4, 3, 2), labels=("n", "m", "d"))
    assert sum(isinstance(p, Polygon) for p in ax.patches) == 2 * (4 * 3 + 3 * 2 + 4 * 2)
    assert texts(ax) == ["n", "m", "d"]


@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "ii->", "i,k->ik", "bij,bjk->bik", "ij->j"])
def test_einsum_marks_the_summed_letters(ax, subscripts):
    draw.draw_einsum(ax, subscripts, {"b": 3, "i": 3, "j": 4, "k": 2})
    operands, result = subscripts.split("->")
    marked = {text.get_text() for text in ax.texts if text.get_bbox_patch() is not None}
    assert marked == set(operands) - set(result) - {","}
    assert ax.get_title() == subscripts


def test_images_get_their_titles():
    figure, axes = plt.subplots(1, 3)
    draw.show_images(axes, np.zeros((3, 8, 8)), ["a", "b", "c"])
    assert [ax.get_title() for ax in axes] == ["a", "b", "c"]
    with pytest.raises(ShapeError):
        draw.show_images(axes, np.zeros((2, 8, 8)))
    plt.close(figure)


def test_marks_are_on_the_pixels(ax):
    draw.mark_pixels(ax, np.array([[False, True], [True, False]]))
    for line in ax.lines:
        assert [tuple(point) for point in line.get_xydata()] == [(1, 0), (0, 1)]


def test_confusion_leaves_zeros_empty_and_needs_a_square(ax):
    draw.draw_confusion(ax, np.array([[3, 0], [1, 2]]))
    assert texts(ax) == ["3", "1", "2"]
    with pytest.raises(ShapeError):
        draw.draw_confusion(ax, np.zeros((2, 3)))


def test_only_colors_that_follow_the_theme(ax):
    draw.draw_broadcast(ax, np.arange(4), np.arange(3)[:, None])
    allowed = {to_rgb(c) for c in (*COLORS, INK, GRID, PAPER)}
    assert {tuple(p.get_edgecolor()[:3]) for p in ax.patches if not p.get_fill()} <= allowed
    assert {tuple(p.get_facecolor()[:3]) for p in ax.patches if p.get_fill()} <= allowed
