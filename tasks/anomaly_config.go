package tasks

import (
	"fmt"
	"strconv"
	"strings"

	"aetrain/configs"
	"aetrain/internal/registry"
)

// AnomalyConfig is [anomaly].
type AnomalyConfig struct {
	Score     string    `toml:"score" choices:"reconstruction|likelihood|latent" doc:"what is unusual of an example: its reconstruction's loss; -log p(x) by importance sampling; its code's distance (squared) from the centre of Deep SVDD, else from those of training (Mahalanobis)"`
	Threshold Threshold `toml:"threshold" doc:"from which score on an example is flagged" example:"{ kind = \"quantile\", value = 0.99 }"`
}

// Threshold says from which score on an example is flagged.
type Threshold struct {
	Kind  string  `toml:"kind" choices:"quantile|contamination|best-f1|pot|fixed" doc:"quantile of the validation scores; contamination: the quantile that flags this share of them; best-f1 on labelled validation scores; pot: peaks over threshold, the score that a normal example exceeds with this probability; fixed: a score"`
	Value float64 `toml:"value" doc:"of its kind: a share (default: quantile 0.99, contamination 0.01, pot 0.001) or a score" example:"0.99"`
}

// AnomalyDefaults returns what holds where [anomaly] says nothing.
func AnomalyDefaults() *AnomalyConfig {
	return &AnomalyConfig{Score: "reconstruction", Threshold: Threshold{Kind: "quantile"}}
}

func init() { configs.Declare("anomaly", func() any { return AnomalyDefaults() }) }

// ReadAnomaly decodes [anomaly]. Mistakes are recorded in cfg; they are also returned.
func ReadAnomaly(cfg *configs.Config) (*AnomalyConfig, error) {
	c := AnomalyDefaults()
	return c, cfg.Section("anomaly").Decode(c)
}

// Validate holds the value to its kind.
func (t *Threshold) Validate() error {
	if err := t.check(); err != nil {
		return configs.KeyError("value", "%v", err)
	}
	return nil
}

// Kinds of thresholds.
const (
	quantile      = "quantile"
	contamination = "contamination"
	bestF1        = "best-f1"
	pot           = "pot"
	fixed         = "fixed"
)

var thresholdKinds = []string{quantile, contamination, bestF1, pot, fixed}

// usualValues are the values of kinds for 0.
var usualValues = map[string]float64{quantile: 0.99, contamination: 0.01, pot: 1e-3}

// value is Value, or what is usual for its kind.
func (t Threshold) value() float64 {
	if t.Value == 0 {
		return usualValues[t.Kind]
	}
	return t.Value
}

func (t Threshold) check() error {
	if _, share := usualValues[t.Kind]; share && (t.Value < 0 || t.Value >= 1) {
		return fmt.Errorf("%v: of %s it is a share below 1", t.Value, t.Kind)
	}
	return nil
}

// ParseThreshold reads KIND:VALUE, or KIND alone where it has a usual value.
func ParseThreshold(text string) (Threshold, error) {
	kind, number, valued := strings.Cut(text, ":")
	found, ok := registry.Find(kind, thresholdKinds)
	if !ok {
		return Threshold{}, fmt.Errorf("%q is none of %s%s", kind, strings.Join(thresholdKinds, ", "), registry.Suggest(kind, thresholdKinds))
	}
	t := Threshold{Kind: found}
	if valued {
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || v != v {
			return t, fmt.Errorf("%q is not a number", number)
		}
		if _, share := usualValues[found]; share && v == 0 {
			return t, fmt.Errorf("0: of %s it is a share above 0", found)
		}
		if found == bestF1 {
			return t, fmt.Errorf("best-f1 is found with the labels and takes no number")
		}
		t.Value = v
	} else if found == fixed {
		return t, fmt.Errorf("fixed wants a score: fixed:12.5")
	}
	return t, t.check()
}
