"""Trees as arrays: where rows arrive, what features matter, and which branches are worth their leaves.

References
----------
Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees. Wadsworth.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np


@dataclass
class Trees:
    """One or more binary trees as arrays with a place for each node; the roots come first.

    Attributes
    ----------
    feature : ndarray of shape (nodes,)
        The feature that the node asks for; -1 in a leaf.
    threshold : ndarray of shape (nodes,)
        Rows with ``x[feature] <= threshold`` go to the left child.
    left : ndarray of shape (nodes,)
        The left child; the right one is ``left + 1``.
    value : ndarray of shape (nodes, k)
        Share of each class, or the mean of the target (k = 1), among the node's rows.
    size : ndarray of shape (nodes,)
        Weight of the node's rows.
    impurity : ndarray of shape (nodes,)
        Gini index, entropy in bits, or variance of the node's rows.
    gain : ndarray of shape (nodes,)
        By how much the cut lowers the impurity, times `size`.
    depth : ndarray of shape (nodes,)
        Number of cuts above the node.
    goes_left : ndarray of bool of shape (nodes, w)
        Where a node cuts a categorical feature: which of its values go to the left child, in the order of `categories`; last
        the answer for any other value. Without categorical features w is 1.
    categories : dict of int to ndarray
        The values of each categorical feature, sorted.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    value: np.ndarray
    size: np.ndarray
    impurity: np.ndarray
    gain: np.ndarray
    depth: np.ndarray
    goes_left: np.ndarray
    categories: dict

    @property
    def n_trees(self):
        """Number of roots."""
        return int((self.depth == 0).sum())

    def leaves(self, X):
        """Return the leaf where each row of `X`, (n, d), arrives in each tree: (trees, n)."""
        node = np.repeat(np.arange(self.n_trees), len(X))
        moving, row = np.arange(len(node)), np.tile(np.arange(len(X)), self.n_trees)
        while True:
            feature = self.feature[node[moving]]
            inner = feature >= 0
            moving, row, feature = moving[inner], row[inner], feature[inner]
            if not len(moving):
                return node.reshape(self.n_trees, len(X))
            at, x = node[moving], X[row, feature]
            right = x > self.threshold[at]
            for f, known in self.categories.items():
                asked = feature == f
                right[asked] = ~self.goes_left[at[asked], category_codes(x[asked], known)]
            node[moving] = self.left[at] + right


def level_of_leaves(depth, value, size, impurity, width=1):
    """Return nodes without cuts, all at one depth, as `Trees`."""
    m = len(size)
    return Trees(
        feature=np.full(m, -1),
        threshold=np.zeros(m),
        left=np.full(m, -1),
        value=value,
        size=size,
        impurity=impurity,
        gain=np.zeros(m),
        depth=np.full(m, depth),
        goes_left=np.zeros((m, width), bool),
        categories={},
    )


def join_levels(levels, categories):
    """Return all levels, the roots first, as one `Trees`."""
    names = [field.name for field in fields(Trees) if field.name != "categories"]
    arrays = {name: np.concatenate([getattr(level, name) for level in levels]) for name in names}
    return Trees(**arrays, categories=categories)


def category_codes(values, known):
    """Return the place of each value in the sorted array `known`; -1 for a value that is not there."""
    code = np.searchsorted(known, values).clip(max=len(known) - 1)
    return np.where(known[code] == values, code, -1)


def importances(trees, d):
    """Return the share of each of `d` features in all that the cuts of the trees gain."""
    inner = trees.feature >= 0
    gain = np.bincount(trees.feature[inner], trees.gain[inner], d)
    return gain / (gain.sum() or 1)


def prune(tree, alpha):
    """Return the part of a tree that is left when every leaf costs `alpha`: the one with the least impurity plus `alpha` times leaves.

    A cut adds a leaf, so it earns its gain and pays `alpha`. From the bottom up, a branch is kept if its cuts earn more than they pay.

    Parameters
    ----------
    tree : Trees
        One tree.
    alpha : float
        In units of the impurity of the root: gains are divided by the size of the root.

    Returns
    -------
    Trees

    References
    ----------
    Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees. Wadsworth. Chapter 3.
    """
    earned = tree.gain / tree.size[0] - alpha
    for node in np.flatnonzero(tree.feature >= 0)[::-1]:  # children have larger numbers than their parents
        left = tree.left[node]
        earned[node] += max(earned[left], 0) + max(earned[left + 1], 0)
    return without_branches(tree, np.flatnonzero((tree.feature >= 0) & (earned <= 0)))


def pruning_path(tree):
    """Return the prices of a leaf at which branches of a tree fall off, rising, and the impurity of the tree that is left at each.

    As the price rises, the branch whose cuts gain least on average is the next to go: its mean gain is its price.

    Parameters
    ----------
    tree : Trees
        One tree.

    Returns
    -------
    alphas, impurities : ndarray of shape (m,)
        The first are 0 and that of the whole tree.
    """
    inner = tree.feature >= 0
    gain, cuts = np.where(inner, tree.gain / tree.size[0], 0), inner.astype(int)  # of the branch that begins at a node
    parent = np.full(len(inner), -1)
    for node in np.flatnonzero(inner)[::-1]:
        children = slice(tree.left[node], tree.left[node] + 2)
        parent[children] = node
        gain[node] += gain[children].sum()
        cuts[node] += cuts[children].sum()
    alphas, impurities = [0.0], [tree.impurity[0] - gain[0]]
    while cuts[0]:
        price = np.divide(gain, cuts, out=np.full(len(gain), np.inf), where=cuts > 0)
        weakest = node = int(price.argmin())
        alphas.append(float(price[weakest]))
        impurities.append(impurities[-1] + gain[weakest])
        lost = gain[weakest], cuts[weakest]
        while node >= 0:
            gain[node] -= lost[0]
            cuts[node] -= lost[1]
            node = parent[node]
        cuts[below(tree, weakest)] = 0
    return np.array(alphas), np.array(impurities)


def below(tree, node):
    """Return the numbers of all nodes under a node."""
    found = [node]
    for other in found:
        if tree.feature[other] >= 0:
            found += [int(tree.left[other]), int(tree.left[other]) + 1]
    return found[1:]


def without_branches(tree, nodes):
    """Return the tree with the given nodes as leaves, and without the nodes under them."""
    feature, stays = tree.feature.copy(), np.ones(len(tree.feature), bool)
    feature[nodes] = -1
    for node in np.flatnonzero(tree.feature >= 0):
        if feature[node] < 0 or not stays[node]:
            stays[tree.left[node] : tree.left[node] + 2] = False
    number = stays.cumsum() - 1
    left = np.where(feature >= 0, number[tree.left], -1)
    cut_off = {"gain": np.where(feature >= 0, tree.gain, 0), "threshold": np.where(feature >= 0, tree.threshold, 0)}
    arrays = vars(replace(tree, feature=feature, left=left, **cut_off))
    return Trees(**{name: array if name == "categories" else array[stays] for name, array in arrays.items()})
