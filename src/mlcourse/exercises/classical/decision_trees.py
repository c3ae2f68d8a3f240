"""The checks of the chapter on decision trees."""

from functools import wraps
from itertools import pairwise

import numpy as np

from mlcourse.grading import Case, Difference, Exercise, Mistake, difference
from mlcourse.grading.patterns import refusing


def _with_and_without_refusal(answer, says, impossible):
    """A wrong answer as two mistakes: one refuses the inputs that have no result, one does not."""

    @wraps(answer)
    def refusing_nothing(*args):
        return 0.0 if impossible(*args) else answer(*args)

    refusing_nothing.__name__ += "_and_refuses_nothing"
    says_more = f"{says} Besides, inputs that have no result must be refused with ValueError."
    return Mistake(refusing(impossible)(answer), says), Mistake(refusing_nothing, says_more, "no error")


def _shares(labels):
    return np.unique(labels, return_counts=True)[1] / len(labels)


# --- gini_of_labels ----------------------------------------------------------------------------------------------------------


def _labels_cases(rng):
    yield Case("three of one class, one of another", np.array([7, 7, 7, 2]))
    yield Case("three classes", rng.permutation([0, 0, 0, 0, 1, 1, 2]))
    yield Case("all of one class", np.full(5, 3))
    yield Case("twenty random labels", rng.integers(0, 4, 20))
    yield Case("one sample", np.array([4]))
    yield Case("no sample", np.array([], dtype=int), raises=ValueError)


def _gini_oracle(labels):
    return float(np.mean(labels[:, None] != labels[None, :]))  # two draws with replacement differ


def _empty(labels):
    return len(labels) == 0


def share_of_the_minority(labels):
    return 1 - _shares(labels).max()


def entropy_instead(labels):
    share = _shares(labels)
    return -np.sum(share * np.log(share))


def purity_instead(labels):
    return np.sum(_shares(labels) ** 2)


def counts_instead_of_shares(labels):
    return 1.0 - np.sum(np.unique(labels, return_counts=True)[1] ** 2)


def draws_without_replacement(labels):
    n, share = len(labels), _shares(labels)
    return (1 - np.sum(share**2)) * n / (n - 1) if n > 1 else 0.0


def nothing_of_nothing(labels):
    return 1 - np.sum(_shares(labels) ** 2) if len(labels) else 0.0


GINI_OF_LABELS = Exercise(
    name="gini_of_labels",
    title="Impurity of a list of labels",
    points=3,
    minutes=6,
    difficulty=1,
    hints=(
        "First the shares of the classes, then one minus the sum of their squares.",
        "`np.unique(labels, return_counts=True)` counts each label, whatever numbers the labels are.",
    ),
    cases=_labels_cases,
    oracle=_gini_oracle,
    mistakes=(
        *_with_and_without_refusal(
            share_of_the_minority,
            "This is the error, one minus the largest share. Gini adds up the squares of all shares.",
            _empty,
        ),
        *_with_and_without_refusal(
            entropy_instead, "This is the entropy. Gini has squares of the shares and no logarithm.", _empty
        ),
        *_with_and_without_refusal(
            purity_instead,
            "The sum of the squared shares is the probability that two draws *agree*: 1 for a pure set. Impurity is what is "
            "missing to 1.",
            _empty,
        ),
        *_with_and_without_refusal(
            counts_instead_of_shares,
            "The counts were squared. Divide them by the number of samples first: shares sum to 1.",
            _empty,
        ),
        *_with_and_without_refusal(
            draws_without_replacement,
            "The two draws are without replacement here: there is a factor n / (n - 1) too much.",
            _empty,
        ),
        Mistake(
            nothing_of_nothing,
            "A set without samples has no shares, so it has no impurity either: raise ValueError.",
            "no error",
        ),
    ),
)


# --- information_gain_in_bits ------------------------------------------------------------------------------------------------


def _bits(labels):
    share = _shares(labels)
    return -np.sum(share * np.log2(share))


def _gain_cases(rng):
    yield Case("a perfect question", np.array([0, 0, 1, 1]), np.array([True, True, False, False]))
    labels = rng.integers(0, 3, 12)
    yield Case("three left, nine right", labels, np.arange(12) < 3)
    yield Case("a useless question", np.array([0, 1, 0, 1]), np.array([True, True, False, False]))
    yield Case("one sample against seven", np.array([2, 1, 1, 1, 0, 0, 1, 2]), np.arange(8) == int(rng.integers(0, 8)))
    yield Case("everything to the left", labels, np.ones(12, dtype=bool), raises=ValueError)
    yield Case("everything to the right", labels, np.zeros(12, dtype=bool), raises=ValueError)


def _gain_oracle(labels, goes_left):
    from sklearn.metrics import mutual_info_score

    return float(mutual_info_score(labels, goes_left) / np.log(2))


def _one_sided(labels, goes_left):
    return bool(goes_left.all() or not goes_left.any())


def _sides(labels, goes_left):
    return labels[goes_left], labels[~goes_left], goes_left.mean()


def in_nats(labels, goes_left):
    return weighted_gain(_bits, labels, goes_left) * np.log(2)


def weighted_gain(impurity, labels, goes_left):
    left, right, weight = _sides(labels, goes_left)
    return impurity(labels) - weight * impurity(left) - (1 - weight) * impurity(right)


def children_count_alike(labels, goes_left):
    left, right, _ = _sides(labels, goes_left)
    return _bits(labels) - (_bits(left) + _bits(right)) / 2


def sum_of_the_children(labels, goes_left):
    left, right, _ = _sides(labels, goes_left)
    return _bits(labels) - _bits(left) - _bits(right)


def what_is_left(labels, goes_left):
    return _bits(labels) - weighted_gain(_bits, labels, goes_left)


def weights_exchanged(labels, goes_left):
    left, right, weight = _sides(labels, goes_left)
    return _bits(labels) - (1 - weight) * _bits(left) - weight * _bits(right)


def gain_of_gini(labels, goes_left):
    return weighted_gain(lambda y: 1 - np.sum(_shares(y) ** 2), labels, goes_left)


def no_question_gains_nothing(labels, goes_left):
    return 0.0 if _one_sided(labels, goes_left) else weighted_gain(_bits, labels, goes_left)


INFORMATION_GAIN_IN_BITS = Exercise(
    name="information_gain_in_bits",
    title="What an answer tells, in bits",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "Write a small function for the entropy of some labels in bits, and use it three times.",
        "The entropies of the two sides are averaged with the shares of the samples that go there.",
        "`goes_left.mean()` is the share of the left side; `labels[~goes_left]` are the labels of the right one.",
    ),
    cases=_gain_cases,
    oracle=_gain_oracle,
    mistakes=(
        *_with_and_without_refusal(
            in_nats, "The result is in nats. For bits, the logarithm has the base 2.", _one_sided
        ),
        *_with_and_without_refusal(
            children_count_alike,
            "The two sides count alike, though one may hold most of the samples. Weight them by their shares.",
            _one_sided,
        ),
        *_with_and_without_refusal(
            sum_of_the_children,
            "The entropies of the sides were added, not averaged, so the gain can become negative.",
            _one_sided,
        ),
        *_with_and_without_refusal(
            what_is_left,
            "This is the entropy that remains after the answer. The gain is what the answer took away.",
            _one_sided,
        ),
        *_with_and_without_refusal(
            weights_exchanged,
            "The weights are exchanged: the left side was weighted with the share of the right one.",
            _one_sided,
        ),
        *_with_and_without_refusal(
            gain_of_gini, "This is the gain of Gini. Bits are asked for, so the impurity is entropy.", _one_sided
        ),
        Mistake(
            no_question_gains_nothing,
            "If all samples go to one side, there is no question. Refuse it with ValueError.",
            "no error",
        ),
    ),
)


# --- predict_with_arrays -----------------------------------------------------------------------------------------------------


def _small_tree(rng):
    """Five leaves; nodes in the order in which a level-by-level grower writes them."""
    feature = np.array([0, 1, 1, -1, 0, -1, -1, -1, -1])
    left = np.array([1, 3, 5, -1, 7, -1, -1, -1, -1])
    threshold = np.array([2.0, 1.0, -1.0, 0, 0.5, 0, 0, 0, 0])
    return feature, threshold, left, rng.permutation(np.arange(10.0, 19.0))


def _tree_cases(rng):
    tree = _small_tree(rng)
    yield Case("five leaves, ten samples", *tree, rng.uniform(-2, 4, size=(10, 2)))
    on_threshold = np.array([[2.0, 0.0], [2.0, 1.0], [2.0, 3.0], [3.0, -1.0], [0.5, 2.0]])
    yield Case("samples exactly on thresholds", *tree, on_threshold)
    corners = np.array([[0.0, 0.0], [0.0, 2.0], [1.0, 2.0], [3.0, -2.0], [3.0, 2.0]])
    yield Case("a sample for each leaf", *tree, corners)
    leaf = np.array([-1]), np.array([0.0]), np.array([-1]), rng.normal(size=1)
    yield Case("a tree that is one leaf", *leaf, rng.normal(size=(3, 2)))
    chain = np.array([0, -1, 0, -1, 0, -1, -1]), np.array([1.0, 0, 2, 0, 3, 0, 0]), np.array([1, -1, 3, -1, 5, -1, -1])
    yield Case("a chain of questions", *chain, rng.normal(size=7), np.array([[0.5], [1.5], [2.5], [3.5]]))


def _tree_oracle(feature, threshold, left, value, X):
    """Each leaf is a box; a sample belongs to the leaf whose questions it answers alike."""
    predictions = np.full(len(X), np.nan)
    boxes = [(0, np.ones(len(X), dtype=bool))]
    for node, inside in boxes:
        if feature[node] < 0:
            predictions[inside] = value[node]
            continue
        yes = X[:, feature[node]] <= threshold[node]
        boxes += [(left[node], inside & yes), (left[node] + 1, inside & ~yes)]
    return predictions


def _walk(feature, threshold, left, X, goes_right, child, steps=100):
    arrived = []
    for x in X:
        node = 0
        for _ in range(steps):
            if not 0 <= node < len(feature) or feature[node] < 0:
                break
            node = child(node, int(goes_right(x[feature[node]], threshold[node])))
        arrived.append(min(node, len(feature) - 1))
    return np.array(arrived)


def equal_goes_right(feature, threshold, left, value, X):
    return value[_walk(feature, threshold, left, X, lambda x, t: x >= t, lambda node, right: left[node] + right)]


def sides_exchanged(feature, threshold, left, value, X):
    return value[_walk(feature, threshold, left, X, lambda x, t: x <= t, lambda node, right: left[node] + right)]


def one_question_only(feature, threshold, left, value, X):
    arrived = _walk(feature, threshold, left, X, lambda x, t: x > t, lambda node, right: left[node] + right, steps=1)
    return value[arrived]


def children_at_twice_the_number(feature, threshold, left, value, X):
    arrived = _walk(feature, threshold, left, X, lambda x, t: x > t, lambda node, right: 2 * node + 1 + right)
    return value[arrived]


def numbers_of_leaves(feature, threshold, left, value, X):
    arrived = _walk(feature, threshold, left, X, lambda x, t: x > t, lambda node, right: left[node] + right)
    return arrived.astype(float)


def only_the_first_sample(feature, threshold, left, value, X):
    arrived = _walk(feature, threshold, left, X[:1], lambda x, t: x > t, lambda node, right: left[node] + right)
    return value[arrived]


PREDICT_WITH_ARRAYS = Exercise(
    name="predict_with_arrays",
    title="Follow the questions",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "For one sample: begin at node 0 and repeat until the node's feature is -1.",
        "`left[node] + (x[feature[node]] > threshold[node])` is the next node: a comparison counts as 0 or 1.",
    ),
    cases=_tree_cases,
    oracle=_tree_oracle,
    mistakes=(
        Mistake(
            equal_goes_right,
            "A sample exactly on the threshold went to the right. The question is *at most*, so it goes to the left.",
        ),
        Mistake(sides_exchanged, "Left and right are exchanged: samples at most the threshold go to the left."),
        Mistake(
            one_question_only,
            "Only the first question was asked. Go on from node to node until a leaf is reached.",
        ),
        Mistake(
            children_at_twice_the_number,
            "The children were looked for at 2 · node + 1 and 2 · node + 2. That holds for complete trees only; here the "
            "array `left` says where they are.",
        ),
        Mistake(numbers_of_leaves, "These are the numbers of the leaves. The predictions are their values."),
        Mistake(
            only_the_first_sample,
            "There is a prediction for one sample only. X holds a sample in each row.",
            "wrong shape",
        ),
    ),
)


# --- best_threshold ----------------------------------------------------------------------------------------------------------


def _eighths(rng, n, low=-20, high=20):
    """Different values that single precision, which scikit-learn uses, holds exactly, and their middles too."""
    return rng.choice(np.arange(8 * low, 8 * high), n, replace=False) / 8


def _threshold_cases(rng):
    yield Case("three samples in order", np.array([1.0, 2.0, 4.0]), np.array([10.0, 12.0, 30.0]))
    x = _eighths(rng, 12)
    yield Case("twelve samples in random order", x, np.where(x > np.median(x), 5.0, 0.0) + rng.normal(size=12))
    yield Case("two samples", np.array([3.0, -1.0]), rng.normal(size=2))
    ties = rng.permutation(np.repeat([1.0, 2.0, 3.0, 6.0], 4))
    low_and_high = np.where(np.arange(16) % 2 == 0, -9.0, 9.0) + rng.normal(size=16)
    yield Case("four different values, four samples of each", ties, low_and_high)
    lonely = np.append(_eighths(rng, 8), 30.0)
    yield Case("one sample far away, with a large target", lonely, np.append(rng.normal(size=8), 40.0) + 100)
    clear = np.array([-9.0, -8, -8, -9, -8, -9, 0, -1, 9]) + rng.uniform(-0.1, 0.1, 9)
    yield Case("nine samples in order", np.arange(9.0), clear)
    yield Case("all values equal", np.full(4, 2.0), rng.normal(size=4), raises=ValueError)


def _threshold_oracle(x, y):
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(max_depth=1, random_state=0).fit(x[:, None], y).tree_
    squares = tree.impurity * tree.n_node_samples
    return float(tree.threshold[0]), float(squares[0] - squares[1:].sum())


def _constant(x, y):
    return bool(np.all(x == x[0]))


def _squares(y):
    return np.sum((y - y.mean()) ** 2)


def _search(x, y, score):
    """Threshold with the largest score, and what that cut takes from the squares."""
    values = np.unique(x)
    best = max((values[1:] + values[:-1]) / 2, key=lambda t: score(y[x <= t], y[x > t]))
    return best, _squares(y) - _squares(y[x <= best]) - _squares(y[x > best])


def _removed(left, right):
    return -_squares(left) - _squares(right)


def threshold_is_a_value(x, y):
    threshold, gain = _search(x, y, _removed)
    return x[x <= threshold].max(), gain


def mean_instead_of_sum(x, y):
    threshold, gain = _search(x, y, _removed)
    return threshold, gain / len(y)


def squares_that_are_left(x, y):
    threshold, gain = _search(x, y, _removed)
    return threshold, _squares(y) - gain


def sides_count_alike(x, y):
    return _search(x, y, lambda left, right: -np.var(left) - np.var(right))


def sorts_only_the_feature(x, y):
    return _search(np.sort(x), y, _removed)


def cuts_between_equal_values(x, y):
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    gains = [_squares(y) - _squares(y[:i]) - _squares(y[i:]) for i in range(1, len(y))]
    i = int(np.argmax(gains))
    return (x[i] + x[i + 1]) / 2, gains[i]


BEST_THRESHOLD = Exercise(
    name="best_threshold",
    title="The best cut of one feature",
    points=5,
    minutes=20,
    difficulty=3,
    hints=(
        "A slow way first: loop over the middles between neighboring different values, and compare sums of squared errors.",
        "Sort x, and y in the same order. A running sum of y gives the sum of the left side for every cut.",
        "The cut removes S_L²/n_L + S_R²/n_R - S²/n from the squares. Exclude places where the sorted x does not change.",
    ),
    cases=_threshold_cases,
    oracle=_threshold_oracle,
    rtol=1e-6,
    atol=1e-6,
    mistakes=(
        *_with_and_without_refusal(
            threshold_is_a_value,
            "The threshold is the largest value of the left side. It divides the same rows, but the exercise asks for the "
            "middle between this value and the next one.",
            _constant,
        ),
        *_with_and_without_refusal(
            mean_instead_of_sum,
            "The threshold is right; the second number was divided by the number of samples. The sum is asked for.",
            _constant,
        ),
        *_with_and_without_refusal(
            squares_that_are_left,
            "The second number is what is left of the sum of squared errors. What the cut takes away is asked for.",
            _constant,
        ),
        *_with_and_without_refusal(
            sides_count_alike,
            "The variances of the two sides count alike, whatever their sizes. Sums of squares count each sample once.",
            _constant,
        ),
        *_with_and_without_refusal(
            sorts_only_the_feature,
            "x was sorted and y was not, so each value has the target of another sample. Sort both by the same order.",
            _constant,
        ),
        *_with_and_without_refusal(
            cuts_between_equal_values,
            "A cut between two samples with the same value was allowed. No threshold can make it.",
            _constant,
        ),
    ),
)


# --- absolute_error_cut ------------------------------------------------------------------------------------------------------


def _absolute_cases(rng):
    x = _eighths(rng, 11)
    step = np.where(x > np.sort(x)[4], 6.0, 0.0)
    yield Case("a step with noise", x, step + rng.normal(size=11))
    ordered = np.arange(10.0)
    outlier = np.array([0.0, 0, 0, 0, 8, 8, 8, 8, 8, 30]) + rng.normal(size=10) / 4
    yield Case("a step, and one target far away", ordered, outlier)
    rough = np.array([-3.0, 1, -3, 6, 4, 5, -8, 8, 9, 4]) + rng.uniform(-0.1, 0.1, 10)
    yield Case("ten samples in order", ordered, rough)
    yield Case("two samples", np.array([5.0, 1.0]), rng.normal(size=2))
    yield Case("equal values among them", rng.permutation(np.repeat([1.0, 2.0, 5.0], 4)), rng.normal(size=12) * 3)
    yield Case("all values equal", np.full(4, 2.0), rng.normal(size=4), raises=ValueError)


def _absolute_oracle(x, y):
    """Try every threshold, and every target as the prediction of each side."""
    best = None
    for low, high in pairwise(sorted(set(x.tolist()))):
        sides = y[x <= low], y[x >= high]
        rest = sum(min(float(np.abs(side - u).sum()) for u in side) for side in sides)
        if best is None or rest < best[1] - 1e-9:
            best = (low + high) / 2, rest
    return best


def _distances(y):
    return np.abs(y - np.median(y)).sum()


def _absolute_search(x, y, score):
    values = np.unique(x)
    best = min((values[1:] + values[:-1]) / 2, key=lambda t: score(y[x <= t], y[x > t]))
    return best, y[x <= best], y[x > best]


def leaves_predict_means(x, y):
    def around_the_mean(side):
        return np.abs(side - side.mean()).sum()

    best, left, right = _absolute_search(x, y, lambda a, b: around_the_mean(a) + around_the_mean(b))
    return best, around_the_mean(left) + around_the_mean(right)


def searches_with_squares(x, y):
    best, left, right = _absolute_search(x, y, lambda a, b: _squares(a) + _squares(b))
    return best, _distances(left) + _distances(right)


def mean_of_the_distances(x, y):
    best, left, right = _absolute_search(x, y, lambda a, b: _distances(a) + _distances(b))
    return best, (_distances(left) + _distances(right)) / len(y)


def what_the_cut_removes(x, y):
    best, left, right = _absolute_search(x, y, lambda a, b: _distances(a) + _distances(b))
    return best, _distances(y) - _distances(left) - _distances(right)


def sides_averaged_alike(x, y):
    best, left, right = _absolute_search(x, y, lambda a, b: _distances(a) / len(a) + _distances(b) / len(b))
    return best, _distances(left) + _distances(right)


ABSOLUTE_ERROR_CUT = Exercise(
    name="absolute_error_cut",
    title="A cut for absolute errors",
    points=6,
    minutes=25,
    difficulty=4,
    hints=(
        "Draw five numbers on a line and move u among them. When does the sum of the distances stop falling?",
        "It is smallest where as many targets lie below u as above. `np.median` finds that place.",
        "For each possible threshold: the sum of distances from the median on the left, plus that on the right.",
    ),
    cases=_absolute_cases,
    oracle=_absolute_oracle,
    atol=1e-6,
    mistakes=(
        *_with_and_without_refusal(
            leaves_predict_means,
            "The leaves predict means. A mean makes squared errors small; which number does it for absolute ones?",
            _constant,
        ),
        *_with_and_without_refusal(
            searches_with_squares,
            "The distances are right, but the threshold was chosen by squared errors.",
            _constant,
        ),
        *_with_and_without_refusal(
            mean_of_the_distances, "The sum of the absolute errors is asked for, not their mean.", _constant
        ),
        *_with_and_without_refusal(
            what_the_cut_removes,
            "The second number is what the cut takes away. The sum that is left is asked for.",
            _constant,
        ),
        *_with_and_without_refusal(
            sides_averaged_alike,
            "The mean distances of the two sides were added, so that a side of one sample counts as much as a side of many.",
            _constant,
        ),
    ),
)


# --- best_category_split -------------------------------------------------------------------------------------------------


def _draw_category_table(rng, ones, sizes, codes):
    category = np.repeat(codes, sizes)
    y = np.concatenate([np.arange(size) < k for size, k in zip(sizes, ones, strict=True)]).astype(int)
    order = rng.permutation(len(y))
    return category[order], y[order]


def _category_cases(rng):
    codes = rng.permutation(6)
    table = _draw_category_table(rng, [1, 1, 5, 6, 2, 7], [10, 8, 10, 9, 9, 8], codes)
    yield Case("six categories, three with few ones", *table)
    codes = rng.permutation([3, 11, 20, 47])
    yield Case("unequal sizes", *_draw_category_table(rng, [2, 2, 12, 1], [40, 8, 20, 2], codes))
    codes = rng.permutation([1, 2, 4])
    yield Case("the large gap is not the best place", *_draw_category_table(rng, [0, 15, 21], [1, 30, 30], codes))
    yield Case("two categories", *_draw_category_table(rng, [1, 3], [5, 5], np.array([8, 5])))
    codes = rng.permutation(5)
    table = _draw_category_table(rng, [0, 1, 2, 3, 36], [20, 20, 20, 20, 40], codes)
    yield Case("one category with most of the ones", *table)
    yield Case("one category", np.full(6, 4), np.array([0, 1, 0, 1, 1, 0]), raises=ValueError)


def _category_oracle(category, y):
    """Try every division."""
    names = np.unique(category)
    best, chosen = np.inf, None
    for subset in range(1, 2 ** (len(names) - 1)):
        left = np.isin(category, names[(subset >> np.arange(len(names))) & 1 == 1])
        squares = _squares(y[left]) + _squares(y[~left])
        if squares < best - 1e-12:
            best, chosen = squares, left
    if y[chosen].mean() > y[~chosen].mean():
        chosen = ~chosen
    return chosen


def _one_category(category, y):
    return len(set(category.tolist())) == 1


def _by_order(category, y, key):
    """The best cut of an order of the categories: which samples are on the side with the smaller share of ones."""
    names = sorted(np.unique(category), key=key)
    sides = [np.isin(category, names[:j]) for j in range(1, len(names))]
    left = min(sides, key=lambda side: _squares(y[side]) + _squares(y[~side]))
    if y[left].mean() > y[~left].mean():
        left = ~left
    return left


def _share_of_ones(category, y):
    return lambda name: y[category == name].mean()


def codes_as_sizes(category, y):
    return _by_order(category, y, key=lambda name: name)


def sorted_by_the_number_of_ones(category, y):
    return _by_order(category, y, key=lambda name: y[category == name].sum())


def one_against_the_others(category, y):
    sides = [category == name for name in np.unique(category)]
    left = min(sides, key=lambda side: _squares(y[side]) + _squares(y[~side]))
    if y[left].mean() > y[~left].mean():
        left = ~left
    return left


def below_the_overall_share(category, y):
    share = _share_of_ones(category, y)
    return np.array([share(name) <= y.mean() for name in category])


def at_the_largest_gap(category, y):
    share = _share_of_ones(category, y)
    names = sorted(np.unique(category), key=share)
    gaps = np.diff([share(name) for name in names])
    return np.isin(category, names[: int(gaps.argmax()) + 1])


def the_other_side(category, y):
    return ~_by_order(category, y, _share_of_ones(category, y))


BEST_CATEGORY_SPLIT = Exercise(
    name="best_category_split",
    title="The best set of categories",
    points=5,
    minutes=20,
    difficulty=3,
    hints=(
        "Count the samples and the ones of each category, and sort the categories by the share of ones.",
        "Only cuts of that order need a look: the first one, the first two, and so on. Compare them as cuts of a number.",
        "`np.unique(category, return_inverse=True)` gives names and codes, `np.bincount(code, y)` the ones of each category, and "
        "`np.isin(category, some_names)` tells which samples are in a set.",
    ),
    cases=_category_cases,
    oracle=_category_oracle,
    mistakes=(
        *_with_and_without_refusal(
            codes_as_sizes,
            "The codes of the categories were taken for sizes, with a threshold on them. They are names; another coding would "
            "give another result.",
            _one_category,
        ),
        *_with_and_without_refusal(
            sorted_by_the_number_of_ones,
            "The categories were sorted by the number of ones. A large category has many ones even if its share is small.",
            _one_category,
        ),
        *_with_and_without_refusal(
            one_against_the_others,
            "Only single categories were tried against all others. The best set may hold several.",
            _one_category,
        ),
        *_with_and_without_refusal(
            below_the_overall_share,
            "The order is right, but the cut was made at the overall share of ones. Compare the gains of all cuts of that order.",
            _one_category,
        ),
        *_with_and_without_refusal(
            at_the_largest_gap,
            "The order is right, but the cut was made at the largest gap between shares. A gap says nothing about how many "
            "samples stand behind it; compare the gains.",
            _one_category,
        ),
        *_with_and_without_refusal(
            the_other_side,
            "True and False are exchanged: True stands for the side with the smaller share of ones.",
            _one_category,
        ),
    ),
)


# --- repair_cut_search -------------------------------------------------------------------------------------------------------


def _repair_cases(rng):
    yield Case("the example", np.array([1.0, 1.0, 2.0, 2.0]), np.array([0, 1, 0, 1]))
    x = _eighths(rng, 9)
    yield Case("no value twice", x, (x > np.median(x)).astype(int) ^ (np.arange(9) == 4))
    values = np.repeat([1.0, 2.0, 3.0, 4.0], 4)
    y = np.array([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1])
    order = rng.permutation(16)
    yield Case("four values, four samples of each", values[order], y[order])
    order = rng.permutation(7)
    lonely = np.array([1.0, 1, 1, 1, 2, 3, 3]), np.array([0, 0, 1, 1, 1, 1, 0])
    yield Case("a value that occurs once between others", lonely[0][order], lonely[1][order])
    start = np.array([0.0, 0, 0, 0, 0, 5, 6, 6]), np.array([1, 1, 0, 1, 1, 0, 0, 0])
    yield Case("a long run at the beginning", *start)


def _repair_oracle(x, y):
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=1, random_state=0).fit(x[:, None], y).tree_
    weight = tree.n_node_samples / len(y)
    return float(tree.threshold[0]), float(tree.impurity[0] - weight[1:] @ tree.impurity[1:])


def _scan(x, y, skips, stops=lambda x, i: False):
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    n, best = len(y), None
    for i in range(n - 1):
        if stops(x, i):
            break
        if skips(x, i):
            continue
        p_left, p_right = y[: i + 1].mean(), y[i + 1 :].mean()
        gain = 2 * (i + 1) * (n - i - 1) / n**2 * (p_left - p_right) ** 2
        if best is None or gain > best[1] + 1e-12:
            best = (x[i] + x[i + 1]) / 2, gain
    return (0.0, 0.0) if best is None else best


def looks_between_equal_values(x, y):
    return _scan(x, y, lambda x, i: False)


def compares_with_the_value_before(x, y):
    return _scan(x, y, lambda x, i: i > 0 and x[i] == x[i - 1])


def stops_at_the_first_run(x, y):
    return _scan(x, y, lambda x, i: False, stops=lambda x, i: x[i] == x[i + 1])


def keeps_one_sample_of_each_value(x, y):
    values, first = np.unique(x, return_index=True)
    return _scan(values, y[first], lambda x, i: False)


def skips_every_repeated_value(x, y):
    return _scan(x, y, lambda x, i: x[i] == x[i + 1] or (x == x[i]).sum() > 1)


REPAIR_CUT_SEARCH = Exercise(
    name="repair_cut_search",
    title="Repair: gains that no question can have",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Print the threshold for the example, and ask which samples have x at most that threshold. Are they the ones whose "
        "gain was computed?",
        "Between which neighbors in the sorted order can a threshold lie?",
        "Look at x[i] and x[i + 1] before you compute a gain, and go on to the next i if no threshold fits between them.",
    ),
    cases=_repair_cases,
    oracle=_repair_oracle,
    mistakes=(
        Mistake(
            looks_between_equal_values,
            "The search still computes gains between samples with the same value. The rows that such a threshold sends to the "
            "left are others than the first i + 1.",
            planted=True,
        ),
        Mistake(
            compares_with_the_value_before,
            "You are off by one: the threshold lies between x[i] and x[i + 1], and you compare x[i] with x[i - 1].",
        ),
        Mistake(
            stops_at_the_first_run,
            "The loop ends at the first repeated value. Only this place must be left out; there are possible cuts after it.",
        ),
        Mistake(
            keeps_one_sample_of_each_value,
            "Samples with repeated values were thrown away. They count; only the cuts between them are impossible.",
        ),
        Mistake(
            skips_every_repeated_value,
            "All cuts next to a repeated value are left out, also the one after the last sample of a run, which is possible.",
        ),
    ),
)


# --- cuts_worth_their_rent ---------------------------------------------------------------------------------------------------

_SHAPE = np.array([1, 3, 5, 7, -1, -1, 9, -1, -1, -1, -1])  # nodes 0, 1, 2, 3 and 6 have cuts


def _gains(values):
    gain = np.zeros(len(_SHAPE))
    gain[_SHAPE >= 0] = values
    return gain


def _rent_cases(rng):
    noise = rng.uniform(-0.002, 0.002, 5)
    yield Case("every cut is worth it", _SHAPE, _gains(np.array([0.3, 0.1, 0.08, 0.05, 0.04]) + noise), 0.01)
    poor = np.array([0.01, 0.06, 0.05, 0.02, 0.01]) + noise
    yield Case("a poor first cut leads to good ones", _SHAPE, _gains(poor), 0.03)
    buried = np.array([0.3, 0.01, 0.1, 0.04, 0.05]) + noise
    yield Case("a good cut below one that is too poor", _SHAPE, _gains(buried), 0.03)
    lower = np.array([0.09, 0.03, 0.06, 0.0, 0.005])
    yield Case("a branch is good, its lower half is not", _SHAPE, _gains(lower + abs(noise)), 0.028)
    yield Case("a cut that earns exactly its rent", _SHAPE, _gains([0.5, 0.25, 0.125, 0.25, 0.0625]), 0.125)
    yield Case("nothing is worth it", _SHAPE, _gains(np.array([0.05, 0.01, 0.02, 0.01, 0.01]) + noise), 0.2)
    yield Case("a tree that is one leaf", np.array([-1]), np.zeros(1), 0.1)


def _rent_oracle(left, gain, alpha):
    """Try every set of cuts that hangs together at the root; of equal incomes, take the smallest set."""
    cuts = np.flatnonzero(left >= 0)
    parent = {int(child): int(t) for t in cuts for child in (left[t], left[t] + 1)}
    best = (0.0, frozenset())
    for subset in range(2 ** len(cuts)):
        chosen = frozenset(int(t) for b, t in enumerate(cuts) if subset >> b & 1)
        if any(t != 0 and parent[t] not in chosen for t in chosen):
            continue
        income = sum(gain[t] - alpha for t in chosen)
        if income > best[0] + 1e-12 or (abs(income - best[0]) <= 1e-12 and len(chosen) < len(best[1])):
            best = (income, chosen)
    return np.array([t in best[1] for t in range(len(left))])


def _net(left, gain, alpha, branch):
    net = np.zeros(len(left))
    for t in reversed(range(len(left))):
        if left[t] >= 0:
            net[t] = branch(gain[t] - alpha, net[left[t]], net[left[t] + 1])
    return net


def _without_orphans(left, kept):
    kept = kept & (left >= 0)
    for t in range(len(left)):
        if left[t] >= 0 and not kept[t]:
            kept[left[t] : left[t] + 2] = False
    return kept


def judges_each_cut_alone(left, gain, alpha):
    return _without_orphans(left, gain > alpha + 1e-12)


def leaves_orphans(left, gain, alpha):
    net = _net(left, gain, alpha, lambda own, a, b: max(0.0, own + a + b))
    return (net > 1e-12) & (left >= 0)


def never_gives_up_a_part(left, gain, alpha):
    net = _net(left, gain, alpha, lambda own, a, b: own + a + b)
    return _without_orphans(left, net > 1e-12)


def keeps_what_earns_nothing(left, gain, alpha):
    net = _net(left, gain, alpha, lambda own, a, b: max(0.0, own + a + b))
    worth = _net(left, gain, alpha, lambda own, a, b: own + max(a, 0.0) + max(b, 0.0))
    return _without_orphans(left, (net > 1e-12) | (worth > -1e-12))


def marks_the_leaves(left, gain, alpha):
    kept = _rent_oracle(left, gain, alpha)
    return ~kept


def forgets_the_rent(left, gain, alpha):
    return _without_orphans(left, gain > 0)


CUTS_WORTH_THEIR_RENT = Exercise(
    name="cuts_worth_their_rent",
    title="Prune a tree",
    points=6,
    minutes=25,
    difficulty=4,
    hints=(
        "Begin with a cut whose children are leaves: it is kept if its gain is larger than the rent. What does it then offer "
        "to the cut above it?",
        "Go through the nodes from the last to the first. The net income of a branch is its own gain minus the rent, plus the "
        "net incomes of both children, and at least 0.",
        "At last go from the first node to the last: below a node that has become a leaf, nothing is kept.",
    ),
    cases=_rent_cases,
    oracle=_rent_oracle,
    mistakes=(
        Mistake(
            judges_each_cut_alone,
            "Each cut was judged by its own gain. A poor cut can be worth its rent for the sake of those below it.",
        ),
        Mistake(
            leaves_orphans,
            "A cut is kept below a node that has become a leaf. No sample can reach it.",
        ),
        Mistake(
            never_gives_up_a_part,
            "A branch was weighed only as a whole, losses below included. A part of it that costs more than it earns can be "
            "given up by itself; its net income is then 0.",
        ),
        Mistake(
            keeps_what_earns_nothing,
            "A branch that earns exactly its rent was kept. If giving it up costs nothing, the smaller tree is wanted.",
        ),
        Mistake(marks_the_leaves, "True and False are exchanged: True stands for a cut that is kept."),
        Mistake(forgets_the_rent, "Every cut with a gain was kept. Each one has to pay the rent."),
    ),
)


# --- predict_tree_behavior ---------------------------------------------------------------------------------------------------

_RIGHT = {
    "training_accuracy_on_shuffled_labels": 1.0,
    "predictions_after_a_logarithm": "same",
    "leaves_if_every_row_is_repeated": 12,
    "leaves_of_an_alternating_target": 10,
    "gain_of_the_first_cut_of_a_chessboard": 0.0,
    "prediction_far_to_the_right": 30.0,
}


def _behavior_cases(rng):
    yield Case("your six predictions, measured")


def _behavior_oracle():
    """Measure on data what is to be predicted."""
    from sklearn.datasets import load_wine
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    X, y = load_wine(return_X_y=True)
    tree = lambda X, y: DecisionTreeClassifier(random_state=0).fit(X, y)  # noqa: E731
    shuffled = np.random.default_rng(0).permutation(y)
    logged = np.column_stack([np.log(X[:, 0]), X[:, 1:]])
    same = np.array_equal(tree(X, y).predict(X), tree(logged, y).predict(logged))
    x = np.arange(1.0, 11.0)[:, None]
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(corners, [0, 1, 1, 0]).tree_
    return {
        "training_accuracy_on_shuffled_labels": float(tree(X, shuffled).score(X, shuffled)),
        "predictions_after_a_logarithm": "same" if same else "different",
        "leaves_if_every_row_is_repeated": int(tree(np.repeat(X, 2, axis=0), np.repeat(y, 2)).get_n_leaves()),
        "leaves_of_an_alternating_target": int(tree(x, np.arange(10) % 2).get_n_leaves()),
        "gain_of_the_first_cut_of_a_chessboard": float(stump.impurity[0] - stump.impurity[1:].mean()),
        "prediction_far_to_the_right": float(DecisionTreeRegressor().fit(x, 3 * x[:, 0]).predict([[100.0]])[0]),
    }


def _compare_behavior(expected, got):
    """Name the predictions that are wrong, without giving the answers away."""
    if not isinstance(got, dict) or set(got) != set(expected):
        return difference(expected, got)
    wrong = [
        key
        for key in expected
        if difference(
            float(v) if isinstance(v := expected[key], int) else v,
            float(g) if isinstance(g := got[key], int) else g,
            rtol=1e-6,
        )
        is not None
    ]
    if not wrong:
        return None
    return Difference("wrong value", f"{len(wrong)} of 6 predictions differ from what was measured: {', '.join(wrong)}")


def noise_cannot_be_learned():
    return {**_RIGHT, "training_accuracy_on_shuffled_labels": 0.4}


def units_matter():
    return {**_RIGHT, "predictions_after_a_logarithm": "different"}


def copies_need_leaves():
    return {**_RIGHT, "leaves_if_every_row_is_repeated": 24}


def two_classes_need_two_leaves():
    return {**_RIGHT, "leaves_of_an_alternating_target": 2}


def as_many_leaves_as_cuts():
    return {**_RIGHT, "leaves_of_an_alternating_target": 9}


def one_cut_solves_half_of_the_chessboard():
    return {**_RIGHT, "gain_of_the_first_cut_of_a_chessboard": 0.25}


def the_trend_goes_on():
    return {**_RIGHT, "prediction_far_to_the_right": 300.0}


def the_mean_of_all():
    return {**_RIGHT, "prediction_far_to_the_right": 16.5}


PREDICT_TREE_BEHAVIOR = Exercise(
    name="predict_tree_behavior",
    title="Predict: noise, logarithms, copies, a chessboard",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "For each question, think of the boxes that the tree makes, and of the samples in each of them.",
        "When can a tree that goes on until its leaves are pure fail to separate two samples?",
        "What is in the box that reaches from the last threshold to infinity?",
    ),
    cases=_behavior_cases,
    oracle=_behavior_oracle,
    compare=_compare_behavior,
    mistakes=(
        Mistake(
            noise_cannot_be_learned,
            "Shuffled labels cannot be *predicted*, but they can be learned by heart: what stops the tree from giving a leaf "
            "to every sample?",
        ),
        Mistake(
            units_matter,
            "Which divisions of the rows are possible depends on the order of the values. What does a logarithm do to it?",
        ),
        Mistake(
            copies_need_leaves,
            "A copy gives the same answers as its original, so it arrives in the same leaf, and the shares in all nodes stay.",
        ),
        Mistake(
            two_classes_need_two_leaves,
            "A leaf is an interval here, and it must be pure. Which neighbors can be in one interval?",
        ),
        Mistake(as_many_leaves_as_cuts, "This is the number of cuts. A tree has one leaf more than it has cuts."),
        Mistake(
            one_cut_solves_half_of_the_chessboard,
            "Write down the classes on both sides of a cut of the chessboard, and their Gini impurities.",
        ),
        Mistake(
            the_trend_goes_on,
            "A tree continues no trend. The sample falls into the outermost box, and gets what that box predicts.",
        ),
        Mistake(
            the_mean_of_all,
            "The mean of all targets is what a tree without cuts predicts. Which samples are in the outermost box?",
        ),
    ),
)


# --- grow_and_predict --------------------------------------------------------------------------------------------------------


def _growing_cases(rng):
    X = _eighths(rng, 60).reshape(20, 3)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 5)
    yield Case("three features, three classes, depth 3", X, y, 3, _eighths(rng, 30).reshape(10, 3))
    y = rng.integers(0, 2, 20)
    yield Case("random classes, many questions", X, y, 9, np.concatenate([X, _eighths(rng, 30).reshape(10, 3)]))
    yield Case("random classes, one question", X, y, 1, X)
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    yield Case("a chessboard, where the first cut gains nothing", corners, np.array([1, 0, 0, 1]), 2, corners)
    ties = rng.integers(0, 3, size=(24, 2)).astype(float)
    yield Case("few values, many ties", ties, rng.integers(0, 3, 24), 4, ties)
    twins = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]])
    probes = np.array([[1.0, 4.0], [4.0, 1.0], [2.5, 9.0], [2.25, 9.0], [9.0, 2.5]])
    yield Case("two equal columns, samples exactly on the threshold", twins, np.array([0, 0, 1, 1]), 3, probes)
    bulk = np.array([[0.0], [0], [0], [0], [0], [0], [1], [1], [1], [2], [2], [2], [2], [2]])
    yield Case("a cut that no error falls by", bulk, np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0]), 1, bulk)


def _growing_oracle(X, y, max_depth, X_new):
    from mlcourse.classical import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=max_depth).fit(X, y).predict(X_new)


def _gini_times_n(labels):
    return len(labels) - np.sum(np.bincount(labels) ** 2) / len(labels)


def _grow(
    X, y, depth, X_new, impurity=_gini_times_n, least_gain=-1.0, goes_left=np.less_equal, features=None, middle=True
):
    counts = np.bincount(y)
    leaf = np.full(len(X_new), counts.argmax())
    if depth == 0 or (counts > 0).sum() == 1:
        return leaf
    best = None
    for feature in features or range(X.shape[1]):
        values = np.unique(X[:, feature])
        for threshold in (values[1:] + values[:-1]) / 2 if middle else values[:-1]:
            left = X[:, feature] <= threshold
            gain = (impurity(y) - impurity(y[left]) - impurity(y[~left])) / len(y)
            if gain > least_gain and (best is None or gain > best[0] + 1e-9):
                best = gain, feature, threshold
    if best is None:
        return leaf
    _, feature, threshold = best
    left, new_left = X[:, feature] <= threshold, goes_left(X_new[:, feature], threshold)
    predictions = np.empty(len(X_new), dtype=int)
    for rows, new in ((left, new_left), (~left, ~new_left)):
        predictions[new] = _grow(
            X[rows], y[rows], depth - 1, X_new[new], impurity, least_gain, goes_left, features, middle
        )
    return predictions


def stops_where_nothing_is_gained(X, y, max_depth, X_new):
    return _grow(X, y, max_depth, X_new, least_gain=1e-9)


def ignores_the_depth(X, y, max_depth, X_new):
    return _grow(X, y, 99, X_new)


def one_question_too_many(X, y, max_depth, X_new):
    return _grow(X, y, max_depth + 1, X_new)


def one_question_too_few(X, y, max_depth, X_new):
    return _grow(X, y, max_depth - 1, X_new)


def grows_by_errors(X, y, max_depth, X_new):
    return _grow(X, y, max_depth, X_new, impurity=lambda labels: len(labels) - np.bincount(labels).max())


def children_weigh_alike(X, y, max_depth, X_new):
    return _grow(X, y, max_depth, X_new, impurity=lambda labels: _gini_times_n(labels) / len(labels))


def thresholds_at_values(X, y, max_depth, X_new):
    return _grow(X, y, max_depth, X_new, middle=False)


def last_feature_wins(X, y, max_depth, X_new):
    return _grow(X, y, max_depth, X_new, features=list(reversed(range(X.shape[1]))))


def new_samples_on_the_threshold_go_right(X, y, max_depth, X_new):
    return _grow(X, y, max_depth, X_new, goes_left=np.less)


GROW_AND_PREDICT = Exercise(
    name="grow_and_predict",
    title="A tree of your own",
    points=8,
    minutes=40,
    difficulty=5,
    hints=(
        "Write it as a recursion: a node is a call with its own rows. What makes a node a leaf?",
        "Let the new samples travel along: each call returns the predictions of the new samples that arrive in its node.",
        "Go through the features in order and through the thresholds from low to high, and replace the best cut only if the "
        "gain is larger by more than 1e-9.",
    ),
    cases=_growing_cases,
    oracle=_growing_oracle,
    mistakes=(
        Mistake(
            stops_where_nothing_is_gained,
            "A node whose best cut gains nothing became a leaf. The cuts below it may gain: on a chessboard they gain everything.",
        ),
        Mistake(ignores_the_depth, "The tree goes on beyond `max_depth` questions."),
        Mistake(
            one_question_too_many,
            "One question too many is asked. With `max_depth` 1 there is one question, and both children are leaves.",
        ),
        Mistake(one_question_too_few, "One question too few is asked. With `max_depth` 1 there is one question."),
        Mistake(
            grows_by_errors,
            "Cuts were chosen by the number of errors. It does not see a cut that makes the children purer without changing "
            "their majorities.",
        ),
        Mistake(
            children_weigh_alike,
            "The impurities of the children were added without weights. A child counts by its share of the samples.",
        ),
        Mistake(
            thresholds_at_values,
            "The thresholds are values of the feature and not the middles between neighbors, so that new samples between two "
            "values go the wrong way.",
        ),
        Mistake(
            last_feature_wins,
            "Of equally good cuts, one with a higher feature number was taken. Rounding can do that too: ask for a gain that is "
            "larger by more than 1e-9.",
        ),
        Mistake(
            new_samples_on_the_threshold_go_right,
            "A new sample exactly on a threshold went to the right. At most the threshold means left.",
        ),
    ),
)


# --- tumor_report ------------------------------------------------------------------------------------------------------------

TUMOR_REPORT = Exercise(
    name="tumor_report",
    title="Open: a card for tumors",
    points=5,
    minutes=40,
    difficulty=4,
    answer="manual",
    hints=(
        "Compare depths, or rents, by cross-validation on the training part; `draw_tree` of `mlcourse.display.trees` draws "
        "the one that you choose.",
        "Resample the test pictures for an interval of the accuracy. Count the malignant tumors that were called benign.",
        "Draw the rows of the training part with replacement, a hundred times, and note the first question of each refit.",
    ),
    rubric=(
        "One point each. (1) The tree was chosen without the test part, and its questions are named. (2) Accuracy on the test "
        "part with an interval, beside the baseline of 63 % (always benign). (3) Malignant tumors that are missed are counted, "
        "and it is said that this error weighs more than the other. (4) Bootstrap refits of the first question, with the "
        "conclusion that features of size and outline replace each other, so that the question is no discovery. (5) A "
        "recommendation that follows from the numbers, such as another model or another threshold. Half a point where a claim "
        "is right but no number stands behind it."
    ),
)


EXERCISES = [
    GINI_OF_LABELS,
    INFORMATION_GAIN_IN_BITS,
    PREDICT_WITH_ARRAYS,
    BEST_THRESHOLD,
    ABSOLUTE_ERROR_CUT,
    BEST_CATEGORY_SPLIT,
    REPAIR_CUT_SEARCH,
    CUTS_WORTH_THEIR_RENT,
    PREDICT_TREE_BEHAVIOR,
    GROW_AND_PREDICT,
    TUMOR_REPORT,
]
