// What the kernels of all recurrent ops share: a block takes R examples through all times, without waiting for any other.
//
// Dynamic shared memory holds the recurrent weight where it fits (Recurrence.ld > 0: its rows are ld floats apart, so that
// neighbouring threads never meet in a bank), and behind it the states. A time is two phases with a barrier after each:
// products of the weight with the state, a gate a thread, and the cell, a unit a thread.
#pragma once
#include "prelude.h"
#include "point.cuh"

// Recurrence is examples, times, units and how to walk: reverse from the last time, same gates at all times.
struct Recurrence {
  int n, t, h;
  int reverse, same;
  int ld;     // floats between rows of the weight in shared memory; 0: it stays where it is
  int parts;  // of the product on the way back: each adds up a share of the gates
};

__device__ __forceinline__ int time_of(Recurrence r, int k) { return r.reverse ? r.t - 1 - k : k; }

// Weight is the recurrent weight as a block reads it.
struct Weight {
  const float* at;
  int ld;
};

// stage copies the weight, `count` rows of h, to the front of shared memory, and moves s behind it.
__device__ __forceinline__ Weight stage(const float* __restrict__ weight, Recurrence r, int count, float*& s) {
  Weight w = {weight, r.h};
  if (r.ld == 0) return w;
  for (int i = threadIdx.x; i < count * r.h; i += blockDim.x) {
    int row = i / r.h;
    s[row * r.ld + (i - row * r.h)] = weight[i];
  }
  w.at = s, w.ld = r.ld;
  s += count * r.ld;
  return w;
}

// dots computes acc[e] += w·state[e] for a row w and the states of R examples, h apart.
template <int R> __device__ __forceinline__ void dots(const float* w, const float* state, int h, bool quads, float* acc) {
  if (quads) {
#pragma unroll 4
    for (int k = 0; k < h; k += 4) {
      float4 v = *reinterpret_cast<const float4*>(w + k);
#pragma unroll
      for (int e = 0; e < R; e++) {
        float4 x = *reinterpret_cast<const float4*>(state + e * h + k);
        acc[e] = fmaf(v.x, x.x, acc[e]);
        acc[e] = fmaf(v.y, x.y, acc[e]);
        acc[e] = fmaf(v.z, x.z, acc[e]);
        acc[e] = fmaf(v.w, x.w, acc[e]);
      }
    }
    return;
  }
#pragma unroll 4
  for (int k = 0; k < h; k++) {
    float v = w[k];
#pragma unroll
    for (int e = 0; e < R; e++) acc[e] = fmaf(v, state[e * h + k], acc[e]);
  }
}

// gate_products writes pre[e][j] = gates + bias + w[j]·state[e] for all `count` rows of the weight and R examples from n0 on; rows
// from `apart` on get bias[j + h] and no gates (the candidate of a GRU, whose input joins later).
template <int R> __device__ __forceinline__ void gate_products(Weight w, Recurrence r, int count, int apart, const float* __restrict__ gates, const float* __restrict__ bias, const float* state, float* pre, int n0, int t) {
  bool quads = r.ld > 0 && (r.h & 3) == 0;
  int times = r.same ? 1 : r.t, at = r.same ? 0 : t;
  for (int j = threadIdx.x; j < count; j += blockDim.x) {
    float x[R], acc[R];
    bool joins = j < apart;
    float b = bias[joins ? j : j + r.h];
#pragma unroll
    for (int e = 0; e < R; e++) {
      acc[e] = 0.0f;
      x[e] = joins && n0 + e < r.n ? gates[((size_t)(n0 + e) * times + at) * count + j] : 0.0f;
    }
    dots<R>(w.at + (size_t)j * w.ld, state, r.h, quads, acc);
#pragma unroll
    for (int e = 0; e < R; e++) pre[e * count + j] = acc[e] + (x[e] + b);
  }
}

// back_products writes parts[p][e][k] = the sum over p's share of the gates j of d[e][j]·w[j][k]. A thread takes a unit k and a part:
// neighbours read neighbouring weights.
template <int R> __device__ __forceinline__ void back_products(Weight w, Recurrence r, int count, const float* d, float* parts) {
  int per = (count + r.parts - 1) / r.parts;
  for (int i = threadIdx.x; i < r.parts * r.h; i += blockDim.x) {
    int p = i / r.h, k = i - p * r.h;
    float acc[R];
#pragma unroll
    for (int e = 0; e < R; e++) acc[e] = 0.0f;
    int to = min(count, (p + 1) * per);
#pragma unroll 4
    for (int j = p * per; j < to; j++) {
      float v = w.at[(size_t)j * w.ld + k];
#pragma unroll
      for (int e = 0; e < R; e++) acc[e] = fmaf(v, d[e * count + j], acc[e]);
    }
#pragma unroll
    for (int e = 0; e < R; e++) parts[(p * R + e) * r.h + k] = acc[e];
  }
}

// arrived is what has come back to element i of R x h: what passed by the product, and the product's parts, in order.
template <int R> __device__ __forceinline__ float arrived(Recurrence r, const float* passed, const float* parts, int i) {
  float s = passed[i];
  for (int p = 0; p < r.parts; p++) s += parts[p * R * r.h + i];
  return s;
}

// Unit is a thread's element of R x h.
struct Unit {
  int n, j;
  bool there;    // the example exists
  size_t state;  // in N x H
};

__device__ __forceinline__ Unit unit(Recurrence r, int n0, int i) {
  int e = i / r.h;
  Unit u;
  u.n = n0 + e, u.j = i - e * r.h, u.there = u.n < r.n, u.state = (size_t)u.n * r.h + u.j;
  return u;
}

// in_sequence is the place of a unit in N x T x width; stored that in T x blocks x N x H.
__device__ __forceinline__ size_t in_sequence(Recurrence r, Unit u, int t, int width) { return ((size_t)u.n * r.t + t) * width + u.j; }
__device__ __forceinline__ size_t stored(Recurrence r, Unit u, int t, int blocks, int b) { return (((size_t)t * blocks + b) * r.n + u.n) * r.h + u.j; }
__device__ __forceinline__ bool valid(const float* __restrict__ mask, Recurrence r, int n, int t) { return !mask || mask[(size_t)n * r.t + t] != 0.0f; }
