// y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each row of x (rows x cols), row-major float32.
// Launch: blocks of 256 threads, one for each row.
// layer_norm_registers<VECTORS, EDGES>: for at most 1024 * VECTORS columns; EDGES = false needs a multiple of 4.
// layer_norm_three_passes: any number of columns; the row is read three times.
constexpr int THREADS = 256;
constexpr unsigned ALL = 0xffffffff;

// The sum of a value of each thread of the block, for every thread.
__device__ float over_block(float value) {
  __shared__ float of_warp[THREADS / 32];
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(ALL, value, step);
  __syncthreads();  // the result of the call before has been read by all
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0;
  for (int w = 0; w < THREADS / 32; ++w) value += of_warp[w];
  return value;
}

__global__ void layer_norm_three_passes(const float* x, const float* weight, const float* bias, float* y, int cols, float epsilon) {
  x += blockIdx.x * (size_t)cols, y += blockIdx.x * (size_t)cols;
  float sum = 0, squares = 0;
  for (int i = threadIdx.x; i < cols; i += THREADS) sum += x[i];
  float mean = over_block(sum) / cols;
  for (int i = threadIdx.x; i < cols; i += THREADS) squares += (x[i] - mean) * (x[i] - mean);
  float scale = rsqrtf(over_block(squares) / cols + epsilon);
  for (int i = threadIdx.x; i < cols; i += THREADS) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

// Four floats of a row, of which `left` exist; the rest are zeros. What is needed ONCE leaves its place in the cache to the rest.
template <bool EDGES, bool ONCE>
__device__ float4 load4(const float* from, int left) {
  const float4* vector = reinterpret_cast<const float4*>(from);
  if (!EDGES && left > 0) return ONCE ? __ldcs(vector) : *vector;
  if (!EDGES) return make_float4(0, 0, 0, 0);
  return make_float4(left > 0 ? from[0] : 0, left > 1 ? from[1] : 0, left > 2 ? from[2] : 0, left > 3 ? from[3] : 0);
}

template <bool EDGES>
__device__ void store4(float* to, float4 v, int left) {
  if (!EDGES) {
    if (left > 0) __stcs(reinterpret_cast<float4*>(to), v);
  } else {
    if (left > 0) to[0] = v.x;
    if (left > 1) to[1] = v.y;
    if (left > 2) to[2] = v.z;
    if (left > 3) to[3] = v.w;
  }
}

// The row stays in registers: it is read once.
template <int VECTORS, bool EDGES>
__global__ void __launch_bounds__(THREADS)
layer_norm_registers(const float* x, const float* weight, const float* bias, float* y, int cols, float epsilon) {
  x += blockIdx.x * (size_t)cols, y += blockIdx.x * (size_t)cols;
  float4 v[VECTORS];
  float sum = 0, squares = 0;
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) {
    int i = (j * THREADS + threadIdx.x) * 4;
    v[j] = load4<EDGES, true>(x + i, cols - i);
  }
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) sum += v[j].x + v[j].y + (v[j].z + v[j].w);
  float mean = over_block(sum) / cols;
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) {
    int left = cols - (j * THREADS + threadIdx.x) * 4;
    float4 d = make_float4(v[j].x - mean, v[j].y - mean, v[j].z - mean, v[j].w - mean);
    v[j] = make_float4(left > 0 ? d.x : 0, left > 1 ? d.y : 0, left > 2 ? d.z : 0, left > 3 ? d.w : 0);
    squares += v[j].x * v[j].x + v[j].y * v[j].y + (v[j].z * v[j].z + v[j].w * v[j].w);
  }
  float scale = rsqrtf(over_block(squares) / cols + epsilon);
#pragma unroll
  for (int j = 0; j < VECTORS; ++j) {
    int i = (j * THREADS + threadIdx.x) * 4;
    float4 w = load4<EDGES, false>(weight + i, cols - i), b = load4<EDGES, false>(bias + i, cols - i), u;
    u.x = v[j].x * scale * w.x + b.x;
    u.y = v[j].y * scale * w.y + b.y;
    u.z = v[j].z * scale * w.z + b.z;
    u.w = v[j].w * scale * w.w + b.w;
    store4<EDGES>(y + i, u, cols - i);
  }
}
