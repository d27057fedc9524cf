package model

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// FrozenNetwork is a network that a part looks through and nothing trains: the encoder of a run, layers whose numbers a safetensors
// file has, or layers as they start.
type FrozenNetwork struct {
	Network  string            `toml:"network,path" doc:"a run, whose encoder it is, or a .safetensors file with the numbers of layers; read when training begins and kept in checkpoints from then on; empty: layers as they start, by the seed" example:"\"runs/features\""`
	Layers   []nn.Layer        `toml:"layers" doc:"what the network is made of; left out: the encoder of the run" example:"[{ layer = \"conv2d\", filters = [32, 64], kernel = 3, stride = 2, padding = \"same\", activation = \"relu\" }]"`
	Prefix   string            `toml:"prefix" doc:"what names in the file begin with; left out: encoder for a run, nothing for a file" example:"\"features\""`
	Names    map[string]string `toml:"names" doc:"what layers, by their paths, are called in the file where that is not their path" example:"{ \"0\" = \"conv1_1\", \"1\" = \"conv1_2\" }"`
	Features []string          `toml:"features" doc:"names or paths of the layers that count; left out: all" example:"[\"0\", \"2\"]"`
	Inputs   int               `toml:"channels" min:"0" doc:"that the network takes of a grey image, which is repeated; 0: as many as x has" example:"3"`
	Mean     []float64         `toml:"mean" doc:"of each channel, which is taken away before the network sees x; left out: 0" example:"[0.485, 0.456, 0.406]"`
	Std      []float64         `toml:"std" over:"0" doc:"of each channel, by which it is divided then; left out: 1" example:"[0.229, 0.224, 0.225]"`

	stack    *nn.Stack            // up to the last layer that is compared
	compared []string             // paths
	values   map[string][]float32 // of states, by name; nil: not read
}

// networkPath is where the numbers of a frozen network lie among the states.
const networkPath = "reconstruction.network"

func (n *FrozenNetwork) validate() error {
	if len(n.Mean) > 0 && len(n.Std) > 0 && len(n.Mean) != len(n.Std) {
		return configs.KeyError("std", "has %d numbers, mean has %d: want one each for every channel", len(n.Std), len(n.Mean))
	}
	if len(n.Layers) > 0 || n.Network != "" && !n.ofFile() {
		return nil
	}
	if n.ofFile() {
		return configs.KeyError("layers", "%s has numbers but does not say of what layers: write them out, layers = [...]", n.Network)
	}
	return configs.KeyError("network", "there is no network to compare by: name a run, network = \"runs/features\", or write layers = [...]")
}

// ofFile reports whether the numbers come from a file of arrays.
func (n *FrozenNetwork) ofFile() bool {
	return strings.EqualFold(filepath.Ext(n.Network), ".safetensors")
}

// ownLayers reports whether layers were written for the network; a preset's are of another one.
func ownLayers(r *configs.Section) bool {
	return r.Has("layers") && r.Where("layers").Layer >= r.Where("network").Layer
}

// CheckNetwork looks for the run or file that the numbers of a frozen network come from, which a training that begins will read; one
// that goes on, and a finished one, have them in their checkpoints. Mistakes are kept in cfg.
func CheckNetwork(cfg *configs.Config) {
	r := cfg.Section("model").Sub("reconstruction")
	path := configs.ResolvePath(r.Text("network"))
	if kind, _ := Reconstructions.Canonical(r.Text("kind")); kind != "perceptual" || path == "" || !ownLayers(r) {
		return // Read has looked there for the layers
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		r.MissingPath("network", path, "file or folder")
	}
}

// takeLayers puts the encoder of the run that [model.reconstruction] names into it, so that it is complete.
func takeLayers(s *configs.Section) {
	r := s.Sub("reconstruction")
	path := configs.ResolvePath(r.Text("network"))
	if kind, _ := Reconstructions.Canonical(r.Text("kind")); kind != "perceptual" || path == "" {
		return
	}
	if ownLayers(r) {
		return
	}
	if st, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		r.MissingPath("network", path, "file or folder")
		return
	} else if err != nil || !st.IsDir() {
		return // a file: its layers are asked for
	}
	const config = "config.toml"
	run, err := configs.Load(configs.LoadOptions{File: filepath.Join(path, config)})
	if err != nil || !r.Take("layers", run.Section("model"), "encoder") {
		r.Errorf("network", "%s is no run of an autoencoder with layers: it has no %s that names some", path, config)
	}
}

// fit builds the network's layers for x and finds those that are compared.
func (n *FrozenNetwork) fit(x graph.Shape) error {
	const key = "model.reconstruction"
	in := x.Clone()
	if n.Inputs > 0 && len(x) == 3 {
		if in[0] = n.Inputs; x[0] != 1 && x[0] != n.Inputs {
			return mistake(key+".channels", "x has %d channels, and only one can be repeated: leave channels out", x[0])
		}
	}
	st, err := nn.NewStack(n.Layers, in, true)
	if err != nil {
		return layerMistake("reconstruction.layers", err)
	}
	if len(st.Layers) == 0 {
		return mistake(key+".layers", "the network has no layers, so it sees nothing that could be compared: name a run whose encoder has some, or write layers = [...]")
	}
	var known []string
	for _, p := range st.Layers {
		known = append(known, p.Path)
		if p.Label() != "" {
			known = append(known, p.Label())
		}
	}
	n.stack, n.compared = st, nil
	last := -1
	for i, p := range st.Layers {
		if len(n.Features) == 0 {
			n.compared, last = append(n.compared, p.Path), i
		}
	}
	for i, name := range n.Features {
		at := slices.IndexFunc(st.Layers, func(p nn.Placed) bool {
			return name != "" && (p.Label() == name || p.Path == strings.TrimPrefix(name, intoEncoder+"."))
		})
		if at < 0 {
			return mistake(fmt.Sprintf("%s.features[%d]", key, i), "no layer of the network is called %q%s: there are %s", name, near(name, known), strings.Join(known, ", "))
		}
		n.compared, last = append(n.compared, st.Layers[at].Path), max(last, at)
	}
	n.stack = &nn.Stack{Layers: st.Layers[:last+1], In: st.In, Out: st.Layers[last].Out}
	return errors.Join(n.checkChannels(in), n.checkNames(st))
}

// checkChannels holds mean and std to the channels that the network is shown.
func (n *FrozenNetwork) checkChannels(in graph.Shape) error {
	channels := in[len(in)-1]
	if len(in) == 3 {
		channels = in[0]
	}
	for _, of := range []struct {
		key  string
		list []float64
	}{{"mean", n.Mean}, {"std", n.Std}} {
		if len(of.list) > 0 && len(of.list) != channels {
			return mistake("model.reconstruction."+of.key, "has %d numbers for %d channels: want one each", len(of.list), channels)
		}
	}
	return nil
}

// outputs are what the compared layers make of x.
func (n *FrozenNetwork) outputs(f *Forward, x graph.Value) []graph.Value {
	var outs []graph.Value
	f.scope.Common().Given(n.begins).Again(func(s *nn.Scope) graph.Value {
		return s.Within("reconstruction", func(s *nn.Scope) graph.Value {
			return s.Within("network", func(s *nn.Scope) graph.Value {
				of := map[string]graph.Value{}
				y := n.stack.Tapped(s, n.shown(x), func(p nn.Placed, y graph.Value) { of[p.Path] = y })
				for _, path := range n.compared {
					outs = append(outs, of[path])
				}
				return y
			})
		})
	})
	return outs
}

// shown is x as the network takes it.
func (n *FrozenNetwork) shown(x graph.Value) graph.Value {
	if want := append(graph.Shape{x.Dim(0)}, n.stack.In...); n.Inputs > 0 && x.Rank() == len(want) {
		x = op.BroadcastTo(x, want...)
	}
	dims := make([]int, x.Rank())
	for i := range dims {
		dims[i] = 1
	}
	axis := featureAxis(x)
	dims[axis] = x.Dim(axis)
	each := func(list []float64) graph.Value {
		return op.BroadcastTo(x.Graph().Constant(graph.F32(dims...), list...), x.Shape()...)
	}
	if len(n.Mean) > 0 {
		x = op.Sub(x, each(n.Mean))
	}
	if len(n.Std) > 0 {
		x = op.Div(x, each(n.Std))
	}
	return x
}

// begins says how a state of the network begins: as its layer would have it, or with what was read. A checkpoint that is loaded
// afterwards has it all.
func (n *FrozenNetwork) begins(state string, own graph.Init) graph.Init {
	if n.Network == "" {
		return own
	}
	return func(_ uint64, _ string, t graph.Tensor) {
		for i, v := range n.values[state] {
			t.Data[i] = float64(v)
		}
	}
}

// NetworkState is one array of a frozen network.
type NetworkState struct {
	State  string // of the model
	Source string // name in the run or file that it comes from
	Spec   graph.Spec
}

// NetworkSource is the run or file that numbers of a frozen network come from when training begins, and what is wanted of it.
// The path is "" where nothing is.
func (m *Model) NetworkSource() (path string, states []NetworkState) {
	r, ok := m.Config.Reconstruction.(*Perceptual)
	if !ok || r.Network == "" {
		return "", nil
	}
	g := graph.New()
	s := nn.NewScope(g, nn.ScopeOptions{}).Given(r.begins).At(networkPath)
	r.stack.Build(s, g.Input(FieldX, graph.F32(append([]int{1}, r.stack.In...)...)))
	for _, st := range g.States() {
		states = append(states, NetworkState{st.Name, r.source(strings.TrimPrefix(st.Name, networkPath+".")), st.Spec})
	}
	return r.Network, states
}

// source is what an array is called where it comes from: PREFIX.PATH.weight, or the layer's other name in place of its path.
func (n *FrozenNetwork) source(name string) string {
	prefix := n.Prefix
	if prefix == "" && !n.ofFile() {
		prefix = intoEncoder
	}
	longest := ""
	for path := range n.Names {
		if strings.HasPrefix(name, path+".") && len(path) > len(longest) {
			longest = path
		}
	}
	if longest != "" {
		name = graph.Join(n.Names[longest], strings.TrimPrefix(name, longest+"."))
	}
	return graph.Join(prefix, name)
}

// checkNames refuses other names of what is no layer with numbers.
func (n *FrozenNetwork) checkNames(st *nn.Stack) error {
	if len(n.Names) == 0 {
		return nil
	}
	g := graph.New()
	st.Build(nn.NewScope(g, nn.ScopeOptions{}), g.Input(FieldX, graph.F32(append([]int{1}, st.In...)...)))
	var known []string
	for _, state := range g.States() {
		for path := state.Name; strings.Contains(path, "."); {
			path = path[:strings.LastIndex(path, ".")]
			if !slices.Contains(known, path) {
				known = append(known, path)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(n.Names)) {
		if !slices.Contains(known, path) {
			return mistake("model.reconstruction.names", "no layer of the network with numbers has the path %q%s: there are %s", path, near(path, known), strings.Join(known, ", "))
		}
	}
	return nil
}

// GiveNetwork sets the numbers that a frozen network begins with, by the names of its states.
func (m *Model) GiveNetwork(values map[string][]float32) {
	if r, ok := m.Config.Reconstruction.(*Perceptual); ok {
		r.values = values
	}
}
