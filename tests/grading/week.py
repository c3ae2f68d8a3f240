"""A teacher's file for tests: its comparison does to the grader what a submission asks for."""

import os
import signal
import time
from pathlib import Path

from mlcourse.grading import Case, Difference, Exercise, Mistake


def cases(rng):
    yield Case("a number", int(rng.integers(9)))


def compare(expected, got):
    """Write down who was graded; then be as broken as the submission asks for."""
    who, what, value = got
    with open(Path(__file__).with_name("graded.txt"), "a") as file:
        file.write(f"{who}\n")
    if what == "kill the grader":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "kill the host":
        time.sleep(1)  # a nanny whose worker dies while it starts would start no other
        os.kill(os.getppid(), signal.SIGKILL)
    if what == "slow":
        time.sleep(0.2)
    if what == "hang":
        time.sleep(600)
    return None if value == expected else Difference("wrong value", "another number")


def off_by_one(x):
    return ["", "", x + 1]


def off_by_two(x):
    return ["", "", x + 2]


def off_by_three(x):
    return ["", "", x + 3]


MISTAKES = tuple(Mistake(answer, "it is too much") for answer in (off_by_one, off_by_two, off_by_three))
EXERCISES = [Exercise("answer", "An answer", 2, 1, 1, ("return it",), cases, lambda x: x, MISTAKES, compare=compare)]
