// Matrix product, rung 7: each warp has a tile of its own; a thread computes 16 x 8 elements, and neighbors share what they read.
// C (M x N) = A (M x K) times B (K x N), all row-major float32.
// Launch: blocks of 128 threads, grid (N / 128, M / 128) rounded up.
// matmul_warp<false> needs M and N to be multiples of 128 and K of 16; matmul_warp<true> takes any sizes.
constexpr int BM = 128, BN = 128, BK = 16;  // a block computes BM x BN of C, in steps of BK
constexpr int WM = 64, WN = 64;             // each of its four warps WM x WN
constexpr int TM = 16, TN = 8;              // and each thread TM x TN, in pieces of 4 x 4
constexpr int THREADS = 128;
constexpr int A_ROW = BM + 4;  // padding: the writes that turn A's tile hit different banks

__device__ float4& as_vector(float& first) { return reinterpret_cast<float4&>(first); }

// Four floats of a row, of which `left` are inside the matrix; the rest are zeros.
template <bool EDGES>
__device__ float4 load4(const float* from, int left) {
  if (!EDGES) return *reinterpret_cast<const float4*>(from);
  return make_float4(left > 0 ? from[0] : 0, left > 1 ? from[1] : 0, left > 2 ? from[2] : 0, left > 3 ? from[3] : 0);
}

template <bool EDGES>
__global__ void __launch_bounds__(THREADS, 2) matmul_warp(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ __align__(16) float a[BK][A_ROW];
  __shared__ __align__(16) float b[BK][BN];
  int row0 = blockIdx.y * BM, col0 = blockIdx.x * BN;
  int a_row = threadIdx.x / 2, a_col = threadIdx.x % 2 * 4;  // the first vector of each tile that this thread loads
  int b_row = threadIdx.x / 32, b_col = threadIdx.x % 32 * 4;
  // Lanes lie 4 x 8 on a warp's tile, in an order that lets neighbors share what they read.
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int y = warp / 2 * WM + (lane / 16 * 2 + lane % 2) * 4;
  int x = warp % 2 * WN + lane / 2 % 8 * 4;
  float sum[TM][TN] = {}, column[TM], line[TN];
  for (int k0 = 0; k0 < K; k0 += BK) {
#pragma unroll
    for (int i = 0; i < BM; i += THREADS / 2) {
#pragma unroll
      for (int j = 0; j < BK; j += 8) {
        int row = a_row + i, k = a_col + j;
        float4 v = load4<EDGES>(A + (row0 + row) * K + k0 + k, row0 + row < M ? K - k0 - k : 0);
        a[k][row] = v.x;
        a[k + 1][row] = v.y;
        a[k + 2][row] = v.z;
        a[k + 3][row] = v.w;
      }
    }
#pragma unroll
    for (int i = 0; i < BK; i += THREADS / 32) {
      int k = b_row + i;
      as_vector(b[k][b_col]) = load4<EDGES>(B + (k0 + k) * N + col0 + b_col, k0 + k < K ? N - col0 - b_col : 0);
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; ++k) {
#pragma unroll
      for (int i = 0; i < TM; i += 4) as_vector(column[i]) = as_vector(a[k][y + i * 4]);
#pragma unroll
      for (int j = 0; j < TN; j += 4) as_vector(line[j]) = as_vector(b[k][x + j * 8]);
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) sum[i][j] += column[i] * line[j];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < TM; ++i)
#pragma unroll
    for (int j = 0; j < TN; j += 4) {
      int row = row0 + y + i / 4 * 16 + i % 4, col = col0 + x + j * 8;
      if (!EDGES) as_vector(C[row * N + col]) = as_vector(sum[i][j]);
#pragma unroll
      for (int e = 0; EDGES && e < 4; ++e)
        if (row < M && col + e < N) C[row * N + col + e] = sum[i][j + e];
    }
}
