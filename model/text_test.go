package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/prob"
)

// textFields are tokens of a vocabulary of 7, 4 an example, the last of which may be missing.
var textFields = []Field{{Name: FieldX, Spec: graph.I32(4), Classes: 7}, {Name: FieldMask, Spec: graph.F32(4)}}

const smallText = `[model]
preset = "text-vae"
latent_dim = 2
encoder = [{ layer = "embedding", units = 3 }, { layer = "lstm", units = 3, return_sequences = false }]
decoder = [{ layer = "repeat" }, { layer = "teacher_forcing", units = 2, word_dropout = 0.3 }, { layer = "gru", units = 3 }, { layer = "dense" }]
`

// ofText builds a model of tokens.
func ofText(t *testing.T, text string) *Model {
	t.Helper()
	m, err := New(read(t, text), textFields)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

// textFeed feeds tokens, the last one of the second example hidden.
func textFeed(fn *Function, tokens ...float64) map[string]graph.Tensor {
	fed := feed(fn, 3)
	for _, n := range fn.Graph.Inputs() {
		switch n.Op.(graph.Input).Label {
		case FieldX:
			copy(fed[FieldX].Data, tokens)
		case FieldMask:
			for i := range fed[FieldMask].Data {
				fed[FieldMask].Data[i] = 1
			}
			fed[FieldMask].Data[7] = 0
		}
	}
	return fed
}

func TestTextVAE(t *testing.T) {
	m := ofText(t, smallText)
	fn, err := m.Train(2)
	if err != nil {
		t.Fatal(err)
	}
	params := fn.Losses[0].Parameters(fn.Graph)
	leaves := make([]graph.Value, len(params))
	for i, p := range params {
		leaves[i] = p.Leaf
	}
	grads := graph.Grad(fn.Loss, leaves...)
	fed := textFeed(fn, 2, 3, 4, 0, 5, 6, 0, 0)
	for i, p := range params {
		if !grads[i].Valid() {
			t.Fatalf("no gradient reaches %s", p.Name)
		}
		at := len(fed[p.Name].Data) / 2
		want := evaluate(t, fed, grads[i]).Data[at]
		ahead, behind, step := clone(fed), clone(fed), 1e-5
		ahead[p.Name].Data[at] += step
		behind[p.Name].Data[at] -= step
		got := (number(t, ahead, fn.Loss) - number(t, behind, fn.Loss)) / (2 * step)
		if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("%s: difference %v, gradient %v", p.Name, got, want)
		}
	}
	checkTokens(t, m)
}

// checkTokens wants tokens of every function.
func checkTokens(t *testing.T, m *Model) {
	t.Helper()
	for name, make := range map[string]func() (*Function, error){
		"evaluate":    func() (*Function, error) { return m.Evaluate(2, 0) },
		"reconstruct": func() (*Function, error) { return m.Reconstruct(2) },
		"denoise":     func() (*Function, error) { return m.Denoise(2) },
		"decode":      func() (*Function, error) { return m.Decode(2) },
		"sample":      func() (*Function, error) { return m.Sample(2) },
	} {
		fn, err := make()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		recon := evaluate(t, textFeed(fn, 2, 3, 4, 0, 5, 6, 0, 0), fn.Outputs["recon"])
		if !recon.Shape.Equal(graph.Shape{2, 4}) {
			t.Errorf("%s: recon is %v", name, recon.Shape)
		}
		for _, v := range recon.Data {
			if v != math.Trunc(v) || v < 0 || v > 6 {
				t.Errorf("%s: %v is no token", name, v)
			}
		}
	}
}

// toldAndFed builds the logits of a decoder that is told x, and what it gives when it is fed its own output, of two codes.
func toldAndFed(t *testing.T, m *Model) (g *graph.Graph, logits, own graph.Value) {
	t.Helper()
	fn := m.begin(2, false)
	g = fn.Graph
	z := g.Input("z", graph.F32(append([]int{2}, m.Code...)...))
	free := m.begun(fn.Scope, Inference, 2)
	own = free.Decode(z).Mean()
	f := m.begun(fn.Scope, Evaluation, 2)
	f.X = g.Input("told", graph.F32(2, 4))
	logits = f.Decode(z).(prob.Tokens).Logits
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	return g, logits, own
}

// toldFeed feeds codes, tokens and the weights as they start.
func toldFeed(g *graph.Graph, tokens ...float64) map[string]graph.Tensor {
	fed := feed(&Function{Graph: g}, 5)
	copy(fed["told"].Data, tokens)
	return fed
}

// A time is told the tokens before it, neither its own nor later ones; and what a decoder that is fed its own output finds likeliest
// is what it finds when it is told that very output.
func TestTeacherForcing(t *testing.T) {
	for name, decoder := range map[string]string{
		"gru":         `[{ layer = "repeat" }, { layer = "teacher_forcing", units = 2 }, { layer = "gru", units = 3 }, { layer = "dense" }]`,
		"transformer": `[{ layer = "dense", units = 16 }, { layer = "reshape", shape = [4, 4] }, { layer = "teacher_forcing", units = 4 }, { layer = "transformer", heads = 2, positions = "sinusoidal" }, { layer = "conv1d", filters = 5, kernel = 2, padding = "same" }, { layer = "dense" }]`,
	} {
		t.Run(name, func(t *testing.T) {
			m := ofText(t, "[model]\npreset = \"text-vae\"\nlatent_dim = 2\nencoder = [{ layer = \"embedding\", units = 4, positions = \"learned\" }, { layer = \"transformer\", heads = 2 }]\ndecoder = "+decoder+"\n")
			checkTokens(t, m)
			g, logits, own := toldAndFed(t, m)
			base := evaluate(t, toldFeed(g, 2, 3, 4, 1, 5, 6, 1, 2), logits).Data
			later := evaluate(t, toldFeed(g, 2, 0, 4, 1, 5, 6, 1, 2), logits).Data
			for i := range base {
				n, at := i/28, i/7%4
				if changed := math.Abs(later[i]-base[i]) > 1e-12; changed != (n == 0 && at > 1) {
					t.Errorf("example %d, time %d: another token at time 1 changes it: %v", n, at, changed)
				}
			}
			chosen := evaluate(t, toldFeed(g), own)
			back := evaluate(t, toldFeed(g, chosen.Data...), prob.Tokens{Logits: logits}.Mean())
			for i, v := range back.Data {
				if v != chosen.Data[i] {
					t.Errorf("place %d: fed its own output it finds %v, told it %v", i, chosen.Data[i], v)
				}
			}
		})
	}
}

// What the data's mask hides costs nothing.
func TestHiddenTokensCostNothing(t *testing.T) {
	m := ofText(t, smallText)
	fn, err := m.Evaluate(2, 0)
	if err != nil {
		t.Fatal(err)
	}
	fed := textFeed(fn, 2, 3, 4, 1, 5, 6, 1, 2)
	base := evaluate(t, fed, fn.Loss).Data[0]
	fed[FieldX].Data[7] = 3
	if got := evaluate(t, fed, fn.Loss).Data[0]; got != base {
		t.Errorf("another hidden token makes the loss %v of %v", got, base)
	}
}

func TestTextMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"both ways", strings.Replace(smallText, `{ layer = "gru", units = 3 }`, `{ layer = "gru", units = 3, bidirectional = true }`, 1),
			"model.decoder[2] (gru): it has to walk ahead over whole sequences: leave bidirectional and return_sequences out"},
		{"no likelihood of tokens", smallText + "[model.reconstruction]\nkind = \"mse\"\n",
			"model.reconstruction: mse takes numbers, and x holds tokens: use categorical"},
	} {
		if _, err := New(read(t, c.text), textFields); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
	if got, want := sentence(smallText, 4), "t.toml:4: model.encoder[0] (embedding): size is missing: how many different tokens there are"; got != want {
		t.Errorf("numbers that are no tokens:\n got %s\nwant %s", got, want)
	}
	if got, want := sentence("[model]\n[model.corruption]\nkind = \"tokens\"\n", 4), "t.toml:3: model.corruption: x is float32[4] and holds no tokens: take masking"; !strings.HasSuffix(got, "holds no tokens: take masking") {
		t.Errorf("tokens of numbers:\n got %s\nwant %s", got, want)
	}
}
