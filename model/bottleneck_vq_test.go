package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/optim"
)

const tinyVQ = `
[model]
preset = "vq-vae"
latent_dim = 3
encoder = [{ layer = "conv2d", filters = 4, kernel = 2, stride = 2, activation = "tanh" }]
[model.bottleneck]
kind = "vq"
codes = 5
`

// nearest is the textbook's choice: the entry of the codebook at the least distance.
func nearest(row, book []float64) int {
	best, least, dim := 0, math.Inf(1), len(row)
	for k := range len(book) / dim {
		d := 0.0
		for j, v := range row {
			d += (v - book[k*dim+j]) * (v - book[k*dim+j])
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// Every position's vector becomes the nearest code, on maps, sequences and vectors.
func TestNearestCode(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		x    []int
		code graph.Shape
	}{
		"map":      {tinyVQ, []int{1, 6, 4}, graph.Shape{3, 3, 2}},
		"vector":   {"[model]\nlatent_dim = 3\nencoder = []\nbottleneck = { kind = \"vq\", codes = 5 }\n", []int{7}, graph.Shape{3}},
		"as it is": {"[model]\nlatent_dim = 0\nencoder = [{ layer = \"dense\", units = 4 }]\nbottleneck = { kind = \"vq\", codes = 5 }\n", []int{7}, graph.Shape{4}},
		"sequence": {"[model]\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 4 }]\nbottleneck = { kind = \"vq\", codes = 5 }\n", []int{6, 2}, graph.Shape{6, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, c.text, c.x...)
			if !m.Code.Equal(c.code) {
				t.Fatalf("the code is %v, want %v", m.Code, c.code)
			}
			fn, err := m.Encode(2)
			if err != nil {
				t.Fatal(err)
			}
			fed := feed(fn, 3)
			book := fed["encoder.codebook"]
			rows, codes := evaluate(t, fed, toRows(straightTo(t, fn.Forward.Code))), evaluate(t, fed, toRows(fn.Forward.Code))
			index := evaluate(t, fed, fn.Outputs["indices"])
			dim := channelsOf(m.Code)
			for i := range len(rows.Data) / dim {
				want := nearest(rows.Data[i*dim:(i+1)*dim], book.Data)
				if got := int(index.Data[i]); got != want {
					t.Errorf("position %d has code %d, nearest is %d", i, got, want)
				}
				for j := range dim {
					if codes.Data[i*dim+j] != book.Data[want*dim+j] {
						t.Fatalf("position %d is not its code", i)
					}
				}
			}
			if want := append(graph.Shape{2}, positionsOf(m.Code)...); !index.Shape.Equal(want) {
				t.Errorf("indices are %v, want %v", index.Shape, want)
			}
			checkFunctions(t, m)
		})
	}
}

// straightTo finds the value before quantisation: that to which the straight-through gradient goes.
func straightTo(t *testing.T, z graph.Value) graph.Value {
	t.Helper()
	v := z
	for v.Node.Op.Name() != "StraightThrough" {
		if len(v.Node.In) == 0 {
			t.Fatal("no straight-through gradient")
		}
		v = v.Node.In[0]
	}
	return op.Reshape(fromRows(v.Node.In[1], z.Dim(0), z.Shape()[1:]), z.Shape()...)
}

// The gradient is that of the choice: the decoder's goes to the encoder as it is, the commitment's is 2(z - e).
func TestStraightThroughGradient(t *testing.T) {
	for _, update := range []string{"ema", "gradient"} {
		m := build(t, tinyVQ+"update = \""+update+"\"\n", 1, 4, 4)
		fn, err := m.Train(3)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 3)
		fed["encoder.codebook_steps"].Data[0] = 1
		terms := map[string]graph.Value{}
		for _, term := range fn.Terms {
			terms[term.Name] = term.Value
		}
		through := fn.Forward.Code
		weight := fn.Graph.Lookup("encoder.code.weight").Leaf
		// commitment: differences of the real function, as the codes do not change by small steps
		commitment := op.MeanAll(terms["commitment"])
		grad := evaluate(t, fed, graph.Grad(commitment, weight)[0])
		step := 1e-6
		for i := range grad.Data {
			ahead, behind := clone(fed), clone(fed)
			ahead["encoder.code.weight"].Data[i] += step
			behind["encoder.code.weight"].Data[i] -= step
			if want := (number(t, ahead, commitment) - number(t, behind, commitment)) / (2 * step); !close(grad.Data[i], want, 1e-5) {
				t.Errorf("%s: commitment: gradient %d is %v, difference %v", update, i, grad.Data[i], want)
			}
		}
		_, hasCodebook := terms["codebook"]
		if hasCodebook != (update == "gradient") {
			t.Errorf("%s: term codebook: %v", update, hasCodebook)
		}
		trained := false
		for _, p := range fn.Losses[0].Parameters(fn.Graph) {
			trained = trained || p.Name == "encoder.codebook"
		}
		if trained != (update == "gradient") {
			t.Errorf("%s: gradients train the codebook: %v", update, trained)
		}
		// the decoder's gradient reaches the encoder as if nothing were quantised
		recon := op.MeanAll(terms["reconstruction"])
		toCode := evaluate(t, fed, graph.Grad(recon, through)[0])
		toZ := evaluate(t, fed, graph.Grad(recon, zOf(through))[0])
		rows := 0.0
		for i := range toCode.Data {
			rows += toCode.Data[i]
		}
		sum := 0.0
		for i := range toZ.Data {
			sum += toZ.Data[i]
		}
		if !close(sum, rows, 1e-9) || sum == 0 {
			t.Errorf("%s: the gradient before is %v, behind %v", update, sum, rows)
		}
	}
}

// zOf is the rows to which the gradient goes.
func zOf(v graph.Value) graph.Value {
	for v.Node.Op.Name() != "StraightThrough" {
		v = v.Node.In[0]
	}
	return v.Node.In[1]
}

// The running means of a step, by hand; in the first step the codebook is made of rows of the batch; dead codes start again.
func TestRunningMeans(t *testing.T) {
	m := build(t, tinyVQ+"decay = 0.9\ndead_below = 0.5\n", 1, 4, 4)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	g := fn.Graph
	z := evaluate(t, fed, zOf(fn.Forward.Code))
	isRow := func(row []float64) bool {
		for i := 0; i < len(z.Data); i += 3 {
			if z.Data[i] == row[0] && z.Data[i+1] == row[1] && z.Data[i+2] == row[2] {
				return true
			}
		}
		return false
	}
	first := evaluate(t, fed, evaluateCodes(t, fn))
	for i := 0; i < len(first.Data); i += 3 {
		if !isRow(first.Data[i : i+3]) {
			t.Errorf("the first codebook does not come from the batch: %v", first.Data[i:i+3])
		}
	}
	// a step later
	fed["encoder.codebook_steps"].Data[0] = 200
	use, sum, book := fed["encoder.codebook_use"], fed["encoder.codebook_sum"], fed["encoder.codebook"]
	for k := range use.Data {
		use.Data[k] = 2 + float64(k)
		for j := range 3 {
			sum.Data[3*k+j] = book.Data[3*k+j] * use.Data[k]
		}
	}
	use.Data[4], sum.Data[12], book.Data[12] = 0.01, 100, 1e3 // far away and unused: dead
	wantUse, wantSum := make([]float64, 5), make([]float64, 15)
	for k := range wantUse {
		wantUse[k] = 0.9 * use.Data[k]
		for j := range 3 {
			wantSum[3*k+j] = 0.9 * sum.Data[3*k+j]
		}
	}
	for i := 0; i < len(z.Data); i += 3 {
		k := nearest(z.Data[i:i+3], book.Data)
		wantUse[k] += 0.1
		for j := range 3 {
			wantSum[3*k+j] += 0.1 * z.Data[i+j]
		}
	}
	now := evaluate(t, fed, g.Lookup("encoder.codebook").Now)
	gotUse := evaluate(t, fed, g.Lookup("encoder.codebook_use").Now)
	even := 12.0 / 5
	for k := range wantUse {
		if wantUse[k] < 0.5*even {
			if !isRow(now.Data[3*k:3*k+3]) || gotUse.Data[k] != float64(float32(even)) && math.Abs(gotUse.Data[k]-even) > 1e-9 {
				t.Errorf("dead code %d is %v with use %v: want a row of the batch and %v", k, now.Data[3*k:3*k+3], gotUse.Data[k], even)
			}
			continue
		}
		if !close(gotUse.Data[k], wantUse[k], 1e-9) {
			t.Errorf("use of %d is %v, want %v", k, gotUse.Data[k], wantUse[k])
		}
		for j := range 3 {
			if got, want := now.Data[3*k+j], wantSum[3*k+j]/wantUse[k]; !close(got, want, 1e-4) {
				t.Errorf("code %d[%d] is %v, want %v", k, j, got, want)
			}
		}
	}
	if wantUse[4] >= 0.5*even {
		t.Error("no code was dead: the test shows nothing")
	}
}

// evaluateCodes is the codebook that a training graph quantises with.
func evaluateCodes(t *testing.T, fn *Function) graph.Value {
	t.Helper()
	for _, n := range fn.Graph.Nodes() {
		if n.Op.Name() == "Gather" && n.In[0].Node.Op.Name() == "Select" {
			return n.In[0]
		}
	}
	t.Fatal("no codebook is gathered from")
	return graph.Value{}
}

// Residual levels: their codes add up to the code, and each level leaves no more than the one before.
func TestResidualLevels(t *testing.T) {
	text := strings.Replace(tinyVQ, `kind = "vq"`, "kind = \"residual-vq\"\nlevels = 3", 1)
	m := build(t, text, 1, 6, 4)
	fn, err := m.Encode(2)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	z, index := evaluate(t, fed, zOf(fn.Forward.Code)), evaluate(t, fed, fn.Outputs["indices"])
	code := evaluate(t, fed, toRows(fn.Forward.Code))
	if want := (graph.Shape{2, 3, 2, 3}); !index.Shape.Equal(want) {
		t.Fatalf("indices are %v, want %v", index.Shape, want)
	}
	books := []graph.Tensor{fed["encoder.level0.codebook"], fed["encoder.level1.codebook"], fed["encoder.level2.codebook"]}
	for i := range len(z.Data) / 3 {
		left, sum := append([]float64(nil), z.Data[3*i:3*i+3]...), make([]float64, 3)
		for level, book := range books {
			k := nearest(left, book.Data)
			if got := int(index.Data[3*i+level]); got != k {
				t.Errorf("row %d, level %d: code %d, nearest is %d", i, level, got, k)
			}
			for j := range 3 {
				left[j] -= book.Data[3*k+j]
				sum[j] += book.Data[3*k+j]
			}
		}
		for j := range 3 {
			if !close(code.Data[3*i+j], sum[j], 1e-12) {
				t.Errorf("row %d is %v, its codes add up to %v", i, code.Data[3*i+j], sum[j])
			}
		}
	}
	checkFunctions(t, m)
}

// FSQ rounds to its levels, all of which can be reached, and gives each grid point its own index.
func TestFiniteScalars(t *testing.T) {
	m := build(t, "[model]\npreset = \"fsq\"\nencoder = [{ layer = \"dense\", units = 4 }]\nbottleneck = { kind = \"fsq\", levels = [2, 3, 4, 5] }\n", 4)
	fn, err := m.Encode(400)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	for _, name := range []string{"encoder.0.weight", "encoder.code.weight"} {
		for i := range fed[name].Data {
			fed[name].Data[i] = 0
			if i/4 == i%4 {
				fed[name].Data[i] = 3
			}
		}
	}
	for _, name := range []string{"encoder.0.bias", "encoder.code.bias"} {
		for i := range fed[name].Data {
			fed[name].Data[i] = 0
		}
	}
	for i := range fed["x"].Data {
		fed["x"].Data[i] -= 0.5
	}
	code, index := evaluate(t, fed, fn.Forward.Code), evaluate(t, fed, fn.Outputs["indices"])
	seen := map[[4]float64]float64{}
	values := [4]map[float64]bool{{}, {}, {}, {}}
	for i, at := range index.Data {
		point := [4]float64(code.Data[4*i : 4*i+4])
		if other, have := seen[point]; have && other != at {
			t.Fatalf("%v has indices %v and %v", point, other, at)
		}
		seen[point] = at
		for j, v := range point {
			values[j][v] = true
			if v < -1 || v > 1 || at < 0 || at >= 120 {
				t.Fatalf("%v of index %v lies outside", point, at)
			}
		}
	}
	for j, levels := range []int{2, 3, 4, 5} {
		if len(values[j]) != levels {
			t.Errorf("channel %d takes %d values, want %d", j, len(values[j]), levels)
		}
	}
	checkFunctions(t, m)
	for text, want := range map[string]string{
		"latent_dim = 7\nbottleneck = { kind = \"fsq\" }\n":                         "one channel for each of its levels [8 5 5 5]: latent_dim = 0 or 4, not 7",
		"latent_dim = 0\nbottleneck = { kind = \"fsq\", levels = [] }\n":            "there are none",
		"latent_dim = 0\nbottleneck = { kind = \"fsq\", levels = [9999, 9999] }\n":  "more than 16777216 codes",
		"latent_dim = 0\nbottleneck = { kind = \"fsq\", levels = [8, 1] }\n":        "levels",
		"latent_dim = 3\nbottleneck = { kind = \"vq\", codes = 1 }\n":               "codes",
		"latent_dim = 3\nbottleneck = { kind = \"vq\", update = \"emma\" }\n":       "did you mean ema?",
		"latent_dim = 3\nbottleneck = { kind = \"vq\", commitment = -1 }\n":         "commitment",
		"latent_dim = 3\nbottleneck = { kind = \"vq\" }\npenalties = { kl = {} }\n": "kl needs a posterior",
	} {
		c, err := tryRead("[model]\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(4)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Quantised models learn one batch by heart.
func TestQuantisedOverfits(t *testing.T) {
	for name, text := range map[string]string{
		"ema":         "bottleneck = { kind = \"vq\", codes = 8, decay = 0.8 }\n",
		"gradient":    "bottleneck = { kind = \"vq\", codes = 8, update = \"gradient\" }\n",
		"residual-vq": "bottleneck = { kind = \"residual-vq\", codes = 4, levels = 2, decay = 0.8 }\n",
		"fsq":         "bottleneck = { kind = \"fsq\", levels = [5, 5] }\n",
	} {
		t.Run(name, func(t *testing.T) {
			latent := "latent_dim = 2\n"
			m := build(t, "[model]\n"+latent+"encoder = [{ layer = \"dense\", units = 8, activation = \"tanh\" }]\n"+text, 6)
			first, last := overfit(t, m, 6, 300, 0.02)
			if last > first/4 {
				t.Errorf("reconstruction went from %v to %v", first, last)
			}
		})
	}
}

// overfit trains on one batch of n rows and returns the reconstruction before and after.
func overfit(t *testing.T, m *Model, n, steps int, rate float64) (first, last float64) {
	t.Helper()
	fn, err := m.Train(n)
	if err != nil {
		t.Fatal(err)
	}
	var ls []optim.Loss
	for _, l := range fn.Losses {
		ls = append(ls, optim.Loss{Name: l.Name, Value: l.Value, Params: l.Parameters(fn.Graph), Config: optim.Defaults(), Gated: l.EverySteps > 1})
	}
	optim.Step(fn.Graph, ls, optim.Options{Counter: fn.Graph.Lookup(StateStep).Now})
	fed := feed(fn, 4)
	fed[optim.InputLearningRate] = graph.Tensor{Spec: graph.F32(), Data: []float64{rate}}
	x := graph.NewTensor(graph.F32(append([]int{n}, m.X...)...))
	for i := range x.Data {
		x.Data[i] = 0.5 + 0.5*math.Sin(float64(i*i)+0.3)
	}
	fed["x"] = x
	for _, st := range fn.Graph.States() {
		if _, have := fed[st.Name]; !have {
			fed[st.Name] = graph.NewTensor(st.Spec)
		}
	}
	wanted := []graph.Value{op.MeanAll(fn.Terms[0].Value)}
	for _, st := range fn.Graph.States() {
		wanted = append(wanted, st.Now)
	}
	for i := range steps {
		out, err := graph.Evaluate(wanted, fed)
		if err != nil {
			t.Fatal(err)
		}
		if last = out[0].Data[0]; i == 0 {
			first = last
		}
		for j, st := range fn.Graph.States() {
			fed[st.Name] = out[j+1]
		}
	}
	return first, last
}

// A trained codebook is used: its perplexity is above half its size, where restarts find places for the codes that nobody took.
func TestPerplexity(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 8, activation = \"tanh\" }]\nbottleneck = { kind = \"vq\", codes = 16, decay = 0.9, dead_below = 0.2 }\n", 6)
	fn, err := m.Train(64)
	if err != nil {
		t.Fatal(err)
	}
	l := fn.Losses[0]
	optim.Step(fn.Graph, []optim.Loss{{Name: l.Name, Value: l.Value, Params: l.Parameters(fn.Graph), Config: optim.Defaults()}},
		optim.Options{Counter: fn.Graph.Lookup(StateStep).Now})
	fed := feed(fn, 4) // x is drawn evenly: no cluster is there to be found
	fed[optim.InputLearningRate] = graph.Tensor{Spec: graph.F32(), Data: []float64{0.01}}
	var wanted []graph.Value
	for _, term := range fn.Terms {
		if term.Name == "perplexity" {
			wanted = []graph.Value{term.Value}
		}
	}
	for _, st := range fn.Graph.States() {
		if _, have := fed[st.Name]; !have {
			fed[st.Name] = graph.NewTensor(st.Spec)
		}
		wanted = append(wanted, st.Now)
	}
	perplexity := 0.0
	for range 150 {
		out, err := graph.Evaluate(wanted, fed)
		if err != nil {
			t.Fatal(err)
		}
		perplexity = out[0].Data[0]
		for j, st := range fn.Graph.States() {
			fed[st.Name] = out[j+1]
		}
	}
	if t.Logf("perplexity %.3g of 16", perplexity); perplexity <= 8 {
		t.Errorf("the perplexity is %v, want more than 8 of 16", perplexity)
	}
}
