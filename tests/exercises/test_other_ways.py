"""Where many answers are right, right ones of another kind than the solution pass; and no explanation is left in a student's notebook."""

from itertools import pairwise

import numpy as np
import pytest

from mlcourse.authoring.myst import read_notebook
from mlcourse.exercises import exercise_sets, find
from mlcourse.grading import check_answer
from tests.exercises.notebooks import ROOT


def refuse_other_lengths(X, y):
    if len(X) != len(y):
        raise ValueError("X and y differ in length")


def chosen_rows(X, y, batch_size, rng):
    refuse_other_lengths(X, y)
    rows = rng.choice(len(X), len(X), replace=False)
    for part in np.array_split(rows, range(batch_size, len(X), batch_size)):
        yield [X[part], y[part]]


def expression(X, y, batch_size, rng):
    refuse_other_lengths(X, y)
    table = rng.permutation(np.column_stack([X, y]))
    return ((table[i : i + batch_size, :-1], table[i : i + batch_size, -1]) for i in range(0, len(X), batch_size))


class Iterator:
    def __init__(self, X, y, batch_size, rng):
        refuse_other_lengths(X, y)
        self.rows, self.table, self.batch_size = list(rng.permutation(len(X))), (X, y), batch_size

    def __iter__(self):
        return self

    def __next__(self):
        if not self.rows:
            raise StopIteration
        rows, self.rows = self.rows[: self.batch_size], self.rows[self.batch_size :]
        return tuple(part[rows] for part in self.table)


@pytest.mark.parametrize("answer", [chosen_rows, expression, Iterator])
def test_minibatches_in_any_random_order(answer):
    assert check_answer(find("minibatches"), answer).passed


def hidden_generator(X, y, batch_size, rng):
    yield from chosen_rows(X, y, batch_size, np.random.default_rng())


def column_of_targets(X, y, batch_size, rng):
    for rows, targets in chosen_rows(X, y, batch_size, rng):
        yield rows, targets[:, None]


def rows_only(X, y, batch_size, rng):
    for rows, _ in chosen_rows(X, y, batch_size, rng):
        yield rows


def forgets_to_yield(X, y, batch_size, rng):
    refuse_other_lengths(X, y)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (hidden_generator, "draw from `rng` alone"),
        (column_of_targets, "a batch has the shapes (3, 3) and (3, 1), expected (3, 3) and (3,)"),
        (rows_only, "a pair of arrays"),
        (forgets_to_yield, "hands out its batches by `yield`"),
    ],
)
def test_minibatches_says_what_is_wrong_with_an_unknown_mistake(answer, words):
    assert words in repr(check_answer(find("minibatches"), answer))


class RowByRow:
    """Each row moves the mean; nothing is there before the first."""

    def __init__(self, n_columns):
        self.count = 0

    def update(self, X):
        for row in X:
            self.add(1, row, 0 * row)

    def merge(self, other):
        if other.count:
            self.add(other.count, other.mean, other.squares)

    def add(self, count, mean, squares):
        if not self.count:
            self.count, self.mean, self.squares = count, mean.copy(), squares.copy()
            return
        total, shift = self.count + count, mean - self.mean
        self.mean = (self.count * self.mean + count * mean) / total
        self.squares = self.squares + squares + shift**2 * self.count * count / total
        self.count = total

    def variance(self):
        return self.squares / self.count


class Shifted:
    """Sums of values and squares, but counted from the first row."""

    def __init__(self, n_columns):
        self.count, self.origin = 0, None

    def update(self, X):
        if self.origin is None:
            self.origin, self.sum, self.squares = X[0].copy(), 0 * X[0], 0 * X[0]
        self.count += len(X)
        self.sum = self.sum + (X - self.origin).sum(axis=0)
        self.squares = self.squares + ((X - self.origin) ** 2).sum(axis=0)

    def merge(self, other):
        if other.count and self.origin is None:
            self.origin, self.sum, self.squares = other.origin, 0 * other.sum, 0 * other.sum
        if other.count:
            shift = other.origin - self.origin
            self.count += other.count
            self.squares = self.squares + other.squares + 2 * shift * other.sum + other.count * shift**2
            self.sum = self.sum + other.sum + other.count * shift

    @property
    def mean(self):
        return self.origin + self.sum / self.count

    def variance(self):
        return (self.squares - self.sum**2 / self.count) / self.count


@pytest.mark.parametrize("answer", [RowByRow, Shifted])
def test_statistics_by_another_way(answer):
    assert check_answer(find("RunningStatistics"), answer).passed


class SumsOfSquares:
    """The tempting formula, in another order of operations than the known wrong answer."""

    def __init__(self, n_columns):
        self.count, self.sum, self.sum_of_squares = 0, 0.0, 0.0

    def update(self, X):
        for row in X:
            self.count, self.sum, self.sum_of_squares = self.count + 1, self.sum + row, self.sum_of_squares + row * row

    def merge(self, other):
        self.count += other.count
        self.sum = self.sum + other.sum
        self.sum_of_squares = self.sum_of_squares + other.sum_of_squares

    @property
    def mean(self):
        return self.sum / self.count

    def variance(self):
        return (self.sum_of_squares - self.sum**2 / self.count) / self.count


def test_lost_digits_are_recognized_whichever_they_are():
    result = check_answer(find("RunningStatistics"), SumsOfSquares)
    assert "subtracts two large and nearly equal numbers" in result.diagnosis


def test_a_class_without_merge_yet_gets_the_points_of_the_rest():
    class Unfinished(RowByRow):
        def merge(self, other):
            raise NotImplementedError

    result = check_answer(find("RunningStatistics"), Unfinished)
    assert result.answered
    assert [case.passed for case in result.cases] == [True] * 4 + [False] * 3


@pytest.mark.parametrize("key", exercise_sets())
def test_no_explanation_goes_on_without_its_tag(key):
    """What follows a cell with the tag `solution` has the tag too, or is the next exercise; else students would read it."""
    cells = read_notebook(ROOT / "solutions" / f"{key}.md")[1]
    followers = [after for cell, after in pairwise(cells) if "solution" in cell.tags and "solution" not in after.tags]
    assert [cell.line for cell in followers if "{exercise}" not in cell.source] == []


BRANCHES = "if (x[i] > 0) y[i] = x[i]; else y[i] = slope * x[i];"


@pytest.mark.parametrize(
    "body",
    [
        f"if (i < n) {{ {BRANCHES} }}",
        f"if (i >= n) return; {BRANCHES}",
        "if (i >= n) return; float v = x[i]; if (v > 0) y[i] = v; else y[i] = slope * v;",
        "if (i < n) { y[i] = x[i]; if (x[i] <= 0) y[i] *= slope; }",
        "if (i < n) y[i] = fmaxf(x[i], 0.0f) + slope * fminf(x[i], 0.0f);",
    ],
)
def test_a_first_kernel_may_store_in_two_branches(body):
    source = f"""__global__ void leaky_rectifier(const float* x, float* y, float slope, int n) {{
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      {body}
    }}"""
    result = check_answer(find("leaky_rectifier"), source)
    assert result.passed, f"\n{result}"
