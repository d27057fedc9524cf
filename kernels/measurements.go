package kernels

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"

	"aetrain/internal/cachedir"
)

// Measurements keeps what autotuning found, in the user's cache folder, a file for each device.
type Measurements struct {
	device string
	mu     sync.Mutex
	file   string
	loaded bool
	best   map[string]string
}

// NewMeasurements returns the measurements of a device: "cpu", "NVIDIA H200". Nothing is read before the first use.
func NewMeasurements(device string) *Measurements { return &Measurements{device: device} }

// Lookup returns the winner of an earlier measurement.
func (m *Measurements) Lookup(key string) (name string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	name, ok = m.best[key]
	return name, ok
}

// Learn keeps a winner, beside what other processes have found meanwhile. A cache that cannot be written costs a measurement in the
// next run and nothing else.
func (m *Measurements) Learn(key, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	for k, v := range m.read() {
		m.best[k] = v
	}
	m.best[key] = name
	if m.file == "" {
		return
	}
	_ = cachedir.WriteFile(m.file, func(w io.Writer) error {
		text, err := json.MarshalIndent(m.best, "", " ")
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
}

func (m *Measurements) load() {
	if m.loaded {
		return
	}
	m.loaded, m.best = true, map[string]string{}
	file, err := cachedir.Path("kernels-" + fileName(m.device) + ".json")
	if err != nil {
		return
	}
	m.file = file
	for k, v := range m.read() {
		m.best[k] = v
	}
}

// read is what the file holds; nothing where it is not there or broken.
func (m *Measurements) read() map[string]string {
	var best map[string]string
	text, err := os.ReadFile(m.file)
	if err != nil || json.Unmarshal(text, &best) != nil {
		return nil
	}
	return best
}

// fileName writes a device's name so that any file system takes it: "NVIDIA H200" is nvidia-h200.
func fileName(device string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case lower(byte(r)) && r < 128, digit(byte(r)) && r < 128, r == '.':
			return r
		}
		return '-'
	}, strings.ToLower(device))
}
