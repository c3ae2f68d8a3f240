// Matrix product, rung 6: everything moves four floats at a time; A's tile is turned, so that its columns can be read as vectors too.
// C (M x N) = A (M x K) times B (K x N), all row-major float32.
// Launch: blocks of 256 threads, grid (N / 128, M / 128) rounded up.
// matmul_vectorized<false> needs M and N to be multiples of 128 and K of 8; matmul_vectorized<true> takes any sizes.
constexpr int BM = 128, BN = 128, BK = 8;  // a block computes BM x BN of C, in steps of BK
constexpr int TM = 8, TN = 8;              // rows and columns of a thread: two times four, 64 apart
constexpr int A_ROW = BM + 4;              // padding: the writes that turn A's tile hit different banks

__device__ float4& as_vector(float& first) { return reinterpret_cast<float4&>(first); }

// Four floats of a row, of which `left` are inside the matrix; the rest are zeros.
template <bool EDGES>
__device__ float4 load4(const float* from, int left) {
  if (!EDGES) return *reinterpret_cast<const float4*>(from);
  return make_float4(left > 0 ? from[0] : 0, left > 1 ? from[1] : 0, left > 2 ? from[2] : 0, left > 3 ? from[3] : 0);
}

template <bool EDGES>
__global__ void __launch_bounds__(256, 2) matmul_vectorized(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ __align__(16) float a[BK][A_ROW];
  __shared__ __align__(16) float b[BK][BN];
  int row0 = blockIdx.y * BM, col0 = blockIdx.x * BN;
  int a_row = threadIdx.x / 2, a_col = threadIdx.x % 2 * 4;  // the vector of each tile that this thread loads
  int b_row = threadIdx.x / 32, b_col = threadIdx.x % 32 * 4;
  int y = threadIdx.x / 16 * 4, x = threadIdx.x % 16 * 4;  // the first element of C that it computes, within the tile
  float sum[TM][TN] = {}, column[TM], line[TN];
  for (int k0 = 0; k0 < K; k0 += BK) {
    float4 v = load4<EDGES>(A + (row0 + a_row) * K + k0 + a_col, row0 + a_row < M ? K - k0 - a_col : 0);
    a[a_col][a_row] = v.x;
    a[a_col + 1][a_row] = v.y;
    a[a_col + 2][a_row] = v.z;
    a[a_col + 3][a_row] = v.w;
    as_vector(b[b_row][b_col]) = load4<EDGES>(B + (k0 + b_row) * N + col0 + b_col, k0 + b_row < K ? N - col0 - b_col : 0);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; ++k) {
      as_vector(column[0]) = as_vector(a[k][y]);
      as_vector(column[4]) = as_vector(a[k][y + 64]);
      as_vector(line[0]) = as_vector(b[k][x]);
      as_vector(line[4]) = as_vector(b[k][x + 64]);
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
      int row = row0 + y + i / 4 * 64 + i % 4, col = col0 + x + j * 16;
      if (!EDGES) as_vector(C[row * N + col]) = as_vector(sum[i][j]);
#pragma unroll
      for (int e = 0; EDGES && e < 4; ++e)
        if (row < M && col + e < N) C[row * N + col + e] = sum[i][j + e];
    }
}
