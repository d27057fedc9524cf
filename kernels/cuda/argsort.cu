#include "prelude.h"

// Sorting of positions along rows of x, rows x n: an element's key is its order in the upper 32 bits and its position in the lower
// ones, so that no two keys are equal, equal elements keep their order, and nothing but integers is compared.
//
//   argsort_rows              a row fits into shared memory: one launch, a bitonic sort, several short rows a block
//   argsort_runs              long rows: tiles are sorted the same way into keys in memory, then
//   argsort_merge, repeated   pairs of sorted runs are merged, which doubles their length; the last pass writes positions
//
// The network costs log²n/2 rounds in shared memory, a merging pass 16 bytes a key of memory.
typedef unsigned long long Key;
#define LAST_KEY 0xffffffffffffffffull

enum { FLOAT32 = 0, INT32 = 1, UINT8 = 2 };  // graph.DType

// sortable maps element i to an unsigned number of the same order; NaN comes last, -0 and 0 are equal.
__device__ __forceinline__ unsigned sortable(const unsigned char* __restrict__ x, int dtype, size_t i) {
  if (dtype == UINT8) return x[i];
  unsigned bits = reinterpret_cast<const unsigned*>(x)[i];
  if (dtype == INT32) return bits ^ 0x80000000u;
  float v = __uint_as_float(bits);
  if (v != v) return 0xffffffffu;
  if (v == 0.0f) bits = 0u;
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

__device__ __forceinline__ Key key_of(const unsigned char* __restrict__ x, int dtype, size_t row, int i) {
  return (Key)sortable(x, dtype, row + i) << 32 | (unsigned)i;
}

// bitonic sorts `total` keys in shared memory in pieces of `size`, a power of two, each ascending. All threads of the block call it.
// Source: Batcher 1968, "Sorting Networks and their Applications".
__device__ __forceinline__ void bitonic(Key* keys, int total, int size) {
  for (int k = 2; k <= size; k <<= 1)
    for (int j = k >> 1; j > 0; j >>= 1) {
      __syncthreads();
      for (int t = threadIdx.x; t < total >> 1; t += blockDim.x) {
        int i = 2 * t - (t & (j - 1));
        Key a = keys[i], b = keys[i + j];
        bool up = (i & (size - 1) & k) == 0;
        if ((a > b) == up) keys[i] = b, keys[i + j] = a;
      }
    }
  __syncthreads();
}

// argsort_rows: a block sorts `together` rows, each padded to `size` >= n, a power of two. Grid: ceil(rows / together);
// shared memory: together·size keys; block: any.
extern "C" __global__ void argsort_rows(const unsigned char* __restrict__ x, int* __restrict__ y, int dtype, int rows, int n, int size, int together) {
  EXTERN_SHARED(Key, keys);
  int first = blockIdx.x * together, total = size * together;
  for (int t = threadIdx.x; t < total; t += blockDim.x) {
    int r = first + t / size, i = t & (size - 1);
    keys[t] = r < rows && i < n ? key_of(x, dtype, (size_t)r * n, i) : LAST_KEY;
  }
  bitonic(keys, total, size);
  for (int t = threadIdx.x; t < total; t += blockDim.x) {
    int r = first + t / size, i = t & (size - 1);
    if (r < rows && i < n) y[(size_t)r * n + i] = (int)(unsigned)keys[t];
  }
}

// argsort_runs sorts tiles of `size` elements, a power of two, of each row into out, rows x n keys. Grid: rows·tiles of a row;
// shared memory: size keys; block: any.
extern "C" __global__ void argsort_runs(const unsigned char* __restrict__ x, Key* __restrict__ out, int dtype, int n, int size) {
  EXTERN_SHARED(Key, keys);
  int tiles = (n + size - 1) / size, r = blockIdx.x / tiles, from = (blockIdx.x - r * tiles) * size;
  for (int t = threadIdx.x; t < size; t += blockDim.x) keys[t] = from + t < n ? key_of(x, dtype, (size_t)r * n, from + t) : LAST_KEY;
  bitonic(keys, size, size);
  for (int t = threadIdx.x; t < size && from + t < n; t += blockDim.x) out[(size_t)r * n + from + t] = keys[t];
}

// split_at returns how many of the first d keys of the merge of a and b come from a.
// Source: Green, McColl & Bader 2012, "GPU Merge Path: a GPU Merging Algorithm", algorithm 2.
__device__ __forceinline__ int split_at(const Key* a, int na, const Key* b, int nb, int d) {
  int low = max(0, d - nb), high = min(d, na);
  while (low < high) {
    int mid = (low + high) >> 1;
    if (a[mid] < b[d - 1 - mid]) low = mid + 1;
    else high = mid;
  }
  return low;
}

#define MERGE_THREADS 256
#define MERGE_EACH 8
#define MERGE_TILE (MERGE_THREADS * MERGE_EACH)

// argsort_merge merges neighbouring runs of `run` keys of each row, `run` a multiple of MERGE_TILE. A block writes MERGE_TILE keys:
// it finds what of both runs they are, brings that to shared memory, and each thread merges MERGE_EACH of them. The last pass writes
// positions to y instead of keys to out. Grid: rows·ceil(n / MERGE_TILE); block: MERGE_THREADS.
extern "C" __global__ void argsort_merge(const Key* __restrict__ in, Key* __restrict__ out, int* __restrict__ y, int n, int run, int last) {
  __shared__ Key keys[MERGE_TILE];
  __shared__ int splits[2];
  int tiles = (n + MERGE_TILE - 1) / MERGE_TILE, r = blockIdx.x / tiles, t = threadIdx.x;
  long long from = (long long)(blockIdx.x - r * tiles) * MERGE_TILE, pair = from / (2ll * run) * (2ll * run);
  const Key *a = in + (size_t)r * n + pair, *b = a + run;
  int na = (int)min((long long)run, n - pair), nb = (int)max(0ll, min((long long)run, n - pair - run));
  int d = (int)(from - pair), count = min(MERGE_TILE, na + nb - d);
  if (t < 2) splits[t] = split_at(a, na, b, nb, t ? d + count : d);
  __syncthreads();
  int fromA = splits[0], countA = splits[1] - fromA, fromB = d - fromA;
  for (int i = t; i < count; i += MERGE_THREADS) keys[i] = i < countA ? a[fromA + i] : b[fromB + i - countA];
  __syncthreads();
  int first = min(t * MERGE_EACH, count), end = min(first + MERGE_EACH, count);
  int i = split_at(keys, countA, keys + countA, count - countA, first), j = countA + first - i;
  Key merged[MERGE_EACH];
#pragma unroll
  for (int k = 0; k < MERGE_EACH; k++)
    if (first + k < end) {
      bool left = j >= count || (i < countA && keys[i] < keys[j]);
      merged[k] = left ? keys[i++] : keys[j++];
    }
  __syncthreads();
#pragma unroll
  for (int k = 0; k < MERGE_EACH; k++)
    if (first + k < end) keys[first + k] = merged[k];
  __syncthreads();
  size_t at = (size_t)r * n + from;
  for (int k = t; k < count; k += MERGE_THREADS)
    if (last) y[at + k] = (int)(unsigned)keys[k];
    else out[at + k] = keys[k];
}
