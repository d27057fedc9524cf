package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"aetrain/internal/registry"
	"aetrain/internal/texttable"
)

// command is one subcommand.
type command struct {
	name    string
	args    string // what stands behind the flags, for its help
	summary string // one line, for the list of commands
	help    string // what else there is to know
	// flags adds the command's flags to f, and returns what runs once they are read.
	flags func(f *flags) action
}

// action is what a command does with what stands behind its flags.
type action = func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// withArguments is run behind take, which adds to the options o what stands behind the flags.
func withArguments[O any](o *O, take func(args []string) error, run func(ctx context.Context, o O, stdout, stderr io.Writer) error) action {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		if err := take(args); err != nil {
			return err
		}
		return run(ctx, *o, stdout, stderr)
	}
}

// commands lists them in the order in which a day needs them.
func commands() []command {
	return []command{
		trainCommand, initCommand, checkCommand, explainCommand, listCommand, dataCommand,
		evalCommand, reconstructCommand, encodeCommand, decodeCommand, sampleCommand, interpolateCommand, anomalyCommand, recommendCommand,
		runsCommand, compareCommand, doctorCommand, benchCommand, helpCommand, versionCommand,
	}
}

// find returns the command of a name.
func find(name string) (command, error) {
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	switch near := registry.Nearest(name, names); {
	case near != "":
		return command{}, usagef("unknown command %q; did you mean %s?", name, near)
	case strings.HasSuffix(name, ".toml"):
		return command{}, usagef("unknown command %q; to train by this file: aetrain train %s", name, name)
	}
	return command{}, usagef("unknown command %q; aetrain help lists them", name)
}

// dispatch finds the command that is asked for and runs it. Flags without a command are those of train.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		if err := printCommands(stderr); err != nil {
			return err
		}
		return usagef("no command is given")
	}
	switch args[0] {
	case "-h", "-help", "--help":
		return printCommands(stdout)
	case "-version", "--version":
		args = []string{versionCommand.name}
	}
	if !strings.HasPrefix(args[0], "-") {
		c, err := find(args[0])
		if err != nil {
			return err
		}
		return c.run(ctx, args[1:], stdout, stderr)
	}
	return trainCommand.run(ctx, args, stdout, stderr)
}

// run reads the flags and does the work.
func (c command) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags(c.name)
	do := c.flags(f)
	rest, err := f.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return c.print(stdout)
	}
	if err == nil {
		err = misplaced(c, rest)
	}
	if err == nil {
		err = do(ctx, rest, stdout, stderr)
	}
	var usage *usageError
	if errors.As(err, &usage) {
		return usagef("%s: %s", c.name, usage.text)
	}
	return err
}

// misplaced finds the name of another command behind flags that were therefore read as those of train.
func misplaced(c command, rest []string) error {
	if c.name != trainCommand.name || len(rest) == 0 {
		return nil
	}
	if _, err := os.Stat(rest[0]); err == nil {
		return nil
	}
	if other, err := find(rest[0]); err == nil {
		return usagef("the command comes first: aetrain %s -flag ...", other.name)
	}
	return nil
}

// print writes the command's help.
func (c command) print(to io.Writer) error {
	f := newFlags(c.name)
	c.flags(f)
	w := &strings.Builder{}
	fmt.Fprintf(w, "aetrain %s: %s\n\n", c.name, c.summary)
	usage := []string{"aetrain", c.name}
	if f.any() {
		usage = append(usage, "[flags]")
	}
	if c.args != "" {
		usage = append(usage, c.args)
	}
	fmt.Fprintf(w, "  %s\n", strings.Join(usage, " "))
	if f.any() {
		fmt.Fprintln(w)
		f.print(w)
	}
	if c.help != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.help))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// printCommands writes the list of commands.
func printCommands(to io.Writer) error {
	w := &strings.Builder{}
	fmt.Fprint(w, "aetrain trains, evaluates and uses autoencoders.\n\n  aetrain -config experiments/vae.toml   trains, as aetrain train experiments/vae.toml does\n\n")
	var t texttable.Table
	for _, c := range commands() {
		t.Row("  "+c.name, c.summary)
	}
	t.Write(w)
	fmt.Fprint(w, `
aetrain help COMMAND shows a command's flags, aetrain explain KEY any key of a config, aetrain list what a config can name.
Exit codes: 0 done; 1 failed while running; 2 the command line or the config is wrong; 130 and 143 interrupted, with a checkpoint.
`)
	_, err := io.WriteString(to, w.String())
	return err
}
