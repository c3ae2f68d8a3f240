"""Time implementations of the same work on a GPU: in one process, in turns, on fresh random numbers, each checked before it is timed."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import torch
from benchmarks.gpu.cases import Work, error_of

LEAST_ROUNDS, MOST_ROUNDS = 5, 60
CEILING_BYTES = 1 << 34
YARDSTICK = "copy of as many bytes"
PEAK = (Path(__file__).with_name("peak.cu")).read_text(encoding="utf-8")
PEAK_BLOCK, PEAK_ROUNDS, PEAK_FLOPS = 256, 400, 2 * 32 * 64  # operations of a thread in a round


def check(setup):
    """Run each implementation once on fresh numbers into poisoned memory; return the error of each against float64."""
    errors = {}
    for name, work in setup.works.items():
        setup.fill()
        reference = setup.reference()
        if work.result.is_floating_point() and not setup.in_place:
            work.result.fill_(math.nan)
        work.run()
        errors[name] = error_of(setup, work.result, reference)
    return errors


def yardstick(bytes, device):
    """A copy by PyTorch that moves as many bytes: what the memory can do at this moment."""
    x = torch.randn(bytes // 8, device=device)
    y = torch.empty_like(x)
    return Work(lambda: y.copy_(x), y)


def measure(works, fill, seconds, graphs=True):
    """Time implementations in turns on fresh numbers.

    Parameters
    ----------
    works : dict of str to Work
        They have all run before.
    fill : callable
        Puts fresh numbers into the inputs.
    seconds : float
        About how long to go on; there are at least five rounds and at most sixty.
    graphs : bool
        Replay CUDA graphs, which takes the time of launching out; otherwise launch from Python.

    Returns
    -------
    dict of str to list of float
        Seconds of each implementation in each round.
    """
    fill()
    runs = {name: captured(work.run) if graphs else work.run for name, work in works.items()}
    first = one_round(runs)
    rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, round(seconds / sum(first.values()))))
    measured = [one_round(runs) for _ in range(rounds)]
    return {name: [times[name] for times in measured] for name in runs}


def captured(run):
    """Record the launches of a function; return one that repeats them without Python."""
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def one_round(runs):
    """Run each once, in turns; return the seconds that the GPU took for each."""
    events = {name: (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for name in runs}
    for name, run in runs.items():
        begin, end = events[name]
        begin.record()
        run()
        end.record()
    torch.cuda.synchronize()
    return {name: begin.elapsed_time(end) / 1000 for name, (begin, end) in events.items()}


def ceilings(device, graphs=True):
    """Measure what the GPU can do: bytes a second of a copy by PyTorch, float32 operations a second of multiply-adds in registers."""
    from mlcourse.gpu import Kernel

    blocks = 8 * torch.cuda.get_device_properties(device).multi_processor_count
    out = torch.empty(blocks * PEAK_BLOCK, device=device)
    kernel = Kernel(PEAK, "multiply_add")
    work = Work(lambda: kernel[blocks, PEAK_BLOCK](out, 0.999, 0.001, PEAK_ROUNDS), out)
    works = {"copy": yardstick(CEILING_BYTES, device), "multiply-add": work}
    for work in works.values():
        work.run()
    times = measure(works, lambda: None, 1, graphs)
    flops = PEAK_FLOPS * PEAK_ROUNDS * PEAK_BLOCK * blocks
    return {
        "copy": CEILING_BYTES / statistics.median(times["copy"]),
        "fp32": flops / statistics.median(times["multiply-add"]),
    }
