package model

import "aetrain/op"

// Score builds what is wrong with clean examples by way of the posterior's mean; nothing is random. Outputs are score (N: the
// unweighted reconstruction term) and errors (N×x: the reconstruction loss of each element, 0 where a mask says that it is not valid;
// of reconstructions that compare something else than elements the squared error). Members of an ensemble are combined in both.
func (m *Model) Score(batch int) (*Function, error) {
	return m.built(m.begin(batch, false), func(m *Model, fn *Function) error {
		f := m.pass(fn, Inference, 1, false)
		fn.Outputs["score"] = m.reconstruction(fn.Scope, f).Log
		if _, compares := m.Config.Reconstruction.(Comparer); compares {
			fn.Outputs["errors"] = op.SquaredError(f.reconstructed(), f.X)
		} else {
			fn.Outputs["errors"], _ = m.elementLosses(fn.Scope, f)
		}
		return nil
	})
}
