package trainer_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/infer"
	"aetrain/trainer"
)

// seen is an autoencoder of the digits whose encoder others look through.
const seen = `
name = "seen"
seed = 2
[data]
source = "digits"
limit = 330
batch = 30
validation = 30
[model]
latent_dim = 12
encoder = [{ layer = "conv2d", filters = [6, 8], kernel = 3, stride = 2, padding = "same", activation = "relu" }]
[optimizer]
learning_rate = 5e-3
[train]
epochs = 4
`

// trainSeen trains it in a folder that is a run's.
func trainSeen(t *testing.T, dir string) *trainer.Run {
	t.Helper()
	r, err := prepareText(t, dir, 2, seen).train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(seen), 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

// What a run's encoder sees in reconstructions comes closer to what it sees in the data than squared error of pixels brings it; nothing
// trains it; and when training has begun, the run is needed no more.
func TestPerceptual(t *testing.T) {
	source := filepath.Join(t.TempDir(), "seen")
	other := trainSeen(t, source)
	through := []string{"model.reconstruction={kind=\"perceptual\",network=" + quoted(source) + "}", "model.latent_dim=6"}
	whole := t.TempDir()
	r, err := prepareText(t, whole, 2, seen, through...).train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0.weight", "0.bias", "1.weight", "1.bias"} {
		if !slices.Equal(readState(t, r, "reconstruction.network."+name), readState(t, other, "encoder."+name)) {
			t.Errorf("%s of the network is not what it was", name)
		}
	}
	pixels, err := prepareText(t, "", 2, seen, append(through, "model.reconstruction.weights=[0,0]", "model.reconstruction.pixels=1")...).train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	distance := func(r, of *trainer.Run) float64 { // by the features alone, whatever was minimised
		m := infer.New(r.Options.Model, r.Backend, r.State, infer.Options{})
		if of != r {
			m = infer.New(r.Options.Model, of.Backend, of.State, infer.Options{})
		}
		defer m.Close()
		figures, err := m.Evaluate(context.Background(), r.Splits.Validation, infer.EvaluateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return figures["reconstruction"]
	}
	if by, plain := distance(r, r), distance(r, pixels); !(by < 0.9*plain) {
		t.Errorf("features are %v apart, %v where pixels were compared", by, plain)
	} else {
		t.Logf("features are %.2f apart, %.2f where pixels were compared", by, plain)
	}

	dir := t.TempDir()
	if _, err := prepareText(t, dir, 1, seen, through...).train(t, func(r *trainer.Run) bool { return r.Step == 19 }); err != nil {
		t.Fatal(err)
	}
	layers := `layers=[{layer="conv2d",filters=[6,8],kernel=3,stride=2,padding="same",activation="relu"}]}` // as config.toml has them
	through[0] = strings.TrimSuffix(through[0], "}") + "," + layers
	if err := os.RemoveAll(source); err != nil {
		t.Fatal(err)
	}
	again := prepareText(t, dir, 2, seen, through...)
	again.Resume = dir + "/checkpoints/last"
	if _, err := again.train(t, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole, "last"), weights(t, dir, "last")) {
		t.Error("resumed without the network's run it comes to other weights")
	}
	if _, err := trainer.New(prepareText(t, "", 1, seen, through...).Options); err == nil || !strings.Contains(err.Error(), "model.reconstruction.network: ") {
		t.Errorf("begun without the network's run: %v", err)
	}
}

// Networks that do not fit are refused with what would.
func TestPerceptualRefuses(t *testing.T) {
	source := filepath.Join(t.TempDir(), "seen")
	trainSeen(t, source)
	network := "model.reconstruction={kind=\"perceptual\",network=" + quoted(source) + "%}"
	for _, c := range []struct {
		keys string
		sets []string
		want string
	}{
		{"", []string{"data.source=random", "data.shape=[3,28,28]"}, "encoder.0.weight of " + source + " is 6x1x3x3, layers want 6x3x3x3: the network sees 1 channels and x has 3: take one that was trained on such images"},
		{`,layers=[{layer="conv2d",filters=6,kernel=5}]`, nil, "encoder.0.weight of " + source + " is 6x1x3x3, layers want 6x1x5x5: write layers as they are there"},
		{`,prefix="decoder.9"`, nil, source + " has no decoder.9.0.weight: say by names and prefix what layers are called there"},
		{`,channels=3`, nil, "is 6x1x3x3, layers want 6x3x3x3"},
	} {
		sets := append([]string{strings.Replace(network, "%", c.keys, 1)}, c.sets...)
		_, err := trainer.New(prepareText(t, "", 1, seen, sets...).Options)
		if err == nil || !strings.Contains(err.Error(), "model.reconstruction.network: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	for transforms, want := range map[string]string{"[]": "", `[{kind="standardize"}]`: "data.transforms is not what it is here"} {
		s := prepareText(t, "", 1, seen, strings.Replace(network, "%", "", 1), "data.transforms="+transforms)
		if got := strings.Join(infer.UnlikeNetwork(s.Model, s.Data), ", "); got != want {
			t.Errorf("behind the transforms %s: %q, want %q", transforms, got, want)
		}
	}
}

func quoted(path string) string { return "\"" + filepath.ToSlash(path) + "\"" }
