package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Choices are the codebook's entries at each position.
func (b *VQ) Choices(h graph.Shape, _ int) (entries int, indices graph.Shape, levels int) {
	return b.Codes, positionsOf(h), 1
}

// Lookup gathers entries.
func (b *VQ) Lookup(s *nn.Scope, indices graph.Value, code graph.Shape) graph.Value {
	return fromRows(b.entries(s, op.Reshape(indices, indices.Shape().Size()), code), indices.Dim(0), code)
}

// entries are rows of the codebook, M×D.
func (b *VQ) entries(s *nn.Scope, index graph.Value, code graph.Shape) graph.Value {
	return op.Gather(b.state(s, channelsOf(code)), index)
}

// Choices are the entries of a codebook for each level, at each position.
func (b *ResidualVQ) Choices(h graph.Shape, _ int) (entries int, indices graph.Shape, levels int) {
	if b.Levels == 1 {
		return b.Codes, positionsOf(h), 1
	}
	return b.Codes, append(positionsOf(h).Clone(), b.Levels), b.Levels
}

// Lookup adds up the levels' entries.
func (b *ResidualVQ) Lookup(s *nn.Scope, indices graph.Value, code graph.Shape) graph.Value {
	rows := op.Reshape(indices, indices.Shape().Size()/b.Levels, b.Levels)
	var sum []graph.Value
	for level := range b.Levels {
		at := op.Reshape(op.Slice(rows, 1, level, level+1), rows.Dim(0))
		sum = append(sum, b.atLevel(s, level, b.Levels, func(s *nn.Scope) graph.Value { return b.entries(s, at, code) }))
	}
	return fromRows(graph.SumOf(sum...), indices.Dim(0), code)
}

// Choices are the points of the grid, at each position.
func (b *FSQ) Choices(h graph.Shape, _ int) (entries int, indices graph.Shape, levels int) {
	return b.codes(), positionsOf(h), 1
}

// Lookup takes an index apart: its digit of base L is the value of a channel of L levels.
func (b *FSQ) Lookup(s *nn.Scope, indices graph.Value, code graph.Shape) graph.Value {
	g := s.Graph()
	_, _, _, width, base := b.grid()
	left := op.Reshape(op.Cast(indices, graph.Float32), indices.Shape().Size(), 1)
	var channels []graph.Value
	for j, l := range b.Levels {
		const half = 0.5 // so that rounding never crosses a whole number
		digit := op.Floor(op.Scale(op.AddConst(left, half), 1/base[j]))
		over := op.Floor(op.Scale(op.AddConst(digit, half), 1/float64(l)))
		digit = op.Sub(digit, op.Scale(over, float64(l)))
		channels = append(channels, op.Div(op.AddConst(digit, -width[j]), g.Scalar(width[j])))
	}
	return fromRows(op.Concat(1, channels...), indices.Dim(0), code)
}

// Choices are the classes of each variable.
func (b *Categorical) Choices(_ graph.Shape, latentDim int) (entries int, indices graph.Shape, levels int) {
	return b.Classes, graph.Shape{latentDim}, 1
}

// Lookup makes one-hot vectors.
func (b *Categorical) Lookup(_ *nn.Scope, indices graph.Value, _ graph.Shape) graph.Value {
	return op.Flatten(op.OneHot(indices, b.Classes))
}
