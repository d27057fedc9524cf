// Package driver is the thin layer between the CUDA backend and NVIDIA's libraries: the driver itself (libcuda), and
// where they are installed cuBLASLt, cuDNN 9, NVRTC and NVML. It binds what the backend uses, one C call each, and
// turns status codes into errors that name the call. What gorgonia.org/cu has is used from there; graphs, launches
// with one C call, and the libraries are bound here.
//
// No library is linked. Every C function of them is a forwarder (tramp.S) that jumps through a slot, and the slots are
// filled by dlopen and dlsym in Load and the Open functions. So a program with this package in it starts, and trains
// on the CPU, on a machine without any NVIDIA software. Read [Load] first, then [Open] and [Context.Do].
//
// The package is built with the tag gpu ("make gpu"); without it, it is empty.
package driver
