"""The helper package of the course: small, tested, readable from scratch code, one folder for each part of the book."""

from mlcourse.shapes import ShapeError, check_shapes

__version__ = "0.1.0"
__all__ = ["ShapeError", "__version__", "check_shapes", "setup"]


def setup():
    """Prepare a notebook: the course's figure style, and printed results that fit a page.

    It is the first cell of every chapter and may be called again.
    """
    from mlcourse.display import style

    style.use()
