"""Try a learner's kernel: compile it, run it in several orders with every access watched, count what it moves; return plain data.

The check of an exercise in CUDA C++ (`mlcourse.grading.kernels`) calls `trial`, in the notebook or, for a class, inside the sandbox. Here
nothing is judged: what is right is known outside alone.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re

import numpy as np

from mlcourse.gpu.errors import CompileError, KernelError
from mlcourse.gpu.executor.build import build, compiler
from mlcourse.gpu.kernel import Kernel
from mlcourse.gpu.screen import refusal
from mlcourse.gpu.signature import without_comments

TIME_LIMIT = 2.0
"""Seconds of processor time that one launch may take."""

_ORDERS = ("forward", "reverse", "random")
_KEPT = 20
_ENDLESS = "is there a loop whose condition never changes, or one that waits for a block that has not run?"
_NAMES = {"unwritten": "not written"}


class OutOfTime(Exception):
    """The kernel does not end."""


def trial(source, kernel, grid, block, smem=0, arguments=None, empty=(), scratch=(), counted=False):
    """Run a kernel as one case of an exercise says.

    Parameters
    ----------
    source : str
        CUDA C++.
    kernel : str
        Its name.
    grid, block : int or tuple of int
        Size of the launch.
    smem : int
        Bytes of dynamic shared memory.
    arguments : dict of str to ndarray or number
        In the order of the kernel's parameters, named as the exercise names them.
    empty : sequence of str
        Arrays that hold nothing yet.
    scratch : sequence of str
        Those of them that need not be written completely.
    counted : bool
        Whether to count sectors and bank passes as well.

    Returns
    -------
    dict
        ``order``, the last that was run, and its ``faults``; ``outputs``, the arrays that were changed in the order "forward", and for each
        other order those that came out differently; ``counts``, one dict for each access of a line; ``static``, the bytes of shared
        memory that the source declares with a size; or only ``faults``, where the source cannot be run.

    Raises
    ------
    NotImplementedError
        If the kernel has no body yet.
    OutOfTime
        If the kernel takes more than `TIME_LIMIT`.
    KernelError
        If there is no compiler.
    """
    if why := _other_answer(source, kernel):
        return {"faults": [_fault("wrong type", why)]}
    compiler()
    if why := refusal(source):
        return {"faults": [_fault("refused", why)]}
    arguments = {name: _poisoned(value) if name in empty else value for name, value in (arguments or {}).items()}
    with contextlib.redirect_stdout(io.StringIO()):  # of a printf, once for each order
        try:
            program = _kernel(source, kernel)
            if (fault := compile_kernel(source, kernel)) is not None:
                return {"faults": [fault]}
            if why := _other_order(program.signature, list(arguments)):
                return {"faults": [_fault("launch", why)]}
            return _try(program, grid, block, smem, arguments, (empty, scratch), counted)
        except KernelError as error:
            return {"faults": [_fault("launch", _refusal(str(error), kernel, list(arguments)))]}


def _other_order(signature, given):
    """Say that a kernel has the parameters of its exercise in another order; an empty text if it has not."""
    declared = [parameter.name for parameter in signature.parameters]
    if declared == given or sorted(declared) != sorted(given):
        return ""
    return f"the parameters of {signature} stand in another order than the arguments: {', '.join(given)}"


def _refusal(message, kernel, given):
    """Say why a launch was refused; the arguments are the exercise's, and a hint to change them would not help."""
    said, _, _ = message.partition("\n  hint:")
    return f"{said}; the arguments are {', '.join(given)}" if said.startswith(f"{kernel}(") else message


def _try(program, grid, block, smem, arguments, new, counted):
    before, outputs = arguments, {}
    for order in _ORDERS:
        faults, arrays = _run(program, order, grid, block, smem, arguments, *new)
        outputs[order] = {name: array for name, array in arrays.items() if array.tobytes() != before[name].tobytes()}
        before = {**before, **arrays} if order == "forward" else before
        if faults:
            break
    counts = _counts(program, grid, block, smem, arguments) if counted and not faults else []
    static = sum(size for _, _, size, _ in build(program.source, program.name, "check").shared)
    return {"faults": faults, "order": order, "outputs": outputs, "counts": counts, "static": static}


def _other_answer(source, kernel):
    """Say what is wrong with an answer that is no source; an empty text if nothing is."""
    if source is Ellipsis or source is None or (isinstance(source, str) and _is_unwritten(source, kernel)):
        raise NotImplementedError(f"write the body of {kernel}")
    if isinstance(source, str):
        return ""
    name = getattr(source, "type_name", type(source).__name__)  # of an object that could not travel
    what = "a Kernel: give its source" if name == "Kernel" else f"an object of type {name}"
    return f"expected the source of the kernel, a text in quotes; got {what}"


def _is_unwritten(source, kernel):
    """Whether the kernel's body has no statement yet."""
    text = without_comments(source)
    if text.strip() in ("", "...", "…"):
        return True
    return (
        re.search(rf"\b{re.escape(kernel.partition('<')[0])}\s*\([^)]*\)\s*\{{\s*(?:\.\.\.\s*)?\}}", text) is not None
    )


@functools.lru_cache(maxsize=16)
def _kernel(source, name):
    return Kernel(source, name)


def _poisoned(array):
    """An array of the same size whose values nobody would compute by chance."""
    array = np.array(array)
    array.reshape(-1).view(np.uint8)[:] = 0xA5
    if array.dtype.kind == "f":
        array[...] = np.nan
    return array


def _run(program, order, grid, block, smem, arguments, empty, scratch):
    """Run in one order; return the faults and the arrays."""
    values = {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in arguments.items()}
    parameters = program.signature.parameters
    outputs = [
        p.name for p, name in zip(parameters, arguments, strict=False) if name in empty and p.pointer and not p.const
    ]
    options = {"block_order": order, "warp_order": order, "seed": 1, "time_limit": TIME_LIMIT, "outputs": outputs}
    report = program.check[grid, block, smem](*values.values(), **options)
    places = {parameter.name: number for number, parameter in enumerate(parameters)}
    rough = {parameter.name for parameter, name in zip(parameters, arguments, strict=False) if name in scratch}
    found = [fault for fault in report.faults if fault.kind != "unwritten" or fault.array not in rough]
    faults = [_described(fault, program.source, places) for fault in found[:_KEPT]]
    for fault in faults:
        if fault["kind"] == "time limit":
            raise OutOfTime(_out_of_time(fault))
    return faults, {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def _out_of_time(fault):
    if not fault["line"]:
        return f"the kernel ran longer than {TIME_LIMIT:g} s; {_ENDLESS}"
    return f"line {fault['line']}, `{fault['code']}`: the kernel was ended here after {TIME_LIMIT:g} s; {_ENDLESS}"


def _described(fault, source, places):
    kind = _NAMES.get(fault.kind, fault.kind.replace("-", " "))
    described = _fault(kind, fault.message, fault.line, source, fault.cause or "")
    return {**described, "argument": places.get(fault.array, -1), "count": fault.count, "other_line": fault.other_line}


def _fault(kind, message, line=None, source="", cause=""):
    lines = source.splitlines()
    code = lines[line - 1].strip() if line and line <= len(lines) else ""
    return {
        "kind": kind,
        "message": message,
        "line": line,
        "code": code,
        "cause": cause,
        "argument": -1,
        "count": 1,
        "other_line": None,
    }


@functools.lru_cache(maxsize=64)
def compile_kernel(source, name, variant="check"):
    """Compile a kernel for the executor.

    Parameters
    ----------
    source, name : str
        CUDA C++, and the kernel's name.
    variant : {"check", "profile"}
        For the faults, or for the counts.

    Returns
    -------
    dict or None
        The first of the compiler's messages, with its line, as `trial` describes faults; None if there is none.
    """
    try:
        build(source, name, variant)
    except CompileError as error:
        found = re.search(r"^\S+?:(\d+):\d+: error: (.*)", str(error), re.MULTILINE)
        if found is None:
            return _fault("compile error", str(error).strip()[:400])
        hint = "".join(re.findall(r"^  (hint: .*)", str(error), re.MULTILINE)[:1])
        return _fault("compile error", f"{found[2]}; {hint}" if hint else found[2], int(found[1]), source)
    return None


def _counts(program, grid, block, smem, arguments):
    values = [np.array(value) if isinstance(value, np.ndarray) else value for value in arguments.values()]
    profile = program.profile[grid, block, smem](*values, time_limit=TIME_LIMIT)
    lines = program.source.splitlines()
    return [
        {
            "line": line.line, "code": lines[line.line - 1].strip() if 0 < line.line <= len(lines) else "", "space": line.space,
            "operation": line.operation, "transfers": line.transfers, "ideal": line.ideal,
        }
        for line in profile.lines
    ]  # fmt: skip
