"""The command that measures the from-scratch methods: cases are complete, libraries agree, and the results say how they were made."""

import json
import subprocess
import sys

import pytest
from benchmarks.from_scratch import runner
from benchmarks.from_scratch.runner import Case, load_cases, markdown, measure, misses, work_seconds

from tests.conftest import ROOT

CASES = load_cases()


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=lambda case: case.name)
def test_a_case_names_what_it_needs(case):
    assert {"mlcourse", case.reference} <= set(case.build)
    assert case.sizes
    assert case.target > 0


def test_names_are_unique():
    names = [case.name for _, case in CASES]
    assert len(names) == len(set(names))


def test_one_command_writes_one_table(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.from_scratch",
        "two moons",
        "--rounds",
        "1",
        "--smallest",
        "--results",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("from-scratch-*.json")
    results = json.loads(path.read_text())
    (row,) = results["rows"]
    ours, reference = (row["libraries"][name] for name in ("mlcourse", "torch"))
    assert ours["result"] == pytest.approx(reference["result"], rel=1e-4), "the two did not do the same work"
    assert row["ratio"] == pytest.approx(ours["seconds"] / reference["seconds"])
    assert results["about"]["versions"]["numpy"]
    assert results["about"]["command"].endswith("--results " + str(tmp_path))
    table = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| two moons step | 2-16-16-1 |" in table
    assert table in done.stdout + "\n"


def test_an_unknown_name_lists_those_that_exist(tmp_path):
    command = [sys.executable, "-m", "benchmarks.from_scratch", "no such thing", "--results", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "MLP epoch" in done.stderr


def row(ratio, target=1.0):
    libraries = {
        "mlcourse": {"seconds": ratio},
        "torch": {"seconds": 1.0},
        "other": {"skipped": "No module named 'other'"},
    }
    return {"case": "c", "size": "s", "reference": "torch", "libraries": libraries, "ratio": ratio, "target": target}


def test_the_table_marks_what_misses_its_target_and_what_was_skipped():
    about = {"date": "2026-01-01", "device": "d", "versions": {}, "time": "t", "load before": 0, "command": "x"}
    table = markdown({"about": about, "rows": [row(1.5), row(0.5), row(3.0, target=None)]})
    assert table.count("missed") == 1
    assert "**1.50** | ≤ 1 missed | – |" in table
    assert "- skipped other: No module named 'other'" in table
    assert len(misses({"rows": [row(1.5), row(0.5), row(3.0, target=None)]})) == 1


def test_short_work_is_repeated():
    calls = []
    seconds = work_seconds(lambda: calls.append(sum(range(1000))))
    assert len(calls) > 10
    assert seconds * len(calls) >= runner.SHORTEST * 0.5


def test_a_worker_that_fails_stops_the_run():
    case = Case("two moons step", {"no such size": {}}, {"mlcourse": None}, "torch", 1.0)
    with pytest.raises(RuntimeError, match="no such size"):
        measure("neural", case, "no such size", 1)
