"""Cells are read as Jupyter reads them; any text is a program or a fault of its own, in a time that grows with its length."""

import ast
import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.grading.worker import parse_cell

LINES = st.sampled_from(
    ["x = 1", "%time y = 2", "%matplotlib inline", "!ls", "x?", "??x", "z = !ls", "z = %pwd", "if x:", "    !ls", "    pass", "(", ")",
     "%%time", "%%bash", "%%writefile a.py", "def f():", "\tz = 2", "", " ", "\f", "\ufeff", "é = 1", "await f()", "return", "# ?",
     "x = '?'", '"""', "\\"]
)  # fmt: skip


def parsed(source):
    return ast.unparse(parse_cell(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1", "x = 1"),
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ("\n%%capture out\nx = 1", "pass\nx = 1"),
        ("%%bash\nrm -rf /", ""),
        ("%%writefile a.py\nx = 1", "open('a.py', 'w').write('x = 1')"),
        ("%%writefile -a a.py\nx = 1", "open('a.py', 'a').write('x = 1')"),
        ("%time x = 1", "x = 1"),
        ("y = %time f(1)", "y = f(1)"),
        ("y = !ls\nz, w = %pwd", "y = None\nz, w = None"),
        ("if x:\n    !ls\n    %time y = 1", "if x:\n    pass\n    y = 1"),
        ("!pip install \\\n  numpy\nx = 1", "pass\nx = 1"),
        ("np.dot?\nx = 1\n?np\nnp??", "pass\nx = 1\npass\npass"),
        ("!echo 'it is\nx = 1", "pass\nx = 1"),
        ("    x = 1\n    y = 2", "x = 1\ny = 2"),
        ("\ufeffx = 1", "x = 1"),
        ('%pwd\nx = """\n%time\n!ls\nwhy?\n"""', "pass\nx = '\\n%time\\n!ls\\nwhy?\\n'"),
        ("x = 5 %2\n%pwd\ny = x != 3", "x = 5 % 2\npass\ny = x != 3"),
        ("await f()", "await f()"),
    ],
)
def test_what_jupyter_understands(source, expected):
    assert parsed(source) == expected


def test_lines_keep_their_numbers():
    tree = parse_cell("%pwd\n!pip install \\\n  numpy\n\nx = 1")
    assert tree.body[-1].lineno == 5


@given(st.one_of(st.text(), st.lists(LINES).map("\n".join)))
def test_any_text_is_a_program_or_a_fault(source):
    try:
        assert isinstance(parse_cell(source), ast.Module)
    except (SyntaxError, ValueError) as error:
        assert str(error)


@given(st.lists(LINES).map("\n".join))
def test_what_is_python_is_left_alone(source):
    try:
        expected = ast.unparse(ast.parse(source))
    except SyntaxError:
        return
    if not source.lstrip().startswith(("%%", "\ufeff")):
        assert parsed(source) == expected


@pytest.mark.parametrize(
    "source",
    [" " * 200_000 + "=", "x" * 200_000 + "?", "a, " * 2_000 + "= !", "%%" + "a" * 200_000, "\n" * 200_000 + "  ("],
)
def test_time_grows_with_the_length(source):
    start = time.perf_counter()
    with contextlib.suppress(SyntaxError):
        parse_cell(source)
    assert time.perf_counter() - start < 2
