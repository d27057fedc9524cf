package optim

import (
	"math"
	"strings"
	"testing"

	"aetrain/configs"
)

func TestSchedules(t *testing.T) {
	at := func(epoch float64) Progress {
		return Progress{Step: int(math.Round(epoch * 100)), StepsPerEpoch: 100, Epochs: 20}
	}
	for _, c := range []struct {
		name, text string
		epoch      float64
		want       float64
	}{
		{"constant", `{ kind = "constant" }`, 7, 1},
		{"warm-up's first step", `{ kind = "constant", warmup = 2 }`, 0, 1. / 200},
		{"warm-up's last step", `{ kind = "constant", warmup = 2 }`, 1.99, 1},
		{"cosine starts", `{ kind = "cosine" }`, 0, 1},
		{"cosine half", `{ kind = "cosine" }`, 10, 0.5},
		{"cosine ends", `{ kind = "cosine", final = 0.1 }`, 20, 0.1},
		{"cosine beyond its end", `{ kind = "cosine" }`, 30, 0},
		{"cosine after warm-up", `{ kind = "cosine", warmup = 4 }`, 12, 0.5},
		{"step before", `{ kind = "step", every = 5, factor = 0.5 }`, 4.99, 1},
		{"step at", `{ kind = "step", every = 5, factor = 0.5 }`, 5, 0.5},
		{"step twice", `{ kind = "step", every = 5, factor = 0.5 }`, 14, 0.25},
		{"listed epochs, before", `{ kind = "step", at = [1, 4, 13], factor = 0.5 }`, 0.99, 1},
		{"listed epochs, on one", `{ kind = "step", at = [1, 4, 13], factor = 0.5 }`, 4, 0.25},
		{"listed epochs, beyond", `{ kind = "step", at = [1, 4, 13], factor = 0.5 }`, 19, 0.125},
		{"exponential", `{ kind = "exponential", factor = 0.9 }`, 3, 0.9 * 0.9 * 0.9},
		{"plateau", `{ kind = "plateau" }`, 3, 1},
	} {
		got := decode(t, "[optimizer]\nlearning_rate = 1.0\nschedule = "+c.text).Rate(at(c.epoch))
		if math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: rate is %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPlateauAndItsMemory(t *testing.T) {
	p := &Plateau{Patience: 1, Gamma: 0.5, Threshold: 1e-4}
	for i, c := range []struct{ loss, want float64 }{
		{-3, 1}, {-4, 1}, {-4, 1}, {math.NaN(), 1}, {-3.9, 0.5}, {-4, 0.5}, {-5, 0.5}, {-5, 0.5}, {-5, 0.25},
	} {
		p.Watch(c.loss)
		if got := p.Factor(Progress{}); got != c.want {
			t.Fatalf("after loss %d the factor is %v, want %v", i, got, c.want)
		}
		q := &Plateau{Patience: 1, Gamma: 0.5, Threshold: 1e-4}
		q.SetMemory(p.Memory())
		p = q
	}
	p.SetMemory([]float64{1})
	p.SetMemory([]float64{1, 0, 0, math.NaN()})
	if got := p.Factor(Progress{}); got != 0.25 {
		t.Errorf("a memory of another form changed the factor to %v", got)
	}
}

func TestConfigMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown optimizer", `name = "adma"`, "did you mean adam?"},
		{"key of another optimizer", `momentum = 0.9`, "momentum"},
		{"betas", `betas = [0.9]`, "optimizer.betas: 1 numbers; want two, such as [0.9, 0.999]"},
		{"not a number", `learning_rate = "x"`, "\"x\" is not a number"},
		{"listed epochs", `schedule = { kind = "step", at = [4, 4] }`, "epoch 4 does not come after 4"},
		{"schedule", `schedule = { kind = "cosin" }`, "did you mean cosine?"},
	} {
		cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte("[optimizer]\n" + c.text)})
		if err == nil {
			_, err = Read(cfg.Section("optimizer"))
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	for _, key := range configs.Undocumented() {
		t.Errorf("%s has no doc", key)
	}
}
