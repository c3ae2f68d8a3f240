// Matrix product, rung 4: a thread computes 8 elements of a column of C, so that each value of B it reads serves 8 times.
// C (M x N) = A (M x K) times B (K x N), all row-major float32, any sizes.
// Launch: blocks of 512 threads, grid (N / 64, M / 64) rounded up.
constexpr int BM = 64, BN = 64, BK = 8;  // a block computes BM x BN of C, in steps of BK
constexpr int TM = 8;                    // rows of a thread

__global__ void __launch_bounds__(512) matmul_column(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[BM][BK], b[BK][BN];
  int row0 = blockIdx.y * BM, col0 = blockIdx.x * BN;
  int a_row = threadIdx.x / BK, a_col = threadIdx.x % BK;  // the element of each tile that this thread loads
  int b_row = threadIdx.x / BN, b_col = threadIdx.x % BN;
  int row = threadIdx.x / BN * TM, col = threadIdx.x % BN;  // the first element of C that it computes, within the tile
  float sum[TM] = {};
  for (int k0 = 0; k0 < K; k0 += BK) {
    a[a_row][a_col] = row0 + a_row < M && k0 + a_col < K ? A[(row0 + a_row) * K + k0 + a_col] : 0;
    b[b_row][b_col] = k0 + b_row < K && col0 + b_col < N ? B[(k0 + b_row) * N + col0 + b_col] : 0;
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; ++k) {
      float value = b[k][col];
#pragma unroll
      for (int i = 0; i < TM; ++i) sum[i] += a[row + i][k] * value;
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < TM; ++i)
    if (row0 + row + i < M && col0 + col < N) C[(row0 + row + i) * N + col0 + col] = sum[i];
}
