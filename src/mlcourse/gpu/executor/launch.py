"""Launch a kernel on the CPU: lay out its arguments in shared memory, run it in its process, bring the results back."""

from __future__ import annotations

import mmap
import sys
import threading
from dataclasses import dataclass, field

import numpy as np

from mlcourse.gpu.arguments import is_tensor
from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.executor.build import DYNAMIC_SHARED, build
from mlcourse.gpu.executor.process import Worker

ORDERS = ("forward", "reverse", "random")
MODES = ("plain", "check", "profile")
STATIC_SHARED = 49152  # bytes; the most that a compiler accepts
_PAGE = mmap.PAGESIZE
_READ_ONLY, _POISONED = 1, 2


class LaunchError(KernelError):
    """No GPU could run a launch of this size."""


@dataclass(frozen=True)
class Config:
    """Size of a launch: blocks and threads along x, y and z, and bytes of dynamic shared memory."""

    grid: tuple
    block: tuple
    smem: int = 0


@dataclass(frozen=True)
class Options:
    """How a launch is carried out.

    Attributes
    ----------
    block_order, warp_order : {"forward", "reverse", "random"}
        In which order blocks run, and warps and lanes take turns.
    seed : int
        For "random".
    time_limit : float
        Seconds of processor time after which a kernel is ended.
    outputs : tuple of str
        Arrays that hold nothing before the launch and must be written completely.
    trace : int
        Requests that a profile keeps of each line, for pictures.
    """

    block_order: str = "forward"
    warp_order: str = "forward"
    seed: int = 0
    time_limit: float = 30.0
    outputs: tuple = ()
    trace: int = 64


@dataclass
class Memory:
    """Arguments that share memory: they lie in one piece."""

    names: list
    arrays: list
    start: int
    end: int
    granule: int
    read_only: bool
    place: int = 0
    written_place: int = -1
    written: np.ndarray | None = field(default=None, repr=False)

    @property
    def size(self):
        """Bytes."""
        return self.end - self.start

    @property
    def begin(self):
        """Where its first byte lies in the file: so that the end is at the end of a page, or less than 256 bytes before."""
        return self.place + _round_up(max(self.size, 1), _PAGE) - _round_up(self.size, 256)


@dataclass(frozen=True)
class Outcome:
    """What the process answered, and what is needed to read it."""

    answer: str | None
    program: object
    config: Config
    options: Options
    memories: tuple
    printed: str = ""
    ended: int | None = None  # exit code of a process that ended without an answer


class Executor:
    """A kernel on the CPU.

    Parameters
    ----------
    source, name : str
        The kernel, as `mlcourse.gpu.Kernel` takes it.
    """

    def __init__(self, source, name):
        self.source, self.name = source, name
        self._lock = threading.Lock()
        self._workers = {}
        self._state = {}  # bytes of each global variable, by the linker's name

    def launch(self, mode, config, bound, options):
        """Run the kernel.

        Parameters
        ----------
        mode : {"plain", "check", "profile"}
            How closely to look.
        config : Config
            The sizes.
        bound : list of mlcourse.gpu.arguments.Bound
            The arguments.
        options : Options
            The order of things, and limits.

        Returns
        -------
        Outcome
        """
        program = build(self.source, self.name, mode)
        check_shared_memory(program, config)
        with self._lock:
            return self._launch(program, mode, config, bound, options)

    def _launch(self, program, mode, config, bound, options):
        worker = self._worker(mode, program)
        memories, places = _memories(bound)
        end = _lay_out(memories, written=mode == "check")
        globals_at = end
        memory = worker.reserve(globals_at + sum(_round_up(size, 8) for _, _, size, _ in program.variables) + _PAGE)
        _copy_in(memory, memories)
        words = [MODES.index(mode), *config.grid, *config.block, config.smem]
        words += [
            ORDERS.index(options.block_order),
            ORDERS.index(options.warp_order),
            options.seed,
            int(options.time_limit * 1000),
            options.trace,
        ]
        words += self._variable_words(program, memory, globals_at)
        words += _memory_words(memories, options.outputs) + _parameter_words(bound, places, worker.sizes)
        answer = worker.run(words, options.time_limit)
        printed = worker.printed()
        if worker.alive or answer is not None:
            _copy_out(memory, memories)
        if worker.alive:
            self._keep_variables(program, memory, globals_at)
        del memory
        worker.release()
        return Outcome(answer, program, config, options, tuple(memories), printed, worker.ended)

    def read_variable(self, name):
        """Return the bytes of a global variable as last set, or as the last launch left them; None before that."""
        symbol, _ = self._find_variable(name)
        return self._state.get(symbol)

    def set_variable(self, name, data):
        """Set the bytes of a global variable; they hold from the next launch on."""
        symbol, size = self._find_variable(name)
        if len(data) != size:
            raise KernelError(
                f"the variable {name!r} has {size} bytes, got {len(data)}\n  hint: give an array of its type and length"
            )
        self._state[symbol] = data

    def _find_variable(self, name):
        program = build(self.source, self.name, "plain")
        for plain, _, size, symbol in program.variables:
            if name in (plain, symbol):
                return symbol, size
        there = ", ".join(plain for plain, *_ in program.variables) or "none"
        raise KernelError(f"the kernel has no variable {name!r} declared __constant__ or __device__; it has {there}")

    def _worker(self, mode, program):
        worker = self._workers.get(mode)
        if worker is None or not worker.alive:
            worker = self._workers[mode] = Worker(program.path)
        return worker

    def _variable_words(self, program, memory, place):
        words = [len(program.shared)]
        for _, where, size, _ in program.shared:
            words += [where, size]
        words.append(len(program.variables))
        for _, where, size, symbol in program.variables:
            value = self._state.get(symbol)
            if value is not None:
                memory[place : place + size] = np.frombuffer(value, np.uint8)
            words += [where, size, place, int(value is not None)]
            place += _round_up(size, 8)
        return words

    def _keep_variables(self, program, memory, place):
        for _, _, size, symbol in program.variables:
            self._state[symbol] = memory[place : place + size].tobytes()
            place += _round_up(size, 8)


def check_shared_memory(program, config):
    """Refuse more shared memory than any GPU has."""
    static = sum(size for _, _, size, _ in program.shared)
    if static > STATIC_SHARED:
        raise LaunchError(
            f"the kernel declares {static} bytes of shared memory; {STATIC_SHARED} is the most with a size in the source\n"
            "  hint: above it use dynamic shared memory: extern __shared__, its bytes given at the launch"
        )
    if static + config.smem > DYNAMIC_SHARED:
        raise LaunchError(
            f"a block asks for {static + config.smem} bytes of shared memory; the most is {DYNAMIC_SHARED} on an H100 or H200, "
            "166912 on an A100, 65536 on a T4\n  hint: use smaller tiles"
        )


def as_numpy(array):
    """Return an array as NumPy sees it, without a copy."""
    if not is_tensor(array):
        return array
    torch = sys.modules["torch"]
    array = array.detach()
    return (array.view(torch.uint16) if array.dtype == torch.bfloat16 else array).numpy()


def _round_up(value, step):
    return -(-value // step) * step


def _memories(bound):
    """Put arrays that overlap into one piece of memory; return the pieces, and for each argument its piece and place in it."""
    arrays = [(i, item.parameter, as_numpy(item.array)) for i, item in enumerate(bound) if item.array is not None]
    spans = [
        (array.__array_interface__["data"][0], array.nbytes, i, parameter, array) for i, parameter, array in arrays
    ]
    memories, owner = [], {}
    for start, size, i, parameter, array in sorted(spans, key=lambda span: span[:3]):
        last = memories[-1] if memories else None
        if last is not None and size and start < last.end:
            last.end = max(last.end, start + size)
            last.granule, last.read_only = min(last.granule, array.itemsize), last.read_only and parameter.const
        else:
            last = Memory([], [], start, start + size, array.itemsize, parameter.const)
            memories.append(last)
        last.names.append(parameter.name)
        last.arrays.append((array, start - last.start, parameter))
        owner[i] = (last, start - last.start)
    memories.sort(key=lambda memory: min(i for i, (piece, _) in owner.items() if piece is memory))
    return memories, {
        i: (next(n for n, piece in enumerate(memories) if piece is own), offset) for i, (own, offset) in owner.items()
    }


def _lay_out(memories, *, written):
    place = 0
    for memory in memories:
        memory.place = place
        place += _round_up(max(memory.size, 1), _PAGE)
        if written and not memory.read_only and memory.size:
            memory.written_place = place
            place += _round_up(memory.size, _PAGE)
    return place


def _bytes(array):
    return array.reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)


def _copy_in(memory, memories):
    for piece in memories:
        for array, offset, _ in piece.arrays:
            memory[piece.begin + offset : piece.begin + offset + array.nbytes] = _bytes(array)


def _copy_out(memory, memories):
    for piece in memories:
        for array, offset, parameter in piece.arrays:
            if not parameter.const:
                _bytes(array)[:] = memory[piece.begin + offset : piece.begin + offset + array.nbytes]
        if piece.written_place >= 0:
            piece.written = memory[piece.written_place : piece.written_place + piece.size].astype(bool)


def _memory_words(memories, outputs):
    words = [len(memories)]
    for piece in memories:
        flags = (_READ_ONLY if piece.read_only else 0) | (
            _POISONED if any(name in outputs for name in piece.names) else 0
        )
        words += [piece.place, piece.size, piece.granule, flags, piece.written_place]
    return words


def _parameter_words(bound, places, sizes):
    words = [len(bound)]
    for i, (item, size) in enumerate(zip(bound, sizes, strict=True)):
        if item.parameter.pointer:
            words += [0, *places.get(i, (-1, 0))]
            continue
        data = np.ascontiguousarray(item.value).tobytes()
        if len(data) != size:
            raise KernelError(
                f"{item.parameter.name!r} is declared {item.parameter.text!r}, which has {size} bytes; the value has {len(data)}"
            )
        words += [1, size, *np.frombuffer(data + bytes(-size % 8), np.int64).tolist()]
    return words
