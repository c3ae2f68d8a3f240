"""Python's objects in pictures: names that lead to them, the gaps of a slice, the bytes of a text, floats; and tracebacks."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.patches import FancyArrowPatch, Rectangle

from mlcourse.display.python import canvas, draw_cells
from mlcourse.display.style import COLORS, GRID, INK
from mlcourse.python.basics import steps_from

__all__ = ["draw_encoding", "draw_floats", "draw_gaps", "draw_names", "traceback_of"]

_ROW = 1.9


def draw_names(ax, names, *, title=""):
    """Draw which name leads to which object; an object is drawn once, whatever number of names and slots lead to it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : dict of str to object
        The names and what they are bound to. Lists are drawn as a row of slots; a list in a slot is an object of its own,
        other items are written into their slot.
    title : str
        What stands above the picture.
    """
    outer = _distinct(names.values())
    inner = _distinct(item for value in outer if isinstance(value, list) for item in value if isinstance(item, list))
    inner = [value for value in inner if all(value is not other for other in outer)]
    right = 4.2 + max(_width(value) for value in outer) + 1.8
    columns = [(value, 4.2, row) for row, value in enumerate(outer)]
    columns += [(value, right, row) for row, value in enumerate(inner)]
    places = {id(value): (left, 0.5 + _ROW * row) for value, left, row in columns}
    high = 0.5 + _ROW * max(len(names), len(outer), len(inner))
    wide = (right + max(_width(value) for value in inner)) if inner else right - 1.8
    canvas(ax, wide + 0.1, high - 0.3, left=-0.1, top=-1.0)
    ax.text(-0.05, -0.75, title, ha="left", va="center", fontsize=9.5, family="monospace")
    for value, left, row in columns:
        _draw_object(ax, value, left, 0.5 + _ROW * row, places)
    for row, (name, value) in enumerate(names.items()):
        y = 1.0 + _ROW * row
        ax.text(1.9, y, name, ha="right", va="center", fontsize=11, family="monospace")
        left, top = places[id(value)]
        _draw_arrow(ax, (2.1, y), (left - 0.08, top + 0.5))


def _distinct(values):
    """The objects among values, each once."""
    found = []
    for value in values:
        if all(value is not other for other in found):
            found.append(value)
    return found


def _width(value):
    return max(len(value), 1) if isinstance(value, list) else max(1.0, 0.34 * len(repr(value)) + 0.5)


def _draw_object(ax, value, left, top, places):
    ax.text(left, top - 0.28, type(value).__name__, ha="left", va="center", fontsize=8.5)
    if not isinstance(value, list):
        width = _width(value)
        ax.add_patch(Rectangle((left, top), width, 1, facecolor=COLORS[1], alpha=0.28, linewidth=0))
        ax.add_patch(Rectangle((left, top), width, 1, fill=False, edgecolor=INK, linewidth=1.2))
        ax.text(left + width / 2, top + 0.53, repr(value), ha="center", va="center", fontsize=10, family="monospace")
        return
    texts = ["" if id(item) in places else repr(item) for item in value]
    draw_cells(ax, [texts or [""]], at=(left, top), colors=0)
    for number, item in enumerate(value):
        if id(item) in places:
            x, y = places[id(item)]
            ax.plot(left + number + 0.5, top + 0.5, "o", color=INK, markersize=4, zorder=6)
            bend = -0.22 * (len(value) - 1 - number) if y == top else 0
            _draw_arrow(ax, (left + number + 0.5, top + 0.5), (x - 0.08, y + 0.5), bend)


def _draw_arrow(ax, start, end, bend=0.0):
    look = {"arrowstyle": "-|>", "mutation_scale": 12, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=INK, zorder=5, connectionstyle=f"arc3,rad={bend}", **look))


def draw_gaps(ax, word, start, stop, step=1):
    """Draw what a slice of a string selects: its ends are gaps between the characters, counted from both sides.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    word : str
    start, stop : int or None
    step : int
    """
    chosen = range(len(word))[start:stop:step]
    canvas(ax, len(word) + 2.7, 2.2, left=-1.0, top=-1.6)
    draw_cells(ax, [list(word)], colors=[[0 if i in chosen else -1 for i in range(len(word))]])
    for gap in range(len(word) + 1):
        ax.plot([gap, gap], [-0.25, 1.25], color=INK, linewidth=1, linestyle=":")
        ax.text(gap, -0.5, str(gap), ha="center", va="center", fontsize=9)
        if gap < len(word):
            ax.text(gap, 1.55, str(gap - len(word)).replace("-", "−"), ha="center", va="center", fontsize=9)
    for order, i in enumerate(chosen):
        ax.text(i + 0.5, 1.95, f"{order + 1}.", ha="center", va="center", fontsize=8.5, color=COLORS[0])
    written = ":".join("" if number is None else str(number) for number in (start, stop))
    written += "" if step == 1 else f":{step}"
    ax.text(
        0,
        -1.2,
        f"word[{written}] is {word[start:stop:step]!r}",
        ha="left",
        va="center",
        fontsize=9.5,
        family="monospace",
    )


def draw_encoding(ax, text):
    """Draw a text as characters, as code points, and as the bytes of UTF-8, each byte a box.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    text : str
    """
    coded = [character.encode() for character in text]
    total = sum(map(len, coded))
    canvas(ax, total + 0.1, 3.5, left=-0.1, top=-0.1)
    left = 0
    for number, (character, raw) in enumerate(zip(text, coded, strict=True)):
        color, middle = number % 2, left + len(raw) / 2
        ax.add_patch(Rectangle((left, 0), len(raw), 1, facecolor=COLORS[color], alpha=0.28, linewidth=0))
        ax.add_patch(Rectangle((left, 0), len(raw), 1, fill=False, edgecolor=INK, linewidth=1.2))
        ax.text(middle, 0.53, character, ha="center", va="center", fontsize=13)
        ax.text(middle, 1.5, f"U+{ord(character):04X}", ha="center", va="center", fontsize=9, family="monospace")
        draw_cells(ax, [[f"{byte:02x}" for byte in raw]], at=(left, 2), colors=color)
        left += len(raw)
    for byte in range(total):
        ax.text(byte + 0.5, 3.28, str(byte), ha="center", va="center", fontsize=8)


def draw_floats(ax, exact, values):
    """Draw the floats around a number, and where some values lie among them; the unit is one step between neighbors.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    exact : str
        The number as a decimal, such as ``"0.3"``.
    values : dict of str to float
        What to mark, by the text that computes it.
    """
    nearest = float(exact)
    floats = [nearest + k * math.ulp(nearest) for k in range(-2, 4)]
    for value in floats:
        ax.plot([steps_from(value, exact)] * 2, [-0.25, 0.25], color=GRID, linewidth=2)
    ax.axhline(0, color=INK, linewidth=1)
    ax.plot([0, 0], [-0.9, 0.9], color=INK, linestyle="--", linewidth=1.2)
    ax.text(0.03, -0.85, f"{exact} exactly", ha="left", va="center")
    for number, (text, value) in enumerate(values.items()):
        place = steps_from(value, exact)
        ax.plot(place, 0, "os"[number % 2], color=COLORS[number], markersize=9)
        ax.text(place, 0.55, text, ha="center", va="center", color=COLORS[number], family="monospace")
    ax.set(
        xlim=(-2.4, 3.0),
        ylim=(-1.1, 1.0),
        yticks=[],
        xlabel=f"distance from {exact} (steps between neighboring floats)",
    )
    ax.spines["left"].set_visible(False)


def traceback_of(program, name="program.py"):
    """Run a program that fails, and return what Python says.

    Parameters
    ----------
    program : str
        Its source.
    name : str
        What its file is called in the message.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the program ends without an error.

    Examples
    --------
    >>> print(traceback_of("width = 5").splitlines()[-1])
    Traceback (most recent call last):
        ...
    ValueError: program.py ends without an error
    >>> traceback_of("1 / 0").splitlines()[-1]
    'ZeroDivisionError: division by zero'
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(program, encoding="utf-8")
        done = subprocess.run([sys.executable, name], cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        raise ValueError(f"{name} ends without an error")
    return done.stderr.replace(str(Path(folder, name)), name).rstrip()
