package model

import (
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/graph"
)

const threeMembers = `
[model]
preset = "ensemble"
latent_dim = 2
encoder = [{ layer = "dense", units = 5, activation = "tanh" }]
[model.ensemble]
members = 3
`

// inner is a function's output of one member alone, its weights taken from the ensemble's.
func inner(t *testing.T, m *Model, member int, fed map[string]graph.Tensor, make func(*Model) (*Function, error), output string) []float64 {
	t.Helper()
	fn, err := make(m.single)
	if err != nil {
		t.Fatal(err)
	}
	own := clone(fed)
	for name, v := range fed {
		if plain, whose := memberless(name); plain != name && whose == member {
			own[plain] = v
		}
	}
	return evaluate(t, own, fn.Outputs[output]).Data
}

// Members are models of their own that share nothing but the input: each one's outputs are those of the single model with its
// weights, and the ensemble's are made of them as they should be.
func TestEnsembleCombines(t *testing.T) {
	middle := func(v []float64) float64 { slices.Sort(v); return v[1] }
	for combine, of := range map[string]func([]float64) float64{
		"median": middle,
		"max":    slices.Max[[]float64],
		"mean":   func(v []float64) float64 { return (v[0] + v[1] + v[2]) / 3 },
	} {
		m := build(t, threeMembers+"combine = \""+combine+"\"\n", 6)
		score := func(m *Model) (*Function, error) { return m.Score(4) }
		reconstruct := func(m *Model) (*Function, error) { return m.Reconstruct(4) }
		fn, err := score(m)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 3)
		var scores, errors, recons, codes [3][]float64
		for k := range 3 {
			scores[k] = inner(t, m, k, fed, score, "score")
			errors[k] = inner(t, m, k, fed, score, "errors")
			recons[k] = inner(t, m, k, fed, reconstruct, "recon")
			codes[k] = inner(t, m, k, fed, reconstruct, "z")
		}
		if slices.Equal(scores[0], scores[1]) || slices.Equal(codes[1], codes[2]) {
			t.Fatal("members do not differ")
		}
		together := func(what string, got []float64, parts [3][]float64, of func([]float64) float64) {
			for i, v := range got {
				if want := of([]float64{parts[0][i], parts[1][i], parts[2][i]}); !close(v, want, 1e-12) {
					t.Errorf("%s: %s %d is %v, want %v", combine, what, i, v, want)
				}
			}
		}
		together("score", evaluate(t, fed, fn.Outputs["score"]).Data, scores, of)
		together("error", evaluate(t, fed, fn.Outputs["errors"]).Data, errors, of)
		whole, err := reconstruct(m)
		if err != nil {
			t.Fatal(err)
		}
		recon, z := evaluate(t, fed, whole.Outputs["recon"]).Data, evaluate(t, fed, whole.Outputs["z"])
		together("recon", recon, recons, func(v []float64) float64 { return (v[0] + v[1] + v[2]) / 3 })
		if !z.Shape.Equal(graph.Shape{4, 6}) || !m.Code.Equal(graph.Shape{6}) || z.Data[0] != codes[0][0] || z.Data[2] != codes[1][0] || z.Data[11] != codes[2][3] {
			t.Errorf("codes are %v: %v, of %v", z.Shape, z.Data, codes)
		}
		decode, err := m.Decode(4)
		if err != nil {
			t.Fatal(err)
		}
		fed["z"] = z
		if got := evaluate(t, fed, decode.Outputs["recon"]).Data; !slices.Equal(got, recon) {
			t.Errorf("decoded codes are %v, reconstructions %v", got, recon)
		}
	}
}

// Of an even number of members the median is half-way between the two in the middle.
func TestEvenEnsemble(t *testing.T) {
	m := build(t, strings.Replace(threeMembers, "members = 3", "members = 2", 1), 6)
	score := func(m *Model) (*Function, error) { return m.Score(2) }
	fn, err := score(m)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	a, b := inner(t, m, 0, fed, score, "score"), inner(t, m, 1, fed, score, "score")
	for i, got := range evaluate(t, fed, fn.Outputs["score"]).Data {
		if want := (a[i] + b[i]) / 2; !close(got, want, 1e-12) {
			t.Errorf("score %d is %v, want %v", i, got, want)
		}
	}
}

// All members are trained, each by its own loss: gradients are those of differences, terms and loss are means over members. Parts with
// schedules, normalisation, conditions of shape, drawn codes and penalties on all weights work member by member.
func TestEnsembleTrains(t *testing.T) {
	for name, text := range map[string]string{
		"plain": threeMembers,
		"vae":   "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4, norm = \"batch\", activation = \"tanh\" }]\n[model.ensemble]\nmembers = 2\n[model.penalties.kl]\nbeta = { from = 0.0, to = 1.0, epochs = 2 }\n[model.penalties.decay]\nweight = 0.1\n[model.penalties.l1]\non = \"encoder.0\"\n",
		"conv":  "[model]\npreset = \"conv-ae\"\nlatent_dim = 3\nencoder = [{ layer = \"conv2d\", filters = 2, kernel = 3, stride = 2, padding = \"same\", activation = \"tanh\" }]\n[model.ensemble]\nmembers = 2\n",
		"tied":  "[model]\ntied = true\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n[model.ensemble]\nmembers = 2\nconnections = 0.5\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, text, 1, 5, 6)
			checkGradient(t, m)
			fn, err := m.Train(3)
			if err != nil {
				t.Fatal(err)
			}
			fed := feed(fn, 4)
			sum, terms := number(t, fed, fn.Losses[0].Value), 0.0
			if mean := number(t, fed, fn.Loss); !close(sum, mean*float64(m.Config.Ensemble.Members), 1e-9) {
				t.Errorf("the loss is %v, the sum that is trained %v", mean, sum)
			}
			for _, v := range evaluate(t, fed, fn.Terms[0].Value).Data {
				terms += v / 3
			}
			if name == "plain" && !close(terms, number(t, fed, fn.Loss), 1e-9) {
				t.Errorf("the reconstruction term is %v, the loss %v", terms, number(t, fed, fn.Loss))
			}
			for _, l := range fn.Losses {
				for _, p := range l.Parameters(fn.Graph) {
					if !strings.HasPrefix(p.Name, "member.") {
						t.Errorf("%s belongs to no member", p.Name)
					}
				}
			}
			if len(fn.Scalars) > 1 {
				t.Errorf("a schedule is fed %d times", len(fn.Scalars))
			}
		})
	}
}

// A member has about the share of connections that is wanted, others than the next one, and what is not connected does not matter.
func TestConnections(t *testing.T) {
	m := build(t, threeMembers+"connections = 0.632\n", 40)
	fn, err := m.Score(2)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	score := evaluate(t, fed, fn.Outputs["score"]).Data
	all, on := 0.0, 0.0
	for name, v := range fed {
		weight, mask := fed[strings.TrimSuffix(name, "connections")+"weight"], strings.HasSuffix(name, ".connections")
		if !mask {
			continue
		}
		for i, c := range v.Data {
			all, on = all+1, on+c
			if c == 0 {
				weight.Data[i] += 7
			}
		}
	}
	if share := on / all; math.Abs(share-0.632) > 0.05 || all != 3*2*(40*5+5*2) {
		t.Errorf("%v of %v connections are there", on, all)
	}
	if slices.Equal(fed["member.0.encoder.0.connections"].Data, fed["member.1.encoder.0.connections"].Data) {
		t.Error("two members have the same connections")
	}
	if got := evaluate(t, fed, fn.Outputs["score"]).Data; !slices.Equal(got, score) {
		t.Errorf("weights that are not connected change the score from %v to %v", score, got)
	}
}

// A likelihood is that of the members' mixture.
func TestEnsembleLikelihood(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4 }]\n[model.ensemble]\nmembers = 3\n", 6)
	fn, err := m.NLL(2, 4)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	weights, got := evaluate(t, fed, fn.Outputs["log_weights"]), evaluate(t, fed, fn.Outputs["log_likelihood"]).Data
	if !weights.Shape.Equal(graph.Shape{2, 12}) {
		t.Fatalf("log-weights are %v", weights.Shape)
	}
	for i := range 2 {
		sum := 0.0
		for _, w := range weights.Data[i*12 : (i+1)*12] {
			sum += math.Exp(w)
		}
		if want := math.Log(sum / 12); !close(got[i], want, 1e-9) {
			t.Errorf("log p(x) is %v, want %v", got[i], want)
		}
	}
}

func TestEnsembleMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"members = 0": "members",
		"members = 2\n[model.prior]\nkind = \"gaussian-mixture\"": "no prior is common to them",
		"members = 2\ncombine = \"meadian\"":                      "did you mean median?",
		"members = 2\nconnections = 0.0":                          "connections",
	} {
		c, err := tryRead("[model]\n[model.ensemble]\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(6)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if _, err := build(t, threeMembers, 6).Sample(1); err == nil || !strings.Contains(err.Error(), "train one model to sample from it") {
		t.Errorf("samples: %v", err)
	}
}

// A frozen network is one for all members, with all its connections.
func TestEnsembleSharesFrozenNetwork(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4 }]\n[model.ensemble]\nmembers = 2\nconnections = 0.5\n[model.reconstruction]\nkind = \"perceptual\"\nlayers = [{ layer = \"conv2d\", filters = 3, kernel = 3 }, { layer = \"flatten\" }, { layer = \"dense\", units = 3 }]\n", 1, 5, 6)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	frozen := 0
	for _, s := range fn.Graph.States() {
		if strings.Contains(s.Name, "network") {
			frozen++
			if strings.HasPrefix(s.Name, "member.") || strings.HasSuffix(s.Name, "connections") {
				t.Errorf("%s is a member's", s.Name)
			}
		}
	}
	if frozen != 4 {
		t.Errorf("%d arrays are frozen, want two weights and two biases", frozen)
	}
}

// A member whose error is not finite is one score among others.
func TestMedianBesideInf(t *testing.T) {
	g := graph.New()
	var parts []*Function
	for _, v := range [][]float64{{1, math.Inf(1), math.NaN()}, {math.Inf(1), 5, 2}, {3, 4, 1}} {
		parts = append(parts, &Function{Outputs: map[string]graph.Value{"score": g.Constant(graph.F32(3), v...)}})
	}
	median := newEnsemble().combine(parts, func(p *Function) graph.Value { return p.Outputs["score"] })
	if got, want := evaluate(t, nil, median).Data, []float64{3, 5, 2}; !slices.Equal(got, want) {
		t.Errorf("medians are %v, want %v", got, want)
	}
}

// Encoder and decoder lose connections, nothing beside them.
func TestConnectionsOfTheAutoencoder(t *testing.T) {
	m := build(t, "[model]\npreset = \"aae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4 }]\n[model.ensemble]\nmembers = 2\nconnections = 0.5\n", 6)
	thinned, whole := map[string]bool{}, 0
	for phase := range m.Phases() {
		fn, err := m.TrainPhase(2, phase)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range fn.Graph.States() {
			name, _ := memberless(s.Name)
			if layer, ok := strings.CutSuffix(name, ".connections"); ok {
				thinned[layer] = true
			}
			if strings.HasPrefix(name, adversariesPath) && strings.HasSuffix(name, ".weight") {
				whole++
			}
		}
	}
	if len(thinned) != 4 || !thinned["encoder.0"] || !thinned["encoder.code"] || !thinned["decoder.0"] || !thinned["decoder.1"] || whole == 0 {
		t.Errorf("thinned are %v, and discriminators have %d weights", thinned, whole)
	}
}

// What a denoising ensemble shows as its input is what every member saw.
func TestEnsembleDenoisesOneInput(t *testing.T) {
	m := build(t, strings.Replace(threeMembers, "\"ensemble\"", "\"denoising\"", 1), 6)
	denoise := func(m *Model) (*Function, error) { return m.Denoise(4) }
	fn, err := denoise(m)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	input, recon := evaluate(t, fed, fn.Outputs["input"]).Data, evaluate(t, fed, fn.Outputs["recon"]).Data
	if slices.Equal(input, fed[FieldX].Data) {
		t.Fatal("nothing is corrupted")
	}
	want := make([]float64, len(recon))
	for k := range 3 {
		if got := inner(t, m, k, fed, denoise, "input"); !slices.Equal(got, input) {
			t.Errorf("member %d sees %v, shown is %v", k, got, input)
		}
		for i, v := range inner(t, m, k, fed, denoise, "recon") {
			want[i] += v / 3
		}
	}
	for i, v := range recon {
		if !close(v, want[i], 1e-12) {
			t.Errorf("value %d is %v, the members' mean %v", i, v, want[i])
		}
	}
}
