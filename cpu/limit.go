package cpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"aetrain/program"
)

// mostBytes stands for the memory of a machine that does not tell: beyond it a slice cannot be made.
const mostBytes = 1 << 42

// systemMemory is the memory in bytes that this process can have at most: the machine's, or its control group's where that is
// less; 0 where the system does not tell.
func systemMemory() int64 {
	var total int64
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "MemTotal:"); ok {
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err == nil {
				total = kib << 10
			}
		}
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil { // "max" where there is no limit
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && (total == 0 || n < total) {
			total = n
		}
	}
	return total
}

// fits refuses programs that want more memory than there is, before any is reserved: a process that the system ends has no
// chance to say why.
func (b *Backend) fits(s *state, ps []*program.Program) error {
	arena, rest, known := 0, 0, map[string]bool{}
	for _, p := range ps {
		arena = max(arena, p.ArenaBytes)
		for _, in := range p.Inputs {
			rest += in.Spec.Bytes()
		}
		for _, st := range p.States {
			if s.Entry(st.Name) == nil && !known[st.Name] {
				known[st.Name] = true
				rest += st.Spec.Bytes()
			}
		}
	}
	limit := b.memory
	if limit == 0 {
		limit = mostBytes
	}
	if need := int64(arena + rest); need > limit {
		const gib = 1 << 30
		return fmt.Errorf("cpu: %.1f GiB of memory are wanted and there are %.1f: a smaller data.batch or model takes less, and so does train.accumulate",
			float64(need)/gib, float64(limit)/gib)
	}
	return nil
}
