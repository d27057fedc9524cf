package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad holds the loader to its promises on any text: no panic, a place for every mistake, a line for every value,
// and what was read without mistakes is rendered to something that reads the same.
func FuzzLoad(f *testing.F) {
	f.Add(wholeHouse, "data.batch=3")
	f.Add("[data]\nsource = digits\nbatch = \n", "model.encoder.0.units=2")
	f.Add("a = [[{x=1,},{y.z='''\n'''}]]\n[[b]]\n[b.c]\n\"\\u00e9\"=1979-05-27", `a."b=c".d={x=[1]}`)
	f.Add("[model.penalties.kl]\nbeta = { from = 1, to = 2, epochs = 3 }\nenabled = false\n[[model.encoder]]\nlayer = \"dense\"\nunits = 1e30\n", "optimizer.name=sgd")
	f.Add("\xef\xbb\xbf[a]\r\n[a]\r\n", "=")
	f.Add("a.b = 1\na.b.c = 2\n[a.b]", "model.preset=beta-vae")
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(os.Getenv("AETRAIN_DATA")), "examples", "*.toml"))
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(string(text), "train.epochs=5")
		}
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		if tree, mistakes, fatal := parse(text, Origin{Layer: File, Name: "t.toml"}); !fatal && len(mistakes) == 0 {
			withoutLine(t, tree)
		}
		h, err := parseText(text, set)
		if err != nil {
			placed(t, err)
			return
		}
		out := render(t, h.cfg, RenderOptions{Comments: len(text)%2 == 0})
		again, err := parseText(out)
		if err != nil {
			t.Fatalf("rendered, it has mistakes: %v\n%s", err, out)
		}
		if diff := Diff(h.cfg, again.cfg); len(diff) > 0 {
			t.Errorf("rendered and read again it differs: %v\n%s", diff, out)
		}
	})
}

// placed fails the test for mistakes that do not say where they are.
func placed(t *testing.T, err error) {
	t.Helper()
	var list Errors
	if !errors.As(err, &list) {
		t.Fatalf("%T is no list of mistakes: %v", err, err)
	}
	for _, e := range list {
		if !strings.Contains(e.Error(), "t.toml:") && e.Origin.Layer != Set && e.Origin.Layer != Preset {
			t.Errorf("no place: %v", e)
		}
		if e.Origin.Layer == File && e.Origin.Line == 0 && !strings.Contains(e.Message, "is missing") && !strings.Contains(e.Message, "bytes are too many") {
			t.Errorf("no line: %v", e)
		}
		if strings.TrimSpace(e.Message) == "" {
			t.Errorf("no sentence: %+v", e)
		}
	}
}
