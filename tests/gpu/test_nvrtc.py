"""The compiler: machine code without a GPU, and messages that show the learner's line."""

import sys

import pytest

from mlcourse.gpu.errors import CompileError, KernelError
from mlcourse.gpu.nvrtc import PACKAGES, compile_cubin, kernels_of
from tests.gpu.wheels import needs_wheels

SOURCE = """
__global__ void vadd(const float* a, const float* b, float* c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}
template <int T> __global__ void __launch_bounds__(T) fill(float* a) { a[threadIdx.x] = T; }
"""
TOO_MUCH = """
__global__ void k(float* a) {
  __shared__ float s[20000];
  s[threadIdx.x] = a[threadIdx.x];
  __syncthreads();
  a[threadIdx.x] = s[threadIdx.x + 1];
}"""


def test_kernels_are_found_whatever_stands_before_their_name():
    assert kernels_of(SOURCE) == ["vadd", "fill"]
    assert kernels_of('extern "C" __global__ void __launch_bounds__(32) a() {}\n__global__\nstatic void b() {}') == [
        "a",
        "b",
    ]


@needs_wheels
@pytest.mark.parametrize("arch", ["sm_75", "sm_80", "sm_90a"])
def test_machine_code_is_for_one_architecture(arch):
    compiled = compile_cubin(SOURCE, "vadd", arch)
    assert compiled.cubin.startswith(b"\x7fELF")
    assert f".target {arch}" in compiled.ptx
    assert compiled.symbol in compiled.ptx


@needs_wheels
def test_a_template_is_named_with_its_arguments():
    assert "Li64E" in compile_cubin(SOURCE, "fill<64>", "sm_80").symbol


@needs_wheels
def test_headers_of_cuda_are_found():
    headers = ("cuda_fp16.h", "cuda_bf16.h", "mma.h", "cooperative_groups.h", "cuda_pipeline.h", "math_constants.h")
    includes = "".join(f"#include <{header}>\n" for header in headers)
    assert compile_cubin(includes + SOURCE, "vadd", "sm_80").cubin


@needs_wheels
@pytest.mark.parametrize(
    ("source", "name", "arch", "words"),
    [
        (SOURCE.replace("c[i] = a[i]", "c[i] = z[i]"), "vadd", "sm_80", ["kernel.cu(4)", '"z" is undefined', "^"]),
        (SOURCE, "vsub", "sm_80", ["no kernel 'vsub'", "vadd, fill"]),
        (SOURCE, "fill", "sm_80", ["is a template", "'fill<32>'"]),
        (SOURCE, "fill<float>", "sm_80", ["has no instance"]),
        (SOURCE, "vadd", "sm_42", ["cannot make code for 'sm_42'", "sm_80", "T4 is sm_75"]),
        (SOURCE, "vadd", "H100", ["cannot make code for 'H100'"]),
        ("#include <nothing.h>\n" + SOURCE, "vadd", "sm_80", ["nothing.h", "not installed", *PACKAGES]),
        (TOO_MUCH, "k", "sm_80", ["too much shared data", "above 48 kB", "extern __shared__"]),
    ],
    ids=[
        "wrong name",
        "no such kernel",
        "template",
        "no such instance",
        "old GPU",
        "marketing",
        "header",
        "shared memory",
    ],
)
def test_messages_say_what_to_do(source, name, arch, words):
    with pytest.raises(CompileError) as caught:
        compile_cubin(source, name, arch)
    assert [word for word in words if word not in str(caught.value)] == []


def test_without_the_packages_the_message_names_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.bindings.nvrtc", None)
    compile_cubin.cache_clear()
    with pytest.raises(KernelError, match=r"requirements-gpu\.lock") as caught:
        compile_cubin(SOURCE, "vadd", "sm_80")
    assert "on the CPU needs none of it" in str(caught.value)
