"""A quiz question in a notebook: a widget where anywidget is installed, otherwise options that unfold."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from mlcourse.exercises.records import quiz_answers, record_answer
from mlcourse.quizzes.inline import to_html
from mlcourse.quizzes.source import read_options

MODULE, STYLE = "quiz.mjs", "quiz.css"


def quiz(chapter, name, source):
    """Ask a question of a chapter's quiz; the answer is kept for `progress`.

    Parameters
    ----------
    chapter : str
        Such as ``"math/vectors"``.
    name : str
        The question's name, unique in the chapter.
    source : str
        The options, as `read_options` takes them.

    Returns
    -------
    Question or Folded
        The widget, whose `entry` holds the answers. If the package anywidget is missing, options that unfold.

    Raises
    ------
    QuizError
        If the source has a fault.

    Examples
    --------
    >>> quiz("math/vectors", "half", "- [x] 2\\n  > Half of four.")
    Traceback (most recent call last):
        ...
    mlcourse.quizzes.source.QuizError: line 1 of the options: a question needs at least two options and exactly one `[x]`
      fix: mark the right one
    """
    return _ask(f"{chapter}#{name}", read_options(source), before=False)


def pretest(chapter, name, source):
    """Ask the same question before the chapter: the answer is kept without a verdict, and `quiz` compares with it.

    Parameters
    ----------
    chapter, name, source
        As for `quiz`.

    Returns
    -------
    Question or Folded
    """
    return _ask(f"{chapter}#{name}", read_options(source), before=True)


def _ask(key, options, before):
    try:
        widget = _widget()
    except ModuleNotFoundError:
        return Folded(options, before)
    return widget(key=key, before=before, html=options_html(options, before), entry=quiz_answers().get(key, {}))


def options_html(options, before=False):
    """Return the options as HTML, in the form in which the site has them: folded, or a list where there is no verdict yet."""
    items = "".join(_option_html(option, before) for option in options)
    return f'<ol class="options" type="A">{items}</ol>'


def _option_html(option, before):
    kind, verdict = ("right", "Right.") if option.right else ("wrong", "Not quite.")
    text = f"<span>{to_html(option.text)}</span>"
    if before:
        return f'<li class="{kind}">{text}</li>'
    feedback = f"<p><strong>{verdict}</strong> {to_html(option.feedback)}</p>"
    return f'<li class="{kind}"><details><summary>{text}</summary>{feedback}</details></li>'


class Folded:
    """What stands in for a question that cannot be clicked."""

    def __init__(self, options, before):
        self.options, self.before = options, before

    def __repr__(self):
        lines = [f"{letter}) {option.text}" for letter, option in zip("ABCDEFGH", self.options, strict=False)]
        return "\n".join([*lines, self._note()])

    def _repr_html_(self):
        return f"{options_html(self.options, self.before)}<p><small>{to_html(self._note())}</small></p>"

    def _note(self):
        if self.before:
            return "Choose one for yourself; the chapter answers it, and the quiz at its end asks again."
        return "Answers are kept if the package anywidget is installed: run `%pip install anywidget` and restart the kernel."


def module():
    """Return the component: the one ES module that the site and notebooks run."""
    return files("mlcourse.quizzes").joinpath(MODULE).read_text(encoding="utf-8")


def style():
    """Return its style sheet."""
    return files("mlcourse.quizzes").joinpath(STYLE).read_text(encoding="utf-8")


@cache
def _widget():
    import anywidget
    import traitlets

    class Question(anywidget.AnyWidget):
        """A question; `entry` holds its answers as the site keeps them."""

        _esm = module()
        _css = style()
        key = traitlets.Unicode().tag(sync=True)
        html = traitlets.Unicode().tag(sync=True)
        before = traitlets.Bool().tag(sync=True)
        entry = traitlets.Dict().tag(sync=True)

        def __init__(self, **values):
            super().__init__(**values)
            self.observe(self._keep, "entry")

        def _keep(self, change):
            """Record what the reader has just chosen, and take over what other cells have recorded since."""
            recorded = quiz_answers().get(self.key, {})
            chosen, last = (entry.get("before", {}) if self.before else entry for entry in (self.entry, recorded))
            if "answer" in chosen and chosen["at"] != last.get("at"):
                record_answer(self.key, chosen["answer"], chosen["right"], before=self.before, at=chosen["at"])
                self.entry = quiz_answers().get(self.key, self.entry)

    return Question
