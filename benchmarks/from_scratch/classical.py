"""Classical methods: the same data, parameters and starting points in mlcourse and in scikit-learn, fit and predict."""

from benchmarks.from_scratch.runner import Case


def classes(n, d=20):
    from sklearn.datasets import make_classification

    return make_classification(n, d, n_informative=10, n_redundant=4, flip_y=0.05, random_state=0)


def supervised(data, library, model, **parameters):
    """Return the builder of a work: fit on three quarters of the rows, score the predictions for the rest."""

    def build(**size):
        X, y = data(**size)
        estimator = getattr(__import__(library, fromlist=[model]), model)(**parameters)
        cut = len(X) * 3 // 4
        return lambda: float(estimator.fit(X[:cut], y[:cut]).score(X[cut:], y[cut:]))

    return build


def tree():
    model = "DecisionTreeClassifier"
    return {
        "mlcourse": supervised(classes, "mlcourse.classical", model),
        "scikit-learn": supervised(classes, "sklearn.tree", model, random_state=0),
    }


def forest():
    model, parameters = "RandomForestClassifier", {"n_estimators": 20, "random_state": 0}
    return {
        "mlcourse": supervised(classes, "mlcourse.classical", model, **parameters),
        "scikit-learn": supervised(classes, "sklearn.ensemble", model, **parameters),
    }


CASES = [
    Case("decision tree", {"1 000 × 20": {"n": 1000}, "20 000 × 20": {"n": 20_000}}, tree(), "scikit-learn", 1.0),
    Case("random forest", {"1 000 × 20": {"n": 1000}, "20 000 × 20": {"n": 20_000}}, forest(), "scikit-learn", 1.5),
]
