"""The exercises on matrix multiplication: counts of tiles, four kernels to write or to mend, predictions, a hunt for faults."""

import numpy as np

from mlcourse.grading import Case, Exercise, Mistake
from mlcourse.grading.kernels import counts_of, empty, hunt_exercise, kernel_exercise, launch, prediction_exercise


def _blocks(elements, per_block):
    return -(-elements // per_block)


def _operands(rng, M, N, K):
    return {
        "A": rng.normal(size=(M, K)).astype(np.float32),
        "B": rng.normal(size=(K, N)).astype(np.float32),
        "C": empty((M, N)),
        "M": M,
        "N": N,
        "K": K,
    }


def _product(A, B, C, M, N, K):
    return {"C": A.astype(np.float64) @ B}


# --- tile_intensity --------------------------------------------------------------------------------------------------------


def _intensity_cases(rng):
    yield Case("a square tile", 32, 32, 8)
    yield Case("a larger one", 128, 128, 16)
    yield Case("a flat one", 16, 128, 8)
    yield Case("a single row", 1, 256, 32)
    yield Case("odd sizes", *(int(n) for n in rng.integers(3, 100, size=3)))


def _intensity(rows, cols, depth):
    loaded = 4 * sum(1 for _ in range((rows + cols) * depth))
    return 2.0 * sum(rows * cols for _ in range(depth)) / loaded


TILE_INTENSITY = Exercise(
    name="tile_intensity",
    title="The intensity of a tile",
    points=2,
    minutes=5,
    difficulty=1,
    hints=(
        "Count one step: how many numbers are loaded, and how many multiply-adds are done with them?",
        "A multiply-add is two operations, a float32 has four bytes.",
    ),
    cases=_intensity_cases,
    oracle=_intensity,
    mistakes=(
        Mistake(
            lambda rows, cols, depth: rows * cols / (4.0 * (rows + cols)),
            "You count a multiply-add as one operation; the roofline counts two.",
        ),
        Mistake(
            lambda rows, cols, depth: 2.0 * rows * cols / (rows + cols),
            "This is operations for each *number*; a float32 has four bytes.",
        ),
        Mistake(
            lambda rows, cols, depth: rows * cols * depth / (2.0 * (rows + cols)),
            "Your result grows with the depth of a step. A deeper step does more operations and loads as many more numbers.",
        ),
        Mistake(
            lambda rows, cols, depth: rows * cols * depth / (2.0 * (rows * depth + depth * cols + rows * cols)),
            "You move the tile of C in every step. It stays in registers until the end.",
        ),
    ),
)


# --- warp_sectors ----------------------------------------------------------------------------------------------------------

_WARPS = """
__global__ void down_a_column(const float* A, const float* B, float* C, int N, int K) {
  int row = threadIdx.x, col = blockIdx.x;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
  C[row * N + col] = sum;
}

__global__ void along_a_row(const float* A, const float* B, float* C, int N, int K) {
  int row = blockIdx.x, col = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
  C[row * N + col] = sum;
}

__global__ void with_b_transposed(const float* A, const float* B, float* C, int N, int K) {
  int row = blockIdx.x, col = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[col * K + k];
  C[row * N + col] = sum;
}
"""


def _sectors_of_warps():
    found = {}
    for name in ("down_a_column", "along_a_row", "with_b_transposed"):
        square = np.zeros((32, 32), np.float32)
        case = launch(name, 32, 32, A=square, B=square, C=empty((32, 32)), N=32, K=32)
        counts = counts_of(_WARPS, name, case)
        found[f"{name}, read"] = counts["sectors read"]
        found[f"{name}, written"] = counts["sectors written"]
    return found


WARP_SECTORS = prediction_exercise(
    name="warp_sectors",
    title="Predict the sectors of three products",
    points=5,
    minutes=12,
    difficulty=2,
    hints=(
        "There are 32 warps, one a block, and each takes 32 steps. Count one warp in one step, then multiply.",
        "All lanes on one element: one sector. On 32 neighbors: four. On 32 elements a row apart: 32.",
    ),
    questions={
        f"{name}, {what}": f"sectors {what} by {name}"
        for name in ("down_a_column", "along_a_row", "with_b_transposed")
        for what in ("read", "written")
    },
    counts=_sectors_of_warps,
    mistakes=(
        Mistake(
            {
                "down_a_column, read": 33 * 1024, "down_a_column, written": 32 * 32, "along_a_row, read": 5 * 1024,
                "along_a_row, written": 32 * 4, "with_b_transposed, read": 5 * 1024, "with_b_transposed, written": 32 * 4,
            },
            "Transposing B turns its rows into columns: the lanes now read elements that lie a row apart.",
        ),
        Mistake(
            {
                "down_a_column, read": 64 * 1024, "down_a_column, written": 32 * 32, "along_a_row, read": 36 * 1024,
                "along_a_row, written": 32 * 4, "with_b_transposed, read": 64 * 1024, "with_b_transposed, written": 32 * 4,
            },
            "Lanes that read the same element share one sector; you count one for each lane.",
        ),
        Mistake(
            {
                "down_a_column, read": 33, "down_a_column, written": 32, "along_a_row, read": 5, "along_a_row, written": 4,
                "with_b_transposed, read": 33, "with_b_transposed, written": 4,
            },
            "These are the sectors of one warp in one step. There are 32 warps with 32 steps each.",
        ),
        Mistake(
            {
                "down_a_column, read": 5 * 1024, "down_a_column, written": 32 * 4, "along_a_row, read": 33 * 1024,
                "along_a_row, written": 32 * 32, "with_b_transposed, read": 5 * 1024, "with_b_transposed, written": 32 * 4,
            },
            "You have rows and columns the wrong way round: a row-major matrix has the elements of a *row* side by side.",
        ),
    ),
)  # fmt: skip


# --- product_traffic -------------------------------------------------------------------------------------------------------


def _traffic_cases(rng):
    yield Case("sizes that fit", 256, 256, 64, 128, 128)
    yield Case("one tile", 100, 50, 30, 128, 64)
    yield Case("a tile for each element", 5, 7, 3, 1, 1)
    yield Case("a flat tile", 64, 128, 32, 16, 64)
    M, N, K = (int(n) for n in rng.integers(130, 400, size=3))
    yield Case("odd sizes", M, N, K, 64, 32)


def _traffic(M, N, K, block_rows, block_cols):
    total = 0
    for row in range(0, M, block_rows):
        for col in range(0, N, block_cols):
            total += (min(M, row + block_rows) - row + min(N, col + block_cols) - col) * K
    return 4 * total


def _for_sizes_that_fit(M, N, K, block_rows, block_cols):
    return round(4 * M * N * K * (1 / block_rows + 1 / block_cols))


def _full_tiles(M, N, K, block_rows, block_cols):
    return 4 * K * _blocks(M, block_rows) * _blocks(N, block_cols) * (block_rows + block_cols)


def _blocks_exchanged(M, N, K, block_rows, block_cols):
    return 4 * K * (M * _blocks(M, block_rows) + N * _blocks(N, block_cols))


def _numbers_not_bytes(M, N, K, block_rows, block_cols):
    return K * (M * _blocks(N, block_cols) + N * _blocks(M, block_rows))


def _rounded_down(M, N, K, block_rows, block_cols):
    return 4 * K * (M * (N // block_cols) + N * (M // block_rows))


PRODUCT_TRAFFIC = Exercise(
    name="product_traffic",
    title="Bytes that all blocks load",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "How many blocks need a given row of A? How many need a given column of B?",
        "Each row of A is loaded once for every block along N, and their number is rounded up.",
    ),
    cases=_traffic_cases,
    oracle=_traffic,
    mistakes=(
        Mistake(
            _for_sizes_that_fit,
            "This is the formula for sizes that fit. A tile at the edge needs whole rows and columns too, "
            "so the number of blocks is rounded up.",
        ),
        Mistake(_full_tiles, "You load full tiles at the edges. What lies outside of the matrices is not loaded."),
        Mistake(
            _blocks_exchanged,
            "You multiply the rows of A by the blocks along M. A row of A is needed by all blocks along N.",
        ),
        Mistake(_numbers_not_bytes, "These are numbers; a float32 has four bytes."),
        Mistake(_rounded_down, "The number of blocks is rounded down: the last, partly filled tiles are missing."),
    ),
)


# --- best_thread_tile ------------------------------------------------------------------------------------------------------


def _thread_tile_cases(rng):
    yield Case("a small budget", 30)
    yield Case("a usual budget", 90)
    yield Case("a large budget", 170)
    yield Case("exactly enough for 8 × 8", 80)
    yield Case("just enough for one element", 3)
    yield Case("another budget", int(rng.choice([48, 60, 77, 110, 120])))


def _thread_tile(registers, cost=lambda m, n: 1 / m + 1 / n, need=lambda m, n: m * n + m + n, wide=True):
    sizes = (1, 2, 4, 8, 16, 32)
    fitting = [(m, n) for m in sizes for n in sizes if need(m, n) <= registers and (m >= n) == wide]
    return min(fitting, key=lambda tile: (round(cost(*tile), 9), -tile[0] * tile[1])) if fitting else (1, 1)


BEST_THREAD_TILE = Exercise(
    name="best_thread_tile",
    title="The best tile for so many registers",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "There are few pairs of powers of two: try all.",
        "Leave out what does not fit, then take the pair with the smallest 1/rows + 1/cols.",
    ),
    cases=_thread_tile_cases,
    oracle=_thread_tile,
    mistakes=(
        Mistake(
            lambda registers: _thread_tile(registers, need=lambda m, n: m * n + m + n - 2 * min(m, n) * (m > 1)),
            "Your tile needs more registers than there are: the operands, rows + cols of them, count too.",
        ),
        Mistake(
            lambda registers: _thread_tile(registers, cost=lambda m, n: -m),
            "You chose the highest tile. A column reuses the numbers of B well and those of A not at all.",
        ),
        Mistake(
            lambda registers: min(
                ((s, s) for s in (1, 2, 4, 8, 16) if s * s + 2 * s <= registers), key=lambda tile: -tile[0]
            ),
            "You looked at squares only. Between two squares lies a rectangle, such as 16 × 8, that loads less.",
        ),
        Mistake(
            lambda registers: _thread_tile(registers - 1),
            "A tile may use all the registers: compare with <=, not with <.",
        ),
        Mistake(
            lambda registers: _thread_tile(registers)[::-1],
            "The two sizes are exchanged: the first, rows, is to be at least as large as the second.",
        ),
    ),
)


# --- smallest_padding ------------------------------------------------------------------------------------------------------


def _padding_cases(rng):
    yield Case("two columns, as in the chapter", 128, [0, 4], 16)
    yield Case("four columns: none helps", 128, [0, 4, 8, 12], 8)
    yield Case("eight neighboring columns", 128, list(range(8)), 4)
    yield Case("rows that are no multiple of 32", 72, [0, 2], 16)
    yield Case("one column: no padding needed", 64, [3], 32)
    yield Case("no padding needed", 144, [0, 1], 16)
    start = int(rng.integers(0, 4))
    yield Case("two columns, shifted", 256, [start, start + 4], 16)
    yield Case("every second column: none helps", 64, [0, 8, 16, 24], 8)


def _padding(row_words, columns, rows, step=4, modulus=32, several=True):
    for padding in range(0, 32, step):
        banks = [(c * (row_words + padding) + r) % modulus for c in columns for r in range(rows)]
        chosen = banks if several else banks[: 2 * rows]
        if len(set(chosen)) == len(chosen):
            return padding
    return -1


def _independent_padding(row_words, columns, rows):
    for padding in range(0, 32, 4):
        offsets = [(c * (row_words + padding)) % 32 for c in columns]
        apart = [min((a - b) % 32, (b - a) % 32) for i, a in enumerate(offsets) for b in offsets[:i]]
        if all(distance >= rows for distance in apart) and rows <= 32:
            return padding
    return -1


SMALLEST_PADDING = Exercise(
    name="smallest_padding",
    title="The padding of a turned tile",
    points=6,
    minutes=18,
    difficulty=3,
    hints=(
        "Write down the bank of each lane, (c · L + r) mod 32, with L the length of a row including padding.",
        "32 lanes without a conflict have 32 different banks: compare the size of a set.",
        "Try 0, 4, 8, … below 32; beyond that the banks repeat.",
    ),
    cases=_padding_cases,
    oracle=_independent_padding,
    mistakes=(
        Mistake(
            lambda row_words, columns, rows: _padding(row_words, columns, rows, step=1),
            "Your padding is no multiple of 4, so that rows would begin at addresses a float4 cannot be read from.",
        ),
        Mistake(
            lambda row_words, columns, rows: max(4, _padding(row_words, columns, rows)),
            "Where the rows need no padding, 0 is the smallest; where none helps, the answer is -1.",
        ),
        Mistake(
            lambda row_words, columns, rows: _padding(row_words, columns, rows, several=False),
            "You compare the first two columns only. All lanes of the warp must have different banks.",
        ),
        Mistake(
            lambda row_words, columns, rows: _padding(row_words, columns, rows, modulus=10**9),
            "You compare addresses. Different words can still be in the same bank: there are 32, so take the address modulo 32.",
        ),
    ),
)


# --- overlap_time ----------------------------------------------------------------------------------------------------------


def _overlap_cases(rng):
    yield Case("one stage: nothing overlaps", [1.0, 1.0, 1.0], [2.0, 2.0, 2.0], 1)
    yield Case("two stages, long computations", [1.0] * 4, [2.0] * 4, 2)
    yield Case("two stages, long copies", [3.0] * 4, [1.0] * 4, 2)
    yield Case("one step", [2.0], [5.0], 3)
    uneven = [float(t) for t in rng.integers(1, 6, size=9)], [float(t) for t in rng.integers(1, 6, size=9)]
    yield Case("uneven times, two stages", [1.0, 1.0, 1.0, 8.0, 1.0, 1.0], [3.0] * 6, 2)
    yield Case("uneven times, three stages", [1.0, 1.0, 1.0, 8.0, 1.0, 1.0], [3.0] * 6, 3)
    yield Case("random times, two stages", *uneven, 2)
    yield Case("more stages than steps", *uneven, 20)


def _overlap(copies, computations, stages):
    """The end of the longest chain of work that has to be done in order, for each step and kind."""
    from functools import cache

    @cache
    def copied(step):
        before = [0.0]
        if step > 0:
            before.append(copied(step - 1))
        if step >= stages:
            before.append(computed(step - stages))
        return max(before) + copies[step]

    @cache
    def computed(step):
        return max(copied(step), computed(step - 1) if step else 0.0) + computations[step]

    return computed(len(copies) - 1)


def _never_full(copies, computations, stages):
    return _overlap(copies, computations, len(copies) if stages > 1 else 1)


def _all_serial(copies, computations, stages):
    return sum(copies) + sum(computations)


def _one_stage_too_many(copies, computations, stages):
    return _overlap(copies, computations, stages + 1)


def _copies_at_once(copies, computations, stages):
    end, ends = 0.0, []
    for step, (copy, compute) in enumerate(zip(copies, computations, strict=True)):
        begin = ends[step - stages] if step >= stages else 0.0
        end = max(end, begin + copy) + compute
        ends.append(end)
    return end


def _longer_of_both(copies, computations, stages):
    if stages == 1:
        return sum(copies) + sum(computations)
    return copies[0] + sum(max(a, b) for a, b in zip(copies[1:], computations[:-1], strict=True)) + computations[-1]


OVERLAP_TIME = Exercise(
    name="overlap_time",
    title="When the last step is done",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "Keep two lists, the ends of all copies and the ends of all computations.",
        "A copy begins when the copy before it has ended and its stage is free: the step `stages` before it is computed.",
        "A computation begins when its own copy and the computation before it have ended.",
    ),
    cases=_overlap_cases,
    oracle=_overlap,
    mistakes=(
        Mistake(
            _never_full,
            "Your copies never wait for a free stage. With s stages, the copy of a step needs the one that the step s before it has left.",
        ),
        Mistake(
            _all_serial, "Nothing overlaps in your schedule: with two stages the next copy runs during the computation."
        ),
        Mistake(
            _one_stage_too_many,
            "You have one stage more than there are: with one stage, a copy waits for the computation before it.",
        ),
        Mistake(_copies_at_once, "Copies run at the same time in your schedule; they are to follow one another."),
        Mistake(
            _longer_of_both,
            "You pair each copy with one computation and add the longer of both. With uneven times a further stage can make up "
            "for a slow copy.",
        ),
    ),
)


# --- tiled_product ---------------------------------------------------------------------------------------------------------


def _tiled_cases(rng):
    for label, (M, N, K) in {
        "sizes that fit": (32, 48, 32),
        "odd sizes": (int(rng.integers(17, 40)), int(rng.integers(17, 40)), int(rng.integers(17, 40))),
        "smaller than a tile": (5, 9, 3),
    }.items():
        sizes = f"{label}: {M} × {K} times {K} × {N}"
        yield launch(sizes, (_blocks(N, 16), _blocks(M, 16)), (16, 16), **_operands(rng, M, N, K))


TILED = """
__global__ void tiled_product(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[16][16], b[16][16];
  int x = threadIdx.x, y = threadIdx.y;
  int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x;
  float sum = 0;
  for (int k0 = 0; k0 < K; k0 += 16) {
    a[y][x] = row < M && k0 + x < K ? A[row * K + k0 + x] : 0;
    b[y][x] = k0 + y < K && col < N ? B[(k0 + y) * N + col] : 0;
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum += a[y][k] * b[k][x];
    __syncthreads();
  }
  if (row < M && col < N) C[row * N + col] = sum;
}
"""

_BARRIER = "    __syncthreads();\n"

TILED_PRODUCT = kernel_exercise(
    name="tiled_product",
    title="A product with tiles in shared memory",
    points=8,
    minutes=30,
    difficulty=3,
    hints=(
        "Each thread copies one element of each piece, and writes a zero where there is none.",
        "Two barriers for each step: one before the pieces are read, one before they are overwritten.",
        "Neighbors in x must read neighbors in memory, from A as from B.",
    ),
    cases=_tiled_cases,
    oracle=_product,
    most_sectors=4.0,
    rtol=1e-4,
    atol=1e-4,
    mistakes=(
        Mistake(
            "".join(TILED.rsplit(_BARRIER, 1)),
            "The pieces are overwritten while others still read them, or read before they are written: a step needs two barriers.",
            "race",
        ),
        Mistake(
            TILED.replace("  float sum = 0;", "  if (row >= M || col >= N) return;\n  float sum = 0;"),
            "Threads outside of C leave early, but they have elements to copy and barriers to meet. Guard the reads and the final write.",
            "early exit",
        ),
        Mistake(
            TILED.replace("row < M && k0 + x < K ? A[row * K + k0 + x] : 0", "A[row * K + k0 + x]").replace(
                "k0 + y < K && col < N ? B[(k0 + y) * N + col] : 0", "B[(k0 + y) * N + col]"
            ),
            "At the edges your threads read elements that the matrices do not have.",
            "out of bounds",
        ),
        Mistake(
            TILED.replace("b[k][x];", "b[x][k];"),
            "Your sum runs along a row of both pieces. Along k, the piece of B is gone through downward.",
        ),
        Mistake(
            TILED.replace("k0 < K; k0 += 16", "k0 + 16 <= K; k0 += 16"),
            "The last, partly filled step along k is left out.",
        ),
        Mistake(
            """
__global__ void tiled_product(const float* A, const float* B, float* C, int M, int N, int K) {
  int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  if (row >= M || col >= N) return;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
  C[row * N + col] = sum;
}
""",
            "Right, but every thread fetches everything for itself. Let the block copy each element once and share it.",
            "too many sectors",
        ),
    ),
)


# --- column_product --------------------------------------------------------------------------------------------------------


def _column_cases(rng):
    for label, (M, N, K) in {
        "sizes that fit": (32, 64, 64),
        "odd sizes": (int(rng.integers(33, 50)), int(rng.integers(33, 50)), int(rng.integers(33, 50))),
        "smaller than a tile": (7, 5, 9),
    }.items():
        sizes = f"{label}: {M} × {K} times {K} × {N}"
        yield launch(sizes, (_blocks(N, 32), _blocks(M, 32)), (32, 8), **_operands(rng, M, N, K))


COLUMN = """
__global__ void column_product(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[32][32], b[32][32];
  int x = threadIdx.x, y = threadIdx.y;
  int row0 = blockIdx.y * 32, col = blockIdx.x * 32 + x;
  float sum[4] = {};
  for (int k0 = 0; k0 < K; k0 += 32) {
    for (int i = y; i < 32; i += 8) {
      a[i][x] = row0 + i < M && k0 + x < K ? A[(row0 + i) * K + k0 + x] : 0;
      b[i][x] = k0 + i < K && col < N ? B[(k0 + i) * N + col] : 0;
    }
    __syncthreads();
    for (int k = 0; k < 32; ++k) {
      float value = b[k][x];
      for (int i = 0; i < 4; ++i) sum[i] += a[y + 8 * i][k] * value;
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i) {
    int row = row0 + y + 8 * i;
    if (row < M && col < N) C[row * N + col] = sum[i];
  }
}
"""

_LAST_LOOP = "  for (int i = 0; i < 4; ++i) {\n    int row"

COLUMN_PRODUCT = kernel_exercise(
    name="column_product",
    title="Four results for each thread",
    points=9,
    minutes=40,
    difficulty=4,
    hints=(
        "There are 256 threads and 1024 elements in each piece: every thread copies four of each.",
        "Keep four sums in an array with a fixed index: for (int i = 0; i < 4; ++i).",
        "Read b[k][x] once and use it four times. The rows of a thread may be y, y + 8, y + 16, y + 24.",
    ),
    cases=_column_cases,
    oracle=_product,
    most_sectors=3.5,
    most_bank_passes=1.01,
    rtol=1e-4,
    atol=1e-4,
    mistakes=(
        Mistake(
            COLUMN.replace(_LAST_LOOP, _LAST_LOOP.replace("i < 4", "i < 1")),
            "Only the first of a thread's four sums is written.",
            "not written",
        ),
        Mistake(
            COLUMN.replace("for (int i = y; i < 32; i += 8) {", "for (int i = y; i < 8; i += 8) {"),
            "Each thread copies one element of each piece, but there are four times as many elements as threads.",
            "uninitialized",
        ),
        Mistake(
            "".join(COLUMN.rsplit(_BARRIER, 1)),
            "A barrier is missing: a step needs one before the pieces are read and one before they are overwritten.",
            "race",
        ),
        Mistake(
            COLUMN.replace("int row = row0 + y + 8 * i;", "int row = row0 + 4 * y + i;"),
            "The sums are of the rows y, y + 8, …, and are written to the rows 4y, 4y + 1, …",
        ),
        Mistake(
            COLUMN.replace("b[i][x] =", "b[x][i] =").replace("= b[k][x];", "= b[x][k];"),
            "Right, but the piece of B is stored turned: the lanes of a warp go down a column of 32 words, which is one bank.",
            "bank conflicts",
        ),
    ),
)


# --- turned_tile -----------------------------------------------------------------------------------------------------------


def _turned_cases(rng):
    for label, rows, K in (("one block", 128, 16), ("two blocks of a wider matrix", 256, 32)):
        A = rng.normal(size=(rows, K)).astype(np.float32)
        yield launch(label, (K // 16, rows // 128), 128, A=A, out=empty((K, rows)), M=rows, K=K)


TURNED = """
__global__ void turned_tile(const float* A, float* out, int M, int K) {
  __shared__ __align__(16) float a[16][132];
  int row0 = blockIdx.y * 128, k0 = blockIdx.x * 16;
  int row = threadIdx.x / 2, col = threadIdx.x % 2 * 4;
  for (int i = 0; i < 128; i += 64) {
    for (int j = 0; j < 16; j += 8) {
      float4 v = *reinterpret_cast<const float4*>(A + (row0 + row + i) * K + k0 + col + j);
      a[col + j][row + i] = v.x;
      a[col + j + 1][row + i] = v.y;
      a[col + j + 2][row + i] = v.z;
      a[col + j + 3][row + i] = v.w;
    }
  }
  __syncthreads();
  int line = threadIdx.x / 32, at = threadIdx.x % 32 * 4;
  for (int k = line; k < 16; k += 4)
    *reinterpret_cast<float4*>(out + (k0 + k) * M + row0 + at) = *reinterpret_cast<const float4*>(&a[k][at]);
}
"""
CONFLICTING = (
    TURNED.replace(
        "int row = threadIdx.x / 2, col = threadIdx.x % 2 * 4;", "int row = threadIdx.x / 4, col = threadIdx.x % 4 * 4;"
    )
    .replace("i += 64", "i += 32")
    .replace(
        """    for (int j = 0; j < 16; j += 8) {
      float4 v = *reinterpret_cast<const float4*>(A + (row0 + row + i) * K + k0 + col + j);
      a[col + j][row + i] = v.x;
      a[col + j + 1][row + i] = v.y;
      a[col + j + 2][row + i] = v.z;
      a[col + j + 3][row + i] = v.w;
    }
""",
        """    float4 v = *reinterpret_cast<const float4*>(A + (row0 + row + i) * K + k0 + col);
    a[col][row + i] = v.x;
    a[col + 1][row + i] = v.y;
    a[col + 2][row + i] = v.z;
    a[col + 3][row + i] = v.w;
""",
    )
)

TURNED_TILE = kernel_exercise(
    name="turned_tile",
    title="Mend a tile that is turned",
    points=7,
    minutes=25,
    difficulty=4,
    hints=(
        "Write down the bank of each lane, (col · 132 + row) mod 32, for the four values of col that a warp has.",
        "Two values of col can be kept apart by the padding, four can't. So let a warp have two values of col, and more rows.",
        "row = threadIdx.x / 2 and col = threadIdx.x % 2 * 4 cover 64 rows and 8 columns. What is left is a matter of two loops.",
    ),
    cases=_turned_cases,
    oracle=lambda A, out, M, K: {"out": A.T},
    most_sectors=1.01,
    most_bank_passes=1.0,
    mistakes=(
        Mistake(
            CONFLICTING,
            "Pairs of lanes still meet in one bank: either a warp has more values of col than the padding can keep apart, "
            "or the padding is gone.",
            "bank conflicts",
            planted=True,
        ),
        Mistake(
            CONFLICTING.replace("a[16][132]", "a[16][128]"),
            "All four values of col fall on the same banks, so each store takes four passes: rows of this length are as bad as "
            "rows of 128 words.",
            "bank conflicts",
        ),
        Mistake(
            CONFLICTING.replace("a[16][132]", "a[16][133]"),
            "With such a padding the rows no longer begin at multiples of 16 bytes, and a float4 cannot be read from them.",
            "misaligned",
        ),
        Mistake(
            TURNED.replace("  __syncthreads();\n", ""),
            "A thread writes out what others have turned, so a barrier has to come between.",
            "race",
        ),
        Mistake(
            TURNED.replace("for (int j = 0; j < 16; j += 8)", "for (int j = 0; j < 8; j += 8)"),
            "Half of the columns are never copied.",
            "uninitialized",
        ),
        Mistake(
            CONFLICTING.replace("  for (int i = 0; i < 128; i += 32) {\n", "  for (int j = 0; j < 16; ++j) {\n")
            .replace("    float4 v = *reinterpret_cast<const float4*>(A + (row0 + row + i) * K + k0 + col);\n", "")
            .replace("    a[col][row + i] = v.x;\n", "    a[j][threadIdx.x] = A[(row0 + threadIdx.x) * K + k0 + j];\n")
            .replace(
                "    a[col + 1][row + i] = v.y;\n    a[col + 2][row + i] = v.z;\n    a[col + 3][row + i] = v.w;\n", ""
            ),
            "No conflict in shared memory any more, but the warp now reads down a column of A: 32 sectors for 32 numbers.",
            "too many sectors",
        ),
    ),
)


# --- staged_product --------------------------------------------------------------------------------------------------------


def _staged_cases(rng):
    for label, (M, N, K) in {"two steps": (16, 16, 32), "one step": (16, 32, 16), "five steps": (32, 16, 80)}.items():
        sizes = f"{label}: {M} × {K} times {K} × {N}"
        yield launch(sizes, (N // 16, M // 16), (16, 16), **_operands(rng, M, N, K))


STAGED = """
#include <cuda_pipeline.h>

__global__ void staged_product(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[2][16][16], b[2][16][16];
  int x = threadIdx.x, y = threadIdx.y;
  int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x;
  int steps = K / 16;
  auto fetch = [&](int step) {
    __pipeline_memcpy_async(&a[step % 2][y][x], A + row * K + step * 16 + x, 4);
    __pipeline_memcpy_async(&b[step % 2][y][x], B + (step * 16 + y) * N + col, 4);
    __pipeline_commit();
  };
  float sum = 0;
  fetch(0);
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps) {
      fetch(step + 1);
      __pipeline_wait_prior(1);
    } else {
      __pipeline_wait_prior(0);
    }
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum += a[step % 2][y][k] * b[step % 2][k][x];
    __syncthreads();
  }
  C[row * N + col] = sum;
}
"""
LATE = STAGED.replace(
    """      __pipeline_wait_prior(1);
    } else {
      __pipeline_wait_prior(0);
    }
""",
    """    }
    __pipeline_wait_prior(1);
""",
)

STAGED_PRODUCT = kernel_exercise(
    name="staged_product",
    title="Mend a kernel that waits too late",
    points=7,
    minutes=25,
    difficulty=4,
    hints=(
        "Write down for each step which groups are under way before the wait, and which of them has to have arrived.",
        "In the last step nothing new is fetched. Which group is the last one then?",
    ),
    cases=_staged_cases,
    oracle=_product,
    rtol=1e-4,
    atol=1e-4,
    mistakes=(
        Mistake(
            LATE,
            "The block reads a piece that may still be on its way. In the last step no new copy is started, so the only group "
            "under way is the one that is about to be read, and a wait that allows one group does not wait for it.",
            "async copy",
            planted=True,
        ),
        Mistake(
            STAGED.replace("    __syncthreads();\n    for (int k", "    for (int k"),
            "Each thread waits for its own copies only. A barrier has to follow before it reads what others have copied.",
            "async copy",
        ),
        Mistake(
            STAGED.replace("if (step + 1 < steps)", "if (true)"),
            "The last step fetches a piece behind the end of the matrices.",
            "out of bounds",
        ),
        Mistake(
            STAGED.replace("step < steps; ++step", "step + 1 < steps; ++step").replace(
                "  C[row", "  __pipeline_wait_prior(0);\n  C[row"
            ),
            "The loop ends one step early: the products of the last pieces are missing.",
        ),
        Mistake(
            STAGED.replace("b[step % 2][k][x];", "b[(step + 1) % 2][k][x];"),
            "The products are formed with pieces of two different stages.",
            "async copy",
        ),
    ),
)


# --- product_faults --------------------------------------------------------------------------------------------------------

KERNEL_A = """__global__ void product(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[16][16], b[16][16];
  int x = threadIdx.x, y = threadIdx.y;
  int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x;
  float sum = 0;
  for (int k0 = 0; k0 < K; k0 += 16) {
    a[y][x] = row < M && k0 + x < K ? A[row * K + k0 + x] : 0;
    b[y][x] = k0 + y < K && col < N ? B[(k0 + y) * N + col] : 0;
    for (int k = 0; k < 16; ++k) sum += a[y][k] * b[k][x];
    __syncthreads();
  }
  if (row < M && col < N) C[row * N + col] = sum;
}"""
KERNEL_B = """__global__ void product(const float* A, const float* B, float* C, int M, int N, int K) {
  int row = blockIdx.y * 16 + threadIdx.y;
  int col = blockIdx.x * 16 + threadIdx.x;
  float sum = 0;
  for (int k = 0; k < K; ++k)
    sum += A[row * K + k] * B[k * N + col];
  if (row < M && col < N) C[row * N + col] = sum;
}"""
KERNEL_C = """__global__ void product(const float* A, const float* B, float* C, int M, int N, int K) {
  int row = blockIdx.y * 16 + threadIdx.y;
  int col = blockIdx.x * 16 + threadIdx.x;
  if (row >= M || col >= N) return;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
  C[row * N + col] = sum;
}"""
KERNEL_D = """__global__ void product(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[16][16], b[16][16];
  int x = threadIdx.x, y = threadIdx.y;
  int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x;
  if (row >= M || col >= N) return;
  float sum = 0;
  for (int k0 = 0; k0 < K; k0 += 16) {
    a[y][x] = A[row * K + k0 + x];
    b[y][x] = B[(k0 + y) * N + col];
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum += a[y][k] * b[k][x];
    __syncthreads();
  }
  C[row * N + col] = sum;
}"""


def _faulty(source, sizes):
    M, N, K = sizes
    case = launch(
        "a product", (_blocks(N, 16), _blocks(M, 16)), (16, 16), **_operands(np.random.default_rng(0), M, N, K)
    )
    return source, "product", case


_FAULTS = {"a": ("race", 9), "b": ("out of bounds", 6), "c": None, "d": ("early exit", 10)}

PRODUCT_FAULTS = hunt_exercise(
    name="product_faults",
    title="Four products, three faults",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Go through each kernel with three questions: who writes what another reads, who is outside, who leaves?",
        "A race is named by either of its two lines.",
        "Leaving early is harmless where no barrier follows.",
    ),
    kernels={
        "a": _faulty(KERNEL_A, (32, 32, 32)),
        "b": _faulty(KERNEL_B, (20, 20, 20)),
        "c": _faulty(KERNEL_C, (20, 20, 20)),
        "d": _faulty(KERNEL_D, (20, 20, 32)),
    },
    mistakes=(
        Mistake(
            {**_FAULTS, "c": ("early exit", 4)},
            "A return before the end is a fault only if a barrier comes after it, at which others wait.",
        ),
        Mistake(
            {**_FAULTS, "b": None},
            "The guard of one kernel protects only the write. What do threads outside of the matrix read?",
        ),
        Mistake(
            {**_FAULTS, "a": None},
            "One barrier for each step is not enough: what do the threads read that others have just written?",
        ),
        Mistake(
            {**_FAULTS, "d": ("race", 11)},
            "Both barriers are there in that kernel. But do all threads of a block at the edge come to them?",
        ),
    ),
)


# --- tile_report -----------------------------------------------------------------------------------------------------------

TILE_REPORT = Exercise(
    name="tile_report",
    title="Choose tiles for a network",
    points=6,
    minutes=30,
    difficulty=4,
    hints=(
        "Begin with the shapes of the four products, then compute two numbers for each and every tile: useful work and bytes.",
        "A device has over a hundred multiprocessors. How many tiles does each product have?",
    ),
    answer="manual",
    rubric=(
        "2 points for a table with the share of useful work, the bytes loaded and the number of tiles, for every product and tile, "
        "computed and not guessed; 1 point for counts by the executor that confirm one of the rows; "
        "2 points for a choice of tiles that follows from the table and names the limit that decides, for each product; "
        "1 point for saying what the counts cannot tell and what would have to be measured."
    ),
)

EXERCISES = [
    TILE_INTENSITY,
    WARP_SECTORS,
    PRODUCT_TRAFFIC,
    BEST_THREAD_TILE,
    SMALLEST_PADDING,
    OVERLAP_TIME,
    TILED_PRODUCT,
    COLUMN_PRODUCT,
    PRODUCT_FAULTS,
    TURNED_TILE,
    STAGED_PRODUCT,
    TILE_REPORT,
]
