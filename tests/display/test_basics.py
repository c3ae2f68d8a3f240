"""The pictures of objects show what is there: one box for one object, the bytes of UTF-8, the floats between numbers."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Rectangle

from mlcourse.display import basics as draw
from mlcourse.display.style import COLORS, GRID, INK, PAPER


def texts(ax):
    return [text.get_text() for text in ax.texts]


def arrows(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def test_two_names_of_one_list_lead_to_one_box(ax):
    a = [3, 1, 2]
    draw.draw_names(ax, {"a": a, "b": a})
    assert texts(ax).count("list") == 1
    assert len(arrows(ax)) == 2


def test_two_equal_lists_have_two_boxes(ax):
    draw.draw_names(ax, {"a": [3, 1], "b": [3, 1]})
    assert texts(ax).count("list") == 2


@pytest.mark.parametrize(("board", "n_lists"), [([[0] * 3] * 2, 2), ([[0] * 3 for _ in range(2)], 3)])
def test_rows_that_are_one_list_are_drawn_once(ax, board, n_lists):
    draw.draw_names(ax, {"board": board})
    assert texts(ax).count("list") == n_lists
    assert len(arrows(ax)) == 3


def test_other_objects_show_type_and_value(ax):
    draw.draw_names(ax, {"n": 7, "s": "ab"})
    assert {"int", "7", "str", "'ab'", "n", "s"} <= set(texts(ax))


@pytest.mark.parametrize(
    ("ends", "taken"), [((1, 4), [1, 2, 3]), ((-3, None), [4, 5, 6]), ((-2, None, -2), [5, 3, 1]), ((5, 2), [])]
)
def test_gaps_mark_what_the_slice_takes_in_its_order(ax, ends, taken):
    draw.draw_gaps(ax, "slicing", *ends)
    numbers = {text.get_text(): text.get_position()[0] for text in ax.texts if text.get_text().endswith(".")}
    assert [numbers[f"{i + 1}."] for i in range(len(taken))] == [i + 0.5 for i in taken]
    assert len(numbers) == len(taken)


def test_encoding_shows_the_bytes_of_utf_8(ax):
    draw.draw_encoding(ax, "a€")
    assert {"U+0061", "U+20AC", "61", "e2", "82", "ac"} <= set(texts(ax))


def test_floats_lie_where_they_are(ax):
    draw.draw_floats(ax, "0.3", {"0.3": 0.3, "0.1 + 0.2": 0.1 + 0.2})
    marked = [line.get_xdata()[0] for line in ax.lines if line.get_marker() in ("o", "s")]
    assert marked == [-0.2, 0.8]


def test_traceback_is_that_of_the_program_alone():
    said = draw.traceback_of("def f(x):\n    return 1 / x\n\nf(0)\n", "some.py")
    assert said.startswith('Traceback (most recent call last):\n  File "some.py", line 4, in <module>\n    f(0)\n')
    assert said.endswith("ZeroDivisionError: division by zero")
    assert "basics.py" not in said


def test_only_colors_that_follow_the_theme(ax):
    draw.draw_names(ax, {"a": [1], "s": "x"})
    draw.draw_gaps(ax, "word", 0, 2)
    draw.draw_encoding(ax, "aé")
    allowed = {to_rgb(c) for c in (*COLORS, INK, GRID, PAPER)}
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert {tuple(box.get_edgecolor()[:3]) for box in boxes if not box.get_fill()} <= allowed
    assert {tuple(box.get_facecolor()[:3]) for box in boxes if box.get_fill()} <= allowed
