"""The feedback page of a submission: one HTML file without scripts, in which everything that a student can influence is text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from html import escape

from mlcourse.grading.compare import OWN_WORDS
from mlcourse.grading.gradebook import adjustments_of, final_points, waiting

_SHORT, _LONG = 200, 600
_MAX_CASES, _MAX_DETAILS, _MAX_ITEMS, _MAX_LINES, _MAX_ACCENTS = 40, 3, 100, 12, 4
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_JOINERS = "\u200c\u200d"
_CATEGORIES_SHOWN_AS_NUMBERS = ("Cc", "Cf", "Cs", "Zl", "Zp")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --card: #f7f8fa; --ink: #1f2328; --muted: #545c66; --line: #d8dce1;
  --right: #0b5f4a; --wrong: #902a00; --note: #1b66c0; --caution: #755f00; --track: #e3e7ec; }
@media (prefers-color-scheme: dark) { :root { --paper: #121212; --card: #1b1d20; --ink: #e3e5e8; --muted: #a7aeb7;
  --line: #383d44; --right: #63e0a6; --wrong: #f58050; --note: #7ab3f7; --caution: #f5d862; --track: #2c3138; } }
* { box-sizing: border-box; }
body { background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", "Noto Sans", Arial, sans-serif; margin: 0; overflow-wrap: anywhere; }
main { margin: 0 auto; max-width: 46rem; padding: 2.5rem 1.25rem 4rem; }
h1, h2, h3 { font-weight: 650; letter-spacing: -.011em; line-height: 1.25; text-wrap: balance; }
h1 { font-size: 2rem; margin: .2rem 0 .3rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 1rem; }
h3 { font-size: 1.06rem; margin: 0; }
p { margin: .5rem 0; }
a { color: var(--note); text-decoration-thickness: 1px; text-underline-offset: .18em; }
a:focus-visible, summary:focus-visible { border-radius: .2rem; outline: 3px solid var(--note); outline-offset: 2px; }
.muted, figcaption, caption, footer { color: var(--muted); }
.small, figcaption, caption, footer { font-size: .9rem; }
.kicker { color: var(--muted); font-size: .9rem; margin: 0; }
.score { display: flex; align-items: baseline; gap: .6rem; flex-wrap: wrap; margin: 1.8rem 0 .5rem; }
.score strong { font-size: 2.6rem; font-weight: 650; letter-spacing: -.02em; line-height: 1; }
svg { display: block; }
.bar { width: 100%; height: .5rem; border-radius: .25rem; }
.track { fill: var(--track); }
.fill { fill: var(--note); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
caption { padding-bottom: .5rem; text-align: start; }
th, td { border-bottom: 1px solid var(--line); padding: .5rem .75rem .5rem 0; text-align: start; vertical-align: top; }
th { font-weight: 500; }
thead th { color: var(--muted); font-size: .85rem; white-space: nowrap; overflow-wrap: normal; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 650; }
.own { border-radius: .2rem; background: var(--track); font-style: italic; padding: 0 .2em; }
.number { text-align: end; white-space: nowrap; }
th:last-child, td:last-child { padding-inline-end: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: 0 0 1rem; padding: 1rem 1.2rem; }
.head { align-items: baseline; display: flex; gap: 1rem; justify-content: space-between; }
.head p { flex: none; font-variant-numeric: tabular-nums; margin: 0; }
.right { color: var(--right); } .wrong { color: var(--wrong); } .caution { color: var(--caution); }
.parts { display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; margin: .3rem 0 0; }
.text { unicode-bidi: isolate; white-space: pre-wrap; }
.label { color: var(--muted); display: block; font-size: .85rem; margin-top: .8rem; }
ul.plain { list-style: none; margin: .5rem 0 0; padding: 0; }
ul.plain li { margin: .3rem 0; padding-inline-start: 1.5rem; text-indent: -1.5rem; }
ul.plain li > * { text-indent: 0; }
.why { border-inline-start: 2px solid var(--line); color: var(--muted); display: block; font-size: .92rem; margin: .2rem 0 .6rem;
  padding-inline-start: .8rem; }
.mark { display: inline-block; width: 1.5rem; }
code { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
details { margin-top: .5rem; } summary { color: var(--muted); cursor: pointer; font-size: .92rem; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }
@media (max-width: 30rem) { main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.6rem; } .card { padding: .9rem; }
  th, td { padding-inline-end: .5rem; } }
@media print { .card { break-inside: avoid; } }
"""


def feedback_page(mark, adjustments=()):
    """Write the page that a student reads: what passed, what is wrong, the next hint, and the points.

    It never holds a solution or inputs of the class's own cases.

    Parameters
    ----------
    mark : SubmissionMark
    adjustments : iterable of Adjustment
        Of any student; those of others are passed over.

    Returns
    -------
    str
        A whole HTML document that loads nothing.
    """
    own = adjustments_of(mark, adjustments)
    parts = [_head(mark, own)]
    if mark.status == "rejected":
        parts.append(_rejection(mark))
    else:
        parts += [_summary(mark, own), _section("Exercises", _cards(mark, own))]
    parts += [_adjustments(mark, own), _notes(mark), _footer(mark)]
    return page(f"Feedback: {visible(mark.exercise_set)}", "".join(parts))


def file_name(student, exercise_set="", suffix=".html"):
    """Make a file name for a student: safe on every system, and a different one for every student.

    Parameters
    ----------
    student : str
        Any text.
    exercise_set : str
        Give it where one folder holds several exercise sets.
    suffix : str

    Returns
    -------
    str
        Of at most 60 plain ASCII characters besides the suffix.

    Examples
    --------
    >>> file_name("Anna Müller")
    'anna-muller-94666c8824a80401.html'
    """
    whole = "\0".join([student, exercise_set] if exercise_set else [student])
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    plain = unicodedata.normalize("NFKD", f"{student[:100]} {exercise_set[:100]}").encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:40].strip("-")
    return f"{words or 'student'}-{digest}{suffix}"


def visible(text, limit=_SHORT, *, lines=False):
    """Make text harmless to look at: colors of the terminal go, and what cannot be seen shows as a sign.

    Parameters
    ----------
    text : str
        Anything, such as the text of an exception.
    limit : int
        The most characters that are returned.
    lines : bool
        Keep line breaks, at most 12 of them.

    Returns
    -------
    str
        Without control characters and without characters that change the direction of writing; it is not escaped for HTML.

    Examples
    --------
    >>> visible("\\x1b[31mred\\x1b[0m and \\u202eback")
    'red and ⟨U+202E⟩back'
    """
    text = str(text)
    kept = _ANSI.sub("", text[: 4 * limit + 100])
    if lines:
        kept = kept.replace("\r\n", "\n").expandtabs(4)
    shown = _signs(kept[: limit + 1], lines)
    if len(shown) > limit or len(text) > 4 * limit + 100:
        shown = shown[: limit - 1] + "…"
    return shown


def number(value):
    """Write points with at most two decimals: 3, 2.5, 1.33."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def as_html(text, limit=_SHORT):
    """One line of text as HTML that keeps its direction of writing to itself."""
    return f"<bdi>{escape(visible(text, limit))}</bdi>"


def page(title, body, style="", *, images=False):
    """Put a body into a whole document that loads nothing and runs nothing.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML.
    style : str
        CSS besides that of all pages.
    images : bool
        Allow images that the page itself holds.
    """
    policy = f"{_POLICY}; img-src data:" if images else _POLICY
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def table(caption, columns, rows, foot=()):
    """Build a table whose rows begin with a header.

    Parameters
    ----------
    caption : str
    columns : sequence of str
        Their names; those of columns of numbers begin with ``#``.
    rows, foot : sequences of sequences of str
        HTML of the cells.
    """
    numeric = [name.startswith("#") for name in columns]
    names = "".join(
        f"<th{_class(n)} scope='col'>{name.lstrip('#')}</th>" for name, n in zip(columns, numeric, strict=True)
    )
    body = "".join(_row(row, numeric) for row in rows)
    last = f"<tfoot>{''.join(_row(row, numeric) for row in foot)}</tfoot>" if foot else ""
    return f"<table><caption>{caption}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody>{last}</table>\n"


def bar(share):
    """Draw a share as a bar; the number must stand beside it in words, for the bar is hidden from screen readers."""
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="1"/><rect class="fill" width="{width:.2f}" height="1"/></svg>'
    )


def _signs(text, lines):
    """Replace each character that cannot be seen by a sign, and drop accents that pile up."""
    out, accents, left = [], 0, _MAX_LINES - 1
    for character in text:
        category = unicodedata.category(character)
        accents = accents + 1 if category in ("Mn", "Me") else 0
        if character == "\n" and lines and left:
            left -= 1
            out.append(character)
        elif accents <= _MAX_ACCENTS:
            out.append(_sign(character, category))
    return "".join(out)


def _sign(character, category):
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if noncharacter or (category in _CATEGORIES_SHOWN_AS_NUMBERS and character not in _JOINERS):
        return f"⟨U+{code:04X}⟩"
    return character


def _head(mark, adjustments):
    parts = [
        '<p class="kicker">mlcourse · feedback</p>',
        f"<h1>{as_html(mark.exercise_set or 'Submission')}</h1>",
        f'<p class="muted">for {as_html(mark.student)}</p>',
    ]
    points, possible = final_points(mark, adjustments), mark.max_points
    if possible:
        parts.append(f'<p class="score"><strong>{number(points)}</strong> of {number(possible)} points</p>')
        parts.append(bar(points / possible))
    elif adjustments:
        parts.append(f'<p class="score"><strong>{number(points)}</strong> points</p>')
    if waiting(mark, adjustments):
        parts.append('<p class="caution small">Not final: a person has yet to read an answer.</p>')
    return f"<header>{''.join(parts)}</header>\n"


def _rejection(mark):
    return _section(
        "This file could not be marked",
        f'<div class="card"><p class="text wrong" dir="auto">{_block(mark.reason or "It is not a Jupyter notebook.")}</p>'
        "<p>Open your notebook in JupyterLab, save it, and hand in the file that ends in <code>.ipynb</code>. "
        "If that does not help, show this page to your teacher.</p></div>\n",
    )


def _summary(mark, adjustments):
    rows = [
        (
            f'<a href="#e{i}">{as_html(exercise.title)}</a>',
            _public_count(exercise) if exercise.status == "graded" else "–",
            f"{exercise.class_passed} of {exercise.class_cases}" if _has_class_part(exercise) else "–",
            _points(exercise, adjustments),
        )
        for i, exercise in enumerate(mark.exercises, 1)
    ]
    foot = [("Marked by the checks", "", "", _of(mark.points, mark.max_points))]
    if adjustments:
        foot.append(
            (
                'With <a href="#adjustments">adjustments</a>',
                "",
                "",
                _of(final_points(mark, adjustments), mark.max_points),
            )
        )
    return _section(
        "Points", table("Cases that passed, and points", ("Exercise", "#Public", "#Class", "#Points"), rows, foot)
    )


def _cards(mark, adjustments):
    return "".join(_card(i, exercise, adjustments) for i, exercise in enumerate(mark.exercises, 1))


def _card(i, exercise, adjustments):
    sign, color, verdict = _verdict(exercise, adjustments)
    head = (
        f'<div class="head"><h3 id="e{i}">{i}. {as_html(exercise.title)}</h3>'
        f"<p>{_points(exercise, adjustments)}</p></div>"
    )
    line = f'<p class="parts"><span class="{color}">{sign} {verdict}</span></p>'
    body = {"graded": _graded, "missing": _missing, "manual": lambda exercise: ""}[exercise.status](exercise)
    return f'<article class="card" aria-labelledby="e{i}">{head}{line}{body}{_advice(exercise)}</article>\n'


def _points(exercise, adjustments):
    """Points of an exercise; those of a manual one are what a person gave."""
    if exercise.status != "manual":
        return _of(exercise.points, exercise.max_points)
    given = [entry.points for entry in adjustments if entry.exercise == exercise.name]
    return _of(exercise.points + sum(given), exercise.max_points) if given else f"– of {number(exercise.max_points)}"


def _of(points, possible):
    return f"{number(points)} of {number(possible)}"


def _verdict(exercise, adjustments):
    if exercise.status == "missing":
        return "✗", "wrong", "Missing"
    if exercise.status == "manual":
        if any(entry.exercise == exercise.name for entry in adjustments):
            return "✓", "right", "Read by a person"
        return "○", "caution", "A person will read this answer"
    if exercise.points >= exercise.max_points and all(case.passed for case in exercise.public):
        return "✓", "right", "All cases passed"
    if exercise.points > 0:
        return "◐", "caution", "Some cases passed"
    return "✗", "wrong", "No points yet"


def _graded(exercise):
    class_part = f"<span>Class cases: {exercise.class_passed} of {exercise.class_cases} passed</span>"
    parts = (
        f'<p class="parts small muted"><span>Public cases: {_public_count(exercise)} passed</span>'
        f"{class_part if _has_class_part(exercise) else ''}</p>"
    )
    cases = _cases(exercise.public)
    if cases and all(case.passed for case in exercise.public):
        cases = f"<details><summary>Public cases</summary>{cases}</details>"
    return parts + cases


def _missing(exercise):
    return f"<p>Your notebook defines nothing named <code>{as_html(exercise.name)}</code>. Keep the name that the exercise gives.</p>"


def _cases(cases):
    items, details = [], 0
    for case in cases[:_MAX_CASES]:
        sign, color, word = ("✓", "right", "passed") if case.passed else ("✗", "wrong", "failed")
        item = f'<span class="mark {color}" role="img" aria-label="{word}">{sign}</span>{as_html(case.label)}'
        if not case.passed and details < _MAX_DETAILS:
            details += 1
            item += _why(case)
        items.append(f"<li>{item}</li>")
    more = len(cases) - _MAX_CASES
    items += [f"<li>and {more} more</li>"] * (more > 0)
    return f'<ul class="plain">{"".join(items)}</ul>' if items else ""


def _why(case):
    kind = f"{escape(visible(case.kind))}: " if case.kind else ""
    message = _quoted(case.message) if case.kind in OWN_WORDS else _line(case.message)
    parts = [f'<span class="text" dir="auto">{kind}{message}</span>'] if case.message or kind else []
    if case.inputs:
        parts.append(f"for <code>{as_html(case.inputs, _LONG)}</code>")
    return f'<span class="why">{"<br>".join(parts)}</span>' if parts else ""


def _advice(exercise):
    own_words = tuple(case.message for case in exercise.public if case.kind in OWN_WORDS and case.message)
    own = exercise.status == "manual" or exercise.diagnosis.startswith(own_words)
    happened = _quoted(exercise.diagnosis) if own else _line(exercise.diagnosis)
    texts = (("What happened", exercise.diagnosis, happened), ("Next hint", exercise.hint, _block(exercise.hint)))
    return "".join(
        f'<p><span class="label">{label}</span><span class="text" dir="auto">{shown}</span></p>'
        for label, text, shown in texts
        if text
    )


def _adjustments(mark, adjustments):
    if not adjustments:
        return ""
    rows = [
        (_reason(mark, entry), f"{'+' if entry.points >= 0 else '−'}{number(abs(entry.points))}")
        for entry in adjustments
    ]
    body = table("Points that a person added or took away", ("Why", "#Points"), rows)
    return _section("Adjustments", body, "adjustments")


def _reason(mark, entry):
    titles = {exercise.name: exercise.title for exercise in mark.exercises}
    about = [titles.get(entry.exercise, entry.exercise)] * bool(entry.exercise) + [entry.by, entry.at[:10]]
    return f'{as_html(entry.why, _LONG)}<br><span class="muted small">{" · ".join(as_html(text) for text in about if text)}</span>'


def _notes(mark):
    notes = "".join(f'<li class="text" dir="auto">{_quoted(note)}</li>' for note in mark.notes[:_MAX_ITEMS])
    more = len(mark.notes) - _MAX_ITEMS
    notes += f"<li>and {more} more</li>" if more > 0 else ""
    return _section("Notes", f"<ul>{notes}</ul>\n") if notes else ""


def _footer(mark):
    text = ""
    if mark.exercises:
        text = (
            "<p>Public cases are those that the check in your notebook runs. Class cases ask the same of your code with "
            "other inputs, which are shown to nobody. Points follow the share of cases that passed. What stands in quotation marks "
            "is what your own code said when it ran.</p>"
        )
    if mark.digest:
        text += f"<p>The file that was marked: SHA-256 <code>{as_html(mark.digest[:12])}</code>.</p>"
    return f"<footer>{text}</footer>\n" if text else ""


def _section(title, body, name=""):
    return f"<section{f' id={name!r}' if name else ''}><h2>{title}</h2>{body}</section>\n"


def _line(text):
    return escape(visible(text, _LONG))


def _quoted(text):
    """Words that a student's code chose: on one line and in quotation marks that they cannot close, for they may look like marks."""
    inner = _line(text).replace("“", "'").replace("”", "'")
    return f'<span class="own">“{inner}”</span>'


def _block(text):
    return escape(visible(text, _LONG, lines=True))


def _public_count(exercise):
    return f"{sum(case.passed for case in exercise.public)} of {len(exercise.public)}"


def _has_class_part(exercise):
    return exercise.status == "graded" and exercise.class_cases > 0


def _row(cells, numeric):
    first = f"<th scope='row'{_class(numeric[0])}>{cells[0]}</th>"
    rest = "".join(f"<td{_class(n)}>{cell}</td>" for cell, n in zip(cells[1:], numeric[1:], strict=True))
    return f"<tr>{first}{rest}</tr>"


def _class(numeric):
    return ' class="number"' if numeric else ""
