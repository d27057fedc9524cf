package main

import (
	"strings"
	"testing"

	"aetrain/cpu/cpuinfo"
	"aetrain/trainer"
)

// TestPrecisionFallsBack: a precision that the device lacks is said in one line, and float32 runs.
func TestPrecisionFallsBack(t *testing.T) {
	for precision, has := range map[string]bool{"float32": true, "tf32": false, "bf16": cpuinfo.BF16()} {
		c := trainer.Defaults()
		c.Device, c.Precision = cpuName, precision
		var said strings.Builder
		b, err := openBackend(c, newTalk(&said, talkOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		line := precision + " is not available on this device: float32\n"
		if strings.Contains(said.String(), line) == has || strings.Count(said.String(), "float32") > 1 {
			t.Errorf("%s says %q", precision, said.String())
		}
	}
}
