"""Classical machine learning from scratch: NumPy inside, scikit-learn's interface outside."""

from mlcourse.classical.density import DBSCAN
from mlcourse.classical.ensembles import RandomForestClassifier, RandomForestRegressor
from mlcourse.classical.hierarchy import AgglomerativeClustering
from mlcourse.classical.kmeans import KMeans
from mlcourse.classical.linear_model import LinearRegression
from mlcourse.classical.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "DBSCAN",
    "AgglomerativeClustering",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "KMeans",
    "LinearRegression",
    "RandomForestClassifier",
    "RandomForestRegressor",
]
