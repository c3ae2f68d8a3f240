"""What is needed to run a kernel on arrays: its source, its launch configuration, its arguments, and the memory it works in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FOLDER = Path(__file__).parent


class Launch(NamedTuple):
    """The three numbers between the brackets of a launch: ``kernel[launch](...)``.

    Attributes
    ----------
    grid, block : int or tuple of int
        Blocks of the grid, threads of a block.
    smem : int
        Bytes of dynamic shared memory of a block.
    """

    grid: int | tuple[int, ...]
    block: int | tuple[int, ...]
    smem: int = 0


@dataclass(frozen=True)
class Rung:
    """One kernel of a ladder.

    Attributes
    ----------
    ladder, kernel, file : str
        The name of the ladder, of the kernel in the source, and of the file.
    idea : str
        What it does that the rung before does not.
    launch : callable
        From the sizes of the problem to the Launch.
    instance : callable
        From the sizes of the problem to what the compiler is asked for: the kernel's name, with arguments if it is a template.
    """

    ladder: str
    kernel: str
    file: str
    idea: str
    launch: Callable[..., Launch]
    instance: Callable[..., str]

    @property
    def source(self):
        """The text of the file."""
        return source(self.file)

    def step(self, arguments, *sizes, **options):
        """Return the step that runs this kernel on these arguments, for a problem of these sizes."""
        return Step(self.file, self.instance(*sizes), self.launch(*sizes, **options), tuple(arguments))


class Step(NamedTuple):
    """One launch: the file, the kernel in it, the configuration and the arguments."""

    file: str
    kernel: str
    launch: Launch
    arguments: tuple


@dataclass
class Plan:
    """Launches that together do a piece of work, on NumPy arrays or tensors of a CPU (by the executor), or on CUDA tensors.

    Attributes
    ----------
    steps : list of Step
        The launches, in order.
    result : array
        What they write; a plan that works in place names what it changes.
    zeroed : list of array
        What is set to 0 before each run.
    """

    steps: list[Step]
    result: Any
    zeroed: list = field(default_factory=list)

    def run(self):
        """Do the work once; return the result."""
        self._each(lambda kernel: kernel)
        return self.result

    def check(self, **options):
        """Do the work on the CPU with every access looked at; return the reports of the launches."""
        return self._each(lambda kernel: kernel.check, **options)

    def profile(self, **options):
        """Do the work on the CPU and count what it moves, by line; return the profiles of the launches."""
        return self._each(lambda kernel: kernel.profile, **options)

    def _each(self, way, **options):
        for array in self.zeroed:
            set_zero(array)
        return [way(kernel_of(step.file, step.kernel))[step.launch](*step.arguments, **options) for step in self.steps]


def source(name):
    """Return the text of a file of kernels.

    >>> print(source("matmul_naive").splitlines()[0])
    // Matrix product, rung 1: one thread for each element of C, neighbors along a column.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message lists them.
    """
    path = FOLDER / f"{name}.cu"
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in FOLDER.glob("*.cu")))
        raise FileNotFoundError(f"there is no file of kernels called {name!r}; there are {names}")
    return path.read_text(encoding="utf-8")


@functools.cache
def kernel_of(file, name):
    """Return the kernel of this name in a file; it is compiled once."""
    from mlcourse.gpu import Kernel

    return Kernel(source(file), name)


def empty_like(x, shape=None, dtype="float32"):
    """Return an array of the same kind and in the same place as `x`, with nothing in it yet."""
    shape = tuple(x.shape) if shape is None else shape
    if isinstance(x, np.ndarray):
        return np.empty(shape, dtype)
    import torch

    return torch.empty(shape, dtype=getattr(torch, dtype), device=x.device)


def zeros_like(x, shape, dtype):
    """Return an array of zeros of the same kind and in the same place as `x`."""
    array = empty_like(x, shape, dtype)
    set_zero(array)
    return array


def set_zero(array):
    """Set every byte to 0; PyTorch knows little arithmetic of unsigned integers, but all of bytes."""
    if isinstance(array, np.ndarray):
        array[...] = 0
    else:
        import torch

        array.view(torch.uint8).zero_()
