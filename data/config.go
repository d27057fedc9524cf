package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"aetrain/configs"
)

// Config is [data]: the keys of every source and, in Source, those of the chosen one.
type Config struct {
	Source      SourceOptions  `toml:",inline" kind:"digits" doc:"where examples come from"`
	Batch       int            `toml:"batch" min:"1" doc:"examples a step"`
	Limit       int            `toml:"limit" min:"0" doc:"only the first N examples of each of the source's parts, for a quick try; 0: all"`
	Shuffle     bool           `toml:"shuffle" doc:"an order of its own each epoch, drawn by the seed"`
	DropLast    bool           `toml:"drop_last" doc:"leave out the last batch of an epoch when it is short"`
	Workers     int            `toml:"workers" min:"0" max:"256" doc:"goroutines that read ahead; 0: automatic. The order never depends on it"`
	Resident    configs.Toggle `toml:"resident" doc:"keep the set in the device's memory and make random transforms there; auto does so on a GPU where it fits"`
	Transforms  []Transform    `toml:"transforms" doc:"what is done to every example, in order" example:"[{ kind = \"resize\", size = 32 }, { kind = \"standardize\" }]"`
	Validation  configs.Amount `toml:"validation,path" choices:"test" doc:"validation split, drawn by the seed from the source's training part: a fraction or a count; a path of its own; \"test\"; 0: none. Left out: the source's own, else 0.1" example:"0.1"`
	Test        configs.Amount `toml:"test,path" doc:"test split, drawn by the seed from the source's training part: a fraction or a count; a path of its own; 0: none. Left out: the source's own, else none" example:"0.2"`
	MergeSplits bool           `toml:"merge_splits" doc:"train on all that the source has; no validation and test unless given"`
	Label       string         `toml:"label" doc:"what holds the labels: a column, a variable or an NPY file. Never an input" example:"\"labels.npy\""`
	Normal      Labels         `toml:"normal" doc:"the labels that are normal, for anomaly detection" example:"[0]"`
	TrainOn     string         `toml:"train_on" choices:"all|normal" doc:"train on all examples or on the normal ones; a validation split drawn from them follows"`
}

// Defaults returns what holds where [data] says nothing.
func Defaults() *Config {
	return &Config{Source: &Digits{}, Batch: 128, Shuffle: true, TrainOn: "all"}
}

func init() { configs.Declare("data", func() any { return Defaults() }) }

// Read decodes [data] and looks for its files and folders. Mistakes are recorded in cfg; they are also returned.
func Read(cfg *configs.Config) (*Config, error) {
	sec, c := cfg.Section("data"), Defaults()
	err := sec.Decode(c)
	missing := func(key, abs, what string) {
		sec.MissingPath(key, abs, what)
		err = cfg.Err()
	}
	if s, ok := c.Source.(checker); ok {
		s.check(missing)
	}
	if c.Label != "" {
		if _, ok := c.Source.(labelColumner); ok {
			// opening the file tells whether it has such a column
		} else if _, ok := c.Source.(labelFiler); !ok {
			sec.Errorf("label", "this source brings its own labels, or has none: leave label out")
			err = cfg.Err()
		} else if abs := configs.ResolvePath(c.Label); !exists(abs) {
			missing("label", abs, "file")
		}
	}
	for key, amount := range map[string]configs.Amount{"validation": c.Validation, "test": c.Test} {
		if amount.Text != "" && amount.Text != "test" && !exists(amount.Text) {
			missing(key, amount.Text, "file or folder")
		}
	}
	return c, err
}

// Validate holds keys against each other.
func (c *Config) Validate() error {
	if c.TrainOn == "normal" && len(c.Normal) == 0 {
		return configs.KeyError("train_on", `"normal" needs to know what is normal: add normal = [0], with the labels that are`)
	}
	return nil
}

// exists reports whether a path is there, or something matches it.
func exists(path string) bool {
	if _, err := os.Stat(path); err == nil {
		return true
	}
	found, _ := filepath.Glob(path) // a pattern that is not well-formed finds nothing
	return len(found) > 0
}

// Labels is a list of label values, numbers or words, as texts: normal = [0], ["ok", "fine"].
type Labels []string

// FromTOML implements configs.Custom.
func (l *Labels) FromTOML(v any) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	labels := make(Labels, 0, len(list))
	for _, e := range list {
		switch x := e.(type) {
		case int64:
			labels = append(labels, strconv.FormatInt(x, 10))
		case string:
			labels = append(labels, x)
		default:
			return fmt.Errorf("%v is neither a whole number nor a text", e)
		}
	}
	*l = labels
	return nil
}

// ToTOML implements configs.Custom.
func (l *Labels) ToTOML() any {
	if len(*l) == 0 {
		return nil
	}
	list := make([]any, len(*l))
	for i, s := range *l {
		list[i] = s
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			list[i] = n
		}
	}
	return list
}

// Describe implements configs.Custom.
func (l *Labels) Describe() string { return "a list of labels, numbers or words" }

// Has reports whether a label is one of the list, by its number, or by its name where labels have names.
func (l Labels) Has(label int32, names []string) bool {
	if names != nil {
		return label >= 0 && int(label) < len(names) && slices.Contains(l, names[label])
	}
	for _, s := range l {
		if n, err := strconv.ParseInt(s, 10, 32); err == nil && int32(n) == label {
			return true
		}
	}
	return false
}
