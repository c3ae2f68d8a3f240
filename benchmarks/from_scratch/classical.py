"""Classical methods: the same data, parameters and starting points in mlcourse and in scikit-learn, fit and predict."""

import numpy as np
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


def clusters(n, d=10, centers=10, spread=6.0):
    from sklearn.datasets import make_blobs

    return make_blobs(n, d, centers=centers, cluster_std=spread, random_state=1)[0]


def moons(n):
    from sklearn.datasets import make_moons

    return make_moons(n, noise=0.08, random_state=0)[0]


def unsupervised(data, library, model, result, parameters):
    """Return the builder of a work: fit on all rows; `parameters` are a dict, or a function that makes it from the table."""

    def build(**size):
        X = data(**size)
        chosen = parameters(X) if callable(parameters) else parameters
        estimator = getattr(__import__(library, fromlist=[model]), model)(**chosen)
        return lambda: float(result(estimator.fit(X), X))

    return build


def both(data, module, model, result, parameters, other=None):
    """Builders for mlcourse and scikit-learn; `other` are parameters that only scikit-learn has."""

    def theirs(X):
        return (parameters(X) if callable(parameters) else parameters) | (other or {})

    return {
        "mlcourse": unsupervised(data, "mlcourse.classical", model, result, parameters),
        "scikit-learn": unsupervised(data, f"sklearn.{module}", model, result, theirs),
    }


def k_means():
    def start(X):
        return {"n_clusters": 10, "init": X[:10].copy(), "n_init": 1, "max_iter": 100, "tol": 0}

    return both(clusters, "cluster", "KMeans", lambda model, X: model.inertia_, start, {"algorithm": "lloyd"})


def dbscan(data, eps):
    def found(model, X):
        return len(set(model.labels_)) + (model.labels_ < 0).mean()

    return both(data, "cluster", "DBSCAN", found, lambda X: {"eps": eps(len(X)), "min_samples": 8})


def ward():
    def largest(model, X):
        return np.bincount(model.labels_).max()

    return both(clusters, "cluster", "AgglomerativeClustering", largest, {"n_clusters": 10})


CASES = [
    Case("decision tree", {"1 000 × 20": {"n": 1000}, "20 000 × 20": {"n": 20_000}}, tree(), "scikit-learn", 1.0),
    Case("random forest", {"1 000 × 20": {"n": 1000}, "20 000 × 20": {"n": 20_000}}, forest(), "scikit-learn", 1.5),
    Case("k-means", {"2 000 × 10": {"n": 2000}, "20 000 × 10": {"n": 20_000}}, k_means(), "scikit-learn", 2.0),
    Case(
        "DBSCAN, 2 features",
        {"1 000": {"n": 1000}, "5 000": {"n": 5000}},
        dbscan(moons, lambda n: 0.12 if n < 2000 else 0.08),
        "scikit-learn",
        2.0,
    ),
    Case(
        "DBSCAN, 10 features",
        {"1 000": {"n": 1000, "spread": 1.0}, "5 000": {"n": 5000, "spread": 1.0}},
        dbscan(clusters, lambda n: 2.0),
        "scikit-learn",
        2.0,
    ),
    Case("Ward", {"300 × 10": {"n": 300}, "1 000 × 10": {"n": 1000}}, ward(), "scikit-learn", 2.0),
]
