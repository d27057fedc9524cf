#include "prelude.h"
#include "tile.cuh"

// Products of float32 matrices, and the sums of parts that products and convolutions leave behind. gpu/matmul.go chooses the tile.

// GEMM computes c = op(a)·op(b), row-major, for a batch of matrices: a is m x k (k x m where FLAG_TRANS_A), b is k x n
// (n x k where FLAG_TRANS_B), c is m x n. Matrices of a batch lie stepA, stepB, stepC elements apart (0: shared by the batch).
// FLAG_QUADS_A, FLAG_QUADS_B and FLAG_QUADS_C say that the contiguous axis is a multiple of four elements (and the batch's
// steps are), so that float4s may be read or written.
//
// Grid: x = tiles of n, then of m, then the batch; y = parts. Each part takes `per` steps of k (a multiple of the tile's KC)
// and writes a result of its own, stepPart elements apart, which sum_parts adds in order: for long k and few tiles, as in
// weight gradients. With one part the store adds a bias (n floats, or null) and applies an Activation.
// Block: the tile's THREADS. Shared memory is static.
enum { FLAG_TRANS_A = 1, FLAG_TRANS_B = 2, FLAG_QUADS_A = 4, FLAG_QUADS_B = 8, FLAG_QUADS_C = 16 };

template <class T>
__device__ __forceinline__ void gemm(float4* shared, const float* a, const float* b, float* c, const float* bias, int m, int n, int k, int flags, long long stepA, long long stepB, long long stepC, int per, long long stepPart, int activation) {
  int across = (n + T::BN - 1) / T::BN, down = (m + T::BM - 1) / T::BM;
  int tile = blockIdx.x % (across * down), batch = blockIdx.x / (across * down);
  int column0 = tile % across * T::BN, row0 = tile / across * T::BM;
  Dense<T, T::BM, T::LDA, T::EACH_A> left;
  left.across = flags & FLAG_TRANS_A;
  left.quads = flags & FLAG_QUADS_A;
  left.p = a + batch * stepA, left.ld = left.across ? m : k, left.rows = m, left.from = row0;
  Dense<T, T::BN, T::LDB, T::EACH_B> right;
  right.across = !(flags & FLAG_TRANS_B);
  right.quads = flags & FLAG_QUADS_B;
  right.p = b + batch * stepB, right.ld = right.across ? n : k, right.rows = n, right.from = column0;
  Rows rows = {c + batch * stepC + blockIdx.y * stepPart, bias, m, n, row0, column0, activation, (flags & FLAG_QUADS_C) != 0};
  int k0 = blockIdx.y * per;
  product<T>(shared, k0, min(k, k0 + per), left, right, rows);
}

extern "C" __global__ void __launch_bounds__(256, 2) gemm_large(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, const float* __restrict__ bias, int m, int n, int k, int flags, long long stepA, long long stepB, long long stepC, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Large::QUADS];
  gemm<Large>(shared, a, b, c, bias, m, n, k, flags, stepA, stepB, stepC, per, stepPart, activation);
}

extern "C" __global__ void __launch_bounds__(256, 2) gemm_medium(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, const float* __restrict__ bias, int m, int n, int k, int flags, long long stepA, long long stepB, long long stepC, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Medium::QUADS];
  gemm<Medium>(shared, a, b, c, bias, m, n, k, flags, stepA, stepB, stepC, per, stepPart, activation);
}

extern "C" __global__ void __launch_bounds__(256, 2) gemm_small(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, const float* __restrict__ bias, int m, int n, int k, int flags, long long stepA, long long stepB, long long stepC, int per, long long stepPart, int activation) {
  __shared__ float4 shared[Small::QUADS];
  gemm<Small>(shared, a, b, c, bias, m, n, k, flags, stepA, stepB, stepC, per, stepPart, activation);
}

// SUM_PARTS: y[i] = activate(bias[i / inner % period] + Σ_p parts[p·n + i]) for i < n; bias may be null.
// Block: 32 x 8. Thread (x, y) adds parts y, y+8, ... of element 32·blockIdx.x + x, so that a warp reads a line at a time and
// eight chains of additions run beside each other; their sums are added in order. Grid: blocks of 32 elements.
extern "C" __global__ void __launch_bounds__(256) sum_parts(const float* __restrict__ parts, float* __restrict__ y, const float* __restrict__ bias, int count, long long n, int inner, int period, int activation) {
  __shared__ float sums[8][33];
  long long i = (long long)blockIdx.x * 32 + threadIdx.x;
  float s = 0.0f;
  if (i < n) {
#pragma unroll 4
    for (int p = threadIdx.y; p < count; p += 8) s += parts[p * n + i];
  }
  sums[threadIdx.y][threadIdx.x] = s;
  __syncthreads();
  if (threadIdx.y > 0 || i >= n) return;
#pragma unroll
  for (int r = 1; r < 8; r++) s += sums[r][threadIdx.x];
  if (bias) s += bias[i / inner % period];
  y[i] = activate(s, activation);
}

// TO_BF16 rounds n floats to bfloat16, to nearest even (NaN stays NaN): operands of cuBLASLt's products, which add in float32.
// y has room for a multiple of two. A thread makes two numbers, one word. Grid: blocks of (n+1)/2 threads.
extern "C" __global__ void to_bf16(const float* __restrict__ x, unsigned* __restrict__ y, long long n) {
  long long i = 2 * ((long long)blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  unsigned word = 0;
#pragma unroll
  for (int j = 0; j < 2; j++) {
    unsigned bits = i + j < n ? __float_as_uint(x[i + j]) : 0u;
    unsigned half = (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    word |= half << (16 * j);
  }
  y[i >> 1] = word;
}

// FROM_BF16 widens n bfloat16 numbers, two a word. A thread takes a word. Grid: blocks of (n+1)/2 threads.
extern "C" __global__ void from_bf16(const unsigned* __restrict__ x, float* __restrict__ y, long long n) {
  long long i = 2 * ((long long)blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  unsigned word = x[i >> 1];
  y[i] = __uint_as_float(word << 16);
  if (i + 1 < n) y[i + 1] = __uint_as_float(word & 0xffff0000u);
}
