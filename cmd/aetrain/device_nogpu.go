//go:build !gpu

package main

import (
	"errors"

	"aetrain/backend"
	"aetrain/bench/throughput"
	"aetrain/cpu"
)

// errNoGPU is why there is no GPU to be had.
var errNoGPU = errors.New("no CUDA in this build")

// openGPU says so.
func openGPU(int) (backend.Backend, error) { return nil, errNoGPU }

// missing has nothing to tell of a device that needs no libraries.
func missing(backend.Backend) []string { return nil }

// measured describes a device to a benchmark.
func measured(b backend.Backend, precisions []string) throughput.Device {
	return measuredCPU(b, precisions)
}

// kernelNames are the candidates of every op.
func kernelNames() map[string][]string { return cpu.Kernels() }

// examineGPU says how to get a build that has one.
func examineGPU(h *health) {
	h.CUDA = errNoGPU.Error() + ": \"make gpu\" builds bin/aetrain-gpu, which has it and runs anywhere"
}
