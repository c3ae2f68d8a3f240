"""The network that draws conclusions: how good it is, and that the page computes what NumPy does."""

import re

import numpy as np
import pytest

from mlcourse.data import load_digits
from mlcourse.explorables import digit, modules
from tests.conftest import ROOT
from tests.explorables.node import evaluate

STROKES = {
    0: [[(150, 60), (95, 110), (90, 190), (140, 245), (200, 205), (205, 110), (150, 60)]],
    1: [[(110, 100), (155, 60), (152, 240)]],
    2: [[(95, 100), (120, 65), (170, 62), (195, 100), (160, 165), (95, 240), (210, 240)]],
    3: [[(95, 75), (150, 55), (190, 90), (140, 140), (195, 185), (160, 240), (95, 230)]],
    4: [[(160, 55), (90, 175), (215, 175)], [(175, 120), (165, 250)]],
    5: [[(195, 60), (110, 62), (100, 135), (165, 130), (195, 180), (160, 238), (95, 230)]],
    6: [[(175, 55), (115, 130), (105, 210), (150, 245), (195, 205), (160, 165), (110, 190)]],
    7: [[(90, 70), (205, 70), (150, 150), (130, 245)]],
    8: [[(150, 145), (100, 105), (150, 60), (200, 105), (150, 145), (95, 195), (150, 245), (205, 195), (150, 145)]],
    9: [[(190, 120), (140, 140), (105, 105), (145, 60), (190, 80), (190, 160), (170, 245)]],
}
"""A digit each, drawn with straight lines in the square of 300 by 300."""


@pytest.fixture(scope="module")
def kept():
    """The digits that tools/train_digit.py does not learn from: their writers are other people."""
    digits = load_digits()
    return digits.X[1347:] / 16, digits.y[1347:]


def test_training_keeps_the_same_digits():
    assert re.search(r"^N_TRAIN, .* = 1347,", (ROOT / "tools/train_digit.py").read_text(), re.MULTILINE)


def test_shipped_weights_read_digits_of_strangers(kept):
    X, y = kept
    accuracy = np.mean(digit.scores(X).argmax(axis=1) == y)
    assert accuracy >= 0.97
    assert f"{accuracy:.0%}".replace("%", " %") in (ROOT / "book/index.md").read_text()


def test_page_computes_what_numpy_computes(kept):
    X, _ = kept
    script = "images.map((x) => m.scores(m.unpack(data), Float32Array.from(x)))"
    found = evaluate("digit", script, images=X.tolist(), data=modules.data("digit"))
    assert np.abs(np.array(found) - digit.scores(X)).max() < 1e-4
    assert np.array_equal(np.argmax(found, axis=1), digit.scores(X).argmax(axis=1))


def test_weights_are_as_many_as_the_page_says():
    layers = modules.data("digit")["layers"]
    count = sum(np.prod(layer["shape"]) + len(layer["bias"]) for layer in layers)
    assert f"{count:,} weights" in (ROOT / "book/index.md").read_text()


def test_softmax():
    found = evaluate("digit", "m.softmax([1000, 1001, 999])")
    expected = np.exp([0.0, 1.0, -1.0])
    assert np.allclose(found, expected / expected.sum())


def test_examples_were_kept(kept):
    X, y = kept
    for example in modules.data("digit")["examples"]:
        image = np.array([int(c, 17) for c in example["image"]]) / 16
        matches = (image == X).all(axis=1)
        assert matches.any() and y[matches.argmax()] == example["label"]
    assert {example["label"] for example in modules.data("digit")["examples"]} == set(range(10))


def test_a_drawing_looks_like_the_data():
    strokes = list(STROKES.values())
    images = evaluate("digit", "strokes.map((s) => Array.from(m.rasterize(s)))", strokes=strokes)
    data = load_digits().X / 16
    for image in np.reshape(images, (-1, 8, 8)):
        assert image.min() == 0 and 0.9 < image.max() <= 1
        assert image[0].any() and image[7].any() and not image[:, 0].any()
        assert data.sum(axis=1).min() < image.sum() < data.sum(axis=1).max()


def test_place_and_size_of_a_drawing_do_not_matter():
    strokes = STROKES[5]
    moved = [[(0.4 * x + 100, 0.4 * y - 20) for x, y in stroke] for stroke in strokes]
    first, second = evaluate("digit", "[a, b].map((s) => Array.from(m.rasterize(s)))", a=strokes, b=moved)
    assert np.allclose(first, second, atol=0.07)


def test_a_point_and_a_line_are_drawn_too():
    images = evaluate("digit", "[[[[9, 9]]], [[[0, 5], [90, 5]]]].map((s) => Array.from(m.rasterize(s)))")
    assert all(0 < np.sum(image) < 40 for image in images)


def test_digits_drawn_with_a_mouse_are_read():
    script = "strokes.map((s) => m.scores(m.unpack(data), m.rasterize(s)))"
    found = evaluate("digit", script, strokes=list(STROKES.values()), data=modules.data("digit"))
    assert np.argmax(found, axis=1).tolist() == list(STROKES)
