"""The teacher's page about a class: what is left to do, how the points are spread, what was hard, which misconceptions came up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import mean, median

from mlcourse.grading.feedback import as_html, bar, number, page, table, visible
from mlcourse.grading.gradebook import final_points, waiting

_BINS = 10
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 460, 210, 8, 48, 22
_MAX_MISTAKES, _MAX_ROWS, _NAME = 15, 500, 80

_STYLE = """
.figures { display: grid; gap: .8rem 1rem; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); margin: 1.2rem 0; }
.figures div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.figures dt { color: var(--muted); font-size: .9rem; }
.figures dd { font-size: 1.6rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.2; margin: 0; }
h3 { margin: 2.2rem 0 .8rem; }
figure { margin: 0; }
.histogram { height: auto; max-width: 32rem; width: 100%; }
.histogram rect { fill: var(--note); }
.histogram line { stroke: var(--line); }
.histogram text { fill: var(--muted); font-size: 15px; text-anchor: middle; }
.histogram .count { fill: var(--ink); }
.bar { margin-top: .4rem; max-width: 18rem; }
.mistakes { list-style: none; margin: 0; padding: 0; }
.mistakes li { border-bottom: 1px solid var(--line); display: flex; gap: 1.2rem; padding: .8rem 0; }
.mistakes strong { flex: 0 0 2.4rem; font-size: 1.3rem; font-weight: 650; line-height: 1.3; text-align: end; }
.mistakes p { margin: 0; }
.names { columns: 12rem; margin: .5rem 0; padding-inline-start: 1.2rem; }
nav ul { margin: .5rem 0; padding-inline-start: 1.2rem; }
"""


def report_page(marks, adjustments=(), title="Class report"):
    """Write the report of a class for its teacher.

    Parameters
    ----------
    marks : iterable of SubmissionMark
        One for each student and exercise set, as `Gradebook.latest` returns them.
    adjustments : iterable of Adjustment
        Points are those after adjustments.
    title : str
        The heading, such as the name of the class.

    Returns
    -------
    str
        A whole HTML document that loads nothing.
    """
    marks, adjustments = list(marks), list(adjustments)
    graded = [mark for mark in marks if mark.status == "graded"]
    names = list(dict.fromkeys(mark.exercise_set for mark in graded))
    sections = [
        _exercise_set(i, name, [mark for mark in graded if mark.exercise_set == name], adjustments)
        for i, name in enumerate(names, 1)
    ]
    body = _head(title, marks, names) + _to_do(marks, adjustments) + "".join(sections)
    return page(visible(title), body, _STYLE)


def _head(title, marks, names):
    students = len({mark.student for mark in marks})
    line = f"{_count(len(marks), 'submission')} of {_count(students, 'student')}"
    links = "".join(f'<li><a href="#s{i}">{as_html(name)}</a></li>' for i, name in enumerate(names, 1))
    contents = f'<nav aria-label="Exercise sets"><ul>{links}</ul></nav>' if len(names) > 1 else ""
    return (
        f'<header><p class="kicker">mlcourse · class report</p><h1>{as_html(title)}</h1>'
        f'<p class="muted">{line}</p>{contents}</header>\n'
    )


def _to_do(marks, adjustments):
    rejected = [
        (
            f'{as_html(mark.student, _NAME)}<br><span class="muted small">{as_html(mark.exercise_set)}</span>',
            as_html(mark.reason, 600),
        )
        for mark in marks
        if mark.status == "rejected"
    ]
    unread = {}
    for mark in marks:
        for exercise in waiting(mark, adjustments):
            unread.setdefault((mark.exercise_set, exercise.name), []).append((exercise.title, mark.student))
    body = _rejected(rejected) + _unread(unread.values())
    return f'<section id="todo"><h2>To do</h2>{body}</section>\n' if body else ""


def _rejected(rows):
    if not rows:
        return ""
    more = f'<p class="muted">and {len(rows) - _MAX_ROWS} more</p>' if len(rows) > _MAX_ROWS else ""
    caption = f"{_count(len(rows), 'file')} could not be read as a notebook of this course"
    return f"<h3>Rejected</h3>{table(caption, ('Student', 'Reason'), rows[:_MAX_ROWS])}{more}"


def _unread(groups):
    items = ""
    for group in groups:
        names = "".join(f"<li>{as_html(student, _NAME)}</li>" for _, student in group)
        items += (
            f"<details><summary>{as_html(group[0][0])}: {_count(len(group), 'answer')}</summary>"
            f'<ul class="names">{names}</ul></details>'
        )
    return f"<h3>Answers that a person must read</h3>{items}" if items else ""


def _exercise_set(i, name, marks, adjustments):
    points = [final_points(mark, adjustments) for mark in marks]
    shares = [p / mark.max_points for p, mark in zip(points, marks, strict=True) if mark.max_points]
    return (
        f'<section id="s{i}"><h2>{as_html(name)}</h2>{_figures(marks, points)}'
        f"{_distribution(shares)}{_hardest(marks)}{_misconceptions(marks)}</section>\n"
    )


def _figures(marks, points):
    possible = max(mark.max_points for mark in marks)
    full = sum(p >= mark.max_points for p, mark in zip(points, marks, strict=True))
    figures = (
        ("submissions", len(marks)),
        (f"median of {number(possible)}", number(median(points))),
        ("mean", number(round(mean(points), 1))),
        ("lowest", number(min(points))),
        ("highest", number(max(points))),
        ("with all points", full),
    )
    return f'<dl class="figures">{"".join(f"<div><dt>{n}</dt><dd>{v}</dd></div>" for n, v in figures)}</dl>'


def _distribution(shares):
    counts = Counter(min(max(int(share * _BINS + 1e-9), 0), _BINS - 1) for share in shares)
    counts = [counts[i] for i in range(_BINS)]
    names = [f"{10 * i} to {10 * i + 10} %" for i in range(_BINS)]
    rows = [(name, str(count)) for name, count in zip(names, counts, strict=True)]
    numbers = table("Submissions by share of the points", ("Share of the points", "#Submissions"), rows)
    return (
        f"<h3>Distribution</h3><figure>{_histogram(names, counts)}"
        f"<details><summary>The same as a table</summary>{numbers}</details></figure>"
    )


def _histogram(names, counts):
    """Draw the counts as bars; the description says them in words."""
    step, base = (_WIDTH - 2 * _LEFT) / _BINS, _HEIGHT - _BOTTOM
    drawing = [f'<line x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{base + 0.5}" y2="{base + 0.5}"/>']
    for i, count in enumerate(counts):
        height, x = (base - _TOP) * count / max(1, *counts), _LEFT + i * step
        if count:
            drawing.append(
                f'<rect x="{x + 2:.1f}" y="{base - height:.1f}" width="{step - 4:.1f}" height="{height:.1f}" rx="2"/>'
            )
            drawing.append(f'<text class="count" x="{x + step / 2:.1f}" y="{base - height - 6:.1f}">{count}</text>')
    drawing += [f'<text x="{_LEFT + i * step:.1f}" y="{base + 18}">{10 * i}</text>' for i in range(2, _BINS, 2)]
    drawing.append(
        f'<text x="{_LEFT + 4}" y="{base + 18}">0</text><text x="{_WIDTH - _LEFT - 10}" y="{base + 18}">100</text>'
    )
    drawing.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}">percent of the points</text>')
    said = "; ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True) if count) or "none"
    return (
        f'<svg class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f"<title>Histogram of the shares of points</title><desc>Submissions by share of the points. {said}.</desc>{''.join(drawing)}</svg>"
    )


@dataclass(frozen=True)
class _Difficulty:
    title: str
    share: float
    full: float
    missing: float


def _hardest(marks):
    rows = sorted(_difficulties(marks), key=lambda row: row.share)
    cells = [
        (f"{as_html(row.title)}{bar(row.share)}", _percent(row.share), _percent(row.full), _percent(row.missing))
        for row in rows
    ]
    if not cells:
        return ""
    columns = ("Exercise", "#Mean share", "#All points", "#Missing")
    caption = "From the hardest to the easiest: mean share of the points, and how many have all points or no answer"
    return f"<h3>Hardest exercises</h3>{table(caption, columns, cells)}"


def _difficulties(marks):
    """How hard each exercise was; those that a person reads are left out."""
    exercises = [exercise for mark in marks for exercise in mark.exercises if exercise.max_points > 0]
    manual = {exercise.name for exercise in exercises if exercise.status == "manual"}
    by_name = {}
    for exercise in exercises:
        if exercise.name not in manual:
            by_name.setdefault(exercise.name, []).append(exercise)
    for exercises in by_name.values():
        shares = [exercise.points / exercise.max_points for exercise in exercises]
        yield _Difficulty(
            exercises[0].title,
            mean(shares),
            mean(share >= 1 for share in shares),
            mean(exercise.status == "missing" for exercise in exercises),
        )


def _misconceptions(marks):
    recognized = [exercise for mark in marks for exercise in mark.exercises if exercise.mistake]
    counts = Counter((exercise.name, exercise.mistake) for exercise in recognized)
    first = {(exercise.name, exercise.mistake): exercise for exercise in reversed(recognized)}
    items = "".join(
        f"<li><strong>{count}</strong><div><p>{as_html(first[key].diagnosis or key[1], 600)}</p>"
        f'<p class="muted small">{as_html(first[key].title)}</p></div></li>'
        for key, count in counts.most_common(_MAX_MISTAKES)
    )
    if not items:
        return ""
    return (
        '<h3>Most frequent misconceptions</h3><p class="muted small">Wrong answers that were recognized, '
        f'and how many of {_count(len(marks), "submission")} gave them.</p><ul class="mistakes">{items}</ul>'
    )


def _percent(share):
    return f"{100 * share:.0f} %"


def _count(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
