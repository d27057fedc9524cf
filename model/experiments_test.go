package model_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/optim"
)

// Every file under experiments/ is a model and an optimizer, and its first line says what to expect.
func TestExperiments(t *testing.T) {
	root := filepath.Join("..", "experiments")
	count := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".toml" {
			return err
		}
		count++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		if !strings.HasPrefix(first, "# ") || !regexp.MustCompile(`\d`).MatchString(first) {
			t.Errorf("%s: the first line names no figure: %s", path, first)
		}
		cfg, err := configs.Load(configs.LoadOptions{File: path, Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
		if err != nil {
			t.Errorf("%v", err)
			return nil
		}
		if want := strings.TrimSuffix(strings.TrimPrefix(path, root+string(filepath.Separator)), ".toml"); cfg.Name != strings.ReplaceAll(want, string(filepath.Separator), "-") {
			t.Errorf("%s is called %s", path, cfg.Name)
		}
		c, _ := model.Read(cfg)
		if _, err := optim.Read(cfg.Section("optimizer")); err != nil {
			t.Error(err)
		}
		if err := cfg.Err(); err != nil {
			t.Error(err)
			return nil
		}
		if cfg.Section("data").Text("source") == "shapes" || len(cfg.Section("sweep").Keys("")) > 0 {
			return nil
		}
		x := graph.F32(1, 28, 28)
		switch cfg.Section("data").Text("source") {
		case "waves":
			x = graph.F32(100, 1)
		case "states":
			x = graph.F32(32)
		case "sentences":
			x = graph.I32(11)
		}
		if _, err := model.New(c, []model.Field{{Name: model.FieldX, Spec: x, Classes: 50}, {Name: "label", Spec: graph.I32(), Classes: 10}}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || count == 0 {
		t.Errorf("%d experiments: %v", count, err)
	}
}
