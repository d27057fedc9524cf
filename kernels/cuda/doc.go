// Package cuda holds the sources of the GPU's kernels: a family a file, compiled to PTX ahead (gpu/ptx) and, for tests without a
// GPU, by g++ (gpu/fake). Of these files only the headers that generated kernels include are part of the binary.
package cuda
