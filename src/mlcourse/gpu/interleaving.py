"""Threads that add 1 to a counter in three steps: every order of their steps, and what each order leaves in the counter."""

from __future__ import annotations


def run_interleaving(order):
    """Let threads add 1 to a counter in memory, one step at a time: read it, add 1 to what was read, write it back.

    Parameters
    ----------
    order : sequence
        Which thread takes the next step; each occurs three times.

    Returns
    -------
    int
        The counter at the end.
    list of tuple
        For each step the thread, what it does in words, and the counter after it.

    Examples
    --------
    >>> run_interleaving("AAABBB")[0], run_interleaving("ABABAB")[0]
    (2, 1)
    """
    counter, register, done, steps = 0, {}, {}, []
    for thread in order:
        done[thread] = done.get(thread, 0) + 1
        if done[thread] == 1:
            register[thread] = counter
            says = f"reads {counter}"
        elif done[thread] == 2:
            register[thread] += 1
            says = f"adds: {register[thread]}"
        else:
            counter = register[thread]
            says = f"writes {counter}"
        steps.append((thread, says, counter))
    if set(done.values()) - {3}:
        raise ValueError(f"run_interleaving: every thread takes three steps; got {done}")
    return counter, steps


def outcomes(threads):
    """Count the orders of the steps of some threads by the counter that each leaves.

    Parameters
    ----------
    threads : int
        Threads that add 1 each.

    Returns
    -------
    dict of int to int
        For each value of the counter the number of orders that end with it; together (3·threads)! / 6^threads.

    Notes
    -----
    Orders that have led to the same state are carried on together, so that a dozen threads cost no more than a moment.

    Examples
    --------
    >>> outcomes(2)
    {1: 18, 2: 2}
    """
    if threads < 1:
        raise ValueError(f"outcomes: at least one thread must add; got {threads}")
    ways = {(0, threads, ()): 1}  # counter, threads that have not begun, (steps left, register) of those under way
    for _ in range(3 * threads):
        after = {}
        for (counter, waiting, active), many in ways.items():
            for state, choices in _next_states(counter, waiting, active):
                after[state] = after.get(state, 0) + many * choices
        ways = after
    return {counter: many for (counter, _, _), many in sorted(ways.items())}


def _next_states(counter, waiting, active):
    if waiting:
        yield (counter, waiting - 1, tuple(sorted([*active, (2, counter)]))), waiting
    for left, register in set(active):
        others = list(active)
        others.remove((left, register))
        adds = (counter, waiting, tuple(sorted([*others, (1, register + 1)])))
        writes = (register, waiting, tuple(others))
        yield adds if left == 2 else writes, active.count((left, register))
