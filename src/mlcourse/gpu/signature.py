"""What parameters a kernel has, read from its source."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlcourse.gpu.errors import KernelError

SCALARS = {
    "bool": "bool",
    "char": "int8",
    "signed char": "int8",
    "unsigned char": "uint8",
    "short": "int16",
    "unsigned short": "uint16",
    "int": "int32",
    "unsigned": "uint32",
    "long": "int64",
    "unsigned long": "uint64",
    "long long": "int64",
    "unsigned long long": "uint64",
    "float": "float32",
    "double": "float64",
    "ushort": "uint16",
    "uint": "uint32",
    "ulong": "uint64",
    "size_t": "uint64",
    "ptrdiff_t": "int64",
    "half": "float16",
    "__half": "float16",
    "__nv_bfloat16": "bfloat16",
    "nv_bfloat16": "bfloat16",
    **{f"{u}int{bits}_t": f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)},
}
VECTORS = {
    **{f"{name}{n}": (dtype, n) for n in (1, 2, 3, 4) for name, dtype in {
        "char": "int8", "uchar": "uint8", "short": "int16", "ushort": "uint16", "int": "int32", "uint": "uint32",
        "long": "int64", "ulong": "uint64", "longlong": "int64", "ulonglong": "uint64", "float": "float32", "double": "float64",
    }.items()},
    "half2": ("float16", 2), "__half2": ("float16", 2), "__nv_bfloat162": ("bfloat16", 2), "nv_bfloat162": ("bfloat16", 2),
}  # fmt: skip
_QUALIFIERS = r"\b(?:const|volatile|__restrict__|__restrict|restrict|__grid_constant__|struct|typename|std::)\b|std::"
_SPACES = {
    "signed int": "int",
    "unsigned int": "unsigned",
    "long int": "long",
    "long long int": "long long",
    "signed": "int",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a kernel.

    Attributes
    ----------
    name, text : str
        Its name, and how it is declared.
    pointer, const : bool
        Whether it is a pointer, and one through which the kernel only reads.
    dtype : str or None
        Of the value or of what it points to; None if the type is not one of CUDA's own.
    lanes : int
        Values in one element: 4 for ``float4``.
    """

    name: str
    text: str
    pointer: bool
    const: bool
    dtype: str | None
    lanes: int


@dataclass(frozen=True)
class Signature:
    """A kernel's name and parameters."""

    name: str
    parameters: tuple

    def __str__(self):
        return f"{self.name}({', '.join(parameter.text for parameter in self.parameters)})"


def parse_signature(source, name):
    """Read the parameters of a kernel.

    Parameters
    ----------
    source : str
        CUDA C++.
    name : str
        The kernel, or an instance of a template: "scale<float, 4>".

    Returns
    -------
    Signature

    Raises
    ------
    KernelError
        If the source has no such kernel.

    Examples
    --------
    >>> source = "template <typename T> __global__ void scale(T* x, const float factor, int n) { }"
    >>> print(parse_signature(source, "scale<double>"))
    scale<double>(T* x, const float factor, int n)
    >>> [parameter.dtype for parameter in parse_signature(source, "scale<double>").parameters]
    ['float64', 'float32', 'int32']
    """
    text = without_comments(source)
    base, _, given = name.partition("<")
    base = base.strip().split("::")[-1]
    if not base.isidentifier():
        raise KernelError(
            f"the name of a kernel is one word, such as 'add', got {name[:40]!r}\n"
            "  hint: Kernel(source, name) takes the source first"
        )
    found = {kernel: (template, inside) for template, kernel, inside in _kernels(text)}
    if base not in found:
        if re.search(rf"__global__(?:(?!\bvoid\b)[^;{{}}()])*\b{base}\s*\(", text):
            raise KernelError(f"the kernel {base!r} must return nothing: declare it __global__ void {base}(...)")
        if re.search(rf"\b{base}\s*\(", text):
            raise KernelError(f"the function {base!r} is no kernel: declare it __global__ void {base}(...)")
        there = ", ".join(found) or "none at all"
        raise KernelError(
            f"the source has no kernel {base!r}: a function declared __global__ void {base}(...); it has {there}"
        )
    template, inside = found[base]
    if template is not None and not given and "=" not in template:
        raise KernelError(
            f"{base!r} is a template: name an instance of it, such as {base + '<32>'!r}; its parameters are <{template}>"
        )
    if template is None and given:
        raise KernelError(f"{base!r} is no template: name it {base!r}, not {name!r}")
    types = {**_aliases(text), **_template_arguments(template or "", given.rpartition(">")[0])}
    parts = [part for part in split(inside) if part.strip() not in ("", "void")]
    return Signature(name, tuple(_parameter(part, types, i) for i, part in enumerate(parts)))


def without_comments(source):
    """Replace comments and texts by spaces of the same length, so that every place stays what it was.

    >>> without_comments('int a; // one')
    'int a;       '
    """
    pattern = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'"
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), source, flags=re.S)


def split(text, separator=","):
    """Split at commas that stand in no brackets.

    >>> split("T* x, pair<int, 2> y")
    ['T* x', ' pair<int, 2> y']
    """
    parts, depth, begin = [], 0, 0
    for i, character in enumerate(text):
        depth += (character in "<([{") - (character in ">)]}")
        if character == separator and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    return [*parts, text[begin:]]


def template_values(text, name):
    """Return what the parameters of a kernel's template are in an instance of it.

    >>> template_values("template <typename T, int N = 4> __global__ void k(T* x) {}", "k<float>")
    {'T': 'float', 'N': '4'}
    """
    base, _, given = name.partition("<")
    templates = {kernel: template for template, kernel, _ in _kernels(text)}
    return _template_arguments(templates.get(base.strip()) or "", given.rpartition(">")[0])


def _kernels(text):
    """Yield the template's parameters (None if it is no template), the name and the parameters of each kernel."""
    for found in re.finditer(r"__global__", text):
        head = re.match(
            r"(?:(?!__global__)[^;{}()]|__launch_bounds__\s*\([^()]*\)|__\w+__\s*\([^()]*\))*?\bvoid\b(?:\s|__launch_bounds__\s*\([^()]*\))*(\w+)\s*\(",
            text[found.end() :],
        )
        if not head:
            continue
        begin = found.end() + head.end()
        yield _template_before(text, found.start()), head[1], text[begin : _closing(text, begin)]


def _closing(text, begin):
    depth = 1
    for i in range(begin, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return len(text)


def _template_before(text, end):
    """Return what stands in template <...> in front of a kernel."""
    begin = max(text.rfind(c, 0, end) for c in ";{}") + 1
    found = re.search(r"\btemplate\s*<", text[begin:end])
    if not found:
        return None
    inside = text[begin + found.end() : end]
    return inside[: inside.rfind(">")]


def _template_arguments(template, given):
    values = [value.strip() for value in split(given)] if given.strip() else []
    found = {}
    for i, part in enumerate(split(template)):
        declared, _, default = part.partition("=")
        if words := re.findall(r"\w+", declared):
            found[words[-1]] = values[i] if i < len(values) else default.strip()
    return found


def _aliases(text):
    found = {name: value.strip() for name, value in re.findall(r"\busing\s+(\w+)\s*=\s*([^;]+);", text)}
    found |= {name: value.strip() for value, name in re.findall(r"\btypedef\s+([^;{}]+?)\s+(\w+)\s*;", text)}
    return found | {
        name: value for name, value in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+([\w ]+?)[ \t]*$", text, re.M)
    }


def _parameter(part, types, position):
    text = " ".join(part.partition("=")[0].split())
    array = re.search(r"\[[^\]]*\]\s*$", text)
    plain = re.sub(r"\[[^\]]*\]\s*$", "", text)
    found = re.match(r"(.*?[\s*&])(\w+)$", plain)
    declared, name = (found[1], found[2]) if found and found[2] not in SCALARS else (plain, f"parameter {position + 1}")
    pointer = "*" in declared or bool(array)
    target = declared.partition("*")[0]
    for _ in range(8):
        words = " ".join(re.sub(_QUALIFIERS, " ", target).split())
        if words not in types or types[words] == words:
            break
        target = target.replace(words, types[words])
        pointer |= "*" in target
        target = target.partition("*")[0]
    const = bool(re.search(r"\bconst\b", target))
    dtype, lanes = dtype_of(" ".join(re.sub(_QUALIFIERS, " ", target).split()))
    return Parameter(name, text, pointer, const, dtype, lanes)


def dtype_of(words):
    """Return the dtype and the lanes of a type; None for the dtype if it is not one of CUDA's own.

    >>> dtype_of("long unsigned int"), dtype_of("float4"), dtype_of("Matrix")
    (('uint64', 1), ('float32', 4), (None, 1))
    """
    words = _SPACES.get(words, words)
    if words in SCALARS:
        return SCALARS[words], 1
    ordered = " ".join(sorted(words.split(), key=lambda word: ("unsigned signed".find(word) < 0, word == "int")))
    ordered = _SPACES.get(ordered, ordered.removesuffix(" int"))
    return (SCALARS[ordered], 1) if ordered in SCALARS else VECTORS.get(words, (None, 1))
