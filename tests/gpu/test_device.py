"""The device: everything but the launch itself, and on a machine with a GPU the launch too."""

import ctypes
import sys
import types

import numpy as np
import pytest
import torch

from mlcourse.gpu import CompileError, Kernel, KernelError
from mlcourse.gpu import device as gpu
from mlcourse.gpu.device import DeviceKernel, arch_name, check_shared_memory, driver_too_old, explain, pack, require_gpu
from mlcourse.gpu.nvrtc import compile_cubin
from tests.gpu.wheels import needs_gpu, needs_wheels

SCALE = """
template <typename T> __global__ void scale(T* x, float factor, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = (T)((float)x[i] * factor);
}"""


def test_arguments_keep_their_size():
    x = torch.zeros(3)
    values = pack("k", [x, None, np.int32(7), np.float16(0.5), ctypes.c_double(2)])
    assert values[:2] == [x.data_ptr(), 0]
    assert [type(value) for value in values[2:]] == [np.int32, np.float16, ctypes.c_double]


@pytest.mark.parametrize("value", [7, 2.5, np.zeros(4, np.float32), np.zeros((), np.dtype([("x", "f4")]))[()], "x"])
def test_what_has_no_size_of_its_own_is_refused(value):
    with pytest.raises(KernelError, match="argument 2"):
        pack("k", [np.int32(1), value])


def test_the_architecture_is_exact():
    assert [arch_name(7, 5), arch_name(8, 0), arch_name(8, 9), arch_name(9, 0), arch_name(10, 0)] == [
        "sm_75",
        "sm_80",
        "sm_89",
        "sm_90a",
        "sm_100a",
    ]


def test_too_much_shared_memory_is_refused_before_the_launch():
    check_shared_memory("k", 227 << 10, "sm_90a")
    check_shared_memory("k", 1 << 30, "sm_61")  # not in the table: the driver will say
    with pytest.raises(
        KernelError, match=r"232449 bytes .* on sm_90a: a block has at most 232448\n  hint: take smaller"
    ):
        check_shared_memory("k", (227 << 10) + 1, "sm_90a")
    with pytest.raises(KernelError, match="at most 65536"):
        check_shared_memory("k", 66560, "sm_75")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "CUDA_ERROR_ILLEGAL_ADDRESS: While executing a kernel, ...",
            ["b or a", "outside of its arrays", "restart", ".check["],
        ),
        (
            "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be ...",
            ["b or a", "outside of its arrays"],
        ),
        ("CUDA_ERROR_MISALIGNED_ADDRESS", ["b or a", "no multiple of its size"]),
        ("CUDA error: unspecified launch failure", ["b or a", "broke off"]),
        ("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: ...", ["now needs more registers", "__launch_bounds__"]),
        ("CUDA_ERROR_NO_BINARY_FOR_GPU: ...", ["now was compiled for another architecture"]),
        ("CUDA_ERROR_OUT_OF_MEMORY", ["now finds no memory", "empty_cache"]),
        ("CUDA_ERROR_SOMETHING_NEW: never seen", ["now could not be launched", "never seen"]),
    ],
)
def test_errors_of_the_driver_in_plain_words(text, words):
    message = explain(RuntimeError(text), "now", ["a", "b", "a", "b"])
    assert [word for word in words if word not in message] == []


def test_a_fault_with_nothing_before_it_is_the_kernels_own():
    assert explain("CUDA_ERROR_ILLEGAL_ADDRESS", "first").startswith("first read or wrote memory")


@pytest.mark.parametrize(
    ("version", "major", "words"), [(12040, 13, ["12.4", "580", "cu12"]), (11080, 12, ["11.8", "525", "cu11"])]
)
def test_a_driver_too_old(version, major, words):
    message = driver_too_old(version, major, 0)
    assert [word for word in words if word not in message] == []


def fake_bindings(monkeypatch, version, compiler=(13, 0)):
    """Put modules in place of NVIDIA's that answer what a driver of this version and this compiler answer."""

    def driver_version():
        if version is None:
            raise RuntimeError('"cuda" is an NVIDIA driver library and can only be found via system search.')
        return 0, version

    driver = types.SimpleNamespace(cuDriverGetVersion=driver_version)
    nvrtc = types.SimpleNamespace(nvrtcVersion=lambda: (0, *compiler))
    monkeypatch.setattr(
        gpu, "load", lambda name: {"cuda.bindings.driver": driver, "cuda.bindings.nvrtc": nvrtc, "torch": torch}[name]
    )


def test_no_driver(monkeypatch):
    fake_bindings(monkeypatch, None)
    with pytest.raises(KernelError, match="no NVIDIA driver on this machine\n  hint: kernels run on the CPU"):
        require_gpu()


def test_an_old_driver_is_found_before_anything_is_loaded(monkeypatch):
    fake_bindings(monkeypatch, 12080)
    with pytest.raises(KernelError, match=r"knows CUDA up to 12.8"):
        require_gpu()


@pytest.mark.skipif(torch.version.cuda is not None, reason="PyTorch was built with CUDA")
def test_pytorch_without_cuda(monkeypatch):
    fake_bindings(monkeypatch, 13000)
    with pytest.raises(KernelError, match="built without CUDA"):
        require_gpu()


def test_without_the_packages_the_message_says_how_to_get_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    with pytest.raises(KernelError, match=r"package cuda-core, .*\n  hint: python -m pip install"):
        DeviceKernel(SCALE, "scale<float>").launch(
            (1, 1, 1), (32, 1, 1), 0, [torch.zeros(3), np.float32(2), np.int32(3)]
        )


@pytest.fixture(scope="module")
def fake():
    """Tensors that say they are on a GPU, by PyTorch itself; there is no memory behind them."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    return FakeTensorMode()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torch.empty(9, device="cuda:1"), ["'x' is on cuda:0, but 'y' is on cuda:1", ".to("]),
        (lambda: torch.empty(9), ["'x' is on cuda:0, but 'y' is on cpu", ".to("]),
        (lambda: torch.empty(3, 3, device="cuda:0").t(), ["'y' is not contiguous", ".contiguous()"]),
        (
            lambda: torch.empty(9, dtype=torch.float64, device="cuda:0"),
            ["'y' must be an array of float32", "float64", ".to(torch.float32)"],
        ),
        (lambda: 3.0, ["'y' must be an array of float32", "3.0"]),
    ],
    ids=["other GPU", "CPU", "strides", "dtype", "number"],
)
def test_wrong_arrays_are_named_before_the_gpu_is_asked(fake, make, words):
    kernel = Kernel("__global__ void add(float* x, const float* y) { x[threadIdx.x] += y[threadIdx.x]; }", "add")
    with fake:
        x, y = torch.empty(9, device="cuda:0"), make()
    with pytest.raises(KernelError) as caught:
        kernel[1, 9](x, y)
    assert [word for word in words if word not in str(caught.value)] == []


@needs_wheels
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")
def test_a_launch_without_a_driver(fake):
    with fake:
        x = torch.empty(9, device="cuda:0")
    with pytest.raises(KernelError, match="no NVIDIA driver on this machine\n  hint: kernels run on the CPU"):
        Kernel(SCALE, "scale<float>")[1, 9](x, 2, 9)


class FakeKernel:
    handle = 1


def fake_machine(monkeypatch, refuse=None):
    """A cuda-core that notes what it is asked, on a GPU that is an H200; nothing runs."""
    asked = []

    class Device:
        def __init__(self, index):
            asked.append(("device", index))

        def set_current(self):
            pass

        def create_stream(self, stream):
            return stream.__cuda_stream__()

    def launch(stream, config, kernel, *values):
        if refuse:
            raise RuntimeError(refuse)
        asked.append(("launch", stream, config, values))

    def from_cubin(cubin):
        asked.append(("load", cubin))
        return types.SimpleNamespace(get_kernel=lambda symbol: FakeKernel(), handle=9)

    def set_attribute(attribute, value, kernel, device):
        asked.append(("shared memory", value))
        return (0,)

    def copy(address, source, size, stream):
        asked.append(("copy", address, ctypes.string_at(source, size), stream))
        return (0,)

    core = types.SimpleNamespace(
        Device=Device,
        launch=launch,
        LaunchConfig=lambda **sizes: sizes,
        ObjectCode=types.SimpleNamespace(from_cubin=from_cubin),
    )
    driver = types.SimpleNamespace(
        CUfunction_attribute=types.SimpleNamespace(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8),
        CUdevice=int,
        CUresult=types.SimpleNamespace(CUDA_SUCCESS=0),
        CUstream=int,
        cuLibraryGetGlobal=lambda code, name: (0, 512, 8),
        cuMemcpyHtoDAsync=copy,
        cuKernelSetAttribute=set_attribute,
        cuDriverGetVersion=lambda: (0, 13000),
    )
    cuda = types.SimpleNamespace(
        get_device_capability=lambda index: (9, 0), current_stream=lambda index: types.SimpleNamespace(cuda_stream=77)
    )
    nvrtc = types.SimpleNamespace(nvrtcVersion=lambda: (0, 13, 0))
    modules = {
        "cuda.core": core,
        "torch": types.SimpleNamespace(cuda=cuda),
        "cuda.bindings.driver": driver,
        "cuda.bindings.nvrtc": nvrtc,
    }
    monkeypatch.setattr(gpu, "load", modules.__getitem__)
    return asked


class OnGpu:
    """As much of a CUDA tensor as a launch looks at."""

    device = types.SimpleNamespace(index=1)

    def data_ptr(self):
        return 4096


@needs_wheels
def test_what_cuda_core_is_asked_to_do(monkeypatch):
    asked = fake_machine(monkeypatch)
    kernel = DeviceKernel(SCALE, "scale<float>")
    for smem in (0, 60_000, 50_000, 70_000):
        kernel.launch((2, 1, 1), (64, 1, 1), smem, [OnGpu(), np.float32(2), np.int32(100)])
    (first, *others) = [what for what in asked if what[0] == "launch"]
    assert first == (
        "launch",
        (0, 77),
        {"grid": (2, 1, 1), "block": (64, 1, 1), "shmem_size": 0},
        (4096, np.float32(2), np.int32(100)),
    )
    assert len(others) == 3
    assert [what[1] for what in asked if what[0] == "shared memory"] == [60_000, 70_000]
    (loaded,) = [what[1] for what in asked if what[0] == "load"]
    assert loaded == compile_cubin(SCALE, "scale<float>", "sm_90a").cubin
    assert ("device", 1) in asked


WEIGHTED = """
__constant__ float weight[2];
__device__ int launches;
__global__ void apply(float* x, int n) {
  int i = threadIdx.x;
  if (i < n) x[i] = weight[i];
  if (i == 0) launches += 1;
}"""


@needs_wheels
def test_a_variable_is_sent_once_and_in_the_order_of_the_stream(monkeypatch):
    asked = fake_machine(monkeypatch)
    kernel = DeviceKernel(WEIGHTED, "apply")
    arguments = ((1, 1, 1), (32, 1, 1), 0, [OnGpu(), np.int32(2)])
    kernel.set_variable("weight", np.float32([1, 2]))
    kernel.launch(*arguments)
    kernel.launch(*arguments)
    kernel.set_variable("weight", np.float32([3, 4]))
    kernel.launch(*arguments)
    assert [what[0] for what in asked if what[0] in ("copy", "launch")] == [
        "copy",
        "launch",
        "launch",
        "copy",
        "launch",
    ]
    copies = [what for what in asked if what[0] == "copy"]
    assert [np.frombuffer(data, np.float32).tolist() for _, _, data, _ in copies] == [[1, 2], [3, 4]]
    assert {(address, stream) for _, address, _, stream in copies} == {(512, 77)}
    kernel.set_variable("weight", np.float32([1, 2, 3]))
    with pytest.raises(KernelError, match="'weight' has 8 bytes, got 12"):
        kernel.launch(*arguments)


@needs_wheels
def test_a_fault_of_an_earlier_kernel_is_not_blamed_on_this_one(monkeypatch):
    fake_machine(monkeypatch)
    arguments = ((1, 1, 1), (32, 1, 1), 0, [OnGpu(), np.float32(2), np.int32(3)])
    gpu._recent.clear()
    DeviceKernel(SCALE, "scale<float>").launch(*arguments)
    fake_machine(monkeypatch, refuse="CUDA_ERROR_ILLEGAL_ADDRESS: ...")
    with pytest.raises(KernelError, match=r"^scale<float> read or wrote memory outside"):
        DeviceKernel(SCALE, "scale<double>").launch(*arguments)


@needs_wheels
def test_errors_of_the_source_come_through(monkeypatch):
    fake_machine(monkeypatch)
    with pytest.raises(CompileError, match='identifier "y" is undefined'):
        DeviceKernel(SCALE.replace("(float)x[i]", "y"), "scale<float>").launch(
            (1, 1, 1), (32, 1, 1), 0, [OnGpu(), np.float32(2), np.int32(3)]
        )


@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32"])
def test_a_launch_on_the_gpu(dtype):
    names = {"float32": "float", "float64": "double", "float16": "__half", "bfloat16": "__nv_bfloat16", "int32": "int"}
    x = torch.arange(1000, device="cuda", dtype=getattr(torch, dtype))
    expected = x * 2
    Kernel("#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n" + SCALE, f"scale<{names[dtype]}>")[4, 256](x, 2, 1000)
    assert torch.equal(x, expected)


@needs_gpu
def test_a_launch_waits_for_the_stream_that_pytorch_uses():
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        x = torch.zeros(1 << 24, device="cuda")
        x += 1
        Kernel(SCALE, "scale<float>")[1 << 16, 256](x, 3, 1 << 24)
    stream.synchronize()
    assert (x == 3).all()


@needs_gpu
def test_variables_on_the_gpu():
    kernel = Kernel(WEIGHTED, "apply")
    x = torch.zeros(2, device="cuda")
    for weight in ([0.5, 0.25], [3.0, 4.0]):
        kernel.set_variable("weight", weight)
        kernel[1, 32](x, 2)
        assert x.tolist() == weight
    assert kernel.read_variable("launches") == 2


@needs_gpu
def test_dynamic_shared_memory_above_48_kilobytes_on_the_gpu():
    source = """
    __global__ void reverse(int* x, int n) {
      extern __shared__ int s[];
      for (int i = threadIdx.x; i < n; i += blockDim.x) s[i] = x[i];
      __syncthreads();
      for (int i = threadIdx.x; i < n; i += blockDim.x) x[i] = s[n - 1 - i];
    }"""
    x = torch.arange(16000, dtype=torch.int32, device="cuda")
    Kernel(source, "reverse")[1, 256, 64000](x, 16000)
    assert torch.equal(x.cpu(), torch.arange(15999, -1, -1, dtype=torch.int32))


@needs_gpu
def test_all_kernels_are_right_on_the_gpu():
    from benchmarks.gpu.cases import CASES
    from benchmarks.gpu.timing import check

    for case in CASES:
        setup = case.build(torch.device("cuda", 0), *case.tiny)
        assert max(check(setup).values()) <= setup.tolerance, case.name
