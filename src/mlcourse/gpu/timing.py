"""Time a launch on a GPU, beside a copy of as many bytes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from mlcourse.gpu.device import require_gpu
from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.kernel import Launcher
from mlcourse.gpu.nvrtc import load

_CACHE = 1 << 28  # bytes; more than the caches of any GPU hold


@dataclass(frozen=True)
class LaunchTime:
    """How long a launch took on a GPU.

    Attributes
    ----------
    device : str
        The GPU.
    seconds, copy_seconds : float
        Of the launch, and of a copy by PyTorch that moves as many bytes as the arrays have; medians.
    bytes : int
        Of all arrays, each counted once.
    """

    device: str
    seconds: float
    copy_seconds: float
    bytes: int

    @property
    def bandwidth(self):
        """Bytes a second."""
        return self.bytes / self.seconds

    def __str__(self):
        return (
            f"{self.device}: {self.seconds * 1e3:.3g} ms for {self.bytes / 1e6:,.3g} MB of arrays, {self.bandwidth / 1e9:,.0f} GB/s; "
            f"a copy of as many bytes takes {self.copy_seconds * 1e3:.3g} ms ({self.copy_seconds / self.seconds:.0%} of this time)"
        )

    def _repr_pretty_(self, printer, cycle):  # what a notebook shows
        printer.text(str(self))


def time_on_gpu(launch, *arguments, rounds=30):
    """Time a launch on the GPU.

    Launch and copy run in turns. Before each, the arrays get their values back and the caches are filled with something else.

    Parameters
    ----------
    launch : Launcher
        A kernel with its sizes: ``kernel[grid, block]``.
    *arguments
        As for the launch itself. Arrays that are not on the GPU are copied there first; none is changed.
    rounds : int
        How often.

    Returns
    -------
    LaunchTime

    Raises
    ------
    KernelError
        If there is no GPU, or the launch cannot be right.

    Examples
    --------
    >>> import numpy as np
    >>> from mlcourse.gpu import Kernel, KernelError
    >>> fill = Kernel("__global__ void fill(float* x) { x[blockIdx.x * 256 + threadIdx.x] = 1; }", "fill")
    >>> try:  # where there is no GPU, it says so
    ...     took = time_on_gpu(fill[4096, 256], np.zeros(4096 * 256, np.float32))
    ... except KernelError:
    ...     took = None
    """
    if not isinstance(launch, Launcher) or launch.config is None or launch.mode != "plain":
        raise KernelError(f"time_on_gpu takes a kernel with its sizes, such as kernel[grid, block]; got {launch!r}")
    if rounds < 1:
        raise KernelError(f"rounds must be at least 1, got {rounds}")
    device, torch = require_gpu(), load("torch")
    given = [_on_gpu(torch, value) for value in arguments]
    used = [value.clone() if hasattr(value, "clone") else value for value in given]
    arrays = [(mine, theirs) for mine, theirs in zip(used, given, strict=True) if hasattr(mine, "data_ptr")]
    if not arrays:
        raise KernelError("time_on_gpu times kernels that have arrays: give those that the launch takes")
    size = sum(mine.nbytes for mine, _ in arrays)
    spare = torch.empty(max(_CACHE, size), dtype=torch.uint8, device=arrays[0][0].device)
    half = size // 2
    runs = {"launch": lambda: launch(*used), "copy": lambda: spare[:half].copy_(spare[half : 2 * half])}
    launch(*used)  # compiles
    seconds = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            for mine, theirs in arrays:
                mine.copy_(theirs)
            spare.zero_()
            seconds[name].append(_seconds(torch, run))
    return LaunchTime(device, statistics.median(seconds["launch"]), statistics.median(seconds["copy"]), size)


def _on_gpu(torch, value):
    is_array = hasattr(value, "shape") and value.shape != ()
    return torch.as_tensor(value).cuda() if is_array else value


def _seconds(torch, run):
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000
