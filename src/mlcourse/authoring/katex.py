"""Sphinx extension: render math while building, with KaTeX, so that pages need no script and screen readers get MathML.

The one well-kept package for this (sphinxcontrib-katex) takes its style sheet from another host and publishes a formula
that cannot be rendered; here the files are local and such a formula is an error with its place.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import subprocess
from functools import lru_cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from mlcourse.authoring.node import install_packages, node_program

_log = logging.getLogger(__name__)
_FONT_FORMAT = ".woff2"
_MARK_AFTER = re.compile(r"[,.;:!?)’”-]+")


class Katex:
    """A Node process that renders formulas for as long as the build runs."""

    def __init__(self, root):
        install_packages(root)
        script = Path(__file__).with_suffix(".mjs")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
        self._process = subprocess.Popen([node_program(), str(script)], cwd=root, **pipes)
        atexit.register(self.close)

    def render(self, tex, display):
        """Return the HTML of a formula.

        Raises
        ------
        ValueError
            If KaTeX cannot render it; the message is KaTeX's.
        """
        self._process.stdin.write(json.dumps({"tex": tex.strip(), "display": display}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["html"]

    def close(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait(timeout=10)


@lru_cache(maxsize=1)
def _katex(root):
    return Katex(root)


def _html(translator, node, display):
    tex = node.astext()
    try:
        return _katex(Path(translator.builder.srcdir)).render(tex, display)
    except ValueError as error:
        _log.warning("KaTeX cannot render this formula: %s", error, location=node)
        return f"<code>{escape(tex)}</code>"


def _visit_inline(translator, node):
    translator.body.append(f'<span class="math notranslate nohighlight">{_html(translator, node, False)}</span>')
    raise nodes.SkipNode


def _visit_display(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    translator.body.append(
        f'<div class="formula" tabindex="0" role="group" aria-label="formula">{_html(translator, node, True)}</div>'
    )
    number = f"({get_node_equation_number(translator, node)})" if node["number"] else ""
    translator.body.append(f'<span class="eqno">{number}')
    translator.add_permalink_ref(node, "Link to this equation")
    translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def _join_marks(app, doctree, docname):
    """Keep a comma on the line of the formula before it: browsers may break a line after each part of a formula."""
    for formula in list(doctree.findall(nodes.math)):
        text = formula.next_node(descend=False, siblings=True)
        mark = _MARK_AFTER.match(text) if isinstance(text, nodes.Text) else None
        if mark is None:
            continue
        parent, rest = formula.parent, text[mark.end() :]
        parent.replace(text, [nodes.Text(rest)] if rest else [])
        joined = nodes.inline("", "", classes=["joined"])
        parent.replace(formula, joined)
        joined += [formula, nodes.Text(mark[0])]


def _copy_files(app, error):
    if error is not None or app.builder.format != "html":
        return
    dist = Path(app.srcdir) / "node_modules/katex/dist"
    target = Path(app.outdir) / "_static/katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(dist / "katex.min.css", target / "katex.min.css")
    for font in (dist / "fonts").glob(f"*{_FONT_FORMAT}"):
        if not (target / "fonts" / font.name).exists():  # optimize.py keeps in it only what is shown
            shutil.copyfile(font, target / "fonts" / font.name)


def setup(app):
    """Register the renderer; `html_math_renderer: katex` selects it."""
    app.add_html_math_renderer("katex", (_visit_inline, None), (_visit_display, None))
    app.add_css_file("katex/katex.min.css")
    app.connect("doctree-resolved", _join_marks)
    app.connect("build-finished", _copy_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
