"""The helper package of the course: small, tested, readable from scratch code, one folder for each part of the book."""

__version__ = "0.1.0"
__all__ = ["ShapeError", "__version__", "check_shapes", "setup"]


def __getattr__(name):
    """Load what needs NumPy when it is asked for, as the checks of exercises in plain Python run without it."""
    if name not in ("ShapeError", "check_shapes"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mlcourse import shapes

    return getattr(shapes, name)


def setup():
    """Prepare a notebook: the course's figure style, and printed results that fit a page.

    It is the first cell of every chapter and may be called again.
    """
    from mlcourse.display import style

    style.use()
