package infer

import (
	"gorgonia.org/tensor"

	"aetrain/backend"
)

// take gives the Program the rows from to to of arrays, by name. A device that fills inputs itself copies them with all its threads
// as the run begins; others are fed.
func (r *runner) take(in map[string]*tensor.Dense, from, to int) error {
	exe, fills := r.exe.(backend.Filler)
	if !fills {
		for name, t := range in {
			if err := r.feed(name, backend.Rows(t, from, to)); err != nil {
				return err
			}
		}
		return nil
	}
	filled := r.rows != nil
	r.rows, r.first = in, from
	if filled {
		return nil
	}
	for _, p := range exe.Program().Inputs {
		t := in[p.Name]
		if t == nil {
			continue
		}
		if err := backend.CheckHost("input", p.Name, p.Spec, backend.Rows(t, from, to)); err != nil {
			return err
		}
		err := exe.Fill(p.Name, func(dst *tensor.Dense, from, to int) {
			copyRows(dst, r.rows[p.Name], r.first+from, r.first+to)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// part is the rows from to to of arrays, by name.
func part(in map[string]*tensor.Dense, from, to int) map[string]*tensor.Dense {
	rows := make(map[string]*tensor.Dense, len(in))
	for name, t := range in {
		rows[name] = backend.Rows(t, from, to)
	}
	return rows
}

// copyRows copies rows of src, which may have another shape, to dst.
func copyRows(dst, src *tensor.Dense, from, to int) {
	each := dst.DataSize() / (to - from)
	switch s := src.Data().(type) {
	case []float32:
		copy(dst.Float32s(), s[from*each:to*each])
	case []int32:
		copy(dst.Int32s(), s[from*each:to*each])
	case []uint8:
		copy(dst.Uint8s(), s[from*each:to*each])
	}
}
