"""The benchmark of the grader runs, and writes what it measured with all that is needed to measure it again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlcourse.grading.sandbox import why_no_bubblewrap

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")
def test_two_copies_are_timed_and_the_results_say_how(tmp_path):
    arguments = ["--copies", "2", "--rounds", "1", "--systems", "mlcourse", "--quick", "--results", str(tmp_path)]
    command = [sys.executable, str(ROOT / "benchmarks/grading.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("grading-*.json")
    results = json.loads(path.read_text())
    assert set(results["copies"]) == {"mlcourse, 1 job", "mlcourse, 2 jobs"}
    for measured in results["copies"].values():
        assert measured["wall"] > 0
        assert measured["cpu"] > 0
    assert "--copies 2" in results["about"]["command"]
    assert results["about"]["versions"]["numpy"]
    table = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| mlcourse, 1 job |" in table
    assert results["about"]["machine"] in table
