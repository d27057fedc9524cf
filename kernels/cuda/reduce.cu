#include "prelude.h"
#include "divisor.cuh"
#include "group.cuh"

// Reductions: sums, maxima, minima and log-sum-exps over axes. gpu/reduce.go joins neighbouring axes of one kind and makes of
// any reduction a sequence of the three shapes below. All are bound by reading x once, 4 bytes an element; results of parts of
// a long fold are folded again by a second launch. The order of additions depends on shapes alone.

// RUNS: y[k] folds x[n][k][i] over n < planes and i < inner, x being planes x kept x inner. With planes = 1 these are rows,
// with kept = 1, too, a full reduction; with planes = N and inner = H·W a channel's sum.
// A group of 2^shift threads folds `per` elements, counted over (n, i), of one k: part p of `parts`; y is kept x parts.
// Grid: blocks of groups for kept·parts results. A warp or less folds short rows (many groups a block), a block long ones.
template <class F> __device__ __forceinline__ void fold_runs(const float* __restrict__ x, float* __restrict__ y, int planes, int kept, Divisor inner, int parts, int per, int shift, typename F::State* shared) {
  Place p = place(shift);
  int results = kept * parts, k = p.group, part = 0;
  if (parts > 1) k = p.group / parts, part = p.group - k * parts;
  bool quads = (inner.d & 3) == 0;
  typename F::State s = F::start();
  int count = planes * inner.d, from = part * per, n = min(per, count - from);
  if (p.group < results && planes == 1) s = put_row<F>(x + (size_t)k * inner.d + from, n, p, quads);
  if (p.group < results && planes > 1) {
    typename F::State s1 = s, s2 = s, s3 = s;
    if (quads) {
      const float4* v = reinterpret_cast<const float4*>(x);
      int row = inner.d >> 2;
#pragma unroll 4
      for (int j = (from >> 2) + p.lane; j < (from + n) >> 2; j += p.size) {
        int plane = quotient(j << 2, inner);
        float4 a = v[(plane * kept + k) * row + (j - plane * row)];
        s = F::put(s, a.x);
        s1 = F::put(s1, a.y);
        s2 = F::put(s2, a.z);
        s3 = F::put(s3, a.w);
      }
      s = F::join(F::join(s, s1), F::join(s2, s3));
    } else {
#pragma unroll 4
      for (int j = from + p.lane; j < from + n; j += p.size) {
        int plane = quotient(j, inner);
        s = F::put(s, x[(plane * kept + k) * inner.d + (j - plane * inner.d)]);
      }
    }
  }
  s = group_join<F>(s, shift, shared);
  if (p.lane == 0 && p.group < results) y[p.group] = F::finish(s);
}

// COLUMNS: y[a][p][c] folds x[a][r][c] over the rows r of part p, x being outer x rows x columns: a bias gradient has outer = 1.
// A block folds `per` rows of 2^shift neighbouring columns: thread t holds column t mod 2^shift of each (blockDim >> shift)-th
// row, so that a warp reads whole sectors. Grid: outer·parts·tiles; shared memory: blockDim states.
template <class F> __device__ __forceinline__ void fold_columns(const float* __restrict__ x, float* __restrict__ y, int rows, int columns, int parts, int per, int shift, typename F::State* shared) {
  int width = 1 << shift, tiles = (columns + width - 1) >> shift;
  int which = blockIdx.x / tiles, a = which / parts, t = threadIdx.x;
  int c = ((blockIdx.x - which * tiles) << shift) + (t & (width - 1));
  int from = (which - a * parts) * per, to = min(rows, from + per);
  typename F::State s = F::start();
  if (c < columns) {
    const float* column = x + (size_t)a * rows * columns + c;
#pragma unroll 4
    for (int r = from + (t >> shift); r < to; r += blockDim.x >> shift) s = F::put(s, column[(size_t)r * columns]);
  }
  shared[t] = s;
  __syncthreads();
  for (int o = blockDim.x >> 1; o >= width; o >>= 1) {
    if (t < o) shared[t] = F::join(shared[t], shared[t + o]);
    __syncthreads();
  }
  if (t < width && c < columns) y[(size_t)which * columns + c] = F::finish(shared[t]);
}

// SERIAL: the same, a thread a result, for few rows or very many results: y is outer x columns. Grid: blocks of results.
template <class F> __device__ __forceinline__ void fold_serial(const float* __restrict__ x, float* __restrict__ y, int results, int rows, Divisor columns) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= results) return;
  int a = quotient(i, columns), n = columns.d;
  const float* column = x + (size_t)a * rows * n + (i - a * n);
  typename F::State s = F::start(), s1 = s, s2 = s, s3 = s;
  int r = 0;
  for (; r + 4 <= rows; r += 4, column += 4 * (size_t)n) {
    s = F::put(s, column[0]);
    s1 = F::put(s1, column[n]);
    s2 = F::put(s2, column[2 * (size_t)n]);
    s3 = F::put(s3, column[3 * (size_t)n]);
  }
  for (; r < rows; r++, column += n) s = F::put(s, column[0]);
  y[i] = F::finish(F::join(F::join(s, s1), F::join(s2, s3)));
}

#define FOLD_RUNS(F) \
  __shared__ F::State shared[MAX_WARPS]; \
  fold_runs<F>(x, y, planes, kept, inner, parts, per, shift, shared)
#define FOLD_COLUMNS(F) \
  __shared__ F::State shared[512]; \
  fold_columns<F>(x, y, rows, columns, parts, per, shift, shared)

// Block: 2^k >= 32 threads, and 2^shift of them where shift > 5.
extern "C" __global__ void reduce_sum_runs(const float* __restrict__ x, float* __restrict__ y, int planes, int kept, Divisor inner, int parts, int per, int shift) { FOLD_RUNS(Sum); }
extern "C" __global__ void reduce_max_runs(const float* __restrict__ x, float* __restrict__ y, int planes, int kept, Divisor inner, int parts, int per, int shift) { FOLD_RUNS(Max); }
extern "C" __global__ void reduce_min_runs(const float* __restrict__ x, float* __restrict__ y, int planes, int kept, Divisor inner, int parts, int per, int shift) { FOLD_RUNS(Min); }
extern "C" __global__ void logsumexp_runs(const float* __restrict__ x, float* __restrict__ y, int planes, int kept, Divisor inner, int parts, int per, int shift) { FOLD_RUNS(LogSumExp); }

// Block: 32 to 512 threads, a power of two, at least 2^shift.
extern "C" __global__ void reduce_sum_columns(const float* __restrict__ x, float* __restrict__ y, int rows, int columns, int parts, int per, int shift) { FOLD_COLUMNS(Sum); }
extern "C" __global__ void reduce_max_columns(const float* __restrict__ x, float* __restrict__ y, int rows, int columns, int parts, int per, int shift) { FOLD_COLUMNS(Max); }
extern "C" __global__ void reduce_min_columns(const float* __restrict__ x, float* __restrict__ y, int rows, int columns, int parts, int per, int shift) { FOLD_COLUMNS(Min); }
extern "C" __global__ void logsumexp_columns(const float* __restrict__ x, float* __restrict__ y, int rows, int columns, int parts, int per, int shift) { FOLD_COLUMNS(LogSumExp); }

// Block: any size.
extern "C" __global__ void reduce_sum_serial(const float* __restrict__ x, float* __restrict__ y, int results, int rows, Divisor columns) { fold_serial<Sum>(x, y, results, rows, columns); }
extern "C" __global__ void reduce_max_serial(const float* __restrict__ x, float* __restrict__ y, int results, int rows, Divisor columns) { fold_serial<Max>(x, y, results, rows, columns); }
extern "C" __global__ void reduce_min_serial(const float* __restrict__ x, float* __restrict__ y, int results, int rows, Divisor columns) { fold_serial<Min>(x, y, results, rows, columns); }
extern "C" __global__ void logsumexp_serial(const float* __restrict__ x, float* __restrict__ y, int results, int rows, Divisor columns) { fold_serial<LogSumExp>(x, y, results, rows, columns); }
