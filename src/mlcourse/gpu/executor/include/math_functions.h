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
inline float normcdff(float x) { return 0.5f * std::erfc(-x * 0.70710678118654752440f); }
inline float fdividef(float a, float b) { return a / b; }
inline double rcbrt(double x) { return 1.0 / std::cbrt(x); }
inline double sinpi(double x) { return std::sin(3.14159265358979323846 * std::fmod(x, 2.0)); }
inline double cospi(double x) { return std::cos(3.14159265358979323846 * std::fmod(x, 2.0)); }
inline double normcdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440); }
inline float sinpif(float x) { return (float)sinpi(x); }
inline float cospif(float x) { return (float)cospi(x); }
inline float norm3df(float a, float b, float c) { return std::hypot(a, b, c); }
inline float norm4df(float a, float b, float c, float d) { return std::hypot(std::hypot(a, b), c, d); }
inline float rnorm3df(float a, float b, float c) { return 1.0f / norm3df(a, b, c); }
inline float rnorm4df(float a, float b, float c, float d) { return 1.0f / norm4df(a, b, c, d); }
inline float rhypotf(float a, float b) { return 1.0f / std::hypot(a, b); }
inline void sincospif(float x, float *sine, float *cosine) { *sine = (float)sinpi(x), *cosine = (float)cospi(x); }
inline void sincospi(double x, double *sine, double *cosine) { *sine = sinpi(x), *cosine = cospi(x); }
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
#define rcbrt ::executor::math::rcbrt
#define sinpi ::executor::math::sinpi
#define cospi ::executor::math::cospi
#define normcdf ::executor::math::normcdf
#define norm3df ::executor::math::norm3df
#define norm4df ::executor::math::norm4df
#define rnorm3df ::executor::math::rnorm3df
#define rnorm4df ::executor::math::rnorm4df
#define rhypotf ::executor::math::rhypotf
#define sincospif ::executor::math::sincospif
#define sincospi ::executor::math::sincospi
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

namespace executor {

struct Rounding {
  int before = std::fegetround();
  explicit Rounding(int mode) { std::fesetround(mode); }
  ~Rounding() { std::fesetround(before); }
};

}  // namespace executor

// The call through a volatile pointer keeps the compiler from computing it before the mode is set.
#define EXECUTOR_DIRECTED(NAME, MODE, NEAREST, T, PARAMETERS, ARGUMENTS) \
  EXECUTOR_HIDDEN T NAME PARAMETERS {                                    \
    T(*volatile nearest) PARAMETERS = NEAREST;                           \
    executor::Rounding mode(MODE);                                       \
    return nearest ARGUMENTS;                                            \
  }

#define EXECUTOR_ROUNDINGS(NAME, T, PARAMETERS, ARGUMENTS, EXPRESSION)             \
  inline T NAME##_rn PARAMETERS { return EXPRESSION; }                             \
  EXECUTOR_DIRECTED(NAME##_rz, FE_TOWARDZERO, NAME##_rn, T, PARAMETERS, ARGUMENTS) \
  EXECUTOR_DIRECTED(NAME##_ru, FE_UPWARD, NAME##_rn, T, PARAMETERS, ARGUMENTS)     \
  EXECUTOR_DIRECTED(NAME##_rd, FE_DOWNWARD, NAME##_rn, T, PARAMETERS, ARGUMENTS)

EXECUTOR_ROUNDINGS(__fadd, float, (float a, float b), (a, b), a + b)
EXECUTOR_ROUNDINGS(__fsub, float, (float a, float b), (a, b), a - b)
EXECUTOR_ROUNDINGS(__fmul, float, (float a, float b), (a, b), a *b)
EXECUTOR_ROUNDINGS(__fdiv, float, (float a, float b), (a, b), a / b)
EXECUTOR_ROUNDINGS(__frcp, float, (float x), (x), 1.0f / x)
EXECUTOR_ROUNDINGS(__fsqrt, float, (float x), (x), std::sqrt(x))
EXECUTOR_ROUNDINGS(__fmaf, float, (float a, float b, float c), (a, b, c), std::fma(a, b, c))
EXECUTOR_ROUNDINGS(__dadd, double, (double a, double b), (a, b), a + b)
EXECUTOR_ROUNDINGS(__dsub, double, (double a, double b), (a, b), a - b)
EXECUTOR_ROUNDINGS(__dmul, double, (double a, double b), (a, b), a *b)
EXECUTOR_ROUNDINGS(__ddiv, double, (double a, double b), (a, b), a / b)
EXECUTOR_ROUNDINGS(__drcp, double, (double x), (x), 1.0 / x)
EXECUTOR_ROUNDINGS(__dsqrt, double, (double x), (x), std::sqrt(x))
EXECUTOR_ROUNDINGS(__fma, double, (double a, double b, double c), (a, b, c), std::fma(a, b, c))
inline float __frsqrt_rn(float x) { return rsqrtf(x); }

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
inline int __double2hiint(double x) { return (int)(__double_as_longlong(x) >> 32); }
inline int __double2loint(double x) { return (int)__double_as_longlong(x); }
inline double __hiloint2double(int high, int low) {
  return __longlong_as_double((long long)((unsigned long long)(unsigned)high << 32 | (unsigned)low));
}

EXECUTOR_ROUNDINGS(__int2float, float, (int x), (x), (float)x)
EXECUTOR_ROUNDINGS(__uint2float, float, (unsigned x), (x), (float)x)
EXECUTOR_ROUNDINGS(__ll2float, float, (long long x), (x), (float)x)
EXECUTOR_ROUNDINGS(__ull2float, float, (unsigned long long x), (x), (float)x)
EXECUTOR_ROUNDINGS(__ll2double, double, (long long x), (x), (double)x)
EXECUTOR_ROUNDINGS(__ull2double, double, (unsigned long long x), (x), (double)x)
EXECUTOR_ROUNDINGS(__double2float, float, (double x), (x), (float)x)
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }

namespace executor {

// What does not fit becomes the nearest number that does, as on a GPU.
template <class To, class From>
inline To to_integer(From x) {
  using Limits = std::numeric_limits<To>;
  if (x != x) return 0;
  if (x >= (From)Limits::max()) return Limits::max();
  return x <= (From)Limits::min() ? Limits::min() : (To)x;
}

}  // namespace executor

#define EXECUTOR_TO_INTEGER(NAME, TO, FROM)                                       \
  inline TO NAME##_rn(FROM x) { return executor::to_integer<TO>(std::rint(x)); }  \
  inline TO NAME##_rz(FROM x) { return executor::to_integer<TO>(std::trunc(x)); } \
  inline TO NAME##_rd(FROM x) { return executor::to_integer<TO>(std::floor(x)); } \
  inline TO NAME##_ru(FROM x) { return executor::to_integer<TO>(std::ceil(x)); }

EXECUTOR_TO_INTEGER(__float2int, int, float)
EXECUTOR_TO_INTEGER(__float2uint, unsigned, float)
EXECUTOR_TO_INTEGER(__float2ll, long long, float)
EXECUTOR_TO_INTEGER(__float2ull, unsigned long long, float)
EXECUTOR_TO_INTEGER(__double2int, int, double)
EXECUTOR_TO_INTEGER(__double2uint, unsigned, double)
EXECUTOR_TO_INTEGER(__double2ll, long long, double)
EXECUTOR_TO_INTEGER(__double2ull, unsigned long long, double)

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __mul24(int a, int b) { return (a << 8 >> 8) * (b << 8 >> 8); }
inline unsigned __umul24(unsigned a, unsigned b) { return (a & 0xffffff) * (b & 0xffffff); }
inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }

inline long long __mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __hadd(int a, int b) { return (int)(((long long)a + b) >> 1); }
inline int __rhadd(int a, int b) { return (int)(((long long)a + b + 1) >> 1); }
inline unsigned __uhadd(unsigned a, unsigned b) { return (unsigned)(((unsigned long long)a + b) >> 1); }
inline unsigned __urhadd(unsigned a, unsigned b) { return (unsigned)(((unsigned long long)a + b + 1) >> 1); }
inline unsigned __usad(unsigned a, unsigned b, unsigned sum) { return (a < b ? b - a : a - b) + sum; }
inline unsigned __sad(int a, int b, unsigned sum) {
  return (a < b ? (unsigned)b - (unsigned)a : (unsigned)a - (unsigned)b) + sum;
}

inline unsigned long long __brevll(unsigned long long x) {
  unsigned long long reversed = 0;
  for (int bit = 0; bit < 64; bit++) reversed |= (x >> bit & 1u) << (63 - bit);
  return reversed;
}
inline unsigned __brev(unsigned x) { return (unsigned)(__brevll(x) >> 32); }

namespace executor {

template <class Vector, class T>
inline T dot4(Vector a, Vector b, T sum) {
  return sum + (T)(a.x * b.x) + (T)(a.y * b.y) + (T)(a.z * b.z) + (T)(a.w * b.w);
}

}  // namespace executor

inline int __dp4a(char4 a, char4 b, int sum) { return executor::dot4(a, b, sum); }
inline unsigned __dp4a(uchar4 a, uchar4 b, unsigned sum) { return executor::dot4(a, b, sum); }
inline int __dp4a(int a, int b, int sum) {
  return __dp4a(executor::bits_as<char4>(a), executor::bits_as<char4>(b), sum);
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned sum) {
  return __dp4a(executor::bits_as<uchar4>(a), executor::bits_as<uchar4>(b), sum);
}

inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)((((unsigned long long)high << 32 | low) << (shift & 31)) >> 32);
}

inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (shift & 31));
}

inline unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned shift) {
  return shift < 32 ? __funnelshift_l(low, high, shift) : low;
}
inline unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned shift) {
  return shift < 32 ? __funnelshift_r(low, high, shift) : high;
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
