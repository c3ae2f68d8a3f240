"""The source that chapters show is the package's own."""

import inspect

import pytest

from mlcourse.display import show_source
from mlcourse.shapes import check_shapes


def test_full_source_is_the_source():
    assert show_source(check_shapes, docstring="full").code == inspect.getsource(check_shapes).rstrip()


def test_short_docstrings_keep_the_first_line_and_the_code():
    code = show_source(check_shapes).code
    assert '"""Check that arrays have the shapes they are declared to have, and name the culprit if not."""' in code
    assert "Parameters" not in code
    compile(code, "shown", "exec")


class Example:
    """First line.

    More.
    """

    def method(self):
        """Method.

        More.
        """
        return 1


def test_class_and_method():
    assert show_source(Example).code.count('"""') == 4
    assert show_source(Example.method).code.startswith("def method(self):")


def test_it_shows_itself_as_markdown():
    assert show_source(check_shapes)._repr_markdown_().startswith("```python\ndef check_shapes(")


def test_bad_input():
    with pytest.raises(TypeError, match="a function, a class or a method; got a int"):
        show_source(3)
    with pytest.raises(ValueError, match="'short' or 'full'"):
        show_source(check_shapes, docstring="no")


def test_words_to_the_linter_are_not_shown():
    from mlcourse.classical.kmeans import lloyd

    assert "# noqa" in inspect.getsource(lloyd)
    shown = show_source(lloyd).code
    assert "noqa" not in shown and "for n_iter in range(1, max_iter + 1):\n" in shown
