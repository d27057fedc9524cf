package infer

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
)

// What is written token after token, by layers that keep what they know of those before, is what whole passes over all of them give:
// a convolution over one time is a dense layer that cannot go on, and has the same weights.
func TestSteps(t *testing.T) {
	const n, length, words = 7, 6, 9
	for name, layers := range map[string]string{
		"lstm":      `{ layer = "lstm", units = [5, 4] }`,
		"gru":       `{ layer = "gru", units = 5 }, { layer = "layer_norm" }, { layer = "activation", kind = "tanh" }`,
		"rnn":       `{ layer = "rnn", units = 5 }, { layer = "dropout", rate = 0.5 }, { layer = "dense", units = 4, activation = "relu" }`,
		"attention": `{ layer = "residual", layers = [{ layer = "layer_norm" }, { layer = "attention", heads = 2 }], times = 2 }`,
		"blocks":    `{ layer = "transformer", heads = 2, depth = 2, positions = "sinusoidal" }`,
	} {
		t.Run(name, func(t *testing.T) {
			text := func(last string) string {
				return `[model]
preset = "text-vae"
latent_dim = 3
encoder = [{ layer = "embedding", units = 4 }, { layer = "gru", units = 4, return_sequences = false }]
decoder = [{ layer = "repeat" }, { layer = "teacher_forcing", units = 3 }, ` + layers + `, ` + last + `]
`
			}
			tokens := noise(n, length)
			tokens.values[0] = backend.NewHost(graph.I32(n, length))
			tokens.fields[0].Spec, tokens.fields[0].Classes = graph.I32(length), words
			rng := rand.New(rand.NewPCG(2, 3))
			for i := range n * length {
				tokens.values[0].Int32s()[i] = int32(rng.IntN(words))
			}
			steps, whole := live(t, text(`{ layer = "dense" }`), tokens, 4), live(t, text(`{ layer = "conv1d", kernel = 1 }`), tokens, 4)
			louder(t, steps)
			louder(t, whole)
			if steps.model.DecodeSteps() != length || whole.model.DecodeSteps() != 0 {
				t.Fatalf("%d steps, and %d of what cannot go on", steps.model.DecodeSteps(), whole.model.DecodeSteps())
			}
			if err := steps.Prepare(context.Background(), map[string]int{"reconstruct": 4}); err != nil || steps.runners[request{function: writeStep, batch: 4}] == nil {
				t.Fatalf("the steps are not prepared, %v", err)
			}
			for range 2 { // the second time over what another sequence has left, which was not finite
				spoil(t, steps)
				got, want := [2][]float32{}, [2][]float32{}
				for i, m := range []*Model{steps, whole} {
					recon, err := m.Reconstruct(context.Background(), tokens.values[0])
					if err != nil {
						t.Fatal(err)
					}
					drawn, err := m.Sample(context.Background(), n, 5)
					if err != nil {
						t.Fatal(err)
					}
					if into := [2][]float32{recon.Float32s(), drawn.Float32s()}; i == 0 {
						got = into
					} else {
						want = into
					}
				}
				for i, function := range []string{"reconstruct", "sample"} {
					if !slices.Equal(got[i], want[i]) {
						t.Errorf("%s in steps gives %v, as a whole %v", function, got[i], want[i])
					}
				}
				if all := slices.Concat(got[0], got[1]); slices.Max(all) == slices.Min(all) {
					t.Errorf("all words are %v", all[0])
				}
			}
			seen := 0
			err := steps.Each(context.Background(), tokens, "reconstruct", 0, func(r *Rows) error {
				seen += r.N
				if r.Out["recon"] == nil || r.Out["z"] == nil {
					t.Errorf("outputs are %v", r.Out)
				}
				return nil
			})
			if err != nil || seen != n {
				t.Errorf("%d examples, %v", seen, err)
			}
		})
	}
}

// spoil makes NaN of what lies in a model's memory from step to step.
func spoil(t *testing.T, m *Model) {
	t.Helper()
	for _, name := range m.state.Names() {
		spec, kind, _ := m.state.Spec(name)
		if kind != graph.Scratch || spec.DType != graph.Float32 {
			continue
		}
		v := backend.NewHost(spec)
		for i := range v.Float32s() {
			v.Float32s()[i] = float32(math.NaN())
		}
		if err := m.state.Write(name, kind, v); err != nil {
			t.Fatal(err)
		}
	}
}

// louder makes a model's weights five times as large, and its biases 0: its words differ then.
func louder(t *testing.T, m *Model) {
	t.Helper()
	for _, name := range m.state.Names() {
		spec, kind, _ := m.state.Spec(name)
		if kind != graph.Param {
			continue
		}
		v := backend.NewHost(spec)
		if err := m.state.Read(name, v); err != nil {
			t.Fatal(err)
		}
		for i := range v.Float32s() {
			if v.Float32s()[i] *= 5; strings.HasSuffix(name, ".bias") {
				v.Float32s()[i] = 0
			}
		}
		if err := m.state.Write(name, kind, v); err != nil {
			t.Fatal(err)
		}
	}
}

// Codes that a prior draws by going on are those that it draws from whole passes.
func TestDrawSteps(t *testing.T) {
	for name, layers := range map[string]string{
		"gru":         `{ layer = "gru", units = 6 }`,
		"transformer": `{ layer = "transformer", units = 6, heads = 2, positions = "learned" }`,
	} {
		for kind, bottleneck := range map[string]string{
			"map":    "kind = \"vq\"\ncodes = 8\n",
			"levels": "kind = \"residual-vq\"\ncodes = 5\nlevels = 2\n",
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				text := func(last string) string {
					return "[model]\nlatent_dim = 3\nencoder = [{ layer = \"conv2d\", filters = 4, kernel = 4, stride = 4 }]\nprior = { kind = \"autoregressive\", layers = [" +
						layers + ", " + last + "] }\n[model.bottleneck]\n" + bottleneck
				}
				src := noise(5, 1, 12, 12)
				draw := func(text string) []float32 {
					m := live(t, text, src, 3)
					z, err := m.SampleCodes(context.Background(), 5, 9)
					if err != nil {
						t.Fatal(strings.ReplaceAll(err.Error(), text, ""))
					}
					return z.Float32s()
				}
				got, want := draw(text(`{ layer = "dense", units = 6 }`)), draw(text(`{ layer = "conv1d", kernel = 1, filters = 6 }`))
				if !slices.Equal(got, want) {
					t.Errorf("in steps %v, by whole passes %v", got, want)
				}
			})
		}
	}
}
