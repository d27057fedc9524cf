//go:build gpu

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"aetrain/backend"
	"aetrain/bench/throughput"
	"aetrain/cpu"
	"aetrain/gpu"
	"aetrain/gpu/driver"
)

// openGPU opens the GPU of that number.
func openGPU(index int) (backend.Backend, error) {
	b, err := gpu.Open(index)
	if err != nil {
		return nil, &noGPU{err} // not b, which would be a Backend that is not nil
	}
	return b, nil
}

// noGPU is an error of opening one. What it says does not name the device, which stands in front of it.
type noGPU struct{ error }

var deviceName = regexp.MustCompile(`^cuda(:[0-9]+)?: `)

func (e *noGPU) Error() string { return deviceName.ReplaceAllString(e.error.Error(), "") }
func (e *noGPU) Unwrap() error { return e.error }

// missing are the libraries that would have made a device faster, in a line.
func missing(b backend.Backend) []string {
	g, ok := b.(*gpu.Backend)
	if !ok || len(g.Missing()) == 0 {
		return nil
	}
	var names []string
	for _, err := range g.Missing() {
		name, _, _ := strings.Cut(err.Error(), ":")
		names = append(names, name)
	}
	return []string{fmt.Sprintf("%s not found: own kernels do their work (aetrain doctor says what to install)", strings.Join(names, ", "))}
}

// kernelNames are the candidates of every op, on the processor and on a GPU.
func kernelNames() map[string][]string {
	all := cpu.Kernels()
	for op, names := range gpu.Kernels() {
		for _, name := range names {
			if !slices.Contains(all[op], name) {
				all[op] = append(all[op], name)
			}
		}
	}
	return all
}

// measured describes a device to a benchmark in these precisions.
func measured(b backend.Backend, precisions []string) throughput.Device {
	if _, ok := b.(*gpu.Backend); !ok {
		return measuredCPU(b, precisions)
	}
	d := throughput.Device{Name: b.Name(), Backend: b}
	all, err := gpu.Devices()
	if i := gpuIndex(b.Name()); err == nil && i < len(all) {
		d.Peaks = throughput.GPUPeaks(throughput.Chip{
			Major: all[i].Major, Minor: all[i].Minor, SMs: all[i].SMs, ClockKHz: all[i].ClockKHz,
			MemoryClockKHz: all[i].MemoryClockKHz, BusWidthBits: all[i].BusWidthBits,
		})
		d.Joules = meter(all[i].PCI)
	}
	return d
}

// meter reads what a GPU has drawn; nil where that is not known.
func meter(pci string) func() (float64, error) {
	n, err := driver.OpenNVML()
	if err != nil {
		return nil
	}
	read := func() (float64, error) { return n.Energy(pci) }
	if _, err := read(); err != nil {
		return nil
	}
	return read
}

// examineGPU looks for GPUs and for NVIDIA's libraries.
func examineGPU(h *health) {
	for _, l := range driver.Libraries() {
		h.Libraries = append(h.Libraries, libraryHealth{l.Name, l.Path, l.Version, l.Error, l.Install, l.Looked})
	}
	all, err := gpu.Devices()
	if err != nil {
		h.CUDA = err.Error()
		return
	}
	for i, d := range all {
		kernels := "run"
		if err := gpu.Probe(i); err != nil {
			kernels = err.Error()
		}
		h.GPUs = append(h.GPUs, gpuHealth{
			Kernels: kernels,
			Name:    d.Name, UUID: d.UUID, PCI: d.PCI, Compute: fmt.Sprintf("%d.%d", d.Major, d.Minor), MemoryBytes: d.MemoryBytes,
			SMs: d.SMs, ClockMHz: d.ClockKHz / 1000, CUDA: fmt.Sprintf("%d.%d", d.DriverVersion/1000, d.DriverVersion%1000/10),
		})
	}
	h.CUDA = fmt.Sprintf("driver of CUDA %s, %d GPU(s)", cudaOf(h), len(all))
}

// cudaOf is the version of CUDA that the driver has.
func cudaOf(h *health) string {
	if len(h.GPUs) == 0 {
		return "?"
	}
	return h.GPUs[0].CUDA
}
