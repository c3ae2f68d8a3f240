"""Faults in the sources stop with file, line and what to do."""

import pytest

from mlcourse.authoring.course import Course, find_root, line_of
from mlcourse.authoring.errors import SourceError

CHAPTER = "book/math/vectors.md"


def edit(root, name, old, new):
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def fault(root):
    with pytest.raises(SourceError) as caught:
        Course(root)
    assert "fix:" in str(caught.value)
    return caught.value


def test_the_course_itself_is_sound(course):
    assert [chapter.number for chapter in course.chapters] == list(range(1, len(course.chapters) + 1))
    assert {"math/vectors", "python/numpy", "classical/linear-regression"} <= set(course.by_slug)


def test_parts_and_chapters_are_those_of_the_plan(course):
    import yaml

    titles = [part.title for part in course.plan]
    captions = [
        part["caption"]
        for part in yaml.safe_load((course.root / "_toc.yml").read_text())["parts"]
        if part.get("numbered")
    ]
    assert [title for title in titles if title in captions] == captions
    planned = {slug for part in course.plan for slug in part.planned}
    assert set(course.by_slug) <= planned


@pytest.mark.parametrize("key", ["minutes", "prerequisites", "seconds", "megabytes", "gpu"])
def test_missing_fact(sources, key):
    path = sources / CHAPTER
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(f"  {key}:")))
    error = fault(sources)
    assert error.path == path
    assert f"lacks `mlcourse.{key}`" in str(error)


def test_no_front_matter(sources):
    path = sources / CHAPTER
    path.write_text("# Vectors\n")
    assert "no front matter" in str(fault(sources))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("gpu: none", "gpu: maybe", "'maybe'"),
        ("prerequisites: []", "prerequisites: [math/nothing]", "'math/nothing' does not exist"),
        ("prerequisites: []", "prerequisites: math/nothing", "must be a list"),
        ("prerequisites: []", "prerequisites: [classical/linear-regression]", "in a circle"),
        ("mlcourse:", "mlcourse: {", "not valid YAML"),
    ],
)
def test_wrong_fact_names_its_line(sources, old, new, words):
    path = edit(sources, CHAPTER, old, new)
    error = fault(sources)
    assert words in str(error)
    assert error.line == line_of(path, new.split(" ")[0]) or "YAML" in words or "circle" in words


def test_facts_beyond_the_limits_of_the_guide(sources):
    import re

    path = sources / CHAPTER
    path.write_text(re.sub(r"seconds: \d+", "seconds: 61", path.read_text()))
    assert "`seconds` must be a whole number from 1 to 60" in str(fault(sources))


def test_chapter_missing_from_the_contents(sources):
    (sources / "book/math/matrices.md").write_text((sources / CHAPTER).read_text())
    error = fault(sources)
    assert "missing from _toc.yml" in str(error)
    assert "book/math/matrices" in error.fix


def test_contents_name_a_file_that_is_not_there(sources):
    edit(sources, "_toc.yml", "book/python/numpy", "book/python/nothing")
    error = fault(sources)
    assert error.line == line_of(sources / "_toc.yml", "book/python/nothing")


def test_plan_needs_a_chapter_that_comes_later_or_does_not_exist(sources):
    for wrong in ("math/svd", "math/nothing"):
        edit(sources, "book/plan.yml", "prerequisites: [math/vectors]", f"prerequisites: [{wrong}]")
        error = fault(sources)
        assert f"math/matrices needs '{wrong}', which does not come before it" in str(error)
        assert error.line == line_of(sources / "book/plan.yml", "slug: matrices,")
        edit(sources, "book/plan.yml", f"prerequisites: [{wrong}]", "prerequisites: [math/vectors]")


def test_plan_repeats_what_a_ready_chapter_says_itself(sources):
    edit(sources, "book/plan.yml", 'title: "NumPy"', 'title: "NumPy", prerequisites: [math/vectors]')
    assert "its own front matter says what it needs" in str(fault(sources))


def test_chapter_missing_from_the_plan(sources):
    edit(sources, "book/plan.yml", '      - {slug: numpy, title: "NumPy"}\n', "")
    path = sources / "book/plan.yml"
    path.write_text(
        path.read_text().replace("python/numpy, ", "").replace("[python/numpy]", "[]").replace(", python/numpy", "")
    )
    assert "this chapter is not in the plan" in str(fault(sources))


def test_solution_without_its_check(sources):
    (sources / "solutions/math/other.md").write_text((sources / "solutions/math/vectors.md").read_text())
    assert "these solutions have no checks" in str(fault(sources))


def test_check_without_its_solution(sources):
    (sources / "solutions/python/numpy.md").unlink()
    assert "these checks have no solutions" in str(fault(sources))


def test_outside_a_course(tmp_path):
    with pytest.raises(SourceError, match="no course here"):
        find_root(tmp_path)
