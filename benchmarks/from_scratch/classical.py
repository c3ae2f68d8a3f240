"""Classical methods: the same data, parameters and starting points in mlcourse and in scikit-learn, fit and predict."""

import importlib

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
        return {"n_clusters": 10, "init": X[:10].copy(), "n_init": 1, "max_iter": 20, "tol": 0}

    def mlxtend(**size):
        from mlxtend.cluster import Kmeans

        X = clusters(**size)

        def work():
            model = Kmeans(10, max_iter=20, convergence_tolerance=0)
            model.centroids_, model.iterations_ = X[:10].copy(), 0
            nearest = model.fit(X, init_params=False).predict(X)
            return float(((X - model.centroids_[nearest]) ** 2).sum())

        return work

    builders = both(clusters, "cluster", "KMeans", lambda model, X: model.inertia_, start, {"algorithm": "lloyd"})
    return builders | {"mlxtend": mlxtend}


def mini_batches():
    parameters = {"n_clusters": 10, "batch_size": 1000, "max_iter": 2, "max_no_improvement": 1000, "random_state": 0}
    theirs = {"n_init": 1, "reassignment_ratio": 0}
    return both(clusters, "cluster", "MiniBatchKMeans", lambda model, X: model.inertia_, parameters, theirs)


def silhouettes():
    def builder(library):
        def build(n):
            X = clusters(n)
            labels = X[:, 0].argsort() % 10
            score = importlib.import_module(library).silhouette_score
            return lambda: float(score(X, labels))

        return build

    return {"mlcourse": builder("mlcourse.classical.metrics"), "scikit-learn": builder("sklearn.metrics")}


def dbscan(data, eps):
    def found(model, X):
        return len(set(model.labels_)) + (model.labels_ < 0).mean()

    return both(data, "cluster", "DBSCAN", found, lambda X: {"eps": eps(len(X)), "min_samples": 8})


def ward():
    def largest(model, X):
        return np.bincount(model.labels_).max()

    return both(clusters, "cluster", "AgglomerativeClustering", largest, {"n_clusters": 10})


def mixture():
    def start(X):
        means = X[:5].copy()
        return {"n_components": 5, "means_init": means, "max_iter": 10, "tol": 1e-12}

    def theirs(X):
        cov = np.cov(X.T, bias=True) + 1e-6 * np.eye(X.shape[1])
        more = {"weights_init": np.full(5, 0.2), "precisions_init": np.repeat(np.linalg.inv(cov)[None], 5, 0)}
        return start(X) | more | {"init_params": "random", "random_state": 0}

    def likelihood(model, X):
        return model.score(X)

    return {
        "mlcourse": unsupervised(clusters, "mlcourse.classical", "GaussianMixture", likelihood, start),
        "scikit-learn": unsupervised(clusters, "sklearn.mixture", "GaussianMixture", likelihood, theirs),
    }


def pca():
    def correlated(n):
        rng = np.random.default_rng(0)
        return rng.normal(size=(n, 100)) @ rng.normal(size=(100, 100))

    def variance(model, X):
        return model.transform(X).var()

    def mlxtend(**size):
        from mlxtend.feature_extraction import PrincipalComponentAnalysis

        X = correlated(**size)
        model = PrincipalComponentAnalysis(10, solver="eigen")
        return lambda: float(model.fit(X).transform(X).var())

    return both(correlated, "decomposition", "PCA", variance, {"n_components": 10}) | {"mlxtend": mlxtend}


def machine(data, model, **parameters):
    return {
        "mlcourse": supervised(data, "mlcourse.classical", model, **parameters),
        "scikit-learn": supervised(data, "sklearn.svm", model, **parameters),
    }


def numbers(n, d=20):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    return X, X @ rng.normal(size=d) + np.sin(X[:, 0]) + rng.normal(size=n)


def simple(data, module, model, parameters=None, theirs=None):
    return {
        "mlcourse": supervised(data, "mlcourse.classical", model, **(parameters or {})),
        "scikit-learn": supervised(data, f"sklearn.{module}", model, **(parameters or {}), **(theirs or {})),
    }


def linear(solver, method):
    def mlxtend(**size):
        from mlxtend.regressor import LinearRegression

        X, y = numbers(**size)
        cut, model = len(X) * 3 // 4, LinearRegression(method=method)

        def work():
            error = model.fit(X[:cut], y[:cut]).predict(X[cut:]) - y[cut:]
            return float(1 - (error @ error) / ((y[cut:] - y[cut:].mean()) ** 2).sum())

        return work

    return {
        "mlcourse": supervised(numbers, "mlcourse.classical", "LinearRegression", solver=solver),
        "scikit-learn": supervised(numbers, "sklearn.linear_model", "LinearRegression"),
        "mlxtend": mlxtend,
    }


def neighbors():
    return simple(lambda n: classes(n, 30), "neighbors", "KNeighborsClassifier", None, {"algorithm": "brute"})


def boosting(model, **theirs):
    ours = {"n_estimators": 50, "max_depth": 3}
    return {
        "mlcourse": supervised(classes, "mlcourse.classical", "GradientBoostingClassifier", **ours),
        "scikit-learn": supervised(classes, "sklearn.ensemble", model, **theirs),
    }


def scattered(n):
    rng = np.random.default_rng(0)
    return np.vstack([rng.normal(size=(n - n // 50, 10)), rng.uniform(-5, 5, (n // 50, 10))])


def isolation():
    def separation(model, X):
        return model.score_samples(X)[-len(X) // 50 :].mean()

    return both(scattered, "ensemble", "IsolationForest", separation, {"random_state": 0})


def local_outliers():
    def worst(model, X):
        return model.negative_outlier_factor_.min()

    return both(scattered, "neighbors", "LocalOutlierFactor", worst, {}, {"algorithm": "brute"})


def map_of_digits():
    def digits(n):
        from sklearn.datasets import load_digits

        return load_digits().data[:n]

    def divergence(model, X):
        return model.kl_divergence_

    return both(digits, "manifold", "TSNE", divergence, {"max_iter": 500, "random_state": 0})


CASES = [
    Case("decision tree", {"1 000 × 20": {"n": 1000}, "20 000 × 20": {"n": 20_000}}, tree(), "scikit-learn", 1.0),
    Case("random forest", {"1 000 × 20": {"n": 1000}, "20 000 × 20": {"n": 20_000}}, forest(), "scikit-learn", 1.5),
    Case(
        "k-means, 20 steps", {"2 000 × 10": {"n": 2000}, "20 000 × 10": {"n": 20_000}}, k_means(), "scikit-learn", 2.0
    ),
    Case(
        "k-means in batches, 2 passes",
        {"20 000 × 10": {"n": 20_000}, "100 000 × 10": {"n": 100_000}},
        mini_batches(),
        "scikit-learn",
        2.0,
    ),
    Case("silhouette", {"1 000 × 10": {"n": 1000}, "5 000 × 10": {"n": 5000}}, silhouettes(), "scikit-learn", 2.0),
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
    Case(
        "Gaussian mixture, 10 turns",
        {"1 000 × 5": {"n": 1000, "d": 5}, "10 000 × 5": {"n": 10_000, "d": 5}},
        mixture(),
        "scikit-learn",
        1.0,
    ),
    Case("PCA", {"1 000 × 100": {"n": 1000}, "10 000 × 100": {"n": 10_000}}, pca(), "scikit-learn", 1.0),
    Case("SVM, RBF", {"300 × 20": {"n": 400}, "1 000 × 20": {"n": 1333}}, machine(classes, "SVC"), "scikit-learn", 1.5),
    Case(
        "SVM regression, RBF",
        {"300 × 20": {"n": 400}, "1 000 × 20": {"n": 1333}},
        machine(numbers, "SVR"),
        "scikit-learn",
        1.5,
    ),
    Case(
        "linear regression, normal equations",
        {"2 000 × 50": {"n": 2667, "d": 50}, "10 000 × 50": {"n": 13_333, "d": 50}},
        linear("normal", "direct"),
        "scikit-learn",
        1.0,
    ),
    Case(
        "linear regression, QR",
        {"2 000 × 50": {"n": 2667, "d": 50}, "10 000 × 50": {"n": 13_333, "d": 50}},
        linear("qr", "qr"),
        "scikit-learn",
        1.0,
    ),
    Case(
        "logistic regression",
        {"2 000 × 20": {"n": 2667}, "10 000 × 20": {"n": 13_333}},
        simple(classes, "linear_model", "LogisticRegression"),
        "scikit-learn",
        1.0,
    ),
    Case(
        "nearest neighbors, brute force",
        {"1 000 × 30, 333 questions": {"n": 1333}, "5 000 × 30, 1 667 questions": {"n": 6667}},
        neighbors(),
        "scikit-learn",
        2.0,
    ),
    Case(
        "Gaussian naive Bayes",
        {"2 000 × 20": {"n": 2667}, "20 000 × 20": {"n": 26_667}},
        simple(classes, "naive_bayes", "GaussianNB"),
        "scikit-learn",
        1.0,
    ),
    Case(
        "gradient boosting, 50 trees, exact reference",
        {"1 000 × 20": {"n": 1333}, "15 000 × 20": {"n": 20_000}},
        boosting("GradientBoostingClassifier", n_estimators=50),
        "scikit-learn",
        0.2,
    ),
    Case(
        "gradient boosting, 50 trees, histogram reference",
        {"1 000 × 20": {"n": 1333}, "15 000 × 20": {"n": 20_000}},
        boosting("HistGradientBoostingClassifier", max_iter=50, max_depth=3, early_stopping=False),
        "scikit-learn",
        4.0,
    ),
    Case(
        "isolation forest", {"1 000 × 10": {"n": 1000}, "10 000 × 10": {"n": 10_000}}, isolation(), "scikit-learn", 2.0
    ),
    Case(
        "local outlier factor",
        {"1 000 × 10": {"n": 1000}, "5 000 × 10": {"n": 5000}},
        local_outliers(),
        "scikit-learn",
        2.0,
    ),
    Case("t-SNE, digits", {"300 × 64": {"n": 300}, "1 000 × 64": {"n": 1000}}, map_of_digits(), "scikit-learn", 1.0),
]
