// Package gpu is the backend that runs programs on NVIDIA GPUs: CUDA through gorgonia.org/cu, products by cuBLASLt and cuDNN,
// all else by kernels of our own. It is there in builds with the tag gpu.
//
// [Open] makes it, Load binds every step of a program to instructions (table.go has the kernels), reserves all memory and records
// the instructions into one CUDA graph; a step then is the copies of what was fed and one launch of that graph. Read load.go
// first, then bind.go.
package gpu
