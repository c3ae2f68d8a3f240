"""Renew requirements.lock: the newest versions within the ranges of pyproject.toml, for every Python and system at once.

The packages that only PyTorch's GPU build needs are left out: that build brings exactly the ones it was made with.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Every package with its exact version, for Python 3.11 to 3.13 on Linux, macOS and Windows.
# Renewed by `make lock` (tools/lock.py) from pyproject.toml; do not edit by hand.
"""
UV = [sys.executable, "-m", "uv", "pip", "compile", "--quiet"]
OPTIONS = [
    "--universal",
    "--fork-strategy=fewest",
    "--python-version=3.11",
    "--all-extras",
    "--no-annotate",
    "--no-header",
    "--upgrade",
]
OF_THE_GPU_BUILD = ("cuda", "nvidia", "triton")


def main():
    compiled = subprocess.run(
        [*UV, *OPTIONS, "pyproject.toml"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    lines = [line for line in compiled.splitlines() if not line.startswith(OF_THE_GPU_BUILD)]
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} packages pinned")


if __name__ == "__main__":
    main()
