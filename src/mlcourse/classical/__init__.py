"""Classical machine learning from scratch: NumPy inside, scikit-learn's interface outside."""

from mlcourse.classical.anomaly import IsolationForest, LocalOutlierFactor
from mlcourse.classical.boosting import AdaBoostClassifier, GradientBoostingClassifier, GradientBoostingRegressor
from mlcourse.classical.decomposition import PCA
from mlcourse.classical.density import DBSCAN
from mlcourse.classical.ensembles import RandomForestClassifier, RandomForestRegressor
from mlcourse.classical.hierarchy import AgglomerativeClustering
from mlcourse.classical.kmeans import KMeans, MiniBatchKMeans
from mlcourse.classical.linear_model import LinearRegression
from mlcourse.classical.logistic import LogisticRegression
from mlcourse.classical.manifold import TSNE
from mlcourse.classical.mixture import GaussianMixture
from mlcourse.classical.naive_bayes import GaussianNB, MultinomialNB
from mlcourse.classical.neighbors import KNeighborsClassifier, KNeighborsRegressor
from mlcourse.classical.penalized import Lasso, Ridge
from mlcourse.classical.svm import SVC, SVR
from mlcourse.classical.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "DBSCAN",
    "PCA",
    "SVC",
    "SVR",
    "TSNE",
    "AdaBoostClassifier",
    "AgglomerativeClustering",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "GaussianMixture",
    "GaussianNB",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "IsolationForest",
    "KMeans",
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "Lasso",
    "LinearRegression",
    "LocalOutlierFactor",
    "LogisticRegression",
    "MiniBatchKMeans",
    "MultinomialNB",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "Ridge",
]
