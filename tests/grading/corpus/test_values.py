"""Values of all kinds come back from the sandbox as they are, and what is no plain data is named."""

import pytest

from mlcourse.grading.compare import difference
from mlcourse.grading.session import Session
from tests.grading.corpus.harness import ONLY_AREA, assert_fair, bad_unit, needs_sandbox

VALUES = {
    "None": "None",
    "numbers": "[True, -1, 2**200, 0.1, -0.0, float('inf'), 1e-320, 2 + 3j]",
    "not a number": "[float('nan'), np.nan, complex('nan')]",
    "text": "['', 'ä\\n\\0', '\\ud800', b'\\xff', bytearray(b'a')]",
    "containers": "[(), {}, set(), frozenset({1}), {(1, 'a'): [{}]}, {None: 1, True: 2}]",
    "kinds of containers": "[__import__('collections').OrderedDict(a=1), __import__('collections').Counter('aab')]",
    "NumPy numbers": "[np.bool_(1), np.int8(-1), np.uint64(2**64 - 1), np.float16(.1), np.float32(.1), np.longdouble(.1), "
        "np.complex64(1j)]",
    "dates": "[np.datetime64('2026-01-02'), np.timedelta64(3, 's'), np.array(['2026-01', 'NaT'], dtype='M8[ns]')]",
    "arrays": "[np.zeros(0), np.zeros((2, 0, 3)), np.array(3.0), np.arange(6).reshape(2, 3).T, np.arange(9)[::-2], "
        "np.eye(2, dtype='>f4')]",
    "arrays of text and objects": "[np.array(['a', 'bcd']), np.array([1, 'a', None, [2]], dtype=object)]",
    "matrix and masked array": "[np.matrix([[1, 2]]), np.ma.array([1, 2], mask=[0, 0])]",
    "memory map": "np.memmap('/tmp/m', dtype='f8', mode='w+', shape=(2, 2))",
    "Series": "[pd.Series([1, 2], index=['a', 'b'], name='n'), pd.Series([1.5, None]), pd.Series([], dtype=float)]",
    "Series of other kinds": "[pd.Series(['x', None]), pd.Series([True, None], dtype='boolean'), pd.Series(['a', 'b', "
        "'a'], dtype='category')]",
    "Series of times": "[pd.Series(pd.date_range('2026-01-01', periods=2)), pd.Series(pd.date_range('2026-01-01', "
        "periods=2, tz='UTC'))]",
    "DataFrame": "pd.DataFrame({'a': [1, 2], 'b': ['x', None], 3: [0.5, np.nan]}, index=pd.Index([5, 6], name='i'))",
    "DataFrame without rows or columns": "[pd.DataFrame(), pd.DataFrame({'a': []}), pd.DataFrame(index=[1, 2])]",
    "DataFrame with levels": "pd.DataFrame({'k': [1, 1, 2], 'v': [1., 2., 3.]}).groupby('k').agg({'v': ['mean', 'max']})",
    "DataFrame with equal names": "pd.DataFrame([[1, 2]], columns=['a', 'a'])",
    "Index": "[pd.RangeIndex(3), pd.Index(['a', 'b'], name='n'), pd.MultiIndex.from_tuples([(1, 'a'), (2, 'b')])]",
    "Timestamp": "[pd.Timestamp('2026-01-02 03:04', tz='UTC'), pd.NaT, pd.Timedelta('1h')]",
    "tensors": "[torch.ones(2, 3), torch.tensor(1.5), torch.arange(3), torch.tensor([True]), torch.zeros(0), torch.ones(2).t()]",
    "tensors of other kinds": "[torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.bfloat16), torch.ones(2, "
        "dtype=torch.float16), torch.tensor([1j]).conj()]",
}  # fmt: skip

OPAQUE = {
    "range(3)": "range",
    "(i for i in ())": "generator",
    "{}.keys()": "dict_keys",
    "__import__('collections').deque()": "deque",
    "__import__('fractions').Fraction(1, 2)": "Fraction",
    "__import__('decimal').Decimal(1)": "Decimal",
    "object()": "object",
    "len": "builtin_function_or_method",
    "np.zeros(2, dtype='i4,f8')": "numpy.void",
    "np.ndarray": "type",
    "type('you have 10 of 10 points', (), {})()": "youhave10of10points",
    "torch.ones(2, 2, device='meta')": "torch.meta_tensor",
    "torch.eye(2).to_sparse()": "torch.sparse_or_quantized_tensor",
    "pd.Period('2026-01', 'M')": "Period",
}

TOO_LARGE = {
    "np.broadcast_to(1.0, (2**20, 2**20))": "bytes",
    "torch.zeros(1).expand(10**9)": "bytes",
    "pd.RangeIndex(10**9)": "bytes",
    "list(range(10**6))": "parts",
}


@pytest.fixture(scope="module")
def session():
    session = Session(
        ["import numpy as np\nimport pandas as pd\nimport torch", "def value(source):\n    return eval(source)"],
        "bubblewrap",
    )
    yield session
    session.close()


def local(source):
    import numpy as np
    import pandas as pd
    import torch

    return eval(source, {"np": np, "pd": pd, "torch": torch})


@needs_sandbox
@pytest.mark.parametrize("name", VALUES)
def test_values_come_back(name, session, tmp_path):
    source = VALUES[name].replace("/tmp/m", str(tmp_path / "m"))
    outcome, alive = session.call("value", [VALUES[name]], {}, 20)
    assert alive
    assert outcome.error is None, outcome
    assert difference(local(source), outcome.value, rtol=0, atol=0) is None


@needs_sandbox
@pytest.mark.parametrize("source", OPAQUE)
def test_what_is_no_data_is_named(source, session):
    outcome, _ = session.call("value", [source], {}, 20)
    assert difference(1.0, outcome.value).message == f"expected a number, got an object of type {OPAQUE[source]}"


@needs_sandbox
@pytest.mark.parametrize("source", TOO_LARGE)
def test_what_is_too_large_says_so(source, session):
    outcome, alive = session.call("value", [source], {}, 20)
    assert alive
    assert TOO_LARGE[source] in outcome.error_text


@needs_sandbox
def test_a_tensor_for_an_array_is_a_wrong_type(tmp_path, monkeypatch):
    body = "import torch\nif not x.any(): raise ValueError\nreturn torch.from_numpy(x / np.linalg.norm(x))"
    mark, _ = assert_fair(bad_unit(body), ONLY_AREA, tmp_path, monkeypatch)
    unit = next(e for e in mark.exercises if e.name == "unit_vector")
    assert unit.public[0].kind == "wrong type"
    assert (
        unit.public[0].message == "expected a NumPy array, got a PyTorch tensor of shape (2,); convert it with .numpy()"
    )
