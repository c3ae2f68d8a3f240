"""Exercises in plain Python are checked where there is nothing but Python: no NumPy, no threads, no limits of the system."""

import json
import subprocess
import sys

import pytest

WITHOUT = (
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "torch",
    "sklearn",
    "IPython",
    "resource",
    "fcntl",
    "ctypes",
    "_posixsubprocess",
)

BLOCK = f"""
import sys, threading

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {WITHOUT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

def no_threads(self):
    raise RuntimeError("can't start new thread")

sys.meta_path.insert(0, Blocker())
threading.Thread.start = no_threads
sys.platform = "emscripten"
"""

EXERCISE = """
import json

from mlcourse.exercises import exercise_set, exercise_sets, find, set_name
from mlcourse.grading import Case, Exercise, Mistake, check_answer

def cases(rng):
    yield Case("drawn numbers", [rng.uniform(-9, 9) for _ in range(4)])
    yield Case("whole numbers", [2, 4])
    yield Case("no number", [], raises=ValueError)

def oracle(values):
    return sum(values) / len(values)

def truncated(values):
    return float(sum(values) // len(values)) if values else oracle(values)

EXERCISE = Exercise(
    name="mean", title="Mean", points=3, minutes=1, difficulty=1, hints=("Add, then divide.",), draws_with="python",
    cases=cases, oracle=oracle,
    mistakes=(
        Mistake(truncated, "It divides with // and loses the fraction."),
        Mistake(sum, "It is the sum."),
        Mistake(max, "It is the largest."),
    ),
)

def right(values):
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values)

def changes(values):
    mean = right(values)
    values.sort()
    values.append(0)
    return mean

def unfinished(values):
    raise NotImplementedError

def kinds(result):
    return [case.fault.kind if case.fault else "" for case in result.cases]
"""


def run_plain(script):
    """Run a program where only the standard library and this package can be imported; return what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCK + EXERCISE + script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ("right", ["", "", ""]),
        ("lambda values: None", ["wrong type", "wrong type", "no error"]),
        ("lambda values: ...", ["wrong type", "wrong type", "no error"]),
        ("lambda values: str(right(values))", ["wrong type", "wrong type", ""]),
        ("lambda values: [right(values)]", ["wrong type", "wrong type", ""]),
        ("lambda values: right(values) + 1e-12", ["", "", ""]),
        ("lambda values: right(values) + 1e-3", ["wrong value", "wrong value", ""]),
        ("lambda values: float('nan') * right(values)", ["not finite", "not finite", ""]),
        ("lambda values: values['a']", ["raised", "raised", "raised"]),
        ("changes", ["changed input", "changed input", ""]),
    ],
)
def test_an_answer_is_judged_without_numpy(answer, kinds):
    assert run_plain(f"print(json.dumps(kinds(check_answer(EXERCISE, {answer}, seconds=10))))") == kinds


def test_known_mistakes_points_and_cards_are_there_without_numpy():
    script = """
results = [check_answer(EXERCISE, answer) for answer in (truncated, sum, right, unfinished)]
print(json.dumps([[r.points, r.diagnosis, repr(r), r._repr_html_()] for r in results]))
"""
    (_, rounded, card, page), (_, added, *_), (full, said, *_), (_, _, not_started, _) = run_plain(script)
    assert rounded == "It divides with // and loses the fraction." in card
    assert rounded in page
    assert (added, full, said) == ("It is the sum.", 3, "")
    assert "Not started" in not_started


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        ("'a'", "'b'", "wrong value"),
        ("3", "3.0", "wrong type"),
        ("True", "1", "wrong type"),
        ("1", "True", "wrong type"),
        ("[1.5, 'x', None]", "(1.5, 'x', None)", "wrong type"),
        ("(1, 2)", "(1,)", "wrong shape"),
        ("{'a': 1, 'b': {2}}", "{'a': 1}", "wrong shape"),
        ("{'a': {2}}", "{'a': {3}}", "wrong value"),
        ("10**400", "10**400 + 1", "wrong value"),
        ("1.0", "10**400", "wrong value"),
        ("float('inf')", "1.0", "wrong value"),
        ("1e308", "-1e308", "wrong value"),
        ("1 + 2j", "1 - 2j", "wrong value"),
        ("b'a'", "'a'", "wrong type"),
        ("float('nan')", "float('nan')", None),
        ("2.0", "2", None),
        ("float('inf')", "float('inf')", None),
    ],
)
def test_plain_values_are_compared_alike_with_and_without_numpy(expected, got, kind):
    script = f"""
from mlcourse.grading import difference
found = difference({expected}, {got})
print(json.dumps(found and found.kind))
"""
    assert run_plain(script) == kind


def test_an_exercise_of_another_set_is_not_called_unknown_when_libraries_are_missing():
    script = """
try:
    find("cosine_similarity")
except ImportError as error:
    print(json.dumps(str(error)))
"""
    assert "needs numpy" in run_plain(script)


def test_nothing_of_numpy_is_imported_for_plain_answers():
    script = "import sys; from mlcourse.exercises import check; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "False\n", done.stderr


def test_every_exercise_of_python_basics_is_checked_without_numpy():
    """Each of its wrong answers is told there, too."""
    script = """
found = []
for exercise in exercise_set("python/basics"):
    for mistake in exercise.mistakes:
        result = check_answer(exercise, mistake.answer)
        found.append([exercise.name, result.recognized is mistake, result.passed])
print(json.dumps(found))
"""
    found = run_plain(script)
    assert len(found) > 50
    assert [entry for entry in found if entry[1:] != [True, False]] == []
