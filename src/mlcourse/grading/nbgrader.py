"""The course in nbgrader: its exercises as assignments there, and the class grader's marks in nbgrader's gradebook.

A teacher whose school runs nbgrader, in a clone of the repository::

    mlcourse export nbgrader --out course        # the source version of every exercise set
    cd course
    nbgrader generate_assignment math-vectors    # from here on everything is nbgrader's own
    nbgrader autograde math-vectors

nbgrader's Python needs this package, for the locked test cells call `check` through `nbgrader_points`. ``nbgrader autograde`` runs the
students' code without a sandbox and on the public cases only. ``mlcourse grade`` knows nbgrader's folders, and its marks go into
nbgrader's gradebook, from where formgrader and ``nbgrader export`` take them::

    mlcourse grade submitted --out grades
    mlcourse export nbgrader --grades grades --out .

Both write the same fields, so the last one counts. Points that a person gave in formgrader take precedence over both.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
from pathlib import Path, PurePosixPath

from mlcourse.grading.gradebook import Adjustment, adjustments_of, waiting
from mlcourse.grading.marks import SubmissionMark

CONFIG = '''\
"""Settings of nbgrader for this course."""

c = get_config()
c.CourseDirectory.course_id = "mlcourse"

# Stands where a solution was taken out, above the code that a student begins with.
c.ClearSolutions.code_stub = {"python": "# Write your answer in this cell."}

# `check` ends an answer that runs too long after 10 seconds; this is for everything else.
c.Execute.timeout = 60
'''

_TEST = """\
# Shows what the check says; the number is what nbgrader records.
from mlcourse.grading.nbgrader import nbgrader_points

nbgrader_points({answer})"""

_SOURCE = """\
### BEGIN SOLUTION
{solution}

r{quotes} The student begins with:
### END SOLUTION
{starter}
{quotes}  ### END SOLUTION"""

_EXPORT_AGAIN = "write the assignment with `mlcourse export nbgrader`, then run `nbgrader generate_assignment`"


class NbgraderError(Exception):
    """Exercises or marks that cannot be brought to nbgrader; the message says why and what to do."""


def assignment_name(key):
    """Name the assignment of an exercise set: nbgrader allows no slash.

    Examples
    --------
    >>> assignment_name("math/vectors")
    'math-vectors'
    """
    return key.replace("/", "-")


def nbgrader_points(*answer):
    """Show what `mlcourse.exercises.check` says and return the points: the test cell of an nbgrader assignment.

    nbgrader takes a test cell's result for its points only if it is a number. What an answer writes to the error stream would cost
    all points (a warning, say), so it is dropped here.

    Parameters
    ----------
    *answer
        As `check` takes it.

    Returns
    -------
    float
    """
    from IPython.display import display

    from mlcourse.exercises import check

    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        os.environ["MLCOURSE_PROGRESS"] = os.devnull  # it is not the progress of the person who grades
    with contextlib.redirect_stderr(io.StringIO()):
        result = check(*answer)
    display(result)
    return float(result.points)


def export_course(course, out, keys=()):
    """Write a course directory for nbgrader: its settings and the source version of the exercise sets.

    Settings that are there already are kept; assignments are written anew.

    Parameters
    ----------
    course : mlcourse.authoring.course.Course
    out : Path
        The folder; it is made if it is missing.
    keys : sequence of str
        Exercise sets such as ``math/vectors``; all by default.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    LookupError
        If there is no such exercise set.
    """
    from mlcourse.authoring.sync import derive

    known = [chapter.slug for chapter in course.chapters]
    for key in keys:
        if key not in known:
            raise LookupError(f"there is no exercise set {key!r}; the sets are {', '.join(known)}")
    derived = derive(course)
    files = {
        out / "source" / assignment_name(key) / f"{PurePosixPath(key).name}.ipynb": source_version(
            course, key, derived[PurePosixPath(f"exercises/{key}.ipynb")]
        )
        for key in keys or known
    }
    if not (out / "nbgrader_config.py").exists():
        files[out / "nbgrader_config.py"] = CONFIG
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(files)


def source_version(course, key, notebook):
    """Turn an exercise notebook into nbgrader's source version: with our solutions, and with locked test cells.

    Parameters
    ----------
    course : mlcourse.authoring.course.Course
    key : str
        The exercise set.
    notebook : str
        The derived notebook, as `mlcourse.authoring.sync.derive` makes it.

    Returns
    -------
    str
        A notebook.
    """
    from mlcourse.authoring.exercises import exercise_cells, take_out_solution
    from mlcourse.exercises import exercise_set

    exercises = {exercise.name: exercise for exercise in exercise_set(key)}
    path = course.root / "solutions" / f"{key}.md"
    solved = {
        take_out_solution(cell.source, path, cell.line): (exercises[asked], cell.source)
        for cell, _, asked in exercise_cells(path, list(exercises))
        if asked
    }
    content = json.loads(notebook)
    content["cells"] = list(_source_cells(content["cells"], solved))
    _link_to_site(content["cells"][0], course.page_url(f"book/{key}"))
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _source_cells(cells, solved):
    """Put our solution into each cell that asks for one, and make a test cell of the check that follows."""
    exercise = None
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and source in solved:
            exercise, solution = solved[source]
            about = _metadata(exercise.name, solution=True, points=exercise.points if exercise.manual else None)
            yield _changed(cell, _with_solution(solution, source, exercise.name), about)
        elif "check" in cell["metadata"].get("tags", ()) and exercise is not None and not exercise.manual:
            answer = f'"{exercise.name}", {exercise.name}' if exercise.answer == "value" else exercise.name
            about = _metadata(_test_id(exercise.name), solution=False, points=exercise.points)
            yield _changed(cell, _TEST.format(answer=answer), about)
            exercise = None
        else:
            yield cell


def _test_id(name):
    """The grade_id of an exercise's test cell; that of its solution cell is the name of the exercise."""
    return f"test_{name}"


def _with_solution(solution, starter, name):
    """A cell that holds both: our solution runs, and the student's beginning is a string until nbgrader takes out its first line.

    nbgrader knows one replacement for all solutions, but some exercises hand out code to repair.
    """
    quotes = next((quotes for quotes in ("'''", '"""') if quotes not in starter), None)
    if quotes is None:
        raise NbgraderError(f"{name}: the starter code has both ''' and \"\"\"; write its docstrings with one of them")
    solution = re.sub(r"^ *# starter$.*?(?=^ *# end solution$)", "", solution, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in solution.split("\n") if line.strip() not in ("# solution", "# end solution")]
    return _SOURCE.format(solution="\n".join(lines), starter=starter, quotes=quotes)


def _metadata(grade_id, solution, points):
    graded = points is not None
    about = {"schema_version": 3, "cell_type": "code", "grade_id": grade_id, "grade": graded, "solution": solution}
    about |= {"locked": not solution, "task": False}
    return about | ({"points": points} if graded else {})


def _changed(cell, source, about):
    return cell | {"source": source.splitlines(keepends=True), "metadata": cell["metadata"] | {"nbgrader": about}}


def _link_to_site(cell, address):
    """Let the link below the title lead to the site: the neighboring notebooks are not in a course directory."""
    text = re.sub(r"^\[The chapter\].*$", f"[The chapter]({address})", "".join(cell["source"]), flags=re.MULTILINE)
    cell["source"] = text.splitlines(keepends=True)


def import_grades(results, course):
    """Write marks of the class grader into nbgrader's gradebook, through nbgrader's own interface.

    Doing it again changes nothing. What is written: the points of each test cell as its automatic score; the points that an
    adjustment gave to a manual exercise as its manual score; other points added as extra credit of the first exercise, and points
    taken away as late penalty. Scores that a person gave to test cells in formgrader stay, and count.

    Parameters
    ----------
    results : Path
        The folder that ``mlcourse grade`` wrote.
    course : Path
        The course directory, where ``nbgrader generate_assignment`` has run.

    Returns
    -------
    dict of (str, str) to float
        For each student and assignment, the score that nbgrader now computes.

    Raises
    ------
    NbgraderError
        If nbgrader is not installed here, or has not these assignments.
    """
    marks, adjustments = _read_results(Path(results))
    api = _nbgrader_api()
    scores = {}
    with api.Gradebook(*_database(Path(course))) as book:
        for mark in marks:
            if mark.status == "graded":
                key = (mark.student, assignment_name(mark.exercise_set))
                try:
                    scores[key] = _record(book, mark, adjustments_of(mark, adjustments))
                except api.MissingEntry as error:
                    raise NbgraderError(f"{error}; {_EXPORT_AGAIN}") from None
    return scores


def _nbgrader_api():
    try:
        from nbgrader import api
    except ModuleNotFoundError as error:
        raise NbgraderError(
            f"{error}; run this with the Python in which nbgrader and mlcourse are both installed"
        ) from None
    return api


def _read_results(folder):
    """The marks and adjustments that a run of the class grader wrote."""
    path = folder / "grades.json"
    try:
        content = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise NbgraderError(
            f"{path} cannot be read ({error}); give the folder that `mlcourse grade --out` wrote"
        ) from None
    fields = {field.name for field in dataclasses.fields(SubmissionMark)}
    marks, adjustments = [], []
    for submission in content["submissions"]:
        marks.append(SubmissionMark.from_data({key: value for key, value in submission.items() if key in fields}))
        adjustments += [Adjustment(**entry) for entry in submission["adjustments"]]
    return marks, adjustments


def _database(course):
    """Where nbgrader keeps its gradebook, and for which course, as its own commands find them in this folder."""
    from nbgrader.apps import NbGrader

    if not course.is_dir():
        raise NbgraderError(f"there is no folder {course}; give nbgrader's course directory with --out")
    with contextlib.chdir(course):
        app = NbGrader()
        app.initialize([])
    address = app.coursedir.db_url
    file = Path(address.removeprefix("sqlite:///"))
    if address.startswith("sqlite:///") and not file.exists():
        raise NbgraderError(f"there is no gradebook {file}; run `nbgrader generate_assignment` in {course} first")
    return address, app.coursedir.course_id


def _record(book, mark, adjustments):
    """Write the marks of one submission and return the score that nbgrader computes from them."""
    assignment, notebook = assignment_name(mark.exercise_set), PurePosixPath(mark.exercise_set).name
    book.find_notebook(notebook, assignment)
    book.update_or_create_student(mark.student)
    book.update_or_create_submission(assignment, mark.student)
    submitted = book.find_submission_notebook(notebook, assignment, mark.student)
    cells = {grade.name: grade for grade in submitted.grades}
    grades = {exercise.name: _cell_of(exercise.name, cells, assignment) for exercise in mark.exercises}
    manual = {exercise.name for exercise in mark.exercises if exercise.status == "manual"}
    for exercise in mark.exercises:
        grade = grades[exercise.name]
        grade.auto_score = None if exercise.name in manual else exercise.points
        grade.needs_manual_grade = exercise in waiting(mark, adjustments)
        given = [entry.points for entry in adjustments if entry.exercise == exercise.name]
        if exercise.name in manual and given:
            grade.manual_score = sum(given)
    others = [entry.points for entry in adjustments if entry.exercise not in manual]
    if others:
        grades[mark.exercises[0].name].extra_credit = sum(points for points in others if points > 0)
        submitted.late_submission_penalty = -sum(points for points in others if points < 0)
    book.db.commit()
    book.db.refresh(submitted)
    return max(0.0, round(submitted.score - (submitted.late_submission_penalty or 0.0), 2))


def _cell_of(name, cells, assignment):
    """The graded cell of an exercise: its test cell, or its solution cell where a person grades it."""
    found = cells.get(_test_id(name)) or cells.get(name)
    if found is None:
        raise NbgraderError(f"nbgrader's assignment {assignment} has no exercise {name}; {_EXPORT_AGAIN}")
    return found
