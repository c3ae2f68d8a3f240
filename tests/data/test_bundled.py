"""The data sets are those of scikit-learn, in original units."""

import subprocess
import sys

import numpy as np
from sklearn import datasets

from mlcourse.data import load_diabetes, load_digits
from mlcourse.data.bundled import read_table


def test_digits():
    digits = load_digits()
    assert np.array_equal(digits.X, datasets.load_digits().data)
    assert digits.X.min() == 0
    assert digits.X.max() == 16
    assert set(digits.y) == set(range(10))


def test_diabetes_is_in_original_units_and_standardizes_to_the_scaled_table():
    diabetes = load_diabetes()
    assert 18 < diabetes.X[:, 0].min() < diabetes.X[:, 0].max() < 80
    centered = diabetes.X - diabetes.X.mean(axis=0)
    assert np.allclose(centered / np.sqrt((centered**2).sum(axis=0)), datasets.load_diabetes().data)


def test_frame_has_the_target_last():
    frame = load_diabetes().frame()
    assert list(frame.columns)[-1] == "progression"
    assert frame.shape == (442, 11)


def test_tables_are_read_without_importing_scikit_learn():
    assert (read_table("wine_data.csv")[:, :-1] == datasets.load_wine().data).all()
    assert (read_table("iris.csv")[:, -1] == datasets.load_iris().target).all()
    code = "import sys; from mlcourse.data.bundled import read_table; read_table('iris.csv'); print('sklearn' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
