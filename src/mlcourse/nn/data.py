"""Batches of a data set, in a new order for every epoch."""

from __future__ import annotations

import numpy as np

from mlcourse.shapes import ShapeError


class DataLoader:
    """Arrays of one length, cut into batches.

    Parameters
    ----------
    *arrays : ndarray
        Such as X and y; the first axis counts examples.
    batch_size : int
        The last batch may be smaller.
    shuffle : bool
        Whether every epoch has an order of its own.
    rng : Generator or int, optional
        Makes the orders; the same seed makes the same.

    Raises
    ------
    ShapeError
        If the arrays have different lengths.

    Examples
    --------
    >>> loader = DataLoader(np.arange(5), np.arange(5) ** 2, batch_size=2, shuffle=False)
    >>> len(loader)
    3
    >>> for x, y in loader:
    ...     print(x, y)
    [0 1] [0 1]
    [2 3] [4 9]
    [4] [16]
    """

    def __init__(self, *arrays, batch_size=32, shuffle=True, rng=None):
        self.arrays = [np.asarray(array) for array in arrays]
        lengths = [array.shape[0] if array.ndim else 0 for array in self.arrays]
        if len(set(lengths)) != 1:
            shapes = " and ".join(str(array.shape) for array in self.arrays) or "nothing"
            raise ShapeError(
                f"DataLoader cannot pair arrays of shapes {shapes}\n  hint: the first axes must have one length, the examples"
            )
        if lengths[0] == 0 or batch_size < 1:
            raise ValueError(
                f"DataLoader: needs at least one example and batch_size >= 1; got {lengths[0]} and {batch_size}"
            )
        self.n, self.batch_size, self.shuffle, self.rng = lengths[0], batch_size, shuffle, np.random.default_rng(rng)

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __iter__(self):
        order = self.rng.permutation(self.n) if self.shuffle else np.arange(self.n)
        for start in range(0, self.n, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield tuple(array[chosen] for array in self.arrays)
