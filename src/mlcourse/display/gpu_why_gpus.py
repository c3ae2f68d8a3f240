"""Pictures of the chapter on why GPUs: chips, warps and their places, schedules, number formats, rooflines."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from mlcourse.display.python import canvas
from mlcourse.display.style import COLORS, GRID, INK, MUTED, PAPER

__all__ = [
    "draw_bits",
    "draw_chips",
    "draw_intervals",
    "draw_lanes_over_time",
    "draw_roofline",
    "draw_schedule",
    "draw_values",
    "draw_warps",
]

_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")


def draw_chips(ax):
    """Draw what a CPU and a GPU spend their area on, side by side and not to scale.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    """
    for left, title in ((0, "CPU"), (8.6, "GPU")):
        ax.text(left + 3.8, -0.35, title, ha="center", va="center", fontsize=12)
        _box(ax, left, 0, 7.6, 6.4, None, "")
    for core in range(4):
        x, y = 0.3 + 3.6 * (core % 2), 0.3 + 1.9 * (core // 2)
        _box(ax, x, y, 3.4, 1.7, None, "")
        _box(ax, x + 0.1, y + 0.1, 1.6, 1.5, 1, "control")
        for unit in range(4):
            _box(ax, x + 1.85 + 0.72 * (unit % 2), y + 0.1 + 0.77 * (unit // 2), 0.66, 0.72, 2, "")
    _box(ax, 0.3, 4.1, 7.0, 1.0, 0, "cache")
    _box(ax, 0.3, 5.25, 7.0, 0.9, 3, "memory outside")
    for row in range(7):
        y = 0.3 + 0.52 * row
        _box(ax, 8.9, y, 0.42, 0.44, 1, "")
        for unit in range(13):
            _box(ax, 9.42 + 0.5 * unit, y, 0.43, 0.44, 2, "")
    _box(ax, 8.9, 4.1, 7.0, 0.5, 0, "cache")
    _box(ax, 8.9, 4.75, 7.0, 1.4, 3, "memory outside: less of it, and wider")
    for number, name in enumerate(("control", "cache", "arithmetic", "memory")):
        color = (1, 0, 2, 3)[number]
        _box(ax, 0.3 + 4 * number, 6.8, 0.5, 0.45, color, "")
        ax.text(0.95 + 4 * number, 7.03, name, va="center", fontsize=9)
    canvas(ax, 16.4, 7.5, left=-0.2, top=-0.8)


def _box(ax, x, y, width, height, color, text):
    ax.add_patch(Rectangle((x, y), width, height, facecolor=PAPER, edgecolor="none"))
    fill = {"fill": False} if color is None else {"facecolor": COLORS[color], "alpha": 0.35}
    ax.add_patch(
        Rectangle((x, y), width, height, edgecolor="none" if color is not None else INK, linewidth=1.2, **fill)
    )
    if color is not None:
        ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=COLORS[color], linewidth=0.9))
    if text:
        ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9)


def draw_warps(ax, trace, *, itemsize=4):
    """Draw which element each thread of a launch writes: blocks, their warps below each other, a box for each lane.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    trace : sequence of mlcourse.gpu.executor.profile.Request
        Of a profile; the stores in it are drawn. A lane that takes no part stays empty.
    itemsize : int
        Bytes of an element.
    """
    stores = sorted((r for r in trace if r.operation == "store"), key=lambda r: (r.block, r.warp))
    for row, request in enumerate(stores):
        y = row + 0.35 * request.block
        elements = request.offsets // itemsize
        taken = dict(zip(request.lanes.tolist(), elements.tolist(), strict=True))
        for lane in range(32):
            active = lane in taken
            look = {"facecolor": COLORS[request.block % len(COLORS)], "alpha": 0.35} if active else {"fill": False}
            ax.add_patch(Rectangle((lane, y), 0.92, 0.8, linewidth=0, **look))
            edge = (
                {"edgecolor": COLORS[request.block % len(COLORS)]} if active else {"edgecolor": GRID, "linestyle": ":"}
            )
            ax.add_patch(Rectangle((lane, y), 0.92, 0.8, fill=False, linewidth=0.8, **edge))
        ax.text(-0.6, y + 0.4, f"block {request.block}, warp {request.warp}", ha="right", va="center", fontsize=8.5)
        ax.text(32.4, y + 0.4, f"{elements.min()} … {elements.max()}", va="center", fontsize=8.5)
    ax.text(15.9, -0.7, "lane 0 … 31", ha="center", va="center", fontsize=8.5)
    ax.text(32.4, -0.7, "elements", va="center", fontsize=8.5)
    bottom = len(stores) + 0.35 * stores[-1].block
    canvas(ax, 38.5, bottom + 0.2, left=-8, top=-1.3)
    ax.set_aspect("auto")


def draw_lanes_over_time(ax, rounds):
    """Draw how long each lane of a warp works, and how long it waits for the slowest one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    rounds : ndarray of int, shape (lanes,)
        How often each lane has to go around.
    """
    lanes = np.arange(len(rounds))
    ax.bar(lanes, rounds, width=0.86, color="C0", label="works")
    ax.bar(lanes, max(rounds) - rounds, width=0.86, bottom=rounds, color=GRID, label="waits")
    ax.set(xlim=(-0.6, len(rounds) - 0.4), ylim=(max(rounds), 0), xlabel="lane", ylabel="round", xticks=lanes[::8])


def draw_schedule(ax, served, n_warps):
    """Draw when a scheduler served each warp: a row for each, and below them the cycles in which it served none.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    served : ndarray of int, shape (n_cycles,)
        As `mlcourse.gpu.throughput.schedule` returns it.
    n_warps : int
    """
    for cycle, warp in enumerate(served):
        if warp >= 0:
            color = COLORS[warp % len(COLORS)]
            ax.add_patch(Rectangle((cycle, warp + 0.1), 1, 0.8, facecolor=color, edgecolor=PAPER, linewidth=0.4))
        else:
            box = Rectangle(
                (cycle, n_warps + 0.25), 1, 0.6, facecolor=GRID, edgecolor=PAPER, hatch="////", linewidth=0.4
            )
            ax.add_patch(box)
    ax.set(xlim=(0, len(served)), ylim=(n_warps + 1, 0), xlabel="cycle")
    ax.set_yticks(np.arange(n_warps + 1) + 0.5, [*(f"warp {warp}" for warp in range(n_warps)), "nobody"])
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def draw_bits(ax, forms):
    """Draw the fields of number formats: a box for each bit, the sign, the exponent and the fraction in three colors.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    forms : sequence of mlcourse.gpu.formats.Format
        Of at most 32 bits.
    """
    for row, form in enumerate(forms):
        y = 1.5 * row
        fields = [(1, 1, "sign"), (form.exponent_bits, 0, "exponent"), (form.fraction_bits, 2, "fraction")]
        x = 0
        for width, color, _ in fields:
            for _ in range(width):
                ax.add_patch(Rectangle((x, y), 0.94, 1, facecolor=COLORS[color], alpha=0.35, linewidth=0))
                ax.add_patch(Rectangle((x, y), 0.94, 1, fill=False, edgecolor=COLORS[color], linewidth=0.9))
                x += 1
        ax.text(-0.5, y + 0.5, form.name, ha="right", va="center", fontsize=9.5)
        ax.text(
            x + 0.4, y + 0.5, f"1 + {form.exponent_bits} + {form.fraction_bits}", va="center", fontsize=9, color=MUTED
        )
    bottom = 1.5 * len(forms) + 0.3
    for number, (name, color) in enumerate((("sign", 1), ("exponent", 0), ("fraction", 2))):
        ax.add_patch(Rectangle((11 * number, bottom), 0.94, 1, facecolor=COLORS[color], alpha=0.35, linewidth=0))
        ax.text(11 * number + 1.4, bottom + 0.5, name, va="center", fontsize=9.5)
    canvas(ax, 38.5, bottom + 1.2, left=-6.5, top=-0.3)


def draw_values(ax, values, low, high):
    """Draw the numbers that small formats have between two ends, as marks on a line for each.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : dict of str to ndarray
        For each format its finite numbers.
    low, high : float
    """
    for row, numbers in enumerate(values.values()):
        shown = np.unique(numbers[(numbers >= low) & (numbers <= high)])
        ax.axhline(row, color=GRID, linewidth=1, zorder=0)
        ax.vlines(shown, row - 0.28, row + 0.28, color=f"C{row}", linewidth=1.1)
    ax.set_yticks(range(len(values)), list(values))
    ax.set(ylim=(len(values) - 0.5, -0.5), xlim=(low, high))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def draw_roofline(ax, machines, points=(), *, intensities=(2**-5, 2**10), unit=1e9):
    """Draw the rooflines of machines, and programs below them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    machines : dict of str to mlcourse.gpu.roofline.Roofline
    points : dict of str to (float, float)
        For each program its arithmetic intensity and its operations a second.
    intensities : tuple of float
        The two ends of the horizontal axis.
    unit : float
        Operations a second that are 1 on the vertical axis: 1e9 or 1e12.
    """
    ends = np.array(intensities, dtype=float)
    for number, (name, machine) in enumerate(machines.items()):
        x = np.sort(np.append(ends, np.clip(machine.ridge, *ends)))
        ax.plot(x, machine.attainable(x) / unit, linestyle=_LINES[number % len(_LINES)], color=f"C{number}", label=name)
    for number, (name, (intensity, rate)) in enumerate(dict(points).items()):
        marker = _MARKERS[number % len(_MARKERS)]
        ax.plot(intensity, rate / unit, marker, color=INK, markersize=6, linestyle="none", label=name)
    prefix = {1e9: "billions of", 1e12: "trillions of"}[unit]
    ax.set(xscale="log", yscale="log", xlim=ends, xlabel="arithmetic intensity (operations per byte)")
    ax.set_ylabel(f"{prefix} operations a second")
    ax.grid(True, which="major", color=GRID, linewidth=0.6)
    ax.set_axisbelow(True)


def draw_intervals(ax, found):
    """Draw values with their intervals, a row for each.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict of str to (float, float, float)
        For each name the value, and the lower and upper end of its interval.
    """
    for row, (value, low, high) in enumerate(found.values()):
        ax.plot([low, high], [row, row], color="C0", linewidth=2)
        ax.plot(value, row, "o", color="C0", markersize=6)
    ax.axvline(0, color=INK, linewidth=1, linestyle=":")
    ax.set_yticks(range(len(found)), list(found))
    ax.set_ylim(len(found) - 0.5, -0.5)
