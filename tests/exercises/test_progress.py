"""`progress()`: what a learner has done, kept in one local file."""

import json
import multiprocessing
import os
import sys

import pytest

from mlcourse.exercises import check, exercise_set, exercise_sets, progress
from mlcourse.exercises.records import best_results, record


def cosine_similarity(u, v):
    return u @ v


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "progress.jsonl"
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(path))
    return path


def set_of(key):
    return next(entry for entry in progress().sets if entry.key == key)


def test_nothing_done_yet():
    first = exercise_set(exercise_sets()[0])[0]
    assert progress().points == 0
    assert f"Next: {first.title} in {exercise_sets()[0]}" in repr(progress())


def test_check_keeps_its_result_and_the_best_counts(file):
    found = check(cosine_similarity).points
    record("cosine_similarity", found + 1, True)
    record("cosine_similarity", 0.0, True)
    assert best_results() == {"cosine_similarity": found + 1}
    assert set_of("math/vectors").points == found + 1
    assert len(file.read_text().splitlines()) == 3


def test_all_of_a_set():
    for exercise in exercise_set("math/vectors"):
        record(exercise.name, exercise.points, True)
    entry = set_of("math/vectors")
    assert (entry.share, entry.next_title) == (1.0, "") or entry.waiting
    assert entry.done == entry.count
    assert "██████████" in repr(progress())
    assert '<progress max="1" value="1.000"' in progress()._repr_html_()


def test_untouched_starter_is_not_an_answer():
    record("cosine_similarity", 0.0, False)
    assert best_results() == {}


def test_damaged_lines_are_passed_over(file):
    record("cosine_similarity", 2.0, True)
    with open(file, "ab") as damaged:
        damaged.write(b'{"exercise": "norm", "poi\n\xff\xfe\n[]\n{"exercise": 1, "points": "x", "answered": true}\n')
    record("unit_vector", 1.0, True)
    assert best_results() == {"cosine_similarity": 2.0, "unit_vector": 1.0}


@pytest.mark.skipif(os.name != "posix", reason="a folder where a file is expected")
def test_a_check_goes_on_where_nothing_can_be_kept(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "file" / "progress.jsonl"))
    with pytest.warns(UserWarning, match="set MLCOURSE_PROGRESS"):
        assert check(cosine_similarity).cases


def write_many(count):
    for _ in range(count):
        record("unit_vector", 1.0, True)


def test_two_notebooks_write_at_once(file):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(300,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [json.loads(line)["exercise"] for line in file.read_text().splitlines()] == ["unit_vector"] * 600


def test_progress_imports_no_heavy_library():
    code = "import sys; from mlcourse.exercises import progress; repr(progress()); print('torch' in sys.modules)"
    done = os.popen(f'{sys.executable} -c "{code}"').read()
    assert done.strip() == "False"
