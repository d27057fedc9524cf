// The matrix product of a block of threads: what gemm.cu, conv_implicit.cu and conv_weight.cu share.
#pragma once
#include "prelude.h"
#include "point.cuh"

// Tile says how a block of SLICES·WM·WN warps computes BM x BN results, KC steps of the inner axis at a time.
//
// WM x WN warps cover the tile, SLICES times over: each slice takes KC/SLICES of every KC steps and the slices' sums are added
// in order at the end. That keeps eight warps busy where the result is too small for many tiles (a dense layer at batch 128).
// A warp's 32 threads stand LM x LN, each with TM x TN results as quads of four rows by four columns, LM and LN quads apart, so
// that the eight lanes of a shared-memory phase read neighbouring float4s (Volkov & Demmel 2008; the layout of CUTLASS).
// TM·TN is 32 or 64: a step reads TM + TN floats of shared memory for TM·TN multiplications.
template <int WM_, int WN_, int LM_, int LN_, int TM_, int TN_, int SLICES_, int KC_> struct Tile {
  static constexpr int WM = WM_, WN = WN_, LM = LM_, LN = LN_, TM = TM_, TN = TN_, SLICES = SLICES_, KC = KC_;
  static constexpr int BM = WM * LM * TM, BN = WN * LN * TN, THREADS = 32 * WM * WN * SLICES;
  // Rows of shared memory are four floats longer than the tile: writes down a column then meet different banks.
  static constexpr int LDA = BM + 4, LDB = BN + 4, STAGE = KC * (LDA + LDB);
  static constexpr int ROUND = WM * LM * 4;  // rows of the tile that slices exchange at a time
  static constexpr int EXCHANGE = SLICES * ROUND * BN;
  static constexpr int QUADS = (2 * STAGE > EXCHANGE ? 2 * STAGE : EXCHANGE) / 4;  // float4s of shared memory
  static constexpr int EACH_A = BM * KC / THREADS, EACH_B = BN * KC / THREADS;     // floats that a thread fetches
  static_assert(LM * LN == 32 && TM % 4 == 0 && TN % 4 == 0 && KC % 8 == 0 && KC % SLICES == 0, "shape of a tile");
  static_assert(EACH_A % 4 == 0 && EACH_B % 4 == 0, "threads fetch whole float4s");
};

typedef Tile<2, 4, 8, 4, 8, 8, 1, 16> Large;   // 128 x 128
typedef Tile<1, 2, 8, 4, 8, 8, 4, 32> Medium;  // 64 x 64
typedef Tile<1, 1, 4, 8, 8, 4, 8, 64> Small;   // 32 x 32
typedef Tile<1, 2, 4, 8, 8, 8, 4, 32> Wide;    // 32 x 128: convolutions of 32 filters

__device__ __forceinline__ float4 quad(float a, float b, float c, float d) {
  float4 v;
  v.x = a, v.y = b, v.z = c, v.w = d;
  return v;
}

__device__ __forceinline__ float4 load4(const float* p) { return *reinterpret_cast<const float4*>(p); }
__device__ __forceinline__ void store4(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }

// multiply adds the products of this thread's slice of KC steps to its results.
template <class T> __device__ __forceinline__ void multiply(float (&sum)[T::TM][T::TN], const float* stage, int slice, int row, int column) {
  const float* a = stage + slice * (T::KC / T::SLICES) * T::LDA + row;
  const float* b = stage + T::KC * T::LDA + slice * (T::KC / T::SLICES) * T::LDB + column;
#pragma unroll
  for (int k = 0; k < T::KC / T::SLICES; k++) {
    float x[T::TM], y[T::TN];
#pragma unroll
    for (int q = 0; q < T::TM / 4; q++) {
      float4 v = load4(a + k * T::LDA + q * T::LM * 4);
      x[4 * q] = v.x, x[4 * q + 1] = v.y, x[4 * q + 2] = v.z, x[4 * q + 3] = v.w;
    }
#pragma unroll
    for (int q = 0; q < T::TN / 4; q++) {
      float4 v = load4(b + k * T::LDB + q * T::LN * 4);
      y[4 * q] = v.x, y[4 * q + 1] = v.y, y[4 * q + 2] = v.z, y[4 * q + 3] = v.w;
    }
#pragma unroll
    for (int i = 0; i < T::TM; i++)
#pragma unroll
      for (int j = 0; j < T::TN; j++) sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
  }
}

// product runs the inner axis from k0 to k1 and stores the tile. All threads of the block call it.
//   A, B: fetch(k, end) reads a stage of KC steps from k on into registers, zeros from end on; put(stage) writes it to shared
//     memory as KC rows of BM (or BN) floats, LDA (or LDB) apart. Between them the previous stage is multiplied, which hides
//     the latency; two stages of shared memory leave one barrier a stage.
//   Store: put(row, column, float4) takes four neighbouring results of a row of the tile.
template <class T, class A, class B, class Store>
__device__ __forceinline__ void product(float4* memory, int k0, int k1, A& a, B& b, const Store& store) {
  float* shared = reinterpret_cast<float*>(memory);
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  int slice = warp / (T::WM * T::WN), at = warp % (T::WM * T::WN);
  int row = (at % T::WM) * (T::LM * T::TM) + (lane % T::LM) * 4, column = (at / T::WM) * (T::LN * T::TN) + (lane / T::LM) * 4;
  float sum[T::TM][T::TN];
#pragma unroll
  for (int i = 0; i < T::TM; i++)
#pragma unroll
    for (int j = 0; j < T::TN; j++) sum[i][j] = 0.0f;

  a.fetch(k0, k1);
  b.fetch(k0, k1);
  a.put(shared);
  b.put(shared + T::KC * T::LDA);
  __syncthreads();
  int stage = 0;
  for (int k = k0; k < k1; k += T::KC) {
    bool more = k + T::KC < k1;
    if (more) {
      a.fetch(k + T::KC, k1);
      b.fetch(k + T::KC, k1);
    }
    multiply<T>(sum, shared + stage, slice, row, column);
    stage = T::STAGE - stage;
    if (more) {
      a.put(shared + stage);
      b.put(shared + stage + T::KC * T::LDA);
    }
    __syncthreads();
  }

  // A quad of rows of every thread a round: slices write theirs beside each other in shared memory, then all threads add them in
  // order. Tiles without slices go the same way: neighbouring threads then store neighbouring quads, and the store's code,
  // functions of an epilogue included, stands there twice and not for every quad of the tile.
  int line = (at % T::WM) * (T::LM * 4) + (lane % T::LM) * 4;
#pragma unroll
  for (int round = 0; round < T::TM / 4; round++) {
    if (round > 0) __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int q = 0; q < T::TN / 4; q++)
        store4(shared + (slice * T::ROUND + line + i) * T::BN + column + q * (T::LN * 4),
               quad(sum[4 * round + i][4 * q], sum[4 * round + i][4 * q + 1], sum[4 * round + i][4 * q + 2], sum[4 * round + i][4 * q + 3]));
    __syncthreads();
#pragma unroll 1
    for (int e = threadIdx.x; e < T::ROUND * T::BN / 4; e += T::THREADS) {
      float4 v = load4(shared + 4 * e);
#pragma unroll
      for (int s = 1; s < T::SLICES; s++) {
        float4 w = load4(shared + s * (T::ROUND * T::BN) + 4 * e);
        v.x += w.x, v.y += w.y, v.z += w.z, v.w += w.w;
      }
      int r = e / (T::BN / 4);
      store.put(r / (T::LM * 4) * (T::LM * T::TM) + round * (T::LM * 4) + r % (T::LM * 4), e % (T::BN / 4) * 4, v);
    }
  }
}

// Dense fetches SIZE rows (of A: results' rows; of B: their columns) of a dense matrix, from row `from` of `rows` on.
// Element (row, k) lies at p[row·ld + k], or at p[k·ld + row] where `across`. quads says that ld and p are multiples of four
// floats: as ld is the length of the contiguous axis, each float4 is then inside or outside as a whole.
//
// Lanes read along the contiguous axis. Where that is k, two lanes take eight steps of a row and sixteen rows stand in a warp:
// a whole 32-byte sector each, and writes of the transposed floats meet every bank once.
template <class T, int SIZE, int LD, int EACH> struct Dense {
  const float* p;
  long long ld;
  int rows, from;
  bool across, quads;
  float v[EACH];

  __device__ __forceinline__ void place(int f, int& row, int& k) const {
    int i = threadIdx.x + f * T::THREADS;
    if (across) {
      row = i % (SIZE / 4) * 4, k = i / (SIZE / 4);
    } else {
      row = (i >> 1) % SIZE, k = (i >> 1) / SIZE * 8 + (i & 1) * 4;
    }
  }

  __device__ __forceinline__ void fetch(int k0, int end) {
#pragma unroll
    for (int f = 0; f < EACH / 4; f++) {
      int row, k;
      place(f, row, k);
      row += from, k += k0;
      const float* q = p + (across ? (long long)k * ld + row : (long long)row * ld + k);
      bool in = row < rows && k < end;
      if (quads) {
        float4 x = in ? load4(q) : quad(0.0f, 0.0f, 0.0f, 0.0f);
        v[4 * f] = x.x, v[4 * f + 1] = x.y, v[4 * f + 2] = x.z, v[4 * f + 3] = x.w;
      } else {
        int left = in ? (across ? rows - row : end - k) : 0;
#pragma unroll
        for (int j = 0; j < 4; j++) v[4 * f + j] = j < left ? q[j] : 0.0f;
      }
    }
  }

  __device__ __forceinline__ void put(float* stage) const {
#pragma unroll
    for (int f = 0; f < EACH / 4; f++) {
      int row, k;
      place(f, row, k);
      float* to = stage + k * LD + row;
      if (across) {
        store4(to, quad(v[4 * f], v[4 * f + 1], v[4 * f + 2], v[4 * f + 3]));
      } else {
#pragma unroll
        for (int j = 0; j < 4; j++) to[j * LD] = v[4 * f + j];
      }
    }
  }
};

// What may be computed in a store, by gpu/epilogue.go's numbers.
enum Activation { LINEAR = 0, RELU = 1, SIGMOID = 2, TANH = 3, SOFTPLUS = 4 };

// curved computes the functions that take many instructions; a call keeps them out of unrolled stores.
static __device__ __noinline__ float curved(float x, int kind) {
  if (kind == SIGMOID) return point_sigmoid(x);
  if (kind == TANH) return point_tanh(x);
  return point_softplus(x);
}

__device__ __forceinline__ float activate(float x, int kind) {
  if (kind == LINEAR) return x;
  if (kind == RELU) return point_relu(x);
  return curved(x, kind);
}

// Rows stores a tile of a row-major m x n matrix: with a bias by column (or null) and an Activation.
// quads says that c and n are multiples of four floats.
struct Rows {
  float* c;
  const float* bias;
  int m, n, row0, column0, activation;
  bool quads;

  __device__ __forceinline__ void put(int row, int column, float4 v) const {
    row += row0, column += column0;
    if (row >= m || column >= n) return;
    float x[4] = {v.x, v.y, v.z, v.w};
    int left = n - column;
    if (bias) {
#pragma unroll
      for (int j = 0; j < 4; j++)
        if (j < left) x[j] += bias[column + j];
    }
    if (activation) {
#pragma unroll
      for (int j = 0; j < 4; j++) x[j] = activate(x[j], activation);
    }
    float* to = c + (long long)row * n + column;
    if (quads) {
      store4(to, quad(x[0], x[1], x[2], x[3]));
      return;
    }
#pragma unroll
    for (int j = 0; j < 4; j++)
      if (j < left) to[j] = x[j];
  }
};
