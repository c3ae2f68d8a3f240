"""Methods that compare all rows do it in blocks: their memory grows with the input and the output, not with the square of the rows."""

import tracemalloc

import numpy as np
import pytest

from mlcourse.classical import (
    DBSCAN,
    SVC,
    AgglomerativeClustering,
    IsolationForest,
    KMeans,
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    MiniBatchKMeans,
    metrics,
)

BLOCKS = 24 * 2**20  # what the blocks may need, whatever the size of the table
K_MEANS = {"n_clusters": 30, "max_iter": 3, "random_state": 0}


def table(n, d):
    return np.random.default_rng(0).normal(size=(n, d))


X, WIDE = table(6000, 10), table(50_000, 20)  # all distances between the rows of X would need 275 MiB
Y = X[:, 0] > 0
WORKS = {  # what is prepared, and then done while memory is watched, to which table
    "k-means": lambda: (KMeans(**K_MEANS).fit_predict, WIDE),
    "k-means, predict": lambda: (KMeans(**K_MEANS).fit(X).predict, WIDE[:, :10]),
    "k-means, transform": lambda: (KMeans(**K_MEANS).fit(X).transform, WIDE[:, :10]),
    "k-means, score": lambda: (KMeans(**K_MEANS).fit(X).score, WIDE[:, :10]),
    "k-means in batches": lambda: (MiniBatchKMeans(**K_MEANS).fit_predict, WIDE),
    "DBSCAN on a grid": lambda: (DBSCAN(eps=0.05).fit_predict, X[:, :2]),
    "DBSCAN by table": lambda: (DBSCAN(eps=2.0).fit_predict, X),
    "neighbors, classes": lambda: (KNeighborsClassifier().fit(X, Y).predict, X),
    "neighbors, numbers": lambda: (KNeighborsRegressor().fit(X, X[:, 0]).predict, X),
    "kneighbors": lambda: (KNeighborsClassifier().fit(X, Y).kneighbors, X),
    "local outlier factor": lambda: (LocalOutlierFactor().fit_predict, X),
    "silhouette": lambda: (lambda X: metrics.silhouette_samples(X, Y), X),
    "Davies–Bouldin": lambda: (lambda X: metrics.davies_bouldin_score(X, Y), X),
    "support vector machine": lambda: (SVC().fit(X[:400], Y[:400]).predict, WIDE[:, :10]),
    "isolation forest": lambda: (IsolationForest(random_state=0).fit_predict, X),
}


def peak_of(work, *inputs):
    """Return the largest memory that was in use beyond what was there before, and the result."""
    tracemalloc.start()
    result = work(*inputs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, result


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", WORKS)
def test_memory_stays_within_three_times_input_and_output(name):
    work, data = WORKS[name]()
    peak, result = peak_of(work, data)
    allowed = 3 * (data.nbytes + np.asarray(result).nbytes) + BLOCKS
    assert peak < allowed, f"{peak / 2**20:.0f} MiB, allowed are {allowed / 2**20:.0f}"


def test_agglomeration_needs_its_table_of_distances_once():
    X = table(1500, 5)
    for linkage in ("ward", "average"):
        peak, _ = peak_of(lambda linkage=linkage: AgglomerativeClustering(linkage=linkage).fit(X))
        assert peak < 1.2 * 8 * len(X) ** 2 + BLOCKS
