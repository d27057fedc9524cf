#include "prelude.h"

// Upsampling of N x C x H x W images by whole numbers, nearest or bilinear, and its transpose. Grid as in pool.cu: x = blocks
// of a plane's results, y = blocks of planes; a thread finds its taps once and does that pixel of several planes.

// Between says that pixel i of an axis is (1-f)·x[a] + f·x[b].
struct Between {
  int a, b;
  float f;
};

// between: pixel centres of PyTorch's align_corners=False, at (i + 1/2) / scale - 1/2, but not before the first; nearest: f = 0.
// In whole numbers, so that f is exact.
__device__ __forceinline__ Between between(int i, int n, int scale, int bilinear) {
  Between t = {i / scale, i / scale, 0.0f};
  if (bilinear) {
    int at = max(0, 2 * i + 1 - scale);
    t.a = at / (2 * scale);
    t.b = min(t.a + 1, n - 1);
    t.f = (float)(at - t.a * 2 * scale) / (float)(2 * scale);
  }
  return t;
}

// part is the weight of input pixel a in an output pixel.
__device__ __forceinline__ float part(const Between& t, int a) { return (t.a == a ? 1.0f - t.f : 0.0f) + (t.b == a ? t.f : 0.0f); }

// first and last are the output pixels that take part of input pixel a; last is excluded.
__device__ __forceinline__ int first(int a, int scale, int bilinear) {
  if (!bilinear) return a * scale;
  return a == 0 ? 0 : ((a - 1) * 2 * scale + scale - 1) / 2 + 1;
}
__device__ __forceinline__ int last(int a, int n, int scale, int bilinear) {
  if (!bilinear) return (a + 1) * scale;
  return a == n - 1 ? n * scale : ((a + 1) * 2 * scale + scale) / 2;
}

// UPSAMPLE: y (planes x height·scaleH x width·scaleW) from x (planes x height x width).
extern "C" __global__ void upsample(const float* __restrict__ x, float* __restrict__ y, int planes, int height, int width, int scaleH, int scaleW, int bilinear) {
  int o = blockIdx.x * blockDim.x + threadIdx.x, columns = width * scaleW, each = height * scaleH * columns, size = height * width;
  if (o >= each) return;
  int i = o / columns;
  Between r = between(i, height, scaleH, bilinear), c = between(o - i * columns, width, scaleW, bilinear);
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    const float *top = x + p * size + r.a * width, *bottom = x + p * size + r.b * width;
    float v = top[c.a];
    if (c.f != 0.0f) v = (1.0f - c.f) * v + c.f * top[c.b];
    if (r.f != 0.0f) {
      float u = bottom[c.a];
      if (c.f != 0.0f) u = (1.0f - c.f) * u + c.f * bottom[c.b];
      v = (1.0f - r.f) * v + r.f * u;
    }
    y[p * each + o] = v;
  }
}

// UPSAMPLE_GRAD: each pixel of dx adds up its parts of dy, row by row: the transpose, with one writer a place.
extern "C" __global__ void upsample_grad(const float* __restrict__ dy, float* __restrict__ dx, int planes, int height, int width, int scaleH, int scaleW, int bilinear) {
  int at = blockIdx.x * blockDim.x + threadIdx.x, columns = width * scaleW, each = height * scaleH * columns, size = height * width;
  if (at >= size) return;
  int i = at / width, j = at - i * width;
  int top = first(i, scaleH, bilinear), bottom = last(i, height, scaleH, bilinear);
  int left = first(j, scaleW, bilinear), right = last(j, width, scaleW, bilinear);
  for (long long p = blockIdx.y * blockDim.y + threadIdx.y; p < planes; p += gridDim.y * blockDim.y) {
    float sum = 0.0f;
    for (int r = top; r < bottom; r++) {
      float row = 0.0f;
      for (int c = left; c < right; c++) {
        float d = dy[p * each + r * columns + c];
        if (bilinear) {
          float w = part(between(c, width, scaleW, 1), j);
          row = w != 0.0f ? fmaf(w, d, row) : row;
        } else {
          row += d;
        }
      }
      if (bilinear) {
        float w = part(between(r, height, scaleH, 1), i);
        row = w != 0.0f ? w * row : 0.0f;
      }
      sum += row;
    }
    dx[p * size + at] = sum;
  }
}
