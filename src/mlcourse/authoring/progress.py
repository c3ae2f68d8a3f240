"""Sphinx extension: the directives of the reader's page, whose figures a script takes from the browser's store."""

from __future__ import annotations

from docutils import nodes

from mlcourse.authoring.course import module_path
from mlcourse.authoring.elements import element, make
from mlcourse.authoring.quizzes import questions_of
from mlcourse.authoring.site import _CourseDirective
from mlcourse.exercises import exercise_set

_WITHOUT_SCRIPT = (
    "What you have done is kept in your browser, and only a script can read it: allow JavaScript to see it here."
)
_SURE = (
    "Chapters read, answers to quizzes, points and the code that you wrote on this site are deleted from this browser. "
    "Save them to a file first if you may want them back."
)


class Progress(_CourseDirective):
    """How far the reader is: in total, what comes next, and each chapter with its questions and exercises."""

    optional_arguments = 0
    has_content = False

    def make_nodes(self):
        course = self.course
        self.env.note_dependency(str(course.root / "_toc.yml"))
        chapters = [self._chapter(chapter) for chapter in course.chapters]
        totals = [("read", "Chapters read"), ("quiz", "Quiz questions"), ("exercise", "Points in exercises")]
        lines = [_total(kind, name) for kind, name in totals]
        return [
            make("noscript", {}, make("p", {}, _WITHOUT_SCRIPT)),
            make("div", {"class": "progress-totals pst-js-only"}, *lines),
            make("p", {"class": "progress-next pst-js-only"}),
            make("ol", {"class": "progress-chapters"}, *chapters),
        ]

    def _address(self, docname):
        return self.env.app.builder.get_relative_uri(self.env.docname, docname)

    def _chapter(self, chapter):
        self.env.note_dependency(str(chapter.path))
        self.env.note_dependency(str(self.course.root / "src/mlcourse/exercises" / module_path(chapter.slug)))
        page = self._address(f"book/{chapter.slug}")
        exercise_page = self._address(f"exercises/{chapter.slug}")
        questions, exercises = questions_of(chapter.path), exercise_set(chapter.slug)
        points = sum(exercise.points for exercise in exercises)
        items = make("ul", {})
        for question in questions.values():
            link = make("a", {"href": f"{page}#quiz-{question.name}"}, *self.inline(question.text))
            items += _item({"data-quiz": f"{chapter.slug}#{question.name}"}, link)
        solved = make("ul", {})
        for exercise in exercises:
            about = {"data-exercise": exercise.name, "data-points": exercise.points}
            about |= {"data-manual": None} if exercise.manual else {}
            solved += _item(about, make("a", {"href": f"{exercise_page}#{exercise.name}"}, exercise.title))
        counts = f"{len(questions)} questions · {len(exercises)} exercises, {points} points"
        words = make("span", {"class": "progress-state"}, counts)
        fold = make("summary", {}, "Questions and exercises")
        parts = [
            make("p", {}, "Quiz"),
            items,
            make("p", {}, make("a", {"href": exercise_page}, "Exercises")),
            solved,
        ]
        title = make("a", {"href": page, "class": "progress-title"}, chapter.title)
        return make("li", {"data-chapter": chapter.slug}, title, words, make("details", {}, fold, *parts))


class ProgressTools(_CourseDirective):
    """The buttons that save, import and forget."""

    optional_arguments = 0
    has_content = False

    def make_nodes(self):
        labels = {"save": "Save to a file", "import": "Import a file", "forget": "Forget everything on this device"}
        buttons = [make("button", {"type": "button", "data-do": key}, label) for key, label in labels.items()]
        chosen = make(
            "input", {"type": "file", "accept": ".json,.jsonl", "hidden": None, "aria-label": "File to import"}
        )
        answers = [
            make("button", {"value": "keep"}, "Keep everything"),
            make("button", {"value": "forget"}, "Forget everything"),
        ]
        title = make("p", {"id": "forget-title"}, nodes.strong("", "Forget everything?"))
        form = make("form", {"method": "dialog"}, *answers)
        dialog = make("dialog", {"aria-labelledby": "forget-title"}, title, make("p", {}, _SURE), form)
        status = make("p", {"role": "status"})
        return [make("div", {"class": "progress-tools pst-js-only"}, *buttons, chosen, status, dialog)]


def _total(kind, name):
    bar = make("progress", {"max": "1", "value": "0", "aria-label": name})
    return make("p", {"data-total": kind}, make("span", {}, name), bar, make("span", {"class": "progress-number"}))


def _item(about, label):
    return make("li", about, label, " ", make("span", {"class": "progress-mark"}))


def _add_files(app, pagename, templatename, context, doctree):
    """Only the reader's page asks for its script."""
    found = doctree.findall(element) if doctree is not None else ()
    if any(node["attributes"].get("class", "").startswith("progress-") for node in found):
        app.add_css_file("progress.css")
        app.add_js_file("progress.mjs", type="module")


def setup(app):
    """Register the directives and their script."""
    app.setup_extension("mlcourse.authoring.elements")
    app.add_directive("progress", Progress)
    app.add_directive("progress-tools", ProgressTools)
    app.connect("html-page-context", _add_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
