"""Classical machine learning from scratch: NumPy inside, scikit-learn's interface outside."""

from mlcourse.classical.linear_model import LinearRegression

__all__ = ["LinearRegression"]
