package backendtest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
)

// Fuzz holds backends to the definition at shapes that a number draws: single ops, each kernel of the convolutions by name, fused
// chains, whole programs with states. names are a backend's kernels by op, as for [Candidates]; more is what else a number checks.
func Fuzz(f *testing.F, backends []backend.Backend, names map[string][]string, more func(t *testing.T, b backend.Backend, rng *rand.Rand)) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, b := range backends {
			fuzzOps(t, b, seed)
			fuzzCandidates(t, b, seed, names)
			fuzzGraphs(t, b, seed)
			more(t, b, rand.New(rand.NewPCG(seed, 8)))
		}
	})
}

// fuzzOps checks one case of every op that shapes are drawn for.
func fuzzOps(t *testing.T, b backend.Backend, seed uint64) {
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

// fuzzCandidates checks one case of each kernel.
func fuzzCandidates(t *testing.T, b backend.Backend, seed uint64, names map[string][]string) {
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

// fuzzGraphs checks a chain of ops with its gradients, and a program with states.
func fuzzGraphs(t *testing.T, b backend.Backend, seed uint64) {
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
