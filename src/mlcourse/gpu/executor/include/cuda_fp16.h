// 16-bit floating point. Every operation is done in float and rounded once, as the hardware does.
#pragma once

#include "cuda_on_cpu.h"

namespace executor {

// Rounds to nearest, ties to even, from float to a format with fewer bits of exponent and mantissa.
inline uint16_t half_bits(float value) {
  uint32_t bits = bits_as<uint32_t>(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);
  if (magnitude < 0x38800000) {  // too small for a normal number: let the addition round
    float shifted = bits_as<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (bits_as<uint32_t>(shifted) - 0x3f000000));
  }
  uint32_t odd = magnitude >> 13 & 1;
  return static_cast<uint16_t>(sign | (magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

inline float half_value(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16, exponent = bits >> 10 & 31, mantissa = bits & 0x3ff;
  if (exponent == 31) return bits_as<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent) return bits_as<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  float tiny = static_cast<float>(mantissa) * 0x1p-24f;
  return sign ? -tiny : tiny;
}

inline uint16_t bfloat16_bits(float value) {
  uint32_t bits = bits_as<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float bfloat16_value(uint16_t bits) { return bits_as<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace executor

// Both 16-bit formats and their pairs have the same operations.
#define EXECUTOR_SMALL_FLOAT(NAME, BITS, VALUE)                               \
  struct NAME {                                                               \
    uint16_t bits;                                                            \
    NAME() = default;                                                         \
    NAME(float value) : bits(BITS(value)) {}                                  \
    NAME(double value) : bits(BITS(static_cast<float>(value))) {}             \
    NAME(int value) : bits(BITS(static_cast<float>(value))) {}                \
    NAME(unsigned value) : bits(BITS(static_cast<float>(value))) {}           \
    NAME(long long value) : bits(BITS(static_cast<float>(value))) {}          \
    operator float() const { return VALUE(bits); }                            \
    NAME operator-() const { return NAME(-VALUE(bits)); }                     \
    NAME &operator+=(NAME other);                                             \
    NAME &operator-=(NAME other);                                             \
    NAME &operator*=(NAME other);                                             \
    NAME &operator/=(NAME other);                                             \
  };                                                                          \
  inline NAME operator+(NAME a, NAME b) { return NAME(float(a) + float(b)); } \
  inline NAME operator-(NAME a, NAME b) { return NAME(float(a) - float(b)); } \
  inline NAME operator*(NAME a, NAME b) { return NAME(float(a) * float(b)); } \
  inline NAME operator/(NAME a, NAME b) { return NAME(float(a) / float(b)); } \
  inline bool operator==(NAME a, NAME b) { return float(a) == float(b); }     \
  inline bool operator!=(NAME a, NAME b) { return float(a) != float(b); }     \
  inline bool operator<(NAME a, NAME b) { return float(a) < float(b); }       \
  inline bool operator<=(NAME a, NAME b) { return float(a) <= float(b); }     \
  inline bool operator>(NAME a, NAME b) { return float(a) > float(b); }       \
  inline bool operator>=(NAME a, NAME b) { return float(a) >= float(b); }     \
  inline NAME &NAME::operator+=(NAME other) { return *this = *this + other; } \
  inline NAME &NAME::operator-=(NAME other) { return *this = *this - other; } \
  inline NAME &NAME::operator*=(NAME other) { return *this = *this * other; } \
  inline NAME &NAME::operator/=(NAME other) { return *this = *this / other; }

// The comparisons of pairs: both at once, as ones and zeros, and whether both hold.
#define EXECUTOR_PAIR_COMPARISON(PAIR, NAME, OPERATOR)                                                    \
  inline PAIR __h##NAME##2(PAIR a, PAIR b) { return {float(a.x OPERATOR b.x), float(a.y OPERATOR b.y)}; } \
  inline bool __hb##NAME##2(PAIR a, PAIR b) { return a.x OPERATOR b.x && a.y OPERATOR b.y; }              \
  inline bool operator OPERATOR(PAIR a, PAIR b) { return __hb##NAME##2(a, b); }

#define EXECUTOR_PAIR_FUNCTION(PAIR, NAME) \
  inline PAIR h2##NAME(PAIR a) { return {h##NAME(a.x), h##NAME(a.y)}; }

// WORD is the format's name in the names of functions: half or bfloat16.
#define EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, FROM, T)                                        \
  inline NAME __##FROM##2##WORD##_rn(T x) { return NAME(static_cast<float>(x)); }                   \
  inline T __##WORD##2##FROM##_rn(NAME x) { return executor::to_integer<T>(std::rint(float(x))); }  \
  inline T __##WORD##2##FROM##_rz(NAME x) { return executor::to_integer<T>(std::trunc(float(x))); } \
  inline T __##WORD##2##FROM##_rd(NAME x) { return executor::to_integer<T>(std::floor(float(x))); } \
  inline T __##WORD##2##FROM##_ru(NAME x) { return executor::to_integer<T>(std::ceil(float(x))); }

#define EXECUTOR_SMALL_FLOAT_CONVERSIONS(NAME, PAIR, WORD)                                      \
  EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, short, short)                                     \
  EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, ushort, unsigned short)                           \
  EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, int, int)                                         \
  EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, uint, unsigned)                                   \
  EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, ll, long long)                                    \
  EXECUTOR_SMALL_FLOAT_CONVERSION(NAME, WORD, ull, unsigned long long)                          \
  inline NAME __float2##WORD(float x) { return NAME(x); }                                       \
  inline NAME __float2##WORD##_rn(float x) { return NAME(x); }                                  \
  inline NAME __double2##WORD(double x) { return NAME(x); }                                     \
  inline float __##WORD##2float(NAME x) { return x; }                                           \
  inline unsigned short __##WORD##_as_ushort(NAME x) { return x.bits; }                         \
  inline short __##WORD##_as_short(NAME x) { return static_cast<short>(x.bits); }               \
  inline NAME __ushort_as_##WORD(unsigned short bits) { return executor::bits_as<NAME>(bits); } \
  inline NAME __short_as_##WORD(short bits) { return executor::bits_as<NAME>(bits); }           \
  inline PAIR __floats2##WORD##2_rn(float x, float y) { return {NAME(x), NAME(y)}; }            \
  inline PAIR __float2##WORD##2_rn(float x) { return {NAME(x), NAME(x)}; }                      \
  inline PAIR __float22##WORD##2_rn(float2 x) { return {NAME(x.x), NAME(x.y)}; }                \
  inline PAIR __##WORD##2##WORD##2(NAME x) { return {x, x}; }                                   \
  inline PAIR __halves2##WORD##2(NAME x, NAME y) { return {x, y}; }                             \
  inline PAIR make_##WORD##2(NAME x, NAME y) { return {x, y}; }                                 \
  inline float2 __##WORD##22float2(PAIR x) { return {float(x.x), float(x.y)}; }                 \
  inline NAME __low2##WORD(PAIR a) { return a.x; }                                              \
  inline NAME __high2##WORD(PAIR a) { return a.y; }                                             \
  inline PAIR __low2##WORD##2(PAIR a) { return {a.x, a.x}; }                                    \
  inline PAIR __high2##WORD##2(PAIR a) { return {a.y, a.y}; }                                   \
  inline PAIR __lows2##WORD##2(PAIR a, PAIR b) { return {a.x, b.x}; }                           \
  inline PAIR __highs2##WORD##2(PAIR a, PAIR b) { return {a.y, b.y}; }

#define EXECUTOR_SMALL_FLOAT_FUNCTIONS(NAME, PAIR)                                                       \
  inline PAIR operator+(PAIR a, PAIR b) { return {a.x + b.x, a.y + b.y}; }                               \
  inline PAIR operator-(PAIR a, PAIR b) { return {a.x - b.x, a.y - b.y}; }                               \
  inline PAIR operator*(PAIR a, PAIR b) { return {a.x * b.x, a.y * b.y}; }                               \
  inline PAIR operator/(PAIR a, PAIR b) { return {a.x / b.x, a.y / b.y}; }                               \
  inline PAIR &operator+=(PAIR &a, PAIR b) { return a = a + b; }                                         \
  inline PAIR &operator-=(PAIR &a, PAIR b) { return a = a - b; }                                         \
  inline PAIR &operator*=(PAIR &a, PAIR b) { return a = a * b; }                                         \
  inline PAIR &operator/=(PAIR &a, PAIR b) { return a = a / b; }                                         \
  inline PAIR operator-(PAIR a) { return {-a.x, -a.y}; }                                                 \
  EXECUTOR_PAIR_COMPARISON(PAIR, eq, ==)                                                                 \
  EXECUTOR_PAIR_COMPARISON(PAIR, ne, !=)                                                                 \
  EXECUTOR_PAIR_COMPARISON(PAIR, lt, <)                                                                  \
  EXECUTOR_PAIR_COMPARISON(PAIR, le, <=)                                                                 \
  EXECUTOR_PAIR_COMPARISON(PAIR, gt, >)                                                                  \
  EXECUTOR_PAIR_COMPARISON(PAIR, ge, >=)                                                                 \
  inline NAME __hadd(NAME a, NAME b) { return a + b; }                                                   \
  inline NAME __hsub(NAME a, NAME b) { return a - b; }                                                   \
  inline NAME __hmul(NAME a, NAME b) { return a * b; }                                                   \
  inline NAME __hdiv(NAME a, NAME b) { return a / b; }                                                   \
  inline NAME __hneg(NAME a) { return -a; }                                                              \
  inline NAME __habs(NAME a) { return NAME(std::fabs(float(a))); }                                       \
  inline NAME __hmax(NAME a, NAME b) { return NAME(std::fmax(float(a), float(b))); }                     \
  inline NAME __hmin(NAME a, NAME b) { return NAME(std::fmin(float(a), float(b))); }                     \
  inline NAME __hfma(NAME a, NAME b, NAME c) { return NAME(double(float(a)) * float(b) + float(c)); }    \
  inline bool __heq(NAME a, NAME b) { return a == b; }                                                   \
  inline bool __hne(NAME a, NAME b) { return a != b; }                                                   \
  inline bool __hlt(NAME a, NAME b) { return a < b; }                                                    \
  inline bool __hle(NAME a, NAME b) { return a <= b; }                                                   \
  inline bool __hgt(NAME a, NAME b) { return a > b; }                                                    \
  inline bool __hge(NAME a, NAME b) { return a >= b; }                                                   \
  inline bool __hisnan(NAME a) { return std::isnan(float(a)); }                                          \
  inline int __hisinf(NAME a) { return std::isinf(float(a)) ? (float(a) > 0 ? 1 : -1) : 0; }             \
  inline NAME hexp(NAME a) { return NAME(std::exp(float(a))); }                                          \
  inline NAME hexp2(NAME a) { return NAME(std::exp2(float(a))); }                                        \
  inline NAME hlog(NAME a) { return NAME(std::log(float(a))); }                                          \
  inline NAME hlog2(NAME a) { return NAME(std::log2(float(a))); }                                        \
  inline NAME hsqrt(NAME a) { return NAME(std::sqrt(float(a))); }                                        \
  inline NAME hrsqrt(NAME a) { return NAME(1.0f / std::sqrt(float(a))); }                                \
  inline NAME hrcp(NAME a) { return NAME(1.0f / float(a)); }                                             \
  inline NAME hsin(NAME a) { return NAME(std::sin(float(a))); }                                          \
  inline NAME hcos(NAME a) { return NAME(std::cos(float(a))); }                                          \
  inline NAME htanh(NAME a) { return NAME(std::tanh(float(a))); }                                        \
  inline NAME hfloor(NAME a) { return NAME(std::floor(float(a))); }                                      \
  inline NAME hceil(NAME a) { return NAME(std::ceil(float(a))); }                                        \
  inline PAIR __hadd2(PAIR a, PAIR b) { return a + b; }                                                  \
  inline PAIR __hsub2(PAIR a, PAIR b) { return a - b; }                                                  \
  inline PAIR __hmul2(PAIR a, PAIR b) { return a * b; }                                                  \
  inline PAIR __h2div(PAIR a, PAIR b) { return a / b; }                                                  \
  inline PAIR __hneg2(PAIR a) { return {-a.x, -a.y}; }                                                   \
  inline PAIR __habs2(PAIR a) { return {__habs(a.x), __habs(a.y)}; }                                     \
  inline PAIR __hmax2(PAIR a, PAIR b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }                   \
  inline PAIR __hmin2(PAIR a, PAIR b) { return {__hmin(a.x, b.x), __hmin(a.y, b.y)}; }                   \
  inline PAIR __hfma2(PAIR a, PAIR b, PAIR c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; } \
  inline NAME hlog10(NAME a) { return NAME(std::log10(float(a))); }                                      \
  inline NAME hexp10(NAME a) { return NAME(exp10f(float(a))); }                                          \
  inline NAME hrint(NAME a) { return NAME(std::rint(float(a))); }                                        \
  inline NAME htrunc(NAME a) { return NAME(std::trunc(float(a))); }                                      \
  inline NAME __hadd_sat(NAME a, NAME b) { return NAME(__saturatef(float(a) + float(b))); }              \
  inline NAME __hsub_sat(NAME a, NAME b) { return NAME(__saturatef(float(a) - float(b))); }              \
  inline NAME __hmul_sat(NAME a, NAME b) { return NAME(__saturatef(float(a) * float(b))); }              \
  inline NAME __hfma_sat(NAME a, NAME b, NAME c) { return NAME(__saturatef(float(__hfma(a, b, c)))); }   \
  inline NAME __hfma_relu(NAME a, NAME b, NAME c) { return __hmax(__hfma(a, b, c), NAME(0)); }           \
  EXECUTOR_PAIR_FUNCTION(PAIR, exp)                                                                      \
  EXECUTOR_PAIR_FUNCTION(PAIR, exp2)                                                                     \
  EXECUTOR_PAIR_FUNCTION(PAIR, exp10)                                                                    \
  EXECUTOR_PAIR_FUNCTION(PAIR, log)                                                                      \
  EXECUTOR_PAIR_FUNCTION(PAIR, log2)                                                                     \
  EXECUTOR_PAIR_FUNCTION(PAIR, log10)                                                                    \
  EXECUTOR_PAIR_FUNCTION(PAIR, sqrt)                                                                     \
  EXECUTOR_PAIR_FUNCTION(PAIR, rsqrt)                                                                    \
  EXECUTOR_PAIR_FUNCTION(PAIR, rcp)                                                                      \
  EXECUTOR_PAIR_FUNCTION(PAIR, sin)                                                                      \
  EXECUTOR_PAIR_FUNCTION(PAIR, cos)                                                                      \
  EXECUTOR_PAIR_FUNCTION(PAIR, tanh)                                                                     \
  EXECUTOR_PAIR_FUNCTION(PAIR, floor)                                                                    \
  EXECUTOR_PAIR_FUNCTION(PAIR, ceil)                                                                     \
  EXECUTOR_PAIR_FUNCTION(PAIR, rint)                                                                     \
  EXECUTOR_PAIR_FUNCTION(PAIR, trunc)                                                                    \
  inline float __low2float(PAIR a) { return a.x; }                                                       \
  inline float __high2float(PAIR a) { return a.y; }                                                      \
  inline PAIR __lowhigh2highlow(PAIR a) { return {a.y, a.x}; }

EXECUTOR_SMALL_FLOAT(__half, executor::half_bits, executor::half_value)

struct alignas(4) __half2 {
  __half x, y;
};

EXECUTOR_SMALL_FLOAT_FUNCTIONS(__half, __half2)

using half = __half;
using half2 = __half2;

EXECUTOR_SMALL_FLOAT_CONVERSIONS(__half, __half2, half)

#define CUDART_INF_FP16 __ushort_as_half(0x7c00)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half(0x7bff)
#define CUDART_ZERO_FP16 __ushort_as_half(0)
#define CUDART_ONE_FP16 __ushort_as_half(0x3c00)
