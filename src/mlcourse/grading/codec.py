"""Values as JSON, between the grader and the process that runs a student's code.

Both sides use this file; the student's side loads it alone, so it imports nothing but the standard library until a value needs
NumPy, pandas or PyTorch. The decoder trusts nothing: every size is limited, only plain data can come out, and nothing is called.
"""

import base64
import json
import math
import re
import sys

MAX_DEPTH = 40
MAX_PARTS = 100_000
MAX_BYTES = 8 << 20
MAX_INT_DIGITS = 1000
_MAX_SAME_HASH = 20
_ARRAY_KINDS = "biufcmM"
_DTYPE = re.compile(r"[<>|=]?[biufcmM]\d{0,2}(\[\d{0,4}[A-Za-z]{1,2}\])?")
_CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_PANDAS_DTYPES = ("category", "boolean", "string", "Int8", "Int16", "Int32", "Int64", "UInt8", "Float32", "Float64")
_PARTS_OF_AN_ARRAY, _PARTS_OF_A_TABLE = 10, 500  # what they cost to build, as compared with a number
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SIGNS_PER_PART = 8


class CodecError(Exception):
    """A value that cannot travel, or a message that is not one of ours; it is none of the errors that an exercise may ask for."""


class Opaque:
    """Stands for an object that cannot travel as data; it is equal to nothing but itself."""

    def __init__(self, type_name):
        self.type_name = type_name

    def __repr__(self):
        return f"<{self.type_name} object>"


def encode(value):
    """Return a value as what `json.dumps` accepts; objects that are no data become `Opaque`.

    Raises
    ------
    CodecError
        If the value is too large, or containers are nested deeper than `MAX_DEPTH` (a list that contains itself, say).
    """
    return _Encoder().encode(value, 0)


def decode(message):
    """Return the value that `encode` made a message of.

    Raises
    ------
    CodecError
        If the message is anything else, or larger than the limits.
    """
    return _Decoder().decode(message, 0)


def parse(data, max_signs=_SIGNS_PER_PART * MAX_PARTS):
    """Read JSON of a stranger.

    What JSON becomes in memory may be thirty times as large as its text, so the brackets and commas are counted first.

    Parameters
    ----------
    data : bytes
        In UTF-8.
    max_signs : int
        How many brackets and commas there may be outside strings.

    Raises
    ------
    CodecError
        If there are more.
    ValueError, RecursionError
        If it is not JSON, or nested too deeply.

    Examples
    --------
    >>> parse(b'{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    if _signs(data) > max_signs and _signs(_STRING.sub(b"", data)) > max_signs:
        raise CodecError(f"it has more than {max_signs:,} brackets and commas")
    return json.loads(data.decode("utf-8-sig"))


def _signs(data):
    return data.count(b"[") + data.count(b"{") + data.count(b",")


class _Encoder:
    """Encodes one value and counts what it holds."""

    def __init__(self):
        self._parts = 0

    def encode(self, value, depth):
        self._parts += 1
        if depth > MAX_DEPTH:
            raise CodecError(f"the value is nested more than {MAX_DEPTH} levels deep")
        if self._parts > MAX_PARTS:
            raise CodecError(f"the value has more than {MAX_PARTS:,} parts; large tables travel as arrays")
        if value is None or value is True or value is False or type(value) is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return {"int": int.__format__(value, "x")}
        if isinstance(value, float) and not _is_numpy(value):
            return {"float": float.hex(value)}
        if isinstance(value, complex) and not _is_numpy(value):
            return {"complex": [float.hex(value.real), float.hex(value.imag)]}
        for name, kind in _CONTAINERS.items():
            if isinstance(value, kind):
                return {name: [self.encode(item, depth + 1) for item in kind.__iter__(value)]}
        if isinstance(value, dict):
            return {"dict": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in dict.items(value)]}
        if isinstance(value, Opaque):
            return _opaque(value.type_name)
        if isinstance(value, (bytes, bytearray)):
            return {"bytes" if isinstance(value, bytes) else "bytearray": base64.b64encode(value).decode()}
        return self._library(value, depth + 1)

    def _library(self, value, depth):
        numpy, torch, pandas = (sys.modules.get(name) for name in ("numpy", "torch", "pandas"))
        if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
            return self._array(numpy, value, depth)
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(torch, value, depth)
        if pandas is not None:
            found = self._pandas(pandas, value, depth)
            if found is not None:
                return found
        return _opaque(type(value).__name__)

    def _array(self, numpy, value, depth):
        is_array = isinstance(value, numpy.ndarray)
        if is_array:
            _refuse_large(numpy.ndarray.nbytes.__get__(value))
        array = numpy.array(value, subok=False)
        if array.dtype.kind in _ARRAY_KINDS and array.dtype.itemsize <= 32:
            data = base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
            return {"array" if is_array else "scalar": [array.dtype.str, list(array.shape), data]}
        if array.dtype.kind in "UO":
            items = [self.encode(item, depth) for item in array.ravel().tolist()]
            return {"objects": [array.dtype.kind, list(array.shape), items]}
        return _opaque(f"numpy.{array.dtype.type.__name__}")

    def _tensor(self, torch, value, depth):
        if value.layout is not torch.strided or value.is_quantized:
            return _opaque("torch.sparse_or_quantized_tensor")
        if value.device.type == "meta":
            return _opaque("torch.meta_tensor")
        _refuse_large(value.numel() * value.element_size())
        name = str(value.dtype).removeprefix("torch.")
        plain = value.detach().resolve_conj().resolve_neg().cpu()
        if name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
            plain = plain.float()
        return {"tensor": [name, bool(value.requires_grad), self.encode(plain.numpy(), depth)]}

    def _pandas(self, pandas, value, depth):
        if isinstance(value, pandas.Series):
            return {
                "series": [self.encode(value.name, depth), self._column(value.index, depth), *self._typed(value, depth)]
            }
        if isinstance(value, pandas.DataFrame):
            columns = [self._typed(value.iloc[:, i], depth) for i in range(value.shape[1])]
            return {"frame": [self.encode(value.columns.tolist(), depth), self._column(value.index, depth), columns]}
        if isinstance(value, pandas.Index):
            return {"index": [self.encode(value.name, depth), self._column(value, depth)]}
        if value is pandas.NaT or value is pandas.NA:
            return {"missing": "NaT" if value is pandas.NaT else "NA"}
        if isinstance(value, (pandas.Timestamp, pandas.Timedelta)):
            return {"time": [type(value).__name__, value.isoformat()]}
        return None

    def _typed(self, series, depth):
        name = str(series.dtype)
        return [self._column(series, depth), name if name in _PANDAS_DTYPES else ""]

    def _column(self, column, depth):
        _refuse_large(8 * len(column))
        return self.encode(column.to_numpy(), depth)


def _is_numpy(value):
    return type(value).__module__ == "numpy"


def _opaque(name):
    return {"opaque": str(name)[:60]}


def _refuse_large(size):
    if size > MAX_BYTES:
        raise CodecError(f"the value has {size:,} bytes; the limit is {MAX_BYTES:,}")


class _Decoder:
    """Decodes one message and counts what it holds."""

    def __init__(self):
        self._parts, self._bytes = 0, 0

    def decode(self, message, depth):
        self._count(1, 0)
        if depth > MAX_DEPTH:
            raise CodecError("the result is too deeply nested")
        if message is None or message is True or message is False:
            return message
        if type(message) is str:
            return self._text(message)
        if type(message) is not dict or len(message) != 1:
            raise CodecError("the result is not in the grader's format")
        ((tag, body),) = message.items()
        reader = getattr(self, f"_read_{tag}", None) if isinstance(tag, str) and tag.isalpha() else None
        try:
            if tag in _CONTAINERS:
                return self._container(_CONTAINERS[tag], body, depth)
            if reader is None:
                raise CodecError("the result is of an unknown kind")
            return reader(body, depth + 1)
        except CodecError:
            raise
        except Exception as error:
            raise CodecError(f"the result is malformed ({type(error).__name__})") from None

    def _count(self, parts, size):
        self._parts += parts
        self._bytes += size
        if self._parts > MAX_PARTS:
            raise CodecError(f"the result has more than {MAX_PARTS:,} parts")
        if self._bytes > MAX_BYTES:
            raise CodecError(f"the result has more than {MAX_BYTES >> 20} MB")

    def _text(self, text):
        self._count(0, len(text))
        return text

    def _raw(self, text):
        self._count(0, len(text) * 3 // 4)
        return base64.b64decode(text, validate=True)

    def _container(self, kind, body, depth):
        items = [self.decode(item, depth + 1) for item in _list(body)]
        if kind in (set, frozenset):
            self._count(5, 0)
            _refuse_collisions(items)
        return kind(items)

    def _read_int(self, body, depth):
        if type(body) is not str or len(body) > MAX_INT_DIGITS:
            raise CodecError("an int is too large")
        return int(body, 16)

    def _read_float(self, body, depth):
        return float.fromhex(body)

    def _read_complex(self, body, depth):
        real, imaginary = body
        return complex(float.fromhex(real), float.fromhex(imaginary))

    def _read_dict(self, body, depth):
        pairs = [(self.decode(key, depth), self.decode(value, depth)) for key, value in map(_list, _list(body))]
        _refuse_collisions([key for key, _ in pairs])
        return dict(pairs)

    def _read_bytes(self, body, depth):
        return self._raw(body)

    def _read_bytearray(self, body, depth):
        return bytearray(self._raw(body))

    def _read_missing(self, body, depth):
        import pandas as pd

        return {"NaT": pd.NaT, "NA": pd.NA}[body]

    def _read_opaque(self, body, depth):
        return Opaque("".join(c for c in body[:60] if c.isalnum() or c in "_.<>") or "nameless")

    def _read_array(self, body, depth):
        import numpy as np

        text, shape, data = body
        if type(text) is not str or not _DTYPE.fullmatch(text):
            raise CodecError("an array has a dtype that cannot travel")
        self._count(_PARTS_OF_AN_ARRAY, 0)
        dtype, shape, raw = np.dtype(text), _shape(shape), self._raw(data)
        if dtype.itemsize == 0 or len(raw) != math.prod(shape) * dtype.itemsize:
            raise CodecError("an array's size does not fit its shape")
        return np.frombuffer(raw, dtype).reshape(shape).copy()

    def _read_scalar(self, body, depth):
        array = self._read_array(body, depth)
        if array.shape != ():
            raise CodecError("a number has a shape")
        return array[()]

    def _read_objects(self, body, depth):
        import numpy as np

        kind, shape, values = body
        self._count(_PARTS_OF_AN_ARRAY, 0)
        values, shape = [self.decode(value, depth) for value in _list(values)], _shape(shape)
        if kind not in ("U", "O") or math.prod(shape) != len(values):
            raise CodecError("an array's size does not fit its shape")
        if kind == "U":
            self._count(0, 4 * len(values) * max(map(len, values), default=0))  # the longest gives the size of all
            return np.array([_string(value) for value in values], dtype=str).reshape(shape)
        array = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            array[i] = value
        return array.reshape(shape)

    def _read_tensor(self, body, depth):
        import torch

        name, requires_grad, array = body
        self._count(_PARTS_OF_AN_ARRAY, 0)
        tensor = torch.from_numpy(self._array(array, depth))
        dtype = getattr(torch, name) if name in ("bfloat16", "float8_e4m3fn", "float8_e5m2") else tensor.dtype
        return tensor.to(dtype).requires_grad_(requires_grad is True)

    def _read_series(self, body, depth):
        import pandas as pd

        name, index, values, dtype = body
        self._count(_PARTS_OF_A_TABLE, 0)
        return self._series(pd, values, dtype, self._index(pd, index, depth), depth).rename(self.decode(name, depth))

    def _read_frame(self, body, depth):
        import pandas as pd

        columns, index, data = body
        self._count(_PARTS_OF_A_TABLE, 0)
        columns, index = self.decode(columns, depth), self._index(pd, index, depth)
        if type(columns) is not list or len(columns) != len(_list(data)):
            raise CodecError("a table's columns do not fit")
        series = [self._series(pd, values, dtype, index, depth) for values, dtype in data]
        frame = pd.DataFrame(dict(enumerate(series)), index=index)
        frame.columns = columns
        return frame

    def _read_index(self, body, depth):
        import pandas as pd

        name, values = body
        self._count(_PARTS_OF_A_TABLE, 0)
        index, name = self._index(pd, values, depth), self.decode(name, depth)
        return index if isinstance(index, pd.MultiIndex) else index.rename(name)

    def _read_time(self, body, depth):
        import pandas as pd

        kind, text = body
        if len(text) > 60:
            raise CodecError("a time is too long")
        return {"Timestamp": pd.Timestamp, "Timedelta": pd.Timedelta}[kind](text)

    def _series(self, pd, values, dtype, index, depth):
        self._count(_PARTS_OF_A_TABLE // 10, 0)
        values = self._array(values, depth)
        if values.shape != (len(index),):
            raise CodecError("a table's columns do not fit")
        series = pd.Series(values, index=index)
        return series.astype(dtype) if dtype in _PANDAS_DTYPES else series

    def _index(self, pd, values, depth):
        return pd.Index(self._array(values, depth))

    def _array(self, message, depth):
        import numpy as np

        array = self.decode(message, depth)
        if not isinstance(array, np.ndarray):
            raise CodecError("an array is missing")
        return array


def _list(value):
    if type(value) is not list:
        raise CodecError("the result is not in the grader's format")
    return value


def _string(value):
    if type(value) is not str:
        raise CodecError("an array of strings holds something else")
    return value


def _shape(value):
    shape = tuple(_list(value))
    if len(shape) > 32 or any(type(size) is not int or not 0 <= size <= 2**31 for size in shape):
        raise CodecError("an array's shape is not a shape")
    return shape


def _refuse_collisions(keys):
    """Refuse keys that were chosen to have the same hash: a table of n of them takes n² steps to build."""
    seen = {}
    for key in keys:
        number = hash(key)
        seen[number] = seen.get(number, 0) + 1
        if seen[number] > _MAX_SAME_HASH:
            raise CodecError("too many keys have the same hash")
