"""The gradebook of a class: one SQLite file that two graders may write at once and that survives being killed.

Tables (`MIGRATIONS` has the exact definitions; ``PRAGMA user_version`` is the version of the schema, and
``PRAGMA application_id`` tells a gradebook from any other SQLite file):

``submissions``
    One row for each time a submission was graded. A regrade of the same student, exercise set and seed adds a row and
    writes the time into `superseded_at` of the one before; no row is ever changed otherwise or removed.
``exercise_marks``
    One row for each exercise of a submission, numbered by `position`; `public` is a JSON list of the public cases,
    `answer` and `image` are what a person must read (`image` a PNG in base64).
``adjustments``
    Points that a person added or took away, with who and why. Triggers refuse to change or remove an entry:
    a correction is one more entry. `submission` is the row that was current when the entry was made.

Each method is one transaction, and a method that returned has its data on the disk. The journal is a write-ahead log:
while a gradebook is open, and after a grader was killed, ``-wal`` and ``-shm`` files lie beside it and belong to it; the
next grader to close it makes it one file again. Two graders on one machine may share a gradebook, two machines may not.
Seeds are text, for they may have more than 64 bits.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from mlcourse import __version__
from mlcourse.grading.marks import CaseMark, ExerciseMark, SubmissionMark

APPLICATION_ID = 0x6D6C6367
"""What ``PRAGMA application_id`` is in a gradebook: the letters mlcg."""

_VERSION_1 = (
    """CREATE TABLE submissions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        student TEXT NOT NULL,
        exercise_set TEXT NOT NULL,
        seed TEXT NOT NULL,
        digest TEXT NOT NULL,
        engine_version TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('graded', 'rejected')),
        reason TEXT NOT NULL,
        notes TEXT NOT NULL,
        points REAL NOT NULL,
        max_points REAL NOT NULL,
        seconds REAL NOT NULL,
        recorded_at TEXT NOT NULL,
        superseded_at TEXT
    )""",
    "CREATE UNIQUE INDEX current ON submissions (student, exercise_set, seed) WHERE superseded_at IS NULL",
    """CREATE TABLE exercise_marks (
        submission INTEGER NOT NULL REFERENCES submissions (id),
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        title TEXT NOT NULL,
        points REAL NOT NULL,
        max_points REAL NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('graded', 'missing', 'manual')),
        public TEXT NOT NULL,
        class_passed INTEGER NOT NULL,
        class_cases INTEGER NOT NULL,
        diagnosis TEXT NOT NULL,
        mistake TEXT NOT NULL,
        hint TEXT NOT NULL,
        PRIMARY KEY (submission, position)
    ) WITHOUT ROWID""",
    """CREATE TABLE adjustments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        student TEXT NOT NULL,
        exercise_set TEXT NOT NULL,
        exercise TEXT NOT NULL,
        points REAL NOT NULL,
        who TEXT NOT NULL CHECK (who <> ''),
        why TEXT NOT NULL CHECK (why <> ''),
        recorded_at TEXT NOT NULL,
        submission INTEGER NOT NULL REFERENCES submissions (id)
    )""",
    """CREATE TRIGGER adjustments_are_not_edited BEFORE UPDATE ON adjustments
        BEGIN SELECT RAISE(ABORT, 'an adjustment is never edited: add one with the opposite sign'); END""",
    """CREATE TRIGGER adjustments_are_not_removed BEFORE DELETE ON adjustments
        BEGIN SELECT RAISE(ABORT, 'an adjustment is never removed: add one with the opposite sign'); END""",
)

_VERSION_2 = (
    "ALTER TABLE exercise_marks ADD COLUMN answer TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE exercise_marks ADD COLUMN image TEXT NOT NULL DEFAULT ''",
)

MIGRATIONS = (_VERSION_1, _VERSION_2)
"""The statements that lead from each version of the schema to the next; an entry that was released is never changed."""

_SECONDS_TO_WAIT = 60
_INHERITED = []  # connections of a parent process: closing one here could take the parent's log away
_EXERCISE_COLUMNS = tuple(field.name for field in fields(ExerciseMark))
_CURRENT = "student = CAST(? AS TEXT) AND exercise_set = CAST(? AS TEXT) AND seed = ? AND superseded_at IS NULL"


class GradebookError(Exception):
    """A gradebook that cannot be read or written; the message says why and what to do."""


@dataclass(frozen=True)
class Adjustment:
    """Points that a person added to a student's points or took away.

    Attributes
    ----------
    student, exercise_set : str
    points : float
        Negative where points were taken away.
    by, why : str
    exercise : str
        The exercise that was read by a person, or an empty string where the whole submission is meant.
    at : str
        When, in UTC.
    """

    student: str
    exercise_set: str
    points: float
    by: str
    why: str
    exercise: str = ""
    at: str = ""


def adjustments_of(mark, adjustments):
    """Select those adjustments that belong to a submission."""
    return tuple(a for a in adjustments if (a.student, a.exercise_set) == (mark.student, mark.exercise_set))


def final_points(mark, adjustments=()):
    """Add a submission's adjustments to its graded points.

    Parameters
    ----------
    mark : SubmissionMark
    adjustments : iterable of Adjustment
        Of any student; those of others are passed over.

    Returns
    -------
    float
        Never below 0; it may be above the submission's `max_points`.

    Examples
    --------
    >>> exercise = ExerciseMark("unit_vector", "A vector of length one", 2.0, 3.0, "graded")
    >>> mark = SubmissionMark("anna", "math/vectors", "graded", exercises=(exercise,))
    >>> final_points(mark, [Adjustment("anna", "math/vectors", -0.5, "B. Lee", "a day late")])
    1.5
    """
    return max(0.0, round(mark.points + sum(a.points for a in adjustments_of(mark, adjustments)), 2))


def waiting(mark, adjustments=()):
    """Select the exercises that a person must still read: manual ones without an adjustment that names them."""
    read = {adjustment.exercise for adjustment in adjustments_of(mark, adjustments)}
    return tuple(e for e in mark.exercises if e.status == "manual" and e.name not in read)


class Gradebook:
    """The marks of a class in one SQLite file; any thread may use it, and a ``with`` block closes it.

    Parameters
    ----------
    path : str or Path
        The file; it is made if it is missing, and brought to the newest schema if it is older.
    migrations : sequence of sequences of str, optional
        The steps of the schema.

    Raises
    ------
    GradebookError
        If the file is something else, or was written by a newer version of mlcourse.
    """

    def __init__(self, path, migrations=MIGRATIONS):
        self._lock = threading.RLock()
        self._connection, self._process = None, None
        self.path = Path(path)
        with self._connected() as connection:
            _migrate(connection, self.path, migrations)
            _write_ahead(connection)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        self.close()

    def close(self):
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
                self._connection = None

    def record(self, mark, engine_version=__version__):
        """Store the marks of one submission, whole or not at all.

        They become the current marks of this student, exercise set and seed; earlier ones stay as history.

        Parameters
        ----------
        mark : SubmissionMark
        engine_version : str
            What the marks depend on besides the submission and the seed; `cached` asks for the same.
        """
        _refuse_odd_numbers(mark)
        now = _now()
        with self._transaction() as connection:
            connection.execute(
                f"UPDATE submissions SET superseded_at = ? WHERE {_CURRENT}",
                (now, _bytes(mark.student), _bytes(mark.exercise_set), str(mark.seed)),
            )
            number = _insert(connection, "submissions", _submission_row(mark, engine_version, now))
            for position, exercise in enumerate(mark.exercises):
                row = asdict(exercise) | {"public": json.dumps(asdict(exercise)["public"])}
                _insert(connection, "exercise_marks", {"submission": number, "position": position, **row})

    def latest(self, exercise_set=None, seed=None):
        """Return the marks that count.

        Parameters
        ----------
        exercise_set : str, optional
            Only these; all by default.
        seed : int, optional
            Only marks that were given with this seed; by default, of marks with several seeds those recorded last.

        Returns
        -------
        list of SubmissionMark
            One for each student and exercise set, in the order of exercise sets, then of students.
        """
        where, values = ["superseded_at IS NULL"], []
        if exercise_set is not None:
            where.append("exercise_set = CAST(? AS TEXT)")
            values.append(_bytes(exercise_set))
        if seed is not None:
            where.append("seed = ?")
            values.append(str(seed))
        newest = f"SELECT max(id) FROM submissions WHERE {' AND '.join(where)} GROUP BY student, exercise_set"
        return self._read_marks(f"id IN ({newest}) ORDER BY exercise_set, student", values)

    def history(self, student, exercise_set):
        """Return all marks that a student ever had in an exercise set, oldest first."""
        where = "student = CAST(? AS TEXT) AND exercise_set = CAST(? AS TEXT) ORDER BY id"
        return self._read_marks(where, (_bytes(student), _bytes(exercise_set)))

    def cached(self, student, exercise_set, digest, seed, engine_version=__version__):
        """Return the current marks if they are those of this very file, else None.

        A rejection is never found: looking again costs little, and the fault may have been the grader's.

        Parameters
        ----------
        student, exercise_set : str
        digest : str
            SHA-256 of the submitted file; an empty one is never found.
        seed : int
        engine_version : str
            As given to `record`.

        Returns
        -------
        SubmissionMark or None
        """
        if not digest:
            return None
        where = f"{_CURRENT} AND digest = CAST(? AS TEXT) AND engine_version = CAST(? AS TEXT) AND status = 'graded'"
        values = (_bytes(student), _bytes(exercise_set), str(seed), _bytes(digest), _bytes(engine_version))
        return next(iter(self._read_marks(where, values)), None)

    def adjust(self, student, exercise_set, points, by, why, exercise=""):
        """Add points to a student's points, or take some away; the marks themselves stay as they are.

        Parameters
        ----------
        student, exercise_set : str
            There must be marks for them.
        points : float
            Negative to take points away.
        by, why : str
            Who decides and for what reason.
        exercise : str, optional
            The exercise meant. A manual exercise waits until an adjustment names it, be it with 0 points.

        Returns
        -------
        Adjustment

        Raises
        ------
        ValueError
            If `by` or `why` is blank, or `points` is not a finite number.
        LookupError
            If there is no such student or exercise.
        """
        for name, text in (("by", by), ("why", why)):
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"adjust: {name} is {text!r}; an adjustment needs who decided and why")
        entry = Adjustment(student, exercise_set, _finite(points), by, why, exercise, _now())
        with self._transaction() as connection:
            number = _newest(connection, student, exercise_set)
            _refuse_unknown_exercise(connection, number, exercise)
            row = asdict(entry)
            row |= {"who": row.pop("by"), "recorded_at": row.pop("at"), "submission": number}
            _insert(connection, "adjustments", row)
        return entry

    def adjustments(self, student=None, exercise_set=None):
        """Return the adjustments as a list in the order they were made; of one student or exercise set if given."""
        columns = "student, exercise_set, points, who, why, exercise, recorded_at"
        with self._transaction("DEFERRED") as connection:
            rows = connection.execute(f"SELECT {columns} FROM adjustments ORDER BY id").fetchall()
        entries = [Adjustment(*row) for row in rows]
        return [a for a in entries if student in (None, a.student) and exercise_set in (None, a.exercise_set)]

    def final_points(self, student, exercise_set):
        """Return a student's latest graded points plus all adjustments, never below 0.

        Raises
        ------
        LookupError
            If there are no marks for this student and exercise set.
        """
        with self._transaction("DEFERRED") as connection:
            number = _newest(connection, student, exercise_set)
        mark = self._read_marks("id = ?", (number,))[0]
        return final_points(mark, self.adjustments(student, exercise_set))

    @contextmanager
    def _connected(self):
        """The connection; faults of SQLite get a message that says what to do."""
        with self._lock:
            try:
                if self._connection is None or self._process != os.getpid():
                    self._connect()
                yield self._connection
            except sqlite3.DatabaseError as error:
                raise GradebookError(f"the gradebook {self.path} cannot be used: {error}; {_advice(error)}") from error

    def _connect(self):
        if self._connection is not None:
            _INHERITED.append(self._connection)
        self._connection = sqlite3.connect(
            self.path, timeout=_SECONDS_TO_WAIT, isolation_level=None, check_same_thread=False
        )
        self._process = os.getpid()
        self._connection.text_factory = _text
        self._connection.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def _transaction(self, kind="IMMEDIATE"):
        with self._connected() as connection, _all_or_nothing(connection, kind):
            yield connection

    def _read_marks(self, where, values):
        with self._transaction("DEFERRED") as connection:
            columns = "id, student, exercise_set, status, reason, notes, digest, seed, seconds"
            rows = connection.execute(f"SELECT {columns} FROM submissions WHERE {where}", values).fetchall()
            return [_mark(connection, *row) for row in rows]


@contextmanager
def _all_or_nothing(connection, kind):
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _migrate(connection, path, migrations):
    """Bring the file to the newest schema in one transaction; a fault leaves it as it was."""
    if _version(connection, path, len(migrations)) == len(migrations):
        return
    with _all_or_nothing(connection, "IMMEDIATE"):
        # Another grader may have done it while this one waited for the lock.
        for step in migrations[_version(connection, path, len(migrations)) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _write_ahead(connection):
    # Refused while another grader does the same, and where the file system has no shared memory: the rollback journal is safe too.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def _version(connection, path, newest):
    """The version of the schema; 0 for an empty file."""
    application, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
        "FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application != APPLICATION_ID and (tables or version or application):
        raise GradebookError(f"{path} is a database of another program; give the gradebook a name of its own")
    if version > newest:
        raise GradebookError(
            f"{path} has version {version} of the schema, and this mlcourse knows versions up to {newest}; "
            "update it: pip install --upgrade mlcourse"
        )
    return version


def _submission_row(mark, engine_version, now):
    row = {field.name: getattr(mark, field.name) for field in fields(mark) if field.name != "exercises"}
    row |= {"seed": str(mark.seed), "notes": json.dumps(mark.notes)}
    row |= {"points": mark.points, "max_points": mark.max_points}
    return row | {"engine_version": engine_version, "recorded_at": now}


def _insert(connection, table, row):
    slots = ("CAST(? AS TEXT)" if isinstance(value, str) else "?" for value in row.values())
    values = [_bytes(value) if isinstance(value, str) else value for value in row.values()]
    return connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(slots)})", values).lastrowid


def _mark(connection, number, student, exercise_set, status, reason, notes, digest, seed, seconds):
    rows = connection.execute(
        f"SELECT {', '.join(_EXERCISE_COLUMNS)} FROM exercise_marks WHERE submission = ? ORDER BY position", (number,)
    )
    exercises = tuple(_exercise_mark(dict(zip(_EXERCISE_COLUMNS, row, strict=True))) for row in rows)
    notes = tuple(json.loads(notes))
    return SubmissionMark(student, exercise_set, status, reason, exercises, notes, digest, int(seed), seconds)


def _exercise_mark(values):
    return ExerciseMark(**values | {"public": tuple(CaseMark(**case) for case in json.loads(values["public"]))})


def _newest(connection, student, exercise_set):
    """The row of a student's latest marks in an exercise set."""
    number = connection.execute(
        "SELECT max(id) FROM submissions WHERE student = CAST(? AS TEXT) AND exercise_set = CAST(? AS TEXT)",
        (_bytes(student), _bytes(exercise_set)),
    ).fetchone()[0]
    if number is not None:
        return number
    rows = connection.execute(
        "SELECT DISTINCT student FROM submissions WHERE exercise_set = CAST(? AS TEXT)", (_bytes(exercise_set),)
    )
    close = difflib.get_close_matches(student[:80], [row[0][:80] for row in rows], n=3)
    advice = f"did you mean {' or '.join(map(repr, close))}?" if close else "grade their submission first"
    raise LookupError(f"the gradebook has no marks of {student[:80]!r} in {exercise_set[:80]!r}; {advice}")


def _refuse_unknown_exercise(connection, number, exercise):
    rows = connection.execute("SELECT name FROM exercise_marks WHERE submission = ? ORDER BY position", (number,))
    names = [row[0] for row in rows]
    if exercise and exercise not in names:
        known = ", ".join(names) or "none: the submission was rejected"
        raise LookupError(f"adjust: there is no exercise {exercise[:80]!r} in this submission; its exercises: {known}")


def _refuse_odd_numbers(mark):
    numbers = {"seconds": mark.seconds}
    for exercise in mark.exercises:
        numbers |= {f"{exercise.name}.points": exercise.points, f"{exercise.name}.max_points": exercise.max_points}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"record: {name} is {value}; marks must be finite numbers")


def _finite(points):
    try:
        value = float(points)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"adjust: points is {points!r}; give a finite number, negative to take points away")
    return value


def _advice(error):
    text = str(error)
    if "locked" in text or "busy" in text:
        return f"another program has held it for {_SECONDS_TO_WAIT} s: close that program and try again"
    if "not a database" in text:
        return "it is no SQLite file: give another name"
    if "malformed" in text:
        return "the file is damaged: restore a copy"
    if "unable to open" in text or "readonly" in text:
        return "see that its folder exists and that you may write there"
    return "see that there is room on the disk and that the file is not in use"


def _now():
    return datetime.now(UTC).isoformat(timespec="seconds")


def _bytes(text):
    # Names of files on Linux may hold bytes that are no UTF-8; Python has them as lone surrogates, and SQLite keeps any bytes.
    return text.encode("utf-8", "surrogatepass")


def _text(data):
    return data.decode("utf-8", "surrogatepass")
