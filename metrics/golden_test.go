package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// golden is testdata/golden.json, which golden.py beside it made with NumPy, SciPy, scikit-learn and scikit-image.
type golden struct {
	Reconstructions struct {
		Target, Recon array
		Values        map[string]float64
	}
	PCA []struct {
		X                        array
		K                        int
		Mean, Variances, Ratio   []float64
		Components, Codes, Recon array
	}
	PPCA []struct {
		X             array
		Q             int
		Given         float64 // noise variance; 0: the best
		Variance      float64
		Covariance    array
		LogLikelihood float64   `json:"log_likelihood"`
		LogProb       []float64 `json:"log_prob"`
	}
	Angles []struct {
		A, B   array
		Angles []float64
	}
	Factors struct {
		Codes, Factors array
		Values         map[string]float64
	}
	Frechet []struct {
		A, B     array
		Distance float64
	}
}

type array struct {
	Shape []int
	Data  []float64
}

func (a array) dense() *tensor.Dense {
	return tensor.New(tensor.WithShape(a.Shape...), tensor.WithBacking(a.Data))
}

func readGolden(t *testing.T) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// near fails unless got equals want to tolerance, relative to the largest of want (or 1, if that is smaller).
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	scale := 1.0
	for _, w := range want {
		scale = math.Max(scale, math.Abs(w))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*scale) {
			t.Errorf("%s[%d]: got %.12g, want %.12g", what, i, got[i], want[i])
			return
		}
	}
}

func TestReconstructionsAsScikit(t *testing.T) {
	g := readGolden(t).Reconstructions
	target, recon := g.Target.dense(), g.Recon.dense()
	for name, want := range g.Values {
		m, err := Make(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range [][2]int{{0, 2}, {2, 5}} { // two batches of unequal size
			if err := m.Update(part(t, target, rows), part(t, recon, rows)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		near(t, name, []float64{m.Value()}, []float64{want}, 1e-12) // both in float64
	}
}

// part returns examples rows[0] to rows[1] of d.
func part(t *testing.T, d *tensor.Dense, rows [2]int) *tensor.Dense {
	t.Helper()
	s, err := d.Slice(tensor.S(rows[0], rows[1]))
	if err != nil {
		t.Fatal(err)
	}
	return s.(*tensor.Dense)
}

func TestPCAAsScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).PCA {
		x := c.X.dense()
		p, err := FitPCA(x, c.K)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", p.Mean, c.Mean, 1e-12)
		near(t, "components", p.Components.Data().([]float64), c.Components.Data, 1e-10) // an eigenvector's error is rounding over the gap
		near(t, "variances", p.Variances, c.Variances, 1e-12)
		near(t, "ratio", p.ExplainedVarianceRatio(), c.Ratio, 1e-12)
		codes, err := p.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "codes", codes.Data().([]float64), c.Codes.Data, 1e-10)
		recon, err := p.Reconstruct(x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "recon", recon.Data().([]float64), c.Recon.Data, 1e-10)
	}
}

// SciPy found the optimum by BFGS; the largest likelihood itself is exact to the square of the optimiser's error.
func TestPPCAIsTheOptimum(t *testing.T) {
	for _, c := range readGolden(t).PPCA {
		x := c.X.dense()
		p, err := FitPCA(x, c.Q)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.Probabilistic(c.Q)
		if c.Given > 0 {
			m, err = p.ProbabilisticAt(c.Q, c.Given)
		}
		if err != nil {
			t.Fatal(err)
		}
		near(t, "variance", []float64{m.Variance}, []float64{c.Variance}, 1e-6)
		near(t, "log-likelihood", []float64{m.LogLikelihood}, []float64{c.LogLikelihood}, 1e-9)
		logProb, err := m.LogProb(x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "log p(x)", logProb, c.LogProb, 1e-5)
		var covariance mat.Dense
		covariance.Mul(gonum(m.W), gonum(m.W).T())
		for i := range len(m.Mean) {
			covariance.Set(i, i, covariance.At(i, i)+m.Variance)
		}
		near(t, "covariance", covariance.RawMatrix().Data, c.Covariance.Data, 1e-5)
	}
}

func TestPrincipalAnglesAsSciPy(t *testing.T) {
	for _, c := range readGolden(t).Angles {
		got, err := PrincipalAngles(c.A.dense(), c.B.dense())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "angles", got, c.Angles, 1e-13)
		swapped, err := PrincipalAngles(c.B.dense(), c.A.dense())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "angles, swapped", swapped, c.Angles, 1e-13)
	}
}
