"""What the look of the site promises: lines of a good length, a phone's width, paper, and colors of the reader's own."""

import re

import pytest

from tests.site.browser import needs_chromium, pages_of

pytestmark = needs_chromium
KILOBYTES_OF_FONT, MARKERS = 40, 2000

LINES = """() => [...document.querySelectorAll(".bd-article > section > section > p, .bd-article section section > p")]
  .filter((p) => !p.querySelector(".math, code") && p.textContent.length > 300).map((p) => {
    const lines = p.getBoundingClientRect().height / parseFloat(getComputedStyle(p).lineHeight);
    return p.textContent.length / Math.round(lines);
  })"""
WIDE = """() => [...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (box.width === 0 || box.right <= innerWidth + 1 || !e.checkVisibility({ visibilityProperty: true })) return false;
  for (let p = e.parentElement; p; p = p.parentElement) {
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(p).overflowX) && p.getBoundingClientRect().right <= innerWidth + 1)
      return false;
  }
  return true;
}).map((e) => e.outerHTML.slice(0, 120))"""
SMALL = """(least) => [...document.querySelectorAll("main :is(button, summary, select, .actions a, .badges a, .prev-next-area a)")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false }) && !e.closest(".cell_input, .highlight"))
  .filter((e) => { const box = e.getBoundingClientRect(); return box.height > 0 && (box.height < least || box.width < least) })
  .map((e) => `${e.getBoundingClientRect().height.toFixed(0)} px: ${e.outerHTML.slice(0, 120)}`)"""
LOOSE_MARKS = """() => [...document.querySelectorAll(".bd-article span.joined")].filter((joined) => {
  const mark = document.createRange();
  mark.selectNodeContents(joined.lastChild);
  const parts = joined.querySelectorAll(".katex-base");
  const before = parts[parts.length - 1].getBoundingClientRect();
  return mark.getBoundingClientRect().left < before.left;
}).map((joined) => joined.parentElement.textContent.slice(0, 80))"""
ALL_LAID_OUT = ".bd-article * { content-visibility: visible !important }"


def test_the_font_of_the_text_is_small(built_site):
    fonts = list((built_site / "_static/fonts").glob("*.woff2"))
    assert len(fonts) == 2
    assert sum(font.stat().st_size for font in fonts) <= KILOBYTES_OF_FONT * 1000


def test_the_text_is_set_in_its_font(address, new_page):
    page = new_page()
    page.goto(f"{address}book/index.html", wait_until="load")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("[...document.fonts].some((f) => f.family === 'Literata' && f.status === 'loaded')")
    assert page.evaluate("getComputedStyle(document.querySelector('.bd-article p')).fontFamily").startswith("Literata")


@pytest.mark.parametrize("width", [820, 1280, 1920])
def test_lines_have_60_to_75_characters(address, new_page, course, width):
    page, found = new_page(viewport={"width": width, "height": 900}), []
    for chapter in course.chapters:
        page.goto(f"{address}book/{chapter.slug}.html", wait_until="load")
        page.add_style_tag(content=ALL_LAID_OUT)
        found += page.evaluate(LINES)
    assert len(found) > 10
    assert 60 <= sum(found) / len(found) <= 75


def test_everything_fits_a_narrow_phone(address, built_site, new_page):
    """Code, tables and formulas scroll in their own boxes; nothing hangs out of the page, which cannot be scrolled sideways."""
    faults = []
    page = new_page(viewport={"width": 360, "height": 780}, has_touch=True, reduced_motion="reduce")
    for name in pages_of(built_site):
        page.goto(address + name, wait_until="load")
        page.add_style_tag(content=ALL_LAID_OUT)
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        faults += [f"{name}: too wide: {element}" for element in page.evaluate(WIDE)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{name}: the page scrolls sideways")
    assert not faults, "\n".join(faults)


def test_what_a_finger_must_hit_is_large_enough(address, built_site, new_page):
    faults = []
    page = new_page(viewport={"width": 360, "height": 780}, has_touch=True)
    for name in pages_of(built_site):
        page.goto(address + name, wait_until="load")
        page.add_style_tag(content=ALL_LAID_OUT)
        faults += [f"{name}: {element}" for element in page.evaluate(SMALL, 28)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("width", [390, 700, 1280])
def test_no_line_begins_with_the_comma_of_a_formula(address, new_page, course, width):
    page = new_page(viewport={"width": width, "height": 900})
    for chapter in course.chapters:
        page.goto(f"{address}book/{chapter.slug}.html", wait_until="load")
        page.add_style_tag(content=ALL_LAID_OUT)
        page.wait_for_timeout(300)
        assert page.locator("span.joined").count() > 5
        assert page.evaluate(LOOSE_MARKS) == [], chapter.slug


def test_no_figure_has_so_many_points_that_it_is_heavy(built_site):
    """Draw more points with ``rasterized=True``, in a color that both themes show, or draw fewer."""
    found = {
        path.name: path.read_text(encoding="utf-8").count("<use") for path in (built_site / "_images").glob("*.svg")
    }
    assert {name: count for name, count in found.items() if count > MARKERS} == {}


# ---- paper

MARK = """(option) => { const mark = getComputedStyle(option, "::before");
  return [mark.content, mark.color, mark.backgroundColor, mark.borderColor, getComputedStyle(option).backgroundColor].join(" "); }"""


@pytest.fixture
def paper(address, new_page):
    page = new_page("dark", viewport={"width": 800, "height": 1100})
    page.goto(f"{address}book/math/vectors.html", wait_until="load")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.emulate_media(media="print")
    page.wait_for_timeout(300)
    return page


def color_of(page, selector, what):
    text = page.locator(selector).first.evaluate(f"(e) => getComputedStyle(e).{what}")
    return [float(number) for number in re.findall(r"[\d.]+", text)]


def test_a_dark_page_is_printed_dark_on_white(paper):
    assert color_of(paper, "body", "backgroundColor") in ([255, 255, 255], [0, 0, 0, 0])
    for selector in (".bd-article p", ".bd-article h2", ".highlight .nb", ".katex", ".quiz .question"):
        assert max(color_of(paper, selector, "color")[:3]) < 150, selector
    assert paper.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    paper.emulate_media(media="screen")
    paper.wait_for_function("document.documentElement.dataset.theme === 'dark'", timeout=5000)


def test_nothing_to_press_is_printed(paper):
    for selector in (
        "#pst-primary-sidebar",
        "#pst-secondary-sidebar",
        ".bd-header-article",
        ".prev-next-footer",
        ".badges",
        "button:not(.quiz button)",
    ):
        shown = [part for part in paper.locator(selector).all() if part.is_visible()]
        assert shown == [], selector
    assert paper.locator(".bd-article h1").is_visible()


def test_a_printed_quiz_asks_and_does_not_tell(paper):
    paper.emulate_media(media="screen")
    for number, right in enumerate((True, False)):
        question = paper.locator(".quiz:not(.before)").nth(number)
        question.locator(f"[role=radio]{'.right' if right else '.wrong'}").first.click()
        assert question.locator(".verdict").is_visible()
    paper.emulate_media(media="print")
    options = paper.locator(".quiz [role=radio]").all()
    assert [option.inner_text() for option in options if not option.is_visible()] == []
    assert len({option.evaluate(MARK) for option in options}) == 1, "an answer is marked on paper"
    assert [part.inner_text() for part in paper.locator(".quiz [role=status]").all() if part.is_visible()] == []
    assert paper.locator(".think details > p").first.is_visible()


def test_a_printed_explorable_is_its_words(paper):
    explorable = paper.locator(".explorable").first
    assert explorable.locator("details > p").first.is_visible()
    assert explorable.locator("svg:visible").count() == 0
    assert explorable.inner_text().strip()


def test_printed_code_is_wrapped(paper):
    assert paper.locator(".highlight pre").first.evaluate("(e) => getComputedStyle(e).whiteSpace") == "pre-wrap"
    wide = "(all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.slice(0, 80))"
    assert paper.locator(".highlight pre").evaluate_all(wide) == []


# ---- colors of the reader's own


def test_nothing_disappears_in_the_colors_of_the_reader(address, new_page):
    """With forced colors, backgrounds and shadows are gone: what marks a thing must be a border, an outline or a letter."""
    page = new_page(viewport={"width": 1280, "height": 900}, forced_colors="active")
    page.goto(f"{address}book/index.html", wait_until="load")
    page.locator(".explorable").scroll_into_view_if_needed()
    page.locator(".mlx-bars").wait_for()
    assert page.locator(".actions a").first.evaluate("(e) => getComputedStyle(e).borderTopWidth") == "1px"
    page.locator(".explorable button").first.click()
    page.wait_for_timeout(600)
    bars = page.locator(".mlx-bars i").evaluate_all("(all) => all.map((e) => getComputedStyle(e).forcedColorAdjust)")
    assert set(bars) == {"none"}
    page.locator(".actions a").first.focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(400)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
