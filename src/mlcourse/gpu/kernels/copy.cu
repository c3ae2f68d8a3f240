// Copy n floats. It computes nothing, so its time is what moving the bytes costs: the measure of every kernel that is bound by memory.
// copy:         one float a thread. Launch: blocks of 256 threads, grid n / 256 rounded up.
// copy_vectors: four times four floats a thread, all read before the first is written. Launch: blocks of 256 threads, grid
//               n / 4096 rounded up; both arrays start at a multiple of 16 bytes, as every new array does.
__global__ void copy(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[i];
}

constexpr int VECTORS = 4;

__global__ void copy_vectors(const float* in, float* out, int n) {
  const float4* from = reinterpret_cast<const float4*>(in);
  float4* to = reinterpret_cast<float4*>(out);
  int first = blockIdx.x * blockDim.x * VECTORS + threadIdx.x;
  float4 v[VECTORS];
#pragma unroll
  for (int j = 0; j < VECTORS; ++j)
    if (int i = first + j * blockDim.x; i < n / 4) v[j] = from[i];
#pragma unroll
  for (int j = 0; j < VECTORS; ++j)
    if (int i = first + j * blockDim.x; i < n / 4) to[i] = v[j];
  if (first < n % 4) out[n - 1 - first] = in[n - 1 - first];  // what is left after the last vector
}
