"""The explorables in a real JupyterLab: the same modules, moved by keyboard and mouse, with their state in Python."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import nbformat
import pytest

from tests.site.browser import ARGUMENTS, INSTALL, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason=f"there is no Chromium; install it: {INSTALL}")
CELLS = [
    'from mlcourse.explorables import show\n\nfigure = show("projection")\nfigure',
    'show("digit")',
    'print("t is", figure.state["t"])',
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a notebook in a JupyterLab that is served for the test."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "try.ipynb")
    settings = {
        key: str(folder / key.lower())
        for key in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    log = folder / "log.txt"
    options = [
        "--no-browser",
        "--allow-root",
        "--port=0",
        "--IdentityProvider.token=try",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ip=127.0.0.1",
    ]
    with open(log, "w") as output:
        command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]
        server = subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}, stdout=output, stderr=output)
    try:
        root = _address(log, server)
        yield f"{root}/lab/tree/try.ipynb?token=try"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _address(log, server):
    for _ in range(600):
        found = re.search(r"(http://127\.0\.0\.1:\d+)/lab", log.read_text())
        with suppress(OSError):  # the address is in the log a moment before somebody answers there
            if found and urllib.request.urlopen(f"{found[1]}/api/status?token=try", timeout=30).status == 200:
                return found[1]
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def output(page, number):
    return page.locator(".jp-CodeCell").nth(number)


def run(page, number, shown):
    """Run a cell and wait for what it shows; what is run while the kernel still starts is lost, so ask again."""
    from playwright.sync_api import TimeoutError

    for patience in (10_000, 20_000, 30_000):
        output(page, number).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with suppress(TimeoutError):
            return output(page, number).locator(shown).first.wait_for(timeout=patience)
    raise AssertionError(f"cell {number} shows no {shown}: {output(page, number).inner_text()}")


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
