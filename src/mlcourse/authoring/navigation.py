"""Sphinx extension: how a reader finds the way. The map of the course, what a chapter leads to, and links to every figure and equation.

The map is drawn once, as boxes with arrows; where the page is too narrow for it, the same elements are a list.
"""

from __future__ import annotations

import re
from html import escape

from docutils import nodes

from mlcourse.authoring import graph
from mlcourse.authoring.site import _course, _CourseDirective, _doc_link, details, summary

_REM = 16
_ARROW_HEAD = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker>'
)
_LINK = re.compile(r'<a class="headerlink" (href="[^"]*") title="([^"]*)">')


class chapter_foot(nodes.Admonition, nodes.Element):
    """What a chapter leads to. An admonition is no part of the description that search engines get."""


class CourseMap(_CourseDirective):
    """The map: all chapters of the plan, links where they are ready, with arrows for what needs what; and the same as text."""

    has_content = False
    optional_arguments = 0

    def make_nodes(self):
        self.env.note_reread()

        def url_of(slug):
            return self.env.app.builder.get_relative_uri(self.env.docname, f"book/{slug}")

        def html(text):
            return nodes.raw("", text, format="html")

        # The search leaves out what is in <nav>: in the text form each title stands many times.
        nav = html('<nav aria-label="The map as text">')
        return [html(map_html(self.course, url_of)), nav, self._as_text(), html("</nav>")]

    def _as_text(self):
        course, lines = self.course, nodes.bullet_list()
        for slug in course.titles:
            needs = _chapters(course, course.needs[slug], self.env.docname, "") or [nodes.Text("nothing before it")]
            own = _chapters(course, [slug], self.env.docname)
            lines += nodes.list_item("", nodes.paragraph("", "", *own, nodes.Text(" needs "), *needs, nodes.Text(".")))
        return details("", summary("", "The same as text"), lines)


def map_html(course, url_of):
    """Return the map as HTML.

    Parameters
    ----------
    course : Course
    url_of : callable
        The address of a chapter, from its slug.

    Returns
    -------
    str
    """
    slugs = list(course.titles)
    number = {slug: i for i, slug in enumerate(slugs)}
    layout = graph.lay_out([list(part.planned) for part in course.plan], course.needs)
    arrows = "".join(
        f'<path data-from="{number[a]}" data-to="{number[b]}" d="{graph.outline(corners)}"/>'
        for (a, b), corners in layout.arrows.items()
    )
    parts = [_part_html(course, i, layout, number, url_of) for i in range(len(course.plan))]
    return (
        f'<div class="atlas"><div class="atlas-body" style="--height:{layout.height / _REM}">'
        f'<svg class="atlas-arrows" aria-hidden="true" viewBox="0 0 {graph.WIDTH} {layout.height}">'
        f"<defs>{_ARROW_HEAD}</defs>{arrows}</svg>{''.join(parts)}"
        '<p class="atlas-trace" role="status" hidden></p></div></div>'
    )


def _part_html(course, index, layout, number, url_of):
    part = course.plan[index]
    items = "".join(_item_html(course, slug, layout.boxes[slug], number, url_of) for slug in part.planned)
    name = f"map-{part.slug}"
    return (
        f'<div class="atlas-part"><div class="atlas-head" style="--y:{layout.heads[index] / _REM}">'
        f'<p class="atlas-title" id="{name}"><span>Part {index + 1}</span> {escape(part.title)}</p>'
        f'<p>{escape(part.summary)}</p></div><ol aria-labelledby="{name}">{items}</ol></div>'
    )


def _item_html(course, slug, corner, number, url_of):
    chapter, title = course.by_slug.get(slug), escape(course.titles[slug])
    needs = " ".join(str(number[need]) for need in course.needs[slug])
    place = f'data-slug="{slug}" data-needs="{needs}" style="--x:{corner[0] / _REM};--y:{corner[1] / _REM}"'
    if chapter is None:
        return f'<li class="planned" {place}><span tabindex="-1"><b>{title}</b> <small>planned</small></span></li>'
    minutes = f"<small>{chapter.facts.minutes} min</small>"
    return f'<li class="ready" {place}><a href="{escape(url_of(slug))}"><b>{title}</b> {minutes}</a></li>'


def _chapters(course, slugs, docname, planned=" (planned)"):
    """The titles of chapters, with commas between them; links where they are ready."""
    shown = []
    for slug in slugs:
        shown += [nodes.Text(", ")] if shown else []
        ready = slug in course.by_slug
        title = course.titles[slug]
        shown += [_doc_link(f"book/{slug}", title, docname) if ready else nodes.Text(title + planned)]
    return shown


def _add_foot(app, doctree):
    """Say at the end of a chapter which chapters need it."""
    course, docname = _course(app), app.env.docname
    slug = docname.removeprefix("book/")
    section = next(iter(doctree.findall(nodes.section)), None)
    if slug not in course.by_slug or section is None:
        return
    line = nodes.paragraph("", "", nodes.strong("", "Leads to: "))
    ready_first = sorted(course.leads_to[slug], key=lambda other: other not in course.by_slug)
    line += _chapters(course, ready_first, docname) or [nodes.Text("nothing further in this book")]
    line += [nodes.Text(". "), _doc_link("book/index", "The map of the course", docname), nodes.Text(".")]
    section += chapter_foot("", line)


def _add_figure_anchors(app, doctree):
    """Give a place to go to, such as `fig-vectors-3`, to each figure that has no label."""
    _add_anchors(doctree, nodes.figure, f"fig-{app.env.docname.split('/')[-1]}")


def _add_equation_anchors(app, doctree, docname):
    """The same for equations, but late: Sphinx gives a number to each that has a place when a page is read."""
    _add_anchors(doctree, nodes.math_block, f"eq-{docname.split('/')[-1]}")


def _add_anchors(doctree, kind, prefix):
    for i, node in enumerate(doctree.findall(kind), 1):
        if not node["ids"]:
            node["ids"].append(f"{prefix}-{i}")


def _name_links(app, pagename, templatename, context, doctree):
    """Give the links to headings, figures and equations a name instead of their sign; load the map's script where a map is."""
    body = context.get("body", "")
    context["body"] = _LINK.sub(lambda m: f'<a class="headerlink" {m[1]} title="{m[2]}" aria-label="{m[2]}">', body)
    if 'class="atlas"' in body:
        app.add_js_file("map.mjs", type="module")


def _outdated(app, env, added, changed, removed):
    """Read a chapter again if what it leads to or the title of a chapter that it names has changed."""
    course = _course(app)

    def shown(slug):
        near = (*course.needs[slug], *course.leads_to[slug])
        return tuple((other, course.titles[other], other in course.by_slug) for other in near)

    before, env.mlcourse_ways = getattr(env, "mlcourse_ways", {}), {f"book/{s}": shown(s) for s in course.by_slug}
    return [name for name, way in env.mlcourse_ways.items() if name in env.all_docs and before.get(name) != way]


def _visit_foot(translator, node):
    translator.body.append('<div class="chapter-foot">')


def _depart_foot(translator, node):
    translator.body.append("</div>\n")


def setup(app):
    """Register everything."""
    app.add_node(chapter_foot, html=(_visit_foot, _depart_foot))
    app.add_directive("course-map", CourseMap)
    app.add_css_file("navigation.css")
    app.connect("doctree-read", _add_figure_anchors)
    app.connect("doctree-resolved", _add_equation_anchors)
    app.connect("doctree-read", _add_foot)
    app.connect("env-get-outdated", _outdated)
    app.connect("html-page-context", _name_links)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
