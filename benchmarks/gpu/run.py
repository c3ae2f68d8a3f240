"""Measure cases one after another, each twice, and put together what the results file holds."""

from __future__ import annotations

import gc
import platform
import shutil
import subprocess
from datetime import date

import torch
from benchmarks.gpu import timing
from benchmarks.gpu.cases import CASES
from benchmarks.gpu.report import case_results, markdown, name_of
from benchmarks.gpu.validate import unexplained, validate
from benchmarks.report import say, version_of

__all__ = ["anything_missed", "case_names", "chosen_cases", "markdown", "measure_all", "name_of", "validate"]

REPEATS = 2
PACKAGES = ("torch", "cuda-core", "cuda-bindings", "nvidia-cuda-nvrtc", "nvidia-cublas", "mlcourse")


def chosen_cases(names):
    """The cases whose name contains one of the names; all of them without names."""
    return [case for case in CASES if not names or any(name.lower() in case.name.lower() for name in names)]


def case_names():
    return [case.name for case in CASES]


def the_gpu():
    """The GPU that PyTorch uses."""
    return torch.device("cuda", torch.cuda.current_device())


def measure_all(cases, device, options, command):
    """Measure the ceilings, then each case, and return the results; a line for each goes to the terminal."""
    torch.backends.cuda.matmul.allow_tf32 = False
    results = {
        "about": about(command, options),
        "ceilings": timing.ceilings(device, graphs=not options.launches),
        "cases": [],
    }
    say(
        f"{results['about']['device']}: copy {results['ceilings']['copy'] / 1e9:.0f} GB/s, "
        f"float32 {results['ceilings']['fp32'] / 1e12:.1f} TFLOP/s"
    )
    for case in cases:
        found = measure_case(case, device, options, results["ceilings"])
        results["cases"].append(found)
        ratio = [row for row in found["rows"] if row["ours"]][-1]["ratio"][case.library]
        say(f"{case.name}: {ratio:.3f} × {case.library}; {'; '.join(found['missed']) or 'nothing missed'}")
        gc.collect()
        torch.cuda.empty_cache()
    return results


def measure_case(case, device, options, ceilings):
    """Check and time one case, twice."""
    sizes = case.quick if options.quick else case.full
    setup = case.build(device, *sizes)
    errors = timing.check(setup)
    works = setup.works | {timing.YARDSTICK: timing.yardstick(min(setup.bytes, 1 << 33), device)}
    works[timing.YARDSTICK].run()
    repeats = [
        timing.measure(works, setup.fill, options.seconds, graphs=not options.launches)
        for _ in range(1 if options.quick else REPEATS)
    ]
    return case_results(case, sizes, setup, errors, repeats, ceilings)


def anything_missed(results):
    """Whether a target was missed, a result was wrong, or a counter differs without an explanation."""
    return any(case["missed"] for case in results["cases"]) or bool(unexplained(results.get("validation", [])))


def about(command, options):
    """Everything that is needed to measure it again."""
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    launching = "Launches from Python" if options.launches else "Replays of CUDA graphs"
    return {
        "date": date.today().isoformat(),
        "command": command,
        "device": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "memory_bytes": properties.total_memory,
        "L2_bytes": getattr(properties, "L2_cache_size", None),
        "driver": driver_version(),
        "versions": {"python": platform.python_version(), "CUDA of torch": torch.version.cuda}
        | {name: found for name in PACKAGES if (found := version_of(name))},
        "how": f"{launching}, timed with CUDA events; implementations in turns in one process on fresh normal numbers; medians; "
        f"everything twice; float32 without TF32; every result checked against float64.",
    }


def driver_version():
    """The driver's version as nvidia-smi says it, or None."""
    if (smi := shutil.which("nvidia-smi")) is None:
        return None
    done = subprocess.run([smi, "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True)
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else None
