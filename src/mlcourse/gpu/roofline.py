"""How fast a program can be on a machine that computes and moves bytes at the same time: the roofline.

Source: Williams, Waterman and Patterson (2009), "Roofline: an insightful visual performance model for multicore architectures".
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Work:
    """What a program has to do, however it is written.

    Attributes
    ----------
    flops : float
        Floating-point operations; a multiplication with an addition counts as two.
    bytes : float
        The fewest bytes that have to be read from and written to memory: every input once, every output once.

    Examples
    --------
    >>> Work(flops=10, bytes=120).intensity
    0.08333333333333333
    """

    flops: float
    bytes: float

    @property
    def intensity(self):
        """Arithmetic intensity: operations for each byte."""
        return self.flops / self.bytes


@dataclass(frozen=True)
class Roofline:
    """The two limits of a machine.

    Attributes
    ----------
    peak : float
        Operations a second at the most.
    bandwidth : float
        Bytes a second between processor and memory at the most, read and written together.

    Examples
    --------
    >>> machine = Roofline(peak=1000, bandwidth=100)
    >>> machine.ridge
    10.0
    >>> add, product = vector_add(1200), matmul(1200, 1200, 1200)
    >>> machine.limit(add), machine.limit(product)
    ('memory', 'arithmetic')
    >>> machine.seconds(add), float(machine.attainable(add.intensity))
    (144.0, 8.333333333333332)
    """

    peak: float
    bandwidth: float

    def __post_init__(self):
        for name in ("peak", "bandwidth"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Roofline: {name} must be positive, in units a second; got {getattr(self, name)}")

    @property
    def ridge(self):
        """The intensity from which on arithmetic is the limit."""
        return self.peak / self.bandwidth

    def attainable(self, intensity):
        """Return the most operations a second at an arithmetic intensity, a number or an array."""
        return np.minimum(self.peak, self.bandwidth * np.asarray(intensity))[()]

    def seconds(self, work):
        """Return the least time that a `Work` takes."""
        return max(work.flops / self.peak, work.bytes / self.bandwidth)

    def limit(self, work):
        """Return what keeps a `Work` from being faster: "memory" or "arithmetic"."""
        return "memory" if work.bytes / self.bandwidth > work.flops / self.peak else "arithmetic"


def vector_add(n, itemsize=4):
    """Return the work of adding two vectors of n numbers into a third one.

    >>> vector_add(1000)
    Work(flops=1000, bytes=12000)
    """
    return Work(flops=n, bytes=3 * n * itemsize)


def matmul(m, n, k, itemsize=4):
    """Return the work of the product of an (m, k) and a (k, n) matrix.

    >>> matmul(1000, 1000, 1000).intensity
    166.66666666666666
    """
    return Work(flops=2 * m * n * k, bytes=(m * k + k * n + m * n) * itemsize)


def matvec(m, k, itemsize=4):
    """Return the work of the product of an (m, k) matrix and a vector.

    >>> round(matvec(4096, 4096).intensity, 3)
    0.5
    """
    return matmul(m, 1, k, itemsize)


def best_seconds(runs, rounds=7):
    """Return the seconds of the fastest run of each of several programs.

    The programs take turns, after a round that does not count. A limit of the machine is what it does when nothing else disturbs
    it, hence the fastest run and not the median.

    Parameters
    ----------
    runs : dict of str to callable
        Name and function without arguments.
    rounds : int
        How often each is run.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> list(best_seconds({"sum": lambda: sum(range(100)), "nothing": lambda: None}))
    ['sum', 'nothing']
    """
    seconds = dict.fromkeys(runs, np.inf)
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number > 0:
                seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def copy_and_matmul(dtype=np.float32, megabytes=64, n=1024):
    """Return the two programs that show the limits of this machine, and their work.

    Parameters
    ----------
    dtype : {np.float32, np.float64}
        Of the matrices.
    megabytes : float
        Size of the array that is copied. It must be larger than all caches, or they are what is measured.
    n : int
        Rows and columns of the matrices.

    Returns
    -------
    runs : dict of str to callable
        "copy" and "matmul", each without arguments.
    works : dict of str to Work
    """
    source = np.ones(int(megabytes * 1e6) // 4, dtype=np.float32)
    target = np.empty_like(source)
    A, B = np.random.default_rng(0).normal(size=(2, n, n)).astype(dtype)
    C = np.empty_like(A)
    runs = {"copy": lambda: np.copyto(target, source), "matmul": lambda: np.matmul(A, B, out=C)}
    return runs, {"copy": Work(0, 2 * source.nbytes), "matmul": matmul(n, n, n, A.itemsize)}


def measure_machine(dtype=np.float32, rounds=7, **sizes):
    """Measure the roofline of this machine, as far as NumPy reaches it.

    Parameters
    ----------
    dtype : {np.float32, np.float64}
        In which numbers it computes.
    rounds : int
    **sizes
        For `copy_and_matmul`.

    Returns
    -------
    Roofline

    Examples
    --------
    >>> machine = measure_machine(rounds=1, megabytes=1, n=64)
    >>> machine.peak > 1e6 and machine.bandwidth > 1e6
    True
    """
    runs, works = copy_and_matmul(dtype, **sizes)
    seconds = best_seconds(runs, rounds)
    return Roofline(peak=works["matmul"].flops / seconds["matmul"], bandwidth=works["copy"].bytes / seconds["copy"])
