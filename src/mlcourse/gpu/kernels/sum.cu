// The sum of n floats: a ladder of five. Rungs 1 to 4 write the sum of each block, and run again on these until one is left.
// sum_interleaved, _sequential, _shuffles: blocks of 256 threads, grid n / 256 rounded up.
// sum_vectors:  blocks of 256 threads, any grid, such as one that fills the GPU; x starts at a multiple of 16 bytes.
// sum_one_pass: likewise, once; `sums` has room for a float a block, and `*done` is 0 before and after.
// Source of the first two steps: Harris, Optimizing Parallel Reduction in CUDA, 2007.
constexpr int THREADS = 256;

// 1. Pairs of neighbors, then pairs of pairs: the threads that still work are spread over all warps.
__global__ void sum_interleaved(const float* x, float* sums, int n) {
  __shared__ float part[THREADS];
  int t = threadIdx.x, i = blockIdx.x * THREADS + t;
  part[t] = i < n ? x[i] : 0;
  __syncthreads();
  for (int step = 1; step < THREADS; step *= 2) {
    if (t % (2 * step) == 0) part[t] += part[t + step];
    __syncthreads();
  }
  if (t == 0) sums[blockIdx.x] = part[0];
}

// 2. The second half onto the first: the threads that still work are the first ones, and whole warps are done.
__global__ void sum_sequential(const float* x, float* sums, int n) {
  __shared__ float part[THREADS];
  int t = threadIdx.x, i = blockIdx.x * THREADS + t;
  part[t] = i < n ? x[i] : 0;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (t < step) part[t] += part[t + step];
    __syncthreads();
  }
  if (t == 0) sums[blockIdx.x] = part[0];
}

// The sum over a block, for its first thread. Within a warp values move between registers, without shared memory or barriers.
__device__ float block_sum(float value) {
  __shared__ float of_warp[THREADS / 32];
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffff, value, step);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = threadIdx.x < THREADS / 32 ? of_warp[threadIdx.x] : 0;
    for (int step = THREADS / 64; step > 0; step /= 2) value += __shfl_down_sync(0xffffffff, value, step);
  }
  return value;
}

// 3. Shuffles.
__global__ void sum_shuffles(const float* x, float* sums, int n) {
  int i = blockIdx.x * THREADS + threadIdx.x;
  float sum = block_sum(i < n ? x[i] : 0);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// The sum of every (threads of the grid)-th vector, read in groups of eight that do not wait for each other.
__device__ float thread_sum(const float* x, int n) {
  constexpr int GROUP = 8;
  const float4* vectors = reinterpret_cast<const float4*>(x);
  int thread = blockIdx.x * THREADS + threadIdx.x, threads = gridDim.x * THREADS, i = thread;
  float4 v[GROUP], sum = make_float4(0, 0, 0, 0);
  for (; i + (GROUP - 1) * threads < n / 4; i += GROUP * threads) {
#pragma unroll
    for (int j = 0; j < GROUP; ++j) v[j] = vectors[i + j * threads];
#pragma unroll
    for (int j = 0; j < GROUP; ++j) sum.x += v[j].x, sum.y += v[j].y, sum.z += v[j].z, sum.w += v[j].w;
  }
  for (; i < n / 4; i += threads) {
    float4 u = vectors[i];
    sum.x += u.x, sum.y += u.y, sum.z += u.z, sum.w += u.w;
  }
  if (thread < n % 4) sum.x += x[n - 1 - thread];  // what is left after the last vector
  return sum.x + sum.y + (sum.z + sum.w);
}

// 4. Many elements a thread, four at a time.
__global__ void __launch_bounds__(THREADS) sum_vectors(const float* x, float* sums, int n) {
  float sum = block_sum(thread_sum(x, n));
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// 5. The block that finishes last adds up the sums of all, so that one launch is enough.
__global__ void __launch_bounds__(THREADS) sum_one_pass(const float* x, float* sums, unsigned* done, float* total, int n) {
  __shared__ bool last;
  float sum = block_sum(thread_sum(x, n));
  if (threadIdx.x == 0) {
    sums[blockIdx.x] = sum;
    __threadfence();  // the sum is visible to every block before the count says so
    last = atomicInc(done, gridDim.x - 1) == gridDim.x - 1;  // counts up and is 0 again after the last
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  sum = 0;
  for (int i = threadIdx.x; i < gridDim.x; i += THREADS) sum += sums[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *total = sum;
}
