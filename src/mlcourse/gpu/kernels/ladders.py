"""The ladders: for every kernel the launch configuration that its source asks for, and how its arguments are made from arrays."""

from __future__ import annotations

import numpy as np

from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.kernels.plans import Launch, Plan, Rung, Step, empty_like, zeros_like
from mlcourse.shapes import check_shapes

MOST = 2**31 - 2**24  # the kernels count in 32 bits, and look a little beyond the end
H200_MULTIPROCESSORS = 132  # a grid that fills the GPU is made for this one where there is none


def blocks_of(elements, per_block):
    """How many blocks cover so many elements.

    >>> blocks_of(1000, 256)
    4
    """
    return -(-elements // per_block)


def one_dimension(per_block, threads=256):
    """The launch of a kernel whose blocks take `per_block` elements each."""
    return lambda n, **_: Launch(max(1, blocks_of(n, per_block)), threads)


def any_grid(per_multiprocessor, per_block, threads=256):
    """The launch of a kernel that takes any grid: enough blocks to fill the GPU, or fewer if they suffice.

    >>> any_grid(8, 1024)(10**6, multiprocessors=2), any_grid(8, 1024)(5000)
    (Launch(grid=16, block=256, smem=0), Launch(grid=5, block=256, smem=0))
    """

    def launch(n, multiprocessors=H200_MULTIPROCESSORS):
        return Launch(max(1, min(blocks_of(n, per_block), per_multiprocessor * multiprocessors)), threads)

    return launch


def tiles(rows_per_block, cols_per_block, block, smem=0):
    """The launch of a kernel whose blocks take a tile each of a matrix."""
    return lambda rows, cols, *_: Launch(
        (blocks_of(cols, cols_per_block), blocks_of(rows, rows_per_block)), block, smem
    )


def a_block_a_row(rows, cols):
    """The launch of a kernel whose blocks take a row each."""
    return Launch(rows, 256)


def rungs(ladder, *rows):
    """Make the rungs of a ladder from rows of kernel, file, idea, launch and, for templates, instance."""
    return [
        Rung(ladder, kernel, file, idea, launch, *(instance or [lambda *sizes, name=kernel: name]))
        for kernel, file, idea, launch, *instance in rows
    ]


def exact_or_edges(kernel, *multiples):
    """The instance of a template <bool EDGES>: false if every size is a multiple of its number."""

    def instance(*sizes):
        edges = any(size % multiple for size, multiple in zip(sizes, multiples, strict=True))
        return f"{kernel}<{str(edges).lower()}>"

    return instance


def in_registers(kernel):
    """The instance of a template <int VECTORS, bool EDGES> that holds a row in the registers of 256 threads."""

    def instance(rows, cols):
        vectors = next((v for v in (1, 2, 4, 8, 16) if cols <= 1024 * v), None)
        if vectors is None:
            raise KernelError(
                f"{kernel} takes at most 16384 columns and came with {cols}\n  hint: use the rung before it"
            )
        return f"{kernel}<{vectors}, {str(cols % 4 != 0).lower()}>"

    return instance


ASYNC_STAGES, ASYNC_STAGE_BYTES = 3, 4 * 16 * (128 + 4 + 128)

LADDERS = {
    "copy": rungs(
        "copy",
        ("copy", "copy", "one element a thread", one_dimension(256)),
        ("copy_vectors", "copy", "sixteen bytes at a time, four times under way", one_dimension(4096)),
    ),
    "vector_add": rungs(
        "vector_add",
        ("vector_add", "vector_add", "one element a thread", one_dimension(256)),
        ("vector_add_grid_stride", "vector_add", "a grid of any size", any_grid(8, 256)),
        ("vector_add_vectors", "vector_add", "sixteen bytes at a time", one_dimension(2048)),
    ),
    "saxpy": rungs(
        "saxpy",
        ("saxpy", "saxpy", "one element a thread", one_dimension(256)),
        ("saxpy_vectors", "saxpy", "sixteen bytes at a time", one_dimension(2048)),
    ),
    "transpose": rungs(
        "transpose",
        ("transpose_naive", "transpose", "reads along rows, writes down columns", tiles(32, 32, (32, 8))),
        ("transpose_tiled", "transpose", "a tile turned in shared memory", tiles(32, 32, (32, 8))),
        ("transpose_padded", "transpose", "padding against bank conflicts", tiles(32, 32, (32, 8))),
        (
            "transpose_vectors",
            "transpose",
            "sixteen bytes at a time",
            tiles(64, 64, 256),
            exact_or_edges("transpose_vectors", 64, 64),
        ),
    ),
    "sum": rungs(
        "sum",
        ("sum_interleaved", "sum", "neighbors first", one_dimension(256)),
        ("sum_sequential", "sum", "working threads together", one_dimension(256)),
        ("sum_shuffles", "sum", "values between registers", one_dimension(256)),
        ("sum_vectors", "sum", "many elements a thread, sixteen bytes at a time", any_grid(8, 1024)),
        ("sum_one_pass", "sum", "the last block finishes", any_grid(8, 1024)),
    ),
    "scan": rungs(
        "scan",
        ("scan_hillis_steele", "scan", "every element adds one before it, log n times", one_dimension(256)),
        ("scan_blelloch", "scan", "up a tree and down again", one_dimension(256, threads=128)),
        ("scan_shuffles", "scan", "values between registers", one_dimension(256)),
        ("scan_look_back", "scan", "one pass over memory", one_dimension(4096)),
    ),
    "histogram": rungs(
        "histogram",
        ("histogram_global", "histogram", "atomics in global memory", one_dimension(256)),
        ("histogram_shared", "histogram", "counters of a block in shared memory", any_grid(8, 256)),
        ("histogram_warps", "histogram", "counters of a warp, sixteen bytes at a time", any_grid(8, 4096)),
        ("histogram_threads", "histogram", "counters of a thread, no atomics", any_grid(6, 2048, threads=128)),
    ),
    "matmul": rungs(
        "matmul",
        (
            "matmul_naive",
            "matmul_naive",
            "one element a thread",
            lambda m, n, k: Launch((blocks_of(m, 32), blocks_of(n, 32)), (32, 32)),
        ),
        ("matmul_coalesced", "matmul_coalesced", "neighbors along a row", tiles(32, 32, (32, 32))),
        ("matmul_tiled", "matmul_tiled", "tiles in shared memory", tiles(32, 32, (32, 32))),
        ("matmul_column", "matmul_column", "8 elements a thread", tiles(64, 64, 512)),
        ("matmul_square", "matmul_square", "8 x 8 elements a thread", tiles(128, 128, 256)),
        (
            "matmul_vectorized",
            "matmul_vectorized",
            "sixteen bytes at a time",
            tiles(128, 128, 256),
            exact_or_edges("matmul_vectorized", 128, 128, 8),
        ),
        (
            "matmul_warp",
            "matmul_warp",
            "a tile for each warp, 16 x 8 elements a thread",
            tiles(128, 128, 128),
            exact_or_edges("matmul_warp", 128, 128, 16),
        ),
        (
            "matmul_async",
            "matmul_async",
            "copies while it computes",
            tiles(128, 128, 128, ASYNC_STAGES * ASYNC_STAGE_BYTES),
            exact_or_edges("matmul_async", 128, 128, 16),
        ),
    ),
    "softmax": rungs(
        "softmax",
        ("softmax_three_passes", "softmax", "as the formula is written", a_block_a_row),
        ("softmax_online", "softmax", "maximum and sum in one pass", a_block_a_row),
        (
            "softmax_registers",
            "softmax",
            "the row stays in registers",
            a_block_a_row,
            in_registers("softmax_registers"),
        ),
    ),
    "layer_norm": rungs(
        "layer_norm",
        ("layer_norm_three_passes", "layer_norm", "as the formula is written", a_block_a_row),
        (
            "layer_norm_registers",
            "layer_norm",
            "the row stays in registers",
            a_block_a_row,
            in_registers("layer_norm_registers"),
        ),
    ),
    "adamw": rungs(
        "adamw",
        ("adamw", "adamw", "one parameter a thread", one_dimension(256)),
        ("adamw_vectors", "adamw", "sixteen bytes at a time", one_dimension(1024)),
    ),
}


def ladder(name):
    """Return the rungs of a ladder, slowest first.

    Parameters
    ----------
    name : str
        "copy", "vector_add", "saxpy", "transpose", "sum", "scan", "histogram", "matmul", "softmax", "layer_norm" or "adamw".

    Returns
    -------
    list of Rung

    Raises
    ------
    KeyError
        If there is no such ladder; the message lists them.
    """
    if name not in LADDERS:
        raise KeyError(f"no ladder is called {name!r}; there are {', '.join(LADDERS)}")
    return LADDERS[name]


def rung(kernel):
    """Return the rung with this kernel, such as "matmul_tiled".

    Raises
    ------
    KeyError
        If there is no such kernel; the message lists them.
    """
    rungs = {rung.kernel: rung for rungs in LADDERS.values() for rung in rungs}
    if kernel not in rungs:
        raise KeyError(f"no rung has a kernel called {kernel!r}; there are {', '.join(rungs)}")
    return rungs[kernel]


def plan(kernel, *arrays, **options):
    """Put together what a kernel needs to work on arrays.

    Parameters
    ----------
    kernel : str
        A rung, such as "matmul_tiled".
    *arrays : array
        What the work is done on, NumPy arrays or tensors, all in one place. copy: x; vector_add: a, b; saxpy: a number a, x, y;
        transpose: a matrix; sum, scan: x; histogram: bytes; matmul: A, B; softmax: a matrix; layer_norm: a matrix,
        weight, bias; adamw: p, g, m, v, changed in place.
    **options
        ``multiprocessors``: how many of them a grid that fills the GPU is for (default: those of the arrays' GPU, or of an H200).
        layer_norm: ``epsilon``. adamw: ``rate``, ``beta1``, ``beta2``, ``epsilon``, ``decay``, ``step``.

    Returns
    -------
    Plan
        ``plan.run()`` does the work and returns the result.

    Examples
    --------
    >>> plan("matmul_tiled", np.ones((100, 50), "float32"), np.ones((50, 70), "float32")).steps[0].launch
    Launch(grid=(3, 4), block=(32, 32), smem=0)
    """
    chosen = rung(kernel)
    return PLANS[chosen.ladder](chosen, *arrays, **options)


def _copy(rung, x):
    n = _count(x)
    out = empty_like(x)
    return Plan(_unless_empty(n, rung.step((x, out, n), n)), out)


def _vector_add(rung, a, b, **options):
    check_shapes(rung.kernel, a=(a, "n"), b=(b, "n"))
    n = _count(a)
    out = empty_like(a)
    return Plan(_unless_empty(n, rung.step((a, b, out, n), n, **_filling(a, options))), out)


def _saxpy(rung, a, x, y):
    check_shapes(rung.kernel, x=(x, "n"), y=(y, "n"))
    n = _count(x)
    return Plan(_unless_empty(n, rung.step((float(a), x, y, n), n)), y)


def _transpose(rung, x):
    rows, cols = check_shapes(rung.kernel, x=(x, "rows cols")).values()
    out = empty_like(x, (cols, rows))
    return Plan(_unless_empty(_count(x), rung.step((x, out, rows, cols), rows, cols)), out)


def _sum(rung, x, **options):
    options = _filling(x, options)
    if rung.kernel == "sum_one_pass":
        n = _count(x)
        sums, done, total = (
            empty_like(x, (rung.launch(n, **options).grid,)),
            zeros_like(x, (1,), "uint32"),
            empty_like(x, (1,)),
        )
        return Plan([rung.step((x, sums, done, total, n), n, **options)], total)
    steps = []
    while not steps or _count(x) > 1:
        n = _count(x)
        sums = empty_like(x, (rung.launch(n, **options).grid,))
        steps.append(rung.step((x, sums, n), n, **options))
        x = sums
    return Plan(steps, x)


def _scan(rung, x):
    n = _count(x)
    y = empty_like(x)
    blocks = rung.launch(n).grid
    if rung.kernel == "scan_look_back":
        state, ticket = zeros_like(x, (blocks,), "uint64"), zeros_like(x, (1,), "uint32")
        return Plan(_unless_empty(n, rung.step((x, y, state, ticket, n), n)), y, [state, ticket])
    totals = empty_like(x, (blocks,))
    steps = _unless_empty(n, rung.step((x, y, totals, n), n))
    if blocks > 1:
        scan_of_totals = _scan(rung, totals)
        steps += scan_of_totals.steps
        steps.append(Step("scan", "add_offsets", Launch(blocks, 256), (y, scan_of_totals.result, n)))
    return Plan(steps, y)


def _histogram(rung, x, **options):
    n = _count(x)
    counts = zeros_like(x, (256,), "uint32")
    return Plan(_unless_empty(n, rung.step((x, counts, n), n, **_filling(x, options))), counts, [counts])


def _matmul(rung, A, B):
    m, k, n = check_shapes(rung.kernel, A=(A, "M K"), B=(B, "K N")).values()
    C = empty_like(A, (m, n))
    for array in (A, B, C):
        _count(array)
    return Plan(_unless_empty(m * n, rung.step((A, B, C, m, n, k), m, n, k)), C)


def _softmax(rung, x):
    rows, cols = check_shapes(rung.kernel, x=(x, "rows cols")).values()
    y = empty_like(x)
    return Plan(_unless_empty(_count(x), rung.step((x, y, cols), rows, cols)), y)


def _layer_norm(rung, x, weight, bias, epsilon=1e-5):
    sizes = check_shapes(rung.kernel, x=(x, "rows cols"), weight=(weight, "cols"), bias=(bias, "cols"))
    rows, cols = sizes.values()
    y = empty_like(x)
    return Plan(_unless_empty(_count(x), rung.step((x, weight, bias, y, cols, epsilon), rows, cols)), y)


def _adamw(rung, p, g, m, v, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=1e-2, step=1):
    check_shapes(rung.kernel, p=(p, "n"), g=(g, "n"), m=(m, "n"), v=(v, "n"))
    n = _count(p)
    corrections = (1 / (1 - beta1**step), 1 / (1 - beta2**step))
    return Plan(_unless_empty(n, rung.step((p, g, m, v, rate, beta1, beta2, epsilon, decay, *corrections, n), n)), p)


PLANS = {
    "copy": _copy,
    "vector_add": _vector_add,
    "saxpy": _saxpy,
    "transpose": _transpose,
    "sum": _sum,
    "scan": _scan,
    "histogram": _histogram,
    "matmul": _matmul,
    "softmax": _softmax,
    "layer_norm": _layer_norm,
    "adamw": _adamw,
}


def _count(array):
    """The number of elements, which the kernels' counters must be able to hold."""
    n = int(np.prod(array.shape))
    if n > MOST:
        raise KernelError(
            f"the kernels count in 32 bits: an array has at most {MOST:,} elements, and one came with {n:,}"
        )
    return n


def _unless_empty(n, step):
    return [step] if n > 0 else []


def _filling(x, options):
    """The options of a launch; a grid that fills the GPU is for that of the array, if there is one."""
    if "multiprocessors" in options or isinstance(x, np.ndarray) or not x.is_cuda:
        return options
    import torch

    return options | {"multiprocessors": torch.cuda.get_device_properties(x.device).multi_processor_count}
