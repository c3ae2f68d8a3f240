"""What an exercise needs to run: read from its code, declared nowhere.

Python itself runs in a reader's browser, by Pyodide, and so do the packages that Pyodide brings along. The rest (PyTorch, a compiler)
does not, and the exercise's page says so.
"""

from __future__ import annotations

import ast
import dis
import importlib.util
import inspect
import sys
import types
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlcourse.authoring.code_used import modules_below

ELSEWHERE = {
    "matplotlib": "figures",
    "seaborn": "figures",
    "subprocess": "another program",
    "multiprocessing": "several processes",
}
"""What may be imported in a browser, or nearly, and yet does not work there as an exercise needs it."""


@dataclass(frozen=True)
class Needs:
    """What an exercise needs beyond Python.

    Parameters
    ----------
    packages : tuple of str
        The packages that Pyodide has to load, those that they depend on among them.
    elsewhere : tuple of str
        Why it does not run in a browser; empty if it does.
    """

    packages: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


def needs_of(exercise, cells, available):
    """Say what the check of an exercise, and the code around its answer, import.

    Parameters
    ----------
    exercise : Exercise
    cells : sequence of str
        The code that runs with the answer: the notebook's imports, the answer as it is handed out, a solution.
    available : dict
        The packages of `pyodide-lock.json`.

    Returns
    -------
    Needs
    """
    names = set().union(*(_imports(ast.parse(cell)) for cell in cells))
    if exercise.cases is not None and exercise.draws_with == "numpy":
        names.add("numpy")
    functions = [exercise.cases, exercise.oracle, exercise.compare, exercise.use, exercise.ready]
    functions += [mistake.answer for mistake in exercise.mistakes]
    seen = set()
    for function in filter(callable, functions):
        module = {function.__module__} if _is_module(function.__module__) else set()
        names |= module | _imports_of_object(function, seen)
    needs = _classify(_outside(names), available)
    if not any(module.startswith("mlcourse.gpu") for module in course_modules(names, inside=False)):
        return needs
    return Needs(needs.packages, tuple(sorted({*needs.elsewhere, "a C++ compiler"} - {ELSEWHERE["subprocess"]})))


def course_modules(names, inside=True):
    """Return the modules of this package that are imported wherever `names` are, themselves included.

    Parameters
    ----------
    names : iterable of str
    inside : bool
        Whether imports inside functions count.
    """
    found, waiting = set(), {name for name in names if _is_module(name)}
    while waiting:
        module = waiting.pop()
        found.add(module)
        imported = {name for name in _imports_of_module(module, inside) if _is_module(name)}
        waiting |= {*imported, module.rpartition(".")[0]} - {*found, ""}
    return found


def _classify(names, available):
    """Split names of modules into packages of Pyodide and reasons to run elsewhere."""
    by_import = {module: package for package, entry in available.items() for module in entry["imports"]}
    outside = {name for name in names if name in ELSEWHERE or name not in sys.stdlib_module_names}
    elsewhere = {ELSEWHERE.get(name, name) for name in outside if name in ELSEWHERE or name not in by_import}
    packages, waiting = set(), {by_import[name] for name in outside if name not in ELSEWHERE and name in by_import}
    while waiting:
        package = waiting.pop()
        packages.add(package)
        waiting |= {name.replace("_", "-") for name in available[package]["depends"]} - packages
    return Needs(tuple(sorted(packages)), tuple(sorted(elsewhere)))


def _outside(names):
    """The top-level modules outside this package that `names` bring in, also through it."""
    modules = course_modules(names, inside=False)
    brought = set().union(names, *(_imports_of_module(module, inside=False) for module in modules))
    return {name.split(".")[0] for name in brought} - {"mlcourse"}


def _imports_of_object(value, seen):
    """What a function or class of this package imports in its body, and in the functions that it names."""
    value = inspect.unwrap(value) if callable(value) else value
    module = getattr(value, "__module__", None) or ""
    engine = module.startswith("mlcourse.grading") and module != "mlcourse.grading.kernels"
    if id(value) in seen or not module.startswith("mlcourse.") or engine:
        return set()
    seen.add(id(value))
    if isinstance(value, type):
        return set().union(*(_imports_of_object(part, seen) for part in list(vars(value).values())))
    if not isinstance(value, types.FunctionType):
        return set()
    names = set()
    for code in _codes(value.__code__):
        names |= _imports_of_code(code)
        for name in code.co_names:
            names |= _imports_of_object(value.__globals__.get(name), seen)
    for cell in value.__closure__ or ():
        names |= _imports_of_object(cell.cell_contents, seen)
    return names


def _codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _imports_of_code(code):
    """The modules that a function imports; looking for the files of one (`find_spec`) counts too."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname == "IMPORT_NAME"}
    if "find_spec" in code.co_names:
        texts = {text for text in code.co_consts if isinstance(text, str) and text.isidentifier()}
        names |= {text for text in texts if importlib.util.find_spec(text)}
    return names


def _imports(tree, inside=True):
    """The modules that a syntax tree imports, `from a import b` as both a and a.b; with or without those inside functions."""
    names, waiting = set(), [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif inside or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting.extend(ast.iter_child_nodes(node))
    return names


@cache
def _imports_of_module(module, inside):
    return _imports(ast.parse(module_files()[module].read_text(encoding="utf-8")), inside)


def _is_module(name):
    return name in module_files()


@cache
def module_files():
    """Return the files of this package by the names of their modules."""
    return modules_below(Path(__file__).resolve().parents[1])
