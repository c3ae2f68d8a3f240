"""Exercises are solved in the page: in a real browser, with the site's own Python, and no other host unless the reader agrees."""

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlparse

import nbformat
import pytest

from mlcourse.authoring.exercise_pages import needs_on_page
from mlcourse.authoring.exercises import exercise_cells
from mlcourse.authoring.node import install_packages
from mlcourse.exercises import exercise_set
from mlcourse.grading.notebook import check_notebook
from tests.conftest import ROOT
from tests.site.browser import needs_chromium
from tests.site.test_quality import AXE

pytestmark = needs_chromium
NUMPY_PAGE = "math/vectors"
DISTRIBUTION = os.environ.get("MLCOURSE_PYODIDE")
"""A folder with a whole distribution of Pyodide, of any version: the packages cannot be had where the tests usually run."""


class ExercisePage:
    """An exercise page in a browser."""

    def __init__(self, page, address, key):
        self.page, self.key, self.asked = page, key, []
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(f"{address}exercises/{key}.html", wait_until="load")

    def box(self, name):
        return self.page.locator(f'.exercise[data-name="{name}"]')

    def write(self, name, code):
        box = self.box(name)
        if box.locator(".cm-content").count() == 0:
            box.locator("pre").first.click()
        box.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Escape")

    def do(self, name, action, seconds=120):
        self.box(name).locator(f'[data-do="{action}"]').click()
        return self.answer(name, seconds)

    def answer(self, name, seconds=120):
        self.page.wait_for_function("!document.querySelector('[aria-disabled=true]')", timeout=1000 * seconds)
        return self.box(name).locator(".exercise-answer").inner_text()

    def kept(self, kind, name):
        return self.page.evaluate("key => JSON.parse(localStorage.getItem(key))", f"mlcourse:{kind}:{name}")

    def hosts(self):
        return {urlparse(url).hostname for url in self.asked if url.startswith("http")}


@pytest.fixture(scope="module", autouse=True)
def packages():
    install_packages(ROOT, tests=True)


@pytest.fixture
def visit(address, new_page):
    def make(key, **options):
        return ExercisePage(new_page(**options), address, key)

    return make


@pytest.fixture(scope="module")
def plain(course):
    """The exercises that need nothing but Python, by their set."""
    found = {}
    for chapter in course.chapters:
        needs = needs_on_page(course, chapter.slug)
        names = [
            e.name
            for e in exercise_set(chapter.slug)
            if not (e.manual or needs[e.name].packages or needs[e.name].elsewhere)
        ]
        if names:
            found[chapter.slug] = names
    assert found, "no exercise needs nothing but Python: there must be some that work without any other host"
    return found


@pytest.fixture(scope="module")
def first(plain):
    """The first plain exercise that asks for a function: its set, itself and its solution."""
    key = next(iter(plain))
    exercise = next(e for e in exercise_set(key) if e.name in plain[key] and e.answer == "function")
    return key, exercise, solutions(key)[exercise.name]


def solutions(key):
    names = [exercise.name for exercise in exercise_set(key)]
    cells = exercise_cells(ROOT / "solutions" / f"{key}.md", names)
    return {
        asked: re.sub(r"^ *# (end )?solution\n?", "", cell.source, flags=re.MULTILINE)
        for cell, _, asked in cells
        if asked
    }


def as_answer(exercise, mistake):
    """A mistake of the bank as code that a learner could write; None if it has no name in its module."""
    module = sys.modules[mistake.answer.__module__]
    name = mistake.answer.__name__
    if getattr(module, name, None) is not mistake.answer:
        return None
    return f"import {module.__name__} as bank\n{exercise.name} = bank.{name}"


# ---- run and check


def test_every_plain_exercise_is_solved_without_another_host(plain, visit):
    for key, names in plain.items():
        page = visit(key)
        for name in names:
            page.write(name, solutions(key)[name])
            said = page.do(name, "check")
            exercise = next(e for e in exercise_set(key) if e.name == name)
            assert f"✓ {exercise.title}: {exercise.points} of {exercise.points} points" in said, (key, name, said)
            assert page.kept("exercise", name)["points"] == exercise.points
        assert page.hosts() == {"127.0.0.1"}


def test_wrong_answers_get_the_diagnosis_that_fits(plain, visit):
    key, names = next(iter(plain.items()))
    page, tried = visit(key), 0
    for exercise in [e for e in exercise_set(key) if e.name in names][:3]:
        for mistake in exercise.mistakes:
            if code := as_answer(exercise, mistake):
                page.write(exercise.name, code)
                said = page.do(exercise.name, "check")
                assert " ".join(mistake.says.split()) in " ".join(said.split()), (exercise.name, mistake.name, said)
                tried += 1
    assert tried >= 3


def test_code_as_it_is_handed_out_is_not_started(first, visit):
    key, exercise, _ = first
    page = visit(key)
    assert "Not started" in page.do(exercise.name, "check")
    assert page.kept("exercise", exercise.name) is None


def test_run_shows_what_the_code_prints_and_its_last_value(first, visit):
    key, exercise, _ = first
    page = visit(key)
    page.write(exercise.name, "print('one')\nimport sys\nprint('two', file=sys.stderr)\n[3] * 2")
    assert page.do(exercise.name, "run").split() == ["one", "two", "[3,", "3]"]
    page.write(exercise.name, "x = 1")
    assert "printed nothing" in page.do(exercise.name, "run")


def test_each_exercise_has_names_of_its_own(first, visit):
    key, exercise, _ = first
    page = visit(key)
    page.write(exercise.name, "left_over = 1")
    page.do(exercise.name, "run")
    page.write(exercise.name, "print(left_over)")
    assert "NameError: name 'left_over' is not defined" in page.do(exercise.name, "run")


def test_a_syntax_error_is_shown_with_its_line(first, visit):
    key, exercise, _ = first
    page = visit(key)
    page.write(exercise.name, f"def {exercise.name}(x)\n    return x")
    said = page.do(exercise.name, "check")
    assert 'File "your code", line 1' in said
    assert "SyntaxError: expected ':'" in said
    assert "nothing to check" in said


def test_a_traceback_has_the_learners_lines_only(first, visit):
    key, exercise, _ = first
    page = visit(key)
    page.write(exercise.name, "def f():\n    return [][1]\n\nf()")
    said = page.do(exercise.name, "run")
    assert re.findall(r'File "(.*?)", line (\d+)', said) == [("your code", "4"), ("your code", "2")]
    assert "IndexError: list index out of range" in said


def test_an_endless_loop_is_stopped_by_the_limit(first, visit):
    key, exercise, solution = first
    page = visit(key)
    page.write(exercise.name, "print('begun')\nwhile True:\n    pass")
    said = page.do(exercise.name, "check")
    assert "ran longer than 10 s" in said
    assert "begun" in said
    page.write(exercise.name, solution)
    assert f"✓ {exercise.title}" in page.do(exercise.name, "check")


def test_an_endless_loop_is_stopped_by_the_button(first, visit):
    key, exercise, _ = first
    page = visit(key)
    code = f"def {exercise.name}(*_):\n    print('round')\n    while True:\n        pass"
    page.write(exercise.name, code)
    box = page.box(exercise.name)
    box.locator('[data-do="check"]').click()
    box.get_by_text("round").wait_for(timeout=120_000)
    box.locator('[data-do="stop"]').click()
    assert "Stopped. Your code is kept" in page.answer(exercise.name)
    assert page.kept("code", exercise.name)["text"] == code
    page.write(exercise.name, "1 + 1")
    assert page.do(exercise.name, "run").strip() == "2"


def test_a_flood_of_output_is_cut(first, visit):
    key, exercise, _ = first
    page = visit(key)
    page.write(exercise.name, "for i in range(10**5):\n    print(i)")
    said = page.do(exercise.name, "run")
    assert "more than that is not shown" in said
    assert len(said) < 21_000


def test_python_that_cannot_be_loaded_is_said_and_nothing_is_lost(first, visit):
    key, exercise, solution = first
    page = visit(key)
    page.page.context.route("**/pyodide.asm.wasm", lambda route: route.abort())
    page.write(exercise.name, solution)
    said = page.do(exercise.name, "check")
    assert "Python could not be loaded" in said
    assert page.kept("code", exercise.name)["text"] == solution
    page.page.context.unroute("**/pyodide.asm.wasm")
    assert f"✓ {exercise.title}" in page.do(exercise.name, "check")


# ---- what is kept


def test_code_and_points_survive_a_reload_and_can_be_thrown_away(first, visit):
    key, exercise, _ = first
    page = visit(key)
    starter = page.box(exercise.name).locator("pre").first.inner_text().strip()
    code = "# half a thought\nx = 1"
    page.write(exercise.name, code)
    page.page.reload(wait_until="load")
    box = page.box(exercise.name)
    box.scroll_into_view_if_needed()
    box.locator(".cm-content").wait_for()
    assert box.locator(".cm-content").inner_text() == code
    page.page.once("dialog", lambda dialog: dialog.accept())
    box.locator('[data-do="reset"]').click()
    assert " ".join(box.locator(".cm-content").inner_text().split()) == " ".join(starter.split())
    assert page.kept("code", exercise.name) is None


def test_the_downloaded_notebook_gets_the_same_marks(plain, visit, tmp_path):
    for key, names in plain.items():
        page, points = visit(key), 0
        for i, name in enumerate(names[:4]):
            exercise = next(e for e in exercise_set(key) if e.name == name)
            wrong = next(filter(None, (as_answer(exercise, mistake) for mistake in exercise.mistakes)), None)
            page.write(name, wrong if i % 2 and wrong else solutions(key)[name])
            page.do(name, "check")
            points += page.kept("exercise", name)["points"]
        notebook = download(page, tmp_path)
        nbformat.validate(nbformat.read(notebook, 4))
        assert check_notebook(notebook).points == pytest.approx(points)


def test_a_text_is_kept_and_downloaded_as_it_was_written(course, visit, tmp_path):
    found = [(c.slug, e.name) for c in course.chapters for e in exercise_set(c.slug) if e.manual]
    assert found
    key, name = found[0]
    text = 'It is "curved": \\bar{x}, """quoted""", 3 µm.\nTwo lines, the last ends with a "quote"'
    page = visit(key)
    page.box(name).locator("textarea").fill(text)
    assert "a person reads" in page.box(name).locator(".exercise-state").inner_text()
    page.page.wait_for_timeout(400)
    page.page.reload(wait_until="load")
    assert page.box(name).locator("textarea").input_value() == text
    cells = nbformat.read(download(page, tmp_path), 4).cells
    (source,) = [cell.source for cell in cells if cell.source.startswith(f"{name} =")]
    names = {}
    exec(source, names)
    assert names[name].strip() == text


def download(page, folder):
    with page.page.expect_download() as waiting:
        page.page.locator(".exercise-download").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.name == f"{page.key.split('/')[-1]}.ipynb"
    return path


# ---- packages and other machines


def test_a_page_with_numpy_asks_first(course, visit):
    host = urlparse(course.config["sphinx"]["config"]["exercise_packages"]["address"]).hostname
    page = visit(NUMPY_PAGE)
    page.page.context.route(f"https://{host}/**", lambda route: route.abort())
    name = exercise_set(NUMPY_PAGE)[0].name
    code = "print('mine')"
    page.write(name, code)
    box = page.box(name)
    box.locator('[data-do="check"]').click()
    box.locator(".exercise-question").wait_for()
    question = box.locator(".exercise-answer").inner_text()
    assert re.search(rf"needs NumPy: about \d+ MB from {re.escape(host)}", question)
    box.get_by_role("button", name="Not now").click()
    assert "Nothing was loaded" in page.answer(name)
    assert host not in page.hosts()

    box.locator('[data-do="check"]').click()
    box.get_by_role("button", name=re.compile("Load .* MB")).click()
    said = page.answer(name)
    assert f"NumPy could not be loaded from {host}. Your code is kept" in said
    wanted = course.config["sphinx"]["config"]["exercise_packages"]["address"].split("{")[0]
    assert any(url.startswith(wanted) and "numpy" in url for url in page.asked)
    assert page.kept("code", name)["text"] == code

    page.page.reload(wait_until="load")
    page.do(name, "check")
    assert page.box(name).locator(".exercise-question").count() == 0
    page.page.get_by_role("button", name="Ask me again").click()
    assert page.kept("allow", host) is None


@pytest.mark.skipif(not DISTRIBUTION, reason="MLCOURSE_PYODIDE names no folder with Pyodide's packages")
def test_every_exercise_of_the_course_is_solved_with_the_packages(course, built_site, visit, new_page, address):
    folder = Path(DISTRIBUTION)
    available = {path.name.split("-")[0].replace("_", "-") for path in folder.iterdir()}
    files = json.loads((built_site / "_static/exercises/files.json").read_text(encoding="utf-8"))
    files |= {"python": f"{address}pyodide/other/", "packages": f"{address}pyodide/other/"}
    types = {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    def serve(route):
        path = folder / urlparse(route.request.url).path.split("/")[-1]
        route.fulfill(body=path.read_bytes(), content_type=types.get(path.suffix, "application/octet-stream"))

    for chapter in course.chapters:
        needs, solved = needs_on_page(course, chapter.slug), solutions(chapter.slug)
        blank = new_page()
        blank.context.route("**/exercises/files.json", lambda route: route.fulfill(json=files))
        blank.context.route("**/pyodide/other/*", serve)
        blank.add_init_script(f"localStorage.setItem('mlcourse:allow:{urlparse(address).netloc}', '{{}}')")
        page = ExercisePage(blank, address, chapter.slug)
        for exercise in exercise_set(chapter.slug):
            if exercise.manual or needs[exercise.name].elsewhere or set(needs[exercise.name].packages) - available:
                continue
            page.write(exercise.name, solved[exercise.name])
            assert f"✓ {exercise.title}: {exercise.points} of" in page.do(exercise.name, "check", 300), exercise.name


def test_what_does_not_run_in_a_browser_says_so_and_offers_colab(course, visit):
    found = [
        (c.slug, name)
        for c in course.chapters
        for name, needs in needs_on_page(course, c.slug).items()
        if needs.elsewhere
    ]
    assert found
    key, name = found[0]
    page = visit(key)
    box = page.box(name)
    assert "which this page does not have" in box.text_content()
    assert box.locator('[data-do="run"], [data-do="check"]').count() == 0
    assert course.colab_url(f"exercises/{key}.ipynb") == page.page.locator(".exercise-page a").get_attribute("href")


# ---- the page


def test_nothing_heavy_is_loaded_before_the_reader_begins(first, visit):
    key, exercise, _ = first
    page = visit(key)
    page.page.wait_for_timeout(500)
    assert not [url for url in page.asked if re.search(r"editor\.js|pyodide|course\.zip|files\.json", url)]
    page.write(exercise.name, "x = 1")
    assert not [url for url in page.asked if "pyodide" in url]


def test_an_exercise_is_solved_by_keyboard_alone(first, visit):
    key, exercise, _ = first
    page = visit(key)
    keys = page.page.keyboard
    page.page.evaluate("name => { location.hash = name }", exercise.name)
    for _ in range(20):
        keys.press("Tab")
        if page.page.evaluate("() => document.activeElement.closest('.exercise') !== null"):
            break
    page.box(exercise.name).locator(".cm-content:focus").wait_for()
    keys.press("Control+a")
    keys.type("if True:\nprint('by hand')")  # the editor indents the second line
    keys.press("Tab")
    keys.press("Shift+Tab")
    keys.press("Shift+Enter")
    assert page.answer(exercise.name).strip() == "by hand"
    keys.press("Escape")
    keys.press("Tab")
    assert page.page.evaluate("() => document.activeElement.dataset.do") == "run"
    keys.press("Shift+Tab")
    keys.press("Control+Enter")
    assert "nothing to check yet" in page.answer(exercise.name)


def test_opening_the_editor_moves_nothing(first, visit):
    key, exercise, _ = first
    page = visit(key)
    place = "name => document.querySelector(`.exercise[data-name=${name}] .exercise-actions`).getBoundingClientRect().y + scrollY"
    before = page.page.evaluate(place, exercise.name)
    page.box(exercise.name).locator("div.highlight").focus()
    page.box(exercise.name).locator(".cm-content").wait_for()
    assert abs(page.page.evaluate(place, exercise.name) - before) < 2


def test_cards_of_a_chapter_lead_to_its_exercises(course, built_site):
    for chapter in course.chapters:
        text = (built_site / f"book/{chapter.slug}.html").read_text(encoding="utf-8")
        page = (built_site / f"exercises/{chapter.slug}.html").read_text(encoding="utf-8")
        for exercise in exercise_set(chapter.slug):
            assert f'exercises/{chapter.slug}.html#{exercise.name}"' in text
            assert f'<section id="{exercise.name}"' in page, f"{chapter.slug}: no place to link to for {exercise.name}"


def test_no_solution_is_on_a_page(course, built_site):
    for chapter in course.chapters:
        page = (built_site / f"exercises/{chapter.slug}.html").read_text(encoding="utf-8")
        assert "# solution" not in page and "end solution" not in page


def test_axe_finds_nothing_while_one_works(first, visit):
    axe = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    key, exercise, _ = first
    page = visit(key, theme="light", viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.write(exercise.name, f"def {exercise.name}(*_):\n    '''Text.'''\n    return 1  # note\n\nprint(1)")
    page.do(exercise.name, "check")
    page.page.evaluate("() => document.querySelectorAll('details').forEach((part) => { part.open = true })")
    page.page.evaluate(axe)
    faults = []
    for theme in ("light", "dark"):
        page.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        faults += [f"{theme}: {fault}" for fault in page.page.evaluate(AXE, [False, None])]
    assert not faults, "\n".join(faults)
