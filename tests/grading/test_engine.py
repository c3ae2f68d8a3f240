"""Running a function on cases: faults, inputs that change, points, recognized mistakes, and the card."""

import dataclasses

import numpy as np
import pytest

from mlcourse.grading import Case, Exercise, LocalRunner, Mistake, run
from mlcourse.grading.engine import Drawn, run_drawn


def double_cases(rng):
    yield Case("a random vector", rng.normal(size=3))
    yield Case("another one", rng.normal(size=2))
    yield Case("an empty vector", np.zeros(0), raises=ValueError)


def double(x):
    if len(x) == 0:
        raise ValueError("x is empty")
    return 2 * x


def unchecked(x):
    return 2 * x


def squares(x):
    return double(x) ** 2 / 4


def in_place(x):
    if len(x) == 0:
        raise ValueError
    x *= 2
    return x


EXERCISE = Exercise(
    name="double",
    title="Double a vector",
    points=6,
    minutes=5,
    difficulty=1,
    hints=("Multiply.",),
    cases=double_cases,
    oracle=lambda x: x + x,
    mistakes=(
        Mistake(unchecked, "You did not look at the length.", kind="no error"),
        Mistake(squares, "You squared the values.", planted=True),
        Mistake(in_place, "You worked on the caller's array.", kind="changed input"),
    ),
)


def checked(function):
    return run(EXERCISE, LocalRunner(function, EXERCISE))


def test_right_answer_has_all_points():
    result = checked(double)
    assert (result.passed, result.points, result.fault, result.diagnosis) == (True, 6, None, "")
    assert "✓ Double a vector: 6 of 6 points" in repr(result)
    assert "a class runs more" in repr(result)


def test_partial_credit_is_in_proportion_to_the_cases():
    assert checked(unchecked).points == 4


def test_each_mistake_is_recognized():
    for mistake in EXERCISE.mistakes:
        assert checked(mistake.answer).recognized is mistake


def test_a_mistake_is_recognized_though_the_learner_forgot_an_error_as_well():
    assert checked(lambda x: 4 * x**2 / 4).recognized.answer is squares


def test_a_mistake_of_ones_own_is_not_taken_for_a_known_one():
    result = checked(lambda x: double(x) + 1)
    assert result.recognized is None
    assert result.diagnosis.startswith("3 of 3 values differ")


def test_handed_out_code_earns_nothing():
    assert checked(squares).points == 0


def test_what_is_no_better_than_handed_out_code_earns_nothing_and_is_told_so():
    result = checked(lambda x: double(x) + 1)
    assert (result.points, result.recognized) == (0, None)
    assert "no case passes yet that the code as it was handed out did not pass" in repr(result)
    assert "no case passes yet" in result._repr_html_()
    assert checked(lambda x: 2 * x if len(x) == 3 else double(x) + 1).points == 4


def test_cases_and_expected_results_are_computed_once():
    calls = []

    def oracle(x):
        calls.append(len(x))
        return x + x

    drawn = Drawn(dataclasses.replace(EXERCISE, oracle=oracle), (0,))
    for function in (double, squares, lambda x: x):
        run_drawn(drawn, LocalRunner(function, EXERCISE))
    assert sorted(calls) == [2, 3], "the third case asks for an error"


def test_starter_is_not_started():
    def starter(x):
        raise NotImplementedError

    result = checked(starter)
    assert (result.points, result.started) == (0, False)
    assert "Not started" in repr(result)
    assert "Not started" in result._repr_html_()


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (lambda x: 1 / 0, "raised", "ZeroDivisionError"),
        (lambda x, y: x, "raised", "TypeError"),
        (lambda x: None, "no error", "ValueError"),
        (lambda x: list(double(x)), "wrong type", "NumPy array"),
        (lambda x: double(x)[:, None], "wrong shape", "(3, 1)"),
        (lambda x: double(x).astype(int), "wrong dtype", "int64"),
        (lambda x: double(x) * np.nan, "not finite", "NaN"),
        (in_place, "changed input", "number 1"),
        (lambda x: double(x) + 1, "wrong value", "differ"),
    ],
)
def test_first_fault(function, kind, words):
    fault = checked(function).fault
    assert fault.kind == kind
    assert words in fault.message


@pytest.mark.parametrize("error", [SystemExit, RecursionError, MemoryError])
def test_no_exception_of_the_learner_leaks(error):
    def broken(x):
        raise error("no")

    assert checked(broken).fault.kind == "raised"


def test_wrong_exception_is_named():
    def broken(x):
        return x[0] * double(x)

    messages = [case.fault.message for case in checked(broken).cases if case.fault]
    assert any("expected ValueError, but it raised IndexError" in m for m in messages)


def test_line_of_the_learners_code_is_shown():
    def broken(x):
        return x.nothing

    assert "return x.nothing" in checked(broken).fault.message


def test_inputs_of_the_cases_stay_as_they_are():
    case = Case("one", np.ones(2))
    LocalRunner(in_place, EXERCISE).call(case.args, case.kwargs)
    assert (case.args[0] == 1).all()


def test_html_escapes_what_comes_from_the_learner():
    def broken(x):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in checked(broken)._repr_html_()


def test_several_seeds_draw_several_sets_of_cases():
    assert len(run(EXERCISE, LocalRunner(double, EXERCISE), seeds=(1, 2)).cases) == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"difficulty": 6}, "1 to 5"),
        ({"hints": ()}, "one to three hints"),
        ({"mistakes": EXERCISE.mistakes[:2]}, "at least three"),
    ],
)
def test_an_incomplete_exercise_is_refused(changes, words):
    import dataclasses

    with pytest.raises(ValueError, match=words):
        dataclasses.replace(EXERCISE, **changes)


def test_a_mistake_of_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of"):
        Mistake(double, "?", kind="odd")
