"""The course's CUDA kernels beside PyTorch, cuBLAS and CUB on one GPU, and the executor's counters beside those of the hardware."""
