"""What several benchmarks need to say where, when and with what they were measured, and to write it down."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/results"


def processor():
    """The name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def version_of(name):
    """The version of a distribution, or of the one that brings a module of this name; None without it."""
    for distribution in (name, *packages_distributions().get(name, ())):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return None


def table(header, rows):
    """A table in Markdown.

    Parameters
    ----------
    header : sequence of str
        The first column is aligned left, and so are those whose name ends in a colon, which is left out; the others right.
    rows : sequence of sequence of str
        The cells.

    >>> print(table(["work", "by:", "ms"], [["sum", "torch", "1.0"]]))
    | work | by | ms |
    |:---|:---|---:|
    | sum | torch | 1.0 |
    """
    left = [number == 0 or name.endswith(":") for number, name in enumerate(header)]
    lines = [[name.removesuffix(":") for name in header], *rows]
    lines = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([lines[0], f"|{''.join(':---|' if one else '---:|' for one in left)}", *lines[1:]])


def write(results, markdown, folder, name):
    """Write results as JSON and as Markdown; return the path without its ending."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.with_name(f"{name}.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    path.with_name(f"{name}.md").write_text(markdown, encoding="utf-8")
    return path


def say(text):
    """Tell the person at the terminal, not whoever reads the output."""
    print(text, file=sys.stderr, flush=True)
