"""What a checked run found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """Something that a kernel does wrong.

    Attributes
    ----------
    kind : str
        "race", "out-of-bounds", "misaligned", "uninitialized", "unwritten", "divergent-barrier", "early-exit", "deadlock",
        "warp-function", "async-copy", "local-memory", "read-only", "trap", "crash", "time-limit" or "launch".
    message : str
        What happened, in a sentence.
    line, other_line : int or None
        Of the source, from 1; the other line of two that do not go together.
    thread, block, other_thread, other_block : tuple of int or None
        Who did it first, as (x, y, z).
    array : str or None
        The array, as the kernel names it.
    index : tuple of int or None
        The element of the array.
    count : int
        How often it happened.
    cause : str or None
        What such faults usually come from.
    """

    kind: str
    message: str
    line: int | None = None
    other_line: int | None = None
    thread: tuple | None = None
    block: tuple | None = None
    other_thread: tuple | None = None
    other_block: tuple | None = None
    array: str | None = None
    index: tuple | None = None
    count: int = 1
    cause: str | None = None

    def __str__(self):
        return f"{self.kind}" + (f" at line {self.line}" if self.line else "") + f": {self.message}"


@dataclass(frozen=True)
class Report:
    """What a checked run found.

    Attributes
    ----------
    faults : tuple of Fault
        One for each pair of lines, in the order in which they were found.
    notes : tuple of Fault
        What is not wrong but worth knowing: threads that write the same value to the same place.
    written : dict of str to ndarray of bool
        For each array that the kernel may write, which elements it has written.
    source, kernel : str
        What was run, and how.
    """

    faults: tuple
    notes: tuple
    written: dict = field(repr=False)
    source: str = field(repr=False)
    kernel: str

    @property
    def ok(self):
        """Whether nothing is wrong."""
        return not self.faults

    def __str__(self):
        if self.ok and not self.notes:
            return f"{self.kernel}: no faults"
        many = f"{len(self.faults)} fault{'s' * (len(self.faults) != 1)}" if self.faults else "no faults"
        parts = [f"{self.kernel}: {many}"]
        parts += [show_fault(f"{i}. ", fault, self.source) for i, fault in enumerate(self.faults, 1)]
        parts += [show_fault("note: ", note, self.source, cause=False) for note in self.notes]
        return "\n\n".join(parts)

    def _repr_pretty_(self, printer, cycle):  # what a notebook shows
        printer.text(str(self))


def source_line(source, line):
    """Return a line of the source without its indentation; "" if there is no such line."""
    lines = source.splitlines()
    return lines[line - 1].strip() if line and 0 < line <= len(lines) else ""


def show_fault(head, fault, source, *, cause=True):
    """Return a fault as people read it: what, where in the source, who, and why."""
    often = f" ({fault.count:,} times)" if fault.count > 1 else ""
    rows = [f"{head}{fault.kind}{often}"]
    rows += [
        f"   line {line:>3}: {source_line(source, line)}"
        for line in dict.fromkeys((fault.line, fault.other_line))
        if line
    ]
    rows.append(f"   {fault.message}")
    if cause and fault.cause:
        rows.append(f"   Usual cause: {fault.cause}")
    return "\n".join(rows)


def launch_fault(kernel, error):
    """Return the report of a launch that cannot be made."""
    return Report((Fault("launch", str(error)),), (), {}, kernel.source, kernel.name)


def shown_launch(kernel, config):
    """Return a launch as CUDA writes it."""
    smem = f", {config.smem}" if config.smem else ""
    return f"{kernel.name}<<<{_sizes(config.grid)}, {_sizes(config.block)}{smem}>>>"


def _sizes(sizes):
    used = max((i for i, size in enumerate(sizes) if size != 1), default=0) + 1
    return str(sizes[0]) if used == 1 else "(" + ", ".join(map(str, sizes[:used])) + ")"
