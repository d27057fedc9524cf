package data

import (
	"errors"
	"slices"

	"aetrain/configs"
	"aetrain/internal/registry"
)

// tableKeys are the keys of sources that are tables.
type tableKeys struct {
	Columns      map[string]string `toml:"columns" doc:"what a column is: numeric, categorical or ignore; those left out are guessed, and data stats shows the guess" example:"{ postcode = \"categorical\", payment_id = \"ignore\" }"`
	Time         string            `toml:"time" doc:"column of times, never an input: rows stay in order, and splits are tails" example:"\"timestamp\""`
	Group        string            `toml:"group" doc:"column, never an input, whose equal values stay in one split" example:"\"patient\""`
	Missing      []string          `toml:"missing" doc:"texts that stand for a missing value"`
	LabelWindows string            `toml:"label_windows,path" doc:"times of anomalies: NAB's JSON of files and windows, or a CSV of start,end. Rows in a window have label 1" example:"\"combined_windows.json\""`
}

// Ignored is the kind of a column that is no input.
const Ignored = "ignore"

func tableDefaultKeys() tableKeys {
	return tableKeys{Missing: []string{"", "NA", "NaN", "null", "?"}}
}

func (k *tableKeys) validate() error {
	var errs []error
	kinds := []string{Numeric, Categorical, Ignored}
	for name, kind := range k.Columns {
		if found, ok := registry.Find(kind, kinds); ok {
			k.Columns[name] = found
			continue
		}
		errs = append(errs, configs.KeyError("columns."+name, "%q is none of numeric, categorical, ignore", kind))
	}
	if k.LabelWindows != "" && k.Time == "" {
		errs = append(errs, configs.KeyError("label_windows", "windows are of times: set data.time to the column of times"))
	}
	return errors.Join(errs...)
}

func (k *tableKeys) check(missing func(key, abs, what string)) {
	if k.LabelWindows != "" && !exists(k.LabelWindows) {
		missing("label_windows", k.LabelWindows, "file")
	}
}

// tableFacts are what the first table of a set was found to be: later ones are read in the same way.
type tableFacts struct {
	Columns []columnFact
	Labels  []string // names of labels; nil: they are numbers
}

type columnFact struct {
	Name, Kind string
	Words      []string `json:",omitempty"`
}

// find is the fact of a column, nil where there is none.
func (f *tableFacts) find(name string) *columnFact {
	if f == nil {
		return nil
	}
	if i := slices.IndexFunc(f.Columns, func(c columnFact) bool { return c.Name == name }); i >= 0 {
		return &f.Columns[i]
	}
	return nil
}
