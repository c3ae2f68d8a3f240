"""A question and its pre-test in a real JupyterLab: by keyboard and mouse, and kept for `progress()`."""

import json

import pytest

from tests.jupyterlab import output, run, serve_notebook
from tests.site.browser import ARGUMENTS, INSTALL, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason=f"there is no Chromium; install it: {INSTALL}")
OPTIONS = """- [ ] `u * v`
  > That is a vector, $u_1 v_1, \\\\dots$
- [x] the product $\\\\mathbf{u}^\\\\top\\\\mathbf{v}$
  > One number."""
CELLS = [
    f'from mlcourse.quizzes import pretest\n\npretest("math/vectors", "try", """{OPTIONS}""")',
    f'from mlcourse.quizzes import quiz\n\nquiz("math/vectors", "try", """{OPTIONS}""")',
    "from mlcourse.exercises import progress\n\nprint(progress())",
]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return tmp_path_factory.mktemp("records") / "progress.jsonl"


@pytest.fixture(scope="module")
def page(tmp_path_factory, records):
    from playwright.sync_api import sync_playwright

    with (
        serve_notebook(tmp_path_factory.mktemp("lab"), CELLS, MLCOURSE_PROGRESS=str(records)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1800})
        page.set_default_timeout(60_000)
        page.goto(address, wait_until="load")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        for number in (0, 1):
            run(page, number, "[role=radio]")
        yield page
        browser.close()


def test_answers_are_kept_and_compared(page, records):
    before, after = output(page, 0), output(page, 1)
    before.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    before.get_by_text("Kept. The quiz at the end compares.").wait_for()
    page.wait_for_timeout(500)  # until Python has written it

    first = after.get_by_role("radio").first
    first.focus()
    page.keyboard.press("ArrowDown")  # would select the next cell if JupyterLab saw it
    assert after.get_by_role("radio").nth(1).evaluate("(node) => node === document.activeElement")
    page.keyboard.press("Enter")
    after.get_by_text("Before the chapter you chose A.").wait_for()
    assert after.locator("[role=status]").inner_text().startswith("Right. One number.")
    first.click()
    after.get_by_text("Not quite. That is a vector").wait_for()

    page.wait_for_timeout(500)
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    assert [(line["quiz"], line["answer"], line["right"], line.get("before", False)) for line in lines] == [
        ("math/vectors#try", 0, False, True),
        ("math/vectors#try", 1, True, False),
        ("math/vectors#try", 0, False, False),
    ]
    run(page, 2, "text=quiz 1 of 1 right at the first try")


def test_a_formula_is_shown_as_one(page):
    place = output(page, 1).get_by_role("radio").nth(1).locator("math")
    assert place.count() == 1
    assert place.bounding_box()["width"] > 10


def test_a_cell_that_is_run_again_has_the_answer(page):
    run(page, 1, "[role=radio][aria-checked=true]")
    assert output(page, 1).get_by_role("radio", checked=True).count() == 1
