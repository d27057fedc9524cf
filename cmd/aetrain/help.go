package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
)

// The commands about the command refer to the table that holds them, so they are filled in as the program begins.
var helpCommand = command{name: "help", args: "[COMMAND]", summary: "show a command's flags, or all commands"}

func init() {
	helpCommand.flags = func(*flags) func(context.Context, []string, io.Writer, io.Writer) error {
		return func(_ context.Context, args []string, stdout, _ io.Writer) error { return runHelp(args, stdout) }
	}
}

// runHelp prints the help of a command, or the list of all.
func runHelp(args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return printCommands(stdout)
	}
	if err := noArguments(args[1:]); err != nil {
		return err
	}
	c, err := find(args[0])
	if err != nil {
		return err
	}
	return c.print(stdout)
}

var versionCommand = command{
	name: "version", summary: "show the version",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var format string
		f.format(&format)
		return func(_ context.Context, args []string, stdout, _ io.Writer) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if format == formatJSON {
				return writeJSON(stdout, map[string]string{"version": version(), "go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(stdout, "aetrain %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}
	},
}
