"""`mlcourse check` marks a whole notebook; what it cannot mark it refuses with exit status 2."""

import json

import pytest

from mlcourse.authoring.exercises import solved_cells
from mlcourse.cli import main
from mlcourse.exercises import exercise_set, exercise_sets
from tests.conftest import ROOT

KEY = "math/vectors"


def notebook(cells, **metadata):
    code = [
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
        for source in cells
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": code}


@pytest.fixture
def check_file(tmp_path, capsys):
    def run(content, name="mine.ipynb"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        status = main(["check", str(path)])
        return status, "".join(capsys.readouterr())

    return run


@pytest.mark.parametrize("key", exercise_sets())
def test_solved_notebook_has_all_points(check_file, key):
    status, shown = check_file(notebook(solved_cells(ROOT / f"solutions/{key}.md"), mlcourse={"exercises": key}))
    points = sum(exercise.points for exercise in exercise_set(key))
    to_read = sum(exercise.points for exercise in exercise_set(key) if exercise.manual)
    assert status == 0, shown
    assert f"{key}: {points - to_read} of {points} points" in shown


@pytest.mark.parametrize("key", exercise_sets())
def test_untouched_notebook_has_no_points_and_no_traceback(capsys, key):
    assert main(["check", str(ROOT / f"exercises/{key}.ipynb")]) == 1
    shown = capsys.readouterr().out
    assert f"{key}: 0 of " in shown
    assert "not started" in shown
    assert "Traceback" not in shown
    assert "Difference(" not in shown


def test_a_failing_cell_costs_only_itself(check_file):
    cells = [*solved_cells(ROOT / f"solutions/{KEY}.md"), "1 / 0", "import sys; sys.exit(3)", "%matplotlib inline\n!ls"]
    status, shown = check_file(notebook(cells, mlcourse={"exercises": KEY}))
    assert status == 0
    assert "raised ZeroDivisionError: division by zero" in shown


def test_missing_function_is_named(check_file):
    status, shown = check_file(notebook(["x = 1"], mlcourse={"exercises": KEY}))
    assert status == 1
    assert "there is no function named cosine_similarity" in shown


def test_the_set_is_known_from_the_path_too(tmp_path, capsys):
    (tmp_path / "math").mkdir()
    path = tmp_path / "math/vectors.ipynb"
    path.write_text(json.dumps(notebook(["x = 1"])), encoding="utf-8-sig")
    assert main(["check", str(path)]) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "is not a Jupyter notebook"),
        ("[]", "has no cells"),
        ({"nbformat": 4}, "open it in JupyterLab, save it"),
        (notebook([]), "belongs to no exercise set"),
        (notebook([], mlcourse={"exercises": "math/nothing"}), "belongs to no exercise set"),
        (notebook([], mlcourse="odd"), "belongs to no exercise set"),
        (notebook([], mlcourse={"chapter": KEY}), "its exercises are in exercises/math/vectors.ipynb"),
    ],
)
def test_broken_and_foreign_notebooks(check_file, content, words):
    status, shown = check_file(content)
    assert status == 2
    assert words in shown


def test_missing_file(capsys):
    assert main(["check", "nowhere.ipynb"]) == 2
    assert "there is no file nowhere.ipynb" in capsys.readouterr().err


def test_odd_cells_are_passed_over(check_file):
    content = notebook(["x = 1"], mlcourse={"exercises": KEY})
    content["cells"] += [3, {"cell_type": "code"}, {"cell_type": "code", "source": ["y = ", "2"], "metadata": None}]
    assert check_file(content)[0] == 1


def test_the_environment_stays_as_it_was(check_file, monkeypatch):
    import os

    monkeypatch.delenv("MPLBACKEND", raising=False)
    check_file(notebook(["x = 1"], mlcourse={"exercises": KEY}))
    assert "MPLBACKEND" not in os.environ
