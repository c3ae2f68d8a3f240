"""The figure style: one SVG for both themes, in colors that can be read and told apart."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from mlcourse.display import style


@pytest.fixture
def svg():
    mpl.use("Agg")
    with mpl.rc_context():
        style.use()
        fig, ax = plt.subplots()
        ax.plot([0, 1], [0, 1])
        ax.plot([0, 1], [1, 0], color=style.GRID)
        ax.set_xlabel("label")
        text = style.themed_svg(fig)
        plt.close(fig)
    return text


def test_svg_is_well_formed_and_has_both_palettes(svg):
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "prefers-color-scheme:dark" in svg
    for name in ("ink", "muted", "paper", "grid", "c0"):
        assert f"var(--{name})" in svg


def test_no_stand_in_color_is_left(svg):
    body = re.sub(r"<style>.*?</style>", "", svg, count=1)
    for color in (style.INK, style.MUTED, style.PAPER, style.GRID, *style.COLORS):
        assert color not in body


def test_svg_is_the_same_every_time():
    code = (
        "import matplotlib; matplotlib.use('Agg')\n"
        "import hashlib, matplotlib.pyplot as plt\nfrom mlcourse.display import style\nstyle.use()\n"
        "fig, ax = plt.subplots(); ax.plot([0, 1]); print(hashlib.sha256(style.themed_svg(fig).encode()).hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
