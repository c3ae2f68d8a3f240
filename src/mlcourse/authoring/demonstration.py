"""Sphinx extension: the directive ``demonstration``, code on a page without cells, run when the site is built."""

from __future__ import annotations

import ast
import contextlib
import os
import tempfile
from io import StringIO
from unittest.mock import patch

from docutils import nodes

from mlcourse.authoring.code_used import PackageCode
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.site import _CourseDirective


class Demonstration(_CourseDirective):
    """Shows its code, what the code prints, and its last value if that draws itself: both as they come out today."""

    optional_arguments = 0

    def make_nodes(self):
        code = "\n".join(self.content)
        self.env.note_reread()
        try:
            printed, value = self._kept(code)
        except Exception as error:
            fix = f"mend the code, or what it shows: {type(error).__name__}: {error}"
            raise SourceError(self.path, self.lineno, "the demonstration fails", fix) from error
        box = nodes.container(classes=["demonstration"])
        box += nodes.literal_block(code, code, language="python")
        if printed:
            box += nodes.literal_block(printed, printed, language="text", classes=["printed"])
        if value is not None:
            box += nodes.container("", nodes.raw("", value, format="html"), classes=["shown"])
        return [box]

    def _kept(self, code):
        """What the code answers; it runs again only when something has changed that it uses."""
        kept = self.env.__dict__.setdefault("mlcourse_demonstrations", {})
        key = PackageCode(self.course.root).key([code])
        if kept.get(code, ("",))[0] != key:
            kept[code] = (key, run(code))
        return kept[code][1]


def run(code):
    """Run code as the last cell of a notebook would.

    Parameters
    ----------
    code : str
        Python.

    Returns
    -------
    printed : str
    value : str or None
        The HTML of the last line's value, if it has one.

    Raises
    ------
    Exception
        Whatever the code raises.

    Examples
    --------
    >>> run("print(1 + 1)")
    ('2', None)
    """
    *statements, last = ast.parse(code).body or [ast.Pass()]
    names, printed, value = {"__name__": "__demonstration__"}, StringIO(), None
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(printed),
        patch.dict(os.environ, MLCOURSE_PROGRESS=f"{folder}/progress.jsonl"),
    ):
        if not isinstance(last, ast.Expr):
            statements.append(last)
        exec(compile(ast.Module(statements, []), "<demonstration>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<demonstration>", "eval"), names)
    html = value._repr_html_() if hasattr(value, "_repr_html_") else None
    return printed.getvalue().rstrip("\n"), html


def setup(app):
    """Register the directive."""
    app.add_directive("demonstration", Demonstration)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
