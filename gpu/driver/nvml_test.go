//go:build gpu && cgo

package driver

import "testing"

func TestNVML(t *testing.T) {
	onDevice(t, func(c *Context) {
		n, err := OpenNVML()
		if err != nil {
			t.Skip("no NVML: ", err)
		}
		pci := c.Info().PCI
		watts, err := n.Power(pci)
		ok(t, err)
		if watts <= 0 || watts > 5000 {
			t.Errorf("%g W", watts)
		}
		before, err := n.Energy(pci)
		ok(t, err)
		after, err := n.Energy(pci)
		ok(t, err)
		if before < 0 || after < before {
			t.Errorf("energy from %g to %g J", before, after)
		}
		version, err := n.DriverVersion()
		ok(t, err)
		t.Logf("%g W, %g J, driver %s", watts, after, version)
		_, err = n.Power("0000FFFF:FF:1F.0")
		wantError(t, err, "nvmlDeviceGetHandleByPciBusId of 0000FFFF:FF:1F.0: ")
		ok(t, n.Close())
		ok(t, (*NVML)(nil).Close())
	})
}
