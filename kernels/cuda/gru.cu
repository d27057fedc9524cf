#include "recurrent.cuh"

// forward walks R examples through a GRU. Shared memory behind the weight: h, R x H; r and z before their activations and U h + b of the
// candidate, R x 3H.
template <int R> __device__ __forceinline__ void forward(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ hs, float* __restrict__ before, float* __restrict__ acts, Recurrence r, float* s) {
  Weight w = stage(weight, r, 3 * r.h, s);
  int n0 = blockIdx.x * R, size = R * r.h;
  float *h = s, *pre = h + size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    h[i] = u.there ? h0[u.state] : 0.0f;
  }
  __syncthreads();
  int times = r.same ? 1 : r.t;
  for (int k = 0; k < r.t; k++) {
    int t = time_of(r, k);
    gate_products<R>(w, r, 3 * r.h, 2 * r.h, gates, bias, h, pre, n0, t);
    __syncthreads();
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
      Unit u = unit(r, n0, i);
      if (!u.there) continue;
      const float* a = pre + (i - u.j) * 3 + u.j;
      float input = gates[((size_t)u.n * times + (r.same ? 0 : t)) * 3 * r.h + 2 * r.h + u.j] + bias[2 * r.h + u.j];
      float reset = point_sigmoid(a[0]), update = point_sigmoid(a[r.h]), inner = a[2 * r.h], candidate = tanhf(fmaf(reset, inner, input));
      if (acts) {
        acts[stored(r, u, t, 4, 0)] = reset;
        acts[stored(r, u, t, 4, 1)] = update;
        acts[stored(r, u, t, 4, 2)] = candidate;
        acts[stored(r, u, t, 4, 3)] = inner;
      }
      if (before) before[in_sequence(r, u, t, r.h)] = h[i];
      if (valid(mask, r, u.n, t)) h[i] = fmaf(update, h[i] - candidate, candidate);
      if (hs) hs[in_sequence(r, u, t, r.h)] = h[i];
    }
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    if (u.there) last[u.state] = h[i];
  }
}

// gru is op GRU: see the op for the values; an output nobody wants is null. Grid: n / R blocks, R = 1 here. Block: a thread a gate, at
// most 1024; any multiple of 32 is right. Shared memory: (3H·ld where staged) + 4·R·H floats.
extern "C" __global__ void __launch_bounds__(1024) gru(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ hs, float* __restrict__ before, float* __restrict__ acts, Recurrence r) {
  EXTERN_SHARED(float, s);
  forward<1>(gates, weight, bias, h0, mask, last, hs, before, acts, r, s);
}

// gru_rows is gru with R = 4: for more examples than processors, as a weight that has been read serves four.
extern "C" __global__ void __launch_bounds__(1024) gru_rows(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ hs, float* __restrict__ before, float* __restrict__ acts, Recurrence r) {
  EXTERN_SHARED(float, s);
  forward<4>(gates, weight, bias, h0, mask, last, hs, before, acts, r, s);
}

// backward walks R examples back. Shared memory behind the weight: gradients of the state's part of the gates, R x 3H; sums over time of
// the biases' gradients, R x 4H; what passes by the product, R x H; the product's parts, parts x R x H.
template <int R> __device__ __forceinline__ void backward(const float* __restrict__ acts, const float* __restrict__ before, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dInput, float* __restrict__ dHidden, float* __restrict__ dSum, float* __restrict__ dH0, Recurrence r, float* s) {
  Weight w = stage(weight, r, 3 * r.h, s);
  int n0 = blockIdx.x * R, size = R * r.h;
  float *d = s, *sum = d + 3 * size, *passed = sum + 4 * size, *parts = passed + size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    passed[i] = u.there ? dLast[u.state] : 0.0f;
    for (int g = 0; g < 3; g++) d[g * size + i] = 0.0f;
    for (int g = 0; g < 4; g++) sum[g * size + i] = 0.0f;
    for (int p = 0; p < r.parts; p++) parts[p * size + i] = 0.0f;
  }
  __syncthreads();
  for (int k = r.t - 1; k >= 0; k--) {
    int t = time_of(r, k);
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
      Unit u = unit(r, n0, i);
      if (!u.there) continue;
      float dh = arrived<R>(r, passed, parts, i);
      if (dH) dh += dH[in_sequence(r, u, t, r.h)];
      float dReset = 0.0f, dUpdate = 0.0f, dCandidate = 0.0f, dInner = 0.0f;
      passed[i] = dh;
      if (valid(mask, r, u.n, t)) {
        float reset = acts[stored(r, u, t, 4, 0)], update = acts[stored(r, u, t, 4, 1)], candidate = acts[stored(r, u, t, 4, 2)], inner = acts[stored(r, u, t, 4, 3)];
        passed[i] = dh * update;
        dCandidate = (dh - passed[i]) * (1.0f - candidate * candidate);
        dReset = dCandidate * inner * reset * (1.0f - reset);
        dUpdate = dh * (before[in_sequence(r, u, t, r.h)] - candidate) * update * (1.0f - update);
        dInner = dCandidate * reset;
      }
      float* row = d + (i - u.j) * 3 + u.j;
      row[0] = dReset, row[r.h] = dUpdate, row[2 * r.h] = dInner;
      sum[i] += dReset, sum[size + i] += dUpdate, sum[2 * size + i] += dCandidate, sum[3 * size + i] += dInner;
      size_t at = in_sequence(r, u, t, 3 * r.h);
      dInput[at] = dReset, dInput[at + r.h] = dUpdate, dInput[at + 2 * r.h] = dCandidate;
      if (dHidden) dHidden[at] = dReset, dHidden[at + r.h] = dUpdate, dHidden[at + 2 * r.h] = dInner;
    }
    __syncthreads();
    back_products<R>(w, r, 3 * r.h, d, parts);
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    if (!u.there) continue;
    if (dSum) {
      for (int g = 0; g < 4; g++) dSum[((size_t)u.n * 4 + g) * r.h + u.j] = sum[g * size + i];
    }
    if (dH0) dH0[u.state] = arrived<R>(r, passed, parts, i);
  }
}

// gru_grad is op GRUGrad: see the op for the values; inputs that may be left out (dH, mask) and outputs nobody wants are null. Grid and
// block as gru. Shared memory: (3H·ld where staged) + (8 + parts)·R·H floats.
extern "C" __global__ void __launch_bounds__(1024) gru_grad(const float* __restrict__ acts, const float* __restrict__ before, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dInput, float* __restrict__ dHidden, float* __restrict__ dSum, float* __restrict__ dH0, Recurrence r) {
  EXTERN_SHARED(float, s);
  backward<1>(acts, before, weight, dLast, dH, mask, dInput, dHidden, dSum, dH0, r, s);
}

// gru_grad_rows is gru_grad with R = 4.
extern "C" __global__ void __launch_bounds__(1024) gru_grad_rows(const float* __restrict__ acts, const float* __restrict__ before, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dInput, float* __restrict__ dHidden, float* __restrict__ dSum, float* __restrict__ dH0, Recurrence r) {
  EXTERN_SHARED(float, s);
  backward<4>(acts, before, weight, dLast, dH, mask, dInput, dHidden, dSum, dH0, r, s);
}
