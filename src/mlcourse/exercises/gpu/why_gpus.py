"""The checks of the chapter on why GPUs."""

import itertools
import math

import numpy as np

from mlcourse.grading import Case, Exercise, Mistake
from mlcourse.grading.compare import Difference, difference
from mlcourse.grading.kernels import empty, kernel_exercise, launch, prediction_exercise
from mlcourse.grading.patterns import refusing

# --- amdahl_speedup --------------------------------------------------------------------------------------------------------


def _amdahl_cases(rng):
    yield Case("half of the time, ten times as fast", np.array([0.5]), np.array([10.0]))
    shares = rng.dirichlet([2, 3, 4, 5])[:3]
    yield Case("three parts, and a rest that stays as it was", shares, rng.uniform(2, 60, size=3))
    yield Case("two parts that are everything", np.array([0.25, 0.75]), rng.uniform(2, 30, size=2))
    yield Case("a part that becomes slower", np.array([0.3, 0.6]), np.array([0.5, 40.0]))
    yield Case("more than everything", np.array([0.7, 0.6]), np.array([2.0, 2.0]), raises=ValueError)


def _amdahl_oracle(shares, factors):
    """From the times of a program that took 1000 s."""
    before = 1000 * np.append(shares, 1 - shares.sum())
    after = before / np.append(factors, 1.0)
    return before.sum() / after.sum()


def _more_than_everything(shares, factors):
    return shares.sum() > 1 + 1e-9


@refusing(_more_than_everything)
def averages_the_factors(shares, factors):
    return shares @ factors + 1 - shares.sum()


@refusing(_more_than_everything)
def forgets_the_rest(shares, factors):
    return 1 / (shares / factors).sum()


@refusing(_more_than_everything)
def returns_the_time(shares, factors):
    return (shares / factors).sum() + 1 - shares.sum()


@refusing(_more_than_everything)
def takes_only_the_best(shares, factors):
    best = np.argmax(factors)
    return 1 / (1 - shares[best] + shares[best] / factors[best])


@refusing(_more_than_everything)
def multiplies_speedups(shares, factors):
    return np.prod(1 / (1 - shares + shares / factors))


@refusing(_more_than_everything)
def one_speedup_for_each_part(shares, factors):
    return 1 / (1 - shares + shares / factors)


def accepts_more_than_everything(shares, factors):
    return 1 / ((shares / factors).sum() + 1 - shares.sum())


AMDAHL_SPEEDUP = Exercise(
    name="amdahl_speedup",
    title="What is left of a speed-up",
    points=3,
    minutes=8,
    difficulty=1,
    hints=(
        "Let the program take 1 second before. How long does each part take afterwards, and how long the rest?",
        "The speed-up is the time before over the time afterwards: times are added, speed-ups are not.",
    ),
    cases=_amdahl_cases,
    oracle=_amdahl_oracle,
    mistakes=(
        Mistake(
            averages_the_factors,
            "This is the average of the factors, weighted by shares. Times are added, not factors: a large factor can't make up "
            "for the part that stayed slow.",
        ),
        Mistake(forgets_the_rest, "The part of the program that was not made faster has disappeared from the time."),
        Mistake(returns_the_time, "This is the new time as a share of the old one; its reciprocal is asked for."),
        Mistake(takes_only_the_best, "Only the part with the largest factor was made faster; all of them were."),
        Mistake(
            multiplies_speedups,
            "The speed-ups of the parts were multiplied, as if each applied to what the one before had left. All shares are "
            "shares of the original time.",
        ),
        Mistake(
            one_speedup_for_each_part,
            "This is what the program would gain if one part alone became faster, for each part. All of them do, and the whole gains "
            "one number.",
            "wrong type",
        ),
        Mistake(
            accepts_more_than_everything,
            "Shares of one time can't add up to more than 1: raise ValueError.",
            "no error",
        ),
    ),
)


# --- break_even ------------------------------------------------------------------------------------------------------------


def _break_even_cases(rng):
    yield Case("64 workers, 8 times as slow", 64, 8.0)
    yield Case("two workers who are as fast", 2, 1.0)
    workers = int(rng.integers(20, 400))
    yield Case("a slowness that is no whole number", workers, float(np.round(rng.uniform(2.1, workers / 2), 2) + 0.003))
    yield Case("they just win", 40, 39.0)
    yield Case("as many workers as they are slow", 16, 16.0)
    yield Case("too slow", 10, 25.0)


def _break_even_oracle(workers, slowness):
    """By trying: with whole rounds, the crowd has won after two rounds if it ever does."""
    for n in range(1, 2 * workers + 2):
        if math.ceil(n / workers) * slowness < n:
            return n
    return None


def counts_a_tie_as_a_win(workers, slowness):
    return None if slowness >= workers else math.ceil(slowness)


def always_finds_a_number(workers, slowness):
    return math.floor(slowness) + 1


def ignores_the_rounds(workers, slowness):
    return None if slowness >= workers else 1


def waits_for_everybody(workers, slowness):
    return None if slowness >= workers else workers


def adds_one_to_a_rounded_number(workers, slowness):
    return None if slowness >= workers else math.ceil(slowness) + 1


BREAK_EVEN = Exercise(
    name="break_even",
    title="From how many tasks on the crowd wins",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Until every worker has a task, the crowd's time is the same for any number of tasks. What is it?",
        "One worker needs n. With n up to the number of workers the crowd needs `slowness`: when is that strictly less?",
        "When the crowd has not won with one task for everybody, does a second round change it?",
    ),
    cases=_break_even_cases,
    oracle=_break_even_oracle,
    mistakes=(
        Mistake(
            counts_a_tie_as_a_win, "With this number both are finished at the same time. Strictly earlier is asked for."
        ),
        Mistake(
            always_finds_a_number,
            "If each worker is at least as many times slower as there are workers, the crowd never wins. Then the answer is None.",
            "wrong type",
        ),
        Mistake(
            ignores_the_rounds,
            "This divides the tasks evenly, as if a task could be cut into pieces. One task takes one worker its whole time.",
        ),
        Mistake(waits_for_everybody, "The crowd may win long before everybody has a task; idle workers cost no time."),
        Mistake(
            adds_one_to_a_rounded_number,
            "The slowness was rounded up and then one was added: where it is no whole number, that is one too many.",
        ),
    ),
)


# --- loads_per_thread ------------------------------------------------------------------------------------------------------


def _loads_cases(rng):
    yield Case("a GPU with threads for everything", 2.0e12, 500e-9, 250_000, 4)
    yield Case("few threads", 1.0e12, 450e-9, 30_000, 8)
    yield Case("some more threads", 1.0e12, 450e-9, 40_000, 8)
    for _ in range(2):
        threads = int(rng.integers(20_000, 200_000))
        yield Case(
            "a GPU drawn at random", float(rng.uniform(1, 4)) * 1e12, float(rng.uniform(300, 900)) * 1e-9, threads, 4
        )
    yield Case("wide loads, one is more than enough", 0.5e12, 400e-9, 270_000, 16)


def _loads_oracle(bandwidth, latency, n_threads, bytes_per_load):
    nanoseconds, bytes_each = latency * 1e9, bandwidth / 1e9
    return math.ceil(nanoseconds * bytes_each / bytes_per_load / n_threads)


def rounds_down(bandwidth, latency, n_threads, bytes_per_load):
    return int(bandwidth * latency / (n_threads * bytes_per_load))


def rounds_to_the_nearest(bandwidth, latency, n_threads, bytes_per_load):
    return round(bandwidth * latency / (n_threads * bytes_per_load))


def rounds_down_and_adds_one(bandwidth, latency, n_threads, bytes_per_load):
    return int(bandwidth * latency / (n_threads * bytes_per_load)) + 1


def forgets_the_bytes(bandwidth, latency, n_threads, bytes_per_load):
    return math.ceil(bandwidth * latency / n_threads)


def divides_by_the_latency(bandwidth, latency, n_threads, bytes_per_load):
    return math.ceil(bandwidth / latency / (n_threads * bytes_per_load))


def counts_warps(bandwidth, latency, n_threads, bytes_per_load):
    return math.ceil(bandwidth * latency / (n_threads / 32 * bytes_per_load))


def counts_all_threads_together(bandwidth, latency, n_threads, bytes_per_load):
    return math.ceil(bandwidth * latency / bytes_per_load)


def returns_a_fraction(bandwidth, latency, n_threads, bytes_per_load):
    return bandwidth * latency / (n_threads * bytes_per_load)


LOADS_PER_THREAD = Exercise(
    name="loads_per_thread",
    title="How many loads must be under way",
    points=3,
    minutes=8,
    difficulty=2,
    hints=(
        "Little's law: what is in flight is throughput times latency. Which of the arguments is the throughput, and in which unit?",
        "Bandwidth times latency is a number of bytes. How many loads are that, and how many for each thread?",
    ),
    cases=_loads_cases,
    oracle=_loads_oracle,
    mistakes=(
        Mistake(
            rounds_down, "Rounded down, a little less than needed is in flight. Half a load does not exist; round up."
        ),
        Mistake(
            rounds_to_the_nearest,
            "Rounded to the nearest number, sometimes a little less than needed is in flight; round up.",
        ),
        Mistake(
            rounds_down_and_adds_one,
            "This is one too many where the division comes out even; `math.ceil` rounds up only where something is left over.",
        ),
        Mistake(forgets_the_bytes, "This is the number of bytes for each thread. One load brings several of them."),
        Mistake(
            divides_by_the_latency,
            "The longer the wait, the more must be under way; here it would be the other way round. Check the units as well.",
        ),
        Mistake(counts_warps, "This is the number of loads for each warp of 32 threads, not for each thread."),
        Mistake(counts_all_threads_together, "This is the number of loads of all threads together."),
        Mistake(returns_a_fraction, "A thread has a whole number of loads under way.", "wrong type"),
    ),
)


# --- branch_instructions ---------------------------------------------------------------------------------------------------


def _branch_cases(rng):
    yield Case("one warp of four, two ways", np.array([0, 1, 0, 1]), np.array([5, 7]), 4)
    yield Case("two warps, each of one mind", np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([5, 7]), 4)
    costs = rng.integers(3, 40, size=4)
    yield Case("100 threads at random, the last warp is not full", rng.integers(0, 4, size=100), costs, 32)
    yield Case("sorted by way", np.sort(rng.integers(0, 4, size=128)), costs, 32)
    rare = np.zeros(96, dtype=int)
    rare[[7, 40]] = 2
    yield Case("two threads that go their own way", rare, np.array([3, 9, 50]), 32)


def _branch_oracle(ways, costs, warp_size):
    total = 0
    for start in range(0, len(ways), warp_size):
        for way, cost in enumerate(costs):
            total += int(cost) * any(w == way for w in ways[start : start + warp_size])
    return total


def _by_warp(ways, warp_size):
    return [ways[start : start + warp_size] for start in range(0, len(ways), warp_size)]


def takes_the_longest_way(ways, costs, warp_size):
    return int(sum(costs[warp].max() for warp in _by_warp(ways, warp_size)))


def counts_every_thread(ways, costs, warp_size):
    return int(costs[ways].sum())


def takes_all_threads_for_one_warp(ways, costs, warp_size):
    return int(costs[np.unique(ways)].sum())


def every_warp_goes_every_way(ways, costs, warp_size):
    return int(costs.sum() * -(-len(ways) // warp_size))


def leaves_out_the_last_warp(ways, costs, warp_size):
    full = len(ways) // warp_size * warp_size
    return int(sum(costs[np.unique(warp)].sum() for warp in _by_warp(ways[:full], warp_size)))


def counts_ways_not_instructions(ways, costs, warp_size):
    return int(sum(len(np.unique(warp)) for warp in _by_warp(ways, warp_size)))


def averages_over_the_lanes(ways, costs, warp_size):
    return float(sum(costs[warp].mean() for warp in _by_warp(ways, warp_size)))


BRANCH_INSTRUCTIONS = Exercise(
    name="branch_instructions",
    title="What a branch costs",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Look at one warp first. Which ways does at least one of its threads take?",
        "Each of these ways is issued once for the whole warp, by however few threads it is taken. `np.unique` lists them.",
    ),
    cases=_branch_cases,
    oracle=_branch_oracle,
    mistakes=(
        Mistake(
            takes_the_longest_way,
            "The ways of a warp were taken to run at the same time, so that the longest decides. They run one after the other.",
        ),
        Mistake(counts_every_thread, "An instruction is issued once for a warp, not once for each of its threads."),
        Mistake(
            takes_all_threads_for_one_warp,
            "All threads were taken as one warp. Each warp issues its own instructions, also if they are the same ones.",
        ),
        Mistake(every_warp_goes_every_way, "A warp does not go a way that none of its threads takes."),
        Mistake(leaves_out_the_last_warp, "The last warp is missing: it issues instructions although it is not full."),
        Mistake(
            counts_ways_not_instructions,
            "This is how many ways the warps take altogether. Way k has `costs[k]` instructions; add those up.",
        ),
        Mistake(
            averages_over_the_lanes,
            "This is an average over the lanes. A way costs the same whether one lane takes it or all do.",
            "wrong type",
        ),
    ),
)


# --- float_value -----------------------------------------------------------------------------------------------------------


def _pattern(what, pattern, e, f):
    """A case whose label shows the three fields of the pattern."""
    bits = f"{pattern:0{1 + e + f}b}"
    return Case(f"{what}: {bits[0]} {bits[1 : 1 + e]} {bits[1 + e :]}", pattern, e, f)


def _float_cases(rng):
    yield _pattern("one in fp16", 0b0_01111_0000000000, 5, 10)
    yield _pattern("a negative number in fp16", 0b1_10000_1000000000, 5, 10)
    for _ in range(3):
        sign, exponent, fraction = int(rng.integers(2)), int(rng.integers(1, 31)), int(rng.integers(1, 1024))
        yield _pattern("a normal number in fp16", sign << 15 | exponent << 10 | fraction, 5, 10)
    yield _pattern("a subnormal number in fp16", int(rng.integers(1, 1024)), 5, 10)
    yield _pattern("infinity in bf16", 0x7F80, 8, 7)
    yield _pattern("minus infinity in fp16", 0b1_11111_0000000000, 5, 10)
    yield _pattern("not a number, in fp16", 0b0_11111_0000000001, 5, 10)
    yield _pattern("a number in E5M2", 1 << 7 | int(rng.integers(1, 31)) << 2 | 3, 5, 2)
    yield _pattern("zero in 8 bits", 0, 4, 3)


def _float_oracle(pattern, exponent_bits, fraction_bits):
    """By way of the float64 with the same meaning, put together from its own bits."""
    bits = 1 + exponent_bits + fraction_bits
    text = f"{pattern:0{bits}b}"
    sign, exponent, fraction = text[0], int(text[1 : 1 + exponent_bits], 2), text[1 + exponent_bits :]
    top = 2**exponent_bits - 1
    if exponent == top:
        value = math.nan if "1" in fraction else math.inf
    elif exponent == 0:
        value = math.ldexp(int(fraction, 2), 2 - 2 ** (exponent_bits - 1) - fraction_bits)
    else:
        wide = np.uint64(exponent - top // 2 + 1023) << np.uint64(52)
        value = float((wide | np.uint64(int(fraction, 2) << (52 - fraction_bits))).view(np.float64))
    return -value if sign == "1" else value


def _decoded(pattern, e, f, *, lead=0.0, subnormal=1, bias=1, special=True, signed=True, nan=True):
    sign = -1.0 if pattern >> (e + f) and signed else 1.0
    exponent, fraction = pattern >> f & (2**e - 1), pattern & (2**f - 1)
    beta = 2 ** (e - 1) - bias
    if special and exponent == 2**e - 1:
        return sign * math.inf if fraction == 0 or not nan else math.nan
    if exponent == 0:
        return sign * (lead + fraction / 2**f) * 2.0 ** (subnormal - beta)
    return sign * (1 + fraction / 2**f) * 2.0 ** (exponent - beta)


def subnormals_get_a_leading_one(pattern, exponent_bits, fraction_bits):
    return 0.0 if pattern == 0 else _decoded(pattern, exponent_bits, fraction_bits, lead=1.0, subnormal=0)


def subnormals_with_exponent_zero(pattern, exponent_bits, fraction_bits):
    return _decoded(pattern, exponent_bits, fraction_bits, subnormal=0)


def bias_without_minus_one(pattern, exponent_bits, fraction_bits):
    return _decoded(pattern, exponent_bits, fraction_bits, bias=0)


def takes_every_pattern_for_normal(pattern, exponent_bits, fraction_bits):
    return _decoded(pattern, exponent_bits, fraction_bits, lead=1.0, subnormal=0, special=False)


def loses_the_leading_zeros(pattern, exponent_bits, fraction_bits):
    missing = 1 + exponent_bits + fraction_bits - max(1, pattern.bit_length())
    return _decoded(pattern << missing, exponent_bits, fraction_bits)


def knows_no_infinity(pattern, exponent_bits, fraction_bits):
    return _decoded(pattern, exponent_bits, fraction_bits, special=False)


def takes_nan_for_infinity(pattern, exponent_bits, fraction_bits):
    return _decoded(pattern, exponent_bits, fraction_bits, nan=False)


def drops_the_sign(pattern, exponent_bits, fraction_bits):
    return _decoded(pattern, exponent_bits, fraction_bits, signed=False)


FLOAT_VALUE = Exercise(
    name="float_value",
    title="Read a pattern of bits",
    points=5,
    minutes=18,
    difficulty=3,
    hints=(
        "Take the three fields out first: `pattern >> fraction_bits & (2**exponent_bits - 1)` is the middle one.",
        "Three kinds: the exponent field is 0, or all ones, or neither. Write a case for each.",
        "Numbers with the exponent field 0 have no leading 1, and the same power of two as those with the exponent field 1.",
    ),
    cases=_float_cases,
    oracle=_float_oracle,
    mistakes=(
        Mistake(
            subnormals_get_a_leading_one,
            "Numbers whose exponent field is 0 have no hidden 1 in front, only their fraction.",
        ),
        Mistake(
            subnormals_with_exponent_zero,
            "Subnormal numbers have the power of two of the smallest normal ones, 1 - bias, so that they continue them evenly. "
            "Here it is one less.",
        ),
        Mistake(
            bias_without_minus_one, "The bias is one too large: the exponent field 0111… with a fraction of 0 means 1."
        ),
        Mistake(
            takes_every_pattern_for_normal,
            "Every pattern was read as a normal number. Two exponent fields mean something else: all zeros and all ones.",
        ),
        Mistake(
            loses_the_leading_zeros,
            "The fields were counted from the first 1 of the pattern, as `bin` shows it. The zeros before it belong to the pattern: "
            "its first bit is the sign, also where that is 0.",
        ),
        Mistake(
            knows_no_infinity,
            "An exponent field of all ones is kept for infinity and NaN; here it was read as a number.",
        ),
        Mistake(
            takes_nan_for_infinity, "All ones with a fraction other than 0 is not infinity but NaN.", "wrong value"
        ),
        Mistake(drops_the_sign, "The first bit is the sign: 1 makes the number negative."),
    ),
)


# --- to_bf16 ---------------------------------------------------------------------------------------------------------------


def _bf16_cases(rng):
    yield Case(
        "numbers of all sizes", (rng.normal(size=200) * 10.0 ** rng.uniform(-20, 20, size=200)).astype(np.float32)
    )
    upper = rng.integers(0x2000, 0x7000, size=40, dtype=np.uint32)
    ties = (upper << 16 | 0x8000).view(np.float32)
    yield Case("exactly in the middle of two neighbors", np.concatenate([ties, -ties]))
    yield Case("zeros, and numbers near the largest", np.array([0.0, -0.0, 3.3e38, 3.4e38, -3.4e38], dtype=np.float32))
    yield Case("infinities", np.array([np.inf, -np.inf, 1.0], dtype=np.float32))
    yield Case("not a number", np.array([0x7FC00000, 0x7F800001, 0x7FFFFFFF], dtype=np.uint32).view(np.float32))


def _bf16_oracle(x):
    import torch

    patterns = torch.from_numpy(x.copy()).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    return np.where(np.isnan(x), np.uint16(0x7FC0), patterns)


def _patterns_difference(expected, got):
    """As `difference` says it, with patterns as they are written."""
    found = difference(expected, got)
    if found is None or found.kind != "wrong value":
        return found
    wrong = np.flatnonzero(expected != got)
    shown = [f"0x{int(patterns[wrong[0]]):04X}" for patterns in (expected, got)]
    return Difference(
        "wrong value",
        f"{len(wrong)} of {len(expected)} patterns differ; the first is at [{wrong[0]}]: expected {shown[0]}, got {shown[1]}",
    )


def _with_nan(x, patterns):
    return np.where(np.isnan(x), 0x7FC0, patterns).astype(np.uint16)


def _bits(x):
    return x.view(np.uint32).astype(np.uint64)


def cuts_off_the_lower_half(x):
    return _with_nan(x, _bits(x) >> 16)


def rounds_ties_up(x):
    return _with_nan(x, _bits(x) + 0x8000 >> 16)


def rounds_ties_down(x):
    return _with_nan(x, _bits(x) + 0x7FFF >> 16)


def loses_nan(x):
    bits = _bits(x)
    return (bits + 0x7FFF + (bits >> 16 & 1) >> 16).astype(np.uint16)


def keeps_the_lower_half(x):
    return _with_nan(x, _bits(x) & 0xFFFF)


def returns_numbers(x):
    bits = _bits(x)
    patterns = _with_nan(x, bits + 0x7FFF + (bits >> 16 & 1) >> 16)
    return (patterns.astype(np.uint32) << 16).view(np.float32)


def asks_the_wrong_bit(x):
    bits = _bits(x)
    return _with_nan(x, bits + 0x7FFF + (bits >> 17 & 1) >> 16)


TO_BF16 = Exercise(
    name="to_bf16",
    title="Round to bfloat16 with integers",
    points=6,
    minutes=25,
    difficulty=4,
    hints=(
        "`x.view(np.uint32)` shows the patterns. A bf16 is the upper half of it, so what has to be decided is whether the upper "
        "half grows by one.",
        "Adding 0x7FFF before cutting carries into the upper half if the lower half is more than 0x8000. In the tie it should "
        "carry exactly if the last bit that stays is 1.",
        "A carry out of the fraction runs into the exponent by itself, and that is right. Only NaN must be set by hand.",
    ),
    cases=_bf16_cases,
    oracle=_bf16_oracle,
    compare=_patterns_difference,
    mistakes=(
        Mistake(
            cuts_off_the_lower_half, "The lower half was cut off, which rounds toward zero and not to the nearest."
        ),
        Mistake(
            rounds_ties_up,
            "In the middle of two neighbors it is always rounded away from zero; the even one is wanted.",
        ),
        Mistake(
            rounds_ties_down, "In the middle of two neighbors it is always rounded toward zero; the even one is wanted."
        ),
        Mistake(
            loses_nan, "The numbers are right, but some NaN has become another pattern; every NaN is to be 0x7FC0."
        ),
        Mistake(
            keeps_the_lower_half,
            "This is the lower half of the pattern: the end of the fraction. A bf16 is the upper half.",
        ),
        Mistake(
            returns_numbers, "These are the rounded numbers; their patterns, as uint16, are asked for.", "wrong dtype"
        ),
        Mistake(
            asks_the_wrong_bit,
            "Whether a tie goes up depends on the last bit that stays, number 16; this looks at the one before it.",
        ),
    ),
)


# --- network_seconds -------------------------------------------------------------------------------------------------------


def _network_cases(rng):
    yield Case("one layer, one image", [64, 1024], 1, 1e11, 4e10, 4)
    yield Case("the network of the chapter, 256 images", [64, 1024, 10], 256, 1e11, 4e10, 4)
    sizes = [int(n) for n in rng.integers(200, 3000, size=4)]
    batch = int(rng.integers(100, 250))
    yield Case("a layer bound by memory beside one bound by arithmetic", [4096, 4096, 2], batch, 6.7e13, 3.35e12, 4)
    yield Case("three layers in bf16, on tensor cores", sizes, batch, 9.9e14, 3.35e12, 2)
    yield Case("one word of a language model", [4096, 11008, 4096], 1, 9.9e14, 3.35e12, 2)


def _layers(sizes):
    return list(itertools.pairwise(sizes))


def _network_oracle(sizes, batch, peak, bandwidth, itemsize):
    from mlcourse.gpu.roofline import Roofline, matmul

    machine = Roofline(peak, bandwidth)
    return sum(machine.seconds(matmul(batch, n, k, itemsize)) for k, n in _layers(sizes))


def _each_layer(sizes, batch, peak, bandwidth, itemsize, join=max, ops=2, moved=None):
    moved = moved or (lambda k, n: batch * k + k * n + batch * n)
    return sum(join(ops * batch * k * n / peak, moved(k, n) * itemsize / bandwidth) for k, n in _layers(sizes))


def takes_the_network_as_one(sizes, batch, peak, bandwidth, itemsize):
    work = sum(2 * batch * k * n for k, n in _layers(sizes)) / peak
    return max(work, sum(batch * k + k * n + batch * n for k, n in _layers(sizes)) * itemsize / bandwidth)


def counts_one_operation(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, itemsize, ops=1)


def adds_both_times(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, itemsize, join=lambda a, b: a + b)


def takes_the_shorter_time(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, itemsize, join=min)


def reads_weights_for_each_image(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, itemsize, moved=lambda k, n: batch * (k + k * n + n))


def forgets_the_inputs(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, itemsize, moved=lambda k, n: k * n + batch * n)


def moves_only_the_weights(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, itemsize, moved=lambda k, n: k * n)


def counts_numbers_not_bytes(sizes, batch, peak, bandwidth, itemsize):
    return _each_layer(sizes, batch, peak, bandwidth, 1)


NETWORK_SECONDS = Exercise(
    name="network_seconds",
    title="The least time of a network",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Each layer is one matrix product. Which three matrices, of which shapes, does it move?",
        "A layer takes at least the longer of two times. The next layer begins when it is done.",
    ),
    cases=_network_cases,
    oracle=_network_oracle,
    mistakes=(
        Mistake(
            takes_the_network_as_one,
            "The larger of two *sums* was taken. A layer that waits for memory can't lend its arithmetic to another one: take the "
            "longer time in each layer, then add.",
        ),
        Mistake(counts_one_operation, "A multiplication with an addition counts as two operations."),
        Mistake(
            adds_both_times,
            "Computing and moving happen at the same time: the longer of the two counts, not their sum.",
        ),
        Mistake(
            takes_the_shorter_time, "The shorter of the two times was taken. A layer is finished when both are done."
        ),
        Mistake(
            reads_weights_for_each_image,
            "The weights are read once for the whole batch; here they are read again for each image.",
        ),
        Mistake(forgets_the_inputs, "Each layer also reads its input, which the layer before has written."),
        Mistake(moves_only_the_weights, "Inputs and outputs of a layer are moved too."),
        Mistake(counts_numbers_not_bytes, "The bandwidth is in bytes a second; these are counts of numbers."),
    ),
)


# --- half_mean -------------------------------------------------------------------------------------------------------------


def _half_cases(rng):
    yield Case("four rows", np.array([[1, 2], [3, 4], [5, 6], [7, 8]], dtype=np.float16))
    yield Case("5000 rows of numbers near 1", rng.uniform(0.5, 1.5, size=(5000, 3)).astype(np.float16))
    yield Case("2000 rows of numbers near 300", rng.normal(300, 20, size=(2000, 2)).astype(np.float16))
    yield Case("3000 rows of tiny numbers", rng.uniform(1e-4, 3e-4, size=(3000, 2)).astype(np.float16))


def _half_oracle(x):
    return x.astype(np.float64).mean(axis=0).astype(np.float16)


def _half_difference(expected, got):
    if isinstance(got, np.ndarray) and got.dtype.kind == "f" and got.dtype != np.float16:
        return Difference("wrong dtype", f"expected an array of float16, got {got.dtype}")
    return difference(expected, got, rtol=1e-3, atol=1e-7)


def sums_in_half_precision(x):
    with np.errstate(over="ignore"):
        total = np.zeros(x.shape[1], dtype=np.float16)
        for row in x:
            total = total + row
        return total / np.float16(len(x))


def divides_before_adding(x):
    total = np.zeros(x.shape[1], dtype=np.float16)
    for row in x:
        total = total + row / np.float16(len(x))
    return total


def forgets_to_divide(x):
    with np.errstate(over="ignore"):
        return x.astype(np.float32).sum(axis=0).astype(np.float16)


def returns_wide_numbers(x):
    return x.astype(np.float32).mean(axis=0)


def averages_the_rows(x):
    return x.astype(np.float32).mean(axis=1).astype(np.float16)


def moves_the_average_along(x):
    mean = np.zeros(x.shape[1], dtype=np.float16)
    for number, row in enumerate(x, start=1):
        mean = mean + (row - mean) / np.float16(number)
    return mean


HALF_MEAN = Exercise(
    name="half_mean",
    title="Repair: a mean that stands still",
    points=4,
    minutes=12,
    difficulty=3,
    hints=(
        "Print `total` every 500 rows for numbers near 1. What happens at 2048, and why?",
        "Only the inputs and the result have to be fp16. In which format should the sum be?",
    ),
    cases=_half_cases,
    oracle=_half_oracle,
    compare=_half_difference,
    mistakes=(
        Mistake(
            sums_in_half_precision,
            "The sum is still in half precision: it stands still as soon as half a step is more than what is added, or overflows.",
            "not finite",
            planted=True,
        ),
        Mistake(
            divides_before_adding,
            "Dividing first avoids the overflow, but now the tiny terms are rounded, and the sum of them is still rounded at each step.",
        ),
        Mistake(forgets_to_divide, "This is the sum. Divide while it is still in the wide format.", "not finite"),
        Mistake(
            returns_wide_numbers,
            "The mean is right and has become wider than the table. Only the sum has to be wide: convert the result to fp16.",
            "wrong dtype",
        ),
        Mistake(averages_the_rows, "This is the mean of each row; that of each column is asked for.", "wrong shape"),
        Mistake(
            moves_the_average_along,
            "A running mean does not overflow, but its steps become smaller than the rounding of the mean itself, and it stands still.",
        ),
    ),
)


# --- int8_product ----------------------------------------------------------------------------------------------------------


def _int8_cases(rng):
    yield Case("a small product", rng.normal(size=(2, 3)), rng.normal(size=(3, 2)))
    yield Case("sums of 200 terms", rng.uniform(0.2, 1, size=(3, 200)), rng.uniform(0.2, 1, size=(200, 4)))
    sizes = 10.0 ** rng.uniform(-2, 2, size=5)
    yield Case(
        "rows and columns of different size", rng.normal(size=(5, 8)) * sizes[:, None], rng.normal(size=(8, 5)) * sizes
    )
    x = rng.normal(size=(3, 6))
    x[1] = 0
    yield Case("a row of zeros", x, rng.normal(size=(6, 2)))


def _int8_oracle(X, W):
    """Entry by entry, with whole numbers of Python."""
    result = np.zeros((len(X), W.shape[1]))
    for i, row in enumerate(X):
        for j, column in enumerate(W.T):
            a, b = np.abs(row).max() or 1.0, np.abs(column).max() or 1.0
            steps = sum(int(np.rint(x * 127 / a)) * int(np.rint(w * 127 / b)) for x, w in zip(row, column, strict=True))
            result[i, j] = steps * a * b / 127**2
    return result


def _scaled(x, axis, largest=127, rounded=np.rint):
    size = np.abs(x).max(axis=axis, keepdims=True)
    scale = np.where(size > 0, size, 1) / largest
    return rounded(x / scale), scale


def adds_up_in_int8(X, W):
    (x, a), (w, b) = _scaled(X, 1), _scaled(W, 0)
    return (x.astype(np.int8) @ w.astype(np.int8)) * a * b


def adds_up_in_int16(X, W):
    (x, a), (w, b) = _scaled(X, 1), _scaled(W, 0)
    return (x.astype(np.int16) @ w.astype(np.int16)) * a * b


def takes_the_largest_value(X, W):
    a, b = X.max(axis=1, keepdims=True) / 127, W.max(axis=0, keepdims=True) / 127
    return (np.rint(X / np.where(a == 0, 1, a)) @ np.rint(W / b)) * a * b


def cuts_instead_of_rounding(X, W):
    (x, a), (w, b) = _scaled(X, 1, rounded=np.trunc), _scaled(W, 0, rounded=np.trunc)
    return (x @ w) * a * b


def one_scale_for_each_matrix(X, W):
    (x, a), (w, b) = _scaled(X, None), _scaled(W, None)
    return (x @ w) * a * b


def returns_whole_numbers(X, W):
    return _scaled(X, 1)[0] @ _scaled(W, 0)[0]


def does_not_round_at_all(X, W):
    return X @ W


def divides_by_zero(X, W):
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = np.abs(X).max(axis=1, keepdims=True) / 127, np.abs(W).max(axis=0, keepdims=True) / 127
        return (np.rint(X / a) @ np.rint(W / b)) * a * b


def scales_by_128(X, W):
    (x, a), (w, b) = _scaled(X, 1, largest=128), _scaled(W, 0, largest=128)
    return (np.clip(x, -128, 127) @ np.clip(w, -128, 127)) * a * b


INT8_PRODUCT = Exercise(
    name="int8_product",
    title="A matrix product with int8",
    points=6,
    minutes=25,
    difficulty=4,
    hints=(
        "One scale for each row of X, an array of shape (m, 1), and one for each column of W, of shape (1, n). "
        "`keepdims=True` keeps them so.",
        "The product of two int8 does not fit into an int8, and NumPy adds up in the type it is given. Convert before `@`.",
        "What is the scale of a row of zeros? Any positive number will do, since all its integers are 0.",
    ),
    cases=_int8_cases,
    oracle=_int8_oracle,
    rtol=1e-6,
    atol=1e-9,
    mistakes=(
        Mistake(
            adds_up_in_int8,
            "NumPy multiplied and added in int8, where 127 + 1 is -128. Sums of products need a wider integer.",
        ),
        Mistake(
            adds_up_in_int16,
            "NumPy multiplied and added in int16, which ends at 32,767: three products of 127 · 127 are more. Take a wider integer.",
        ),
        Mistake(
            takes_the_largest_value,
            "The scale was taken from the largest value, but a negative one may be larger in size: take the largest absolute value.",
        ),
        Mistake(
            cuts_instead_of_rounding, "Converting to an integer cuts off the fraction; round to the nearest first."
        ),
        Mistake(
            one_scale_for_each_matrix,
            "One scale serves the whole matrix, so that small rows next to large ones lose all their digits.",
        ),
        Mistake(returns_whole_numbers, "The integers were multiplied and the scales forgotten."),
        Mistake(
            does_not_round_at_all, "This is the exact product; the rounding to integers is what the exercise is about."
        ),
        Mistake(divides_by_zero, "A row of zeros has the scale 0, and the division gives NaN.", "not finite"),
        Mistake(
            scales_by_128,
            "The largest value was mapped to 128, which an int8 does not have, so that it is clipped. The symmetric range ends at 127.",
        ),
    ),
)


# --- predict_branches ------------------------------------------------------------------------------------------------------

THREE_WAYS = """
__global__ void three_ways(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (i % 4 == 0)
    y[i] = 2 * x[i];
  else if (i < 64)
    y[i] = x[i] + 1;
  else
    y[i] = -x[i];
}
"""


def _count_branches():
    from mlcourse.gpu import Kernel

    x = np.ones(150, dtype=np.float32)
    profile = Kernel(THREE_WAYS, "three_ways").profile[3, 64](x, np.empty_like(x), 150)
    stores = {line.line: line.requests for line in profile.lines if line.operation == "store"}
    last = [r for r in profile.trace if r.operation == "store" and (r.block, r.warp) == (2, 0)]
    straight = Kernel(
        THREE_WAYS.replace("if (i % 4 == 0)", "if (true)").replace("three_ways", "one_way"), "one_way"
    ).profile[3, 64](x, np.empty_like(x), 150)
    doubled, plus_one, negative = (stores[line] for line in sorted(stores))
    return {
        "doubled": doubled,
        "plus one": plus_one,
        "negative": negative,
        "no branch": sum(line.requests for line in straight.lines if line.operation == "store"),
        "lanes": len(min(last, key=lambda request: request.line).lanes),
    }


_BRANCHES = {"doubled": 5, "plus one": 2, "negative": 3, "no branch": 5, "lanes": 6}

PREDICT_BRANCHES = prediction_exercise(
    name="predict_branches",
    title="Predict: how often does a warp come along?",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Write down which elements the warps have: 0 … 31, 32 … 63, and so on, up to n. How many warps have an element at all?",
        "A warp comes along a line if at least one of its threads does. Go through the warps one by one.",
    ),
    questions={
        "doubled": "warps that store 2 * x[i]",
        "plus one": "warps that store x[i] + 1",
        "negative": "warps that store -x[i]",
        "no branch": "warps that store if all threads take the first way",
        "lanes": "lanes of warp 0 of block 2 that store 2 * x[i]",
    },
    counts=_count_branches,
    mistakes=(
        Mistake({**_BRANCHES, "doubled": 38}, "That is the number of threads that take this way. Count warps."),
        Mistake(
            {**_BRANCHES, "doubled": 6},
            "Six warps are started, but not all of them have an element: which numbers are left for the last one?",
        ),
        Mistake(
            {**_BRANCHES, "plus one": 1},
            "64 threads are two warps, and in both of them there are threads whose number is no multiple of 4.",
        ),
        Mistake({**_BRANCHES, "negative": 4}, "Four warps begin at 64 or later; one of these has no element."),
        Mistake(
            {**_BRANCHES, "no branch": 10},
            "If all threads go the same way, a warp stores once.",
        ),
        Mistake({**_BRANCHES, "lanes": 8}, "A full warp has 8 multiples of 4. This one has elements only up to n."),
        Mistake({**_BRANCHES, "lanes": 22}, "22 lanes have an element; not all of their numbers are multiples of 4."),
    ),
)


# --- leaky_rectifier -------------------------------------------------------------------------------------------------------


def _leaky_cases(rng):
    for label, n, block in (
        ("two full blocks", 256, 128),
        ("one block, one warp", 32, 32),
        ("a last block with gaps", 450, 96),
    ):
        x = rng.normal(size=n).astype(np.float32)
        yield launch(label, -(-n // block), block, x=x, y=empty(n), slope=0.1, n=n)
    x = rng.normal(size=1000).astype(np.float32)
    yield launch("another slope", 8, 128, x=x, y=empty(1000), slope=0.25, n=1000)


def _leaky(body):
    return f"""
__global__ void leaky_rectifier(const float* x, float* y, float slope, int n) {{
{body}
}}
"""


_INDEX = "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"

LEAKY_RECTIFIER = kernel_exercise(
    name="leaky_rectifier",
    title="A first kernel",
    points=5,
    minutes=15,
    difficulty=2,
    hints=(
        "Write the loop in Python first: for i in range(n): y[i] = x[i] if x[i] > 0 else slope * x[i]. The kernel is its body.",
        "Which thread has which i? The number of the block, times the threads of a block, plus the number in the block.",
        "The last block may have more threads than elements are left: they must do nothing.",
    ),
    cases=_leaky_cases,
    oracle=lambda x, y, slope, n: {"y": np.where(x > 0, x.astype(np.float64), np.float64(np.float32(slope)) * x)},
    most_sectors=3,
    mistakes=(
        Mistake(
            _leaky(_INDEX + "  y[i] = x[i] > 0 ? x[i] : slope * x[i];"),
            "The last block has more threads than elements are left, and they read and write beyond the ends of the arrays.",
            "out of bounds",
        ),
        Mistake(
            _leaky("  int i = threadIdx.x;\n  if (i < n) y[i] = x[i] > 0 ? x[i] : slope * x[i];"),
            "Every block works on the first elements: the number of the block is missing from the index.",
            "not written",
        ),
        Mistake(
            _leaky(_INDEX + "  if (i < n - 1) y[i] = x[i] > 0 ? x[i] : slope * x[i];"),
            "The last element is left out: the numbers go from 0 to n - 1, and n - 1 is one of them.",
            "not written",
        ),
        Mistake(
            _leaky(_INDEX + "  if (i < n && x[i] > 0) y[i] = x[i];"),
            "Negative numbers get no result at all; they should get slope times x.",
            "not written",
        ),
        Mistake(
            _leaky(_INDEX + "  if (i < n) y[i] = x[i] > 0 ? slope * x[i] : x[i];"),
            "The two branches are exchanged: positive numbers stay as they are.",
        ),
        Mistake(
            _leaky(_INDEX + "  if (i < n) y[i] = x[i] > 0 ? x[i] : 0;"),
            "This is the plain rectifier; below 0 the slope is to be applied.",
        ),
        Mistake(
            _leaky("  for (int i = 0; i < n; ++i) y[i] = x[i] > 0 ? x[i] : slope * x[i];"),
            "Every thread runs the whole loop, so that all of the work is done as often as there are threads. The threads are the loop: "
            "each should do one element.",
            "too many sectors",
        ),
        Mistake(
            _leaky(_INDEX + "  if (i == 0)\n    for (int k = 0; k < n; ++k) y[k] = x[k] > 0 ? x[k] : slope * x[k];"),
            "One thread does all the work in a loop while the others wait. Each thread should do one element.",
            "too many sectors",
        ),
    ),
)


# --- gpu_verdict -----------------------------------------------------------------------------------------------------------

GPU_VERDICT = Exercise(
    name="gpu_verdict",
    title="Would a GPU help?",
    points=8,
    minutes=45,
    difficulty=5,
    answer="manual",
    hints=(
        "For each step: how many operations, how many bytes at the least? Count arrays that are read once and arrays that are written.",
        "Measure each step, and compute the share of the roof that it reaches. A step far below its roof has another problem first.",
        "For the GPU, take the published roofs of the chapter, and add the way there and back if the data begin and end on the CPU.",
    ),
    rubric=(
        "Two points each. (1) Work and bytes of the three steps, counted with reasons (blur: about 2 · 3 operations a pixel and "
        "direction for the box, or what the code does; brightness; the product), and their intensities. (2) Measured times beside "
        "the roofline of the own machine, in turns, with the share of the roof, and a word on the steps that are far below it "
        "(NumPy makes passes and intermediate arrays, so that more bytes move than the least). (3) Limits on the GPU for each step "
        "and for the whole, by Amdahl's law, with and without the copies; which step dominates then. (4) A verdict that follows "
        "from the numbers, what would have to change for another one (many photographs, data that stay), and what the model leaves "
        "out. One point where a part is there without numbers."
    ),
)


EXERCISES = [
    AMDAHL_SPEEDUP,
    BREAK_EVEN,
    LOADS_PER_THREAD,
    BRANCH_INSTRUCTIONS,
    LEAKY_RECTIFIER,
    FLOAT_VALUE,
    NETWORK_SECONDS,
    HALF_MEAN,
    TO_BF16,
    INT8_PRODUCT,
    PREDICT_BRANCHES,
    GPU_VERDICT,
]
