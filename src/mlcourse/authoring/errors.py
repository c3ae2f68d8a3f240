"""The one error that authors see: where, what, and what to do."""

from __future__ import annotations

from pathlib import Path


class SourceError(Exception):
    """A fault in a source of the course.

    Parameters
    ----------
    path : Path
        The file.
    line : int
        Its line, from 1.
    message : str
        What is wrong.
    fix : str
        What to do about it.
    """

    def __init__(self, path, line, message, fix):
        path = Path(path)
        shown = path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
        super().__init__(f"{shown}:{line}: {message}\n  fix: {fix}")
        self.path, self.line, self.message, self.fix = path, line, message, fix
