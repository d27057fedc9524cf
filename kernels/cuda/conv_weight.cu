#include "prelude.h"
#include "divisor.cuh"
#include "tile.cuh"
#include "conv.cuh"

// The gradient of a convolution's weight: dw[o, j] = Σ over pixels (n, p, q) of dy[n, o, p, q] · x[n, c_j, p·downH + h_j, q·downW + w_j],
// j counting a group's channels of x and the filter's taps (a table of Taps, whose weight is j). Results are few and the sum is
// long, so pixels are divided into parts: each writes a result of its own, stepPart elements apart, which sum_parts (gemm.cu)
// adds in order. How many parts there are depends on the shapes alone.

struct WeightGeometry {
  int height, width, imageX, groupX;  // of x
  int imageDy;                        // of dy: from image to image
  int filters, columns;               // rows and columns of a group's dw
  int downH, downW, pixels;           // pixels: of all images
  Divisor plane, line;                // of dy: pixels of an image, of a row
};

// Spot is where a pixel lies in dy, apart from the channel, and where its taps start in x.
struct Spot {
  int dy, x, h, w;
};

__device__ __forceinline__ Spot spot(int i, const WeightGeometry& g) {
  int n = quotient(i, g.plane), r = i - n * g.plane.d, u = quotient(r, g.line), v = r - u * g.line.d;
  Spot s;
  s.h = u * g.downH, s.w = v * g.downW;
  s.dy = n * g.imageDy + r;
  s.x = n * g.imageX + s.h * g.width + s.w;
  return s;
}

__device__ __forceinline__ float tapped(const float* x, const Tap& t, const Spot& s, const WeightGeometry& g) {
  bool in = (unsigned)(s.h + t.h) < (unsigned)g.height && (unsigned)(s.w + t.w) < (unsigned)g.width;
  return in ? x[s.x + t.off] : 0.0f;
}

// IMPLICIT: a product with filters as rows, columns as columns and pixels as the inner axis, both operands gathered.
// Eight lanes take neighbouring pixels (a sector each of dy and x) of four rows: with rows of shared memory four floats longer
// than the tile, their writes meet every bank once. A thread has one pixel of a stage for all of its rows, so that the
// divisions that find its place are made once a stage.
// Grid: x = tiles of columns, then of filters; y = parts of `per` pixels (a multiple of KC); z = groups. Block: THREADS.
template <class T> struct Lane {
  static constexpr int BLOCKS = T::KC / 8, STRIDE = 4 * (T::THREADS / 32) / BLOCKS;
  static __device__ __forceinline__ int k() { return threadIdx.x / 32 % BLOCKS * 8 + threadIdx.x % 8; }
  static __device__ __forceinline__ int row() { return threadIdx.x / 32 / BLOCKS * 4 + threadIdx.x / 8 % 4; }
};

template <class T> struct Outputs {
  const float* dy;
  const WeightGeometry& g;
  int from;
  Spot at;  // of the stage that was fetched last
  bool in;
  float v[T::EACH_A];

  __device__ __forceinline__ void fetch(int k0, int end) {
    int k = k0 + Lane<T>::k();
    in = k < end;
    at = spot(in ? k : 0, g);
#pragma unroll
    for (int i = 0; i < T::EACH_A; i++) {
      int row = from + Lane<T>::row() + i * Lane<T>::STRIDE;
      v[i] = in && row < g.filters ? dy[at.dy + row * g.plane.d] : 0.0f;
    }
  }
  __device__ __forceinline__ void put(float* stage) const {
    float* to = stage + Lane<T>::k() * T::LDA + Lane<T>::row();
#pragma unroll
    for (int i = 0; i < T::EACH_A; i++) to[i * Lane<T>::STRIDE] = v[i];
  }
};

template <class T> struct Inputs {
  const float* x;
  const Tap* taps;  // of the tile's columns, in shared memory
  const WeightGeometry& g;
  const Outputs<T>& outputs;  // fetched just before: it knows the pixel
  int left;                   // columns from the tile's first on
  float v[T::EACH_B];

  __device__ __forceinline__ void fetch(int, int) {
#pragma unroll
    for (int i = 0; i < T::EACH_B; i++) {
      int column = Lane<T>::row() + i * Lane<T>::STRIDE;
      v[i] = 0.0f;
      if (outputs.in && column < left) v[i] = tapped(x, taps[column], outputs.at, g);
    }
  }
  __device__ __forceinline__ void put(float* stage) const {
    float* to = stage + Lane<T>::k() * T::LDB + Lane<T>::row();
#pragma unroll
    for (int i = 0; i < T::EACH_B; i++) to[i * Lane<T>::STRIDE] = v[i];
  }
};

template <class T>
__device__ __forceinline__ void weight_implicit(float4* shared, Tap* columns, const float* x, const float* dy, float* dw, const Tap* taps, const WeightGeometry& g, int per, long long stepPart) {
  int across = (g.columns + T::BN - 1) / T::BN, tile = blockIdx.x, group = blockIdx.z;
  int column0 = tile % across * T::BN, row0 = tile / across * T::BM;
  for (int i = threadIdx.x; i < T::BN && column0 + i < g.columns; i += T::THREADS) columns[i] = taps[column0 + i];
  __syncthreads();
  Outputs<T> left = {dy + group * g.filters * g.plane.d, g, row0};
  Inputs<T> right = {x + group * g.groupX, columns, g, left, g.columns - column0};
  Rows rows = {dw + blockIdx.y * stepPart + group * g.filters * g.columns, nullptr, g.filters, g.columns, row0, column0, LINEAR, false};
  int k0 = blockIdx.y * per;
  product<T>(shared, min(k0, g.pixels), min(g.pixels, k0 + per), left, right, rows);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_weight_large(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw, const Tap* __restrict__ taps, WeightGeometry g, int per, long long stepPart) {
  __shared__ float4 shared[Large::QUADS];
  __shared__ Tap columns[Large::BN];
  weight_implicit<Large>(shared, columns, x, dy, dw, taps, g, per, stepPart);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_weight_medium(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw, const Tap* __restrict__ taps, WeightGeometry g, int per, long long stepPart) {
  __shared__ float4 shared[Medium::QUADS];
  __shared__ Tap columns[Medium::BN];
  weight_implicit<Medium>(shared, columns, x, dy, dw, taps, g, per, stepPart);
}

extern "C" __global__ void __launch_bounds__(256, 2) conv_weight_small(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw, const Tap* __restrict__ taps, WeightGeometry g, int per, long long stepPart) {
  __shared__ float4 shared[Small::QUADS];
  __shared__ Tap columns[Small::BN];
  weight_implicit<Small>(shared, columns, x, dy, dw, taps, g, per, stepPart);
}

// DIRECT: for a dw of few columns or few filters, which would leave most of a tile empty. A block sums OUT filters by 9 columns (a 3x3 filter)
// over its part of the pixels: a thread takes every THREADS-th pixel, reads OUT + 9 numbers for OUT·9 multiplications, and
// the threads' sums meet in shared memory, where a warp adds up those of a result, always in the same order.
// Grid: x = tiles of columns, then of filters; y = parts of `per` pixels; z = groups. Block: 256.
constexpr int DIRECT_COLUMNS = 9, DIRECT_THREADS = 256;

template <int OUT>
__device__ __forceinline__ void weight_direct(float* sums, const float* x, const float* dy, float* dw, const Tap* taps, const WeightGeometry& g, int per, long long stepPart) {
  int across = (g.columns + DIRECT_COLUMNS - 1) / DIRECT_COLUMNS, group = blockIdx.z;
  int column0 = blockIdx.x % across * DIRECT_COLUMNS, row0 = blockIdx.x / across * OUT;
  x += group * g.groupX;
  dy += (group * g.filters + row0) * g.plane.d;
  Tap t[DIRECT_COLUMNS];
#pragma unroll
  for (int j = 0; j < DIRECT_COLUMNS; j++) t[j] = taps[min(column0 + j, g.columns - 1)];
  float sum[OUT][DIRECT_COLUMNS];
#pragma unroll
  for (int o = 0; o < OUT; o++)
#pragma unroll
    for (int j = 0; j < DIRECT_COLUMNS; j++) sum[o][j] = 0.0f;

  int end = min(g.pixels, (int)(blockIdx.y + 1) * per);
#pragma unroll 2
  for (int i = blockIdx.y * per + threadIdx.x; i < end; i += DIRECT_THREADS) {
    Spot s = spot(i, g);
    float a[OUT];
#pragma unroll
    for (int o = 0; o < OUT; o++) a[o] = row0 + o < g.filters ? dy[s.dy + o * g.plane.d] : 0.0f;
#pragma unroll
    for (int j = 0; j < DIRECT_COLUMNS; j++) {
      float b = tapped(x, t[j], s, g);
#pragma unroll
      for (int o = 0; o < OUT; o++) sum[o][j] = fmaf(a[o], b, sum[o][j]);
    }
  }

  constexpr int VALUES = OUT * DIRECT_COLUMNS;
#pragma unroll
  for (int o = 0; o < OUT; o++)
#pragma unroll
    for (int j = 0; j < DIRECT_COLUMNS; j++) sums[(o * DIRECT_COLUMNS + j) * DIRECT_THREADS + threadIdx.x] = sum[o][j];
  __syncthreads();
  int lane = threadIdx.x & 31;
  for (int e = threadIdx.x >> 5; e < VALUES; e += DIRECT_THREADS / 32) {
    float v = 0.0f;
#pragma unroll
    for (int i = 0; i < DIRECT_THREADS; i += 32) v += sums[e * DIRECT_THREADS + i + lane];
#pragma unroll
    for (int d = 16; d > 0; d >>= 1) v += __shfl_down_sync(0xffffffffu, v, d);
    int row = row0 + e / DIRECT_COLUMNS, column = column0 + e % DIRECT_COLUMNS;
    if (lane == 0 && row < g.filters && column < g.columns) dw[blockIdx.y * stepPart + (group * g.filters + row) * g.columns + column] = v;
  }
}

extern "C" __global__ void __launch_bounds__(256) conv_weight_direct_4(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw, const Tap* __restrict__ taps, WeightGeometry g, int per, long long stepPart) {
  __shared__ float sums[4 * DIRECT_COLUMNS * DIRECT_THREADS];
  weight_direct<4>(sums, x, dy, dw, taps, g, per, stepPart);
}

extern "C" __global__ void __launch_bounds__(256) conv_weight_direct_1(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw, const Tap* __restrict__ taps, WeightGeometry g, int per, long long stepPart) {
  __shared__ float sums[DIRECT_COLUMNS * DIRECT_THREADS];
  weight_direct<1>(sums, x, dy, dw, taps, g, per, stepPart);
}
