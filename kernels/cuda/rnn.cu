#include "recurrent.cuh"

// forward walks R examples through a plain recurrent network. Shared memory behind the weight: h, and what it is before tanh, R x H each.
template <int R> __device__ __forceinline__ void forward(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ hs, float* __restrict__ before, Recurrence r, float* s) {
  Weight w = stage(weight, r, r.h, s);
  int n0 = blockIdx.x * R, size = R * r.h;
  float *h = s, *pre = h + size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    h[i] = u.there ? h0[u.state] : 0.0f;
  }
  __syncthreads();
  for (int k = 0; k < r.t; k++) {
    int t = time_of(r, k);
    gate_products<R>(w, r, r.h, r.h, gates, bias, h, pre, n0, t);
    __syncthreads();
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
      Unit u = unit(r, n0, i);
      if (!u.there) continue;
      if (before) before[in_sequence(r, u, t, r.h)] = h[i];
      if (valid(mask, r, u.n, t)) h[i] = tanhf(pre[i]);
      if (hs) hs[in_sequence(r, u, t, r.h)] = h[i];
    }
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    if (u.there) last[u.state] = h[i];
  }
}

// rnn is op RNN: see the op for the values; an output nobody wants is null. Grid: n / R blocks, R = 1 here. Block: a thread a unit, at
// most 1024; any multiple of 32 is right. Shared memory: (H·ld where staged) + 2·R·H floats.
extern "C" __global__ void __launch_bounds__(1024) rnn(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ hs, float* __restrict__ before, Recurrence r) {
  EXTERN_SHARED(float, s);
  forward<1>(gates, weight, bias, h0, mask, last, hs, before, r, s);
}

// rnn_rows is rnn with R = 4: for more examples than processors, as a weight that has been read serves four.
extern "C" __global__ void __launch_bounds__(1024) rnn_rows(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ hs, float* __restrict__ before, Recurrence r) {
  EXTERN_SHARED(float, s);
  forward<4>(gates, weight, bias, h0, mask, last, hs, before, r, s);
}

// backward walks R examples back. Shared memory behind the weight: gradients before tanh; their sums over time; what passes by the
// product, R x H each; the product's parts, parts x R x H.
template <int R> __device__ __forceinline__ void backward(const float* __restrict__ hs, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dGates, float* __restrict__ dSum, float* __restrict__ dH0, Recurrence r, float* s) {
  Weight w = stage(weight, r, r.h, s);
  int n0 = blockIdx.x * R, size = R * r.h;
  float *d = s, *sum = d + size, *passed = sum + size, *parts = passed + size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    passed[i] = u.there ? dLast[u.state] : 0.0f;
    sum[i] = d[i] = 0.0f;
    for (int p = 0; p < r.parts; p++) parts[p * size + i] = 0.0f;
  }
  __syncthreads();
  for (int k = r.t - 1; k >= 0; k--) {
    int t = time_of(r, k);
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
      Unit u = unit(r, n0, i);
      if (!u.there) continue;
      float dh = arrived<R>(r, passed, parts, i), value = 0.0f;
      if (dH) dh += dH[in_sequence(r, u, t, r.h)];
      passed[i] = dh;
      if (valid(mask, r, u.n, t)) {
        float h = hs[in_sequence(r, u, t, r.h)];
        value = dh * (1.0f - h * h);
        passed[i] = 0.0f;
      }
      d[i] = value;
      sum[i] += value;
      dGates[in_sequence(r, u, t, r.h)] = value;
    }
    __syncthreads();
    back_products<R>(w, r, r.h, d, parts);
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    if (!u.there) continue;
    if (dSum) dSum[u.state] = sum[i];
    if (dH0) dH0[u.state] = arrived<R>(r, passed, parts, i);
  }
}

// rnn_grad is op RNNGrad: see the op for the values; inputs that may be left out (dH, mask) and outputs nobody wants are null. Grid and
// block as rnn. Shared memory: (H·ld where staged) + (3 + parts)·R·H floats.
extern "C" __global__ void __launch_bounds__(1024) rnn_grad(const float* __restrict__ hs, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dGates, float* __restrict__ dSum, float* __restrict__ dH0, Recurrence r) {
  EXTERN_SHARED(float, s);
  backward<1>(hs, weight, dLast, dH, mask, dGates, dSum, dH0, r, s);
}

// rnn_grad_rows is rnn_grad with R = 4.
extern "C" __global__ void __launch_bounds__(1024) rnn_grad_rows(const float* __restrict__ hs, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dGates, float* __restrict__ dSum, float* __restrict__ dH0, Recurrence r) {
  EXTERN_SHARED(float, s);
  backward<4>(hs, weight, dLast, dH, mask, dGates, dSum, dH0, r, s);
}
