"""Growing decision trees (CART), level by level.

The obvious way takes one node, one feature and one cut at a time. `Grower` takes all nodes of a level at once, of one tree or of a whole
forest: pack node, value and class of a row into one integer, sort these integers, and the rows of each node lie side by side in the
order of the feature. Running sums then give the quality of every cut.

References
----------
Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees. Wadsworth.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from mlcourse.classical.nodes import join_levels, level_of_leaves

TIE = 1e-9  # cuts whose qualities differ by less than this share of the impurity are equal, and the first one is taken
BLOCK = 1 << 16  # numbers sorted at once: they fit the processor's cache


class Grower:
    """Grows trees on one table.

    With the ``"squares"`` criterion a cut is as good as the sum of squared errors that it removes: from the mean for numbers; from the
    shares for classes, a class being a column of zeros and ones. The second is the Gini index. ``"entropy"`` is for classes.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
        Classes 0 … k-1, or numbers if `k` is 0.
    k : int
        Number of classes, or 0.
    weight : ndarray of shape (n,), optional
    criterion : {"squares", "entropy"}
    max_depth : int, optional
    min_samples_split, min_samples_leaf : int
    max_features : int, optional
        How many features, drawn by `rng`, each node may choose from; None for all of them.
    categorical : sequence of int
        Features whose values are names, not sizes.
    rng : numpy.random.Generator, optional

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0], [4.0]]), np.array([0, 0, 1])
    >>> tree = Grower(X, y, 2).grow(np.arange(3)[None])
    >>> print(tree.feature, tree.threshold, tree.value[:, 1].round(2))
    [ 0 -1 -1] [3. 0. 0.] [0.33 0.   1.  ]
    """

    def __init__(
        self,
        X,
        y,
        k,
        weight=None,
        criterion="squares",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        categorical=(),
        rng=None,
    ):
        self.y, self.k, self.weight, self.criterion = y, k, weight, criterion
        self.max_depth, self.min_leaf = max_depth, min_samples_leaf
        self.min_split = max(min_samples_split, 2 * min_samples_leaf)
        self.categorical, self.rng = tuple(categorical), rng
        self.n, self.d = X.shape
        self.max_features = max_features or self.d
        self.rank, self.distinct, counts = rank_columns(X)
        self.n_ranks = int(counts.max())
        self.categories = {f: self.distinct[f, : counts[f]] for f in self.categorical}
        self.width = 1 + max(map(len, self.categories.values()), default=0)

    def grow(self, rows):
        """Grow a tree for each line of `rows`, (trees, r): numbers of rows, which may be repeated."""
        row, slot = rows.ravel(), np.repeat(np.arange(len(rows)), rows.shape[1])  # slot: a row's node within the level
        n_nodes, levels = len(rows), []
        while True:
            here = Level(self, row, slot)
            nodes = level_of_leaves(len(levels), here.value, here.size, here.impurity / here.size, self.width)
            levels.append(nodes)
            grows = (here.count >= self.min_split) & here.impure
            if len(levels) - 1 == self.max_depth or not grows.any():
                break
            row, slot = keep(grows, row, slot)
            here = Level(self, row, slot)
            cut = self._choose(here)
            cuttable = cut.feature >= 0
            parents = np.flatnonzero(grows)[cuttable]
            row, slot = keep(cuttable, row, slot)
            cut = cut[cuttable]
            nodes.left[parents] = n_nodes + 2 * np.arange(len(parents))
            for name in ("feature", "gain", "threshold", "goes_left"):
                getattr(nodes, name)[parents] = getattr(cut, name)
            slot = 2 * slot + self._goes_right(cut, row, slot)
            n_nodes += 2 * len(parents)
            if not len(row):
                break
        return join_levels(levels, self.categories)

    def _choose(self, here):
        """Return the best cut of each node; its feature is -1 where no feature can be cut."""
        every = np.broadcast_to(np.arange(self.d), (here.M, self.d))
        if self.max_features == self.d:
            return self._best(here, every)
        drawn = np.argpartition(self.rng.random((here.M, self.d)), self.max_features - 1, axis=1)[
            :, : self.max_features
        ]
        cut = self._best(here, drawn)
        stuck = cut.feature < 0
        if stuck.any():  # all features drawn are constant in the node: look at the others too
            row, slot = keep(stuck, here.row, here.slot)
            cut[stuck] = self._best(Level(self, row, slot), every[stuck])
        return cut

    def _best(self, here, features):
        """Return the best cut of each node among its `features`, (nodes, m)."""
        best, orders = here.no_cuts(self.width), {f: here.order_of_categories(f) for f in self.categorical}
        step = max(1, BLOCK // len(here.row))
        for start in range(0, features.shape[1], step):
            block = features[:, start : start + step]
            rank = self._ranks(here, block, orders)
            quality, column, low, high = here.best_cuts(rank, self.n_ranks, self.min_leaf)
            better = quality > best.quality + here.tie
            feature = block[np.arange(here.M), column][better]
            best.quality[better], best.feature[better] = quality[better], feature
            best.low[better] = low[better]
            best.threshold[better] = middle(self.distinct[feature, low[better]], self.distinct[feature, high[better]])
        best.gain = best.quality - here.parent_quality
        for f, order in orders.items():
            self._send_categories(best, here, f, order)
        return best

    def _ranks(self, here, block, orders):
        """Return for the features of a block, as lines, the rank of each row's value: (m, rows)."""
        same = self.max_features == self.d  # for all nodes
        place = block[0, :, None] if same else block.T[:, here.slot]
        rank = self.rank.take(place * self.n + here.row)
        for f, order in orders.items():
            lines, at = np.nonzero(block.T[:, here.slot] == f)
            rank[lines, at] = order[here.slot[at], rank[lines, at]]
        return rank

    def _send_categories(self, best, here, f, order):
        """Write down which categories go left; values that are not in the node follow the larger child."""
        node = np.flatnonzero(best.feature == f)
        left = order[node] <= best.low[node, None]  # (nodes, categories)
        count = here.category_counts(f)[node]
        larger = (count * left).sum(1) >= (count * ~left).sum(1)
        best.goes_left[node] = larger[:, None]
        best.goes_left[node, : left.shape[1]] = np.where(count > 0, left, larger[:, None])

    def _goes_right(self, cut, row, slot):
        feature = cut.feature[slot]
        rank = self.rank.take(feature * self.n + row)
        right = rank > cut.low[slot]
        for f in self.categorical:
            asked = feature == f
            right[asked] = ~cut.goes_left[slot[asked], rank[asked]]
        return right


class Level:
    """The rows of all nodes of one level, and what is known of each node before it is cut."""

    def __init__(self, grower, row, slot):
        self.grower, self.row, self.slot, self.k, self.criterion = grower, row, slot, grower.k, grower.criterion
        self.count = np.bincount(slot)
        self.M = len(self.count)
        self.ends = self.count.cumsum()
        self.starts = self.ends - self.count
        self.node = np.repeat(np.arange(self.M), self.count)  # the nodes of rows sorted by node
        y = grower.y[row]
        self.weight = None if grower.weight is None else grower.weight[row]
        self.size = self._sum(np.ones(len(row)) if self.weight is None else self.weight)
        if self.k:
            self.payload = y
            flat = np.bincount(slot * self.k + y, self.weight, self.M * self.k)
            self.total = flat.reshape(self.M, self.k).astype(float)
            self.value = self.total / self.size[:, None]
            self.impure = (self.total > 0).sum(1) > 1
        else:
            mean = self._sum(y if self.weight is None else self.weight * y) / self.size
            self.y = y - mean[slot]  # close to zero, so that running sums stay exact
            self.value, self.total = mean[:, None], self._weighted_sum(self.y)[:, None]
            self.impure = self._weighted_sum(self.y**2) > 1e-28 * self._weighted_sum(y**2)
        self.parent_quality = self._quality([t for t in self.total.T], self.size)
        self.impurity = self._impurity()  # times size
        self.tie = TIE * self.impurity

    def _sum(self, values):
        return np.bincount(self.slot, values, self.M)

    def _weighted_sum(self, values):
        return self._sum(values if self.weight is None else self.weight * values)

    def _impurity(self):
        if not self.k:
            return self._weighted_sum(self.y**2)
        return (self.size if self.criterion == "squares" else 0) - self.parent_quality

    def _quality(self, sums, size):
        """Return minus the impurity, up to a constant, of sets of a given size with given sums over each column of the target."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.criterion == "entropy":
                return sum(x_log_x(s) for s in sums) - x_log_x(size)
            squares = sums[0] ** 2
            for s in sums[1:]:
                squares += s**2
            return squares / size

    def best_cuts(self, rank, n_ranks, min_leaf):
        """Return quality, line of `rank` (m, rows), and the two ranks around the best cut of each node."""
        place, payload = self._sorted_rows(rank, n_ranks)
        left, size = self._running_sums(payload)
        right = [self.total[self.node, c] - s for c, s in enumerate(left)]
        quality = self._quality(left, size) + self._quality(right, self.size[self.node] - size)
        quality[:, :-1][place[:, 1:] == place[:, :-1]] = -np.inf  # no cut between equal values
        n_left = np.arange(1, len(self.row) + 1) - self.starts[self.node]
        quality[:, (n_left < min_leaf) | (self.count[self.node] - n_left < max(min_leaf, 1))] = -np.inf
        best, line, at = self._first_best(quality)
        low, high = place[line, at] % n_ranks, place[line, np.minimum(at + 1, len(self.row) - 1)] % n_ranks
        return best, line, low, high

    def _sorted_rows(self, rank, n_ranks):
        """Sort the rows by node, then by rank; return ``node · n_ranks + rank`` and what rides along, both (m, rows)."""
        unweighted_classes = self.k and self.weight is None
        payload = self.payload if unweighted_classes else np.arange(len(self.row))
        radix = self.k if unweighted_classes else len(self.row)
        kind = np.int32 if self.M * n_ranks * radix < 2**31 else np.int64
        key = rank.astype(kind)
        key += self.slot.astype(kind) * kind(n_ranks)
        key *= kind(radix)
        key += payload.astype(kind)
        key.sort(axis=1)
        place = key // kind(radix)
        return place, key - place * kind(radix)

    def _first_best(self, quality):
        """Return for each node the best quality, and line and column of the first cut that has it."""
        top = np.maximum.reduceat(quality, self.starts, axis=1)  # (m, M)
        line = (top >= top.max(axis=0) - self.tie).argmax(axis=0)
        best = top[line, np.arange(self.M)]
        good = np.flatnonzero(quality[line[self.node], np.arange(len(self.node))] >= (best - self.tie)[self.node])
        return best, line, good[np.searchsorted(good, self.starts)]

    def _running_sums(self, payload):
        """Return for every cut the sum over its left side of each column of the target, and the size of that side."""
        if self.weight is None:
            size = np.arange(1.0, len(self.row) + 1) - self.starts[self.node]
        else:
            size = self._from_start(self.weight[payload].cumsum(axis=1), self.size)
        if not self.k:
            values = self.y if self.weight is None else self.weight * self.y
            return [self._from_start(values[payload].cumsum(axis=1), self.total[:, 0])], size
        sums = []
        for c in range(self.k - 1):
            if self.weight is None:
                running = (payload == c).cumsum(axis=1, dtype=np.int32)
            else:
                running = np.where(self.payload[payload] == c, self.weight[payload], 0.0).cumsum(axis=1)
            sums.append(self._from_start(running, self.total[:, c]))
        return [*sums, size - sum(sums, start=0.0)], size

    def _from_start(self, running, total):
        """Let running sums over all nodes begin anew at every node."""
        return running - (total.cumsum() - total)[self.node]

    def category_counts(self, f):
        """Return how often each category of a feature occurs in each node, (nodes, categories)."""
        return self._by_category(f, np.ones(len(self.row)))

    def _by_category(self, f, values):
        n_categories = len(self.grower.categories[f])
        place = self.slot * n_categories + self.grower.rank[f, self.row]
        return np.bincount(place, values, self.M * n_categories).reshape(self.M, -1)

    def order_of_categories(self, f):
        """Return for each node the place of each category, (nodes, categories), when they are sorted by their mean target.

        For numbers and two classes, some cut of that order is the best of all ways to divide the categories in two (Breiman et al.,
        theorem 4.5). With more classes, the shares are first projected on the line along which they differ most.

        References
        ----------
        Coppersmith, D., Hong, S. and Hosking, J. (1999). Partitioning nominal attributes in decision trees. Data Mining and
        Knowledge Discovery 3.
        """
        weight = np.ones(len(self.row)) if self.weight is None else self.weight
        size = self._by_category(f, weight)
        columns = [self.payload == c for c in range(self.k)] if self.k else [self.y]
        sums = np.stack([self._by_category(f, weight * column) for column in columns], axis=2)
        mean = sums / np.where(size > 0, size, 1)[:, :, None]  # (nodes, categories, k)
        if self.k:
            away = mean - self.value[:, None, :]
            spread = np.einsum("mc,mci,mcj->mij", size, away, away)
            line = np.linalg.eigh(spread)[1][:, :, -1]  # (nodes, k)
            line *= np.sign(line[np.arange(self.M), abs(line).argmax(axis=1)])[:, None]
            mean = (mean @ line[:, :, None]).round(12)
        mean = np.where(size > 0, mean[:, :, 0], np.inf)  # absent categories last
        return mean.argsort(axis=1, kind="stable").argsort(axis=1)

    def no_cuts(self, width):
        return Cuts(
            quality=np.full(self.M, -np.inf),
            gain=np.zeros(self.M),
            feature=np.full(self.M, -1),
            low=np.zeros(self.M, int),
            threshold=np.zeros(self.M),
            goes_left=np.zeros((self.M, width), bool),
        )


@dataclass
class Cuts:
    """A cut for each node of a level: where its feature's rank is at most `low`, a row goes left."""

    quality: np.ndarray
    gain: np.ndarray
    feature: np.ndarray
    low: np.ndarray
    threshold: np.ndarray
    goes_left: np.ndarray

    def __getitem__(self, nodes):
        return Cuts(*(getattr(self, field.name)[nodes] for field in fields(self)))

    def __setitem__(self, nodes, other):
        for field in fields(self):
            getattr(self, field.name)[nodes] = getattr(other, field.name)


def keep(nodes, row, slot):
    """Drop the rows of all nodes but those marked, and number these anew."""
    if nodes.all():
        return row, slot
    stays = nodes[slot]
    return row[stays], (nodes.cumsum() - 1)[slot[stays]]


def rank_columns(X):
    """Replace each value by its rank among the distinct values of its column.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    rank : ndarray of int of shape (d, n)
        Features first: the rows of one feature lie side by side.
    distinct : ndarray of shape (d, r)
        The distinct values of each feature, sorted, and zeros after them.
    counts : ndarray of int of shape (d,)
        How many distinct values each feature has.

    Examples
    --------
    >>> rank_columns(np.array([[5.0], [2.0], [5.0]]))
    (array([[1, 0, 1]], dtype=int32), array([[2., 5., 0.]]), array([2]))
    """
    columns = np.ascontiguousarray(X.T)
    order = columns.argsort(axis=1)
    ordered = np.take_along_axis(columns, order, axis=1)
    new = np.zeros(columns.shape, np.int32)
    new[:, 1:] = (ordered[:, 1:] > ordered[:, :-1]).cumsum(axis=1)
    rank, distinct = np.empty_like(new), np.zeros(columns.shape)
    np.put_along_axis(rank, order, new, axis=1)
    np.put_along_axis(distinct, new, ordered, axis=1)
    return rank, distinct, new[:, -1].astype(int) + 1


def middle(low, high):
    """Return a number halfway between two, or the lower one where no number lies between."""
    half = low / 2 + high / 2
    return np.where(half < high, half, low)


def x_log_x(x):
    return x * np.log2(np.where(x > 0, x, 1))
