package model

// FieldNames are the fields of the data that the model's graphs read, x first.
func (m *Model) FieldNames() []string {
	names := []string{FieldX}
	if m.masked {
		names = append(names, FieldMask)
	}
	return names
}

// MinBatch is the smallest batch that the model can be trained on: two examples where statistics are taken over the batch.
func (m *Model) MinBatch() int {
	fn, err := m.Train(2)
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
