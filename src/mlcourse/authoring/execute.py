"""Execute chapters in parallel and keep their outputs, before the site is built from them."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import NbCacheRecord
from jupyter_cache.executors.utils import single_nb_execution
from tqdm import tqdm

from mlcourse.authoring.code_used import PackageCode
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import read_notebook

CACHE = "_build/.jupyter_cache"
"""Where Jupyter Book looks for outputs."""

_QUIET = ["--IPKernelApp.log_level=ERROR"]  # a kernel warns about its own connection, which stays on this machine
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
"""What kernels must find set, whatever the shell has set."""

KEY = "code_used"
"""Where the key of `key_of` stands in the data of a kept notebook."""


def execute(course):
    """Execute the chapters whose code has changed since their outputs were kept.

    Outputs are kept for the code of the chapter's cells, the files of the package that this code uses, and the lock; if it
    computes with the text of the book, or shows what was recorded on GPUs, also for that.

    Returns
    -------
    list of str
        The chapters that were executed.

    Raises
    ------
    SourceError
        For the first cell that fails, with its line.
    """
    cache, package = get_cache(str(course.root / CACHE)), PackageCode(course.root)
    checked, code = _Checked(course.root, cache), package.key_of_all(repr(ENVIRONMENT))
    waiting = []
    for chapter in course.chapters:
        if checked.holds(chapter, code):
            continue
        notebook, cells = read_notebook(chapter.path)
        key = key_of(package, cells)
        if record := _kept(cache, notebook, key):
            checked.add(chapter, code, record)
        else:
            waiting.append((chapter, notebook, key))
    if not waiting:
        checked.write()
        return []
    timeout = course.config["execute"]["timeout"]
    workers = min(len(waiting), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, initializer=os.environ.update, initargs=(ENVIRONMENT,)) as pool:
        futures = [pool.submit(_run, chapter.path, notebook, timeout) for chapter, notebook, _ in waiting]
        for (chapter, _, key), future in zip(tqdm(waiting, desc="executing", unit="chapter"), futures, strict=True):
            notebook, seconds, error = future.result()
            if error:
                raise _cell_error(chapter.path, notebook, error)
            bundle = CacheBundleIn(notebook, str(chapter.path), data={"execution_seconds": seconds, KEY: key})
            checked.add(chapter, code, cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True))
    checked.write()
    return [chapter.slug for chapter, *_ in waiting]


def key_of(package, cells):
    """Hash all that the outputs of these cells depend on besides the cells."""
    code = [cell.source for cell in cells if cell.kind == "code"]
    return package.key(code, repr(ENVIRONMENT), *_texts_read_by("\n".join(code), package.root))


def _texts_read_by(source, root):
    """Return the texts of all chapters if this source asks for them, and what was recorded on GPUs if it shows that."""
    paths = sorted(root.glob("book/[a-z]*/*.md")) if "load_book_text" in source else []
    if "device_figures" in source or "device_ceilings" in source:
        paths += sorted(root.glob("benchmarks/results/gpu-*.json"))
    return [path.read_text(encoding="utf-8") for path in paths]


def _kept(cache, notebook, key):
    """Return the record of kept outputs; those of other code are dropped, or Jupyter Book would take them for these."""
    with suppress(KeyError):
        record = cache.match_cache_notebook(notebook)
        if record.data.get(KEY) == key:
            return record
        cache.remove_cache(record.pk)
    return None


class _Checked:
    """Which chapters had their outputs when last looked, so that a chapter is not parsed again while nothing at all has changed."""

    def __init__(self, root, cache):
        self._root, self._path, self._cache = root, root / CACHE / "checked.json", cache
        self._known = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}

    def holds(self, chapter, code):
        known = self._known.get(chapter.slug)
        if known is None or known["state"] != self._state(chapter, code):
            return False
        with suppress(KeyError):
            return NbCacheRecord.record_from_hashkey(known["record"], self._cache.db).data.get(KEY) == known["key"]
        return False

    def add(self, chapter, code, record):
        self._known[chapter.slug] = {
            "state": self._state(chapter, code),
            "record": record.hashkey,
            "key": record.data[KEY],
        }

    def write(self):
        self._path.write_text(json.dumps(self._known), encoding="utf-8")

    def _state(self, chapter, code):
        source = chapter.path.read_text(encoding="utf-8")
        return hashlib.sha256("\0".join([code, source, *_texts_read_by(source, self._root)]).encode()).hexdigest()


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
