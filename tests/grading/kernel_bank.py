"""A set of exercises on kernels, for tests, and an example of each kind: write one, mend one, predict counts, find faults, choose sizes."""

import numpy as np

from mlcourse.grading import Mistake
from mlcourse.grading.kernels import (
    counts_of,
    empty,
    hunt_exercise,
    kernel_exercise,
    launch,
    launch_exercise,
    prediction_exercise,
)


def _saxpy_cases(rng):
    for n, block in ((256, 128), (1, 32), (int(rng.integers(300, 1000)), 96)):
        x, y = rng.normal(size=(2, n)).astype(np.float32)
        yield launch(f"n = {n} in blocks of {block}", -(-n // block), block, a=1.5, x=x, y=y, n=n)


_SAXPY = """
__global__ void saxpy(float a, const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  BODY
}"""

SAXPY = kernel_exercise(
    name="saxpy",
    title="Scale and add",
    points=4,
    minutes=10,
    difficulty=2,
    hints=("Each thread computes one element.", "What do the threads of the last block do that have no element?"),
    cases=_saxpy_cases,
    oracle=lambda a, x, y, n: {"y": a * x.astype(np.float64) + y},
    most_sectors=1.05,
    mistakes=(
        Mistake(
            _SAXPY.replace("BODY", "y[i] = a * x[i] + y[i];"),
            "The last block has more threads than there are elements left, and these threads read and write too.",
            "out of bounds",
        ),
        Mistake(
            _SAXPY.replace("BODY", "if (i <= n) y[i] = a * x[i] + y[i];"),
            "Your guard lets one thread too many through: the elements are numbered from 0.",
            "out of bounds",
        ),
        Mistake(_SAXPY.replace("BODY", "if (i < n) y[i] = a * x[i];"), "You replace y where you should add to it."),
        Mistake(
            _SAXPY.replace("blockIdx.x * blockDim.x + threadIdx.x", "blockIdx.x + gridDim.x * threadIdx.x").replace(
                "BODY", "if (i < n) y[i] = a * x[i] + y[i];"
            ),
            "The result is right, but neighboring threads of a warp work on elements that lie far apart.",
            "too many sectors",
        ),
    ),
)


def _sum_cases(rng):
    for n in (64, 1, 1000, int(rng.integers(100, 600))):
        x = rng.normal(size=n).astype(np.float32)
        yield launch(f"n = {n}", -(-n // 128), 128, x=x, partial=empty(-(-n // 128)), n=n)


_SUM = """
__global__ void block_sum(const float* x, float* partial, int n) {
  __shared__ float s[128];
  int t = threadIdx.x, i = blockIdx.x * 128 + t;
  s[t] = i < n ? x[i] : 0.0f;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (t < step) s[t] += s[t + step];
    __syncthreads();
  }
  if (t == 0) partial[blockIdx.x] = s[0];
}"""
_RACE = _SUM.replace("    __syncthreads();\n  }", "  }")

_BARRIER_INSIDE = _SUM.replace(
    "    if (t < step) s[t] += s[t + step];\n    __syncthreads();",
    "    if (t < step) {\n      s[t] += s[t + step];\n      __syncthreads();\n    }",
)
_FULL_BLOCKS = _SUM.replace("if (t == 0) partial", "if (t == 0 && blockIdx.x * 128 + 128 <= n) partial")

BLOCK_SUM = kernel_exercise(
    name="block_sum",
    title="Mend a sum",
    points=6,
    minutes=15,
    difficulty=3,
    hints=("Who reads what the other half of the threads has just written?",),
    cases=_sum_cases,
    oracle=lambda x, partial, n: {"partial": [x[k : k + 128].astype(np.float64).sum() for k in range(0, n, 128)]},
    most_bank_passes=1.0,
    mistakes=(
        Mistake(_RACE, "A thread adds what its neighbor may not have written yet.", "race", planted=True),
        Mistake(
            _BARRIER_INSIDE,
            "Not all threads of the block come to your barrier: it stands inside the if.",
            "early exit",
        ),
        Mistake(_SUM.replace("step > 0", "step > 1"), "The loop ends before the last two values are added."),
        Mistake(_SUM.replace("i < n ? x[i] : 0.0f", "x[i]"), "The last block reads elements that do not exist.", "out of bounds"),
        Mistake(_FULL_BLOCKS, "A block that is not full writes no sum.", "not written"),
    ),
)  # fmt: skip

_STRIDED = """
__global__ void strided_copy(const float* x, float* out, int n, int stride) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = x[i * stride];
}"""


def _strided_counts():
    case = launch("n = 1024, stride 4", 8, 128, x=np.zeros(4096, np.float32), out=empty(1024), n=1024, stride=4)
    counts = counts_of(_STRIDED, "strided_copy", case)
    return {"read": counts["sectors read"], "written": counts["sectors written"]}


STRIDED = prediction_exercise(
    name="strided_sectors",
    title="Predict the sectors of a strided copy",
    points=2,
    minutes=5,
    difficulty=2,
    hints=("How many of the 8 values of a sector does a warp use?",),
    questions={"read": "sectors that are read", "written": "sectors that are written"},
    counts=_strided_counts,
    mistakes=(
        Mistake(
            {"read": 128, "written": 128},
            "You count only the bytes that the threads ask for, but whole sectors are moved.",
        ),
        Mistake({"read": 1024, "written": 128}, "You count a sector for each thread; two threads share one here."),
        Mistake({"read": 4096, "written": 1024}, "These are bytes, or elements: a sector holds 32 bytes."),
    ),
)

_REVERSE = """
__global__ void reverse(const float* x, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = x[n - i];
}"""


def _sum_launch(n=200):
    return launch(f"n = {n}", 2, 128, x=np.ones(n, np.float32), partial=empty(2), n=n)


HUNT = hunt_exercise(
    name="faults",
    title="Find the faults",
    points=3,
    minutes=10,
    difficulty=3,
    hints=("Write down which elements thread 0 and the last thread touch.",),
    kernels={
        "sum": (_RACE, "block_sum", _sum_launch()),
        "reverse": (_REVERSE, "reverse", launch("n = 100", 1, 128, x=np.ones(100, np.float32), out=empty(100), n=100)),
        "sound": (_SUM, "block_sum", _sum_launch()),
    },
    mistakes=(
        Mistake({"sum": None, "reverse": ("out of bounds", 4), "sound": None}, "A barrier is missing in one of them."),
        Mistake({"sum": ("race", 8), "reverse": None, "sound": None}, "Put i = 0 into the index."),
        Mistake(
            {"sum": ("race", 8), "reverse": ("out of bounds", 4), "sound": ("race", 8)}, "One of the kernels is right."
        ),
    ),
)


def _reverse_sizes(n):
    return n // 128, 128


LAUNCH = launch_exercise(
    name="sizes",
    title="Choose the sizes of a launch",
    points=2,
    minutes=5,
    difficulty=1,
    hints=("Round up.",),
    source=_SAXPY.replace("BODY", "if (i < n) y[i] = a * x[i] + y[i];"),
    kernel="saxpy",
    cases=lambda rng: [
        launch(f"n = {n}", None, None, a=2.0, x=np.ones(n, np.float32), y=np.ones(n, np.float32), n=n)
        for n in (128, 1000, int(rng.integers(1100, 2000)))
    ],
    oracle=lambda a, x, y, n: {"y": a * x + y},
    mistakes=(
        Mistake(lambda a, n: (n // 128, 128), "Your division rounds down, so that the last elements have no thread."),
        Mistake(lambda a, n: (n, 128), "You start 128 threads for each element.", "launch"),
        Mistake(lambda a, n: (n / 128, 128), "A number of blocks is whole: divide with //.", "wrong type"),
        Mistake(lambda a, n: (1, n), "One block cannot hold that many threads.", "launch"),
    ),
)

EXERCISES = [SAXPY, BLOCK_SUM, STRIDED, HUNT, LAUNCH]

SOLUTIONS = {
    "saxpy": _SAXPY.replace("BODY", "if (i < n) y[i] = a * x[i] + y[i];"),
    "block_sum": _SUM,
    "strided_sectors": {"read": 512, "written": 128},
    "faults": {"sum": ("race", 8), "reverse": ("out-of-bounds", 4), "sound": None},
    "sizes": lambda a, n: (-(-n // 128), 128),
}
