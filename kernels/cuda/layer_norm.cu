#include "prelude.h"
#include "group.cuh"

// layer_norm writes y = gamma·(x - mean)/√(variance + eps) + beta for each row of x, rows x n, and its statistics where somebody
// wants them. A group of 2^shift threads takes a row (group.cuh): mean, variance around it, result; passes after the first find
// the row in L1. Bound by memory: 8 bytes an element. Block: 2^k >= 32 threads, and 2^shift of them where shift > 5.
extern "C" __global__ void layer_norm(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ beta, float* __restrict__ y, float* __restrict__ means, float* __restrict__ variances, int rows, int n, float eps, int shift) {
  __shared__ float shared[MAX_WARPS];
  Place p = place(shift);
  bool mine = p.group < rows, quads = (n & 3) == 0;
  const float* row = x + (size_t)p.group * n;
  const float4* row4 = reinterpret_cast<const float4*>(row);
  float mean = group_sum(mine ? put_row<Sum>(row, n, p, quads) : 0.0f, shift, shared) / (float)n;
  float s = 0.0f;
  if (mine && !quads) {
#pragma unroll 4
    for (int i = p.lane; i < n; i += p.size) s = fmaf(row[i] - mean, row[i] - mean, s);
  }
  if (mine && quads) {
#pragma unroll 4
    for (int i = p.lane; i < n >> 2; i += p.size) {
      float4 v = row4[i];
      v.x -= mean, v.y -= mean, v.z -= mean, v.w -= mean;
      s += fmaf(v.x, v.x, v.y * v.y) + fmaf(v.z, v.z, v.w * v.w);
    }
  }
  float variance = group_sum(s, shift, shared) / (float)n;
  if (!mine) return;
  if (p.lane == 0) {
    if (means) means[p.group] = mean;
    if (variances) variances[p.group] = variance;
  }
  float rstd = 1.0f / sqrtf(variance + eps);
  float* to = y + (size_t)p.group * n;
  if (!quads) {
#pragma unroll 4
    for (int i = p.lane; i < n; i += p.size) to[i] = fmaf((row[i] - mean) * rstd, gamma[i], beta[i]);
    return;
  }
  float4* to4 = reinterpret_cast<float4*>(to);
  const float4 *gamma4 = reinterpret_cast<const float4*>(gamma), *beta4 = reinterpret_cast<const float4*>(beta);
#pragma unroll 2
  for (int i = p.lane; i < n >> 2; i += p.size) {
    float4 v = row4[i], g = gamma4[i], b = beta4[i];
    v.x = fmaf((v.x - mean) * rstd, g.x, b.x), v.y = fmaf((v.y - mean) * rstd, g.y, b.y);
    v.z = fmaf((v.z - mean) * rstd, g.z, b.z), v.w = fmaf((v.w - mean) * rstd, g.w, b.w);
    to4[i] = v;
  }
}

// Pair is a column's two sums.
struct Pair {
  float gamma, beta;
};

// row_gradient writes dx = rstd·(g - M(g) - x̂·M(g·x̂)) of a row, g = dy·gamma, M the mean over the row.
__device__ __forceinline__ void row_gradient(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ dy, const float* __restrict__ means, const float* __restrict__ variances, float* __restrict__ dx, int rows, int n, float eps, int shift, Pair* shared) {
  Place p = place(shift);
  bool mine = p.group < rows;
  float mean = mine ? means[p.group] : 0.0f, rstd = mine ? 1.0f / sqrtf(variances[p.group] + eps) : 0.0f;
  size_t at = (size_t)p.group * n;
  float sum = 0.0f, product = 0.0f;
  if (mine) {
#pragma unroll 4
    for (int i = p.lane; i < n; i += p.size) {
      float g = dy[at + i] * gamma[i];
      sum += g;
      product = fmaf(g, (x[at + i] - mean) * rstd, product);
    }
  }
  float* floats = reinterpret_cast<float*>(shared);
  float meanG = group_sum(sum, shift, floats) / (float)n, meanGX = group_sum(product, shift, floats) / (float)n;
  if (!mine) return;
#pragma unroll 4
  for (int i = p.lane; i < n; i += p.size) {
    float g = dy[at + i] * gamma[i], xHat = (x[at + i] - mean) * rstd;
    dx[at + i] = rstd * (g - meanG - xHat * meanGX);
  }
}

#define TILE 32
#define GRAD_THREADS 512

// column_sums writes Σ dy·x̂ and Σ dy over `per` rows of TILE columns: a warp reads TILE neighbouring elements of a row.
__device__ __forceinline__ void column_sums(const float* __restrict__ x, const float* __restrict__ dy, const float* __restrict__ means, const float* __restrict__ variances, float* __restrict__ dGamma, float* __restrict__ dBeta, int block, int rows, int n, float eps, int per, Pair* shared) {
  int tiles = (n + TILE - 1) / TILE, part = block / tiles, t = threadIdx.x;
  int c = (block - part * tiles) * TILE + (t & (TILE - 1)), to = min(rows, (part + 1) * per);
  float a = 0.0f, b = 0.0f;
  if (c < n) {
#pragma unroll 4
    for (int r = part * per + t / TILE; r < to; r += GRAD_THREADS / TILE) {
      float d = dy[(size_t)r * n + c], rstd = rsqrtf(variances[r] + eps);
      a = fmaf(d, (x[(size_t)r * n + c] - means[r]) * rstd, a);
      b += d;
    }
  }
  Pair s = {a, b};
  shared[t] = s;
  __syncthreads();
  for (int o = GRAD_THREADS / 2; o >= TILE; o >>= 1) {
    if (t < o) shared[t].gamma += shared[t + o].gamma, shared[t].beta += shared[t + o].beta;
    __syncthreads();
  }
  if (t < TILE && c < n) {
    dGamma[2 * (size_t)part * n + c] = shared[t].gamma;
    dBeta[2 * (size_t)part * n + c] = shared[t].beta;
  }
}

// layer_norm_grad has two kinds of blocks in one launch, as neither waits for the other: the first rowBlocks write dx, a group of
// 2^shift threads a row; the others write dgamma and dbeta, or parts of them, 2n floats apart, for layer_norm_grad_join.
// Bound by memory: x and dy are read twice, mostly from L2, and dx is written: 12 to 20 bytes an element. Block: GRAD_THREADS;
// grid: rowBlocks, and tiles·parts where somebody wants the sums.
extern "C" __global__ void layer_norm_grad(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ dy, const float* __restrict__ means, const float* __restrict__ variances, float* __restrict__ dx, float* __restrict__ dGamma, float* __restrict__ dBeta, int rows, int n, float eps, int shift, int rowBlocks, int per) {
  __shared__ Pair shared[GRAD_THREADS];
  if ((int)blockIdx.x < rowBlocks) row_gradient(x, gamma, dy, means, variances, dx, rows, n, eps, shift, shared);
  else column_sums(x, dy, means, variances, dGamma, dBeta, blockIdx.x - rowBlocks, rows, n, eps, per, shared);
}

// layer_norm_grad_join adds up parts x 2 x n sums, a thread a sum, in order. Grid: blocks of 2n threads; block: any.
extern "C" __global__ void layer_norm_grad_join(const float* __restrict__ sums, float* __restrict__ dGamma, float* __restrict__ dBeta, int parts, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= 2 * n) return;
  float s = 0.0f;
#pragma unroll 8
  for (int p = 0; p < parts; p++) s += sums[2 * (size_t)p * n + i];
  float* to = i < n ? dGamma : dBeta;
  if (to) to[i < n ? i : i - n] = s;
}
