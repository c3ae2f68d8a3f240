"""Show code of the package in a chapter, from the package, so that the two cannot drift apart."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap


class Source:
    """Source code that displays itself: highlighted in a notebook and on the site, plain in a terminal."""

    def __init__(self, code, origin, language="python"):
        self.code, self.origin, self.language = code, origin, language

    def _repr_markdown_(self):
        return f"```{self.language}\n{self.code}\n```\n\n<small>`{self.origin}`</small>"

    def __repr__(self):
        return f"{self.code}\n{'#' if self.language == 'python' else '//'} {self.origin}"


def show_source(obj, *, docstring="short"):
    """Show the source of a function, a class or a method of the package.

    Parameters
    ----------
    obj : function or class
        What to show.
    docstring : {"short", "full"}
        ``"short"`` keeps the first line of each docstring, for the chapter explains the rest.

    Returns
    -------
    Source

    Examples
    --------
    >>> from mlcourse.math.vectors import dot
    >>> "def dot(" in show_source(dot).code
    True
    """
    if docstring not in ("short", "full"):
        raise ValueError(f"show_source: docstring must be 'short' or 'full'; got {docstring!r}")
    obj = inspect.unwrap(obj)
    try:
        code = textwrap.dedent(inspect.getsource(obj)).rstrip()
    except TypeError:
        raise TypeError(f"show_source takes a function, a class or a method; got a {type(obj).__name__}") from None
    code = re.sub(r"  # noqa: [A-Z0-9, ]+$", "", code, flags=re.MULTILINE)  # a word to the linter, not to the reader
    module = inspect.getmodule(obj).__name__
    return Source(_shorten_docstrings(code) if docstring == "short" else code, f"{module}.{obj.__qualname__}")


def _shorten_docstrings(code):
    lines = code.split("\n")
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    for node in sorted(nodes, key=lambda n: n.lineno, reverse=True):
        text = ast.get_docstring(node)
        if text is None:
            continue
        expression = node.body[0]
        indent = " " * expression.col_offset
        lines[expression.lineno - 1 : expression.end_lineno] = [f'{indent}"""{text.splitlines()[0]}"""']
    return "\n".join(lines)
