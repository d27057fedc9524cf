#include "prelude.h"
#include "tile.cuh"
#include "conv.cuh"

// Convolution and transposed convolution as a matrix product whose right operand is gathered on the way to shared memory: no
// buffer of patches is written. Rows are a group's filters, columns the pixels of a phase (all images), k its table of taps.
// Neighbouring lanes gather neighbouring pixels at one tap: whole lines for stride 1, and no bank conflicts in shared memory.
//
// Grid: x = tiles of the largest phase's pixels, y = tiles of filters, then parts, z = groups x phases. Each part takes `per`
// taps (a multiple of the tile's KC) and writes a result of its own, stepPart elements apart, for sum_parts: small images with
// many channels. With one part the store adds bias[channel] (or null) and applies an Activation.
// flags: 1: weight[o, k] lies at o·weightRow + k (a convolution), else at the table's place; 2: in quads.
// Sizes are below 2^31 elements. Block: the tile's THREADS; static shared memory.

// Filters fetches the weights.
template <class T> struct Filters {
  Dense<T, T::BM, T::LDA, T::EACH_A> dense;
  const Tap* taps;  // null: dense

  __device__ __forceinline__ void fetch(int k0, int end) {
    if (!taps) {
      dense.fetch(k0, end);
      return;
    }
#pragma unroll
    for (int f = 0; f < T::EACH_A / 4; f++) {
      int row, k;
      dense.place(f, row, k);
      row += dense.from, k += k0;
      const float* p = dense.p + row * (int)dense.ld;
#pragma unroll
      for (int j = 0; j < 4; j++) dense.v[4 * f + j] = row < dense.rows && k + j < end ? p[taps[k + j].weight] : 0.0f;
    }
  }
  __device__ __forceinline__ void put(float* stage) const { dense.put(stage); }
};

// Patches gathers the source: thread t holds pixel t mod BN of the tile at every (THREADS / BN)-th step.
template <class T> struct Patches {
  static constexpr int STEP = T::THREADS / T::BN;
  const float* x;
  const Tap* taps;
  Geometry g;
  Pixel at;
  float v[T::EACH_B];

  __device__ __forceinline__ void fetch(int k0, int end) {
    int k = k0 + threadIdx.x / T::BN;
#pragma unroll
    for (int i = 0; i < T::EACH_B; i++) {
      v[i] = 0.0f;
      if (k + i * STEP < end) {
        Tap t = taps[k + i * STEP];
        if (at.out >= 0 && inside(t, at, g)) v[i] = x[at.in + t.off];
      }
    }
  }
  __device__ __forceinline__ void put(float* stage) const {
    float* to = stage + threadIdx.x / T::BN * T::LDB + threadIdx.x % T::BN;
#pragma unroll
    for (int i = 0; i < T::EACH_B; i++) to[i * STEP * T::LDB] = v[i];
  }
};

// Planes stores quads of pixels of a channel; places holds the tile's results' places.
struct Planes {
  float* y;
  const float* bias;
  const int* places;
  int row0, rows, plane, activation;

  __device__ __forceinline__ void put(int row, int column, float4 v) const {
    row += row0;
    if (row >= rows) return;
    float x[4] = {v.x, v.y, v.z, v.w};
    float add = bias ? bias[row] : 0.0f;
#pragma unroll
    for (int j = 0; j < 4; j++) x[j] += add;
    if (activation) {
#pragma unroll
      for (int j = 0; j < 4; j++) x[j] = activate(x[j], activation);
    }
    int at[4];
#pragma unroll
    for (int j = 0; j < 4; j++) at[j] = places[column + j];
    float* to = y + row * plane;
    if (at[0] >= 0 && at[3] == at[0] + 3 && (((unsigned long long)(to + at[0])) & 15) == 0) {
      store4(to + at[0], quad(x[0], x[1], x[2], x[3]));
      return;
    }
#pragma unroll
    for (int j = 0; j < 4; j++)
      if (at[j] >= 0) to[at[j]] = x[j];
  }
};

template <class T>
__device__ __forceinline__ void implicit(float4* shared, int* places, const float* x, const float* w, float* y, const float* bias, const Tap* taps, const Phase* phases, const Geometry& g, int flags, int per, long long stepPart, int activation) {
  int group = blockIdx.z / g.phases;
  Phase f = phases[blockIdx.z - group * g.phases];
  if ((int)(blockIdx.x * T::BN) >= f.pixels) return;  // phases differ by a row or a column
  int down = (g.filters + T::BM - 1) / T::BM, tile = blockIdx.y % down, part = blockIdx.y / down;
  if (threadIdx.x < T::BN) places[threadIdx.x] = pixel(blockIdx.x * T::BN + threadIdx.x, f, g).out;

  Filters<T> left;
  left.taps = flags & 1 ? nullptr : taps + f.taps;
  left.dense.across = false;
  left.dense.quads = flags & 2;
  left.dense.p = w + group * g.weightGroup, left.dense.ld = g.weightRow;
  left.dense.rows = g.filters, left.dense.from = tile * T::BM;
  Patches<T> right;
  right.x = x + group * g.groupIn, right.taps = taps + f.taps, right.g = g;
  right.at = pixel(blockIdx.x * T::BN + threadIdx.x % T::BN, f, g);
  int channel = group * g.filters;
  Planes planes = {y + part * stepPart + channel * g.plane, bias ? bias + channel : nullptr, places, tile * T::BM, g.filters, g.plane, activation};
  product<T>(shared, min(f.steps, part * per), min(f.steps, (part + 1) * per), left, right, planes);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_implicit_large(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int flags, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Large::QUADS];
  __shared__ int places[Large::BN];
  implicit<Large>(shared, places, x, w, y, bias, taps, phases, g, flags, per, stepPart, activation);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_implicit_medium(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int flags, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Medium::QUADS];
  __shared__ int places[Medium::BN];
  implicit<Medium>(shared, places, x, w, y, bias, taps, phases, g, flags, per, stepPart, activation);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_implicit_wide(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int flags, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Wide::QUADS];
  __shared__ int places[Wide::BN];
  implicit<Wide>(shared, places, x, w, y, bias, taps, phases, g, flags, per, stepPart, activation);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_implicit_small(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int flags, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Small::QUADS];
  __shared__ int places[Small::BN];
  implicit<Small>(shared, places, x, w, y, bias, taps, phases, g, flags, per, stepPart, activation);
}
