"""The roofline says which of two limits holds, and measures them in turns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.gpu import roofline
from mlcourse.gpu.roofline import (
    Roofline,
    Work,
    best_seconds,
    copy_and_matmul,
    matmul,
    matvec,
    measure_machine,
    vector_add,
)

positive = st.floats(min_value=1e-3, max_value=1e15)


@given(positive, positive, positive, positive)
def test_time_limit_and_rate_agree(peak, bandwidth, flops, moved):
    machine, work = Roofline(peak, bandwidth), Work(flops, moved)
    assert np.isclose(flops / machine.seconds(work), machine.attainable(work.intensity))
    assert machine.limit(work) == (
        "memory" if work.intensity < machine.ridge * (1 - 1e-12) else "arithmetic"
    ) or np.isclose(work.intensity, machine.ridge)


def test_both_limits_meet_at_the_ridge():
    machine = Roofline(peak=60.0, bandwidth=3.0)
    assert machine.ridge == 20
    assert machine.attainable(np.array([1, 10, 20, 40])).tolist() == [3, 30, 60, 60]


def test_a_machine_has_positive_limits():
    with pytest.raises(ValueError, match="bandwidth must be positive, in units a second; got 0"):
        Roofline(peak=1, bandwidth=0)


def test_work_is_counted():
    rng = np.random.default_rng(0)
    m, n, k = rng.integers(1, 50, size=3).tolist()
    A, B = np.zeros((m, k), np.float32), np.zeros((k, n), np.float32)
    work = matmul(m, n, k)
    assert work.bytes == A.nbytes + B.nbytes + (A @ B).nbytes
    assert work.flops == sum(2 for _ in range(m) for _ in range(n) for _ in range(k))
    assert matmul(100, 100, 100, itemsize=2).intensity == pytest.approx(100 / 3)
    assert vector_add(7, itemsize=8) == Work(7, 168)
    assert matvec(30, 20).flops == 1200


def test_programs_take_turns_and_the_first_round_does_not_count(monkeypatch):
    clock, order = [0.0], []
    monkeypatch.setattr(roofline.time, "perf_counter", lambda: clock[0])
    durations = {"a": iter([9, 3, 2, 4]), "b": iter([1, 5, 7, 6])}

    def run(name):
        order.append(name)
        clock[0] += next(durations[name])

    assert best_seconds({name: lambda name=name: run(name) for name in "ab"}, rounds=3) == {"a": 2, "b": 5}
    assert order == list("abababab")


def test_the_limits_are_measured_by_a_copy_and_a_product(monkeypatch):
    runs, works = copy_and_matmul(megabytes=1, n=50)
    assert list(runs) == list(works) == ["copy", "matmul"]
    assert works["copy"].bytes == 2_000_000
    assert works["matmul"] == matmul(50, 50, 50)
    monkeypatch.setattr(roofline, "best_seconds", lambda runs, rounds: {"copy": 0.5, "matmul": 0.25})
    machine = measure_machine(megabytes=1, n=50)
    assert machine == Roofline(peak=4 * 250_000, bandwidth=4_000_000)


def test_double_precision_moves_twice_the_bytes():
    assert copy_and_matmul(np.float64, megabytes=1, n=20)[1]["matmul"].bytes == 3 * 400 * 8
