// out (cols x rows) = transpose of in (rows x cols), row-major float32: a ladder of four.
// transpose_naive, _tiled, _padded: blocks of 32 x 8 threads, a tile of 32 x 32 each; grid (cols / 32, rows / 32) rounded up.
// transpose_vectors:                blocks of 256 threads, a tile of 64 x 64 each; grid (cols / 64, rows / 64) rounded up.
//                                   <false> needs rows and cols to be multiples of 64, <true> takes any sizes.
constexpr int TILE = 32, ROWS = 8;

// 1. Reads along rows, writes down columns: each write of a warp touches 32 places far apart.
__global__ void transpose_naive(const float* in, float* out, int rows, int cols) {
  int col = blockIdx.x * TILE + threadIdx.x;
  for (int i = threadIdx.y; i < TILE; i += ROWS) {
    int row = blockIdx.y * TILE + i;
    if (row < rows && col < cols) out[col * rows + row] = in[row * cols + col];
  }
}

// 2 and 3. Turns a tile in shared memory, so that reads and writes both go along rows. Without padding, a column of the tile lies
// in one bank and a warp that reads it waits 32 times; one float of padding a row puts each element of a column into another bank.
template <int PADDING>
__device__ void through_a_tile(const float* in, float* out, int rows, int cols) {
  __shared__ float tile[TILE][TILE + PADDING];
  int row0 = blockIdx.y * TILE, col0 = blockIdx.x * TILE, x = threadIdx.x;
  for (int y = threadIdx.y; y < TILE; y += ROWS)
    if (row0 + y < rows && col0 + x < cols) tile[y][x] = in[(row0 + y) * cols + col0 + x];
  __syncthreads();
  for (int y = threadIdx.y; y < TILE; y += ROWS)
    if (col0 + y < cols && row0 + x < rows) out[(col0 + y) * rows + row0 + x] = tile[x][y];
}

__global__ void transpose_tiled(const float* in, float* out, int rows, int cols) { through_a_tile<0>(in, out, rows, cols); }

__global__ void transpose_padded(const float* in, float* out, int rows, int cols) { through_a_tile<1>(in, out, rows, cols); }

// 4. Each thread reads a square of 4 x 4 as four vectors, turns it in its registers and stores four vectors, so that everything
// moves 16 bytes at a time. Instead of padding, the place of a vector in its row of the tile is exchanged (`swizzled`).
template <bool EDGES>
__device__ float4 load4(const float* from, int left) {
  if (!EDGES) return *reinterpret_cast<const float4*>(from);
  return make_float4(left > 0 ? from[0] : 0, left > 1 ? from[1] : 0, left > 2 ? from[2] : 0, left > 3 ? from[3] : 0);
}

template <bool EDGES>
__device__ void store4(float* to, float4 v, int left) {
  if (!EDGES) {
    *reinterpret_cast<float4*>(to) = v;
  } else {
    if (left > 0) to[0] = v.x;
    if (left > 1) to[1] = v.y;
    if (left > 2) to[2] = v.z;
    if (left > 3) to[3] = v.w;
  }
}

__device__ int swizzled(int row, int vector) { return vector ^ (row / 4 % 8); }

template <bool EDGES>
__global__ void __launch_bounds__(256) transpose_vectors(const float* in, float* out, int rows, int cols) {
  constexpr int SIDE = 64;
  __shared__ float4 tile[SIDE][SIDE / 4];  // by columns of the input: four rows in each vector
  int row0 = blockIdx.y * SIDE, col0 = blockIdx.x * SIDE;
  int x = threadIdx.x % 16, y = threadIdx.x / 16;
  int row = row0 + 4 * y, col = col0 + 4 * x;
  const float* from = in + (size_t)row * cols + col;
  float4 a = load4<EDGES>(from, row < rows ? cols - col : 0);
  float4 b = load4<EDGES>(from + cols, row + 1 < rows ? cols - col : 0);
  float4 c = load4<EDGES>(from + 2 * (size_t)cols, row + 2 < rows ? cols - col : 0);
  float4 d = load4<EDGES>(from + 3 * (size_t)cols, row + 3 < rows ? cols - col : 0);
  tile[4 * x][swizzled(4 * x, y)] = make_float4(a.x, b.x, c.x, d.x);
  tile[4 * x + 1][swizzled(4 * x + 1, y)] = make_float4(a.y, b.y, c.y, d.y);
  tile[4 * x + 2][swizzled(4 * x + 2, y)] = make_float4(a.z, b.z, c.z, d.z);
  tile[4 * x + 3][swizzled(4 * x + 3, y)] = make_float4(a.w, b.w, c.w, d.w);
  __syncthreads();
#pragma unroll
  for (int i = 0; i < SIDE; i += 16) {
    int side = y + i;  // a column of the input, a row of the output
    int left = col0 + side < cols ? rows - row0 - 4 * x : 0;
    store4<EDGES>(out + (size_t)(col0 + side) * rows + row0 + 4 * x, tile[side][swizzled(side, x)], left);
  }
}
