package data

import (
	"context"
	"math"
	"testing"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// holed is a Source of ones with a NaN in one example.
type holed struct{ n, at int }

func (h holed) Len() int      { return h.n }
func (holed) Fields() []Field { return []Field{{Name: "x", Spec: graph.F32(3)}} }
func (holed) Close() error    { return nil }

func (h holed) Read(dst []*tensor.Dense, indices []int) error {
	x := dst[0].Float32s()
	for i, at := range indices {
		x[3*i], x[3*i+1], x[3*i+2] = 1, 1, 1
		if at == h.at {
			x[3*i+1] = float32(math.NaN())
		}
	}
	return nil
}

// TestMeasureNamesWhatIsNotFinite: the first example that holds a NaN is named, in whichever batch it is met.
func TestMeasureNamesWhatIsNotFinite(t *testing.T) {
	for at, want := range map[int]string{0: "0", 3: "3", 300: "300", -1: ""} {
		st, err := Measure(context.Background(), holed{500, at}, "x", 0)
		if err != nil {
			t.Fatal(err)
		}
		if st.Finite != (at < 0) || st.NotFinite != want {
			t.Errorf("NaN in example %d: finite %v, named %q", at, st.Finite, st.NotFinite)
		}
	}
}
