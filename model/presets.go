package model

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed presets/*.toml
var presetFiles embed.FS

// Presets holds the known variants as partial experiment files, NAME.toml; their first line says what they are.
func Presets() fs.FS {
	sub, err := fs.Sub(presetFiles, "presets")
	if err != nil {
		panic("model: " + err.Error()) // the folder is embedded above
	}
	return sub
}

// PresetNames returns the names of the presets, sorted.
func PresetNames() []string {
	files, _ := fs.Glob(presetFiles, "presets/*.toml")
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), ".toml")
	}
	return names
}

// DescribePreset returns the first line of a preset, without its comment sign; "" where there is no such preset.
func DescribePreset(name string) string {
	text, err := presetFiles.ReadFile("presets/" + name + ".toml")
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "#"))
}
