package data

import (
	"context"
	"math"
	"testing"
)

// readStates opens a source of states and returns all of x.
func readStates(t *testing.T, s *States) []float32 {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	parts, err := s.Open(context.Background(), Env{Progress: func(Progress) {}})
	if err != nil {
		t.Fatal(err)
	}
	dst := NewBatch(parts.Train.Fields(), s.Examples, nil)
	if err := ReadRange(parts.Train, 0, s.Examples, dst); err != nil {
		t.Fatal(err)
	}
	return dst[0].Float32s()
}

// Two spins have a ground state in closed form: energy -√(1 + 4g²), amplitudes of 00 and 11 (1, of 01 and 10) in the ratio
// 2g : √(1 + 4g²) - 1.
func TestGroundStateOfTwoSpins(t *testing.T) {
	for _, g := range []float64{0.1, 0.7, 1, 3} {
		got := groundState(2, g)
		ratio := (math.Sqrt(1+4*g*g) - 1) / (2 * g)
		even := 1 / math.Sqrt(2+2*ratio*ratio)
		for i, want := range []float64{even, even * ratio, even * ratio, even} {
			if math.Abs(got[i]-want) > 1e-9 {
				t.Errorf("g = %v: %v, amplitude %d is to be %v", g, got, i, want)
			}
		}
	}
}

// Larger chains: an eigenvector of positive amplitudes, which only the ground state can be (Perron and Frobenius).
func TestGroundStates(t *testing.T) {
	for _, qubits := range []int{1, 3, 6, 10} {
		for _, g := range []float64{0.3, 1, 2} {
			v := groundState(qubits, g)
			w := make([]float64, len(v))
			chain(w, v, qubits, g)
			energy := dotRounded(v, w)
			for i := range v {
				if v[i] <= 0 || math.Abs(w[i]-energy*v[i]) > 1e-6 {
					t.Fatalf("%d spins, g = %v: amplitude %d is %v, H takes it to %v, the energy is %v", qubits, g, i, v[i], w[i], energy)
				}
			}
		}
	}
}

// States have length 1, the same seed gives the same, and those of a code span no more than its dimension.
func TestStates(t *testing.T) {
	for _, of := range []string{"ising", "code", "random"} {
		s := &States{Of: of, Qubits: 3, Code: 1, Examples: 20, Field: []float64{0.5, 1.5}}
		x, again := readStates(t, s), readStates(t, s)
		for i := range s.Examples {
			sum := 0.0
			for j, v := range x[i*16 : (i+1)*16] {
				sum += float64(v) * float64(v)
				if again[i*16+j] != v {
					t.Fatalf("%s: the same seed draws other states", of)
				}
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Errorf("%s: state %d has squared length %v", of, i, sum)
			}
		}
		if dim := dimension(x, 8); of == "code" && dim != 2 || of == "random" && dim != 8 {
			t.Errorf("%s: the states span %d dimensions", of, dim)
		}
	}
}

// dimension counts how many independent states there are among rows of 2·size numbers.
func dimension(x []float32, size int) int {
	var basis [][]complex128
	for i := 0; i < len(x); i += 2 * size {
		v := make([]complex128, size)
		for j := range v {
			v[j] = complex(float64(x[i+j]), float64(x[i+size+j]))
		}
		for _, b := range basis {
			addTimes(v, b, -overlap(b, v))
		}
		if real(overlap(v, v)) > 1e-6 {
			basis = append(basis, normalised(v))
		}
	}
	return len(basis)
}

func TestStatesMistakes(t *testing.T) {
	for want, s := range map[string]States{
		"field: without a field there are two ground states: start above 0":   {Of: "ising", Qubits: 2, Examples: 1, Field: []float64{0, 1}},
		"field: wants the least and the largest strength, such as [0.5, 1.5]": {Of: "random", Qubits: 2, Examples: 1, Field: []float64{2, 1}},
		"code_qubits: 2 qubits have no subspace for 3":                        {Of: "code", Qubits: 2, Code: 3, Examples: 1, Field: []float64{1, 1}},
		"examples: 1000000 states of 12 qubits take more than 4 GB":           {Of: "random", Qubits: 12, Examples: 1000000, Field: []float64{1, 1}},
	} {
		if err := s.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}
