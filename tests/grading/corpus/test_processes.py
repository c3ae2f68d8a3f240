"""Submissions that start, end and confuse processes: a crash costs its own exercise, and nothing is left behind."""

import pytest

from tests.grading.corpus.harness import (
    BOTH,
    GOOD,
    IMPORT,
    ONLY_AREA,
    assert_fair,
    bad_unit,
    good_unit,
    needs_sandbox,
    quick,
)

DAEMON = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(300)\n    os._exit(0)"
SOCKET = "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).send(b'x')\nreturn x"

ONLY_ITS_OWN = {
    "exits": bad_unit("import os; os._exit(0)"),
    "exits in a thread": bad_unit("import os, threading\nthreading.Thread(target=os._exit, args=(1,)).start()\n"
        "import time; time.sleep(9)"),
    "sys.exit": bad_unit("import sys; sys.exit(0)"),
    "crashes": bad_unit("import ctypes; ctypes.string_at(0)"),
    "aborts": bad_unit("import os; os.abort()"),
    "crashes in faulthandler": bad_unit("import faulthandler; faulthandler._sigsegv()"),
    "overflows the stack in C": bad_unit(
        "import sys\nsys.setrecursionlimit(2**31 - 1)\nrows = None\nfor _ in range(10**6): rows = (rows,)\nreturn repr(rows)"),
    "stops itself": bad_unit("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    "stops everything": bad_unit("import os, signal\nos.kill(-1, signal.SIGSTOP)"),
    "becomes another program": bad_unit("import os; os.execv('/bin/sh', ['sh', '-c', 'sleep 300'])"),
    "becomes the worker once more": bad_unit("import os, sys; os.execv(sys.executable, [sys.executable, '-I', '/grader/worker.py'])"),
    "goes on in a child": bad_unit("import os\nif os.fork(): os._exit(0)\nreturn x / np.linalg.norm(x)"),
    "answers twice": bad_unit("import os\nos.fork()\nreturn x"),
    "a fork bomb": bad_unit("import os\nwhile True: os.fork()"),
    "a bomb of threads": bad_unit("import threading\nwhile True: threading.Thread(target=threading.Event().wait).start()"),
    "a bomb of programs": bad_unit("import subprocess\nwhile True: subprocess.Popen(['sleep', '300'])"),
    "the network": bad_unit(SOCKET),
    "the network by a name": bad_unit("import urllib.request\nreturn urllib.request.urlopen('http://localhost:PORT').read()"),
    "an abstract socket": bad_unit("import socket\nsocket.socket(socket.AF_UNIX).connect('\\0/tmp/.X11-unix/X0')\nreturn x"),
    "a namespace of its own": bad_unit("import ctypes\nif ctypes.CDLL(None).unshare(0x10000000): raise OSError('no')\nreturn x"),
    "another user": bad_unit("import os; os.setuid(0)\nreturn x"),
    "mounts": bad_unit("import ctypes\nif ctypes.CDLL(None).mount(b'none', b'/mnt', b'tmpfs', 0, None): raise OSError\nreturn x"),
}  # fmt: skip

KEEPS_BOTH = {
    "exits in a cell": [*GOOD, "import os; os._exit(1)"],
    "exits at exit": [*GOOD, "import atexit, os\natexit.register(os._exit, 1)"],
    "exits in every second cell": [c for cell in GOOD for c in (cell, "import os; os._exit(1)")],
    "exits a little later": [*GOOD, "import os, threading\nthreading.Timer(0.05, os._exit, (1,)).start()\n"
        "import time; time.sleep(1)"],
    "a fork bomb in a cell": [*GOOD, "import os\nwhile True: os.fork()"],
    "forks in a cell": [IMPORT, "import os\npid = os.fork()", *GOOD[1:]],
    "kills its parent": [*GOOD, "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"],
    "kills everything": [*GOOD, "import os\nos.kill(-1, 9)"],
    "closes all descriptors": [*GOOD, "import os\nos.closerange(0, 256)"],
    "reads the grader's requests": [*GOOD, "import os\nfor fd in range(3, 20):\n    try: os.read(fd, 10**6)\n"
        "    except OSError: pass"],
    "leaves a daemon behind": [*GOOD, DAEMON],
    "leaves a daemon behind in the function": good_unit(DAEMON),
    "leaves a program behind": [*GOOD, "import subprocess\nsubprocess.Popen(['sleep', '300'], start_new_session=True)"],
    "uses more processes": good_unit("import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: p.map(abs, [1])"),
    "runs a program": good_unit("import subprocess\nsubprocess.run(['true'], check=True)"),
    "traces itself": [*GOOD, "import sys\nsys.settrace(lambda *a: 1 / 0)\nsys.setprofile(lambda *a: 1 / 0)"],
    "a lower limit": [*GOOD, "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))"],
    "a higher limit": [*GOOD, "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))"],
    "threads left behind": good_unit("import threading, time\nthreading.Thread(target=time.sleep, args=(100,)).start()"),
    "no garbage collection, no switching": [*GOOD, "import gc, sys\ngc.disable()\nsys.setswitchinterval(1e6)"],
}  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("name", ONLY_ITS_OWN)
def test_what_costs_its_own_exercise(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(ONLY_ITS_OWN[name], ONLY_AREA, tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", KEEPS_BOTH)
def test_what_costs_no_marks(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    assert_fair(KEEPS_BOTH[name], BOTH, tmp_path, monkeypatch)
