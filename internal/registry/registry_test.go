package registry

import (
	"slices"
	"testing"
)

type layer interface{ name() string }
type dense struct{ units int }

func (*dense) name() string { return "dense" }

func newLayers() *Registry[layer] {
	r := New[layer]("layer")
	for _, name := range []string{"dense", "conv2d", "conv_transpose2d", "standardize", "gray", "top-k", "color-jitter"} {
		r.Add(name, func() layer { return &dense{units: len(name)} })
	}
	return r
}

func TestMakeTakesSpellings(t *testing.T) {
	r := newLayers()
	cases := []struct {
		name, want string
	}{
		{"dense", "dense"},
		{"conv-transpose2d", "conv_transpose2d"},
		{"top_k", "top-k"},
		{"standardise", "standardize"},
		{"grey", "gray"},
		{"colour_jitter", "color-jitter"},
		{"Dense", ""}, // case counts
		{"", ""},
		{"dens", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := r.Canonical(c.name)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("Canonical(%q) = %q, %v; want %q", c.name, got, ok, c.want)
			}
			v, ok := r.Make(c.name)
			if ok != (c.want != "") || (v != nil) != ok {
				t.Errorf("Make(%q) = %v, %v", c.name, v, ok)
			}
		})
	}
}

func TestMakeReturnsNewValues(t *testing.T) {
	r := newLayers()
	a, _ := r.Make("dense")
	b, _ := r.Make("dense")
	if a.(*dense) == b.(*dense) {
		t.Error("two calls of Make share a value")
	}
}

func TestNamesAreSorted(t *testing.T) {
	if got := newLayers().Names(); !slices.IsSorted(got) || len(got) != 7 {
		t.Errorf("Names() = %v; want 7 sorted names", got)
	}
}

func TestAddPanicsOnDuplicates(t *testing.T) {
	for _, name := range []string{"dense", "top_k", "grey"} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("Add(%q) a second time did not panic", name)
				}
			}()
			newLayers().Add(name, func() layer { return nil })
		})
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"latent_dim", "preset", "encoder", "decoder", "tied", "learning_rate", "mse", "mae", "k"}
	cases := []struct{ name, want string }{
		{"laten_dim", "latent_dim"},
		{"latent-dim", "latent_dim"},
		{"latentdim", "latent_dim"},
		{"Latent_Dim", "latent_dim"},
		{"endocer", "encoder"},
		{"encodr", "encoder"},
		{"lerning_rate", "learning_rate"},
		{"learning", "learning_rate"},
		{"mes", "mse"}, // a swap of neighbours
		{"xyz", ""},
		{"", ""},
		{"q", ""},
		{"something_else_entirely", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Nearest(c.name, keys); got != c.want {
				t.Errorf("Nearest(%q) = %q; want %q", c.name, got, c.want)
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	r := New[int]("data source")
	if got, want := r.Unknown("x").Error(), `unknown data source "x"`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	r.Add("mnist", func() int { return 1 })
	if got, want := r.Unknown("x").Error(), `unknown data source "x"; there is mnist`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	r.Add("digits", func() int { return 2 })
	if got, want := r.Unknown("nmist").Error(), `unknown data source "nmist"; did you mean mnist?`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if got, want := r.Unknown("x").Error(), `unknown data source "x"; there are digits and mnist`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestFold(t *testing.T) {
	cases := []struct{ name, want string }{
		{"binarise", "binarize"}, {"dequantised", "dequantized"}, {"normalisation", "normalization"}, {"optimiser", "optimizer"},
		{"noise", "noise"}, {"salt-and-pepper", "salt_and_pepper"}, {"centre", "center"}, {"greyscale", "grayscale"}, {"", ""}, {"-", "_"},
	}
	for _, c := range cases {
		if got := Fold(c.name); got != c.want {
			t.Errorf("Fold(%q) = %q; want %q", c.name, got, c.want)
		}
		if got := Fold(Fold(c.name)); got != Fold(c.name) {
			t.Errorf("Fold of Fold(%q) = %q", c.name, got)
		}
	}
}

func FuzzNearest(f *testing.F) {
	for _, s := range []string{"", "laten_dim", "-_-", "ise", "aise", "\xff", "日本"} {
		f.Add(s)
	}
	names := []string{"latent_dim", "standardize", "日本語", "k"}
	f.Fuzz(func(t *testing.T, name string) {
		if got := Nearest(name, names); got != "" && !slices.Contains(names, got) {
			t.Errorf("Nearest(%q) = %q, which is no name", name, got)
		}
		if name != "" && len(name) < 100 && Distance(name, name) != 0 {
			t.Errorf("Distance(%q, itself) = %d", name, Distance(name, name))
		}
	})
}
