"""What a learner has done so far, in one local file, and how to show it.

The file has one line of JSON for each check and each answer to a quiz, added at its end, so that two notebooks may write at once. It is
``.mlcourse/progress.jsonl`` in the home folder; the environment variable ``MLCOURSE_PROGRESS`` names another (on Colab, one on Drive).
Nothing is sent anywhere.
"""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path


def records_file():
    """Return the path of the file."""
    return Path(os.environ.get("MLCOURSE_PROGRESS") or Path.home() / ".mlcourse" / "progress.jsonl")


def record(name, points, answered):
    """Keep the result of one check; a folder that cannot be written costs a warning, not the check."""
    append([{"exercise": name, "points": points, "answered": bool(answered), "at": now()}])


def record_answer(name, answer, right, *, before=False, at=None):
    """Keep an answer to a quiz question.

    Parameters
    ----------
    name : str
        Chapter and question, such as ``"math/vectors#which-distance"``.
    answer : int
        The option, from 0.
    right : bool
    before : bool
        Whether it was given before the chapter.
    at : str, optional
        When, if not now.
    """
    line = {"quiz": name, "answer": answer, "right": bool(right), "at": at or now()}
    append([{**line, "before": True} if before else line])


def now():
    """Return the time as it is written into the file."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(entries):
    """Add lines to the file; where it cannot be written, warn and go on."""
    lines = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    try:
        path = records_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            file.write(lines.encode())
    except (OSError, RuntimeError) as error:
        warnings.warn(
            f"your progress is not kept: {error}; set MLCOURSE_PROGRESS to a file that you may write", stacklevel=4
        )


def best_results():
    """Read the file.

    Returns
    -------
    dict of str to float
        For each exercise with an answer, the most points that a check of it has found.
    """
    best = {}
    for name, points in filter(None, map(_exercise_line, _lines())):
        best[name] = max(points, best.get(name, 0.0))
    return best


def quiz_answers():
    """Read the answers to quizzes from the file.

    Returns
    -------
    dict of str to dict
        By chapter and question, in the form that the site keeps: `answer`, `right` and `at` of the last answer, `first` with
        those of the first, and `before` with those given before the chapter. What was not given is missing.
    """
    entries = {}
    answers = sorted(filter(None, map(_quiz_line, _lines())), key=lambda line: line[2]["at"])
    for name, before, answer in answers:
        entry = entries.setdefault(name, {})
        if before:
            entry.update(before=answer, at=entry.get("at", answer["at"]))
        else:
            entry.update(answer, first=entry.get("first", answer))
    return entries


def _lines():
    """The lines that hold JSON; those that were cut off are passed over."""
    try:
        lines = records_file().read_text("utf-8", errors="replace").splitlines()
    except (OSError, RuntimeError):
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _exercise_line(entry):
    """The exercise and the points of one line; None for a line that is none of ours."""
    try:
        return (str(entry["exercise"]), float(entry["points"])) if entry["answered"] else None
    except (ValueError, TypeError, KeyError):
        return None


def _quiz_line(entry):
    """The question of one line, whether it was asked before the chapter, and the answer; None for any other line."""
    try:
        answer = {"answer": int(entry["answer"]), "right": bool(entry["right"]), "at": str(entry["at"])}
        return str(entry["quiz"]), bool(entry.get("before")), answer
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


@dataclass(frozen=True)
class SetProgress:
    """How far one exercise set is done."""

    key: str
    points: float
    max_points: int
    done: int
    count: int
    waiting: int
    next_title: str
    answers: int = 0
    right_at_first: int = 0

    @property
    def share(self):
        return min(self.points / self.max_points, 1.0)


@dataclass(frozen=True)
class Progress:
    """How far all exercise sets are done; it shows itself as a table."""

    sets: tuple[SetProgress, ...]

    @property
    def points(self):
        return sum(entry.points for entry in self.sets)

    @property
    def max_points(self):
        return sum(entry.max_points for entry in self.sets)

    def __repr__(self):
        width = max(len(entry.key) for entry in self.sets)
        rows = (
            f"  {entry.key:<{width}}  {'█' * round(10 * entry.share):░<10}  {_points(entry):>14}  {_exercises(entry)}{_quiz(entry, ', ')}"
            for entry in self.sets
        )
        return "\n".join([f"{self.points:g} of {self.max_points} points", *rows, f"  {_advice(self)}"])

    def _repr_html_(self):
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(entry.key)}</th>'
            f'<td><progress max="1" value="{entry.share:.3f}" aria-label="{escape(entry.key)}">{entry.share:.0%}</progress></td>'
            f'<td style="text-align:right">{_points(entry)}</td><td style="text-align:left">{_exercises(entry)}</td>'
            f'<td style="text-align:left">{_quiz(entry)}</td></tr>'
            for entry in self.sets
        )
        head = "".join(f'<th scope="col">{title}</th>' for title in ("set", "done", "points", "exercises", "quiz"))
        return (
            f"<div><strong>{self.points:g} of {self.max_points} points</strong>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{escape(_advice(self))}</p></div>"
        )


def progress():
    """Show how far you are in every exercise set, from the best result of each exercise, and in the quizzes of its chapter.

    Answers that a person reads count as done when they are written; their points are not known here.

    Returns
    -------
    Progress
        With ``points``, ``max_points`` and ``sets``.
    """
    from mlcourse.exercises import exercise_set, exercise_sets

    best, answers = best_results(), quiz_answers()
    return Progress(tuple(_set_progress(key, exercise_set(key), best, answers) for key in exercise_sets()))


def _set_progress(key, exercises, best, answers):
    firsts = [entry["first"] for name, entry in answers.items() if name.startswith(f"{key}#") and "first" in entry]
    points = sum(min(best.get(exercise.name, 0.0), exercise.points) for exercise in exercises)
    waiting = [exercise for exercise in exercises if exercise.manual and exercise.name in best]
    full = [exercise for exercise in exercises if not exercise.manual and best.get(exercise.name, 0) >= exercise.points]
    left = [exercise for exercise in exercises if exercise not in waiting and exercise not in full]
    return SetProgress(
        key,
        round(points, 2),
        sum(exercise.points for exercise in exercises),
        len(waiting) + len(full),
        len(exercises),
        len(waiting),
        left[0].title if left else "",
        len(firsts),
        sum(first["right"] for first in firsts),
    )


def _points(entry):
    return f"{entry.points:g} of {entry.max_points}"


def _exercises(entry):
    return f"{entry.done} of {entry.count}" + (f" ({entry.waiting} for a person to read)" if entry.waiting else "")


def _quiz(entry, before=""):
    return f"{before}quiz {entry.right_at_first} of {entry.answers} right at the first try" if entry.answers else ""


def _advice(progress):
    """What to do next: go on with the set that was begun last in the order of the course, else begin the first one."""
    begun = [entry for entry in progress.sets if entry.next_title and (entry.points or entry.done)]
    unbegun = [entry for entry in progress.sets if entry.next_title]
    if begun:
        return f"Next: {begun[-1].next_title} in {begun[-1].key}"
    if unbegun:
        return f"Next: {unbegun[0].next_title} in {unbegun[0].key}"
    return "Everything is done."
