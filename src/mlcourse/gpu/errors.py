"""What can go wrong with a kernel: it does not compile, or it cannot run as asked."""


class CompileError(Exception):
    """The compiler refused the source; the message shows the line and what it says about it."""


class KernelError(RuntimeError):
    """A kernel could not be started as asked, or failed while it ran."""
