"""The small models of the first chapter agree with their loop versions and their formulas."""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.gpu.throughput import amdahl, lane_efficiency, schedule, utilization, warp_rounds


def finish(n_tasks, n_workers, seconds_each):
    """The loop version of the chapter."""
    free_at = [0.0] * n_workers
    for _ in range(n_tasks):
        start = heapq.heappop(free_at)
        heapq.heappush(free_at, start + seconds_each)
    return max(free_at)


def rounds_in_a_loop(steps_of_threads, warp_size=32):
    """The loop version of the chapter."""
    rounds = []
    for start in range(0, len(steps_of_threads), warp_size):
        left, count = list(steps_of_threads[start : start + warp_size]), 0
        while any(left):
            left = [max(0, steps - 1) for steps in left]
            count += 1
        rounds.append(count)
    return rounds


@pytest.mark.parametrize("workers", [1, 10, 100, 900])
def test_amdahl_is_the_time_of_workers(workers):
    assert 1000 / (100 + finish(900, workers, 1.0)) == pytest.approx(float(amdahl(workers, 0.1)))


@given(st.integers(1, 10**6), st.floats(1e-6, 1))
def test_amdahl_is_bounded_by_the_serial_share(workers, serial):
    assert 1 - 1e-9 <= amdahl(workers, serial) <= 1 / serial + 1e-9


def test_amdahl_of_everything_and_nothing():
    assert amdahl(8, 0.0) == 8 and amdahl(8, 1.0) == 1
    with pytest.raises(ValueError, match="serial share must be from 0 to 1; got 20"):
        amdahl(8, 20)


@pytest.mark.parametrize("busy", [1, 2, 5])
@pytest.mark.parametrize("wait", [0, 3, 7, 20])
@pytest.mark.parametrize("n_warps", [1, 2, 3, 4, 8, 30])
def test_the_formula_is_the_long_run_of_the_simulation(n_warps, busy, wait):
    period = busy + wait
    served = schedule(n_warps, busy, wait, 60 * period)[10 * period :]
    assert np.mean(served >= 0) == pytest.approx(utilization(n_warps, busy, wait), abs=0.02)


def test_a_warp_waits_after_its_instructions_and_not_before():
    served = schedule(3, busy=2, wait=6, n_cycles=200)
    assert set(served.tolist()) == {-1, 0, 1, 2}
    for warp in range(3):
        cycles = np.flatnonzero(served == warp)
        gaps = np.diff(cycles)
        assert (gaps[::2] == 1).all() and (gaps[1::2] >= 7).all()


def test_littles_law_holds_in_the_schedule():
    served = schedule(4, busy=3, wait=9, n_cycles=1200)
    rounds_per_cycle = np.mean(served >= 0) / 3
    assert rounds_per_cycle * (3 + 9) == pytest.approx(4)


def test_schedule_refuses_nothing_to_do():
    with pytest.raises(ValueError, match="got 0, 1, 5"):
        schedule(0, 1, 5, 10)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=100), st.sampled_from([1, 2, 4, 32]))
def test_a_warp_goes_around_until_its_slowest_lane_is_done(rounds, warp_size):
    assert warp_rounds(np.array(rounds), warp_size).tolist() == rounds_in_a_loop(rounds, warp_size)


def test_efficiency_of_lanes():
    assert lane_efficiency(np.full(64, 7)) == 1
    alone = np.zeros(64, dtype=int)
    alone[[3, 40]] = 5
    assert lane_efficiency(alone) == 1 / 32
    rounds = np.random.default_rng(0).integers(1, 100, size=1024)
    assert lane_efficiency(np.sort(rounds)) > lane_efficiency(rounds)


def test_rounds_are_one_row_of_integers():
    with pytest.raises(ValueError, match=r"got float64 of shape \(3,\)"):
        warp_rounds(np.ones(3))
