//go:build gpu

package gpu

import (
	"slices"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/graph"
	"aetrain/program"
)

// TestKLComesWithTheSample checks that a VAE's step draws its code and adds up its divergence in one launch.
func TestKLComesWithTheSample(t *testing.T) {
	if _, err := Devices(); err != nil {
		t.Skipf("no GPU: %v", err)
	}
	b, err := Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for name, n := range map[string]*backendtest.Network{"dense": backendtest.VAE(12, 30, 16, 5), "convolutional": backendtest.ConvVAE(4, 8, 2)} {
		outs := map[string]graph.Value{"loss": n.Loss}
		for _, s := range n.Params {
			outs[s.Name] = graph.Grad(n.Loss, s.Leaf)[0]
		}
		p, err := program.Compile(n.Graph, outs, b.Capabilities().Target)
		if err != nil {
			t.Fatal(err)
		}
		exes, err := b.Load(b.NewState(), backend.Options{Seed: 1}, p)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, i := range exes[0].(*executable).code {
			names = append(names, i.name)
		}
		if !slices.Contains(names, "gaussian_sample_kl") || slices.Contains(names, "kl_normal") {
			t.Errorf("%s: launches %v", name, names)
		}
		exes[0].Close()
	}
}
