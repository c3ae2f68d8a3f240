"""Run every notebook on the newest versions of what it needs, which the lock holds back, and name the versions.

    .venv/bin/python tools/newest.py

What fails here will fail for a reader who installs the course next week. The environment is made anew in `_build/newest`.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build/newest"
NEEDED = [f"{ROOT}[cluster,torch]", "anywidget", "nbval", "pytest-xdist"]
RUN = [
    "-m",
    "pytest",
    "--nbval-lax",
    "-o",
    "addopts=",
    "-p",
    "no:cacheprovider",
    "--numprocesses=2",
    "--dist=loadfile",
    "-q",
]


def locked():
    """The versions of the lock, by plain names."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {plain(name): version for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", text)}


def plain(name):
    """One spelling for each package.

    >>> plain("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def differences(installed, lock):
    """Say of each installed package whose version is not the locked one what both are.

    >>> differences({"numpy": "2.5.0", "scipy": "1.17.1", "torch": "2.13.0+cpu"}, {"numpy": "2.4.6", "scipy": "1.17.1", "torch": "2.13.0"})
    ['numpy 2.5.0 (the lock has 2.4.6)']
    """
    return [
        f"{name} {version} (the lock has {lock[name]})"
        for name, version in sorted(installed.items())
        if name in lock and version.split("+")[0] != lock[name]
    ]


def install():
    """Make the environment and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
    python = FOLDER / ("Scripts/python.exe" if platform.system() == "Windows" else "bin/python")
    if platform.system() == "Linux" and shutil.which("nvidia-smi") is None:
        # Outside the course's folder: what pyproject.toml tells uv holds PyTorch back. If this fails, pip takes a build below.
        uv = [sys.executable, "-m", "uv", "pip", "install", "--no-config", "--quiet", "--python", python]
        subprocess.run([*uv, "--torch-backend=cpu", "torch"], cwd=Path(FOLDER.anchor), stderr=subprocess.DEVNULL)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True)
    return python


def main():
    python = install()
    pip = [python, "-m", "pip", "list", "--format=json"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=True)
    installed = {plain(package["name"]): package["version"] for package in json.loads(listed.stdout)}
    newer = differences(installed, locked())
    print("\n".join(["not as locked:", *newer]) if newer else "all versions are as locked", flush=True)
    return subprocess.run([python, *RUN, "notebooks", "exercises"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
