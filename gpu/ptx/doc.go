// Package ptx holds the device code of the CUDA backend: kernels/cuda/*.cu as PTX for compute capability 7.0 and later,
// one file a source, made by `make ptx` and checked in, so that no CUDA toolkit is needed to build. Modules is where to start.
package ptx
