package op

import (
	"encoding/json"
	"os"
	"testing"

	"aetrain/graph"
)

// golden_recurrent.json holds what PyTorch computes; golden_recurrent.py beside it says how it was made.
func TestGoldenRecurrent(t *testing.T) {
	text, err := os.ReadFile("testdata/golden_recurrent.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			goldenCase
			Attrs struct {
				Reverse bool
				Lengths []int
			}
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.Op+"/"+c.Case, func(t *testing.T) {
			goldenBuilt(t, c.goldenCase, func(_ goldenCase, in []graph.Value) []graph.Value {
				w := RecurrentWeights{Input: in[1], Hidden: in[2], BiasInput: in[3], BiasHidden: in[4]}
				o := RecurrentOptions{H0: in[5], Reverse: c.Attrs.Reverse}
				if len(c.Attrs.Lengths) > 0 {
					o.Mask = lengthMask(in[0].Graph(), c.Attrs.Lengths, in[0].Dim(1))
				}
				var h, last, cell graph.Value
				var out []graph.Value
				switch c.Op {
				case "lstm":
					o.C0 = in[6]
					h, last, cell = LSTM(in[0], w, o)
					out = []graph.Value{last, cell, h}
				case "gru":
					h, last = GRU(in[0], w, o)
					out = []graph.Value{last, h}
				case "rnn":
					h, last = RNN(in[0], w, o)
					out = []graph.Value{last, h}
				}
				return out[:len(c.Outputs)]
			})
		})
	}
}

// lengthMask is 1 for the first lengths[n] of t times.
func lengthMask(g *graph.Graph, lengths []int, t int) graph.Value {
	mask := graph.NewTensor(graph.F32(len(lengths), t))
	for n, length := range lengths {
		for i := range length {
			mask.Data[n*t+i] = 1
		}
	}
	return g.Constant(mask.Spec, mask.Data...)
}

// A sequence that repeats one vector is projected once: the same numbers, and the same gradient of the vector.
func TestRecurrentOfRepeatedInput(t *testing.T) {
	const n, steps, d, h = 2, 4, 3, 2
	g := graph.New()
	z := g.Input("z", graph.F32(n, d))
	repeated := BroadcastTo(Reshape(z, n, 1, d), n, steps, d)
	copied := Concat(1, Reshape(z, n, 1, d), Reshape(z, n, 1, d), Reshape(z, n, 1, d), Reshape(z, n, 1, d))
	feed := map[string]graph.Tensor{"z": drawn(1, n, d)}
	for i, build := range []func(x graph.Value, w RecurrentWeights) graph.Value{
		func(x graph.Value, w RecurrentWeights) graph.Value {
			y, _, _ := LSTM(x, w, RecurrentOptions{})
			return y
		},
		func(x graph.Value, w RecurrentWeights) graph.Value { y, _ := GRU(x, w, RecurrentOptions{}); return y },
		func(x graph.Value, w RecurrentWeights) graph.Value { y, _ := RNN(x, w, RecurrentOptions{}); return y },
	} {
		gates := []int{4, 3, 1}[i] * h
		w := RecurrentWeights{}
		for k, p := range []struct {
			to   *graph.Value
			dims []int
		}{{&w.Input, []int{gates, d}}, {&w.Hidden, []int{gates, h}}, {&w.BiasInput, []int{gates}}, {&w.BiasHidden, []int{gates}}} {
			x := drawn(uint64(10*i+k), p.dims...)
			*p.to = g.Constant(x.Spec, x.Data...)
		}
		y, want := build(repeated, w), build(copied, w)
		seed := g.Constant(y.Spec(), 0.5)
		d1, d2 := graph.VJP([]graph.Value{y}, []graph.Value{seed}, []graph.Value{z, w.Input, w.BiasInput}), graph.VJP([]graph.Value{want}, []graph.Value{seed}, []graph.Value{z, w.Input, w.BiasInput})
		sameValues(t, "states", feed, []graph.Value{y}, []graph.Value{want})
		sameValues(t, "gradient", feed, d1, d2)
	}
}

// drawn is a tensor of numbers in [-1, 1).
func drawn(seed uint64, dims ...int) graph.Tensor {
	return graph.Example{Args: []graph.Arg{f32(dims...)}}.Draw(seed)[0]
}
