// CUDA's mathematical functions and intrinsics, in the CPU's arithmetic.
#pragma once

using std::abs, std::fabs, std::sqrt, std::cbrt, std::hypot, std::exp, std::exp2, std::expm1, std::log, std::log2;
using std::fmod, std::fma, std::fmin, std::fmax, std::copysign, std::isnan, std::isinf, std::isfinite, std::signbit;
using std::log10, std::log1p, std::pow, std::sin, std::cos, std::tan, std::asin, std::acos, std::atan, std::atan2;
using std::sinh, std::cosh, std::tanh, std::erf, std::erfc, std::floor, std::ceil, std::trunc, std::round, std::rint;

template <class A, class B>
constexpr std::common_type_t<A, B> min(A a, B b) {
  return b < a ? b : a;
}

template <class A, class B>
constexpr std::common_type_t<A, B> max(A a, B b) {
  return a < b ? b : a;
}

// In a namespace, because newer C libraries have functions of these names as well.
namespace executor::math {

inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float rcbrtf(float x) { return 1.0f / std::cbrt(x); }
inline float exp10f(float x) { return std::pow(10.0f, x); }
inline float sinpif(float x) { return (float)std::sin(3.14159265358979323846 * x); }
inline float cospif(float x) { return (float)std::cos(3.14159265358979323846 * x); }
inline float normcdff(float x) { return 0.5f * std::erfc(-x * 0.70710678118654752440f); }
inline float fdividef(float a, float b) { return a / b; }
inline void sincosf(float x, float *sine, float *cosine) { *sine = std::sin(x), *cosine = std::cos(x); }

}  // namespace executor::math

#define rsqrtf ::executor::math::rsqrtf
#define rsqrt ::executor::math::rsqrt
#define rcbrtf ::executor::math::rcbrtf
#define exp10f ::executor::math::exp10f
#define sinpif ::executor::math::sinpif
#define cospif ::executor::math::cospif
#define normcdff ::executor::math::normcdff
#define fdividef ::executor::math::fdividef
#define sincosf ::executor::math::sincosf

inline float __saturatef(float x) { return x < 0 || x != x ? 0.0f : x > 1 ? 1.0f : x; }

inline void __sincosf(float x, float *sine, float *cosine) { sincosf(x, sine, cosine); }

inline float __expf(float x) { return std::exp(x); }
inline float __exp10f(float x) { return exp10f(x); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float __log10f(float x) { return std::log10(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __sinf(float x) { return std::sin(x); }
inline float __cosf(float x) { return std::cos(x); }
inline float __tanf(float x) { return std::tan(x); }
inline float __tanhf(float x) { return std::tanh(x); }
inline float __fdividef(float a, float b) { return a / b; }

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frsqrt_rn(float x) { return rsqrtf(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }

namespace executor {

template <class To, class From>
inline To bits_as(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  __builtin_memcpy(&result, &value, sizeof(To));
  return result;
}

}  // namespace executor

inline int __float_as_int(float x) { return executor::bits_as<int>(x); }
inline unsigned __float_as_uint(float x) { return executor::bits_as<unsigned>(x); }
inline float __int_as_float(int x) { return executor::bits_as<float>(x); }
inline float __uint_as_float(unsigned x) { return executor::bits_as<float>(x); }
inline long long __double_as_longlong(double x) { return executor::bits_as<long long>(x); }
inline double __longlong_as_double(long long x) { return executor::bits_as<double>(x); }

inline int __float2int_rn(float x) { return (int)std::rint(x); }
inline int __float2int_rz(float x) { return (int)x; }
inline int __float2int_rd(float x) { return (int)std::floor(x); }
inline int __float2int_ru(float x) { return (int)std::ceil(x); }
inline unsigned __float2uint_rn(float x) { return (unsigned)std::rint(x); }
inline unsigned __float2uint_rz(float x) { return (unsigned)x; }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline float __double2float_rn(double x) { return (float)x; }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __mul24(int a, int b) { return a * b; }
inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }

inline unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; bit++) reversed |= (x >> bit & 1u) << (31 - bit);
  return reversed;
}

inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)((((unsigned long long)high << 32 | low) << (shift & 31)) >> 32);
}

inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (shift & 31));
}

inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  unsigned long long bytes = (unsigned long long)y << 32 | x;
  unsigned result = 0;
  for (int i = 0; i < 4; i++) result |= (unsigned)(bytes >> 8 * (selector >> 4 * i & 7) & 0xff) << 8 * i;
  return result;
}

#define EXECUTOR_CACHED(NAME)                \
  template <class T>                         \
  __forceinline__ T NAME(const T *address) { \
    return *address;                         \
  }

EXECUTOR_CACHED(__ldg)
EXECUTOR_CACHED(__ldca)
EXECUTOR_CACHED(__ldcg)
EXECUTOR_CACHED(__ldcs)
EXECUTOR_CACHED(__ldlu)
EXECUTOR_CACHED(__ldcv)

#define EXECUTOR_STORE(NAME)                                             \
  template <class T>                                                     \
  __forceinline__ void NAME(T *address, std::type_identity_t<T> value) { \
    *address = value;                                                    \
  }

EXECUTOR_STORE(__stwb)
EXECUTOR_STORE(__stcg)
EXECUTOR_STORE(__stcs)
EXECUTOR_STORE(__stwt)

#define CUDART_INF_F __builtin_inff()
#define CUDART_INF __builtin_inf()
#define CUDART_NAN_F __builtin_nanf("")
#define CUDART_PI_F 3.141592654f
#define CUDART_PI 3.1415926535897931

[[noreturn]] inline void __trap(EXECUTOR_PLACE) { executor::trap("the kernel called __trap()", where); }
long long clock64();
