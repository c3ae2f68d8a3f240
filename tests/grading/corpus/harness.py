"""What the cases of the corpus share: the good answers, the limits, and the proof that a submission did no harm."""

import contextlib
import json
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import mlcourse
from mlcourse.exercises import exercise_set
from mlcourse.grading.feedback import feedback_page
from mlcourse.grading.grade import grade
from mlcourse.grading.sandbox import why_no_bubblewrap
from mlcourse.grading.submissions import Submission

needs_sandbox = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap() or "bubblewrap works")

NAMES = ("unit_vector", "triangle_area_3d")
IMPORT = "import numpy as np"
UNIT = """def unit_vector(x):
    x = np.asarray(x, dtype=float)
    length = np.sqrt(x @ x)
    if length == 0:
        raise ValueError("no direction")
    return x / length"""
AREA = """def triangle_area_3d(a, b, c):
    a, b, c = (np.asarray(p, dtype=float) for p in (a, b, c))
    return float(np.linalg.norm(np.cross(b - a, c - a)) / 2)"""
GOOD = [IMPORT, UNIT, AREA]
BOTH, NEITHER, ONLY_AREA, ONLY_UNIT = (True, True), (False, False), (False, True), (True, False)
SECRET = "the-secret-of-the-grader"
SEED = 7


def bad_unit(body):
    """The function of the first exercise with another body; the second exercise is right."""
    return [IMPORT, "def unit_vector(x):\n" + "\n".join("    " + line for line in body.splitlines()), AREA]


def good_unit(before):
    """The first exercise solved, but for statements that come before in the body."""
    lines = UNIT.split("\n")
    return [IMPORT, "\n".join([lines[0], *("    " + line for line in before.splitlines()), *lines[1:]]), AREA]


def forged(message):
    """The first exercise answers with a message that the codec would not write."""
    return [
        IMPORT,
        f"import sys\nsys.modules['codec'].encode = lambda value: {message}",
        "def unit_vector(x):\n    return x",
    ]


def code(source, **others):
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **others}


def notebook(sources, /, **others):
    """A notebook as bytes, from the sources of its cells or from whole cells."""
    whole = [code(cell) if isinstance(cell, str) else cell for cell in sources]
    metadata = {"mlcourse": {"exercises": "math/vectors"}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": whole, **others}
    return json.dumps({key: value for key, value in content.items() if value is not None}).encode()


@dataclass
class Listener:
    """A server of this machine that no submission may reach."""

    port: int
    connections: int = 0


@contextlib.contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server.getsockname()[1])

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()
                    listener.connections += 1

        threading.Thread(target=accept, daemon=True).start()
        yield listener
        server.shutdown(socket.SHUT_RDWR)


def solved(mark):
    by_name = {exercise.name: exercise for exercise in mark.exercises}
    return tuple(name in by_name and by_name[name].points == by_name[name].max_points for name in NAMES)


def assert_fair(cells, deserved, tmp_path, monkeypatch, seconds=50.0):
    """Grade a submission; it must have the marks it deserves and leave everything else as it was. Return the mark and its page."""
    data = cells if isinstance(cells, bytes) else notebook(cells)
    monkeypatch.setenv("GRADER_SECRET", SECRET)
    canaries = [tmp_path / "canary", tmp_path / "other-student" / "vectors.ipynb"]
    for canary in canaries:
        canary.parent.mkdir(exist_ok=True)
        canary.write_text(SECRET)
    package, before, start = _state_of_the_package(), _boxed(), time.monotonic()
    with listening() as listener:
        port = str(listener.port).encode()
        mark = grade(Submission("ann", "vectors.ipynb", data.replace(b"PORT", port)), seed=SEED)
    page = feedback_page(mark)
    assert time.monotonic() - start < seconds
    if deserved == "rejected":
        assert mark.status == "rejected"
        assert mark.reason
    else:
        assert mark.status == "graded", mark.reason
        graded = [(e.name, e.points, e.diagnosis) for e in mark.exercises if e.points or e.status == "graded"]
        assert solved(mark) == deserved, (graded, mark.notes)
    assert [canary.read_text() for canary in canaries] == [SECRET] * 2
    assert _state_of_the_package() == package
    assert listener.connections == 0, "the network was reached"
    assert SECRET not in page + json.dumps(mark.to_data())
    assert gone_within(5, before), "a process is left"
    return mark, page


def quick(monkeypatch):
    """Give submissions a quarter of the usual time, for cases that use it up."""
    monkeypatch.setattr("mlcourse.grading.session.CELL_SECONDS", 2.0)
    for exercise in exercise_set("math/vectors"):
        monkeypatch.setitem(vars(exercise), "seconds", 1.0)


def gone_within(seconds, before):
    """Tell whether all boxed processes but those of `before` end in time: a kernel needs a moment for hundreds of processes."""
    until = time.monotonic() + seconds
    while _boxed() - before:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _boxed():
    """The processes in other process namespaces that this process started, or whose parent is gone; not those of tests beside it."""
    own = _namespace("self")
    others = [pid for pid in _alive() if _namespace(pid) not in (None, own)]
    return {pid for pid in others if _outside(pid, own) in (0, 1, os.getpid())}


def _alive():
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and "State:\tZ" not in (entry / "status").read_text():
                yield int(entry.name)


def _namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def _outside(pid, own):
    """The first ancestor that is neither in a box nor bubblewrap itself."""
    while pid > 1:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 1
        if _namespace(pid) == own and not status.startswith("Name:\tbwrap"):
            return pid
        pid = int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))
    return pid


def _state_of_the_package():
    folder = Path(mlcourse.__file__).parent
    return [(folder / name / "__init__.py").read_bytes() for name in ("", "data", "math")] + [sorted(folder.iterdir())]
