"""Quiz answers in the records, and the site's saved progress taken in by `mlcourse progress --import`."""

import json

import pytest

from mlcourse.cli import main
from mlcourse.exercises.records import best_results, quiz_answers, record, record_answer
from mlcourse.exercises.site_file import SiteFileError, import_site_file

AT = "2026-11-21T10:00:0{}.000Z"


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(path))
    return path


def answer(i, right, second):
    return {"answer": i, "right": right, "at": AT.format(second)}


def saved(tmp_path, **changes):
    last, first, before = answer(1, True, 3), answer(2, False, 2), answer(0, False, 1)
    content = {
        "format": "mlcourse progress",
        "version": 1,
        "saved": AT.format(4),
        "read": {"math/vectors": {"at": AT.format(1)}},
        "quiz": {"math/vectors#a": {**last, "first": first, "before": before}},
        "exercise": {"unit_vector": {"points": 2.4, "at": AT.format(1)}},
        "code": {},
    }
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({**content, **changes}))
    return path


def test_answers_by_their_time_whatever_the_order_of_the_lines(file):
    record_answer("math/vectors#a", 1, True, at=AT.format(3))
    record_answer("math/vectors#a", 0, False, at=AT.format(2))
    record_answer("math/vectors#a", 2, False, before=True, at=AT.format(1))
    file.write_bytes(file.read_bytes() + b'{"quiz": "math/vectors#a"}\n{"quiz": 3, "answer": "x"}\n[1]\n{"qu\n')
    record("unit_vector", 1.0, True)
    entry = {**answer(1, True, 3), "first": answer(0, False, 2), "before": answer(2, False, 1)}
    assert quiz_answers() == {"math/vectors#a": entry}
    assert best_results() == {"unit_vector": 1.0}


def test_import_adds_what_is_better_and_nothing_twice(tmp_path, file):
    record("unit_vector", 1.0, True)
    path = saved(tmp_path)
    assert import_site_file(path) == "added 1 exercises and 3 answers to quizzes"
    entry = {**answer(1, True, 3), "first": answer(2, False, 2), "before": answer(0, False, 1)}
    assert quiz_answers() == {"math/vectors#a": entry}
    assert best_results() == {"unit_vector": 2.4}
    lines = file.read_text()
    assert import_site_file(path) == "added 0 exercises and 0 answers to quizzes"
    assert file.read_text() == lines


def test_import_keeps_a_better_result(tmp_path):
    record("unit_vector", 3.0, True)
    assert import_site_file(saved(tmp_path)).startswith("added 0 exercises")
    assert best_results() == {"unit_vector": 3.0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "other"}, "holds something else"),
        ({"version": 2}, "has version 2 of the format, this package reads 1"),
        ({"exercise": {"unit_vector": {"points": "many"}}}, "damaged entry"),
        ({"exercise": []}, "damaged entry"),
        ({"quiz": {"a#b": {"answer": 1}}}, "damaged entry"),
        ({"quiz": {"a#b": None}}, "damaged entry"),
    ],
)
def test_a_bad_file_changes_nothing(tmp_path, file, changes, words):
    with pytest.raises(SiteFileError, match=words):
        import_site_file(saved(tmp_path, **changes))
    assert not file.exists()


def test_command(tmp_path, capsys):
    assert main(["progress", "--import", str(saved(tmp_path))]) == 0
    shown = capsys.readouterr().out
    assert "added 1 exercises" in shown and "quiz 0 of 1 right at the first try" in shown
    (tmp_path / "x.json").write_text("no")
    assert main(["progress", "--import", str(tmp_path / "x.json")]) == 2
    assert "is not JSON" in capsys.readouterr().err
    assert main(["progress", "--import", str(tmp_path / "none.json")]) == 2
    assert main(["progress"]) == 0
