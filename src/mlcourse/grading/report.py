"""A check's result as a small card: text for a terminal, HTML for Jupyter."""

from __future__ import annotations

from html import escape

REMAINS = "These are the public checks; a class runs more, with cases of its own."
_MAX_SHOWN, _AGAIN = 3, "the same again"
_RIGHT, _WRONG, _NOTE = "var(--mlc-right, #2b8a3e)", "var(--mlc-wrong, #c2410c)", "var(--mlc-note, #1c6fb5)"


def as_text(result):
    """The card as plain text."""
    exercise = result.exercise
    lines = [f"{'✓' if result.passed else '✗'} {exercise.title}: {result.points:g} of {exercise.points} points"]
    if not result.started:
        return "\n".join([*lines, f"  Not started: write the body of {exercise.name}, then run this cell again."])
    shown = []
    for case in result.cases:
        lines.append(f"  {'✓' if case.passed else '✗'} {case.label}")
        if not case.passed and len(shown) < _MAX_SHOWN:
            lines.append(f"      {case.fault.kind}: {case.fault.message if case.fault not in shown else _AGAIN}")
            shown.append(case.fault)
            lines.append(f"      for {case.inputs}" if case.inputs else "      called without arguments")
    lines += [f"  {label}: {text}" for label, text in _comments(result)]
    lines.append(f"  {REMAINS}" if result.passed else f"  Stuck? hint({exercise.name})")
    return "\n".join(lines)


def _comments(result):
    if result.recognized is not None:
        yield "What happened", result.recognized.says
    elif not result.better:
        yield "Points", "no case passes yet that the code as it was handed out did not pass."


def as_html(result, stuck=None):
    """The card as HTML that inherits the colors of the page, light or dark; `stuck` says where hints are, if not in `hint`."""
    exercise = result.exercise
    color = _RIGHT if result.passed else _WRONG
    head = f"{'✓' if result.passed else '✗'} {exercise.title}: {result.points:g} of {exercise.points} points"
    if not result.started:
        again = "check it again" if stuck else "run this cell again"
        body = f"<p>Not started: write the body of <code>{escape(exercise.name)}</code>, then {again}.</p>"
    else:
        body = _html_cases(result)
        body += "".join(f"<p><strong>{label}:</strong> {escape(text)}</p>" for label, text in _comments(result))
        body += (
            f"<p>{REMAINS}</p>"
            if result.passed
            else f"<p>Stuck? {stuck or f'<code>hint({escape(exercise.name)})</code>'}</p>"
        )
    return _card(color, head, body)


def handed_in_as_text(handed_in):
    """The card of an answer that a person reads, as plain text."""
    head, says = _handed_in(handed_in)
    return f"{head}\n  {says}"


def handed_in_as_html(handed_in):
    """The card of an answer that a person reads, as HTML."""
    head, says = _handed_in(handed_in)
    return _card(_NOTE if handed_in.answered else _WRONG, head, f"<p>{escape(says)}</p>")


def _handed_in(handed_in):
    exercise = handed_in.exercise
    head = f"{'✎' if handed_in.answered else '✗'} {exercise.title}: up to {exercise.points} points"
    if handed_in.fault:
        return head, f"{handed_in.fault}. A person can read only what can be shown: return the figure, or write a text."
    if not handed_in.answered:
        return head, f"Not started: write your answer in {exercise.name}, then run this cell again."
    what = "a figure" if handed_in.drawn else f"{handed_in.words} words"
    return (
        head,
        f"You have written {what}. A person reads and marks it; alone, compare it with the solution when you are done.",
    )


def _card(color, head, body):
    return (
        f'<div role="status" style="border-left:4px solid {color};padding:.2em 1em;margin:.5em 0">'
        f"<strong>{escape(head)}</strong>{body}</div>"
    )


def _html_cases(result):
    items, shown = [], []
    for case in result.cases:
        text = f"{'✓' if case.passed else '✗'} {escape(case.label)}"
        if not case.passed and len(shown) < _MAX_SHOWN:
            message = case.fault.message if case.fault not in shown else _AGAIN
            shown.append(case.fault)
            inputs = f"for <code>{escape(case.inputs)}</code>" if case.inputs else "called without arguments"
            text += f"<br><em>{case.fault.kind}</em>: {escape(message)}<br>{inputs}"
        items.append(f'<li style="list-style:none">{text}</li>')
    return f'<ul style="padding-left:1em;margin:.4em 0">{"".join(items)}</ul>'
