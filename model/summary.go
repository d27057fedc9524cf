package model

import (
	"strconv"
	"strings"

	"aetrain/graph"
)

// Row is one line of a model's table.
type Row struct {
	Path       string      // "encoder.0", "encoder.mu", "decoder"
	Kind       string      // of the layer: "conv2d"
	Out        graph.Shape // of one example
	Parameters int         // trained numbers
}

// Summary lists layers and projections in the order of the way of the data, for a dry run. Of an ensemble they are one member's, with
// the parameters of all.
func (m *Model) Summary() ([]Row, error) {
	fn, err := m.Reconstruct(1)
	if err != nil {
		return nil, err
	}
	var rows []Row
	add := func(path, kind string, out graph.Shape) {
		rows = append(rows, Row{Path: path, Kind: kind, Out: out, Parameters: countUnder(fn.Graph, path)})
	}
	for _, p := range m.Encoder.Layers {
		add(graph.Join("encoder", p.Path), p.Kind(), p.Out)
	}
	for _, s := range fn.Graph.States() { // projections of the bottleneck
		name, member := memberless(s.Name)
		if rest, ok := strings.CutPrefix(name, "encoder."); ok && member == 0 && strings.HasSuffix(rest, ".weight") && (rest[0] < '0' || rest[0] > '9') {
			add(strings.TrimSuffix(name, ".weight"), nameIn(Bottlenecks, m.Config.Bottleneck), m.memberCode())
		}
	}
	for _, p := range m.Decoder.Layers {
		for k := range m.heads() {
			path := "decoder"
			if m.Heads != nil {
				path = graph.Join(path, strconv.Itoa(k))
			}
			add(graph.Join(path, p.Path), p.Kind(), p.Out)
		}
	}
	for _, s := range fn.Graph.States() { // what the likelihood has learned
		name, member := memberless(s.Name)
		if rest, ok := strings.CutPrefix(name, "decoder."); ok && member == 0 && s.Kind == graph.Param && !strings.Contains(rest, ".") {
			add(name, m.reconstructionKind(), s.Spec.Shape)
		}
	}
	return rows, nil
}

// Parameters counts the trained numbers of encoder and decoder; shared ones are the encoder's.
func (m *Model) Parameters() (encoder, decoder int, err error) {
	fn, err := m.Reconstruct(1)
	if err != nil {
		return 0, 0, err
	}
	return countUnder(fn.Graph, "encoder"), countUnder(fn.Graph, "decoder"), nil
}

func countUnder(g *graph.Graph, path string) int {
	n := 0
	for _, s := range g.States() {
		if name, _ := memberless(s.Name); s.Kind == graph.Param && Under(name, path) {
			n += s.Spec.Shape.Size()
		}
	}
	return n
}
