// CUDA C++ for a CPU: included in front of every kernel, so that its source needs no change.
#pragma once

#include <cassert>
#include <cfenv>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <type_traits>
#include <utility>

#include "executor.h"

#define __CUDACC__ 1
#define __CUDA_ARCH__ 800
#define MLCOURSE_EXECUTOR 1

#define __global__
#define __device__
#define __host__
#define __managed__
#define __forceinline__ inline __attribute__((always_inline))
#define __inline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __grid_constant__
#define __maxnreg__(...)
#if !defined(__clang__)
#define __builtin_assume(condition) ((condition) ? (void)0 : __builtin_unreachable())
#endif

// The host may set a constant, so the compiler must not take it for what it is initialized with.
#define __constant__ __attribute__((used))

// One block runs at a time, all its threads on one thread of the system: what belongs to that one belongs to the block.
// Nothing else of a kernel is thread-local, so the runtime knows the shared variables by where they are.
#if defined(__APPLE__)
#define __shared__ static __attribute__((section("__DATA,__block_shared")))
#elif defined(__clang__)
#define __shared__ thread_local
#else
#define __shared__ constinit thread_local  // so that nothing is called to initialize it
#endif

#include "vector_types.h"

extern "C" {
extern const uint3 threadIdx, blockIdx, blockDim, gridDim;
}
constexpr int warpSize = 32;

#include "atomics.h"
#include "math_functions.h"
#include "warp_functions.h"

#include "memory_functions.h"

#define printf(...) executor::print(__VA_ARGS__)
#define asm inline_ptx_needs_a_gpu
