"""Marks for other programs: CSV, JSON, JUnit XML, and the formats of Canvas, Gradescope and nbgrader.

Each function writes its file at once or not at all. Points are those after adjustments, and never below 0. In CSV files,
text that a spreadsheet would take for a formula begins with an apostrophe, and control characters show as signs.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import secrets
import xml.etree.ElementTree as ET
from pathlib import Path

from mlcourse.grading.feedback import file_name, number, visible
from mlcourse.grading.gradebook import adjustments_of, final_points, waiting

_LONGEST_CELL = 2000
_FORMULA = re.compile(r"""((?:^|[;|,])["'\s]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])""")
_CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_CANVAS_IDS = ("SIS Login ID", "SIS User ID", "ID", "Student")
_NBGRADER_COLUMNS = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email")
_NBGRADER_COLUMNS += ("raw_score", "late_submission_penalty", "score", "max_score")


def grades_csv(path, marks, adjustments=()):
    """Write one row for each submission, with a column for each exercise; spreadsheets open it as UTF-8.

    Parameters
    ----------
    path : str or Path
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment
    """
    marks, adjustments = list(marks), list(adjustments)
    names = list(dict.fromkeys(exercise.name for mark in marks for exercise in mark.exercises))
    columns = ("student", "exercise_set", "status", "points", "max_points", "graded_points", "adjustment_points")
    header = (*columns, "to_read", "seed", "digest", "reason", *names)
    rows = [_grades_row(mark, adjustments, names) for mark in marks]
    _write_csv(path, [header, *rows], encoding="utf-8-sig")


def grades_json(path, marks, adjustments=()):
    """Write all that is known: every mark with its exercises and cases, and every adjustment.

    Parameters
    ----------
    path : str or Path
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment
    """
    adjustments = list(adjustments)
    submissions = [
        {
            **mark.to_data(),
            "points": mark.points,
            "max_points": mark.max_points,
            "final_points": final_points(mark, adjustments),
            "adjustments": [vars(entry) for entry in adjustments_of(mark, adjustments)],
        }
        for mark in marks
    ]
    _write_json(path, {"format": "mlcourse grades", "version": 1, "submissions": submissions})


def junit_xml(path, marks, adjustments=()):
    """Write a test suite for each submission and a test case for each exercise, as CI systems read them.

    Parameters
    ----------
    path : str or Path
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment
    """
    adjustments = list(adjustments)
    suites = [_suite(mark, adjustments) for mark in marks]
    totals = {key: str(sum(int(suite.get(key)) for suite in suites)) for key in _COUNTS}
    root = ET.Element("testsuites", {"name": "mlcourse", **totals})
    root.extend(suites)
    ET.indent(root)
    write_whole(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def canvas_csv(path, marks, adjustments=(), roster=None):
    """Write a file for Gradebook > Import in Canvas: a column for each exercise set, with a row of points possible.

    A rejected submission has an empty cell, which Canvas leaves as it is, unless an adjustment gives it points.

    Parameters
    ----------
    path : str or Path
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment
    roster : str or Path, optional
        The file that Gradebook > Export in Canvas gives. Students are found there by login, SIS id, id or name, and
        assignments by their title. Without it, a student stands as name and as login.

    Raises
    ------
    ValueError
        If `roster` is not such a file.
    """
    marks, adjustments = list(marks), list(adjustments)
    titles, people = _read_roster(roster) if roster is not None else ((), ())
    names = list(dict.fromkeys(mark.exercise_set for mark in marks if mark.exercise_set))
    header = [*_CANVAS_COLUMNS, *(_assignment_title(name, titles) for name in names)]
    possible = [max(mark.max_points for mark in marks if mark.exercise_set == name) or "" for name in names]
    rows = [header, ["    Points Possible", "", "", "", "", *possible]]
    cells = {(m.student, m.exercise_set): _canvas_points(m, adjustments) for m in marks}
    students = dict.fromkeys(mark.student for mark in marks)
    rows += [[*_person(s, people), *(cells.get((s, name), "") for name in names)] for s in students]
    _write_csv(path, rows)


def gradescope(folder, marks, adjustments=()):
    """Write the results of each submission as a Gradescope autograder does in its ``results.json``.

    Parameters
    ----------
    folder : str or Path
        It is made if it is missing.
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment

    Returns
    -------
    list of Path
        One file for each submission, in their order.
    """
    folder, adjustments, paths = Path(folder), list(adjustments), []
    folder.mkdir(parents=True, exist_ok=True)
    for mark in marks:
        paths.append(folder / file_name(mark.student, mark.exercise_set, ".json"))
        _write_json(paths[-1], _results(mark, adjustments))
    return paths


def nbgrader_csv(path, marks, adjustments=()):
    """Write the columns that ``nbgrader export`` writes.

    The assignment is the exercise set with a hyphen for the slash. Points taken away stand as penalty, points added are
    in the raw score, so that the score is the raw score less the penalty. Dates and addresses are not known here.

    Parameters
    ----------
    path : str or Path
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment
    """
    adjustments = list(adjustments)
    _write_csv(path, [_NBGRADER_COLUMNS, *(_nbgrader_row(mark, adjustments) for mark in marks)])


def write_whole(path, data):
    """Write a file at once or not at all: a reader, or a crash, never meets half of it.

    Parameters
    ----------
    path : str or Path
    data : bytes
    """
    path = Path(path)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def cell(text):
    """Make text safe as a cell of a spreadsheet, which takes some beginnings for a formula.

    Examples
    --------
    >>> cell("=HYPERLINK(1)"), cell("Anna-Lena"), cell("a;-1")
    ("'=HYPERLINK(1)", 'Anna-Lena', "a;'-1")
    """
    # Where the separator is a semicolon, text after one is a cell of its own.
    return _FORMULA.sub(r"\1'", visible(text, _LONGEST_CELL))


def _grades_row(mark, adjustments, names):
    points = {exercise.name: exercise.points for exercise in mark.exercises}
    row = [mark.student, mark.exercise_set, mark.status, final_points(mark, adjustments), mark.max_points, mark.points]
    row += [_adjusted(mark, adjustments), len(waiting(mark, adjustments)), str(mark.seed), mark.digest, mark.reason]
    return row + [points.get(name, "") for name in names]


def _adjusted(mark, adjustments):
    return round(sum((entry.points for entry in adjustments_of(mark, adjustments)), 0.0), 2)


_COUNTS = ("tests", "failures", "errors", "skipped")


def _suite(mark, adjustments):
    cases = [_case(mark, exercise, adjustments) for exercise in mark.exercises]
    if mark.status == "rejected":
        case = ET.Element("testcase", {"classname": _name(mark.exercise_set), "name": "notebook", "time": "0"})
        ET.SubElement(case, "error", {"type": "rejected", "message": visible(mark.reason, 600)})
        cases = [case]
    kinds = [child.tag for case in cases for child in case]
    counts = (len(cases), kinds.count("failure"), kinds.count("error"), kinds.count("skipped"))
    attributes = {"name": f"{visible(mark.student)} · {_name(mark.exercise_set)}", "time": f"{mark.seconds:.3f}"}
    suite = ET.Element("testsuite", attributes | {k: str(n) for k, n in zip(_COUNTS, counts, strict=True)})
    properties = ET.SubElement(suite, "properties")
    points = {"points": final_points(mark, adjustments), "max_points": mark.max_points, "graded_points": mark.points}
    texts = {"student": visible(mark.student), **{name: number(value) for name, value in points.items()}}
    for name, value in texts.items():
        ET.SubElement(properties, "property", {"name": name, "value": value})
    suite.extend(cases)
    return suite


def _case(mark, exercise, adjustments):
    case = ET.Element("testcase", {"classname": _name(mark.exercise_set), "name": visible(exercise.name), "time": "0"})
    earned = f"{number(exercise.points)} of {number(exercise.max_points)} points"
    if exercise in waiting(mark, adjustments):
        ET.SubElement(case, "skipped", {"message": "a person must read this answer"})
    elif exercise.status == "missing":
        ET.SubElement(case, "failure", {"type": "missing", "message": f"{earned}: the notebook defines no such name"})
    elif exercise.status == "graded" and not _passed(exercise):
        failure = ET.SubElement(
            case, "failure", {"type": "wrong", "message": f"{earned}: {visible(exercise.diagnosis, 600)}"}
        )
        failure.text = _report(exercise)
    return case


def _results(mark, adjustments):
    """The keys are those of gradescope-autograders.readthedocs.io/en/latest/specs."""
    own = adjustments_of(mark, adjustments)
    output = [f"This file could not be marked: {visible(mark.reason, 600)}"] * (mark.status == "rejected")
    output += [f"“{visible(note, 600)}”" for note in mark.notes]
    output += [f"{entry.points:+g} points: {visible(entry.why, 600)} ({visible(entry.by)})" for entry in own]
    return {
        "score": final_points(mark, own),
        "execution_time": round(mark.seconds, 3),
        "output": "\n".join(output),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_result(i, exercise, own) for i, exercise in enumerate(mark.exercises, 1)],
    }


def _result(i, exercise, adjustments):
    result = {
        "name": visible(exercise.title),
        "number": str(i),
        "score": exercise.points,
        "max_score": exercise.max_points,
        "output": _report(exercise),
    }
    if exercise.status == "manual":
        result["score"] += sum(entry.points for entry in adjustments if entry.exercise == exercise.name)
        return result
    return result | {"status": "passed" if _passed(exercise) else "failed"}


def _report(exercise):
    """What a student may read about an exercise, as plain text."""
    if exercise.status == "manual":
        return "A person reads this answer."
    if exercise.status == "missing":
        return f"Your notebook defines nothing named {visible(exercise.name)}."
    passed = sum(case.passed for case in exercise.public)
    lines = [f"Public cases: {passed} of {len(exercise.public)} passed"]
    if exercise.class_cases:
        lines.append(f"Class cases: {exercise.class_passed} of {exercise.class_cases} passed")
    lines += [f"{'✓' if case.passed else '✗'} {visible(case.label)}" for case in exercise.public[:40]]
    if exercise.diagnosis:
        lines.append(f"What happened: {visible(exercise.diagnosis, 600)}")
    if exercise.hint:
        lines.append(f"Next hint: {visible(exercise.hint, 600, lines=True)}")
    return "\n".join(lines)


def _passed(exercise):
    return exercise.status == "graded" and exercise.points >= exercise.max_points


def _name(exercise_set):
    return visible(exercise_set) or "unknown"


def _canvas_points(mark, adjustments):
    if mark.status == "rejected" and not adjustments_of(mark, adjustments):
        return ""
    return final_points(mark, adjustments)


def _read_roster(path):
    """The titles of the assignments in Canvas, and its students as dicts."""
    text = Path(path).read_text(encoding="utf-8-sig")
    first = text.split("\n", 1)[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ","))
    header = rows[0] if rows else []
    if "Student" not in header or "ID" not in header:
        raise ValueError(f"{path} has no columns Student and ID; give the file that Canvas writes: Grades > Export")
    people = [dict(zip(header, row, strict=False)) for row in rows[1:]]
    return header, [person for person in people if "Points Possible" not in person["Student"]]


def _person(student, people):
    """The five cells that name a student in Canvas."""
    for column in _CANVAS_IDS:
        found = [person for person in people if person.get(column, "").strip() == student]
        if len(found) == 1:
            return [found[0].get(name, "") for name in _CANVAS_COLUMNS]
    # A row whose first cell has these words is the row of points to Canvas, whoever chose them as a name.
    name = visible(student, _LONGEST_CELL).replace("Points Possible", "Points possible")
    return [name, "", "", name, ""]


def _assignment_title(name, titles):
    """The title with the number that Canvas gave it, if there is one, so that it is not taken for a new assignment."""
    return next((title for title in titles if re.sub(r" \(\d+\)$", "", title) == name), name)


def _nbgrader_row(mark, adjustments):
    entries = [entry.points for entry in adjustments_of(mark, adjustments)]
    raw = round(mark.points + sum(points for points in entries if points > 0), 2)
    penalty = round(-sum(points for points in entries if points < 0), 2) + 0.0
    score = final_points(mark, adjustments)
    return [mark.exercise_set.replace("/", "-"), "", "", mark.student, "", "", "", raw, penalty, score, mark.max_points]


def _write_csv(path, rows, encoding="utf-8"):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([cell(value) if isinstance(value, str) else value for value in row] for row in rows)
    write_whole(path, text.getvalue().encode(encoding))


def _write_json(path, data):
    write_whole(path, json.dumps(data, indent=1, allow_nan=False).encode("ascii") + b"\n")
