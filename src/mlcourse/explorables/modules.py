"""The modules as they are shipped: what all share is written once, in `kit.mjs`, and put into each."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

NAMES = ("projection", "broadcasting", "least-squares", "gradient-descent", "digit")
"""The explorables that there are."""

STYLE = "mlx.css"
_DATA = {"digit": "digit.json"}
_ABOUT = re.compile(r"^export const about = (\{.*?^\});$", re.MULTILINE | re.DOTALL)
_DEFINED = re.compile(r"^(?:export )?(?:const|function) (\w+)", re.MULTILINE)
_KIT_IMPORT = re.compile(r'^import \{[^}]*\} from "\./kit\.mjs";\n', re.MULTILINE)


@cache
def source(name):
    """Return the one file of an explorable: an ES module that imports nothing.

    Comments and indentation are left out, so that the page stays small; they are in the package.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such explorable.
    """
    module = _KIT_IMPORT.sub("", _text(f"{_known(name)}.mjs"))
    kit = re.sub(r"^export ", "", _parts_of_kit(module), flags=re.MULTILINE)
    return re.sub(r"^[ ]*(?://.*)?\n|^[ ]+", "", f"{kit}\n{module}", flags=re.MULTILINE)


def _parts_of_kit(module):
    """The blocks of the kit, which blank lines separate, that the module uses itself or through another block."""
    used, text = [], module
    waiting = _text("kit.mjs").split("\n\n")
    while found := [b for b in waiting if any(re.search(rf"\b{n}\b", text) for n in _DEFINED.findall(b))]:
        used += found
        waiting = [block for block in waiting if block not in found]
        text = "\n".join(found)
    return "\n".join(used)


@cache
def about(name):
    """Return what an explorable says of itself: title, question, and the room that it takes.

    Examples
    --------
    >>> about("projection")["title"]
    'The nearest point on a line'
    """
    return json.loads(_ABOUT.search(_text(f"{_known(name)}.mjs"))[1])


def assets(name):
    """Return the file of data that an explorable needs beside its module, or None."""
    return _DATA.get(_known(name))


def data(name):
    """Return the content of that file, or an empty dict."""
    return json.loads(_text(assets(name))) if assets(name) else {}


def style():
    """Return the style sheet of all explorables."""
    return _text(STYLE)


def _text(file):
    return files("mlcourse.explorables").joinpath(file).read_text(encoding="utf-8")


def _known(name):
    if name not in NAMES:
        near = get_close_matches(str(name), NAMES, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(NAMES)}"
        raise ValueError(f"there is no explorable {name!r}; {fix}")
    return name
