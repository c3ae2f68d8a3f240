"""The loops of the chapter on first kernels, and the kernels that take their place."""

import numpy as np
import pytest

from mlcourse.gpu import Kernel
from mlcourse.gpu.kernels import source
from tests.conftest import ROOT

SIZES = [1, 31, 33, 1000]


def chapter_kernels():
    """The texts of CUDA C++ in the chapter's cells, by name."""
    import ast
    import re

    text = (ROOT / "book/gpu/first-kernels.md").read_text()
    found = {}
    for cell in re.findall(r"```\{code-cell\} ipython3\n(.*?)```", text, re.DOTALL):
        code = re.sub(r"^(?:---\n.*?\n---|:[^\n]*)\n", "", cell, flags=re.DOTALL)
        for node in ast.parse(code).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and "__global__" in str(node.value.value)
            ):
                found[node.targets[0].id] = node.value.value
    return found


KERNELS = chapter_kernels()


def add_loop(a, b):
    c = np.empty_like(a)
    for i in range(len(a)):
        c[i] = a[i] + b[i]
    return c


def clamp(value, size):
    return min(max(value, 0), size - 1)


def stencil_loop(image, weights):
    h, w = image.shape
    out = np.empty((h, w), np.float32)
    for row in range(h):
        for col in range(w):
            neighbors = [(clamp(row + i, h), clamp(col + j, w)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            out[row, col] = sum(weight * image[place] for weight, place in zip(weights.ravel(), neighbors, strict=True))
    return out


def test_the_chapter_has_the_kernels_that_it_must_teach():
    assert set(KERNELS) >= {"ADD", "GUARDED", "MAP", "GRAY", "STENCIL", "STRIDE", "COUNT", "SUM", "SOBEL"}


@pytest.mark.parametrize("n", SIZES)
def test_sums_equal_the_loop(n):
    a, b = np.random.default_rng(n).normal(size=(2, n)).astype(np.float32)
    for text, name in ((KERNELS["GUARDED"], "add"), (source("vector_add"), "vector_add")):
        c = np.full_like(a, np.nan)
        Kernel(text, name)[-(-n // 64), 64](a, b, c, n)
        assert np.array_equal(c, add_loop(a, b))


@pytest.mark.parametrize("shape", [(1, 1), (9, 33), (17, 5)])
def test_stencils_equal_the_loop_and_are_clean(shape):
    h, w = shape
    rng = np.random.default_rng(h)
    image, weights, out = rng.random(shape, np.float32), rng.random((3, 3), np.float32), np.empty(shape, np.float32)
    launch = (-(-w // 16), -(-h // 8)), (16, 8)
    report = Kernel(KERNELS["STENCIL"], "stencil").check[launch](image, weights, out, h, w, outputs="out")
    assert report.ok, report
    assert np.allclose(out, stencil_loop(image, weights), atol=1e-5)
    assert Kernel(KERNELS["SOBEL"], "sobel").check[launch](image, out, h, w, outputs="out").ok


@pytest.mark.parametrize("kernel", ["square", "square_chunks"])
def test_walks_are_right_for_every_grid(kernel):
    x = np.random.default_rng(0).normal(size=1003).astype(np.float32)
    for grid, block in ((1, 1), (3, 32), (40, 256)):
        out = np.full_like(x, np.nan)
        assert Kernel(KERNELS["STRIDE"], kernel).check[grid, block](x, out, x.size, outputs="out").ok
        assert np.array_equal(out, x * x)


@pytest.mark.parametrize(("kernel", "faults"), [("count_plain", ["race"]), ("count_atomic", []), ("count_few", [])])
def test_counts_and_their_races(kernel, faults):
    x = np.random.default_rng(0).random(1000, np.float32)
    for order in ("forward", "reverse", "random"):
        count = np.zeros(1, np.int32)
        report = Kernel(KERNELS["COUNT"], kernel).check[5, 64](
            x[:300], 0.25, count, 300, block_order=order, warp_order=order
        )
        assert [fault.kind for fault in report.faults] == faults
        assert faults or count[0] == np.count_nonzero(x[:300] < 0.25)
