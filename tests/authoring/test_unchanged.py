"""A build is left out only if all that it reads and all that the last one wrote is as it was."""

import os

import pytest

from mlcourse.authoring.unchanged import is_up_to_date, remember

FILES = {
    "book/math/vectors.md": "# Vectors",
    "src/mlcourse/shapes.py": "x = 1",
    "src/mlcourse/gpu/kernels/copy.cu": "// copy",
    "notebooks/math/vectors.ipynb": "{}",
    "_toc.yml": "root: book/index",
    "requirements.lock": "numpy==2",
    "_build/html/book/math/vectors.html": "<h1>Vectors</h1>",
}


@pytest.fixture
def course_folder(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_nothing_is_known_before_the_first_build(course_folder):
    assert not is_up_to_date(course_folder, "1")


def test_the_same_files_need_no_build_whatever_their_times_are(course_folder):
    remember(course_folder, "1")
    os.utime(course_folder / "book/math/vectors.md", (0, 0))
    (course_folder / "src/mlcourse/__pycache__").mkdir()
    (course_folder / "src/mlcourse/__pycache__/shapes.pyc").write_text("compiled")
    assert is_up_to_date(course_folder, "1")
    assert not is_up_to_date(course_folder, "2"), "a new commit changes the footer"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_changed_or_removed_needs_a_build(course_folder, name):
    remember(course_folder, "1")
    (course_folder / name).write_text(FILES[name] + " and more")
    assert not is_up_to_date(course_folder, "1")
    remember(course_folder, "1")
    (course_folder / name).unlink()
    assert not is_up_to_date(course_folder, "1")


def test_a_new_chapter_needs_a_build(course_folder):
    remember(course_folder, "1")
    (course_folder / "book/math/matrices.md").write_text("# Matrices")
    assert not is_up_to_date(course_folder, "1")
