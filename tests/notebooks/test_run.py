"""Every derived notebook runs from top to bottom in a clean folder, within the time and memory that its chapter declares."""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest

from mlcourse.authoring.course import Course
from tests.conftest import ROOT

COURSE = Course(ROOT)
NOTEBOOKS = [f"{folder}/{chapter.slug}.ipynb" for chapter in COURSE.chapters for folder in ("notebooks", "exercises")]
SLACK = 3


def run_with_nbval(notebook, folder):
    """Execute with nbval; return (exit status, output, seconds, peak megabytes of the largest process)."""
    copy = folder / Path(notebook).name
    shutil.copy(ROOT / notebook, copy)
    log = folder / "log.txt"
    options = ["--nbval-lax", "-p", "no:xdist", "-o", "addopts=", "--rootdir", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    environment.pop("MPLBACKEND", None)
    start = time.perf_counter()
    with open(log, "w") as output:
        command = [sys.executable, "-m", "pytest", *options, str(copy)]
        process = psutil.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        peak = 0
        while process.poll() is None:
            peak = max(peak, largest_process(process))
            time.sleep(0.05)
    return process.returncode, log.read_text(), time.perf_counter() - start, peak / 1e6


def largest_process(process):
    """Bytes in memory of the largest among a process and its descendants; the kernel is one of them."""
    sizes = [0]
    with contextlib.suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                sizes.append(one.memory_info().rss)
    return max(sizes)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebook_runs_within_what_its_chapter_declares(notebook, tmp_path):
    facts = COURSE.by_slug[notebook.split("/", 1)[1].removesuffix(".ipynb")].facts
    status, output, seconds, megabytes = run_with_nbval(notebook, tmp_path)
    assert status == 0, output
    assert seconds < SLACK * facts.seconds, f"{seconds:.0f} s; the front matter declares {facts.seconds} s"
    assert megabytes < facts.megabytes, f"{megabytes:.0f} MB; the front matter declares {facts.megabytes} MB"


def test_a_failing_notebook_is_noticed(tmp_path):
    notebook = tmp_path / "bad.ipynb"
    notebook.write_text(
        '{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [], "source": "1 / 0"}],'
        ' "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5}'
    )
    (tmp_path / "run").mkdir()
    status, output, _, _ = run_with_nbval(notebook, tmp_path / "run")
    assert status == 1
    assert "ZeroDivisionError" in output
