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


# Body of a kernel of one warp, and what its one line asks for: requests, transfers, ideal. A sector has 32 bytes, a pass
# serves a word of each of the 32 banks.
PATTERNS = {
    "float, in a row": ("y[t] = g[t];", "g", (1, 4, 4)),
    "float, from 4 bytes on": ("y[t] = g[t + 1];", "g", (1, 5, 4)),
    "float, every second": ("y[t] = g[2 * t];", "g", (1, 8, 4)),
    "float, every eighth": ("y[t] = g[8 * t];", "g", (1, 32, 4)),
    "float, backward": ("y[t] = g[31 - t];", "g", (1, 4, 4)),
    "float, all the same": ("y[t] = g[7];", "g", (1, 1, 1)),
    "float, half of the lanes": ("if (t < 16) y[t] = g[t];", "g", (1, 2, 2)),
    "float, odd lanes": ("if (t % 2) y[t] = g[t];", "g", (1, 4, 2)),
    "float2": ("float2 v = ((const float2*)g)[t]; y[t] = v.x + v.y;", "g", (1, 8, 8)),
    "float4": ("float4 v = ((const float4*)g)[t]; y[t] = v.x + v.w;", "g", (1, 16, 16)),
    "float4, every second": ("float4 v = ((const float4*)g)[2 * t]; y[t] = v.x + v.w;", "g", (1, 32, 16)),
    "double": ("y[t] = ((const double*)g)[t];", "g", (1, 8, 8)),
    "half": ("y[t] = ((const unsigned short*)g)[t];", "g", (1, 2, 2)),
    "byte": ("y[t] = ((const unsigned char*)g)[t];", "g", (1, 1, 1)),
    "byte, every fourth": ("y[t] = ((const unsigned char*)g)[4 * t];", "g", (1, 4, 1)),
    "twice in a loop": ("for (int i = 0; i < 2; i++) y[t] += g[32 * i + t];", "g", (2, 8, 8)),
    "store, every fourth": ("y[4 * t] = g[t];", "y", (1, 16, 4)),
    "shared row": ("y[t] = s[t];", "s", (1, 1, 1)),
    "shared, all the same": ("y[t] = s[5];", "s", (1, 1, 1)),
    "shared, every second": ("y[t] = s[2 * t];", "s", (1, 2, 1)),
    "shared column of a tile": ("y[t] = s[32 * t];", "s", (1, 32, 1)),
    "shared column with padding": ("y[t] = s[33 * t];", "s", (1, 1, 1)),
    "shared, two words of a bank": ("y[t] = s[t % 2 * 32];", "s", (1, 2, 1)),
    "shared bytes": ("y[t] = ((unsigned char*)s)[t];", "s", (1, 1, 1)),
    "shared double": ("y[t] = ((double*)s)[t];", "s", (1, 2, 2)),
    "shared float4": ("float4 v = ((const float4*)s)[t]; y[t] = v.x + v.w;", "s", (1, 4, 4)),
    "shared atomics, one place": ("atomicAdd(&s[0], 1.0f);", "s", (1, 32, 1)),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_counted_by_hand(name):
    body, array, right = PATTERNS[name]
    fill = "for (int i = t; i < 2048; i += 32) s[i] = i;\n  __syncthreads();\n"
    source = f"""
__global__ void k(const float* g, float* y) {{
  __shared__ alignas(16) float s[2048];
  int t = threadIdx.x;
  {fill}
  {body}
}}"""
    profile = Kernel(source, "k").profile[1, 32](np.zeros(512, np.float32), np.zeros(512, np.float32))
    line = source.splitlines().index("  " + body) + 1
    counts = [(c.requests, c.transfers, c.ideal) for c in profile.lines if (c.line, c.array) == (line, array)]
    assert counts == [right]


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
