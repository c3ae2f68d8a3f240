"""Environments of other programs, made once and kept in _build: nbgrader and otter-grader need packages of their own."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NBGRADER = ("nbgrader==0.9.6",)
OTTER = ("otter-grader==7.0.0", "ipykernel")


def python_of(name):
    """Return the path of an environment's Python, whether it exists or not."""
    folder = ROOT / "_build" / f"{name}-env"
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def variables_of(python):
    """Return the variables of an activated environment; what Python compiles is kept, as it is for everybody."""
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PATH": path}


def environment(name, packages, locked=True):
    """Make an environment with these packages and the course, or take the one that is there.

    Parameters
    ----------
    name : str
        Its folder is _build/<name>-env.
    packages : sequence of str
        Requirements.
    locked : bool
        Take the versions of requirements.lock for what is in it; not every program gets on with them.

    Returns
    -------
    Path
        Its Python.

    Raises
    ------
    RuntimeError
        If it cannot be made; the message is that of uv.
    """
    python = python_of(name)
    made_of = [sys.version, str(ROOT), *packages, (ROOT / "pyproject.toml").read_text(encoding="utf-8")]
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()
    ready = python.parents[1] / "made-of"
    if not ready.exists() or ready.read_text() != digest:
        _uv("venv", "--clear", "--python", sys.executable, python.parents[1])
        lock = ["--constraints", ROOT / "requirements.lock"] if locked else []
        _uv("pip", "install", "--python", python, *lock, "--editable", ROOT, *packages)
        ready.write_text(digest)
    return python


def _uv(*arguments):
    done = subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"uv {' '.join(map(str, arguments[:2]))} failed: {done.stderr.strip()[-2000:]}")
