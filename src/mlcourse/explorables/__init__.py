"""Explorables: figures that move, each one ES module in the form of anywidget, the same on the site and in a notebook.

In a notebook they need the package anywidget; without it, `show` says so in words.
"""

from mlcourse.explorables.modules import NAMES, about, assets, source
from mlcourse.explorables.notebook import show

__all__ = ["NAMES", "about", "assets", "show", "source"]
