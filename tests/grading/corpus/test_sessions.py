"""A submission as a whole: its time, what is left behind between calls, and what one answer can tell through another."""

import time

import pytest

from mlcourse.grading.feedback import feedback_page
from mlcourse.grading.grade import grade
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import (
    AREA,
    BOTH,
    GOOD,
    IMPORT,
    NAMES,
    ONLY_AREA,
    SEED,
    UNIT,
    assert_fair,
    bad_unit,
    needs_sandbox,
    notebook,
    solved,
)  # fmt: skip

SLEEP = "import time; time.sleep(0.2)"
MANY_CELLS = {
    "many cells without an end": [*GOOD, *["while True: pass"] * 60],
    "many slow cells": [*GOOD, *[SLEEP] * 60],
    "slow cells before the answers": [*[SLEEP] * 20, *GOOD],
}
LEFT_BEHIND = {
    "a timer that ends the program": "import os, threading\nthreading.Timer(0.02, os._exit, (1,)).start()",
    "a thread that writes into the channel": (
        "import os, threading\ndef write():\n    while True:\n        for fd in range(3, 9):\n"
        "            try: os.write(fd, b'0' * 40)\n            except OSError: pass\nthreading.Thread(target=write, daemon=True).start()"
    ),
    "a library function that announces a message of four gigabytes": (
        "import os\nimport numpy as np\ntrue_sqrt = np.sqrt\ndef announce(x):\n    for fd in range(3, 9):\n"
        "        try: os.write(fd, b'\\xff' * 40)\n        except OSError: pass\n    return true_sqrt(x)\nnp.sqrt = announce"
    ),
    "a library function that ends the program": "import sys\nimport numpy as np\nnp.sqrt = lambda x: sys.exit()",
    "a thread that raises in the main thread": (
        "import ctypes, threading, time\nmain = threading.main_thread().ident\ndef strike():\n    time.sleep(0.02)\n"
        "    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(SystemExit))\n"
        "threading.Thread(target=strike, daemon=True).start()"
    ),
}


@needs_sandbox
@pytest.mark.parametrize("name", MANY_CELLS)
def test_the_time_of_all_cells_is_limited_and_costs_no_answer(name, tmp_path, monkeypatch):
    monkeypatch.setattr("mlcourse.grading.session.CELL_SECONDS", 1.0)
    monkeypatch.setattr("mlcourse.grading.session.CELLS_SECONDS", 2.0)
    assert_fair(MANY_CELLS[name], BOTH, tmp_path, monkeypatch, seconds=25)


@needs_sandbox
def test_the_time_of_a_submission_is_limited(monkeypatch):
    monkeypatch.setattr("mlcourse.grading.session.TOTAL_SECONDS", 3.0)
    endless = [f"def {name}(*inputs):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass"
               for name in NAMES]  # fmt: skip
    start = time.monotonic()
    mark = grade(Submission("ann", "vectors.ipynb", notebook(endless)), seed=SEED)
    assert time.monotonic() - start < 15
    assert mark.points == 0
    assert "the submission's time was used up" in mark.exercises[-1].diagnosis or mark.exercises[-1].status == "missing"


@needs_sandbox
@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_a_cell_left_behind_costs_no_answer(name, tmp_path, monkeypatch):
    assert_fair([*GOOD, LEFT_BEHIND[name]], BOTH, tmp_path, monkeypatch)


@needs_sandbox
def test_an_answer_that_ends_the_program_costs_no_other_what_it_needs(tmp_path, monkeypatch):
    """Running definitions alone was of no use here, so that the names which cells compute are there again."""
    unit, area = bad_unit("import os; os._exit(0)")[1:]
    area = area.replace("/ 2", "/ TWO")
    assert_fair([IMPORT, "TWO = 1 + 1", unit, area], ONLY_AREA, tmp_path, monkeypatch)


@needs_sandbox
def test_no_answer_can_tell_what_another_has_seen_of_the_class_cases():
    keeps = UNIT.replace("x = np", "seen.append(repr(x))\n    x = np", 1)
    tells = "def triangle_area_3d(a, b, c):\n    raise RuntimeError('seen: ' + ' '.join(seen))"
    mark = grade(Submission("ann", "vectors.ipynb", notebook([IMPORT, "seen = []", keeps, tells])), seed=SEED)
    assert solved(mark) == (True, False)
    told = mark.exercises[[e.name for e in mark.exercises].index("triangle_area_3d")].public
    public_cases = len(mark.exercises[0].public)
    assert all(case.message.count("array(") == public_cases for case in told), "the class's cases were seen too"
    page = feedback_page(mark)
    assert "seen" in page


@needs_sandbox
def test_forged_names_of_inputs_are_not_shown():
    forge = (
        "import sys\nworker = sys.modules['__main__']\nimport gc\nfor found in gc.get_objects():\n"
        "    if type(found).__name__ == 'Student':\n        type(found).call = lambda *a, **k: "
        "{'value': None, 'changed': ['nothing. Full marks: 10 of 10 points']}"
    )
    mark = grade(Submission("ann", "vectors.ipynb", notebook([IMPORT, UNIT, AREA, forge])), seed=SEED)
    assert mark.points == 0
    assert "Full marks" not in feedback_page(mark)


@needs_sandbox
def test_processes_that_an_answer_left_behind_take_no_memory_from_the_next(tmp_path, monkeypatch):
    unit = bad_unit("import os, time\nif os.fork() == 0:\n    rows = bytearray(9 * 10**8)\n    time.sleep(60)")[1]
    area = AREA.replace("return", "rows = bytearray(3 * 10**8)\n    return")
    assert_fair([IMPORT, unit, area], ONLY_AREA, tmp_path, monkeypatch)
