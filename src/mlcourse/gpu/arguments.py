"""Match the arguments of a launch with the parameters of the kernel."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from mlcourse.gpu.errors import KernelError
from mlcourse.gpu.signature import Parameter

_READ_THE_COPY = "; keep it in a variable, for the kernel writes its results into the copy"


@dataclass(frozen=True)
class Bound:
    """An argument as its parameter wants it.

    Attributes
    ----------
    parameter : Parameter
        Whose argument it is.
    array : ndarray, torch.Tensor or None
        What a pointer points to; None for a null pointer and for a value.
    value : numpy scalar or None
        A value of exactly the parameter's type.
    """

    parameter: Parameter
    array: object = None
    value: object = None


def bind(signature, arguments):
    """Check the arguments of a launch and convert its numbers.

    Parameters
    ----------
    signature : Signature
        Of the kernel.
    arguments : sequence
        NumPy arrays, tensors, numbers; None for a null pointer.

    Returns
    -------
    list of Bound
    bool
        Whether the arrays are on a GPU.

    Raises
    ------
    KernelError
        If the number of arguments or one of their types is wrong, or some arrays are on a GPU and some are not.
    """
    if len(arguments) != len(signature.parameters):
        many = f"{len(arguments)} argument{'s' * (len(arguments) != 1)}"
        raise KernelError(f"{signature} takes {len(signature.parameters)} arguments, got {many}")
    bound = [_bind(signature, p, value) for p, value in zip(signature.parameters, arguments, strict=True)]
    return bound, _on_gpu(signature, bound)


def is_tensor(value):
    """Whether it is a PyTorch tensor, found out without importing PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _on_gpu(signature, bound):
    places = {}
    for item in bound:
        if item.array is not None:
            where = str(item.array.device) if is_tensor(item.array) else "cpu"
            places.setdefault(where, item.parameter.name)
    if len(places) > 1:
        (first, name), (second, other), *_ = places.items()
        raise _error(
            signature,
            name,
            f"is on {first}, but {other!r} is on {second}",
            "give all arrays on one device: tensor.to(...)",
        )
    return any(where.startswith("cuda") for where in places)


def _error(signature, name, problem, hint=None):
    return KernelError(f"{signature}: {name!r} {problem}" + (f"\n  hint: {hint}" if hint else ""))


def _bind(signature, parameter, value):
    if parameter.pointer:
        return Bound(parameter, array=_check_array(signature, parameter, value))
    return Bound(parameter, value=_check_value(signature, parameter, value))


def _describe(value):
    if isinstance(value, np.ndarray) or is_tensor(value):
        return f"an array of {str(value.dtype).removeprefix('torch.')}, shape {tuple(value.shape)}"
    return f"{value!r} ({type(value).__name__})" if len(repr(value)) < 40 else f"a {type(value).__name__}"


def _check_array(signature, parameter, value):
    if value is None:
        return None
    name = parameter.name
    if not isinstance(value, np.ndarray) and not is_tensor(value):
        wanted = f"must be an array of {_wanted(parameter)}, got {_describe(value)}"
        raise _error(
            signature,
            name,
            wanted,
            "np.asarray makes one; a kernel writes its results into arrays that you make for it",
        )
    got = str(value.dtype).removeprefix("torch.")
    if not _fits(parameter, value, got):
        problem = f"must be an array of {_wanted(parameter)}, got {_describe(value)}"
        raise _error(signature, name, problem, _dtype_hint(parameter, value))
    if is_tensor(value):
        if not value.is_contiguous():
            raise _error(
                signature,
                name,
                "is not contiguous: its elements do not lie side by side in memory",
                "tensor.contiguous()" + ("" if parameter.const else _READ_THE_COPY),
            )
        return value
    if not value.flags.c_contiguous:
        problem = "is not C-contiguous: its elements do not lie in memory row after row"
        hint = "np.ascontiguousarray(...) makes a copy that is" + ("" if parameter.const else _READ_THE_COPY)
        raise _error(signature, name, problem, hint)
    if not parameter.const and not value.flags.writeable:
        raise _error(
            signature,
            name,
            "may be written by the kernel (it is not const), but the array is read-only",
            "array.copy()",
        )
    return value


def _wanted(parameter):
    if parameter.dtype is None:
        return "a structured dtype or uint8"
    return parameter.dtype + (f" (its values in groups of {parameter.lanes})" if parameter.lanes > 1 else "")


def _fits(parameter, value, got):
    if parameter.dtype is None:
        return True
    if parameter.dtype == "bfloat16":
        return got in ("bfloat16", "uint16")
    if isinstance(value, np.ndarray) and value.dtype.names:
        return value.dtype.itemsize == np.dtype(parameter.dtype).itemsize * parameter.lanes
    return got == parameter.dtype


def _dtype_hint(parameter, value):
    if parameter.dtype == "bfloat16":
        return "a tensor of torch.bfloat16, or a NumPy array of uint16 that holds its bits"
    if parameter.dtype is None:
        return None
    cast = f"tensor.to(torch.{parameter.dtype})" if is_tensor(value) else f"array.astype(np.{parameter.dtype})"
    return cast if parameter.const else cast + _READ_THE_COPY


def _check_value(signature, parameter, value):
    name, dtype = parameter.name, parameter.dtype
    if isinstance(value, np.ndarray) and value.ndim == 0 and dtype is not None and parameter.lanes == 1:
        value = value[()]
    if dtype is None or parameter.lanes > 1:
        return _check_struct(signature, parameter, value)
    if isinstance(value, np.ndarray) or is_tensor(value):
        raise _error(
            signature,
            name,
            f"is a single {dtype}, got {_describe(value)}",
            "declare the parameter as a pointer, or give a number",
        )
    if not isinstance(value, int | float | np.generic):
        raise _error(signature, name, f"must be a number, got {_describe(value)}")
    if dtype == "bfloat16":
        return _bfloat16(value)
    kind = np.dtype(dtype).kind
    if kind in "iub" and (isinstance(value, float | np.floating) and not float(value).is_integer()):
        raise _error(
            signature,
            name,
            f"must be an integer ({dtype}), got {_describe(value)}",
            "int(...) or // where you compute it",
        )
    if kind in "iu":
        limits = np.iinfo(dtype)
        if not limits.min <= int(value) <= limits.max:
            raise _error(signature, name, f"does not fit {dtype}: {value} is not in {limits.min} … {limits.max}")
        return np.dtype(dtype).type(int(value))
    return np.dtype(dtype).type(value)


def _bfloat16(value):
    bits = int(np.float32(value).view(np.uint32))
    return np.uint16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)


def _check_struct(signature, parameter, value):
    """A value of a type that is not a number: its bytes."""
    if parameter.dtype is not None and isinstance(value, tuple | list) and len(value) == parameter.lanes:
        return np.array(value, parameter.dtype)
    if isinstance(value, np.void | np.ndarray | np.generic):
        return np.ascontiguousarray(value)
    what = (
        f"{parameter.lanes} numbers in a tuple"
        if parameter.dtype
        else "a NumPy value of a structured dtype with the struct's layout"
    )
    raise _error(signature, parameter.name, f"must be {what}, got {_describe(value)}")
