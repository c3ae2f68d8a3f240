# ruff: noqa: E501 (a table of mutants, one a line)
"""Correct kernels are found correct in every order; each planted bug is found, as what it is and where it is."""

from __future__ import annotations

import numpy as np
import pytest

from mlcourse.gpu import Kernel

from .correct_kernels import CASES

ORDERS = [
    {"block_order": "forward", "warp_order": "forward"},
    {"block_order": "reverse", "warp_order": "reverse"},
    {"block_order": "random", "warp_order": "random", "seed": 1},
    {"block_order": "reverse", "warp_order": "random", "seed": 2},
]


def results_are_right(case, before, after):
    for position, expected in case.expected(before).items():
        found = np.sort(after[position]) if case.name == "compact" and position == 1 else after[position]
        np.testing.assert_allclose(found.reshape(np.shape(expected)), expected, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_correct_kernels_are_right_and_silent_in_every_order(name):
    case = CASES[name]
    kernel = Kernel(case.source, case.name)
    for order in ORDERS:
        before, plain, checked = case.arguments(), case.arguments(), case.arguments()
        kernel[case.config](*plain, **order)
        results_are_right(case, before, plain)
        report = kernel.check[case.config](*checked, outputs=case.outputs, **order)
        assert report.ok and not report.notes, report
        results_are_right(case, before, checked)


@pytest.mark.parametrize("name", CASES)
def test_a_profile_computes_the_same_and_its_parts_add_up(name):
    case = CASES[name]
    before, after = case.arguments(), case.arguments()
    profile = Kernel(case.source, case.name).profile[case.config](*after)
    results_are_right(case, before, after)
    for line in profile.lines:
        assert line.line > 0 and line.array in case.source
        assert line.requests <= line.transfers
        assert line.ideal <= line.transfers


# name: kernel, what is replaced by what, the kind of fault, and a part of the line it must be reported at
MUTANTS = {
    "no guard": ("vector_add", "if (i < n) c[i]", "c[i]", "out-of-bounds", "c[i] ="),
    "guard one too far": ("vector_add", "i < n", "i <= n", "out-of-bounds", "c[i] ="),
    "guard one too short": ("vector_add", "i < n", "i < n - 1", "unwritten", None),
    "threads start at 1": ("vector_add", "+ threadIdx.x;", "+ threadIdx.x + 1;", "unwritten", None),
    "blocks leave gaps": ("vector_add", "* blockDim.x +", "* (blockDim.x + 1) +", "unwritten", None),
    "writes an input": ("vector_add", "c[i] = a[i] + b[i]", "((float*)a)[i] = c[i] = a[i] + b[i]", "read-only", "((float*)a)"),
    "stride of one block": ("saxpy", "(size_t)gridDim.x * blockDim.x", "blockDim.x", "race", "y[i] = a"),
    "neighbor in place": ("saxpy", "+ y[i];", "+ y[i + 1 < n ? i + 1 : i];", "race", "y[i] = a"),
    "index in a byte": ("saxpy", "y[i] = a", "y[(unsigned char)i] = a", "race", "y[(unsigned char)i]"),
    "row guard is missing": ("stencil", "if (r > 0) sum", "sum", "out-of-bounds", "(r - 1)"),
    "row guard is swapped": ("stencil", "r >= rows || c >= columns", "r >= columns || c >= columns", "out-of-bounds", "* in[r * columns + c];"),
    "constant index too large": ("stencil", "weight[2] * in[r * columns + c - 1]", "weight[3] * in[r * columns + c - 1]", "out-of-bounds", "weight[3]"),
    "in place stencil": ("stencil", "out[r * columns + c] = sum", "((float*)in)[r * columns + c] = out[r * columns + c] = sum", "race", "((float*)in)"),
    "no barrier": ("transpose", "__syncthreads();", "", "race", "= tile["),
    "tile of wrong width": ("transpose", "tile[TILE][TILE + 1]", "tile[TILE][TILE - 1]", "out-of-bounds", "tile["),
    "tile of too few rows": ("transpose", "tile[TILE][TILE + 1]", "tile[TILE - 8][TILE + 1]", "out-of-bounds", "tile["),
    "rows left out": ("transpose", "j < TILE; j += ROWS)\n    if (x < width", "j < TILE - ROWS; j += ROWS)\n    if (x < width", "uninitialized", "= tile["),
    "barrier inside the guard": ("transpose", "= in[(y + j) * width + x];\n  __syncthreads();", "= in[(y + j) * width + x];\n  if (x < width) __syncthreads();", "early-exit", "__syncthreads"),
    "output stride is the width": ("transpose", "out[(y + j) * height + x]", "out[(y + j) * width + x]", "race", "out["),
    "first barrier is missing": ("matmul", "__syncthreads();  // both tiles are there", "", "race", "sum += a["),
    "second barrier is missing": ("matmul", "__syncthreads();  // both tiles may be overwritten", "", "race", "a[ty][tx] ="),
    "barrier of a warp for one of a block": ("matmul", "__syncthreads();  // both tiles are there", "__syncwarp();", "race", "sum += a["),
    "inner loop too long": ("matmul", "i < T", "i <= T", "out-of-bounds", "sum += a["),
    "guard of A forgotten": ("matmul", "row < M && k + tx < K ?", "true ?", "out-of-bounds", "a[ty][tx] = true"),
    "return before the barrier": ("matmul", "float sum = 0;", "float sum = 0;\n  if (row >= M || column >= N) return;", "early-exit", "__syncthreads"),
    "sum never set": ("matmul", "float sum = 0;", "float sum;", "uninitialized", "sum += a["),
    "mask of half a warp": ("block_sum", "0xffffffff, v", "0x0000ffff, v", "warp-function", "__shfl_down_sync"),
    "no barrier before the second stage": ("block_sum", "__syncthreads();", "", "race", "partial["),
    "all lanes read the partial sums": ("block_sum", "lane < warps ? partial[lane] : 0.0f", "partial[lane]", "uninitialized", "v = partial[lane]"),
    "shuffle in a branch": ("block_sum", "v = warp_sum(v);\n  if (lane", "if (lane < 16) v = warp_sum(v);\n  if (lane", "deadlock", "__shfl_down_sync"),
    "plain instead of atomic": ("block_sum", "atomicAdd(total, v)", "*total += v", "race", "*total +="),
    "partial sums by thread": ("block_sum", "partial[warp] = v", "partial[threadIdx.x] = v", "out-of-bounds", "partial[threadIdx.x]"),
    "barrier inside the if": ("tree_sum", "if (t < half) s[t] += s[t + half];\n    __syncthreads();", "if (t < half) { s[t] += s[t + half]; __syncthreads(); }", "early-exit", "__syncthreads"),
    "too little dynamic memory": ("tree_sum", "s[t] = i", "s[t + 1] = i", "out-of-bounds", "s[t + 1]"),
    "barrier of the loop is missing": ("tree_sum", "s[t + half];\n    __syncthreads();", "s[t + half];", "race", "s[t] +="),
    "reads over the end": ("tree_sum", "t < half", "t <= half", "race", "s[t] +="),
    "result without a barrier": ("tree_sum", "if (t == 0) sums[blockIdx.x] = s[0];", "if (t == 33) sums[blockIdx.x] = s[0]; s[t] = 0;", "race", "s[t] = 0"),
    "scan in one buffer": ("scan", "s[1 - now][t] = ", "s[now][t] = ", "race", "s[now][t] ="),
    "touched again after the barrier": ("scan", "now = 1 - now;\n    __syncthreads();", "__syncthreads();\n    now = 1 - now;\n    s[now][t] += n - 250;", "race", "s[now][t] += n"),
    "negative index": ("scan", "(t >= step ? s[now][t - step] : 0)", "s[now][t - step]", "out-of-bounds", "s[now][t - step]"),
    "barrier in a loop of different length": ("scan", "step < 256", "step < (t < 128 ? 256 : 128)", "early-exit", "__syncthreads"),
    "bins never cleared": ("histogram", "bins[b] = 0", "b = b", "uninitialized", "atomicAdd(&bins"),
    "plain count": ("histogram", "atomicAdd(&bins[x[i]], 1u)", "bins[x[i]]++", "race", "bins[x[i]]++"),
    "no barrier after clearing": ("histogram", "bins[b] = 0;\n  __syncthreads();", "bins[b] = 0;", "race", "atomicAdd(&bins"),
    "bin out of range": ("histogram", "if (x[i] < BINS) atomicAdd", "atomicAdd", "out-of-bounds", "atomicAdd(&bins"),
    "result read too early": ("histogram", "  __syncthreads();\n  for (int b = threadIdx.x; b < BINS; b += blockDim.x) atomicAdd", "  for (int b = threadIdx.x; b < BINS; b += blockDim.x) atomicAdd", "race", "bins[b]);"),
    "result by plain store": ("histogram", "atomicAdd(&counts[b], bins[b])", "counts[b] = bins[b]", "race", "counts[b] ="),
    "reused too early": ("softmax", "__syncthreads();  // the last result has been read by all", "", "race", "shared["),
    "one warp's result only": ("softmax", "if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;", "if (threadIdx.x == 0) shared[0] = v;", "uninitialized", "shared[w]"),
    "all threads write one place": ("softmax", "shared[threadIdx.x / 32] = v", "shared[0] = v", "race", "shared[0] = v"),
    "row too long for its memory": ("softmax", "extern __shared__ float row[];", "extern __shared__ float row_[]; float* row = row_ + 4;", "out-of-bounds", "row[c] = in[c]"),
    "shuffle with a lane that left": ("softmax", "float m = -INFINITY;", "if (threadIdx.x == 63) return;\n  float m = -INFINITY;", "warp-function", "__shfl_xor_sync"),
    "not aggregated, not atomic": ("compaction", "base = atomicAdd(count, __popc(lanes))", "{ base = *count; *count = base + __popc(lanes); }", "race", "*count = base"),
    "broadcast from a lane that is not there": ("compaction", "__shfl_sync(0xffffffff, base, 0)", "__shfl_sync(0xfffffffe, base, 0)", "warp-function", "__shfl_sync"),
    "position of the wrong lane": ("compaction", "(1u << lane) - 1", "(1u << lane / 2) - 1", "race", "kept["),
    "ballot in the guard": ("compaction", "unsigned lanes = __ballot_sync(0xffffffff, keep);", "if (i >= n) return;\n  unsigned lanes = __ballot_sync(0xffffffff, keep);\n  keep = __shfl_sync(0xffffffff, keep, 31);", "warp-function", "keep = __shfl_sync"),
    "not waited for": ("async_copy", "__pipeline_wait_prior(1);", "", "async-copy", "float4 v ="),
    "one group too many in flight": ("async_copy", "__pipeline_wait_prior(1);", "__pipeline_wait_prior(2);", "async-copy", "float4 v ="),
    "waited for, but no barrier": ("async_copy", "__syncthreads();  // all have waited: the tile is there", "", "race", "float4 v ="),
    "overwritten too early": ("async_copy", "__syncthreads();  // all have read: the tile may be overwritten", "", "race", "&buffer[(tile + 1)"),
    "copied to a place in between": ("async_copy", "(&buffer[0][t], &mine[t], sizeof(float4))", "((float*)&buffer[0][t] + 1, &mine[t], sizeof(float4))", "misaligned", "(float*)&buffer"),
    "commit is missing": ("async_copy", "sizeof(float4));\n    __pipeline_commit();", "sizeof(float4));", "async-copy", "float4 v ="),
    "no fence": ("last_block", "__threadfence();", "", "race", "partial[t] : 0"),
    "fence of the block only": ("last_block", "__threadfence();", "__threadfence_block();", "race", "partial[t] : 0"),
    "fence too early": ("last_block", "partial[blockIdx.x] = s[0];\n    __threadfence();", "__threadfence();\n    partial[blockIdx.x] = s[0];", "race", "partial[t] : 0"),
    "counter without an atomic": ("last_block", "atomicAdd(&arrived, 1)", "arrived++", "race", "arrived++"),
    "flag without a barrier": ("last_block", "}\n  __syncthreads();\n  if (!last", "}\n  if (!last", "race", "if (!last"),
    "float4 at any place": ("vector_copy", "reinterpret_cast<float4*>(out)[i]", "*reinterpret_cast<float4*>(out + 3 * i)", "misaligned", "(out + 3 * i)"),
    "tail copied as a vector": ("vector_copy", "i < n / 4", "i <= n / 4", "out-of-bounds", "float4"),
    "tail forgotten": ("vector_copy", "if (tail < n) out[tail] = in[tail];", "", "unwritten", None),
    "tile of half the lanes": ("tile_scan", "int left = tile.shfl_up(v, d);\n    if (tile.thread_rank() >= d) v += left;", "if (tile.thread_rank() >= d) v += tile.shfl_up(v, d);", "deadlock", "tile.shfl_up"),
    "barrier of the tile only": ("tile_scan", "__syncthreads();", "tile.sync();", "race", "v += ends[g]"),
    "first __syncwarp is missing": ("warp_exchange", "= x[i];\n  __syncwarp();", "= x[i];", "race", "float other"),
    "second __syncwarp is missing": ("warp_exchange", "[31 - lane];\n  __syncwarp();", "[31 - lane];", "race", "2 * other"),
    "shuffle is no barrier": ("warp_exchange", "[31 - lane];\n  __syncwarp();", "[31 - lane];\n  other = __shfl_sync(0xffffffff, other, lane);", "race", "2 * other"),
    "__syncwarp of half the lanes": ("warp_exchange", "2 * other;\n  __syncwarp();", "2 * other;\n  __syncwarp(lane % 2 ? 0xaaaaaaaa : 0x55555555);", "race", "^ 1]") ,
    "__syncwarp for others": ("warp_exchange", "= x[i];\n  __syncwarp();", "= x[i];\n  __syncwarp(lane < 16 ? 0xffff0000 : 0x0000ffff);", "warp-function", "0xffff0000"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_each_planted_bug_is_found_where_it_is(name):
    kernel, old, new, kind, at = MUTANTS[name]
    case = CASES[kernel]
    assert case.source.count(old) >= 1
    source = case.source.replace(old, new, 1)
    report = Kernel(source, case.name).check[case.config](*case.arguments(), outputs=case.outputs, time_limit=10)
    found = [fault for fault in report.faults if fault.kind == kind]
    assert found, f"no {kind} among\n{report}"
    if at is not None:
        lines = source.splitlines()
        places = {lines[line - 1] for fault in found for line in (fault.line, fault.other_line) if line}
        assert any(at in place for place in places), f"{at!r} is at none of {places}\n{report}"


def test_the_suite_is_large_and_varied():
    assert len(CASES) >= 12
    assert len(MUTANTS) >= 40
    assert len({kind for _, _, _, kind, _ in MUTANTS.values()}) >= 9
