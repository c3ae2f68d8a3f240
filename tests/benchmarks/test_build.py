"""The book that the benchmark of the build makes is a course like any other, with as many chapters as asked for."""

import os
import subprocess
import sys

import pytest
from benchmarks import build

ADDED = 3


@pytest.fixture(scope="module")
def book(tmp_path_factory, course):
    folder = tmp_path_factory.mktemp("book")
    build.copy_course(folder)
    return folder, build.add_chapters(
        folder, [chapter.slug for chapter in course.chapters], len(course.chapters) + ADDED
    )


def test_it_has_copies_of_the_chapters_with_labels_of_their_own(book, course):
    folder, copies = book
    assert len(copies) == ADDED
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, "-m", "mlcourse.cli", "sync"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for _, new in copies:
        assert f"notebooks/{new}.ipynb" in done.stdout


def test_the_table_says_what_is_promised():
    steps = dict.fromkeys(build.STEPS, 1.0)
    results = {
        "all pages": {**steps, "rendering": 13.0, "optimizing": 2.0, "all": 20.0, "CPU": 19.0},
        "nothing changed": {**steps, "rendering": 4.0, "all": 8.0, "CPU": 7.5},
        "one sentence changed": {**steps, "rendering": 5.0, "all": 9.0, "CPU": 8.5},
    }
    text = build.table(results, 60)
    assert "| nothing changed | 8.0 | 1.0 | 1.0 | 4.0 | 1.0 | 1.0 | 7.5 |" in text
    assert "| rendering, without start | 0.15 | 0.15 | s a page |" in text
    assert "| optimizing | 3.33 | 3 | s for 100 pages |" in text
