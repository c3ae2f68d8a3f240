"""The filter of system calls: what it refuses, on every processor, and that what students use still works under it."""

import errno
import platform
import struct

import pytest

from mlcourse.grading import seccomp
from mlcourse.grading.codec import decode, encode
from mlcourse.grading.sandbox import why_no_bubblewrap
from mlcourse.grading.session import Worker

needs_sandbox = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")
needs_filter = pytest.mark.skipif(not seccomp.program(), reason=f"there is no filter for {platform.machine()}")
COLUMN = {"x86_64": 0, "aarch64": 1}
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, REFUSED, UNKNOWN = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS


def run_filter(program, number, architecture, argument=0):
    """Interpret a filter as the kernel does; return its verdict."""
    data = struct.pack("<iIQQ", number, architecture, 0, argument)
    instructions = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    place, value = 0, 0
    while True:
        code, if_true, if_false, operand = instructions[place]
        place += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
        else:
            question = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            place += if_true if question else if_false


@pytest.mark.parametrize("machine", COLUMN)
def test_filter(machine):
    program, architecture, column = seccomp.program(machine), ARCHITECTURE[machine], COLUMN[machine]

    def verdict(number, argument=0):
        return run_filter(program, number, architecture, argument)

    for numbers in seccomp.REFUSED.values():
        if numbers[column] is not None:
            assert verdict(numbers[column]) == REFUSED
    read, write, getpid = {"x86_64": (0, 1, 39), "aarch64": (63, 64, 172)}[machine]
    clone, clone3, sock = {"x86_64": (56, 435, 41), "aarch64": (220, 435, 198)}[machine]
    assert {verdict(number) for number in (read, write, getpid)} == {ALLOWED}
    assert verdict(clone3) == UNKNOWN
    thread, user_namespace, network_namespace = 0x3D0F00, 0x10000000, 0x40000000
    assert verdict(clone, thread) == ALLOWED
    assert {verdict(clone, flag | 17) for flag in (user_namespace, network_namespace)} == {REFUSED}
    assert verdict(sock, 1) == ALLOWED
    assert {verdict(sock, family) for family in (2, 10, 16, 38, 40)} == {REFUSED}
    assert {run_filter(program, getpid, other) for other in (0x40000003, 0x40000028, 0)} == {REFUSED}


def test_numbers_of_the_x32_interface_are_refused():
    program = seccomp.program("x86_64")
    assert {run_filter(program, 0x40000000 + number, ARCHITECTURE["x86_64"]) for number in (0, 39, 512)} == {REFUSED}


def test_every_call_has_numbers_of_its_own():
    for column in (0, 1):
        numbers = [call[column] for call in seccomp.REFUSED.values() if call[column] is not None]
        assert len(set(numbers)) == len(numbers)


def test_other_processors_have_no_filter():
    assert seccomp.program("riscv64") == b""


@needs_sandbox
@needs_filter
def test_the_kernel_keeps_the_filter():
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)

def probe(numbers):
    found = {}
    for name, number in numbers.items():
        ctypes.set_errno(0)
        result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
        found[name] = ctypes.get_errno() if result == -1 else 0
    return found
"""
    column = COLUMN[platform.machine()]
    numbers = {name: call[column] for name, call in seccomp.REFUSED.items() if call[column] is not None}
    assert set(_ask(source, numbers).values()) == {errno.EPERM}


@needs_sandbox
@needs_filter
def test_old_entries_into_the_kernel_are_refused():
    if platform.machine() != "x86_64":
        pytest.skip("the 32-bit entry is a matter of x86_64")
    source = """
import ctypes, mmap

def probe(number):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\\xb8" + number.to_bytes(4, "little") + b"\\xcd\\x80\\xc3")
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
    getpid_of_i386 = 20
    assert _ask(source, getpid_of_i386) == -errno.EPERM


@needs_sandbox
def test_libraries_work_inside():
    source = """
import asyncio, concurrent.futures, multiprocessing, socket, subprocess, threading
from multiprocessing import shared_memory

def probe(n):
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd
    import scipy.linalg, scipy.optimize
    from joblib import Parallel, delayed
    from sklearn.linear_model import LinearRegression

    found = {}
    x = np.arange(12.0).reshape(6, 2) ** [1, 2]
    found["numpy"] = float(np.linalg.solve(np.eye(2), [1.0, 2.0])[1])
    found["scipy"] = round(float(scipy.optimize.brentq(lambda t: t - 2, 0, 5)), 6)
    found["pandas"] = int(pd.DataFrame(x).groupby(0).sum().shape[0])
    found["sklearn"] = round(float(LinearRegression().fit(x, x[:, 0]).score(x, x[:, 0])), 6)
    plt.plot([1, 2])
    plt.savefig("figure.png")
    found["matplotlib"] = open("figure.png", "rb").read(4)
    with multiprocessing.Pool(2) as pool:
        found["pool"] = pool.map(abs, [-1, -2])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found["threads"] = list(pool.map(abs, [-1, -2]))
    found["joblib"] = Parallel(n_jobs=2)(delayed(abs)(-i) for i in range(3))
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    found["shared memory"] = block.size
    block.close()
    block.unlink()
    found["asyncio"] = asyncio.run(asyncio.sleep(0, "slept"))
    found["subprocess"] = subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout
    return found
"""
    assert _ask(source, 0) == {
        "numpy": 2.0, "scipy": 2.0, "pandas": 6, "sklearn": 1.0, "matplotlib": b"\x89PNG", "pool": [1, 2], "threads": [1, 2],
        "joblib": [0, 1, 2], "shared memory": 1 << 20, "asyncio": "slept", "subprocess": "hi\n",
    }  # fmt: skip


@needs_sandbox
def test_torch_works_inside():
    pytest.importorskip("torch")
    source = """
def probe(n):
    import torch
    x = torch.ones(3, requires_grad=True)
    (x * x).sum().backward()
    batches = torch.utils.data.DataLoader(torch.arange(8.0), batch_size=4, num_workers=1)
    return [x.grad.tolist(), [batch.sum().item() for batch in batches]]
"""
    assert _ask(source, 0) == [[2.0, 2.0, 2.0], [6.0, 22.0]]


def _ask(source, argument):
    """Define `probe` in a worker, call it, and return its value."""
    worker = Worker("bubblewrap")
    try:
        assert "error" not in worker.ask("run", 20, source=source, number=1, definitions=False)
        answer = worker.ask("call", 40, name="probe", args=[encode(argument)], kwargs={})
    finally:
        worker.close()
    assert "error" not in answer, answer
    return decode(answer["value"])
