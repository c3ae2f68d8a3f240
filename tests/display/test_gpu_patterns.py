"""The pictures and tables of parallel patterns show what they say."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from mlcourse.display import gpu_patterns as draw
from mlcourse.gpu.kernels import plan


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def x():
    return np.random.default_rng(0).integers(1, 9, size=256).astype(np.float32)


def texts(ax):
    return [text.get_text() for text in ax.texts]


# --- counts


def test_a_ladder_is_counted(x):
    counts = draw.count_ladder({name: plan(name, x) for name in ("sum_interleaved", "sum_sequential")})
    row = counts["sum_sequential"]
    assert (row["launches"], row["atomics"], row["global"]) == (1, 0, 8 + 1)
    assert row["passes"] == 8 + 3 * 12 + 1
    assert counts["sum_interleaved"]["passes"] == 8 + 3 * 47 + 1
    assert "| `sum_sequential` | 1 | 9 |" in counts._repr_markdown_()
    assert repr(counts).splitlines()[0].split()[0] == "rung"


# --- networks


@pytest.mark.parametrize("n", [2, 8, 64])
def test_steps_compute_what_they_are_named_for(n):
    x = np.random.default_rng(n).integers(-9, 9, size=n)
    for kind in ("sequential", "interleaved"):
        assert draw.run_steps(x, draw.tree_steps(n, kind))[-1, 0] == x.sum()
    assert np.array_equal(draw.run_steps(x, draw.hillis_steele_steps(n))[-1], np.cumsum(x))
    assert np.array_equal(draw.run_steps(x, draw.blelloch_steps(n))[-1], np.cumsum(x) - x)


@pytest.mark.parametrize("n", [0, 1, 6])
def test_only_powers_of_two_have_these_steps(n):
    with pytest.raises(ValueError, match="power of two"):
        draw.tree_steps(n)


def test_a_network_shows_every_value_and_rings_the_changed_ones(ax):
    draw.draw_network(ax, [1, 2, 3, 4], draw.tree_steps(4), names=["in", "a", "b"])
    assert texts(ax) == ["1", "2", "3", "4", "in", "4", "6", "3", "4", "a", "10", "6", "3", "4", "b"]
    assert sum(circle.get_linewidth() == 2 for circle in ax.patches if isinstance(circle, Circle)) == 2 + 1


# --- from the trace


@pytest.mark.parametrize(("name", "warps"), [("sum_interleaved", 47), ("sum_sequential", 12)])
def test_the_trace_tells_who_works(ax, x, name, warps):
    working = draw.working_threads(plan(name, x).profile(trace=200)[0], "part[t] += part[t + step]")
    assert working.shape == (8, 256)
    assert working.sum(axis=1).tolist() == [128, 64, 32, 16, 8, 4, 2, 1]
    draw.draw_activity(ax, working, title=name)
    assert ax.get_title(loc="left") == f"{name}: {warps} warps have work"
    assert sum(isinstance(patch, Rectangle) and not patch.get_fill() for patch in ax.patches) == warps


def test_bank_conflicts_of_a_tree_grow_with_its_distance_and_fall_with_its_threads(x):
    profile = plan("scan_blelloch", x).profile(trace=200)[0]
    assert draw.passes_by_step(profile, "part[right] += part[right - step]") == [2, 4, 8, 8, 8, 4, 2, 1]


def test_a_line_is_looked_for_in_its_kernel_alone(x):
    profile = plan("sum_shuffles", x).profile()[0]
    number = draw.line_of(profile, "sums[blockIdx.x] = sum")
    assert "sums[blockIdx.x] = sum" in profile.source.splitlines()[number - 1]
    with pytest.raises(ValueError, match="the kernel sum_shuffles has no line with"):
        draw.line_of(profile, "part[t] += part[t + step]")


def test_contention_is_the_number_of_lanes_with_one_address():
    distinct, same = np.arange(256, dtype=np.uint8), np.zeros(256, np.uint8)
    mixed = np.where(np.arange(256) % 4 == 0, 7, np.arange(256)).astype(np.uint8)
    for data, expected in ((distinct, 1), (same, 32), (mixed, 8)):
        (profile,) = plan("histogram_global", data).profile()
        assert set(draw.contention(profile, "counts").tolist()) <= {expected, expected + 1}
        assert draw.contention(profile, "x").size == 0


def test_shuffles_color_what_reaches_a_lane(ax):
    lanes = np.arange(8)
    down = np.array([np.where(lanes + d < 8, lanes + d, lanes) for d in (4, 2, 1)])
    draw.draw_lanes(ax, down)
    colored = [line for line in ax.lines if line.get_linestyle() == "-" and line.get_linewidth() == 1.5]
    assert len(colored) == 4 + 2 + 1
    assert [text.get_text() for text in ax.get_yticklabels()] == ["before", "step 1", "step 2", "step 3"]


# --- ideas


def test_a_lost_update_ends_at_the_wrong_total():
    axes = Figure().subplots(1, 2)
    draw.draw_lost_update(axes)
    assert "write 107" in texts(axes[0])
    assert texts(axes[1]) == ["100 → 105", "105 → 112"]


def test_look_back_frames_what_changed(ax):
    draw.draw_look_back(ax, ["··", "P·", "PA", "PP"])
    framed = [patch for patch in ax.patches if not patch.get_fill() and patch.get_linewidth() == 1.4]
    assert [(p.get_x(), p.get_y()) for p in framed] == [(0, 1), (1, 2), (1, 3)]
    assert "".join(texts(ax)) == "··P·PAPP"


def test_compaction_shows_places_and_result(ax):
    values = np.array([3, 9, 1, 8])
    draw.draw_compaction(ax, values, values > 2)
    shown = texts(ax)
    places = shown.index("place")
    assert shown[places - 4 : places] == ["0", "1", "2", "2"]
    assert [text for text in shown[places + 1 :] if text] == ["3", "9", "8", "result"]


def test_outcomes_are_words_as_well_as_colors(ax):
    draw.draw_bugs(ax, {"a": ["right", "wrong", "found"]}, ["one", "two", "checker"])
    assert texts(ax) == ["right result", "wrong result", "found", "a", "one", "two", "checker"]
