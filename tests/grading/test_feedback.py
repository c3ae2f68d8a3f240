"""The student's page: what it says, and that nothing in it comes from a submission but text."""

import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.display import style
from mlcourse.grading import feedback
from mlcourse.grading.feedback import feedback_page, file_name, visible
from mlcourse.grading.gradebook import Adjustment
from mlcourse.grading.marks import CaseMark, ExerciseMark, SubmissionMark
from tests.conftest import ROOT
from tests.grading.test_gradebook import NASTY, a_mark, marks, quick, texts

INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.open, self.declarations = [], [], [], 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, attributes))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, attributes))

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.text.append(data)

    def handle_comment(self, data):
        self.declarations += 1

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def twin(mark):
    """The same marks with a harmless word for each text."""

    def plain(text):
        return "x" * bool(text)

    exercises = tuple(
        ExerciseMark(
            **vars(e)
            | {"name": f"n{i}", "title": plain(e.title), "diagnosis": plain(e.diagnosis), "hint": plain(e.hint)}
            | {
                "public": tuple(
                    CaseMark(plain(c.label), c.passed, *map(plain, (c.kind, c.message, c.inputs))) for c in e.public
                )
            }
        )
        for i, e in enumerate(mark.exercises)
    )
    fields = {"student": "x", "exercise_set": plain(mark.exercise_set), "reason": plain(mark.reason)}
    fields |= {"notes": tuple("x" for _ in mark.notes), "digest": plain(mark.digest), "exercises": exercises}
    return replace(mark, **fields)


def numbered(mark):
    """Names of exercises are unique in the course; make them so, and let them be nasty all the same."""
    return replace(mark, exercises=tuple(replace(e, name=f"n{i}{e.name}") for i, e in enumerate(mark.exercises)))


def assert_safe(page):
    parsed = Parsed(page)
    assert not {"script", "img", "iframe", "object", "embed", "link", "base", "form"} & {
        tag for tag, _ in parsed.elements
    }
    assert parsed.declarations == 1, "the doctype only"
    assert not parsed.open or parsed.open == ["html"]
    assert not [c for c in page if unicodedata.category(c) in INVISIBLE and c not in "\n\u200c\u200d"]
    return parsed


@quick
@given(mark=marks.map(numbered), by=texts.filter(bool), why=texts)
def test_nothing_in_the_page_comes_from_the_submission_but_text(mark, by, why):
    entry = Adjustment(mark.student, mark.exercise_set, 1, by, why, at=why)
    plain = Adjustment("x", "x" * bool(mark.exercise_set), 1, "x", "x", at="x" * bool(why[:10]))
    parsed = assert_safe(feedback_page(mark, [entry]))
    assert parsed.elements == Parsed(feedback_page(twin(mark), [plain])).elements


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_in_every_field(text):
    case = CaseMark(text, False, text, text, text)
    exercise = ExerciseMark(text, text, 0, 1, "graded", (case,), 0, 1, text, text, text)
    mark = SubmissionMark(
        text, text, "graded", text, (exercise, replace(exercise, name="b", status="missing")), (text,), text
    )
    assert_safe(feedback_page(mark))
    assert_safe(feedback_page(replace(mark, status="rejected", exercises=())))


def test_a_page_stays_small():
    long = "\u202e" * 100_000
    case = CaseMark(long, False, long, long, long)
    exercise = ExerciseMark(long, long, 0, 1, "graded", (case,) * 1000, 0, 1, long, long, long)
    page = feedback_page(SubmissionMark(long, long, "graded", long, (exercise,), (long,) * 1000, long))
    assert len(page) < 200_000
    assert "and 960 more" in page
    assert "and 900 more" in page


def test_what_the_page_says():
    manual = ExerciseMark("essay", "An essay", 0.0, 5.0, "manual")
    missing = ExerciseMark("gone", "Gone", 0.0, 2.0, "missing")
    mark = a_mark(exercises=(*a_mark().exercises, manual, missing))
    words = Parsed(feedback_page(mark, [Adjustment("anna", "math/vectors", -1.5, "B. Lee", "a day late")])).words
    for said in (
        "for anna",
        "4.5 of 15 points",
        "Not final: a person has yet to read an answer.",
        "Public cases: 0 of 1 passed",
        "Class cases: 2 of 5 passed",
        "wrong value: expected 1, got 2",
        "What happened You doubled it.",
        "Next hint Look.",
        "A person will read this answer",
        "Your notebook defines nothing named gone",
        "Marked by the checks",
        "a day late",
        "−1.5",
        "cell 3 failed",
        "which are shown to nobody",
    ):
        assert said in " ".join(
            words.replace("Next hint", "Next hint ").replace("What happened", "What happened ").split()
        ), said


def test_an_answer_that_was_read():
    manual = ExerciseMark("essay", "An essay", 0.0, 5.0, "manual")
    words = Parsed(
        feedback_page(a_mark(exercises=(manual,)), [Adjustment("anna", "math/vectors", 3, "me", "clear", "essay")])
    ).words
    assert "3 of 5" in words
    assert "Read by a person" in words
    assert "Not final" not in words


def test_adjustments_of_others_are_not_shown():
    page = feedback_page(a_mark(), [Adjustment("bob", "math/vectors", -1, "B. Lee", "private")])
    assert "private" not in page


def test_a_rejected_file_says_why():
    words = Parsed(feedback_page(SubmissionMark("anna", "", "rejected", "it is not JSON"))).words
    assert "This file could not be marked" in words
    assert "it is not JSON" in words
    assert "points" not in words


def test_page_is_accessible_and_loads_nothing():
    parsed = Parsed(feedback_page(a_mark()))
    elements = parsed.elements
    assert ("html", [("lang", "en")]) in elements
    metas = [dict(attributes) for tag, attributes in elements if tag == "meta"]
    policy = next(meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert any(meta.get("name") == "viewport" for meta in metas)
    assert not [
        name
        for _, attributes in elements
        for name, _ in attributes
        if name in ("src", "style") or name.startswith("on")
    ]
    assert all(value.startswith("#") for _, attributes in elements for name, value in attributes if name == "href")
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(dict(attributes).get("scope") for tag, attributes in elements if tag == "th")
    ids = [value for _, attributes in elements for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    references = {value for _, a in elements for name, value in a if name == "aria-labelledby"}
    references |= {value[1:] for _, a in elements for name, value in a if name == "href"}
    assert references <= set(ids)


def _themes():
    light, dark = re.findall(r":root \{(.*?)\}", feedback._STYLE, re.DOTALL)
    return [dict(re.findall(r"--(\w+): (#\w+)", text)) for text in (light, light + dark)]


def _luminance(color):
    digits = color[1:] if len(color) == 7 else "".join(2 * c for c in color[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_text_is_legible(theme):
    for name in ("ink", "muted", "right", "wrong", "note", "caution"):
        for ground in ("paper", "card"):
            bright, dim = sorted((_luminance(theme[name]), _luminance(theme[ground])), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (name, ground)


def test_colors_are_those_of_the_figures_and_of_the_site():
    light, dark = _themes()
    names = ("note", "wrong", "right")
    assert [light[name] for name in names] == list(style.COLORS[:3])
    assert [dark[name] for name in names] == list(style._COLORS_ON_DARK[:3])
    site = (ROOT / "book/_static/site.css").read_text(encoding="utf-8")
    assert f"--mlc-caution: {light['caution']};" in site, "text needs a darker caution than lines do"
    assert dark["caution"] == style._COLORS_ON_DARK[4]


# --- text ------------------------------------------------------------------------------------------------------------------


@quick
@given(text=texts, lines=st.booleans())
def test_visible_text_has_nothing_invisible(text, lines):
    shown = visible(text, lines=lines)
    allowed = "\u200c\u200d" + "\n" * lines
    assert not [c for c in shown if unicodedata.category(c) in INVISIBLE and c not in allowed]
    shown.encode("utf-8")
    assert len(shown) <= 200


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 李明 עברית", "Zoë 李明 עברית"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("a\x1bb\x7f", "a␛b⟨U+007F⟩"),
        ("\u2028\ufeff\ud800\uffff", "⟨U+2028⟩⟨U+FEFF⟩⟨U+D800⟩⟨U+FFFF⟩"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_visible_keeps_a_few_lines():
    shown = visible("a\r\nb\tc\n" + "d\n" * 30, 600, lines=True)
    assert shown.startswith("a\nb   c\nd\n")
    assert shown.count("\n") == 11


@quick
@given(names=st.lists(texts, min_size=2, max_size=6, unique=True))
def test_file_names_are_safe_and_unique(names):
    found = [file_name(name) for name in names] + [file_name(names[0], "set")]
    assert len({name.lower() for name in found}) == len(found)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\.html", name) and len(name) < 70 for name in found)
