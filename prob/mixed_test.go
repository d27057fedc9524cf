package prob

import (
	"math"
	"testing"

	"aetrain/graph"
	tabular "aetrain/internal/column"
	"aetrain/op"
)

// table is two numbers, a group of three words, a flag, another number, a group of two.
var table = []tabular.Column{
	{Name: "a", Kind: tabular.Numeric, Width: 1}, {Name: "b", Kind: tabular.Numeric, Width: 1},
	{Name: "c", Kind: tabular.OneHot, Width: 3, Words: []string{"x", "y", "z"}},
	{Name: "a missing", Kind: tabular.Flag, Width: 1},
	{Name: "d", Kind: tabular.Numeric, Width: 1},
	{Name: "e", Kind: tabular.OneHot, Width: 2, Words: []string{"u", "v"}},
}

func TestMixed(t *testing.T) {
	g := graph.New()
	raw, x := g.Input("raw", graph.F32(2, 9)), g.Input("x", graph.F32(2, 9))
	logVar := g.Constant(graph.F32(3), 0, math.Log(4), -1)
	plain, density := Mixed{Raw: raw, Columns: table}, Mixed{Raw: raw, Columns: table, LogVar: logVar}
	fed := map[string]graph.Tensor{
		"raw": {Spec: raw.Spec(), Data: []float64{1, -2, 0.5, 1.5, -1, 0.3, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"x":   {Spec: x.Spec(), Data: []float64{0, 1, 0, 1, 0, 1, 2.5, 0, 1, 1, 2, 1, 0, 0, 0, 3, 1, 0}},
	}
	out, err := graph.Evaluate([]graph.Value{plain.Mean(), plain.LogProb(x), density.LogProb(x), op.SumPerExample(density.Repeat(2).Mean())}, fed)
	if err != nil {
		t.Fatal(err)
	}
	sum3 := math.Exp(0.5) + math.Exp(1.5) + math.Exp(-1)
	sum2 := math.Exp(1) + math.Exp(3)
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	normal := func(x, mu, logVar float64) float64 {
		return -(math.Log(2*math.Pi) + logVar + (x-mu)*(x-mu)*math.Exp(-logVar)) / 2
	}
	check := func(what string, got, want []float64) {
		t.Helper()
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%s[%d]: got %v, want %v", what, i, got[i], want[i])
			}
		}
	}
	check("mean", out[0].Data, []float64{1, -2, math.Exp(0.5) / sum3, math.Exp(1.5) / sum3, math.Exp(-1) / sum3, sigmoid(0.3), 2, math.Exp(1) / sum2, math.Exp(3) / sum2,
		0, 0, 1. / 3, 1. / 3, 1. / 3, 0.5, 0, 0.5, 0.5})
	check("log-probability", out[1].Data, []float64{-1, -9, 0, 1.5 - math.Log(sum3), 0, math.Log(sigmoid(0.3)), -0.25, 0, 3 - math.Log(sum2),
		-1, -4, -math.Log(3), 0, 0, -math.Ln2, -9, -math.Ln2, 0})
	check("density", out[2].Data, []float64{normal(0, 1, 0), normal(1, -2, math.Log(4)), 0, 1.5 - math.Log(sum3), 0, math.Log(sigmoid(0.3)), normal(2.5, 2, -1), 0, 3 - math.Log(sum2)})
	if len(out[3].Data) != 2 || math.Abs(out[3].Data[0]-2*(1-2+1+sigmoid(0.3)+2+1)) > 1e-12 {
		t.Errorf("repeated: the sums of means are %v", out[3].Data)
	}
}

// Samples hold one word of each group, words as often as their softmax says.
func TestMixedSamples(t *testing.T) {
	const n = 4000
	g := graph.New()
	raw := op.BroadcastTo(g.Constant(graph.F32(9), 1, -2, 0.5, 1.5, -1, 0.3, 2, 1, 3), n, 9)
	r := op.RNG{Seed: g.Constant(graph.I32(2), 1, 0), Row0: g.Constant(graph.I32(), 0), Step: g.Constant(graph.I32(), 0)}
	m := Mixed{Raw: raw, Columns: table, LogVar: g.Constant(graph.F32(3), 0, math.Log(4), -1)}
	out, err := graph.Evaluate([]graph.Value{m.Sample(r, "x"), m.Mean()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float64, 9)
	for i := range n {
		row := out[0].Data[i*9 : (i+1)*9]
		if row[2]+row[3]+row[4] != 1 || row[7]+row[8] != 1 || row[5] != 0 && row[5] != 1 {
			t.Fatalf("sample %d is %v", i, row)
		}
		for j, v := range row {
			mean[j] += v / n
		}
	}
	for j := range mean {
		if want := out[1].Data[j]; math.Abs(mean[j]-want) > 0.1 {
			t.Errorf("element %d is %.3f in the mean of samples, want %.3f", j, mean[j], want)
		}
	}
}
