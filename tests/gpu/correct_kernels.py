"""Correct kernels with a launch and a reference for each: what the checker must stay silent on, and what the mutants are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """A kernel, how to launch it, and what it must compute.

    Attributes
    ----------
    source, name : str
        The kernel.
    config : tuple
        Grid, block, and bytes of dynamic shared memory.
    arguments : callable
        Makes fresh arguments.
    expected : callable
        From the arguments before the launch to the outputs, by position of the argument.
    outputs : tuple of str
        Arrays of which every element must be written.
    """

    source: str
    name: str
    config: tuple
    arguments: Callable
    expected: Callable
    outputs: tuple = ()


def _random(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def _empty(*shape):
    return np.full(shape, np.nan, np.float32)


VECTOR_ADD = Case(
    r"""
__global__ void vector_add(const float* a, const float* b, float* c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}
""",
    "vector_add",
    (4, 64),
    lambda: [_random(200), _random(200)[::-1].copy(), _empty(200), 200],
    lambda a: {2: a[0] + a[1]},
    ("c",),
)

SAXPY = Case(
    r"""
__global__ void saxpy(float a, const float* __restrict__ x, float* __restrict__ y, size_t n) {
  size_t stride = (size_t)gridDim.x * blockDim.x;
  for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
    y[i] = a * x[i] + y[i];
  }
}
""",
    "saxpy",
    (3, 96),
    lambda: [2.5, _random(1000), _random(1000) + 1, 1000],
    lambda a: {2: np.float32(2.5) * a[1] + a[2]},
)

STENCIL = Case(
    r"""
__constant__ float weight[3] = {0.5f, 0.25f, -0.125f};

__global__ void stencil(const float* in, float* out, int rows, int columns) {
  int c = blockIdx.x * blockDim.x + threadIdx.x, r = blockIdx.y * blockDim.y + threadIdx.y;
  if (r >= rows || c >= columns) return;
  float sum = weight[0] * in[r * columns + c];
  if (r > 0) sum += weight[1] * in[(r - 1) * columns + c];
  if (r + 1 < rows) sum += weight[1] * in[(r + 1) * columns + c];
  if (c > 0) sum += weight[2] * in[r * columns + c - 1];
  if (c + 1 < columns) sum += weight[2] * in[r * columns + c + 1];
  out[r * columns + c] = sum;
}
""",
    "stencil",
    ((3, 5), (16, 8)),
    lambda: [_random(37, 45), _empty(37, 45), 37, 45],
    lambda a: {1: _stencil(a[0])},
    ("out",),
)


def _stencil(x):
    p = np.pad(x.astype(np.float64), 1)
    vertical, horizontal = p[:-2, 1:-1] + p[2:, 1:-1], p[1:-1, :-2] + p[1:-1, 2:]
    return 0.5 * x + 0.25 * vertical - 0.125 * horizontal


TRANSPOSE = Case(
    r"""
template <int TILE, int ROWS>
__global__ void transpose(const float* in, float* out, int height, int width) {
  __shared__ float tile[TILE][TILE + 1];
  int x = blockIdx.x * TILE + threadIdx.x, y = blockIdx.y * TILE + threadIdx.y;
  for (int j = 0; j < TILE; j += ROWS)
    if (x < width && y + j < height) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * width + x];
  __syncthreads();
  x = blockIdx.y * TILE + threadIdx.x;
  y = blockIdx.x * TILE + threadIdx.y;
  for (int j = 0; j < TILE; j += ROWS)
    if (x < height && y + j < width) out[(y + j) * height + x] = tile[threadIdx.x][threadIdx.y + j];
}
""",
    "transpose<32, 8>",
    ((2, 3), (32, 8)),
    lambda: [_random(70, 50), _empty(50, 70), 70, 50],
    lambda a: {1: a[0].T},
    ("out",),
)

MATMUL = Case(
    r"""
constexpr int T = 16;

__global__ void matmul(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[T][T], b[T][T];
  int tx = threadIdx.x, ty = threadIdx.y;
  int row = blockIdx.y * T + ty, column = blockIdx.x * T + tx;
  float sum = 0;
  for (int k = 0; k < K; k += T) {
    a[ty][tx] = row < M && k + tx < K ? A[row * K + k + tx] : 0.0f;
    b[ty][tx] = k + ty < K && column < N ? B[(k + ty) * N + column] : 0.0f;
    __syncthreads();  // both tiles are there
#pragma unroll
    for (int i = 0; i < T; i++) sum += a[ty][i] * b[i][tx];
    __syncthreads();  // both tiles may be overwritten
  }
  if (row < M && column < N) C[row * N + column] = sum;
}
""",
    "matmul",
    ((3, 3), (16, 16)),
    lambda: [_random(40, 35), _random(35, 45), _empty(40, 45), 40, 45, 35],
    lambda a: {2: a[0].astype(np.float64) @ a[1]},
    ("C",),
)

BLOCK_SUM = Case(
    r"""
__device__ float warp_sum(float v) {
  for (int offset = 16; offset > 0; offset /= 2) v += __shfl_down_sync(0xffffffff, v, offset);
  return v;
}

__global__ void block_sum(const float* x, float* total, int n) {
  __shared__ float partial[32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  float v = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
  v = warp_sum(v);
  if (lane == 0) partial[warp] = v;
  __syncthreads();
  if (warp == 0) {
    v = lane < warps ? partial[lane] : 0.0f;
    v = warp_sum(v);
    if (lane == 0) atomicAdd(total, v);
  }
}
""",
    "block_sum",
    (3, 128),
    lambda: [_random(1000), np.zeros(1, np.float32), 1000],
    lambda a: {1: a[0].sum(dtype=np.float64, keepdims=True)},
)

TREE_SUM = Case(
    r"""
__global__ void tree_sum(const int* x, int* sums, int n) {
  extern __shared__ int s[];
  int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  s[t] = i < n ? x[i] : 0;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (t < half) s[t] += s[t + half];
    __syncthreads();
  }
  if (t == 0) sums[blockIdx.x] = s[0];
}
""",
    "tree_sum",
    (4, 128, 512),
    lambda: [np.arange(500, dtype=np.int32), np.full(4, -1, np.int32), 500],
    lambda a: {1: np.pad(a[0], (0, 12)).reshape(4, 128).sum(1)},
    ("sums",),
)

SCAN = Case(
    r"""
__global__ void scan(const int* x, int* y, int n) {
  __shared__ int s[2][256];
  int t = threadIdx.x, now = 0;
  s[0][t] = t < n ? x[t] : 0;
  __syncthreads();
  for (int step = 1; step < 256; step *= 2) {
    s[1 - now][t] = s[now][t] + (t >= step ? s[now][t - step] : 0);
    now = 1 - now;
    __syncthreads();
  }
  if (t < n) y[t] = s[now][t];
}
""",
    "scan",
    (1, 256),
    lambda: [np.arange(250, dtype=np.int32), np.full(250, -1, np.int32), 250],
    lambda a: {1: np.cumsum(a[0])},
    ("y",),
)

HISTOGRAM = Case(
    r"""
#define BINS 64

__global__ void histogram(const unsigned char* x, unsigned* counts, int n) {
  __shared__ unsigned bins[BINS];
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) bins[b] = 0;
  __syncthreads();
  int stride = gridDim.x * blockDim.x;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
    if (x[i] < BINS) atomicAdd(&bins[x[i]], 1u);
  }
  __syncthreads();
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) atomicAdd(&counts[b], bins[b]);
}
""",
    "histogram",
    (3, 48),
    lambda: [np.random.default_rng(0).integers(0, 80, 999).astype(np.uint8), np.zeros(64, np.uint32), 999],
    lambda a: {1: np.bincount(a[0], minlength=80)[:64]},
)

SOFTMAX = Case(
    r"""
__device__ float block_reduce(float v, float* shared, bool maximum) {
  for (int offset = 16; offset; offset /= 2) {
    float other = __shfl_xor_sync(0xffffffff, v, offset);
    v = maximum ? fmaxf(v, other) : v + other;
  }
  __syncthreads();  // the last result has been read by all
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
  __syncthreads();
  v = shared[0];
  for (int w = 1; w < blockDim.x / 32; w++) v = maximum ? fmaxf(v, shared[w]) : v + shared[w];
  return v;
}

__global__ void softmax(const float* x, float* y, int columns) {
  extern __shared__ float row[];
  __shared__ float reduced[32];
  const float* in = x + (size_t)blockIdx.x * columns;
  float* out = y + (size_t)blockIdx.x * columns;
  float m = -INFINITY;
  for (int c = threadIdx.x; c < columns; c += blockDim.x) m = fmaxf(m, row[c] = in[c]);
  m = block_reduce(m, reduced, true);
  float sum = 0;
  for (int c = threadIdx.x; c < columns; c += blockDim.x) sum += row[c] = __expf(row[c] - m);
  sum = block_reduce(sum, reduced, false);
  for (int c = threadIdx.x; c < columns; c += blockDim.x) out[c] = row[c] / sum;
}
""",
    "softmax",
    (3, 64, 400),
    lambda: [_random(3, 100), _empty(3, 100), 100],
    lambda a: {1: np.exp(a[0]) / np.exp(a[0]).sum(1, keepdims=True)},
    ("y",),
)

COMPACTION = Case(
    r"""
__global__ void compact(const int* x, int* kept, int* count, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31;
  bool keep = i < n && x[i] > 0;
  unsigned lanes = __ballot_sync(0xffffffff, keep);
  int base = 0;
  if (lane == 0) base = atomicAdd(count, __popc(lanes));
  base = __shfl_sync(0xffffffff, base, 0);
  if (keep) kept[base + __popc(lanes & ((1u << lane) - 1))] = x[i];
}
""",
    "compact",
    (4, 64),
    lambda: [
        np.random.default_rng(3).integers(-5, 5, 250).astype(np.int32),
        np.zeros(250, np.int32),
        np.zeros(1, np.int32),
        250,
    ],
    lambda a: {1: np.sort(np.pad(a[0][a[0] > 0], (0, (a[0] <= 0).sum()))), 2: [(a[0] > 0).sum()]},
)

ASYNC_COPY = Case(
    r"""
#include <cuda_pipeline.h>

__global__ void stream(const float4* in, float4* out, int tiles) {
  __shared__ float4 buffer[2][64];
  int t = threadIdx.x;
  const float4* mine = in + (size_t)blockIdx.x * tiles * 64;
  __pipeline_memcpy_async(&buffer[0][t], &mine[t], sizeof(float4));
  __pipeline_commit();
  for (int tile = 0; tile < tiles; tile++) {
    if (tile + 1 < tiles) __pipeline_memcpy_async(&buffer[(tile + 1) % 2][t], &mine[(tile + 1) * 64 + t], sizeof(float4));
    __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();  // all have waited: the tile is there
    float4 v = buffer[tile % 2][63 - t];
    out[((size_t)blockIdx.x * tiles + tile) * 64 + t] = make_float4(v.w, v.z, v.y, v.x);
    __syncthreads();  // all have read: the tile may be overwritten
  }
}
""",
    "stream",
    (2, 64),
    lambda: [_random(2, 3, 256), _empty(2, 3, 256), 3],
    lambda a: {1: a[0][:, :, ::-1]},
    ("out",),
)

LAST_BLOCK = Case(
    r"""
__device__ unsigned arrived = 0;

__global__ void last_block(const float* x, float* partial, float* total, int n) {
  __shared__ float s[64];
  __shared__ bool last;
  int t = threadIdx.x;
  s[t] = 0;
  for (int i = blockIdx.x * 64 + t; i < n; i += gridDim.x * 64) s[t] += x[i];
  __syncthreads();
  for (int half = 32; half; half /= 2) {
    if (t < half) s[t] += s[t + half];
    __syncthreads();
  }
  if (t == 0) {
    partial[blockIdx.x] = s[0];
    __threadfence();
    last = atomicAdd(&arrived, 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  s[t] = t < gridDim.x ? partial[t] : 0.0f;
  for (int half = 32; half; half /= 2) {
    __syncthreads();
    if (t < half) s[t] += s[t + half];
  }
  if (t == 0) {
    *total = s[0];
    arrived = 0;
  }
}
""",
    "last_block",
    (5, 64),
    lambda: [_random(999), _empty(5), _empty(1), 999],
    lambda a: {2: a[0].sum(dtype=np.float64, keepdims=True)},
    ("partial", "total"),
)

VECTOR_COPY = Case(
    r"""
__global__ void vector_copy(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n / 4) reinterpret_cast<float4*>(out)[i] = reinterpret_cast<const float4*>(in)[i];
  int tail = n / 4 * 4 + i;
  if (tail < n) out[tail] = in[tail];
}
""",
    "vector_copy",
    (3, 32),
    lambda: [_random(303), _empty(303), 303],
    lambda a: {1: a[0]},
    ("out",),
)

TILE_SCAN = Case(
    r"""
#include <cooperative_groups.h>
namespace cg = cooperative_groups;

__global__ void tile_scan(const int* x, int* y, int n) {
  auto tile = cg::tiled_partition<16>(cg::this_thread_block());
  __shared__ int ends[8];
  int i = threadIdx.x, v = i < n ? x[i] : 0;
  for (int d = 1; d < 16; d *= 2) {
    int left = tile.shfl_up(v, d);
    if (tile.thread_rank() >= d) v += left;
  }
  if (tile.thread_rank() == 15) ends[tile.meta_group_rank()] = v;
  __syncthreads();
  for (int g = 0; g < tile.meta_group_rank(); g++) v += ends[g];
  if (i < n) y[i] = v;
}
""",
    "tile_scan",
    (1, 128),
    lambda: [np.arange(120, dtype=np.int32), np.full(120, -1, np.int32), 120],
    lambda a: {1: np.cumsum(a[0])},
    ("y",),
)

WARP_EXCHANGE = Case(
    r"""
__global__ void reverse_in_warps(const float* x, float* y) {
  __shared__ float s[4][32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, i = blockIdx.x * blockDim.x + threadIdx.x;
  s[warp][lane] = x[i];
  __syncwarp();
  float other = s[warp][31 - lane];
  __syncwarp();
  s[warp][lane] = 2 * other;
  __syncwarp();
  if (lane < 16) y[i] = s[warp][lane ^ 1];
  else y[i] = s[warp][lane];
}
""",
    "reverse_in_warps",
    (2, 128),
    lambda: [_random(256), _empty(256)],
    lambda a: {1: _reverse_in_warps(a[0])},
    ("y",),
)


def _reverse_in_warps(x):
    s = 2 * x.reshape(-1, 32)[:, ::-1]
    lanes = np.arange(32)
    return s[:, np.where(lanes < 16, lanes ^ 1, lanes)].ravel()


CASES = {name.lower(): case for name, case in list(globals().items()) if isinstance(case, Case)}
