"""The checks of the chapter on first kernels."""

from itertools import product

import numpy as np

from mlcourse.grading import Case, Exercise, Mistake
from mlcourse.grading.kernels import (
    empty,
    hunt_exercise,
    kernel_exercise,
    launch,
    launch_exercise,
    prediction_exercise,
)
from mlcourse.grading.patterns import refusing


def _up(n, size):
    return -(-n // size)


def _many(n, what):
    return f"{n} {what}{'s' * (n != 1)}"


# --- owner_of --------------------------------------------------------------------------------------------------------------


def _owner_cases(rng):
    yield Case("the first element", 0, 256)
    yield Case("the last thread of the first block", 255, 256)
    yield Case("the first thread of the second block", 256, 256)
    yield Case("somewhere in the middle", int(rng.integers(1000, 5000)), int(rng.integers(2, 33)) * 32)
    yield Case("one thread in each block", int(rng.integers(2, 50)), 1)
    yield Case("a negative element", -3, 32, raises=ValueError)
    yield Case("blocks without threads", 5, 0, raises=ValueError)


def _owner_oracle(i, block):
    """Count, as the grid does."""
    threads = ((b, t) for b in range(i + 1) for t in range(block))
    return next(pair for number, pair in enumerate(threads) if number == i)


def _impossible_owner(i, block):
    return i < 0 or block < 1


@refusing(_impossible_owner)
def thread_and_block_exchanged(i, block):
    return i % block, i // block


@refusing(_impossible_owner)
def counts_from_one(i, block):
    return (i - 1) // block, (i - 1) % block


@refusing(_impossible_owner)
def number_in_the_grid(i, block):
    return i // block, i


@refusing(_impossible_owner)
def divides_with_a_fraction(i, block):
    return i / block, i % block


def refuses_nothing(i, block):
    return (i // block, i % block) if block else (0, 0)


OWNER_OF = Exercise(
    name="owner_of",
    title="Who handles this element?",
    points=3,
    minutes=5,
    difficulty=1,
    hints=(
        "Read the equation $i = bB + t$ backwards: $0 \\le t < B$.",
        "It is a division of whole numbers with remainder; the quotient is the block.",
    ),
    cases=_owner_cases,
    oracle=_owner_oracle,
    draws_with="numpy",
    mistakes=(
        Mistake(
            thread_and_block_exchanged,
            "The pair is exchanged: the quotient counts the whole blocks in front, the remainder is the place in the block.",
        ),
        Mistake(
            counts_from_one, "This is the owner of the element before: elements, blocks and threads all count from 0."
        ),
        Mistake(
            number_in_the_grid,
            "The second number is that of the element itself. A thread's number begins at 0 again in every block.",
        ),
        Mistake(
            divides_with_a_fraction,
            "The number of a block is whole. Divide with //, which leaves out the fraction.",
            "wrong type",
        ),
        Mistake(
            refuses_nothing,
            "There is no element before 0, and a block has at least one thread: raise ValueError.",
            "no error",
        ),
    ),
)


# --- image_sizes -----------------------------------------------------------------------------------------------------------

_NEGATIVE = """
__global__ void negative(const float* in, float* out, int h, int w) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < h && col < w) out[row * w + col] = 1.0f - in[row * w + col];
}"""


def _image_size_cases(rng):
    for h, w in (
        (64, 64),
        (8, 100),
        (100, 8),
        (1, 1),
        (2, 32_800),
        tuple(int(n) for n in rng.integers(33, 90, 2) * (1, 2) + 1),
    ):
        image = rng.random((h, w), np.float32)
        yield launch(f"{h} × {w:,} pixels", None, None, **{"in": image}, out=empty((h, w)), h=h, w=w)


def negative_oracle(out, h, w, **image):
    return {"out": 1 - image["in"].astype(np.float64)}


IMAGE_SIZES = launch_exercise(
    name="image_sizes",
    title="A grid for any image",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "Choose a block first, such as (32, 8), and round up along each axis.",
        "Sizes are given as (x, y). Which of rows and columns does the kernel take from x?",
    ),
    source=_NEGATIVE,
    kernel="negative",
    cases=_image_size_cases,
    oracle=negative_oracle,
    most_threads=4.0,
    mistakes=(
        Mistake(
            lambda h, w: ((max(w // 32, 1), max(h // 8, 1)), (32, 8)),
            "Your division rounds down, so that the pixels at the right and at the bottom have no thread.",
            "not written",
        ),
        Mistake(
            lambda h, w: ((_up(h, 32), _up(w, 8)), (32, 8)),
            "The axes are exchanged: the kernel takes the column from x, and the grid must be as wide as the image along x.",
            "launch",
        ),
        Mistake(
            lambda h, w: (1, (w, h)),
            "One block for the whole image: a block has at most 1024 threads.",
            "launch",
        ),
        Mistake(
            lambda h, w: ((32, 8), (_up(w, 32), _up(h, 8))),
            "Grid and block are exchanged. The block keeps its size, and the grid grows with the image.",
            "launch",
        ),
        Mistake(
            lambda h, w: ((w, h), (32, 8)),
            "You start a whole block for each pixel. The blocks of a grid together have one thread for each.",
            "launch",
        ),
        Mistake(
            lambda h, w: ((w / 32, h / 8), (32, 8)),
            "A number of blocks is whole: divide with //, and round up.",
            "wrong type",
        ),
    ),
)


# --- clip_values -----------------------------------------------------------------------------------------------------------


def _clip_cases(rng):
    for n, block in ((256, 128), (1000, 256), (1, 32), (int(rng.integers(300, 900)), 96)):
        x = rng.normal(size=n).astype(np.float32)
        yield launch(
            f"{_many(n, 'element')} in blocks of {block}",
            _up(n, block),
            block,
            x=x,
            out=empty(n),
            low=-0.5,
            high=1.0,
            n=n,
        )


_CLIP = """
__global__ void clip_values(const float* x, float* out, float low, float high, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  BODY
}"""


def clip_oracle(x, out, low, high, n):
    return {"out": np.clip(x, np.float32(low), np.float32(high))}


CLIP_VALUES = kernel_exercise(
    name="clip_values",
    title="Keep values in a range",
    points=4,
    minutes=8,
    difficulty=1,
    hints=(
        "The element's number is `blockIdx.x * blockDim.x + threadIdx.x`; not every thread has an element.",
        "`fminf` and `fmaxf` are C++'s minimum and maximum of two floats.",
    ),
    cases=_clip_cases,
    oracle=clip_oracle,
    most_sectors=4.0,  # a branch for each case stores three times, which is right here
    mistakes=(
        Mistake(
            _CLIP.replace("BODY", "out[i] = fminf(fmaxf(x[i], low), high);"),
            "The last block has more threads than elements are left, and they read and write as well: a guard is missing.",
            "out of bounds",
        ),
        Mistake(
            _CLIP.replace("BODY", "if (i <= n) out[i] = fminf(fmaxf(x[i], low), high);"),
            "Your guard lets one thread too many through: the last element has the number n - 1.",
            "out of bounds",
        ),
        Mistake(
            _CLIP.replace("blockIdx.x * blockDim.x + threadIdx.x", "threadIdx.x").replace(
                "BODY", "if (i < n) out[i] = fminf(fmaxf(x[i], low), high);"
            ),
            "Every block works on the same first elements: the number of the thread in its block is not its number in the grid.",
            "not written",
        ),
        Mistake(
            _CLIP.replace("BODY", "if (i < n) out[i] = fminf(fmaxf(x[i], high), low);"),
            "The two limits are exchanged, and so every result is the lower one.",
        ),
        Mistake(
            _CLIP.replace("BODY", "if (i < n) out[i] = fminf(x[i], high);"),
            "Values below the lower limit stay as they are.",
        ),
        Mistake(
            _CLIP.replace("BODY", "if (i < n && x[i] > low && x[i] < high) out[i] = x[i];"),
            "Elements outside of the range are never written, so that their places hold whatever was there before.",
            "not written",
        ),
        Mistake(
            _CLIP.replace("BODY", "for (int k = 0; k < n; ++k) out[k] = fminf(fmaxf(x[k], low), high);"),
            "The loop has come along: every thread handles all elements. Leave it out, and let each thread handle its own.",
            "too many sectors",
        ),
        Mistake(
            _CLIP.replace("BODY", "if (x[i] < low) out[i] = low; if (i < n) out[i] = fminf(fmaxf(x[i], low), high);"),
            "The guard comes too late: x[i] is read in front of it, also by the threads that have no element.",
            "out of bounds",
        ),
    ),
)


# --- mirror_image ----------------------------------------------------------------------------------------------------------


def _image_cases(name):
    def cases(rng):
        for (h, w), block in (
            ((8, 64), (32, 8)),
            ((5, 3), (4, 4)),
            ((1, 40), (32, 8)),
            (tuple(rng.integers(9, 60, 2)), (16, 8)),
        ):
            h, w = int(h), int(w)
            image = rng.random((h, w), np.float32)
            grid = _up(w, block[0]), _up(h, block[1])
            yield launch(f"{h} × {w} pixels", grid, block, image=image, out=empty((h, w)), h=h, w=w)

    cases.__name__ = name
    return cases


_MIRROR = """
__global__ void mirror_image(const float* image, float* out, int h, int w) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < h && col < w) out[row * w + col] = image[row * w + w - 1 - col];
}"""


def mirror_oracle(image, out, h, w):
    return {"out": image[:, ::-1]}


MIRROR_IMAGE = kernel_exercise(
    name="mirror_image",
    title="Left becomes right",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "x runs along the columns, y along the rows, and the pixel (row, col) lies at `row * w + col`.",
        "Which column comes to column 0? And to column w - 1?",
    ),
    cases=_image_cases("mirror"),
    oracle=mirror_oracle,
    mistakes=(
        Mistake(
            _MIRROR.replace(
                "col = blockIdx.x * blockDim.x + threadIdx.x", "row = blockIdx.x * blockDim.x + threadIdx.x"
            ).replace("row = blockIdx.y * blockDim.y + threadIdx.y", "col = blockIdx.y * blockDim.y + threadIdx.y"),
            "You take the row from x and the column from y. The grid is made for the other way round, and so pixels are left out.",
            "not written",
        ),
        Mistake(
            _MIRROR.replace("w - 1 - col", "w - col"),
            "You are one pixel too far to the right: column 0 gets the first pixel of the next row, and the last row has no next.",
            "out of bounds",
        ),
        Mistake(
            _MIRROR.replace("image[row * w + w - 1 - col]", "image[(h - 1 - row) * w + col]"),
            "The picture stands on its head: you mirror the rows and not the columns.",
        ),
        Mistake(
            _MIRROR.replace("image[row * w + w - 1 - col]", "image[h * w - 1 - (row * w + col)]"),
            "You run backwards through the whole memory, which turns the picture by half a turn.",
        ),
        Mistake(
            _MIRROR.replace("row * w", "row * h"),
            "A row is w pixels long, so that row number `row` begins at row * w. With row * h, rows lie on one another.",
            "out of bounds",
        ),
        Mistake(
            _MIRROR.replace("if (row < h && col < w) ", "if (row * w + col < h * w) "),
            "Your guard asks only whether the number of the pixel is small enough. A thread to the right of the picture passes it, "
            "and mirrors a column that does not exist.",
            "out of bounds",
        ),
        Mistake(
            _MIRROR.replace("if (row < h && col < w) ", "if (row < h || col < w) "),
            "The guard needs both conditions: a thread that is inside along one axis may be outside along the other.",
            "out of bounds",
        ),
    ),
)


# --- weighted_sum ----------------------------------------------------------------------------------------------------------


def _stride_cases(rng):
    for n, grid, block in ((1000, 2, 64), (2048, 1, 256), (5, 3, 32), (int(rng.integers(500, 2000)), 3, 96)):
        x, y = rng.normal(size=(2, n)).astype(np.float32)
        label = f"{n} elements, {grid * block} threads"
        yield launch(label, grid, block, a=2.0, x=x, b=-0.5, y=y, out=empty(n), n=n)


_STRIDE = """
__global__ void weighted_sum(float a, const float* x, float b, const float* y, float* out, int n) {
  int stride = gridDim.x * blockDim.x;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) out[i] = a * x[i] + b * y[i];
}"""


def weighted_oracle(a, x, b, y, out, n):
    return {"out": a * x.astype(np.float64) + b * y}


WEIGHTED_SUM = kernel_exercise(
    name="weighted_sum",
    title="Right for every grid",
    points=5,
    minutes=12,
    difficulty=2,
    hints=(
        "One thread may have to handle several elements. Which is its first one, and how far is it to its next?",
        "The next one is as far away as there are threads in the whole grid.",
    ),
    cases=_stride_cases,
    oracle=weighted_oracle,
    most_sectors=1.2,
    mistakes=(
        Mistake(
            """
__global__ void weighted_sum(float a, const float* x, float b, const float* y, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = a * x[i] + b * y[i];
}""",
            "One element for each thread: if the grid is smaller than the data, the rest is never written.",
            "not written",
        ),
        Mistake(
            _STRIDE.replace("gridDim.x * blockDim.x;", "gridDim.x;"),
            "You step by the number of blocks. Then several threads come to the same element, and only the number of all "
            "*threads* keeps them apart.",
            "too many sectors",
        ),
        Mistake(
            _STRIDE.replace("gridDim.x * blockDim.x;", "blockDim.x;"),
            "You step by the size of one block, and so every block walks over the elements of the next one as well.",
            "too many sectors",
        ),
        Mistake(
            _STRIDE.replace("blockIdx.x * blockDim.x + threadIdx.x; i < n", "threadIdx.x; i < n"),
            "All blocks begin with the same elements, and those of the other blocks are left out.",
            "not written",
        ),
        Mistake(
            """
__global__ void weighted_sum(float a, const float* x, float b, const float* y, float* out, int n) {
  int threads = gridDim.x * blockDim.x;
  int chunk = (n + threads - 1) / threads;
  int begin = (blockIdx.x * blockDim.x + threadIdx.x) * chunk;
  for (int i = begin; i < min(begin + chunk, n); ++i) out[i] = a * x[i] + b * y[i];
}""",
            "The result is right, but each thread walks through a piece of its own, so that the threads of a warp stand far apart.",
            "too many sectors",
        ),
    ),
)


# --- halve_image -----------------------------------------------------------------------------------------------------------


def _halve_cases(rng):
    odd = tuple(int(n) for n in 2 * rng.integers(5, 20, 2) + 1)
    for h, w in ((8, 32), (7, 10), (1, 1), odd):
        image = rng.random((h, w), np.float32)
        small = _up(h, 2), _up(w, 2)
        grid = _up(small[1], 16), _up(small[0], 8)
        yield launch(f"{h} × {w} pixels", grid, (16, 8), image=image, out=empty(small), h=h, w=w)


_HALVE = """
__global__ void halve_image(const float* image, float* out, int h, int w) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  int small_h = (h + 1) / 2, small_w = (w + 1) / 2;
  if (row >= small_h || col >= small_w) return;
  float total = 0.0f;
  int count = 0;
  for (int r = 2 * row; r < min(2 * row + 2, h); ++r)
    for (int c = 2 * col; c < min(2 * col + 2, w); ++c) {
      total += image[r * w + c];
      count += 1;
    }
  out[row * small_w + col] = total / count;
}"""


def halve_oracle(image, out, h, w):
    padded = np.full((2 * _up(h, 2), 2 * _up(w, 2)), np.nan)
    padded[:h, :w] = image
    return {"out": np.nanmean(padded.reshape(_up(h, 2), 2, _up(w, 2), 2), axis=(1, 3))}


HALVE_IMAGE = kernel_exercise(
    name="halve_image",
    title="An image of half the size",
    points=7,
    minutes=20,
    difficulty=3,
    hints=(
        "One thread for each pixel of the *result*. Which rows and columns of the image does it cover?",
        "The result has (h + 1) / 2 rows and (w + 1) / 2 columns, rounded down; its rows have another length than those of the image.",
        "At an odd edge only two pixels or one are there: let the loops end at h and w, and count what you add.",
    ),
    cases=_halve_cases,
    oracle=halve_oracle,
    mistakes=(
        Mistake(
            _HALVE.replace("total / count", "total / 4"),
            "At an odd edge there are fewer than four pixels. Dividing by four darkens them.",
        ),
        Mistake(
            _HALVE.replace("min(2 * row + 2, h)", "2 * row + 2").replace("min(2 * col + 2, w)", "2 * col + 2"),
            "If the number of rows is odd, the last thread reads a row that does not exist.",
            "out of bounds",
        ),
        Mistake(
            _HALVE.replace("out[row * small_w + col]", "out[row * w + col]"),
            "The rows of the result are shorter than those of the image: its index needs its own width.",
            "out of bounds",
        ),
        Mistake(
            _HALVE.replace("(h + 1) / 2, small_w = (w + 1) / 2", "h / 2, small_w = w / 2"),
            "Half of an odd number is rounded up here, so that the last row and column are not lost.",
            "not written",
        ),
        Mistake(
            _HALVE.replace("total / count", "image[2 * row * w + 2 * col]"),
            "You take one pixel of each group and forget the others: fine patterns then turn into false coarse ones.",
        ),
    ),
)


# --- row_blur --------------------------------------------------------------------------------------------------------------

_ROW_BLUR = """
__global__ void row_blur(const float* image, float* out, int h, int w) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row >= h || col >= w) return;
  int i = row * w + col;
  float left = image[LEFT], right = image[RIGHT];
  out[i] = (left + image[i] + right) / 3.0f;
}"""


def _row_blur(left, right):
    return _ROW_BLUR.replace("LEFT", left).replace("RIGHT", right)


def row_blur_oracle(image, out, h, w):
    from scipy.ndimage import uniform_filter1d

    return {"out": uniform_filter1d(image.astype(np.float64), 3, axis=1, mode="nearest")}


ROW_BLUR = kernel_exercise(
    name="row_blur",
    title="Repair a blur",
    points=5,
    minutes=12,
    difficulty=3,
    hints=(
        "Which element does the thread of row 0, column 0 read as its left neighbor? And that of row 1, column 0?",
        "The number of a pixel says nothing about the edge of its row; the column does.",
    ),
    cases=_image_cases("row_blur"),
    oracle=row_blur_oracle,
    mistakes=(
        Mistake(
            _row_blur("i - 1", "i + 1"),
            "At the beginning of a row the pixel before is the end of the row above, and the first pixel has none at all.",
            "out of bounds",
            planted=True,
        ),
        Mistake(
            _row_blur("max(i - 1, 0)", "min(i + 1, h * w - 1)"),
            "Nothing is read outside of the array any more, but at the edges a pixel is still mixed with another row. "
            "Limit the column and not the number of the pixel.",
        ),
        Mistake(
            _row_blur("row * w + max(col - 1, 0)", "i + 1"),
            "The left edge is right now, the right one not yet.",
            "out of bounds",
        ),
        Mistake(
            _row_blur("i", "i").replace(
                "image[i], right = image[i]", "col > 0 ? image[i - 1] : 0.0f, right = col < w - 1 ? image[i + 1] : 0.0f"
            ),
            "You take 0 for a pixel that is not there, which darkens the edges. The nearest pixel that is there is asked.",
        ),
        Mistake(
            _row_blur("i - 1", "i + 1").replace("row >= h || col >= w", "row >= h || col < 1 || col >= w - 1"),
            "The pixels at the edges are never written: they need a result, too.",
            "not written",
        ),
    ),
)


# --- count_inside ----------------------------------------------------------------------------------------------------------


def _inside_cases(rng):
    for n, block in ((256, 64), (1, 32), (int(rng.integers(400, 1500)), 128)):
        x, y = rng.random((2, n), np.float32) if n > 1 else np.float32([[0.6], [0.7]])
        yield launch(
            f"{_many(n, 'point')} in blocks of {block}",
            _up(n, block),
            block,
            x=x,
            y=y,
            count=np.zeros(1, np.int32),
            n=n,
        )
    corners = np.float32([[0, 1, 0, 1, 0.75, 0.5], [0, 0, 1, 1, 0.75, 0.5]])
    yield launch(
        "points on the circle, and a count from before", 1, 32, x=corners[0], y=corners[1], count=np.int32([10]), n=6
    )


_INSIDE = """
__global__ void count_inside(const float* x, const float* y, int* count, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  BODY
}"""


def inside_oracle(x, y, count, n):
    return {"count": count + np.count_nonzero(np.hypot(x.astype(np.float64), y) <= 1)}


COUNT_INSIDE = kernel_exercise(
    name="count_inside",
    title="Count points in a circle",
    points=5,
    minutes=12,
    difficulty=3,
    hints=(
        "All threads add to the same number. Is `*count += 1` one step?",
        "`atomicAdd(count, 1)` is.",
    ),
    cases=_inside_cases,
    oracle=inside_oracle,
    most_sectors=3.0,
    mistakes=(
        Mistake(
            _INSIDE.replace("BODY", "if (i < n && x[i] * x[i] + y[i] * y[i] <= 1.0f) *count += 1;"),
            "A plain += reads, adds and writes in three steps, and updates of other threads in between are lost.",
            "race",
        ),
        Mistake(
            _INSIDE.replace("BODY", "if (x[i] * x[i] + y[i] * y[i] <= 1.0f) atomicAdd(count, 1);"),
            "Threads without a point read beyond the end of the arrays: a guard is missing.",
            "out of bounds",
        ),
        Mistake(
            _INSIDE.replace("BODY", "if (i < n && x[i] * x[i] + y[i] * y[i] < 1.0f) atomicAdd(count, 1);"),
            "Points that lie exactly on the circle count, too.",
        ),
        Mistake(
            _INSIDE.replace("BODY", "if (i < n && x[i] + y[i] <= 1.0f) atomicAdd(count, 1);"),
            "x + y is at most 1 in a triangle. The distance from the origin needs squares.",
        ),
        Mistake(
            _INSIDE.replace("BODY", "if (i < n && x[i] * x[i] + y[i] * y[i] <= 1.0f) atomicAdd(&count[i], 1);"),
            "There is one counter for all points, and you give each thread one of its own, in memory that does not exist.",
            "out of bounds",
        ),
        Mistake(
            _INSIDE.replace("BODY", "if (i < n && x[i] * x[i] + y[i] * y[i] <= 1.0f) count++;"),
            "`count` is an address, and `count++` moves this thread's copy of it. What it points to is `*count`, or `count[0]`.",
        ),
        Mistake(
            _INSIDE.replace(
                "BODY", "if (i == 0) for (int k = 0; k < n; ++k) *count += x[k] * x[k] + y[k] * y[k] <= 1.0f;"
            ),
            "One thread counts, and all the others look on. Let each thread look at its own point.",
            "too many sectors",
        ),
    ),
)


# --- share_of_right_orders -------------------------------------------------------------------------------------------------


def _orders_cases(rng):
    yield Case("two threads, three steps", 2, 3)
    yield Case("one thread is always right", 1, int(rng.integers(2, 9)))
    yield Case("two threads, two steps", 2, 2)
    yield Case("three threads, two steps", 3, 2)
    yield Case("three threads, three steps", 3, 3)
    yield Case("one step is atomic", 3, 1)
    yield Case("no thread", 0, 3, raises=ValueError)
    yield Case("no step", 2, 0, raises=ValueError)


def _orders_oracle(threads, steps):
    """Write down all orders, and look whether each thread's steps stand together."""
    orders = {order for order in product(range(threads), repeat=threads * steps) if _complete(order, threads, steps)}
    right = sum(all(len(set(order[k : k + steps])) == 1 for k in range(0, len(order), steps)) for order in orders)
    return right / len(orders)


def _complete(order, threads, steps):
    return all(order.count(thread) == steps for thread in range(threads))


def _impossible_orders(threads, steps):
    return threads < 1 or steps < 1


@refusing(_impossible_orders)
def forgets_the_serial_orders(threads, steps):
    from math import factorial

    return factorial(steps) ** threads / factorial(threads * steps)


@refusing(_impossible_orders)
def steps_in_any_order(threads, steps):
    from math import factorial

    return factorial(threads) / factorial(threads * steps)


@refusing(_impossible_orders)
def always_three_steps(threads, steps):
    from math import factorial

    return factorial(threads) * 6**threads / factorial(3 * threads)


@refusing(_impossible_orders)
def right_orders_alone(threads, steps):
    from math import factorial

    return float(factorial(threads))


@refusing(_impossible_orders)
def wrong_orders_instead(threads, steps):
    from math import factorial

    return 1 - factorial(threads) * factorial(steps) ** threads / factorial(threads * steps)


def refuses_no_orders(threads, steps):
    from math import factorial

    return factorial(threads) * factorial(steps) ** threads / factorial(threads * steps)


SHARE_OF_RIGHT_ORDERS = Exercise(
    name="share_of_right_orders",
    title="How many orders are right?",
    points=6,
    minutes=15,
    difficulty=4,
    hints=(
        "Repeat the count of the theorem with s steps in place of three: the steps of one thread keep their order.",
        "Right are the orders in which the threads run one after the other.",
        "Out of $(sk)!/(s!)^k$ orders $k!$ are right.",
    ),
    cases=_orders_cases,
    oracle=_orders_oracle,
    mistakes=(
        Mistake(
            forgets_the_serial_orders,
            "This is the share of a single order. The threads may run one after the other in any sequence.",
        ),
        Mistake(
            steps_in_any_order,
            "You count arrangements in which a thread writes before it has read. The steps of a thread keep their order.",
        ),
        Mistake(always_three_steps, "Each thread takes `steps` steps, which need not be three."),
        Mistake(right_orders_alone, "This is the number of right orders. Divide it by the number of all orders."),
        Mistake(wrong_orders_instead, "This is the share of the orders that lose an update."),
        Mistake(
            refuses_no_orders,
            "Without threads or without steps there is nothing to put into an order: raise ValueError.",
            "no error",
        ),
    ),
)


# --- launch_counts ---------------------------------------------------------------------------------------------------------

_FILL = """
__global__ void line(float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = 1.0f;
}

__global__ void walk(int* turns, int n) {
  int mine = 0;
  int stride = gridDim.x * blockDim.x;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) mine += 1;
  turns[blockIdx.x * blockDim.x + threadIdx.x] = mine;
}

__global__ void rows(float* out, int h, int w) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < h && col < w) out[row * w + col] = 1.0f;
}

__global__ void columns(float* out, int h, int w) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  int col = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < h && col < w) out[row * w + col] = 1.0f;
}"""


def launch_counts_oracle():
    """Let the executor count."""
    from mlcourse.gpu import Kernel

    def stored(kernel, grid, block, *arguments):
        profile = Kernel(_FILL, kernel).profile[grid, block](*arguments)
        return next(line for line in profile.lines if line.operation == "store")

    turns, image = np.zeros(5 * 64, np.int32), np.zeros((64, 64), np.float32)
    Kernel(_FILL, "walk")[5, 64](turns, 1003)
    busy = stored("line", 6, 192, np.zeros(1000, np.float32), 1000)
    return {
        "idle": 6 * 192 - busy.bytes // busy.size,
        "warps": stored("line", 21, 48, np.zeros(1000, np.float32), 1000).requests,
        "turns": int(turns.max()),
        "rows": stored("rows", (2, 8), (32, 8), image, 64, 64).transfers,
        "columns": stored("columns", (2, 8), (32, 8), image, 64, 64).transfers,
    }


_RIGHT_COUNTS = {"idle": 152, "warps": 42, "turns": 4, "rows": 512, "columns": 4096}

LAUNCH_COUNTS = prediction_exercise(
    name="launch_counts",
    title="Predict before you measure",
    points=5,
    minutes=12,
    difficulty=3,
    hints=(
        "Draw the last block of each launch. How many threads are there, and how many have an element?",
        "48 threads are one and a half warps, and a warp executes an instruction whether 32 of its threads need it or one.",
        "A sector holds 8 floats. How many sectors do 32 neighbors of a row touch, and how many 32 neighbors of a column?",
    ),
    questions={
        "idle": "threads without an element: 1000 elements in blocks of 192",
        "warps": "warps that execute the store: 1000 elements in blocks of 48",
        "turns": "turns of the busiest thread: a grid-stride loop over 1003 elements, 5 blocks of 64",
        "rows": "sectors written: 64 × 64 floats, x along the columns",
        "columns": "sectors written: 64 × 64 floats, x along the rows",
    },
    counts=launch_counts_oracle,
    mistakes=(
        Mistake(
            {**_RIGHT_COUNTS, "idle": 40},
            "192 − 152 = 40 threads of the last block *have* an element. Asked is how many have none.",
        ),
        Mistake(
            {**_RIGHT_COUNTS, "warps": 32},
            "1000/32 warps would do if warps reached across blocks. Each block begins a warp of its own.",
        ),
        Mistake(
            {**_RIGHT_COUNTS, "turns": 3},
            "You rounded 1003/320 down. The elements that are left need one more turn of some threads.",
        ),
        Mistake(
            {**_RIGHT_COUNTS, "rows": 128},
            "That is one sector for each warp. 32 floats are 128 bytes, which is four sectors.",
        ),
        Mistake(
            {**_RIGHT_COUNTS, "columns": 512},
            "The bytes are the same, their places are not: neighbors in a column lie 256 bytes apart, each in a sector of its own.",
        ),
    ),
)


# --- find_faults -----------------------------------------------------------------------------------------------------------

HUNTED = {
    "a": """__global__ void difference(const float* x, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float next = x[i + 1];
  out[i] = next - x[i];
}""",
    "b": """__global__ void shift(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i + 1 < n) {
    float next = x[i + 1];
    x[i] = next;
  }
}""",
    "c": """__global__ void squares(const float* x, float* out, int n) {
  int first = blockIdx.x * blockDim.x + threadIdx.x;
  for (int i = first; i < n; i += gridDim.x * blockDim.x) {
    float value = x[i];
    out[i] = value * value;
  }
}""",
    "d": """__global__ void maximum(const float* x, float* largest, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float mine = x[i];
    if (mine > *largest)
      *largest = mine;
  }
}""",
    "e": """__global__ void running(const float* x, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float old = out[i];
    out[i] = old + x[i];
  }
}""",
}


def hunted_kernels():
    """Return each kernel with its name and its launch."""
    x = np.arange(100, dtype=np.float32)
    return {
        "a": (HUNTED["a"], "difference", launch("a", 4, 32, x=x, out=empty(100), n=100)),
        "b": (HUNTED["b"], "shift", launch("b", 4, 32, x=x.copy(), n=100)),
        "c": (HUNTED["c"], "squares", launch("c", 2, 32, x=x, out=empty(100), n=100)),
        "d": (HUNTED["d"], "maximum", launch("d", 4, 32, x=x, largest=np.zeros(1, np.float32), n=100)),
        "e": (HUNTED["e"], "running", launch("e", 4, 32, x=x, out=empty(100), n=100)),
    }


_RIGHT_FAULTS = {"a": ("out of bounds", 4), "b": ("race", 5), "c": None, "d": ("race", 6), "e": ("uninitialized", 4)}

FIND_FAULTS = hunt_exercise(
    name="find_faults",
    title="Five kernels, four faults",
    points=6,
    minutes=15,
    difficulty=4,
    hints=(
        "For each kernel, write down what the threads 0, 1 and n − 1 read and write.",
        "Does any thread read what another one writes? Does any thread read what nobody has written?",
    ),
    kernels=hunted_kernels(),
    mistakes=(
        Mistake(
            {**_RIGHT_FAULTS, "a": None},
            "One of the kernels has a guard for the threads and none for their neighbors: look at the last element.",
        ),
        Mistake(
            {**_RIGHT_FAULTS, "b": None},
            "In one of the kernels, threads overwrite what their neighbors still have to read.",
        ),
        Mistake(
            {**_RIGHT_FAULTS, "c": ("race", 5)},
            "A grid-stride loop gives each element to exactly one thread: that kernel is right.",
        ),
        Mistake(
            {**_RIGHT_FAULTS, "d": None},
            "Between the comparison and the assignment another thread may have written something larger.",
        ),
        Mistake(
            {**_RIGHT_FAULTS, "e": None},
            "The output array holds nothing before the launch, and one of the kernels adds to it.",
        ),
    ),
)


# --- filter_report ---------------------------------------------------------------------------------------------------------

FILTER_REPORT = Exercise(
    name="filter_report",
    title="A filter of your own",
    points=8,
    minutes=45,
    difficulty=5,
    hints=(
        "Begin with the plain loop on 20 × 30 pixels, and compare your kernel with it before anything else.",
        "An odd size, such as 101 × 67, and `outputs=` bring most faults of borders to light.",
    ),
    answer="manual",
    rubric=(
        "2 points: a kernel that does something that the chapter does not, with a guard and a stated rule at the border. "
        "2 points: it is compared with a loop or a library on an odd size, and the checker's verdict is given. "
        "2 points: a question about the picture is answered by a number beside that of a baseline. "
        "2 points: the uncertainty of this number is given, with what was drawn again, and what it does not cover."
    ),
)

EXERCISES = [
    OWNER_OF,
    CLIP_VALUES,
    IMAGE_SIZES,
    MIRROR_IMAGE,
    WEIGHTED_SUM,
    ROW_BLUR,
    COUNT_INSIDE,
    LAUNCH_COUNTS,
    HALVE_IMAGE,
    SHARE_OF_RIGHT_ORDERS,
    FIND_FAULTS,
    FILTER_REPORT,
]
