"""Code that a page shows with what it gives: run when the site is built."""

from pathlib import Path

import pytest

from mlcourse.authoring.demonstration import run
from tests.conftest import ROOT


def test_what_is_printed_is_what_the_code_prints():
    assert run("for i in range(2):\n    print(i)") == ("0\n1", None)


def test_the_last_value_shows_itself_as_a_card():
    code = (
        "from mlcourse.exercises import check\n\ndef unit_vector(x):\n    return x / max(abs(x))\n\ncheck(unit_vector)"
    )
    printed, card = run(code)
    assert printed == ""
    assert "largest absolute value" in card


def test_a_demonstration_leaves_the_readers_records_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "mine.jsonl"))
    run("from mlcourse.exercises import check\n\ndef unit_vector(x):\n    return x\n\ncheck(unit_vector)")
    assert list(Path(tmp_path).iterdir()) == []


def test_code_that_fails_stops_the_build():
    with pytest.raises(AssertionError):
        run("assert 1 == 2")


def test_the_first_page_shows_what_its_code_gives(built_site):
    html = (built_site / "book/index.html").read_text(encoding="utf-8")
    text = (ROOT / "book/index.md").read_text(encoding="utf-8")
    blocks = [part.split("\n:::", 1)[0] for part in text.split(":::{demonstration}\n")[1:]]
    assert len(blocks) >= 2
    for printed, value in map(run, blocks):
        assert printed in html
        assert (value or "") in html
