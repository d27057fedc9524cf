// What kernels of chains share: how threads walk over elements, read and write them, and how sums end.
//
// A body computes W neighbouring elements from i on by run<W>(i), and has SUMS totals over all elements in sum[] and ROWS totals
// over each row in row[]; put(k, s) and put_row(k, r, s) store what came out. Blocks have CHAIN_THREADS threads. How many blocks
// there are, W and the row's group depend on sizes alone, and with them the order of every addition.
#pragma once
#include "prelude.h"

#define CHAIN_THREADS 256
#define CHAIN_WARPS 8
// Totals that one chain ends in at most; gpu/chain_sums.go gives the rest to chain_fold.
#define CHAIN_SUMS 8
// Floats of shared memory that chain_rows and chain_finish want.
#define CHAIN_SHARED (CHAIN_SUMS * CHAIN_WARPS + 1)

struct alignas(16) chain_floats { float x, y, z, w; };
struct alignas(16) chain_ints { int x, y, z, w; };
struct alignas(4) chain_bytes { unsigned char x, y, z, w; };

// chain_load reads W elements from i on; i is a multiple of W, and p of 16 bytes where W is 4. A caller that writes the same
// memory does so afterwards, so nothing here may be __restrict__.
template <int W, class T, class V, class R> __device__ __forceinline__ void chain_read(R (&r)[W], const T* p, unsigned i) {
  if constexpr (W == 4) {
    V q = *reinterpret_cast<const V*>(p + i);
    r[0] = q.x, r[1] = q.y, r[2] = q.z, r[3] = q.w;
  } else {
    r[0] = p[i];
  }
}
template <int W> __device__ __forceinline__ void chain_load(float (&r)[W], const float* p, unsigned i) { chain_read<W, float, chain_floats>(r, p, i); }
template <int W> __device__ __forceinline__ void chain_load(int (&r)[W], const int* p, unsigned i) { chain_read<W, int, chain_ints>(r, p, i); }
template <int W> __device__ __forceinline__ void chain_load(int (&r)[W], const unsigned char* p, unsigned i) { chain_read<W, unsigned char, chain_bytes>(r, p, i); }

// chain_store writes what chain_load reads.
template <int W, class T, class V, class R> __device__ __forceinline__ void chain_write(T* p, unsigned i, const R (&r)[W]) {
  if constexpr (W == 4) {
    V q = {(T)r[0], (T)r[1], (T)r[2], (T)r[3]};
    *reinterpret_cast<V*>(p + i) = q;
  } else {
    p[i] = (T)r[0];
  }
}
template <int W> __device__ __forceinline__ void chain_store(float* p, unsigned i, const float (&r)[W]) { chain_write<W, float, chain_floats>(p, i, r); }
template <int W> __device__ __forceinline__ void chain_store(int* p, unsigned i, const int (&r)[W]) { chain_write<W, int, chain_ints>(p, i, r); }
template <int W> __device__ __forceinline__ void chain_store(unsigned char* p, unsigned i, const int (&r)[W]) { chain_write<W, unsigned char, chain_bytes>(p, i, r); }

// chain_at reads what belongs to elements i to i+W: element (i / INNER) % PERIOD. WRAPS is whether PERIOD ends before the elements do.
template <int W, unsigned INNER, unsigned PERIOD, bool WRAPS, class T, class R> __device__ __forceinline__ void chain_at(R (&r)[W], const T* p, unsigned i) {
  if constexpr (W == 4 && INNER == 1 && PERIOD % 4 == 0) {
    chain_load<W>(r, p, WRAPS ? i % PERIOD : i);
  } else if constexpr (W == 4 && INNER % 4 == 0) {
    unsigned q = i / INNER;
    R x = p[WRAPS ? q % PERIOD : q];
#pragma unroll
    for (int k = 0; k < W; k++) r[k] = x;
  } else {
#pragma unroll
    for (int k = 0; k < W; k++) {
      unsigned q = (i + k) / INNER;
      r[k] = p[WRAPS ? q % PERIOD : q];
    }
  }
}

__device__ __forceinline__ float chain_warp_sum(float s) {
#pragma unroll
  for (int o = 16; o > 0; o >>= 1) s += __shfl_xor_sync(0xffffffffu, s, o);
  return s;
}

// chain_flat walks over all elements, W at a time; the last few one by one.
template <int W, class Body> __device__ __forceinline__ void chain_flat(Body& body, unsigned size, unsigned block, unsigned blocks) {
  unsigned i = (block * CHAIN_THREADS + threadIdx.x) * W, stride = blocks * CHAIN_THREADS * W;
  for (; i + W <= size; i += stride) body.template run<W>(i);
  if constexpr (W > 1) {
    for (; i < size; i++) body.template run<1>(i);
  }
}

// chain_rows walks over rows of len elements, GROUP threads a row (a warp, or the block), and adds each row up.
// Where W is 4, len is a multiple of 4.
template <int W, int GROUP, class Body> __device__ __forceinline__ void chain_rows(Body& body, unsigned rows, unsigned len, unsigned block, unsigned blocks, float* shared) {
  const unsigned PER = CHAIN_THREADS / GROUP;
  unsigned lane = threadIdx.x % GROUP;
  for (unsigned first = block * PER; first < rows; first += blocks * PER) {
    unsigned r = first + threadIdx.x / GROUP;
    for (int k = 0; k < Body::ROWS; k++) body.row[k] = 0.0f;
    if (r < rows) {
      for (unsigned j = lane * W; j < len; j += GROUP * W) body.template run<W>(r * len + j);
    }
    for (int k = 0; k < body.rows(); k++) {
      float s = chain_warp_sum(body.row[k]);
      if (GROUP > 32) {
        if ((threadIdx.x & 31) == 0) shared[threadIdx.x >> 5] = s;
        __syncthreads();
        s = 0.0f;
        for (int w = 0; w < CHAIN_WARPS; w++) s += shared[w];
        __syncthreads();
      }
      if (lane == 0 && r < rows) body.put_row(k, r, s);
    }
  }
}

// chain_finish adds up sum[] over the segment's blocks. Each block leaves its own in partials; the one that finds that all others
// have, by the counter, adds them in the order of blocks, whichever came last, and sets the counter back to 0.
template <class Body> __device__ __forceinline__ void chain_finish(Body& body, float* partials, unsigned* counter, unsigned block, unsigned blocks, float* shared) {
  unsigned lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  int n = body.sums();
  for (int k = 0; k < n; k++) {
    float s = chain_warp_sum(body.sum[k]);
    if (lane == 0) shared[k * CHAIN_WARPS + warp] = s;
  }
  __syncthreads();
  if (threadIdx.x < (unsigned)n) {
    float s = 0.0f;
    for (int w = 0; w < CHAIN_WARPS; w++) s += shared[threadIdx.x * CHAIN_WARPS + w];
    if (blocks == 1) body.put(threadIdx.x, s);
    else partials[block * n + threadIdx.x] = s;
  }
  if (blocks == 1) return;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) shared[CHAIN_SUMS * CHAIN_WARPS] = atomicAdd(counter, 1u) == blocks - 1 ? 1.0f : 0.0f;
  __syncthreads();
  if (shared[CHAIN_SUMS * CHAIN_WARPS] == 0.0f) return;
  __threadfence();
  for (int k = warp; k < n; k += CHAIN_WARPS) {
    float s = 0.0f;
    for (unsigned j = lane; j < blocks; j += 32) s += *(volatile float*)(partials + j * n + k);
    s = chain_warp_sum(s);
    if (lane == 0) body.put(k, s);
  }
  if (threadIdx.x == 0) *counter = 0;
}

// A segment is one chain of a launch, 16 words of a table that Go writes: gpu/chain_group.go.
struct chain_segment {
  unsigned size, first, blocks;       // elements; its blocks in the grid
  unsigned code, words;               // of the tape
  unsigned pointer, pointers;         // its operands, outputs and totals, in that order
  unsigned width, len, group;         // W; row's length, 0: flat; threads a row
  unsigned sums, partial, counter;    // totals over all elements
  unsigned rows, sum_pointer, body;   // totals over rows; where the pointers to totals begin; which of several bodies
};

// chain_run walks over a segment as the table says.
template <class Body> __device__ __forceinline__ void chain_run(Body& body, const chain_segment& s, float* partials, unsigned* counters, float* shared) {
  unsigned block = blockIdx.x - s.first;
  if (s.len == 0) {
    if (s.width == 4) chain_flat<4>(body, s.size, block, s.blocks);
    else chain_flat<1>(body, s.size, block, s.blocks);
  } else {
    unsigned rows = s.size / s.len;
    if (s.group == 32) {
      if (s.width == 4) chain_rows<4, 32>(body, rows, s.len, block, s.blocks, shared);
      else chain_rows<1, 32>(body, rows, s.len, block, s.blocks, shared);
    } else {
      if (s.width == 4) chain_rows<4, CHAIN_THREADS>(body, rows, s.len, block, s.blocks, shared);
      else chain_rows<1, CHAIN_THREADS>(body, rows, s.len, block, s.blocks, shared);
    }
  }
  if (s.sums > 0) chain_finish(body, partials + s.partial, counters + s.counter, block, s.blocks, shared);
}
