"""Axes to draw a figure on, without a screen."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def ax():
    """Axes that are drawn at the end of the test, where some faults first show."""
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)
