package model

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/safetensors"
	"aetrain/nn"
)

// torchNetwork is the network of testdata/perceptual.py.
const torchNetwork = `network = "testdata/perceptual.safetensors"
prefix = "features"
layers = [
  { layer = "conv2d", filters = 3, kernel = 3, stride = 2, padding = 1 }, { layer = "activation", kind = "relu" },
  { layer = "conv2d", filters = 4, kernel = 3 }, { layer = "activation", kind = "relu" },
]
features = ["1", "3"]
`

// perceived makes a model with these keys of [model.reconstruction] for x, and reads what its network begins with.
func perceived(t *testing.T, keys string, x ...int) *Model {
	t.Helper()
	m := build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"flatten\" }, { layer = \"dense\", units = 3 }]\n[model.reconstruction]\nkind = \"perceptual\"\n"+keys, x...)
	path, states := m.NetworkSource()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	values := map[string][]float32{}
	for _, s := range states {
		v, err := f.Read(s.Source)
		if err != nil {
			t.Fatal(err)
		}
		if values[s.State], err = v.Float32(); err != nil {
			t.Fatal(err)
		}
	}
	m.GiveNetwork(values)
	return m
}

// The distance, and its gradient, are PyTorch's (testdata/perceptual.py).
func TestPerceptualIsPyTorchs(t *testing.T) {
	var want map[string][]float64
	text, err := os.ReadFile("testdata/perceptual.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]string{
		"sum": "pixels = 0.1\n", "mean": "pixels = 0.1\nreduction = \"mean\"\n", "unit": "unit_norm = true\nreduction = \"mean\"\n",
	} {
		m := perceived(t, torchNetwork+"weights = [0.5, 2.0]\nmean = [0.4, 0.5]\nstd = [0.2, 0.3]\noutput = \"linear\"\n"+keys, 2, 9, 8)
		g := graph.New()
		x, recon := g.Input("x", graph.F32(2, 2, 9, 8)), g.Input("recon", graph.F32(2, 2, 9, 8))
		f := m.begun(nn.NewScope(g, nn.ScopeOptions{Training: true, Rows: 2}), Training, 2)
		r := m.Config.Reconstruction
		f.X, f.Recon = x, r.Distribution(f.scope, recon, 2)
		loss := r.(Comparer).Compare(f.scope, f)
		fed := map[string]graph.Tensor{"x": graph.NewTensor(x.Spec()), "recon": graph.NewTensor(recon.Spec())}
		for i := range fed["x"].Data {
			fed["x"].Data[i], fed["recon"].Data[i] = 0.5+0.5*math.Sin(0.7*float64(i)), 0.5+0.5*math.Cos(0.4*float64(i))
		}
		for _, s := range g.States() {
			fed[s.Name] = graph.NewTensor(s.Spec)
			s.Init(1, s.Name, fed[s.Name])
			if s.Kind != graph.Buffer {
				t.Errorf("%s is a %v: something may train it", s.Name, s.Kind)
			}
		}
		for i, got := range evaluate(t, fed, loss).Data {
			if !close(got, want[name][i], 1e-9) {
				t.Errorf("%s of example %d is %v, PyTorch's %v", name, i, got, want[name][i])
			}
		}
		if name != "sum" {
			continue
		}
		grad := evaluate(t, fed, graph.VJP([]graph.Value{loss}, []graph.Value{g.Constant(loss.Spec(), 1)}, []graph.Value{recon})[0]).Data
		for i, w := range want["gradient"] {
			if !close(grad[7*i], w, 1e-9) {
				t.Fatalf("the gradient of element %d is %v, PyTorch's %v", 7*i, grad[7*i], w)
			}
		}
	}
}

func TestPerceptualGradient(t *testing.T) {
	m := perceived(t, strings.ReplaceAll(torchNetwork, "relu", "tanh")+"channels = 2\npixels = 0.5\nunit_norm = true\n", 1, 9, 8)
	checkGradient(t, m)
	checkFunctions(t, m)
	dense := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 3, activation = \"tanh\" }]\n"+
		"[model.reconstruction]\nkind = \"perceptual\"\nunit_norm = true\nlayers = [{ layer = \"dense\", units = [4, 3], activation = \"tanh\" }]\n", 12)
	checkGradient(t, dense)
}

// Layers behind the last that counts are not part of the model.
func TestPerceptualCutsTheNetwork(t *testing.T) {
	m := perceived(t, strings.Replace(torchNetwork, `["1", "3"]`, `["1"]`, 1), 2, 9, 8)
	if _, states := m.NetworkSource(); len(states) != 2 || states[0].Source != "features.0.weight" {
		t.Errorf("it has %v", states)
	}
}

func TestPerceptualMistakes(t *testing.T) {
	const key = "[model.reconstruction]\nkind = \"perceptual\"\n"
	layers := `layers = [{ layer = "conv2d", name = "edges", filters = 3, kernel = 3 }, { layer = "dense", units = 2 }]` + "\n"
	missing := filepath.Join(t.TempDir(), "none")
	empty := t.TempDir()
	for _, c := range []struct{ keys, want string }{
		{"", `model.reconstruction.network: there is no network to compare by: name a run, network = "runs/features", or write layers = [...]`},
		{"network = \"vgg.safetensors\"\n", "has numbers but does not say of what layers: write them out, layers = [...]"},
		{fmt.Sprintf("network = %q\n", missing), "model.reconstruction.network: no such file or folder: " + missing},
		{fmt.Sprintf("network = %q\n", empty), "is no run of an autoencoder with layers: it has no config.toml"},
		{fmt.Sprintf("network = %q\nlayers = []\n", empty), "model.reconstruction.layers: the network has no layers, so it sees nothing that could be compared: name a run"},
		{layers, "model.reconstruction.layers[1] (dense): its input is a feature map, 3x7x6: add { layer = \"flatten\" } before it"},
		{strings.Replace(layers, "{ layer = \"dense\"", "{ layer = \"flatten\" }, { layer = \"dense\"", 1) + "features = [\"edge\"]\n",
			`model.reconstruction.features[0]: no layer of the network is called "edge"; did you mean edges?`},
		{"layers = [{ layer = \"flatten\" }]\nfeatures = [\"0\"]\nweights = [1.0, 2.0]\n", "model.reconstruction.weights: 2 weights for 1 layers in features: want one each"},
		{"layers = [{ layer = \"flatten\" }]\nweights = [1.0, 2.0]\n", "2 weights for the 1 layers of the network"},
		{"layers = [{ layer = \"flatten\" }]\nmean = [1.0, 2.0]\n", "model.reconstruction.mean: has 2 numbers for 1 channels: want one each"},
		{layers[:strings.LastIndex(layers, ", {")] + "]\nnames = { \"edges\" = \"conv1\" }\n", `model.reconstruction.names: no layer of the network with numbers has the path "edges": there are 0`},
		{"layers = [{ layer = \"flatten\" }]\nweights = [0.0]\n", "model.reconstruction.weights: all of them are 0: nothing is compared"},
		{"layers = [{ layer = \"flatten\" }]\nnormalize = \"patch\"\n", "normalize"},
	} {
		config, err := tryRead("[model]\n" + key + c.keys)
		if err == nil {
			_, err = New(config, []Field{{Name: FieldX, Spec: graph.F32(1, 9, 8)}})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.keys, err, c.want)
		}
	}
}

// A layer within a layer has its own other name, whatever order a map has; a file that is missing is told of where training begins.
func TestNetworkNames(t *testing.T) {
	n := FrozenNetwork{Network: "a.safetensors", Prefix: "net", Names: map[string]string{"1": "block", "1.0": "block.conv", "1.0.1": "deep"}}
	for name, want := range map[string]string{"0.weight": "net.0.weight", "1.2.bias": "net.block.2.bias", "1.0.weight": "net.block.conv.weight", "1.0.1.weight": "net.deep.weight", "10.weight": "net.10.weight"} {
		for range 20 {
			if got := n.source(name); got != want {
				t.Fatalf("%s is %s there, want %s", name, got, want)
			}
		}
	}
	text := "[model]\n[model.reconstruction]\nkind = \"perceptual\"\nnetwork = \"gone.safetensors\"\nlayers = [{ layer = \"flatten\" }]\n"
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: Presets(), DefaultPreset: DefaultPreset})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(cfg); err != nil {
		t.Errorf("a run that is read: %v", err)
	}
	CheckNetwork(cfg)
	abs, _ := filepath.Abs("gone.safetensors")
	if err := cfg.Err(); err == nil || !strings.Contains(err.Error(), "model.reconstruction.network: no such file or folder: "+abs) {
		t.Errorf("got %v", err)
	}
}
