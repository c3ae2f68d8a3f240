"""Links that lead nowhere are found, with the page and the reason; hosts that are slow or refuse programs are not called broken."""

import http.server
import json
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.links import Fault, Links, check_external, report

SITE, REPOSITORY = "https://name.example/course", "https://github.com/owner/course"
PAGES = {
    "index.html": '<meta http-equiv="refresh" content="0; url=book/a.html"><a href="book/a.html">a</a>',
    "book/a.html": '<h1 id="top">A</h1><span id="größe"></span><p title="a > b" id="after">',
    "exercises/a.ipynb": json.dumps({"cells": []}),
}


@pytest.fixture
def course(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/a.ipynb").write_text("{}")
    return SimpleNamespace(
        root=tmp_path,
        site=SITE,
        repository=REPOSITORY,
        branch="main",
        colab_url=lambda path: f"https://colab.research.google.com/github/owner/course/blob/main/{path}",
    )


def links_of(course, html, name="book/b.html"):
    site = course.root / "_build/html"
    for page, text in {**PAGES, name: html}.items():
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        (site / page).write_text(text)
    return Links(course, site)


@pytest.mark.parametrize(
    "link",
    [
        "a.html",
        "a.html#top",
        "a.html#after",
        "a.html#gr%C3%B6%C3%9Fe",
        "../book/a.html?x=1#top",
        "../",
        "#here",
        "",
        "/course/book/a.html#top",
        f"{SITE}/book/a.html#top",
        f"{SITE}/",
        "../exercises/a.ipynb",
        f"{REPOSITORY}/blob/main/notebooks/a.ipynb",
        "https://colab.research.google.com/github/owner/course/blob/main/notebooks/a.ipynb",
        f"{REPOSITORY}/issues/new?title=x",
        "mailto:someone@name.example",
        "https://elsewhere.example/gone",
    ],
)
def test_links_that_lead_somewhere(course, link):
    assert links_of(course, f'<p id="here"><a class="x" href="{link}">b</a>').faults() == []


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("gone.html", "there is no such page or file"),
        ("../gone/", "there is no such page or file"),
        ("../../outside.html", "there is no such page or file"),
        ("a.html#gone", "the page has no such place"),
        ("#gone", "the page has no such place"),
        (f"{SITE}/book/gone.html", "there is no such page or file"),
        ("/book/a.html", "it leaves the site, which is below /course/"),
        (f"{REPOSITORY}/blob/main/gone.ipynb", "the repository has no gone.ipynb"),
        (f"{REPOSITORY}/edit/main/book/gone.md", "the repository has no book/gone.md"),
        (
            "https://colab.research.google.com/github/owner/course/blob/main/gone.ipynb",
            "the repository has no gone.ipynb",
        ),
    ],
)
def test_links_that_lead_nowhere(course, link, why):
    assert links_of(course, f'<a href="{link}">b</a>').faults() == [Fault(("book/b.html",), link, why)]


def test_images_scripts_and_notebooks_count_and_code_does_not(course):
    html = '<img alt="" src="gone.png"><script src="gone.js">\'<a href="no.html">\'</script><!-- <a href="no.html"> -->'
    assert sorted(fault.link for fault in links_of(course, html).faults()) == ["gone.js", "gone.png"]
    cells = [{"cell_type": "markdown", "source": ["[a](../book/a.html) `x[i](c)` ``y[`i](d)`` ", "[b](b.ipynb)"]}]
    faults = links_of(course, json.dumps({"cells": cells}), "notebooks/a.ipynb").faults()
    assert [(fault.pages, fault.link) for fault in faults if fault.link == "b.ipynb"] == [
        (("notebooks/a.ipynb",), "b.ipynb")
    ]
    assert not {"c", "d"} & {fault.link for fault in faults}


def test_one_link_on_many_pages_is_one_fault(course):
    for number in range(5):
        links_of(course, '<a href="gone.html">b</a>', f"book/{number}.html")
    (fault,) = links_of(course, "").faults()
    assert str(fault) == ("book/0.html, book/1.html, book/2.html and 2 more: gone.html: there is no such page or file")


def test_addresses_on_other_hosts_are_asked_once_and_without_their_place(course):
    html = (
        f'<a href="https://a.example/x#1">1</a><a href="https://a.example/x#2">2</a><a href="{SITE}/book/a.html">3</a>'
    )
    html += f'<a href="{REPOSITORY}/tree/0123abc">4</a><a href="{REPOSITORY}">5</a><a href="b.html">6</a>'
    assert set(links_of(course, html).external()) == {"https://a.example/x", REPOSITORY}


def test_without_a_site_it_says_what_to_do(course):
    with pytest.raises(SourceError, match="build it first: `make book`"):
        Links(course, course.root / "_build/html")


# ---- other hosts


class Host(http.server.BaseHTTPRequestHandler):
    """A host with pages that are there, gone, moved, slow, refused, or out of order for a while."""

    busy = 0

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        if self.path == "/slow":
            time.sleep(1)
        status = {"/there": 200, "/gone": 404, "/moved": 301, "/refused": 403, "/ü": 200, "/%C3%BC": 200}.get(self.path)
        if self.path == "/no-head":
            status = 405 if self.command == "HEAD" else 200
        if self.path == "/busy":
            Host.busy += 1
            status = 503 if Host.busy < 4 else 200
        self.send_response(status or 200)
        if status == 301:
            self.send_header("Location", "/there")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD


@pytest.fixture(scope="module")
def host():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def asked(*addresses):
    return check_external({address: ["book/a.html"] for address in addresses}, tries=3, timeout=0.3, pause=0.01)


def test_pages_that_are_there(host):
    assert asked(*(f"{host}/{page}" for page in ("there", "moved", "no-head", "ü"))) == []


def test_a_host_that_is_busy_is_asked_again(host):
    Host.busy = 0
    assert asked(f"{host}/busy") == []


def test_a_page_that_is_gone_is_broken(host):
    (fault,) = asked(f"{host}/gone", f"{host}/there")
    assert fault == Fault(("book/a.html",), f"{host}/gone", "the host answers 404 Not Found")


@pytest.mark.parametrize(
    ("page", "why"),
    [("refused", "the host answers 403 Forbidden"), ("slow", "the host does not answer in time")],
)
def test_a_host_that_refuses_or_is_slow_is_not_called_broken(host, page, why):
    (fault,) = asked(f"{host}/{page}")
    assert (fault.why, fault.certain) == (why, False)


def test_a_host_that_is_off_is_not_called_broken():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (fault,) = asked(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert not fault.certain
    assert "cannot be reached" in fault.why


def test_a_machine_that_is_not_online_is_not_taken_for_a_book_of_broken_links(course):
    site = links_of(course, '<a href="http://a.invalid/">1</a><a href="http://b.invalid/">2</a>').site
    text, broken = report(course, site, external=True)
    assert broken == 1
    assert "is this machine online?" in text


def test_the_report_ends_with_how_many(course, host):
    site = links_of(course, f'<a href="gone.html">1</a><a href="{host}/gone">2</a><a href="{host}/there">3</a>').site
    text, broken = report(course, site, external=True)
    assert broken == 2
    assert text.splitlines() == [
        "broken: book/b.html: gone.html: there is no such page or file",
        f"broken: book/b.html: {host}/gone: the host answers 404 Not Found",
        "4 links in the site, 2 addresses on other hosts: 2 broken, 0 not sure",
    ]
