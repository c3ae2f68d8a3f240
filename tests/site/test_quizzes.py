"""Quizzes on the built site in Chromium: by mouse and keyboard, kept over a reload, compared with the pre-test, without JavaScript."""

import re

import pytest

from mlcourse.authoring.node import install_packages
from mlcourse.authoring.quizzes import questions_of
from mlcourse.quizzes import notebook
from tests.conftest import ROOT
from tests.site.browser import needs_chromium
from tests.site.test_quality import AXE, SCROLL

pytestmark = needs_chromium
PAGE = "book/math/vectors.html"


@pytest.fixture
def open_page(new_page, address):
    """Opens a chapter; what the browser complains about is a failure."""
    faults = []

    def make(name=PAGE, page=None, **options):
        page = page or new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: m.type != "error" or faults.append(m.text))
        page.goto(address + name, wait_until="load")
        if options.get("java_script_enabled", True):
            page.locator(".quiz [role=radio]").first.wait_for()
        return page

    yield make
    assert faults == []


def options(page, question):
    return page.locator(f"#{question}").get_by_role("radio")


def status(page, question):
    place = page.locator(f"#{question} [role=status]")
    place.evaluate("(node) => node.scrollIntoView({ block: 'center' })")  # what is far from the screen has no text yet
    return place


def entry(page, question, slug="math/vectors"):
    return page.evaluate("(key) => JSON.parse(localStorage.getItem(key))", f"mlcourse:quiz:{slug}#{question}")


def test_the_site_serves_the_component_of_the_notebook(built_site):
    assert (built_site / "_static/quizzes/quiz.mjs").read_text(encoding="utf-8") == notebook.module()


def test_by_mouse(open_page):
    page = open_page()
    options(page, "quiz-which-distance").nth(2).click()
    assert status(page, "quiz-which-distance").inner_text().startswith("Not quite. It looks at nothing but")
    options(page, "quiz-which-distance").nth(0).click()
    assert status(page, "quiz-which-distance").inner_text().startswith("Right. A single error")
    assert options(page, "quiz-which-distance").nth(0).get_attribute("aria-checked") == "true"
    kept = entry(page, "which-distance")
    assert (kept["answer"], kept["right"], kept["first"]["answer"], kept["first"]["right"]) == (0, True, 2, False)
    score = page.locator(".quiz-score [role=status]")
    assert score.text_content() == "1 of 8 answered, 0 right at the first try."


def test_by_keyboard(open_page):
    page = open_page()
    place = options(page, "quiz-product-minus-one")
    page.locator("#quiz-product-minus-one").evaluate("(node) => { node.tabIndex = -1; node.focus() }")
    page.keyboard.press("Tab")
    assert place.nth(0).evaluate("(node) => node === document.activeElement && node.matches(':focus-visible')")
    page.keyboard.press("ArrowUp")
    assert place.nth(2).evaluate("(node) => node === document.activeElement")
    assert entry(page, "product-minus-one") is None, "an arrow key alone must not answer"
    page.keyboard.press("Enter")
    assert entry(page, "product-minus-one")["answer"] == 2
    assert place.nth(2).evaluate("(node) => node === document.activeElement"), "the focus stays"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert entry(page, "product-minus-one")["answer"] == 1
    page.keyboard.press("Tab")
    inside = page.locator("#quiz-product-minus-one").evaluate("(node) => node.contains(document.activeElement)")
    assert not inside, "one stop of the Tab key for each question"


def test_a_question_has_a_name_and_a_voice(open_page):
    page = open_page()
    group = page.get_by_role("radiogroup", name=re.compile("The dot product of two unit vectors is −1"))
    assert group.get_by_role("radio").count() == 3
    for number in range(page.get_by_role("radiogroup").count()):
        assert page.get_by_role("radiogroup").nth(number).get_by_role("radio").count() >= 3
    assert page.get_by_role("radiogroup", name=re.compile(r"\w")).count() == page.get_by_role("radiogroup").count()
    assert page.locator(".quiz [role=status]").count() == page.locator(".quiz").count()


def test_answers_survive_a_reload_and_start_again_forgets_them(open_page):
    page = open_page()
    options(page, "before-which-distance").nth(1).click()
    options(page, "quiz-which-distance").nth(0).click()
    options(page, "quiz-why-cut").nth(0).click()
    open_page(page=page)
    assert status(page, "quiz-which-distance").inner_text().startswith("Right.")
    assert status(page, "quiz-why-cut").inner_text().startswith("Not quite.")
    assert options(page, "before-which-distance").nth(1).get_attribute("aria-checked") == "true"
    page.get_by_role("button", name="Start again").click()
    assert page.locator(".quiz:not(.before) [aria-checked=true]").count() == 0
    assert "none is answered yet" in page.locator(".quiz-score").text_content()
    open_page(page=page)
    assert status(page, "quiz-why-cut").inner_text() == "" and entry(page, "why-cut") is None
    assert entry(page, "which-distance")["before"]["answer"] == 1, "what was thought before stays"


def test_pretest_gives_no_verdict_and_is_compared(open_page):
    page = open_page()
    for question, answer in {"which-distance": 0, "projection-doubled": 1, "random-directions": 3}.items():
        place = options(page, f"before-{question}")
        place.nth(answer).click()
        text = page.locator(f"#before-{question}").inner_text()
        assert "Kept. The quiz at the end compares." in text
        assert not re.search(r"[Rr]ight|[Nn]ot quite|✓|✗", text)
    options(page, "before-projection-doubled").nth(2).click()
    assert entry(page, "projection-doubled")["before"]["answer"] == 2
    options(page, "quiz-which-distance").nth(0).click()
    assert "The same answer as before the chapter." in status(page, "quiz-which-distance").inner_text()
    options(page, "quiz-projection-doubled").nth(0).click()
    assert "Before the chapter you chose C." in status(page, "quiz-projection-doubled").inner_text()
    options(page, "quiz-random-directions").nth(1).click()
    score = page.locator(".quiz-score [role=status]").text_content()
    assert score == "3 of 8 answered, 3 right at the first try. Before the chapter 1 of 3 right, now 3 of 3."
    options(page, "before-which-distance").nth(2).click(force=True)
    assert entry(page, "which-distance")["before"]["answer"] == 0, "once the quiz was answered, it is too late"


def test_all_questions_of_all_chapters(open_page, course):
    for chapter in course.chapters:
        page = open_page(f"book/{chapter.slug}.html")
        names = list(questions_of(chapter.path))
        found = page.locator(".quiz:not(.before)").evaluate_all("(nodes) => nodes.map((node) => node.id)")
        assert found == [f"quiz-{name}" for name in names]
        for name in names:
            right = page.locator(f"#quiz-{name} .right[role=radio]")
            assert right.count() == 1
            right.click()
            assert status(page, f"quiz-{name}").inner_text().startswith("Right. ")
        score = page.locator(".quiz-score").text_content()
        assert f"{len(names)} of {len(names)} right at the first try." in score
        assert page.locator(".pretest .quiz").count() == 3


def test_options_that_were_changed_since_are_not_marked(open_page):
    page = open_page()
    page.evaluate(
        """() => localStorage.setItem("mlcourse:quiz:math/vectors#why-cut", JSON.stringify(
             { answer: 0, right: true, at: "2026-01-01T00:00:00Z", first: { answer: 0, right: true, at: "2026-01-01T00:00:00Z" } }))"""
    )
    open_page(page=page)
    assert page.locator("#quiz-why-cut [aria-checked=true]").count() == 0
    assert "1 of 8 answered, 1 right" in page.locator(".quiz-score").text_content()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_the_component_takes_over(new_page, address, width):
    page, held = new_page(viewport={"width": width, "height": 900}), []
    page.route("**/quizzes/quiz.mjs*", lambda route: held.append(route))
    page.goto(address + PAGE, wait_until="commit")  # the script is waited for by all later events
    page.locator(".chapter-read").wait_for(state="attached")
    page.add_style_tag(content=".quiz { content-visibility: visible !important }")
    page.wait_for_timeout(500)
    heights = "(nodes) => nodes.map((node) => node.getBoundingClientRect().height)"
    before = page.locator(".quiz").evaluate_all(heights)
    held[0].continue_()
    page.locator(".quiz [role=radio]").first.wait_for()
    assert page.locator(".quiz").evaluate_all(heights) == pytest.approx(before, abs=0.5)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_targets_are_large_enough_for_a_finger(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    heights = page.locator(".quiz [role=radio]").evaluate_all("(nodes) => nodes.map((n) => n.offsetHeight)")
    assert min(heights) >= 44


def test_without_javascript_options_unfold(open_page):
    page = open_page(java_script_enabled=False)
    place = page.locator("#quiz-which-distance")
    place.locator("summary").first.click()
    assert "Right. A single error" in place.locator("details[open]").inner_text()
    assert page.locator("#before-which-distance li").count() == 3
    assert not page.locator(".quiz-score").is_visible() and not page.locator(".chapter-read").is_visible()


def test_a_browser_that_keeps_nothing_still_answers(new_page, address):
    page = new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    page.goto(address + PAGE, wait_until="load")
    options(page, "quiz-which-distance").nth(0).click()
    assert status(page, "quiz-which-distance").inner_text().startswith("Right.")


def test_a_browser_without_room_still_answers(open_page):
    page = open_page()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('no room') } }")
    options(page, "quiz-which-distance").nth(2).click()
    assert status(page, "quiz-which-distance").inner_text().startswith("Not quite.")


def test_mark_as_read(open_page):
    page = open_page()
    place = page.locator(".chapter-read")
    place.get_by_role("button", name="Mark as read").focus()
    page.keyboard.press("Enter")
    assert re.match(r"✓ Read on \w+ \d+, \d{4}", place.get_by_role("status").inner_text())
    open_page(page=page)
    place.get_by_role("button", name="Undo").click()
    assert page.evaluate("localStorage.getItem('mlcourse:read:math/vectors')") is None
    assert place.get_by_role("link", name="Your progress").get_attribute("href") == "../progress.html"


def test_pages_without_a_quiz_load_nothing_for_it(built_site):
    html = (built_site / "book/glossary.html").read_text(encoding="utf-8")
    assert "chapter.mjs" not in html and "progress.mjs" not in html


@pytest.mark.parametrize("name", ["chapter.mjs", "progress.mjs", "progress-file.mjs", "store.mjs"])
def test_scripts_are_small(built_site, name):
    assert (built_site / "_static" / name).stat().st_size < 10_000


def test_axe_finds_nothing_after_answers(open_page, address):
    install_packages(ROOT, tests=True)
    axe = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    faults = []
    page = open_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    options(page, "before-which-distance").nth(1).click()
    for question, answer in {"which-distance": 0, "why-cut": 0, "random-directions": 1}.items():
        options(page, f"quiz-{question}").nth(answer).click()
    page.get_by_role("button", name="Mark as read").click()
    for name in (PAGE, "book/progress.html"):
        page.goto(address + name, wait_until="load")
        page.evaluate(axe)
        page.evaluate(SCROLL)
        if name != PAGE:
            page.get_by_role("button", name="Forget everything on this device").click()
        for theme in ("light", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            faults += [f"{name}, {theme}: {fault}" for fault in page.evaluate(AXE, [False, None])]
    assert not faults, "\n".join(faults)
