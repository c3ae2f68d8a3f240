"""What turns the written sources into the book: the course's structure, derived notebooks, execution, the site."""

import sys


def start_fast():
    """Keep jsonschema from compiling the 38 grammars of `rfc3987_syntax`: they check formats that no file of a course has."""
    sys.modules.setdefault("rfc3987_syntax", None)
