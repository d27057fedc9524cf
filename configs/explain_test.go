package configs

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	var all strings.Builder
	for _, key := range []string{
		"seed", "data", "data.validation", "data.source", "data.dir", "data.columns", "data.transforms", "data.transforms[].size", "model", "model.encoder", "model.encoder[0].units",
		"model.encoder.layer", "model.encoder.1.layers.0.units", "model.encoder.name", "model.bottleneck", "model.bottleneck.kind", "model.penalties.kl", "model.penalties.kl.beta", "model.penalties.l1.weight",
		"model.penalties.mine.kind", "model.penalties.kl.enabled", "model.adversaries.x.weight", "optimizer.learning_rate", "optimizer.name", "train.monitor", "kernels.conv2d", "kernels.autotune", "free_bits",
		"anomaly", "data.columns.amount", "model.adversaries.x", "model.penalties.NAME",
	} {
		keys, err := Explain(key)
		if err != nil {
			t.Errorf("Explain(%s): %v", key, err)
		}
		all.WriteString("$ explain " + key + "\n")
		for _, k := range keys {
			all.WriteString(k.String())
		}
		all.WriteString("\n")
	}
	for _, key := range []string{"data.validaton", "laten_dim", "xyzzy.abc", "", "a..b", "model.penalties.kl.rho", "name.x", "model.bottleneck.sampels", "model.encoder.unit"} {
		keys, err := Explain(key)
		if err == nil {
			t.Errorf("Explain(%q) = %v; want an error", key, keys)
			continue
		}
		all.WriteString("$ explain " + key + "\n" + err.Error() + "\n\n")
	}
	golden(t, "explain.golden", all.String())
}

func TestKeys(t *testing.T) {
	golden(t, "keys.golden", strings.Join(Keys(), "\n")+"\n")
	if got := Undocumented(); len(got) > 0 {
		t.Errorf("keys without a sentence: %v", got)
	}
	for _, k := range Keys() {
		if keys, err := Explain(k); err != nil || len(keys) == 0 {
			t.Errorf("Explain(%s): %v", k, err)
		}
	}
}

// TestExamplesOfKeysAreRead holds the examples that explain shows to the decoder.
func TestExamplesOfKeysAreRead(t *testing.T) {
	for _, k := range declaredKeys(1) {
		if k.Example == "" || strings.Contains(k.Path, "[]") || len(k.Kinds) > 0 || strings.Contains(k.Path, anyName) {
			continue
		}
		if _, err := parseText(k.snippet()); err != nil && !strings.Contains(err.Error(), "is missing") {
			t.Errorf("%s: %v", k.snippet(), err)
		}
	}
}
