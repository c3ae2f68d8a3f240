"""The checks of the chapter on the memory hierarchy."""

import numpy as np

from mlcourse.grading import Case, Exercise, Mistake
from mlcourse.grading.kernels import counts_of, empty, hunt_exercise, kernel_exercise, launch, prediction_exercise

# --- sectors_touched -------------------------------------------------------------------------------------------------------


def _sectors_cases(rng):
    yield Case("32 neighboring floats", [4 * lane for lane in range(32)], 4)
    yield Case("shifted by one float", [4 * lane + 4 for lane in range(32)], 4)
    yield Case("every lane the same double", [808] * 32, 8)
    yield Case("floats with stride 3", [12 * lane for lane in range(32)], 4)
    yield Case("vectors of 16 bytes that begin inside a sector", [16 * lane + 24 for lane in range(32)], 16)
    yield Case("five lanes anywhere, two bytes each", [*map(int, rng.integers(500, size=5)), 31], 2)
    yield Case("one double across a border", [92], 8)
    yield Case("no lane takes part", [], 4)


def _sectors_oracle(offsets, size):
    """By marking bytes in a map of the memory."""
    memory = bytearray(max(offsets, default=0) + size + 32)
    for offset in offsets:
        memory[offset : offset + size] = b"x" * size
    return sum(any(memory[start : start + 32]) for start in range(0, len(memory), 32))


def looks_at_the_first_byte_only(offsets, size):
    return len({offset // 32 for offset in offsets})


def counts_lines_of_128(offsets, size):
    return len({byte // 128 for offset in offsets for byte in range(offset, offset + size)})


def counts_each_lane_for_itself(offsets, size):
    return sum((offset + size - 1) // 32 - offset // 32 + 1 for offset in offsets)


def takes_the_byte_behind(offsets, size):
    return len({s for offset in offsets for s in range(offset // 32, (offset + size) // 32 + 1)})


def divides_the_bytes(offsets, size):
    return -(-len(set(offsets)) * size // 32)


def counts_everything_between(offsets, size):
    return (max(offsets) + size - 1) // 32 - min(offsets) // 32 + 1 if offsets else 0


SECTORS_TOUCHED = Exercise(
    name="sectors_touched",
    title="Count the sectors of a request",
    points=4,
    minutes=10,
    difficulty=1,
    hints=(
        "Which sector does the byte with the number 100 lie in?",
        "Two lanes in one sector cost one sector: a set forgets repetitions by itself.",
        "The last byte of a lane may lie in another sector than its first one.",
    ),
    cases=_sectors_cases,
    oracle=_sectors_oracle,
    mistakes=(
        Mistake(
            looks_at_the_first_byte_only,
            "You look up the sector of each lane's first byte. What a lane wants can reach over a border into the next sector.",
        ),
        Mistake(counts_lines_of_128, "These are pieces of 128 bytes. A sector has 32."),
        Mistake(
            counts_each_lane_for_itself,
            "You add up the sectors of each lane. Lanes that want bytes of the same sector are served together.",
        ),
        Mistake(
            takes_the_byte_behind,
            "The last byte of a lane is offset + size - 1. You count the byte behind it as well, and with it sometimes a sector.",
        ),
        Mistake(
            divides_the_bytes,
            "This is how many sectors the bytes would fill if they lay side by side from a border on. It matters where they are.",
        ),
        Mistake(
            counts_everything_between,
            "You count all sectors from the first to the last one. Sectors in between that nobody wants stay where they are.",
        ),
    ),
)


# --- access_predictions ----------------------------------------------------------------------------------------------------

ACCESSES = """
__global__ void reversed(const float* x, float* out, int n) {
  int i = threadIdx.x;
  out[i] = x[n - 1 - i];
}

__global__ void every_third(const float* x, float* out) {
  int i = threadIdx.x;
  out[i] = x[3 * i];
}

__global__ void one_for_all(const float* x, float* out) {
  int i = threadIdx.x;
  out[i] = x[threadIdx.x / 32];
}

__global__ void down_a_column(const float* x, float* out, int cols) {
  out[threadIdx.x] = x[threadIdx.x * cols + 5];
}

__global__ void shifted_doubles(const double* x, double* out) {
  int i = threadIdx.x;
  out[i] = x[i + 1];
}
"""


def _access_counts():
    x, doubles = np.zeros(4096, np.float32), np.zeros(130)
    cases = {
        "reversed": launch("", 1, 128, x=x[:128], out=empty(128), n=128),
        "every_third": launch("", 1, 128, x=x, out=empty(128)),
        "one_for_all": launch("", 1, 128, x=x, out=empty(128)),
        "down_a_column": launch("", 1, 128, x=x, out=empty(128), cols=20),
        "shifted_doubles": launch("", 1, 128, x=doubles, out=empty(128, "float64")),
    }
    return {name: counts_of(ACCESSES, name, case)["sectors read"] for name, case in cases.items()}


_ACCESSES_RIGHT = {"reversed": 16, "every_third": 48, "one_for_all": 4, "down_a_column": 128, "shifted_doubles": 36}

ACCESS_PREDICTIONS = prediction_exercise(
    name="access_predictions",
    title="Predict five reads",
    points=5,
    minutes=15,
    difficulty=2,
    hints=(
        "128 threads are four warps. Count one of them and multiply, but see that all four are alike.",
        "The order of the lanes within a warp plays no role.",
        "Of 32 doubles, how many bytes is that, and where do they begin?",
    ),
    questions={name: f"sectors read by {name}" for name in _ACCESSES_RIGHT},
    counts=_access_counts,
    mistakes=(
        Mistake(
            {name: sectors // 4 for name, sectors in _ACCESSES_RIGHT.items()},
            "Each of your numbers is that of one warp. A block of 128 threads has four.",
        ),
        Mistake(
            {**_ACCESSES_RIGHT, "reversed": 128},
            "You let the reversed order cost something. A request is a set of addresses, and the set is the same as forward.",
        ),
        Mistake(
            {**_ACCESSES_RIGHT, "every_third": 16},
            "With every third float you count the bytes that are asked for. The sectors between them move as well.",
        ),
        Mistake(
            {**_ACCESSES_RIGHT, "one_for_all": 128},
            "All lanes of a warp want the same element there, and one sector serves them all.",
        ),
        Mistake(
            {**_ACCESSES_RIGHT, "down_a_column": 16},
            "Elements of a column are neighbors in the picture of a matrix, and not in memory: there, a whole row lies between.",
        ),
        Mistake(
            {**_ACCESSES_RIGHT, "shifted_doubles": 20},
            "The doubles were counted as floats: 32 of them are 256 bytes.",
        ),
        Mistake(
            {**_ACCESSES_RIGHT, "shifted_doubles": 32},
            "The shift was forgotten: a warp that begins inside a sector touches one sector more.",
        ),
    ),
)


# --- conflict_passes -------------------------------------------------------------------------------------------------------


def _passes_cases(rng):
    yield Case("a row of a tile", list(range(32)))
    yield Case("a column of a tile that is 32 wide", [32 * lane for lane in range(32)])
    yield Case("a column of a tile that is 36 wide", [36 * lane for lane in range(32)])
    yield Case("all lanes want one word", [77] * 32)
    yield Case("pairs of lanes want one word each, 64 apart", [64 * (lane // 2) for lane in range(32)])
    yield Case("anywhere", [*map(int, rng.integers(200, size=32)), 1, 33, 65])
    yield Case("one lane", [40])


def _passes_oracle(words):
    """By scheduling: each pass serves one word of each bank, and all lanes that want it."""
    waiting, passes = list(words), 0
    while waiting:
        served = {}
        for word in waiting:
            served.setdefault(word % 32, word)
        waiting = [word for word in waiting if served[word % 32] != word]
        passes += 1
    return passes


def reads_the_same_word_again(words):
    banks = [word % 32 for word in words]
    return max(banks.count(bank) for bank in banks)


def counts_the_banks_in_use(words):
    return len({word % 32 for word in words})


def has_sixteen_banks(words):
    banks = [word % 16 for word in set(words)]
    return max(banks.count(bank) for bank in banks)


def takes_words_for_bytes(words):
    banks = [word // 4 % 32 for word in set(words)]
    return max(banks.count(bank) for bank in banks)


def counts_the_waiting(words):
    banks = [word % 32 for word in set(words)]
    return max(banks.count(bank) for bank in banks) - 1


CONFLICT_PASSES = Exercise(
    name="conflict_passes",
    title="Count the passes over the banks",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "Which bank does a word lie in?",
        "Lanes that want the same word are served together, so a repetition does not count.",
        "The fullest bank decides.",
    ),
    cases=_passes_cases,
    oracle=_passes_oracle,
    mistakes=(
        Mistake(
            reads_the_same_word_again,
            "Lanes that want the same word are counted one by one. A word is read once and given to all of them.",
        ),
        Mistake(
            counts_the_banks_in_use,
            "You count how many banks are in use. The passes are set by the fullest one of them.",
        ),
        Mistake(has_sixteen_banks, "There are 32 banks; 16 was the number on the earliest GPUs."),
        Mistake(
            takes_words_for_bytes, "The input are numbers of words, and you divide them by 4 as if they were bytes."
        ),
        Mistake(counts_the_waiting, "You count how often the last lane waits. The pass that serves it is one more."),
    ),
)


# --- smallest_pitch --------------------------------------------------------------------------------------------------------


def _pitch_cases(rng):
    for width, rows in ((32, 32), (33, 32), (16, 16), (8, 8), (64, 1), (20, 2), (5, 4)):
        yield Case(f"{width} wide, {rows} rows at a time", width, rows)
    yield Case("drawn by lot", int(rng.integers(3, 90)), int(rng.choice([2, 4, 8, 16])))


def _pitch_oracle(width, rows):
    """With s = 32 / rows neighbors a row, the rows must begin at all multiples of s: an odd multiple of s as pitch."""
    if rows == 1:
        return width
    side = 32 // rows
    return next(pitch for pitch in range(width, width + 65) if pitch % side == 0 and pitch // side % 2)


def takes_the_next_odd_number(width, rows):
    return width | 1


def looks_at_the_first_column_only(width, rows):
    return next(pitch for pitch in range(width, width + 65) if len({row * pitch % 32 for row in range(rows)}) == rows)


def adds_one(width, rows):
    return width + 1


def never_keeps_the_width(width, rows):
    pitch = width + 1
    while _pitch_oracle(pitch, rows) != pitch:
        pitch += 1
    return pitch


def gives_the_padding(width, rows):
    return _pitch_oracle(width, rows) - width


def only_multiples(width, rows):
    side = 32 // rows
    return -(-width // side) * side


SMALLEST_PITCH = Exercise(
    name="smallest_pitch",
    title="Find the smallest pitch",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "Write down the 32 words that the warp wants, as a function of the pitch.",
        "Try one pitch after another, from the width on, until all 32 words lie in different banks.",
    ),
    cases=_pitch_cases,
    oracle=_pitch_oracle,
    mistakes=(
        Mistake(
            takes_the_next_odd_number,
            "An odd pitch is the answer for a single column. With fewer rows than 32, a warp reads several columns at a time.",
        ),
        Mistake(
            looks_at_the_first_column_only,
            "The first float of each row has a bank of its own now. The warp wants 32 / rows floats of each: look at all of them.",
        ),
        Mistake(adds_one, "One word of padding is a habit, not a rule: see which banks are wanted."),
        Mistake(never_keeps_the_width, "Some widths need no padding at all. Begin with the width itself."),
        Mistake(gives_the_padding, "This is the padding. The pitch is the width together with it."),
        Mistake(
            only_multiples,
            "All rows begin at borders between groups of neighbors now, but two rows can still begin in the same bank.",
        ),
    ),
)


# --- resident_blocks -------------------------------------------------------------------------------------------------------

_HOPPER = {"warps": 64, "blocks": 32, "registers": 65536, "shared": 233472, "reserved": 1024}
_TURING = {"warps": 32, "blocks": 16, "registers": 65536, "shared": 65536, "reserved": 0}


def _blocks_cases(rng):
    yield Case("limited by warps", _HOPPER, 256, 32, 4224)
    yield Case("limited by registers, which are rounded up for each warp", _HOPPER, 256, 41, 0)
    yield Case("limited by the number of blocks", _HOPPER, 32, 16, 0)
    yield Case("limited by shared memory, with what the system keeps", _HOPPER, 128, 32, 22 * 1024 + 400)
    yield Case("a block that does not fill its last warp", _TURING, 100, 20, 0)
    yield Case("on another GPU", _TURING, 192, int(rng.integers(20, 80)), 1024 * int(rng.integers(9)))
    yield Case("a block that is too large", _HOPPER, 1024, 72, 0)


def _blocks_oracle(limits, threads, registers, shared):
    """By putting blocks on the multiprocessor until one does not fit."""
    blocks = warps = used_registers = used_shared = 0
    while True:
        for _ in range(0, threads, 32):
            warps += 1
            used_registers += next(r for r in range(0, 1 << 20, 256) if r >= 32 * registers)
        used_shared += shared + limits["reserved"]
        if (
            warps > limits["warps"]
            or used_registers > limits["registers"]
            or used_shared > limits["shared"]
            or blocks == limits["blocks"]
        ):
            return blocks
        blocks += 1


def _blocks(limits, threads, registers, shared, *, warp_up=True, round_up=True, count=True, keep=True):
    warps = -(-threads // 32) if warp_up else threads / 32
    of_a_warp = -(-32 * registers // 256) * 256 if round_up else 32 * registers
    of_a_block = shared + (limits["reserved"] if keep else 0)
    room = [int(limits["warps"] // warps), int(limits["registers"] // (of_a_warp * warps))]
    room += [limits["blocks"]] if count else []
    room += [limits["shared"] // of_a_block] if of_a_block else []
    return min(room)


def fills_part_of_a_warp(limits, threads, registers, shared):
    return _blocks(limits, threads, registers, shared, warp_up=False)


def takes_registers_exactly(limits, threads, registers, shared):
    return _blocks(limits, threads, registers, shared, round_up=False)


def forgets_the_number_of_blocks(limits, threads, registers, shared):
    return _blocks(limits, threads, registers, shared, count=False)


def forgets_what_is_reserved(limits, threads, registers, shared):
    return _blocks(limits, threads, registers, shared, keep=False)


def gives_warps(limits, threads, registers, shared):
    return _blocks(limits, threads, registers, shared) * -(-threads // 32)


RESIDENT_BLOCKS = Exercise(
    name="resident_blocks",
    title="An occupancy calculator",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "Compute for each supply alone how many blocks it would allow. The smallest number counts.",
        "Warps are whole, and each warp gets its registers in portions of 256.",
        "A block that uses no shared memory may still have some reserved; if neither, that supply sets no limit.",
    ),
    cases=_blocks_cases,
    oracle=_blocks_oracle,
    mistakes=(
        Mistake(
            fills_part_of_a_warp,
            "Blocks were counted in threads. A warp that is not full takes a whole slot all the same.",
        ),
        Mistake(
            takes_registers_exactly,
            "Registers were counted exactly. A warp gets them in portions of 256, so its number is rounded up.",
        ),
        Mistake(
            forgets_the_number_of_blocks,
            "Small blocks run into one more limit: only so many blocks are resident, however little they take.",
        ),
        Mistake(
            forgets_what_is_reserved,
            "The system keeps some shared memory of each block for itself, and it is missing in your count.",
        ),
        Mistake(gives_warps, "This is the number of resident warps. Asked was for blocks."),
    ),
)


# --- least_seconds ---------------------------------------------------------------------------------------------------------


def _seconds_cases(rng):
    yield Case("bytes decide", 4e9, 1e6, 132, 1.98e9, 3.352e12)
    yield Case("passes decide", 1e6, 8e9, 80, 1.53e9, 9e11)
    yield Case("both alike", 900.0, 300.0, 3, 10.0, 90.0)
    yield Case("no shared memory", 1e9 * rng.uniform(1, 5), 0, 40, 1.59e9, 3.2e11)
    yield Case("drawn by lot", rng.uniform(1, 9) * 1e9, rng.uniform(1, 9) * 1e9, 108, 1.41e9, 1.555e12)


def _seconds_oracle(n_bytes, passes, multiprocessors, clock, bandwidth):
    """The smallest time at which both amounts are done, by bisection."""
    low, high = 0.0, n_bytes / bandwidth + passes / (multiprocessors * clock)
    for _ in range(200):
        middle = (low + high) / 2
        done = bandwidth * middle >= n_bytes and multiprocessors * clock * middle >= passes
        low, high = (low, middle) if done else (middle, high)
    return high


def adds_the_two(n_bytes, passes, multiprocessors, clock, bandwidth):
    return n_bytes / bandwidth + passes / (multiprocessors * clock)


def takes_the_shorter(n_bytes, passes, multiprocessors, clock, bandwidth):
    return min(n_bytes / bandwidth, passes / (multiprocessors * clock))


def has_one_multiprocessor(n_bytes, passes, multiprocessors, clock, bandwidth):
    return max(n_bytes / bandwidth, passes / clock)


def looks_at_bytes_alone(n_bytes, passes, multiprocessors, clock, bandwidth):
    return n_bytes / bandwidth


def serves_one_word_a_pass(n_bytes, passes, multiprocessors, clock, bandwidth):
    return max(n_bytes / bandwidth, 32 * passes / (multiprocessors * clock))


LEAST_SECONDS = Exercise(
    name="least_seconds",
    title="Two roofs",
    points=3,
    minutes=8,
    difficulty=2,
    hints=("Each amount alone gives a time. Both go on at once.", "All multiprocessors make passes at the same time."),
    cases=_seconds_cases,
    oracle=_seconds_oracle,
    mistakes=(
        Mistake(
            adds_the_two, "The two times were added. They overlap, so the longer one is a bound, and the sum is not."
        ),
        Mistake(takes_the_shorter, "The shorter time was taken. Nothing is finished before both amounts are done."),
        Mistake(
            has_one_multiprocessor, "Only one multiprocessor makes passes here; each of them has banks of its own."
        ),
        Mistake(looks_at_bytes_alone, "The passes over the banks are missing."),
        Mistake(serves_one_word_a_pass, "A pass serves all 32 banks. It is one cycle, and not 32."),
    ),
)


# --- moment_of_particles ---------------------------------------------------------------------------------------------------


def _moment_cases(rng):
    for n, block in ((256, 128), (1, 32), (int(rng.integers(300, 800)), 96)):
        p = rng.normal(size=(n, 4)).astype(np.float32)
        yield launch(f"{n} particles in blocks of {block}", -(-n // block), block, p=p, out=empty(n), n=n)


def _moment_oracle(p, out, n):
    x, y, z, mass = p.astype(np.float64).T
    return {"out": mass * (x * x + y * y + z * z)}


_MOMENT = """
__global__ void moment_of_particles(const float* p, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  BODY
}
"""
_FOUR_LOADS = _MOMENT.replace(
    "BODY",
    """if (i >= n) return;
  float x = p[4 * i], y = p[4 * i + 1], z = p[4 * i + 2], mass = p[4 * i + 3];
  out[i] = mass * (x * x + y * y + z * z);""",
)
_ONE_LOAD = _MOMENT.replace(
    "BODY",
    """if (i >= n) return;
  float4 q = reinterpret_cast<const float4*>(p)[i];
  out[i] = q.w * (q.x * q.x + q.y * q.y + q.z * q.z);""",
)

MOMENT_OF_PARTICLES = kernel_exercise(
    name="moment_of_particles",
    title="Fetch a particle in one piece",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "A thread needs 16 bytes that lie together. There is a type of that size.",
        "reinterpret_cast<const float4*>(p) is the same address, seen as vectors of four floats.",
    ),
    cases=_moment_cases,
    oracle=_moment_oracle,
    most_sectors=1.05,
    mistakes=(
        Mistake(
            _FOUR_LOADS,
            "The result is right. But each of the four loads of a warp goes to every sector of its particles.",
            "too many sectors",
            planted=True,
        ),
        Mistake(
            _ONE_LOAD.replace("(p)[i]", "(p + i)[0]"),
            "You move the pointer by floats and then look at it as a vector: most of these addresses are no multiples of 16.",
            "misaligned",
        ),
        Mistake(
            _ONE_LOAD.replace("(p)[i]", "(p)[4 * i]"),
            "Seen as vectors, particle i has the number i. You skip three of four particles, and run over the end.",
            "out of bounds",
        ),
        Mistake(
            _ONE_LOAD.replace("q.w * (q.x * q.x + q.y * q.y + q.z * q.z)", "q.x * (q.y * q.y + q.z * q.z + q.w * q.w)"),
            "The first of the four numbers was taken for the mass. It is the last, q.w.",
        ),
        Mistake(
            _ONE_LOAD.replace("i >= n", "i > n"),
            "One thread too many gets through: the particles are numbered from 0 to n - 1.",
            "out of bounds",
        ),
    ),
)


# --- add_bias --------------------------------------------------------------------------------------------------------------


def _bias_cases(rng):
    for rows, cols in ((32, 64), (8, 40), (40, 24)):
        x, bias = rng.normal(size=(rows, cols)).astype(np.float32), rng.normal(size=cols).astype(np.float32)
        grid = (-(-max(rows, cols) // 32), -(-max(rows, cols) // 8))
        yield launch(f"{rows} × {cols}", grid, (32, 8), x=x, bias=bias, rows=rows, cols=cols)


def _bias_oracle(x, bias, rows, cols):
    return {"x": x.astype(np.float64) + bias}


_BIAS = """
__global__ void add_bias(float* x, const float* bias, int rows, int cols) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < rows && col < cols) x[row * cols + col] += bias[col];
}
"""
_BIAS_AGAINST = """
__global__ void add_bias(float* x, const float* bias, int rows, int cols) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  int col = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < rows && col < cols) x[row * cols + col] += bias[col];
}
"""

ADD_BIAS = kernel_exercise(
    name="add_bias",
    title="Walk along the grain",
    points=4,
    minutes=10,
    difficulty=2,
    hints=("Which of the two indices changes from one lane of a warp to the next?",),
    cases=_bias_cases,
    oracle=_bias_oracle,
    most_sectors=1.6,
    mistakes=(
        Mistake(
            _BIAS_AGAINST,
            "The lanes of a warp take different rows. Their elements lie a whole row apart, in a sector each.",
            "too many sectors",
            planted=True,
        ),
        Mistake(
            _BIAS.replace("row * cols + col]", "col * rows + row]"),
            "The place of an element in memory was computed for a matrix with the other shape: a row has cols elements.",
        ),
        Mistake(
            _BIAS.replace("bias[col]", "bias[row % cols]"),
            "There is one bias for each column, and you add one for each row.",
        ),
        Mistake(
            _BIAS.replace("row < rows && col < cols", "row * cols + col < rows * cols"),
            "Your guard lets threads to the right of the matrix through: their element is one of the next row, which is changed twice.",
            "out of bounds",
        ),
        Mistake(
            _BIAS.replace("row < rows && col < cols", "row < cols && col < rows"),
            "The guard compares rows with the number of columns, and the other way round.",
            "out of bounds",
        ),
    ),
)


# --- transpose_swizzled ----------------------------------------------------------------------------------------------------


def _transpose_cases(rng):
    for rows, cols in ((32, 32), (64, 32), (40, 72)):
        x = rng.normal(size=(rows, cols)).astype(np.float32)
        sizes = (-(-cols // 32), -(-rows // 32))
        yield launch(f"{rows} × {cols}", sizes, (32, 8), smem=4096, x=x, out=empty((cols, rows)), rows=rows, cols=cols)


_SWIZZLED = """
__global__ void transpose_swizzled(const float* x, float* out, int rows, int cols) {
  extern __shared__ float tile[];
  int row0 = blockIdx.y * 32, col0 = blockIdx.x * 32, t = threadIdx.x;
  for (int y = threadIdx.y; y < 32; y += 8)
    if (row0 + y < rows && col0 + t < cols) tile[32 * y + (t ^ y)] = x[(row0 + y) * cols + col0 + t];
  __syncthreads();
  for (int y = threadIdx.y; y < 32; y += 8)
    if (col0 + y < cols && row0 + t < rows) out[(col0 + y) * rows + row0 + t] = tile[32 * t + (y ^ t)];
}
"""

TRANSPOSE_SWIZZLED = kernel_exercise(
    name="transpose_swizzled",
    title="A transpose without padding",
    points=8,
    minutes=30,
    difficulty=4,
    hints=(
        "Begin with the tile of the chapter, and exchange the places within each row when you store into it.",
        "The element of column c in row r goes to place c ^ r of that row.",
        "Whoever reads row r must know that its column c is at place c ^ r, too.",
    ),
    cases=_transpose_cases,
    oracle=lambda x, out, rows, cols: {"out": x.T},
    most_sectors=1.05,
    most_bank_passes=1.0,
    most_static=0,
    mistakes=(
        Mistake(
            _SWIZZLED.replace("extern __shared__ float tile[];", "__shared__ float tile[32 * 33];")
            .replace("32 * y + (t ^ y)", "33 * y + t")
            .replace("32 * t + (y ^ t)", "33 * t + y"),
            "The tile of your source has a size of its own. Use the 4,096 bytes that the launch gives, and nothing else.",
            "launch",
        ),
        Mistake(
            _SWIZZLED.replace("(t ^ y)", "t").replace("(y ^ t)", "y"),
            "The result is right, and a column of the tile lies in one bank: nothing was exchanged.",
            "bank conflicts",
        ),
        Mistake(
            _SWIZZLED.replace("(y ^ t)", "y"),
            "The places were exchanged on the way into the tile and not on the way out.",
            "uninitialized",
        ),
        Mistake(
            _SWIZZLED.replace("  __syncthreads();\n", ""),
            "Elements are read from the tile that other threads may not have stored yet.",
            "race",
        ),
        Mistake(
            _SWIZZLED.replace("32 * y + (t ^ y)", "33 * y + t").replace("32 * t + (y ^ t)", "33 * t + y"),
            "This is padding. The launch gives the block 32 · 32 floats of shared memory, and no more.",
            "out of bounds",
        ),
        Mistake(
            _SWIZZLED.replace("if (col0 + y < cols && row0 + t < rows)", "if (row0 + y < rows && col0 + t < cols)"),
            "The guard of the second loop is that of the input. There, t runs along the rows of the output.",
            "out of bounds",
        ),
        Mistake(
            """
__global__ void transpose_swizzled(const float* x, float* out, int rows, int cols) {
  int col = blockIdx.x * 32 + threadIdx.x;
  for (int y = threadIdx.y; y < 32; y += 8) {
    int row = blockIdx.y * 32 + y;
    if (row < rows && col < cols) out[col * rows + row] = x[row * cols + col];
  }
}
""",
            "The result is right, but a warp writes down a column of the output. Take the detour through a tile.",
            "too many sectors",
        ),
    ),
)


# --- planes_of_pixels ------------------------------------------------------------------------------------------------------


def _planes_cases(rng):
    for n in (128, 256, 100, int(rng.integers(129, 250))):
        rgb = rng.integers(0, 256, size=(n, 3)).astype(np.uint8)
        yield launch(f"{n} pixels", -(-n // 128), 128, rgb=rgb, planes=empty((3, n), "uint8"), n=n)


_PLANES = """
__global__ void planes_of_pixels(const unsigned char* rgb, unsigned char* planes, int n) {
  __shared__ unsigned char bytes[3 * 128];
  int first = blockIdx.x * 128, t = threadIdx.x;
  for (int k = t; k < 3 * 128; k += 128)
    if (3 * first + k < 3 * n) bytes[k] = rgb[3 * first + k];
  __syncthreads();
  if (first + t < n)
    for (int color = 0; color < 3; color++) planes[color * n + first + t] = bytes[3 * t + color];
}
"""
_PLANES_DIRECT = """
__global__ void planes_of_pixels(const unsigned char* rgb, unsigned char* planes, int n) {
  int i = blockIdx.x * 128 + threadIdx.x;
  if (i >= n) return;
  for (int color = 0; color < 3; color++) planes[color * n + i] = rgb[3 * i + color];
}
"""

PLANES_OF_PIXELS = kernel_exercise(
    name="planes_of_pixels",
    title="From pixels to planes",
    points=8,
    minutes=30,
    difficulty=4,
    hints=(
        "Each request for one color touches all sectors of its 32 pixels. Read the bytes of the block in the order in which they lie.",
        "128 pixels are 384 bytes: let the threads bring them into shared memory, 128 neighbors at a time.",
        "After the barrier each thread takes its three bytes from there.",
    ),
    cases=_planes_cases,
    oracle=lambda rgb, planes, n: {"planes": rgb.T},
    most_sectors=1.6,
    mistakes=(
        Mistake(
            _PLANES_DIRECT,
            "The result is right, and each of the three reads of a warp goes to the same three sectors again.",
            "too many sectors",
            planted=True,
        ),
        Mistake(
            _PLANES.replace("  __syncthreads();\n", ""),
            "A thread takes bytes that another one has brought, or not yet: nothing makes it wait.",
            "race",
        ),
        Mistake(
            _PLANES.replace("if (3 * first + k < 3 * n) ", ""),
            "The last block reads pixels that do not exist.",
            "out of bounds",
        ),
        Mistake(
            _PLANES.replace("color * n + first", "color * 128 + first"),
            "A plane has n pixels; you let the next one begin after 128.",
            "out of bounds",
        ),
        Mistake(
            _PLANES.replace("bytes[3 * t + color]", "bytes[3 * t + 2 - color]"), "Red and blue have changed places."
        ),
        Mistake(
            _PLANES.replace("planes[color * n + first + t]", "planes[3 * (first + t) + color]"),
            "Your kernel writes the three colors of a pixel side by side again. In planes, all red values come first.",
        ),
        Mistake(
            _PLANES.replace("if (3 * first + k < 3 * n) bytes", "if (first + k < n) bytes"),
            "The guard of the loads counts pixels, but k counts bytes: the rest of the block's bytes is never brought.",
            "uninitialized",
        ),
    ),
)


# --- memory_faults ---------------------------------------------------------------------------------------------------------

HUNTED = {
    "a": """
__global__ void a(const float* x, float* out) {
  __shared__ float tile[32][33];
  int col = threadIdx.x, row = threadIdx.y;
  tile[row][col] = x[32 * row + col];
  out[32 * row + col] = tile[col][row];
}
""",
    "b": """
__global__ void b(const float* x, float* out, int cols) {
  int row = threadIdx.y, v = threadIdx.x;
  const float* begin = x + row * cols;
  float4 q = reinterpret_cast<const float4*>(begin)[v];
  out[row * 8 + v] = q.x + q.y + q.z + q.w;
}
""",
    "c": """
__global__ void c(const float* x, float* out) {
  __shared__ float tile[32 * 33];
  int col = threadIdx.x, row = threadIdx.y;
  tile[33 * row + col] = x[32 * row + col];
  __syncthreads();
  out[32 * row + col] = tile[33 * col + row];
}
""",
    "d": """
__global__ void d(const float* x, float* out, int rows, int cols) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < rows || col < cols)
    out[col * rows + row] = x[row * cols + col];
}
""",
}


def _hunted_launches():
    square = np.zeros((32, 32), np.float32)
    return {
        "a": launch("one tile", 1, (32, 32), x=square, out=empty((32, 32))),
        "b": launch("4 rows of 33 floats", 1, (8, 4), x=np.zeros((4, 33), np.float32), out=empty((4, 8)), cols=33),
        "c": launch("one tile", 1, (32, 32), x=square, out=empty((32, 32))),
        "d": launch("24 × 40", (2, 1), (32, 32), x=np.zeros((24, 40), np.float32), out=empty((40, 24)), rows=24, cols=40),
    }  # fmt: skip


_FAULTS_RIGHT = {"a": ("race", 6), "b": ("misaligned", 5), "c": None, "d": ("out of bounds", 6)}

MEMORY_FAULTS = hunt_exercise(
    name="memory_faults",
    title="Find the faults",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "Who stored the element that a thread takes from the tile, and when?",
        "At which byte does the second row begin, if a row has 33 floats?",
        "Follow thread (31, 31) of the last block.",
    ),
    kernels={key: (HUNTED[key], key, case) for key, case in _hunted_launches().items()},
    mistakes=(
        Mistake(
            {**_FAULTS_RIGHT, "a": None},
            "In a tile that is turned, a thread takes what another thread has stored. See what a waits for.",
        ),
        Mistake(
            {**_FAULTS_RIGHT, "b": ("out of bounds", 5)},
            "All vectors of b lie inside the array. Look at the addresses at which they begin.",
        ),
        Mistake(
            {**_FAULTS_RIGHT, "c": ("out of bounds", 7)},
            "The tile of c has 32 · 33 floats, and the largest index is 33 · 31 + 31.",
        ),
        Mistake(
            {**_FAULTS_RIGHT, "d": None},
            "The guard of d lets a thread through as soon as one of its two indices is good.",
        ),
        Mistake(
            {**_FAULTS_RIGHT, "d": ("race", 6)},
            "Threads of d do meet, but they go to places outside the arrays before that: name that fault.",
        ),
    ),
)


# --- layout_report ---------------------------------------------------------------------------------------------------------

LAYOUT_REPORT = Exercise(
    name="layout_report",
    title="Recommend a layout",
    points=6,
    minutes=45,
    difficulty=4,
    hints=(
        "Write one kernel for each way through the table, and run it with profile on the table and on its transpose.",
        "Give both ends: what is counted, and what a perfect cache would leave.",
    ),
    answer="manual",
    rubric=(
        "1 point: at least two kernels that do the work of the two tasks, correct against NumPy. "
        "2 points: sectors for each kernel and layout, with the ideal, and an explanation of each from the index expression. "
        "1 point: an interval of times by the roofline for a named GPU, and not a single number. "
        "1 point: a recommendation that follows from the counts, with the case in which it would change. "
        "1 point: names what was not measured (caches, latency, launch overhead)."
    ),
)


EXERCISES = [
    SECTORS_TOUCHED,
    ACCESS_PREDICTIONS,
    CONFLICT_PASSES,
    SMALLEST_PITCH,
    MOMENT_OF_PARTICLES,
    ADD_BIAS,
    RESIDENT_BLOCKS,
    LEAST_SECONDS,
    MEMORY_FAULTS,
    TRANSPOSE_SWIZZLED,
    PLANES_OF_PIXELS,
    LAYOUT_REPORT,
]
