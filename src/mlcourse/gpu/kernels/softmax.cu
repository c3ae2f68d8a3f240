// y = softmax of each row of x (rows x cols), row-major float32: y[i] = exp(x[i] - max) / sum of exp(x[j] - max).
// softmax_three_passes, _online: blocks of 256 threads, one for each row; any number of columns.
// softmax_registers<VECTORS, EDGES>: likewise, for at most 1024 * VECTORS columns; EDGES = false needs a multiple of 4.
// Source of the second: Milakov and Gimelshein, Online Normalizer Calculation for Softmax, 2018.
#include <math_constants.h>

constexpr int THREADS = 256;
constexpr unsigned ALL = 0xffffffff;

struct Max { __device__ float operator()(float a, float b) const { return fmaxf(a, b); } };
struct Sum { __device__ float operator()(float a, float b) const { return a + b; } };

// Combine a value of each thread of the block; every thread gets the result.
template <class Combine>
__device__ float over_block(float value, Combine combine) {
  __shared__ float of_warp[THREADS / 32];
  for (int step = 16; step > 0; step /= 2) value = combine(value, __shfl_xor_sync(ALL, value, step));
  __syncthreads();  // the result of the call before has been read by all
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  value = of_warp[0];
  for (int w = 1; w < THREADS / 32; ++w) value = combine(value, of_warp[w]);
  return value;
}

// 1. As the formula is written: the row is read three times.
__global__ void softmax_three_passes(const float* x, float* y, int cols) {
  x += blockIdx.x * (size_t)cols, y += blockIdx.x * (size_t)cols;
  float most = -CUDART_INF_F, sum = 0;
  for (int i = threadIdx.x; i < cols; i += THREADS) most = fmaxf(most, x[i]);
  most = over_block(most, Max());
  for (int i = threadIdx.x; i < cols; i += THREADS) sum += expf(x[i] - most);
  sum = over_block(sum, Sum());
  for (int i = threadIdx.x; i < cols; i += THREADS) y[i] = expf(x[i] - most) / sum;
}

// 2. Maximum and sum in one pass: when the maximum grows, the sum so far is rescaled. The row is read twice.
__global__ void softmax_online(const float* x, float* y, int cols) {
  x += blockIdx.x * (size_t)cols, y += blockIdx.x * (size_t)cols;
  float most = -CUDART_INF_F, sum = 0;
  for (int i = threadIdx.x; i < cols; i += THREADS) {
    float value = x[i];
    if (value > most) sum *= expf(most - value), most = value;
    if (value != -CUDART_INF_F) sum += expf(value - most);
  }
  float of_block = over_block(most, Max());
  sum = over_block(sum != 0 ? sum * expf(most - of_block) : 0, Sum());
  for (int i = threadIdx.x; i < cols; i += THREADS) y[i] = expf(x[i] - of_block) / sum;
}

// Four floats of a row, of which `left` exist; the rest are -infinity, whose exponential is 0.
template <bool EDGES>
__device__ float4 load4(const float* from, int left) {
  const float other = -CUDART_INF_F;
  if (!EDGES && left > 0) return *reinterpret_cast<const float4*>(from);
  if (!EDGES) return make_float4(other, other, other, other);
  return make_float4(left > 0 ? from[0] : other, left > 1 ? from[1] : other, left > 2 ? from[2] : other, left > 3 ? from[3] : other);
}

template <bool EDGES>
__device__ void store4(float* to, float4 v, int left) {
  if (!EDGES) {
    if (left > 0) *reinterpret_cast<float4*>(to) = v;
  } else {
    if (left > 0) to[0] = v.x;
    if (left > 1) to[1] = v.y;
    if (left > 2) to[2] = v.z;
    if (left > 3) to[3] = v.w;
  }
}

// 3. The row stays in registers: it is read once.
template <int VECTORS, bool EDGES>
__global__ void __launch_bounds__(THREADS) softmax_registers(const float* x, float* y, int cols) {
  x += blockIdx.x * (size_t)cols, y += blockIdx.x * (size_t)cols;
  float4 v[VECTORS];
  float most = -CUDART_INF_F, sum = 0;
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) {
    int i = (j * THREADS + threadIdx.x) * 4;
    v[j] = load4<EDGES>(x + i, cols - i);
  }
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) most = fmaxf(most, fmaxf(fmaxf(v[j].x, v[j].y), fmaxf(v[j].z, v[j].w)));
  most = over_block(most, Max());
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) {
    v[j] = make_float4(expf(v[j].x - most), expf(v[j].y - most), expf(v[j].z - most), expf(v[j].w - most));
    sum += v[j].x + v[j].y + (v[j].z + v[j].w);
  }
  float scale = 1 / over_block(sum, Sum());
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) {
    int i = (j * THREADS + threadIdx.x) * 4;
    store4<EDGES>(y + i, make_float4(v[j].x * scale, v[j].y * scale, v[j].z * scale, v[j].w * scale), cols - i);
  }
}
