// One step of AdamW on n float32 parameters, in place: 28 bytes move for each (four numbers are read, three written).
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
//   p = p (1 - rate decay) - rate (correction1 m) / (sqrt(correction2 v) + epsilon),   correction = 1 / (1 - beta^step).
// adamw:         one parameter a thread. Launch: blocks of 256 threads, grid n / 256 rounded up.
// adamw_vectors: four a thread. Launch: blocks of 256 threads, grid n / 1024 rounded up; all arrays start at multiples of 16 bytes.
// Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2.
__device__ void update(float& p, float g, float& m, float& v, float rate, float beta1, float beta2, float epsilon, float decay,
                       float correction1, float correction2) {
  m = beta1 * m + (1 - beta1) * g;
  v = beta2 * v + (1 - beta2) * g * g;
  p = p * (1 - rate * decay) - rate * (correction1 * m) / (sqrtf(correction2 * v) + epsilon);
}

__global__ void adamw(float* p, const float* g, float* m, float* v, float rate, float beta1, float beta2, float epsilon, float decay,
                      float correction1, float correction2, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) update(p[i], g[i], m[i], v[i], rate, beta1, beta2, epsilon, decay, correction1, correction2);
}

__global__ void adamw_vectors(float* p, const float* g, float* m, float* v, float rate, float beta1, float beta2, float epsilon,
                              float decay, float correction1, float correction2, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n / 4) {
    float4 ps = reinterpret_cast<float4*>(p)[i], gs = reinterpret_cast<const float4*>(g)[i];
    float4 ms = reinterpret_cast<float4*>(m)[i], vs = reinterpret_cast<float4*>(v)[i];
    update(ps.x, gs.x, ms.x, vs.x, rate, beta1, beta2, epsilon, decay, correction1, correction2);
    update(ps.y, gs.y, ms.y, vs.y, rate, beta1, beta2, epsilon, decay, correction1, correction2);
    update(ps.z, gs.z, ms.z, vs.z, rate, beta1, beta2, epsilon, decay, correction1, correction2);
    update(ps.w, gs.w, ms.w, vs.w, rate, beta1, beta2, epsilon, decay, correction1, correction2);
    reinterpret_cast<float4*>(p)[i] = ps;
    reinterpret_cast<float4*>(m)[i] = ms;
    reinterpret_cast<float4*>(v)[i] = vs;
  }
  if (i < n % 4) {  // what is left after the last vector
    int j = n - 1 - i;
    update(p[j], g[j], m[j], v[j], rate, beta1, beta2, epsilon, decay, correction1, correction2);
  }
}
