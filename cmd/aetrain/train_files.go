package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"aetrain/trainer"
)

// environment is environment.json: what a run was made by and on.
type environment struct {
	Version   string            `json:"aetrain"`
	Go        string            `json:"go"`
	System    string            `json:"system"`
	Device    string            `json:"device"`
	Platform  map[string]string `json:"platform"` // backend.Capabilities.Platform
	Threads   int               `json:"threads"`
	Precision string            `json:"precision"`
	Directory string            `json:"directory"` // in which the command ran
	Command   []string          `json:"command"`
	Started   time.Time         `json:"started"`
	Resumed   []resuming        `json:"resumed,omitempty"`
}

// resuming is one time that a run was gone on with.
type resuming struct {
	Time     time.Time         `json:"time"`
	Step     int               `json:"step"`
	Device   string            `json:"device"`
	Platform map[string]string `json:"platform"`
	Command  []string          `json:"command"`
}

// begin makes the run's folder and its files, and has all that is said written to log.txt from now on.
func (j *trainJob) begin(r *trainer.Run) (*os.File, error) {
	var err error
	if j.resume == nil {
		err = j.beginNew(r)
	} else {
		err = j.beginAgain(r)
	}
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(j.dir, logFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return log, j.talk.logTo(log)
}

// beginNew writes the files of a new run.
func (j *trainJob) beginNew(r *trainer.Run) error {
	if j.options.Overwrite {
		if err := clearRun(j.dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return err
	}
	if err := writeText(filepath.Join(j.dir, sourceFile), j.cfg.Source); err != nil {
		return err
	}
	if err := writeEnvironment(j.dir, newEnvironment(r)); err != nil {
		return err
	}
	// Last: a folder with a config is a run.
	return writeConfig(filepath.Join(j.dir, configFile), j.cfg)
}

// newEnvironment describes the process and its device.
func newEnvironment(r *trainer.Run) environment {
	has := r.Backend.Capabilities()
	directory, _ := os.Getwd() // unknown stays empty
	return environment{
		Version: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Device: has.Device, Platform: has.Platform, Threads: has.Threads, Precision: r.Precision(),
		Directory: directory, Command: os.Args, Started: time.Now(),
	}
}

func writeEnvironment(dir string, env environment) error {
	text, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	return writeText(filepath.Join(dir, environmentFile), append(text, '\n'))
}

// version is that of the module, with the revision where the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
