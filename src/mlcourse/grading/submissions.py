"""Find and read what students handed in: folders, zips from a learning platform, single files. Nothing in them is trusted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_BYTES = 20 << 20
MAX_CELLS = 2000
MAX_FILES = 50_000
_MOODLE = re.compile(r"^(?P<student>.+?)_\d+_assignsubmission_\w+?_?$")
_CANVAS = re.compile(r"^(?P<student>[^_]+)(_LATE)?_\d+_\d+_(?P<file>.+)$")


class NotebookError(Exception):
    """A file that cannot be marked; the message says why and what to do."""


@dataclass(frozen=True)
class Submission:
    """One file that a student handed in; `problem` says why it cannot even be opened."""

    student: str
    file_name: str
    data: bytes = b""
    problem: str = ""

    @property
    def digest(self):
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Notebook:
    """What the grader needs of a notebook: its code cells, and what its metadata say about itself."""

    cells: tuple[str, ...]
    about: dict


def find_submissions(source):
    """Read every notebook that was handed in.

    Parameters
    ----------
    source : Path
        A folder of ``<student>/<notebook>.ipynb``, a flat folder of notebooks, a zip of either (as Moodle and
        Canvas make them), or one file.

    Returns
    -------
    list of Submission
        In the order of students' names. A file that cannot be read is among them, with its problem.

    Raises
    ------
    NotebookError
        If there is nothing to grade.
    """
    source = Path(source)
    if source.is_dir():
        found = list(_from_folder(source))
    elif source.suffix == ".zip" and source.is_file():
        found = list(_from_zip(source))
    elif source.is_file():
        found = [Submission(source.stem, source.name, *_read_file(source))]
    else:
        raise NotebookError(
            f"there is no file or folder {source}; give the folder of submissions, a zip, or one notebook"
        )
    if not found:
        raise NotebookError(
            f"{source} holds no notebooks; a submission is <student>/<notebook>.ipynb or <student>.ipynb"
        )
    return sorted(found, key=lambda submission: (submission.student, submission.file_name))


def read_notebook(data):
    """Read a notebook of any format that Jupyter has used since 2014, however it was saved.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    Notebook

    Raises
    ------
    NotebookError
        If it is no notebook; the message says what it is.
    """
    if not data.strip():
        raise NotebookError("the file is empty; save the notebook and hand it in again")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotebookError("it is not a Jupyter notebook: the file is not text in UTF-8") from None
    except ValueError as error:
        raise NotebookError(
            f"it is not a Jupyter notebook: {error}; download it again or restore a saved copy"
        ) from None
    except RecursionError:
        raise NotebookError("it is not a Jupyter notebook: it is nested too deeply") from None
    if not isinstance(content, dict):
        raise NotebookError("it is not a Jupyter notebook: it has no cells")
    cells = content.get("cells")
    if cells is None and isinstance(content.get("worksheets"), list):
        sheets = [sheet.get("cells") for sheet in content["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(cells, list):
        raise NotebookError(
            "it is not a Jupyter notebook: it has no cells; open it in JupyterLab, save it, and try again"
        )
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"it has {len(cells)} cells; the limit is {MAX_CELLS}")
    metadata = content.get("metadata")
    about = metadata.get("mlcourse") if isinstance(metadata, dict) else None
    sources = (_code_of(cell) for cell in cells)
    return Notebook(tuple(source for source in sources if source.strip()), about if isinstance(about, dict) else {})


def exercise_set_of(notebook, file_name, known):
    """Say which exercise set a notebook belongs to: by its metadata, else by its name.

    Raises
    ------
    NotebookError
        If it belongs to none of `known`.
    """
    declared = notebook.about.get("exercises")
    if isinstance(declared, str) and declared in known:
        return declared
    chapter = notebook.about.get("chapter")
    if isinstance(chapter, str) and chapter in known:
        raise NotebookError(f"it is the chapter itself; its exercises are in exercises/{chapter}.ipynb")
    name = file_name.lower().replace("\\", "/")
    by_path = [key for key in known if name.removesuffix(".ipynb").endswith(key)]
    stem = PurePosixPath(name).stem
    matches = by_path or [
        key for key in known if re.search(rf"(^|[^a-z]){re.escape(key.split('/')[1])}([^a-z]|$)", stem)
    ]
    if len(matches) == 1:
        return matches[0]
    raise NotebookError(f"it belongs to no exercise set of this course; the sets are {', '.join(known)}")


def _code_of(cell):
    """The source of a code cell; nothing for other cells, and for those that the course itself wrote."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    if isinstance(tags, list) and ("setup" in tags or "check" in tags):
        return ""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""


def _from_folder(folder):
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith((".", "__MACOSX")):
            continue
        if entry.is_dir(follow_symlinks=False):
            student = _student_of_folder(entry.name)
            paths = sorted(path for path in _walk(Path(entry.path)) if path.suffix == ".ipynb")
            for path in paths:
                yield Submission(student, path.name, *_read_file(path))
            if not paths:
                yield Submission(
                    student, "", problem="no notebook was handed in: there is no .ipynb file in the folder"
                )
        elif entry.name.endswith(".ipynb"):
            student, name = _student_of_file(entry.name)
            yield Submission(student, name, *_read_file(Path(entry.path)))


def _walk(folder):
    """Every file below a folder, without following links and without what Jupyter keeps for itself."""
    for root, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / name for name in files)


def _read_file(path):
    """Return (data, problem): links, pipes and oversized files are not read."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        return b"", "it is a link to another file" if path.is_symlink() else f"it cannot be opened: {error.strerror}"
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b"", "it is not a regular file"
        if status.st_size > MAX_BYTES:
            return b"", f"it has {status.st_size >> 20} MB; the limit is {MAX_BYTES >> 20} MB"
        return file.read(MAX_BYTES + 1)[:MAX_BYTES], ""


def _from_zip(path):
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise NotebookError(f"{path} is not a zip file: {error}") from None
    with archive:
        entries = archive.infolist()
        if len(entries) > MAX_FILES:
            raise NotebookError(f"{path} has {len(entries)} files; the limit is {MAX_FILES}")
        for entry in entries:
            parts = PurePosixPath(entry.filename).parts
            if (
                entry.is_dir()
                or not entry.filename.endswith(".ipynb")
                or any(p.startswith((".", "__MACOSX")) for p in parts)
            ):
                continue
            student, name = _student_of_file(parts[-1])
            if len(parts) > 1:
                student = _student_of_folder(parts[-2])
            yield Submission(student, name, *_read_entry(archive, entry))


def _read_entry(archive, entry):
    if stat.S_ISLNK(entry.external_attr >> 16):
        return b"", "it is a link to another file"
    try:
        with archive.open(entry) as file:
            data = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        return b"", f"it cannot be taken out of the zip: {error}"
    return (b"", f"it has more than {MAX_BYTES >> 20} MB") if len(data) > MAX_BYTES else (data, "")


def _student_of_folder(name):
    match = _MOODLE.match(name)
    return match["student"] if match else name


def _student_of_file(name):
    match = _CANVAS.match(name)
    return (match["student"], match["file"]) if match else (name.removesuffix(".ipynb"), name)
