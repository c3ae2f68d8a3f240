'''Exercises whose answer is a kernel in CUDA C++, and questions about kernels: checked on the CPU, without a GPU.

`kernel_exercise` checks a kernel that the learner wrote, `prediction_exercise` numbers that the learner foresees before the executor counts
them, `hunt_exercise` what the learner says is wrong with given kernels, `launch_exercise` the sizes that a function of the learner's
chooses for a given kernel. Each returns an `Exercise` as any other.

A kernel passes a case if the executor finds no fault (a race, an access out of bounds, an element that nobody wrote, …), if the arrays are
right in three orders of blocks and warps, and if it moves no more than the exercise allows. A whole exercise::

    import numpy as np

    from mlcourse.grading import Mistake
    from mlcourse.grading.kernels import kernel_exercise, launch


    def _saxpy_cases(rng):
        for n, block in ((256, 128), (1, 32), (int(rng.integers(300, 1000)), 96)):
            x, y = rng.normal(size=(2, n)).astype(np.float32)
            yield launch(f"{n} elements in blocks of {block}", -(-n // block), block, a=1.5, x=x, y=y, n=n)


    _NO_GUARD = """
    __global__ void saxpy(float a, const float* x, float* y, int n) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      y[i] = a * x[i] + y[i];
    }"""

    SAXPY = kernel_exercise(
        name="saxpy", title="Scale and add", points=4, minutes=10, difficulty=2,
        hints=("Each thread computes one element.", "What do the threads of the last block do that have none?"),
        cases=_saxpy_cases,
        oracle=lambda a, x, y, n: {"y": a * x.astype(np.float64) + y},
        most_sectors=1.05,
        mistakes=(
            Mistake(_NO_GUARD, "The last block has more threads than elements are left.", "out of bounds"),
            ...  # at least three
        ),
    )

In the notebook the answer is a text, ``saxpy = """…"""``, checked by ``check("saxpy", saxpy)``.

**What a kernel could forge.** When a class is graded, the source is compiled and run in a sandbox of its own, which never held the
learner's Python and never holds an expected result; what comes back is data, and the arrays are compared outside, with inputs that
nobody has seen. But a kernel runs in the process that watches it. Who finds the watcher in memory can make it silent: then a right
result counts although the kernel has a race, or moves too much. `mlcourse.gpu.screen` closes the short ways there, not all; a result
itself cannot be forged.
'''

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import itertools
import math
import os
import textwrap
from numbers import Integral

from mlcourse.grading.compare import KERNEL_FAULTS, KINDS, Difference, describe, difference
from mlcourse.grading.exercise import Case, Exercise

SECONDS = 12.0
"""Computing time of all cases, compiling included."""

_SECTOR = 32  # bytes
_ORDERS = {
    "forward": "",
    "reverse": "with blocks and warps in reverse order, ",
    "random": "with blocks and warps in random order, ",
}
_NEAR = 0.05
TINY = "__global__ void tiny(int* x) { x[threadIdx.x] = 1; }"
"""A kernel that tells whether kernels can be run at all."""


class Empty:
    """Stands for an array that holds nothing before a launch; see `empty` and `scratch`."""

    def __init__(self, shape, dtype, complete):
        self.shape, self.dtype, self.complete = shape, dtype, complete


def empty(shape, dtype="float32"):
    """An array that holds nothing yet, for `launch`: what nobody has written may not be read, and a result must be written completely.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : str or dtype
    """
    return Empty(shape, dtype, complete=True)


def scratch(shape, dtype="float32"):
    """An array that holds nothing yet, and in which nobody looks for a result: room to work in.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : str or dtype
    """
    return Empty(shape, dtype, complete=False)


class Launch(Case):
    """A case of a kernel; see `launch`."""

    @property
    def inputs(self):
        if self.kwargs["grid"] is None:
            return ", ".join(f"{name}={describe(value)}" for name, value in _numbers(self.kwargs["arguments"]).items())
        sizes = [self.kwargs["grid"], self.kwargs["block"], *([self.kwargs["smem"]] if self.kwargs["smem"] else [])]
        named = [
            f"{name}={_shown(name, value, self.kwargs['empty'])}" for name, value in self.kwargs["arguments"].items()
        ]
        return f"<<<{', '.join(map(str, sizes))}>>>({', '.join(named)})"


def _numbers(arguments):
    return {name: value for name, value in arguments.items() if not getattr(value, "shape", ())}


def _shown(name, value, empty_ones):
    if not hasattr(value, "shape") or not value.shape:
        return describe(value)
    shape = "×".join(map(str, value.shape))
    return f"{'empty ' if name in empty_ones else ''}{value.dtype}[{shape}]"


def launch(label, grid, block, /, smem=0, **arguments):
    """A case: launch the kernel with these sizes and arguments.

    Parameters
    ----------
    label : str
        What the case is about, as the learner reads it.
    grid, block : int or tuple of int
        Blocks of the grid, threads of a block.
    smem : int
        Bytes of dynamic shared memory.
    **arguments
        In the order of the kernel's parameters: numbers, NumPy arrays, `empty` for arrays that the kernel has to write, and `scratch`
        for those that it may use.

    Returns
    -------
    Launch

    Examples
    --------
    >>> import numpy as np
    >>> launch("two blocks", 2, 64, x=np.zeros(100, np.float32), out=empty(100), n=100).inputs
    '<<<2, 64>>>(x=float32[100], out=empty float32[100], n=100)'
    """
    import numpy as np

    names = [name for name, value in arguments.items() if isinstance(value, Empty)]
    arrays = {name: np.zeros(value.shape, value.dtype) if name in names else value for name, value in arguments.items()}
    rough = [name for name in names if not arguments[name].complete]
    return Launch(label, grid=grid, block=block, smem=smem, arguments=arrays, empty=names, scratch=rough)


def _use_kernel(answer, kernel, grid, block, smem, arguments, empty, scratch, counted):
    from mlcourse.gpu.trial import trial

    return trial(answer, kernel, grid, block, smem, arguments, empty, scratch, counted)


def kernel_exercise(
    *, name, cases, oracle, kernel=None, most_sectors=None, most_bank_passes=None, most_static=None, rtol=1e-5, atol=1e-6,
    seconds=SECONDS, **card
):  # fmt: skip
    """An exercise whose answer is the source of a kernel.

    Parameters
    ----------
    name : str
        The variable that holds the source; also the kernel's name, unless `kernel` says otherwise.
    cases : callable
        ``cases(rng)`` yields cases made by `launch`, of odd sizes too.
    oracle : callable
        ``oracle(**arguments)`` returns the arrays that the kernel has to leave behind, a dict by the names of the arguments; in float64
        where the kernel computes in float32. An array that it does not name must keep its values, unless it is `scratch`.
    kernel : str, optional
        The kernel's name, or an instance of a template: "transpose<32>".
    most_sectors : float, optional
        How many sectors of global memory may be moved in each case: so many times those that hold the arrays, each read once, written once.
    most_bank_passes : float, optional
        How many passes over the banks of shared memory there may be: so many times those without conflicts.
    most_static : int, optional
        How many bytes of shared memory the source may declare with a size, besides what the launch gives.
    rtol, atol : float
        Tolerances for the arrays.
    seconds : float
        Computing time that all cases of a class grading may take together.
    **card
        What every `Exercise` has: title, points, minutes, difficulty, hints, mistakes.

    Returns
    -------
    Exercise
    """
    called = kernel or name
    counted = most_sectors is not None or most_bank_passes is not None
    judge = functools.partial(
        _judge,
        most_sectors=most_sectors,
        most_bank_passes=most_bank_passes,
        most_static=most_static,
        rtol=rtol,
        atol=atol,
    )
    return Exercise(
        name=name,
        cases=functools.partial(_cases_of, cases, called, counted),
        oracle=functools.partial(_expected, oracle),
        compare=judge,
        answer="value",
        use=_use_kernel,
        apart=True,
        ready=functools.partial(_ready_kernels, called, counted),
        alike=functools.partial(_alike, rtol=rtol, atol=atol),
        rtol=rtol,
        atol=atol,
        seconds=seconds,
        **card,
    )


def _cases_of(cases, kernel, counted, rng):
    for case in cases(rng):
        case.kwargs |= {"kernel": kernel, "counted": counted}
        yield case


def _expected(oracle, arguments, empty, scratch, **launch):
    """What the check compares with: the arrays afterwards, and before."""
    before = {name: value for name, value in arguments.items() if getattr(value, "shape", ())}
    after = oracle(**arguments)
    unknown = sorted(after.keys() - before.keys())
    if unknown:
        raise ValueError(f"the oracle returns {', '.join(unknown)}; the arrays are {', '.join(before)}")
    after = {name: _as_result(name, value, before[name]) for name, value in after.items()}
    return {"after": after, "before": before, "empty": empty, "scratch": scratch, "arguments": arguments}


def _as_result(name, value, before):
    """An array of the oracle's, in the kind of number of the kernel's, and no less precise than the oracle has it."""
    import numpy as np

    value = np.asarray(value)
    if value.shape != before.shape:
        raise ValueError(f"the oracle's {name} has shape {value.shape}; the array has {before.shape}")
    return value.astype(np.result_type(before, value) if before.dtype.kind == "f" else before.dtype)


def ready(*answers):
    """Make ready what all kernels share; of the answers, nothing.

    Raises
    ------
    mlcourse.gpu.KernelError
        If there is no compiler; the message says how to get one.
    """
    _try_tiny()


def _ready_kernels(kernel, counted, *sources):
    """Make ready what all kernels share, and compile known wrong answers, as many at a time as there are processors."""
    ready()
    from mlcourse.gpu.trial import compile_kernel

    variants = ("check", "profile") if counted else ("check",)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: compile_kernel(job[0], kernel, job[1]), itertools.product(sources, variants)))


@functools.cache
def _try_tiny():
    from mlcourse.gpu import KernelError
    from mlcourse.gpu.trial import trial

    found = trial(TINY, **tiny_case())
    if found["faults"]:
        raise KernelError(f"the executor does not work here: {found['faults'][0]['message']}")


def tiny_case():
    """What `TINY` is tried with."""
    return {**launch("32 elements", 1, 32, x=empty(32, "int32")).kwargs, "kernel": "tiny", "counted": False}


def use_source():
    """The source of what tries a kernel."""
    return textwrap.dedent(inspect.getsource(_use_kernel))


def _judge(expected, got, most_sectors=None, most_bank_passes=None, most_static=None, *, rtol, atol):
    """The first thing that is wrong with a trial, or None."""
    if got["faults"]:
        return min(
            map(functools.partial(_difference_of, got), got["faults"]), key=lambda found: KINDS.index(found.kind)
        )
    arrays = {**expected["before"], **got["outputs"]["forward"]}
    fault = _arrays_difference(expected, arrays, rtol, atol)
    if fault is not None:
        return fault
    for order, words in list(_ORDERS.items())[1:]:
        fault = _arrays_difference(expected, {**arrays, **got["outputs"][order]}, rtol, atol)
        if fault is not None:
            return Difference(
                "depends on the order", f"right with blocks and warps in order; but {words}{fault.message}"
            )
    if most_sectors is not None:
        fault = _sectors_difference(expected, got["counts"], most_sectors)
    if fault is None and most_bank_passes is not None:
        fault = _bank_difference(got["counts"], most_bank_passes)
    if fault is None and most_static is not None and int(got["static"]) > most_static:
        return Difference(
            "launch",
            f"the source declares {int(got['static']):,} bytes of shared memory itself, besides what the launch gives; "
            f"at most {most_static:,} are asked. `extern __shared__` stands for the launch's",
        )
    return fault


def _difference_of(trial, fault):
    kind = fault["kind"] if fault["kind"] in (*KERNEL_FAULTS, "wrong type") else "crash"
    message = _clipped(fault["message"], 400)
    if fault["line"]:
        message = f"line {int(fault['line'])}, `{_clipped(fault['code'], 120)}`: {message}"
    message = _ORDERS.get(trial.get("order"), "") + message
    return Difference(kind, f"{message} Usual cause: {_clipped(fault['cause'], 300)}" if fault["cause"] else message)


def _clipped(text, most):
    text = " ".join(str(text)[: 4 * most].split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _arrays_difference(expected, arrays, rtol, atol):
    for name, after in expected["after"].items():
        fault = difference(after, arrays[name], rtol=rtol, atol=atol)
        if fault is not None:
            return Difference(fault.kind, f"{name}: {fault.message}")
    for name, before in expected["before"].items():
        kept = name not in expected["after"] and name not in expected["empty"]
        if kept and difference(before, arrays[name], rtol=0, atol=0) is not None:
            return Difference("changed input", f"it changed {name}, which it has only to read")
    return None


def _sectors_difference(expected, counts, most):
    moved, lines = _total(counts, "global")
    times = {name: 1 + (name in expected["after"] and name not in expected["empty"]) for name in expected["before"]}
    ideal = sum(times[name] * math.ceil(array.nbytes / _SECTOR) for name, array in expected["before"].items())
    if moved <= most * ideal:
        return None
    return Difference(
        "too many sectors",
        f"it moves {moved:,} sectors of {_SECTOR} bytes, {moved / ideal:.3g} times the {ideal:,} that hold the arrays; "
        f"at most {most:g} times is asked. {lines}",
    )


def _bank_difference(counts, most):
    passes, lines = _total(counts, "shared")
    ideal = sum(int(line["ideal"]) for line in counts if line["space"] == "shared")
    if passes <= most * ideal:
        return None
    return Difference(
        "bank conflicts",
        f"it makes {passes:,} passes over the banks of shared memory, {passes / ideal:.3g} times the {ideal:,} without conflicts; "
        f"at most {most:g} times is asked. {lines}",
    )


def _total(counts, space):
    """The transfers of one memory, and where most of those are that need not be."""
    lines = [line for line in counts if line["space"] == space]
    total = sum(int(line["transfers"]) for line in lines)
    if not lines:
        return total, ""
    worst = max(lines, key=lambda line: (int(line["transfers"]) - int(line["ideal"]), int(line["transfers"])))
    moved, ideal = int(worst["transfers"]), int(worst["ideal"])
    where = f"Look at line {int(worst['line'])}, `{_clipped(worst['code'], 120)}`: {moved:,} there"
    if moved > ideal:
        return total, f"{where}, where {ideal:,} would do."
    return (
        total,
        f"{where}. Each request alone moves no more than it must, but there are too many: let all lanes of a warp work, on "
        "neighbors, and ask for each element once.",
    )


def _alike(first, second, rtol, atol):
    """Whether two trials show the same mistake."""
    if first["faults"] or second["faults"]:
        return _traits(first) == _traits(second)
    return difference(first["outputs"], second["outputs"], rtol=rtol, atol=atol) is None and all(
        math.isclose(_total(first["counts"], space)[0], _total(second["counts"], space)[0], rel_tol=_NEAR)
        for space in ("global", "shared")
    )


def _traits(trial):
    """What two kernels with the same mistake have in common, whatever their lines."""
    counted = ("out of bounds", "misaligned", "not written", "uninitialized")
    said = ("compile error", "refused", "launch")
    return {
        (
            fault["kind"],
            fault["argument"],
            fault["count"] * (fault["kind"] in counted),
            fault["message"] * (fault["kind"] in said),
        )
        for fault in trial["faults"]
    }


def counts_of(source, kernel, case):
    """Count what a launch of a kernel moves.

    Parameters
    ----------
    source, kernel : str
        The source, and the kernel's name.
    case : Launch
        The sizes and arguments.

    Returns
    -------
    dict of str to int
        ``"sectors"`` of global memory, all together, and those ``"sectors read"`` and ``"sectors written"`` (atomics are neither);
        ``"bank passes"`` over the banks of shared memory; ``"bytes"`` that the sectors hold.
    """
    from mlcourse.gpu import Kernel

    launch = case.kwargs
    profile = Kernel(source, kernel).profile[launch["grid"], launch["block"], launch["smem"]](
        *launch["arguments"].values()
    )
    sectors = {
        what: sum(line.transfers for line in profile.lines if (line.space, line.operation) == ("global", what))
        for what in ("load", "store")
    }
    return {
        "sectors": profile.sectors, "sectors read": sectors["load"], "sectors written": sectors["store"],
        "bank passes": profile.bank_passes, "bytes": profile.bytes_moved,
    }  # fmt: skip


def prediction_exercise(*, name, questions, counts, tolerance=0.0, **card):
    """An exercise whose answer is a dict of numbers that the learner predicts, before the executor counts them.

    Parameters
    ----------
    name : str
        The variable that holds the dict.
    questions : dict of str to str
        For each key of the dict, what the number is, as the learner reads it.
    counts : callable
        ``counts()`` returns the numbers, a dict with the same keys, computed by the executor: see `counts_of`.
    tolerance : float
        How far a prediction may be from the count, as a part of it.
    **card
        What every `Exercise` has; wrong answers are dicts.

    Returns
    -------
    Exercise
        One case for each number. A wrong one is not told how far it is away.
    """
    counts = functools.cache(counts)
    return Exercise(
        name=name, cases=functools.partial(_cases_of_dict, questions), oracle=lambda question: counts()[question], answer="value",
        use=_use_dict, compare=functools.partial(_prediction_difference, tolerance), ready=ready, rtol=tolerance, **card,
    )  # fmt: skip


def _cases_of_dict(questions, rng):
    for question, label in questions.items():
        yield Case(label, question=question)


def _use_dict(answer, question):
    if answer is ... or answer is None or isinstance(answer, str):
        raise NotImplementedError("there is no dict yet")
    if not isinstance(answer, dict):
        raise TypeError(f"the answer is a dict with the key {question!r}, in braces")
    if answer.get(question, ...) is ...:
        raise NotImplementedError(f"there is no answer for {question!r} yet")
    return answer[question]


def _prediction_difference(tolerance, expected, got):
    if isinstance(got, bool) or not isinstance(got, (int, float)):
        got = got.item() if hasattr(got, "item") and getattr(got, "size", 0) == 1 else None
    if got is None:
        return Difference("wrong type", "expected a number")
    if abs(got - expected) <= tolerance * abs(expected):
        return None
    within = f", within {tolerance:.0%}" if tolerance else ""
    return Difference("wrong value", f"{describe(got)} is not what the executor counts{within}")


def hunt_exercise(*, name, kernels, **card):
    """An exercise whose answer is a dict that says what is wrong with given kernels: kind and line of the fault, or None.

    Parameters
    ----------
    name : str
        The variable that holds the dict, such as ``{"a": ("race", 7), "b": None}``.
    kernels : dict of str to (str, str, Launch)
        Source, name and launch of each kernel. The executor finds the faults.
    **card
        What every `Exercise` has; wrong answers are dicts.

    Returns
    -------
    Exercise
        One case for each kernel.
    """
    faults = functools.cache(functools.partial(_faults_of, kernels))
    return Exercise(
        name=name, cases=functools.partial(_cases_of_dict, {key: f"kernel {key}" for key in kernels}),
        oracle=faults, answer="value", use=_use_dict, compare=_hunt_difference, ready=ready, **card,
    )  # fmt: skip


def _faults_of(kernels, question):
    from mlcourse.gpu.trial import trial

    source, kernel, case = kernels[question]
    found = trial(source, kernel, **case.kwargs)["faults"]
    return [(fault["kind"], [line for line in (fault["line"], fault["other_line"]) if line]) for fault in found]


def _hunt_difference(expected, got):
    if got is None or not expected:
        right = got is None and not expected
        return (
            None if right else Difference("wrong value", f"the executor finds {'a' if expected else 'no'} fault in it")
        )
    pair = sorted(got, key=lambda part: isinstance(part, int)) if isinstance(got, (tuple, list)) else []
    if len(pair) != 2 or not isinstance(pair[0], str) or not isinstance(pair[1], int):
        return Difference("wrong type", f'expected a pair such as ("race", 7), or None; got {describe(got)}')
    kind, line = " ".join(pair[0].lower().replace("-", " ").split()), pair[1]
    if kind not in KERNEL_FAULTS:
        return Difference(
            "wrong type", f"there is no fault named {describe(kind)}; the names are {', '.join(KERNEL_FAULTS[3:])}"
        )
    if any(kind == found and line in lines for found, lines in expected):
        return None
    if any(kind == found for found, _ in expected):
        return Difference("wrong value", f"there is such a fault in it, but not in line {line}")
    return Difference("wrong value", f"the executor finds no fault in it that is called {kind!r}")


def launch_exercise(*, name, source, kernel, cases, oracle, most_threads=2.0, rtol=1e-5, atol=1e-6, **card):
    """An exercise whose answer is a function that chooses the sizes of a launch: ``name(n)`` returns ``(grid, block)``.

    Parameters
    ----------
    name : str
        The learner's function. It is called with the numbers among a case's arguments, by name.
    source, kernel : str
        The kernel that is launched with these sizes.
    cases : callable
        ``cases(rng)`` yields cases made by ``launch(label, None, None, …)``.
    oracle : callable
        As in `kernel_exercise`.
    most_threads : float
        How many threads may be started: so many times the elements of the largest array, and 1024 more.
    rtol, atol : float
        Tolerances for the arrays.
    **card
        What every `Exercise` has; wrong answers are functions.

    Returns
    -------
    Exercise
    """
    compare = functools.partial(_sizes_difference, source, kernel, most_threads, rtol, atol)
    return Exercise(
        name=name, cases=cases, oracle=functools.partial(_expected, oracle), use=_use_sizes, compare=compare, ready=ready,
        rtol=rtol, atol=atol, **card,
    )  # fmt: skip


def _use_sizes(answer, arguments, **launch):
    return answer(**{name: value for name, value in arguments.items() if not getattr(value, "shape", ())})


def _sizes_difference(source, kernel, most_threads, rtol, atol, expected, got):
    from mlcourse.gpu.trial import trial

    if not isinstance(got, (tuple, list)) or not 2 <= len(got) <= 3:
        return Difference(
            "wrong type", f"expected (grid, block), or (grid, block, bytes of shared memory); got {describe(got)}"
        )
    sizes = [size if isinstance(size, (tuple, list)) else [size] for size in got[:2]]
    if any(isinstance(n, bool) or not isinstance(n, Integral) for n in (*sizes[0], *sizes[1], *got[2:])):
        return Difference("wrong type", f"expected whole numbers; got {describe(got)} (divide with //)")
    threads, elements = (
        math.prod(sizes[0]) * math.prod(sizes[1]),
        max(array.size for array in expected["before"].values()),
    )
    if threads > most_threads * elements + 1024:
        return Difference(
            "launch",
            f"it starts {threads:,} threads for {elements:,} elements; at most {most_threads:g} times as many are asked",
        )
    found = trial(
        source,
        kernel,
        tuple(sizes[0]),
        tuple(sizes[1]),
        *got[2:],
        arguments=expected["arguments"],
        empty=expected["empty"],
        scratch=expected["scratch"],
    )
    return _judge(expected, found, rtol=rtol, atol=atol)


__all__ = [
    "counts_of",
    "empty",
    "hunt_exercise",
    "kernel_exercise",
    "launch",
    "launch_exercise",
    "prediction_exercise",
    "scratch",
]
