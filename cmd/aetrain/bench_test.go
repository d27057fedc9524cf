package main

import (
	"strings"
	"testing"

	"aetrain/bench/throughput"
)

func TestBench(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	quick := []string{"-rounds", "1", "-seconds", "0.02", "-threads", "1", "-device", "cpu"}
	t.Run("config", func(t *testing.T) {
		var r throughput.Report
		l.json(&r, append([]string{"bench", "-config", "tiny.toml", "-set", "data.batch=32", "-out", "a/result", "-cpuprofile", "cpu.prof"}, quick...)...)
		if len(r.Results) != 1 || len(r.Devices) != 1 {
			t.Fatalf("got %+v", r)
		}
		if res := r.Results[0]; res.Row != "tiny" || res.Side != "aetrain" || res.Device != "cpu" || res.Batch != 32 || res.ExamplesPerSecond <= 0 || res.GFLOPS <= 0 || res.GBps <= 0 {
			t.Errorf("got %+v", res)
		}
		if d := r.Devices[0]; d.Peaks.GFLOPS["float32"] <= 0 || d.Peaks.GBps <= 0 || !strings.Contains(d.Device, "1 thread") {
			t.Errorf("the device is %+v", d)
		}
		for _, name := range []string{"bench.json", "bench.txt", "bench.png"} {
			if l.read("a/result/"+name) == "" {
				t.Errorf("%s is empty", name)
			}
		}
		if l.read("cpu.prof") == "" {
			t.Error("the CPU profile is empty")
		}
		if l.exists("runs") {
			t.Error("a benchmark has left a run")
		}
	})
	t.Run("standard rows", func(t *testing.T) {
		o := l.must(append([]string{"bench", "vae-128", "encode*", "-set", "data.examples=1024", "-quiet"}, quick...)...)
		for _, want := range []string{"row ", "\nvae-128 ", "\nencode-10000 ", "GFLOP/s"} {
			if !strings.Contains(o.stdout, want) {
				t.Errorf("no %q in\n%s", want, o.stdout)
			}
		}
		if strings.Contains(o.stdout, "conv-vae") || o.stderr != "" {
			t.Errorf("got\n%s%s", o.stdout, o.stderr)
		}
	})
	t.Run("profile", func(t *testing.T) {
		var p throughput.Profiles
		l.json(&p, append([]string{"bench", "-config", "tiny.toml", "-profile", "-out", "b"}, quick...)...)
		if len(p.Profiles) != 1 || len(p.Profiles[0].Parts) == 0 || p.Profiles[0].SumMS <= 0 {
			t.Errorf("got %+v", p)
		}
		if !strings.Contains(l.read("b/profile.txt"), "MatMul") {
			t.Errorf("profile.txt is\n%s", l.read("b/profile.txt"))
		}
	})
}

func TestBenchMistakes(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	for _, c := range []struct {
		name, args string
		code       int
		stderr     string
	}{
		{"unknown row", "vea-128", 2, `no row "vea-128"; did you mean vae-128?`},
		{"row and config", "vae-128 -config tiny.toml", 2, "give one of them"},
		{"no config", "-config none.toml", 2, "no such config file"},
		{"mistake in the config", "-config tiny.toml -set model.laten_dim=2", 2, "did you mean latent_dim?"},
		{"unknown device", "-device gpu", 2, `-device: "gpu" is none of auto, cpu, cuda and cuda:N`},
		{"no GPU", "vae-128 -device cpu,cuda", 1, "no CUDA in this build"},
		{"rounds", "-rounds 0", 2, "at least 1 is wanted"},
		{"seconds", "-seconds 0", 2, "above 0"},
		{"precision", "vae-128 -precision float16", 2, "train.precision"},
		{"unknown peer", "-peers pytroch", 2, "did you mean pytorch?"},
		{"peer of a config", "-config tiny.toml -peers pytorch", 2, "the standard rows alone"},
		{"peer in a profile", "-profile -peers pytorch", 2, "leave -peers out"},
		{"no Python", "vae-128 -device cpu -peers pytorch -python none", 1, "there is no none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := l.run(append([]string{"bench"}, strings.Fields(c.args)...)...)
			if o.code != c.code || !strings.Contains(o.stderr, c.stderr) || o.stdout != "" {
				t.Errorf("exit code %d, want %d; stderr %q, want %q; stdout %q", o.code, c.code, o.stderr, c.stderr, o.stdout)
			}
		})
	}
}
