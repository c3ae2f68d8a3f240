"""Pictures and tables of parallel patterns: trees and sweeps, who works in which step, shuffles by lane, waiting atomics."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from mlcourse.display.style import COLORS, GRID, INK, MUTED, PAPER

__all__ = [
    "LadderCounts",
    "blelloch_steps",
    "contention",
    "count_ladder",
    "draw_activity",
    "draw_bugs",
    "draw_compaction",
    "draw_lanes",
    "draw_look_back",
    "draw_lost_update",
    "draw_network",
    "hillis_steele_steps",
    "line_of",
    "passes_by_step",
    "run_steps",
    "tree_steps",
    "working_threads",
]

WARP = 32


# --- counts --------------------------------------------------------------------------------------------------------------


class LadderCounts:
    """What the rungs of a ladder ask of the memory system; displays itself as a table.

    Attributes
    ----------
    rows : dict of str to dict of str to int
        For each rung: ``launches``, ``global``, ``shared`` and ``atomics`` (requests of whole warps), ``passes`` over the banks of
        shared memory, and ``kilobytes`` moved from and to global memory.
    """

    COLUMNS = ("launches", "global", "shared", "atomics", "passes", "kilobytes")

    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, name):
        return self.rows[name]

    def _cells(self):
        head = ["rung", "launches", "global", "shared", "atomics", "passes", "kB"]
        return [head] + [[name, *(f"{row[column]:,}" for column in self.COLUMNS)] for name, row in self.rows.items()]

    def _repr_markdown_(self):
        head, *rows = self._cells()
        lines = [head, [":---"] + ["---:"] * len(self.COLUMNS), *([f"`{row[0]}`", *row[1:]] for row in rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def __repr__(self):
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        return "\n".join(
            "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in cells
        )


def count_ladder(plans, **options):
    """Profile several ways to do the same work.

    Parameters
    ----------
    plans : dict of str to mlcourse.gpu.kernels.Plan
        Name and plan.
    **options
        Of the profiled launches.

    Returns
    -------
    LadderCounts

    Examples
    --------
    >>> from mlcourse.gpu.kernels import plan
    >>> x = np.ones(300, np.float32)
    >>> counts = count_ladder({"sum_sequential": plan("sum_sequential", x)})
    >>> counts["sum_sequential"]["launches"]
    2
    """
    return LadderCounts({name: _counts(way.profile(**options)) for name, way in plans.items()})


def _counts(profiles):
    lines = [line for profile in profiles for line in profile.lines]
    plain = [line for line in lines if line.operation != "atomic"]
    return {
        "launches": len(profiles),
        "global": sum(line.requests for line in plain if line.space == "global"),
        "shared": sum(line.requests for line in plain if line.space == "shared"),
        "atomics": sum(line.requests for line in lines if line.operation == "atomic"),
        "passes": sum(profile.bank_passes for profile in profiles),
        "kilobytes": round(sum(profile.bytes_moved for profile in profiles) / 1000),
    }


# --- trees and sweeps ------------------------------------------------------------------------------------------------------


def tree_steps(n, kind="sequential"):
    """Return the steps of a reduction of `n` numbers, a power of two.

    Parameters
    ----------
    n : int
    kind : {"sequential", "interleaved"}
        The second half onto the first, or neighbors first.

    Returns
    -------
    list of dict of int to tuple of int
        For each step, what each changed place becomes: the sum of the old values at these places.

    Examples
    --------
    >>> tree_steps(4)
    [{0: (0, 2), 1: (1, 3)}, {0: (0, 1)}]
    """
    distances = [2**k for k in range(_levels(n))]
    if kind == "sequential":
        return [{t: (t, t + step) for t in range(step)} for step in reversed(distances)]
    return [{t: (t, t + step) for t in range(0, n, 2 * step)} for step in distances]


def hillis_steele_steps(n):
    """Return the steps of the scan of Hillis and Steele in the form of `tree_steps`.

    >>> hillis_steele_steps(4)[1]
    {2: (0, 2), 3: (1, 3)}
    """
    return [{t: (t - 2**k, t) for t in range(2**k, n)} for k in range(_levels(n))]


def blelloch_steps(n):
    """Return the steps of Blelloch's exclusive scan in the form of `tree_steps`: up, a zero at the root, down.

    >>> blelloch_steps(2)
    [{1: (0, 1)}, {1: ()}, {0: (1,), 1: (0, 1)}]
    """
    distances = [2**k for k in range(_levels(n))]
    up = [{right: (right - step, right) for right in range(2 * step - 1, n, 2 * step)} for step in distances]
    down = []
    for step in reversed(distances):
        moves = {}
        for right in range(2 * step - 1, n, 2 * step):
            moves[right - step] = (right,)
            moves[right] = (right - step, right)
        down.append(moves)
    return [*up, {n - 1: ()}, *down]


def _levels(n):
    if n < 2 or n & (n - 1):
        raise ValueError(f"the number of elements must be a power of two, at least 2; got {n}")
    return n.bit_length() - 1


def run_steps(x, steps):
    """Return the values before the first and after each step, of shape (steps + 1, n).

    Parameters
    ----------
    x : array-like of shape (n,)
    steps : list of dict
        As `tree_steps` returns them.

    Examples
    --------
    >>> run_steps([1, 2, 3, 4], tree_steps(4))[-1, 0]
    np.int64(10)
    """
    rows = [np.asarray(x)]
    for moves in steps:
        new = rows[-1].copy()
        for target, sources in moves.items():
            new[target] = sum(rows[-1][s] for s in sources)
        rows.append(new)
    return np.array(rows)


def draw_network(ax, x, steps, *, names=None, live=None):
    """Draw the values in their places, a row for each step, and a line from each value to the sums that use it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : array-like of shape (n,)
    steps : list of dict
        As `tree_steps` returns them.
    names : sequence of str, optional
        Written left of the rows; the input is the first.
    live : callable, optional
        ``live(step, place)`` tells whether a value still matters; others are gray.
    """
    rows = run_steps(x, steps)
    n = rows.shape[1]
    gray, colored = [], []
    for k, moves in enumerate(steps):
        for target in range(n):
            for s in moves.get(target, (target,)):
                line = [(s, -k), (target, -k - 1)]
                (colored if target in moves else gray).append(line)
    ax.add_collection(LineCollection(gray, colors=GRID, linewidths=1.2, zorder=1))
    ax.add_collection(LineCollection(colored, colors=COLORS[0], linewidths=1.6, zorder=2))
    for k, row in enumerate(rows):
        changed = steps[k - 1] if k else {}
        for place, value in enumerate(row):
            matters = live is None or live(k, place)
            edge = COLORS[1] if place in changed else MUTED if matters else GRID
            ax.add_patch(
                Circle(
                    (place, -k), 0.33, facecolor=PAPER, edgecolor=edge, linewidth=2 if place in changed else 1, zorder=3
                )
            )
            ax.text(
                place,
                -k - 0.02,
                f"{value:g}",
                ha="center",
                va="center",
                fontsize=9,
                color=INK if matters else MUTED,
                zorder=4,
            )
        if names is not None:
            ax.text(-0.65, -k, names[k], ha="right", va="center", fontsize=9)
    ax.set(xlim=(-0.5, n - 0.5), ylim=(-len(steps) - 0.5, 0.5), aspect="equal")
    ax.axis("off")


# --- from the executor's trace ---------------------------------------------------------------------------------------------


def line_of(profile, text):
    """Return the number of the first line of the profiled kernel that contains a text.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
    text : str
        Such as ``"part[t] += part[t + step]"``.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If no line of the kernel contains it.
    """
    name = re.split(r"<", profile.kernel)[0]
    lines = profile.source.splitlines()
    begin = next(i for i, line in enumerate(lines) if re.search(rf"\b{name}\(", line))
    for number, line in enumerate(lines[begin:], begin + 1):
        if text in line:
            return number
        if line.startswith("}"):
            break
    raise ValueError(f"the kernel {name} has no line with {text!r}")


def working_threads(profile, text, *, threads=256, operation="store"):
    """Find out from the trace which threads of the first block carry out a line, each time that the block comes to it.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
        Of a launch with ``trace`` large enough to hold the whole block.
    text : str
        What the line contains; it stands in a loop with a barrier.
    threads : int
        Of the block.
    operation : {"load", "store", "atomic"}

    Returns
    -------
    ndarray of bool, shape (steps, threads)
    """
    steps, last, line = [], None, line_of(profile, text)
    for request in profile.trace:
        if (request.line, request.operation, request.block) != (line, operation, 0):
            continue
        if last is None or request.warp <= last:
            steps.append(np.zeros(threads, bool))
        steps[-1][request.warp * WARP + request.lanes] = True
        last = request.warp
    return np.array(steps).reshape(-1, threads)


def draw_activity(ax, working, *, title=None):
    """Draw which threads work in which step, a column for a thread and a frame for each warp that has work.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    working : ndarray of bool, shape (steps, threads)
        As `working_threads` returns it.
    title : str, optional
        Written before the number of warps that have work, summed over the steps.
    """
    steps, threads = working.shape
    for k, row in enumerate(working):
        for first, last in _runs(np.flatnonzero(row)):
            ax.add_patch(Rectangle((first, k + 0.1), last - first + 1, 0.8, facecolor=COLORS[0], linewidth=0))
        for w in np.unique(np.flatnonzero(row) // WARP):
            ax.add_patch(Rectangle((w * WARP, k + 0.1), WARP, 0.8, fill=False, edgecolor=COLORS[1], linewidth=1.1))
    busy = sum(len(np.unique(np.flatnonzero(row) // WARP)) for row in working)
    ax.set(xlim=(0, threads), ylim=(steps, 0), xlabel="thread", ylabel="step")
    ax.set_title(f"{title}: {busy} warps have work" if title else f"{busy} warps have work", fontsize=10, loc="left")
    ax.set_xticks(range(0, threads + 1, 2 * WARP))
    ax.set_yticks(np.arange(steps) + 0.5, range(1, steps + 1))
    ax.tick_params(length=0, labelsize=8)


def _runs(numbers):
    """First and last of each run of neighbors among ascending numbers."""
    cuts = np.flatnonzero(np.diff(numbers) > 1) + 1
    return [(run[0], run[-1]) for run in np.split(numbers, cuts) if len(run)]


def passes_by_step(profile, text, *, banks=32):
    """Count for every step of a loop how many passes the slowest of its stores to shared memory takes.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
        With the requests of the whole first block in its trace.
    text : str
        What the line in the loop contains.
    banks : int
        Of shared memory, four bytes wide.

    Returns
    -------
    list of int
        In the order of the steps.
    """
    worst, last, line = [], None, line_of(profile, text)
    for request in profile.trace:
        if (request.line, request.operation, request.block) != (line, "store", 0):
            continue
        words = np.unique(request.offsets // 4)
        passes = int(np.bincount(words % banks).max())
        if last is None or request.warp <= last:
            worst.append(passes)
        worst[-1], last = max(worst[-1], passes), request.warp
    return worst


def contention(profile, array=None):
    """Find out from the trace how many lanes of one request want to update the same address.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
    array : str, optional
        Only atomics on this array.

    Returns
    -------
    ndarray of int, shape (requests,)
        For each atomic request in the trace, the largest number of lanes with one address: so many updates follow one another.

    Examples
    --------
    >>> from mlcourse.gpu.kernels import plan
    >>> flat = np.zeros(512, np.uint8)
    >>> profile, = plan("histogram_global", flat).profile()
    >>> int(contention(profile).min())
    32
    """
    found = [r for r in profile.trace if r.operation == "atomic" and array in (None, r.array)]
    return np.array([np.unique(r.offsets, return_counts=True)[1].max() for r in found], int)


def draw_lanes(ax, sources, *, reach=0):
    """Draw who receives from whom when the lanes of a warp shuffle, a row for each step.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    sources : ndarray of int, shape (steps, lanes)
        The lane that each lane received from.
    reach : int or None
        A lane; what ends in it is colored, the rest is gray. None colors everything.
    """
    steps, lanes = sources.shape
    wanted = {reach} if reach is not None else set(range(lanes))
    for k in reversed(range(steps)):
        before = set()
        for lane in range(lanes):
            used = lane in wanted and sources[k, lane] != lane
            color = COLORS[0] if used else GRID
            ax.plot(
                [sources[k, lane], lane],
                [-k, -k - 1],
                color=color,
                linewidth=1.5 if used else 0.6,
                zorder=2 if used else 1,
            )
            if lane in wanted:
                ax.plot([lane, lane], [-k, -k - 1], color=COLORS[1], linewidth=1.5, linestyle=":", zorder=3)
                before |= {lane, int(sources[k, lane])}
        wanted = before if reach is not None else wanted
    for k in range(steps + 1):
        ax.plot(range(lanes), [-k] * lanes, "o", color=MUTED, markersize=3, zorder=4)
    ax.set(xlim=(-0.7, lanes - 0.3), ylim=(-steps - 0.3, 0.3), xlabel="lane")
    ax.set_yticks(range(0, -steps - 1, -1), ["before", *(f"step {k}" for k in range(1, steps + 1))])
    ax.set_xticks(range(0, lanes, 4))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0, labelsize=9)


# --- ideas -----------------------------------------------------------------------------------------------------------------


def draw_lost_update(axes):
    """Draw two threads that add 5 and 7 to a total of 100: once between each other, once one after the other.

    Parameters
    ----------
    axes : sequence of two matplotlib.axes.Axes
    """
    mixed = [(0, 0, "read 100"), (1, 1, "read 100"), (0, 2, "write 105"), (1, 3, "write 107")]
    atomic = [(0, 0.5, "100 → 105"), (1, 2.5, "105 → 112")]
    for ax, boxes, width, title in zip(
        axes, (mixed, atomic), (0.9, 1.9), ("*total += x: 5 is lost", "atomicAdd: 112"), strict=True
    ):
        for thread, time, text in boxes:
            left = time if width < 1 else time - 0.5
            box = FancyBboxPatch(
                (left + 0.05, -thread - 0.3),
                width,
                0.6,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=PAPER,
                edgecolor=COLORS[thread],
                linewidth=1.8,
            )
            ax.add_patch(box)
            ax.text(left + 0.05 + width / 2, -thread, text, ha="center", va="center", fontsize=9)
        for thread in (0, 1):
            ax.plot([0, 4], [-thread, -thread], color=GRID, linewidth=1, zorder=0)
        ax.set_title(title, fontsize=10, loc="left")
        ax.set(xlim=(0, 4.05), ylim=(-1.5, 0.5))
        ax.set_yticks([0, -1], ["thread 0, adds 5", "thread 1, adds 7"])
        ax.set_xticks([])
        ax.set_xlabel("time →", loc="right")
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)


LETTERS = "·AP"


def draw_look_back(ax, history):
    """Draw what each tile of a single-pass scan has published, a row for each moment.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    history : sequence of str
        For each moment one letter a tile: "·" nothing, "A" its own sum, "P" the sum up to its end.
    """
    for k, row in enumerate(history):
        for tile, letter in enumerate(row):
            state = LETTERS.index(letter)
            before = LETTERS.index(history[k - 1][tile]) if k else 0
            look = {"facecolor": (PAPER, COLORS[4], COLORS[2])[state], "alpha": (1, 0.45, 0.6)[state]}
            ax.add_patch(Rectangle((tile, k), 0.94, 0.9, linewidth=0, **look))
            ax.add_patch(
                Rectangle(
                    (tile, k),
                    0.94,
                    0.9,
                    fill=False,
                    edgecolor=INK if state != before else GRID,
                    linewidth=1.4 if state != before else 0.8,
                )
            )
            ax.text(tile + 0.47, k + 0.47, letter, ha="center", va="center", fontsize=9)
    ax.set(xlim=(-0.1, len(history[0]) + 0.1), ylim=(len(history) + 0.1, -0.1), xlabel="tile", ylabel="moment")
    ax.set_xticks(np.arange(len(history[0])) + 0.47, range(len(history[0])))
    ax.set_yticks(np.arange(len(history)) + 0.45, range(len(history)))
    ax.tick_params(length=0, labelsize=9)
    ax.spines[["left", "bottom"]].set_visible(False)


def draw_compaction(ax, values, keep):
    """Draw how the kept elements move together: values, flags, exclusive scan of the flags, result.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array-like of shape (n,)
    keep : array-like of bool, shape (n,)
    """
    keep = np.asarray(keep, bool)
    place = np.cumsum(keep) - keep
    rows = (("value", values, 0), ("flag", keep.astype(int), -1), ("place", place, -2))
    for name, numbers, y in rows:
        for i, number in enumerate(numbers):
            _box(ax, i, y, number, COLORS[0] if keep[i] else GRID, INK if keep[i] else MUTED)
        ax.text(-0.75, y, name, ha="right", va="center", fontsize=10)
    for i in np.flatnonzero(keep):
        ax.annotate(
            "",
            (place[i], -3.62),
            (i, -2.32),
            arrowprops={"arrowstyle": "-|>", "color": COLORS[1], "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0},
        )
        _box(ax, place[i], -3.95, values[i], COLORS[0], INK)
    ax.text(-0.75, -3.95, "result", ha="right", va="center", fontsize=10)
    ax.set(xlim=(-2.2, len(keep) - 0.4), ylim=(-4.4, 0.45), aspect="equal")
    ax.axis("off")


def _box(ax, x, y, text, edge, color):
    ax.add_patch(Rectangle((x - 0.42, y - 0.32), 0.84, 0.64, facecolor=PAPER, edgecolor=edge, linewidth=1.4))
    ax.text(x, y - 0.02, str(text), ha="center", va="center", fontsize=9, color=color)


def draw_bugs(ax, outcomes, columns):
    """Draw a table of outcomes: right, wrong, or found.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    outcomes : dict of str to sequence of str
        For each bug one of "right", "wrong", "found" a column.
    columns : sequence of str
    """
    looks = {"right": (COLORS[4], "right result"), "wrong": (COLORS[0], "wrong result"), "found": (COLORS[2], "found")}
    for row, (name, results) in enumerate(outcomes.items()):
        for column, outcome in enumerate(results):
            color, text = looks[outcome]
            ax.add_patch(Rectangle((column, row), 0.96, 0.9, facecolor=color, alpha=0.3, linewidth=0))
            ax.text(column + 0.48, row + 0.46, text, ha="center", va="center", fontsize=9)
        ax.text(-0.08, row + 0.46, name, ha="right", va="center", fontsize=9)
    for column, name in enumerate(columns):
        ax.text(column + 0.48, -0.15, name, ha="center", va="bottom", fontsize=9)
    ax.set(xlim=(-1.7, len(columns)), ylim=(len(outcomes), -0.7))
    ax.axis("off")
