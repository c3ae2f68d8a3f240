"""Find and read what students handed in: folders, zips from a learning platform, single files. Nothing in them is trusted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import zipfile
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath

from mlcourse.grading.codec import CodecError, parse

MAX_BYTES = 20 << 20
MAX_CELLS = 2000
MAX_FILES = 50_000
MAX_DEPTH = 20
MAX_SIGNS = 2_000_000
_MOODLE = re.compile(r"^(?P<student>.+?)_\d+_assignsubmission_\w+?_?$")
_NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)  # some browsers add an ending
_CHECK = re.compile(r"\s*(check|hint|progress)\(|\s*$")
_CANVAS = re.compile(r"^(?P<student>[^_]+)(_LATE)?_\d+_\d+_(?P<file>.+)$")


class NotebookError(Exception):
    """A file that cannot be marked; the message says why and what to do."""


@dataclass(frozen=True)
class Submission:
    """One file that a student handed in; `problem` says why it cannot even be opened.

    Where `path` is given the data are still there, in a file or in an entry of a zip, and `read` gets them.
    """

    student: str
    file_name: str
    data: bytes = b""
    problem: str = ""
    path: Path | None = None
    entry: int | None = None

    def read(self):
        """Return this submission with its data, or with the reason why they cannot be read."""
        if self.path is None:
            return self
        data, problem = _read_file(self.path) if self.entry is None else _read_entry(self.path, self.entry)
        return replace(self, data=data, problem=problem, path=None, entry=None)

    @property
    def digest(self):
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Notebook:
    """What the grader needs of a notebook: its code cells, and what its metadata say about itself."""

    cells: tuple[str, ...]
    about: dict


def find_submissions(source, read=True):
    """Find every notebook that was handed in.

    Parameters
    ----------
    source : Path
        A folder of ``<student>/<notebook>.ipynb``, a flat folder of notebooks, a zip of either (as Moodle and
        Canvas make them), or one file.
    read : bool
        Whether to read them all into memory; if not, `Submission.read` reads one.

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
        found = [Submission(source.stem, source.name, path=source)]
    else:
        raise NotebookError(
            f"there is no file or folder {source}; give the folder of submissions, a zip, or one notebook"
        )
    if not found:
        raise NotebookError(
            f"{source} holds no notebooks; a submission is <student>/<notebook>.ipynb or <student>.ipynb"
        )
    found.sort(key=lambda submission: (submission.student, submission.file_name))
    return [submission.read() for submission in found] if read else found


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
        content = parse(data.decode(json.detect_encoding(data)).encode(), MAX_SIGNS)
    except UnicodeError:
        raise NotebookError("it is not a Jupyter notebook: the file is not text in UTF-8") from None
    except CodecError as error:
        raise NotebookError(f"{error}; clear its outputs in JupyterLab, save it, and hand it in again") from None
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
    sources = tuple(source for source in map(_code_of, cells) if source.strip())
    if len(sources) > MAX_CELLS:
        raise NotebookError(f"it has {len(sources)} cells with code; the limit is {MAX_CELLS}")
    metadata = content.get("metadata")
    about = metadata.get("mlcourse") if isinstance(metadata, dict) else None
    return Notebook(sources, about if isinstance(about, dict) else {})


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
    name = _NOTEBOOK.sub("", file_name.lower().replace("\\", "/"))
    by_path = [key for key in known if name.endswith(key)]
    stem = PurePosixPath(name).name
    matches = by_path or [
        key for key in known if re.search(rf"(^|[^a-z]){re.escape(key.split('/')[1])}([^a-z]|$)", stem)
    ]
    if len(matches) == 1:
        return matches[0]
    raise NotebookError(f"it belongs to no exercise set of this course; the sets are {', '.join(known)}")


def _code_of(cell):
    """The source of a code cell; nothing for other cells, and for those that the course wrote and nobody put an answer in."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str) or _is_of_the_course(cell.get("metadata"), source):
        return ""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _is_of_the_course(metadata, source):
    """Whether the course wrote a cell: it has a tag of the course's, and what the course puts into such cells."""
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    if not isinstance(tags, list):
        return False
    if "check" in tags and all(_CHECK.match(line) for line in source.splitlines()):
        return True
    return "setup" in tags and "mlcourse.setup()" in source


def _from_folder(folder):
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith((".", "__MACOSX")):
            continue
        if entry.is_symlink() and entry.is_dir():
            yield Submission(_student_of_folder(entry.name), "", problem="the folder is a link to another place")
        elif entry.is_dir(follow_symlinks=False):
            student = _student_of_folder(entry.name)
            paths = sorted(path for path in _walk(Path(entry.path)) if _NOTEBOOK.search(path.name))
            for path in paths:
                yield Submission(student, path.name, path=path)
            if not paths:
                yield Submission(
                    student, "", problem="no notebook was handed in: there is no .ipynb file in the folder"
                )
        elif _NOTEBOOK.search(entry.name):
            student, name = _student_of_file(entry.name)
            yield Submission(student, name, path=Path(entry.path))


def _walk(folder):
    """The files below a folder, without following links and without what Jupyter keeps for itself."""
    waiting, found = [(folder, 0)], 0
    while waiting and found < MAX_FILES:
        current, depth = waiting.pop()
        try:
            entries = list(islice(os.scandir(current), MAX_FILES))
        except OSError:
            continue
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                found += 1
                yield Path(entry.path)
            elif depth < MAX_DEPTH and not entry.name.startswith("."):
                waiting.append((entry.path, depth + 1))


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
        entries = _open_zip(path, path.stat().st_mtime_ns).infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise NotebookError(f"{path} is not a zip file: {error}") from None
    if len(entries) > MAX_FILES:
        raise NotebookError(f"{path} has {len(entries)} files; the limit is {MAX_FILES}")
    found = [(number, _parts(entry)) for number, entry in enumerate(entries)]
    found = [(number, parts) for number, parts in found if parts]
    top = _depth_of_students([parts for _, parts in found])
    for number, parts in found:
        student, name = _student_of_file(parts[-1])
        if len(parts) > 1:
            student = _student_of_folder(parts[top])
        yield Submission(student, name, path=path, entry=number)


def _parts(entry):
    """The folders and the name of a notebook in a zip, made on whatever system; nothing for other entries."""
    parts = tuple(part for part in entry.filename.replace("\\", "/").split("/") if part)
    if (
        entry.is_dir()
        or not parts
        or not _NOTEBOOK.search(parts[-1])
        or any(p.startswith((".", "__MACOSX")) for p in parts)
    ):
        return ()
    return parts


def _depth_of_students(paths):
    """Where a path names the student: in its first folder, or in the second if a whole folder of students was zipped.

    It is never the folder nearest to the notebook, for that name is the student's own choice.
    """
    tops = {path[0] for path in paths}
    whole = len(tops) == 1 and all(len(path) > 2 for path in paths) and len({path[1] for path in paths}) > 1
    return int(whole and not _MOODLE.match(next(iter(tops))))


@lru_cache(maxsize=1)
def _open_zip(path, changed):
    """Open a zip, once in a process: its list of entries is long. `changed` is the time of its last change."""
    return zipfile.ZipFile(path)


def _read_entry(path, number):
    try:
        archive = _open_zip(path, path.stat().st_mtime_ns)
        entry = archive.infolist()[number]
        if stat.S_ISLNK(entry.external_attr >> 16):
            return b"", "it is a link to another file"
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return b"", "it is compressed in an unusual way; pack it again"
        with archive.open(entry) as file:
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # each kind of compression has exceptions of its own
        return b"", f"it cannot be taken out of the zip: {error}"
    return (b"", f"it has more than {MAX_BYTES >> 20} MB") if len(data) > MAX_BYTES else (data, "")


def _student_of_folder(name):
    match = _MOODLE.match(name)
    return match["student"] if match else name


def _student_of_file(name):
    match = _CANVAS.match(name)
    return (match["student"], match["file"]) if match else (_NOTEBOOK.sub("", name), name)
