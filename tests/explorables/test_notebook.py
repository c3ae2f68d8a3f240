"""`show` in a notebook, with anywidget and without it."""

import subprocess
import sys

import pytest

from mlcourse.explorables import NAMES, about, modules, show, source


@pytest.mark.parametrize("name", NAMES)
def test_a_widget_runs_the_module_of_the_site(name):
    widget = show(name)
    assert widget.get_state()["_esm"] == source(name)
    assert widget.get_state()["_css"] == modules.style()
    assert widget.data == modules.data(name)
    assert widget.state == {}


def test_a_widget_can_begin_elsewhere():
    assert show("projection", t=0.5).state == {"t": 0.5}


def test_without_anywidget_it_says_what_to_do():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "from mlcourse.explorables import show\n"
        "shown = show('digit'); print(repr(shown)); print(shown._repr_markdown_())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert about("digit")["question"] in done.stdout
    assert "%pip install anywidget" in done.stdout


def test_unknown_name():
    with pytest.raises(ValueError, match="did you mean 'broadcasting'"):
        show("broadcast")
