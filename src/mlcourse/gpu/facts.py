"""What a GPU would make of a kernel, found out without one: registers, spills, shared memory, occupancy, machine code."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.nvrtc import INSTALL, compile_cubin, load

WARP = 32
PARTITIONS = 4  # of a multiprocessor; each has a quarter of the registers and warp slots


@dataclass(frozen=True)
class Limits:
    """What one multiprocessor of an architecture can hold, in bytes, registers, warps and blocks."""

    warps: int
    blocks: int
    registers: int
    shared_memory: int
    shared_memory_of_a_block: int
    shared_memory_reserved: int  # by the system, in each block
    shared_memory_step: int  # shared memory is handed out in multiples of it
    register_step: int = 256  # registers of a warp, likewise


# Source: CUDA C++ Programming Guide 13.0, "Compute Capabilities", Technical Specifications per Compute Capability,
# and cuda_occupancy.h of the same release, against which the tests compare the arithmetic.
LIMITS = {
    "sm_75": Limits(32, 16, 65536, 64 << 10, 64 << 10, 0, 256),
    "sm_80": Limits(64, 32, 65536, 164 << 10, 163 << 10, 1 << 10, 128),
    "sm_86": Limits(48, 16, 65536, 100 << 10, 99 << 10, 1 << 10, 128),
    "sm_89": Limits(48, 24, 65536, 100 << 10, 99 << 10, 1 << 10, 128),
    "sm_90": Limits(64, 32, 65536, 228 << 10, 227 << 10, 1 << 10, 128),
}


@dataclass(frozen=True)
class Occupancy:
    """How many blocks and warps of a kernel one multiprocessor holds at a time.

    Attributes
    ----------
    blocks, warps : int
        On one multiprocessor.
    share : float
        Warps over the most that the multiprocessor can hold.
    limited_by : str
        What allows no further block: "registers", "shared memory", "warps" or "blocks".
    """

    blocks: int
    warps: int
    share: float
    limited_by: str

    def __str__(self):
        return f"{self.blocks} blocks ({self.warps} warps, {self.share:.0%}) on a multiprocessor, limited by {self.limited_by}"


@dataclass(frozen=True)
class Facts:
    """What the compiler made of a kernel for one architecture.

    Attributes
    ----------
    name, arch : str
        The kernel and the architecture.
    registers : int
        Of each thread; 255 is the most there can be.
    stack, spill_stores, spill_loads : int
        Bytes of each thread that did not fit into registers: they live in local memory, which is slow.
    shared_memory : int
        Bytes of static shared memory of a block.
    ptx, sass : str
        The kernel in virtual assembly language and in machine code, one instruction a line.
    """

    name: str
    arch: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int
    shared_memory: int
    ptx: str = field(repr=False)
    sass: str = field(repr=False)

    @property
    def spills(self):
        """Bytes that a thread writes to and reads from local memory for want of registers."""
        return self.spill_stores + self.spill_loads

    def occupancy(self, block, smem=0):
        """Compute how much of a multiprocessor this kernel can fill.

        Parameters
        ----------
        block : int or tuple of int
            Threads of a block.
        smem : int
            Bytes of dynamic shared memory of a block.

        Returns
        -------
        Occupancy
        """
        return occupancy(self.arch, block, self.registers, self.shared_memory + smem)

    def count(self, instruction):
        """Count the machine instructions whose name begins with this, such as "FFMA" or "LDG.E.128", at a dot or its end.

        Loops count once: it is how often the instruction is in the code, not how often it runs.
        """
        return len(re.findall(rf"(?<![\w.]){re.escape(instruction)}(?=[.\s;])", self.sass))

    def __str__(self):
        spills = f"{self.spills} bytes of spills" if self.spills else "no spills"
        return f"{self.name} for {self.arch}: {self.registers} registers, {spills}, {self.shared_memory} bytes of static shared memory"


def compile_facts(source, name, arch):
    """Compile a kernel and read from the result what it needs.

    Parameters
    ----------
    source : str
        CUDA C++.
    name : str
        The kernel, or an instance of a template of it: "transpose<32>".
    arch : str
        "sm_75", "sm_80", "sm_86", "sm_89", "sm_90" or "sm_90a".

    Returns
    -------
    Facts

    Raises
    ------
    CompileError
        If the source is wrong.
    KernelError
        If the packages of the extra ``gpu`` are missing.

    Examples
    --------
    >>> source = "__global__ void twice(float* x) { x[threadIdx.x] *= 2; }"
    >>> facts = compile_facts(source, "twice", "sm_80")  # doctest: +SKIP
    >>> print(facts)  # doctest: +SKIP
    twice for sm_80: 8 registers, no spills, 0 bytes of static shared memory
    >>> print(facts.occupancy(block=256))  # doctest: +SKIP
    8 blocks (64 warps, 100%) on a multiprocessor, limited by warps
    """
    compiled = compile_cubin(source, name, arch)
    return Facts(
        name=name,
        arch=arch,
        **_resources(compiled),
        ptx=compiled.ptx,
        sass=_disassemble(compiled.cubin, compiled.symbol),
    )


def occupancy(arch, block, registers, shared_memory):
    """Compute how many blocks a multiprocessor holds at a time.

    Parameters
    ----------
    arch : str
        The architecture.
    block : int or tuple of int
        Threads of a block.
    registers : int
        Of each thread.
    shared_memory : int
        Bytes of a block, static and dynamic.

    Returns
    -------
    Occupancy

    Raises
    ------
    KernelError
        If the architecture is not in the table, or a block cannot run on it at all.

    Examples
    --------
    >>> occupancy("sm_90a", 256, registers=64, shared_memory=0)
    Occupancy(blocks=4, warps=32, share=0.5, limited_by='registers')
    >>> print(occupancy("sm_75", (32, 8), registers=32, shared_memory=33 * 32 * 4))
    4 blocks (32 warps, 100%) on a multiprocessor, limited by warps
    """
    limits = limits_of(arch)
    warps = -(-_threads(block) // WARP)
    of_a_warp = _round_up(registers * WARP, limits.register_step)
    of_a_block = _round_up(shared_memory + limits.shared_memory_reserved, limits.shared_memory_step)
    room = {
        "warps": limits.warps // warps,
        "blocks": limits.blocks,
        "registers": limits.registers // PARTITIONS // of_a_warp * PARTITIONS // warps if of_a_warp else limits.blocks,
        "shared memory": limits.shared_memory // of_a_block if of_a_block else limits.blocks,
    }
    _check_block(arch, limits, warps, registers, shared_memory, room)
    scarcest = min(room, key=room.get)
    blocks = room[scarcest]
    return Occupancy(blocks, blocks * warps, blocks * warps / limits.warps, scarcest)


def limits_of(arch):
    """Return what a multiprocessor of this architecture can hold.

    >>> limits_of("sm_90a").shared_memory_of_a_block
    232448
    """
    if (plain := arch.rstrip("af")) not in LIMITS:
        raise KernelError(f"the limits of {arch!r} are not in the table, which has {', '.join(LIMITS)}")
    return LIMITS[plain]


def _check_block(arch, limits, warps, registers, shared_memory, room):
    if warps > 1024 // WARP:
        raise KernelError(f"a block of {warps * WARP} threads is too large: 1024 is the most")
    if shared_memory > limits.shared_memory_of_a_block:
        most = limits.shared_memory_of_a_block
        raise KernelError(f"a block of {shared_memory} bytes of shared memory cannot run on {arch}: {most} is the most")
    rounded = _round_up(warps, PARTITIONS)
    if room["registers"] == 0 or _round_up(registers * WARP, limits.register_step) * rounded > limits.registers:
        raise KernelError(
            f"a block of {warps * WARP} threads with {registers} registers each needs more than the {limits.registers} "
            f"registers of a multiprocessor\n  hint: make the block smaller, or promise its size with __launch_bounds__"
        )


def _threads(block):
    sizes = block if isinstance(block, tuple | list) else (block,)
    threads = 1
    for size in sizes:
        threads *= int(size)
    return threads


def _round_up(value, step):
    return -(-value // step) * step


def _resources(compiled):
    """Read what the assembler said about the kernel."""
    log = compiled.log.split(f"entry function '{compiled.symbol}'")[-1]
    found = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", log)
    shared = re.search(r"(\d+) bytes smem", log.split("Used", 1)[1].split("\n")[0])
    stack, stores, loads = map(int, found.groups())
    return {
        "registers": int(re.search(r"Used (\d+) registers", log)[1]),
        "stack": stack,
        "spill_stores": stores,
        "spill_loads": loads,
        "shared_memory": int(shared[1]) if shared else 0,
    }


@functools.lru_cache(maxsize=64)
def _disassemble(cubin, symbol):
    """Return the machine code of a kernel with the lines of the source it came from."""
    tool = load("cuda.pathfinder").find_nvidia_binary_utility("nvdisasm")
    if tool is None:
        raise KernelError(f"reading machine code needs NVIDIA's nvdisasm, which was not found\n  hint: {INSTALL}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        done = subprocess.run([tool, "--print-code", "--print-line-info", path], capture_output=True, text=True)
    if done.returncode != 0:
        raise KernelError(f"nvdisasm failed: {done.stderr.strip()}")
    _, _, code = done.stdout.partition(f"\n.text.{symbol}:\n")
    return "\n".join(_instructions(code.split("\n//------")[0]))


def _instructions(code):
    """Yield the instructions, and before those of each line of the source that line's number."""
    for line in code.splitlines():
        if found := re.search(r'//## File ".*", line (\d+)', line):
            yield f"// line {found[1]}"
        elif found := re.match(r"\s+/\*[0-9a-f]+\*/\s+(.*?)\s*;", line):
            if found[1] != "NOP":
                yield found[1] + ";"
        elif re.match(r"\.L_x_\d+:", line):
            yield line
