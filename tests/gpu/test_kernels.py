"""The course's kernels: right to float64 on odd sizes, in any order of blocks and warps, clean under the checker, and what they promise."""

import numpy as np
import pytest

from mlcourse.gpu import KernelError, kernels
from mlcourse.gpu.kernels.plans import FOLDER
from mlcourse.gpu.nvrtc import kernels_of
from mlcourse.shapes import ShapeError

RUNGS = [rung for ladder in kernels.LADDERS.values() for rung in ladder]
FILES = sorted(FOLDER.glob("*.cu"))
RNG = np.random.default_rng(20261121)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def sizes(*fixed, draws=2, most=6000):
    """Sizes at the edges of blocks and vectors, and some drawn by chance."""
    return [(n,) for n in (*fixed, *map(int, RNG.integers(2, most, draws)))]


def shapes(*fixed, draws=2, most=200):
    return [*fixed, *(tuple(map(int, RNG.integers(1, most, len(fixed[0])))) for _ in range(draws))]


def softmax64(x):
    e = np.exp(x.astype(float) - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def layer_norm64(x, weight, bias):
    x = x.astype(float)
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * weight + bias


def adamw64(p, g, m, v):
    p, g, m, v = (a.astype(float) for a in (p, g, m, v))
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    return p * (1 - 0.01 * 0.1) - 0.01 * (m / (1 - 0.9**3)) / (np.sqrt(v / (1 - 0.99**3)) + 1e-8)


ADAMW = {"rate": 0.01, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "decay": 0.1, "step": 3}
# For each ladder: its shapes, how inputs are made from a shape, what is right, and the plan's options.
WORK = {
    "copy": (sizes(1, 3, 4096), lambda n: [normal(n)], lambda x: x, {}),
    "vector_add": (sizes(1, 5, 2048), lambda n: [normal(n), normal(n)], lambda a, b: a.astype(float) + b, {}),
    "saxpy": (sizes(1, 7, 2048), lambda n: [2.5, normal(n), normal(n)], lambda a, x, y: a * x.astype(float) + y, {}),
    "transpose": (shapes((1, 1), (33, 70), (64, 128)), lambda r, c: [normal(r, c)], lambda x: x.T, {}),
    "sum": (
        sizes(1, 2, 257, 9000),
        lambda n: [normal(n)],
        lambda x: x.sum(dtype=float).reshape(1),
        {"multiprocessors": 1},
    ),
    "scan": (sizes(1, 255, 4097), lambda n: [normal(n)], lambda x: x.cumsum(dtype=float), {}),
    "histogram": (
        sizes(1, 15, 5000, 40_000),
        lambda n: [RNG.integers(0, 256, n).astype(np.uint8)],
        lambda x: np.bincount(x, minlength=256),
        {"multiprocessors": 1},
    ),
    "matmul": (
        shapes((1, 1, 1), (128, 128, 32), (33, 65, 17)),
        lambda m, n, k: [normal(m, k), normal(k, n)],
        lambda A, B: A.astype(float) @ B,
        {},
    ),
    "softmax": (shapes((1, 1), (3, 1027), (4, 4096), most=50), lambda r, c: [3 * normal(r, c)], softmax64, {}),
    "layer_norm": (
        shapes((1, 1), (3, 1027), (4, 4096), most=50),
        lambda r, c: [normal(r, c) + 5, normal(c), normal(c)],
        layer_norm64,
        {},
    ),
    "adamw": (sizes(1, 6, 1024), lambda n: [normal(n), normal(n), normal(n), normal(n) ** 2], adamw64, ADAMW),
}


def planned(rung, shape):
    """The plan for fresh inputs of a shape, its result poisoned, and what is right."""
    _, make, reference, options = WORK[rung.ladder]
    inputs = make(*shape)
    right = reference(*inputs)
    plan = kernels.plan(rung.kernel, *inputs, **options)
    if not any(plan.result is array for array in inputs) and plan.result.dtype == np.float32:
        plan.result[...] = np.nan
    return plan, right


def assert_right(found, right):
    scale = max(float(np.abs(right).max()), 1.0)
    assert np.abs(found - right).max() <= 2e-6 * scale * max(1, len(np.atleast_1d(right)) ** 0.5 / 10)


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.kernel)
def test_right_and_clean_on_odd_sizes(rung):
    for shape in WORK[rung.ladder][0]:
        plan, right = planned(rung, shape)
        reports = plan.check()
        assert [str(report) for report in reports if not report.ok] == [], shape
        assert_right(plan.result, right)


@pytest.mark.parametrize("order", ["reverse", "random"])
@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.kernel)
def test_right_in_any_order(rung, order):
    plan, right = planned(rung, WORK[rung.ladder][0][-1])
    reports = plan.check(block_order=order, warp_order=order, seed=1)
    assert [str(report) for report in reports if not report.ok] == []
    assert_right(plan.result, right)


@pytest.mark.parametrize("kernel", ["scan_look_back", "sum_one_pass", "matmul_async"])
def test_a_plan_can_be_run_again(kernel):
    plan, right = planned(kernels.rung(kernel), WORK[kernels.rung(kernel).ladder][0][-1])
    for _ in range(3):
        assert_right(plan.run(), right)


@pytest.mark.parametrize("highest", [1, 2, 256])
def test_counters_of_a_thread_do_not_overflow(highest):
    x = RNG.integers(0, highest, 600_000).astype(np.uint8)
    plan = kernels.plan("histogram_threads", x, multiprocessors=1)
    assert (plan.run() == np.bincount(x, minlength=256)).all()
    assert plan.steps[0].launch.grid == 6


def test_softmax_of_masked_and_extreme_rows():
    x = normal(4, 300)
    x[0, :250] = -np.inf
    x[1] += 1e4
    x[2] *= 1e3
    for rung in kernels.ladder("softmax"):
        plan = kernels.plan(rung.kernel, x)
        assert_right(plan.run(), softmax64(x))


def test_softmax_keeps_nan():
    x = normal(2, 300)
    x[1, 7] = np.nan
    for rung in kernels.ladder("softmax"):
        y = kernels.plan(rung.kernel, x).run()
        assert np.isfinite(y[0]).all()
        assert np.isnan(y[1]).all()


@pytest.mark.parametrize("ladder", ["copy", "transpose", "scan", "matmul", "softmax"])
def test_nothing_to_do_launches_nothing(ladder):
    for rung in kernels.ladder(ladder):
        shape = {"copy": (0,), "transpose": (0, 5), "scan": (0,), "matmul": (3, 0, 4), "softmax": (0, 4)}[ladder]
        assert kernels.plan(rung.kernel, *WORK[ladder][1](*shape)).steps == []


def test_a_sum_of_nothing_is_zero_and_so_is_a_product_over_nothing():
    for rung in kernels.ladder("sum"):
        assert kernels.plan(rung.kernel, normal(0)).run() == [0]
    for rung in kernels.ladder("matmul"):
        plan = kernels.plan(rung.kernel, normal(2, 0), normal(0, 3))
        plan.result[...] = np.nan
        assert (plan.run() == 0).all()


def test_tensors_of_the_cpu_work_too():
    import torch

    x = torch.randn(70, 33)
    assert torch.equal(kernels.plan("transpose_padded", x).run(), x.t())
    counts = kernels.plan("histogram_shared", torch.tensor([3, 3, 7], dtype=torch.uint8)).run()
    assert counts[3] == 2
    assert counts.sum() == 3


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match="K must be 3"):
        kernels.plan("matmul_tiled", normal(2, 3), normal(4, 5))
    with pytest.raises(KernelError, match="at most 16384 columns"):
        kernels.plan("softmax_registers", normal(1, 20_000))
    with pytest.raises(KernelError, match="32 bits"):
        kernels.plan("copy", np.broadcast_to(np.float32(0), (2**31,)))
    with pytest.raises(KeyError, match="matmul_tiled"):
        kernels.rung("matmul_tyled")
    with pytest.raises(KeyError, match="there are copy"):
        kernels.ladder("gemm")
    with pytest.raises(FileNotFoundError, match="transpose"):
        kernels.source("transpos")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_short_says_what_it_is_and_every_kernel_of_it_is_used(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 140
    assert lines[0].startswith("//")
    assert "Launch" in "".join(lines[:8]) or "blocks of" in "".join(lines[:8])
    if path.stem == "compact":  # not a ladder: its chapter launches it, and `test_pattern_lessons` tests it
        return
    helpers = {"add_offsets"} if path.stem == "scan" else set()
    assert set(kernels_of("\n".join(lines))) == {rung.kernel for rung in RUNGS if rung.file == path.stem} | helpers


def test_every_rung_says_what_is_new():
    assert all(rung.idea for rung in RUNGS)
    names = [rung.kernel for rung in RUNGS]
    assert len(names) == len(set(names)) == 39
    assert len(kernels.ladder("matmul")) == 8
