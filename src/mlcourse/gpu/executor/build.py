"""Compile a kernel for the CPU with the system's C++ compiler, and keep the program for the next time."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mlcourse.gpu.errors import CompileError, KernelError
from mlcourse.gpu.executor.declarations import used_before_set
from mlcourse.gpu.signature import without_comments

HERE = Path(__file__).parent
FILE = "kernel.cu"
CACHE_VARIABLE = "MLCOURSE_GPU_CACHE"
COMPILER_VARIABLE = "MLCOURSE_CXX"
DYNAMIC_SHARED = 232448  # bytes; the most that any GPU gives to a block (compute capability 9.0)
PAD = 65536

_COMMON = [
    "-std=c++20",
    "-g1",
    "-gdwarf-4",
    "-pipe",
    "-Werror=vla",
    "-fno-exceptions",
    "-fno-strict-aliasing",
    "-fno-stack-protector",
    "-ffp-contract=fast",
]
_FIXED_ADDRESS = [] if sys.platform == "darwin" else ["-fno-pie"]
_WATCHED = ["-O1", "-fsanitize=thread", "-DEXECUTOR_CHECKED", "-fno-tree-vectorize", "-fno-tree-slp-vectorize"]
_ERRORS_SHOWN = 5
_HEADERS = "cuda_runtime.h, cuda_fp16.h, cuda_bf16.h, mma.h, cuda_pipeline.h, cooperative_groups.h"


@dataclass(frozen=True)
class Compiler:
    """The C++ compiler of this machine."""

    path: str
    version: str
    clang: bool

    @property
    def release(self):
        """The first number of its version."""
        return int(re.search(r"(\d+)\.\d+", self.version)[1])


@dataclass(frozen=True)
class Program:
    """A compiled kernel.

    Attributes
    ----------
    path : pathlib.Path
        The program.
    shared, variables : tuple of (str, int, int, str)
        Name, place, bytes and the linker's name of each variable in shared memory, and of each global variable.
    dynamic : str
        What the kernel calls its dynamic shared memory; "" if it has several names for it or none.
    warnings : tuple of (int, str)
        Line and text of what is noticed without running.
    """

    path: Path
    shared: tuple
    variables: tuple
    dynamic: str
    warnings: tuple


@functools.cache
def compiler():
    """Find the C++ compiler.

    Raises
    ------
    KernelError
        If there is none.
    """
    wanted = os.environ.get(COMPILER_VARIABLE)
    names = [wanted] if wanted else ["g++", "clang++", "c++"]
    for path in filter(None, map(shutil.which, names)):
        done = subprocess.run([path, "--version"], capture_output=True, text=True)
        if done.returncode == 0 and re.search(r"\d+\.\d+", done.stdout):
            return Compiler(path, done.stdout.splitlines()[0], "clang" in done.stdout)
    raise KernelError(_no_compiler(wanted))


def _no_compiler(wanted):
    if wanted:
        return f"the C++ compiler {wanted!r}, which {COMPILER_VARIABLE} names, does not run"
    how = {
        "linux": "sudo apt-get install g++ (or your distribution's package of the GNU C++ compiler)",
        "darwin": "xcode-select --install",
        "win32": "run the course in WSL: wsl --install, then in it sudo apt-get install g++",
    }.get(sys.platform, "install GNU C++ (g++) or clang")
    return f"running a kernel on the CPU needs a C++ compiler, and there is none here\n  hint: {how}"


def cache_folder():
    """Return the folder that compiled kernels are written to: the environment variable's, the platform's, or a temporary one.

    The variable may name several folders: all are read, and the first that allows it is written to. So a sandbox may be given
    a folder that it cannot change.

    Returns
    -------
    pathlib.Path
        It exists, and this user can write to it.
    """
    for folder in _cache_candidates():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    raise KernelError(
        f"there is no folder for compiled kernels\n  hint: set {CACHE_VARIABLE} to one that you can write to"
    )


def _cache_candidates():
    if folders := os.environ.get(CACHE_VARIABLE):
        yield from map(Path, folders.split(os.pathsep))
    elif folder := os.environ.get("XDG_CACHE_HOME"):
        yield Path(folder, "mlcourse", "gpu")
    elif sys.platform == "darwin":
        yield Path.home() / "Library" / "Caches" / "mlcourse" / "gpu"
    else:
        with contextlib.suppress(RuntimeError):
            yield Path.home() / ".cache" / "mlcourse" / "gpu"
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir(), f"mlcourse-gpu-{user}")


def build(source, name, variant):
    """Compile one kernel of a source.

    Parameters
    ----------
    source : str
        CUDA C++.
    name : str
        The kernel, or an instance of a template: "transpose<32>".
    variant : {"plain", "check", "profile"}
        For speed, or with every access to memory watched.

    Returns
    -------
    Program

    Raises
    ------
    CompileError
        If the source is wrong.
    KernelError
        If there is no compiler or no room for the program.
    """
    runtime = _runtime()
    flags = _flags(variant)
    key = _key(source, name, *flags, _identity())
    folder = _find_or_make(key, "facts.json", lambda work: _compile(work, source, name, flags, runtime))
    facts = json.loads((folder / "facts.json").read_text())
    shared, variables, warnings = (tuple(map(tuple, facts[key])) for key in ("shared", "variables", "warnings"))
    return Program(folder / "kernel", shared, variables, facts["dynamic"], warnings)


def _find_or_make(name, needed, make):
    """Return a folder of the cache that has the file that is needed.

    A new one is made under a name of its own and then renamed: another process may be making the same one.
    """
    for folder in _cache_candidates():
        if (folder / name / needed).exists():
            return folder / name
    folder = cache_folder() / name
    shutil.rmtree(folder, ignore_errors=True)  # somebody has deleted a part of it
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix="making-"))
    try:
        make(work)
        with contextlib.suppress(OSError):  # somebody else was faster
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _key(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:24]


@functools.cache
def _identity():
    """What a compiled kernel depends on besides its source: the compiler and our own files."""
    found = compiler()
    sources = [
        path.read_text()
        for folder in ("include", "runtime")
        for path in sorted((HERE / folder).iterdir())
        if path.is_file()
    ]
    return _key(found.path, found.version, platform.machine(), Path(__file__).read_text(), *sources)


def _flags(variant):
    found = compiler()
    flags = [*_COMMON, *_FIXED_ADDRESS]
    if not found.clang:
        flags.append("-fno-extern-tls-init")  # or extern __shared__ in a template is taken to need a constructor
    if found.clang or found.release >= 12:
        flags.append("-ftrivial-auto-var-init=pattern")
    if variant == "plain":
        return [*flags, "-O2"]
    flags += _WATCHED
    if variant == "check":
        flags += ["-Wuninitialized", *([] if found.clang else ["-fno-tree-loop-im"])]
        flags.append("-fsanitize=array-bounds" if found.clang else "-fsanitize=bounds")
    if found.clang:
        options = ["distinguish-volatile=1", "instrument-func-entry-exit=0", "instrument-read-before-write=1"]
        return flags + [part for option in options for part in ("-mllvm", f"-tsan-{option}")]
    return [
        *flags,
        "-fno-tree-sra",
        "-fno-ipa-sra",
        "--param=tsan-distinguish-volatile=1",
        "--param=tsan-instrument-func-entry-exit=0",
    ]


def runtime_folder():
    """Return the folder of what stands around every kernel; it is made with the first kernel."""
    return cache_folder() / f"runtime-{_identity()}"


def _runtime():
    """Compile what stands around every kernel, once."""
    return sorted(_find_or_make(f"runtime-{_identity()}", "main.o", _compile_runtime).glob("*.o"))


def _compile_runtime(work):
    def compile_one(source):
        place = ["-c", str(source), "-o", str(work / f"{source.stem}.o")]
        return _run([compiler().path, "-std=c++20", "-O2", "-w", *_FIXED_ADDRESS, *place])

    with ThreadPoolExecutor() as pool:
        for done in pool.map(compile_one, sorted((HERE / "runtime").glob("*.cpp"))):
            if done.returncode:
                found = compiler().version
                raise KernelError(
                    f"the executor does not compile with {found}; please report it:\n{done.stderr[-3000:]}"
                )


def _run(command, **options):
    environment = {**os.environ, "LC_ALL": "C", "GCC_COLORS": ""}
    return subprocess.run(command, capture_output=True, text=True, env=environment, errors="replace", **options)


def _compile(work, source, name, flags, runtime):
    refuse(source)
    (work / FILE).write_text(_alignment_first(source))
    main = f'#include "cuda_on_cpu.h"\n#include "{FILE}"\n#include "entry.h"\nEXECUTOR_KERNEL({name})\n'
    (work / "main.cpp").write_text(main)
    command = [compiler().path, *flags, f"-I{HERE / 'include'}", "-c", "main.cpp", "-o", "main.o"]
    done = _run(command, cwd=work)
    if done.returncode:
        raise CompileError(explain(done.stderr, source))
    if compiler().clang and sys.platform != "darwin":  # clang before 16 calls these, and not what the checker sees
        _run(
            ["objcopy", *(f"--redefine-sym=mem{name}=__tsan_mem{name}" for name in ("cpy", "move", "set")), "main.o"],
            cwd=work,
        )
    symbols = _symbols(work / "main.o")
    names = [symbol for symbol, kind, defined, _, _ in symbols if kind == "TLS" and not defined]
    dynamic = _plain_name(names[0]) if len(names) == 1 else ""
    if sys.platform != "darwin":
        _write_dynamic_shared(work, names)
    _link(work, runtime)
    own = {symbol for symbol, _, defined, _, _ in symbols if defined}
    facts = {"shared": [], "variables": [], "dynamic": dynamic, "warnings": _warnings(done.stderr, source)}
    for symbol, kind, _, place, size in _symbols(work / "kernel"):
        if symbol in own and size and "executor" not in symbol:
            facts["shared" if kind == "TLS" else "variables"].append((_plain_name(symbol), place, size, symbol))
    (work / "facts.json").write_text(json.dumps(facts))
    for path in work.glob("*.[os]"):
        path.unlink()


def _alignment_first(source):
    """Put alignas(…) in front of __shared__, where C++ wants it; every line stays as long as it was."""
    return re.sub(r"\b((?:(?:extern|static)\s+)?__shared__\s+)(alignas\s*\([^()]*(?:\([^()]*\))?\)\s)", r"\2\1", source)


def refuse(source):
    """Refuse what the C++ compiler accepts but CUDA's does not.

    Raises
    ------
    CompileError
        At the first such place.
    """
    text = without_comments(source)
    for place, message in [*_initialized_shared(text), *_host_functions(text)]:
        line = text.count("\n", 0, place) + 1
        raise CompileError(show_error(source, line, place - text.rfind("\n", 0, place), message))


def _initialized_shared(text):
    for found in re.finditer(r"__shared__[^;{}()=]*(=)[^=]", text):
        yield found.start(1), "a __shared__ variable cannot be initialized: let a thread write it, then __syncthreads()"


def _host_functions(text):
    """Functions without __device__ that something in the source calls."""
    depth, begin = 0, 0
    for found in re.finditer(r"namespace\s*\w*\s*\{|[{};]", text):
        mark = found[0][-1]
        head = text[begin : found.end()]
        function = re.search(r"(?<![\w:~])(\w+)\s*\([^{};]*\)\s*\{$", head)
        declared = re.search(r"__\w+__|\bconstexpr\b|\boperator\b|=|^\s*#", head)
        if (
            depth == 0
            and function
            and not declared
            and len(re.findall(rf"\b{function[1]}\s*(?:<[^;()]*>)?\(", text)) > 1
        ):
            yield (
                begin + function.start(1),
                f"{function[1]!r} runs on the host only, and a kernel cannot call it: declare it __device__",
            )
        if not found[0].startswith("namespace"):
            depth += (mark == "{") - (mark == "}")
        begin = found.end()
        depth = max(depth, 0)


def _warnings(text, source):
    pattern = rf"^(?:.*/)?{re.escape(FILE)}:(\d+):\d+: warning: ['\u2018](\w+)['\u2019] is used uninitialized"
    found = [(int(line), name) for line, name in re.findall(pattern, text, re.M)] + used_before_set(source)
    return [(line, f"{name!r} is used before it has a value") for line, name in dict.fromkeys(found)]


def _link(work, runtime):
    objects = ["main.o"] if sys.platform == "darwin" else ["front.s", "main.o", "dynamic.s"]
    fixed = [] if sys.platform == "darwin" else ["-no-pie"]
    done = _run([compiler().path, *fixed, *objects, *map(str, runtime), "-o", "kernel"], cwd=work)
    if done.returncode:
        missing = sorted(set(re.findall(r"undefined reference to `([^']+)'", done.stderr)))
        if "multiple definition of `main'" in done.stderr:
            raise CompileError(
                "the source has a main()\n  hint: leave it out: the source holds only what runs on the GPU; memory and launches "
                "are Python's: kernel[grid, block](arrays)"
            )
        what = "declared but not defined: " + ", ".join(missing) if missing else done.stderr[-2000:]
        raise CompileError(f"the kernel does not link: {what}")


def _write_dynamic_shared(work, names):
    """Lay out the memory of a block: padding, the kernel's shared variables, padding, dynamic shared memory, padding.

    Every `extern __shared__` array of the kernel is a name of the dynamic shared memory.
    """
    section = '.section .tbss,"awT",%nobits\n'
    labels = "".join(
        f".globl {name}\n.type {name}, %tls_object\n{name}:\n" for name in ["executor_dynamic_shared", *names]
    )
    (work / "front.s").write_text(f'{section}.zero {PAD}\n.section .note.GNU-stack,"",%progbits\n')
    body = f'{section}.zero {PAD}\n.balign 1024\n{labels}.zero {DYNAMIC_SHARED + PAD}\n.section .note.GNU-stack,"",%progbits\n'
    (work / "dynamic.s").write_text(body)


def _symbols(path):
    """Return (symbol, kind, defined, place, bytes) of the variables in a program; constants are left out."""
    lines = _run(["readelf", "-sSW", str(path)]).stdout.splitlines()
    sections = {found[1]: found[2] for line in lines if (found := re.match(r"\s*\[\s*(\d+)\] (\S+)", line))}
    found = [row for line in lines if re.match(r"\s*\d+: ", line) and len(row := line.split(None, 7)) == 8]
    return [
        (symbol.split("@")[0], kind, section != "UND", int(place, 16), int(size, 0))
        for _, place, size, kind, _, _, section, symbol in found
        if kind in ("TLS", "OBJECT") and sections.get(section, ".data").startswith((".tbss", ".tdata", ".bss", ".data"))
    ]


@functools.cache
def _plain_name(symbol):
    """Return a variable's name without the function or namespace it is in."""
    if not symbol.startswith("_Z"):
        return symbol.split(".")[0]
    plain = _run(["c++filt", symbol]).stdout.strip()
    return re.sub(r"\[abi:\w+\]|\(.*\)(?=::)", "", plain).split("::")[-1]


def explain(text, source):
    """Keep of a compiler's messages those about the learner's lines, each with its line and caret.

    An error inside of our own headers is told of the line that led there.

    Parameters
    ----------
    text : str
        What the compiler wrote.
    source : str
        The learner's source.

    Returns
    -------
    str

    Examples
    --------
    >>> print(explain("kernel.cu:1:5: error: 'x' was not declared\\nmain.cpp:2:1: note: from here", "y = x;"))
    kernel.cu:1:5: error: 'x' was not declared
        1 | y = x;
          |     ^
    """
    errors, led_here, homeless = {}, None, None
    for line in text.splitlines():
        if assembler := re.match(rf"{re.escape(FILE)}:(\d+): Error: (.*)", line):
            errors.setdefault((int(assembler[1]), 1), f"inline_ptx is not for the CPU: {assembler[2]}")
        found = re.match(r"(\S.*?):(\d+):(\d+):\s+(fatal error|error|required from|note|warning)(?:: (.*))?", line)
        if not found:
            continue
        own, place, what = Path(found[1]).name == FILE, (int(found[2]), int(found[3])), found[4]
        if what == "required from":
            led_here = place if own else led_here
        elif what == "note" and own and homeless and "in expansion of macro" in found[5]:
            errors.setdefault(place, homeless)
            homeless = None
        elif what.endswith("error"):
            message = found[5]
            for pattern, plainer in _PLAINER.items():
                message = re.sub(pattern, plainer, message)
            homeless = None if own or led_here else homeless or message
            if own or led_here:
                errors.setdefault(place if own else led_here, message)
            led_here = None
    if not errors and homeless:
        unclosed = source.count("{") > source.count("}")
        errors[_end_of(source)] = "expected '}': a brace is not closed" if unclosed else homeless
    if not errors:
        return text.strip()
    shown = [show_error(source, *place, message) for place, message in list(errors.items())[:_ERRORS_SHOWN]]
    if len(errors) > _ERRORS_SHOWN:
        shown.append(f"and {len(errors) - _ERRORS_SHOWN} more errors")
    return "\n".join([*shown, *_hints(source, list(errors.values()))])


def show_error(source, line, column, message):
    """Show a line of the source with a caret under what is wrong.

    >>> print(show_error("int a;", 1, 5, "what is a?"))
    kernel.cu:1:5: error: what is a?
        1 | int a;
          |     ^
    """
    lines = source.splitlines()
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = re.sub(r"[^\t]", " ", text[: column - 1])
    return f"{FILE}:{line}:{column}: error: {message}\n{line:>5} | {text}\n      | {indent}^"


def _end_of(source):
    lines = source.rstrip().splitlines() or [""]
    return len(lines), len(lines[-1])


_PLAINER = {
    r"variable length array (\S+) is used.*": r"the size of the array \1 is not known when it is compiled",
    r"assignment of read-only location '\*\s?\(?(\w+).*": r"\1 points to const: the kernel has promised not to write there",
    r" \[-fpermissive\]$": "",
}
_SLIPS = {
    r"\b(uint3|dim3)\b": "threadIdx, blockIdx, blockDim and gridDim have parts: threadIdx.x, and .y and .z",
    r"unary '\*' \(have|operator\^'|indirection requires pointer": "C++ has no operator for powers: x * x, or powf(x, y)",
    r"'(len|size|shape)'|member reference base type": "a pointer does not know how many elements there are: give the kernel an int n",
    r"'(np|math|torch|range|print)'": "this is C++: sqrtf(x), expf(x), fminf(a, b), for (int i = 0; i < n; ++i), printf",
    r"terminating|unterminated": r"a text ends on its line: inside of a Python string, write \\n for the \n of C++",
}


def _hints(source, messages):
    text = "\n".join(messages)
    yield from (f"  hint: {hint}" for slip, hint in _SLIPS.items() if re.search(slip, text))
    for name in dict.fromkeys(re.findall(r"(?:^|identifier )'(\w+)'(?: was not declared|$)", text, re.M)):
        if re.search(rf"^\s*{name}\s*=[^=]", source, re.M):
            yield f"  hint: a variable is declared with its type: int {name} = …"
    if "inline_ptx" in text:
        yield "  hint: inline PTX (asm) is the GPU's own assembly language; write it for the CPU in C++ under #ifdef MLCOURSE_EXECUTOR"
    if "<<<" in source or re.search(r"'cuda[A-Z]\w+' was not declared", text):
        yield "  hint: the source holds only what runs on the GPU; memory and launches are Python's: kernel[grid, block](arrays)"
    if header := re.search(r"(\S+?): No such file", text) or re.search(r"'(\S+)' file not found", text):
        yield f"  hint: the executor has no {header[1]}; it has {_HEADERS}, and those of C++"
    elif unknown := re.search(r"(?:'(__\w+)' was not declared|use of undeclared identifier '(__\w+)')", text):
        name = unknown[1] or unknown[2]
        yield f"  hint: if {name} is a function of CUDA, the executor does not have it: write it in C++ under #ifdef MLCOURSE_EXECUTOR"
    for name in dict.fromkeys(re.findall(r"no matching function for call to '(atomic\w+)", text)):
        header = (HERE / "include" / "atomics.h").read_text()
        if found := re.search(rf"EXECUTOR_ATOMIC\({name}, .*?, ((?:int|unsigned)[^)]*)\)", header, re.S):
            yield f"  hint: {name} exists for pointers to {' '.join(found[1].split())}"
    if re.search(r"no matching function for call to '__(shfl|ballot|any|all|match|reduce)", text):
        yield "  hint: the first argument is the mask of the lanes that take part: 0xffffffff for a whole warp"
