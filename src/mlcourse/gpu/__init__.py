"""CUDA C++ kernels: run and checked on a CPU, compiled and run for a GPU."""
