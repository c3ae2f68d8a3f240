"""How long a chapter takes to read: its words, formulas, figures and lines of code, each at its own speed."""

from __future__ import annotations

from docutils import nodes

WORDS_A_MINUTE = 220
SECONDS_A_FORMULA, SECONDS_IN_A_LINE, SECONDS_A_LINE_OF_CODE, SECONDS_A_FIGURE = 12, 1, 3, 12
_TO_DO = {"quiz", "exercise-cards", "badges", "tag_hide-input", "tag_hide-cell"}
"""Classes of what is done rather than read, and of code that is folded."""


def reading_minutes(doctree):
    """Estimate the minutes that it takes to read a page once, without running, answering or solving anything.

    Parameters
    ----------
    doctree : docutils.nodes.Node
        The page. Quizzes, lists of exercises, folded code and the results of code count nothing; figures do.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> reading_minutes(nodes.paragraph("", "word " * 660))
    3
    """
    return max(1, round(_seconds(doctree) / 60))


def _seconds(node):
    if isinstance(node, nodes.Text):
        return len(node.split()) / WORDS_A_MINUTE * 60
    if isinstance(node, nodes.math_block):
        return SECONDS_A_FORMULA
    if isinstance(node, nodes.math):
        return SECONDS_IN_A_LINE
    if isinstance(node, nodes.literal_block):
        return SECONDS_A_LINE_OF_CODE * sum(bool(line.strip()) for line in node.astext().split("\n"))
    if isinstance(node, nodes.figure):
        return SECONDS_A_FIGURE + sum(map(_seconds, node.findall(nodes.caption)))
    if isinstance(node, nodes.Invisible | nodes.raw):
        return 0
    classes = set(node.get("classes", ()))
    if classes & _TO_DO or "cell_output" in classes:
        return sum(map(_seconds, node.findall(nodes.figure)))
    return sum(map(_seconds, node.children))
