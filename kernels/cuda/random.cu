#include "prelude.h"
#include "divisor.cuh"
#include "philox.cuh"

// Draws: y is rows x n, its rows being the first axis. A thread draws a block: four neighbouring elements of a row; count is
// rows·blocks, blocks = ceil(n/4). seed (2 words), step and row0 are read from the device, so that a recorded step draws anew.
// row0 is the counter of the first row or, listed, has one for each row.
// Bound by the multiplications of Philox (about 40 instructions an element with Box-Muller, 25 without), not by the 4 bytes
// written. Grid: blocks of count threads; block: any.
#define DRAW(VALUES)                                                       \
  int i = blockIdx.x * blockDim.x + threadIdx.x;                           \
  if (i >= count) return;                                                  \
  int row = quotient(i, blocks), block = i - row * blocks.d;               \
  RNG r = rng_of(seed, step, listed ? row0 + row : row0, stream);          \
  uint4 w = philox_block(r, listed ? 0u : (unsigned)row, (unsigned)block); \
  store_quad(y + (size_t)row * n, n, block, VALUES)

// below is 1 where a number is below p.
__device__ __forceinline__ float4 below(float4 u, float p) {
  return make_float4(u.x < p ? 1.0f : 0.0f, u.y < p ? 1.0f : 0.0f, u.z < p ? 1.0f : 0.0f, u.w < p ? 1.0f : 0.0f);
}

extern "C" __global__ void draw_uniform(float* __restrict__ y, int count, int n, Divisor blocks, const int* __restrict__ seed,
    const int* __restrict__ step, const int* __restrict__ row0, int listed, unsigned stream) {
  DRAW(philox_uniform4(w));
}

extern "C" __global__ void draw_normal(float* __restrict__ y, int count, int n, Divisor blocks, const int* __restrict__ seed,
    const int* __restrict__ step, const int* __restrict__ row0, int listed, unsigned stream) {
  DRAW(philox_normal4(w));
}

extern "C" __global__ void draw_bernoulli(float* __restrict__ y, int count, int n, Divisor blocks, const int* __restrict__ seed,
    const int* __restrict__ step, const int* __restrict__ row0, int listed, unsigned stream, float p) {
  DRAW(below(philox_uniform4(w), p));
}

// The probability is a scalar on the device.
extern "C" __global__ void draw_bernoulli_p(float* __restrict__ y, int count, int n, Divisor blocks, const int* __restrict__ seed,
    const int* __restrict__ step, const int* __restrict__ row0, int listed, unsigned stream, const float* __restrict__ p) {
  DRAW(below(philox_uniform4(w), p[0]));
}
