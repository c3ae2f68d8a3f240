"""The pictures of a warp's accesses show what the executor counted."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mlcourse.display import gpu_trace
from mlcourse.gpu import Kernel
from mlcourse.gpu.executor.profile import Request

SOURCE = """
__global__ void gather(const float* in, const int* index, float* out) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = in[index[i]];
}

__global__ void through_shared(const int* index, float* out) {
  __shared__ float table[1024];
  for (int i = threadIdx.x; i < 1024; i += blockDim.x) table[i] = i;
  __syncthreads();
  out[threadIdx.x] = table[index[threadIdx.x]];
}

__global__ void vectors_through_shared(const int* index, float4* out) {
  __shared__ float4 table[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) table[i] = make_float4(i, i, i, i);
  __syncthreads();
  out[threadIdx.x] = table[index[threadIdx.x]];
}
"""


@pytest.fixture
def ax():
    return Figure().subplots()


def request_for(offsets, size=4, space="global", operation="load"):
    offsets = np.array(offsets)
    return Request(1, operation, space, "x", size, 0, 0, np.arange(len(offsets)), offsets)


def counted(profile, array, operation="load"):
    return sum(line.transfers for line in profile.lines if (line.array, line.operation) == (array, operation))


@pytest.mark.parametrize("spread", [1, 2, 7, 40, 1000])
def test_sectors_are_those_that_the_executor_counts(spread):
    rng = np.random.default_rng(spread)
    index = rng.integers(0, 32 * spread, size=128).astype(np.int32)
    data, out = np.zeros(32 * spread, np.float32), np.zeros(128, np.float32)
    profile = Kernel(SOURCE, "gather").profile[2, 64](data, index, out)
    requests = [gpu_trace.find_request(profile, "in", number=k) for k in range(4)]
    assert sum(len(gpu_trace.sectors_of(request)) for request in requests) == counted(profile, "in")


@pytest.mark.parametrize(
    ("kernel", "entries", "lanes"), [("through_shared", 1024, 1), ("vectors_through_shared", 256, 4)]
)
@pytest.mark.parametrize("most", [4, 40, 1024])
def test_passes_are_those_that_the_executor_counts(kernel, entries, lanes, most):
    rng = np.random.default_rng(most)
    index = rng.integers(0, min(most, entries), size=64).astype(np.int32)
    profile = Kernel(SOURCE, kernel).profile[1, 64](index, np.zeros(64 * lanes, np.float32))
    requests = [gpu_trace.find_request(profile, "table", number=k) for k in range(2)]
    passes = [gpu_trace.passes_of(request) for request in requests]
    assert sum(map(len, passes)) == counted(profile, "table")
    for request, found in zip(requests, passes, strict=True):
        for bank in range(32):
            words = (request.offsets[:, None] // 4 + np.arange(lanes)).ravel()
            served = [lane for served in found for lane in served.get(bank, [])]
            assert sorted(served) == sorted(np.repeat(np.arange(32), lanes)[words % 32 == bank].tolist())


def test_lanes_that_want_one_word_share_a_pass_and_atomics_do_not():
    same = request_for([8] * 32, space="shared")
    assert gpu_trace.passes_of(same) == [{2: list(range(32))}]
    assert len(gpu_trace.passes_of(request_for([8] * 32, space="shared", operation="atomic"))) == 32


def test_a_request_that_is_not_there_is_named_with_those_that_are():
    index, out = np.zeros(32, np.int32), np.zeros(32, np.float32)
    profile = Kernel(SOURCE, "gather").profile[1, 32](np.zeros(4, np.float32), index, out)
    with pytest.raises(
        ValueError, match=r"0 requests for a load of 'out', and no number 0; it has: load of 'in'.*store of 'out'"
    ):
        gpu_trace.find_request(profile, "out")
    with pytest.raises(ValueError, match="1 requests for a load of 'in', and no number 1"):
        gpu_trace.find_request(profile, "in", number=1)


def test_sectors_are_drawn_once_with_what_is_used_of_them(ax):
    gpu_trace.draw_sectors(ax, request_for(np.arange(32) * 64))
    assert ax.get_title(loc="left") == "load of x: 32 sectors, 128 of 1,024 bytes used"
    filled, lines = ax.collections
    assert len(filled.get_paths()) == len(lines.get_segments()) == 32
    gpu_trace.draw_sectors(ax, request_for(4 + 4 * np.arange(32)), title="shifted")
    assert ax.get_title(loc="left") == "shifted: 5 sectors, 128 of 160 bytes used"


def test_not_more_sectors_are_drawn_than_asked_for(ax):
    gpu_trace.draw_sectors(ax, request_for(np.arange(32) * 64), most=10)
    assert ax.get_title(loc="left").endswith("(10 drawn)")
    assert len(ax.collections[1].get_segments()) == 10


def test_banks_have_a_row_for_each_pass(ax):
    gpu_trace.draw_banks(ax, request_for(np.arange(32) * 128, space="shared"), title="column")
    assert ax.get_title(loc="left") == "column: 32 passes"
    assert [text.get_text() for text in ax.texts] == [str(lane) for lane in range(32)]
    assert len({text.get_position()[0] for text in ax.texts}) == 1


@pytest.mark.parametrize(("pitch", "lanes"), [(32, 32), (33, 1), (34, 2), (40, 8), (48, 16)])
def test_tile_says_how_many_lanes_want_the_marked_bank(ax, pitch, lanes):
    gpu_trace.draw_tile(ax, request_for(np.arange(32) * 4 * pitch, space="shared"), pitch, title="tile")
    assert ax.get_title() == f"tile: {lanes} of 32 lanes want bank 0"
    assert len(ax.collections) == 3


def test_tile_can_be_drawn_without_a_bank(ax):
    gpu_trace.draw_tile(ax, request_for(np.arange(32) * 128, space="shared"), 32, mark=False)
    assert ax.get_title() == "32 lanes"
    assert len(ax.collections) == 2


def test_matrix_shows_elements_and_what_comes_along(ax):
    gpu_trace.draw_matrix(ax, request_for(np.arange(32) * 256), (64, 64), title="a column")
    assert ax.get_title() == "a column: 32 sectors"
    along, elements = ax.collections
    assert len(elements.get_paths()) == 32
    assert len(along.get_paths()) == 7 * 32
    assert any(isinstance(patch, Rectangle) and patch.get_width() == 64 for patch in ax.patches)
