"""Run a kernel on a GPU: compiled by NVRTC for exactly the GPU that is there, launched by cuda-core on PyTorch's current stream.

What can be wrong with a launch is said in the learner's terms before it is made. A launch does not wait: what a kernel does
wrong while it runs is found out later, by the next launch, by `DeviceKernel.wait`, or by PyTorch.
"""

from __future__ import annotations

import collections
import ctypes

import numpy as np

from mlcourse.gpu.errors import CompileError, KernelError
from mlcourse.gpu.facts import LIMITS, limits_of
from mlcourse.gpu.nvrtc import compile_cubin, load

PLAIN_SHARED_MEMORY = 48 << 10  # a kernel gets more dynamic shared memory only if it asks for it
OLDEST_DRIVER = {12: "525", 13: "580"}  # the first driver that knows each major version of CUDA
FAULTS = {  # the driver's name of a fault, PyTorch's words for it, and what a kernel did
    "CUDA_ERROR_ILLEGAL_ADDRESS": ("an illegal memory access", "read or wrote memory outside of its arrays"),
    "CUDA_ERROR_MISALIGNED_ADDRESS": (
        "misaligned address",
        "used a vector at an address that is no multiple of its size",
    ),
    "CUDA_ERROR_ILLEGAL_INSTRUCTION": ("an illegal instruction", "reached an instruction that does not exist"),
    "CUDA_ERROR_LAUNCH_FAILED": ("unspecified launch failure", "broke off"),
    "CUDA_ERROR_LAUNCH_TIMEOUT": ("the launch timed out", "ran longer than the system allows"),
    "CUDA_ERROR_ASSERT": ("device-side assert", "failed an assert"),
}
REFUSALS = {
    "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES": "needs more registers than a multiprocessor has for a block of this size\n"
    "  hint: make the block smaller, or promise its size with __launch_bounds__",
    "CUDA_ERROR_NO_BINARY_FOR_GPU": "was compiled for another architecture than that of this GPU",
    "CUDA_ERROR_OUT_OF_MEMORY": "finds no memory left on the GPU\n  hint: delete tensors, then torch.cuda.empty_cache()",
}
_recent = collections.deque(
    maxlen=4
)  # the kernels launched last: one of them is to blame for a fault that is found later


class DeviceKernel:
    """One kernel of a source, for the GPUs of this machine.

    Parameters
    ----------
    source : str
        CUDA C++.
    name : str
        The kernel, or an instance of a template: "transpose<32>".
    """

    def __init__(self, source, name):
        self.source, self.name = source, name
        self._loaded = {}  # of each GPU: the machine code, the kernel, the dynamic shared memory it may have
        self._values = {}  # of variables, as last set
        self._sent = set()  # (GPU, variable): those that have that value
        self._last = None  # the GPU of the last launch

    def launch(self, grid, block, smem, args):
        """Launch the kernel on PyTorch's current stream of the GPU that holds the tensors, and return at once.

        Parameters
        ----------
        grid, block : tuple of int
            Blocks of the grid, threads of a block.
        smem : int
            Bytes of dynamic shared memory of a block.
        args : sequence
            CUDA tensors of one GPU, None for a null pointer, and scalars of NumPy or ctypes, as `mlcourse.gpu.Kernel` makes them.

        Raises
        ------
        KernelError
            If the launch cannot be right, or an earlier kernel has failed.
        CompileError
            If the source is wrong, or the compiler does not know the GPU.
        """
        core, torch = load("cuda.core"), load("torch")
        values = pack(self.name, args)
        index = next(x.device.index for x in args if hasattr(x, "data_ptr"))
        if not self._loaded:
            check_driver()
        try:
            device = core.Device(index)
            device.set_current()
            kernel = self._kernel(core, index, arch_name(*torch.cuda.get_device_capability(index)), smem)
            stream = device.create_stream(_Stream(torch.cuda.current_stream(index).cuda_stream))
            self._send_variables(index, torch.cuda.current_stream(index).cuda_stream)
            core.launch(stream, core.LaunchConfig(grid=grid, block=block, shmem_size=smem), kernel, *values)
        except (CompileError, KernelError):
            raise
        except Exception as error:
            raise KernelError(explain(error, self.name, _recent)) from error
        self._last = index
        _recent.append(self.name)

    def set_variable(self, name, value):
        """Set a ``__constant__`` or ``__device__`` variable, from the next launch on.

        Parameters
        ----------
        name : str
            The variable.
        value : ndarray
            As many bytes as the variable has.
        """
        self._values[name] = np.ascontiguousarray(value)
        self._sent = {sent for sent in self._sent if sent[1] != name}

    def read_variable(self, name):
        """Return the bytes of a variable as the last launch left it; wait for that launch."""
        driver = load("cuda.bindings.driver")
        self.wait()
        address, size = self._find_variable(driver, self._last, name)
        data = np.empty(size, np.uint8)
        (status,) = driver.cuMemcpyDtoH(data.ctypes.data, address, size)
        _raise_unless_done(driver, status, f"{self.name}: the variable {name!r} cannot be read")
        return data.tobytes()

    def wait(self):
        """Wait until the GPU has done everything it was given; raise a KernelError if a kernel has failed."""
        try:
            load("torch").cuda.synchronize()
        except RuntimeError as error:
            raise KernelError(explain(error, self.name, _recent)) from error

    def _kernel(self, core, index, arch, smem):
        """Return the kernel on this GPU, compiled and loaded once, with leave to use so much dynamic shared memory."""
        check_shared_memory(self.name, smem, arch)
        if index not in self._loaded:
            compiled = compile_cubin(self.source, self.name, arch)
            code = core.ObjectCode.from_cubin(compiled.cubin)
            self._loaded[index] = code, code.get_kernel(compiled.symbol), PLAIN_SHARED_MEMORY
        code, kernel, allowed = self._loaded[index]
        if smem > allowed:
            driver = load("cuda.bindings.driver")
            most = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            (status,) = driver.cuKernelSetAttribute(most, smem, kernel.handle, driver.CUdevice(index))
            _raise_unless_done(
                driver, status, f"{self.name} cannot have {smem} bytes of dynamic shared memory on this GPU"
            )
            self._loaded[index] = code, kernel, smem
        return kernel

    def _send_variables(self, index, stream):
        """Copy the values that this GPU does not have yet, in the order of the stream: after the launches before it."""
        for name, value in self._values.items():
            if (index, name) in self._sent:
                continue
            driver = load("cuda.bindings.driver")
            address, size = self._find_variable(driver, index, name)
            if size != value.nbytes:
                raise KernelError(f"the variable {name!r} has {size} bytes, got {value.nbytes}")
            (status,) = driver.cuMemcpyHtoDAsync(address, value.ctypes.data, size, driver.CUstream(stream))
            _raise_unless_done(driver, status, f"{self.name}: the variable {name!r} cannot be set")
            self._sent.add((index, name))

    def _find_variable(self, driver, index, name):
        code, *_ = self._loaded[index]
        status, address, size = driver.cuLibraryGetGlobal(code.handle, name.encode())
        hint = "\n  hint: the GPU's code names only variables outside of functions and namespaces that are not static"
        _raise_unless_done(driver, status, f"{self.name}: no variable {name!r} on the GPU", hint)
        return address, size


def _raise_unless_done(driver, status, message, hint=""):
    if status != driver.CUresult.CUDA_SUCCESS:
        raise KernelError(f"{message} ({status.name}){hint}")


class _Stream:
    """A stream of PyTorch in the form that cuda-core takes."""

    def __init__(self, handle):
        self.handle = handle

    def __cuda_stream__(self):
        return 0, self.handle


def require_gpu():
    """Return the name of the GPU that PyTorch uses.

    Raises
    ------
    KernelError
        If there is none, the driver is missing or too old, or PyTorch was built without CUDA; the message says what to do.
    """
    check_driver()
    torch = load("torch")
    if torch.version.cuda is None:
        raise KernelError(
            f"PyTorch {torch.__version__} was built without CUDA\n  hint: install the build for CUDA in an environment of its own"
        )
    if not torch.cuda.is_available():
        raise KernelError(
            "PyTorch finds no NVIDIA GPU, though there is a driver\n  hint: look at nvidia-smi and CUDA_VISIBLE_DEVICES"
        )
    return torch.cuda.get_device_name()


def pack(name, args):
    """Return the arguments as cuda-core takes them: addresses as int, numbers in types of a known size.

    >>> pack("saxpy", [ctypes.c_float(2.5), None, np.int32(7)])
    [c_float(2.5), 0, np.int32(7)]
    """
    values = []
    for position, x in enumerate(args, 1):
        if x is None:
            values.append(0)
        elif hasattr(x, "data_ptr"):
            values.append(x.data_ptr())
        elif isinstance(x, np.generic | ctypes._SimpleCData) and not isinstance(x, np.void):
            values.append(x)
        else:
            raise KernelError(
                f"{name}: argument {position}, a {type(x).__name__}, cannot be passed to a GPU by value\n"
                "  hint: pass numbers one by one, or a tensor that holds them"
            )
    return values


def check_shared_memory(name, smem, arch):
    """Raise a KernelError if no block on this architecture can have so much dynamic shared memory."""
    if arch.rstrip("af") in LIMITS and smem > (most := limits_of(arch).shared_memory_of_a_block):
        raise KernelError(
            f"{name} cannot have {smem} bytes of dynamic shared memory on {arch}: a block has at most {most}\n"
            "  hint: take smaller tiles, or fewer stages"
        )


def arch_name(major, minor):
    """Return the architecture of a compute capability; from 9 on with the instructions that only this one has.

    >>> arch_name(7, 5), arch_name(9, 0)
    ('sm_75', 'sm_90a')
    """
    return f"sm_{major}{minor}" + ("a" if major >= 9 else "")


def check_driver():
    """Raise a KernelError if there is no driver, or one that cannot load what the compiler here makes."""
    driver, nvrtc = load("cuda.bindings.driver"), load("cuda.bindings.nvrtc")
    try:
        _, version = driver.cuDriverGetVersion()
    except RuntimeError as error:
        raise KernelError(
            "there is no NVIDIA driver on this machine\n"
            "  hint: kernels run on the CPU with NumPy arrays and CPU tensors; on Colab choose Runtime > Change runtime type > GPU"
        ) from error
    _, major, minor = nvrtc.nvrtcVersion()
    if version // 1000 < major:
        raise KernelError(driver_too_old(version, major, minor))


def driver_too_old(version, major, minor):
    """Say what to do if a driver, whose version is as it reports it, cannot load code of CUDA `major`.`minor`.

    >>> print(driver_too_old(12040, 13, 0))
    the NVIDIA driver knows CUDA up to 12.4, and the compiler here is that of CUDA 13.0
      hint: update the driver to 580 or later, or install the compiler of CUDA 12:
            pip install "cuda-bindings==12.*" nvidia-cuda-nvrtc-cu12 nvidia-cuda-runtime-cu12
    """
    older = version // 1000
    return (
        f"the NVIDIA driver knows CUDA up to {older}.{version % 1000 // 10}, and the compiler here is that of CUDA {major}.{minor}\n"
        f"  hint: update the driver to {OLDEST_DRIVER.get(major, 'a newer one')} or later, or install the compiler of CUDA {older}:\n"
        f'        pip install "cuda-bindings=={older}.*" nvidia-cuda-nvrtc-cu{older} nvidia-cuda-runtime-cu{older}'
    )


def explain(error, name, recent=()):
    """Say in a learner's terms what an error of the driver or of PyTorch means.

    Parameters
    ----------
    error : Exception or str
        The error; its text has the driver's name of it, or PyTorch's words.
    name : str
        The kernel about to be launched.
    recent : sequence of str
        The kernels launched before it, any of which may be to blame for a fault.

    Returns
    -------
    str
    """
    text = str(error)
    for code, (words, what) in FAULTS.items():
        if code in text or words in text:
            suspects = " or ".join(dict.fromkeys(reversed(recent))) or name
            return (
                f"{suspects} {what}; this Python process cannot use the GPU any more\n"
                f"  hint: restart the notebook's kernel, then run .check[grid, block](...) on CPU copies of the same arrays: "
                "it names the line and the thread"
            )
    for code, what in REFUSALS.items():
        if code in text:
            return f"{name} {what}"
    return f"{name} could not be launched: {text}"
