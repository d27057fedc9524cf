#include "prelude.h"
#include "norm.cuh"

// Batch norm: y = gamma·(x - mean)/√(variance + eps) + beta per channel, and its gradient. Statistics are taken in two passes, the
// variance around the mean, so that a large mean costs no precision. There are two ways, see norm.cuh for the shapes:
//
//   batch_norm, batch_norm_grad              one launch, a block a channel; passes after the first find x in L1 or L2
//   *_parts, then *_apply                    every channel in parts: all processors work where channels are few or long
//
// Bound by memory: forward reads x once or twice and writes y (8 to 12 bytes an element), backward reads x and dy once or twice
// and writes dx (12 to 20). Block: 32 to 512 threads, a power of two. Grid: tiles·parts, tiles = ceil(channels / 2^shift).
#define MOST_THREADS 512
#define BY_UNITS(f, ...) \
  if (k.quads) f<float4>(__VA_ARGS__); \
  else f<float>(__VA_ARGS__)

// channel_mean and channel_spread are mean and sum of squares around it of the units that the block's walk covers, `elements` of a channel.
template <class V> __device__ __forceinline__ float channel_mean(const V* __restrict__ x, Walk w, Channels k, Divisor inner, float elements, float2* shared) {
  float s = 0.0f;
  each(w, k, inner, [&](int at) { s += total(x[at]); });
  return channel_sums(make_float2(s, 0.0f), k.shift, shared).x / elements;
}

template <class V> __device__ __forceinline__ float channel_spread(const V* __restrict__ x, float mean, Walk w, Channels k, Divisor inner, float2* shared) {
  float s = 0.0f;
  each(w, k, inner, [&](int at) {
    V d = centred(x[at], mean);
    s += total(product(d, d));
  });
  return channel_sums(make_float2(s, 0.0f), k.shift, shared).x;
}

// write_normalised writes the walk's y, and with the first part the statistics, where somebody wants them.
template <class V> __device__ __forceinline__ void write_normalised(const V* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ beta, V* __restrict__ y, float* __restrict__ means, float* __restrict__ variances, float mean, float variance, float eps, Walk w, Channels k, Divisor inner) {
  if (w.c >= k.channels) return;
  if (w.part == 0 && threadIdx.x >> k.shift == 0) {
    if (means) means[w.c] = mean;
    if (variances) variances[w.c] = variance;
  }
  float scale = gamma[w.c] / sqrtf(variance + eps), shift = beta[w.c];
  each(w, k, inner, [&](int at) { y[at] = affine(centred(x[at], mean), scale, shift); });
}

template <class V> __device__ __forceinline__ void normalise_channel(const float* x, const float* gamma, const float* beta, float* y, float* means, float* variances, Channels k, Divisor inner, float eps, float2* shared) {
  const V* in = reinterpret_cast<const V*>(x);
  Walk w = walk(k);
  float n = (float)k.count * (k.quads ? 4.0f : 1.0f);
  float mean = channel_mean(in, w, k, inner, n, shared);
  float variance = channel_spread(in, mean, w, k, inner, shared) / n;
  write_normalised(in, gamma, beta, reinterpret_cast<V*>(y), means, variances, mean, variance, eps, w, k, inner);
}

extern "C" __global__ void batch_norm(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ beta, float* __restrict__ y, float* __restrict__ means, float* __restrict__ variances, Channels k, Divisor inner, float eps) {
  __shared__ float2 shared[MOST_THREADS];
  BY_UNITS(normalise_channel, x, gamma, beta, y, means, variances, k, inner, eps, shared);
}

// part_elements is how many elements of a channel part p has.
__device__ __forceinline__ float part_elements(Channels k, int p) { return (float)(min(k.count, (p + 1) * k.per) - p * k.per) * (k.quads ? 4.0f : 1.0f); }

template <class V> __device__ __forceinline__ void statistics_of_part(const float* x, float2* parts, Channels k, Divisor inner, float2* shared) {
  const V* in = reinterpret_cast<const V*>(x);
  Walk w = walk(k);
  float mean = channel_mean(in, w, k, inner, part_elements(k, w.part), shared);
  float spread = channel_spread(in, mean, w, k, inner, shared);
  if (threadIdx.x >> k.shift == 0 && w.c < k.channels) parts[w.c * k.parts + w.part] = make_float2(mean, spread);
}

// batch_norm_parts writes mean and sum of squares around it of every part: parts is channels x k.parts pairs.
extern "C" __global__ void batch_norm_parts(const float* __restrict__ x, float2* __restrict__ parts, Channels k, Divisor inner) {
  __shared__ float2 shared[MOST_THREADS];
  BY_UNITS(statistics_of_part, x, parts, k, inner, shared);
}

template <class V> __device__ __forceinline__ void normalise_part(const float* x, const float* gamma, const float* beta, const float2* __restrict__ parts, float* y, float* means, float* variances, Channels k, Divisor inner, float eps, float2* shared) {
  Walk w = walk(k);
  const float2* mine = parts + w.c * k.parts;
  float n = (float)k.count * (k.quads ? 4.0f : 1.0f);
  int first = w.c < k.channels ? threadIdx.x >> k.shift : k.parts;
  float2 s = make_float2(0.0f, 0.0f);
  for (int p = first; p < k.parts; p += w.step) s.x += mine[p].x * part_elements(k, p);
  float mean = channel_sums(s, k.shift, shared).x / n;
  s.x = 0.0f;
  for (int p = first; p < k.parts; p += w.step) {
    float d = mine[p].x - mean;
    s.x += mine[p].y + d * d * part_elements(k, p);
  }
  float variance = channel_sums(s, k.shift, shared).x / n;
  write_normalised(reinterpret_cast<const V*>(x), gamma, beta, reinterpret_cast<V*>(y), means, variances, mean, variance, eps, w, k, inner);
}

// batch_norm_apply joins the statistics of a channel's parts, each block for itself and in one order, and writes its part of y.
// Source: Chan, Golub & LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", eq. 2.1.
extern "C" __global__ void batch_norm_apply(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ beta, const float2* __restrict__ parts, float* __restrict__ y, float* __restrict__ means, float* __restrict__ variances, Channels k, Divisor inner, float eps) {
  __shared__ float2 shared[MOST_THREADS];
  BY_UNITS(normalise_part, x, gamma, beta, parts, y, means, variances, k, inner, eps, shared);
}

// gradient_sums are Σ dy and Σ dy·(x - mean) of the walk.
template <class V> __device__ __forceinline__ float2 gradient_sums(const V* __restrict__ x, const V* __restrict__ dy, float mean, Walk w, Channels k, Divisor inner, float2* shared) {
  float2 s = make_float2(0.0f, 0.0f);
  each(w, k, inner, [&](int at) {
    V d = dy[at];
    s.x += total(d);
    s.y += total(product(d, centred(x[at], mean)));
  });
  return channel_sums(s, k.shift, shared);
}

// write_gradient writes dx = gamma·rstd·(dy - dbeta/n - x̂·dgamma/n) of the walk, and with the first part dgamma and dbeta.
template <class V> __device__ __forceinline__ void write_gradient(const V* __restrict__ x, const float* __restrict__ gamma, const V* __restrict__ dy, V* __restrict__ dx, float* __restrict__ dGamma, float* __restrict__ dBeta, float2 sums, float mean, float rstd, Walk w, Channels k, Divisor inner) {
  if (w.c >= k.channels) return;
  if (w.part == 0 && threadIdx.x >> k.shift == 0) {
    if (dGamma) dGamma[w.c] = sums.y * rstd;
    if (dBeta) dBeta[w.c] = sums.x;
  }
  float n = (float)k.count * (k.quads ? 4.0f : 1.0f), a = gamma[w.c] * rstd;
  float ofX = -a * rstd * rstd * sums.y / n, constant = -a * sums.x / n;
  each(w, k, inner, [&](int at) { dx[at] = axpy(dy[at], a, affine(centred(x[at], mean), ofX, constant)); });
}

template <class V> __device__ __forceinline__ void channel_gradient(const float* x, const float* gamma, const float* dy, const float* means, const float* variances, float* dx, float* dGamma, float* dBeta, Channels k, Divisor inner, float eps, float2* shared) {
  const V *in = reinterpret_cast<const V*>(x), *dOut = reinterpret_cast<const V*>(dy);
  Walk w = walk(k);
  int c = min(w.c, k.channels - 1);
  float mean = means[c], rstd = 1.0f / sqrtf(variances[c] + eps);
  float2 sums = gradient_sums(in, dOut, mean, w, k, inner, shared);
  write_gradient(in, gamma, dOut, reinterpret_cast<V*>(dx), dGamma, dBeta, sums, mean, rstd, w, k, inner);
}

extern "C" __global__ void batch_norm_grad(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ dy, const float* __restrict__ means, const float* __restrict__ variances, float* __restrict__ dx, float* __restrict__ dGamma, float* __restrict__ dBeta, Channels k, Divisor inner, float eps) {
  __shared__ float2 shared[MOST_THREADS];
  BY_UNITS(channel_gradient, x, gamma, dy, means, variances, dx, dGamma, dBeta, k, inner, eps, shared);
}

template <class V> __device__ __forceinline__ void gradient_of_part(const float* x, const float* dy, const float* means, float2* parts, Channels k, Divisor inner, float2* shared) {
  Walk w = walk(k);
  float mean = means[min(w.c, k.channels - 1)];
  float2 s = gradient_sums(reinterpret_cast<const V*>(x), reinterpret_cast<const V*>(dy), mean, w, k, inner, shared);
  if (threadIdx.x >> k.shift == 0 && w.c < k.channels) parts[w.c * k.parts + w.part] = s;
}

// batch_norm_grad_parts writes both sums of every part: parts is channels x k.parts pairs.
extern "C" __global__ void batch_norm_grad_parts(const float* __restrict__ x, const float* __restrict__ dy, const float* __restrict__ means, float2* __restrict__ parts, Channels k, Divisor inner) {
  __shared__ float2 shared[MOST_THREADS];
  BY_UNITS(gradient_of_part, x, dy, means, parts, k, inner, shared);
}

template <class V> __device__ __forceinline__ void apply_gradient(const float* x, const float* gamma, const float* dy, const float* means, const float* variances, const float2* __restrict__ parts, float* dx, float* dGamma, float* dBeta, Channels k, Divisor inner, float eps, float2* shared) {
  Walk w = walk(k);
  int c = min(w.c, k.channels - 1);
  float mean = means[c], rstd = 1.0f / sqrtf(variances[c] + eps);
  float2 s = make_float2(0.0f, 0.0f);
  for (int p = threadIdx.x >> k.shift; p < k.parts; p += w.step) {
    float2 v = parts[c * k.parts + p];
    s.x += v.x;
    s.y += v.y;
  }
  s = channel_sums(s, k.shift, shared);
  write_gradient(reinterpret_cast<const V*>(x), gamma, reinterpret_cast<const V*>(dy), reinterpret_cast<V*>(dx), dGamma, dBeta, s, mean, rstd, w, k, inner);
}

// batch_norm_grad_apply joins the sums of a channel's parts, each block for itself and in one order, and writes its part of dx.
extern "C" __global__ void batch_norm_grad_apply(const float* __restrict__ x, const float* __restrict__ gamma, const float* __restrict__ dy, const float* __restrict__ means, const float* __restrict__ variances, const float2* __restrict__ parts, float* __restrict__ dx, float* __restrict__ dGamma, float* __restrict__ dBeta, Channels k, Divisor inner, float eps) {
  __shared__ float2 shared[MOST_THREADS];
  BY_UNITS(apply_gradient, x, gamma, dy, means, variances, parts, dx, dGamma, dBeta, k, inner, eps, shared);
}
