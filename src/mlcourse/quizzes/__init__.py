"""Quizzes: questions with feedback for every option, the same on the site and in a notebook.

In a notebook they can be clicked if the package anywidget is installed; without it, each option unfolds its feedback.
"""

from mlcourse.quizzes.notebook import pretest, quiz
from mlcourse.quizzes.source import Option, QuizError, read_options

__all__ = ["Option", "QuizError", "pretest", "quiz", "read_options"]
