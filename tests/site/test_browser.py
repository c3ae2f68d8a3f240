"""The built site in a real browser: no foreign request, no error, the theme, the search, the links."""

import io
from urllib.parse import urlparse

import pytest

from tests.site.browser import ARGUMENTS, INSTALL, find_chromium, serve

pytestmark = pytest.mark.skipif(find_chromium() is None, reason=f"there is no Chromium; install it: {INSTALL}")
SCROLL = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += 600) { scrollTo(0, y); await new Promise(r => setTimeout(r, 20)) }
}"""


@pytest.fixture(scope="module")
def address(built_site, course, tmp_path_factory):
    prefix = urlparse(course.site).path.strip("/")
    with serve(built_site, tmp_path_factory.mktemp("served"), prefix) as root:
        yield root


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser):
    contexts = []

    def make(theme=None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        if theme:
            page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
        return page

    yield make
    for context in contexts:
        context.close()


def pages_of(site):
    """All pages but the first, which only leads to the welcome page."""
    pages = (path.relative_to(site) for path in site.rglob("*.html") if "_static" not in path.parts)
    return sorted(page.as_posix() for page in pages if page.as_posix() != "index.html")


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


def test_search_finds_a_term(address, new_page):
    page = new_page()
    page.goto(f"{address}search.html?q=broadcasting")
    page.wait_for_selector("#search-results li a", timeout=15000)
    found = page.locator("#search-results li a").evaluate_all("links => links.map(a => a.href)")
    assert any("book/python/numpy.html" in link for link in found)


def test_search_field_leads_to_the_results(address, new_page):
    page = new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}book/math/vectors.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("residual")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=residual*")


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
    for box in (".think", ".quiz"):
        summary = page.locator(f"{box} summary").first
        summary.focus()
        page.keyboard.press("Enter")
        assert summary.locator("xpath=..").get_attribute("open") is not None


def test_prerequisite_graph_leads_to_chapters(address, new_page):
    page = new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}book/index.html")
    page.locator(".prerequisite-graph a").first.click()
    page.wait_for_url("**/book/**/*.html")


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
