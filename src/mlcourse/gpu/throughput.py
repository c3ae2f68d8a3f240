"""Many slow workers against one fast one: Amdahl's law, warps that hide each other's waiting, and warps that diverge.

These are models small enough to compute by hand, for the first chapter of the part; a GPU is more complicated in every detail.
"""

from __future__ import annotations

import numpy as np


def amdahl(workers, serial):
    """Return how many times as fast a program becomes if only a part of it can be shared out.

    Parameters
    ----------
    workers : int or ndarray
        How many work on the part that can be shared out.
    serial : float
        The share of the original time, from 0 to 1, that one worker has to spend alone.

    Returns
    -------
    float or ndarray
        The speed-up.

    Raises
    ------
    ValueError
        If the share is not from 0 to 1.

    Notes
    -----
    Amdahl (1967), "Validity of the single processor approach to achieving large scale computing capabilities".

    Examples
    --------
    >>> float(amdahl(10, 0.1)), float(amdahl(10**9, 0.1))
    (5.2631578947368425, 9.99999991)
    """
    if not 0 <= serial <= 1:
        raise ValueError(f"amdahl: the serial share must be from 0 to 1; got {serial}")
    return 1 / (serial + (1 - serial) / np.asarray(workers))


def schedule(n_warps, busy, wait, n_cycles):
    """Simulate a scheduler that issues one instruction a cycle, for any warp that is ready.

    Every warp repeats the same thing: `busy` instructions, then it waits for memory. The scheduler stays with a warp until that
    has to wait; then it takes the next one, in a circle, that is ready.

    Parameters
    ----------
    n_warps, busy : int
        At least 1.
    wait : int
        Cycles between a warp's last instruction and the arrival of what it waits for; at least 0.
    n_cycles : int

    Returns
    -------
    ndarray of int, shape (n_cycles,)
        The warp served in each cycle, or -1 where none was ready.

    Raises
    ------
    ValueError
        If there are no warps or no instructions.

    Examples
    --------
    >>> schedule(2, busy=1, wait=3, n_cycles=8).tolist()
    [0, 1, -1, -1, 0, 1, -1, -1]
    """
    if n_warps < 1 or busy < 1 or wait < 0:
        raise ValueError(f"schedule needs n_warps ≥ 1, busy ≥ 1 and wait ≥ 0; got {n_warps}, {busy}, {wait}")
    ready, left = np.zeros(n_warps, dtype=int), np.full(n_warps, busy)
    served, last = np.full(n_cycles, -1), 0
    for cycle in range(n_cycles):
        around = (np.arange(n_warps) + last) % n_warps
        waiting = around[ready[around] <= cycle]
        if waiting.size == 0:
            continue
        served[cycle] = last = waiting[0]
        left[last] -= 1
        if left[last] == 0:
            ready[last], left[last] = cycle + 1 + wait, busy
    return served


def utilization(n_warps, busy, wait):
    """Return the share of cycles in which `schedule` serves a warp, in the long run.

    Parameters
    ----------
    n_warps : int or ndarray
    busy, wait : int
        As in `schedule`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> float(utilization(2, busy=1, wait=3)), float(utilization(100, busy=1, wait=3))
    (0.5, 1.0)
    """
    return np.minimum(1.0, np.asarray(n_warps) * busy / (busy + wait))[()]


def warp_rounds(rounds, warp_size=32):
    """Return how many rounds each warp runs if its threads need different numbers of them.

    All threads of a warp run a loop together, until the last one has finished.

    Parameters
    ----------
    rounds : array_like of int, shape (n,)
        What each thread needs. Neighbors form a warp; the last warp is filled up with threads that need none.
    warp_size : int

    Returns
    -------
    ndarray of int, shape (ceil(n / warp_size),)

    Raises
    ------
    ValueError
        If rounds is not one row of integers.

    Examples
    --------
    >>> warp_rounds([1, 5, 2, 2, 7], warp_size=2).tolist()
    [5, 2, 7]
    """
    rounds = np.asarray(rounds)
    if rounds.ndim != 1 or rounds.dtype.kind not in "iu":
        raise ValueError(
            f"warp_rounds takes integers of shape (n,), one for each thread; got {rounds.dtype} of shape {rounds.shape}"
        )
    padded = np.zeros(-(-rounds.size // warp_size) * warp_size, dtype=rounds.dtype)
    padded[: rounds.size] = rounds
    return padded.reshape(-1, warp_size).max(axis=1)


def lane_efficiency(rounds, warp_size=32):
    """Return the share of a warp's places that do useful work while its threads run different numbers of rounds.

    Parameters
    ----------
    rounds, warp_size
        As in `warp_rounds`.

    Returns
    -------
    float
        1 if all threads of each warp need the same number, 1 / warp_size if one thread of each warp does all the work.

    Examples
    --------
    >>> lane_efficiency([1, 3], warp_size=2)
    0.6666666666666666
    """
    return float(np.sum(rounds) / (warp_rounds(rounds, warp_size).sum() * warp_size))
