package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/trainer"
)

// cpuName is the processor's.
const cpuName = "cpu"

// threadsName is how a benchmark calls the processor where it takes part with several numbers of threads.
func threadsName(n int) string {
	if n == 1 {
		return cpuName + ", 1 thread"
	}
	return fmt.Sprintf("%s, %d threads", cpuName, n)
}

// devices are the ways to name one.
var devices = regexp.MustCompile(`^(auto|cpu|cuda(:[0-9]{1,3})?)$`)

// checkDevice looks at train.device.
func checkDevice(cfg *configs.Config, name string) {
	if !devices.MatchString(name) {
		cfg.Errorf("train.device", "%q is none of auto, cpu, cuda and cuda:N", name)
	}
}

// openBackend opens the device that [train] names and says what it is.
func openBackend(c *trainer.Config, t *talk) (backend.Backend, error) {
	b, why, err := openDevice(c.Device, c.Threads)
	if err != nil {
		return nil, err
	}
	has := b.Capabilities()
	if why != nil {
		t.Linef("cpu: %v (%s)", why, has.Device)
	} else {
		t.Linef("%s", has.Device)
	}
	for _, line := range missing(b) {
		t.Linef("%s", line)
	}
	if !slices.Contains(has.Precisions, c.Precision) {
		t.Linef("%s is not available on this device: float32", c.Precision)
	}
	return b, nil
}

// openDevice opens a device: "cpu", "cuda", "cuda:N", or "auto", which is the first GPU if there is one, and else the processor;
// why then says what is missing. threads are the processor's, 0 all of them.
func openDevice(name string, threads int) (b backend.Backend, why, err error) {
	if name != cpuName {
		b, err := openGPU(gpuIndex(name))
		if err == nil {
			return b, nil, nil
		}
		if name != "auto" {
			return nil, nil, fmt.Errorf("train.device: %s: %w; \"cpu\" and \"auto\" run on the processor", name, err)
		}
		why = err
	}
	c, err := cpu.Open(cpu.Threads(threads))
	if err != nil {
		return nil, nil, err
	}
	return c, why, nil
}

// gpuIndex is the N of "cuda:N", 0 without one. Its digits were checked.
func gpuIndex(name string) int {
	_, digits, _ := strings.Cut(name, ":")
	n, _ := strconv.Atoi(digits)
	return n
}
