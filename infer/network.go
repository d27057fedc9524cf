package infer

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"

	"aetrain/checkpoint"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/internal/safetensors"
	"aetrain/model"
)

// NetworkOrigin is where the numbers of a frozen network came from.
type NetworkOrigin struct {
	Path   string `json:"path"`   // the file of arrays
	Digest string `json:"sha256"` // of it
}

// networkKey is the key that names the source of a frozen network.
const networkKey = "model.reconstruction.network"

// TakeNetwork reads what the frozen network of a model starts with: from the best checkpoint of the run that its configuration names,
// or from a safetensors file. nil: the model has none that comes from elsewhere. Mistakes are a *model.Error.
func TakeNetwork(m *model.Model) (*NetworkOrigin, error) {
	path, states := m.NetworkSource()
	if path == "" {
		return nil, nil
	}
	fail := func(err error) (*NetworkOrigin, error) { return nil, &model.Error{Key: networkKey, Err: err} }
	f, from, err := openNetwork(path)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	values, infos := map[string][]float32{}, map[string]safetensors.Info{}
	for _, t := range f.Tensors() {
		infos[t.Name] = t
	}
	for _, s := range states {
		info, ok := infos[s.Source]
		switch {
		case !ok:
			return fail(fmt.Errorf("%s has no %s: say by names and prefix what layers are called there, or write the layers that it has", path, s.Source))
		case !s.Spec.Shape.Equal(info.Shape):
			return fail(mismatch(path, s, info))
		}
		t, err := f.Read(s.Source)
		if err != nil {
			return fail(err)
		}
		if values[s.State], err = t.Float32(); err != nil {
			return fail(err)
		}
	}
	m.GiveNetwork(values)
	return from, nil
}

// UnlikeNetwork says in what the run that the frozen network of a model comes from has learnt to see other examples than the network is
// shown here, which are x behind the transforms of d; nil: in nothing that is known.
func UnlikeNetwork(m *model.Model, d *data.Config) (differences []string) {
	path, _ := m.NetworkSource()
	if path == "" {
		return nil
	}
	_, c, own, err := readConfig(path, nil)
	if err != nil {
		return nil // a file of arrays
	}
	if !slices.EqualFunc(own.Transforms, d.Transforms, func(a, b data.Transform) bool { return reflect.DeepEqual(a, b) }) {
		differences = append(differences, "data.transforms is not what it is here")
	}
	if c.Input != model.Defaults().Input {
		differences = append(differences, fmt.Sprintf("model.input is %q, and here it sees x as it is", c.Input))
	}
	return differences
}

// mismatch says why an array does not fit, and what would.
func mismatch(path string, s model.NetworkState, info safetensors.Info) error {
	way := "write layers as they are there"
	if want, have := s.Spec.Shape, info.Shape; len(want) == 4 && len(have) == 4 && want[0] == have[0] && want[1] != have[1] {
		way = fmt.Sprintf("the network sees %d channels and x has %d: take one that was trained on such images", have[1], want[1])
		if want[1] == 1 {
			way += fmt.Sprintf(", or repeat the one, channels = %d", have[1])
		}
	} else if len(want) == 2 && len(have) == 2 && want[0] == have[0] {
		way = fmt.Sprintf("the layer sees %d numbers there and %d of x here: take a network that was trained on data of this shape", have[1], want[1])
	}
	return fmt.Errorf("%s of %s is %v, layers want %v: %s", s.Source, path, graph.Shape(info.Shape), s.Spec.Shape, way)
}

// openNetwork opens a run's weights, or a file of arrays.
func openNetwork(path string) (*safetensors.File, *NetworkOrigin, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if st.IsDir() {
		dir, err := checkpoint.Find(path, "")
		if err != nil {
			return nil, nil, err
		}
		f, digest, err := checkpoint.Weights(dir)
		return f, &NetworkOrigin{dir, digest}, err
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, nil, err
	}
	digest, err := f.Digest()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, &NetworkOrigin{path, digest}, nil
}
