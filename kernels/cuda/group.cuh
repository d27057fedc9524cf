// Folds (sums, maxima, log-sum-exps) by groups of threads, in an order that depends on the group's size alone.
//
// A group is 2^shift threads: a part of a warp (shift <= 5: several groups a block) or the whole block (shift > 5: one group).
// A fold F has a State, start(), put(state, x), join(state, state) and finish(state); join is commutative to the last bit,
// so that all threads of a group end with the same state.
#pragma once
#include "prelude.h"

#define ALL_LANES 0xffffffffu
#define MAX_WARPS 32
#define INFINITE __int_as_float(0x7f800000)

// NaN wins, as everywhere in the project.
__device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }
__device__ __forceinline__ float smaller(float a, float b) { return a < b || a != a ? a : b; }

struct Sum {
  typedef float State;
  static __device__ __forceinline__ float start() { return 0.0f; }
  static __device__ __forceinline__ float put(float s, float x) { return s + x; }
  static __device__ __forceinline__ float join(float a, float b) { return a + b; }
  static __device__ __forceinline__ float finish(float s) { return s; }
  static __device__ __forceinline__ float across(float s, int o) { return __shfl_xor_sync(ALL_LANES, s, o); }
};

struct Max {
  typedef float State;
  static __device__ __forceinline__ float start() { return -INFINITE; }
  static __device__ __forceinline__ float put(float s, float x) { return larger(s, x); }
  static __device__ __forceinline__ float join(float a, float b) { return larger(a, b); }
  static __device__ __forceinline__ float finish(float s) { return s; }
  static __device__ __forceinline__ float across(float s, int o) { return __shfl_xor_sync(ALL_LANES, s, o); }
};

struct Min {
  typedef float State;
  static __device__ __forceinline__ float start() { return INFINITE; }
  static __device__ __forceinline__ float put(float s, float x) { return smaller(s, x); }
  static __device__ __forceinline__ float join(float a, float b) { return smaller(a, b); }
  static __device__ __forceinline__ float finish(float s) { return s; }
  static __device__ __forceinline__ float across(float s, int o) { return __shfl_xor_sync(ALL_LANES, s, o); }
};

// Exponentials is Σ exp(x) = total·exp(top) in one pass: what was added is rescaled when a larger element comes. Where the
// largest is infinite, total counts the elements equal to it, so that top + log(total) is that infinity and never NaN.
// Source: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
struct Exponentials {
  float top, total;
};

struct LogSumExp {
  typedef Exponentials State;
  static __device__ __forceinline__ State start() {
    State s = {-INFINITE, 0.0f};
    return s;
  }
  static __device__ __forceinline__ State put(State s, float x) {
    float e = x == s.top ? 1.0f : expf(-fabsf(x - s.top));
    State r = {larger(s.top, x), x > s.top ? fmaf(s.total, e, 1.0f) : s.total + e};
    return r;
  }
  static __device__ __forceinline__ State join(State a, State b) {
    bool first = a.top > b.top || a.top != a.top;
    State hi = first ? a : b, lo = first ? b : a;
    float e = hi.top == lo.top ? 1.0f : expf(lo.top - hi.top);
    State r = {hi.top, fmaf(lo.total, e, hi.total)};
    return r;
  }
  static __device__ __forceinline__ float finish(State s) { return s.top + logf(s.total); }
  static __device__ __forceinline__ State across(State s, int o) {
    State r = {__shfl_xor_sync(ALL_LANES, s.top, o), __shfl_xor_sync(ALL_LANES, s.total, o)};
    return r;
  }
};

// group_join folds the states of a group; every thread gets the result. All threads of the block call it, with shared memory
// for MAX_WARPS states, which may be used again at once.
template <class F> __device__ __forceinline__ typename F::State group_join(typename F::State s, int shift, typename F::State* shared) {
  for (int o = shift < 5 ? (1 << shift) >> 1 : 16; o > 0; o >>= 1) s = F::join(s, F::across(s, o));
  if (shift <= 5) return s;
  int warps = blockDim.x >> 5, lane = threadIdx.x & 31;
  if (lane == 0) shared[threadIdx.x >> 5] = s;
  __syncthreads();
  s = shared[lane & (warps - 1)];
  for (int o = warps >> 1; o > 0; o >>= 1) s = F::join(s, F::across(s, o));
  __syncthreads();
  return s;
}

__device__ __forceinline__ float group_sum(float s, int shift, float* shared) { return group_join<Sum>(s, shift, shared); }

// Where a thread stands in its group: the group's number in the grid, the thread's place in it, the group's size.
struct Place {
  int group, lane, size;
};

__device__ __forceinline__ Place place(int shift) {
  int t = threadIdx.x;
  Place p = {(int)(blockIdx.x * (blockDim.x >> shift)) + (t >> shift), t & ((1 << shift) - 1), 1 << shift};
  return p;
}

// put_row folds n elements from x on by a group; quads says that x and n are multiples of four elements.
template <class F> __device__ __forceinline__ typename F::State put_row(const float* __restrict__ x, int n, Place p, bool quads) {
  typename F::State s = F::start();
  if (!quads) {
#pragma unroll 4
    for (int i = p.lane; i < n; i += p.size) s = F::put(s, x[i]);
    return s;
  }
  typename F::State s1 = s, s2 = s, s3 = s;
  const float4* v = reinterpret_cast<const float4*>(x);
#pragma unroll 4
  for (int i = p.lane; i < n >> 2; i += p.size) {
    float4 a = v[i];
    s = F::put(s, a.x);
    s1 = F::put(s1, a.y);
    s2 = F::put(s2, a.z);
    s3 = F::put(s3, a.w);
  }
  return F::join(F::join(s, s1), F::join(s2, s3));
}
