"""Measure the course's CUDA kernels beside PyTorch, cuBLAS and CUB on the GPU of this machine.

    python -m benchmarks.gpu                    # everything, about ten minutes
    python -m benchmarks.gpu matmul softmax     # cases by a part of their name
    python -m benchmarks.gpu --quick            # small sizes, half a minute, nothing is written: does it run at all?
    python -m benchmarks.gpu --validate         # compare the executor's counters with the hardware's (needs ncu)

It prints tables and writes benchmarks/results/gpu-<device>.json and .md; `--validate` adds its table to the same files.

It needs an NVIDIA GPU, PyTorch with CUDA, the packages of the extra `gpu`, nvcc for CUB, and for `--validate` ncu and g++. On a bare
machine with PyTorch and CUDA's toolkit nothing of the course has to be installed; from the root of the repository:

    export PYTHONPATH=src
    python3 -m pip install cuda-core nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cccl   # what is missing
    python3 -m benchmarks.gpu --quick                                        # half a minute: does everything run?
    python3 -m benchmarks.gpu --validate --results "$OUT"                    # about ten minutes
    python3 -m pytest -o addopts= -q tests/gpu/test_device.py tests/gpu/test_timing.py   # tests that need a GPU

Where nothing can be downloaded, bring the wheels of cuda-core, cuda-bindings and cuda-pathfinder in the versions of
requirements-gpu.lock, made for that machine's Python (pip download --no-deps --only-binary=:all: --python-version …), install
them there with pip install --no-index --no-deps --target /tmp/site …, and put /tmp/site before src in PYTHONPATH. The compiler and
CUDA's headers come with PyTorch. The files in $OUT go to benchmarks/results.

Ratios hold between machines of one kind; milliseconds are those of one afternoon.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.report import RESULTS, say, write


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m benchmarks.gpu", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="cases by a part of their name; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written")
    parser.add_argument("--validate", action="store_true", help="compare the executor's counters with the hardware's")
    parser.add_argument("--only-validate", action="store_true", help="do that alone, for a device that has results")
    parser.add_argument(
        "--seconds", type=float, default=4, help="about how long each case is timed, twice (default: 4)"
    )
    parser.add_argument("--launches", action="store_true", help="time launches from Python, not replays of CUDA graphs")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        from mlcourse.gpu.device import require_gpu

        name = require_gpu()
    except Exception as error:
        say(f"benchmarks.gpu needs an NVIDIA GPU, and cannot run here: {error}")
        return 2
    from benchmarks.gpu import run

    chosen = run.chosen_cases(options.names)
    if not chosen:
        parser.error(f"no case is called {' or '.join(options.names)}: there are {', '.join(run.case_names())}")
    command = " ".join(["python -m benchmarks.gpu", *(sys.argv[1:] if arguments is None else arguments)])
    if options.only_validate:
        path = options.results / f"{run.name_of(name)}.json"
        if not path.exists():
            parser.error(f"there is no {path} yet: run without --only-validate first")
        results = json.loads(path.read_text(encoding="utf-8"))
    else:
        results = run.measure_all(chosen, run.the_gpu(), options, command)
    if options.validate or options.only_validate:
        results["validation"] = run.validate(say)
    print(run.markdown(results))
    if options.quick:
        say("a quick run: nothing is written")
    else:
        say(f"written to {write(results, run.markdown(results), options.results, run.name_of(name))}.json and .md")
    return int(options.strict and run.anything_missed(results))


if __name__ == "__main__":
    sys.exit(main())
