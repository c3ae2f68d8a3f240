"""One class for a kernel, two machines that run it: the CPU executor and the GPU."""

from __future__ import annotations

import functools
import math
import operator

import numpy as np

from mlcourse.gpu.arguments import bind
from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.executor.declarations import declared_variables
from mlcourse.gpu.executor.faults import launch_fault
from mlcourse.gpu.executor.launch import MODES, ORDERS, Config, Executor, LaunchError, Options
from mlcourse.gpu.executor.reader import make_profile, make_report, raise_if_failed
from mlcourse.gpu.signature import parse_signature

_BLOCK_LIMITS = (1024, 1024, 64)
_GRID_LIMITS = (2**31 - 1, 65535, 65535)
_THREADS = 1024
_ROUND_UP = "round up: (n + 255) // 256 blocks of 256; where there are no elements at all, leave out the launch"


class Kernel:
    """A CUDA C++ kernel.

    ``kernel[grid, block](a, b, n)`` runs it: on the CPU if its arrays are NumPy arrays or CPU tensors, on the GPU if they are
    CUDA tensors. Results are written into the arrays.

    Parameters
    ----------
    source : str
        CUDA C++; it may hold several kernels and device functions, and ``#include`` CUDA's headers.
    name : str
        The kernel to run, or an instance of a template: "transpose<32>".

    Attributes
    ----------
    check, profile
        ``kernel.check[grid, block](…)`` runs on the CPU, looks at every access to memory and returns a `Report`;
        ``kernel.profile[grid, block](…)`` counts what the memory system of a GPU would do, for each line of the source.

    Examples
    --------
    >>> import numpy as np
    >>> scale = Kernel('''
    ... __global__ void scale(float* x, float factor, int n) {
    ...   int i = blockIdx.x * blockDim.x + threadIdx.x;
    ...   if (i < n) x[i] *= factor;
    ... }''', "scale")
    >>> x = np.arange(5, dtype=np.float32)
    >>> scale[1, 32](x, 10, 5)
    >>> x
    array([ 0., 10., 20., 30., 40.], dtype=float32)
    >>> scale.check[1, 32](x, 10, 5).ok
    True
    """

    def __init__(self, source, name):
        if not isinstance(source, str) or not isinstance(name, str):
            raise KernelError(
                f"a kernel is made from two texts, its source and its name; got {type(source).__name__} and {type(name).__name__}"
            )
        self.source, self.name = source, name
        self.signature = parse_signature(source, name)
        self._set = {}  # values of variables that the GPU has not been given yet
        self._ran_on_gpu = False
        self.check = Launcher(self, "check")
        self.profile = Launcher(self, "profile")

    def __repr__(self):
        return f"Kernel({self.signature})"

    def __getitem__(self, sizes):
        return Launcher(self, "plain")[sizes]

    def __call__(self, *arguments, **options):
        """Say that a launch needs sizes."""
        return Launcher(self, "plain")(*arguments, **options)

    def set_variable(self, name, value):
        """Set a ``__constant__`` or ``__device__`` variable of the kernel, from the next launch on.

        Parameters
        ----------
        name : str
            The variable.
        value : array_like
            As long as the variable; converted to its type.

        Examples
        --------
        >>> import numpy as np
        >>> kernel = Kernel('''
        ... __constant__ float weight[2];
        ... __global__ void apply(float* x) { x[threadIdx.x] = weight[threadIdx.x]; }''', "apply")
        >>> kernel.set_variable("weight", [0.5, 0.25])
        >>> x = np.empty(2, np.float32)
        >>> kernel[1, 2](x)
        >>> x
        array([0.5 , 0.25], dtype=float32)
        """
        data = np.asarray(value, self._dtype_of(name))
        self._executor.set_variable(name, np.ascontiguousarray(data).tobytes())
        self._set[name] = data

    def read_variable(self, name):
        """Return a ``__device__`` variable as the last launch left it, on the CPU or on the GPU.

        Parameters
        ----------
        name : str
            The variable.

        Returns
        -------
        ndarray
            Flat, of the variable's type.
        """
        data = (self._device if self._ran_on_gpu else self._executor).read_variable(name)
        if data is None:
            raise KernelError(f"{name!r} has no value yet: launch the kernel, or set the variable, first")
        return np.frombuffer(data, self._dtype_of(name) or np.uint8).copy()

    def _dtype_of(self, name):
        declared = declared_variables(self.source, self.name).get(name)
        if declared is None:
            return None
        return np.dtype("uint16" if declared.dtype == "bfloat16" else declared.dtype)

    def compile(self, arch):
        """Compile for a GPU, without one, and tell what it would need there.

        Parameters
        ----------
        arch : str
            The architecture: "sm_75" (T4), "sm_80" (A100), "sm_90a" (H100, H200).

        Returns
        -------
        mlcourse.gpu.facts.Facts
            Registers, spills, shared memory, occupancy, PTX and SASS.
        """
        from mlcourse.gpu.facts import compile_facts

        return compile_facts(self.source, self.name, arch)

    @functools.cached_property
    def _executor(self):
        return Executor(self.source, self.name)

    @functools.cached_property
    def _device(self):
        from mlcourse.gpu.device import DeviceKernel

        return DeviceKernel(self.source, self.name)


class Launcher:
    """What ``kernel[…]``, ``kernel.check[…]`` and ``kernel.profile[…]`` are: takes the sizes, then the arguments.

    Parameters
    ----------
    kernel : Kernel
        What to run.
    mode : {"plain", "check", "profile"}
        How.
    config : Config, optional
        The sizes; none are known before the brackets.
    """

    def __init__(self, kernel, mode, config=None):
        self.kernel, self.mode, self.config = kernel, mode, config

    def __repr__(self):
        return f"<{self.mode} launch of {self.kernel.signature}>"

    def __getitem__(self, sizes):
        if not isinstance(sizes, tuple) or not 2 <= len(sizes) <= 3:
            raise KernelError(
                f"a launch is kernel[grid, block] or kernel[grid, block, bytes of shared memory], got {sizes!r}"
            )
        try:
            return Launcher(self.kernel, self.mode, make_config(self.kernel.name, *sizes))
        except KernelError as error:
            if self.mode != "check":
                raise
            report = launch_fault(self.kernel, error)
            return lambda *arguments, **options: report

    def __call__(self, *arguments, **options):
        """Run the kernel.

        Parameters
        ----------
        *arguments
            What the kernel's parameters are to be: arrays for pointers, numbers for numbers, None for a null pointer.
        **options
            See `mlcourse.gpu.executor.launch.Options`.

        Returns
        -------
        None, Report or Profile
            None of a plain launch.
        """
        if self.config is None:
            raise KernelError(
                f"say how many blocks and threads: kernel{'' if self.mode == 'plain' else '.' + self.mode}[grid, block](…)"
            )
        kernel = self.kernel
        if named := [f"{p.name}=" for p in kernel.signature.parameters if p.name in options]:
            raise KernelError(
                f"the arguments of {kernel.signature} are given in order, not by name; got {', '.join(named)}"
            )
        bound, on_gpu = bind(kernel.signature, arguments)
        flops = options.pop("flops", None)
        chosen = make_options(kernel, self.mode, options)
        kernel._ran_on_gpu = on_gpu
        if on_gpu:
            return self._on_device(bound, options)
        try:
            outcome = kernel._executor.launch(self.mode, self.config, bound, chosen)
        except LaunchError as error:
            if self.mode != "check":
                raise
            return launch_fault(kernel, error)
        if outcome.printed:
            print(outcome.printed, end="")
        if self.mode == "plain":
            return raise_if_failed(kernel, outcome)
        return make_report(kernel, outcome) if self.mode == "check" else make_profile(kernel, outcome, flops)

    def _on_device(self, bound, options):
        if self.mode != "plain":
            raise KernelError(f"{self.mode} runs on the CPU: give NumPy arrays or CPU tensors (tensor.cpu())")
        if options:
            raise KernelError(f"the GPU chooses by itself: leave out {', '.join(options)}")
        values = [item.array if item.parameter.pointer else item.value for item in bound]
        while self.kernel._set:
            self.kernel._device.set_variable(*self.kernel._set.popitem())
        self.kernel._device.launch(self.config.grid, self.config.block, self.config.smem, values)


def make_config(name, grid, block, smem=0):
    """Check the sizes of a launch.

    Parameters
    ----------
    name : str
        The kernel's.
    grid, block : int or tuple of int
        Blocks, and threads of a block, along x, y and z.
    smem : int
        Bytes of dynamic shared memory.

    Returns
    -------
    Config

    Raises
    ------
    KernelError
        If a GPU could not run it.

    Examples
    --------
    >>> make_config("copy", 4, (32, 8))
    Config(grid=(4, 1, 1), block=(32, 8, 1), smem=0)
    """
    grid, block = _three(name, "grid", grid), _three(name, "block", block)
    for what, sizes, limits in (("grid", grid, _GRID_LIMITS), ("block", block, _BLOCK_LIMITS)):
        if min(sizes) < 1:
            unit, hint = ("blocks", _ROUND_UP) if what == "grid" else ("threads", "256 threads are the usual start")
            raise KernelError(f"{name}: a {what} of {_shown(sizes)} has no {unit}\n  hint: {hint}")
        if what == "block" and (threads := math.prod(sizes)) > _THREADS:
            many = f"{_shown(sizes)} = {threads}" if sizes[1:] != (1, 1) else str(threads)
            raise KernelError(
                f"{name}: a block of {many} threads is too large: {_THREADS} is the most\n  hint: take more, smaller blocks"
            )
        for axis, size, limit in zip("xyz", sizes, limits, strict=True):
            if size > limit:
                raise KernelError(f"{name}: a {what} of {_shown(sizes)} is too large: along {axis} {limit} is the most")
    smem = _integer(name, "the bytes of shared memory", smem)
    if smem < 0:
        raise KernelError(f"{name}: {smem} bytes of shared memory")
    return Config(grid, block, smem)


def make_options(kernel, mode, given):
    """Check the options of a launch.

    Parameters
    ----------
    kernel : Kernel
        What is launched.
    mode : {"plain", "check", "profile"}
        How.
    given : dict
        The options.

    Returns
    -------
    Options
    """
    known = [*Options.__dataclass_fields__]
    for name in given:
        if name not in known:
            raise KernelError(
                f"{name!r} is no option of a launch; there are {', '.join(known)}" + ", flops" * (mode == "profile")
            )
    for name in ("block_order", "warp_order"):
        if given.get(name, "forward") not in ORDERS:
            raise KernelError(f"{name} must be one of {', '.join(ORDERS)}, got {given[name]!r}")
    for name in ("seed", "trace"):
        if name in given:
            _integer(kernel.name, name, given[name])
    if not isinstance(given.get("time_limit", 1), int | float):
        raise KernelError(f"time_limit must be a positive number of seconds, got {given['time_limit']!r}")
    outputs = given.get("outputs", ())
    outputs = () if outputs is None else (outputs,) if isinstance(outputs, str) else tuple(outputs)
    if not all(isinstance(name, str) for name in outputs):
        raise KernelError("outputs are given by their names in the kernel, such as outputs='out', not as arrays")
    writable = [p.name for p in kernel.signature.parameters if p.pointer and not p.const]
    for name in outputs:
        if name not in writable:
            raise KernelError(
                f"outputs: {name!r} is no array that {kernel.signature} may write; there are {', '.join(writable) or 'none'}"
            )
    options = Options(**{**given, "outputs": outputs})
    if not options.time_limit > 0:
        raise KernelError(f"time_limit must be a positive number of seconds, got {options.time_limit!r}")
    return options


def _three(name, what, sizes):
    sizes = tuple(sizes) if isinstance(sizes, tuple | list) else (sizes,)
    if not 1 <= len(sizes) <= 3:
        raise KernelError(f"{name}: a {what} has 1 to 3 sizes (x, y, z), got {len(sizes)}")
    return tuple(_integer(name, f"a size of the {what}", size) for size in sizes) + (1,) * (3 - len(sizes))


def _integer(name, what, value):
    try:
        return operator.index(value)
    except TypeError:
        hint = "\n  hint: divide with //, and round up: (n + 255) // 256" if isinstance(value, float) else ""
        raise KernelError(f"{name}: {what} must be an integer, got {value!r}{hint}") from None


def _shown(sizes):
    used = max(i for i, size in enumerate(sizes) if i == 0 or size != 1) + 1
    return " × ".join(str(size) for size in sizes[:used])


__all__ = ["MODES", "Kernel", "Launcher", "make_config", "make_options"]
