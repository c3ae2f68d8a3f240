"""Submissions that use up memory, disk, time or output: they cost their own exercise, and nobody else anything."""

import pytest

from tests.grading.corpus.harness import (
    AREA,
    BOTH,
    GOOD,
    IMPORT,
    ONLY_AREA,
    UNIT,
    assert_fair,
    bad_unit,
    good_unit,
    needs_sandbox,
    quick,
)

SLEEP = "\nimport time; time.sleep(60)"
FILES = "import os\nfor i in range({n}): open(f'{folder}/{{i}}', 'wb').write(bytes(2**20 * 32))" + SLEEP

MEMORY = {
    "in one process": bad_unit("rows = []\nwhile True: rows.append(bytearray(10**7))"),
    "in a cell": [*GOOD, "rows = []\nwhile True: rows.append(bytearray(10**7))"],
    "in many processes": bad_unit("import os\nfor _ in range(20): os.fork()\nrows = [bytearray(2 * 10**8)]" + SLEEP),
    "in NumPy": bad_unit("return np.ones((10**5, 10**5))"),
    "in many threads": bad_unit(
        "import threading\n"
        "for _ in range(10**5): threading.Thread(target=lambda: bytearray(10**8) and threading.Event().wait()).start()"),
    "in the temporary folder": bad_unit(FILES.format(n=100, folder="/tmp")),
    "in shared memory": bad_unit(FILES.format(n=100, folder="/dev/shm")),
    "in a huge int": bad_unit("return 1 << 10**10"),
    "in a huge string": bad_unit("return 'x' * 10**11"),
    "in a list that grows while it is read": bad_unit("rows = [0]\nfor row in rows: rows.append(row)"),
    "in an array from a file that lies": bad_unit(
        "import io\nhead = b\"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}\"\n"
        "return np.load(io.BytesIO(b'\\x93NUMPY\\x01\\x00' + bytes([len(head), 0]) + head))"),
    "in a zip that grows": bad_unit(
        "import io, zipfile\nb = io.BytesIO()\nzipfile.ZipFile(b, 'w', 8).writestr('x', bytes(2 * 10**9))\n"
        "return zipfile.ZipFile(b).read('x')"),
    "in a pickle": bad_unit("import pickle\nreturn pickle.loads(pickle.dumps([0] * 10**8) * 2)"),
    "in many files without bytes": bad_unit("for i in range(10**9): open(f'/tmp/{i}', 'w').close()"),
    "in deep data": bad_unit("rows = []\nfor _ in range(10**6): rows = [rows]\nreturn rows"),
}  # fmt: skip

TIME = {
    "an endless loop": bad_unit("while True: pass"),
    "an endless loop that swallows interrupts": bad_unit(
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
    "sleep": bad_unit("import time; time.sleep(1000)"),
    "an endless recursion": bad_unit("return unit_vector(x)"),
    "an endless recursion without a limit": bad_unit("import sys\nsys.setrecursionlimit(2**31 - 1)\nreturn unit_vector(x)"),
    "a regular expression that never ends": bad_unit("import re\nreturn re.match(r'(a+)+$', 'a' * 40 + 'b')"),
    "a power of ints": bad_unit("return 7 ** 7 ** 9"),
    "an int as text": bad_unit("import sys\nsys.set_int_max_str_digits(0)\nreturn str(1 << 10**8)"),
    "a sum in C": bad_unit("import itertools\nreturn sum(itertools.repeat(0))"),
    "sorted with a slow key": bad_unit("import time\nreturn sorted(range(1000), key=lambda i: time.sleep(1))"),
    "a generator without an end": bad_unit("import itertools\nreturn list(itertools.count())"),
    "a property": bad_unit("class R(list):\n    @property\n    def __class__(self):\n        while True: pass\nreturn R()"),
    "__del__": good_unit("class D:\n    def __del__(self):\n        while True: pass\nD()"),
    "a comparison": bad_unit("class F(float):\n    def hex(self):\n        while True: pass\nreturn F(1)"),
    "the text of an error": bad_unit(
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E"),
    "signals taken away": bad_unit(
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass"),
    "signals blocked": bad_unit("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass"),
    "input from the keyboard": bad_unit("import os\nr, w = os.pipe()\nreturn os.read(r, 1)"),
    "a lock that is never released": bad_unit("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()"),
}  # fmt: skip

KEEPS_BOTH = {
    "an endless loop in a cell": [*GOOD, "while True: pass"],
    "an endless loop before the answer": [IMPORT, "while True: pass\n" + UNIT, AREA],
    "a cell that swallows interrupts": [*GOOD, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"],
    "an endless loop at exit": [*GOOD, "import atexit\ndef f():\n    while True: pass\natexit.register(f)"],
    "a busy thread": [*GOOD, "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()"],
    "a flood of output": good_unit("import os\nfor fd in (1, 2): os.write(fd, bytes(10**6))\nfor _ in range(100): display(x)"),
    "a flood of log entries": good_unit("import logging, warnings\n"
        "for _ in range(3000): logging.error('x' * 1000); warnings.warn('x')"),
    "a full disk": [*GOOD, "try:\n    while True: open('/tmp/x', 'ab').write(bytes(10**6))\nexcept OSError: pass"],
    "a full home": [*GOOD, "for i in range(10): open(f'big{i}', 'wb').write(bytes(3 * 10**7))"],
    "all descriptors open": good_unit("import os\nwhile not x.any():\n    try: os.dup(0)\n    except OSError: break"),
    "a cell of 100,000 statements": [*GOOD, "x = 1\n" * 20_000],
}  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("name", MEMORY)
def test_memory(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(MEMORY[name], BOTH if name == "in a cell" else ONLY_AREA, tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", TIME)
def test_time(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(TIME[name], ONLY_AREA, tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", KEEPS_BOTH)
def test_what_costs_no_marks(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(KEEPS_BOTH[name], BOTH, tmp_path, monkeypatch)


@needs_sandbox
def test_endless_loops_everywhere_with_the_real_limits(tmp_path, monkeypatch):
    loops = [
        f"def {name}(*arguments):\n    while True: pass" for name in ("unit_vector", "angle_between", "nearest_label")
    ]
    assert_fair([IMPORT, *loops, AREA, "while True: pass"], ONLY_AREA, tmp_path, monkeypatch)
