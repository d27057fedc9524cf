#include "prelude.h"
#include "tile.cuh"
#include "conv.cuh"

// Convolution and transposed convolution without a product's tiles, for few taps (an image's first layer, depthwise filters) or
// few filters (an image's last layer), where tiles would be mostly empty. Sizes are below 2^31 elements.

constexpr int CHUNK = 128;  // taps whose weights are in shared memory at a time

// stage copies a chunk of the tap table and the weights of FILTERS filters, from row0 on, to shared memory: [tap][filter].
template <int FILTERS>
__device__ __forceinline__ void stage_chunk(Tap* taps, float* weights, const Tap* from, const float* w, int count, int row0, const Geometry& g, int thread, int threads) {
  for (int i = thread; i < count; i += threads) taps[i] = from[i];
  for (int i = thread; i < count * FILTERS; i += threads) {
    int k = i / FILTERS, row = row0 + i % FILTERS;
    weights[i] = row < g.filters ? w[row * g.weightRow + from[k].weight] : 0.0f;
  }
}

// DIRECT: a thread computes FILTERS results of one pixel, so that every number of the source that it reads, neighbouring
// threads neighbouring pixels, is used FILTERS times; weights are broadcast from shared memory as float4s.
// Grid: x = 128s of the largest phase's pixels, y = FILTERS of a group's filters, z = groups x phases. Block: 128.
template <int FILTERS>
__device__ __forceinline__ void direct(Tap* chunk, float4* shared, const float* x, const float* w, float* y, const float* bias, const Tap* taps, const Phase* phases, const Geometry& g, int activation) {
  float* weights = reinterpret_cast<float*>(shared);
  int group = blockIdx.z / g.phases, row0 = blockIdx.y * FILTERS;
  Phase f = phases[blockIdx.z - group * g.phases];
  if ((int)(blockIdx.x * blockDim.x) >= f.pixels) return;
  Pixel p = pixel(blockIdx.x * blockDim.x + threadIdx.x, f, g);
  x += group * g.groupIn + p.in;
  w += group * g.weightGroup;
  taps += f.taps;
  float sum[FILTERS];
#pragma unroll
  for (int o = 0; o < FILTERS; o++) sum[o] = 0.0f;
  for (int k0 = 0; k0 < f.steps; k0 += CHUNK) {
    int count = min(CHUNK, f.steps - k0);
    __syncthreads();
    stage_chunk<FILTERS>(chunk, weights, taps + k0, w, count, row0, g, threadIdx.x, blockDim.x);
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < count; k++) {
      Tap t = chunk[k];
      float v = p.out >= 0 && inside(t, p, g) ? x[t.off] : 0.0f;
      if constexpr (FILTERS % 4 == 0) {
#pragma unroll
        for (int o = 0; o < FILTERS; o += 4) {
          float4 q = shared[(k * FILTERS + o) / 4];
          sum[o] = fmaf(q.x, v, sum[o]), sum[o + 1] = fmaf(q.y, v, sum[o + 1]), sum[o + 2] = fmaf(q.z, v, sum[o + 2]), sum[o + 3] = fmaf(q.w, v, sum[o + 3]);
        }
      } else {
#pragma unroll
        for (int o = 0; o < FILTERS; o++) sum[o] = fmaf(weights[k * FILTERS + o], v, sum[o]);
      }
    }
  }
  if (p.out < 0) return;
#pragma unroll
  for (int o = 0; o < FILTERS; o++) {
    int row = row0 + o;
    if (row >= g.filters) break;
    int channel = group * g.filters + row;
    y[p.out + channel * g.plane] = activate(sum[o] + (bias ? bias[channel] : 0.0f), activation);
  }
}

extern "C" __global__ void __launch_bounds__(128) conv_direct_16(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int activation) {
  __shared__ Tap chunk[CHUNK];
  __shared__ float4 weights[CHUNK * 16 / 4];
  direct<16>(chunk, weights, x, w, y, bias, taps, phases, g, activation);
}

extern "C" __global__ void __launch_bounds__(128) conv_direct_4(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int activation) {
  __shared__ Tap chunk[CHUNK];
  __shared__ float4 weights[CHUNK * 4 / 4];
  direct<4>(chunk, weights, x, w, y, bias, taps, phases, g, activation);
}

extern "C" __global__ void __launch_bounds__(128) conv_direct_1(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int activation) {
  __shared__ Tap chunk[CHUNK];
  __shared__ float4 weights[CHUNK / 4];
  direct<1>(chunk, weights, x, w, y, bias, taps, phases, g, activation);
}

// STRIP: for few filters, many channels and downH = 1 (a convolution of row stride 1, or any transposed one). A thread computes
// FILTERS results of four pixels below each other: it reads run + 3 numbers of a column for 4·run·FILTERS multiplications,
// neighbouring threads neighbouring columns. The table is ordered by channel, column, row, so that every `run` entries (1 to
// 5) are one column's taps, a row apart each; a phase's pixels are images x strips of four rows x columns.
// A block's four rows of threads take a quarter of every chunk each and add their sums in order: more threads in flight where a
// batch has few pixels.
// Grid: x = 64s of the largest phase's strips, y = FILTERS of a group's filters, z = groups x phases. Block: 64 x 4.
constexpr int STRIP = 4, STRIPS = 64, SPLIT = 4;

template <int FILTERS, int RUN>
__device__ __forceinline__ void strip_columns(float (&sum)[FILTERS][STRIP], const Tap* chunk, const float* weights, int columns, const float* x, const Pixel& p, unsigned rows, const Geometry& g) {
#pragma unroll 2
  for (int c = threadIdx.y; c < columns; c += SPLIT) {
    Tap t = chunk[c * RUN];
    const float* column = x + t.off;
    bool in = (unsigned)(p.w + t.w) < (unsigned)g.width;
    float v[RUN + STRIP - 1];
#pragma unroll
    for (int j = 0; j < RUN + STRIP - 1; j++) v[j] = in && (rows >> j & 1) ? column[j * g.width] : 0.0f;
#pragma unroll
    for (int r = 0; r < RUN; r++) {
      float weight[FILTERS];
      if constexpr (FILTERS == 4) {
        float4 q = load4(weights + (c * RUN + r) * 4);
        weight[0] = q.x, weight[1] = q.y, weight[2] = q.z, weight[3] = q.w;
      } else {
#pragma unroll
        for (int o = 0; o < FILTERS; o++) weight[o] = weights[(c * RUN + r) * FILTERS + o];
      }
#pragma unroll
      for (int o = 0; o < FILTERS; o++)
#pragma unroll
        for (int i = 0; i < STRIP; i++) sum[o][i] = fmaf(weight[o], v[r + i], sum[o][i]);
    }
  }
}

template <int FILTERS>
__device__ __forceinline__ void strip(Tap* chunk, float* weights, float* sums, const float* x, const float* w, float* y, const float* bias, const Tap* taps, const Phase* phases, const Geometry& g, int activation) {
  int group = blockIdx.z / g.phases, row0 = blockIdx.y * FILTERS, thread = threadIdx.y * STRIPS + threadIdx.x;
  Phase f = phases[blockIdx.z - group * g.phases];
  int rowsOut = f.each / f.columns, high = (rowsOut + STRIP - 1) / STRIP;  // strips above each other
  int i = blockIdx.x * STRIPS + threadIdx.x, images = f.pixels / f.each;
  if ((int)(blockIdx.x * STRIPS) >= images * high * f.columns) return;
  bool live = i < images * high * f.columns;
  if (!live) i = 0;
  int v = i % f.columns, u = i / f.columns % high * STRIP, n = i / f.columns / high;
  Pixel p;
  p.h = u, p.w = v * g.downW;
  p.in = n * g.imageIn + u * g.width + p.w;
  p.out = n * g.imageOut + (u * g.upH + f.qy) * g.line + v * g.upW + f.qx;
  x += group * g.groupIn + p.in;
  w += group * g.weightGroup;
  taps += f.taps;
  unsigned rows = 0;
  if (f.steps > 0 && live)
    for (int j = 0; j < f.run + STRIP - 1; j++) rows |= (unsigned)((unsigned)(u + taps[0].h + j) < (unsigned)g.height) << j;
  float sum[FILTERS][STRIP];
#pragma unroll
  for (int o = 0; o < FILTERS; o++)
#pragma unroll
    for (int j = 0; j < STRIP; j++) sum[o][j] = 0.0f;

  int most = f.run > 0 ? CHUNK / f.run * f.run : CHUNK;
  for (int k0 = 0; k0 < f.steps; k0 += most) {
    int count = min(most, f.steps - k0);
    __syncthreads();
    stage_chunk<FILTERS>(chunk, weights, taps + k0, w, count, row0, g, thread, STRIPS * SPLIT);
    __syncthreads();
    switch (f.run) {
      case 1: strip_columns<FILTERS, 1>(sum, chunk, weights, count, x, p, rows, g); break;
      case 2: strip_columns<FILTERS, 2>(sum, chunk, weights, count / 2, x, p, rows, g); break;
      case 3: strip_columns<FILTERS, 3>(sum, chunk, weights, count / 3, x, p, rows, g); break;
      case 4: strip_columns<FILTERS, 4>(sum, chunk, weights, count / 4, x, p, rows, g); break;
      case 5: strip_columns<FILTERS, 5>(sum, chunk, weights, count / 5, x, p, rows, g); break;
    }
  }

#pragma unroll
  for (int o = 0; o < FILTERS; o++)
#pragma unroll
    for (int j = 0; j < STRIP; j++) sums[((threadIdx.y * FILTERS + o) * STRIP + j) * STRIPS + threadIdx.x] = sum[o][j];
  __syncthreads();
  if (!live) return;
#pragma unroll 1
  for (int e = threadIdx.y; e < FILTERS * STRIP; e += SPLIT) {  // row e mod STRIP of filter e / STRIP
    int row = row0 + e / STRIP, j = e % STRIP;
    if (row >= g.filters || u + j >= rowsOut) continue;
    float v = 0.0f;
#pragma unroll
    for (int s = 0; s < SPLIT; s++) v += sums[(s * FILTERS * STRIP + e) * STRIPS + threadIdx.x];
    int channel = group * g.filters + row;
    y[p.out + j * g.upH * g.line + channel * g.plane] = activate(v + (bias ? bias[channel] : 0.0f), activation);
  }
}

extern "C" __global__ void __launch_bounds__(256) conv_strip_4(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int activation) {
  __shared__ Tap chunk[CHUNK];
  __shared__ float4 weights[CHUNK];
  __shared__ float sums[SPLIT * 4 * STRIP * STRIPS];
  strip<4>(chunk, reinterpret_cast<float*>(weights), sums, x, w, y, bias, taps, phases, g, activation);
}

extern "C" __global__ void __launch_bounds__(256) conv_strip_1(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ y, const float* __restrict__ bias, const Tap* __restrict__ taps, const Phase* __restrict__ phases, Geometry g, int activation) {
  __shared__ Tap chunk[CHUNK];
  __shared__ float weights[CHUNK];
  __shared__ float sums[SPLIT * STRIP * STRIPS];
  strip<1>(chunk, weights, sums, x, w, y, bias, taps, phases, g, activation);
}
