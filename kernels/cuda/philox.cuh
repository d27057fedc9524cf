// Random numbers: the bits of internal/philox, number for number. Counter-based, so that each thread draws its own.
// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 3.3: Philox4x32-10;
// Box & Muller 1958 for normal numbers, in the polynomials and the order of internal/philox/normal.go.
#pragma once
#include "prelude.h"

// RNG is what a draw needs but for its row and block: the words that the program feeds, and the drawing value's stream.
struct RNG {
  unsigned seed_low, seed_high, step, row0, stream;
};

__device__ __forceinline__ RNG rng_of(const int* __restrict__ seed, const int* __restrict__ step, const int* __restrict__ row0, unsigned stream) {
  RNG r = {(unsigned)seed[0], (unsigned)seed[1], (unsigned)step[0], (unsigned)row0[0], stream};
  return r;
}

// philox_block returns the four words of a block of a row (an index of the first axis).
__device__ __forceinline__ uint4 philox_block(RNG r, unsigned row, unsigned block) {
  unsigned c0 = block, c1 = r.row0 + row, c2 = r.step, c3 = r.stream, k0 = r.seed_low, k1 = r.seed_high;
#pragma unroll
  for (int i = 0; i < 10; i++) {
    unsigned h0 = __umulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0;
    unsigned h1 = __umulhi(0xCD9E8D57u, c2), l1 = 0xCD9E8D57u * c2;
    c0 = h1 ^ c1 ^ k0, c1 = l1, c2 = h0 ^ c3 ^ k1, c3 = l0;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  return make_uint4(c0, c1, c2, c3);
}

// philox_uniform is a number in [0, 1), a multiple of 2^-24.
__device__ __forceinline__ float philox_uniform(unsigned bits) { return __fmul_rn((float)(bits >> 8), 5.9604644775390625e-8f); }

// horner is p·x + c, rounded twice.
__device__ __forceinline__ float horner(float p, float x, float c) { return __fadd_rn(__fmul_rn(p, x), c); }

// philox_radius is sqrt(-2 log u), u = (⌊a/2^8⌋+1)/2^24.
__device__ __forceinline__ float philox_radius(unsigned a) {
  float u = __fmul_rn((float)((a >> 8) + 1u), 5.9604644775390625e-8f);
  int ix = __float_as_int(u);
  int e = (ix - 0x3f2aaaab) >> 23;  // u = 2^e m, 2/3 <= m < 4/3
  float m = __int_as_float(ix - (int)((unsigned)e << 23));
  float f = __fadd_rn(m, -1.0f);
  float p = -0.130187988f;
  p = horner(p, f, 0.140889585f);
  p = horner(p, f, -0.121489584f);
  p = horner(p, f, 0.139809534f);
  p = horner(p, f, -0.166845024f);
  p = horner(p, f, 0.200121149f);
  p = horner(p, f, -0.249996364f);
  p = horner(p, f, 0.333331943f);
  p = horner(p, f, -0.5f);
  float l = __fadd_rn(f, __fmul_rn(__fmul_rn(f, f), p));
  l = __fadd_rn(l, __fmul_rn((float)e, 0.693147182f));
  return __fsqrt_rn(__fmul_rn(-2.0f, l));
}

// philox_normals returns two standard normal numbers of two words: (r cos 2πv, r sin 2πv), v = ⌊b/2^8⌋/2^24.
__device__ __forceinline__ float2 philox_normals(unsigned a, unsigned b) {
  float r = philox_radius(a);
  int t = (int)(b >> 8);
  int k = (t + (1 << 21)) >> 22;  // quarter turns
  float x = __fmul_rn((float)(t - (k << 22)), 3.7450702829239286e-7f);
  float s = __fmul_rn(x, x);
  float p = -1.95172979e-4f;
  p = horner(p, s, 8.33217814e-3f);
  p = horner(p, s, -1.66666549e-1f);
  float sine = __fadd_rn(x, __fmul_rn(x, __fmul_rn(s, p)));
  p = 2.44677067e-5f;
  p = horner(p, s, -1.38877297e-3f);
  p = horner(p, s, 4.16666567e-2f);
  p = horner(p, s, -0.5f);
  float cosine = __fadd_rn(1.0f, __fmul_rn(s, p));
  float c = k & 1 ? sine : cosine, d = k & 1 ? cosine : sine;
  c = __uint_as_float(__float_as_uint(c) ^ (unsigned)((k + 1) & 2) << 30);
  d = __uint_as_float(__float_as_uint(d) ^ (unsigned)(k & 2) << 30);
  return make_float2(__fmul_rn(r, c), __fmul_rn(r, d));
}

// philox_normal4 returns the four normal numbers of a block.
__device__ __forceinline__ float4 philox_normal4(uint4 w) {
  float2 a = philox_normals(w.x, w.y), b = philox_normals(w.z, w.w);
  return make_float4(a.x, a.y, b.x, b.y);
}

__device__ __forceinline__ float4 philox_uniform4(uint4 w) {
  return make_float4(philox_uniform(w.x), philox_uniform(w.y), philox_uniform(w.z), philox_uniform(w.w));
}

// store_quad writes element 4·block onwards of a row of n elements, all four that the row has.
__device__ __forceinline__ void store_quad(float* row, int n, int block, float4 v) {
  float* to = row + 4 * block;
  if ((n & 3) == 0) {
    *reinterpret_cast<float4*>(to) = v;
    return;
  }
  int left = n - 4 * block;
  to[0] = v.x;
  if (left > 1) to[1] = v.y;
  if (left > 2) to[2] = v.z;
  if (left > 3) to[3] = v.w;
}

// load_quad reads them; what the row has not is 0.
__device__ __forceinline__ float4 load_quad(const float* __restrict__ row, int n, int block) {
  const float* from = row + 4 * block;
  if ((n & 3) == 0) return *reinterpret_cast<const float4*>(from);
  int left = n - 4 * block;
  return make_float4(from[0], left > 1 ? from[1] : 0.0f, left > 2 ? from[2] : 0.0f, left > 3 ? from[3] : 0.0f);
}
