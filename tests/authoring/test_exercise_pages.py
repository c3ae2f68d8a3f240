"""The sources of the exercise pages, derived from the solutions."""

import re

import pytest

from mlcourse.authoring.exercise_pages import page_text, table_of_contents
from mlcourse.exercises import exercise_set


@pytest.fixture(scope="module")
def texts(course):
    return {chapter.slug: page_text(course, chapter) for chapter in course.chapters}


def test_every_exercise_has_its_heading_its_card_and_its_editor_in_order(texts):
    for slug, text in texts.items():
        exercises = exercise_set(slug)
        assert re.findall(r"^## \d+\. (.+)$", text, re.MULTILINE) == [exercise.title for exercise in exercises]
        for kind in ("card", "editor"):
            names = re.findall(rf"^`+\{{exercise-{kind}\}} (\w+)$", text, re.MULTILINE)
            assert names == [exercise.name for exercise in exercises]


def test_no_solution_is_in_a_page(texts):
    for slug, text in texts.items():
        assert "# solution" not in text, slug
        assert "# starter" not in text, slug


def test_the_table_of_contents_has_the_exercises_below_each_chapter(course):
    toc = table_of_contents(course)
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    assert {e["file"]: e["sections"] for e in entries if "sections" in e} == {
        f"book/{chapter.slug}": [{"file": f"exercises/{chapter.slug}"}] for chapter in course.chapters
    }
