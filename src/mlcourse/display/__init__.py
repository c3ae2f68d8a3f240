"""What chapters show: figures in the course's style, source code of the package, measured times."""

from mlcourse.display.source import show_source
from mlcourse.display.style import COLORS, GRID, INK
from mlcourse.display.timing import compare_times

__all__ = ["COLORS", "GRID", "INK", "compare_times", "show_source"]
