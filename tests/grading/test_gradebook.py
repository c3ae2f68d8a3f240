"""The gradebook: history, the cache, adjustments, two graders at once, kill -9, and files that are something else."""

import math
import os
import random
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlcourse.grading.gradebook import MIGRATIONS, Adjustment, Gradebook, GradebookError, final_points, waiting
from mlcourse.grading.marks import CaseMark, ExerciseMark, SubmissionMark

NASTY = (
    "</style></title></textarea><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=HYPERLINK(1)",
    "a;=1+1",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\u202eback\u2066",
    "line\nbreak\r\n\ttab",
    "nul\0and\udc80",
    "]]>&amp;<!--",
    "e" + "\u0301" * 50,
)
texts = st.one_of(st.text(max_size=30), st.text(st.characters(), max_size=20), st.sampled_from(NASTY))
"""Any text, lone surrogates and control characters too."""

cases = st.builds(CaseMark, texts, st.booleans(), texts, texts, texts)
exercises = st.builds(
    ExerciseMark,
    texts,
    texts,
    st.sampled_from((0.0, 1.5, 4.0)),
    st.sampled_from((4.0, 5)),
    st.sampled_from(("graded", "missing", "manual")),
    st.lists(cases, max_size=3).map(tuple),
    st.integers(0, 3),
    st.integers(0, 9),
    texts,
    texts,
    texts,
)
marks = st.builds(
    SubmissionMark,
    texts,
    texts,
    st.sampled_from(("graded", "rejected")),
    texts,
    st.lists(exercises, max_size=3).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    texts,
    st.integers(-(2**70), 2**130),
    st.floats(0, 100),
)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def a_mark(student="anna", exercise_set="math/vectors", points=(2.0, 4.0), **fields):
    """Marks of two exercises, each with 4 points and one public case."""
    case = CaseMark("a vector", False, "wrong value", "expected 1, got 2", "[1. 2.]")
    exercises = tuple(
        ExerciseMark(
            f"exercise_{i}", f"Exercise {i}", p, 4.0, "graded", (case,), 2, 5, "You doubled it.", "_doubled", "Look."
        )
        for i, p in enumerate(points)
    )
    fields = {"exercises": exercises, "digest": "d1", "seed": 7, "notes": ("cell 3 failed",), "seconds": 0.5} | fields
    return SubmissionMark(student, exercise_set, "graded", **fields)


@pytest.fixture
def book(tmp_path):
    with Gradebook(tmp_path / "gradebook.db") as book:
        yield book


def test_what_is_recorded_comes_back_whole(book):
    book.record(a_mark())
    assert book.latest() == [a_mark()]


@quick
@given(mark=marks)
def test_any_text_comes_back(book, mark):
    book.record(mark)
    assert book.history(mark.student, mark.exercise_set)[-1] == mark
    found = book.cached(mark.student, mark.exercise_set, mark.digest, mark.seed)
    assert found == (mark if mark.digest and mark.status == "graded" else None)


def test_very_long_name(book):
    mark = a_mark("n" * 1_000_000)
    book.record(mark)
    assert book.latest() == [mark]


def test_regrade_supersedes_and_keeps_history(book):
    for points in ((1.0,), (3.0,), (2.0,)):
        book.record(a_mark(points=points))
    assert [mark.points for mark in book.latest()] == [2]
    assert [mark.points for mark in book.history("anna", "math/vectors")] == [1, 3, 2]


def test_latest_has_one_mark_for_each_student_and_set(book):
    book.record(a_mark("bob", seed=1))
    book.record(a_mark("anna", seed=1))
    book.record(a_mark("anna", seed=2, points=(0.0,)))
    book.record(a_mark("anna", "python/numpy"))
    found = [(mark.exercise_set, mark.student, mark.seed) for mark in book.latest()]
    assert found == [("math/vectors", "anna", 2), ("math/vectors", "bob", 1), ("python/numpy", "anna", 7)]
    assert [mark.student for mark in book.latest("math/vectors", seed=1)] == ["anna", "bob"]
    assert book.latest("math/none") == []


def test_cache_hits_only_the_same_file_seed_and_engine(book):
    book.record(a_mark(), engine_version="1")
    asked = {"student": "anna", "exercise_set": "math/vectors", "digest": "d1", "seed": 7, "engine_version": "1"}
    assert book.cached(**asked) == a_mark()
    for key, other in (
        ("student", "bob"),
        ("exercise_set", "x"),
        ("digest", "d2"),
        ("seed", 8),
        ("engine_version", "2"),
    ):
        assert book.cached(**asked | {key: other}) is None
    book.record(a_mark(digest="d2"), engine_version="1")
    assert book.cached(**asked) is None, "superseded marks are no hit"


def test_no_digest_is_no_hit(book):
    book.record(a_mark(digest=""))
    assert book.cached("anna", "math/vectors", "", 7) is None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_marks_that_are_no_numbers_are_refused(book, value):
    with pytest.raises(ValueError, match="finite"):
        book.record(a_mark(points=(1.0, value)))
    assert book.latest() == []


def test_a_mark_that_breaks_a_rule_leaves_nothing_behind(book):
    book.record(a_mark())
    broken = a_mark(points=(1.0, 1.0))
    broken = replace(broken, exercises=(broken.exercises[0], replace(broken.exercises[1], status="odd")))
    with pytest.raises(GradebookError, match="CHECK constraint"):
        book.record(broken)
    assert book.history("anna", "math/vectors") == [a_mark()]


def test_adjustments_are_entries_beside_the_marks(book):
    book.record(a_mark())
    first = book.adjust("anna", "math/vectors", -1.5, "B. Lee", "a day late")
    book.adjust("anna", "math/vectors", 0.25, "B. Lee", "good comment", exercise="exercise_1")
    assert book.latest() == [a_mark()]
    assert book.adjustments()[0] == first
    assert [a.why for a in book.adjustments("anna", "math/vectors")] == ["a day late", "good comment"]
    assert book.adjustments("bob") == []
    assert book.final_points("anna", "math/vectors") == 4.75


def test_final_points_are_never_below_zero_and_outlive_a_regrade(book):
    book.record(a_mark())
    book.adjust("anna", "math/vectors", -7, "B. Lee", "a week late")
    assert book.final_points("anna", "math/vectors") == 0
    book.record(a_mark(points=(4.0, 4.0)))
    assert book.final_points("anna", "math/vectors") == 1


@pytest.mark.parametrize("blank", ["", "  \n", None, 3])
def test_an_adjustment_needs_who_and_why(book, blank):
    book.record(a_mark())
    with pytest.raises(ValueError, match="by is"):
        book.adjust("anna", "math/vectors", 1, blank, "why")
    with pytest.raises(ValueError, match="why is"):
        book.adjust("anna", "math/vectors", 1, "me", blank)
    assert book.adjustments() == []


@pytest.mark.parametrize("points", [math.nan, math.inf, -math.inf, "many", None, 10**400])
def test_an_adjustment_needs_a_finite_number(book, points):
    book.record(a_mark())
    with pytest.raises(ValueError, match="finite number"):
        book.adjust("anna", "math/vectors", points, "me", "why")


def test_an_adjustment_needs_a_known_student_and_exercise(book):
    book.record(a_mark())
    with pytest.raises(LookupError, match="did you mean 'anna'"):
        book.adjust("ana", "math/vectors", 1, "me", "why")
    with pytest.raises(LookupError, match="no marks"):
        book.final_points("anna", "python/numpy")
    with pytest.raises(LookupError, match="exercise_0, exercise_1"):
        book.adjust("anna", "math/vectors", 1, "me", "why", exercise="exercise_9")


def test_adjustments_cannot_be_edited_even_with_sql(book):
    book.record(a_mark())
    book.adjust("anna", "math/vectors", 1, "me", "why")
    with sqlite3.connect(book.path) as connection:
        for statement in ("UPDATE adjustments SET points = 9", "DELETE FROM adjustments"):
            with pytest.raises(sqlite3.IntegrityError, match="opposite sign"):
                connection.execute(statement)
    connection.close()


def test_manual_exercises_wait_until_an_adjustment_names_them():
    manual = ExerciseMark("essay", "Essay", 0.0, 5.0, "manual")
    mark = a_mark(exercises=(manual,))
    other = Adjustment("bob", "math/vectors", 3, "me", "read", "essay")
    own = Adjustment("anna", "math/vectors", 0, "me", "read", "essay")
    assert waiting(mark, [other]) == (manual,)
    assert waiting(mark, [other, own]) == ()
    assert final_points(mark, [other, own]) == 0


# --- the file --------------------------------------------------------------------------------------------------------------


def test_an_older_file_is_migrated(tmp_path):
    path = tmp_path / "gradebook.db"
    with Gradebook(path) as book:
        book.record(a_mark())
    step = ("ALTER TABLE submissions ADD COLUMN room TEXT NOT NULL DEFAULT 'A1'",)
    with Gradebook(path, migrations=(*MIGRATIONS, step)) as book:
        assert book.latest() == [a_mark()]
        book.record(a_mark("bob"))
    assert _ask(path, "PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]
    assert _ask(path, "SELECT room FROM submissions") == [("A1",), ("A1",)]
    with pytest.raises(GradebookError, match="update it"):
        Gradebook(path)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "gradebook.db"
    with Gradebook(path) as book:
        book.record(a_mark())
    step = ("ALTER TABLE submissions ADD COLUMN room TEXT", "ALTER TABLE nothing ADD COLUMN room TEXT")
    with pytest.raises(GradebookError, match="nothing"):
        Gradebook(path, migrations=(*MIGRATIONS, step))
    with Gradebook(path) as book:
        assert book.latest() == [a_mark()]
    assert _ask(path, "SELECT count(*) FROM pragma_table_info('submissions') WHERE name = 'room'") == [(0,)]


def test_other_files_are_refused_and_left_alone(tmp_path):
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at")
    foreign = sqlite3.connect(tmp_path / "nbgrader.db")
    foreign.execute("CREATE TABLE student (id TEXT)")
    foreign.close()
    before = (tmp_path / "nbgrader.db").read_bytes()
    for path, words in (("text.db", "no SQLite file"), ("nbgrader.db", "another program"), ("a/b.db", "folder exists")):
        with pytest.raises(GradebookError, match=words):
            Gradebook(tmp_path / path)
    assert (tmp_path / "nbgrader.db").read_bytes() == before


def test_a_closed_gradebook_is_one_file_and_opens_again(tmp_path):
    book = Gradebook(tmp_path / "gradebook.db")
    book.record(a_mark())
    book.close()
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]
    assert book.latest() == [a_mark()]
    book.close()


def test_threads_share_a_gradebook(book):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: book.record(a_mark(f"student {i}")), range(40)))
    assert len(book.latest()) == 40


# --- processes -------------------------------------------------------------------------------------------------------------

RECORDER = """
import sys, time
from pathlib import Path
from mlcourse.grading.gradebook import Gradebook
from mlcourse.grading.marks import ExerciseMark, SubmissionMark

path, start, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
exercises = tuple(ExerciseMark(f"e{i}", "T" * 3000, 1.0, 2.0, "graded") for i in range(6))
print("ready", flush=True)
while not Path(path + ".go").exists():
    time.sleep(0.001)
book = Gradebook(path)
for i in range(start, start + count):
    book.record(SubmissionMark(f"student {i % 5}", "s", "graded", exercises=exercises, digest=str(i)))
    print(i, flush=True)
"""


def _start(path, start, count):
    arguments = [sys.executable, "-c", RECORDER, str(path), str(start), str(count)]
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    return child


def _ask(path, question):
    connection = sqlite3.connect(path, timeout=30)
    rows = connection.execute(question).fetchall()
    connection.close()
    return rows


def _assert_whole(path):
    assert _ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert _ask(path, "PRAGMA foreign_key_check") == []
    parts = "SELECT count(*) FROM exercise_marks WHERE submission = submissions.id"
    assert {row[0] for row in _ask(path, f"SELECT ({parts}) FROM submissions")} <= {6}
    current = "SELECT count(*) FROM submissions WHERE superseded_at IS NULL GROUP BY student"
    assert {row[0] for row in _ask(path, current)} <= {1}


def test_three_graders_at_once(tmp_path):
    path = tmp_path / "gradebook.db"
    children = [_start(path, start, 25) for start in (0, 100, 200)]
    (tmp_path / "gradebook.db.go").touch()
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    _assert_whole(path)
    digests = {int(row[0]) for row in _ask(path, "SELECT digest FROM submissions")}
    assert digests == {*range(25), *range(100, 125), *range(200, 225)}


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_kill_9_at_any_moment(tmp_path):
    path, start, rng = tmp_path / "gradebook.db", 0, random.Random(0)
    (tmp_path / "gradebook.db.go").touch()
    for turn in range(5):
        child = _start(path, start, 100_000)
        lines = child.stdout.readline() if turn % 2 else ""  # else it may die while it makes or opens the file
        time.sleep(rng.uniform(0.001, 0.05))
        child.kill()
        lines += child.communicate()[0]
        said = [int(line) for line in lines.splitlines(keepends=True) if line.endswith("\n")]
        assert child.returncode == -9
        digests = _digests(path)
        assert set(said) <= digests, "what record returned from is on the disk"
        assert digests <= set(range(start, start + len(said) + 2)) | set(range(start))
        start = max(digests, default=-1) + 1
    _assert_whole(path)
    assert start > 0
    with Gradebook(path) as book:
        assert len(book.latest()) == min(start, 5)


def _digests(path):
    with Gradebook(path):
        return {int(row[0]) for row in _ask(path, "SELECT digest FROM submissions")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_forked_child_does_not_disturb_its_parent(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, '.'); from tests.grading.test_gradebook import Gradebook, a_mark\n"
        f"book = Gradebook({str(tmp_path / 'g.db')!r}); book.record(a_mark('parent'))\n"
        "if os.fork() == 0:\n    book.record(a_mark('child')); book.close(); os._exit(0)\n"
        "assert os.wait()[1] == 0; book.record(a_mark('again')); assert len(book.latest()) == 3\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
