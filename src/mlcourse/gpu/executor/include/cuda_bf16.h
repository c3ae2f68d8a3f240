// bfloat16: the upper half of a float.
#pragma once

#include "cuda_fp16.h"

EXECUTOR_SMALL_FLOAT(__nv_bfloat16, executor::bfloat16_bits, executor::bfloat16_value)

struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

EXECUTOR_SMALL_FLOAT_FUNCTIONS(__nv_bfloat16, __nv_bfloat162)

using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

EXECUTOR_SMALL_FLOAT_CONVERSIONS(__nv_bfloat16, __nv_bfloat162, bfloat16)
