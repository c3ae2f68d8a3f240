"""A launch is timed beside a copy of as many bytes, on the values that were given; what cannot be timed is refused."""

import time

import numpy as np
import pytest
import torch

from mlcourse.gpu import Kernel, KernelError, timing
from mlcourse.gpu.timing import LaunchTime, time_on_gpu
from tests.gpu.wheels import needs_gpu

DOUBLE = Kernel(
    """
__global__ void doubled(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2 * y[i] + x[i];
}""",
    "doubled",
)


@pytest.fixture
def pretended(monkeypatch):
    """A GPU that is this machine's CPU; notes what runs."""
    ran = []

    def seconds(_, run):
        start = time.perf_counter()
        ran.append(run())
        return time.perf_counter() - start

    monkeypatch.setattr(timing, "require_gpu", lambda: "pretended GPU")
    monkeypatch.setattr(timing, "_on_gpu", lambda torch, x: torch.as_tensor(x) if hasattr(x, "shape") else x)
    monkeypatch.setattr(timing, "_seconds", seconds)
    return ran


def test_launch_and_copy_run_in_turns_and_the_arrays_stay(pretended):
    x, y = np.ones((2, 1000), np.float32)
    took = time_on_gpu(DOUBLE[4, 256], x, y, 1000, rounds=3)
    assert (took.device, took.bytes) == ("pretended GPU", 8000)
    assert [result is None for result in pretended] == [True, False] * 3
    assert {result.nbytes for result in pretended[1::2]} == {4000}
    assert (y == 1).all() and took.seconds > 0 and took.copy_seconds > 0


def test_it_says_what_it_means():
    took = LaunchTime("a GPU", 2e-4, 1e-4, 400_000_000)
    assert str(took) == (
        "a GPU: 0.2 ms for 400 MB of arrays, 2,000 GB/s; a copy of as many bytes takes 0.1 ms (50% of this time)"
    )


@pytest.mark.parametrize("launch", [DOUBLE, DOUBLE.check[4, 256], "doubled"])
def test_only_a_launch_with_its_sizes_can_be_timed(launch):
    with pytest.raises(KernelError, match=r"takes a kernel with its sizes, such as kernel\[grid, block\]; got"):
        time_on_gpu(launch, np.zeros(3, np.float32))


def test_no_rounds_are_refused():
    with pytest.raises(KernelError, match="rounds must be at least 1, got 0"):
        time_on_gpu(DOUBLE[4, 256], rounds=0)


def test_a_launch_without_arrays_is_refused(pretended):
    with pytest.raises(KernelError, match="give those that the launch takes"):
        time_on_gpu(Kernel("__global__ void nothing() {}", "nothing")[1, 1])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_what_to_do():
    with pytest.raises(KernelError, match="hint: "):
        time_on_gpu(DOUBLE[4, 256], *np.ones((2, 1000), np.float32), 1000)


@needs_gpu
def test_on_a_gpu():
    took = time_on_gpu(DOUBLE[1 << 16, 256], *np.ones((2, 1 << 24), np.float32), 1 << 24)
    assert 0 < took.copy_seconds < took.seconds < 1
