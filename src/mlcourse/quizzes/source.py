"""The source form of a quiz question's options, as it stands in a chapter and in its notebook."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPTION = re.compile(r"^- \[(?P<mark>[ x])\] (?P<text>.+)$")
_LINK = re.compile(r"\]\(|\{[a-z:]+\}`|\[\^")
_FORMULA = re.compile(r"\$[^$]+\$")
_VERDICT = re.compile(r"(right|wrong|not quite|correct)\b[.:,!]", re.IGNORECASE)


@dataclass(frozen=True)
class Option:
    """One answer: its text, whether it is right, and why."""

    text: str
    right: bool
    feedback: str


class QuizError(ValueError):
    """A fault in the source of a question; `line` counts from the first line of its options, from 0."""

    def __init__(self, line, problem, fix):
        super().__init__(f"line {line + 1} of the options: {problem}\n  fix: {fix}")
        self.line, self.problem, self.fix = line, problem, fix


def read_options(source):
    """Read the options of a question.

    Parameters
    ----------
    source : str or sequence of str
        ``- [x] text`` or ``- [ ] text``, each followed by indented ``> feedback`` lines.

    Returns
    -------
    tuple of Option
        In their order.

    Raises
    ------
    QuizError
        If a line is none of these, an option has no feedback, or not exactly one is right.

    Examples
    --------
    >>> options = read_options("- [ ] 3\\n  > That is the sum.\\n- [x] 2\\n  > One times two.")
    >>> [(option.text, option.right) for option in options]
    [('3', False), ('2', True)]
    """
    found = []  # line, text, right, lines of feedback
    for number, raw in enumerate(source.split("\n") if isinstance(source, str) else source):
        line = raw.strip()
        if match := _OPTION.match(raw):
            found.append([number, match["text"].strip(), match["mark"] == "x", []])
        elif line.startswith(">") and found:
            found[-1][3].append(line[1:].strip())
        elif line and raw.startswith("  ") and found and not found[-1][3]:
            found[-1][1] += f" {line}"
        elif line:
            fix = "write `- [ ] answer` (or `[x]`), then indented `> feedback` lines"
            raise QuizError(number, f"not part of a quiz question: {line!r}", fix)
    if len(found) < 2 or sum(right for _, _, right, _ in found) != 1:
        raise QuizError(0, "a question needs at least two options and exactly one `[x]`", "mark the right one")
    return tuple(Option(text, right, _feedback(*entry)) for entry in found for _, text, right, _ in [entry])


def _feedback(number, text, right, lines):
    if _LINK.search(text):
        fix = "put it into the question or into the feedback"
        raise QuizError(number, f"the option {text!r} has a link, but an option is clicked itself", fix)
    if not _FORMULA.sub("", text).strip(" .,"):
        fix = "put a word before it, such as `the product $...$`: a screen reader may find no name in a formula alone"
        raise QuizError(number, f"the option {text!r} is only a formula", fix)
    if not lines:
        raise QuizError(number, f"the option {text!r} has no feedback", "add a line `  > why it is right or wrong`")
    feedback = " ".join(lines)
    if _VERDICT.match(feedback):
        fix = "begin with the reason; the verdict is put before it"
        raise QuizError(number + 1, f"the feedback repeats the verdict: {feedback.split()[0]!r}", fix)
    return feedback
