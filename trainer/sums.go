package trainer

import (
	"sort"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/optim"
)

// sums are the host's side of the running sums that training programs keep: means over the steps since the last row,
// and over the epoch.
type sums struct {
	names  []string
	scalar *tensor.Dense
	memory sumMemory
}

// sumMemory is what a checkpoint keeps of sums, so that rows after a resume are those of an uninterrupted run.
type sumMemory struct {
	Row   account `json:"row"`
	Epoch account `json:"epoch"`
}

// account adds up terms over examples.
type account struct {
	Examples int                `json:"examples"`
	Sums     map[string]float64 `json:"sums"`
}

func newSums(terms map[string]bool) *sums {
	s := &sums{names: []string{lossTerm, normTerm}, scalar: backend.NewHost(graph.F32())}
	for name := range terms {
		s.names = append(s.names, name)
	}
	sort.Strings(s.names)
	return s
}

// pull moves what the device has summed to the host.
func (s *sums) pull(st backend.State) error {
	if s.memory.Row.Sums == nil {
		s.memory.Row.Sums = map[string]float64{}
	}
	if s.memory.Epoch.Sums == nil {
		s.memory.Epoch.Sums = map[string]float64{}
	}
	for _, name := range s.names {
		state := graph.Join(sumPrefix, name)
		x, err := readScalar(st, state, s.scalar)
		if err != nil {
			return err
		}
		s.memory.Row.Sums[name] += x
		s.memory.Epoch.Sums[name] += x
		if err := writeScalar(st, state, 0, s.scalar); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets what the device has summed since the last pull.
func (s *sums) drop(st backend.State) error {
	for _, name := range s.names {
		if err := writeScalar(st, graph.Join(sumPrefix, name), 0, s.scalar); err != nil {
			return err
		}
	}
	return nil
}

// count notes examples of a step.
func (s *sums) count(n int) {
	s.memory.Row.Examples += n
	s.memory.Epoch.Examples += n
}

// means are the means over an account's examples; it starts anew.
func (a *account) means() map[string]float64 {
	m := map[string]float64{}
	for name, x := range a.Sums {
		m[name] = x / float64(max(1, a.Examples))
	}
	*a = account{}
	return m
}

func readScalar(st backend.State, name string, h *tensor.Dense) (float64, error) {
	if err := st.Read(name, h); err != nil {
		return 0, err
	}
	return float64(h.Data().([]float32)[0]), nil
}

func writeScalar(st backend.State, name string, x float64, h *tensor.Dense) error {
	h.Data().([]float32)[0] = float32(x)
	return st.Write(name, graph.Scratch, h)
}

// bad reports whether a step since the last call was not finite, and lets training go on.
func (r *Run) bad() (bool, error) {
	x, err := readScalar(r.State, optim.StateBad, r.sums.scalar)
	return x != 0, err
}

// forgive lets updates happen again after a bad step.
func (r *Run) forgive() error { return writeScalar(r.State, optim.StateBad, 0, r.sums.scalar) }
