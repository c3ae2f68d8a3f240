"""The built site, served, and pages of a browser to look at it with."""

from urllib.parse import urlparse

import pytest

from tests.site.browser import ARGUMENTS, find_chromium, serve


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
