//go:build gpu && cgo

package driver

/*
#include <stdlib.h>
#include "nvml_api.h"
*/
import "C"

import (
	"sync"
	"unsafe"
)

// NVML is NVIDIA's management library: what a device draws. It needs no context. Any goroutine may use it.
type NVML struct {
	mu      sync.Mutex
	devices map[string]C.NvmlDevice
}

// OpenNVML loads and starts NVML. The error says what is missing.
func OpenNVML() (*NVML, error) {
	if err := libnvml.fill(); err != nil {
		return nil, err
	}
	if err := nvmlCheck("nvmlInit", C.nvmlInit_v2()); err != nil {
		return nil, err
	}
	return &NVML{devices: map[string]C.NvmlDevice{}}, nil
}

// Close ends the use of NVML.
func (n *NVML) Close() error {
	if n == nil {
		return nil
	}
	return nvmlCheck("nvmlShutdown", C.nvmlShutdown())
}

// Energy is what the device has drawn since the driver was loaded, in joules; the difference of two readings is what
// lay between them. pci is Info.PCI. Devices before Volta do not count.
func (n *NVML) Energy(pci string) (joules float64, err error) {
	d, err := n.device(pci)
	if err != nil {
		return 0, err
	}
	var mJ C.ulonglong
	if err := nvmlCheck("nvmlDeviceGetTotalEnergyConsumption", C.nvmlDeviceGetTotalEnergyConsumption(d, &mJ)); err != nil {
		return 0, err
	}
	return float64(mJ) / 1000, nil
}

// Power is what the device draws at present, in watts, averaged by the device over about a second. pci is Info.PCI.
func (n *NVML) Power(pci string) (watts float64, err error) {
	d, err := n.device(pci)
	if err != nil {
		return 0, err
	}
	var mW C.uint
	if err := nvmlCheck("nvmlDeviceGetPowerUsage", C.nvmlDeviceGetPowerUsage(d, &mW)); err != nil {
		return 0, err
	}
	return float64(mW) / 1000, nil
}

// DriverVersion is the driver's own version, "580.65.06".
func (n *NVML) DriverVersion() (string, error) {
	var text [96]C.char
	if err := nvmlCheck("nvmlSystemGetDriverVersion", C.nvmlSystemGetDriverVersion(&text[0], C.uint(len(text)))); err != nil {
		return "", err
	}
	return C.GoString(&text[0]), nil
}

// device is NVML's handle of a device.
func (n *NVML) device(pci string) (C.NvmlDevice, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d, ok := n.devices[pci]; ok {
		return d, nil
	}
	name := C.CString(pci)
	defer C.free(unsafe.Pointer(name))
	var d C.NvmlDevice
	if err := nvmlCheck("nvmlDeviceGetHandleByPciBusId of "+pci, C.nvmlDeviceGetHandleByPciBusId_v2(name, &d)); err != nil {
		return nil, err
	}
	n.devices[pci] = d
	return d, nil
}

// nvmlCheck turns a status of NVML into an error.
func nvmlCheck(call string, code C.int) error {
	if code == 0 {
		return nil
	}
	return &Error{Call: call, Code: int(code), Text: C.GoString(C.nvmlErrorString(code))}
}
