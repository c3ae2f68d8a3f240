"""Decision trees equal scikit-learn's node by node, equal the plain loop, and keep their invariances."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import sklearn.tree
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.classical import DecisionTreeClassifier, DecisionTreeRegressor
from mlcourse.classical.growing import middle, rank_columns
from mlcourse.classical.nodes import prune


def tiny_table(rng, n, d):
    """Numbers that scikit-learn, which works in single precision, sees as we do; half of the tables are full of ties."""
    X = rng.integers(0, 5, (n, d)) if rng.random() < 0.5 else rng.normal(size=(n, d)).astype(np.float32)
    if rng.random() < 0.2:
        X[:, 0] = 1
    if rng.random() < 0.2:
        X = np.repeat(X[: n // 2 + 1], 2, axis=0)[:n]
    return X.astype(float)


def tiny_classes(seed):
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(2, 25)), int(rng.integers(1, 5)), int(rng.integers(1, 5))
    return tiny_table(rng, n, d), rng.integers(0, k, n)


def tiny_numbers(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 25)), int(rng.integers(1, 5))
    y = rng.integers(-3, 4, n).astype(float) if rng.random() < 0.5 else rng.normal(size=n) + 100
    return tiny_table(rng, n, d), y


# ---- the plain loop: one node, one feature, one cut at a time


def impurity(y, criterion):
    """Times the number of rows."""
    if criterion == "squares":
        return ((y - y.mean()) ** 2).sum()
    share = np.unique(y, return_counts=True)[1] / len(y)
    return len(y) * (1 - (share**2).sum() if criterion == "gini" else -(share * np.log2(share)).sum())


def best_cut(X, y, criterion):
    """Return impurity, feature and threshold of the best question, or None if there is none."""
    best = None
    for feature in range(X.shape[1]):
        values = np.unique(X[:, feature])
        for low, high in pairwise(values):
            threshold = low / 2 + high / 2
            left = X[:, feature] <= threshold
            rest = impurity(y[left], criterion) + impurity(y[~left], criterion)
            if best is None or rest < best[0] - 1e-9 * (1 + impurity(y, criterion)):
                best = rest, feature, threshold
    return best


def loop_tree(X, y, criterion, depth=None):
    """Return the tree as nested tuples (feature, threshold, left, right), a leaf as the classes or numbers in it."""
    cut = None if depth == 0 or len(set(y)) == 1 else best_cut(X, y, criterion)
    if cut is None:
        return sorted(y.tolist())
    _, feature, threshold = cut
    left = X[:, feature] <= threshold
    depth = None if depth is None else depth - 1
    return (
        feature,
        threshold,
        loop_tree(X[left], y[left], criterion, depth),
        loop_tree(X[~left], y[~left], criterion, depth),
    )


def nested(model, X, y, node=0, rows=None):
    """A fitted tree in the form of `loop_tree`."""
    tree = model.tree_
    rows = np.arange(len(X)) if rows is None else rows
    if tree.feature[node] < 0:
        return sorted(y[rows].tolist())
    left = X[rows, tree.feature[node]] <= tree.threshold[node]
    children = [nested(model, X, y, tree.left[node] + i, rows[left == (i == 0)]) for i in (0, 1)]
    return int(tree.feature[node]), float(tree.threshold[node]), *children


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_the_classifier_equals_the_plain_loop_on_200_tiny_problems(criterion):
    for seed in range(200):
        X, y = tiny_classes(seed)
        model = DecisionTreeClassifier(criterion).fit(X, y)
        assert nested(model, X, y) == loop_tree(X, y, criterion), seed


def test_the_regressor_equals_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, y = tiny_numbers(seed)
        assert nested(DecisionTreeRegressor().fit(X, y), X, y) == loop_tree(X, y, "squares"), seed


# ---- scikit-learn: it breaks ties between features at random, so the trees are compared node by node


def check_nodes(ours, reference, X, y, weight, seed):
    """Every node of ours is the cut that scikit-learn makes of the same rows, and no feature offers a better one."""
    tree, rows_of = ours.tree_, {0: np.arange(len(X))}
    for node in range(len(tree.feature)):
        rows = rows_of[node]
        if len(set(y[rows])) == 1:  # scikit-learn may see rounding errors here
            assert tree.feature[node] < 0
            continue
        stump = reference(max_depth=1, random_state=0).fit(X[rows], y[rows], weight[rows]).tree_
        assert (stump.feature[0] < 0) == (tree.feature[node] < 0), (
            f"seed {seed}, node {node}: one of the two cuts, one does not"
        )
        np.testing.assert_allclose(tree.size[node], stump.weighted_n_node_samples[0], rtol=1e-9)
        np.testing.assert_allclose(tree.impurity[node], stump.impurity[0], rtol=1e-6, atol=1e-9 * (1 + abs(y).max()))
        if tree.feature[node] < 0:
            continue
        f, cut = tree.feature[node], tree.threshold[node]
        rows_of[tree.left[node]], rows_of[tree.left[node] + 1] = rows[X[rows, f] <= cut], rows[X[rows, f] > cut]
        impure = stump.impurity * stump.weighted_n_node_samples
        np.testing.assert_allclose(
            tree.gain[node],
            impure[0] - impure[1:].sum(),
            rtol=1e-6,
            atol=1e-9 * (1 + abs(y).max()),
            err_msg=f"seed {seed}",
        )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_every_node_of_the_classifier_is_scikit_learns_on_200_tiny_problems(criterion, weighted):
    def reference(**options):
        return sklearn.tree.DecisionTreeClassifier(criterion=criterion, **options)

    for seed in range(200):
        X, y = tiny_classes(seed)
        weight = np.random.default_rng(seed).uniform(0.1, 3, len(y)) if weighted else np.ones(len(y))
        ours = DecisionTreeClassifier(criterion).fit(X, y, weight if weighted else None)
        check_nodes(ours, reference, X, y, weight, seed)


@pytest.mark.parametrize("weighted", [False, True])
def test_every_node_of_the_regressor_is_scikit_learns_on_200_tiny_problems(weighted):
    for seed in range(200):
        X, y = tiny_numbers(seed)
        weight = np.random.default_rng(seed).uniform(0.1, 3, len(y)) if weighted else np.ones(len(y))
        ours = DecisionTreeRegressor().fit(X, y, weight if weighted else None)
        check_nodes(ours, sklearn.tree.DecisionTreeRegressor, X, y, weight, seed)


@pytest.mark.parametrize("options", [{}, {"max_depth": 2}, {"min_samples_leaf": 8}, {"min_samples_split": 6}])
def test_where_nothing_ties_the_whole_tree_is_scikit_learns_on_200_tiny_problems(options):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 60))
        d = 4 if "min_samples_leaf" in options else 1  # small nodes have equally good cuts of several features
        X, y = rng.normal(size=(n, d)).astype(np.float32).astype(float), rng.normal(size=n)
        ours = DecisionTreeRegressor(**options).fit(X, y)
        reference = sklearn.tree.DecisionTreeRegressor(**options, random_state=0).fit(X, y)
        probe = np.concatenate([X, rng.normal(size=(50, d)).astype(np.float32)])
        np.testing.assert_allclose(ours.predict(probe), reference.predict(probe), err_msg=f"seed {seed}")
        assert (ours.get_depth(), ours.get_n_leaves()) == (reference.get_depth(), reference.get_n_leaves())
        inner = reference.tree_.feature >= 0
        np.testing.assert_allclose(
            np.sort(_inner(ours.tree_.threshold, ours)), np.sort(reference.tree_.threshold[inner])
        )
        np.testing.assert_allclose(ours.feature_importances_, reference.feature_importances_, atol=1e-9)


def _inner(values, model):
    return values[model.tree_.feature >= 0]


def test_probabilities_of_unlimited_trees_equal_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        X, y = tiny_classes(seed)
        ours = DecisionTreeClassifier().fit(X, y)
        reference = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), reference.predict_proba(X), err_msg=f"seed {seed}")


def test_cuts_without_gain_are_made_because_their_children_may_gain():
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    assert DecisionTreeClassifier().fit(X, y).score(X, y) == 1


# ---- pruning


def loop_prune(tree, y, criterion, alpha, n):
    """The plain loop: a branch becomes a leaf unless impurity and leaves of its two parts cost less. Returns its cost and what is left."""
    rows = list(samples(tree))
    as_leaf = impurity(np.array(rows), criterion) / n + alpha
    if isinstance(tree, list):
        return as_leaf, rows
    (left_cost, left), (right_cost, right) = (loop_prune(part, y, criterion, alpha, n) for part in tree[2:])
    if left_cost + right_cost < as_leaf - 1e-12 * (1 + impurity(y, criterion)):
        return left_cost + right_cost, (*tree[:2], left, right)
    return as_leaf, sorted(rows)


def samples(tree):
    return tree if isinstance(tree, list) else [*samples(tree[2]), *samples(tree[3])]


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squares"])
def test_pruned_trees_equal_the_plain_loop_on_200_tiny_problems(criterion):
    for seed in range(200):
        (X, y), model = (
            (tiny_numbers(seed), DecisionTreeRegressor())
            if criterion == "squares"
            else (tiny_classes(seed), DecisionTreeClassifier(criterion))
        )
        alphas = model.cost_complexity_pruning_path(X, y).ccp_alphas
        whole = nested(model.fit(X, y), X, y)
        alpha = (alphas[len(alphas) // 3] + alphas[-1] / 99, alphas[-1] * 0.7, alphas[-1] * 1.01)[seed % 3]
        if alpha == 0 or np.isclose(alphas, alpha, rtol=1e-6).any():
            alpha = alphas[-1] * 1.5 + 1.0
        pruned = model.set_params(ccp_alpha=alpha).fit(X, y)
        assert nested(pruned, X, y) == loop_prune(whole, y, criterion, alpha, len(y))[1], seed
        assert pruned.get_n_leaves() == (pruned.tree_.left >= 0).sum() + 1


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("criterion", ["gini", "entropy", "squares"])
def test_pruning_and_its_path_equal_scikit_learns_on_200_tiny_problems(criterion, weighted):
    ours = DecisionTreeRegressor() if criterion == "squares" else DecisionTreeClassifier(criterion)
    reference = (
        sklearn.tree.DecisionTreeRegressor(random_state=0)
        if criterion == "squares"
        else sklearn.tree.DecisionTreeClassifier(criterion=criterion, random_state=0)
    )
    compared = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(int(rng.integers(2, 25)), 1)).astype(np.float32).astype(float)
        y = rng.normal(size=len(X)) if criterion == "squares" else rng.integers(0, 3, len(X))
        weight = rng.uniform(0.1, 3, len(X)) if weighted else None
        if not np.array_equal(*(nodes_of(model.fit(X, y, weight).tree_) for model in (ours, reference))):
            continue  # equally good cuts, of which rounding chose another one
        if compared == 200:
            return
        compared += 1
        found, wanted = (model.cost_complexity_pruning_path(X, y, weight) for model in (ours, reference))
        for a, b in zip(last_of_each_price(found), last_of_each_price(wanted), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9, err_msg=f"seed {seed}")
        alpha = wanted.ccp_alphas[-1] * rng.uniform(0.1, 1.1)
        for model in (ours, reference):
            model.set_params(ccp_alpha=alpha).fit(X, y, weight)
        np.testing.assert_allclose(_said(ours, X), _said(reference, X), err_msg=f"seed {seed}")
        assert (ours.get_depth(), ours.get_n_leaves()) == (reference.get_depth(), reference.get_n_leaves()), seed
        for model in (ours, reference):
            model.set_params(ccp_alpha=0.0)
    pytest.fail(f"only {compared} trees were scikit-learn's")


def nodes_of(tree):
    """The cuts of a tree with one feature, and how much lies below each."""
    size = tree.size if hasattr(tree, "size") else tree.weighted_n_node_samples
    return np.sort(np.stack([tree.threshold, size])[:, tree.feature >= 0].round(9), axis=1)


def last_of_each_price(path):
    """Branches that fall at the same price may do so in any order."""
    last = np.append(np.diff(path.ccp_alphas) > 1e-9 * path.ccp_alphas[1:] + 1e-12, True)
    return path.ccp_alphas[last], path.impurities[last]


@given(st.integers(0, 10_000))
def test_pruned_trees_are_nested_and_end_at_the_root(seed):
    X, y = tiny_numbers(seed)
    tree = DecisionTreeRegressor().fit(X, y).tree_
    highest = DecisionTreeRegressor().cost_complexity_pruning_path(X, y).ccp_alphas[-1]
    boxes = [prune(tree, alpha).leaves(X)[0] for alpha in np.linspace(0, highest * 1.01, 6)[1:]]
    for finer, coarser in pairwise(boxes):
        assert len(np.unique(np.stack([finer, coarser]), axis=1).T) == len(np.unique(finer))
    assert not boxes[-1].any()


# ---- categorical features


def subset_impurity(X, y, k):
    """The least impurity of all ways to send categories left and right, by trying every one."""
    categories = np.unique(X)
    best = np.inf
    for size in range(1, len(categories)):
        for chosen in combinations(categories, size):
            left = np.isin(X, chosen)
            best = min(best, impurity(y[left], k) + impurity(y[~left], k))
    return best


@pytest.mark.parametrize(
    ("model", "criterion"),
    [(DecisionTreeClassifier, "gini"), (DecisionTreeClassifier, "entropy"), (DecisionTreeRegressor, "squares")],
)
def test_the_best_set_of_categories_is_found_without_trying_all_on_200_tiny_problems(model, criterion):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, rng.integers(2, 6), (int(rng.integers(3, 30)), 1)).astype(float) * 3 - 5
        y = rng.integers(0, 2, len(X)) if criterion != "squares" else rng.normal(size=len(X))
        tree = model(criterion, max_depth=1, categorical_features=[0]).fit(X, y).tree_
        if tree.feature[0] < 0:
            assert len(np.unique(X)) == 1 or len(np.unique(y)) == 1
            continue
        left = tree.leaves(X)[0] == tree.left[0]
        found = impurity(y[left], criterion) + impurity(y[~left], criterion)
        np.testing.assert_allclose(found, subset_impurity(X[:, 0], y, criterion), atol=1e-9, err_msg=f"seed {seed}")
        np.testing.assert_allclose(tree.gain[0], impurity(y, criterion) - found, atol=1e-9)


def test_of_several_classes_the_set_of_categories_is_nearly_the_best():
    lost = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(0, 5, (40, 1)).astype(float), rng.integers(0, 4, 40)
        tree = DecisionTreeClassifier(max_depth=1, categorical_features=[0]).fit(X, y).tree_
        whole, best = impurity(y, "gini"), subset_impurity(X[:, 0], y, "gini")
        lost.append(1 - tree.gain[0] / (whole - best))
    assert min(lost) > -1e-9
    assert np.mean(lost) < 0.05


def test_categories_and_numbers_live_in_one_tree_and_names_carry_no_order():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 8, 300), rng.normal(size=300)])
    y = np.isin(X[:, 0], [1, 4, 6]) ^ (X[:, 1] > 0.3)
    model = DecisionTreeClassifier(categorical_features=[0]).fit(X, y)
    assert model.score(X, y) == 1
    assert model.get_n_leaves() == 4
    renamed = np.column_stack([np.array([50, 3, 9, 0, -4, 7, 1, 2])[X[:, 0].astype(int)], X[:, 1]])
    other = DecisionTreeClassifier(categorical_features=[0]).fit(renamed, y)
    np.testing.assert_array_equal(model.predict(X), other.predict(renamed))


def test_an_unknown_category_follows_the_larger_child():
    X, y = np.array([[1.0]] * 5 + [[2.0]] * 3), [0] * 5 + [1] * 3
    model = DecisionTreeClassifier(categorical_features=[0]).fit(X, y)
    assert model.predict([[99.0], [1.5], [0.0], [2.0]]).tolist() == [0, 0, 0, 1]


# ---- invariances

seeds = st.integers(0, 10_000)
both = pytest.mark.parametrize(
    ("model", "tiny"), [(DecisionTreeClassifier, tiny_classes), (DecisionTreeRegressor, tiny_numbers)]
)


@both
@given(seeds)
def test_the_order_of_rows_does_not_matter(model, tiny, seed):
    X, y = tiny(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    probe = np.random.default_rng(seed).normal(size=(30, X.shape[1])) * 3
    first, second = model().fit(X, y), model().fit(X[order], y[order])
    np.testing.assert_allclose(_said(first, probe), _said(second, probe), rtol=1e-9, atol=1e-9)


@both
@given(seeds, st.sampled_from([0.5, 4.0, 1024.0]))
def test_units_of_the_features_do_not_matter(model, tiny, seed, factor):
    X, y = tiny(seed)
    np.testing.assert_allclose(_said(model().fit(X, y), X), _said(model().fit(factor * X, y), factor * X))


@both
@given(seeds, st.integers(2, 4))
def test_repeated_rows_count_as_weights_do(model, tiny, seed, times):
    X, y = tiny(seed)
    probe = np.random.default_rng(seed).normal(size=(30, X.shape[1])) * 3
    repeated = model(max_depth=3).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    weighted = model(max_depth=3).fit(X, y, np.full(len(y), float(times)))
    plain = model(max_depth=3).fit(X, y)
    for other in (repeated, weighted):
        np.testing.assert_allclose(_said(plain, probe), _said(other, probe), rtol=1e-9, atol=1e-9)


def _said(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@given(seeds)
def test_a_growing_function_of_a_feature_leaves_the_same_partition(seed):
    X, y = tiny_classes(seed)
    np.testing.assert_allclose(
        _said(DecisionTreeClassifier().fit(X, y), X), _said(DecisionTreeClassifier().fit(np.exp(X), y), np.exp(X))
    )


# ---- parameters and parts


def test_the_number_of_features_to_choose_from():
    X, y = np.random.default_rng(0).normal(size=(30, 9)), np.arange(30) % 2
    for wanted, count in ((None, 9), ("sqrt", 3), ("log2", 3), (4, 4), (40, 9), (0.5, 4), (0.01, 1)):
        assert DecisionTreeClassifier(max_features=wanted, random_state=0).fit(X, y).max_features_ == count


def test_drawn_features_that_are_constant_do_not_stop_the_growth():
    X = np.column_stack([np.zeros((40, 9)), np.arange(40.0)])
    y = np.arange(40) // 10 % 2
    assert DecisionTreeClassifier(max_features=1, random_state=0).fit(X, y).score(X, y) == 1


def test_the_seed_decides_which_features_are_drawn():
    X, y = np.random.default_rng(0).normal(size=(80, 6)), np.arange(80) % 2
    said = [
        DecisionTreeClassifier(max_features=1, max_depth=3, random_state=s).fit(X, y).predict_proba(X)
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(said[0], said[1])
    assert (said[0] != said[2]).any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"criterion": "mse"}, "criterion must be 'gini' or 'entropy'; got 'mse'"),
        ({"max_depth": 0}, "max_depth must be an integer of at least 1 or None; got 0"),
        ({"min_samples_split": 1}, "min_samples_split must be an integer of at least 2; got 1"),
        ({"min_samples_leaf": 0.5}, "min_samples_leaf must be an integer of at least 1; got 0.5"),
        ({"max_features": 0}, "max_features must be a positive integer, a share"),
        ({"max_features": "all"}, "max_features must be a positive integer, a share"),
        ({"categorical_features": [7]}, "categorical_features must be column numbers from 0 to 1"),
        ({"ccp_alpha": -1}, "ccp_alpha must be a number from 0"),
        ({"categorical_features": ["color"]}, "categorical_features must be column numbers"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with pytest.raises(ValueError, match=message):
        DecisionTreeClassifier(**params).fit(np.eye(2), [0, 1])


def test_weights_that_say_nothing_are_refused():
    for weight, message in (([0, 0], "zero"), ([1, -1], "[Nn]egative")):
        with pytest.raises(ValueError, match=message):
            DecisionTreeClassifier().fit(np.eye(2), [0, 1], weight)


def test_the_middle_of_neighbors_among_floating_point_numbers_is_the_lower_one():
    low = np.array([1.0, 1e308, 2.0])
    high = np.array([np.nextafter(1, 2), 1.7e308, 3.0])
    assert middle(low, high).tolist() == [1.0, 1.35e308, 2.5]


def test_ranks_give_the_values_back():
    X = np.random.default_rng(0).integers(0, 4, (9, 3)).astype(float)
    rank, distinct, counts = rank_columns(X)
    np.testing.assert_array_equal(np.take_along_axis(distinct, rank, axis=1).T, X)
    assert counts.tolist() == [len(set(column)) for column in X.T]
