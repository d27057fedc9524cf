package model

import (
	"errors"
	"strconv"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Penalties.Add("jacobian", func() Penalty {
		return &Jacobian{Weight: configs.Number(0.1), Of: "encoder", Exact: true, Probes: 1}
	})
}

// Jacobian is ‖∂h/∂x‖²_F of each example: how much the code (its mean, where it is drawn) answers to small changes of the input;
// with Of "decoder" how much the reconstruction answers to the code. Any layers will do, for the derivative is taken of the graph
// itself. Where batch norm ties examples together, the derivative is that of the whole batch.
// Source: Rifai et al. 2011, "Contractive Auto-Encoders", eq. 2; of the decoder: Ghosh et al. 2020, "From Variational to
// Deterministic Autoencoders", section 3.1 (RAE-GP).
type Jacobian struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	Of     string         `toml:"of" choices:"encoder|decoder" doc:"whose: the code's by the input, or the output's by the code"`
	Exact  bool           `toml:"exact" doc:"one backward pass for each number of the code (of the output, with of = \"decoder\"); false: an unbiased estimate from random directions, for large ones"`
	Probes int            `toml:"probes" min:"1" doc:"random directions of an estimate"`
	On     string         `toml:"on" doc:"name or path of an encoder's layer; left out: the code" example:"\"encoder.0\""`
}

// Validate refuses a layer of the encoder where the decoder is meant.
func (p *Jacobian) Validate() error {
	if p.Of == "decoder" && p.On != "" {
		return configs.KeyError("on", "it names a layer of the encoder: leave it out, or of")
	}
	return nil
}

// Check wants inputs that have a gradient.
func (p *Jacobian) Check(m *Model) error {
	if p.Of == "decoder" && p.Exact && m.X.Size() > mostRows {
		return errors.New("the output has " + strconv.Itoa(m.X.Size()) + " numbers, a backward pass each: exact = false estimates it from random directions")
	}
	return nil
}

// mostRows bounds the backward passes of an exact Jacobian.
const mostRows = 4096

// Term is the squared Frobenius norm of each example.
func (p *Jacobian) Term(s *nn.Scope, f *Forward) Term {
	y, x := f.Output(p.On), f.Input
	switch {
	case p.Of == "decoder":
		y, x = f.Recon.Mean(), f.Code
	case p.On == "":
		y = f.Latents[0].Mean()
	}
	var norm graph.Value
	if p.Exact {
		norm = frobenius(y, x)
	} else {
		norm = frobeniusEstimate(s, y, x, p.Probes)
	}
	norm = f.overDraws(norm)
	return Term{Log: norm, Minimise: norm, Weight: s.Scalar("weight", p.Weight)}
}

// frobenius is Σ_j ‖∂y_j/∂x‖² of each row: one vector-Jacobian product for each number of y, over the shared forward pass.
func frobenius(y, x graph.Value) graph.Value {
	y = op.Flatten(y)
	g := y.Graph()
	var sum []graph.Value
	for j := range y.Dim(1) {
		column := op.Slice(y, 1, j, j+1)
		d := graph.VJP([]graph.Value{column}, []graph.Value{g.Constant(column.Spec(), 1)}, []graph.Value{x})[0]
		if d.Valid() {
			sum = append(sum, op.SumPerExample(op.Square(d)))
		}
	}
	if len(sum) == 0 {
		return g.Constant(graph.F32(y.Dim(0)), 0)
	}
	return graph.SumOf(sum...)
}

// frobeniusEstimate is the mean of ‖vᵀ ∂y/∂x‖² over standard normal v, whose expected value is the squared Frobenius norm.
// Source: Hutchinson 1990, "A stochastic estimator of the trace of the influence matrix", section 2.
func frobeniusEstimate(s *nn.Scope, y, x graph.Value, probes int) graph.Value {
	y = op.Flatten(y)
	var sum []graph.Value
	for i := range probes {
		v := s.Normal("probe"+strconv.Itoa(i), y.Shape())
		d := graph.VJP([]graph.Value{y}, []graph.Value{v}, []graph.Value{x})[0]
		if !d.Valid() {
			return y.Graph().Constant(graph.F32(y.Dim(0)), 0)
		}
		sum = append(sum, op.SumPerExample(op.Square(d)))
	}
	return op.Scale(graph.SumOf(sum...), 1/float64(probes))
}
