"""The pictures of differentiation say what the computation does: numbers, what flows back, shapes, memory."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Rectangle

from mlcourse.autograd import Value
from mlcourse.display import autograd as draw
from mlcourse.display.style import COLORS, GRID, INK, PAPER


@pytest.fixture
def places():
    x, y = Value(3), Value(4)
    a, b = x * y, x**2
    z = a + b
    return {x: (0, 0, "x"), y: (0, 1, "y"), a: (2, 1, "a"), b: (2, 0, "b"), z: (4, 0, "z")}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def arrows(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def test_graph_shows_numbers_and_local_derivatives(ax, places):
    draw.draw_graph(ax, places)
    assert {"x = 3", "y = 4", "a = 12", "b = 9", "z = 21"} <= set(texts(ax))
    assert sorted(set(texts(ax)) - {text for text in texts(ax) if "=" in text}) == ["1", "3", "4", "6"]
    assert len(arrows(ax)) == 5


@pytest.mark.parametrize(
    ("passed_on", "arrived"),
    [
        (1, {"z: 1", "a: 1", "b: 1", "x: 0", "y: 0"}),
        (2, {"z: 1", "a: 1", "b: 1", "x: 6", "y: 0"}),
        (3, {"z: 1", "a: 1", "b: 1", "x: 10", "y: 3"}),
    ],
)
def test_backward_pass_shows_what_has_arrived_so_far(ax, places, passed_on, arrived):
    draw.draw_graph(ax, places, passed_on=passed_on)
    assert {text for text in texts(ax) if ":" in text} == arrived


def test_end_of_the_backward_pass_is_the_gradient(ax, places):
    draw.draw_graph(ax, places, passed_on=len(places))
    result = max(places, key=lambda value: value.time)
    result.backward()
    assert {text for text in texts(ax) if ":" in text} == {f"{name}: {v.grad:g}" for v, (*_, name) in places.items()}


def test_ladder_counts_its_paths(ax):
    draw.draw_ladder(ax, 4)
    assert [text for text in texts(ax) if "path" in text] == ["1 path", "2 paths", "4 paths", "8 paths", "16 paths"]
    assert len(arrows(ax)) == 8


def test_jacobians_show_the_shapes_of_both_orders(ax):
    draw.draw_jacobians(ax, (7, 5, 4, 1))
    shown = [text for text in texts(ax) if "×" in text]
    factors = ["1×4", "4×5", "5×7"]
    J = [np.zeros(tuple(map(int, shape.split("×")))) for shape in factors]
    from_the_left = [J[0].shape, (J[0] @ J[1]).shape, (J[0] @ J[1] @ J[2]).shape]
    from_the_right = [J[2].shape, (J[1] @ J[2]).shape, (J[0] @ J[1] @ J[2]).shape]
    expected = [
        *factors,
        *("{}×{}".format(*s) for s in from_the_left),
        *factors,
        *("{}×{}".format(*s) for s in from_the_right),
    ]
    assert shown == expected


def test_broadcast_shows_the_sums(ax):
    g = np.arange(12).reshape(3, 4)
    draw.draw_broadcast_backward(ax, np.array([[10], [20], [30]]), np.array([1, 2, 3, 4]), g)
    assert {"6", "22", "38", "12", "15", "18", "21", "x (3, 1)", "b (4,)", "y (3, 4)"} <= set(texts(ax))


def test_matrix_product_has_rectangles_that_fit(ax):
    draw.draw_matmul_backward(ax, 5, 3, 2)
    boxes = [
        (box.get_height(), box.get_width()) for box in ax.patches if isinstance(box, Rectangle) and not box.get_fill()
    ]
    assert boxes == [(5, 3), (3, 2), (5, 2), (5, 2), (2, 3), (5, 3), (3, 5), (5, 2), (3, 2)]


def test_selection_adds_what_was_taken_twice(ax):
    draw.draw_index_backward(ax, np.array([5, 6, 7, 8, 9]), [3, 0, 3], np.array([1, 2, 4]))
    assert texts(ax)[:8] == ["5", "6", "7", "8", "9", "8", "5", "8"]
    assert texts(ax)[10:15] == ["2", "0", "0", "5", "0"]
    assert len(arrows(ax)) == 6


def test_network_names_every_shape(ax):
    draw.draw_network(ax, 50, (64, 32, 10))
    assert {"(50,64)", "(50,32)", "(50,10)", "()", "(64,32)", "(32,)", "(32,10)", "(10,)"} <= set(texts(ax))
    assert sum(arrow.get_edgecolor()[:3] == to_rgb(COLORS[1]) for arrow in arrows(ax)) == 7


def test_only_colors_that_follow_the_theme(ax, places):
    draw.draw_graph(ax, places, passed_on=2)
    draw.draw_network(ax, 50, (64, 32, 10))
    draw.draw_jacobians(ax, (3, 2, 1))
    allowed = {to_rgb(color) for color in (*COLORS, INK, GRID, PAPER)}
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert {tuple(box.get_facecolor()[:3]) for box in boxes if box.get_fill()} <= allowed
    assert {tuple(box.get_edgecolor()[:3]) for box in boxes if not box.get_fill()} <= allowed
    assert {tuple(arrow.get_edgecolor()[:3]) for arrow in arrows(ax)} <= allowed


def test_memory_log_sees_arrays_come_and_go():
    with draw.MemoryLog() as log:
        kept = np.ones(500_000)
        log.note()
        del kept
        log.note()
    assert log.megabytes == pytest.approx([4, 0], abs=0.05)
