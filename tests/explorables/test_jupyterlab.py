"""The explorables in a real JupyterLab: the same modules, moved by keyboard and mouse, with their state in Python."""

import pytest

from tests.jupyterlab import output, run, serve_notebook
from tests.site.browser import ARGUMENTS, INSTALL, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason=f"there is no Chromium; install it: {INSTALL}")
CELLS = [
    'from mlcourse.explorables import show\n\nfigure = show("projection")\nfigure',
    'show("digit")',
    'print("t is", figure.state["t"])',
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with serve_notebook(tmp_path_factory.mktemp("lab"), CELLS) as address:
        yield address


@pytest.fixture(scope="module")
def page(lab):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1800})
        page.set_default_timeout(60_000)
        page.goto(lab, wait_until="load")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        for number, shown in enumerate([".mlx-number", ".mlx-bars"]):
            run(page, number, shown)
        yield page
        browser.close()


def test_projection_moves_by_keyboard_and_python_knows(page):
    place = output(page, 0)
    point = place.get_by_role("slider", name="t, the point")
    point.focus()
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    assert point.get_attribute("aria-valuetext") == "t 0.70, distance 1.79"
    point.press("ArrowUp")  # would select another cell if JupyterLab saw it
    point.press("ArrowDown")
    assert point.evaluate("(node) => node === document.activeElement")
    page.wait_for_timeout(800)
    run(page, 2, "text=t is 0.7")


def test_digit_is_drawn_by_mouse(page):
    place = output(page, 1)
    place.locator(".mlx-area").scroll_into_view_if_needed()
    sheet = place.locator(".mlx-area .sheet").bounding_box()
    for i, (x, y) in enumerate([(0.3, 0.24), (0.7, 0.24), (0.52, 0.5), (0.43, 0.83)]):
        page.mouse.move(sheet["x"] + x * sheet["width"], sheet["y"] + y * sheet["height"], steps=8)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    assert "The network says 7" in place.locator(".mlx-panel p").inner_text()


def test_colors_follow_the_theme_of_jupyterlab(page):
    color = "(node) => getComputedStyle(node.querySelector('.line.a')).stroke"
    place = output(page, 0).locator(".mlx")
    light = place.evaluate(color)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    assert place.evaluate(color) != light
