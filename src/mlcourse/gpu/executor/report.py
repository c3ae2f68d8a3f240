"""What a checked run found, and what a profile counted, for people and for programs."""

from __future__ import annotations

import html
import re
import signal
import subprocess
from dataclasses import dataclass, field, replace

import numpy as np

from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.executor.build import FILE
from mlcourse.gpu.executor.declarations import element, element_types

KINDS = (
    "race", "out-of-bounds", "misaligned", "uninitialized", "divergent-barrier", "early-exit", "deadlock", "warp-function",
    "async-copy", "local-memory", "read-only", "trap",
)  # fmt: skip
_PLACE = 0x80000000
_READ, _WRITE, _ATOMIC = range(3)
_DID = {_READ: "reads", _WRITE: "writes", _ATOMIC: "updates"}
_DYNAMIC, _DECLARED, _VARIABLES = -3, -5, -10

CAUSES = {
    "out-of-bounds": "a missing guard such as if (i < n), or an index computed for another shape.",
    "misaligned": "a pointer cast to a wider type, such as float4, whose address is not a multiple of that type's size.",
    "uninitialized": "not all threads wrote their part, or it is read before it was written.",
    "unwritten": "too few blocks or threads, or a guard that leaves out the last elements.",
    "divergent-barrier": "__syncthreads() inside an if or a loop that not all threads of the block run alike.",
    "early-exit": "a return in front of a __syncthreads(), or a __syncthreads() inside an if.",
    "deadlock": "a mask that names lanes which do not come to the same call.",
    "warp-function": "a mask that does not name exactly the lanes that call the function.",
    "async-copy": "a missing __pipeline_wait_prior(…), or one that leaves too many copies in flight.",
    "local-memory": "the address of a local variable was given to another thread; each thread sees only its own.",
    "read-only": "const was cast away; declare the parameter without const.",
}
_RACE_IN_WARP = (
    "a missing __syncwarp() or __syncthreads(): the lanes of a warp do not run in step, and a shuffle orders no memory."
)
_RACE_IN_BLOCK = "a missing __syncthreads() between what one warp writes and another reads, or a missing atomic."
_RACE_OF_BLOCKS = (
    "blocks run in any order and do not wait for each other: use an atomic, write to different places, or launch twice. "
    "A counter that tells the last block needs a __threadfence() before it."
)


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
        parts += [_block(f"{i}. ", fault, self.source) for i, fault in enumerate(self.faults, 1)]
        parts += [_block("note: ", note, self.source, cause=False) for note in self.notes]
        return "\n\n".join(parts)

    def _repr_html_(self):
        return f"<pre>{html.escape(str(self))}</pre>"


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

        body = "".join(f"<tr>{cells(_row(line, self.source), 'td')}</tr>" for line in self.lines)
        caption = f"<caption>{html.escape(self.kernel)}: {html.escape(self._total())}</caption>"
        return f"<table>{caption}<thead><tr>{cells(_HEADER, 'th')}</tr></thead><tbody>{body}</tbody></table>"


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
        _source_line(source, line.line)[:60],
    )


def _source_line(source, line):
    lines = source.splitlines()
    return lines[line - 1].strip() if line and 0 < line <= len(lines) else ""


def _block(head, fault, source, *, cause=True):
    often = f" ({fault.count:,} times)" if fault.count > 1 else ""
    rows = [f"{head}{fault.kind}{often}"]
    rows += [
        f"   line {line:>3}: {_source_line(source, line)}"
        for line in dict.fromkeys((fault.line, fault.other_line))
        if line
    ]
    rows.append(f"   {fault.message}")
    if cause and fault.cause:
        rows.append(f"   Usual cause: {fault.cause}")
    return "\n".join(rows)


def make_report(kernel, outcome):
    """Read a checked run.

    Parameters
    ----------
    kernel : mlcourse.gpu.Kernel
        What ran.
    outcome : mlcourse.gpu.executor.launch.Outcome
        What the process answered.

    Returns
    -------
    Report
    """
    reader = Reader(kernel, outcome)
    found = _merge([*reader.faults(), *reader.warnings()])
    written = reader.written()
    found += [fault for name in outcome.options.outputs if (fault := _unwritten(name, written)) is not None]
    faults = tuple(fault for fault, is_note in found if not is_note)
    notes = tuple(fault for fault, is_note in found if is_note)
    return Report(faults, notes, written, kernel.source, shown_launch(kernel, outcome.config))


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


def _unwritten(name, written):
    mask = written.get(name)
    if mask is None or mask.all():
        return None
    missing = np.argwhere(~mask)
    first = tuple(int(i) for i in missing[0])
    message = f"{len(missing):,} of {mask.size:,} elements of {name!r} were never written, the first at {_index(first)}"
    return Fault("unwritten", message, array=name, index=first, count=len(missing), cause=CAUSES["unwritten"]), False


def _merge(found):
    """Make one fault of all that concern the same two lines."""
    merged = {}
    for fault, is_note in found:
        key = (fault.kind, *sorted((fault.line or 0, fault.other_line or 0)), fault.array, is_note)
        if key in merged:
            first, _ = merged[key]
            merged[key] = replace(first, count=first.count + fault.count), is_note
        else:
            merged[key] = fault, is_note
    order = sorted(merged, key=lambda key: key[0] == "uninitialized")  # often the race is why
    merged = {key: merged[key] for key in order}
    racing = {key[:4] for key in merged if not key[4]}
    return [item for key, item in merged.items() if not (key[4] and key[:4] in racing)]


def raise_if_failed(kernel, outcome):
    """Raise if a plain run did not come to its end.

    Raises
    ------
    KernelError
        With the line, the thread and what to do.
    """
    if outcome.answer is not None and not re.search(r"^(abandoned|crash) ", outcome.answer, re.M):
        return
    faults = [fault for fault, is_note in Reader(kernel, outcome).faults() if not is_note]
    launched = shown_launch(kernel, outcome.config)
    text = "\n".join(_block("", fault, kernel.source) for fault in faults[-1:]) or "   the run ended without a reason"
    hint = (
        ""
        if faults and faults[-1].kind in ("time-limit", "trap")
        else "\n  hint: kernel.check[…](…) looks at every access and names the cause"
    )
    raise KernelError(f"{launched} failed: {text.strip()}{hint}")


def make_profile(kernel, outcome, flops):
    """Read a profiled run.

    Parameters
    ----------
    kernel : mlcourse.gpu.Kernel
        What ran.
    outcome : mlcourse.gpu.executor.launch.Outcome
        What the process answered.
    flops : float or None
        Arithmetic operations of the launch.

    Returns
    -------
    Profile
    """
    raise_if_failed(kernel, outcome)
    reader = Reader(kernel, outcome)
    return Profile(reader.lines(), reader.trace(), flops, kernel.source, shown_launch(kernel, outcome.config))


class Reader:
    """Turns the numbers that the process answered into lines, names and sentences."""

    def __init__(self, kernel, outcome):
        self.kernel, self.outcome = kernel, outcome
        self.rows = [line.split(" ") for line in (outcome.answer or "").splitlines()]
        self._line_of = self._find_lines()
        self._types = element_types(kernel.source, kernel.name)

    def faults(self):
        """Return each fault, and whether it is only a note."""
        found = []
        for row in self.rows:
            if row[0] == "fault":
                found.append((self._fault(*map(int, row[1:])), bool(int(row[15]))))
            elif row[0] == "array":
                fault, note = found[-1]
                name = re.sub(r"'([^']*?) (\[.*)'", r"\1\2", " ".join(row[1:]))
                found[-1] = replace(fault, message=fault.message.replace("ARRAY", name)), note
            elif row[0] == "crash":
                found.append((self._crash(*map(int, row[1:])), False))
            elif row[0] == "abandoned":
                reason = " ".join(row[1:])
                if found and found[-1][0].kind == "trap":
                    found[-1] = replace(found[-1][0], message=f"{self._who(found[-1][0])}: {reason}"), False
                elif not found:
                    found.append((Fault("crash", reason), False))
        if self.outcome.answer is None:
            found.append((Fault("time-limit", self._too_long()), False))
        return found

    def warnings(self):
        """Return what the compiler noticed."""
        cause = "a variable declared without a value, such as float sum; for float sum = 0;"
        return [
            (Fault("uninitialized", f"{text}.", line, cause=cause), False)
            for line, text in self.outcome.program.warnings
        ]

    def written(self):
        """For each writable array, which of its elements were written."""
        masks = {}
        for memory in self.outcome.memories:
            for array, offset, parameter in memory.arrays:
                if memory.written is None or parameter.const:
                    continue
                mask = memory.written[offset : offset + array.nbytes].reshape(-1, array.itemsize).all(axis=1)
                masks[parameter.name] = mask.reshape(array.shape)
        return masks

    def lines(self):
        """Return the counts of each line."""
        merged = {}
        for site in self._sites():
            key = (site.line, site.space, site.operation, site.array, site.size)
            old = merged.get(key)
            if old is not None:
                site = replace(
                    old,
                    **{
                        name: getattr(old, name) + getattr(site, name)
                        for name in ("requests", "transfers", "ideal", "bytes")
                    },
                )
            merged[key] = site
        return tuple(sorted(merged.values(), key=lambda site: (site.line, site.space, site.operation)))

    def trace(self):
        """Return the requests that were kept."""
        sites, found = self._sites(), []
        for row in self.rows:
            if row[0] != "request":
                continue
            number, block, warp, mask, *offsets = map(int, row[1:])
            site = sites[number]
            lanes = np.flatnonzero([mask >> lane & 1 for lane in range(32)])
            found.append(
                Request(
                    site.line, site.operation, site.space, site.array, site.size, block, warp, lanes, np.array(offsets)
                )
            )
        return tuple(found)

    def _sites(self):
        sites = []
        for row in self.rows:
            if row[0] != "access":
                continue
            site, write, atomic, shared, memory, size, requests, lanes, transfers, ideal = map(int, row[1:])
            operation = "atomic" if atomic else "store" if write else "load"
            space = "shared" if shared else "global"
            sites.append(
                LineCount(
                    self._line_of[site] or 0,
                    operation,
                    space,
                    self._memory_name(memory),
                    size,
                    requests,
                    transfers,
                    ideal,
                    lanes * size,
                )
            )
        return sites

    def _find_lines(self):
        columns = {"fault": (2, 3), "access": (1,), "crash": (2, 10)}
        sites = {int(row[column]) for row in self.rows for column in columns.get(row[0], ())}
        lines = {site: _line(site) for site in sites}
        addresses = sorted(site for site in sites if 0 < site < _PLACE)
        return lines | dict(zip(addresses, _lines_of_addresses(self.outcome.program.path, addresses), strict=True))

    def _coordinates(self, number, sizes):
        return (number % sizes[0], number // sizes[0] % sizes[1], number // sizes[0] // sizes[1])

    def _who(self, fault):
        return f"thread {_index(fault.thread, self.outcome.config.block)} of block {_index(fault.block, self.outcome.config.grid)}"

    def _other(self, fault):
        if fault.other_block == fault.block:
            return f"thread {_index(fault.other_thread, self.outcome.config.block)} of the same block"
        other = replace(fault, thread=fault.other_thread, block=fault.other_block)
        return self._who(other)

    def _memory_name(self, memory):
        if memory >= 0:
            return self.outcome.memories[memory].names[0]
        return self._variable(memory)[0]

    def _variable(self, memory):
        """Return the name, what kind of variable it is, and its bytes."""
        program = self.outcome.program
        number = _VARIABLES - memory
        if memory == _DYNAMIC:
            return program.dynamic or "dynamic shared memory", "dynamic shared array", self.outcome.config.smem
        if number < len(program.shared):
            name, _, size, _ = program.shared[number]
            return name, "shared array" if self._types.get(name, (0, ()))[1] else "shared variable", size
        name, _, size, _ = program.variables[number - len(program.shared)]
        return name, "global variable", size

    def _element(self, memory, offset):
        """Return an element's index and how to say it."""
        if memory < 0:
            name, kind, size = self._variable(memory)
            index = element(offset, self._types.get(name), size)
            place = f"byte {offset} of " if index is None else f"element {_index(index)} of " if index else ""
            return index or None, f"{place}the {kind} {name!r}"
        array, start, _ = self.outcome.memories[memory].arrays[0]
        position = (offset - start) // array.itemsize
        if not 0 <= position < array.size:
            return None, f"{self._memory_name(memory)!r}"
        index = tuple(int(i) for i in np.unravel_index(position, array.shape))
        return index, f"element {_index(index)} of {self._memory_name(memory)!r}"

    def _fault(
        self,
        kind,
        site,
        other,
        count,
        block,
        thread,
        other_block,
        other_thread,
        memory,
        offset,
        size,
        operation,
        other_operation,
        detail,
        note,
    ):
        config = self.outcome.config
        index, element = self._element(memory, offset) if memory not in (-1, _DECLARED) else (None, "")
        fault = Fault(
            KINDS[kind], "", self._line_of.get(site), self._line_of.get(other),
            self._coordinates(thread, config.block), self._coordinates(block, config.grid),
            array=None if memory in (-1, _DECLARED) else self._memory_name(memory), index=index, count=count,
        )  # fmt: skip
        if KINDS[kind] in ("race", "divergent-barrier", "early-exit", "async-copy", "deadlock") or detail == 2:
            fault = replace(
                fault,
                other_thread=self._coordinates(other_thread, config.block),
                other_block=self._coordinates(other_block, config.grid),
            )
        say = getattr(self, "_say_" + KINDS[kind].replace("-", "_"))
        access = _Access(memory, offset, size, operation, other_operation, detail, bool(note), element)
        return replace(
            fault,
            message=say(fault, access),
            cause=self._cause_of_race(fault) if fault.kind == "race" else CAUSES.get(fault.kind),
        )

    def _cause_of_race(self, fault):
        if fault.block != fault.other_block:
            return _RACE_OF_BLOCKS
        return _RACE_IN_WARP if self._same_warp(fault) else _RACE_IN_BLOCK

    def _same_warp(self, fault):
        return (
            fault.block == fault.other_block
            and self._number(fault.thread) // 32 == self._number(fault.other_thread) // 32
        )

    def _say_race(self, fault, access):
        same = (
            ": the same value, so that the order does not matter"
            if access.note
            else ", and nothing decides which comes first"
        )
        where = " (both in one warp)" if self._same_warp(fault) else ""
        other = f"{self._other(fault)} {_DID[access.other_operation]}"
        return f"{self._who(fault)} {_DID[access.operation]} {access.element}, which {other}{where}{same}."

    def _number(self, thread):
        x, y, _ = self.outcome.config.block
        return thread[0] + x * (thread[1] + y * thread[2])

    def _say_out_of_bounds(self, fault, access):
        did = _DID[access.operation]
        if access.memory == _DECLARED:
            return f"{self._who(fault)} uses index {access.offset} of an array declared as ARRAY."
        if access.memory == -1:
            return f"{self._who(fault)} {did} {access.size} bytes at address {access.offset & (2**64 - 1):#x}, far from every array."
        if access.memory == _DYNAMIC:
            return f"{self._who(fault)} {did} {access.element}; the launch gave it {self.outcome.config.smem} bytes."
        if access.memory <= _VARIABLES:
            return f"{self._who(fault)} {did} {access.size} bytes outside of every variable, the nearest is {self._memory_name(access.memory)!r}."
        return (
            f"{self._who(fault)} {did} {self._how_far(access)}."
            if fault.line
            else f"The kernel writes {self._how_far(access)}."
        )

    def _how_far(self, access):
        memory = self.outcome.memories[access.memory]
        array = memory.arrays[0][0]
        name, step = self._memory_name(access.memory), array.itemsize
        shape = (
            f"{name!r}, which has shape {array.shape}"
            if array.ndim != 1
            else f"{name!r}, which has {array.size} elements"
        )
        if access.offset < 0:
            return f"{_amount(-access.offset, step)} before the beginning of {shape}"
        if access.offset < memory.size:
            return f"{access.size} bytes over the end of {shape}"
        return f"{_amount(access.offset - memory.size, step, 1)} past the end of {shape}"

    def _say_misaligned(self, fault, access):
        if access.memory == -1:
            rows = f"begins at a multiple of 32 bytes and has rows at multiples of 16; here they are {access.detail} bytes apart"
            return f"{self._who(fault)} loads or stores a matrix of wmma, which {rows}."
        return f"{self._who(fault)} {_DID[access.operation]} {access.size} bytes at an address that is not a multiple of {access.size}: {access.element}."

    def _say_uninitialized(self, fault, access):
        return f"{self._who(fault)} reads {access.element}, which nobody has written."

    def _say_divergent_barrier(self, fault, access):
        return f"{self._who(fault)} waits at the barrier of line {fault.line}, {self._other(fault)} at that of line {fault.other_line}."

    def _say_early_exit(self, fault, access):
        threads = f"{access.detail} thread{'s' * (access.detail != 1)} of the block, the first of them {_index(fault.other_thread, self.outcome.config.block)},"
        return f"{self._who(fault)} waits at this barrier, but {threads} ended without coming to it."

    def _say_deadlock(self, fault, access):
        if not access.detail:
            return f"{self._who(fault)} waits here for other lanes of its warp, which wait with other masks."
        lanes = [lane for lane in range(32) if access.detail >> lane & 1]
        where = f"; {self._other(fault)} waits at line {fault.other_line}" if fault.other_line else ""
        return f"{self._who(fault)} waits here for lane{'s' * (len(lanes) > 1)} {_ranges(lanes)} of its warp, which never come{where}."

    def _say_warp_function(self, fault, access):
        if access.detail == 1:
            return f"{self._who(fault)} calls a warp function with a mask that does not name its own lane."
        if access.detail == 2:
            return f"{self._who(fault)} is in the warp function of line {fault.line}, {self._other(fault)} in that of line {fault.other_line}, both with the same mask."
        if access.detail == 3:
            return f"{self._who(fault)} multiplies matrices in a warp of which not all 32 lanes are there."
        return f"{self._who(fault)} takes a value from lane {access.detail - 16}, which does not take part: the value is undefined."

    def _say_async_copy(self, fault, access):
        return f"{self._who(fault)} {_DID[access.operation]} {access.element} while the asynchronous copy of line {fault.other_line} into it is still under way."

    def _say_local_memory(self, fault, access):
        return f"{self._who(fault)} {_DID[access.operation]} a local variable of another thread."

    def _say_read_only(self, fault, access):
        return f"{self._who(fault)} writes {access.element}, which the kernel takes as const."

    def _say_trap(self, fault, access):
        return self._who(fault)

    def _crash(self, number, pc, block, thread, running, overflow, memory, offset, address, last_site):
        config = self.outcome.config
        line = self._line_of.get(pc) or self._line_of.get(last_site)
        fault = Fault(
            "crash",
            "",
            line,
            thread=self._coordinates(thread, config.block),
            block=self._coordinates(block, config.grid),
        )
        name = signal.Signals(number).name
        if name == "SIGPROF":
            return replace(fault, kind="time-limit", message=self._too_long(fault))
        if not running:
            return Fault("crash", f"the executor itself failed ({name}); please report it with the kernel")
        if overflow:
            text = "its stack is full: a recursion without end, or local arrays of more than 200 kB"
        elif name == "SIGFPE":
            text = "an integer is divided by zero"
        elif name in ("SIGSEGV", "SIGBUS") and memory >= 0:
            text = f"an access {self._how_far(_Access(memory, offset, 1))}"
        elif name in ("SIGSEGV", "SIGBUS"):
            text = (
                "an access through a null pointer"
                if address < 4096
                else f"an access to address {address:#x}, far from every array"
            )
        else:
            text = f"it was ended by {name}"
        return replace(fault, message=f"{self._who(fault)}: {text}.")

    def _too_long(self, fault=None):
        where = (
            f"; at the end {self._who(fault)} was running" + (f" line {fault.line}" if fault.line else "")
            if fault
            else ""
        )
        limit = f"{self.outcome.options.time_limit:g} s of processor time"
        advice = "Is there a loop whose condition never changes, or one that waits for a block that has not run? time_limit= allows more."
        return f"The kernel was ended after {limit}{where}. {advice}"


@dataclass(frozen=True)
class _Access:
    memory: int
    offset: int
    size: int
    operation: int = 0
    other_operation: int = 0
    detail: int = 0
    note: bool = False
    element: str = ""


def _amount(offset, step, plus=0):
    elements = offset // step + plus
    return f"{elements} element{'s' * (elements != 1)}" if offset % step == 0 else f"{offset} bytes"


def _ranges(numbers):
    groups = []
    for number in numbers:
        if groups and number == groups[-1][1] + 1:
            groups[-1][1] = number
        else:
            groups.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in groups)


def _index(index, sizes=None):
    """Write an index: without what is always 0."""
    used = len(index) if sizes is None else max((i for i, size in enumerate(sizes) if size != 1), default=0) + 1
    return str(index[0]) if used == 1 else "(" + ", ".join(str(i) for i in index[:used]) + ")"


def _line(site):
    return (site >> 10 & 0x1FFFFF) or None if site >= _PLACE else None


def _lines_of_addresses(path, addresses):
    """Find the learner's line of each instruction: where code of ours was inlined, the line that it was inlined into."""
    if not addresses:
        return []
    command = ["addr2line", "-a", "-i", "-e", str(path), *(hex(address - 1) for address in addresses)]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        if line.startswith("0x"):
            address = int(line, 16) + 1
        elif (hit := re.search(rf"/{re.escape(FILE)}:(\d+)", line)) and address not in found:
            found[address] = int(hit[1])
    return [found.get(address) for address in addresses]
