package data

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

var update = flag.Bool("update", false, "write golden files anew")

// read decodes [data] from TOML.
func readConfig(t testing.TB, text string) (*Config, error) {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text)})
	if err != nil {
		return nil, err
	}
	c, _ := Read(cfg)
	return c, cfg.Err()
}

// openConfig opens what TOML says.
func openConfig(t testing.TB, text string, seed uint64) *Splits {
	t.Helper()
	c, err := readConfig(t, text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSplits(t *testing.T) {
	mnist, alone := idxFolder(t, 60, 20), idxFolder(t, 60, 0)
	held := idxFolder(t, 7, 3)
	for _, c := range []struct {
		name, keys              string
		train, validation, test int
	}{
		{"the source's own", "dir = 'MNIST'", 54, 6, 20},
		{"no test of its own", "dir = 'ALONE'", 54, 6, 0},
		{"a fraction", "dir = 'MNIST'\nvalidation = 0.5", 30, 30, 20},
		{"a count", "dir = 'MNIST'\nvalidation = 10", 50, 10, 20},
		{"none", "dir = 'MNIST'\nvalidation = 0\ntest = 0", 60, 0, 0},
		{"both drawn", "dir = 'ALONE'\nvalidation = 0.1\ntest = 0.2", 42, 6, 12},
		{"the test split", "dir = 'MNIST'\nvalidation = \"test\"", 60, 20, 20},
		{"a drawn test split", "dir = 'ALONE'\nvalidation = \"test\"\ntest = 5", 55, 5, 5},
		{"merged", "dir = 'MNIST'\nmerge_splits = true", 80, 0, 0},
		{"merged and drawn", "dir = 'MNIST'\nmerge_splits = true\nvalidation = 8", 72, 8, 0},
		{"a path", "dir = 'MNIST'\nvalidation = 'HELD'", 60, 10, 20},
		{"limit", "dir = 'MNIST'\nlimit = 10", 9, 1, 10},
		{"normal", "dir = 'MNIST'\ntrain_on = 'normal'\nnormal = [0, 2]\nvalidation = 0.1", 36, 4, 20},
		{"a tenth of a rare class", "dir = 'MNIST'\ntrain_on = 'normal'\nnormal = [0]", 18, 2, 20},
		{"a count of the normal ones", "dir = 'MNIST'\ntrain_on = 'normal'\nnormal = [0]\nvalidation = 5", 15, 5, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := strings.NewReplacer("MNIST", mnist, "ALONE", alone, "HELD", held).Replace(c.keys)
			s := openConfig(t, "[data]\nsource = \"mnist\"\n"+keys, 1)
			size := func(src Source) int {
				if src == nil {
					return 0
				}
				return src.Len()
			}
			if got, want := []int{size(s.Train), size(s.Validation), size(s.Test)}, []int{c.train, c.validation, c.test}; !slices.Equal(got, want) {
				t.Errorf("train, validation, test: got %v, want %v", got, want)
			}
		})
	}
}

// pixelsOf reads the first pixel of each example, which tells examples apart.
func pixelsOf(t testing.TB, s Source) []int {
	t.Helper()
	x := readAll(t, s)
	size := s.Fields()[0].Spec.Shape.Size()
	var first []int
	for i := 0; i < len(x); i += size {
		first = append(first, int(x[i]*255+0.5))
	}
	return first
}

// TestSplitsAreDisjoint draws by the seed, and nothing twice.
func TestSplitsAreDisjoint(t *testing.T) {
	text := "[data]\nsource = \"mnist\"\ndir = '" + idxFolder(t, 90, 0) + "'\ntest = 0.2"
	s := openConfig(t, text, 1)
	train, validation, test := pixelsOf(t, s.Train), pixelsOf(t, s.Validation), pixelsOf(t, s.Test)
	if !slices.IsSorted(train) || !slices.IsSorted(validation) || !slices.IsSorted(test) {
		t.Error("the order of the source is not kept")
	}
	all := slices.Concat(train, validation, test)
	slices.Sort(all)
	for i, v := range all {
		if i != v {
			t.Fatalf("the splits together are %v", all)
		}
	}
	if again := openConfig(t, text, 1); !slices.Equal(pixelsOf(t, again.Validation), validation) {
		t.Error("the same seed draws others")
	}
	if other := openConfig(t, text, 2); slices.Equal(pixelsOf(t, other.Validation), validation) {
		t.Error("another seed draws the same")
	}
	if none := openConfig(t, text+"\nvalidation = 0", 1); !slices.Equal(pixelsOf(t, none.Test), test) {
		t.Error("the test split depends on validation")
	}
	joined, name, err := s.Named("all")
	if err != nil || name != "all" || !slices.Equal(pixelsOf(t, joined), slices.Concat(train, validation, test)) {
		t.Errorf("all: %s, %v", name, err)
	}
}

func TestNamed(t *testing.T) {
	s := openConfig(t, "[data]\nsource = \"mnist\"\ndir = '"+idxFolder(t, 10, 5)+"'\nvalidation = \"test\"", 1)
	for name, want := range map[string]int{"": 5, "train": 10, "validation": 5, "test": 5, "all": 15} {
		if src, _, err := s.Named(name); err != nil || src.Len() != want {
			t.Errorf("%q: got %v, want %d examples", name, err, want)
		}
	}
	if _, _, err := s.Named("dev"); err == nil || !strings.Contains(err.Error(), `"dev"`) {
		t.Errorf("dev: got %v", err)
	}
	s = openConfig(t, "[data]\nsource = \"mnist\"\ndir = '"+idxFolder(t, 10, 0)+"'", 1)
	if _, name, _ := s.Named(""); name != "validation" {
		t.Errorf("without a test split: got %s", name)
	}
	if _, _, err := s.Named("test"); err == nil {
		t.Error("there is a test split")
	}
}

func TestConfigMistakes(t *testing.T) {
	dir := idxFolder(t, 10, 5)
	for _, c := range []struct {
		name, keys string
		want       []string
	}{
		{"amount", "validation = 1.5", []string{"t.toml:2: data.validation: 1.5 is neither a fraction below 1 nor a count"}},
		{"source", `source = "mnits"`, []string{"t.toml:2: data.source", "mnits", "did you mean mnist?"}},
		{"key of another source", "examples = 3", []string{"t.toml:2: data.examples"}},
		{"no folder", "source = \"mnist\"\ndir = 'no/such/place'", []string{"t.toml:3: data.dir: no such folder: ", "no/such/place"}},
		{"no file", "source = \"npy\"\nfile = 'no/such/*.npy'", []string{"t.toml:3: data.file: no file matches: "}},
		{"no path of validation", "source = \"mnist\"\nvalidation = 'nowhere'", []string{"t.toml:3: data.validation: no such file or folder: "}},
		{"label of a source with its own", `label = "y"`, []string{"t.toml:2: data.label: this source brings its own labels"}},
		{"no file of labels", "source = \"npy\"\nfile = 'DIR/*'\nlabel = 'y.npy'", []string{"t.toml:4: data.label: no such file: "}},
		{"file is required", `source = "npy"`, []string{"data.file"}},
		{"normal", `train_on = "normal"`, []string{"t.toml:2: data.train_on: \"normal\" needs to know what is normal"}},
		{"transform", `transforms = [{ kind = "resise", size = 3 }]`, []string{"data.transforms[0]", "did you mean resize?"}},
		{"size", `transforms = [{ kind = "resize", size = [1, 2, 3] }]`, []string{"data.transforms[0].size", "not 3 numbers"}},
		{"range", `transforms = [{ kind = "scale", to = [1, 0] }]`, []string{"data.transforms[0].to", "[low, high]"}},
		{"batch", "batch = 0", []string{"t.toml:2: data.batch"}},
		{"all at once", "batch = 0\nlimit = -1", []string{"t.toml:2: data.batch", "t.toml:3: data.limit"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readConfig(t, "[data]\n"+strings.ReplaceAll(c.keys, "DIR", dir))
			if err == nil {
				t.Fatal("no mistake is found")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q", err, want)
				}
			}
		})
	}
}

func TestOpenMistakes(t *testing.T) {
	dir := idxFolder(t, 10, 5)
	for _, c := range []struct {
		keys, key, want string
	}{
		{"validation = 11", "data.validation", "11 examples are wanted, there are 10"},
		{"validation = 10", "data.validation", "nothing is left to train on"},
		{"validation = \"test\"\ntest = 0", "data.validation", "there is none"},
		{"train_on = \"normal\"\nnormal = [9]", "data.normal", "no example has one of the labels 9"},
		{"transforms = [{ kind = \"crop\", size = 2 }]", "data.transforms[0]", "crop meets images of 1x2, which are smaller than 2x2"},
	} {
		cfg, err := readConfig(t, "[data]\nsource = \"mnist\"\ndir = '"+dir+"'\n"+c.keys)
		if err != nil {
			t.Errorf("%s: %v", c.keys, err)
			continue
		}
		_, err = Open(context.Background(), cfg, OpenOptions{Seed: 1})
		var m *Mistake
		if !errors.As(err, &m) || m.Key != c.key || !strings.Contains(m.Message, c.want) {
			t.Errorf("%s: got %v, want %s: %s", c.keys, err, c.key, c.want)
		}
	}
}

// TestNoLabels wants normal examples of a source that knows none.
func TestNoLabels(t *testing.T) {
	c, err := readConfig(t, "[data]\nsource = \"random\"\nexamples = 10\ntrain_on = \"normal\"\nnormal = [0]")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), c, OpenOptions{}); err == nil || !strings.Contains(err.Error(), "needs labels") {
		t.Errorf("got %v", err)
	}
}

// TestExamples decodes the transforms of the documented examples.
func TestExampleKeys(t *testing.T) {
	c, err := readConfig(t, `
[data]
source = "random"
shape = [16]
batch = 4096
validation = 20000
resident = false
transforms = [{ kind = "scale", to = "unit-norm" }, { kind = "standardise" }, { kind = "noise", sigma = 0.2 }]
`)
	if err != nil {
		t.Fatal(err)
	}
	if c.Batch != 4096 || c.Validation.Count != 20000 || len(c.Transforms) != 3 || c.Source.(*Random).Shape[0] != 16 || c.Resident.Or(true) {
		t.Errorf("got %+v", c)
	}
	if key := configs.Undocumented(); len(key) > 0 {
		for _, k := range key {
			if strings.HasPrefix(k, "data") {
				t.Errorf("%s has no doc", k)
			}
		}
	}
}

// TestRestoredSplits opens a run's data with what its transforms had learnt.
func TestRestoredSplits(t *testing.T) {
	text := "[data]\nsource = \"mnist\"\ndir = '" + idxFolder(t, 50, 10) + "'\ntransforms = [{ kind = \"standardize\" }]"
	s := openConfig(t, text, 1)
	c, err := readConfig(t, text+"\nlimit = 20")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), c, OpenOptions{Seed: 1, Fitted: s.Pipeline.State()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, want := readAll(t, r.Test), readAll(t, s.Test); !slices.Equal(got, want) {
		t.Error("the same examples come out differently")
	}
	if s.Pipeline.After() != "standardize" {
		t.Errorf("After is %q", s.Pipeline.After())
	}
}

// TestChannelsLast looks at shapes alone: nobody can know, but a picture of 17 channels is rare.
func TestChannelsLast(t *testing.T) {
	for _, c := range []struct {
		shape graph.Shape
		want  bool
	}{
		{graph.Shape{17, 23, 3}, true}, {graph.Shape{28, 28, 1}, true}, {graph.Shape{3, 17, 23}, false}, {graph.Shape{1, 28, 28}, false},
		{graph.Shape{3, 4, 3}, false}, {graph.Shape{64, 3}, false}, {graph.Shape{13}, false}, {nil, false}, {graph.Shape{64, 7, 7}, false},
	} {
		if got := channelsLast(c.shape); (got != "") != c.want {
			t.Errorf("%v: got %q", c.shape, got)
		}
	}
	if got, want := channelsLast(graph.Shape{17, 23, 3}), ", which is 17 channels of 23x3; if these are images of 17x23, save them with the channels first"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDescribe(t *testing.T) {
	var all bytes.Buffer
	for _, keys := range []string{"", "\nvalidation = \"test\"\ntransforms = [{ kind = \"pad\", size = 4 }, { kind = \"standardize\", axis = \"channel\" }]", "\nvalidation = 0\ntest = 0"} {
		s := openConfig(t, "[data]\nsource = \"mnist\"\ndir = '"+idxFolder(t, 50, 10)+"'"+keys, 1)
		if err := Describe(&all, s); err != nil {
			t.Fatal(err)
		}
		all.WriteString("\n")
	}
	golden(t, "describe.txt", all.Bytes())
}

// golden compares with a file of testdata; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
