"""The checks of the chapter on vectors."""

import math
import statistics
from functools import cache, wraps

import numpy as np

from mlcourse.data.bundled import read_table
from mlcourse.grading import Case, Exercise, Mistake


def _length(x):
    return np.sqrt(np.sum(np.square(x)))


def _refusing_or_not(answer, says, impossible, kind="wrong value"):
    """A wrong answer as two mistakes: with the refusal of inputs that have no result, and without it.

    Parameters
    ----------
    answer : callable
        Refuses nothing.
    says, kind : str
        As in `Mistake`.
    impossible : callable
        Takes the inputs and tells whether they have no result.
    """

    @wraps(answer)
    def refusing(*args):
        if impossible(*args):
            raise ValueError("there is no result for these inputs")
        with np.errstate(invalid="ignore"):
            return answer(*args)

    @wraps(answer)
    def refusing_nothing(*args):
        with np.errstate(invalid="ignore", divide="ignore"):
            return answer(*args)

    refusing_nothing.__name__ += "_refusing_nothing"
    says_more = f"{says} Besides, the input that has no result was not refused with ValueError."
    return Mistake(refusing, says, kind), Mistake(refusing_nothing, says_more, "no error")


def _no_direction(*vectors):
    return any(not np.any(x) for x in vectors)


# --- unit_vector -----------------------------------------------------------------------------------------------------------


def _unit_vector_cases(rng):
    yield Case("the vector (3, -4)", np.array([3.0, -4.0]))
    yield Case("five random components", rng.normal(size=5) * 4)
    yield Case("a vector shorter than 1", rng.uniform(0.05, 0.2, size=3))
    yield Case("a vector along one axis", np.array([0.0, 0.0, -rng.uniform(2, 9)]))
    yield Case("the zero vector", np.zeros(3), raises=ValueError)


def _unit_vector_oracle(x):
    return np.array([component / math.hypot(*x) for component in x])


def _divided_by_the_sum(x):
    return x / np.sum(x)


def _divided_by_the_squared_length(x):
    return x / (x @ x)


def _divided_by_the_largest(x):
    return x / np.max(np.abs(x))


def _divided_in_place(x):
    if _no_direction(x):
        raise ValueError("the zero vector has no direction")
    x /= _length(x)
    return x


def _zero_vector_divided(x):
    with np.errstate(invalid="ignore"):
        return x / _length(x)


UNIT_VECTOR = Exercise(
    name="unit_vector",
    title="A vector of length one",
    points=3,
    minutes=5,
    difficulty=1,
    hints=(
        "Which single number has to divide all components, so that the length becomes 1?",
        "The length is the square root of the dot product of x with itself.",
        "Compute the length first. If it is 0, raise ValueError; otherwise return x divided by it, as a new array.",
    ),
    cases=_unit_vector_cases,
    oracle=_unit_vector_oracle,
    mistakes=(
        *_refusing_or_not(
            _divided_by_the_sum,
            "You divided by the sum of the components. That sum is not a length: positive and negative "
            "components cancel.",
            _no_direction,
        ),
        *_refusing_or_not(
            _divided_by_the_squared_length,
            "You divided by the dot product of x with itself. That is the squared length; the root is missing.",
            _no_direction,
        ),
        *_refusing_or_not(
            _divided_by_the_largest,
            "You divided by the largest absolute value. The result has length 1 in the maximum norm, not "
            "in the Euclidean norm.",
            _no_direction,
        ),
        Mistake(
            _divided_in_place,
            "The values are right, but `x /= ...` writes them into the caller's array. Build a new array.",
            kind="changed input",
        ),
        Mistake(
            _zero_vector_divided,
            "You divided the zero vector by its length 0, and NaN came out. It has no direction, and the "
            "caller should hear so.",
            kind="no error",
        ),
    ),
)


# --- cosine_similarity -----------------------------------------------------------------------------------------------------


def _cosine_cases(rng):
    u = rng.normal(size=4)
    yield Case("two random vectors", rng.normal(size=5) * 3, rng.normal(size=5) * 2 + 1)
    yield Case("a vector and three times itself", u, 3 * u)
    yield Case("two vectors in opposite directions", u, -0.5 * u)
    yield Case("two orthogonal vectors", np.array([2.0, 1.0, 0.0]), np.array([-1.0, 2.0, 5.0]))
    yield Case("long vectors without negative components", rng.uniform(5, 16, size=64), rng.uniform(5, 16, size=64))
    yield Case("a zero vector", u, np.zeros(4), raises=ValueError)


def _cosine_oracle(u, v):
    from scipy.spatial import distance

    return float(1 - distance.cosine(u, v))


def _plain_dot_product(u, v):
    return u @ v


def _divided_by_one_length(u, v):
    return u @ v / _length(u)


def _divided_by_squared_lengths(u, v):
    return u @ v / ((u @ u) * (v @ v))


def _parentheses_missing(u, v):
    return u @ v / _length(u) * _length(v)


def _cosine_distance(u, v):
    return 1 - u @ v / (_length(u) * _length(v))


def _correlation(u, v):
    u, v = u - u.mean(), v - v.mean()
    return u @ v / (_length(u) * _length(v))


def _products_not_added(u, v):
    if _no_direction(u, v):
        raise ValueError("the zero vector has no angle")
    return u * v / (_length(u) * _length(v))


def _zero_not_refused(u, v):
    with np.errstate(invalid="ignore"):
        return u @ v / (_length(u) * _length(v))


COSINE_SIMILARITY = Exercise(
    name="cosine_similarity",
    title="Cosine similarity",
    points=4,
    minutes=8,
    difficulty=1,
    hints=(
        "Solve the cosine formula of the dot product for the cosine.",
        "You need one dot product and two lengths.",
        "Divide `u @ v` by the product of the lengths of u and v, after refusing a length of 0 with ValueError.",
    ),
    cases=_cosine_cases,
    oracle=_cosine_oracle,
    mistakes=(
        *_refusing_or_not(
            _plain_dot_product,
            "You returned the dot product. It grows with the lengths of the vectors; the cosine must not.",
            _no_direction,
        ),
        *_refusing_or_not(
            _divided_by_one_length,
            "You divided by the length of u only. The result still doubles when v doubles.",
            _no_direction,
        ),
        *_refusing_or_not(
            _divided_by_squared_lengths,
            "You divided by the squared lengths. Take the root of each dot product of a vector with itself.",
            _no_direction,
        ),
        *_refusing_or_not(
            _parentheses_missing,
            "You divided by the first length and then multiplied by the second: `a / b * c` is `(a / b) * "
            "c`. The product of the lengths needs parentheses.",
            _no_direction,
        ),
        *_refusing_or_not(
            _cosine_distance,
            "You returned one minus the cosine: the cosine distance, which is 0 for equal directions.",
            _no_direction,
        ),
        *_refusing_or_not(
            _correlation,
            "You subtracted the mean of the components first. That is the correlation coefficient, another quantity.",
            _no_direction,
        ),
        Mistake(
            _products_not_added,
            "You multiplied with `*`, which leaves one product for each component. The dot product adds them up.",
            kind="wrong type",
        ),
        Mistake(
            _zero_not_refused,
            "For a zero vector you divided 0 by 0. It has no angle with anything; raise ValueError.",
            kind="no error",
        ),
    ),
)


# --- predict_norms ---------------------------------------------------------------------------------------------------------


@cache
def _measured_norms():
    ones, x = np.ones(100), np.array([3.0, -4.0, 12.0])
    X, q = np.zeros((1797, 64)), np.zeros(64)
    high = np.random.default_rng(0).normal(size=(2, 1_000_000))
    cosine = high[0] @ high[1] / np.sqrt((high[0] @ high[0]) * (high[1] @ high[1]))
    return {
        "ones": float(np.linalg.norm(ones)),
        "ones in the 1-norm": float(np.linalg.norm(ones, 1)),
        "growth": float(np.linalg.norm(2 * x) / np.linalg.norm(x)),
        "shape of X @ q": (X @ q).shape,
        "shape of X * q": (X * q).shape,
        "random angle": round(float(np.degrees(np.arccos(cosine)))),
        "bytes": int((np.array([250], dtype=np.uint8) + np.array([10], dtype=np.uint8))[0]),
    }


def _norms_oracle():
    return dict(_measured_norms())


def _predicted(**wrong):
    names = {
        "one_norm": "ones in the 1-norm",
        "at": "shape of X @ q",
        "star": "shape of X * q",
        "angle": "random angle",
    }
    return _measured_norms() | {names.get(key, key): value for key, value in wrong.items()}


def _ones_are_summed():
    return _predicted(ones=100)


def _growth_is_squared():
    return _predicted(growth=4)


def _star_adds_up():
    return _predicted(star=(1797,))


def _at_keeps_the_columns():
    return _predicted(at=(1797, 64))


def _random_angle_is_45():
    return _predicted(angle=45)


def _bytes_grow():
    return _predicted(bytes=260)


PREDICT_NORMS = Exercise(
    name="predict_norms",
    title="Predict before you measure",
    points=4,
    minutes=8,
    difficulty=2,
    hints=(
        "Write down the formula of the Euclidean norm for 100 ones. How many terms are there, and what "
        "happens at the end?",
        "`*` works component by component and keeps the table; `@` adds up along the 64 columns.",
        "For the angle, think of the histogram that grows narrower with the dimension. For the bytes, "
        "count 250, 251, …, 255, 0, 1, …",
    ),
    cases=lambda rng: [Case("your seven predictions")],
    oracle=_norms_oracle,
    mistakes=(
        Mistake(
            _ones_are_summed,
            "For the 100 ones you forgot the square root at the end of the Euclidean norm, or took the 1-norm.",
        ),
        Mistake(
            _growth_is_squared,
            "You let the norm grow fourfold. The squares do, but the root follows: twice the arrow, twice the length.",
        ),
        Mistake(
            _star_adds_up,
            "You let `X * q` add up. It multiplies every row by q component by component, and nothing is summed.",
            kind="wrong shape",
        ),
        Mistake(
            _at_keeps_the_columns,
            "You let `X @ q` keep the columns. It is one dot product for each row.",
            kind="wrong shape",
        ),
        Mistake(
            _random_angle_is_45,
            "You expected 45 degrees. Products of random signs cancel in a long sum, so the cosine is close to 0.",
        ),
        Mistake(_bytes_grow, "An 8-bit integer ends at 255; the sum cannot be 260."),
    ),
)


# --- angle_between_degrees -------------------------------------------------------------------------------------------------


def _raw_cosines(u, v):
    """The usual ways to write the cosine; they round differently."""
    return (
        u @ v / (np.sqrt(u @ u) * np.sqrt(v @ v)),
        u @ v / np.sqrt((u @ u) * (v @ v)),
        np.dot(u / np.linalg.norm(u), v / np.linalg.norm(v)),
        np.sum(u * v) / (_length(u) * _length(v)),
    )


def _rounded_above_one(rng, factor):
    """A vector whose cosine with a multiple of itself is rounded to beyond 1, in all the usual ways."""
    while True:
        u = rng.normal(size=6)
        if all(abs(cosine) > 1 for cosine in _raw_cosines(u, factor * u)):
            return u


def _angle_cases(rng):
    yield Case("the axes of the plane", np.array([2.0, 0.0]), np.array([0.0, 0.5]))
    yield Case("an angle of 60 degrees", np.array([1.0, 0.0]), np.array([1.0, np.sqrt(3)]))
    u = rng.normal(size=5)
    yield Case("an obtuse angle", u, rng.normal(size=5) * 0.3 - u)
    yield Case("long vectors", rng.uniform(3, 9, size=8), rng.uniform(3, 9, size=8))
    parallel = _rounded_above_one(rng, 3.0)
    yield Case("a vector and three times itself", parallel, 3.0 * parallel)
    opposite = _rounded_above_one(rng, -7.0)
    yield Case("two vectors in opposite directions", opposite, -7.0 * opposite)
    yield Case("a zero vector", np.zeros(2), np.array([1.0, 2.0]), raises=ValueError)


def _angle_oracle(u, v):
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    return round(float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))), 9)


def _cosine(u, v):
    return u @ v / (_length(u) * _length(v))


def _in_radians(u, v):
    return np.arccos(np.clip(_cosine(u, v), -1, 1))


def _not_clipped(u, v):
    return np.degrees(np.arccos(_cosine(u, v)))


def _clipped_at_zero(u, v):
    return np.degrees(np.arccos(np.clip(_cosine(u, v), 0, 1)))


def _not_normalized(u, v):
    return np.degrees(np.arccos(np.clip(u @ v, -1, 1)))


def _angle_of_lines(u, v):
    return np.degrees(np.arccos(min(abs(_cosine(u, v)), 1)))


def _no_angle_not_refused(u, v):
    with np.errstate(invalid="ignore"):
        return np.degrees(np.arccos(np.clip(_cosine(u, v), -1, 1)))


def _cosine_in_degrees(u, v):
    return np.degrees(np.clip(_cosine(u, v), -1, 1))


ANGLE = Exercise(
    name="angle_between_degrees",
    title="An angle that is never NaN",
    points=5,
    minutes=12,
    difficulty=2,
    hints=(
        "Three steps: the cosine, the arc cosine, the unit.",
        "A cosine may be rounded to 1.0000000000000002. What does `np.arccos` make of it?",
        "Put `np.clip(cosine, -1, 1)` before the arc cosine and `np.degrees` after it.",
    ),
    cases=_angle_cases,
    oracle=_angle_oracle,
    atol=1e-5,
    mistakes=(
        *_refusing_or_not(
            _in_radians,
            "The angle is in radians: `np.arccos` returns them, and you were asked for degrees.",
            _no_direction,
        ),
        *_refusing_or_not(
            _not_clipped,
            "For parallel vectors the cosine is rounded to slightly beyond 1 or −1, and the arc cosine of that is NaN.",
            _no_direction,
            kind="not finite",
        ),
        *_refusing_or_not(
            _clipped_at_zero,
            "You cut the cosine off at 0, so that every obtuse angle becomes 90 degrees. Cosines go down to −1.",
            _no_direction,
        ),
        *_refusing_or_not(
            _not_normalized,
            "You took the arc cosine of the dot product. That is the cosine only for vectors of length 1.",
            _no_direction,
        ),
        *_refusing_or_not(
            _angle_of_lines,
            "You took the absolute value of the cosine. That is the angle of two lines; arrows may "
            "enclose up to 180 degrees.",
            _no_direction,
        ),
        *_refusing_or_not(
            _cosine_in_degrees,
            "You converted the cosine to degrees. The cosine is not an angle; the arc cosine is missing.",
            _no_direction,
        ),
        Mistake(
            _no_angle_not_refused,
            "With a zero vector you divided 0 by 0, and the angle is NaN. There is no such angle; raise ValueError.",
            kind="no error",
        ),
    ),
)


# --- orthogonal_part -------------------------------------------------------------------------------------------------------


def _orthogonal_cases(rng):
    direction = rng.normal(size=4) + 2
    yield Case("a vector of the plane", np.array([3.0, 4.0]), np.array([2.0, 0.0]))
    yield Case("four random components", rng.normal(size=4) * 3, direction)
    yield Case("a direction shorter than 1", rng.normal(size=3), rng.uniform(0.1, 0.3, size=3))
    yield Case("a multiple of the direction", -2.5 * direction, direction)
    yield Case("a vector that is orthogonal already", np.array([1.0, 2.0, 0.0]), np.array([-2.0, 1.0, 0.0]))
    yield Case("a zero direction", np.array([1.0, 2.0]), np.zeros(2), raises=ValueError)


def _orthogonal_oracle(x, direction):
    t = np.linalg.lstsq(direction[:, None], x, rcond=None)[0]
    return np.round(x - direction[:, None] @ t, 12) + 0.0  # + 0.0 turns -0 into 0


def _zero_direction(x, direction):
    return not np.any(direction)


def _parallel_part(x, direction):
    return (x @ direction) / (direction @ direction) * direction


def _direction_taken_for_a_unit_vector(x, direction):
    return x - (x @ direction) * direction


def _divided_by_the_length_once(x, direction):
    return x - (x @ direction) / _length(direction) * direction


def _roles_swapped(x, direction):
    return direction - (x @ direction) / (x @ x) * x


def _subtracted_in_place(x, direction):
    if _no_direction(direction):
        raise ValueError("the zero vector is no direction")
    x -= _parallel_part(x, direction)
    return x


ORTHOGONAL_PART = Exercise(
    name="orthogonal_part",
    title="What is left beside a direction",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "x is the sum of two parts. Which of them has a formula in the chapter?",
        "The projection of x onto the direction is the parallel part. What remains when you take it away?",
        "The number in front of the direction is a dot product divided by a dot product, so that the "
        "direction's length cancels.",
    ),
    cases=_orthogonal_cases,
    oracle=_orthogonal_oracle,
    mistakes=(
        *_refusing_or_not(
            _parallel_part,
            "You returned the projection itself: the part along the direction, not what is left beside it.",
            _zero_direction,
        ),
        *_refusing_or_not(
            _direction_taken_for_a_unit_vector,
            "Your formula is right for directions of length 1 only. Here the direction may have any length.",
            _zero_direction,
        ),
        *_refusing_or_not(
            _divided_by_the_length_once,
            "You divided by the length of the direction once. The direction appears twice above the "
            "fraction bar, so its length must be cancelled twice.",
            _zero_direction,
        ),
        *_refusing_or_not(
            _roles_swapped,
            "You took the part of the direction that is orthogonal to x. The roles of the two are swapped.",
            _zero_direction,
        ),
        Mistake(
            _subtracted_in_place,
            "The values are right, but `x -= ...` changes the caller's array. Return a new one.",
            kind="changed input",
        ),
    ),
)


# --- project_onto_line -----------------------------------------------------------------------------------------------------


def _line_cases(rng):
    yield Case("a horizontal line", np.array([3.0, 5.0]), np.array([0.0, 1.0]), np.array([2.0, 1.0]))
    for label, d in (("a line in the plane", 2), ("a line in space", 3)):
        a, step = rng.normal(size=d) * 2 + 3, rng.normal(size=d) + 1
        yield Case(
            f"{label}, the nearest point beyond b", a + rng.uniform(1.5, 3) * step + rng.normal(size=d), a, a + step
        )
    a, step = rng.normal(size=5) - 2, rng.normal(size=5) * 2
    yield Case("a line in five dimensions", rng.normal(size=5), a, a + step)
    yield Case("a point on the line", a - 2 * step, a, a + step)
    yield Case(
        "two equal points, which define no line",
        np.ones(2),
        np.array([1.0, 3.0]),
        np.array([1.0, 3.0]),
        raises=ValueError,
    )


def _line_oracle(x, a, b):
    from scipy.linalg import lstsq

    t = lstsq((b - a)[:, None], x - a)[0]
    return (1 - t) * a + t * b


def _no_line(x, a, b):
    return np.array_equal(a, b)


def _line_through_the_origin(x, a, b):
    return _parallel_part(x, b - a)


def _a_not_added_back(x, a, b):
    return _parallel_part(x - a, b - a)


def _a_not_subtracted(x, a, b):
    return a + _parallel_part(x, b - a)


def _b_taken_for_the_direction(x, a, b):
    return a + _parallel_part(x - a, b)


def _stopped_at_the_ends(x, a, b):
    step = b - a
    return a + np.clip((x - a) @ step / (step @ step), 0, 1) * step


def _equal_points_divided(x, a, b):
    step = b - a
    with np.errstate(invalid="ignore"):
        return a + (x - a) @ step / (step @ step) * step


PROJECT_ONTO_LINE = Exercise(
    name="project_onto_line",
    title="The nearest point on any line",
    points=6,
    minutes=20,
    difficulty=3,
    hints=(
        "The formula of the chapter is for lines through the origin. Can you move the whole picture so "
        "that this one goes through it?",
        "Subtract a from everything: the line then passes through the origin, and its direction is b - a. "
        "Do not forget to move back.",
        "Write the point as a + t (b - a) and choose t so that the rest x - a - t (b - a) is orthogonal to b - a.",
    ),
    cases=_line_cases,
    oracle=_line_oracle,
    mistakes=(
        *_refusing_or_not(
            _line_through_the_origin,
            "You projected onto the parallel line through the origin. The line of this exercise passes through a.",
            _no_line,
        ),
        *_refusing_or_not(
            _a_not_added_back,
            "You moved the origin to a, which is right, but the result is still seen from a. Move it back.",
            _no_line,
        ),
        *_refusing_or_not(
            _a_not_subtracted,
            "You projected x itself and then added a. The arrow to project starts at a, not at the origin.",
            _no_line,
        ),
        *_refusing_or_not(
            _b_taken_for_the_direction,
            "You used b as the direction of the line. b is a point on it; the direction is the arrow from a to b.",
            _no_line,
        ),
        *_refusing_or_not(
            _stopped_at_the_ends,
            "You stopped at a and b. That is the nearest point of the segment; a line goes on beyond both points.",
            _no_line,
        ),
        Mistake(
            _equal_points_divided,
            "If a and b are equal, you divide 0 by 0. Two equal points define no line; raise ValueError.",
            kind="no error",
        ),
    ),
)


# --- triangle_area_3d ------------------------------------------------------------------------------------------------------


def _triangle_cases(rng):
    yield Case(
        "a right-angled triangle on the floor",
        np.array([0.0, 0.0, 0.0]),
        np.array([3.0, 0.0, 0.0]),
        np.array([0.0, 4.0, 0.0]),
    )
    yield Case(
        "the same triangle, moved", np.array([5.0, -2.0, 7.0]), np.array([8.0, -2.0, 7.0]), np.array([5.0, 2.0, 7.0])
    )
    yield Case("a random triangle", *rng.normal(size=(3, 3)) * 2)
    yield Case("a random triangle far from the origin", *(rng.normal(size=(3, 3)) + 20))
    a, step = rng.integers(-5, 5, size=3).astype(float), np.array([1.0, 2.0, -2.0])
    yield Case("three points on one line", a, a + step, a + 3 * step)


def _triangle_oracle(a, b, c):
    x, y, z = sorted(math.dist(p, q) for p, q in ((a, b), (b, c), (c, a)))  # Heron's formula, in Kahan's order
    return math.sqrt(max((z + (y + x)) * (x - (z - y)) * (x + (z - y)) * (z + (y - x)), 0)) / 4


def _area_of_the_parallelogram(a, b, c):
    return _length(np.cross(b - a, c - a))


def _corners_taken_for_edges(a, b, c):
    return _length(np.cross(b, c)) / 2


def _dot_for_cross(a, b, c):
    return abs((b - a) @ (c - a)) / 2


def _product_of_two_sides(a, b, c):
    return _length(b - a) * _length(c - a) / 2


def _components_added(a, b, c):
    return np.sum(np.cross(b - a, c - a)) / 2


def _normal_returned(a, b, c):
    return np.cross(b - a, c - a) / 2


TRIANGLE_AREA = Exercise(
    name="triangle_area_3d",
    title="The area of a triangle in space",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Two of the triangle's edges span a parallelogram. How much of it is the triangle?",
        "Arrows along two edges are differences of corners, such as b - a and c - a.",
        "Take the cross product of the two edges, its length, and half of that.",
    ),
    cases=_triangle_cases,
    oracle=_triangle_oracle,
    atol=1e-5,
    mistakes=(
        Mistake(_area_of_the_parallelogram, "That is the area of the parallelogram; the triangle is half of it."),
        Mistake(
            _corners_taken_for_edges,
            "You used two corners as if they were edges, which is right only if the third corner is the origin.",
        ),
        Mistake(_dot_for_cross, "You used the dot product: it is 0 for a right angle, where the area is largest."),
        Mistake(
            _product_of_two_sides,
            "You multiplied the lengths of two sides. That is base times height only if they meet at a right angle.",
        ),
        Mistake(
            _components_added,
            "You added up the components of the cross product. Its length is the root of the sum of their squares.",
        ),
        Mistake(
            _normal_returned,
            "You returned the cross product, a vector. The area is half its length, a number.",
            kind="wrong type",
        ),
    ),
)


# --- nearest_label ---------------------------------------------------------------------------------------------------------


def _labeled(rng, n, d):
    """Draw a table on which all the rules that one might confuse give different answers."""
    rules = (_largest_dot_product, _least_similar, _nearest_by_distance, _columns_normalized, _handed_out_nearest)
    while True:
        X = rng.normal(size=(n, d)) * rng.uniform(0.5, 4, size=(n, 1))
        y = 10 + rng.permutation(n)
        q = rng.normal(size=d) * 1.5
        right = int(y[np.argmax(X @ q / np.sqrt(np.sum(X * X, axis=1)))])
        if len({right, *(rule(X, y, q) for rule in rules)}) == 1 + len(rules):
            return X, y, q


def _nearest_cases(rng):
    X = np.array([[9.0, 9.0, 0.0], [0.2, 0.0, 0.1], [0.0, 0.0, 3.0], [-1.0, 0.0, 0.0]])
    yield Case("a long row at 45 degrees and a short row at 27", X, np.array([7, 3, 5, 8]), np.array([2.0, 0.0, 0.0]))
    yield Case("eight random rows", *_labeled(rng, 8, 3))
    yield Case("ten random rows", *_labeled(rng, 10, 4))
    X, y, q = _labeled(rng, 12, 4)
    yield Case("a fainter copy of row 4", X, y, 0.1 * X[4])
    yield Case("the same table, a longer query", X, y, 5 * q)


def _cosine_by_sums(u, v):
    return math.fsum(a * b for a, b in zip(u, v, strict=True)) / (math.hypot(*u) * math.hypot(*v))


def _nearest_oracle(X, y, q):
    return int(y[max(range(len(X)), key=lambda i: _cosine_by_sums(X[i], q))])


def _handed_out_nearest(X, y, q):
    lengths = np.sqrt(np.sum(X * X))
    cosines = X @ q / lengths
    return int(y[np.argmin(cosines)])


def _largest_dot_product(X, y, q):
    return int(y[np.argmax(X @ q)])


def _least_similar(X, y, q):
    return int(y[np.argmin(X @ q / np.sqrt(np.sum(X * X, axis=1)))])


def _nearest_by_distance(X, y, q):
    return int(y[np.argmin(np.sum((X - q) ** 2, axis=1))])


def _columns_normalized(X, y, q):
    return int(y[np.argmax((X / np.sqrt(np.sum(X * X, axis=0))) @ q)])


def _row_number(X, y, q):
    return int(np.argmax(X @ q / np.sqrt(np.sum(X * X, axis=1))))


NEAREST_LABEL = Exercise(
    name="nearest_label",
    title="Repair a nearest-neighbor classifier",
    points=6,
    minutes=15,
    difficulty=3,
    hints=(
        "There are two faults. Print the shape of `lengths`: how many lengths should there be?",
        "`np.sum` without an axis adds up the whole table. And is the most similar row the one with the "
        "smallest cosine?",
        "Each row needs a length of its own, so the sum runs along axis 1. The most similar row has the "
        "largest cosine.",
    ),
    cases=_nearest_cases,
    oracle=_nearest_oracle,
    mistakes=(
        Mistake(
            _handed_out_nearest, "This behaves like the code that was handed out. It has two faults.", planted=True
        ),
        Mistake(
            _largest_dot_product,
            "You find the row with the largest dot product. All rows are divided by one and the same "
            "number or by none, so long rows win; each must be divided by its own length.",
        ),
        Mistake(_least_similar, "The cosines are right, but you return the label of the least similar row."),
        Mistake(
            _nearest_by_distance,
            "You compare by Euclidean distance. A fainter copy of a row has the same direction, and by "
            "distance it may belong elsewhere.",
        ),
        Mistake(
            _columns_normalized,
            "You divided each column by its length. Axis 0 runs over the rows; the length of a row is a "
            "sum along axis 1.",
        ),
        Mistake(_row_number, "You return the number of the nearest row. The label is what `y` says about that row."),
    ),
)


# --- distance_between ------------------------------------------------------------------------------------------------------


def _close_and_far_out(rng):
    """Two points far from the origin and close together, for which the expanded square comes out negative."""
    while True:
        u = rng.uniform(1e6, 2e6, size=4)
        v = u + rng.uniform(1e-3, 2e-3, size=4)
        if u @ u - 2 * (u @ v) + v @ v < 0:
            return u, v


def _distance_cases(rng):
    yield Case("the points (1, 1) and (4, 5)", np.array([1.0, 1.0]), np.array([4.0, 5.0]))
    yield Case("two random points", rng.normal(size=6) * 3, rng.normal(size=6) * 3)
    yield Case("two points close together and far from the origin", *_close_and_far_out(rng))
    u = rng.uniform(1e3, 2e3, size=5)
    yield Case("two points close together, not as far out", u, u + rng.uniform(1e-3, 2e-3, size=5))
    yield Case("two images of 8-bit integers", *rng.integers(0, 256, size=(2, 16)).astype(np.uint8))
    dark = rng.integers(0, 100, size=16).astype(np.uint8)
    yield Case("an 8-bit image and a copy that is lighter by 150", dark, dark + np.uint8(150))
    whole = rng.integers(10, 20, size=5).astype(float)
    yield Case("a point and itself", whole, whole.copy())


def _distance_oracle(u, v):
    return math.dist([float(a) for a in u], [float(b) for b in v])


def _handed_out_distance(u, v):
    with np.errstate(all="ignore"):
        return np.sqrt(u @ u - 2 * (u @ v) + v @ v)


def _converted_but_expanded(u, v):
    u, v = u.astype(float), v.astype(float)
    with np.errstate(invalid="ignore"):
        return np.sqrt(u @ u - 2 * (u @ v) + v @ v)


def _negative_cut_off(u, v):
    u, v = u.astype(float), v.astype(float)
    return np.sqrt(max(u @ u - 2 * (u @ v) + v @ v, 0))


def _sign_dropped(u, v):
    u, v = u.astype(float), v.astype(float)
    return np.sqrt(abs(u @ u - 2 * (u @ v) + v @ v))


def _subtracted_as_bytes(u, v):
    return np.sqrt(np.sum((u - v).astype(float) ** 2))


def _squared_as_bytes(u, v):
    return np.sqrt(np.sum((u - v) ** 2, dtype=float))


def _converted_to_integers(u, v):
    difference = u.astype(np.int64) - v.astype(np.int64)
    return np.sqrt(difference @ difference)


def _in_single_precision(u, v):
    return float(np.sqrt(np.sum((u.astype(np.float32) - v.astype(np.float32)) ** 2)))


DISTANCE_BETWEEN = Exercise(
    name="distance_between",
    title="Repair a distance",
    points=7,
    minutes=20,
    difficulty=4,
    hints=(
        "The formula is right on paper. Try it on two points far from the origin and close together, and "
        "on two arrays of `np.uint8`.",
        "Where are large numbers subtracted that are nearly equal? And in which type does NumPy multiply "
        "8-bit integers?",
        "Convert both vectors to 64-bit floats first, then subtract, and square only after that.",
    ),
    cases=_distance_cases,
    oracle=_distance_oracle,
    mistakes=(
        Mistake(
            _handed_out_distance,
            "This behaves like the code that was handed out: it expands the square, and it computes in "
            "the type that came in.",
            kind="not finite",
            planted=True,
        ),
        Mistake(
            _converted_but_expanded,
            "The integers are cured. But large numbers still cancel in the expanded square, which comes "
            "out negative; its root is NaN.",
            kind="not finite",
        ),
        Mistake(
            _negative_cut_off,
            "Cutting negative squares off at 0 hides the NaN. The points are not equal, and their "
            "distance is still lost to cancellation.",
        ),
        Mistake(_sign_dropped, "Dropping the sign hides the NaN, but what is under the root is only a rounding error."),
        Mistake(
            _subtracted_as_bytes,
            "You subtract before converting. 8-bit integers cannot be negative: 10 − 20 gives 246.",
        ),
        Mistake(
            _squared_as_bytes,
            "You subtract and square in the type that came in. Differences and squares of 8-bit integers "
            "start again at 0 after 255.",
        ),
        Mistake(
            _converted_to_integers,
            "You converted to large integers. That cures the 8-bit images and cuts the fractions off all other points.",
        ),
        Mistake(
            _in_single_precision,
            "You converted to 32-bit floats. They keep 7 digits, and the coordinates of the far points "
            "differ in the tenth.",
        ),
    ),
)


# --- most_similar_samples --------------------------------------------------------------------------------------------------


@cache
def _tables():
    return read_table("wine_data.csv")[:, :-1], np.unique(read_table("iris.csv")[:, :-1], axis=0)


def _sample_cases(rng):
    wine, iris = _tables()
    yield Case("25 wines", wine[rng.choice(len(wine), 25, replace=False)], 3, 5)
    yield Case("40 wines, another one", wine[rng.choice(len(wine), 40, replace=False)], int(rng.integers(40)), 10)
    yield Case("30 irises", iris[rng.choice(len(iris), 30, replace=False)], 0, 6)
    rows = wine[rng.choice(len(wine), 20, replace=False)]
    rows[:, 4] = 100.0
    yield Case("20 wines with a constant column", rows, 7, 4)
    yield Case("all others, ranked", wine[rng.choice(len(wine), 12, replace=False)], 11, 11)


def _sample_oracle(X, i, k):
    columns = [[float(value) for value in column] for column in X.T]
    means, spreads = map(statistics.fmean, columns), map(statistics.pstdev, columns)
    standard = [
        [(value - mean) / spread if spread else 0.0 for value in column]
        for column, mean, spread in zip(columns, means, spreads, strict=True)
    ]
    samples = list(zip(*standard, strict=True))
    similar = {j: _cosine_by_sums(samples[i], sample) for j, sample in enumerate(samples) if j != i}
    return np.array(sorted(similar, key=lambda j: -similar[j])[:k])


def _ranked(Z, i, k, *, ascending=False, keep_itself=False):
    """Rank the rows of an already scaled table by their cosine with row i."""
    with np.errstate(invalid="ignore"):
        similarity = Z @ Z[i] / (np.sqrt(np.sum(Z * Z, axis=1)) * _length(Z[i]))
    order = np.argsort(similarity if ascending else -similarity, kind="stable")
    return (order if keep_itself else order[order != i])[:k]


def _standardized(X):
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _not_scaled(X, i, k):
    return _ranked(X, i, k)


def _only_centered(X, i, k):
    return _ranked(X - X.mean(axis=0), i, k)


def _only_scaled(X, i, k):
    spread = X.std(axis=0)
    return _ranked(X / np.where(spread > 0, spread, 1), i, k)


def _rows_standardized(X, i, k):
    return _ranked((X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True), i, k)


def _itself_included(X, i, k):
    return _ranked(_standardized(X), i, k, keep_itself=True)


def _least_similar_first(X, i, k):
    return _ranked(_standardized(X), i, k, ascending=True)


def _ranked_by_distance(X, i, k):
    Z = _standardized(X)
    order = np.argsort(np.sum((Z - Z[i]) ** 2, axis=1), kind="stable")
    return order[order != i][:k]


def _similarities_returned(X, i, k):
    Z = _standardized(X)
    similarity = Z @ Z[i] / (np.sqrt(np.sum(Z * Z, axis=1)) * _length(Z[i]))
    return -np.sort(-np.delete(similarity, i))[:k]


def _constant_column_divided(X, i, k):
    with np.errstate(invalid="ignore", divide="ignore"):
        return _ranked((X - X.mean(axis=0)) / X.std(axis=0), i, k)


def _constant_column_divided_and_sorted_backward(X, i, k):
    with np.errstate(invalid="ignore", divide="ignore"):
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        similarity = Z @ Z[i] / (np.sqrt(np.sum(Z * Z, axis=1)) * _length(Z[i]))
    return np.argsort(similarity)[::-1][1 : k + 1]


MOST_SIMILAR = Exercise(
    name="most_similar_samples",
    title="Which wines are most alike?",
    points=8,
    minutes=30,
    difficulty=5,
    hints=(
        "Print the mean and the standard deviation of every column. Which column would decide every cosine?",
        "Scale the columns with `axis=0`, then compute the cosines of all rows with row i at once, then "
        "sort. Mind a column whose standard deviation is 0.",
        "`np.argsort(-cosines)` ranks from the largest; drop i from the order before you take the first k.",
    ),
    cases=_sample_cases,
    oracle=_sample_oracle,
    mistakes=(
        Mistake(
            _not_scaled,
            "You compared the columns as they came. The one with the largest numbers decides every "
            "cosine, only because of its unit.",
        ),
        Mistake(
            _only_centered,
            "You subtracted the means but did not divide by the standard deviations. The column with the "
            "widest range still decides.",
        ),
        Mistake(
            _only_scaled,
            "You divided by the standard deviations but did not subtract the means. All rows then point "
            "in nearly the same direction.",
        ),
        Mistake(
            _rows_standardized,
            "You standardized the rows. The units differ between columns, so means and standard "
            "deviations run over axis 0.",
        ),
        Mistake(
            _itself_included, "Row i itself leads your ranking. Every row is most similar to itself; leave it out."
        ),
        Mistake(
            _least_similar_first,
            "Your ranking begins with the least similar rows: `np.argsort` sorts from small to large.",
        ),
        Mistake(
            _ranked_by_distance,
            "You ranked by Euclidean distance. Two samples with the same profile, one more pronounced, "
            "are far apart and yet point the same way.",
        ),
        Mistake(
            _similarities_returned,
            "You returned the similarities. The numbers of the rows were asked for.",
            kind="wrong dtype",
        ),
        Mistake(
            _constant_column_divided,
            "A constant column has standard deviation 0, and dividing by it fills your table with NaN. "
            "Such a column tells nothing about similarity.",
        ),
        Mistake(
            _constant_column_divided_and_sorted_backward,
            "A constant column has standard deviation 0, and dividing by it fills your table with NaN. "
            "Such a column tells nothing about similarity.",
        ),
    ),
)

EXERCISES = [
    UNIT_VECTOR,
    COSINE_SIMILARITY,
    PREDICT_NORMS,
    ANGLE,
    ORTHOGONAL_PART,
    PROJECT_ONTO_LINE,
    TRIANGLE_AREA,
    NEAREST_LABEL,
    DISTANCE_BETWEEN,
    MOST_SIMILAR,
]
