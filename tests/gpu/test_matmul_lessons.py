"""What the chapter on matrix multiplication claims: loops, kernels and the library agree, and counts are as predicted by hand."""

import numpy as np
import pytest

from mlcourse.display.gpu_matmul import per_fma
from mlcourse.gpu import Kernel, kernels

RUNGS = [rung.kernel for rung in kernels.ladder("matmul")]


def matmul_loops(A, B):
    """The first version of the chapter."""
    C = np.zeros((A.shape[0], B.shape[1]))
    for i in range(A.shape[0]):
        for j in range(B.shape[1]):
            for k in range(A.shape[1]):
                C[i, j] += A[i, k] * B[k, j]
    return C


def operands(M, N, K, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(M, K)).astype(np.float32), rng.normal(size=(K, N)).astype(np.float32)


@pytest.mark.parametrize("rung", RUNGS)
def test_rungs_agree_with_loops_within_the_bound_on_rounding(rung):
    A, B = operands(19, 23, 11)
    u = 2.0**-24
    allowed = 11 * u / (1 - 11 * u) * (abs(A).astype(np.float64) @ abs(B))
    assert (abs(kernels.plan(rung, A, B).run() - matmul_loops(A, B)) <= allowed).all()


PREDICTED = {  # sectors, requests and passes for a warp's multiply-add, stores to shared memory
    "matmul_naive": (33, 0, 0, 0),
    "matmul_coalesced": (5, 0, 0, 0),
    "matmul_tiled": (32 * (1 / 32 + 1 / 32) / 8, 2, 2, 2 / 32),
    "matmul_column": (32 * (1 / 64 + 1 / 64) / 8, 1 + 1 / 8, 1 + 1 / 8, 2 / 64),
    "matmul_square": (32 * (1 / 128 + 1 / 128) / 8, 1 / 4, 1 / 4, 2 / 128),
    "matmul_vectorized": (1 / 16, 1 / 16, 1 / 4, 2 / 128),
    "matmul_warp": (1 / 16, (1 / 16 + 1 / 8) / 4, 1 / 16 + 1 / 8, 2 / 128),
    "matmul_async": (1 / 16, (1 / 16 + 1 / 8) / 4, 1 / 16 + 1 / 8, 2 / 128),
}


@pytest.mark.parametrize("rung", RUNGS)
def test_counters_are_as_predicted(rung):
    M, N, K = 128, 256, 32
    (profile,) = kernels.plan(rung, *operands(M, N, K)).profile()
    assert tuple(per_fma(profile, M * N * K).values()) == PREDICTED[rung]


def test_waiting_for_too_few_groups_is_found():
    source = kernels.source("matmul_async").replace("wait_prior(STAGES - 2)", "wait_prior(STAGES - 1)")
    A, B = operands(128, 128, 48)
    C = np.empty((128, 128), np.float32)
    report = Kernel(source, "matmul_async<false>").check[1, 128, 49920](A, B, C, 128, 128, 48)
    assert "async-copy" in {fault.kind for fault in report.faults}
