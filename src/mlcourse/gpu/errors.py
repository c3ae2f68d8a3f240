"""What can go wrong with a kernel: it does not compile, or it cannot run as asked."""

from pathlib import Path
from types import TracebackType

_PACKAGE = str(Path(__file__).parent)


class _ShownBriefly(Exception):
    def _render_traceback_(self):
        """Show the caller's lines in a notebook, and not those of this package, which say nothing about the kernel."""
        from IPython import get_ipython

        shell = get_ipython()
        return shell.InteractiveTB.structured_traceback(type(self), self, _callers(self.__traceback__), tb_offset=1)


def _callers(traceback):
    if traceback is None or traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        return None
    following = _callers(traceback.tb_next)
    return TracebackType(following, traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)


class CompileError(_ShownBriefly):
    """The compiler refused the source; the message shows the line and what it says about it."""


class KernelError(_ShownBriefly, RuntimeError):
    """A kernel could not be started as asked, or failed while it ran."""
