"""The site is built again after an edit, and not built again after none."""

import shutil

from benchmarks import build


def test_a_build_after_an_edit_renders_it_and_a_build_after_none_does_nothing(built_site, tmp_path):
    build.copy_course(tmp_path)
    shutil.rmtree(tmp_path / "src/mlcourse/data/book")  # else all chapters would be executed, for this is new
    every = build.build(tmp_path)
    chapter = tmp_path / "book/math/vectors.md"
    chapter.write_text(chapter.read_text(encoding="utf-8") + "\nA sentence about nothing.\n", encoding="utf-8")
    edited, idle = build.build(tmp_path), build.build(tmp_path)
    assert "A sentence about nothing." in (tmp_path / "_build/html/book/math/vectors.html").read_text(encoding="utf-8")
    assert 0 < edited["pages"] < every["pages"] / 2
    assert idle["pages"] == 0
