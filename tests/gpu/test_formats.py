"""Number formats mean, round and overflow as PyTorch's and NumPy's do, for all patterns."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.gpu.formats import (
    BF16,
    E4M3,
    E5M2,
    FORMATS,
    FP16,
    FP32,
    FP64,
    TF32,
    Format,
    from_bits,
    quantize,
    round_to,
    to_bits,
)

LIBRARY = {FP16: torch.float16, BF16: torch.bfloat16, E4M3: torch.float8_e4m3fn, E5M2: torch.float8_e5m2}
each = pytest.mark.parametrize("form", LIBRARY, ids=lambda form: form.name)


def all_patterns(form):
    return np.arange(2**form.bits)


def stored_by_torch(form, patterns):
    return torch.from_numpy(patterns.astype(np.uint8 if form.bits == 8 else np.uint16)).view(LIBRARY[form])


def meaning(pattern, form):
    """The loop version of the chapter."""
    sign = -1 if pattern >> (form.bits - 1) else 1
    E = pattern >> form.fraction_bits & (2**form.exponent_bits - 1)
    F = pattern & (2**form.fraction_bits - 1)
    leading, exponent = (1, E - form.bias) if E else (0, 1 - form.bias)
    return sign * (leading + F / 2**form.fraction_bits) * 2.0**exponent


def nearest(x, form, n_patterns):
    """The loop version of the chapter."""
    best = min(range(n_patterns), key=lambda p: (abs(meaning(p, form) - abs(x)), p % 2))
    return float(np.copysign(meaning(best, form), x))


@each
def test_every_pattern_means_what_it_means_to_torch(form):
    patterns = all_patterns(form)
    assert np.array_equal(from_bits(patterns, form), stored_by_torch(form, patterns).double().numpy(), equal_nan=True)


@each
def test_loop_version_of_the_lesson_agrees(form):
    values = from_bits(all_patterns(form), form)
    for pattern in np.flatnonzero(np.isfinite(values))[:: max(1, 2**form.bits // 300)]:
        assert meaning(int(pattern), form) == values[pattern]


@each
def test_limits_are_those_of_torch(form):
    facts = torch.finfo(LIBRARY[form])
    assert (form.max, form.smallest_normal, form.epsilon) == (facts.max, facts.smallest_normal, facts.eps)
    values = from_bits(all_patterns(form), form)
    finite = values[np.isfinite(values)]
    assert finite.max() == form.max
    assert finite[finite > 0].min() == form.smallest


@each
def test_rounding_equals_torch_in_range_at_ties_and_on_the_borders(form):
    rng = np.random.default_rng(0)
    values = np.unique(from_bits(all_patterns(form), form))
    values = values[np.isfinite(values)]
    ties = (values[1:] + values[:-1]) / 2
    wide = rng.normal(size=50_000) * 10.0 ** rng.uniform(-45, 38, size=50_000)
    x = np.concatenate([values, ties, wide, rng.normal(size=10_000)]).astype(np.float32)
    x = np.concatenate([x, np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))])
    if not form.has_infinity:
        x = x[np.abs(x) <= form.max * (1 + form.epsilon / 4)]
    expected = torch.from_numpy(x).to(LIBRARY[form]).double().numpy()
    assert np.array_equal(round_to(x, form), expected, equal_nan=True)
    assert np.array_equal(np.signbit(round_to(x, form)), np.signbit(expected))


@each
def test_patterns_of_numbers_and_back(form):
    patterns = all_patterns(form)
    numbers = ~np.isnan(from_bits(patterns, form))
    assert np.array_equal(to_bits(from_bits(patterns[numbers], form), form), patterns[numbers])
    assert np.isnan(from_bits(to_bits([np.nan, -np.nan], form), form)).all()


def test_fp32_and_fp64_are_numpys():
    rng = np.random.default_rng(1)
    x = rng.normal(size=20_000) * 10.0 ** rng.uniform(-320, 300, size=20_000)
    with np.errstate(over="ignore", under="ignore"):
        assert np.array_equal(round_to(x, FP32), x.astype(np.float32))
        assert np.array_equal(to_bits(x, FP32), x.astype(np.float32).view(np.uint32))
    assert np.array_equal(round_to(x, FP64), x)
    assert np.array_equal(to_bits(x, FP64), x.view(np.uint64))
    assert np.array_equal(from_bits(x.view(np.uint64), FP64), x)


def test_tf32_is_an_fp32_whose_last_13_bits_are_rounded_away():
    rng = np.random.default_rng(2)
    x = (rng.normal(size=20_000) * 10.0 ** rng.uniform(-30, 30, size=20_000)).astype(np.float32)
    pattern = x.view(np.uint32)
    cut = (pattern + 0x0FFF + ((pattern >> 13) & 1)) & ~np.uint32(0x1FFF)
    assert np.array_equal(round_to(x, TF32), cut.view(np.float32))


def test_trying_all_patterns_is_the_definition():
    rng = np.random.default_rng(3)
    x = rng.normal(size=200) * 10.0 ** rng.uniform(-4, 2.6, size=200)
    x = np.append(x, [0.0, -0.0, 1.0625, 1.1875, 17.0, 448.0, 500.0])
    assert [nearest(v, E4M3, 127) for v in x] == round_to(x, E4M3).tolist()


def test_overflow():
    assert round_to([65_519.9, 65_520.0, -1e9, np.inf], FP16).tolist() == [65_504, np.inf, -np.inf, np.inf]
    assert round_to([449.0, 1e9, -np.inf], E4M3).tolist() == [448, 448, -448]
    assert np.isnan(round_to(np.nan, E4M3))


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(FORMATS))
def test_rounding_errs_by_at_most_half_a_step_and_is_a_projection(x, form):
    rounded = float(round_to(x, form))
    assert float(round_to(rounded, form)) == rounded
    assert float(round_to(-x, form)) == -rounded
    if form.smallest_normal <= abs(x) <= form.max:
        assert abs(rounded - x) <= form.epsilon / 2 * abs(x)


def test_a_format_is_two_widths():
    mini = Format("mini", 2, 1)
    assert from_bits(np.arange(8), mini).tolist()[:7] == [0, 0.5, 1, 1.5, 2, 3, np.inf]
    assert mini.bits == 4 and mini.bias == 1 and mini.max == 3 and mini.smallest == 0.5


def test_bad_patterns_are_refused():
    with pytest.raises(ValueError, match="patterns are integers; got float64"):
        from_bits([1.0], FP16)
    with pytest.raises(ValueError, match="a pattern of fp8 e4m3 has 8 bits"):
        from_bits([256], E4M3)
    with pytest.raises(ValueError, match="has 16 bits"):
        from_bits([-1], FP16)


def test_quantize_equals_torch():
    x = np.random.default_rng(4).normal(size=(50, 7)) * 10.0 ** np.arange(-3, 4)
    q, scale = quantize(x)
    theirs = torch.fake_quantize_per_tensor_affine(torch.tensor(x), float(scale.item()), 0, -127, 127)
    assert q.dtype == np.int8 and np.allclose(q * scale, theirs.numpy(), rtol=1e-5)
    q, scale = quantize(x, axis=0)
    assert scale.shape == (1, 7)
    theirs = torch.fake_quantize_per_channel_affine(
        torch.tensor(x), torch.tensor(scale[0], dtype=torch.float32), torch.zeros(7, dtype=torch.int32), 1, -127, 127
    )
    assert np.allclose(q * scale, theirs.numpy(), rtol=1e-5)
    assert (np.abs(q).max(axis=0) == 127).all()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_quantize_errs_by_at_most_half_a_scale(bits):
    x = np.random.default_rng(5).normal(size=(20, 5))
    q, scale = quantize(x, axis=1, bits=bits)
    assert scale.shape == (20, 1)
    assert np.abs(q).max() == 2 ** (bits - 1) - 1
    assert (np.abs(q * scale - x) <= scale / 2 * (1 + 1e-12)).all()


def test_quantize_of_zeros_and_bad_input():
    q, scale = quantize(np.zeros((2, 3)), axis=1)
    assert not q.any() and (scale > 0).all()
    with pytest.raises(ValueError, match="bits must be from 2 to 8; got 16"):
        quantize(np.ones(3), bits=16)
    with pytest.raises(ValueError, match="infinite or missing"):
        quantize(np.array([1.0, np.nan]))
