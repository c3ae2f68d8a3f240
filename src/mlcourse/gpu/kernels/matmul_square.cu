// Matrix product, rung 5: a thread computes 8 x 8 elements of C; 16 values read from shared memory serve 64 multiplications.
// C (M x N) = A (M x K) times B (K x N), all row-major float32, any sizes.
// Launch: blocks of 256 threads, grid (N / 128, M / 128) rounded up.
constexpr int BM = 128, BN = 128, BK = 8;  // a block computes BM x BN of C, in steps of BK
constexpr int TM = 8, TN = 8;              // rows and columns of a thread
constexpr int THREADS = BM / TM * (BN / TN);

__global__ void __launch_bounds__(THREADS) matmul_square(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[BM][BK], b[BK][BN];
  int row0 = blockIdx.y * BM, col0 = blockIdx.x * BN;
  int a_row = threadIdx.x / BK, a_col = threadIdx.x % BK;  // the first element of each tile that this thread loads
  int b_row = threadIdx.x / BN, b_col = threadIdx.x % BN;
  int y = threadIdx.x / (BN / TN), x = threadIdx.x % (BN / TN);  // a thread's rows are y, y + 16, ..., its columns x, x + 16, ...
  float sum[TM][TN] = {}, column[TM], line[TN];
  for (int k0 = 0; k0 < K; k0 += BK) {
#pragma unroll
    for (int i = 0; i < BM; i += THREADS / BK) {
      int row = row0 + a_row + i, k = k0 + a_col;
      a[a_row + i][a_col] = row < M && k < K ? A[row * K + k] : 0;
    }
#pragma unroll
    for (int i = 0; i < BK; i += THREADS / BN) {
      int k = k0 + b_row + i, col = col0 + b_col;
      b[b_row + i][b_col] = k < K && col < N ? B[k * N + col] : 0;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; ++k) {
#pragma unroll
      for (int i = 0; i < TM; ++i) column[i] = a[y + i * (BM / TM)][k];
#pragma unroll
      for (int j = 0; j < TN; ++j) line[j] = b[k][x + j * (BN / TN)];
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
    for (int j = 0; j < TN; ++j) {
      int row = row0 + y + i * (BM / TM), col = col0 + x + j * (BN / TN);
      if (row < M && col < N) C[row * N + col] = sum[i][j];
    }
}
