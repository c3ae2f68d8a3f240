"""A teacher's own exercises, in a file that students never see."""

import re

import pytest

from mlcourse.cli import main
from mlcourse.exercises import exercise_set, set_name
from mlcourse.grading import check_answer
from mlcourse.grading.grade import grade
from mlcourse.grading.sandbox import why_no_bubblewrap
from mlcourse.grading.submissions import Submission
from tests.conftest import ROOT
from tests.grading.test_grade import notebook

needs_sandbox = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")

PRIVATE = """
from mlcourse.grading import Case, Exercise, Mistake

SECRET = "kept by the teacher"


def cases(rng):
    yield Case("a number", int(rng.integers(1, 9)))
    yield Case("zero", 0)


def use_doubling(answer, n):
    return [answer(n), answer(n)]


EXERCISES = [
    Exercise(
        "double", "Double a number", points=3, minutes=5, difficulty=1, hints=("Add it to itself.",), cases=cases,
        oracle=lambda n: [2 * n, 2 * n], use=use_doubling,
        mistakes=(
            Mistake(lambda n: n, "You return the number."), Mistake(lambda n: n * n, "You square."), Mistake(abs, "You take abs."),
        ),
    )
]
"""


@pytest.fixture
def private(tmp_path):
    (tmp_path / "week-3.py").write_text(PRIVATE)
    return str(tmp_path / "week-3.py")


@needs_sandbox
def test_private_exercises_are_graded_and_cannot_be_read(private):
    peek = f"def double(n):\n    return open({private!r}).read()"
    for cell, points, words in (
        ("def double(n):\n    return n + n", 3, ""),
        ("def double(n):\n    return n", 1.5, "You return the number."),
        (peek, 0, "FileNotFoundError"),
    ):
        mark = grade(Submission("ann", "week-3.ipynb", notebook([cell])), seed=1, exercise_set=private)
        assert mark.exercise_set == "week-3"
        assert mark.points == points
        assert words in mark.exercises[0].diagnosis


@needs_sandbox
def test_command_line(private, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann.ipynb").write_bytes(notebook(["def double(n):\n    return n + n"]))
    command = ["grade", str(tmp_path / "in"), "--exercise", private, "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "week-3" in (tmp_path / "out/grades.csv").read_text("utf-8-sig")
    assert "kept by the teacher" not in "".join(p.read_text() for p in (tmp_path / "out/feedback").iterdir())
    capsys.readouterr()


def test_notebook_says_another_set():
    mark = grade(Submission("ann", "x.ipynb", notebook([])), seed=1, exercise_set="python/numpy", sandbox="none")
    assert mark.exercise_set == "python/numpy"
    assert mark.notes[0] == "the notebook says that it is of math/vectors, and it was graded as python/numpy"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EXERCISE = []", "defines no EXERCISES"),
        ("EXERCISES = []", "it holds nothing"),
        ("EXERCISES = [3]", "it holds int"),
        ("EXERCISES = (", "cannot be run: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, text, words, capsys):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(LookupError, match=words):
        exercise_set(str(path))
    (tmp_path / "ann.ipynb").write_bytes(notebook([]))
    assert main(["grade", str(tmp_path / "ann.ipynb"), "--exercise", str(path), "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err


def example_of_the_page():
    text = (ROOT / "book/teach.md").read_text("utf-8")
    return re.search(r"```python\n(.*?)```", text, re.S)[1]


def test_the_example_on_the_teachers_page(tmp_path, capsys):
    path = tmp_path / "week-3.py"
    path.write_text(example_of_the_page())
    (exercise,) = exercise_set(str(path))
    for mistake in exercise.mistakes:
        result = check_answer(exercise, mistake.answer)
        assert not result.passed
        assert result.recognized is mistake
    right = "def word_shares(words):\n    if not words: raise ValueError\n    return {w: words.count(w) / len(words) for w in words}"
    (tmp_path / "mine.ipynb").write_bytes(notebook([right]))
    assert main(["check", str(tmp_path / "mine.ipynb"), "--exercise", str(path)]) == 0
    assert "week-3: 5 of 5 points" in capsys.readouterr().out


def test_check_says_when_there_is_no_such_set(tmp_path, capsys):
    (tmp_path / "mine.ipynb").write_bytes(notebook([]))
    assert main(["check", str(tmp_path / "mine.ipynb"), "--exercise", "math/nothing"]) == 2
    assert "there is no exercise set 'math/nothing'" in capsys.readouterr().err


def test_names():
    assert set_name("python/numpy") == "python/numpy"
    with pytest.raises(LookupError, match="there is no file"):
        exercise_set("nowhere.py")
