// Matrix product, rung 3: a block stages tiles of A and B in shared memory, where each element is read 32 times.
// C (M x N) = A (M x K) times B (K x N), all row-major float32, any sizes.
// Launch: blocks of 32 x 32 threads, grid (N / 32, M / 32) rounded up.
constexpr int TILE = 32;

__global__ void matmul_tiled(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float a[TILE][TILE], b[TILE][TILE];
  int x = threadIdx.x, y = threadIdx.y;
  int row = blockIdx.y * TILE + y, col = blockIdx.x * TILE + x;
  float sum = 0;
  for (int k0 = 0; k0 < K; k0 += TILE) {
    a[y][x] = row < M && k0 + x < K ? A[row * K + k0 + x] : 0;
    b[y][x] = k0 + y < K && col < N ? B[(k0 + y) * N + col] : 0;
    __syncthreads();
    for (int k = 0; k < TILE; ++k) sum += a[y][k] * b[k][x];
    __syncthreads();
  }
  if (row < M && col < N) C[row * N + col] = sum;
}
