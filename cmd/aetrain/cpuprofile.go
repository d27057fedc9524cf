package main

import (
	"errors"
	"os"
	"runtime/pprof"

	"aetrain/cpu"
)

// cpuProfile is the flag -cpuprofile.
type cpuProfile struct{ File string }

func (p *cpuProfile) add(f *flags) {
	f.StringVar(&p.File, "cpuprofile", "", "`FILE` for a CPU profile by layer, op and kernel (go tool pprof -tags FILE)")
}

// start begins the profile, if one is wanted, before programs are loaded; stop ends it.
func (p *cpuProfile) start() (stop func() error, err error) {
	if p.File == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(p.File)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	cpu.LabelProfiles(true)
	return func() error {
		cpu.LabelProfiles(false)
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}
