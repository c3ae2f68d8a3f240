"""The figures of trees show the tree that they are given: its questions, boxes, gains, keys and costs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from mlcourse.classical import DecisionTreeClassifier, DecisionTreeRegressor
from mlcourse.display import trees as draw
from mlcourse.display.style import COLORS, GRID, INK


def texts(ax):
    return [text.get_text() for text in ax.texts]


X = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 1.0], [3.0, 9.0], [4.0, 1.0], [5.0, 9.0]])
y = np.array([0, 0, 1, 2, 1, 2])


def test_a_tree_shows_its_questions_and_the_counts_in_its_leaves(ax):
    tree = DecisionTreeClassifier().fit(X, y).tree_
    draw.draw_tree(ax, tree, ["length", "width"], ["a", "b", "c"])
    shown = texts(ax)
    assert sum("≤" in text for text in shown) == (tree.feature >= 0).sum() == 2
    assert "length ≤ 1.5" in shown
    assert {"a\n(2 · 0 · 0)", "b\n(0 · 2 · 0)", "c\n(0 · 0 · 2)"} <= set(shown)
    assert {" yes ", " no "} <= set(shown)


def test_a_tree_of_numbers_shows_means_and_sizes(ax):
    draw.draw_tree(ax, DecisionTreeRegressor(max_depth=1).fit(X[:, :1], [1.0, 1, 1, 5, 5, 5]).tree_, ["x"])
    assert {"x ≤ 2.5", "1\n(3)", "5\n(3)"} <= set(texts(ax))


def test_children_stand_below_their_parent_on_both_sides():
    tree = DecisionTreeClassifier().fit(X, y).tree_
    place = draw._places(tree)
    for node, (x, height) in place.items():
        if tree.feature[node] >= 0:
            left, right = place[tree.left[node]], place[tree.left[node] + 1]
            assert left[0] < x < right[0]
            assert left[1] == right[1] == height - 1


def test_a_pruned_tree_is_drawn_without_what_was_cut_off(ax):
    tree = DecisionTreeClassifier(max_depth=2).fit(X, y).tree_
    tree.feature[tree.left[0] : tree.left[0] + 2] = -1
    draw.draw_tree(ax, tree, ["length", "width"], ["a", "b", "c"])
    assert sum("≤" in text for text in texts(ax)) == 1


def test_regions_are_the_boxes_of_the_leaves_and_fill_the_picture(ax):
    model = DecisionTreeClassifier().fit(X, y)
    draw.draw_regions(ax, model.tree_, X, y, ["a", "b", "c"])
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_fill()]
    assert len(boxes) == model.get_n_leaves()
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert sum(box.get_width() * box.get_height() for box in boxes) == pytest.approx((right - left) * (high - low))
    for box in boxes:
        said = int(model.predict([box.get_center()])[0])
        assert box.get_facecolor()[:3] == to_rgb(COLORS[said])
    assert [line.get_label() for line in ax.lines] == ["a", "b", "c"]


def gini(p):
    return 1 - (p**2).sum()


def test_the_gap_at_the_chord_is_the_gain(ax):
    draw.draw_chord(ax, gini, 0.0, 0.5, 0.4)
    bar = next(line for line in ax.lines if line.get_linewidth() == 3)
    low, high = bar.get_ydata()
    assert high - low == pytest.approx(2 * 0.4 * 0.6 * 0.5**2)
    assert "gain" in texts(ax)


def test_without_a_gain_there_is_no_gap(ax):
    draw.draw_chord(ax, lambda p: 1 - p.max(), 0.0, 0.4, 0.4)
    assert "gain" not in texts(ax)


def test_the_search_marks_its_best_threshold():
    figure, axes = plt.subplots(2, 1)
    draw.draw_cut_search(axes, X[:, 0], y, np.array([0.5, 1.5, 2.5]), np.array([0.1, 0.4, 0.2]), ["a", "b", "c"])
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["a", "b", "c"]
    assert axes[1].lines[1].get_xdata()[0] == 1.5
    plt.close(figure)


def test_keys_are_sorted_and_cuts_lie_where_the_rank_changes(ax):
    slot, rank, labels = np.array([1, 0, 0, 1, 0]), np.array([1, 2, 0, 0, 2]), np.array([1, 1, 0, 0, 0])
    draw.draw_keys(ax, slot, rank, labels, n_ranks=3, k=2)
    shown = texts(ax)
    keys = ((slot * 3 + rank) * 2 + labels).tolist()
    row = lambda name: shown[shown.index(name) + 1 : shown.index(name) + 6]  # noqa: E731
    assert row("key") == list(map(str, keys))
    assert row("key, sorted") == list(map(str, sorted(keys)))
    assert row("class 1 so far") == ["0", "0", "1", "0", "1"]
    assert [line.get_xdata()[0] for line in ax.lines] == [1, 4]


def test_the_best_cost_is_the_lower_envelope(ax):
    alphas, risks, leaves = np.array([0.0, 0.1, 0.3]), np.array([0.1, 0.3, 0.6]), np.array([4, 2, 1])
    draw.draw_cost_lines(ax, alphas, risks, leaves)
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["the best tree"].get_ydata()[:3] == pytest.approx([0.1, 0.5, 0.9])
    assert lines["a branch is cut off"].get_xdata().tolist() == [0.1, 0.3]
    assert {"4", "2", "1"} <= set(texts(ax))


def test_only_colors_that_follow_the_theme(ax):
    draw.draw_tree(ax, DecisionTreeClassifier().fit(X, y).tree_, ["length", "width"], ["a", "b", "c"])
    allowed = {to_rgb(c) for c in (*COLORS, INK, GRID)}
    assert {tuple(box.get_facecolor()[:3]) for box in ax.patches if box.get_fill()} <= allowed
    assert {to_rgb(line.get_color()) for line in ax.lines} <= allowed
