"""Every exercise of the course: its solution earns full marks, its starter nothing, each wrong answer its own diagnosis."""

import copy

import pytest

from mlcourse.exercises import exercise_set, exercise_sets
from mlcourse.grading import LocalRunner, check_answer, difference, run
from tests.exercises.notebooks import solution_functions, starter_functions

ALL = [(key, exercise) for key in exercise_sets() for exercise in exercise_set(key)]
CHECKED = [(key, exercise) for key, exercise in ALL if not exercise.manual]
MANUAL = [(key, exercise) for key, exercise in ALL if exercise.manual]
each_exercise = pytest.mark.parametrize(("key", "exercise"), CHECKED, ids=[f"{key}:{e.name}" for key, e in CHECKED])
each_manual_exercise = pytest.mark.parametrize(
    ("key", "exercise"), MANUAL, ids=[f"{key}:{e.name}" for key, e in MANUAL]
)
each_mistake = pytest.mark.parametrize(
    ("key", "exercise", "mistake"),
    [(key, e, m) for key, e in ALL for m in e.mistakes],
    ids=[f"{key}:{e.name}:{m.name}" for key, e in ALL for m in e.mistakes],
)


def test_names_are_unique_in_the_course():
    names = [exercise.name for _, exercise in ALL]
    assert len(names) == len(set(names))


@each_exercise
def test_solution_earns_full_marks_on_20_seeds(key, exercise):
    result = run(exercise, LocalRunner(solution_functions(key)[exercise.name], exercise), seeds=range(20))
    assert result.points == exercise.points, f"\n{result}"


@each_exercise
def test_untouched_starter_earns_nothing_and_leaks_no_exception(key, exercise):
    result = run(exercise, LocalRunner(starter_functions(key)[exercise.name], exercise))
    assert result.points == 0
    assert not result.passed
    assert "Traceback" not in repr(result)


@each_manual_exercise
def test_manual_answer_can_be_read_and_its_starter_counts_as_not_begun(key, exercise):
    assert check_answer(exercise, solution_functions(key)[exercise.name]).answered
    assert not check_answer(exercise, starter_functions(key)[exercise.name]).answered


@each_mistake
def test_wrong_answer_fails_with_its_own_diagnosis(key, exercise, mistake):
    for seed in range(5):
        result = run(exercise, LocalRunner(mistake.answer, exercise), seeds=(seed,))
        assert not result.passed, f"seed {seed}: the wrong answer passes"
        assert result.recognized is mistake, f"seed {seed}: taken for {result.recognized}"
        assert result.fault.kind == mistake.kind, f"seed {seed}:\n{result}"
        assert mistake.says in repr(result)
        assert mistake.says in result.diagnosis


@each_exercise
def test_check_does_not_change_the_cases_and_draws_them_again(key, exercise):
    draw = lambda: [(c.label, c.args, c.kwargs) for c in exercise.cases(exercise.generator(3))]  # noqa: E731
    first, again = draw(), draw()
    assert difference(first, again, rtol=0, atol=0) is None
    for case in exercise.cases(exercise.generator(3)):
        before = copy.deepcopy((case.args, case.kwargs))
        run_on_one_case(exercise, case, solution_functions(key)[exercise.name])
        assert difference(before, (case.args, case.kwargs), rtol=0, atol=0) is None


def run_on_one_case(exercise, case, function):
    LocalRunner(function, exercise).call(case.args, case.kwargs)
    if case.raises is None:
        exercise.oracle(*copy.deepcopy(case.args), **copy.deepcopy(case.kwargs))
