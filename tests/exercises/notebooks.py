"""Functions out of the solved and the derived exercise notebooks, as a student or an author has them."""

from functools import cache
from pathlib import Path

import nbformat

from mlcourse.authoring.exercises import solved_cells

ROOT = Path(__file__).parents[2]


@cache
def solution_functions(key):
    """Run the solved notebook's code cells; return its names."""
    return _namespace(solved_cells(ROOT / "solutions" / f"{key}.md"), key)


@cache
def starter_functions(key):
    """Run the derived notebook's code cells, the checks left out; return its names."""
    notebook = nbformat.read(ROOT / "exercises" / f"{key}.ipynb", as_version=4)
    cells = [
        c.source
        for c in notebook.cells
        if c.cell_type == "code" and not {"setup", "check"} & set(c.metadata.get("tags", []))
    ]
    return _namespace(cells, key)


def _namespace(cells, key):
    names = {"__name__": key}
    for number, source in enumerate(cells):
        exec(compile(source, f"<{key}, cell {number}>", "exec"), names)
    return names
