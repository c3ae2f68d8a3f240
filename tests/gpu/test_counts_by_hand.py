"""The executor counts sectors and bank passes as the loops of the chapter on the memory hierarchy do, for any pattern of access."""

import math

import numpy as np
import pytest

from mlcourse.gpu import Kernel, kernels

SOURCE = """
__global__ void gathered(const float* in, const int* index, float* out) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = in[index[i]];
}

__global__ void gathered_doubles(const double* in, const int* index, double* out) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = in[index[i]];
}

__global__ void from_table(const int* index, float* out) {
  __shared__ float table[2048];
  for (int i = threadIdx.x; i < 2048; i += blockDim.x) table[i] = i;
  __syncthreads();
  out[threadIdx.x] = table[index[threadIdx.x]];
}
"""


def count_sectors(offsets, size):
    touched = set()
    for offset in offsets:
        for byte in range(offset, offset + size):
            touched.add(byte // 32)
    return len(touched)


def count_passes(offsets):
    words = {offset // 4 for offset in offsets}
    wanted = [0] * 32
    for word in words:
        wanted[word % 32] += 1
    return max(wanted)


def transfers(profile, array, operation="load"):
    return sum(line.transfers for line in profile.lines if (line.array, line.operation) == (array, operation))


@pytest.mark.parametrize(("kernel", "dtype"), [("gathered", np.float32), ("gathered_doubles", np.float64)])
@pytest.mark.parametrize("spread", [8, 50, 400, 4000])
def test_sectors(kernel, dtype, spread):
    rng = np.random.default_rng(spread)
    index = rng.integers(spread, size=256).astype(np.int32)
    profile = Kernel(SOURCE, kernel).profile[2, 128](np.zeros(spread, dtype), index, np.zeros(256, dtype))
    size = np.dtype(dtype).itemsize
    assert transfers(profile, "in") == sum(count_sectors(size * warp, size) for warp in index.reshape(8, 32))


@pytest.mark.parametrize("spread", [1, 40, 300, 2048])
def test_passes(spread):
    rng = np.random.default_rng(spread)
    index = rng.integers(spread, size=128).astype(np.int32)
    profile = Kernel(SOURCE, "from_table").profile[1, 128](index, np.zeros(128, np.float32))
    assert transfers(profile, "table") == sum(count_passes(4 * warp) for warp in index.reshape(4, 32))


def test_a_stride_has_as_many_passes_as_its_common_factor_with_32():
    kernel, out = Kernel(SOURCE, "from_table"), np.zeros(32, np.float32)
    for stride in range(1, 65):
        index = (stride * np.arange(32)).astype(np.int32)
        assert transfers(kernel.profile[1, 32](index, out), "table") == math.gcd(stride, 32)


def transpose_with_loops(a):
    rows, cols = a.shape
    out = np.empty((cols, rows), a.dtype)
    for row in range(rows):
        for col in range(cols):
            out[col, row] = a[row, col]
    return out


@pytest.mark.parametrize("rung", kernels.ladder("transpose"), ids=lambda rung: rung.kernel)
@pytest.mark.parametrize("shape", [(1, 1), (32, 64), (64, 64), (33, 70)])
def test_every_transpose_equals_the_loops(rung, shape):
    a = np.random.default_rng(0).random(shape, dtype=np.float32)
    assert np.array_equal(kernels.plan(rung.kernel, a).run(), transpose_with_loops(a))
