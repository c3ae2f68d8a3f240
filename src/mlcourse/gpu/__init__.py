"""CUDA C++ kernels: run and checked on a CPU, compiled and run for a GPU."""

from mlcourse.gpu.errors import CompileError, KernelError
from mlcourse.gpu.kernel import Kernel

__all__ = ["CompileError", "Kernel", "KernelError"]
