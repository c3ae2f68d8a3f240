// The places i with x[i] > threshold, packed without gaps into `kept`: a ladder of three.
// compact_counter: one element a thread; *count is 0 before. The order of the result depends on who comes first.
// compact_warps:   likewise, with one atomic for each warp.
// count_kept, starts_of_blocks, write_kept: three launches, in order. Launch: blocks of 256 threads, grid n / 256 rounded up;
// starts_of_blocks: one block of 1024 threads for at most 1024 counts, and the number of all kept elements in *count.
constexpr unsigned ALL = 0xffffffff;

// 1. Every kept element asks a counter for its place.
__global__ void compact_counter(const float* x, float threshold, int* kept, unsigned* count, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && x[i] > threshold) kept[atomicAdd(count, 1u)] = i;
}

// How many lanes below this one have a true predicate; `all` becomes how many have in the whole warp.
__device__ int rank_in_warp(bool keep, int* all) {
  unsigned votes = __ballot_sync(ALL, keep), below = (1u << threadIdx.x % 32) - 1;
  *all = __popc(votes);
  return __popc(votes & below);
}

// 2. A warp asks once for all of its lanes.
__global__ void compact_warps(const float* x, float threshold, int* kept, unsigned* count, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, in_warp;
  bool keep = i < n && x[i] > threshold;
  int rank = rank_in_warp(keep, &in_warp);
  unsigned start = 0;
  if (threadIdx.x % 32 == 0 && in_warp > 0) start = atomicAdd(count, (unsigned)in_warp);
  start = __shfl_sync(ALL, start, 0);
  if (keep) kept[start + rank] = i;
}

// 3. No atomics, and the order stays: count, scan, write.
__global__ void count_kept(const float* x, float threshold, int* counts, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int in_block = __syncthreads_count(i < n && x[i] > threshold);
  if (threadIdx.x == 0) counts[blockIdx.x] = in_block;
}

// The sum of the values of all threads before this one in the block; `all` becomes the sum of all.
__device__ int sum_before(int value, int* all) {
  __shared__ int of_warp[32];
  int t = threadIdx.x, sum = value;
  for (int step = 1; step < 32; step *= 2) {
    int before = __shfl_up_sync(ALL, sum, step);
    if (t % 32 >= step) sum += before;
  }
  if (t % 32 == 31) of_warp[t / 32] = sum;
  __syncthreads();
  if (t < 32) {
    int warps = t < blockDim.x / 32 ? of_warp[t] : 0;
    for (int step = 1; step < 32; step *= 2) {
      int before = __shfl_up_sync(ALL, warps, step);
      if (t >= step) warps += before;
    }
    of_warp[t] = warps;
  }
  __syncthreads();
  *all = of_warp[31];
  return sum - value + (t >= 32 ? of_warp[t / 32 - 1] : 0);
}

__global__ void starts_of_blocks(const int* counts, int* starts, int* count, int blocks) {
  int t = threadIdx.x, all;
  int start = sum_before(t < blocks ? counts[t] : 0, &all);
  if (t < blocks) starts[t] = start;
  if (t == 0) *count = all;
}

__global__ void write_kept(const float* x, float threshold, const int* starts, int* kept, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, all;
  bool keep = i < n && x[i] > threshold;
  int rank = sum_before(keep, &all);
  if (keep) kept[starts[blockIdx.x] + rank] = i;
}
