package model

import "slices"

// SmallestBatch is a batch that the model can be trained on whatever its parts are: two examples, of each label that has a decoder.
func (m *Model) SmallestBatch() int { return 2 * m.heads() }

// FieldNames are the fields of the data that training reads, in the data's order.
func (m *Model) FieldNames() []string {
	read := map[string]bool{FieldX: true}
	for phase := range m.Phases() {
		fn, err := m.TrainPhase(m.SmallestBatch(), phase)
		if err != nil {
			continue // New has built it once: it cannot fail
		}
		for _, name := range fn.Inputs {
			read[name] = true
		}
	}
	var names []string
	for _, f := range m.Fields {
		if read[f.Name] {
			names = append(names, f.Name)
		}
	}
	return names
}

// HasField reports whether the data has a field of that name.
func (f *Forward) HasField(name string) bool {
	return slices.ContainsFunc(f.model.Fields, func(field Field) bool { return field.Name == name })
}

// MinBatch is the smallest batch that the model can be trained on: two examples where statistics are taken over the batch.
func (m *Model) MinBatch() int {
	fn, err := m.Train(m.SmallestBatch())
	if err != nil {
		return 1
	}
	for _, n := range fn.Graph.Nodes() {
		if n.Op.Name() == "BatchNorm" {
			return 2
		}
	}
	return 1
}
