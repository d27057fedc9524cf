package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aetrain/configs"
	"aetrain/internal/cachedir"
)

// Names in a run's folder. The trainer writes metrics.jsonl, checkpoints and samples.
const (
	runsDir         = "runs"
	configFile      = "config.toml"
	sourceFile      = "source.toml"
	environmentFile = "environment.json"
	logFile         = "log.txt"
	latestRun       = "latest"
)

// runParts are what a run's folder may hold, all of it ours to replace.
var runParts = []string{configFile, "config.step-*.toml", sourceFile, environmentFile, "metrics.jsonl", "checkpoints", "samples", "report.html", logFile}

// isRun reports whether a folder is that of a run.
func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, configFile))
	return err == nil
}

// chooseRunDir is the folder of a new run; one that holds a run is refused unless it is to be overwritten. It makes nothing.
func chooseRunDir(out, name string, overwrite bool) (string, error) {
	if out == "" {
		return freeRunDir(name, time.Now()), nil
	}
	dir := shortPath(configs.ResolvePath(out))
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", usagef("-out %s: not a folder", out)
	case holdsRun(dir) && !overwrite:
		return "", usagef("-out %s: holds a run already; choose another folder, go on with it by -resume %s, or replace it by -overwrite", out, quoteArgument(out))
	}
	return dir, nil
}

// holdsRun reports whether a folder has anything of a run.
func holdsRun(dir string) bool {
	for _, part := range runParts {
		if found, _ := filepath.Glob(filepath.Join(globSafe(dir), part)); len(found) > 0 { // the pattern is well-formed
			return true
		}
	}
	return false
}

// clearRun removes what belongs to a run, and nothing else.
func clearRun(dir string) error {
	for _, part := range runParts {
		found, _ := filepath.Glob(filepath.Join(globSafe(dir), part)) // the pattern is well-formed
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// globSafe keeps the letters of a path from meaning a pattern.
func globSafe(path string) string {
	var b bytes.Buffer
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' || r == '\\' && filepath.Separator != '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// freeRunDir is runs/NAME-TIMESTAMP, with a number behind it where two runs begin in one second.
func freeRunDir(name string, now time.Time) string {
	dir := filepath.Join(runsDir, name+"-"+now.Format("20060102-150405"))
	for n, free := 2, dir; ; n++ {
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) {
			return free
		}
		free = fmt.Sprintf("%s-%d", dir, n)
	}
}

// shortPath is a path as one would write it: relative where it is below the working directory.
func shortPath(abs string) string {
	cwd, err := os.Getwd()
	if err != nil {
		return abs
	}
	if relative, err := filepath.Rel(cwd, abs); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return abs
}

// findRun returns the folder of a run: DIR, or the newest under runs/ for "latest" and "", which is then named on stderr.
func findRun(which string, t *talk) (string, error) {
	if which != "" && which != latestRun {
		dir := shortPath(configs.ResolvePath(which))
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return "", usagef("no such run: %s", configs.ResolvePath(which))
		}
		if !isRun(dir) {
			return "", usagef("%s is not a run: it has no %s", which, configFile)
		}
		return dir, nil
	}
	dir, err := newestRun(runsDir)
	if err == nil {
		t.Linef("run %s", dir)
	}
	return dir, err
}

// newestRun is the run below a folder that began last.
func newestRun(below string) (string, error) {
	dirs, err := listRuns(below)
	if err != nil {
		return "", err
	}
	newest, when := "", time.Time{}
	for _, dir := range dirs {
		if began := runBegan(dir); newest == "" || began.After(when) {
			newest, when = dir, began
		}
	}
	if newest == "" {
		return "", usagef("there is no run under %s", configs.ResolvePath(below))
	}
	return newest, nil
}

// listRuns lists the runs directly below a folder by name; none where there is no such folder.
func listRuns(below string) ([]string, error) {
	entries, err := os.ReadDir(below)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if dir := filepath.Join(below, e.Name()); isRun(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// runBegan is when a run began, by its environment.json, else by the age of its config.
func runBegan(dir string) time.Time {
	if env, err := readEnvironment(dir); err == nil && !env.Started.IsZero() {
		return env.Started
	}
	if info, err := os.Stat(filepath.Join(dir, configFile)); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}

// readEnvironment reads environment.json.
func readEnvironment(dir string) (environment, error) {
	var env environment
	text, err := os.ReadFile(filepath.Join(dir, environmentFile))
	if err == nil {
		err = json.Unmarshal(text, &env)
	}
	return env, err
}

// writeConfig writes a complete config.
func writeConfig(path string, cfg *configs.Config) error {
	return cachedir.WriteFile(path, func(w io.Writer) error {
		return cfg.Render(w, configs.RenderOptions{Header: "The complete configuration of this run; " + sourceFile + " is what was written."})
	})
}

// writeText writes a file whole.
func writeText(path string, text []byte) error {
	return cachedir.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
