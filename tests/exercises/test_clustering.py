"""Right answers of another kind than the solution pass the checks of the chapter on clustering."""

from itertools import combinations

import numpy as np
import pytest

from mlcourse.exercises import find
from mlcourse.grading import check_answer


def pairs_one_by_one(first, second):
    pairs = list(combinations(range(len(first)), 2))
    same_first = [first[i] == first[j] for i, j in pairs]
    same_second = [second[i] == second[j] for i, j in pairs]
    both = [a and b for a, b in zip(same_first, same_second, strict=True)]
    return sum(same_first), sum(same_second), sum(both), len(pairs)


def pairs_of_a_contingency_table(first, second):
    a, b = np.unique(first, return_inverse=True)[1], np.unique(second, return_inverse=True)[1]
    table = np.zeros((a.max() + 1, b.max() + 1), int)
    np.add.at(table, (a, b), 1)
    pairs = lambda counts: (counts * (counts - 1) // 2).sum()  # noqa: E731
    return pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), pairs(table), len(first) * (len(first) - 1) // 2


def whole_colors_by_scikit_learn(pixels, k):
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=5, random_state=3).fit(pixels).cluster_centers_.round().astype(int)[::-1]


def colors_by_own_lloyd(pixels, k):
    rng, best = np.random.default_rng(1), None
    for _ in range(8):
        centers = pixels[rng.integers(len(pixels), size=1)]
        while len(centers) < k:
            weight = ((pixels[:, None] - centers) ** 2).sum(axis=2).min(axis=1)
            centers = np.vstack([centers, pixels[rng.choice(len(pixels), p=weight / weight.sum())]])
        for _ in range(25):
            labels = ((pixels[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
            centers = np.array([pixels[labels == j].mean(axis=0) for j in range(k)])
        error = ((pixels - centers[labels]) ** 2).sum()
        if best is None or error < best[0]:
            best = error, centers
    return best[1]


@pytest.mark.parametrize("answer", [pairs_one_by_one, pairs_of_a_contingency_table])
def test_pairs_may_be_counted_in_any_way(answer):
    assert check_answer(find("count_pairs"), answer).passed


@pytest.mark.parametrize("answer", [whole_colors_by_scikit_learn, colors_by_own_lloyd])
def test_a_palette_may_come_from_anywhere_and_in_any_order(answer):
    result = check_answer(find("choose_palette"), answer)
    assert result.passed, result


def test_a_palette_that_is_too_bad_is_told_by_how_much():
    result = check_answer(find("choose_palette"), lambda pixels, k: np.full((k, 3), 128.0))
    assert "times that of scikit-learn's palette" in repr(result)
