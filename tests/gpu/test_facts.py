"""What the compiler says about a kernel, and occupancy, which has to agree with NVIDIA's own arithmetic."""

import itertools
import shutil
import subprocess

import pytest

from mlcourse.gpu import Kernel
from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.facts import LIMITS, compile_facts, limits_of, occupancy
from mlcourse.gpu.nvrtc import load
from tests.gpu.wheels import needs_wheels

ARCHS = ["sm_75", "sm_80", "sm_90a"]
REVERSE = """
template <int T> __global__ void reverse(const float4* in, float4* out, int n) {
  __shared__ float4 s[T];
  int i = blockIdx.x * T + threadIdx.x;
  if (i < n) s[threadIdx.x] = in[i];
  __syncthreads();
  if (i < n) out[i] = s[T - 1 - threadIdx.x];
}"""
SPILL = """
__global__ void spill(float* x, int n) {
  float a[64];
  for (int i = 0; i < 64; ++i) a[i] = x[i];
  for (int i = 0; i < n; ++i) a[i * 7 % 64] += a[i % 64];
  for (int i = 0; i < 64; ++i) x[i] = a[i];
}"""


@needs_wheels
@pytest.mark.parametrize("arch", ARCHS)
def test_facts_of_a_kernel(arch):
    facts = compile_facts(REVERSE, "reverse<64>", arch)
    assert 8 <= facts.registers <= 32
    assert facts.spills == facts.stack == 0
    assert facts.shared_memory == 64 * 16
    assert facts.count("LDG.E.128") == facts.count("STG.E.128") == facts.count("STS.128") == 1
    assert facts.count("LDG") == facts.count("LDS") == 1
    assert facts.count("LD") == 0
    assert "// line 5" in facts.sass
    assert "NOP" not in facts.sass
    assert ".entry" in facts.ptx
    assert str(facts).startswith(f"reverse<64> for {arch}: {facts.registers} registers, no spills, 1024 bytes")


@needs_wheels
def test_a_kernel_tells_its_facts():
    facts = Kernel(REVERSE, "reverse<64>").compile("sm_80")
    assert facts == compile_facts(REVERSE, "reverse<64>", "sm_80")
    assert facts.registers < 40


@needs_wheels
def test_an_array_with_a_computed_index_lives_in_local_memory():
    facts = compile_facts(SPILL, "spill", "sm_80")
    assert facts.stack == 64 * 4
    assert facts.count("LDL") > 0
    assert facts.count("STL") > 0


@needs_wheels
def test_a_cap_on_registers_makes_spills():
    loop = "for (int i = 0; i < 128; ++i)"
    body = f"float a[128]; {loop} a[i] = x[i]; __syncthreads(); {loop} x[127 - i] = a[i] * a[127 - i];"
    facts = compile_facts(f"__global__ void __launch_bounds__(1024, 2) k(float* x) {{ {body} }}", "k", "sm_80")
    assert facts.registers <= 32
    assert facts.spills > 0
    assert "bytes of spills" in str(facts)


@needs_wheels
def test_occupancy_of_a_kernel_counts_static_and_dynamic_shared_memory():
    facts = compile_facts(REVERSE, "reverse<64>", "sm_90a")
    assert facts.occupancy(64).limited_by == "warps"
    with_tiles = facts.occupancy((8, 8), smem=(100 << 10) - 1024)
    assert (with_tiles.blocks, with_tiles.limited_by) == (2, "shared memory")


@pytest.mark.parametrize(
    ("arch", "block", "registers", "smem", "blocks", "limited_by"),
    [
        ("sm_90a", 256, 32, 0, 8, "warps"),
        ("sm_90a", 32, 16, 0, 32, "blocks"),
        ("sm_90a", 128, 241, 49920, 2, "registers"),
        ("sm_80", 128, 241, 100 << 10, 1, "shared memory"),
        ("sm_75", (32, 32), 64, 0, 1, "warps"),
    ],
)
def test_occupancy_worked_out_by_hand(arch, block, registers, smem, blocks, limited_by):
    found = occupancy(arch, block, registers, smem)
    assert (found.blocks, found.limited_by) == (blocks, limited_by)
    threads = block if isinstance(block, int) else block[0] * block[1]
    assert found.warps == blocks * threads // 32
    assert found.share == found.warps / limits_of(arch).warps


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sm_90a", 2048, 32, 0), "1024 is the most"),
        (("sm_90a", 128, 32, 228 << 10), "232448 is the most"),
        (("sm_75", 1024, 255, 0), "__launch_bounds__"),
        (("sm_61", 128, 32, 0), "not in the table"),
    ],
)
def test_blocks_that_no_multiprocessor_can_hold(arguments, words):
    with pytest.raises(KernelError, match=words):
        occupancy(*arguments)


PROGRAM = r"""
#include <cstdio>
#include <cuda_occupancy.h>
int main() {
  int major, minor, warps, registers, smem, smem_of_a_block, reserved, threads, used, bytes;
  while (scanf("%d %d %d %d %d %d %d %d %d %d", &major, &minor, &warps, &registers, &smem, &smem_of_a_block, &reserved, &threads,
               &used, &bytes) == 10) {
    cudaOccDeviceProp device;
    device.computeMajor = major, device.computeMinor = minor, device.maxThreadsPerBlock = 1024;
    device.maxThreadsPerMultiprocessor = 32 * warps, device.regsPerBlock = device.regsPerMultiprocessor = registers;
    device.warpSize = 32, device.numSms = 1, device.sharedMemPerBlock = 48 << 10, device.sharedMemPerMultiprocessor = smem;
    device.sharedMemPerBlockOptin = smem_of_a_block, device.reservedSharedMemPerBlock = reserved;
    cudaOccFuncAttributes kernel;
    kernel.maxThreadsPerBlock = 1024, kernel.numRegs = used, kernel.sharedSizeBytes = 0;
    kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN, kernel.maxDynamicSharedSizeBytes = bytes;
    cudaOccDeviceState state;
    state.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED;
    cudaOccResult result;
    int status = cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, threads, bytes);
    printf("%d\n", status == CUDA_OCC_SUCCESS ? result.activeBlocksPerMultiprocessor : -1);
  }
}
"""


@needs_wheels
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
def test_occupancy_agrees_with_nvidias_own_arithmetic(tmp_path):
    folder = load("cuda.pathfinder").find_nvidia_header_directory("cudart")
    (tmp_path / "oracle.cpp").write_text(PROGRAM)
    program = tmp_path / "oracle"
    subprocess.run(["g++", "-w", f"-I{folder}", tmp_path / "oracle.cpp", "-o", program], check=True)
    threads = (32, 64, 96, 128, 160, 256, 512, 736, 1024)
    points = list(
        itertools.product(LIMITS, threads, (8, 17, 32, 40, 64, 96, 128, 200, 255), (0, 1000, 4096, 20000, 60000))
    )
    lines = []
    for arch, threads, registers, smem in points:
        limits = LIMITS[arch]
        row = (arch[3], arch[4], limits.warps, limits.registers, limits.shared_memory, limits.shared_memory_of_a_block)
        lines.append(" ".join(map(str, (*row, limits.shared_memory_reserved, threads, registers, smem))))
    done = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, check=True)
    expected = list(map(int, done.stdout.split()))
    differing = []
    for point, blocks in zip(points, expected, strict=True):
        try:
            found = occupancy(*point).blocks
        except KernelError:
            found = 0
        if found != blocks:
            differing.append((point, found, blocks))
    assert differing == []
    assert len(set(expected)) > 10
