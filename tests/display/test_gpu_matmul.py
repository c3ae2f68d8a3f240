"""The figures of the chapter on matrix multiplication draw what they say."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlcourse.display import gpu_matmul
from mlcourse.gpu import kernels
from tests.gpu.wheels import needs_wheels


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def tiled():
    A, B = np.ones((64, 32), np.float32), np.ones((32, 64), np.float32)
    return kernels.plan("matmul_tiled", A, B).profile(trace=1000)[0]


def covered(patches, shape):
    """How often each element of a matrix lies in one of these rectangles."""
    times = np.zeros(shape, int)
    for patch in patches:
        row, col = round(patch.get_y()), round(patch.get_x())
        times[row : row + round(patch.get_height()), col : col + round(patch.get_width())] += 1
    return times


def test_tiles_are_drawn_in_their_matrix():
    axes = Figure().subplots(2, 2)
    tiles = [("A", 2, 0, 2, 4, "C0", "piece"), ("C", 2, 3, 2, 3, "C2", "")]
    gpu_matmul.draw_product(axes, {"A": (8, 4), "B": (4, 9), "C": (8, 9)}, tiles)
    a, c = axes[1, 0].patches, axes[1, 1].patches
    assert covered(a[1:2], (8, 4)).sum() == 8
    assert covered(c[1:2], (8, 9))[2:4, 3:6].all()
    assert [text.get_text() for text in axes[1, 0].texts] == ["piece"]
    assert axes[0, 1].get_title() == "B  (4 × 9)"


def test_every_element_of_block_0_has_the_thread_that_the_kernel_says(tiled):
    who = gpu_matmul.owners(tiled, (64, 64))
    y, x = np.mgrid[:32, :32]
    assert (who[:32, :32] == 32 * y + x).all()
    assert (who[32:] == -1).all()
    assert (who[:, 32:] == -1).all()


def test_wide_stores_belong_to_one_thread():
    A, B = np.ones((128, 16), np.float32), np.ones((16, 128), np.float32)
    (profile,) = kernels.plan("matmul_warp", A, B).profile(trace=5000)
    who = gpu_matmul.owners(profile, (128, 128))
    assert (np.bincount(who.ravel()) == 128).all()
    assert (who[:4, :4] == 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_rectangles_cover_a_mask_exactly_once(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((rng.integers(1, 9), rng.integers(1, 9))) < 0.6
    times = np.zeros(mask.shape, int)
    for row, col, height, width in gpu_matmul.rectangles(mask):
        times[row : row + height, col : col + width] += 1
    assert (times == mask).all()


def test_warp_is_tinted_and_thread_is_solid(ax):
    who = np.arange(64).reshape(8, 8)
    gpu_matmul.draw_owners(ax, who, warp=1, thread=33, title="a tile")
    light = [p for p in ax.patches if p.get_alpha() < 1]
    solid = [p for p in ax.patches if p.get_alpha() == 1]
    assert (covered(light, (8, 8)) == (who // 32 == 1)).all()
    assert np.argwhere(covered(solid, (8, 8))).tolist() == [[4, 1]]
    assert ax.get_title() == "a tile"


@pytest.mark.parametrize("stages", [1, 2, 3, 5])
def test_schedule_keeps_its_rules_and_is_never_longer_than_with_fewer_stages(stages):
    copies, computations = gpu_matmul.schedule(7, copy=2, compute=3, stages=stages)
    assert (np.diff(copies, axis=1) == 2).all()
    assert (np.diff(computations, axis=1) == 3).all()
    assert (computations[:, 0] >= copies[:, 1]).all()
    assert (copies[1:, 0] >= copies[:-1, 1]).all()
    assert (copies[stages:, 0] >= computations[:-stages, 1]).all()
    assert computations[-1, 1] == (7 * 5 if stages == 1 else 2 + 7 * 3)


def test_schedule_is_drawn_with_a_bar_for_each_copy_and_computation(ax):
    gpu_matmul.draw_schedule(ax, 4, 1, 2, 2)
    assert len(ax.patches) == 8
    assert {patch.get_hatch() for patch in ax.patches} == {"", "////"}
    assert ax.get_title() == "2 stages of shared memory"


def test_bars_have_their_values(ax):
    gpu_matmul.draw_bars(ax, {"tiled": 2.0, "square": 0.25}, "passes", 0.5, "limit")
    assert [patch.get_width() for patch in ax.patches] == [2.0, 0.25]
    assert [text.get_text() for text in ax.texts] == ["2", "0.25"]
    assert ax.get_legend_handles_labels()[1] == ["limit"]


def test_counts_for_each_multiply_add(tiled):
    counts = gpu_matmul.per_fma(tiled, 64 * 64 * 32)
    assert counts == {"sectors": 0.25, "requests": 2, "passes": 2, "stored": 2 / 32}


def test_count_table_has_a_row_for_each_access(tiled):
    table = gpu_matmul.count_table(tiled)
    assert len(table.rows()) == len(tiled.lines)
    assert table._repr_markdown_().count("\n") == len(tiled.lines) + 1
    assert "global load of A, 4 B" in repr(table)


def test_without_a_compiler_its_recorded_counts_are_shown(monkeypatch):
    from mlcourse.gpu import KernelError

    def missing(name):
        raise KernelError("not installed")

    monkeypatch.setattr(gpu_matmul, "_compiled", missing)
    counts, compiler = gpu_matmul.machine_code()
    assert list(counts) == [rung.kernel for rung in kernels.ladder("matmul")][2:]
    assert compiler.endswith("(recorded)")


@needs_wheels
def test_the_recorded_counts_are_those_of_the_compiler():
    counts, compiler = gpu_matmul.machine_code()
    if compiler != gpu_matmul.RECORDED_WITH:
        pytest.skip(f"recorded with {gpu_matmul.RECORDED_WITH}, installed is {compiler}")
    assert counts == gpu_matmul.RECORDED
