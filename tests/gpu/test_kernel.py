"""The one class: arguments, sizes, options, variables, errors; every message names what came, what was expected and what to do."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from mlcourse.gpu import CompileError, Kernel, KernelError

KERNELS = r"""
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
struct Point { float x; int n; double y; };

__constant__ float weight[2][3];
__device__ int calls = 5;

__global__ void scale(float* x, float factor, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= factor;
}

__global__ void point(Point p, float4 v, bool flag, size_t n, double* out) {
  out[0] = p.x + p.n + p.y, out[1] = v.x + 10 * v.w, out[2] = flag, out[3] = n;
}

__global__ void halves(const half* a, const __nv_bfloat16* b, float* c, half factor, __nv_bfloat16 shift) {
  int i = threadIdx.x;
  c[i] = __half2float(a[i] * factor) + __bfloat162float(b[i] + shift);
}

__global__ void weigh(float* x) {
  x[threadIdx.x] = weight[threadIdx.x / 3][threadIdx.x % 3];
  if (threadIdx.x == 0) calls++;
}

__global__ void where(int* x, const int* maybe) {
  int t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  int b = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  x[b * 24 + t] = maybe ? -1 : b * 100 + t;
}

__global__ void shift(const float* from, float* to, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) to[i] = from[i] + 1;
}

__global__ void say(int n) {
  if (threadIdx.x < n) printf("thread %d says %.2f\n", threadIdx.x, 0.5f);
}
"""


def run(name, *arguments, grid=1, block=1):
    Kernel(KERNELS, name)[grid, block](*arguments)


def error(name, *arguments):
    with pytest.raises(KernelError) as caught:
        run(name, *arguments)
    return str(caught.value)


X = np.ones(4, np.float32)


def test_scalars_are_converted_by_the_signature():
    x = np.arange(4, dtype=np.float32)
    run("scale", x, 2, np.int64(3), block=32)
    assert x.tolist() == [0, 2, 4, 3]
    run("scale", x, np.float64(0.5), 4.0, block=32)
    assert x.tolist() == [0, 1, 2, 1.5]
    run("scale", x, np.array(2.0), np.uint8(4), block=32)
    assert x.tolist() == [0, 2, 4, 3]


def test_structs_vectors_and_every_kind_of_number_arrive():
    layout = np.dtype([("x", "f4"), ("n", "i4"), ("y", "f8")], align=True)
    out = np.zeros(4)
    run("point", np.array((1.5, 2, 4.0), layout)[()], (1, 2, 3, 4), True, 2**40, out)
    assert out.tolist() == [7.5, 41, 1, 2.0**40]


def test_16_bit_numbers():
    a = np.array([0.1, 65504, 6e-8, -np.inf], np.float16)
    b = np.array([1.0, -2.0, 3.140625, 1e30], np.float32)
    c = np.empty(4, np.float32)
    run("halves", a, (b.view(np.uint32) >> 16).astype(np.uint16), c, 0.5, 1, block=4)
    expected = (a * np.float16(0.5)).astype(np.float32) + (b.view(np.uint32) >> 16 << 16).view(np.float32)
    assert np.allclose(c, expected + 1, rtol=8e-3, atol=0)


def test_three_dimensions_and_null_pointers():
    x = np.zeros(12 * 24, np.int32)
    run("where", x, None, grid=(3, 2, 2), block=(4, 3, 2))
    assert np.array_equal(x.reshape(12, 24), np.arange(12)[:, None] * 100 + np.arange(24))


def test_arguments_that_overlap_are_one_memory():
    x = np.zeros(10, np.float32)
    run("shift", x[:9], x[1:], 9)
    assert x.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    report = Kernel(KERNELS, "shift").check[1, 32](x[:9], x[1:], 9)
    assert [fault.kind for fault in report.faults] == ["race"]


def test_tensors_are_arrays_too():
    torch = pytest.importorskip("torch")
    x = torch.arange(4, dtype=torch.float32)
    run("scale", x, 2, 4, block=4)
    assert x.tolist() == [0, 2, 4, 6]
    c = torch.empty(4)
    run("halves", torch.ones(4).half(), torch.full((4,), 2.0).bfloat16(), c, 3.0, 0.5, block=4)
    assert c.tolist() == [5.5] * 4
    assert "tensor.contiguous()" in error("scale", torch.ones(4, 4).t(), 1, 4)
    assert "torch.float32" in error("scale", torch.ones(4, dtype=torch.float64), 1, 4)


def test_constants_and_global_variables_live_in_python():
    kernel = Kernel(KERNELS, "weigh")
    with pytest.raises(KernelError, match="no value yet"):
        kernel.read_variable("calls")
    kernel.set_variable("weight", [[1, 2, 3], [4, 5, 6]])
    x = np.zeros(6, np.float32)
    kernel[1, 6](x)
    kernel.check[1, 6](x)
    assert x.tolist() == [1, 2, 3, 4, 5, 6]
    assert kernel.read_variable("calls").tolist() == [7]
    kernel.set_variable("calls", 40)
    kernel[1, 6](x)
    assert kernel.read_variable("calls").tolist() == [41]
    with pytest.raises(KernelError, match="24 bytes, got 8"):
        kernel.set_variable("weight", [1, 2])
    with pytest.raises(KernelError, match=r"no variable 'weights'.*weight"):
        kernel.set_variable("weights", [1, 2])


def test_a_kernel_prints(capsys):
    run("say", 2, block=32)
    assert capsys.readouterr().out == "thread 0 says 0.50\nthread 1 says 0.50\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((X, 1), "takes 3 arguments, got 2"),
        ((X.astype(np.float64), 1, 4), "'x' must be an array of float32, got an array of float64, shape (4,)\n  hint: array.astype("),
        (([1.0, 2.0], 1, 2), "'x' must be an array of float32, got [1.0, 2.0] (list)"),
        ((np.ones((4, 4), np.float32)[:, 1], 1, 4), "'x' is not C-contiguous"),
        ((np.broadcast_to(X, (2, 4)), 1, 4), "'x' is not C-contiguous"),
        ((np.frombuffer(bytes(16), np.float32), 1, 4), "'x' may be written by the kernel (it is not const), but the array is read-only"),
        ((X.astype(">f4"), 1, 4), "'x' must be an array of float32, got an array of >f4"),
        ((X, X, 4), "'factor' is a single float32, got an array of float32, shape (4,)"),
        ((X, 1, 2.5), "'n' must be an integer (int32), got 2.5 (float)"),
        ((X, 1, 2**31), "'n' does not fit int32"),
        ((X, 1, "4"), "'n' must be a number, got '4' (str)"),
        ((X, 1, None), "'n' must be a number, got None"),
        ((X, 1j, 4), "'factor' must be a number"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(arguments, words):
    assert words in error("scale", *arguments)
    assert error("scale", *arguments).startswith("scale(float* x, float factor, int n)")


def test_a_copy_of_an_output_is_kept():
    words = "keep it in a variable, for the kernel writes its results into the copy"
    pair, columns = np.ones(4), np.ones((4, 4), np.float32)[:, 1]
    assert all(words in error("scale", x, 1, 4) for x in (pair, columns))
    assert all(words not in error("shift", x, X.copy(), 4) for x in (pair, columns))


def test_wrong_structs_are_named():
    out, pair = np.zeros(4), np.array((1, 2), "f4, i4")[()]
    assert "'v' must be 4 numbers in a tuple, got 3 (int)" in error("point", pair, 3, True, 1, out)
    assert "'p' is declared 'Point p', which has 16 bytes; the value has 8" in error(
        "point", pair, (1, 2, 3, 4), True, 1, out
    )
    assert "'p' must be a NumPy value of a structured dtype" in error("point", (1, 2, 3), (1, 2, 3, 4), True, 1, out)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((0, 32), "a grid of 0 has no blocks\n  hint: round up: (n + 255) // 256"),
        ((1, 0), "a block of 0 has no threads"),
        ((1, -1), "has no threads"),
        ((1, 1025), "a block of 1025 threads is too large: 1024 is the most\n  hint: take more, smaller blocks"),
        ((1, (64, 32)), "64 × 32 = 2048 threads is too large"),
        ((1, (1, 1, 65)), "along z 64 is the most"),
        (((1, 70000), 32), "along y 65535 is the most"),
        ((4 / 2, 32), "must be an integer, got 2.0\n  hint: divide with //"),
        (((1, 2, 3, 4), 32), "1 to 3 sizes"),
        ((1, 32, -4), "-4 bytes of shared memory"),
    ],
)
def test_wrong_sizes_say_what_to_do(sizes, words):
    kernel = Kernel(KERNELS, "scale")
    with pytest.raises(KernelError) as caught:
        kernel[sizes](X.copy(), 1, 4)
    assert words in str(caught.value)
    report = kernel.check[sizes](X.copy(), 1, 4)
    assert [fault.kind for fault in report.faults] == ["launch"] and words in report.faults[0].message


def test_too_much_shared_memory():
    kernel = Kernel(KERNELS, "scale")
    with pytest.raises(KernelError, match="asks for 300000 bytes of shared memory; the most is 232448"):
        kernel[1, 32, 300000](X.copy(), 1, 4)
    assert kernel.check[1, 32, 300000](X.copy(), 1, 4).faults[0].kind == "launch"
    large = (
        "__global__ void k(float* x) { __shared__ float s[20000]; s[threadIdx.x] = 1; __syncthreads(); x[0] = s[1]; }"
    )
    with pytest.raises(KernelError, match="80000 bytes of shared memory; 49152 is the most with a size in the source"):
        Kernel(large, "k")[1, 32](X.copy())


def test_options_are_checked():
    kernel = Kernel(KERNELS, "scale")
    for options, words in (
        ({"order": "reverse"}, "'order' is no option of a launch"),
        ({"block_order": "backward"}, "block_order must be one of forward, reverse, random"),
        ({"outputs": "y"}, "'y' is no array that scale"),
        ({"outputs": X}, "given by their names in the kernel, such as outputs='out'"),
        ({"n": 4}, r"given in order, not by name; got n="),
        ({"time_limit": 0}, "time_limit must be a positive number"),
        ({"time_limit": "1"}, "time_limit must be a positive number of seconds, got '1'"),
        ({"seed": "one"}, "seed must be an integer, got 'one'"),
        ({"trace": 1.5}, "trace must be an integer, got 1.5"),
    ):
        with pytest.raises(KernelError, match=words):
            kernel.check[1, 4](X.copy(), 1, 4, **options)
    with pytest.raises(KernelError, match=r"say how many blocks and threads: kernel.check\[grid, block\]"):
        kernel.check(X, 1, 4)
    with pytest.raises(KernelError, match=r"say how many blocks and threads: kernel\[grid, block\]"):
        kernel(X, 1, 4)


@pytest.mark.parametrize(
    ("source", "name", "words"),
    [
        ("__global__ void a() {} __global__ void b(int n) {}", "c", "has no kernel 'c'.*it has a, b"),
        ("template <int T> __global__ void a() {}", "a", "'a' is a template: name an instance of it, such as 'a<32>'"),
        ("__global__ void a() {}", "a<3>", "'a' is no template"),
        ("__global__ int a() { return 1; }", "a", "the kernel 'a' must return nothing"),
        ("// __global__ void a() {}", "a", "it has none at all"),
        ("void a(int n) {}", "a", "the function 'a' is no kernel: declare it __global__ void a"),
        ("__device__ void a() {} __global__ void b() {}", "a", "the function 'a' is no kernel"),
        ("a", "__global__ void a() {}", r"one word, such as 'add', got '__global__(?s:.*)takes the source first"),
    ],
)
def test_the_kernel_must_be_there(source, name, words):
    with pytest.raises(KernelError, match=words):
        Kernel(source, name)


def test_compile_errors_show_the_learners_line():
    def message(body, before=""):
        source = f"{before}__global__ void k(float* a, int n) {{\n{body}\n}}"
        with pytest.raises(CompileError) as caught:
            Kernel(source, "k")[1, 1](X.copy(), 4)
        text = str(caught.value)
        assert "cuda_on_cpu" not in text and "/" not in text.replace("//", "").split("error")[0]
        return text

    assert message("  a[0] = no_such_thing;") == (
        "kernel.cu:2:10: error: 'no_such_thing' was not declared in this scope\n    2 |   a[0] = no_such_thing;\n      |          ^"
    )
    assert "exists for pointers to int, unsigned, long long" in message("  atomicMax(a, 1.0f);")
    assert "a brace is not closed" in message("  if (n) {")
    assert "kernel.cu:2:" in message("  struct P { double x, y; } p;  p = __shfl_sync(~0u, p, 0);")
    assert "at most 8 bytes" in message("  struct P { double x, y; } p;  p = __shfl_sync(~0u, p, 0);")
    assert "inline PTX" in message('  asm volatile("exit;");')
    assert "cannot be initialized" in message("  __shared__ float s = 0;")
    assert "the size of the array 't' is not known" in message("  float t[n];  a[0] = t[0];")
    assert "declare it __device__" in message("  a[0] = f(1);", "float f(float x) { return x; }\n")
    assert "launches are Python's" in message("  k<<<1, 1>>>(a, n);")
    assert "the mask of the lanes" in message("  a[0] = __shfl_down_sync(a[0], 1);")
    assert "a grid cannot wait" in message(
        "  cooperative_groups::this_grid().sync();", "#include <cooperative_groups.h>\n"
    )
    assert "declared but not defined: f(float)" in message("  a[0] = f(1);", "__device__ float f(float);\n")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("  int i = blockIdx * blockDim + threadIdx;", "hint: threadIdx, blockIdx, blockDim and gridDim have parts"),
        ("  i = threadIdx.x;", "hint: a variable is declared with its type: int i = …"),
        ("  a[0] = a[0] ** 2;", "hint: C++ has no operator for powers"),
        ("  a[0] = a[0] ^ 2;", "hint: C++ has no operator for powers"),
        ("  a[0] = np.sqrt(a[0]);", "hint: this is C++: sqrtf(x)"),
        ("  if (n < len(a)) a[0] = 1;", "hint: a pointer does not know how many elements there are"),
        ("  if (n < a.size) a[0] = 1;", "hint: a pointer does not know how many elements there are"),
        ('  printf("%d\n", n);', r"hint: a text ends on its line: inside of a Python string, write \\n"),
        ("  const float* b = a;  b[n] = 1;", "error: b points to const"),
        ("  const float* b = a;  *b = 1;", "error: b points to const"),
    ],
)
def test_slips_of_who_comes_from_python_have_a_hint(body, words):
    with pytest.raises(CompileError) as caught:
        Kernel(f"__global__ void k(float* a, int n) {{\n{body}\n}}", "k")[1, 1](X.copy(), 4)
    assert words in str(caught.value)


def test_a_notebook_shows_the_callers_lines_and_not_the_package():
    code = """
from mlcourse.gpu import Kernel
def launch():
    Kernel("__global__ void k(int n) { n = m; }", "k")[1, 1](3)
launch()
"""
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", code]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    assert "in launch()" in shown and "CompileError: kernel.cu:1:32: error: 'm' was not declared" in shown
    assert "mlcourse/gpu" not in shown


def test_a_kernel_knows_itself():
    kernel = Kernel(KERNELS, "scale")
    assert repr(kernel) == "Kernel(scale(float* x, float factor, int n))"
    assert "float factor" in repr(kernel.check)
    with pytest.raises(KernelError, match="two texts"):
        Kernel(KERNELS, 3)
    with pytest.raises(KernelError, match="a launch is kernel"):
        kernel[3]


def test_written_tells_which_elements_were_written():
    x = np.zeros((2, 3), np.float32)
    kernel = Kernel("__global__ void k(float* x, const float* y) { x[2 * threadIdx.x] = y[0]; }", "k")
    report = kernel.check[1, 3](x, x.copy())
    assert report.written.keys() == {"x"}
    assert report.written["x"].tolist() == [[True, False, True], [False, True, False]]
    unwritten = kernel.check[1, 3](x, x.copy(), outputs="x").faults[0]
    assert (unwritten.kind, unwritten.array, unwritten.index, unwritten.count) == ("unwritten", "x", (0, 1), 3)


INTRINSICS = {
    "__dp4a(0x01020304, 0x01ff0101, 5)": 5 + 1 - 2 + 3 + 4,
    "__dp4a(0x01020304u, 0x01ff0101u, 5u)": 5 + 1 + 2 * 255 + 3 + 4,
    "__popcll(__brevll(5ull)) + (__brev(1u) == 1u << 31)": 3,
    "__umul64hi(1ull << 63, 4ull) + __mul64hi(-(1ll << 62), 4ll)": 1,
    "__umul24(0xff000003u, 4u) + __mul24(3, -4)": 0,
    "__sad(-3, 7, 1) + __usad(3u, 7u, 1u)": 16,
    "__hadd(3, 6) + __rhadd(3, 6) + __uhadd(3u, 6u) + __urhadd(3u, 6u)": 18,
    "__funnelshift_lc(7u, 1u, 32u) + __funnelshift_rc(7u, 1u, 40u)": 8,
    "__fadd_rz(1.0f, 1e-9f) == 1.0f && __fadd_ru(1.0f, 1e-9f) > 1.0f": 1,
    "__fdiv_rd(1.0f, 3.0f) < __fdiv_ru(1.0f, 3.0f)": 1,
    "__dsqrt_rd(2.0) < __dsqrt_ru(2.0)": 1,
    "__fmaf_rn(2.0f, 3.0f, 1.0f) + __ddiv_rn(3.0, 2.0)": 8.5,
    "__float2int_rn(2.5f) + __float2int_ru(2.5f) + __float2int_rd(-2.5f) + __float2int_rz(-2.5f)": 0,
    "__float2int_rz(1e20f) == 2147483647 && __float2uint_rz(-5.0f) == 0": 1,
    "__int2float_rz(16777219) == 16777218.0f && __int2float_ru(16777219) == 16777220.0f": 1,
    "__hiloint2double(__double2hiint(2.5), __double2loint(2.5))": 2.5,
    "norm3df(1, 2, 2) + rhypotf(3, 4) + sinpi(0.5) + cospif(1)": 3.2,
    "__low2float(h2sqrt(__floats2half2_rn(4.0f, 9.0f))) + __high2float(__heq2(__float2half2_rn(2), __float2half2_rn(2)))": 3,
    "__half2short_rn(__ushort2half_rn(7)) + __hbgt2(__float2half2_rn(2), __float2half2_rn(1))": 8,
    "__bfloat162float(__high2bfloat16(__floats2bfloat162_rn(1, 4))) + __bfloat162int_rn(__int2bfloat16_rn(3))": 7,
}


def test_intrinsics_compute_what_cuda_says():
    lines = "".join(f"  y[{i}] = {call};\n" for i, call in enumerate(INTRINSICS))
    source = f"#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n__global__ void k(double* y) {{\n{lines}}}"
    y = np.full(len(INTRINSICS), np.nan)
    Kernel(source, "k")[1, 1](y)
    wrong = {
        call: (found, right)
        for (call, right), found in zip(INTRINSICS.items(), y, strict=True)
        if abs(found - right) > 1e-6
    }
    assert not wrong
    assert Kernel(source, "k").check[1, 1](y, outputs="y").ok


@pytest.mark.parametrize(
    ("head", "body", "words"),
    [
        ("#include <cub/cub.cuh>", "", "the executor has no cub/cub.cuh; it has cuda_runtime.h, cuda_fp16.h"),
        ("", "y[0] = __vadd4(1, 2);", "if __vadd4 is a function of CUDA, the executor does not have it"),
        ("", '__asm__("mov.u32 %0, %%laneid;" : "=r"(y[0]));', "hint: inline PTX"),
    ],
)
def test_what_the_executor_does_not_have_is_said(head, body, words):
    with pytest.raises(CompileError, match=re.escape(words)):
        Kernel(f"{head}\n__global__ void k(int* y) {{ {body} }}", "k")[1, 1](np.zeros(1, np.int32))
