package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"aetrain/configs"
)

var checkCommand = command{
	name: "check", args: "FILE...", summary: "find every mistake in configs, with its line; opens no data",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o checkOptions
		f.sets(&o.Sets)
		f.format(&o.Format)
		return func(_ context.Context, args []string, stdout, stderr io.Writer) error {
			o.Files = args
			return runCheck(o, stdout, stderr)
		}
	},
}

// checkOptions are the flags of "aetrain check".
type checkOptions struct {
	Files  []string
	Sets   texts
	Format string
}

// checked is one file as JSON.
type checked struct {
	File     string   `json:"file"`
	OK       bool     `json:"ok"`
	Mistakes []string `json:"mistakes"`
}

// runCheck reads each file as train would, up to its data.
func runCheck(o checkOptions, stdout, stderr io.Writer) error {
	if len(o.Files) == 0 {
		return usagef("no file is given")
	}
	var files []checked
	var failed []error
	for _, file := range o.Files {
		c := checked{File: file, OK: true, Mistakes: []string{}}
		if _, err := loadExperiment(configs.LoadOptions{File: file, Sets: o.Sets}); err != nil {
			c.OK, c.Mistakes = false, strings.Split(err.Error(), "\n")
			failed = append(failed, err)
		}
		files = append(files, c)
	}
	if o.Format == formatJSON {
		if err := writeJSON(stdout, map[string][]checked{"files": files}); err != nil {
			return err
		}
	} else {
		for _, c := range files {
			if c.OK {
				fmt.Fprintf(stdout, "%s: ok\n", c.File)
			}
		}
	}
	return errors.Join(failed...)
}
