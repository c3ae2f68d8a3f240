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
        "about": build.about(60),
        build.ALL: {**steps, "rendering": 23.0, "optimizing": 4.0, "all": 30.0, "CPU": 29.0, "pages": 124},
        build.IDLE: {"looking": 0.1, "all": 0.7, "CPU": 0.6, "pages": 0},
        build.EDITED: {**steps, "rendering": 5.0, "all": 9.0, "CPU": 8.5, "pages": 4},
    }
    text = build.table(results)
    assert "| nothing changed | 0 | 0.7 | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | 0.6 |" in text
    assert "| one sentence changed | 4 | 9.0 | 1.0 | 1.0 | 5.0 | 1.0 | 1.0 | 8.5 |" in text
    assert "| rendering, without start | 0.15 | 0.15 | s a page |" in text
    assert "| optimizing | 3.23 | 3 | s for 100 pages |" in text
