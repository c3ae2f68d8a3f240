"""The checks of the chapter on clustering."""

from functools import cache, partial

import numpy as np

from mlcourse.grading import Case, Difference, Exercise, Mistake, difference
from mlcourse.grading.patterns import predictions_difference


def _groups(rng, sizes, d=2):
    """Groups of the given sizes, ten apart and one wide, in random order; and the group of each row."""
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return 10 * np.arange(len(sizes))[labels][:, None] + rng.normal(size=(len(labels), d)) + 3, labels


def _squared(X, centers):
    return ((X[:, None] - centers) ** 2).sum(axis=2)


# --- assign_to_centers -----------------------------------------------------------------------------------------------------


def _assign_cases(rng):
    yield Case("eight rows, three centers", rng.normal(size=(8, 2)) * 4 + 2, rng.normal(size=(3, 2)) * 4 + 2)
    yield Case("a center straight ahead, and one on the diagonal", np.zeros((2, 2)), np.array([[3.0, 0.0], [2.0, 2.0]]))
    yield Case("a row halfway between two centers", np.array([[1.0], [5.0], [6.0]]), np.array([[0.0], [2.0], [9.0]]))
    yield Case("one center", rng.normal(size=(4, 3)), rng.normal(size=(1, 3)))
    far = 1.8e9 + np.arange(12.0).reshape(6, 2)
    yield Case("seconds since 1970", far[rng.permutation(6)], far[[0, 2, 4]] + 0.25)


def _assign_oracle(X, centers):
    from scipy.spatial.distance import cdist

    return np.array([int(np.flatnonzero(row == row.min())[0]) for row in cdist(X, centers)])


def takes_the_farthest_center(X, centers):
    return _squared(X, centers).argmax(axis=1)


def takes_the_nearest_row_of_each_center(X, centers):
    return _squared(X, centers).argmin(axis=0)


def returns_the_distances(X, centers):
    return np.sqrt(_squared(X, centers).min(axis=1))


def takes_the_last_of_equal_centers(X, centers):
    return len(centers) - 1 - _squared(X, centers)[:, ::-1].argmin(axis=1)


def compares_dot_products(X, centers):
    return (X @ centers.T).argmax(axis=1)


def adds_absolute_differences(X, centers):
    return np.abs(X[:, None] - centers).sum(axis=2).argmin(axis=1)


def squares_before_it_subtracts(X, centers):
    D = (X**2).sum(axis=1)[:, None] - 2 * X @ centers.T + (centers**2).sum(axis=1)
    return D.argmin(axis=1)


ASSIGN_TO_CENTERS = Exercise(
    name="assign_to_centers",
    title="The nearest center",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "Make the table of squared distances first, a row for each row of X and a column for each center. Then look along the right axis.",
        "`X[:, None, :] - centers` has the shape (n, k, d). Which axis must disappear by `sum`, and which by `argmin`?",
    ),
    cases=_assign_cases,
    oracle=_assign_oracle,
    mistakes=(
        Mistake(takes_the_farthest_center, "These are the labels of the farthest centers, not of the nearest."),
        Mistake(
            takes_the_nearest_row_of_each_center,
            "You looked along the wrong axis: for each center you found its nearest row. The result must have one label for each row.",
            "wrong shape",
        ),
        Mistake(
            returns_the_distances,
            "These are the distances to the nearest centers. Asked for is which center that is: its number.",
            "wrong dtype",
        ),
        Mistake(
            takes_the_last_of_equal_centers,
            "Where two centers are equally near, the first should win; you took the last.",
        ),
        Mistake(
            compares_dot_products,
            "The largest dot product is not the smallest distance: it prefers centers that are far from zero.",
        ),
        Mistake(
            adds_absolute_differences,
            "You added absolute differences. k-means compares squared distances, and the two can disagree.",
        ),
        Mistake(
            squares_before_it_subtracts,
            "The square is expanded. The squares of numbers near two billion have no digits left for small differences: "
            "subtract first, or center the data.",
        ),
    ),
)


# --- move_centers ----------------------------------------------------------------------------------------------------------


def _move_cases(rng):
    X, labels = _groups(rng, (3, 4, 2))
    yield Case("three clusters", X, labels, rng.normal(size=(3, 2)))
    yield Case("a center without rows", X, np.where(labels == 1, 3, labels), rng.normal(size=(4, 2)) + 5)
    yield Case("all rows in one cluster", rng.normal(size=(5, 1)) + 4, np.full(5, 1), np.array([[7.0], [8.0], [9.0]]))
    yield Case("a cluster of one row", rng.normal(size=(3, 2)) + 2, np.array([0, 1, 0]), rng.normal(size=(2, 2)))


def _move_oracle(X, labels, centers):
    rows = [[x for x, label in zip(X, labels, strict=True) if label == j] for j in range(len(centers))]
    return np.array(
        [sum(own) / len(own) if own else center for own, center in zip(rows, centers, strict=True)], dtype=float
    )


def _means(X, labels, centers):
    sizes = np.bincount(labels, minlength=len(centers))[:, None]
    sums = np.array([X[labels == j].sum(axis=0) for j in range(len(centers))])
    return sums, sizes


def empty_clusters_become_nan(X, labels, centers):
    sums, sizes = _means(X, labels, centers)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / sizes


def empty_clusters_go_to_zero(X, labels, centers):
    sums, sizes = _means(X, labels, centers)
    return sums / np.maximum(sizes, 1)


def leaves_out_empty_clusters(X, labels, centers):
    return np.array([X[labels == j].mean(axis=0) for j in np.unique(labels)])


def returns_sums(X, labels, centers):
    sums, sizes = _means(X, labels, centers)
    return np.where(sizes > 0, sums, centers)


def divides_by_all_rows(X, labels, centers):
    sums, sizes = _means(X, labels, centers)
    return np.where(sizes > 0, sums / len(X), centers)


def writes_into_the_old_centers(X, labels, centers):
    for j in np.unique(labels):
        centers[j] = X[labels == j].mean(axis=0)
    return centers


def takes_the_medians(X, labels, centers):
    own = [X[labels == j] for j in range(len(centers))]
    return np.array([np.median(rows, axis=0) if len(rows) else c for rows, c in zip(own, centers, strict=True)])


MOVE_CENTERS = Exercise(
    name="move_centers",
    title="The mean of each cluster",
    points=5,
    minutes=10,
    difficulty=2,
    hints=(
        "Begin with a copy of the centers. Then you only have to touch those that have rows.",
        "`X[labels == j].mean(axis=0)` is the mean of cluster j. When must you not ask for it?",
    ),
    cases=_move_cases,
    oracle=_move_oracle,
    mistakes=(
        Mistake(
            empty_clusters_become_nan,
            "The mean of no rows is 0 / 0. A nan in a center makes all distances to it nan: let it stay.",
            "not finite",
        ),
        Mistake(
            empty_clusters_go_to_zero,
            "A center without rows moved to zero, a place that has nothing to do with the data. It should stay where it is.",
        ),
        Mistake(
            leaves_out_empty_clusters,
            "Centers without rows are missing from the result. There must be k of them, in the same order, or labels name other centers.",
            "wrong shape",
        ),
        Mistake(returns_sums, "These are the sums of the rows of each cluster. Divide each by the number of its rows."),
        Mistake(
            divides_by_all_rows,
            "The sums are divided by the number of all rows. Each cluster has its own number of rows.",
        ),
        Mistake(
            writes_into_the_old_centers,
            "The result is right, but it was written into the caller's centers. Whoever compares old and new centers finds no move.",
            "changed input",
        ),
        Mistake(takes_the_medians, "These are medians. The sum of squared distances is smallest at the mean."),
    ),
)


# --- inertia_and_share -----------------------------------------------------------------------------------------------------


def _share_cases(rng):
    yield Case("two clusters of different sizes", *_groups(rng, (5, 2)))
    yield Case("three clusters", *_groups(rng, (3, 4, 2), d=3))
    yield Case("random labels", rng.normal(size=(8, 2)) + 4, np.array([0, 1, 0, 1, 2, 2, 0, 1]))
    yield Case("one cluster", rng.normal(size=(5, 2)) + 1, np.zeros(5, int))
    yield Case("labels 3 and 7", np.array([[0.0], [2.0], [9.0], [11.0]]), np.array([3, 3, 7, 7]))
    yield Case("all rows equal", np.full((4, 2), 3.0), np.array([0, 0, 1, 1]), raises=ValueError)


def _share_oracle(X, labels):
    """By the sums over pairs of rows, without any mean."""
    from scipy.spatial.distance import pdist

    def around_the_mean(rows):
        return float((pdist(rows) ** 2).sum() / len(rows)) if len(rows) > 1 else 0.0

    inertia = sum(around_the_mean(X[labels == j]) for j in set(labels.tolist()))
    return inertia, 1 - inertia / around_the_mean(X)


def _within(X, labels):
    return sum(((X[labels == j] - X[labels == j].mean(axis=0)) ** 2).sum() for j in np.unique(labels))


def _total(X):
    return ((X - X.mean(axis=0)) ** 2).sum()


def _refuse_equal_rows(X):
    if np.ptp(X, axis=0).max() == 0:
        raise ValueError("all rows are equal")


def distances_not_squared(X, labels):
    _refuse_equal_rows(X)
    plain = lambda rows: np.linalg.norm(rows - rows.mean(axis=0), axis=1).sum()  # noqa: E731
    inertia = sum(plain(X[labels == j]) for j in np.unique(labels))
    return inertia, 1 - inertia / plain(X)


def the_share_that_is_left(X, labels):
    _refuse_equal_rows(X)
    return _within(X, labels), _within(X, labels) / _total(X)


def mean_instead_of_sum(X, labels):
    _refuse_equal_rows(X)
    return _within(X, labels) / len(X), 1 - _within(X, labels) / _total(X)


def total_around_zero(X, labels):
    _refuse_equal_rows(X)
    return _within(X, labels), 1 - _within(X, labels) / (X**2).sum()


def each_cluster_counts_the_same(X, labels):
    _refuse_equal_rows(X)
    means = np.array([X[labels == j].mean(axis=0) for j in np.unique(labels)])
    between = ((means - X.mean(axis=0)) ** 2).sum() * len(X) / len(means)
    return _within(X, labels), between / _total(X)


def divides_zero_by_zero(X, labels):
    with np.errstate(invalid="ignore", divide="ignore"):
        return _within(X, labels), 1 - _within(X, labels) / _total(X)


INERTIA_AND_SHARE = Exercise(
    name="inertia_and_share",
    title="What the labels account for",
    points=5,
    minutes=12,
    difficulty=2,
    hints=(
        "The centers are not given: they are the means of the clusters. Which labels occur?",
        "Total = within + between. You need two of the three, and the total is the same sum with one cluster.",
    ),
    cases=_share_cases,
    oracle=_share_oracle,
    mistakes=(
        Mistake(distances_not_squared, "The distances are added as they are. Inertia is the sum of their squares."),
        Mistake(
            the_share_that_is_left,
            "This is the share that is left within the clusters. Asked for is the share that the labels account for.",
        ),
        Mistake(mean_instead_of_sum, "The inertia is divided by the number of rows. It is a sum, not a mean."),
        Mistake(
            total_around_zero,
            "The total is measured from zero. It is the sum of squared distances to the mean of all rows.",
        ),
        Mistake(
            each_cluster_counts_the_same,
            "The part between clusters counts each cluster alike. A center stands for all of its rows, so it counts as often.",
        ),
        Mistake(
            divides_zero_by_zero,
            "If all rows are equal, there is no variance to account for, and 0 / 0 gives nan. Refuse such data with ValueError.",
            "no error",
        ),
    ),
)


# --- run_lloyd -------------------------------------------------------------------------------------------------------------


def _lloyd_cases(rng):
    X, _ = _groups(rng, (4, 4, 4))
    yield Case("three groups, all centers in one of them", X, X[np.argsort(X[:, 0])[:3]])
    yield Case("random rows, random centers", rng.normal(size=(15, 2)), rng.normal(size=(4, 2)))
    yield Case(
        "a center that never gets rows", np.array([[0.0], [1.0], [5.0], [7.0]]), np.array([[0.0], [4.0], [99.0]])
    )
    yield Case("already at rest", np.array([[0.0], [2.0], [8.0], [10.0]]), np.array([[1.0], [9.0]]))


def _lloyd(X, centers, steps=1000):
    """The centers, the labels and the inertia before and after the move, step by step."""
    for _ in range(steps):
        labels = _squared(X, centers).argmin(axis=1)
        sums, sizes = _means(X, labels, centers)
        new = np.where(sizes > 0, sums / np.maximum(sizes, 1), centers)
        yield new, labels, ((X - centers[labels]) ** 2).sum(), ((X - new[labels]) ** 2).sum()
        if (new == centers).all():
            return
        centers = new


def _lloyd_oracle(X, centers):
    from scipy.cluster.vq import vq

    centers, history, moved = centers.astype(float), [], True
    while moved:
        labels = vq(X, centers)[0]
        new = centers.copy()
        for j in set(labels.tolist()):
            new[j] = np.mean([x for x, label in zip(X, labels, strict=True) if label == j], axis=0)
        history.append(float(sum(np.linalg.norm(x - new[label]) ** 2 for x, label in zip(X, labels, strict=True))))
        moved, centers = not np.array_equal(new, centers), new
    return centers, labels.astype(int), np.array(history)


def inertia_before_the_move(X, centers):
    steps = list(_lloyd(X, centers))
    return steps[-1][0], steps[-1][1], np.array([before for *_, before, _ in steps])


def forgets_the_last_step(X, centers):
    steps = list(_lloyd(X, centers))
    return steps[-1][0], steps[-1][1], np.array([after for *_, after in steps[:-1]])


def always_ten_steps(X, centers):
    steps = list(_lloyd(X, centers))
    history = [after for *_, after in steps]
    return steps[-1][0], steps[-1][1], np.array((history + [history[-1]] * 10)[:10])


def a_single_step(X, centers):
    new, labels, _, after = next(_lloyd(X, centers))
    return new, labels, np.array([after])


def mean_in_the_history(X, centers):
    steps = list(_lloyd(X, centers))
    return steps[-1][0], steps[-1][1], np.array([after for *_, after in steps]) / len(X)


def moves_the_given_centers(X, centers):
    steps = list(_lloyd(X, centers))
    centers[:] = steps[-1][0]
    return centers, steps[-1][1], np.array([after for *_, after in steps])


RUN_LLOYD = Exercise(
    name="run_lloyd",
    title="Lloyd's iteration",
    points=6,
    minutes=15,
    difficulty=3,
    hints=(
        "One step is: labels, means, inertia. Write the step, then put it into a loop, then decide when the loop ends.",
        "Record the inertia of the new labels with the new centers, in every step, the last one included.",
        "`while True`, and `return` after the step in which `(new == centers).all()`.",
    ),
    cases=_lloyd_cases,
    oracle=_lloyd_oracle,
    mistakes=(
        Mistake(
            inertia_before_the_move,
            "The history holds the inertia after new labels, but before the centers moved. A step is both halves.",
        ),
        Mistake(
            forgets_the_last_step,
            "The history lacks its last entry: the step in which nothing moved any more is a step, too.",
            "wrong shape",
        ),
        Mistake(
            always_ten_steps,
            "The history has ten entries whatever the data. Stop after the step in which no center moved.",
            "wrong shape",
        ),
        Mistake(a_single_step, "This is one step. Go on until a step moves no center.", "wrong shape"),
        Mistake(mean_in_the_history, "The history is divided by the number of rows. Inertia is the sum."),
        Mistake(
            moves_the_given_centers,
            "The result is right, but the caller's centers were moved. Another run from the same start would start elsewhere.",
            "changed input",
        ),
    ),
)


# --- plus_plus_chances -----------------------------------------------------------------------------------------------------


def _chance_cases(rng):
    X, _ = _groups(rng, (3, 3, 3))
    yield Case("one center, a row of the table", X, X[:1])
    yield Case("three centers", rng.normal(size=(7, 2)) * 3, rng.normal(size=(3, 2)) * 3)
    yield Case("a row that is a center", np.array([[0.0], [1.0], [3.0]]), np.array([[0.0]]))
    yield Case("the last center is far away", np.array([[0.0], [1.0], [2.0], [50.0]]), np.array([[0.0], [50.0]]))
    yield Case("every row is a center", np.array([[1.0], [2.0], [1.0]]), np.array([[1.0], [2.0]]), raises=ValueError)


def _chance_oracle(X, centers):
    weights = [min(float(np.linalg.norm(x - c)) ** 2 for c in centers) for x in X]
    return np.array([weight / sum(weights) for weight in weights])


def _refuse_centers_everywhere(X, centers):
    if not _squared(X, centers).min(axis=1).any():
        raise ValueError("every row is a center")


def draws_by_plain_distance(X, centers):
    _refuse_centers_everywhere(X, centers)
    weight = np.sqrt(_squared(X, centers).min(axis=1))
    return weight / weight.sum()


def looks_at_the_newest_center_only(X, centers):
    _refuse_centers_everywhere(X, centers)
    weight = _squared(X, centers[-1:])[:, 0]
    return weight / weight.sum()


def adds_over_the_centers(X, centers):
    _refuse_centers_everywhere(X, centers)
    weight = _squared(X, centers).sum(axis=1)
    return weight / weight.sum()


def weights_instead_of_chances(X, centers):
    _refuse_centers_everywhere(X, centers)
    return _squared(X, centers).min(axis=1)


def the_farthest_row_for_certain(X, centers):
    _refuse_centers_everywhere(X, centers)
    weight = _squared(X, centers).min(axis=1)
    return (np.arange(len(X)) == weight.argmax()).astype(float)


def chances_of_zero_over_zero(X, centers):
    weight = _squared(X, centers).min(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return weight / weight.sum()


PLUS_PLUS_CHANCES = Exercise(
    name="plus_plus_chances",
    title="The next center of k-means++",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "What does a row contribute to the inertia of the centers so far? That is its weight.",
        "Smallest squared distance to any center, then divide by the sum of all of them.",
    ),
    cases=_chance_cases,
    oracle=_chance_oracle,
    mistakes=(
        Mistake(draws_by_plain_distance, "The weights are distances. k-means++ takes their squares."),
        Mistake(
            looks_at_the_newest_center_only,
            "Only the last center was looked at, so groups that have a center already are drawn again.",
        ),
        Mistake(
            adds_over_the_centers,
            "The squared distances to all centers are added. Only the nearest center counts: a row beside one is served.",
        ),
        Mistake(weights_instead_of_chances, "These are the weights. Chances sum to 1: divide by the sum."),
        Mistake(
            the_farthest_row_for_certain,
            "This takes the farthest row for certain, which is another method. k-means++ gives every row a chance.",
        ),
        Mistake(
            chances_of_zero_over_zero,
            "If every row lies on a center, all weights are zero and 0 / 0 gives nan. Refuse with ValueError.",
            "no error",
        ),
    ),
)


# --- silhouette_of_row -----------------------------------------------------------------------------------------------------


def _silhouette_cases(rng):
    X, labels = _groups(rng, (4, 3, 5))
    yield Case("three clusters", X, labels, int(rng.integers(len(X))))
    mixed = rng.normal(size=(9, 2))
    yield Case("clusters that run into each other", mixed, np.array([0, 1, 2] * 3), 4)
    yield Case(
        "a row in the wrong cluster", np.array([[0.0], [1.0], [9.0], [10.0], [30.0]]), np.array([0, 1, 1, 1, 2]), 1
    )
    yield Case("alone in its cluster", np.array([[0.0], [5.0], [6.0]]), np.array([0, 1, 1]), 0)
    yield Case("labels 2 and 8", np.array([[0.0, 1.0], [1.0, 0.0], [6.0, 6.0], [7.0, 9.0]]), np.array([2, 2, 8, 8]), 3)


def _silhouette_oracle(X, labels, i):
    from sklearn.metrics import silhouette_samples

    return float(silhouette_samples(X, labels)[i])


def _a_and_bs(X, labels, i, power=1):
    """Mean distance to the rest of the own cluster (None if there is none), and to each other cluster."""
    distance = np.linalg.norm(X - X[i], axis=1) ** power
    own = labels == labels[i]
    rest = own & (np.arange(len(X)) != i)
    return distance[rest].mean() if rest.any() else None, [
        distance[labels == j].mean() for j in np.unique(labels[~own])
    ]


def _ratio(a, b):
    return 0.0 if a is None else float((b - a) / max(a, b))


def counts_itself(X, labels, i):
    a, others = _a_and_bs(X, labels, i)
    size = (labels == labels[i]).sum()
    return _ratio(a if a is None else a * (size - 1) / size, min(others))


def one_cluster_of_all_others(X, labels, i):
    distance = np.linalg.norm(X - X[i], axis=1)
    return _ratio(_a_and_bs(X, labels, i)[0], distance[labels != labels[i]].mean())


def the_farthest_cluster(X, labels, i):
    a, others = _a_and_bs(X, labels, i)
    return _ratio(a, max(others))


def turned_around(X, labels, i):
    a, others = _a_and_bs(X, labels, i)
    return -_ratio(a, min(others))


def with_squared_distances(X, labels, i):
    a, others = _a_and_bs(X, labels, i, power=2)
    return _ratio(a, min(others))


def distances_to_the_centers(X, labels, i):
    distance = {j: np.linalg.norm(X[labels == j].mean(axis=0) - X[i]) for j in np.unique(labels)}
    a = distance.pop(labels[i])
    return _ratio(None if (labels == labels[i]).sum() == 1 else a, min(distance.values()))


def alone_is_best(X, labels, i):
    a, others = _a_and_bs(X, labels, i)
    return 1.0 if a is None else _ratio(a, min(others))


SILHOUETTE_OF_ROW = Exercise(
    name="silhouette_of_row",
    title="Is this row at home?",
    points=5,
    minutes=12,
    difficulty=3,
    hints=(
        "Compute the distances from row i to all rows once; everything else is means over parts of that array.",
        "For a, the row itself must not take part. For b, make one mean for each other cluster, and choose.",
        "What should happen if no other row has the label of row i?",
    ),
    cases=_silhouette_cases,
    oracle=_silhouette_oracle,
    mistakes=(
        Mistake(
            counts_itself,
            "The distance of the row to itself, 0, was counted in the mean of its cluster, which makes a too small.",
        ),
        Mistake(
            one_cluster_of_all_others,
            "All other clusters were put together for b. It is the mean distance to the one that is nearest.",
        ),
        Mistake(the_farthest_cluster, "b is the mean distance to the nearest other cluster; you took the farthest."),
        Mistake(
            turned_around, "The sign is turned: a row that is nearer to its own cluster has a positive silhouette."
        ),
        Mistake(with_squared_distances, "The distances are squared. The silhouette compares distances as they are."),
        Mistake(
            distances_to_the_centers,
            "You measured to the centers of the clusters. The silhouette averages the distances to their members.",
        ),
        Mistake(
            alone_is_best,
            "A row that is alone in its cluster has nothing to be compared with, and gets 0. With 1, many tiny clusters would look best.",
        ),
    ),
)


# --- count_pairs -----------------------------------------------------------------------------------------------------------


def _pair_cases(rng):
    yield Case(
        "three labels and two", rng.permutation([0, 0, 0, 1, 1, 1, 1, 2]), rng.permutation([0, 0, 0, 0, 0, 1, 1, 1])
    )
    yield Case("names instead of numbers", np.array(["a", "a", "b", "b", "b"]), np.array(["y", "x", "x", "x", "x"]))
    yield Case("the same grouping under other names", np.array([0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0]))
    yield Case("all together, and all apart", np.zeros(6, int), np.arange(6))
    yield Case("a hundred samples", rng.integers(4, size=100), rng.integers(7, size=100))


def _pair_oracle(first, second):
    from sklearn.metrics.cluster import pair_confusion_matrix

    apart, only_second, only_first, both = pair_confusion_matrix(first, second).ravel() // 2
    return int(only_first + both), int(only_second + both), int(both), int(apart + only_first + only_second + both)


def _together(labels):
    count = np.unique(labels, return_counts=True)[1]
    return int((count * (count - 1)).sum() // 2)


def _numbers(first, second):
    a, b = np.unique(first, return_inverse=True)[1], np.unique(second, return_inverse=True)[1]
    return a, b, a * (b.max() + 1) + b


def counts_every_pair_twice(first, second):
    return tuple(2 * count for count in _right_pairs(first, second))


def counts_a_sample_with_itself(first, second):
    P, Q, T, N = _right_pairs(first, second)
    return P + len(first), Q + len(first), T + len(first), N + len(first)


def swaps_the_two_labelings(first, second):
    P, Q, T, N = _right_pairs(first, second)
    return Q, P, T, N


def compares_the_names(first, second):
    P, Q, _, N = _right_pairs(first, second)
    first, second = np.asarray(first).astype(str), np.asarray(second).astype(str)
    return P, Q, _together(first[first == second]), N


def agreeing_pairs_for_together_in_both(first, second):
    P, Q, T, N = _right_pairs(first, second)
    return P, Q, N - P - Q + 2 * T, N


def halves_to_floats(first, second):
    return tuple(count / 1 for count in _right_pairs(first, second))


def _right_pairs(first, second):
    n = len(first)
    return _together(first), _together(second), _together(_numbers(first, second)[2]), n * (n - 1) // 2


COUNT_PAIRS = Exercise(
    name="count_pairs",
    title="Pairs that are together",
    points=4,
    minutes=12,
    difficulty=3,
    hints=(
        "A loop over all pairs is right; `itertools.combinations(range(n), 2)` gives each pair once.",
        "Without a loop over pairs: a cluster of m samples has m (m - 1) / 2 pairs, and `np.unique(…, return_counts=True)` counts.",
    ),
    cases=_pair_cases,
    oracle=_pair_oracle,
    mistakes=(
        Mistake(counts_every_pair_twice, "Every pair is counted twice, once in each order."),
        Mistake(
            counts_a_sample_with_itself, "Each sample was paired with itself as well. A pair has two different samples."
        ),
        Mistake(swaps_the_two_labelings, "P and Q are exchanged: P belongs to the first labeling."),
        Mistake(
            compares_the_names,
            "For the pairs that are together in both, you compared the labels of the two groupings with each other. "
            "Their names mean nothing; only who is together with whom does.",
        ),
        Mistake(
            agreeing_pairs_for_together_in_both,
            "Your third number holds all pairs on which the two agree, those that are apart in both included.",
        ),
        Mistake(
            halves_to_floats,
            "The numbers are right, but they are floats. Counts are integers: divide with `//`.",
            "wrong type",
        ),
    ),
)


# --- adjusted_rand_from_pairs ----------------------------------------------------------------------------------------------


def _adjusted_cases(rng):
    def pairs(first, second):
        return _right_pairs(np.asarray(first), np.asarray(second))

    yield Case("two labelings that agree in part", *pairs([0, 0, 0, 1, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1, 2, 2]))
    yield Case("random labels", *pairs(rng.integers(3, size=30), rng.integers(4, size=30)))
    yield Case("the same grouping", 4, 4, 4, 10)
    yield Case("less than by chance", *pairs([0, 0, 1, 1], [0, 1, 0, 1]))
    yield Case("very different sizes", *pairs([0] * 18 + [1, 2], [0] * 10 + [1] * 10))
    yield Case("everything apart in both", 0, 0, 0, 6)
    yield Case("everything together in both", 6, 6, 6, 6)


def _adjusted_oracle(P, Q, T, N):
    """By the formula of the two-by-two table of pairs, which scikit-learn uses."""
    from fractions import Fraction

    apart, only_first, only_second = N - P - Q + T, P - T, Q - T
    if only_first == only_second == 0:
        return 1.0
    below = (T + only_first) * (only_first + apart) + (T + only_second) * (only_second + apart)
    return float(Fraction(2 * (T * apart - only_first * only_second), below))


def _adjusted(P, Q, T, N, most=None, chance=None):
    chance = P * Q / N if chance is None else chance
    most = (P + Q) / 2 if most is None else most
    return 1.0 if most == chance else (T - chance) / (most - chance)


def not_adjusted(P, Q, T, N):
    return (N - P - Q + 2 * T) / N


def chance_only_above_the_line(P, Q, T, N):
    return 1.0 if P == Q in (0, N) else (T - P * Q / N) / ((P + Q) / 2)


def the_larger_is_the_most(P, Q, T, N):
    return _adjusted(P, Q, T, N, most=max(P, Q))


def the_smaller_is_the_most(P, Q, T, N):
    return _adjusted(P, Q, T, N, most=min(P, Q))


def scaled_by_all_pairs(P, Q, T, N):
    return 1.0 if P == Q in (0, N) else (T - P * Q / N) / (N - P * Q / N)


def divides_by_zero_where_nothing_can_differ(P, Q, T, N):
    return (T - P * Q / N) / ((P + Q) / 2 - P * Q / N)


ADJUSTED_RAND_FROM_PAIRS = Exercise(
    name="adjusted_rand_from_pairs",
    title="Subtract chance",
    points=4,
    minutes=10,
    difficulty=3,
    hints=(
        "Three numbers: what you have, what chance would give on average, and the most that is possible.",
        "Chance is P Q / N, and the most is the mean of P and Q. When are these two equal, and what should the result be then?",
    ),
    cases=_adjusted_cases,
    oracle=_adjusted_oracle,
    mistakes=(
        Mistake(not_adjusted, "This is the Rand index, without any adjustment: random labels get a high value."),
        Mistake(
            chance_only_above_the_line,
            "Chance is subtracted above the line only, so that equal groupings do not reach 1. Subtract it from the most, too.",
        ),
        Mistake(
            the_larger_is_the_most,
            "The most is taken as the larger of P and Q. The index takes their mean, so that both labelings count alike.",
        ),
        Mistake(
            the_smaller_is_the_most,
            "The most is taken as the smaller of P and Q. It is a fair bound, but the index is defined with their mean.",
        ),
        Mistake(
            scaled_by_all_pairs,
            "The scale reaches up to all N pairs. No two labelings with P and Q pairs can have so many together.",
        ),
        Mistake(
            divides_by_zero_where_nothing_can_differ,
            "If both labelings put everything together, or everything apart, chance and the most are equal. They are the same grouping: 1.",
            "raised",
        ),
    ),
)


# --- repair_mini_batch_step ------------------------------------------------------------------------------------------------


def _batch_cases(rng):
    batch, _ = _groups(rng, (3, 2, 3))
    centers = np.array([[2.0, 4.0], [14.0, 12.0], [22.0, 25.0]])
    yield Case("centers that have seen rows before", batch, centers, np.array([5, 2, 9]))
    yield Case("the first batch", batch, centers, np.zeros(3, int))
    yield Case("a center without rows in this batch", batch[batch[:, 0] < 18], centers, np.array([1, 4, 7]))
    yield Case("one row", np.array([[1.0]]), np.array([[0.0], [9.0]]), np.array([3, 3]))


def _batch_oracle(batch, centers, counts):
    """Keep all rows that a center stands for: `counts` rows at its place, and the new ones."""
    new, total = centers.astype(float), counts.copy()
    nearest = [int(np.argmin([np.linalg.norm(x - c) for c in centers])) for x in batch]
    for j in set(nearest):
        rows = [centers[j]] * counts[j] + [x for x, label in zip(batch, nearest, strict=True) if label == j]
        new[j], total[j] = np.mean(rows, axis=0), len(rows)
    return new, total


def _batch_step(batch, centers, counts, rate):
    new, total = centers.copy(), counts.copy()
    nearest = _squared(batch, centers).argmin(axis=1)
    for j in range(len(centers)):
        own = batch[nearest == j]
        if len(own):
            total[j] += len(own)
            new[j] += rate(len(own), counts[j], total[j], len(batch)) * (own.mean(axis=0) - centers[j])
    return new, total


def jumps_to_the_mean_of_the_batch(batch, centers, counts):
    return _batch_step(batch, centers, counts, lambda own, before, after, rows: 1)


def moves_by_one_row(batch, centers, counts):
    return _batch_step(batch, centers, counts, lambda own, before, after, rows: 1 / after)


def divides_by_the_count_before(batch, centers, counts):
    return _batch_step(batch, centers, counts, lambda own, before, after, rows: own / max(before, 1))


def shares_of_the_batch(batch, centers, counts):
    return _batch_step(batch, centers, counts, lambda own, before, after, rows: own / rows)


def counts_only_this_batch(batch, centers, counts):
    new, total = _batch_step(batch, centers, counts, lambda own, before, after, rows: own / after)
    return new, total - counts


def works_in_place(batch, centers, counts):
    new, total = _batch_step(batch, centers, counts, lambda own, before, after, rows: own / after)
    centers[:], counts[:] = new, total
    return centers, counts


REPAIR_MINI_BATCH_STEP = Exercise(
    name="repair_mini_batch_step",
    title="Repair: centers that never come to rest",
    points=4,
    minutes=10,
    difficulty=3,
    hints=(
        "After the step, a center should be the mean of all rows that it was ever given. Of which rows is it the mean now?",
        "The old center stands for `counts[j]` rows. Move from it towards the mean of the new rows by their share of all rows so far.",
    ),
    cases=_batch_cases,
    oracle=_batch_oracle,
    mistakes=(
        Mistake(
            jumps_to_the_mean_of_the_batch,
            "The center jumps to the mean of the new rows and forgets all rows before. With small batches it never comes to rest.",
            planted=True,
        ),
        Mistake(
            moves_by_one_row,
            "The step is right for one new row. A batch may bring several, and they count as many times.",
        ),
        Mistake(
            divides_by_the_count_before,
            "You divided by the number of rows before the batch. The new rows belong to the mean, so they count below the line as well.",
        ),
        Mistake(
            shares_of_the_batch,
            "The step is the cluster's share of this batch. It does not become smaller with time, so the centers keep trembling.",
        ),
        Mistake(
            counts_only_this_batch,
            "The centers are right, but the counts returned are those of this batch alone. The next step would take the past for nothing.",
        ),
        Mistake(
            works_in_place,
            "The result is right, but the caller's centers and counts were changed. Return new arrays.",
            "changed input",
        ),
    ),
)


# --- predict_k_means -------------------------------------------------------------------------------------------------------

_RIGHT = {
    "inertia_if_all_values_are_doubled": 400.0,
    "inertia_if_5_is_added_to_one_column": 100.0,
    "inertia_if_every_row_is_there_twice": 200.0,
    "inertia_if_every_row_is_a_center": 0.0,
    "labels_if_one_column_is_multiplied_by_1000": "may change",
    "adjusted_rand_if_labels_are_renamed": 1.0,
}


def _prediction_cases(rng):
    yield Case("your six predictions")


@cache
def _prediction_oracle():
    """Measured on 40 rows in three groups that lie one above the other, scaled to the inertia 100."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    X = np.repeat([[0.0, 0.0], [0.0, 12.0], [0.0, 24.0]], (14, 13, 13), axis=0) + rng.normal(size=(40, 2))

    def fit(X, k=3):
        return KMeans(k, n_init=10, random_state=0).fit(X)

    X *= (100 / fit(X).inertia_) ** 0.5
    labels = fit(X).labels_
    stretched = adjusted_rand_score(labels, fit(X * [1000, 1]).labels_)
    return {
        "inertia_if_all_values_are_doubled": round(float(fit(2 * X).inertia_), 6),
        "inertia_if_5_is_added_to_one_column": round(float(fit(X + np.array([5, 0])).inertia_), 6),
        "inertia_if_every_row_is_there_twice": round(float(fit(np.vstack([X, X])).inertia_), 6),
        "inertia_if_every_row_is_a_center": round(float(fit(X, 40).inertia_), 6),
        "labels_if_one_column_is_multiplied_by_1000": "may change" if stretched < 1 else "stay",
        "adjusted_rand_if_labels_are_renamed": round(float(adjusted_rand_score(labels, (labels + 1) % 3)), 6),
    }


def inertia_doubles_with_the_values():
    return {**_RIGHT, "inertia_if_all_values_are_doubled": 200.0}


def inertia_does_not_depend_on_scale():
    return {**_RIGHT, "inertia_if_all_values_are_doubled": 100.0}


def inertia_depends_on_where_zero_is():
    return {**_RIGHT, "inertia_if_5_is_added_to_one_column": 125.0}


def inertia_is_a_mean():
    return {**_RIGHT, "inertia_if_every_row_is_there_twice": 100.0}


def one_is_left_for_each_row():
    return {**_RIGHT, "inertia_if_every_row_is_a_center": 1.0}


def units_do_not_matter():
    return {**_RIGHT, "labels_if_one_column_is_multiplied_by_1000": "stay"}


def other_names_are_another_grouping():
    return {**_RIGHT, "adjusted_rand_if_labels_are_renamed": 0.0}


PREDICT_K_MEANS = Exercise(
    name="predict_k_means",
    title="Predict: scale, shift, copies, names",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "Inertia is a sum over rows of squared distances. What do the changes do to a distance, to its square, to the number of terms?",
        "A column multiplied by 1,000 has a million times the squared differences. How much do the other columns still count?",
    ),
    cases=_prediction_cases,
    oracle=_prediction_oracle,
    compare=partial(predictions_difference, rtol=1e-4, atol=1e-6),
    mistakes=(
        Mistake(
            inertia_doubles_with_the_values,
            "If all values double, all distances double, and inertia is made of their squares.",
        ),
        Mistake(
            inertia_does_not_depend_on_scale,
            "The labels stay when all values double, but the distances do not: inertia has the squared unit of the data.",
        ),
        Mistake(
            inertia_depends_on_where_zero_is,
            "A shift moves the rows and, with them, their means. Distances between them stay as they are.",
        ),
        Mistake(inertia_is_a_mean, "Inertia is a sum and not a mean: with every row twice it has twice as many terms."),
        Mistake(one_is_left_for_each_row, "A row that is its own center has no distance to it. Nothing is left."),
        Mistake(
            units_do_not_matter,
            "k-means compares squared differences. A column multiplied by 1,000 counts a million times as much, and can turn the clusters.",
        ),
        Mistake(
            other_names_are_another_grouping,
            "The adjusted Rand index counts who is together with whom. Other names do not change that.",
        ),
    ),
)


# --- choose_palette --------------------------------------------------------------------------------------------------------


@cache
def _photograph():
    """The pixels of scikit-learn's photograph of a temple in China, (273280, 3)."""
    import PIL  # noqa: F401  (scikit-learn reads the file with it)
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg").reshape(-1, 3).astype(float)


def _palette_cases(rng):
    pixels = _photograph()
    for k in (8, 3, 16):
        yield Case(f"{k} colors for 600 pixels", pixels[rng.choice(len(pixels), 600, replace=False)], k)
    yield Case("one color", pixels[rng.choice(len(pixels), 50, replace=False)], 1)


def _palette_oracle(pixels, k):
    """The pixels, and the palette that scikit-learn finds in ten starts."""
    from sklearn.cluster import KMeans

    return pixels, KMeans(k, n_init=10, random_state=0).fit(pixels).cluster_centers_


def _palette_error(pixels, palette):
    return _squared(pixels, palette).min(axis=1).mean()


def _good_palette(expected, got):
    pixels, best = expected
    numbers = got.astype(float) if isinstance(got, np.ndarray) and got.dtype.kind in "iuf" else got
    fault = difference(best, numbers, atol=1e12)
    if fault is not None:
        return fault
    ratio = _palette_error(pixels, numbers) / _palette_error(pixels, best)
    if ratio <= 1.05:
        return None
    return Difference(
        "wrong value",
        f"the mean squared error is {ratio:.2f} times that of scikit-learn's palette; at most 1.05 is asked for",
    )


def the_first_pixels(pixels, k):
    return pixels[:k].copy()


def equal_steps_of_gray(pixels, k):
    return np.repeat(np.linspace(0, 255, k + 2)[1:-1, None], 3, axis=1)


def quantiles_of_each_channel(pixels, k):
    return np.quantile(pixels, (np.arange(k) + 0.5) / k, axis=0)


def one_column_for_each_color(pixels, k):
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=10, random_state=0).fit(pixels).cluster_centers_.T


def colors_between_0_and_1(pixels, k):
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=10, random_state=0).fit(pixels / 255).cluster_centers_


def only_the_start_of_k_means(pixels, k):
    from sklearn.cluster import kmeans_plusplus

    return kmeans_plusplus(pixels, k, random_state=0)[0]


CHOOSE_PALETTE = Exercise(
    name="choose_palette",
    title="A photograph in k colors",
    points=6,
    minutes=20,
    difficulty=4,
    hints=(
        "A pixel is a row with three features. Which k rows stand for all pixels with the smallest squared error?",
        "One start may end in a local minimum, more than five percent above the best. How does one guard against that?",
        "A class of the chapter does all of this; what its centers are is what you return.",
    ),
    cases=_palette_cases,
    oracle=_palette_oracle,
    compare=_good_palette,
    seconds=20,
    mistakes=(
        Mistake(
            the_first_pixels,
            "These are pixels as they come. Colors that are frequent, or far from all others, are missed.",
        ),
        Mistake(
            equal_steps_of_gray,
            "These are steps of gray between black and white. The palette should be made for these pixels.",
        ),
        Mistake(
            quantiles_of_each_channel,
            "Red, green and blue were treated one by one, and then combined into colors that need not occur in the picture.",
        ),
        Mistake(
            one_column_for_each_color,
            "The colors stand in columns. A row for each color, with red, green and blue in three columns, is asked for.",
            "wrong shape",
        ),
        Mistake(
            colors_between_0_and_1,
            "The colors lie between 0 and 1, the pixels between 0 and 255. Return them on the scale of the pixels.",
        ),
        Mistake(
            only_the_start_of_k_means,
            "These are pixels chosen as a start. Lloyd's iteration would still move them to the means of their clusters.",
        ),
    ),
)


# --- palette_report --------------------------------------------------------------------------------------------------------

PALETTE_REPORT = Exercise(
    name="palette_report",
    title="How many colors?",
    points=5,
    minutes=20,
    difficulty=4,
    answer="manual",
    hints=(
        "Look at the four pictures before you look at the numbers. What is the first thing that goes wrong, and where?",
        "How much does the error fall when the number of colors doubles, early and late? Is there a bend?",
        "The error is measured between numbers of red, green and blue. Is a step of ten in a dark green as visible as in the sky?",
    ),
    rubric=(
        "One point each. (1) A number of colors with a purpose (a file size, a poster, a print in few inks), rather than a number "
        "that 'the data' contain. (2) What is seen in the pictures: bands in the sky, colors of small things that vanish. "
        "(3) What the error says: measured on pixels that took no part in the fit, it falls with every doubling, without a clear elbow. "
        "(4) A weakness of the method: squared distance in RGB is not what the eye sees, large areas decide because inertia counts pixels, "
        "or the place of a pixel is ignored. (5) A next step that fits the weakness, such as another color space, weights, or dithering. "
        "Half a point where the claim is right and neither a picture nor a number is named."
    ),
)


EXERCISES = [
    ASSIGN_TO_CENTERS,
    MOVE_CENTERS,
    INERTIA_AND_SHARE,
    RUN_LLOYD,
    PLUS_PLUS_CHANCES,
    SILHOUETTE_OF_ROW,
    COUNT_PAIRS,
    ADJUSTED_RAND_FROM_PAIRS,
    REPAIR_MINI_BATCH_STEP,
    PREDICT_K_MEANS,
    CHOOSE_PALETTE,
    PALETTE_REPORT,
]
