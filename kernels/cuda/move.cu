#include "prelude.h"
#include "divisor.cuh"

// Moves of elements: transposes, stretched values, parts, borders. Bound by memory, so the work is to read and write whole
// sectors and to divide little.

// Elements of 1, 4 or 16 bytes; a move of rows uses the widest that all its sizes are multiples of.
struct __align__(16) Quad {
  unsigned x, y, z, w;
};

// TRANSPOSE: y[b][c][r] = x[b][r][c] for `batch` matrices of rows x columns. A block reads a 32 x 32 tile along columns and writes it
// along rows, through shared memory whose rows are one element longer than the tile so that columns meet all banks.
// Grid: x = tiles of columns, then of rows, then the batch (steps of it: matrices are small where there are many). Block: 32 x 8.
template <class E> __device__ __forceinline__ void transpose_tile(E (*tile)[33], const E* x, E* y, int rows, int columns) {
  int across = (columns + 31) / 32, down = (rows + 31) / 32;
  int t = blockIdx.x % (across * down);
  long long at = (long long)(blockIdx.x / (across * down)) * rows * columns;
  int c0 = t % across * 32, r0 = t / across * 32;
#pragma unroll
  for (int i = threadIdx.y; i < 32; i += 8)
    if (r0 + i < rows && c0 + threadIdx.x < columns) tile[i][threadIdx.x] = x[at + (long long)(r0 + i) * columns + c0 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = threadIdx.y; i < 32; i += 8)
    if (c0 + i < columns && r0 + threadIdx.x < rows) y[at + (long long)(c0 + i) * rows + r0 + threadIdx.x] = tile[threadIdx.x][i];
}

extern "C" __global__ void __launch_bounds__(256) transpose_4(const unsigned* __restrict__ x, unsigned* __restrict__ y, int rows, int columns) {
  __shared__ unsigned tile[32][33];
  transpose_tile(tile, x, y, rows, columns);
}

extern "C" __global__ void __launch_bounds__(256) transpose_1(const unsigned char* __restrict__ x, unsigned char* __restrict__ y, int rows, int columns) {
  __shared__ unsigned char tile[32][33];
  transpose_tile(tile, x, y, rows, columns);
}

// TRANSPOSE_NARROW: the same where a matrix has less than 32 rows or columns, which would leave tiles mostly empty (images
// between N x H x W x C and N x C x H x W): a thread an element of y; reads hit the cache a second time.
template <class E> __device__ __forceinline__ void transpose_narrow(const E* x, E* y, int n, Divisor size, Divisor rows) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    int b = quotient(i, size), e = i - b * size.d, c = quotient(e, rows), r = e - c * rows.d;
    y[i] = x[b * size.d + r * (size.d / rows.d) + c];
  }
}

// STRIDED: y[i] = x[Σ index_a(i) · stride_a] for the row-major index of i in a shape of up to 8 axes, the last first in Axes: any
// order of axes (strides reordered) and any stretched value (stride 0). A thread an element of y.
struct Axes {
  int count;
  Divisor size[8];
  int stride[8];
};

template <class E> __device__ __forceinline__ void strided(const E* x, E* y, int n, const Axes& a) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    int rest = i, from = 0;
#pragma unroll
    for (int k = 0; k < 8; k++) {
      if (k >= a.count) break;
      int q = quotient(rest, a.size[k]);
      from += (rest - q * a.size[k].d) * a.stride[k];
      rest = q;
    }
    y[i] = x[from];
  }
}

extern "C" __global__ void transpose_narrow_4(const unsigned* __restrict__ x, unsigned* __restrict__ y, int n, Divisor size, Divisor rows) { transpose_narrow(x, y, n, size, rows); }
extern "C" __global__ void transpose_narrow_1(const unsigned char* __restrict__ x, unsigned char* __restrict__ y, int n, Divisor size, Divisor rows) { transpose_narrow(x, y, n, size, rows); }
extern "C" __global__ void strided_4(const unsigned* __restrict__ x, unsigned* __restrict__ y, int n, Axes a) { strided(x, y, n, a); }
extern "C" __global__ void strided_1(const unsigned char* __restrict__ x, unsigned char* __restrict__ y, int n, Axes a) { strided(x, y, n, a); }

// MOVE_ROWS copies n elements a row from x + r·stride to y + r·pitch. Elements are of 1, 4 or 16 bytes. count = rows·n < 2^31;
// rows may lie further apart. Grid: blocks of elements, stepping.
template <class E> __device__ __forceinline__ void move_rows(const E* x, E* y, int count, Divisor n, long long stride, long long pitch) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int r = quotient(i, n), c = i - r * n.d;
    y[r * pitch + c] = x[r * stride + c];
  }
}

extern "C" __global__ void move_rows_16(const Quad* __restrict__ x, Quad* __restrict__ y, int count, Divisor n, long long stride, long long pitch) { move_rows(x, y, count, n, stride, pitch); }
extern "C" __global__ void move_rows_4(const unsigned* __restrict__ x, unsigned* __restrict__ y, int count, Divisor n, long long stride, long long pitch) { move_rows(x, y, count, n, stride, pitch); }
extern "C" __global__ void move_rows_1(const unsigned char* __restrict__ x, unsigned char* __restrict__ y, int count, Divisor n, long long stride, long long pitch) { move_rows(x, y, count, n, stride, pitch); }

// PAD_ROWS writes rows of `before` elements equal to value, n from x and as many more as make up `pitch`: count = rows·pitch.
template <class E> __device__ __forceinline__ void pad_rows(const E* x, E* y, int count, Divisor pitch, int before, int n, E value) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int r = quotient(i, pitch), c = i - r * pitch.d - before;
    y[i] = c >= 0 && c < n ? x[(long long)r * n + c] : value;
  }
}

extern "C" __global__ void pad_rows_4(const unsigned* __restrict__ x, unsigned* __restrict__ y, int count, Divisor pitch, int before, int n, unsigned value) { pad_rows(x, y, count, pitch, before, n, value); }
extern "C" __global__ void pad_rows_1(const unsigned char* __restrict__ x, unsigned char* __restrict__ y, int count, Divisor pitch, int before, int n, unsigned value) { pad_rows(x, y, count, pitch, before, n, (unsigned char)value); }

// FRAME copies planes of height x width into planes of rows x columns, from row `top` and column `left` on: the rest is 0, and what
// would lie outside is left out. It pads images for libraries that know only equal padding, and cuts that padding off again.
// Grid: blocks of elements of y, stepping; count = planes·rows·columns < 2^31.
extern "C" __global__ void frame(const float* __restrict__ x, float* __restrict__ y, int count, int height, int width, Divisor size, Divisor columns, int top, int left) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int p = quotient(i, size), e = i - p * size.d, q = quotient(e, columns), r = q - top, c = e - q * columns.d - left;
    bool in = (unsigned)r < (unsigned)height && (unsigned)c < (unsigned)width;
    y[i] = in ? x[((long long)p * height + r) * width + c] : 0.0f;
  }
}
