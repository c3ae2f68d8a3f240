"""Draw which chapter needs which, as an SVG with links."""

from __future__ import annotations

import textwrap
from html import escape

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 168, 52, 56, 20, 8


def prerequisite_svg(chapters, url_of):
    """Draw chapters as boxes, from left to right in the order in which they can be read.

    Parameters
    ----------
    chapters : sequence of Chapter
    url_of : callable
        The address of a chapter, from its slug.

    Returns
    -------
    str
        An SVG element; every box is a link.
    """
    place = _places(chapters)
    width = (max(x for x, _ in place.values()) + 1) * (_WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN
    height = (max(y for _, y in place.values()) + 1) * (_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" aria-label="Which chapter needs which">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="currentColor"/></marker></defs>',
    ]
    for chapter in chapters:
        parts += [_arrow(place[slug], place[chapter.slug]) for slug in _direct(chapter, chapters)]
    parts += [_box(chapter, place[chapter.slug], url_of(chapter.slug)) for chapter in chapters]
    return "".join([*parts, "</svg>"])


def _places(chapters):
    """Column: the longest way from a chapter without prerequisites. Row: the reading order within the column."""
    by_slug = {chapter.slug: chapter for chapter in chapters}
    columns = {}

    def column(slug):
        if slug not in columns:
            columns[slug] = max((column(s) + 1 for s in by_slug[slug].facts.prerequisites), default=0)
        return columns[slug]

    rows, place = {}, {}
    for chapter in chapters:
        x = column(chapter.slug)
        rows[x] = rows.get(x, -1) + 1
        place[chapter.slug] = (x, rows[x])
    return place


def _direct(chapter, chapters):
    """The prerequisites that are not implied by another prerequisite."""
    by_slug = {c.slug: c for c in chapters}

    def all_before(slug):
        return {s for p in by_slug[slug].facts.prerequisites for s in (p, *all_before(p))}

    implied = {s for p in chapter.facts.prerequisites for s in all_before(p)}
    return [slug for slug in chapter.facts.prerequisites if slug not in implied]


def _corner(place):
    return _MARGIN + place[0] * (_WIDTH + _GAP_X), _MARGIN + place[1] * (_HEIGHT + _GAP_Y)


def _arrow(start, end):
    (x0, y0), (x1, y1) = _corner(start), _corner(end)
    x0, y0, y1 = x0 + _WIDTH, y0 + _HEIGHT / 2, y1 + _HEIGHT / 2
    middle = (x0 + x1) / 2
    path = f"M{x0} {y0} C{middle} {y0} {middle} {y1} {x1} {y1}"
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.5" marker-end="url(#arrow)"/>'


def _box(chapter, place, url):
    x, y = _corner(place)
    lines = textwrap.wrap(chapter.title, 20)[:2]
    top = y + _HEIGHT / 2 + 5 - 9 * (len(lines) - 1)
    text = "".join(
        f'<tspan x="{x + _WIDTH / 2}" y="{top + 18 * i}">{escape(line)}</tspan>' for i, line in enumerate(lines)
    )
    return (
        f'<a href="{escape(url)}"><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text text-anchor="middle" font-size="15">{text}</text></a>'
    )
