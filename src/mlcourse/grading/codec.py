"""Values as JSON, between the grader and the process that runs a student's code.

Both sides use this file; the student's side loads it alone, so it imports nothing but the standard library until a value needs
NumPy, pandas or PyTorch. The decoder trusts nothing: every size is limited, only plain data can come out, and nothing is called.
"""

import base64
import math
import sys

MAX_DEPTH = 40
MAX_VALUES = 200_000
MAX_INT_DIGITS = 1000
_ARRAY_KINDS = "biufc"
_CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class CodecError(ValueError):
    """A value that cannot travel, or a message that is not one of ours."""


class Opaque:
    """Stands for an object that cannot travel as data; it is equal to nothing but itself."""

    def __init__(self, type_name):
        self.type_name = type_name

    def __repr__(self):
        return f"<{self.type_name} object>"


def encode(value, depth=0):
    """Return a value as what `json.dumps` accepts; objects that are no data become `Opaque`.

    Raises
    ------
    CodecError
        If containers are nested deeper than `MAX_DEPTH` (a list that contains itself, say).
    """
    if depth > MAX_DEPTH:
        raise CodecError(f"the value is nested more than {MAX_DEPTH} levels deep")
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
            return {name: [encode(item, depth + 1) for item in kind.__iter__(value)]}
    if isinstance(value, dict):
        return {"dict": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in dict.items(value)]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": base64.b64encode(value).decode()}
    return _encode_library(value, depth)


def decode(message):
    """Return the value that `encode` made a message of.

    Raises
    ------
    CodecError
        If the message is anything else, or larger than the limits.
    """
    return _Decoder().decode(message, 0)


def _is_numpy(value):
    return type(value).__module__ == "numpy"


def _encode_library(value, depth):
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return _encode_array(numpy, value, depth)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return {"tensor": encode(value.detach().cpu().numpy(), depth + 1)}
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.Series):
        parts = [value.name, value.index.tolist(), value.to_numpy()]
        return {"series": [encode(part, depth + 1) for part in parts]}
    if pandas is not None and isinstance(value, pandas.DataFrame):
        columns = [value.iloc[:, i].to_numpy() for i in range(value.shape[1])]
        return {"frame": [encode(p, depth + 1) for p in (value.columns.tolist(), value.index.tolist(), columns)]}
    return {"opaque": str(type(value).__name__)[:60]}


def _encode_array(numpy, value, depth):
    array = numpy.array(value, subok=False)
    tag = "array" if isinstance(value, numpy.ndarray) else "scalar"
    if array.dtype.kind in _ARRAY_KINDS and array.dtype.itemsize <= 16:
        data = base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
        return {tag: [array.dtype.str, list(array.shape), data]}
    if array.dtype.kind in "UO":
        return {
            "objects": [array.dtype.kind, list(array.shape), [encode(v, depth + 1) for v in array.ravel().tolist()]]
        }
    return {"opaque": f"array of {array.dtype}"[:60]}


class _Decoder:
    """Decodes one message and counts what it holds."""

    def __init__(self):
        self._values = 0

    def decode(self, message, depth):
        self._values += 1
        if depth > MAX_DEPTH or self._values > MAX_VALUES:
            raise CodecError("the result is too deeply nested or has too many parts")
        if message is None or message is True or message is False or type(message) is str:
            return message
        if type(message) is not dict or len(message) != 1:
            raise CodecError("the result is not in the grader's format")
        ((tag, body),) = message.items()
        reader = getattr(self, f"_read_{tag}", None) if isinstance(tag, str) and tag.isalpha() else None
        if tag in _CONTAINERS:
            return self._read_container(tag, body, depth)
        if reader is None:
            raise CodecError("the result is of an unknown kind")
        try:
            return reader(body, depth)
        except CodecError:
            raise
        except (ValueError, TypeError, OverflowError, KeyError, IndexError, AttributeError, MemoryError) as error:
            raise CodecError(f"the result is malformed ({type(error).__name__})") from None

    def _read_container(self, tag, body, depth):
        items = [self.decode(item, depth + 1) for item in _list(body)]
        try:
            return _CONTAINERS[tag](items)
        except TypeError:
            raise CodecError("a set holds something that cannot be in a set") from None

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
        return {self.decode(key, depth + 1): self.decode(value, depth + 1) for key, value in map(_list, _list(body))}

    def _read_bytes(self, body, depth):
        return base64.b64decode(body, validate=True)

    def _read_opaque(self, body, depth):
        return Opaque("".join(c for c in str(body)[:60] if c.isalnum() or c in " _<>.,"))

    def _read_array(self, body, depth):
        import numpy as np

        text, shape, data = body
        dtype = np.dtype(text) if type(text) is str and len(text) <= 5 else None
        if dtype is None or dtype.kind not in _ARRAY_KINDS or dtype.names is not None or dtype.subdtype is not None:
            raise CodecError("an array has a dtype that cannot travel")
        raw = base64.b64decode(data, validate=True)
        shape = _shape(shape)
        if len(raw) != math.prod(shape) * dtype.itemsize:
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
        values, shape = [self.decode(value, depth + 1) for value in _list(values)], _shape(shape)
        if kind not in ("U", "O") or math.prod(shape) != len(values):
            raise CodecError("an array's size does not fit its shape")
        if kind == "U":
            return np.array([str(value) for value in values], dtype=str).reshape(shape)
        array = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            array[i] = value
        return array.reshape(shape)

    def _read_tensor(self, body, depth):
        import torch

        return torch.from_numpy(self.decode(body, depth + 1))

    def _read_series(self, body, depth):
        import pandas as pd

        name, index, values = (self.decode(part, depth + 1) for part in _list(body))
        return pd.Series(values, index=index, name=name)

    def _read_frame(self, body, depth):
        import pandas as pd

        columns, index, data = (self.decode(part, depth + 1) for part in _list(body))
        if len(columns) != len(data) or any(len(values) != len(index) for values in data):
            raise CodecError("a table's columns do not fit")
        frame = pd.DataFrame(dict(enumerate(data)), index=index)
        frame.columns = columns
        return frame


def _list(value):
    if type(value) is not list:
        raise CodecError("the result is not in the grader's format")
    return value


def _shape(value):
    shape = tuple(_list(value))
    if len(shape) > 32 or any(type(size) is not int or not 0 <= size <= 2**31 for size in shape):
        raise CodecError("an array's shape is not a shape")
    return shape
