"""The checks of the chapter on parallel patterns."""

import numpy as np

from mlcourse.grading import Case, Exercise, Mistake
from mlcourse.grading.kernels import (
    counts_of,
    empty,
    hunt_exercise,
    kernel_exercise,
    launch,
    prediction_exercise,
)

# --- brent_time ------------------------------------------------------------------------------------------------------------


def _brent_cases(rng):
    yield Case("a tree over 8 numbers, 2 processors", [4, 2, 1], 2)
    yield Case("a chain: nothing to share", [1] * rng.randint(4, 9), 3)
    yield Case("one level of many operations", [rng.randint(50, 99)], 7)
    yield Case("levels that do not divide evenly", [rng.randint(3, 40) for _ in range(5)] + [5], 4)
    yield Case("one processor", [5, 3, 8], 1)
    yield Case("no processor", [2, 1], 0, raises=ValueError)


def _brent_oracle(levels, p):
    """Hands out the operations of each level to the processors, one round after the other."""
    rounds = 0
    for width in levels:
        waiting = list(range(width))
        while waiting:
            waiting = waiting[p:]
            rounds += 1
    work, depth = sum(levels), len(levels)
    return work, depth, rounds, work / p + depth * (p - 1) / p


def _needs_processors(p):
    if p < 1:
        raise ValueError("at least one processor is needed")


def time_rounds_down(levels, p):
    _needs_processors(p)
    work, depth = sum(levels), len(levels)
    return work, depth, sum(width // p for width in levels), (work - depth) / p + depth


def time_ignores_the_levels(levels, p):
    _needs_processors(p)
    work, depth = sum(levels), len(levels)
    return work, depth, -(-work // p), (work - depth) / p + depth


def bound_of_unlimited_processors(levels, p):
    _needs_processors(p)
    work, depth = sum(levels), len(levels)
    return work, depth, sum(-(-width // p) for width in levels), max(work / p, depth)


def depth_is_the_widest_level(levels, p):
    _needs_processors(p)
    work, depth = sum(levels), max(levels)
    return work, depth, sum(-(-width // p) for width in levels), (work - depth) / p + depth


def takes_no_processor(levels, p):
    p = max(p, 1)
    work, depth = sum(levels), len(levels)
    return work, depth, sum(-(-width // p) for width in levels), (work - depth) / p + depth


BRENT_TIME = Exercise(
    name="brent_time",
    title="Work, depth and time",
    points=3,
    minutes=10,
    difficulty=1,
    draws_with="python",
    hints=(
        "Work is the number of all operations, depth the number of levels.",
        "A level of w operations takes w / p rounds, rounded up: -(-w // p).",
    ),
    cases=_brent_cases,
    oracle=_brent_oracle,
    mistakes=(
        Mistake(
            time_rounds_down,
            "A level that is not divided evenly needs one more round for the rest; the division rounds down.",
        ),
        Mistake(
            time_ignores_the_levels,
            "All operations were shared out together. Operations of a level have to wait for those of the level before.",
        ),
        Mistake(
            bound_of_unlimited_processors,
            "That is the lower bound, which no schedule beats. The upper bound adds what the depth costs.",
        ),
        Mistake(
            depth_is_the_widest_level,
            "The widest level says how many processors can be busy. The depth is how many levels follow one another.",
        ),
        Mistake(takes_no_processor, "Without a processor nothing is computed: raise ValueError.", "no error"),
    ),
)


# --- rounding_bound --------------------------------------------------------------------------------------------------------

_UNIT = 2.0**-24


def _draw_tree(rng, leaves):
    if leaves == 1:
        return rng.choice([-1, 1]) * rng.uniform(0.5, 2)
    left = rng.randint(1, leaves - 1)
    return _draw_tree(rng, left), _draw_tree(rng, leaves - left)


def _rounding_cases(rng):
    yield Case("a chain of four", (((1.0, 2.0), 3.0), 4.0))
    yield Case("a balanced tree of four", ((1.0, 2.0), (3.0, 4.0)))
    yield Case("one number: nothing is added", 5.0)
    yield Case("negative numbers", ((-1.0, 2.5), (-3.0, (0.5, -4.0))))
    yield Case("a random tree", _draw_tree(rng, 12))


def _rounding_oracle(tree):
    waiting, bound = [(tree, 0)], 0.0
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, tuple):
            waiting += [(child, depth + 1) for child in node]
        else:
            bound += depth * abs(node) * _UNIT
    return bound


def _leaves(tree, depth=0):
    if not isinstance(tree, tuple):
        return [(tree, depth)]
    return _leaves(tree[0], depth + 1) + _leaves(tree[1], depth + 1)


def whole_depth_for_every_number(tree):
    leaves = _leaves(tree)
    return _UNIT * max(d for _, d in leaves) * sum(abs(x) for x, _ in leaves)


def forgets_the_absolute_value(tree):
    return abs(_UNIT * sum(d * x for x, d in _leaves(tree)))


def counts_nodes_on_the_path(tree):
    return _UNIT * sum((d + 1) * abs(x) for x, d in _leaves(tree))


def unit_twice_as_large(tree):
    return 2 * _UNIT * sum(d * abs(x) for x, d in _leaves(tree))


def number_of_additions_for_all(tree):
    leaves = _leaves(tree)
    return _UNIT * (len(leaves) - 1) * sum(abs(x) for x, _ in leaves)


ROUNDING_BOUND = Exercise(
    name="rounding_bound",
    title="The error bound of any order",
    points=4,
    minutes=15,
    difficulty=3,
    draws_with="python",
    hints=(
        "Go back to the proof: which factors multiply a single number on its way to the root?",
        "A recursive helper that carries the depth down the tree needs three lines.",
    ),
    cases=_rounding_cases,
    oracle=_rounding_oracle,
    rtol=1e-9,
    atol=0,
    mistakes=(
        Mistake(
            whole_depth_for_every_number,
            "Every number was given the depth of the whole tree. A number near the root passes through fewer additions.",
        ),
        Mistake(
            forgets_the_absolute_value,
            "Positive and negative numbers cancel in your bound. Their errors need not: take absolute values.",
        ),
        Mistake(
            counts_nodes_on_the_path,
            "The leaf itself was counted as an addition. A number alone is not rounded.",
        ),
        Mistake(
            unit_twice_as_large,
            "The distance between neighboring numbers was used. Rounding to the nearest errs by half of it at most.",
        ),
        Mistake(
            number_of_additions_for_all,
            "All additions of the tree were counted for every number; only those on its own path touch it.",
        ),
    ),
)


# --- segmented_combine -----------------------------------------------------------------------------------------------------


def _use_segmented_combine(answer, flags, values):
    def join(first, second):
        got = answer(first, second)
        if not isinstance(got, tuple) or len(got) != 2:
            raise TypeError(f"expected a pair (flag, sum) for {first}, {second}; segmented_combine returned {got!r}")
        return got

    now, step = [(int(f), int(v)) for f, v in zip(flags, values, strict=True)], 1
    while step < len(now):
        now = [now[i] if i < step else join(now[i - step], now[i]) for i in range(len(now))]
        step *= 2
    return [value for _, value in now]


def _segmented_cases(rng):
    yield Case("two segments", [1, 0, 0, 1, 0], [1, 2, 3, 4, 5])
    yield Case("one segment", [1, 0, 0, 0, 0, 0, 0, 0], list(range(1, 9)))
    yield Case("every element begins a segment", [1, 1, 1, 1], [5, 6, 7, 8])
    yield Case("a segment longer than the steps before", [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0], list(range(11)))
    flags = [1] + [int(rng.random() < 0.3) for _ in range(19)]
    yield Case("random segments", flags, [rng.randint(-9, 9) for _ in flags])


def _segmented_oracle(flags, values):
    sums = []
    for flag, value in zip(flags, values, strict=True):
        sums.append(value if flag else sums[-1] + value)
    return sums


def adds_across_the_borders(first, second):
    return first[0] or second[0], first[1] + second[1]


def forgets_the_earlier_flag(first, second):
    return second[0], second[1] if second[0] else first[1] + second[1]


def looks_at_the_wrong_flag(first, second):
    return first[0] or second[0], second[1] if first[0] else first[1] + second[1]


def keeps_the_first_value(first, second):
    return first[0] or second[0], first[1] if second[0] else first[1] + second[1]


SEGMENTED_COMBINE = Exercise(
    name="segmented_combine",
    title="A scan that restarts",
    points=5,
    minutes=20,
    difficulty=3,
    draws_with="python",
    use=_use_segmented_combine,
    hints=(
        "What is the sum at the end of two neighboring stretches, if the second contains the beginning of a segment?",
        "And does the joined stretch contain a beginning? In either part.",
    ),
    cases=_segmented_cases,
    oracle=_segmented_oracle,
    mistakes=(
        Mistake(adds_across_the_borders, "The sums run on across the beginning of a segment."),
        Mistake(
            forgets_the_earlier_flag,
            "The joined stretch forgets that its first part contained a beginning, so that a later step adds across it. "
            "The operation must be associative.",
        ),
        Mistake(
            looks_at_the_wrong_flag,
            "The flag of the first part was asked. Whether the earlier sum still counts is decided by the second part.",
        ),
        Mistake(
            keeps_the_first_value,
            "At a beginning the earlier sum was kept and the new one thrown away; it is the other way around.",
        ),
    ),
)


# --- block_max -------------------------------------------------------------------------------------------------------------

_BLOCK_MAX = """
__global__ void block_max(const float* x, float* largest, int n) {
  __shared__ float part[128];
  int t = threadIdx.x, i = blockIdx.x * 128 + t;
  part[t] = i < n ? x[i] : x[blockIdx.x * 128];
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (t < step) part[t] = fmaxf(part[t], part[t + step]);
    __syncthreads();
  }
  if (t == 0) largest[blockIdx.x] = part[0];
}
"""


def _block_max_cases(rng):
    for label, x in (
        ("two full blocks", rng.normal(size=256)),
        ("all negative, the last block not full", -rng.uniform(1, 2, size=300)),
        ("one element", np.array([-3.0])),
        ("any number of elements", rng.normal(size=int(rng.integers(130, 250)))),
    ):
        blocks = -(-len(x) // 128)
        yield launch(label, blocks, 128, x=x.astype(np.float32), largest=empty(blocks), n=len(x))


_BLOCK_MAX_BY_ONE_THREAD = """
__global__ void block_max(const float* x, float* largest, int n) {
  int start = blockIdx.x * 128;
  if (threadIdx.x > 0) return;
  float so_far = x[start];
  for (int i = start + 1; i < n && i < start + 128; ++i) so_far = fmaxf(so_far, x[i]);
  largest[blockIdx.x] = so_far;
}
"""

_BLOCK_MAX_BARRIER_IN_IF = _BLOCK_MAX.replace(
    "    if (t < step) part[t] = fmaxf(part[t], part[t + step]);\n    __syncthreads();",
    "    if (t < step) {\n      part[t] = fmaxf(part[t], part[t + step]);\n      __syncthreads();\n    }",
)

BLOCK_MAX = kernel_exercise(
    name="block_max",
    title="The largest of each block",
    points=5,
    minutes=15,
    difficulty=2,
    hints=(
        "It is the tree of the chapter with another operation.",
        "Which value changes no maximum? Zero is larger than every negative number.",
        "A maximum does not mind if an element takes part twice: threads without an element can repeat one of their block.",
    ),
    cases=_block_max_cases,
    oracle=lambda x, largest, n: {"largest": [x[k : k + 128].max() for k in range(0, n, 128)]},
    most_sectors=4,
    mistakes=(
        Mistake(
            _BLOCK_MAX.replace("x[blockIdx.x * 128];", "0;"),
            "Threads without an element bring a zero. It is neutral for sums; among negative numbers it is the largest.",
        ),
        Mistake(
            _BLOCK_MAX.replace("    __syncthreads();\n  }", "  }"),
            "A step reads what threads of another warp have written in the step before, and no barrier lies between.",
            "race",
        ),
        Mistake(
            _BLOCK_MAX_BARRIER_IN_IF,
            "The barrier stands inside the if, and the other threads of the block never come to it.",
            "early exit",
        ),
        Mistake(
            _BLOCK_MAX.replace("i < n ? x[i] : x[blockIdx.x * 128]", "x[i]"),
            "The threads of the last block read elements that do not exist.",
            "out of bounds",
        ),
        Mistake(
            _BLOCK_MAX.replace("step > 0", "step > 1"),
            "The loop ends while two candidates are left.",
        ),
        Mistake(
            _BLOCK_MAX_BY_ONE_THREAD,
            "The result is right, and one thread of the block does all the work, a sector for each element that it reads.",
            "too many sectors",
        ),
    ),
)


# --- warp_softmax ----------------------------------------------------------------------------------------------------------

_WARP_SOFTMAX = """
constexpr unsigned ALL = 0xffffffff;

__global__ void warp_softmax(const float* x, float* y, int rows) {
  int row = blockIdx.x * 4 + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  float value = x[row * 32 + lane], largest = value;
  for (int d = 16; d > 0; d /= 2) largest = fmaxf(largest, __shfl_xor_sync(ALL, largest, d));
  float e = expf(value - largest), sum = e;
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(ALL, sum, d);
  y[row * 32 + lane] = e / sum;
}
"""


def _softmax_cases(rng):
    for label, rows, shift in (
        ("one block", 4, 0),
        ("a single row", 1, 0),
        ("rows of large numbers", 6, 500),
        ("any number of rows", int(rng.integers(7, 15)), 0),
    ):
        x = (2 * rng.normal(size=(rows, 32)) + shift).astype(np.float32)
        yield launch(label, -(-rows // 4), 128, x=x, y=empty((rows, 32)), rows=rows)


def _softmax_oracle(x, y, rows):
    from scipy.special import softmax

    return {"y": softmax(x.astype(np.float64), axis=1)}


_GUARDED_SHUFFLE = """
constexpr unsigned ALL = 0xffffffff;

__global__ void warp_softmax(const float* x, float* y, int rows) {
  int row = blockIdx.x * 4 + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  float value = x[row * 32 + lane], largest = value;
  for (int d = 16; d > 0; d /= 2)
    if (lane < d) largest = fmaxf(largest, __shfl_down_sync(ALL, largest, d));
  largest = __shfl_sync(ALL, largest, 0);
  float e = expf(value - largest), sum = e;
  for (int d = 16; d > 0; d /= 2)
    if (lane < d) sum += __shfl_down_sync(ALL, sum, d);
  sum = __shfl_sync(ALL, sum, 0);
  y[row * 32 + lane] = e / sum;
}
"""

_BLOCK_FIRST = _WARP_SOFTMAX.replace("blockIdx.x * 4 + threadIdx.x / 32", "blockIdx.x * 4 + threadIdx.x % 4")

WARP_SOFTMAX = kernel_exercise(
    name="warp_softmax",
    title="A softmax by shuffles",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "A warp has a row, and a lane has an element of it: the row is the number of the warp in the grid.",
        "All lanes need the largest value, and then all need the sum. Which shuffle leaves the result in every lane?",
    ),
    cases=_softmax_cases,
    oracle=_softmax_oracle,
    most_sectors=1.05,
    mistakes=(
        Mistake(
            _WARP_SOFTMAX.replace("sum += __shfl_xor_sync", "sum += __shfl_down_sync"),
            "After shuffles downwards only lane 0 holds the whole sum; the other lanes divide by a part of it.",
        ),
        Mistake(
            _WARP_SOFTMAX.replace("expf(value - largest)", "expf(value)"),
            "Without subtracting the largest value of the row, the exponential of a large number overflows.",
            "not finite",
        ),
        Mistake(
            _WARP_SOFTMAX.replace("int d = 16; d > 0; d /= 2) sum", "int d = 8; d > 0; d /= 2) sum"),
            "Only half of the row is in the sum: the first step has to reach the other half of the warp.",
        ),
        Mistake(
            _GUARDED_SHUFFLE,
            "The shuffle stands inside an if, but its mask names all 32 lanes. All named lanes have to call it; "
            "what may be left out is the use of the result.",
            "warp function",
        ),
        Mistake(
            _BLOCK_FIRST,
            "Lanes of one warp work on different rows, so that a shuffle mixes the rows.",
            "warp function",
        ),
    ),
)


# --- mend_scan -------------------------------------------------------------------------------------------------------------

_MEND_SCAN = """
__global__ void mend_scan(const int* x, int* y, int n) {
  __shared__ int part[256];
  int t = threadIdx.x;
  part[t] = t < n ? x[t] : 0;
  __syncthreads();
  for (int step = 1; step < 256; step *= 2) {
    int before = t >= step ? part[t - step] : 0;
    __syncthreads();
    part[t] += before;
    __syncthreads();
  }
  if (t < n) y[t] = part[t];
}
"""

_MEND_SCAN_PLANTED = _MEND_SCAN.replace(
    "    int before = t >= step ? part[t - step] : 0;\n    __syncthreads();\n    part[t] += before;\n",
    "    if (t > step) part[t] += part[t - step];\n",
)


def _mend_scan_cases(rng):
    for n in (256, 1, 2, int(rng.integers(100, 255))):
        label, x = "1 element" if n == 1 else f"{n} elements", rng.integers(1, 9, size=n, dtype=np.int32)
        yield launch(label, 1, 256, x=x, y=empty(n, "int32"), n=n)


MEND_SCAN = kernel_exercise(
    name="mend_scan",
    title="Mend a scan",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "There are two faults: one in what is computed, one in what is ordered. Let the check tell you the kind of the first.",
        "A thread writes part[t] while another may still have to read it. Which side of a barrier is missing?",
        "Element step has a partner as well: element 0.",
    ),
    cases=_mend_scan_cases,
    oracle=lambda x, y, n: {"y": np.cumsum(x)},
    mistakes=(
        Mistake(
            _MEND_SCAN_PLANTED,
            "Reading and writing are still one statement: while a thread adds, another may not have read the old value yet.",
            "race",
            planted=True,
        ),
        Mistake(
            _MEND_SCAN.replace("t >= step", "t > step"),
            "The races are gone. Element number step is left out: it has a partner too, element 0.",
        ),
        Mistake(
            _MEND_SCAN.replace("step < 256", "step < 128"),
            "The last step is missing: the second half never learns of the first.",
        ),
        Mistake(
            _MEND_SCAN.replace("y[t] = part[t]", "y[t] = part[t] - x[t]"),
            "This is the exclusive scan. Here element t itself belongs to its sum.",
        ),
        Mistake(
            _MEND_SCAN.replace("  int t = threadIdx.x;\n", "  int t = threadIdx.x;\n  if (t >= n) return;\n"),
            "Threads without an element go home, and the barriers wait for them in vain.",
            "early exit",
        ),
    ),
)


# --- histogram16 -----------------------------------------------------------------------------------------------------------

_HISTOGRAM = """
__global__ void histogram16(const unsigned char* x, unsigned* counts, int n) {
  __shared__ unsigned own[16];
  if (threadIdx.x < 16) own[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&own[x[i]], 1u);
  __syncthreads();
  if (threadIdx.x < 16) atomicAdd(&counts[threadIdx.x], own[threadIdx.x]);
}
"""


def _histogram_cases(rng):
    for label, grid, x in (
        ("two blocks, a few thousand values", 2, rng.integers(0, 16, size=4096)),
        ("a number that does not divide evenly", 3, rng.integers(0, 16, size=int(rng.integers(3000, 4000)))),
        ("all values equal", 2, np.full(2048, 9)),
        ("one value", 1, np.array([15])),
    ):
        counts = rng.integers(1, 50, size=16, dtype=np.uint32)
        yield launch(label, grid, 128, x=x.astype(np.uint8), counts=counts, n=len(x))


_DIRECT = """
__global__ void histogram16(const unsigned char* x, unsigned* counts, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&counts[x[i]], 1u);
}
"""

HISTOGRAM16 = kernel_exercise(
    name="histogram16",
    title="A private histogram",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "Three phases: empty the block's own counters, count, add them to the others'. What has to lie between the phases?",
        "There are 128 threads and 16 counters: in the first and the last phase only some threads have work.",
        "The counts of other blocks are in the array already, and earlier ones too.",
    ),
    cases=_histogram_cases,
    oracle=lambda x, counts, n: {"counts": counts + np.bincount(x, minlength=16)},
    most_sectors=1.5,
    mistakes=(
        Mistake(
            _DIRECT,
            "The counts are right, and every value is an atomic in global memory. Give each block counters of its own.",
            "too many sectors",
        ),
        Mistake(
            _HISTOGRAM.replace("  if (threadIdx.x < 16) own[threadIdx.x] = 0;\n  __syncthreads();\n", ""),
            "Shared memory is not empty at the beginning: nobody has set the counters to zero.",
            "uninitialized",
        ),
        Mistake(
            _HISTOGRAM.replace("n; i += gridDim.x * blockDim.x) atomicAdd(&own[x[i]], 1u)", "n; i += gridDim.x * blockDim.x) own[x[i]]++"),
            "Threads of a block count in the same counters, and `++` is three actions that can mix.",
            "race",
        ),
        Mistake(
            _HISTOGRAM.replace("atomicAdd(&counts[threadIdx.x], own[threadIdx.x])", "counts[threadIdx.x] += own[threadIdx.x]"),
            "Several blocks add to the same counts in global memory at the same time, without atomics.",
            "race",
        ),
        Mistake(
            _HISTOGRAM.replace("; i < n; i += gridDim.x * blockDim.x)", ", once = 1; once && i < n; once = 0)"),
            "Each thread counts one value only. With fewer threads than values, a loop has to go on in steps of the whole grid.",
        ),
    ),
)  # fmt: skip


# --- keep_positive ---------------------------------------------------------------------------------------------------------

_KEEP_POSITIVE = """
constexpr unsigned ALL = 0xffffffff;

__global__ void keep_positive(const float* x, int* kept, int* count, int n) {
  __shared__ int of_warp[8];
  int t = threadIdx.x, warp = t / 32, lane = t % 32;
  bool keep = t < n && x[t] > 0;
  unsigned votes = __ballot_sync(ALL, keep);
  if (lane == 0) of_warp[warp] = __popc(votes);
  __syncthreads();
  int place = __popc(votes & ((1u << lane) - 1)), all = 0;
  for (int w = 0; w < 8; ++w) {
    if (w < warp) place += of_warp[w];
    all += of_warp[w];
  }
  if (keep) kept[place] = t;
  if (t == 0) *count = all;
}
"""


def _keep_cases(rng):
    signs = rng.normal(size=256)
    signs[[3, 40, 41]] = 0
    for label, x in (
        ("256 elements, zeros among them", signs),
        ("nothing is positive", -np.ones(70)),
        ("all are positive, the last warp not full", rng.uniform(1, 2, size=200)),
        ("any number of elements", rng.normal(size=int(rng.integers(100, 250)))),
    ):
        kept = np.full(256, -1, np.int32)
        yield launch(label, 1, 256, x=x.astype(np.float32), kept=kept, count=empty(1, "int32"), n=len(x))


def _keep_oracle(x, kept, count, n):
    places = np.flatnonzero(x > 0)
    return {"kept": np.concatenate([places, kept[len(places) :]]), "count": [len(places)]}


_BY_COUNTER = """
__global__ void keep_positive(const float* x, int* kept, int* count, int n) {
  __shared__ int next;
  int t = threadIdx.x;
  if (t == 0) next = 0;
  __syncthreads();
  if (t < n && x[t] > 0) kept[atomicAdd(&next, 1)] = t;
  __syncthreads();
  if (t == 0) *count = next;
}
"""

_BY_ONE_THREAD = """
__global__ void keep_positive(const float* x, int* kept, int* count, int n) {
  if (threadIdx.x > 0) return;
  int found = 0;
  for (int i = 0; i < n; ++i)
    if (x[i] > 0) kept[found++] = i;
  *count = found;
}
"""

KEEP_POSITIVE = kernel_exercise(
    name="keep_positive",
    title="Compaction that keeps the order",
    points=7,
    minutes=30,
    difficulty=4,
    hints=(
        "The place of a kept element is the number of kept elements before it: those in earlier warps, and those in lower lanes.",
        "Within the warp: a ballot, and the number of ones below your own bit. Let all lanes vote, also those without an element.",
        "Between warps: eight counts in shared memory, a barrier, and a loop over them is enough.",
    ),
    cases=_keep_cases,
    oracle=_keep_oracle,
    most_sectors=2,
    mistakes=(
        Mistake(
            _BY_COUNTER,
            "The elements are right, and their order is that in which the threads happen to come to the counter.",
            "depends on the order",
        ),
        Mistake(
            _BY_ONE_THREAD,
            "The result is right, and one thread does all the work: each of its accesses moves a sector for a single element. "
            "Let every thread look at one element.",
            "too many sectors",
        ),
        Mistake(
            _KEEP_POSITIVE.replace("((1u << lane) - 1)", "((2u << lane) - 1)"),
            "An element counts itself, so that every place is too high by one: the inclusive scan instead of the exclusive one.",
        ),
        Mistake(
            _KEEP_POSITIVE.replace("x[t] > 0;", "x[t] >= 0;"),
            "Zeros were kept too; they are not positive.",
        ),
        Mistake(
            _KEEP_POSITIVE.replace("    if (w < warp) place += of_warp[w];\n", ""),
            "Each warp begins at place 0, so that warps write over one another.",
            "race",
        ),
        Mistake(
            _KEEP_POSITIVE.replace("t < n && x[t] > 0", "x[t] > 0"),
            "Threads beyond the end read elements that do not exist.",
            "out of bounds",
        ),
        Mistake(
            _KEEP_POSITIVE.replace("*count = all", "*count = __popc(votes)"),
            "The count is that of the first warp alone.",
        ),
    ),
)


# --- pattern_faults --------------------------------------------------------------------------------------------------------

HUNTED = {
    "mean": """
__global__ void mean(const float* x, float* sums, int n) {
  __shared__ float part[128];
  int t = threadIdx.x, i = blockIdx.x * 128 + t;
  if (i >= n) return;
  part[t] = x[i] / n;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (t < step && i + step < n) part[t] += part[t + step];
    __syncthreads();
  }
  if (t == 0) sums[blockIdx.x] = part[0];
}
""",
    "normalize": """
__global__ void normalize(const float* x, float* y, int n) {
  __shared__ float part[128];
  int t = threadIdx.x;
  float value = t < n ? x[t] : 0;
  part[t] = value * value;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (t < step) part[t] += part[t + step];
    __syncthreads();
  }
  float length = sqrtf(part[0]);
  part[t] = value / length;
  __syncthreads();
  if (t < n) y[t] = part[t];
}
""",
    "rotate": """
__global__ void rotate(const float* x, float* y, int n) {
  __shared__ float part[128];
  int t = threadIdx.x;
  part[t] = t < n ? x[t] : 0;
  __syncthreads();
  float next = part[(t + 1) % 128];
  __syncthreads();
  part[t] = next;
  if (t < n) y[t] = part[t];
}
""",
    "warp_sum": """
__global__ void warp_sum(const float* x, float* total, int n) {
  int i = blockIdx.x * 128 + threadIdx.x;
  if (i < n) {
    float sum = x[i];
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (threadIdx.x % 32 == 0) atomicAdd(total, sum);
  }
}
""",
    "count": """
__global__ void count(const float* x, float* total, int n) {
  __shared__ int found;
  int i = blockIdx.x * 128 + threadIdx.x;
  if (threadIdx.x == 0) found = 0;
  if (i < n && x[i] > 0) atomicAdd(&found, 1);
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(total, (float)found);
}
""",
}


def _hunted_launch(name):
    x = np.ones(200 if name in ("mean", "warp_sum", "count") else 100, np.float32)
    if name == "mean":
        return launch("n = 200", 2, 128, x=x, sums=empty(2), n=200)
    if name in ("warp_sum", "count"):
        return launch("n = 200", 2, 128, x=x, total=np.zeros(1, np.float32), n=200)
    return launch("n = 100", 1, 128, x=x, y=empty(100), n=100)


_FOUND = {
    "mean": ("early exit", 6),
    "normalize": ("race", 12),
    "rotate": None,
    "warp_sum": ("warp function", 5),
    "count": ("race", 4),
}

PATTERN_FAULTS = hunt_exercise(
    name="pattern_faults",
    title="Find the faults",
    points=5,
    minutes=20,
    difficulty=4,
    hints=(
        "One of the five is right.",
        "For every place in shared memory ask: who writes it, who reads it, and which barrier lies between? Both ways.",
        "For every barrier and every shuffle ask: do all come here whom it concerns? The launch has 128 threads a block.",
    ),
    kernels={name: (text.lstrip("\n"), name, _hunted_launch(name)) for name, text in HUNTED.items()},
    mistakes=(
        Mistake(
            _FOUND | {"mean": None},
            "In `mean`, the guard at the top is the one of a map. Here the threads have more to do than their own element.",
        ),
        Mistake(
            _FOUND | {"normalize": None},
            "In `normalize` a fast thread may already overwrite what a slow one has still to read: the second side of a barrier.",
        ),
        Mistake(
            _FOUND | {"rotate": ("race", 7)},
            "In `rotate`, follow part[t] after the second barrier: who reads it then?",
        ),
        Mistake(
            _FOUND | {"warp_sum": None},
            "In `warp_sum`, count the lanes that come to the shuffle in the last warp that has elements.",
        ),
        Mistake(
            _FOUND | {"count": None},
            "In `count`, one thread sets the counter to zero. What makes the others wait for that?",
        ),
    ),
)


# --- tree_counts -----------------------------------------------------------------------------------------------------------

TREES = {
    "halves": "for (int step = 128; step > 0; step /= 2) {\n    if (t < step) part[t] += part[t + step];",
    "neighbors": "for (int step = 1; step < 256; step *= 2) {\n    if (t % (2 * step) == 0) part[t] += part[t + step];",
}


def tree_kernel(kind):
    """The source of the kernel whose counts are predicted, with one of two trees."""
    return f"""__global__ void tree(const float* x, float* sums) {{
  __shared__ float part[256];
  int t = threadIdx.x;
  part[t] = x[blockIdx.x * 256 + t];
  __syncthreads();
  {TREES[kind]}
    __syncthreads();
  }}
  if (t == 0) sums[blockIdx.x] = part[0];
}}
"""


def _tree_counts():
    case = launch("one block", 1, 256, x=np.ones(256, np.float32), sums=empty(1))
    counts = {kind: counts_of(tree_kernel(kind), "tree", case) for kind in TREES}
    return {
        "sectors": counts["halves"]["sectors"],
        "halves": counts["halves"]["bank passes"],
        "neighbors": counts["neighbors"]["bank passes"],
    }


TREE_COUNTS = prediction_exercise(
    name="tree_counts",
    title="Predict the counts of two trees",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "Count by warps. How many of the 8 have work in each of the 8 steps?",
        "`part[t] += part[t + step]` is two loads and a store. Neither tree has bank conflicts: a warp's access is one pass.",
        "Do not forget the stores before the loop and the load after it.",
    ),
    questions={
        "sectors": "sectors of global memory, read and written together",
        "halves": "passes over the banks with halves onto halves",
        "neighbors": "passes over the banks with neighbors first",
    },
    counts=_tree_counts,
    mistakes=(
        Mistake(
            {"sectors": 33, "halves": 36, "neighbors": 141},
            "The additions are counted, but not the eight stores before the loop and the load after it.",
        ),
        Mistake(
            {"sectors": 33, "halves": 33, "neighbors": 103},
            "A `+=` was counted as two accesses: it loads both sides and stores one.",
        ),
        Mistake(
            {"sectors": 33, "halves": 45, "neighbors": 45},
            "Both trees make as many additions, but not with as many warps: a warp with one working thread is at work.",
        ),
        Mistake(
            {"sectors": 257, "halves": 45, "neighbors": 150},
            "You counted elements: a sector holds eight of them.",
        ),
    ),
)


# --- contention_report -----------------------------------------------------------------------------------------------------

CONTENTION_REPORT = Exercise(
    name="contention_report",
    title="Contention in your own data",
    points=8,
    minutes=45,
    difficulty=5,
    answer="manual",
    hints=(
        "`load_book_text()` is the book as a text; `np.frombuffer(text.encode(), np.uint8)` its bytes. "
        "scikit-learn has a second photograph.",
        "`plan('histogram_global', data).profile(trace=…)` and `contention` of `mlcourse.display.gpu_patterns` count; "
        "compare with the same bytes in random order.",
        "What would you expect of the busiest of k bins, if 32 lanes draw independently with the shares of your data? Simulate it.",
    ),
    rubric=(
        "Two points each. (1) A prediction stated before the measurement, with a reason from the data: shares of the most frequent "
        "values, likeness of neighbors. (2) Numbers for at least two kinds of data, each also in random order, with the number of "
        "requests they rest on. (3) The comparison with independent draws: shuffled data agree with a simulation from the shares "
        "alone, and the difference to the original order is due to the arrangement. (4) A consequence for the design: which rung of "
        "the ladder for these data and why, supported by its counts, and a limit of the count, such as that it looks at the lanes "
        "of a warp and not at other warps or the order in time. One point where a part is there without a number."
    ),
)


EXERCISES = [
    BRENT_TIME,
    ROUNDING_BOUND,
    SEGMENTED_COMBINE,
    BLOCK_MAX,
    WARP_SOFTMAX,
    MEND_SCAN,
    HISTOGRAM16,
    KEEP_POSITIVE,
    PATTERN_FAULTS,
    TREE_COUNTS,
    CONTENTION_REPORT,
]
