// Package configs turns TOML into the declarations of the rooms that own them.
//
// [Load] merges defaults, a preset, the user's file and -set overrides into one tree, in which every value knows where it was written.
// Each room declares its section as a Go struct (tags give key, meaning, choices and limits; see [Section.Decode]) and decodes it strictly.
// Mistakes are collected with file, line, key and the nearest right name, so that a user sees all of them at once ([Config.Err]).
// The same declarations answer "aetrain explain" ([Explain]) and write complete configs ([Config.Render]).
package configs

import (
	"path/filepath"
	"strings"
)

// Experiment is the root table of an experiment's file; its sections are decoded by the rooms that own them.
type Experiment struct {
	Name string `toml:"name" doc:"name of the experiment; its runs are runs/NAME-TIMESTAMP (default: the file's name)" example:"\"vae\""`
	Seed uint64 `toml:"seed" doc:"seed of everything random: weights, order, noise, splits" example:"1"`

	Data      *Section `toml:"data" doc:"where examples come from, splits and transforms"`
	Model     *Section `toml:"model" doc:"the parts of the autoencoder"`
	Optimizer *Section `toml:"optimizer" doc:"how weights are updated"`
	Train     *Section `toml:"train" doc:"how long, how often, on what device"`
	Anomaly   *Section `toml:"anomaly" doc:"how examples are scored and when one is flagged"`
	Kernels   *Section `toml:"kernels" doc:"the choice of kernels: autotune, strict, and an op's name = a candidate"`
}

// defaultSeed is the seed of an experiment that names none.
const defaultSeed = 1

func init() { Declare("", func() any { return &Experiment{Seed: defaultSeed} }) }

// Validate holds the name to what can be a folder.
func (e *Experiment) Validate() error {
	if e.Name == "." || e.Name == ".." || strings.ContainsAny(e.Name, "/\\\x00") || strings.TrimSpace(e.Name) != e.Name {
		return KeyError("name", "%q cannot be the name of a folder", e.Name)
	}
	return nil
}

// Config is a merged configuration: a tree of values with their origins, and the mistakes found in it so far.
// It is used by one goroutine at a time.
type Config struct {
	Name string // of the experiment; the file's name without extension where the key is missing
	Seed uint64 // of everything random

	File   string // as given in LoadOptions
	Source []byte // the file's text as written, with its comments

	root  *node
	empty map[string]*node // tables that were decoded and that nobody wrote, by path
	errs  Errors
}

// Dir returns the folder of the config's file, as it was given.
func (c *Config) Dir() string { return filepath.Dir(c.File) }

// Root returns the root table.
func (c *Config) Root() *Section { return &Section{cfg: c, node: c.root} }

// Section returns the table at a path such as "model" or "model.bottleneck". It is never nil; where nothing was written it is empty.
func (c *Config) Section(path string) *Section { return c.Root().Sub(path) }

// Where returns the origin of a key such as "model.encoder[0].units": of the nearest table around it where the key itself was not written.
func (c *Config) Where(key string) Origin { return c.Root().Where(key) }

// Errorf records a mistake at a key; file and line are found from it.
func (c *Config) Errorf(key, format string, args ...any) { c.Root().Errorf(key, format, args...) }

// Err returns every mistake found so far as Errors, sorted by place, or nil.
func (c *Config) Err() error { return c.errs.orNil() }
