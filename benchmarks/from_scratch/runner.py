"""Time the same work done by several libraries, so that the ratios mean something on a busy machine.

A case is a name, sizes and, for each library, a function that builds the work for a size. Every library works in a process of its own,
with one thread; the processes take turns (A B C A B C …), so that whatever else the machine does falls on all of them alike; processor
seconds are counted, and the median of the rounds is taken.
"""

import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks import report
from benchmarks.report import ROOT, processor, version_of

MODULES = ("neural", "language", "classical")
OURS = "mlcourse"
ONE_THREAD = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
    ),
    "TOKENIZERS_PARALLELISM": "false",
}
SHORTEST = 0.05  # seconds; shorter work is repeated within a round


@dataclass(frozen=True)
class Case:
    """One kind of work, done by several libraries.

    Attributes
    ----------
    name : str
        What is measured, such as "MLP epoch".
    sizes : dict of str to dict
        Label of a size and the keyword arguments that the builders get for it, smallest first.
    build : dict of str to callable
        For each library a function of a size that prepares the work and returns it as a function without arguments. Preparing is
        not timed. What the work returns (a number, or None) shows that the libraries did the same. A builder
        that raises ImportError is skipped, with a note. ``"mlcourse"`` must be among them.
    reference : str
        The library that ours is divided by.
    target : float
        The largest ratio allowed at the largest size.
    """

    name: str
    sizes: dict[str, dict]
    build: dict[str, Callable]
    reference: str
    target: float


def load_cases(names=()):
    """Return the cases whose module is named, or whose own name contains one of the names; all of them without names."""
    found = []
    for module in MODULES:
        if not (Path(__file__).parent / f"{module}.py").exists():
            continue
        cases = importlib.import_module(f"{__package__}.{module}").CASES
        found += [
            (module, case)
            for case in cases
            if not names or module in names or any(name.lower() in case.name.lower() for name in names)
        ]
    return found


def measure(module, case, size, rounds):
    """Return what each library needs for one size: ``{library: {"seconds": …, "result": …} or {"skipped": why}}``."""
    workers = {library: Worker(module, case.name, size, library) for library in case.build}
    seconds = {library: [] for library in workers}
    try:
        for worker in workers.values():
            worker.prepare()
        for _ in range(rounds):
            for library, worker in workers.items():
                if worker.note is None:
                    seconds[library].append(worker.run())
    finally:
        for worker in workers.values():
            worker.stop()
    return {
        library: {"skipped": worker.note}
        if worker.note
        else {
            "seconds": statistics.median(seconds[library]),
            "least": min(seconds[library]),
            "most": max(seconds[library]),
            "result": worker.result,
        }
        for library, worker in workers.items()
    }


class Worker:
    """A process that does the work of one library whenever it is told to."""

    def __init__(self, module, case, size, library):
        command = [sys.executable, "-W", "ignore", "-m", __package__ + ".worker", module, case, size, library]
        environment = {**os.environ, **ONE_THREAD}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.note = self.result = None

    def prepare(self):
        """Let the worker build the work and do it once, which is not counted."""
        answer = self._ask("prepare")
        self.note, self.result = answer.get("skipped"), answer.get("result")

    def run(self):
        """Return the processor seconds of doing the work once."""
        return self._ask("run")["seconds"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker {' '.join(self.process.args[2:])} ended; its own message is above")
        return json.loads(answer)


def rows_of(module, case, rounds, smallest, say):
    """Measure a case at its sizes, or at the smallest alone; return one row for each size."""
    rows = []
    for size in list(case.sizes)[: 1 if smallest else None]:
        measured = measure(module, case, size, rounds)
        ours, reference = (measured[library].get("seconds") for library in (OURS, case.reference))
        ratio = ours / reference if ours and reference else None
        row = {"case": case.name, "size": size, "reference": case.reference, "libraries": measured, "ratio": ratio}
        largest = size == list(case.sizes)[-1]
        rows.append(row | {"target": case.target if largest else None})
        say(f"{case.name}, {size}: {_ratio(ratio)} × {case.reference}")
    return rows


def about(cases, arguments):
    """Everything that is needed to measure it again."""
    libraries = sorted({library for _, case in cases for library in case.build})
    return {
        "date": date.today().isoformat(),
        "command": " ".join(["python -m benchmarks.from_scratch", *arguments]),
        "device": f"{processor()}, {os.cpu_count()} cores, {platform.platform()}",
        "threads": 1,
        "time": "median of processor seconds; the libraries take turns, each in a process of its own",
        "versions": {"python": platform.python_version()}
        | {name: found for name in ["numpy", "scipy", *libraries] if (found := version_of(name))},
        "load before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def markdown(results):
    """The results as one table, a row for each case and size."""
    facts = results["about"]
    others = sorted(
        {name for row in results["rows"] for name in row["libraries"] if name not in (OURS, row["reference"])}
    )
    lines = [
        f"# From scratch, {facts['date']}",
        "",
        f"{facts['device']}; one thread; {', '.join(f'{k} {v}' for k, v in facts['versions'].items())}. {facts['time']}. "
        f"Load before: {facts['load before']}. Command: `{facts['command']}`",
        "",
        f"| work | size | mlcourse, ms | reference | its ms | **ratio** | target |{''.join(f' {o} ÷ mlcourse |' for o in others)}",
        f"|:---|:---|---:|:---|---:|---:|---:|{'---:|' * len(others)}",
    ]
    for row in results["rows"]:
        found = row["libraries"]
        cells = [row["case"], row["size"], _milliseconds(found[OURS]), row["reference"]]
        cells += [_milliseconds(found.get(row["reference"], {})), f"**{_ratio(row['ratio'])}**", _target(row)]
        cells += [_times(found.get(name, {}), found[OURS]) for name in others]
        lines.append(f"| {' | '.join(cells)} |")
    skipped = {
        f"{name}: {m['skipped']}" for row in results["rows"] for name, m in row["libraries"].items() if "skipped" in m
    }
    return "\n".join([*lines, *([""] if skipped else []), *(f"- skipped {note}" for note in sorted(skipped))]) + "\n"


def misses(results):
    """The rows whose ratio is above the target."""
    return [row for row in results["rows"] if row["target"] and row["ratio"] and row["ratio"] > row["target"]]


def write(results, folder):
    """Write the results as JSON and Markdown; return the path without its ending."""
    return report.write(results, markdown(results), folder, f"from-scratch-{results['about']['date']}")


def _milliseconds(measured):
    return f"{1000 * measured['seconds']:.3g}" if "seconds" in measured else "–"


def _ratio(ratio):
    return f"{ratio:.2f}" if ratio else "–"


def _times(measured, ours):
    both = "seconds" in measured and "seconds" in ours
    return f"{measured['seconds'] / ours['seconds']:.3g}" if both else "–"


def _target(row):
    if row["target"] is None:
        return ""
    missed = row["ratio"] is not None and row["ratio"] > row["target"]
    return f"≤ {row['target']:g}{' missed' if missed else ''}"


def work_seconds(work):
    """Processor seconds of doing the work once, from as many repetitions as make a time that can be read."""
    times, begin = 0, time.process_time()
    while (spent := time.process_time() - begin) < SHORTEST or not times:
        work()
        times += 1
    return spent / times
