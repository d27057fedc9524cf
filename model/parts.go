package model

import (
	"aetrain/graph"
	"aetrain/internal/column"
	"aetrain/nn"
	"aetrain/prob"
)

// Corruption changes the encoder's input while the target stays clean. Active in training and evaluation, by the same counters,
// never in encode and reconstruct.
type Corruption interface {
	// Corrupt returns the changed x (N×...) and, where it is known, 1 for each element that was replaced, else 0 (or the zero Value).
	Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value)
}

// Bottleneck makes a code of the encoder's output.
type Bottleneck interface {
	// Code is the shape of one example's code, for an encoder that ends with shape h.
	Code(h graph.Shape, latentDim int) (graph.Shape, error)
	// Encode adds the projection (which belongs to s, the encoder's scope) and makes the code of h, N×...
	Encode(s *nn.Scope, h graph.Value, latentDim int) Latent
	// Reverse is the mirror's beginning: from the code to shape h. tied is the encoder's path where weights are shared, else "".
	Reverse(h graph.Shape, latentDim int, tied string) []nn.Layer
	// Bound is the bound by which a loss that names none reduces its terms, and Samples the codes drawn of each example.
	Bound() (kind string, samples int)
	// Activation is that of the code: "linear" where it may be any number.
	Activation(encoder *nn.Stack, latentDim int) string
}

// Latent is one group of latent variables.
type Latent struct {
	Posterior prob.Distribution // of N examples; nil where the code is deterministic
	Prior     prob.Distribution // nil where there is none
	Z         graph.Value       // the code where it is deterministic: N×...; set by Forward where it is drawn

	wide bool // the posterior has a row for each draw: N·k

	// Outputs are what encode gives beside the code, by name, such as the indices of a codebook's entries.
	Outputs map[string]graph.Value
	// Terms are the bottleneck's own: a commitment to a codebook, an auxiliary loss. nil: there are none.
	Terms func(s *nn.Scope, f *Forward) []Term
}

// Termed is implemented by bottlenecks that have terms of their own: the names of those that have a weight.
type Termed interface{ TermNames() []string }

// Sampled is implemented by bottlenecks whose prior is not the standard normal distribution of each number of the code:
// the prior of codes of this shape, N×...
type Sampled interface {
	Prior(s *nn.Scope, codes graph.Shape) prob.Distribution
}

// Mean is the code without noise.
func (l Latent) Mean() graph.Value {
	if l.Posterior == nil {
		return l.Z
	}
	return l.Posterior.Mean()
}

// Reconstruction is a likelihood: what the decoder's raw output means, and how far it is from x.
type Reconstruction interface {
	// Channels is how many numbers of raw output it needs for each of x.
	Channels() int
	// Link is the activation that it applies to raw output itself, so that a decoder must not: "linear" or "sigmoid".
	Link() string
	// Distribution of x, given raw output whose channels are Channels times those of x. s is the decoder's scope.
	Distribution(s *nn.Scope, raw graph.Value, channels int) prob.Distribution
	// Loss is what is minimised, for each element of x.
	Loss(recon prob.Distribution, x graph.Value) graph.Value
	// IsDensity reports whether Loss is a whole negative log-likelihood, so that log-likelihoods may be had of it.
	IsDensity() bool
	// Range is the range that x must lie in; bounded is false where any number will do.
	Range() (low, high float64, bounded bool)
	// Options are the keys that all of them have.
	Options() *ReconstructionOptions
}

// Comparer is implemented by reconstructions that compare something else than values: features, windows of an image.
// What it returns, N·k×..., is minimised in place of Loss; masks have no say in it.
type Comparer interface {
	Compare(s *nn.Scope, f *Forward) graph.Value
}

// Tabular is implemented by reconstructions that treat the columns of a table each in its way. They are told the columns before
// anything is built, nil where x is no table; the error is a sentence.
type Tabular interface {
	OfColumns(columns []column.Column) error
}

// ReconstructionOptions are the keys of every reconstruction.
type ReconstructionOptions struct {
	Weight    float64 `toml:"weight" min:"0" doc:"weight of the reconstruction in the loss"`
	Reduction string  `toml:"reduction" choices:"sum|mean" doc:"over the features of an example: sum gives nats, mean is Keras's habit"`
	On        string  `toml:"on" choices:"all|corrupted" doc:"which features count: all, or those that the corruption has replaced"`
	Normalize string  `toml:"normalize" choices:"none|patch" doc:"what is compared: x, or x with each patch standardised by its own mean and variance (He et al. 2022)"`
}

// newReconstructionOptions holds the defaults.
func newReconstructionOptions() ReconstructionOptions {
	return ReconstructionOptions{Weight: 1, Reduction: "sum", On: "all", Normalize: "none"}
}

// Options returns the keys that all reconstructions have.
func (o *ReconstructionOptions) Options() *ReconstructionOptions { return o }

// Penalty is a term beside the reconstruction.
type Penalty interface {
	// Term is per example (N, or N×k with k samples), or a scalar over the batch: the loss's bound reduces it.
	Term(s *nn.Scope, f *Forward) Term
}

// Picky is implemented by penalties that do not suit every bottleneck; the error is the reason.
type Picky interface{ Suits(b Bottleneck) error }

// Checked is implemented by parts that look at the whole model before anything is built; the error is the reason why not.
type Checked interface{ Check(m *Model) error }

// Term is a part's share in a loss.
type Term struct {
	Name     string
	Log      graph.Value // what is logged: N, N×k, or a scalar over the batch
	Minimise graph.Value // what is minimised, the same unless the part says otherwise; the zero Value: it is only logged
	Weight   graph.Value // scalar
}
