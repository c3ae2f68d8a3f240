"""What the pictures of first kernels say of a launch."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from mlcourse.display import gpu_first_kernels as draw
from mlcourse.gpu import Kernel

FILL = """
__global__ void fill(float* x, int n) {
  int stride = gridDim.x * blockDim.x;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) x[i] = 1;
}
__global__ void fill_image(float* x, int h, int w) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < h && col < w) x[row * w + col] = 1;
}"""


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def fill(n, grid, block, **options):
    profile = Kernel(FILL, "fill").profile[grid, block](np.empty(n, np.float32), n, **options)
    return draw.threads_at_work(profile, "x")


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def hatched(ax):
    return sum(isinstance(patch, Rectangle) and patch.get_hatch() is not None for patch in ax.patches)


def test_each_element_has_one_thread_and_its_turn():
    work = fill(20, 2, 4)
    assert sorted(work["element"]) == list(range(20))
    assert np.array_equal(work["element"], 8 * work["turn"] + 4 * work["block"] + work["thread"])


def test_an_incomplete_trace_is_refused():
    with pytest.raises(ValueError, match="not complete"):
        fill(20, 2, 4, trace=1)


def test_what_no_thread_touched_is_refused():
    profile = Kernel(FILL, "fill").profile[1, 32](np.empty(8, np.float32), 8)
    with pytest.raises(ValueError, match="has no load of 'y'"):
        draw.threads_at_work(profile, "y", "load")


def test_blocks_name_each_element_and_hatch_idle_threads(ax):
    draw.draw_blocks(ax, fill(20, 3, 8), 3, 8)
    assert [text for text in texts(ax) if text.startswith("i=")] == [f"i={i}" for i in range(20)]
    assert hatched(ax) == 4


def test_warps_are_filled_as_far_as_they_work(ax):
    draw.draw_warps(ax, fill(72, 1, 96), 1, 96)
    widths = sorted(patch.get_width() for patch in ax.patches if patch.get_fill())
    assert widths == [8 / 32, 1, 1]
    assert hatched(ax) == 1


def test_tiles_cover_the_image_and_no_more(ax):
    profile = Kernel(FILL, "fill_image").profile[(2, 2), (4, 4)](np.empty((5, 6), np.float32), 5, 6)
    draw.draw_tiles(ax, draw.threads_at_work(profile, "x"), (5, 6), (2, 2), (4, 4))
    assert hatched(ax) == 8 * 8 - 5 * 6
    assert sum("," in text for text in texts(ax)) == 30


def test_tiles_refuse_threads_that_handle_another_pixel(ax):
    profile = Kernel(FILL, "fill_image").profile[(2, 2), (4, 4)](np.empty((5, 6), np.float32), 5, 6)
    with pytest.raises(ValueError, match="handles element"):
        draw.draw_tiles(ax, draw.threads_at_work(profile, "x"), (6, 5), (2, 2), (4, 4))


def test_reads_are_counted(ax):
    draw.draw_reads(ax, [0, 0, 1, 7], (2, 6), (0, 0))
    assert texts(ax) == ["2×", "1×", "1×"]


def test_a_walk_names_threads_by_their_number_in_the_grid(ax):
    draw.draw_walk(ax, fill(10, 2, 2), 10, 2)
    threads = [text for text in texts(ax) if text.startswith("t") and text[1:].isdigit()]
    assert sorted(threads) == sorted(["t0", "t1", "t2", "t3"] * 2 + ["t0", "t1"])
    assert "turn 3" in texts(ax)


def test_an_interleaving_shows_the_lost_update(ax):
    draw.draw_interleaving(ax, "ABABAB")
    assert texts(ax).count("writes 1") == 2
    assert "writes 2" not in texts(ax)


def test_timelines_name_what_is_done(ax):
    draw.draw_timelines(ax, {"host": [(0, 1, "launch", 0), (1, 3, "wait", None)]}, marks=[(3, "done")])
    assert {"host", "launch", "wait", "done"} <= set(texts(ax))
    assert hatched(ax) == 1


def test_times_are_taken_in_turn():
    calls = []
    times = draw.interleaved_times({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3)
    assert calls == ["a", "b"] * 4
    assert all(len(seconds) == 3 and (seconds >= 0).all() for seconds in times.values())


def test_the_interval_of_a_ratio_covers_it_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(200):
        times, reference = 3 * rng.lognormal(0, 0.3, 31), rng.lognormal(0, 0.3, 31)
        _, low, high = draw.ratio_interval(times, reference, rng=rng, draws=300)
        covered += low <= 3 <= high
    assert 0.88 * 200 <= covered <= 200
