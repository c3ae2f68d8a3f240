"""The Python side of the exercise pages, without a browser."""

import pytest

from mlcourse.exercises.page import MAX_SHOWN, answer


@pytest.fixture
def do():
    def run(code, check=False, name="unit_vector", before="import numpy as np", key="math/vectors"):
        printed, clock = [], []
        request = {"set": key, "name": name, "before": before, "code": code, "check": check}
        found = answer(request, printed.append, clock.append)
        assert clock[::2] == [True] * (len(clock) // 2) and clock[1::2] == [False] * (len(clock) // 2)
        return found, "".join(printed), len(clock) // 2

    return run


def test_prints_and_the_last_value_are_shown(do):
    assert do("print('a')\n1 + 1")[:2] == ({"error": ""}, "a\n2\n")
    assert do("None")[1] == ""


def test_the_clock_runs_for_the_code_and_for_each_case(do):
    found, _, counted = do("def unit_vector(x):\n    return x", check=True)
    assert counted == 1 + found["card"].count("<li")


def test_names_that_are_missing_are_said(do):
    assert "defines no function named unit_vector" in do("x = 1", check=True)[0]["missing"]
    assert "defines no function" in do("unit_vector = 3", check=True)[0]["missing"]


def test_an_answer_is_checked_even_if_code_below_it_fails(do):
    found = do("def unit_vector(x):\n    return x\n\nunit_vector()", check=True)[0]
    assert "missing 1 required positional argument" in found["error"]
    assert "card" in found


def test_a_traceback_holds_the_learners_lines_alone(do):
    error = do("import json\njson.loads('{')")[0]["error"]
    assert 'File "your code", line 2' in error and "decoder.py" not in error


def test_calls_of_the_courses_own_checks_do_nothing(do):
    found = do("from mlcourse.exercises import check\ndef unit_vector(x): return x\ncheck(unit_vector)")
    assert found[:2] == ({"error": ""}, "")


def test_output_is_cut(do):
    printed = do("for _ in range(9999): print('x' * 99)")[1]
    assert MAX_SHOWN < len(printed) < MAX_SHOWN + 100
    assert printed.endswith("more than that is not shown\n")


def test_an_exit_is_an_error_and_no_end(do):
    assert "SystemExit" in do("exit()")[0]["error"] or "SystemExit" in do("raise SystemExit")[0]["error"]


def test_a_text_is_handed_in(do):
    found = do('residual_report = """It is curved."""', True, "residual_report", "", "classical/linear-regression")[0]
    assert (found["manual"], found["answered"], found["points"]) == (True, True, 0)
    assert "3 words" in found["card"]
