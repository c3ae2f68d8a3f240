"""Every data set of the course. None of them needs the internet."""

from mlcourse.data.book import load_book_text
from mlcourse.data.bundled import Dataset, load_diabetes, load_digits
from mlcourse.data.spirals import make_spirals

__all__ = ["Dataset", "load_book_text", "load_diabetes", "load_digits", "make_spirals"]
