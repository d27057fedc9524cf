// What convolutions and transposed convolutions have in common: results that are sums over taps of a source image.
#pragma once
#include "prelude.h"

// Both are   result[o, u·upH + qy, v·upW + qx] = Σ_k weight[o, k] · source[c_k, u·downH + h_k, v·downW + w_k],
// k counting a group's source channels and the filter's taps. A convolution is one such phase (up = 1, down = its stride). A
// transposed one of stride S is S·S phases (up = S, down = 1), each with the taps that reach it: no zero is multiplied.
// Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4.

// Tap is entry k of a phase's table: where it reads the source, from the result's place u·downH, v·downW on, and the weight.
struct __align__(16) Tap {
  int off, h, w;  // off = channel·height·width + h·width + w
  int weight;     // of filter 0 of a group
};

// Phase is a phase's results: pixels = images·each, each = rows·columns, a result's place, and its part of the tap table.
struct __align__(16) Phase {
  int pixels, each, columns, steps;  // steps: entries of the table
  int taps, qy, qx, run;  // run: conv_strip only
};

// Geometry holds sizes of source and result; steps are in elements.
struct Geometry {
  int height, width;             // of the source
  int imageIn, groupIn;          // from image to image, from a group's channels to the next one's
  int imageOut, plane, line;     // of the result: from image to image, channel to channel, row to row
  int filters;                   // result channels of a group
  int downH, downW, upH, upW;
  int weightRow, weightGroup;    // from filter to filter, from group to group
  int phases;                    // blockIdx.z = group·phases + phase
};

// Pixel is one result's place in source and result; out is -1 beyond the last.
struct Pixel {
  int in, h, w, out;
};

__device__ __forceinline__ Pixel pixel(int i, const Phase& f, const Geometry& g) {
  Pixel p = {0, 0, 0, -1};
  if (i >= f.pixels) return p;
  int n = i / f.each, r = i - n * f.each, u = r / f.columns, v = r - u * f.columns;
  p.h = u * g.downH, p.w = v * g.downW;
  p.in = n * g.imageIn + p.h * g.width + p.w;
  p.out = n * g.imageOut + (u * g.upH + f.qy) * g.line + v * g.upW + f.qx;
  return p;
}

__device__ __forceinline__ bool inside(const Tap& t, const Pixel& p, const Geometry& g) {
  return (unsigned)(p.h + t.h) < (unsigned)g.height && (unsigned)(p.w + t.w) < (unsigned)g.width;
}
