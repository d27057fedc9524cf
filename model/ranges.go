package model

import (
	"fmt"

	"aetrain/graph"
)

// rangeSlack forgives rounding at the ends of a range.
const rangeSlack = 1e-4

// CheckRange holds the range of what the network is fed to the reconstruction; after is the transform that has last changed it
// ("standardize"), or "". The error is an *Error of model.reconstruction.
func (m *Model) CheckRange(low, high float64, after string) error {
	if m.x.DType == graph.Uint8 { // stored bytes become [0, 1] in the graph
		const white = 255
		low, high = low/white, high/white
	}
	from, to, bounded := m.Config.Reconstruction.Range()
	if !bounded || low >= from-rangeSlack && high <= to+rangeSlack {
		return nil
	}
	if after != "" {
		after = " (after " + after + ")"
	}
	return mistake("model.reconstruction", "%s wants values in [%g,%g], the data has %s to %s%s: use gaussian or mse",
		m.reconstructionKind(), from, to, short(low), short(high), after)
}

// short writes a number with two decimals, as far as it needs them.
func short(x float64) string {
	if x == float64(int64(x)) && x > -1e15 && x < 1e15 {
		return fmt.Sprintf("%d", int64(x))
	}
	return fmt.Sprintf("%.2f", x)
}
