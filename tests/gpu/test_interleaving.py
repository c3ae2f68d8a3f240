"""Every order of the steps of threads that add 1: counted together, and one by one."""

from collections import Counter
from itertools import permutations
from math import factorial

import pytest

from mlcourse.gpu.interleaving import outcomes, run_interleaving


def one_by_one(threads):
    orders = set(permutations("ABCD"[:threads] * 3))
    return dict(sorted(Counter(run_interleaving(order)[0] for order in orders).items()))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_outcomes_equal_those_of_every_order(threads):
    assert outcomes(threads) == one_by_one(threads)


@pytest.mark.parametrize("threads", [2, 4, 7])
def test_number_of_orders_and_of_right_ones(threads):
    ways = outcomes(threads)
    assert sum(ways.values()) == factorial(3 * threads) // 6**threads
    assert ways[threads] == factorial(threads)
    assert list(ways) == list(range(1, threads + 1))


def test_steps_of_a_lost_update():
    counter, steps = run_interleaving("ABABAB")
    assert counter == 1
    assert steps[1] == ("B", "reads 0", 0)
    assert steps[-1] == ("B", "writes 1", 1)


def test_incomplete_orders_are_refused():
    with pytest.raises(ValueError, match="three steps"):
        run_interleaving("AAAB")
    with pytest.raises(ValueError, match="at least one"):
        outcomes(0)
