"""The built HTML: links, anchors, figures, metadata, and numbers equal to those of the notebooks."""

import json
import re
from functools import cache
from html import unescape
from html.parser import HTMLParser

import pytest

from mlcourse.authoring.links import report
from tests.conftest import ROOT
from tests.site.browser import pages_of


class Page(HTMLParser):
    """What the tests ask of a page: ids, links, images, figures, metadata."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.sources, self.images, self.metadata = set(), [], [], [], {}
        self.figures = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if values.get("id"):
            self.ids.add(values["id"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag == "a" and values.get("name"):
            self.ids.add(values["name"])
        if tag in ("img", "script") and values.get("src"):
            self.sources.append(values["src"])
        if tag == "link" and values.get("href") and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.sources.append(values["href"])
        if tag == "figure":
            self.figures.append({"images": 0, "caption": False})
        if tag == "figcaption" and self.figures:
            self.figures[-1]["caption"] = True
        if tag == "img":
            self.images.append(values)
            if self.figures:
                self.figures[-1]["images"] += 1
        if tag == "meta":
            self.metadata[values.get("name") or values.get("property")] = values.get("content")


@cache
def page(path):
    return Page(path)


@pytest.fixture(scope="module")
def pages(built_site):
    return [path for path in built_site.rglob("*.html") if "_static" not in path.parts]


def test_every_link_of_the_site_and_of_its_notebooks_leads_somewhere(built_site, course):
    text, broken = report(course, built_site)
    assert not broken, text


def test_every_relative_link_of_the_notebooks_exists():
    for path in [*(ROOT / "notebooks").rglob("*.ipynb"), *(ROOT / "exercises").rglob("*.ipynb")]:
        for cell in json.loads(path.read_text())["cells"]:
            for link in re.findall(r"\]\((\.{0,2}/?[\w./-]+\.ipynb)\)", "".join(cell["source"])):
                assert (path.parent / link).exists(), f"{path}: {link}"


def test_numbers_in_the_notebooks_are_those_of_the_site(built_site, course):
    """A reference reads 'Fig. 1.2' in both, or one of them counts wrongly."""
    for chapter in course.chapters:
        html = (built_site / f"book/{chapter.slug}.html").read_text(encoding="utf-8")
        text = re.sub(r"<[^>]+>", "", html)
        notebook = json.loads((ROOT / f"notebooks/{chapter.slug}.ipynb").read_text())
        markdown = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")
        for label, anchor in re.findall(
            r"\[((?:Fig\.|Theorem|Definition|Lemma|Algorithm) [\d.]+)\]\([^)]+#([\w-]+)\)", markdown
        ):
            assert re.search(rf'href="[^"]*#{anchor}"[^>]*>\s*(<span class="[^"]*">)?{re.escape(label)}<', html), (
                chapter.slug,
                label,
                anchor,
            )
        for number, anchor in re.findall(r"\[\(([\d.]+)\)\]\([^)]+#(equation-[\w-]+)\)", markdown):
            target = html if f'id="{anchor}"' in html else None
            if target:
                assert re.search(rf'id="{anchor}">.*?class="eqno">\({re.escape(number)}\)<', target, re.DOTALL), (
                    chapter.slug,
                    number,
                    anchor,
                )
        captions = re.findall(r"^\*\*Fig\. ([\d.]+)\.\*\*", markdown, re.MULTILINE)
        assert captions == re.findall(r'caption-number">Fig\. ([\d.]+) ', html), chapter.slug
        assert "Fig. " in text


def test_every_image_has_alternative_text(pages, built_site):
    faults = [
        f"{path.relative_to(built_site)}: {image.get('src')}"
        for path in pages
        for image in page(path).images
        if not image.get("alt", "").strip()
    ]
    assert faults == []


def test_every_figure_of_a_chapter_has_a_caption_and_a_description(built_site, course):
    for chapter in course.chapters:
        found = page(built_site / f"book/{chapter.slug}.html")
        assert len(found.figures) >= 8, chapter.slug
        assert all(figure["caption"] and figure["images"] for figure in found.figures), chapter.slug
        in_text = [image for image in found.images if "_images/" in image["src"]]
        assert len(in_text) == sum(figure["images"] for figure in found.figures), (
            f"{chapter.slug}: an image outside a figure"
        )
        assert all(len(image["alt"]) > 20 for image in in_text), chapter.slug


def opening_of(path):
    """The text of the first paragraph after the line of facts and the links."""
    html = path.read_text(encoding="utf-8")
    first = re.search(r"</h1>\s*<div class=\"chapter-head\">.*?</div>\s*<p>(.*?)</p>", html, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", first[1])).split())


def test_pages_describe_themselves(built_site, course):
    for chapter in course.chapters:
        metadata = page(built_site / f"book/{chapter.slug}.html").metadata
        assert 50 <= len(metadata["description"]) <= 200, chapter.slug
        opening = opening_of(built_site / f"book/{chapter.slug}.html")
        assert metadata["og:description"][:40] == opening[:40], f"{chapter.slug}: not how its text begins"
        assert metadata["og:title"]
        assert metadata["og:url"] == course.page_url(f"book/{chapter.slug}")


def test_sitemap_has_every_chapter(built_site, course):
    sitemap = (built_site / "sitemap.xml").read_text()
    for chapter in course.chapters:
        assert f"<loc>{course.page_url(f'book/{chapter.slug}')}</loc>" in sitemap


def test_no_page_refers_to_a_file_of_another_host(pages, built_site):
    faults = [
        (str(path.relative_to(built_site)), s)
        for path in pages
        for s in page(path).sources
        if s.startswith(("http", "//"))
    ]
    assert faults == []


def test_the_footer_of_every_page_says_the_version(built_site, course):
    for name in pages_of(built_site):
        html = (built_site / name).read_text(encoding="utf-8")
        assert f'<p class="stamp">Version {course.version}' in html[html.index("<footer") :], name


def test_facts_are_on_the_page(built_site, course):
    for chapter in course.chapters:
        html = (built_site / f"book/{chapter.slug}.html").read_text(encoding="utf-8")
        facts = html[html.index("chapter-facts") :][:1500]
        assert f"{chapter.facts.minutes} minutes" in facts
        for slug in chapter.facts.prerequisites:
            assert course.by_slug[slug].title in facts
