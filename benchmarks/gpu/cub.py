"""CUB from Python: cub.cu compiled by nvcc for the GPU that is there, called with PyTorch's memory on its current stream."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("cub.cu")


def compile_command(nvcc, arch, target):
    """The command that makes the library; the architecture is that of the GPU, so that no driver has to compile anything."""
    number = arch.removeprefix("sm_")
    machine_code = f"-gencode=arch=compute_{number},code=sm_{number}"
    return [nvcc, "-O3", "-std=c++17", "-shared", "-Xcompiler", "-fPIC", machine_code, "-o", str(target), str(SOURCE)]


@functools.cache
def library():
    """Compile and load the library, once a process."""
    from mlcourse.gpu.device import arch_of

    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise SystemExit(
            "CUB is measured through NVIDIA's compiler nvcc, which is not on the PATH: add /usr/local/cuda/bin"
        )
    target = Path(tempfile.mkdtemp(prefix="mlcourse-cub-")) / "cub.so"
    done = subprocess.run(
        compile_command(nvcc, arch_of(torch.cuda.current_device()), target), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"nvcc could not compile {SOURCE.name}:\n{done.stderr}")
    return ctypes.CDLL(str(target))


def prepared(function, x, out):
    """Return a function without arguments that runs this function of CUB from x to out; the memory it works in is there already."""
    call = getattr(library(), function)
    call.restype = ctypes.c_int
    size = ctypes.c_size_t(0)

    def run(memory):
        arguments = (x.data_ptr(), out.data_ptr())
        stream = torch.cuda.current_stream().cuda_stream
        status = call(
            ctypes.c_void_p(memory),
            ctypes.byref(size),
            *map(ctypes.c_void_p, arguments),
            ctypes.c_int(x.numel()),
            ctypes.c_void_p(stream),
        )
        if status != 0:
            raise RuntimeError(f"{function} of CUB failed with CUDA error {status}")

    run(None)
    memory = torch.empty(max(1, size.value), dtype=torch.uint8, device=x.device)
    return lambda: run(memory.data_ptr())
