"""The generated groups have the sizes, the shapes and the difficulties that are promised."""

import numpy as np
import pytest

from mlcourse.data import make_clusters

KINDS = ("round", "nested", "elongated", "unequal", "units", "rings")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", (7, 300))
def test_every_kind_has_as_many_points_as_asked_and_is_repeatable(kind, n):
    X, groups = make_clusters(kind, n, seed=3)
    again, _ = make_clusters(kind, n, seed=3)
    assert X.shape == (n, 2) and groups.shape == (n,)
    np.testing.assert_array_equal(X, again)
    assert not np.array_equal(X, make_clusters(kind, n, seed=4)[0])


def test_groups_have_their_shares():
    assert np.bincount(make_clusters("nested")[1]).tolist() == [50] * 6
    assert np.bincount(make_clusters("unequal")[1]).tolist() == [30, 240, 30]
    assert np.bincount(make_clusters("rings")[1]).tolist() == [90, 210]


def test_each_hard_kind_is_hard_in_its_own_way():
    X, groups = make_clusters("elongated")
    spread = X[groups == 1].std(axis=0)
    assert spread[0] > 5 * spread[1]
    X, groups = make_clusters("unequal")
    assert X[groups == 1].std() > 3 * X[groups == 0].std(axis=0).max()
    X, _ = make_clusters("units")
    assert X[:, 0].std() > 20 * X[:, 1].std()
    X, groups = make_clusters("rings")
    length = np.linalg.norm(X, axis=1)
    assert length[groups == 1].min() > length[groups == 0].max()
    np.testing.assert_allclose(X[groups == 1].mean(axis=0), X[groups == 0].mean(axis=0), atol=0.8)


def test_an_unknown_kind_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"'round' or 'nested'.*got 'square'"):
        make_clusters("square")
