"""Images of a page: their sizes in the HTML, so that nothing moves when they arrive, and smaller SVG files."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

_LENGTH = re.compile(r"([\d.]+)(px|pt)?$")
_PIXELS = {None: 1, "px": 1, "pt": 4 / 3}


def add_image_sizes(text, folder):
    """Return a page whose images state their size; all but the first two figures wait until they are near.

    Parameters
    ----------
    text : str
        The page.
    folder : Path
        Where the page is.
    """
    article = text.find("<article")
    seen = 0

    def complete(match):
        nonlocal seen
        tag, source = match[0], re.search(r'\bsrc="([^"?]+)', match[0])
        if source is None or "width=" in re.sub(r'"[^"]*"', "", tag):
            return tag
        # The page for missing addresses, at the top of the site, writes them from the top of its host.
        place = source[1][source[1].find("_static/") :] if source[1].startswith("/") else source[1]
        size = image_size(folder / place)
        if size is None:
            return tag
        extra = f'width="{size[0]}" height="{size[1]}"'
        if match.start() > article:
            seen += 1
            extra += ' loading="lazy" decoding="async"' if seen > 1 and "loading=" not in tag else ""
        return tag.replace("<img ", f"<img {extra} ", 1)

    return re.sub(r"<img [^>]*>", complete, text)


def image_size(path):
    """Return an image's width and height in CSS pixels, or None if it is not a file of this site that says so."""
    path = Path(path)
    if not path.exists():
        return None
    if path.suffix != ".svg":
        with Image.open(path) as image:
            return image.size
    root = re.search(r"<svg\b[^>]*>", path.read_text(encoding="utf-8"))[0]
    sides = [re.search(rf'\s{side}="([^"]+)"', root) for side in ("width", "height")]
    lengths = [_LENGTH.match(side[1]) if side else None for side in sides]
    if all(lengths):
        return tuple(round(float(length[1]) * _PIXELS[length[2]]) for length in lengths)
    box = re.search(r'viewBox="[\d.-]+[ ,][\d.-]+[ ,]([\d.]+)[ ,]([\d.]+)"', root)
    return (round(float(box[1])), round(float(box[2]))) if box else None


def shrink_svg(text):
    """Return an SVG without metadata and blank space, its outlines to a hundredth of a point.

    >>> shrink_svg('<svg><metadata>x</metadata><path d="M 1.23456 2.0001 L 3 4 "/></svg>')
    '<svg><path d="M1.23 2L3 4"/></svg>'
    """
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<\?xml[^>]*\?>|<!DOCTYPE[^>]*>", "", text, flags=re.DOTALL)
    text = re.sub(r'(?<=\sd=")[^"]*(?=")', lambda match: _shrink_outline(match[0]), text)
    text = re.sub(r'(?<=\s[xy]=")-?\d+\.\d+(?=")', lambda match: _shrink_number(match[0]), text)
    return re.sub(r">\s*\n\s*<", "><", text).strip()


def _shrink_outline(outline):
    outline = re.sub(r"-?\d+\.\d+", lambda match: _shrink_number(match[0]), outline)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", re.sub(r"\s+", " ", outline)).strip()


def _shrink_number(number):
    short = f"{float(number):.2f}".rstrip("0").rstrip(".")
    return "0" if short in ("-0", "") else short
