"""Number formats of GPUs, built from their bits: what a pattern of bits means, and which pattern is nearest to a number.

Sources: IEEE 754-2019 for the layout, rounding and special values; Micikevicius et al. (2022), "FP8 formats for deep learning",
for E4M3, which gives up infinity and all but two patterns of NaN for a larger range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: one bit for the sign, then the exponent, then the fraction.

    Attributes
    ----------
    name : str
    exponent_bits, fraction_bits : int
        The widths of the two fields.
    has_infinity : bool
        Whether the largest exponent is kept for infinity and NaN, as IEEE 754 has it. Without, only the pattern of all ones is NaN.
    """

    name: str
    exponent_bits: int
    fraction_bits: int
    has_infinity: bool = True

    @property
    def bits(self):
        """Width of a number."""
        return 1 + self.exponent_bits + self.fraction_bits

    @property
    def bias(self):
        """What is subtracted from the exponent field to get the exponent."""
        return 2 ** (self.exponent_bits - 1) - 1

    @property
    def smallest_exponent(self):
        """The exponent of the smallest normal number, which subnormal numbers share."""
        return 1 - self.bias

    @property
    def max(self):
        """The largest finite number."""
        largest_exponent = 2**self.exponent_bits - 1 - self.bias
        if self.has_infinity:
            return (2 - 2.0**-self.fraction_bits) * 2.0 ** (largest_exponent - 1)
        return (2 - 2 * 2.0**-self.fraction_bits) * 2.0**largest_exponent

    @property
    def smallest_normal(self):
        """The smallest positive number with the full number of digits."""
        return 2.0**self.smallest_exponent

    @property
    def smallest(self):
        """The smallest positive number."""
        return 2.0 ** (self.smallest_exponent - self.fraction_bits)

    @property
    def epsilon(self):
        """The distance from 1 to the next larger number."""
        return 2.0**-self.fraction_bits


FP64 = Format("fp64", 11, 52)
FP32 = Format("fp32", 8, 23)
TF32 = Format("tf32", 8, 10)
BF16 = Format("bf16", 8, 7)
FP16 = Format("fp16", 5, 10)
E4M3 = Format("fp8 e4m3", 4, 3, has_infinity=False)
E5M2 = Format("fp8 e5m2", 5, 2)
FORMATS = (FP64, FP32, TF32, BF16, FP16, E4M3, E5M2)


def from_bits(pattern, form):
    """Return the numbers that patterns of bits stand for.

    Parameters
    ----------
    pattern : array_like of int
        Patterns, of any shape, from 0 to below ``2 ** form.bits``.
    form : Format

    Returns
    -------
    ndarray of float64
        Of the same shape.

    Raises
    ------
    ValueError
        If a pattern is no integer, or does not fit the width of the format.

    Examples
    --------
    >>> from_bits([0b0_01111_0000000000, 0b1_10000_1000000000], FP16).tolist()
    [1.0, -3.0]
    """
    pattern = np.asarray(pattern)
    if pattern.dtype.kind not in "iu":
        raise ValueError(f"from_bits: patterns are integers; got {pattern.dtype}")
    if pattern.size and (pattern.min() < 0 or pattern.max() >= 2**form.bits):
        raise ValueError(
            f"from_bits: a pattern of {form.name} has {form.bits} bits; got one outside of 0 … 2**{form.bits} - 1"
        )
    pattern = pattern.astype(np.uint64)
    sign = np.where(_field(pattern, form.bits - 1, 1), -1.0, 1.0)
    exponent = _field(pattern, form.fraction_bits, form.exponent_bits).astype(int)
    fraction = _field(pattern, 0, form.fraction_bits).astype(float) * form.epsilon
    subnormal = exponent == 0
    value = np.ldexp(fraction + ~subnormal, np.where(subnormal, 1, exponent) - form.bias)
    if form.has_infinity:
        special = exponent == 2**form.exponent_bits - 1
        value = np.where(special, np.where(fraction == 0, np.inf, np.nan), value)
    else:
        value = np.where(_field(pattern, 0, form.bits - 1) == 2 ** (form.bits - 1) - 1, np.nan, value)
    return sign * value


def round_to(x, form):
    """Round numbers to the nearest ones of a format, and of two equally near ones to the one whose last bit is 0.

    What is too large by at least half a step becomes infinite; in a format without infinity it becomes the largest number. (Of such
    numbers conversions may also make NaN; PyTorch 2.13 chooses as here.)

    Parameters
    ----------
    x : array_like of float
        Of any shape.
    form : Format

    Returns
    -------
    ndarray of float64
        Of the same shape.

    Examples
    --------
    >>> round_to([0.1, 449, 1e6], E4M3).tolist()
    [0.1015625, 448.0, 448.0]
    >>> round_to([2049.0, 2051.0], FP16).tolist()
    [2048.0, 2052.0]
    """
    x = np.asarray(x, dtype=np.float64)
    _, exponent = np.frexp(x)  # x = m · 2**exponent with 0.5 <= |m| < 1
    step = np.maximum(exponent - 1, form.smallest_exponent) - form.fraction_bits
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.ldexp(np.rint(np.ldexp(x, -step)), step)
        too_large = np.abs(rounded) > form.max
    return np.where(too_large, np.copysign(np.inf if form.has_infinity else form.max, x), rounded)


def to_bits(x, form):
    """Round numbers to a format and return the patterns of bits.

    Parameters
    ----------
    x : array_like of float
        Of any shape.
    form : Format

    Returns
    -------
    ndarray of uint64
        Of the same shape; every NaN as one pattern, with the largest exponent and the first bit of the fraction set, or all bits
        in a format without infinity.

    Examples
    --------
    >>> [f"{pattern:016b}" for pattern in to_bits([1.0, -3.0], FP16)]
    ['0011110000000000', '1100001000000000']
    """
    x = round_to(x, form)
    size = np.where(np.isfinite(x), np.abs(x), 0)
    _, exponent = np.frexp(size)
    exponent = np.maximum(exponent - 1, form.smallest_exponent)
    steps = np.ldexp(size, form.fraction_bits - exponent).astype(
        np.uint64
    )  # from 2**fraction_bits on where the number is normal
    one = np.uint64(1 << form.fraction_bits)
    field = np.where(steps < one, 0, exponent + form.bias).astype(np.uint64)
    pattern = field * one + np.where(steps < one, steps, steps - one)
    infinite = ((1 << form.exponent_bits) - 1) << form.fraction_bits
    nan = infinite | (1 << (form.fraction_bits - 1)) if form.has_infinity else (1 << (form.bits - 1)) - 1
    pattern = np.where(np.isinf(x), np.uint64(infinite), np.where(np.isnan(x), np.uint64(nan), pattern))
    return pattern + (np.signbit(x) & ~np.isnan(x)).astype(np.uint64) * np.uint64(1 << (form.bits - 1))


def quantize(x, axis=None, bits=8):
    """Round numbers to integers of a common scale, symmetric around zero.

    Parameters
    ----------
    x : ndarray of float
    axis : int, optional
        Gives each place along all other axes a scale of its own: with 0, each column of a matrix. By default one scale for all.
    bits : int
        Of the integers, from 2 to 8.

    Returns
    -------
    integers : ndarray of int8
        From ``-(2**(bits - 1) - 1)`` to ``2**(bits - 1) - 1``.
    scale : ndarray of float
        What one step is worth; it can be broadcast to x.

    Raises
    ------
    ValueError
        If a number is not finite, or bits is not from 2 to 8.

    Examples
    --------
    >>> integers, scale = quantize(np.array([0.02, -1.27, 0.5]))
    >>> integers.tolist(), round(float(scale.item()), 6)
    ([2, -127, 50], 0.01)
    """
    x = np.asarray(x, dtype=np.float64)
    if not 2 <= bits <= 8:
        raise ValueError(f"quantize: bits must be from 2 to 8; got {bits}")
    if not np.isfinite(x).all():
        raise ValueError(
            "quantize: x has infinite or missing values, which integers have no place for; look where they come from"
        )
    largest = 2 ** (bits - 1) - 1
    size = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    scale = np.where(size > 0, size, 1.0) / largest
    return np.rint(x / scale).astype(np.int8), scale


def _field(pattern, first, width):
    """The bits from `first` on, counted from the last one."""
    return (pattern >> np.uint64(first)) & np.uint64((1 << width) - 1)
