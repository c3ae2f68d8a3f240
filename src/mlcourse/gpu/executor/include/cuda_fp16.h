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

#define EXECUTOR_SMALL_FLOAT_FUNCTIONS(NAME, PAIR)                                                       \
  inline PAIR operator+(PAIR a, PAIR b) { return {a.x + b.x, a.y + b.y}; }                               \
  inline PAIR operator-(PAIR a, PAIR b) { return {a.x - b.x, a.y - b.y}; }                               \
  inline PAIR operator*(PAIR a, PAIR b) { return {a.x * b.x, a.y * b.y}; }                               \
  inline PAIR operator/(PAIR a, PAIR b) { return {a.x / b.x, a.y / b.y}; }                               \
  inline PAIR &operator+=(PAIR &a, PAIR b) { return a = a + b; }                                         \
  inline PAIR &operator*=(PAIR &a, PAIR b) { return a = a * b; }                                         \
  inline bool operator==(PAIR a, PAIR b) { return a.x == b.x && a.y == b.y; }                            \
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
  inline PAIR h2exp(PAIR a) { return {hexp(a.x), hexp(a.y)}; }                                           \
  inline NAME __low2half(PAIR a) { return a.x; }                                                         \
  inline NAME __high2half(PAIR a) { return a.y; }                                                        \
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

inline __half __float2half(float x) { return __half(x); }
inline __half __float2half_rn(float x) { return __half(x); }
inline __half __double2half(double x) { return __half(x); }
inline __half __int2half_rn(int x) { return __half(x); }
inline __half __uint2half_rn(unsigned x) { return __half(x); }
inline float __half2float(__half x) { return x; }
inline int __half2int_rn(__half x) { return static_cast<int>(std::rint(float(x))); }
inline int __half2int_rz(__half x) { return static_cast<int>(float(x)); }
inline unsigned short __half_as_ushort(__half x) { return x.bits; }
inline __half __ushort_as_half(unsigned short bits) { return executor::bits_as<__half>(bits); }
inline __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
inline __half2 __float2half2_rn(float x) { return {__half(x), __half(x)}; }
inline __half2 __half2half2(__half x) { return {x, x}; }
inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline __half2 make_half2(__half x, __half y) { return {x, y}; }
inline float2 __half22float2(__half2 x) { return {float(x.x), float(x.y)}; }
inline __half2 __float22half2_rn(float2 x) { return {__half(x.x), __half(x.y)}; }
