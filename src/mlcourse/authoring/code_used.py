"""Which files of the package a chapter's code uses, found by reading and not by running it.

A module counts as soon as it is imported anywhere, also inside a function that may never be called: to execute a chapter once too often
costs seconds, to keep an output of other code would be wrong.
"""

from __future__ import annotations

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from mlcourse.authoring.errors import SourceError

PACKAGE = "mlcourse"
_UNKNOWN = {"exec", "eval", "__import__"}
_UNKNOWN_OF_A_MODULE = {
    "import_module",
    "iter_modules",
    "run_module",
    "run_path",
    "spec_from_file_location",
    "walk_packages",
}
_DOTTED = re.compile(rf"\b{PACKAGE}(?:\.\w+)*")


class _UnknownCode(Exception):
    """Code that decides while it runs what it imports."""


class PackageCode:
    """The source files of the package.

    Parameters
    ----------
    root : Path
        The course's folder, with `src/mlcourse`.
    """

    def __init__(self, root):
        self.root = Path(root)
        self._folder = self.root / "src" / PACKAGE
        self._paths = modules_below(self._folder)
        self._imports = cache(self._imports_of)
        self._digest = cache(lambda path: hashlib.sha256(path.read_bytes()).hexdigest())

    def files_used(self, cells):
        """Return the files that running these cells may read, or all if the cells decide only then.

        Data files count for every module of their folder.

        Parameters
        ----------
        cells : sequence of str
            Code, with the magics of IPython allowed.

        Returns
        -------
        list of Path
        """
        try:
            modules = self._closure(_tree("\n".join(TransformerManager().transform_cell(cell) for cell in cells)))
        except (SyntaxError, _UnknownCode):
            return _files_below(self._folder)
        folders = {self._paths[name].parent for name in modules}
        data = [path for folder in folders for path in _data_of(folder)]
        return sorted({self._paths[name] for name in modules}.union(data))

    def key(self, cells, *more):
        """Hash the code that these cells use, the lock, and whatever else their outputs depend on.

        Parameters
        ----------
        cells : sequence of str
        *more : str

        Returns
        -------
        str
            It changes when an output could.
        """
        return self._key(self.files_used(cells), more)

    def key_of_all(self, *more):
        """Hash all code that any chapter could use, the lock, and whatever else outputs depend on."""
        return self._key(_files_below(self._folder), more)

    def _key(self, used, more):
        files = [*used, self.root / "requirements.lock"]
        lines = [f"{path.relative_to(self.root).as_posix()} {self._digest(path)}" for path in files]
        return hashlib.sha256("\n".join([*lines, *more]).encode()).hexdigest()

    def _closure(self, tree):
        used, waiting = set(), self._modules_named(tree, PACKAGE)
        while waiting:
            name = waiting.pop()
            if name not in used:
                used.add(name)
                waiting |= self._imports(name)
        return used

    def _imports_of(self, name):
        path = self._paths[name]
        try:
            tree = _tree(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise SourceError(path, error.lineno or 1, f"not valid Python: {error.msg}", "mend the line") from None
        return self._modules_named(tree, name if path.name == "__init__.py" else name.rpartition(".")[0])

    def _modules_named(self, tree, package):
        """The modules of the package that a tree imports, or names in a string, as code for another process does."""
        found = set()
        for node in ast.walk(tree):
            _refuse_unknown(node)
            if isinstance(node, ast.Import):
                found |= self._with_parents(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = package.rsplit(".", node.level - 1)[0] if node.level else ""
                source = ".".join(filter(None, [start, node.module]))
                found |= self._with_parents(f"{source}.{alias.name}" for alias in node.names)
                if node.names[0].name == "*":
                    found |= {name for name in self._paths if name.startswith(f"{source}.")}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and PACKAGE in node.value:
                found |= self._with_parents(_DOTTED.findall(node.value)) | self._named_in_code(node.value, package)
        return found

    def _named_in_code(self, text, package):
        try:
            return self._modules_named(_tree(text), package)
        except SyntaxError:
            return set()

    def _with_parents(self, names):
        """Importing a module runs the packages that it lies in; the end of a name may be a function."""
        found = set()
        for name in names:
            parts = name.split(".")
            found |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)} & self._paths.keys()
        return found


def modules_below(folder):
    """Return the files of a package by the names of their modules, without importing any of it.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict of str to Path
    """
    names = {path: path.relative_to(folder.parent).with_suffix("").parts for path in sorted(folder.rglob("*.py"))}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in names.items()}


def _tree(code):
    """Parse code and take out the strings that stand alone, such as docstrings: they name modules that nobody imports."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            node.body = [statement for statement in node.body if not _is_string(statement)]
    return tree


def _is_string(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _refuse_unknown(node):
    called = isinstance(node, ast.Name) and node.id in _UNKNOWN
    fetched = isinstance(node, ast.Attribute) and (node.attr in _UNKNOWN_OF_A_MODULE or _is_magic(node))
    imported = isinstance(node, ast.ImportFrom) and _UNKNOWN_OF_A_MODULE & {alias.name for alias in node.names}
    if called or fetched or imported:
        raise _UnknownCode


def _is_magic(node):
    """`%timeit f(x)` is `get_ipython().run_line_magic(…)` to Python, with the code in a string."""
    return isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "get_ipython"


def _data_of(folder):
    """The files beside a module, and those in folders that hold no modules of their own."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not any(path.rglob("*.py")):
            yield from _files_below(path)
        elif path.is_file() and path.suffix != ".py":
            yield path


def _files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
