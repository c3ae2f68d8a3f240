// c = a + b for n floats.
// vector_add:             one element a thread. Launch: blocks of 256 threads, grid n / 256 rounded up.
// vector_add_grid_stride: each thread takes every (threads of the grid)-th element. Launch: any grid, such as one that fills the GPU.
// vector_add_vectors:     twice four elements a thread. Launch: blocks of 256 threads, grid n / 2048 rounded up; the arrays start at
//                         multiples of 16 bytes.
__global__ void vector_add(const float* a, const float* b, float* c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

__global__ void vector_add_grid_stride(const float* a, const float* b, float* c, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) c[i] = a[i] + b[i];
}

constexpr int VECTORS = 2;

__global__ void vector_add_vectors(const float* a, const float* b, float* c, int n) {
  const float4* from_a = reinterpret_cast<const float4*>(a);
  const float4* from_b = reinterpret_cast<const float4*>(b);
  float4* to = reinterpret_cast<float4*>(c);
  int first = blockIdx.x * blockDim.x * VECTORS + threadIdx.x;
  float4 u[VECTORS], v[VECTORS];
#pragma unroll
  for (int j = 0; j < VECTORS; ++j)
    if (int i = first + j * blockDim.x; i < n / 4) u[j] = from_a[i], v[j] = from_b[i];
#pragma unroll
  for (int j = 0; j < VECTORS; ++j)
    if (int i = first + j * blockDim.x; i < n / 4)
      to[i] = make_float4(u[j].x + v[j].x, u[j].y + v[j].y, u[j].z + v[j].z, u[j].w + v[j].w);
  if (int i = n - 1 - first; first < n % 4) c[i] = a[i] + b[i];  // what is left after the last vector
}
