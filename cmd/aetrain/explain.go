package main

import (
	"context"
	"fmt"
	"io"

	"aetrain/configs"
)

var explainCommand = command{
	name: "explain", args: "KEY", summary: "say what a key of a config means: type, default, choices, an example",
	help: `
KEY is written as for -set: data.validation, model.encoder.units, optimizer.learning_rate. A key that only one table has may be
named alone. Without KEY: all keys.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o explainOptions
		f.format(&o.Format)
		return func(_ context.Context, args []string, stdout, _ io.Writer) error {
			if len(args) > 0 {
				o.Key, args = args[0], args[1:]
			}
			if err := noArguments(args); err != nil {
				return err
			}
			return runExplain(o, stdout)
		}
	},
}

// explainOptions are the flags of "aetrain explain".
type explainOptions struct {
	Key    string
	Format string
}

// explained is a key as JSON.
type explained struct {
	Key     string   `json:"key"`
	Of      string   `json:"of,omitempty"`
	Kinds   []string `json:"kinds,omitempty"`
	Meaning string   `json:"meaning"`
	Type    string   `json:"type"`
	Default string   `json:"default,omitempty"` // as TOML
	Choices []string `json:"choices,omitempty"`
	Range   string   `json:"range,omitempty"`
	Keys    []string `json:"keys,omitempty"`
	Example string   `json:"example,omitempty"` // as TOML
}

// runExplain prints what the declarations say of a key, or lists all keys.
func runExplain(o explainOptions, stdout io.Writer) error {
	if o.Key == "" {
		keys := configs.Keys()
		if o.Format == formatJSON {
			return writeJSON(stdout, map[string][]string{"keys": keys})
		}
		for _, k := range keys {
			fmt.Fprintln(stdout, k)
		}
		return nil
	}
	keys, err := configs.Explain(o.Key)
	if err != nil {
		return usagef("%v", err)
	}
	if o.Format == formatJSON {
		var all []explained
		for _, k := range keys {
			all = append(all, explained{k.Path, k.Of, k.Kinds, k.Doc, k.Type, k.Default, k.Choices, k.Range, k.Keys, k.Example})
		}
		return writeJSON(stdout, map[string][]explained{"keys": all})
	}
	for i, k := range keys {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		fmt.Fprint(stdout, k)
	}
	return nil
}
