package model

import (
	"strings"
	"testing"
)

// boundOf is the loss of the same model and noise under another bound.
func boundOf(t *testing.T, keys string) float64 {
	t.Helper()
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4, activation = \"tanh\" }]\n[model.bottleneck]\nkind = \"gaussian\"\nsamples = 12\n"+keys, 6)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	return number(t, feed(fn, 2), fn.Loss)
}

// One group is IWAE, and the bound grows looser with more groups; a mixture of all ELBO is the sampled ELBO, of none IWAE.
func TestGroupsAndMixtures(t *testing.T) {
	iwae := boundOf(t, "bound = \"iwae\"\n")
	sampled := boundOf(t, "bound = \"miwae\"\ngroups = 12\n")
	if one := boundOf(t, "bound = \"miwae\"\n"); one != iwae {
		t.Errorf("one group gives %v, iwae %v", one, iwae)
	}
	last := iwae
	for _, groups := range []string{"2", "3", "6", "12"} {
		got := boundOf(t, "bound = \"miwae\"\ngroups = "+groups+"\n")
		if got < last-1e-9 && groups != "3" { // 6 samples of 2 groups are no refinement of 4 of 3
			t.Errorf("%s groups give %v, fewer %v", groups, got, last)
		}
		last = got
	}
	for mix, want := range map[string]float64{"1.0": sampled, "0.0": iwae, "0.25": 0.25*sampled + 0.75*iwae} {
		if got := boundOf(t, "bound = \"ciwae\"\nmix = "+mix+"\n"); !close(got, want, 1e-9) {
			t.Errorf("mix %s gives %v, want %v", mix, got, want)
		}
	}
	if _, err := tryRead("[model]\npreset = \"miwae\"\nbottleneck.groups = 3\n"); err == nil || !strings.Contains(err.Error(), "8 samples do not make 3 groups") {
		t.Errorf("groups that do not divide: %v", err)
	}
}

// PIWAE's encoder and decoder minimise different bounds of the same samples.
func TestPIWAE(t *testing.T) {
	m := build(t, "[model]\npreset = \"piwae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4, activation = \"tanh\" }]\n", 6)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	if len(fn.Losses) != 2 || fn.Losses[0].Name != "decoder" || fn.Losses[1].Name != "encoder" {
		t.Fatalf("losses are %v", fn.Losses)
	}
	tight, loose := number(t, fed, fn.Losses[0].Value), number(t, fed, fn.Losses[1].Value)
	if tight >= loose {
		t.Errorf("the decoder's bound %v is not tighter than the encoder's %v", tight, loose)
	}
	if got := number(t, fed, fn.Loss); !close(got, tight, 1e-9) {
		t.Errorf("the loss that is shown is %v, want the tight bound %v", got, tight)
	}
}
