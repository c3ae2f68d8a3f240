// y[i] = x[0] + ... + x[i] for n floats: a ladder of four.
// scan_hillis_steele, _blelloch, _shuffles scan blocks of 256 elements and write each block's total; the totals are scanned in the
// same way, and add_offsets adds them. Launch: blocks of 256 threads (_blelloch: 128), grid n / 256 rounded up.
// scan_look_back does it in one pass. Launch: blocks of 256 threads, grid n / 4096 rounded up; `state` has a word a block and
// `ticket` one, all 0 before; x and y start at multiples of 16 bytes.
// Sources: Hillis and Steele, Data Parallel Algorithms, 1986; Blelloch, Prefix Sums and Their Applications, 1990; Merrill and
// Garland, Single-pass Parallel Prefix Scan with Decoupled Look-back, 2016.
constexpr int BLOCK = 256;
constexpr unsigned ALL = 0xffffffff;

// 1. Every element adds the one 1 before it, then 2, 4, ...: log n steps, but n additions in each.
__global__ void scan_hillis_steele(const float* x, float* y, float* totals, int n) {
  __shared__ float part[2][BLOCK];
  int t = threadIdx.x, i = blockIdx.x * BLOCK + t, now = 0;
  part[now][t] = i < n ? x[i] : 0;
  __syncthreads();
  for (int step = 1; step < BLOCK; step *= 2) {
    part[1 - now][t] = part[now][t] + (t >= step ? part[now][t - step] : 0);
    now = 1 - now;
    __syncthreads();
  }
  if (i < n) y[i] = part[now][t];
  if (t == BLOCK - 1) totals[blockIdx.x] = part[now][t];
}

// 2. Sums of pairs up a tree, then prefixes down it: 2 n additions in all, by half as many threads.
__global__ void scan_blelloch(const float* x, float* y, float* totals, int n) {
  __shared__ float part[BLOCK];
  int t = threadIdx.x, i = blockIdx.x * BLOCK + t, j = i + BLOCK / 2;
  float first = i < n ? x[i] : 0, second = j < n ? x[j] : 0;
  part[t] = first;
  part[t + BLOCK / 2] = second;
  for (int step = 1; step < BLOCK; step *= 2) {
    __syncthreads();
    if (int right = (t + 1) * 2 * step - 1; right < BLOCK) part[right] += part[right - step];
  }
  __syncthreads();
  if (t == 0) totals[blockIdx.x] = part[BLOCK - 1], part[BLOCK - 1] = 0;
  for (int step = BLOCK / 2; step > 0; step /= 2) {
    __syncthreads();
    if (int right = (t + 1) * 2 * step - 1; right < BLOCK) {
      float left = part[right - step];
      part[right - step] = part[right];
      part[right] += left;
    }
  }
  __syncthreads();
  if (i < n) y[i] = part[t] + first;  // the tree gives the sum before each element
  if (j < n) y[j] = part[t + BLOCK / 2] + second;
}

__device__ float warp_scan(float value) {
  for (int step = 1; step < 32; step *= 2) {
    float before = __shfl_up_sync(ALL, value, step);
    if (threadIdx.x % 32 >= step) value += before;
  }
  return value;
}

// 3. Warps scan in registers; one warp scans what the others have found.
__global__ void scan_shuffles(const float* x, float* y, float* totals, int n) {
  __shared__ float of_warp[32];
  int t = threadIdx.x, i = blockIdx.x * BLOCK + t;
  float value = warp_scan(i < n ? x[i] : 0);
  if (t % 32 == 31) of_warp[t / 32] = value;
  __syncthreads();
  if (t < 32) of_warp[t] = warp_scan(t < BLOCK / 32 ? of_warp[t] : 0);
  __syncthreads();
  if (t >= 32) value += of_warp[t / 32 - 1];
  if (i < n) y[i] = value;
  if (t == BLOCK - 1) totals[blockIdx.x] = value;
}

__global__ void add_offsets(float* y, const float* offsets, int n) {
  int i = blockIdx.x * BLOCK + threadIdx.x;
  if (blockIdx.x > 0 && i < n) y[i] += offsets[blockIdx.x - 1];
}

// A word of the state of a block: what it knows (nothing, the sum of its own elements, of all up to its end), and that sum.
enum Known : unsigned { NOTHING, OWN, ALL_SO_FAR };
using Word = unsigned long long;
__device__ Word word(Known known, float sum) { return (Word)known << 32 | __float_as_uint(sum); }

// The sum of all elements before a tile, found by one warp: it looks at the 32 tiles before, then at the 32 before these, until it
// meets one that knows the sum of everything up to its end.
__device__ float look_back(Word* state, int tile) {
  float sum = 0;
  for (int at = tile - 1 - (int)(threadIdx.x % 32);; at -= 32) {
    Word found = word(ALL_SO_FAR, 0);
    while (at >= 0 && (found = atomicAdd(state + at, 0)) >> 32 == NOTHING) {}
    int last = __ffs(__ballot_sync(ALL, found >> 32 == ALL_SO_FAR));  // lanes behind the first that knows all add nothing
    float value = last == 0 || threadIdx.x % 32 < last ? __uint_as_float((unsigned)found) : 0;
    for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(ALL, value, step);
    sum += value;
    if (last > 0) return sum;
  }
}

// 4. Each block publishes its own sum at once and the sum so far when it knows it; nothing is read or written twice.
__global__ void __launch_bounds__(BLOCK) scan_look_back(const float* x, float* y, unsigned long long* state, unsigned* ticket, int n) {
  constexpr int ROWS = 4, WARPS = BLOCK / 32;  // a thread has a vector in each row, and there are 32 warps' parts in all
  __shared__ float before[ROWS * WARPS], before_tile;
  __shared__ int shared_tile;
  int t = threadIdx.x, warp = t / 32, lane = t % 32;
  if (t == 0) shared_tile = atomicAdd(ticket, 1u);  // tiles in the order of starting, so that those before are under way
  __syncthreads();
  int tile = shared_tile;
  float4 v[ROWS];
  float sum[ROWS], lanes[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    int i = (tile * ROWS + r) * BLOCK * 4 + t * 4;
    if (i + 3 < n) v[r] = *reinterpret_cast<const float4*>(x + i);
    else v[r] = make_float4(i < n ? x[i] : 0, i + 1 < n ? x[i + 1] : 0, i + 2 < n ? x[i + 2] : 0, 0);
  }
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    v[r].y += v[r].x, v[r].z += v[r].y, v[r].w += v[r].z;
    sum[r] = v[r].w;
    lanes[r] = warp_scan(sum[r]);
    if (lane == 31) before[r * WARPS + warp] = lanes[r];
  }
  __syncthreads();
  if (warp == 0) {
    float own = before[lane], so_far = warp_scan(own), total = __shfl_sync(ALL, so_far, 31);
    before[lane] = so_far - own;
    if (lane == 0) atomicExch(state + tile, word(tile == 0 ? ALL_SO_FAR : OWN, total));
    float sum_before = tile == 0 ? 0 : look_back(state, tile);
    if (lane == 0) {
      if (tile > 0) atomicExch(state + tile, word(ALL_SO_FAR, sum_before + total));
      before_tile = sum_before;
    }
  }
  __syncthreads();
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    int i = (tile * ROWS + r) * BLOCK * 4 + t * 4;
    float base = before_tile + before[r * WARPS + warp] + (lanes[r] - sum[r]);
    float4 u = make_float4(base + v[r].x, base + v[r].y, base + v[r].z, base + v[r].w);
    if (i + 3 < n) *reinterpret_cast<float4*>(y + i) = u;
    else if (i < n) y[i] = u.x, i + 1 < n ? y[i + 1] = u.y : 0, i + 2 < n ? y[i + 2] = u.z : 0;
  }
}
