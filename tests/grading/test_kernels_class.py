"""Exercises in CUDA C++ in the class grader: right and wrong answers, and sources that attack it, with the screen and without."""

import functools
import inspect
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest

from mlcourse.gpu.screen import refusal
from mlcourse.grading.apart import ApartRunner
from mlcourse.grading.engine import Drawn, Judging, Outcome
from mlcourse.grading.grade import grade
from mlcourse.grading.sandbox import PACKAGE
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import needs_sandbox, notebook
from tests.grading.kernel_bank import SAXPY, SOLUTIONS

BANK = str(Path(__file__).with_name("kernel_bank.py"))
RIGHT = SOLUTIONS["saxpy"]
WRONG = RIGHT.replace("+ y[i]", "")
SIZES = "def sizes(a, n):\n    return -(-n // 128), 128"

SECONDS = 6.0

pytestmark = [needs_sandbox, pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")]


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


HEADERS = ("unistd", "signal", "stdlib", "stdio", "fcntl", "sys/socket")
C = "".join(f"#include <{name}.h>\n" for name in HEADERS)
BLOCK_SIGNALS = "sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0);"
FILL_DISK = (
    'int f = open("/tmp/full", O_CREAT | O_WRONLY, 0600); static char c[1 << 20]; while (write(f, c, sizeof c) > 0);'
)
FILL_MEMORY = "for (;;) for (char *p = (char*)malloc(1 << 26), *q = p; q < p + (1 << 26); q += 4096) *q = 1;"
ANSWER = 'for (int fd = 3; fd < 20; ++fd) write(fd, "3\\nok\\n", 5); _exit(0);'
FIBONACCI = "template <int n> struct T { static const int v = T<n - 1>::v + T<n - 2>::v + 1; };\n"
LATE = "it ran longer than"


def before_main(statements):
    return f"{C}struct Early {{ Early() {{ {statements} }} }} early;{WRONG}"


HOSTILE = {
    "endless loop": (
        in_kernel("while (y[0] != 3) ;"),
        "line 5, `while (y[0] != 3) ;`: the kernel was ended here after 2 s",
    ),
    "endless loop, signals blocked": (in_kernel(f"{BLOCK_SIGNALS} for (;;) ;", C), LATE),
    "crash": (in_kernel("*(volatile int*)8 = 1;"), "out of bounds: line 5, `*(volatile int*)8 = 1;`"),
    "end": (in_kernel("_exit(0);", C), "crash: the kernel ended its own process, with exit code 0"),
    "fork bomb": (in_kernel("for (;;) fork();", C), LATE),
    "fork bomb before main": (before_main("for (;;) fork();"), LATE),
    "kills everybody": (in_kernel("kill(-1, 9);", C), "it ended its own process"),
    "kills its parent": (in_kernel("kill(getppid(), 9);", C), "it ended its own process"),
    "prints without end": (in_kernel('for (;;) printf("%d passed", i);'), "raised"),
    "fills the disk": (
        in_kernel(FILL_DISK, C),
        "crash: the process of the kernel was ended from outside by SIGXFSZ, for it wrote too large",
    ),
    "fills the memory": (in_kernel(FILL_MEMORY, C), "raised"),
    "an answer before main": (before_main(ANSWER), "raised"),
    "more data than memory": (f"__device__ int large[1ull << 33] = {{1}};{WRONG}", "compile error"),
    "templates without end": (FIBONACCI + in_kernel("y[0] = T<1000000>::v;"), "compile error: line 1"),
    "macros without end": (
        "#define A(x) x x x x x x x x x x\n" + in_kernel("A(A(A(A(A(A(A(A(A(y[0] = 0;)))))))))"),
        "compile error",
    ),
    "sleeps": (in_kernel("sleep(1000);", C), LATE),
}


def tried(source, use):
    """Use a source as the class grader does, on the public cases; return what came back, and the seconds that it is charged."""
    SAXPY.ready()
    runner = ApartRunner(Outcome(value=source), textwrap.dedent(inspect.getsource(use)), "bubblewrap", SECONDS)
    try:
        return [runner.call(case.args, case.kwargs) for case in saxpy_cases().cases], runner.spent
    finally:
        runner.close()


@functools.cache
def saxpy_cases():
    return Drawn(SAXPY, (0,))


def judged(outcomes):
    judging = Judging(saxpy_cases())
    for outcome in outcomes:
        judging.take(outcome)
    return judging.result()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_source_is_compiled_and_earns_nothing(name):
    source, says = HOSTILE[name]
    outcomes, spent = tried(source, use_without_screen)
    result = judged(outcomes)
    assert result.points == 0, f"\n{result}"
    assert says in f"{result.fault.kind}: {result.fault.message}"
    assert spent < SECONDS + 2


def test_the_right_answer_is_right_after_all_of_them():
    outcomes, _ = tried(RIGHT, use_without_screen)
    assert judged(outcomes).passed


@pytest.mark.parametrize("name", [name for name, (source, _) in HOSTILE.items() if C in source])
def test_what_calls_the_system_is_not_even_compiled(name):
    assert "includes <unistd.h>" in refusal(HOSTILE[name][0])


def test_a_kernel_that_the_screen_refuses_says_why():
    outcomes, _ = tried(HOSTILE["fork bomb"][0], SAXPY.use)
    assert judged(outcomes).fault.message.startswith(
        "line 1 includes <unistd.h>: the check knows only CUDA's own headers"
    )


@pytest.mark.parametrize(
    "path", ["/etc/passwd", str(PACKAGE / "exercises" / "__init__.py"), BANK, str(Path.home() / ".bashrc")]
)
def test_a_kernel_cannot_read_files_of_the_grader(path):
    look = f'if (i == 0) {{ int f = open("{path}", O_RDONLY); y[0] = f < 0 ? -1.0f : 1.0f; }} if (i > 0 && i < n) y'
    outcomes, _ = tried(f"{C}{RIGHT}".replace("if (i < n) y", look), use_without_screen)
    assert outcomes[0].value["outputs"]["forward"]["y"][0] == -1


def test_a_kernel_cannot_reach_the_network():
    look = "if (i == 0) y[0] = socket(2, 1, 0); if (i > 0 && i < n) y"
    outcomes, _ = tried(f"{C}{RIGHT}".replace("if (i < n) y", look), use_without_screen)
    assert outcomes[0].value["outputs"]["forward"]["y"][0] == -1


def forged(value):
    """What a worker could send instead of a trial."""
    return judged([Outcome(value=value)] * 3)


@pytest.mark.parametrize(
    "value",
    [
        None, 3, {}, {"faults": []}, {"faults": [], "outputs": {}}, {"faults": [3]}, {"faults": [{}]}, {"faults": [{"kind": "<b>"}]},
        {"faults": [], "order": "random", "outputs": {order: {} for order in ("forward", "reverse", "random")}, "counts": []},
        {"faults": [], "order": "random", "outputs": {"forward": {"y": np.full((2, 2), None)}}, "counts": []},
        {"faults": [], "order": "random", "outputs": {"forward": {"y": "y" * 300}, "reverse": 3, "random": []}, "counts": [{}]},
        {"faults": "race", "outputs": [], "counts": -1},
    ],
)  # fmt: skip
def test_forged_trials_without_the_right_values_earn_nothing(value):
    result = forged(value)
    assert result.points == 0
    assert all(len(case.fault.message) < 600 for case in result.cases)
