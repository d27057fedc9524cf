package model

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Adversary is [model.adversaries.NAME]: a discriminator that learns to tell what the model makes from what is real, while the
// model learns to fool it. Its terms are adversary.NAME, what it minimises itself, and adversary.NAME.fool, what the model
// loses to it; its parameters lie under adversaries.NAME.
// Source: Goodfellow et al. 2014, "Generative Adversarial Nets"; on codes: Makhzani et al. 2016, "Adversarial Autoencoders".
type Adversary struct {
	On              string           `toml:"on" choices:"latent|output" doc:"what it judges: codes against draws from the prior, or outputs (and decoded draws from the prior) against the data"`
	Against         string           `toml:"against" choices:"prior|permuted" doc:"what codes are held against: draws from the prior, or the batch's codes with each dimension shuffled over the examples, which makes adversary.NAME.fool their total correlation"`
	Layers          []nn.Layer       `toml:"layers" doc:"of the discriminator; its single output is added" example:"[{ layer = \"dense\", units = [1000, 1000], activation = \"relu\" }]"`
	Loss            string           `toml:"loss" choices:"bce|hinge|wasserstein" doc:"how it learns: cross-entropy (the model minimises -log of the share it is taken for real), hinge, or the difference of means (with gradient_penalty)"`
	Weight          configs.Scalar   `toml:"weight" min:"0" doc:"of what the model loses to it; a number or a schedule"`
	EverySteps      int              `toml:"every_steps" min:"1" doc:"the discriminator learns in every n-th step only"`
	GradientPenalty float64          `toml:"gradient_penalty" min:"0" doc:"weight of (norm of its gradient - 1)² between real and made examples; 0: none" example:"10.0"`
	Optimizer       *configs.Section `toml:"optimizer" doc:"an optimizer of its own; what it lacks comes from [optimizer]" example:"{ learning_rate = 1e-4 }"`
}

// SetDefaults sets a discriminator of codes that learns by cross-entropy in every step.
func (a *Adversary) SetDefaults() {
	*a = Adversary{On: "latent", Against: "prior", Loss: "bce", Weight: configs.Number(1), EverySteps: 1}
}

// Validate refuses shuffled images.
func (a *Adversary) Validate() error {
	if a.On == "output" && a.Against == "permuted" {
		return configs.KeyError("against", "only codes can be permuted: set on = \"latent\", or leave against out")
	}
	if a.Against == "permuted" && a.Loss != "bce" {
		return configs.KeyError("loss", "a density ratio is learnt by cross-entropy: loss = \"bce\"")
	}
	return nil
}

// Names of an adversary's terms and of where its parameters lie.
const (
	adversaryTerm   = "adversary"
	foolTerm        = "fool"
	adversariesPath = "adversaries"
)

// ownTerm is what a discriminator minimises, foolingTerm what the model loses to it.
func ownTerm(name string) string     { return graph.Join(adversaryTerm, name) }
func foolingTerm(name string) string { return graph.Join(ownTerm(name), foolTerm) }

// isOwnTerm reports whether a term is a discriminator's own loss.
func (m *Model) isOwnTerm(term string) bool {
	name, ok := strings.CutPrefix(term, adversaryTerm+".")
	_, is := m.Config.Adversaries[name]
	return ok && is
}

// adversaryNames are the names of the adversaries, sorted.
func (m *Model) adversaryNames() []string {
	var names []string
	for name := range m.Config.Adversaries {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// judgesLatents reports whether codes are held against a prior, which a deterministic code has not by itself.
func (m *Model) judgesLatents() bool {
	for _, a := range m.Config.Adversaries {
		if a.On == "latent" && a.Against == "prior" {
			return true
		}
	}
	for _, p := range m.Config.Penalties {
		if _, ok := p.(priorUser); ok {
			return true
		}
	}
	return false
}

// priorUser is implemented by penalties that hold codes against the prior, and so give a deterministic code one: N(0, I).
type priorUser interface{ usesPrior() }

// buildAdversaries infers the discriminators' sizes.
func (m *Model) buildAdversaries() error {
	m.judges = map[string]*nn.Stack{}
	var errs []error
	for _, name := range m.adversaryNames() {
		a := m.Config.Adversaries[name]
		in := m.X
		if a.On == "latent" {
			in = m.jointShape()
		}
		if b, ok := m.Config.Bottleneck.(*Gaussian); ok && a.Against == "permuted" && b.lowest() != nil {
			errs = append(errs, mistake("model."+graph.Join(adversariesPath, name)+".against", "%w", errLevels("a permutation")))
			continue
		}
		st, err := nn.NewStack(a.Layers, m.Condition.seen(in, name, a.Layers), true)
		if err != nil {
			errs = append(errs, layerMistake(graph.Join(adversariesPath, name)+".layers", err))
			continue
		}
		m.judges[name] = st
	}
	return errors.Join(errs...)
}

// judged is what a discriminator says in one pass: N numbers for what is real, N (or N·k) for each kind of what the model made.
type judged struct {
	real  verdict
	fakes []verdict
}

// verdict is one application of a discriminator.
type verdict struct {
	input  graph.Value            // what it was shown
	logits graph.Value            // rows of input
	layers map[string]graph.Value // outputs of its layers, by path and by name
}

// judge applies a discriminator to what is real, then to what the model has made; once in each graph. The reconstruction comes
// first among what was made.
func (f *Forward) judge(name string) *judged {
	if j := f.judged[name]; j != nil {
		return j
	}
	a := f.model.Config.Adversaries[name]
	real, fakes := f.candidates(name, a)
	j := &judged{real: f.apply(name, real)}
	for _, fake := range fakes {
		j.fakes = append(j.fakes, f.apply(name, fake))
	}
	f.judged[name] = j
	return j
}

// candidates are what a discriminator is shown.
func (f *Forward) candidates(name string, a Adversary) (real graph.Value, fakes []graph.Value) {
	l := f.Latents[0]
	var drawn, joint graph.Value // from the prior: N codes, of all levels
	if l.Prior != nil && a.Against == "prior" {
		f.scope.Within(adversariesPath, func(s *nn.Scope) graph.Value {
			return s.Within(name, func(s *nn.Scope) graph.Value {
				drawn, joint = f.drawPrior(s, "prior")
				return drawn
			})
		})
	}
	switch {
	case a.Against == "permuted":
		return f.permuted(name), []graph.Value{l.Z}
	case a.On == "latent":
		return joint, []graph.Value{f.jointCode()}
	}
	fakes = []graph.Value{f.Recon.Mean()}
	if drawn.Valid() {
		fakes = append(fakes, f.Decode(drawn).Mean())
	}
	return f.X, fakes
}

// apply is one application of a discriminator to rows of x.
func (f *Forward) apply(name string, x graph.Value) verdict {
	st := f.model.judges[name]
	v := verdict{input: x, layers: map[string]graph.Value{}}
	f.scope.Again(func(s *nn.Scope) graph.Value {
		return s.Within(adversariesPath, func(s *nn.Scope) graph.Value {
			return s.Within(name, func(s *nn.Scope) graph.Value {
				h := st.Tapped(s, f.conditioned(name, x, st.In), func(p nn.Placed, y graph.Value) {
					v.layers[p.Path] = y
					if p.Label() != "" {
						v.layers[p.Label()] = y
					}
				})
				h = project(s, "output", h, 1, "torch")
				v.logits = op.Reshape(h, x.Dim(0))
				return v.logits
			})
		})
	})
	return v
}

// permuted are the batch's codes with each dimension shuffled over the examples by itself: draws from the product of the
// marginals. Source: Kim & Mnih 2018, "Disentangling by Factorising", algorithm 1.
func (f *Forward) permuted(name string) graph.Value {
	z := op.Flatten(f.Latents[0].Z)
	n, d := z.Dim(0), z.Dim(1)
	g := f.scope.Graph()
	order := f.scope.Within(adversariesPath, func(s *nn.Scope) graph.Value {
		return s.Within(name, func(s *nn.Scope) graph.Value {
			return op.ArgSort(op.Transpose(s.Uniform("order", graph.Shape{n, d}), 1, 0)) // d×N: a permutation of the examples a row
		})
	})
	columns := make([]graph.Value, d)
	for j := range d {
		rows := op.Reshape(op.Slice(order, 0, j, j+1), n)
		columns[j] = op.Gather(op.Slice(z, 1, j, j+1), rows)
	}
	if n == 0 || d == 0 {
		g.Fail(fmt.Errorf("there is no code to permute"))
		return z
	}
	return op.Reshape(op.Concat(1, columns...), f.Latents[0].Z.Shape()...)
}

// needCodes reports whether terms need the encoder alone, so that their phase does without the decoder.
func (m *Model) needCodes(wanted map[string]bool) bool {
	for term, is := range wanted {
		name, ok := strings.CutPrefix(term, adversaryTerm+".")
		a, known := m.Config.Adversaries[strings.TrimSuffix(name, "."+foolTerm)]
		if is && !(ok && known && a.On == "latent") {
			return false
		}
	}
	return true
}
