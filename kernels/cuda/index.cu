#include "prelude.h"
#include "divisor.cuh"

// Rows by index: Gather, ScatterAdd, OneHot. An index out of range means the nearest row (OneHot: no row).

struct __align__(16) Row16 {
  unsigned x, y, z, w;
};

// GATHER_ROWS: y[i] = x[index[i]] for count = indices·n elements of 1, 4 or 16 bytes, n a row. Grid: blocks of elements, stepping.
template <class E> __device__ __forceinline__ void gather_rows(const E* x, const int* index, E* y, int count, Divisor n, int rows) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int r = quotient(i, n), c = i - r * n.d;
    y[i] = x[(long long)min(max(index[r], 0), rows - 1) * n.d + c];
  }
}

extern "C" __global__ void gather_rows_16(const Row16* __restrict__ x, const int* __restrict__ index, Row16* __restrict__ y, int count, Divisor n, int rows) { gather_rows(x, index, y, count, n, rows); }
extern "C" __global__ void gather_rows_4(const unsigned* __restrict__ x, const int* __restrict__ index, unsigned* __restrict__ y, int count, Divisor n, int rows) { gather_rows(x, index, y, count, n, rows); }
extern "C" __global__ void gather_rows_1(const unsigned char* __restrict__ x, const int* __restrict__ index, unsigned char* __restrict__ y, int count, Divisor n, int rows) { gather_rows(x, index, y, count, n, rows); }

// SCATTER_ADD: y[index[i]] += x[i], rows of n floats, in the order of i, as the op's contract asks. Rows of y have owners: a
// block has `each` rows and up to 2^shift columns of them, reads the whole index 1024 positions at a time, keeps those that mean one
// of its rows in a list, in order, and then adds the list's rows: a thread adds to one column of the rows that are its own
// (r mod lanes), so that no two threads meet and the order is that of the list.
// Sums lie in shared memory: each << shift floats, dynamic. The index is read by every block, from the second-level cache.
// Grid: x = rows of y by `each`, y = columns by 2^shift. Block: 256 threads = (256 >> shift) lanes of 2^shift columns.
extern "C" __global__ void __launch_bounds__(256) scatter_add(const int* __restrict__ index, const float* __restrict__ x, float* __restrict__ y, int count, int rows, int n, int each, int shift) {
  EXTERN_SHARED(float, sums);
  constexpr int CHUNK = 1024, WARPS = 8, ROUNDS = CHUNK / 256;
  __shared__ int at[CHUNK], own[CHUNK], found[ROUNDS * WARPS];
  int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
  int first = blockIdx.x * each, mine = min(each, rows - first);
  int column = (blockIdx.y << shift) + (thread & ((1 << shift) - 1)), line = thread >> shift, lines = 256 >> shift;
  for (int i = thread; i < mine << shift; i += 256) sums[i] = 0.0f;

  for (int base = 0; base < count; base += CHUNK) {
    int row[ROUNDS];
    unsigned before[ROUNDS];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < ROUNDS; k++) {
      int i = base + k * 256 + thread;
      row[k] = i < count ? min(max(index[i], 0), rows - 1) - first : -1;
      unsigned vote = __ballot_sync(0xffffffffu, row[k] >= 0 && row[k] < mine);
      before[k] = __popc(vote & ((1u << lane) - 1u));
      if (lane == 0) found[k * WARPS + warp] = __popc(vote);
    }
    __syncthreads();
    int length = 0;
#pragma unroll
    for (int k = 0; k < ROUNDS; k++)
#pragma unroll
      for (int w = 0; w < WARPS; w++) {
        if (w == warp && row[k] >= 0 && row[k] < mine) {
          at[length + before[k]] = base + k * 256 + thread;
          own[length + before[k]] = row[k];
        }
        length += found[k * WARPS + w];
      }
    __syncthreads();
    if (column < n) {
      float* sum = sums + (thread & ((1 << shift) - 1));
      int j = 0;
      for (; j + 4 <= length; j += 4) {  // four reads on their way at a time
        float v[4];
        int r[4];
#pragma unroll
        for (int k = 0; k < 4; k++) {
          r[k] = own[j + k];
          v[k] = r[k] % lines == line ? x[(long long)at[j + k] * n + column] : 0.0f;
        }
#pragma unroll
        for (int k = 0; k < 4; k++)
          if (r[k] % lines == line) sum[r[k] << shift] += v[k];
      }
      for (; j < length; j++)
        if (own[j] % lines == line) sum[own[j] << shift] += x[(long long)at[j] * n + column];
    }
  }
  __syncthreads();
  if (column >= n) return;
  for (int r = line; r < mine; r += lines) y[(long long)(first + r) * n + column] = sums[(r << shift) + (thread & ((1 << shift) - 1))];
}

// ONE_HOT: y[i][c] = 1 where c is index[i], else 0; count = indices·classes. Grid: blocks of elements, stepping.
extern "C" __global__ void one_hot(const int* __restrict__ index, float* __restrict__ y, int count, Divisor classes) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int r = quotient(i, classes);
    y[i] = index[r] == i - r * classes.d ? 1.0f : 0.0f;
  }
}
