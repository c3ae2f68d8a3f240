// y = a * x + y for n floats.
// saxpy:         one element a thread. Launch: blocks of 256 threads, grid n / 256 rounded up.
// saxpy_vectors: twice four elements a thread. Launch: blocks of 256 threads, grid n / 2048 rounded up; both arrays start at
//                multiples of 16 bytes.
__global__ void saxpy(float a, const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

constexpr int VECTORS = 2;

__global__ void saxpy_vectors(float a, const float* x, float* y, int n) {
  const float4* from = reinterpret_cast<const float4*>(x);
  float4* to = reinterpret_cast<float4*>(y);
  int first = blockIdx.x * blockDim.x * VECTORS + threadIdx.x;
  float4 u[VECTORS], v[VECTORS];
#pragma unroll
  for (int j = 0; j < VECTORS; ++j)
    if (int i = first + j * blockDim.x; i < n / 4) u[j] = from[i], v[j] = to[i];
#pragma unroll
  for (int j = 0; j < VECTORS; ++j)
    if (int i = first + j * blockDim.x; i < n / 4)
      to[i] = make_float4(a * u[j].x + v[j].x, a * u[j].y + v[j].y, a * u[j].z + v[j].z, a * u[j].w + v[j].w);
  if (int i = n - 1 - first; first < n % 4) y[i] = a * x[i] + y[i];  // what is left after the last vector
}
