"""Measure how long things take, fairly enough to compare them."""

from __future__ import annotations

import statistics
import time


class Times(dict):
    """Median seconds by name; displays itself as a table with the ratio to the last row."""

    def _rows(self):
        reference = list(self.values())[-1]
        return [(name, _human(seconds), _plain(seconds / reference)) for name, seconds in self.items()]

    def __repr__(self):
        width = max(map(len, self))
        return "\n".join(f"{name:<{width}}  {seconds:>9}  {ratio:>6} ×" for name, seconds, ratio in self._rows())

    def _repr_markdown_(self):
        rows = "\n".join(f"| {name} | {seconds} | {ratio} |" for name, seconds, ratio in self._rows())
        return f"| run | median time | ratio to {list(self)[-1]} |\n|:---|---:|---:|\n{rows}"


def compare_times(functions, *, repeats=7):
    """Time several ways to do the same thing.

    The runs are interleaved, so that a busy moment of the machine hits all of them, and the median is kept.

    Parameters
    ----------
    functions : dict of str to callable
        Name and function without arguments; the last one is the reference of the ratios.
    repeats : int
        Rounds; every round calls each function once.

    Returns
    -------
    Times
        Median seconds by name.

    Examples
    --------
    >>> list(compare_times({"loop": lambda: sum(range(1000)), "nothing": lambda: None}))
    ['loop', 'nothing']
    """
    if not functions:
        raise ValueError("compare_times: give at least one function, as {'name': function}")
    if repeats < 1:
        raise ValueError(f"compare_times: repeats must be at least 1; got {repeats}")
    seconds = run_in_turns(functions, repeats)
    return Times({name: statistics.median(values) for name, values in seconds.items()})


def run_in_turns(functions, repeats):
    """Call every function once in each of some rounds; return the seconds of each call by name."""
    seconds = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _plain(ratio):
    """Two significant digits, without an exponent."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _human(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
