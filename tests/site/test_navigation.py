"""Finding the way: the map by mouse and keyboard, links to every figure and equation, what leads where, previous and next."""

import re
from html import unescape
from types import SimpleNamespace

import pytest
from docutils import nodes

from mlcourse.authoring.elements import make
from mlcourse.authoring.navigation import _outdated
from mlcourse.authoring.reading import reading_minutes
from tests.site.browser import needs_chromium, pages_of
from tests.site.test_pages import page as parse

WIDE = {"width": 1280, "height": 900}
READ = "localStorage.setItem('mlcourse:read:math/vectors', JSON.stringify({ at: '2026-01-01' }))"


def text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


# ---- reading time


def test_reading_time_counts_each_kind_at_its_own_speed():
    words = nodes.paragraph("", "word " * 440)
    code = nodes.literal_block("", "line\n\n" * 40)
    formulas = [nodes.math_block("", "x") for _ in range(10)]
    assert reading_minutes(nodes.section("", words)) == 2
    assert reading_minutes(nodes.section("", words.deepcopy(), code)) == 4
    assert reading_minutes(nodes.section("", words.deepcopy(), code.deepcopy(), *formulas)) == 6


def test_reading_time_leaves_out_what_is_done_and_what_is_folded():
    for kind in ("quiz", "exercise-cards", "cell_output", "tag_hide-input"):
        box = nodes.container("", nodes.paragraph("", "word " * 4400), classes=[kind])
        assert reading_minutes(nodes.section("", box)) == 1, kind
    question = make("div", {"class": "quiz before"}, nodes.paragraph("", "word " * 4400))
    assert reading_minutes(nodes.section("", question)) == 1


def test_the_facts_tell_reading_from_working_through(built_site, course):
    for chapter in course.chapters:
        html = (built_site / f"book/{chapter.slug}.html").read_text(encoding="utf-8")
        found = re.search(r"(\d+) minutes to work through, (\d+) to read", html)
        assert found and int(found[1]) == chapter.facts.minutes, chapter.slug
        assert 10 <= int(found[2]) < chapter.facts.minutes, f"{chapter.slug}: {found[0]}"


# ---- what a chapter leads to


def test_each_chapter_names_all_that_need_it_and_links_those_that_are_ready(built_site, course):
    for chapter in course.chapters:
        html = (built_site / f"book/{chapter.slug}.html").read_text(encoding="utf-8")
        foot = html[html.index('class="chapter-foot"') :].split("</div>")[0]
        for slug in course.leads_to[chapter.slug]:
            title = course.titles[slug]
            assert title + ("" if slug in course.by_slug else " (planned)") in text_of(foot), chapter.slug
            assert (f"{slug.split('/')[1]}.html" in foot) == (slug in course.by_slug), (chapter.slug, slug)


def test_a_chapter_is_read_again_when_what_it_leads_to_changes():
    def course(title, ready):
        return SimpleNamespace(
            by_slug=ready, titles={"p/a": "A", "p/b": title}, needs={"p/a": (), "p/b": ("p/a",)},
            leads_to={"p/a": ("p/b",), "p/b": ()},
        )  # fmt: skip

    env = SimpleNamespace(all_docs={"book/p/a": 0})
    app = SimpleNamespace(mlcourse_course=course("B", {"p/a": 1}))
    assert _outdated(app, env, set(), set(), set()) == ["book/p/a"]
    assert _outdated(app, env, set(), set(), set()) == []
    app.mlcourse_course = course("Another title", {"p/a": 1})
    assert _outdated(app, env, set(), set(), set()) == ["book/p/a"]
    app.mlcourse_course = course("Another title", {"p/a": 1, "p/b": 2})
    assert _outdated(app, env, set(), set(), set()) == ["book/p/a"]


# ---- links to every place


def test_every_figure_and_equation_has_a_link_to_itself(built_site):
    faults = []
    for name in pages_of(built_site):
        html = (built_site / name).read_text(encoding="utf-8")
        for kind, pattern in {
            "figure": r"<figure\b([^>]*)>(.*?)</figure>",
            "equation": r'<div class="math[^"]*"([^>]*)>(.*?<span class="eqno">.*?</span>)',
        }.items():
            for attributes, inside in re.findall(pattern, html, re.DOTALL):
                anchor = re.search(r'id="([^"]+)"', attributes)
                link = anchor and re.search(
                    rf'<a class="headerlink" href="#{anchor[1]}"[^>]*aria-label="Link to', inside
                )
                if not link:
                    faults.append(f"{name}: a {kind} without a link: {attributes} {inside[:60]}")
    assert faults == []


def test_places_without_a_label_are_counted(built_site):
    equations = re.findall(
        r'<div class="math[^"]*" id="([^"]+)"', (built_site / "book/math/vectors.html").read_text(encoding="utf-8")
    )
    assert equations[0] == "eq-vectors-1"
    assert equations[1] == "equation-eq-vectors-operations"
    assert all(anchor == f"eq-vectors-{i}" or anchor.startswith("equation-") for i, anchor in enumerate(equations, 1))


def test_no_anchor_is_there_twice(built_site):
    faults = []
    for name in pages_of(built_site):
        ids = re.findall(r'<[a-z][^>]*\sid="([^"]+)"', (built_site / name).read_text(encoding="utf-8"))
        faults += [f"{name}: {i}" for i in set(ids) if ids.count(i) > 1 and i.startswith(("fig-", "eq", "map"))]
    assert faults == []


@needs_chromium
@pytest.mark.parametrize("selector", ["figure", "div.math[id^=eq-]", "div.math[id^=equation-]"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_to_a_figure_or_equation_is_found_followed_and_lands_right(address, new_page, selector, width):
    page = new_page(viewport={"width": width, "height": 900})
    url = f"{address}book/math/vectors.html"
    page.goto(url)
    target = page.locator(selector).last
    anchor, link = target.get_attribute("id"), target.locator("a.headerlink")
    target.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    assert float(link.evaluate("e => getComputedStyle(e).opacity")) == 0
    link.focus()
    page.keyboard.press("Shift")  # focus by keyboard, which shows it
    target.hover()
    assert float(link.evaluate("e => getComputedStyle(e).opacity")) == 1
    shown = link.evaluate("""link => { const box = link.getBoundingClientRect();
      return link.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }""")
    assert shown, "the link is cut off or covered"
    covers = link.evaluate("""link => { const before = document.createRange();
      before.selectNodeContents(link.parentNode);
      before.setEndBefore(link);
      return [...before.getClientRects()].some((r) => r.right > link.getBoundingClientRect().left + 1
        && r.bottom > link.getBoundingClientRect().top + 4 && r.top < link.getBoundingClientRect().bottom - 4) }""")
    assert not covers, "the link lies on the number or the caption"
    link.click()
    page.wait_for_function("a => location.hash === '#' + a", arg=anchor)
    for _ in range(2):
        page.wait_for_timeout(400)
        top = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", anchor)
        assert -5 <= top <= 600, f"#{anchor} is at {top:.0f} of 900"
        page.goto("about:blank")
        page.goto(f"{url}#{anchor}")


@needs_chromium
def test_links_to_places_are_reached_and_shown_by_keyboard(address, new_page):
    page = new_page(viewport=WIDE)
    page.goto(f"{address}book/math/vectors.html")
    formula = page.locator("div.math[id^=equation-] .formula").first
    formula.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Link to this equation"
    assert page.evaluate("getComputedStyle(document.activeElement).opacity") == "1"


# ---- previous and next


@needs_chromium
def test_previous_and_next_lead_through_the_book(address, new_page, course):
    """Each chapter is followed by its exercises. (By keyboard: a mouse may miss a link while the page above it is laid out.)"""
    page = new_page(viewport=WIDE)
    first, *others = [f"{folder}/{chapter.slug}" for chapter in course.chapters for folder in ("book", "exercises")]
    page.goto(f"{address}{first}.html")
    for name in others:
        page.locator("a.right-next").press("Enter")
        page.wait_for_url(f"**/{name}.html")
    for name in reversed([first, *others[:-1]]):
        page.locator("a.left-prev").press("Enter")
        page.wait_for_url(f"**/{name}.html")


def test_every_page_of_the_book_names_the_page_before_and_after(built_site, course):
    pages = [name for name in pages_of(built_site) if name.startswith("book/")]
    html = {name: (built_site / name).read_text(encoding="utf-8") for name in pages}
    assert [name for name in pages if "right-next" not in html[name]] == [f"{course.pages[-1]}.html"]
    assert [name for name in pages if "left-prev" not in html[name]] == ["book/index.html"]


# ---- the map


def test_the_map_has_the_whole_plan(built_site, course):
    found = parse(built_site / "book/index.html")
    html = (built_site / "book/index.html").read_text(encoding="utf-8")
    for slug, title in course.titles.items():
        item = re.search(rf'<li class="(\w+)" data-slug="{slug}".*?</li>', html, re.DOTALL)
        assert item, f"{slug} is not on the map"
        assert (item[1] == "ready") == ("<a " in item[0]) == (slug in course.by_slug), slug
        assert title in text_of(item[0])
    assert {f"{chapter.slug}.html" for chapter in course.chapters} <= set(found.links)


@pytest.fixture
def open_map(address, new_page):
    def open_it(width=1280, script=None, **options):
        page = new_page(viewport={"width": width, "height": 900}, **options)
        if script:
            page.add_init_script(script)
        page.goto(f"{address}book/index.html", wait_until="load")
        page.locator(".atlas").scroll_into_view_if_needed()
        return page

    return open_it


@needs_chromium
@pytest.mark.parametrize("width", [390, 768, 1280, 1600])
def test_the_map_fits_and_no_text_leaves_its_box(open_map, width):
    page = open_map(width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    faults = page.evaluate("""() => [...document.querySelectorAll(".atlas li > *, .atlas-head")].filter((box) => {
      const b = box.getBoundingClientRect();
      return [...box.children].some((child) => {
        const c = child.getBoundingClientRect();
        if (c.width < 1 || getComputedStyle(child).clipPath !== "none") return false;
        return c.left < b.left - 1 || c.right > b.right + 1 || c.top < b.top - 1 || c.bottom > b.bottom + 1;
      });
    }).map((box) => box.textContent)""")
    assert faults == []
    small = page.evaluate("""() => [...document.querySelectorAll(".atlas li b")].filter(
      (title) => parseFloat(getComputedStyle(title).fontSize) < 12).length""")
    assert small == 0, "letters smaller than 12 px"


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_pointing_at_a_chapter_shows_what_it_needs_and_leads_to(open_map, width, course):
    page = open_map(width)
    page.locator('[data-slug="python/numpy"] > *').hover()
    classes = {
        slug: page.locator(f'[data-slug="{slug}"]').get_attribute("class") for slug in ("math/vectors", "python/pandas")
    }
    assert "needed" in classes["math/vectors"]
    assert "led" in classes["python/pandas"]
    said = page.locator(".atlas-trace").inner_text()
    assert "NumPy needs Vectors" in said
    for slug in course.leads_to["python/numpy"]:
        assert course.titles[slug] in said
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert not page.locator(".atlas-trace").is_visible()


@needs_chromium
def test_the_map_is_clicked(open_map):
    page = open_map()
    page.get_by_role("link", name="NumPy 170 min").click()
    page.wait_for_url("**/python/numpy.html")


@needs_chromium
def test_the_map_by_keyboard_alone(open_map):
    page = open_map()
    page.locator('[data-slug="math/vectors"] > a').focus()

    def focused():
        return page.evaluate("document.activeElement.parentNode.dataset.slug")

    page.keyboard.press("ArrowRight")
    assert focused() == "math/matrices"
    assert "Matrices needs Vectors" in page.locator(".atlas-trace").inner_text()
    page.keyboard.press("ArrowDown")
    assert focused() == "math/svd"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # there is nothing before the first
    assert focused() == "math/vectors"
    page.keyboard.press("Tab")
    assert focused() == "python/basics", "Tab goes through the chapters that are ready"
    page.keyboard.press("Enter")
    page.wait_for_url("**/python/basics.html")


@needs_chromium
def test_chapters_that_were_read_have_a_sign(open_map):
    page = open_map(script=READ)
    assert page.get_by_role("link", name="Vectors 180 min ✓ read").count() == 1
    assert "read" not in page.locator('[data-slug="python/numpy"]').inner_text()


@needs_chromium
def test_the_map_works_without_script(open_map):
    page = open_map(java_script_enabled=False)
    assert page.locator(".atlas-arrows").is_visible()
    page.locator('[data-slug="math/vectors"] > a').click()
    page.wait_for_url("**/math/vectors.html")
