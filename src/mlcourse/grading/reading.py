"""What a person must read: a page with the answers, and a table in which the reader writes points.

``mlcourse grade`` writes both; ``mlcourse adjust --from`` takes the table back as entries of the gradebook.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from html import escape

from mlcourse.grading.exports import cell, write_whole
from mlcourse.grading.feedback import as_html, number, page, visible
from mlcourse.grading.gradebook import adjustments_of, waiting

COLUMNS = ("student", "exercise_set", "exercise", "max_points", "points", "why")
_MAX_LINES = 500
_STYLE = """
main { max-width: 64rem; } /* for lines that were wrapped in a notebook */
header code { white-space: nowrap; }
.answer { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: 1rem 0; padding: 1rem 1.2rem; }
.answer pre { font: inherit; margin: .6rem 0 0; white-space: pre-wrap; }
.answer img { background: #fff; height: auto; margin-top: .6rem; max-width: 100%; }
"""


class ReadingError(Exception):
    """A table of points that cannot be taken; the message names its line and says what to do."""


@dataclass(frozen=True)
class Reading:
    """One line of the table that a person filled in."""

    student: str
    exercise_set: str
    exercise: str
    points: float
    why: str


def reading_page(marks, adjustments=()):
    """Write the page with all manual answers, exercise by exercise, those first that nobody has read.

    Parameters
    ----------
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment

    Returns
    -------
    str
        A whole HTML document that loads nothing; answers are text, or images inside the page.
    """
    groups = {}
    for mark in marks:
        for exercise in mark.exercises:
            if exercise.status == "manual":
                groups.setdefault((mark.exercise_set, exercise.name), []).append((mark, exercise))
    adjustments = list(adjustments)
    body = "".join(_section(*group[0], group, adjustments) for group in groups.values())
    head = '<header><p class="kicker">mlcourse · answers to read</p><h1>Answers that a person reads</h1>'
    how = (
        "<p>Write points and a sentence for each in <code>to-read.csv</code>, then run "
        "<code>mlcourse adjust</code> with <code>--from</code>.</p>"
    )
    empty = "" if groups else "<p>There are none.</p>"
    return page("Answers to read", f"{head}{how}</header>{empty}{body}", _STYLE, images=True)


def _section(mark, exercise, group, adjustments):
    group = sorted(group, key=lambda pair: pair[1] not in waiting(pair[0], adjustments))
    rubric = _rubric(exercise.name)
    look = f'<p class="muted">Look for: {as_html(rubric, 2000)}</p>' if rubric else ""
    answers = "".join(_answer(*pair, adjustments) for pair in group)
    return f"<section><h2>{as_html(exercise.title)}</h2><p>{as_html(mark.exercise_set)}</p>{look}{answers}</section>\n"


def _answer(mark, exercise, adjustments):
    given = [entry.points for entry in adjustments_of(mark, adjustments) if entry.exercise == exercise.name]
    points = f"{number(sum(given))} of {number(exercise.max_points)} points" if given else "not read yet"
    return (
        f'<article class="answer"><div class="head"><h3>{as_html(mark.student)}</h3><p>{points}</p></div>'
        f"{_shown(exercise)}</article>"
    )


def _shown(exercise):
    if exercise.image:
        return f'<img alt="The figure that was handed in" src="data:image/png;base64,{escape(exercise.image)}">'
    if exercise.answer:
        lines = [visible(line, 2000) for line in exercise.answer.strip().splitlines()[:_MAX_LINES]]
        return f"<pre><bdi>{escape(chr(10).join(lines))}</bdi></pre>"
    return f'<p class="wrong">{as_html(exercise.diagnosis, 600)}</p>'


def _rubric(name):
    from mlcourse.exercises import find

    try:
        return find(name).rubric
    except LookupError:
        return ""


def write_table(path, marks, adjustments=()):
    """Write a line for each answer that waits, and keep the points that a person has typed but not handed over yet.

    Parameters
    ----------
    path : Path
    marks : iterable of SubmissionMark
    adjustments : iterable of Adjustment
    """
    typed = _typed(path)
    rows = [
        (*key, number(exercise.max_points), *typed.get(key, ("", "")))
        for key, exercise in _waiting(marks, list(adjustments)).items()
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def read_table(path, marks, adjustments=()):
    """Read a table that a person filled in; lines without points, and of answers that were read since, are passed over.

    Returns
    -------
    list of Reading

    Raises
    ------
    ReadingError
        If the file is no such table, or points are not a number from 0 to the most that is possible.
    """
    marks = list(marks)
    open_answers = _waiting(marks, list(adjustments))
    students = {cell(mark.student): mark.student for mark in marks}
    readings = []
    for line, row in _rows(path):
        key = (row["student"], row["exercise_set"], row["exercise"])
        if row["points"].strip() and key in open_answers:
            points = _points(path, line, row["points"], open_answers[key].max_points)
            readings.append(Reading(students[key[0]], *key[1:], points, row["why"].strip() or "read by a person"))
    return readings


def _waiting(marks, adjustments):
    """The answers that wait, by what the table says of them."""
    return {
        (cell(mark.student), mark.exercise_set, exercise.name): exercise
        for mark in marks
        for exercise in waiting(mark, adjustments)
    }


def _typed(path):
    try:
        rows = list(_rows(path))
    except ReadingError:
        return {}
    return {(r["student"], r["exercise_set"], r["exercise"]): (r["points"], r["why"]) for _, r in rows}


def _rows(path):
    """The lines of the table with their numbers; a spreadsheet may have saved it with semicolons or tabs."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadingError(
            f"{path} cannot be read: {error}; give the to-read.csv that `mlcourse grade` wrote"
        ) from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ReadingError(f"{path} has no column {missing[0]!r}; its first line must be {','.join(COLUMNS)}")
    for row in reader:
        yield reader.line_num, {name: row[name] for name in COLUMNS}


def _points(path, line, text, most):
    try:
        points = float(text.strip().replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= most:
        raise ReadingError(f"{path}, line {line}: points must be a number from 0 to {number(most)}; got {text[:40]!r}")
    return points
