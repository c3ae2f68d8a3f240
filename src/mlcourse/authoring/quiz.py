"""The source form of a quiz question, read by the site and by the notebooks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlcourse.authoring.errors import SourceError

_OPTION = re.compile(r"^- \[(?P<mark>[ x])\] (?P<text>.+)$")


@dataclass(frozen=True)
class Option:
    """One answer: its text, whether it is right, and why."""

    text: str
    right: bool
    feedback: str


def read_options(lines, path, line):
    """Read the answers of a quiz question.

    Parameters
    ----------
    lines : sequence of str
        The body: ``- [x] text`` or ``- [ ] text``, each followed by ``> feedback`` lines.
    path, line
        Where the question stands, for errors.

    Returns
    -------
    list of Option
    """
    options, feedback = [], []
    for number, raw in enumerate(lines, line):
        if match := _OPTION.match(raw):
            feedback = []
            options.append((match["text"].strip(), match["mark"] == "x", feedback))
        elif raw.strip().startswith(">") and options:
            feedback.append(raw.strip()[1:].strip())
        elif raw.startswith("  ") and raw.strip() and options and not feedback:
            text, right, _ = options[-1]
            options[-1] = (f"{text} {raw.strip()}", right, feedback)
        elif raw.strip():
            fix = "write `- [ ] answer` (or `[x]`), then indented `> feedback` lines"
            raise SourceError(path, number, f"not part of a quiz question: {raw.strip()!r}", fix)
    if len(options) < 2 or sum(right for _, right, _ in options) != 1:
        raise SourceError(
            path, line, "a question needs at least two options and exactly one `[x]`", "mark the right one"
        )
    for text, _, lines_of_feedback in options:
        if not lines_of_feedback:
            raise SourceError(
                path, line, f"the option {text!r} has no feedback", "add a line `  > why it is right or wrong`"
            )
    return [Option(text, right, " ".join(lines_of_feedback)) for text, right, lines_of_feedback in options]
