"""Runs CUDA C++ on the CPU and looks at what it does.

A kernel's source is compiled as it is, with our headers in the place of CUDA's (``include/``), and linked with a runtime
(``runtime/``) to a program. The program runs as a process of its own and exchanges arrays with Python through shared memory.

How it is modeled
-----------------
Blocks run one after the other, their threads take turns: each runs until it returns or waits at a barrier or in a warp
function. Shared variables are thread-local ones of the only system thread. In a checked run and in a profile the compiler's
thread sanitizer calls our ``access`` in ``runtime/checker.cpp`` in front of every access to memory.

What counts as ordered: before and after ``__syncthreads()`` in a block, ``__syncwarp()`` among the lanes of its mask, and what a
thread wrote before a fence for those who then see its atomic. A shuffle or a vote orders nothing, as CUDA says.

Decisions
---------
- Threads that write the same value to the same place are reported as a note, not as a fault: it works on every GPU.
- ``volatile`` counts as an atomic in global memory (flags between blocks), not in shared memory (warps do not run in step).
- A plain read of what others update atomically is a race, unless the thread goes on to ``atomicCAS`` at that place: CUDA's own
  ``atomicAdd`` for doubles begins with such a read.
- What a warp has loaded as a matrix (wmma) it may store over; a matrix stored is read by other lanes after ``__syncwarp()`` only.
- Lanes that have returned may be named in a mask, but a value taken from one of them is a fault.
- The k-th time that the lanes of a warp come to an instruction since they last met, they make one request together. Lanes that
  skip an iteration therefore count with a later one.
- Operations are not counted: whoever profiles gives their number as ``flops=``.

Limits
------
No inline PTX, no texture memory, no barrier of the grid, no clusters, none of the SIMD intrinsics (``__vadd4``), no headers of
libcu++, CUB, Thrust or cuRAND; no caches and no time. A ``volatile`` flag that lacks its fence is not noticed. Accesses that the
compiler removes are not seen. Vector accesses are counted as on a GPU with g++ only; clang splits some of them. An array that is
overrun into the middle of another one is found by its declared size, or by the race that follows. macOS and aarch64 are written
for but were never tried. The C++ is formatted by clang-format with the file ``.clang-format`` here.
"""
