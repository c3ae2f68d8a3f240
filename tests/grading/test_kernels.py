"""Exercises in CUDA C++: what passes, what is said of what does not, and what each wrong answer is recognized by."""

import pytest

from mlcourse.grading import LocalRunner, run
from tests.grading.kernel_bank import EXERCISES, SOLUTIONS

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
each_mistake = pytest.mark.parametrize(
    ("exercise", "mistake"), [(e, m) for e in EXERCISES for m in e.mistakes], ids=lambda value: value.name
)


@each
def test_solution_earns_full_marks(exercise):
    result = run(exercise, LocalRunner(SOLUTIONS[exercise.name], exercise), seeds=range(8))
    assert result.points == exercise.points, f"\n{result}"


@each_mistake
def test_wrong_answer_fails_with_its_own_diagnosis(exercise, mistake):
    for seed in range(3):
        result = run(exercise, LocalRunner(mistake.answer, exercise), seeds=(seed,))
        assert not result.passed
        assert result.recognized is mistake, f"\n{result}"
        assert result.fault.kind == mistake.kind, f"\n{result}"
