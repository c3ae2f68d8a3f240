"""A check's result as a small card: text for a terminal, HTML for Jupyter."""

from __future__ import annotations

import re
from html import escape

REMAINS = "These are the public checks; a class runs more, with cases of its own."
_MAX_SHOWN, _AGAIN = 3, "the same again"
_RIGHT, _WRONG, _NOTE = "var(--mlc-right, #2b8a3e)", "var(--mlc-wrong, #c2410c)", "var(--mlc-note, #1c6fb5)"


def as_text(result):
    """The card as plain text."""
    exercise = result.exercise
    lines = [f"{'✓' if result.passed else '✗'} {exercise.title}: {result.points:g} of {exercise.points} points"]
    if not result.started:
        return "\n".join([*lines, f"  Not started: {_begin(exercise)} {exercise.name}, then run this cell again."])
    shown = []
    for case in result.cases:
        lines.append(f"  {'✓' if case.passed else '✗'} {case.label}")
        if not case.passed and len(shown) < _MAX_SHOWN:
            lines.append(f"      {case.fault.kind}: {case.fault.message if case.fault not in shown else _AGAIN}")
            shown.append(case.fault)
            lines.append(f"      for {case.inputs}" if case.inputs else "      called without arguments")
    lines += [f"  {label}: {text}" for label, text in _comments(result)]
    lines.append(f"  {REMAINS}" if result.passed else f"  Stuck? {_hint(exercise)}")
    return "\n".join(lines)


def _begin(exercise):
    return "write the body of" if exercise.answer in ("function", "class") or exercise.apart else "write your answer in"


def _hint(exercise):
    """How the next hint is asked for: a function knows its name, a value does not."""
    return f'hint("{exercise.name}")' if exercise.answer == "value" else f"hint({exercise.name})"


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
        body = f"<p>Not started: {_begin(exercise)} <code>{escape(exercise.name)}</code>, then {again}.</p>"
    else:
        body = _html_cases(result)
        body += "".join(f"<p><strong>{label}:</strong> {escape(text)}</p>" for label, text in _comments(result))
        body += (
            f"<p>{REMAINS}</p>"
            if result.passed
            else f"<p>Stuck? {stuck or f'<code>{escape(_hint(exercise))}</code>'}</p>"
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


def unchecked_as_text(unchecked):
    """The card of an answer that this machine cannot check, as plain text."""
    lines = unchecked.why.splitlines()
    return "\n".join([f"○ {unchecked.exercise.title}: not checked", *(f"  {line.strip()}" for line in lines)])


def unchecked_as_html(unchecked):
    """The card of an answer that this machine cannot check, as HTML."""
    lines = "<br>".join(escape(line.strip()) for line in unchecked.why.splitlines())
    return _card(_NOTE, f"○ {unchecked.exercise.title}: not checked", f"<p>{lines}</p>")


def _handed_in(handed_in):
    exercise = handed_in.exercise
    head = f"{'✎' if handed_in.answered else '✗'} {exercise.title}: up to {exercise.points} points"
    if handed_in.fault:
        return head, f"{handed_in.fault}. A person can read only what can be shown: return the figure, or write a text."
    if not handed_in.answered:
        return head, f"Not started: write your answer in {exercise.name}, then run this cell again."
    what = "a figure" if handed_in.drawn else "one word" if handed_in.words == 1 else f"{handed_in.words} words"
    return (
        head,
        f"You have written {what}. A person reads and marks it; alone, compare it with the solution when you are done.",
    )


def _card(color, head, body):
    return (
        f'<div role="status" style="border-left:4px solid {color};padding:.2em 1em;margin:.5em 0">'
        f"<strong>{escape(head)}</strong>{body}</div>"
    )


def _with_code(text):
    """Escape a text; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _html_cases(result):
    items, shown = [], []
    for case in result.cases:
        text = f"{'✓' if case.passed else '✗'} {escape(case.label)}"
        if not case.passed and len(shown) < _MAX_SHOWN:
            message = case.fault.message if case.fault not in shown else _AGAIN
            shown.append(case.fault)
            inputs = f"for <code>{escape(case.inputs)}</code>" if case.inputs else "called without arguments"
            text += f"<br><em>{case.fault.kind}</em>: {_with_code(message)}<br>{inputs}"
        items.append(f'<li style="list-style:none">{text}</li>')
    return f'<ul style="padding-left:1em;margin:.4em 0">{"".join(items)}</ul>'
