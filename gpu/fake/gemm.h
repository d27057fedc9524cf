// Matrix products for the fake libraries: packed panels and a block of 16×6 sums in registers. Sums are float32, over k in order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace fake {

// How operands are rounded before they are multiplied, and stored.
enum Rounding { FLOAT32, TF32, BF16 };

inline uint32_t bits(float x) { uint32_t u; memcpy(&u, &x, 4); return u; }
inline float from_bits(uint32_t u) { float x; memcpy(&x, &u, 4); return x; }

// x with 10 bits of mantissa: to the nearest, ties away from zero (PTX's cvt.rna.tf32).
inline float tf32(float x) {
  uint32_t u = bits(x);
  return (u & 0x7f800000) == 0x7f800000 ? x : from_bits((u + 0x1000) & 0xffffe000);
}
inline float bf16(const void* p, size_t i) { return from_bits((uint32_t)((const uint16_t*)p)[i] << 16); }

// x with bfloat16's 7 bits, to the nearest even.
inline uint16_t to_bf16(float x) {
  uint32_t u = bits(x);
  if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40);
  return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

// Reads element i of an operand.
inline float load(const void* p, size_t i, Rounding r) {
  return r == BF16 ? bf16(p, i) : r == TF32 ? tf32(((const float*)p)[i]) : ((const float*)p)[i];
}
inline size_t element_bytes(Rounding r) { return r == BF16 ? 2 : 4; }

typedef float Vec __attribute__((vector_size(32), aligned(4)));
enum { MR = 16, NR = 6 };

inline void block(size_t K, const float* a, const float* b, float out[NR][MR]) {
  Vec acc[NR][2] = {};
  for (size_t k = 0; k < K; k++, a += MR, b += NR) {
    Vec a0 = *(const Vec*)a, a1 = *(const Vec*)(a + 8);
    for (int j = 0; j < NR; j++) {
      Vec bj = b[j] - Vec{};
      acc[j][0] += a0 * bj;
      acc[j][1] += a1 * bj;
    }
  }
  memcpy(out, acc, sizeof acc);
}

// For every i < M, j < N: store(i, j, the sum over k < K of a(i, k) b(k, j)).
template <class A, class B, class Store> void gemm(size_t M, size_t N, size_t K, A a, B b, Store store) {
  size_t panels = (M + MR - 1) / MR;
  std::vector<float> pa(panels * MR * K), pb(NR * K);
  for (size_t p = 0; p < panels; p++)
    for (size_t k = 0; k < K; k++)
      for (size_t i = 0; i < MR; i++) pa[(p * K + k) * MR + i] = p * MR + i < M ? a(p * MR + i, k) : 0.0f;
  float out[NR][MR];
  for (size_t j0 = 0; j0 < N; j0 += NR) {
    for (size_t k = 0; k < K; k++)
      for (size_t j = 0; j < NR; j++) pb[k * NR + j] = j0 + j < N ? b(k, j0 + j) : 0.0f;
    for (size_t p = 0; p < panels; p++) {
      block(K, &pa[p * K * MR], pb.data(), out);
      for (size_t j = 0; j < NR && j0 + j < N; j++)
        for (size_t i = 0; i < MR && p * MR + i < M; i++) store(p * MR + i, j0 + j, out[j][i]);
    }
  }
}
}  // namespace fake
