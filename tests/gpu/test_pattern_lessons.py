"""The loops that the chapter on parallel patterns shows, taken from its page, equal the kernels, NumPy and each other."""

import ast
import math

import numpy as np
import pytest

from mlcourse.authoring.myst import read_notebook
from mlcourse.gpu import Kernel
from mlcourse.gpu.kernels import ladder, plan, source
from tests.conftest import ROOT

CELLS = [cell.source for cell in read_notebook(ROOT / "book/gpu/parallel-patterns.md")[1] if cell.kind == "code"]
SIZES = (1, 2, 31, 256, 257, 1000, 5000)


def loops():
    """All functions that the page defines, by name."""
    names = {"np": np, "math": math}
    for cell in CELLS:
        code = "\n".join(line for line in cell.split("\n") if not line.startswith(("%", ":")))
        if cell.startswith("---"):
            continue
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef):
                exec(compile(ast.Module([node], []), "page", "exec"), names)
    return names


LOOPS = loops()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def padded(x):
    """The numbers of a block, with zeros up to the next power of two."""
    return np.concatenate([x, np.zeros((1 << max(len(x) - 1, 0).bit_length()) - len(x), x.dtype)])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kernel", [rung.kernel for rung in ladder("sum")])
def test_the_tree_of_the_lesson_equals_every_rung(rng, n, kernel):
    x = rng.integers(-9, 9, size=n).astype(np.float32)  # exact in any order
    assert plan(kernel, x).run()[0] == LOOPS["tree_sum"](padded(x)) == x.sum()


def test_the_tree_adds_in_the_order_of_the_kernel(rng):
    x = rng.normal(size=256).astype(np.float32)
    assert plan("sum_sequential", x).run()[0] == LOOPS["tree_sum"](x)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kernel", [rung.kernel for rung in ladder("scan")])
def test_the_scans_of_the_lesson_equal_every_rung(rng, n, kernel):
    x = rng.integers(-9, 9, size=n).astype(np.float32)
    by_kernel = plan(kernel, x).run()
    assert np.array_equal(by_kernel, LOOPS["scan_hillis_steele"](x)[0])
    assert np.array_equal(by_kernel - x, LOOPS["scan_blelloch"](padded(x))[0][:n])
    assert np.array_equal(by_kernel, LOOPS["scan_in_blocks"](x))
    assert np.array_equal(by_kernel, np.cumsum(x))


@pytest.mark.parametrize("seed", range(20))
def test_look_back_finds_what_comes_before_whoever_is_first(seed):
    rng = np.random.default_rng(seed)
    sums = rng.integers(-9, 9, size=int(rng.integers(1, 20)))
    result, story = LOOPS["look_back_scan"](sums, rng)
    assert np.array_equal(result, np.cumsum(sums) - sums)
    assert set(story[0]) == {"·"}
    assert set(story[-1]) == {"P"}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kernel", [rung.kernel for rung in ladder("histogram")])
def test_the_private_histogram_of_the_lesson_equals_every_rung(rng, n, kernel):
    x = rng.integers(0, 256, size=n).astype(np.uint8)
    counts = LOOPS["histogram_private"](x)
    assert np.array_equal(plan(kernel, x).run(), counts)
    assert np.array_equal(counts, np.bincount(x, minlength=256))


def test_summation_errors_stay_below_their_bounds(rng):
    x = rng.uniform(0, 1, size=4096).astype(np.float32)
    exact, u = math.fsum(x), 2.0**-24
    for name, bound in (("tree_sum", 12.01 * u), ("kahan_sum", 2.01 * u)):
        assert abs(float(LOOPS[name](x)) - exact) <= bound * exact, name
    assert abs(float(np.cumsum(x)[-1]) - exact) <= 4095 * 1.01 * u * exact


# --- compaction ------------------------------------------------------------------------------------------------------------


def kernels(*names):
    return [Kernel(source("compact"), name) for name in names]


def by_scan(x, threshold, **options):
    n, grid = len(x), -(-len(x) // 256)
    counts, starts = np.empty((2, grid), np.int32)
    kept, count = np.full(n, -1, np.int32), np.empty(1, np.int32)
    count_kept, starts_of_blocks, write_kept = kernels("count_kept", "starts_of_blocks", "write_kept")
    reports = [
        count_kept.check[grid, 256](x, threshold, counts, n, outputs="counts", **options),
        starts_of_blocks.check[1, 1024](counts, starts, count, grid, outputs=("starts", "count"), **options),
        write_kept.check[grid, 256](x, threshold, starts, kept, n, **options),
    ]
    assert all(report.ok for report in reports), reports
    return kept[: count[0]]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("order", ["forward", "reverse", "random"])
def test_compaction_by_a_scan_is_flatnonzero_in_any_order(rng, n, order):
    x = rng.normal(size=n).astype(np.float32)
    kept = by_scan(x, 0.3, block_order=order, warp_order=order)
    assert np.array_equal(kept, np.flatnonzero(x > 0.3))
    assert kept.tolist() == LOOPS["compact"](x, 0.3)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["compact_counter", "compact_warps"])
def test_compaction_by_atomics_keeps_the_right_ones(rng, n, name):
    x = rng.normal(size=n).astype(np.float32)
    kept, count = np.full(n, -1, np.int32), np.zeros(1, np.uint32)
    (kernel,) = kernels(name)
    assert kernel.check[-(-n // 256), 256](x, 0.3, kept, count, n, block_order="random", seed=n).ok
    assert np.array_equal(np.sort(kept[: count[0]]), np.flatnonzero(x > 0.3))
    assert (kept[count[0] :] == -1).all()


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_compaction_of_nothing_and_of_everything(value):
    x = np.full(777, value, np.float32)
    assert len(by_scan(x, 0)) == (777 if value > 0 else 0)
