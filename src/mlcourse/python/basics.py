"""What Python's numbers and strings do, written out: digits in a base, and the exact value of a float."""

from __future__ import annotations

import math
from fractions import Fraction

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def digits(n, base):
    """Write an integer in a base: the inverse of ``int(text, base)``.

    Parameters
    ----------
    n : int
        Of any size, negative ones too.
    base : int
        2 to 36.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the base is not 2 to 36.

    Examples
    --------
    >>> digits(2026, 2), digits(255, 16), digits(-8, 3)
    ('11111101010', 'ff', '-22')
    """
    if not 2 <= base <= len(DIGITS):
        raise ValueError(f"digits: base must be 2 to {len(DIGITS)}; got {base}")
    text, rest = "", abs(n)
    while rest > 0 or not text:
        rest, digit = divmod(rest, base)
        text = DIGITS[digit] + text
    return "-" + text if n < 0 else text


def steps_from(value, exact):
    """Return how far a float lies from a number, in steps between neighboring floats.

    Parameters
    ----------
    value : float
    exact : str
        The number as a decimal or a fraction, such as ``"0.3"`` or ``"1/3"``.

    Returns
    -------
    float

    Examples
    --------
    >>> steps_from(0.3, "0.3"), steps_from(0.1 + 0.2, "0.3")
    (-0.2, 0.8)
    >>> steps_from(0.25, "1/4")
    0.0
    """
    exact = Fraction(exact)
    return float((Fraction(value) - exact) / Fraction(math.ulp(float(exact))))
