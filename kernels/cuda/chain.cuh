// What kernels of chains share: how threads walk over elements, read and write them, and how sums end.
//
// A body computes W neighbouring elements from i on by run<W>(i), and adds to totals over all elements in sum[], over each row in
// row[], or over each of W columns in column[]; put, put_row and put_column store what came out. Blocks have CHAIN_THREADS
// threads. How many blocks there are, W and who adds what depend on sizes alone, and with them the order of every addition.
#pragma once
#include "prelude.h"

#define CHAIN_THREADS 256
#define CHAIN_WARPS 8
// Totals that one chain ends in at most; gpu/chain_sums.go gives the rest to chain_fold.
#define CHAIN_SUMS 8
// Floats of shared memory that the walks below want; the last says that a block is the last to finish.
#define CHAIN_SHARED (CHAIN_THREADS + 1)

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
    for (int k = 0; k < body.rows(); k++) body.row[k] = 0.0f;
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

// chain_last reports, to all threads of a block, whether it is the last of blocks that comes here; then it sees what the others
// wrote before, and the counter is 0 again.
__device__ __forceinline__ bool chain_last(unsigned* counter, unsigned blocks, float* shared) {
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    bool last = atomicAdd(counter, 1u) == blocks - 1;
    if (last) *counter = 0;
    shared[CHAIN_THREADS] = last ? 1.0f : 0.0f;
  }
  __syncthreads();
  bool last = shared[CHAIN_THREADS] != 0.0f;
  if (last) __threadfence();
  return last;
}

// chain_tile adds up s over the threads of one x, which stand in `high` rows of `tile` threads; all threads of the block call it.
__device__ __forceinline__ float chain_tile(float s, int tile, int x, int y, int high, float* shared) {
  shared[threadIdx.x] = s;
  __syncthreads();
  for (int h = high; h > 1;) {
    int half = (h + 1) >> 1;
    if (y < h - half) shared[y * tile + x] += shared[(y + half) * tile + x];
    __syncthreads();
    h = half;
  }
  s = shared[x];
  __syncthreads();
  return s;
}

// chain_columns walks over rows of `period` elements: a block over part of the rows of `tile` threads' columns, W a thread, so that
// a warp reads whole sectors. Parts are added in their order by the block that finishes last: partials holds a float for each
// total, part and column, counters one word a tile. Where W is 4, period is a multiple of 4.
template <int W, class Body> __device__ __forceinline__ void chain_columns(Body& body, unsigned size, unsigned period, int tile, unsigned block, unsigned blocks, float* partials, unsigned* counters, float* shared) {
  int high = CHAIN_THREADS / tile, y = threadIdx.x / tile, x = threadIdx.x - y * tile;
  unsigned wide = period / W, tiles = (wide + tile - 1) / tile, parts = blocks / tiles, part = block / tiles;
  unsigned rows = size / period, per = (rows + parts - 1) / parts, to = min(rows, part * per + per);
  unsigned c = (block - part * tiles) * tile + x;
  bool inside = y < high && c < wide, writes = y == 0 && c < wide;
  for (int k = 0; k < body.columns(); k++) {
    for (int j = 0; j < W; j++) body.column[k][j] = 0.0f;
  }
  if (inside) {
    for (unsigned r = part * per + y; r < to; r += high) body.template run<W>(r * period + c * W);
  }
  for (int k = 0; k < body.columns(); k++) {
#pragma unroll
    for (int j = 0; j < W; j++) {
      float s = chain_tile(body.column[k][j], tile, x, y, high, shared);
      if (writes && parts == 1) body.put_column(k, c * W + j, s);
      if (writes && parts > 1) partials[(k * parts + part) * period + c * W + j] = s;
    }
  }
  if (parts == 1 || !chain_last(counters + (block - part * tiles), parts, shared)) return;
  for (int k = 0; k < body.columns(); k++) {
    for (int j = 0; j < W; j++) {
      float s = 0.0f;
      if (inside) {
        for (unsigned q = y; q < parts; q += high) s += *(volatile float*)(partials + (k * parts + q) * period + c * W + j);
      }
      s = chain_tile(s, tile, x, y, high, shared);
      if (writes) body.put_column(k, c * W + j, s);
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
  if (blocks == 1 || !chain_last(counter, blocks, shared)) return;
  for (int k = warp; k < n; k += CHAIN_WARPS) {
    float s = 0.0f;
    for (unsigned j = lane; j < blocks; j += 32) s += *(volatile float*)(partials + j * n + k);
    s = chain_warp_sum(s);
    if (lane == 0) body.put(k, s);
  }
}

// A segment is one chain of a launch, in a table that Go writes: gpu/chain_group.go.
struct chain_segment {
  unsigned size, first, blocks;     // elements; its blocks in the grid
  unsigned code, words;             // of the tape
  unsigned pointer, pointers;       // its operands, outputs and totals, in that order
  unsigned width, len, group;       // W; row's length, 0: flat; threads a row, or a tile
  unsigned sums, rows, columns;     // how many totals of each kind; there are not both of rows and of columns
  unsigned partial, counter;        // what chain_finish is given, and behind it what chain_columns is
  unsigned sum_pointer, body;       // where the pointers to totals begin; which of several bodies
};

// chain_run walks over a segment as the table says.
template <class Body> __device__ __forceinline__ void chain_run(Body& body, const chain_segment& s, float* partials, unsigned* counters, float* shared) {
  unsigned block = blockIdx.x - s.first;
  if (s.len == 0) {
    if (s.width == 4) chain_flat<4>(body, s.size, block, s.blocks);
    else chain_flat<1>(body, s.size, block, s.blocks);
  } else if (s.columns > 0) {
    float* p = partials + s.partial + s.sums * s.blocks;
    unsigned* c = counters + s.counter + 1;
    if (s.width == 4) chain_columns<4>(body, s.size, s.len, s.group, block, s.blocks, p, c, shared);
    else chain_columns<1>(body, s.size, s.len, s.group, block, s.blocks, p, c, shared);
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
