#include "prelude.h"

// probe writes out[i] = i * 2654435761 + seed. The doctor runs it to show that this GPU's driver takes our PTX, launches it
// and that its answer comes back; no training uses it. Grid: any; block: any.
extern "C" __global__ void probe(unsigned* __restrict__ out, int n, unsigned seed) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) out[i] = i * 2654435761u + seed;
}
