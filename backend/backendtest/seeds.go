package backendtest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/graph"
)

// Shapes holds backends to the definition at shapes that seeds draw, from first on, for that long and at least for some seeds: single
// ops, each kernel of the convolutions by name, fused chains, whole programs with states. names are a backend's kernels by op, as for
// [Candidates]; more is what else a seed checks. A seed that fails is the name of its test: Shapes again, with it as the first one.
//
// It is no fuzz target of package testing: what coverage says of a seed is nothing, and one on all tiers takes longer than that allows.
func Shapes(t *testing.T, backends []backend.Backend, names map[string][]string, first uint64, long time.Duration, more func(t *testing.T, b backend.Backend, rng *rand.Rand)) {
	seed, start := first, time.Now()
	for ; seed < first+4 || time.Since(start) < long; seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for _, b := range backends {
				drawnOps(t, b, seed)
				drawnCandidates(t, b, seed, names)
				drawnPrograms(t, b, seed)
				more(t, b, rand.New(rand.NewPCG(seed, 8)))
			}
		}) {
			return
		}
	}
	t.Logf("%d seeds in %v", seed-first, time.Since(start).Round(time.Second))
}

// drawnOps checks one case of every op that shapes are drawn for.
func drawnOps(t *testing.T, b backend.Backend, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 5))
	list := []graph.Example{drawProduct(rng), drawConv(rng), drawConvTranspose(rng), drawConvWeightGrad(rng), drawPool(rng), drawSum(rng)}
	for _, e := range append(list, drawMore(rng)...) {
		if _, err := e.Op.Infer(specs(e)); err == nil {
			check(t, b, e, seed)
		}
		if t.Failed() {
			t.Fatalf("%s: %+v of %v", b.Capabilities().Device, e.Op, specs(e))
		}
	}
}

// drawnCandidates checks one case of each kernel.
func drawnCandidates(t *testing.T, b backend.Backend, seed uint64, names map[string][]string) {
	for name, draw := range convolutions {
		for _, kernel := range names[name] {
			e := draw(rand.New(rand.NewPCG(seed, 6)))
			if seed%4 == 0 {
				e = thin(e)
			}
			if _, err := e.Op.Infer(specs(e)); err == nil {
				by(t, b, e, seed, map[string]string{name: kernel})
			}
			if t.Failed() {
				t.Fatalf("%s: %s %s", b.Capabilities().Device, name, kernel)
			}
		}
	}
}

// drawnPrograms checks a chain of ops with its gradients, and a program with states.
func drawnPrograms(t *testing.T, b backend.Backend, seed uint64) {
	if g, vs, feed := drawGraph(seed); g.Err() == nil {
		compare(t, b, g, vs, feed, 5e-5)
	}
	g, outs, feed := RandomGraph(FromSeed(seed))
	if g.Err() != nil || hasEmpty(feed) {
		return
	}
	exe, st := start(t, b, g, outs, feed)
	checkStep(t, exe, st, g, outs, feed)
	if t.Failed() {
		t.Fatal(fmt.Sprint(b.Capabilities().Device))
	}
}

// hasEmpty reports whether a tensor has no elements, which host tensors cannot be.
func hasEmpty(feed map[string]graph.Tensor) bool {
	for _, x := range feed {
		if len(x.Data) == 0 {
			return true
		}
	}
	return false
}
