"""Nothing that a kernel does takes Python down; compiled kernels are kept, shared and found again; profiles count what they should."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from IPython.lib.pretty import pretty

from mlcourse.gpu import CompileError, Kernel, KernelError
from mlcourse.gpu.executor import build, process
from mlcourse.gpu.executor.declarations import used_before_set

WILD = r"""
__device__ int deep(int n) { volatile int own[9]; own[n % 9] = n; return deep(n + 1) + own[n % 9]; }

__global__ void far(int* x) { x[1 << 20] = 1; }
__global__ void null(int* x) { *(int*)nullptr = 1; }
__global__ void anywhere(int* x) { for (long i = 0;; i++) x[i * 1000] = 7; }
__global__ void past(int* x) { x[8] = 1; }
__global__ void before(int* x) { x[-1] = 1; }
__global__ void constant(const int* x) { ((int*)x)[0] = 1; }
__global__ void endless(volatile int* x) { while (x[0] == 0) {} }
__global__ void recursion(int* x) { x[0] = deep(x[0]); }
__global__ void divide(int* x) { x[1] = x[1] / x[0]; }
__global__ void claim(int* x) { assert(x[0] == 3); }
__global__ void trap(int* x) { if (threadIdx.x == 1) __trap(); }
__global__ void stuck(int* x) { if (threadIdx.x < 16) x[0] = __shfl_sync(0xffffffff, 1, 0); else __syncthreads(); }
__global__ void fine(int* x) { x[threadIdx.x] = threadIdx.x; }
__global__ void flood(int* x) { for (;;) printf("and on "); }
__global__ void stack(int* x) { volatile int large[1 << 20]; large[threadIdx.x] = 1; x[0] = large[5]; }
__global__ void together(int* x) {
  int sum = x[0];
  for (int d = 16; d >= 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
  x[1] = sum;
}
"""


def fails(name, **options):
    with pytest.raises(KernelError) as caught:
        Kernel(WILD, name)[1, 32](np.zeros(8, np.int32), **options)
    text = str(caught.value)
    assert text.startswith(f"{name}<<<1, 32>>> failed")
    return text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("far", "1048569 elements past the end of 'x', which has 8 elements"),
        ("null", "uses a null pointer"),
        ("anywhere", "past the end of 'x'"),
        ("past", "1 element past the end of 'x', which has 8 elements"),
        ("before", "1 element before the beginning of 'x'"),
        ("constant", "'x'"),
        ("recursion", "its stack is full"),
        ("stack", "thread 0 of block 0"),
        ("divide", "divides an integer by zero"),
        ("claim", "thread 0 of block 0: assertion failed: x[0] == 3"),
        ("trap", "thread 1 of block 0: the kernel called __trap()"),
        ("stuck", "waits here for lanes 16–31 of its warp, which never come"),
    ],
)
def test_a_broken_kernel_is_an_error_and_the_next_launch_works(name, words):
    assert words in fails(name)
    x = np.zeros(8, np.int32)
    Kernel(WILD, "fine")[1, 8](x)
    assert x.tolist() == list(range(8))


@pytest.mark.parametrize(("name", "line"), [("far", 4), ("null", 5), ("recursion", 2), ("divide", 12), ("claim", 13)])
def test_a_crash_names_the_line(name, line):
    assert f"line {line:>3}: " in fails(name)


MISALIGNED = """
__global__ void store(float* x) { *reinterpret_cast<float4*>(x + 1) = *reinterpret_cast<float4*>(x + 4); }
"""


def test_a_misaligned_vector_is_one_fault_and_no_crash():
    report = Kernel(MISALIGNED, "store").check[1, 1](np.zeros(8, np.float32))
    assert [(fault.kind, fault.line) for fault in report.faults] == [("misaligned", 2)]


def test_a_plain_run_does_not_take_a_misaligned_vector_for_a_null_pointer():
    try:
        Kernel(MISALIGNED, "store")[1, 1](np.zeros(8, np.float32))
    except KernelError as error:  # only some processors and compilers object
        assert "null pointer" not in str(error)
        assert "does not begin at a multiple of 16 bytes" in str(error)


def test_an_endless_kernel_is_ended():
    assert "was ended after 0.3 s of processor time; at the end thread 0 of block 0 was running line 10" in fails(
        "endless", time_limit=0.3
    )
    report = Kernel(WILD, "endless").check[1, 32](np.zeros(8, np.int32), time_limit=0.3)
    assert [(fault.kind, fault.line) for fault in report.faults] == [("time-limit", 10)]


def test_an_endless_kernel_that_changes_threads_all_the_time_is_ended_with_its_line():
    kernel, x = Kernel(WILD, "together"), np.zeros(8, np.int32)
    for attempt in range(6):  # the end may come within a thread or between two
        (fault,) = kernel.check[1, 32](x, time_limit=0.1 + 0.01 * attempt).faults
        assert (fault.kind, fault.line) == ("time-limit", 21)
        assert "running line 21" in fault.message


def test_printing_without_end_is_cut(capsys):
    fails("flood", time_limit=1)
    capsys.readouterr()
    kernel = Kernel('__global__ void k(int n) { for (int i = 0; i < n; i++) printf("0123456789\\n"); }', "k")
    kernel[1, 1](300_000)
    printed = capsys.readouterr().out
    assert 1 << 20 <= len(printed) < 1.2e6
    assert printed.endswith("the rest is left out]\n")


def test_a_kernel_that_fails_keeps_its_variables():
    source = "__device__ int n; __global__ void k(int* x) { n++; if (x[0]) *(volatile int*)x[1] = 0; }"
    kernel = Kernel(source, "k")
    kernel[1, 1](np.zeros(2, np.int32))
    with pytest.raises(KernelError):
        kernel[1, 1](np.ones(2, np.int32))
    kernel[1, 1](np.zeros(2, np.int32))
    assert kernel.read_variable("n").tolist() == [2]


def test_an_interrupt_ends_the_kernel(monkeypatch):
    kernel = Kernel(WILD, "endless")
    worker_run = process.select.select

    def interrupted(*arguments):
        if arguments[3] > 100:
            raise KeyboardInterrupt
        return worker_run(*arguments)

    monkeypatch.setattr(process.select, "select", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kernel[1, 1](np.zeros(8, np.int32))
    monkeypatch.undo()
    kernel[1, 1](np.ones(8, np.int32))


def test_processes_do_not_pile_up():
    source = "".join(f"__global__ void k{i}(int* x) {{ x[0] += {i}; }}\n" for i in range(3))
    kernels = [Kernel(source, f"k{i % 3}") for i in range(process._MOST_ALIVE + 6)]
    x = np.zeros(1, np.int32)
    for kernel in kernels:
        kernel[1, 1](x)
    alive = [k for k in kernels if k._executor._workers["plain"].alive]
    assert len(alive) <= process._MOST_ALIVE
    kernels[0][1, 1](x)  # an ended one comes back
    worker = kernels[0]._executor._workers["plain"]
    pid = worker.process.pid
    del worker, kernel, kernels, alive
    import gc

    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def script(code, folder, *, before=(), **environment):
    text = "import numpy as np\nfrom mlcourse.gpu import Kernel\n" + textwrap.dedent(code)
    source = str(Path(build.__file__).parents[3])
    variables = {**os.environ, "PYTHONPATH": source, build.CACHE_VARIABLE: str(folder), **environment}
    variables = {key: value for key, value in variables.items() if value is not None}
    return subprocess.Popen(
        [*before, sys.executable, "-c", text], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


ADD = """
kernel = Kernel("__global__ void add(float* x, float y) { x[threadIdx.x] += y; }", "add")
x = np.zeros(32, np.float32)
kernel[1, 32](x, 2)
print(int(x.sum()))
"""


def test_several_processes_compile_at_once(tmp_path):
    build.build("__global__ void k() {}", "k", "plain")  # the runtime is there already
    folders = f"{tmp_path}{os.pathsep}{build.cache_folder()}"
    running = [
        script(f"# {tmp_path}\n" + ADD.replace("x[threadIdx.x]", f"/*{tmp_path}*/ x[threadIdx.x]"), folders)
        for _ in range(4)
    ]
    results = [process.communicate(timeout=600) for process in running]
    assert [out for out, _ in results] == ["64\n"] * 4, results
    assert not list(tmp_path.glob("making-*"))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_broken_cache_entry_is_made_again():
    source = "__global__ void broken_entry() {}"
    program = build.build(source, "broken_entry", "plain")
    (program.path.parent / "facts.json").unlink()
    assert build.build(source, "broken_entry", "plain").path.exists()


def test_a_folder_that_is_only_read_comes_first(monkeypatch, tmp_path):
    source = "__global__ void prepared() {}"
    prepared = build.build(source, "prepared", "plain").path
    folders = [prepared.parent.parent, tmp_path]
    monkeypatch.setenv(build.CACHE_VARIABLE, os.pathsep.join(map(str, reversed(folders))))
    assert build.build(source, "prepared", "plain").path == prepared
    assert build.build(source + " // another", "prepared", "plain").path.is_relative_to(tmp_path)


def test_a_home_that_cannot_be_written_is_no_obstacle(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    with_home = {"HOME": str(nowhere), "XDG_CACHE_HOME": None, build.CACHE_VARIABLE: None, "TMPDIR": str(tmp_path)}
    out, error = script(ADD, "", **with_home).communicate(timeout=600)
    assert out == "64\n", error
    assert list(tmp_path.glob("mlcourse-gpu-*/runtime-*"))


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_it_runs_in_the_graders_sandbox(tmp_path):
    from mlcourse.grading.sandbox import LIMITS, PYTHON, bubblewrap_command

    try:
        subprocess.run([*bubblewrap_command(), "/usr/bin/true"], check=True, env={}, capture_output=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"bubblewrap does not run here: {error.stderr}")
    code = f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({LIMITS['RLIMIT_AS']},) * 2)\n" + ADD
    code += "print(kernel.check[1, 32](x, 2).ok, kernel.profile[1, 32](x, 2).sectors)\n"
    text = "import numpy as np\nfrom mlcourse.gpu import Kernel\n" + code
    done = subprocess.run(
        [*bubblewrap_command(), PYTHON, "-c", text], env={}, capture_output=True, text=True, timeout=600
    )
    assert done.stdout == "64\nTrue 8\n", done.stderr


def test_without_a_compiler_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    build.compiler.cache_clear()
    for platform, words in (("linux", "apt-get install g++"), ("darwin", "xcode-select"), ("win32", "WSL")):
        monkeypatch.setattr(build.sys, "platform", platform)
        with pytest.raises(KernelError, match=words.replace("+", r"\+")):
            build.compiler()
    monkeypatch.setenv(build.COMPILER_VARIABLE, "no-such-compiler")
    with pytest.raises(KernelError, match="'no-such-compiler', which MLCOURSE_CXX names, does not run"):
        build.compiler()
    monkeypatch.undo()
    build.compiler.cache_clear()


@pytest.mark.skipif(not any(map(shutil.which, ("clang++", "clang++-14"))), reason="clang is not installed")
def test_clang_will_do(tmp_path):
    name = next(name for name in ("clang++", "clang++-14") if shutil.which(name))
    code = ADD + "print(kernel.check[1, 32](x, 2).ok, kernel.check[1, 33](x, 2).faults[0].kind)"
    out, error = script(code, tmp_path, MLCOURSE_CXX=name).communicate(timeout=600)
    assert out == "64\nTrue out-of-bounds\n", error


def test_threads_of_python_may_share_a_kernel():
    kernel = Kernel("__global__ void k(int* x, int y) { x[threadIdx.x] = y; }", "k")
    arrays = [np.zeros(32, np.int32) for _ in range(8)]
    threads = [threading.Thread(target=kernel[1, 32], args=(x, i)) for i, x in enumerate(arrays)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [x.tolist() for x in arrays] == [[i] * 32 for i in range(8)]


PATTERNS = r"""
__global__ void pattern(const float* x, float* y, int stride, int offset) {
  __shared__ float s[1056];
  int t = threadIdx.x;
  float v = x[t * stride + offset];
  s[t * stride % 1024] = v;
  __syncthreads();
  y[t] = s[t];
}
__global__ void vectors(const float4* x, float4* y) { y[threadIdx.x] = x[threadIdx.x]; }
__global__ void same(const float* x, float* y) { y[threadIdx.x] = x[0]; }
__global__ void diverge(const float* x, float* y) {
  for (int i = 0; i < threadIdx.x % 4; i++) y[threadIdx.x] += x[threadIdx.x + 32 * i];
}
__global__ void count(int* y) {
  __shared__ int n;
  if (threadIdx.x == 0) n = 0;
  __syncthreads();
  atomicAdd(&n, 1);
  __syncthreads();
  y[0] = n;
}
"""


def lines(name, *arguments, block=32):
    profile = Kernel(PATTERNS, name).profile[1, block](*arguments)
    return profile, {(line.array, line.operation): line for line in profile.lines}


@pytest.mark.parametrize(
    ("stride", "offset", "sectors"), [(1, 0, 4), (1, 1, 5), (1, 8, 4), (2, 0, 8), (8, 0, 32), (32, 3, 32)]
)
def test_sectors_of_strided_access(stride, offset, sectors):
    x, y = np.zeros(2048, np.float32), np.zeros(32, np.float32)
    _, found = lines("pattern", x, y, stride, offset)
    load = found["x", "load"]
    assert (load.requests, load.transfers, load.ideal, load.moved, load.bytes) == (1, sectors, 4, 32 * sectors, 128)


@pytest.mark.parametrize(("stride", "passes"), [(1, 1), (2, 2), (3, 1), (4, 4), (16, 16), (32, 32), (33, 1)])
def test_bank_conflicts_of_strided_access(stride, passes):
    x, y = np.zeros(2048, np.float32), np.zeros(32, np.float32)
    _, found = lines("pattern", x, y, stride, 0)
    assert found["s", "store"].transfers == passes and found["s", "store"].ratio == passes


def test_vectors_broadcasts_divergence_and_atomics():
    x, y = np.zeros(128, np.float32), np.zeros(128, np.float32)
    _, found = lines("vectors", x, y)
    assert [
        (found[key].size, found[key].requests, found[key].transfers) for key in (("x", "load"), ("y", "store"))
    ] == [(16, 1, 16)] * 2
    _, found = lines("same", x, y)
    assert (found["x", "load"].transfers, found["x", "load"].ideal) == (1, 1)
    _, found = lines("diverge", x, y)
    assert found["x", "load"].requests == 3 and found["x", "load"].bytes == 4 * 48
    _, found = lines("count", np.zeros(1, np.int32))
    assert (found["n", "atomic"].requests, found["n", "atomic"].transfers) == (1, 32)


def test_a_profile_as_text_table_data_and_trace():
    x, y = np.zeros(64, np.float32), np.zeros(32, np.float32)
    kernel = Kernel(PATTERNS, "pattern")
    profile = kernel.profile[1, 32](x, y, 2, 0, flops=96)
    assert profile.bytes_moved == 32 * profile.sectors == 32 * (8 + 4)
    assert profile.bank_passes == 2 + 1 and profile.intensity == 0.25
    text = str(profile)
    assert "float v = x[t * stride + offset];" in text and "2.00×" in text and "0.25 operations for each byte" in text
    assert profile._repr_html_().count("<tr>") == len(profile.lines) + 1
    first = profile.trace[0]
    assert (first.line, first.operation, first.space, first.array, first.block, first.warp) == (
        5,
        "load",
        "global",
        "x",
        0,
        0,
    )
    assert first.lanes.tolist() == list(range(32)) and first.offsets.tolist() == list(range(0, 256, 8))
    assert len(kernel.profile[1, 32](x, y, 2, 0, trace=0).trace) == 0


def test_a_report_for_people():
    source = "__global__ void k(float* x, int n) {\n  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  x[i] = x[(i + 1) % n];\n}"
    kernel = Kernel(source, "k")
    report = kernel.check[2, 32](np.arange(70, dtype=np.float32), 64)
    assert str(report) == str(kernel.check[2, 32](np.arange(70, dtype=np.float32), 64))  # the same every time
    assert str(report).splitlines()[:6] == [
        "k<<<2, 32>>>: 1 fault",
        "",
        "1. race (64 times)",
        "   line   3: x[i] = x[(i + 1) % n];",
        "   thread 1 of block 0 writes element 1 of 'x', which thread 0 of the same block reads (both in one warp), "
        "and nothing decides which comes first.",
        "   Usual cause: a missing __syncwarp() or __syncthreads(): lanes of a warp do not run in step, and a shuffle orders no memory. "
        "Where several threads update one element, a missing atomic.",
    ]
    fault = report.faults[0]
    assert (fault.line, fault.thread, fault.block, fault.other_thread, fault.array, fault.index) == (
        3,
        (1, 0, 0),
        (0, 0, 0),
        (0, 0, 0),
        "x",
        (1,),
    )
    assert pretty(report) == str(report) and not report.ok


def test_variables_used_before_they_have_a_value():
    assert used_before_set("void f() { float a, b = 0, c[4];\n b += 1; c[0] = a;\n a += b; }") == []
    assert used_before_set("void f() { float a, b;\n b = fmaxf(b, 1); a = 1;\n a += b; }") == [(2, "b")]
    assert used_before_set("void f() { int n[3];\n for (int i = 0; i < 3; i++) n[i]++; }") == [(2, "n")]
    assert used_before_set("void f() { { float s; } s += 1; }") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("exit(0);", "the kernel ended its own process, with exit code 0"),
        ("raise(SIGKILL);", "was ended from outside by SIGKILL"),
        ("abort();", "the kernel was ended by SIGABRT"),
    ],
)
def test_a_kernel_that_ends_its_process(body, words):
    source = f"#include <csignal>\n__global__ void k(int* x) {{ x[0] = 1;\n{body} }}"
    with pytest.raises(KernelError, match=words) as raised:
        Kernel(source, "k")[1, 1](np.zeros(1, np.int32))
    assert "time" not in str(raised.value)
    numbers = re.findall(r"line +(\d+):", str(raised.value))
    assert all(int(number) <= 3 for number in numbers)


def test_a_kernel_cannot_read_what_is_not_for_it():
    x = np.zeros(1, np.int32)
    Kernel("__global__ void k(int* x) { x[0] = getchar(); }", "k")[1, 1](x)
    assert x[0] == -1


def test_host_code_is_left_out():
    with pytest.raises(CompileError, match=r"main\(\)\n  hint: leave it out"):
        Kernel("__global__ void k(int* x) { }\nint main() { }", "k")[1, 1](None)
    with pytest.raises(KernelError, match=r"say how many blocks and threads: kernel\[grid, block\]"):
        Kernel("__global__ void k(int* x) { }", "k")(None)
