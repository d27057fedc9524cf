package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"aetrain/bench/throughput"
	"aetrain/configs"
	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
	"aetrain/internal/cachedir"
	"aetrain/internal/texttable"
	"aetrain/trainer"
)

var doctorCommand = command{
	name: "doctor", summary: "show what this machine has and how fast it is",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o doctorOptions
		f.format(&o.Format)
		return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return runDoctor(ctx, o, stdout)
		}
	},
}

// doctorOptions are the flags of "aetrain doctor".
type doctorOptions struct {
	Format string
}

// health is what doctor found.
type health struct {
	Version    string                    `json:"aetrain"`
	Go         string                    `json:"go"`
	System     string                    `json:"system"`
	CPU        string                    `json:"cpu,omitempty"`
	Threads    int                       `json:"threads"`
	Tiers      []string                  `json:"tiers"`       // slowest first; the last one is used
	PeakGFLOPS map[string]trainer.Number `json:"peak_gflops"` // of one thread's registers, by tier
	BF16       bool                      `json:"bf16"`        // whether the processor has precision = "bf16"
	BF16By     string                    `json:"bf16_by,omitempty"`
	BF16Peak   []trainer.Number          `json:"peak_gflops_bf16,omitempty"` // of one thread, and of all together
	AMXRefused string                    `json:"amx_refused,omitempty"`
	PeakAll    trainer.Number            `json:"peak_gflops_all"` // of all threads together, by the last tier
	HandOverNS int64                     `json:"hand_over_ns"`    // of a change between two cores; 0: there is one
	Row        string                    `json:"kernels_of"`      // the standard row that kernels are shown for
	Kernels    map[string]map[string]int `json:"kernels"`         // by op: how often each was chosen on the processor
	Memory     int64                     `json:"memory_bytes,omitempty"`
	Device     string                    `json:"device"`
	CUDA       string                    `json:"cuda"` // what there is, or why there is none
	GPUs       []gpuHealth               `json:"gpus,omitempty"`
	Libraries  []libraryHealth           `json:"libraries,omitempty"` // NVIDIA's
	Cache      string                    `json:"cache"`
	CacheOK    bool                      `json:"cache_writable"`
	CacheBytes int64                     `json:"cache_bytes"`
}

// gpuHealth is a GPU.
type gpuHealth struct {
	Name        string `json:"name"`
	UUID        string `json:"uuid,omitempty"`
	PCI         string `json:"pci"`
	Compute     string `json:"compute_capability"`
	MemoryBytes int64  `json:"memory_bytes"`
	SMs         int    `json:"multiprocessors"`
	ClockMHz    int    `json:"clock_mhz"`
	CUDA        string `json:"cuda"`    // version that its driver implements
	Kernels     string `json:"kernels"` // "run", or why our kernels do not
}

// libraryHealth is one of NVIDIA's libraries, and what to do where it is missing.
type libraryHealth struct {
	Name    string   `json:"name"`
	Path    string   `json:"path,omitempty"`
	Version string   `json:"version,omitempty"`
	Error   string   `json:"error,omitempty"`
	Install string   `json:"install,omitempty"`
	Looked  []string `json:"looked"`
}

// runDoctor measures and prints.
func runDoctor(ctx context.Context, o doctorOptions, stdout io.Writer) error {
	h, err := examine(ctx)
	if err != nil {
		return err
	}
	if o.Format == formatJSON {
		return writeJSON(stdout, h)
	}
	var t texttable.Table
	t.Row("aetrain", h.Version)
	t.Row("go", h.Go)
	t.Row("system", h.System)
	if h.CPU != "" {
		t.Row("cpu", h.CPU)
	}
	t.Row("threads", fmt.Sprint(h.Threads))
	for _, tier := range h.Tiers {
		t.Row("tier "+tier, fmt.Sprintf("%.1f GFLOP/s a thread", float64(h.PeakGFLOPS[tier])))
	}
	h.speedRows(&t)
	if h.Memory > 0 {
		t.Row("memory", bytesText(h.Memory))
	}
	t.Row("device", h.Device)
	h.gpuRows(&t)
	state := bytesText(h.CacheBytes)
	if !h.CacheOK {
		state = "cannot be written: downloads and generated data are not kept"
	}
	t.Row("cache", fmt.Sprintf("%s (%s)", h.Cache, state))
	return t.Write(stdout)
}

// speedRows tell what the processor can do, and with which kernels.
func (h *health) speedRows(t *texttable.Table) {
	if h.BF16 {
		t.Row("bf16", fmt.Sprintf("precision = \"bf16\" multiplies by %s: %.1f GFLOP/s a thread, %.1f on %d",
			h.BF16By, float64(h.BF16Peak[0]), float64(h.BF16Peak[1]), h.Threads))
	} else {
		t.Row("bf16", "not on this processor (neither AMX nor AVX512_BF16): precision = \"bf16\" runs in float32 here")
	}
	if h.AMXRefused != "" {
		t.Row("", "without AMX: "+h.AMXRefused)
	}
	t.Row("peak", fmt.Sprintf("%.1f GFLOP/s on %d threads", float64(h.PeakAll), h.Threads))
	if h.HandOverNS > 0 {
		t.Row("hand-over", fmt.Sprintf("%d ns from core to core", h.HandOverNS))
	}
	for i, op := range slices.Sorted(maps.Keys(h.Kernels)) {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(h.Kernels[op])) {
			list = append(list, fmt.Sprintf("%s (%d)", k, h.Kernels[op][k]))
		}
		name := ""
		if i == 0 {
			name = "kernels"
		}
		t.Row(name, fmt.Sprintf("%s: %s", op, strings.Join(list, ", ")))
	}
	if len(h.Kernels) > 0 {
		t.Row("", "as a step of "+h.Row+" takes them (aetrain list bench-rows)")
	}
}

// gpuRows tell of GPUs and libraries. Where a library is missing, they say where it was looked for and what to install.
func (h *health) gpuRows(t *texttable.Table) {
	t.Row("cuda", h.CUDA)
	for i, g := range h.GPUs {
		t.Row(fmt.Sprintf("gpu %d", i), fmt.Sprintf("%s, compute capability %s, %s, %d multiprocessors at %d MHz (%s)",
			g.Name, g.Compute, bytesText(g.MemoryBytes), g.SMs, g.ClockMHz, g.PCI))
		t.Row("", "kernels: "+g.Kernels)
	}
	for _, l := range h.Libraries {
		if l.Error == "" {
			t.Row(l.Name, strings.TrimSpace(l.Version+" "+l.Path))
			continue
		}
		t.Row(l.Name, strings.TrimPrefix(l.Error, "no "+l.Name+": "))
		t.Row("", "to install: "+l.Install)
		for i, place := range l.Looked {
			if i == 0 {
				place = "looked in: " + place
			} else {
				place = "           " + place
			}
			t.Row("", place)
		}
	}
}

// examine looks at everything.
func examine(ctx context.Context) (*health, error) {
	h := &health{
		Version: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		CPU: cpuinfo.Model(), Threads: runtime.GOMAXPROCS(0),
		PeakGFLOPS: map[string]trainer.Number{}, Memory: systemMemory(),
	}
	examineGPU(h)
	for _, tier := range cpuinfo.Tiers() {
		h.Tiers = append(h.Tiers, tier.String())
		h.PeakGFLOPS[tier.String()] = trainer.Number(gemm.Peak(tier, 1))
	}
	h.examineBF16()
	h.PeakAll = trainer.Number(gemm.Peak(cpuinfo.Best(), h.Threads))
	h.HandOverNS = throughput.HandOver().Nanoseconds()
	if err := h.examineKernels(ctx); err != nil {
		return nil, err
	}
	b, err := openBackend(trainer.Defaults(), newTalk(io.Discard, talkOptions{}))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	h.Device = b.Capabilities().Device
	h.Cache, h.CacheOK, h.CacheBytes = examineCache()
	return h, nil
}

// examineBF16 measures products of bfloat16.
func (h *health) examineBF16() {
	if h.BF16 = cpuinfo.BF16(); !h.BF16 {
		return
	}
	if err := cpuinfo.RequestAMX(); err != nil && cpuinfo.AMX() {
		h.AMXRefused = err.Error()
	}
	one, by := gemm.PeakBF16(1)
	all, _ := gemm.PeakBF16(h.Threads)
	h.BF16By, h.BF16Peak = by, []trainer.Number{trainer.Number(one), trainer.Number(all)}
}

// kernelsRow is the standard row that doctor shows kernels for: it has dense, convolutional and transposed layers.
const kernelsRow = "conv-vae-28"

// examineKernels loads that row on the processor, with as few examples as make a batch.
func (h *health) examineKernels(ctx context.Context) error {
	o := benchOptions{Rows: []string{kernelsRow}, Sets: texts{"data.examples=128"}}
	rows, err := o.rows()
	if err != nil {
		return err
	}
	b, _, err := openDevice(cpuName, 0)
	if err != nil {
		return err
	}
	defer b.Close()
	h.Row = kernelsRow
	h.Kernels, err = throughput.Kernels(ctx, rows[0], throughput.Device{Name: b.Name(), Backend: b})
	return err
}

// examineCache looks whether the cache can be written, and adds up what it holds.
func examineCache() (path string, ok bool, bytes int64) {
	path, err := cachedir.Path()
	if err != nil {
		return err.Error(), false, 0
	}
	_ = filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error { // what cannot be read is not counted
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	probe := filepath.Join(path, ".writable")
	ok = writeText(probe, nil) == nil
	_ = os.Remove(probe) // it may not be there
	return configs.ResolvePath(path), ok, bytes
}

// systemMemory is the machine's memory in bytes where the system tells, else 0.
func systemMemory() int64 {
	var kib int64
	if _, err := fmt.Sscanf(procField("/proc/meminfo", "MemTotal"), "%d kB", &kib); err != nil {
		return 0
	}
	return kib << 10
}

// procField is the first value of a name in one of Linux's text files about the machine, "" elsewhere.
func procField(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
