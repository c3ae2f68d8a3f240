"""Renew the locks: the newest versions within the ranges of pyproject.toml, for every Python and system at once.

requirements.lock is what everybody installs. The packages that only PyTorch's GPU build needs are left out of it: that build brings
exactly the ones it was made with. requirements-gpu.lock is what the extra `gpu` adds, in the versions that go with that build.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADERS = {
    "requirements.lock": """\
# Every package with its exact version, for Python 3.11 to 3.13 on Linux, macOS and Windows.
# Renewed by `make lock` (tools/lock.py) from pyproject.toml; do not edit by hand.
""",
    "requirements-gpu.lock": """\
# What the extra `gpu` adds to requirements.lock: NVIDIA's compiler and launcher. It installs without a GPU.
# Renewed by `make lock` (tools/lock.py) from pyproject.toml; do not edit by hand.
""",
}
UV = [sys.executable, "-m", "uv", "pip", "compile", "--quiet"]
OPTIONS = ["--universal", "--fork-strategy=fewest", "--python-version=3.11", "--no-annotate", "--no-header"]
OF_THE_GPU = ("cuda", "nvidia", "triton")


def main():
    everything = compiled("--all-extras", "--upgrade")
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(everything, encoding="utf-8")
        with_gpu = compiled("--extra=gpu", f"--constraint={constraints}")
    write("requirements.lock", [line for line in everything.splitlines() if not line.startswith(OF_THE_GPU)])
    write("requirements-gpu.lock", [line for line in with_gpu.splitlines() if line.startswith(OF_THE_GPU)])


def compiled(*options):
    done = subprocess.run(
        [*UV, *OPTIONS, *options, "pyproject.toml"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def write(name, lines):
    (ROOT / name).write_text(HEADERS[name] + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {len(lines)} packages pinned")


if __name__ == "__main__":
    main()
