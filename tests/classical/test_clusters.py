"""k-means, DBSCAN and agglomerative clustering equal scikit-learn's, equal the plain loop, and keep their invariances."""

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical import DBSCAN, AgglomerativeClustering, KMeans, MiniBatchKMeans, density, distances
from mlcourse.classical.density import pairs_by_table, pairs_on_grid
from mlcourse.classical.distances import squared_distances
from mlcourse.classical.kmeans import plus_plus

seeds = st.integers(0, 10_000)
few_rows = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def tiny(seed, integers=True):
    """A third of the tables lie on a grid, full of ties; some have repeated rows, a constant column, or values far from zero."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(4, 40)), int(rng.integers(1, 5))
    X = rng.integers(0, 6, (n, d)).astype(float) if integers and seed % 3 == 0 else rng.normal(size=(n, d))
    if seed % 5 == 0:
        X[n // 2 :] = X[: n - n // 2]
    if seed % 7 == 0:
        X[:, 0] = 2
    return X + (1000 if seed % 11 == 0 else 0)


def same_partition(a, b):
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(set(a.tolist())) == len(set(b.tolist()))


# ---- k-means


def loop_k_means(X, centers, max_iter):
    """The plain loop: every row looks for its nearest center, every center moves to the mean of its rows."""
    for _ in range(max_iter):
        labels = np.array([min(range(len(centers)), key=lambda c: ((row - centers[c]) ** 2).sum()) for row in X])
        new = np.array(
            [X[labels == c].mean(axis=0) if (labels == c).any() else centers[c] for c in range(len(centers))]
        )
        if (new == centers).all():
            break
        centers = new
    return centers


@few_rows
def test_k_means_equals_scikit_learn_from_the_same_start_on_200_tiny_problems():
    for seed in range(200):
        X = tiny(seed, integers=False)
        k = int(np.random.default_rng(seed).integers(1, 5))
        ours = KMeans(k, init=X[:k], tol=0).fit(X)
        reference = sklearn.cluster.KMeans(k, init=X[:k], n_init=1, tol=0, algorithm="lloyd").fit(X)
        np.testing.assert_allclose(ours.cluster_centers_, reference.cluster_centers_, atol=1e-8, err_msg=f"seed {seed}")
        np.testing.assert_allclose(ours.inertia_, reference.inertia_, atol=1e-8)
        np.testing.assert_array_equal(ours.labels_, reference.labels_)
        np.testing.assert_array_equal(ours.predict(X + 0.1), reference.predict(X + 0.1))
        np.testing.assert_allclose(ours.transform(X), reference.transform(X), atol=1e-5)


@few_rows
def test_k_means_equals_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X = tiny(seed, integers=False)
        k = int(np.random.default_rng(seed).integers(1, 4))
        if len(np.unique(X[:k], axis=0)) < k:
            continue
        ours = KMeans(k, init=X[:k], tol=0).fit(X)
        np.testing.assert_allclose(
            ours.cluster_centers_, loop_k_means(X, X[:k], 300), atol=1e-9, err_msg=f"seed {seed}"
        )


@few_rows
def test_k_means_with_random_starts_is_as_good_as_scikit_learns_over_200_tiny_problems():
    ratio = []
    for seed in range(200):
        X = tiny(seed)
        ours = KMeans(3, random_state=seed).fit(X).inertia_
        ratio.append((ours + 1) / (sklearn.cluster.KMeans(3, n_init=1, random_state=seed).fit(X).inertia_ + 1))
    assert abs(np.log(ratio).mean()) < 0.02


@few_rows
def test_where_rows_tie_every_center_is_the_mean_of_its_rows_and_every_row_is_at_its_nearest_center_on_200_tiny_problems():
    for seed in range(0, 600, 3):
        X = tiny(seed)
        model = KMeans(3, tol=0, random_state=seed).fit(X)
        D = ((X[:, None] - model.cluster_centers_) ** 2).sum(axis=2)
        np.testing.assert_allclose(D[np.arange(len(X)), model.labels_], D.min(axis=1), atol=1e-8)
        np.testing.assert_allclose(model.inertia_, D.min(axis=1).sum(), atol=1e-8)
        for c in np.unique(model.labels_):
            np.testing.assert_allclose(model.cluster_centers_[c], X[model.labels_ == c].mean(axis=0), atol=1e-8)


def test_a_center_without_rows_gets_the_row_farthest_from_its_center():
    X = np.array([[0.0], [1.0], [2.0], [10.0]])
    model = KMeans(2, init=[[1.0], [100.0]], tol=0).fit(X)
    reference = sklearn.cluster.KMeans(2, init=[[1.0], [100.0]], n_init=1).fit(X)
    assert sorted(model.cluster_centers_[:, 0]) == sorted(reference.cluster_centers_[:, 0]) == [1, 10]


def test_a_row_between_two_centers_counts_once():
    model = KMeans(2, init=[[-1.0], [1.0]], max_iter=1, tol=np.inf).fit([[-1.0], [0.0], [1.0]])
    assert model.cluster_centers_[:, 0].tolist() == [-0.5, 1.0]


def test_plus_plus_draws_different_rows_while_there_are_any():
    for seed in range(50):
        X = np.repeat(np.arange(4.0), 5)[:, None]
        assert len(np.unique(plus_plus(X, 4, np.random.default_rng(seed)))) == 4


def test_k_means_says_when_it_did_not_converge_or_has_too_few_different_rows():
    X = np.random.default_rng(0).normal(size=(100, 2))
    with pytest.warns(ConvergenceWarning, match="still moved after max_iter=1 steps"):
        KMeans(5, max_iter=1, random_state=0).fit(X)
    with pytest.warns(ConvergenceWarning, match="only 2 of 3 clusters have rows"):
        KMeans(3, random_state=0).fit([[0.0], [0.0], [1.0]])


@few_rows
@given(seeds)
def test_k_means_does_not_depend_on_the_order_of_rows(seed):
    X = tiny(seed, integers=False)
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = KMeans(3, init=X[:3]).fit(X), KMeans(3, init=X[:3]).fit(X[order])
    np.testing.assert_allclose(first.inertia_, second.inertia_, atol=1e-8)
    assert same_partition(first.labels_[order], second.labels_)


@few_rows
@given(seeds, st.sampled_from([0.25, 8.0]), st.floats(-50, 50))
def test_k_means_moves_and_grows_with_the_data(seed, factor, shift):
    X = tiny(seed, integers=False)
    first, second = KMeans(3, init=X[:3]).fit(X), KMeans(3, init=factor * X[:3] + shift).fit(factor * X + shift)
    np.testing.assert_allclose(factor * first.cluster_centers_ + shift, second.cluster_centers_, atol=1e-7)
    np.testing.assert_array_equal(first.labels_, second.labels_)


@few_rows
@given(seeds)
def test_repeating_every_row_doubles_the_inertia(seed):
    X = tiny(seed, integers=False)
    first, second = KMeans(3, init=X[:3]).fit(X), KMeans(3, init=X[:3]).fit(np.repeat(X, 2, axis=0))
    if first.inertia_ > 1e-6 and len(set(first.labels_)) == 3:
        np.testing.assert_allclose(2 * first.inertia_, second.inertia_)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be an integer of at least 1; got 0"),
        ({"n_clusters": 9}, "n_samples=4 should be >= n_clusters=9"),
        ({"n_clusters": 2, "init": "best"}, r"init must be 'k-means\+\+' or 'random'; got 'best'"),
        (
            {"n_clusters": 2, "init": np.zeros((2, 5))},
            r"init of shape \(2, 5\) must hold .* \(n_clusters 2, features 4\)",
        ),
        ({"n_clusters": 2, "init": np.full((2, 4), np.nan)}, "must hold finite numbers"),
        ({"n_clusters": 2, "tol": -1}, "tol must be a number from 0 to inf"),
    ],
)
def test_bad_parameters_of_k_means_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        KMeans(**params).fit(np.eye(4))


# ---- k-means in batches


def loop_mini_batches(batches, centers):
    """The plain loop: row by row, the nearest center (as they were before the batch) moves to the mean of all its rows so far."""
    centers, counts = [center.copy() for center in centers], [0] * len(centers)
    for batch in batches:
        nearest = [min(range(len(centers)), key=lambda c: ((row - centers[c]) ** 2).sum()) for row in batch]
        for row, c in zip(batch, nearest, strict=True):
            counts[c] += 1
            centers[c] += (row - centers[c]) / counts[c]
    return np.array(centers), counts


@few_rows
def test_each_batch_moves_the_centers_as_scikit_learns_and_as_the_plain_loops_on_200_tiny_problems():
    for seed in range(200):
        X, rng = tiny(seed, integers=False), np.random.default_rng(seed)
        start = rng.normal(size=(int(rng.integers(1, 5)), X.shape[1])) + X.mean(axis=0)
        batches = [X[rng.integers(0, len(X), int(rng.integers(len(start), 12)))] for _ in range(4)]
        ours = MiniBatchKMeans(len(start), init=start)
        reference = sklearn.cluster.MiniBatchKMeans(len(start), init=start, n_init=1, reassignment_ratio=0)
        for batch in batches:
            ours.partial_fit(batch), reference.partial_fit(batch)
            np.testing.assert_allclose(ours.cluster_centers_, reference.cluster_centers_, atol=1e-8, err_msg=f"{seed}")
            np.testing.assert_array_equal(ours.labels_, reference.labels_)
            np.testing.assert_allclose(ours.inertia_, reference.inertia_, atol=1e-6)
        centers, counts = loop_mini_batches(batches, start)
        np.testing.assert_allclose(ours.cluster_centers_, centers, atol=1e-8, err_msg=f"{seed}")
        assert ours.counts_.tolist() == counts


@few_rows
def test_batches_lead_to_clusters_as_good_as_scikit_learns_over_200_tiny_problems():
    ratio = []
    for seed in range(200):
        X = tiny(seed)
        ours = MiniBatchKMeans(3, batch_size=10, random_state=seed).fit(X).inertia_
        reference = sklearn.cluster.MiniBatchKMeans(3, batch_size=10, n_init=1, random_state=seed).fit(X).inertia_
        ratio.append((ours + 1) / (reference + 1))
    assert abs(np.log(ratio).mean()) < 0.04


def test_batches_stop_when_they_no_longer_help_and_nearly_reach_k_means():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(center, 0.5, size=(2000, 2)) for center in ((0, 0), (6, 0), (0, 6))])
    model = MiniBatchKMeans(3, init=X[[0, 2000, 4000]], batch_size=100, random_state=0).fit(X)
    whole = KMeans(3, init=X[[0, 2000, 4000]]).fit(X)
    assert model.n_steps_ < 100 * len(X) / 100
    assert model.counts_.sum() == 100 * model.n_steps_
    assert model.n_iter_ == np.ceil(model.n_steps_ * 100 / len(X))
    np.testing.assert_array_equal(model.labels_, whole.labels_)
    assert whole.inertia_ <= model.inertia_ < 1.02 * whole.inertia_
    np.testing.assert_allclose(model.score(X), -model.inertia_)


@given(seeds, st.floats(-50, 50))
@few_rows
def test_batches_move_with_the_origin_and_do_not_depend_on_the_order_within_them(seed, shift):
    X = tiny(seed, integers=False)
    first = MiniBatchKMeans(3, init=X[:3]).partial_fit(X)
    second = MiniBatchKMeans(3, init=X[:3] + shift).partial_fit(X[::-1] + shift)
    np.testing.assert_allclose(first.cluster_centers_ + shift, second.cluster_centers_, atol=1e-8)
    np.testing.assert_array_equal(first.counts_, second.counts_)


# ---- DBSCAN


def loop_dbscan(X, eps, min_samples):
    """The plain loop: from each core row not yet visited, walk to all rows that can be reached."""
    near = [np.flatnonzero(((X - row) ** 2).sum(axis=1) <= eps**2) for row in X]
    labels, cluster = np.full(len(X), -1), 0
    for row in range(len(X)):
        if labels[row] != -1 or len(near[row]) < min_samples:
            continue
        to_visit = [row]
        while to_visit:
            here = to_visit.pop()
            if labels[here] != -1:
                continue
            labels[here] = cluster
            if len(near[here]) >= min_samples:
                to_visit.extend(near[here])
        cluster += 1
    return labels


def dbscan_problem(seed):
    rng = np.random.default_rng(seed)
    X = tiny(seed)
    eps = float(rng.choice([1.0, 2.0])) if seed % 3 == 0 else float(rng.uniform(0.05, 1.5))
    return X, eps, int(rng.integers(1, 6))


def test_dbscan_equals_scikit_learn_and_the_plain_loop_label_by_label_on_300_tiny_problems():
    for seed in range(300):
        X, eps, m = dbscan_problem(seed)
        ours = DBSCAN(eps=eps, min_samples=m).fit(X)
        reference = sklearn.cluster.DBSCAN(eps=eps, min_samples=m).fit(X)
        np.testing.assert_array_equal(ours.labels_, reference.labels_, err_msg=f"seed {seed}")
        np.testing.assert_array_equal(ours.core_sample_indices_, reference.core_sample_indices_)
        np.testing.assert_array_equal(ours.labels_, loop_dbscan(X, eps, m), err_msg=f"seed {seed}")


@pytest.mark.parametrize("block", [3, 50, 1 << 18])
@pytest.mark.parametrize("find", [pairs_on_grid, pairs_by_table])
def test_all_pairs_of_neighbors_are_found_once_in_blocks_of_any_size(find, block, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", block)
    monkeypatch.setattr(density, "BLOCK", block)
    for seed in range(200):
        X, eps, _ = dbscan_problem(seed)
        X = X[:, :3]
        found = [tuple(sorted(pair)) for i, j in find(X, eps) for pair in zip(i.tolist(), j.tolist(), strict=True)]
        wanted = np.argwhere(np.triu(((X[:, None] - X) ** 2).sum(axis=2) <= eps**2, 1))
        assert sorted(found) == [tuple(pair) for pair in wanted.tolist()], seed


def test_dbscan_with_too_many_pairs_to_keep_finds_them_again(monkeypatch):
    for seed in range(50):
        X, eps, m = dbscan_problem(seed)
        kept = DBSCAN(eps=eps, min_samples=m).fit(X).labels_
        with monkeypatch.context() as patch:
            patch.setattr(density, "KEEP", 1)
            np.testing.assert_array_equal(kept, DBSCAN(eps=eps, min_samples=m).fit(X).labels_)


@given(seeds)
def test_core_rows_and_noise_do_not_depend_on_the_order_of_rows(seed):
    X, eps, m = dbscan_problem(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = DBSCAN(eps=eps, min_samples=m).fit(X), DBSCAN(eps=eps, min_samples=m).fit(X[order])
    core = np.isin(order, first.core_sample_indices_)
    assert same_partition(first.labels_[order][core], second.labels_[core])
    np.testing.assert_array_equal(first.labels_[order] < 0, second.labels_ < 0)


@given(seeds, st.sampled_from([0.25, 8.0]))
def test_dbscan_does_not_depend_on_the_unit(seed, factor):
    X, eps, m = dbscan_problem(seed)
    np.testing.assert_array_equal(
        DBSCAN(eps=eps, min_samples=m).fit(X).labels_, DBSCAN(eps=factor * eps, min_samples=m).fit(factor * X).labels_
    )


@given(seeds)
def test_repeating_every_row_is_halving_the_neighbors_it_takes(seed):
    X, eps, m = dbscan_problem(seed)
    once = DBSCAN(eps=eps, min_samples=m).fit(X).labels_
    np.testing.assert_array_equal(
        np.repeat(once, 2), DBSCAN(eps=eps, min_samples=2 * m).fit(np.repeat(X, 2, axis=0)).labels_
    )


def test_a_tiny_eps_among_far_rows_needs_no_giant_grid():
    X = np.array([[0.0, 0, 0], [1e-9, 0, 0], [1e9, 1e9, 1e9], [-1e9, 3, 4]])
    assert DBSCAN(eps=1e-8, min_samples=2).fit(X).labels_.tolist() == [0, 0, -1, -1]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"eps": 0}, "eps must be a positive number; got 0"),
        ({"min_samples": 0}, "min_samples must be a positive integer"),
    ],
)
def test_bad_parameters_of_dbscan_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        DBSCAN(**params).fit(np.eye(3))


# ---- agglomerative clustering

LINKAGES = ("ward", "complete", "average", "single")


def loop_agglomerative(X, linkage):
    """The plain loop: look at all pairs of clusters, join the closest, note how far apart they were."""
    groups, heights = [[i] for i in range(len(X))], []

    def apart(a, b):
        if linkage == "ward":
            a, b = X[a], X[b]
            return np.sqrt(2 * len(a) * len(b) / (len(a) + len(b)) * ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
        D = np.sqrt(((X[a][:, None] - X[b]) ** 2).sum(axis=2))
        return {"complete": D.max(), "average": D.mean(), "single": D.min()}[linkage]

    while len(groups) > 1:
        pairs = [(apart(a, b), i, j) for i, a in enumerate(groups) for j, b in enumerate(groups[:i])]
        height, i, j = min(pairs)
        heights.append(height)
        groups[j] = groups[j] + groups.pop(i)
    return heights


@pytest.mark.parametrize("linkage", LINKAGES)
def test_merges_equal_scikit_learns_on_200_tiny_problems(linkage):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(int(rng.integers(2, 30)), int(rng.integers(1, 5))))
        k = min(len(X), int(rng.integers(1, 5)))
        ours = AgglomerativeClustering(k, linkage=linkage).fit(X)
        reference = sklearn.cluster.AgglomerativeClustering(k, linkage=linkage, compute_distances=True).fit(X)
        np.testing.assert_allclose(ours.distances_, reference.distances_, err_msg=f"seed {seed}")
        assert same_partition(ours.labels_, reference.labels_), seed
        if linkage != "single":  # there scikit-learn writes the two children in the order of its spanning tree
            np.testing.assert_array_equal(ours.children_, np.sort(reference.children_, axis=1))


@pytest.mark.parametrize("linkage", ["ward", "single"])
def test_where_pairs_tie_the_heights_equal_scikit_learns_on_200_tiny_problems(linkage):
    """Which of several equally close pairs is joined first is free; for these two linkages the answer to the smallest heights is not."""
    for seed in range(200):
        X = tiny(3 * seed)
        ours = AgglomerativeClustering(1, linkage=linkage).fit(X)
        reference = sklearn.cluster.AgglomerativeClustering(1, linkage=linkage, compute_distances=True).fit(X)
        if linkage == "single":
            np.testing.assert_allclose(ours.distances_, reference.distances_, atol=1e-7, err_msg=f"seed {seed}")
        duplicates = len(X) - len(np.unique(X, axis=0))
        assert (ours.distances_ == 0).sum() == duplicates
        assert (np.diff(ours.distances_) >= 0).all()


@pytest.mark.parametrize("linkage", LINKAGES)
def test_heights_equal_the_plain_loop_on_200_tiny_problems(linkage):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(int(rng.integers(2, 12)), 2))
        ours = AgglomerativeClustering(1, linkage=linkage).fit(X)
        np.testing.assert_allclose(ours.distances_, loop_agglomerative(X, linkage), err_msg=f"seed {seed}")


@pytest.mark.parametrize("linkage", LINKAGES)
@given(seeds)
def test_clusters_do_not_depend_on_the_order_of_rows_unit_or_origin(linkage, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, 2))
    order = rng.permutation(20)
    first = AgglomerativeClustering(3, linkage=linkage).fit(X)
    second = AgglomerativeClustering(3, linkage=linkage).fit(8 * X[order] + 5)
    assert same_partition(first.labels_[order], second.labels_)
    np.testing.assert_allclose(8 * first.distances_, second.distances_, rtol=1e-6)


@given(seeds)
def test_repeated_rows_are_joined_first_and_at_no_distance(seed):
    X = np.random.default_rng(seed).normal(size=(9, 3)) + 100
    model = AgglomerativeClustering(9).fit(np.repeat(X, 2, axis=0))
    assert (model.distances_[:9] == 0).all()
    assert model.labels_.tolist() == np.repeat(np.arange(9), 2).tolist()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"linkage": "median"}, "linkage must be 'ward' or 'complete'"),
        ({"n_clusters": 7}, "n_clusters must be at most the number of rows, 3; got 7"),
    ],
)
def test_bad_parameters_of_agglomerative_clustering_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        AgglomerativeClustering(**params).fit(np.eye(3))


# ---- distances


@given(seeds)
def test_squared_distances_equal_the_definition(seed):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    np.testing.assert_allclose(squared_distances(A, B), ((A[:, None] - B) ** 2).sum(axis=2), atol=1e-12)
    assert (squared_distances(A, A) >= 0).all()
