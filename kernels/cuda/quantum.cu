#include "prelude.h"

// Gates on state vectors, N x 2 x 2^qubits: planes of real and imaginary parts. Strides are powers of two, so that a pair of
// amplitudes is found by putting a zero bit into the number of the pair.

// ROTATION: exp(-i angle P / 2) on one qubit. axis 0, 1, 2 is x, y, z; bits is log2 of the pairs of one state, shift log2 of how far
// the two amplitudes of a pair lie apart; angles is 1 or the number of states. A thread has one pair: it reads and writes four
// numbers. Grid: blocks of pairs, stepping.
extern "C" __global__ void rotation(const float* __restrict__ state, const float* __restrict__ angle, float* __restrict__ out, int pairs, int bits, int shift, int axis, int angles) {
  for (int p = blockIdx.x * blockDim.x + threadIdx.x; p < pairs; p += gridDim.x * blockDim.x) {
    int n = p >> bits, k = p - (n << bits), low = k & ((1 << shift) - 1);
    int size = 2 << bits;
    int at = 2 * n * size + ((k - low) << 1) + low, to = at + (1 << shift);
    float s, c;
    sincosf(0.5f * angle[angles == 1 ? 0 : n], &s, &c);
    float re0 = state[at], im0 = state[at + size], re1 = state[to], im1 = state[to + size];
    float a0, b0, a1, b1;
    if (axis == 0) {
      a0 = c * re0 + s * im1, b0 = c * im0 - s * re1, a1 = c * re1 + s * im0, b1 = c * im1 - s * re0;
    } else if (axis == 1) {
      a0 = c * re0 - s * re1, b0 = c * im0 - s * im1, a1 = c * re1 + s * re0, b1 = c * im1 + s * im0;
    } else {
      a0 = c * re0 + s * im0, b0 = c * im0 - s * re0, a1 = c * re1 - s * im1, b1 = c * im1 + s * re1;
    }
    out[at] = a0, out[at + size] = b0, out[to] = a1, out[to + size] = b1;
  }
}

// CONTROLLED: where the bit control is set in an element's place, the element with the bit target turned over (sign 0), or itself
// with its sign turned where target is set too (sign 1). A row's length is a power of two above both. Grid: blocks of elements, stepping.
extern "C" __global__ void controlled(const float* __restrict__ state, float* __restrict__ out, int count, int control, int target, int sign) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int set = i & control;
    float x = state[set && !sign ? i ^ target : i];
    out[i] = set && sign && (i & target) ? -x : x;
  }
}
