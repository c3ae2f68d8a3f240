"""One palette everywhere: apart for every kind of color vision, legible on its background, the same in each file that needs it."""

import re
from itertools import combinations

import numpy as np
import pytest

from mlcourse.display import style
from tests.conftest import ROOT

APART = 10
"""CIEDE2000: about 1 is just noticed side by side; 10 is told apart at a glance, also in thin lines."""

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
VISION = {
    "ordinary": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
PALETTES = {
    "light": (style.COLORS, style._ON_LIGHT),
    "dark": (style._COLORS_ON_DARK, style._ON_DARK),
}


def linear_rgb(color):
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    low, high = sorted(float(linear_rgb(color) @ [0.2126, 0.7152, 0.0722]) for color in (a, b))
    return (high + 0.05) / (low + 0.05)


def as_lab(rgb):
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(first, second):
    """CIEDE2000 between two colors in CIELAB."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25**7))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = np.arctan2(b1, stretch * a1), np.arctan2(b2, stretch * a2)
    turn = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, np.degrees(h1 + turn / 2) % 360
    cosines = np.cos(np.radians([hue - 30, 2 * hue, 3 * hue + 6, 4 * hue - 63]))
    weight_h = 1 + 0.015 * chroma * (1 + cosines @ [-0.17, 0.24, 0.32, -0.20])
    weight_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    dl, dc = (l2 - l1) / weight_l, (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / weight_h
    swing = np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * swing
    return np.sqrt(dl**2 + dc**2 + dh**2 + rotation * dc * dh)


def test_the_difference_is_ciede2000():
    """Two pairs of the test data of Sharma, Wu and Dalal (2005)."""
    assert difference((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert difference((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387)) == pytest.approx(1.2644, abs=1e-4)


@pytest.mark.parametrize("theme", PALETTES)
def test_colors_stay_apart_for_every_kind_of_color_vision(theme):
    colors, neutral = PALETTES[theme]
    faults = []
    for vision, matrix in VISION.items():
        seen = {color: as_lab(np.array(matrix) @ linear_rgb(color)) for color in (*colors, neutral["ink"])}
        for a, b in combinations(seen, 2):
            if (found := difference(seen[a], seen[b])) < APART:
                faults.append(f"{a} and {b} differ by {found:.1f} with {vision}, at least {APART} are needed")
    assert faults == []


@pytest.mark.parametrize("theme", PALETTES)
def test_colors_can_be_read_on_their_background(theme):
    colors, neutral = PALETTES[theme]
    assert len(colors) == len(style.COLORS)
    faults = {color: contrast(color, neutral["paper"]) for color in (*colors, neutral["ink"], neutral["muted"])}
    assert {color: ratio for color, ratio in faults.items() if ratio < 4.5} == {}


# ---- the same colors in every file that cannot ask Python for them


def variables(text, selector):
    body = re.search(re.escape(selector) + r"\s*\{([^}]*)\}", text)[1]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", body))


def site(theme):
    return variables((ROOT / "book/_static/site.css").read_text(encoding="utf-8"), f"html[data-theme={theme}]")


@pytest.mark.parametrize("theme", PALETTES)
def test_the_site_has_the_palette_of_the_figures(theme):
    colors, neutral = PALETTES[theme]
    found = site(theme)
    assert tuple(found[f"mlc-c{i}"] for i in range(len(colors))) == colors
    assert (found["mlc-ink"], found["mlc-muted"]) == (neutral["ink"], neutral["muted"])
    assert found["mlc-paper"] == neutral["paper"].replace("#ffffff", "#fff")


@pytest.mark.parametrize(("theme", "selector"), [("light", ".mlx"), ("dark", ".vscode-dark .mlx")])
def test_explorables_have_the_palette_of_the_figures(theme, selector):
    text = (ROOT / "src/mlcourse/explorables/mlx.css").read_text(encoding="utf-8")
    found, colors = variables(text, f"\n{selector}"), PALETTES[theme][0]
    assert [found[f"mlx-{name}"] for name in "abc"] == list(colors[:3])
    for name, own in {"ink": "mlc-ink", "muted": "mlc-muted", "paper": "mlc-paper", "grid": "mlc-border"}.items():
        assert found[f"mlx-{name}"].rstrip(")").split()[-1] == site(theme)[own], name


@pytest.mark.parametrize("theme", PALETTES)
def test_the_teachers_pages_have_the_colors_of_the_site(theme):
    from mlcourse.grading.feedback import _STYLE

    found = variables(_STYLE, ":root" if theme == "light" else "@media (prefers-color-scheme: dark) { :root")
    colors, own = PALETTES[theme][0], site(theme)
    assert (found["note"], found["wrong"], found["right"]) == colors[:3]
    for name, wanted in {"paper": "paper", "ink": "ink", "muted": "muted", "line": "border"}.items():
        assert found[name] == own[f"mlc-{wanted}"], name
    assert found["caution"] == own["mlc-caution"].replace("var(--mlc-c4)", colors[4])


def test_the_marks_of_the_site_have_its_colors():
    logo = (ROOT / "book/_static/logo.svg").read_text(encoding="utf-8")
    favicon = (ROOT / "book/_static/favicon.svg").read_text(encoding="utf-8")
    assert set(re.findall(r"\.(?:vector|base)\{stroke:(#\w+)", logo)) == {*style.COLORS[:2], *style._COLORS_ON_DARK[:2]}
    assert re.findall(r'fill="(#\w+)"', favicon) == [style.COLORS[0]]
