package main

import (
	"fmt"
	"regexp"
	"slices"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/trainer"
)

// noGPU is why there is no GPU to be had.
const noGPU = "no CUDA in this build"

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
	if c.Device != "auto" && c.Device != "cpu" {
		return nil, fmt.Errorf("train.device: %s: %s; \"cpu\" and \"auto\" run on the processor", c.Device, noGPU)
	}
	b, err := cpu.Open(cpu.Threads(c.Threads))
	if err != nil {
		return nil, err
	}
	has := b.Capabilities()
	if c.Device == "auto" {
		t.Linef("cpu: %s (%s)", noGPU, has.Device)
	} else {
		t.Linef("%s", has.Device)
	}
	if !slices.Contains(has.Precisions, c.Precision) {
		t.Linef("%s is not available on this device: float32", c.Precision)
	}
	return b, nil
}
