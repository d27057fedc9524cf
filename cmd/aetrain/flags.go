package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"aetrain/internal/registry"
	"aetrain/internal/texttable"
)

// flags are the flags of one command: with one dash or two, before or after arguments.
type flags struct {
	*flag.FlagSet
}

func newFlags(name string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// parse reads flags and returns the arguments, which may stand between them; all after "--" are arguments.
func (f *flags) parse(args []string) ([]string, error) {
	var rest, tail []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, tail = args[:i], args[i+1:]
	}
	for len(args) > 0 {
		if err := f.Parse(args); err != nil {
			return nil, f.explain(err)
		}
		if args = f.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return append(rest, tail...), nil
}

// explain turns the flag package's words into ours.
func (f *flags) explain(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return usagef("%v (see: aetrain help %s)", err, f.Name())
	}
	return usagef("unknown flag -%s%s (see: aetrain help %s)", name, f.suggest(name), f.Name())
}

// suggest names the flag that was probably meant.
func (f *flags) suggest(name string) string {
	var names []string
	f.VisitAll(func(fl *flag.Flag) { names = append(names, fl.Name) })
	if near := registry.Nearest(name, names); near != "" {
		return "; did you mean -" + near + "?"
	}
	return ""
}

// given reports whether a flag stands on the command line.
func (f *flags) given(name string) bool {
	found := false
	f.Visit(func(fl *flag.Flag) { found = found || fl.Name == name })
	return found
}

// any reports whether there are flags at all.
func (f *flags) any() bool {
	found := false
	f.VisitAll(func(*flag.Flag) { found = true })
	return found
}

// print writes a line a flag.
func (f *flags) print(w *strings.Builder) {
	var t texttable.Table
	f.VisitAll(func(fl *flag.Flag) {
		value, usage := flag.UnquoteUsage(fl)
		if fl.DefValue != "" && fl.DefValue != "false" && fl.DefValue != "0" {
			usage += fmt.Sprintf(" (default %s)", fl.DefValue)
		}
		t.Row(strings.TrimRight("  -"+fl.Name+" "+value, " "), usage)
	})
	t.Write(w)
}

// texts is a flag that may be given several times.
type texts []string

func (t *texts) String() string { return strings.Join(*t, " ") }

// Set implements flag.Value.
func (t *texts) Set(v string) error {
	*t = append(*t, v)
	return nil
}

// choice is a flag that takes one of a few words.
type choice struct {
	value *string
	among []string
}

func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

// Set implements flag.Value.
func (c choice) Set(v string) error {
	if !slices.Contains(c.among, v) {
		return fmt.Errorf("it is one of %s", strings.Join(c.among, ", "))
	}
	*c.value = v
	return nil
}

// choose adds a flag that takes one of a few words, the first by default.
func (f *flags) choose(value *string, name, usage string, among ...string) {
	*value = among[0]
	f.Var(choice{value, among}, name, usage)
}

// Formats of results.
const (
	formatText = "text"
	formatJSON = "json"
)

// format adds -format.
func (f *flags) format(value *string) {
	f.choose(value, "format", "form of the result: `text|json`; json is one object on stdout and nothing else", formatText, formatJSON)
}

// sets adds -set.
func (f *flags) sets(value *texts) {
	f.Var(value, "set", "`KEY=VALUE` in place of the config's, as in data.batch=64 (may be repeated)")
}

// noArguments refuses arguments.
func noArguments(args []string) error {
	if len(args) > 0 {
		return usagef("takes no argument, got %q", args[0])
	}
	return nil
}
