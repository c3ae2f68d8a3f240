"""An explorable in a notebook: a widget where anywidget is installed, otherwise a sentence."""

from __future__ import annotations

from functools import cache

from mlcourse.explorables import modules


def show(name, **state):
    """Show an explorable in a notebook.

    Parameters
    ----------
    name : str
        One of `mlcourse.explorables.NAMES`.
    **state
        Where it begins, instead of its usual start.

    Returns
    -------
    Explorable or Words
        The widget, whose `state` holds the numbers of what it shows. If the package anywidget is missing, words that say so.

    Raises
    ------
    ValueError
        If there is no such explorable.

    Examples
    --------
    >>> show("projektion")
    Traceback (most recent call last):
        ...
    ValueError: there is no explorable 'projektion'; did you mean 'projection'?
    """
    modules.about(name)
    try:
        widget = _widget(name)
    except ModuleNotFoundError:
        return Words(name)
    return widget(data=modules.data(name), state=state)


class Words:
    """What stands in for an explorable that cannot be shown."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        about = modules.about(self.name)
        return (
            f"{about['title']}. {about['question']}\n"
            "This figure moves if the package anywidget is installed: run `%pip install anywidget`, restart the kernel, "
            "and run this cell again."
        )

    def _repr_markdown_(self):
        return repr(self).replace("\n", "\n\n")


@cache
def _widget(name):
    import anywidget
    import traitlets

    class Explorable(anywidget.AnyWidget):
        """An explorable; `state` is where it stands."""

        _esm = modules.source(name)
        _css = modules.style()
        state = traitlets.Dict().tag(sync=True)
        data = traitlets.Dict().tag(sync=True)

    return Explorable
