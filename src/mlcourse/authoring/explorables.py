"""Sphinx extension: the directive ``explorable``, a figure that the reader moves, and its form in a notebook."""

from __future__ import annotations

import zlib
from html import escape
from pathlib import Path

from docutils import nodes

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import Cell, Directive, parse_blocks
from mlcourse.authoring.site import _CourseDirective, details, summary
from mlcourse.explorables import modules

FOLDER = "_static/explorables"
"""Where the modules lie on the site; they must stay as they are, for notebooks run the same files."""

_MISSING = "This figure moves where JavaScript runs and the page comes from a server. Here it is in words."
_OWN = Path(modules.__file__).parent


class explorable(nodes.General, nodes.Element):
    """The place of an explorable; its children are the same in words."""


class Explorable(_CourseDirective):
    """``:::{explorable} name``, with what it shows, in words, as its body."""

    required_arguments = 1
    optional_arguments = 0

    def make_nodes(self):
        name = self.arguments[0].strip()
        _check(name, self.content, self.path, self.lineno)
        files = [f"{name}.mjs", "kit.mjs", "modules.py", modules.STYLE, modules.assets(name)]
        for path in (Path(__file__), *(_OWN / file for file in files if file)):
            self.env.note_dependency(str(path))
        return [explorable("", self.blocks(self.content, details("", summary("", "In words"))), name=name)]


def split_at_explorables(cell, path):
    """Cut a text cell at its explorables, which need code in a notebook.

    Parameters
    ----------
    cell : Cell
    path : Path
        Its file, for errors.

    Yields
    ------
    Cell
        The text between, and for each explorable a text with its question, a code cell that shows it, and a text with its words.
    """
    lines, start = cell.source.split("\n"), 0
    for block in parse_blocks(lines, cell.line, path):
        if not (isinstance(block, Directive) and block.name == "explorable"):
            continue
        name = block.argument
        _check(name, block.body, path, block.line)
        here = block.line - cell.line
        yield Cell("markdown", "\n".join(lines[start:here]), {}, cell.line + start)
        start = here + (block.body_line - block.line) + len(block.body) + 1
        about = modules.about(name)
        yield Cell("markdown", f"**{about['title']}.** {about['question']}", {}, block.line)
        yield Cell("code", f'from mlcourse.explorables import show\n\nshow("{name}")', {}, block.line)
        yield Cell("markdown", "\n".join(lines[here:start]), {}, block.line)
    yield Cell("markdown", "\n".join(lines[start:]), {}, cell.line + start)


def _check(name, body, path, line):
    try:
        modules.about(name)
    except ValueError as error:
        raise SourceError(path, line, str(error), "mend the name") from None
    if not any(text.strip() for text in body):
        fix = "write between the colons what the figure shows"
        raise SourceError(path, line, f"the explorable {name!r} has no text for readers who cannot see it", fix)


def _visit(translator, node):
    name = node["name"]
    about = modules.about(name)
    folder = "../" * translator.builder.current_docname.count("/") + FOLDER
    files = {"module": (f"{name}.mjs", modules.source(name)), "style": (modules.STYLE, modules.style())}
    if modules.assets(name):
        files["data"] = (modules.assets(name), (_OWN / modules.assets(name)).read_text(encoding="utf-8"))
    links = " ".join(f'data-{key}="{folder}/{file}?v={_checksum(text)}"' for key, (file, text) in files.items())
    room = f"--ratio:{about['height'] / about['width']:.4g};--below:{about.get('below', 0)};--panel:{about['panel']}"
    translator.body.append(
        f'<div class="explorable" role="group" aria-label="{escape(about["title"])}">'
        f'<div class="explorable-stage" {links} style="{room}"><p>{escape(about["question"])}</p>'
        f'<div class="explorable-space"><p class="explorable-missing">{_MISSING}</p></div></div>\n'
    )


def _depart(translator, node):
    translator.body.append("</div>\n")


def _checksum(text):
    return f"{zlib.crc32(text.encode()):08x}"


def _add_files(app, pagename, templatename, context, doctree):
    """Only a page with an explorable asks for what it needs."""
    if doctree is not None and next(iter(doctree.findall(explorable)), None) is not None:
        app.add_css_file("explorables/frame.css")
        app.add_js_file("explorables/mount.js", defer="defer")


def _copy_files(app):
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{name}.mjs": modules.source(name) for name in modules.NAMES}
    for file in ("frame.css", "mount.js", modules.STYLE, *filter(None, map(modules.assets, modules.NAMES))):
        texts[file] = (_OWN / file).read_text(encoding="utf-8")
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")


def setup(app):
    """Register the directive and its files."""
    app.add_node(explorable, html=(_visit, _depart))
    app.add_directive("explorable", Explorable)
    app.connect("builder-inited", _copy_files)
    app.connect("html-page-context", _add_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
