"""The course's CUDA kernels: ladders of ways to do the same work, each rung faster than the one before on a GPU.

The kernels are files of CUDA C++ beside this one, read as text. `plan` puts together everything that a kernel needs to work
on arrays, and is what chapters, tests and the benchmark use:

>>> [rung.kernel for rung in ladder("transpose")]
['transpose_naive', 'transpose_tiled', 'transpose_padded', 'transpose_vectors']
>>> rung("transpose_padded").launch(1000, 500)
Launch(grid=(16, 32), block=(32, 8), smem=0)
"""

from __future__ import annotations

from mlcourse.gpu.kernels.ladders import LADDERS, ladder, plan, rung
from mlcourse.gpu.kernels.plans import Launch, Plan, Rung, Step, source

__all__ = ["LADDERS", "Launch", "Plan", "Rung", "Step", "ladder", "plan", "rung", "source"]
