"""Pictures of first kernels: which thread handles which element, idle threads, tiles, reads, walks, lost updates, two timelines.

What threads do is taken from the trace of a profile, so that the pictures show what the executor saw.
"""

from __future__ import annotations

import textwrap
from itertools import pairwise

import numpy as np
from matplotlib.patches import Rectangle

from mlcourse.display.python import canvas
from mlcourse.display.style import COLORS, GRID, INK, PAPER
from mlcourse.display.timing import run_in_turns
from mlcourse.gpu.interleaving import run_interleaving

__all__ = [
    "draw_blocks",
    "draw_interleaving",
    "draw_reads",
    "draw_tiles",
    "draw_timelines",
    "draw_walk",
    "draw_warps",
    "interleaved_times",
    "ratio_interval",
    "threads_at_work",
    "wrapped",
]

WARP = 32
_WORK = np.dtype([("block", int), ("thread", int), ("turn", int), ("element", int)])


def threads_at_work(profile, array, operation="store"):
    """Return which thread touched which element of an array.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
        Of a launch so small that its trace is complete.
    array : str
        The array, as the kernel names it.
    operation : {"load", "store", "atomic"}
        What the threads did.

    Returns
    -------
    ndarray of shape (accesses,)
        With the fields block, thread (its number in the block), turn (how often this thread did the same before) and element.

    Raises
    ------
    ValueError
        If the profile holds nothing of the kind, or only a part of it.

    Examples
    --------
    >>> from mlcourse.gpu import Kernel
    >>> fill = Kernel("__global__ void fill(float* x) { x[blockIdx.x * blockDim.x + threadIdx.x] = 1; }", "fill")
    >>> profile = fill.profile[2, 3](np.empty(6, np.float32))
    >>> threads_at_work(profile, "x")[["block", "thread", "element"]].tolist()
    [(0, 0, 0), (0, 1, 1), (0, 2, 2), (1, 0, 3), (1, 1, 4), (1, 2, 5)]
    """
    lines = [line for line in profile.lines if (line.array, line.operation) == (array, operation)]
    requests = [request for request in profile.trace if (request.array, request.operation) == (array, operation)]
    if not lines:
        known = sorted({(line.array, line.operation) for line in profile.lines})
        raise ValueError(f"threads_at_work: {profile.kernel} has no {operation} of {array!r}; it has {known}")
    if len(requests) < sum(line.requests for line in lines):
        raise ValueError("threads_at_work: the trace is not complete; profile with trace=1000, or launch fewer threads")
    rows, turns = [], {}
    for request in requests:
        for lane, offset in zip(request.lanes, request.offsets, strict=True):
            worker = request.block, request.warp * WARP + int(lane)
            turns[worker] = turns.get(worker, -1) + 1
            rows.append((*worker, turns[worker], offset // request.size))
    return np.array(rows, _WORK)


def wrapped(message, width=76):
    """Return a message of the executor with its long lines wrapped, each at its own indentation.

    Parameters
    ----------
    message : object
        A report, an error, or a text.
    width : int
        The longest line, in characters.

    Returns
    -------
    str

    Examples
    --------
    >>> print(wrapped("1. race\\n   thread 1 of block 0 reads what thread 0 writes", width=30))
    1. race
       thread 1 of block 0 reads
       what thread 0 writes
    """
    lines = []
    for line in str(message).splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, width, subsequent_indent=indent, drop_whitespace=True) or [""]
    return "\n".join(lines)


def interleaved_times(functions, *, repeats=21):
    """Time functions in turn and keep every run, to see how much the times scatter.

    Parameters
    ----------
    functions : dict of str to callable
        Name and function without arguments; each is called once before the clock runs.
    repeats : int
        Rounds; every round calls each function once.

    Returns
    -------
    dict of str to ndarray of shape (repeats,)
        Seconds.

    Examples
    --------
    >>> interleaved_times({"nothing": lambda: None}, repeats=3)["nothing"].shape
    (3,)
    """
    for function in functions.values():
        function()
    return {name: np.array(values) for name, values in run_in_turns(functions, repeats).items()}


def ratio_interval(times, reference, *, rng, draws=2000, level=0.95):
    """Return the ratio of two medians with a bootstrap interval.

    Runs of the same round are drawn together, for a busy moment of the machine slows both.

    Parameters
    ----------
    times, reference : ndarray of shape (runs,)
        Seconds, taken in turn.
    rng : numpy.random.Generator
    draws : int
        How often the runs are drawn again.
    level : float
        The share of draws that lie in the interval.

    Returns
    -------
    tuple of float
        The ratio, and the lower and upper end of the interval.

    Examples
    --------
    >>> ratio_interval(np.full(5, 0.3), np.full(5, 0.1), rng=np.random.default_rng(0))
    (3.0, 3.0, 3.0)
    """
    rows = rng.integers(0, len(times), (draws, len(times)))
    ratios = np.median(times[rows], axis=1) / np.median(reference[rows], axis=1)
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return tuple(round(float(value), 12) for value in (np.median(times) / np.median(reference), low, high))


def _box(ax, x, y, color=None, *, text="", idle=False, width=1, height=1, size=9):
    if color is not None:
        ax.add_patch(Rectangle((x, y), width, height, facecolor=COLORS[color % len(COLORS)], alpha=0.28, linewidth=0))
    edge = {"edgecolor": GRID, "linewidth": 0.8, "hatch": "////"} if idle else {"edgecolor": INK, "linewidth": 1.1}
    ax.add_patch(Rectangle((x, y), width, height, fill=False, zorder=2 if idle else 3, **edge))
    behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5} if idle and text else None
    ax.text(x + width / 2, y + height / 2 + 0.03, text, ha="center", va="center", fontsize=size, zorder=5, bbox=behind)


def _note(ax, x, y, text, *, ha="center", size=9.5):
    ax.text(x, y, text, ha=ha, va="center", fontsize=size)


def draw_blocks(ax, work, grid, block, *, name="i"):
    """Draw a row for each block and a box for each thread, with the element that the thread handles.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    work : ndarray
        What `threads_at_work` returns, with one turn.
    grid, block : int
        Blocks, and threads of a block; threads that touched nothing are hatched.
    name : str
        What the element's number is called.
    """
    canvas(ax, block + 0.1, grid + 0.15, left=-2.9, top=-1.1)
    _note(ax, -0.2, -0.35, "threadIdx.x", ha="right")
    for thread in range(block):
        _note(ax, thread + 0.5, -0.35, str(thread))
    handled = {(row["block"], row["thread"]): row["element"] for row in work}
    for number in range(grid):
        _note(ax, -0.2, number + 0.5, f"blockIdx.x = {number}", ha="right")
        for thread in range(block):
            element = handled.get((number, thread))
            if element is None:
                _box(ax, thread, number + 0.06, idle=True, height=0.88)
            else:
                _box(ax, thread, number + 0.06, number, text=f"{name}={element}", height=0.88)


def draw_warps(ax, work, grid, block):
    """Draw a row for each block and a box for each warp, filled as far as its threads have work.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    work : ndarray
        What `threads_at_work` returns.
    grid, block : int
        Blocks, and threads of a block, a multiple of 32.
    """
    warps = block // WARP
    canvas(ax, warps + 0.05, grid + 0.1, left=-1.25, top=-0.7)
    _note(ax, -0.12, -0.3, "warp", ha="right")
    for warp in range(warps):
        _note(ax, warp + 0.5, -0.3, str(warp), size=9)
    for number in range(grid):
        _note(ax, -0.12, number + 0.5, f"block {number}", ha="right")
        for warp in range(warps):
            here = (work["block"] == number) & (work["thread"] // WARP == warp)
            busy = len(np.unique(work["thread"][here])) / WARP
            if busy < 1:
                _box(ax, warp, number + 0.12, idle=True, height=0.76)
            if busy:
                _box(ax, warp, number + 0.12, number, width=busy, height=0.76)


def draw_tiles(ax, work, shape, grid, block, *, coordinates=True):
    """Draw an image whose pixels have the color of their block, with the threads that lie outside.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    work : ndarray
        What `threads_at_work` returns, with one turn.
    shape : tuple of int
        Rows and columns of the image.
    grid, block : tuple of int
        Blocks and threads along x and y.
    coordinates : bool
        Whether each box names its thread as x,y.
    """
    (rows, columns), (across, down), (wide, high) = shape, grid, block
    canvas(ax, across * wide + 0.1, down * high + 0.1, left=-1.3, top=-1.3)
    for number in range(across):
        _note(ax, (number + 0.5) * wide, -0.75, f"blockIdx.x = {number}", size=9)
    for number in range(down):
        ax.text(
            -0.5, (number + 0.5) * high, f"blockIdx.y = {number}", rotation=90, ha="center", va="center", fontsize=9
        )
    seen = {(row["block"], row["thread"]): row["element"] for row in work}
    for number in range(across * down):
        for thread in range(wide * high):
            x, y = number % across * wide + thread % wide, number // across * high + thread // wide
            element = seen.get((number, thread))
            text = f"{thread % wide},{thread // wide}" if coordinates else ""
            if element is None:
                _box(ax, x, y, idle=True)
            elif element != y * columns + x:
                raise ValueError(
                    f"draw_tiles: thread {thread} of block {number} handles element {element}, not {(y, x)}"
                )
            else:
                _box(ax, x, y, number, text=text, size=8)
    ax.add_patch(Rectangle((0, 0), columns, rows, fill=False, edgecolor=INK, linewidth=2.5, zorder=6))


def draw_reads(ax, reads, shape, at):
    """Draw how often one thread reads each pixel around the one that it writes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    reads : array_like of int
        Numbers of the elements that it reads, one for each read.
    shape : tuple of int
        Rows and columns of the image.
    at : tuple of int
        Row and column of the pixel that it writes.
    """
    rows, columns = shape
    canvas(ax, columns + 0.1, rows + 0.1, left=-0.1, top=-0.1)
    counts = np.bincount(reads, minlength=rows * columns).reshape(shape)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            _box(ax, column, row, 0, text=f"{count}×")
        else:
            ax.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=GRID, linewidth=0.8))
    ax.add_patch(
        Rectangle((at[1] + 0.08, at[0] + 0.08), 0.84, 0.84, fill=False, edgecolor=COLORS[1], linewidth=2.4, zorder=6)
    )


def draw_walk(ax, work, n, block):
    """Draw for each turn, from the top, which elements the threads touch, with the number of the thread in the grid.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    work : ndarray
        What `threads_at_work` returns.
    n : int
        Elements.
    block : int
        Threads of a block; the color is that of the block.
    """
    turns = int(work["turn"].max()) + 1
    canvas(ax, n + 0.1, turns + 0.1, left=-2.4, top=-1.0)
    _note(ax, -0.2, -0.4, "element", ha="right")
    for element in range(n):
        _note(ax, element + 0.5, -0.4, str(element), size=9)
    for turn in range(turns):
        _note(ax, -0.2, turn + 0.5, f"turn {turn + 1}", ha="right")
        ax.add_patch(Rectangle((0, turn + 0.06), n, 0.88, fill=False, edgecolor=GRID, linewidth=0.8))
    for row in work:
        thread = row["block"] * block + row["thread"]
        _box(ax, row["element"], row["turn"] + 0.06, row["block"], text=f"t{thread}", height=0.88)


def draw_interleaving(ax, order):
    """Draw the steps of threads that add 1 to a counter, time running down, beside the counter.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    order : str
        Which thread takes the next step, such as "ABABAB".
    """
    names = sorted(set(order))
    counter, steps = run_interleaving(order)
    right = 2.6 * len(names) + 0.3
    canvas(ax, right + 2.4, len(steps) + 0.2, left=-0.1, top=-1.1)
    for column, name in enumerate(names):
        _note(ax, 2.6 * column + 1.2, -0.45, f"thread {name}")
    _note(ax, right + 1.0, -0.45, "counter")
    for row, (thread, says, value) in enumerate(steps):
        column = names.index(thread)
        _box(ax, 2.6 * column, row + 0.08, column, text=says, width=2.4, height=0.84)
        writes = says.startswith("writes")
        ax.text(
            right + 1.0,
            row + 0.5,
            str(value),
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold" if writes else None,
        )
        if writes:
            ax.annotate(
                "", (right + 0.6, row + 0.5), (2.6 * column + 2.45, row + 0.5),
                arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.2},
            )  # fmt: skip
    ax.plot(
        [right, right + 2.0], [len(steps)] * 2, color=COLORS[1] if counter < len(names) else COLORS[2], linewidth=2.5
    )


def draw_timelines(ax, lanes, *, marks=()):
    """Draw what the host and the device do over time, as a sketch without units.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lanes : dict of str to list of tuple
        For each side (begin, end, what it does, number of a color; None for waiting).
    marks : list of tuple
        (time, text) of moments that are named below the picture.
    """
    longest = max(end for spans in lanes.values() for _, end, _, _ in spans)
    low = len(lanes) * 1.5 + 0.1 + 0.6 * len(marks)
    ax.set(xlim=(-2.2, longest + 0.1), ylim=(low, -0.2))
    ax.axis("off")
    for number, (name, spans) in enumerate(lanes.items()):
        top = 1.5 * number
        _note(ax, -0.2, top + 0.5, name, ha="right", size=10)
        for begin, end, says, color in spans:
            _box(ax, begin, top, color, text=says, width=end - begin, idle=color is None, size=8.5)
        for (_, end, _, _), (begin, _, _, _) in pairwise(spans):
            if begin > end:
                ax.plot([end, begin], [top + 0.5] * 2, color=GRID, linewidth=1)
    for number, (moment, says) in enumerate(marks):
        height = len(lanes) * 1.5 + 0.1 + 0.6 * number
        ax.plot([moment, moment], [-0.1, height], color=INK, linewidth=1, linestyle=":")
        side = "left" if moment < 0.6 * longest else "right"
        _note(ax, moment + (0.1 if side == "left" else -0.1), height, says, ha=side, size=9)
