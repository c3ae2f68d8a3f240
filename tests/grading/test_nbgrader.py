"""The course in nbgrader: its exercises as assignments, marks as our grader gives them, tested against the real nbgrader 0.9.6."""

import csv
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.environments import NBGRADER, environment, variables_of

from mlcourse.authoring.course import Course
from mlcourse.cli import main
from mlcourse.exercises import exercise_set, exercise_sets
from mlcourse.grading import nbgrader
from mlcourse.grading.exercise import Exercise
from mlcourse.grading.exports import grades_json, nbgrader_csv
from mlcourse.grading.gradebook import Adjustment, Gradebook, final_points
from mlcourse.grading.marks import ExerciseMark
from mlcourse.grading.notebook import check_notebook
from mlcourse.grading.sandbox import why_no_bubblewrap

ROOT = Path(__file__).parents[2]
KEY = "python/numpy"
EXERCISES = exercise_set(KEY)
POSSIBLE = sum(exercise.points for exercise in EXERCISES)
HALF = [exercise.name for exercise in EXERCISES[::2]]
NEARLY = """import sys
def standardize_columns(X):
    print("noise", file=sys.stderr)
    return (X - X.mean(axis=0)) / X.std(axis=0)"""
ESSAY = Exercise("essay", "An essay", 5, 10, 1, ("Begin.",), answer="manual", rubric="It has a point.")
CARD = Exercise(
    "card", "A value", 2, 5, 1, ("Two.",), answer="value", cases=lambda rng: [], oracle=lambda: 2,
    mistakes=EXERCISES[0].mistakes,
)  # fmt: skip


def code(source, **metadata):
    return {
        "cell_type": "code",
        "id": "x",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def about(cell):
    return cell["metadata"].get("nbgrader", {})


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A course directory with every set, and a manual exercise in one of them."""
    out = tmp_path_factory.mktemp("nbgrader") / "course"
    nbgrader.export_course(Course(ROOT), out)
    path = out / "source/python-numpy/numpy.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    starter = "essay = ..."
    solved = {starter: (ESSAY, "# solution\nessay = 'A point.'\n# starter\n#| essay = ...\n# end solution")}
    content["cells"] += nbgrader._source_cells([code(starter)], solved)
    path.write_text(json.dumps(content), encoding="utf-8")
    return out


@pytest.mark.parametrize("key", exercise_sets())
def test_the_source_version_has_our_solutions_and_a_test_of_each(exported, key):
    name = key.replace("/", "-")
    path = exported / "source" / name / f"{key.split('/')[1]}.ipynb"
    graded = {about(cell)["grade_id"]: cell for cell in cells_of(path) if about(cell)}
    report = check_notebook(path)
    for exercise in exercise_set(key):
        solution, test = about(graded[exercise.name]), about(graded.get(f"test_{exercise.name}", code("")))
        assert (solution["solution"], solution["grade"], solution["locked"]) == (True, exercise.manual, False)
        if exercise.manual:
            assert report.results[exercise.name].answered
            assert solution["points"] == exercise.points
        else:
            assert report.results[exercise.name].passed, exercise.name
            assert (test["solution"], test["grade"], test["locked"]) == (False, True, True)
            assert test["points"] == exercise.points


def test_values_are_checked_by_name_and_a_person_grades_manual_answers():
    cells = [code("card = ..."), code('check("card", card)', tags=["check"])]
    solution, test = nbgrader._source_cells(cells, {"card = ...": (CARD, "card = 2")})
    assert about(solution)["grade"] is False
    assert 'nbgrader_points("card", card)' in "".join(test["source"])
    cells = [code("essay = ..."), code('check("essay", essay)', tags=["check"])]
    essay, check = nbgrader._source_cells(cells, {"essay = ...": (ESSAY, "essay = 'so'")})
    assert (about(essay)["grade"], about(essay)["solution"], about(essay)["points"]) == (True, True, 5)
    assert check == cells[1], "the check stays, and gives no points"


def test_a_starter_with_both_kinds_of_quotes_is_refused():
    with pytest.raises(nbgrader.NbgraderError, match="f: the starter code has both"):
        nbgrader._with_solution("def f(): pass", "'''\n\"\"\"", "f")


def test_settings_that_are_there_are_kept(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").write_text("# mine")
    assert main(["export", "nbgrader", "--set", KEY, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "nbgrader_config.py").read_text() == "# mine"
    assert [path.name for path in (tmp_path / "source").iterdir()] == ["python-numpy"]
    assert "numpy.ipynb" in capsys.readouterr().out


def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch, capsys):
    assert main(["export", "nbgrader", "--set", "math/nothing", "--out", str(tmp_path)]) == 2
    assert "there is no exercise set 'math/nothing'" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["export", "nbgrader"]) == 1
    assert "run this inside a clone of the repository" in capsys.readouterr().err
    grades_json("grades.json", [])
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    assert main(["export", "nbgrader", "--grades", "."]) == 2
    assert "in which nbgrader and mlcourse are both installed" in capsys.readouterr().err


# From here on with the real nbgrader.


@pytest.fixture(scope="module")
def python():
    try:
        return environment("nbgrader", NBGRADER)
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"there is no environment with nbgrader: {error}")


def run(python, *arguments, cwd):
    """Run Python in nbgrader's environment, with the course directory as the home folder; return what it prints."""
    variables = variables_of(python) | {"HOME": str(cwd), "JUPYTER_CONFIG_DIR": str(cwd), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([str(python), *arguments], cwd=cwd, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SCORES = """
import json
from nbgrader.api import Gradebook

def scores():
    with Gradebook("sqlite:///gradebook.db", "mlcourse") as book:
        notebooks = [s.notebooks[0] for student in book.students for s in student.submissions]
        return {n.student.id: {
            "score": n.score, "max_score": n.max_score, "penalty": n.late_submission_penalty,
            "cells": {g.name: g.score for g in n.grades}, "waiting": [g.name for g in n.grades if g.needs_manual_grade],
        } for n in notebooks}
"""


@pytest.fixture(scope="module")
def released(python, exported):
    run(python, "-m", "nbgrader", "generate_assignment", "*", cwd=exported)
    return exported


@pytest.fixture(scope="module")
def autograded(python, released):
    """Three students: one solved everything, one half of it and a little more, one nothing."""
    source = cells_of(released / "source/python-numpy/numpy.ipynb")
    solutions = {about(cell)["grade_id"]: cell["source"] for cell in source if about(cell).get("solution")}
    half = {name: solutions[name] for name in HALF} | {"standardize_columns": NEARLY}
    answers = {"ann": solutions, "bob": half, "cy": {}}
    for student, own in answers.items():
        content = json.loads((released / "release/python-numpy/numpy.ipynb").read_text(encoding="utf-8"))
        for cell in content["cells"]:
            if about(cell).get("solution"):
                cell["source"] = own.get(about(cell)["grade_id"], cell["source"])
        path = released / f"submitted/{student}/python-numpy/numpy.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    run(python, "-m", "nbgrader", "autograde", "python-numpy", cwd=released)
    return released


def test_nbgrader_releases_every_set_without_solutions(released):
    for key in exercise_sets():
        name, notebook = key.replace("/", "-"), f"{key.split('/')[1]}.ipynb"
        ours = [cell for cell in cells_of(ROOT / "exercises" / f"{key}.ipynb") if cell["cell_type"] == "code"]
        theirs = [
            cell
            for cell in cells_of(released / "release" / name / notebook)
            if cell["cell_type"] == "code" and about(cell).get("grade_id") != "essay"
        ]
        assert len(ours) == len(theirs)
        for our, their in zip(ours, theirs, strict=True):
            text = "".join(their["source"])
            if about(their).get("solution"):
                assert text == "# Write your answer in this cell.\n" + "".join(our["source"])
            elif about(their):
                assert "nbgrader_points(" in text
            else:
                assert text == "".join(our["source"])


def test_nbgrader_gives_the_points_of_our_check(autograded, python):
    found = json.loads(run(python, "-c", SCORES + "print(json.dumps(scores()))", cwd=autograded))
    assert set(found) == {"ann", "bob", "cy"}
    for student, marks in found.items():
        report = check_notebook(autograded / f"submitted/{student}/python-numpy/numpy.ipynb")
        ours = {f"test_{name}": result.points for name, result in report.results.items()}
        assert marks["cells"] == {**ours, "essay": 0}
        assert marks["max_score"] == POSSIBLE + ESSAY.points
    assert (found["ann"]["score"], found["cy"]["score"]) == (POSSIBLE, 0)
    assert 0 < found["bob"]["cells"]["test_standardize_columns"] < 4, "no partial credit, or noise costs points"
    assert {student: marks["waiting"] for student, marks in found.items()} == {"ann": ["essay"], "bob": [], "cy": []}


def test_a_student_sees_our_diagnosis(autograded):
    cells = cells_of(autograded / "autograded/bob/python-numpy/numpy.ipynb")
    test = next(cell for cell in cells if about(cell).get("grade_id") == "test_standardize_columns")
    shown = json.dumps([output.get("data") for output in test["outputs"]])
    assert "a constant column" in shown.lower()
    assert "noise" not in shown
    assert not list(autograded.rglob("progress.jsonl")), "the students' checks are not the teacher's progress"


@pytest.fixture(scope="module")
def imported(autograded, python):
    """The class grader's marks, with adjustments and a manual exercise, written into nbgrader's gradebook."""
    out = autograded / "grades"
    sandbox = "none" if why_no_bubblewrap() else "bubblewrap"
    command = ["grade", str(autograded / "submitted"), "--out", str(out), "--seed", "5", "--sandbox", sandbox]
    assert main(command) == 0
    with Gradebook(out / "gradebook.sqlite") as book:
        book.adjust("ann", KEY, 1.5, "B. Lee", "a good comment")
        book.adjust("bob", KEY, -2, "B. Lee", "a day late")
        book.adjust("cy", KEY, -1, "B. Lee", "two days late")
        marks = [add_essay(mark) for mark in book.latest()]
        adjustments = [*book.adjustments(), Adjustment("ann", KEY, 4, "B. Lee", "well put", "essay")]
    grades_json(out / "grades.json", marks, adjustments)
    run(python, "-m", "mlcourse.cli", "export", "nbgrader", "--grades", "grades", "--out", ".", cwd=autograded)
    run(python, "-m", "nbgrader", "export", "--assignment", "['python-numpy']", "--to", "theirs.csv", cwd=autograded)
    return autograded, marks, adjustments


def add_essay(mark):
    status = "manual" if mark.student == "ann" else "missing"
    return dataclasses.replace(mark, exercises=(*mark.exercises, ExerciseMark("essay", "An essay", 0, 5, status)))


AGAIN = """
from pathlib import Path
from mlcourse.grading.nbgrader import NbgraderError, import_grades

found = [scores()]
with Gradebook("sqlite:///gradebook.db", "mlcourse") as book:
    book.find_grade("test_checkerboard", "numpy", "python-numpy", "ann").manual_score = 1
    book.db.commit()
import_grades("grades", ".")
found.append(scores())
Path("empty").mkdir()
try:
    import_grades("grades", "empty")
except NbgraderError as error:
    found.append(str(error))
print(json.dumps(found))
"""


def test_our_marks_are_in_nbgraders_gradebook_and_what_a_person_graded_there_stays(imported, python):
    course, marks, adjustments = imported
    found, again, error = json.loads(run(python, "-c", SCORES + AGAIN, cwd=course))
    for mark in marks:
        theirs = found[mark.student]
        assert max(0, theirs["score"] - (theirs["penalty"] or 0)) == pytest.approx(final_points(mark, adjustments))
        assert theirs["waiting"] == []
    assert found["ann"]["score"] == POSSIBLE + 1.5 + 4
    assert found["ann"]["cells"]["essay"] == 4
    assert found["bob"]["penalty"] == 2
    assert again.pop("ann")["score"] == found.pop("ann")["score"] - 2, "a person gave one of three points"
    assert again == found
    assert "run `nbgrader generate_assignment` in empty first" in error


def test_nbgraders_own_export_agrees_with_our_file_in_its_format(imported):
    course, marks, adjustments = imported
    nbgrader_csv(course / "ours.csv", marks, adjustments)
    theirs, ours = (
        list(csv.DictReader((course / name).read_text().splitlines())) for name in ("theirs.csv", "ours.csv")
    )
    assert list(theirs[0]) == list(ours[0])
    ours = {row["student_id"]: row for row in ours}
    for row in theirs:
        for column in ("raw_score", "late_submission_penalty", "score", "max_score"):
            assert float(row[column] or 0) == pytest.approx(float(ours[row["student_id"]][column])), (row, column)


def test_a_folder_without_grades_is_refused(tmp_path, capsys):
    assert main(["export", "nbgrader", "--grades", str(tmp_path)]) == 2
    assert "give the folder that `mlcourse grade --out` wrote" in capsys.readouterr().err
