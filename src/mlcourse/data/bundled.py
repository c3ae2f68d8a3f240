"""Data sets that come with scikit-learn, in the units they were measured in."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """A table and its target.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    feature_names : tuple of str
        The columns of `X`.
    target_name : str
        What `y` is.
    source : str
        Where the data come from.
    """

    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    target_name: str
    source: str

    def frame(self):
        """Return features and target as one `pandas.DataFrame`, the target last."""
        import pandas as pd

        return pd.DataFrame(self.X, columns=list(self.feature_names)).assign(**{self.target_name: self.y})


def load_digits():
    """Load 1,797 handwritten digits, each an image of 8 × 8 pixels with values 0 (paper) to 16 (ink).

    Returns
    -------
    Dataset
        ``X`` has shape (1797, 64): a row is an image, read line by line; ``X[i].reshape(8, 8)`` shows it.
        ``y`` holds the digits, 0 to 9.

    References
    ----------
    Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning Repository.

    Examples
    --------
    >>> load_digits().X.shape
    (1797, 64)
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    return Dataset(
        bunch.data, bunch.target, tuple(bunch.feature_names), "digit", "UCI optical recognition of digits, test set"
    )


def load_diabetes():
    """Load the diabetes study: ten baseline measurements of 442 patients, and the progression of the disease after a year.

    Returns
    -------
    Dataset
        ``X`` has shape (442, 10), in the original units; ``y`` is a progression score from 25 to 346.

    References
    ----------
    Efron, B., Hastie, T., Johnstone, I. and Tibshirani, R. (2004). Least angle regression. Annals of Statistics 32(2).

    Examples
    --------
    >>> load_diabetes().feature_names[:3]
    ('age', 'sex', 'bmi')
    """
    from sklearn import datasets

    bunch = datasets.load_diabetes(scaled=False)
    return Dataset(bunch.data, bunch.target, tuple(bunch.feature_names), "progression", "Efron et al. (2004)")


def read_table(name):
    """Read a table from scikit-learn's folder of data, without the second that importing scikit-learn takes.

    Parameters
    ----------
    name : str
        A file there, such as ``"wine_data.csv"``: a line about the table, then a line of numbers for each sample.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)

    Raises
    ------
    FileNotFoundError
        If scikit-learn has no such file.

    Examples
    --------
    >>> read_table("iris.csv").shape
    (150, 5)
    """
    (package,) = importlib.util.find_spec("sklearn").submodule_search_locations
    return np.loadtxt(Path(package) / "datasets" / "data" / name, delimiter=",", skiprows=1)
