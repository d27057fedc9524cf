package backendtest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// Shapes holds backends to the definition at shapes that seeds draw, from first on, for that long and at least for some seeds: single
// ops, each kernel of the convolutions by name and the one that a rule chooses, fused chains, whole programs with states. names are a
// backend's kernels by op, as for [Candidates]; more is what else a seed checks. After many seeds each kernel has to have been chosen.
// A seed that fails is the name of its test: Shapes again, with it as the first one.
//
// It is no fuzz target of package testing: what coverage says of a seed is nothing, and one on all tiers takes longer than that allows.
func Shapes(t *testing.T, backends []backend.Backend, names map[string][]string, first uint64, long time.Duration, more func(t *testing.T, b backend.Backend, rng *rand.Rand)) {
	seed, start, chosen := first, time.Now(), map[string]int{}
	for ; seed < first+4 || time.Since(start) < long; seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for _, b := range backends {
				drawnOps(t, b, seed)
				drawnCandidates(t, b, seed, names)
				drawnChoices(t, b, seed, chosen)
				drawnPrograms(t, b, seed)
				more(t, b, rand.New(rand.NewPCG(seed, 8)))
			}
		}) {
			return
		}
	}
	t.Logf("%d seeds in %v; by rule %v", seed-first, time.Since(start).Round(time.Second), chosen)
	if seed < first+manySeeds {
		return
	}
	for name := range convolutions {
		for _, kernel := range names[name] {
			if chosen[name+"/"+kernel] == 0 {
				t.Errorf("no drawn %s has chosen %s", name, kernel)
			}
		}
	}
}

// manySeeds are enough for every kernel's turn.
const manySeeds = 200

// drawnChoices checks one convolution of each kind with the kernel that a rule chooses: small ones, thin ones and crowds in turn, as
// kernels for many images and channels are not chosen for few.
func drawnChoices(t *testing.T, b backend.Backend, seed uint64, chosen map[string]int) {
	if t.Failed() { // by a case before
		return
	}
	for name, draw := range convolutions {
		rng := rand.New(rand.NewPCG(seed, 7))
		e := draw(rng)
		switch seed % 4 {
		case 0:
			e = thin(e)
		case 1:
			e = crowd(rng, e.Op)
		}
		if _, err := e.Op.Infer(specs(e)); err != nil {
			continue
		}
		if kernel, _ := by(t, b, e, seed, nil); !t.Failed() {
			chosen[name+"/"+kernel]++
			continue
		}
		t.Fatalf("%s: %s: %+v of %v", b.Capabilities().Device, name, e.Op, specs(e))
	}
}

// crowd draws a convolution of o's kind with many images and channels, mostly with the filters that have kernels of their own.
func crowd(rng *rand.Rand, o graph.Op) graph.Example {
	c := op.ConvConfig{StrideH: 1 + rng.IntN(2), DilationH: 1, DilationW: 1, Groups: 1,
		PadTop: rng.IntN(3), PadBottom: rng.IntN(3), PadLeft: rng.IntN(3), PadRight: rng.IntN(3)}
	c.StrideW = c.StrideH
	kh, kw := 3, 3
	if rng.IntN(4) == 0 {
		kh, kw = 1+rng.IntN(4), 1+rng.IntN(4)
	}
	n, in, out, h, w := 24+rng.IntN(17), 10+rng.IntN(30), 10+rng.IntN(30), 3+rng.IntN(5), 3+rng.IntN(5)
	switch o.(type) {
	case op.ConvTranspose:
		c.OutPadH, c.OutPadW = rng.IntN(c.StrideH), rng.IntN(c.StrideW)
		return example(op.ConvTranspose{ConvConfig: c}, arg(n, in, h, w), arg(in, out, kh, kw))
	case op.ConvWeightGrad:
		outH, outW := op.Conv{ConvConfig: c}.OutputSize(h, w, kh, kw)
		return example(op.ConvWeightGrad{ConvConfig: c, KH: kh, KW: kw}, arg(n, in, h, w), arg(n, out, max(1, outH), max(1, outW)))
	}
	return example(op.Conv{ConvConfig: c}, arg(n, in, h, w), arg(out, in, kh, kw))
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
	if t.Failed() { // by a case before
		return
	}
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
		compareGraph(t, b, g, vs, feed)
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
