"""The built site in a real browser: no foreign request, no error, the theme, the search, the links."""

import io
from urllib.parse import urlparse

import pytest

from tests.site.browser import needs_chromium, pages_of

pytestmark = needs_chromium
SCROLL = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += 600) { scrollTo(0, y); await new Promise(r => setTimeout(r, 20)) }
}"""


def test_no_page_asks_another_host_or_prints_an_error(address, built_site, new_page):
    own = urlparse(address).netloc
    faults = []
    for name in pages_of(built_site):
        page = new_page()
        page.on(
            "request", lambda r, n=name: urlparse(r.url).netloc in ("", own) or faults.append((n, "foreign", r.url))
        )
        page.on("response", lambda r, n=name: r.status < 400 or faults.append((n, r.status, r.url)))
        page.on("pageerror", lambda e, n=name: faults.append((n, "error", str(e))))
        page.on("console", lambda m, n=name: m.type != "error" or faults.append((n, "console", m.text)))
        page.goto(address + name, wait_until="load")
        page.evaluate(SCROLL)
        page.wait_for_timeout(200)
        page.context.close()
    assert faults == []


def test_no_formula_is_left_unrendered(address, built_site, new_page, course):
    page = new_page()
    for chapter in course.chapters:
        page.goto(f"{address}book/{chapter.slug}.html")
        assert page.locator(".katex").count() > 5
        assert page.locator(".katex-error").count() == 0
        assert "\\(" not in page.inner_text("article")


def test_theme_button_changes_the_page_and_its_figures(address, new_page):
    from PIL import Image

    page = new_page(theme="light", viewport={"width": 1280, "height": 900})
    page.goto(f"{address}book/math/vectors.html")

    def corner():
        figure = page.locator("figure img").first
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(400)
        return Image.open(io.BytesIO(figure.screenshot())).convert("RGB").getpixel((3, 3))

    assert min(corner()) > 240
    for _ in range(3):
        if page.locator("html").get_attribute("data-theme") == "dark":
            break
        page.locator("button.theme-switch-button").first.click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert max(corner()) < 60


@pytest.mark.parametrize("slug", ["math/vectors", "python/numpy", "classical/linear-regression"])
def test_badges_point_to_the_notebooks(address, new_page, course, slug):
    page = new_page()
    page.goto(f"{address}book/{slug}.html")
    links = page.locator("ul.badges a").evaluate_all("links => links.map(a => a.href)")
    for folder in ("notebooks", "exercises"):
        assert course.colab_url(f"{folder}/{slug}.ipynb") in links
        assert f"{address}{folder}/{slug}.ipynb" in links
        assert page.request.get(f"{address}{folder}/{slug}.ipynb").json()["nbformat"] == 4


def test_answers_open_with_the_keyboard(address, new_page):
    page = new_page()
    page.goto(f"{address}book/math/vectors.html")
    summary = page.locator(".think summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert summary.locator("xpath=..").get_attribute("open") is not None


def test_missing_page_shows_the_sites_own_page(address, new_page):
    page = new_page()
    page.goto(f"{address}book/nothing/here.html")
    assert "not" in page.inner_text("article h1").lower()
    assert page.locator("link[rel=stylesheet]").count() > 0
    assert page.evaluate("getComputedStyle(document.querySelector('.bd-main')).display") != "inline"


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_page_scrolls_sideways(address, built_site, new_page, width):
    page = new_page(viewport={"width": width, "height": 900})
    wide = []
    for name in pages_of(built_site):
        page.goto(address + name, wait_until="load")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wide.append(name)
    assert wide == []


@pytest.mark.parametrize("width", [390, 1280])
def test_links_into_a_page_land_on_their_target(address, new_page, course, width):
    """Parts far from the screen are laid out late; an address must find its place all the same."""
    faults = []
    for chapter in course.chapters:
        page = new_page(viewport={"width": width, "height": 900})
        page.goto(f"{address}book/{chapter.slug}.html")
        anchors = page.evaluate(
            "[...document.querySelectorAll('figure[id], div.math[id], section[id]')].map(e => e.id)"
        )
        for anchor in anchors[-1 :: -(len(anchors) // 6)]:
            page.goto("about:blank")
            page.goto(f"{address}book/{chapter.slug}.html#{anchor}")
            page.wait_for_timeout(400)
            top = page.evaluate("(id) => document.getElementById(id).getBoundingClientRect().top", anchor)
            if not -5 <= top <= 400:
                faults.append(f"{chapter.slug}#{anchor}: its top is at {top:.0f} of 900")
    assert faults == []
