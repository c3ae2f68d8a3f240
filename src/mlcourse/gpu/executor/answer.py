"""The answer of a kernel's process as records: numbers yet, no words."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field

from mlcourse.gpu.executor.build import FILE

KINDS = (
    "race", "out-of-bounds", "misaligned", "uninitialized", "divergent-barrier", "early-exit", "deadlock", "warp-function",
    "async-copy", "local-memory", "read-only", "trap",
)  # fmt: skip
_PLACE = 0x80000000  # a site with this bit is a line and column, one without it the address of an instruction


@dataclass
class RawFault:
    """A fault, as the runtime's ``struct Fault`` has it."""

    kind: int
    site: int
    other_site: int
    count: int
    block: int
    thread: int
    other_block: int
    other_thread: int
    memory: int
    offset: int
    size: int
    operation: int
    other_operation: int
    detail: int
    note: int
    array_type: str = ""


@dataclass
class RawAccess:
    """What was counted of one instruction and one array."""

    site: int
    write: int
    atomic: int
    shared: int
    memory: int
    size: int
    requests: int
    lanes: int
    transfers: int
    ideal: int


@dataclass
class RawCrash:
    """A signal that ended the process."""

    signal: int
    site: int
    block: int
    thread: int
    running: int
    overflow: int
    memory: int
    offset: int
    address: int
    last_site: int


@dataclass
class Answer:
    """Everything that a process answered.

    Attributes
    ----------
    faults, accesses : list of RawFault, list of RawAccess
        In the order in which they were found.
    requests : list of tuple
        Number of the access, block, warp, lanes as bits, and the places of the lanes' addresses.
    crash : RawCrash or None
        How the process ended, if it did.
    abandoned : str or None
        Why the launch was broken off, if it was.
    lines : dict of int to int
        The line of the source that belongs to each site.
    """

    faults: list = field(default_factory=list)
    accesses: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    crash: RawCrash | None = None
    abandoned: str | None = None
    lines: dict = field(default_factory=dict)


def read_answer(text, path):
    """Read the text that a process answered.

    Parameters
    ----------
    text : str
        The answer.
    path : path-like
        The program, to find the lines of its instructions.

    Returns
    -------
    Answer
    """
    answer = Answer()
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "fault":
            answer.faults.append(RawFault(*map(int, rest.split())))
        elif word == "array":
            answer.faults[-1].array_type = re.sub(r"'([^']*?) (\[.*)'", r"\1\2", rest)
        elif word == "access":
            answer.accesses.append(RawAccess(*map(int, rest.split())))
        elif word == "request":
            number, block, warp, lanes, *places = map(int, rest.split())
            answer.requests.append((number, block, warp, lanes, places))
        elif word == "crash":
            answer.crash = RawCrash(*map(int, rest.split()))
        elif word == "abandoned":
            answer.abandoned = rest
    answer.lines = _find_lines(answer, path)
    return answer


def _find_lines(answer, path):
    sites = {site for fault in answer.faults for site in (fault.site, fault.other_site)}
    sites |= {access.site for access in answer.accesses}
    if answer.crash:
        sites |= {answer.crash.site, answer.crash.last_site}
    lines = {site: site >> 10 & 0x1FFFFF for site in sites if site >= _PLACE}
    return lines | lines_of_addresses(path, sorted(site for site in sites if 0 < site < _PLACE))


def lines_of_addresses(path, addresses):
    """Find the learner's line of each instruction: where code of ours was inlined, the line that it was inlined into.

    Parameters
    ----------
    path : path-like
        The program.
    addresses : list of int
        Where each call from an instruction returns to.

    Returns
    -------
    dict of int to int
        Without those that belong to none of the learner's lines.
    """
    if not addresses:
        return {}
    command = ["addr2line", "-a", "-i", "-e", str(path), *(hex(address - 1) for address in addresses)]
    found, address = {}, None
    for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines():
        if line.startswith("0x"):
            address = int(line, 16) + 1
        elif hit := re.search(rf"/{re.escape(FILE)}:(\d+)", line):
            found.setdefault(address, int(hit[1]))
    return found
