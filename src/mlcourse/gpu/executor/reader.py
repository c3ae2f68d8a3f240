"""Make a report or a profile of what the process of a kernel answered."""

from __future__ import annotations

import re
import signal
from dataclasses import replace

import numpy as np

from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.executor.answer import KINDS, read_answer
from mlcourse.gpu.executor.faults import Fault, Report, show_fault, shown_launch
from mlcourse.gpu.executor.names import Names, shown
from mlcourse.gpu.executor.profile import LineCount, Profile, Request
from mlcourse.gpu.executor.sentences import CAUSES, cause_of, say, say_crash, say_ended, say_time_limit

_OF_TWO = ("race", "divergent-barrier", "early-exit", "async-copy", "deadlock")


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
    found = _merge([*_read_faults(kernel, outcome), *_warnings(outcome.program)])
    written = _written(outcome.memories)
    faults = [fault for fault, is_note in found if not is_note]
    faults += [
        _unwritten(name, written[name]) for name in outcome.options.outputs if not written.get(name, np.True_).all()
    ]
    notes = [fault for fault, is_note in found if is_note]
    return Report(tuple(faults), tuple(notes), written, kernel.source, shown_launch(kernel, outcome.config))


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
    answer, names = read_answer(outcome.answer, outcome.program.path), Names(kernel, outcome)
    counts = [_count(access, answer.lines, names) for access in answer.accesses]
    trace = tuple(_request(counts[number], *rest) for number, *rest in answer.requests)
    return Profile(_by_line(counts), trace, flops, kernel.source, shown_launch(kernel, outcome.config))


def raise_if_failed(kernel, outcome):
    """Raise if a run did not come to its end.

    Raises
    ------
    KernelError
        With the line, the thread and what to do.
    """
    if outcome.answer is not None and not re.search(r"^(?:abandoned|crash) ", outcome.answer, re.M):
        return
    faults = [fault for fault, is_note in _read_faults(kernel, outcome) if not is_note]
    fault = faults[-1]
    check = "\n  hint: kernel.check[…](…) looks at every access and names the cause"
    hint = "" if fault.kind in ("time-limit", "trap") else check
    raise KernelError(f"{shown_launch(kernel, outcome.config)} failed: {show_fault('', fault, kernel.source)}{hint}")


def _read_faults(kernel, outcome):
    """Return each fault, and whether it is only a note."""
    names, limit = Names(kernel, outcome), outcome.options.time_limit
    if outcome.answer is None:
        if outcome.ended is not None:
            return [(Fault("crash", say_ended(outcome.ended)), False)]
        return [(Fault("time-limit", say_time_limit(limit)), False)]
    answer = read_answer(outcome.answer, outcome.program.path)
    found = [(_fault(raw, answer.lines, names), bool(raw.note)) for raw in answer.faults]
    if answer.abandoned and found and found[-1][0].kind == "trap":
        last, _ = found[-1]
        found[-1] = replace(last, message=f"{last.message}: {answer.abandoned}."), False
    elif answer.abandoned and not found:
        found.append((Fault("crash", f"{answer.abandoned}."), False))
    if answer.crash:
        crash = _crash(answer.crash, answer.lines, names, limit)
        if not any(_explains(fault, crash) for fault, _ in found):
            found.append((crash, False))
    return found


def _explains(fault, crash):
    """Whether the run was ended by an access that the check has already reported: the processor refuses it too."""
    here = (crash.kind, crash.line, crash.thread, crash.block)
    return fault.kind == "misaligned" and ("crash", fault.line, fault.thread, fault.block) == here


def _fault(raw, lines, names):
    kind, line, other_line = KINDS[raw.kind], lines.get(raw.site), lines.get(raw.other_site)
    array = names.memory(raw.memory)
    index = names.element(raw.memory, raw.offset)[0] if array is not None and kind != "out-of-bounds" else None
    message = say(kind, raw, names, line, other_line)
    fault = Fault(
        kind, message, line, other_line, names.thread(raw.thread), names.block(raw.block),
        array=array, index=index, count=raw.count, cause=cause_of(kind, raw),
    )  # fmt: skip
    if kind in _OF_TWO or (kind == "warp-function" and raw.detail == 2):
        fault = replace(fault, other_thread=names.thread(raw.other_thread), other_block=names.block(raw.other_block))
    return fault


def _crash(crash, lines, names, limit):
    line = lines.get(crash.site) or lines.get(crash.last_site)
    kind = "time-limit" if signal.Signals(crash.signal).name == "SIGPROF" else "crash"
    message = say_crash(crash, names, limit, line)
    if not crash.running:  # between two threads
        return Fault(kind, message, line if kind == "time-limit" else None)
    return Fault(kind, message, line, thread=names.thread(crash.thread), block=names.block(crash.block))


def _warnings(program):
    cause = "a variable declared without a value, such as float sum; for float sum = 0;"
    return [(Fault("uninitialized", f"{text}.", line, cause=cause), False) for line, text in program.warnings]


def _written(memories):
    masks = {}
    for memory in memories:
        for array, offset, parameter in memory.arrays:
            if memory.written is not None and not parameter.const:
                mask = memory.written[offset : offset + array.nbytes].reshape(-1, array.itemsize).all(axis=1)
                masks[parameter.name] = mask.reshape(array.shape)
    return masks


def _unwritten(name, mask):
    missing = np.argwhere(~mask)
    first = tuple(int(i) for i in missing[0])
    message = f"{len(missing):,} of {mask.size:,} elements of {name!r} were never written, the first at {shown(first)}."
    return Fault("unwritten", message, array=name, index=first, count=len(missing), cause=CAUSES["unwritten"])


def _merge(found):
    """Make one fault of all that concern the same two lines and the same array."""
    merged = {}
    for fault, is_note in found:
        key = (fault.kind, *sorted((fault.line or 0, fault.other_line or 0)), fault.array, is_note)
        first = merged[key][0] if key in merged else replace(fault, count=0)
        merged[key] = replace(first, count=first.count + fault.count), is_note
    races = {key[:-1] for key in merged if not key[-1]}
    kept = [item for key, item in merged.items() if not (key[-1] and key[:-1] in races)]
    return sorted(kept, key=lambda item: item[0].kind == "uninitialized")  # often a race is the reason


def _count(access, lines, names):
    operation = "atomic" if access.atomic else "store" if access.write else "load"
    space, line = "shared" if access.shared else "global", lines.get(access.site, 0)
    asked = access.lanes * access.size
    numbers = (access.size, access.requests, access.transfers, access.ideal, asked)
    return LineCount(line, operation, space, names.memory(access.memory), *numbers)


def _by_line(counts):
    merged = {}
    for count in counts:
        key = (count.line, count.space, count.operation, count.array, count.size)
        if (old := merged.get(key)) is not None:
            sums = {
                name: getattr(old, name) + getattr(count, name) for name in ("requests", "transfers", "ideal", "bytes")
            }
            count = replace(old, **sums)
        merged[key] = count
    return tuple(sorted(merged.values(), key=lambda count: (count.line, count.space, count.operation)))


def _request(count, block, warp, mask, places):
    lanes = np.flatnonzero([mask >> lane & 1 for lane in range(32)])
    what = (count.line, count.operation, count.space, count.array, count.size)
    return Request(*what, block, warp, lanes, np.array(places))
