// Package faketest steers the fake CUDA driver of gpu/fake from tests: errors that calls return, counts of calls, and what was
// not given back. It finds the driver by the variable AE_LIBCUDA; [Present] is where to start.
package faketest
