"""The teacher's page: figures that are right, and the same safety as the student's."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.grading.class_report import report_page
from mlcourse.grading.gradebook import Adjustment
from mlcourse.grading.marks import ExerciseMark, SubmissionMark
from tests.grading.test_feedback import Parsed, assert_safe
from tests.grading.test_gradebook import NASTY, a_mark, marks, quick, texts

EASY = ExerciseMark("easy", "Easy", 4.0, 4.0, "graded")
HARD = ExerciseMark("hard", "Hard", 1.0, 4.0, "graded", diagnosis="You forgot the root.", mistake="_no_root")
GONE = ExerciseMark("hard", "Hard", 0.0, 4.0, "missing")
ESSAY = ExerciseMark("essay", "An essay", 0.0, 2.0, "manual")


def submission(student, *exercises):
    return SubmissionMark(student, "math/vectors", "graded", exercises=exercises)


CLASS = [
    submission("anna", EASY, HARD, ESSAY),
    submission("bob", EASY, HARD, ESSAY),
    submission("cleo", EASY, GONE, ESSAY),
    submission("dan", EASY, replace(HARD, points=4.0, mistake=""), ESSAY),
    SubmissionMark("vera", "", "rejected", "it is not JSON"),
]


def test_what_the_page_says():
    words = Parsed(report_page(CLASS, [Adjustment("anna", "math/vectors", 2, "me", "read", "essay")], "Autumn")).words
    for said in (
        "Autumn",
        "5 submissions of 5 students",
        "vera",
        "it is not JSON",
        "An essay: 3 answers",
        "median of 10",
        "2You forgot the root.",
        "how many of 4 submissions gave them",
    ):
        assert said in words, said


def test_hardest_exercises_come_first_with_their_shares():
    page = report_page(CLASS)
    table = page[page.index("Hardest exercises") :]
    rows = re.findall(r"<tr><th scope='row'>.*?</tr>", table)
    cells = [re.findall(r">([^<]+)</", row) for row in rows]
    assert cells[0] == ["Hard", "38 %", "25 %", "25 %"]
    assert cells[1] == ["Easy", "100 %", "100 %", "0 %"]
    assert len(cells) == 2, "what a person reads is no measure of difficulty"


def test_histogram_is_drawn_and_said():
    page = report_page(CLASS)
    assert "<desc>Submissions by share of the points. 40 to 50 %: 1; 50 to 60 %: 2; 80 to 90 %: 1.</desc>" in page
    svg = page[page.index('<svg class="histogram"') : page.index("</svg>", page.index("histogram"))]
    assert svg.count("<rect") == 3
    assert 'role="img"' in svg
    assert re.search(r"<th scope='row'>50 to 60 %</th><td class=\"number\">2</td>", page)


@pytest.mark.parametrize(("points", "bin"), [(0, "0 to 10"), (3, "30 to 40"), (10, "90 to 100"), (12, "90 to 100")])
def test_edges_of_the_histogram(points, bin):
    mark = submission("anna", ExerciseMark("a", "A", points, 10.0, "graded"))
    assert f"points. {bin} %: 1.</desc>" in report_page([mark])


def test_points_are_those_after_adjustments():
    page = report_page([a_mark()], [Adjustment("anna", "math/vectors", 2, "me", "bonus")])
    assert "90 to 100 %: 1." in page


def test_each_exercise_set_has_its_section():
    page = report_page([a_mark(), a_mark(exercise_set="python/numpy")])
    parsed = Parsed(page)
    assert [dict(a)["href"] for tag, a in parsed.elements if tag == "a"] == ["#s1", "#s2"]
    assert {"s1", "s2"} <= {dict(a).get("id") for tag, a in parsed.elements if tag == "section"}


@pytest.mark.parametrize("marks", [[], CLASS[-1:], [submission("anna")], [submission("anna", ESSAY)]])
def test_classes_without_points(marks):
    assert_safe(report_page(marks))


@quick
@given(marks=st.lists(marks, max_size=4), title=texts)
def test_any_text_is_only_text(marks, title):
    parsed = assert_safe(report_page(marks, title=title))
    hrefs = {value for _, attributes in parsed.elements for name, value in attributes if name == "href"}
    assert all(re.fullmatch(r"#s\d+", href) for href in hrefs)
    allowed = {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "id",
        "scope",
        "href",
        "aria-label",
        "aria-hidden",
    }
    allowed |= {"role", "viewbox", "preserveaspectratio", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "rx"}
    assert {name for _, attributes in parsed.elements for name, _ in attributes} <= allowed


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_makes_the_same_page(text):
    def page(word):
        exercise = ExerciseMark(word, word, 1, 4, "graded", diagnosis=word, mistake=word)
        waiting = replace(exercise, status="manual", mistake="")
        graded = SubmissionMark(word, word, "graded", exercises=(exercise, waiting))
        return Parsed(report_page([graded, replace(graded, status="rejected", reason=word, exercises=())], title=word))

    assert page(text).elements == page("x").elements


def test_a_class_of_a_thousand_is_quick_and_small():
    page = report_page([a_mark(f"student {i}") for i in range(1000)])
    assert len(page) < 50_000


def test_an_exercise_that_a_person_reads_is_not_among_the_hardest_though_some_left_it_out():
    left_out = replace(ESSAY, status="missing")
    words = Parsed(report_page([submission("anna", EASY, ESSAY), submission("bob", EASY, left_out)])).words
    assert "An essay" not in words[words.index("Hardest exercises") :]
