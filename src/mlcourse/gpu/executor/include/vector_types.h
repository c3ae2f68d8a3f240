// The small vectors of CUDA: float4, int2, dim3 and their relatives.
#pragma once

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  constexpr dim3(uint3 u) : x(u.x), y(u.y), z(u.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }

#define EXECUTOR_VECTOR1(NAME, T)             \
  struct alignas(sizeof(T)) NAME##1 { T x; }; \
  inline NAME##1 make_##NAME##1(T x) { return {x}; }

#define EXECUTOR_VECTOR2(NAME, T)                    \
  struct alignas(2 * sizeof(T)) NAME##2 { T x, y; }; \
  inline NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }

#define EXECUTOR_VECTOR3(NAME, T) \
  struct NAME##3 { T x, y, z; };  \
  inline NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; }

#define EXECUTOR_VECTOR4(NAME, T)                                               \
  struct alignas(sizeof(T) < 4 ? 4 * sizeof(T) : 16) NAME##4 { T x, y, z, w; }; \
  inline NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

#define EXECUTOR_VECTORS(NAME, T) \
  EXECUTOR_VECTOR1(NAME, T)       \
  EXECUTOR_VECTOR2(NAME, T)       \
  EXECUTOR_VECTOR3(NAME, T)       \
  EXECUTOR_VECTOR4(NAME, T)

EXECUTOR_VECTORS(char, signed char)
EXECUTOR_VECTORS(uchar, unsigned char)
EXECUTOR_VECTORS(short, short)
EXECUTOR_VECTORS(ushort, unsigned short)
EXECUTOR_VECTORS(int, int)
EXECUTOR_VECTOR1(uint, unsigned)
EXECUTOR_VECTOR2(uint, unsigned)
EXECUTOR_VECTOR4(uint, unsigned)
EXECUTOR_VECTORS(long, long)
EXECUTOR_VECTORS(ulong, unsigned long)
EXECUTOR_VECTORS(longlong, long long)
EXECUTOR_VECTORS(ulonglong, unsigned long long)
EXECUTOR_VECTORS(float, float)
EXECUTOR_VECTORS(double, double)
