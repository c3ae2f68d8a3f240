"""The map: boxes in reading order that do not overlap, and arrows that run between them."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from mlcourse.authoring.course import Part
from mlcourse.authoring.graph import BOX_HEIGHT, BOX_WIDTH, HEADER, WIDTH, direct, lay_out, leads_to
from mlcourse.authoring.navigation import map_html


def synthetic(n_parts=9, n_chapters=100, seed=0):
    """A course whose chapters need up to four random chapters before them."""
    rng = np.random.default_rng(seed)
    slugs = [f"p{i * n_parts // n_chapters}/c{i}" for i in range(n_chapters)]
    parts = [[s for s in slugs if s.startswith(f"p{p}/")] for p in range(n_parts)]
    needs = {}
    for i, slug in enumerate(slugs):
        near = rng.integers(max(0, i - 12), i, size=min(i, 2)) if i else []
        far = rng.integers(0, i, size=min(i, int(rng.integers(0, 3)))) if i else []
        needs[slug] = [slugs[j] for j in sorted({*near, *far})]
    return parts, direct(needs)


def overlap(box, other):
    return all(low < high for low, high in ((max(box[i], other[i]), min(box[i + 2], other[i + 2])) for i in (0, 1)))


def through(box, a, b):
    """Whether a line from a to b runs through the inside of a box; along its edge is outside."""
    left, right, top, bottom = min(a[0], b[0]), max(a[0], b[0]), min(a[1], b[1]), max(a[1], b[1])
    return left < box[2] and right > box[0] and top < box[3] and bottom > box[1]


@pytest.fixture(params=["the course", "100 chapters", "300 chapters", "7 chapters"])
def drawn(request, course):
    if request.param == "the course":
        parts, needs = [list(part.planned) for part in course.plan], course.needs
    else:
        count = int(request.param.split()[0])
        parts, needs = synthetic(min(9, count), count)
    return parts, needs, lay_out(parts, needs)


def test_boxes_do_not_overlap_and_stay_within_the_width(drawn):
    parts, _, layout = drawn
    boxes = {slug: (x, y, x + BOX_WIDTH, y + BOX_HEIGHT) for slug, (x, y) in layout.boxes.items()}
    assert list(boxes) == [slug for part in parts for slug in part]
    names = list(boxes)
    assert [(a, b) for i, a in enumerate(names) for b in names[:i] if overlap(boxes[a], boxes[b])] == []
    heads = [(0, y, WIDTH, y + HEADER) for y in layout.heads]
    assert [slug for slug in names for head in heads if overlap(boxes[slug], head)] == []
    assert all(x >= 0 and right <= WIDTH and bottom <= layout.height for x, _, right, bottom in boxes.values())


def test_arrows_join_their_boxes_and_run_through_no_other_and_no_title(drawn):
    _, needs, layout = drawn
    assert set(layout.arrows) == {(a, b) for b, own in needs.items() for a in own}
    boxes = {slug: (x, y, x + BOX_WIDTH, y + BOX_HEIGHT) for slug, (x, y) in layout.boxes.items()}
    titles = {f"title {i}": (30, y, WIDTH - 30, y + HEADER) for i, y in enumerate(layout.heads)}
    faults = []
    for (a, b), corners in layout.arrows.items():
        assert corners[0][0] in (boxes[a][2], boxes[a][0] + BOX_WIDTH // 2 + 7)
        assert corners[-1][0] == boxes[b][0] or corners[-1][1] == boxes[b][1]
        for start, end in pairwise(corners):
            assert start[0] == end[0] or start[1] == end[1], "a line that is neither level nor upright"
            assert 0 <= min(start[0], end[0]) <= max(start[0], end[0]) <= WIDTH
            faults += [
                (a, b, "runs through", slug) for slug, box in {**boxes, **titles}.items() if through(box, start, end)
            ]
    assert faults == []


def test_only_needs_that_no_other_implies_are_drawn():
    needs = {"a": (), "b": ("a",), "c": ("a", "b"), "d": ("a", "c")}
    assert direct(needs) == {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)}
    assert leads_to(direct(needs)) == {"a": ("b",), "b": ("c",), "c": ("d",), "d": ()}


def test_arrows_go_forward_in_the_plan(course):
    order = {slug: i for i, slug in enumerate(course.titles)}
    assert [(a, b) for b, own in course.needs.items() for a in own if order[a] >= order[b]] == []


def test_ready_chapters_are_links_with_minutes_and_planned_ones_say_so():
    ready = SimpleNamespace(facts=SimpleNamespace(minutes=45))
    course = SimpleNamespace(
        plan=[Part("p", "P & Q", "You can.", {"p/a": "A <b>", "p/z": "Z"}, {})],
        titles={"p/a": "A <b>", "p/z": "Z"},
        needs={"p/a": (), "p/z": ("p/a",)},
        by_slug={"p/a": ready},
    )
    html = map_html(course, lambda slug: f"{slug}.html?x=1&y=2")
    assert '<a href="p/a.html?x=1&amp;y=2"><b>A &lt;b&gt;</b> <small>45 min</small></a>' in html
    assert "<b>Z</b> <small>planned</small>" in html
    assert html.count("<a ") == 1
    assert html.count("data-from") == 1
