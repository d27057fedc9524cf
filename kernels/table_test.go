package kernels_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

func small(c kernels.Case) bool { return c.In[0].Shape.Size() < 10 }

var table = kernels.Table[int]{
	{Op: "Exp", Name: "tiny", Fits: small, Bind: 1},
	{Op: "Exp", Name: "general", Fits: kernels.Always, Bind: 2},
	{Op: "Exp", Name: "tiny", Fits: kernels.Always, Bind: 3},
	{Op: "Conv2DWeightGrad", Name: "direct", Fits: small, Bind: 4},
}

func caseOf(n int) kernels.Case {
	g := graph.New()
	y := op.Exp(g.Input("x", graph.F32(n)))
	return kernels.Case{Op: y.Node.Op, In: []graph.Spec{graph.F32(n)}, Out: []graph.Spec{graph.F32(n)}}
}

func TestChoose(t *testing.T) {
	times := map[int]time.Duration{1: 3, 2: 1, 3: 2}
	measure := func(k kernels.Candidate[int]) (time.Duration, error) { return times[k.Bind], nil }
	known := func(name string) func(string) (string, bool) {
		return func(string) (string, bool) { return name, name != "" }
	}
	for _, c := range []struct {
		name   string
		n      int
		o      kernels.Options[int]
		want   int
		reason string
		err    string
	}{
		{"the first", 5, kernels.Options[int]{}, 1, "first that fits", ""},
		{"the first that fits", 50, kernels.Options[int]{}, 2, "first that fits", ""},
		{"wanted", 5, kernels.Options[int]{Wanted: map[string]string{"exp": "general"}}, 2, "config", ""},
		{"wanted under another condition", 50, kernels.Options[int]{Wanted: map[string]string{"exp": "tiny"}}, 3, "config", ""},
		{"wanted beats measured", 5, kernels.Options[int]{Wanted: map[string]string{"exp": "tiny"}, Measure: measure}, 1, "config", ""},
		{"unknown", 5, kernels.Options[int]{Wanted: map[string]string{"exp": "fast"}}, 0, "", `kernels.exp: no kernel "fast"; there are tiny, general`},
		{"measured", 5, kernels.Options[int]{Measure: measure}, 2, "measured", ""},
		{"measured before", 5, kernels.Options[int]{Measure: measure, Known: known("tiny")}, 1, "measured", ""},
		{"measured before, gone since", 5, kernels.Options[int]{Measure: measure, Known: known("old")}, 2, "measured", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, reason, ok, err := table.Choose(caseOf(c.n), c.o)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || !ok || got.Bind != c.want || reason != c.reason {
				t.Errorf("got %d (%s), %v, %v; want %d (%s)", got.Bind, reason, ok, err, c.want, c.reason)
			}
		})
	}
}

func TestChooseNothing(t *testing.T) {
	c := kernels.Case{Op: op.ConvWeightGrad{}, In: []graph.Spec{graph.F32(5, 4)}}
	if _, _, ok, err := table.Choose(c, kernels.Options[int]{}); ok || err != nil {
		t.Errorf("got %v, %v where no candidate fits", ok, err)
	}
	_, _, _, err := table.Choose(c, kernels.Options[int]{Strict: true, Wanted: map[string]string{"conv2d-weight-grad": "direct"}})
	if err == nil || !strings.Contains(err.Error(), `kernels.conv2d_weight_grad: "direct" does not fit 5x4`) {
		t.Errorf("got %v for a candidate that does not fit", err)
	}
}

// TestWantedElsewhere: what the config names runs where it fits, and the order decides in other layers.
func TestWantedElsewhere(t *testing.T) {
	two := kernels.Table[int]{{Op: "Exp", Name: "tiny", Fits: small, Bind: 1}, {Op: "Exp", Name: "general", Fits: kernels.Always, Bind: 2}}
	got, reason, ok, err := two.Choose(caseOf(50), kernels.Options[int]{Wanted: map[string]string{"exp": "tiny"}})
	if err != nil || !ok || got.Bind != 2 || reason != "first that fits, tiny does not" {
		t.Errorf("got %d (%s), %v, %v", got.Bind, reason, ok, err)
	}
}

func TestMeasurementFails(t *testing.T) {
	broken := errors.New("broken")
	o := kernels.Options[int]{Measure: func(kernels.Candidate[int]) (time.Duration, error) { return 0, broken }}
	if _, _, _, err := table.Choose(caseOf(5), o); !errors.Is(err, broken) {
		t.Errorf("got %v, want the measurement's error", err)
	}
}

func TestLearned(t *testing.T) {
	var key, name string
	o := kernels.Options[int]{
		Key: "exp 5", Measure: func(k kernels.Candidate[int]) (time.Duration, error) { return time.Duration(10 - k.Bind), nil },
		Learned: func(k, n string) { key, name = k, n },
	}
	if _, _, _, err := table.Choose(caseOf(5), o); err != nil || key != "exp 5" || name != "tiny" {
		t.Errorf("learned %q: %q (%v)", key, name, err)
	}
}

func TestNames(t *testing.T) {
	want := map[string][]string{"exp": {"tiny", "general"}, "conv2d_weight_grad": {"direct"}}
	if got := table.Names(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestConfigName(t *testing.T) {
	for op, want := range map[string]string{
		"MatMul": "matmul", "Conv2D": "conv2d", "Conv2DWeightGrad": "conv2d_weight_grad", "ConvTranspose2D": "conv_transpose2d",
		"GaussianSample": "gaussian_sample", "BCEWithLogits": "bce_with_logits", "KLNormal": "kl_normal", "LogSumExp": "logsumexp",
		"MaxPool2DGrad": "max_pool2d_grad", "ArgMax": "argmax",
	} {
		if got := kernels.ConfigName(op); got != want {
			t.Errorf("%s: got %s, want %s", op, got, want)
		}
	}
}
