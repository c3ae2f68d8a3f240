"""Install what the lock pins, and this repository, into the environment whose Python runs this.

It does what `pip install -r requirements.lock -e .` does, except on Linux without an NVIDIA GPU: there the plain build of
PyTorch brings gigabytes of CUDA libraries that nothing could use, so its CPU build is installed first.
"""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"


def pip(*arguments):
    return subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]).returncode


def locked(name):
    return re.search(rf"^{name}==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)[1]


def has_torch():
    probe = "from importlib.metadata import version; print(version('torch').split('+')[0])"
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    return found.stdout.strip() == locked("torch")


def install_cpu_torch():
    """Take the CPU build from where pip is told to look; if it is not there, from PyTorch's own index, which uv knows."""
    version = locked("torch")
    if pip("install", "--quiet", f"torch=={version}+cpu") == 0:
        return 0
    print("pip has no CPU build at hand; asking uv for PyTorch's own", flush=True)
    if pip("install", "--quiet", f"uv=={locked('uv')}") != 0:
        return 1
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, "--torch-backend=cpu"]
    return subprocess.run([*uv, f"torch=={version}"]).returncode


def main():
    wants_cpu_build = platform.system() == "Linux" and shutil.which("nvidia-smi") is None
    if wants_cpu_build and not has_torch() and install_cpu_torch() != 0:
        return "The CPU build of PyTorch could not be installed; the messages above say why."
    if pip("install", "--quiet", "--requirement", str(LOCK)) != 0:
        return "The packages of requirements.lock could not be installed; the messages above say why."
    if pip("install", "--quiet", "--no-deps", "--editable", str(ROOT)) != 0:
        return "The course's own package could not be installed; the messages above say why."
    return 0


if __name__ == "__main__":
    sys.exit(main())
