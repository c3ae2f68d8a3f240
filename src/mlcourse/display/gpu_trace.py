"""Pictures of what a warp asks of memory, from the requests that `kernel.profile` keeps: sectors, banks, places in a matrix."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Rectangle

from mlcourse.display.style import COLORS, GRID, INK, MUTED, PAPER

__all__ = ["WARP", "draw_banks", "draw_matrix", "draw_sectors", "draw_tile", "find_request", "passes_of", "sectors_of"]

WARP = 32
SECTOR = 32  # bytes
BANKS, WORD = 32, 4


def find_request(profile, array, operation="load", *, number=0, line=None):
    """Find a request in the trace of a profile.

    Parameters
    ----------
    profile : mlcourse.gpu.executor.profile.Profile
    array : str
        The array or shared variable, as the kernel calls it.
    operation : {"load", "store", "atomic"}
    number : int
        Which of them, in the order in which they were made.
    line : int, optional
        Only those of this line of the source.

    Returns
    -------
    mlcourse.gpu.executor.profile.Request

    Raises
    ------
    ValueError
        If there is none; the message lists what there is.

    Examples
    --------
    >>> from mlcourse.gpu import Kernel
    >>> source = "__global__ void twice(float* x) { x[threadIdx.x] *= 2; }"
    >>> profile = Kernel(source, "twice").profile[1, 64](np.ones(64, np.float32))
    >>> find_request(profile, "x", "store", number=1).warp
    1
    """
    found = [
        request
        for request in profile.trace
        if (request.array, request.operation) == (array, operation) and line in (None, request.line)
    ]
    if not 0 <= number < len(found):
        kept = sorted({f"{r.operation} of {r.array!r} at line {r.line}" for r in profile.trace})
        asked = f"{operation} of {array!r}" + (f" at line {line}" if line else "")
        raise ValueError(
            f"the trace has {len(found)} requests for a {asked}, and no number {number}; it has: {'; '.join(kept)}"
        )
    return found[number]


def sectors_of(request):
    """Return the numbers of the sectors that a request touches, in ascending order.

    Parameters
    ----------
    request : mlcourse.gpu.executor.profile.Request
        To global memory.

    Returns
    -------
    ndarray of int
        Counted from the beginning of the array.
    """
    first, last = request.offsets // SECTOR, (request.offsets + request.size - 1) // SECTOR
    return np.unique(np.concatenate([first, last]))


def passes_of(request):
    """Distribute the words of a request to shared memory over passes: in each of them, every bank serves one word.

    Parameters
    ----------
    request : mlcourse.gpu.executor.profile.Request
        To shared memory.

    Returns
    -------
    list of dict of int to list of int
        For each pass, the lanes that each bank serves. Accesses of 8 and 16 bytes go by half and quarter warps.
    """
    together = max(WARP * WORD // max(request.size, WORD), 1)
    passes = []
    for first in range(0, WARP, together):
        words = {}
        for lane, offset in zip(request.lanes, request.offsets, strict=True):
            if first <= lane < first + together:
                for word in range(offset // WORD, (offset + request.size - 1) // WORD + 1):
                    key = (word, lane) if request.operation == "atomic" else word
                    words.setdefault(key, (word % BANKS, []))[1].append(int(lane))
        queues = {}
        for _, (bank, lanes) in sorted(words.items()):
            queues.setdefault(int(bank), []).append(lanes)
        longest = max(map(len, queues.values()), default=0)
        passes += [{bank: queue[k] for bank, queue in queues.items() if k < len(queue)} for k in range(longest)]
    return passes


def draw_sectors(ax, request, *, title=None, most=32):
    """Draw the lanes of a warp, the sectors that they touch, and which bytes of these were asked for.

    Sectors that are not neighbors in memory are drawn side by side with a gap.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        About 6.4 × 1.6 inches for up to 32 sectors.
    request : mlcourse.gpu.executor.profile.Request
        To global memory.
    title : str, optional
        Written before the numbers above the picture.
    most : int
        Of sectors that are drawn.
    """
    sectors = sectors_of(request)
    shown = sectors[:most]
    gaps = np.concatenate([[0], np.cumsum(np.diff(shown) > 1)])
    left = {int(s): i + 0.35 * gap for i, (s, gap) in enumerate(zip(shown, gaps, strict=True))}
    width = len(shown) + 0.35 * gaps[-1]
    step = width / WARP
    asked = _bytes_asked(request)
    boxes, lines = [], []
    for sector, x in left.items():
        ax.add_patch(Rectangle((x, 0), 1, 1, facecolor=GRID, alpha=0.35, linewidth=0))
        for start, end in _runs(asked[(asked >= sector * SECTOR) & (asked < (sector + 1) * SECTOR)] - sector * SECTOR):
            boxes.append(Rectangle((x + start / SECTOR, 0), (end - start) / SECTOR, 1))
        ax.add_patch(Rectangle((x, 0), 1, 1, fill=False, edgecolor=INK, linewidth=0.9, zorder=3))
    for lane, offset in zip(request.lanes, request.offsets, strict=True):
        sector = int(offset) // SECTOR
        if sector in left:
            inside = (offset % SECTOR + min(request.size, SECTOR - offset % SECTOR) / 2) / SECTOR
            lines.append([((lane + 0.5) * step, 2.2), (left[sector] + inside, 1.0)])
    ax.add_collection(PatchCollection(boxes, facecolor=COLORS[0], edgecolor=COLORS[0], alpha=0.75, linewidth=0.8))
    ax.add_collection(LineCollection(lines, colors=MUTED, linewidths=0.7))
    for lane in range(WARP):
        active = lane in request.lanes
        look = {"facecolor": COLORS[2] if active else PAPER, "alpha": 0.55 if active else 1}
        ax.add_patch(Rectangle((lane * step, 2.2), step, 0.7, linewidth=0, **look))
        ax.add_patch(Rectangle((lane * step, 2.2), step, 0.7, fill=False, edgecolor=MUTED, linewidth=0.5))
    small = {"va": "center", "fontsize": 8.5, "color": INK}
    ax.text(-0.015 * width, 2.55, "lanes", ha="right", **small)
    ax.text(-0.015 * width, 0.5, "sectors", ha="right", **small)
    ax.set_title(_sector_title(request, sectors, asked, title, len(shown)), fontsize=9.5, loc="left")
    ax.set(xlim=(-0.12 * width, 1.01 * width), ylim=(-0.1, 3.05))
    ax.axis("off")


def _bytes_asked(request):
    return np.unique((request.offsets[:, None] + np.arange(request.size)).ravel())


def _runs(values):
    """Split ascending integers into runs of neighbors: pairs of first and one past the last."""
    if len(values) == 0:
        return []
    cuts = np.flatnonzero(np.diff(values) > 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(values, cuts)]


def _sector_title(request, sectors, asked, title, shown):
    used = f"{len(asked):,} of {SECTOR * len(sectors):,} bytes used"
    many = f"{len(sectors)} sector{'s' * (len(sectors) != 1)}, {used}"
    text = f"{title}: {many}" if title else f"{request.operation} of {request.array}: {many}"
    return text + (f" ({shown} drawn)" if shown < len(sectors) else "")


def draw_banks(ax, request, *, title=None):
    """Draw which bank serves which lane in which pass: one row for a pass, one column for a bank.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    request : mlcourse.gpu.executor.profile.Request
        To shared memory.
    title : str, optional
        Written before the number of passes.
    """
    passes = passes_of(request)
    size = 6 if len(passes) <= 16 else 5
    for row, served in enumerate(passes):
        for bank, lanes in served.items():
            ax.add_patch(Rectangle((bank, row), 1, 1, facecolor=COLORS[0], alpha=0.3, linewidth=0))
            ax.add_patch(Rectangle((bank, row), 1, 1, fill=False, edgecolor=INK, linewidth=0.7))
            text = str(lanes[0]) if len(lanes) == 1 else "all" if len(lanes) == WARP else f"×{len(lanes)}"
            ax.text(bank + 0.5, row + 0.52, text, ha="center", va="center", fontsize=size)
    for bank in range(BANKS + 1):
        ax.plot([bank, bank], [0, len(passes)], color=GRID, linewidth=0.5, zorder=0)
    many = f"{len(passes)} pass{'es' * (len(passes) != 1)}"
    ax.set_title(f"{title}: {many}" if title else many, fontsize=9.5, loc="left")
    ax.set(xlim=(0, BANKS), ylim=(len(passes), 0), xlabel="bank", ylabel="pass")
    ax.set_xticks(np.arange(0, BANKS, 4) + 0.5, range(0, BANKS, 4))
    step = 1 if len(passes) <= 8 else 8
    ax.set_yticks(np.arange(0, len(passes), step) + 0.5, range(1, len(passes) + 1, step))
    ax.tick_params(length=0, labelsize=8)


def draw_tile(ax, request, pitch, *, rows=None, bank=None, mark=True, title=None):
    """Draw a table in shared memory: what a request touches, and where one bank has its words.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    request : mlcourse.gpu.executor.profile.Request
        To a shared variable that begins at bank 0, of 4 bytes a lane.
    pitch : int
        Words in a row of the table, with padding.
    rows : int, optional
        Of the table; as many as the request needs if left out.
    bank : int, optional
        The bank to mark; that of the first lane if left out.
    mark : bool
        Whether to mark a bank at all.
    title : str, optional
    """
    words = request.offsets // WORD
    rows = int(words.max()) // pitch + 1 if rows is None else rows
    bank = int(words[0]) % BANKS if bank is None else bank
    cells = np.arange(rows * pitch)
    touched = [_cell(word, pitch) for word in words]
    marked = [_cell(word, pitch) for word in cells[cells % BANKS == bank]]
    both = len({*map(int, words)} & {*map(int, cells[cells % BANKS == bank])})
    ax.add_collection(
        PatchCollection([_cell(word, pitch) for word in cells], facecolor="none", edgecolor=GRID, linewidth=0.5)
    )
    ax.add_collection(PatchCollection(touched, facecolor=COLORS[0], alpha=0.45, linewidth=0))
    text = f"{len(words)} lanes"
    if mark:
        ax.add_collection(PatchCollection(marked, facecolor="none", edgecolor=COLORS[1], linewidth=1.3, zorder=3))
        text = f"{both} of {text} want bank {bank}"
    ax.set_title(f"{title}: {text}" if title else text, fontsize=9.5)
    ax.set(
        xlim=(-0.3, pitch + 0.3),
        ylim=(rows + 0.3, -0.3),
        aspect="equal",
        xlabel="column of the tile",
        ylabel="row of the tile",
    )
    ax.tick_params(length=0, labelsize=8)


def _cell(word, pitch):
    row, column = divmod(int(word), pitch)
    return Rectangle((column, row), 1, 1)


def draw_matrix(ax, request, shape, *, title=None, itemsize=4, corner=None):
    """Draw where in a row-major matrix a warp's request goes, and which sectors come along.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    request : mlcourse.gpu.executor.profile.Request
        To global memory.
    shape : tuple of int
        Rows and columns of the matrix.
    title : str, optional
    itemsize : int
        Bytes of an element.
    corner : int, optional
        How many rows and columns from the upper left corner are drawn; the whole matrix if left out.
    """
    rows, columns = shape if corner is None else (min(corner, shape[0]), min(corner, shape[1]))
    sectors = sectors_of(request)
    elements = np.unique(request.offsets // itemsize)
    along = np.unique((sectors[:, None] * SECTOR + np.arange(0, SECTOR, itemsize)).ravel() // itemsize)
    draw = lambda items, **look: ax.add_collection(  # noqa: E731
        PatchCollection([_cell(i, shape[1]) for i in items if i // shape[1] < rows and i % shape[1] < columns], **look)
    )
    draw(np.setdiff1d(along, elements), facecolor=GRID, edgecolor=MUTED, linewidth=0.3, alpha=0.8)
    draw(elements, facecolor=COLORS[0], edgecolor=INK, linewidth=0.3)
    ax.add_patch(Rectangle((0, 0), columns, rows, fill=False, edgecolor=MUTED, linewidth=1))
    text = f"{len(sectors)} sector{'s' * (len(sectors) != 1)}"
    ax.set_title(f"{title}: {text}" if title else text, fontsize=9.5)
    ax.set(xlim=(-0.5, columns + 0.5), ylim=(rows + 0.5, -0.5), aspect="equal", xlabel="column", ylabel="row")
    ax.tick_params(length=0, labelsize=8)
