"""The figures of the chapter on optimizers draw what they say."""

import numpy as np
import pytest

from mlcourse.display import optimizers


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_surface_has_levels_from_its_lowest_to_its_highest_point(ax):
    optimizers.draw_surface(ax, lambda a, b: a * a + b * b + 3, (-1, 1), (-2, 2), n_levels=5, minima=[(0, 0)])
    levels = ax.collections[0].levels
    assert len(levels) == 5
    assert levels[0] > 3
    assert levels[-1] == pytest.approx(8)
    assert np.all(np.diff(levels, 2) > 0)
    assert ax.get_xlim() == (-1, 1)
    assert ax.get_ylim() == (-2, 2)
    assert labels(ax) == ["minimum"]


def test_two_minima_have_one_entry_in_the_legend(ax):
    optimizers.draw_surface(ax, lambda a, b: a * a + b * b, (-1, 1), (-1, 1), minima=[(0, 0), (0.5, 0)])
    assert labels(ax) == ["minimum"]
    assert len(ax.lines) == 2


def test_ways_differ_in_color_line_and_marker_and_share_their_start(ax):
    ways = {name: np.array([[1.0, 2.0], [k, k]]) for k, name in enumerate("abcdef")}
    optimizers.draw_ways(ax, ways)
    assert labels(ax) == list("abcdef")
    *lines, start = ax.lines
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 6
    assert len({str(line._unscaled_dash_pattern) + line.get_linestyle() for line in lines}) == 6
    assert lines[3].get_xydata().tolist() == [[1, 2], [3, 3]]
    assert start.get_xydata().tolist() == [[1, 2]]


def test_rates_are_sorted_and_the_lowest_is_ringed(ax):
    optimizers.draw_rates(ax, {"SGD": {0.1: 3.0, 0.01: 2.0, 1.0: 4.0}})
    line, ring = ax.lines
    assert line.get_xdata().tolist() == [0.01, 0.1, 1.0]
    assert ring.get_xydata().tolist() == [[0.01, 2.0]]
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_runs_show_every_score_and_the_mean(ax):
    scores = {"one": {"first": np.array([1.0, 3.0]), "second": np.array([5.0])}, "two": {"first": np.array([2.0])}}
    optimizers.draw_runs(ax, scores)
    dots, mean = ax.lines[:2]
    assert dots.get_xdata().tolist() == [1, 3]
    assert mean.get_xdata().tolist() == [2, 2]
    assert labels(ax) == ["first", "second"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "two"]
