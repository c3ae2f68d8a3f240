// counts[b] += how often the byte b occurs among n bytes: a ladder of four. The counts are 0 before.
// histogram_global:  one byte a thread. Launch: blocks of 256 threads, grid n / 256 rounded up.
// histogram_shared:  blocks of 256 threads, any grid, such as one that fills the GPU.
// histogram_warps:   likewise; x starts at a multiple of 16 bytes.
// histogram_threads: blocks of 128 threads, any grid; x starts at a multiple of 16 bytes.
constexpr int BINS = 256;

// 1. Every byte is an atomic addition in global memory.
__global__ void histogram_global(const unsigned char* x, unsigned* counts, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&counts[x[i]], 1u);
}

// 2. Each block counts in shared memory, and adds its counts to the others' once.
__global__ void histogram_shared(const unsigned char* x, unsigned* counts, int n) {
  __shared__ unsigned own[BINS];
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) own[b] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&own[x[i]], 1u);
  __syncthreads();
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) atomicAdd(&counts[b], own[b]);
}

// 3. Each warp has counters of its own, so that warps do not wait for each other, and bytes come sixteen at a time.
constexpr int WARPS = 8;

__global__ void histogram_warps(const unsigned char* x, unsigned* counts, int n) {
  __shared__ unsigned own[WARPS][BINS];
  for (int b = threadIdx.x; b < WARPS * BINS; b += blockDim.x) own[b / BINS][b % BINS] = 0;
  __syncthreads();
  unsigned* mine = own[threadIdx.x / 32];
  const uint4* vectors = reinterpret_cast<const uint4*>(x);
  int thread = blockIdx.x * blockDim.x + threadIdx.x;
  for (int i = thread; i < n / 16; i += gridDim.x * blockDim.x) {
    uint4 v = vectors[i];
    unsigned words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int w = 0; w < 4; ++w)
#pragma unroll
      for (int shift = 0; shift < 32; shift += 8) atomicAdd(&mine[words[w] >> shift & 255], 1u);
  }
  if (thread < n % 16) atomicAdd(&mine[x[n - 1 - thread]], 1u);  // what is left after the last vector
  __syncthreads();
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) {
    unsigned sum = 0;
    for (int w = 0; w < WARPS; ++w) sum += own[w][b];
    atomicAdd(&counts[b], sum);
  }
}

// 4. Each thread has counters of its own, one byte each, so that counting needs no atomics and takes the same time for any data. Those
// of a thread lie in one bank. Before one can overflow, the block adds them up: two threads for each word of four counters.
constexpr int THREADS = 128, VECTORS = 15;  // 15 vectors of 16 bytes: no counter exceeds 240

__device__ void count(unsigned char (*mine)[THREADS][4], unsigned byte) { ++mine[byte / 4][threadIdx.x][byte % 4]; }

__global__ void __launch_bounds__(THREADS) histogram_threads(const unsigned char* x, unsigned* counts, int n) {
  __shared__ __align__(4) unsigned char own[BINS / 4][THREADS][4];
  int t = threadIdx.x, thread = blockIdx.x * THREADS + t;
  const uint4* vectors = reinterpret_cast<const uint4*>(x);
  unsigned even = 0, odd = 0, sums[4] = {};
  for (int first = blockIdx.x * THREADS; first < n / 16 || first == thread - t; first += VECTORS * gridDim.x * THREADS) {
    for (int b = 0; b < BINS / 4; ++b) *reinterpret_cast<unsigned*>(own[b][t]) = 0;
    for (int j = 0; j < VECTORS; ++j) {
      int i = first + j * gridDim.x * THREADS + t;
      if (i >= n / 16) break;
      uint4 v = vectors[i];
      unsigned words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
      for (int w = 0; w < 4; ++w)
#pragma unroll
        for (int shift = 0; shift < 32; shift += 8) count(own, words[w] >> shift & 255);
    }
    if (first == thread - t && thread < n % 16) count(own, x[n - 1 - thread]);  // what is left after the last vector
    __syncthreads();
    even = odd = 0;
    for (int j = 0; j < THREADS / 2; ++j) {
      unsigned four = *reinterpret_cast<unsigned*>(own[t / 2][t % 2 * (THREADS / 2) + (j + t) % (THREADS / 2)]);
      even += four & 0x00ff00ff;
      odd += four >> 8 & 0x00ff00ff;
    }
    sums[0] += even & 0xffff, sums[1] += odd & 0xffff, sums[2] += even >> 16, sums[3] += odd >> 16;
    __syncthreads();
  }
  for (int b = 0; b < 4; ++b) atomicAdd(&counts[t / 2 * 4 + b], sums[b]);
}
