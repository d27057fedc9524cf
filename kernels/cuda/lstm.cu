#include "recurrent.cuh"

// forward walks R examples through an LSTM. Shared memory behind the weight: h, R x H; gates before their activations, R x 4H; c, R x H.
template <int R> __device__ __forceinline__ void forward(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ c0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ cell, float* __restrict__ hs, float* __restrict__ before, float* __restrict__ cs, float* __restrict__ acts, Recurrence r, float* s) {
  Weight w = stage(weight, r, 4 * r.h, s);
  int n0 = blockIdx.x * R, size = R * r.h;
  float *h = s, *pre = h + size, *c = pre + 4 * size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    h[i] = u.there ? h0[u.state] : 0.0f;
    c[i] = u.there ? c0[u.state] : 0.0f;
  }
  __syncthreads();
  for (int k = 0; k < r.t; k++) {
    int t = time_of(r, k);
    gate_products<R>(w, r, 4 * r.h, 4 * r.h, gates, bias, h, pre, n0, t);
    __syncthreads();
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
      Unit u = unit(r, n0, i);
      if (!u.there) continue;
      const float* a = pre + (i - u.j) * 4 + u.j;
      float in = point_sigmoid(a[0]), forget = point_sigmoid(a[r.h]), candidate = tanhf(a[2 * r.h]), out = point_sigmoid(a[3 * r.h]);
      if (acts) {
        acts[stored(r, u, t, 4, 0)] = in;
        acts[stored(r, u, t, 4, 1)] = forget;
        acts[stored(r, u, t, 4, 2)] = candidate;
        acts[stored(r, u, t, 4, 3)] = out;
      }
      if (before) before[in_sequence(r, u, t, r.h)] = h[i];
      if (valid(mask, r, u.n, t)) {
        c[i] = fmaf(forget, c[i], in * candidate);
        h[i] = out * tanhf(c[i]);
      }
      if (hs) hs[in_sequence(r, u, t, r.h)] = h[i];
      if (cs) cs[stored(r, u, t, 1, 0)] = c[i];
    }
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    if (!u.there) continue;
    last[u.state] = h[i];
    if (cell) cell[u.state] = c[i];
  }
}

// lstm is op LSTM: see the op for the values; an output nobody wants is null. Grid: n / R blocks, R = 1 here. Block: a thread a gate,
// at most 1024; any multiple of 32 is right. Shared memory: (4H·ld where staged) + 6·R·H floats.
extern "C" __global__ void __launch_bounds__(1024) lstm(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ c0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ cell, float* __restrict__ hs, float* __restrict__ before, float* __restrict__ cs, float* __restrict__ acts, Recurrence r) {
  EXTERN_SHARED(float, s);
  forward<1>(gates, weight, bias, h0, c0, mask, last, cell, hs, before, cs, acts, r, s);
}

// lstm_rows is lstm with R = 4: for more examples than processors, as a weight that has been read serves four.
extern "C" __global__ void __launch_bounds__(1024) lstm_rows(const float* __restrict__ gates, const float* __restrict__ weight, const float* __restrict__ bias, const float* __restrict__ h0, const float* __restrict__ c0, const float* __restrict__ mask, float* __restrict__ last, float* __restrict__ cell, float* __restrict__ hs, float* __restrict__ before, float* __restrict__ cs, float* __restrict__ acts, Recurrence r) {
  EXTERN_SHARED(float, s);
  forward<4>(gates, weight, bias, h0, c0, mask, last, cell, hs, before, cs, acts, r, s);
}

// backward walks R examples back. Shared memory behind the weight: gradients of the gates, R x 4H; their sums over time, R x 4H; what
// passes by the product and dc, R x H each; the product's parts, parts x R x H.
template <int R> __device__ __forceinline__ void backward(const float* __restrict__ acts, const float* __restrict__ cs, const float* __restrict__ c0, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dCell, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dGates, float* __restrict__ dSum, float* __restrict__ dH0, float* __restrict__ dC0, Recurrence r, float* s) {
  Weight w = stage(weight, r, 4 * r.h, s);
  int n0 = blockIdx.x * R, size = R * r.h;
  float *d = s, *sum = d + 4 * size, *passed = sum + 4 * size, *dc = passed + size, *parts = dc + size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    passed[i] = u.there ? dLast[u.state] : 0.0f;
    dc[i] = u.there ? dCell[u.state] : 0.0f;
    for (int g = 0; g < 4; g++) sum[g * size + i] = d[g * size + i] = 0.0f;
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
      float dIn = 0.0f, dForget = 0.0f, dCandidate = 0.0f, dOut = 0.0f;
      passed[i] = dh;
      if (valid(mask, r, u.n, t)) {
        float in = acts[stored(r, u, t, 4, 0)], forget = acts[stored(r, u, t, 4, 1)], candidate = acts[stored(r, u, t, 4, 2)], out = acts[stored(r, u, t, 4, 3)];
        float squashed = tanhf(cs[stored(r, u, t, 1, 0)]), previous = k > 0 ? cs[stored(r, u, time_of(r, k - 1), 1, 0)] : c0[u.state];
        float now = fmaf(dh * out, 1.0f - squashed * squashed, dc[i]);
        dIn = now * candidate * in * (1.0f - in);
        dForget = now * previous * forget * (1.0f - forget);
        dCandidate = now * in * (1.0f - candidate * candidate);
        dOut = dh * squashed * out * (1.0f - out);
        dc[i] = now * forget;
        passed[i] = 0.0f;
      }
      float values[4] = {dIn, dForget, dCandidate, dOut};
      float* row = d + (i - u.j) * 4 + u.j;
#pragma unroll
      for (int g = 0; g < 4; g++) {
        row[g * r.h] = values[g];
        sum[g * size + i] += values[g];
        dGates[in_sequence(r, u, t, 4 * r.h) + g * r.h] = values[g];
      }
    }
    __syncthreads();
    back_products<R>(w, r, 4 * r.h, d, parts);
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    Unit u = unit(r, n0, i);
    if (!u.there) continue;
    if (dSum) {
      for (int g = 0; g < 4; g++) dSum[((size_t)u.n * 4 + g) * r.h + u.j] = sum[g * size + i];
    }
    if (dH0) dH0[u.state] = arrived<R>(r, passed, parts, i);
    if (dC0) dC0[u.state] = dc[i];
  }
}

// lstm_grad is op LSTMGrad: see the op for the values; inputs that may be left out (dH, mask) and outputs nobody wants are null. Grid
// and block as lstm. Shared memory: (4H·ld where staged) + (10 + parts)·R·H floats.
extern "C" __global__ void __launch_bounds__(1024) lstm_grad(const float* __restrict__ acts, const float* __restrict__ cs, const float* __restrict__ c0, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dCell, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dGates, float* __restrict__ dSum, float* __restrict__ dH0, float* __restrict__ dC0, Recurrence r) {
  EXTERN_SHARED(float, s);
  backward<1>(acts, cs, c0, weight, dLast, dCell, dH, mask, dGates, dSum, dH0, dC0, r, s);
}

// lstm_grad_rows is lstm_grad with R = 4.
extern "C" __global__ void __launch_bounds__(1024) lstm_grad_rows(const float* __restrict__ acts, const float* __restrict__ cs, const float* __restrict__ c0, const float* __restrict__ weight, const float* __restrict__ dLast, const float* __restrict__ dCell, const float* __restrict__ dH, const float* __restrict__ mask, float* __restrict__ dGates, float* __restrict__ dSum, float* __restrict__ dH0, float* __restrict__ dC0, Recurrence r) {
  EXTERN_SHARED(float, s);
  backward<4>(acts, cs, c0, weight, dLast, dCell, dH, mask, dGates, dSum, dH0, dC0, r, s);
}
