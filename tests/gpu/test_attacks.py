# ruff: noqa: E501 (a table of kernels, one a paragraph)
"""Kernels thought out to mislead the checker: bugs that hide, and correct code that looks wrong. Each found something once."""

from __future__ import annotations

import numpy as np
import pytest

from mlcourse.gpu import Kernel

f32 = np.float32
GOOD, BUGS = {}, {}


def Z(shape, dtype=f32):
    return np.zeros(shape, dtype)


def good(name, source, kernel, config, arguments, **options):
    GOOD[name] = (source, kernel, config, arguments, options)


def bug(name, source, kernel, config, arguments, kinds, **options):
    BUGS[name] = (source, kernel, config, arguments, set(kinds.split("|")), options)


# Correct, though unusual.
good(
    "volatile flag last block",
    r"""
__device__ int ready;
__global__ void k(volatile float* p, float* out) {
  __shared__ bool last;
  if (threadIdx.x == 0) { p[blockIdx.x] = blockIdx.x; __threadfence(); last = atomicInc((unsigned*)&ready, gridDim.x - 1) == gridDim.x - 1; }
  __syncthreads();
  if (last && threadIdx.x == 0) { float s = 0; for (int b = 0; b < gridDim.x; b++) s += p[b]; *out = s; }
}""",
    "k",
    (4, 32),
    lambda: (Z(4), Z(1)),
)
good(
    "all threads fence, barrier, one atomic",
    r"""
__device__ unsigned n_done;
__global__ void k(float* p, float* out) {
  __shared__ bool last;
  p[blockIdx.x * blockDim.x + threadIdx.x] = 1;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(&n_done, 1u) == gridDim.x - 1;
  __syncthreads();
  if (last) { float s = 0; for (int i = threadIdx.x; i < gridDim.x * blockDim.x; i += blockDim.x) s += p[i]; atomicAdd(out, s); }
}""",
    "k",
    (3, 64),
    lambda: (Z(192), Z(1)),
)
good(
    "barrier then thread0 fence + atomic",
    r"""
__device__ unsigned n_done;
__global__ void k(float* p, float* out) {
  __shared__ bool last;
  p[blockIdx.x * blockDim.x + threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x == 0) { __threadfence(); last = atomicAdd(&n_done, 1u) == gridDim.x - 1; }
  __syncthreads();
  if (last) { float s = 0; for (int i = threadIdx.x; i < gridDim.x * blockDim.x; i += blockDim.x) s += p[i]; atomicAdd(out, s); }
}""",
    "k",
    (3, 64),
    lambda: (Z(192), Z(1)),
)
good(
    "spin lock between blocks",
    r"""
__device__ int mutex;
__global__ void k(float* x) {
  if (threadIdx.x == 0) {
    while (atomicCAS(&mutex, 0, 1) != 0) {}
    __threadfence();
    x[0] += 1;
    __threadfence();
    atomicExch(&mutex, 0);
  }
}""",
    "k",
    (4, 32),
    lambda: (Z(1),),
)
good(
    "flag between warps, shared atomics",
    r"""
__global__ void k(float* x) {
  __shared__ int flag; __shared__ float v;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x == 63) { v = 42; __threadfence_block(); atomicExch(&flag, 1); }
  if (threadIdx.x == 0) { while (atomicAdd(&flag, 0) == 0) {} __threadfence_block(); x[0] = v; }
}""",
    "k",
    (1, 64),
    lambda: (Z(1),),
)
good(
    "same value written by all",
    "__global__ void k(const float* x, int* any, int n) { int i = blockIdx.x*blockDim.x+threadIdx.x; if (i < n && x[i] > 0) *any = 1; }",
    "k",
    (2, 64),
    lambda: (np.ones(100, f32), Z(1, np.int32), 100),
)
good(
    "union and struct by value",
    r"""
struct P { float a; int b; double c; };
union U { float f; unsigned u; };
__global__ void k(P p, float* x) { U u; u.f = p.a; u.u ^= 0x80000000u; x[threadIdx.x] = u.f + p.b + (float)p.c; }""",
    "k",
    (1, 40),
    lambda: (np.array((1.5, 2, 3.0), np.dtype([("a", "f4"), ("b", "i4"), ("c", "f8")], align=True))[()], Z(40)),
)
good(
    "recursion",
    "__device__ int fib(int n) { return n < 2 ? n : fib(n-1) + fib(n-2); }\n__global__ void k(int* x) { x[threadIdx.x] = fib(threadIdx.x % 12); }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
)
good(
    "early return of whole warps, no later barrier",
    "__global__ void k(float* x, int n) { int i = blockIdx.x*blockDim.x+threadIdx.x; if (i >= n) return; float v = x[i]; v = __shfl_xor_sync(__activemask(), v, 1); x[i] = v; }",
    "k",
    (2, 96),
    lambda: (Z(128), 128),
)
good(
    "blocks not multiple of 32",
    "__global__ void k(float* x) { __shared__ float s[50]; s[threadIdx.x] = threadIdx.x; __syncthreads(); x[threadIdx.x] = s[49 - threadIdx.x]; }",
    "k",
    (1, 50),
    lambda: (Z(50),),
)
good(
    "flattened 2-D shared",
    "__global__ void k(float* x) { __shared__ float s[8][16]; for (int i = threadIdx.x; i < 128; i += blockDim.x) s[0][i] = i; __syncthreads(); for (int i = threadIdx.x; i < 128; i += blockDim.x) x[i] = (&s[0][0])[127-i]; }",
    "k",
    (1, 32),
    lambda: (Z(128),),
)
good(
    "pointer to shared passed to function",
    "__device__ float f(float* s, int i) { return s[i] * 2; }\n__global__ void k(float* x) { __shared__ float s[32]; s[threadIdx.x] = 1; __syncthreads(); x[threadIdx.x] = f(s, 31 - threadIdx.x); }",
    "k",
    (1, 32),
    lambda: (Z(32),),
)
good(
    "local array by pointer",
    "__device__ void fill(float* a) { for (int i = 0; i < 8; i++) a[i] = i; }\n__global__ void k(float* x) { float a[8]; fill(a); float s = 0; for (int i = 0; i < 8; i++) s += a[(i + threadIdx.x) & 7]; x[threadIdx.x] = s; }",
    "k",
    (1, 64),
    lambda: (Z(64),),
)
good(
    "warp aggregated atomics with activemask",
    r"""
__global__ void k(const int* x, int* count, int n) {
  int i = blockIdx.x*blockDim.x+threadIdx.x;
  if (i < n && x[i] > 2) { unsigned m = __activemask(); int leader = __ffs(m) - 1; int r; if ((threadIdx.x & 31) == leader) r = atomicAdd(count, __popc(m)); r = __shfl_sync(m, r, leader); }
}""",
    "k",
    (2, 64),
    lambda: (np.arange(100, dtype=np.int32) % 5, Z(1, np.int32), 100),
)
good(
    "cooperative coalesced",
    r"""
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__global__ void k(int* c, int n) { if (threadIdx.x % 3 == 0) { auto g = cg::coalesced_threads(); if (g.thread_rank() == 0) atomicAdd(c, g.size()); g.sync(); } }""",
    "k",
    (1, 64),
    lambda: (Z(1, np.int32), 3),
)
good(
    "different groups sync with subset masks",
    r"""
__global__ void k(float* x) { __shared__ float s[32]; int l = threadIdx.x; unsigned m = l < 16 ? 0xffffu : 0xffff0000u; s[l] = l; __syncwarp(m); float v = s[l ^ 5]; __syncwarp(m); s[l] = v; __syncwarp(); x[l] = s[31 - l]; }""",
    "k",
    (1, 32),
    lambda: (Z(32),),
)
good(
    "transitive warp sync",
    r"""
__global__ void k(float* x) { __shared__ float s; int l = threadIdx.x;
 if (l == 0) { s = 1; __syncwarp(0x3); } else if (l == 1) { __syncwarp(0x3); __syncwarp(0x6); } else if (l == 2) { __syncwarp(0x6); x[0] = s; } }""",
    "k",
    (1, 32),
    lambda: (Z(1),),
)
good(
    "byte writes by different threads",
    "__global__ void k(unsigned char* x) { x[threadIdx.x] = threadIdx.x; __shared__ unsigned char s[64]; s[threadIdx.x] = 1; __syncthreads(); x[threadIdx.x] += s[63-threadIdx.x]; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.uint8),),
)
good(
    "float array written as bytes by 4 threads",
    "__global__ void k(float* x) { ((unsigned char*)x)[threadIdx.x] = threadIdx.x; }",
    "k",
    (1, 64),
    lambda: (Z(16),),
)
good(
    "half2 read of half array",
    "#include <cuda_fp16.h>\n__global__ void k(const half* a, half* b) { half2 v = ((const half2*)a)[threadIdx.x]; b[2*threadIdx.x] = __low2half(v); b[2*threadIdx.x+1] = __hadd(v.x, v.y); }",
    "k",
    (1, 32),
    lambda: (np.ones(64, np.float16), Z(64, np.float16)),
)
good(
    "atomics and plain after barrier",
    "__global__ void k(int* x) { __shared__ int s; if (threadIdx.x == 0) s = 0; __syncthreads(); atomicAdd(&s, 1); __syncthreads(); if (threadIdx.x == 5) x[0] = s; __syncthreads(); if (threadIdx.x == 40) s = 3; }",
    "k",
    (2, 64),
    lambda: (Z(2, np.int32),),
)
good(
    "64-bit indexing",
    "__global__ void k(float* x, size_t n) { for (size_t i = threadIdx.x; i < n; i += blockDim.x) x[(long long)i] = 1; }",
    "k",
    (1, 32),
    lambda: (Z(100), 100),
)
good(
    "in place per element",
    "__global__ void k(float* x, float* y, int n) { int i = threadIdx.x; y[i] = x[i] + 1; }",
    "k",
    (1, 32),
    lambda: (lambda a: (a, a, 32))(Z(32)),
)
good(
    "__restrict__ readonly + ldg",
    "__global__ void k(const float* __restrict__ x, float* __restrict__ y) { y[threadIdx.x] = __ldg(&x[threadIdx.x]); }",
    "k",
    (1, 32),
    lambda: (Z(32), Z(32)),
)
good(
    "double buffered dynamic shared, two types",
    r"""
__global__ void k(float* x) { extern __shared__ char raw[]; float* f = (float*)raw; int* g = (int*)(raw + 128); f[threadIdx.x] = 1; g[threadIdx.x] = 2; __syncthreads(); x[threadIdx.x] = f[31-threadIdx.x] + g[31-threadIdx.x]; }""",
    "k",
    (1, 32, 256),
    lambda: (Z(32),),
)
good(
    "lambda and structured",
    "struct Add { __device__ float operator()(float a, float b) const { return a + b; } };\ntemplate <class F> __device__ float ap(F f, float a, float b) { return f(a, b); }\n__global__ void k(float* x) { auto g = [=] __device__ (float v) { return v * 2; }; x[threadIdx.x] = ap(Add{}, g(1.f), 3.f); }",
    "k",
    (1, 32),
    lambda: (Z(32),),
)
good(
    "reduce intrinsics, match",
    "__global__ void k(int* x) { int v = threadIdx.x % 4; unsigned m = __match_any_sync(~0u, v); x[threadIdx.x] = __reduce_add_sync(m, v) + __reduce_max_sync(~0u, -v); }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32),),
)
good(
    "syncthreads_count or and",
    "__global__ void k(int* x) { int c = __syncthreads_count(threadIdx.x > 3); int o = __syncthreads_or(threadIdx.x == 9); int a = __syncthreads_and(1); x[threadIdx.x] = c + o + a; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
)
good(
    "barrier in uniform branch",
    "__global__ void k(float* x, int n) { if (n > 3) { x[threadIdx.x] = 1; __syncthreads(); x[threadIdx.x] += x[63 - threadIdx.x] * 0; } }",
    "k",
    (1, 64),
    lambda: (Z(64), 2),
)
good(
    "static shared in template, two instances",
    "template <int N> __device__ float f(float v) { __shared__ float s[N]; s[threadIdx.x] = v; __syncthreads(); v = s[N-1-threadIdx.x]; __syncthreads(); return v; }\n__global__ void k(float* x) { x[threadIdx.x] = f<64>(1) + f<64>(2); }",
    "k",
    (1, 64),
    lambda: (Z(64),),
)
good(
    "goto/switch/do while",
    "__global__ void k(int* x) { int i = 0; do { switch (i % 3) { case 0: x[threadIdx.x] += 1; break; default: break; } } while (++i < 5); }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32),),
)
good(
    "last warp reduction with syncwarp volatile",
    r"""
__global__ void k(float* x) { __shared__ volatile float s[64]; int t = threadIdx.x; s[t] = x[t]; __syncthreads();
 if (t < 32) { float v = s[t]; v += s[t + 32]; __syncwarp(); s[t] = v; __syncwarp(); for (int d = 16; d; d /= 2) { if (t < d) v += s[t + d]; __syncwarp(); s[t] = v; __syncwarp(); } if (t == 0) x[0] = v; } }""",
    "k",
    (1, 64),
    lambda: (Z(64),),
)
good(
    "3-D launch",
    "__global__ void k(float* x, int n) { int i = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); int b = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z); x[b * 24 + i] = n; }",
    "k",
    ((2, 2, 2), (2, 3, 4)),
    lambda: (Z(192), 3),
    outputs=("x",),
)
good(
    "zero-length array arg",
    "__global__ void k(const float* x, float* y, int n) { for (int i = 0; i < n; i++) y[0] += x[i]; }",
    "k",
    (1, 1),
    lambda: (Z(0), Z(1), 0),
)
good(
    "null pointer unused",
    "__global__ void k(const float* x, float* y) { y[threadIdx.x] = x ? x[0] : 1; }",
    "k",
    (1, 32),
    lambda: (None, Z(32)),
)
good(
    "dynamic parallel prefix lookback by ticket",
    r"""
__device__ unsigned ticket; __device__ unsigned state[8]; __device__ float prefix[8];
__global__ void k(const float* x, float* y) {
  __shared__ unsigned b; __shared__ float before;
  if (threadIdx.x == 0) b = atomicAdd(&ticket, 1);
  __syncthreads();
  if (threadIdx.x == 0) {
    float p = 0;
    if (b > 0) { while (atomicAdd(&state[b - 1], 0) == 0) {} __threadfence(); p = prefix[b - 1]; }
    prefix[b] = p + x[b]; __threadfence(); atomicExch(&state[b], 1); before = p;
  }
  __syncthreads();
  y[b * 32 + threadIdx.x] = before;
}""",
    "k",
    (8, 32),
    lambda: (np.ones(8, f32), Z(256)),
)
good(
    "cg block sync + memcpy_async",
    r"""
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
namespace cg = cooperative_groups;
__global__ void k(const float* x, float* y) { __shared__ float s[64]; auto b = cg::this_thread_block(); cg::memcpy_async(b, s, x, sizeof(float) * 64); cg::wait(b); y[threadIdx.x] = s[63 - threadIdx.x]; }""",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
)
good(
    "assert/printf/clock",
    '#include <assert.h>\n__global__ void k(int* x) { long long t = clock64(); assert(x != nullptr); if (threadIdx.x == 0) printf("%d\\n", 1); x[threadIdx.x] = clock64() >= t; }',
    "k",
    (1, 32),
    lambda: (Z(32, np.int32),),
)
good(
    "memcpy struct copy",
    "struct S { float v[5]; };\n__global__ void k(const S* a, S* b) { S s = a[threadIdx.x]; b[threadIdx.x] = s; }",
    "k",
    (1, 8),
    lambda: (Z((8, 5)).view(np.uint8), Z((8, 5)).view(np.uint8)),
)
good(
    "int division etc",
    "__global__ void k(int* x, int n) { x[threadIdx.x] = n / (threadIdx.x + 1) + n % 7; }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32), 100),
)
# Bugs, with the kinds of fault that name them.
bug(
    "pre-Volta volatile warp reduction",
    "__global__ void k(float* x) { __shared__ volatile float s[64]; int t = threadIdx.x; s[t] = x[t]; __syncthreads(); if (t < 32) { s[t] += s[t+32]; s[t] += s[t+16]; s[t] += s[t+8]; s[t] += s[t+4]; s[t] += s[t+2]; s[t] += s[t+1]; } if (t == 0) x[0] = s[0]; }",
    "k",
    (1, 64),
    lambda: (Z(64),),
    "race",
)
bug(
    "assumes last block runs last",
    "__global__ void k(float* total, float* mean) { if (threadIdx.x == 0) { atomicAdd(total, 1.f); if (blockIdx.x == gridDim.x - 1) *mean = *total / 4; } }",
    "k",
    (4, 32),
    lambda: (Z(1), Z(1)),
    "race",
)
bug(
    "plain read of atomic flag",
    "__global__ void k(int* done, float* x) { if (threadIdx.x == 0) { x[blockIdx.x] = 1; __threadfence(); atomicAdd(done, 1); } if (*done == gridDim.x) x[0] = 2; }",
    "k",
    (2, 32),
    lambda: (Z(1, np.int32), Z(2)),
    "race",
)
bug(
    "off by one shared tile halo",
    "__global__ void k(const float* x, float* y) { __shared__ float s[66]; int t = threadIdx.x; s[t + 1] = x[t]; if (t == 0) s[0] = 0; __syncthreads(); y[t] = s[t] + s[t + 1] + s[t + 2]; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
    "uninitialized",
)
good(
    "halo own edge",
    "__global__ void k(const float* x, float* y) { __shared__ float s[66]; int t = threadIdx.x; s[t + 1] = x[t]; __syncthreads(); if (t == 0) s[0] = 0; if (t == 63) s[65] = 0; y[t] = s[t] + s[t + 1] + s[t + 2]; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
)
bug(
    "neighboring shared arrays overrun",
    "__global__ void k(float* y) { __shared__ float a[32]; __shared__ float b[32]; int t = threadIdx.x; b[t] = 0; a[t] = 1; __syncthreads(); if (t == 0) a[32 + 0] = 5; __syncthreads(); y[t] = b[t] + a[t]; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "out-of-bounds",
)
bug(
    "shared overrun by pointer",
    "__global__ void k(float* y) { __shared__ float a[32]; __shared__ float b[32]; int t = threadIdx.x; a[t] = b[t] = 1; __syncthreads(); float* p = a; p[t + 1] = 3; __syncthreads(); y[t] = a[t] + b[t]; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "out-of-bounds|race",
)
bug(
    "local array overrun",
    "__global__ void k(float* y, int n) { float a[4]; for (int i = 0; i <= n; i++) a[i] = i; y[threadIdx.x] = a[threadIdx.x & 3]; }",
    "k",
    (1, 32),
    lambda: (Z(32), 4),
    "out-of-bounds",
)
bug(
    "signed/unsigned wrap",
    "__global__ void k(float* y) { unsigned i = threadIdx.x; y[i - 1] = 1; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "out-of-bounds",
)
bug(
    "y/x swapped in 2-D",
    "__global__ void k(float* y, int w, int h) { int c = threadIdx.x, r = threadIdx.y; if (c < w && r < h) y[c * w + r] = 1; }",
    "k",
    (1, (16, 8)),
    lambda: (Z((8, 16)), 16, 8),
    "out-of-bounds",
)
bug(
    "shfl from exited lane",
    "__global__ void k(float* x, int n) { int i = threadIdx.x; if (i >= n) return; float v = x[i]; for (int d = 16; d; d /= 2) v += __shfl_down_sync(0xffffffff, v, d); if (i == 0) x[0] = v; }",
    "k",
    (1, 32),
    lambda: (Z(32), 20),
    "warp-function",
)
bug(
    "shfl width partial block",
    "__global__ void k(float* x) { float v = x[threadIdx.x]; for (int d = 16; d; d /= 2) v += __shfl_down_sync(0xffffffff, v, d); if (threadIdx.x % 32 == 0) x[threadIdx.x/32] = v; }",
    "k",
    (1, 48),
    lambda: (Z(48),),
    "warp-function",
)
bug(
    "syncthreads after divergent return in loop",
    "__global__ void k(float* x, int n) { for (int i = threadIdx.x; i < n; i += blockDim.x) { x[i] = 1; __syncthreads(); } }",
    "k",
    (1, 64),
    lambda: (Z(100), 100),
    "early-exit",
)
bug(
    "syncthreads different loop counts w/ later barrier",
    "__global__ void k(float* x, int n) { for (int i = threadIdx.x; i < n; i += blockDim.x) { x[i] = 1;\n __syncthreads(); }\n __syncthreads(); x[threadIdx.x] = 2; }",
    "k",
    (1, 64),
    lambda: (Z(100), 100),
    "divergent-barrier|early-exit",
)
bug(
    "same line if/else barriers",
    "__global__ void k(float* x) { if (threadIdx.x < 32) { x[threadIdx.x] = 1; __syncthreads(); } else { x[threadIdx.x] = 2; __syncthreads(); } }",
    "k",
    (1, 64),
    lambda: (Z(64),),
    "divergent-barrier",
)
bug(
    "identical barriers merged",
    "__global__ void k(float* x) { if (threadIdx.x < 32) {\n __syncthreads();\n } else {\n __syncthreads();\n } }",
    "k",
    (1, 64),
    lambda: (Z(64),),
    "divergent-barrier",
)
bug(
    "swap without temp",
    "__global__ void k(float* x, int n) { int i = threadIdx.x; x[i] = x[n - 1 - i]; }",
    "k",
    (1, 64),
    lambda: (np.arange(64, dtype=f32), 64),
    "race",
)
bug(
    "histogram missing atomics in global across blocks",
    "__global__ void k(const int* x, int* h) { h[x[blockIdx.x * blockDim.x + threadIdx.x]] += 1; }",
    "k",
    (2, 32),
    lambda: (np.arange(64, dtype=np.int32) // 2, Z(32, np.int32)),
    "race",
)
bug(
    "read own then neighbor, global no sync",
    "__global__ void k(float* x, float* y) { int i = blockIdx.x*blockDim.x+threadIdx.x; x[i] = i; __syncthreads(); y[i] = x[(i + 32) % 64]; }",
    "k",
    (2, 32),
    lambda: (Z(64), Z(64)),
    "race",
)
bug(
    "constant index beyond",
    "__constant__ float c[4] = {1,2,3,4};\n__global__ void k(float* y) { y[threadIdx.x] = c[threadIdx.x]; }",
    "k",
    (1, 8),
    lambda: (Z(8),),
    "out-of-bounds",
)
bug(
    "device array beyond",
    "__device__ float c[4];\n__device__ float d[4];\n__global__ void k(float* y) { c[threadIdx.x] = 1; y[threadIdx.x] = d[0]; }",
    "k",
    (1, 5),
    lambda: (Z(8),),
    "out-of-bounds",
)
bug(
    "device array by pointer beyond",
    "__device__ float c[4];\n__global__ void k(float* y) { float* p = c; p[threadIdx.x * 4] = 1; }",
    "k",
    (1, 5),
    lambda: (Z(8),),
    "out-of-bounds",
)
bug(
    "misaligned double in dynamic shared",
    "__global__ void k(double* y) { extern __shared__ char s[]; double* d = (double*)(s + 4); d[threadIdx.x] = 1; y[threadIdx.x] = d[threadIdx.x]; }",
    "k",
    (1, 8, 128),
    lambda: (Z(8, np.float64),),
    "misaligned",
)
bug(
    "misaligned int from bytes",
    "__global__ void k(const unsigned char* x, int* y) { y[threadIdx.x] = *(const int*)(x + 3 * threadIdx.x); }",
    "k",
    (1, 8),
    lambda: (Z(64, np.uint8), Z(8, np.int32)),
    "misaligned",
)
bug(
    "uninit register",
    "__global__ void k(float* y, int n) { float s; for (int i = 0; i < n; i++) s += i; y[threadIdx.x] = s; }",
    "k",
    (1, 8),
    lambda: (Z(8), 4),
    "uninitialized",
)
bug(
    "uninit accumulators array",
    "__global__ void k(float* y, int n) { float s[4]; for (int i = 0; i < n; i++) s[i & 3] += i; y[threadIdx.x] = s[0] + s[3]; }",
    "k",
    (1, 8),
    lambda: (Z(8), 4),
    "uninitialized",
)
bug(
    "output read before written",
    "__global__ void k(const float* x, float* y) { y[threadIdx.x] += x[threadIdx.x]; }",
    "k",
    (1, 8),
    lambda: (Z(8), Z(8)),
    "uninitialized",
    outputs=("y",),
)
bug(
    "output partially written",
    "__global__ void k(float* y, int n) { int i = threadIdx.x; if (i % 2 == 0 && i < n) y[i] = 1; }",
    "k",
    (1, 32),
    lambda: (Z(20), 20),
    "unwritten",
    outputs=("y",),
)
bug(
    "deadlock: barrier vs spin",
    "__global__ void k(int* f) { __shared__ int s; if (threadIdx.x == 0) s = 0; __syncthreads(); if (threadIdx.x == 0) { while (atomicAdd(&s, 0) == 0) {} } __syncthreads(); if (threadIdx.x == 40) atomicExch(&s, 1); }",
    "k",
    (1, 64),
    lambda: (Z(1, np.int32),),
    "time-limit|deadlock",
    time_limit=2,
)
bug(
    "endless",
    "__global__ void k(volatile int* f) { while (*f == 0) {} }",
    "k",
    (1, 32),
    lambda: (Z(1, np.int32),),
    "time-limit",
    time_limit=1,
)
bug(
    "infinite recursion",
    "__device__ int f(int n, int* x) { return x[0] + f(n + 1, x) + n; }\n__global__ void k(int* x) { x[0] = f(0, x); }",
    "k",
    (1, 1),
    lambda: (Z(1, np.int32),),
    "crash",
)
bug(
    "null deref",
    "__global__ void k(float* x, float* y) { x[threadIdx.x] = y[threadIdx.x]; }",
    "k",
    (1, 32),
    lambda: (Z(32), None),
    "out-of-bounds",
)
bug(
    "host pointer math far",
    "__global__ void k(float* x, int n) { x[(size_t)n * n * 64] = 1; }",
    "k",
    (1, 1),
    lambda: (Z(32), 100000),
    "out-of-bounds",
)
bug(
    "divide by zero",
    "__global__ void k(int* x, int n) { x[threadIdx.x] = n / (int)threadIdx.x; }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32), 7),
    "crash|division-by-zero",
)
bug(
    "async copy: other threads read w/o barrier",
    "#include <cuda_pipeline.h>\n__global__ void k(const float* x, float* y) { __shared__ float s[64]; int t = threadIdx.x; __pipeline_memcpy_async(&s[t], &x[t], 4); __pipeline_commit(); __pipeline_wait_prior(0); y[t] = s[63 - t]; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
    "race",
)
bug(
    "async copy: source modified",
    "#include <cuda_pipeline.h>\n__global__ void k(float* x, float* y) { __shared__ float s[64]; int t = threadIdx.x; __pipeline_memcpy_async(&s[t], &x[t], 4); __pipeline_commit(); x[t] = 7; __pipeline_wait_prior(0); y[t] = s[t]; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
    "async-copy",
)
bug(
    "async copy oob",
    "#include <cuda_pipeline.h>\n__global__ void k(const float4* x, float* y) { __shared__ float4 s[64]; int t = threadIdx.x; __pipeline_memcpy_async(&s[t], &x[t], 16); __pipeline_commit(); __pipeline_wait_prior(0); y[t] = s[t].x; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
    "out-of-bounds",
)
bug(
    "write during in flight",
    "#include <cuda_pipeline.h>\n__global__ void k(const float* x, float* y) { __shared__ float s[64]; int t = threadIdx.x; __pipeline_memcpy_async(&s[t], &x[t], 4); s[t] = 0; __pipeline_commit(); __pipeline_wait_prior(0); y[t] = s[t]; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
    "async-copy",
)
bug(
    "syncwarp mask without self",
    "__global__ void k(float* x) { if (threadIdx.x < 16) __syncwarp(0xffff0000); x[threadIdx.x] = 1; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "warp-function",
)
bug(
    "different masks",
    "__global__ void k(float* x) { float v = __shfl_sync(threadIdx.x < 16 ? 0xffffffffu : 0xffff0000u, x[threadIdx.x], 0); x[threadIdx.x] = v; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "deadlock|warp-function",
)
bug(
    "local address to other thread",
    "__global__ void k(float* y) { __shared__ float* p; float mine = threadIdx.x; if (threadIdx.x == 0) p = &mine; __syncthreads(); y[threadIdx.x] = *p; __syncthreads(); }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "local-memory",
)
bug("too many threads", "__global__ void k(float* y) { y[0] = 1; }", "k", (1, (64, 32)), lambda: (Z(32),), "launch")
bug(
    "too much static shared",
    "__global__ void k(float* y) { __shared__ float s[20000]; s[threadIdx.x] = 1; y[0] = s[0]; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "launch",
)
bug(
    "too much dynamic",
    "__global__ void k(float* y) { extern __shared__ float s[]; s[threadIdx.x] = 1; y[0] = s[0]; }",
    "k",
    (1, 32, 300000),
    lambda: (Z(32),),
    "launch",
)
bug("assert", "__global__ void k(float* y, int n) { assert(n == 3); }", "k", (1, 32), lambda: (Z(32), 4), "trap")
bug(
    "thread 0 init race with others",
    "__global__ void k(int* y) { __shared__ int s; if (threadIdx.x == 0) s = 0; atomicAdd(&s, 1); __syncthreads(); y[0] = s; }",
    "k",
    (1, 64),
    lambda: (Z(1, np.int32),),
    "race|uninitialized",
)
bug(
    "zero output in kernel then accumulate",
    "__global__ void k(float* y) { if (blockIdx.x == 0 && threadIdx.x == 0) *y = 0; __syncthreads(); atomicAdd(y, 1.f); }",
    "k",
    (2, 32),
    lambda: (Z(1),),
    "race",
)
bug(
    "double buffer wrong parity",
    "__global__ void k(float* x, int n) { __shared__ float s[2][32]; int t = threadIdx.x; s[0][t] = x[t]; __syncthreads(); for (int i = 0; i < n; i++) { s[i % 2][t] = s[i % 2][(t + 1) % 32] + 1; __syncthreads(); } x[t] = s[0][t]; }",
    "k",
    (1, 32),
    lambda: (Z(32), 4),
    "race",
)
bug(
    "bitonic missing sync",
    "__global__ void k(int* x) { __shared__ int s[64]; int t = threadIdx.x; s[t] = x[t]; __syncthreads(); for (int k = 2; k <= 64; k *= 2) { for (int j = k / 2; j > 0; j /= 2) { int o = t ^ j; if (o > t && ((t & k) == 0) == (s[t] > s[o])) { int v = s[t]; s[t] = s[o]; s[o] = v; } } __syncthreads(); } x[t] = s[t]; }",
    "k",
    (1, 64),
    lambda: (np.arange(64, dtype=np.int32)[::-1].copy(),),
    "race",
)
bug(
    "string/struct field race",
    "struct P { float a, b; };\n__global__ void k(P* p) { if (threadIdx.x < 2) p[0].a = threadIdx.x; }",
    "k",
    (1, 32),
    lambda: (Z(2).view(np.uint8),),
    "race",
)
bug(
    "const cast write",
    "__global__ void k(const float* x) { const_cast<float*>(x)[threadIdx.x] = 1; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "read-only",
)
bug(
    "memset overrun",
    "__global__ void k(float* y) { __shared__ float s[8]; if (threadIdx.x == 0) memset(s, 0, 64); __syncthreads(); y[threadIdx.x] = s[threadIdx.x & 7]; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "out-of-bounds",
)
bug(
    "vector load off end",
    "__global__ void k(const float* x, float* y) { float4 v = ((const float4*)x)[threadIdx.x]; y[threadIdx.x] = v.w; }",
    "k",
    (1, 8),
    lambda: (Z(30), Z(8)),
    "out-of-bounds",
)


# Written when the checker was thought finished.
good(
    "namespace and static members",
    "namespace geo { struct V { float x; static __device__ V make(float a) { return V{a}; } __device__ V operator+(V o) const { return V{x + o.x}; } }; }\n__global__ void k(float* y) { y[threadIdx.x] = (geo::V::make(1) + geo::V::make(2)).x; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
)
good(
    "kernel in namespace",
    "namespace ns { __global__ void k(float* y) { y[threadIdx.x] = 1; } }",
    "ns::k",
    (1, 32),
    lambda: (Z(32),),
)
good(
    "extern C, static inline device",
    'static __inline__ __device__ float f(float x) { return x; }\nextern "C" __global__ void __launch_bounds__(64, 2) k(float* __restrict__ y) { y[threadIdx.x] = f(2); }',
    "k",
    (1, 64),
    lambda: (Z(64),),
)
good(
    "double pointer unused / size_t",
    "__global__ void k(float* y, unsigned long long n, const double s) { if (threadIdx.x < n) y[threadIdx.x] = s; }",
    "k",
    (1, 64),
    lambda: (Z(64), 64, 0.5),
)
good(
    "dim3/uint3 use",
    "__device__ int flat(dim3 a, uint3 b) { return a.x + b.y; }\n__global__ void k(int* y) { dim3 d(1, 2); y[threadIdx.x] = flat(d, blockIdx) + make_int2(1, 2).y; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
)
good(
    "float4 brace init",
    "__global__ void k(float4* y) { float4 v{1, 2, 3, 4}; float4 w = {v.x, v.y, 0, 1}; v.x += w.w; y[threadIdx.x] = v; }",
    "k",
    (1, 8),
    lambda: (Z(32),),
)
good(
    "float3 arrays",
    "__global__ void k(const float3* a, float3* b) { float3 v = a[threadIdx.x]; v.x += 1; b[threadIdx.x] = v; }",
    "k",
    (1, 8),
    lambda: (Z(24), Z(24)),
)
good(
    "shared struct array",
    "struct P { float a; int b; };\n__global__ void k(float* y) { __shared__ P s[32]; s[threadIdx.x] = P{1.f, (int)threadIdx.x}; __syncthreads(); y[threadIdx.x] = s[31 - threadIdx.x].b; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
)
good(
    "shared bool flags per warp",
    "__global__ void k(int* y) { __shared__ bool f[2]; int w = threadIdx.x / 32; if (threadIdx.x % 32 == 0) f[w] = w; __syncwarp(); y[threadIdx.x] = f[w]; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
)
good(
    "monotone flag by atomicExch, plain read after barrier",
    "__global__ void k(int* y) { __shared__ int f; if (threadIdx.x == 0) f = 0; __syncthreads(); if (threadIdx.x == 7) atomicExch(&f, 1); __syncthreads(); y[threadIdx.x] = f; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
)
good(
    "loop with barrier, break uniformly",
    "__global__ void k(int* y, int n) { __shared__ int s; for (int i = 0;; i++) { if (threadIdx.x == 0) s = i; __syncthreads(); int v = s; __syncthreads(); if (v == n) break; } y[threadIdx.x] = n; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32), 5),
)
good(
    "producer/consumer warps with named data and barriers",
    "__global__ void k(float* y, int n) { __shared__ float s[2][32]; int t = threadIdx.x; for (int i = 0; i < n; i++) { if (t < 32) s[i & 1][t] = i; __syncthreads(); if (t >= 32) y[t - 32] += s[i & 1][t - 32]; } }",
    "k",
    (1, 64),
    lambda: (Z(32), 6),
)
good(
    "global scratch per block, barriers",
    "__global__ void k(float* tmp, float* y) { float* mine = tmp + blockIdx.x * 64; mine[threadIdx.x] = threadIdx.x; __syncthreads(); y[blockIdx.x * 64 + threadIdx.x] = mine[63 - threadIdx.x]; }",
    "k",
    (3, 64),
    lambda: (Z(192), Z(192)),
)
good(
    "shuffle in loop with return for whole warp",
    "__global__ void k(int* y) { int w = threadIdx.x / 32; for (int i = 0; i < 4; i++) { if (w == i) return; int v = __shfl_sync(~0u, (int)threadIdx.x, i); y[threadIdx.x] = v; } }",
    "k",
    (1, 96),
    lambda: (Z(96, np.int32),),
)
good(
    "aligned char4 / uchar4",
    "__global__ void k(const uchar4* a, unsigned char* b) { uchar4 v = a[threadIdx.x]; b[4*threadIdx.x] = v.w; b[4*threadIdx.x+1] = v.z; b[4*threadIdx.x+2] = v.y; b[4*threadIdx.x+3] = v.x; }",
    "k",
    (1, 16),
    lambda: (Z(64, np.uint8), Z(64, np.uint8)),
)
good(
    "constexpr if and templates with types",
    "template <typename T, bool B> __device__ T pick(T a, T b) { if constexpr (B) return a; else return b; }\ntemplate <typename T> __global__ void k(T* y) { y[threadIdx.x] = pick<T, true>(T(1), T(2)); }",
    "k<double>",
    (1, 16),
    lambda: (Z(16, np.float64),),
)
good(
    "atomics on double, min/max, cas loop for float max",
    "__device__ float fmax_atomic(float* a, float v) { int* p = (int*)a; int old = *p, seen; do { seen = old; if (__int_as_float(seen) >= v) break; old = atomicCAS(p, seen, __float_as_int(v)); } while (seen != old); return __int_as_float(old); }\n__global__ void k(double* d, int* m) { atomicAdd(d, 0.5); atomicMax(m, (int)threadIdx.x); atomicMin(m + 1, -(int)threadIdx.x); }",
    "k",
    (2, 32),
    lambda: (Z(1, np.float64), Z(2, np.int32)),
)
good(
    "half atomics, half2 math",
    "#include <cuda_fp16.h>\n__global__ void k(half* h, half2* g) { atomicAdd(h, __float2half(1.0f)); half2 a = __floats2half2_rn(1, 2); g[threadIdx.x] = __hfma2(a, a, __half2half2(h2exp(a).x)); }",
    "k",
    (1, 32),
    lambda: (Z(1, np.float16), Z(64, np.float16)),
)
good(
    "warp matrix: wmma from shared",
    r"""
#include <mma.h>
using namespace nvcuda;
__global__ void k(const half* a, const half* b, float* c) {
  __shared__ half s[256];
  for (int i = threadIdx.x; i < 256; i += 32) s[i] = a[i];
  __syncwarp();
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa; wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb; wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fill_fragment(fc, 0.f); wmma::load_matrix_sync(fa, s, 16); wmma::load_matrix_sync(fb, b, 16); wmma::mma_sync(fc, fa, fb, fc);
  for (int i = 0; i < fc.num_elements; i++) fc.x[i] *= 2;
  wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major); }""",
    "k",
    (1, 32),
    lambda: (Z(256, np.float16), Z(256, np.float16), Z(256)),
)
bug(
    "wmma result read without syncwarp",
    r"""
#include <mma.h>
using namespace nvcuda;
__global__ void k(float* c, float* y) {
  __shared__ float s[256];
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc; wmma::fill_fragment(fc, 1.f);
  wmma::store_matrix_sync(s, fc, 16, wmma::mem_row_major);
  y[threadIdx.x] = s[255 - threadIdx.x]; }""",
    "k",
    (1, 32),
    lambda: (Z(256), Z(32)),
    "race",
)
bug(
    "wmma odd leading dimension",
    "#include <mma.h>\nusing namespace nvcuda;\n__global__ void k(const half* a) { wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> f; wmma::load_matrix_sync(f, a, 17); }",
    "k",
    (1, 32),
    lambda: (Z(512, np.float16),),
    "misaligned",
)
bug(
    "wmma off the end",
    "#include <mma.h>\nusing namespace nvcuda;\n__global__ void k(const half* a, half* b) { wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> f; wmma::load_matrix_sync(f, a + 16, 16); b[threadIdx.x] = f.x[7]; }",
    "k",
    (1, 32),
    lambda: (Z(256, np.float16), Z(32, np.float16)),
    "out-of-bounds",
)
bug(
    "wmma half a warp",
    "#include <mma.h>\nusing namespace nvcuda;\n__global__ void k(float* c) { wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a; wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> b; wmma::fragment<wmma::accumulator, 16, 16, 16, float> f; wmma::fill_fragment(f, 0.f); wmma::fill_fragment(a, half(0)); wmma::fill_fragment(b, half(0)); wmma::mma_sync(f, a, b, f); c[threadIdx.x] = f.x[0]; }",
    "k",
    (1, 16),
    lambda: (Z(256),),
    "warp-function",
)
bug(
    "grid-stride with int overflow of bounds",
    "__global__ void k(float* y, int n) { for (int i = threadIdx.x; i <= n; i += blockDim.x) y[i] = 1; }",
    "k",
    (1, 32),
    lambda: (Z(64), 64),
    "out-of-bounds",
)
bug(
    "block-level scan writes before all read",
    "__global__ void k(int* x) { __shared__ int s[64]; int t = threadIdx.x; s[t] = x[t]; __syncthreads(); for (int d = 1; d < 64; d *= 2) { int v = t >= d ? s[t - d] : 0; s[t] += v; __syncthreads(); } x[t] = s[t]; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
    "race",
)
bug(
    "warp leader writes, others read without sync",
    "__global__ void k(int* y) { __shared__ int s[2]; int w = threadIdx.x / 32; if (threadIdx.x % 32 == 0) s[w] = w; y[threadIdx.x] = s[w]; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
    "race",
)
bug(
    "ballot does not order memory",
    "__global__ void k(int* y) { __shared__ int s[32]; s[threadIdx.x] = threadIdx.x; __ballot_sync(~0u, 1); y[threadIdx.x] = s[31 - threadIdx.x]; }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32),),
    "race",
)
bug(
    "threadfence is no barrier",
    "__global__ void k(int* y) { __shared__ int s[64]; s[threadIdx.x] = threadIdx.x; __threadfence_block(); y[threadIdx.x] = s[63 - threadIdx.x]; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
    "race",
)
bug(
    "lock without fence order (unlock by plain store)",
    "__device__ int lock;\n__global__ void k(int* y) { if (threadIdx.x == 0) { while (atomicCAS(&lock, 0, 1)) {} y[0] += 1; lock = 0; } }",
    "k",
    (3, 32),
    lambda: (Z(1, np.int32),),
    "race",
)
bug(
    "atomic in shared, plain in global twice",
    "__global__ void k(int* y) { atomicAdd(&y[0], 1); if (threadIdx.x == 3) y[0] = 0; }",
    "k",
    (1, 32),
    lambda: (Z(1, np.int32),),
    "race",
)
bug(
    "cg tile sync for block data",
    "#include <cooperative_groups.h>\nnamespace cg = cooperative_groups;\n__global__ void k(int* y) { __shared__ int s[64]; auto t = cg::tiled_partition<32>(cg::this_thread_block()); s[threadIdx.x] = 1; cg::sync(t); y[threadIdx.x] = s[63 - threadIdx.x]; }",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
    "race",
)
bug(
    "tile<8> sync for warp data",
    "#include <cooperative_groups.h>\nnamespace cg = cooperative_groups;\n__global__ void k(int* y) { __shared__ int s[32]; auto t = cg::tiled_partition<8>(cg::this_thread_block()); s[threadIdx.x] = 1; t.sync(); y[threadIdx.x] = s[31 - threadIdx.x]; }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32),),
    "race",
)
bug(
    "memcpy_async without wait",
    "#include <cooperative_groups.h>\n#include <cooperative_groups/memcpy_async.h>\nnamespace cg = cooperative_groups;\n__global__ void k(const float* x, float* y) { __shared__ float s[64]; auto b = cg::this_thread_block(); cg::memcpy_async(b, s, x, sizeof(float) * 64); b.sync(); y[threadIdx.x] = s[63 - threadIdx.x]; }",
    "k",
    (1, 64),
    lambda: (Z(64), Z(64)),
    "async-copy",
)
bug(
    "dynamic shared not asked for",
    "__global__ void k(float* y) { extern __shared__ float s[]; s[threadIdx.x] = 1; y[threadIdx.x] = s[threadIdx.x]; }",
    "k",
    (1, 32),
    lambda: (Z(32),),
    "out-of-bounds",
)
bug(
    "dynamic shared in elements, not bytes",
    "__global__ void k(float* y) { extern __shared__ float s[]; s[threadIdx.x] = 1; __syncthreads(); y[threadIdx.x] = s[31 - threadIdx.x]; }",
    "k",
    (1, 32, 32),
    lambda: (Z(32),),
    "out-of-bounds",
)
bug(
    "two dynamic arrays overlap",
    "__global__ void k(float* y) { extern __shared__ float s[]; float* a = s; float* b = s + 16; a[threadIdx.x] = 1; b[threadIdx.x] = 2; __syncthreads(); y[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x]; }",
    "k",
    (1, 32, 256),
    lambda: (Z(32),),
    "race",
)
bug(
    "row index uses wrong stride -> overlap",
    "__global__ void k(float* y, int w) { y[threadIdx.y * (w - 1) + threadIdx.x] = threadIdx.x + 100 * threadIdx.y; }",
    "k",
    (1, (8, 8)),
    lambda: (Z((8, 8)), 8),
    "race",
)
bug(
    "stale length: host array shorter",
    "__global__ void k(const float* x, float* y, int n) { int i = threadIdx.x; if (i < n) y[i] = x[i]; }",
    "k",
    (1, 64),
    lambda: (Z(50), Z(64), 64),
    "out-of-bounds",
)
bug(
    "char loop wraps",
    "__global__ void k(int* y) { for (unsigned char i = 0; i < 256; i++) y[i] = 1; }",
    "k",
    (1, 1),
    lambda: (Z(256, np.int32),),
    "time-limit",
    time_limit=1,
)
bug(
    "syncwarp inside divergent branch, full mask",
    "__global__ void k(int* y) { __shared__ int s[32]; if (threadIdx.x < 16) { s[threadIdx.x] = 1; __syncwarp(); y[threadIdx.x] = s[15 - threadIdx.x]; } else { __syncthreads(); } }",
    "k",
    (1, 32),
    lambda: (Z(32, np.int32),),
    "deadlock",
)
bug(
    "reduction over blockDim not power of two",
    "__global__ void k(int* x, int* y) { __shared__ int s[48]; int t = threadIdx.x; s[t] = x[t]; __syncthreads(); for (int d = 32; d; d /= 2) { if (t < d) s[t] += s[t + d]; __syncthreads(); } if (t == 0) *y = s[0]; }",
    "k",
    (1, 48),
    lambda: (Z(48, np.int32), Z(1, np.int32)),
    "out-of-bounds",
)
bug(
    "next block's data",
    "__global__ void k(float* x) { int i = blockIdx.x * 32 + threadIdx.x; float r = i + 1 < 64 ? x[i + 1] : 0; __syncthreads(); x[i] = r; }",
    "k",
    (2, 32),
    lambda: (np.arange(64, dtype=f32),),
    "race",
)
bug(
    "memcpy of different values to one place",
    "__global__ void k(float* y) { float v = threadIdx.x; memcpy(&y[0], &v, 4); }",
    "k",
    (1, 32),
    lambda: (Z(1),),
    "race",
)
bug(
    "memset of different values to one place",
    "__global__ void k(float* y) { memset(&y[0], threadIdx.x, 4); }",
    "k",
    (1, 32),
    lambda: (Z(1),),
    "race",
)
good(
    "atomicAdd for doubles made of atomicCAS: the plain read is looked at again",
    r"""
__device__ double add(double* address, double value) {
  unsigned long long* words = (unsigned long long*)address;
  unsigned long long old = *words, assumed;
  do {
    assumed = old;
    old = atomicCAS(words, assumed, __double_as_longlong(value + __longlong_as_double(assumed)));
  } while (assumed != old);
  return __longlong_as_double(old);
}
__global__ void k(double* sum, int* most) {
  add(sum, threadIdx.x);
  int old = *most, seen;
  do { seen = old; old = atomicCAS(most, seen, max(seen, (int)threadIdx.x)); } while (old != seen);
}""",
    "k",
    (3, 48),
    lambda: (Z(1, np.float64), Z(1, np.int32)),
)
bug(
    "a plain read decides on an exchange",
    "__global__ void k(int* most) { int mine = threadIdx.x; if (mine > *most) atomicExch(most, mine); }",
    "k",
    (1, 64),
    lambda: (Z(1, np.int32),),
    "race",
)
bug(
    "a plain read is used after a compare-and-swap of another place",
    "__global__ void k(int* a, int* y) { atomicCAS(&a[1], 0, 1); y[threadIdx.x] = a[0]; atomicAdd(&a[0], 1); atomicCAS(&a[1], 0, 1); }",
    "k",
    (1, 64),
    lambda: (Z(2, np.int32), Z(64, np.int32)),
    "race",
)
good(
    "a warp stores a matrix over the one that it loaded",
    r"""
#include <mma.h>
using namespace nvcuda;
__global__ void k(float* c) {
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> f;
  wmma::load_matrix_sync(f, c, 16, wmma::mem_col_major);
  for (int i = 0; i < f.num_elements; i++) f.x[i] += 1;
  wmma::store_matrix_sync(c, f, 16, wmma::mem_row_major); }""",
    "k",
    (1, 32),
    lambda: (Z(256),),
)
good(
    "an accumulator of 32 x 8 that lies by columns",
    r"""
#include <mma.h>
using namespace nvcuda;
__global__ void k(const float* c, float* d) {
  wmma::fragment<wmma::accumulator, 32, 8, 16, float> f;
  wmma::load_matrix_sync(f, c, 32, wmma::mem_col_major);
  wmma::store_matrix_sync(d, f, 32, wmma::mem_col_major); }""",
    "k",
    (1, 32),
    lambda: (Z(256), Z(256)),
)
bug(
    "two warps store over one matrix",
    r"""
#include <mma.h>
using namespace nvcuda;
__global__ void k(float* c) {
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> f;
  wmma::load_matrix_sync(f, c, 16, wmma::mem_row_major);
  for (int i = 0; i < f.num_elements; i++) f.x[i] += 1;
  wmma::store_matrix_sync(c, f, 16, wmma::mem_row_major); }""",
    "k",
    (1, 64),
    lambda: (Z(256),),
    "race",
)
good(
    "groups by their general name, tiles of a size known at run time, partitions",
    r"""
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__device__ int sum(const cg::thread_group& g, int* shared, int v) {
  int rank = g.thread_rank();
  for (int half = g.size() / 2; half; half /= 2) {
    shared[rank] = v;
    g.sync();
    if (rank < half) v += shared[rank + half];
    g.sync();
  }
  return v;
}
__global__ void k(int* y) {
  __shared__ int s[64];
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
  cg::thread_group four = cg::tiled_partition(block, 4);
  int all = sum(block, s, 1);
  int part = sum(four, s + threadIdx.x / 4 * 4, 1);
  int even = cg::binary_partition(warp, warp.thread_rank() % 2 == 0).size();
  int alike = cg::labeled_partition(warp, warp.thread_rank() / 8).thread_rank();
  if (block.thread_rank() == 0) { assert(all == 64); assert(part == 4); }
  assert(even == 16 && alike == threadIdx.x % 8 && four.thread_rank() == threadIdx.x % 4);
  y[threadIdx.x] = part;
}""",
    "k",
    (1, 64),
    lambda: (Z(64, np.int32),),
)
good(
    "uint, alignas behind __shared__",
    "__global__ void k(uint* y, uint n) { __shared__ alignas(16) uint s[32]; s[threadIdx.x] = n; __syncthreads(); *(uint4*)(y + 4 * threadIdx.x) = *(uint4*)&s[threadIdx.x / 4 * 4]; }",
    "k",
    (1, 32),
    lambda: (Z(128, np.uint32), 3),
)


@pytest.mark.parametrize("name", GOOD)
def test_correct_but_unusual_kernels_are_left_alone(name):
    source, kernel, config, arguments, options = GOOD[name]
    for order in ({}, {"block_order": "reverse", "warp_order": "random", "seed": 3}):
        report = Kernel(source, kernel).check[config](*arguments(), **order, **options)
        assert report.ok, report


@pytest.mark.parametrize("name", BUGS)
def test_bugs_that_hide_are_found(name):
    source, kernel, config, arguments, kinds, options = BUGS[name]
    report = Kernel(source, kernel).check[config](*arguments(), **options)
    assert kinds & {fault.kind for fault in report.faults}, report


def test_an_access_in_a_loop_keeps_its_line():
    source = """__device__ int touched;
__global__ void k(int* x, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    x[i] = i;
    touched++;
  }
}"""
    report = Kernel(source, "k").check[1, 32](np.zeros(100, np.int32), 100)
    assert {(fault.kind, fault.line, fault.other_line) for fault in report.faults} == {("race", 5, 5)}
