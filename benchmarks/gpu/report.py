"""From seconds to a table: ratios to the libraries, shares of what the GPU was measured to do, and what misses its target.

The results file, gpu-<device>.json, has

- ``about``: date, command, device, driver, versions, how it was timed;
- ``ceilings``: measured bytes a second of a copy and float32 operations a second;
- ``cases``: for each its name, label, sizes, bytes, flops, library, targets, missed targets and ``rows``; each row has name, ours,
  error, seconds (median of all rounds), medians (of the repeats), bytes_per_second, flops_per_second, ratio (to each library),
  of_copy and of_roofline;
- ``validation``, where it was made: see validate.py.
"""

from __future__ import annotations

import itertools
import re
import statistics

from benchmarks.gpu.timing import YARDSTICK
from benchmarks.report import table


def name_of(device):
    """The name of the results of a device.

    >>> name_of("NVIDIA H200")
    'gpu-nvidia-h200'
    """
    return "gpu-" + re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def case_results(case, sizes, setup, errors, repeats, ceilings):
    """Everything that was found out about a case.

    Parameters
    ----------
    case : Case
    sizes : tuple of int
        The sizes measured.
    setup : Setup
        Its bytes, operations and tolerance, and which of its works are ours.
    errors : dict of str to float
        Of each implementation.
    repeats : list of dict of str to list of float
        The seconds of each implementation in each round, for each time the case was measured.
    ceilings : dict
        What the GPU can do.

    Returns
    -------
    dict
        As the results file has it.
    """
    every = {name: [t for repeat in repeats for t in repeat[name]] for name in repeats[0]}
    median = {name: statistics.median(times) for name, times in every.items()}
    libraries = [name for name, work in setup.works.items() if not work.ours]
    floor = max(setup.bytes / ceilings["copy"], setup.flops / ceilings["fp32"])
    rows = [
        {
            "name": name,
            "ours": work.ours,
            "error": errors[name],
            "seconds": median[name],
            "medians": [statistics.median(repeat[name]) for repeat in repeats],
            "bytes_per_second": setup.bytes / median[name],
            "flops_per_second": setup.flops / median[name],
            "ratio": {library: median[library] / median[name] for library in libraries},
            "of_copy": median[YARDSTICK] / median[name],
            "of_roofline": floor / median[name],
        }
        for name, work in setup.works.items()
    ]
    found = {
        "name": case.name,
        "label": case.label if sizes == case.full else " × ".join(map(str, sizes)),
        "sizes": list(sizes),
        "bytes": setup.bytes,
        "flops": setup.flops,
        "library": case.library,
        "targets": case.targets,
        "rows": rows,
    }
    return found | {"missed": missed(case, rows, setup.tolerance)}


def missed(case, rows, tolerance):
    """What of a case is not as it should be, in words."""
    mine = [row for row in rows if row["ours"]]
    best = mine[-1]
    found = [f"{row['name']} is wrong: error {row['error']:.1e}" for row in rows if not row["error"] <= tolerance]
    for name, target in case.targets.items():
        reached = best["of_copy"] if name == "copy" else best["ratio"][name]
        if reached < target:
            what = "of the copy bandwidth" if name == "copy" else f"of {name}"
            found.append(f"{best['name']} reaches {reached:.3f} {what}; the target is {target}")
    if case.climbs:
        found += [
            f"{after['name']} is no faster than {before['name']}"
            for before, after in itertools.pairwise(mine)
            if after["seconds"] >= before["seconds"]
        ]
    return found


def markdown(results):
    """The results as tables."""
    about, ceilings = results["about"], results["ceilings"]
    lines = [
        f"# {about['device']}, {about['date']}",
        "",
        f"Driver {about['driver']}; {', '.join(f'{k} {v}' for k, v in about['versions'].items())}. {about['how']} "
        f"Measured ceilings: copy {ceilings['copy'] / 1e9:.0f} GB/s (read and written), "
        f"float32 {ceilings['fp32'] / 1e12:.1f} TFLOP/s. Command: `{about['command']}`",
    ]
    for case in results["cases"]:
        lines += ["", f"## {case['name']}, {case['label']}", "", case_table(case), ""]
        lines += [f"- missed: {text}" for text in case["missed"]]
    if "validation" in results:
        from benchmarks.gpu.validate import validation_table

        lines += ["", "## Counters of the executor and of the hardware", "", validation_table(results["validation"])]
    return "\n".join(lines).rstrip("\n") + "\n"


def case_table(case):
    libraries = list(case["rows"][0]["ratio"])
    computes = case["flops"] > 0 and case["name"].startswith("matmul")
    header = ["kernel", "ms", "TFLOP/s" if computes else "GB/s", *(f"× {library}" for library in libraries)]
    header += ["of roofline"] if computes else ["of copy", "of roofline"]
    rows = []
    for row in case["rows"]:
        speed = row["flops_per_second"] / 1e12 if computes else row["bytes_per_second"] / 1e9
        cells = [f"**{row['name']}**" if row["ours"] else row["name"], f"{1000 * row['seconds']:.3f}", f"{speed:.1f}"]
        cells += [f"{row['ratio'][library]:.3f}" for library in libraries]
        cells += [] if computes else [f"{row['of_copy']:.3f}"]
        rows.append([*cells, f"{row['of_roofline']:.3f}"])
    return table(header, rows)
