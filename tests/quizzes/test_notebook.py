"""`quiz` and `pretest` in a notebook, with anywidget and without it; answers go into the records."""

import json
import re
import subprocess
import sys
import warnings

import pytest

from mlcourse.exercises import progress
from mlcourse.exercises.records import quiz_answers
from mlcourse.quizzes import notebook, pretest, quiz

SOURCE = "- [ ] `u * v`\n  > A *vector*.\n- [x] the square $u^2$\n  > Yes & no."
AT = "2026-11-21T10:00:00.000Z"


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(path))
    return path


def choose(widget, answer, at=AT):
    """What the component sets in the browser."""
    given = {"answer": answer, "right": answer == 1, "at": at}
    entry = widget.entry
    if widget.before:
        widget.entry = {**entry, "before": given, "at": at}
    else:
        widget.entry = {**entry, **given, "first": entry.get("first", given)}


def test_a_widget_has_the_component_and_the_folded_options():
    widget = quiz("math/vectors", "try", SOURCE)
    assert widget.get_state()["_esm"] == notebook.module()
    assert widget.html.count("<details>") == 2
    assert "<code>u * v</code>" in widget.html and "<math><msup>" in widget.html and "Yes &amp; no." in widget.html
    assert widget.entry == {}


def test_before_the_chapter_nothing_is_given_away():
    html = pretest("math/vectors", "try", SOURCE).html
    assert "vector" not in html and "Right" not in html


def test_answers_are_recorded_once_and_found_again(file):
    widget = quiz("math/vectors", "try", SOURCE)
    choose(widget, 0)
    choose(widget, 1, "2026-11-21T10:00:01.000Z")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["quiz"], line["answer"], line["right"]) for line in lines] == [
        ("math/vectors#try", 0, False),
        ("math/vectors#try", 1, True),
    ]
    again = quiz("math/vectors", "try", SOURCE)
    assert again.entry == widget.entry == quiz_answers()["math/vectors#try"]
    assert (again.entry["answer"], again.entry["first"]["answer"]) == (1, 0)
    assert len(file.read_text().splitlines()) == 2


def test_the_quiz_learns_of_an_answer_before_the_chapter_from_another_cell():
    before, after = pretest("math/vectors", "try", SOURCE), quiz("math/vectors", "try", SOURCE)
    choose(before, 0)
    choose(after, 1, "2026-11-21T11:00:00.000Z")
    assert after.entry["before"]["answer"] == 0
    assert after.entry["first"] == {"answer": 1, "right": True, "at": "2026-11-21T11:00:00.000Z"}


def test_where_nothing_can_be_kept_the_answer_stays(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "file" / "progress.jsonl"))
    widget = quiz("math/vectors", "try", SOURCE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        choose(widget, 1)
    assert any("your progress is not kept" in str(warning.message) for warning in caught)
    assert widget.entry["answer"] == 1


def test_progress_shows_the_quiz():
    choose(quiz("math/vectors", "try", SOURCE), 1)
    choose(quiz("math/vectors", "other", SOURCE), 0)
    assert re.search(r"math/vectors .*quiz 1 of 2 right at the first try", repr(progress()))
    assert "quiz 1 of 2 right at the first try</td>" in progress()._repr_html_()


def test_without_anywidget_the_options_unfold():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "from mlcourse.quizzes import pretest, quiz\n"
        f"for ask in (quiz, pretest): shown = ask('math/vectors', 'try', {SOURCE!r}); print(shown); print(shown._repr_html_())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "A) `u * v`" in done.stdout
    assert "<details><summary><span><code>u * v</code></span></summary>" in done.stdout
    assert "%pip install anywidget" in done.stdout
    assert "the quiz at its end asks again" in done.stdout


def test_the_component_is_small_and_stands_alone():
    assert len(notebook.module().encode()) <= 10_000 and len(notebook.style().encode()) <= 10_000
    assert "import " not in notebook.module()
