"""Sphinx extension: the directives ``quiz`` and ``pretest``, their form in a notebook, and what a chapter's page keeps.

A question is written once, in the chapter's quiz. The pre-test at its beginning names some of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives

from mlcourse.authoring.elements import element, make
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import Cell, Directive, parse_blocks, read_notebook
from mlcourse.authoring.site import _course, _CourseDirective, _doc_link
from mlcourse.quizzes import QuizError, notebook, read_options
from mlcourse.quizzes.inline import to_html

FOLDER = "_static/quizzes"
"""Where the component lies on the site."""

INVITATION = "What do you think now? A guess is enough: the chapter answers these questions, and the quiz at its end asks them again."
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_HINT = "give it a short one, such as `:name: which-distance`, directly below the opening"


@dataclass(frozen=True)
class Question:
    """A question of a chapter's quiz, as it is written."""

    name: str
    text: str
    body: tuple[str, ...]
    line: int
    body_line: int


def questions_of(path):
    """Read the quiz of a chapter.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to Question
        By name, in their order.

    Raises
    ------
    SourceError
        If a name is missing, wrong or given twice, or the options have a fault.
    """
    questions = {}
    for cell in read_notebook(Path(path))[1]:
        if cell.kind != "markdown":
            continue
        for block in parse_blocks(cell.source.split("\n"), cell.line, path):
            if isinstance(block, Directive) and block.name == "quiz":
                question = _question(block, path)
                if question.name in questions:
                    first = questions[question.name].line
                    problem = f"the question {question.name!r} stands on line {first} too"
                    raise SourceError(path, block.line, problem, "names are unique in a chapter: rename one")
                questions[question.name] = question
    return questions


def options_of(question, path):
    """Return the options of a question; a fault has its file and line."""
    try:
        return read_options(question.body)
    except QuizError as error:
        raise SourceError(path, question.body_line + error.line, error.problem, error.fix) from None


def asked_before(argument, questions, path, line):
    """Return the questions that a pre-test names.

    Raises
    ------
    SourceError
        If it names none, or one that the chapter's quiz does not have.
    """
    names = argument.split()
    for name in names:
        if name not in questions:
            near = get_close_matches(name, questions, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"its questions are {', '.join(questions)}"
            raise SourceError(path, line, f"the quiz of this chapter has no question {name!r}", fix)
    if not names or len(set(names)) < len(names):
        raise SourceError(path, line, "a pre-test names questions, each once", "write `:::{pretest} name name`")
    return [questions[name] for name in names]


def _question(block, path):
    name = block.options.get("name", "")
    if not _NAME.fullmatch(name):
        problem = f"the name {name!r} is not lower-case words with hyphens" if name else "this question has no name"
        raise SourceError(path, block.line, problem, _HINT)
    question = Question(name, block.argument, tuple(block.body), block.line, block.body_line)
    options_of(question, path)
    return question


# ---- on the page


class Quiz(_CourseDirective):
    """``:::{quiz} question`` with `name` and options: one question with feedback for every option."""

    required_arguments = 1
    optional_arguments = 0
    option_spec = {"name": directives.unchanged}  # noqa: RUF012

    def make_nodes(self):
        questions, name = _all(self), self.options.get("name")
        if name not in questions:
            problem = "a question must stand for itself, outside other blocks, and have a name"
            raise SourceError(self.path, self.lineno, problem, _HINT)
        return [_question_node(self, questions[name], before=False)]


class Pretest(_CourseDirective):
    """``:::{pretest} name name``: questions of the chapter's quiz, asked before it and without feedback."""

    required_arguments = 1
    optional_arguments = 0
    has_content = False

    def make_nodes(self):
        questions = asked_before(self.arguments[0], _all(self), self.path, self.lineno)
        words = nodes.paragraph("", "", nodes.strong("", "Before you begin. "), nodes.Text(INVITATION))
        asked = [_question_node(self, question, before=True) for question in questions]
        return [make("div", {"class": "pretest"}, words, *asked)]


def _all(directive):
    """The questions of the directive's chapter, read once for each version of the page."""
    known = directive.env.temp_data
    if "mlcourse_questions" not in known:
        known["mlcourse_questions"] = questions_of(directive.path)
    return known["mlcourse_questions"]


def _question_node(directive, question, before):
    docname = directive.env.docname
    place = f"{'before' if before else 'quiz'}-{question.name}"
    text = make("p", {"class": "question", "id": f"{place}-text"}, *directive.inline(question.text))
    options = make("ol", {"class": "options"})
    for option in options_of(question, directive.path):
        words = make("span", {}, *directive.inline(option.text))
        if not before:
            verdict = nodes.strong("", "Right. " if option.right else "Not quite. ")
            feedback = make("p", {}, verdict, *directive.inline(option.feedback))
            words = make("details", {}, make("summary", {}, words), feedback)
        options += make("li", {"class": "right" if option.right else "wrong"}, words)
    about = {"class": "quiz before" if before else "quiz", "id": place}
    about["data-quiz"] = f"{docname.removeprefix('book/')}#{question.name}"
    status = make("div", {"role": "status", **({} if before else {"class": "verdict-place"})})
    return make("div", about, text, options, status)


def _add_ends(app, doctree):
    """Put the score below the last question of a chapter, and below the chapter whether it was read."""
    slug = app.env.docname.removeprefix("book/")
    chapter = _course(app).by_slug.get(slug)
    section = next(iter(doctree.findall(nodes.section)), None)
    if chapter is None or section is None:
        return
    asked = [node for node in doctree.findall(element) if node["attributes"].get("class") == "quiz"]
    if asked:
        words = make("p", {"role": "status"}, f"{len(asked)} questions; none is answered yet.")
        again = make("button", {"type": "button", "aria-disabled": "true"}, "Start again")
        place = asked[-1].parent
        place.insert(place.index(asked[-1]) + 1, make("div", {"class": "quiz-score pst-js-only"}, words, again))
    status, button = make("span", {"role": "status"}), make("button", {"type": "button"}, "Mark as read")
    link = nodes.paragraph("", "", _doc_link("book/progress", "Your progress", app.env.docname))
    section += make("div", {"class": "chapter-read pst-js-only", "data-chapter": slug}, status, button, link)


def _add_files(app, pagename, templatename, context, doctree):
    """Only a chapter asks for what keeps the reader's answers."""
    if pagename.removeprefix("book/") in _course(app).by_slug:
        app.add_css_file("quizzes/quiz.css")
        app.add_css_file("progress.css")
        app.add_js_file("chapter.mjs", type="module")


def _copy_files(app):
    if app.builder.format == "html":
        folder = Path(app.outdir) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / notebook.MODULE).write_text(notebook.module(), encoding="utf-8")
        (folder / notebook.STYLE).write_text(notebook.style(), encoding="utf-8")


# ---- in the notebook


def split_at_quizzes(cell, chapter, form, notes):
    """Cut a text cell at its questions, which need code in a notebook.

    Parameters
    ----------
    cell : Cell
    chapter : Chapter
    form : NotebookForm
    notes : dict
        The chapter's footnotes.

    Yields
    ------
    Cell
        The text between, and for each question a text with it and a code cell that asks it, with its source folded.
    """
    lines, start = cell.source.split("\n"), 0
    for block in parse_blocks(lines, cell.line, chapter.path):
        if not (isinstance(block, Directive) and block.name in ("quiz", "pretest")):
            continue
        here = block.line - cell.line
        yield Cell("markdown", "\n".join(lines[start:here]), {}, cell.line + start)
        start = here + (block.body_line - block.line) + len(block.body) + 1
        if block.name == "quiz":
            yield from _question_cells(_question(block, chapter.path), "quiz", chapter, form, notes)
        else:
            questions = asked_before(block.argument, questions_of(chapter.path), chapter.path, block.line)
            yield Cell("markdown", f"**Before you begin.** {INVITATION}", {}, block.line)
            for question in questions:
                yield from _question_cells(question, "pretest", chapter, form, notes)
    yield Cell("markdown", "\n".join(lines[start:]), {}, cell.line + start)


def _question_cells(question, function, chapter, form, notes):
    body = "\n".join(form.inline(line, question.body_line, chapter.path, notes) for line in question.body).strip("\n")
    try:
        for option in read_options(body):
            to_html(option.text + option.feedback)
    except ValueError as error:
        fix = "write it more plainly, or teach it to src/mlcourse/quizzes/mathml.py"
        raise SourceError(chapter.path, question.line, str(error), fix) from None
    quotes = '"""' if '"""' not in body else "'''"
    source = (
        "#@title Run this cell, then choose\n"
        f"from mlcourse.quizzes import {function}\n\n"
        f'{function}("{chapter.slug}", "{question.name}", r{quotes}\n{body}\n{quotes})'
    )
    yield Cell("markdown", f"**Question.** {question.text}", {}, question.line)
    yield Cell("code", source, {"tags": ["hide-input"]}, question.line)


def setup(app):
    """Register the directives and their files."""
    app.setup_extension("mlcourse.authoring.elements")
    app.add_directive("quiz", Quiz)
    app.add_directive("pretest", Pretest)
    app.connect("builder-inited", _copy_files)
    app.connect("doctree-read", _add_ends)
    app.connect("html-page-context", _add_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
