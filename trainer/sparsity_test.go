package trainer_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"
)

// The mean activity of each unit meets rho, and another rho where it is another: the penalty is one of units, which their mean alone
// would meet with half of them always on.
func TestSparsityMeetsRho(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models")
	}
	for _, rho := range []float64{0.05, 0.2} {
		m, x := trainedOn(t, single, "model.preset=sparse", "train.epochs=16", "model.penalties.kl-sparsity.weight=20.0",
			fmt.Sprintf("model.penalties.kl-sparsity.rho=%v", rho))
		z, width := codesOf(t, m, x)
		worst := 0.0
		for j := range width {
			unit := 0.0
			for i := j; i < len(z); i += width {
				unit += float64(z[i])
			}
			unit /= float64(len(z) / width)
			worst = max(worst, math.Abs(unit-rho))
		}
		t.Logf("rho %v: the mean activity of a unit is at most %.4f away", rho, worst)
		if !(worst <= 0.5*rho) {
			t.Errorf("the mean activity of a unit is %v away from %v", worst, rho)
		}
	}
}

// The first units of a Matryoshka dictionary reconstruct by themselves, where those of another one leave most to the rest.
func TestPrefixesReconstruct(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models")
	}
	const first = 8
	left := func(prefixes string) float64 {
		m, x := trainedOn(t, single, "model.preset=matryoshka", "train.epochs=16", "model.latent_dim=48", "model.bottleneck.k=12", "model.bottleneck.auxiliary_k=0",
			"model.bottleneck.prefixes="+prefixes)
		z, width := codesOf(t, m, x)
		for i := range z {
			if i%width >= first {
				z[i] = 0
			}
		}
		y, err := m.Decode(context.Background(), tensor.New(tensor.WithShape(len(z)/width, width), tensor.WithBacking(z)))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, v := range y.Float32s() {
			d := float64(v - x.Float32s()[i])
			sum += d * d / float64(len(y.Float32s()))
		}
		return sum
	}
	with, without := left("[8]"), left("[]")
	t.Logf("mse of the first %d units alone: %.4f, %.4f where nothing asked it of them", first, with, without)
	if !(with < 0.8*without) {
		t.Errorf("mse of the first %d units alone is %v, %v where nothing asked it of them", first, with, without)
	}
}

// What a whole batch shares out in training one example has at its own: by a threshold, k units are active in the mean.
func TestThresholdKeepsTheShare(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	const k = 6
	m, x := trainedOn(t, single, "model.preset=batch-top-k", "train.epochs=40", "model.latent_dim=48", fmt.Sprintf("model.bottleneck.k=%d", k), "model.bottleneck.auxiliary_k=0")
	z, width := codesOf(t, m, x)
	active, least, most := 0.0, width, 0
	for from := 0; from < len(z); from += width {
		n := 0
		for _, v := range z[from : from+width] {
			if v > 0 {
				n++
			}
		}
		active += float64(n) * float64(width) / float64(len(z))
		least, most = min(least, n), max(most, n)
	}
	t.Logf("%.2f units are active in the mean, from %d to %d", active, least, most)
	if !(math.Abs(active-k) <= 0.2*k) || least == most {
		t.Errorf("%.2f units are active in the mean, from %d to %d; k is %d", active, least, most, k)
	}
}
