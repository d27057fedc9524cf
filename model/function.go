package model

import (
	"errors"
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

// Function is a graph for one thing that is to be done with a model, at one batch size.
type Function struct {
	Graph   *graph.Graph
	Batch   int
	Inputs  []string               // of the graph, in the order of their declaration: fields of the batch, row0, seed, ...
	Outputs map[string]graph.Value // by name: recon, z, mu, log_var, ...
	Terms   []Named                // of this phase, what is logged of them (see Model.Logs): N each, or a scalar over the batch
	Metrics []Named                // what is measured beside the loss, N each: mse
	Loss    graph.Value            // scalar: what encoder and decoder minimise; the zero Value where there is no loss
	Losses  []Loss                 // of this phase, for the trainer
	Scalars []nn.ScalarInput       // inputs that schedules feed
	Phase   int
	Scope   *nn.Scope // the root, to build more upon
	Forward *Forward  // nil for decode and sample; of an ensemble that of its first member
	Steps   bool      // recon is written by [Model.DecodeStep], when this has run

	member int // of an ensemble
}

// Named is a value with a name.
type Named struct {
	Name  string
	Value graph.Value
}

// Names of inputs beside the fields.
const (
	InputSeed       = "seed"       // int32[2]: the 64-bit seed, the low word first
	InputRow0       = "row0"       // int32: place of the batch's first example in the global batch, or in the split
	InputRepetition = "repetition" // int32: which of several evaluations of a split this is
	StateStep       = "step"       // int32 buffer: training steps done
)

// Supply gives the value of a batch's field to a graph that would otherwise have an input of that name; the zero Value where it
// does not. Where the data set lies on the device, it fetches the batch's rows.
type Supply func(g *graph.Graph, field string, s graph.Spec) graph.Value

// Supplied is the same model with fields from elsewhere.
func (m *Model) Supplied(s Supply) *Model {
	if m.single != nil {
		return m.single.Supplied(s).together()
	}
	own := *m
	own.supply = s
	return &own
}

// Train builds the training step's forward pass and losses of phase 0; see [Model.TrainPhase].
func (m *Model) Train(batch int) (*Function, error) { return m.TrainPhase(batch, 0) }

// TrainPhase builds the forward pass and the losses of one phase of a training step. Random numbers are counted by the state
// "step", which whoever completes the program increments in the last phase.
func (m *Model) TrainPhase(batch, phase int) (*Function, error) {
	if m.priorOnly {
		return m.trainPrior(batch)
	}
	_, samples := m.Config.Bottleneck.Bound()
	fn := m.begin(batch, true)
	fn.Phase = phase
	if phase > 0 {
		defer fn.Graph.Enter(fmt.Sprintf("phase%d", phase))()
	}
	wanted := m.phaseTerms(phase)
	return m.built(fn, func(m *Model, fn *Function) error {
		own := *m
		own.codeOnly = m.needCodes(wanted)
		f := own.pass(fn, Training, samples, true)
		m.addTerms(fn, f, wanted, phase)
		f.declareLater()
		return nil
	})
}

// Evaluate builds the evaluation of a batch: loss, terms and metrics, with drawn codes and the corruption of training, the same
// for each row of a split, by seed and repetition. samples is how many codes are drawn of each example; 0: as in training.
func (m *Model) Evaluate(batch, samples int) (*Function, error) {
	if m.priorOnly {
		return m.evaluatePrior(batch)
	}
	if samples == 0 {
		_, samples = m.Config.Bottleneck.Bound()
	}
	return m.built(m.begin(batch, false), func(m *Model, fn *Function) error {
		f := m.pass(fn, Evaluation, samples, true)
		m.addTerms(fn, f, m.evaluated(), allPhases)
		m.addRecon(fn, f)
		m.addLatents(fn, f)
		return nil
	})
}

// addRecon adds the reconstruction to the outputs, and its mean squared error, or the share of tokens that it has right.
func (m *Model) addRecon(fn *Function, f *Forward) { m.measure(fn, f, f.reconstructed()) }

// measure adds a reconstruction and its figure.
func (m *Model) measure(fn *Function, f *Forward, recon graph.Value) {
	if m.logits() { // the square of a difference of tokens means nothing
		fn.Metrics = append(fn.Metrics, Named{"accuracy", overSamples(m.accuracy(f, recon))})
	} else {
		mse := op.Scale(f.PerExample(op.SquaredError(recon, f.Repeated(f.X))), 1/float64(m.X.Size()))
		fn.Metrics = append(fn.Metrics, Named{"mse", overSamples(mse)})
	}
	fn.Outputs["recon"] = recon
}

// Encode builds x to code: z (the posterior's mean where there is one), and its parameters mu and log_var.
func (m *Model) Encode(batch int) (*Function, error) {
	return m.built(m.begin(batch, false), func(m *Model, fn *Function) error {
		m.addLatents(fn, m.pass(fn, Inference, 1, false))
		return nil
	})
}

// Reconstruct builds x to recon by way of the posterior's mean; nothing is random.
func (m *Model) Reconstruct(batch int) (*Function, error) {
	return m.built(m.begin(batch, false), func(m *Model, fn *Function) error {
		f := m.pass(fn, Inference, 1, false)
		fn.Outputs["recon"] = f.reconstructed()
		m.addLatents(fn, f)
		return nil
	})
}

// Denoise builds x, corrupted as in evaluation (output "input"), to recon. All members of an ensemble see the same.
func (m *Model) Denoise(batch int) (*Function, error) {
	fn := m.begin(batch, false)
	one := m
	if m.single != nil {
		one = m.single
	}
	seen := one.looking(fn.Scope, Evaluation, batch, true)
	return m.built(fn, func(m *Model, fn *Function) error {
		f := seen.by(fn.Scope)
		f.PerSample = m.importanceWeighted()
		fn.Forward = f.through()
		fn.Outputs["input"] = f.Input
		if latent := f.Latents[0]; latent.Posterior != nil { // the mean, as in reconstruct
			f.Recon = f.Decode(latent.Mean())
		}
		fn.Outputs["recon"] = f.reconstructed()
		return nil
	})
}

// Decode builds code (input "z", N×...) to recon.
func (m *Model) Decode(batch int) (*Function, error) {
	fn := m.begin(batch, false)
	z := fn.Graph.Input("z", graph.F32(append([]int{batch}, m.Code...)...))
	return m.built(fn, func(one *Model, fn *Function) error {
		z := m.codeOf(z, fn.member)
		fn.Outputs["recon"] = one.begun(fn.Scope, Inference, batch).decode(fn.Scope, z).Mean()
		return nil
	})
}

// Sample builds codes z drawn from the prior, by seed, row0 and repetition, and their recon. Models without a prior have none.
func (m *Model) Sample(batch int) (*Function, error) {
	if m.single != nil {
		return nil, errNoCommonPrior
	}
	probe, err := m.Encode(1)
	if err != nil {
		return nil, err
	}
	own, draws := m.Config.Prior.(drawn)
	if m.unfitted {
		return nil, fmt.Errorf("its prior, %s, comes when the autoencoder is done: train it to its end", nameIn(Priors, m.Config.Prior))
	}
	if probe.Forward.Latents[0].Prior == nil && !draws {
		return nil, fmt.Errorf("a %s bottleneck has no prior to sample from", nameIn(Bottlenecks, m.Config.Bottleneck))
	}
	fn := m.begin(batch, false)
	f := m.begun(fn.Scope, Inference, batch)
	z := fn.Scope.Within("prior", func(s *nn.Scope) graph.Value {
		if draws {
			return own.draw(s, f)
		}
		codes := append(graph.Shape{batch}, m.topCode()...)
		if b, ok := m.Config.Bottleneck.(Sampled); ok {
			return b.Prior(s, codes).Sample(s.RNG(), "z")
		}
		return f.conditionalPrior(f.learnedPrior(prob.Standard{Graph: fn.Graph, Dims: codes}), codes).Sample(s.RNG(), "z")
	})
	if !draws {
		z = m.fall(f, z)
	}
	fn.Outputs["z"] = z
	fn.Outputs["recon"] = f.decode(fn.Scope, z).Mean()
	return m.end(fn)
}

// NLL builds the importance-weighted estimate of an example's log-likelihood log p(x), in nats, from samples codes:
// log_weights (N×samples: log p(x|z) + log p(z) - log q(z|x)) and log_likelihood (N: their log-mean-exp). Many samples are had in
// several runs with different repetitions; put their log_weights together.
// Source: Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", eq. 8.
func (m *Model) NLL(batch, samples int) (*Function, error) {
	if !m.Config.Reconstruction.IsDensity() {
		return nil, fmt.Errorf("nll needs a likelihood, and %s is none: use bce, gaussian or laplace", m.reconstructionKind())
	}
	if m.Config.Reconstruction.Options().Normalize == "patch" {
		return nil, errors.New("nll wants the density of x, not of standardised patches: normalize = \"none\"")
	}
	return m.built(m.begin(batch, false), func(m *Model, fn *Function) error {
		f := m.forward(fn.Scope, Evaluation, batch, samples, false)
		fn.Forward, f.PerSample = f, true
		for _, l := range f.Latents {
			if l.Posterior == nil || l.Prior == nil {
				return errors.New("nll needs a posterior and a prior: choose a gaussian bottleneck")
			}
		}
		x := f.Repeated(f.X)
		reconLoss := f.PerExample(m.Config.Reconstruction.Loss(f.Recon, x))
		weights := op.Reshape(op.Neg(op.Add(reconLoss, f.KL())), batch, f.Samples)
		fn.Outputs["log_weights"] = weights
		fn.Outputs["log_likelihood"] = LogMeanExp(weights)
		return nil
	})
}

// begin makes the graph, its scope and its random numbers.
func (m *Model) begin(batch int, training bool) *Function {
	g := graph.New()
	rng := op.RNG{Seed: g.Input(InputSeed, graph.I32(2)), Row0: g.Input(InputRow0, graph.I32())}
	if training {
		rng.Step = g.State(graph.Buffer, StateStep, graph.I32(), nil)
	} else {
		rng.Step = g.Input(InputRepetition, graph.I32())
	}
	s := nn.NewScope(g, nn.ScopeOptions{Training: training, RNG: rng, Rows: batch, Connections: m.Config.Ensemble.connectionsAt})
	return &Function{Graph: g, Batch: batch, Outputs: map[string]graph.Value{}, Scope: s}
}

// pass adds the forward pass.
func (m *Model) pass(fn *Function, mode Mode, samples int, corrupt bool) *Forward {
	f := m.forward(fn.Scope, mode, fn.Batch, samples, corrupt)
	f.PerSample = m.importanceWeighted()
	fn.Forward = f
	return f
}

// end collects what was declared, and returns the graph's first error.
func (m *Model) end(fn *Function) (*Function, error) {
	if err := fn.Graph.Err(); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return nil, e
		}
		return nil, mistake("model", "%w", err)
	}
	used := map[*graph.Node]bool{}
	for _, n := range fn.Graph.Nodes() {
		for _, v := range n.In {
			used[v.Node] = true
		}
	}
	for _, n := range fn.Graph.Inputs() {
		if used[n] { // nothing random: no seed
			fn.Inputs = append(fn.Inputs, n.Op.(graph.Input).Label)
		}
	}
	fn.Scalars = fn.Scope.Scalars()
	_, fn.Steps = fn.Scope.Output(keptHidden)
	return fn, nil
}

// addTerms adds the parts' terms and the losses of a phase. wanted are the terms that it needs; nil: all.
func (m *Model) addTerms(fn *Function, f *Forward, wanted map[string]bool, phase int) {
	terms := m.terms(fn.Scope, f, wanted)
	for _, t := range terms {
		fn.Terms = append(fn.Terms, Named{t.Name, overSamples(t.Log)})
	}
	fn.Losses = m.losses(f, terms, phase)
	fn.Loss = m.autoencoderLoss(f, fn.Losses, terms, phase)
}

// overSamples is the mean over k of N×k.
func overSamples(v graph.Value) graph.Value {
	if v.Rank() == 2 {
		return op.ReduceMean(v, 1)
	}
	return v
}

// addLatents adds the code and the posterior's parameters to the outputs.
func (m *Model) addLatents(fn *Function, f *Forward) {
	fn.Outputs["z"] = f.Code
	for name, v := range f.Latents[0].Outputs {
		fn.Outputs[name] = v
	}
	if q, ok := f.Latents[0].Posterior.(prob.Normal); ok {
		fn.Outputs["mu"], fn.Outputs["log_var"] = q.Mu, q.LogVar
	}
}
