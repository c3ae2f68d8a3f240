"""Execute chapters in parallel and keep their outputs, before the site is built from them."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from tqdm import tqdm

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import read_notebook

CACHE = "_build/.jupyter_cache"
"""Where Jupyter Book looks for outputs."""

_QUIET = ["--IPKernelApp.log_level=ERROR"]  # a kernel warns about its own connection, which stays on this machine
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
"""What kernels must find set, whatever the shell has set."""

_NOT_SHOWN_IN_CHAPTERS = ("authoring", "cli.py", "explorables", "grading")


def execute(course):
    """Execute the chapters whose code has changed since their outputs were kept.

    Outputs are kept for the code of the chapter's cells; they are all dropped when the package or the lock changes. Those of
    chapters that compute with the text of the book are dropped when any chapter changes.

    Returns
    -------
    list of str
        The chapters that were executed.

    Raises
    ------
    SourceError
        For the first cell that fails, with its line.
    """
    cache = get_cache(str(course.root / CACHE))
    _drop_outputs_of_other_code(course.root, cache)
    text_changed = _has_text_changed(course)
    waiting = []
    for chapter in course.chapters:
        notebook, _ = read_notebook(chapter.path)
        cached = None
        with suppress(KeyError):
            cached = cache.match_cache_notebook(notebook)
        if text_changed and _reads_the_book(notebook):
            cached = None
        if cached is None:
            waiting.append((chapter, notebook))
    if not waiting:
        return []
    timeout = course.config["execute"]["timeout"]
    workers = min(len(waiting), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, initializer=os.environ.update, initargs=(ENVIRONMENT,)) as pool:
        futures = [pool.submit(_run, chapter.path, notebook, timeout) for chapter, notebook in waiting]
        for (chapter, _), future in zip(tqdm(waiting, desc="executing", unit="chapter"), futures, strict=True):
            notebook, seconds, error = future.result()
            if error:
                raise _cell_error(chapter.path, notebook, error)
            bundle = CacheBundleIn(notebook, str(chapter.path), data={"execution_seconds": seconds})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return [chapter.slug for chapter, _ in waiting]


def _run(path, notebook, timeout):
    """Execute one notebook in its folder; errors travel back as text."""
    result = single_nb_execution(
        notebook, cwd=str(path.parent), timeout=timeout, allow_errors=False, extra_arguments=_QUIET
    )
    return result.nb, result.time, str(result.err) if result.err is not None else ""


def _cell_error(path, notebook, error):
    """Find the failing cell and its line."""
    _, cells = read_notebook(path)
    for cell, executed in zip(cells, notebook.cells, strict=True):
        for output in executed.get("outputs", []):
            if output.output_type == "error":
                problem = f"this cell raises {output.ename}: {output.evalue}"
                return SourceError(
                    path, cell.line, problem, "mend the cell; open the chapter with `make lab` to try it"
                )
    return SourceError(
        path, 1, f"the chapter cannot be executed: {error.strip()}", "open it with `make lab` and run all cells"
    )


def _drop_outputs_of_other_code(root, cache):
    stamp = root / CACHE / "code.sha256"
    now = package_hash(root)
    if stamp.exists() and stamp.read_text() != now:
        for record in cache.list_cache_records():
            cache.remove_cache(record.pk)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(now)


def _has_text_changed(course):
    """Tell whether any chapter was edited since this was asked last."""
    stamp = course.root / CACHE / "text.sha256"
    now = hashlib.sha256(b"\0".join(chapter.path.read_bytes() for chapter in course.chapters)).hexdigest()
    changed = not stamp.exists() or stamp.read_text() != now
    stamp.write_text(now)
    return changed


def _reads_the_book(notebook):
    return any("load_book_text" in cell.source for cell in notebook.cells if cell.cell_type == "code")


def package_hash(root):
    """Hash the code that chapters can execute: the package without its tools, and the lock."""
    package = Path(root) / "src/mlcourse"
    files = [p for p in package.rglob("*.py") if p.relative_to(package).parts[0] not in _NOT_SHOWN_IN_CHAPTERS]
    digest = hashlib.sha256()
    for path in [*sorted(files), Path(root) / "requirements.lock"]:
        digest.update(path.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
