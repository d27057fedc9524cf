// First include of every kernel file: what lets one source serve NVRTC, nvcc and g++ (the fake driver, -DHOSTCUDA).
#pragma once
#ifdef HOSTCUDA
#include "hostcuda.h"
#else
// EXTERN_SHARED(T, name) declares name, a T* to the block's dynamic shared memory (16-byte aligned, not initialised).
// All kernels of a file see one array; several pieces are cut from it by the kernel.
#define EXTERN_SHARED(T, name)                               \
  extern __shared__ __align__(16) unsigned char ae_shared[]; \
  T* name = reinterpret_cast<T*>(ae_shared)
#endif
