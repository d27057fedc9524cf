#include "prelude.h"
#include "group.cuh"

// Larger finds the largest element and where it stands first; NaN is larger than anything.
struct Found {
  float value;
  int at;
};

struct Larger {
  typedef Found State;
  static __device__ __forceinline__ State join(State a, State b) {
    bool an = a.value != a.value, bn = b.value != b.value;
    bool first = an != bn ? an : (an || a.value == b.value) ? a.at < b.at : a.value > b.value;
    return first ? a : b;
  }
  static __device__ __forceinline__ State across(State s, int o) {
    State r = {__shfl_xor_sync(ALL_LANES, s.value, o), __shfl_xor_sync(ALL_LANES, s.at, o)};
    return r;
  }
};

// argmax writes to y[r] the index of the largest element of row r of x, rows x n: the first of several, the first NaN if there
// is one. A group of 2^shift threads takes a row (group.cuh). Reads x once, 4 bytes an element.
extern "C" __global__ void argmax(const float* __restrict__ x, int* __restrict__ y, int rows, int n, int shift) {
  __shared__ Found shared[MAX_WARPS];
  Place p = place(shift);
  Found s = {-INFINITE, 0x7fffffff};
  if (p.group < rows) {
    const float* row = x + (size_t)p.group * n;
#pragma unroll 4
    for (int i = p.lane; i < n; i += p.size) {
      Found f = {row[i], i};
      s = Larger::join(s, f);
    }
  }
  s = group_join<Larger>(s, shift, shared);
  if (p.lane == 0 && p.group < rows) y[p.group] = s.at;
}
