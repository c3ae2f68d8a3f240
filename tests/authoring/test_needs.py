"""What an exercise needs is read from its code."""

import json
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest

from mlcourse.authoring import playground
from mlcourse.authoring.needs import Needs, course_modules, needs_of
from mlcourse.exercises import find
from mlcourse.grading import Case, Exercise, Mistake
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def available():
    return playground.packages(ROOT)


def _scipy_inside(x):
    from scipy.special import softmax

    return softmax(x)


def _through_another(x):
    return _scipy_inside(x)


def _starts_a_program(x):
    import subprocess

    return subprocess.run(x)


for function in (_scipy_inside, _through_another, _starts_a_program):
    function.__module__ = "mlcourse.test_needs"  # as if it were in the package


def exercise(oracle=abs, **options):
    return Exercise(
        name="f",
        title="F",
        points=1,
        minutes=1,
        difficulty=1,
        hints=("Think.",),
        cases=lambda rng: [Case("one", 1)],
        oracle=oracle,
        mistakes=(Mistake(int, "a"), Mistake(float, "b"), Mistake(str, "c")),
        **{"draws_with": "python", **options},
    )


def test_plain_python_needs_nothing(available):
    assert needs_of(exercise(), ["import math, re"], available) == Needs()


def test_the_cells_around_the_answer_count(available):
    assert needs_of(exercise(), ["def f(x):\n    import numpy as np\n"], available).packages == ("numpy",)


def test_what_cases_draw_from_counts(available):
    assert needs_of(exercise(draws_with="numpy"), [], available).packages == ("numpy",)


def test_imports_inside_functions_count_also_through_other_functions(available):
    for oracle in (_scipy_inside, _through_another):
        assert needs_of(exercise(oracle), [], available).packages == ("numpy", "scipy")


def test_what_a_browser_lacks_is_named(available):
    assert needs_of(exercise(), ["import torch"], available).elsewhere == ("torch",)
    assert needs_of(exercise(), ["import matplotlib.pyplot as plt"], available).elsewhere == ("figures",)
    assert needs_of(exercise(_starts_a_program), [], available).elsewhere == ("another program",)


def test_only_the_exercises_that_use_a_package_need_it(available):
    assert needs_of(find("unit_vector"), [], available).packages == ("numpy",)
    assert "scipy" in needs_of(find("cosine_similarity"), [], available).packages
    assert (
        "scikit-learn" in needs_of(find("most_similar_samples"), [], available).packages
    )  # it reads a file of its folder


def test_modules_bring_their_packages_and_what_they_import():
    modules = course_modules(["mlcourse.exercises.page"])
    assert {"mlcourse", "mlcourse.exercises", "mlcourse.exercises.records", "mlcourse.grading.engine"} <= modules
    assert not any(module.startswith("mlcourse.authoring") for module in modules)


def test_the_zip_is_the_same_every_time_and_enough_to_check(tmp_path):
    data = playground.zip_course()
    assert data == playground.zip_course()
    assert len(data) < 500_000
    zipfile.ZipFile(BytesIO(data)).extractall(tmp_path)
    request = {"set": "math/vectors", "name": "unit_vector", "before": "import numpy as np", "check": True}
    request["code"] = "def unit_vector(x):\n    return x / np.sqrt(x @ x)"
    code = f"""
import json, mlcourse
assert mlcourse.__file__.startswith({str(tmp_path)!r})
from mlcourse.exercises import page
print(json.dumps(page.answer({request!r}, lambda text: None, lambda running: None)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["points"], found["passed"]) == (2.4, False)
    assert "The hints are below" in found["card"]


def test_an_editor_that_cannot_be_bundled_is_an_error(tmp_path, monkeypatch):
    broken = tmp_path / "editor.mjs"
    broken.write_text('import "no-such-package";')
    monkeypatch.setattr(playground, "_EDITOR", broken)
    with pytest.raises(RuntimeError, match=r"could not be bundled:[\s\S]*no-such-package"):
        playground.bundle_editor(ROOT)
