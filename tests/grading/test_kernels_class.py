"""Exercises in CUDA C++ in the class grader: right and wrong answers, and sources that attack it, with the screen and without."""

import inspect
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from mlcourse.grading.apart import ApartRunner, why_no_kernels
from mlcourse.grading.engine import Drawn, Judging, Outcome
from mlcourse.grading.grade import grade
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import needs_sandbox, notebook
from tests.grading.kernel_bank import SAXPY, SOLUTIONS

BANK = str(Path(__file__).with_name("kernel_bank.py"))
RIGHT = SOLUTIONS["saxpy"]
WRONG = RIGHT.replace("+ y[i]", "")
SIZES = "def sizes(a, n):\n    return -(-n // 128), 128"

pytestmark = needs_sandbox


def cells(**changed):
    values = {name: value for name, value in (SOLUTIONS | changed).items() if not callable(value)}
    return [*(f"{name} = {value!r}" for name, value in values.items()), SIZES]


def mark_of(own_cells):
    return grade(Submission("ann", "kernels.ipynb", notebook(own_cells)), seed=1, exercise_set=BANK)


def saxpy_of(own_cells):
    return mark_of(own_cells).exercises[0]


def test_a_solved_notebook_earns_all_points():
    mark = mark_of(cells())
    assert (mark.status, mark.points) == ("graded", mark.max_points), mark
    assert all(exercise.class_passed == exercise.class_cases > 0 for exercise in mark.exercises)


def test_wrong_answers_are_recognized():
    no_guard = RIGHT.replace("if (i < n) ", "")
    mark = mark_of(cells(saxpy=no_guard, block_sum="...", faults={"sum": ("race", 9)}))
    saxpy, block_sum, _, faults, _ = mark.exercises
    assert saxpy.points == pytest.approx(4 / 3, abs=0.01)
    assert saxpy.public[1].kind == "out of bounds"
    assert "line 4" in saxpy.public[1].message
    assert saxpy.diagnosis.startswith("The last block has more threads")
    assert (block_sum.points, block_sum.diagnosis) == (0, "not started")
    assert faults.points == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("saxpy = 3", "expected the source of the kernel, a text in quotes; got an object of type int"),
        (f"from mlcourse.gpu import Kernel\nsaxpy = Kernel({RIGHT!r}, 'saxpy')", "got a Kernel: give its source"),
        ("saxpy = 'x' * 10**6", "64,000 are the most"),
        ("saxpy = [saxpy]\nfor _ in range(300): saxpy = [saxpy]", "nested"),
        ("saxpy = saxpy.replace(';', '', 1)", "compile error"),
        ("class S(str):\n    __eq__ = lambda *a: True\nsaxpy = S('...')", "not started"),
    ],
)
def test_answers_that_are_no_kernel(answer, words):
    mark = saxpy_of([*cells(), answer])
    assert mark.points == 0
    assert words in mark.diagnosis + mark.public[0].kind, mark


def test_python_that_replaces_the_executor_changes_nothing():
    patch = """
    import mlcourse.gpu.trial, mlcourse.gpu.screen, mlcourse.gpu.executor.launch, subprocess, os
    for module in (mlcourse.gpu.trial, mlcourse.gpu.screen):
        module.trial = module.refusal = lambda *a, **k: {"faults": [], "outputs": {}, "counts": []}
    subprocess.run = subprocess.Popen = lambda *a, **k: 1 / 0
    os.makedirs(os.path.expanduser("~/.cache/mlcourse/gpu"), exist_ok=True)
    """
    assert saxpy_of([textwrap.dedent(patch), *cells(saxpy=WRONG)]).points == 0
    assert saxpy_of([textwrap.dedent(patch), *cells()]).points == 4


def use_without_screen(answer, **launch):
    import mlcourse.gpu.trial as module

    module.refusal = lambda source: ""
    return module.trial(answer, **launch)


def in_kernel(body, before=""):
    return f"{before}\n{RIGHT}".replace("if (i < n) y", f"{body}\n  if (i < n) y")


C = '#include <unistd.h>\n#include <signal.h>\n#include <stdlib.h>\n#include <stdio.h>\n#include <fcntl.h>\n#include <sys/mman.h>\n'
FLOOD = 'int f = open("/tmp/full", O_CREAT | O_WRONLY, 0600); static char c[1 << 20]; while (write(f, c, sizeof c) > 0); close(f);'
EARLY = "struct Early {{ Early() {{ {} }} }} early;"
PASSWORDS = 'int f = open("/etc/passwd", O_RDONLY); char c = 1; y[0] = f < 0 ? -1 : (read(f, &c, 1), c);'
HOSTILE = {
    "endless loop": in_kernel("while (y[0] != 3) ;"),
    "endless loop that ignores signals": in_kernel("sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); for (;;) ;", C),
    "crash": in_kernel("*(volatile int*)8 = 1;"),
    "end": in_kernel("_exit(0);", C),
    "fork bomb": in_kernel("for (;;) fork();", C),
    "fork bomb before main": C + EARLY.format("for (;;) fork();") + WRONG,
    "kills everybody": in_kernel("kill(-1, 9);", C),
    "kills its parent": in_kernel("kill(getppid(), 9);", C),
    "reads the list of users": in_kernel(PASSWORDS, C),
    "prints without end": in_kernel('for (;;) printf("%d passed", i);'),
    "fills the disk": in_kernel(FLOOD, C) .replace("+ y[i]", ""),
    "fills the memory": in_kernel("for (;;) for (char* p = (char*)malloc(1 << 26), *q = p; q < p + (1 << 26); q += 4096) *q = 1;", C),
    "an answer before main": C + EARLY.format('const char* a = "3\\nok\\n"; for (int fd = 3; fd < 20; ++fd) write(fd, a, 5); _exit(0);') + WRONG,
    "more data than memory": "__device__ int large[1ull << 33] = {1};" + WRONG,
    "templates without end": "template <int n> struct T { static const int v = T<n - 1>::v + T<n - 2>::v + 1; };\n"
    + in_kernel("y[0] = T<1000000>::v;"),
    "sleeps": in_kernel("sleep(1000);", C),
    "macros without end": "#define A(x) x x x x x x x x x x\n" + in_kernel("A(A(A(A(A(A(A(A(A(y[0] = 0;)))))))))"),
}  # fmt: skip


def judged(source, use):
    """Use a source as the class grader does, on the public cases."""
    drawn = Drawn(SAXPY, (0,))
    judging = Judging(drawn)
    runner = ApartRunner(Outcome(value=source), textwrap.dedent(inspect.getsource(use)), "bubblewrap", 8.0)
    try:
        for case in drawn.cases:
            judging.take(runner.call(case.args, case.kwargs))
    finally:
        runner.close()
    return judging.result(), runner.spent


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_source_earns_nothing_and_ends_in_time(name):
    start = time.monotonic()
    result, spent = judged(HOSTILE[name], use_without_screen)
    assert result.points == 0, f"\n{result}"
    assert spent < 12
    assert time.monotonic() - start < 40
    assert why_no_kernels.__wrapped__("bubblewrap") == ""


def test_most_of_them_are_not_even_compiled():
    compiled = {"endless loop", "crash", "prints without end", "more data than memory", "templates without end", "macros without end"}
    use = SAXPY.use
    for name, source in HOSTILE.items():
        if name not in compiled:
            result, _ = judged(source, use)
            assert {case.fault.kind for case in result.cases} == {"refused"}, f"{name}\n{result}"


def forged(value):
    """What a worker could send instead of a trial."""
    judging = Judging(Drawn(SAXPY, (0,)))
    for _ in range(3):
        judging.take(Outcome(value=value))
    return judging.result()


@pytest.mark.parametrize(
    "value",
    [
        None, 3, {}, {"faults": []}, {"faults": [], "outputs": {}}, {"faults": [3]}, {"faults": [{}]}, {"faults": [{"kind": "<b>"}]},
        {"faults": [], "order": "random", "outputs": dict.fromkeys(("forward", "reverse", "random"), {}), "counts": []},
        {"faults": [], "order": "random", "outputs": {"forward": {"y": np.full((2, 2), None)}}, "counts": []},
        {"faults": [], "order": "random", "outputs": {"forward": {"y": "y" * 300}, "reverse": 3, "random": []}, "counts": [{}]},
        {"faults": "race", "outputs": [], "counts": -1},
    ],
)  # fmt: skip
def test_forged_trials_without_the_right_values_earn_nothing(value):
    result = forged(value)
    assert result.points == 0
    assert all(len(case.fault.message) < 600 for case in result.cases)
