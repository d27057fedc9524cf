// Helpers of batch norm: a block owns 2^shift neighbouring channels and walks over their elements.
#pragma once
#include "prelude.h"
#include "divisor.cuh"

// Channels is x seen by its second axis: planes x channels x inner. Its units are single elements or, where inner is a multiple of
// four, quads of them; inner and count are in units. Images have shift 0: a block reads planes. Matrices (inner is one element) have
// shift 3 or 5: threads t, t+1, ... read neighbouring columns of a row, whole sectors.
struct Channels {
  int channels, count;  // count = planes·inner: units of a channel
  int shift;
  int parts, per;  // a channel's units are shared out: `per` to each of `parts` blocks
  int quads;       // 1: units are four elements
};

// Walk is a thread's share: units from `from` on, `step` apart, of channel c, up to `to`.
struct Walk {
  int c, part, from, step, to;
};

__device__ __forceinline__ Walk walk(Channels k) {
  int tile = blockIdx.x / k.parts, part = blockIdx.x - tile * k.parts, t = threadIdx.x;
  int c = (tile << k.shift) + (t & ((1 << k.shift) - 1));
  int end = min(k.count, (part + 1) * k.per);
  Walk w = {c, part, part * k.per + (t >> k.shift), (int)(blockDim.x >> k.shift), c < k.channels ? end : 0};
  return w;
}

// each calls f with the place in x, in units, of every unit of a thread's share.
template <class F> __device__ __forceinline__ void each(Walk w, Channels k, Divisor inner, F f) {
#pragma unroll 4
  for (int j = w.from; j < w.to; j += w.step) {
    int plane = quotient(j, inner);
    f((plane * k.channels + w.c) * inner.d + (j - plane * inner.d));
  }
}

// channel_sums adds up two numbers of every thread over those of its channel, in a fixed order; all of them get the sums. shared
// has room for a pair of each thread's and may be used again at once.
__device__ __forceinline__ float2 channel_sums(float2 s, int shift, float2* shared) {
  int width = 1 << shift, lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  for (int o = 16; o >= width; o >>= 1) {
    s.x += __shfl_xor_sync(0xffffffffu, s.x, o);
    s.y += __shfl_xor_sync(0xffffffffu, s.y, o);
  }
  if (lane < width) shared[warp * width + lane] = s;
  __syncthreads();
  s = shared[lane & (width - 1)];
#pragma unroll 4
  for (int w = 1; w < warps; w++) {
    float2 v = shared[w * width + (lane & (width - 1))];
    s.x += v.x;
    s.y += v.y;
  }
  __syncthreads();
  return s;
}

// Arithmetic on units.
__device__ __forceinline__ float total(float v) { return v; }
__device__ __forceinline__ float total(float4 v) { return (v.x + v.y) + (v.z + v.w); }
__device__ __forceinline__ float centred(float v, float m) { return v - m; }
__device__ __forceinline__ float4 centred(float4 v, float m) { return make_float4(v.x - m, v.y - m, v.z - m, v.w - m); }
__device__ __forceinline__ float product(float a, float b) { return a * b; }
__device__ __forceinline__ float4 product(float4 a, float4 b) { return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w); }
__device__ __forceinline__ float affine(float v, float a, float b) { return fmaf(v, a, b); }
__device__ __forceinline__ float4 affine(float4 v, float a, float b) { return make_float4(fmaf(v.x, a, b), fmaf(v.y, a, b), fmaf(v.z, a, b), fmaf(v.w, a, b)); }
__device__ __forceinline__ float axpy(float v, float a, float b) { return fmaf(v, a, b); }
__device__ __forceinline__ float4 axpy(float4 v, float a, float4 b) { return make_float4(fmaf(v.x, a, b.x), fmaf(v.y, a, b.y), fmaf(v.z, a, b.z), fmaf(v.w, a, b.w)); }
