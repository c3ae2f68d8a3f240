"""Exercise cards and the line of facts, as text that several outputs share."""

from __future__ import annotations

from mlcourse.authoring.errors import SourceError
from mlcourse.exercises import exercise_set, exercise_sets


def difficulty_text(level):
    """Return '●●○○○' with words for screen readers, who hear the words only."""
    return f"{'●' * level}{'○' * (5 - level)} ({level} of 5)"


def card_line(exercise):
    """Return '6 points · 10 minutes · difficulty ●●○○○ (2 of 5)'."""
    points = f"{exercise.points} point{'s' if exercise.points != 1 else ''}"
    return f"{points} · {exercise.minutes} minutes · difficulty {difficulty_text(exercise.difficulty)}"


def exercises_of(course, path):
    """Return slug and exercises of the chapter at `path`."""
    slug = path.resolve().relative_to(course.root / "book").with_suffix("").as_posix()
    if slug not in exercise_sets():
        raise SourceError(
            path, 1, f"there are no checks for {slug}", f"write src/mlcourse/exercises/{slug.replace('-', '_')}.py"
        )
    return slug, exercise_set(slug)


def exercise_list(course, path):
    """Return the chapter's exercises as a Markdown table with a link to their notebook."""
    slug, exercises = exercises_of(course, path)
    rows = [f"| {e.title} | {e.points} | {e.minutes} | {difficulty_text(e.difficulty)} |" for e in exercises]
    link = f"exercises/{slug}.ipynb"
    head = ["| exercise | points | minutes | difficulty |", "|:---|---:|---:|:---|"]
    return "\n".join(
        [*head, *rows, "", f"[Open the exercises in Colab]({course.colab_url(link)}), or locally: `{link}`"]
    )
