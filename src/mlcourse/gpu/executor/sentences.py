"""What happened, said in a sentence, and what it usually comes from."""

from __future__ import annotations

import signal

from mlcourse.gpu.executor.names import DECLARED, DYNAMIC, NOTHING, VARIABLES, shown

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
_IN_A_WARP = (
    "a missing __syncwarp() or __syncthreads(): lanes of a warp do not run in step, and a shuffle orders no memory. "
    "Where several threads update one element, a missing atomic."
)
_IN_A_BLOCK = "a missing __syncthreads() between what one warp writes and another reads, or a missing atomic."
_BETWEEN_BLOCKS = (
    "blocks run in any order and do not wait for each other: use an atomic, write to different places, or launch twice. "
    "A counter that tells the last block needs a __threadfence() before it."
)
_NULL_PAGE = 4096  # bytes
_NOT_TOLD = 2**64 - 1  # the address of a crash, where the processor gives none
_ENDED_FOR = {"SIGKILL": ", perhaps for want of memory", "SIGXFSZ": ", for it wrote too large a file"}
_DOES = ("reads", "writes", "updates")


def cause_of(kind, raw):
    """Return what a fault usually comes from; None where nothing can be said."""
    if kind != "race":
        return CAUSES.get(kind)
    if raw.block != raw.other_block:
        return _BETWEEN_BLOCKS
    return _IN_A_WARP if _in_one_warp(raw) else _IN_A_BLOCK


def say(kind, raw, names, line, other_line):
    """Say what happened.

    Parameters
    ----------
    kind : str
        Of the fault.
    raw : RawFault
        The fault.
    names : Names
        What its threads and arrays are called.
    line, other_line : int or None
        Of the source.

    Returns
    -------
    str
    """
    who = names.who(raw.thread, raw.block)
    other = names.who(raw.other_thread, raw.other_block, seen_from=raw.block)
    thing = names.element(raw.memory, raw.offset)[1] if raw.memory not in (NOTHING, DECLARED) else ""
    does = _DOES[raw.operation]
    if kind == "race":
        return _race(raw, who, other, thing)
    if kind == "out-of-bounds":
        return _out_of_bounds(raw, names, who if line else None, thing)
    if kind == "warp-function":
        return _warp_function(raw, who, other, line, other_line)
    if kind == "deadlock":
        return _deadlock(raw, who, other, other_line)
    if kind == "misaligned" and raw.memory == NOTHING:
        return (
            f"{who} loads or stores a matrix of wmma, which begins at a multiple of 32 bytes and has rows at multiples of 16; "
            f"here they are {raw.detail} bytes apart."
        )
    if kind == "misaligned":
        return f"{who} {does} {raw.size} bytes at an address that is not a multiple of {raw.size}: {thing}."
    if kind == "uninitialized":
        return f"{who} reads {thing}, which nobody has written."
    if kind == "divergent-barrier":
        return f"{who} waits at the barrier of line {line}, {other} at that of line {other_line}."
    if kind == "early-exit":
        many = f"{raw.detail} thread{'s' * (raw.detail != 1)} of the block"
        first = shown(names.thread(raw.other_thread), names.config.block)
        return f"{who} waits at this barrier, but {many}, the first of them {first}, ended without coming to it."
    if kind == "async-copy" and raw.detail == 1:
        return f"the asynchronous copy of {who} reads {thing}, which is changed before the copy is waited for."
    if kind == "async-copy":
        return f"{who} {does} {thing} while the asynchronous copy of line {other_line} into it is still under way."
    if kind == "local-memory":
        return f"{who} {does} a local variable of another thread."
    if kind == "read-only":
        return f"{who} writes {thing}, which the kernel takes as const."
    return who


def say_crash(crash, names, time_limit, line):
    """Say how a process ended.

    Parameters
    ----------
    crash : RawCrash
        The signal, and who was running.
    names : Names
        What threads and arrays are called.
    time_limit : float
        Seconds.
    line : int or None
        Of the source.

    Returns
    -------
    str
    """
    who, name = names.who(crash.thread, crash.block), signal.Signals(crash.signal).name
    if name == "SIGPROF":
        ran = who if crash.running else "a thread"
        return say_time_limit(time_limit, f"; at the end {ran} was running" + (f" line {line}" if line else ""))
    if not crash.running:
        return f"the executor itself failed ({name}); please report it with the kernel."
    if crash.overflow:
        return f"{who}: its stack is full, by a recursion without end or by local arrays of more than 200 kB."
    if name == "SIGFPE":
        return f"{who} divides an integer by zero."
    if crash.address == _NOT_TOLD:
        return f"{who} uses an address that the processor refuses, such as that of a float4 which does not begin at a multiple of 16 bytes."
    if name in ("SIGSEGV", "SIGBUS") and crash.memory >= 0:
        return f"{who} touches memory {names.how_far(crash.memory, crash.offset, 1)}."
    if name in ("SIGSEGV", "SIGBUS"):
        return f"{who} uses {_far_away(crash.address)}."
    if name == "SIGILL":
        return f"{who} came to something that C++ leaves undefined, such as a division by the constant 0."
    return f"{who}: the kernel was ended by {name}."


def say_ended(code):
    """Say that the process of a kernel ended before the kernel did.

    >>> say_ended(0)
    'the kernel ended its own process, with exit code 0: on a GPU there is no exit(); let its threads return.'
    """
    if code < 0:
        name = signal.Signals(-code).name
        return f"the process of the kernel was ended from outside by {name}{_ENDED_FOR.get(name, '')}."
    return (
        f"the kernel ended its own process, with exit code {code}: on a GPU there is no exit(); let its threads return."
    )


def say_time_limit(seconds, where=""):
    """Say that a kernel did not come to its end."""
    return (
        f"the kernel was ended after {seconds:g} s of processor time{where}. Is there a loop whose condition never changes, "
        "or one that waits for a block that has not run? time_limit= allows more."
    )


def _in_one_warp(raw):
    return raw.block == raw.other_block and raw.thread // 32 == raw.other_thread // 32


def _race(raw, who, other, thing):
    warp = " (both in one warp)" if _in_one_warp(raw) else ""
    end = (
        ": the same value, so that the order does not matter."
        if raw.note
        else ", and nothing decides which comes first."
    )
    return f"{who} {_DOES[raw.operation]} {thing}, which {other} {_DOES[raw.other_operation]}{warp}{end}"


def _out_of_bounds(raw, names, who, thing):
    does = _DOES[raw.operation]
    if raw.memory == DECLARED:
        return f"{who} uses index {raw.offset} of an array declared as {raw.array_type}."
    if raw.memory == NOTHING:
        address = raw.offset & (2**64 - 1)
        return f"{who} {does} {raw.size} bytes {'through' if address < _NULL_PAGE else 'at'} {_far_away(address)}."
    if raw.memory == DYNAMIC:
        return f"{who} {does} {thing}; the launch gave it {names.config.smem} bytes."
    if raw.memory <= VARIABLES:
        return f"{who} {does} {raw.size} bytes outside of every variable; the nearest is {names.memory(raw.memory)!r}."
    return f"{who or 'a thread'} {does} {names.how_far(raw.memory, raw.offset, raw.size)}."


def _far_away(address):
    return (
        "a null pointer (was None given for an array?)"
        if address < _NULL_PAGE
        else f"address {address:#x}, far from every array"
    )


def _deadlock(raw, who, other, other_line):
    if not raw.detail:
        return f"{who} waits here for other lanes of its warp, which wait with other masks."
    lanes = [lane for lane in range(32) if raw.detail >> lane & 1]
    where = f"; {other} waits at line {other_line}" if other_line else ""
    return f"{who} waits here for lane{'s' * (len(lanes) > 1)} {_ranges(lanes)} of its warp, which never come{where}."


def _warp_function(raw, who, other, line, other_line):
    if raw.detail == 1:
        return f"{who} calls a warp function with a mask that does not name its own lane."
    if raw.detail == 2:
        return f"{who} is in the warp function of line {line}, {other} in that of line {other_line}, both with the same mask."
    if raw.detail == 3:
        return f"{who} multiplies matrices in a warp of which not all 32 lanes are there."
    return f"{who} takes a value from lane {raw.detail - 16}, which does not take part: the value is undefined."


def _ranges(numbers):
    groups = []
    for number in numbers:
        if groups and number == groups[-1][1] + 1:
            groups[-1][1] = number
        else:
            groups.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in groups)
