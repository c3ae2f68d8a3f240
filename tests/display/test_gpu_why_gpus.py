"""The figures of the chapter on why GPUs draw what they say."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlcourse.display import gpu_why_gpus as draw
from mlcourse.display.style import COLORS, GRID
from mlcourse.gpu.executor.profile import Request
from mlcourse.gpu.formats import BF16, E4M3, FP16
from mlcourse.gpu.roofline import Roofline
from mlcourse.gpu.throughput import schedule


@pytest.fixture
def ax():
    return Figure().subplots()


def texts(ax):
    return [text.get_text() for text in ax.texts]


def request(operation, block, warp, lanes, first):
    lanes = np.arange(lanes)
    return Request(3, operation, "global", "y", 4, block, warp, lanes, 4 * (first + lanes))


def test_chips_name_their_parts(ax):
    draw.draw_chips(ax)
    assert {"CPU", "GPU", "control", "cache", "arithmetic", "memory"} <= set(texts(ax))


def test_warps_have_32_places_and_the_elements_that_they_store(ax):
    trace = [request("store", 1, 0, 6, 32), request("store", 0, 0, 32, 0), request("load", 0, 0, 32, 0)]
    draw.draw_warps(ax, trace)
    assert len(ax.patches) == 2 * 32 * 2
    assert texts(ax)[:4] == ["block 0, warp 0", "0 … 31", "block 1, warp 0", "32 … 37"]
    dotted = [patch for patch in ax.patches if patch.get_linestyle() == ":"]
    assert len(dotted) == 26


def test_lanes_work_and_wait_until_the_last_one_is_done(ax):
    draw.draw_lanes_over_time(ax, np.array([1, 4, 2]))
    works, waits = ax.containers
    assert [bar.get_height() for bar in works] == [1, 4, 2]
    assert [bar.get_height() for bar in waits] == [3, 0, 2]
    assert ax.get_ylim() == (4, 0)


def test_a_schedule_has_a_box_for_each_cycle_and_a_row_for_nobody(ax):
    served = schedule(2, busy=1, wait=3, n_cycles=8)
    draw.draw_schedule(ax, served, 2)
    assert len(ax.patches) == 8
    assert sum(patch.get_y() > 2 for patch in ax.patches) == np.sum(served < 0) == 4
    assert [label.get_text() for label in ax.get_yticklabels()] == ["warp 0", "warp 1", "nobody"]


def test_bits_are_counted(ax):
    draw.draw_bits(ax, [BF16, E4M3])
    filled = [patch for patch in ax.patches if patch.get_fill() and patch.get_height() == 1]
    assert len(filled) == 16 + 8 + 3
    assert "1 + 8 + 7" in texts(ax) and E4M3.name in texts(ax)


def test_values_are_drawn_once_and_only_those_in_view(ax):
    draw.draw_values(ax, {"a": np.array([0.0, 1, 1, 2, 9]), "b": np.array([0.5])}, 0, 4)
    first, second = ax.collections
    assert [segment[0][0] for segment in first.get_segments()] == [0, 1, 2]
    assert len(second.get_segments()) == 1
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_roofline_bends_at_the_ridge_and_points_lie_where_they_were_measured(ax):
    machine = Roofline(peak=8e9, bandwidth=2e9)
    draw.draw_roofline(ax, {"machine": machine}, {"program": (1.0, 1.5e9)}, intensities=(1, 16))
    roof, point = ax.lines
    assert roof.get_xydata().tolist() == [[1, 2], [4, 8], [16, 8]]
    assert point.get_xydata().tolist() == [[1, 1.5]]
    assert ax.get_ylabel() == "billions of operations a second"
    assert ax.get_legend_handles_labels()[1] == ["machine", "program"]


def test_intervals_have_a_row_for_each_name(ax):
    draw.draw_intervals(ax, {"x": (0.0, -1.0, 1.0), "y": (-3.0, -4.0, -2.0)})
    assert list(ax.lines[0].get_xdata()) == [-1.0, 1.0]
    assert list(ax.lines[2].get_ydata()) == [1, 1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]


def test_colors_are_the_palette(ax):
    draw.draw_bits(ax, [FP16])
    draw.draw_lanes_over_time(ax, np.array([1, 2]))
    from matplotlib.colors import same_color

    allowed = [*COLORS, GRID, "C0", "none"]
    for patch in ax.patches:
        color = patch.get_facecolor()[:3] if patch.get_fill() else patch.get_edgecolor()[:3]
        assert any(same_color(color, other) for other in allowed if other != "none")
