package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// everyType has a field of each type that the house has not.
type everyType struct {
	Small    int8               `toml:"small" doc:"x"`
	Short    int16              `toml:"short" doc:"x"`
	Byte     uint8              `toml:"byte" doc:"x"`
	Word     uint16             `toml:"word" doc:"x"`
	Count    uint               `toml:"count" doc:"x"`
	Ratio    float32            `toml:"ratio" doc:"x"`
	Maybe    *float64           `toml:"maybe" doc:"x"`
	Flag     *bool              `toml:"flag" doc:"x"`
	Label    *string            `toml:"label" doc:"x"`
	Toggle   Toggle             `toml:"toggle" doc:"x"`
	Range    NumbersOrWord      `toml:"range" doc:"x" choices:"learned"`
	Terms    map[string]Scalar  `toml:"terms" doc:"x"`
	Numbers  map[string]float64 `toml:"numbers" doc:"x"`
	Stages   []stageType        `toml:"stages" doc:"x"`
	Pointers []*stageType       `toml:"pointers" doc:"x"`
	Nested   *stageType         `toml:"nested" doc:"x"`
	Size     int                `toml:"size" doc:"x" min:"1"`
	Way      string             `toml:"way" doc:"x" choices:"up|down"`
	Rise     Scalar             `toml:"rise" doc:"x" over:"0"`
	Default  bottleneck         `toml:"default" doc:"x"`
	List     []layer            `toml:"list" doc:"x"`
}

type stageType struct {
	Epochs float64 `toml:"epochs" doc:"x"`
	Trains Texts   `toml:"trains" doc:"x"`
}

func (s *stageType) SetDefaults() { s.Epochs = 7 }

func newEvery() *everyType {
	return &everyType{Default: &gaussian{Bound: "iwae", Samples: 5}, List: []layer{&dense{Units: Ints{3}, Activation: "relu"}}}
}

func TestEveryType(t *testing.T) {
	const text = `small = -128
short = 32767
byte = 255
word = 65535
count = 2147483647
ratio = 0.5
maybe = 2
flag = false
label = ""
toggle = false
range = [0, 1.5]
nested = { trains = "encoder" }
[terms]
"adversary.image.fool" = 1.0
kl = { from = 0, to = 1, epochs = 2 }
[numbers]
a = 1
[[stages]]
[[stages]]
epochs = 1
trains = ["encoder", "decoder"]
[[pointers]]
trains = "x"
`
	load := func(text string) (*everyType, *Config) {
		v := newEvery()
		c, err := Load(LoadOptions{File: "t.toml", Bytes: []byte(text), Root: v})
		if err != nil {
			t.Fatal(err)
		}
		return v, c
	}
	v, c := load(text)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	ok := v.Small == -128 && v.Byte == 255 && v.Word == 65535 && v.Ratio == 0.5 && *v.Maybe == 2 && !*v.Flag && *v.Label == "" && !v.Toggle.Or(true) &&
		v.Range.Numbers[1] == 1.5 && v.Range.Number() == 0 && v.Terms["adversary.image.fool"].Final() == 1 && v.Terms["kl"].At(1) == 0.5 && v.Numbers["a"] == 1 &&
		v.Stages[0].Epochs == 7 && v.Stages[1].Trains[1] == "decoder" && v.Pointers[0].Epochs == 7 && v.Nested.Epochs == 7 && v.Nested.Trains[0] == "encoder"
	if !ok {
		t.Errorf("read %+v", v)
	}
	out := render(t, c, RenderOptions{})
	for _, want := range []string{"[default]\nkind = \"gaussian\"\nbound = \"iwae\"\nsamples = 5\n", "[[list]]\nlayer = \"dense\"\n", "maybe = 2.0", "trains = [\"encoder\", \"decoder\"]", "units = 3\nactivation = \"relu\"\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("rendered without %q:\n%s", want, out)
		}
	}
	for _, unset := range []string{"size =", "way =", "rise ="} {
		if strings.Contains(out, unset) {
			t.Errorf("rendered with %q, which nobody gave:\n%s", unset, out)
		}
	}
	_, again := load(out)
	if diff := Diff(c, again); len(diff) > 0 || again.Err() != nil {
		t.Errorf("read again: %v, %v", diff, again.Err())
	}
	_, wrong := load("small = 128\nshort = -32769\nbyte = 256\nword = -1\ncount = 2147483648\nratio = 1e39\nmaybe = \"x\"\nrange = [1, \"x\"]\nnested = 1\nterms = [1]\nstages = [1]\n")
	want := `t.toml:1: small: 128 is too large: at most 127
t.toml:2: short: -32769 is too small: at least -32768
t.toml:3: byte: 256 is too large: at most 255
t.toml:4: word: must be at least 0, not -1
t.toml:5: count: 2147483648 is too large: at most 2147483647
t.toml:6: ratio: 1e+39 is too large: at most 3.4e+38
t.toml:7: maybe: "x" is not a number
t.toml:8: range: "x" is not a number
t.toml:9: nested: 1 is not a table: write [nested]
t.toml:10: terms: is a list, where one table is wanted: write [terms]
t.toml:11: stages[0]: 1 is not a table: write [stages[0]]`
	if err := wrong.Err(); err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestUndecodedSectionsStayAsTheyAre(t *testing.T) {
	const text = "name = \"x\"\nseed = 1\n\n[data]\nday = 2020-01-02\ntime = 07:32:00.5\nboth = 2020-01-02T07:32:00\nzone = 2020-01-02T07:32:00Z\nlist = [[1, 2], [\"a\"], []]\nempty = {}\n"
	cfg, err := Load(LoadOptions{File: "t.toml", Bytes: []byte(text)})
	if err != nil || cfg.Err() != nil {
		t.Fatal(err, cfg.Err())
	}
	if got, want := render(t, cfg, RenderOptions{}), strings.TrimSuffix(text, "empty = {}\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestLoadFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(LoadOptions{File: "none.toml"})
	if want := "no such config file: " + filepath.Join(cwd, "none.toml"); !IsMistake(err) || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
	if _, err = Load(LoadOptions{File: "."}); err == nil || IsMistake(err) {
		t.Errorf("a folder: got %v; want a failure", err)
	}
	if err := os.WriteFile("large.toml", make([]byte, maxFileBytes+10), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(LoadOptions{File: "large.toml"}); !IsMistake(err) || !strings.Contains(err.Error(), "too many for a config") {
		t.Errorf("got %v; want a sentence about the size", err)
	}
	if err := os.WriteFile("my vae.toml", []byte("seed = 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(LoadOptions{File: "my vae.toml"})
	if err != nil || c.Name != "my vae" || c.Seed != 3 || string(c.Source) != "seed = 3\n" || c.Dir() != "." {
		t.Errorf("got %+v, %v", c, err)
	}
	c, err = Load(LoadOptions{Sets: []string{"seed=x", "seed=4"}})
	if err != nil || c.Seed != 4 || c.Err() != nil {
		t.Errorf("the last override should win: %+v, %v", c, err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestRenderReturnsTheWritersError(t *testing.T) {
	if err := mustRead(t, "").cfg.Render(failingWriter{}, RenderOptions{}); err == nil || err.Error() != "disk full" {
		t.Errorf("got %v; want disk full", err)
	}
}
