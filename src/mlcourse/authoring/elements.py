"""A docutils node that is written as one HTML element, for what docutils has no node."""

from __future__ import annotations

from html import escape

from docutils import nodes


class element(nodes.General, nodes.Element):
    """An HTML element with its attributes; other formats see only its children."""


def make(tag, attributes=None, *children):
    """Return an element.

    Parameters
    ----------
    tag : str
    attributes : dict of str to str, optional
        An attribute whose value is None stands without one.
    *children : Node or str

    Returns
    -------
    element

    Examples
    --------
    >>> make("p", {"class": "note"}, "text").astext()
    'text'
    """
    content = [nodes.Text(child) if isinstance(child, str) else child for child in children]
    return element("", *content, tag=tag, attributes=attributes or {})


def _visit(translator, node):
    pairs = node["attributes"].items()
    text = "".join(f" {key}" if value is None else f' {key}="{escape(str(value))}"' for key, value in pairs)
    translator.body.append(f"<{node['tag']}{text}>")


def _depart(translator, node):
    translator.body.append(f"</{node['tag']}>")


def setup(app):
    """Register the node."""
    app.add_node(element, html=(_visit, _depart))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
