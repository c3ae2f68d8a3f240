"""Pictures and tables of the chapter on the memory hierarchy: memories, counts of a ladder, resident blocks, predicted times."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from mlcourse.display.style import COLORS, GRID, INK, MUTED
from mlcourse.gpu import KernelError

__all__ = [
    "CompilerFacts",
    "Counts",
    "compiler_facts",
    "count_table",
    "draw_counts",
    "draw_hierarchy",
    "draw_resident",
    "draw_times",
]

SECTOR = 32


def draw_hierarchy(ax, levels):
    """Draw memories as boxes, the nearest to the threads at the top and the narrowest.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    levels : sequence of tuple of str
        For each memory its name, who uses it, and how large it is.
    """
    for number, (name, who, size) in enumerate(levels):
        width = 6.4 + 3.6 * number / (len(levels) - 1)
        left, top = (10 - width) / 2, 1.25 * number
        color = COLORS[(2, 0, 3, 1)[number % 4]]
        ax.add_patch(Rectangle((left, top), width, 1, facecolor=color, alpha=0.22, linewidth=0))
        ax.add_patch(Rectangle((left, top), width, 1, fill=False, edgecolor=INK, linewidth=1.1))
        ax.text(5, top + 0.32, name, ha="center", va="center", fontsize=10.5, fontweight="bold")
        ax.text(5, top + 0.71, f"{who}: {size}", ha="center", va="center", fontsize=9)
        if number:
            arrow = {"arrowstyle": "<->", "color": MUTED, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (5, top), (5, top - 0.25), arrowprops=arrow)
    ax.set(xlim=(-0.05, 10.05), ylim=(1.25 * len(levels) - 0.2, -0.05))
    ax.axis("off")


class Counts:
    """What kernels ask of the memory system; displays itself as a table.

    Attributes
    ----------
    rows : dict of str to dict of str to float
        For each kernel: ``load`` and ``store``, sectors for each request to global memory; ``passes`` over the banks for each request
        to shared memory, None if there is none; ``bytes`` that move from and to global memory, and ``ideal``, the fewest that hold
        what was asked for.
    """

    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, name):
        return self.rows[name]

    def _cells(self):
        head = [
            "kernel",
            "sectors per load",
            "sectors per store",
            "bank passes per request",
            "kB moved",
            "ideal kB",
            "moved ÷ ideal",
        ]
        return [head, *map(_cells_of, self.rows, self.rows.values())]

    def _repr_markdown_(self):
        return _markdown(self._cells())

    def __repr__(self):
        return _text(self._cells())


def count_table(profiles):
    """Compare what kernels ask of the memory system.

    Parameters
    ----------
    profiles : dict of str to Profile

    Returns
    -------
    Counts

    Examples
    --------
    >>> from mlcourse.gpu import Kernel
    >>> source = "__global__ void fill(float* x, int step) { x[threadIdx.x * step] = 1; }"
    >>> fill, x = Kernel(source, "fill"), np.zeros(256, np.float32)
    >>> counts = count_table({f"step {s}": fill.profile[1, 32](x, s) for s in (1, 8)})
    >>> counts["step 1"]["store"], counts["step 8"]["store"]
    (4.0, 32.0)
    """
    return Counts({name: _row_of(profile) for name, profile in profiles.items()})


def _cells_of(name, row):
    kilobytes = [f"{row[key] / 1000:,.0f}" for key in ("bytes", "ideal")]
    rates = [_number(row[key]) for key in ("load", "store", "passes")]
    return [name, *rates, *kilobytes, _number(row["bytes"] / row["ideal"])]


def _row_of(profile):
    global_lines = [line for line in profile.lines if line.space == "global"]
    return {
        "load": _per_request(profile.lines, "global", ("load",)),
        "store": _per_request(profile.lines, "global", ("store", "atomic")),
        "passes": _per_request(profile.lines, "shared", ("load", "store", "atomic")),
        "bytes": sum(line.moved for line in global_lines),
        "ideal": SECTOR * sum(line.ideal for line in global_lines),
    }


def _per_request(lines, space, operations):
    chosen = [line for line in lines if line.space == space and line.operation in operations]
    requests = sum(line.requests for line in chosen)
    return sum(line.transfers for line in chosen) / requests if requests else None


class CompilerFacts:
    """What a GPU's compiler makes of kernels; displays itself as a table, or says why there is none.

    Attributes
    ----------
    arch : str
        The architecture.
    facts : dict of str to Facts
        Empty where the compiler is not installed.
    missing : str
        Why there are none; empty if there are.
    """

    def __init__(self, arch, facts, missing=""):
        self.arch, self.facts, self.missing = arch, facts, missing

    def __bool__(self):
        return bool(self.facts)

    def _cells(self):
        head = ["kernel", "registers", "bytes of local memory", "shared memory", "16-byte stores", "4-byte stores"]
        rows = []
        for name, fact in self.facts.items():
            wide = fact.count("STG.E.128")
            numbers = fact.registers, fact.stack, fact.shared_memory, wide, fact.count("STG.E") - wide
            rows.append([name, *map(str, numbers)])
        return [head, *rows]

    def _repr_markdown_(self):
        return _markdown(self._cells()) if self.facts else f"*{self.missing}*"

    def __repr__(self):
        return _text(self._cells()) if self.facts else self.missing


def compiler_facts(kernels, arch):
    """Ask NVIDIA's compiler what it makes of kernels; it needs no GPU, but the packages of the extra ``gpu``.

    Parameters
    ----------
    kernels : dict of str to Kernel
    arch : str
        The architecture, such as "sm_90" (H100, H200).

    Returns
    -------
    CompilerFacts
        Where the compiler is not installed it is empty, and says so.
    """
    try:
        return CompilerFacts(arch, {name: kernel.compile(arch) for name, kernel in kernels.items()})
    except KernelError as error:
        if "not installed" not in str(error):
            raise
        words = f"NVIDIA's compiler is not installed here, so there are no facts for {arch}. It comes with the extra gpu and needs no GPU."
        return CompilerFacts(arch, {}, words)


def draw_counts(axes, counts):
    """Draw the bytes that kernels move and their bank passes, beside what would be ideal.

    Parameters
    ----------
    axes : pair of matplotlib.axes.Axes
    counts : Counts
    """
    names = list(counts.rows)
    places = np.arange(len(names))
    left, right = axes
    moved = [counts[name]["bytes"] / 1e6 for name in names]
    left.barh(places, moved, height=0.6, color=COLORS[0], alpha=0.75)
    for place, name in zip(places, names, strict=True):
        ideal = counts[name]["ideal"] / 1e6
        left.plot(
            [ideal] * 2, [place - 0.42, place + 0.42], color=COLORS[1], linewidth=2.5, label=None if place else "ideal"
        )
    left.set(xlabel="MB from and to global memory", xlim=(0, 1.05 * max(moved)))
    left.set_yticks(places, names)
    passes = [counts[name]["passes"] or 0 for name in names]
    right.barh(places, passes, height=0.6, color=COLORS[2], alpha=0.75)
    for place, value in zip(places, passes, strict=True):
        right.text(
            value + 0.02 * max(passes),
            place,
            f"{value:.3g}" if value else "no shared memory",
            va="center",
            fontsize=8.5,
        )
    right.set(xlabel="bank passes per request", xlim=(0, 1.25 * max(max(passes), 1)))
    right.set_yticks(places, [""] * len(names))
    left.legend(fontsize=9, loc="lower right")
    for ax in axes:
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)


def draw_resident(ax, limits, uses):
    """Draw what the resident blocks of a kernel take of a multiprocessor, one bar for each thing that can run out.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    limits : dict of str to float
        How much there is of each.
    uses : dict of str to (int, dict of str to float)
        For each kernel how many of its blocks are resident, and what one of them takes of each.
    """
    names = list(limits)
    height = 0.8 / len(uses)
    for number, (kernel, (blocks, takes)) in enumerate(uses.items()):
        for row, name in enumerate(names):
            y = row - 0.4 + number * height
            share = takes[name] / limits[name]
            for block in range(blocks):
                box = Rectangle(
                    (block * share, y), share, 0.9 * height, facecolor=COLORS[number], alpha=0.35, linewidth=0
                )
                ax.add_patch(box)
                ax.add_patch(
                    Rectangle((block * share, y), share, 0.9 * height, fill=False, edgecolor=INK, linewidth=0.6)
                )
            used = blocks * share
            ax.add_patch(
                Rectangle((used, y), 1 - used, 0.9 * height, fill=False, edgecolor=GRID, linewidth=0.8, hatch="////")
            )
            ax.text(1.02, y + 0.45 * height, f"{kernel}: {used:.0%}", va="center", fontsize=8.5)
    ax.axvline(1, color=INK, linewidth=1.2)
    ax.set(xlim=(0, 1.5), ylim=(len(names) - 0.5, -0.5), xlabel="share of the multiprocessor")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)


def draw_times(ax, times, *, unit="ms"):
    """Draw predicted times, a row for each kernel and a color for each machine: a bar to the least, and a pale one to the most.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    times : dict of str to (dict of str to (float, float))
        For each machine and kernel the least and the most seconds.
    unit : {"ms", "µs"}
        Of the axis.
    """
    scale = {"ms": 1e3, "µs": 1e6}[unit]
    kernels = list(next(iter(times.values())))
    height = 0.84 / len(times)
    for number, (machine, rows) in enumerate(times.items()):
        places = np.arange(len(kernels)) - 0.42 + (number + 0.5) * height
        low, high = (scale * np.array([rows[kernel][end] for kernel in kernels]) for end in (0, 1))
        color = COLORS[number]
        ax.barh(places, low, height=0.85 * height, color=color, alpha=0.8, label=machine)
        ax.barh(places, high - low, left=low, height=0.85 * height, color=color, alpha=0.3)
        for place, value in zip(places, high, strict=True):
            ax.text(value, place, f" {machine}", va="center", fontsize=8)
    longest = scale * max(most for rows in times.values() for _, most in rows.values())
    ax.set(xlabel=f"predicted time ({unit})", xlim=(0, 1.08 * longest), ylim=(len(kernels) - 0.5, -0.5))
    ax.set_yticks(range(len(kernels)), kernels)
    ax.tick_params(axis="y", length=0)


def _number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"


def _markdown(cells):
    head, *rows = cells
    lines = [head, [":---"] + ["---:"] * (len(head) - 1), *([f"`{row[0]}`", *row[1:]] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(cells):
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = (
        (c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))) for row in cells
    )
    return "\n".join("  ".join(line).rstrip() for line in lines)
