package trainer_test

import (
	"context"
	"math"
	"strconv"
	"testing"

	"aetrain/infer"
	"aetrain/model"
)

const annealed = `
name = "annealed"
seed = 3
[data]
source = "digits"
limit = 700
batch = 50
validation = 200
[model]
latent_dim = 6
encoder = [{ layer = "dense", units = 48, activation = "relu" }]
[optimizer]
learning_rate = 3e-3
[train]
epochs = 12
sample_every = 0
checkpoint_every = 0
`

// divergence trains a text's model and returns the divergence of its validation split.
func divergence(t *testing.T, text string, sets ...string) float64 {
	t.Helper()
	s, m := trainedText(t, text, sets...)
	return figuresOf(t, s, m)["kl"]
}

// The divergence ends where the capacity says, on both sides of what it would be by itself.
func TestCapacityIsMet(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three models")
	}
	own := divergence(t, annealed, "model.preset=vae")
	for _, capacity := range []float64{own / 3, 1.5 * own} {
		got := divergence(t, annealed, "model.preset=capacity", "model.encoder=[{layer=\"dense\",units=48,activation=\"relu\"}]",
			"model.penalties.kl.capacity="+strconv.FormatFloat(capacity, 'g', 6, 64))
		t.Logf("by itself %.2f nats, capacity %.2f: %.2f", own, capacity, got)
		if !(math.Abs(got-capacity) <= 0.2*capacity) {
			t.Errorf("the divergence is %v nats, the capacity %v", got, capacity)
		}
	}
}

// Each dimension uses what it has for nothing; without it some are given up.
func TestFreeBitsAreUsed(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models")
	}
	const free = 0.5
	least := func(sets ...string) float64 {
		s := prepareText(t, "", 2, annealed, append(sets, "model.latent_dim=16", "model.encoder=[{layer=\"dense\",units=48,activation=\"relu\"}]")...)
		r, err := s.train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := infer.Read(context.Background(), s.Splits.Train, model.FieldX, 0)
		if err != nil {
			t.Fatal(err)
		}
		mu, logVar, err := r.Model.Posterior(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		const d = 16
		var nats [d]float64
		n := float64(len(mu.Float32s()) / d)
		for i, m := range mu.Float32s() {
			v := float64(logVar.Float32s()[i])
			nats[i%d] += (float64(m)*float64(m) + math.Exp(v) - 1 - v) / 2 / n
		}
		low := nats[0]
		for _, v := range nats {
			low = min(low, v)
		}
		return low
	}
	with, without := least("model.preset=free-bits", "model.penalties.kl.free_bits="+strconv.FormatFloat(free, 'g', 6, 64)), least("model.preset=vae")
	t.Logf("the least used dimension has %.3f nats, without free bits %.3f", with, without)
	if !(with >= 0.9*free && without <= free/2) {
		t.Errorf("the least used dimension has %v nats, without free bits %v", with, without)
	}
}

// Cycles leave more in a sentence's code than a weight of 1 from the beginning, under which the decoder learns to do without it.
func TestCyclesKeepTheCode(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models of text")
	}
	const text = `
name = "cycles"
seed = 1
[data]
source = "sentences"
limit = 1300
batch = 50
validation = 100
[model]
preset = "cyclical"
latent_dim = 8
[optimizer]
learning_rate = 5e-3
[train]
epochs = 6
sample_every = 0
checkpoint_every = 0
`
	cyclical, constant := divergence(t, text), divergence(t, text, "model.penalties.kl.beta=1.0")
	t.Logf("%.4f nats in the code with cycles, %.4f without", cyclical, constant)
	if !(cyclical >= 1.5*constant) {
		t.Errorf("%v nats in the code with cycles, %v without", cyclical, constant)
	}
}

// Words that the decoder is not told it has to learn from the code: with word dropout there is more in it.
func TestWordDropoutNeedsTheCode(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models of text")
	}
	const text = `
name = "dropped"
seed = 1
[data]
source = "sentences"
limit = 2100
batch = 50
validation = 100
[model]
preset = "text-vae"
latent_dim = 8
[optimizer]
learning_rate = 5e-3
[train]
epochs = 8
sample_every = 0
checkpoint_every = 0
`
	decoder := func(dropout string) string {
		return `model.decoder=[{layer="repeat"},{layer="teacher_forcing",units=24,word_dropout=` + dropout + `},{layer="gru",units=40},{layer="dense"}]`
	}
	encoder, annealed := `model.encoder=[{layer="embedding",units=24},{layer="gru",units=40,return_sequences=false}]`, "model.penalties.kl.beta={from=0.0,to=1.0,epochs=8}"
	with, without := divergence(t, text, encoder, annealed, decoder("0.75")), divergence(t, text, encoder, annealed, decoder("0.0"))
	t.Logf("%.3f nats in the code with word dropout, %.3f without", with, without)
	if !(with >= 1.4 && with >= 3*without) {
		t.Errorf("%v nats in the code with word dropout, %v without", with, without)
	}
}
