"""The exercises on names, numbers, truth values, strings and slices, in plain Python; two broken functions to repair."""

from __future__ import annotations

import copy
import math
import re
import unicodedata
from collections import deque
from decimal import Decimal
from fractions import Fraction
from functools import partial

from mlcourse.grading import Case, Mistake
from mlcourse.grading import Exercise as AnyExercise
from mlcourse.grading.patterns import predictions_difference

Exercise = partial(AnyExercise, draws_with="python")


# clock_time -------------------------------------------------------------------------------------------------------------


def _clock_cases(rng):
    yield Case("1 hour, 2 minutes, 5 seconds", 3725)
    yield Case("less than a minute", rng.randint(10, 59))
    yield Case("59 minutes, 59 seconds", 3599)
    yield Case("many hours", 3600 * rng.randint(100, 900) + 60 * rng.randint(1, 9) + rng.randint(0, 9))
    yield Case("zero", 0)
    yield Case("5 seconds before zero", -5)
    yield Case("before zero", -rng.randint(7300, 9000))


def _clock(seconds):
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'-' * (seconds < 0)}{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _minutes_go_on(seconds):
    n = abs(seconds)
    return f"{'-' * (seconds < 0)}{n // 3600}:{n // 60:02}:{n % 60:02}"


def _no_zeros(seconds):
    n = abs(seconds)
    return f"{'-' * (seconds < 0)}{n // 3600}:{n // 60 % 60}:{n % 60}"


def _floors_negative_times(seconds):
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _true_division(seconds):
    n = abs(seconds)
    return f"{'-' * (seconds < 0)}{n / 3600:.0f}:{n / 60 % 60:02.0f}:{n % 60:02.0f}"


CLOCK_TIME = Exercise(
    name="clock_time",
    title="Seconds as a time",
    points=3,
    minutes=8,
    difficulty=1,
    hints=(
        "How many whole minutes are in the seconds, and what is left? Then do the same with the minutes.",
        'f"{n:02}" writes an integer with at least two digits, filled with zeros.',
        "Put the sign aside first and work with abs(seconds).",
    ),
    cases=_clock_cases,
    oracle=_clock,
    mistakes=(
        Mistake(_minutes_go_on, "The minutes count on beyond 59: those that make up whole hours must be taken off."),
        Mistake(_no_zeros, "Minutes and seconds below 10 need a zero in front: 1:02:05, not 1:2:5."),
        Mistake(
            _floors_negative_times,
            "Negative times are wrong: `//` rounds down, so that 5 seconds before zero land in the hour −1. "
            "Treat the sign by itself.",
        ),
        Mistake(
            _true_division,
            "`/` makes a float with a fraction, and the format rounds it to the nearest: 3599 seconds become a whole hour.",
        ),
    ),
)


# predict_names ----------------------------------------------------------------------------------------------------------

_NAMES_PROGRAM = """
a = [1, 2]
b = a
c = a[:]
d = [a, c]
b.append(3)
c += [9]
a = a + [4]
e = d[:]
e[0].append(5)
s = "xy"
t = s
s += "z"
"""
_ASKED = ("a", "b", "c", "d", "t", "b is d[0]", "d == e", "d is e")


def _run_names(**replaced):
    program = _NAMES_PROGRAM
    for old, new in replaced.values():
        program = program.replace(old, new)
    names = {"copy": copy}
    exec(program, names)
    return {text: eval(text, names) for text in _ASKED}


def _names():
    return _run_names()


def _assignment_copies():
    return _run_names(first=("b = a\n", "b = a[:]\n"), second=("d = [a, c]", "d = [a[:], c[:]]"))


def _plus_changes_the_list():
    return _run_names(first=("a = a + [4]", "a += [4]"))


def _in_place_makes_a_new_list():
    return _run_names(first=("c += [9]", "c = c + [9]"))


def _slice_copies_deeply():
    return {**_run_names(first=("e = d[:]", "e = copy.deepcopy(d)")), "d == e": False}


def _strings_change():
    return {**_names(), "t": "xyz"}


def _equal_is_the_same():
    return {**_names(), "d is e": True}


PREDICT_NAMES = Exercise(
    name="predict_names",
    title="Names and objects: a prediction",
    points=4,
    minutes=12,
    difficulty=2,
    hints=(
        "Draw it: a label for each name, a box for each list. A line of the program moves a label, or changes a box.",
        "Which lines make a new list? Those with brackets, a slice, or a + on the right side; `+=` on a list does not.",
        "`d` and `e` are two lists of two slots. Where do their slots lead?",
    ),
    cases=lambda rng: [Case("eight predictions")],
    oracle=_names,
    mistakes=(
        Mistake(
            _assignment_copies,
            "You took an assignment, or a list in a list, for a copy. Both only lead to the list that is there.",
        ),
        Mistake(
            _plus_changes_the_list,
            "`a = a + [4]` computes a new list and moves the name `a` to it; the old list stays as it is for `b`.",
        ),
        Mistake(
            _in_place_makes_a_new_list,
            "`c += [9]` changes the list of `c` in place, and `d` leads to the same list.",
        ),
        Mistake(
            _slice_copies_deeply,
            "`e = d[:]` makes a new list with the same items: the lists inside are shared by `d` and `e`.",
        ),
        Mistake(
            _strings_change, "A string never changes: `s += …` binds `s` to a new string, and `t` keeps the old one."
        ),
        Mistake(_equal_is_the_same, "`d` and `e` are equal, but a slice of a list is always a new list."),
    ),
    compare=predictions_difference,
)


# predict_conditions -----------------------------------------------------------------------------------------------------

_CONDITIONS = (
    "3 > 2 > 1",
    "3 > 2 == True",
    "[] or 0",
    "'a' and ''",
    "'0' and 'no'",
    "None or [] or 'x' or 1",
    "1 < 2 or 1 / 0",
    "not ''",
    "-1 % 5 < 5 // 2",
    "True + True",
)


def _conditions():
    return {text: eval(text) for text in _CONDITIONS}


def _always_booleans():
    return {key: bool(value) for key, value in _conditions().items() if key != "True + True"} | {"True + True": 2}


def _zero_text_is_false():
    return {**_conditions(), "'0' and 'no'": "0"}


def _from_left_to_right():
    return {**_conditions(), "3 > 2 > 1": False, "3 > 2 == True": True}


def _remainder_with_sign():
    return {**_conditions(), "-1 % 5 < 5 // 2": True}


def _last_side_wins():
    return {**_conditions(), "None or [] or 'x' or 1": 1, "'a' and ''": "a"}


def _booleans_are_no_numbers():
    return {**_conditions(), "True + True": True}


PREDICT_CONDITIONS = Exercise(
    name="predict_conditions",
    title="What counts as true? A prediction",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "`and` and `or` return one of their two sides: which one decides?",
        "A chain such as a > b == c means a > b and b == c.",
        "-1 % 5 is never negative, and comparisons come after arithmetic.",
    ),
    cases=lambda rng: [Case("ten predictions")],
    oracle=_conditions,
    mistakes=(
        Mistake(_always_booleans, "`and` and `or` return one of their sides as it is, not True or False."),
        Mistake(
            _zero_text_is_false, "The string '0' is not empty, so it counts as true; only the number 0 counts as false."
        ),
        Mistake(
            _from_left_to_right,
            "You computed a chain from left to right. `a > b == c` compares both neighbors: `a > b and b == c`.",
        ),
        Mistake(_remainder_with_sign, "-1 % 5 is 4: the remainder of a positive divisor is never negative."),
        Mistake(
            _last_side_wins,
            "`or` returns the first side that counts as true, `and` the first that counts as false, not the last of all.",
        ),
        Mistake(_booleans_are_no_numbers, "True is the integer 1, and a sum of integers is an integer."),
    ),
    compare=predictions_difference,
)


# from_base --------------------------------------------------------------------------------------------------------------

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _written(n, base):
    return "0" if n == 0 else (_written(n // base, base) + _DIGITS[n % base]).lstrip("0")


def _from_base_cases(rng):
    yield Case("binary", "1101", 2)
    yield Case("hexadecimal", _written(rng.randint(2**40, 2**70), 16), 16)
    yield Case("capital letters", "Zz9", 36)
    yield Case("a negative number", "-" + _written(rng.randint(100, 10**6), 7), 7)
    yield Case("zeros in front", "0010", 3)
    yield Case("a digit that the base does not have", "1021", 2, raises=ValueError)
    yield Case("a sign in the middle", "1-1", 10, raises=ValueError)
    yield Case("no digits", "-", 10, raises=ValueError)


def _value(text, base, digits=_DIGITS):
    value = 0
    for character in text:
        value = value * base + digits.index(character)
    return value


def _checked(text, base):
    bare = text.removeprefix("-")
    if not bare or any(c not in _DIGITS[:base] for c in bare.lower()):
        raise ValueError
    return bare


def _capitals_missing(text, base):
    bare = text.removeprefix("-")
    if not bare or any(c not in _DIGITS[:base] for c in bare):
        raise ValueError(f"{text!r} is no number in base {base}")
    return _value(bare, base) * (-1 if text.startswith("-") else 1)


def _sign_forgotten(text, base):
    return _value(_checked(text, base).lower(), base)


def _read_from_the_wrong_end(text, base):
    return _value(_checked(text, base).lower()[::-1], base) * (-1 if text.startswith("-") else 1)


def _every_digit_allowed(text, base):
    bare = text.removeprefix("-").lower()
    if not bare:
        raise ValueError("no digits")
    return _value(bare, base) * (-1 if text.startswith("-") else 1)


def _empty_is_zero(text, base):
    bare = text.removeprefix("-").lower()
    if any(c not in _DIGITS[:base] for c in bare):
        raise ValueError(f"{text!r} is no number in base {base}")
    return _value(bare, base) * (-1 if text.startswith("-") else 1)


FROM_BASE = Exercise(
    name="from_base",
    title="Read a number in any base",
    points=4,
    minutes=15,
    difficulty=2,
    hints=(
        "Read the digits from the left. What happens to the value so far when one more digit follows?",
        "value = value * base + digit; the digit's value is its position in '0123…xyz'.",
        "Take off a leading '-' first. Then look at what is left: it must not be empty, and each character must be one of the "
        "first `base` digits.",
    ),
    cases=_from_base_cases,
    oracle=int,
    mistakes=(
        Mistake(_capitals_missing, "Capital letters are digits too: Z has the value of z.", "raised"),
        Mistake(_sign_forgotten, "The sign in front is lost: the value of a negative number comes out positive."),
        Mistake(_read_from_the_wrong_end, "The digits were read from the right as if the first one were the last."),
        Mistake(
            _every_digit_allowed,
            "A digit must be smaller than the base: 2 is no digit in base 2, though the sum can be computed.",
            "no error",
        ),
        Mistake(_empty_is_zero, "A text without digits is no number, not even 0.", "no error"),
    ),
)


# rotate -----------------------------------------------------------------------------------------------------------------


def _rotate_cases(rng):
    yield Case("a string by 2", "slicing", 2)
    yield Case("a list", [rng.randint(0, 9) for _ in range(4)] + [10], rng.randint(1, 4))
    yield Case("by 0", "word", 0)
    yield Case("by more than its length", [3, 1, 4, 1, 5], 5 * rng.randint(1, 4) + 2)
    yield Case("to the right by 1", "gradient", -1)
    yield Case("nothing to rotate", [], 3)


def _rotate(sequence, k):
    turned = deque(sequence)
    turned.rotate(-k)
    return "".join(turned) if isinstance(sequence, str) else list(turned)


def _other_direction(sequence, k):
    return _rotate(sequence, -k)


def _no_circle(sequence, k):
    return sequence[k:] + sequence[:k]


def _divides_by_the_length(sequence, k):
    k %= len(sequence)
    return sequence[k:] + sequence[:k]


def _always_a_list(sequence, k):
    return list(_rotate(sequence, k))


def _rotates_in_place(sequence, k):
    if isinstance(sequence, str):
        return _rotate(sequence, k)
    sequence[:] = _rotate(sequence, k)
    return sequence


ROTATE = Exercise(
    name="rotate",
    title="Rotate a sequence",
    points=3,
    minutes=8,
    difficulty=2,
    hints=(
        "Cut the sequence at one gap and put the two parts together the other way round.",
        "A rotation by n steps changes nothing. What does % do to a k that is larger than n, or negative?",
        "An empty sequence has no length to divide by.",
    ),
    cases=_rotate_cases,
    oracle=_rotate,
    mistakes=(
        Mistake(_other_direction, "It turns to the right: with k = 1 the first item must go to the end."),
        Mistake(_no_circle, "It is right up to the length; beyond it the rotation must start again, as on a clock."),
        Mistake(_divides_by_the_length, "An empty sequence has length 0, and `% 0` is a ZeroDivisionError.", "raised"),
        Mistake(_always_a_list, "A string must come back as a string; slices and + keep the type.", "wrong type"),
        Mistake(_rotates_in_place, "The result is right, but the caller's list was rotated as well.", "changed input"),
    ),
)


# empty_board ------------------------------------------------------------------------------------------------------------


def _board_cases(rng):
    yield Case("mark one field of a 3 × 3 board", 3, 3, 1, 1)
    yield Case("more columns than rows", 2, 5, 0, rng.randint(0, 4))
    yield Case("more rows than columns", rng.randint(4, 6), 2, 3, 0)


def _use_board(answer, rows, columns, row, column):
    board = answer(rows, columns)
    board[row][column] = "x"
    return board


def _board_oracle(rows, columns, row, column):
    return [["x" if (i, j) == (row, column) else "." for j in range(columns)] for i in range(rows)]


def _shared_rows(rows, columns):
    return [["."] * columns] * rows


def _rows_and_columns_exchanged(rows, columns):
    return [["."] * rows for _ in range(columns)]


def _rows_are_strings(rows, columns):
    return ["." * columns for _ in range(rows)]


EMPTY_BOARD = Exercise(
    name="empty_board",
    title="Repair: an empty board",
    points=4,
    minutes=10,
    difficulty=2,
    hints=(
        "Make a board of 2 × 2, mark one field and print the board. How many lists are there?",
        "`[row] * n` repeats the same row n times. Each row must be made anew.",
        "An expression in a comprehension, or in the body of a loop, is computed once for each round.",
    ),
    cases=_board_cases,
    oracle=_board_oracle,
    use=_use_board,
    mistakes=(
        Mistake(
            _shared_rows,
            "All rows are one and the same list: marking a field marks the whole column. Each row must be a list of its own.",
            planted=True,
        ),
        Mistake(
            _rows_and_columns_exchanged,
            "Rows and columns are exchanged: `board[row][column]` counts the rows first.",
            "raised",
        ),
        Mistake(_rows_are_strings, "The rows are strings, and a string cannot be changed.", "raised"),
    ),
)


# cents ------------------------------------------------------------------------------------------------------------------


def _cents_cases(rng):
    yield Case("19.99", "19.99")
    yield Case("0.29", "0.29")
    yield Case("a whole amount", str(rng.randint(2, 900)))
    yield Case("one digit after the point", f"{rng.randint(2, 90)}.5")
    yield Case("a negative amount", "-0.07")
    yield Case("more than a float can hold", f"{rng.randint(10**17, 10**18)}.99")


def _cents(text):
    return int(Decimal(text) * 100)


def _cuts_off(text):
    return int(float(text) * 100)


def _rounds_the_float(text):
    return round(float(text) * 100)


def _returns_a_float(text):
    return float(_cents(text))


def _takes_the_point_away(text):
    return int(text.replace(".", ""))


def _adds_cents_of_negative_amounts(text):
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


CENTS = Exercise(
    name="cents",
    title="Repair: cents that disappear",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "Print Decimal(0.29 * 100). What does int do with it?",
        "The text is exact. It becomes inexact when it is turned into a float, so do not do that.",
        "Decimal(text) is exact; or cut the text at the point and mind the sign, and amounts with one digit or none after it.",
    ),
    cases=_cents_cases,
    oracle=_cents,
    mistakes=(
        Mistake(
            _cuts_off,
            "The float for 0.29 times 100 is a little below 29, and `int` cuts off everything after the point.",
            planted=True,
        ),
        Mistake(
            _rounds_the_float,
            "Rounding repairs small amounts. A large one loses digits already when it becomes a float.",
        ),
        Mistake(
            _returns_a_float, "The amount comes back as a float; cents are counted, so they are an int.", "wrong type"
        ),
        Mistake(
            _takes_the_point_away,
            "Without the point, 5 and 12.5 become 5 and 125 cents: the digits that are missing after the point must be filled in.",
        ),
        Mistake(
            _adds_cents_of_negative_amounts,
            "In a negative amount the cents were added to the whole part; they must go the same way as the sign, also if "
            "the whole part is 0.",
        ),
    ),
)


# round_half_even --------------------------------------------------------------------------------------------------------


def _half_even_cases(rng):
    yield Case("7/2, halfway between 3 and 4", 7, 2)
    yield Case("5/2, halfway between 2 and 3", 5, 2)
    yield Case("a negative half", -5, 2)
    yield Case("no half", 10 * rng.randint(1, 9) + 7, 10)
    yield Case("a negative number, no half", -10 * rng.randint(1, 9) - 3, 10)
    yield Case("an odd whole number", 9, 3)
    yield Case("large numbers", 10**30 + rng.randint(1, 9), 2 * 10**10 + 1)
    yield Case("a denominator that is no power of two", 9, 6)


def _half_even(n, d):
    return round(Fraction(n, d))


def _half_up(n, d):
    return (2 * n + d) // (2 * d)


def _half_away_from_zero(n, d):
    rounded = (2 * abs(n) + d) // (2 * d)
    return -rounded if n < 0 else rounded


def _divides_as_floats(n, d):
    return round(n / d)


def _rounds_down(n, d):
    return n // d


def _even_always(n, d):
    return 2 * _half_up(n, 2 * d)


ROUND_HALF_EVEN = Exercise(
    name="round_half_even",
    title="Round half to even, exactly",
    points=4,
    minutes=20,
    difficulty=3,
    hints=(
        "divmod(n, d) gives the integer below and the remainder r, 0 ≤ r < d. When must you go up by one?",
        "Compare 2 * r with d: smaller, larger, or equal. No float is needed.",
        "In the case of equality, of the two neighbors q and q + 1 exactly one is even.",
    ),
    cases=_half_even_cases,
    oracle=_half_even,
    mistakes=(
        Mistake(_half_up, "Halves always go up. Of the two neighbors the even one is wanted: 5/2 becomes 2."),
        Mistake(
            _half_away_from_zero,
            "Halves always go away from zero. Of the two neighbors the even one is wanted: 5/2 becomes 2, and −5/2 becomes −2.",
        ),
        Mistake(
            _divides_as_floats,
            "`n / d` is a float of about 16 digits, so that large results are wrong. Stay with integers: `divmod`.",
        ),
        Mistake(_rounds_down, "`//` rounds down, whatever the remainder is."),
        Mistake(
            _even_always, "All results are even. Only a half goes to the even neighbor; all else goes to the nearest."
        ),
    ),
)


# close_enough -----------------------------------------------------------------------------------------------------------


def _close_cases(rng):
    yield Case("0.1 + 0.2 and 0.3", 0.1 + 0.2, 0.3)
    scale = rng.choice([1e-12, 1e15])
    yield Case("nine equal digits, in another unit", scale, scale * (1 + 2e-10))
    yield Case("eight equal digits", scale, scale * (1 + 2e-8))
    yield Case("tiny and zero", 1e-15, 0.0)
    yield Case("tiny and zero, with an absolute tolerance", 1e-15, 0.0, abs_tol=1e-12)
    yield Case("a relative tolerance that counts from the larger number", 9.0, 10.0, rel_tol=0.1)
    yield Case("the same in the other order", 10.0, 9.0, rel_tol=0.1)
    yield Case("opposite signs", -5.0, 5.0, rel_tol=0.5)
    yield Case("both tolerances, each too small", 100.0, 103.0, rel_tol=0.02, abs_tol=2.0)
    yield Case("infinity and itself", math.inf, math.inf)
    yield Case("infinity and a number", math.inf, 1e308)
    yield Case("NaN and itself", math.nan, math.nan)


def _close(a, b, rel_tol=1e-9, abs_tol=0.0):
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)


def _absolute_only(a, b, rel_tol=1e-9, abs_tol=0.0):
    return a == b or (math.isfinite(a - b) and abs(a - b) <= max(rel_tol, abs_tol))


def _relative_to_the_second(a, b, rel_tol=1e-9, abs_tol=0.0):
    return a == b or (math.isfinite(a - b) and abs(a - b) <= max(rel_tol * abs(b), abs_tol))


def _tolerances_added(a, b, rel_tol=1e-9, abs_tol=0.0):
    return a == b or (math.isfinite(a - b) and abs(a - b) <= rel_tol * max(abs(a), abs(b)) + abs_tol)


def _forgets_infinity(a, b, rel_tol=1e-9, abs_tol=0.0):
    return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


def _infinity_is_close_to_all(a, b, rel_tol=1e-9, abs_tol=0.0):
    return a == b or abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


def _no_distance(a, b, rel_tol=1e-9, abs_tol=0.0):
    return a == b or (math.isfinite(a - b) and a - b <= max(rel_tol * max(abs(a), abs(b)), abs_tol))


CLOSE_ENOUGH = Exercise(
    name="close_enough",
    title="Close enough",
    points=4,
    minutes=15,
    difficulty=3,
    hints=(
        "Write the formula of the chapter down; max(a, b) and abs(x) are all you need.",
        "What is inf - inf, and what is inf <= inf? Treat equal numbers before you subtract.",
        "Two different numbers of which one is infinite are never close. NaN is equal to nothing, and all comparisons with it are false.",
    ),
    cases=_close_cases,
    oracle=_close,
    mistakes=(
        Mistake(
            _absolute_only,
            "The difference is compared with a fixed number, so that the result depends on the unit. The relative tolerance "
            "is a fraction of the larger number.",
        ),
        Mistake(
            _relative_to_the_second,
            "The relative tolerance is taken from the second number alone; the answer then changes when a and b are exchanged.",
        ),
        Mistake(
            _tolerances_added,
            "The two tolerances were added. Either of them must be enough by itself: take the larger one.",
        ),
        Mistake(
            _forgets_infinity, "inf - inf is NaN, so that infinity is not even close to itself; and inf <= inf is true."
        ),
        Mistake(
            _infinity_is_close_to_all,
            "A relative tolerance of infinity is infinite, so every number seems close to it.",
        ),
        Mistake(_no_distance, "A difference can be negative; its absolute value is the distance."),
    ),
)


# same_text --------------------------------------------------------------------------------------------------------------


def _same_text_cases(rng):
    word = "".join(rng.sample("abcdefgh", 5))
    yield Case("the same word", word, word)
    yield Case("different words", word, word + "x")
    yield Case("capitals", word.upper(), word)
    yield Case("an accent as a sign of its own", "Caf\u00e9", "cafe\u0301")
    yield Case("with and without accent", "caf\u00e9", "cafe")
    yield Case("ß in capitals", "Straße", "STRASSE")
    yield Case("a raised 2 is no 2", "x\u00b2", "x2")
    yield Case("two accents in another order", "q\u0307\u0323", "q\u0323\u0307")


def _same_text(a, b):
    first, second = (unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold()) for text in (a, b))
    return first == second


def _lower_case(a, b):
    first, second = (unicodedata.normalize("NFC", text).lower() for text in (a, b))
    return first == second


def _no_normalization(a, b):
    return a.casefold() == b.casefold()


def _no_case(a, b):
    return unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)


def _compatible(a, b):
    first, second = (unicodedata.normalize("NFKC", text).casefold() for text in (a, b))
    return first == second


def _drops_accents(a, b):
    first, second = (
        "".join(c for c in unicodedata.normalize("NFD", text).casefold() if not unicodedata.combining(c))
        for text in (a, b)
    )
    return first == second


SAME_TEXT = Exercise(
    name="same_text",
    title="The same text?",
    points=3,
    minutes=10,
    difficulty=2,
    hints=(
        "Print ascii(text) of the two spellings of an accent. Which function makes one of the other?",
        'unicodedata.normalize("NFC", text) chooses one spelling; casefold is meant for comparing.',
    ),
    cases=_same_text_cases,
    oracle=_same_text,
    mistakes=(
        Mistake(
            _lower_case,
            "`lower` leaves the ß as it is, while its capital form is SS; `casefold` is made for comparing.",
        ),
        Mistake(
            _no_normalization,
            "One text, spelled with a joined and with a combining accent, must be equal to itself: normalize.",
        ),
        Mistake(_no_case, "The spelling is normalized, but capitals still count as different."),
        Mistake(
            _compatible,
            "The form NFKC also replaces signs that mean something else, such as a raised 2 by a plain one. Asked is NFC.",
        ),
        Mistake(_drops_accents, "The accents were taken off, so that different words become equal."),
    ),
)


# slice_positions --------------------------------------------------------------------------------------------------------


def _slice_cases(rng):
    yield Case("all, with no ends given", 5, None, None, 1)
    yield Case("from 1 to 4", 7, 1, 4, 1)
    yield Case("the last three", 7, -3, None, 1)
    yield Case("ends beyond both sides", 5, -20, 20, rng.randint(1, 2))
    yield Case("every third", rng.randint(8, 12), 1, None, 3)
    yield Case("an end before the start", 7, 4, 1, 1)
    yield Case("backward, with no ends given", rng.randint(4, 7), None, None, -1)
    yield Case("backward from −2 by twos", 7, -2, None, -2)
    yield Case("backward down to 2, with no start", 7, None, 2, -1)
    yield Case("backward from beyond the end to 1", 6, 20, 1, -1)
    yield Case("backward, an end far to the left", 6, 3, -20, -1)
    yield Case("of nothing", 0, None, None, -1)
    yield Case("a step of 0", 5, 0, 3, 0, raises=ValueError)


def _slice_positions(n, start, stop, step):
    return list(range(n))[start:stop:step]


def _ends(n, start, stop, step):
    if step == 0:
        raise ValueError("the step must not be 0")
    first, last = (0, n) if step > 0 else (n - 1, -1)
    return first if start is None else start, last if stop is None else stop


def _turned(number, n):
    return number + n if number < 0 else number


def _negative_numbers_as_they_are(n, start, stop, step):
    start, stop = _ends(n, start, stop, step)
    return list(range(max(start, 0), min(stop, n), step))


def _ends_for_forward_only(n, start, stop, step):
    if step == 0:
        raise ValueError("the step must not be 0")
    start, stop = 0 if start is None else start, n if stop is None else stop
    low, high = (0, n) if step > 0 else (-1, n - 1)
    start, stop = (min(max(_turned(number, n), low), high) for number in (start, stop))
    return list(range(start, stop, step))


def _clips_backward_like_forward(n, start, stop, step):
    if step == 0:
        raise ValueError("the step must not be 0")
    first, last = (0, n) if step > 0 else (n - 1, -1)
    start = first if start is None else min(max(_turned(start, n), 0), n)
    stop = last if stop is None else min(max(_turned(stop, n), 0), n)
    return list(range(start, stop, step))


def _missing_end_is_turned(n, start, stop, step):
    start, stop = _ends(n, start, stop, step)
    low, high = (0, n) if step > 0 else (-1, n - 1)
    start, stop = (min(max(_turned(number, n), low), high) for number in (start, stop))
    return list(range(start, stop, step))


def _no_clipping(n, start, stop, step):
    first, last = _ends(n, None, None, step)
    start = first if start is None else _turned(start, n)
    stop = last if stop is None else _turned(stop, n)
    return list(range(start, stop, step))


SLICE_POSITIONS = Exercise(
    name="slice_positions",
    title="Which positions does a slice take?",
    points=5,
    minutes=30,
    difficulty=4,
    hints=(
        "Three steps: fill in the ends that are missing, turn negative numbers into positions, and clip what lies outside. "
        "Then `range(start, stop, step)` is the answer.",
        'Backward, the missing ends are n - 1 and "before position 0"; the latter is -1 for range, and must not be turned into a '
        "position once more.",
        "Clip to 0 … n for a positive step, and to -1 … n - 1 for a negative one, but only after negative numbers were turned.",
    ),
    cases=_slice_cases,
    oracle=_slice_positions,
    mistakes=(
        Mistake(
            _negative_numbers_as_they_are,
            "Negative numbers were not turned into positions: −3 means n − 3.",
            "wrong shape",
        ),
        Mistake(
            _ends_for_forward_only,
            "With a negative step the ends that are left out are the other way round: it begins at the last item.",
            "wrong shape",
        ),
        Mistake(
            _clips_backward_like_forward,
            "With a negative step the numbers must be clipped to −1 … n − 1: position n does not exist, and the item at 0 must be "
            "taken if the end lies to the left of it.",
            "wrong shape",
        ),
        Mistake(
            _missing_end_is_turned,
            "Backward, the missing end was set to −1 and then turned into n − 1, as if it had been given: nothing comes out.",
            "wrong shape",
        ),
        Mistake(
            _no_clipping,
            "Numbers beyond the ends must be clipped; positions came out that do not exist.",
            "wrong shape",
        ),
    ),
)


# initials_examples ------------------------------------------------------------------------------------------------------

_INITIALS = (
    ("all examples hold for a right function", "right"),
    ("an example fails for a function that forgets to make capitals", "capitals"),
    ("an example fails for a function that takes every single space for a cut", "spaces"),
    ("an example fails for a function that takes only the first and the last word", "two"),
    ("an example fails for a function that cannot take an empty name", "empty"),
)


def _use_examples(answer, which):
    import doctest
    import io

    def dotted(words):
        return "".join(word[0].upper() + "." for word in words)

    functions = {
        "right": lambda name: dotted(name.split()),
        "capitals": lambda name: "".join(word[0] + "." for word in name.split()),
        "spaces": lambda name: dotted(name.split(" ")) if name else "",
        "two": lambda name: dotted(name.split()[:1] + name.split()[1:][-1:]),
        "empty": lambda name: dotted(name.split()) if name.split()[0] else "",
    }
    test = doctest.DocTestParser().get_doctest(answer, {"initials": functions[which]}, "initials", None, 0)
    results = doctest.DocTestRunner(verbose=False).run(test, out=io.StringIO().write)
    if results.attempted == 0:
        return "there are no examples"
    return "an example fails" if results.failed else "all examples hold"


def _initials_oracle(which):
    return "all examples hold" if which == "right" else "an example fails"


_ONE_EXAMPLE = """
>>> initials("ada lovelace")
'A.L.'
"""
_THREE_WORDS_TOO = """
>>> initials("ada lovelace")
'A.L.'
>>> initials("john von neumann")
'J.V.N.'
>>> initials("")
''
"""
_NO_EMPTY_NAME = """
>>> initials("  ada   king lovelace ")
'A.K.L.'
"""
_WITHOUT_QUOTES = """
>>> initials("ada  king lovelace")
A.K.L.
>>> initials("")
''
"""
_WITHOUT_PROMPT = """
initials("ada  king lovelace")
'A.K.L.'
"""

INITIALS_EXAMPLES = Exercise(
    name="initials_examples",
    title="Write the examples",
    points=5,
    minutes=20,
    difficulty=3,
    hints=(
        "An example is a line with >>> and a space, and below it what Python would show: a string with its quotes.",
        "Ask of each way to get it wrong: on which name would it show? One name can show several.",
        "Think of small letters, two spaces in a row, three words, and no word at all.",
    ),
    answer="value",
    cases=lambda rng: [Case(label, which) for label, which in _INITIALS],
    oracle=_initials_oracle,
    use=_use_examples,
    mistakes=(
        Mistake(
            _ONE_EXAMPLE,
            "One usual case is not enough: it holds for functions that fail on other names.",
        ),
        Mistake(
            _THREE_WORDS_TOO,
            'None of the examples has two spaces in a row, the place where `split(" ")` goes wrong.',
        ),
        Mistake(_NO_EMPTY_NAME, "The smallest input is missing: what are the initials of an empty name?"),
        Mistake(
            _WITHOUT_QUOTES,
            "An example fails for the right function, too: Python's prompt shows a string with its quotes, and doctest "
            "compares text.",
        ),
        Mistake(_WITHOUT_PROMPT, "There are no examples: each begins with `>>> `, as at Python's prompt."),
    ),
)


# concordance ------------------------------------------------------------------------------------------------------------

_LETTER = (
    "Dear Ann, the sea is calm. I see the island from\n"
    'the window; nobody has seen it this clear. "The Sea," said\n'
    'the old man, "is a mirror, and a sea\n'
    'of mirrors." Seas, seals and seaweed: all is sea'
)


def _concordance_cases(rng):
    yield Case("a letter from an island", _LETTER, "sea", 12)
    yield Case("a wide view", _LETTER, "the", rng.randint(30, 40))
    yield Case("a word in capitals", _LETTER, "SEA", 5)
    words = [rng.choice(["one", "two", "bone", "Two", "twos"]) for _ in range(12)]
    yield Case("drawn words", " ".join([*words, "two"]), "two", 7)
    yield Case("a word that is not there", _LETTER, "ocean", 10)
    yield Case("no context", _LETTER, "Ann", 0)


def _concordance(text, word, width):
    flat = text.replace("\n", " ")
    found = re.finditer(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", flat, re.IGNORECASE)
    return [_line(flat, match.start(), match.end(), width) for match in found]


def _line(text, start, end, width):
    return f"{text[max(start - width, 0) : start]:>{width}}[{text[start:end]}]{text[end : end + width]}"


def _also_inside_words(text, word, width):
    flat = text.replace("\n", " ")
    found = re.finditer(re.escape(word), flat, re.IGNORECASE)
    return [_line(flat, match.start(), match.end(), width) for match in found]


def _case_matters(text, word, width):
    flat = text.replace("\n", " ")
    found = re.finditer(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", flat)
    return [_line(flat, match.start(), match.end(), width) for match in found]


def _negative_start(text, word, width):
    flat = text.replace("\n", " ")
    found = re.finditer(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", flat, re.IGNORECASE)
    spans = [match.span() for match in found]
    return [f"{flat[s - width : s]:>{width}}[{flat[s:e]}]{flat[e : e + width]}" for s, e in spans]


def _not_aligned(text, word, width):
    return [line.lstrip(" ") for line in _concordance(text, word, width)]


def _lines_not_joined(text, word, width):
    found = re.finditer(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", text, re.IGNORECASE)
    return [_line(text, match.start(), match.end(), width) for match in found]


def _shows_the_word_asked_for(text, word, width):
    return [re.sub(r"\[.*?\]", f"[{word}]", line) for line in _concordance(text, word, width)]


CONCORDANCE = Exercise(
    name="concordance",
    title="A word in its places",
    points=6,
    minutes=40,
    difficulty=4,
    hints=(
        "Walk through the positions of the text. At a position i, what must hold of text[i : i + len(word)], of the character "
        "before it and of the one after it?",
        "At the beginning of the text, i - width is negative, and a slice counts it from the end. max(i - width, 0) helps.",
        'f"{left:>{width}}" fills up on the left, so that all words stand in one column.',
    ),
    cases=_concordance_cases,
    oracle=_concordance,
    mistakes=(
        Mistake(
            _also_inside_words,
            "Longer words are found as well. A letter directly before or behind means that the word is only a part of another.",
            "wrong shape",
        ),
        Mistake(_case_matters, "Words with other capitals are missing: compare without case.", "wrong shape"),
        Mistake(
            _negative_start,
            "Near the beginning, `start - width` is negative, and the slice counts from the end of the text.",
        ),
        Mistake(_not_aligned, "The words do not stand in one column: the left context must be filled up to its width."),
        Mistake(_lines_not_joined, "A line break is left in the context; each must become a space."),
        Mistake(
            _shows_the_word_asked_for,
            "The word is shown as it was asked for; show it as it stands in the text, with its capitals.",
        ),
    ),
)


# two_texts --------------------------------------------------------------------------------------------------------------

TWO_TEXTS = Exercise(
    name="two_texts",
    title="Two texts of your own",
    points=6,
    minutes=45,
    difficulty=4,
    hints=(
        "Mails, source code, song texts, articles: two texts of which you believe something that can be counted.",
        "Say what you expect before you count. Cut both to the same number of words, since larger texts have larger vocabularies.",
    ),
    answer="manual",
    rubric=(
        "1 point: the question can be decided by counting, and what was expected is said before the result. "
        "2 points: the words (or letters, sentences) are defined, and the definition is tested on examples. "
        "2 points: texts of different length are made comparable, and the numbers are given with a baseline or with both halves. "
        "1 point: says what the result does not show."
    ),
)


EXERCISES = (
    CLOCK_TIME,
    PREDICT_NAMES,
    PREDICT_CONDITIONS,
    ROTATE,
    FROM_BASE,
    SAME_TEXT,
    EMPTY_BOARD,
    CENTS,
    CLOSE_ENOUGH,
    ROUND_HALF_EVEN,
    SLICE_POSITIONS,
    INITIALS_EXAMPLES,
    CONCORDANCE,
    TWO_TEXTS,
)
