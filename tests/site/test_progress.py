"""The reader's page: what was done, saved in one browser and imported in another, a notebook's file taken in, bad files refused."""

import json

import pytest

from mlcourse.authoring.quizzes import questions_of
from mlcourse.exercises import exercise_set
from mlcourse.exercises.records import record, record_answer
from mlcourse.exercises.site_file import import_site_file
from tests.site.browser import needs_chromium

pytestmark = needs_chromium
PAGE = "book/progress.html"
AT = "2026-11-21T10:00:0{}.000Z"


def answer(i, right, second=0):
    return {"answer": i, "right": right, "at": AT.format(second)}


@pytest.fixture
def open_page(new_page, address):
    """Opens the reader's page, with what the browser has kept already; what the browser complains about is a failure."""
    faults = []

    def make(kept=None, **options):
        page = new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True, **options)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: r.url.startswith((address, "blob:", "data:")) or faults.append(r.url))
        page.add_init_script(
            f"if (!sessionStorage.begun) {{ sessionStorage.begun = 1; for (const [k, v] of Object.entries({json.dumps(kept or {})})) "
            "localStorage.setItem(`mlcourse:${k}`, JSON.stringify(v)) }"
        )
        page.goto(address + PAGE, wait_until="load")
        page.get_by_text("Next:").wait_for()
        return page

    yield make
    assert faults == []


def kept(page):
    pairs = page.evaluate("Object.entries(localStorage)")
    return {key.removeprefix("mlcourse:"): json.loads(value) for key, value in pairs if key.startswith("mlcourse:")}


def import_file(page, path):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import a file").click()
    page.locator(".progress-tools > [role=status]").evaluate("(node) => { node.textContent = '' }")
    chooser.value.set_files(path)
    page.wait_for_function("document.querySelector('.progress-tools > [role=status]').textContent !== ''")
    return page.locator(".progress-tools > [role=status]").inner_text()


def row(page, chapter="math/vectors"):
    return page.locator(f'[data-chapter="{chapter}"]')


DONE = {
    "read:math/vectors": {"at": AT.format(0)},
    "quiz:math/vectors#which-distance": {
        **answer(0, True, 2),
        "first": answer(2, False, 1),
        "before": answer(1, False),
    },
    "quiz:math/vectors#why-cut": {**answer(2, True, 1), "first": answer(2, True, 1)},
    "exercise:unit_vector": {"points": 2.4, "at": AT.format(0)},
    "exercise:cosine_similarity": {"points": 4, "at": AT.format(0)},
    "code:unit_vector": {"text": "def unit_vector(x):\n    return x", "at": AT.format(0)},
}


def test_nothing_done_yet(open_page, course):
    page = open_page()
    assert page.locator(".progress-next").inner_text() == f"Next: begin with {course.chapters[0].title}."
    assert page.locator("[data-chapter]").count() == len(course.chapters)
    assert f"0 of {len(course.chapters)}" in page.locator("[data-total=read]").inner_text()
    for chapter in course.chapters:
        points = sum(exercise.points for exercise in exercise_set(chapter.slug))
        asked = len(questions_of(chapter.path))
        state = row(page, chapter.slug).locator(".progress-state").inner_text()
        assert state == f"not read yet · quiz of {asked} · 0 of {points} points"


def test_what_was_done(open_page):
    page = open_page(DONE)
    state = row(page).locator(".progress-state").inner_text()
    assert state == "✓ read · quiz 2 of 8, 1 right at the first try · 6.4 of 52 points"
    row(page).locator("summary").click()
    marks = row(page).locator("li:has(.progress-mark:not(:empty))").all_inner_texts()
    assert next(mark for mark in marks if "Which distance" in mark).endswith("right now")
    assert next(mark for mark in marks if "Why did" in mark).endswith("right at the first try")
    assert "A vector of length one 2.4 of 3 points" in marks and "Cosine similarity 4 of 4 points" in marks
    assert page.locator("[data-total=exercise] progress").evaluate("(node) => node.value") == 6.4
    assert page.locator(".progress-next").inner_text() == "Next: the quiz of Vectors."
    link = page.locator(".progress-next a")
    assert link.get_attribute("href").endswith("math/vectors.html#quiz")


def test_it_follows_what_another_tab_does(open_page, address):
    page = open_page()
    other = page.context.new_page()
    other.goto(f"{address}book/math/vectors.html", wait_until="load")
    other.get_by_role("button", name="Mark as read").click()
    page.wait_for_function("document.querySelector('[data-chapter] .progress-state').textContent.startsWith('✓ read')")


def test_saved_in_one_browser_and_imported_in_another(open_page, tmp_path):
    with open_page(DONE) as page, page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    text = path.read_text()
    assert json.loads(text)["format"] == "mlcourse progress" and "\n  " in text, "a file that people can read"

    mine = {
        "exercise:unit_vector": {"points": 3, "at": AT.format(9)},
        "exercise:cosine_similarity": {"points": 1, "at": AT.format(9)},
        "quiz:math/vectors#which-distance": {**answer(1, False, 9), "first": answer(1, False, 9)},
        "code:unit_vector": {"text": "newer", "at": AT.format(9)},
    }
    other = open_page(mine)
    said = import_file(other, path)
    assert said == "Imported: 1 chapter read, 2 quiz answers, 1 exercise. 2 more were here already."
    after = kept(other)
    assert after["exercise:unit_vector"]["points"] == 3 and after["exercise:cosine_similarity"]["points"] == 4
    assert after["code:unit_vector"]["text"] == "newer"
    merged = after["quiz:math/vectors#which-distance"]
    assert (merged["answer"], merged["first"]["at"], merged["before"]["answer"]) == (1, AT.format(1), 1)
    assert "✓ read" in row(other).inner_text()
    assert import_file(other, path).startswith("Nothing in this file is newer")
    assert kept(other) == after


def test_the_file_of_the_notebooks_is_taken_in(open_page, tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(path))
    record("unit_vector", 1.5, True)
    record("unit_vector", 3.0, True)
    record("cosine_similarity", 0.0, False)
    record_answer("math/vectors#why-cut", 1, False, before=True, at=AT.format(1))
    record_answer("math/vectors#why-cut", 0, False, at=AT.format(2))
    record_answer("math/vectors#why-cut", 2, True, at=AT.format(3))
    path.write_text(path.read_text() + '{"exercise": "norm", "poi\n[1]\nnull\n')
    page = open_page({"exercise:unit_vector": {"points": 2, "at": AT.format(1)}})
    assert import_file(page, path) == "Imported: 1 exercise, 1 quiz answer."
    after = kept(page)
    assert after["exercise:unit_vector"]["points"] == 3 and "exercise:cosine_similarity" not in after
    entry = {**answer(2, True, 3), "first": answer(0, False, 2), "before": answer(1, False, 1)}
    assert after["quiz:math/vectors#why-cut"] == entry


def test_the_notebooks_take_in_what_the_page_saved(open_page, tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "progress.jsonl"))
    with open_page(DONE) as page, page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    download.value.save_as(tmp_path / "saved.json")
    assert import_site_file(tmp_path / "saved.json") == "added 2 exercises and 4 answers to quizzes"


GOOD = {"format": "mlcourse progress", "version": 1, "read": {"python/numpy": {"at": AT.format(0)}}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither a file that this page saved nor"),
        ("\x89PNG", "neither a file that this page saved nor"),
        ("[1, 2]", "neither a file that this page saved nor"),
        (json.dumps({**GOOD, "version": 2}), "version 2 of the format; this page reads version 1"),
        (json.dumps({**GOOD, "exercise": {"unit_vector": {"points": "10", "at": AT.format(0)}}}), "“unit_vector”"),
        (json.dumps({**GOOD, "exercise": {"unit_vector": {"points": 10}}}), "“unit_vector” (exercise) is damaged"),
        (json.dumps({**GOOD, "quiz": {"a#b": {"answer": 1, "right": True, "at": AT.format(0)}}}), "“a#b” (quiz)"),
        (json.dumps({**GOOD, "quiz": {"a#b": None}}), "“a#b” (quiz) is damaged"),
        (json.dumps({**GOOD, "code": {"f": {"text": 1, "at": AT.format(0)}}}), "“f” (code) is damaged"),
    ],
)
def test_a_bad_file_changes_nothing(open_page, tmp_path, text, words):
    page = open_page(DONE)
    before = kept(page)
    path = tmp_path / "bad.json"
    path.write_text(text)
    said = import_file(page, path)
    assert said.startswith("bad.json was not imported, and nothing has changed.") and words in said
    assert kept(page) == before


def test_forget_asks_first(open_page):
    page = open_page(DONE)
    page.get_by_role("button", name="Forget everything on this device").click()
    dialog = page.get_by_role("dialog", name="Forget everything?")
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    assert set(kept(page)) == set(DONE)
    page.get_by_role("button", name="Forget everything on this device").click()
    dialog.get_by_role("button", name="Keep everything").click()
    assert set(kept(page)) == set(DONE)
    page.evaluate("localStorage.setItem('mode', 'dark')")
    page.get_by_role("button", name="Forget everything on this device").click()
    dialog.get_by_role("button", name="Forget everything").click()
    page.get_by_text("Everything is forgotten on this device.").wait_for()
    assert kept(page) == {} and page.evaluate("localStorage.mode") == "dark", "the theme is no progress"
    assert "begin with" in page.locator(".progress-next").inner_text()


def test_a_browser_that_keeps_nothing_is_told_so(new_page, address):
    page = new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    page.goto(address + PAGE, wait_until="load")
    page.get_by_text("This browser keeps nothing for this site").wait_for()


def test_without_javascript_the_page_says_what_it_needs(new_page, address):
    page = new_page(java_script_enabled=False)
    page.goto(address + PAGE)
    assert "allow JavaScript to see it here" in page.locator("article noscript").inner_text()
    assert "8 questions" in row(page).inner_text()
    assert not page.locator(".progress-tools").is_visible()


def test_what_comes_next(open_page, course):
    exercises = exercise_set("math/vectors")
    first = course.by_slug["math/vectors"]
    right = {**answer(0, True), "first": answer(0, True)}
    done = {f"quiz:math/vectors#{name}": right for name in questions_of(first.path)}
    done["read:math/vectors"] = {"at": AT.format(0)}
    done |= {
        f"exercise:{exercise.name}": {"points": exercise.points, "at": AT.format(0)} for exercise in exercises[:-1]
    }
    page = open_page(done)
    said = page.locator(".progress-next").inner_text()
    assert said == f"Next: the exercise {exercises[-1].title} of {first.title}."
    address = page.locator(".progress-next a").get_attribute("href")
    assert address.endswith(f"exercises/math/vectors.html#{exercises[-1].name}")
    page = open_page({**done, "read:python/numpy": {"at": AT.format(0)}})
    assert page.locator(".progress-next").inner_text() == "Next: the quiz of NumPy."
