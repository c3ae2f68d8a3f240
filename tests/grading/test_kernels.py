"""Exercises in CUDA C++: what passes, what is said of what does not, and what each wrong answer is recognized by."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from mlcourse.authoring.needs import needs_of
from mlcourse.gpu import KernelError
from mlcourse.gpu.executor.build import COMPILER_VARIABLE, compiler
from mlcourse.grading import LocalRunner, Mistake, Unchecked, check_answer, run
from mlcourse.grading.kernels import _try_tiny, empty, kernel_exercise, launch, ready, scratch
from mlcourse.grading.notebook import check_notebook
from tests.grading.kernel_bank import BLOCK_SUM, EXERCISES, HUNT, LAUNCH, SAXPY, SOLUTIONS, STRIDED

RIGHT = SOLUTIONS["saxpy"]
BANK = str(Path(__file__).with_name("kernel_bank.py"))

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


def fault_of(source, exercise=SAXPY):
    return check_answer(exercise, source).fault


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        (RIGHT.replace("y[i];", "y[i]"), "compile error", "line 4, `if (i < n) y[i] = a * x[i] + y[i]`: expected ';'"),
        (RIGHT.replace("saxpy", "axpy"), "launch", "the source has no kernel 'saxpy'"),
        (RIGHT.replace(", int n", ", int n, int m"), "launch", "takes 5 arguments, got 4"),
        (RIGHT.replace("float* y", "double* y"), "launch", "shape (256,); the arguments are a, x, y, n"),
        (RIGHT.replace("float a, const float* x", "const float* x, float a"), "launch", "another order than the arguments: a, x, y, n"),
        (RIGHT.replace("y[i];", "y[i] ** 1;"), "compile error", "hint: C++ has no operator for powers"),
        (RIGHT.replace("y[i];", "y[i] + 0 * ((volatile float*)x)[i];"), "too many sectors", "Each request alone moves no more"),
        (RIGHT.replace("if (i < n)", "while (true)"), "raised", "line 4, `while (true) y[i]"),
        (RIGHT.replace("  if", '  asm("nop");\n  if'), "refused", "line 4 uses 'asm': the check does not compile assembly"),
        (RIGHT.replace("y[i] =", "y[0] ="), "race", "line 4, `if (i < n) y[0] ="),
        (RIGHT.replace("const float* x", "float* x").replace("= a * x[i]", "+= x[i] = a * x[i]"), "wrong value", "y: "),
        (RIGHT.replace("const float* x", "float* x").replace("= a", "= 0 * (x[i] += 1) + a"), "wrong value", "y: "),
        (RIGHT.replace("i < n", "i < n && x[i] > 9"), "wrong value", "y: "),
        (RIGHT.replace("if (i < n)", "if (i < n / 0)"), "crash", "divides an integer by zero"),
        (
            RIGHT.replace("if (i < n) ", "if (threadIdx.x == 0) for (; i < n && i < (blockIdx.x + 1) * blockDim.x; i++)\n    "),
            "too many sectors",
            "Each request alone moves no more than it must, but there are too many",
        ),
        (None, "raised", "NotImplementedError"),
        (3, "wrong type", "expected the source of the kernel, a text in quotes; got an object of type int"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_kernel(source, kind, words):
    fault = fault_of(source)
    assert fault.kind == kind
    assert words in fault.message


def test_inputs_must_stay_as_they_are():
    clean = RIGHT.replace("const float* x", "float* x").replace("y[i];", "y[i], x[i] = 0;")
    assert fault_of(clean).kind == "changed input"
    assert fault_of(clean).message == "it changed x, which it has only to read"


@pytest.mark.parametrize(
    "source", ["...", "", "// nothing yet", RIGHT[: RIGHT.index("{")] + "{\n  // your code\n}", ...]
)
def test_what_counts_as_not_begun(source):
    result = check_answer(SAXPY, source)
    assert not result.started
    assert "Not started: write the body of saxpy" in repr(result)


def test_a_message_that_comes_again_is_shown_once():
    shown = repr(check_answer(SAXPY, RIGHT.replace("y[i];", "y[i]")))
    assert shown.count("expected ';'") == 1
    assert shown.count("compile error: the same again") == 2
    assert 'hint("saxpy")' in shown


def test_the_card_shows_code_as_code():
    html = check_answer(SAXPY, RIGHT.replace("y[i] =", "y[0] ="))._repr_html_()
    assert "line 4, <code>if (i &lt; n) y[0] =" in html


ORDERED = """
__device__ int turn;
__global__ void ordered(int* out, int n) {
  if (threadIdx.x == 0) out[blockIdx.x] = atomicAdd(&turn, 1) % gridDim.x;
}"""


def test_a_result_that_depends_on_the_order_of_blocks():
    exercise = kernel_exercise(
        name="ordered", title="Ordered", points=1, minutes=1, difficulty=1, hints=("Use blockIdx.",),
        cases=lambda rng: [launch("four blocks", 4, 32, out=empty(4, np.int32), n=4)],
        oracle=lambda out, n: {"out": np.arange(4)},
        mistakes=[Mistake(ORDERED.replace("turn, 1", f"turn, {k}"), f"step {k}") for k in (2, 3, 4)],
    )  # fmt: skip
    fault = fault_of(ORDERED, exercise)
    assert fault.kind == "depends on the order"
    assert fault.message.startswith(
        "right with blocks and warps in order; but with blocks and warps in reverse order, out: "
    )


def copying(**limits):
    return kernel_exercise(
        name="copy", title="Copy", points=1, minutes=1, difficulty=1, hints=("One element a thread.",),
        cases=lambda rng: [launch("a block", 1, 64, 256, x=np.arange(64, dtype=np.float32), out=empty(64))],
        oracle=lambda x, out: {"out": x},
        mistakes=[Mistake(COPY % f"out[t] = {k};", f"always {k}") for k in (1, 2, 3)],
        **limits,
    )  # fmt: skip


COPY = "__global__ void copy(const float* x, float* out) { int t = threadIdx.x; %s }"


def test_shared_memory_of_its_own_may_be_limited():
    through = "float tile[%s]; tile[t] = x[t]; __syncthreads(); out[t] = tile[t];"
    exercise = copying(most_static=0)
    assert check_answer(exercise, COPY % f"extern __shared__ {through % ''}").passed
    fault = fault_of(COPY % f"__shared__ {through % 64}", exercise)
    assert fault.kind == "launch"
    assert "the source declares 256 bytes of shared memory itself" in fault.message


def test_many_small_requests_are_named_as_such():
    fault = fault_of(COPY % "if (t == 0) for (int i = 0; i < 64; i++) out[i] = x[i];", copying(most_sectors=1.0))
    assert fault.kind == "too many sectors"
    assert "there are too many: let all lanes of a warp work, on neighbors" in fault.message
    assert "would do" not in fault.message


def test_what_is_left_of_a_scratch_array_is_nobodys_business():
    source = """
    __global__ void shift(const float* x, float* room, float* out, int n) {
      int i = threadIdx.x;
      if (i < n - 1) room[i] = x[i + 1];
      if (i < n) out[i] = i < n - 1 ? room[i] : 0.0f;
    }"""
    card = {key: getattr(SAXPY, key) for key in ("title", "points", "minutes", "difficulty", "hints", "mistakes")}

    def exercise(room):
        case = launch("three", 1, 32, x=np.arange(3, dtype=np.float32), room=room, out=empty(3), n=3)
        after = {"out": [1, 2, 0]}
        return kernel_exercise(name="shift", cases=lambda rng: [case], oracle=lambda **arguments: after, **card)

    assert check_answer(exercise(scratch(3)), source).passed
    assert check_answer(exercise(empty(3)), source).fault.kind == "not written"
    unset = source.replace("room[i] : 0", "room[i + 1] : 0")
    assert check_answer(exercise(scratch(3)), unset).fault.kind in ("uninitialized", "race")


def test_a_race_may_show_in_another_line_and_is_recognized_all_the_same():
    wrong = BLOCK_SUM.mistakes[0]
    other = wrong.answer.replace("int t =", "\n\n  // the place in the block\n  int t =").replace(
        "step /= 2", "step >>= 1"
    )
    assert check_answer(BLOCK_SUM, other).recognized is wrong


@pytest.mark.parametrize(
    ("answer", "points", "words"),
    [
        ({"read": 512.0, "written": np.int64(128)}, 2, ""),
        ({"read": 511, "written": 128}, 1, "511 is not what the executor counts"),
        ({"read": "many", "written": 128}, 1, "expected a number"),
        ({"read": True, "written": 128}, 1, "expected a number"),
        ({"written": 128}, 1, "there is no answer for 'read' yet"),
        ({"read": ..., "written": ...}, 0, "Not started: write your answer in strided_sectors"),
        ("...", 0, "Not started"),
        ([512, 128], 0, "the answer is a dict with the key 'read'"),
    ],
)
def test_predictions(answer, points, words):
    result = check_answer(STRIDED, answer)
    assert result.points == points
    assert words in repr(result)
    assert "512" not in repr(result) or 512 in np.ravel(list(answer.values()) if isinstance(answer, dict) else answer)


@pytest.mark.parametrize(
    ("sum_", "words"),
    [
        ((8, "Race"), ""),
        (("race", 3), "there is such a fault in it, but not in line 3"),
        (("deadlock", 8), "the executor finds no fault in it that is called 'deadlock'"),
        (("mistake", 8), "there is no fault named 'mistake'; the names are crash, trap, out of bounds"),
        ("race", "expected a pair such as"),
        (None, "the executor finds a fault in it"),
        (..., "there is no answer for 'sum' yet"),
    ],
)
def test_hunts(sum_, words):
    result = check_answer(HUNT, SOLUTIONS["faults"] | {"sum": sum_})
    assert result.points == (3 if not words else 2)
    assert words in repr(result)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (lambda a, n: ((-(-n // 64), 1), [64, 1, 1], 0), ""),
        (lambda a, n: (np.int64(-(-n // 64)), np.uint8(64)), ""),
        (lambda a, n: n, "expected (grid, block)"),
        (
            lambda a, n: (10**9, 1024),
            "it starts 1,024,000,000,000 threads for 128 elements; at most 2 times as many are asked",
        ),
        (lambda a, n: (0, 128), "has no blocks"),
        (lambda a, n: (True, 128), "expected whole numbers"),
    ],
)
def test_sizes(sizes, words):
    result = check_answer(LAUNCH, sizes)
    assert result.passed == (not words)
    assert words in repr(result)


def test_an_oracle_that_does_not_fit_is_an_error_of_the_author():
    for after, words in (({"z": 1}, "the oracle returns z; the arrays are x, y"), ({"y": [1.0]}, "has shape \\(1,\\)")):
        card = {key: getattr(SAXPY, key) for key in ("title", "points", "minutes", "difficulty", "hints", "mistakes")}
        cases = lambda rng: [launch("a case", 1, 32, x=np.ones(3, np.float32), y=np.ones(3, np.float32), n=3)]  # noqa: E731
        exercise = kernel_exercise(name="saxpy", cases=cases, oracle=lambda x, y, n, after=after: after, **card)
        with pytest.raises(ValueError, match=words):
            check_answer(exercise, "__global__ void saxpy(const float* x, float* y, int n) { y[0] = 1; }")


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv(COMPILER_VARIABLE, "no-such-compiler")
    for function in (compiler, _try_tiny):
        function.cache_clear()
    yield
    monkeypatch.undo()
    for function in (compiler, _try_tiny):
        function.cache_clear()


def test_without_a_compiler_the_card_says_so(no_compiler, tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "progress.jsonl"))
    card = check_answer(SAXPY, RIGHT)
    assert isinstance(card, Unchecked)
    assert repr(card).startswith("○ Scale and add: not checked\n  the C++ compiler 'no-such-compiler'")
    assert "not checked" in card._repr_html_()
    path = tmp_path / "kernels.ipynb"
    cell = nbformat.v4.new_code_cell(f"saxpy = {RIGHT!r}")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    report = check_notebook(path, BANK)
    assert not report.passed
    assert "not checked: the C++ compiler" in str(report)
    assert not (tmp_path / "progress.jsonl").exists()
    with pytest.raises(KernelError):
        ready()


def test_the_page_of_an_exercise_says_that_it_needs_a_compiler():
    for exercise in EXERCISES:
        assert needs_of(
            exercise, ["import numpy as np"], {"numpy": {"imports": ["numpy"], "depends": []}}
        ).elsewhere == ("a C++ compiler",)
