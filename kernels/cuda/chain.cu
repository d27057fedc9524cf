#include "prelude.h"
#include "chain.cuh"
#include "divisor.cuh"
#include "point.cuh"

// Fused elementwise chains, interpreted: a chain is a tape of words that every thread runs for its elements. It works for every
// chain and needs no compiler on the machine; kernels that NVRTC makes for one chain are faster where memory is not the limit.
//
// A word holds an opcode and up to three slots: op | d<<8 | a<<16 | b<<24. Pointers, attributes and further slots follow in words
// of their own. Slots are local memory, which stays in the first-level cache: a tape has few of them alive at a time.
// gpu/chain_tape.go writes tapes; gpu/chain_ops.go has the same numbers, and a test compares them.
#define CHAIN_SLOTS 32
// Words of a tape that are copied to shared memory; longer ones are read where they are.
#define CHAIN_STAGED 2048

#define OP_END 0
#define OP_LOAD 1     // d; pointer: element i, four bytes
#define OP_LOAD8 2    // d; pointer: element i, a byte
#define OP_ONE 3      // d; pointer: element 0, four bytes
#define OP_ONE8 4     // d; pointer: element 0, a byte
#define OP_AT 5       // d; pointer, inner, shift, period's multiplier, shift, period: element (i / inner) % period, four bytes
#define OP_AT8 6      // the same, a byte
#define OP_CONST 7    // d; bits
#define OP_STORE 8    // d is read; pointer
#define OP_STORE8 9   // d is read; pointer
#define OP_SUM 10     // d is added to total a
#define OP_ROW 11     // d is added to the row's total a
#define OP_COLUMN 12  // d is added to the column's total a

// Ops by their operands and attributes: X(opcode, name in point.cuh).
#define POINT_1(X) X(16, neg) X(17, abs) X(18, square) X(19, sqrt) X(20, rsqrt) X(21, reciprocal) X(22, move) X(23, is_finite) \
  X(24, sign) X(25, floor) X(26, round) X(27, relu)
#define POINT_1_SLOW(X) X(28, exp) X(29, expm1) X(30, log) X(31, log1p) X(32, sin) X(33, cos) X(34, tanh) X(35, erf) X(36, sigmoid) \
  X(37, softplus) X(38, gelu) X(39, silu)
#define POINT_1_1(X) X(40, scale) X(41, add_const) X(42, leaky_relu) X(43, elu)
#define POINT_1_2(X) X(44, clamp)
#define POINT_2(X) X(48, add) X(49, sub) X(50, mul) X(51, div) X(52, squared_error) X(53, maximum) X(54, minimum) X(55, greater) \
  X(56, greater_equal) X(57, less) X(58, less_equal) X(59, equal) X(60, not_equal) X(61, relu_grad) X(62, sigmoid_grad) X(63, tanh_grad)
#define POINT_2_SLOW(X) X(64, pow) X(65, gelu_grad) X(66, silu_grad) X(67, bce_with_logits)
#define POINT_2_1(X) X(68, leaky_relu_grad) X(69, elu_grad)
#define POINT_3(X) X(70, select)
#define POINT_FLOAT_TO_INT(X) X(72, int_of_float) X(73, byte_of_float)
#define POINT_INT(X) X(74, byte_of_int) X(75, int_of_int) X(76, increment)
#define POINT_INT_TO_FLOAT(X) X(77, float_of_int)
#define POINT_INT_2(X) X(78, add_int)
// Updates: slots of the operands, then of the outputs, follow four a word; then the attributes.
#define OP_SGD 80
#define OP_MOMENTUM 81
#define OP_NESTEROV 82
#define OP_RMSPROP 83
#define OP_RMSPROP_MOMENTUM 84
#define OP_ADAM 85
#define OP_ADAMW 86

#define EACH _Pragma("unroll") for (int k = 0; k < W; k++)
#define EACH_SLOW _Pragma("unroll 1") for (int k = 0; k < W; k++)
#define INT(x) __float_as_int(x)
#define BITS(x) __int_as_float(x)
#define ATTRIBUTE(n) __uint_as_float(code[n])
#define SLOT(n) r[(code[(n) >> 2] >> (8 * ((n) & 3))) & 255]

// Tape is the body of an interpreted chain.
struct Tape {
  const unsigned* code;
  const unsigned long long* pointer;
  unsigned nsums, nrows, ncolumns, sum_pointer;
  float sum[CHAIN_SUMS], row[CHAIN_SUMS], column[CHAIN_SUMS][4];
  __device__ __forceinline__ int sums() const { return (int)nsums; }
  __device__ __forceinline__ int rows() const { return (int)nrows; }
  __device__ __forceinline__ void put(int k, float s) { *(float*)pointer[sum_pointer + k] = s; }
  __device__ __forceinline__ void put_row(int k, unsigned r, float s) { ((float*)pointer[sum_pointer + nsums + k])[r] = s; }
  __device__ __forceinline__ int columns() const { return (int)ncolumns; }
  __device__ __forceinline__ void put_column(int k, unsigned c, float s) { put_row(k, c, s); }
  template <int W> __device__ __noinline__ void run(unsigned i);
};

// at is the place of element i in an operand that repeats itself.
__device__ __forceinline__ int tape_at(const unsigned* code, unsigned i) {
  Divisor inner = {code[0], (int)code[1], 0}, period = {code[2], (int)code[3], 0};
  int q = quotient((int)i, inner);
  return q - quotient(q, period) * (int)code[4];
}

// run interprets the tape for elements i to i+W.
template <int W> __device__ __noinline__ void Tape::run(unsigned i) {
  float r[CHAIN_SLOTS][W];
  const unsigned* code = this->code;
  for (;;) {
    unsigned word = *code++, d = word >> 8 & 255, a = word >> 16 & 255, b = word >> 24;
    switch (word & 255) {
      case OP_END: return;
      case OP_LOAD: chain_load<W>(r[d], (const float*)pointer[*code++], i); break;
      case OP_LOAD8: {
        int x[W];
        chain_load<W>(x, (const unsigned char*)pointer[*code++], i);
        EACH r[d][k] = BITS(x[k]);
        break;
      }
      case OP_ONE: {
        float x = *(const float*)pointer[*code++];
        EACH r[d][k] = x;
        break;
      }
      case OP_ONE8: {
        int x = *(const unsigned char*)pointer[*code++];
        EACH r[d][k] = BITS(x);
        break;
      }
      case OP_AT: {
        const float* p = (const float*)pointer[*code++];
        EACH r[d][k] = p[tape_at(code, i + k)];
        code += 5;
        break;
      }
      case OP_AT8: {
        const unsigned char* p = (const unsigned char*)pointer[*code++];
        EACH r[d][k] = BITS((int)p[tape_at(code, i + k)]);
        code += 5;
        break;
      }
      case OP_CONST: {
        float x = __uint_as_float(*code++);
        EACH r[d][k] = x;
        break;
      }
      case OP_STORE: chain_store<W>((float*)pointer[*code++], i, r[d]); break;
      case OP_STORE8: {
        int x[W];
        EACH x[k] = INT(r[d][k]);
        chain_store<W>((unsigned char*)pointer[*code++], i, x);
        break;
      }
      case OP_SUM: EACH sum[a] += r[d][k]; break;
      case OP_ROW: EACH row[a] += r[d][k]; break;
      case OP_COLUMN: EACH column[a][k] += r[d][k]; break;
#define X(op, f) case op: EACH r[d][k] = point_##f(r[a][k]); break;
      POINT_1(X)
#undef X
#define X(op, f) case op: EACH_SLOW r[d][k] = point_##f(r[a][k]); break;
      POINT_1_SLOW(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = point_##f(r[a][k], ATTRIBUTE(0)); code += 1; break;
      POINT_1_1(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = point_##f(r[a][k], ATTRIBUTE(0), ATTRIBUTE(1)); code += 2; break;
      POINT_1_2(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = point_##f(r[a][k], r[b][k]); break;
      POINT_2(X)
#undef X
#define X(op, f) case op: EACH_SLOW r[d][k] = point_##f(r[a][k], r[b][k]); break;
      POINT_2_SLOW(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = point_##f(r[a][k], r[b][k], ATTRIBUTE(0)); code += 1; break;
      POINT_2_1(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = point_##f(r[a][k], r[b][k], r[*code][k]); code += 1; break;
      POINT_3(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = BITS(point_##f(r[a][k])); break;
      POINT_FLOAT_TO_INT(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = BITS(point_##f(INT(r[a][k]))); break;
      POINT_INT(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = point_##f(INT(r[a][k])); break;
      POINT_INT_TO_FLOAT(X)
#undef X
#define X(op, f) case op: EACH r[d][k] = BITS(point_##f(INT(r[a][k]), INT(r[b][k]))); break;
      POINT_INT_2(X)
#undef X
      case OP_SGD:
        EACH_SLOW point_sgd(SLOT(4)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], ATTRIBUTE(2));
        code += 3;
        break;
      case OP_MOMENTUM:
        EACH_SLOW point_momentum(SLOT(5)[k], SLOT(6)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], SLOT(4)[k], ATTRIBUTE(2), ATTRIBUTE(3));
        code += 4;
        break;
      case OP_NESTEROV:
        EACH_SLOW point_nesterov(SLOT(5)[k], SLOT(6)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], SLOT(4)[k], ATTRIBUTE(2), ATTRIBUTE(3));
        code += 4;
        break;
      case OP_RMSPROP:
        EACH_SLOW point_rmsprop(SLOT(5)[k], SLOT(6)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], SLOT(4)[k], ATTRIBUTE(2), ATTRIBUTE(3), ATTRIBUTE(4), ATTRIBUTE(5));
        code += 6;
        break;
      case OP_RMSPROP_MOMENTUM:
        EACH_SLOW point_rmsprop_momentum(SLOT(6)[k], SLOT(7)[k], SLOT(8)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], SLOT(4)[k], SLOT(5)[k], ATTRIBUTE(3), ATTRIBUTE(4), ATTRIBUTE(5), ATTRIBUTE(6), ATTRIBUTE(7));
        code += 8;
        break;
      case OP_ADAM:
        EACH_SLOW point_adam(SLOT(8)[k], SLOT(9)[k], SLOT(10)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], SLOT(4)[k], SLOT(5)[k], SLOT(6)[k], SLOT(7)[k], ATTRIBUTE(3), ATTRIBUTE(4), ATTRIBUTE(5), ATTRIBUTE(6), ATTRIBUTE(7), ATTRIBUTE(8));
        code += 9;
        break;
      case OP_ADAMW:
        EACH_SLOW point_adamw(SLOT(8)[k], SLOT(9)[k], SLOT(10)[k], SLOT(0)[k], SLOT(1)[k], SLOT(2)[k], SLOT(3)[k], SLOT(4)[k], SLOT(5)[k], SLOT(6)[k], SLOT(7)[k], ATTRIBUTE(3), ATTRIBUTE(4), ATTRIBUTE(5), ATTRIBUTE(6), ATTRIBUTE(7), ATTRIBUTE(8));
        code += 9;
        break;
    }
  }
}

// chain_tape runs the chains of a table, one or several that do not read what another writes: all parameters' updates, all
// squared gradients. map names each block's segment (null: all blocks belong to segment 0), codes holds the tapes, pointers the
// addresses of what they read and write; partials and counters are those of chain_finish, counters 0 before and after.
// Grid: the segments' blocks; block: CHAIN_THREADS, four of which a processor holds, so that no register is spilled; shared memory:
// 8 bytes a pointer and 4 a word of the largest segment.
extern "C" __global__ void __launch_bounds__(CHAIN_THREADS, 4) chain_tape(const unsigned* map, const chain_segment* segments, const unsigned* codes, const unsigned long long* pointers, float* partials, unsigned* counters) {
  EXTERN_SHARED(unsigned long long, staged);
  __shared__ float shared[CHAIN_SHARED];
  chain_segment s = segments[map ? map[blockIdx.x] : 0];
  Tape body;
  body.pointer = staged, body.code = codes + s.code;
  for (unsigned j = threadIdx.x; j < s.pointers; j += CHAIN_THREADS) staged[j] = pointers[s.pointer + j];
  if (s.words <= CHAIN_STAGED) {
    unsigned* words = (unsigned*)(staged + s.pointers);
    for (unsigned j = threadIdx.x; j < s.words; j += CHAIN_THREADS) words[j] = codes[s.code + j];
    body.code = words;
  }
  __syncthreads();
  body.nsums = s.sums, body.nrows = s.rows, body.ncolumns = s.columns, body.sum_pointer = s.sum_pointer;
  for (int k = 0; k < CHAIN_SUMS; k++) body.sum[k] = 0.0f;
  chain_run(body, s, partials, counters, shared);
}

// chain_fold adds up x, outer x period x inner, over outer and inner: totals that a chain's own kernel does not end in.
// Columns (inner is 1): a block adds part blockIdx.y of the rows of `tile` neighbouring columns, CHAIN_THREADS / tile rows at a
// time, so that a warp reads whole sectors. Otherwise a block adds part blockIdx.y of one of the period's sums.
// Parts are added in their order by the block that finishes last: partials holds gridDim.y x period, counters gridDim.x.
extern "C" __global__ void __launch_bounds__(CHAIN_THREADS) chain_fold(const float* x, float* y, float* partials, unsigned* counters, int outer, int period, Divisor inner, int tile, int per) {
  __shared__ float shared[CHAIN_SHARED];
  int t = threadIdx.x, high = CHAIN_THREADS / tile, row = t / tile, column = t - row * tile;
  int p = blockIdx.x * tile + column, n = inner.d;
  bool inside = row < high && p < period;
  int count = n == 1 ? outer : outer * n, from = blockIdx.y * per, to = from + per < count ? from + per : count;
  float s = 0.0f;
  if (inside) {
    if (n == 1) {
#pragma unroll 4
      for (int j = from + row; j < to; j += high) s += x[(size_t)j * period + p];
    } else {
#pragma unroll 4
      for (int j = from + row; j < to; j += high) {
        int plane = quotient(j, inner);
        s += x[((size_t)plane * period + p) * n + (j - plane * n)];
      }
    }
  }
  s = chain_tile(s, tile, column, row, high, shared);
  bool writes = row == 0 && p < period;
  if (gridDim.y == 1) {
    if (writes) y[p] = s;
    return;
  }
  if (writes) partials[(size_t)blockIdx.y * period + p] = s;
  if (!chain_last(counters + blockIdx.x, gridDim.y, shared)) return;
  s = 0.0f;
  if (inside) {
    for (int j = row; j < (int)gridDim.y; j += high) s += *(volatile float*)(partials + (size_t)j * period + p);
  }
  s = chain_tile(s, tile, column, row, high, shared);
  if (writes) y[p] = s;
}
