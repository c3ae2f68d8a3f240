"""An old address in a real browser: the reader lands on the new page, at the place the link named."""

import re
import shutil
from urllib.parse import urlparse

import pytest

from mlcourse.authoring.addresses import REDIRECTS, write_redirects
from mlcourse.authoring.course import Course
from tests.site.browser import needs_chromium, serve

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def moved(built_site, course, tmp_path_factory):
    """The built site, with redirects that only this test has."""
    root = tmp_path_factory.mktemp("moved")
    for name in ("book", "solutions"):
        shutil.copytree(course.root / name, root / name)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(course.root / name, root)
    (root / REDIRECTS).write_text("book/algebra/arrows: book/math/vectors\n")
    shutil.copytree(built_site, root / "site")
    write_redirects(Course(root), root / "site")
    with serve(root / "site", tmp_path_factory.mktemp("served"), urlparse(course.site).path.strip("/")) as address:
        yield address


@pytest.mark.parametrize("end", ["", "#quiz", "?highlight=norm#summary"])
def test_an_old_address_leads_to_the_same_place_on_the_new_page(moved, new_page, end):
    page = new_page()
    page.goto(f"{moved}book/index.html")
    page.goto(f"{moved}book/algebra/arrows.html{end}")
    page.wait_for_url(f"{moved}book/math/vectors.html{end}")
    assert "Vectors" in page.title()
    page.go_back()
    assert page.url == f"{moved}book/index.html", (
        "the old address stays in the history and takes the reader forward again"
    )


def test_the_exercises_of_a_chapter_move_with_it(moved, new_page):
    page = new_page()
    page.goto(f"{moved}exercises/algebra/arrows.html#unit_vector")
    page.wait_for_url(f"{moved}exercises/math/vectors.html#unit_vector")


def test_without_scripts_too(moved, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(f"{moved}book/algebra/arrows.html")
    page.wait_for_url(f"{moved}book/math/vectors.html")


def test_the_sitemap_has_the_pages_and_no_address_that_leads_on(built_site, course):
    listed = re.findall(r"<loc>(.*?)</loc>", (built_site / "sitemap.xml").read_text())
    exercises = [f"exercises/{chapter.slug}" for chapter in course.chapters]
    assert sorted(listed) == sorted(map(course.page_url, [*course.pages, *exercises]))
