package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/prob"
)

func init() {
	encoder := "latent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
	small["contractive"] = "latent_dim = 4\n"
	for _, name := range []string{"wae-mmd", "info-vae", "beta-tcvae", "dip-vae-i", "dip-vae-ii", "rae-l2", "rae-gp"} {
		small[name] = encoder
	}
}

// One sigmoid layer has the closed form Σ_j (h_j(1-h_j))² ‖W_j‖² (Rifai et al. 2011, eq. 7); the exact penalty agrees, and the
// estimate comes close with many directions.
func TestJacobianClosedForm(t *testing.T) {
	for _, c := range []struct {
		keys      string
		tolerance float64
	}{{"", 1e-9}, {"exact = false\nprobes = 400\n", 0.2}} {
		m := build(t, "[model]\npreset = \"contractive\"\nlatent_dim = 4\n[model.penalties.jacobian]\n"+c.keys, 6)
		fn, err := m.Train(3)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 3)
		got, h, w := evaluate(t, fed, term(t, fn, "jacobian")), evaluate(t, fed, fn.Forward.Code), fed["encoder.code.weight"].Data
		for n := range 3 {
			want := 0.0
			for j := range 4 {
				a := h.Data[n*4+j]
				for _, x := range w[j*6 : j*6+6] {
					want += a * a * (1 - a) * (1 - a) * x * x
				}
			}
			if !close(got.Data[n]/want, 1, c.tolerance) {
				t.Errorf("%q: example %d has %v, want %v", c.keys, n, got.Data[n], want)
			}
		}
	}
}

// The Jacobian of any encoder is that of differences: a recurrent one, one with norms, a convolution.
func TestJacobianOfAnyEncoder(t *testing.T) {
	for _, c := range []struct {
		layer string
		x     []int
	}{
		{"{ layer = \"lstm\", units = 3 }", []int{4, 2}},
		{"{ layer = \"dense\", units = 4, norm = \"layer\", activation = \"tanh\" }", []int{5}},
		{"{ layer = \"conv2d\", filters = 2, kernel = 3, activation = \"tanh\" }", []int{1, 4, 4}},
	} {
		m := build(t, "[model]\nlatent_dim = 2\nencoder = ["+c.layer+"]\n[model.penalties.jacobian]\nweight = 0.1\n", c.x...)
		fn, err := m.Train(1)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 3)
		want, step := 0.0, 1e-5
		for i := range fed[FieldX].Data {
			ahead, behind := clone(fed), clone(fed)
			ahead[FieldX].Data[i] += step
			behind[FieldX].Data[i] -= step
			a, b := evaluate(t, ahead, fn.Forward.Code), evaluate(t, behind, fn.Forward.Code)
			for j := range a.Data {
				d := (a.Data[j] - b.Data[j]) / (2 * step)
				want += d * d
			}
		}
		if got := evaluate(t, fed, term(t, fn, "jacobian")).Data[0]; !close(got, want, 1e-6) {
			t.Errorf("%s: %v, differences give %v", c.layer, got, want)
		}
		checkGradient(t, m)
	}
}

// MMD, pair by pair.
func TestMMD(t *testing.T) {
	for _, kernel := range []string{"imq", "rbf"} {
		m := build(t, "[model]\npreset = \"wae-mmd\"\n"+small["wae-mmd"]+"[model.penalties.mmd]\nscales = [0.5, 2.0]\nkernel = \""+kernel+"\"\n", 6)
		fn, err := m.Train(5)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 3)
		z := evaluate(t, fed, fn.Forward.Code).Data
		var prior graph.Value
		for _, n := range fn.Graph.Nodes() {
			if n.Op.Name() == "Normal" && n.Path == "penalties.mmd" {
				prior = n.Value(0)
			}
		}
		drawn := evaluate(t, fed, prior).Data
		k := func(a, b []float64) (sum float64) {
			r := 0.0
			for i := range a {
				r += (a[i] - b[i]) * (a[i] - b[i])
			}
			for _, s := range []float64{0.5, 2} {
				c := 2 * 3 * s
				if kernel == "rbf" {
					sum += math.Exp(-r / c)
				} else {
					sum += c / (c + r)
				}
			}
			return sum
		}
		want := 0.0
		for i := range 5 {
			for j := range 5 {
				if i != j {
					want += (k(z[i*3:i*3+3], z[j*3:j*3+3]) + k(drawn[i*3:i*3+3], drawn[j*3:j*3+3])) / 20
				}
				want -= 2 * k(z[i*3:i*3+3], drawn[j*3:j*3+3]) / 25
			}
		}
		if got := number(t, fed, term(t, fn, "mmd")); !close(got, want, 1e-9) {
			t.Errorf("%s: %v, want %v", kernel, got, want)
		}
	}
}

// Total correlation and DIP, example by example.
func TestAggregatePosterior(t *testing.T) {
	m := build(t, "[model]\npreset = \"beta-tcvae\"\n"+small["beta-tcvae"]+"[model.penalties.dip]\nvariant = \"ii\"\noff_diagonal = 3.0\ndiagonal = 2.0\n", 6)
	const n, d = 4, 3
	fn, err := m.Train(n)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	q := fn.Forward.Latents[0].Posterior.(prob.Normal)
	z, mu, logVar := evaluate(t, fed, fn.Forward.Code).Data, evaluate(t, fed, q.Mu).Data, evaluate(t, fed, q.LogVar).Data
	got := evaluate(t, fed, term(t, fn, "total-correlation")).Data
	for i := range n {
		joint, want := 0.0, 0.0
		var marginal [d]float64
		for j := range n {
			all := 1.0
			for k := range d {
				x, v := z[i*d+k]-mu[j*d+k], math.Exp(logVar[j*d+k])
				p := math.Exp(-x*x/(2*v)) / math.Sqrt(2*math.Pi*v)
				all *= p
				marginal[k] += p / n
			}
			joint += all / n
		}
		want = math.Log(joint)
		for _, p := range marginal {
			want -= math.Log(p)
		}
		if !close(got[i], want, 1e-9) {
			t.Errorf("total correlation of example %d is %v, want %v", i, got[i], want)
		}
	}
	want := 0.0
	for a := range d {
		for b := range d {
			c, ma, mb, v := 0.0, 0.0, 0.0, 0.0
			for i := range n {
				c += mu[i*d+a] * mu[i*d+b] / n
				ma, mb, v = ma+mu[i*d+a]/n, mb+mu[i*d+b]/n, v+math.Exp(logVar[i*d+a])/n
			}
			c -= ma * mb
			if a == b {
				want += 2 * (c + v - 1) * (c + v - 1)
			} else {
				want += 3 * c * c
			}
		}
	}
	if got := number(t, fed, term(t, fn, "dip")); !close(got, want, 1e-9) {
		t.Errorf("dip is %v, want %v", got, want)
	}
}

func TestPenaltyMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"total correlation without a posterior", "[model.penalties.total-correlation]\nweight = 1.0\n", "needs the density of a gaussian posterior"},
		{"dip without a posterior", "[model.penalties.dip]\nweight = 1.0\n", "needs the moments of a gaussian posterior"},
		{"too many rows", "[model.penalties.jacobian]\nof = \"decoder\"\n", "model.penalties.jacobian: the output has 4900 numbers, a backward pass each: exact = false"},
		{"no kernel", "[model.penalties.mmd]\nscales = []\n", "model.penalties.mmd.scales: it is empty"},
	} {
		if got := sentence(c.text, 4900); !strings.Contains(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
