"""The engine that runs checks: it calls a learner's function on cases and says what is wrong, in the order a person would look."""

from mlcourse.grading.compare import KINDS, Difference, difference
from mlcourse.grading.engine import CaseResult, HandedIn, LocalRunner, Outcome, Result, Unchecked, check_answer, run
from mlcourse.grading.exercise import Case, Exercise, Mistake

__all__ = [
    "KINDS",
    "Case",
    "CaseResult",
    "Difference",
    "Exercise",
    "HandedIn",
    "LocalRunner",
    "Mistake",
    "Outcome",
    "Result",
    "Unchecked",
    "check_answer",
    "difference",
    "run",
]
