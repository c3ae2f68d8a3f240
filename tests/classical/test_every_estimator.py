"""What every estimator promises: scikit-learn's own checks, pipelines, searches, clones, and clear words for bad input."""

import inspect

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone, is_classifier, is_clusterer, is_outlier_detector, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlcourse import classical

ESTIMATORS = [
    classical.LinearRegression(),
    classical.DecisionTreeClassifier(),
    classical.DecisionTreeClassifier(criterion="entropy", max_features="sqrt", max_depth=3),
    classical.DecisionTreeRegressor(),
    classical.RandomForestClassifier(n_estimators=5),
    classical.RandomForestRegressor(n_estimators=5),
    classical.KMeans(3),
    classical.KMeans(2, init="random", n_init=2),
    classical.MiniBatchKMeans(3, batch_size=20),
    classical.DBSCAN(),
    classical.AgglomerativeClustering(),
    classical.AgglomerativeClustering(linkage="average"),
    classical.GaussianMixture(),
    classical.GaussianMixture(2),
    classical.PCA(),
    classical.PCA(1, whiten=True),
    classical.SVC(),
    classical.SVC(kernel="linear"),
    classical.SVR(),
    classical.AdaBoostClassifier(5),
    classical.GradientBoostingClassifier(10),
    classical.GradientBoostingRegressor(10),
    classical.IsolationForest(20),
    classical.LocalOutlierFactor(),
    classical.TSNE(perplexity=2, max_iter=260),
    classical.KNeighborsClassifier(),
    classical.KNeighborsRegressor(2, weights="distance"),
    classical.GaussianNB(),
    classical.MultinomialNB(),
    classical.LogisticRegression(),
    classical.Ridge(),
    classical.Lasso(0.1),
]
GRIDS = {
    "LinearRegression": {"fit_intercept": [True, False]},
    "DecisionTreeClassifier": {"max_depth": [1, 3]},
    "DecisionTreeRegressor": {"max_depth": [1, 3]},
    "RandomForestClassifier": {"n_estimators": [2, 4]},
    "RandomForestRegressor": {"n_estimators": [2, 4]},
    "KMeans": {"n_clusters": [2, 3]},
    "MiniBatchKMeans": {"n_clusters": [2, 3]},
    "DBSCAN": {"eps": [0.5, 1.0]},
    "GaussianMixture": {"n_components": [1, 2]},
    "PCA": {"n_components": [1, 2]},
    "SVC": {"C": [0.1, 1.0]},
    "SVR": {"C": [0.1, 1.0]},
    "KNeighborsClassifier": {"n_neighbors": [1, 3]},
    "KNeighborsRegressor": {"n_neighbors": [1, 3]},
    "GaussianNB": {"var_smoothing": [1e-9, 1e-3]},
    "MultinomialNB": {"alpha": [0.1, 1.0]},
    "LogisticRegression": {"C": [0.1, 1.0]},
    "Ridge": {"alpha": [0.1, 1.0]},
    "Lasso": {"alpha": [0.1, 1.0]},
    "AdaBoostClassifier": {"n_estimators": [2, 4]},
    "GradientBoostingClassifier": {"max_depth": [1, 2]},
    "GradientBoostingRegressor": {"max_depth": [1, 2]},
    "IsolationForest": {"n_estimators": [2, 4]},
    "LocalOutlierFactor": {"n_neighbors": [2, 4]},
    "TSNE": {"perplexity": [2, 4]},
    "AgglomerativeClustering": {"n_clusters": [2, 3]},
}
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_every_estimator_is_in_the_list():
    public = {getattr(classical, name) for name in classical.__all__}
    assert public == {type(estimator) for estimator in ESTIMATORS}


def problem(estimator, n=60, d=3):
    """A table and a target that suits the estimator: three groups of rows."""
    rng = np.random.default_rng(0)
    group = np.arange(n) % 3
    X = abs(rng.normal(size=(n, d)) + 3 * group[:, None])
    if is_regressor(estimator):
        return X, X @ np.arange(1, d + 1) + rng.normal(size=n)
    return X, np.array(["a", "b", "c"])[group]


def answer(model, X):
    """What a fitted model says about its rows."""
    for method in ("predict", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(X)
    return model.labels_ if hasattr(model, "labels_") else model.embedding_


def seeded(estimator):
    estimator = clone(estimator)
    return estimator.set_params(random_state=0) if "random_state" in estimator.get_params() else estimator


@each
def test_the_docstring_says_what_it_is_takes_and_learns(estimator):
    text = inspect.getdoc(type(estimator))
    assert {"Parameters", "Attributes", "References", "Examples"} <= set(text.split("\n")), "numpydoc sections"
    missing = [name for name in estimator.get_params() if name not in text]
    assert missing == []


@each
def test_fitting_again_equals_a_fresh_fit_and_leaves_the_input_alone(estimator):
    X, y = problem(estimator)
    before = X.copy(), y.copy()
    fresh = seeded(estimator).fit(X, y)
    again = seeded(estimator).fit(X[::2] + 1, y[::2]).fit(X, y)
    np.testing.assert_array_equal(answer(fresh, X), answer(again, X))
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@each
def test_one_row_gets_the_answer_that_it_gets_among_others(estimator):
    X, y = problem(estimator)
    model = seeded(estimator).fit(X, y)
    if not hasattr(model, "predict") and not hasattr(model, "transform"):
        pytest.skip("it answers for the rows it was fitted on, all together")
    alone = np.concatenate([answer(model, X[i : i + 1]) for i in range(5)])
    together = answer(model, X[:5])
    if alone.dtype.kind == "f":
        np.testing.assert_allclose(alone, together, rtol=1e-7, atol=1e-9)
    else:
        np.testing.assert_array_equal(alone, together)


@each
def test_works_in_a_pipeline_a_search_and_as_a_clone(estimator):
    X, y = problem(estimator)
    assert clone(estimator).get_params() == estimator.get_params()
    pipeline = make_pipeline(StandardScaler(with_mean=False), seeded(estimator))
    assert len(answer(pipeline.fit(X, y)[-1], StandardScaler(with_mean=False).fit_transform(X))) == len(X)
    grid = {f"{pipeline.steps[-1][0]}__{name}": values for name, values in GRIDS[type(estimator).__name__].items()}
    if is_classifier(estimator) or is_regressor(estimator) or hasattr(estimator, "score"):
        search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, y)
        assert np.isfinite(search.best_score_)
        assert set(search.best_params_) == set(grid)


X3, Y3 = np.eye(3) + np.arange(3), np.array([0, 1, 2])
BAD_X = {
    "NaN": (np.array([[np.nan, 1.0], [1.0, 2.0]]), ValueError, "Input X contains NaN"),
    "infinity": (np.array([[np.inf, 1.0], [1.0, 2.0]]), ValueError, "Input X contains infinity"),
    "strings": ([["a", "b"], ["c", "d"]], ValueError, "could not convert string to float"),
    "no rows": (np.empty((0, 2)), ValueError, "0 sample"),
    "no columns": (np.empty((2, 0)), ValueError, "0 feature"),
    "sparse": (scipy.sparse.eye(2).tocsr(), TypeError, "dense data is required"),
    "complex": (np.eye(2) * 1j, ValueError, "Complex data not supported"),
    "ragged": ([[1.0, 2.0], [3.0]], ValueError, "inhomogeneous"),
}


@each
@pytest.mark.parametrize("kind", BAD_X)
def test_bad_tables_are_refused_with_scikit_learns_types_and_words(estimator, kind):
    X, error, message = BAD_X[kind]
    with pytest.raises(error, match=message):
        clone(estimator).fit(X, [0, 1])


@each
def test_a_vector_for_a_table_shows_the_axes_and_the_cure(estimator):
    with pytest.raises(ValueError, match="Reshape your data") as caught:
        clone(estimator).fit(X3[0], Y3)
    text = str(caught.value)
    assert type(estimator).__name__ in text
    assert "expected 2 axes: (samples, features)" in text


@each
def test_targets_of_another_length_show_both_shapes_and_the_usual_cause(estimator):
    if not (is_classifier(estimator) or is_regressor(estimator)):
        pytest.skip("it has no target")
    with pytest.raises(ValueError, match="cannot take y of shape \\(2,\\)") as caught:
        clone(estimator).fit(X3, Y3[:2])
    text = str(caught.value)
    for words in ("X  (samples 3, features 3)", "y  (samples 2)", "samples must be 3, as in X", "split separately"):
        assert words in text


@each
def test_another_number_of_columns_shows_both_numbers_and_the_usual_cause(estimator):
    X, y = problem(estimator)
    model = seeded(estimator).fit(X, y)
    if not hasattr(model, "predict") and not hasattr(model, "transform"):
        pytest.skip("it takes no new data")
    with pytest.raises(ValueError, match=r"X has 2 features, but \w+ is expecting 3 features") as caught:
        answer(model, X[:, :2])
    assert "the same columns in the same order" in str(caught.value)
    assert "this axis must be 3" in str(caught.value)


@each
def test_asking_before_fitting_is_refused(estimator):
    asked = [m for m in ("predict", "transform", "predict_proba", "score_samples") if hasattr(estimator, m)]
    for method in asked:
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(clone(estimator), method)(X3)
    assert asked or is_clusterer(estimator) or is_outlier_detector(estimator) or hasattr(estimator, "fit_transform")


@each
def test_a_constant_table_gives_finite_answers(estimator):
    X, y = problem(estimator)
    found = answer(seeded(estimator).fit(np.full_like(X, 2.0), y), np.full((2, 3), 2.0))
    assert found.dtype.kind in "iuUO" or np.isfinite(found).all()


@each
def test_one_class_alone_is_learned_or_refused_in_clear_words(estimator):
    if not is_classifier(estimator):
        pytest.skip("no classifier")
    X, _ = problem(estimator)
    try:
        model = seeded(estimator).fit(X, np.full(len(X), "only"))
    except ValueError as error:
        assert "classes" in str(error)
        assert "'only'" in str(error)
    else:
        assert set(model.predict(X)) == {"only"}


@each
def test_numbers_are_no_classes(estimator):
    if not is_classifier(estimator):
        pytest.skip("no classifier")
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        clone(estimator).fit(X3, [0.5, 1.25, 2.75])
