package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/internal/column"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("mixed", func() Reconstruction {
		return &MixedLikelihood{ReconstructionOptions: newReconstructionOptions(), Numbers: "squared-error"}
	})
}

// MixedLikelihood is for tables: the squared error of each number, the cross-entropy of each categorical column's softmax over its
// words, the cross-entropy of each column of 0 and 1 that says where holes were. With numbers = "gaussian" numbers have a whole
// normal log-density, with a variance of each column that is learnt (decoder.log_variance), so that columns of other spread weigh
// alike and the loss is a density. Outputs are numbers and probabilities.
// Source: Nazabal, Olmos, Ghahramani & Valera 2020, "Handling Incomplete Heterogeneous Data using VAEs", section 3.
type MixedLikelihood struct {
	ReconstructionOptions
	Numbers string `toml:"numbers" choices:"squared-error|gaussian" doc:"numeric columns: their squared error, or a normal density with a variance of each column that is learnt"`

	columns []column.Column
}

// OfColumns wants a table.
func (r *MixedLikelihood) OfColumns(columns []column.Column) error {
	if columns == nil {
		return errors.New("mixed is for tables, whose columns are of several kinds; the data is none: use mse, gaussian or bce")
	}
	r.columns = columns
	return nil
}

// Channels is 1: a number, or the logit of a word or a flag.
func (*MixedLikelihood) Channels() int { return 1 }

// Link is linear.
func (*MixedLikelihood) Link() string { return "linear" }

// Distribution treats each column in its way.
func (r *MixedLikelihood) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	m := prob.Mixed{Raw: raw, Columns: r.columns}
	if n := r.numbers(); r.Numbers == "gaussian" && n > 0 {
		m.LogVar = s.Param("log_variance", nil, n)
	}
	return m
}

// numbers is how many columns are numeric.
func (r *MixedLikelihood) numbers() int {
	n := 0
	for _, c := range r.columns {
		if c.Kind == column.Numeric {
			n++
		}
	}
	return n
}

// Loss of a word stands at its element; that of the group's others is 0.
func (r *MixedLikelihood) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.Neg(recon.LogProb(x))
}

// IsDensity is true where numbers have a density.
func (r *MixedLikelihood) IsDensity() bool { return r.Numbers == "gaussian" || r.numbers() == 0 }

// Range is any number.
func (*MixedLikelihood) Range() (low, high float64, bounded bool) { return 0, 0, false }
