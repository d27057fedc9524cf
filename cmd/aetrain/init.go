package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/internal/registry"
	"aetrain/model"
)

var initCommand = command{
	name: "init", args: "", summary: "write a commented config: a preset, on built-in data or your own",
	help: "The config trains as it is. With -data, [data] is filled in from a look at the files: a folder of images, IDX files (as MNIST's), CIFAR-10 batches, .npy arrays or sounds, a table, a text, or a file of arrays.",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o initOptions
		f.StringVar(&o.Preset, "preset", "vae", "`NAME` of the known variant (aetrain list presets)")
		f.StringVar(&o.Out, "out", "", "`FILE.toml` to write (default: stdout)")
		f.StringVar(&o.Data, "data", "", "`PATH` of your data: a folder, a file or a glob")
		f.sets(&o.Sets)
		f.BoolVar(&o.Overwrite, "overwrite", false, "replace the file that -out names")
		o.talkOptions.add(f)
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return runInit(ctx, o, stdout, stderr)
		}
	},
}

// initOptions are the flags of "aetrain init".
type initOptions struct {
	Preset    string
	Out       string // "": stdout
	Data      string // the user's files
	Sets      texts
	Overwrite bool
	talkOptions
}

// runInit writes a complete, commented config.
func runInit(ctx context.Context, o initOptions, stdout, stderr io.Writer) error {
	preset, ok := registry.Find(o.Preset, model.PresetNames())
	if !ok {
		return usagef("-preset: unknown preset %q%s", o.Preset, registry.Suggest(o.Preset, model.PresetNames()))
	}
	out := configs.ResolvePath(o.Out)
	if _, err := os.Lstat(out); o.Out != "" && err == nil && !o.Overwrite {
		return usagef("-out %s: the file is there already; -overwrite replaces it", o.Out)
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	name := preset
	if o.Out != "" {
		name = strings.TrimSuffix(filepath.Base(out), filepath.Ext(out))
	}
	sets := []string{"name=" + strconv.Quote(name), "model.preset=" + preset}
	if o.Data != "" {
		more, err := lookAtFiles(o.Data)
		if err != nil {
			return err
		}
		sets = append(sets, more...)
	}
	e, err := fitting(ctx, append(sets, o.Sets...), o.Data != "", t)
	if err != nil {
		return err
	}
	header := model.DescribePreset(preset) + "\nEvery key with its meaning; those behind # have no value yet. aetrain train FILE trains it.\n"
	var text bytes.Buffer
	if err := e.cfg.Render(&text, configs.RenderOptions{Comments: true, Header: header}); err != nil {
		return err
	}
	if o.Out == "" {
		_, err := stdout.Write(text.Bytes())
		return err
	}
	if err := writeText(out, text.Bytes()); err != nil {
		return err
	}
	t.Linef("%s is written; to train: aetrain train %s", o.Out, quoteArgument(o.Out))
	return nil
}

// fitting loads the config, and with the user's data holds the model to it: where the data's range does not suit the reconstruction,
// it is scaled.
func fitting(ctx context.Context, sets []string, look bool, t *talk) (*experiment, error) {
	e, err := loadExperiment(configs.LoadOptions{Sets: sets})
	if err != nil || !look {
		return e, err
	}
	splits, err := e.openData(ctx, t)
	if err != nil {
		return nil, err
	}
	defer splits.Close()
	m, err := model.New(e.model, modelFields(splits.Fields()))
	if err = model.Report(e.cfg, err); err != nil {
		return nil, err
	}
	if err := e.cfg.Err(); err != nil {
		return nil, err
	}
	st, err := data.Measure(ctx, splits.Train, model.FieldX, rangeExamples)
	if err != nil {
		return nil, err
	}
	t.Linef("%s examples of %v, values from %s to %s", count(st.Examples), st.Spec, number(st.Min), number(st.Max))
	low, high, bounded := e.model.Reconstruction.Range()
	scale := ""
	switch {
	case m.CheckRange(st.Min, st.Max, "") == nil && (bounded || st.Max-st.Min < 100):
		return e, nil
	case bounded:
		scale = fmt.Sprintf(`data.transforms=[{ kind = "scale", to = [%g, %g] }]`, low, high)
	default:
		scale = `data.transforms=[{ kind = "standardize" }]`
	}
	if splits.Columns() != nil { // the defaults of a table, but for the scale
		scale = strings.Replace(strings.Replace(scale, "[{", `[{ kind = "impute" }, {`, 1), "}]", `}, { kind = "one-hot" }]`, 1)
	}
	return loadExperiment(configs.LoadOptions{Sets: append([]string{scale}, sets...)})
}

// has reports whether a folder holds a file that matches.
func has(dir, pattern string) bool {
	found, _ := filepath.Glob(filepath.Join(globSafe(dir), pattern)) // the pattern is well-formed
	return len(found) > 0
}
