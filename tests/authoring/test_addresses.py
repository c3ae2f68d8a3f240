"""No address that was ever published leads nowhere: a page that is gone has a redirect, and redirects lead to pages."""

import re

import pytest

from mlcourse.authoring.addresses import PUBLISHED, REDIRECTS, keep_addresses, read_redirects, write_redirects
from mlcourse.authoring.course import Course
from mlcourse.authoring.errors import SourceError


def with_redirects(sources, text):
    (sources / REDIRECTS).write_text(text)
    return Course(sources)


def test_every_page_that_was_ever_published_is_there_or_leads_on(course):
    assert keep_addresses(course, check=True) == [], "run `make sync`"


def test_a_new_page_is_added_and_old_ones_stay(sources):
    course = Course(sources)
    listed = (sources / PUBLISHED).read_text()
    (sources / PUBLISHED).write_text(listed.replace("book/glossary\n", ""))
    assert keep_addresses(course, check=True) == [PUBLISHED]
    assert keep_addresses(course) == [PUBLISHED]
    assert (sources / PUBLISHED).read_text() == listed
    assert keep_addresses(course) == []


def test_a_page_that_is_gone_needs_a_redirect(sources):
    toc = sources / "_toc.yml"
    toc.write_text(toc.read_text().replace("      - file: book/glossary\n", ""))
    with pytest.raises(SourceError, match="book/glossary was published and is gone") as caught:
        keep_addresses(Course(sources))
    assert caught.value.line == (sources / PUBLISHED).read_text().splitlines().index("book/glossary") + 1
    assert keep_addresses(with_redirects(sources, "book/glossary: book/notation\n")) == []


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("book/old: book/nowhere\n", 1, "book/old leads to book/nowhere, which does not exist"),
        ("# moved\nbook/teach: book/index\n", 2, "book/teach has not moved: it is in _toc.yml"),
        ("book/a: book/b\nbook/b: book/index\n", 1, "book/b has moved too: book/a → book/b → book/index"),
        ("book/a: book/b\nbook/b: book/a\n", 1, "redirects go in a circle: book/a → book/b → book/a"),
        ("book/a: book/a\n", 1, "redirects go in a circle: book/a → book/a"),
        ("book/old: book/index.html\n", 1, "'book/index.html' is not a page"),
        ("old: book/index\n", 1, "'old' is not a page"),
        ("- book/old\n", 1, "these are not redirects"),
    ],
)
def test_faults_have_a_line_and_a_way_out(sources, text, line, problem):
    with pytest.raises(SourceError, match=re.escape(problem)) as caught:
        read_redirects(with_redirects(sources, text))
    assert caught.value.line == line


def test_a_chain_says_how_to_shorten_it(sources):
    with pytest.raises(SourceError, match="fix: write `book/a: book/index`"):
        read_redirects(with_redirects(sources, "book/a: book/b\nbook/b: book/index\n"))


def test_the_page_at_the_old_address_works_without_a_script_and_is_not_indexed(sources, tmp_path):
    course = with_redirects(sources, "book/algebra/old: book/math/vectors\n")
    path, exercises = write_redirects(course, tmp_path / "site")
    assert path == tmp_path / "site/book/algebra/old.html"
    assert exercises == tmp_path / "site/exercises/algebra/old.html"
    text = path.read_text()
    assert '<noscript><meta http-equiv="refresh" content="0; url=../math/vectors.html"></noscript>' in text
    assert '<meta name="robots" content="noindex">' in text
    assert f'<link rel="canonical" href="{course.page_url("book/math/vectors")}">' in text
    assert '<a href="../math/vectors.html">' in text
