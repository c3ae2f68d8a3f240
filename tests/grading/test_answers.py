"""Every kind of answer that an exercise may ask for: checked in the notebook, and graded in the sandbox."""

import base64
import inspect

import numpy as np
import pytest

from mlcourse.grading import Case, Difference, Exercise, HandedIn, LocalRunner, Mistake, check_answer, run
from mlcourse.grading.grade import PNG, _grade_exercises
from mlcourse.grading.sandbox import why_no_bubblewrap
from mlcourse.grading.session import Session

needs_sandbox = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")
CARD = {"points": 4, "minutes": 5, "difficulty": 1, "hints": ("Think.",)}


def use_counter(answer, words):
    from collections import Counter

    counter = answer()
    for word in words:
        counter.add(word)
    return dict(Counter(counter.counts)), counter.total()


class WordCounter:
    def __init__(self):
        self.counts = {}

    def add(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1

    def total(self):
        return sum(self.counts.values())


class OneTooMany(WordCounter):
    def total(self):
        return super().total() + 1


class Forgetful(WordCounter):
    def add(self, word):
        self.counts = {word: 1}


class CountsKinds(WordCounter):
    def total(self):
        return len(self.counts)


def word_cases(rng):
    for length in (3, 8, 8):
        yield Case("some words", [str(w) for w in rng.choice(["a", "b", "c"], size=length)])
    yield Case("a word twice", ["a", "a", "b"])


COUNTER = Exercise(
    "WordCounter", "Count words", **CARD, answer="class", use=use_counter, cases=word_cases,
    oracle=lambda words: ({w: words.count(w) for w in set(words)}, len(words)),
    mistakes=(
        Mistake(OneTooMany, "You begin to count at one."),
        Mistake(Forgetful, "You replace the counts.", kind="wrong shape"),
        Mistake(CountsKinds, "You count kinds of words."),
    ),
)  # fmt: skip


def use_squares(answer, start):
    import itertools

    return list(itertools.islice(answer(start), 5))


def squares(start):
    while True:
        yield start**2
        start += 1


def squares_of_one(start):
    yield start**2


def cubes(start):
    return (i**3 for i in range(start, start + 9))


def numbers(start):
    return iter(range(start, start + 9))


SQUARES = Exercise(
    "squares", "Squares without end", **CARD, use=use_squares, oracle=lambda start: [(start + i) ** 2 for i in range(5)],
    cases=lambda rng: [Case("from a number", int(rng.integers(2, 9)))],
    mistakes=(
        Mistake(squares_of_one, "You stop after the first.", kind="wrong shape"), Mistake(cubes, "Cubes."), Mistake(numbers, "Not squared.")
    ),
)  # fmt: skip


def defines_a_kernel(expected, got):
    if not isinstance(got, str):
        return Difference("wrong type", "expected the source of a kernel, a string")
    return None if expected in got else Difference("wrong value", f"there is no `{expected}` in the source")


SOURCE = Exercise(
    "kernel_source", "A kernel", **CARD, answer="value", cases=lambda rng: [Case("the source")], oracle=lambda: "__global__",
    compare=defines_a_kernel, mistakes=(Mistake("void f() {}", "Not global."), Mistake(3, "A number."), Mistake(None, "None.")),
)  # fmt: skip


def use_training(answer, inputs, targets, new_inputs):
    return answer(inputs, targets).predict(new_inputs)


def accurate_enough(expected, got):
    accuracy = float(np.mean(np.asarray(got) == expected))
    return (
        None if accuracy >= 0.8 else Difference("wrong value", f"accuracy {accuracy:.2f}; at least 0.80 is asked for")
    )


def halves(rng):
    inputs = rng.normal(size=(40, 1))
    yield Case("two classes", inputs, inputs[:, 0] > 0, rng.normal(size=(40, 1)))


MODEL = Exercise(
    "train", "A model that is good enough", **CARD, use=use_training, compare=accurate_enough, cases=halves,
    oracle=lambda inputs, targets, new_inputs: new_inputs[:, 0] > 0,
    mistakes=tuple(Mistake(lambda x, y: None, f"No model, {i}.", kind="raised") for i in range(3)),
)  # fmt: skip

READING = Exercise("reading", "Say why", **CARD, answer="manual", rubric="Names the outlier.")
DRAWING = Exercise("drawing", "Draw it", **CARD, answer="manual", rubric="Axes are labeled.")
ALL = (COUNTER, SQUARES, SOURCE, MODEL, READING, DRAWING)

CELLS = [
    inspect.getsource(WordCounter),
    inspect.getsource(squares),
    'kernel_source = "__global__ void f() {}"',
    """class Model:
    def predict(self, x):
        return x[:, 0] > 0.01
def train(x, y):
    return Model()""",
    'reading = "The last point pulls the line: it is an outlier."',
    """def drawing():
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([1, 2])
    return figure""",
]


def graded(exercises, cells):
    session = Session(cells, "bubblewrap")
    try:
        return list(_grade_exercises(exercises, session, seed=1))
    finally:
        session.close()


def test_class_in_the_notebook():
    assert check_answer(COUNTER, WordCounter).passed
    for mistake in COUNTER.mistakes:
        assert check_answer(COUNTER, mistake.answer).recognized is mistake


def test_class_without_a_method_is_told_which():
    class WordCounter:
        def add(self, word): ...

    result = check_answer(COUNTER, WordCounter)
    assert "'WordCounter' object has no attribute 'counts'" in result.diagnosis
    assert "in line" not in result.diagnosis, "a line of the check's own would confuse"


def test_generator_in_the_notebook():
    assert check_answer(SQUARES, squares).passed
    assert [check_answer(SQUARES, m.answer).recognized for m in SQUARES.mistakes] == list(SQUARES.mistakes)


def test_value_and_model_in_the_notebook():
    assert check_answer(SOURCE, "__global__ void f() {}").passed
    assert check_answer(SOURCE, 3).diagnosis == "A number."
    names = {}
    exec(CELLS[3], names)
    assert check_answer(MODEL, names["train"]).passed


def test_what_cannot_be_copied_is_compared_as_it_is():
    outcome = LocalRunner(squares, SOURCE_FUNCTION).call((3,), {})
    assert outcome.error is None
    assert inspect.isgenerator(outcome.value)


SOURCE_FUNCTION = Exercise(
    "squares", "Squares", **CARD, cases=lambda rng: [Case("one", 3)], oracle=lambda start: [9],
    mistakes=(Mistake(cubes, "Cubes."),) * 3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (READING, "The last point is an outlier.", "written 6 words"),
        (READING, "outlier", "written one word"),
        (READING, "\n...\n", "Not started"),
        (READING, None, "Not started"),
        (DRAWING, lambda: 1 / 0, "it raised ZeroDivisionError"),
    ],
)
def test_manual_answers_in_the_notebook(exercise, answer, words):
    card = check_answer(exercise, answer)
    assert isinstance(card, HandedIn)
    assert words in repr(card)
    assert words in card._repr_html_()
    assert card.answered == ("written" in words)


def test_figure_in_the_notebook():
    names = {}
    exec(CELLS[5], names)
    assert "You have written a figure" in repr(check_answer(DRAWING, names["drawing"]))


@needs_sandbox
def test_all_kinds_in_the_sandbox():
    marks = graded(ALL, CELLS)
    assert [(m.status, m.points) for m in marks[:4]] == [("graded", 4)] * 4, marks
    assert [(m.status, m.points) for m in marks[4:]] == [("manual", 0)] * 2
    assert marks[4].answer == "The last point pulls the line: it is an outlier."
    assert base64.b64decode(marks[5].image).startswith(PNG)


@needs_sandbox
def test_wrong_answers_in_the_sandbox_get_their_diagnosis():
    cells = [
        inspect.getsource(WordCounter)
        + "\nclass WordCounter(WordCounter):\n    def total(self):\n        return len(self.counts)",
        "kernel_source = print",
        "def train(x, y):\n    return 3",
        "reading = '...'",
        "drawing = b'no image'",
    ]
    counter, squares_, source, model, reading, drawing = graded(ALL, cells)
    assert (counter.diagnosis, counter.mistake) == ("You count kinds of words.", "CountsKinds")
    assert squares_.status == "missing"
    assert "expected the source of a kernel" in source.diagnosis
    assert model.diagnosis.startswith("No model"), "it fails as that wrong answer does"
    assert (reading.status, drawing.status) == ("missing", "manual")
    assert drawing.answer == "b'no image'"


@needs_sandbox
def test_an_answer_for_a_person_cannot_be_a_program():
    evil = "class F:\n    def savefig(self, file, **k): file.write(b'<script>alert(1)</script>')\ndrawing = F()"
    (mark,) = graded((DRAWING,), [evil])
    assert (mark.image, mark.answer) == ("", "")
    assert "cannot be shown" in mark.diagnosis


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "poem"}, "answer must be one of function, class, value, manual; got 'poem'"),
        ({"answer": "class", "use": None}, "say in `use` what the check does with the class"),
        ({"use": lambda answer: answer()}, "must be a function written with def"),
        ({"use": graded}, "`use` takes Session, _grade_exercises from outside"),
        ({"answer": "manual", "rubric": "x"}, "leave out cases, oracle, mistakes and use"),
        ({"cases": None}, "cases, an oracle and at least three wrong answers are needed"),
    ],
)
def test_author_gets_a_clear_error(changes, words):
    settings = {name: getattr(COUNTER, name) for name in ("cases", "oracle", "mistakes", "answer", "use")}
    with pytest.raises(ValueError, match=words):
        Exercise("x", "X", **CARD, **settings | changes)
    with pytest.raises(ValueError, match="say in `rubric`"):
        Exercise("x", "X", **CARD, answer="manual")


def test_draws_from_many_seeds_use_the_class_anew():
    assert run(COUNTER, LocalRunner(WordCounter, COUNTER), seeds=range(5)).passed
