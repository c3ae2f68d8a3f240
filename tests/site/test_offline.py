"""The offline copy, opened from the file system in a real browser, and served by its own program."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from mlcourse.authoring.links import Links
from mlcourse.authoring.offline import bundle_name, offline_files, page_offline, with_fonts, write_bundle
from tests.conftest import ROOT
from tests.site.browser import needs_chromium, pages_of
from tests.site.test_browser import SCROLL


@pytest.fixture(scope="module")
def copy(built_site, course, tmp_path_factory):
    """The unpacked folder, at a path with a space and a letter that addresses must escape."""
    folder = tmp_path_factory.mktemp("a köpy")
    with zipfile.ZipFile(built_site / bundle_name(course)) as archive:
        archive.extractall(folder)
    (root,) = folder.iterdir()
    return root


@pytest.fixture
def watched(new_page):
    """A page that notes errors, requests that failed, and requests to any host."""

    def make(**options):
        page, faults = new_page(**options), []
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("console", lambda m: m.type in ("error", "warning") and faults.append(f"{page.url}: {m.text}"))
        page.on("requestfailed", lambda request: faults.append(f"{page.url}: {request.url}"))
        page.on(
            "request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or faults.append(f"asked for {r.url}")
        )
        return page, faults

    return make


def test_the_copy_has_every_page_and_what_it_refers_to(copy, built_site, course):
    assert {*pages_of(copy)} == {*pages_of(built_site)} - {"404.html"}
    assert list(map(str, Links(course, copy).faults())) == []
    assert [path.name for path in copy.rglob("*.zip") if "offline" in path.name] == [], "the copy contains itself"


def test_the_copy_is_made_again_only_when_the_site_changed(built_site, course):
    assert write_bundle(course) is None
    target = built_site / bundle_name(course)
    before = target.read_bytes()
    target.unlink()
    assert write_bundle(course).read_bytes() == before, "the same files make another zip"


def test_pages_say_where_a_program_needs_a_server():
    text = '<head></head><h1>Exercises</h1><script type="module" src="../_static/run.mjs?v=1"></script>'
    page = page_offline("book/x.html", text, {"_static/run.mjs": 'new Worker("w.js")'})
    assert "python serve.py" in page
    assert '<script defer src="../_static/run.mjs.js"></script>' in page
    assert page.index("_static/offline.js") < page.index("run.mjs.js")
    assert "serve.py" not in page_offline("book/x.html", text, {"_static/run.mjs": "1"})


def test_nothing_is_asked_for_early_that_a_file_may_not_load():
    links = '<link as="font" crossorigin rel="stylesheet" href="a.css"><link rel="preload" crossorigin as="font" href="a.woff2">'
    page = page_offline("x.html", f'<head>{links}<link rel="modulepreload" href="a.mjs"></head>', {})
    assert page.count("<link") == 1 and "a.css" in page


def test_links_to_folders_name_their_page():
    page = page_offline("x.html", '<a href="math/">a</a> <a href="https://x.org/">b</a> <a href="math/#c">c</a>', {})
    assert 'href="math/index.html"' in page and 'href="https://x.org/"' in page and 'href="math/index.html#c"' in page


def test_fonts_are_inside_the_style_sheet(tmp_path):
    (tmp_path / "katex").mkdir()
    (tmp_path / "katex/a.woff2").write_bytes(b"font")
    assert with_fonts("x{src:url(katex/a.woff2?v=1)}", tmp_path) == "x{src:url(data:font/woff2;base64,Zm9udA==)}"


def test_a_module_that_cannot_become_a_script_is_an_error(course, tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "pagefind").mkdir()
    (tmp_path / "pagefind/pagefind.js").write_text("export const a = 1")
    (tmp_path / "_static/search.mjs").write_text("await fetch('x')")
    files = {"_static/bundle.css": b"", "_static/bundle.js": b""}
    with pytest.raises(RuntimeError, match=r"(?s)offline copy.*search\.mjs.*await"):
        offline_files(course, tmp_path, files)


@needs_chromium
def test_every_page_opens_from_the_file_system_without_an_error(copy, watched):
    for name in pages_of(copy):
        page, faults = watched()
        page.goto(f"{copy.as_uri()}/{name}", wait_until="load")
        page.evaluate(SCROLL)
        page.wait_for_timeout(200)
        allowed = [fault for fault in faults if "python serve.py" in fault]
        assert faults == allowed
        assert page.evaluate("getComputedStyle(document.querySelector('.bd-main')).display") == "flex"
        page.context.close()


@needs_chromium
def test_the_copy_opens_at_the_welcome_page_and_its_links_work(copy, watched):
    page, faults = watched(viewport={"width": 1280, "height": 900})
    page.goto(f"{copy.as_uri()}/index.html")
    page.wait_for_url("**/book/index.html")
    page.locator('[data-slug="math/vectors"] > a').press("Enter")
    page.wait_for_url("file:**/math/vectors.html")
    page.locator("a.right-next").press("Enter")  # a click could miss while the page above is laid out
    page.wait_for_url("file:**/exercises/math/vectors.html")
    assert faults == []


@needs_chromium
def test_formulas_theme_map_and_figures_that_move_work_from_the_file_system(copy, watched):
    page, faults = watched(viewport={"width": 1280, "height": 900})
    page.goto(f"{copy.as_uri()}/book/math/vectors.html")
    page.wait_for_function(
        "[...document.fonts].some((font) => font.family === 'KaTeX_Math' && font.status === 'loaded')"
    )
    for _ in range(3):
        page.locator("button.theme-switch-button").first.click()
        if page.locator("html").get_attribute("data-theme") == "dark":
            break
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator(".explorable-stage").first.scroll_into_view_if_needed()
    page.wait_for_selector('.explorable-stage[data-state="ready"] [role=slider]')
    page.goto(f"{copy.as_uri()}/book/index.html")
    page.locator(".explorable-stage").scroll_into_view_if_needed()
    page.wait_for_selector('.explorable-stage[data-state="ready"]')  # its weights are fetched
    page.locator('[data-slug="python/numpy"] > a').focus()
    assert "NumPy needs Vectors" in page.locator(".atlas-trace").inner_text()
    assert faults == []


@needs_chromium
def test_the_search_finds_from_the_file_system(copy, watched):
    page, faults = watched(viewport={"width": 1280, "height": 900})
    page.goto(f"{copy.as_uri()}/book/how-to-use.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("broadcasting")
    page.wait_for_function("document.querySelector('dialog .search-results a')?.href.includes('/python/numpy.html')")
    page.locator("dialog .search-results a").first.press("Enter")
    page.wait_for_url("file:**/python/numpy.html*")
    assert faults == []


@needs_chromium
def test_a_worker_says_what_to_do(copy, new_page):
    page = new_page()
    page.goto(f"{copy.as_uri()}/book/how-to-use.html")
    said = page.evaluate("() => { try { new Worker('x.js'); return '' } catch (error) { return error.message } }")
    assert "python serve.py" in said


@needs_chromium
def test_a_page_with_programs_says_so_in_its_place(tmp_path, new_page):
    text = '<head></head><body><h1>Exercises</h1><script type="module" src="_static/run.mjs"></script></body>'
    script = 'document.title = "run"; new Worker("w.js");'
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static/offline.js").write_bytes((ROOT / "src/mlcourse/authoring/offline.js").read_bytes())
    (tmp_path / "_static/run.mjs.js").write_text(script)
    (tmp_path / "x.html").write_text(page_offline("x.html", text, {"_static/run.mjs": script}))
    page = new_page()
    page.goto((tmp_path / "x.html").as_uri())
    assert page.title() == "run"
    assert page.get_by_role("note").is_visible()
    assert "python serve.py" in page.get_by_role("note").inner_text()


@pytest.fixture
def own_server(copy):
    """The address that the copy's own program prints."""
    server = subprocess.Popen(
        [sys.executable, "serve.py"], cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    yield re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
    server.terminate()
    server.wait(10)


@needs_chromium
def test_behind_its_own_server_the_copy_is_the_site(own_server, new_page):
    with urlopen(f"{own_server}_static/store.mjs") as answer:
        assert answer.headers["Content-Type"] == "text/javascript"
    page, faults = new_page(viewport={"width": 1280, "height": 900}), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda r: r.status < 400 or faults.append(f"{r.status} {r.url}"))
    page.goto(f"{own_server}book/math/vectors.html")
    page.locator(".explorable-stage").first.scroll_into_view_if_needed()
    page.wait_for_selector('.explorable-stage[data-state="ready"]')
    page.keyboard.press("Control+k")
    page.keyboard.type("broadcasting")
    page.wait_for_selector("dialog .search-results a")
    assert faults == []


def test_the_page_on_how_to_use_it_offers_the_copy(built_site, copy, course):
    link = f'href="../{bundle_name(course)}"'
    assert link in Path(built_site, "book/how-to-use.html").read_text(encoding="utf-8")
    assert link not in Path(copy, "book/how-to-use.html").read_text(encoding="utf-8")
