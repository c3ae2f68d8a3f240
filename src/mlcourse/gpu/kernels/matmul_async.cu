// Matrix product, rung 8: warp tiles, with copies that run while the block computes.
// C (M x N) = A (M x K) times B (K x N), all row-major float32.
// Launch: a block of 128 threads for each 128 x 128 tile of C, grid (N / 128, M / 128) rounded up, 3 * 16640 bytes of shared memory.
// matmul_async<false> needs M and N to be multiples of 128 and K of 16; matmul_async<true> takes any sizes.
#include <cuda_pipeline.h>

constexpr int BM = 128, BN = 128, BK = 16;  // a block computes BM x BN of C, and reads BK of A's columns at a time
constexpr int WM = 64, WN = 64;             // each of its four warps computes WM x WN
constexpr int TM = 16, TN = 8;              // and each thread TM x TN, in pieces of 4 x 4
constexpr int THREADS = 128, STAGES = 3;
constexpr int A_ROW = BM + 4;  // A's tile is stored by columns; the padding keeps its writes free of bank conflicts
constexpr int B_AT = BK * A_ROW, STAGE = B_AT + BK * BN;  // in floats

// Which element of A's tile and of B's a thread copies first.
__device__ int a_row() { return threadIdx.x / 8; }
__device__ int a_col() { return threadIdx.x % 8; }
template <bool EDGES> __device__ int b_row() { return EDGES ? 0 : threadIdx.x / 32; }
template <bool EDGES> __device__ int b_col() { return EDGES ? threadIdx.x : threadIdx.x % 32 * 4; }

// Start the copies of one step. A's tile is turned on the way, so that a column of it can be read as vectors.
// rows, cols and depth are what is left of the matrices; outside of them zeros are written and nothing is read.
template <bool EDGES>
__device__ void fetch(float* stage, const float* A, const float* B, int rows, int cols, int depth, size_t N, size_t K) {
  float* to = stage + a_col() * A_ROW + a_row();
#pragma unroll
  for (int i = 0; i < BM; i += THREADS / 8, A += THREADS / 8 * K) {
#pragma unroll
    for (int k = 0; k < BK; k += 8) {
      bool inside = !EDGES || (a_row() + i < rows && a_col() + k < depth);
      __pipeline_memcpy_async(to + k * A_ROW + i, A + k, 4, inside ? 0 : 4);
    }
  }
  constexpr int WIDTH = EDGES ? 1 : 4, STEP = THREADS * WIDTH / BN;
  to = stage + B_AT + b_row<EDGES>() * BN + b_col<EDGES>();
#pragma unroll
  for (int k = 0; k < BK; k += STEP, B += STEP * N) {
    bool inside = !EDGES || (k < depth && b_col<EDGES>() < cols);
    __pipeline_memcpy_async(to + k * BN, B, 4 * WIDTH, inside ? 0 : 4 * WIDTH);
  }
}

// Read what a thread needs of one column of A's tile and of one row of B's.
__device__ void load(float (&a)[TM], float (&b)[TN], const float* at_a, const float* at_b) {
#pragma unroll
  for (int i = 0; i < TM; i += 4) *reinterpret_cast<float4*>(a + i) = *reinterpret_cast<const float4*>(at_a + i * 4);
#pragma unroll
  for (int j = 0; j < TN; j += 4) *reinterpret_cast<float4*>(b + j) = *reinterpret_cast<const float4*>(at_b + j * 8);
}

template <bool EDGES>
__global__ void __launch_bounds__(THREADS, 2) matmul_async(const float* A, const float* B, float* C, int M, int N, int K) {
  extern __shared__ __align__(16) float stages[];
  // Lanes lie 4 x 8 on a warp's tile, in an order that lets neighbors share what they read.
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int row = warp / 2 * WM + (lane / 16 * 2 + lane % 2) * 4;
  int col = warp % 2 * WN + lane / 2 % 8 * 4;
  int rows = M - blockIdx.y * BM, cols = N - blockIdx.x * BN, steps = (K + BK - 1) / BK;
  A += (blockIdx.y * BM + a_row()) * (size_t)K + a_col();
  B += b_row<EDGES>() * (size_t)N + blockIdx.x * BN + b_col<EDGES>();
  C += blockIdx.y * BM * (size_t)N + blockIdx.x * BN;
  float c[TM][TN] = {}, a[2][TM], b[2][TN];
  int fetched = 0, writing = 0, reading = 0;
  auto fetch_next = [&]() {
    if (fetched < steps) fetch<EDGES>(stages + writing, A, B, rows, cols, K - fetched * BK, N, K);
    __pipeline_commit();
    ++fetched, A += BK, B += BK * (size_t)N;
    writing = writing == (STAGES - 1) * STAGE ? 0 : writing + STAGE;
  };
  for (int s = 0; s < STAGES - 1; ++s) fetch_next();
  __pipeline_wait_prior(STAGES - 2);
  __syncthreads();
  if (steps > 0) load(a[0], b[0], stages + row, stages + B_AT + col);
  for (int step = 0; step < steps; ++step) {
#pragma unroll
    for (int k = 0; k < BK; ++k) {
      if (k == BK - 1) {  // the next step's tiles must have arrived, and everybody must be done with this step's
        __pipeline_wait_prior(STAGES - 2);
        __syncthreads();
        reading = reading == (STAGES - 1) * STAGE ? 0 : reading + STAGE;
      }
      int next = (k + 1) % BK;
      if (next > 0 || step + 1 < steps) {
        const float* at = stages + reading;
        load(a[next % 2], b[next % 2], at + row + next * A_ROW, at + B_AT + col + next * BN);
      }
      if (k == 0) fetch_next();
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) c[i][j] += a[k % 2][i] * b[k % 2][j];
    }
  }
#pragma unroll
  for (int i = 0; i < TM; ++i) {
    int r = row + i / 4 * 16 + i % 4;
#pragma unroll
    for (int j = 0; j < TN; j += 4) {
      int s = col + j * 8;
      float* to = C + r * (size_t)N + s;
      if (!EDGES) *reinterpret_cast<float4*>(to) = make_float4(c[i][j], c[i][j + 1], c[i][j + 2], c[i][j + 3]);
#pragma unroll
      for (int e = 0; EDGES && e < 4; ++e)
        if (r < rows && s + e < cols) to[e] = c[i][j + e];
    }
  }
}
