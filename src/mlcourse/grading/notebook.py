"""Mark a whole exercise notebook, on the machine and with the trust of the person who wrote it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from mlcourse.grading.engine import LocalRunner, Result, run
from mlcourse.grading.report import REMAINS

_MAGIC = re.compile(r"^\s*[%!]|\?\s*$")


class NotebookError(Exception):
    """A file that cannot be marked; the message says why and what to do."""


@dataclass(frozen=True)
class NotebookReport:
    """The marks of one notebook: an exercise's `Result`, or None where its function is missing."""

    key: str
    exercises: tuple
    results: dict[str, Result | None]
    problems: tuple[str, ...]

    @property
    def points(self):
        return sum(result.points for result in self.results.values() if result is not None)

    @property
    def passed(self):
        return all(result is not None and result.passed for result in self.results.values())

    def __str__(self):
        lines = [f"{self.key}: {self.points:g} of {sum(e.points for e in self.exercises)} points"]
        for number, exercise in enumerate(self.exercises, 1):
            result = self.results[exercise.name]
            mark = "✓" if result is not None and result.passed else "✗"
            earned = result.points if result is not None else 0
            lines.append(f"  {mark} {number:>2}. {exercise.title}: {earned:g} of {exercise.points}")
            lines += [f"         {text}" for text in _why(exercise, result)]
        lines += [f"  note: {problem}" for problem in self.problems]
        return "\n".join([*lines, REMAINS])


def check_notebook(path):
    """Run the code cells of an exercise notebook in order and check every exercise of its set.

    The code runs in this process: use it for your own notebook. A cell that fails does not stop the others.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    NotebookReport

    Raises
    ------
    NotebookError
        If the file is missing, is not a notebook, or belongs to no exercise set.
    """
    from mlcourse.exercises import exercise_set

    path = Path(path)
    notebook = _read(path)
    key = _exercise_set_of(notebook, path)
    exercises = exercise_set(key)
    names, problems = _execute(notebook["cells"])
    results = {}
    for exercise in exercises:
        function = names.get(exercise.name)
        results[exercise.name] = run(exercise, LocalRunner(function)) if callable(function) else None
    return NotebookReport(key, exercises, results, tuple(problems))


def _read(path):
    if not path.is_file():
        raise NotebookError(
            f"there is no file {path}; give the path of an exercise notebook, such as exercises/math/vectors.ipynb"
        )
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise NotebookError(
            f"{path} is not a Jupyter notebook: {error}; download it again or restore a saved copy"
        ) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise NotebookError(
            f"{path} has no cells that Jupyter 4 or later wrote; open it in JupyterLab, save it, and try again"
        )
    return notebook


def _exercise_set_of(notebook, path):
    from mlcourse.exercises import exercise_sets

    known = exercise_sets()
    metadata = notebook.get("metadata")
    about = metadata.get("mlcourse") if isinstance(metadata, dict) else None
    about = about if isinstance(about, dict) else {}
    if about.get("exercises") in known:
        return about["exercises"]
    if about.get("chapter") in known:
        chapter = about["chapter"]
        raise NotebookError(f"{path} is the chapter itself; its exercises are in exercises/{chapter}.ipynb")
    by_path = "/".join(path.resolve().with_suffix("").parts[-2:])
    if by_path in known:
        return by_path
    raise NotebookError(f"{path} belongs to no exercise set of this course; the sets are {', '.join(known)}")


def _execute(cells):
    """Run the code cells; return the names they define and what went wrong."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    names, problems = {"__name__": "__main__"}, []
    for number, cell in enumerate(cells, 1):
        source = _code_of(cell)
        if not source:
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, f"<cell {number}>", "exec"), names)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            problems.append(f"cell {number} raised {type(error).__name__}: {' '.join(str(error).split())}")
    return names, problems


def _code_of(cell):
    """The Python of a code cell, without lines for Jupyter; nothing for cells that the course wrote."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    metadata = cell.get("metadata")
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else []
    source = cell.get("source", "")
    source = "".join(map(str, source)) if isinstance(source, list) else str(source)
    if "setup" in tags or "check" in tags or source.startswith("%%"):
        return ""
    return "\n".join("" if _MAGIC.search(line) else line for line in source.splitlines())


def _why(exercise, result):
    if result is None:
        return [f"there is no function named {exercise.name} in the notebook"]
    if result.passed:
        return []
    if not result.started:
        return ["not started"]
    return [result.diagnosis]
