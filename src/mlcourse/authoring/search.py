"""The search: a Pagefind index of the pages' text, with a place to go to for every heading and every term of the glossary.

Pagefind's own reading of the pages would index formulas glyph by glyph, so it is given text only. Beside the index stands the
vocabulary of the course, by which `search.mjs` corrects typing errors and British spellings.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from mlcourse.authoring.optimize import formulas

FOLDER = "pagefind"
_STAMP = "_build/search.json"
_KEPT = re.compile(r"</?(?:h[1-6]|p|li|dt|dd|pre|td|th|figcaption|summary)\b")
_HEADING = re.compile(r'<section\b[^>]*\bid="([^"]+)"[^>]*>((?:\s*<span\b[^>]*></span>)*)\s*<h([1-6])\b[^>]*>')
_TERM = re.compile(r'<dt\b[^>]*\bid="([^"]+)"[^>]*>(.*?)</dt>', re.DOTALL)
_ASKED = 0.1
_HAIR_SPACE = "\u200a"
_JOINT = re.compile(r"(?<=\w[.(\[])(?=\w)")  # Pagefind cuts at spaces only; here it must cut np.linalg.norm(x) too
_DROPPED = re.compile(
    r'<!--.*?-->|<(script|style|svg|button|math|nav)\b.*?</\1>|<a class="headerlink".*?</a>'
    r'|<div class="quiz before".*?</ol>|<ol class="progress-chapters">.*?</ol>',  # questions that stand elsewhere too
    re.DOTALL,
)


def build_index(root):
    """Index the site in `_build/html` for searching, unless its text is the one that was indexed last.

    Parameters
    ----------
    root : Path
        The course's folder.

    Returns
    -------
    int
        How many pages were indexed; 0 if nothing had changed.
    """
    site = root / "_build/html"
    pages = sorted([*(site / "book").rglob("*.html"), *(site / "exercises").rglob("*.html")])
    records = {path.relative_to(site).as_posix(): page_record(path.read_text(encoding="utf-8")) for path in pages}
    records |= {name: lighter(record) for name, record in records.items() if name.startswith("exercises/")}
    stamp = hashlib.sha256(json.dumps(records).encode()).hexdigest()
    kept = root / _STAMP
    if kept.exists() and kept.read_text() == stamp and (site / FOLDER).exists():
        return 0
    shutil.rmtree(site / FOLDER, ignore_errors=True)
    _index(records, site / FOLDER)
    (site / FOLDER / "words.txt").write_text(" ".join(vocabulary(records.values())), encoding="utf-8")
    kept.write_text(stamp)
    return len(records)


def page_record(text):
    """Return the HTML of a page's text, with nothing but what can be searched.

    Sphinx gives an anchor to a section and Pagefind wants it on the heading; terms of the glossary become headings too.
    Keywords of the page (`myst: html_meta: keywords`) count as text and as metadata, where a hit ranks higher.
    """
    article = re.search(r"<article\b.*</article>", text, re.DOTALL)
    keywords = re.search(r'<meta content="([^"]*)" name="keywords"', text)
    body = _DROPPED.sub("", without_formulas(article[0])) if article else ""
    body = _HEADING.sub(lambda m: f'{m[2]}<h{m[3]} data-id="{m[1]}">', body)
    body = _TERM.sub(lambda m: f'<h4 data-id="{m[1]}">{m[2]}</h4>', body)
    body = re.sub(r"<[^>]*>", _only_structure, body)
    body = re.sub(r"[^<>]+(?=<)", lambda m: _JOINT.sub(_HAIR_SPACE, m[0]), body)
    words = f'<p data-pagefind-weight="10" data-pagefind-meta="keywords">{keywords[1]}</p>' if keywords else ""
    return re.sub(
        r"[ \t]*\n\s*", "\n", f"<html lang=en><body><main data-pagefind-body>{body}{words}</main></body></html>"
    )


def lighter(record):
    """Let every word of a page count for less, those of its title too: exercises ask about what a chapter explains.

    >>> print(lighter("<main data-pagefind-body><h1>Exercises: Norms</h1><p>Write one.</p></main>"))
    <main data-pagefind-body data-pagefind-weight="0.1" data-pagefind-meta="title:Exercises">\
<h1 data-pagefind-weight="0.1" data-pagefind-meta="name">Exercises: Norms</h1><p>Write one.</p></main>
    """
    record = re.sub(r"<(?:main data-pagefind-body|h[1-6]\b[^>]*)", rf'\g<0> data-pagefind-weight="{_ASKED}"', record)
    record = re.sub(r"<main [^>]*", r'\g<0> data-pagefind-meta="title:Exercises"', record)
    return re.sub(r"<h1[^>]*", r'\g<0> data-pagefind-meta="name"', record)


def without_formulas(text):
    """Return a page without the part of each formula that is made to be seen."""
    ends = [0, *(end for _, end in formulas(text))]
    starts = [*(start for start, _ in formulas(text)), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def _only_structure(tag):
    name = _KEPT.match(tag[0])
    if name is None:
        return " " if tag[0].startswith(("<div", "</div", "<br")) else ""
    anchor = re.search(r' data-id="([^"]+)"', tag[0])
    return f'{name[0]} id="{escape(anchor[1])}">' if anchor else f"{name[0]}>"


def vocabulary(records):
    """Return the words of the course, the most frequent first.

    >>> vocabulary(["<p>norm Norms norm np.einsum</p>"])
    ['norm', 'norms', 'einsum']
    """
    counts = Counter()
    for record in records:
        counts.update(re.findall(r"[a-z][a-z0-9_]{3,}", unescape(re.sub(r"<[^>]*>", " ", record)).lower()))
    return [word for word, _ in counts.most_common()]


def _index(records, folder):
    """Run Pagefind over files with nothing but text. (Its Python interface may end before all is written.)"""
    with TemporaryDirectory() as texts:
        for name, record in records.items():
            path = Path(texts, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(record, encoding="utf-8")
        command = [sys.executable, "-m", "pagefind", "--site", texts, "--output-path", str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"Pagefind could not index the site:\n{done.stdout.strip()}")
    for unused in (*folder.glob("pagefind-*ui.*"), folder / "pagefind-highlight.js"):
        unused.unlink()
