"""Show CUDA C++ of the package in a chapter, from the package, so that the two cannot drift apart."""

from __future__ import annotations

import re

from mlcourse.display.source import Source
from mlcourse.gpu.kernels import source


def show_kernel(file, *names):
    """Show functions of a file of kernels, with the comment above each.

    Parameters
    ----------
    file : str
        Of `mlcourse.gpu.kernels`, such as "sum".
    *names : str
        Kernels and device functions, in the order in which they are to be shown.

    Returns
    -------
    mlcourse.display.source.Source

    Raises
    ------
    ValueError
        If the file has no such function; the message lists those that it has.

    Examples
    --------
    >>> "atomicAdd" in show_kernel("histogram", "histogram_global").code
    True
    """
    text = source(file)
    functions = {
        found[1]: found
        for found in re.finditer(r"^(?:__global__|__device__)[^;{]*?\b(\w+)\((?:[^(){]|\([^()]*\))*\) *\{", text, re.M)
    }
    missing = [name for name in names if name not in functions]
    if missing:
        raise ValueError(f"{file}.cu has no function {missing[0]!r}; it has {', '.join(functions)}")
    parts = [_with_comment(text, functions[name]) for name in names]
    return _source("\n\n".join(parts), file)


def _with_comment(text, found):
    begin = found.start()
    while (line := text.rfind("\n", 0, begin - 1) + 1) < begin and text[line:begin].startswith(("//", "template")):
        begin = line
    on_one_line = text[found.end() : text.index("\n", found.end())].rstrip().endswith("}")
    end = text.index("\n", found.end()) if on_one_line else text.index("\n}", found.end()) + 2
    return text[begin:end]


def show_file(file, begin=None, end=None):
    """Show a file of kernels of the package, or a part of it.

    Parameters
    ----------
    file : str
        Of `mlcourse.gpu.kernels`, such as "matmul_tiled".
    begin, end : str, optional
        From the first line that contains `begin` up to, and without, the next one that contains `end`.

    Returns
    -------
    mlcourse.display.source.Source

    Raises
    ------
    ValueError
        If no line contains one of the two.

    Examples
    --------
    >>> print(show_file("matmul_coalesced", "float sum", "C[").code)
      float sum = 0;
      for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
    """
    lines = source(file).rstrip().split("\n")
    first = 0 if begin is None else _line_with(lines, begin, 0, file)
    last = len(lines) if end is None else _line_with(lines, end, first + 1, file)
    return _source("\n".join(lines[first:last]).rstrip(), file)


def _line_with(lines, text, start, file):
    for number in range(start, len(lines)):
        if text in lines[number]:
            return number
    raise ValueError(f"show_file: no line of {file}.cu after line {start} contains {text!r}")


def _source(code, file):
    return Source(code, f"mlcourse/gpu/kernels/{file}.cu", "cuda")
