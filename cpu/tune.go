package cpu

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aetrain/kernels"
)

// measurements keeps what autotuning found, in the user's cache folder, under the processor's name.
type measurements struct {
	mu     sync.Mutex
	file   string
	loaded bool
	best   map[string]string
}

var tuned measurements

// measure times a candidate on the step's own memory: the fastest of several runs after a warm-up.
func (b *binder) measure(k kernels.Candidate[launch], s *step) (time.Duration, error) {
	trial := &binder{b: b.b, e: &executable{b: b.b, p: b.e.p, mem: b.e.mem}, o: b.o}
	if err := k.Bind(trial, s); err != nil {
		return 0, err
	}
	b.b.workers.reserve(trial.local, max(trial.slots, b.slots))
	job := b.b.workers.prepare(trial.e.phases)
	best := time.Duration(1 << 62)
	for i := range 5 {
		start := time.Now()
		b.b.workers.run(job)
		if d := time.Since(start); i > 0 && d < best {
			best = d
		}
	}
	return best, nil
}

// tuneKey names a case: instruction tier, op with attributes and shapes.
func tuneKey(b *Backend, c kernels.Case) string {
	return fmt.Sprintf("%v %s %+v %v", b.tier, c.Op.Name(), c.Op, c.In)
}

func (m *measurements) lookup(key string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	name, ok := m.best[key]
	return name, ok
}

func (m *measurements) learn(key, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	m.best[key] = name
	if m.file == "" {
		return
	}
	// A cache that cannot be written costs a measurement in the next run and nothing else.
	text, err := json.MarshalIndent(m.best, "", " ")
	if err != nil || os.MkdirAll(filepath.Dir(m.file), 0o755) != nil {
		return
	}
	tmp := m.file + ".tmp"
	if os.WriteFile(tmp, text, 0o644) == nil {
		os.Rename(tmp, m.file)
	}
}

func (m *measurements) load() {
	if m.loaded {
		return
	}
	m.loaded, m.best = true, map[string]string{}
	dir, err := os.UserCacheDir()
	if err != nil {
		return
	}
	m.file = filepath.Join(dir, "aetrain", "kernels-cpu.json")
	if text, err := os.ReadFile(m.file); err == nil && json.Unmarshal(text, &m.best) != nil {
		m.best = map[string]string{}
	}
}
