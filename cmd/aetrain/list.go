package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/registry"
	"aetrain/internal/texttable"
	"aetrain/kernels"
	"aetrain/model"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/optim"
	"aetrain/trainer"
)

var listCommand = command{
	name: "list", args: "[KIND]", summary: "list what a config can name: layers, parts, presets, data sources, kernels...",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o listOptions
		f.format(&o.Format)
		return func(_ context.Context, args []string, stdout, _ io.Writer) error {
			o.Kind = strings.Join(args, " ")
			return runList(o, stdout)
		}
	},
}

// listOptions are the flags of "aetrain list".
type listOptions struct {
	Kind   string // "layers"; "": all
	Format string
}

// listed is one registry: what it holds, in a line each.
type listed struct {
	kind  string
	items func() []listItem
}

type listItem struct {
	Name string `json:"name"`
	Text string `json:"text,omitempty"` // what it is, or the keys that it has
}

// lists are all registries, in the order of the data's way.
func lists() []listed {
	return []listed{
		{"presets", presetItems},
		{"data sources", keyed("data", data.Sources())},
		{"transforms", keyed("data.transforms", data.TransformKinds())},
		{"layers", keyed("model.encoder", nn.Layers.Names())},
		{"activations", plain(nn.Activations.Names())},
		{"initialisers", plain(nn.Initialisers.Names())},
		{"corruptions", keyed("model.corruption", model.Corruptions.Names())},
		{"bottlenecks", keyed("model.bottleneck", model.Bottlenecks.Names())},
		{"priors", keyed("model.prior", model.Priors.Names())},
		{"reconstructions", keyed("model.reconstruction", model.Reconstructions.Names())},
		{"penalties", keyed("model.penalties.NAME", model.Penalties.Names())},
		{"bounds", plain(model.Bounds.Names())},
		{"optimizers", keyed("optimizer", optim.Optimizers.Names())},
		{"schedules", keyed("optimizer.schedule", optim.Schedules.Names())},
		{"metrics", plain(infer.MetricNames())},
		{"callbacks", plain(trainer.Callbacks.Names())},
		{"ops", plain(opNames())},
		{"kernels", kernelItems},
		{"bench rows", benchItems},
	}
}

// runList prints one registry, or all of them.
func runList(o listOptions, stdout io.Writer) error {
	all, err := chosenLists(o.Kind)
	if err != nil {
		return err
	}
	if o.Format == formatJSON {
		out := map[string][]listItem{}
		for _, l := range all {
			out[strings.ReplaceAll(l.kind, " ", "_")] = l.items()
		}
		return writeJSON(stdout, out)
	}
	var text strings.Builder
	for i, l := range all {
		indent := ""
		if len(all) > 1 {
			indent = "  "
			if i > 0 {
				text.WriteString("\n")
			}
			text.WriteString(l.kind + "\n")
		}
		var t texttable.Table
		for _, item := range l.items() {
			t.Row(indent+item.Name, item.Text)
		}
		t.Write(&text)
	}
	_, err = io.WriteString(stdout, text.String())
	return err
}

// parts are the kinds that "parts" stands for.
var parts = []string{"corruptions", "bottlenecks", "reconstructions", "penalties", "bounds"}

// chosenLists returns the registries of a kind, in the singular or plural and any spelling; all of them for "".
func chosenLists(kind string) ([]listed, error) {
	folded := func(s string) string { return registry.Fold(strings.ReplaceAll(s, " ", "-")) }
	var all []listed
	kinds := []string{"parts"}
	for _, l := range lists() {
		kinds = append(kinds, l.kind)
		group := folded(kind) == "parts" && slices.Contains(parts, l.kind)
		if kind == "" || group || folded(kind) == folded(l.kind) || folded(kind)+"s" == folded(l.kind) {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil, usagef("unknown kind %q%s", kind, registry.Suggest(kind, kinds))
	}
	return all, nil
}

// plain lists names alone.
func plain(names []string) func() []listItem {
	return func() []listItem {
		items := []listItem{}
		for _, n := range names {
			items = append(items, listItem{Name: n})
		}
		return items
	}
}

// keyed lists kinds with the keys that their tables take, but for those that all of them take.
func keyed(table string, names []string) func() []listItem {
	return func() []listItem {
		keys := map[string][]string{}
		found, _ := configs.Explain(table) // a declared key
		for _, k := range found {
			if k.Table && len(k.Kinds) == 1 {
				keys[k.Kinds[0]] = append(keys[k.Kinds[0]], k.Keys...)
			}
		}
		items := []listItem{}
		for _, n := range names {
			own := slices.DeleteFunc(slices.Clone(keys[n]), func(key string) bool { return ofAll(key, keys) })
			items = append(items, listItem{n, strings.Join(own, ", ")})
		}
		return items
	}
}

// ofAll reports whether every kind has a key: then it says nothing about one of them.
func ofAll(key string, keys map[string][]string) bool {
	for _, list := range keys {
		if !slices.Contains(list, key) {
			return false
		}
	}
	return true
}

func presetItems() []listItem {
	var items []listItem
	for _, name := range model.PresetNames() {
		items = append(items, listItem{name, model.DescribePreset(name)})
	}
	return items
}

func opNames() []string {
	var names []string
	for _, o := range op.All() {
		names = append(names, kernels.ConfigName(o.Name()))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func kernelItems() []listItem {
	var items []listItem
	for name, candidates := range kernelNames() {
		var once []string // a name may stand for several cases of shapes
		for _, c := range candidates {
			if !slices.Contains(once, c) {
				once = append(once, c)
			}
		}
		items = append(items, listItem{name, strings.Join(once, ", ")})
	}
	slices.SortFunc(items, func(a, b listItem) int { return strings.Compare(a.Name, b.Name) })
	return items
}
