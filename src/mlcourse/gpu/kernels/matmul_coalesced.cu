// Matrix product, rung 2: one thread for each element of C, neighbors along a row, so that a warp reads B and writes C in one piece.
// C (M x N) = A (M x K) times B (K x N), all row-major float32, any sizes.
// Launch: blocks of 32 x 32 threads, grid (N / 32, M / 32) rounded up.
__global__ void matmul_coalesced(const float* A, const float* B, float* C, int M, int N, int K) {
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= M || col >= N) return;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
  C[row * N + col] = sum;
}
