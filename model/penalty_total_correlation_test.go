package model

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/prob"
)

// The estimate is PyTorch's of the authors' formula (testdata/total_correlation.py) but for a constant of the data set's size, and its
// gradient the same.
func TestTotalCorrelationIsPyTorchs(t *testing.T) {
	var want map[string][]float64
	text, err := os.ReadFile("testdata/total_correlation.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	n, d := int(want["shape"][0]), int(want["shape"][1])
	g, fed := graph.New(), map[string]graph.Tensor{}
	input := func(name string) graph.Value {
		v := g.Input(name, graph.F32(n, d))
		fed[name] = graph.NewTensor(v.Spec())
		copy(fed[name].Data, want[name])
		return v
	}
	mu, logVar, z := input("mu"), input("log_var"), input("z")
	joint, marginals := aggregate(prob.Normal{Mu: mu, LogVar: logVar}, z)
	value := op.Sub(joint, marginals)
	constant := float64(d-1) * math.Log(want["size"][0])
	for i, got := range evaluate(t, fed, value).Data {
		if !close(got, want["value"][i]-constant, 1e-9) {
			t.Errorf("example %d has %v nats, PyTorch's %v", i, got, want["value"][i]-constant)
		}
	}
	gradients := graph.Grad(op.MeanAll(value), mu, logVar, z)
	for k, name := range []string{"d_mu", "d_log_var", "d_z"} {
		for i, got := range evaluate(t, fed, gradients[k]).Data {
			if !close(got, want[name][i], 1e-9) {
				t.Errorf("%s of element %d is %v, PyTorch's %v", name, i, got, want[name][i])
			}
		}
	}
}
