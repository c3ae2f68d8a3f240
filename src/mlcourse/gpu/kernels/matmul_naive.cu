// Matrix product, rung 1: one thread for each element of C, neighbors along a column.
// C (M x N) = A (M x K) times B (K x N), all row-major float32, any sizes.
// Launch: blocks of 32 x 32 threads, grid (M / 32, N / 32) rounded up.
// The order of the rungs follows Boehm, How to Optimize a CUDA Matmul Kernel for cuBLAS-like Performance, 2022; the code is our own.
__global__ void matmul_naive(const float* A, const float* B, float* C, int M, int N, int K) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  int col = blockIdx.y * blockDim.y + threadIdx.y;
  if (row >= M || col >= N) return;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += A[row * K + k] * B[k * N + col];
  C[row * N + col] = sum;
}
