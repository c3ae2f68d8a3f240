"""Classical machine learning from scratch: NumPy inside, scikit-learn's interface outside."""

from mlcourse.classical.ensembles import RandomForestClassifier, RandomForestRegressor
from mlcourse.classical.linear_model import LinearRegression
from mlcourse.classical.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "LinearRegression",
    "RandomForestClassifier",
    "RandomForestRegressor",
]
