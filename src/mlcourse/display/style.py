"""One figure for the light and the dark theme.

A figure is emitted as one SVG whose neutral colors and palette are CSS variables, set by `prefers-color-scheme` inside
the SVG. On the site it follows the theme button; elsewhere it follows the system or stays a legible card, for it brings its own background.
"""

from __future__ import annotations

import io

COLORS = ("#1b66c0", "#902a00", "#0b5f4a", "#6a2488", "#806e00", "#c83675")
"""The palette on a light page: at least 4.5:1 against white, and apart from each other for every kind of color vision."""

INK, MUTED, GRID, PAPER = "#010203", "#535558", "#c8cacc", "#fefdfc"
"""Stand-ins for the color of text, of axes, of secondary lines, and of the background; use INK where you would write black."""

_ON_LIGHT = {"ink": "#1f2328", "muted": "#545c66", "grid": "#c8cacc", "paper": "#ffffff"}
_ON_DARK = {"ink": "#e3e5e8", "muted": "#a7aeb7", "grid": "#55585b", "paper": "#121212"}
_COLORS_ON_DARK = ("#7ab3f7", "#f58050", "#63e0a6", "#a671e2", "#f5d862", "#c4669b")


def use():
    """Apply the style to Matplotlib, and to the notebook if there is one."""
    import matplotlib as mpl

    mpl.rcParams.update(
        {
            "axes.edgecolor": MUTED,
            "axes.facecolor": PAPER,
            "axes.labelcolor": INK,
            "axes.linewidth": 0.9,
            "axes.prop_cycle": mpl.cycler(color=COLORS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "axes.titlesize": 11,
            "figure.dpi": 100,
            "figure.facecolor": PAPER,
            "figure.figsize": (6.0, 3.6),
            "font.size": 11,
            "grid.color": GRID,
            "image.cmap": "cividis",
            "legend.edgecolor": PAPER,
            "legend.facecolor": PAPER,
            "legend.labelcolor": INK,
            "lines.linewidth": 2,
            "patch.edgecolor": PAPER,
            "savefig.facecolor": PAPER,
            "svg.fonttype": "path",
            "text.color": INK,
            "xtick.color": MUTED,
            "ytick.color": MUTED,
        }
    )
    _use_in_notebook()


def themed_svg(figure):
    """Draw a Matplotlib figure as an SVG that follows the theme of the page it is on.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        The SVG element.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "mlcourse"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for number, color in enumerate(COLORS):
        svg = svg.replace(color, f"var(--c{number})")
    for color, name in ((INK, "ink"), (MUTED, "muted"), (GRID, "grid"), (PAPER, "paper")):
        svg = svg.replace(color, f"var(--{name})")
    end = svg.index(">") + 1
    return svg[: end - 1] + ' class="mlcourse-figure">' + _theme_css() + svg[end:]


def _theme_css():
    light = _variables({**_ON_LIGHT, **{f"c{i}": color for i, color in enumerate(COLORS)}})
    dark = _variables({**_ON_DARK, **{f"c{i}": color for i, color in enumerate(_COLORS_ON_DARK)}})
    return f"<style>.mlcourse-figure{{{light}}}@media(prefers-color-scheme:dark){{.mlcourse-figure{{{dark}}}}}</style>"


def _variables(values):
    return "".join(f"--{name}:{value};" for name, value in values.items())


def _use_in_notebook():
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib.figure import Figure
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("svg")
    shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, themed_svg)
