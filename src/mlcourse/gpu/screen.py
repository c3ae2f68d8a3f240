"""What the check of an exercise does not compile, though a compiler would: what no kernel needs and a cheater might.

A kernel of an exercise runs in the process that watches it. This screen closes the short ways from there to the watcher and to the
system: assembly, other headers, the runtime's own names, calls of the C library that start programs or open files. It is no wall: C++
can reach an address by arithmetic. What keeps a hostile kernel from doing harm is the sandbox of the class grader.
"""

from __future__ import annotations

import bisect
import re

MAX_SOURCE = 64_000
HEADERS = frozenset((
    "cuda.h", "cuda_runtime.h", "cuda_runtime_api.h", "device_launch_parameters.h", "vector_types.h",
    "cuda_fp16.h", "cuda_bf16.h", "cuda_pipeline.h", "cuda_pipeline_primitives.h", "cooperative_groups.h",
    "cooperative_groups/reduce.h", "cooperative_groups/memcpy_async.h", "mma.h", "stdint.h", "math.h",
    "float.h", "limits.h", "stddef.h", "stdio.h", "assert.h", "cstdint", "cmath", "cfloat", "climits",
    "cstddef", "cstdio", "cassert", "limits", "type_traits",
))  # fmt: skip
"""What a kernel may include."""

_RAW, _TEXT = r"\b(?:u8|[uUL])?R\"", r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'"
_COMMENT = re.compile(rf"(?P<comment>//[^\n]*|/\*.*?\*/)|{_RAW}|\b\d(?:'?[\w.])*|{_TEXT}", re.S)
_TOKENS = (
    rf"{_RAW}|{_TEXT}"
    r"|\.?\d(?:'?[\w.])*"  # numbers
    r"|(?P<name>[A-Za-z_$][\w$]*)|(?P<paste>##|%:%:)|(?P<slash>\\)"
)
_TOKEN = re.compile(rf"^[ \t]*(?P<directive>(?:#|%:)[ \t]*[a-z_]+[^\n]*)|{_TOKENS}", re.MULTILINE)
_TOKEN_OF_MACRO = re.compile(rf"(?P<directive>(?!))|{_TOKENS}")
_ASSEMBLY = frozenset((
    "asm", "__asm", "__asm__",
))  # fmt: skip
_HOOKS = frozenset((
    "extern", "__attribute__", "__attribute", "gnu", "_Pragma", "__extension__", "__builtin_apply",
    "__builtin_return_address",
))  # fmt: skip
_OWN = ("executor", "__tsan", "__sanitizer", "__ubsan", "__asan", "__libc", "_zn", "_exit")
_SYSTEM = frozenset((
    "syscall", "system", "popen", "fork", "vfork", "clone", "kill", "raise", "signal", "sigaction",
    "sigprocmask", "abort", "exit", "quick_exit", "atexit", "at_quick_exit", "execl", "execle", "execlp",
    "execv", "execve", "execvp", "execvpe", "posix_spawn", "posix_spawnp", "ptrace", "prctl", "mmap", "munmap",
    "mprotect", "mremap", "brk", "sbrk", "setjmp", "longjmp", "dlopen", "dlsym", "dlvsym", "dl_iterate_phdr",
    "getpid", "getppid", "socket", "connect", "open", "openat", "creat", "fopen", "freopen", "fdopen",
    "tmpfile", "remove", "rename", "unlink", "read", "write", "pread", "pwrite", "lseek", "close", "dup",
    "dup2", "pipe", "ioctl", "fcntl", "truncate", "ftruncate", "getenv", "setenv", "environ", "pthread_create",
    "fwrite", "fputs", "fprintf", "vfprintf", "setitimer", "alarm",
))  # fmt: skip
_MACROS = re.compile(r"(?:#|%:)[ \t]*([a-z_]+)[ \t]*(.*)", re.S)
_PLAIN_DIRECTIVES = frozenset((
    "define", "undef", "if", "ifdef", "ifndef", "elif", "else", "endif", "error",
))  # fmt: skip


def refusal(source):
    """Say why a source is not compiled.

    Parameters
    ----------
    source : str
        CUDA C++.

    Returns
    -------
    str
        A sentence; empty if nothing speaks against it.

    Examples
    --------
    >>> refusal("__global__ void f() { asm(\\"nop\\"); }")
    "line 1 uses 'asm': the check does not compile assembly"
    >>> refusal("#include <cuda_fp16.h>\\n__global__ void f() { extern __shared__ float tile[]; }")
    ''
    """
    if len(source) > MAX_SOURCE:
        return f"the source has {len(source):,} characters; {MAX_SOURCE:,} are the most"
    text, line_of = _spliced(source)
    text = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]) if found["comment"] else found[0], text)
    for found in _TOKEN.finditer(text):
        if why := _why(found, text):
            return f"line {line_of(found.start())} {why}"
    return ""


def _spliced(source):
    """Join lines that end with a backslash, as a compiler does; return the text, and what gives the line of a place in it."""
    pieces = re.split(r"(\\[ \t]*\n)", source)
    starts, lines, length, line = [], [], 0, 1
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            starts.append(length)
            lines.append(line)
            length += len(piece)
        line += piece.count("\n")
    text = "".join(pieces[::2])

    def line_of(place):
        piece = bisect.bisect_right(starts, place) - 1
        return lines[piece] + text.count("\n", starts[piece], place)

    return text, line_of


def _why(found, text):
    if found["directive"]:
        return _directive(found["directive"])
    if found["name"]:
        return _name(found["name"], text, found.end())
    if found["paste"]:
        return "uses '##': the check does not compile names that a macro puts together"
    if found["slash"]:
        return "has a backslash where CUDA C++ has none"
    return 'has a raw string, R"…": the check does not compile them' if found[0].endswith('R"') else ""


def _directive(directive):
    name, rest = _MACROS.match(directive).groups()
    if name == "include":
        header = re.match(r"[<\"]([^>\"]*)[>\"]", rest)
        if header is None or header[1] not in HEADERS:
            known = "CUDA's own headers, such as <cuda_fp16.h> and <cooperative_groups.h>"
            return f"includes {rest[:60].strip()}: the check knows only {known}"
        return ""
    if name == "pragma":
        return "" if re.match(r"(unroll|once)\b", rest) else "has a pragma: the check knows only `#pragma unroll`"
    if name not in _PLAIN_DIRECTIVES:
        return f"has the directive #{name}, which the check does not compile"
    for inner in _TOKEN_OF_MACRO.finditer(rest):
        if why := _why(inner, rest):
            return why
    return ""


def _name(name, text, end):
    after = text[end : end + 80].lstrip()
    if name in _ASSEMBLY:
        return f"uses {name!r}: the check does not compile assembly"
    if name == "extern" and re.match(
        r"(?:volatile\s+)?(?:__align__\s*\([^()]*\)\s*|alignas\s*\([^()]*\)\s*)?__shared__\b", after
    ):
        return ""
    if name in _HOOKS:
        return f"uses {name!r}, which no kernel of an exercise needs"
    if name.lower().startswith(_OWN):
        return f"uses {name!r}, a name of the program that runs the kernel"
    if name in _SYSTEM and after.startswith("("):
        return f"calls {name!r}: a kernel cannot call the operating system"
    return ""
