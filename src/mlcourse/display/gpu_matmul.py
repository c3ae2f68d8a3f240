"""Figures of the chapter on matrix multiplication: which thread reads and computes what, banks, overlap, counts."""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import INK, MUTED

WARP = 32
STYLES = ("C0", "C1", "C2", "C3", "C4", "C5")
RECORDED_WITH = "NVRTC 13.0.88"
RECORDED = {  # registers of a thread, bytes of spills, loads from shared memory and FMA in the machine code for sm_90a
    "matmul_tiled": (32, 0, 40, 32),
    "matmul_column": (40, 0, 24, 64),
    "matmul_square": (128, 0, 80, 512),
    "matmul_vectorized": (125, 0, 32, 512),
    "matmul_warp": (211, 0, 96, 2048),
    "matmul_async": (237, 0, 111, 2048),
}
HATCHES = ("", "////", "....", "\\\\\\\\", "xx", "++")


def draw_product(axes, shapes, tiles=()):
    """Draw A to the left of C and B above C, so that row i and column j meet in C[i, j].

    Parameters
    ----------
    axes : array of matplotlib.axes.Axes of shape (2, 2)
        B goes into the upper right one, A into the lower left one, C into the lower right one.
    shapes : dict of str to tuple of int
        Rows and columns of A, B and C, as far as they are to be shown.
    tiles : sequence of tuple
        Rectangles (matrix, first row, first column, rows, columns, color, label).
    """
    places = {"A": axes[1, 0], "B": axes[0, 1], "C": axes[1, 1]}
    axes[0, 0].axis("off")
    for name, ax in places.items():
        rows, cols = shapes[name]
        _matrix(ax, rows, cols, name)
    for name, row, col, height, width, color, label in tiles:
        _tile(places[name], row, col, height, width, color, label)


def _matrix(ax, rows, cols, name):
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((0, 0), cols, rows, facecolor="none", edgecolor=MUTED, linewidth=1))
    ax.set(xlim=(-0.5, cols + 0.5), ylim=(rows + 0.5, -0.5), aspect="equal", title=f"{name}  ({rows} × {cols})")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _tile(ax, row, col, height, width, color, label):
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((col, row), width, height, facecolor=color, alpha=0.3, edgecolor="none"))
    ax.add_patch(Rectangle((col, row), width, height, facecolor="none", edgecolor=color, linewidth=1.6))
    if label:
        ax.text(col + width / 2, row + height / 2, label, ha="center", va="center", fontsize=8, color=INK)


def owners(profile, shape, array="C"):
    """Read from a profile which thread of block 0 writes each element of a matrix.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
        Taken with ``trace=`` so large that it holds every store of block 0.
    shape : tuple of int
        Rows and columns of the matrix.
    array : str
        Its name in the kernel.

    Returns
    -------
    ndarray of int of that shape
        The number of the thread in its block; -1 where another block writes.
    """
    who = np.full(shape, -1)
    for request in profile.trace:
        if request.array != array or request.operation != "store" or request.block != 0:
            continue
        for e in range(request.size // 4):
            who.flat[request.offsets // 4 + e] = request.warp * WARP + request.lanes
    return who


def draw_owners(ax, who, warp=0, thread=0, title=""):
    """Draw which part of a block's tile of C is a warp's, and which a thread's.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    who : ndarray of int of shape (rows, columns)
        The number of the thread that computes each element.
    warp, thread : int
        What is tinted, and what is drawn solid.
    title : str
    """
    from matplotlib.patches import Rectangle

    rows, cols = who.shape
    for mask, color, alpha in ((who // WARP == warp, "C0", 0.3), (who == thread, "C1", 1.0)):
        for row, col, height, width in rectangles(mask):
            ax.add_patch(
                Rectangle(
                    (col, row),
                    width,
                    height,
                    facecolor=color,
                    alpha=alpha,
                    edgecolor=color,
                    linewidth=0.6 * (alpha == 1),
                )
            )
    ax.set(xlim=(0, cols), ylim=(rows, 0), aspect="equal", xlabel="column of C", ylabel="row of C")
    ax.set_title(title, fontsize=9)
    for spine in ax.spines.values():
        spine.set_visible(True)


def rectangles(mask):
    """Cut the true elements of a mask into rectangles, first row by row, then joining equal rows.

    Parameters
    ----------
    mask : ndarray of bool of shape (rows, columns)

    Returns
    -------
    list of tuple of int
        First row, first column, rows and columns of each.

    Examples
    --------
    >>> rectangles(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool))
    [(0, 0, 2, 2), (2, 2, 1, 1)]
    """
    found, open_ = [], {}
    for row in range(mask.shape[0] + 1):
        line = mask[row] if row < mask.shape[0] else np.zeros(mask.shape[1], dtype=bool)
        borders = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]])))
        runs = [(int(begin), int(end - begin)) for begin, end in borders.reshape(-1, 2)]
        for run in [run for run in open_ if run not in runs]:
            first = open_.pop(run)
            found.append((first, run[0], row - first, run[1]))
        for run in runs:
            open_.setdefault(run, row)
    return sorted(found)


def schedule(steps, copy, compute, stages):
    """Compute when each copy and each step of arithmetic begins, with so many stages of shared memory.

    A stage is filled by a copy, then used, then free again. Copies follow one another, and so do the steps of arithmetic.
    With one stage, nothing overlaps.

    Parameters
    ----------
    steps : int
    copy, compute : float
        Time of one copy, and of the arithmetic of one step.
    stages : int

    Returns
    -------
    copies, computations : ndarray of shape (steps, 2)
        Begin and end of each.

    Examples
    --------
    >>> [float(schedule(3, copy=1, compute=2, stages=s)[1][-1, 1]) for s in (1, 2)]
    [9.0, 7.0]
    """
    copies, computations = np.zeros((steps, 2)), np.zeros((steps, 2))
    for step in range(steps):
        free = computations[step - stages, 1] if step >= stages else 0.0
        begin = max(free, copies[step - 1, 1] if step else 0.0)
        copies[step] = begin, begin + copy
        begin = max(copies[step, 1], computations[step - 1, 1] if step else 0.0)
        computations[step] = begin, begin + compute
    return copies, computations


def draw_schedule(ax, steps, copy, compute, stages, until=None):
    """Draw copies above the arithmetic, along time; the stage of each is its color and hatching.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    steps, copy, compute, stages
        As in `schedule`.
    until : float, optional
        End of the axis.
    """
    copies, computations = schedule(steps, copy, compute, stages)
    for height, spans in ((1, copies), (0, computations)):
        for step, (begin, end) in enumerate(spans):
            color, hatch = STYLES[step % stages], HATCHES[step % stages]
            ax.barh(height, end - begin, left=begin, height=0.8, color=color, alpha=0.3, edgecolor=INK, hatch=hatch)
            ax.text((begin + end) / 2, height, step, ha="center", va="center", fontsize=9, color=INK)
    ax.set_yticks([1, 0], ["copy", "compute"])
    ax.set(xlim=(0, until or computations[-1, 1]), xlabel="time (units of the model)")
    ax.set_title(f"{stages} stage{'s' * (stages > 1)} of shared memory", fontsize=10)


def draw_bars(ax, values, xlabel, reference=None, reference_label=""):
    """Draw one bar for each rung, slowest on top, with its value.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : dict of str to float
    xlabel : str
    reference : float, optional
        A vertical line.
    reference_label : str
    """
    names = list(values)
    ax.barh(range(len(names)), values.values(), color="C0", alpha=0.45, edgecolor="C0")
    for row, value in enumerate(values.values()):
        ax.text(max(value, reference or 0) + 0.02 * max(values.values()), row, f"{value:.3g}", va="center", fontsize=9)
    if reference is not None:
        ax.axvline(reference, color="C1", linestyle="--", label=reference_label)
        ax.legend(fontsize=9, loc="lower right")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(0, 1.12 * max(values.values())))


def per_fma(profile, fmas):
    """Divide what a profile counted by the number of multiply-adds, both for whole warps.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
    fmas : int
        Multiplications with an addition of the whole launch.

    Returns
    -------
    dict of str to float
        For one multiply-add of a warp: ``sectors`` loaded from global memory, ``requests`` and ``passes`` of loads from shared
        memory, ``stored`` passes of stores to it.
    """
    kinds = {
        "sectors": ("global", "load", "transfers"),
        "requests": ("shared", "load", "requests"),
        "passes": ("shared", "load", "transfers"),
        "stored": ("shared", "store", "transfers"),
    }
    return {
        name: sum(getattr(line, what) for line in profile.lines if (line.space, line.operation) == (space, operation))
        * WARP
        / fmas
        for name, (space, operation, what) in kinds.items()
    }


def machine_code():
    """Say what NVIDIA's compiler makes of the rungs that use shared memory, for an H100.

    Returns
    -------
    counts : dict of str to tuple of int
        For each rung: registers of a thread, bytes of spills, and how many loads from shared memory and how many FMA are in
        its code. What is in a loop counts once.
    compiler : str
        Who compiled it: the compiler that is installed, or, where there is none, the one of the recorded counts.

    Examples
    --------
    >>> machine_code()[0]["matmul_vectorized"][3]
    512
    """
    from importlib.metadata import version

    from mlcourse.gpu import KernelError

    try:
        return {name: _compiled(name) for name in RECORDED}, f"NVRTC {version('nvidia-cuda-nvrtc')}"
    except KernelError:
        return RECORDED, f"{RECORDED_WITH} (recorded)"


def _compiled(name):
    from mlcourse.gpu import Kernel, kernels

    (rung,) = (rung for rung in kernels.ladder("matmul") if rung.kernel == name)
    facts = Kernel(rung.source, rung.instance(256, 256, 64)).compile("sm_90a")
    return facts.registers, facts.spills, facts.count("LDS"), facts.count("FFMA")


class CountTable:
    """What each line of a kernel asks of memory; displays itself as a table.

    Attributes
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
    """

    HEADER = ("line", "access", "requests", "moved", "ratio")

    def __init__(self, profile):
        self.profile = profile

    def rows(self):
        """Return the texts of each row: line, access, requests, transfers and how many times the fewest they are."""
        return [
            (
                str(line.line),
                f"{line.space} {line.operation} of {line.array}, {line.size} B",
                f"{line.requests:,}",
                f"{line.transfers:,} {'sectors' if line.space == 'global' else 'passes'}",
                f"{line.ratio:.2f}" if line.ideal else "–",
            )
            for line in self.profile.lines
        ]

    def _repr_markdown_(self):
        rows = "\n".join(f"| {' | '.join(row)} |" for row in self.rows())
        return f"| {' | '.join(self.HEADER)} |\n|---:|:---|---:|---:|---:|\n{rows}"

    def __repr__(self):
        cells = [self.HEADER, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join("  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in cells)


def count_table(profile):
    """Show what each line of a kernel asks of memory, without the source.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile

    Returns
    -------
    CountTable

    Examples
    --------
    >>> from mlcourse.gpu import Kernel
    >>> source = "__global__ void twice(float* x) { x[threadIdx.x] *= 2; }"
    >>> count_table(Kernel(source, "twice").profile[1, 64](np.ones(64, np.float32))).rows()[0]
    ('1', 'global load of x, 4 B', '2', '8 sectors', '1.00')
    """
    return CountTable(profile)
