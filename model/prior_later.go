package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Later is implemented by priors that come when the autoencoder is done, in a stage of their own.
type Later interface {
	Prior
	// TrainEpochs is how long the stage is; 0: the prior is fitted, not trained.
	TrainEpochs() float64
}

// drawn is implemented by priors that draw codes by themselves.
type drawn interface {
	draw(s *nn.Scope, f *Forward) graph.Value
}

// isLater reports whether a prior comes later.
func isLater(p Prior) bool {
	_, is := p.(Later)
	return is
}

// LaterPrior returns the prior that comes when the autoencoder is done; false where there is none.
func (m *Model) LaterPrior() (Later, bool) {
	p, ok := m.Config.Prior.(Later)
	return p, ok
}

// declareLater declares the states of a prior that comes later, so that every checkpoint has them.
func (f *Forward) declareLater() {
	switch p := f.model.Config.Prior.(type) {
	case *GaussianMixture:
		p.declare(f)
	case *Autoregressive:
		p.network(f, f.scope.Graph().Constant(graph.I32(f.N, p.length), 0))
	}
}

// priorTerm is the name of what a prior that is trained by itself minimises: nats of an example's codes.
const priorTerm = "prior"

// trainPrior builds the step of a prior over codes that stay as they are.
func (m *Model) trainPrior(batch int) (*Function, error) {
	fn := m.begin(batch, true)
	m.addPriorTerm(fn, fn.Scope.Frozen())
	return m.end(fn)
}

// evaluatePrior builds its evaluation: nats of the codes, and the reconstruction's error, which stays as it was.
func (m *Model) evaluatePrior(batch int) (*Function, error) {
	fn := m.begin(batch, false)
	f := m.addPriorTerm(fn, fn.Scope)
	f.Recon = f.decode(fn.Scope, f.Code)
	m.addRecon(fn, f)
	m.addLatents(fn, f)
	return m.end(fn)
}

// addPriorTerm encodes clean inputs and adds the prior's term and loss.
func (m *Model) addPriorTerm(fn *Function, frozen *nn.Scope) *Forward {
	f := m.begun(fn.Scope, Inference, fn.Batch)
	f.X = f.input()
	f.Input, fn.Forward = f.X, f
	f.Latents = f.encode(frozen, f.Input)
	f.Code = f.Latents[0].Z
	p := m.Config.Prior.(*Autoregressive)
	nats := p.nats(f, op.Reshape(f.Latents[0].Outputs["indices"], f.N, p.length))
	fn.Terms = []Named{{priorTerm, nats}}
	fn.Loss = op.ReduceMean(nats, 0)
	fn.Losses = []Loss{{Name: priorTerm, Value: fn.Loss, Trains: []string{"prior"}, EverySteps: 1}}
	return f
}

// WithItsPrior is the model whose prior, though it comes later, is there.
func (m *Model) WithItsPrior() *Model {
	own := *m
	own.unfitted = false
	return &own
}

// WithPrior is the model with another prior to sample from: its own, the normal one of a posterior, or a mixture fitted to codes.
// Others have to be trained with it.
func (m *Model) WithPrior(kind string) (*Model, error) {
	if m.single != nil {
		return nil, errNoCommonPrior
	}
	canonical, ok := Priors.Canonical(kind)
	if !ok {
		return nil, Priors.Unknown(kind)
	}
	kind = canonical
	if kind == nameIn(Priors, m.Config.Prior) {
		return m, nil
	}
	own, c := *m, *m.Config
	own.Config, own.unfitted = &c, false
	c.Prior, _ = Priors.Make(kind)
	switch p := c.Prior.(type) {
	case *NormalPrior:
		return &own, nil
	case *GaussianMixture:
		return &own, p.Check(&own)
	}
	return nil, fmt.Errorf("%s is trained with the model: begin a run with [model.prior] kind = %q", kind, kind)
}
