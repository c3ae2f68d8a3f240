"""Compile CUDA C++ to the machine code of one GPU architecture with NVIDIA's run-time compiler, NVRTC.

It needs no GPU and no driver, only the packages of the extra ``gpu``. The machine code ("cubin") is made for exactly one
architecture: code in between (PTX), which a driver would compile further, is refused by every driver that is older than the compiler.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from mlcourse.gpu.errors import CompileError, KernelError

FILE = "kernel.cu"
PACKAGES = (
    "cuda-bindings",
    "cuda-core",
    *(f"nvidia-cuda-{name}" for name in ("nvrtc", "runtime", "crt", "cccl", "nvdisasm")),
)
INSTALL = f"python -m pip install -r requirements-gpu.lock in a clone of the course, elsewhere pip install {' '.join(PACKAGES)}"


@dataclass(frozen=True)
class Compiled:
    """One kernel in machine code.

    Attributes
    ----------
    arch : str
        The architecture, such as "sm_90a".
    symbol : str
        The name of the kernel inside the machine code.
    cubin : bytes
        The machine code.
    ptx : str
        The same in NVIDIA's virtual assembly language, for reading.
    log : str
        What the assembler says about registers, spills and shared memory.
    """

    arch: str
    symbol: str
    cubin: bytes
    ptx: str
    log: str


@functools.lru_cache(maxsize=256)
def compile_cubin(source, name, arch):
    """Compile one kernel of a source.

    Parameters
    ----------
    source : str
        CUDA C++.
    name : str
        The kernel; an instance of a template is named with its arguments, "transpose<32>".
    arch : str
        The architecture of a GPU: "sm_75" (T4), "sm_80" (A100), "sm_90a" (H100, H200).

    Returns
    -------
    Compiled

    Raises
    ------
    CompileError
        If the source is wrong, has no such kernel, or the compiler does not know the architecture.
    KernelError
        If the packages of the extra ``gpu`` are missing.
    """
    nvrtc = load("cuda.bindings.nvrtc")
    _check_arch(nvrtc, arch)
    _, program = nvrtc.nvrtcCreateProgram(source.encode(), FILE.encode(), 0, [], [])
    try:
        nvrtc.nvrtcAddNameExpression(program, name.encode())
        options = [
            f"--gpu-architecture={arch}",
            "--std=c++20",
            "--generate-line-info",
            "--ptxas-options=-v",
            *_includes(),
        ]
        (status,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
        log = _read(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).decode().strip("\0 \n")
        if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise CompileError(_explain(log or str(status), source, name))
        status, symbol = nvrtc.nvrtcGetLoweredName(program, name.encode())
        return Compiled(
            arch,
            symbol.decode(),
            _read(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program),
            _read(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program).decode().rstrip("\0"),
            log,
        )
    finally:
        nvrtc.nvrtcDestroyProgram(program)


def load(module):
    """Import a module of the extra ``gpu``, or say how to get it."""
    try:
        match (
            module
        ):  # spelled out, for what decides only while it runs what it imports counts as using the whole package
            case "cuda.bindings.driver":
                from cuda.bindings import driver as found
            case "cuda.bindings.nvrtc":
                from cuda.bindings import nvrtc as found
            case "cuda.core":
                import cuda.core as found
            case "cuda.pathfinder":
                import cuda.pathfinder as found
            case "torch":
                import torch as found
    except ImportError as error:
        raise KernelError(
            f"compiling for a GPU needs the Python package {'-'.join(module.split('.')[:2])}, which is not installed ({error}).\n"
            f"  hint: {INSTALL}; running a kernel on the CPU needs none of it"
        ) from error
    return found


def kernels_of(source):
    """Return the names of the kernels that a source defines.

    >>> kernels_of("template <int T> __global__ void a() {} __global__ __launch_bounds__(128, 2) void b(int n) {}")
    ['a', 'b']
    """
    return re.findall(
        r"__global__(?:\s+__launch_bounds__\s*\([^()]*\)|\s+static|\s+inline)*\s+void\s+(?:__launch_bounds__\s*\([^()]*\)\s*)?(\w+)",
        source,
    )


def _check_arch(nvrtc, arch):
    _, major, minor = nvrtc.nvrtcVersion()
    _, numbers = nvrtc.nvrtcGetSupportedArchs()
    if not (found := re.fullmatch(r"sm_(\d+)[af]?", arch)) or int(found[1]) not in numbers:
        known = ", ".join(f"sm_{number}" for number in numbers)
        raise CompileError(
            f"the compiler (NVRTC {major}.{minor}) cannot make code for {arch!r}; it knows {known}.\n"
            "  hint: T4 is sm_75, A100 is sm_80, RTX 40 is sm_89, H100 and H200 are sm_90a"
        )


def _includes():
    pathfinder = load("cuda.pathfinder")
    folder = pathfinder.find_nvidia_header_directory("cudart")
    if folder is None:
        return []
    return [f"-I{path}" for path in (Path(folder), Path(folder) / "cccl") if path.is_dir()]


def _read(size_of, get, program):
    _, size = size_of(program)
    buffer = b" " * size
    get(program, buffer)
    return buffer


def _explain(log, source, name):
    """Leave out what the compiler says about itself, and add what a learner can do."""
    text = "\n".join(line for line in log.splitlines() if not line.startswith(("ptxas info", "ptxas  ")))
    if text.startswith("__nv_name_map"):
        return _no_such_kernel(text, source, name)
    if found := re.search(r'cannot open source file "([^"]+)"', text):
        return f"{text}\n  hint: the header {found[1]} is not installed; {INSTALL}"
    if "too much shared data" in text:
        return f"{text.strip()}\n  hint: above 48 kB shared memory must be dynamic: extern __shared__, its bytes given at the launch"
    return text


def _no_such_kernel(text, source, name):
    names = kernels_of(source)
    if name in names:
        return f"the kernel {name!r} is a template: name an instance of it, such as '{name}<32>'"
    if name.split("<")[0] in names:
        return f"the template {name.split('<')[0]!r} has no instance {name!r}:\n{text}"
    return f"there is no kernel {name!r} in this source; it defines {', '.join(names) or 'none'}"
