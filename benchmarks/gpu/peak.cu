// The most multiply-adds that the GPU does: every thread has 32 independent chains of them in registers, and reads no memory.
// Launch: any grid that fills the GPU. 2 * 32 * 64 * `rounds` floating-point operations a thread.
__global__ void __launch_bounds__(256) multiply_add(float* out, float a, float b, int rounds) {
  float x[32];
#pragma unroll
  for (int i = 0; i < 32; ++i) x[i] = threadIdx.x + i;
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int step = 0; step < 64; ++step)
#pragma unroll
      for (int i = 0; i < 32; ++i) x[i] = x[i] * a + b;
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < 32; ++i) sum += x[i];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;  // so that none of it can be left out
}
