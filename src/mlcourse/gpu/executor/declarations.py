"""What a kernel declares, read from its source: shapes of arrays, and variables that are used before they have a value."""

from __future__ import annotations

import ast
import math
import operator
import re
from typing import NamedTuple

import numpy as np

from mlcourse.gpu.signature import SCALARS, VECTORS, dtype_of, split, template_values, without_comments

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.LShift: operator.lshift,
}
_BYTES = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
}
_WORD = r"(?:(?:unsigned|signed|long|short)\s+)*\w+"


class Declared(NamedTuple):
    """How a variable is declared.

    Attributes
    ----------
    dtype : str
        Of its values.
    lanes : int
        Values in one element: 4 for ``float4``.
    shape : tuple of int or None
        None if it cannot be told from the text.
    """

    dtype: str
    lanes: int
    shape: tuple | None

    @property
    def size(self):
        """Bytes of an element."""
        return _BYTES.get(self.dtype, 8) * self.lanes


def declared_variables(source, name):
    """Read how the kernel's shared and global variables are declared, as far as the text tells.

    Parameters
    ----------
    source, name : str
        The kernel.

    Returns
    -------
    dict of str to Declared

    Examples
    --------
    >>> declared_variables("template <int T> __global__ void k() { __shared__ float a[T][T + 1]; }", "k<32>")
    {'a': Declared(dtype='float32', lanes=1, shape=(32, 33))}
    """
    text = without_comments(source)
    given = template_values(text, name)
    values = _constants(text) | {key: _number(value, {}) for key, value in given.items()}
    found = {}
    for match in re.finditer(r"(?:__shared__|__device__|__constant__)\b([^;{}()=]*(?:=[^;]*)?);", text):
        plain = re.sub(r"\b(?:static|extern|const|volatile|__shared__|__device__|__align__|alignas)\b", " ", match[1])
        head = re.match(rf"\s*({_WORD})\s+(?=\w)", plain)
        kind = _kind(given.get(head[1], head[1])) if head else None
        for declarator in split(plain[head.end() :]) if kind else ():
            if variable := re.match(r"\s*(\w+)\s*((?:\[[^\]]*\]\s*)*)", declarator):
                shape = tuple(_number(extent, values) for extent in re.findall(r"\[([^\]]*)\]", variable[2]))
                found[variable[1]] = Declared(*kind, None if None in shape else shape)
    return found


def element(place, declared, size):
    """Find the element at a byte of a variable.

    Parameters
    ----------
    place : int
        The byte.
    declared : Declared or None
        How the variable is declared, if that is known.
    size : int
        Bytes of the variable.

    Returns
    -------
    tuple of int or None
        The index; None if it is not known.

    Examples
    --------
    >>> element(140, Declared("float32", 1, (32, 33)), 32 * 33 * 4)
    (1, 2)
    """
    if declared is None or not 0 <= place < size:
        return None
    position = place // declared.size
    if declared.shape is None or math.prod(declared.shape) * declared.size != size:
        return (position,)
    return tuple(int(i) for i in np.unravel_index(position, declared.shape)) if declared.shape else ()


def used_before_set(source):
    """Find local variables whose first use adds to a value that they do not have yet.

    Parameters
    ----------
    source : str
        CUDA C++.

    Returns
    -------
    list of (int, str)
        The line of that use, and the variable.

    Examples
    --------
    >>> used_before_set("float sum;\\nfor (int i = 0; i < n; i++) sum += x[i];")
    [(2, 'sum')]
    """
    text = without_comments(source)
    types = "|".join(
        sorted({*SCALARS, *VECTORS, *re.findall(r"\b(?:typename|class)\s+(\w+)", text)}, key=len, reverse=True)
    )
    found = []
    for match in re.finditer(rf"(?<=[;{{}}])\s*(?:{types})\s+([^;{{}}()]*);", "{" + text.replace("\n", "\n")):
        for declarator in split(match[1]):
            variable = re.fullmatch(r"\s*(\w+)\s*((?:\[[^\]]*\]\s*)*)", declarator)
            if variable and (use := _adds_first(text, match.end() - 1, variable[1])) is not None:
                found.append((text.count("\n", 0, use) + 1, variable[1]))
    return found


def _adds_first(text, begin, name):
    """Return where the variable is first used if that use adds to it."""
    use = re.compile(rf"(?<![\w.>]){name}\b").search(text, begin, _end_of_block(text, begin))
    if not use:
        return None
    after = text[use.end() :]
    compound = re.match(r"(?:\s*\[[^\]]*\])*(?:\s*\.\w+)?\s*(?:[-+*/|&^]=|\+\+|--)", after)
    itself = re.match(rf"\s*=[^=;]*(?<![\w.>&]){name}\b", after)
    return use.start() if compound or itself else None


def _end_of_block(text, begin):
    depth = 0
    for i in range(begin, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth < 0:
            return i
    return len(text)


def _constants(text):
    constant = r"\bconst(?:expr)?\s+(?:static\s+)?(?:unsigned\s+)?(?:int|unsigned|size_t)\s+(\w+)\s*=\s*([^;,]+)[;,]"
    pattern = constant + r"|^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\S+)"
    values = {}
    for found in re.finditer(pattern, text, re.M):
        values[found[1] or found[3]] = _number(found[2] or found[4], values)
    return values


def _number(text, values):
    """Compute an integer expression of known constants; None if it is something else."""
    try:
        return _evaluate(ast.parse(text.strip() or "None", mode="eval").body, values)
    except (SyntaxError, KeyError, TypeError, ZeroDivisionError, ValueError):
        return None


def _evaluate(node, values):
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
    raise TypeError


def _kind(words):
    """Return the dtype and the lanes of a type, or None if it is not one of CUDA's own."""
    kind = dtype_of(" ".join(words.split()))
    return kind if kind[0] else None
