"""Vectors: lengths, angles, projections and the similarity of two lists of numbers.

A vector is an array of shape ``(d,)``, a table of n vectors an array of shape ``(n, d)``. Every function takes anything that
`numpy.asarray` takes, computes in 64-bit floats, and raises if the input holds NaN, infinite values or something that is not a number.
"""

from __future__ import annotations

import numpy as np

from mlcourse.shapes import as_numbers, check_shapes

__all__ = [
    "angle",
    "cosine_similarity",
    "cosines",
    "cross",
    "decompose",
    "distance",
    "dot",
    "nearest_by_cosine",
    "norm",
    "normalize",
    "project",
    "unit_rows",
]


def dot(u, v):
    """Dot product of two vectors: the sum of the products of their components.

    Parameters
    ----------
    u, v : array_like of shape (d,)

    Returns
    -------
    float
        ``u[0] * v[0] + ... + u[d-1] * v[d-1]``, in the unit of `u` times the unit of `v`.

    Raises
    ------
    ShapeError
        If the two are not vectors of one length.

    Examples
    --------
    >>> dot([1, 2, 3], [4, 5, 6])
    32.0
    """
    u, v = _vectors("dot", u=u, v=v)
    return float(np.sum(u * v))


def norm(x, p=2):
    """Length of a vector: the p-norm, by default the Euclidean one.

    The components are divided by the largest of them before they are raised to the power p, so that nothing overflows or
    underflows on the way (Blue, 1978, for p = 2).

    Parameters
    ----------
    x : array_like of shape (d,)
    p : float
        1 (sum of absolute values), 2 (Euclidean), `numpy.inf` (largest absolute value) or any number from 1 on.

    Returns
    -------
    float
        In the unit of `x`; zero only for the zero vector.

    Raises
    ------
    ValueError
        If p is less than 1: the triangle inequality does not hold there.

    Examples
    --------
    >>> norm([3, 4]), norm([3, 4], p=1), norm([3, 4], p=np.inf)
    (5.0, 7.0, 4.0)
    >>> norm([8e200, 0])
    8e+200
    """
    (x,) = _vectors("norm", x=x)
    if not p >= 1:
        raise ValueError(f"norm: p must be at least 1; got {p}")
    largest = np.max(np.abs(x))
    if largest == 0 or p == np.inf:
        return float(largest)
    return float(largest * np.sum(np.abs(x / largest) ** p) ** (1 / p))


def distance(u, v, p=2):
    """Distance of two points: the norm of their difference.

    Parameters
    ----------
    u, v : array_like of shape (d,)
    p : float
        Which norm, as in `norm`.

    Returns
    -------
    float

    Examples
    --------
    >>> distance([1, 1], [4, 5])
    5.0
    """
    u, v = _vectors("distance", u=u, v=v)
    return norm(u - v, p)


def normalize(x):
    """Vector of length 1 that points where x points.

    Parameters
    ----------
    x : array_like of shape (d,)

    Returns
    -------
    ndarray of shape (d,)

    Raises
    ------
    ValueError
        If x is the zero vector: it has no direction.

    Examples
    --------
    >>> normalize([3, 4])
    array([0.6, 0.8])
    """
    (x,) = _vectors("normalize", x=x)
    return _direction("normalize", "x", x)


def cosine_similarity(u, v):
    """Cosine of the angle between two vectors.

    Parameters
    ----------
    u, v : array_like of shape (d,)
        Neither may be the zero vector.

    Returns
    -------
    float
        From -1 (opposite) over 0 (orthogonal) to 1 (same direction), never outside; it has no unit.

    Raises
    ------
    ValueError
        If one of the two is the zero vector.

    Examples
    --------
    >>> round(cosine_similarity([1, 0], [5, 5]), 4)
    0.7071
    """
    u, v = _vectors("cosine_similarity", u=u, v=v)
    cosine = dot(_direction("cosine_similarity", "u", u), _direction("cosine_similarity", "v", v))
    return float(np.clip(cosine, -1, 1))


def angle(u, v):
    """Angle between two vectors, accurate for small angles as well.

    It uses the tangent of half the angle (Kahan, 2006), for the arc cosine cannot tell angles below 1e-8 from zero.

    Parameters
    ----------
    u, v : array_like of shape (d,)
        Neither may be the zero vector.

    Returns
    -------
    float
        In radians, from 0 to pi.

    Raises
    ------
    ValueError
        If one of the two is the zero vector.

    Examples
    --------
    >>> np.degrees(angle([1, 0], [0, 3]))
    np.float64(90.0)
    >>> angle([1, 0], [1, 1e-12])
    1e-12
    """
    u, v = _vectors("angle", u=u, v=v)
    u, v = _direction("angle", "u", u), _direction("angle", "v", v)
    return float(2 * np.arctan2(norm(u - v), norm(u + v)))


def project(x, direction):
    """Point nearest to x on the line through the origin along a direction.

    Parameters
    ----------
    x : array_like of shape (d,)
    direction : array_like of shape (d,)
        Its length does not matter, but it may not be zero.

    Returns
    -------
    ndarray of shape (d,)

    Raises
    ------
    ValueError
        If the direction is the zero vector.

    Examples
    --------
    >>> project([3, 4], [10, 0])
    array([3., 0.])
    """
    x, direction = _vectors("project", x=x, direction=direction)
    unit = _direction("project", "direction", direction)
    return dot(x, unit) * unit


def decompose(x, direction):
    """Split x into a part along a direction and a part orthogonal to it; their sum is x.

    Parameters
    ----------
    x, direction : array_like of shape (d,)

    Returns
    -------
    parallel, orthogonal : ndarray of shape (d,)

    Raises
    ------
    ValueError
        If the direction is the zero vector.

    Examples
    --------
    >>> parallel, orthogonal = decompose([3, 4], [10, 0])
    >>> parallel, orthogonal
    (array([3., 0.]), array([0., 4.]))
    """
    x, direction = _vectors("decompose", x=x, direction=direction)
    parallel = project(x, direction)
    return parallel, x - parallel


def cross(u, v):
    """Cross product of two vectors in space: orthogonal to both, as long as the area of their parallelogram.

    Parameters
    ----------
    u, v : array_like of shape (3,)

    Returns
    -------
    ndarray of shape (3,)
        Its direction follows the right-hand rule; its unit is the unit of `u` times the unit of `v`.

    Raises
    ------
    ShapeError
        If the vectors do not have three components.

    Examples
    --------
    >>> cross([1, 0, 0], [0, 1, 0])
    array([0., 0., 1.])
    """
    (u0, u1, u2), (v0, v1, v2) = (as_numbers("cross", name, value, "3") for name, value in (("u", u), ("v", v)))
    return np.array([u1 * v2 - u2 * v1, u2 * v0 - u0 * v2, u0 * v1 - u1 * v0])


def unit_rows(X):
    """Divide every row of a table by its Euclidean norm.

    Parameters
    ----------
    X : array_like of shape (n, d)

    Returns
    -------
    ndarray of shape (n, d)
        Every row has length 1.

    Raises
    ------
    ValueError
        If a row is zero: it has no direction.

    Examples
    --------
    >>> unit_rows([[3, 4], [0, 5]])
    array([[0.6, 0.8],
           [0. , 1. ]])
    """
    X = as_numbers("unit_rows", "X", X, "n d")
    largest = np.max(np.abs(X), axis=1, keepdims=True)
    if not largest.all():
        raise ValueError(
            f"unit_rows: row {int(np.argmin(largest))} of X is zero, so it has no direction; remove such rows first"
        )
    X = X / largest
    return X / np.sqrt(np.sum(X * X, axis=1, keepdims=True))


def cosines(X, q):
    """Cosine similarity of every row of a table with one vector.

    Parameters
    ----------
    X : array_like of shape (n, d)
        One vector in each row, none of them zero.
    q : array_like of shape (d,)
        The vector to compare with, not zero.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ShapeError
        If q does not have as many components as a row of X.
    ValueError
        If q or a row of X is zero.

    Examples
    --------
    >>> cosines([[1, 0], [0, 2], [-3, 0]], [5, 0])
    array([ 1.,  0., -1.])
    """
    X = as_numbers("cosines", "X", X, "n d")
    q = as_numbers("cosines", "q", q, "d")
    check_shapes("cosines", X=(X, "n d"), q=(q, "d"))
    return np.clip(unit_rows(X) @ _direction("cosines", "q", q), -1, 1)


def nearest_by_cosine(X, q, k=1):
    """Rows of a table that point most nearly where q points.

    Parameters
    ----------
    X : array_like of shape (n, d)
    q : array_like of shape (d,)
    k : int
        How many rows, from 1 to n.

    Returns
    -------
    ndarray of int, shape (k,)
        Indices of the rows, the most similar first; of equally similar rows the earlier one comes first.

    Raises
    ------
    ShapeError
        If q does not have as many components as a row of X.
    ValueError
        If k is out of range, or q or a row of X is zero.

    Examples
    --------
    >>> nearest_by_cosine([[1, 0], [0, 2], [3, 3]], [1, 5], k=2)
    array([1, 2])
    """
    similarity = cosines(X, q)
    if not 1 <= k <= len(similarity):
        raise ValueError(f"nearest_by_cosine: k must be from 1 to the number of rows, {len(similarity)}; got {k}")
    return np.argsort(-similarity, kind="stable")[:k]


def _vectors(where, **values):
    """Return the values as vectors of floats, after checking that they have one length."""
    arrays = {name: as_numbers(where, name, value, "d") for name, value in values.items()}
    check_shapes(where, **{name: (array, "d") for name, array in arrays.items()})
    return tuple(arrays.values())


def _direction(where, name, x):
    """Return the unit vector along x; x is divided by its largest component first, so that its square cannot overflow."""
    largest = np.max(np.abs(x))
    if largest == 0:
        raise ValueError(f"{where}: {name} is the zero vector, which has no direction")
    x = x / largest
    return x / np.sqrt(np.sum(x * x))
