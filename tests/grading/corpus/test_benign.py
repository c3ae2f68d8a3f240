"""Unusual but honest submissions: each gets the marks that its functions deserve."""

import pytest

from tests.grading.corpus.harness import (
    AREA,
    BOTH,
    GOOD,
    IMPORT,
    NEITHER,
    ONLY_AREA,
    ONLY_UNIT,
    UNIT,
    assert_fair,
    bad_unit,
    code,
    good_unit,
    needs_sandbox,
    notebook,
)

INDENTED = "\n".join("    " + line for line in UNIT.splitlines())
DRAFT = "def unit_vector(x):\n    return x"
HELPER = "def length_of(x):\n    return np.sqrt(x @ x)"
WITH_HELPER = UNIT.replace("np.sqrt(x @ x)", "length_of(x)")
AREA_BY_TWO = AREA.replace("/ 2", "/ TWO")
OF_THE_SET = {"mlcourse": {"exercises": "math/vectors"}}
TAGGED = {"metadata": {"tags": ["check", "setup"]}}

CELLS = {
    "as it should be": (GOOD, BOTH),
    # order
    "reversed cells": (GOOD[::-1], BOTH),
    "import comes last": ([UNIT, AREA, IMPORT], BOTH),
    "a helper comes after its use": ([IMPORT, WITH_HELPER, AREA, HELPER], BOTH),
    "everything in one cell": (["\n\n".join(GOOD)], BOTH),
    "defined twice, the last one counts": ([IMPORT, DRAFT, UNIT, AREA], BOTH),
    "a draft that fails stands before the answer": ([IMPORT, DRAFT + "\n1 / 0", UNIT, AREA], BOTH),
    "a draft after a failure does not replace the answer": ([IMPORT, UNIT, "1 / 0\n" + DRAFT, AREA], BOTH),
    "the answer is replaced by a wrong one": ([IMPORT, UNIT, AREA, DRAFT], ONLY_AREA),
    "the answer is deleted": ([IMPORT, UNIT, AREA, "del unit_vector"], ONLY_AREA),
    "400 cells": ([*GOOD, *(f"x{i} = {i}" for i in range(400))], BOTH),
    # failures beside the answer
    "a cell fails between": ([IMPORT, "1 / 0", UNIT, "undefined_name", AREA], BOTH),
    "a cell fails after the definition": ([IMPORT, UNIT + "\n1 / 0", AREA], BOTH),
    "a cell fails before the definition": ([IMPORT, "1 / 0\n" + UNIT, AREA], BOTH),
    "a failing assert, then a constant": ([IMPORT, "assert False\nEND = 2", UNIT, AREA.replace("/ 2", "/ END")], BOTH),
    "raise, then the definition": ([IMPORT, "raise RuntimeError('stop')\n" + UNIT, AREA], BOTH),
    "sys.exit in a cell": ([IMPORT, "import sys; sys.exit(0)", UNIT, AREA], BOTH),
    "input in the cell of the definition": ([IMPORT, "name = input('Your name? ')\n" + UNIT, AREA], BOTH),
    "a module that is not installed": ([IMPORT, "from google.colab import drive\ndrive.mount('/content')\n" + UNIT, AREA], BOTH),
    "a syntax error in one cell": ([IMPORT, "def unit_vector(x:\n    return", AREA], ONLY_AREA),
    "a syntax error beside it": ([IMPORT, "for i in", UNIT, AREA], BOTH),
    # Jupyter's own language
    "magics and shell": ([IMPORT, "%matplotlib inline\n!ls\n?np\nnp.dot?", "%%bash\nrm -rf /", UNIT, AREA], BOTH),
    "a definition under %%time": ([IMPORT, "%%time\n" + UNIT, "%%capture out\n" + AREA], BOTH),
    "a definition beside magics": (
        [IMPORT, "%load_ext autoreload\nfiles = !ls\nif files:\n    %pip list\n%timeit 1 + 1\n" + UNIT, AREA], BOTH),
    "a question in a docstring beside a magic": (
        [IMPORT, '%matplotlib inline\ndef question():\n    """Is it right?\n    !"""\n    return 1', UNIT, AREA], BOTH),
    "a value from %time": ([IMPORT, "%time TWO = 2\n!pip install \\\n   numpy", UNIT, AREA_BY_TWO], BOTH),
    "%%writefile and import": ([IMPORT, "%%writefile mine.py\nimport numpy as np\n" + UNIT, "from mine import unit_vector", AREA], BOTH),
    "cells in other languages": ([*GOOD, "%%html\n<b>x</b>", "%%R\nx <- 1", "%%javascript\nalert(1)"], BOTH),
    "Jupyter's shell object": ([IMPORT, "get_ipython().run_line_magic('matplotlib', 'inline')\nTWO = 2", UNIT, AREA_BY_TWO], BOTH),
    "the whole cell is indented": ([IMPORT, INDENTED, AREA], BOTH),
    "await in a cell": ([IMPORT, "import asyncio\nTWO = await asyncio.sleep(0, 2)", UNIT, AREA_BY_TWO], BOTH),
    "annotations of names that do not exist": (
        ["from __future__ import annotations", IMPORT, UNIT.replace("(x)", "(x: Vector) -> Vector"), AREA], BOTH),
    # calls of the course
    "calls check and hint": ([*GOOD, "from mlcourse.exercises import check, hint\ncheck(unit_vector)\nhint(unit_vector)"], BOTH),
    "uses the result of check": ([IMPORT, UNIT + "\nresult = check(unit_vector)\nassert result.passed\n" + AREA], BOTH),
    "names of the course are taken": ([*GOOD, "check = 3\nhint = None\nprint = exec = eval = open = None"], BOTH),
    "the answer stands in a check cell": ([IMPORT, code(UNIT + "\ncheck(unit_vector)", **TAGGED), AREA], BOTH),
    "check cells edited, doubled and deleted": ([*GOOD, code("check(unit_vector, points=99)", **TAGGED), "check(3)"], BOTH),
    "calls the course's own function": (
        bad_unit("from mlcourse.math.vectors import length\nif not x.any(): raise ValueError\nreturn x / length(x)"), ONLY_AREA),
    # ways to define a function
    "a lambda": ([IMPORT, UNIT, "triangle_area_3d = lambda a, b, c: float(np.linalg.norm(np.cross(b - a, c - a)) / 2)"], BOTH),
    "partial": (
        [IMPORT, UNIT.replace("unit_vector(x)", "scaled(x, unused)"),
         "from functools import partial\nunit_vector = partial(scaled, unused=1)", AREA], BOTH),
    "a decorator": (
        [IMPORT, "import functools\ndef logged(f):\n    @functools.wraps(f)\n    def g(*a): print(a); return f(*a)\n    return g",
         "@logged\n" + UNIT, AREA], BOTH),
    "a static method": ([IMPORT, "class A:\n    @staticmethod\n" + INDENTED + "\nunit_vector = A.unit_vector", AREA], BOTH),
    "a closure": ([IMPORT, "def make():\n" + INDENTED + "\n    return unit_vector\nunit_vector = make()", AREA], BOTH),
    "exec": ([IMPORT, f"exec({UNIT!r})", AREA], BOTH),
    "under if __name__": ([IMPORT, "if __name__ == '__main__':\n" + INDENTED, AREA], BOTH),
    "an object with __call__": ([IMPORT, UNIT + "\nclass U:\n    def __call__(self, x): return f(x)\n"
        "f, unit_vector = unit_vector, U()", AREA], BOTH),
    "types, defaults and walrus": (
        [IMPORT, UNIT.replace("(x)", "(x: np.ndarray, *, eps: float = 0.0) -> np.ndarray", 1).replace("if length", "if "
            "(size := length)"),
         AREA], BOTH),
    "an identifier that Python normalizes": ([IMPORT, UNIT.replace("unit_vector", "ｕnit_vector"), AREA], BOTH),
    "star import and tabs": ([IMPORT + "\nfrom numpy import *", UNIT.replace("    ", "\t"), "\f" + AREA], BOTH),
    "a line of 100,000 characters": ([*GOOD, "x = '" + "y" * 100_000 + "'"], BOTH),
    "only comments": ([*GOOD, "# nothing", "", "   \n"], BOTH),
    "a dataclass, pickle and the source": (
        [*GOOD, "import inspect, pickle\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
         "assert pickle.loads(pickle.dumps(P(3))).x == 3\nassert 'return' in inspect.getsource(unit_vector)\ndel np", IMPORT], BOTH),
    "an async function is no function": ([IMPORT, "async " + UNIT, AREA], ONLY_AREA),
    "a generator is no result": (bad_unit("yield x"), ONLY_AREA),
    "a renamed function": ([IMPORT, UNIT.replace("unit_vector", "unit_vektor"), AREA], ONLY_AREA),
    "another signature": ([IMPORT, UNIT.replace("(x)", "(x, y)", 1), AREA], ONLY_AREA),
    "starter code untouched": ([IMPORT, "def unit_vector(x):\n    raise NotImplementedError('not written yet')", AREA], ONLY_AREA),
    "name is no function": ([IMPORT, "unit_vector = 3", AREA], ONLY_AREA),
    "a class with __call__": ([IMPORT, "class U:\n    def __call__(self, x):\n        return None\nunit_vector = U()", AREA], ONLY_AREA),
    "nothing but prose": ([], NEITHER),
    # state of the process
    "warnings become errors": ([IMPORT, "import warnings\nwarnings.simplefilter('error')\nnp.seterr(all='raise')", UNIT, AREA], BOTH),
    "other ways to show numbers": (
        [IMPORT, "import decimal, locale, sys\nnp.set_printoptions(precision=1)\ndecimal.getcontext().prec = 2\n"
         "sys.set_int_max_str_digits(640)", UNIT, AREA], BOTH),
    "a figure": ([*GOOD, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"], BOTH),
    "prints a lot": (good_unit("import sys\nprint('x' * 10**6)\nsys.stderr.write('y' * 10**6)\ndisplay(x)"), BOTH),
    "deletes its imports": ([*GOOD, "import sys\nsys.path.clear()"], BOTH),
    "other folder, other random state": ([*GOOD, "import os, random\nos.chdir('/tmp')\nrandom.seed(1)\nnp.random.seed(1)"], BOTH),
    "threads that end": ([IMPORT, UNIT, "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()", AREA], BOTH),
    "a mutable default": ([IMPORT, UNIT.replace("(x)", "(x, seen=[])", 1).replace("    return", "    seen.append(x)\n"
        "    return"), AREA], BOTH),
}  # fmt: skip

WHOLE = {
    "sources as lists": (notebook([code(c.splitlines(keepends=True)) for c in GOOD]), BOTH),
    "CRLF in the cells": (notebook([c.replace("\n", "\r\n") for c in GOOD]), BOTH),
    "CR in the cells": (notebook([c.replace("\n", "\r") for c in GOOD]), BOTH),
    "BOM": (b"\xef\xbb\xbf" + notebook(GOOD), BOTH),
    "BOM in a cell": (notebook(["\ufeff" + c for c in GOOD]), BOTH),
    "UTF-16": (notebook(GOOD).decode().encode("utf-16"), BOTH),
    "nbformat 3": (notebook([], cells=None, nbformat=3, worksheets=[
        {"cells": [{"cell_type": "code", "language": "python", "input": c, "outputs": []} for c in GOOD]}]), BOTH),
    "nbformat 3 on two sheets": (notebook([], cells=None, nbformat=3, worksheets=[
        {"cells": [{"cell_type": "code", "input": c.splitlines(keepends=True)}]} for c in GOOD]), BOTH),
    "nbformat 5.9": (notebook(GOOD, nbformat=5, nbformat_minor=9), BOTH),
    "nbformat of a wrong type": (notebook(GOOD, nbformat="four", nbformat_minor=None), BOTH),
    "no metadata": (notebook(GOOD, metadata=None), BOTH),
    "metadata of wrong types": (notebook(GOOD, metadata=[3]), BOTH),
    "a kernel for R": (notebook(GOOD, metadata={"kernelspec": {"name": "ir", "argv": ["rm", "-rf", "/"]}, **OF_THE_SET}), BOTH),
    "as Colab saves it": (notebook(GOOD, metadata={"colab": {"provenance": []}, "accelerator": "GPU", **OF_THE_SET}), BOTH),
    "as VS Code saves it": (notebook([code(c, metadata={"vscode": {"languageId": "python"}}, id="a") for c in GOOD]), BOTH),
    "widgets": (notebook(GOOD, metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}}}), BOTH),
    "cells of odd types": (notebook([3, None, [], {}, {"cell_type": 7}, code(None), code({}), code(["x", 3]), code(5), *GOOD]), BOTH),
    "metadata of cells of odd types": (
        notebook([code(c, metadata=m, outputs=3) for c, m in zip(GOOD, (None, 3, {"tags": "check"}), strict=True)]), BOTH),
    "large outputs": (notebook([code(c, outputs=[{"text": "x" * 2_000_000}]) for c in GOOD]), BOTH),
    "the answer as Markdown": (
        notebook([IMPORT, {"cell_type": "markdown", "source": UNIT}, {"cell_type": "raw", "source": UNIT}, AREA]), ONLY_AREA),
    "3,000 empty cells": (notebook([*GOOD, *[""] * 3000]), BOTH),
    "duplicate keys": (notebook(GOOD).replace(b'{"nbformat"', b'{"cells": 3, "nbformat"', 1), BOTH),
    "NaN in the file": (notebook(GOOD, score=float("nan")), BOTH),
    "one of two": (notebook([IMPORT, UNIT]), ONLY_UNIT),
}  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("name", CELLS)
def test_cells(name, tmp_path, monkeypatch):
    assert_fair(*CELLS[name], tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", WHOLE)
def test_whole_notebooks(name, tmp_path, monkeypatch):
    assert_fair(*WHOLE[name], tmp_path, monkeypatch)
