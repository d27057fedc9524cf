// Division by a number that is the same for a whole launch: a multiplication and a shift.
#pragma once
#include "prelude.h"

// Divisor stands for d >= 1. With s = ceil(log2 d) and multiplier = ceil(2^(31+s) / d), floor(n / d) = n·multiplier >> (31+s)
// for every n < 2^31. Source: Granlund & Montgomery 1994, "Division by Invariant Integers using Multiplication", theorem 4.2.
struct Divisor {
  unsigned multiplier;
  int shift;  // 31 + s
  int d;
};

__device__ __forceinline__ int quotient(int n, Divisor by) {
  return (int)(((unsigned long long)(unsigned)n * by.multiplier) >> by.shift);
}
