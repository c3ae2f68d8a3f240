"""The files for other programs: their columns and keys, no formulas, well-formed whatever the text, written at once or not."""

import csv
import json
import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.grading import exports
from mlcourse.grading.feedback import visible
from mlcourse.grading.gradebook import Adjustment, final_points
from mlcourse.grading.marks import ExerciseMark, SubmissionMark
from tests.grading.test_gradebook import NASTY, a_mark, marks, quick, texts

LATE = Adjustment("anna", "math/vectors", -1.5, "B. Lee", "a day late", at="2026-11-20T10:00:00+00:00")
BONUS = Adjustment("anna", "math/vectors", 0.5, "B. Lee", "a good comment")
REJECTED = SubmissionMark("vera", "math/vectors", "rejected", "it is not JSON", digest="d9")
MANUAL = ExerciseMark("essay", "Essay", 0.0, 5.0, "manual")
MISSING = ExerciseMark("gone", "Gone", 0.0, 2.0, "missing")
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def rows(path, **options):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, **options))


def test_grades_csv(tmp_path):
    exports.grades_csv(tmp_path / "grades.csv", [a_mark(exercises=(*a_mark().exercises, MANUAL)), REJECTED], [LATE])
    found = rows(tmp_path / "grades.csv")
    assert found[0][:7] == [
        "student",
        "exercise_set",
        "status",
        "points",
        "max_points",
        "graded_points",
        "adjustment_points",
    ]
    assert found[0][7:] == ["to_read", "seed", "digest", "reason", "exercise_0", "exercise_1", "essay"]
    assert found[1][:7] == ["anna", "math/vectors", "graded", "4.5", "13.0", "6.0", "-1.5"]
    assert found[1][7:] == ["1", "7", "d1", "", "2.0", "4.0", "0.0"]
    assert found[2] == [
        "vera",
        "math/vectors",
        "rejected",
        "0.0",
        "0",
        "0",
        "0.0",
        "0",
        "0",
        "d9",
        "it is not JSON",
        "",
        "",
        "",
    ]
    assert (tmp_path / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "Excel knows UTF-8 by its mark"


@quick
@given(marks=st.lists(marks, max_size=3))
def test_csv_files_have_one_row_for_each_submission_and_no_formula(tmp_path, marks):
    for write in (exports.grades_csv, exports.nbgrader_csv, exports.canvas_csv):
        write(tmp_path / "file.csv", marks)
        found = rows(tmp_path / "file.csv")
        assert len({len(row) for row in found}) == 1
        assert not any(text.startswith(FORMULA) and not _is_number(text) for row in found for text in row)
        # Programs that take the semicolon for the separator, and know nothing of quotes, see no formula either.
        lines = (tmp_path / "file.csv").read_text(encoding="utf-8").split("\n")
        for text in (cell for line in lines for cell in line.split(";")[1:]):
            assert not text.lstrip(" \"'").startswith(FORMULA) or text.lstrip(' "').startswith("'")
    exports.grades_csv(tmp_path / "file.csv", marks)
    found = rows(tmp_path / "file.csv")[1:]
    assert [row[0] for row in found] == [exports.cell(mark.student) for mark in marks]
    assert [float(row[5]) for row in found] == [mark.points for mark in marks]


def _is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@pytest.mark.parametrize("start", FORMULA)
@pytest.mark.parametrize("before", ["", " ", "a;", 'a; "', 'a;"""', "a, ", "'"])
def test_no_cell_begins_like_a_formula(start, before):
    shown = exports.cell(f"{before}{start}1+1")
    assert not shown.startswith(FORMULA)
    assert start not in shown or f"'{start}" in shown


def test_ordinary_text_stays_as_it_is():
    for text in ("Anna-Lena O'Neil", "Müller, Jörg", "a+b=c", "anna@example.edu", "李明", "'t Hooft", "12;34"):
        assert exports.cell(text) == text


@quick
@given(marks=st.lists(marks, max_size=3), why=texts.filter(str.strip))
def test_json_gives_back_every_mark(tmp_path, marks, why):
    entries = [Adjustment(mark.student, mark.exercise_set, 1.0, why, why, at="now") for mark in marks[:1]]
    exports.grades_json(tmp_path / "grades.json", marks, entries)
    data = json.loads((tmp_path / "grades.json").read_bytes())
    fields = SubmissionMark("", "", "").to_data()
    found = [SubmissionMark.from_data({key: one[key] for key in fields}) for one in data["submissions"]]
    assert found == marks
    assert [one["final_points"] for one in data["submissions"]] == [final_points(mark, entries) for mark in marks]
    for one in data["submissions"][:1]:
        assert Adjustment(**one["adjustments"][0]) == entries[0]


def test_json_is_plain_ascii(tmp_path):
    exports.grades_json(tmp_path / "grades.json", [a_mark(text) for text in NASTY])
    data = (tmp_path / "grades.json").read_bytes()
    assert all(byte == 10 or 32 <= byte < 127 for byte in data)


@quick
@given(marks=st.lists(marks, max_size=3))
def test_junit_is_well_formed_whatever_the_text(tmp_path, marks):
    exports.junit_xml(tmp_path / "grades.xml", marks)
    root = ET.parse(tmp_path / "grades.xml").getroot()
    students = [prop.get("value") for prop in root.iter("property") if prop.get("name") == "student"]
    assert students == [visible(mark.student) for mark in marks]
    tags = {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped"}
    assert {element.tag for element in root.iter()} <= tags


def test_junit(tmp_path):
    graded = a_mark(exercises=(*a_mark().exercises, MANUAL, MISSING))
    exports.junit_xml(tmp_path / "grades.xml", [graded, REJECTED], [LATE])
    root = ET.parse(tmp_path / "grades.xml").getroot()
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    first, second = root
    outcomes = {case.get("name"): [child.tag for child in case] for case in first.iter("testcase")}
    assert outcomes == {"exercise_0": ["failure"], "exercise_1": [], "essay": ["skipped"], "gone": ["failure"]}
    assert "2 of 4 points: You doubled it." in first.find("testcase/failure").get("message")
    assert "Class cases: 2 of 5 passed" in first.find("testcase/failure").text
    assert {p.get("name"): p.get("value") for p in first.iter("property")}["points"] == "4.5"
    assert second.find("testcase/error").get("message") == "it is not JSON"


def test_canvas(tmp_path):
    class_marks = [a_mark(), a_mark("bob", "python/numpy"), REJECTED]
    exports.canvas_csv(tmp_path / "canvas.csv", class_marks, [LATE, BONUS])
    assert rows(tmp_path / "canvas.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "math/vectors", "python/numpy"],
        ["    Points Possible", "", "", "", "", "8.0", "8.0"],
        ["anna", "", "", "anna", "", "5.0", ""],
        ["bob", "", "", "bob", "", "", "6.0"],
        ["vera", "", "", "vera", "", "", ""],
    ]


@pytest.mark.parametrize("separator", [",", ";"])
def test_canvas_takes_students_and_assignments_from_its_own_export(tmp_path, separator):
    roster = tmp_path / "roster.csv"
    lines = (
        "Student,ID,SIS User ID,SIS Login ID,Section,math/vectors (4711)",
        "    Points Possible,,,,,8",
        '"Ames, Anna",101,s1,anna,A',
        '"Same, Name",102,s2,x1,A',
        '"Same, Name",103,s3,x2,B',
    )
    roster.write_text("\n".join(line.replace(",", separator) for line in lines), encoding="utf-8-sig")
    name = "Same; Name" if separator == ";" else "Same, Name"
    exports.canvas_csv(tmp_path / "canvas.csv", [a_mark(), a_mark("103"), a_mark(name)], roster=roster)
    found = rows(tmp_path / "canvas.csv")
    assert found[0][5] == "math/vectors (4711)"
    assert found[2][1:] == ["101", "s1", "anna", "A", "6.0"]
    assert found[3][1:] == ["103", "s3", "x2", "B", "6.0"]
    assert found[4] == [name, "", "", name, "", "6.0"], "a name that two students have is nobody's"


def test_canvas_refuses_a_roster_of_another_kind(tmp_path):
    (tmp_path / "roster.csv").write_text("name,login\nanna,a\n")
    with pytest.raises(ValueError, match="Grades > Export"):
        exports.canvas_csv(tmp_path / "canvas.csv", [a_mark()], roster=tmp_path / "roster.csv")


def test_no_student_can_set_the_points_possible_in_canvas(tmp_path):
    exports.canvas_csv(tmp_path / "canvas.csv", [a_mark("Points Possible")])
    assert sum("Points Possible" in row[0] for row in rows(tmp_path / "canvas.csv")) == 1


def test_gradescope(tmp_path):
    graded = a_mark(exercises=(*a_mark().exercises, MANUAL, MISSING))
    paths = exports.gradescope(tmp_path / "new", [graded, REJECTED], [LATE])
    first, second = (json.loads(path.read_bytes()) for path in paths)
    assert (first["score"], first["execution_time"], first["output_format"]) == (4.5, 0.5, "text")
    assert first["output"].splitlines() == ["“cell 3 failed”", "-1.5 points: a day late (B. Lee)"]
    assert [test.get("status") for test in first["tests"]] == ["failed", "passed", None, "failed"]
    assert [test["max_score"] for test in first["tests"]] == [4, 4, 5, 2]
    assert "Public cases: 0 of 1 passed\nClass cases: 2 of 5 passed" in first["tests"][0]["output"]
    assert (second["score"], second["tests"]) == (0, [])
    assert "it is not JSON" in second["output"]


@quick
@given(marks=st.lists(marks, max_size=4, unique_by=lambda mark: (mark.student, mark.exercise_set)))
def test_gradescope_writes_one_file_for_each(tmp_path, marks):
    paths = exports.gradescope(tmp_path, marks)
    assert len(set(paths)) == len(marks)
    known = {"score", "execution_time", "output", "output_format", "test_output_format", "test_name_format"}
    known |= {"visibility", "stdout_visibility", "tests"}
    assert all(set(json.loads(path.read_bytes())) == known and path.parent == tmp_path for path in paths)


def test_nbgrader(tmp_path):
    exports.nbgrader_csv(tmp_path / "grades.csv", [a_mark(), REJECTED], [LATE, BONUS])
    found = rows(tmp_path / "grades.csv")
    header = "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score"
    assert found[0] == header.split(",")
    assert found[1] == ["math-vectors", "", "", "anna", "", "", "", "6.5", "1.5", "5.0", "8.0"]
    assert found[2][7:] == ["0", "0.0", "0.0", "0"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "grades.json"
    exports.grades_json(path, [a_mark()])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        exports.grades_json(path, [a_mark(points=(math.nan,))])

    def no_room(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(exports.os, "replace", no_room)
    with pytest.raises(OSError, match="no space"):
        exports.grades_json(path, [])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
