"""Markdown in one line as HTML: code, emphasis, links and formulas. It is what a question may use."""

from __future__ import annotations

import re
from html import escape

from mlcourse.quizzes.mathml import mathml

_TOKEN = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|\$(?P<math>[^$]+)\$"
    r"|\*\*(?P<strong>.+?)\*\*"
    r"|\*(?P<em>[^*]+)\*"
    r"|\[(?P<text>[^\]]+)\]\((?P<url>https?://[^)\s]+)\)"
    r"|\\(?P<plain>[\\`*_$\[\]])",
    re.DOTALL,
)


def to_html(text):
    """Return one line of Markdown as HTML.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Raises
    ------
    MathError
        If a formula has a command that is not known here.

    Examples
    --------
    >>> to_html("`u * v` is *not* a dot product & has length < 3")
    '<code>u * v</code> is <em>not</em> a dot product &amp; has length &lt; 3'
    """
    parts, end = [], 0
    for match in _TOKEN.finditer(text):
        parts += [escape(text[end : match.start()], quote=False), _html(match)]
        end = match.end()
    return "".join([*parts, escape(text[end:], quote=False)])


def _html(match):
    if match["code"]:
        return f"<code>{escape(match['code'].strip(), quote=False)}</code>"
    if match["math"]:
        return mathml(match["math"])
    if match["plain"]:
        return escape(match["plain"], quote=False)
    if match["url"]:
        return f'<a href="{escape(match["url"])}">{to_html(match["text"])}</a>'
    tag = "strong" if match["strong"] else "em"
    return f"<{tag}>{to_html(match['strong'] or match['em'])}</{tag}>"
