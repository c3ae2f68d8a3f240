"""Explorables on the built site in Chromium: moved by keyboard, mouse and touch, in both themes, and without JavaScript."""

import re

import pytest

from mlcourse.explorables import NAMES, about, source
from tests.site.browser import INSTALL, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason=f"there is no Chromium; install it: {INSTALL}")
PAGES = {
    "projection": "book/math/vectors.html",
    "broadcasting": "book/python/numpy.html",
    "least-squares": "book/classical/linear-regression.html",
    "gradient-descent": "book/classical/linear-regression.html",
    "digit": "book/index.html",
}
COLORS = """(node) => {
  const of = (selector, key) => [...new Set([...node.querySelectorAll(selector)].map((n) => getComputedStyle(n)[key]))];
  return [getComputedStyle(document.body).backgroundColor, {
    words: of("p, span, b, button, th, select, code", "color"),
    text: of("text:not(.cross)", "fill"),
    fill: of(".mlx-handle, .head", "fill"),
    stroke: of(".line:not(.muted), .axis", "stroke"),
  }];
}"""


def contrast(*colors):
    """The ratio of two colors that WCAG defines."""

    def light(color):
        parts = [float(v) / 255 for v in re.findall(r"[\d.]+", color)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    low, high = sorted(map(light, colors))
    return high / low


@pytest.fixture
def open_page(browser, address):
    """Opens the page of an explorable and returns it with the figure's place; what the browser complains about is a failure."""
    contexts, faults = [], []

    def make(name, theme="light", width=1280, scroll=True, held=None, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
        page.on("pageerror", lambda error: faults.append((name, str(error))))
        page.on("console", lambda m: m.type != "error" or faults.append((name, m.text)))
        page.on("request", lambda r: r.url.startswith((address, "data:")) or faults.append((name, r.url)))
        if held is not None:
            page.route(f"**/{name}.mjs*", lambda route: held.append(route))
        page.goto(address + PAGES[name], wait_until="load")
        place = page.locator(f'.explorable:has([data-module*="/{name}.mjs"])')
        if scroll:
            place.scroll_into_view_if_needed()
            place.locator("[data-state=ready]").wait_for(timeout=10_000)
        return page, place

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def slider(place, name):
    return place.get_by_role("slider", name=name)


def press(page, key, times=1):
    for _ in range(times):
        page.keyboard.press(key)


def drag(page, locator, right, down):
    box = locator.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()


def number(place, i=0):
    text = place.locator(".mlx-number b").nth(i).inner_text()
    return float(text.replace("−", "-").replace(",", ""))


@pytest.mark.parametrize("name", NAMES)
def test_site_serves_the_module_of_the_notebook(name, built_site):
    assert (built_site / f"_static/explorables/{name}.mjs").read_text(encoding="utf-8") == source(name)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_jumps_when_it_appears(name, width, open_page):
    held = []
    page, place = open_page(name, width=width, scroll=False, held=held)
    place.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    page.evaluate(
        "window.shifts = 0; new PerformanceObserver((list) => list.getEntries().forEach((e) => window.shifts += e.value))"
        ".observe({ type: 'layout-shift' })"
    )
    stage = place.locator(".explorable-stage")
    before = stage.bounding_box()["height"]
    held[0].continue_()
    place.locator("[data-state=ready]").wait_for()
    page.wait_for_timeout(100)
    assert abs(stage.bounding_box()["height"] - before) < 1
    assert page.evaluate("shifts") < 0.01
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_code_is_loaded_only_when_the_reader_comes_near(open_page):
    page, place = open_page("projection", scroll=False)
    asked = []
    page.on("request", lambda r: "/explorables/" in r.url and asked.append(r.url.split("/")[-1].split("?")[0]))
    page.wait_for_timeout(200)
    assert asked == []
    place.scroll_into_view_if_needed()
    place.locator("[data-state=ready]").wait_for()
    assert {"projection.mjs", "mlx.css"} <= set(asked)


def test_a_page_without_explorables_loads_nothing_for_them(built_site):
    assert "explorable" not in (built_site / "book/glossary.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_tab_reaches_everything_and_shows_where_it_is(name, open_page):
    page, place = open_page(name)
    expected = place.locator(".mlx").locator("[tabindex='0'], button, select, input").count()
    place.locator(".mlx").evaluate("(node) => { node.tabIndex = -1; node.focus() }")
    seen = 0
    for _ in range(expected):
        page.keyboard.press("Tab")
        inside, visible = place.locator(".mlx").evaluate(
            """(node) => {
              const at = document.activeElement;
              if (!node.contains(at)) return [false, false];
              const marks = [at, ...at.querySelectorAll("circle, rect")].map((n) => getComputedStyle(n));
              const marked = marks[0].outlineStyle !== "none" || marks.some((m) => parseFloat(m.strokeWidth) >= 3);
              return [true, marked && at.matches(":focus-visible")];
            }"""
        )
        assert inside and visible
        seen += 1
    assert seen == expected >= 2
    unnamed = place.locator(".mlx [role=slider]:not([aria-label]), .mlx [role=slider]:not([aria-valuetext])")
    assert unnamed.count() == 0


def test_projection_by_keyboard(open_page):
    page, place = open_page("projection")
    slider(place, "t, the point").focus()
    press(page, "ArrowRight", 25)
    assert (number(place, 0), number(place, 1), number(place, 2)) == (0.7, 1.79, 0)
    assert "Nearest" in place.locator(".mlx-panel p").inner_text()
    slider(place, "u, the direction").focus()
    press(page, "Shift+ArrowDown", 2)
    assert number(place, 2) != 0
    page.wait_for_timeout(600)
    assert "dot product" in place.locator("[role=status]").inner_text()
    place.get_by_role("button", name="Reset").click()
    assert number(place, 0) == 0.2 and number(place, 2) == 10


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_projection_by_mouse(open_page, theme):
    page, place = open_page("projection", theme=theme)
    view = place.locator(".mlx-view svg").bounding_box()
    unit = view["width"] / 480 * 60
    drag(page, slider(place, "t, the point").locator("circle").last, 2 * unit, -1 * unit)
    assert abs(number(place, 0) - 0.7) < 0.03
    drag(page, slider(place, "x, a point").locator("circle").last, unit, 0)
    assert slider(place, "x, a point").get_attribute("aria-valuetext") == "3.0, 3.0"


def test_projection_keeps_an_arrow(open_page):
    page, place = open_page("projection")
    slider(place, "u, the direction").focus()
    for key in ("ArrowLeft", "ArrowDown"):
        press(page, key, 60)
    assert re.fullmatch(r"[−\d.]+, [−\d.]+", slider(place, "u, the direction").get_attribute("aria-valuetext"))
    assert "NaN" not in place.inner_html()


def test_least_squares_by_keyboard(open_page):
    page, place = open_page("least-squares")
    assert number(place, 0) == 5.88 and number(place, 1) == 0.95
    slider(place, "left end").focus()
    press(page, "ArrowDown", 42)
    slider(place, "right end").focus()
    press(page, "ArrowUp", 35)
    assert number(place, 0) == 0.95
    assert "This is the least-squares line" in place.locator(".mlx-panel p").inner_text()
    slider(place, "point 7").focus()
    press(page, "ArrowDown", 24)
    assert number(place, 1) == 2.6
    button = place.get_by_role("button", name="Show the best line")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    place.get_by_role("button", name="Reset").click()
    assert number(place, 0) == 5.88 and button.get_attribute("aria-pressed") == "false"


def test_least_squares_by_touch(open_page):
    page, place = open_page("least-squares", width=390, has_touch=True, is_mobile=True)
    point = slider(place, "point 7")
    point.scroll_into_view_if_needed()
    box, scrolled = point.bounding_box(), page.evaluate("scrollY")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + 12 * step}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    height = float(point.get_attribute("aria-valuetext").split(", ")[1].split(";")[0])
    assert abs(height - (6.5 - 120 / (place.locator(".mlx-view svg").bounding_box()["width"] / 12))) < 0.3
    assert page.evaluate("scrollY") == scrolled


def test_gradient_descent_by_keyboard(open_page):
    page, place = open_page("gradient-descent")
    rate, verdict = slider(place, "learning rate"), place.locator(".mlx-panel p")
    assert "creeps" in verdict.inner_text()
    rate.focus()
    press(page, "ArrowRight", 80)
    assert "About the best" in verdict.inner_text() and number(place) < 3
    press(page, "End")
    assert "runs away" in verdict.inner_text() and "10⁶" in place.locator(".mlx-number b").inner_text()
    place.get_by_label("standardize the features").press("Space")
    rate.fill("0.675")
    assert "0.01" in place.locator(".mlx-number b").inner_text()
    place.get_by_role("button", name="Reset").click()
    assert not place.get_by_label("standardize the features").is_checked()
    assert rate.get_attribute("aria-valuetext") == "0.00054"


def test_gradient_descent_by_mouse(open_page):
    page, place = open_page("gradient-descent")
    start = slider(place, "starting point")
    before = start.get_attribute("aria-valuetext")
    drag(page, start.locator("circle").last, 60, -60)
    assert start.get_attribute("aria-valuetext") != before


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_motion_only_where_it_is_welcome(open_page, motion):
    page, place = open_page("gradient-descent", reduced_motion=motion)
    counts = place.evaluate(
        """(node) => {
          const count = () => node.querySelector("polyline").points.length;
          [...node.querySelectorAll("button")].find((b) => b.textContent === "Watch").click();
          return count();
        }"""
    )
    assert counts == (21 if motion == "reduce" else 1)
    page.wait_for_function("document.querySelectorAll('polyline')[0].points.length === 21", timeout=10_000)


def test_broadcasting_by_keyboard(open_page):
    page, place = open_page("broadcasting")
    assert "does not fit" in place.locator(".mlx-panel p").inner_text()
    place.get_by_label("b, size of axis −2").select_option("3")
    place.get_by_label("b, size of axis −1").select_option("1")
    assert place.locator(".mlx-panel p").inner_text().startswith("Yes")
    slider(place, "a value of the result").focus()
    press(page, "ArrowLeft")
    assert place.locator(".mlx code").inner_text() == "(a + b)[1,1] = a[1,1] + b[1,0]"
    place.get_by_label("a, size of axis −3").select_option("2")
    slider(place, "a value of the result").focus()
    press(page, "PageUp")
    assert (
        slider(place, "a value of the result").get_attribute("aria-valuetext") == "(a + b)[1,1,1] = a[1,1,1] + b[1,0]"
    )
    place.get_by_label("b, size of axis −2").select_option("–")
    assert place.get_by_label("b, size of axis −3").input_value() == "–"
    place.get_by_role("button", name="Reset").click()
    assert "does not fit" in place.locator(".mlx-panel p").inner_text()


def test_broadcasting_by_mouse(open_page):
    _, place = open_page("broadcasting")
    place.get_by_label("b, size of axis −1").select_option("4")
    place.locator(".mlx-cells .cell").first.click()
    assert place.locator(".mlx code").inner_text() == "(a + b)[0,0] = a[0,0] + b[0]"


def test_digit_by_mouse(open_page):
    page, place = open_page("digit")
    sheet = place.locator(".mlx-area .sheet").bounding_box()
    for i, (x, y) in enumerate([(0.3, 0.24), (0.7, 0.24), (0.52, 0.5), (0.43, 0.83)]):
        page.mouse.move(sheet["x"] + x * sheet["width"], sheet["y"] + y * sheet["height"], steps=8)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    assert "The network says 7" in place.locator(".mlx-panel p").inner_text()
    place.get_by_role("button", name="Reset").click()
    assert "Nothing is drawn" in place.locator(".mlx-panel p").inner_text()


def test_digit_by_keyboard(open_page):
    page, place = open_page("digit")
    place.locator(".mlx-area").focus()
    page.keyboard.press("Space")
    press(page, "ArrowDown", 16)
    page.keyboard.press("Space")
    press(page, "ArrowUp", 3)
    assert "The network says 1" in place.locator(".mlx-panel p").inner_text()
    page.wait_for_timeout(600)
    assert "The network says 1" in place.locator("[role=status]").inner_text()


def test_digit_reads_the_digits_it_never_saw(open_page):
    _, place = open_page("digit")
    right = 0
    for _ in range(10):
        place.get_by_role("button", name="A test digit").click()
        said, meant = re.search(r"says (\d).*meant (\d)", place.locator(".mlx-panel p").inner_text()).groups()
        right += said == meant
    assert right >= 9


@pytest.mark.parametrize("name", NAMES)
def test_colors_stand_out_in_both_themes(name, open_page):
    page, place = open_page(name)
    shown, counted = {}, 0
    for theme in ("light", "dark"):
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        paper, colors = place.locator(".mlx").evaluate(COLORS)
        shown[theme] = paper
        for kind, least in {"words": 4.5, "text": 4.5, "fill": 3, "stroke": 3}.items():
            counted += len(colors[kind])
            for color in colors[kind]:
                assert contrast(color, paper) >= least, (theme, kind, color, paper)
    assert shown["light"] != shown["dark"] and counted >= 6


@pytest.mark.parametrize("name", NAMES)
def test_without_javascript_the_words_are_there(name, open_page):
    _, place = open_page(name, scroll=False, java_script_enabled=False)
    assert about(name)["question"] in place.inner_text()
    words = place.locator("details > p").first
    assert words.is_visible() and len(words.inner_text()) > 200
    assert place.locator(".explorable-missing").is_visible()


def test_a_module_that_cannot_be_loaded_leaves_the_words(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/projection.mjs*", lambda route: route.abort())
    page.goto(address + PAGES["projection"])
    place = page.locator(".explorable")
    place.scroll_into_view_if_needed()
    place.locator("[data-state=failed]").wait_for()
    assert place.locator("details > p").first.is_visible()
    assert place.locator(".explorable-missing").is_visible()
    context.close()
