"""Sphinx extension: what the site has beyond Jupyter Book.

Directives ``think`` and ``exercises``; below each chapter's title the line of facts and the links to its notebooks;
the notebooks themselves, to download; no script that would call another host.
"""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from urllib.parse import urlparse

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from mlcourse.authoring.cards import difficulty_text, exercises_of
from mlcourse.authoring.course import GPU_WORDS, Course
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.reading import reading_minutes


class details(nodes.General, nodes.Element):
    """A part that is folded until the reader opens it; its first child is the summary."""


class summary(nodes.General, nodes.TextElement):
    """What a folded part shows while it is closed."""


class _CourseDirective(SphinxDirective):
    """A directive that may ask the course, and whose errors name file and line."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    @property
    def course(self):
        return _course(self.env.app)

    @property
    def path(self):
        return Path(self.env.doc2path(self.env.docname))

    def run(self):
        try:
            return self.make_nodes()
        except SourceError as error:
            raise self.error(str(error)) from None

    def inline(self, text):
        children, messages = self.state.inline_text(text, self.lineno)
        return [*children, *messages]

    def blocks(self, lines_or_text, parent):
        self.state.nested_parse(lines_or_text, self.content_offset, parent)
        return parent


class Think(_CourseDirective):
    """A question to stop at, with a folded answer."""

    def make_nodes(self):
        question = nodes.paragraph("", "", nodes.strong("", "Stop and think. "), *self.inline(self.arguments[0]))
        answer = self.blocks(self.content, details("", summary("", "Answer")))
        return [nodes.container("", question, answer, classes=["think"])]


class Exercises(_CourseDirective):
    """The chapter's exercises as cards, from their checks."""

    def make_nodes(self):
        slug, exercises = exercises_of(self.course, self.path)
        cards = nodes.bullet_list(classes=["exercise-cards"])
        address = self.env.app.builder.get_relative_uri(self.env.docname, f"exercises/{slug}")
        for number, exercise in enumerate(exercises, 1):
            minutes = f"{exercise.points} points · {exercise.minutes} minutes · difficulty {difficulty_text(exercise.difficulty)}"
            link = nodes.reference("", exercise.title, refuri=f"{address}#{exercise.name}", internal=True)
            title = nodes.paragraph("", "", nodes.strong("", f"{number}. ", link))
            cards += nodes.list_item("", title, nodes.paragraph("", minutes))
        self.env.note_dependency(str(self.course.root / "src/mlcourse/exercises" / f"{slug.replace('-', '_')}.py"))
        badges = _badges(self.course, f"exercises/{slug}", self.env.docname, "the exercises")
        badges.insert(0, _exercise_page(self.env, slug))
        return [cards, badges]


class chapter_head(nodes.Admonition, nodes.Element):
    """The line of facts and the links. An admonition is no part of the description that search engines get."""


def _doc_link(docname, text, from_doc):
    reference = addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{docname}",
        refdoc=from_doc,
        refexplicit=True,
    )
    return reference


def _badges(course, stem, docname, what):
    """Links to a notebook: open it in Colab, download it from this site."""
    up = "../" * docname.count("/")
    badges = nodes.bullet_list(classes=["badges"])
    links = [(course.colab_url(f"{stem}.ipynb"), f"Open {what} in Colab"), (f"{up}{stem}.ipynb", f"Download {what}")]
    for url, text in links:
        badges += nodes.list_item("", nodes.paragraph("", "", nodes.reference("", text, refuri=url)))
    return badges


def _exercise_page(env, slug):
    """The link to the page on which a chapter's exercises are solved, as one of its badges."""
    address = env.app.builder.get_relative_uri(env.docname, f"exercises/{slug}")
    link = nodes.reference("", "Solve the exercises here", refuri=address, internal=True)
    return nodes.list_item("", nodes.paragraph("", "", link))


def _add_facts(app, doctree):
    """Put the line of facts and the badges below a chapter's title."""
    docname = app.env.docname
    chapter = _course(app).by_slug.get(docname.removeprefix("book/"))
    section = next(iter(doctree.findall(nodes.section)), None)
    if chapter is None or section is None:
        return
    facts = chapter.facts
    needs = nodes.paragraph("", "Needs: ")
    for i, slug in enumerate(facts.prerequisites):
        needs += [nodes.Text(", ")] if i else []
        needs += _doc_link(f"book/{slug}", _course(app).by_slug[slug].title, docname)
    if not facts.prerequisites:
        needs += nodes.Text("nothing before it")
    items = [
        nodes.paragraph("", f"{facts.minutes} minutes to work through, {reading_minutes(doctree)} to read"),
        needs,
        nodes.paragraph("", f"Runs in {facts.seconds} s with {facts.megabytes} MB"),
        nodes.paragraph("", _sentence(GPU_WORDS[facts.gpu])),
    ]
    line = nodes.bullet_list("", *[nodes.list_item("", item) for item in items], classes=["chapter-facts"])
    badges = _badges(_course(app), f"notebooks/{chapter.slug}", docname, "this chapter")
    exercises = _badges(_course(app), f"exercises/{chapter.slug}", docname, "the exercises")
    badges += [_exercise_page(app.env, chapter.slug), *exercises.children]
    section.insert(1, chapter_head("", line, badges))


def _sentence(text):
    return text[0].upper() + text[1:]


def _course(app):
    if not hasattr(app, "mlcourse_course"):
        try:
            app.mlcourse_course = Course(app.srcdir)
        except SourceError as error:
            raise ExtensionError(str(error)) from None
    return app.mlcourse_course


def _configure(app, config):
    """What other settings would repeat is computed from `repository` and `html.baseurl`."""
    course = _course(app)
    config.ogp_image = f"{course.site}/_static/social.png"
    config.ogp_site_name = course.config["title"]
    config.ogp_site_url = f"{course.site}/"
    config.notfound_urls_prefix = urlparse(course.site).path.rstrip("/") + "/"
    config.notfound_context = {
        "title": "This page does not exist",
        "body": _missing_page(course, config.notfound_urls_prefix),
    }
    config.myst_substitutions = {
        **(config.myst_substitutions or {}),
        "repository": course.repository,
        "version": course.version,
    }


def _missing_page(course, prefix):
    """The body of the page for addresses that do not exist; its links must work from every folder."""
    text = (course.root / "book/404.md").read_text(encoding="utf-8")
    return MarkdownIt().render(text).replace('href="book/', f'href="{prefix}book/')


def _drop_thebe(app, pagename, templatename, context, doctree):
    """sphinx-thebe, which Jupyter Book loads always, takes its code from another host and breaks the console."""
    context["script_files"] = [script for script in context.get("script_files", []) if "thebe" not in _text_of(script)]
    context["css_files"] = [
        css
        for css in context.get("css_files", [])
        if "katex" not in _text_of(css) or 'class="katex' in context.get("body", "")
    ]
    context["css_files"] = [css for css in context["css_files"] if "thebe" not in _text_of(css)]


def _text_of(file):
    return f"{file} {getattr(file, 'filename', '')} {getattr(file, 'attributes', {}).get('body', '')}"


def _copy_notebooks(app, error):
    if error is None and app.builder.format == "html":
        for folder in ("notebooks", "exercises"):
            source = Path(app.srcdir) / folder
            if source.exists():
                ignore = shutil.ignore_patterns(".ipynb_checkpoints", "*.md")
                shutil.copytree(source, Path(app.outdir) / folder, dirs_exist_ok=True, ignore=ignore)


def _finish(app, error):
    """Write the sitemap of all pages, also of those that this run did not write, and remove pages whose source is gone."""
    if error is not None or app.builder.format != "html":
        return
    course, folder = _course(app), Path(app.outdir)
    pages = sorted(app.env.found_docs)
    entries = "".join(f"<url><loc>{escape(course.page_url(page))}</loc></url>\n" for page in pages)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    (folder / "sitemap.xml").write_text(f"{head}{entries}</urlset>\n", encoding="utf-8")
    for path in folder.rglob("*.html"):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if "/" in name and not name.startswith("_") and name not in app.env.found_docs:
            path.unlink()


def _visit_head(translator, node):
    translator.body.append('<div class="chapter-head">')


def _depart_head(translator, node):
    translator.body.append("</div>\n")


def _visit_details(translator, node):
    translator.body.append(translator.starttag(node, "details"))


def _depart_details(translator, node):
    translator.body.append("</details>\n")


def _visit_summary(translator, node):
    translator.body.append("<summary>")


def _depart_summary(translator, node):
    translator.body.append("</summary>\n")


def _leave_searching_to_pagefind(app):
    """Sphinx's own index takes a sixteenth of the time, and no page loads it."""
    for step in ("load_indexer", "index_page", "dump_search_index"):
        setattr(app.builder, step, lambda *_: None)


def setup(app):
    """Register everything."""
    app.setup_extension("mlcourse.authoring.demonstration")
    app.setup_extension("mlcourse.authoring.explorables")
    app.setup_extension("mlcourse.authoring.quizzes")
    app.setup_extension("mlcourse.authoring.progress")
    app.setup_extension("mlcourse.authoring.navigation")
    app.add_node(chapter_head, html=(_visit_head, _depart_head))
    app.add_node(details, html=(_visit_details, _depart_details))
    app.add_node(summary, html=(_visit_summary, _depart_summary))
    for name, directive in {
        "think": Think,
        "exercises": Exercises,
    }.items():
        app.add_directive(name, directive)
    app.connect("config-inited", _configure, priority=100)
    app.connect("builder-inited", _leave_searching_to_pagefind)
    app.connect("doctree-read", _add_facts)
    app.connect("html-page-context", _drop_thebe, priority=950)
    app.connect("build-finished", _copy_notebooks)
    app.connect("build-finished", _finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
