"""Sphinx extension: a page for each chapter's exercises, on which they are solved.

The source of a page is derived from `solutions/` into `exercises/<part>/<chapter>.md`, which git ignores, next to the notebook of the
same name; the table of contents with these pages below their chapters is derived too, into `_build/toc.yml`.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlparse

import yaml
from docutils import nodes

from mlcourse.authoring import playground
from mlcourse.authoring.cards import card_line
from mlcourse.authoring.course import module_path
from mlcourse.authoring.exercises import exercise_cells, take_out_solution, without_directive
from mlcourse.authoring.needs import needs_of
from mlcourse.authoring.site import _course, _CourseDirective, details, summary
from mlcourse.exercises import exercise_set, find

FOLDER = "exercises"
TOC = "_build/toc.yml"

_PAGE = """\
---
myst:
  html_meta:
    description: "{description}"
---
{cells}
"""
_FENCE = "`" * 6


class exercise_editor(nodes.General, nodes.Element):
    """The code of one exercise as it is handed out, and what can be done with it."""


# ---- the source of a page


def page_text(course, chapter):
    """Return the source of a chapter's exercise page, in MyST Markdown.

    Parameters
    ----------
    course : Course
    chapter : Chapter

    Returns
    -------
    str
    """
    path = course.root / "solutions" / f"{chapter.slug}.md"
    exercises = {exercise.name: exercise for exercise in exercise_set(chapter.slug)}
    parts, number = [], 0
    for cell, announced, asked in exercise_cells(path, list(exercises)):
        if announced:
            number += 1
            before, statement = without_directive(cell.source)
            parts += [
                before,
                f"## {number}. {exercises[announced].title}",
                _directive("exercise-card", announced),
                statement,
            ]
        elif cell.kind == "markdown":
            parts.append(cell.source)
        elif asked:
            parts.append(_directive("exercise-editor", asked, take_out_solution(cell.source, path, cell.line)))
        else:
            parts.append(_directive("exercise-setup", "", cell.source))
    title, _, rest = parts[0].partition("\n")
    parts[:1] = [title, _directive("exercise-page", chapter.slug), rest]
    description = f"{len(exercises)} exercises on {chapter.title}, to solve in the page, each checked at once."
    return _PAGE.format(description=description, cells="\n\n".join(part.strip("\n") for part in parts if part.strip()))


def _directive(name, argument, body=""):
    return f"{_FENCE}{{{name}}} {argument}\n{body}\n{_FENCE}"


def table_of_contents(course):
    """Return the course's `_toc.yml` with the exercises below each chapter.

    Returns
    -------
    dict
    """
    toc = yaml.safe_load((course.root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = {f"book/{chapter.slug}": f"{FOLDER}/{chapter.slug}" for chapter in course.chapters}
    for entry in (entry for part in toc["parts"] for entry in part["chapters"]):
        if entry["file"] in chapters:
            entry["sections"] = [*entry.get("sections", []), {"file": chapters[entry["file"]]}]
    return toc


def _derive(app, config):
    """Write the sources before Sphinx looks for them; those that are right already keep their time."""
    course = _course(app)
    files = {f"{FOLDER}/{chapter.slug}.md": page_text(course, chapter) for chapter in course.chapters}
    files[TOC] = yaml.safe_dump(table_of_contents(course), sort_keys=False, allow_unicode=True)
    for path in (course.root / FOLDER).rglob("*.md"):
        if path.relative_to(course.root).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        path = course.root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    config.external_toc_path = str(course.root / TOC)


# ---- what is on a page


class ExercisePage(_CourseDirective):
    """The facts of a page: how much there is to do, what runs where, the notebook."""

    def make_nodes(self):
        slug = self.arguments[0]
        self.env.note_dependency(str(self.course.root / "src/mlcourse/exercises" / module_path(slug)))
        exercises = exercise_set(slug)
        points = sum(exercise.points for exercise in exercises)
        minutes = sum(exercise.minutes for exercise in exercises)
        facts = nodes.bullet_list(classes=["chapter-facts"])
        back = _reference(self.env, f"book/{slug}", self.course.by_slug[slug].title)
        for item in (
            nodes.paragraph("", "Chapter: ", back),
            nodes.paragraph("", f"{len(exercises)} exercises"),
            nodes.paragraph("", f"{points} points"),
            nodes.paragraph("", f"About {minutes} minutes"),
        ):
            facts += nodes.list_item("", item)
        notebook = f"{slug.split('/')[-1]}.ipynb"
        colab = self.course.colab_url(f"{FOLDER}/{slug}.ipynb")
        html = (
            f'<div class="exercise-page" data-set="{slug}" data-notebook="{notebook}">'
            f'<noscript><p>Solving them here needs JavaScript. The <a href="{notebook}">notebook</a> has the same exercises.</p></noscript>'
            '<p class="exercise-keys pst-js-only" id="exercise-keys">In the editor, <kbd>Ctrl</kbd>+<kbd>Enter</kbd> checks and '
            "<kbd>Shift</kbd>+<kbd>Enter</kbd> runs. <kbd>Tab</kbd> indents; <kbd>Esc</kbd>, then <kbd>Tab</kbd> leaves the editor.</p>"
            '<p class="exercise-sum pst-js-only" role="status"></p><p class="exercise-links">'
            '<button type="button" class="exercise-download pst-js-only">Download the notebook with your code</button> '
            f'<a href="{escape(colab)}">Open the notebook in Colab</a></p>'
            '<p class="exercise-allowed" hidden><span></span> <button type="button">Ask me again</button></p></div>'
        )
        return [facts, nodes.paragraph(classes=["exercise-needs"]), nodes.raw("", html, format="html")]


class ExerciseCard(_CourseDirective):
    """The line below an exercise's title."""

    def make_nodes(self):
        return [nodes.paragraph("", card_line(find(self.arguments[0])), classes=["exercise-card"])]


class ExerciseSetup(_CourseDirective):
    """Code that runs before the learner's."""

    optional_arguments = 0

    def make_nodes(self):
        code = "\n".join(self.content)
        says = nodes.paragraph("", "This runs before your code:", classes=["exercise-before"])
        block = nodes.literal_block(code, code, language="python", classes=["exercise-setup"])
        return [says, block]


class ExerciseEditor(_CourseDirective):
    """The starting point of an answer, and the hints."""

    required_arguments = 1
    optional_arguments = 0

    def make_nodes(self):
        exercise = find(self.arguments[0])
        hints = []
        for number, hint in enumerate(exercise.hints, 1):
            head = summary("", f"Hint {number} of {len(exercise.hints)}")
            hints.append(details("", head, nodes.paragraph("", "", *self.inline(hint)), classes=["hint"]))
        code = "\n".join(self.content)
        block = nodes.literal_block(code, code, language="python")
        return [exercise_editor("", block, name=exercise.name, code=code), *hints]


def _reference(env, docname, text, anchor=""):
    address = env.app.builder.get_relative_uri(env.docname, docname) + anchor
    return nodes.reference("", text, refuri=address, internal=True)


def _visit_editor(translator, node):
    exercise, needs = find(node["name"]), node["needs"]
    data = {
        "name": exercise.name,
        "answer": "text" if node["text"] else exercise.answer,
        "points": exercise.points,
        "title": exercise.title,
        "packages": " ".join(needs.packages),
    }
    shown = " ".join(f'data-{key}="{escape(str(value))}"' for key, value in data.items())
    translator.body.append(f'<div class="exercise" {shown}>\n')
    if needs.elsewhere:
        names = " and ".join(playground.NAMES.get(name, name) for name in needs.elsewhere)
        where = "Write your answer here or in the notebook, and run the notebook in Colab or on your machine."
        translator.body.append(
            f'<p class="exercise-elsewhere">This exercise needs {escape(names)}, which this page does not have. {where}</p>\n'
        )
    if node["text"]:
        label = f'<label for="text-{exercise.name}">Your text</label>'
        translator.body.append(
            f'{label}<textarea id="text-{exercise.name}" rows="9" data-code="{escape(node["code"])}"></textarea>\n'
        )


def _depart_editor(translator, node):
    actions = [] if node["text"] or node["needs"].elsewhere else [("run", "Run"), ("check", "Check")]
    html = "".join(f'<button type="button" data-do="{name}">{label}</button>' for name, label in actions)
    html += '<button type="button" data-do="stop" hidden>Stop</button>' if actions else ""
    translator.body.append(
        f'<div class="exercise-actions pst-js-only">{html}<button type="button" data-do="reset">Start over</button>'
        '<span class="exercise-state"></span></div><div class="exercise-answer"><p class="exercise-note" role="status"></p>'
        '<div class="exercise-output"></div><div class="exercise-result" aria-live="polite"></div></div></div>\n'
    )


# ---- as parts of the site


def _place(app, doctree):
    """Give each exercise the address `#name`, and each editor what its exercise needs, once the whole page is read."""
    editors = list(doctree.findall(exercise_editor))
    if not editors:
        return
    needs = needs_on_page(_course(app), app.env.docname.removeprefix(f"{FOLDER}/"))
    for editor in editors:
        section = editor.parent
        while not isinstance(section, nodes.section):
            section = section.parent
        section["ids"].insert(0, editor["name"])
        editor["needs"] = needs[editor["name"]]
        if editor["needs"].elsewhere:
            for says in section.findall(
                lambda node: "exercise-before" in getattr(node, "attributes", {}).get("classes", [])
            ):
                says[:] = [nodes.Text("In the notebook, this runs first:")]
        editor["text"] = playground.is_text(editor["name"], editor["code"])
        if editor["text"]:
            editor.clear()
    for paragraph in doctree.findall(
        lambda node: "exercise-needs" in getattr(node, "attributes", {}).get("classes", [])
    ):
        paragraph += nodes.Text(_what_runs_here(needs.values(), app.config.exercise_packages["address"]))
    app.env.note_dependency(str(_course(app).root / playground.LOCK))


def _what_runs_here(needs, address):
    """Say where the code of a page runs, and what is loaded from where."""
    here = [each for each in needs if not each.elsewhere]
    if not here:
        return "These exercises run in Colab or on your machine; this page has their texts, and keeps what you write."
    says = "Your code runs in this page, on your machine, and what you write is kept in this browser. The first click on Run or Check "
    says += "loads Python from this site."
    packages = {name for each in here for name in each.packages}
    if packages:
        names = [name for name in playground.NAMES if name in packages]
        says += f" {_and(playground.NAMES[name] for name in names)} come from {urlparse(address).netloc}, after you have agreed."
    return says


def _and(words):
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def needs_on_page(course, slug):
    """Say what each exercise of a set needs, from its checks and from the cells around its answer.

    Returns
    -------
    dict of str to Needs
    """
    available = playground.packages(course.root)
    path = course.root / "solutions" / f"{slug}.md"
    exercises = {exercise.name: exercise for exercise in exercise_set(slug)}
    shared, own, needs, open_name = [], [], {}, None
    for cell, announced, asked in exercise_cells(path, list(exercises)):
        if announced:
            open_name, own = announced, []
        elif asked:
            needs[asked] = needs_of(exercises[asked], [*shared, *own, cell.source], available)
            open_name = None
        elif cell.kind == "code":
            (own if open_name else shared).append(cell.source)
    return needs


def _add_files(app, pagename, templatename, context, doctree):
    """Only a page with exercises asks for what it needs; its source is that of the solutions."""
    if doctree is None or next(iter(doctree.findall(exercise_editor)), None) is None:
        return
    app.add_css_file("exercises/exercises.css")
    app.add_js_file("exercises/page.mjs", type="module")
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("url", "").startswith("http"):  # others download the page's own source
                button["url"] = button["url"].replace(f"/{FOLDER}/", "/solutions/")


def _without_numbers(app, builder):
    """An exercise has its number in its title: no number of a section goes before it."""
    env = app.env
    for docname in env.found_docs:
        if docname.startswith(f"{FOLDER}/"):
            env.toc_secnumbers[docname] = {}
            env.titles[docname].attributes.pop("secnumber", None)
            for reference in env.tocs[docname].findall(nodes.reference):
                reference.attributes.pop("secnumber", None)


def _write_playground(app):
    if app.builder.format == "html":
        playground.write(_course(app), app.outdir, app.config.exercise_packages)


def setup(app):
    """Register the pages, their directives and their files."""
    app.add_config_value("exercise_packages", {}, "env")
    app.add_node(exercise_editor, html=(_visit_editor, _depart_editor))
    for name, directive in {
        "exercise-page": ExercisePage,
        "exercise-card": ExerciseCard,
        "exercise-setup": ExerciseSetup,
        "exercise-editor": ExerciseEditor,
    }.items():
        app.add_directive(name, directive)
    app.connect("config-inited", _derive, priority=200)
    app.connect("builder-inited", _write_playground)
    app.connect("doctree-read", _place, priority=400)
    app.connect("html-page-context", _add_files, priority=900)
    app.connect("write-started", _without_numbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
