//go:build gpu && cgo

package driver

import (
	"fmt"

	"gorgonia.org/cu"
)

// Info describes a device.
type Info struct {
	Index               int    // the driver's number, after CUDA_VISIBLE_DEVICES
	Name                string // "NVIDIA H200"
	UUID                string // "GPU-…", as nvidia-smi writes it
	PCI                 string // "00000000:3B:00.0", the name that NVML takes
	Major, Minor        int    // compute capability: 9, 0
	MemoryBytes         int64
	SMs                 int // streaming multiprocessors
	ClockKHz            int // highest clock of the multiprocessors
	MemoryClockKHz      int
	BusWidthBits        int
	SharedPerBlockOptin int // bytes of shared memory that a block can have after Function.SetMaxShared
	L2Bytes             int
	DriverVersion       int // of CUDA, as the driver counts: 13000 is 13.0
}

// Attributes that package cu does not name, by their numbers in cuda.h.
const attributeSharedOptin cu.DeviceAttribute = 97 // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN

// Devices describes all devices that the driver shows. It calls Load.
func Devices() ([]Info, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	infos := make([]Info, loading.count)
	for i := range infos {
		device, err := cu.GetDevice(i)
		if err != nil {
			return nil, wrap(fmt.Sprintf("cuDeviceGet of %d", i), err)
		}
		if infos[i], err = describe(device, i); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

// describe asks the driver for all of a device's Info.
func describe(d cu.Device, index int) (Info, error) {
	info := Info{Index: index, DriverVersion: driverVersion()}
	var err error
	if info.Name, err = d.Name(); err != nil {
		return info, wrap("cuDeviceGetName", err)
	}
	if id, err := d.UUID(); err == nil {
		info.UUID = "GPU-" + id.String()
	}
	if info.MemoryBytes, err = d.TotalMem(); err != nil {
		return info, wrap("cuDeviceTotalMem", err)
	}
	var domain, bus, slot int
	for _, a := range []struct {
		to        *int
		attribute cu.DeviceAttribute
		needed    bool // the others are for people: a driver may do without them
	}{
		{&info.Major, cu.ComputeCapabilityMajor, true}, {&info.Minor, cu.ComputeCapabilityMinor, true},
		{&info.SMs, cu.MultiprocessorCount, true}, {&info.ClockKHz, cu.ClockRate, false},
		{&info.MemoryClockKHz, cu.MemoryClockRate, false}, {&info.BusWidthBits, cu.GlobalMemoryBusWidth, false},
		{&info.SharedPerBlockOptin, attributeSharedOptin, true}, {&info.L2Bytes, cu.L2CacheSize, false},
		{&domain, cu.PciDomainID, false}, {&bus, cu.PciBusID, false}, {&slot, cu.PciDeviceID, false},
	} {
		if *a.to, err = d.Attribute(a.attribute); err != nil && a.needed {
			return info, wrap(fmt.Sprintf("cuDeviceGetAttribute %d", int(a.attribute)), err)
		}
	}
	info.PCI = fmt.Sprintf("%08X:%02X:%02X.0", domain, bus, slot)
	return info, nil
}

// driverVersion is the version of CUDA that the driver implements (12040 is 12.4), 0 without a driver.
func driverVersion() int {
	if v := cu.Version(); v > 0 {
		return v
	}
	return 0
}
