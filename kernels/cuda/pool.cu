#include "prelude.h"

// Max and average pooling of N x C x H x W images and their gradients. All are bound by reading and writing once.
//
// Grid of all kernels but max_pool_scatter: a block has blockDim.x threads along a plane's results and blockDim.y planes; x =
// blocks of a plane, y = blocks of planes, which step over the rest. A thread divides once, to find its row and column, and
// then does that pixel of several planes. Indices within a plane have 32 bits; planes' offsets are counted with more.

// Window holds a pooling's attributes: images of height x width, results of rows x columns.
struct Window {
  int height, width, rows, columns;
  int kh, kw, strideH, strideW, padH, padW;
  int whole;  // an average divides by the whole window
};

// Range is the part of a window that lies inside of an axis.
struct Range {
  int from, to;
};

__device__ __forceinline__ Range window_at(int i, int stride, int pad, int k, int size) {
  int first = i * stride - pad;
  Range r = {max(0, first), min(size, first + k)};
  return r;
}

// windows_over are the windows of an axis that hold element i.
__device__ __forceinline__ Range windows_over(int i, int stride, int pad, int k, int count) {
  int first = i + pad - k + 1;  // the first window's start, before division by the stride
  Range r = {first > 0 ? (first + stride - 1) / stride : 0, min(count, (i + pad) / stride + 1)};
  return r;
}

__device__ __forceinline__ float divisor_of(Range h, Range v, const Window& w) {
  return (float)(w.whole ? w.kh * w.kw : (h.to - h.from) * (v.to - v.from));
}

// MAX_POOL: y and, unless null, places: the flat index in the plane of the first largest element; NaN is larger than all.
extern "C" __global__ void max_pool(const float* __restrict__ x, float* __restrict__ y, int* __restrict__ places, int planes, Window w) {
  int o = blockIdx.x * blockDim.x + threadIdx.x, each = w.rows * w.columns;
  if (o >= each) return;
  int i = o / w.columns, j = o - i * w.columns;
  Range rows = window_at(i, w.strideH, w.padH, w.kh, w.height), columns = window_at(j, w.strideW, w.padW, w.kw, w.width);
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    const float* plane = x + p * w.height * w.width;
    int best = rows.from * w.width + columns.from;
    float top = plane[best];
    for (int r = rows.from; r < rows.to; r++)
      for (int c = columns.from; c < columns.to; c++) {
        float v = plane[r * w.width + c];
        if (v > top || (v != v && top == top)) top = v, best = r * w.width + c;
      }
    y[p * each + o] = top;
    if (places) places[p * each + o] = best;
  }
}

// MAX_POOL_SPREAD is the gradient where places come from a pooling of windows w: each pixel of dx adds up, in order, the
// windows over it that chose it. No two threads write one place.
extern "C" __global__ void max_pool_spread(const float* __restrict__ dy, const int* __restrict__ places, float* __restrict__ dx, int planes, Window w) {
  int at = blockIdx.x * blockDim.x + threadIdx.x, size = w.height * w.width, each = w.rows * w.columns;
  if (at >= size) return;
  int i = at / w.width, j = at - i * w.width;
  Range rows = windows_over(i, w.strideH, w.padH, w.kh, w.rows), columns = windows_over(j, w.strideW, w.padW, w.kw, w.columns);
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    float sum = 0.0f;
    for (int r = rows.from; r < rows.to; r++)
      for (int c = columns.from; c < columns.to; c++) {
        long long o = p * each + r * w.columns + c;
        if (places[o] == at) sum += dy[o];
      }
    dx[p * size + at] = sum;
  }
}

// MAX_POOL_SCATTER is the gradient for places from anywhere: dy is added to dx at places (clamped to the plane), in the order
// of dy, which the op's contract asks for. A block has a plane: results that meet at a place claim it by an integer minimum,
// the first adds, and the rest claim again, until none is left; so passes are as many as results meet at most.
// claims has `size` ints a block. Grid: min(planes, blocks that have claims). Block: 256.
extern "C" __global__ void __launch_bounds__(256) max_pool_scatter(const float* __restrict__ dy, const int* __restrict__ places, float* __restrict__ dx, int* __restrict__ claims, int planes, int size, int each) {
  __shared__ int open;
  const int free = 0x7fffffff;
  int* claim = claims + (long long)blockIdx.x * size;
  for (int i = threadIdx.x; i < size; i += blockDim.x) claim[i] = free;
  for (long long p = blockIdx.x; p < planes; p += gridDim.x) {
    float* plane = dx + p * size;
    for (int i = threadIdx.x; i < size; i += blockDim.x) plane[i] = 0.0f;
    for (int base = 0; base < each; base += blockDim.x) {  // results of a round, in order
      int o = base + threadIdx.x;
      bool waits = o < each;
      int at = waits ? min(max(places[p * each + o], 0), size - 1) : 0;
      float d = waits ? dy[p * each + o] : 0.0f;
      for (;;) {
        __syncthreads();
        if (threadIdx.x == 0) open = 0;
        if (waits) atomicMin(&claim[at], o);
        __syncthreads();
        bool first = waits && atomicMin(&claim[at], free) == o;
        __syncthreads();
        if (first) {
          __stcg(&plane[at], __ldcg(&plane[at]) + d);
          atomicExch(&claim[at], free);
          waits = false;
        }
        if (waits) atomicOr(&open, 1);
        __syncthreads();
        if (!open) break;
      }
    }
    __syncthreads();
  }
}

// MAX_POOL_GATHER: y = x at places, clamped to the plane of `size` elements; y has `each` a plane.
extern "C" __global__ void max_pool_gather(const float* __restrict__ x, const int* __restrict__ places, float* __restrict__ y, int planes, int size, int each) {
  int o = blockIdx.x * blockDim.x + threadIdx.x;
  if (o >= each) return;
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    int at = min(max(places[p * each + o], 0), size - 1);
    y[p * each + o] = x[p * size + at];
  }
}

// AVG_POOL: the mean of each window.
extern "C" __global__ void avg_pool(const float* __restrict__ x, float* __restrict__ y, int planes, Window w) {
  int o = blockIdx.x * blockDim.x + threadIdx.x, each = w.rows * w.columns;
  if (o >= each) return;
  int i = o / w.columns, j = o - i * w.columns;
  Range rows = window_at(i, w.strideH, w.padH, w.kh, w.height), columns = window_at(j, w.strideW, w.padW, w.kw, w.width);
  float divisor = divisor_of(rows, columns, w);
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    const float* plane = x + p * w.height * w.width;
    float sum = 0.0f;
    for (int r = rows.from; r < rows.to; r++)
      for (int c = columns.from; c < columns.to; c++) sum += plane[r * w.width + c];
    y[p * each + o] = sum / divisor;
  }
}

// AVG_POOL_GRAD: each pixel of dx adds up its shares of the windows over it.
extern "C" __global__ void avg_pool_grad(const float* __restrict__ dy, float* __restrict__ dx, int planes, Window w) {
  int at = blockIdx.x * blockDim.x + threadIdx.x, size = w.height * w.width, each = w.rows * w.columns;
  if (at >= size) return;
  int i = at / w.width, j = at - i * w.width;
  Range rows = windows_over(i, w.strideH, w.padH, w.kh, w.rows), columns = windows_over(j, w.strideW, w.padW, w.kw, w.columns);
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    float sum = 0.0f;
    for (int r = rows.from; r < rows.to; r++) {
      Range h = window_at(r, w.strideH, w.padH, w.kh, w.height);
      for (int c = columns.from; c < columns.to; c++)
        sum += dy[p * each + r * w.columns + c] / divisor_of(h, window_at(c, w.strideW, w.padW, w.kw, w.width), w);
    }
    dx[p * size + at] = sum;
  }
}
