package op

import (
	"math"
	"slices"
	"testing"

	"aetrain/graph"
	"aetrain/internal/philox"
)

// rngOf returns what ops draw from, with fed seed, step and row0.
func rngOf(g *graph.Graph) RNG {
	return RNG{g.Input("seed", graph.I32(2)), g.Input("step", graph.I32()), g.Input("row0", graph.I32())}
}

func rngFeed(seed uint64, step, row0 int32) map[string]graph.Tensor {
	return map[string]graph.Tensor{
		"seed": hold(graph.I32(2), float64(int32(uint32(seed))), float64(int32(uint32(seed>>32)))),
		"step": hold(graph.I32(), float64(step)),
		"row0": hold(graph.I32(), float64(row0)),
	}
}

func evaluateOne(t *testing.T, v graph.Value, feed map[string]graph.Tensor) []float64 {
	t.Helper()
	out, err := graph.Evaluate([]graph.Value{v}, feed)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Data
}

// Element by element, the numbers are those of the documented counters.
func TestDrawnCounters(t *testing.T) {
	const seed, step, row0 = 0xfedcba9876543210, 77, 1000
	g := graph.New()
	leave := g.Enter("encoder.1")
	r := rngOf(g)
	u, z := Uniform(r, "dropout", 3, 2, 5), Normal(r, "noise", 3, 2, 5)
	b := Bernoulli(r, "mask", 0.3, 3, 2, 5)
	leave()
	feed := rngFeed(seed, step, row0)
	us, zs, bs := evaluateOne(t, u, feed), evaluateOne(t, z, feed), evaluateOne(t, b, feed)
	for i := range us {
		row, element := uint32(row0+i/10), uint32(i%10)
		if want := philox.Uniform(philox.Block(seed, element/4, row, step, philox.Stream("encoder.1.dropout"))[element%4]); us[i] != float64(want) {
			t.Errorf("uniform %d is %v, want %v", i, us[i], want)
		}
		if want := philox.Normals(philox.Block(seed, element/4, row, step, philox.Stream("encoder.1.noise")))[element%4]; zs[i] != float64(want) {
			t.Errorf("normal %d is %v, want %v", i, zs[i], want)
		}
		if want := philox.Uniform(philox.Block(seed, element/4, row, step, philox.Stream("encoder.1.mask"))[element%4]) < 0.3; bs[i] != truth(want) {
			t.Errorf("bernoulli %d is %v, want %v", i, bs[i], want)
		}
	}
}

// A batch drawn in parts is the batch drawn at once.
func TestDrawsSplitByRows(t *testing.T) {
	g := graph.New()
	r := rngOf(g)
	whole := Normal(r, "z", 6, 7)
	part := apply(NormalOp{Stream: philox.Stream("z"), Dims: graph.Shape{2, 7}}, r.inputs()...)
	want := evaluateOne(t, whole, rngFeed(5, 3, 10))
	var got []float64
	for row := int32(10); row < 16; row += 2 {
		got = append(got, evaluateOne(t, part, rngFeed(5, 3, row))...)
	}
	if !slices.Equal(got, want) {
		t.Error("three draws of two rows are not the draw of six")
	}
	scalar := apply(NormalOp{Stream: philox.Stream("z")}, r.inputs()...)
	if got := evaluateOne(t, scalar, rngFeed(5, 3, 10))[0]; got != want[0] {
		t.Errorf("a scalar is %v, the first element of its row %v", got, want[0])
	}
}

func TestBernoulliEnds(t *testing.T) {
	g := graph.New()
	r := rngOf(g)
	feed := rngFeed(1, 0, 0)
	for _, c := range []struct {
		p    float64
		want float64
	}{{0, 0}, {1, 1}} {
		v := apply(BernoulliOp{P: c.p, Dims: graph.Shape{100, 100}}, r.inputs()...)
		w := apply(BernoulliPOp{Dims: graph.Shape{100, 100}}, r.inputs(g.Scalar(c.p))...)
		for i, x := range evaluateOne(t, v, feed) {
			if x != c.want {
				t.Fatalf("element %d of Bernoulli(%v) is %v", i, c.p, x)
			}
		}
		if !slices.Equal(evaluateOne(t, v, feed), evaluateOne(t, w, feed)) {
			t.Errorf("p = %v as an attribute and as an input differ", c.p)
		}
	}
}

func TestGaussianSample(t *testing.T) {
	g := graph.New()
	r := rngOf(g)
	mu, logVar := g.Input("mu", graph.F32(2, 3)), g.Input("logVar", graph.F32(2, 3))
	z := GaussianSample(r, "z", mu, logVar)
	eps := apply(NormalOp{Stream: philox.Stream("z"), Dims: graph.Shape{2, 3}}, r.inputs()...)
	feed := rngFeed(9, 2, 4)
	feed["mu"] = hold(graph.F32(2, 3), 1, 2, 3, -1, -2, -3)
	feed["logVar"] = hold(graph.F32(2, 3), 0, 1, -1, 2, -2, 0.5)
	zs, es := evaluateOne(t, z, feed), evaluateOne(t, eps, feed)
	for i, got := range zs {
		if want := feed["mu"].Data[i] + math.Exp(feed["logVar"].Data[i]/2)*es[i]; math.Abs(got-want) > 1e-12 {
			t.Errorf("z[%d] is %v, want %v", i, got, want)
		}
	}
}

// Two draws of one name would be the same numbers: the graph refuses the second.
func TestStreamsAreClaimedOnce(t *testing.T) {
	g := graph.New()
	r := rngOf(g)
	Uniform(r, "a", 3)
	leave := g.Enter("b")
	Uniform(r, "a", 3)
	leave()
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	Normal(r, "a", 3)
	if g.Err() == nil {
		t.Error("a second draw by the name a is accepted")
	}
}
