"""Whether anything has changed since the last build: if nothing has, the site stays as it is, and that is known in a second."""

from __future__ import annotations

import hashlib

_KEPT = "_build/built.txt"
_READ = (
    "book",
    "solutions",
    "notebooks",
    "exercises",
    "src/mlcourse",
    "benchmarks/results",
    "*.yml",
    "*.toml",
    "*.lock",
    "package*.json",
)
_PASSING = {"__pycache__", ".ipynb_checkpoints"}


def is_up_to_date(root, stamp):
    """Return whether all that a build reads, and all that the last one wrote, is as it was when that one ended.

    Parameters
    ----------
    root : Path
        The course's folder.
    stamp : str
        What each page's footer says of its version.

    Returns
    -------
    bool
    """
    kept = root / _KEPT
    return kept.exists() and kept.read_text(encoding="utf-8") == _fingerprint(root, stamp)


def remember(root, stamp):
    """Keep the fingerprint of a build that has just ended without a fault.

    Parameters
    ----------
    root : Path
    stamp : str
    """
    (root / _KEPT).write_text(_fingerprint(root, stamp), encoding="utf-8")


def _fingerprint(root, stamp):
    """Hash what a build reads by its content, which a checkout keeps, and what it wrote by size and time, for that is much."""
    read = [file for pattern in _READ for path in root.glob(pattern) for file in _files(path)]
    parts = [stamp.encode()]
    parts += [b"%s %s" % (str(path.relative_to(root)).encode(), _digest(path)) for path in sorted(read)]
    for path in sorted(_files(root / "_build/html")):
        now = path.stat()
        parts.append(f"{path.relative_to(root)} {now.st_size} {now.st_mtime_ns}".encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest().encode()


def _files(path):
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.is_file() and not _PASSING.intersection(file.parts)]
