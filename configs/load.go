package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aetrain/internal/registry"
)

// LoadOptions say what makes up a configuration.
type LoadOptions struct {
	File  string   // path of the user's file, also its name in sentences; "" for none
	Bytes []byte   // the file's text; nil: File is read
	Sets  []string // overrides KEY=VALUE, in the order of the command line

	Presets       fs.FS  // NAME.toml files; nil: model.preset is not followed
	DefaultPreset string // taken where neither file nor overrides name one

	Root any // pointer that the root table is decoded into, for files that are no experiment; nil: an Experiment
}

// Load merges the layers of a configuration and decodes its root table; the rooms decode their sections.
// Mistakes are collected in the Config, so that decoding may go on to find the others: ask [Config.Err] when all is decoded.
// Load returns an error, and no Config, only where nothing can be said of the rest: the file cannot be read, or is not TOML.
func Load(o LoadOptions) (*Config, error) {
	c := &Config{File: o.File, Source: o.Bytes}
	if err := c.read(); err != nil {
		return nil, err
	}
	origin := Origin{Layer: File, Name: o.File}
	if o.File == "" && o.Bytes != nil {
		origin.Name = "config"
	}
	tree, mistakes, fatal := parse(string(c.Source), origin)
	c.errs = append(c.errs, mistakes...)
	if fatal {
		return nil, c.Err()
	}
	sets := c.setTree(o.Sets)
	silent := merger{fail: func(*node, string, ...any) {}}
	preset := c.preset(o, silent.merge(tree, sets, ""))
	m := merger{fail: c.fail}
	c.root = m.merge(m.merge(preset, tree, ""), sets, "")
	c.decodeRoot(o)
	return c, nil
}

// read fills Source from the file.
func (c *Config) read() error {
	if c.Source != nil || c.File == "" {
		return nil
	}
	file, err := os.Open(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		abs, _ := filepath.Abs(c.File)
		return Errors{{Message: fmt.Sprintf("no such config file: %s", abs)}}
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", c.File, err)
	}
	defer file.Close()
	c.Source, err = io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", c.File, err)
	}
	return nil
}

// fail records a mistake at a node.
func (c *Config) fail(at *node, format string, args ...any) {
	c.errs = append(c.errs, &Error{Origin: at.origin, Key: at.path, Message: fmt.Sprintf(format, args...)})
}

// preset returns the tree of the preset that a tree names, nil where there is none.
func (c *Config) preset(o LoadOptions, own *node) *node {
	if o.Presets == nil {
		return nil
	}
	at := own.child("model").child("preset")
	name, named := at.text()
	if at == nil {
		name, named = o.DefaultPreset, true
	}
	if !named || name == "" {
		return nil // another type: decoding says so
	}
	return c.presetTree(o.Presets, name, at, nil)
}

// presetTree reads a preset, over the one that it names itself. at is where the name was written, nil for the default.
func (c *Config) presetTree(presets fs.FS, name string, at *node, seen []string) *node {
	fail := func(format string, args ...any) *node {
		if at == nil {
			at = &node{path: "model.preset"}
		}
		c.fail(at, format, args...)
		return nil
	}
	names := PresetNames(presets)
	canonical, ok := registry.Find(name, names)
	if !ok {
		return fail("unknown preset %q%s", name, registry.Suggest(name, names))
	}
	for _, s := range seen {
		if s == canonical {
			return fail("preset %s is built on itself", canonical)
		}
	}
	text, err := fs.ReadFile(presets, canonical+".toml")
	if err != nil {
		return fail("preset %s cannot be read: %v", canonical, err)
	}
	tree, mistakes, fatal := parse(string(text), Origin{Layer: Preset, Name: canonical})
	c.errs = append(c.errs, mistakes...)
	if fatal {
		return nil
	}
	base := tree.child("model").child("preset")
	if below, ok := base.text(); ok {
		lower := c.presetTree(presets, below, base, append(seen, canonical))
		tree = merger{fail: c.fail}.merge(lower, tree, "")
		base.value = canonical
	} else {
		model := tree.child("model")
		if model == nil {
			model = newTable("model", tree.origin)
			tree.put("model", model)
		}
		if model.kind == tableNode {
			model.put("preset", &node{kind: leafNode, path: "model.preset", origin: tree.origin, value: canonical})
		}
	}
	return tree
}

// PresetNames returns the names of the presets in a folder of TOML files, sorted.
func PresetNames(presets fs.FS) []string {
	files, _ := fs.Glob(presets, "*.toml") // the pattern is well-formed, the only error
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".toml")
	}
	return files
}

// decodeRoot decodes the root table and takes name and seed from it. What is wrong stands in c.
func (c *Config) decodeRoot(o LoadOptions) {
	if o.Root != nil {
		_ = c.Root().Decode(o.Root)
		return
	}
	e := Experiment{Name: strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File)), Seed: defaultSeed}
	if c.File == "" || e.Name == "" {
		e.Name = "run"
	}
	_ = c.Root().Decode(&e)
	c.Name, c.Seed = e.Name, e.Seed
}
