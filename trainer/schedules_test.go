package trainer_test

import (
	"path/filepath"
	"slices"
	"testing"

	"aetrain/configs"
	"aetrain/model"
	"aetrain/trainer"
)

// Validation and the best checkpoint judge by what schedules of penalties end at: each preset, and each experiment, trains until they have.
func TestSchedulesEndInTraining(t *testing.T) {
	texts := map[string]configs.LoadOptions{}
	for _, name := range model.PresetNames() {
		texts[name] = configs.LoadOptions{File: name, Bytes: []byte("[model]\npreset = \"" + name + "\"\n")}
	}
	for _, pattern := range []string{"*.toml", "*/*.toml"} {
		files, err := filepath.Glob(filepath.Join("..", "experiments", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			texts[file] = configs.LoadOptions{File: file}
		}
	}
	found := 0
	for name, o := range texts {
		o.Presets, o.DefaultPreset = model.Presets(), model.DefaultPreset
		cfg, err := configs.Load(o)
		if err != nil {
			t.Fatal(err)
		}
		train, err := trainer.Read(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range schedules(cfg.Section("model.penalties")) {
			var s configs.Schedule
			if err := section.Decode(&s); err != nil {
				t.Fatal(err)
			}
			found++
			if s.Epochs > train.Epochs {
				t.Errorf("%s: %s rises for %v epochs, training is %v", name, section.Path(), s.Epochs, train.Epochs)
			}
		}
	}
	if found < 6 {
		t.Errorf("%d schedules were found", found)
	}
}

// schedules returns the tables within a section that are schedules: { from, to, epochs }.
func schedules(s *configs.Section) []*configs.Section {
	keys := s.Keys("")
	if slices.Contains(keys, "from") && slices.Contains(keys, "epochs") {
		return []*configs.Section{s}
	}
	var found []*configs.Section
	for _, key := range keys {
		if len(s.Keys(key)) > 0 {
			found = append(found, schedules(s.Sub(key))...)
		}
	}
	return found
}
