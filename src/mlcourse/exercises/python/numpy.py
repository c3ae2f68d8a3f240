"""The exercises on NumPy: indexing, shapes, broadcasting, einsum, data in batches, and two broken functions to repair."""

from __future__ import annotations

import numpy as np

from mlcourse.grading import Case, Difference, Exercise, Mistake, difference
from mlcourse.grading.patterns import predictions_difference


def _prediction_difference(expected, got):
    """As `predictions_difference`; a shape is a tuple."""
    for key, value in got.items() if isinstance(got, dict) else ():
        if isinstance(value, list):
            return Difference(
                "wrong type", f"the prediction for `{key}` is a list; write it as a tuple, like (7, 3) or (7,)"
            )
    return predictions_difference(expected, got)


# checkerboard -----------------------------------------------------------------------------------------------------------


def _checkerboard_cases(rng):
    for n in (1, 2, 5, 8, int(rng.integers(9, 14))):
        yield Case(f"n = {n}", n)


def _checkerboard(n):
    return np.indices((n, n)).sum(axis=0) % 2


def _starts_with_one(n):
    return 1 - _checkerboard(n)


def _floats(n):
    return _checkerboard(n).astype(float)


def _every_second_row_only(n):
    board = np.zeros((n, n), dtype=int)
    board[::2, 1::2] = 1
    return board


def _alternates_along_memory(n):
    return (np.arange(n * n) % 2).reshape(n, n)


def _stripes(n):
    board = np.zeros((n, n), dtype=int)
    board[1::2] = 1
    return board


CHECKERBOARD = Exercise(
    name="checkerboard",
    title="Checkerboard",
    points=3,
    minutes=8,
    difficulty=1,
    hints=(
        "Start with zeros of dtype int. Which squares of row 0 must become 1, and which of row 1?",
        "A slice start:stop:step along each axis selects every second row and every second column; two assignments are enough.",
    ),
    cases=_checkerboard_cases,
    oracle=_checkerboard,
    mistakes=(
        Mistake(_starts_with_one, "The two colors are exchanged: the upper left square must be 0."),
        Mistake(
            _floats,
            "The pattern is right, but the board holds floats: `np.zeros` makes float64 unless you ask for integers.",
            "wrong dtype",
        ),
        Mistake(
            _every_second_row_only,
            "The even rows are right and the odd rows are still all 0: they need an assignment of their own.",
        ),
        Mistake(
            _alternates_along_memory,
            "0 and 1 alternate along the memory, from the end of one row to the start of the next. "
            "For even n every row then begins with 0, which makes vertical stripes.",
        ),
        Mistake(_stripes, "Whole rows were set to 1: an index for the columns is missing."),
    ),
)


# predict_views ----------------------------------------------------------------------------------------------------------

_VIEW_EXPRESSIONS = {
    "x[2]": lambda x: x[2],
    "x[:, 1:3]": lambda x: x[:, 1:3],
    "x[[0, 1, 2]]": lambda x: x[[0, 1, 2]],
    "x[x > 3]": lambda x: x[x > 3],
    "x[::-1]": lambda x: x[::-1],
    "x[:, None]": lambda x: x[:, None],
    "x.T": lambda x: x.T,
    "x.reshape(4, 6)": lambda x: x.reshape(4, 6),
    "x.T.reshape(24)": lambda x: x.T.reshape(24),
    "x + 0": lambda x: x + 0,
}


def _views():
    x = np.arange(24.0).reshape(6, 4)
    return {text: bool(np.shares_memory(x, function(x))) for text, function in _VIEW_EXPRESSIONS.items()}


def _every_index_is_a_view():
    return {**_views(), "x[[0, 1, 2]]": True, "x[x > 3]": True}


def _regular_list_is_a_view():
    return {**_views(), "x[[0, 1, 2]]": True}


def _every_reshape_is_a_view():
    return {**_views(), "x.T.reshape(24)": True}


def _new_order_is_a_copy():
    return {**_views(), "x[::-1]": False, "x.T": False}


def _every_reshape_is_a_copy():
    return {**_views(), "x.reshape(4, 6)": False}


PREDICT_VIEWS = Exercise(
    name="predict_views",
    title="View or copy? A prediction",
    points=3,
    minutes=8,
    difficulty=2,
    hints=(
        "Ask of each expression: can another pointer, shape and strides over the memory of x describe the result?",
        "Negative strides exist, and so do axes of size 1. NumPy decides by the kind of index, not by its values.",
    ),
    cases=lambda rng: [Case("ten predictions")],
    oracle=_views,
    mistakes=(
        Mistake(
            _every_index_is_a_view,
            "You took every expression in brackets for a view. A list of indices and a mask make copies.",
        ),
        Mistake(
            _regular_list_is_a_view,
            "The rows 0, 1, 2 are equally spaced, but NumPy does not look: a list of indices is always copied.",
        ),
        Mistake(
            _every_reshape_is_a_view,
            "A reshape is a view only where strides can describe it. In one of the reshapes here the values to be lined up "
            "are not equally spaced.",
        ),
        Mistake(
            _new_order_is_a_copy,
            "Another order of the values needs no copy as long as strides describe it; strides may be exchanged or negative.",
        ),
        Mistake(
            _every_reshape_is_a_copy,
            "A reshape of an array in C order only changes shape and strides; nothing has to move.",
        ),
    ),
    compare=_prediction_difference,
)


# one_hot ----------------------------------------------------------------------------------------------------------------


def _one_hot_cases(rng):
    yield Case("labels of five classes", np.append(rng.permutation(5), rng.integers(0, 5, 2)), 5)
    yield Case("the last classes do not occur", rng.permutation([0, 0, 1, 2, 2, 1]), 5)
    yield Case("one label", np.array([2]), 3)
    yield Case("a label equal to n_classes", np.array([0, 3, 1]), 3, raises=ValueError)
    yield Case("a negative label", np.array([0, -1, 1]), 3, raises=ValueError)


def _one_hot(labels, n_classes):
    return np.array([[float(label == c) for c in range(n_classes)] for label in labels])


def _refuse(labels, n_classes):
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError


def _rows_of_eye(labels, n_classes):
    return np.eye(n_classes)[labels]


def _forgets_negative_labels(labels, n_classes):
    if labels.max() >= n_classes:
        raise ValueError
    return np.eye(n_classes)[labels]


def _integer_one_hot(labels, n_classes):
    _refuse(labels, n_classes)
    return np.eye(n_classes, dtype=int)[labels]


def _width_from_data(labels, n_classes):
    _refuse(labels, n_classes)
    return np.eye(labels.max() + 1)[labels]


def _classes_by_samples(labels, n_classes):
    _refuse(labels, n_classes)
    return np.eye(n_classes)[:, labels]


def _fills_columns(labels, n_classes):
    _refuse(labels, n_classes)
    Y = np.zeros((len(labels), n_classes))
    Y[:, labels] = 1
    return Y


ONE_HOT = Exercise(
    name="one_hot",
    title="One-hot labels",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Begin with a table of zeros, one row for each label. In row i exactly one entry changes.",
        "Two index arrays are paired value by value: the row numbers, and the column for each of them.",
        "What does NumPy do with the index -1? Check the labels before you use them as indices.",
    ),
    cases=_one_hot_cases,
    oracle=_one_hot,
    mistakes=(
        Mistake(
            _rows_of_eye,
            "The labels are not checked: one that is too large ends in an IndexError, and -1 silently counts from the end.",
            "raised",
        ),
        Mistake(_forgets_negative_labels, "A negative label passes: as an index, -1 means the last class.", "no error"),
        Mistake(_integer_one_hot, "The entries are integers; products with them are needed as floats.", "wrong dtype"),
        Mistake(
            _width_from_data,
            "The number of columns comes from the largest label that occurs. A batch without the last class then has a column too few.",
            "wrong shape",
        ),
        Mistake(_classes_by_samples, "The table is transposed: a sample is a row, a class is a column.", "wrong shape"),
        Mistake(
            _fills_columns,
            "A slice beside an index array takes all rows, so whole columns were set. Each row needs its own column.",
        ),
    ),
)


# standardize_columns ----------------------------------------------------------------------------------------------------


def _standardize_cases(rng):
    yield Case("7 samples, 3 features", rng.normal(5, 2, (7, 3)))
    yield Case("as many samples as features", rng.normal(0, [1, 10, 100, 1000], (4, 4)))
    constant = rng.normal(size=(6, 3))
    constant[:, 1] = 4
    yield Case("a constant column", constant)
    rounded = rng.normal(size=(3, 2))
    rounded[:, 0] = 0.1
    yield Case("three times 0.1, whose mean is rounded", rounded)
    yield Case("a column in tiny units", rng.normal(size=(8, 2)) * [1, 1e-6])
    yield Case("one sample", rng.normal(size=(1, 4)))


def _standardize(X):
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit_transform(X)


def _scale_of(X, ddof=0):
    with np.errstate(all="ignore"):
        std = np.sqrt(((X - X.mean(axis=0)) ** 2).sum(axis=0) / (len(X) - ddof))
        return np.where(X.min(axis=0) == X.max(axis=0), 1, std)


def _whole_table(X):
    return (X - X.mean()) / X.std()


def _rows(X):
    return _standardize(X.T).T


def _divides_by_zero(X):
    with np.errstate(all="ignore"):
        return (X - X.mean(axis=0)) / X.std(axis=0)


def _tests_for_exactly_zero(X):
    std = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(std == 0, 1, std)


def _adds_a_small_number(X):
    return (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-8)


def _sample_deviation(X):
    return (X - X.mean(axis=0)) / _scale_of(X, ddof=1)


def _standardizes_in_place(X):
    scale = _scale_of(X)
    X -= X.mean(axis=0)
    X /= scale
    return X


STANDARDIZE = Exercise(
    name="standardize_columns",
    title="Standardize the columns",
    points=4,
    minutes=15,
    difficulty=2,
    hints=(
        "Which axis disappears when you want one mean for each column?",
        "A column is constant if its minimum equals its maximum. By what can you divide it so that zeros stay zeros?",
        "np.where(condition, a, b) picks from a where the condition holds and from b elsewhere.",
    ),
    cases=_standardize_cases,
    oracle=_standardize,
    mistakes=(
        Mistake(
            _whole_table,
            "All columns were shifted and scaled by the same two numbers: the mean and deviation of the whole table.",
        ),
        Mistake(
            _rows,
            "Each row was standardized. One mean for each column is left when the axis of the samples disappears.",
        ),
        Mistake(_divides_by_zero, "A constant column has the standard deviation 0, and 0/0 is NaN.", "not finite"),
        Mistake(
            _tests_for_exactly_zero,
            "The deviation of a constant column need not be exactly 0: the mean of three times 0.1 is rounded. Test for a "
            "constant column in another way.",
        ),
        Mistake(
            _adds_a_small_number,
            "A small number was added to the deviation. It changes every column a little, and a column measured in tiny units a lot.",
        ),
        Mistake(
            _sample_deviation, "This divides by the deviation with n - 1; asked is the one with n, NumPy's default."
        ),
        Mistake(
            _standardizes_in_place,
            "The values are right, but `-=` or `/=` wrote them into the caller's table.",
            "changed input",
        ),
    ),
)


# predict_shapes ---------------------------------------------------------------------------------------------------------

_SHAPE_EXPRESSIONS = {
    "A + b": lambda A, b, c, y, T: A + b,
    "A + c": lambda A, b, c, y, T: A + c,
    "A * y": lambda A, b, c, y, T: A * y,
    "c - y": lambda A, b, c, y, T: c - y,
    "A.mean(axis=0)": lambda A, b, c, y, T: A.mean(axis=0),
    "A.sum(axis=1, keepdims=True)": lambda A, b, c, y, T: A.sum(axis=1, keepdims=True),
    "T.sum(axis=(0, 2))": lambda A, b, c, y, T: T.sum(axis=(0, 2)),
    "A[:, None] - A": lambda A, b, c, y, T: A[:, None] - A,
    "T @ b": lambda A, b, c, y, T: T @ b,
    "A[[0, 2, 2], 1]": lambda A, b, c, y, T: A[[0, 2, 2], 1],
}


def _shape_of(function):
    arrays = [np.zeros(shape) for shape in ((7, 3), (3,), (7,), (7, 1), (5, 7, 3))]
    try:
        return function(*arrays).shape
    except ValueError:
        return "error"


def _shapes():
    return {text: _shape_of(function) for text, function in _SHAPE_EXPRESSIONS.items()}


def _difference_stays_a_vector():
    return {**_shapes(), "c - y": (7,)}


def _vector_fits_the_rows():
    return {**_shapes(), "A + c": (7, 3)}


def _axis_is_kept():
    return {**_shapes(), "A.mean(axis=0)": (7,), "A.sum(axis=1, keepdims=True)": (1, 3), "T.sum(axis=(0, 2))": (5, 3)}


def _keepdims_forgotten():
    return {**_shapes(), "A.sum(axis=1, keepdims=True)": (7,)}


def _all_combinations():
    return {**_shapes(), "A[[0, 2, 2], 1]": (3, 1)}


PREDICT_SHAPES = Exercise(
    name="predict_shapes",
    title="Which shape? A prediction",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Write the two shapes under each other, aligned at the right. Which axes have size 1, or are missing?",
        "The axis that a reduction names disappears; keepdims leaves it with size 1.",
        "@ works on the last two axes; a vector on the right loses its axis in the product.",
    ),
    cases=lambda rng: [Case("ten predictions")],
    oracle=_shapes,
    mistakes=(
        Mistake(
            _difference_stays_a_vector,
            "One of the two vectors has a second axis of size 1. Aligned from the right, both are stretched.",
        ),
        Mistake(
            _vector_fits_the_rows,
            "Shapes are aligned from the right, so the 7 values meet the 3 columns, not the 7 rows.",
        ),
        Mistake(
            _axis_is_kept,
            "You kept the named axes and dropped the others. The axis you name is the one that disappears.",
        ),
        Mistake(_keepdims_forgotten, "With keepdims=True the summed axis stays, with size 1."),
        Mistake(
            _all_combinations,
            "A list and an integer in one index are paired, value by value; the integer adds no axis.",
        ),
    ),
    compare=_prediction_difference,
)


# softmax_rows -----------------------------------------------------------------------------------------------------------


def _softmax_cases(rng):
    yield Case("4 rows of 3 scores", rng.normal(size=(4, 3)))
    yield Case("as many rows as columns", rng.normal(size=(3, 3)))
    yield Case("scores around 1000", 1000 + rng.normal(size=(2, 5)))
    yield Case("one row far below the others", np.array([[0.0], [-2000.0], [3.0]]) + rng.normal(size=(3, 4)))
    yield Case("one column", rng.normal(size=(4, 1)))


def _softmax(Z):
    from scipy.special import softmax

    return softmax(Z, axis=1)


def _overflows(Z):
    with np.errstate(all="ignore"):
        E = np.exp(Z)
        return E / E.sum(axis=1, keepdims=True)


def _subtracts_one_maximum(Z):
    with np.errstate(all="ignore"):
        E = np.exp(Z - Z.max())
        return E / E.sum(axis=1, keepdims=True)


def _softmax_of_columns(Z):
    return _softmax(Z.T).T


def _one_sum_for_all(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum()


def _without_keepdims(Z):
    E = np.exp(Z - Z.max(axis=1))
    return E / E.sum(axis=1)


def _divides_without_keepdims(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1)


def _shifts_the_scores(Z):
    Z -= Z.max(axis=1, keepdims=True)
    E = np.exp(Z)
    return E / E.sum(axis=1, keepdims=True)


SOFTMAX_ROWS = Exercise(
    name="softmax_rows",
    title="A softmax that does not overflow",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "Multiply numerator and denominator by exp(-m): the fraction stays the same. Which m keeps every exponent at or below 0?",
        "Each row needs an m of its own, lined up with its row: keepdims=True.",
    ),
    cases=_softmax_cases,
    oracle=_softmax,
    mistakes=(
        Mistake(_overflows, "exp of a large score is infinite, and infinity divided by infinity is NaN.", "not finite"),
        Mistake(
            _subtracts_one_maximum,
            "One maximum was subtracted from all rows. A row far below it becomes all zeros, and 0/0 is NaN.",
            "not finite",
        ),
        Mistake(_softmax_of_columns, "The columns add up to 1; asked are the rows."),
        Mistake(_one_sum_for_all, "The whole table adds up to 1: the sum was taken over both axes."),
        Mistake(
            _without_keepdims,
            "The reduction lost its axis, so one value for each row meets the columns. On a square table that raises no "
            "error and is wrong.",
            "raised",
        ),
        Mistake(
            _divides_without_keepdims,
            "The sum lost its axis, so the sum of a row divides a column. On a square table that raises no error and is wrong.",
            "raised",
        ),
        Mistake(_shifts_the_scores, "The values are right, but `-=` changed the caller's scores.", "changed input"),
    ),
)


# center_patch -----------------------------------------------------------------------------------------------------------


def _patch_cases(rng):
    yield Case("5 × 6 pixels", rng.uniform(0, 16, (5, 6)))
    yield Case("8 × 8 pixels", rng.uniform(0, 16, (8, 8)))
    yield Case("3 × 3 pixels: one is left", rng.uniform(1, 16, (3, 3)))
    yield Case("4 × 7 pixels", rng.uniform(0, 16, (4, 7)))


def _center_patch(image):
    height, width = image.shape
    values = [[float(image[i, j]) for j in range(1, width - 1)] for i in range(1, height - 1)]
    mean = sum(map(sum, values)) / ((height - 2) * (width - 2))
    return np.array(values) - mean


def _writes_through_the_view(image):
    patch = image[1:-1, 1:-1]
    patch -= patch.mean()
    return patch


def _mean_of_the_whole_image(image):
    return image[1:-1, 1:-1] - image.mean()


def _slices_rows_twice(image):
    patch = image[1:-1][1:-1]
    return patch - (patch.mean() if patch.size else 0)


def _off_by_one(image):
    patch = image[1:-2, 1:-2]
    return patch - (patch.mean() if patch.size else 0)


def _column_means(image):
    patch = image[1:-1, 1:-1]
    return patch - patch.mean(axis=0)


CENTER_PATCH = Exercise(
    name="center_patch",
    title="Repair: a patch that changes its image",
    points=3,
    minutes=10,
    difficulty=2,
    hints=(
        "Print a small image before and after the call. Which pixels have changed?",
        "What kind of index makes the patch, and where do the values live that `-=` writes to?",
    ),
    cases=_patch_cases,
    oracle=_center_patch,
    mistakes=(
        Mistake(
            _writes_through_the_view,
            "The patch is a view of the image, and `-=` writes into the image's memory, as in the code that was handed out.",
            "changed input",
            planted=True,
        ),
        Mistake(
            _mean_of_the_whole_image, "The mean of the whole image was subtracted; asked is the mean of the patch."
        ),
        Mistake(
            _slices_rows_twice,
            "image[1:-1][1:-1] cuts the rows twice: the second pair of brackets works on axis 0 again.",
            "wrong shape",
        ),
        Mistake(
            _off_by_one,
            "One row and one column too few: the stop of a slice is not included, and -1 already is the last pixel.",
            "wrong shape",
        ),
        Mistake(_column_means, "Each column was centered on its own. One mean, of the whole patch, is asked."),
    ),
)


# squared_error_loss -----------------------------------------------------------------------------------------------------


def _loss_cases(rng):
    y = rng.normal(10, 3, 7)
    prediction = y + rng.normal(0, 1, 7)
    yield Case("both of shape (7,)", prediction, y)
    yield Case("y of shape (7, 1)", prediction, y[:, None])
    yield Case("the prediction of shape (7, 1)", prediction[:, None], y)
    yield Case("both of shape (7, 1)", prediction[:, None], y[:, None])
    yield Case("a perfect prediction, y of shape (7, 1)", y.copy(), y[:, None])
    yield Case("5 predictions for 7 targets", prediction[:5], y, raises=ValueError)
    yield Case("1 prediction for 7 targets", prediction[:1], y, raises=ValueError)


def _loss(prediction, y):
    from sklearn.metrics import mean_squared_error

    return float(mean_squared_error(np.ravel(y), np.ravel(prediction)))


def _all_pairs(prediction, y):
    return np.mean((prediction - y) ** 2)


def _ravel_without_check(prediction, y):
    return np.mean((prediction.ravel() - y.ravel()) ** 2)


def _same_size(prediction, y):
    if prediction.size != y.size:
        raise ValueError
    return prediction.ravel() - y.ravel()


def _always_takes_column_zero(prediction, y):
    return np.mean(_same_size(prediction[:, 0], y[:, 0]) ** 2)


def _adds_up(prediction, y):
    return np.sum(_same_size(prediction, y) ** 2)


def _takes_the_root(prediction, y):
    return np.sqrt(np.mean(_same_size(prediction, y) ** 2))


def _one_loss_per_sample(prediction, y):
    return _same_size(prediction, y) ** 2


SQUARED_ERROR_LOSS = Exercise(
    name="squared_error_loss",
    title="Repair: the loss that compares all pairs",
    points=4,
    minutes=12,
    difficulty=3,
    hints=(
        "Print the shape of the difference for each of the four combinations of shapes.",
        "Bring both to one axis first. When must the function refuse?",
        "A single prediction has size 1 and fits everything; compare the sizes before you subtract.",
    ),
    cases=_loss_cases,
    oracle=_loss,
    mistakes=(
        Mistake(
            _all_pairs,
            "This is the code as it was handed out: shapes (n,) and (n, 1) broadcast to (n, n), and every prediction is "
            "compared with every target.",
            "no error",
            planted=True,
        ),
        Mistake(
            _ravel_without_check,
            "One prediction for seven targets passes: size 1 is stretched. Compare the sizes before you subtract.",
            "no error",
        ),
        Mistake(
            _always_takes_column_zero,
            "Column 0 was taken of both, but an array of shape (n,) has no columns.",
            "raised",
        ),
        Mistake(_adds_up, "The squared errors are added up; the loss is their mean."),
        Mistake(_takes_the_root, "This is the root mean squared error; the loss has no square root."),
        Mistake(
            _one_loss_per_sample, "The mean is missing: one squared error for each sample came back.", "wrong type"
        ),
    ),
)


# minibatches ------------------------------------------------------------------------------------------------------------


def _minibatch_cases(rng):
    def table(n):
        return rng.normal(size=(n, 3)), rng.normal(size=n)

    def case(label, X, y, batch_size, raises=None):
        return Case(label, X, y, batch_size=batch_size, seed=int(rng.integers(10_000)), raises=raises)

    yield case("23 rows in batches of 3", *table(23), 3)
    yield case("12 rows in batches of 4: there is no rest", *table(12), 4)
    yield case("11 rows, where a batch could hold 20", *table(11), 20)
    yield case("12 labels, one row at a time", rng.normal(size=(12, 3)), rng.integers(0, 3, 12), 1)
    yield case("one row", *table(1), 4)
    yield case("12 rows for 13 targets", rng.normal(size=(12, 3)), rng.normal(size=13), 4, raises=ValueError)


def _use_minibatches(answer, X, y, batch_size, seed):
    """Two epochs with one random generator, and one with another of the same seed."""
    import copy

    import numpy as np

    def epoch(rng):
        batches, found = answer(X, y, batch_size, rng), []
        if not hasattr(batches, "__next__"):
            return {"returned": batches}
        while len(found) <= len(X) and (batch := next(batches, None)) is not None:
            found.append(copy.deepcopy(batch))
        return {"yielded": found}

    rng = np.random.default_rng(seed)
    return [epoch(rng), epoch(rng), epoch(np.random.default_rng(seed))]


def _minibatch_facts(X, y, batch_size, seed):
    """What holds in every order: the sizes of the batches, and which rows and targets there are."""
    sizes = [batch_size] * (len(X) // batch_size) + [len(X) % batch_size] * (len(X) % batch_size > 0)
    return {"sizes": sizes, "rows": [tuple(row) for row in X.tolist()], "targets": y.tolist()}


def _minibatch_difference(expected, got):
    """Judge each of three epochs, and then their orders beside each other."""
    orders = []
    for result in got:
        if "yielded" not in result:
            return Difference(
                "wrong type", "asked is a generator: it hands out its batches by `yield`, and returns nothing"
            )
        epoch = result["yielded"]
        found = _shape_fault(expected, epoch) or _row_fault(expected, epoch)
        if found is not None:
            return found
        orders.append(_order(expected, epoch))
    return _order_fault(expected, *orders)


def _shape_fault(expected, epoch):
    for batch in epoch:
        if not (isinstance(batch, (tuple, list)) and [type(part) for part in batch] == [np.ndarray, np.ndarray]):
            return Difference("wrong type", "every batch must be a pair of arrays, some rows of X and their targets")
    sizes, width = expected["sizes"], len(expected["rows"][0])
    got = [part.shape[0] if part.ndim else 0 for part, _ in epoch]
    if got != sizes:
        return Difference("wrong shape", f"the batches have {got} rows, expected {sizes}")
    for (rows, targets), size in zip(epoch, sizes, strict=True):
        if (rows.shape, targets.shape) != ((size, width), (size,)):
            return Difference(
                "wrong shape",
                f"a batch has the shapes {rows.shape} and {targets.shape}, expected {(size, width)} and {(size,)}",
            )
    return None


def _order(expected, epoch):
    """The number in the table of every row that came; None for a row that is not in the table."""
    numbers = {row: number for number, row in enumerate(expected["rows"])}
    return [numbers.get(tuple(row)) for rows, _ in epoch for row in rows.tolist()]


def _row_fault(expected, epoch):
    order, n = _order(expected, epoch), len(expected["rows"])
    if None in order:
        return Difference("wrong value", "a batch has a row that is not in the table")
    if len(set(order)) < n:
        return Difference(
            "wrong value", f"{n - len(set(order))} of {n} rows never came, and others came more than once"
        )
    targets = [target for _, part in epoch for target in part.tolist()]
    strange = sum(expected["targets"][number] != target for number, target in zip(order, targets, strict=True))
    return Difference("wrong value", f"{strange} of {n} rows came with the target of another row") if strange else None


def _order_fault(expected, first, second, again):
    sizes, n = expected["sizes"], len(first)
    if n == 1:
        return None
    if first == sorted(first):
        return Difference("wrong value", "the rows came in the order of the table")
    parts = np.split(np.array(first), np.cumsum(sizes)[:-1])
    if 1 < len(sizes) < n and all(np.ptp(part) < len(part) for part in parts):
        return Difference(
            "wrong value", "every batch holds neighbors of the table: the batches were shuffled, not the rows"
        )
    if second == first:
        return Difference("wrong value", "the second epoch has the order of the first")
    if again != first:
        return Difference("wrong value", "a generator with the same seed gave another order; draw from `rng` alone")
    return None


def _same_length(X, y):
    if len(X) != len(y):
        raise ValueError


def _cut(X, y, batch_size):
    for start in range(0, len(X), batch_size):
        yield X[start : start + batch_size], y[start : start + batch_size]


def _drops_the_rest(X, y, batch_size, rng):
    _same_length(X, y)
    order = rng.permutation(len(X))
    for k in range(len(X) // batch_size):
        rows = order[k * batch_size : (k + 1) * batch_size]
        yield X[rows], y[rows]


def _shuffles_each_by_itself(X, y, batch_size, rng):
    _same_length(X, y)
    yield from _cut(rng.permutation(X), rng.permutation(y), batch_size)


def _never_shuffles(X, y, batch_size, rng):
    _same_length(X, y)
    yield from _cut(X, y, batch_size)


def _shuffles_the_batches(X, y, batch_size, rng):
    _same_length(X, y)
    batches = list(_cut(X, y, batch_size))
    for k in rng.permutation(len(batches)):
        yield batches[k]


def _draws_with_replacement(X, y, batch_size, rng):
    _same_length(X, y)
    rows = rng.integers(0, len(X), size=len(X))
    yield from _cut(X[rows], y[rows], batch_size)


def _makes_its_own_generator(X, y, batch_size, rng):
    _same_length(X, y)
    rows = np.random.default_rng(0).permutation(len(X))
    yield from _cut(X[rows], y[rows], batch_size)


def _lists_all_batches(X, y, batch_size, rng):
    _same_length(X, y)
    rows = rng.permutation(len(X))
    return list(_cut(X[rows], y[rows], batch_size))


def _never_stops(X, y, batch_size, rng):
    _same_length(X, y)
    while True:
        rows = rng.permutation(len(X))
        yield from _cut(X[rows], y[rows], batch_size)


def _shuffles_in_place(X, y, batch_size, rng):
    _same_length(X, y)
    rows = rng.permutation(len(X))
    X[:], y[:] = X[rows], y[rows]
    yield from _cut(X, y, batch_size)


def _does_not_compare_the_lengths(X, y, batch_size, rng):
    rows = rng.permutation(len(X))
    yield from _cut(X[rows], y[rows], batch_size)


MINIBATCHES = Exercise(
    name="minibatches",
    title="Mini-batches, one after another",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "Shuffle row numbers instead of rows: one permutation, which then picks from X and from y alike.",
        "Cut the permutation, a slice of batch_size numbers at a time. What does a slice give that reaches beyond the end?",
        "`range(0, n, batch_size)` has the beginnings of all slices, also of a last one that is shorter.",
    ),
    cases=_minibatch_cases,
    oracle=_minibatch_facts,
    use=_use_minibatches,
    compare=_minibatch_difference,
    mistakes=(
        Mistake(
            _drops_the_rest,
            "Only full batches came. The rows that are left over form a last, smaller batch; here they are never seen.",
            "wrong shape",
        ),
        Mistake(
            _shuffles_each_by_itself,
            "X and y were shuffled with two permutations, so a row meets the target of another one. No shape shows it, and "
            "no model can learn from it.",
        ),
        Mistake(
            _never_shuffles, "The batches are right, but the rows came in the order of the table: rng was not used."
        ),
        Mistake(
            _shuffles_the_batches,
            "The table was cut first, and then the batches were shuffled. Rows that are neighbors in the table stay together "
            "in all epochs, and the short batch may come first.",
            "wrong shape",
        ),
        Mistake(
            _draws_with_replacement,
            "The row numbers were drawn with replacement: some rows come twice in an epoch, and others not at all.",
        ),
        Mistake(
            _makes_its_own_generator,
            "A new random generator was made inside the function. It begins at its seed each time, so all epochs have the "
            "same order.",
        ),
        Mistake(
            _lists_all_batches,
            "All batches were made at once and returned in a list, a second copy of the whole table. `yield` hands out one "
            "batch when it is asked for.",
            "wrong type",
        ),
        Mistake(
            _never_stops,
            "After the last row it begins anew and never ends. One call is one epoch; the caller decides about the next.",
            "wrong shape",
        ),
        Mistake(
            _shuffles_in_place,
            "The batches are right, but the caller's arrays were put into another order.",
            "changed input",
        ),
        Mistake(
            _does_not_compare_the_lengths,
            "12 rows and 13 targets passed. They cannot belong together; compare the lengths first.",
            "no error",
        ),
    ),
)


# batched_quadratic_form -------------------------------------------------------------------------------------------------


def _quadratic_cases(rng):
    yield Case("7 vectors of 3 numbers", rng.normal(size=(7, 3)), rng.normal(size=(7, 3, 3)))
    yield Case("4 vectors of 4 numbers", rng.normal(size=(4, 4)), rng.normal(size=(4, 4, 4)))
    yield Case("one vector", rng.normal(size=(1, 3)), rng.normal(size=(1, 3, 3)))
    yield Case(
        "identity matrices: squared lengths", rng.normal(size=(5, 2)), np.broadcast_to(np.eye(2), (5, 2, 2)).copy()
    )
    B = rng.normal(size=(3, 4, 4))
    yield Case("antisymmetric matrices: all zero", rng.normal(size=(3, 4)), B - B.transpose(0, 2, 1))


def _quadratic(X, A):
    return np.array(
        [sum(x[i] * M[i, j] * x[j] for i in range(len(x)) for j in range(len(x))) for x, M in zip(X, A, strict=True)]
    )


def _broadcast_product(X, A):
    return X @ A @ X.T


def _mixes_the_matrices(X, A):
    return np.einsum("ni,mij,nj->n", X, A, X)


def _diagonal_only(X, A):
    return np.einsum("ni,nii,ni->n", X, A, X)


def _second_vector_missing(X, A):
    return np.einsum("ni,nij->n", X, A)


def _one_letter_too_many(X, A):
    return np.einsum("ni,nij,nj->nj", X, A, X)


def _total(X, A):
    return np.einsum("ni,nij,nj->", X, A, X)


BATCHED_QUADRATIC_FORM = Exercise(
    name="batched_quadratic_form",
    title="Many quadratic forms in one einsum",
    points=5,
    minutes=15,
    difficulty=3,
    hints=(
        "Write the sum for one vector with all its indices, then add the index of the vector to every factor.",
        "Three operands: X, A, and X again. Which letters do they have, and which one is left after the arrow?",
    ),
    cases=_quadratic_cases,
    oracle=_quadratic,
    mistakes=(
        Mistake(
            _broadcast_product,
            "`@` took the table X for one matrix that is multiplied with every A. Here each row of X belongs to its own A.",
            "wrong shape",
        ),
        Mistake(
            _mixes_the_matrices,
            "The matrices have a letter of their own for the batch, so every vector meets the sum of all matrices.",
        ),
        Mistake(_diagonal_only, "Only the diagonals were used: a repeated letter in one operand takes its diagonal."),
        Mistake(
            _second_vector_missing,
            "A factor is missing: the quadratic form has the vector on both sides of the matrix.",
        ),
        Mistake(_one_letter_too_many, "A letter that should be summed still stands after the arrow.", "wrong shape"),
        Mistake(_total, "All letters were summed, also the one that numbers the vectors.", "wrong type"),
    ),
)


# RunningStatistics ------------------------------------------------------------------------------------------------------


def _statistics_cases(rng):
    def batches(*sizes, center=0.0, d=3):
        return [center + rng.uniform(1, 3) * k + rng.normal(0, 2, (n, d)) for k, n in enumerate(sizes, 1)]

    yield Case("batches of 5, 3 and 8 rows", 3, batches(5, 3, 8))
    yield Case("batches of 1, 4 and 1 rows", 2, batches(1, 4, 1, d=2))
    yield Case("one row at a time, one column", 1, batches(1, 1, 1, 1, 1, d=1))
    yield Case("columns around a million", 3, batches(6, 10, 4, center=1e6))
    yield Case(
        "two objects around a million, merged",
        3,
        batches(4, 7, center=1e6),
        others=batches(3, 5, center=1e6 + 6),
        more=batches(2, center=1e6)[0],
    )
    yield Case("merged into an object without data", 2, [], others=batches(3, 2, d=2), more=batches(4, d=2)[0])
    yield Case("merged with an object without data", 2, batches(4, d=2), others=[], more=batches(1, d=2)[0])


def _use_running_statistics(answer, n_columns, batches, others=None, more=None):
    """Feed the batches and read the results each time; with `others`, merge with a second object, go on, and read both."""
    import copy

    def numbers_in(value):
        if isinstance(value, (list, tuple, dict)):
            return sum(map(numbers_in, value.values() if isinstance(value, dict) else value))
        return getattr(value, "size", 1)

    def read(statistics):
        return copy.deepcopy({"count": statistics.count, "mean": statistics.mean, "variance": statistics.variance()})

    statistics, found, kept = answer(n_columns), {}, []
    for number, batch in enumerate(batches, 1):
        statistics.update(batch)
        found[f"after batch {number}"] = read(statistics)
        kept.append(numbers_in(getattr(statistics, "__dict__", {})))
    if others is not None:
        second = answer(n_columns)
        for batch in others:
            second.update(batch)
        statistics.merge(second)
        found["after the merge"] = read(statistics)
        statistics.update(more)
        found["after one more batch"] = read(statistics)
        if others:
            found["the object that was merged"] = read(second)
    found["numbers it keeps beyond those of the first batch"] = [max(size - kept[0], 0) for size in kept]
    return found


def _statistics_of_all_rows(n_columns, batches, others=None, more=None):
    def read(parts):
        rows = np.concatenate(parts).astype(np.float64)
        return {"count": len(rows), "mean": np.mean(rows, axis=0), "variance": np.var(rows, axis=0)}

    expected = {f"after batch {k}": read(batches[:k]) for k in range(1, len(batches) + 1)}
    if others is not None:
        expected["after the merge"] = read([*batches, *others])
        expected["after one more batch"] = read([*batches, *others, more])
        if others:
            expected["the object that was merged"] = read(others)
    return {**expected, "numbers it keeps beyond those of the first batch": [0] * len(batches)}


def _close_statistics(expected, got):
    return difference(expected, got, rtol=1e-8)


class _Statistics:
    """What the wrong answers have in common."""

    def __init__(self, n_columns):
        self.count, self.mean, self.squares = 0, np.zeros(n_columns), np.zeros(n_columns)

    def update(self, X):
        self.add(len(X), X.mean(axis=0), len(X) * X.var(axis=0))

    def merge(self, other):
        self.add(other.count, other.mean, other.squares)

    def add(self, count, mean, squares):
        shift, total = mean - self.mean, self.count + count
        self.mean = self.mean + shift * count / total
        self.squares = self.squares + squares + shift**2 * self.count * count / total
        self.count = total

    def variance(self):
        return self.squares / self.count


class _AveragesTheMeans(_Statistics):
    def __init__(self, n_columns):
        super().__init__(n_columns)
        self.batches = 0

    def update(self, X):
        self.combine(len(X), 1, X.mean(axis=0), X.var(axis=0))

    def merge(self, other):
        self.combine(other.count, other.batches, other.mean, other.squares)

    def combine(self, count, batches, mean, squares):
        total = self.batches + batches
        self.mean = (self.batches * self.mean + batches * mean) / total
        self.squares = (self.batches * self.squares + batches * squares) / total
        self.count, self.batches = self.count + count, total

    def variance(self):
        return self.squares


class _ForgetsTheShift(_Statistics):
    def add(self, count, mean, squares):
        total = self.count + count
        self.mean = (self.count * self.mean + count * mean) / total
        self.squares = self.squares + squares
        self.count = total


class _MovesTheMeanFirst(_Statistics):
    def add(self, count, mean, squares):
        total = self.count + count
        self.mean = (self.count * self.mean + count * mean) / total
        self.squares = self.squares + squares + (mean - self.mean) ** 2 * self.count * count / total
        self.count = total


class _MeanOfTheSquares(_Statistics):
    def update(self, X):
        self.add(len(X), X.sum(axis=0) / len(X), (X**2).sum(axis=0))

    def add(self, count, mean, squares):
        total = self.count + count
        self.mean = (self.count * self.mean + count * mean) / total
        self.squares = self.squares + squares
        self.count = total

    def variance(self):
        return self.squares / self.count - self.mean**2


class _OneRowLess(_Statistics):
    def variance(self):
        with np.errstate(all="ignore"):
            return self.squares / np.float64(self.count - 1)


class _OnlyTheLastBatch(_Statistics):
    def update(self, X):
        self.count, self.mean, self.squares = len(X), X.mean(axis=0), len(X) * X.var(axis=0)


class _KeepsTheBatches:
    def __init__(self, n_columns):
        self.batches = []

    def update(self, X):
        self.batches.append(X)

    def merge(self, other):
        self.batches += other.batches

    @property
    def count(self):
        return sum(map(len, self.batches))

    @property
    def mean(self):
        return np.concatenate(self.batches).mean(axis=0)

    def variance(self):
        return np.concatenate(self.batches).var(axis=0)


class _CentersTheBatch(_Statistics):
    def update(self, X):
        n, mean = len(X), X.mean(axis=0)
        X -= mean
        self.add(n, mean, np.sum(X**2, axis=0))


class _SharesItsArrays(_Statistics):
    def merge(self, other):
        if self.count:
            super().merge(other)
        else:
            self.count, self.mean, self.squares = other.count, other.mean, other.squares

    def add(self, count, mean, squares):
        shift, total = mean - self.mean, self.count + count
        self.mean += shift * count / total
        self.squares += squares + shift**2 * self.count * count / total
        self.count = total


RUNNING_STATISTICS = Exercise(
    name="RunningStatistics",
    title="Mean and variance of data that nobody keeps",
    points=6,
    minutes=30,
    difficulty=4,
    hints=(
        "A batch can be described by the same three things as your object: its count, its mean, and its sum of squared "
        "deviations. Then an update and a merge are one and the same step.",
        "Around any point c, n rows with mean a and sum S have the sum of squares S + n (a - c)². Take the common mean of "
        "both groups for c.",
        "With δ = b - a, the common mean is a + δ m / (n + m), and both shifts together add δ² n m / (n + m). Compute δ "
        "before you change the mean.",
    ),
    cases=_statistics_cases,
    oracle=_statistics_of_all_rows,
    answer="class",
    use=_use_running_statistics,
    compare=_close_statistics,
    rtol=0.01,  # to recognize a mistake by; where digits are lost, no two ways lose the same ones
    mistakes=(
        Mistake(
            _AveragesTheMeans,
            "The means and variances of the batches were averaged, and a batch of one row counts as much as one of eight.",
        ),
        Mistake(
            _ForgetsTheShift,
            "The mean is right. The variance holds only what varies within the batches: that their means differ is missing.",
        ),
        Mistake(
            _MovesTheMeanFirst,
            "The difference of the two means was taken after the mean had been moved, so that it is too small.",
        ),
        Mistake(
            _MeanOfTheSquares,
            "The variance is the mean of the squares minus the square of the mean. That is right on paper; for columns far "
            "from 0 it subtracts two large and nearly equal numbers, and the digits that count are lost.",
        ),
        Mistake(
            _OneRowLess,
            "The sum of squares is divided by the count minus 1, which is 0 after a single row; asked is NumPy's variance.",
            "not finite",
        ),
        Mistake(
            _OnlyTheLastBatch,
            "Each batch replaces what was there before: the object knows the last one only.",
        ),
        Mistake(
            _KeepsTheBatches,
            "The numbers are right, but the object keeps all batches and grows with them. Then it fails when the data do not "
            "fit into memory, which is what it was made for.",
        ),
        Mistake(
            _CentersTheBatch,
            "The results are right, but `-=` centered the caller's batch.",
            "changed input",
        ),
        Mistake(
            _SharesItsArrays,
            "After a merge both objects have the same arrays, so an update of one changes the other: copy what you take "
            "over, or do not write with `+=`.",
        ),
    ),
)


# pairwise_squared_distances ---------------------------------------------------------------------------------------------


def _distance_cases(rng):
    yield Case(
        "7 points and 5 points with 3 features",
        rng.normal(size=(7, 3)),
        rng.normal(size=(5, 3)),
        rng.uniform(0.5, 3, 3),
    )
    yield Case("all weights 1", rng.normal(size=(4, 2)), rng.normal(size=(3, 2)), np.ones(2))
    yield Case(
        "a feature with weight 0",
        rng.normal(size=(3, 4)),
        rng.normal(size=(6, 4)),
        np.append(rng.uniform(1, 2, 3), 0.0),
    )
    yield Case("one point each", rng.normal(size=(1, 3)), rng.normal(size=(1, 3)), rng.uniform(0.5, 3, 3))
    far = 1000 + rng.normal(size=(40, 3))
    yield Case("the same points twice, far from the origin", far, far.copy(), rng.uniform(0.5, 3, 3))


def _distances(A, B, weights):
    from scipy.spatial.distance import cdist

    return cdist(A, B, "sqeuclidean", w=weights)


def _never_negative(expected, got):
    found = difference(expected, got, atol=1e-6)
    if found is None and (got < 0).any():
        return Difference(
            "wrong value", f"{int((got < 0).sum())} squared distances are negative, the smallest {got.min():.1e}"
        )
    return found


def _leaves_negative_values(A, B, weights):
    return (A * A) @ weights[:, None] - 2 * (A * weights) @ B.T + (B * B) @ weights


def _ignores_the_weights(A, B, weights):
    return _distances(A, B, np.ones(len(weights)))


def _squares_the_weights(A, B, weights):
    return _distances(A * weights, B * weights, np.ones(len(weights)))


def _forgets_the_factor_two(A, B, weights):
    return np.maximum((A * A) @ weights[:, None] - (A * weights) @ B.T + (B * B) @ weights, 0)


def _takes_the_square_root(A, B, weights):
    return np.sqrt(_distances(A, B, weights))


def _pairs_rows(A, B, weights):
    n = min(len(A), len(B))
    return (A[:n] - B[:n]) ** 2 @ weights


PAIRWISE = Exercise(
    name="pairwise_squared_distances",
    title="Weighted distances without a block",
    points=6,
    minutes=25,
    difficulty=4,
    hints=(
        "Expand the square for one pair and one feature, then sum over the features with their weights: three terms.",
        "Two terms depend on one point only; the third is a matrix product in which one factor carries the weights.",
        "Which shape must the term of the first points have, so that it varies down the rows? And what can rounding do near 0?",
    ),
    cases=_distance_cases,
    oracle=_distances,
    mistakes=(
        Mistake(
            _leaves_negative_values,
            "The three terms nearly cancel for points that coincide, and rounding leaves values below 0. A squared "
            "distance is never negative.",
        ),
        Mistake(_ignores_the_weights, "All features count the same: the weights are not used."),
        Mistake(
            _squares_the_weights,
            "The points were multiplied by the weights before squaring, so the weights are squared as well.",
        ),
        Mistake(_forgets_the_factor_two, "The mixed term of the expanded square has a factor that is missing here."),
        Mistake(_takes_the_square_root, "These are distances; asked are their squares."),
        Mistake(
            _pairs_rows,
            "Each point was compared with the one in the same row only. Asked are all pairs, a table of shape (n, m).",
            "wrong shape",
        ),
    ),
    atol=1e-6,
    compare=_never_negative,
)


# matmul_shape -----------------------------------------------------------------------------------------------------------


def _matmul_cases(rng):
    n, d, k, p, q = (int(size) for size in 2 + rng.permutation(8)[:5])
    yield Case("two matrices", (n, d), (d, k))
    yield Case("two vectors", (d,), (d,))
    yield Case("a matrix and a vector", (n, d), (d,))
    yield Case("a vector and a stack of matrices", (d,), (p, d, k))
    yield Case("two stacks, one of them stretched", (p, 1, n, d), (q, d, k))
    yield Case("inner sizes that differ", (n, d), (n, d), raises=ValueError)
    yield Case("stacks that do not fit", (p, n, d), (q, d, k), raises=ValueError)
    yield Case("a scalar", (), (d, k), raises=ValueError)


def _matmul(a, b):
    return (np.zeros(a) @ np.zeros(b)).shape


def _with_axes(a, b):
    """The shapes with vectors made into matrices, after the checks that every mistake but one makes."""
    if not a or not b:
        raise ValueError
    return (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b


def _finish(a, b, stack, rows, columns):
    return (*stack, *((rows,) if len(a) > 1 else ()), *((columns,) if len(b) > 1 else ()))


def _rule_of_dot(a, b):
    full_a, full_b = _with_axes(a, b)
    if full_a[-1] != full_b[-2]:
        raise ValueError
    return _finish(a, b, full_a[:-2] + full_b[:-2], full_a[-2], full_b[-1])


def _keeps_the_added_axis(a, b):
    full_a, full_b = _with_axes(a, b)
    if full_a[-1] != full_b[-2]:
        raise ValueError
    return (*np.broadcast_shapes(full_a[:-2], full_b[:-2]), full_a[-2], full_b[-1])


def _no_check_of_the_inner_size(a, b):
    full_a, full_b = _with_axes(a, b)
    return _finish(a, b, np.broadcast_shapes(full_a[:-2], full_b[:-2]), full_a[-2], full_b[-1])


def _aligns_stacks_from_the_left(a, b):
    full_a, full_b = _with_axes(a, b)
    if full_a[-1] != full_b[-2]:
        raise ValueError
    stack = np.broadcast_shapes(full_a[:-2][::-1], full_b[:-2][::-1])[::-1]
    return _finish(a, b, stack, full_a[-2], full_b[-1])


def _returns_a_list(a, b):
    return list(_matmul(a, b))


MATMUL_SHAPE = Exercise(
    name="matmul_shape",
    title="The shape of a @ b",
    points=6,
    minutes=30,
    difficulty=4,
    hints=(
        "Turn a vector on the left into a row and a vector on the right into a column, and remember that you did.",
        "The last two axes are the matrices; compare the inner sizes. The axes before them broadcast: from the right, equal or 1.",
        "At the end, drop the axes that you added. A shape without axes is (), the product of two vectors.",
    ),
    cases=_matmul_cases,
    oracle=_matmul,
    mistakes=(
        Mistake(
            _rule_of_dot,
            "The axes of the two stacks were put one after the other, as np.dot does. `@` broadcasts them against each other.",
            "no error",
        ),
        Mistake(
            _keeps_the_added_axis,
            "The axis that makes a vector a matrix is still in the result; `@` removes it again.",
            "wrong shape",
        ),
        Mistake(
            _no_check_of_the_inner_size,
            "The inner sizes are not compared: the last axis of the left and the second-last of the right must agree.",
            "no error",
        ),
        Mistake(
            _aligns_stacks_from_the_left,
            "The axes before the matrices were aligned from the left; broadcasting aligns from the right.",
            "raised",
        ),
        Mistake(_returns_a_list, "The sizes are right, but a shape is a tuple, not a list.", "wrong type"),
    ),
)


# nearest_neighbors_predict ----------------------------------------------------------------------------------------------


def _neighbor_cases(rng):
    from sklearn.datasets import load_iris, load_wine

    for bunch, name, k, labels in (
        (load_wine(), "wine, k = 1", 1, [0, 1, 2]),
        (load_wine(), "wine, k = 4, where votes can tie", 4, [0, 1, 2]),
        (load_wine(), "wine, k = 15", 15, [0, 1, 2]),
        (load_wine(), "wine, with labels 3, 7 and 20", 5, [3, 7, 20]),
    ):
        rows = rng.permutation(len(bunch.data))[:110]
        X, y = bunch.data[rows], np.array(labels)[bunch.target[rows]]
        yield Case(name, X[:70], y[:70], X[70:], k)
    bunch = load_iris()
    rows = rng.permutation(len(bunch.data))[:90]
    X, y = bunch.data[rows] + rng.normal(0, 0.01, (90, 4)), bunch.target[rows]
    X = np.column_stack([X, np.where(np.arange(90) < 60, 2.0, 2.5)])
    yield Case("iris, with a column that is constant in training", X[:60], y[:60], X[60:], 5)


def _neighbors(X_train, y_train, X_new, k):
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), KNeighborsClassifier(k, algorithm="brute"))
    return model.fit(X_train, y_train).predict(X_new)


def _ranks(X_train, X_new):
    """Training rows by distance, the nearest first, for every new point."""
    return ((X_new[:, None] - X_train) ** 2).sum(axis=2).argsort(axis=1)


def _vote(labels, classes):
    return classes[(labels[:, :, None] == classes).sum(axis=1).argmax(axis=1)]


def _not_standardized(X_train, y_train, X_new, k):
    return _vote(y_train[_ranks(X_train, X_new)[:, :k]], np.unique(y_train))


def _each_with_its_own_statistics(X_train, y_train, X_new, k):
    return _vote(y_train[_ranks(_standardize(X_train), _standardize(X_new))[:, :k]], np.unique(y_train))


def _scaled(X_train, X_new):
    scale = _scale_of(X_train)
    return (X_train - X_train.mean(axis=0)) / scale, (X_new - X_train.mean(axis=0)) / scale


def _mean_of_the_labels(X_train, y_train, X_new, k):
    return y_train[_ranks(*_scaled(X_train, X_new))[:, :k]].mean(axis=1).round().astype(int)


def _always_one_neighbor(X_train, y_train, X_new, k):
    return y_train[_ranks(*_scaled(X_train, X_new))[:, 0]]


def _the_farthest(X_train, y_train, X_new, k):
    return _vote(y_train[_ranks(*_scaled(X_train, X_new))[:, -k:]], np.unique(y_train))


def _position_of_the_class(X_train, y_train, X_new, k):
    classes = np.unique(y_train)
    return np.searchsorted(classes, _vote(y_train[_ranks(*_scaled(X_train, X_new))[:, :k]], classes))


def _divides_by_a_zero_deviation(X_train, y_train, X_new, k):
    with np.errstate(all="ignore"):
        mean, std = X_train.mean(axis=0), X_train.std(axis=0)
        return _vote(y_train[_ranks((X_train - mean) / std, (X_new - mean) / std)[:, :k]], np.unique(y_train))


def _neighbor_rows(X_train, y_train, X_new, k):
    return y_train[_ranks(*_scaled(X_train, X_new))[:, :k]]


NEIGHBORS = Exercise(
    name="nearest_neighbors_predict",
    title="Nearest neighbors, from arrays to a vote",
    points=8,
    minutes=40,
    difficulty=5,
    hints=(
        "Four steps, each with a shape: scale both tables; distances (m, n); labels of the nearest (m, k); votes (m, classes).",
        "argsort along the right axis gives the order of the training rows for every new point; a fancy index turns rows into labels.",
        "Compare labels[:, :, None] with the sorted distinct labels, sum over the neighbors, and take the first largest.",
    ),
    cases=_neighbor_cases,
    oracle=_neighbors,
    mistakes=(
        Mistake(
            _not_standardized,
            "The features were not standardized, so the one with the largest numbers decides every distance.",
        ),
        Mistake(
            _each_with_its_own_statistics,
            "The new points were standardized with their own mean and deviation. The same wine then lands elsewhere, "
            "depending on its company.",
        ),
        Mistake(
            _divides_by_a_zero_deviation,
            "A column that is constant in the training table has the deviation 0: dividing by it makes every distance NaN.",
        ),
        Mistake(
            _mean_of_the_labels,
            "The labels of the neighbors were averaged. Labels are names: the mean of classes 0 and 2 is not class 1.",
        ),
        Mistake(_always_one_neighbor, "Only the nearest neighbor decides; k is not used."),
        Mistake(_the_farthest, "The votes come from the farthest training points: argsort puts the smallest first."),
        Mistake(
            _position_of_the_class,
            "The number of the winning class among the distinct labels came back, not its label.",
        ),
        Mistake(_neighbor_rows, "The labels of all k neighbors came back; the vote is missing.", "wrong shape"),
    ),
)

EXERCISES = [
    CHECKERBOARD,
    PREDICT_VIEWS,
    ONE_HOT,
    STANDARDIZE,
    PREDICT_SHAPES,
    SOFTMAX_ROWS,
    CENTER_PATCH,
    SQUARED_ERROR_LOSS,
    MINIBATCHES,
    BATCHED_QUADRATIC_FORM,
    RUNNING_STATISTICS,
    PAIRWISE,
    MATMUL_SHAPE,
    NEIGHBORS,
]
