#include "prelude.h"
#include "group.cuh"

// softmax and log_softmax turn each row of x, rows x n, into exp(x - max) / Σ exp(x - max), or its logarithm. A group of 2^shift
// threads takes a row (group.cuh): one pass for maximum and sum together, one that reads the row again, mostly from L1 or L2, and
// writes. Bound by 8 bytes an element of memory for rows that the caches hold, 12 for longer ones. y may be x.
// Block: 2^k >= 32 threads, and 2^shift of them where shift > 5.
template <bool LOG> __device__ __forceinline__ void normalise(const float* x, float* y, int rows, int n, int shift, Exponentials* shared) {
  Place p = place(shift);
  bool quads = (n & 3) == 0, mine = p.group < rows;
  x += (size_t)p.group * n;
  y += (size_t)p.group * n;
  Exponentials s = LogSumExp::start();
  if (mine) s = put_row<LogSumExp>(x, n, p, quads);
  s = group_join<LogSumExp>(s, shift, shared);
  if (!mine) return;
  float top = s.top, scale = LOG ? logf(s.total) : 1.0f / s.total;
  auto f = [=](float v) { return LOG ? v - top - scale : expf(v - top) * scale; };
  if (!quads) {
#pragma unroll 4
    for (int i = p.lane; i < n; i += p.size) y[i] = f(x[i]);
    return;
  }
  const float4* from = reinterpret_cast<const float4*>(x);
  float4* to = reinterpret_cast<float4*>(y);
#pragma unroll 2
  for (int i = p.lane; i < n >> 2; i += p.size) {
    float4 v = from[i];
    v.x = f(v.x), v.y = f(v.y), v.z = f(v.z), v.w = f(v.w);
    to[i] = v;
  }
}

extern "C" __global__ void softmax(const float* x, float* y, int rows, int n, int shift) {
  __shared__ Exponentials shared[MAX_WARPS];
  normalise<false>(x, y, rows, n, shift, shared);
}

extern "C" __global__ void log_softmax(const float* x, float* y, int rows, int n, int shift) {
  __shared__ Exponentials shared[MAX_WARPS];
  normalise<true>(x, y, rows, n, shift, shared);
}
