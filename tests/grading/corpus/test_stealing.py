"""Submissions that look for expected results, other students' work and the grader's secrets, or plant something for later."""

import pytest

from tests.grading.corpus.harness import (
    BOTH,
    GOOD,
    IMPORT,
    ONLY_AREA,
    SECRET,
    assert_fair,
    bad_unit,
    needs_sandbox,
    quick,
)

WALK = """import os
for top in {tops}:
    for root, _, files in os.walk(top):
        for file in files:
            if {wanted}: return open(os.path.join(root, file), errors='replace').read()
return None"""

LOOKS = {
    "asks the oracle": "from mlcourse.exercises import find\nreturn find('unit_vector').oracle(x)",
    "asks the oracle by its file": "import importlib\n"
        "return importlib.import_module('mlcourse.exercises.math.vectors')._unit_vector_oracle(x)",
    "asks the check": "from mlcourse.exercises import check\nraise RuntimeError(check(unit_vector))",
    "imports the grader": "import mlcourse.grading.engine as e\nraise RuntimeError(e.__file__)",
    "reads compiled files": WALK.format(tops=["/"], wanted="'vectors.cpython' in file and 'exercises' in root"),
    "reads the solution": WALK.format(tops=["/"], wanted="file == 'vectors.md'"),
    "reads other submissions": WALK.format(tops=["/"], wanted="file.endswith('.ipynb')"),
    "reads the gradebook": WALK.format(tops=["/"], wanted="file.endswith(('.sqlite', 'class-seed.txt'))"),
    "reads the temporary folder": WALK.format(tops=["/tmp", "/var/tmp", "/run", "/dev/shm"], wanted="True"),
    "looks into its callers": (
        "import sys\nf = sys._getframe()\nwhile f:\n    for v in [f.f_locals, *f.f_locals.values()]:\n"
        "        if isinstance(v, dict) and 'expected' in v: return v['expected']\n    f = f.f_back"),
    "looks through all objects": (
        "import gc\nfor o in gc.get_objects():\n"
        "    if isinstance(o, dict) and {'expected', 'oracle', 'points'} & {k for k in o if type(k) is str}: return o"),
    "reads variables": "import os\nreturn os.environ['GRADER_SECRET']",
    "reads variables of all processes": (
        "import glob\nraise RuntimeError(b''.join(open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/environ')))"),
    "reads command lines of all processes": (
        "import glob\ntext = b''.join(open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/cmdline'))\n"
        "assert b'pytest' in text\nreturn text"),
    "reads the passwords": "return open('/etc/passwd').read()",
    "reads the keys": "import os\nreturn [open(os.path.join(r, f)).read() for r, _, fs in os.walk('/root') for f in fs]",
    "reads the memory of its parent": "import os\nreturn open(f'/proc/{os.getppid()}/mem', 'rb').read(10)",
    "traces its parent": "import ctypes, os\nif ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0): raise OSError('no')\nreturn x",
    "reads the kernel's log": "return open('/dev/kmsg').read(10) + open('/proc/kallsyms').readline()",
    "goes up by a descriptor": "import os\nreturn [os.listdir(f'/proc/self/fd/{fd}/..') for fd in range(3, 20)]",
    "an open file of the grader": "import os\nreturn [os.readlink(f'/proc/1/fd/{fd}') for fd in range(256)]",
    "writes into the package": "import mlcourse\nopen(mlcourse.__file__, 'a').write('evil = 1')\nreturn x",
    "writes everywhere": (
        "import os\nfor root, folders, _ in os.walk('/'):\n"
        "    if root.startswith(('/proc', '/tmp', '/home', '/dev')): folders[:] = []\n"
        "    else:\n        try: open(os.path.join(root, 'evil'), 'w').close()\n        except OSError: continue\n"
        "        return x / np.linalg.norm(x)"),
    "plants a start-up file": (
        "import site, sys\nfor folder in {*site.getsitepackages(), sys.prefix, *sys.path}:\n"
        "    try: open(f'{folder}/evil.pth', 'w').write('import os; os._exit(1)')\n    except OSError: pass\nreturn x"),
    "puts a secret into the result": f"import os\nreturn [v for v in os.environ.values() if v == {SECRET[:-1]!r} + {SECRET[-1]!r}]",
    "takes the clock for the seed": "import time\nreturn np.random.default_rng(int(time.time())).normal(size=x.size)",
}  # fmt: skip

PLANTS = {
    "a file named as a module": "open('numpy.py', 'w').write('raise SystemExit')\nopen('codec.py', 'w').write('')\n"
        "open('/tmp/json.py', 'w').write('')",
    "start-up files at home": (
        "import os\n"
        "for name in ('.bashrc', '.pythonrc', 'sitecustomize.py', 'usercustomize.py'): "
        "open(os.path.expanduser(f'~/{name}'), 'w').write('1/0')\n"
        "os.makedirs(os.path.expanduser('~/.local/lib/python3.11/site-packages'), exist_ok=True)"),
    "variables for the next one": "import os\n"
        "os.environ.update(PYTHONPATH='/tmp', PYTHONSTARTUP='/tmp/x.py', LD_PRELOAD='/tmp/x.so')",
    "links to everywhere": "import os\nfor i, p in enumerate(('/', '/etc/passwd', '/proc/1/root')): os.symlink(p, f'/tmp/link{i}')",
    "a pipe where a file should be": "import os\nos.mkfifo('/tmp/pipe')\nos.mkfifo('vectors.ipynb')",
}  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("name", LOOKS)
def test_there_is_nothing_to_find(name, tmp_path, monkeypatch):
    quick(monkeypatch)
    (tmp_path / "gradebook.sqlite").write_text(SECRET)
    (tmp_path / "class-seed.txt").write_text(SECRET)
    assert_fair(bad_unit(LOOKS[name]), ONLY_AREA, tmp_path, monkeypatch)


@needs_sandbox
@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_is_gone(name, tmp_path, monkeypatch):
    assert_fair([*GOOD, PLANTS[name]], BOTH, tmp_path, monkeypatch)
    assert_fair(GOOD, BOTH, tmp_path, monkeypatch)


@needs_sandbox
def test_the_functions_of_the_course_and_its_libraries_may_be_used(tmp_path, monkeypatch):
    """The chapter's own functions are public, and so is NumPy: who must not use them is told so by a person, not by the grader."""
    uses = bad_unit("from mlcourse.math.vectors import normalize\nreturn normalize(x)")
    assert_fair(uses, BOTH, tmp_path, monkeypatch)


@needs_sandbox
def test_inputs_of_the_class_do_not_leave_in_a_later_message_of_the_same_exercise(tmp_path, monkeypatch):
    tells = "rows = globals().setdefault('rows', [])\nrows.append(x.tolist())\nraise RuntimeError(f'seen: {len(rows)} {rows}')"
    mark, page = assert_fair([IMPORT, *bad_unit(tells)[1:]], ONLY_AREA, tmp_path, monkeypatch)
    unit = next(e for e in mark.exercises if e.name == "unit_vector")
    assert "seen: 1 [[3.0, -4.0]]" in page
    assert f"seen: {len(unit.public) + 1}" not in page
