"""What is measured: for each kind of work the inputs, our rungs, the libraries, and what is right to float64.

Everything here also works with tensors of the CPU, where the kernels are run by the executor: that is how the tests look at it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from mlcourse.gpu import kernels


@dataclass
class Work:
    """One implementation, ready to be run again and again on the same memory.

    Attributes
    ----------
    run : callable
        Does the work once; what it returns is ignored.
    result : tensor
        Where the result is afterwards.
    ours : bool
        Whether it is a kernel of this course.
    """

    run: Callable[[], object]
    result: torch.Tensor
    ours: bool = False


@dataclass
class Setup:
    """One kind of work at one size.

    Attributes
    ----------
    works : dict of str to Work
        Our rungs, slowest first, then the libraries.
    fill : callable
        Puts fresh random numbers into the inputs.
    reference : callable
        Computes the right result in float64 from the inputs as they are, before anything has run.
    bytes, flops : int
        The fewest bytes that can be moved, the operations that have to be done.
    tolerance : float
        The largest error allowed, relative to `scale`.
    scale : callable or None
        What the error is divided by; by default the reference's norm.
    in_place : bool
        Whether the result is one of the inputs.
    """

    works: dict[str, Work]
    fill: Callable[[], None]
    reference: Callable[[], torch.Tensor]
    bytes: int
    flops: int = 0
    tolerance: float = 1e-6
    scale: Callable[[], float] | None = None
    in_place: bool = False


@dataclass(frozen=True)
class Case:
    """A kind of work with its sizes and targets.

    Attributes
    ----------
    name : str
        Of the work.
    label : str
        Of the full size, for people.
    build : callable
        From device and sizes to a Setup.
    full, quick, tiny : tuple of int
        The sizes measured, measured with ``--quick``, and used by the tests.
    library : str
        The library that the ratio is to.
    targets : dict of str to float
        What the last rung has to reach: the ratio to a library by its name, "copy" for the share of the copy bandwidth.
    climbs : bool
        Whether every rung has to be faster than the one before.
    """

    name: str
    label: str
    build: Callable[..., Setup]
    full: tuple[int, ...]
    quick: tuple[int, ...]
    tiny: tuple[int, ...]
    library: str = "torch"
    targets: dict[str, float] = field(default_factory=dict)
    climbs: bool = False


def error_of(setup, result, reference):
    """The norm of the error in relation to the norm of the right result; infinite if something was not written."""
    if result.dtype == torch.uint32:  # of which PyTorch knows little arithmetic; no count reaches 2³¹
        result = result.view(torch.int32)
    difference = (result.double() - reference).norm().item()
    scale = setup.scale() if setup.scale else reference.norm().item()
    return difference / scale if math.isfinite(difference) else math.inf


def fill_normal(*tensors):
    return lambda: [tensor.normal_() for tensor in tensors]


def ours(ladder, *inputs, **options):
    """A Work for each rung of a ladder on these inputs."""
    found = {}
    for rung in kernels.ladder(ladder):
        plan = kernels.plan(rung.kernel, *inputs, **options)
        found[rung.kernel] = Work(plan.run, plan.result, ours=True)
    return found


def copy(device, n):
    x = torch.empty(n, device=device)
    y = torch.empty_like(x)
    works = ours("copy", x) | {"torch": Work(lambda: y.copy_(x), y)}
    return Setup(works, fill_normal(x), lambda: x.double(), bytes=8 * n, tolerance=0)


def vector_add(device, n):
    a, b = torch.empty(n, device=device), torch.empty(n, device=device)
    c = torch.empty_like(a)
    works = ours("vector_add", a, b) | {"torch": Work(lambda: torch.add(a, b, out=c), c)}
    return Setup(works, fill_normal(a, b), lambda: a.double() + b, bytes=12 * n)


def saxpy(device, n):
    x, y = torch.empty(n, device=device), torch.empty(n, device=device)
    works = ours("saxpy", 0.5, x, y) | {"torch": Work(lambda: y.add_(x, alpha=0.5), y)}
    return Setup(works, fill_normal(x, y), lambda: 0.5 * x.double() + y, bytes=12 * n, in_place=True)


def transpose(device, rows, cols):
    x = torch.empty(rows, cols, device=device)
    y = torch.empty(cols, rows, device=device)
    works = ours("transpose", x) | {"torch": Work(lambda: y.copy_(x.t()), y)}
    return Setup(works, fill_normal(x), lambda: x.t().double(), bytes=8 * rows * cols, tolerance=0)


def total(device, n):
    x = torch.empty(n, device=device)
    y = torch.empty((), device=device)
    works = (
        ours("sum", x)
        | {"torch": Work(lambda: torch.sum(x, dim=0, out=y), y)}
        | cub("cub_sum", x, torch.empty(1, device=device))
    )
    # The sum of n normal numbers is about sqrt(n) and its rounding error grows with the sum of their sizes.
    return Setup(
        works,
        fill_normal(x),
        lambda: x.sum(dtype=torch.float64),
        bytes=4 * n,
        flops=n,
        scale=lambda: x.abs().sum().item(),
    )


def scan(device, n):
    x = torch.empty(n, device=device)
    y = torch.empty_like(x)
    works = (
        ours("scan", x)
        | {"torch": Work(lambda: torch.cumsum(x, 0, out=y), y)}
        | cub("cub_scan", x, torch.empty_like(x))
    )
    return Setup(works, fill_normal(x), lambda: x.cumsum(0, dtype=torch.float64), bytes=8 * n, flops=n, tolerance=1e-4)


def histogram(device, n, highest=256):
    x = torch.empty(n, dtype=torch.uint8, device=device)
    works = ours("histogram", x) | cub(
        "cub_histogram", x, torch.empty(256, dtype=torch.int32, device=device).view(torch.uint32)
    )
    return Setup(
        works, lambda: x.random_(0, highest), lambda: torch.bincount(x, minlength=256).double(), bytes=n, tolerance=0
    )


def histogram_of_one(device, n):
    return histogram(device, n, highest=1)


def softmax(device, rows, cols):
    x = torch.empty(rows, cols, device=device)
    y = torch.empty_like(x)
    works = ours("softmax", x) | {"torch": Work(lambda: torch.softmax(x, 1, out=y), y)}
    return Setup(works, fill_normal(x), lambda: x.double().softmax(1), bytes=8 * rows * cols)


def layer_norm(device, rows, cols):
    x, weight, bias = (torch.empty(shape, device=device) for shape in ((rows, cols), (cols,), (cols,)))
    works = ours("layer_norm", x, weight, bias)
    works["torch"] = Work(lambda: None, torch.empty_like(x))

    def run():
        works["torch"].result = torch.nn.functional.layer_norm(x, (cols,), weight, bias)

    works["torch"].run = run
    run()

    def reference():
        return torch.nn.functional.layer_norm(x.double(), (cols,), weight.double(), bias.double())

    return Setup(works, fill_normal(x, weight, bias), reference, bytes=8 * rows * cols)


def adamw(device, n):
    p, g, m, v = (torch.empty(n, device=device) for _ in range(4))
    rate, beta1, beta2, epsilon, decay, step = 1e-3, 0.9, 0.999, 1e-8, 1e-2, 10
    works = ours("adamw", p, g, m, v, rate=rate, beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay, step=step)
    steps = torch.tensor(float(step), device=device)
    settings = {"lr": rate, "beta1": beta1, "beta2": beta2, "weight_decay": decay, "eps": epsilon}
    settings |= {"amsgrad": False, "maximize": False}
    works["torch"] = Work(lambda: torch._fused_adamw_([p], [g], [m], [v], [], [steps], **settings), p)

    def fill():
        for tensor in (p, g, m, v):
            tensor.normal_()
        v.square_()

    def reference():
        p64, g64, m64, v64 = (tensor.double() for tensor in (p, g, m, v))
        m64, v64 = beta1 * m64 + (1 - beta1) * g64, beta2 * v64 + (1 - beta2) * g64**2
        root = (v64 / (1 - beta2**step)).sqrt()
        return p64 * (1 - rate * decay) - rate * (m64 / (1 - beta1**step)) / (root + epsilon)

    return Setup(works, fill, reference, bytes=28 * n, in_place=True)


def matmul(device, m, n, k):
    A, B = torch.empty(m, k, device=device), torch.empty(k, n, device=device)
    C = torch.empty(m, n, device=device)
    works = ours("matmul", A, B) | {"cuBLAS": Work(lambda: torch.mm(A, B, out=C), C)}
    size = 4 * (m * k + k * n + m * n)
    return Setup(works, fill_normal(A, B), lambda: A.double() @ B.double(), size, flops=2 * m * n * k, tolerance=1e-5)


def cub(function, x, out):
    """CUB as a Work; it needs a GPU."""
    if x.device.type != "cuda":
        return {}
    from benchmarks.gpu.cub import prepared

    return {"CUB": Work(prepared(function, x, out), out)}


MILLION = 1 << 20
CASES = [
    Case("copy", "2²⁸ float32", copy, (256 * MILLION,), (16 * MILLION,), (5000,), targets={"torch": 0.97}),
    Case("vector add", "2²⁸ float32", vector_add, (256 * MILLION,), (16 * MILLION,), (5000,), targets={"torch": 0.97}),
    Case("saxpy", "2²⁸ float32", saxpy, (256 * MILLION,), (16 * MILLION,), (5000,)),
    Case(
        "transpose", "16384 × 16384 float32", transpose, (16384, 16384), (4096, 4096), (65, 130), targets={"copy": 0.90}
    ),
    Case("sum", "2³⁰ float32", total, (1024 * MILLION,), (64 * MILLION,), (20000,), "CUB", targets={"CUB": 1.0}),
    Case("scan", "2²⁸ float32", scan, (256 * MILLION,), (16 * MILLION,), (9000,), "CUB"),
    Case("histogram, uniform bytes", "2³⁰ bytes", histogram, (1024 * MILLION,), (64 * MILLION,), (20000,), "CUB"),
    Case("histogram, equal bytes", "2³⁰ bytes", histogram_of_one, (1024 * MILLION,), (64 * MILLION,), (20000,), "CUB"),
    Case(
        "softmax",
        "16384 rows of 8192",
        softmax,
        (16384, 8192),
        (4096, 4096),
        (5, 1000),
        targets={"copy": 0.92, "torch": 1.0},
    ),
    Case(
        "layer norm", "16384 rows of 8192", layer_norm, (16384, 8192), (4096, 4096), (5, 1000), targets={"copy": 0.90}
    ),
    Case("AdamW", "2²⁸ parameters", adamw, (256 * MILLION,), (16 * MILLION,), (5000,), targets={"copy": 0.95}),
    Case("matmul 4096", "4096³ float32", matmul, (4096,) * 3, (1024,) * 3, (65, 33, 20), "cuBLAS", climbs=True),
    Case(
        "matmul 8192",
        "8192³ float32",
        matmul,
        (8192,) * 3,
        (2048,) * 3,
        (130, 70, 40),
        "cuBLAS",
        targets={"cuBLAS": 0.90},
        climbs=True,
    ),
]
