"""Compare what the executor counts on a CPU with what the hardware counts, read by NVIDIA's profiler ncu.

    python -m benchmarks.gpu --validate

Each kernel runs once on the same numbers on both sides. A counter that differs by more than 5 % needs an explanation in EXPLAINED.
The profiler starts this module as a program of its own, which launches the kernels on the GPU.
"""

from __future__ import annotations

import csv
import glob
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.report import ROOT, table

from mlcourse.gpu import kernels

WITHIN = 0.05
L1 = "l1tex__{}_pipe_lsu_mem_{}.sum"
COUNTERS = {  # what the executor counts: the hardware's counters that together are the same
    "global load requests": [L1.format("t_requests", "global_op_ld"), L1.format("t_requests", "global_op_ldgsts")],
    "global load sectors": [L1.format("t_sectors", "global_op_ld"), L1.format("t_sectors", "global_op_ldgsts")],
    "global store requests": [L1.format("t_requests", "global_op_st")],
    "global store sectors": [L1.format("t_sectors", "global_op_st")],
    "shared load requests": ["smsp__inst_executed_op_shared_ld.sum"],
    "shared load passes": ["l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum"],
    "shared store requests": ["smsp__inst_executed_op_shared_st.sum"],
    "shared store passes": ["l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum"],
}
METRICS = sorted({metric for metrics in COUNTERS.values() for metric in metrics})
SUBJECTS = {  # rung: shapes of its inputs
    "copy": [(100_000,)],
    "copy_vectors": [(100_000,)],
    "vector_add": [(100_000,)] * 2,
    "vector_add_grid_stride": [(400_000,)] * 2,
    "vector_add_vectors": [(100_000,)] * 2,
    "saxpy_vectors": [(100_000,)] * 2,
    "transpose_naive": [(512, 512)],
    "transpose_tiled": [(512, 512)],
    "transpose_padded": [(512, 512)],
    "transpose_vectors": [(512, 512)],
    "sum_interleaved": [(100_000,)],
    "sum_sequential": [(100_000,)],
    "sum_shuffles": [(100_000,)],
    "sum_vectors": [(1_000_000,)],
    "scan_hillis_steele": [(100_000,)],
    "scan_blelloch": [(100_000,)],
    "scan_shuffles": [(100_000,)],
    "histogram_threads": [(1_000_000,)],
    "matmul_naive": [(256, 256)] * 2,
    "matmul_coalesced": [(256, 256)] * 2,
    "matmul_tiled": [(256, 256)] * 2,
    "matmul_column": [(256, 256)] * 2,
    "matmul_square": [(256, 256)] * 2,
    "matmul_vectorized": [(256, 256)] * 2,
    "matmul_warp": [(256, 256)] * 2,
    "matmul_async": [(256, 256)] * 2,
    "softmax_three_passes": [(64, 1000)],
    "softmax_online": [(64, 1000)],
    "softmax_registers": [(64, 1000)],
    "layer_norm_registers": [(64, 1000), (1000,), (1000,)],
    "adamw_vectors": [(100_000,)] * 4,
}
MERGED = "the GPU's compiler reads neighbors of a tile's row in one instruction (LDS.128), g++ one by one"
EXPLAINED = {
    (kernel, counter): MERGED
    for kernel in ("matmul_tiled", "matmul_column", "matmul_square")
    for counter in ("shared load requests", "shared load passes")
}


def first_step(name, place=lambda array: array):
    """The first launch of a rung on its inputs, the same numbers each time; `place` puts an array where it is needed."""
    rng = np.random.default_rng(0)
    if name.startswith("histogram"):
        inputs = [rng.integers(0, 256, shape).astype(np.uint8) for shape in SUBJECTS[name]]
    else:
        inputs = [rng.random(shape, dtype=np.float32) for shape in SUBJECTS[name]]
    numbers = (0.5,) if name.startswith("saxpy") else ()
    plan = kernels.plan(name, *numbers, *map(place, inputs))
    return kernels.Plan(plan.steps[:1], plan.result, plan.zeroed)


def executor_counters(name):
    """What the executor counts for the first launch of a rung."""
    (profile,) = first_step(name).profile()
    counters = dict.fromkeys(COUNTERS, 0)
    for line in profile.lines:
        access, unit = f"{line.space} {line.operation}", "sectors" if line.space == "global" else "passes"
        for counter, value in ((f"{access} requests", line.requests), (f"{access} {unit}", line.transfers)):
            if counter in counters:
                counters[counter] += value
    return counters


def find_ncu():
    """Return the path of the profiler, or say what is missing."""
    places = ["/usr/local/cuda/bin/ncu", *sorted(glob.glob("/opt/nvidia/nsight-compute/*/ncu"), reverse=True)]
    found = shutil.which("ncu") or next((place for place in places if Path(place).exists()), None)
    if found is None:
        raise SystemExit(
            "--validate reads the hardware's counters with NVIDIA's profiler ncu, which was found neither on the PATH nor in "
            "/usr/local/cuda or /opt/nvidia\n  hint: install Nsight Compute, or add its folder to the PATH"
        )
    return found


def ncu_command(ncu, names, log):
    """The command that measures each of these rungs once, and nothing else that the program launches."""
    only = f"regex:^({'|'.join(names)})$"
    return [
        *(ncu, "--csv", "--page", "raw", "--print-units", "base", "--log-file", str(log)),
        *("--clock-control", "none", "--kernel-name-base", "function", "--kernel-name", only),
        *("--metrics", ",".join(METRICS), sys.executable, "-m", "benchmarks.gpu.validate", *names),
    ]


def hardware_counters(names):
    """What the hardware counts for the first launch of each rung."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "ncu.csv"
        command = ncu_command(find_ncu(), names, log)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        text = log.read_text(encoding="utf-8") if log.exists() else ""
    if "ERR_NVGPUCTRPERM" in text + done.stdout + done.stderr:
        raise SystemExit(
            "ncu may not read the counters here (ERR_NVGPUCTRPERM)\n  hint: run as root, or ask for the permission"
        )
    found = counters_of(read_ncu(text))
    if done.returncode != 0 or not found:
        raise SystemExit(
            f"ncu found no counters (exit code {done.returncode}):\n{text[-2000:]}{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return found


def read_ncu(text):
    """Read the profiler's CSV: a row for each launch, or for each launch and metric.

    Returns
    -------
    dict of str to dict of str to float
        The metrics of each kernel, by its name without arguments; of several launches of one kernel the first counts. A metric
        that the GPU does not have is left out.

    Examples
    --------
    >>> read_ncu('"ID","Kernel Name","a.sum"\\n"","","sector"\\n"0","copy(const float *, float *, int)","1,024"')
    {'copy': {'a.sum': 1024.0}}
    >>> read_ncu('"ID","Kernel Name","Metric Name","Metric Value"\\n"0","copy","a.sum","7"\\n"0","copy","b.sum","n/a"')
    {'copy': {'a.sum': 7.0}}
    """
    lines = [line for line in text.splitlines() if line.startswith('"')]
    found, launches = {}, {}
    for row in csv.DictReader(lines):
        if not row["ID"]:
            continue  # the row of the units
        name = row["Kernel Name"].split("(")[0].split("<")[0].split()[-1]
        if launches.setdefault(name, row["ID"]) != row["ID"]:
            continue
        values = {row["Metric Name"]: row["Metric Value"]} if "Metric Name" in row else row
        numbers = {metric: _number(value) for metric, value in values.items() if "__" in metric or "." in metric}
        found.setdefault(name, {}).update({metric: value for metric, value in numbers.items() if value is not None})
    return found


def counters_of(metrics):
    """The hardware's counters under the executor's names; None where the GPU has none of the metrics."""
    return {
        kernel: {
            counter: sum(found[m] for m in names if m in found) if any(m in found for m in names) else None
            for counter, names in COUNTERS.items()
        }
        for kernel, found in metrics.items()
    }


def compare(executor, hardware):
    """Put the two side by side.

    Parameters
    ----------
    executor, hardware : dict of str to dict of str to number
        The counters of each kernel.

    Returns
    -------
    list of dict
        For each kernel and counter that either side has: kernel, counter, executor, hardware, verdict ("equal", "within 5 %",
        "not measured", an explanation, or "differs").
    """
    rows = []
    for kernel, counts in executor.items():
        for counter, ours in counts.items():
            theirs = hardware.get(kernel, {}).get(counter)
            if ours or theirs:
                verdict = _verdict(kernel, counter, ours, theirs)
                rows.append(
                    {"kernel": kernel, "counter": counter, "executor": ours, "hardware": theirs, "verdict": verdict}
                )
    return rows


def unexplained(rows):
    """The rows that nobody has explained yet."""
    return [row for row in rows if row["verdict"] in ("differs", "not measured")]


def validation_table(rows):
    """The comparison as a table in Markdown."""
    cells = [
        [row["kernel"], row["counter"], f"{row['executor']:,.0f}", _count(row["hardware"]), _ratio(row), row["verdict"]]
        for row in rows
    ]
    return table(["kernel", "counter:", "executor", "hardware", "ratio", "verdict:"], cells)


def validate(say):
    """Compare all subjects; return the rows."""
    names = list(SUBJECTS)
    say(f"the hardware's counters of {len(names)} kernels")
    hardware = hardware_counters(names)
    executor = {}
    for name in names:
        say(f"the executor's counters: {name}")
        executor[name] = executor_counters(name)
    return compare(executor, hardware)


def _verdict(kernel, counter, ours, theirs):
    if theirs is None:
        return "not measured"
    if ours == theirs:
        return "equal"
    if abs(ours - theirs) <= WITHIN * theirs:
        return "within 5 %"
    return EXPLAINED.get((kernel, counter), "differs")


def _number(text):
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _count(value):
    return "–" if value is None else f"{value:,.0f}"


def _ratio(row):
    return f"{row['executor'] / row['hardware']:.3f}" if row["hardware"] else "–"


def main(names):
    """Launch each rung once on the GPU; the profiler looks on."""
    import torch

    for name in names:
        first_step(name, lambda array: torch.from_numpy(array).cuda()).run()
    torch.cuda.synchronize()


if __name__ == "__main__":
    main(sys.argv[1:])
