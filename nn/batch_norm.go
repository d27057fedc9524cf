package nn

import (
	"errors"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("batch_norm", func() Layer { return newBatchNorm() }) }

// normEps is PyTorch's default for all norms.
const normEps = 1e-5

// BatchNorm normalises each channel (of images and sequences; each feature of vectors) by the batch's mean and variance while
// training, and by running ones elsewhere.
//
//	weight, bias: trained   running_mean, running_var: buffers, running = (1-Momentum)·running + Momentum·batch
//
// The running variance is the unbiased one, as PyTorch keeps it.
// Source: Ioffe & Szegedy 2015, "Batch Normalization", algorithms 1 and 2.
type BatchNorm struct {
	Common
	Momentum float64 `toml:"momentum" over:"0" max:"1" doc:"weight of the newest batch in the running statistics (PyTorch's meaning)"`
	Eps      float64 `toml:"eps" over:"0" doc:"added to the variance"`
}

func newBatchNorm() *BatchNorm { return &BatchNorm{Momentum: 0.1, Eps: normEps} }

// Kind is "batch_norm".
func (*BatchNorm) Kind() string { return "batch_norm" }

func (*BatchNorm) decorates() {}

// Output is the input's shape.
func (*BatchNorm) Output(in graph.Shape) (graph.Shape, error) { return in, nil }

// Build normalises. Channels are axis 1, but the last of sequences, which are turned for it.
func (l *BatchNorm) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() == 3 {
		return op.Transpose(l.channels(s, op.Transpose(x, 0, 2, 1)), 0, 2, 1)
	}
	return l.channels(s, x)
}

func (l *BatchNorm) channels(s *Scope, x graph.Value) graph.Value {
	c := x.Dim(1)
	gamma, beta := s.Param("weight", Constant(1), c), s.Param("bias", nil, c)
	mean, variance := s.Buffer("running_mean", nil, graph.F32(c)), s.Buffer("running_var", Constant(1), graph.F32(c))
	if !s.Training() {
		return op.BatchNormInference(x, gamma, beta, mean, variance, l.Eps)
	}
	n := x.Shape().Size() / max(1, c)
	if n < 2 {
		s.Graph().Fail(errors.New("batch_norm: a batch of one vector has no variance: leave the last, short batch out (data.drop_last), or take a larger one"))
		return x
	}
	y, batchMean, batchVariance := op.BatchNorm(x, gamma, beta, l.Eps)
	l.keep(s, mean, batchMean, 1)
	l.keep(s, variance, batchVariance, float64(n)/float64(n-1))
	return y
}

// keep moves a running statistic towards the batch's, times a factor.
func (l *BatchNorm) keep(s *Scope, running, batch graph.Value, factor float64) {
	s.Assign(running, op.Add(op.Scale(running, 1-l.Momentum), op.Scale(op.Stop(batch), l.Momentum*factor)))
}

// Mirror is nothing: a mirror keeps the layer itself.
func (*BatchNorm) Mirror(graph.Shape) ([]Layer, error) { return nil, nil }
