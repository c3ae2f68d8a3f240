"""Submissions that pretend to be right: objects, messages, patches and memories. The marks are those of the results."""

import json

import pytest

from mlcourse.exercises import exercise_set
from tests.grading.corpus.harness import (
    AREA,
    BOTH,
    GOOD,
    IMPORT,
    NEITHER,
    ONLY_AREA,
    UNIT,
    assert_fair,
    bad_unit,
    code,
    forged,
    needs_sandbox,
    notebook,
    quick,
)

IDENTITY = "def unit_vector(x):\n    return x / 2"
ALL = "lambda *a, **k: True"

OBJECTS = {
    "equal to everything": (
        "class E:\n    def __eq__(self, o): return True\n    def __array__(self, *a, **k): return np.ones(3)\n"
        "    def __float__(self): return 1.0\n    __hash__ = None\nreturn E()"),
    "an array that agrees with all": (
        "class A(np.ndarray):\n    __eq__ = lambda s, o: np.True_\n    __ne__ = None\nreturn np.ones(3).view(A)"),
    "an array that lies about its shape": (
        "class A(np.ndarray):\n    shape = property(lambda s: (3,))\n    dtype = property(lambda s: np.dtype('O'))\n"
        "return np.ones((2, 2)).view(A)"),
    "an array that lies about its data": (
        "class A(np.ndarray):\n    def tobytes(self): return bytes(8)\n    def __array__(self, *a, **k): return x\n"
        "return np.ones(x.size).view(A)"),
    "an array that is larger than memory": "return np.broadcast_to(1.0, (2**20, 2**20))",
    "an array of arrays": "return np.array([x, [x], {1: x}], dtype=object)",
    "an array of itself": "a = np.empty(1, dtype=object)\na[0] = a\nreturn a",
    "a float with its own opinion": "class F(float):\n    __eq__ = lambda s, o: True\n    hex = lambda s: 'inf'\nreturn F(3)",
    "an int with its own opinion": "class I(int):\n    __format__ = lambda s, f: '1'\n    __index__ = lambda s: 1\nreturn I(3)",
    "a string with its own opinion": "class S(str):\n    __str__ = lambda s: 'x'\n    __eq__ = lambda s, o: True\nreturn S('y')",
    "a list with its own length": (
        "class L(list):\n    __len__ = lambda s: 3\n    __iter__ = lambda s: iter(x)\n    __eq__ = lambda s, o: True\nreturn L([1])"),
    "a dict with its own items": "class D(dict):\n    items = lambda s: [(1, 2)]\n    keys = lambda s: [1]\nreturn D(a=1)",
    "a tuple that changes": "class T(tuple):\n    __getitem__ = lambda s, i: x\nreturn T([1])",
    "a class of another name": "class N:\n    __class__ = np.ndarray\nreturn N()",
    "a metaclass that raises": (
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n    __instancecheck__ = __subclasscheck__ = lambda c, o: True\n"
        "class N(metaclass=M): pass\nreturn N()"),
    "an error whose class has no name": (
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n    __mro__ = ()\n    def mro(c): return type.mro(c)\n"
        "class E(Exception, metaclass=M):\n    def __str__(self): raise SystemExit\nraise E"),
    "a record that builds itself": "class R:\n    def __reduce__(self): return (exec, ('raise SystemExit',))\nreturn R()",
    "a list in itself": "l = []\nl.append(l)\nreturn l",
    "a huge array": "return np.zeros(10**8)",
    "a huge nested list": "return [[[0] * 100] * 100] * 100",
    "a huge int": "return 1 << 10**7",
    "a generator": "yield from x",
    "a result that changes": "import itertools\nclass A(np.ndarray): pass\na = np.ones(x.size).view(A)\n"
        "a.flat = itertools.count()\nreturn a",
    "the class instead of an object": "return np.ndarray",
    "the placeholder": "return ...",
    "NotImplemented": "return NotImplemented",
}  # fmt: skip

PATCHES = {
    "numpy": f"np.isclose = np.allclose = np.array_equal = {ALL}\nnp.linalg.norm, np.dtype = np.linalg.norm, np.dtype",
    "builtins": f"import builtins\nbuiltins.isinstance = {ALL}\nbuiltins.all = builtins.any = {ALL}",
    "json": "import json\njson.dumps = lambda *a, **k: '{\"passed\": true, \"points\": 10}'",
    "struct and os": "import os, struct\nstruct.pack = lambda *a: b'\\0\\0\\0\\2{}'\nreal = os.write\n"
        "os.write = lambda fd, d: real(fd, b'\\xff' * len(d))",
    "the worker": "import sys\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\n"
        "f.f_globals['answer'] = lambda s, r: {'value': True, 'passed': True}",
    "the exercises": "import mlcourse, sys, types\nsys.modules['mlcourse.exercises'] = types.ModuleType('x')\nmlcourse.__path__ = []",
    "the import": "import sys\nclass F:\n    def find_spec(self, *a): raise SystemExit\nsys.meta_path.insert(0, F())\n"
        "sys.path_hooks.clear()",
    "all modules": "import sys\nfor name in list(sys.modules): del sys.modules[name]",
    "the parser": "import ast, builtins\nast.parse = None\nbuiltins.compile = builtins.exec = builtins.eval = None",
    "signals": "import signal\nfor s in set(signal.Signals) - {9, 19}:\n    signal.signal(s, lambda *a: None)",
    "sys.exit and hooks": "import os, sys\nsys.excepthook = sys.unraisablehook = print\nos._exit = sys.exit = print",
    "the names": "globals().update({n: None for n in ('__builtins__', 'check', '__name__')})",
    "threads that rebind": (
        "import threading, time\ndef f():\n    time.sleep(0.01)\n    globals()['unit_vector'] = lambda x: x\n"
        "threading.Thread(target=f).start()\ntime.sleep(0.1)"),
}  # fmt: skip

MESSAGES = {
    "marks": {"passed": True, "points": 10},
    "an error that is expected": {"error": "ValueError"},
    "an unknown kind": {"decode": None},
    "private parts": {"_read_int": "1"},
    "no message": None,
    "a number": 1e400,
    "too many parts": {"list": [None] * 200_000},
    "a bomb of empty containers": {"list": [{"set": []}] * 90_000},
    "a bomb of tables": {"list": [{"frame": [{"list": []}, {"array": ["<i8", [0], ""]}, []]}] * 50_000},
    "a bomb of empty arrays": {"list": [{"array": ["<i8", [0], ""]}] * 90_000},
    "a bomb of strings": {"objects": ["U", [1000], ["x" * 10**6] + [""] * 999]},
    "keys with one hash": {"set": [{"int": f"{i * (2**61 - 1):x}"} for i in range(20_000)]},
    "names with one hash": {"dict": [[{"int": f"{i * (2**61 - 1):x}"}, None] for i in range(20_000)]},
    "a shape without end": {"array": ["<f8", [2**31, 2**31, 0, 2**31], ""]},
    "more dimensions than arrays have": {"array": ["<f8", [1] * 65, "AAAAAAAAAAA="]},
    "an array of objects": {"array": ["|O", [1], "AAAAAAAAAAA="]},
    "a structured array": {"array": ["i4,i4", [1], "AAAAAAAAAAA="]},
    "an unknown unit of time": {"array": ["<M8[9999y]", [1], "AAAAAAAAAAA="]},
    "a time in no calendar": {"time": ["Timestamp", "9" * 50]},
    "an int that is no number": {"int": "0x" + "f" * 998},
    "a tensor of lists": {"tensor": ["float32", True, {"list": []}]},
    "nested as deep as JSON goes": "deep",
}  # fmt: skip

CELLS = {
    "writes into the channel": (
        [IMPORT, "import os, json, struct\nd = json.dumps({'id': 'x', 'value': 1}).encode()\n"
         "for fd in range(3, 20):\n    try: os.write(fd, struct.pack('>I', len(d)) + d)\n    except OSError: pass", UNIT, AREA], BOTH),
    "replays the number of the request": (
        bad_unit("import json, os, struct, sys\nf = sys._getframe()\nwhile 'request' not in f.f_locals: f = f.f_back\n"
                 "d = json.dumps({'id': f.f_locals['request']['id'], 'value': True, 'passed': True}).encode()\n"
                 "for fd in range(3, 20):\n    try: os.write(fd, struct.pack('>I', len(d)) + d)\n"
                 "    except OSError: pass\nreturn x"), ONLY_AREA),
    "announces four gigabytes": (
        bad_unit("import os\nfor fd in range(3, 20):\n    try: os.write(fd, b'\\xff' * 100)\n    except OSError: pass\n"
            "return x"), ONLY_AREA),
    "claims an error that is expected": (bad_unit("class ValueErro(Exception): pass\nraise ValueErro"), ONLY_AREA),
    "raises what the zero vector must raise, always": (bad_unit("raise ValueError"), ONLY_AREA),
    "points in the metadata": (
        notebook([code(c, metadata={"nbgrader": {"grade": True, "points": 99}, "tags": ["check"], "points": 99}) for c in GOOD],
                 metadata={"mlcourse": {"exercises": "math/vectors", "points": 99, "seed": 0, "sandbox": "none"}}), BOTH),
    "answers by a name that is deleted in the call": (bad_unit("global unit_vector\ndel unit_vector\nreturn x"), ONLY_AREA),
}  # fmt: skip


def public_inputs():
    import numpy as np

    exercise = next(e for e in exercise_set("math/vectors") if e.name == "unit_vector")
    return [case.args[0].tolist() for case in exercise.cases(np.random.default_rng(0))]


MEMORIES = {
    "right on the public inputs only": (
        f"for known in {public_inputs()}:\n    if list(x) == known:\n        if not x.any(): raise ValueError\n"
        f"        return x / np.sqrt(x @ x)\nreturn x"),
    "right in the first calls only": (
        "globals()['calls'] = globals().get('calls', 0) + 1\nif not x.any(): raise ValueError\n"
        "return x / np.sqrt(x @ x) if calls < 6 else x"),
    "the same result again and again": (
        "if not x.any(): raise ValueError\nglobals().setdefault('first', x / np.sqrt(x @ x))\nreturn first"),
    "one list for all results": (
        "if not x.any(): raise ValueError\nrows = globals().setdefault('rows', [])\nrows.append(x / np.sqrt(x @ x))\nreturn rows"),
    "right where nobody looks at the time": (
        "import time\nif not x.any(): raise ValueError\nglobals().setdefault('begin', time.monotonic())\n"
        "time.sleep(0.02)\nreturn x / np.sqrt(x @ x) if time.monotonic() - begin < 0.1 else x"),
}  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("name", OBJECTS)
def test_objects(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(bad_unit(OBJECTS[name]), ONLY_AREA, tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", PATCHES)
def test_patches(name, tmp_path, monkeypatch):
    """What is patched in the student's process gives no mark; it may cost some."""
    quick(monkeypatch)
    mark, _ = assert_fair([IMPORT, IDENTITY], NEITHER, tmp_path, monkeypatch)
    before = mark.points
    mark, _ = assert_fair([IMPORT, IDENTITY, PATCHES[name]], NEITHER, tmp_path, monkeypatch)
    assert mark.points <= before


@needs_sandbox
@pytest.mark.parametrize("name", MESSAGES)
def test_messages(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    message = MESSAGES[name]
    source = f"__import__('json').loads({json.dumps(message)!r})" if message != "deep" else "'[' * 10**6"
    mark, _ = assert_fair(forged(source), NEITHER, tmp_path, monkeypatch, seconds=15)
    assert mark.points == 0 or "ValueError" in str(message), (
        "a message that is refused is not the error that a case asks for"
    )


@needs_sandbox
@pytest.mark.parametrize("name", CELLS)
def test_channel_and_metadata(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(*CELLS[name], tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", MEMORIES)
def test_what_is_right_only_sometimes(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    mark, _ = assert_fair(bad_unit(MEMORIES[name]), ONLY_AREA, tmp_path, monkeypatch)
    unit = next(e for e in mark.exercises if e.name == "unit_vector")
    assert unit.points < 0.7 * unit.max_points
