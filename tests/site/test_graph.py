"""The prerequisite graph: a column for each step, arrows only where no longer way says the same."""

import xml.etree.ElementTree as ET
from pathlib import Path

from mlcourse.authoring.course import Chapter, Facts
from mlcourse.authoring.graph import prerequisite_svg


def chapter(slug, *prerequisites):
    return Chapter(slug, slug.upper() + " & more", Path("x"), Facts(1, prerequisites, 1, 1, "none"), 1)


def test_graph():
    chapters = [chapter("a"), chapter("b", "a"), chapter("c", "a", "b")]
    svg = ET.fromstring(prerequisite_svg(chapters, lambda slug: f"{slug}.html?x=1&y=2"))
    assert [link.get("href") for link in svg.iter("a")] == ["a.html?x=1&y=2", "b.html?x=1&y=2", "c.html?x=1&y=2"]
    arrows = [path for path in svg.iter("path") if path.get("marker-end")]
    assert len(arrows) == 2
    boxes = [float(rect.get("x")) for rect in svg.iter("rect")]
    assert boxes == sorted(boxes)
    assert len(set(boxes)) == 3
