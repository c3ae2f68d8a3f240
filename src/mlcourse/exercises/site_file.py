"""Take in the progress that the site saved to a file, so that `progress()` knows what was done there."""

from __future__ import annotations

import json
from pathlib import Path

from mlcourse.exercises.records import append, best_results, quiz_answers

FORMAT, VERSION = "mlcourse progress", 1


class SiteFileError(ValueError):
    """A file that cannot be taken in; nothing was changed."""


def import_site_file(path):
    """Add what is better or newer in a file of the site to the local progress.

    Parameters
    ----------
    path : str or Path
        What the site's page *Your progress* saved.

    Returns
    -------
    str
        What was added.

    Raises
    ------
    SiteFileError
        If there is no such file, or it is no such file, or an entry is damaged.
    """
    file = _read(Path(path))
    try:
        exercises, answers = _better_results(file.get("exercise", {})), _new_answers(file.get("quiz", {}))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise SiteFileError(f"{path} has a damaged entry ({error}); save it anew on the site") from None
    if exercises or answers:
        append([*exercises, *answers])
    return f"added {len(exercises)} exercises and {len(answers)} answers to quizzes"


def _read(path):
    advice = "give a file that the site's page “Your progress” saved"
    try:
        file = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SiteFileError(f"{path} cannot be read ({error.strerror}); {advice}") from None
    except ValueError:
        raise SiteFileError(f"{path} is not JSON; {advice}") from None
    if not isinstance(file, dict) or file.get("format") != FORMAT:
        raise SiteFileError(f"{path} holds something else; {advice}")
    if file.get("version") != VERSION:
        found = file.get("version")
        raise SiteFileError(
            f"{path} has version {found!r} of the format, this package reads {VERSION}; install the newest package"
        )
    return file


def _better_results(entries):
    best = best_results()
    lines = [
        {"exercise": name, "points": float(entry["points"]), "answered": True, "at": str(entry["at"])}
        for name, entry in entries.items()
    ]
    return [line for line in lines if line["points"] > best.get(line["exercise"], -1.0)]


def _new_answers(entries):
    known, lines = quiz_answers(), []
    for name, entry in entries.items():
        mine = known.get(name, {})
        for part in ("before", "first", None):
            given = entry if part is None else entry.get(part)
            if given is None or "answer" not in given or given["at"] in _times(mine, part):
                continue
            line = {"quiz": name, "answer": int(given["answer"]), "right": bool(given["right"]), "at": str(given["at"])}
            if part == "before":
                line["before"] = True
            if line not in lines:
                lines.append(line)
    return lines


def _times(entry, part):
    """When the answers were given that are here already."""
    if part == "before":
        return {entry.get("before", {}).get("at")}
    return {entry.get("at"), entry.get("first", {}).get("at")}
