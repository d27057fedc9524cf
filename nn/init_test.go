package nn

import (
	"math"
	"testing"

	"aetrain/graph"
)

func drawn(name, state string, dims ...int) graph.Tensor {
	t := graph.NewTensor(graph.F32(dims...))
	initialiser(name).Weight(1, state, t)
	return t
}

func TestInitialisers(t *testing.T) {
	for _, c := range []struct {
		name              string
		dims              []int
		deviation, within float64 // within 0: unbounded
	}{
		{"torch", []int{300, 200}, 1 / math.Sqrt(3*200), 1 / math.Sqrt(200)},
		{"torch", []int{64, 32, 3, 3}, 1 / math.Sqrt(3*32*9), 1 / math.Sqrt(32*9)},
		{"he", []int{300, 200}, math.Sqrt(2. / 200), 0},
		{"he", []int{64, 32, 3, 3}, math.Sqrt(2. / (32 * 9)), 0},
		{"xavier", []int{300, 200}, math.Sqrt(2. / 500), math.Sqrt(6. / 500)},
		{"xavier", []int{64, 32, 3, 3}, math.Sqrt(2. / (96 * 9)), math.Sqrt(6. / (96 * 9))},
	} {
		w := drawn(c.name, "w", c.dims...)
		sum, squares, largest := 0.0, 0.0, 0.0
		for _, v := range w.Data {
			sum, squares, largest = sum+v, squares+v*v, max(largest, math.Abs(v))
		}
		n := float64(len(w.Data))
		deviation := math.Sqrt(squares / n)
		if math.Abs(sum/n) > 5*c.deviation/math.Sqrt(n) || math.Abs(deviation/c.deviation-1) > 0.03 {
			t.Errorf("%s %v: mean %.4g, deviation %.4g, want 0 and %.4g", c.name, c.dims, sum/n, deviation, c.deviation)
		}
		if c.within > 0 && (largest > c.within || largest < 0.98*c.within) {
			t.Errorf("%s %v: largest is %.4g, want just below %.4g", c.name, c.dims, largest, c.within)
		}
	}
}

func TestOrthogonal(t *testing.T) {
	for _, dims := range [][]int{{5, 9}, {9, 5}, {6, 6}, {4, 2, 3, 3}} {
		w := drawn("orthogonal", "w", dims...)
		rows := dims[0]
		cols := len(w.Data) / rows
		at := func(i, j int) float64 {
			if rows <= cols {
				return w.Data[i*cols+j]
			}
			return w.Data[j*cols+i]
		}
		for a := range min(rows, cols) {
			for b := range min(rows, cols) {
				sum, want := 0.0, 0.0
				for k := range max(rows, cols) {
					sum += at(a, k) * at(b, k)
				}
				if a == b {
					want = 1
				}
				if math.Abs(sum-want) > 1e-6 {
					t.Errorf("%v: rows %d and %d have product %g, want %g", dims, a, b, sum, want)
				}
			}
		}
	}
}

// Weights depend on seed and name, on nothing else.
func TestInitialDependsOnSeedAndName(t *testing.T) {
	for _, name := range Initialisers.Names() {
		a, b, c := drawn(name, "a", 3, 4), drawn(name, "a", 3, 4), drawn(name, "b", 3, 4)
		if a.Data[0] != b.Data[0] || a.Data[0] == c.Data[0] {
			t.Errorf("%s: %v, again %v, another name %v", name, a.Data[0], b.Data[0], c.Data[0])
		}
		for _, v := range a.Data {
			if v != float64(float32(v)) {
				t.Errorf("%s: %v is no float32", name, v)
			}
		}
	}
}

// The bias's bound is that of the weight's inputs; the others start at 0.
func TestBiases(t *testing.T) {
	b := graph.NewTensor(graph.F32(2000))
	initialiser("torch").Bias(25)(1, "bias", b)
	largest := 0.0
	for _, v := range b.Data {
		largest = max(largest, math.Abs(v))
	}
	if largest > 0.2 || largest < 0.19 {
		t.Errorf("largest bias is %v, want just below 0.2", largest)
	}
	for _, name := range []string{"he", "xavier", "orthogonal"} {
		if initialiser(name).Bias(25) != nil {
			t.Errorf("%s: biases do not start at 0", name)
		}
	}
}
