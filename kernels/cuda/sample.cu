#include "prelude.h"
#include "divisor.cuh"
#include "group.cuh"
#include "philox.cuh"

// z = mu + exp(logVar/2)·eps for the four elements of a block.
__device__ __forceinline__ float4 sampled(float4 mu, float4 l, float4 eps) {
  return make_float4(fmaf(expf(0.5f * l.x), eps.x, mu.x), fmaf(expf(0.5f * l.y), eps.y, mu.y), fmaf(expf(0.5f * l.z), eps.z, mu.z), fmaf(expf(0.5f * l.w), eps.w, mu.w));
}

// A summand of twice KL(N(mu, exp(logVar)) ‖ N(0, 1)); expm1 keeps what is left of exp(logVar) - 1 near 0. It is 0 at mu = logVar = 0.
__device__ __forceinline__ float divergence(float mu, float l) { return fmaf(mu, mu, expm1f(l) - l); }

__device__ __forceinline__ float divergence(float4 mu, float4 l) {
  return (divergence(mu.x, l.x) + divergence(mu.y, l.y)) + (divergence(mu.z, l.z) + divergence(mu.w, l.w));
}

// gaussian_sample draws z of mu and logVar, rows x n, a block of four elements a thread as draw_normal does; nothing but z is
// written. 12 bytes an element; bound by Philox and exp where the arrays are in L2.
extern "C" __global__ void gaussian_sample(const float* __restrict__ mu, const float* __restrict__ logVar, float* __restrict__ z, int count, int n, Divisor blocks, const int* __restrict__ seed, const int* __restrict__ step, const int* __restrict__ row0, unsigned stream) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  int row = quotient(i, blocks), block = i - row * blocks.d;
  size_t at = (size_t)row * n;
  RNG r = rng_of(seed, step, row0, stream);
  float4 eps = philox_normal4(philox_block(r, (unsigned)row, (unsigned)block));
  store_quad(z + at, n, block, sampled(load_quad(mu + at, n, block), load_quad(logVar + at, n, block), eps));
}

// gaussian_sample_scale turns drawn numbers into samples, in place: the second half of the two-pass candidate. 16 bytes an
// element, and nothing to compute but exp. Grid: blocks of n threads.
extern "C" __global__ void gaussian_sample_scale(const float* __restrict__ mu, const float* __restrict__ logVar, float* __restrict__ z, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) z[i] = fmaf(expf(0.5f * logVar[i]), z[i], mu[i]);
}

// kl_normal writes to kl[r] the divergence of row r of mu and logVar, rows x n, from the standard normal distribution, in nats.
// A group of 2^shift threads takes a row (group.cuh), four elements a thread and turn. 8 bytes an element.
extern "C" __global__ void kl_normal(const float* __restrict__ mu, const float* __restrict__ logVar, float* __restrict__ kl, int rows, int n, int shift) {
  __shared__ float shared[MAX_WARPS];
  Place p = place(shift);
  size_t at = (size_t)p.group * n;
  float s = 0.0f;
  if (p.group < rows)
    for (int block = p.lane; 4 * block < n; block += p.size) s += divergence(load_quad(mu + at, n, block), load_quad(logVar + at, n, block));
  s = group_sum(s, shift, shared);
  if (p.lane == 0 && p.group < rows) kl[p.group] = 0.5f * s;
}

// gaussian_sample_kl is gaussian_sample and kl_normal at once: mu and logVar, rows x n, are read once and the numbers are drawn
// beside; z and kl are bit-equal to those of the two kernels. A group of 2^shift threads takes a row. 12 bytes an element.
extern "C" __global__ void gaussian_sample_kl(const float* __restrict__ mu, const float* __restrict__ logVar, float* __restrict__ z, float* __restrict__ kl, int rows, int n, int shift, const int* __restrict__ seed, const int* __restrict__ step, const int* __restrict__ row0, unsigned stream) {
  __shared__ float shared[MAX_WARPS];
  Place p = place(shift);
  size_t at = (size_t)p.group * n;
  float s = 0.0f;
  if (p.group < rows) {
    RNG r = rng_of(seed, step, row0, stream);
    for (int block = p.lane; 4 * block < n; block += p.size) {
      float4 m = load_quad(mu + at, n, block), l = load_quad(logVar + at, n, block);
      float4 eps = philox_normal4(philox_block(r, (unsigned)p.group, (unsigned)block));
      store_quad(z + at, n, block, sampled(m, l, eps));
      s += divergence(m, l);
    }
  }
  s = group_sum(s, shift, shared);
  if (p.lane == 0 && p.group < rows) kl[p.group] = 0.5f * s;
}
