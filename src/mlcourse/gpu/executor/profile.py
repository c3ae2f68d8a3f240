"""What a kernel asks of the memory system of a GPU, line by line."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np

from mlcourse.gpu.executor.faults import source_line


@dataclass(frozen=True)
class LineCount:
    """What one line of a kernel asks of the memory system with one kind of access.

    Attributes
    ----------
    line : int
        Of the source.
    operation : {"load", "store", "atomic"}
        What it does.
    space : {"global", "shared"}
        Which memory.
    array : str
        The array or variable.
    size : int
        Bytes of each thread.
    requests : int
        Instructions of whole warps.
    transfers, ideal : int
        Global memory: sectors of 32 bytes that are moved, and the fewest that could hold the bytes asked for. Shared
        memory: passes over the 32 banks, and how many there would be without conflicts.
    bytes : int
        Asked for by all threads together.
    """

    line: int
    operation: str
    space: str
    array: str
    size: int
    requests: int
    transfers: int
    ideal: int
    bytes: int

    @property
    def moved(self):
        """Bytes that go over the bus to global memory; 0 for shared memory."""
        return 32 * self.transfers if self.space == "global" else 0

    @property
    def ratio(self):
        """Transfers over their ideal: 1 is the best."""
        return self.transfers / self.ideal


@dataclass(frozen=True)
class Request:
    """One instruction of one warp: which thread touches which address.

    Attributes
    ----------
    line : int
        Of the source.
    operation, space, array : str
        As in `LineCount`.
    size : int
        Bytes of each thread.
    block, warp : int
        Number of the block in the grid, and of the warp in the block.
    lanes, offsets : ndarray of int
        The lanes that take part, and for each its place in the array in bytes.
    """

    line: int
    operation: str
    space: str
    array: str
    size: int
    block: int
    warp: int
    lanes: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class Profile:
    """What a kernel asks of the memory system.

    Attributes
    ----------
    lines : tuple of LineCount
        In the order of the source.
    trace : tuple of Request
        The first requests of each line, for pictures.
    flops : float or None
        Arithmetic operations of the whole launch, as its author gave them.
    source, kernel : str
        What was run, and how.
    """

    lines: tuple
    trace: tuple = field(repr=False)
    flops: float | None
    source: str = field(repr=False)
    kernel: str

    @property
    def sectors(self):
        """Sectors of 32 bytes moved from and to global memory."""
        return sum(line.transfers for line in self.lines if line.space == "global")

    @property
    def bank_passes(self):
        """Passes over the banks of shared memory."""
        return sum(line.transfers for line in self.lines if line.space == "shared")

    @property
    def bytes_moved(self):
        """Bytes moved from and to global memory, without any cache."""
        return 32 * self.sectors

    @property
    def intensity(self):
        """Arithmetic operations for each byte moved; None if their number was not given."""
        return None if self.flops is None else self.flops / self.bytes_moved

    def __str__(self):
        rows = [_HEADER, *(_row(line, self.source) for line in self.lines)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
        lines = [
            "  ".join(
                cell.ljust(w) if i in _LEFT else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self.kernel, "", *lines, "", self._total()])

    def _total(self):
        text = f"{self.bytes_moved:,} bytes moved from and to global memory, {self.bank_passes:,} passes over the banks of shared memory"
        return text + (f"; {self.intensity:.3g} operations for each byte" if self.flops is not None else "")

    def _repr_html_(self):
        def cells(row, tag):
            return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)

        rows = (_row(line, self.source) for line in self.lines)
        body = "".join(f"<tr>{cells(row, 'td')}<td><code>{html.escape(code)}</code></td></tr>" for *row, code in rows)
        caption = f"<caption>{html.escape(self.kernel)}: {html.escape(self._total())}</caption>"
        head = f"{caption}<thead><tr>{cells(_HEADER, 'th')}</tr></thead>"
        return f'<table class="dataframe">{head}<tbody>{body}</tbody></table>'


_HEADER = ("line", "access", "array", "requests", "moved in", "ideal", "ratio", "source")
_LEFT = (1, 2, 7)


def _row(line, source):
    unit = "sectors" if line.space == "global" else "passes"
    what = f"{line.space} {line.operation} {line.size} B"
    ratio = f"{line.ratio:.2f}×" if line.ideal else "–"
    return (
        str(line.line),
        what,
        line.array,
        f"{line.requests:,}",
        f"{line.transfers:,} {unit}",
        f"{line.ideal:,}",
        ratio,
        source_line(source, line.line)[:60],
    )
