"""Measured times: interleaved, medians, a table."""

import time

import pytest

from mlcourse.display import compare_times


def test_runs_are_interleaved():
    calls = []
    compare_times({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3)
    assert calls == ["a", "b"] * 3


def test_median_and_ratio():
    times = compare_times({"slow": lambda: time.sleep(0.02), "fast": lambda: time.sleep(0.002)}, repeats=3)
    assert times["slow"] > times["fast"]
    assert "ratio to fast" in times._repr_markdown_()
    assert repr(times).count("\n") == 1


@pytest.mark.parametrize(("functions", "repeats"), [({}, 3), ({"a": int}, 0)])
def test_bad_input(functions, repeats):
    with pytest.raises(ValueError, match="compare_times"):
        compare_times(functions, repeats=repeats)
