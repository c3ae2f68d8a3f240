"""Submissions that write into what people read: pages, tables and reports keep every such text as text, marked as the student's."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from mlcourse.grading.class_report import report_page
from mlcourse.grading.classroom import write_reports
from mlcourse.grading.feedback import feedback_page
from mlcourse.grading.grade import grade
from mlcourse.grading.marks import SubmissionMark
from mlcourse.grading.submissions import Submission
from tests.grading.corpus.harness import (
    AREA,
    GOOD,
    IMPORT,
    ONLY_AREA,
    UNIT,
    assert_fair,
    bad_unit,
    needs_sandbox,
    notebook,
    quick,
)

TEXTS = {
    "a script": "<script>alert(1)</script>",
    "an image with a handler": "<img src=x onerror=alert(1)>",
    "the end of the page": "</span></p></body></html><h1>10 of 10 points</h1>",
    "a style": "<style>.wrong{display:none}</style>",
    "an entity": "&lt;b&gt; &#60;script&#62;",
    "Markdown": "![x](http://127.0.0.1:PORT/x.png) [a](javascript:alert(1))",
    "colors of the terminal": "\x1b[32m10 of 10 points\x1b[0m\x1b]0;title\x07",
    "other directions": "\u202e\u2066stniop 01 fo 01\u2069\u200f",
    "control characters": "\x00\x01\x08\x0b\x1f\x7f\x9b31m\ufffe",
    "half of a character": "\ud800\udfff",
    "piled up accents": "a" + "\u0301" * 3000,
    "invisible": "\u200b\u2060\ufeff\u00ad\U000e0041",
    "a formula": "=HYPERLINK('http://127.0.0.1:PORT','10')",
    "a command in a formula": "@SUM(1)*cmd|' /C calc'!A0",
    "the end of CDATA": "]]></failure><testcase name='all' />",
    "a fake score": "✓ 3 of 3 points\n\nPublic cases: 5 of 5 passed\nClass cases: 15 of 15 passed",
    "the end of the quotation": "”. All cases passed: 3 of 3 points. “",
    "very long": "x" * 10**6,
    "JSON": '", "points": 10, "status": "graded"}',
    "a template": "{{ 7 * 7 }} ${7*7} <%= 7 %> {0.__class__}",
}  # fmt: skip

WAYS = {
    "the text of an error": lambda text: bad_unit(f"raise RuntimeError({text!r})"),
    "the name of an error": lambda text: bad_unit(f"raise type({text.replace(chr(0), '')!r}.encode('utf-8', "
        f"'replace').decode(), (Exception,), {{}})"),
    "an error of a cell": lambda text: [IMPORT, f"raise RuntimeError({text!r})", "def unit_vector(x): return x", AREA],
    "a string as the result": lambda text: bad_unit(f"return {text!r}"),
    "the name of a type": lambda text: bad_unit(f"return type({text.replace(chr(0), '')!r}.encode('utf-8', "
        f"'replace').decode(), (), {{}})()"),
    "forged fields": lambda text: [
        IMPORT, "def unit_vector(x): return x", AREA,
        f"import sys\nT = {text!r}\ng = sys._getframe()\nwhile g.f_back: g = g.f_back\n"
        "g.f_globals['describe'] = lambda e: {'error': T, 'text': T, 'line': T, 'bases': [T], 'changed': [T]}\nraise SystemExit"],
}  # fmt: skip


class Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, *(name for name, _ in attributes)))


def plain(way):
    mark = grade(Submission("ann", "vectors.ipynb", notebook(WAYS[way]("plain"))), seed=7)
    return Tags(feedback_page(mark)).tags


@pytest.fixture(scope="module")
def usual():
    """The tags of the pages of harmless texts, by the way in which a text gets there."""
    return {way: plain(way) for way in WAYS}


@needs_sandbox
@pytest.mark.parametrize(
    ("name", "way"),
    [(name, "forged fields") for name in TEXTS]
    + [(name, way) for way in WAYS for name in ("a script", "control characters")],
)
def test_texts_stay_texts(name, way, usual, tmp_path, monkeypatch):
    quick(monkeypatch)
    mark, page = assert_fair(WAYS[way](TEXTS[name]), ONLY_AREA, tmp_path, monkeypatch)
    assert Tags(page).tags == usual[way]
    assert not [
        c for c in page if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u200b\ufeff"
    ]
    page.encode()
    (tmp_path / "out").mkdir()
    write_reports([mark], [], tmp_path / "out")
    ET.parse(tmp_path / "out/junit.xml")
    assert len(list(csv.reader((tmp_path / "out/grades.csv").read_text("utf-8-sig").splitlines()))) == 2
    assert len(page) < 60_000


@needs_sandbox
@pytest.mark.parametrize("way", ["the text of an error", "an error of a cell", "forged fields"])
def test_what_looks_like_marks_is_in_quotation_marks(way, tmp_path, monkeypatch):
    _, page = assert_fair(WAYS[way]("fine.”\n✓ 3 of 3 points“"), ONLY_AREA, tmp_path, monkeypatch)
    outside = re.sub(r'<span class="own">“[^“”]*”</span>', "", page)
    assert "✓ 3 of 3 points" in page
    assert "✓ 3 of 3 points" not in outside


@pytest.mark.parametrize("name", TEXTS)
def test_names_of_students_and_files(name, tmp_path):
    text = TEXTS[name][:200]
    reason = f"it is not a Jupyter notebook: {text}"
    marks = [SubmissionMark(student, "math/vectors", "rejected", reason) for student in (text, text + "2", "plain")]
    (tmp_path / "out").mkdir()
    write_reports(marks, [], tmp_path / "out")
    tags = [Tags(file.read_text()).tags for file in (tmp_path / "out/feedback").iterdir()]
    assert len(tags) == 3
    assert tags[0] == tags[1] == tags[2]
    assert Tags(report_page(marks)).tags.count(("script",)) == 0
    assert len(list(csv.reader((tmp_path / "out/grades.csv").read_text("utf-8-sig").splitlines()))) == 4
    json.loads((tmp_path / "out/grades.json").read_text())


@needs_sandbox
def test_a_right_answer_beside_it_keeps_its_marks(tmp_path, monkeypatch):
    both = [*GOOD, f"print({TEXTS['a script']!r})", UNIT]
    _, page = assert_fair(both, (True, True), tmp_path, monkeypatch)
    assert "alert(1)" not in page
