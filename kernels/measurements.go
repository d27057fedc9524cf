package kernels

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// Learn keeps a winner. A cache that cannot be written costs a measurement in the next run and nothing else.
func (m *Measurements) Learn(key, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	m.best[key] = name
	if m.file == "" {
		return
	}
	text, err := json.MarshalIndent(m.best, "", " ")
	if err != nil || os.MkdirAll(filepath.Dir(m.file), 0o755) != nil {
		return
	}
	tmp := m.file + ".tmp"
	if os.WriteFile(tmp, text, 0o644) == nil {
		os.Rename(tmp, m.file)
	}
}

func (m *Measurements) load() {
	if m.loaded {
		return
	}
	m.loaded, m.best = true, map[string]string{}
	dir, err := os.UserCacheDir()
	if err != nil {
		return
	}
	m.file = filepath.Join(dir, "aetrain", "kernels-"+fileName(m.device)+".json")
	if text, err := os.ReadFile(m.file); err == nil && (json.Unmarshal(text, &m.best) != nil || m.best == nil) {
		m.best = map[string]string{}
	}
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
