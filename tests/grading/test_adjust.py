"""Answers that a person reads, and points that a person gives: a page, a table, a command, entries in the gradebook."""

import base64
import csv

import pytest

from mlcourse.cli import main
from mlcourse.grading.classroom import class_seed, write_reports
from mlcourse.grading.gradebook import Gradebook
from mlcourse.grading.marks import ExerciseMark, SubmissionMark
from mlcourse.grading.reading import reading_page
from tests.grading.test_feedback import Parsed
from tests.grading.test_gradebook import NASTY

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
CHECKED = ExerciseMark("unit_vector", "A unit vector", 3.0, 4.0, "graded")


def essay(text="It is an outlier.", **fields):
    return ExerciseMark("essay", "Say why", 0.0, 5.0, "manual", answer=text, **fields)


def submission(student, *exercises):
    return SubmissionMark(student, "math/vectors", "graded", exercises=exercises, seed=7)


@pytest.fixture
def out(tmp_path):
    """The folder of a graded class of three, one of whom has a name that a spreadsheet would compute."""
    out = tmp_path / "grades"
    out.mkdir()
    class_seed(out, 7)
    with Gradebook(out / "gradebook.sqlite") as book:
        for student in ("anna", "bob", "=1+1"):
            book.record(submission(student, CHECKED, essay()))
        write_reports(book.latest(seed=7), book.adjustments(), out)
    return out


def points(out, student):
    with Gradebook(out / "gradebook.sqlite") as book:
        return book.final_points(student, "math/vectors")


def fill_in(out, **texts):
    rows = list(csv.DictReader((out / "to-read.csv").open(encoding="utf-8-sig")))
    for row in rows:
        row["points"], row["why"] = texts.get(row["student"].lstrip("'"), ("", ""))
    with (out / "to-read.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def test_one_adjustment(out, capsys):
    arguments = ["adjust", str(out), "anna", "math/vectors", "-2", "--by", "B. Lee", "--why", "a day late"]
    assert main(arguments) == 0
    assert "anna has 1 points in math/vectors now" in capsys.readouterr().out
    assert points(out, "anna") == 1
    with Gradebook(out / "gradebook.sqlite") as book:
        assert book.latest(seed=7)[1].points == 3, "the marks themselves stay"
    pages = "".join(path.read_text() for path in (out / "feedback").iterdir())
    assert "a day late" in pages
    assert "B. Lee" in pages


def test_a_rejected_file_that_was_replaced_stays_out_of_the_reports(out):
    with Gradebook(out / "gradebook.sqlite") as book:
        for student in ("anna", "vera"):
            book.record(SubmissionMark(student, "", "rejected", "it is not JSON", seed=7))
    assert main(["adjust", str(out), "bob", "math/vectors", "1", "--by", "me", "--why", "x"]) == 0
    rejected = [
        row["student"]
        for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8-sig"))
        if row["status"] == "rejected"
    ]
    assert rejected == ["vera"]


def test_table_filled_in_and_taken_back_twice(out, capsys):
    assert len(list(csv.DictReader((out / "to-read.csv").open(encoding="utf-8-sig")))) == 3
    fill_in(out, anna=("4,5", "clear; short"), **{"=1+1": ("1", "")})
    command = ["adjust", str(out), "--from", str(out / "to-read.csv"), "--by", "B. Lee"]
    filled = (out / "to-read.csv").read_bytes()
    assert main(command) == 0
    assert "2 answers read" in capsys.readouterr().out
    assert (points(out, "anna"), points(out, "bob"), points(out, "=1+1")) == (7.5, 3, 4)
    assert [row["student"] for row in csv.DictReader((out / "to-read.csv").open(encoding="utf-8-sig"))] == ["bob"]
    (out / "to-read.csv").write_bytes(filled)
    assert main(command) == 0
    assert points(out, "anna") == 7.5, "the same table again changes nothing"


def test_typed_points_survive_another_grading(out):
    fill_in(out, bob=("2", "half of it"))
    with Gradebook(out / "gradebook.sqlite") as book:
        write_reports(book.latest(seed=7), book.adjustments(), out)
    rows = {r["student"]: r for r in csv.DictReader((out / "to-read.csv").open(encoding="utf-8-sig"))}
    assert (rows["bob"]["points"], rows["bob"]["why"]) == ("2", "half of it")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["anna", "math/vectors", "1", "--by", "me"], "give either student, set, points and --why, or --from"),
        (["anna", "math/vectors", "1", "--by", "me", "--why", "x", "--from", "t.csv"], "give either"),
        (["ana", "math/vectors", "1", "--by", "me", "--why", "x"], "did you mean 'anna'"),
        (["anna", "math/vectors", "1", "--by", "me", "--why", " "], "an adjustment needs who decided and why"),
        (["anna", "math/vectors", "nan", "--by", "me", "--why", "x"], "give a finite number"),
        (["anna", "math/vectors", "1", "--by", "me", "--why", "x", "--exercise", "poem"], "its exercises: unit_vector, essay"),
        (["--by", "me", "--from", "nowhere.csv"], "give the to-read.csv"),
    ],
)  # fmt: skip
def test_wrong_arguments(out, arguments, words, capsys):
    assert main(["adjust", str(out), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert points(out, "anna") == 3


@pytest.mark.parametrize("wrong", ["six", "-1", "5.5", "nan", "inf"])
def test_wrong_points_name_their_line_and_nothing_is_entered(out, wrong, capsys):
    fill_in(out, anna=("4", ""), bob=(wrong, ""))
    assert main(["adjust", str(out), "--from", str(out / "to-read.csv"), "--by", "me"]) == 2
    shown = capsys.readouterr().err
    assert "points must be a number from 0 to 5" in shown
    assert repr(wrong) in shown
    assert ", line " in shown
    assert points(out, "anna") == 3


def test_a_folder_without_gradebook(tmp_path, capsys):
    assert main(["adjust", str(tmp_path), "anna", "math/vectors", "1", "--by", "me", "--why", "x"]) == 2
    assert "holds no gradebook" in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "nothing was made"


def test_the_page_shows_the_answers_as_text_and_images():
    marks = [submission("anna", essay("One.\nTwo <b>bold</b>")), submission("bob", essay("", image=PICTURE))]
    parsed = Parsed(reading_page(marks))
    assert "Two <b>bold</b>" in parsed.words
    assert [dict(a)["src"] for tag, a in parsed.elements if tag == "img"] == [f"data:image/png;base64,{PICTURE}"]
    assert all(dict(a)["alt"] for tag, a in parsed.elements if tag == "img")


@pytest.mark.parametrize("text", NASTY)
def test_nothing_in_the_page_comes_from_a_submission_but_text(text):
    plain, nasty = (Parsed(reading_page([submission(s, essay(s), essay("", diagnosis=s))])) for s in ("x", text or "x"))
    assert [tag for tag, _ in plain.elements] == [tag for tag, _ in nasty.elements]
